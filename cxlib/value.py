"""What an improvement is worth: attrition avoided, as customers kept, as money over a horizon, against its cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import removal
from .errors import refuse, shortened, unknown
from .fitted import AttritionFit, evaluate
from .resample import percentile_interval
from .schema import results

MONTH_DAYS = 365.25 / 12
CREDITS = ("associated", "exposed")
Array = np.ndarray


@dataclass(frozen=True)
class Terms:
    """What the money depends on beside the model: who is there, what one is worth, and what is paid."""

    customers: float
    margin: float  # per customer and month
    months: int
    period_days: float  # within which the model's customers leave
    discount: float  # per year
    cost_once: float
    cost_monthly: float


def return_on_investment(
    fit: AttritionFit,
    reductions: Mapping[str, float],
    margin: float,
    period_days: float,
    months: int = 24,
    discount: float = 0.08,
    cost_once: float = 0.0,
    cost_monthly: float = 0.0,
    customers: float | None = None,
    currency: str = "currency",
    credit: str = "associated",
    level: float = 0.95,
) -> pd.DataFrame:
    """What a part of the failures gone would be worth over a horizon, and whether it pays.

    Parameters
    ----------
    fit : AttritionFit
    reductions : cause -> share of its failures removed, 0 to 1; all of them together are the improvement
    margin : of a customer, a month, in `currency`
    period_days : days within which the outcome of the fit counts departures
    months : horizon, 1 to 600
    discount : a year, 0 or more (.08 = 8 %)
    cost_once, cost_monthly : of the improvement as a whole: now, and at the end of every month
    customers : at the start (default: those of the fit)
    credit : "associated", the impact fraction; or "exposed" (naive): every departure after a failure, times its share
    level : confidence level, between 0 and 1

    Returns
    -------
    DataFrame in the result shape, term "improvement": measures avoided (share of departures), kept (customers more at
    the end), gain, cost, net and break_even (the one-off cost at which nothing is gained), in `currency` of today;
    return (net / cost, share); payback (months until gain meets cost; none within the horizon says so).

    Notes
    -----
    The customers of today leave at one monthly rate, (1 - share leaving in a period) to the power month / period. A
    month's margin is earned, and its cost paid, at its end, by who is there then, and discounted to today. Newcomers
    are not counted. Intervals carry the resampling of the whole model; margin and cost are taken as given. Checked
    against the annuity formula and the simulator's truth.

    Source: Morgenstern & Bursic 1982 (impact fraction); Gupta & Lehmann 2003 (value of retention).

    >>> toy = pd.DataFrame({"contact": ["good", "failed"] * 40, "left": [0, 1, 0, 0, 1, 0, 0, 1] * 10})
    >>> fit = cx.fit_attrition(toy, causes={"service": {"contact": {"failed": "good"}}}, replicates=0)
    >>> found = return_on_investment(fit, {"service": 1.0}, margin=10, period_days=365.25, months=12, discount=0)
    >>> found.set_index("measure")["estimate"].round(2)[["avoided", "kept"]].to_dict()
    {'avoided': 0.33, 'kept': 10.0}
    """
    terms = Terms(fit.n if customers is None else customers, margin, months, period_days, discount, cost_once,
                  cost_monthly)  # fmt: skip
    refuse([*_fit_faults(fit, reductions, credit), *_terms_faults(terms)])
    shares = [reductions.get(cause, 0.0) for cause in fit.causes]

    def statistic(fit: AttritionFit, n: Array, events: Array, risks: Array) -> Array:
        rate = np.einsum("bc,bc->b", n, risks[:, 0]) / n.sum(axis=1)
        if credit == "exposed":
            return np.column_stack([rate, _exposed(events, fit.exposed, shares)])
        return np.column_stack([rate, removal.removal_values(n, risks) @ removal.removal_weights(shares)])

    point, drawn = evaluate(fit, statistic)
    values = np.vstack([point[None], drawn])
    table = worth(values[:, 0], values[:, 1], terms)
    units = {"avoided": "share", "kept": "customers", "return": "share", "payback": "months"}
    names = ("avoided", "kept", "gain", "cost", "net", "break_even", "return", "payback")
    fixed = {"term": "improvement", "level": level, "n": fit.n, "method": _method(fit, credit)}
    return results({**fixed, "measure": name, "unit": units.get(name, currency), **_row(name, table[name], level)}
                   for name in names)  # fmt: skip


def worth(rate: Array, avoided: Array, terms: Terms) -> dict[str, Array]:
    """The money from the share leaving in a period and the share of that avoided, each (replicates,).

    payback is infinite where the gain does not meet the cost within the horizon.
    """
    month = MONTH_DAYS / terms.period_days
    stay = np.stack([1 - rate, 1 - rate * (1 - avoided)]) ** month  # of the two worlds, the share there a month later
    k = np.arange(1, terms.months + 1)
    present = (1 + terms.discount) ** (-k / 12)
    there = terms.customers * stay[..., None] ** k  # (worlds, replicates, months)
    more = there[1] - there[0]
    running = terms.cost_monthly * present
    gain, paid = np.cumsum(terms.margin * more * present, axis=1), np.cumsum(running)
    cost = np.full(len(rate), terms.cost_once + paid[-1])
    net, ahead = gain[:, -1] - cost, gain >= terms.cost_once + paid
    payback = np.where(ahead.any(axis=1), k[np.argmax(ahead, axis=1)], np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(cost > 0, net / cost, np.nan)
    return {"avoided": avoided, "kept": more[:, -1], "gain": gain[:, -1], "cost": cost, "net": net,
            "break_even": gain[:, -1] - paid[-1], "return": ratio, "payback": payback}  # fmt: skip


def _row(name: str, values: Array, level: float) -> dict[str, object]:
    """The estimate and its limits; a payback beyond the horizon is none, and its note says so."""
    if name == "cost":  # taken as given: no resample knows another
        return {"estimate": values[0]}
    never = np.isinf(values)
    if not never.any():
        spread, lower, upper = (float(x) for x in percentile_interval(values[1:], level))
        return {"estimate": values[0], "std_error": spread, "lower": lower, "upper": upper}
    # As numbers beyond all others, so that the percentiles stay in order; told as none.
    beyond = np.where(never, 1e9, values)
    lower, upper = (float(x) for x in percentile_interval(beyond[1:], level)[1:])
    told = [x if x < 1e8 else np.nan for x in (beyond[0], lower, upper)]
    note = "not paid back within the horizon" if never[0] else "the upper limit lies beyond the horizon"
    return dict(zip(("estimate", "lower", "upper"), told, strict=True)) | {"note": note}


def _exposed(events: Array, exposed: Array, shares: list[float]) -> Array:
    """Share of the departures after a failure of a cause, times the share of its failures removed."""
    kept = np.ones(exposed.shape[1])
    for has, share in zip(exposed, shares, strict=True):
        kept *= np.where(has, 1 - share, 1.0)
    total = events.sum(axis=1)
    return np.asarray((events @ (1 - kept)) / np.where(total > 0, total, np.nan))


def _method(fit: AttritionFit, credit: str) -> str:
    if credit == "associated":
        return fit.method
    return f"every departure after a failure counted; percentiles over {len(fit.replicates)} resamples by {fit.unit}"


def _fit_faults(fit: AttritionFit, reductions: Mapping[str, float], credit: str) -> list[str]:
    faults = [unknown("cause", name, fit.causes) for name in reductions if name not in fit.causes]
    faults += [f"reduction of '{name}' must be a share from 0 to 1, not {value}" for name, value in reductions.items()
               if not 0 <= value <= 1]  # fmt: skip
    faults += [] if reductions else ["reductions must name at least one cause: {cause: share removed}"]
    return faults + ([] if credit in CREDITS else [unknown("credit", credit, CREDITS)])


def _terms_faults(terms: Terms) -> list[str]:
    """Amounts that are none: each is told by its name."""
    limits = {"customers": (0, 1e12), "margin": (0, 1e12), "months": (1, 600), "period_days": (1, 36_500),
              "discount": (0, 10), "cost_once": (0, 1e15), "cost_monthly": (0, 1e15)}  # fmt: skip
    faults = []
    for name, (low, high) in limits.items():
        value = getattr(terms, name)
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high or (name == "months" and value != int(value)):
            whole = "a whole number" if name == "months" else "a number"
            faults.append(f"{name} must be {whole} from {low:g} to {high:g}, not {shortened(value)}")
    return faults
