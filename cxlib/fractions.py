"""How much attrition each cause accounts for: alone, on average, at most, in part, and against another cause."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from . import shapley
from .errors import refuse, unknown
from .fitted import AttritionFit, summarised

TIE = 1e-9  # risks closer than this are the same


def attributable_fractions(fit: AttritionFit, level: float = 0.95, by: str | None = None) -> pd.DataFrame:
    """Share of attrition that would not have happened without each cause, alone, jointly and on average.

    Parameters
    ----------
    fit : AttritionFit
    level : confidence level, between 0 and 1
    by : column of the fit within whose levels to answer

    Returns
    -------
    DataFrame in the result shape, unit "share": term = cause or "joint"; measures
    fraction (the cause alone removed), average_fraction (Shapley value over all orders of removal; adds up to
    the joint fraction), last (removed after all others), lowest_order and highest_order (smallest and largest
    contribution over the orders). The joint term has its fraction only.

    Notes
    -----
    v(S) = 1 - mean risk with the causes in S at their reference / mean risk. "Would not have happened" holds if
    the confounders are all adjusted for, failures precede the decision and the reference is within reach.

    Source
    ------
    Greenland & Drescher 1993; Eide & Gefeller 1995 (average); Sjolander & Vansteelandt 2011.
    """
    measures = ("fraction", "average_fraction", "last", "lowest_order", "highest_order")
    names = [(cause, measure) for cause in fit.causes for measure in measures] + [("joint", "fraction")]
    return summarised(fit, names, _fractions, level, by)


def role_interval(fit: AttritionFit, level: float = 0.95, by: str | None = None) -> pd.DataFrame:
    """Bounds on the share of attrition in which each cause plays a role.

    Returns
    -------
    DataFrame in the result shape, unit "share": term = cause; measures lower_bound (the attributable fraction,
    at least 0) and upper_bound (share of the leavers who had a failure), each with an interval of its own.

    Notes
    -----
    "Plays a role in" is an etiologic share, which no data identify (Greenland & Robins 1988): the two bounds are
    what can be known. They are not a confidence interval. The upper bound says little where the exposure is the
    mere lack of an add-on, which most customers lack.
    """
    names = [(cause, bound) for cause in fit.causes for bound in ("lower_bound", "upper_bound")]
    return summarised(fit, names, _role_bounds, level, by)


def outweighs(fit: AttritionFit, a: str, b: str, level: float = 0.95, by: str | None = None) -> pd.DataFrame:
    """In what share of departures one cause outweighs the other.

    Parameters
    ----------
    fit : AttritionFit
    a, b : two of its causes
    level : confidence level, between 0 and 1
    by : column of the fit within whose levels to answer

    Returns
    -------
    DataFrame in the result shape, unit "share": terms "a > b", "b > a", "tie" and "neither" (no failure of either
    cause) with the causes' names; measures of_all (leavers), of_any (leavers with a failure of either cause) and
    of_both (with failures of both). Each measure adds up to 1.

    Notes
    -----
    Leavers are customers weighted by fitted risk. A cause's weight is its Shapley contribution to the customer's
    risk against the references; below 0 counts as 0, or a harmless cause would outweigh a protective one.

    Source
    ------
    Shapley 1953; the sum of contributions is the average fraction of Eide & Gefeller 1995.
    """
    faults = [unknown("cause", name, fit.causes) for name in (a, b) if name not in fit.causes]
    refuse([*faults, *(["a and b must be two different causes"] if a == b else [])])
    pair = [list(fit.causes).index(name) for name in (a, b)]
    terms = (f"{a} > {b}", f"{b} > {a}", "tie", "neither")
    names = [(term, measure) for measure in ("of_all", "of_any", "of_both") for term in terms]
    return summarised(fit, names, lambda *chunk: _splits(*chunk, pair), level, by)


def what_if(
    fit: AttritionFit, reductions: Mapping[str, float], level: float = 0.95, by: str | None = None
) -> pd.DataFrame:
    """Share of attrition avoided if a part of the failures were gone (impact fraction).

    Parameters
    ----------
    fit : AttritionFit
    reductions : cause -> share of its failures removed, from 0 to 1, for one cause or several at once
    level : confidence level, between 0 and 1
    by : column of the fit within whose levels to answer

    Returns
    -------
    DataFrame in the result shape, unit "share", measure impact_fraction: a row per cause alone, and where there
    are several, "joint".

    Notes
    -----
    Failures are removed at random and independently between causes. At 1 it equals the attributable fraction.

    Source
    ------
    Morgenstern & Bursic 1982 (generalised impact fraction).
    """
    faults = [unknown("cause", name, fit.causes) for name in reductions if name not in fit.causes]
    faults += [f"reduction of '{name}' must be a share from 0 to 1, not {value}" for name, value in reductions.items()
               if not 0 <= value <= 1]  # fmt: skip
    refuse([*faults, *([] if reductions else ["reductions must name at least one cause: {cause: share removed}"])])
    plans = [{name: value} for name, value in reductions.items()]
    plans += [dict(reductions)] if len(plans) > 1 else []
    names = [(cause, "impact_fraction") for cause in reductions] + [("joint", "impact_fraction")] * (len(plans) > 1)
    weights = np.stack([_removal_weights([plan.get(cause, 0.0) for cause in fit.causes]) for plan in plans], axis=1)
    return summarised(fit, names, lambda fit, n, events, risks: removal_values(n, risks) @ weights, level, by)


def removal_values(n: np.ndarray, risks: np.ndarray) -> np.ndarray:
    """v(S) for every set of removed causes, (replicates, 2**causes), from n (replicates, cells) and the risks."""
    means = np.einsum("bc,bsc->bs", n, risks)
    return 1.0 - _ratio(means, means[:, :1])


def contributions_by_cell(risks: np.ndarray) -> np.ndarray:
    """Shapley contribution of each cause to the risk of each cell, (replicates, cells, causes)."""
    return shapley.shapley_values(np.moveaxis(risks[:, :1] - risks, 1, 2))


def _fractions(fit: AttritionFit, n: np.ndarray, events: np.ndarray, risks: np.ndarray) -> np.ndarray:
    v = removal_values(n, risks)
    average, columns = shapley.shapley_values(v), []
    for j in range(shapley.players(v)):
        added, _ = shapley.contributions(v, j)
        columns += [v[:, 1 << j], average[:, j], added[:, -1], added.min(axis=1), added.max(axis=1)]
    return np.column_stack([*columns, v[:, -1]])


def _role_bounds(fit: AttritionFit, n: np.ndarray, events: np.ndarray, risks: np.ndarray) -> np.ndarray:
    alone = removal_values(n, risks)[:, 1 << np.arange(len(fit.causes))]
    had = _ratio(events @ fit.exposed.T, events.sum(axis=1, keepdims=True))
    return np.stack([np.maximum(alone, 0.0), had], axis=2).reshape(len(n), -1)


def _splits(fit, n, events, risks, pair):  # type: ignore[no-untyped-def]
    """Four-way split of the leavers, over all, any exposed and both exposed: (replicates, 12)."""
    first, second = np.moveaxis(np.maximum(contributions_by_cell(risks)[..., pair], 0.0), 2, 0)
    has = fit.exposed[pair]
    any_, both = has.any(axis=0), has.all(axis=0)
    more, less = (first > second + TIE) & any_, (second > first + TIE) & any_
    parts = np.stack([more, less, any_ & ~more & ~less, np.broadcast_to(~any_, more.shape)], axis=1)
    leavers = n * risks[:, 0]
    shares = [_ratio(np.einsum("bc,btc->bt", leavers * among, parts), (leavers * among).sum(axis=1, keepdims=True))
              for among in (np.ones(len(any_)), any_, both)]  # fmt: skip
    return np.concatenate(shares, axis=1)


def _removal_weights(shares: list[float]) -> np.ndarray:
    """Probability of every set of removed causes when each failure is removed with its cause's share."""
    weights = np.ones(1)
    for share in shares:
        weights = np.concatenate([weights * (1 - share), weights * share])
    return weights


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole; nan where a replicate drew nobody to divide by."""
    return part / np.where(whole > 0, whole, np.nan)
