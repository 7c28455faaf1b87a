"""The customers of a study at their landmark and after: followed to their end, month by month, and what they say.

And from the day they were asked: followed from their answer, or looked at as on a landmark of their own.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import narwhals as nw

from . import engine
from .bands import nps_class
from .frame import landmark_day
from .held import held, narrowed
from .invitations import answer_landmark, follow_answers, newcomers
from .study import Study, group_of, known_as, study_answered, study_at_landmark, study_frame
from .study_file import LandmarkPart
from .windows import MONTH_DAYS, by_month, unfollowed

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
    return group_of(study, study_at_landmark(study, as_of), only_column, only_value)


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
    day = _day(study, when, as_of)
    days = [day + timedelta(days=MONTH_DAYS * i) for i in range(months)]
    return group_of(study, by_month(study_at_landmark(study, as_of), days), only_column, only_value)


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
    column = study.reasons.column
    if study.tables is None:
        seen = study_frame(study, as_of, only_column, only_value)
    else:
        engine.require(study.tables.need("customers"), [column], "reasons")
        seen = group_of(study, unfollowed(study_at_landmark(study, as_of)), only_column, only_value)
    gone = seen[study.attrition.outcome].cast(nw.Float64) == 1  # a yes/no is no number on Spark
    left = engine.distinct(seen.frame.filter(gone).select(seen[column].alias("reason")))
    there = set(engine.collect(left)["reason"].dropna())
    rules = {
        name: {cause: [reason for reason in reasons if reason in there] for cause, reasons in rule.items()}
        for name, rule in study.reasons.rules.items()
    }
    return (seen, rules) if there else (None, None)


def study_scores(study: Study, as_of: str = "", only_column: str = "", only_value: str = "") -> engine.View | None:
    """The customers of `study_frame` with all that they said in their last answer: scores, and rated touchpoints.

    Parameters as for `study_frame`. The last answer is that of the lookback; who gave none has no scores. A study of
    one frame holds both already. nps_class tells the class of the score. None where the study says nothing of attrition
    or of experience.

    Examples
    --------
    >>> view = cx.study_scores(cx.read_study("example"))
    >>> {"left", "service_failed", "satisfaction", "contact_support"} <= set(view.at)
    True
    """
    if study.attrition is None or study.experience is None:
        return None
    if study.tables is None:
        return _classed(study_frame(study, as_of, only_column, only_value), study)
    if study.tables.surveys is None:
        return None
    return group_of(study, _last_said(study, as_of), only_column, only_value)


@lru_cache(maxsize=2)
def _last_said(study: Study, as_of: str) -> engine.View:
    """The customers at the landmark of a study's tables with all that they said in their last answer: held."""
    assert study.tables is not None
    when = study.landmark or LandmarkPart()
    day = _day(study, when, as_of)
    known = known_as(study, "last said", str(day), when)
    most = engine.rows(study.tables.need("customers"))
    return held(lambda: _with_last_said(study, as_of, day, when), most, "customer_id", known)


def _with_last_said(study: Study, as_of: str, day: date, when: LandmarkPart) -> engine.View:
    seen, said = study_frame(study, as_of), study_answered(study, day, when.lookback_days)
    which = "customer_id", "survey_id"
    new = {name: said.at[name] for name in said.at if name not in ("recommend", "answered_at", *seen.at)}
    new |= {"recommend": said.at["recommend"]} if "recommend" in said.at else {}
    kept = [name for name in seen.at if name not in ("recommend", "nps_class")]
    last = said.frame.select(*which, "answered_at")
    for key in ("answered_at", "survey_id"):  # of two answers from one instant, the one of the later survey
        last = last.join(last.group_by("customer_id").agg(nw.col(key).max().alias("last")), on="customer_id")
        last = last.filter(nw.col(key) == nw.col("last")).drop("last")
    all_said = said.frame.select(*(said[name].alias(f"said{i}") for i, name in enumerate(new)), *which)
    told, wide = narrowed(all_said)
    told = told.join(last.select(*which), on=list(which), how="semi").drop("survey_id")
    joined = seen.frame.select(seen.at[name] for name in kept).join(told, on="customer_id", how="left")
    joined = joined.with_columns(wide) if wide else joined
    at = {name: seen.at[name] for name in kept} | {name: f"said{i}" for i, name in enumerate(new)}
    whole = engine.View(joined, at, {name: (said if name in new else seen).kind[name] for name in at})
    return _classed(whole, study)


def study_linked(
    study: Study, as_of: str = "", only_column: str = "", only_value: str = "", which: str = "first"
) -> engine.View | None:
    """The customers of a study with their score and how long they stayed after it, for `retention_by_nps`.

    Parameters as for `study_frame`, and `which` answers of a customer count: "first" or "each"; see `follow_answers`.
    A frame that says who left and holds scores is given as it is. None where the study has not both.

    Examples
    --------
    >>> view = cx.study_linked(cx.read_study("example"))
    >>> {"nps_class", "days_followed", "left"} <= set(view.at)
    True
    """
    if study.tables is None:
        return study_frame(study, as_of, only_column, only_value) if study.attrition and study.experience else None
    surveys = study.tables.surveys
    there = study.tables.customers is not None and surveys is not None and "recommend" in surveys.at
    return group_of(study, follow_answers(study.tables, as_of, which), only_column, only_value) if there else None


def study_paths(study: Study, as_of: str = "", only_column: str = "", only_value: str = "") -> engine.View | None:
    """What happened to customers before they were asked, what they then said, and whether they left, for `mediation`.

    Parameters as for `study_frame`; columns as of `answer_landmark`, and experience: satisfied, not satisfied or no
    answer, where the study names its satisfaction. A frame is given as it is, in no known order of time. None where
    the study says nothing of attrition or of experience.

    Examples
    --------
    >>> view = cx.study_paths(cx.read_study("example"))
    >>> {"service_band", "experience", "nps_class", "left"} <= set(view.at)
    True
    """
    if study.attrition is None or study.experience is None:
        return None
    if study.tables is None:
        seen = _classed(study_frame(study, as_of, only_column, only_value), study)
    elif study.tables.surveys is None or "recommend" not in study.tables.surveys.at:
        return None
    else:
        when = study.landmark or LandmarkPart()
        day = _day(study, when, as_of)
        seen = answer_landmark(study.tables, day, when.lookback_days, when.horizon_days, when.slow_hours)
        seen = group_of(study, seen, only_column, only_value)
    asked = study.experience.satisfaction
    if not asked or asked not in seen.at or "experience" in seen.at:
        return seen
    happy = nw.when(seen[asked] >= study.experience.satisfied_from).then(nw.lit("satisfied"))
    band = nw.when(seen[asked].is_null()).then(nw.lit("no answer")).otherwise(happy.otherwise(nw.lit("not satisfied")))
    return _with(seen, "experience", band)


def study_newcomers(study: Study, as_of: str = "", only_column: str = "", only_value: str = "") -> engine.View | None:
    """The customers of a study who signed up after the first answer, and who recommended us, for `referrals`.

    Parameters as for `study_frame`; columns as of `newcomers`. None where the tables do not say who recommended us.

    Examples
    --------
    >>> view = cx.study_newcomers(cx.read_study("example"))
    >>> {"referred", "nps_class"} <= set(view.at)
    True
    """
    tables = study.tables
    if tables is None or tables.customers is None or tables.surveys is None or "referred_by" not in tables.customers.at:
        return None
    return group_of(study, newcomers(tables, as_of), only_column, only_value)


def _classed(seen: engine.View, study: Study) -> engine.View:
    """The frame with the class of the study's score."""
    part = study.experience
    if part is None or part.score not in seen.at or "nps_class" in seen.at:
        return seen
    return _with(seen, "nps_class", nps_class(seen[part.score], part.scale[1]))


def _with(seen: engine.View, name: str, column: nw.Expr) -> engine.View:
    lazy = seen.frame.with_columns(column.alias(name))
    return engine.View(lazy, {**seen.at, name: name}, {**seen.kind, name: engine.FACTOR})


def _day(study: Study, when: LandmarkPart, as_of: str) -> date:
    assert study.tables is not None
    return landmark_day(study.tables, as_of or when.as_of, when.lookback_days, when.horizon_days, when.slow_hours)
