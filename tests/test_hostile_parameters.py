"""Parameters and plans as nobody should have written them, through `cx report` up to where the rendering would start."""
# ruff: noqa: E501  (a fault is one line, however long)

from datetime import date

import nbformat
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib import __main__ as command
from cxlib import report
from cxlib.parameters import check_parameters
from tests.hostile import cells, names, tried

patient = settings(suppress_health_check=list(HealthCheck))
NOTEBOOKS = ("00", "01", "02", "03", "04", "05", "06")
NAMES = (
    "study", "as_of", "only_column", "only_value", "minimum_group", "level", "seed", "days", "every", "compare_by",
    "interactions", "reduction",
)  # fmt: skip
LIKELY = (
    "example",
    "Example",
    "2025-01-01",
    "9999-12-31",
    "0001-01-01",
    "0.5",
    "1",
    "10",
    "-1",
    "all",
    "region",
    "North",
)
values = cells | st.sampled_from(LIKELY)


@pytest.fixture(autouse=True)
def _no_rendering(monkeypatch, tmp_path):
    """The run itself is not what is tried."""
    monkeypatch.setattr(report, "run_reports", lambda jobs, out, *rest: report.Run(tmp_path, (), 0.0))


def told(capsys, *arguments):
    code = command.main([str(argument) for argument in arguments])
    lines = capsys.readouterr().err.splitlines()
    assert code in (0, 2), (code, lines)
    assert not [line for line in lines if "--debug shows where" in line or not line.startswith("cx: ")], lines
    assert bool(lines) == (code == 2)
    return code


@patient
@given(st.sampled_from(NOTEBOOKS) | cells, st.lists(st.tuples(st.sampled_from(NAMES) | names, values), max_size=3))
def test_values_given_on_the_command_line(capsys, notebook, pairs):
    given = [word for name, value in pairs for word in ("-p", name, value)]
    told(capsys, "report", notebook, *given)


TYPED = """from typing import Annotated, Literal

study: str = "example"
n: Annotated[int, ">= 1, <= 100"] = 10
share: Annotated[float, "> 0, < 1"] = 0.5
which: Literal["a", "b"] = "a"
day: Annotated[str, "date"] = ""
names: list[str] = []
flag: bool = False
maybe: int | None = None
"""
KNOWN = ("n", "share", "which", "day", "names", "flag", "maybe")


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    path = tmp_path_factory.mktemp("typed") / "typed.ipynb"
    cell = nbformat.v4.new_code_cell(TYPED, metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def as_declared(name, value):
    """Whether a value is of its declared kind and range, by Python's own words."""
    return {
        "n": type(value) is int and 1 <= value <= 100 if name == "n" else False,
        "share": name == "share" and type(value) is float and 0 < value < 1,
        "which": value in ("a", "b"),
        "day": name == "day" and (value == "" or bool(date.fromisoformat(value))),
        "names": name == "names" and type(value) is list and all(type(one) is str for one in value),
        "flag": type(value) is bool,
        "maybe": value is None or type(value) is int,
    }[name]


@patient
@given(st.dictionaries(st.sampled_from(KNOWN) | names, values, max_size=3))
def test_texts_are_what_is_declared_or_refused(notebook, given):
    found = tried(check_parameters, notebook, given)
    if found is not None:
        assert [name for name, value in found.items() if name != "study" and not as_declared(name, value)] == []


odd = st.recursive(values | st.integers() | st.floats() | st.none(), lambda inner: st.lists(inner, max_size=3)
                   | st.dictionaries(values, inner, max_size=3), max_leaves=6)  # fmt: skip
dumped = odd.map(lambda value: yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "replace"))


@patient
@given(
    dumped | st.binary(max_size=60) | st.dictionaries(st.sampled_from(KNOWN), odd).map(yaml.safe_dump).map(str.encode)
)
def test_parameter_files(notebook, capsys, content):
    path = notebook.parent / "given.yml"
    path.write_bytes(content)
    told(capsys, "report", notebook, "-f", path)


@st.composite
def plans(draw):
    """A sound plan with some of its values or keys changed."""
    entry = {"notebook": "typed.ipynb", "parameters": {"n": "7"}}
    entry |= draw(
        st.dictionaries(st.sampled_from(["notebook", "parameters", "by", "alerts", "notes"]), odd, max_size=2)
    )
    plan = {"title": "x", "keep": 3, "reports": [entry]}
    plan |= draw(st.dictionaries(st.sampled_from(["title", "keep", "formats", "reports", "report"]), odd, max_size=1))
    return yaml.safe_dump(plan, allow_unicode=True)


@patient
@given(plans().map(lambda text: text.encode("utf-8", "replace")) | dumped)
def test_plans(notebook, capsys, content):
    path = notebook.parent / "plan.yml"
    path.write_bytes(content)
    told(capsys, "report", "--plan", path)
