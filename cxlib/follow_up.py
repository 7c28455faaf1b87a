"""The customers of a study at their landmark and after: followed to their end, month by month, and what they say."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from . import engine
from .frame import answers, landmark_day, only
from .study import Study, study_frame
from .study_file import LandmarkPart
from .windows import MONTH_DAYS, follow_landmark, stack_landmarks

Rules = dict[str, dict[str, list[str]]]


def study_followed(study: Study, as_of: str = "", only_column: str = "", only_value: str = "") -> engine.View | None:
    """The customers of `study_frame` with how long they were followed, for survival curves.

    Parameters as for `study_frame`; columns as of `follow_landmark`. None where the study is one frame without dates.

    Examples
    --------
    >>> view = cx.study_followed(cx.read_study("example"))
    >>> {"days_followed", "ended"} <= set(view.at)
    True
    """
    if study.tables is None:
        return None
    when = study.landmark or LandmarkPart()
    seen = follow_landmark(study.tables, as_of or when.as_of, when.lookback_days, when.horizon_days, when.slow_hours)
    return only(seen, only_column, only_value)


def study_by_month(study: Study, as_of: str = "", only_column: str = "", only_value: str = "") -> engine.View | None:
    """The customers of `study_frame` in each month of the horizon, for fractions by horizon.

    Parameters as for `study_frame`; columns as of `stack_landmarks` with exposures "held". The months are the whole
    ones of the horizon. None where there are fewer than two, or the study is one frame without dates.

    Examples
    --------
    >>> view = cx.study_by_month(cx.read_study("example"))
    >>> {"window", "month"} <= set(view.at)
    True
    """
    when = study.landmark or LandmarkPart()
    months = when.horizon_days // MONTH_DAYS
    if study.tables is None or months < 2:
        return None
    # The day of the whole horizon, so that all figures of a report are about the same customers.
    stacked = stack_landmarks(
        study.tables, _day(study, when, as_of), months, when.lookback_days, when.slow_hours, "held"
    )
    return only(stacked, only_column, only_value)


def study_reasons(
    study: Study, as_of: str = "", only_column: str = "", only_value: str = ""
) -> tuple[engine.View, Rules] | tuple[None, None]:
    """The customers of `study_frame` with the reason they state, and the study's coding rules for these reasons.

    Parameters as for `study_frame`. A rule keeps the reasons that one of these customers states: a small group need
    not state all. None for both where the study has no rules or no outcome.

    Examples
    --------
    >>> view, rules = cx.study_reasons(cx.read_study("example"))
    >>> list(rules)
    ['strict', 'middle', 'broad']
    """
    if study.reasons is None or not study.reasons.rules or study.attrition is None:
        return None, None
    seen, column = study_frame(study, as_of, only_column, only_value), study.reasons.column
    if study.tables is not None and column not in seen.at:
        people = study.tables.need("customers", "what leavers say stands there")
        said = people.frame.select("customer_id", people[column].alias(column))
        joined = seen.frame.join(said, on="customer_id", how="left")
        seen = engine.View(joined, {**seen.at, column: column}, {**seen.kind, column: engine.FACTOR})
    left = seen.frame.filter(seen[study.attrition.outcome] == 1).select(seen[column].alias("reason")).unique()
    there = set(engine.collect(left)["reason"].dropna())
    rules = {
        name: {cause: [reason for reason in reasons if reason in there] for cause, reasons in rule.items()}
        for name, rule in study.reasons.rules.items()
    }
    return (seen, rules) if there else (None, None)


def study_scores(study: Study, as_of: str = "", only_column: str = "", only_value: str = "") -> engine.View | None:
    """The customers of `study_frame` with all that they said in their last answer: scores, and rated touchpoints.

    Parameters as for `study_frame`. The last answer is that of the lookback; who gave none has no scores. A study of
    one frame holds both already. None where the study says nothing of attrition or of experience.

    Examples
    --------
    >>> view = cx.study_scores(cx.read_study("example"))
    >>> {"left", "service_failed", "satisfaction", "contact_support"} <= set(view.at)
    True
    """
    if study.attrition is None or study.experience is None:
        return None
    seen = study_frame(study, as_of, only_column, only_value)
    if study.tables is None or study.tables.surveys is None:
        return seen if study.tables is None else None
    when = study.landmark or LandmarkPart()
    said = answers(study.tables, _day(study, when, as_of), when.lookback_days)
    last = said.frame
    for key in ("answered_at", "survey_id"):  # of two answers from one instant, the one of the later survey
        last = last.join(last.group_by("customer_id").agg(nw.col(key).max().alias("last")), on="customer_id")
        last = last.filter(nw.col(key) == nw.col("last")).drop("last")
    new = {name: said.at[name] for name in said.at if name not in ("recommend", "answered_at", *seen.at)}
    new |= {"recommend": said.at["recommend"]} if "recommend" in said.at else {}
    kept = [name for name in seen.at if name not in ("recommend", "nps_class")]
    told = last.select("customer_id", *(said[name].alias(f"said{i}") for i, name in enumerate(new)))
    joined = seen.frame.select(seen.at[name] for name in kept).join(told, on="customer_id", how="left")
    at = {name: seen.at[name] for name in kept} | {name: f"said{i}" for i, name in enumerate(new)}
    return engine.View(joined, at, {name: (said if name in new else seen).kind[name] for name in at})


def _day(study: Study, when: LandmarkPart, as_of: str) -> date:
    assert study.tables is not None
    return landmark_day(study.tables, as_of or when.as_of, when.lookback_days, when.horizon_days, when.slow_hours)
