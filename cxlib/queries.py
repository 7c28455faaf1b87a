"""Every query runs within `asked`: what an engine cannot answer is one line, and no answer is from a changed file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import LostData, beginning, of_spark

FULL = os.strerror(errno.ENOSPC)

# Files that queries read, as SQL names them: path, and the size and time of the last change when they entered.
_ENTERED: dict[str, tuple[Path, tuple[int, int] | None]] = {}


def watch(path: Path, spelled: str) -> None:
    """Note a file that every query of a frame reads again; a study read anew takes it as it then is."""
    _ENTERED["'" + spelled.replace("'", "''") + "'"] = (path, as_it_is(path))


@contextmanager
def asked(native: Any) -> Iterator[None]:
    """Around a query of a frame of an engine: no answer, or one from a file that changed, is a fault of one line."""
    try:
        yield
    except duckdb.Error as error:
        if faults := _changed(native) or _damaged(native):
            raise LostData(*faults) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise LostData("DuckDB needs more memory than its limit for a query; raise the limit (CX_MEMORY), "
                          "or leave out columns and rows that are not asked about") from error  # fmt: skip
        if FULL in str(error):
            raise LostData("the disk is full where DuckDB keeps what does not fit in memory; free some space there, or "
                          "name a folder on another disk in the environment variable TMPDIR") from error  # fmt: skip
        if isinstance(error, duckdb.IOException):
            told = f"a file of the data is gone or was changed while it was read; run again ({beginning(error)})"
            raise LostData(told) from error
        if type(error) is duckdb.Error or "Parquet" in str(error):  # a fault of its readers, and none of a query
            told = f"a Parquet file of the data is damaged; export or copy it again ({beginning(error)})"
            raise LostData(told) from error
        raise
    except Exception as error:
        told = beginning(error)
        if isinstance(error, OSError) or type(error).__module__.startswith("polars."):
            raise LostData(f"the data cannot be read any more ({told}); see that their file is whole") from error
        if not of_spark(error):
            raise
        raise LostData(f"Spark could not run a query: {told}; the rest is in its log") from error
    if faults := _changed(native):
        raise LostData(*faults)


def fetched(relation: duckdb.DuckDBPyRelation) -> list[tuple]:
    """The rows of a small result of DuckDB's."""
    with asked(relation):
        return relation.fetchall()


def _changed(native: Any) -> list[str]:
    """A line for each file of the query that is not what entered; to ask for the time of a few files costs nothing."""
    changed = {spelled: path for spelled, (path, entered) in _ENTERED.items() if as_it_is(path) != entered}
    sql = _read_by(native) if changed else ""
    return [
        f"{path.name}: the file was changed after it was first read; read the study anew"
        if as_it_is(path)
        else f"{path.name}: the file is gone, it was there before; put it back and run again"
        for spelled, path in changed.items()
        if spelled in sql
    ]


def _damaged(native: Any) -> list[str]:
    """A line for each file of the query that cannot be read to its end, as it was when it entered."""
    sql = _read_by(native)
    return [
        f"{path.name}: the file is damaged, it cannot be read to its end; export or copy it again"
        for spelled, (path, _) in _ENTERED.items()
        if spelled in sql and not _whole(path)
    ]


def _whole(path: Path) -> bool:
    try:
        with pq.ParquetFile(path) as file:
            return all(True for _ in file.iter_batches(10_000))
    except (OSError, pa.ArrowException):
        return False


def as_it_is(path: Path) -> tuple[int, int] | None:
    """The size and time of the last change of a file; None if it is gone."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns


def _read_by(native: Any) -> str:
    """The SQL of a query, which names the files."""
    return native.sql_query() if isinstance(native, duckdb.DuckDBPyRelation) else ""
