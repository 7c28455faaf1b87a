"""What is asked more than once is worked out once: rows kept in memory where they are few, else in a scratch file."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw

from . import engine, queries
from .paths import scratch

FEW_ROWS = 200_000  # of a frame up to which it is held in memory


def held(seen: engine.View, most_rows: int, key: str = "") -> engine.View:
    """A view whose joins and groups are worked out once, whatever is asked of it; it has at most so many rows.

    A lazy view is a query: without this, every statistic would run it again. Few rows are put in the order of `key`,
    in which each is alone: threads leave joined rows in any order, and rows that name nobody are resampled by theirs.
    """
    if engine.on_spark(seen.frame):
        return engine.View(nw.from_native(seen.frame.to_native().persist()), seen.at, seen.kind)
    names, few = seen.frame.collect_schema().names(), most_rows <= FEW_ROWS
    ordered = seen.frame.sort(key) if few and key else seen.frame
    lazy = engine.view(stored(ordered.to_native(), few)).frame
    return engine.View(lazy.rename(dict(zip(lazy.collect_schema().names(), names, strict=True))), seen.at, seen.kind)


def narrowed(lazy: nw.LazyFrame[Any]) -> tuple[nw.LazyFrame[Any], list[nw.Expr]]:
    """A frame to be joined, with a byte for each whole number that fits, and what makes them as wide as they were.

    The side of a join that has to stay in memory is three times as small, so that ten million rows do stay.
    """
    types = {name: kind for name, kind in lazy.collect_schema().items() if kind.is_integer()}
    if not types:
        return lazy, []
    ends = (end.cast(nw.Float64).alias(f"{which}{i}") for i, name in enumerate(types)
            for which, end in (("low", nw.col(name).min()), ("high", nw.col(name).max())))  # fmt: skip
    found = engine.collect(lazy.select(*ends)).iloc[0]
    fit = [name for i, name in enumerate(types) if found[f"low{i}"] >= -128 and found[f"high{i}"] <= 127]
    return lazy.with_columns(nw.col(name).cast(nw.Int8) for name in fit), [nw.col(n).cast(types[n]) for n in fit]


def stored(relation: duckdb.DuckDBPyRelation, few: bool) -> Any:
    """The rows of a relation: in memory, or as Parquet in the scratch folder."""
    copy = scratch() / f"{uuid.uuid4().hex}.parquet"
    with queries.asked(relation):
        if few:
            return relation.to_arrow_table()
        relation.write_parquet(str(copy))
    return duckdb.read_parquet(literal(copy))


def literal(path: Path) -> str:
    """DuckDB reads * ? [ in a path as patterns; a file's own such letters must not be."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))
