"""The journey read out: what is counted, how much is service, preventable contacts, channels, the closed loop."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from great_tables import GT

from . import engine
from .data import Tables
from .history import first_day
from .layout import laid_out, told_apart
from .study import Study
from .wording import (
    Sentence,
    capital,
    count_of,
    digits,
    estimate,
    listed,
    number,
    percent,
    pick,
    plain_name,
    sentence,
    smallest_group,
    visible,
)  # fmt: skip

MOST = 3  # things a sentence names


def about_journey(study: Study, history: Tables | None, only_column: str = "", only_value: str = "") -> Sentence:
    """Which study a report of the journey is about, and which days it counts."""
    group = f" Only customers with {plain_name(only_column)} {only_value} count." if only_column else ""
    if history is None:
        return Sentence(
            f"Study: {study.title}. Its frame holds no dates: of the journey it can tell the comments.{group}"
        )
    when = journey_period(history)
    return Sentence(f"Study: {study.title}. What counts: all that happened{when or ', which is nothing dated'}.{group}")


def journey_period(history: Tables | None) -> str:
    """From which day to which: " from 2024-07-01 to 2026-06-30", for the end of a sentence."""
    if history is None or not {"interactions", "tickets"} & set(history.present):
        return ""
    return f" from {first_day(history)} to {history.last_day}"


def rows_in_journey(study: Study, history: Tables | None, comments: engine.View | None) -> GT | None:
    """How many interactions, tickets, answers and comments there are, and how many of them count here."""
    whole, kept = (tables.present if tables else {} for tables in (study.tables, history))
    rows = []
    for name, words in (("customers", "customers"), ("interactions", "interactions"), ("tickets", "tickets")):
        if name in whole:
            rows.append((words, *told_apart(engine.rows(whole[name]), engine.rows(kept[name]))))
    if "surveys" in whole:
        before, after = (engine.rows(_filled(tables["surveys"], "answered_at")) for tables in (whole, kept))
        rows.append(("answers to surveys", *told_apart(before, after)))
    if comments is not None:
        every = study.frame or _filled(whole["surveys"], "comment")
        rows.append(("comments", *told_apart(engine.rows(every), engine.rows(comments))))
    shown = pd.DataFrame(rows, columns=["", "in the data", "counted here"])
    note = "Not counted: what came on or after as_of, and other groups where one is chosen."
    return laid_out(shown, "What is counted", note) if rows else None


def _filled(seen: engine.View, column: str) -> engine.View:
    return engine.View(seen.frame.filter(~seen[column].is_null()), seen.at, seen.kind)


@sentence
def interaction_scope(result: pd.DataFrame) -> str:
    """How much of all interactions is service, how many customers meet it, and who starts either."""
    share, reach = (pick(result, "service", measure) for measure in ("share", "reach"))
    told = (
        f"of {number(share.n)} interactions, {estimate(share)} are service; {estimate(reach, False)} of the customers "
        f"with any interaction had one of service"
    )
    kinds = result[result["measure"] == "proactive"].set_index("term")
    if {"service", "rest"} <= set(kinds.index):
        own, rest = (next(kinds.loc[[term]].itertuples()) for term in ("service", "rest"))
        told += (
            f". The company started {estimate(own, False)} of the service (proactive; the rest is reactive: customers "
            f"had to ask), and {estimate(rest, False)} of all else"
        )
    left = result[result["measure"] == "unplaced"]
    gaps = f" Left out: {count_of(next(left.itertuples()))} interactions at unknown touchpoints." if len(left) else ""
    return f"{told}.{gaps}"


@sentence
def journey_map(result: pd.DataFrame) -> str:
    """Where most interactions are, and where customers rate what they met lowest."""
    most = _rows(result, "interactions").sort_values("estimate", ascending=False, kind="stable").head(MOST)
    told = [f"{_place(row)} with {estimate(row, not i)}" for i, row in enumerate(most.itertuples(index=False))]
    words = f"most interactions are in {listed(told)}"
    rated = _rows(result, "rating").sort_values("estimate", kind="stable")
    if len(rated) > 1:
        low, high = (next(rated.iloc[[end]].itertuples(index=False)) for end in (0, -1))
        words += f"; rated lowest is {_place(low)} at {_fine(low)} points of five, and highest {_place(high)} at "
        words += _fine(high)
    return f"{words}."


def journey_table(result: pd.DataFrame | None) -> GT | None:
    """The map as a table: a row for each stage and department, with the intervals."""
    if not isinstance(result, pd.DataFrame):
        return None
    shown = visible(result)
    keys = ["stage", "department", "term"]
    wide = shown[keys].drop_duplicates().reset_index(drop=True)
    for measure, words, write in (("interactions", "of all interactions", estimate), ("rating", "mean rating", _fine)):
        own = _rows(shown, measure)
        if len(own):
            told = own[keys].assign(**{words: [_told(row, write) for row in own.itertuples(index=False)]})
            wide = wide.merge(told, on=keys, how="left").fillna({words: "–"})
    wide["term"] = wide["term"].map({"service": "yes"}).fillna("no")
    note = f"In brackets: {percent(shown['level'].iloc[0])} intervals, by customer."
    return laid_out(wide.rename(columns={"term": "service"}), "Where the journey happens, and how it is rated", note)


def _told(row: Any, write: Any) -> str:
    return (write(row, False) if write is estimate else write(row)).replace(" ", "\N{NO-BREAK SPACE}")


@sentence
def repeat_contact(result: pd.DataFrame, days: float) -> str:
    """How often a contact is followed by another on the same issue."""
    rate, young = (pick(result, "repeat_contact", measure) for measure in ("rate", "too_young"))
    left = f"; {count_of(young)} too young to tell are left out" if young.estimate != 0 else ""
    return (
        f"{estimate(rate)} of the contacts are followed by another about the same within {_days(days)}{left}; "
        f"n = {number(rate.n)} tickets."
    )


@sentence
def preventable_contacts(result: pd.DataFrame, days: float) -> str:
    """Which share of contacts would not have come, against what comparing customers says; and the contact rate."""
    cause = next(term for term in result["term"] if term != "contacts")
    ours, naive = (pick(result, cause, measure) for measure in ("preventable", "naive"))
    rate, other = (pick(result, "contacts", measure) for measure in ("rate", "rate_otherwise"))
    return (
        f"{estimate(ours)} of the contacts would not have come without {_plural(cause)}, if what is constant about a "
        f"customer is all that faults and other contacts share. Comparing customers who had one with those who had "
        f"none would say {estimate(naive, False)}. 100 customers make {estimate(rate, False)} contacts in 30 days, and "
        f"{estimate(other, False)} where the last of them is more than {_days(days)} ago; n = {number(ours.n)} tickets."
    )


@sentence
def contact_topics(result: pd.DataFrame, preventable: pd.DataFrame | None = None) -> str:
    """What the desk says contacts were about, beside what their timing says."""
    most = result[result["estimate"].notna()].head(MOST)
    told = [f"{plain_name(row.term)} with {estimate(row, not i)}" for i, row in enumerate(most.itertuples(index=False))]
    words = f"by the desk's own topics most contacts are about {listed(told)}"
    if isinstance(preventable, pd.DataFrame):
        cause = next(term for term in preventable["term"] if term != "contacts")
        own = result[result["term"].map(plain_name) == plain_name(cause)]
        if len(own) == 1:
            row, ours = next(own.itertuples(index=False)), pick(visible(preventable), cause, "preventable")
            same = "agrees with" if row.lower <= ours.upper and ours.lower <= row.upper else "lies apart from"
            words += f"; its {percent(row.estimate)} on {plain_name(cause)} {same} what the timing says, "
            words += percent(ours.estimate)
    return f"{words}; n = {number(result['n'].max())} tickets."


@sentence
def channel_shares(result: pd.DataFrame) -> str:
    """By which channels service and the rest happen."""
    told: list[str] = []
    for term, words in (("service", "service comes by"), ("rest", "all else by")):
        own = result[result["term"].eq(term) & result["estimate"].notna()].head(MOST)
        each = [
            f"{row.channel} with {estimate(row, not told and not i)}"
            for i, row in enumerate(own.itertuples(index=False))
        ]
        told += [f"{words} {listed(each)}"] * bool(each)
    return f"most of the {'; most of '.join(told)}; {number(result['channel'].nunique())} channels in all."


@sentence
def channel_switches(result: pd.DataFrame) -> str:
    """How often issues change channel, and how much lower such tickets are rated, plain and among tickets alike."""
    several, moved = (pick(result, "issues", measure) for measure in ("several", "switched"))
    ours, naive, matched = (pick(result, "switch", measure) for measure in ("adjusted", "naive", "matched"))
    told = (
        f"{estimate(several)} of the issues take more than one ticket, and {estimate(moved, False)} of their later "
        f"tickets come by another channel than the one before."
    )
    if not math.isfinite(ours.estimate):
        return f"{told} Too few of these are rated to be compared with later tickets that stayed."
    unclear = ", which cannot be told from none" if ours.lower <= 0 <= ours.upper else ""
    return (
        f"{told} Those are rated {_fine(naive)} points against later tickets that stayed; among tickets alike in "
        f"{plain_name(ours.method.partition(';')[0].removeprefix('same '))} it is {_fine(ours)}{unclear}. For "
        f"{percent(matched.estimate)} of the switched there are others alike; n = {number(ours.n)} rated tickets."
    )


@sentence
def closed_loop(result: pd.DataFrame, days: float) -> str:
    """How many detractors are followed up in time, and whether those come back more often than others alike."""
    within = pick(result, "follow_up", "within_target")
    share, yes, no, naive, ours, heard = (
        pick(result, "coming_back", measure)
        for measure in ("share", "followed", "not_followed", "naive", "adjusted", "answered_again")
    )
    told = (
        f"{estimate(within)} of the detractors are followed up within {_days(days)}; n = {number(within.n)} answers. "
        f"{capital(estimate(heard, False))} are heard of again"
    )
    if not math.isfinite(ours.estimate):
        return f"{told}, too few to tell whether following up brings them back."
    apart = "which cannot be told from none" if ours.lower <= 0 <= ours.upper else "which is more than noise"
    return (
        f"{told}, and {estimate(share, False)} of these are detractors no longer: {estimate(yes, False)} of those "
        f"followed up and {estimate(no, False)} of the others, {_points(naive)} apart. Among answers alike it is "
        f"{_points(ours)}, {apart}; n = {number(ours.n)} answers."
    )


@sentence
def switch_check(result: pd.DataFrame, other: pd.DataFrame) -> str:
    """What the difference would be with less held alike; `other` is from `channel_switches` with another `alike`."""
    ours, less = (pick(one, "switch", "adjusted") for one in (result, visible(other)))
    held = [row.method.partition(";")[0].removeprefix("same ") for row in (ours, less)]
    return (
        f"held alike in {plain_name(held[1])} alone, switched tickets are rated {_fine(less)} points against the "
        f"others; in {plain_name(held[0])} it is {_fine(ours)}."
    )


@sentence
def window_check(result: pd.DataFrame, other: pd.DataFrame, days: float, longer: float) -> str:
    """What the share of preventable contacts would be with a longer window."""
    cause = next(term for term in result["term"] if term != "contacts")
    ours, more = (pick(one, cause, "preventable") for one in (result, visible(other)))
    overlap = "the same within noise" if more.lower <= ours.upper and ours.lower <= more.upper else "another answer"
    return (
        f"counting contacts within {_days(longer)} and not {_days(days)} of {_plural(cause)}, {estimate(more)} would "
        f"be preventable: {overlap}."
    )


def journey_answer(
    scope: pd.DataFrame | None,
    preventable: pd.DataFrame | None,
    loop: pd.DataFrame | None,
    comments: pd.DataFrame | None,
    when: str = "",
) -> Sentence | None:
    """The one sentence of the journey: how much is service, what was preventable, who is followed up, what is said."""
    told: list[str] = []
    sizes: list[str] = []
    for result, where, words, what in (
        (scope, ("service", "share"), "{} of the interactions are service", "interactions"),
        (
            preventable,
            ("", "preventable"),
            "{} of the service contacts would not have come without {}, each customer compared with themselves",
            "tickets",
        ),
        (loop, ("follow_up", "within_target"), "{} of the detractors are followed up in time", "detractors"),
        (comments, ("service", "share"), "{} of the comments are about service", "comments"),
    ):
        if isinstance(result, pd.DataFrame):
            cause = next((term for term in result["term"] if term != "contacts"), "")
            row = pick(visible(result), where[0] or cause, where[1])
            if math.isfinite(row.estimate):
                told.append(words.format(estimate(row, not told), _plural(cause)))
                sizes.append(f"{number(row.n)} {what}")
    return Sentence(f"{capital(listed(told))}; n = {listed(sizes)}{when}.") if told else None


def comments_shown(examples: pd.DataFrame | None, allowed: bool) -> GT | Sentence | None:
    """Some masked comments on each theme; where the study does not allow it, a sentence that says so."""
    if not allowed:
        return Sentence("No comment is shown: the study does not say show_comments = true in its [privacy].")
    if not isinstance(examples, pd.DataFrame) or examples.empty:
        return None
    note = (
        f"The first of the data, no sample; themes with fewer than {number(smallest_group())} comments are left out. "
        "Names, addresses and numbers that can be recognised are masked."
    )
    return laid_out(examples, "Comments by theme", note)


def _rows(result: pd.DataFrame, measure: str) -> pd.DataFrame:
    return result[result["measure"].eq(measure) & result["estimate"].notna()]


def _place(row: Any) -> str:
    return f"{plain_name(row.department)} at stage {plain_name(row.stage)}"


def _fine(row: Any) -> str:
    """Points with a decimal, or two where they are small, and their interval."""
    if not math.isfinite(row.estimate):
        return "too few"
    told, low, high = (number(value, "", 2 if digits(row) else 1) for value in (row.estimate, row.lower, row.upper))
    return f"{told} ({low} to {high})" if math.isfinite(row.lower) else told


def _points(row: Any) -> str:
    """A difference of shares in percentage points."""
    told, low, high = (number(100 * value, "") for value in (row.estimate, row.lower, row.upper))
    return f"{told} percentage points ({low} to {high})"


def _days(days: float) -> str:
    return f"{number(days, '', int(days % 1 > 0))} day{'s' * (days != 1)}"


def _plural(cause: str) -> str:
    return f"{plain_name(cause)}s" if not plain_name(cause).endswith("s") else plain_name(cause)
