"""Shares of tickets: resolved at the first contact, and ever escalated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import pandas as pd

from . import engine, scores
from .errors import refuse, shortened
from .intervals import quantile
from .schema import TOO_FEW, results
from .shares import Row, group_keys, named, share_row, weight_sums, weighted
from .ticket_rows import Tickets, flag_faults, known_by, option_faults, tickets_of, unknown_flags

JUDGES = ("no_repeat", "customer")
DENOMINATORS = {"all": "all tickets", "resolved": "resolved tickets", "judged": "tickets judged"}
RESOLVED = "resolved_at"
MOST_DAYS = 3_650
USED, YOUNG, NOBODY, UNDATED = range(4)  # what became of a ticket


def first_contact_resolution(
    data: Any,
    by: str | Sequence[str] | None = None,
    judge: str = "no_repeat",
    window_days: float = 7,
    same_issue: str | None = "topic",
    denominator: str = "all",
    as_of: str | date | None = None,
    level: float = 0.95,
    weights: str | None = None,
    verdict: str | None = None,
    opened: str = "opened_at",
    customer: str = "customer_id",
) -> pd.DataFrame:
    """Share of tickets resolved at the first contact, by a judge, a window and a rule that the result names.

    Parameters
    ----------
    data, by, as_of, level, weights, opened : as in `first_response_time`
    judge : "no_repeat", no further contact about the same issue; or "customer", what `verdict` says
    window_days : days after the opening in which another ticket is a repeat contact
    same_issue : column that tells the issue: another ticket of the customer with the same value is about the same;
        None = any other ticket is
    denominator : "all" tickets opened, "resolved" ones, or with judge="customer" the "judged" ones
    verdict : column of true/false, whether the customer says it was resolved at once; empty = not asked
    customer : column that tells whose ticket it is

    Returns
    -------
    Result columns, term "first_contact_resolution"; measures rate (share) and, where there are any, too_young and
    without_customer (tickets left out).

    Raises
    ------
    CxError : missing columns, unknown options, a verdict in words.

    Notes
    -----
    A ticket younger than the window at the extract is left out, not a success. Where the columns are there, a ticket
    that was reopened or took a second contact (`contacts`) is a repeat too, and one that is not resolved at the
    extract (`resolved_at`) is none; the method names what was used. Checked against a count by hand.

    >>> t = pd.DataFrame({"customer_id": ["1", "1", "2", "3"], "topic": "bill", "opened_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-05", "2026-01-01", "2026-01-20"])})
    >>> first_contact_resolution(t)[["measure", "estimate"]].to_numpy().tolist()
    [['rate', 0.6666666666666666], ['too_young', 1.0]]
    """
    groups = scores.grouping(by)
    quantile(level)
    refuse(_faults(judge, window_days, denominator, verdict))
    asked = (verdict,) if judge == "customer" else (customer, same_issue)
    needs = [opened, *(name for name in asked if name), *([RESOLVED] if denominator == "resolved" else [])]
    stamps = [opened, *([RESOLVED] if denominator == "resolved" else [])]
    tickets = tickets_of(data, needs, stamps, groups, as_of)
    refuse(flag_faults(tickets.seen, verdict) if judge == "customer" and verdict else [])
    rule = _Rule(judge, float(window_days), same_issue, denominator, verdict, opened, customer)
    counts = weighted(_judged(tickets, rule, groups, weights), weights)
    if judge == "customer":
        odd = counts["hit"].notna() & ~counts["hit"].isin([0.0, 1.0])
        refuse(unknown_flags(counts[odd], str(verdict)))
    sample, method = int(counts["rows"].sum()), rule.told(tickets.seen)
    rows: list[Row] = []
    for own, group in named(groups, counts):
        used = group[(group["state"] == USED) & (group["hit"].notna() | (denominator == "all"))]
        row = share_row(used, used["hit"] == 1, sample, weights, level)
        rows.append({**own, "measure": "rate", **row, "method": f"{method}; {row['method']}",
                     "note": "" if row["n"] else TOO_FEW})  # fmt: skip
        for state, measure in ((YOUNG, "too_young"), (NOBODY, "without_customer"), (UNDATED, "undated")):
            if out := int(group.loc[group["state"] == state, "rows"].sum()):
                rows.append({**own, "measure": measure, "estimate": out, "n": group["rows"].sum(), "unit": "tickets",
                             "method": "left out"})  # fmt: skip
    return results(({"term": "first_contact_resolution", **row} for row in rows), groups)


@dataclass(frozen=True)
class _Rule:
    """Who judges, and what counts as a repeat."""

    judge: str
    days: float
    issue: str | None
    denominator: str
    verdict: str | None
    opened: str
    customer: str

    def signs(self, seen: engine.View) -> list[str]:
        """Columns that also tell that the first contact did not do."""
        return [name for name in ("reopened", "contacts") if name in seen.at]

    def told(self, seen: engine.View) -> str:
        """The rule in words."""
        among = f"of {DENOMINATORS[self.denominator]}"
        if self.judge == "customer":
            return f"judged by the customer ({self.verdict}), {among}"
        what = f"no ticket of the same {self.issue}" if self.issue else "no other ticket"
        words = {"reopened": "not reopened", "contacts": "one contact", RESOLVED: "resolved"}
        named = [*self.signs(seen), *([RESOLVED] if RESOLVED in seen.at and self.denominator == "all" else [])]
        told = ", ".join([f"{what} within {self.days:g} days", *(words[name] for name in named)])
        return f"no repeat contact ({told}), {among} at least that old"


def _judged(tickets: Tickets, rule: _Rule, groups: Sequence[str], weights: str | None) -> pd.DataFrame:
    """Tickets by group, whether they can be judged, and the verdict, in one grouped query."""
    seen = tickets.seen
    keys = group_keys(seen, groups)
    if rule.judge == "customer":
        state: nw.Expr = nw.when(seen[rule.opened].is_null()).then(nw.lit(UNDATED)).otherwise(nw.lit(USED))
        hit, lazy = seen[str(rule.verdict)].cast(nw.Float64), seen.frame
    else:
        state, hit, lazy = _repeats(tickets, rule)
    if rule.denominator == "resolved":
        hit = nw.when(~known_by(tickets, RESOLVED).is_null()).then(hit)
    values, sums = weight_sums(seen, weights)
    keys |= {"state": state, "hit": hit}
    lazy = lazy.select(*(e.alias(name) for name, e in (keys | values).items()))
    return engine.collect(lazy.group_by(*keys).agg(*sums), list(keys))


def _repeats(tickets: Tickets, rule: _Rule) -> tuple[nw.Expr, nw.Expr, nw.LazyFrame[Any]]:
    """Whether a ticket can be judged, whether it was done at once, and the tickets beside the next on their issue."""
    seen, opened = tickets.seen, tickets.seen[rule.opened]
    issue = [seen.at[rule.customer], *([seen.at[rule.issue]] if rule.issue else [])]
    lazy = seen.frame.with_columns(opened.shift(-1).over(*issue, order_by=seen.at[rule.opened]).alias("next"))
    again = [engine.days_between(nw.col("next"), opened) <= rule.days]
    again += [seen[name].cast(nw.Float64) > (1 if name == "contacts" else 0) for name in rule.signs(seen)]
    if RESOLVED in seen.at and rule.denominator == "all":
        again.append(known_by(tickets, RESOLVED).is_null())
    repeated = nw.any_horizontal(*again, ignore_nulls=True)
    young = opened > engine.instant(tickets.extract - timedelta(days=rule.days))
    state = nw.when(opened.is_null()).then(nw.lit(UNDATED)).otherwise(
        nw.when(seen[rule.customer].is_null()).then(nw.lit(NOBODY)).otherwise(
            nw.when(young).then(nw.lit(YOUNG)).otherwise(nw.lit(USED))))  # fmt: skip
    return state, nw.when(repeated).then(nw.lit(0.0)).otherwise(nw.lit(1.0)), lazy


def _faults(judge: str, window_days: Any, denominator: str, verdict: str | None) -> list[str]:
    faults = option_faults(judge=(judge, JUDGES), denominator=(denominator, list(DENOMINATORS)))
    number = isinstance(window_days, (int, float)) and not isinstance(window_days, bool)
    if not number or not 0 < window_days <= MOST_DAYS:
        faults.append(f"window_days must be days above 0, such as 7, not {shortened(window_days)!r}")
    if judge == "customer" and not verdict:
        faults.append('judge="customer" needs verdict, the column of what customers say; or take judge="no_repeat"')
    if denominator == "judged" and judge == "no_repeat":
        faults.append('denominator="judged" belongs to judge="customer"; take "all" or "resolved"')
    return faults


def escalation_rate(
    data: Any,
    by: str | Sequence[str] | None = None,
    as_of: str | date | None = None,
    level: float = 0.95,
    weights: str | None = None,
    opened: str = "opened_at",
    escalated: str = "escalated",
) -> pd.DataFrame:
    """Share of tickets that were ever handed to a higher level, among those opened.

    Parameters
    ----------
    escalated : column of true/false or 0/1
    data, by, as_of, level, weights, opened : as in `first_response_time`

    Returns
    -------
    Result columns, term and measure "escalation_rate", unit "share"; n = tickets opened before the extract.

    Raises
    ------
    CxError : missing columns, an escalation in words or unknown for some tickets.

    Notes
    -----
    Flags carry no stamp: they count as they stand in the data, and a ticket that is still open may yet be escalated.

    >>> t = pd.DataFrame({"opened_at": pd.to_datetime(["2026-01-01"] * 4), "escalated": [True, False, False, False]})
    >>> escalation_rate(t)["estimate"].tolist()
    [0.25]
    """
    groups = scores.grouping(by)
    quantile(level)
    tickets = tickets_of(data, (opened, escalated), (opened,), groups, as_of)
    refuse(flag_faults(tickets.seen, escalated))
    values, sums = weight_sums(tickets.seen, weights)
    keys = group_keys(tickets.seen, groups) | {"hit": tickets.seen[escalated].cast(nw.Float64)}
    lazy = tickets.seen.frame.select(*(e.alias(name) for name, e in (keys | values).items()))
    counts = weighted(engine.collect(lazy.group_by(*keys).agg(*sums), list(keys)), weights)
    refuse(unknown_flags(counts, escalated))
    sample, fixed = int(counts["rows"].sum()), {"term": "escalation_rate", "measure": "escalation_rate"}
    rows = []
    for own, group in named(groups, counts):
        row = share_row(group, group["hit"] == 1, sample, weights, level)
        rows.append({**own, **fixed, **row, "method": f"ever escalated of all tickets opened; {row['method']}"})
    return results(rows, groups)
