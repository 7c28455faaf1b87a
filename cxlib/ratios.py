"""Shares and means of rows that belong to customers: the customer is the unit of sampling, not the row.

Who meets the company often gives many rows, which are alike. Both functions take two grouped queries, by customer and
then over customers, and nothing but sums comes back, so that they cost little at any size and on any engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import stats

from . import engine
from .intervals import quantile, wilson

Row = dict[str, Any]
BY_CUSTOMER = "linearised by customer"
SHARE_METHOD = f"{BY_CUSTOMER}; Wilson on effective rows"
MEAN_METHOD = f"{BY_CUSTOMER}; Student"


def unit_shares(
    lazy: nw.LazyFrame[Any], unit: str, keys: Sequence[str], level: float, within: Sequence[str] = ()
) -> pd.DataFrame:
    """Of all rows, or of those alike in `within`, the share with each combination of `keys`.

    Parameters
    ----------
    lazy : rows under names of ours, of which texts and flags are keys; empty ones are a level of their own
    unit : column of the customer; rows of nobody count as one customer's
    keys : columns whose levels share the rows out
    level : confidence
    within : columns whose levels are each a whole

    Returns
    -------
    One row for each combination: within, keys, then the fields of a result row; n = rows of the whole.

    Notes
    -----
    A ratio of sums over m customers, by Taylor linearisation with m/(m-1); Wilson's limits on as many rows as would
    have that error. Checked against statsmodels' cluster-robust covariance of a mean.

    Source: Cochran (1977), section 6.3; Kish (1965).
    """
    named = [*within, *keys]
    cells = _texts(lazy, [unit, *named]).group_by(unit, *named).agg(nw.len().cast(nw.Float64).alias("y"))
    totals = cells.group_by(unit, *within).agg(nw.col("y").sum().alias("whole"))
    y, whole = nw.col("y"), nw.col("whole")
    joined = cells.join(totals, on=[unit, *within], how="inner")
    parts = joined.group_by(*named).agg(y.sum().alias("y"), (y * y).sum().alias("yy"), (y * whole).sum().alias("yw"))
    one = totals.with_columns(nw.lit(1.0).alias("one")).group_by("one", *within)
    wholes = one.agg(whole.sum().alias("w"), (whole * whole).sum().alias("ww"), nw.len().alias("m"))
    found = engine.collect(parts, named).merge(
        engine.collect(wholes, list(within)), how="left" if within else "cross", on=list(within) or None
    )
    share = found["y"] / found["w"]
    spread = np.maximum(found["yy"] - 2 * share * found["yw"] + share**2 * found["ww"], 0.0)
    return found[named].join(pd.DataFrame([
        share_of(*one, level) for one in zip(share, spread, found["w"], found["m"], strict=True)
    ]))  # fmt: skip


def share_of(share: float, spread: float, whole: float, units: float, level: float) -> Row:
    """A share as fields of a result row, from the sum of squares of its linearised rows."""
    error = np.sqrt(spread * units / (units - 1)) / whole if units > 1 else np.nan
    # Where no customer differs there is no error to go by: then as many rows count as there are customers.
    worth = min(share * (1 - share) / error**2, whole) if error > 1e-12 and 0 < share < 1 else units
    lower, upper = (float(limit) for limit in wilson(share * worth, worth, level))
    return {"estimate": share, "std_error": error, "lower": min(lower, share), "upper": max(upper, share),
            "level": level, "n": whole, "unit": "share", "method": SHARE_METHOD}  # fmt: skip


def unit_means(lazy: nw.LazyFrame[Any], unit: str, keys: Sequence[str], value: str, level: float) -> pd.DataFrame:
    """Mean of `value` for each combination of `keys`, over the rows that have one; columns and notes as `unit_shares`.

    n = rows with a value, `units` = customers among them; Student's limits with one degree of freedom less than those.
    """
    quantile(level)
    known = _texts(lazy.filter(~nw.col(value).is_null()), [unit, *keys])
    cells = known.group_by(unit, *keys).agg(nw.len().cast(nw.Float64).alias("n"), nw.col(value).sum().alias("s"))
    n, s = nw.col("n"), nw.col("s").cast(nw.Float64)
    sums = cells.group_by(*keys).agg(
        n.sum().alias("n"), s.sum().alias("s"), (n * n).sum().alias("nn"), (s * s).sum().alias("ss"),
        (n * s).sum().alias("ns"), nw.len().cast(nw.Float64).alias("units"),
    )  # fmt: skip
    found = engine.collect(sums, list(keys))
    mean = found["s"] / found["n"]
    spread = np.maximum(found["ss"] - 2 * mean * found["ns"] + mean**2 * found["nn"], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(spread * found["units"] / (found["units"] - 1)) / found["n"]
        half = stats.t.ppf((1 + level) / 2, found["units"] - 1) * error
    error, half = (part.where((found["units"] > 1) & (error > 0)) for part in (error, half))
    return found[[*keys, "n", "units"]].assign(
        estimate=mean, std_error=error, lower=mean - half, upper=mean + half, level=level, unit="points",
        method=MEAN_METHOD,
    )  # fmt: skip


def _texts(lazy: nw.LazyFrame[Any], columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """Keys as texts: engines join nothing to nothing."""
    return lazy.with_columns(nw.col(name).cast(nw.String).fill_null("") for name in dict.fromkeys(columns))
