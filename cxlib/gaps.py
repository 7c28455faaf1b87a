"""Where service, experience and satisfaction part: excellent service and poor experience, CSAT against NPS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import stats

from . import logistic
from .cells import LARGEST, count_cells
from .engine import FACTOR, NUMBER, View, bucketed, collect, require, view
from .errors import CxError, refuse, unknown
from .intervals import wilson
from .moments import cross_products
from .player_checks import WORDS, promoter_faults
from .schema import results

GAP, REVERSE = "excellent service, poor experience", "poor service, promoter"
FOLDS = 10


def service_gap(
    data: Any,
    score: str,
    service: Sequence[str],
    others: Sequence[str] = (),
    excellent: float = 5,
    poor: float = 6,
    weights: str | None = None,
    customer: str | None = None,
    low: float = 2,
    promoters_from: float = 9,
    level: float = 0.95,
) -> pd.DataFrame:
    """How often excellent service goes with a poor experience, what those customers rated low, and the reverse case.

    Parameters
    ----------
    score : number column; rows without it are left out
    service, others : ratings; a gap is a touchpoint not met
    excellent : service is excellent if every service rating given is at least this (default: the top of five)
    poor, promoters_from : a score of at most `poor` is a poor experience, one of `promoters_from` or more a promoter
    low : a rating of at most this is low; service is poor if any service rating is low
    weights, customer : survey weight; the unit that answers more than once

    Returns
    -------
    DataFrame in the result shape, all shares: for the gap and the reverse case of_met (of those who met service) and
    of_excellent, or of_poor (of those with such service; n counts them); for every other driver low_in_gap and
    low_in_rest (of those in the gap, and of the others with excellent service, who rated it) and their difference.

    Notes
    -----
    Wilson intervals; with weights or customers, of the number of answers that would have the linearised error.
    Differences by squaring and adding the limits of both (Newcombe 1998). Checked against statsmodels and brute force.

    Examples
    --------
    >>> data = pd.DataFrame({"recommend": [10, 6, 9, 3], "phone": [5, 5, 2, 1], "price": [4, 2, 5, 3]})
    >>> service_gap(data, "recommend", ["phone"], ["price"])["estimate"].round(2).tolist()
    [0.25, 0.5, 0.25, 0.5, 1.0, 0.0, 1.0]
    """
    seen, service, others = view(data), list(service), list(others)
    _check(seen, [score, *service, *others], weights, customer, promoters_from)
    refuse([] if service else ["service must name at least one rating"])
    least = nw.min_horizontal(*(seen[s] for s in [*service, service[0]]))  # twice the first: Spark's takes two or more
    great, bad, met = least >= excellent, least <= low, ~least.is_null()
    groups = {"met": met, "excellent": great, "poor": bad, GAP: great & (seen[score] <= poor),
              "rest": great & (seen[score] > poor), REVERSE: bad & (seen[score] >= promoters_from)}  # fmt: skip
    for other in others:
        groups |= {f"{other} rated": ~seen[other].is_null(), f"{other} low": seen[other] <= low}
    counts = _counts(seen, groups, weights, customer, ~seen[score].is_null())
    if not counts.rows[counts.at["met"], counts.at["met"]]:
        raise CxError(f"somebody must have rated {' or '.join(service)} and given a score, but nobody has")
    ends = [(GAP, "met"), (GAP, "excellent"), (REVERSE, "met"), (REVERSE, "poor")]
    rows = [_share(counts, term, f"of_{of}", (term, term), (of, of), level) for term, of in ends]
    for other in others:
        parts = [_share(counts, other, f"low_in_{name}", (group, f"{other} low"), (group, f"{other} rated"), level)
                 for name, group in (("gap", GAP), ("rest", "rest"))]  # fmt: skip
        rows += [*parts, _difference(other, *parts)]
    return results({"unit": "share", "level": level, "method": _method(counts), **row} for row in rows)


def satisfaction_overlap(
    data: Any,
    score: str,
    satisfaction: str,
    satisfied_from: float = 4,
    promoters_from: float = 9,
    weights: str | None = None,
    customer: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How far the satisfied (CSAT) and the promoters (NPS) are the same customers.

    Parameters
    ----------
    score, satisfaction : number columns; rows without either are left out
    satisfied_from, promoters_from : the lowest answer that counts as satisfied, as a promoter
    weights, customer : survey weight; the unit that answers more than once

    Returns
    -------
    DataFrame in the result shape, all shares with Wilson intervals: the four combinations (measure overlap, of all);
    ("promoters", "satisfied") and ("satisfied", "promoters"), of the promoters and of the satisfied.

    Examples
    --------
    >>> data = pd.DataFrame({"recommend": [10, 8, 9, 3], "csat": [5, 5, 3, 1]})
    >>> satisfaction_overlap(data, "recommend", "csat")["estimate"].tolist()
    [0.25, 0.25, 0.25, 0.25, 0.5, 0.5]
    """
    seen = view(data)
    _check(seen, [score, satisfaction], weights, customer, promoters_from)
    happy, loyal = seen[satisfaction] >= satisfied_from, seen[score] >= promoters_from
    four = {"satisfied, promoter": happy & loyal, "satisfied, not a promoter": happy & ~loyal,
            "not satisfied, promoter": ~happy & loyal, "neither": ~happy & ~loyal}  # fmt: skip
    both = ~seen[score].is_null() & ~seen[satisfaction].is_null()
    groups = four | {"all": both, "happy": happy, "loyal": loyal}
    counts = _counts(seen, groups, weights, customer, both)
    if not counts.rows[counts.at["all"], counts.at["all"]]:
        raise CxError(f"somebody must have answered both '{score}' and '{satisfaction}', but nobody has")
    rows = [_share(counts, name, "overlap", (name, name), ("all", "all"), level) for name in four]
    same = ("satisfied, promoter",) * 2
    rows += [_share(counts, "promoters", "satisfied", same, ("loyal", "loyal"), level),
             _share(counts, "satisfied", "promoters", same, ("happy", "happy"), level)]  # fmt: skip
    return results({"unit": "share", "level": level, "method": _method(counts), **row} for row in rows)


def attrition_prediction(
    data: Any,
    outcome: str = "left",
    scores: Sequence[str] = ("recommend", "satisfaction"),
    customer: str | None = None,
    level: float = 0.95,
    against: str | None = None,
) -> pd.DataFrame:
    """What each score tells about who leaves, and what it adds to the others, on customers it was not fitted to.

    Parameters
    ----------
    data : frame with one row per customer, such as a landmark frame
    outcome : true/false or 0/1 column
    scores : number columns; no answer is an answer of its own; or factors, whose every level is
    against : one of the scores; the others are then also set against it
    customer : by whose hash the ten folds are made (default: the row's place)

    Returns
    -------
    DataFrame in the result shape, in log likelihood per 1,000 customers: for every score alone (how much better it
    predicts than the overall rate) and added (than the other scores); ("all", "alone"): all scores together; and
    against (than the score of that name alone).

    Notes
    -----
    Logit on the score and on having answered, fitted to nine folds, judged on the tenth. Below 0: worse than nothing.
    Normal intervals of the mean difference between customers. Prediction, not cause.

    Examples
    --------
    >>> data = pd.DataFrame({"left": [True, False, False] * 40, "satisfaction": [1, 4, 5] * 40})
    >>> attrition_prediction(data, scores=["satisfaction"])["estimate"].round().tolist()
    [637.0, 637.0, 637.0]
    """
    seen, scores = view(data), list(scores)
    require(seen, [*scores, outcome, *filter(None, (customer,))])
    _check(seen, [score for score in scores if seen.kind[score] != FACTOR], None, customer)
    refuse([unknown("score", against, scores, "against")] if against and against not in scores else [])
    columns, kinds = {"fold": nw.col("bucket"), "y": seen[outcome]}, {"fold": NUMBER, "y": seen.kind[outcome]}
    for i, score in enumerate(scores):
        told = seen[score].cast(nw.String if seen.kind[score] == FACTOR else nw.Float64)
        columns |= {f"there{i}": (~seen[score].is_null()).cast(nw.Float64),
                    f"value{i}": told.fill_null("" if seen.kind[score] == FACTOR else 0.0)}  # fmt: skip
        kinds |= {f"there{i}": NUMBER, f"value{i}": seen.kind[score]}
    lazy = bucketed(seen, customer, FOLDS).select(e.alias(name) for name, e in columns.items())
    plain = View(lazy, {c: c for c in columns}, kinds)
    cells = count_cells(plain, [c for c in columns if c != "y"], "y", units=False)
    x, n, events = cells.levels, cells.n.sum(axis=0), cells.events.sum(axis=0)
    if not 0 < events.sum() < n.sum():
        raise CxError(f"outcome '{outcome}' must have customers who left and customers who stayed; all are alike")
    fold = x["fold"].to_numpy(int)

    def predicted(chosen: Sequence[int]) -> np.ndarray:
        return held_out(np.column_stack([np.ones(len(x)), *(_entered(x, i) for i in chosen)]), n, events, fold)

    everything = list(range(len(scores)))
    none, full = predicted([]), predicted(everything)
    alone = [predicted([i]) - none for i in everything]
    gains = [(scores[i], "alone", alone[i]) for i in everything]
    gains += [(score, "added", full - predicted([j for j in everything if j != i])) for i, score in enumerate(scores)]
    gains.append(("all", "alone", full - none))
    if against:
        gains += [(scores[i], "against", alone[i] - alone[scores.index(against)]) for i in everything
                  if scores[i] != against]  # fmt: skip
    common = {"level": level, "n": int(n.sum()), "unit": "log likelihood per 1,000 customers",
              "method": f"logit, {FOLDS} folds by a hash of the {'customer' if customer else 'row'}"}  # fmt: skip
    return results({"term": term, "measure": measure, **_mean(gain, n, events, level), **common}
                   for term, measure, gain in gains)  # fmt: skip


def _entered(x: pd.DataFrame, i: int) -> np.ndarray:
    """The columns with which a score enters: whether it is there, and its value; of a factor, every level but one."""
    there, value = x[f"there{i}"], x[f"value{i}"]
    factor = [value == level for level in sorted(set(value))[1:]] if value.dtype.kind not in "fiu" else [value]
    return np.column_stack([there, *factor]).astype(float)


def held_out(x: np.ndarray, n: np.ndarray, events: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Log-likelihood of staying and of leaving in every cell, (2, cells), by the model fitted to the other folds.

    As many customers as parameters, who leave at the overall rate, are spread over the cells (Clogg et al. 1991).
    Without them a handful nobody of whom left would be called certain to stay, and one leaver in the fold left out
    would count for more than all others.
    """
    folds = np.unique(fold)
    train = fold[None, :] != folds[:, None]
    varies = np.r_[True, np.ptp(x[:, 1:], axis=0) > 0]
    known, left = n * train, events * train
    more, rate = varies.sum() / len(x), left.sum(axis=1, keepdims=True) / known.sum(axis=1, keepdims=True)
    beta = logistic.fit(x[:, varies], known + more, left + more * rate)[np.searchsorted(folds, fold)]
    eta = (x[:, varies] * beta).sum(axis=1)
    return -np.logaddexp(0.0, np.stack([eta, -eta]))


def _mean(gain: np.ndarray, n: np.ndarray, events: np.ndarray, level: float) -> dict[str, float]:
    """Mean gain of 1,000 customers, from the gains of staying and of leaving in every cell."""
    counts = np.stack([n - events, events])
    mean = (gain * counts).sum() / n.sum()
    error = np.sqrt((counts * (gain - mean) ** 2).sum()) / n.sum()
    away = stats.norm.ppf((1 + level) / 2) * error
    values = {"estimate": mean, "std_error": error, "lower": mean - away, "upper": mean + away}
    return {name: 1000 * float(value) for name, value in values.items()}


@dataclass(frozen=True)
class _Counts:
    """Sums over the rows that are in two groups at once, by unit, with weights and without."""

    at: Mapping[str, int]
    weighted: np.ndarray  # (units, groups, groups)
    rows: np.ndarray  # (groups, groups)
    plain: bool  # every row counts the same and is a unit of its own


def _counts(
    seen: View, groups: Mapping[str, nw.Expr], weights: str | None, customer: str | None, keep: nw.Expr
) -> _Counts:
    terms = {name: group.fill_null(False) for name, group in groups.items()}
    moments = cross_products(seen, terms, customer, weights, keep)
    rows = cross_products(seen, terms, keep=keep, units=False) if weights else moments
    at = {name: 1 + i for i, name in enumerate(groups)}
    return _Counts(at, moments.products, rows.products.sum(axis=0), not weights and not customer)


def _share(
    counts: _Counts, term: str, measure: str, part: tuple[str, str], whole: tuple[str, str], level: float
) -> dict[str, Any]:
    """The share of the rows of `whole` that are in `part`; both are what two groups have in common."""
    (a, b), (c, d) = ((counts.at[one], counts.at[two]) for one, two in (part, whole))
    hits, total = counts.weighted[:, a, b], counts.weighted[:, c, d]
    n, sum_ = counts.rows[c, d], total.sum()
    row = {"term": term, "measure": measure, "n": n}
    if not sum_ > 0:
        return row
    share, worth = hits.sum() / sum_, float(n)
    error = np.sqrt(share * (1 - share) / n)
    if not counts.plain:
        # Wilson's interval of as many answers as would have this error; of Kish's number where they are all alike.
        units = (total > 0).sum()
        error = np.sqrt(((hits - share * total) ** 2).sum() * units / max(units - 1, 1)) / sum_
        worth = share * (1 - share) / error**2 if error > 0 else sum_**2 / (total**2).sum()
    lower, upper = wilson(share * worth, worth, level)
    return row | {"estimate": share, "std_error": error, "lower": float(lower), "upper": float(upper)}


def _difference(term: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """First share less the second, by the distances of both from their limits (Newcombe's method 10)."""
    row = {"term": term, "measure": "difference", "n": min(one["n"], other["n"])}
    if "estimate" not in one or "estimate" not in other:
        return row
    apart = one["estimate"] - other["estimate"]
    down = np.hypot(one["estimate"] - one["lower"], other["upper"] - other["estimate"])
    up = np.hypot(one["upper"] - one["estimate"], other["estimate"] - other["lower"])
    error = np.hypot(one["std_error"], other["std_error"])
    return row | {"estimate": apart, "std_error": error, "lower": apart - down, "upper": apart + up}


def _method(counts: _Counts) -> str:
    return "Wilson" if counts.plain else "linearised; Wilson on effective rows"


def _check(
    seen: View, columns: Sequence[str], weights: str | None, customer: str | None, promoters_from: float | None = None
) -> None:
    """Refuse what is not there or not a finite number; with `promoters_from`, a first column that goes beyond it."""
    require(seen, [*columns, *filter(None, (weights, customer))])
    numbers = [*columns, *filter(None, (weights,))]
    refuse(f"column '{c}' must hold numbers, not {WORDS[seen.kind[c]]}; recode it"
           for c in numbers if seen.kind[c] != NUMBER)  # fmt: skip
    x = [seen[c].cast(nw.Float64) for c in columns]
    found = collect(seen.frame.select(
        *((e.abs() > LARGEST).cast(nw.Float64).sum().alias(f"e{i}") for i, e in enumerate(x)), x[0].max().alias("most")
    )).iloc[0].fillna(0.0)  # fmt: skip
    refuse(f"column '{c}' must hold finite numbers, but {found[f'e{i}']:,.0f} are infinite or beyond "
           f"{LARGEST:g}; recode them"
           for i, c in enumerate(columns) if found[f"e{i}"])  # fmt: skip
    if promoters_from is not None and found["most"] > promoters_from + 1:
        refuse(promoter_faults(columns[0], found["most"], promoters_from))
    if not weights:
        return
    w = seen[weights].cast(nw.Float64)
    beyond = (w.is_null() | ~w.is_between(0, LARGEST)).cast(nw.Float64).sum()
    odd = collect(seen.frame.select(beyond.alias("k")))["k"][0]
    refuse([f"weights '{weights}' must be finite and 0 or more in every row, but {odd:,.0f} are not or are empty"]
           if odd else [])  # fmt: skip
