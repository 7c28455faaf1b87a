"""Checks that travel with an attrition answer: what would overturn it, and what in the data speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from scipy import special

from . import design, logistic, removal
from .fitted import INTERACTIONS, REFIT, AttritionFit, chunks, refit, summarised, total
from .resample import percentile_interval
from .schema import results

LEAK = 0.5  # share of the outcome's entropy that one column explains: no honest cause comes near it
FEW_EVENTS = 10  # events per parameter (Peduzzi et al. 1996)
FEW_CUSTOMERS = 10
MOST_LEVELS = 20  # a number with more values is looked at in as many bands


def robustness(fit: AttritionFit, level: float = 0.95) -> pd.DataFrame:
    """What would overturn the attributable fractions, and what in the data speaks against them.

    Parameters
    ----------
    fit : AttritionFit
    level : confidence level, between 0 and 1

    Returns
    -------
    DataFrame in the result shape. Per cause: doubly_robust_fraction (unit "share"), risk_ratio among those with a
    failure, e_value and e_value_limit (unit "risk ratio"; the limit nearest 1), smallest_cell (unit "customers":
    fewest in any level of a confounder, with or without a failure). For the model: events_per_parameter. One row
    per alarm, its text in `note`: a column that almost decides the outcome (a leak), a cause whose removal would
    raise attrition, few customers or leavers behind an effect, interactions that had to be left out.

    Notes
    -----
    Doubly robust: right if either the risk among customers without a failure or the chance of a failure is
    modelled rightly; each has a logit of its own on the confounders and the other causes. Customers whose level
    is neither a failure nor a reference are not changed. E-value: how strongly an unmeasured confounder would
    have to be associated with both failure and leaving, as risk ratios, to explain the association away.

    Source
    ------
    Robins, Rotnitzky & Zhao 1994; Sjolander & Vansteelandt 2011; VanderWeele & Ding 2017.
    """
    rows = [row for j in range(len(fit.causes)) for row in _of_cause(fit, j, level)]
    events, parameters = total(fit.cells)[1].sum(), max(len(fit.terms) - 1, 1)
    events = min(events, total(fit.cells)[0].sum() - events)
    rows.append({"term": "model", "measure": "events_per_parameter", "estimate": events / parameters, "unit": "events"})
    rows += _alarms(fit, pd.DataFrame(rows), level)
    return results({"level": level, "n": fit.n, "method": fit.method, **row} for row in rows)


def interaction_check(fit: AttritionFit, level: float = 0.95) -> pd.DataFrame:
    """Average fractions under each choice of interactions, to see whether the answer depends on it.

    Returns
    -------
    DataFrame in the result shape with the first column `interactions` (the words of the model); a row whose
    estimate lies outside the fitted model's interval says so in its note.
    """
    own = _averages(fit, level)
    rows = []
    for choice, words in INTERACTIONS.items():
        part = own if choice == fit.interactions else _averages(refit(fit, interactions=choice), level)
        for i, row in enumerate(part.to_dict("records")):
            inside = own["lower"][i] <= row["estimate"] <= own["upper"][i]
            rows.append({"interactions": words, **row, "note": "" if inside else "the choice of interactions matters"})
    return results(rows, by=["interactions"])


def e_values(ratio: float, lower: float, upper: float) -> tuple[float, float]:
    """E-value of a risk ratio, and of the limit of its interval that is nearest 1 (1 where the interval holds 1).

    >>> tuple(round(x, 3) for x in e_values(3.9, 1.8, 8.7))
    (7.263, 3.0)
    """
    if np.isnan([ratio, lower, upper]).any():
        return _e_value(ratio), np.nan
    return _e_value(ratio), 1.0 if lower <= 1 <= upper else _e_value(lower if lower > 1 else upper)


def augmented_mean(
    n: np.ndarray, events: np.ndarray, arm: np.ndarray, outcome: np.ndarray, propensity: np.ndarray
) -> np.ndarray:
    """Mean outcome if everybody were in the arm, by augmented inverse probability weighting, (replicates,).

    Parameters
    ----------
    n, events : (replicates, cells), customers and the sum of their outcomes
    arm : (cells,), whether the cell is in the arm
    outcome, propensity : (replicates, cells), modelled outcome in the arm, and chance of being in it
    """
    residual = np.where(arm, (events - n * outcome) / np.maximum(propensity, 1e-12), 0.0)
    return (n * outcome + residual).sum(axis=1) / n.sum(axis=1)


def _e_value(ratio: float) -> float:
    ratio = 1 / ratio if 0 < ratio < 1 else ratio
    return float(ratio + np.sqrt(ratio * (ratio - 1)))


def _averages(fit: AttritionFit, level: float) -> pd.DataFrame:
    names = [(cause, "average_fraction") for cause in fit.causes]
    return summarised(fit, names, lambda fit, n, events, risks: removal.average_fractions(n, risks), level)


def _of_cause(fit: AttritionFit, j: int, level: float) -> Iterator[dict[str, object]]:
    cause = list(fit.causes)[j]
    among = partial(_risk_ratio, j=j)
    ratio = summarised(fit, [(cause, "risk_ratio")], among, level, unit="risk ratio")
    yield _doubly_robust(fit, j, level)
    yield ratio.iloc[0].to_dict()
    estimate, limit = e_values(*ratio.loc[0, ["estimate", "lower", "upper"]])
    yield {"term": cause, "measure": "e_value", "estimate": estimate, "unit": "risk ratio"}
    yield {"term": cause, "measure": "e_value_limit", "estimate": limit, "unit": "risk ratio"}
    yield {"term": cause, "measure": "smallest_cell", "estimate": _smallest_cell(fit, j), "unit": "customers"}


def _risk_ratio(fit, n, events, risks, j):
    """Mean risk of those with a failure over their mean risk with the cause at its reference."""
    among = n * fit.exposed[j]
    with_, without = ((among * risks[:, m]).sum(axis=1) for m in (0, 1 << j))
    return (with_ / np.where(without > 0, without, np.nan))[:, None]


def _doubly_robust(fit: AttritionFit, j: int, level: float) -> dict[str, object]:
    inside, x, arm = _arms(fit, j)
    starts = [logistic.fit(x, *counts)[0] for counts in _arm_counts(*total(fit.cells), inside, arm)]

    def fraction(n: np.ndarray, events: np.ndarray) -> np.ndarray:
        drawn = zip(_arm_counts(n, events, inside, arm), starts, strict=True)
        fits = (logistic.fit(x, trials, cases, start=start, tolerance=REFIT) for (trials, cases), start in drawn)
        outcome, propensity = (logistic.expit(beta @ x.T) for beta in fits)
        mean = augmented_mean(n[:, inside], events[:, inside], arm, outcome, propensity)
        # Customers outside the comparison keep their outcome; only the total of leavers needs them.
        left = events.sum(axis=1)
        return (events[:, inside].sum(axis=1) - mean * n[:, inside].sum(axis=1)) / np.where(left > 0, left, np.nan)

    drawn = [fraction(*counts) for counts in chunks(fit.drawn)]
    spread, lower, upper = percentile_interval(np.concatenate([np.empty(0), *drawn])[:, None], level)
    estimate = fraction(*total(fit.cells))[0]
    return {"term": list(fit.causes)[j], "measure": "doubly_robust_fraction", "estimate": estimate,
            "std_error": spread[0], "lower": lower[0], "upper": upper[0], "unit": "share",
            "method": f"AIPW, logits of the outcome and of having no failure; resampled by {fit.unit}"}  # fmt: skip


def _arms(fit: AttritionFit, j: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which cells are compared, their design without the cause's failures, and which of them have no failure.

    The levels that a failure is set to stay in the design, so that a failed contact is compared with a good one
    and not with none; cells that no failed customer could have been in are left out.
    """
    levels, cause = fit.cells.levels, list(fit.causes)[j]
    own = list(fit.causes[cause])
    without = design.removed(levels, fit.causes, [cause])
    profile = without.groupby(own, sort=False).ngroup().to_numpy()
    inside = np.isin(profile, profile[fit.exposed[j]])
    shown = without.loc[inside].reset_index(drop=True)
    others = [c for c in design.cause_columns(fit.causes) if c not in own]
    columns = [c for c in (*fit.adjust, *others, *own) if shown[c].nunique() > 1]
    x = design.matrix(shown, design.main_effects(shown, columns))
    n = total(fit.cells)[0][0, inside]
    return inside, x[:, design.estimable(x, n)], ~fit.exposed[j][inside]


def _arm_counts(n: np.ndarray, events: np.ndarray, inside: np.ndarray, arm: np.ndarray):  # type: ignore[no-untyped-def]
    """Counts of the two logits: the outcome in the arm, and being in the arm."""
    n, events = n[:, inside], events[:, inside]
    return (n * arm, events * arm), (n, n * arm)


def _smallest_cell(fit: AttritionFit, j: int) -> int:
    """Fewest customers in any level of a factor, among those with or among those without a failure."""
    levels, rows, has = fit.cells.levels, fit.cells.rows, fit.exposed[j]
    own = fit.causes[list(fit.causes)[j]]
    others = [c for c in (*fit.adjust, *design.cause_columns(fit.causes)) if c not in own]
    factors = [c for c in others if not design.is_number(levels[c])]
    counts = [rows[mask & (levels[c] == value).to_numpy()].sum()
              for c in factors for value in levels[c].unique() for mask in (has, ~has)]  # fmt: skip
    return int(min([*counts, rows[has].sum(), rows[~has].sum()]))


def _alarms(fit: AttritionFit, rows: pd.DataFrame, level: float) -> Iterator[dict[str, object]]:
    def alarm(term: str, estimate: float, note: str, unit: str = "share") -> dict[str, object]:
        return {"term": term, "measure": "alarm", "estimate": estimate, "unit": unit, "note": note}

    for column in (*fit.adjust, *design.cause_columns(fit.causes)):
        if (told := _told_by(fit, column)) > LEAK:
            yield alarm(column, told, f"'{column}' alone tells {told:.0%} of who leaves, more than any honest column "
                        "does: leave it out if it was recorded after they left")  # fmt: skip
    for row in _averages(fit, level).to_dict("records"):
        if row["upper"] < 0:
            yield alarm(row["term"], row["estimate"], f"customers with a failure of {row['term']} leave less often "
                        "than those without, the opposite of what the study declares: check how its levels are coded, "
                        "and whether they were recorded before anybody left")  # fmt: skip
    for row in rows[rows["measure"] == "smallest_cell"].to_dict("records"):
        if row["estimate"] < FEW_CUSTOMERS:
            yield alarm(row["term"], row["estimate"], f"in one level of a confounder fewer than {FEW_CUSTOMERS} "
                        f"customers had a failure of {row['term']}, or had none: there the model guesses",
                        "customers")  # fmt: skip
    events = rows.loc[rows["measure"] == "events_per_parameter", "estimate"].iloc[0]
    if events < FEW_EVENTS:
        yield alarm("model", events, f"only {events:.1f} leavers for each term of the model, fewer than "
                    f"{FEW_EVENTS}: expect wide and unsteady intervals", "events")  # fmt: skip
    for term in fit.dropped:
        yield alarm(
            design.spelled(term),
            np.nan,
            f"{design.spelled(term)} is left out of the model: too few customers or leavers have both",
            "log odds ratio",
        )


def _told_by(fit: AttritionFit, column: str) -> float:
    """Share of the outcome's entropy that one column alone explains (McFadden's R² of the column as a factor)."""
    values, (n, events) = fit.cells.levels[column], (part[0] for part in total(fit.cells))
    if design.is_number(values) and values.nunique() > MOST_LEVELS:
        order = np.argsort(values.to_numpy(), kind="stable")
        rank = np.empty(len(values))
        rank[order] = np.cumsum(n[order]) / n.sum()
        values = pd.Series(np.ceil(pd.Series(rank).groupby(values.to_numpy()).transform("max") * MOST_LEVELS))
    table = pd.DataFrame({"n": n, "events": events}).groupby(values.to_numpy()).sum()
    whole = _entropy(table.sum()["n"], table.sum()["events"])
    return float(1 - _entropy(table["n"], table["events"]).sum() / whole) if whole > 0 else 0.0


def _entropy(n, events):
    return special.entr(events / n) * n + special.entr(1 - events / n) * n
