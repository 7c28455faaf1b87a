"""Rows counted in groups, and their shares, means and net shares as rows of a result: plain, or with weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import stats

from . import engine, scores
from .errors import CxError, refuse, unknown
from .intervals import quantile, tango, wilson
from .schema import TOO_FEW

Row = dict[str, Any]
WEIGHTED = "linearised, weights"
FEWEST = 10  # pairs below which no kappa is told


def group_keys(seen: engine.View, groups: Sequence[str]) -> dict[str, nw.Expr]:
    """The grouping columns under the names that `scores.levels` expects."""
    return {f"g{i}": seen[name] for i, name in enumerate(groups)}


def weight_sums(seen: engine.View, weights: str | None) -> tuple[dict[str, nw.Expr], list[nw.Expr]]:
    """The weight as a value of a row, and the sums of rows, weights and squares that every measure takes."""
    sums = [nw.len().alias("rows")]
    if not weights:
        return {}, sums
    refuse(unknown("column", weights, seen.at, "weights") for _ in range(weights not in seen.at))
    if seen.kind[weights] != engine.NUMBER:
        raise CxError(f"weights '{weights}' must hold numbers, 0 or more, not text; convert the column")
    w = nw.col("w")
    sums += [w.sum().alias("weight"), (w * w).sum().alias("square")]
    sums += [w.min().alias("least"), w.count().alias("weighted")]
    return {"w": seen[weights].cast(nw.Float64)}, sums


def weighted(counts: pd.DataFrame, weights: str | None) -> pd.DataFrame:
    """Counts with `weight` and `square`: those of rows where there are no weights; odd weights are refused."""
    if not weights:
        return counts.assign(weight=counts["rows"].astype(float), square=counts["rows"].astype(float))
    faults = []
    if (counts["least"] < 0).any() or not np.isfinite(counts["square"].fillna(0)).all():
        faults.append(f"weights '{weights}' must be finite and 0 or more; the lowest is {counts['least'].min():g}")
    if gaps := int(counts["rows"].sum() - counts["weighted"].sum()):
        faults.append(f"weights '{weights}' must be known in every row; it is empty in {gaps:,}; fill it in")
    refuse(faults)
    return counts.astype({"weight": float, "square": float})


def named(groups: Sequence[str], counts: pd.DataFrame) -> list[tuple[Row, pd.DataFrame]]:
    """Each group: its columns of the result, and its counts."""
    if counts.empty:
        raise CxError("there must be at least one row; none is left; check the filter, as_of and the joins")
    levels = scores.levels(counts, groups)
    return [(dict(zip(groups, key, strict=True)), counts[counts["group"] == i]) for i, key in enumerate(levels)]


def share_row(counts: pd.DataFrame, hit: Any, sample: int, weights: str | None, level: float) -> Row:
    """A share of rows: Wilson; with weights the linearised error, and Wilson on the rows the weights are worth.

    `sample` counts the rows of the whole sample: rows outside the group stay in with z = 0 (domain estimation).
    """
    total, square, n = (float(counts[name].sum()) for name in ("weight", "square", "rows"))
    hits = float((counts["weight"] * hit).sum())
    share = hits / total if total > 0 else np.nan
    away = float((counts["square"] * np.where(hit, 1 - share, share) ** 2).sum()) / total**2 if total > 0 else np.nan
    error = np.sqrt(away * (sample / max(sample - 1, 1) if weights else 1))
    # The Wilson interval of as many answers as would have this error; of Kish's number where they are all alike.
    worth = share * (1 - share) / error**2 if weights and error > 0 else total**2 / square if total > 0 else np.nan
    lower, upper = (float(x) for x in wilson(share * worth, worth, level)) if total > 0 else (np.nan, np.nan)
    lower, upper = min(lower, share), max(upper, share)  # of none, Wilson's lower limit is 0 but for rounding
    method = "linearised, weights; Wilson on effective rows" if weights else "Wilson"
    return {"estimate": share, "std_error": error, "lower": lower, "upper": upper, "n": n, "method": method,
            "level": level, "unit": "share"}  # fmt: skip


def mean_row(counts: pd.DataFrame, values: Any, sample: int, weights: str | None, level: float, ends: Any) -> Row:
    """A mean of rows: Student's limits, or with weights the linearised error and Wald's; never beyond the scale.

    `values` are those of the rows of `counts`, `ends` first and last point of the scale. Answers that are all alike
    show no spread: there is no interval then, and the method says so.
    """
    total, n, values = float(counts["weight"].sum()), float(counts["rows"].sum()), np.asarray(values, dtype=float)
    row = {"n": n, "level": level, "unit": "points", "method": WEIGHTED + "; Wald" if weights else "Student"}
    if not total > 0:
        return {**row, "estimate": np.nan}
    mean = float((counts["weight"] * values).sum() / total)
    if weights:
        away = float((counts["square"] * (values - mean) ** 2).sum()) / total**2 * sample / max(sample - 1, 1)
        z = quantile(level)
    else:
        away = float((counts["rows"] * (values - mean) ** 2).sum()) / n / (n - 1) if n > 1 else np.nan
        z = float(stats.t.ppf((1 + level) / 2, n - 1)) if n > 1 else np.nan
    error = np.sqrt(away)
    if not error > 0:
        return {**row, "estimate": mean, "method": f"{row['method']} (no spread)"}
    lower, upper = max(mean - z * error, ends[0]), min(mean + z * error, ends[1])
    return {**row, "estimate": mean, "std_error": error, "lower": lower, "upper": upper}


def net_row(counts: pd.DataFrame, u: Any, sample: int, weights: str | None, level: float) -> Row:
    """Share of +1 less share of -1, in points: Tango's limits, or with weights the linearised error and Wald's."""
    total, n, u = float(counts["weight"].sum()), float(counts["rows"].sum()), np.asarray(u, dtype=float)
    row = {"n": n, "level": level, "unit": "points", "method": WEIGHTED + "; Wald" if weights else "Tango score"}
    if not total > 0:
        return {**row, "estimate": np.nan}
    classes = [float(counts["weight"][u == side].sum()) for side in (-1, 0, 1)]
    net = (classes[2] - classes[0]) / total
    error = np.sqrt(float((counts["square"] * (u - net) ** 2).sum()) / total**2 * (sample / max(sample - 1, 1)
                    if weights else 1))  # fmt: skip
    lower, upper = max(net - quantile(level) * error, -1.0), min(net + quantile(level) * error, 1.0)
    if not weights or not error > 0:
        worth = total / float(counts["square"].sum()) if weights else 1.0
        down, middle, up = (worth * count for count in classes)
        lower, upper = (float(limit) for limit in tango(down, middle, up, level))
        row["method"] = "Tango score" + (" on effective answers (no spread)" if weights else "")
    numbers = {"estimate": net, "std_error": error, "lower": lower, "upper": upper}
    return {**row, **{name: 100 * value for name, value in numbers.items()}}


def kappa_row(table: Any, level: float) -> Row:
    """Cohen's kappa of a table of counts with its asymptotic error, from statsmodels; too few below `FEWEST`.

    Where the two agree always the error is 0 whatever the number: there is no interval then, and the method says so.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    n = float(np.sum(table))
    row = {"n": n, "level": level, "unit": "kappa", "method": "Cohen's kappa"}
    if n < FEWEST:
        return {**row, "note": TOO_FEW}
    with np.errstate(divide="ignore", invalid="ignore"):  # no kappa exists where all is one class
        found = cohens_kappa(table)
    if not np.isfinite(found.kappa):
        return {**row, "note": TOO_FEW}
    if not found.std_kappa > 0:
        return {**row, "estimate": found.kappa, "method": "Cohen's kappa (no spread)"}
    half = quantile(level) * found.std_kappa
    limits = {"lower": max(found.kappa - half, -1.0), "upper": min(found.kappa + half, 1.0)}
    return {**row, "estimate": found.kappa, "std_error": found.std_kappa, **limits}
