"""A plan on a clock: ready snippets for cron, systemd, GitHub Actions and Airflow, each with the exit codes handled."""

from __future__ import annotations

import json
import pprint
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .errors import CxError, refuse, shortened
from .jobs import Job, plain, plan_reports
from .plan import Plan

TEMPLATES = Path(__file__).parent / "template"
SYSTEMS = ("cron", "systemd", "actions", "airflow")
MINUTE, HOUR = 17, 6  # Mondays; not on the hour, when everything starts


def snippet(plan: Plan, system: str, out: Path, workers: int = 2, timeout: float = 600, retries: int = 1) -> str:
    """What to give to a scheduler so that a plan runs every Monday at 06:17.

    Parameters
    ----------
    plan : from `read_plan`; held against notebooks and data first, so that no broken plan is scheduled.
    system : "cron" (one line), "systemd" (service and timer), "actions" (a workflow) or "airflow" (a DAG).
    out : folder of the runs.
    workers, timeout, retries : as in `run_reports`.

    Returns
    -------
    Text with comments that say where it goes. 0 is silent, 1 and 2 are failures, 3 (an alert) is told but no failure.
    """
    jobs = plan_reports(plan)
    options = ["--workers", str(workers), "--timeout", f"{timeout:g}", "--retries", str(retries)]
    here = system != "actions"  # a workflow runs on another machine, in a clone
    where = {"plan": _path(plan.path, here), "out": _path(out, here), "project": str(Path.cwd())}
    refuse(
        f"{name} '{shortened(path)}' cannot stand in a schedule; rename it"
        for name, path in where.items()
        if _odd(path)
    )
    command = [sys.executable if here else "python", "-m", "cxlib", "report", "--plan", where["plan"]]
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, autoescape=False,
    )  # fmt: skip
    environment.filters |= {"sh": shlex.quote, "unit": _unit, "json": json.dumps, "literal": _literal}
    return environment.get_template(f"schedule-{system}.j2").render(
        where,
        name=plan.path.name,
        title=plan.words.title or plan.path.stem,
        stem=plain(plan.path.stem) or "plan",
        command=[*command, "--out", where["out"], *options],
        reports=_tasks(jobs, where["out"]),
        minute=MINUTE,
        hour=HOUR,
    )


def _path(path: Path, absolute: bool) -> str:
    if absolute:
        return str(path.absolute())
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        raise CxError(
            f"'{shortened(path)}' must lie in this folder: a workflow sees the repository and no more"
        ) from None


def _odd(path: str) -> bool:
    """A line break or a last backslash would change a line of a schedule; a workflow takes ${{ for an expression."""
    return not path.isprintable() or "${{" in path or path.endswith("\\")


def _unit(word: str) -> str:
    """A word of a systemd unit: specifiers and variables are text."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or not word or " " in word or "'" in word or ";" in word else word


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=112, sort_dicts=False)


def _tasks(jobs: Sequence[Job], out: str) -> list[dict[str, Any]]:
    """One PapermillOperator a report."""
    return [
        {
            "input_nb": str(Path(job.notebook).absolute()),
            "output_nb": f"{out}/executed/{job.place}.ipynb",
            "parameters": job.changed,
        }
        for job in jobs
    ]
