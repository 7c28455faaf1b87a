"""The typed parameters of a notebook: read from its own cell without running it; given values checked against them."""

from __future__ import annotations

import ast
import io
import logging
import sys
import tokenize
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CxError, ending, listed, nearest, refuse, shortened, unknown
from .kinds import Kind, fit, kinds_in, kinds_of
from .yamlfile import read_yaml

if TYPE_CHECKING:
    import nbformat


def _without_grammars(name: str) -> Any:
    """Import a module; jsonschema would build a grammar of web addresses, two seconds for what no notebook needs."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        return import_module(name)
    finally:
        if sys.modules["rfc3987_syntax"] is None:
            del sys.modules["rfc3987_syntax"]


if not TYPE_CHECKING:
    nbformat = _without_grammars("nbformat")

ONLY_LITERALS = "it may hold only `name: type = literal` lines; derived values belong in the next cell"
SHELF = Path(__file__).parents[1] / "notebooks"


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: name, default, what it may be, the type as written, and its trailing comment."""

    name: str
    default: object
    kinds: tuple[Kind, ...]
    declared: str
    help: str

    def __str__(self) -> str:
        return " or ".join(map(str, self.kinds))


def read_parameters(notebook: str | Path) -> tuple[Parameter, ...]:
    """Parameters of a notebook, from its first cell tagged `parameters`; none of it is run.

    Parameters
    ----------
    notebook : path of an .ipynb file.

    Raises
    ------
    CxError when the notebook cannot be read, or the cell holds more than typed literals, one a line.
    """
    source = next((cell.source for cell in read_notebook(notebook).cells if "parameters" in _tags(cell)), "")
    where = Path(notebook).stem
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise CxError(f"{where}: the parameters cell is not Python: line {error.lineno}, {error.msg}") from None
    except (MemoryError, RecursionError, ValueError):  # too many brackets; a sign that no source may hold
        raise CxError(f"{where}: the parameters cell is not Python that can be read; {ONLY_LITERALS}") from None
    comments, found, faults = _comments(source), [], []
    for statement in statements:
        try:
            if not _is_preamble(statement):
                found.append(_parameter(statement, comments))
        except ValueError as fault:
            faults.append(f"{where}: parameters cell, line {statement.lineno}: {fault}")
    refuse(faults)
    return tuple(found)


def read_notebook(path: str | Path) -> nbformat.NotebookNode:
    """A notebook file in the current format, or a CxError of one line."""
    log = logging.getLogger("traitlets")
    quiet, log.disabled = log.disabled, True  # pages about what it goes on with all the same
    try:
        book = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise CxError(f"no notebook at '{ending(path)}'; `cx list` shows those there are") from None
    except Exception as error:  # nbformat lets json, schema and attribute errors through
        broken = isinstance(error, AttributeError | KeyError | TypeError)  # which say nothing to who has the file
        told = "its JSON is not that of a notebook" if broken else shortened(error)
        raise CxError(f"'{ending(path)}' is not a notebook: {told}") from None
    finally:
        log.disabled = quiet
    refuse(f"'{ending(path)}' is not a notebook: {fault}" for fault in _misshapen(book))
    return book


def _misshapen(book: nbformat.NotebookNode) -> Iterable[str]:
    """What nbformat lets pass and nobody could show or run."""
    if not isinstance(book.get("metadata"), dict) or not isinstance(book.get("cells"), list):
        return ["it must hold metadata and a list of cells"]
    return (f"cell {number} must hold its cell_type, its source as text, and metadata with tags that are texts"
            for number, cell in enumerate(book.cells, 1) if not _is_cell(cell))  # fmt: skip


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata"), dict):
        return False
    tags = cell["metadata"].get("tags", [])
    texts = (cell.get("cell_type"), cell.get("source"), *(tags if isinstance(tags, list) else [None]))
    return all(isinstance(text, str) for text in texts) and isinstance(cell.get("outputs", []), list)


def find_notebooks(names: Iterable[str]) -> list[Path]:
    """Notebooks by stem, unique beginning of the stem, or path; all numbered ones where no name is given.

    They are looked for in ./notebooks, else in the folder beside the package. Raises CxError for every name not found.
    """
    shelf = next((folder for folder in (Path("notebooks"), SHELF) if folder.is_dir()), SHELF)
    there = {path.stem: path for path in sorted(shelf.glob("*.ipynb"))}
    names = list(names)
    if not names:
        numbered = [path for stem, path in there.items() if stem[0].isdigit()]
        refuse(
            [] if numbered else [f"no numbered notebook in '{shelf}'; name one, or run cx beside a notebooks folder"]
        )
        return numbered
    found, faults = [], []
    for name in names:
        if name.endswith(".ipynb"):
            found.append(Path(name))
            continue
        matches = [name] if name in there else [stem for stem in there if name and stem.startswith(name)]
        if len(matches) == 1:
            found.append(there[matches[0]])
        elif matches:
            faults.append(f"'{name}' begins several notebooks: {listed(matches)}; write more of the name")
        else:
            faults.append(unknown("notebook", name, there))
    refuse(faults)
    return found


def check_parameters(notebook: str | Path, given: Mapping[str, object]) -> dict[str, object]:
    """Values of every parameter of a notebook: the given ones, checked and read by declared type, else the defaults.

    Parameters
    ----------
    notebook : path of an .ipynb file with a cell tagged `parameters`.
    given : values by name. Text is read as the declared type ("007" stays text where text is declared,
        "10" becomes a number where a number is); other values must already be of that type.

    Returns
    -------
    dict in the order of the cell, with int, float, str, bool, None or lists of these: what papermill can pass on.

    Raises
    ------
    CxError with one line for each unknown name, wrong type, and value outside its Literal or range.

    Notes
    -----
    papermill itself lets an unknown name pass with a warning and runs on the defaults.
    """
    values, faults = fitted(read_parameters(notebook), given)
    refuse(f"{Path(notebook).stem}: {fault}" for fault in faults.values())
    return values


def fitted(parameters: Iterable[Parameter], given: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Values of all parameters, and for each given name that does not fit what is wrong with it."""
    known, faults = {parameter.name: parameter for parameter in parameters}, {}
    values = {name: parameter.default for name, parameter in known.items()}
    for name, value in given.items():
        if name not in known:
            faults[name] = unknown("parameter", name, known)
            continue
        try:
            values[name] = fit(known[name].kinds, value)
        except ValueError:
            faults[name] = _misfit(known[name], value)
    return values, faults


def read_parameter_file(path: str | Path) -> dict[str, object]:
    """Values by name from a YAML file. Scalars stay text, so that the notebook's declaration decides what 007 means."""
    given, _ = read_yaml(path, "parameter file")
    if given in (None, ""):
        return {}
    if not isinstance(given, dict):
        raise CxError(f"parameter file '{ending(path)}' must hold `name: value` lines, not a {type(given).__name__}")
    return given


def _tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _comments(source: str) -> dict[int, str]:
    found: dict[int, str] = {}
    with suppress(tokenize.TokenError, SyntaxError):  # it may be Python and still not be told apart to its end
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string.lstrip("# ").strip()
    return found


def _is_preamble(statement: ast.stmt) -> bool:
    """Imports of types and a docstring are allowed in the cell and declare nothing."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.ImportFrom) and statement.module in ("typing", "datetime", "__future__")


def _parameter(statement: ast.stmt, comments: Mapping[int, str]) -> Parameter:
    several = isinstance(statement, ast.Assign) and len(statement.targets) > 1
    if several or not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        raise ValueError(ONLY_LITERALS)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    if not isinstance(target, ast.Name):
        raise ValueError(ONLY_LITERALS)
    name, annotation = target.id, getattr(statement, "annotation", None)
    try:
        default = ast.literal_eval(statement.value)
    except (ValueError, TypeError, MemoryError, RecursionError):  # {[]: 1} is none either
        raise ValueError(f"the default of '{shortened(name)}' must be a literal, not a computed value") from None
    kinds = kinds_in(annotation) if annotation is not None else kinds_of(default)
    try:
        default = fit(kinds, default, typed=True)
    except ValueError:
        wanted = " or ".join(map(str, kinds))
        told = shortened(_spelled(default))
        raise ValueError(f"the default of '{shortened(name)}' must be {wanted}, not {told}") from None
    declared = ast.unparse(annotation) if annotation is not None else kinds[0].name
    return Parameter(name, default, kinds, declared, comments.get(statement.end_lineno or 0, ""))


def _spelled(value: object) -> str:
    """A value as Python writes it; it writes no number of thousands of digits."""
    try:
        return repr(value)
    except ValueError:
        return "a number of thousands of digits"


def _misfit(parameter: Parameter, value: object) -> str:
    choices = [choice for kind in parameter.kinds for choice in kind.choices]
    close = nearest(value, choices)
    hint = f"; did you mean '{shortened(close)}'?" if close else ""
    if isinstance(value, int | float) and any(kind.name == "str" for kind in parameter.kinds) and not choices:
        hint = "; put it in quotes"
    return f"'{parameter.name}' must be {parameter}, not {shortened(_spelled(value))}{hint}"
