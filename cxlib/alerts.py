"""Alerts of a plan: answers beyond a threshold, and changes since the run before that chance does not explain."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import CxError, shortened, unknown

FIELDS = ("estimate", "lower", "upper", "n", "change")
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
# Names may hold dots and signs ("price > service.of_any"): the last field before the last sign counts.
WORDS = re.compile(r"(?P<name>.+)\.(?P<field>[a-z_]+)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>[-+]?[\d.]+(?:e[-+]?\d+)?)")
BEYOND = 1.96  # joint standard errors
FALSE_ALARMS = 0.05  # share of the alerts on changes that may be chance


@dataclass(frozen=True)
class Alert:
    """`name.field sign limit`, such as "nps.change < 0"; the limit in the answer's own unit (a share is a fraction)."""

    text: str
    name: str
    field: str
    sign: str
    limit: float


@dataclass(frozen=True)
class Told:
    """What one report answered, now and in the run before; `fresh` is false where it was taken over unchanged."""

    report: str
    alerts: Sequence[Alert]
    answers: Sequence[Mapping[str, Any]]
    before: Sequence[Mapping[str, Any]]
    fresh: bool = True


def parse_alert(text: str) -> Alert:
    """An alert as a plan writes it.

    >>> parse_alert("service.average_fraction.lower > 0.3").field
    'lower'
    """
    found = WORDS.fullmatch(text.strip())
    try:
        limit = float(found["limit"]) if found else math.nan
    except ValueError:
        limit = math.nan
    if found is None or math.isnan(limit):
        raise CxError(
            f"an alert must read `name.field < number` (or <=, >, >=), like 'nps.change < 0', not '{shortened(text)}'"
        )
    if found["field"] not in FIELDS:
        raise CxError(unknown("field", found["field"], FIELDS, f"alert '{shortened(text)}'"))
    return Alert(text.strip(), found["name"].strip(), found["field"], found["sign"], limit)


def find_alerts(reports: Iterable[Told]) -> list[dict]:
    """Every alert of a run, judged.

    Parameters
    ----------
    reports : what each report answered, now and before.

    Returns
    -------
    One dict an alert and answer: report, alert, by, value (None where there is none), state. States: "fired"; "quiet";
    "unknown" (no answer of that name); "hidden" (the group is too small); "first" (nothing to compare with).

    Notes
    -----
    A change fires beyond 1.96 joint standard errors, sqrt(se² + se²), and if it stays after Benjamini and Hochberg's
    correction over all changes the run looked at, at 5 %. Both estimates count as independent: where their periods
    overlap the rule is too careful, never too eager. A report taken over unchanged holds no new evidence and no change.
    """
    found: list[dict] = []
    for told in reports:
        for alert in told.alerts:
            rows = [row for row in told.answers if row["name"] == alert.name]
            # What is told for groups too is watched as a whole: `by` of a plan watches each group in its own report.
            rows = [row for row in rows if not row["by"]] or rows
            found += [_judged(told, alert, row) for row in rows] or [_unknown(told, alert)]
    _correct([one for one in found if one["p"] is not None])
    return [{key: value for key, value in one.items() if key != "p"} for one in found]


def change_since(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """Difference of two answers and its standard error; None where either lacks one."""
    if before is None:
        return None
    values = [row[key] for row in (now, before) for key in ("estimate", "std_error")]
    if any(value is None or not math.isfinite(value) for value in values):
        return None
    return values[0] - values[2], math.hypot(values[1], values[3])


def same_answer(row: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The answer of the same name and group among others."""
    return next((other for other in others if (other["name"], other["by"]) == (row["name"], row["by"])), None)


def is_clear(change: float, error: float) -> bool:
    """Beyond 1.96 joint standard errors."""
    return error > 0 and abs(change) > BEYOND * error


def _judged(told: Told, alert: Alert, row: Mapping[str, Any]) -> dict:
    record = {"report": told.report, "alert": alert.text, "by": row["by"], "value": None, "state": "quiet", "p": None}
    if row["estimate"] is None:
        return record | {"state": "hidden"}
    if alert.field != "change":
        value = row[alert.field]
        fires = value is not None and COMPARE[alert.sign](value, alert.limit)
        return record | {"value": value, "state": "fired" if fires else "quiet"}
    if (moved := change_since(row, same_answer(row, told.before))) is None:
        return record | {"state": "first"}
    change, error = moved
    if not told.fresh or not error:
        return record | {"value": change}
    fires = COMPARE[alert.sign](change, alert.limit) and is_clear(change, error)
    # Two-sided normal tail.
    p = math.erfc(abs(change) / error / math.sqrt(2))
    return record | {"value": change, "state": "fired" if fires else "quiet", "p": p}


def _unknown(told: Told, alert: Alert) -> dict:
    record: dict = {"report": told.report, "alert": alert.text, "by": {}, "value": None, "state": "unknown", "p": None}
    names = dict.fromkeys(row["name"] for row in told.answers)
    return record | {"note": unknown("answer", alert.name, names, told.report)}


def _correct(changes: list[dict]) -> None:
    """Silence the changes that so many looks would bring by chance; two alerts on one answer are one look."""
    if not changes:
        return
    from statsmodels.stats.multitest import multipletests

    looks = {(one["report"], one["alert"].rpartition(".change")[0], str(one["by"])): one["p"] for one in changes}
    stays = dict(zip(looks, multipletests(list(looks.values()), alpha=FALSE_ALARMS, method="fdr_bh")[0], strict=True))
    for one in changes:
        if not stays[one["report"], one["alert"].rpartition(".change")[0], str(one["by"])]:
            one["state"] = "quiet"
