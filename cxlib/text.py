"""Results as sentences: the estimate with its interval, n and period, in words no stronger than the design.

A sentence function takes a result table and returns a `Sentence`. Given None, because the study does not feed the
statistic, it returns None, so that a notebook goes on.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from .driver_findings import (
    collinearity,
    halo,
    importance_performance,
    noise,
    operational_measures,
    ordinal_check,
    penalty_reward,
    rankings,
)  # fmt: skip
from .experience_findings import (
    attrition_prediction,
    design_effect,
    not_met_comparison,
    nps_differences,
    nps_what_if,
    satisfaction_overlap,
    service_gap,
)  # fmt: skip
from .feeds import lacks
from .findings import (
    Alarm,
    agreement,
    alarms,
    assumptions,
    cross_table,
    fraction_by_horizon,
    hazard_ratios,
    interactions,
    orders,
    reason_shares,
    robustness,
    segments,
    survival,
    what_if,
    where_possible,
)  # fmt: skip
from .framing import (
    about,
    about_answers,
    answer,
    answered,
    at_risk,
    beside,
    horizon_days,
    model,
    part,
    provenance,
    rating_ends,
    without,
)
from .journey_findings import (
    about_journey,
    channel_shares,
    channel_switches,
    closed_loop,
    comments_shown,
    contact_topics,
    interaction_scope,
    journey_answer,
    journey_map,
    journey_period,
    journey_table,
    preventable_contacts,
    repeat_contact,
    rows_in_journey,
    switch_check,
    window_check,
)  # fmt: skip
from .published import published_claims as claims
from .quoted import adds_up, claim, comment_agreement, comment_themes, verdict
from .readings import (
    attrition_definitions,
    attrition_table,
    closed_and_all,
    control_chart,
    nps_change,
    raked,
    response,
    tipping_points,
)  # fmt: skip
from .score_findings import experience_answer, nps, relative_importance
from .scoreboard import about_scope, by_group, definitions, lacking, rows_in_scope, scorecard, scorecard_answer
from .sliders import explore
from .soundness import (
    backwards,
    broken_rules,
    contract,
    coverage,
    duplicates,
    every_rule,
    health_answer,
    leaks,
    missing_ratings,
    missing_values,
    rows_by_period,
    rules_about,
    tables_held,
)  # fmt: skip
from .start_findings import (
    distinction,
    fed,
    missing_parts,
    notebooks,
    repeated_samples,
    service_extent,
    start_answer,
    without_touchpoint,
)  # fmt: skip
from .staying_findings import (
    blanks,
    first_or_each,
    invitations_kept,
    mediation,
    mediation_naive,
    path_assumptions,
    referrals,
    retention_by_nps,
    retention_table,
    score_comparison,
    ways_of_leaving,
    word_of_mouth,
)
from .tables import base_rates, driver_table, rows_kept, score_counts, table
from .value_findings import (
    investment_naive,
    investment_table,
    linkage_answer,
    return_on_investment,
)  # fmt: skip
from .verdicts import as_cited, claims_answer, held_against, untestable, verdicts, ways_to_count
from .wording import (
    Sentence,
    escaped,
    estimate,
    hide_below,
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

__all__ = [
    "Sentence", "about", "about_answers", "about_journey", "about_scope", "adds_up", "agreement", "alarms", "answer",
    "answered", "as_cited", "assumptions", "at_risk", "attributable_fractions", "attrition_answer",
    "attrition_definitions", "attrition_prediction", "attrition_table", "backwards", "base_rates", "beside", "blanks",
    "broken_rules", "by_group", "channel_shares", "channel_switches", "claim", "claims", "claims_answer",
    "closed_and_all", "closed_loop", "collinearity", "comment_agreement", "comment_themes", "comments_shown",
    "contact_topics", "contract", "control_chart", "coverage", "cross_table", "definitions", "design_effect",
    "distinction", "driver_table", "duplicates", "escaped", "estimate", "every_rule", "experience_answer", "explore",
    "fed", "first_or_each", "fraction_by_horizon", "halo", "hazard_ratios", "health_answer", "held_against",
    "hide_below", "horizon_days", "importance_performance", "interaction_scope", "interactions", "interval",
    "investment_naive", "investment_table", "invitations_kept", "journey_answer", "journey_map", "journey_period",
    "journey_table", "lacking", "lacks", "leaks", "linkage_answer", "listed", "mediation", "mediation_naive",
    "missing_parts", "missing_ratings", "missing_values", "model", "naive_and_adjusted", "noise", "not_met_comparison",
    "notebooks", "nps", "nps_change", "nps_differences", "nps_what_if", "number", "operational_measures", "orders",
    "ordinal_check", "outweighs", "part", "path_assumptions", "penalty_reward", "percent", "pick",
    "preventable_contacts", "provenance", "raked", "rankings", "rating_ends", "reason_shares", "referrals",
    "relative_importance", "repeat_contact", "repeated_samples", "response", "retention_by_nps", "retention_table",
    "return_on_investment", "robustness", "role_interval", "rows_by_period", "rows_in_journey", "rows_in_scope",
    "rows_kept", "rules_about", "satisfaction_overlap", "score_comparison", "score_counts", "scorecard",
    "scorecard_answer", "segments", "service_extent", "service_gap", "start_answer", "survival", "switch_check",
    "table", "tables_held", "tipping_points", "untestable", "verdict", "verdicts", "visible", "ways_of_leaving",
    "ways_to_count", "what_if", "where_possible", "window_check", "without", "without_touchpoint", "word_of_mouth",
]  # fmt: skip

ASSUMED = "if the confounders named are all there are"


# Attrition


@sentence
def attributable_fractions(result: pd.DataFrame, who: str = "customers", measure: str = "average_fraction") -> str:
    """How much attrition is associated with each cause and with all of them.

    Parameters
    ----------
    result : from `attributable_fractions`
    who : whom n counts, and when
    measure : "average_fraction" (over all orders of removal) or "fraction" (that cause alone removed)
    """
    joint = pick(result, "joint", "fraction")
    return f"of all attrition, {_fractions(result, joint, measure)}, {ASSUMED}; {sample_size(joint, who)}."


@sentence
def naive_and_adjusted(result: pd.DataFrame, measure: str = "fraction") -> str:
    """How far the unadjusted estimates are off; `result` is from `beside`."""
    naive, adjusted = (result[result["model"] == name] for name in ("naive", "adjusted"))
    before, after = (
        ("taken alone", "beside the others") if measure == "importance" else ("before adjusting", "after it")
    )
    told: list[str] = []
    for one in adjusted[adjusted["measure"].eq(measure) & adjusted["term"].isin(naive["term"])].itertuples(index=False):
        if one.term != "joint":
            first, unit = pick(naive, one.term, measure), "R² " if one.unit == "R²" else ""
            told.append(
                f"{plain_name(one.term)} goes with {unit}{estimate(first, not told)} {before} and with "
                f"{estimate(one, False)} {after}, {_apart(one.estimate - first.estimate, one.unit)}"
            )
    return f"{'; '.join(told)}."


@sentence
def role_interval(result: pd.DataFrame) -> str:
    """Between which bounds the share of departures lies in which each cause plays a role."""
    told: list[str] = []
    for term in result["term"].unique():
        low, high = (pick(result, term, bound) for bound in ("lower_bound", "upper_bound"))
        told.append(f"{term} plays a role in at least {estimate(low, not told)} and at most {estimate(high, False)}")
    return f"of all departures, {'; '.join(told)}. Where between its bounds a share lies, no data can tell."


@sentence
def outweighs(result: pd.DataFrame, a: str = "price", b: str = "service") -> str:
    """In what share of departures a outweighs b, for each of the three denominators that a press figure may mean."""
    first, both, every = (pick(result, f"{a} > {b}", measure) for measure in ("of_any", "of_both", "of_all"))
    if not math.isfinite(first.estimate):
        return f"too few left after a failure of {a} or {b} to say which of the two outweighs the other."
    other = pick(result, f"{b} > {a}", "of_any")
    none = pick(result, "neither", "of_all")
    rest = f" No failure of either came before {estimate(none, False)} of all departures." if none.estimate > 0 else ""
    together = f" and in {estimate(both, False)} of those after both" if math.isfinite(both.estimate) else ""
    return (
        f"among departures after a failure of either, {a} outweighs {b} in {estimate(first)} and {b} outweighs {a} in "
        f"{estimate(other, False)}; {a} outweighs {b} in {estimate(every, False)} of all departures{together}.{rest}"
    )


@sentence
def attrition_answer(
    result: pd.DataFrame, weighing: pd.DataFrame | None = None, who: str = "", checks: pd.DataFrame | None = None
) -> str:
    """The one sentence of the attrition notebook, from fractions and, where the study has both causes, `outweighs`.

    Given `checks`, from `robustness`, it warns where they raise an alarm: who reads no further must know.
    """
    joint, outweighed = pick(result, "joint", "fraction"), ""
    if isinstance(weighing, pd.DataFrame):
        first = estimate(pick(visible(weighing), "price > service", "of_any"), False)
        outweighed = f", and price outweighs service in {first} of the departures after a failure of either"
    told = _fractions(result, joint, "average_fraction")
    warned = "; read it with care, for the checks raise an alarm" if isinstance(alarms(checks), Alarm) else ""
    return f"of all attrition, {told}{outweighed}, {ASSUMED}; {sample_size(joint, who or 'customers')}{warned}."


def _fractions(result: pd.DataFrame, joint: Any, measure: str) -> str:
    each = list(result[(result["measure"] == measure) & (result["term"] != "joint")].itertuples(index=False))
    told = [
        f"{estimate(one, not i)} is associated with {plain_name(one.term)}{_or_none(one)}" for i, one in enumerate(each)
    ]
    if len(each) > 1:
        told.append(f"{estimate(joint, False)} with {'either' if len(each) == 2 else 'any of them'}")
    return listed(told)


def _or_none(row: Any) -> str:
    return " (which cannot be told from none)" if row.lower <= 0 <= row.upper else ""


def _apart(difference: float, unit: str) -> str:
    if unit == "share":
        size = f"{number(abs(100 * difference))} percentage points"
        return "the same" if abs(difference) < 0.005 else f"{size} {'less' if difference < 0 else 'more'}"
    return f"{number(abs(difference), unit)} {'less' if difference < 0 else 'more'}"
