"""Net Promoter Score of a frame: one grouped query, then pure numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import engine, intervals, scores
from .errors import refuse
from .schema import TOO_FEW, results

POINTS = 100.0  # an NPS is told in points, from -100 to 100
PARTS = {"weights": "weights", "strata": "strata", "cluster": "clusters"}
NO_SPREAD = 1e-9  # a standard error below this share is a rounding error of 0
Row = dict[str, Any]


def nps(
    data: Any,
    score: str = "recommend",
    by: str | Sequence[str] | None = None,
    weights: str | None = None,
    strata: str | None = None,
    cluster: str | None = None,
    level: float = 0.95,
    interval: str = "tango",
    scale: tuple[int, int] = (0, 10),
) -> pd.DataFrame:
    """Net Promoter Score: share of promoters minus share of detractors, in points from -100 to 100.

    Parameters
    ----------
    data : frame, one row per answer or customer
    score : column of the answers, whole points of `scale`; an empty score is no answer
    by : column or columns to group by
    weights, strata, cluster : columns of the sampling design; weights 0 or more, clusters numbered within strata
    level : confidence, between 0 and 1
    interval : "tango", "adjusted_wald" or "wald"; a design leaves no counts for them and takes Wald
    scale : first and last of 10 or 11 points; the top two are promoters, the next two passives

    Returns
    -------
    One row a group in the result columns: term and measure "nps"; estimate, std_error (divisor n) and limits in points.

    Raises
    ------
    CxError : a missing column, text, points outside the scale, a scale from 1 that was not declared.

    Notes
    -----
    No interval is without width: where all answers are alike, Tango's stands in and `method` says so. The variance of
    a design is linearised; rows outside the group or without a score stay in the sample (domain estimation).
    Checked against R survey (api schools, SFO passengers).

    Source: Reichheld (2003); Tango (1998); Rocks (2016); Binder (1983).

    >>> nps(pd.DataFrame({"recommend": [10, 9, 9, 8, 3]}))[["estimate", "n"]].to_numpy().tolist()
    [[40.0, 5.0]]
    """
    groups, (first, last) = scores.grouping(by), scores.ends(scale)
    intervals.quantile(level)
    refuse(intervals.unknown_method(interval))
    design = {"weights": weights, "strata": strata, "cluster": cluster}
    seen = engine.view(data)
    engine.require(seen, [score, *groups, *(name for name in design.values() if name)])
    counts = scores.counted(seen, score, groups, design)
    refuse([*scores.design_faults(counts, seen, design), *scores.score_faults(counts, seen, score, first, last)])
    counts["u"] = scores.classes(counts["score"], last)
    levels = scores.levels(counts, groups)
    if any(design.values()):
        numbers = _linearised(counts, len(levels), level, design)
    else:
        numbers = _simple(counts, len(levels), level, interval)
    shared = {"term": "nps", "measure": "nps", "level": level, "unit": "points"}
    named = (dict(zip(groups, key, strict=True)) for key in levels)
    return results([{**name, **shared, **row} for name, row in zip(named, numbers, strict=True)], groups)


def design_effect(
    data: Any, weights: str, score: str = "recommend", by: str | Sequence[str] | None = None
) -> pd.DataFrame:
    """Kish's design effect n Σw² / (Σw)² of the weights among the answers, and the effective number of answers.

    Parameters
    ----------
    data, weights, score, by : as in `nps`

    Returns
    -------
    Result columns; measures design_effect (ratio, 1 = equal weights) and effective_n (answers), one of each a group.

    Notes
    -----
    Every score that is not empty is an answer, whatever the scale. Checked against R on the SFO passenger survey.

    Source: Kish (1965).

    >>> design_effect(pd.DataFrame({"recommend": [10, 9, 3], "w": [1, 1, 2]}), "w")["estimate"].round(3).tolist()
    [1.125, 2.667]
    """
    groups, design = scores.grouping(by), {"weights": weights}
    seen = engine.view(data)
    engine.require(seen, [score, weights, *groups])
    counts = scores.counted(seen, score, groups, design)
    refuse(scores.design_faults(counts, seen, design))
    levels = scores.levels(counts, groups)
    counts = counts[counts["score"].notna()]
    n, total, square = (scores.per_group(counts, len(levels), counts[name]) for name in ("rows", "weight", "square"))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"design_effect": (n * square / total**2, "ratio"), "effective_n": (total**2 / square, "answers")}
    rows = [
        {**dict(zip(groups, key, strict=True)), "term": "nps", "measure": measure, "estimate": values[i], "n": n[i],
         "unit": unit, "method": "Kish", "note": "" if total[i] > 0 else TOO_FEW}
        for i, key in enumerate(levels) for measure, (values, unit) in found.items()
    ]  # fmt: skip
    return results(rows, groups)


def _simple(counts: pd.DataFrame, groups: int, level: float, interval: str) -> list[Row]:
    """A simple random sample: counts a group, standard error with divisor n, the chosen interval."""
    down, middle, up = scores.class_counts(counts, groups)
    n, _, variance = intervals.moments(down, middle, up)
    lower, upper, method = intervals.nps_limits(interval, down, middle, up, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(variance / n)
        points = POINTS * (up - down) / n  # in this order 35 of 250 give 14, not 14.000000000000002
    return _rows(points, error, lower, upper, n, method, [""] * groups)


def _linearised(counts: pd.DataFrame, groups: int, level: float, design: Mapping[str, str | None]) -> list[Row]:
    """A design: linearised standard error a group, Wald limits within the scale."""
    counts["stratum"], sampled = _strata(counts)
    rows = counts[counts["u"].notna()].copy()
    down, middle, up = scores.class_counts(rows, groups, "weight")
    total, s, _ = intervals.moments(down, middle, up)
    spread = _spread(rows, s, total)
    clusters = sampled[spread["stratum"]]
    error = np.sqrt(scores.per_group(spread, groups, intervals.stratum_variance(spread["z"], spread["zz"], clusters)))
    half = intervals.quantile(level) * error
    lower, upper = np.maximum(s - half, -1.0), np.minimum(s + half, 1.0)
    name = "linearised, " + " + ".join(PARTS[part] for part in PARTS if design[part])
    method = np.full(groups, f"{name}; Wald", dtype=object)
    # Answers all alike, or all of one cluster, show the linearisation no spread: Tango on what the weights are worth.
    flat = (error < NO_SPREAD) & (total > 0)
    units, square = (scores.per_group(spread, groups, spread[column]) for column in ("units", "square"))
    worth = total[flat] / square[flat]
    lower[flat], upper[flat] = intervals.tango(down[flat] * worth, middle[flat] * worth, up[flat] * worth, level)
    method[flat] = f"{name}; Tango score on effective answers (no spread)"
    lonely = scores.per_group(spread, groups, (clusters == 1) & (len(sampled) > 1))
    note = [f"{k:.0f} strata with a single cluster or row: compared with the overall mean" if k else "" for k in lonely]
    n = scores.per_group(rows, groups, rows["rows"])
    return _rows(POINTS * s, np.where(units > 1, error, np.nan), lower, upper, n, method, note)


def _strata(counts: pd.DataFrame) -> tuple[pd.Series, np.ndarray]:
    """Each row's stratum as a number, and the sampled clusters (or rows) of each stratum, answered or not."""
    stratum = pd.Series(0, index=counts.index)
    if "strata" in counts:
        stratum = counts.groupby("strata", dropna=False, observed=True).ngroup()
    if "cluster" not in counts:
        return stratum, np.bincount(stratum, weights=counts["rows"])
    pairs = pd.DataFrame({"stratum": stratum, "cluster": counts["cluster"]}).drop_duplicates()
    return stratum, np.bincount(pairs["stratum"])


def _spread(rows: pd.DataFrame, s: np.ndarray, total: np.ndarray) -> pd.DataFrame:
    """By group and stratum: sums of the linearised values z of the clusters (or rows), of z² and of squared weights."""
    share = (rows["u"] - s[rows["group"]]) / total[rows["group"]]
    rows = rows.assign(z=rows["weight"] * share, zz=rows["square"] * share**2, units=rows["rows"])
    if "cluster" in rows:
        rows = rows.groupby(["group", "stratum", "cluster"], observed=True, as_index=False)[["z", "weight"]].sum()
        rows = rows.assign(zz=rows["z"] ** 2, square=rows["weight"] ** 2, units=1)
    return rows.groupby(["group", "stratum"], as_index=False)[["z", "zz", "square", "units"]].sum()


def _rows(points: Any, error: Any, lower: Any, upper: Any, n: Any, method: Any, note: Any) -> list[Row]:
    numbers = zip(points, POINTS * error, POINTS * lower, POINTS * upper, n, method, note, strict=True)
    names = ("estimate", "std_error", "lower", "upper", "n", "method", "note")
    rows = [dict(zip(names, row, strict=True)) for row in numbers]
    unknown = {"std_error": np.nan, "lower": np.nan, "upper": np.nan, "note": TOO_FEW}
    return [{**row, **unknown} if np.isnan(row["estimate"]) else row for row in rows]
