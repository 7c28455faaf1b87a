"""Weighted sums of products: what regressions and shares of an explained variation are computed from.

Of few rows they are summed here, of many batch by batch; what was summed once of a frame is not summed again.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import narwhals as nw
import numpy as np
import pandas as pd

from . import cells
from .engine import View, batches, collect, on_spark, rows
from .queries import asked

MOST_KEPT = 3  # sums of one frame: a few megabytes each


@dataclass(frozen=True)
class Moments:
    """Weighted sums of products: `products` is (buckets, m, m) over `names`, of which the first is the constant."""

    names: tuple[str, ...]
    products: np.ndarray
    rows: int


def cross_products(
    seen: View,
    terms: Mapping[str, nw.Expr],
    customer: str | None = None,
    weights: str | None = None,
    keep: nw.Expr | None = None,
    *,
    units: bool = True,
) -> Moments:
    """Weighted sums of all products of `terms` (and the constant) by bucket, in one grouped query.

    `terms` are expressions over the view's columns; rows for which `keep` does not hold are left out. Without `units`
    one bucket holds all of them: nothing will be resampled.
    """
    count, m = rows(seen), len(terms) + 1
    lazy = cells.in_units(seen, customer, cells.buckets_of(count, m * m), units)
    lazy = lazy if keep is None else lazy.filter(keep)
    weight = seen[weights].cast(nw.Float64) if weights else nw.lit(1.0)
    columns = {"t0": weight, **{f"t{i}": e.cast(nw.Float64) for i, e in enumerate(terms.values(), start=1)}}
    if count > cells.EVERY_CUSTOMER and not on_spark(lazy):
        return Moments(("constant", *terms), *_once(seen, lazy, columns))
    lazy = lazy.select(nw.col("bucket"), *(e.alias(name) for name, e in columns.items()))
    if count <= cells.EVERY_CUSTOMER:
        return Moments(("constant", *terms), *_summed(collect(lazy)))
    sums = {"s0_0": nw.col("t0").sum(), "rows": nw.len(), **_product_sums(len(terms))}
    table = collect(lazy.group_by("bucket").agg(*(e.alias(name) for name, e in sums.items())), order=["bucket"])
    return Moments(("constant", *terms), _symmetric(table, m), int(table["rows"].sum()))


@dataclass(frozen=True)
class _Made:
    """Sums of a frame: of which rows, units and weights, and of which terms, as SQL."""

    of: str
    terms: tuple[str, ...]
    products: np.ndarray
    rows: int


_MADE: WeakKeyDictionary[View, list[_Made]] = WeakKeyDictionary()


def _once(seen: View, lazy: nw.LazyFrame[Any], columns: Mapping[str, nw.Expr]) -> tuple[np.ndarray, int]:
    """The sums of a frame of many rows, from those that were made of it where they hold all terms."""
    made, weight = _MADE.setdefault(seen, []), columns["t0"].alias("t0")
    of = lazy.select("bucket", weight).to_native().sql_query()
    terms = tuple(lazy.select(e.alias("t")).to_native().sql_query() for name, e in columns.items() if name != "t0")
    for one in made:
        if one.of == of and set(terms) <= set(one.terms):
            places = [0, *(1 + one.terms.index(term) for term in terms)]
            with asked(lazy.to_native()):  # or a file that is lost by now would not be missed
                return one.products[:, places][:, :, places], one.rows
    products, count = _streamed(lazy, columns)
    made.append(_Made(of, terms, products, count))
    del made[:-MOST_KEPT]
    return products, count


def _summed(table: pd.DataFrame) -> tuple[np.ndarray, int]:
    """The same sums from the rows themselves: of few rows an engine plans m² sums longer than it hands them over."""
    bucket, found = pd.factorize(table["bucket"], sort=True, use_na_sentinel=False)
    a = table.drop(columns="bucket").to_numpy(float)[np.argsort(bucket, kind="stable")]
    a[np.isnan(a)] = 0.0  # as in a query, what is empty adds nothing
    w, a = a[:, :1], np.column_stack([np.ones(len(a)), a[:, 1:]])
    ends = np.concatenate([[0], np.cumsum(np.bincount(bucket, minlength=len(found)))])
    products = np.empty((len(found), a.shape[1], a.shape[1]))
    for i, (start, end) in enumerate(itertools.pairwise(ends)):
        products[i] = (a[start:end] * w[start:end]).T @ a[start:end]
    return products, len(table)


def _streamed(lazy: nw.LazyFrame[Any], columns: Mapping[str, nw.Expr]) -> tuple[np.ndarray, int]:
    """The same sums of many rows, batch by batch: a matrix product is several times as fast as m² sums of a query."""
    # What is empty adds nothing; who has no bucket is in one of their own.
    numbers = (e.fill_null(0.0).alias(name) for name, e in columns.items())
    lazy = lazy.select(nw.col("bucket").cast(nw.Int16).fill_null(cells.BUCKETS), *numbers)
    m, edges = len(columns), np.arange(cells.BUCKETS + 2)
    products, counts = np.zeros((cells.BUCKETS + 1, m, m)), np.zeros(cells.BUCKETS + 1, dtype=np.int64)
    for batch in batches(lazy):
        bucket, weight, *values = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
        # Each bucket's rows side by side, so that its share of the sums is one product of matrices.
        order = np.argsort(bucket, kind="stable")
        x = np.stack([np.ones(len(order)), *(value[order] for value in values)])
        wx = x * weight[order]
        ends = np.searchsorted(bucket, edges, sorter=order)
        for i in np.flatnonzero(np.diff(ends)):
            own = slice(ends[i], ends[i + 1])
            products[i] += wx[:, own] @ x[:, own].T
        counts += np.diff(ends)
    return products[counts > 0], int(counts.sum())


def _product_sums(m: int) -> dict[str, nw.Expr]:
    w = nw.col("t0")
    sums = {f"s0_{j}": (w * nw.col(f"t{j}")).sum() for j in range(1, m + 1)}
    pairs = ((i, j) for i in range(1, m + 1) for j in range(i, m + 1))
    return sums | {f"s{i}_{j}": (w * nw.col(f"t{i}") * nw.col(f"t{j}")).sum() for i, j in pairs}


def _symmetric(table: pd.DataFrame, m: int) -> np.ndarray:
    products = np.empty((len(table), m, m))
    for i in range(m):
        for j in range(i, m):
            products[:, i, j] = products[:, j, i] = table[f"s{i}_{j}"].to_numpy(float)
    return products
