"""Schedules: each snippet is checked by the system it is for, or a stand-in, and tells the exit codes apart."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest
import yaml

from cxlib.__main__ import main
from cxlib.errors import CxError
from cxlib.plan import read_plan
from cxlib.scheduling import SYSTEMS, snippet
from tests import small_notebooks as small


@pytest.fixture(params=["plain", 'odd 100% $HOME "name"'])
def project(request, tmp_path, monkeypatch):
    """A project with a plan, under a plain path and under one that every system reads in its own way."""
    folder = tmp_path / request.param
    folder.mkdir()
    small.write(folder, nps=small.plain())
    value = "it's {{ 7 * 7 }} 100% $HOME"
    (folder / "weekly.yml").write_text(f'reports:\n- notebook: nps.ipynb\n  parameters: {{only_value: "{value}"}}\n')
    monkeypatch.chdir(folder)
    return folder


def made(system, project):
    return snippet(read_plan(project / "weekly.yml"), system, Path("out"))


def stand_in(folder, code):
    """A program that writes down what it was given and ends with an exit code."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$PWD" "$@" > "{folder}/given"\necho 1 report: 1 ok\nexit {code}\n')
    program.chmod(0o755)
    return program


def cron_command(text):
    """What cron would hand to sh of the one line that is no comment: % ends a command, \\% is one."""
    (line,) = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert not re.search(r"(?<!\\)%", line)
    fields = line.split(" ", 5)
    assert fields[:5] == ["17", "6", "*", "*", "1"]
    return fields[5].replace("\\%", "%")


@pytest.mark.parametrize(
    ("code", "told"),
    [(0, ""), (1, "a report failed: see "), (2, "no report of "), (3, "alert: see "), (143, "no report")],
)
def test_cron_is_silent_where_all_went_well_and_mails_what_did_not(project, tmp_path, monkeypatch, code, told):
    monkeypatch.setattr(sys, "executable", str(stand_in(tmp_path, code)))
    command = cron_command(made("cron", project))
    assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, cwd="/")
    assert done.stderr == ""
    assert done.stdout.startswith(told) and bool(done.stdout) == bool(told)
    given = (tmp_path / "given").read_text().splitlines()
    assert given == [
        str(project), "-m", "cxlib", "report", "--plan", str(project / "weekly.yml"), "--out", str(project / "out"),
        "--workers", "2", "--timeout", "600", "--retries", "1",
    ]  # fmt: skip


def units(text, folder):
    """The files of a systemd snippet, written where it says, in another folder."""
    parts = re.findall(r"# /etc/systemd/system/(\S+)\n(.*?)(?=# /etc/systemd/system/|\Z)", text, re.DOTALL)
    for name, body in parts:
        (folder / name).write_text(body)
    return [folder / name for name, _ in parts]


def test_systemd_takes_the_units(project, tmp_path):
    files = units(made("systemd", project), tmp_path)
    assert [file.name for file in files] == ["cx-weekly.service", "cx-weekly.timer"]
    text = files[0].read_text()
    assert "SuccessExitStatus=3" in text and "KillMode=mixed" in text
    (start,) = re.findall("^ExecStart=(.*)$", text, re.MULTILINE)
    # systemd.service(5): words in double quotes, %% and $$ for one of each.
    words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(start)]
    assert words[:6] == [sys.executable, "-m", "cxlib", "report", "--plan", str(project / "weekly.yml")]
    (after,) = re.findall("^ExecStopPost=/bin/sh -c (.*)$", text, re.MULTILINE)
    script = shlex.split(after)[0].replace("$$", "$")
    for code, told in {"0": "", "1": "<3>cx: a report failed\n", "3": "<4>cx: an alert fired\n"}.items():
        done = subprocess.run(
            ["sh", "-c", script], env={"EXIT_STATUS": code}, capture_output=True, text=True, check=True
        )
        assert done.stdout == told


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze on this machine")
def test_systemd_analyze_finds_nothing(project, tmp_path):
    files = units(made("systemd", project), tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    (when,) = re.findall("^OnCalendar=(.*)$", files[1].read_text(), re.MULTILINE)
    assert subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("code", "exits", "told"),
    [(0, 0, ""), (3, 0, "::warning"), (1, 1, "::error"), (2, 2, "::error"), (143, 143, "::error")],
)
def test_a_workflow_fails_where_a_report_failed_and_warns_of_an_alert(project, tmp_path, code, exits, told):
    flow = yaml.safe_load(made("actions", project))
    assert flow[True] == {"schedule": [{"cron": "17 6 * * 1"}], "workflow_dispatch": None}  # YAML 1.1 reads `on` so
    assert flow["permissions"] == {"contents": "read"}
    steps = {step.get("name", step.get("uses")): step for step in flow["jobs"]["reports"]["steps"]}
    script = steps["Render"]["run"]
    stand_in(tmp_path, code)
    path = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    # As GitHub runs it: bash -e.
    done = subprocess.run(["bash", "-e", "-c", script], env=path, capture_output=True, text=True, check=False)
    assert done.returncode == exits
    assert ("::" in done.stdout) == bool(told) and told in done.stdout
    given = (tmp_path / "given").read_text().splitlines()[1:]
    assert given[:7] == ["-m", "cxlib", "report", "--plan", "weekly.yml", "--out", "out"]
    assert steps["Pages"]["if"] == "always()"


class Recorded:
    """A task that remembers what it was made of and what it follows."""

    def __init__(self, *given, **options):
        self.given, self.options, self.after = given, options, []

    def __rshift__(self, other):
        other.after.append(self)
        return other


def airflow(monkeypatch):
    """A stand-in for Airflow: the names that the file imports, recording how they are used."""
    made_of = []

    def task(function=None, **options):
        def decorate(function):
            def call(*given):
                made_of.append(Recorded(function.__name__, *given, **options))
                return made_of[-1]

            return call

        return decorate(function) if function else decorate

    class Operator:
        template_fields = ("input_nb", "output_nb", "parameters")

        @classmethod
        def partial(cls, **options):
            return types.SimpleNamespace(
                expand_kwargs=lambda each: made_of.append(Recorded("execute", each, cls, **options)) or made_of[-1]
            )

    class Dag:
        def __init__(self, **options):
            self.options = options

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    task.short_circuit = task
    where = {
        "airflow": {}, "airflow.sdk": {"DAG": Dag, "task": task},
        "airflow.exceptions": {"AirflowFailException": type("AirflowFailException", (Exception,), {})},
        "airflow.providers": {}, "airflow.providers.papermill": {}, "airflow.providers.papermill.operators": {},
        "airflow.providers.papermill.operators.papermill": {"PapermillOperator": Operator},
    }  # fmt: skip
    for name, members in where.items():
        module = types.ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return made_of


def test_airflow_runs_a_notebook_a_task_and_then_makes_the_pages(project, tmp_path, monkeypatch):
    made_of = airflow(monkeypatch)
    text = made("airflow", project)
    ast.parse(text)
    dag: dict = {}
    exec(compile(text, "dag.py", "exec"), dag)
    assert dag["dag"].options["dag_id"] == "cx-weekly"
    tasks = {one.given[0]: one for one in made_of}
    assert tasks["execute"].after == [tasks["prepare"]]
    assert tasks["pages"].after == [tasks["execute"]]
    assert tasks["pages"].options["trigger_rule"] == "all_done"
    ((report,), operator) = tasks["execute"].given[1:]
    assert operator.template_fields == ()
    assert report["parameters"] == {"only_value": "it's {{ 7 * 7 }} 100% $HOME"}
    dag["prepare"]()
    assert Path(report["output_nb"]).parent == project / "out" / "executed" / "nps"
    assert Path(report["output_nb"]).parent.is_dir()
    failing = {1: RuntimeError, 2: sys.modules["airflow.exceptions"].AirflowFailException}
    for code in (0, 1, 2, 3):
        dag["PAGES"][0] = str(stand_in(tmp_path, code))
        if code in failing:
            with pytest.raises(failing[code]):
                dag["pages"]()
        else:
            assert dag["alert"](dag["pages"]()) == (code == 3)


def test_the_command_prints_the_snippet(project, capsys):
    assert main(["schedule", "weekly.yml", "--for", "cron", "--out", "out"]) == 0
    assert capsys.readouterr().out == made("cron", project)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_plan_that_would_be_refused_is_not_scheduled(project, system):
    (project / "weekly.yml").write_text("reports:\n- notebook: nps.ipynb\n  parameters: {sed: 1}\n")
    with pytest.raises(CxError, match=r"weekly.yml, line 3: nps: no parameter 'sed'; did you mean 'seed'"):
        made(system, project)


def test_a_path_that_could_change_a_schedule_is_refused(project):
    with pytest.raises(CxError, match=r"out '.*' cannot stand in a schedule; rename it"):
        snippet(read_plan(project / "weekly.yml"), "cron", Path("out\n* * * * * rm"))
    with pytest.raises(CxError, match="must lie in this folder: a workflow sees the repository and no more"):
        snippet(read_plan(project / "weekly.yml"), "actions", project.parent / "elsewhere")
