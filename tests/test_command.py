"""The command line: exit codes, the exact lines on stderr, the one line on stdout."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import TimeRemainingColumn

from cxlib import __main__ as command
from cxlib.__main__ import main
from tests import small_notebooks as small

ROOT = Path(__file__).parents[1]
HINT = " (`cx --help` lists commands and options)"


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A working directory with a notebooks folder."""
    (tmp_path / "notebooks").mkdir()
    small.write(tmp_path / "notebooks", **{"01-nps": small.plain(), "02-raising": small.raising()})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def said(capsys):
    """Exit code, lines on stdout and lines on stderr of a command."""

    def run(*arguments):
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


def test_a_run_from_the_shell_ends_with_one_line_on_stdout_and_one_per_failed_report(shelf):
    command = [sys.executable, "-m", "cxlib", "report", "--workers", "2", "-p", "seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    line = r"2 reports: 1 ok, 1 failed; \d+ s; reports/output/runs/\d{8}T\d{6}Z-[0-9a-f]{8}\n"
    assert re.fullmatch(line, done.stdout.replace(os.sep, "/"))
    fault = r"cx: 02-raising/seed-3-[0-9a-f]{8} failed: ValueError: service_band holds; no good contact \(cell 4\)\n"
    assert re.fullmatch(fault, done.stderr)
    assert sorted(path.name for path in (shelf / "reports" / "output").iterdir()) == [
        ".lock",
        "index.html",
        "latest",
        "runs",
    ]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["reprot"], ["No such command 'reprot'. Did you mean 'report'?" + HINT]),
        (["report", "--wrokers", "2"], ["No such option: --wrokers (Possible options: --retries, --workers)" + HINT]),
        (["simulate"], ["Missing option '--out'." + HINT]),
        (["report", "--workers"], ["Option '--workers' requires an argument." + HINT]),
        (["report", "-p"], ["-p takes a NAME and a VALUE"]),
        (["report", "-p", "seed"], ["-p takes a NAME and a VALUE, not only 'seed'"]),
        (["show", "1-nps"], ["no notebook '1-nps'; did you mean '01-nps'? There are: '01-nps', '02-raising'"]),
        (["show", "0"], ["'0' begins several notebooks: '01-nps', '02-raising'; write more of the name"]),
        (["report", "no.ipynb"], ["no notebook at 'no.ipynb'; `cx list` shows those there are"]),
        (["report", "-f", "no.yml"], ["parameter file 'no.yml' cannot be read: No such file or directory"]),
        (
            ["report", "01", "-p", "methd", "x", "-p", "seed=x"],
            [
                "01-nps: no parameter 'methd'; did you mean 'method'? There are: 'only_value', 'minimum_group', "
                "'share', 'method', 'as_of', 'drivers', 'cap', 'seed'",
                "01-nps: 'seed' must be a whole number, not 'x'",
            ],
        ),
    ],
)
def test_what_is_refused_is_one_line_a_fault_exit_2_and_nothing_written(shelf, said, arguments, lines):
    found = set(shelf.rglob("*"))
    code, out, err = said(*arguments)
    assert (code, out) == (2, [])
    assert err == [f"cx: {line}" for line in lines]
    assert set(shelf.rglob("*")) == found


@pytest.mark.parametrize(
    "arguments", [["report", "--workers", "0"], ["report", "--workers", "x"], ["simulate", "a", "b"]]
)
def test_other_usage_errors_are_one_line_too(shelf, said, arguments):
    code, out, err = said(*arguments)
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith("cx: ")


def test_debug_shows_the_traceback_wherever_it_stands(shelf):
    with pytest.raises(ValueError, match="no notebook 'nosuch'"):
        main(["report", "nosuch", "--debug"])


def test_an_unexpected_error_is_one_line_and_exit_1(shelf, said, monkeypatch):
    monkeypatch.setattr("cxlib.parameters.find_notebooks", lambda names: 1 / 0)
    assert said("list") == (1, [], ["cx: ZeroDivisionError: division by zero (--debug shows where)"])


def test_p_beats_f_and_a_later_file_beats_an_earlier_one(shelf, said, monkeypatch):
    (shelf / "a.yml").write_text("seed: 1\nshare: 0.1\nonly_value: 007\n")
    (shelf / "b.yml").write_text("share: 0.2\n")
    planned = []

    def run(jobs, *rest):
        planned.extend(jobs)
        raise KeyboardInterrupt

    monkeypatch.setattr("cxlib.report.run_reports", run)
    code, _, err = said("report", "01", "-f", "a.yml", "-f", "b.yml", "-p", "seed", "5")
    assert planned[0].changed == {"only_value": "007", "share": 0.2, "seed": 5}
    assert (code, err) == (130, ["cx: stopped; nothing was written"])


def test_a_value_may_look_like_anything(shelf, said, monkeypatch):
    planned = []
    monkeypatch.setattr("cxlib.report.run_reports", lambda jobs, *rest: planned.extend(jobs) or 1 / 0)
    for value in ("-x", "--workers", "a=b", "", "two\nlines"):
        said("report", "01", "-p", "only_value", value)
    assert [job.values["only_value"] for job in planned] == ["-x", "--workers", "a=b", "", "two\nlines"]


def test_list_names_each_notebook_with_its_question(shelf, said):
    code, out, err = said("list")
    assert (code, err) == (0, [])
    assert [line.split(maxsplit=1) for line in out[1:]] == [
        ["01-nps", "What is our NPS?"],
        ["02-raising", "What is our NPS?"],
    ]


def test_show_prints_every_parameter_with_type_default_and_help(shelf, said):
    code, out, err = said("show", "01")
    assert (code, err) == (0, [])
    assert out[0] == "01-nps: What is our NPS?"
    assert [re.split(r"\s{2,}", line.strip()) for line in out[2:5]] == [
        ["only_value", "str", "''", "the group to keep; empty = everyone"],
        ["minimum_group", "Annotated[int, '>= 1']", "10", "people"],
        ["share", "Annotated[float, '> 0, <= 1']", "0.5", "of the failures removed"],
    ]


def test_without_a_command_the_help_is_printed(said):
    code, out, err = said()
    assert (code, err) == (0, [])
    for name in ("report", "list", "show", "simulate", "study"):
        assert any(name in line for line in out)


def test_simulate_writes_the_tables_and_says_so_in_one_line(tmp_path, said):
    code, out, err = said(
        "simulate", "--customers", "50", "--months", "24", "--seed", "1", "--out", str(tmp_path / "data")
    )
    assert (code, err) == (0, [])
    assert out == [f"50 customers over 24 months, seed 1: {tmp_path / 'data'}"]
    assert (tmp_path / "data" / "customers.parquet").is_file()
    assert (tmp_path / "data" / "truth.json").is_file()


@pytest.mark.parametrize("watched", [True, False])
def test_progress_with_the_time_left_is_shown_where_someone_watches_and_nowhere_else(monkeypatch, watched):
    monkeypatch.setattr(command, "Console", lambda stderr: Console(stderr=stderr, force_terminal=watched))
    progress = command._progress()
    assert progress.console.stderr
    assert progress.disable is not watched
    assert [column for column in progress.columns if isinstance(column, TimeRemainingColumn)]
