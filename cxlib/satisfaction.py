"""How satisfied customers are, and how easy it was: CSAT and CES, each by a convention that the result names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import engine, scores
from .errors import listed, refuse, shortened, unknown
from .intervals import quantile
from .schema import TOO_FEW, results
from .shares import Row, mean_row, net_row, share_row

LONGEST = 101  # points of a scale
EFFORT = (1, 7)
CONVENTIONS = {
    "mean": "mean of 1-7",
    "share": "share of 5-7",
    "net": "share of 6-7 less share of 1-3",
}


def csat(
    data: Any,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    weights: str | None = None,
    score: str = "csat",
    scale: tuple[int, int] = (1, 5),
    boxes: int = 2,
) -> pd.DataFrame:
    """Customer satisfaction: share of answers in the top boxes of the scale, and separately their mean.

    Parameters
    ----------
    data : frame with one row per answer, ticket or customer
    by : column or columns to group by
    level : confidence, between 0 and 1
    weights : column of weights, 0 or more
    score : column of whole points, such as csat of tickets or satisfaction of surveys; empty = no answer
    scale : first and last point
    boxes : how many points from the top count as satisfied

    Returns
    -------
    Result columns, term "csat"; measures csat (share; Wilson) and mean (points; Student); the method names scale and
    boxes, n counts the answers.

    Raises
    ------
    CxError : a missing column, text, points outside the scale (named and counted), a scale or boxes that make no sense.

    Notes
    -----
    With weights the error is linearised and rows without an answer stay in the sample; Wilson then takes as many
    answers as would have that error. Checked against R survey.

    Source: Wilson (1927); Binder (1983).

    >>> csat(pd.DataFrame({"csat": [5, 4, 3, 2, None]}))[["measure", "estimate", "n"]].to_numpy().tolist()
    [['csat', 0.5, 4], ['mean', 3.5, 4]]
    """
    faults = _scale_faults(scale, boxes)
    refuse(faults)
    first, last = scale
    rows = []
    for own, answers, sample in _answers(data, by, level, weights, score, (first, last)):
        top, points = answers["score"] > last - boxes, f"scale {first}-{last}"
        share = share_row(answers, top, sample, weights, level)
        mean = mean_row(answers, answers["score"], sample, weights, level, scale)
        share["method"] = f"top {boxes} boxes, {points}; {share['method']}"
        mean["method"] = f"{points}; {mean['method']}"
        rows += [
            {**own, "term": "csat", "measure": "csat", **share},
            {**own, "term": "csat", "measure": "mean", **mean},
        ]
    return results(_noted(rows), scores.grouping(by))


def ces(
    data: Any,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    weights: str | None = None,
    score: str = "effort",
    convention: str | None = None,
) -> pd.DataFrame:
    """Customer Effort Score 2.0: how far customers agree, from 1 to 7, that the company made it easy.

    Parameters
    ----------
    score : column of whole points from 1 to 7; empty = no answer
    convention : "mean", "share" (of 5-7) or "net" (share of 6-7 less share of 1-3); default: all three
    data, by, level, weights : as in `csat`

    Returns
    -------
    Result columns, term "ces", measure = the convention: mean (points; Student), share (Wilson), net (points from
    -100 to 100; Tango). The method names the convention, for figures of two conventions cannot be compared.

    Raises
    ------
    CxError : as `csat`; an unknown convention.

    Source: Dixon, Toman & DeLisi (2013); Tango (1998).

    >>> answers = pd.DataFrame({"effort": range(1, 8), "n": [80, 210, 140, 110, 160, 180, 120]})
    >>> ces(answers.loc[answers.index.repeat(answers["n"])])["estimate"].round(3).tolist()
    [4.08, 0.46, -13.0]
    """
    known = convention is None or convention in CONVENTIONS
    refuse([] if known else [unknown("convention", convention, CONVENTIONS, "ces")])
    rows = []
    for own, answers, sample in _answers(data, by, level, weights, score, EFFORT):
        points = answers["score"].to_numpy(float)
        u = np.where(points >= 6, 1.0, np.where(points <= 3, -1.0, 0.0))
        found = {
            "mean": mean_row(answers, points, sample, weights, level, EFFORT),
            "share": share_row(answers, points >= 5, sample, weights, level),
            "net": net_row(answers, u, sample, weights, level),
        }
        for name, row in found.items():
            if convention in (None, name):
                told = f"CES 2.0, {CONVENTIONS[name]}; {row['method']}"
                rows.append({**own, "term": "ces", "measure": name, **row, "method": told})
    return results(_noted(rows), scores.grouping(by))


def _answers(
    data: Any, by: str | Sequence[str] | None, level: float, weights: str | None, score: str, scale: tuple[int, int]
) -> Iterator[tuple[Row, pd.DataFrame, int]]:
    """Each group: its columns of the result, its answers by score, and the rows of the whole sample."""
    groups, design = scores.grouping(by), {"weights": weights}
    quantile(level)
    seen = engine.view(data)
    engine.require(seen, [score, *groups, *([weights] if weights else [])])
    counts = scores.counted(seen, score, groups, design)
    refuse([*scores.design_faults(counts, seen, design), *_point_faults(counts, seen, score, *scale)])
    sample = int(counts["rows"].sum())
    for i, key in enumerate(scores.levels(counts, groups)):
        inside = counts[(counts["group"] == i) & counts["score"].notna()]
        yield dict(zip(groups, key, strict=True)), inside, sample


def _point_faults(counts: pd.DataFrame, seen: engine.View, score: str, first: int, last: int) -> list[str]:
    """Text, and points outside the scale, with how often each occurs."""
    found = counts.dropna(subset="score").groupby("score", observed=True)["rows"].sum()
    name = shortened(score)
    if len(found) and seen.kind[score] != engine.NUMBER:
        told = f"must hold numbers from {first} to {last}, not {listed(found.index, 6)}"
        return [f"score '{name}' {told}; recode them, and leave empty what means no answer"]
    outside = found[~found.index.isin(range(first, last + 1))]
    if outside.empty:
        return []
    told = ", ".join(f"{value:g} ({n:,} times)" for value, n in list(outside.items())[:6])
    told += f" and {len(outside) - 6} other values" if len(outside) > 6 else ""
    return [f"score '{name}' must hold whole points from {first} to {last}; found {told}; correct them, leave empty "
            f"what means no answer (in a study: missing = [{outside.index[0]:g}]), or declare the scale"]  # fmt: skip


def _scale_faults(scale: Any, boxes: Any) -> list[str]:
    whole = isinstance(scale, (tuple, list)) and len(scale) == 2 and all(type(point) is int for point in scale)
    if not whole or not 1 <= scale[1] - scale[0] < LONGEST:
        return [f"scale must be its first and last point, such as (1, 5), not {shortened(scale)}"]
    if type(boxes) is not int or not 1 <= boxes <= scale[1] - scale[0]:
        most = scale[1] - scale[0]
        return [
            f"boxes must be a whole number from 1 to {most} on a scale {scale[0]}-{scale[1]}, not {shortened(boxes)}"
        ]
    return []


def _noted(rows: list[Row]) -> list[Row]:
    return [{**row, "note": "" if row["n"] else TOO_FEW} for row in rows]
