"""Periods made of stamps: days, weeks, months or quarters of a study's own time zone, as a column to group by."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import narwhals as nw
import pandas as pd

from . import engine, files
from .errors import nearest, refuse, shortened, unknown

UNITS = ("day", "week", "month", "quarter")
FREQUENCY = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q"}  # our periods, pandas' names of them
BEGINNING = 0.1  # of a period: data that begin later do not hold the whole of it


def period(frame: Any, column: str, every: str = "month", timezone: str = "UTC", name: str = "period") -> engine.View:
    """Add the period that each stamp lies in, as a factor to group by.

    Parameters
    ----------
    frame : any frame, or a table such as `tables.tickets`
    column : of stamps (UTC) or days
    every : "day", "week" (from Monday), "month" or "quarter"
    timezone : the clock by which periods begin, such as "Europe/Berlin"
    name : of the new column

    Returns
    -------
    A lazy view of the frame with the first day of each row's period as ISO text, "2026-03-01"; missing stays missing.

    Raises
    ------
    CxError
        Unknown column, period or time zone, or a column that holds no stamps.

    Examples
    --------
    >>> import pandas as pd
    >>> opened = pd.DataFrame({"opened_at": pd.to_datetime(["2026-03-31 23:30", "2026-04-01 12:00"])})
    >>> period(opened, "opened_at", timezone="Europe/Berlin").to_pandas("period")["period"].tolist()
    ['2026-04-01', '2026-04-01']
    """
    seen = engine.view(frame)
    engine.require(seen, [column])
    refuse([*stamp_faults(seen, [column]), *_faults(every, timezone)])
    # A table has columns with names of its own, and one of them, `at`, is a word of the engine's language.
    places = {given: f"c{i}" for i, given in enumerate(seen.at)}
    seen = engine.View(seen.frame.select(seen[given].alias(c) for given, c in places.items()), places, seen.kind)
    at = seen.at.get(name, f"c{len(seen.at)}")
    zone = "UTC" if seen.frame.collect_schema()[seen.at[column]] == nw.Date else timezone  # a day has no clock
    sql = {c: c for c in seen.at.values()} | {at: period_start(seen.frame, seen.at[column], every, zone)}
    lazy = engine.computed(seen.frame, sql)
    return engine.View(lazy, {**seen.at, name: at}, {**seen.kind, name: engine.FACTOR})


def whole_periods(seen: Any, stamp: str, every: str, end: date, timezone: str = "UTC") -> engine.View:
    """Add the period of each row, as `period` does, and leave out the periods the data do not hold as a whole.

    Parameters
    ----------
    seen : frame or table
    stamp : column of stamps
    every : "day", "week", "month" or "quarter"
    end : the day after the last of the data
    timezone : the clock by which periods begin

    Returns
    -------
    A lazy view with the column "period". The last period is left out unless it ends with the day before `end`, the
    first if the first stamp lies beyond its first tenth: half a month of tickets is no month.

    >>> days = pd.DataFrame({"at": pd.date_range("2026-01-01", "2026-03-10")})
    >>> sorted(set(whole_periods(days, "at", "month", date(2026, 3, 11)).to_pandas("period")["period"]))
    ['2026-01-01', '2026-02-01']
    """
    refuse([] if every in FREQUENCY else [unknown("period", every, UNITS)])
    view = period(seen, stamp, every, timezone)
    known = engine.collect(view.frame.select(view[stamp].cast(nw.Datetime).min().alias("first")))["first"][0]
    if pd.isna(known):
        return view
    local = pd.Timestamp(known).tz_localize("UTC").tz_convert(timezone).tz_localize(None)
    begun = local.to_period(FREQUENCY[every])
    late = (local - begun.start_time) > BEGINNING * (begun.end_time - begun.start_time)
    start, last = begun + 1 if late else begun, pd.Timestamp(end).to_period(FREQUENCY[every])
    texts = (f"{one.start_time:%Y-%m-%d}" for one in (start, last))
    low, high = texts
    kept = view.frame.filter((view["period"] >= low) & (view["period"] < high))
    return replace(view, frame=kept)


def stamp_faults(seen: engine.View, columns: list[str]) -> list[str]:
    """The columns that hold no stamps, or one that no calendar has, with what they hold and what to do."""
    there = [name for name in dict.fromkeys(columns) if name in seen.at]
    wrong = [name for name in there if seen.kind[name] != engine.STAMP]
    faults = files.calendar_faults(seen, {name: name for name in there})
    for name in wrong:
        known = seen.frame.filter(~seen[name].is_null()).select(seen[name].alias("v")).head(1)
        held = engine.collect(known)["v"].tolist()
        told = f", such as '{shortened(held[0])}'" if held else ""
        remedy = "read it with pandas.to_datetime, or load the file with cx.load or a study"
        faults.append(f"column '{shortened(name)}' must hold stamps, it holds {_held(seen.kind[name])}{told}; {remedy}")
    return faults


def instant(value: str | date | None, where: str) -> datetime | None:
    """The first instant of a day, or an instant, from ISO text, a date or a stamp; naive UTC."""
    if value is None or value == "":
        return None
    try:
        given = value if isinstance(value, date) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        refuse([f"{where} must be a day or stamp such as 2026-03-31, not '{shortened(value)}'"])
    stamp = given if isinstance(given, datetime) else datetime(given.year, given.month, given.day)
    return stamp.astimezone(zoneinfo.ZoneInfo("UTC")).replace(tzinfo=None) if stamp.tzinfo else stamp


def _faults(every: str, timezone: str) -> list[str]:
    faults = [] if every in UNITS else [unknown("period", every, UNITS)]
    zones = zoneinfo.available_timezones()
    if timezone not in zones:
        close = nearest(timezone, zones)
        hint = f"; did you mean '{close}'?" if close else ""
        faults.append(f"timezone must be a name such as 'Europe/Berlin', not '{shortened(timezone)}'{hint}")
    return faults


def _held(kind: str) -> str:
    return {engine.NUMBER: "numbers", engine.FACTOR: "texts"}.get(kind, "something else")


def period_start(lazy: nw.LazyFrame[Any], column: str, unit: str, zone: str = "UTC") -> str:
    """SQL for the first day, as ISO text, of the day, week (from Monday), month or quarter that a stamp lies in.

    `column` is a name of ours, `zone` one of the time zone database: callers check both.
    """
    local = files.sql_of(lazy).in_zone(column, zone)
    if engine.on_spark(lazy):
        day = f"CAST({local} AS DATE)"
        first = day if unit == "day" else f"trunc({day}, '{unit}')"
        return f"CAST({first} AS STRING)"
    return f"CAST(CAST(date_trunc('{unit}', {local}) AS DATE) AS STRING)"
