"""Shares, means and net shares of counted rows, each as one row of a result: plain, or linearised with weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from .intervals import quantile, tango, wilson

Row = dict[str, Any]
WEIGHTED = "linearised, weights"


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
