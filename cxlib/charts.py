"""Control charts: what of the ups and downs of a measure is more than its own noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import engine, scores
from .errors import CxError, refuse, shortened, unknown
from .intervals import Array
from .schema import TOO_FEW, results

MEASURES = {"mean": "points", "nps": "points", "share": "share"}
KINDS = {"xmr": "XmR", "p": "p-chart", "laney": "p'-chart (Laney)"}
RULES = {
    "beyond limits": "beyond the limits",
    "two of three": "two of three periods beyond two sigma",
    "four of five": "four of five periods beyond one sigma",
    "run of eight": "eight periods on one side of the centre",
    "trend of six": "six periods rising or falling in a row",
}
WESTERN_ELECTRIC = tuple(RULES)[:4]
# Of a range of two normal values: its mean, and its upper limit as a multiple of that mean, in sigma of one value.
D2, D4 = 2 / np.sqrt(np.pi), 1 + 3 * np.sqrt(np.pi / 2 - 1)
Flags = NDArray[np.bool_]
FEW = 12  # periods below which limits are provisional


def control_chart(
    data: Any,
    value: str,
    period: str = "period",
    by: str | Sequence[str] | None = None,
    measure: str = "mean",
    chart: str | None = None,
    baseline: int | None = None,
    rules: Sequence[str] = WESTERN_ELECTRIC,
    weights: str | None = None,
    scale: tuple[int, int] = (0, 10),
) -> pd.DataFrame:
    """A measure period by period, with the limits of its own noise and the signals that go beyond it.

    Parameters
    ----------
    data : frame with one row per answer, ticket or customer
    value : column of numbers, of the score for an NPS, or of true/false for a share; empty = no answer
    period : column of periods in order of spelling, as from `period`
    by : columns to group by; each group has a chart of its own
    measure : "mean", "nps" or "share"
    chart : "xmr", "p" or "laney" (p with the spread between periods taken in); default: XmR, for shares p
    baseline : number of first periods that set centre and limits; None = all
    rules : of "beyond limits", "two of three", "four of five", "run of eight" and "trend of six"
    weights : column of weights, 0 or more
    scale : of the score, for an NPS

    Returns
    -------
    Result columns, before them `by` and the period; term = the measure, measures value, centre, lower_limit,
    upper_limit, change (since the period before) and change_limit. Notes: at a value the rules it breaks, at a change
    whether it is more than noise. n = answers of the period.

    Notes
    -----
    XmR: centre ± 3 mean moving range / 1.128; a change is more than noise beyond 3.267 times the mean moving range.
    The four rules by default give a false signal once in 92 periods (one rule, limits alone: 370). Checked against
    worked examples of the NIST handbook and the run lengths of Champ & Woodall.

    Source: Shewhart (1931); Western Electric (1956); Champ & Woodall (1987); Laney (2002).

    >>> days = pd.DataFrame({"period": list("abcde"), "x": [4.0, 5, 4, 5, 9]})
    >>> chart = control_chart(days, "x").set_index("measure")
    >>> chart.loc["upper_limit", "estimate"].round(2).tolist()[0], chart.loc["change", "note"].tolist()[-1]
    (10.05, 'no more than noise')
    """
    groups = scores.grouping(by)
    refuse(_faults(measure, chart, baseline, rules))
    seen = engine.view(data)
    engine.require(seen, [value, period, *groups, *([weights] if weights else [])])
    counts = _sums(seen, value, period, groups, measure, weights, scale)
    kind = chart or ("p" if measure == "share" else "xmr")
    rows = []
    for i, key in enumerate(scores.levels(counts, groups)):
        points = counts[counts["group"] == i].sort_values("period", ignore_index=True)
        own = dict(zip(groups, key, strict=True))
        rows += [{**own, **row} for row in _chart(points, period, measure, kind, baseline, rules)]
    return results(rows, [*groups, period])


def moving_range_limits(x: Array, baseline: int) -> tuple[float, float]:
    """Centre and sigma of an XmR chart, from the first values."""
    first = x[:baseline]
    return float(first.mean()), float(np.abs(np.diff(first)).mean() / D2) if len(first) > 1 else np.nan


def signals(z: Array, rules: Sequence[str] = WESTERN_ELECTRIC) -> dict[str, Flags]:
    """At which of the values, in sigma from the centre, each rule gives a signal.

    A run counts at every value that ends one; of k values out of m, the last must be among the k, on the same side.
    """
    found: dict[str, Flags] = {}
    for rule in rules:
        if rule == "beyond limits":
            found[rule] = np.abs(z) > 3
        elif rule == "trend of six":
            found[rule] = _ending(np.diff(z, prepend=np.nan) > 0, 5) | _ending(np.diff(z, prepend=np.nan) < 0, 5)
        else:
            wanted, window, sigma = {"two of three": (2, 3, 2), "four of five": (4, 5, 1), "run of eight": (8, 8, 0)}[
                rule
            ]
            found[rule] = _some_of(z > sigma, wanted, window) | _some_of(z < -sigma, wanted, window)
    return found


def _some_of(hit: Flags, wanted: int, window: int) -> Flags:
    counts = np.convolve(hit, np.ones(window))[: len(hit)]
    return hit & (counts >= wanted)


def _ending(hit: Flags, length: int) -> Flags:
    return _some_of(hit, length, length)


def _faults(measure: str, chart: str | None, baseline: Any, rules: Sequence[str]) -> list[str]:
    faults = [] if measure in MEASURES else [unknown("measure", measure, MEASURES, "control_chart")]
    if chart is not None and chart not in KINDS:
        faults.append(unknown("chart", chart, KINDS, "control_chart"))
    elif chart in ("p", "laney") and measure != "share":
        faults.append(f'chart="{chart}" is for shares; take "xmr" for measure="{measure}"')
    if baseline is not None and (type(baseline) is not int or baseline < 2):
        faults.append(f"baseline must be a number of periods from 2, not {shortened(baseline)!r}")
    given = [rules] if isinstance(rules, str) else rules
    return faults + [unknown("rule", rule, RULES, "control_chart") for rule in given if rule not in RULES]


def _sums(
    seen: engine.View, value: str, period: str, groups: Sequence[str], measure: str, weights: str | None, scale: Any
) -> pd.DataFrame:
    """By group and period: answers, their weight and squared weight, and the value; in one grouped query."""
    keys = [*groups, period]
    if measure == "nps":
        first, last = scores.ends(scale)
        counts = scores.counted(seen, value, keys, {"weights": weights})
        refuse(scores.score_faults(counts, seen, value, first, last))
        counts["v"] = 100 * scores.classes(counts["score"], last)
    else:
        counts = _moments(seen, value, keys, weights)
        refuse(_value_faults(counts, value) if measure == "share" else [])
    refuse(scores.design_faults(counts, seen, {"weights": weights}))
    counts = counts.rename(columns={f"g{len(groups)}": "period"})
    unnamed = int(counts.loc[counts["period"].isna() & counts["score"].notna(), "rows"].sum())
    refuse(
        [f"period '{shortened(period)}' must be known for every answer; it is empty for {unnamed:,}"] * (unnamed > 0)
    )
    counts = counts[counts["period"].notna()]
    there = counts["score"].notna()
    sums = {"n": counts["rows"] * there, "weight": counts["weight"] * there, "square": counts["square"] * there,
            "total": (counts["weight"] * counts["v"]).where(there, 0.0)}  # fmt: skip
    names = [f"g{i}" for i in range(len(groups))]
    table = counts[[*names, "period"]].assign(**sums).groupby([*names, "period"], dropna=False, observed=True).sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        return table.assign(value=table["total"] / table["weight"].where(table["weight"] > 0)).reset_index()


def _moments(seen: engine.View, value: str, keys: Sequence[str], weights: str | None) -> pd.DataFrame:
    """Sums by group and period of those who answered (score 1) and of the others (score missing)."""
    dtype = seen.frame.collect_schema()[seen.at[value]]
    if seen.kind[value] != engine.NUMBER and dtype != nw.Boolean:
        raise CxError(
            f"column '{shortened(value)}' must hold numbers or true/false, it is {seen.kind[value]}; recode it"
        )
    if weights and seen.kind[weights] != engine.NUMBER:
        raise CxError(f"weights '{weights}' must hold numbers, 0 or more, not text; convert the column")
    w = seen[weights].cast(nw.Float64) if weights else nw.lit(1.0)
    columns = {f"g{i}": seen[name] for i, name in enumerate(keys)} | {"v": seen[value].cast(nw.Float64), "w": w}
    lazy = seen.frame.select(*(e.alias(name) for name, e in columns.items()))
    lazy = lazy.with_columns((~nw.col("v").is_null()).alias("there"), (nw.col("w") * nw.col("v")).alias("wv"))
    lazy = lazy.with_columns(((nw.col("v") != 0) & (nw.col("v") != 1)).cast(nw.Float64).alias("odd"))
    names = [*(f"g{i}" for i in range(len(keys))), "there"]
    w = nw.col("w")
    sums = [nw.len().alias("rows"), w.sum().alias("weight"), (w * w).sum().alias("square"), w.min().alias("least"),
            w.count().alias("weighted"), nw.col("wv").sum().alias("wv"), nw.col("odd").sum().alias("odd")]  # fmt: skip
    counts = engine.collect(lazy.group_by(*names).agg(*sums), names)
    refuse(["frame: must have at least one row; it has none"] if counts.empty else [])
    score = np.where(counts["there"].astype(bool), 1.0, np.nan)
    return counts.assign(score=score, v=counts["wv"] / counts["weight"].where(counts["weight"] > 0))


def _value_faults(counts: pd.DataFrame, value: str) -> list[str]:
    odd = int(counts["odd"].fillna(0).sum())
    return (
        [f"column '{shortened(value)}' must be true/false or 0/1, but {odd:,} rows hold something else"] if odd else []
    )


def _chart(
    points: pd.DataFrame, period: str, measure: str, kind: str, baseline: int | None, rules: Sequence[str]
) -> Iterator[dict[str, Any]]:
    known = points[points["value"].notna()]
    x, n = known["value"].to_numpy(float), (known["weight"] ** 2 / known["square"]).to_numpy(float)
    first = min(baseline or len(x), len(x))
    centre, sigma, noise = _limits(x, n, kind, first, known["weight"].to_numpy(float))
    # Where nothing varies, any departure is beyond every limit.
    away = x - centre
    z = np.divide(away, sigma, out=np.select([away > 0, away < 0], [np.inf, -np.inf]), where=sigma > 0)
    broken = signals(z, [rules] if isinstance(rules, str) else rules) if first > 1 else {}
    ends = {"share": (0.0, 1.0), "nps": (-100.0, 100.0)}.get(measure, (-np.inf, np.inf))
    told = f"{KINDS[kind]}, limits from {first} periods" + (", provisional" if first < FEW else "")
    place = {when: i for i, when in enumerate(known["period"])}
    for when, count in points[["period", "n"]].itertuples(index=False):
        shared = {period: when, "term": measure, "n": count, "unit": MEASURES[measure], "method": told}
        if (i := place.get(when)) is None:
            yield {**shared, "measure": "value", "note": TOO_FEW}
            continue
        change = x[i] - x[i - 1] if i else np.nan
        numbers = {"value": x[i], "centre": centre, "lower_limit": max(centre - 3 * sigma[i], ends[0]),
                   "upper_limit": min(centre + 3 * sigma[i], ends[1]), "change": change,
                   "change_limit": noise[i]}  # fmt: skip
        notes = {"value": "; ".join(RULES[rule] for rule, hit in broken.items() if hit[i])}
        if i and np.isfinite(noise[i]):
            notes["change"] = "more than noise" if abs(change) > noise[i] else "no more than noise"
        for name, number in numbers.items():
            yield {**shared, "measure": name, "estimate": number, "note": notes.get(name, "")}


def _limits(x: Array, n: Array, kind: str, first: int, weight: Array) -> tuple[float, Array, Array]:
    """Centre, sigma of each value, and the most by which a value may differ from the one before it."""
    if not len(x):
        return np.nan, x, x
    if kind == "xmr":
        centre, one = moving_range_limits(x, first)
        return centre, np.full(len(x), one), np.full(len(x), D4 * D2 * one)
    centre = float(np.average(x[:first], weights=weight[:first]))
    sigma: Array = np.sqrt(centre * (1 - centre) / n)
    if kind == "laney" and first > 1 and 0 < centre < 1:
        # What the binomial does not explain, as the moving range of its standard scores.
        sigma = sigma * float(np.abs(np.diff((x - centre) / sigma)[: first - 1]).mean() / D2)
    return centre, sigma, 3 * np.sqrt(sigma**2 + np.r_[0.0, sigma[:-1]] ** 2)
