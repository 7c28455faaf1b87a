"""The closed loop: which bad answers the company follows up within a target, and who comes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import narwhals as nw
import pandas as pd

from . import engine, schema
from .censored import ended_by, survival_curve
from .data import Tables
from .errors import CxError, refuse, shortened, unknown
from .intervals import quantile
from .ratios import unit_shares
from .resample import described
from .schema import results
from .standardised import compared, strata

MOST_DAYS = 365
LOWEST_PASSIVE = 7
DEFAULT_ALIKE: tuple[str, ...] = ("recommend", "satisfaction")
MEASURES = ("followed", "not_followed", "naive", "adjusted")
NEVER = 1e12  # minutes
Row = dict[str, Any]


def closed_loop(
    data: Tables,
    target_days: float = 7,
    alike: Sequence[str] | None = None,
    touchpoint: str = schema.FOLLOW_UP,
    level: float = 0.95,
    replicates: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """How many detractors are followed up within a target, and how many are detractors no longer when they next answer.

    Parameters
    ----------
    data : Tables with surveys, and with interactions at the touchpoint of a follow-up
    target_days : days after the answer within which the follow-up is due, above 0
    alike : columns that are held alike, of the surveys or customers; None = recommend and satisfaction, as far as there
    touchpoint : interactions that are follow-ups
    level, replicates, seed : of the intervals

    Returns
    -------
    Result columns. term "follow_up": within_target (share of detractors' answers, Kaplan-Meier: those too young to
    tell are censored, n = answers). term "coming_back", of detractors' answers with a later one: share (of them, no
    longer detractors), followed and not_followed (the same among those followed up within the target, and the others),
    naive (difference of these two) and adjusted (the difference among answers alike, weighted by those followed up);
    answered_again (share of detractors' answers old enough to have a later one; the others are not heard of).

    Raises
    ------
    CxError : a missing table or column; a touchpoint that does not occur; nobody to compare.

    Notes
    -----
    Companies call those who are easy to win back, so the plain difference is no effect. Only follow-ups before the next
    answer count, and only next answers that come after the target: who answers sooner had no time to be called. Who
    left or did not answer again is not heard of in either group. Checked against a loop over answers; simulated
    follow-ups change nothing, and the adjusted interval holds that nothing.

    Source: Kaplan & Meier (1958); Robins (1986), standardisation.

    >>> import cxlib as cx
    >>> tables, _ = cx.simulate(customers=2000, seed=1)
    >>> found = cx.closed_loop(cx.load(tables), replicates=0).set_index("measure")["estimate"]
    >>> bool(0.3 < found["within_target"] < 0.6)
    True
    """
    quantile(level)
    number = isinstance(target_days, (int, float)) and not isinstance(target_days, bool)
    if not (number and 0 < target_days <= MOST_DAYS):
        raise CxError(f"target_days must be days above 0, at most {MOST_DAYS}, not {shortened(target_days)!r}")
    lazy, chosen = _answers(data, touchpoint, alike)
    called = nw.when(nw.col("waited") <= 1440.0 * target_days).then(nw.lit(1)).otherwise(nw.lit(0))
    lazy = lazy.with_columns(called.alias("called"))
    rows = [{"term": "follow_up", "measure": "within_target", **_within(lazy, target_days, level)}]
    later = lazy.filter(nw.col("next") > 1440.0 * target_days, nw.col("next") < NEVER)
    back = unit_shares(later, "customer_id", ["back"], level)
    rows += [{"term": "coming_back", "measure": "share", **row}
             for row in back[back["back"] == "1.0"].drop(columns="back").to_dict("records")]  # fmt: skip
    names = [*chosen, "called", "back", "customer_id"]
    view = engine.View(later, {name: name for name in names}, dict.fromkeys(names, engine.FACTOR))
    found = strata(view, chosen, "called", "back", "customer_id")
    told = f"same {' and '.join(chosen)}" if chosen else "nothing held alike"
    method = described(None, "customer_id", replicates).lstrip(", ;")
    for row in compared(found, "coming_back", MEASURES, "share", level, replicates, seed):
        rows.append({**row, "method": f"{told}; {method}" if row["measure"] == "adjusted" else f"plain; {method}"})
    heard = lazy.with_columns(
        nw.when(nw.col("next") < NEVER).then(nw.lit("yes")).otherwise(nw.lit("no")).alias("heard")
    )
    again = unit_shares(heard, "customer_id", ["heard"], level)
    rows += [{"term": "coming_back", "measure": "answered_again", **row}
             for row in again[again["heard"] == "yes"].drop(columns="heard").to_dict("records")]  # fmt: skip
    return results(rows)


def _answers(data: Tables, touchpoint: str, alike: Sequence[str] | None) -> tuple[nw.LazyFrame[Any], list[str]]:
    """Detractors' answers: minutes until the follow-up, the next answer and the end, and whether they came back."""
    surveys, events = data.need("surveys", "bad answers are there"), data.need("interactions", "follow-ups are there")
    people = data.need("customers", "when somebody ceased to be a customer is there")
    about = [name for name in people.at if name not in surveys.at]
    options = [*surveys.at, *about]
    chosen = (
        [name for name in alike if name] if alike is not None else [name for name in DEFAULT_ALIKE if name in options]
    )
    refuse(unknown("column", name, options, "surveys and customers") for name in ["recommend", *chosen]
           if name not in options)  # fmt: skip
    joined = [name for name in chosen if name in about]
    answered = surveys.frame.filter(~nw.col("answered_at").is_null(), ~nw.col("recommend").is_null())
    own = [name for name in chosen if name in surveys.at and name != "recommend"]
    answered = answered.select("survey_id", "customer_id", "answered_at", "recommend", *own)
    order = {"order_by": ["answered_at", "survey_id"]}
    answered = answered.with_columns(
        nw.col("answered_at").shift(-1).over("customer_id", **order).alias("later"),
        nw.col("recommend").shift(-1).over("customer_id", **order).alias("score"),
    )
    bad = answered.filter(nw.col("recommend") < LOWEST_PASSIVE)
    first = _first_call(bad, events, touchpoint)
    end = engine.instant(data.last_day + timedelta(days=1))
    gone = people.frame.select("customer_id", nw.col("end_date").cast(nw.Datetime).alias("gone"), *joined)
    lazy = bad.join(first, on="survey_id", how="left").join(gone, on="customer_id", how="left")
    at = nw.col("answered_at")
    minutes = {"call": nw.col("call"), "next": nw.col("later"), "left": nw.col("gone"), "last": end}
    lazy = lazy.with_columns(engine.minutes_between(e, at).fill_null(NEVER).alias(name) for name, e in minutes.items())
    until = nw.min_horizontal("next", (nw.col("left") + 1440.0), "last")
    lazy = lazy.with_columns(until.alias("until"))
    # A call after the next answer belongs to that one.
    waited = nw.when(nw.col("call") <= nw.col("until")).then(nw.col("call")).otherwise(nw.lit(NEVER))
    back = nw.when(nw.col("score") >= LOWEST_PASSIVE).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    return lazy.with_columns(waited.alias("waited"), back.alias("back")), chosen


def _first_call(bad: nw.LazyFrame[Any], events: engine.View, touchpoint: str) -> nw.LazyFrame[Any]:
    """The first follow-up after each answer."""
    calls = events.frame.filter(nw.col("touchpoint") == touchpoint).select("customer_id", nw.col("at").alias("call"))
    if not int(engine.collect(calls.select(nw.len().alias("n")))["n"][0]):
        there = engine.collect(engine.distinct(events.frame.select("touchpoint")), ["touchpoint"])["touchpoint"]
        raise CxError(unknown("touchpoint", touchpoint, list(there), "interactions"))
    pairs = bad.select("survey_id", "customer_id", "answered_at").join(calls, on="customer_id", how="inner")
    return pairs.filter(nw.col("call") >= nw.col("answered_at")).group_by("survey_id").agg(nw.col("call").min())


def _within(lazy: nw.LazyFrame[Any], target_days: float, level: float) -> Row:
    """Share followed up within the target, by Kaplan-Meier on whole hours, rounded up."""
    waited, until = nw.col("waited"), nw.col("until")
    called = waited < NEVER
    length = nw.when(called).then(waited).otherwise(until) / 60.0
    grid = lazy.select(
        length.ceil().alias("hours"), nw.when(called).then(nw.lit(1.0)).otherwise(nw.lit(0.0)).alias("e")
    )
    counts = engine.collect(grid.group_by("hours", "e").agg(nw.len().cast(nw.Float64).alias("n")), ["hours", "e"])
    if counts.empty:
        raise CxError(f"surveys: at least one answer must be below {LOWEST_PASSIVE}, none is; take a longer period")
    hours, ended, n = (counts[name].to_numpy(float) for name in ("hours", "e", "n"))
    curve = survival_curve(hours, ended, n)
    share, error, lower, upper, how = ended_by(curve, 24.0 * target_days, hours, ended, n, level)
    return {"estimate": share, "std_error": error, "lower": lower, "upper": upper, "level": level, "n": n.sum(),
            "unit": "share", "method": f"Kaplan-Meier within {target_days:g} days; {how}"}  # fmt: skip
