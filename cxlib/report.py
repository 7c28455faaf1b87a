"""A run: what is to be rendered is checked first, rendered aside, and moved in place by one rename."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .alerts import Told, find_alerts
from .crew import render_all
from .errors import shortened
from .folders import finish, interrupted, locked, new_run, publish, retain
from .jobs import Job, Settings, plan_jobs, plan_reports, showing_code, slug_of
from .kernels import warm_server
from .listing import write_index
from .manifest import GOOD, STATUSES
from .paths import shared
from .pdf import pdf_fault
from .plan import Plan
from .reuse import answers_in, earlier_reports, take_over, take_up

__all__ = ["Options", "Run", "plan_jobs", "plan_reports", "run_reports", "slug_of"]
TOLD = "notebook slug status parameters title sentence seconds exception changed headline".split()


@dataclass(frozen=True)
class Options:
    """How a run goes about its reports; see `run_reports`."""

    workers: int = 1
    timeout: float = 600
    retries: int = 0
    code: bool = False
    pdf: bool = False
    force: bool = False
    keep: int | None = None
    warm: bool = True
    executed: str = ""


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the manifests of its reports in the order asked for, alerts, length in seconds."""

    folder: Path
    manifests: tuple[dict, ...]
    seconds: float
    alerts: tuple[dict, ...] = ()
    faults: tuple[str, ...] = ()  # what went wrong beside the reports
    published: bool = True  # latest/ and index.html show it

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(manifest["status"] for manifest in self.manifests)
        return {status: counted[status] for status in STATUSES}

    @property
    def fired(self) -> tuple[dict, ...]:
        return tuple(alert for alert in self.alerts if alert["state"] == "fired")

    @property
    def exit_code(self) -> int:
        """0 done, 1 a report failed (or cannot be seen), 3 done and an alert fired."""
        if not self.published or any(manifest["status"] not in GOOD for manifest in self.manifests):
            return 1
        return 3 if self.fired else 0


def run_reports(
    jobs: Sequence[Job],
    out: str | Path,
    options: Options | None = None,
    plan: Plan | None = None,
    done: Callable[[dict], None] = lambda manifest: None,
) -> Run:
    """Render every job into `out`/runs/<stamp>-<8 hex>; one that fails leaves its notebook and log, the others go on.

    Parameters
    ----------
    jobs : from `plan_jobs` or `plan_reports`.
    out : folder of runs/, latest/ and index.html; one run at a time writes to it.
    options : workers (processes), timeout (seconds for one whole report), retries (for dead kernels and time-outs),
        code (show it, folded), pdf, force (render what has not changed too), keep (runs kept; None = all), warm
        (fork kernels from one that has imported the libraries), executed (folder of notebooks that were run elsewhere).
    plan : where the jobs come from, for the record.
    done : called with the manifest of each report as it ends.

    Returns
    -------
    Run. All is written to a hidden folder beside the run's and renamed once at the end: no half run is ever seen. What
    is stopped or killed before stays hidden; the next run takes its reports up.
    """
    out, options = Path(out), options or Options()
    with locked(out):
        clock, started = time.monotonic(), datetime.now(UTC)
        aside, final = new_run(out)
        try:
            earlier = earlier_reports(out)
            manifests = _manifests(jobs, out, aside, final.name, options, earlier, done)
            alerts = _alerts(jobs, manifests, aside, earlier)
            run = Run(final, tuple(manifests), round(time.monotonic() - clock, 2), tuple(alerts))
            finish(aside, final, _record(run, plan, started))
        except BaseException:
            _let_go(aside)
            raise
        return _shown(run, out, options)


def _manifests(
    jobs: Sequence[Job],
    out: Path,
    aside: Path,
    name: str,
    options: Options,
    earlier: Mapping[str, Path],
    done: Callable[[dict], None],
) -> list[dict]:
    """Manifests in the order of the jobs, of what was taken over, taken up and rendered."""
    jobs = [showing_code(job) for job in jobs] if options.code else list(jobs)
    found: dict[str, dict] = {}
    pdf = options.pdf and not pdf_fault()
    if not options.force:
        found = take_up(jobs, out, aside, pdf)
        found |= take_over([job for job in jobs if job.place not in found], earlier, aside, pdf)
    for manifest in found.values():
        done(manifest)
    rest = [job for job in jobs if job.place not in found]
    if rest:
        shared()  # made here, for the processes that render take it from this one
        with warm_server(options.warm and not options.executed) as server:
            settings = Settings(
                str(aside.absolute()), name, options.timeout, options.code, pdf, server, options.executed
            )
            rendered = render_all(rest, settings, options.workers, options.retries, done)
        found |= {job.place: manifest for job, manifest in zip(rest, rendered, strict=True)}
    return [found[job.place] for job in jobs]


def _let_go(aside: Path) -> None:
    """A run that was stopped stays for the next one to take up, unless it holds nothing."""
    for name in ("run.json", ".reserve"):
        (aside / name).unlink(missing_ok=True)
    if not any(aside.glob("*/*/manifest.json")):
        shutil.rmtree(aside, ignore_errors=True)


def _alerts(jobs: Sequence[Job], manifests: Sequence[Mapping], aside: Path, earlier: Mapping[str, Path]) -> list[dict]:
    told = [
        Told(
            job.place,
            job.alerts,
            answers_in(aside / job.place),
            answers_in(earlier.get(job.place)),
            manifest["status"] == "ok",
        )
        for job, manifest in zip(jobs, manifests, strict=True)
        if job.alerts and manifest["status"] in GOOD
    ]
    return find_alerts(told)


def _record(run: Run, plan: Plan | None, started: datetime) -> dict:
    return {
        "schema": 1,
        "run": run.folder.name,
        "plan": {"file": plan.path.name, **plan.content, "keep": plan.words.keep} if plan else None,
        "exit_code": run.exit_code,
        "counts": run.counts,
        "seconds": run.seconds,
        "started_at": started.isoformat(timespec="seconds"),
        "finished_at": (started + timedelta(seconds=run.seconds)).isoformat(timespec="seconds"),
        "alerts": list(run.alerts),
        "reports": [{key: manifest[key] for key in TOLD} for manifest in run.manifests],
    }


def _shown(run: Run, out: Path, options: Options) -> Run:
    """The run, once its pages have their lasting address, old runs are gone and the list of runs is new."""
    faults = [alert["note"] for alert in run.alerts if alert["state"] == "unknown"]
    without = [manifest for manifest in run.manifests if options.pdf and "report.pdf" not in manifest["files"]]
    without = [manifest for manifest in without if manifest["status"] in GOOD]
    if without:
        told = pdf_fault() or f"no PDF of {len(without)} report{'s' * (len(without) != 1)}; see log.txt"
        faults.append(told)
    run = replace(run, faults=tuple(faults))
    try:
        publish(run.folder, run.manifests, out)
        retain(out, options.keep)
        write_index(out)
    except OSError as error:
        told = f"the run is there, but latest/ or index.html could not be written: {os.strerror(error.errno or 0)}"
        return replace(run, faults=(*faults, told), published=False)
    return run


def fault_line(manifest: Mapping) -> str:
    """What to print of a report that failed."""
    return f"{manifest['notebook']}/{manifest['slug']} {manifest['status']}: {shortened(manifest['exception'], 300)}"


def alert_line(alert: Mapping) -> str:
    """What to print of an alert that fired."""
    return f"alert: {alert['report']}: {alert['alert']}: it is {alert['value']:.4g}"


def left_behind(out: Path) -> int:
    """How many whole reports the newest interrupted run holds, which the next run takes up."""
    newest = next(iter(interrupted(Path(out))), None)
    return len(list(newest.glob("*/*/report.html"))) if newest else 0
