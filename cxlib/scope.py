"""What a scorecard counts: the answers, invitations, tickets and customers of one period and one group of a study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import numpy as np

from . import engine, scores
from .data import Tables
from .errors import CxError, LostData, refuse, shortened, unknown
from .frame import answered_before, answers, only, parsed_day
from .held import held
from .personal import group_faults
from .study import Study, study_frame
from .study_file import ExperiencePart, LandmarkPart

MOST_DAYS = 36_500
GRACE_DAYS = 14  # in which an invitation may still be answered
ABOUT = ("region", "segment", "plan")


@dataclass(frozen=True)
class Scope:
    """What counts; None for what the study does not hold, and for every day of a study without dates."""

    score: str = "recommend"
    scale: tuple[int, int] = (0, 10)
    weights: str | None = None
    strata: str | None = None
    satisfaction: str | None = None  # column of the answers
    satisfaction_scale: tuple[int, int] = (1, 5)
    satisfied_boxes: int = 2  # how many points from the top count as satisfied
    effort: str | None = None
    outcome: str | None = None  # column of true/false of `people`
    people: engine.View | None = None  # of a frame that says who left and no dates
    answers: engine.View | None = None  # of the period
    before: engine.View | None = None  # of the period before
    history: engine.View | None = None  # all up to the end
    invited: engine.View | None = None  # sent in a period of the same length that ends early enough to be answered
    tables: Tables | None = None  # of the group, all days
    desk: Tables | None = None  # with the tickets opened in the period
    closed: Tables | None = None  # with those of them that are resolved
    opens: date | None = None  # the day before the first
    first: date | None = None
    end: date | None = None  # the day after the last
    as_of: date | None = None  # the end where it was asked for: what came later is not known
    days: int = 0
    response_hours: float = 8.0  # within which a first response is promised
    target_hours: float = 72.0  # within which a resolution is
    timezone: str = "UTC"

    def waves(self) -> dict[str, Any]:
        """Answers of the period before, those of this one to one of them, and the mix of both, for a sample size."""
        assert self.before is not None
        assert self.answers is not None
        counts = [np.zeros(3), np.zeros(3)]
        for place, seen in enumerate((self.before, self.answers)):
            found = scores.counted(seen, self.score, [], {}).dropna(subset="score")
            where = (scores.classes(found["score"], self.scale[1]) + 1).astype(int)
            np.add.at(counts[place], where, found["rows"])
        before, now = (float(count.sum()) for count in counts)
        mix = tuple((counts[0] + counts[1]) / (before + now))
        return {"answers": int(before), "ratio": now / before, "mix": mix}

    def having(self, *columns: str) -> Tables | None:
        """The desk, if its tickets have these columns."""
        there = self.desk.need("tickets").at if self.desk else ()
        return self.desk if self.desk and set(columns) <= set(there) else None

    @property
    def customers(self) -> Tables | None:
        """The tables, if there are customers among them."""
        return self.tables if self.tables and self.tables.customers is not None else None

    @property
    def last(self) -> date | None:
        """The last day."""
        return self.end - timedelta(days=1) if self.end else None

    @property
    def based(self) -> Tables | None:
        """The tables, if there are tickets and customers among them: a volume needs both."""
        return self.customers if self.desk else None


def study_scope(
    study: Study, as_of: str | date = "", days: int = 90, only_column: str = "", only_value: str = ""
) -> Scope:
    """What of a study a scorecard counts.

    Parameters
    ----------
    study : from `read_study`
    as_of : day before which the period ends, its first instant; "" = the study's, and where that is "latest" the day
        after the last of the data
    days : length of the period, 1 or more
    only_column, only_value : keep one group: a column of the customers, or of the tickets where there are no customers

    Returns
    -------
    Scope: answers, before, history, invited (views of answers or invitations with the customers' columns), tables,
    desk and closed (Tables of the group; its tickets of the period; the resolved ones), first, end, opens and as_of
    (days). What the study lacks is None. A frame without dates is one period, and has no other.

    Raises
    ------
    CxError : as_of in a frame or outside the data; days below 1; a column or value that does not occur.

    Notes
    -----
    Invitations of the last 14 days may still be answered, so those counted end 14 days before the period does.

    >>> import cxlib as cx
    >>> scope = study_scope(cx.read_study("example"), days=30)
    >>> (scope.end - scope.first).days
    30
    """
    whole = isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= MOST_DAYS
    refuse([] if whole else [f"days must be a whole number from 1 to {MOST_DAYS}, not {shortened(days)}"])
    refuse(group_faults(study.private, only_column))
    part = study.experience
    asked: dict[str, Any] = {name: getattr(part, name) for name in ("score", "weights", "strata")} if part else {}
    asked |= {name: tuple(getattr(part, name)) for name in ("scale", "satisfaction_scale")} if part else {}
    asked |= {"satisfied_boxes": int(part.satisfaction_scale[1] - part.satisfied_from) + 1} if part else {}
    if study.tables is None:
        found = _of_frame(study, as_of, only_column, only_value)
    else:
        own = study.landmark.as_of if study.landmark else ""
        named = [part.score, part.weights, part.strata, part.satisfaction] if part else []
        found = _of_tables(study.tables, as_of or own, days, only_column, only_value, named)
    answered, marks = found.get("answers"), part or ExperiencePart()
    if isinstance(answered, engine.View):
        there = {"satisfaction": marks.satisfaction or "satisfaction", "effort": marks.effort}
        found |= {name: column for name, column in there.items() if column in answered.at}
    when = study.landmark or LandmarkPart()
    promised: dict[str, Any] = {"response_hours": when.response_hours, "target_hours": when.slow_hours}
    return Scope(**asked, **found, **promised, timezone=study.timezone)


def study_of_group(study: Study, only_column: str = "", only_value: str = "") -> Study:
    """The study of one group alone: the rows of its customers in every table, or the rows of its frame.

    Parameters as for `study_scope`. "" for the column gives the study as it is.

    >>> import cxlib as cx
    >>> north = study_of_group(cx.read_study("example"), "region", "North")
    >>> north.tables.customers.to_pandas("region")["region"].unique().tolist()
    ['North']
    """
    if not only_column:
        return study
    refuse(group_faults(study.private, only_column))
    if study.tables is None:
        return replace(study, frame=only(study.frame, only_column, only_value))
    return replace(study, tables=_of_group(study.tables, only_column, only_value))


def _of_frame(study: Study, as_of: str | date, column: str, value: str) -> dict[str, Any]:
    seen = study_frame(study, as_of, column, value)
    found: dict[str, Any] = {"answers": seen, "invited": seen} if study.experience else {}
    return found | ({"outcome": study.attrition.outcome, "people": seen} if study.attrition else {})


def _of_tables(
    given: Tables, as_of: str | date, days: int, column: str, value: str, named: Sequence[str | None]
) -> dict[str, Any]:
    end = parsed_day(as_of) if as_of and as_of != "latest" else given.last_day + timedelta(days=1)
    if end > given.last_day + timedelta(days=1):
        raise CxError(f"as_of must not lie beyond the day after the last of the data, {given.last_day}, not {end}")
    first, tables = end - timedelta(days=days), _of_group(given, column, value)
    found: dict[str, Any] = {"tables": tables, "first": first, "end": end, "opens": first - timedelta(days=1),
                             "as_of": end if as_of and as_of != "latest" else None, "days": days}  # fmt: skip
    if tables.tickets is not None:
        found |= _desk(tables, tables.tickets, first, end)
    if tables.surveys is not None and "recommend" in tables.surveys.at:
        found |= _surveyed(tables, tables.surveys, first, end, named)
    return found


def _surveyed(
    tables: Tables, surveys: engine.View, first: date, end: date, named: Sequence[str | None]
) -> dict[str, Any]:
    most = engine.rows(surveys)
    found: dict[str, Any] = {"invited": held(lambda: _invited(tables, first, end), most, "survey_id")}
    # Ratings of touchpoints are for other notebooks, but where the study names one of them as a score or a weight.
    if {*filter(None, named)} <= {*surveys.at, *ABOUT}:
        tables = _reaching(replace(tables, ratings=None), tables)
    try:
        history = held(lambda: answers(tables, end), most, "survey_id")
    except LostData:
        raise
    except CxError:  # nobody has answered
        return found
    days = (end - first).days
    return found | {"history": history, "answers": _within(history, end, days), "before": _within(history, first, days)}


def _within(history: engine.View, end: date, days: int) -> engine.View | None:
    """The answers of so many days before a day, or None where there are none."""
    try:
        return answered_before(history, end, days)
    except LostData:
        raise
    except CxError:
        return None


def _desk(tables: Tables, tickets: engine.View, first: date, end: date) -> dict[str, Any]:
    opened = nw.col("opened_at").cast(nw.Date)
    # A ticket without a day of opening stays: the measures count it and refuse it, or say that it was left out.
    kept = tickets.frame.filter(((opened >= first) & (opened < end)) | opened.is_null())
    found = {"desk": _reaching(replace(tables, tickets=replace(tickets, frame=kept)), tables)}
    if "resolved_at" in tickets.at:
        closed = kept.filter(nw.col("resolved_at").cast(nw.Date) < end)
        found["closed"] = _reaching(replace(tables, tickets=replace(tickets, frame=closed)), tables)
    return found


def _invited(tables: Tables, first: date, end: date) -> engine.View:
    """Invitations, with what was answered before the end, and the customers' columns."""
    surveys, people, grace = tables.need("surveys"), tables.need("customers"), timedelta(days=GRACE_DAYS)
    sent = nw.col("sent_at").cast(nw.Date)
    known = nw.col("answered_at").cast(nw.Date) < end
    marks = [name for name in ("recommend", "satisfaction", "effort") if name in surveys.at]
    rows = surveys.frame.filter(sent >= first - grace, sent < end - grace)
    rows = rows.with_columns(nw.when(known).then(nw.col(name)).alias(name) for name in ("answered_at", *marks))
    about = [name for name in ABOUT if name in people.at]
    rows = rows.join(people.frame.select("customer_id", *about), on="customer_id", how="left")
    return engine.View(rows, {**surveys.at, **{name: name for name in about}},
                       {**surveys.kind, **dict.fromkeys(about, engine.FACTOR)})  # fmt: skip


def _of_group(tables: Tables, column: str, value: str) -> Tables:
    """The tables of the customers, or of the tickets where there are no customers, in which a column has a value."""
    if not column:
        return tables
    if tables.customers is None:
        return _reaching(replace(tables, tickets=only(tables.need("tickets"), column, value)), tables)
    refuse([] if column in tables.customers.at else [unknown("column", column, tables.customers.at, "only_column")])
    people = only(tables.customers, column, value)
    kept: dict[str, Any] = {"customers": people}
    for name, seen in tables.present.items():
        if name != "customers" and "customer_id" in seen.at:
            lazy = seen.frame.join(people.frame.select("customer_id"), on="customer_id", how="semi")
            kept[name] = replace(seen, frame=lazy)
    if tables.ratings is not None and "surveys" in kept:
        lazy = tables.ratings.frame.join(kept["surveys"].frame.select("survey_id"), on="survey_id", how="semi")
        kept["ratings"] = replace(tables.ratings, frame=lazy)
    return _reaching(replace(tables, **kept), tables)


def _reaching(tables: Tables, whole: Tables) -> Tables:
    """The data of a part reach as far as those of the whole: its own last event may be long ago."""
    tables.__dict__["last_days"] = whole.last_days
    return tables


def population_shares(scope: Scope, columns: Iterable[str] = ABOUT) -> dict[str, dict[str, float]] | None:
    """How many customers there were on the last day of a scope, by each of some columns: known margins for `rake`.

    Parameters
    ----------
    scope : from `study_scope`
    columns : those of them that the customers have count

    Returns
    -------
    Column -> category -> customers; None without customers or columns.
    """
    people = scope.tables.customers if scope.tables else None
    there = [name for name in columns if people is not None and name in people.at]
    if people is None or not there or scope.end is None:
        return None
    active = _active(people, scope.end)
    margins = {}
    for name in there:
        counts = engine.collect(active.group_by(people.at[name]).agg(nw.len().alias("n")), [people.at[name]])
        margins[name] = dict(zip(counts[people.at[name]].astype(str), counts["n"].astype(float), strict=True))
    return margins


def active_customers(scope: Scope) -> int:
    """How many customers there were on the last day of a scope."""
    assert scope.tables is not None
    assert scope.end is not None
    people = scope.tables.need("customers")
    return engine.rows(replace(people, frame=_active(people, scope.end)))


def _active(people: engine.View, end: date) -> nw.LazyFrame[Any]:
    start, gone = (people[name].cast(nw.Date) for name in ("signup_date", "end_date"))
    return people.frame.filter(start < end, gone.is_null() | (gone >= end - timedelta(days=1)))
