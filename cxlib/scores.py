"""Answers on a scale, counted in one grouped query: the common ground of the score measures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine
from .errors import listed, refuse, shortened
from .schema import RESULT_COLUMNS, ordered

EMPTY = "(empty)"  # how a group without a name is shown
SCALES = ((0, 10), (1, 10), (1, 11))


def grouping(by: str | Iterable[str] | None) -> list[str]:
    """The grouping columns as a list; names that cannot stand in a result are refused."""
    groups = [by] if isinstance(by, str) else list(by or [])
    faults = [f"by: '{name}' is also a column of the result; rename it" for name in groups if name in RESULT_COLUMNS]
    refuse([*faults, *(f"by: '{name}' is given twice; name it once" for name in groups if groups.count(name) > 1)])
    return groups


def ends(scale: Sequence[int]) -> tuple[int, int]:
    """First and last point of a scale of 10 or 11 points; any other is refused."""
    try:
        first, last = (int(point) for point in scale)
        proper = [first, last] == list(scale) and last - first in (9, 10)
    except (TypeError, ValueError):
        proper = False
    if not proper:
        refuse([f"scale must be the first and last of 10 or 11 points, such as (0, 10), not {shortened(scale)}"])
    return first, last


def classes(score: pd.Series, last: int) -> pd.Series:
    """+1 for the top two points, 0 for the next two, -1 below; not a number without an answer."""
    u = np.where(score >= last - 1, 1.0, np.where(score >= last - 3, 0.0, -1.0))
    return pd.Series(np.where(score.isna(), np.nan, u), index=score.index)


def counted(
    seen: engine.View, score: str, groups: Sequence[str], design: Mapping[str, str | None], where: str = "frame"
) -> pd.DataFrame:
    """The one query: one row for every group, stratum, cluster and score that occurs.

    Parameters
    ----------
    seen : the frame
    score : column of the answers
    groups : grouping columns, which become g0, g1, ...
    design : column of the "weights", "strata" and "cluster", or None; the latter two become columns of those names

    Returns
    -------
    The keys, `score` (nan = no answer), `rows`, sum of weights `weight`, of squared weights `square`, the `least`
    weight and the number of rows `weighted`; without weights every row weighs 1.
    """
    by = dict.fromkeys([*groups, *filter(None, (design.get("strata"), design.get("cluster")))])
    refuse(f"{where}: '{name}' must hold texts, numbers or days, not lists; turn it into text"
           for name in by if seen.kind[name] == engine.OTHER)  # fmt: skip
    keys = {f"g{i}": seen[name] for i, name in enumerate(groups)}
    keys |= {part: seen[name] for part in ("strata", "cluster") if (name := design.get(part))}
    keys["score"] = seen[score].cast(nw.Float64) if seen.kind[score] == engine.NUMBER else seen[score]
    w, sums, values = design.get("weights"), [nw.len().alias("rows")], dict(keys)
    if w and seen.kind[w] == engine.NUMBER:
        values["w"] = seen[w].cast(nw.Float64)
        sums += [nw.col("w").sum().alias("weight"), (nw.col("w") * nw.col("w")).sum().alias("square")]
        sums += [nw.col("w").min().alias("least"), nw.col("w").count().alias("weighted")]
    lazy = seen.frame.select(*(value.alias(name) for name, value in values.items()))
    counts = engine.collect(lazy.group_by(*keys).agg(*sums), list(keys))
    refuse([f"{where}: must have at least one row; it has none"] if counts.empty else [])
    if "weight" not in counts:
        counts = counts.assign(weight=counts["rows"], square=counts["rows"], least=1.0, weighted=counts["rows"])
    return counts.astype({"weight": float, "square": float})


def score_faults(counts: pd.DataFrame, seen: engine.View, score: str, first: int, last: int) -> list[str]:
    """What is wrong with the scores that were found: text, points outside the scale, an undeclared scale from 1."""
    found = counts.dropna(subset="score").groupby("score", observed=True)["rows"].sum()
    if len(found) and seen.kind[score] != engine.NUMBER:
        told = f"must hold numbers from {first} to {last}, not {listed(found.index, 6)}"
        return [f"score '{score}' {told}; recode them, and leave empty what means no answer"]
    outside = found[~found.index.isin(range(first, last + 1))]
    if len(outside):
        fits = [pair for pair in SCALES if found.index.isin(range(pair[0], pair[1] + 1)).all()]
        remedy = f"declare the scale, scale={fits[0]}, or " if fits else ""
        remedy += f"leave empty what means no answer (in a study: missing = [{outside.index[0]:g}])"
        told = f"must hold whole points from {first} to {last}; found {_with_counts(outside)}"
        return [f"score '{score}' {told}; {remedy}"]
    if first == 0 and _starts_at_one(found, last):
        told = f"all points from 1 to {last} were found, 1 {found[1.0]} times, but 0 not once"
        remedy = f"declare the scale, scale=(1, {last})"
        return [f"score '{score}' must be on the scale 0 to {last}; {told}; {remedy}"]
    return []


def _with_counts(found: pd.Series, most: int = 6) -> str:
    told = ", ".join(f"{value:g} ({n} times)" for value, n in list(found.items())[:most])
    return told + (f" and {len(found) - most} other values" if len(found) > most else "")


def _starts_at_one(found: pd.Series, last: int) -> bool:
    """Whether 1 is plainly the lowest point on offer.

    On a scale from 0 the angriest choose 0, so 0 is at least as frequent as 1: seven answers of 1 and none of 0 then
    have a chance below 1 %. Asking that 1 be chosen more often than 2 keeps smooth, simulated scores from refusal.
    """
    used = set(found.index) == set(range(1, last + 1))
    return used and bool(found[1.0] >= 7 and found[1.0] > found[2.0])


def design_faults(counts: pd.DataFrame, seen: engine.View, design: Mapping[str, str | None]) -> list[str]:
    """What is wrong with weights, strata and clusters; rows without an answer need none of them."""
    w, faults = design.get("weights"), []
    if w and seen.kind[w] != engine.NUMBER:
        faults.append(f"weights '{w}' must hold numbers, 0 or more, not text; convert the column")
    if counts["least"].min() < 0:
        faults.append(f"weights '{w}' must be 0 or more; found {counts['least'].min():g}")
    if np.isinf(counts["square"]).any():
        faults.append(f"weights '{w}' must be finite; found infinity")
    answered = counts[counts["score"].notna()]
    empty = {"weights": answered["rows"].sum() - answered["weighted"].sum()}
    for part in ("strata", "cluster"):
        if part in answered:
            empty[part] = answered.loc[answered[part].isna(), "rows"].sum()
    told = ((f"{part} '{design.get(part)}'", n) for part, n in empty.items() if n)
    return faults + [f"{name} must be known for every answer; it is empty for {n}; fill it in" for name, n in told]


def levels(counts: pd.DataFrame, groups: Sequence[str]) -> list[tuple[Hashable, ...]]:
    """The groups in the order they are shown, those without a name last; each row's place goes into column `group`."""
    if not groups:
        counts["group"] = 0
        return [()]
    names, ranks = [f"g{i}" for i in range(len(groups))], pd.DataFrame(index=counts.index)
    for name, column in zip(groups, names, strict=True):
        # Whole numbers beside an empty one arrive as 1.0 and would be shown so.
        shown = counts[column].convert_dtypes().astype(object)
        place = {level: rank for rank, level in enumerate(ordered(name, shown.dropna().unique()))}
        ranks[column] = shown.map(place).astype(float).fillna(len(place))
        counts[column] = shown.where(shown.notna(), EMPTY)
    counts["group"] = ranks.groupby(names).ngroup()
    return list(counts.drop_duplicates("group").sort_values("group")[names].itertuples(index=False, name=None))


def per_group(counts: pd.DataFrame, groups: int, values: Any) -> np.ndarray:
    """Sums of `values` over the rows of each group."""
    return np.bincount(counts["group"], weights=np.asarray(values, dtype=float), minlength=groups)


def class_counts(counts: pd.DataFrame, groups: int, amount: str = "rows") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detractors, passives and promoters of each group, as rows or as sums of weights."""
    down, middle, up = (per_group(counts, groups, np.where(counts["u"] == u, counts[amount], 0.0)) for u in (-1, 0, 1))
    return down, middle, up
