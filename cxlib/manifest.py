"""The manifest of a report, written last: a folder that has one is complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ValidationError

from . import fingerprint
from .answercell import Estimate
from .errors import shortened

if TYPE_CHECKING:
    from .jobs import Job

GOOD = ("ok", "skipped")
STATUSES = (*GOOD, "failed", "timeout")


def sign_off(
    job: Job, place: Path, status: str, exception: str | None, started: datetime, seconds: float
) -> dict[str, Any]:
    """Write the manifest of what lies in `place`; returns it. What failed moves to <slug>.failed, without a page.

    Where a full disk leaves no room for the word that a report failed, what was written of the report goes.
    """
    if status not in GOOD:
        for name in ("report.html", "report.pdf", "answers.json"):
            (place / name).unlink(missing_ok=True)
        place = place.rename(place.with_name(place.name + ".failed"))
    manifest = _manifest(job, status, exception, started, seconds)
    try:
        return _written(place, manifest)
    except OSError:
        if status in GOOD:
            raise
        for path in place.iterdir():
            path.unlink()
        with suppress(OSError):
            return _written(place, manifest)
        return manifest


def _manifest(job: Job, status: str, exception: str | None, started: datetime, seconds: float) -> dict[str, Any]:
    return {
        "schema": 1,
        "status": status,
        "notebook": job.name,
        "parameters": job.values,
        "fingerprint": job.fingerprint,
        "git_commit": fingerprint.git_commit(),
        "versions": fingerprint.versions(),
        "seed": job.values.get("seed"),
        "started_at": started.isoformat(timespec="seconds"),
        # Not the clock, which may have been set back meanwhile.
        "finished_at": (started + timedelta(seconds=seconds)).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "exception": exception,
        "files": {},
    }


def lost(job: Job, folder: Path, status: str, exception: str, seconds: float = 0.0) -> dict[str, Any]:
    """The manifest of a report whose process is gone: its notebook as it was before the run, and a log of one line."""
    started = datetime.now(UTC) - timedelta(seconds=seconds)
    try:
        place = fresh_place(folder, job)
        with suppress(OSError):
            shutil.copyfile(job.notebook, place / "notebook.ipynb")
            (place / "log.txt").write_text(f"{status}: {exception}\n", encoding="utf-8")
        manifest = sign_off(job, place, status, exception, started, seconds)
    except OSError:  # not even a folder could be made; run.json will say so
        manifest = _manifest(job, status, exception, started, seconds)
    return manifest | told(job)


def told(job: Job, title: str = "", answer: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the runner wants to know beyond the manifest: it goes into run.json and the list of runs."""
    answer = answer or {}
    first = next(iter(answer.get("answers") or []), None)
    about = {"slug": job.slug, "title": title or job.name, "changed": job.changed}
    return about | {"sentence": answer.get("sentence"), "headline": first}


def fresh_place(folder: Path, job: Job) -> Path:
    """An empty folder for a report; what an attempt before left there is removed."""
    place = folder / job.name / job.slug
    for old in (place, place.with_name(place.name + ".failed")):
        shutil.rmtree(old, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


class _Report(BaseModel):
    notebook: str
    slug: str
    title: str
    status: str
    sentence: str | None
    exception: str | None
    headline: Estimate | None
    changed: dict[str, Any]


class _Alert(BaseModel):
    report: str
    alert: str
    by: dict[str, Any]
    state: str
    value: float | None


class _Record(BaseModel):
    """What the readers of a run.json take from it."""

    started_at: Annotated[str, AfterValidator(datetime.fromisoformat)]
    seconds: float
    counts: dict[str, int]
    plan: dict[str, Any] | None
    alerts: list[_Alert]
    reports: list[_Report]


def is_record(content: object) -> bool:
    """Whether what a run.json holds is the record of a run, as this version of the kit reads it."""
    try:
        return bool(_Record.model_validate(content, strict=True))
    except ValidationError:
        return False


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; {} where there is none or half of one, as a machine that lost power may leave it."""
    with suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    return {}


def one_line(error: BaseException) -> str:
    """An error of the system or of ours in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return f"{type(error).__name__}: {shortened(error, 300)}"


def _written(place: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    sums = {path.name: fingerprint.of_file(path) for path in sorted(place.iterdir()) if path.name != "manifest.json"}
    manifest = manifest | {"files": sums}
    write_json(place / "manifest.json", manifest)
    return manifest
