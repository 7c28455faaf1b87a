"""Counts by cell, the first of the two small tables every statistic is computed from; the other: `moments`.

Each is one grouped query. Both keep a bucket, the unit of resampling: every customer where there are few,
a hash of the customer where there are many, so intervals cost the same at ten thousand and ten million.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import sparse

from .engine import NUMBER, OTHER, STAMP, View, bucketed, collect, distinct, hashed, require
from .errors import CxError, listed, refuse
from .schema import ordered

EVERY_CUSTOMER = 20_000  # up to this many rows every customer is a bucket of its own
BUCKETS = 1_000
MOST_NUMBERS = 25_000_000  # that the buckets may hold together: 200 MB
MOST_VALUES = 500  # of a number that enters the cells of a large frame as it is
LARGEST = 1e75  # of a weight or a rating: products of four of them are numbers still
MOST_NUMBERED = 25  # levels of a factor that are told apart one by one
MOST_TOGETHER = 200_000  # combinations of levels that are looked at before they are counted
MOST_LEVELS = 100  # of a factor: each takes a coefficient


@dataclass(frozen=True)
class Cells:
    """Counts by cell. `levels` has one row per cell; `n` and `events` are (buckets, cells), weighted; `rows` is not."""

    levels: pd.DataFrame
    n: sparse.csr_array
    events: sparse.csr_array
    rows: np.ndarray
    weighted: bool


def count_cells(
    seen: View,
    factors: Sequence[str],
    outcome: str,
    customer: str | None = None,
    weights: str | None = None,
    period: str | None = None,
    *,
    units: bool = True,
) -> Cells:
    """Trials and events by the levels of `factors`, in one grouped query.

    Parameters
    ----------
    factors : columns whose combinations are the cells; numbers count as they are
    outcome : boolean or 0/1 column
    customer : the unit of resampling, one row each (default: the row)
    weights : column of weights, 0 or more
    period : column of the window, where a customer has one row in each of several
    units : without, one bucket holds all rows: nothing will be resampled

    Raises
    ------
    CxError for missing columns, empty or infinite values in any of them, an outcome that is not 0/1, negative
    weights, customers that occur twice.
    """
    factors = list(dict.fromkeys(factors))
    require(seen, [*factors, outcome, *filter(None, (customer, weights, period))])
    _check_kinds(seen, factors, outcome, weights)
    count, known = _checked_size(seen, factors, customer, period)
    # Of many rows small numbers are grouped faster than texts; of few it makes no difference.
    known = {f: levels for f, levels in known.items() if count > EVERY_CUSTOMER and len(levels) <= MOST_NUMBERED}
    table = collect(_grouped(seen, factors, outcome, customer, weights, count, known, units))
    for i, levels in ((i, known[f]) for i, f in enumerate(factors) if f in known):
        table[f"f{i}"] = pd.array([None, *levels], dtype="str").take(table[f"f{i}"].to_numpy())
    _check_counts(table, factors, outcome, weights, customer)
    return _assemble(table, factors, weights is not None)


def buckets_of(count: int, width: int = 1) -> int | None:
    return None if count <= EVERY_CUSTOMER and count * width <= MOST_NUMBERS else BUCKETS


def in_units(seen: View, customer: str | None, buckets: int | None, units: bool) -> nw.LazyFrame[Any]:
    """The frame with the bucket of each row; without `units` the same for all."""
    return bucketed(seen, customer, buckets) if units else seen.frame.with_columns(nw.lit(0).alias("bucket"))


def _check_kinds(seen: View, factors: Sequence[str], outcome: str, weights: str | None) -> None:
    faults = [f"column '{f}' must be text, yes/no or a number, not a stamp or a list" for f in factors
              if seen.kind[f] in (STAMP, OTHER)]  # fmt: skip
    if weights and seen.kind[weights] != NUMBER:
        faults.append(f"weights '{weights}' must be numbers, not text, yes/no or stamps")
    if seen.kind[outcome] in (STAMP, OTHER):
        faults.append(f"outcome '{outcome}' must be true/false or 0/1, not a stamp or a list")
    elif seen.kind[outcome] != NUMBER and seen.frame.collect_schema()[seen.at[outcome]] != nw.Boolean:
        words = collect(distinct(seen.frame.select(seen[outcome].alias("y")).filter(~nw.col("y").is_null())))["y"]
        faults.append(f"outcome '{outcome}' must be true/false or 0/1, not the words {listed(sorted(words), most=5)}; "
                      "compare the column with the word for leaving, or name it as left_value")  # fmt: skip
    refuse(faults)


def _checked_size(
    seen: View, factors: Sequence[str], customer: str | None, period: str | None
) -> tuple[int, dict[str, list[str]]]:
    """Number of rows and the levels of texts, after refusing what would make cells meaningless or as many as rows."""
    count, values, levels = _values(seen, factors)
    if not count:
        raise CxError("the frame must have rows, not 0; check the filter, the period and the joins")
    large, faults = count > EVERY_CUSTOMER, []
    for f, many in zip(factors, values, strict=True):
        if seen.kind[f] == NUMBER and large and many > MOST_VALUES:
            faults.append(f"column '{f}' has {many:,} different numbers, more than {MOST_VALUES}: make bands of it "
                          "with cx.band or [columns] bands")  # fmt: skip
        if seen.kind[f] != NUMBER and many > MOST_LEVELS:
            faults.append(f"column '{f}' has {many:,} levels, more than {MOST_LEVELS}: merge some, or leave it out")
    faults += _twice(seen, customer, period) if customer else []
    refuse(faults)
    return count, levels


def _values(seen: View, factors: Sequence[str]) -> tuple[int, list[int], dict[str, list[str]]]:
    """Number of rows, different values of each factor, and the levels of texts where they are few."""
    keys = [f"f{i}" for i in range(len(factors))]
    lazy = seen.frame.select(seen[f].alias(key) for f, key in zip(factors, keys, strict=True))
    table = collect(lazy.group_by(keys).agg(nw.len().alias("rows")).head(MOST_TOGETHER + 1))
    if len(table) > MOST_TOGETHER:  # one of them is no factor; which, a query has to count
        asked = {"rows": nw.len()} | {key: nw.col(key).n_unique() for key in keys}
        found = collect(lazy.select(e.alias(name) for name, e in asked.items())).iloc[0].fillna(0).astype(int)
        return int(found["rows"]), [int(found[key]) for key in keys], {}
    named, types = zip(factors, keys, strict=True), lazy.collect_schema()
    texts = {f: sorted(table[key].dropna().unique()) for f, key in named if types[key] == nw.String}
    return int(table["rows"].sum()), [table[key].nunique(dropna=False) for key in keys], texts


def _key(seen: View, customer: str, period: str | None) -> nw.Expr:
    """Customer, or customer and window, as one text; empty where no customer is named."""
    name = seen[customer].cast(nw.String)
    return nw.concat_str(name, seen[period].cast(nw.String).fill_null(""), separator="\n") if period else name


def _twice(seen: View, customer: str, period: str | None) -> list[str]:
    """The fault of customers with several rows in a window; those without a name are another fault."""
    lazy = seen.frame.select(seen[customer].cast(nw.String).alias("who"), _key(seen, customer, period).alias("key"))
    lazy = lazy.filter(~nw.col("who").is_null())
    # Of ten million names the hashes take a third of the memory, in a query of their own; equal ones are looked into.
    found = collect(hashed(lazy, "key").select(nw.len().alias("named"), nw.col("key").n_unique().alias("distinct")))
    if found["named"][0] == found["distinct"][0]:
        return []
    again = lazy.group_by("key").agg(nw.len().alias("k"), nw.col("who").min())
    again = collect(again.filter(nw.col("k") > 1), order=["who"])
    remedy = "keep one row each" if period else "keep one row each, or name the column of the window as period"
    return [f"column '{customer}' must name each customer once{' a period' if period else ''}, but {len(again):,} "
            f"have more rows: {listed(again['who'], most=3)}; {remedy}"] if len(again) else []  # fmt: skip


def _numbered(column: nw.Expr, levels: Sequence[str]) -> nw.Expr:
    """The place of each level, from 1, and 0 for none."""
    place: nw.Expr = nw.lit(0)
    for i, level in enumerate(levels, start=1):
        place = nw.when(column == level).then(nw.lit(i)).otherwise(place)
    return place.cast(nw.Int16)


def _grouped(seen, factors, outcome, customer, weights, count, known, units):
    weight = seen[weights].cast(nw.Float64) if weights else nw.lit(1.0)
    lazy = in_units(seen, customer, buckets_of(count), units)
    lazy = lazy.with_columns(seen[outcome].cast(nw.Float64).alias("y"), weight.alias("w"))
    empty = {"y_empty": nw.col("y").is_null(), "w_empty": nw.col("w").is_null()}
    odd = {"y_odd": (nw.col("y") != 0) & (nw.col("y") != 1), "w_odd": ~nw.col("w").is_between(0, LARGEST)}
    # As floats: the engine's sums of integers come back as objects.
    checks = [e.cast(nw.Float64).sum().alias(name) for name, e in (empty | odd).items()]
    told = (_numbered(seen[f], known[f]) if f in known else seen[f] for f in factors)
    named = [column.alias(f"f{i}") for i, column in enumerate(told)]
    keys = [*(f"f{i}" for i in range(len(factors))), "bucket"]
    sums = [nw.col("w").sum().alias("n"), (nw.col("w") * nw.col("y")).sum().alias("events"), nw.len().alias("rows")]
    return lazy.select(nw.col("bucket", "y", "w"), *named).group_by(keys).agg(*sums, *checks)


def _check_counts(table, factors, outcome, weights, customer):
    faults = []
    for name, column in ((f, table[f"f{i}"]) for i, f in enumerate(factors)):
        if empty := int(table.loc[column.isna(), "rows"].sum()):
            faults.append(f"column '{name}' must have a value in every row, but {empty:,} are empty; recode them "
                          "as a level of their own or leave those rows out")  # fmt: skip
        if is_number(column) and (endless := int(table.loc[np.isinf(column.to_numpy(float)), "rows"].sum())):
            faults.append(f"column '{name}' must hold finite numbers, but {endless:,} are infinite; recode them "
                          "or leave those rows out")  # fmt: skip
    found = table[["y_empty", "y_odd", "w_empty", "w_odd"]].sum().astype(int)
    if found["y_empty"] + found["y_odd"]:
        faults.append(f"outcome '{outcome}' must be true/false or 0/1, but {found['y_odd']:,} rows hold another value "
                      f"and {found['y_empty']:,} none; name the value that counts as left_value")  # fmt: skip
    if found["w_empty"] + found["w_odd"]:
        faults.append(f"weights '{weights}' must be finite and 0 or more in every row, but {found['w_odd']:,} are not "
                      f"and {found['w_empty']:,} are empty")  # fmt: skip
    if weights and not faults and not table["n"].sum() > 0:
        faults.append(f"weights '{weights}' must not all be 0")
    unnamed = int(table.loc[table["bucket"].isna(), "rows"].sum())
    if unnamed:
        faults.append(f"column '{customer}' must name the customer in every row, but {unnamed:,} are empty")
    refuse(faults)


def _assemble(table: pd.DataFrame, factors: Sequence[str], weighted: bool) -> Cells:
    keys = [f"f{i}" for i in range(len(factors))]
    cell = np.zeros(len(table), dtype=np.int64)
    for name, key in zip(factors, keys, strict=True):
        codes = _codes(name, table[key])
        # Closed up after every factor, so that the product of many numbers of levels cannot overflow.
        cell = np.unique(cell * (codes.max() + 1) + codes, return_inverse=True)[1]
    bucket, _ = pd.factorize(table["bucket"], sort=True)
    shape = (int(bucket.max()) + 1, int(cell.max()) + 1)
    first = np.unique(cell, return_index=True)[1]
    levels = table.iloc[first][keys].set_axis(list(factors), axis=1).reset_index(drop=True)
    n, events = (sparse.csr_array((table[c].to_numpy(float), (bucket, cell)), shape=shape) for c in ("n", "events"))
    return Cells(levels, n, events, np.bincount(cell, weights=table["rows"]).astype(np.int64), weighted)


def is_number(column: pd.Series) -> bool:
    """Whether a column enters as a number; yes/no columns are factors."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _codes(name: str, column: pd.Series) -> np.ndarray:
    """Position of each value in the order of its levels, so that cells do not depend on the engine's order."""
    codes, levels = pd.factorize(column)
    if is_number(column):
        return np.argsort(np.argsort(np.asarray(levels, dtype=float)))[codes]
    place = {level: i for i, level in enumerate(ordered(name, levels))}
    return np.array([place[level] for level in levels])[codes]
