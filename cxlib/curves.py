"""Figures of what follows from an attrition answer: a part of the failures gone, segments, time, stated reasons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from .forest import INK, OTHER, SERVICE, Line, Row, axes, colour_of, entitle, forest_plot, plot, rows_of
from .wording import capital, estimate, groups_of, number, percent, plain_name

LINES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)))  # told apart without colour too
SINCE = "Days since the customers were looked at"
TICKS = 4  # of a survival curve, each with its number at risk


@plot
def what_if(result: pd.DataFrame, *, reduction: float, ax: Axes | None = None) -> Axes:
    """Share of attrition that would go with a part of the failures, of each cause and of all."""
    names = {one.term: "all of them together" if one.term == "joint" else one.term for one in result.itertuples()}
    rows = [
        Row(names[one.term], one, INK if one.term == "joint" else colour_of(one.term))
        for one in result.itertuples(index=False)
    ]
    return forest_plot(ax, rows, f"If {percent(reduction)} of the failures were gone", "Share of departures")


@plot
def segments(
    result: pd.DataFrame, *, pooled: pd.DataFrame, measure: str = "average_fraction", ax: Axes | None = None
) -> Axes:
    """What goes with each cause in each group and, hollow, in all; `pooled` is the result without groups."""
    by, rows = groups_of(result)[0], []
    for term in [term for term in result["term"].unique() if term != "joint"]:
        rows += [Row("everyone", one, colour_of(term), filled=False, heading=term)
                 for one in rows_of(pooled, term, measure)]  # fmt: skip
        rows += [
            Row(str(getattr(one, by)) + (" (differs)" if one.note.startswith("differs") else ""), one, colour_of(term))
            for one in _named(result, term, measure)
        ]
    return forest_plot(ax, rows, f"Attrition with each cause, by {plain_name(by)}", "Share of departures")


@plot
def hazard_ratios(result: pd.DataFrame, *, columns: Collection[str], ax: Axes | None = None) -> Axes:
    """Hazard ratios of the levels of some columns, beside the ratio of no difference."""
    ratios = result[result["measure"].eq("hazard_ratio") & result["term"].str.split(" = ").str[0].isin(list(columns))]
    rows = [Row(one.term.replace(" = ", ": "), one, OTHER) for one in ratios.itertuples(index=False)]
    return forest_plot(ax, rows, "How much faster customers leave", "Hazard ratio", [Line(1.0, "no difference", INK)])


@plot
def reason_shares(result: pd.DataFrame, *, a: str = "price", b: str = "service", ax: Axes | None = None) -> Axes:
    """The two figures of the press under each coding rule: reasons that name b; and a, of those that name either."""
    rows: list[Row] = []
    for heading, term, measure, colour in (
        (f"reasons that name {b}", b, "share", colour_of(b)),
        (f"{a}, of reasons that name {a} or {b}", f"{a} / ({a} + {b})", "share_of_pair", colour_of(a)),
    ):
        found = rows_of(result, term, measure)
        rows += [Row(one.rule, one, colour, heading="" if i else heading) for i, one in enumerate(found)]
    if not rows:
        found = result[result["measure"].eq("share")].itertuples(index=False)
        rows = [Row(one.term, one, colour_of(one.term)) for one in found]
    return forest_plot(ax, rows, "What leavers say, by the rule that codes it", "Share of stated reasons")


@plot
def survival(
    result: pd.DataFrame, *, failures: Collection[str] = (), since: str = SINCE, ax: Axes | None = None
) -> Axes:
    """Share still a customer by day, a curve for each level, with the number at risk; the levels in `failures` blue."""
    by = next(name for name in groups_of(result) if name != "time")
    shown = result[result["estimate"].notna()]
    levels = list(shown[by].unique())
    others = [level for level in levels if level not in failures]
    looks = {level: (OTHER, LINES[1 + others.index(level) % 3]) if level in others else (SERVICE, LINES[0])
             for level in levels}  # fmt: skip
    ax, last = axes(ax, 3.8 + 0.32 * len(levels)), float(result["time"].max())
    for level, (colour, dashes) in looks.items():
        one = shown[shown[by] == level]
        ax.step(one["time"], one["estimate"], where="post", color=colour, lw=2.2, ls=dashes)
        ax.fill_between(one["time"], one["lower"], one["upper"], step="post", color=colour, alpha=0.15, lw=0)
    low = float(np.nanmin([0.98, *shown["lower"], *shown["estimate"]]))
    ax.set(xlim=(0, 1.42 * last), ylim=(np.floor(10 * low) / 10, 1.0), xlabel=since)
    ends = {level: shown[shown[by] == level].iloc[-1] for level in levels}
    _label_ends(ax, last, {f"{plain_name(level)} {number(end.estimate, end.unit)}": (end.estimate, looks[level][0])
                           for level, end in ends.items()})  # fmt: skip
    _at_risk(ax, result, by, np.unique(np.round(np.linspace(0, last, TICKS))), looks)
    told = [f"{plain_name(level)} {estimate(end, not i)} after {number(end.time)} days, {number(end.n)} at risk"
            for i, (level, end) in enumerate(ends.items())]  # fmt: skip
    shared = [f"{percent(level)} intervals" for level in result["level"].dropna().unique()]
    entitle(ax, f"Still customers, by {plain_name(by)}", ", ".join(["Share of customers", *shared]), told)
    return ax


@plot
def fraction_by_horizon(result: pd.DataFrame, *, measure: str = "average_fraction", ax: Axes | None = None) -> Axes:
    """What goes with each cause, of the attrition within each horizon."""
    shown = result[result["measure"].eq(measure) & result["estimate"].notna()]
    ax, causes, labels = axes(ax, 4.2), list(shown["term"].unique()), {}
    told: list[str] = []
    days = np.sort(shown["horizon_days"].unique())
    for i, cause in enumerate(causes):
        one, colour = shown[shown["term"] == cause], colour_of(cause)
        # Side by side, so that no interval hides another.
        x = one["horizon_days"] + 0.012 * days.max() * (i - (len(causes) - 1) / 2)
        ax.vlines(x, one["lower"], one["upper"], color=colour, lw=3.5, alpha=0.55)
        ax.plot(x, one["estimate"], "o", ls=LINES[i % len(LINES)], color=colour, lw=1.4, ms=8)
        labels[f"{plain_name(cause)} {number(one['estimate'].iloc[-1], 'share')}"] = (one["estimate"].iloc[-1], colour)
        told += [f"{plain_name(cause)} within {number(row.horizon_days)} days {estimate(row, not told)}"
                 for row in one.itertuples()]  # fmt: skip
    low, high = float(np.nanmin([0, *shown["lower"]])), float(np.nanmax([0.01, *shown["upper"]]))
    ax.set(xlim=(0, 1.42 * days.max()), ylim=(low, 1.05 * high), xticks=days, xlabel=SINCE)
    _label_ends(ax, float(days.max()), labels)
    shared = [f"{percent(level)} intervals" for level in shown["level"].dropna().unique()]
    entitle(ax, "What goes with each cause, by horizon", ", ".join(["Share of departures", *shared]), told)
    return ax


def _named(result: pd.DataFrame, term: str, measure: str) -> Sequence[Any]:
    return rows_of(result[result["estimate"].notna()], term, measure)


def _label_ends(ax: Axes, last: float, ends: dict[str, tuple[float, str]]) -> None:
    """Names at the right ends of curves, moved apart where they would touch; and shares on the left axis."""
    low, high = ax.get_ylim()
    step, above = 0.085 * (high - low), -np.inf
    for words, (y, colour) in sorted(ends.items(), key=lambda end: end[1][0]):
        above = max(y, above + step)
        ax.annotate(capital(words), (last, above), (8, 0), textcoords="offset points", va="center", color=colour,
                    weight="bold", fontsize=12)  # fmt: skip
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, "share")))
    ax.tick_params(axis="y", labelleft=True, labelcolor=OTHER, labelsize=12, length=0)
    ax.grid(visible=False, axis="x")
    ax.grid(visible=True, axis="y")


def _at_risk(ax: Axes, result: pd.DataFrame, by: str, ticks: np.ndarray, looks: dict[Any, tuple[str, Any]]) -> None:
    """How many were still followed, under each tick; what is too small to be shown stays empty."""
    ax.set_xticks(ticks)
    where = ax.get_xaxis_transform()
    ax.annotate("At risk", (0, 0), (0, -48), xycoords=where, textcoords="offset points", va="top", ha="left",
                fontsize=12, color=OTHER)  # fmt: skip
    for i, (level, (colour, _)) in enumerate(looks.items()):
        one, down = result[result[by] == level], -66 - 18 * i
        for tick in ticks:
            n = one.loc[one["time"] >= tick, "n"].head(1)
            ax.annotate("".join(number(value) for value in n), (tick, 0), (0, down), xycoords=where, va="top",
                        textcoords="offset points", ha="left" if tick == 0 else "center", fontsize=12,
                        color=colour)  # fmt: skip
        ax.annotate(capital(plain_name(level)), (ticks.max(), 0), (24, down), xycoords=where, va="top",
                    textcoords="offset points", fontsize=12, color=colour)  # fmt: skip
