"""What the workshop's figures say, as sentences computed from what is drawn."""

from __future__ import annotations

import math

import pandas as pd

from .wording import Sentence, capital, estimate, number, percent, pick, plain_name, sentence


@sentence
def knobs(result: pd.DataFrame) -> str:
    """The naive and the adjusted share of service beside the true one; `result` is from `turned`."""
    models = {name: result[result["model"] == name] for name in ("naive", "adjusted", "true")}
    true, leaving = (pick(models["true"], *at) for at in (("service", "fraction"), ("leaving", "share")))
    naive, adjusted = (pick(models[name], "service", "fraction") for name in ("naive", "adjusted"))
    if not math.isfinite(naive.estimate + adjusted.estimate):
        return (
            f"in this world {percent(leaving.estimate)} of the customers leave in a quarter, and failed service truly "
            f"accounts for {percent(true.estimate)} of that. Too few had a failed contact for an estimate."
        )
    off = 100 * (naive.estimate - true.estimate)
    held = "holds" if adjusted.lower <= true.estimate <= adjusted.upper else "does not hold"
    side = "too high" if off > 0 else "too low"
    return (
        f"in this world {percent(leaving.estimate)} of the customers leave in a quarter, and failed service truly "
        f"accounts for {percent(true.estimate)} of that. The naive share is {estimate(naive)}, {number(abs(off))} "
        f"percentage points {side}; the adjusted share is {estimate(adjusted, False)}, and its interval {held} the "
        f"truth; n = {number(adjusted.n)}."
    )


def samples(result: pd.DataFrame) -> Sentence:
    """How many of the intervals hold the NPS of all, and how wide they are."""
    first = result.iloc[0]
    held, width = int(result["holds"].sum()), float((result["upper"] - result["lower"]).mean())
    return Sentence(
        f"{held} of {len(result)} intervals hold the NPS of all customers, {number(first['true'])}; in the long run "
        f"95 of 100 do. With {number(first['n'])} answers an interval is about {number(width)} points wide."
    )


def two_views(table: pd.DataFrame, idle: str = "") -> Sentence:
    """Which touchpoint leads by correlation and which by importance; `idle` is one without any effect."""
    by = {name: plain_name(table[name].idxmax()) for name in ("correlation", "share")}
    told = f"By correlation {by['correlation']} comes first, by share of importance {by['share']}."
    if idle:
        row = table.loc[idle]
        told += (
            f" {capital(plain_name(idle))} does nothing at all here: its correlation is "
            f"{number(row['correlation'], 'correlation')}, its share of importance {percent(row['share'])}."
        )
    return Sentence(told)
