"""The tables of a study up to a day and of one group: what a journey is told from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import narwhals as nw

from . import engine
from .data import Tables
from .errors import CxError
from .frame import parsed_day
from .scope import study_of_group
from .study import Study

HAPPENED = {"interactions": "at", "tickets": "opened_at", "surveys": "answered_at", "customers": "signup_date"}
LATER = {"tickets": ("first_response_at", "resolved_at"), "customers": ("end_date",)}  # not known yet on the day


def study_history(study: Study, as_of: str | date = "", only_column: str = "", only_value: str = "") -> Tables | None:
    """The tables of a study as they stood on a day, of all customers or of one group of them.

    Parameters
    ----------
    study : from `read_study`
    as_of : ISO day, whose first instant is the end; "" = all there is
    only_column, only_value : keep one group of customers; "" = everyone

    Returns
    -------
    Tables; None for a study of one frame, which has no dates. Of the surveys the answered ones are kept.

    Raises
    ------
    CxError : as_of before the first or after the last day of the data; a column or value that does not occur.

    >>> import cxlib as cx
    >>> study_history(cx.read_study("example"), as_of="2026-01-01").last_day
    datetime.date(2025, 12, 31)
    """
    if study.tables is None:
        return None
    tables = study_of_group(study, only_column, only_value).tables
    assert tables is not None
    if not as_of:
        return tables
    day, last = parsed_day(as_of), tables.last_day
    if day > last + timedelta(days=1):
        raise CxError(f"as_of must not lie beyond the day after the last of the data, {last}, not {day}")
    kept: dict[str, Any] = {name: _before(seen, name, day) for name, seen in tables.present.items()}
    past = replace(tables, **kept)
    past.__dict__["last_days"] = {"as_of": day - timedelta(days=1)}
    return past


def first_day(tables: Tables) -> date:
    """The first day on which anything happened: the first interaction or ticket."""
    found = []
    for name in ("interactions", "tickets"):
        if name in tables.present:
            lazy = tables.present[name].frame.select(nw.col(HAPPENED[name]).cast(nw.Date).min().alias("first"))
            found += [value for value in engine.collect(lazy)["first"] if value is not None and value == value]
    if not found:
        raise CxError("interactions and tickets: at least one row must have a stamp, there is none; check the files")
    first = min(found)
    return first.date() if hasattr(first, "date") else first


def _before(seen: engine.View, name: str, day: date) -> engine.View:
    if name not in HAPPENED:
        return seen
    kept = seen.frame.filter(nw.col(HAPPENED[name]).cast(nw.Date) < day)
    there = [column for column in LATER.get(name, ()) if column in seen.at]
    known = [nw.when(nw.col(column).cast(nw.Date) < day).then(nw.col(column)).alias(column) for column in there]
    return replace(seen, frame=kept.with_columns(*known) if known else kept)
