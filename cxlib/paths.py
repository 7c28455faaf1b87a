"""Whether a name is that of a file or a folder: names that no file can have are neither, and raise nothing."""

from __future__ import annotations

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
