"""Tickets at the edge: from tables or a frame, with the customer's columns where they are asked for, as they stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import narwhals as nw
import pandas as pd

from . import engine
from .data import Tables
from .errors import CxError, refuse, shortened, unknown
from .periods import instant, stamp_faults

STAMPS = ("first_response_at", "resolved_at")  # in which the data go on after the last opening
KINDS = ("refuse", "exclude")
Row = dict[str, Any]


@dataclass(frozen=True)
class Tickets:
    """Tickets opened before the extract, and its instant: what came later is not known."""

    seen: engine.View
    extract: datetime
    asked: bool  # whether the extract was asked for; else it is the last stamp there is
    plain: engine.View  # without what was joined to them: as many, and quicker to look at


def tickets_of(
    data: Any, needs: Sequence[str], stamps: Sequence[str], groups: Sequence[str], as_of: str | date | None
) -> Tickets:
    """Tickets of tables or of a frame, refused where a column is missing or is of the wrong kind.

    `needs` are columns that must be there, `stamps` those among them that hold stamps, the first when a ticket was
    opened. Groups that only the customers table has are joined.
    """
    told = "the service measures need it"
    plain = data.need("tickets", told) if isinstance(data, Tables) else engine.view(data, "tickets")
    seen = _with_customers(data, plain, groups) if isinstance(data, Tables) else plain
    faults = [unknown("column", name, seen.at, "tickets") for name in [*needs, *groups] if name not in seen.at]
    looked_at = plain if set(stamps) <= set(plain.at) else seen
    also = [name for name in STAMPS if name in looked_at.at and looked_at.kind[name] == engine.STAMP]
    stamps = list(dict.fromkeys([*stamps, *also]))
    refuse([*faults, *stamp_faults(looked_at, stamps)])
    when = instant(as_of, "as_of")
    if when is None:
        return Tickets(seen, _last_stamp(looked_at, stamps, data), False, plain)
    return Tickets(_opened_before(seen, stamps[0], when), when, True, _opened_before(plain, stamps[0], when))


def _opened_before(seen: engine.View, opened: str, when: datetime) -> engine.View:
    """With those of which the opening is not known: the measures tell of them."""
    if opened not in seen.at:
        return seen
    kept = seen.frame.filter((seen[opened] < engine.instant(when)) | seen[opened].is_null())
    return engine.View(kept, seen.at, seen.kind)


def known_by(tickets: Tickets, column: str) -> nw.Expr:
    """A stamp as it was known at the extract: null if it lies after."""
    if not tickets.asked:
        return tickets.seen[column]
    return nw.when(tickets.seen[column] < engine.instant(tickets.extract)).then(tickets.seen[column])


def option_faults(**given: tuple[Any, Mapping[Any, Any] | Sequence[Any]]) -> list[str]:
    """Options that are not among those there are."""
    return [unknown(name, value, options) for name, (value, options) in given.items() if value not in options]


def flag_faults(seen: engine.View, name: str) -> list[str]:
    """A flag must be true/false or 0/1, not words."""
    dtype = seen.frame.collect_schema()[seen.at[name]]
    if seen.kind[name] == engine.NUMBER or dtype == nw.Boolean:
        return []
    return [f"column '{shortened(name)}' must be true/false or 0/1, it is {seen.kind[name]}; recode it"]


def unknown_flags(counts: pd.DataFrame, name: str) -> list[str]:
    """The fault of rows whose flag, in the column `hit` of counts, is neither 0 nor 1."""
    odd = int(counts.loc[~counts["hit"].isin([0.0, 1.0]), "rows"].sum())
    told = f"column '{shortened(name)}' must be true/false or 0/1 in every row, but {odd:,} rows hold something else"
    return [f"{told} or nothing; recode them or leave them out"] if odd else []


def _with_customers(tables: Tables, tickets: engine.View, groups: Sequence[str]) -> engine.View:
    people = tables.customers
    extra = [name for name in dict.fromkeys(groups) if name not in tickets.at and people and name in people.at]
    if people is None or not extra:
        return tickets
    right = people.frame.select("customer_id", *extra)
    lazy = tickets.frame.join(right, on="customer_id", how="left")
    names = {name: name for name in extra}
    return engine.View(lazy, {**tickets.at, **names}, {**tickets.kind, **{name: people.kind[name] for name in extra}})


def _last_stamp(seen: engine.View, stamps: Sequence[str], data: Any) -> datetime:
    """The last stamp there is: no ticket is followed for longer than the data show."""
    latest = engine.collect(seen.frame.select(seen[name].max().alias(f"s{i}") for i, name in enumerate(stamps)))
    found = [pd.Timestamp(value) for value in latest.iloc[0] if not pd.isna(value)]
    if isinstance(data, Tables):
        found.append(pd.Timestamp(datetime.combine(data.last_day, time())))
    if not found:
        raise CxError("tickets: there must be at least one with a stamp; all are empty")
    return max(found).to_pydatetime()
