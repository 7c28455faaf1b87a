"""The difference between two groups of rows, plain and among rows alike: standardised to those exposed, resampled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine
from .cells import BUCKETS, EVERY_CUSTOMER
from .errors import CxError
from .resample import estimates, multiplicities, over_chunks

Row = dict[str, Any]
FEWEST = 5  # exposed and others, below which nothing is compared


@dataclass(frozen=True)
class Strata:
    """Rows alike: `rows` and `sums` of the outcome by bucket, stratum and exposure (others, exposed)."""

    rows: np.ndarray
    sums: np.ndarray

    @property
    def matched(self) -> float:
        """Share of the exposed rows for which there are others alike."""
        n = self.rows.sum(axis=0)
        return float(n[(n > 0).all(axis=1), 1].sum() / n[:, 1].sum())


def strata(seen: engine.View, alike: Sequence[str], exposed: str, outcome: str, customer: str) -> Strata:
    """Rows and sums of an outcome by what is held alike, in one grouped query.

    Parameters
    ----------
    seen : rows with an outcome
    alike : columns of few levels; empty is a level
    exposed : column of 0/1
    outcome : column of numbers
    customer : the unit of resampling; buckets of customers where there are many

    Raises
    ------
    CxError : fewer than five rows exposed, or not exposed.
    """
    buckets = None if engine.rows(seen) <= EVERY_CUSTOMER else BUCKETS
    keys = {f"f{i}": seen[name].cast(nw.String).fill_null("") for i, name in enumerate(alike)}
    keys["e"] = seen[exposed].cast(nw.Float64)
    lazy = engine.bucketed(seen, customer, buckets)
    lazy = lazy.select(nw.col("bucket"), seen[outcome].cast(nw.Float64).alias("y"),
                       *(e.alias(name) for name, e in keys.items()))  # fmt: skip
    sums = lazy.group_by("bucket", *keys).agg(nw.len().cast(nw.Float64).alias("n"), nw.col("y").sum().alias("y"))
    table = engine.collect(sums, ["bucket", *keys])
    sizes = {state: table.loc[table["e"] == state, "n"].sum() for state in (0, 1)}
    if min(sizes.values()) < FEWEST:
        raise CxError(f"at least {FEWEST} rows must be exposed and {FEWEST} not, to compare them; there are "
                      f"{sizes[1]:,.0f} and {sizes[0]:,.0f}")  # fmt: skip
    bucket, place = pd.factorize(table["bucket"], sort=True)[0], np.zeros(len(table), np.int64)
    for name in (f"f{i}" for i in range(len(alike))):
        codes = pd.factorize(table[name], sort=True)[0]
        place = np.unique(place * (codes.max() + 1) + codes, return_inverse=True)[1]
    shape = (bucket.max() + 1, place.max() + 1, 2)
    at = (bucket, place, table["e"].to_numpy(np.int64))
    parts = [np.zeros(shape) for _ in range(2)]
    for part, column in zip(parts, ("n", "y"), strict=True):
        np.add.at(part, at, table[column].to_numpy(float))
    return Strata(*parts)


def differences(rows: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Means of the exposed and of the others, their plain difference, and that among rows alike, (..., 4).

    The last is the mean over strata of the difference, weighted by their exposed rows: what exposure goes with for
    those who had it. Strata without both kinds say nothing and are left out.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        means = sums / rows
        whole = sums.sum(axis=-2) / rows.sum(axis=-2)
        both = (rows > 0).all(axis=-1)
        weight = np.where(both, rows[..., 1], 0.0)
        within = (weight * np.where(both, means[..., 1] - means[..., 0], 0.0)).sum(axis=-1) / weight.sum(axis=-1)
    return np.stack([whole[..., 1], whole[..., 0], whole[..., 1] - whole[..., 0], within], axis=-1)


def compared(
    found: Strata, term: str, measures: Sequence[str], unit: str, level: float, replicates: int, seed: int
) -> Iterator[Row]:
    """The four numbers of `differences` as result rows under the names `measures`, with percentile intervals."""
    units, width = found.rows.shape[0], found.rows[0].size

    def drawn(times: np.ndarray) -> np.ndarray:
        parts = [(times @ part.reshape(units, width)).reshape(-1, *part.shape[1:]) for part in (found.rows, found.sums)]
        return differences(*parts)

    values = [differences(found.rows.sum(axis=0), found.sums.sum(axis=0))[None]]
    if replicates:
        values.append(over_chunks(multiplicities(units, replicates, seed, width), drawn))
    n = found.rows.sum(axis=(0, 1))
    sizes = (n[1], n[0], n.sum(), n.sum())
    columns = np.concatenate(values)
    for i, (measure, size) in enumerate(zip(measures, sizes, strict=True)):
        row = next(estimates([term], measure, unit, columns[:, i : i + 1], level))
        yield {**row, "n": size}
