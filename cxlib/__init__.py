"""cxlib: how service drives attrition, against price, and how experience relates to NPS.

Importing starts nothing and styles nothing; a function's module is loaded when the function is first used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# One line per module: the names it adds to the stable surface.
_PUBLIC = {
    "data": ["load", "validate"],
    "study": ["read_study", "study_answers", "study_frame"],
    "feeds": ["describe_study"],
    "frame": ["answers", "band", "landmark"],
    "simulation": ["simulate"],
    "promoters": ["design_effect", "nps", "nps_differences"],
    "waves": ["compare_nps"],
    "planning": ["nps_sample_size"],
    "attrition": ["fit_attrition"],
    "fractions": ["attributable_fractions", "outweighs", "role_interval", "unadjusted_fractions", "what_if"],
    "checks": ["interaction_check", "robustness"],
    "follow_up": [
        "study_by_month",
        "study_followed",
        "study_linked",
        "study_newcomers",
        "study_paths",
        "study_reasons",
        "study_scores",
    ],
    "invitations": ["answer_landmark", "follow_answers", "newcomers"],
    "linkage": ["retention_by_nps"],
    "value": ["return_on_investment"],
    "mediated": ["mediation"],
    "telling": ["referrals", "word_of_mouth"],
    "windows": ["follow_landmark", "stack_landmarks"],
    "survival": ["cumulative_incidence", "kaplan_meier", "log_rank", "survival_quantiles"],
    "hazards": ["cox"],
    "horizon": ["fraction_by_horizon"],
    "reasons": ["reason_shares", "reasons_against_model"],
    "drivers": ["relative_importance"],
    "unmet": ["not_met_comparison"],
    "experience": ["importance_performance", "nps_what_if", "penalty_reward"],
    "gaps": ["attrition_prediction", "satisfaction_overlap", "service_gap"],
    "driver_checks": ["collinearity", "halo", "operational_measures"],
    "ordered_answers": ["ordinal_check"],
    "periods": ["period", "whole_periods"],
    "scope": ["population_shares", "study_of_group", "study_scope"],
    "desk": ["first_response_time", "met_target", "resolution_time"],
    "ticket_shares": ["escalation_rate", "first_contact_resolution"],
    "volume": ["ticket_volume"],
    "satisfaction": ["ces", "csat"],
    "churn": ["attrition_rate"],
    "charts": ["control_chart"],
    "nonresponse": ["survey_funnel", "tipping_points"],
    "weighting": ["rake"],
    "health": ["data_health", "duplicates", "leaks"],
    "missing": ["missing_values", "rows_by_period", "touchpoint_gaps"],
    "history": ["study_history"],
    "journey": ["interaction_scope", "journey_map"],
    "contacts": ["contact_topics", "preventable_contacts", "repeat_contact"],
    "channels": ["channel_shares", "channel_switches"],
    "recovery": ["closed_loop"],
    "extent": ["experience_map", "reach_without"],
    "sampling": ["repeated_samples"],
    "comments": ["comment_agreement", "comment_examples", "comment_themes"],
    "spoken": ["comment_labels", "simulated_themes", "study_comments"],
    "masking": ["masked"],
    "published": ["claim_consistency", "claim_margins", "claim_verdict", "published_claims"],
    "errors": ["CxError"],
}
_MODULES = ("plots", "text", "workshop")
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module 'cxlib' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
