"""Customers from the day they were asked: followed from their answer, or looked at as on a landmark of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import narwhals as nw

from . import engine, schema
from .bands import nps_class
from .data import Tables
from .errors import CxError, refuse, unknown
from .frame import LATEST, at_landmark, landmark_day, parsed_day
from .scope import GRACE_DAYS

WHICH = ("first", "each")
SAID = ("recommend", "satisfaction", "effort")
ABOUT = ("region", "segment", "plan")


def follow_answers(tables: Tables, as_of: str | date | None = None, which: str = "first") -> engine.View:
    """A row per customer asked, or per invitation, with how long the customer stayed after it and how that ended.

    Parameters
    ----------
    tables : from `load`, with customers and surveys
    as_of : ISO day; only invitations before it. None, "" or "latest": all
    which : "first", the first invitation of each customer; or "each", every one, so that a customer has several rows

    Returns
    -------
    A lazy view: survey_id, customer_id, region, segment, plan, recommend (points), nps_class, days_followed, left
    (of the customer's own will), involuntary, ended; told_others (people) where the tables have it.

    Raises
    ------
    CxError: no customers or surveys, no scores, an unknown `which`, nobody asked early enough.

    Notes
    -----
    Days count from the day of the answer; without a score, from that of the invitation, and the class is "no answer".
    They end with the customer or with the last day of the data. The first invitation, answered or not, and not the
    first answer: whoever stays longer is asked more often, so that "ever answered" would know the future. Invitations
    of the last 14 days may still be answered and are left out, as are those sent after the customer's end.
    """
    refuse([] if which in WHICH else [unknown("choice of answers", which, WHICH, "which")])
    customers, lazy = tables.need("customers"), _asked(tables, as_of)
    last = tables.last_day
    start = nw.when(~nw.col("recommend").is_null()).then(nw.col("answered_at")).otherwise(nw.col("sent_at"))
    lazy = lazy.with_columns(start.cast(nw.Date).cast(nw.Datetime).alias("start"))
    lazy = _firsts(lazy) if which == "first" else lazy
    lazy = lazy.join(customers.frame.select(_people(customers)), on="customer_id", how="inner")
    ended = (nw.col("end_date") <= last).fill_null(False)
    until = nw.when(ended).then(nw.col("end_date").cast(nw.Datetime)).otherwise(engine.instant(last))
    lazy = lazy.with_columns(until.alias("until"), *_ways(customers, ended))
    followed = engine.days_between(nw.col("until"), nw.col("start")).cast(nw.Int64)
    lazy = lazy.with_columns(followed.alias("days_followed"), nps_class(nw.col("recommend")).alias("nps_class"))
    lazy = lazy.filter(nw.col("days_followed") >= 0)
    kinds = {"survey_id": engine.FACTOR, "customer_id": engine.FACTOR, **_kinds(customers, ABOUT),
             "recommend": engine.NUMBER, "nps_class": engine.FACTOR, "days_followed": engine.NUMBER,
             "left": engine.FACTOR, "involuntary": engine.FACTOR, "ended": engine.FACTOR,
             **_kinds(tables.need("surveys"), ("told_others",))}  # fmt: skip
    return engine.View(lazy.select(*kinds), {name: name for name in kinds}, kinds)


def answer_landmark(
    tables: Tables, as_of: str | date, lookback_days: int, horizon_days: int, slow_hours: float = 72
) -> engine.View:
    """The landmark frame with a day of its own for every customer: that of an invitation, with what was said then.

    Parameters
    ----------
    as_of : as in `landmark`; the invitations are those of the `lookback_days` that end 14 days before it
    tables, lookback_days, horizon_days, slow_hours : as in `landmark`

    Returns
    -------
    The columns of `landmark`, where exposures are those of the `lookback_days` before the day of the invitation;
    recommend, satisfaction and effort (points) and nps_class, as said to it; left and involuntary within
    `horizon_days`, counted from the 14th day after it.

    Raises
    ------
    CxError, as `landmark`; nobody asked in that time.

    Notes
    -----
    What is measured in operation comes before the answer, and the answer before leaving, which a path from one to the
    other needs. Of several invitations the first of that time counts. Who left within 14 days is left out, because
    they could hardly have answered. Exposures are told by moving every customer's stamps so that all invitations fall
    on one day, on which the landmark frame is then made.
    """
    day = landmark_day(tables, as_of, lookback_days, horizon_days, slow_hours)
    asked = _asked(tables, day - timedelta(days=GRACE_DAYS), day - timedelta(days=GRACE_DAYS + lookback_days))
    asked = _firsts(asked).with_columns(nw.col("sent_at").cast(nw.Date).cast(nw.Datetime).alias("asked_on"))
    if not engine.collect(asked.select(nw.len().alias("n")))["n"][0]:
        raise CxError(f"surveys: nobody was asked in the {lookback_days} days before {day}; choose another as_of")
    moved = _moved(tables, asked, day)
    seen = at_landmark(moved, day, lookback_days, GRACE_DAYS + horizon_days, slow_hours)
    said = [name for name in SAID if name in tables.need("surveys").at]
    kept = [name for name in seen.at if name not in (*said, "nps_class")]
    lazy = seen.frame.select(kept).join(asked.select("customer_id", *said), on="customer_id", how="left")
    lazy = lazy.with_columns(nps_class(nw.col("recommend")).alias("nps_class"))
    kinds = {name: seen.kind[name] for name in kept} | dict.fromkeys(said, engine.NUMBER)
    kinds |= {"nps_class": engine.FACTOR}
    return engine.View(lazy, {name: name for name in kinds}, kinds)


def newcomers(tables: Tables, as_of: str | date | None = None) -> engine.View:
    """A row per customer who signed up after the first answer came in, and the class of whoever recommended us to them.

    Parameters
    ----------
    as_of : ISO day; only sign-ups before it. None, "" or "latest": all
    tables : from `load`, with customers, their referred_by, and surveys

    Returns
    -------
    A lazy view: customer_id, referred_by, region, segment, plan, referred (whether anybody recommended us), nps_class
    of the referrer's last answer before the sign-up ("no answer" where there is none).

    Raises
    ------
    CxError: no customers or surveys, no referred_by, nobody who signed up in that time.
    """
    customers, surveys = tables.need("customers"), tables.need("surveys", "it says what referrers answered")
    engine.require(customers, ["referred_by"], "customers")
    engine.require(surveys, ["recommend"], "surveys")
    until = tables.last_day if as_of in (None, "", LATEST) else parsed_day(as_of) - timedelta(days=1)
    said = surveys.frame.filter(~nw.col("answered_at").is_null() & ~nw.col("recommend").is_null())
    said = said.select(nw.col("customer_id").alias("referred_by"), "answered_at", "recommend")
    first = engine.collect(said.select(nw.col("answered_at").min().alias("first")))["first"][0]
    if first is None or first != first:
        raise CxError("surveys: at least one must be answered, none is; choose surveys with answers")
    signed = nw.col("signup_date").cast(nw.Datetime)
    new = customers.frame.filter((signed > engine.instant(first.to_pydatetime())) & (signed <= engine.instant(until)))
    about = [name for name in ABOUT if name in customers.at]
    new = new.select("customer_id", "referred_by", *about, signed.alias("signed"))
    if not engine.collect(new.select(nw.len().alias("n")))["n"][0]:
        raise CxError(f"customers: nobody signed up between the first answer and {until}; choose another as_of")
    pairs = new.select("customer_id", "referred_by", "signed").join(said, on="referred_by", how="inner")
    pairs = pairs.filter(nw.col("answered_at") < nw.col("signed"))
    last = pairs.group_by("customer_id").agg(nw.col("answered_at").max().alias("answered_at"))
    # Of two answers from one instant the higher counts, for the sake of the same frame every time.
    last = pairs.join(last, on=["customer_id", "answered_at"], how="inner")
    last = last.group_by("customer_id").agg(nw.col("recommend").max())
    lazy = new.join(last, on="customer_id", how="left")
    referred = nw.when(nw.col("referred_by").is_null()).then(nw.lit(False)).otherwise(nw.lit(True))
    lazy = lazy.with_columns(referred.alias("referred"), nps_class(nw.col("recommend")).alias("nps_class"))
    kinds = dict.fromkeys(["customer_id", "referred_by", *about, "referred", "nps_class"], engine.FACTOR)
    return engine.View(lazy.select(*kinds), {name: name for name in kinds}, kinds)


def _asked(tables: Tables, as_of: str | date | None, since: date | None = None) -> nw.LazyFrame[Any]:
    """Invitations before a day and, at most, the last whose answer is in; the score of no answer is none."""
    surveys = tables.need("surveys", "it says who was asked")
    engine.require(surveys, ["recommend"], "surveys")
    last = tables.last_day - timedelta(days=GRACE_DAYS)
    until = last if as_of in (None, "", LATEST) else min(parsed_day(as_of) - timedelta(days=1), last)
    there = nw.col("sent_at") < engine.instant(until + timedelta(days=1))
    there = there & (nw.col("sent_at") >= engine.instant(since)) if since else there
    names = [name for name in ("told_others", *SAID) if name in surveys.at]
    answered = ~nw.col("answered_at").is_null()
    said = [nw.when(answered).then(nw.col(name)).alias(name) for name in names]
    return surveys.frame.filter(there).select("survey_id", "customer_id", "sent_at", "answered_at", *said)


def _firsts(lazy: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The first invitation of each customer; of two from one instant, the one of the lower id."""
    for key in ("sent_at", "survey_id"):
        lazy = lazy.join(lazy.group_by("customer_id").agg(nw.col(key).min().alias("first")), on="customer_id")
        lazy = lazy.filter(nw.col(key) == nw.col("first")).drop("first")
    return lazy


def _moved(tables: Tables, asked: nw.LazyFrame[Any], day: date) -> Tables:
    """The tables of those asked, each customer's stamps moved by whole days so that the invitation falls on `day`."""
    move = asked.select("customer_id", (engine.instant(day) - nw.col("asked_on")).alias("move"))
    parts: dict[str, engine.View | None] = {"surveys": None, "ratings": None}
    for name in ("customers", "prices", "tickets", "interactions"):
        seen = tables.present.get(name)
        if seen is None:
            continue
        stamps = [c.name for c in schema.TABLES[name] if c.kind in ("date", "timestamp") and c.name in seen.at]
        lazy = seen.frame.join(move, on="customer_id", how="inner")
        lazy = lazy.with_columns((nw.col(stamp).cast(nw.Datetime) + nw.col("move")).alias(stamp) for stamp in stamps)
        if name == "customers":
            answerable = engine.instant(day + timedelta(days=GRACE_DAYS))
            lazy = lazy.filter(nw.col("end_date").is_null() | (nw.col("end_date") > answerable))
        days = [c.name for c in schema.TABLES[name] if c.kind == "date" and c.name in seen.at]
        lazy = lazy.with_columns(nw.col(column).cast(nw.Date).alias(column) for column in days)
        parts[name] = engine.View(lazy.drop("move"), seen.at, seen.kind)
    return replace(tables, **parts)  # type: ignore[arg-type]


def _people(customers: engine.View) -> list[str]:
    return [name for name in ("customer_id", *ABOUT, "end_date", "end_kind") if name in customers.at]


def _kinds(seen: engine.View, names: tuple[str, ...]) -> dict[str, str]:
    return {name: seen.kind[name] for name in names if name in seen.at}


def _ways(customers: engine.View, ended: nw.Expr) -> list[nw.Expr]:
    """left, involuntary and ended; without an end_kind every end counts as leaving."""
    own = ended & (nw.col("end_kind") == "voluntary").fill_null(False) if "end_kind" in customers.at else ended
    way = nw.when(own).then(nw.lit("voluntary")).otherwise(nw.when(ended).then(nw.lit("involuntary")))
    flags = {"left": own, "involuntary": ended & ~own}
    told = [nw.when(flag).then(nw.lit(True)).otherwise(nw.lit(False)).alias(name) for name, flag in flags.items()]
    return [*told, way.alias("ended")]
