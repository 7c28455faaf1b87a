"""The few things DuckDB and Spark spell differently; everything else goes through narwhals.

A frame enters here once: its columns become c0…cn by position (dots and markup in names break grouped
queries, and a name must never become part of one), and from then on it is a lazy narwhals frame.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from . import queries
from .errors import CxError, refuse, shortened, unknown
from .paths import scratch

_UNTYPED = '"NULL"'
_WIDE = (nw.Int128, nw.UInt128)  # DuckDB's sums of integers: pandas would hold them as objects
FACTOR, NUMBER, STAMP, OTHER = "factor", "number", "stamp", "other"
BATCH = 100_000  # rows that are handed over at once
MEMORY = "CX_MEMORY"  # environment variable: the memory that DuckDB may take; beyond it, it spills to disk


@dataclass(frozen=True, eq=False)  # told apart by identity: what is summed of one is kept for it alone
class View:
    """A frame at the edge: lazy, columns c0…cn, with the users' names and the kind of each."""

    frame: nw.LazyFrame[Any]
    at: Mapping[str, str]  # user's name -> c-name
    kind: Mapping[str, str]  # user's name -> factor, number, stamp or other

    def __getitem__(self, name: str) -> nw.Expr:
        return nw.col(self.at[name])

    def to_pandas(self, *columns: str) -> pd.DataFrame:
        """The frame, or some of its columns, in memory under the users' names."""
        wanted = columns or tuple(self.at)
        refuse(unknown("column", name, self.at, "frame") for name in wanted if name not in self.at)
        return collect(self.frame.select(self.at[name] for name in wanted)).set_axis(list(wanted), axis=1)


@cache
def _settled() -> None:
    """Once: DuckDB shows no progress bars, which would end up in a page, and spills where its files go at the end."""
    duckdb.execute("SET enable_progress_bar = false")
    with suppress(duckdb.NotImplementedException):  # what has spilled already stays where it is
        duckdb.execute(f"SET temp_directory = '{str(scratch()).replace(chr(39), chr(39) * 2)}'")
    # Of a table in the order of its customers it would read the file again for each part of them.
    duckdb.execute("SET disabled_optimizers = 'partitioned_execution'")
    if limit := os.environ.get(MEMORY):
        try:
            duckdb.execute(f"SET memory_limit = '{limit.replace(chr(39), '')}'")
        except duckdb.Error:
            raise CxError(f"{MEMORY} must be an amount of memory such as 1GB, not {shortened(limit)!r}") from None


def view(frame: Any, where: str = "frame") -> View:
    """Take any supported frame in: pandas, Polars, Arrow, a DuckDB relation, a Spark frame, narwhals or a View."""
    if isinstance(frame, View):
        return frame
    _settled()
    native = _native(frame, where)
    names = native.column_names if isinstance(native, pa.Table) else [str(name) for name in native.columns]
    refuse(f"{where}: two columns are named '{name}'; give each its own name" for name in _repeated(names))
    short = [f"c{i}" for i in range(len(names))]
    lazy = nw.from_native(_positional(native, short))
    kinds = {name: _kind(dtype) for name, dtype in zip(names, lazy.collect_schema().dtypes(), strict=True)}
    return View(_plain_numbers(_naive_utc(lazy)), dict(zip(names, short, strict=True)), kinds)


def require(seen: View, columns: Iterable[str], where: str = "frame") -> None:
    """Refuse, all at once, the columns that the frame does not have, and those that hold lists."""
    columns = list(columns)
    refuse(unknown("column", name, seen.at, where) for name in columns if name not in seen.at)
    others = [name for name in columns if seen.kind[name] == OTHER]
    types = seen.frame.collect_schema() if others else {}
    refuse(f"{where}: '{shortened(name)}' must hold texts, numbers or days, not lists; turn it into text"
           for name in others if types[seen.at[name]].is_nested())  # fmt: skip


def bucketed(seen: View, customer: str | None, buckets: int | None) -> nw.LazyFrame[Any]:
    """The frame with a column `bucket`, the unit of resampling, by the engine's own hash of the customer.

    A row number modulo the number of buckets would make systematic samples, whose spread is too small
    wherever the order carries information. `buckets=None`: every customer is a bucket of its own. A row that
    names no customer has no bucket.
    """
    native = seen.frame.to_native()
    spark = _is_spark(native)
    if customer is None:
        key = "monotonically_increasing_id()" if spark else "row_number() OVER ()"
    else:
        key = f"CAST({seen.at[customer]} AS {'STRING' if spark else 'VARCHAR'})"
    if buckets is not None:
        hashed = f"pmod(xxhash64({key}), {int(buckets)})" if spark else f"hash({key}) % {int(buckets)}"
        # The hash of nothing is a number.
        key = hashed if customer is None else f"CASE WHEN {seen.at[customer]} IS NULL THEN NULL ELSE {hashed} END"
    added = f"{key} AS bucket"
    return nw.from_native(native.selectExpr("*", added) if spark else native.project(f"*, {added}"))


def hashed(lazy: nw.LazyFrame[Any], column: str) -> nw.LazyFrame[Any]:
    """One column alone, as the engine's own 64-bit hashes; `column` is a name of ours."""
    return computed(lazy, {column: hash_of(lazy, column)})


def hash_of(lazy: nw.LazyFrame[Any], column: str) -> str:
    """SQL for the engine's own 64-bit hash of a column; that of nothing is a number too."""
    return f"xxhash64({column})" if on_spark(lazy) else f"hash({column})"


def computed(lazy: nw.LazyFrame[Any], columns: Mapping[str, str]) -> nw.LazyFrame[Any]:
    """Columns, or aggregates alone (name -> SQL), of a frame; names and SQL must be ours, never a user's words."""
    native, parts = lazy.to_native(), [f"{sql} AS {name}" for name, sql in columns.items()]
    return nw.from_native(native.selectExpr(*parts) if _is_spark(native) else native.project(", ".join(parts)))


def by_line(lazy: nw.LazyFrame[Any], columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """One row for each line of `columns`, texts with equally many lines each; the other columns repeat.

    `columns` are names of ours. narwhals' `explode` takes one column, and on DuckDB reads the frame twice for it.
    """
    native = lazy.to_native()
    others = [name for name in lazy.collect_schema().names() if name not in columns]
    if _is_spark(native):
        lists = ", ".join(f"split({name}, '\\n')" for name in columns)
        return nw.from_native(native.selectExpr(*others, f"inline(arrays_zip({lists}))").toDF(*others, *columns))
    lists = ", ".join(f"unnest(str_split({name}, chr(10))) AS {name}" for name in columns)
    return nw.from_native(native.project(", ".join([*others, lists])))


def instant(when: date | datetime) -> nw.Expr:
    """A day's first instant, or a naive UTC stamp, to compare stamps with.

    Spark reads a Python stamp in the time zone of the machine and shows it in that of the session; a text has neither.
    """
    stamp = when if isinstance(when, datetime) else datetime.combine(when, time())
    return nw.lit(stamp.isoformat(sep=" ")).cast(nw.Datetime)


def days_between(later: nw.Expr, earlier: nw.Expr) -> nw.Expr:
    """Days from stamp to stamp, with fractions, as a number (null where either is)."""
    return minutes_between(later, earlier) / 1440.0


def minutes_between(later: nw.Expr, earlier: nw.Expr) -> nw.Expr:
    """Minutes from stamp to stamp, each to its whole second, as a number (null where either is).

    From the parts of the stamps: durations have no length on Spark, as far as narwhals can say it.
    """
    seconds = 86_400.0 * whole_days(later, earlier) + (_second_of_day(later) - _second_of_day(earlier))
    return seconds.cast(nw.Float64) / 60.0


def whole_days(later: nw.Expr, earlier: nw.Expr) -> nw.Expr:
    """Days from the day of one date or stamp to that of another, as a number (null where either is)."""
    return (later.cast(nw.Date) - earlier.cast(nw.Date)).cast(nw.Int64)


def _second_of_day(stamp: nw.Expr) -> nw.Expr:
    return 3600 * stamp.dt.hour() + 60 * stamp.dt.minute() + stamp.dt.second()


def last_by(lazy: nw.LazyFrame[Any], key: str, columns: Mapping[str, tuple[str, str]]) -> nw.LazyFrame[Any]:
    """Of each `key`, the value where another column is highest: name -> (value, highest), names of ours."""
    native = lazy.to_native()
    if _is_spark(native):
        import pyspark.sql.functions as F

        return nw.from_native(native.groupBy(key).agg(*(F.max_by(*of).alias(name) for name, of in columns.items())))
    return lazy.group_by(key).agg(nw.col(value).last(order_by=by).alias(name) for name, (value, by) in columns.items())


def collect(lazy: nw.LazyFrame[Any], order: Sequence[str] = ()) -> pd.DataFrame:
    """A small result as a pandas frame, in a fixed order: engines return groups in any."""
    with queries.asked(lazy.to_native()):
        frame = lazy.collect("pyarrow").to_native().to_pandas()
    return frame.sort_values(list(order), kind="stable", ignore_index=True) if order else frame


def distinct(lazy: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The different rows of a frame. To keep one of each, narwhals' `unique` numbers all rows: 25 times as long."""
    names = lazy.collect_schema().names()
    return lazy.group_by(names).agg(nw.len().alias("rows_alike")).select(names)


def batches(lazy: nw.LazyFrame[Any]) -> Iterator[pa.RecordBatch]:
    """The rows of a DuckDB frame, some at a time: more of them than memory holds."""
    with queries.asked(lazy.to_native()):
        yield from lazy.to_native().to_arrow_reader(BATCH)


def rows(seen: View) -> int:
    """Number of rows."""
    return int(collect(seen.frame.select(nw.len().alias("n")))["n"][0])


def on_spark(lazy: nw.LazyFrame[Any]) -> bool:
    """Whether a frame is on Spark, where texts are not read as stamps and samples are not taken here."""
    return _is_spark(lazy.to_native())


def same_engine(views: Mapping[str, View]) -> None:
    """Refuse tables of two engines: they cannot be joined without copying one of them behind the user's back."""
    engines = {name: "Spark" if on_spark(seen.frame) else "DuckDB" for name, seen in views.items()}
    if len(set(engines.values())) > 1:
        told = ", ".join(f"{name} on {engine}" for name, engine in engines.items())
        raise CxError(f"all tables must be on one engine, not {told}; load them all from files or all from Spark")


def _native(frame: Any, where: str) -> Any:
    native = nw.to_native(frame, pass_through=True)
    if isinstance(native, duckdb.DuckDBPyRelation) or _is_spark(native):
        return native
    if hasattr(native, "collect") and hasattr(native, "lazy"):  # a Polars lazy frame
        with queries.asked(native):
            native = native.collect()
    if hasattr(native, "to_arrow"):
        native = native.to_arrow()
    if isinstance(native, pd.DataFrame):
        native = _arrow(native, where)
    if isinstance(native, pa.Table) and not native.num_columns:
        raise CxError(f"{where} must have columns and rows, but has neither; check what was read or filtered")
    if not isinstance(native, pa.Table):
        raise CxError(
            f"{where} must be a pandas, Polars, Arrow, DuckDB or Spark frame, not {type(frame).__name__}: "
            f"{shortened(frame)}; read it first, for one with cx.load"
        )
    return native


def _arrow(frame: pd.DataFrame, where: str) -> pa.Table:
    arrays, faults = [], []
    for name, column in ((str(name), frame.iloc[:, i]) for i, name in enumerate(frame.columns)):
        if twin := _alike(column):
            faults.append(f"{where}: column '{shortened(name)}' has two categories that read '{twin}', such as a "
                          "number and its text; rename one")  # fmt: skip
            continue
        try:
            arrays.append(pa.array(_plain(column), from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
            told = f"column '{shortened(name)}' must hold one kind of value, not a mixture"
            faults.append(f"{where}: {told} ({shortened(error, 300)}); recode it")
    refuse(faults)
    return pa.table(arrays, names=[str(name) for name in frame.columns])


def _alike(column: pd.Series) -> str:
    """The words of two categories of a column that read alike, or ""."""
    words = [str(category) for category in column.cat.categories] if hasattr(column, "cat") else []
    return shortened(next(iter(_repeated(words)), "")) if len(set(words)) < len(words) else ""


def _plain(column: pd.Series) -> pd.Series:
    """Categories in words, whatever they are (numbers, intervals of pd.cut): a categorical is a factor."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.rename_categories([str(category) for category in column.cat.categories])
    return column.astype("float32") if column.dtype == "float16" else column


def _positional(native: Any, short: Sequence[str]) -> Any:
    """The frame on its engine under short names, given by position: DuckDB's own names ignore case.

    A column that is empty throughout may have no type; as text it reads as whatever it should be.
    """
    if isinstance(native, pa.Table):
        native = duckdb.from_arrow(native.rename_columns(list(short)))
    spark = _is_spark(native)
    places = short if spark else [f"#{i}" for i in range(1, len(short) + 1)]
    kinds = [kind for _, kind in native.dtypes] if spark else map(str, native.types)
    parts = [f"{f'CAST({place} AS STRING)' if kind in ('void', _UNTYPED) else place} AS {at}"
             for at, place, kind in zip(short, places, kinds, strict=True)]  # fmt: skip
    return native.toDF(*short).selectExpr(*parts) if spark else native.project(", ".join(parts))


def _plain_numbers(lazy: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """NaN becomes null, so that missing is spelled one way; decimals and sums of integers become floats."""
    columns = lazy.collect_schema().items()
    wide = [nw.col(name).cast(nw.Float64) for name, dtype in columns if dtype.is_decimal() or dtype in _WIDE]
    floats = [nw.col(name) for name, dtype in columns if dtype.is_float()]
    changed = [*wide, *(nw.when(~x.is_nan()).then(x) for x in floats)]
    return lazy.with_columns(changed) if changed else lazy  # Spark Connect takes no empty list


def _naive_utc(lazy: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Stamps with a zone become naive UTC; narwhals cannot convert zones on either engine."""
    native, columns = lazy.to_native(), lazy.collect_schema()
    zoned = [name for name, dtype in columns.items() if dtype == nw.Datetime and getattr(dtype, "time_zone", None)]
    if not zoned:
        return lazy
    # Spark's own conversions pass through the clock of the session, which repeats an hour and skips one.
    epoch = "timestampadd(MICROSECOND, unix_micros({0}), TIMESTAMP_NTZ '1970-01-01 00:00:00')"
    spell = epoch if _is_spark(native) else "timezone('UTC', {0})"
    return computed(lazy, {name: spell.format(name) if name in zoned else name for name in columns})


def _kind(dtype: Any) -> str:
    if dtype.is_numeric():
        return NUMBER
    if dtype in (nw.Date, nw.Datetime):
        return STAMP
    return FACTOR if dtype in (nw.String, nw.Boolean, nw.Categorical, nw.Enum) else OTHER


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _is_spark(native: Any) -> bool:
    return type(native).__module__.startswith("pyspark.")
