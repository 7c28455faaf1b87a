"""What a study feeds and what it lacks: the parts of every notebook, and the sentence for each that is not there."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from . import schema
from .errors import CxError, unknown
from .study import Study


def lacks(study: Study, part: str) -> str:
    """ "" if a study feeds a part, else the sentence that says what it lacks.

    Parameters
    ----------
    part : one of "attrition", "experience", "groups", "reasons", "tables", or a table's name
    """
    missing = {name: sentence for name, (there, sentence) in _parts(study).items() if not there}
    if part not in _parts(study):
        raise CxError(unknown("part", part, _parts(study), "lacks"))
    return missing.get(part, "")


def describe_study(study: Study) -> pd.DataFrame:
    """What a study feeds and lacks: notebook, part, feeds (yes or no), missing (what to add)."""
    rows = [
        (notebook, part, "no" if lacks(study, need) else "yes", lacks(study, need)) for notebook, part, need in NEEDS
    ]
    return pd.DataFrame(rows, columns=["notebook", "part", "feeds", "missing"])


def mapping(study: Study) -> pd.DataFrame:
    """Where the columns of a study come from: table, column (ours), from (theirs); of a frame the ones it names."""
    named = {name for part in (study.attrition, study.experience) if part for name in _names(part.model_dump())}
    rows = [row for row in study.origins if row[0] != "frame" or row[1] != row[2] or row[1] in named]
    return pd.DataFrame(rows, columns=["table", "column", "from"])


def _names(value: object) -> Iterator[str]:
    """The texts in a part of a study, the keys of its tables among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        yield from (name for name in value if isinstance(name, str))
        yield from (name for one in (value.values() if isinstance(value, dict) else value) for name in _names(one))


# notebook, part of it, what the study must have
NEEDS = (
    ("00-start-here", "service beside the experience", "places"),
    ("01-scorecard", "NPS, CSAT and CES", "scores"),
    ("01-scorecard", "attrition rate", "ends"),
    ("01-scorecard", "service measures", "tickets"),
    ("01-scorecard", "control charts and change", "dates"),
    ("02-attrition-service-vs-price", "fractions of attrition", "attrition"),
    ("02-attrition-service-vs-price", "stated reasons", "reasons"),
    ("03-experience-and-nps", "NPS and what moves it", "experience"),
    ("03-experience-and-nps", "service against the rest", "groups"),
    ("04-journey", "stages, scope and who starts", "journey"),
    ("04-journey", "contacts that could be prevented", "contacts"),
    ("04-journey", "switches of channel", "issues"),
    ("04-journey", "the closed loop", "loop"),
    ("04-journey", "what comments are about", "comments"),
    ("05-nps-to-retention", "retention by NPS class", "linked"),
    ("05-nps-to-retention", "from service through the score to leaving", "paths"),
    ("05-nps-to-retention", "word of mouth", "told_others"),
    ("05-nps-to-retention", "referrals", "referred_by"),
    ("05-nps-to-retention", "return on an improvement", "attrition"),
    ("06-data-health", "the data contract", "tables"),
    ("06-data-health", "leaks", "attrition"),
    ("06-data-health", "missing ratings", "ratings"),
    ("07-published-claims", "service and price in attrition", "attrition"),
    ("07-published-claims", "great service in a poor experience", "groups"),
    ("07-published-claims", "who tells others", "telling"),
    ("07-published-claims", "what comments are about", "comments"),
    ("07-published-claims", "contacts that could be avoided", "contacts"),
)


def _parts(study: Study) -> dict[str, tuple[bool, str]]:
    """For each part: whether the study has it, and the sentence for when it has not."""
    causes = bool(study.attrition and study.attrition.causes)
    drivers = bool(study.experience and study.experience.drivers)
    surveys = study.tables.surveys if study.tables else None
    parts = {
        "attrition": (causes, "This study has no [attrition] with causes: it cannot say why customers left."),
        "experience": (drivers, "This study has no [experience] with drivers: it cannot say what moves the score."),
        "groups": (bool(study.experience and study.experience.groups), "This study has no [experience.groups]."),
        "satisfaction": (
            bool(study.experience and study.experience.satisfaction),
            "This study names no satisfaction in [experience]: CSAT cannot be set beside NPS.",
        ),
        "places": (
            drivers or bool(study.tables and study.tables.touchpoints),
            "This study has neither touchpoints nor [experience] with drivers: what of it is service cannot be told.",
        ),
        "reasons": (bool(study.reasons and study.reasons.rules), "This study has no [reasons]: no stated reasons."),
        "scores": (
            bool(study.experience) or bool(surveys and "recommend" in surveys.at),
            "This study has neither [experience] nor surveys with recommend: no scores.",
        ),
        "ends": (
            bool(study.attrition) or bool(study.tables and study.tables.customers),
            "This study has neither customers with their ends nor [attrition]: nobody is seen to leave.",
        ),
        "linked": (_linked(study), "This study does not say of the same customers what they answered and who left."),
        "paths": (
            causes and bool(study.experience) and _linked(study),
            "This study does not say of the same customers what service they met, what they answered and who left.",
        ),
        "told_others": (
            bool(surveys and {"told_others", "recommend"} <= set(surveys.at)),
            "This study has no surveys with told_others: whom customers told is not known.",
        ),
        "referred_by": (
            _linked(study) and bool(study.tables and "referred_by" in study.tables.need("customers").at),
            "This study has no customers with referred_by beside surveys: who brought newcomers is not known.",
        ),
        "dates": (study.tables is not None, "This study is one frame: nothing is dated, so there is no trend."),
        "tables": (study.tables is not None, "This study has no [tables], it is one frame: nothing is dated."),
    }
    parts |= _journey_parts(study)
    present = study.tables.present if study.tables else {}
    parts |= {name: (name in present, f"This study has no table '{name}'.") for name in schema.TABLES}
    # In a frame the drivers are the ratings.
    return parts | {"ratings": ("ratings" in present or (study.tables is None and drivers), parts["ratings"][1])}


def _journey_parts(study: Study) -> dict[str, tuple[bool, str]]:
    """The parts of a journey: the tables, and the columns of tickets and answers, that each of them is told from."""
    there = study.tables.present if study.tables else {}
    tickets, surveys = (there[name].at if name in there else {} for name in ("tickets", "surveys"))
    said = surveys if study.tables else (study.frame.at if study.frame else {})
    column = study.comments.column if study.comments else "comment"
    return {
        "journey": (
            {"interactions", "touchpoints"} <= set(there),
            "This study lacks interactions or touchpoints: where customers and company meet is not known.",
        ),
        "contacts": (
            {"customers", "interactions", "tickets"} <= set(there),
            "This study lacks customers, interactions or tickets: what brought a contact is not known.",
        ),
        "repeats": (
            "customer_id" in tickets,
            "This study has no tickets with customer_id: who asked again is not seen.",
        ),
        "issues": (
            {"issue_id", "channel", "csat", "customer_id"} <= set(tickets),
            "This study has no tickets with issue_id, channel and csat: a change of channel is not seen.",
        ),
        "loop": (
            {"customers", "interactions"} <= set(there) and "recommend" in surveys,
            "This study lacks surveys, customers or interactions: what follows a bad answer is not seen.",
        ),
        "telling": (
            {"told_others", "recommend"} <= set(surveys),
            "This study has no surveys with told_others: who told others is not known.",
        ),
        "comments": (column in said, f"This study has no column '{column}' of comments."),
    }


def _linked(study: Study) -> bool:
    """Whether scores and ends are of the same customers."""
    if study.tables is None:
        return bool(study.attrition and study.experience)
    customers, surveys = study.tables.customers, study.tables.surveys
    return bool(customers and surveys and "recommend" in surveys.at)
