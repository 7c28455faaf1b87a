"""The one resampling: customers, or buckets of them, drawn with replacement through the whole pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .errors import CxError
from .moments import Moments

# Elements of the largest array a chunk of replicates may need: bounds memory, keeps matrix products large.
CHUNK_ELEMENTS = 2_000_000


def multiplicities(units: int, replicates: int, seed: int, width: int) -> Iterator[np.ndarray]:
    """How often each unit is drawn, in chunks of shape (replicates in the chunk, units).

    `width` is the number of columns that the caller's arrays will have; the values drawn do not depend on it.
    """
    rng = np.random.default_rng(seed)
    chunk = max(1, CHUNK_ELEMENTS // max(units, width, 1))
    for start in range(0, replicates, chunk):
        rows = range(min(chunk, replicates - start))
        yield np.array([np.bincount(rng.integers(0, units, units), minlength=units) for _ in rows], dtype=float)


def percentile_interval(replicates: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard error and percentile limits over the first axis; replicates that are nan are left out.

    The quantiles are those of order statistics at (R + 1) p, which keep the nominal level at small R
    (Davison & Hinkley 1997, section 5.3.1).
    """
    if not 0 < level < 1:
        hint = f"; did you mean {level / 100:g}?" if 1 < level < 100 else ""
        raise CxError(f"level must be between 0 and 1, not {level}{hint}")
    if not len(replicates):
        blank = np.full(replicates.shape[1:], np.nan)
        return blank, blank, blank
    tails = [(1 - level) / 2, (1 + level) / 2]
    found = (~np.isnan(replicates)).sum(axis=0)
    safe = np.where(found == 0, 0.0, replicates)
    lower, upper = (np.where(found == 0, np.nan, end) for end in np.nanquantile(safe, tails, axis=0, method="weibull"))
    several = np.where(found < 2, 0.0, replicates)
    spread = np.nanstd(several, axis=0, ddof=1) if len(replicates) > 1 else np.nan
    return np.where(found < 2, np.nan, spread), lower, upper


def over_chunks(chunks: Iterator[np.ndarray], statistic: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`statistic` of every chunk, put together along the first axis."""
    return np.concatenate([statistic(chunk) for chunk in chunks])


def replicated_products(moments: Moments, replicates: int, seed: int) -> np.ndarray:
    """Cross-products of the data, then of every resample of its units, (1 + replicates, m, m)."""
    if not replicates:
        return moments.products.sum(axis=0, keepdims=True)
    upper = np.triu_indices(moments.products.shape[1])
    flat = moments.products[:, *upper]
    drawn = over_chunks(multiplicities(len(flat), replicates, seed, flat.shape[1]), lambda times: times @ flat)
    out = np.empty((1 + replicates, *moments.products.shape[1:]))
    out[0], out[1:, *upper] = moments.products.sum(axis=0), drawn
    out[1:, *upper[::-1]] = drawn
    return out


def estimates(
    terms: Sequence[str], measure: str, unit: str, values: np.ndarray, level: float
) -> Iterator[dict[str, Any]]:
    """Result rows of values (1 + replicates, terms): the data's, with the percentiles of the replicates."""
    columns = values[0], *percentile_interval(values[1:], level)
    for term, estimate, spread, lower, upper in zip(terms, *columns, strict=True):
        yield {"term": term, "measure": measure, "estimate": estimate, "std_error": spread, "lower": lower,
               "upper": upper, "unit": unit, "level": level}  # fmt: skip


def described(weights: str | None, customer: str | None, replicates: int) -> str:
    """How the intervals came about, for the end of a result's method."""
    unit = "customer" if customer else "row"
    return f"{', weighted' if weights else ''}; resampled by {unit}, {replicates} times"
