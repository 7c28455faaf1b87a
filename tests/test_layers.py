"""The shape of the package: imports point downward, modules and functions stay small.

The layers are read from the block in CONTRIBUTING.md, so that what newcomers read is what is asserted.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import cxlib

ROOT = Path(__file__).parents[1]
LONGEST_MODULE = 320
LONGEST_FUNCTION = 50  # without its docstring
PUBLIC_MODULES = {"plots", "text", "workshop"}  # reached as cx.plots.fractions and the like
GRAB_BAGS = {"utils", "util", "helpers", "common", "misc"}


def layer_lines(page: str) -> list[list[str]]:
    """The words of each line of the block, such as ``["2", "drivers.py", "desk.py"]``."""
    return [line.split() for line in re.search(r"```layers\n(.*?)```", page, re.DOTALL).group(1).splitlines()]


def layers_of(page: str) -> dict[str, int]:
    """Module -> layer."""
    return {name.removesuffix(".py"): int(layer) for layer, *names in layer_lines(page) for name in names}


def imported(tree: ast.Module, package: str, modules: set[str]) -> Iterator[str]:
    """Modules of the package that a module imports, at its top or inside a function; "" for the package itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            paths = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = f"{package}.{node.module or ''}".rstrip(".") if node.level else node.module
            paths = [f"{base}.{alias.name}" for alias in node.names] if base == package else [base]
        else:
            continue
        for path in paths:
            top, _, rest = path.partition(".")
            if top == package and rest != "__version__":
                name = rest.partition(".")[0]
                yield name if name in modules else ""


def import_faults(imports: Mapping[str, set[str]], layers: Mapping[str, int]) -> Iterator[str]:
    """Modules without a layer, and imports that do not point downward."""
    for module, targets in imports.items():
        if module not in layers:
            yield f"{module} has no layer: put it into the block in CONTRIBUTING.md"
            continue
        here = layers[module]
        for target in sorted(targets):
            there = layers.get(target, here)
            if target == "":
                yield f"{module} imports from the package itself: name the module"
            elif there > here:
                yield f"{module} (layer {here}) imports {target} (layer {there}): imports point downward"
            elif here == there == 2:
                yield f"{module} imports {target}: none sideways in layer 2, move what both need down"
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as cycle:
        yield f"imports run in a circle: {' -> '.join(cycle.args[1])}"


def size_faults(module: str, source: str, tree: ast.Module) -> Iterator[str]:
    """Modules and functions that have grown too long."""
    lines = len(source.splitlines())
    if lines > LONGEST_MODULE:
        yield f"{module} has {lines} lines, at most {LONGEST_MODULE}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            docstring = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) is not None else 0
            length = node.end_lineno - node.lineno + 1 - docstring
            if length > LONGEST_FUNCTION:
                yield f"{module}.{node.name} has {length} lines without docstring, at most {LONGEST_FUNCTION}"


def faults(folder: Path, layers: Mapping[str, int], public: Iterable[str]) -> list[str]:
    """Everything in a package folder that breaks the rules of the house, one line each."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    trees = {module: ast.parse(source) for module, source in sources.items()}
    inner = {module for module in sources if module != "__init__"}
    imports = {module: set(imported(trees[module], folder.name, inner)) for module in sorted(inner)}
    found = list(import_faults(imports, layers))
    found += [f"{module} is a grab bag: name it after what it does" for module in sorted(inner & GRAB_BAGS)]
    both = inner & set(public) - PUBLIC_MODULES
    found += [f"{name} names both a module and a public function" for name in sorted(both)]
    for module, source in sources.items():
        found += size_faults(module, source, trees[module])
    return found


PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_package_keeps_its_shape():
    assert faults(ROOT / "cxlib", layers_of(PAGE), cxlib.__all__) == []


def test_the_page_lists_every_module_once():
    listed = [name for _, *names in layer_lines(PAGE) for name in names]
    assert sorted(listed) == sorted(path.name for path in (ROOT / "cxlib").glob("*.py") if path.stem != "__init__")


MADE_UP = "```layers\n3  plots.py\n2  left.py  right.py\n1  frame.py  cells.py\n0  errors.py\n```"
CLEAN = {
    "__init__": "",
    "plots": "from .left import rate",
    "left": "import numpy\nfrom . import frame",
    "right": "def share():\n    from kit.errors import refuse",
    "frame": "from .cells import count",
    "cells": "import kit.errors",
    "errors": "",
}
BODY = "    x = 1\n"


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        (None, "", None),
        ("errors", "from .plots import draw", "errors (layer 0) imports plots (layer 3): imports point downward"),
        ("frame", "from . import left", "frame (layer 1) imports left (layer 2): imports point downward"),
        ("frame", "def f():\n    import kit.left", "frame (layer 1) imports left (layer 2): imports point downward"),
        ("frame", "if True:\n    from kit import left", "frame (layer 1) imports left (layer 2)"),
        ("left", "from kit.right import share", "left imports right: none sideways in layer 2"),
        ("left", "from kit import rate", "left imports from the package itself"),
        ("left", "from . import __version__", None),
        ("cells", "from .frame import x", "imports run in a circle"),
        ("utils", "", "utils has no layer"),
        ("utils", "", "utils is a grab bag"),
        ("rate", "", "rate names both a module and a public function"),
        ("left", "\n" * 321, "left has 321 lines, at most 320"),
        ("left", "\n" * 320, None),
        ("left", "def f():\n" + BODY * 50, "left.f has 51 lines without docstring, at most 50"),
        ("left", "def f():\n" + BODY * 49, None),
        ("left", 'def f():\n    """One.\n\n    Two.\n    """\n' + BODY * 49, None),
        ("left", "class A:\n    def f(self):\n" + ("    " + BODY) * 50, "left.f has 51 lines"),
    ],
)
def test_the_checker_sees_each_fault(tmp_path, module, source, fault):
    package = tmp_path / "kit"
    package.mkdir()
    tree = CLEAN | ({module: source} if module else {})
    for name, text in tree.items():
        (package / f"{name}.py").write_text(text)
    found = faults(package, layers_of(MADE_UP), public={"rate", "share", "plots"})
    assert found == [] if fault is None else any(fault in line for line in found)
