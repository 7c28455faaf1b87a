"""Whether a name is that of a file or a folder: names that no file can have are neither; and a folder of our own."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import time
from pathlib import Path


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


@functools.cache
def scratch() -> Path:
    """A folder for this process; those that killed processes left behind go after a day."""
    for old in Path(tempfile.gettempdir()).glob("cxlib-*"):
        if time.time() - old.stat().st_mtime > 86_400:
            shutil.rmtree(old, ignore_errors=True)
    folder, owner = Path(tempfile.mkdtemp(prefix="cxlib-")), os.getpid()
    # A forked child runs the same handler and must leave its parent's folder alone.
    atexit.register(_leave, folder, owner)
    return folder


def _leave(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
