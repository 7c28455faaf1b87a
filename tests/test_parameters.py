"""Parameters read from the notebook's own cell, and values refused or read by their declared type."""

import json

import nbformat
import pytest

from cxlib.errors import CxError, ending
from cxlib.parameters import check_parameters, find_notebooks, read_parameter_file, read_parameters
from tests import small_notebooks as small


@pytest.fixture
def path(tmp_path):
    return small.write(tmp_path, nps=small.plain())[0]


def cell(tmp_path, source):
    nbformat.write(nbformat.v4.new_notebook(cells=[small.code(source, "parameters")]), tmp_path / "x.ipynb")
    return tmp_path / "x.ipynb"


def faults(call, *arguments):
    with pytest.raises(CxError) as caught:
        call(*arguments)
    return list(caught.value.faults)


def test_names_defaults_types_and_help_are_those_of_the_cell(path):
    found = {row.name: (row.default, row.declared, row.help) for row in read_parameters(path)}
    assert list(found) == ["only_value", "minimum_group", "share", "method", "as_of", "drivers", "cap", "seed"]
    assert found["minimum_group"] == (10, "Annotated[int, '>= 1']", "people")
    assert found["method"] == ("lmg", "Literal['lmg', 'first']", "how importance is shared out")
    assert found["cap"] == (None, "int | None", "rows; None = no cap")


def test_no_value_given_leaves_the_defaults(path):
    assert check_parameters(path, {}) == {
        "only_value": "", "minimum_group": 10, "share": 0.5, "method": "lmg", "as_of": "", "drivers": [], "cap": None,
        "seed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("only_value", "007", "007"),
        ("only_value", "None", "None"),
        ("only_value", "", ""),
        ("minimum_group", "5", 5),
        ("share", "1", 1.0),
        ("share", "2.5e-1", 0.25),
        ("as_of", "2026-03-31", "2026-03-31"),
        ("drivers", "[a, 007]", ["a", "007"]),
        ("drivers", "a, 007", ["a", "007"]),
        ("drivers", "[]", []),
        ("cap", "None", None),
        ("cap", "12", 12),
        ("share", 1, 1.0),
        ("drivers", ["a"], ["a"]),
    ],
)
def test_text_is_read_by_the_declared_type(path, name, text, value):
    found = check_parameters(path, {name: text})[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("minimum_group", "0", "'minimum_group' must be a whole number >= 1, not '0'"),
        ("minimum_group", "1.5", "'minimum_group' must be a whole number >= 1, not '1.5'"),
        ("minimum_group", "1_000", "'minimum_group' must be a whole number >= 1, not '1_000'"),
        ("minimum_group", True, "'minimum_group' must be a whole number >= 1, not True"),
        ("share", "0", "'share' must be a number > 0 and <= 1, not '0'"),
        ("share", "nan", "'share' must be a number > 0 and <= 1, not 'nan'"),
        ("share", float("inf"), "'share' must be a number > 0 and <= 1, not inf"),
        ("method", "lgm", "'method' must be one of 'lmg', 'first', not 'lgm'; did you mean 'lmg'?"),
        ("as_of", "31.03.2026", "'as_of' must be a date like 2026-03-31, not '31.03.2026'"),
        ("as_of", "2026-02-30", "'as_of' must be a date like 2026-03-31, not '2026-02-30'"),
        ("drivers", [1], "'drivers' must be a list of text, not [1]"),
        ("drivers", "[a, [b]]", "'drivers' must be a list of text, not '[a, [b]]'"),
        ("cap", "many", "'cap' must be a whole number or None, not 'many'"),
        ("only_value", 7, "'only_value' must be text, not 7; put it in quotes"),
        ("only_value", "\udc80", "'only_value' must be text, not '\\udc80'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(path, name, value, line):
    assert faults(check_parameters, path, {name: value}) == [f"nps: {line}"]


def test_all_faults_are_told_at_once_with_the_nearest_name(path):
    found = faults(check_parameters, path, {"methd": "lmg", "seed": "x", "share": "2", "cap": "3"})
    assert found[0].startswith("nps: no parameter 'methd'; did you mean 'method'? There are: 'only_value', ")
    assert found[1:] == [
        "nps: 'seed' must be a whole number, not 'x'",
        "nps: 'share' must be a number > 0 and <= 1, not '2'",
    ]


@pytest.mark.parametrize("value", ["__import__('os').system('id')", "1+1", "[].__class__"])
def test_a_value_is_never_evaluated(path, value):
    assert check_parameters(path, {"only_value": value})["only_value"] == value
    assert faults(check_parameters, path, {"minimum_group": value})


@pytest.mark.parametrize(
    ("source", "value", "accepted"),
    [
        ("x: Literal['auto'] | int = 'auto'", "3", 3),
        ("x: Optional[float] = None", "none", None),
        ("x: Union[int, str] = 1", "07", 7),
        ("x: Literal[1, 2] = 1", "2", 2),
        ("x: 'int' = 1", "2", 2),
        ("x: Annotated[float, (0, 1)] = 0", "1", 1.0),
        ("x: Annotated[float, (0, None)] = 0", "9", 9.0),
        ("x: list[int] = [1]", "[1, 2]", [1, 2]),
        ("x: date = '2026-01-01'", "2026-01-02", "2026-01-02"),
        ("x: bool = False", "yes", True),
        ("x = 3", "4", 4),
        ("x = None", "4", 4),
        ("x = -1.5", "-2", -2.0),
        ('"""What this is."""\nfrom typing import Literal\nx: typing.Literal["a", "b"] = "a"', "b", "b"),
    ],
)
def test_every_kind_of_declaration(tmp_path, source, value, accepted):
    found = check_parameters(cell(tmp_path, source), {"x": value})["x"]
    assert (found, type(found)) == (accepted, type(accepted))


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1 + y", "parameters cell, line 1: the default of 'x' must be a literal, not a computed value"),
        ("import os", "line 1: it may hold only `name: type = literal` lines; derived values belong in the next cell"),
        ("x += 1", "line 1: it may hold only `name: type = literal` lines; derived values belong in the next cell"),
        ("x: int", "line 1: it may hold only `name: type = literal` lines; derived values belong in the next cell"),
        (
            "a, b = 1, 2",
            "line 1: it may hold only `name: type = literal` lines; derived values belong in the next cell",
        ),
        ("x: int = 'a'", "line 1: the default of 'x' must be a whole number, not 'a'"),
        ("x: Literal['a'] = 'b'", "line 1: the default of 'x' must be one of 'a', not 'b'"),
        (
            "x: DataFrame = None",
            "line 1: the type `DataFrame` cannot be checked; use none, bool, int, float, date, list,",
        ),
        ("x: dict[str, int] = 1", "line 1: the type `dict[...]` cannot be checked"),
        ("x: Annotated[int, 'over 3'] = 4", "line 1: the range 'over 3' cannot be read; write '>= 1', '> 0, < 1'"),
        ("x = (", "the parameters cell is not Python: line 1, "),
    ],
)
def test_a_cell_that_is_more_than_typed_literals_is_refused(tmp_path, source, line):
    (found,) = faults(read_parameters, cell(tmp_path, source))
    assert line in found
    assert found.startswith("x: ")


def test_a_notebook_without_a_parameters_cell_takes_none(tmp_path):
    nbformat.write(nbformat.v4.new_notebook(cells=[small.code("x = 1")]), tmp_path / "x.ipynb")
    assert faults(check_parameters, tmp_path / "x.ipynb", {"x": "1"}) == ["x: no parameter 'x'; There is none"]


def test_a_yaml_file_is_text_until_the_notebook_declares_it(path, tmp_path):
    file = tmp_path / "p.yml"
    file.write_text("only_value: 007\nminimum_group: 12\nas_of: 2026-03-31\ndrivers: [a, 1]\ncap: null\n")
    found = check_parameters(path, read_parameter_file(file))
    assert [found[name] for name in ("only_value", "minimum_group", "as_of", "drivers", "cap")] == [
        "007", 12, "2026-03-31", ["a", "1"], None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- a\n- b\n", "must hold `name: value` lines, not a list"),
        ("a: [1\n", "is not YAML: "),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "aliases are not allowed (line 2)"),
    ],
)
def test_a_bad_parameter_file_is_one_line(tmp_path, text, line):
    (tmp_path / "p.yml").write_text(text)
    (found,) = faults(read_parameter_file, tmp_path / "p.yml")
    assert found.startswith("parameter file ")
    assert line in found


def test_a_folder_is_no_parameter_file_and_a_large_one_is_refused(tmp_path):
    where = f"parameter file '{ending(tmp_path)}'"
    told = f"{where} must be a file, it is a folder or a device; name the file"
    assert faults(read_parameter_file, tmp_path) == [told]


def test_a_yaml_tag_builds_nothing(path, tmp_path):
    (tmp_path / "p.yml").write_text("only_value: !!python/object/apply:os.getcwd []\n")
    assert faults(check_parameters, path, read_parameter_file(tmp_path / "p.yml")) == [
        "nps: 'only_value' must be text, not []"
    ]


@pytest.mark.parametrize("content", ["{", "{}", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'])
def test_what_is_no_notebook_is_one_line(tmp_path, content):
    (tmp_path / "x.ipynb").write_text(content)
    (found,) = faults(read_parameters, tmp_path / "x.ipynb")
    assert "is not a notebook" in found
    assert "\n" not in found


@pytest.mark.parametrize(
    "changed", [{"source": True}, {"metadata": None}, {"metadata": {"tags": [1]}}, {"metadata": {"tags": "x"}},
                {"cell_type": 3}, {"outputs": None}],
)  # fmt: skip
def test_cells_that_nobody_could_run_are_one_line(tmp_path, capfd, changed):
    """nbformat goes on with these and writes pages about it."""
    sound = {"cell_type": "code", "source": "n = 1", "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
    book = {"cells": [sound, sound | {"id": "b"} | changed], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "x.ipynb").write_text(json.dumps(book))
    (found,) = faults(read_parameters, tmp_path / "x.ipynb")
    told = (
        "its JSON is not that of a notebook",
        "missing an expected key",
        "cell 2 must hold its cell_type, its source",
    )
    assert "x.ipynb' is not a notebook: " in found and any(words in found for words in told), found
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("n: int = 1\x00", "x: the parameters cell is not Python"),
        (
            "n: int = " + "-" * 100_000 + "1",
            "x: the parameters cell is not Python that can be read; it may hold only",
        ),
        ("n: 0 = 0", "x: parameters cell, line 1: the type `0` cannot be checked; use "),
        ("n: 'x y' = 0", "x: parameters cell, line 1: the type `'x y'` cannot be checked; use "),
        ("n = {[]: 1}", "x: parameters cell, line 1: the default of 'n' must be a literal, not a computed value"),
        (
            "n: str = " + "0x" + "f" * 5000,
            "x: parameters cell, line 1: the default of 'n' must be text, not a number of",
        ),
        ("x" * 5000 + " = y", f"x: parameters cell, line 1: the default of '{'x' * 79}…' must be a literal"),
    ],
)
def test_parameters_cells_that_break_readers_are_one_line(tmp_path, source, told):
    (found,) = faults(read_parameters, cell(tmp_path, source))
    assert found.startswith(told) and len(found) < 300


def test_a_notebook_without_a_list_of_cells_is_one_line(tmp_path):
    (tmp_path / "x.ipynb").write_text('{"cells": "", "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    told = f"'{ending(tmp_path / 'x.ipynb')}' is not a notebook: it must hold metadata and a list of cells"
    assert faults(read_parameters, tmp_path / "x.ipynb") == [told]


def test_a_folder_without_numbered_notebooks_is_told(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    told = "no numbered notebook in 'notebooks'; name one, or run cx beside a notebooks folder"
    assert faults(find_notebooks, []) == [told]


def test_notebooks_are_found_by_stem_beginning_and_path(tmp_path, monkeypatch):
    shelf = tmp_path / "notebooks"
    shelf.mkdir()
    small.write(shelf, **{name: small.plain() for name in ("01-score", "02-attrition", "02-other", "draft")})
    monkeypatch.chdir(tmp_path)
    stems = lambda *names: [path.stem for path in find_notebooks(names)]  # noqa: E731
    assert stems() == ["01-score", "02-attrition", "02-other"]
    assert stems("01", "02-att", "draft") == ["01-score", "02-attrition", "draft"]
    assert stems("somewhere/else.ipynb") == ["else"]
    assert faults(find_notebooks, ["02", "draftt", ""]) == [
        "'02' begins several notebooks: '02-attrition', '02-other'; write more of the name",
        "no notebook 'draftt'; did you mean 'draft'? There are: '01-score', '02-attrition', '02-other', 'draft'",
        "no notebook ''; There are: '01-score', '02-attrition', '02-other', 'draft'",
    ]
