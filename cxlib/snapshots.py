"""Tables of databases as local Parquet files: read once for a run or a session, and gone with it."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from . import files
from .databases import DUCKDB, SQLITE, Column, Opened, opened_duckdb, opened_sqlite
from .errors import CxError, beginning, listed, refuse, shortened, unknown
from .paths import shared
from .postgres import opened_postgres

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LONGEST = 10_000  # characters of an address


@dataclass(frozen=True)
class Wanted:
    """A table to read: where it is (a file, or the variable or file that holds an address), and what of it."""

    place: Path | str
    table: str
    columns: frozenset[str] | None = None  # None = all that can be kept
    named: frozenset[str] = frozenset()  # columns that a study names: one of them that cannot be kept is a fault
    home: Path = Path()  # the folder that a connection file is relative to
    optional: bool = False  # taken if it is there

    @property
    def where(self) -> str:
        return self.place.name if isinstance(self.place, Path) else self.place


def is_database(file: str) -> bool:
    """Whether a file is a database, by its ending."""
    return Path(file).suffix.lower() in (*SQLITE, *DUCKDB)


def snapshot(wanted: Sequence[Wanted]) -> list[Path | None]:
    """A Parquet file for each table, None for an optional one that is not there; all faults at once.

    Tables of one database are read in one transaction, once for a run or a session.
    """
    paths: dict[Wanted, Path | None] = {}
    faults: list[str] = []
    for place in dict.fromkeys((one.place, one.home) for one in wanted):
        try:
            paths |= _of_place([one for one in wanted if (one.place, one.home) == place])
        except CxError as error:
            faults += error.faults
    refuse(faults)
    return [paths[one] for one in wanted]


def _of_place(wanted: Sequence[Wanted]) -> dict[Wanted, Path | None]:
    address = _address(wanted[0]) if isinstance(wanted[0].place, str) else _identity(wanted[0].place)
    paths = {one: _path(one, address) for one in wanted}
    if not all(path.is_file() or _absent(path).is_file() for path in paths.values()):
        with _opened(wanted[0], address) as source:
            faults: list[str] = []
            for one, path in paths.items():
                try:
                    _take(source, one, path)
                except CxError as error:
                    faults += error.faults
            refuse(faults)
    return {one: path if path.is_file() else None for one, path in paths.items()}


def _absent(path: Path) -> Path:
    """What says that an optional table was looked for and is not there."""
    return path.with_suffix(".absent")


def _take(source: Opened, one: Wanted, path: Path) -> None:
    if one.optional and one.table not in source.tables:
        _absent(path).touch()
        return
    try:
        _write(source, one.table, _columns(source.columns(_known(source, one)), one), path)
    except (OSError, pa.ArrowException) as error:
        raise CxError(
            f"{one.where}: table '{shortened(one.table)}' cannot be copied ({beginning(error, 120)}); free some "
            "space, or see that the table can be read whole"
        ) from None


def _opened(one: Wanted, address: str) -> AbstractContextManager[Opened]:
    if isinstance(one.place, str):
        return opened_postgres(address, one.where)
    return opened_sqlite(one.place) if one.place.suffix.lower() in SQLITE else opened_duckdb(one.place)


def _identity(path: Path) -> str:
    """A file as it is now: a changed one is read anew."""
    try:
        about = path.stat()
    except OSError:
        raise CxError(files.not_there(path)) from None
    return f"{path} {about.st_size} {about.st_mtime_ns}"


def _address(one: Wanted) -> str:
    """The address that a variable or a connection file holds; it goes no further than the driver."""
    name = str(one.place)
    if _VARIABLE.fullmatch(name):
        if address := os.environ.get(name, "").strip():
            return address
        raise CxError(
            f"{name}: the environment variable is not set; set it to postgresql://user:password@host/database"
        )
    path = Path(os.path.normpath(one.home / name))
    try:
        text = path.read_text("utf-8-sig").strip()
        others = path.stat().st_mode & (stat.S_IRWXO if os.name == "posix" else 0)
    except (OSError, UnicodeDecodeError):
        raise CxError(f"{name}: no connection file that can be read; write the address on its one line") from None
    if others:
        raise CxError(f"{name}: others may read this connection file; take that right from them (chmod o= '{name}')")
    if not text or len(text) > LONGEST or "\n" in text:
        raise CxError(f"{name}: a connection file must hold the address on one line, and nothing else")
    return text


def _known(source: Opened, one: Wanted) -> str:
    if one.table not in source.tables:
        short = [name for name in source.tables if "." not in name] or source.tables
        options = source.tables if "." in one.table else short
        raise CxError(unknown("table", one.table, options, one.where))
    return one.table


def _columns(there: Sequence[Column], one: Wanted) -> list[Column]:
    """The columns that are wanted and can be kept."""
    wanted = [column for column in there if one.columns is None or column.name in one.columns]
    refuse(
        f"{one.where}: table '{shortened(one.table)}': column '{shortened(column.name)}' is {column.told.lower()}, of "
        f"which no single value can be made; name another, or make one of it in a view"
        for column in wanted
        if column.kind is None and column.name in one.named
    )
    kept = [column for column in wanted if column.kind is not None]
    if not kept:
        names = listed(column.name for column in there) or "none"
        raise CxError(f"{one.where}: table '{shortened(one.table)}' has no column that is wanted; it has: {names}")
    return kept


def _path(one: Wanted, address: str) -> Path:
    """Where the table goes: named after it, in a folder that tells sources apart and no address."""
    folder = shared()  # so that all reports of a run read the same moment
    asked = repr((one.where, one.table, sorted(one.columns) if one.columns is not None else None, address))
    place = folder / hashlib.blake2b(asked.encode(), key=folder.name.encode()[:64], digest_size=8).hexdigest()
    place.mkdir(exist_ok=True)
    return place / f"{re.sub('[^A-Za-z0-9_.-]', '_', one.table)[:80]}.parquet"


def _write(source: Opened, table: str, columns: Sequence[Column], path: Path) -> None:
    """Batch by batch, under a passing name: what breaks off leaves nothing behind."""
    schema = pa.schema([(column.name, column.kind) for column in columns])
    part, content = path.with_suffix(f".{os.getpid()}.part"), hashlib.sha256()
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in _cast(source.batches(table, columns), schema):
                content.update(batch.serialize())
                writer.write_batch(batch)
            # Large files are known by their footer and date: with these two, equal rows have equal fingerprints.
            writer.add_key_value_metadata({"sha256": content.hexdigest()})
        os.utime(part, (0, 0))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _cast(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield (
            batch
            if batch.schema.equals(schema)
            else pa.RecordBatch.from_arrays(
                [array.cast(field.type) for array, field in zip(batch.columns, schema, strict=True)], schema=schema
            )
        )
