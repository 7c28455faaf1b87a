"""PostgreSQL through its ADBC driver: rows in batches, and faults that never tell an address."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .databases import Column, Opened, finite, quoted
from .errors import CxError

SECONDS = "10"  # to wait for a server, unless PGCONNECT_TIMEOUT says otherwise
BYTES = str(8 << 20)  # of a batch
_PLAIN = {
    "bool": pa.bool_(), "int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64(), "oid": pa.int64(),
    "float4": pa.float32(), "float8": pa.float64(), "text": pa.string(), "varchar": pa.string(),
}  # fmt: skip
_STAMPS = {"date": pa.date32(), "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC")}
_AS_TEXT = ("bpchar", "name", "char", "citext", "uuid", "json", "jsonb", "xml", "inet", "cidr", "macaddr")
_TABLES = """
    SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid), c.oid::int8,
        has_table_privilege(c.oid, 'SELECT')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY 1, 2"""
_COLUMNS = """
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), coalesce(b.typname, t.typname)::text,
        coalesce(b.typtype, t.typtype)::text, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
    WHERE a.attrelid = {0} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
# What the server says in connecting holds its address and the user: only what kind of fault it is may be told.
_REFUSED = {
    "password authentication failed": "the server refuses the user or the password; correct the address it holds",
    "no password supplied": "the server wants a password; add it to the address, or to ~/.pgpass",
    "no pg_hba.conf entry": "the server lets nobody in from here as this user; ask who runs it",
    "could not translate host name": "no server has that name; correct the address it holds",
    "Connection refused": "no server answers there; is it running, and the port right?",
    "timeout expired": "the server does not answer in time; is it running, and reachable from here?",
    "No route to host": "the server is not reachable from here; is the network up?",
    "starting up": "the server is starting; try again in a moment",
    "too many": "the server takes no more connections; try again later",
    "SSL": "the server and the address disagree about SSL; correct sslmode in the address",
    'database "': "the server has no such database; correct the address it holds",
    'role "': "the server knows no such user; correct the address it holds",
}
_UNREAD = "it holds no address that can be read; write postgresql://user:password@host:5432/database"


@contextmanager
def opened_postgres(address: str, where: str) -> Iterator[Opened]:
    """A PostgreSQL database, read in one transaction: all tables as of one moment; `where` stands in faults."""
    with closing(_connected(address, where)) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Scans that join others halfway would give the same rows in another order, and so another fingerprint.
            cursor.execute("SET LOCAL synchronize_seqscans = off")
            cursor.execute(_TABLES)
            found = cursor.fetchall()
            names = {(name if visible else f"{schema}.{name}"): (schema, name, oid, may)
                     for schema, name, visible, oid, may in found}  # fmt: skip
            full = {f"{schema}.{name}": (schema, name, oid, may) for schema, name, _, oid, may in found}
            yield Opened(
                list(names | full),
                lambda table: _columns(cursor, (names | full)[table], table, where),
                lambda table, columns: _batches(connection, (names | full)[table], columns),
            )
        except _driver().Error as error:
            code = getattr(error, "sqlstate", None)
            told = f"SQLSTATE {code}" if code else "the connection broke"
            raise CxError(f"{where}: the server stopped answering ({told}); try again") from None


def _driver() -> Any:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise CxError(
            "PostgreSQL needs its driver; install it (pip install adbc-driver-manager adbc-driver-postgresql)"
        ) from None
    return dbapi


def _connected(address: str, where: str) -> Any:
    driver = _driver()
    os.environ.setdefault("PGCONNECT_TIMEOUT", SECONDS)
    try:
        return driver.connect(address)
    except driver.Error as error:
        told = next((told for sign, told in _REFUSED.items() if sign in str(error)), _UNREAD)
        raise CxError(f"{where}: {told}") from None


def _columns(cursor: Any, table: tuple[str, str, int, bool], name: str, where: str) -> list[Column]:
    if not table[3]:
        raise CxError(f"{where}: table '{name}' may not be read by this user; ask for the right to SELECT from it")
    cursor.execute(_COLUMNS.format(int(table[2])))
    return [_column(*row) for row in cursor.fetchall()]


def _column(name: str, told: str, base: str, sort: str, modifier: int) -> Column:
    own = quoted(name)
    if base == "numeric":
        return Column(name, told, f"{own}::text", _numeric(modifier))
    if base == "money":
        return Column(name, told, f"{own}::numeric::text", pa.string())
    if base in _STAMPS:
        return Column(name, told, finite(own), _STAMPS[base])
    if base in _AS_TEXT or sort == "e":
        return Column(name, told, f"{own}::text", pa.string())
    return Column(name, told, own, _PLAIN.get(base))


def _numeric(modifier: int) -> pa.DataType:
    """numeric(p, s) as the decimal, or whole number, that holds it; without limits its digits are kept as a text."""
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    if modifier < 0 or precision > 38 or scale > precision:
        return pa.string()
    return pa.int64() if not scale and precision <= 18 else pa.decimal128(precision, scale)


def _batches(connection: Any, table: tuple[str, str, int, bool], columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    asked = ", ".join(f"{column.sql} AS c{i}" for i, column in enumerate(columns))
    with closing(connection.cursor()) as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": BYTES})
        cursor.execute(f"SELECT {asked} FROM {quoted(table[0])}.{quoted(table[1])}")
        for batch in cursor.fetch_record_batch():
            arrays = [_typed(array, column) for array, column in zip(batch.columns, columns, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, [column.name for column in columns])


def _typed(array: pa.Array, column: Column) -> pa.Array:
    """Digits as the number they are; "NaN", which no decimal holds, as nothing."""
    if array.type == column.kind or column.kind is None:
        return array
    if pa.types.is_string(array.type):
        array = pc.if_else(pc.equal(array, "NaN"), pa.scalar(None, pa.string()), array)
    return array.cast(column.kind)
