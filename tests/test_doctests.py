"""The examples in docstrings run, and every public function has a docstring that starts with one line."""

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import cxlib

ROOT = Path(cxlib.__file__).parent
MODULES = sorted(path.stem for path in ROOT.glob("*.py") if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name, monkeypatch):
    monkeypatch.chdir(ROOT.parent)
    module = import_module(f"cxlib.{name}")
    # Examples read as a user types them: with cx and pd at hand.
    names = {"cx": cxlib} | vars(module)
    tried = doctest.testmod(module, globs=dict(names), optionflags=doctest.ELLIPSIS, report=True)
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.mark.parametrize("name", [n for n in cxlib.__all__ if inspect.isfunction(getattr(cxlib, n))])
def test_public_functions_say_what_they_do_in_one_line(name):
    function = getattr(cxlib, name)
    first, _, rest = inspect.getdoc(function).partition("\n")
    assert first.endswith(".")
    assert len(first) <= 116
    assert not rest or rest.startswith("\n")
    hints = inspect.get_annotations(function)
    assert "return" in hints
    assert set(inspect.signature(function).parameters) <= set(hints)
