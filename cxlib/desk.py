"""How long the service desk takes, with open tickets counted as open and not forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import censored, engine, scores
from .errors import refuse, shortened
from .intervals import quantile
from .periods import stamp_faults
from .schema import TOO_FEW, results
from .shares import Row, group_keys, named, share_row, weight_sums, weighted
from .ticket_rows import KINDS, Tickets, known_by, option_faults, tickets_of

HOUR = 3600.0
EXACT = 100_000  # tickets up to which every second counts, however long the durations
OPEN, ENDED, BACKWARDS, UNDATED = range(4)  # states of a ticket; the first two are the status of a survival curve
BEYOND = "not reached within the data"


def first_response_time(
    data: Any,
    by: str | Sequence[str] | None = None,
    target: float | None = None,
    as_of: str | date | None = None,
    level: float = 0.95,
    weights: str | None = None,
    backwards: str = "refuse",
    opened: str = "opened_at",
    responded: str = "first_response_at",
) -> pd.DataFrame:
    """Hours from the opening of a ticket to the first answer by a person, unanswered tickets counted as unanswered.

    Parameters
    ----------
    data : Tables, or a frame with one row per ticket
    by : column or columns to group by; those of the customers too where `data` are Tables
    target : hours within which an answer is promised
    as_of : day or stamp of the extract, its first instant: later stamps are not known (default: the last stamp)
    level : confidence, between 0 and 1
    weights : column of weights, 0 or more
    backwards : "refuse" stamps that run backwards, or "exclude" those tickets and tell how many
    opened, responded : columns of stamps; an empty answer = none yet

    Returns
    -------
    Result columns, term "first_response_time"; measures median, percentile_90 (hours), within_target (share, with a
    target), unanswered (share of tickets at the extract) and, where any were left out, excluded (tickets).

    Raises
    ------
    CxError : missing columns, texts for stamps, answers before the opening and tickets without one unless excluded.

    Notes
    -----
    Kaplan-Meier, right-censored at the extract; the median of answered tickets alone is too low where many wait.
    Tickets of one customer count as independent. Exact to the second up to 100,000 tickets, and else to the second up
    to a day and the minute beyond. Checked against statsmodels on rows and a simulated desk of known truth.

    Source: Kaplan & Meier (1958); Brookmeyer & Crowley (1982).

    >>> t = pd.DataFrame({"opened_at": pd.to_datetime(["2026-01-01 08:00"] * 3)})
    >>> t["first_response_at"] = t["opened_at"] + pd.to_timedelta([1, 2, 4], "h")
    >>> first_response_time(t, target=2)["estimate"].round(3).tolist()
    [2.0, 4.0, 0.667, 0.0]
    """
    ask = _Ask("first_response_time", opened, responded, "unanswered")
    return _time(data, ask, by, target, as_of, level, weights, backwards)


def resolution_time(
    data: Any,
    by: str | Sequence[str] | None = None,
    target: float | None = None,
    as_of: str | date | None = None,
    level: float = 0.95,
    weights: str | None = None,
    backwards: str = "refuse",
    opened: str = "opened_at",
    resolved: str = "resolved_at",
    responded: str = "first_response_at",
) -> pd.DataFrame:
    """Hours from the opening of a ticket to its resolution, open tickets counted as open.

    Parameters
    ----------
    resolved : column of the resolution, empty = still open; the kit's tables hold the last one, so that a ticket
        opened again counts until it is closed for good; name a column of first resolutions to measure those
    responded : column of the first answer, if there is one: a resolution before it runs backwards
    data, by, target, as_of, level, weights, backwards, opened : as in `first_response_time`

    Returns
    -------
    Result columns, term "resolution_time"; measures median, percentile_90 (hours), within_target (share, with a
    target), still_open (share of tickets at the extract) and, where any were left out, excluded (tickets).

    Raises
    ------
    CxError : as `first_response_time`; resolutions before the opening or the first answer, unless excluded.

    Notes
    -----
    As in `first_response_time`. The average of closed tickets is biased low: the slow ones are those still open.

    Source: Kaplan & Meier (1958); Brookmeyer & Crowley (1982).

    >>> t = pd.DataFrame({"opened_at": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-02"])})
    >>> t["resolved_at"] = pd.to_datetime(["2026-01-01 06", "2026-01-03 00", None])
    >>> resolution_time(t)["estimate"].round(3).tolist()
    [48.0, 48.0, 0.333]
    """
    ask = _Ask("resolution_time", opened, resolved, "still_open", between=responded)
    return _time(data, ask, by, target, as_of, level, weights, backwards)


def met_target(
    data: Any,
    hours: float,
    as_of: str | date | None = None,
    opened: str = "opened_at",
    ended: str = "resolved_at",
    name: str = "met_target",
) -> engine.View:
    """Add whether each ticket ended within a target, for a control chart by period of opening.

    Parameters
    ----------
    data : Tables, or a frame with one row per ticket
    hours : the target, above 0
    as_of : as in `first_response_time`
    opened, ended : columns of stamps
    name : of the new column

    Returns
    -------
    A lazy view of the tickets with the column: 1 or 0; empty where the ticket is younger than the target at the
    extract, for the slow ones of these are not known yet, or where its stamps are missing or run backwards.

    >>> t = pd.DataFrame({"opened_at": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-09"])})
    >>> t["resolved_at"] = pd.to_datetime(["2026-01-02", None, "2026-01-10"])
    >>> met_target(t, 48).to_pandas("met_target")["met_target"].fillna(-1).tolist()
    [1.0, 0.0, -1.0]
    """
    number = isinstance(hours, (int, float)) and not isinstance(hours, bool)
    refuse([] if number and hours > 0 else [f"hours must be a number above 0, not {shortened(hours)!r}"])
    tickets = tickets_of(data, (opened, ended), (opened, ended), (), as_of)
    seen, start, end = tickets.seen, tickets.seen[opened], known_by(tickets, ended)
    age, lasted = (engine.minutes_between(x, start) / 60 for x in (engine.instant(tickets.extract), end))
    met = nw.when(lasted <= hours).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    known = (age >= hours) & (end.is_null() | (lasted >= 0))
    at = seen.at.get(name, f"c{len(seen.at)}")
    lazy = seen.frame.with_columns(nw.when(known).then(met).alias(at))
    return engine.View(lazy, {**seen.at, name: at}, {**seen.kind, name: engine.NUMBER})


@dataclass(frozen=True)
class _Ask:
    """What is timed: from which column to which, how those without an end are called, and what must lie between."""

    term: str
    opened: str
    ended: str
    open_word: str
    between: str = ""


def _time(
    data: Any,
    ask: _Ask,
    by: str | Sequence[str] | None,
    target: float | None,
    as_of: str | date | None,
    level: float,
    weights: str | None,
    backwards: str,
) -> pd.DataFrame:
    groups = scores.grouping(by)
    quantile(level)
    faults = option_faults(backwards=(backwards, KINDS))
    if target is not None and (isinstance(target, bool) or not isinstance(target, (int, float)) or not target > 0):
        faults.append(f"target must be hours above 0, not {shortened(target)!r}")
    refuse(faults)
    stamps = (ask.opened, ask.ended)
    tickets = tickets_of(data, stamps, stamps, groups, as_of)
    refuse(stamp_faults(tickets.seen, [ask.between]))
    counts = weighted(_durations(tickets, ask, groups, weights), weights)
    if backwards == "refuse":
        refuse(_odd_stamps(counts, ask, _in_between(tickets.seen, ask)))
    rows: list[Row] = []
    for own, group in named(groups, counts):
        found = _measures(group, tickets, ask, target, level, weights, int(counts["rows"].sum()))
        rows += [{**own, "term": ask.term, **row} for row in found]
    return results(rows, groups)


def _durations(tickets: Tickets, ask: _Ask, groups: Sequence[str], weights: str | None) -> pd.DataFrame:
    """Tickets by group, state and duration in seconds, in one grouped query."""
    seen, start, end = tickets.seen, tickets.seen[ask.opened], known_by(tickets, ask.ended)
    wrong = end < start
    if _in_between(seen, ask):
        wrong = nw.any_horizontal(wrong, end < seen[ask.between], ignore_nulls=True)
    state = nw.when(start.is_null()).then(nw.lit(UNDATED)).otherwise(
        nw.when(end.is_null()).then(nw.lit(OPEN)).otherwise(
            nw.when(wrong).then(nw.lit(BACKWARDS)).otherwise(nw.lit(ENDED))))  # fmt: skip
    until = nw.when(end.is_null()).then(engine.instant(tickets.extract)).otherwise(end)
    seconds = 60.0 * engine.minutes_between(until, start)
    values, sums = weight_sums(seen, weights)
    keys = group_keys(seen, groups) | {"state": state, "seconds": seconds}
    lazy = seen.frame.select(*(e.alias(name) for name, e in (keys | values).items()))
    lasts = nw.when(nw.col("state") < BACKWARDS).then(nw.col("seconds"))
    kept = lasts.round(0) if engine.rows(tickets.plain) <= EXACT else censored.on_a_grid(lasts)
    lazy = lazy.with_columns(kept.alias("seconds"))
    return engine.collect(lazy.group_by(*keys).agg(*sums), list(keys))


def _in_between(seen: engine.View, ask: _Ask) -> bool:
    return ask.between in seen.at and ask.between not in (ask.opened, ask.ended)


def _odd_stamps(counts: pd.DataFrame, ask: _Ask, between: bool) -> Iterator[str]:
    of = counts.groupby("state")["rows"].sum().reindex(range(4), fill_value=0).astype(int)
    remedy = 'correct the stamps, or leave these tickets out with backwards="exclude"'
    before = f"'{shortened(ask.opened)}'" + (f" or '{shortened(ask.between)}'" if between else "")
    if of[BACKWARDS]:
        yield (f"tickets: '{shortened(ask.ended)}' must not lie before {before}, but in {of[BACKWARDS]:,} of "
               f"{of[BACKWARDS] + of[ENDED]:,} tickets that have both it does; {remedy}")  # fmt: skip
    if of[UNDATED]:
        yield (f"tickets: '{shortened(ask.opened)}' must be known for every ticket, but {of[UNDATED]:,} of "
               f"{of.sum():,} have none; {remedy}")  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """The tickets of a group that can be timed, and the words that go with every row about them."""

    counts: pd.DataFrame
    curve: Any
    note: str
    span: str
    level: float
    weighted: bool

    @property
    def n(self) -> int:
        return int(self.counts["rows"].sum())

    def noted(self, estimate: float) -> str:
        beyond = "" if np.isfinite(estimate) else BEYOND if self.n else TOO_FEW
        return "; ".join(filter(None, [self.note, beyond]))


def _measures(
    group: pd.DataFrame, tickets: Tickets, ask: _Ask, target: float | None, level: float, weights: str | None, of: int
) -> Iterator[Row]:
    used, out = group[group["state"] < BACKWARDS], int(group.loc[group["state"] >= BACKWARDS, "rows"].sum())
    given = [used["weight"].to_numpy(), used["square"].to_numpy()] if weights else []
    time, ended, rows = (used[name].to_numpy(float) for name in ("seconds", "state", "rows"))
    curve = censored.survival_curve(time, ended, rows, *given)
    note = f"{out:,} of {int(group['rows'].sum()):,} tickets left out: stamps missing or running backwards"
    span = f"{ask.opened} to {ask.ended}, censored at {tickets.extract:%Y-%m-%d %H:%M}"
    if of > EXACT:
        high = censored.grid_bound(time, ended, rows, beyond=censored.DAY)[1].max(initial=0)
        span += f"; beyond a day to the minute, which lifts the curve by at most {high:.1g}"
    part = _Part(used, curve, note if out else "", span, level, bool(weights))
    yield from _quantiles(part)
    if target is not None:
        yield _within(part, target)
    share = share_row(used, used["state"] == OPEN, of, weights, level)
    yield {**share, "measure": ask.open_word, "note": part.note if part.n else TOO_FEW}
    if out:
        told = f"no {ask.opened}, or {ask.ended} before it"
        yield {
            "measure": "excluded",
            "estimate": out,
            "n": out + part.n,
            "unit": "tickets",
            "note": note,
            "method": told,
        }


def _quantiles(part: _Part) -> Iterator[Row]:
    for measure, share in (("median", 0.5), ("percentile_90", 0.9)):
        estimate, lower, upper = (x / HOUR for x in censored.curve_quantile(part.curve, share, part.level))
        yield {"measure": measure, "estimate": estimate, "lower": lower, "upper": upper, "unit": "hours", "n": part.n,
               "level": part.level, "method": f"Kaplan-Meier, log-log interval; {part.span}",
               "note": part.noted(estimate)}  # fmt: skip


def _within(part: _Part, target: float) -> Row:
    used = part.counts
    worth = used["weight"].sum() ** 2 / used["square"].sum() / part.n if part.weighted and part.n else 1.0
    time, ended, rows = (used[name].to_numpy(float) for name in ("seconds", "state", "rows"))
    *numbers, told = censored.ended_by(part.curve, target * HOUR, time, ended, rows, part.level, worth)
    known = dict(zip(("estimate", "std_error", "lower", "upper"), numbers, strict=True))
    return {**known, "measure": "within_target", "unit": "share", "n": part.n, "level": part.level,
            "method": f"Kaplan-Meier, {told}; within {target:g} hours, {part.span}",
            "note": part.noted(numbers[0])}  # fmt: skip
