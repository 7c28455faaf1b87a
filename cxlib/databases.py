"""Tables of PostgreSQL, SQLite and DuckDB as streams of Arrow batches, each column in a type that Parquet keeps.

A study names tables and columns, never SQL: what is asked of a server is put together here, from names that its own
catalogue holds.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import duckdb
import pyarrow as pa

from .errors import CxError, beginning

SQLITE, DUCKDB = (".sqlite", ".sqlite3", ".db"), (".duckdb", ".ddb")
BATCH = 50_000  # rows held at a time
UNREADABLE = (sqlite3.Error, duckdb.Error)  # what the engines say of a table; as one line where the file is opened


@dataclass(frozen=True)
class Column:
    """A column of a database: what it is asked for with, what it comes as; `kind` None = nothing that can be kept."""

    name: str
    told: str  # its type in the words of the database
    sql: str = ""
    kind: pa.DataType | None = None


@dataclass(frozen=True)
class Opened:
    """An open database: its tables, the columns of one, the rows of one in batches."""

    tables: list[str]
    columns: Callable[[str], list[Column]]
    batches: Callable[[str, Sequence[Column]], Iterator[pa.RecordBatch]]


@contextmanager
def opened_sqlite(path: Path) -> Iterator[Opened]:
    """A SQLite file, read-only and in one transaction."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
            tables = [name for (name,) in rows if not name.startswith("sqlite_")]
            yield Opened(
                tables,
                lambda table: _sqlite_columns(connection, table),
                lambda table, columns: _sqlite_batches(connection, table, columns),
            )
    except sqlite3.Error as error:
        raise CxError(f"{path.name}: not a SQLite file that can be read ({beginning(error, 120)})") from None


def _sqlite_columns(connection: sqlite3.Connection, table: str) -> list[Column]:
    """Types by what the columns hold, since SQLite holds any value in any column: a text among numbers makes texts."""
    declared = connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
    asked = ", ".join(
        f"{total}(typeof({quoted(name)}) = '{kind}')"
        for name, _ in declared
        for total, kind in (("SUM", "text"), ("SUM", "real"), ("SUM", "integer"), ("SUM", "blob"))
    )
    (row,) = connection.execute(f"SELECT {asked} FROM {quoted(table)}").fetchall()
    row = [count or 0 for count in row]
    return [_sqlite_column(name, told, row[4 * i : 4 * i + 4]) for i, (name, told) in enumerate(declared)]


def _sqlite_column(name: str, told: str, counts: Sequence[int]) -> Column:
    texts, reals, integers, blobs = counts
    if blobs:
        return Column(name, told or "BLOB")
    if texts or not reals + integers:
        return Column(name, told, f"CAST({quoted(name)} AS TEXT)", pa.string())
    if "BOOL" in told.upper() and not reals:
        return Column(name, told, quoted(name), pa.bool_())
    return Column(name, told, quoted(name), pa.float64() if reals else pa.int64())


def _sqlite_batches(connection: sqlite3.Connection, table: str, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    cursor = connection.execute(f"SELECT {', '.join(column.sql for column in columns)} FROM {quoted(table)}")
    names = [column.name for column in columns]
    while rows := cursor.fetchmany(BATCH):
        arrays = []
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            plain = (
                [None if value is None else bool(value) for value in values] if column.kind == pa.bool_() else values
            )
            arrays.append(pa.array(plain, column.kind))
        yield pa.RecordBatch.from_arrays(arrays, names)


@contextmanager
def opened_duckdb(path: Path) -> Iterator[Opened]:
    """A DuckDB file, read-only; what its views would read outside it stays shut, and nothing is fetched for it."""
    shut = dict.fromkeys(
        ("enable_external_access", "autoload_known_extensions", "autoinstall_known_extensions"), "false"
    )
    try:
        with closing(duckdb.connect(str(path), read_only=True, config={**shut, "memory_limit": "512MB"})) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            rows = connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables ORDER BY table_schema, table_name"
            ).fetchall()
            names = {(name if schema == "main" else f"{schema}.{name}"): (schema, name) for schema, name in rows}
            yield Opened(
                list(names),
                lambda table: _duckdb_columns(connection, names[table]),
                lambda table, columns: _duckdb_batches(connection, names[table], columns),
            )
    except duckdb.Error as error:
        told = "another program has it open for writing" if "lock" in str(error) else beginning(error, 120)
        raise CxError(f"{path.name}: not a DuckDB file that can be read ({told})") from None


_DUCKDB_KINDS = {
    "BOOLEAN": pa.bool_(), "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(), "BIGINT": pa.int64(),
    "UTINYINT": pa.uint8(), "USMALLINT": pa.uint16(), "UINTEGER": pa.uint32(), "UBIGINT": pa.uint64(),
    "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(), "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"), "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
}  # fmt: skip
_AS_TEXT = ("HUGEINT", "UHUGEINT", "UUID", "JSON")


def _duckdb_columns(connection: duckdb.DuckDBPyConnection, table: tuple[str, str]) -> list[Column]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = ? AND table_name = ? "
        "ORDER BY ordinal_position",
        list(table),
    ).fetchall()
    return [_duckdb_column(name, told) for name, told in rows]


def _duckdb_column(name: str, told: str) -> Column:
    own = quoted(name)
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", told)
    if decimal:
        return Column(name, told, own, pa.decimal128(int(decimal[1]), int(decimal[2])))
    if told in _AS_TEXT or re.match(r"ENUM\([^\[]*\)$", told):
        return Column(name, told, f"CAST({own} AS VARCHAR)", pa.string())
    if told.startswith("TIMESTAMP_"):
        return Column(name, told, f"CAST({own} AS TIMESTAMP)", pa.timestamp("us"))
    kind = _DUCKDB_KINDS.get(told)
    return Column(name, told, finite(own) if kind is not None and pa.types.is_temporal(kind) else own, kind)


def _duckdb_batches(
    connection: duckdb.DuckDBPyConnection, table: tuple[str, str], columns: Sequence[Column]
) -> Iterator[pa.RecordBatch]:
    asked = ", ".join(f"{column.sql} AS c{i}" for i, column in enumerate(columns))
    source = ".".join(map(quoted, table))
    reader = connection.sql(f"SELECT {asked} FROM {source}").to_arrow_reader(BATCH)
    for batch in reader:
        yield batch.rename_columns([column.name for column in columns])


def finite(sql: str) -> str:
    """SQL for a day or stamp; one beyond all time, as some write for "never", is nothing."""
    return f"CASE WHEN isfinite({sql}) THEN {sql} END"


def quoted(name: str) -> str:
    """A name as SQL writes names; whatever it holds, it stays a name."""
    return '"' + name.replace('"', '""') + '"'
