"""Kaplan-Meier from grouped durations: one row per duration and status, with how many had it.

The curve is statsmodels'. From counts it would give Tsiatis' errors; Greenwood's, which it gives for rows, and those
of weighted rows are put in here, so that ten million rows and their counts give one and the same answer.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np

from .intervals import Array, quantile, wilson

DAY = 86_400  # seconds


def survival_curve(
    time: Array,
    ended: Array,
    rows: Array,
    weight: Array | None = None,
    square: Array | None = None,
    entry: Array | None = None,
) -> Any:
    """statsmodels' SurvfuncRight of grouped durations.

    Parameters
    ----------
    time : durations; one may occur several times
    ended : 1 where the event came after that time, 0 where nothing more is known (right-censored)
    rows : how many rows there are of each
    weight, square : with weights, the sum of the weights of those rows and of their squares
    entry : the time from which they were seen, below `time` (left truncation); not together with weights

    Returns
    -------
    The curve with Greenwood's standard errors; with weights, those of the infinitesimal jackknife.

    Notes
    -----
    What ended at a time is at risk together with what was censored at it. Equal to the curve of the rows, checked.
    """
    from statsmodels.duration.survfunc import SurvfuncRight  # here, for it takes longer than all else together

    amount = np.asarray(rows if weight is None else weight, dtype=float)
    kept = amount > 0
    time, ended, rows = (np.asarray(values, dtype=float)[kept] for values in (time, ended, rows))
    late = None if entry is None else np.asarray(entry, dtype=float)[kept]
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = SurvfuncRight(time, ended, entry=late, freq_weights=amount[kept])
        if square is None or not len(curve.surv_times):
            curve.surv_prob_se = _greenwood(curve)
        else:
            curve.surv_prob_se = _jackknife(curve, time, ended, np.asarray(square, dtype=float)[kept], rows.sum())
    return curve


def incidence(curve: Any, events: Array) -> tuple[float, float]:
    """Share that ended in one way, where each way rules out the others, and its standard error (Aalen & Johansen 1978).

    `events` are the ends of that way at the times of the curve of all ends. By the delta method, as statsmodels'
    CumIncidenceRight, which takes neither counts with errors nor late entries.
    """
    n, d = curve.n_risk, curve.n_events
    before = np.r_[1.0, curve.surv_prob[:-1]][: len(n)] / n
    share = np.cumsum(before * events)
    rest = share[-1] - share if len(share) else share
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where all at risk end at once nothing is left for what they do not do: rest is 0 there.
        all_ends = np.where(n > d, d / (n * (n - d)), 0.0)
    variance = rest**2 * all_ends + before**2 * (n - events) * events / n - 2 * rest * before * events / n
    return (float(share[-1]) if len(share) else 0.0), float(np.sqrt(max(variance.sum(), 0.0)))


def curve_quantile(curve: Any, share: float, level: float) -> tuple[float, float, float]:
    """The time by which a share has ended, with limits (log-log); nan = beyond what was observed."""
    if not len(curve.surv_times):
        return np.nan, np.nan, np.nan
    with np.errstate(divide="ignore", invalid="ignore"):  # no transform exists where the curve is at 0 or 1
        lower, upper = curve.quantile_ci(share, alpha=1 - level, method="cloglog")
    return tuple(float(x) if np.isfinite(x) else np.nan for x in (curve.quantile(share), lower, upper))  # type: ignore[return-value]


def ended_by(
    curve: Any, by: float, time: Array, ended: Array, rows: Array, level: float, effective: float = 1.0
) -> tuple[float, float, float, float, str]:
    """Share that has ended by a time: estimate, standard error, limits, and how the limits were made.

    `effective` is how many rows each row is worth (below 1 with unequal weights).

    Notes
    -----
    Where nothing was censored by then it is a plain share, with Wilson's limits. Where something was and the curve
    stands at 0 or 1, no transform has an interval: Wilson's on the rows whose state is known stands in.
    """
    known = (time > by) | ((ended == 1) & (time <= by))
    if not rows[known].sum() or (by > time.max(initial=0) and not _complete(curve)):
        return np.nan, np.nan, np.nan, np.nan, "beyond what was observed"
    place = int(np.searchsorted(curve.surv_times, by, side="right")) - 1
    share, error = (1 - curve.surv_prob[place], curve.surv_prob_se[place]) if place >= 0 else (0.0, 0.0)
    if known.all() or not 0 < share < 1:
        count = effective * rows[known].sum()
        lower, upper = wilson(share * count, count, level)
        error = np.sqrt(share * (1 - share) / count) if effective == 1 and known.all() else error
        told = "Wilson" if known.all() else "Wilson on those whose state is known"
        # Of none, Wilson's lower limit is 0 but for rounding.
        return float(share), float(np.nan_to_num(error)), min(float(lower), share), max(float(upper), share), told
    return float(share), float(error), *loglog(share, error, level), "log-log"


def loglog(share: float, error: float, level: float) -> tuple[float, float]:
    """Limits of a share that has ended, strictly between 0 and 1, symmetric in log(-log(1 - share))."""
    half = quantile(level) * error / ((1 - share) * -np.log1p(-share))
    lower, upper = (1 - (1 - share) ** np.exp(side * half) for side in (-1, 1))
    return float(lower), float(upper)


def on_a_grid(seconds: nw.Expr) -> nw.Expr:
    """Whole seconds up to a day, then whole minutes, rounded up: a target of whole minutes stays met or missed."""
    return nw.when(seconds <= DAY).then(seconds.ceil()).otherwise((seconds / 60.0).ceil() * 60.0)


def grid_bound(time: Array, ended: Array, rows: Array, beyond: float = 0.0) -> tuple[Array, Array]:
    """Steps of a grid, and the most by which the curve of durations rounded up to it may lie too high at each.

    Rounding up puts those censored in a step at risk beside those who ended in it. The bound adds up, over the steps
    after `beyond`, the difference that makes to the share that ends: d/(n-c) - d/n.
    """
    steps = np.unique(time)
    place = np.searchsorted(steps, time)
    d, c = (np.bincount(place, weights=rows * (ended == value), minlength=len(steps)) for value in (1, 0))
    n = np.cumsum((d + c)[::-1])[::-1]
    extra = np.where((d > 0) & (steps > beyond), d / np.maximum(n - c, np.maximum(d, 1e-300)) - d / n, 0.0)
    return steps, np.minimum(np.cumsum(extra), 1.0)


def _complete(curve: Any) -> bool:
    return bool(len(curve.surv_prob)) and curve.surv_prob[-1] == 0


def _greenwood(curve: Any) -> Array:
    n, d = curve.n_risk, curve.n_events
    error = np.sqrt(np.cumsum(np.where(n > d, d / (n * (n - d)), np.nan)))
    return np.asarray(error * curve.surv_prob)


def _jackknife(curve: Any, time: Array, ended: Array, square: Array, rows: float) -> Array:
    """Errors of a weighted curve: the squared influence of each row, summed by duration, with factor n/(n-1).

    A row's influence on log S(t) is what its own event took from it less what it added to risk sets up to t, so one
    cumulative sum gives those who ended or were censored by t, and one product those who are still there.
    """
    left = np.where(curve.n_risk > curve.n_events, curve.n_risk - curve.n_events, np.nan)
    hazard = np.cumsum(curve.n_events / (curve.n_risk * left))
    place = np.searchsorted(curve.surv_times, time, side="right") - 1
    own = np.where(ended == 1, 1 / left[np.maximum(place, 0)], 0.0) - np.where(place >= 0, hazard[place], 0.0)
    until = np.searchsorted(curve.surv_times, time, side="left")  # the first step at which the row is done
    gone = np.bincount(until, weights=square * own**2, minlength=len(hazard) + 1)[: len(hazard)]
    mass = np.bincount(until, weights=square, minlength=len(hazard) + 1)
    there = mass.sum() - np.cumsum(mass)[: len(hazard)]
    variance = np.cumsum(gone) + hazard**2 * there
    return np.asarray(curve.surv_prob * np.sqrt(variance * rows / max(rows - 1, 1)))
