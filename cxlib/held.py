"""What is asked more than once is worked out once: rows kept in memory where they are few, else in a scratch file.

What a run asks of one study is worked out by the first of its processes that asks, and read by the others.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw

from . import engine, queries
from .paths import scratch, shared

FEW_ROWS = 200_000  # of a frame up to which it is held in memory


def held(make: Callable[[], engine.View], most_rows: int, key: str = "", known_as: str = "") -> engine.View:
    """A view whose joins and groups are worked out once, whatever is asked of it; it has at most so many rows.

    A lazy view is a query: without this, every statistic would run it again. Few rows are put in the order of `key`,
    in which each is alone: threads leave joined rows in any order, and rows that name nobody are resampled by theirs.
    Many rows are `known_as` what they are (`identity`) to the other processes of a run; "" keeps them to this one.
    """
    copy = _place(known_as, ".parquet") if known_as else own()
    about = copy.with_suffix(".json")
    if not (about.is_file() and copy.is_file()):
        seen = make()
        if engine.on_spark(seen.frame):
            return engine.View(nw.from_native(seen.frame.to_native().persist()), seen.at, seen.kind)
        names = seen.frame.collect_schema().names()
        if most_rows <= FEW_ROWS:
            ordered = seen.frame.sort(key) if key else seen.frame
            return engine.View(_named(stored(ordered.to_native()), names), seen.at, seen.kind)
        kept = stored(seen.frame.to_native(), copy)
        _write(about, {"names": names, "at": seen.at, "kind": seen.kind})
        return engine.View(_named(kept, names), seen.at, seen.kind)
    told = json.loads(about.read_text("utf-8"))
    return engine.View(_named(read(copy), told["names"]), told["at"], told["kind"])


def remembered(known_as: str, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What JSON can tell, found once for all processes of a run; with "" nothing is remembered."""
    if not known_as:
        return find()
    place = _place(known_as, ".json")
    if place.is_file():
        return json.loads(place.read_text("utf-8"))
    found = find()
    _write(place, found)
    return found


def identity(files: Iterable[Path], *asked: object) -> str:
    """What some files hold, as far as their sizes and dates tell, and what was asked of it."""
    return repr(([(str(path), queries.as_it_is(path)) for path in files], asked))


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


def stored(relation: duckdb.DuckDBPyRelation, copy: Path | None = None) -> Any:
    """The rows of a relation, in memory or as a Parquet file, there for others once it is whole."""
    with queries.asked(relation):
        if copy is None:
            return relation.to_arrow_table()
        part = copy.with_suffix(f".{os.getpid()}.part")
        try:
            relation.write_parquet(str(part))
            if not copy.exists():  # of two processes that began at once the first is read by both
                part.replace(copy)
        finally:
            part.unlink(missing_ok=True)  # of a disk that is full by now
    return read(copy)


def own() -> Path:
    """Where a file of this process alone may be."""
    return scratch() / f"{uuid.uuid4().hex}.parquet"


def read(copy: Path) -> duckdb.DuckDBPyRelation:
    """A Parquet file of ours."""
    return duckdb.read_parquet(literal(copy))


def _named(native: Any, names: Iterable[str]) -> nw.LazyFrame[Any]:
    """What was stored, under the names its columns had on the engine."""
    lazy = engine.view(native).frame
    return lazy.rename(dict(zip(lazy.collect_schema().names(), names, strict=True)))


def _place(known_as: str, ending: str) -> Path:
    return shared() / f"{hashlib.blake2b(known_as.encode(), digest_size=16).hexdigest()}{ending}"


def _write(place: Path, told: dict[str, Any]) -> None:
    """Whole or not at all: another process may be looking. On a full disk the others find out for themselves."""
    part = place.with_suffix(f".{os.getpid()}.part")
    with suppress(OSError):
        part.write_text(json.dumps(told), "utf-8")
        part.replace(place)


def literal(path: Path) -> str:
    """DuckDB reads * ? [ in a path as patterns; a file's own such letters must not be."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))
