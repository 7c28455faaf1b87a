"""Values of a study file met with values of a frame: which rows hold one, and what recoding makes of a column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from . import engine, files
from .errors import unknown
from .study_file import ValuesPart

_MOST = 10_000  # distinct values fetched


def matches(expr: nw.Expr, dtype: Any, value: Any) -> nw.Expr:
    """Whether a column holds a value from a study file: 11, "11" and a column of texts or numbers meet."""
    if dtype == nw.String:
        return expr == files.spelled(value)
    if dtype == nw.Boolean:
        return expr == {"true": True, "false": False}.get(files.spelled(value).lower())
    try:
        return expr == float(value)
    except (TypeError, ValueError):
        return nw.lit(False)


def levels(seen: engine.View, name: str) -> list[str]:
    """The values that occur in a column, as text, in order of spelling; of very many, those that come first."""
    values = engine.distinct(seen.frame.select(nw.col(seen.at[name]).alias("v"))).drop_nulls().sort("v").head(_MOST)
    return sorted({files.spelled(value) for value in engine.collect(values)["v"]})


def value_faults(seen: engine.View, asked: Iterable[tuple[str, Iterable[Any], str, str]]) -> list[str]:
    """Faults for columns that are not there and for values that do not occur, found in one query.

    `asked` are the name of a column, values of it, and where the study names the column and where its values.
    """
    types, faults = seen.frame.collect_schema(), []
    given: list[tuple[str, Any, str]] = []
    counts: list[nw.Expr] = []
    for name, values, where, where_values in asked:
        if name not in seen.at:
            faults.append(unknown("column", name, seen.at, where))
            continue
        for value in values:
            hit = matches(seen[name], types[seen.at[name]], value)
            given.append((name, value, where_values))
            counts.append(nw.when(hit).then(nw.lit(1)).sum().alias(f"n{len(counts)}"))
    found = list(engine.collect(seen.frame.select(*counts)).iloc[0].fillna(0)) if counts else []
    absent = [one for one, count in zip(given, found, strict=True) if not count]
    return faults + [unknown("value", files.spelled(value), levels(seen, name), where) for name, value, where in absent]


def word_faults(seen: engine.View, asked: Mapping[str, tuple[ValuesPart, str]], where: str) -> list[str]:
    """Faults in what columns (name -> their part, and where it stands) call missing or recode.

    A scale may name a point that nobody chose: where every value of a column is named, other names are harmless. Where
    one is not, a name that does not occur is likely to be that value misspelt.
    """
    types = seen.frame.collect_schema()
    left = {}
    for i, (name, (part, _)) in enumerate(asked.items()):
        if name in seen.at and part.recode and part.otherwise is None:
            hits = [matches(seen[name], types[seen.at[name]], value) for value in (*part.missing, *part.recode)]
            unnamed = ~nw.any_horizontal(*hits, ignore_nulls=True) & ~seen[name].is_null()
            left[name] = nw.when(unnamed).then(nw.lit(1)).sum().alias(f"n{i}")
    counts = engine.collect(seen.frame.select(*left.values())).iloc[0].fillna(0) if left else []
    whole = {name for name, count in zip(left, counts, strict=True) if not count}
    wanted: list[tuple[str, Iterable[Any], str, str]] = []
    for name, (part, at) in asked.items():
        wanted.append((name, () if name in whole else part.missing, where, f"{at}.missing"))
        if name in seen.at and name not in whole:
            wanted.append((name, list(part.recode), where, f"{at}.recode"))
    return value_faults(seen, wanted)


def rows_with(seen: engine.View, keep: Mapping[str, Iterable[Any]]) -> engine.View:
    """The rows in which every column of `keep` holds one of its values."""
    types, lazy = seen.frame.collect_schema(), seen.frame
    for name, values in keep.items():
        hits = [matches(seen[name], types[seen.at[name]], value) for value in values]
        lazy = lazy.filter(nw.any_horizontal(*hits, ignore_nulls=True) if hits else nw.lit(False))
    return engine.View(lazy, seen.at, seen.kind)


def first_filled(seen: engine.View, names: Sequence[str]) -> nw.Expr:
    """Of several columns, as text, the first that is filled in a row: a question whose choices have a column each."""
    types = seen.frame.collect_schema()
    return nw.coalesce(*(as_text(seen[name], types[seen.at[name]]) for name in names))


def cleaned(column: nw.Expr, dtype: Any, part: ValuesPart) -> nw.Expr:
    """A column of a kind with the values of `part.missing` gone and the others recoded."""
    result = as_text(column, dtype) if part.recode or part.otherwise is not None else column
    if part.otherwise is not None:
        result = nw.when(~column.is_null()).then(nw.lit(files.spelled(part.otherwise)))
    for old, new in part.recode.items():
        result = nw.when(matches(column, dtype, old)).then(nw.lit(files.spelled(new))).otherwise(result)
    if not part.missing:
        return result
    gap = nw.any_horizontal(*(matches(column, dtype, value) for value in part.missing), ignore_nulls=True)
    return nw.when(~gap).then(result)


def as_text(column: nw.Expr, dtype: Any) -> nw.Expr:
    """A column as a factor: whole numbers without a point."""
    if dtype == nw.String:
        return column
    if not dtype.is_float():
        return column.cast(nw.String)
    whole = column.cast(nw.Int64)
    return nw.when(whole == column).then(whole.cast(nw.String)).otherwise(column.cast(nw.String))


def counted(seen: engine.View, **wanted: nw.Expr) -> pd.Series:
    """Several numbers about a frame in one query."""
    return engine.collect(seen.frame.select(**wanted)).iloc[0]
