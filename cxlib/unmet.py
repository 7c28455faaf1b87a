"""Touchpoints that not everyone meets: their effect where met, their share over all, and what dropping rows says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from . import importance
from .engine import NUMBER, View, view
from .errors import CxError, LostData, refuse, unknown
from .player_checks import MOST_PLAYERS
from .players import Checked, checked, player_moments
from .regression import coefficients, covariance
from .resample import described, estimates, replicated_products
from .schema import results

EVERYONE, MET, DROPPED = "everyone", "met it", "dropped"


def not_met_comparison(
    data: Any,
    outcome: str,
    drivers: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    touchpoints: Sequence[str] | None = None,
    weights: str | None = None,
    customer: str | None = None,
    replicates: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share and effect of touchpoints over everyone, among those who met them, and with incomplete rows dropped.

    Parameters
    ----------
    outcome : number column; rows without it are left out
    drivers, groups, weights, customer, seed, level : as in `relative_importance`; a gap is a touchpoint not met
    touchpoints : drivers or groups to tell of (default: the groups, and every driver with gaps)

    Returns
    -------
    DataFrame in the result shape with the first column `rows`: "everyone" ("met" or not and the rating within met are
    one player), "met it" (only answers of those who met the touchpoint, or any of the group), "dropped" (only answers
    with a rating of every driver). Measures: share (of R², LMG; of a driver, its Owen value) and, of ratings,
    coefficient (points of the outcome for one point of rating, beside the other drivers; of all members where only
    groups are named). Without an estimate, the note says why.

    Notes
    -----
    The three answer different questions; only the first is about all customers. Dropping keeps those who met
    everything, who are few and, as a rule, have had trouble. Checked against the simulator's known importance.

    Examples
    --------
    >>> data = pd.DataFrame({"recommend": [10, 9, 8, 6, 3, 7] * 5, "price": [4, 3, 3, 3, 2, 1] * 5})
    >>> data["phone"] = [5.0, None, None, 4.0, 1.0, None] * 5
    >>> table = not_met_comparison(data, "recommend", ["phone", "price"], replicates=20)
    >>> table.loc[table["measure"] == "share", ["rows", "estimate", "n"]].round(2).to_numpy().tolist()
    [['everyone', 0.78, 30], ['met it', 0.44, 15], ['dropped', 0.44, 15]]
    """
    seen = view(data)
    given = checked(seen, outcome, drivers, groups, weights, customer, "not_met")
    asked = _asked(given, touchpoints)
    named = {"outcome": outcome, "drivers": given.drivers, "groups": groups, "weights": weights, "customer": customer}
    drawn = (replicates, seed, level, set(asked) <= {name for name, _ in given.groups})
    rows = [row | {"rows": EVERYONE} for row in _solved(seen, named, asked, "not_met", drawn)]
    for term, members in asked.items():
        met = _who_met(seen, [given.drivers[j] for j in members])
        rows += [row | {"rows": MET} for row in _solved(met, named, {term: members}, "not_met", drawn)]
    rows += [row | {"rows": DROPPED} for row in _solved(seen, named, asked, "drop", drawn)]
    told = f"LMG and linear model{described(weights, customer, replicates)}"
    return results(({"method": told, "level": level, **row} for row in rows), by=["rows"])


def _asked(given: Checked, touchpoints: Sequence[str] | None) -> dict[str, tuple[int, ...]]:
    """The terms to tell of, named as in `relative_importance`, and their drivers."""
    gaps = [j for j, driver in enumerate(given.drivers) if given.has_gaps(driver)]
    refuse([] if gaps else ["some driver must have gaps (a touchpoint not met), but all have a value in every row"])
    terms = dict(given.groups)
    for name, members in given.groups:
        if members != (given.drivers.index(name) if name in given.drivers else -1,):
            terms |= {f"{name}/{given.drivers[j]}": (j,) for j in members}
    if touchpoints is None:
        return {term: members for term, members in terms.items() if set(members) & set(gaps)}
    short = {term.rpartition("/")[2]: term for term in reversed(terms)} | {term: term for term in terms}
    refuse(unknown("driver or group", name, short, "touchpoints") for name in touchpoints if name not in short)
    return {short[name]: terms[short[name]] for name in touchpoints}


def _who_met(seen: View, members: Sequence[str]) -> View:
    """The answers of those who met any of these touchpoints."""
    met = nw.any_horizontal(*(~seen[driver].is_null() for driver in members), ignore_nulls=True)
    return View(seen.frame.filter(met), seen.at, seen.kind)


def _solved(
    seen: View,
    named: Mapping[str, Any],
    asked: Mapping[str, tuple[int, ...]],
    missing: str,
    drawn: tuple[int, int, float, bool],
) -> Iterator[dict[str, Any]]:
    """Shares and coefficients of the touchpoints; where these rows cannot carry a model, the reason instead.

    `whole`: only groups are asked for, of which the coefficients of all members are told.
    """
    replicates, seed, level, whole = drawn
    try:
        moments, players = player_moments(seen, **named, missing=missing)
    except LostData:
        raise
    except CxError as error:
        for term in asked:
            yield {"term": term, "measure": "share", "unit": "share", "note": error.faults[0]}
        return
    every = covariance(replicated_products(moments, replicates, seed))
    groups = [group for group, _ in players.groups]
    # Groups alone need no more sets of players than there are of groups.
    shares = importance.shares(importance.lmg(every, players, len(groups) if whole else MOST_PLAYERS))
    beta = coefficients(every)
    for term, members in asked.items():
        at = groups.index(term) if term in groups else len(groups) + members[0]
        rows = [*estimates([term], "share", "share", shares[:, [at]], level)]
        for j in (j for j in members if (whole or len(members) == 1) and seen.kind[players.drivers[j]] == NUMBER):
            name, rating = f"{term}/{players.drivers[j]}" if len(members) > 1 else term, players.columns[j][-1]
            rows += estimates([name], "coefficient", "points per point", beta[:, [rating]], level)
        yield from (row | {"n": moments.rows} for row in rows)
