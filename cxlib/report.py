"""Notebooks to reports: what is to be rendered is checked first, rendered aside, and moved in place by one rename."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from . import fingerprint
from .errors import CxError, refuse, shortened
from .listing import write_index
from .parameters import check_parameters, read_parameters
from .rendering import failed, render

# A name with markup, slashes or 300 characters becomes a folder of its own; only decimals keep their point.
UNSAFE = re.compile(r"(?:(?!(?<=\d)\.(?=\d))[^A-Za-z0-9])+")


@dataclass(frozen=True)
class Job:
    """One report to be: a notebook and the values of all its parameters; `changed` are those unlike its defaults."""

    notebook: str
    name: str
    slug: str
    values: dict[str, object]
    changed: dict[str, object]
    sources: dict[str, str | None] = field(default_factory=dict)  # fingerprints of the study and its data


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the manifests of its reports in the order asked for, and its length in seconds."""

    folder: Path
    manifests: tuple[dict, ...]
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(manifest["status"] for manifest in self.manifests)
        return {status: counted[status] for status in ("ok", "skipped", "failed", "timeout")}

    @property
    def exit_code(self) -> int:
        return int(any(manifest["status"] in ("failed", "timeout") for manifest in self.manifests))


def plan_jobs(notebooks: Iterable[Path], given: Mapping[str, object]) -> list[Job]:
    """One job for each notebook; raises CxError with all faults of parameters, studies and names before any runs."""
    jobs: list[Job] = []
    faults: list[str] = []
    for notebook, as_given in {path.resolve(): path for path in notebooks}.items():
        try:
            jobs.append(_job(notebook, check_parameters(as_given, given)))
        except CxError as error:
            faults += error.faults
    refuse(faults)
    sources = {_view(job): _sources(_view(job), faults) for job in jobs}
    twice = [place for place, times in Counter((job.name, job.slug) for job in jobs).items() if times > 1]
    refuse(faults + [f"two notebooks would both write '{name}/{slug}'; rename one" for name, slug in twice])
    return [replace(job, sources=sources[_view(job)]) for job in jobs]


def run_reports(
    jobs: Sequence[Job],
    out: str | Path,
    workers: int = 1,
    timeout: float = 600,
    code: bool = False,
    done: Callable[[dict], None] = lambda manifest: None,
) -> Run:
    """Render every job into `out`/runs/<stamp>-<8 hex>; one that fails leaves its notebook and log, the others go on.

    Parameters
    ----------
    jobs : from `plan_jobs`.
    out : folder of runs/, latest/ and index.html.
    workers : processes; 1 renders in this one.
    timeout : seconds for one whole report.
    code : show the code, folded.
    done : called with the manifest of each report as it ends.

    Returns
    -------
    Run. All is written to a hidden folder beside the run's and renamed once at the end: no half run is ever seen.
    """
    out, started = Path(out), datetime.now(UTC)
    run = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    aside, final, clock = out / "runs" / f".{run}.partial", out / "runs" / run, time.monotonic()
    try:
        aside.mkdir(parents=True)
    except OSError as error:
        raise CxError(f"reports cannot be written to '{shortened(out)}': {error.strerror}") from None
    try:
        manifests = _render_all(jobs, partial(render, folder=aside, run=run, timeout=timeout, code=code), workers, done)
        finished = Run(final, tuple(manifests), round(time.monotonic() - clock, 2))
        _write_record(finished, aside, started)
        aside.rename(final)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    _publish(finished, out)
    return finished


def slug_of(values: Mapping[str, object], changed: Mapping[str, object]) -> str:
    """Folder name of a report: its changed parameters in ASCII, at most 80 characters, then 8 hex digits of all values.

    >>> slug_of({"region": "Süd/../x"}, {"region": "Süd/../x"})
    'region-Sud-x-3c97c42a'
    """
    if not changed:
        return "default"
    words = "_".join(f"{name}-{plain(str(value))}".strip("-") for name, value in changed.items())
    return f"{words[:80].rstrip('-_')}-{fingerprint.of_values(dict(values))[:8]}"


def plain(text: str) -> str:
    """ASCII letters, digits, hyphens and decimal points of a text; "" when none is left."""
    return UNSAFE.sub("-", unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()).strip("-")


def _job(notebook: Path, values: dict[str, object]) -> Job:
    defaults = {parameter.name: parameter.default for parameter in read_parameters(notebook)}
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    return Job(str(notebook), plain(notebook.stem)[:80] or "notebook", slug_of(values, changed), values, changed)


def _view(job: Job) -> tuple[str, ...]:
    """What of which data a report looks at, by the parameters that every notebook has."""
    return tuple(str(job.values.get(name, "")) for name in ("study", "as_of", "only_column", "only_value"))


def _sources(view: tuple[str, ...], faults: list[str]) -> dict[str, str | None]:
    """Fingerprints of a study and its data; what is wrong with it or the rows asked of it is added to `faults`."""
    name, *rows = view
    if not name:
        return {}
    from .study import read_study, study_answers, study_frame

    try:
        study = read_study(name)
    except CxError as error:
        faults += error.faults
        return {}
    told = [_told(look, study, *rows) for look in (study_frame, study_answers) if any(rows)]
    if told and all(told):  # customers and answers differ in columns; one that fits is enough
        faults += told[0]
    return {"study": fingerprint.of_file(study.files[0]), "data": fingerprint.of_data(study.files[1:])}


def _told(look: Callable, *arguments: object) -> tuple[str, ...]:
    try:
        look(*arguments)
    except CxError as error:
        return error.faults
    return ()


def _render_all(jobs: Sequence[Job], work: partial[dict], workers: int, done: Callable) -> list[dict]:
    """Manifests in the order of the jobs. Processes, not threads: papermill changes its own working directory."""
    if workers == 1 or len(jobs) == 1:
        manifests = []
        for job in jobs:
            manifests.append(work(job))
            done(manifests[-1])
        return manifests
    # A fork would copy locks that other threads hold.
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        futures: dict[Future, Job] = {pool.submit(work, job): job for job in jobs}
        found = {}
        for future in as_completed(futures):
            job, error = futures[future], future.exception()
            found[job.name, job.slug] = failed(job, work.keywords["folder"], error) if error else future.result()
            done(found[job.name, job.slug])
    return [found[job.name, job.slug] for job in jobs]


def _write_record(run: Run, folder: Path, started: datetime) -> None:
    keys = ("notebook", "slug", "status", "parameters", "title", "sentence", "seconds", "exception")
    record = {
        "schema": 1, "run": run.folder.name, "plan": None, "exit_code": run.exit_code, "counts": run.counts,
        "seconds": run.seconds, "started_at": started.isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "reports": [{key: manifest[key] for key in keys} for manifest in run.manifests],
    }  # fmt: skip
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "run.json").write_text(text + "\n", encoding="utf-8")


def _publish(run: Run, out: Path) -> None:
    """Copies of the new good pages under a lasting address, each replaced at once, and the list of runs."""
    for manifest in run.manifests:
        if manifest["status"] == "ok":
            target = out / "latest" / manifest["notebook"] / f"{manifest['slug']}.html"
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(f".{run.folder.name}.part")
            shutil.copyfile(run.folder / manifest["notebook"] / manifest["slug"] / "report.html", part)
            part.replace(target)
    write_index(out)


def fault_line(manifest: Mapping) -> str:
    """What to print of a report that failed."""
    return f"{manifest['notebook']}/{manifest['slug']} {manifest['status']}: {shortened(manifest['exception'], 300)}"
