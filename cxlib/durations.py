"""Durations at the edge: how long each customer was followed and how that ended, as one small checked table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine
from .errors import refuse, shortened, unknown
from .schema import ordered


def durations(
    data: Any, time: str, event: str, by: str | None = None, entry: str | None = None, words: bool = False
) -> pd.DataFrame:
    """Customers by time, event, entry and group, in one grouped query, after refusing what is no duration.

    Returns
    -------
    time, entry (−∞ where nobody enters late), event (0 or 1; with `words` its word, None = still there), group, n.
    """
    seen = engine.view(data)
    asked = {"time": time, "event": event, "group": by, "entry": entry}
    refuse(unknown("column", name, seen.at, what) for what, name in asked.items() if name and name not in seen.at)
    refuse(kind_faults(seen, [time, *filter(None, [entry])], None if words else event))
    flag = seen[event] if words else seen[event].cast(nw.Float64)
    numbers = {"time": seen[time].cast(nw.Float64), **({"entry": seen[entry].cast(nw.Float64)} if entry else {})}
    groups = {"group": seen[by]} if by else {}
    lazy = seen.frame.select(*(e.alias(name) for name, e in (numbers | groups | {"event": flag}).items()))
    keys = [*numbers, *groups, "event"]
    table = engine.collect(lazy.group_by(keys).agg(nw.len().alias("n")), order=["time"])
    table = table.assign(**({} if by else {"group": ""}), **({} if entry else {"entry": -np.inf}))
    if words:
        table["event"] = table["event"].where(
            table["event"].notna() & (table["event"].astype(str).str.strip() != ""), None
        )
    refuse(value_faults(table, asked, words))
    return table


def kind_faults(seen: engine.View, numbers: Sequence[str], event: str | None) -> list[str]:
    """Columns that are no numbers, and an event in words."""
    faults = [
        f"column '{name}' must be a number of days or months, it is {seen.kind[name]}; count it from the first day"
        for name in numbers
        if seen.kind[name] != engine.NUMBER
    ]
    if event and seen.kind[event] != engine.NUMBER and seen.frame.collect_schema()[seen.at[event]] != nw.Boolean:
        faults.append(f"event '{event}' must be true/false or 0/1, it is {seen.kind[event]}; recode it")
    return faults


def value_faults(table: pd.DataFrame, asked: dict[str, str | None], words: bool = False) -> list[str]:
    """Values that are no durations, counted in customers; `table` has time, entry, event, group and n."""

    def told(where: Any, what: str) -> list[str]:
        count = int(table.loc[where, "n"].sum())
        return [what.format(f"{count:,}")] if count else []

    time, event, by, entry = (asked[name] for name in ("time", "event", "group", "entry"))
    faults = [] if table["n"].sum() else ["the frame must have rows, not 0; check the filter, the period and the joins"]
    faults += told(table["time"].isna(), f"time '{time}' must be known for every row, but {{}} are empty")
    faults += told(~(table["time"].fillna(0) >= 0) | np.isinf(table["time"]),
                   f"time '{time}' must be 0 or more and finite, but {{}} rows are not; does an end lie before the "
                   "start?")  # fmt: skip
    if not words:
        odd = ~table["event"].isin([0.0, 1.0])
        faults += told(odd, f"event '{event}' must be true/false or 0/1 in every row, but {{}} rows hold another value")
    if by:
        faults += told(table["group"].isna(), f"column '{by}' must have a value in every row, but {{}} are empty; "
                       "recode them as a level of their own")  # fmt: skip
    if entry:
        late = ~(table["entry"] < table["time"]) & table["time"].notna()
        faults += told(late, f"entry '{entry}' must lie before time '{time}' in every row, but in {{}} it is empty or "
                       "does not; leave out who was not followed at all")  # fmt: skip
    return faults


def written_out(table: pd.DataFrame) -> pd.DataFrame:
    """One row per customer again, for what statsmodels does not do from counts."""
    return table.loc[table.index.repeat(table["n"])]


def in_groups(table: pd.DataFrame, by: str | None) -> list[tuple[object, pd.DataFrame]]:
    """The counts of each group, in the order groups are shown."""
    return [(value, table[table["group"] == value]) for value in ordered(by or "", table["group"].unique())]


def asked_times(times: Sequence[float] | None, table: pd.DataFrame, ends: pd.Series) -> np.ndarray:
    """The times of a curve: those asked for, or those at which somebody left."""
    if times is None:
        found = np.unique(table.loc[ends, "time"])
        return found if len(found) else np.array([table["time"].max()])
    values = np.atleast_1d(np.asarray(times, dtype=object))
    numbers = [
        v for v in values if isinstance(v, (int, float, np.number)) and not isinstance(v, bool) and 0 <= v < np.inf
    ]
    refuse([] if len(numbers) == len(values) > 0 else [f"times must be numbers from 0, not {shortened(times)}"])
    return np.unique(np.array(numbers, dtype=float))


def at_risk(group: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    """Customers still there just before each time: entered before it and not gone before it."""

    def before(name: str) -> np.ndarray:
        counts = group.groupby(name)["n"].sum()
        return np.r_[0, counts.cumsum()][np.searchsorted(counts.index, times, side="left")]

    return before("entry") - before("time")
