"""Messages: one line per fault, the nearest name, bounded whatever is put in."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib.errors import LONGEST, CxError, beginning, ending, listed, nearest, refuse, shortened, unknown

NAMES = ["customer_id", "region", "segment", "monthly price"]


def test_an_error_keeps_its_faults_and_prints_one_line_each():
    error = CxError("first\nfault", "second   fault")
    assert error.faults == ("first fault", "second fault")
    assert str(error) == "first fault\nsecond fault"
    assert isinstance(error, ValueError)


def test_refuse_tells_every_fault_once_and_is_silent_without_any():
    refuse([])
    with pytest.raises(CxError) as caught:
        refuse(line for line in ["b", "a", "b"])
    assert caught.value.faults == ("b", "a")


@pytest.mark.parametrize(
    ("given_name", "close"),
    [
        ("rgion", "region"),
        ("REGION", "region"),
        ("Monthly Price", "monthly price"),
        ("segmnt", "segment"),
        ("zzzzz", ""),
    ],
)
def test_the_nearest_name_ignores_case_and_gives_up_on_strangers(given_name, close):
    assert nearest(given_name, NAMES) == close


def test_the_nearest_name_comes_back_as_it_is_spelled():
    assert nearest("netpro", ["NETPRO", "Q7ALL"]) == "NETPRO"
    assert nearest(12, [1, 12, 120]) == "12"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("column", "rgion", ["region", "plan"], "customers"),
         "customers: no column 'rgion'; did you mean 'region'? There are: 'region', 'plan'"),
        (("level", "x", ["good"]), "no level 'x'; There are: 'good'"),
        (("driver", "x", []), "no driver 'x'; There is none"),
    ],
)  # fmt: skip
def test_the_line_of_an_unknown_name(arguments, line):
    assert unknown(*arguments) == line


def test_long_lists_and_values_are_cut():
    assert listed(range(14)).endswith("'11' and 2 more")
    assert listed("ab") == "'a', 'b'"
    assert shortened("x" * 100) == "x" * 79 + "…"


@given(st.text(), st.lists(st.text(), max_size=30))
def test_a_message_is_one_line_of_bounded_length(name, options):
    line = CxError(unknown("column", name, options)).faults[0]
    assert "\n" not in line
    assert len(line) < 2000


def test_a_line_shows_what_could_not_be_seen():
    """Marks that turn the reading direction and codes that move the cursor would make a line say something else."""
    assert CxError("no column '\u202egnp.exe'").faults == (r"no column '\u202egnp.exe'",)
    assert CxError("a\x1b[2Jb\x00").faults == (r"a\x1b[2Jb\x00",)
    assert shortened("zero\u200bwidth \ud800") == r"zero\u200bwidth \ud800"
    assert shortened("ünï \N{GRINNING FACE}") == "ünï \N{GRINNING FACE}"


def test_a_value_too_large_to_show_is_named_by_its_type():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert shortened(nested) == "list too large to show"
    assert shortened(10**5000) == "int too large to show"


def test_a_long_path_keeps_its_end():
    assert ending("/a/b.yml") == "/a/b.yml"
    assert ending("/" + "a" * 100 + "/b.yml").endswith("a/b.yml")
    assert len(ending("/" + "a" * 100 + "/b.yml")) == 80


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'IO Error: Could not read from file "/home/ann/x.duckdb": end\nmore',
            'Could not read from file "x.duckdb": end',
        ),
        ("Invalid Input Error: File '/tmp/a/b.parquet' too small", "File 'b.parquet' too small"),
        ("Out of Memory Error: failed", "failed"),
        ("no such table: Error", "no such table: Error"),
        ("", "ValueError"),
    ],
)
def test_what_another_program_says_loses_its_class_and_the_folder(said, told):
    assert beginning(ValueError(said)) == told
    assert len(beginning(ValueError("x" * 999), 120)) == 120


HERE = Path(__file__).parent
TELL = {"CxError", "LostData", "refuse", "need"}  # calls whose strings are told as faults


def strings(node):
    """The strings in a piece of code, of those with braces the parts between them, and the line each is on."""
    found = [one for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return {one.value: one.lineno for one in found}


def tells(node):
    """Whether the strings in a piece of code are certain to be faults."""
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        return called.rpartition(".")[2] in TELL or ("fault" in called and called.endswith((".append", ".extend")))
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        return "fault" in ast.unparse(node).partition("=")[0]
    return isinstance(node, ast.FunctionDef) and node.name.endswith(("fault", "faults"))


def untested(folder):
    """Parts of faults, words of 14 letters or more, of which no 24 letters in a row stand in any test."""
    trees = [ast.parse(path.read_text("utf-8")) for path in HERE.rglob("*.py")]
    asked = "\0".join(text.replace("\\", "") for tree in trees for text in strings(tree))
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        prose = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        faults = {text: line for node in ast.walk(tree) if tells(node) for text, line in strings(node).items()}
        words = [text for text in faults if text not in prose and len(text.strip()) >= 14 and " " in text]
        for text in words:
            if not any(text[i : i + 24] in asked for i in range(max(len(text) - 23, 1))):
                yield f"{path.name}, line {faults[text]}: {text}"


def test_every_part_of_a_fault_is_asked_for_by_a_test():
    assert list(untested(HERE.parent / "cxlib")) == []


def test_a_part_that_no_test_asks_for_is_found(tmp_path):
    part = ", yltel dehsilbatse neve ton si eno siht"[::-1]  # spelled so that it stands nowhere here
    (tmp_path / "made_up.py").write_text(f"def f(x):\n    raise CxError(f'{{x}} must be given; add it{{x}}{part}')\n")
    assert list(untested(tmp_path)) == [f"made_up.py, line 2: {part}"]


def test_a_fault_stays_short_whatever_it_quotes():
    (line,) = CxError(f"column '{'x' * 100_000}' must hold numbers").faults
    assert len(line) == LONGEST and line.startswith("column 'xxx") and line.endswith("…")
