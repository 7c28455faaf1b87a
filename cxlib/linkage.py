"""From a score to staying: the share of each NPS class that is still there, counted from the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import sparse

from . import engine, scores
from .bands import nps_class
from .cells import BUCKETS, EVERY_CUSTOMER
from .censored import ended_by, incidence, loglog, survival_curve
from .durations import kind_faults, value_faults
from .errors import CxError, refuse, shortened
from .intervals import quantile, wilson
from .resample import multiplicities, percentile_interval
from .schema import NPS_LEVELS, results

APART = "promoter - detractor"
CLASS = "nps_class"
TIMES = (90, 180, 365)
Row = dict[str, Any]


def retention_by_nps(
    data: Any,
    score: str = "recommend",
    outcome: str = "left",
    time: str | None = None,
    lost: str | None = None,
    customer: str | None = None,
    times: Sequence[float] = TIMES,
    scale: tuple[int, int] = (0, 10),
    replicates: int = 400,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of promoters, passives, detractors and those without an answer who are still customers.

    Parameters
    ----------
    data : frame with a row per customer or per answer, as from `study_linked` (`days_followed`, `involuntary`)
    score : number column; a gap is no answer
    outcome : true/false or 0/1, whether the customer left (of their own will)
    time : column of the days followed since the answer; None: all rows were followed equally long, plain shares
    lost : true/false or 0/1, whether the customer was lost in another way, such as not paying
    customer : column, where a customer may have several rows: intervals then resample customers
    times : days after the answer at which to tell the share
    scale : first and last point of the score
    replicates, seed : of the resampling

    Returns
    -------
    DataFrame in the result shape, first nps_class and (with time) time: term "customers", unit "share", n = rows of
    the class. Measures retention; with `lost`, also left and lost, the shares gone in each way. Class
    "promoter - detractor": measure difference, of retention.

    Raises
    ------
    CxError: columns that are missing or of the wrong kind, scores off the scale, days that are empty or negative.

    Notes
    -----
    Retention is Kaplan and Meier's: whom the data end for, and who was lost, counts as followed until then. `left` and
    `lost` are Aalen and Johansen's, where one end rules out the other: what is there to be seen. Intervals: log-log,
    or Wilson where nobody is censored; of a difference, from the limits of both (Newcombe 1998). Checked against
    statsmodels.

    Source: Kaplan & Meier 1958; Aalen & Johansen 1978.

    >>> data = pd.DataFrame({"recommend": [10, 9, 8, 3] * 20, "left": [False, False, True, True] * 20})
    >>> retention_by_nps(data)["estimate"].tolist()
    [1.0, 0.0, 0.0, 1.0]
    """
    quantile(level)
    table, matrix = _counted(data, score, outcome, time, lost, customer, scores.ends(scale))
    times = _asked(times) if time else [np.nan]
    present = [name for name in NPS_LEVELS if name in set(table["group"])]
    drawn = _drawn(matrix, replicates, seed) if customer else None
    how = f"; resampled by customer, {replicates} times" if customer else ""
    rows: list[Row] = []
    for t in times:
        own = {name: _rows(table[table["group"] == name], drawn, t, lost is not None, level) for name in present}
        told = [{CLASS: name, **row} for name in present for row in own[name]]
        if {"promoter", "detractor"} <= set(present):
            told.append({CLASS: APART, **_difference(own["promoter"][0], own["detractor"][0], level)})
        rows += [{"time": t, "term": "customers", "unit": "share", "level": level, **row,
                  "method": row["method"] + how} for row in told]  # fmt: skip
    plain = [{name: value for name, value in row.items() if not name.startswith("draws")} for row in rows]
    return results(plain, by=[CLASS, *(["time"] if time else [])])


def _counted(
    data: Any, score: str, outcome: str, time: str | None, lost: str | None, customer: str | None, ends: tuple[int, int]
) -> tuple[pd.DataFrame, sparse.csr_array | None]:
    """Rows by class, days and how they ended, in one grouped query; and the same by customer, (counts, customers)."""
    seen = engine.view(data)
    engine.require(seen, [score, outcome, *filter(None, (time, lost, customer))])
    faults = (
        [f"score '{score}' must hold numbers, it is {seen.kind[score]}"] if seen.kind[score] != engine.NUMBER else []
    )
    refuse([*faults, *kind_faults(seen, [time] if time else [], outcome)])
    first, last = ends
    value = seen[score].cast(nw.Float64)
    keys = {"group": nps_class(value, last), "time": seen[time].cast(nw.Float64) if time else nw.lit(0.0),
            "event": seen[outcome].cast(nw.Float64), "lost": seen[lost].cast(nw.Float64) if lost else nw.lit(0.0),
            "odd": ((value < first) | (value > last)).fill_null(False)}  # fmt: skip
    units: list[str] = []
    lazy = seen.frame
    if customer:
        lazy = engine.bucketed(seen, customer, None if engine.rows(seen) <= EVERY_CUSTOMER else BUCKETS)
        units = ["bucket"]
    lazy = lazy.select(*(nw.col(unit) for unit in units), *(e.alias(name) for name, e in keys.items()))
    counts = engine.collect(lazy.group_by(*units, *keys).agg(nw.len().alias("n")), order=[*units, *keys])
    refuse(value_faults(counts, {"time": time, "event": outcome, "group": None, "entry": None}))
    if counts["odd"].any():
        raise CxError(f"score '{score}' must lie from {first} to {last}, but {counts.loc[counts['odd'], 'n'].sum():,} "
                      "do not; name its scale, or recode what stands for no answer")  # fmt: skip
    state = counts.groupby(["group", "time", "event", "lost"], sort=True)
    table = state["n"].sum().reset_index()
    if not customer:
        return table, None
    where, unit = state.ngroup().to_numpy(), pd.factorize(counts["bucket"])[0]
    return table, sparse.csr_array((counts["n"].to_numpy(float), (where, unit)), shape=(len(table), unit.max() + 1))


def _asked(times: Sequence[float]) -> list[float]:
    given = [times] if isinstance(times, (int, float)) else list(times)
    proper = given and all(isinstance(t, (int, float)) and not isinstance(t, bool) and 0 < t < np.inf for t in given)
    refuse([] if proper else [f"times must be days above 0, such as 90, not {shortened(times)}"])
    return sorted(set(given))


def _drawn(matrix: sparse.csr_array | None, replicates: int, seed: int) -> np.ndarray | None:
    """The counts when customers are drawn with replacement, (replicates, counts)."""
    if matrix is None or not replicates:
        return None
    count, units = matrix.shape
    return np.concatenate([(matrix @ times.T).T for times in multiplicities(units, replicates, seed, count)])


def _rows(group: pd.DataFrame, drawn: np.ndarray | None, t: float, ways: bool, level: float) -> list[Row]:
    """Retention of a class at one time and, with `ways`, the shares that left and were lost."""
    time, event, lost, n = (group[name].to_numpy(float) for name in ("time", "event", "lost", "n"))
    total = {"n": n.sum()}
    if np.isnan(t):
        return [total | _plain(n @ (event == 0), n.sum(), level)]
    share, error, lower, upper, told = ended_by(survival_curve(time, event, n), t, time, event, n, level)
    note = told if np.isnan(share) else ""
    rows = [total | {"measure": "retention", "estimate": 1 - share, "std_error": error, "lower": 1 - upper,
                     "upper": 1 - lower, "method": "Kaplan-Meier" + ("" if note else f", {told} interval"),
                     "note": note}]  # fmt: skip
    if ways:
        rows += [total | row for row in _ways(np.minimum(time, t), event * (time <= t), lost * (time <= t), n, level)]
        rows = [row | ({"estimate": np.nan, "std_error": np.nan, "lower": np.nan, "upper": np.nan, "note": note}
                       if note else {}) for row in rows]  # fmt: skip
    if drawn is not None and not note:
        found = _resampled(drawn[:, group.index.to_numpy()], time, event, lost, t)
        for row, draws in zip(rows, found, strict=False):
            spread, low, high = (float(x) for x in percentile_interval(draws, level))
            row |= {"std_error": spread, "lower": low, "upper": high, "draws": draws,
                    "method": row["method"].split(",")[0]}  # fmt: skip
    return rows


def _plain(stayed: float, n: float, level: float) -> Row:
    share = stayed / n
    lower, upper = (float(limit) for limit in wilson(stayed, n, level))
    return {"measure": "retention", "estimate": share, "std_error": np.sqrt(share * (1 - share) / n),
            "lower": min(lower, share), "upper": max(upper, share), "method": "Wilson"}  # fmt: skip


def _ways(time: np.ndarray, event: np.ndarray, lost: np.ndarray, n: np.ndarray, level: float) -> Iterator[Row]:
    """Shares that left and that were lost by the last time, each ruling out the other."""
    curve = survival_curve(time, np.maximum(event, lost), n)
    for measure, way in (("left", event), ("lost", lost)):
        place = np.searchsorted(curve.surv_times, time[way == 1])
        ends = np.bincount(place, weights=n[way == 1], minlength=len(curve.surv_times)).astype(float)
        share, error = incidence(curve, ends)
        inside = 0 < share < 1 and error > 0
        lower, upper = loglog(share, error, level) if inside else wilson(share * n.sum(), n.sum(), level)
        yield {"measure": measure, "estimate": share, "std_error": error, "lower": min(float(lower), share),
               "upper": max(float(upper), share), "method": "Aalen-Johansen, log-log interval"}  # fmt: skip


def _resampled(
    drawn: np.ndarray, time: np.ndarray, event: np.ndarray, lost: np.ndarray, t: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Retention, left and lost at time t of every replicate of the counts (replicates, counts)."""
    steps, place = np.unique(time, return_inverse=True)
    at = sparse.csr_array((np.ones(len(time)), (np.arange(len(time)), place)), shape=(len(time), len(steps)))
    gone, left, other = ((drawn * flag) @ at for flag in (np.ones_like(event), event, lost))
    risk = np.cumsum(gone[:, ::-1], axis=1)[:, ::-1]
    within, safe = steps <= t, np.maximum(risk, 1e-300)
    stay = np.cumprod(np.where(within, 1 - left / safe, 1.0), axis=1)[:, -1]
    there = np.cumprod(1 - (left + other) / safe, axis=1)
    before = np.column_stack([np.ones(len(drawn)), there[:, :-1]]) * within / safe
    nobody = risk[:, 0] == 0
    values = (stay, (before * left).sum(axis=1), (before * other).sum(axis=1))
    return tuple(np.where(nobody, np.nan, value) for value in values)  # type: ignore[return-value]


def _difference(one: Mapping[str, Any], other: Mapping[str, Any], level: float) -> Row:
    """Retention of the first class less that of the second, with limits from those of both (Newcombe's method 10)."""
    row: Row = {"measure": "difference", "n": min(one["n"], other["n"]), "method": one["method"]}
    note = one.get("note") or other.get("note") or ""
    if note:
        return row | {"note": note}
    apart = one["estimate"] - other["estimate"]
    row |= {"estimate": apart, "std_error": np.hypot(one["std_error"], other["std_error"])}
    if "draws" in one:
        _, lower, upper = percentile_interval(one["draws"] - other["draws"], level)
        return row | {"lower": float(lower), "upper": float(upper)}
    down = np.hypot(one["estimate"] - one["lower"], other["upper"] - other["estimate"])
    up = np.hypot(one["upper"] - one["estimate"], other["estimate"] - other["lower"])
    return row | {"lower": apart - down, "upper": apart + up}
