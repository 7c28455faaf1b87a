"""The scorecard read out: signals and changes, open tickets, definitions of attrition, those who did not answer."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from great_tables import GT

from .layout import laid_out
from .schema import TOO_FEW
from .wording import FEWEST_MINUTES, estimate, listed, number, percent, periods, pick, sentence, visible

MOST = 3  # signals that a sentence names
# Words and measures; a hazard is a rate and not a share, and is told as one for each hundred customers.
DEFINITIONS = (
    ("of those there at the start (cohort)", "cohort"),
    ("of the mean daily customers (period)", "period"),
    ("of a customer's month (hazard, 30 days)", "hazard"),
    ("newcomers too (Kaplan-Meier)", "kaplan_meier", "cumulative_incidence"),
)


@sentence
def control_chart(result: pd.DataFrame, name: str) -> str:
    """Which periods of a chart signal, and whether the last two differ by more than noise."""
    unit, values = result["unit"].iloc[0], result[result["measure"].eq("value") & result["estimate"].notna()]
    if len(values) < 2:
        return f"{name}: fewer than two periods are large enough to be compared."
    names = periods(list(result["period"].unique()))
    signals = [f"{names[row.period]} ({row.note})" for row in values.itertuples(index=False) if row.note]
    told = f"no signal in {len(values)} periods"
    if signals:
        many = f"{number(len(signals))} signal{'s' * (len(signals) > 1)} in {len(values)} periods"
        told = f"{many}{', the latest' * (len(signals) > MOST)} in {listed(signals[-MOST:])}"
    last, before = values["period"].iloc[-1], values["period"].iloc[-2]
    now = result[result["period"] == last].set_index("measure")
    change, limit = now.loc["change", "estimate"], now.loc["change_limit", "estimate"]
    wide = abs(limit if np.isfinite(limit) else change)
    moved = f"from {names[before]} to {names[last]} by {_amount(change, unit, wide)}"
    if not np.isfinite(limit):
        return f"{name}: {told}; it moved {moved}."
    verdict = "which is more than noise" if abs(change) > limit else "which is no more than noise"
    reach = f"two neighbours differ by up to {_amount(limit, unit, wide, sign=False)} by chance"
    return f"{name}: {told}; it moved {moved}, {verdict}: {reach}."


def _amount(value: float, unit: str, wide: float, sign: bool = True) -> str:
    """A difference with its unit; shares in percentage points; more decimals where what is `wide` is narrow."""
    points, span = (100 * part if unit == "share" else part for part in (value, wide))
    told = number(abs(points), "", 1 + (span < 0.1) + (span < 0.01) if abs(points) < 10 else 0)
    mark = ("−" if value < 0 else "+") if sign and told.strip("0.") else ""
    return f"{mark}{told} {'percentage points' if unit == 'share' else 'points'}"


@sentence
def nps_change(result: pd.DataFrame, size: pd.DataFrame | None = None) -> str:
    """By how much the NPS changed, whether that is more than noise, and which change these answers could have shown."""
    change = pick(result, "nps", "change")
    if not np.isfinite(change.estimate):
        return "too few answers in one of the two periods to tell a change."
    holds = change.lower <= 0 <= change.upper
    verdict = "no change that can be told from none" if holds else "more than noise"
    parts = [f"{estimate(pick(result, 'nps', part), False)} because {why}"
             for part, why in (("mix", "other segments answer"), ("rate", "segments score otherwise"))
             if (result["measure"] == part).any()]  # fmt: skip
    told = f"from one period to the next the NPS moved by {estimate(change)} points, {verdict}"
    split = f"; of it {listed(parts)}" if parts else ""
    return f"{told}{split}. {_detectable(size)}".strip()


def _detectable(size: pd.DataFrame | None) -> str:
    if not isinstance(size, pd.DataFrame):
        return ""
    row = pick(size, "nps", "detectable_change")
    if not np.isfinite(row.estimate):
        return "So few answers cannot tell any change from none." if row.note == TOO_FEW else ""
    power = re.search(r"power ([\d.]+)", row.method)
    chance = percent(float(power[1])) if power else "most"
    size = number(row.estimate, "", 1)
    return (
        f"With so many answers a true change of {size} points is found {chance} of the time; smaller ones pass unseen."
    )


@sentence
def closed_and_all(result: pd.DataFrame) -> str:
    """How far closed tickets alone make the desk look faster; `result` is from `beside`."""
    alone, whole = (result[result["model"] == name] for name in ("naive", "adjusted"))
    medians, slow = ([pick(part, "resolution_time", measure) for part in (alone, whole)]
                     for measure in ("median", "percentile_90"))  # fmt: skip
    if not all(np.isfinite(row.estimate) for row in medians):
        return "too few tickets, or too many of them open, to tell when half are resolved."
    still = pick(whole, "resolution_time", "still_open")
    if not still.estimate:
        return ("no ticket is open: if tickets enter these data only once they are closed, the last months look faster "
                "than they were, and no computation can tell.")  # fmt: skip
    first, second = (_hours(row, not i) for i, row in enumerate(medians))
    tail = ""
    if all(np.isfinite(row.estimate) for row in slow):
        tail = f"; for nine in ten {_hours(slow[0], False)} against {_hours(slow[1], False)}"
    return (f"closed tickets alone would say that half are resolved within {first}; with the "
            f"{percent(still.estimate, 1)} still open counted as open it is {second}{tail}.")  # fmt: skip


def _hours(row: Any, first: bool) -> str:
    """A duration with a decimal, so that two of them can be compared, in minutes where it is short."""
    minutes = row.upper < FEWEST_MINUTES
    told, low, high = (number(60 * x if minutes else x, "", 1) for x in (row.estimate, row.lower, row.upper))
    sure = f"{percent(row.level)} interval " if first else ""
    return f"{told} {'minutes' if minutes else 'hours'} ({sure}{low} to {high})"


@sentence
def attrition_definitions(result: pd.DataFrame) -> str:
    """How the definitions of the attrition rate differ, and how many ends were voluntary."""
    cohort = pick(result, "all", "cohort")
    if not np.isfinite(cohort.estimate):
        return "too few customers to tell an attrition rate."
    dated = "there at the start " if (result["measure"] == "period").any() else ""
    told = [f"{_finer(cohort)} of the {number(cohort.n)} customers {dated}were lost"]
    for measure, words in (
        ("period", "of the mean daily customers"),
        ("kaplan_meier", "by Kaplan-Meier with newcomers"),
    ):
        if (result["term"].eq("all") & result["measure"].eq(measure)).any():
            told.append(f"{_finer(pick(result, 'all', measure), False)} {words}")
    kinds = [f"{_finer(pick(result, kind, 'cohort'), False)} {kind}" for kind in ("voluntary", "involuntary")
             if kind in set(result["term"])]  # fmt: skip
    ends = f"; of those at the start {listed(kinds)}" if kinds else ""
    return f"{'; '.join(told)}{ends}."


def _finer(row: Any, first: bool = True) -> str:
    """A share with one decimal, so that definitions can be told apart."""
    if not np.isfinite(row.estimate):
        return "too few"
    told, low, high = (percent(x, 1) for x in (row.estimate, row.lower, row.upper))
    return f"{told} ({f'{percent(row.level)} interval ' if first else ''}{low} to {high})"


def attrition_table(result: pd.DataFrame | None) -> GT | None:
    """The attrition rate by definition, down, and by who ended it, across."""
    if not isinstance(result, pd.DataFrame):
        return None
    shown, rows = visible(result), []
    for words, *measures in DEFINITIONS:
        own = shown[shown["measure"].isin(measures)].set_index("term")
        if len(own):
            rows.append({"definition": words} | {row.Index: _finer(row, False) for row in own.itertuples()})
    table = pd.DataFrame(rows).fillna("")
    note = f"In brackets: {percent(shown['level'].iloc[0])} intervals."
    return laid_out(table, "Attrition by definition and by who ended it", note)


@sentence
def response(result: pd.DataFrame) -> str:
    """How many of those asked answered."""
    rate, sent = pick(result, "funnel", "response_rate"), pick(result, "funnel", "sent")
    if not np.isfinite(rate.estimate):
        return "too few were asked to tell a response rate."
    usable = pick(result, "funnel", "usable")
    return (f"of {number(sent.estimate)} customers asked, {estimate(rate)} answered, {number(usable.estimate)} of them "
            "with a score.")  # fmt: skip


@sentence
def raked(result: pd.DataFrame, report: pd.DataFrame) -> str:
    """What weighting the answers to the customers does to the NPS; `result` is from `beside`."""
    before, after = (pick(result[result["model"] == name], "nps", "nps") for name in ("naive", "adjusted"))
    worth, n = pick(report, "rake", "effective_n"), before.n
    if not (np.isfinite(before.estimate) and np.isfinite(after.estimate)):
        return "too few answers to weight them."
    told = f"as answered the NPS is {estimate(before)} points"
    weighted = f"weighted so that each group answers in its share of the customers it is {estimate(after, False)}"
    return f"{told}; {weighted}. The weights make {number(n)} answers worth {number(worth.estimate)}."


@sentence
def tipping_points(result: pd.DataFrame) -> str:
    """Whether those who did not answer could turn round the largest difference between groups."""
    shown = result[result["measure"].eq("difference") & result["estimate"].notna()]
    if shown.empty:
        return "too few answers to compare groups."
    first = next(shown.sort_values("estimate", ascending=False, kind="stable").itertuples(index=False))
    one, low = (pick(result, first.term, measure) for measure in ("one_sided", "lowest"))
    high, lesser = first.term.split(" - ", 1)
    sure = "" if first.lower > 0 else ", which cannot be told from none"
    turned = f"no scores of the silent of {high} alone could undo it"
    if np.isfinite(one.estimate):
        turned = f"it would be gone if the silent of {high} scored {number(one.estimate)} points lower than its answers"
    ends = f"with the silent at the worst ends of the scale it would be {number(low.estimate)}"
    return (
        f"the largest difference is between {high} and {lesser}: {estimate(first)} points{sure}; {turned}, and {ends}."
    )
