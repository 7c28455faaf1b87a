"""Ratings and what goes with them: penalties and rewards, an importance-performance map, what a lift would be worth."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import importance
from .engine import NUMBER, View, collect, distinct, view
from .errors import listed, refuse, shortened, unknown
from .moments import Moments, cross_products
from .player_checks import MOST_PLAYERS, WORDS, check_variation
from .players import Checked, checked, player_moments
from .regression import coefficients, covariance
from .resample import described, estimates, replicated_products
from .schema import results
from .scores import counted, ends, score_faults

MOST_RATINGS = 60  # touchpoints in one linear model
MOST_POINTS = 20  # of a rating scale
QUADRANTS = {
    (True, False): "concentrate here",
    (True, True): "keep up the good work",
    (False, False): "low priority",
    (False, True): "possible overkill",
}


def penalty_reward(
    data: Any,
    outcome: str,
    drivers: Sequence[str],
    low: float,
    high: float,
    weights: str | None = None,
    customer: str | None = None,
    missing: str | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """What low ratings cost and high ratings gain, each beside a rating in between and the other drivers.

    Parameters
    ----------
    outcome : number column; rows without it are left out
    drivers : ratings (numbers)
    low, high : ratings up to `low` are low, from `high` on high
    weights, customer, missing, replicates, seed, level : as in `relative_importance`

    Returns
    -------
    DataFrame in the result shape, in points of the outcome: for every driver penalty (coefficient of low, normally
    below 0), reward (coefficient of high) and asymmetry, -(penalty + reward): above 0 where low ratings cost more than
    high ones gain; last ("model", "intercept"), everything rated in between.

    Notes
    -----
    Least squares on the dummies of all drivers together, unstandardised. Percentiles over resampled customers. A dummy
    that never or always holds has no coefficient. Checked against R (mobi). Source: Brandt 1987.

    Examples
    --------
    >>> data = pd.DataFrame({"recommend": [10, 9, 8, 6, 3, 7, 9, 2], "staff": [5, 5, 4, 3, 1, 4, 4, 2]})
    >>> penalty_reward(data, "recommend", ["staff"], low=2, high=5, replicates=20)["estimate"].round(2).tolist()
    [-5.0, 2.0, 3.0, 7.5]
    """
    seen = view(data)
    given = checked(seen, outcome, drivers, None, weights, customer, missing, MOST_RATINGS)
    faults = _not_numbers(seen, given.drivers)
    refuse(faults + ([] if low < high else [f"low must lie below high, but low is {low:g} and high {high:g}"]))
    dummies = {}
    for driver in given.drivers:
        x = seen[driver]
        met = [~x.is_null()] if given.has_gaps(driver) else []
        dummies[driver] = [*met, (x <= low).fill_null(False), (x >= high).fill_null(False)]
    answer = (outcome, seen[outcome].cast(nw.Float64))
    moments, places, beta, means = _fitted(seen, dummies, answer, given, customer, weights, replicates, seed)
    costs, gains = (beta[:, [own[end] for own in places]] for end in (-2, -1))
    intercept = means[:, -1:] - np.nansum(means[:, :-1] * beta, axis=1, keepdims=True)
    rows = [*estimates(given.drivers, "penalty", "points", costs, level),
            *estimates(given.drivers, "reward", "points", gains, level)]  # fmt: skip
    for row in estimates(given.drivers, "asymmetry", "points", -(costs + gains), level):
        told = "low ratings cost more than high ones gain" if row["lower"] > 0 else ""
        rows.append(row | {"note": "high ratings gain more than low ones cost" if row["upper"] < 0 else told})
    rows += estimates(["model"], "intercept", "points", intercept, level)
    told = f"linear model, low <= {low:g}, high >= {high:g}{described(weights, customer, replicates)}"
    return results({**row, "n": moments.rows, "method": told} for row in rows)


def importance_performance(
    data: Any,
    outcome: str,
    drivers: Sequence[str],
    weights: str | None = None,
    customer: str | None = None,
    missing: str | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """How good each touchpoint is for those who met it, and how much of the score it accounts for.

    Parameters
    ----------
    outcome : number column; rows without it are left out
    drivers : ratings on one scale, up to 15
    weights, customer, missing, replicates, seed, level : as in `relative_importance`

    Returns
    -------
    DataFrame in the result shape: for every driver performance (mean rating, n = those who met it), share (of R², LMG)
    and quadrant (share of replicates in the quadrant that the note names); ("model", "performance") and ("model",
    "share") are the lines between the quadrants, the means over drivers.

    Notes
    -----
    Each replicate has its own lines, so that a driver near one has a quadrant share near one half. The map orders
    attention; it does not say what an improvement would bring. Source: Martilla & James 1977; LMG: see
    `relative_importance`.

    Examples
    --------
    >>> answers = {"recommend": [10, 9, 8, 6, 3, 7], "staff": [5, 5, 4, 3, 1, 4], "price": [4, 3, 3, 3, 2, 1]}
    >>> data = pd.DataFrame(answers)
    >>> table = importance_performance(data, "recommend", ["staff", "price"], replicates=20)
    >>> table.loc[table["measure"] == "quadrant", "note"].tolist()
    ['keep up the good work', 'low priority']
    """
    seen = view(data)
    named = (outcome, drivers, None, weights, customer, missing)
    refuse(_not_numbers(seen, [drivers] if isinstance(drivers, str) else drivers))
    moments, players = player_moments(seen, *named)
    products = replicated_products(moments, replicates, seed)
    own = importance.shares(importance.lmg(covariance(products), players, MOST_PLAYERS))[:, : len(players.drivers)]
    rated, met = ([1 + columns[-1] for columns in players.columns],
                  [1 + columns[0] if len(columns) > 1 else 0 for columns in players.columns])  # fmt: skip
    people = products[:, 0, met]  # none in a resample of nobody who met it
    means = np.array(players.means) + products[:, 0, rated] / np.where(people > 0, people, np.nan)
    crossed = [part.mean(axis=1, keepdims=True) for part in (own, means)]
    where = np.stack([own > crossed[0], means > crossed[1]], axis=2)
    performance = estimates(players.drivers, "performance", "points", means, level)
    rows = [row | {"n": n} for row, n in zip(performance, players.met, strict=True)]
    rows += estimates(players.drivers, "share", "share", own, level)
    known = ~np.isnan(crossed[0] + crossed[1])[1:, 0]
    for driver, ours, drawn in zip(players.drivers, where[0], np.moveaxis(where[1:][known], 1, 0), strict=True):
        there = float((drawn == ours).all(axis=1).mean()) if len(drawn) else np.nan
        rows.append({"term": driver, "measure": "quadrant", "estimate": there, "unit": "share",
                     "note": QUADRANTS[bool(ours[0]), bool(ours[1])]})  # fmt: skip
    rows += estimates(["model"], "performance", "points", crossed[1], level)
    rows += estimates(["model"], "share", "share", crossed[0], level)
    common = {"n": moments.rows, "level": level, "method": f"LMG and means{described(weights, customer, replicates)}"}
    return results({**common, **row} for row in rows)


def nps_what_if(
    data: Any,
    score: str,
    drivers: Sequence[str],
    lifts: Mapping[str, int],
    low: float = 2,
    weights: str | None = None,
    customer: str | None = None,
    missing: str | None = "not_met",
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    scale: tuple[int, int] = (0, 10),
) -> pd.DataFrame:
    """NPS points that would go with lifting the lowest ratings of some touchpoints by a step.

    Parameters
    ----------
    score : answers to the NPS question, on `scale`; rows without one are left out
    drivers : ratings in whole points; all of them are held fixed but those that are lifted
    lifts : touchpoint -> whole points by which its ratings of at most `low` go up, up to the top of the scale
    weights, customer, missing, replicates, seed, level : as in `relative_importance`

    Returns
    -------
    DataFrame in the result shape: for every touchpoint lifted, and "joint" for all of them at once, the measures lifted
    (share of all answers whose rating goes up) and change (NPS points over all answers); ("model", "nps") is the NPS
    now, in points.

    Notes
    -----
    Promoter = +1, passive 0, detractor -1, least squares on a dummy for every rating of every touchpoint: additive, so
    the joint change is the sum, but a step from 1 to 2 may be worth more than one from 2 to 3. Who did not meet a
    touchpoint is not lifted. A change is what goes with better ratings among customers alike in the other ratings;
    ratings from one survey share a halo, so read it as an upper bound of what an improvement would cause.

    Examples
    --------
    >>> data = pd.DataFrame({"recommend": [10, 9, 8, 6, 3, 7, 9, 2], "staff": [5, 5, 4, 3, 1, 4, 4, 2]})
    >>> nps_what_if(data, "recommend", ["staff"], {"staff": 2}, replicates=20)["estimate"].round(1).tolist()
    [0.2, 16.7, 16.7, 0.0]
    """
    seen, (first, last) = view(data), ends(scale)
    given = checked(seen, score, drivers, None, weights, customer, missing, MOST_RATINGS)
    refuse(score_faults(counted(seen, score, [], {}), seen, score, first, last))
    points = _points(seen, given)
    _check_lifts(given.drivers, lifts, low, points)
    dummies = {}
    for driver in given.drivers:
        x = seen[driver]
        met = [~x.is_null()] if given.has_gaps(driver) else []
        # The top of the scale is the rating that the others are told against.
        dummies[driver] = [*met, *((x == point).fill_null(False) for point in points[driver][:-1])]
    answer = seen[score].cast(nw.Float64)
    u = 100 * ((answer >= last - 1).cast(nw.Float64) - (answer < last - 3).cast(nw.Float64))
    moments, places, beta, means = _fitted(seen, dummies, (score, u), given, customer, weights, replicates, seed)
    parts = []
    for driver, step in lifts.items():
        own = points[driver]
        where = list(places[given.drivers.index(driver)][1 - len(own) :])
        parts.append(lifted(np.array(own), means[:, where], beta[:, where], low, step))
    who, change = (np.stack(columns, axis=1) for columns in zip(*parts, strict=True))
    rows = [
        *estimates(list(lifts), "lifted", "share", who, level),
        *estimates(list(lifts), "change", "points", change, level),
    ]
    rows += estimates(["joint"], "change", "points", change.sum(axis=1, keepdims=True), level)
    rows += estimates(["model"], "nps", "points", means[:, -1:], level)
    told = (
        f"linear model of promoter less detractor, ratings <= {low:g} lifted{described(weights, customer, replicates)}"
    )
    return results({**row, "n": moments.rows, "method": told} for row in rows)


def lifted(
    points: np.ndarray, shares: np.ndarray, effects: np.ndarray, low: float, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Share of answers whose rating goes up, and what goes with it, each (replicates,).

    Parameters
    ----------
    points : ratings of the touchpoint, rising; the last is the top, the reference of the effects
    shares, effects : (replicates, ratings below the top), share of all answers, and coefficient
    low, step : ratings up to `low` go up by `step`, at most to the top
    """
    effects = np.column_stack([effects, np.zeros(len(effects))])
    up = np.flatnonzero((points <= low) & (points < points[-1]))
    to = np.searchsorted(points, np.minimum(points[up] + step, points[-1]))
    # Where a replicate has nobody to lift there is no change, whatever the effect.
    gains = np.where(shares[:, up] > 0, shares[:, up] * (effects[:, to] - effects[:, up]), 0.0)
    return shares[:, up].sum(axis=1), gains.sum(axis=1)


def _fitted(
    seen: View,
    dummies: Mapping[str, list[nw.Expr]],
    outcome: tuple[str, nw.Expr],
    given: Checked,
    customer: str | None,
    weights: str | None,
    replicates: int,
    seed: int,
) -> tuple[Moments, list[range], np.ndarray, np.ndarray]:
    """Whose dummies stand where, and, by replicate, their coefficients and means (last the outcome's)."""
    ends = np.cumsum([0, *(len(own) for own in dummies.values())])
    places = [range(start, end) for start, end in itertools.pairwise(ends)]
    terms = {f"dummy {i}": dummy for i, dummy in enumerate(itertools.chain(*dummies.values()))}
    moments = cross_products(seen, {**terms, "outcome": outcome[1]}, customer, weights, given.keep)
    check_variation(moments, given.drivers, places, [1.0] * (len(places) + 1), outcome[0])
    products = replicated_products(moments, replicates, seed)
    return moments, places, coefficients(covariance(products)), products[:, 0, 1:] / products[:, :1, 0]


def _points(seen: View, given: Checked) -> dict[str, list[int]]:
    """The ratings of every driver that occur, rising; whole points, and not many."""
    faults, found = _not_numbers(seen, given.drivers), {}
    refuse(faults)
    for driver in given.drivers:
        x = seen[driver]
        values = collect(distinct(seen.frame.filter(given.keep & ~x.is_null()).select(x.alias("x"))), order=["x"])["x"]
        if not len(values):
            faults.append(f"driver '{driver}' must have ratings, but nobody gave one; leave it out")
        elif len(values) > MOST_POINTS or (values % 1 != 0).any():
            faults.append(f"driver '{driver}' must be rated in whole points, at most {MOST_POINTS} different ones, but "
                          f"has {listed(values, most=5)}; round it or leave it out")  # fmt: skip
        else:
            found[driver] = [int(value) for value in values]
    refuse(faults)
    return found


def _check_lifts(drivers: Sequence[str], lifts: Mapping[str, int], low: float, points: Mapping[str, list[int]]) -> None:
    faults = [unknown("driver", name, drivers, "lifts") for name in lifts if name not in drivers]
    faults += [] if lifts else ["lifts must name at least one touchpoint and its step, such as {'contact_support': 1}"]
    for name, step in ((n, s) for n, s in lifts.items() if n in drivers):
        own = points[name]
        if isinstance(step, bool) or not isinstance(step, int) or step < 1:
            faults.append(f"lifts: '{name}' must go up by whole points, 1 or more, not {shortened(step)}")
        elif own[0] > low or own[-1] <= low:
            faults.append(f"lifts: '{name}' must have ratings up to low={low:g} and above, but has {own[0]} to "
                          f"{own[-1]}; name another low")  # fmt: skip
        else:
            gone = [p + step for p in own if p <= low and p + step < own[-1] and p + step not in own]
            faults += [f"lifts: nobody rates '{name}' with {p}, so that its effect is not known; choose another step"
                       for p in gone]  # fmt: skip
    refuse(faults)


def _not_numbers(seen: View, drivers: Sequence[str]) -> list[str]:
    return [f"driver '{d}' must be a rating in numbers, not {WORDS[seen.kind[d]]}; recode it"
            for d in drivers if d in seen.at and seen.kind[d] != NUMBER]  # fmt: skip
