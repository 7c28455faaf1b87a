"""Every public function that takes data, as one call on tables or frames of any engine; test_spark holds them to it."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cxlib as cx

CAUSES = {
    "service": {"service_band": {"failed": "good"}},
    "price": {"price_band": {"raised": "same", "raised a lot": "same"}},
}
ADJUST = ["tenure_band", "segment", "fault_band"]
RATED = ["contact_support", "website", "billing"]
SEGMENTS = {"consumer": 0.6, "small business": 0.3, "enterprise": 0.1}
BY_ID = {"customer": "customer_id", "replicates": 50}
EVENT = {"time": "days_followed", "event": "left"}
SAID = {"missing": "not_met", **BY_ID}


def fitted(on: SimpleNamespace, **options: Any) -> Any:
    """The attrition model of the landmark frame."""
    asked = {"causes": CAUSES, "adjust": ADJUST, "customer": "customer_id", "replicates": 100} | options
    return cx.fit_attrition(on.frame, **asked)


def looked_at(tables: Any, themes: Any, kept: Callable[[Any], Any] = lambda seen: seen) -> SimpleNamespace:
    """What the cases are asked of: the tables, the frames made of them, each `kept`, and a fit; `themes` are labels."""
    on = SimpleNamespace(tables=tables, themes=themes)
    on.frame, on.answers = kept(cx.landmark(tables, "latest", 180, 90)), kept(cx.answers(tables))
    held = kept(cx.stack_landmarks(tables, "latest", 2, 90, exposures="held"))
    on.followed = kept(cx.follow_landmark(tables, "latest", 180, 90))
    on.earlier, on.linked = kept(cx.answers(tables, "2026-01-01", 180)), kept(cx.follow_answers(tables))
    on.paths, on.newcomers = kept(cx.answer_landmark(tables, "latest", 180, 90)), kept(cx.newcomers(tables))
    on.fit = fitted(on)
    hazard = {"adjust": [*ADJUST, "window"], "customer": "customer_id", "period": "window", "replicates": 50}
    on.study = replace(cx.read_study("example"), tables=tables)
    on.monthly = cx.fit_attrition(held, causes=CAUSES, **hazard)
    return on


CASES: dict[str, Callable[[SimpleNamespace], Any]] = {
    "validate": lambda on: cx.validate(on.tables),
    "landmark": lambda on: on.frame,
    "answers": lambda on: on.answers,
    "band": lambda on: cx.band(on.frame, "tenure_days", [180, 720], ["new", "known", "old"], name="band"),
    "fit_attrition": lambda on: on.fit.terms,
    "attributable_fractions": lambda on: cx.attributable_fractions(on.fit),
    "unadjusted_fractions": lambda on: cx.unadjusted_fractions(on.fit),
    "role_interval": lambda on: cx.role_interval(on.fit),
    "outweighs": lambda on: cx.outweighs(on.fit, "price", "service"),
    "robustness": lambda on: cx.robustness(on.fit),
    "what_if": lambda on: cx.what_if(on.fit, {"service": 0.5}),
    "interaction_check": lambda on: cx.interaction_check(on.fit),
    "return_on_investment": lambda on: cx.return_on_investment(on.fit, {"service": 0.5}, margin=20, period_days=90),
    "follow_landmark": lambda on: on.followed,
    "kaplan_meier": lambda on: cx.kaplan_meier(on.followed, **EVENT, by="segment"),
    "survival_quantiles": lambda on: cx.survival_quantiles(on.followed, **EVENT),
    "cumulative_incidence": lambda on: cx.cumulative_incidence(on.followed, "days_followed", "ended"),
    "log_rank": lambda on: cx.log_rank(on.followed, **EVENT, by="service_band"),
    "cox": lambda on: cx.cox(on.followed, **EVENT, terms=["service_band", "fault_band"]),
    "stack_landmarks": lambda on: cx.stack_landmarks(on.tables, "latest", 2, 90),
    "fraction_by_horizon": lambda on: cx.fraction_by_horizon(on.monthly),
    "reason_shares": lambda on: cx.reason_shares(on.tables.customers, "stated_reason"),
    "nps": lambda on: cx.nps(on.answers, by="segment"),
    "nps_differences": lambda on: cx.nps_differences(on.answers, by="segment"),
    "compare_nps": lambda on: cx.compare_nps(on.earlier, on.answers, cluster="customer_id", by="segment"),
    "design_effect": lambda on: cx.design_effect(on.answers, "weight"),
    "relative_importance": lambda on: cx.relative_importance(on.answers, "recommend", RATED, **SAID),
    "not_met_comparison": lambda on: cx.not_met_comparison(on.answers, "recommend", RATED, **BY_ID),
    "importance_performance": lambda on: cx.importance_performance(on.answers, "recommend", RATED, **SAID),
    "penalty_reward": lambda on: cx.penalty_reward(on.answers, "recommend", RATED, 2, 4, **SAID),
    "nps_what_if": lambda on: cx.nps_what_if(on.answers, "recommend", RATED, {"billing": 1}, **BY_ID),
    "service_gap": lambda on: cx.service_gap(on.answers, "recommend", RATED[:1], RATED[1:], customer="customer_id"),
    "satisfaction_overlap": lambda on: cx.satisfaction_overlap(on.answers, "recommend", "satisfaction"),
    "attrition_prediction": lambda on: cx.attrition_prediction(on.paths, customer="customer_id"),
    "collinearity": lambda on: cx.collinearity(on.answers, "recommend", RATED, missing="not_met"),
    "halo": lambda on: cx.halo(on.answers, RATED, **BY_ID),
    "operational_measures": lambda on: cx.operational_measures(on.paths, ["service_failed"], ["recommend"], **BY_ID),
    "ordinal_check": lambda on: cx.ordinal_check(on.answers, "recommend", RATED, missing="not_met"),
    "csat": lambda on: cx.csat(on.tables.tickets, by="channel"),
    "ces": lambda on: cx.ces(on.answers),
    "attrition_rate": lambda on: cx.attrition_rate(on.tables, by="segment"),
    "first_response_time": lambda on: cx.first_response_time(on.tables, by="channel"),
    "resolution_time": lambda on: cx.resolution_time(on.tables, by="segment", as_of="2026-05-31"),
    "met_target": lambda on: cx.met_target(on.tables, 48),
    "first_contact_resolution": lambda on: cx.first_contact_resolution(on.tables, by="channel"),
    "escalation_rate": lambda on: cx.escalation_rate(on.tables, by="channel"),
    "ticket_volume": lambda on: cx.ticket_volume(on.tables, by="segment"),
    "period": lambda on: cx.period(on.tables.tickets, "opened_at", "week", timezone="Europe/Berlin"),
    "control_chart": lambda on: cx.control_chart(cx.period(on.answers, "answered_at"), "recommend"),
    "survey_funnel": lambda on: cx.survey_funnel(on.tables.surveys),
    "tipping_points": lambda on: cx.tipping_points(on.linked, "segment"),
    "rake": lambda on: cx.rake(on.answers, {"segment": SEGMENTS}, name="raked").frame,
    "duplicates": lambda on: cx.duplicates(on.tables.customers),
    "leaks": lambda on: cx.leaks(on.frame, "left"),
    "missing_values": lambda on: cx.missing_values(on.tables),
    "rows_by_period": lambda on: cx.rows_by_period(on.tables),
    "touchpoint_gaps": lambda on: cx.touchpoint_gaps(on.tables),
    "whole_periods": lambda on: cx.whole_periods(on.tables.tickets, "opened_at", "month", on.tables.last_day),
    "interaction_scope": lambda on: cx.interaction_scope(on.tables),
    "journey_map": lambda on: cx.journey_map(on.tables),
    "contact_topics": lambda on: cx.contact_topics(on.tables),
    "repeat_contact": lambda on: cx.repeat_contact(on.tables),
    "preventable_contacts": lambda on: cx.preventable_contacts(on.tables, replicates=50),
    "channel_shares": lambda on: cx.channel_shares(on.tables),
    "channel_switches": lambda on: cx.channel_switches(on.tables, replicates=50),
    "closed_loop": lambda on: cx.closed_loop(on.tables, replicates=50),
    "reach_without": lambda on: cx.reach_without(on.tables),
    "follow_answers": lambda on: on.linked,
    "answer_landmark": lambda on: on.paths,
    "newcomers": lambda on: on.newcomers,
    "retention_by_nps": lambda on: cx.retention_by_nps(on.linked, time="days_followed", lost="involuntary"),
    "mediation": lambda on: cx.mediation(on.paths, CAUSES["service"], adjust=ADJUST, customer="customer_id",
                                         replicates=50),
    "word_of_mouth": lambda on: cx.word_of_mouth(on.answers),
    "referrals": lambda on: cx.referrals(on.newcomers),
    "comment_themes": lambda on: cx.comment_themes(on.tables.surveys),
    "comment_agreement": lambda on: cx.comment_agreement(on.themes, {"price": "price"}),
    "comment_examples": lambda on: cx.comment_examples(on.tables.surveys, True),
    "simulated_themes": lambda on: cx.simulated_themes(on.tables.surveys, on.tables.touchpoints),
    "study_frame": lambda on: cx.study_frame(on.study, only_column="segment", only_value="consumer"),
    "study_answers": lambda on: cx.study_answers(on.study),
    "study_followed": lambda on: cx.study_followed(on.study),
    "study_by_month": lambda on: cx.study_by_month(on.study),
    "study_linked": lambda on: cx.study_linked(on.study),
    "study_newcomers": lambda on: cx.study_newcomers(on.study),
    "study_paths": lambda on: cx.study_paths(on.study),
    "study_scores": lambda on: cx.study_scores(on.study),
    "study_comments": lambda on: cx.study_comments(on.study),
    "study_reasons": lambda on: cx.study_reasons(on.study)[0],
    "study_of_group": lambda on: cx.study_frame(cx.study_of_group(on.study, "segment", "consumer")),
    "study_history": lambda on: cx.study_history(on.study).tickets,
    "study_scope": lambda on: cx.study_scope(on.study).answers,
    "population_shares": lambda on: cx.population_shares(cx.study_scope(on.study)),
    "experience_map": lambda on: cx.experience_map(on.study),
    "describe_study": lambda on: cx.describe_study(on.study),
    "data_health": lambda on: cx.data_health(on.study),
    "comment_labels": lambda on: cx.comment_labels(on.study, cx.study_comments(on.study))[0],
    "reasons_against_model": lambda on: cx.reasons_against_model(
        on.fit, on.frame, "stated_reason", {"service": ["Poor support"]}, on.tables.customers
    ),
}  # fmt: skip
