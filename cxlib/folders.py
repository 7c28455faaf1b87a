"""The folder that runs are written to: one run at a time, moved in place by one rename, the oldest removed."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .errors import CxError, shortened
from .manifest import GOOD, is_record, read_json, write_json
from .paths import hold

NAME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")
STAMP = "%Y%m%dT%H%M%SZ"
# Written first and removed last: a disk that fills up meanwhile still takes the record of the run.
RESERVE, RESERVED = ".reserve", 256 * 1024


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold an output folder for one run; the system lets go of it when the process ends, however it ends."""
    try:
        (out / "runs").mkdir(parents=True, exist_ok=True)
        lock = open(out / ".lock", "a+", encoding="utf-8")  # noqa: SIM115  closed below
    except (OSError, ValueError) as error:
        raise unwritable(out, error) from None
    with lock:
        if not hold(lock.fileno()):
            lock.seek(0)
            who = shortened(lock.read()) or "another process"
            raise CxError(f"'{shortened(out)}' is being written by {who}; wait for it, or name another folder: --out")
        with suppress(OSError):  # who holds it is a courtesy
            lock.truncate(0)
            lock.write(f"process {os.getpid()}")
            lock.flush()
        yield


def unwritable(out: Path, error: OSError | ValueError) -> CxError:
    reason = getattr(error, "strerror", "") or "it cannot be the name of a folder"
    return CxError(f"reports cannot be written to '{shortened(out)}': {reason}")


def new_run(out: Path) -> tuple[Path, Path]:
    """The hidden folder that a run is written to, and the one it is renamed to when it is whole.

    Names sort by time even where the clock was set back: a run is named later than every run there is.
    """
    last = max((NAME.fullmatch(run.name)[1] for run in finished(out)), default="")  # type: ignore[index]
    stamp = f"{datetime.now(UTC):{STAMP}}"
    if stamp <= last:
        stamp = f"{datetime.strptime(last, STAMP) + timedelta(seconds=1):{STAMP}}"
    run = f"{stamp}-{secrets.token_hex(4)}"
    aside = out / "runs" / f".{run}.partial"
    try:
        aside.mkdir()
        (aside / RESERVE).write_bytes(bytes(RESERVED))
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise unwritable(out, error) from None
    return aside, aside.with_name(run)


def finished(out: Path) -> list[Path]:
    """The folders of finished runs, newest first."""
    runs = [path for path in _entries(out / "runs") if NAME.fullmatch(path.name)]
    return sorted(runs, key=lambda path: path.name, reverse=True)


def interrupted(out: Path) -> list[Path]:
    """The folders of runs that were stopped or killed, newest first. Under the lock nobody writes to them any more."""
    return sorted((path for path in _entries(out / "runs") if path.suffix == ".partial"), reverse=True)


def finish(aside: Path, final: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a run and move the run in place."""
    (aside / RESERVE).unlink(missing_ok=True)
    write_json(aside / "run.json", record)
    aside.rename(final)


def publish(run: Path, manifests: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Copies of the newest good pages under a lasting address, each replaced at once."""
    for manifest in manifests:
        target = out / "latest" / manifest["notebook"] / f"{manifest['slug']}.html"
        if manifest["status"] == "ok" or (manifest["status"] in GOOD and not target.exists()):
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{secrets.token_hex(4)}.part")
            try:
                shutil.copyfile(run / manifest["notebook"] / manifest["slug"] / "report.html", part)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)


def retain(out: Path, keep: int | None) -> None:
    """Remove all but the newest `keep` runs; what is half removed has another name and goes next time."""
    for run in finished(out)[keep:] if keep else []:
        run.rename(run.with_name(f".{run.name}.old"))
    for run in _entries(out / "runs"):
        if run.suffix == ".old":
            shutil.rmtree(run, ignore_errors=True)


def records(out: Path) -> list[dict[str, Any]]:
    """What each finished run says of itself, newest first; a run without a record that can be read is passed over."""
    found = [read_json(run / "run.json") | {"run": run.name} for run in finished(out)]
    return [record for record in found if is_record(record)]


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
