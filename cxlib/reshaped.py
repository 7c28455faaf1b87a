"""Exports of another shape than our tables: event logs as tickets, invoices as prices, answers as ratings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import narwhals as nw

from . import engine, files
from .errors import refuse, unknown
from .study_file import EventsPart, InvoicesPart
from .typed import read_as

# A period is so many whole months if a day is so many months after another, or both are the last of their months.
_APART = "date_diff('month', {0}, {1})"
_WHOLE = "({1} = {0} + to_months({2}) OR ({0} = last_day({0}) AND {1} = last_day({1})))"
_HELD = """
    SELECT customer, day, price FROM (
        SELECT customer, day, price, LAG(price) OVER (PARTITION BY customer ORDER BY day) AS before FROM ({0})
        WHERE price > 0)
    WHERE before IS NULL OR before <> price"""
_PERIODS = """
    WITH given AS (SELECT customer, starts, ends, amount FROM rows),
    spans AS (SELECT *, ends + 1 AS after FROM given),
    counted AS (SELECT *, {between_after} AS inner_months, {between_ends} AS outer_months FROM spans),
    whole AS (
        SELECT customer, starts, amount,
            CASE WHEN inner_months > 0 AND {whole_after} THEN after
                 WHEN outer_months > 0 AND {whole_ends} THEN ends END AS until,
            CASE WHEN inner_months > 0 AND {whole_after} THEN inner_months ELSE outer_months END AS months
        FROM counted),
    steps AS (
        SELECT customer, starts AS day, amount / months AS step FROM whole WHERE until IS NOT NULL
        UNION ALL SELECT customer, CAST(until AS DATE), -amount / months FROM whole WHERE until IS NOT NULL)
    SELECT customer, day, ROUND(SUM(SUM(step)) OVER (PARTITION BY customer ORDER BY day), 4) AS price
    FROM steps GROUP BY customer, day""".format(
    between_after=_APART.format("starts", "after"),
    between_ends=_APART.format("starts", "ends"),
    whole_after=_WHOLE.format("starts", "after", "inner_months"),
    whole_ends=_WHOLE.format("starts", "ends", "outer_months"),
)
_MONTHLY = "SELECT customer, starts AS day, ROUND(SUM(amount), 4) AS price FROM rows GROUP BY customer, starts"


def cases(where: str, source: files.Source, part: EventsPart, kept: Iterable[str], zone: str = "UTC") -> files.Source:
    """An event log as tickets: a case's first stamp as opened_at, its last as resolved_at, the rest of the first event.

    `kept` are the names of the log's other columns that are wanted.
    """
    asked = dict.fromkeys([part.case, part.at, *kept])
    refuse(unknown("column", name, source.view.at, where) for name in asked if name not in source.view.at)
    read = read_as(where, source, part.at, "timestamp", zone)
    own, others = source.view.at, [name for name in asked if name not in (part.case, part.at)]
    sql = files.sql_of(source.view.frame)
    first = (sql.first_of(own[name], read) for name in others)
    spelled = [f"MIN({own[part.case]})", f"MIN({read})", f"MAX({read})", *first]
    each = sql.grouped(source.view.frame, [f"{one} AS s{i}" for i, one in enumerate(spelled)], own[part.case])
    stamps = ("opened_at", "resolved_at")
    return _under_names(source, engine.view(each, where), (part.case, *stamps, *others), stamps)


def charged(where: str, source: files.Source, part: InvoicesPart) -> files.Source:
    """Invoices as prices: what a customer is charged a month, from each day on which it changes.

    Lines, invoices and credit notes of one customer add up: with `ends` (a day in the period or the first after it)
    over the days their periods share, an amount for several months parted evenly; without, where they start on the same
    day, each being for one month. A period of a part of a month tells what days cost, not what price was agreed, and is
    left out; so is a time in which nothing is charged.
    """
    kinds = {"customer": "id", "starts": "date", "ends": "date", "amount": "number"}
    columns = {key: getattr(part, key) for key in kinds if getattr(part, key)}
    refuse(unknown("column", name, source.view.at, where) for name in columns.values() if name not in source.view.at)
    read = {key: read_as(where, source, name, kinds[key]) for key, name in columns.items()}
    rows = engine.computed(source.view.frame, read).to_native()
    sql = _HELD.format(_PERIODS if part.ends else _MONTHLY)
    ours = ("customer_id", "valid_from", "monthly_price")
    return _under_names(source, engine.view(rows.query("rows", sql), where), ours)


def melted(where: str, source: files.Source, touchpoints: Mapping[str, str]) -> files.Source:
    """Answers with a column for each touchpoint as ratings, a row for each that is filled."""
    own = source.view.at
    refuse(unknown("column", name, own, f"{where}.touchpoints") for name in touchpoints if name not in own)
    others = [name for name in own if name not in touchpoints]
    parts = [
        source.view.frame.filter(~source.view[theirs].is_null()).select(
            *(nw.col(own[name]) for name in others),
            nw.lit(touchpoint).alias("touchpoint"),
            source.view[theirs].cast(nw.String).alias("rating"),
        )
        for theirs, touchpoint in touchpoints.items()
    ]
    long = engine.view(nw.concat(parts).to_native(), where)
    return _under_names(source, long, (*others, "touchpoint", "rating"), source.zoned)


def _under_names(
    source: files.Source, seen: engine.View, names: Iterable[str], zoned: Iterable[str] = ()
) -> files.Source:
    """A source with the columns of a view under the given names, the stamps among them that are UTC already."""
    places = list(zip(names, seen.at, strict=True))
    view = engine.View(
        seen.frame, {name: seen.at[at] for name, at in places}, {name: seen.kind[at] for name, at in places}
    )
    return replace(source, view=view, zoned=frozenset(zoned))
