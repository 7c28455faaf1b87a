"""What an earlier run has made already: taken over where nothing changed, taken up where a run was cut short."""

from __future__ import annotations

import html
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import fingerprint
from .answercell import estimates_in
from .folders import interrupted, records
from .jobs import Job
from .manifest import GOOD, read_json, told, write_json

TITLE = re.compile("<title>([^<]*)</title>")


def earlier_reports(out: Path) -> dict[str, Path]:
    """The newest good report of each place (<notebook>/<slug>) in the finished runs."""
    found: dict[str, Path] = {}
    for record in records(out):
        for report in record["reports"]:
            place = f"{report['notebook']}/{report['slug']}"
            if report["status"] in GOOD:
                found.setdefault(place, out / "runs" / record["run"] / place)
    return found


def take_up(jobs: Iterable[Job], out: Path, folder: Path, pdf: bool) -> dict[str, dict]:
    """Move whole reports of an interrupted run into this one, their inputs being unchanged; returns their manifests.

    Of interrupted runs only the newest is kept, as long as it holds reports that this run was not asked for.
    """
    found: dict[str, dict] = {}
    jobs = list(jobs)
    stopped = [partial for partial in interrupted(out) if partial != folder]
    for job in jobs:
        place = next((partial / job.place for partial in stopped if _holds(partial / job.place, job, pdf)), None)
        if place:
            (folder / job.place).parent.mkdir(exist_ok=True)
            place.rename(folder / job.place)
            found[job.place] = _manifest(folder / job.place, job)
    asked = {job.place for job in jobs}
    for number, partial in enumerate(stopped):
        left = {path.parent.relative_to(partial).as_posix() for path in partial.glob("*/*/manifest.json")}
        if number or not left - asked - {f"{place}.failed" for place in asked}:
            shutil.rmtree(partial, ignore_errors=True)
    return found


def take_over(jobs: Iterable[Job], earlier: Mapping[str, Path], folder: Path, pdf: bool) -> dict[str, dict]:
    """Reports that nothing has changed since, as files of this run with the status "skipped"."""
    found: dict[str, dict] = {}
    for job in jobs:
        place = earlier.get(job.place)
        if place and _holds(place, job, pdf):
            with suppress(OSError):  # on a full disk it is rendered, and fails as every report would
                _link(place, folder / job.place)
                manifest = read_json(place / "manifest.json") | {"status": "skipped"}
                write_json(folder / job.place / "manifest.json", manifest)
                found[job.place] = _manifest(folder / job.place, job)
    return found


def answers_in(place: Path | None) -> Sequence[Mapping[str, Any]]:
    """The answers of a report; none where there is none, or none that can be read."""
    return estimates_in(read_json(place / "answers.json").get("answers")) if place else []


def _holds(place: Path, job: Job, pdf: bool) -> bool:
    """Whether a whole, good report lies there that the same inputs and the same libraries made."""
    manifest = read_json(place / "manifest.json")
    files = manifest.get("files") or {}
    if manifest.get("status") not in GOOD or manifest.get("fingerprint") != job.fingerprint:
        return False
    if manifest.get("versions") != fingerprint.versions() or (pdf and "report.pdf" not in files):
        return False
    with suppress(OSError):
        return "report.html" in files and all(fingerprint.of_file(place / name) == files[name] for name in files)
    return False


def _link(place: Path, target: Path) -> None:
    """The same files under another name, which takes no room; copies where the file system has no links."""
    target.mkdir(parents=True)
    for path in place.iterdir():
        if path.name != "manifest.json":
            try:
                os.link(path, target / path.name)
            except OSError:
                shutil.copyfile(path, target / path.name)


def _manifest(place: Path, job: Job) -> dict:
    answer = read_json(place / "answers.json")
    return read_json(place / "manifest.json") | told(job, _title(place), answer)


def _title(place: Path) -> str:
    """The title as the page has it; reading the notebook would cost more than the rest."""
    with suppress(OSError), open(place / "report.html", encoding="utf-8") as page:
        found = TITLE.search(page.read(20_000))
        return html.unescape(found[1]) if found else ""
    return ""
