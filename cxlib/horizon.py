"""How the share of attrition that a cause accounts for changes with the horizon, from stacked monthly hazards."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import design, shapley
from .cells import Cells
from .errors import CxError, unknown
from .fitted import AttritionFit, chunks, risks, subset, total
from .resample import percentile_interval
from .schema import results


def fraction_by_horizon(
    fit: AttritionFit, period: str = "window", period_days: int = 30, level: float = 0.95
) -> pd.DataFrame:
    """Share of the attrition within each horizon that would not have happened without each cause.

    Parameters
    ----------
    fit : of `stack_landmarks(..., exposures="held")`, with period among its `adjust`, customer="customer_id" and
        period="window"
    period : column of the fit with a level for each period, in the order of time: window or month
    period_days : days in a period
    level : confidence level, between 0 and 1

    Returns
    -------
    DataFrame in the result shape, unit "share", first the column horizon_days (days since the landmark): term =
    cause: fraction, average_fraction; "joint": fraction; "all": attrition, the share that has left by then.
    n = customers at the landmark.

    Raises
    ------
    CxError: period is not a column of the fit, or has one level only.

    Notes
    -----
    fraction(t) = 1 - mean F0(t) / mean F(t), the means over the customers of the first period, each with what was
    known of them on its first day: F(t) = 1 - product over the periods up to t of (1 - hazard), F0 the same with
    the cause at its reference throughout. So it is the fraction due to failures before the landmark. It falls as the
    horizon grows where those at high risk would have left sooner or later; with interactions="all" (slow: a term for
    each cause and period) effects may also wear off. On a stack with exposures "updated" the same number is a
    projection: what if everybody stayed as on the first day. Involuntary ends stay in as non-events, so that F is the
    share that left by t, and a saturated model gives the fractions of the landmark frame with that horizon.
    Intervals are percentiles over resampled customers. Checked against sums over rows.

    Source
    ------
    Samuelsen & Eide 2008; Chen, Lin & Zeng 2010 (attributable fraction functions); Eide & Gefeller 1995 (average).
    """
    periods = _periods(fit, period)
    where = (fit.cells.levels[period] == periods[0]).to_numpy()
    first = subset(fit.cells, where)
    hazards = [_designs(fit, first, period, value) for value in periods]
    point = _fractions(_left(total(first)[0], hazards, fit.beta[None]))[0]
    drawn = [_fractions(_left(n, hazards, beta)) for n, beta in chunks((fit.drawn[0][:, where], fit.replicates))]
    spread, lower, upper = percentile_interval(np.concatenate([np.empty((0, *point.shape)), *drawn]), level)
    names = [*((c, m) for m in ("fraction", "average_fraction") for c in fit.causes), ("joint", "fraction"),
             ("all", "attrition")]  # fmt: skip
    fixed = {"level": level, "n": int(first.rows.sum()), "unit": "share",
             "method": f"{period_days}-day hazards cumulated, {fit.method}"}  # fmt: skip
    rows = [
        {"horizon_days": period_days * (t + 1), "term": term, "measure": measure, "estimate": point[t, i],
         "std_error": spread[t, i], "lower": lower[t, i], "upper": upper[t, i], **fixed}
        for t in range(len(periods)) for i, (term, measure) in enumerate(names)
    ]  # fmt: skip
    return results(rows, by=["horizon_days"])


def _periods(fit: AttritionFit, period: str) -> list[object]:
    if period not in fit.adjust:
        raise CxError(unknown("period", period, fit.adjust, "fit.adjust")
                      + "; fit on stack_landmarks with the period among adjust")  # fmt: skip
    found = sorted(fit.cells.levels[period].unique())
    if len(found) < 2:
        raise CxError(f"period '{period}' must have two levels or more, not only '{found[0]}'; stack more months")
    return found


def _designs(fit: AttritionFit, first: Cells, period: str, value: object) -> np.ndarray:
    """Designs of the first period's customers in the period `value`, under every set of removed causes."""
    levels = first.levels.assign(**{period: value})
    sets = [[c for j, c in enumerate(fit.causes) if m >> j & 1] for m in range(1 << len(fit.causes))]
    return np.stack([design.matrix(design.removed(levels, fit.causes, names), fit.terms) for names in sets])


def _left(n: np.ndarray, hazards: list[np.ndarray], beta: np.ndarray) -> np.ndarray:
    """Mean share that has left by the end of each period, (replicates, periods, sets of removed causes)."""
    there, whole, means = np.ones(1), n.sum(axis=1), []
    for designs in hazards:
        there = there * (1.0 - risks(designs, beta))
        means.append(np.einsum("bc,bsc->bs", n, 1.0 - there) / np.where(whole > 0, whole, np.nan)[:, None])
    return np.stack(means, axis=1)


def _fractions(left: np.ndarray) -> np.ndarray:
    """Fractions, average fractions, the joint fraction and the attrition, (replicates, periods, measures)."""
    v = 1.0 - left / np.where(left[..., :1] > 0, left[..., :1], np.nan)
    alone = v[..., 1 << np.arange(shapley.players(v))]
    return np.concatenate([alone, shapley.shapley_values(v), v[..., -1:], left[..., :1]], axis=-1)
