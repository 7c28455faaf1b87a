"""Sentences of the score itself: the NPS, what goes with it, and the answer of the experience notebook."""

from __future__ import annotations

import pandas as pd

from .wording import (
    digits,
    estimate,
    groups_of,
    interval,
    listed,
    number,
    percent,
    pick,
    plain_name,
    sample_size,
    sentence,
    visible,
)  # fmt: skip


@sentence
def nps(result: pd.DataFrame, who: str = "answers") -> str:
    """The NPS in points; by group its range, whether that is more than noise, and how many groups are hidden."""
    told = result[result["estimate"].notna()]
    if not groups_of(result):
        return (
            "NPS is not shown: too few answers."
            if told.empty
            else f"{_points(told)}; {sample_size(told.iloc[0], who)}."
        )
    hidden = f" Not shown, because too small: {len(result) - len(told)}." if len(told) < len(result) else ""
    if len(told) < 2:
        return f"fewer than two groups are large enough to be compared.{hidden}"
    low, high = (told.loc[told["estimate"].agg(end)] for end in ("idxmin", "idxmax"))
    ends = [f"{estimate(row, not i)} in {_named(result, row)}" for i, row in enumerate((low, high))]
    overlap = "do not overlap" if high["lower"] > low["upper"] else "overlap"
    return f"NPS runs from {' to '.join(ends)}; the intervals of these two {overlap}.{hidden}"


@sentence
def relative_importance(result: pd.DataFrame, who: str = "answers", first: str = "service") -> str:
    """What share of the explained variation of the score goes with each group, the group `first` before the others."""
    told, model = _shares(result, first), pick(result, "model", "r_squared")
    explained = f"R² {number(model.estimate, model.unit)}, {interval(model)}"
    return (
        f"of the variation in the score that the drivers account for ({explained}), {told}; {sample_size(model, who)}."
    )


@sentence
def experience_answer(
    result: pd.DataFrame, score: pd.DataFrame, who: str = "answers", lifted: pd.DataFrame | None = None
) -> str:
    """The one sentence of the experience notebook; `lifted` is from `nps_what_if`, where the study feeds it."""
    told, model = _shares(result, "service"), pick(result, "model", "r_squared")
    told, step = f"of the variation in the score that the drivers account for, {told}", ""
    if isinstance(lifted, pd.DataFrame):
        change = pick(visible(lifted), "joint", "change")
        names = listed([plain_name(name) for name in lifted.loc[lifted["measure"] == "lifted", "term"]])
        step = f", and a step up from the low ratings of {names} goes with {estimate(change, False)} points more"
    return f"{told}; {_points(visible(score))}{step}; {sample_size(model, who)}."


def _shares(result: pd.DataFrame, first: str, most: int = 4) -> str:
    shares = result[(result["measure"] == "share") & ~result["term"].str.contains("/", regex=False)]
    shares = shares.sort_values("estimate", ascending=False, kind="stable")
    shares = pd.concat([shares[shares["term"] == first], shares[shares["term"] != first]])
    told = [
        f"{estimate(one, not i)} goes with {plain_name(one.term)}{f' ({one.note})' if one.note else ''}"
        for i, one in enumerate(shares.itertuples(index=False))
    ]
    more = [f"the rest with {len(told) - most} more"] if len(told) > most else []
    return listed(told[:most] + more)


def _points(told: pd.DataFrame) -> str:
    row = next(told.itertuples(index=False))
    return (
        f"NPS is {number(row.estimate, row.unit, digits(row))} points ({percent(row.level)} interval {interval(row)})"
    )


def _named(result: pd.DataFrame, row: pd.Series) -> str:
    return ", ".join(plain_name(row[key]) for key in groups_of(result))
