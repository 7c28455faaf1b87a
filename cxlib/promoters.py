"""Net Promoter Score of a frame: one grouped query, then pure numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from . import changes, engine, intervals, scores
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


def nps_differences(
    data: Any,
    by: str,
    score: str = "recommend",
    weights: str | None = None,
    strata: str | None = None,
    cluster: str | None = None,
    level: float = 0.95,
    scale: tuple[int, int] = (0, 10),
) -> pd.DataFrame:
    """NPS of each group less that of all others together, and whether it differs by more than many looks explain.

    Parameters
    ----------
    data, score, weights, strata, cluster, level, scale : as in `nps`
    by : column to group by, of two groups or more

    Returns
    -------
    Result columns; term "nps", measure "difference", in points; n answers of the group. The note says which groups
    differ: Benjamini-Hochberg over the groups, at a false discovery rate of 1 - level.

    Raises
    ------
    CxError : the faults of `nps`.

    Notes
    -----
    Limits are those of each difference alone. Without a design as in `compare_nps`; with one linearised, the rows of
    both sides together, so that strata and clusters that hold rows of both are allowed for.

    Source: Benjamini & Hochberg (1995).

    >>> data = pd.DataFrame({"recommend": [10, 9, 9, 3, 2, 7], "plan": ["a", "a", "a", "b", "b", "b"]})
    >>> nps_differences(data, "plan")["estimate"].round(1).tolist()
    [166.7, -166.7]
    """
    groups, (first, last) = scores.grouping(by), scores.ends(scale)
    z, design = intervals.quantile(level), {"weights": weights, "strata": strata, "cluster": cluster}
    seen = engine.view(data)
    engine.require(seen, [score, *groups, *(name for name in design.values() if name)])
    counts = scores.counted(seen, score, groups, design)
    refuse([*scores.design_faults(counts, seen, design), *scores.score_faults(counts, seen, score, first, last)])
    counts["u"], levels = scores.classes(counts["score"], last), scores.levels(counts, groups)
    counts["stratum"], sampled = _strata(counts)
    answered, rows = counts[counts["u"].notna()], []
    for place, key in enumerate(levels):
        inside = answered["group"] == place
        found = (_apart_by_design(answered, inside, sampled, z) if any(design.values()) else
                 _apart_by_counts(answered, inside, level))  # fmt: skip
        numbers = dict(zip(("estimate", "std_error", "lower", "upper"), POINTS * np.array(found), strict=True))
        rows.append({**dict(zip(groups, key, strict=True)), **numbers, "n": answered.loc[inside, "rows"].sum()})
    method = "linearised; Wald" if any(design.values()) else "adjusted Wald"
    common = {"term": "nps", "measure": "difference", "level": level, "unit": "points", "method": method}
    told = zip(rows, _beyond_chance(rows, 1 - level), strict=True)
    note = f"differs from the others (false discovery rate {1 - level:.0%})"
    return results(({**common, **row, "note": note if differs else ""} for row, differs in told), groups)


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


def _apart_by_counts(answered: pd.DataFrame, inside: pd.Series, level: float) -> tuple[float, ...]:
    """NPS of the answers inside less that of the others, with standard error and limits, from adjusted counts."""
    tables = [np.array([[part.loc[part["u"] == u, "rows"].sum() for u in changes.U]], dtype=float)
              for part in (answered[~inside], answered[inside])]  # fmt: skip
    if not all(table.sum() for table in tables):
        return (np.nan,) * 4
    return tuple(float(value) for value in changes.differences(tables[0], tables[1], None, level)["change"])


def _apart_by_design(
    answered: pd.DataFrame, inside: pd.Series, sampled: np.ndarray, z: float
) -> tuple[float, float, float, float]:
    """The same with weights, strata and clusters: one linearised value of the difference a row (or cluster)."""
    rows, side = answered.copy(), inside.to_numpy(int)
    total = np.bincount(side, weights=rows["weight"], minlength=2)
    if not (total > 0).all():
        return (np.nan,) * 4
    s = np.bincount(side, weights=rows["weight"] * rows["u"], minlength=2) / total
    share = (rows["u"] - s[side]) / total[side] * np.where(side, 1.0, -1.0)
    rows = rows.assign(z=rows["weight"] * share, zz=rows["square"] * share**2)
    if "cluster" in rows:
        rows = rows.groupby(["stratum", "cluster"], observed=True, as_index=False)["z"].sum()
        rows = rows.assign(zz=rows["z"] ** 2)
    spread = rows.groupby("stratum", as_index=False)[["z", "zz"]].sum()
    clusters = sampled[spread["stratum"]]
    error = float(np.sqrt(intervals.stratum_variance(spread["z"], spread["zz"], clusters).sum()))
    apart = float(s[1] - s[0])
    return apart, error, max(apart - z * error, -2.0), min(apart + z * error, 2.0)


def _beyond_chance(rows: list[Row], rate: float) -> np.ndarray:
    """Which differences are more than chance, their false discovery rate held; one without an error is not."""
    from statsmodels.stats.multitest import multipletests  # here, for it takes longer than all else together

    away = np.array([row["estimate"] / row["std_error"] if row["std_error"] > NO_SPREAD else np.nan for row in rows])
    tested, differs = np.isfinite(away), np.zeros(len(rows), dtype=bool)
    if tested.any():
        differs[tested] = multipletests(2 * stats.norm.sf(abs(away[tested])), rate, method="fdr_bh")[0]
    return differs
