"""Whether a name is that of a file, of a folder, or of a place to write to: some no file can have; our own folder."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .errors import CxError, beginning, ending

SCRATCH, LOCK = "cxlib-scratch-", ".lock"
SHARED = "CXLIB_SHARED"  # environment variable: the folder of a run, handed on to the processes that render
DAY = 86_400  # seconds


def is_file(path: str | Path) -> bool:
    """Whether there is a file to be read; a pipe or a device would be waited for, or read, for ever."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # too long, or with a sign that no name has
        return False


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def beside(path: str | Path, pattern: str = "*") -> list[str]:
    """The names in the folder of a path, in order; none where there is no such folder."""
    try:
        return sorted(entry.name for entry in Path(path).absolute().parent.glob(pattern))
    except (OSError, ValueError):
        return []


@contextmanager
def writing(place: str | Path, kind: str = "folder") -> Iterator[None]:
    """Tell in one line of a place that cannot be written to, whatever is in its way."""
    try:
        with suppress(OSError):
            os.lstat(place)
    except ValueError:  # a sign that no name has; told here, for others raise the same within
        raise CxError(f"'{ending(place)}' cannot be the name of a {kind}; name another {kind}") from None
    try:
        yield
    except OSError as error:
        reason = error.strerror or beginning(error)
        raise CxError(f"'{ending(place)}' cannot be written to: {reason}; name another {kind}") from None


def hold(number: int) -> bool:
    """Lock an open file for this process and those it forks; the lock goes with the last of them, even if killed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(number, 1 << 20, os.SEEK_SET)  # a byte behind the text, which others may then read
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@functools.cache
def scratch() -> Path:
    """A folder for this process, gone with it; that of a killed one goes with the next sweep."""
    swept()
    made, owner = Path(tempfile.mkdtemp(prefix="cxlib-")), os.getpid()
    lock = open(made / LOCK, "w")  # noqa: SIM115  held as long as the process lives
    hold(lock.fileno())
    # Under the name that is swept only once it is held.
    folder = made.rename(made.with_name(made.name.replace("cxlib-", SCRATCH, 1)))
    # A forked child runs the same handler and must leave its parent's folder alone.
    atexit.register(_leave, folder, owner, lock)
    return folder


def shared() -> Path:
    """A folder for this process and those that it starts from now on, so that a run reads and works out things once."""
    named = os.environ.get(SHARED, "")
    if not named or not Path(named).is_dir():
        named = os.environ[SHARED] = str(scratch())
    return Path(named)


def swept() -> None:
    """Remove the scratch folders of processes that are no more: kernels are killed once their report is read."""
    for old in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with suppress(OSError), open(old / LOCK) as lock:
            if hold(lock.fileno()):
                shutil.rmtree(old, ignore_errors=True)
    for old in Path(tempfile.gettempdir()).glob("cxlib-*"):  # of a file that was being read when its reader was killed
        with suppress(OSError):
            if not old.name.startswith(SCRATCH) and time.time() - old.stat().st_mtime > DAY:
                shutil.rmtree(old, ignore_errors=True)


def _leave(folder: Path, owner: int, lock: IO[str]) -> None:
    if os.getpid() == owner:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)
