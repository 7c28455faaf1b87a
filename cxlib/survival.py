"""Survival curves: how many are still customers, when a share has left, whether groups differ, who left how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from .censored import survival_curve
from .durations import asked_times, at_risk, durations, in_groups, written_out
from .errors import refuse, unknown
from .fitted import FEWEST
from .intervals import quantile
from .schema import TOO_FEW, results

TRANSFORMS = {"log-log": "cloglog", "log": "log", "plain": "linear"}  # our intervals, statsmodels' names of them
Steps = tuple[np.ndarray, np.ndarray, np.ndarray]  # times of the steps; share and error before the first and after each


def kaplan_meier(
    data: Any,
    time: str,
    event: str,
    by: str | None = None,
    times: Sequence[float] | None = None,
    entry: str | None = None,
    interval: str = "log-log",
    level: float = 0.95,
) -> pd.DataFrame:
    """Share still a customer after each time, by Kaplan and Meier.

    Parameters
    ----------
    data : frame with one row per customer, as from `follow_landmark`
    time : column of how long the customer was followed (days, months), 0 or more
    event : true/false or 0/1, whether the customer left at that time (else: was still there)
    by : column whose levels get a curve each, such as service_band
    times : times at which to tell the share (default: whenever somebody left)
    entry : column of the time from which the customer was seen, where time counts from before it (left truncation)
    interval : "log-log", "log" or "plain"
    level : confidence level, between 0 and 1

    Returns
    -------
    DataFrame in the result shape, first the columns `by` and time: term and measure "survival", unit "share";
    n = customers at risk just before that time. A time beyond the last one observed has no estimate and says so.
    Groups with fewer than ten leavers, or in which everybody left, are "too few".

    Raises
    ------
    CxError: missing columns, empty or negative times, an event that is not 0/1, an entry that is not before the time.

    Notes
    -----
    An end of another kind counts as followed to that time (right censoring). Who leaves at a time is at risk with
    those censored at it. Greenwood's standard error; no interval before anybody has left. Checked against R's survfit.

    Source
    ------
    Kaplan & Meier 1958; Greenwood 1926. Computed by statsmodels' SurvfuncRight.
    """
    _check_options(interval, level)
    table = durations(data, time, event, by, entry)
    grid = asked_times(times, table, table["event"] == 1)
    method = f"Kaplan-Meier, {interval} interval" + (f", entry at {entry}" if entry else "")
    rows: list[dict[str, object]] = []
    for value, group in in_groups(table, by):
        note = _note(group, group["event"] == 1, group["event"] == 0)
        fixed = {"term": "survival", "measure": "survival", "unit": "share", "level": level, "method": method}
        own = {by: value} if by else {}
        rows += [own | fixed | row for row in _curve(group, grid, _survival(group), interval, level, note)]
    return results(rows, by=[*([by] if by else []), "time"])


def survival_quantiles(
    data: Any,
    time: str,
    event: str,
    by: str | None = None,
    shares: Sequence[float] = (0.1, 0.25, 0.5),
    entry: str | None = None,
    interval: str = "log-log",
    level: float = 0.95,
) -> pd.DataFrame:
    """The time by which a share of the customers has left: the first at which fewer than the rest are still there.

    Parameters
    ----------
    shares : between 0 and 1; 0.5 is the median lifetime
    data, time, event, by, entry, interval, level : as in `kaplan_meier`

    Returns
    -------
    DataFrame in the result shape, first the columns `by` and share: term "lifetime", measure "quantile", unit = the
    time column, n = customers. What is not reached within the data has no estimate and says so, and may still have a
    lower limit; an upper limit that is missing beside a lower one lies beyond the data.

    Source
    ------
    Brookmeyer & Crowley 1982. Computed by statsmodels' SurvfuncRight; checked against R's quantile.survfit.
    """
    _check_options(interval, level)
    refuse([] if len(shares) and all(isinstance(p, (int, float)) and 0 < p < 1 for p in shares) else
           [f"shares must lie between 0 and 1, such as 0.5 for the median, not {list(shares)}"])  # fmt: skip
    rows: list[dict[str, object]] = []
    for value, group in in_groups(durations(data, time, event, by, entry), by):
        note = _note(group, group["event"] == 1, group["event"] == 0)
        fixed = {"term": "lifetime", "measure": "quantile", "unit": time, "level": level, "n": int(group["n"].sum()),
                 "method": f"Kaplan-Meier, {interval} interval"}  # fmt: skip
        own = {by: value} if by else {}
        rows += [own | fixed | {"share": share, "note": note} if note else
                 own | fixed | _quantile(group, share, interval, level) for share in shares]  # fmt: skip
    return results(rows, by=[*([by] if by else []), "share"])


def log_rank(data: Any, time: str, event: str, by: str, rho: float = 0.0, entry: str | None = None) -> pd.DataFrame:
    """Whether the groups leave at different rates.

    Parameters
    ----------
    by : column of the groups, two or more
    rho : 0 weighs all times alike (log-rank), 1 the early ones more (Peto and Peto); weights are survival ** rho
    data, time, event, entry : as in `kaplan_meier`

    Returns
    -------
    DataFrame in the result shape: term = by; measures chi_square (degrees of freedom in the method) and p_value.
    "too few" where fewer than ten left, everybody did, or no two groups were there together.

    Source
    ------
    Mantel 1966; Harrington & Fleming 1982. Computed by statsmodels' survdiff; checked against R's.
    """
    table = durations(data, time, event, by, entry)
    groups = table["group"].nunique()
    faults = [f"column '{by}' must have two levels or more to compare, not only '{table['group'][0]}'"]
    faults = faults if groups < 2 else []
    if isinstance(rho, bool) or not isinstance(rho, (int, float)) or not np.isfinite(rho):
        faults.append(f"rho must be a number such as 0 (log-rank) or 1 (Peto and Peto), not {rho!r}")
    refuse(faults)
    note = _note(table, table["event"] == 1, table["event"] == 0)
    chi_square = np.nan if note else _chi_square(written_out(table), rho, entry is not None)
    # Not statsmodels' own p-value, 1 - cdf, which is 0 below 1e-16.
    told = {"chi_square": ("chi-square", chi_square), "p_value": ("probability", stats.chi2.sf(chi_square, groups - 1))}
    name = f"Fleming-Harrington test, rho {rho:g}," if rho else "log-rank test"
    fixed = {"term": by, "n": int(table["n"].sum()), "method": f"{name} on {groups - 1} degrees of freedom",
             "note": TOO_FEW if np.isnan(chi_square) else ""}  # fmt: skip
    return results(fixed | {"measure": measure, "unit": unit, "estimate": value}
                   for measure, (unit, value) in told.items())  # fmt: skip


def cumulative_incidence(
    data: Any,
    time: str,
    cause: str,
    by: str | None = None,
    times: Sequence[float] | None = None,
    interval: str = "log-log",
    level: float = 0.95,
) -> pd.DataFrame:
    """Share that has left by each time in each way, where one end rules out the others.

    Parameters
    ----------
    cause : column of how it ended, such as `ended` of `follow_landmark`; empty = still there
    data, time, by, times, interval, level : as in `kaplan_meier`

    Returns
    -------
    DataFrame in the result shape, first the columns `by` and time: term = cause, measure "cumulative_incidence",
    unit "share", n = customers at risk just before that time. A cause with fewer than ten ends is "too few".

    Notes
    -----
    1 - Kaplan-Meier with the other ends as censored is the share in a world without them, which is larger. The
    shares of all causes and of those still there add up to 1. Checked against R's survfit.

    Source
    ------
    Aalen & Johansen 1978. Computed by statsmodels' CumIncidenceRight.
    """
    _check_options(interval, level)
    table = durations(data, time, cause, by, words=True)
    causes = sorted(table["event"].dropna().unique(), key=str)
    refuse([] if causes else [f"column '{cause}' must name how customers left, but names nobody's end"])
    grid = asked_times(times, table, table["event"].notna())
    fixed = {"measure": "cumulative_incidence", "unit": "share", "level": level,
             "method": f"Aalen-Johansen, {interval} interval"}  # fmt: skip
    rows: list[dict[str, object]] = []
    for value, group in in_groups(table, by):
        own = {by: value} if by else {}
        for name, steps in zip(causes, _incidences(group, causes), strict=True):
            note = _note(group, group["event"] == name, group["event"].isna())
            rows += [own | fixed | {"term": name} | row for row in _curve(group, grid, steps, interval, level, note)]
    return results(rows, by=[*([by] if by else []), "time"])


def _check_options(interval: str, level: float) -> None:
    refuse([] if interval in TRANSFORMS else [unknown("interval", interval, TRANSFORMS)])
    quantile(level)


def _note(group: pd.DataFrame, left: pd.Series, there: pd.Series) -> str:
    """Too few to tell: as everywhere in attrition, ten leavers; and somebody must still be there."""
    return TOO_FEW if group.loc[left, "n"].sum() < FEWEST or not there.any() else ""


def _survival(group: pd.DataFrame) -> Steps:
    curve = _survfunc(group)
    return curve.surv_times, np.r_[1.0, curve.surv_prob], np.r_[0.0, curve.surv_prob_se]


def _survfunc(group: pd.DataFrame) -> Any:
    from statsmodels.duration.survfunc import SurvfuncRight

    if np.isinf(group["entry"]).all():
        return survival_curve(*(group[name].to_numpy(float) for name in ("time", "event", "n")))
    rows = written_out(group)
    with np.errstate(divide="ignore", invalid="ignore"):  # the error is undefined where the last customers left
        return SurvfuncRight(*(rows[name].to_numpy() for name in ("time", "event", "entry")))


def _incidences(group: pd.DataFrame, causes: Sequence[object]) -> list[Steps]:
    from statsmodels.duration.survfunc import CumIncidenceRight

    rows = written_out(group)
    status = rows["event"].map({name: k for k, name in enumerate(causes, 1)}).fillna(0).to_numpy(int)
    if not status.any():
        return [(np.empty(0), np.zeros(1), np.zeros(1))] * len(causes)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = CumIncidenceRight(rows["time"].to_numpy(), status)
    shares = [*zip(found.cinc, found.cinc_se, strict=True)]
    # A cause of higher number than any in this group is not among them.
    shares += [(np.zeros(len(found.times)),) * 2] * (len(causes) - len(shares))
    return [(found.times, np.r_[0.0, share], np.r_[0.0, error]) for share, error in shares]


def _curve(
    group: pd.DataFrame, grid: np.ndarray, steps: Steps, interval: str, level: float, note: str
) -> list[dict[str, object]]:
    """Rows of one curve at the times of the grid."""
    place = np.searchsorted(steps[0], grid, side="right")
    share, error = steps[1][place], steps[2][place]
    lower, upper = _limits(share, error, quantile(level), interval)
    last, risk, rows = group["time"].max(), at_risk(group, grid), []
    emptied = _emptied(group, steps)
    for i, t in enumerate(grid):
        told = note or (f"beyond the last time observed, {last:g}" if t > last else "")
        told = told or (f"all who were at risk at {emptied:g} left; begin the count later" if t >= emptied else "")
        numbers = {"estimate": share[i], "std_error": error[i], "lower": lower[i], "upper": upper[i]}
        rows.append({"time": t, "n": risk[i], "note": told, **({} if told else numbers)})
    return rows


def _emptied(group: pd.DataFrame, steps: Steps) -> float:
    """With late entries: the time at which the curve fell to 0 although others entered after it (else infinity)."""
    if steps[1][0] == 0 or not (steps[1] == 0).any():
        return np.inf
    first = float(steps[0][np.argmax(steps[1] == 0) - 1])
    return first if group["time"].max() > first else np.inf


def _limits(share: np.ndarray, error: np.ndarray, z: float, interval: str) -> tuple[np.ndarray, np.ndarray]:
    """Limits of a share; not a number where it is 0 or 1, or has no error: an interval without width says nothing."""
    known = (share > 0) & (share < 1) & (error > 0)
    p, half = np.where(known, share, 0.5), np.where(known, z * error, np.nan)
    if interval == "plain":
        return np.maximum(p - half, 0.0), np.minimum(p + half, 1.0)
    if interval == "log":
        return p * np.exp(-half / p), np.minimum(p * np.exp(half / p), 1.0)
    power = np.exp(half / (p * -np.log(p)))
    return p**power, p ** (1 / power)


def _quantile(group: pd.DataFrame, share: float, interval: str, level: float) -> dict[str, object]:
    curve = _survfunc(group)
    with np.errstate(divide="ignore", invalid="ignore"):  # no transform exists where the curve is at 0 or 1
        limits = curve.quantile_ci(share, alpha=1 - level, method=TRANSFORMS[interval])
    lower, upper = (float(limit) if np.isfinite(limit) else np.nan for limit in limits)
    estimate = float(curve.quantile(share))
    note = "not reached within the data" if np.isnan(estimate) else ""
    return {"share": share, "estimate": estimate, "lower": lower, "upper": upper, "note": note}


def _chi_square(rows: pd.DataFrame, rho: float, entries: bool) -> float:
    from statsmodels.duration.survfunc import survdiff

    group = pd.factorize(rows["group"], sort=True)[0]
    late = rows["entry"].to_numpy() if entries else None
    weights = {"weight_type": "fh", "fh_p": rho} if rho else {}
    try:
        with np.errstate(divide="ignore", invalid="ignore"):  # log of a survival that has come to 0
            return float(survdiff(rows["time"].to_numpy(), rows["event"].to_numpy(), group, entry=late, **weights)[0])
    except np.linalg.LinAlgError:  # no two groups were ever at risk together
        return np.nan
