"""What a report was made from, as SHA-256 sums: two reports with equal fingerprints must say the same."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

PACKAGES = ("cxlib", "papermill", "nbconvert", "numpy", "pandas", "statsmodels", "narwhals", "duckdb", "matplotlib")
HERE = Path(__file__).parent
LARGE = 64 * 2**20


def of_file(path: str | Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_values(values: object) -> str:
    """SHA-256 of plain values, whatever the order of their names."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def of_data(files: Iterable[str | Path]) -> str:
    """SHA-256 over data files by name: of the content up to 64 MB, else of size, time of change and Parquet footer.

    A folder that Spark wrote as one file counts as the files in it.
    """
    return of_values([[Path(file).name, _of_content(Path(file))] for file in files])


def of_named(values: Iterable[object]) -> str | None:
    """SHA-256 over the files that parameters name, for notebooks that read no study; None where they name none."""
    texts = [value for value in values if isinstance(value, str) and 0 < len(value) < 1000 and "\0" not in value]
    found = [text for text in texts if os.path.isfile(text)]
    return of_data(found) if found else None


def _of_content(file: Path) -> object:
    if file.is_dir():
        parts = (part for part in sorted(file.rglob("*")) if part.is_file())
        return [[part.relative_to(file).as_posix(), _of_content(part)] for part in parts]
    return _of_large(file) if _is_large(file) else of_file(file)


def _is_large(file: str | Path) -> bool:
    return os.path.getsize(file) > LARGE


def _of_large(file: Path) -> list:
    about = file.stat()
    footer = b""
    if file.suffix == ".parquet":
        with open(file, "rb") as opened:  # the last eight bytes are the footer's length and "PAR1"
            opened.seek(-8, os.SEEK_END)
            opened.seek(-8 - int.from_bytes(opened.read(4), "little"), os.SEEK_END)
            footer = opened.read()
    return [about.st_size, about.st_mtime_ns, hashlib.sha256(footer).hexdigest()]


@functools.cache
def of_code() -> str:
    """SHA-256 over the modules of this package, its templates and sentences, and the claims and themes of reports."""
    own = [path for path in HERE.rglob("*") if path.suffix in (".py", ".csv", ".j2", ".css")]
    beside = [HERE.parent / "data" / name for name in ("published_claims.csv", "comment_themes.toml")]
    quoted = [path for path in beside if path.is_file()]
    return of_values({path.name: of_file(path) for path in own + quoted})


@functools.cache
def git_commit() -> str | None:
    """The checked-out commit of the folder this package lies in; None outside a repository or without git."""
    try:
        command = ["git", "-C", str(HERE), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


@functools.cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that could change a number or a page."""
    found = {"python": python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            from . import __version__

            found[package] = __version__ if package == "cxlib" else "not installed"
    return found
