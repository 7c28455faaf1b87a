"""Figures of what moves a score: both scales, touchpoints not met, service gaps, what-ifs, checks of the model."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .forest import INK, OTHER, PALE, SERVICE, Line, Row, colour_of, forest_plot, plot, rows_of
from .gaps import GAP, REVERSE
from .unmet import DROPPED, EVERYONE, MET
from .wording import number, visible

MOST = 5  # touchpoints of which is told what was rated low


@plot
def both_scales(result: pd.DataFrame, *, promoter: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """Share of each group on the score and, hollow, on being a promoter or not; the largest first."""
    other, rows = None if promoter is None else visible(promoter), []
    for one in _shares(result).itertuples(index=False):
        rows.append(
            Row("on the score", one, colour_of(one.term), heading=one.term + (" (maybe noise)" * bool(one.note)))
        )
        if other is not None:
            rows += [Row("on being a promoter", two, colour_of(one.term), filled=False)
                     for two in rows_of(other, one.term, "share")]  # fmt: skip
    return forest_plot(ax, rows, "The score, and being a promoter", "Share of what is explained")


@plot
def not_met_comparison(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of touchpoints over everyone, among those who met them, and with incomplete answers dropped (hollow)."""
    shares = result[result["measure"].eq("share") & result["estimate"].notna()]
    names = {EVERYONE: "everyone", MET: "those who met it", DROPPED: "no gaps at all"}
    rows = []
    for term in shares["term"].unique():
        group, _, driver = term.partition("/")
        own = shares[shares["term"] == term].set_index("rows")
        for kind, name in names.items():
            if kind in own.index:
                colour = colour_of(group) if kind == EVERYONE else PALE
                heading = driver or group if kind == EVERYONE else ""
                told = next(own.loc[[kind]].itertuples(index=False))
                rows.append(Row(f"{name}, n = {number(told.n)}", told, colour, kind == EVERYONE, heading))
    return forest_plot(ax, rows, "Everyone, and those who met it", "Share of what is explained")


@plot
def service_gap(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Excellent service in a poor experience, and the reverse case."""
    rows = [
        Row(name + f", n = {number(one.n)}" * bool(one.n > 0), one, colour, heading=heading)
        for term, measure, name, heading, colour in (
            (GAP, "of_excellent", "a poor experience", "of those with excellent service", SERVICE),
            (REVERSE, "of_poor", "promoters all the same", "of those with poor service", OTHER),
        )
        for one in rows_of(result, term, measure)
    ]
    return forest_plot(ax, rows, "Service is not the experience", "Share of customers")


@plot
def rated_low(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes | None:
    """What those with excellent service and a poor experience rated low, beside the others with excellent service.

    None where too few had both.
    """
    apart = result[result["measure"].eq("difference") & result["estimate"].notna()]
    rows = []
    for term in apart.sort_values("estimate", ascending=False, kind="stable")["term"][:MOST]:
        rows += [Row("poor experience", one, INK, heading=term) for one in rows_of(result, term, "low_in_gap")]
        rows += [Row("the others", one, PALE, filled=False) for one in rows_of(result, term, "low_in_rest")]
    return forest_plot(ax, rows, "Excellent service, and rated low", "Share of those who rated it") if rows else None


@plot
def satisfaction_overlap(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The satisfied and the promoters: where the two agree, and where they do not (hollow)."""
    agree = ("satisfied, promoter", "neither")
    rows = [Row(one.term, one, OTHER, one.term in agree)
            for one in result[result["measure"] == "overlap"].itertuples(index=False)]  # fmt: skip
    return forest_plot(ax, rows, "Satisfied is not a promoter", "Share of answers")


@plot
def attrition_prediction(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """What each score tells about who leaves: alone and, hollow, beyond the others."""
    rows: list[Row] = []
    for term in result["term"].unique():
        alone = rows_of(result, term, "alone")
        name = "all scores together" if term == "all" else "alone"
        rows += [
            Row(name, one, INK if term == "all" else OTHER, heading="" if term == "all" else term) for one in alone
        ]
        rows += [Row("beyond the others", one, OTHER, filled=False) for one in rows_of(result, term, "added")]
    return forest_plot(
        ax, rows, "Do the scores tell who leaves?", "Gain in predicting, log likelihood per 1,000 customers"
    )


@plot
def nps_what_if(result: pd.DataFrame, *, step: int, service: Collection[str] = (), ax: Axes | None = None) -> Axes:
    """NPS points that go with lifting the low ratings of each touchpoint, and of all of them."""
    changes = result[result["measure"].eq("change") & result["term"].ne("joint")]
    changes = changes.sort_values("estimate", ascending=False, kind="stable")
    rows = [Row(one.term, one, SERVICE if one.term in service else OTHER) for one in changes.itertuples(index=False)]
    rows += [Row("all of them together", one, INK) for one in rows_of(result, "joint", "change")] * (len(rows) > 1)
    better = "one point" if step == 1 else f"{number(step)} points"
    return forest_plot(ax, rows, f"If low ratings were {better} better", "Change of the NPS in points")


@plot
def ordinal_check(result: pd.DataFrame, *, service: Collection[str] = (), ax: Axes | None = None) -> Axes:
    """Odds of a better class of the score for one point of rating; names say which act differently on both ends."""
    tested = result[result["measure"] == "proportional_odds"].set_index("term")["note"]
    own = result[result["measure"].eq("coefficient") & ~result["term"].isin(_met_columns(result))]
    odds = own.assign(**{end: np.exp(own[end]) for end in ("estimate", "lower", "upper")}, unit="odds ratio")
    rows = [
        Row(one.term + (" (differs)" if tested.get(one.term) else ""), one, SERVICE if one.term in service else OTHER)
        for one in odds.sort_values("estimate", ascending=False, kind="stable").itertuples(index=False)
    ]
    title = "The score as three ordered classes"
    return forest_plot(ax, rows, title, "Odds ratio, one point of rating", [Line(1.0, "no effect", INK)])


@plot
def operational_measures(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """How what was measured in operation goes with what people say, for each measure."""
    rows: list[Row] = []
    for measure in result["operational"].unique():
        found = result[result["operational"].eq(measure) & result["estimate"].notna()].itertuples(index=False)
        rows += [Row(one.term, one, OTHER, heading="" if i else measure) for i, one in enumerate(found)]
    return forest_plot(ax, rows, "What happened, and what people say", "Correlation")


@plot
def penalty_reward(result: pd.DataFrame, *, service: Collection[str] = (), ax: Axes | None = None) -> Axes:
    """What low ratings cost (hollow) and high ones gain, a line a driver; in figures how much more low ones cost."""
    wide = result.pivot(index="term", columns="measure", values="estimate").drop(index="model", errors="ignore")
    order = (wide["reward"] - wide["penalty"]).dropna().sort_values(ascending=False).index
    rows = []
    for term in order:
        [low], [high], [apart] = (rows_of(result, term, name) for name in ("penalty", "reward", "asymmetry"))
        ends = " to ".join(number(end, "", 2) for end in (apart.lower, apart.upper))
        rows.append(Row(term, high, SERVICE if term in service else OTHER, beside=low,
                        words=f"{number(apart.estimate, '', 2)} ({ends})"))  # fmt: skip
    unit = "Points of the score: low ratings hollow, high ones filled; in figures by how much the low ones cost more"
    return forest_plot(ax, rows, "Low ratings cost, high ones gain", unit)


def _shares(result: pd.DataFrame) -> Any:
    """Shares of groups, the largest first."""
    own = result[result["measure"].eq("share") & ~result["term"].str.contains("/", regex=False)]
    return own.sort_values("estimate", ascending=False, kind="stable")


def _met_columns(result: pd.DataFrame) -> list[str]:
    """Terms about having met a touchpoint at all, beside those about its rating."""
    names = set(result["term"])
    return [name for name in names if name.endswith(" met") and name.removesuffix(" met") in names]
