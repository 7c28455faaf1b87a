"""Checks that travel with a driver analysis: collinearity, halo, and measures from operation beside ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from .cells import LARGEST
from .engine import NUMBER, View, collect, require, view
from .errors import CxError, refuse
from .moments import Moments, cross_products
from .player_checks import WORDS
from .players import player_moments
from .regression import covariance, pairwise_correlations
from .resample import described, estimates, replicated_products
from .schema import results

HIGH_INFLATION = 5.0


def collinearity(
    data: Any,
    outcome: str,
    drivers: Sequence[str],
    weights: str | None = None,
    missing: str | None = None,
) -> pd.DataFrame:
    """How much the other drivers widen the standard error of each one's effect.

    Parameters
    ----------
    outcome : rows without it are left out
    drivers, weights, missing : as in `relative_importance`

    Returns
    -------
    DataFrame in the result shape: for every driver variance_inflation (of the variance, unit "times"; 1 = not related
    to the others). The note says where it is 5 or more.

    Notes
    -----
    Of a rating with gaps: the rating within met, given everything about the other drivers. Of a factor: the generalised
    factor to the power 1 / df, which compares with the others (Fox & Monette 1992). Importance shares stand high
    inflation; single coefficients, penalties and what-ifs do not. Checked against statsmodels.

    Examples
    --------
    >>> answers = {"recommend": [10, 9, 8, 6, 3, 7], "staff": [5, 5, 4, 3, 1, 4], "price": [4, 3, 3, 3, 2, 1]}
    >>> data = pd.DataFrame(answers)
    >>> collinearity(data, "recommend", ["staff", "price"])["estimate"].round(2).tolist()
    [1.23, 1.23]
    """
    seen = view(data)
    moments, players = player_moments(seen, outcome, drivers, None, weights, None, missing, units=False)
    c = covariance(moments.products.sum(axis=0))[:-1, :-1]
    rows = []
    for driver, columns in zip(players.drivers, players.columns, strict=True):
        own = list(columns[-1:] if seen.kind[driver] == NUMBER else columns)
        times = inflation(c, own, [j for j in range(len(c)) if j not in columns])
        note = "hard to tell from the other drivers" if times >= HIGH_INFLATION else ""
        rows.append({"term": driver, "measure": "variance_inflation", "estimate": times, "note": note})
    common = {"n": moments.rows, "unit": "times", "method": f"all drivers together{', weighted' if weights else ''}"}
    return results(row | common for row in rows)


def halo(
    data: Any,
    ratings: Sequence[str],
    weights: str | None = None,
    customer: str | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """How far the ratings of one answer go up and down together, whatever they are about.

    Parameters
    ----------
    ratings : number columns, two or more; gaps are touchpoints not met
    weights, customer, replicates, seed, level : as in `relative_importance`

    Returns
    -------
    DataFrame in the result shape: ("ratings", "first_component"), share of the ratings' variance that one common
    impression tells, with the share that unrelated ratings would have in the note; ("ratings", "mean_correlation").

    Notes
    -----
    A high share means that people answer from a general mood as much as from what each touchpoint was like: the driver
    that is rated next to the mood takes credit for the others, and all effects are too large as causes. Measures from
    operation (time to resolution, failures) do not share it. First principal component of the correlations, each over
    those who met both touchpoints; a pair that nobody met counts with the mean. Source: Thorndike 1920.

    Examples
    --------
    >>> data = pd.DataFrame({"staff": [5, 5, 4, 3, 1, 4], "price": [4, 3, 3, 3, 2, 1]})
    >>> halo(data, ["staff", "price"], replicates=20)["estimate"].round(2).tolist()
    [0.71, 0.43]
    """
    seen, ratings = view(data), list(ratings)
    _check_numbers(seen, ratings, weights, customer, "rating", 2)
    moments = _pair_moments(seen, ratings, weights, customer)
    products = replicated_products(moments, replicates, seed)
    r = pairwise_correlations(products)
    pairs = np.triu_indices(len(ratings), 1)
    known = (~np.isnan(r[:, *pairs])).sum(axis=1)
    if not known[0]:
        raise CxError("at least two ratings must vary together over the same rows, none do; name touchpoints that the "
                      "same people have met")  # fmt: skip
    # A resample may hold nobody who met two of them, and says nothing then.
    mean = np.nansum(r[:, *pairs], axis=1) / np.where(known, known, np.nan)
    filled = np.where(np.isnan(r), np.where(known, mean, 0.0)[:, None, None], r)
    filled[:, range(len(ratings)), range(len(ratings))] = 1.0
    first = np.where(known, np.linalg.eigvalsh(filled)[:, -1] / len(ratings), np.nan)
    rows = [*estimates(["ratings"], "first_component", "share", first[:, None], level),
            *estimates(["ratings"], "mean_correlation", "correlation", mean[:, None], level)]  # fmt: skip
    rows[0]["note"] = f"{1 / len(ratings):.0%} if the ratings were unrelated"
    told = f"{len(ratings)} ratings, each pair where both were met{described(weights, customer, replicates)}"
    return results({**row, "n": moments.rows, "method": told} for row in rows)


def operational_measures(
    data: Any,
    measures: Sequence[str],
    ratings: Sequence[str],
    weights: str | None = None,
    customer: str | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """How what was measured in operation goes with what people say about it.

    Parameters
    ----------
    measures : number or yes/no columns from operation, such as service_failed
    ratings : number columns, such as contact_support or recommend
    weights, customer, replicates, seed, level : as in `relative_importance`

    Returns
    -------
    DataFrame in the result shape with the first column `operational` (the measure): for every rating its correlation
    with the measure, over the rows that have both (n).

    Notes
    -----
    A measure does not share the mood in which a survey is answered; where it goes with the score as well, the rating
    beside it is about more than mood. Pearson correlations; nan where either does not vary.

    Examples
    --------
    >>> data = pd.DataFrame({"late": [True, False, True, False], "staff": [2, 5, 3, 4]})
    >>> operational_measures(data, ["late"], ["staff"], replicates=20)["estimate"].round(2).tolist()
    [-0.89]
    """
    seen, measures, ratings = view(data), list(measures), list(ratings)
    _check_numbers(seen, [*measures, *ratings], weights, customer, "column", 2)
    moments = _pair_moments(seen, [*measures, *ratings], weights, customer)
    products = replicated_products(moments, replicates, seed)
    r, k = pairwise_correlations(products), len(measures)
    both = _rows_with_both(seen, measures, ratings)
    rows = []
    for i, measure in enumerate(measures):
        for row, n in zip(estimates(ratings, "correlation", "correlation", r[:, i, k:], level), both[i], strict=True):
            rows.append(row | {"operational": measure, "n": n})
    told = f"Pearson correlation{described(weights, customer, replicates)}"
    return results(({**row, "method": told} for row in rows), by=["operational"])


def inflation(c: np.ndarray, own: Sequence[int], others: Sequence[int]) -> float:
    """Generalised variance inflation of columns beside the others, to the power 1 / df, from their covariance."""
    if not others:
        return 1.0
    block, across = c[np.ix_(own, own)], c[np.ix_(own, others)]
    left = block - across @ np.linalg.pinv(c[np.ix_(others, others)], hermitian=True) @ across.T
    return float((np.linalg.det(block) / max(np.linalg.det(left), 1e-300)) ** (1 / len(own)))


def _pair_moments(seen: View, columns: Sequence[str], weights: str | None, customer: str | None) -> Moments:
    """Of every column: whether it is there, its value and its square, as `pairwise_correlations` takes them."""
    numbers = [seen[name].cast(nw.Float64) for name in columns]
    means = collect(seen.frame.select(x.mean().alias(f"m{i}") for i, x in enumerate(numbers))).iloc[0].fillna(0.0)
    terms: dict[str, nw.Expr] = {}
    for i, x in enumerate(numbers):
        near = (x - float(means.iloc[i])).fill_null(0.0)
        terms |= {f"there {i}": ~x.is_null(), f"value {i}": near, f"square {i}": near * near}
    return cross_products(
        seen, terms, customer, weights, nw.any_horizontal(*(~x.is_null() for x in numbers), ignore_nulls=True)
    )


def _rows_with_both(seen: View, measures: Sequence[str], ratings: Sequence[str]) -> np.ndarray:
    pairs = [(~seen[a].is_null() & ~seen[b].is_null()).cast(nw.Float64).sum() for a in measures for b in ratings]
    found = collect(seen.frame.select(e.alias(f"p{i}") for i, e in enumerate(pairs))).iloc[0].fillna(0.0)
    return found.to_numpy(float).reshape(len(measures), len(ratings)).astype(int)


def _unfit(seen: View, columns: Sequence[str]) -> list[tuple[str, str]]:
    """Columns without two values or with an infinite one, and what is wrong."""
    asked: dict[str, nw.Expr] = {}
    for i, x in enumerate(seen[c].cast(nw.Float64) for c in columns):
        asked |= {f"a{i}": x.min(), f"b{i}": x.max()}
    found = collect(seen.frame.select(e.alias(name) for name, e in asked.items())).iloc[0].astype(float)
    ends = [(c, found[f"a{i}"], found[f"b{i}"]) for i, c in enumerate(columns)]
    odd = [end for end in ends if not (end[1] < end[2] and max(-end[1], end[2]) <= LARGEST)]
    return [
        (c, "no value" if low != low else "infinite values" if low < high else "one value in all rows")
        for c, low, high in odd
    ]


def _check_numbers(
    seen: View, columns: Sequence[str], weights: str | None, customer: str | None, what: str, fewest: int
) -> None:
    require(seen, [*columns, *filter(None, (weights, customer))])
    schema = seen.frame.collect_schema()
    odd = [c for c in columns if seen.kind[c] != NUMBER and schema[seen.at[c]] != nw.Boolean]
    faults = [f"{what} '{c}' must be a number or yes/no, not {WORDS[seen.kind[c]]}" for c in odd]
    faults += [f"at least {fewest} {what}s must be named, not {len(columns)}"] if len(columns) < fewest else []
    if not faults:
        faults += [f"{what} '{c}' must vary over finite numbers, but has {told}; leave it out or recode it"
                   for c, told in _unfit(seen, columns)]  # fmt: skip
    if weights and not faults:
        empty = collect(seen.frame.select(seen[weights].is_null().cast(nw.Float64).sum().alias("k")))["k"][0]
        faults += [f"weights '{weights}' must be given in every row, but {empty:,.0f} are empty"] if empty else []
    refuse(faults)
