"""Attrition by its four definitions side by side, of one base of customers in one window, because they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import censored, engine, scores
from .data import Tables
from .errors import CxError, refuse, shortened, unknown
from .frame import LATEST
from .intervals import poisson, quantile, wilson
from .periods import instant, stamp_faults
from .schema import TOO_FEW, results
from .shares import group_keys, named, share_row, weighted
from .ticket_rows import flag_faults, unknown_flags

MONTH_DAYS = 30
KINDS = ("voluntary", "involuntary")
UNSTATED = "of unstated kind"
MOST_DAYS = 3_650
START, END = "signup_date", "end_date"
Row = dict[str, Any]


def attrition_rate(
    data: Any,
    by: str | Sequence[str] | None = None,
    as_of: str | date = LATEST,
    horizon_days: int = 90,
    level: float = 0.95,
    outcome: str | None = None,
) -> pd.DataFrame:
    """Share and rate of customers lost after a day, by each of the definitions in use.

    Parameters
    ----------
    data : Tables, or a frame with one row per customer: signup_date, end_date (empty = active) and, if known, end_kind
    by : column or columns of the customers to group by
    as_of : ISO day on which the window opens; or "latest", the last day of the data minus the horizon
    horizon_days : length of the window, 1 or more; as_of < end_date <= as_of + horizon
    level : confidence, between 0 and 1
    outcome : column of true/false, in a frame without dates: only the share lost can be told, over an unknown time

    Returns
    -------
    Result columns; term = "all", "voluntary" or "involuntary" ends; measures
    cohort (share of those there at the start who were lost; Wilson; n = customers at the start),
    period (losses over the mean of daily customers, newcomers too; Poisson; n = losses),
    hazard (losses per customer in 30 days; Poisson; n = losses),
    kaplan_meier (share lost by the horizon; log-log; n = customers ever there), for each kind cumulative_incidence.

    Raises
    ------
    CxError : missing columns, a window beyond the data, nobody there, ends before the signup.

    Notes
    -----
    At the start: signup_date < as_of and no end up to it. Kaplan-Meier counts days since as_of; newcomers enter at
    their signup (left truncation) and all others are censored at the horizon. Voluntary and involuntary ends rule each
    other out: their incidences add up to the share lost. Customers are counted, not sampled: there are no weights.

    Source: Kaplan & Meier (1958); Aalen & Johansen (1978); Garwood (1936).

    >>> people = pd.DataFrame({"signup_date": pd.to_datetime(["2025-01-01"] * 4), "end_date": pd.to_datetime(
    ...     ["2026-01-21", None, None, None])})
    >>> attrition_rate(people, as_of="2026-01-01", horizon_days=20).set_index("measure")["estimate"].round(3).to_dict()
    {'cohort': 0.25, 'period': 0.25, 'hazard': 0.375, 'kaplan_meier': 0.25}
    """
    groups = scores.grouping(by)
    quantile(level)
    if outcome:
        return _of_outcome(engine.view(data, "customers"), groups, outcome, level)
    seen, last = _customers(data, groups)
    opens = _window(as_of, horizon_days, last)
    counts = _counts(seen, groups, opens, horizon_days)
    if not counts["rows"].sum():
        raise CxError(f"customers: somebody must be there in the {horizon_days} days from {opens}; nobody is")
    kinds = ["all", *(kind for kind in (*KINDS, UNSTATED) if (counts["kind"] == kind).any() and "end_kind" in seen.at)]
    rows: list[Row] = []
    for i, key in enumerate(scores.levels(counts, groups)):
        base = _Base(counts[counts["group"] == i], horizon_days, level)
        own = dict(zip(groups, key, strict=True))
        rows += [{**own, "term": kind, "level": level, **row} for kind in kinds for row in _definitions(base, kind)]
    return results(rows, groups)


def _of_outcome(seen: engine.View, groups: Sequence[str], outcome: str, level: float) -> pd.DataFrame:
    """The share lost by group, from a flag alone."""
    engine.require(seen, [outcome, *groups])
    refuse(flag_faults(seen, outcome))
    keys = group_keys(seen, groups) | {"hit": seen[outcome].cast(nw.Float64)}
    lazy = seen.frame.select(*(e.alias(name) for name, e in keys.items())).group_by(*keys)
    counts = weighted(engine.collect(lazy.agg(nw.len().alias("rows")), list(keys)), None)
    refuse(unknown_flags(counts, outcome))
    fixed = {"term": "all", "measure": "cohort", "method": "lost, of all in the data; no dates; Wilson"}
    rows = [{**own, **share_row(group, group["hit"] == 1, int(counts["rows"].sum()), None, level), **fixed}
            for own, group in named(groups, counts)]  # fmt: skip
    return results(rows, groups)


@dataclass(frozen=True)
class _Base:
    """Customers by day of entry and exit in the window (0 to the horizon) and kind of end ("" = none)."""

    counts: pd.DataFrame
    horizon: int
    level: float

    @property
    def days(self) -> float:
        """Customer-days in the window."""
        return float(((self.counts["exit"] - self.counts["entry"]) * self.counts["rows"]).sum())

    def lost(self, kind: str, start: bool = False) -> float:
        """Losses of a kind; with `start`, of those there when the window opened."""
        which = self.counts["kind"] != "" if kind == "all" else self.counts["kind"] == kind
        return float(self.counts.loc[which & (self.counts["old"] | (not start)), "rows"].sum())


def _definitions(base: _Base, kind: str) -> Iterator[Row]:
    at_start = float(base.counts.loc[base.counts["old"], "rows"].sum())
    share, lost = base.lost(kind, start=True) / at_start if at_start else np.nan, base.lost(kind)
    lower, upper = (float(x) for x in wilson(share * at_start, at_start, base.level))
    error = np.sqrt(share * (1 - share) / at_start) if at_start else np.nan
    yield {"measure": "cohort", "estimate": share, "std_error": error, "lower": lower, "upper": upper, "n": at_start,
           "unit": "share", "method": f"lost within {base.horizon} days of those there at the start; Wilson",
           "note": "" if at_start else TOO_FEW}  # fmt: skip
    for measure, length, unit, told in (
        ("period", base.horizon, "share", f"losses over mean daily customers in {base.horizon} days"),
        (
            "hazard",
            MONTH_DAYS,
            f"losses per customer in {MONTH_DAYS} days",
            f"losses over {base.days:,.0f} customer-days",
        ),
    ):
        exposure = base.days / length
        lower, upper = (float(x) for x in poisson(lost, exposure, base.level))
        rate, error = (lost / exposure, np.sqrt(lost) / exposure) if exposure > 0 else (np.nan, np.nan)
        yield {"measure": measure, "estimate": rate, "std_error": error, "lower": lower, "upper": upper, "n": lost,
               "unit": unit, "method": f"{told}; exact Poisson", "note": "" if exposure > 0 else TOO_FEW}  # fmt: skip
    yield _incidence(base, kind)


def _incidence(base: _Base, kind: str) -> Row:
    used = base.counts[base.counts["entry"] < base.counts["exit"]]
    time, entry, rows = (used[name].to_numpy(float) for name in ("exit", "entry", "rows"))
    row = {"measure": "kaplan_meier" if kind == "all" else "cumulative_incidence", "n": rows.sum(), "unit": "share"}
    name = "Kaplan-Meier" if kind == "all" else "Aalen-Johansen"
    told = f"{name} over {base.horizon} days, newcomers enter at signup"
    if not len(used):
        return {**row, "method": told, "note": TOO_FEW}
    curve = censored.survival_curve(time, (used["kind"] != "").to_numpy(float), rows, entry=entry)
    own = (used["kind"] != "") if kind == "all" else (used["kind"] == kind)
    events = np.array([rows[own & (time == day)].sum() for day in curve.surv_times])
    share, error = censored.incidence(curve, events)
    if 0 < share < 1 and error > 0:
        lower, upper = censored.loglog(share, error, base.level)
        return {**row, "estimate": share, "std_error": error, "lower": lower, "upper": upper,
                "method": f"{told}; log-log"}  # fmt: skip
    lower, upper = (float(x) for x in wilson(share * rows.sum(), rows.sum(), base.level))
    return {**row, "estimate": share, "lower": lower, "upper": upper, "method": f"{told}; Wilson (no spread)"}


def _customers(data: Any, groups: Sequence[str]) -> tuple[engine.View, date]:
    """The customers, and the last day of the data."""
    seen = (
        data.need("customers", "an attrition rate needs it")
        if isinstance(data, Tables)
        else engine.view(data, "customers")
    )
    faults = [unknown("column", name, seen.at, "customers") for name in (START, END, *groups) if name not in seen.at]
    refuse([*faults, *stamp_faults(seen, [START, END])])
    if isinstance(data, Tables):
        return seen, data.last_day
    latest = engine.collect(seen.frame.select(seen[name].max().alias(name) for name in (START, END)))
    days = [pd.Timestamp(value).date() for value in latest.iloc[0] if not pd.isna(value)]
    if not days:
        raise CxError("customers: there must be at least one with a signup_date; there is none")
    return seen, max(days)


def _window(as_of: str | date, horizon_days: Any, last: date) -> date:
    whole = isinstance(horizon_days, int) and not isinstance(horizon_days, bool)
    if not whole or not 1 <= horizon_days <= MOST_DAYS:
        told = f"a whole number of days from 1 to {MOST_DAYS}"
        raise CxError(f"horizon_days must be {told}, not {shortened(horizon_days)!r}")
    if as_of == LATEST:
        return last - timedelta(days=horizon_days)
    opens = instant(as_of, "as_of")
    day = opens.date() if isinstance(opens, datetime) else last
    if day + timedelta(days=horizon_days) > last:
        raise CxError(f"as_of + horizon must not lie beyond the last day of the data, {last}; {day} + {horizon_days} "
                      f"days does; choose as_of up to {last - timedelta(days=horizon_days)}")  # fmt: skip
    return day


def _counts(seen: engine.View, groups: Sequence[str], opens: date, horizon: int) -> pd.DataFrame:
    """Customers there in the window by group, days of entry and exit, and kind of end, in one grouped query."""
    closes = opens + timedelta(days=horizon)
    start, end = seen[START].cast(nw.Date), seen[END].cast(nw.Date)
    # Ends before the signup are looked for in all of the data: they show what the file is worth.
    there = seen.frame.filter(((start < closes) & (end.is_null() | (end > opens))) | (end < start))
    kind = seen["end_kind"] if "end_kind" in seen.at else nw.lit(UNSTATED)
    keys = {f"g{i}": seen[name] for i, name in enumerate(groups)} | {
        "start": nw.when(start >= opens).then(start),
        "end": nw.when(end <= closes).then(end),
        "kind": nw.when(end <= closes).then(nw.when(kind.is_null()).then(nw.lit(UNSTATED)).otherwise(kind)),
        "odd": (end < start).fill_null(False),
    }
    lazy = there.select(*(e.alias(name) for name, e in keys.items())).group_by(*keys)
    counts = engine.collect(lazy.agg(nw.len().cast(nw.Float64).alias("rows")), list(keys))
    if wrong := int(counts.loc[counts["odd"].astype(bool), "rows"].sum()):
        raise CxError(f"customers: end_date must not lie before signup_date, but for {wrong:,} customers it does; "
                      "correct them or leave them out")  # fmt: skip
    days = {name: (pd.to_datetime(counts[name]) - pd.Timestamp(opens)).dt.days for name in ("start", "end")}
    return counts.assign(
        old=days["start"].isna(),
        entry=days["start"].fillna(0).astype(float),
        exit=days["end"].fillna(horizon).astype(float),
        kind=counts["kind"].fillna(""),
    )
