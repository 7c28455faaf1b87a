"""Figures of the journey: the map of stages and departments, scope, preventable contacts, channels, the closed loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .forest import INK, OTHER, PALE, RULE, SERVICE, Row, axes, colour_of, entitle, forest_plot, plot, rows_of
from .schema import ordered
from .wording import capital, estimate, number, percent, plain_name

LARGEST = 1_300.0  # square points of the largest circle
BAND = 0.8  # inches of a department
MOST = 9  # channels of a figure


@plot
def journey_map(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Stages across, departments down: circles as large as their share of interactions, and beside them the rating."""
    places = result[result["measure"].eq("interactions") & result["estimate"].notna()]
    rated = result[result["measure"].eq("rating") & result["estimate"].notna()]
    keys = ["stage", "department", "term"]
    rating = rated.set_index(keys)["estimate"].to_dict()
    stages, departments, ours = (
        [str(one) for one in ordered("stage", places["stage"].unique())],
        list(places["department"].unique()),
        ax is None,
    )
    ax = axes(ax, BAND * (len(departments) + 0.5) + 1.4)
    most, told = places["estimate"].max(), []
    for row in places.itertuples(index=False):
        x, y = stages.index(row.stage), -departments.index(row.department)
        colour = SERVICE if row.term == "service" else OTHER
        ax.scatter([x], [y], s=LARGEST * row.estimate / most, color=colour, alpha=0.35, linewidths=0, zorder=2)
        mean = rating.get((row.stage, row.department, row.term))
        words = percent(row.estimate) + (f"\n{number(mean, '', 1)}" if mean is not None else "")
        radius = np.sqrt(LARGEST * row.estimate / most / np.pi)
        ax.annotate(words, (x, y), (radius + 3, 0), textcoords="offset points", va="center", fontsize=11.5, color=INK,
                    linespacing=1.15)  # fmt: skip
        told.append(f"{capital(plain_name(row.department))}, {plain_name(row.stage)}: {percent(row.estimate)} of the "
                    f"interactions" + (f", rated {number(mean, '', 1)}" if mean is not None else ""))  # fmt: skip
    _grid(ax, stages, departments)
    entitle(ax, "Where the journey happens", "Share of interactions, below it the mean rating of five; service in blue",
            told or ["nothing is large enough to be shown"])  # fmt: skip
    if ours:
        ax.figure.draw_without_rendering()  # type: ignore[union-attr]
        ax.figure.set_layout_engine("none")  # type: ignore[union-attr]
    return ax


def _grid(ax: Axes, stages: list[str], departments: list[str]) -> None:
    """Names of stages above and below, names of departments in their own band: both have room on a phone."""
    ax.set(xlim=(-0.4, max(len(stages), 1) - 0.35), ylim=(-max(len(departments), 1) + 0.45, 0.95))
    ax.set_xticks(range(len(stages)), [capital(plain_name(name)) for name in stages])
    ax.tick_params(axis="x", labelcolor=INK, length=0)
    ax.grid(visible=False)
    for i, name in enumerate(stages):
        ax.annotate(capital(plain_name(name)), (i, 0.62), ha="center", va="bottom", fontsize=12)
    ax.axhline(0.55, color=RULE, lw=0.8, zorder=0)
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    for i, name in enumerate(departments):
        ax.annotate(capital(plain_name(name)), (0, -i + 0.5), (0, -3), xycoords=ax.get_yaxis_transform(), va="top",
                    textcoords="offset points", fontsize=12, weight="bold", bbox=ground, zorder=1)  # fmt: skip
        ax.axhline(-i - 0.5, color=RULE, lw=0.8, zorder=0)


@plot
def interaction_scope(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """How much of all interactions is service, how many customers meet it, how much of either the company starts."""
    rows = [Row("of all interactions", one, SERVICE, heading="service") for one in rows_of(result, "service", "share")]
    rows += [Row("of customers, who ever had any", one, SERVICE, False) for one in rows_of(result, "service", "reach")]
    heading = "started by the company"
    for term, name in (("service", "of service"), ("rest", "of all else")):
        for one in rows_of(result, term, "proactive"):
            rows.append(Row(name, one, colour_of(term), heading=heading))
            heading = ""
    return forest_plot(ax, rows, "How much is service, and who starts", "Share")


@plot
def preventable_contacts(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Contacts that would not have come: each customer with themselves, and, hollow, customers with each other."""
    names = (("preventable", "each customer with themselves", SERVICE, True),
             ("naive", "customers with each other", PALE, False))  # fmt: skip
    rows = [Row(name, one, colour, filled)
            for measure, name, colour, filled in names
            for one in result[result["measure"] == measure].itertuples(index=False)]  # fmt: skip
    return forest_plot(ax, rows, "Contacts that need not have been", "Share of service contacts")


@plot
def channel_shares(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Channels of service (filled) and of all else (hollow, on the same line), by their share of service."""
    rest = {row.channel: row for row in result[result["term"] == "rest"].itertuples(index=False)}
    own = result[result["term"].eq("service") & result["estimate"].notna()].head(MOST)
    rows = []
    for one in own.itertuples(index=False):
        beside = rest.get(one.channel)
        told = estimate(one, False) + (f", else {percent(beside.estimate)}" if beside is not None else "")
        rows.append(Row(one.channel, one, SERVICE, beside=beside, words=told))
    return forest_plot(ax, rows, "By which channels", "Share of service contacts; hollow: of all other interactions")


@plot
def channel_switches(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """How much lower later tickets are rated after a change of channel: among tickets alike, and plainly (hollow)."""
    return _contrast(
        ax, result, "switch", "Changing the channel within an issue", "Difference in the ticket's rating, points"
    )


@plot
def closed_loop(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Detractors followed up in time, and those no longer detractors when they next answer."""
    rows = [Row("followed up in time", one, SERVICE, heading="of all detractors")
            for one in rows_of(result, "follow_up", "within_target")]  # fmt: skip
    heading = "no longer detractors when they answer next"
    for measure, name, filled in (("followed", "of those followed up", True), ("not_followed", "of the others", False)):
        for one in rows_of(result, "coming_back", measure):
            rows.append(Row(name, one, OTHER, filled, heading))
            heading = ""
    return forest_plot(ax, rows, "The closed loop", "Share")


@plot
def coming_back(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """How much more often detractors come back after a follow-up: among answers alike, and plainly (hollow)."""
    return _contrast(ax, result, "coming_back", "Does following up bring them back?", "Difference in percentage points")


def _contrast(ax: Axes | None, result: pd.DataFrame, term: str, title: str, unit: str) -> Axes:
    """The difference among rows alike, and the plain one."""
    names = (("adjusted", "among those alike", SERVICE, True), ("naive", "plainly", PALE, False))
    rows = [Row(name, _in_points(one), colour, filled)
            for measure, name, colour, filled in names for one in rows_of(result, term, measure)]  # fmt: skip
    words = [_words(row.told) for row in rows]
    return forest_plot(ax, [row._replace(words=told) for row, told in zip(rows, words, strict=True)], title, unit)


def _in_points(row: Any) -> Any:
    """A difference of shares in percentage points; other rows as they are."""
    if row.unit != "share":
        return row
    return row._replace(**{name: 100 * getattr(row, name) for name in ("estimate", "lower", "upper")}, unit="points")


def _words(row: Any) -> str:
    if not np.isfinite(row.estimate):
        return estimate(row, False)
    wide = row.upper - row.lower >= 10
    told, low, high = (number(value, "", 0 if wide else 1) for value in (row.estimate, row.lower, row.upper))
    return f"{told} ({low} to {high})"
