"""Contacts that need not have been: those that come back within days, and those that a fault brought."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine, schema
from .data import Tables
from .errors import CxError, refuse, shortened, unknown
from .history import first_day
from .intervals import quantile
from .moments import cross_products
from .ratios import unit_shares
from .resample import estimates, replicated_products
from .schema import TOO_FEW, results

MOST_DAYS = 365
LONG_AGO = -1e12  # minutes: before any fault
MONTH_DAYS, PER = 30, 100
Row = dict[str, Any]


def repeat_contact(
    data: Tables, window_days: float = 7, same_issue: str | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Share of contacts that the same customer follows up with another within days.

    Parameters
    ----------
    data : Tables with tickets
    window_days : days after the opening, above 0
    same_issue : column of the tickets that must be the same; None = issue_id where there is one, else topic, else any
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns, term "repeat_contact"; measures rate (share; n = tickets) and too_young (tickets younger than the
    window at the end of the data, left out).

    Raises
    ------
    CxError : a missing column, a window outside its range.

    Notes
    -----
    Unlike `first_contact_resolution` it judges by the next ticket alone. The customer is the unit of sampling.

    >>> t = pd.DataFrame({"ticket_id": ["1", "2", "3"], "customer_id": ["1", "1", "2"], "topic": "bill",
    ...     "opened_at": pd.to_datetime(["2026-01-01", "2026-01-05", "2026-01-20"])})
    >>> from cxlib.data import load
    >>> repeat_contact(load({"tickets": t}))[["measure", "estimate"]].to_numpy().tolist()
    [['rate', 0.5], ['too_young', 1.0]]
    """
    seen = data.need("tickets", "repeat contact needs it")
    issue = same_issue or next((name for name in ("issue_id", "topic") if name in seen.at), None)
    refuse([*_window_faults(window_days),
            *(unknown("column", name, seen.at, "tickets") for name in [issue, "customer_id"]
              if name and name not in seen.at)])  # fmt: skip
    quantile(level)
    end = engine.instant(datetime.combine(data.last_day + timedelta(days=1), time()) - timedelta(days=window_days))
    keys = ["customer_id", *([issue] if issue else [])]
    opened = nw.col("opened_at")
    lazy = seen.frame.with_columns(opened.shift(-1).over(*keys, order_by="opened_at").alias("next"))
    again = engine.days_between(nw.col("next"), opened) <= window_days
    old = lazy.filter(opened <= end)
    old = old.select("customer_id", nw.when(again).then(nw.lit("yes")).otherwise(nw.lit("no")).alias("again"))
    counts = engine.collect(
        seen.frame.select(nw.len().alias("n"), (opened > end).cast(nw.Float64).sum().alias("young"))
    )
    told = f"another ticket of the same {schema.SPOKEN.get(issue, issue)}" if issue else "another ticket"
    row: Row = {"note": TOO_FEW}
    if counts["n"][0] > counts["young"][0]:
        found = unit_shares(old, "customer_id", ["again"], level)
        n, yes = found["n"].max(), found[found["again"] == "yes"]
        row = (
            yes.drop(columns="again").to_dict("records")[0] if len(yes) else {"estimate": 0.0, "n": n, "unit": "share"}
        )
        row["method"] = f"{told} within {window_days:g} days; {row.get('method', 'count')}"
    left = {"estimate": counts["young"][0], "n": counts["n"][0], "unit": "tickets", "method": "left out"}
    term = {"term": "repeat_contact"}
    return results([{**term, "measure": "rate", **row}, {**term, "measure": "too_young", **left}])


def contact_topics(data: Tables, level: float = 0.95) -> pd.DataFrame:
    """Share of contacts by what the desk says they were about.

    Parameters
    ----------
    data : Tables with tickets that have a topic
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns, term = topic, measure "share" (of all tickets, n), the most frequent first; no topic is "(none)".

    Raises
    ------
    CxError : a missing table or column.

    Notes
    -----
    The customer is the unit of sampling; see `interaction_scope`.

    >>> import cxlib as cx
    >>> tables, _ = cx.simulate(customers=300, seed=1)
    >>> cx.contact_topics(cx.load(tables))["term"].tolist()[0]
    'product fault'
    """
    quantile(level)
    seen = data.need("tickets", "topics are written there")
    refuse(unknown("column", name, seen.at, "tickets") for name in ("topic", "customer_id") if name not in seen.at)
    lazy = seen.frame.select("customer_id", nw.col("topic").alias("term"))
    found = unit_shares(lazy, "customer_id", ["term"], level)
    found["term"] = found["term"].replace("", "(none)")
    found = found.sort_values("estimate", ascending=False, kind="stable")
    return results(found.assign(measure="share").to_dict("records"))


def preventable_contacts(
    data: Tables,
    cause: str = schema.PRODUCT_FAULT,
    window_days: float = 7,
    level: float = 0.95,
    replicates: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """Share of service contacts that would not have come without one kind of interaction, such as product faults.

    Parameters
    ----------
    data : Tables with customers, interactions and tickets
    cause : touchpoint whose interactions bring contacts
    window_days : days after the cause in which contacts may be due to it, above 0
    level, replicates, seed : of the intervals, which resample customers

    Returns
    -------
    Result columns, term = cause; measures preventable (share of all tickets: excess of the days after the cause over
    the same customer's other days), naive (share by which the contact rate of customers without the cause is lower
    than that of all), after_cause (share of tickets within the window); term "contacts": rate (tickets per 100
    customers in 30 days) and rate_otherwise (the same in the days outside the windows). n = tickets.

    Raises
    ------
    CxError : a missing table, a touchpoint that does not occur, an option outside its range.

    Notes
    -----
    Customers with many faults also call for other reasons, so comparing customers takes too much for preventable.
    Each customer is compared with themselves instead, as in a self-controlled case series: what is constant about a
    customer cancels. Assumes that the cause strikes without regard to contacts, and that contacts do not shorten the
    time observed. Checked against a loop over customers and against simulated contacts whose cause is known.

    Source: Whitaker, Farrington, Spiessens & Musonda (2006).

    >>> import cxlib as cx
    >>> tables, truth = cx.simulate(customers=2000, seed=1)
    >>> found = cx.preventable_contacts(cx.load(tables), replicates=0).set_index("measure")["estimate"]
    >>> bool(found["naive"] > found["preventable"] > 0.3)
    True
    """
    quantile(level)
    refuse(_window_faults(window_days))
    seen = engine.View(*_customers(data, cause, window_days))
    names = ("inside", "outside", "days_in", "days_out", "unhit", "unhit_days", "excess")
    moments = cross_products(seen, {name: seen[name] for name in names}, "customer_id")
    sums = replicated_products(moments, replicates, seed)[:, 0, 1:]
    n = sums[0, 0] + sums[0, 1]
    if not n:
        raise CxError("tickets: at least one must have been opened while its customer was one, none was; compare their "
                      "customer_id and opened_at with the customers'")  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        inside, outside, days_in, days_out, unhit, unhit_days, excess = sums.T
        every, days = inside + outside, days_in + days_out
        month = PER * MONTH_DAYS
        columns = {
            (cause, "preventable", "share"): excess / every,
            (cause, "naive", "share"): 1 - (unhit / unhit_days) / (every / days),
            (cause, "after_cause", "share"): inside / every,
            ("contacts", "rate", f"tickets per {PER} customers in {MONTH_DAYS} days"): month * every / days,
            ("contacts", "rate_otherwise", f"tickets per {PER} customers in {MONTH_DAYS} days"):
                month * outside / days_out,
        }  # fmt: skip
    told = {
        "preventable": f"excess of the {window_days:g} days after over the customer's other days",
        "naive": "customers without it against all", "after_cause": f"within {window_days:g} days",
    }  # fmt: skip
    rows = []
    for (term, measure, unit), values in columns.items():
        row = next(estimates([term], measure, unit, values[:, None], level))
        method = f"{told.get(measure, 'tickets over customer-days')}; resampled by customer, {replicates} times"
        rows.append({**row, "n": n, "method": method})
    return results(rows)


def _window_faults(window_days: Any) -> list[str]:
    number = isinstance(window_days, (int, float)) and not isinstance(window_days, bool)
    if number and 0 < window_days <= MOST_DAYS:
        return []
    return [f"window_days must be days above 0, at most {MOST_DAYS}, such as 7, not {shortened(window_days)!r}"]


def _customers(data: Tables, cause: str, window_days: float) -> tuple[nw.LazyFrame[Any], dict, dict]:
    """One row per customer: contacts and days inside and outside the windows after the cause, and the excess."""
    start, end = first_day(data), data.last_day + timedelta(days=1)
    zero = engine.instant(start)
    span = (end - start).days * 1440.0
    people = _observed(data.need("customers", "contact rates need it"), start, end)
    events = data.need("interactions", f"what brings contacts must be there, such as {schema.PRODUCT_FAULT}")
    faults = events.frame.filter(nw.col("touchpoint") == cause)
    faults = faults.select("customer_id", engine.minutes_between(nw.col("at"), zero).alias("at"))
    if not int(engine.collect(faults.select(nw.len().alias("n")))["n"][0]):
        there = engine.collect(engine.distinct(events.frame.select("touchpoint")), ["touchpoint"])["touchpoint"]
        raise CxError(unknown("touchpoint", cause, list(there), "interactions"))
    opened = engine.minutes_between(nw.col("opened_at"), zero).alias("at")
    asked = data.need("tickets", "contacts are its rows").frame.select("customer_id", opened)
    window = 1440.0 * window_days
    windows = _windows(faults.join(people, on="customer_id", how="inner"), window)
    contacts = _contacts(faults, asked.join(people, on="customer_id", how="inner"), window)
    lazy = people.join(windows, on="customer_id", how="left").join(contacts, on="customer_id", how="left")
    filled = [nw.col(name).fill_null(0.0) for name in ("faults", "minutes_in", "inside", "outside")]
    days = (nw.col("until") - nw.col("since")) / 1440.0
    lazy = lazy.with_columns(*filled).with_columns(days_in=nw.col("minutes_in") / 1440.0)
    lazy = lazy.with_columns(days_out=days - nw.col("days_in"))
    spared, other = nw.col("faults") == 0, nw.col("outside")
    # A customer who was never outside a window says nothing of the other days: all contacts count as expected.
    usual = nw.when(nw.col("days_out") > span * 1e-9).then(other / nw.col("days_out") * nw.col("days_in"))
    lazy = lazy.with_columns(
        unhit=nw.when(spared).then(other).otherwise(nw.lit(0.0)),
        unhit_days=nw.when(spared).then(nw.col("days_out")).otherwise(nw.lit(0.0)),
        excess=nw.when(nw.col("faults") > 0).then(nw.col("inside") - usual.fill_null(nw.col("inside")))
        .otherwise(nw.lit(0.0)),
    )  # fmt: skip
    names = ("customer_id", "inside", "outside", "days_in", "days_out", "unhit", "unhit_days", "excess")
    kinds = dict.fromkeys(names, engine.NUMBER) | {"customer_id": engine.FACTOR}
    return lazy.select(*names), {name: name for name in names}, kinds


def _observed(people: engine.View, start: date, end: date) -> nw.LazyFrame[Any]:
    """Customers with the minutes since the first day from which, and until which, they were there."""
    zero = engine.instant(start)
    since, last = (engine.minutes_between(nw.col(name).cast(nw.Datetime), zero) for name in ("signup_date", "end_date"))
    whole = (end - start).days * 1440.0
    until = nw.when(last.is_null() | (last + 1440.0 > whole)).then(nw.lit(whole)).otherwise(last + 1440.0)
    lazy = people.frame.select(
        "customer_id", nw.when(since < 0).then(nw.lit(0.0)).otherwise(since).alias("since"), until.alias("until")
    )
    return lazy.filter(nw.col("until") > nw.col("since"))


def _windows(faults: nw.LazyFrame[Any], window: float) -> nw.LazyFrame[Any]:
    """Faults and minutes within the windows after them, which do not count twice where they overlap."""
    at = nw.col("at")
    there = faults.filter((at >= nw.col("since")) & (at < nw.col("until")))
    following = at.shift(-1).over("customer_id", order_by="at")
    free = nw.min_horizontal(following.fill_null(nw.col("until")), nw.col("until")) - at
    minutes = nw.when(free < window).then(free).otherwise(nw.lit(window))
    lazy = there.with_columns(minutes.alias("minutes"))
    return lazy.group_by("customer_id").agg(
        nw.len().cast(nw.Float64).alias("faults"), nw.col("minutes").sum().alias("minutes_in")
    )


def _contacts(faults: nw.LazyFrame[Any], asked: nw.LazyFrame[Any], window: float) -> nw.LazyFrame[Any]:
    """Tickets of each customer inside and outside the windows: each beside the last fault before it."""
    kept = asked.filter((nw.col("at") >= nw.col("since")) & (nw.col("at") < nw.col("until")))
    # One list of both in the order of time; at the same instant the fault comes first.
    both = nw.concat([
        faults.select("customer_id", "at", nw.lit(0).alias("ticket"), nw.col("at").alias("fault")),
        kept.select("customer_id", "at", nw.lit(1).alias("ticket"), nw.lit(LONG_AGO).alias("fault")),
    ], how="vertical")  # fmt: skip
    last = nw.col("fault").cum_max().over("customer_id", order_by=["at", "ticket"])
    marked = both.with_columns(last.alias("last")).filter(nw.col("ticket") == 1)
    close = nw.when(nw.col("at") - nw.col("last") <= window).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    sums = marked.with_columns(close.alias("inside")).group_by("customer_id")
    found = sums.agg(nw.col("inside").sum(), nw.len().cast(nw.Float64).alias("n"))
    return found.select("customer_id", "inside", (nw.col("n") - nw.col("inside")).alias("outside"))
