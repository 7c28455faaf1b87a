"""One row per customer at risk (landmark), one row per answer (answers), bands, and the rows of one group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import narwhals as nw

from . import engine, schema
from .bands import band, with_bands  # noqa: F401
from .data import YEARS, Tables, is_plausible
from .errors import CxError, refuse, shortened, unknown
from .held import narrowed

LATEST = "latest"
_KEY = "customer_id"
_ABOUT = ("region", "segment", "plan")
COLUMNS = (
    "customer_id", "region", "segment", "plan", "tenure_days", "tenure_band", "service_contacts", "service_failed",
    "service_band", "price_change", "price_band", "market_gap", "gap_band", "fault_count", "fault_band", "recommend",
    "nps_class", "left", "involuntary",
)  # fmt: skip
NUMBERS = (
    "tenure_days", "service_contacts", "service_failed", "price_change", "market_gap", "fault_count", "recommend",
)  # fmt: skip


def landmark(
    tables: Tables, as_of: str | date, lookback_days: int, horizon_days: int, slow_hours: float = 72
) -> engine.View:
    """One row per customer at risk on a day: what happened to them before it, and whether they left after it.

    Parameters
    ----------
    tables : from `load`
    as_of : ISO day, exposures end at its first instant; or "latest", the last day of the data minus the horizon
    lookback_days : days before as_of in which exposures count, 1 or more; as_of - lookback <= stamp < as_of
    horizon_days : days after as_of in which ends count, 1 or more; as_of < end_date <= as_of + horizon
    slow_hours : hours to resolution beyond which a service contact failed

    Returns
    -------
    A lazy view: customer_id, region, segment, plan, tenure_days (days), tenure_band, service_contacts, service_failed
    (tickets), service_band, price_change (share), price_band, market_gap (share), gap_band, fault_count, fault_band,
    recommend (points), nps_class, left, involuntary. What no table feeds is left out. `.to_pandas()` collects it.

    Raises
    ------
    CxError
        as_of + horizon beyond the last day of the data (`tables.last_day`); nobody at risk; a length below 1.

    Notes
    -----
    At risk: signup_date < as_of, end_date empty or > as_of. A contact (ticket) failed if it was escalated, reopened,
    not resolved at as_of, resolved after more than slow_hours, or rated 2 or less; flags and ratings carry no stamp
    and count as they stand in the data. price_change compares the price at as_of with the price at as_of - lookback
    (the first price of those who had none yet); bands of shares are cut after rounding to 9 digits, so that a rise of
    exactly 10 % is "raised". recommend is the last score of the lookback. Customers without a price have none: null.

    Examples
    --------
    >>> import cxlib as cx
    >>> f = cx.landmark(cx.load("data/example"), "latest", lookback_days=180, horizon_days=90)  # doctest: +SKIP
    """
    day = landmark_day(tables, as_of, lookback_days, horizon_days, slow_hours)
    return at_landmark(tables, day, lookback_days, horizon_days, slow_hours)


def at_landmark(
    tables: Tables, day: date, lookback_days: int, horizon_days: int, slow_hours: float, also: Sequence[str] = ()
) -> engine.View:
    """The rows of `landmark` on a day, which the caller has checked; `also`: more columns of the customers."""
    start, end = day - timedelta(days=lookback_days), day + timedelta(days=horizon_days)
    customers = tables.need("customers", "a landmark needs it")
    people = _at_risk(customers, day, also)
    if not engine.collect(people.select(nw.len().alias("n")))["n"][0]:
        raise CxError(f"landmark: nobody is at risk on {day}; choose an as_of after the first signups")
    lazy = people.with_columns(*_tenure(day), *_ends(customers, day, end))
    for part in (
        _service(tables.tickets, start, day, slow_hours),
        _prices(tables.prices, start, day),
        _faults(tables.interactions, start, day),
        _scores(tables.surveys, start, day),
    ):
        lazy = lazy if part is None else lazy.join(part, on=_KEY, how="left")
    lazy = with_bands(lazy)
    there = set(lazy.collect_schema().names())
    names = [name for name in COLUMNS if name in there]
    kinds = {name: engine.NUMBER if name in NUMBERS else engine.FACTOR for name in names}
    kinds |= {name: customers.kind[name] for name in also}
    return engine.View(lazy.select(*kinds), {name: name for name in kinds}, kinds)


def landmark_day(tables: Tables, as_of: str | date, lookback_days: int, horizon_days: int, slow_hours: float) -> date:
    """The day of a landmark, once its lengths and the reach of the data allow it."""
    lengths = {"lookback_days": lookback_days, "horizon_days": horizon_days}
    faults = [
        f"landmark: {name} must be a whole number of days from 1 to 36500, not {shortened(value)!r}"
        for name, value in lengths.items()
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 36_500
    ]
    if isinstance(slow_hours, bool) or not isinstance(slow_hours, (int, float)) or not slow_hours > 0:
        faults.append(f"landmark: slow_hours must be hours above 0, not {shortened(slow_hours)!r}")
    refuse(faults)
    horizon = timedelta(days=horizon_days)
    day = tables.last_day - horizon if as_of == LATEST else parsed_day(as_of, "landmark: as_of")
    if day + horizon > tables.last_day:
        raise CxError(
            f"landmark: as_of + horizon must not lie beyond the last day of the data; {day} + {horizon_days} days is "
            f"{day + horizon}, the data end on {tables.last_day}; choose as_of up to {tables.last_day - horizon}"
        )
    if told := tables.strays(day + horizon):
        raise CxError(f"landmark: dates must not lie in the future, but {told}; mend them, or choose an earlier as_of")
    return day


def parsed_day(value: str | date, where: str = "as_of") -> date:
    """A day from ISO text or a date."""
    if isinstance(value, datetime):
        value = value.date()
    try:
        day = value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise CxError(
            f"{where} must be an ISO day such as 2026-03-31 or '{LATEST}', not '{shortened(value)}'"
        ) from None
    if not is_plausible(day):
        raise CxError(f"{where} must lie in the years {YEARS[0]} to {YEARS[1]}, not on {day}; correct the year")
    return day


def only(frame: Any, column: str, value: str) -> engine.View:
    """The rows in which a column has one value; "" for the column keeps all. A value that does not occur is refused."""
    seen = engine.view(frame)
    if not column:
        return seen
    engine.require(seen, [column], "only_column")
    wanted = _literal(seen, column, value)
    kept = seen.frame.filter(seen[column] == wanted) if wanted is not None else None
    if kept is None or not engine.collect(kept.select(nw.len().alias("n")))["n"][0]:
        there = engine.collect(engine.distinct(seen.frame.select(nw.col(seen.at[column]).alias("v"))).head(1000))["v"]
        raise CxError(unknown("value", value, sorted(there.dropna().astype(str)), f"only_value, column '{column}'"))
    return engine.View(kept, seen.at, seen.kind)


def answers(tables: Tables, as_of: str | date | None = None, lookback_days: int | None = None) -> engine.View:
    """One row per answered survey, the rating of each touchpoint in a column of its own.

    Parameters
    ----------
    tables : from `load`, with surveys
    as_of : ISO day; only answers before it. None or "latest": all answers
    lookback_days : only answers of so many days before as_of (before the day after the last, if that is None)

    Returns
    -------
    A lazy view: survey_id, customer_id, answered_at, recommend, satisfaction, effort (points), weight; one column per
    touchpoint that was ever rated (points, null where the customer did not meet it); region, segment, plan.

    Raises
    ------
    CxError
        No surveys; no answer in the period.
    """
    return rated(tables, described(tables, answered(tables, as_of, lookback_days)))


def answered(tables: Tables, as_of: str | date | None = None, lookback_days: int | None = None) -> engine.View:
    """The answered surveys that `answers` is about."""
    if tables.surveys is None:
        raise CxError("answers: the tables hold no surveys; add the table 'surveys'")
    given = as_of is not None and as_of != LATEST and as_of != ""
    end = parsed_day(as_of, "answers: as_of") if given else tables.last_day + timedelta(days=1)  # type: ignore[arg-type]
    return answered_before(tables.surveys, end, lookback_days)


def answered_before(seen: engine.View, end: date, lookback_days: int | None = None) -> engine.View:
    """Those of some answers that came before a day, all or those of so many days before it."""
    rows = seen.frame.filter(nw.col("answered_at") < engine.instant(end))
    if lookback_days is not None:
        rows = rows.filter(nw.col("answered_at") >= engine.instant(end - timedelta(days=lookback_days)))
    if not engine.collect(rows.select(nw.len().alias("n")))["n"][0]:
        raise CxError(f"answers: nobody answered a survey before {end}; choose another as_of or lookback_days")
    return engine.View(rows, seen.at, seen.kind)


def described(tables: Tables, surveys: engine.View) -> engine.View:
    """Surveys with the customers' columns."""
    customers = tables.need("customers", "answers need it")
    about = [name for name in _ABOUT if name in customers.at]
    kinds = {name: kind for name, kind in surveys.kind.items() if name not in ("sent_at", "comment")}
    rows = surveys.frame.drop("sent_at", "comment", strict=False)
    rows = rows.join(customers.frame.select(_KEY, *about), on=_KEY, how="left")
    kinds |= dict.fromkeys(about, engine.FACTOR)
    return engine.View(rows, {name: name for name in kinds}, kinds)


def rated(tables: Tables, surveys: engine.View) -> engine.View:
    """Surveys, as `described`, with the rating of each touchpoint in a column of its own."""
    if tables.ratings is None:
        return surveys
    told = engine.collect(engine.distinct(tables.ratings.frame.select("touchpoint")).drop_nulls(), ["touchpoint"])
    names = {name: f"t{i}" for i, name in enumerate(told["touchpoint"])}
    refuse(f"ratings: a touchpoint must not be named like a column, '{name}'; rename it"
           for name in names if name in surveys.at)  # fmt: skip
    spread, wide = _spread(tables.ratings.frame, names)
    rows = surveys.frame.join(spread, on="survey_id", how="left")
    rows = rows.with_columns(wide) if wide else rows
    kinds = {**surveys.kind, **dict.fromkeys(names, engine.NUMBER)}
    order = [name for name in (*surveys.at, *names) if name not in _ABOUT]
    order += [name for name in _ABOUT if name in surveys.at]
    at = {**surveys.at, **names}
    return engine.View(rows, {name: at[name] for name in order}, {name: kinds[name] for name in order})


def _spread(ratings: nw.LazyFrame[Any], names: dict[str, str]) -> tuple[nw.LazyFrame[Any], list[nw.Expr]]:
    """A row for each survey, with the rating of each touchpoint: narrow, and what makes them as wide as they were."""
    kind = ratings.collect_schema()["rating"]
    narrow, wide = narrowed(ratings.select("survey_id", "touchpoint", "rating"))
    rated = (nw.when(nw.col("touchpoint") == name).then(nw.col("rating")).max().alias(at) for name, at in names.items())
    return narrow.group_by("survey_id").agg(rated), [nw.col(at).cast(kind) for at in names.values()] if wide else []


def _literal(seen: engine.View, column: str, value: str) -> Any:
    dtype = seen.frame.collect_schema()[seen.at[column]]
    if dtype == nw.Boolean:
        return {"true": True, "false": False}.get(str(value).lower())
    if dtype.is_numeric():
        try:
            return float(value)
        except ValueError:
            return None
    return str(value)


def _within(stamp: str, start: date, day: date) -> nw.Expr:
    return (nw.col(stamp) >= engine.instant(start)) & (nw.col(stamp) < engine.instant(day))


def _at_risk(customers: engine.View, day: date, also: Sequence[str] = ()) -> nw.LazyFrame[Any]:
    there = (nw.col("signup_date") < day) & (nw.col("end_date").is_null() | (nw.col("end_date") > day))
    wanted = dict.fromkeys((_KEY, *_ABOUT, "signup_date", "end_date", "end_kind", *also))
    return customers.frame.filter(there).select(name for name in wanted if name in customers.at)


def at_risk_and_left(customers: engine.View, day: date, horizon_days: int) -> tuple[int, int]:
    """How many customers are at risk on a day, and how many of them leave within the horizon."""
    left = nw.when(_ends(customers, day, day + timedelta(days=horizon_days))[0]).then(nw.lit(1)).otherwise(nw.lit(0))
    row = engine.collect(_at_risk(customers, day).select(nw.len().alias("n"), left.sum().alias("left")))
    return int(row["n"][0]), int(row["left"].fillna(0)[0])


def _tenure(day: date) -> list[nw.Expr]:
    days = engine.whole_days(nw.lit(day), nw.col("signup_date"))
    return [days.alias("tenure_days")]


def _ends(customers: engine.View, day: date, end: date) -> list[nw.Expr]:
    """`left` and `involuntary`; without an end_kind every end counts as leaving."""
    ended = nw.col("end_date").is_between(day, end, closed="right")
    kinds = {"left": "voluntary", "involuntary": "involuntary"} if "end_kind" in customers.at else {"left": ""}
    return [
        nw.when(ended & (nw.col("end_kind") == kind) if kind else ended)
        .then(nw.lit(True))
        .otherwise(nw.lit(False))
        .alias(name)
        for name, kind in kinds.items()
    ]


def _service(tickets: engine.View | None, start: date, day: date, slow_hours: float) -> nw.LazyFrame[Any] | None:
    if tickets is None:
        return None
    slow = engine.minutes_between(nw.col("resolved_at"), nw.col("opened_at")) > slow_hours * 60
    failures = {
        "escalated": [nw.col("escalated")],
        "reopened": [nw.col("reopened")],
        "resolved_at": [nw.col("resolved_at").is_null(), nw.col("resolved_at") >= engine.instant(day), slow],
        "csat": [nw.col("csat") <= 2],
    }
    signs = [sign for name, told in failures.items() if name in tickets.at for sign in told] or [nw.lit(False)]
    failed = nw.when(nw.any_horizontal(*signs, ignore_nulls=True)).then(nw.lit(1)).otherwise(nw.lit(0))
    recent = tickets.frame.filter(_within("opened_at", start, day)).select(_KEY, failed.alias("failed"))
    return recent.group_by(_KEY).agg(nw.len().alias("service_contacts"), nw.col("failed").sum().alias("service_failed"))


def _prices(prices: engine.View | None, start: date, day: date) -> nw.LazyFrame[Any] | None:
    if prices is None:
        return None
    # One number orders the prices (fixed-size states, which DuckDB can spill): days since the start of the lookback,
    # and a fraction by which the higher of two prices from one day counts, so that the same data give the same frame.
    known = [name for name in ("monthly_price", "market_price") if name in prices.at]
    bounded = [nw.coalesce(nw.col(name) / (nw.col(name) + 1), nw.lit(0.0)) for name in known]
    tie = bounded[0] / 2 + (bounded[1] / 1000 if bounded[1:] else 0)
    age = engine.whole_days(nw.col("valid_from"), nw.lit(start)).cast(nw.Float64)
    # The last by `before` is in force at the start: the latest up to it, or else the first that came after.
    before = nw.when(age <= 0).then(age + 1e5).otherwise(-age)
    past = prices.frame.filter(nw.col("valid_from") < day).with_columns(now=age + tie, before=before + tie)
    order = {"price": ("monthly_price", "now"), "earlier": ("monthly_price", "before")}
    if "market_price" in known:
        order["market"] = ("market_price", "now")
    return engine.last_by(past, _KEY, order)


def _faults(interactions: engine.View | None, start: date, day: date) -> nw.LazyFrame[Any] | None:
    if interactions is None:
        return None
    fault = (nw.col("touchpoint") == schema.PRODUCT_FAULT) & _within("at", start, day)
    return interactions.frame.filter(fault).group_by(_KEY).agg(nw.len().alias("fault_count"))


def _scores(surveys: engine.View | None, start: date, day: date) -> nw.LazyFrame[Any] | None:
    if surveys is None or "recommend" not in surveys.at:
        return None
    scored = surveys.frame.filter(_within("answered_at", start, day) & ~nw.col("recommend").is_null())
    # Of two answers from the same instant the higher counts, again for the sake of the same frame every time.
    when = engine.minutes_between(nw.col("answered_at"), engine.instant(start)) + nw.col("recommend") / 1e5
    return engine.last_by(scored.with_columns(when=when), _KEY, {"recommend": ("recommend", "when")})
