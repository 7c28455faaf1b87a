"""How many tickets a customer base makes: counts of a period over the customers who were there, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine, scores
from .data import Tables
from .errors import CxError, refuse, unknown
from .intervals import poisson, quantile
from .periods import instant
from .schema import TOO_FEW, results
from .shares import Row
from .ticket_rows import option_faults

MONTH_DAYS = 30
PER = 100  # customers
EVERY = {"week": "W-SUN", "month": "M", "quarter": "Q"}  # our periods, pandas' names of them


def ticket_volume(
    data: Tables,
    by: str | Sequence[str] | None = None,
    since: str | date | None = None,
    as_of: str | date | None = None,
    every: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Tickets opened per 100 active customers in 30 days, over the days on which customers were there.

    Parameters
    ----------
    data : Tables, with tickets
    by : columns of the customers, which divide tickets and customers, or of the tickets, which divide tickets alone
    since, as_of : first day, and the day before which tickets count (default: all days from the first ticket on to the
        last day of the data)
    every : "week", "month" or "quarter" for one row a period, in a first column "period"
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns, term "ticket_volume"; measures rate (tickets per 100 customers in 30 days), tickets (count) and
    active_customers (mean over the days). n = tickets; without active customers, "too few".

    Raises
    ------
    CxError : no tickets table, unknown columns, days in the wrong order.

    Notes
    -----
    A customer is active from signup_date to end_date, both included. Exact Poisson limits: customers with many tickets
    make the true spread wider. Tickets of nobody known, or from days on which their customer was not active, count.

    Source: Garwood (1936).

    >>> people = pd.DataFrame({"customer_id": ["1", "2"], "signup_date": ["2025-12-01"] * 2, "end_date": [None] * 2})
    >>> asked = pd.DataFrame({"ticket_id": ["1"], "customer_id": ["1"], "opened_at": ["2026-01-05"]})
    >>> from cxlib.data import load
    >>> ticket_volume(load({"customers": people, "tickets": asked}), since="2026-01-01", as_of="2026-01-06")[
    ...     ["measure", "estimate"]].to_numpy().tolist()
    [['rate', 300.0], ['tickets', 1.0], ['active_customers', 2.0]]
    """
    groups = scores.grouping([*(["period"] if every else []), *scores.grouping(by)])[bool(every) :]
    quantile(level)
    own = _check(data, groups, every)
    start, end = _span(data, since, as_of)
    tickets = _tickets(data, groups, start, end)
    active = _active(data.need("customers"), own, start, end)
    # Every level of the tickets' own columns has all customers behind it.
    others = [f"g{i}" for i, name in enumerate(groups) if name not in own]
    found = tickets[others].drop_duplicates() if others else pd.DataFrame(index=[0])
    exposed = active.rename(columns={f"o{i}": f"g{groups.index(name)}" for i, name in enumerate(own)})
    cells = pd.concat([tickets, exposed.merge(found, how="cross")], ignore_index=True).fillna({"rows": 0, "days": 0})
    levels = scores.levels(cells, groups)
    sums = cells.assign(period=_period(cells["day"], every)).groupby(["group", "period"])[["rows", "days"]].sum()
    length = _period(pd.Series(pd.date_range(start, end, inclusive="left")), every).value_counts()
    rows: list[Row] = []
    for (group, when), count, days in sums.itertuples():
        named = dict(zip(groups, levels[group], strict=True)) | ({"period": when} if every else {})
        rows += [named | row for row in _rows(count, days, length[when], level)]
    return results(rows, [*(["period"] if every else []), *groups])


def _period(days: pd.Series, every: str | None) -> pd.Series:
    """The first day of each day's period, as ISO text."""
    if not every:
        return pd.Series("", index=days.index)
    return days.dt.to_period(EVERY[every]).dt.start_time.dt.strftime("%Y-%m-%d")


def _check(data: Tables, groups: Sequence[str], every: str | None) -> list[str]:
    """The groups that are columns of the customers; faults of the rest."""
    if not isinstance(data, Tables):
        raise CxError(
            f"data must be Tables, from cx.load or a study, not {type(data).__name__}: a volume needs the customers as "
            f"well as the tickets"
        )
    tickets, people = (data.need(name, "the ticket volume needs it") for name in ("tickets", "customers"))
    there = {*tickets.at, *people.at}
    faults = [unknown("column", name, there, "tickets and customers") for name in groups if name not in there]
    refuse(faults + (option_faults(every=(every, list(EVERY))) if every else []))
    return [name for name in groups if name not in tickets.at]


def _span(data: Tables, since: str | date | None, as_of: str | date | None) -> tuple[date, date]:
    """First day, and the day after the last."""
    start, end = instant(since, "since"), instant(as_of, "as_of")
    if start is None:
        first = engine.collect(data.tickets.frame.select(nw.col("opened_at").min().alias("v")))["v"][0]  # type: ignore[union-attr]
        if pd.isna(first):
            raise CxError("tickets: there must be at least one with opened_at; there is none")
        start = pd.Timestamp(first).to_pydatetime()
    days = start.date(), end.date() if end else data.last_day + timedelta(days=1)
    if not days[0] < days[1] <= data.last_day + timedelta(days=1):
        raise CxError(f"since must lie before as_of, and as_of not beyond the last day of the data, {data.last_day}; "
                      f"they are {days[0]} and {days[1]}")  # fmt: skip
    return days


def _tickets(data: Tables, groups: Sequence[str], start: date, end: date) -> pd.DataFrame:
    """Tickets by group and day, in one grouped query."""
    tickets, people = data.need("tickets"), data.need("customers")
    lazy = tickets.frame.with_columns(nw.col("opened_at").cast(nw.Date).alias("day"))
    lazy = lazy.filter(nw.col("day") >= start, nw.col("day") < end)
    extra = [name for name in groups if name not in tickets.at]
    if extra:
        lazy = lazy.join(people.frame.select("customer_id", *extra), on="customer_id", how="left")
    keys = {f"g{i}": nw.col(name) for i, name in enumerate(groups)} | {"day": nw.col("day")}
    counts = engine.collect(lazy.select(*(e.alias(name) for name, e in keys.items())).group_by(*keys).agg(
        nw.len().cast(nw.Float64).alias("rows")), list(keys))  # fmt: skip
    return counts.assign(day=pd.to_datetime(counts["day"]))


def _active(people: engine.View, own: Sequence[str], start: date, end: date) -> pd.DataFrame:
    """Active customers by group and day, from the days on which they came and went."""
    keys = {f"o{i}": people[name] for i, name in enumerate(own)}
    keys |= {"first": people["signup_date"], "last": people["end_date"]}
    lazy = people.frame.select(*(e.alias(name) for name, e in keys.items()))
    counts = engine.collect(lazy.group_by(*keys).agg(nw.len().cast(nw.Float64).alias("n")), list(keys))
    span, origin = (end - start).days, pd.Timestamp(start)
    come = (pd.to_datetime(counts["first"]) - origin).dt.days.clip(lower=0)
    go = ((pd.to_datetime(counts["last"]) - origin).dt.days + 1).fillna(span).clip(upper=span)
    here = counts.assign(come=come, go=go)[(go > come) & come.notna()]
    names, parts = [f"o{i}" for i in range(len(own))], []
    for key, group in here.groupby(names, dropna=False, sort=False) if names else [((), here)]:
        change = np.bincount(group["come"].astype(int), group["n"], span + 1)
        change -= np.bincount(group["go"].astype(int), group["n"], span + 1)
        days = pd.DataFrame({"day": pd.date_range(start, periods=span), "days": np.cumsum(change)[:span]})
        parts.append(days.assign(**dict(zip(names, key, strict=True))))
    if not parts:
        raise CxError(f"customers: somebody must be active between {start} and {end}; check signup_date and the period")
    return pd.concat(parts, ignore_index=True)


def _rows(count: float, days: float, length: float, level: float) -> list[Row]:
    exposure = days / (PER * MONTH_DAYS)
    lower, upper = (float(x) for x in poisson(count, exposure, level))
    rate, error = (count / exposure, np.sqrt(count) / exposure) if exposure > 0 else (np.nan, np.nan)
    shared = {"term": "ticket_volume", "n": count, "level": level, "note": "" if exposure > 0 else TOO_FEW}
    told = f"tickets over {days:,.0f} active customer-days; exact Poisson"
    return [
        {**shared, "measure": "rate", "estimate": rate, "std_error": error, "lower": lower, "upper": upper,
         "unit": f"tickets per {PER} customers in {MONTH_DAYS} days", "method": told},
        {**shared, "measure": "tickets", "estimate": count, "unit": "tickets", "method": "count"},
        {**shared, "measure": "active_customers", "estimate": days / length, "unit": "customers",
         "method": "mean over the days"},
    ]  # fmt: skip
