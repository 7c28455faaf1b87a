"""How much attrition each cause accounts for: alone, on average, at most, in part, and against another cause."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from . import removal
from .errors import refuse, unknown
from .fitted import AttritionFit, estimated, replicated, summarised
from .resample import percentile_interval


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

    Examples
    --------
    >>> columns = {"contact": ["good", "failed"] * 40, "price": ["same", "same", "raised", "raised"] * 20}
    >>> toy = pd.DataFrame(columns | {"left": [1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0] * 5})
    >>> causes = {"service": {"contact": {"failed": "good"}}, "price": {"price": {"raised": "same"}}}
    >>> fit = cx.fit_attrition(toy, causes=causes, replicates=0)
    >>> table = cx.attributable_fractions(fit)
    >>> table[table["measure"] == "average_fraction"].set_index("term")["estimate"].round(3).to_dict()
    {'service': 0.25, 'price': 0.25}
    """
    measures = ("fraction", "average_fraction", "last", "lowest_order", "highest_order")
    names = [(cause, measure) for cause in fit.causes for measure in measures] + [("joint", "fraction")]
    return summarised(fit, names, lambda fit, n, events, risks: removal.fractions(n, risks), level, by)


def unadjusted_fractions(fit: AttritionFit, level: float = 0.95, by: str | None = None) -> pd.DataFrame:
    """Share of attrition that each cause would seem to account for if nothing were adjusted for.

    Returns
    -------
    DataFrame in the result shape, unit "share", measure fraction: term = cause, or "joint" for all of them.

    Notes
    -----
    1 - risk of the customers without a failure / risk of all: what a report without a model shows. It counts in
    whatever else differs between the two, so it is wrong by as much as `attributable_fractions` differs from it.

    Examples
    --------
    >>> columns = {"contact": ["good", "failed"] * 40, "price": ["same", "same", "raised", "raised"] * 20}
    >>> toy = pd.DataFrame(columns | {"left": [1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0] * 5})
    >>> causes = {"service": {"contact": {"failed": "good"}}, "price": {"price": {"raised": "same"}}}
    >>> fit = cx.fit_attrition(toy, causes=causes, replicates=0)
    >>> cx.unadjusted_fractions(fit).set_index("term")["estimate"].round(3).to_dict()
    {'service': 0.25, 'price': 0.25, 'joint': 0.5}
    """
    names = [(cause, "fraction") for cause in fit.causes] + [("joint", "fraction")]
    table = summarised(fit, names, lambda fit, n, events, risks: removal.unadjusted(n, events, fit.exposed), level, by)
    return table.assign(method=f"nothing adjusted for; percentiles over {len(fit.replicates)} resamples by {fit.unit}")


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

    Examples
    --------
    >>> columns = {"contact": ["good", "failed"] * 40, "price": ["same", "same", "raised", "raised"] * 20}
    >>> toy = pd.DataFrame(columns | {"left": [1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0] * 5})
    >>> causes = {"service": {"contact": {"failed": "good"}}, "price": {"price": {"raised": "same"}}}
    >>> fit = cx.fit_attrition(toy, causes=causes, replicates=0)
    >>> cx.role_interval(fit).set_index(["term", "measure"])["estimate"].round(3).loc["service"].to_dict()
    {'lower_bound': 0.25, 'upper_bound': 0.625}
    """
    names = [(cause, bound) for cause in fit.causes for bound in ("lower_bound", "upper_bound")]
    return summarised(
        fit, names, lambda fit, n, events, risks: removal.role_bounds(n, events, risks, fit.exposed), level, by
    )


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
    A share jumps where two causes weigh the same, which plain percentiles do not cover. The lower limit counts
    only the kinds of customers whose verdict is sure in the replicates, the upper one all for whom it is possible.

    Source
    ------
    Shapley 1953; the sum of contributions is the average fraction of Eide & Gefeller 1995.

    Examples
    --------
    >>> columns = {"contact": ["good", "failed"] * 40, "price": ["same", "same", "raised", "raised"] * 20}
    >>> toy = pd.DataFrame(columns | {"left": [1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0] * 5})
    >>> causes = {"service": {"contact": {"failed": "good"}}, "price": {"price": {"raised": "same"}}}
    >>> fit = cx.fit_attrition(toy, causes=causes, replicates=0)
    >>> table = cx.outweighs(fit, "price", "service")
    >>> table[table["measure"] == "of_all"].set_index("term")["estimate"].round(3).to_dict()
    {'price > service': 0.25, 'service > price': 0.25, 'tie': 0.375, 'neither': 0.125}
    """
    faults = [unknown("cause", name, fit.causes) for name in (a, b) if name not in fit.causes]
    refuse([*faults, *([f"a and b must be two different causes, not both '{a}'; name another"] if a == b else [])])
    pair = [list(fit.causes).index(name) for name in (a, b)]
    terms = (f"{a} > {b}", f"{b} > {a}", "tie", "neither")
    names = [(term, measure) for measure in ("of_all", "of_any", "of_both") for term in terms]
    return summarised(
        fit, names, lambda fit, n, events, risks: removal.split(n, risks, fit.exposed, pair), level, by,
        limits=lambda fit, level: _outweighing_limits(fit, pair, level),
    )  # fmt: skip


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

    Examples
    --------
    >>> columns = {"contact": ["good", "failed"] * 40, "price": ["same", "same", "raised", "raised"] * 20}
    >>> toy = pd.DataFrame(columns | {"left": [1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0] * 5})
    >>> causes = {"service": {"contact": {"failed": "good"}}, "price": {"price": {"raised": "same"}}}
    >>> fit = cx.fit_attrition(toy, causes=causes, replicates=0)
    >>> cx.what_if(fit, {"service": 0.5}).set_index("term")["estimate"].round(3).to_dict()
    {'service': 0.125}
    """
    faults = [unknown("cause", name, fit.causes) for name in reductions if name not in fit.causes]
    faults += [f"reduction of '{name}' must be a share from 0 to 1, not {value}" for name, value in reductions.items()
               if not 0 <= value <= 1]  # fmt: skip
    refuse([*faults, *([] if reductions else ["reductions must name at least one cause: {cause: share removed}"])])
    plans = [{name: value} for name, value in reductions.items()]
    plans += [dict(reductions)] if len(plans) > 1 else []
    names = [(cause, "impact_fraction") for cause in reductions] + [("joint", "impact_fraction")] * (len(plans) > 1)
    shares = [[plan.get(cause, 0.0) for cause in fit.causes] for plan in plans]
    weights = np.stack([removal.removal_weights(own) for own in shares], axis=1)
    return summarised(fit, names, lambda fit, n, events, risks: removal.removal_values(n, risks) @ weights, level, by)


def _outweighing_limits(fit: AttritionFit, pair: list[int], level: float) -> np.ndarray:
    """Percentiles of the shares of surely and of possibly outweighing kinds of customers, (2, 12)."""
    seen = sum(removal.verdicts(risks, fit.exposed, pair).sum(axis=0) for _, _, risks in replicated(fit))
    often, rarely = seen / len(fit.replicates), (1 - level) / 2
    told = removal.verdicts(estimated(fit)[2], fit.exposed, pair)[0]
    # The verdict on the data stays possible, and no other is sure, however the replicates fell.
    sure, possible = (often >= 1 - rarely) & told, (often > rarely) | told
    # No sample shows an exact tie; where either cause may weigh more, so may neither.
    possible[2] |= possible[0] & possible[1]
    least, most = (np.concatenate([removal.leavers_in(parts, n, risks, fit.exposed[pair])
                                   for n, _, risks in replicated(fit)]) for parts in (sure, possible))  # fmt: skip
    return np.array([percentile_interval(least, level)[1], percentile_interval(most, level)[2]])
