"""Figures from NPS to retention and money: who stays, by what path, who tells others, what an improvement brings."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from .curves import survival
from .forest import INK, OTHER, PALE, SERVICE, Row, forest_plot, plot, rows_of
from .telling import EVERYONE
from .wording import CLASSES, number

SCORES = {"nps_class": "NPS class", "recommend": "score, 0 to 10", "satisfaction": "CSAT", "effort": "CES"}


def retention_by_nps(curve: pd.DataFrame | None, *, ax: Axes | None = None) -> Axes | None:
    """Share still a customer by day since the answer, a curve for each class; `curve` is from `kaplan_meier`."""
    return survival(curve, failures=("promoter",), since="Days since the answer, or the invitation", ax=ax)


@plot
def still_there(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of each class still there, where a study has no days: one line a class."""
    own = result[result["measure"] == "retention"]
    rows = [Row(f"{CLASSES[one.nps_class]}, n = {one.n:,.0f}", one, SERVICE if one.nps_class == "promoter" else OTHER)
            for one in own[own["estimate"].notna()].itertuples(index=False)]  # fmt: skip
    return forest_plot(ax, rows, "Still customers, by NPS class", "Share of customers")


@plot
def score_comparison(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """What each score tells alone about who leaves and, hollow, how much more than the NPS class does."""
    rows: list[Row] = []
    for term in [term for term in result["term"].unique() if term != "all"]:
        name = SCORES.get(term, term)
        rows += [Row("alone", one, OTHER, heading=name, words=_decimal(one)) for one in rows_of(result, term, "alone")]
        rows += [Row("less the NPS class", one, OTHER, filled=False, words=_decimal(one))
                 for one in rows_of(result, term, "against")]  # fmt: skip
    return forest_plot(
        ax, rows, "Which score tells who leaves?", "Gain in predicting, log likelihood per 1,000 customers"
    )


@plot
def mediation(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """What a failure adds to the share who leave: in all, past what customers say, and through it; crude (hollow)."""
    rows = [Row("nothing adjusted for", one, PALE, filled=False, heading="total")
            for one in rows_of(result, "crude", "effect")]  # fmt: skip
    rows += [Row("confounders alike", one, INK) for one in rows_of(result, "total", "effect")]
    rows += [Row("past what customers say", one, SERVICE, heading="of this") for one in
             rows_of(result, "direct", "effect")]  # fmt: skip
    rows += [Row("through what customers say", one, OTHER) for one in rows_of(result, "indirect", "effect")]
    for term in [term for term in result["term"].unique() if term.startswith("through ")]:
        name = SCORES.get(term.removeprefix("through "), term.removeprefix("through "))
        rows += [Row(f"by {name} first", one, OTHER, filled=False) for one in rows_of(result, term, "effect")]
    return forest_plot(ax, rows, "From a failed contact to leaving", "Difference in the share who leave")


@plot
def word_of_mouth(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of each class that told others, of those who say and, hollow, with blanks counted as nobody told."""
    rows: list[Row] = []
    for name in [name for name in (*CLASSES, EVERYONE) if name in set(result["nps_class"])]:
        own = result[result["nps_class"] == name]
        said = rows_of(own[own["estimate"].notna()], "told", "share")
        colour = SERVICE if name == "promoter" else INK if name == EVERYONE else OTHER
        rows += [Row("of those who say", one, colour, heading=CLASSES.get(name, name)) for one in said]
        rows += [Row("a blank counted as nobody", one, PALE, filled=False)
                 for one in rows_of(own, "told", "blank_is_nobody") if said]  # fmt: skip
    return forest_plot(ax, rows, "Who tells others about us", "Share who told anybody")


@plot
def referrals(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Of the newcomers who came by a recommendation, whose it was."""
    own = result[result["measure"].eq("of_referred") & result["estimate"].notna()]
    rows = [Row(CLASSES[one.nps_class], one, SERVICE if one.nps_class == "promoter" else OTHER)
            for one in own.itertuples(index=False)]  # fmt: skip
    return forest_plot(ax, rows, "Whose word brings newcomers", "Share of newcomers by recommendation")


@plot
def return_on_investment(result: pd.DataFrame, *, months: int, ax: Axes | None = None) -> Axes:
    """Gain, cost and what is left; the naive gain hollow; `result` is from `text.beside`."""
    naive, own = (result[result["model"] == model] for model in ("naive", "adjusted"))
    rows = [Row("every departure after one", one, PALE, filled=False, heading="gain, fewer failures credited with")
            for one in rows_of(naive, "improvement", "gain")]  # fmt: skip
    rows += [Row("what goes with them alone", one, SERVICE) for one in rows_of(own, "improvement", "gain")]
    rows += [Row("cost", one, OTHER, heading="of the improvement") for one in rows_of(own, "improvement", "cost")]
    rows += [Row("net", one, INK) for one in rows_of(own, "improvement", "net")]
    unit = own.loc[own["measure"] == "net", "unit"].iloc[0]
    return forest_plot(ax, rows, f"What it brings in {months} months", f"{unit}, in money of today")


def _decimal(row: Any) -> str:
    """An estimate with its limits, each with a decimal: gains of one are large here."""
    estimate, lower, upper = (number(value, "", 1) for value in (row.estimate, row.lower, row.upper))
    return f"{estimate} ({lower} to {upper})"
