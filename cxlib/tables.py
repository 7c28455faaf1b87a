"""Results as report tables: numbers in words people read, small groups hidden; None in and None out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from great_tables import GT
from statsmodels.stats.proportion import proportion_confint

from . import engine
from .engine import NUMBER, View
from .fitted import AttritionFit
from .layout import laid_out, steps_told
from .moments import cross_products
from .schema import ordered, results
from .scores import counted
from .study import Study, study_answers, study_frame
from .study_file import ExperiencePart
from .wording import (
    count_of,
    digits,
    estimate,
    interval,
    number,
    only_visible,
    people,
    percent,
    plain_name,
    smallest_group,
    visible,
)

# What measures, models and choices are called in the rows of a table.
MEASURES = {
    "fraction": "removed alone",
    "average_fraction": "on average",
    "last": "removed last",
    "lowest_order": "lowest by order",
    "highest_order": "highest by order",
    "lower_bound": "at least",
    "upper_bound": "at most",
    "doubly_robust_fraction": "doubly robust",
    "risk_ratio": "risk ratio",
    "e_value": "E-value",
    "e_value_limit": "E-value of the limit",
    "smallest_cell": "smallest cell",
    "events_per_parameter": "leavers per term",
    "r_squared": "R²",
    "main effects": "none",
    "main effects and cause-by-cause terms": "cause by cause",
    "main effects, cause-by-cause and cause-by-confounder terms": "by confounder too",
    "naive": "as answered",
    "adjusted": "by the study's design",
}
TERMS = {"joint": "all of them", "model": "whole model", "nps": "NPS"}


def table(result: pd.DataFrame | None, title: str, down: str = "measure", note: str = "") -> GT | None:
    """Any result as a table: a row for each value of `down`, a column for each term, estimates with their intervals.

    Parameters
    ----------
    result : result table; alarms, which are no estimates, are left out
    title : what it shows
    down : "measure" or one of the groups, told in rows; the other must have one value
    note : a line below the table
    """
    if not isinstance(result, pd.DataFrame):
        return None
    shown = visible(result[result["measure"] != "alarm"])
    cells = shown.assign(
        down=[MEASURES.get(value, plain_name(value)) for value in shown[down]],
        term=[TERMS.get(value, plain_name(value)) for value in shown["term"]],
        told=[_unbroken(_told(row)) for row in shown.itertuples(index=False)],
    )
    wide = cells.pivot(index="down", columns="term", values="told").reindex(
        index=cells["down"].unique(), columns=cells["term"].unique()
    )
    sizes = cells.groupby("down", sort=False)["n"].first()
    if len(wide) > 1 and sizes.nunique() > 1:
        wide.insert(0, "n", sizes.map(number))
    wide = wide.fillna("").reset_index().rename(columns={"down": "" if down == "measure" else plain_name(down)})
    levels = shown["level"].dropna().unique()
    brackets = (
        f"In brackets: {percent(levels[0])} intervals." if len(levels) == 1 and shown["lower"].notna().any() else ""
    )
    return laid_out(wide, title, " ".join(filter(None, (brackets, note))))


def _told(row: Any) -> str:
    """An estimate with its interval; a number of people too small to be shown as such."""
    if row.measure == "smallest_cell":
        return count_of(row)
    return estimate(row, first=False)


def rows_kept(study: Study, part: str, as_of: str = "", only_column: str = "", only_value: str = "") -> GT | None:
    """How many rows a part of a study ("attrition" or "experience") starts from and keeps, and why not the others."""
    if getattr(study, part) is None:
        return None
    steps = list(_attrition_steps(study, as_of) if part == "attrition" else _experience_steps(study, as_of))
    if only_column:
        get = study_frame if part == "attrition" else study_answers
        steps.append(
            (
                f"{plain_name(only_column)} is {only_value}",
                engine.rows(get(study, as_of, only_column, only_value)),
                "another group",
            )
        )
    return laid_out(steps_told(steps), f"From the data to the {part} analysis")


def base_rates(fit: AttritionFit | None, level: float = 0.95) -> GT | None:
    """Share of customers who left, by the levels of every cause, nothing adjusted for (Wilson intervals)."""
    if fit is None:
        return None
    parts = []
    for cause, columns in fit.causes.items():
        for column in columns:
            parts.append(visible(_rates(fit, column, level)).assign(cause=cause, column=column))
    whole = pd.concat(parts)
    table = pd.DataFrame({
        "cause": whole["cause"],
        "": whole["column"].map(plain_name) + ": " + whole["band"].map(plain_name),
        "customers": whole["n"].map(number),
        "left": [number(row.estimate, "share", digits(row)) for row in whole.itertuples()],
        f"{percent(level)} interval": [_unbroken(interval(row)) if row.n > 0 else "" for row in whole.itertuples()],
        "note": whole["note"],
    })  # fmt: skip
    shown = table if whole["note"].any() else table.drop(columns="note")
    return laid_out(shown, "Customers who left, nothing adjusted for")


def driver_table(
    frame: View | None,
    part: ExperiencePart | None,
    importance: pd.DataFrame | None,
    johnson: pd.DataFrame | None = None,
) -> GT | None:
    """Each number driver: how many met it, its mean, its correlation with the score, and its share beside that.

    With `johnson`, importance by that method, also the share that other vendors' reports would give.
    """
    if frame is None or part is None or importance is None:
        return None
    importance, johnson = only_visible(importance), only_visible(johnson)
    drivers = [driver for driver in part.drivers if frame.kind[driver] == NUMBER]
    rows = []
    for driver, (n, mean, correlation) in zip(drivers, _alone(frame, drivers, part), strict=True):
        few, own = n < smallest_group(), _share_of(importance, driver)
        told = {
            "order": -correlation,
            "driver": plain_name(driver),
            "answers": people(n),
            "mean": "" if few else number(mean, "", 2),
            "correlation": "" if few else number(correlation, "", 2),
            "share": " ".join(_unbroken(estimate(row, first=False)) for row in own.itertuples()),
        }
        if johnson is not None:
            told["Johnson"] = " ".join(percent(row.estimate) for row in _share_of(johnson, driver).itertuples())
        rows.append(told | {"note": " ".join(own["note"])})
    if not rows:
        return None
    shown = pd.DataFrame(rows).sort_values("order", kind="stable").drop(columns="order")
    shown = shown if shown["note"].any() else shown.drop(columns="note")
    return laid_out(shown, "Each driver alone (correlation) and beside the others (share)")


def _share_of(importance: pd.DataFrame, driver: str) -> pd.DataFrame:
    """The row of a driver's share, alone or within its group."""
    shares = importance[importance["measure"] == "share"]
    return shares[shares["term"].eq(driver) | shares["term"].str.endswith(f"/{driver}")].tail(1)


def _alone(frame: View, drivers: list[str], part: ExperiencePart) -> list[tuple[int, float, float]]:
    """Answers with each driver and the score, its mean, and the correlation of the two, weighted like the study."""
    y = frame[part.score].cast(nw.Float64)
    terms = {"y": y, "yy": y * y}
    for i, x in enumerate(frame[driver].cast(nw.Float64) for driver in drivers):
        terms |= {f"there {i}": ~x.is_null(), f"value {i}": x.fill_null(0.0)}
    scored = ~frame[part.score].is_null()
    products = cross_products(frame, terms, None, part.weights, scored, units=False).products.sum(axis=0)
    met = ((scored & ~frame[driver].is_null()).cast(nw.Float64).sum() for driver in drivers)
    counts = engine.collect(frame.frame.select(count.alias(f"n{i}") for i, count in enumerate(met))).iloc[0]
    counts = counts.fillna(0).astype(int)
    return [(n, *_moments(products, 3 + 2 * i)) for i, n in enumerate(counts)]


def _moments(products: np.ndarray, there: int) -> tuple[float, float]:
    """Mean of a driver and its correlation with the score: columns are 1, score, score², and there, value of each."""
    value, n = there + 1, products[0, there]
    if not n > 0:
        return math.nan, math.nan
    x, y = products[0, value] / n, products[1, there] / n
    xx, yy, xy = (products[a, b] / n for a, b in ((value, value), (2, there), (1, value)))
    spread = (xx - x * x) * (yy - y * y)
    return float(x), float((xy - x * y) / math.sqrt(spread)) if spread > 1e-12 else math.nan


def score_counts(frame: View | None, part: ExperiencePart | None) -> pd.Series | None:
    """Answers at each point of the scale, weighted where the study has weights; None where there are too few."""
    if frame is None or part is None:
        return None
    found = counted(frame, part.score, [], {"weights": part.weights}).dropna(subset="score")
    if found["rows"].sum() < smallest_group():
        return None
    return found.groupby("score")["weight"].sum()


def _rates(fit: AttritionFit, column: str, level: float) -> pd.DataFrame:
    cells = fit.cells
    counts = pd.DataFrame({"n": cells.n.sum(axis=0), "events": cells.events.sum(axis=0), "rows": cells.rows})
    counts = counts.groupby(cells.levels[column].to_numpy()).sum()
    rows = []
    for value in ordered(column, counts.index):
        n, events, people = counts.loc[value]
        # With weights the counts are no binomial counts, and the model's own intervals are the ones to read.
        ends = (float("nan"),) * 2 if cells.weighted else proportion_confint(events, n, 1 - level, method="wilson")
        row = {"band": str(value), "term": "all", "measure": "attrition_rate", "unit": "share", "level": level}
        rows.append(row | {"estimate": events / n, "lower": ends[0], "upper": ends[1], "n": people})
    return results(rows, by=["band"])


def _attrition_steps(study: Study, as_of: str) -> Iterable[tuple[str, int, str]]:
    if study.tables is not None:
        yield "customers in the data", engine.rows(study.tables.need("customers")), ""
        yield "at risk on the day", engine.rows(study_frame(study, as_of)), "not signed up yet, or gone before"
    else:
        yield "rows of the study's frame", engine.rows(study_frame(study)), ""


def _experience_steps(study: Study, as_of: str) -> Iterable[tuple[str, int, str]]:
    answers = study_answers(study, as_of)
    if study.tables is not None and study.tables.surveys is not None:
        yield "surveys sent", engine.rows(study.tables.surveys), ""
        yield "answered", engine.rows(answers), "no answer, or one after the period"
    else:
        yield "rows of the study's frame", engine.rows(answers), ""
    scored = engine.collect(answers.frame.select(answers[study.experience.score].count().alias("n")))  # type: ignore[union-attr]
    yield "with a score", int(scored["n"][0]), "the question was not answered"


def _unbroken(told: str) -> str:
    return told.replace(" ", "\N{NO-BREAK SPACE}")
