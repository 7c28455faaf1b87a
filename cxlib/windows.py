"""Customers followed after a landmark: to their end, or month by month in stacked windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import narwhals as nw

from . import engine
from .data import Tables
from .errors import refuse, shortened, unknown
from .frame import at_landmark, landmark, landmark_day

MONTH_DAYS = 30
MOST_MONTHS = 120
EXPOSURES = ("updated", "held")
FOLLOWED = ("days_followed", "tenure_at_end", "ended")


def follow_landmark(
    tables: Tables, as_of: str | date, lookback_days: int, horizon_days: int, slow_hours: float = 72
) -> engine.View:
    """The landmark frame with how long each customer was followed and how that ended, for survival curves.

    Parameters
    ----------
    tables, as_of, lookback_days, horizon_days, slow_hours : as in `landmark`

    Returns
    -------
    The columns of `landmark`, and days_followed (days from as_of to the end of the customer or of the horizon),
    tenure_at_end (days from signup to that day) and ended (voluntary, involuntary; empty = still there).

    Notes
    -----
    Time since the landmark: time = "days_followed". Time since signup: time = "tenure_at_end", entry =
    "tenure_days", because customers who had left before the landmark cannot be seen (left truncation).

    Raises
    ------
    CxError, as `landmark`: a horizon beyond the data, nobody at risk.
    """
    day = landmark_day(tables, as_of, lookback_days, horizon_days, slow_hours)
    return followed_from(tables, day, lookback_days, horizon_days, slow_hours)


def followed_from(
    tables: Tables, day: date, lookback_days: int, horizon_days: int, slow_hours: float, also: Sequence[str] = ()
) -> engine.View:
    """The rows of `follow_landmark` from a day, which the caller has checked; `also`: more columns of the customers."""
    seen = at_landmark(tables, day, lookback_days, horizon_days, slow_hours, [*also, "end_date"])
    after = engine.whole_days(nw.col("end_date"), nw.lit(day))
    gone = nw.col("left") | nw.col("involuntary") if "involuntary" in seen.at else nw.col("left")
    followed = nw.when(gone).then(after).otherwise(nw.lit(float(horizon_days)))
    how = nw.when(nw.col("left")).then(nw.lit("voluntary")).otherwise(nw.when(gone).then(nw.lit("involuntary")))
    lazy = seen.frame.with_columns(followed.cast(nw.Int64).alias("days_followed"), how.alias("ended"))
    lazy = lazy.with_columns((nw.col("tenure_days") + nw.col("days_followed")).alias("tenure_at_end"))
    kinds = {"days_followed": engine.NUMBER, "tenure_at_end": engine.NUMBER, "ended": engine.FACTOR}
    return _view(seen, lazy, kinds, without=["end_date"])


def stack_landmarks(
    tables: Tables,
    as_of: str | date,
    months: int,
    lookback_days: int,
    slow_hours: float = 72,
    exposures: str = "updated",
) -> engine.View:
    """Landmark windows of 30 days, one after the other: a row per customer and month, for monthly hazards.

    Parameters
    ----------
    as_of : ISO day on which the first window opens; or "latest", the last day of the data minus all windows
    months : windows of 30 days, 1 to 120
    tables, lookback_days, slow_hours : as in `landmark`
    exposures : "updated", what is known on the first day of each window, of everybody at risk on it; or "held",
        what is known on the first day of all, of those at risk on it (`fraction_by_horizon` wants this one)

    Returns
    -------
    The columns of `landmark`, and window (its first day, ISO text, so that it can enter a model as a factor) and
    month (1, 2, …). left and involuntary are those of the window.

    Raises
    ------
    CxError: unknown exposures; months out of range; windows that reach beyond the data.

    Notes
    -----
    One customer has many rows: `fit_attrition(..., customer="customer_id", period="window")`. With exposures held,
    an involuntary end does not end a customer's rows: they stay in as not left, so that the hazards cumulate to
    the share that left by a day, whatever else ended others (Fine & Gray 1999); nobody is followed beyond the data,
    so no one is lost in between.

    Examples
    --------
    >>> import cxlib as cx
    >>> f = stack_landmarks(cx.load("data/example"), "latest", 6, 180, exposures="held")  # doctest: +SKIP
    """
    day = _first_day(tables, as_of, months, lookback_days, slow_hours, exposures)
    days = [day + timedelta(days=MONTH_DAYS * i) for i in range(months)]
    if exposures == "updated":
        windows = [landmark(tables, start, lookback_days, MONTH_DAYS, slow_hours) for start in days]
        seen, parts = windows[0], zip(windows, days, strict=True)
        lazy = nw.concat([_dated(window.frame, i, start) for i, (window, start) in enumerate(parts, 1)])
    else:
        return by_month(follow_landmark(tables, day, lookback_days, MONTH_DAYS * months, slow_hours), days)
    return _windowed(seen, lazy)


def by_month(followed: engine.View, days: Sequence[date]) -> engine.View:
    """Customers followed from the first of some days, 30 apart: a row for each of them and each month they were there.

    Columns as of `stack_landmarks` with exposures held.
    """
    one = followed.frame.select("customer_id").head(1)
    calendar = nw.concat([_dated(one, i, start).drop("customer_id") for i, start in enumerate(days, 1)])
    return _windowed(unfollowed(followed), _by_month(followed.frame.join(calendar, how="cross")))


def unfollowed(followed: engine.View, also: Sequence[str] = ()) -> engine.View:
    """The landmark frame that customers were followed from, without what it holds `also`."""
    return _view(followed, followed.frame, {}, without=[*FOLLOWED, *also])


def _first_day(
    tables: Tables, as_of: str | date, months: int, lookback_days: int, slow_hours: float, exposures: str
) -> date:
    faults = [] if exposures in EXPOSURES else [unknown("exposures", exposures, EXPOSURES, "stack_landmarks")]
    if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= MOST_MONTHS:
        given = shortened(months)
        faults.append(f"stack_landmarks: months must be a whole number from 1 to {MOST_MONTHS}, not {given}")
    refuse(faults)
    return landmark_day(tables, as_of, lookback_days, MONTH_DAYS * months, slow_hours)


def _dated(lazy: nw.LazyFrame[Any], month: int, start: date) -> nw.LazyFrame[Any]:
    return lazy.with_columns(nw.lit(start.isoformat()).alias("window"), nw.lit(month).alias("month"))


def _by_month(lazy: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Customers followed × months: the months of all who had not left of their own will before, with who left in it."""
    opens = (nw.col("month") - 1) * MONTH_DAYS
    flags = [name for name in ("left", "involuntary") if name in lazy.collect_schema().names()]
    there = lazy.filter(~nw.col("left") | (nw.col("days_followed") > opens))
    now = (nw.col("days_followed") > opens) & (nw.col("days_followed") <= opens + MONTH_DAYS)
    return there.with_columns((nw.col(name) & now).alias(name) for name in flags)


def _windowed(seen: engine.View, lazy: nw.LazyFrame[Any]) -> engine.View:
    return _view(seen, lazy.select(*seen.at, "window", "month"), {"window": engine.FACTOR, "month": engine.NUMBER})


def _view(
    seen: engine.View, lazy: nw.LazyFrame[Any], kinds: dict[str, str], without: Sequence[str] = ()
) -> engine.View:
    kept = {name: kind for name, kind in seen.kind.items() if name not in without} | kinds
    return engine.View(lazy, {name: name for name in kept}, kept)
