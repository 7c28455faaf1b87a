"""Figures of the workshop, large enough for a projector: the journey, a group's votes, knobs, samples, halo."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from .forest import (
    INK,
    OTHER,
    PALE,
    PUBLISHED,
    SERVICE,
    Line,
    Row,
    axes,
    colour_of,
    entitle,
    forest_plot,
    plot,
    rows_of,
    style,
)
from .wording import capital, number, percent, plain_name

STAGES = ("discover", "buy", "use", "support", "renew")
LINE = 0.36  # inches of a line of text


def journey_figure(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Touchpoints by stage; those that are service stand in blue frames. `table` has the columns of touchpoints."""
    stages = [stage for stage in STAGES if (table["stage"] == stage).any()]
    lines: list[tuple[str, Any]] = []
    for stage in stages:
        lines += [
            (capital(stage), None),
            *((row.touchpoint, row) for row in table[table["stage"] == stage].itertuples()),
        ]
    with style():
        ax = axes(ax, LINE * (len(lines) + 1) + 1.2)
        for place, (words, row) in enumerate(lines):
            ours = row is not None and bool(row.is_service)
            frame = {"boxstyle": "round,pad=0.25", "facecolor": SERVICE if ours else "white", "edgecolor":
                     SERVICE if ours else PALE} if row is not None else None  # fmt: skip
            name = textwrap.shorten(plain_name(words), 34, placeholder="…")
            ax.text(0.0 if row is None else 0.06, -place, name, color="white" if ours else INK, va="center",
                    fontsize=13, weight="bold" if row is None or ours else "normal", bbox=frame)  # fmt: skip
            if row is not None:
                department = textwrap.shorten(str(row.department), 22, placeholder="…")
                ax.text(1, -place, department, color=OTHER, va="center", ha="right", fontsize=12)
        ax.set(xlim=(0, 1), ylim=(-len(lines) + 0.4, 0.6), xticks=[])
        ax.grid(visible=False)
        ax.spines["bottom"].set_visible(False)
        served, count = int(table["is_service"].astype(bool).sum()), len(table)
        told = [f"{stage}: {', '.join(_marked(table[table['stage'] == stage]))}" for stage in stages]
        entitle(
            ax,
            "Service is a part of the experience",
            f"{served} of {count} touchpoints are service (filled blue)",
            told,
        )
    return ax


def _marked(rows: pd.DataFrame) -> list[str]:
    return [f"{plain_name(row.touchpoint)}{' (service)' if row.is_service else ''}" for row in rows.itertuples()]


def votes_figure(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of a group that calls each scene service; `result` has number, scene, share, disputed, voters."""
    count = int(result["voters"].max())
    with style():
        ax = axes(ax, LINE * len(result) + 1.7)
        for place, row in enumerate(result.itertuples(index=False)):
            open_ = row.disputed == "yes"
            ax.barh(-place, row.share, height=0.62, color="white" if open_ else SERVICE, edgecolor=SERVICE, lw=1.6)
            words = f"{row.number}{' disputed' if open_ else ''}"
            ax.annotate(words, (0, -place), (-6, 0), textcoords="offset points", ha="right", va="center", fontsize=12)
            ax.annotate(percent(row.share), (row.share, -place), (6, 0), textcoords="offset points", va="center",
                        fontsize=12, color=INK)  # fmt: skip
        ax.set(xlim=(0, 1.12), ylim=(-len(result) + 0.4, 0.7), xticks=[])
        ax.grid(visible=False)
        told = [f"scene {row.number} {percent(row.share)}" for row in result.itertuples()]
        entitle(ax, "Who calls it service?", f"Share of {number(count)} people, by scene; hollow: disputed", told)
    return ax


@plot
def knobs(result: pd.DataFrame, *, terms: Sequence[str] = ("service", "price"), ax: Axes | None = None) -> Axes:
    """The naive and the adjusted share of service, and of price, beside the true ones; `result` is from `turned`."""
    models = {name: result[result["model"] == name] for name in ("naive", "adjusted", "true")}
    rows: list[Row] = []
    for term in terms:
        colour = colour_of(term)
        true = next(iter(rows_of(models["true"], term, "fraction")))
        heading = f"{term}, truly {percent(true.estimate)}"
        told = [("naive", one, PALE, False) for one in rows_of(models["naive"], term, "fraction")]
        told += [("adjusted", one, colour, True) for one in rows_of(models["adjusted"], term, "fraction")]
        rows += [
            Row(name, one, shade, filled, "" if i else heading) for i, (name, one, shade, filled) in enumerate(told)
        ]
    truth = next(iter(rows_of(models["true"], "service", "fraction")))
    ax = forest_plot(
        ax, rows, "How much of it is service?", "Share of departures",
        [Line(truth.estimate, f"truth for service: {percent(truth.estimate)}", PUBLISHED, (0, (5, 3)))],
    )  # fmt: skip
    # The same scale at every turn, or the figure would seem to stand still while its axis moves.
    ax.set_xlim(min(-0.05, ax.get_xlim()[0]), max(0.85, ax.get_xlim()[1]))
    for label in ax.texts:
        if label.get_text().startswith("truth"):
            label.set(ha="left", position=(6, -3))
    return ax


def samples(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Intervals of the NPS of many samples beside the NPS of all; columns estimate, lower, upper, holds, true, n."""
    with style():
        ax = axes(ax, 0.17 * len(result) + 2.0)
        for place, row in enumerate(result.itertuples(index=False)):
            colour = SERVICE if row.holds else PUBLISHED
            ax.plot([row.lower, row.upper], [-place] * 2, color=colour, lw=3.5, alpha=0.7, solid_capstyle="butt",
                    ls="solid" if row.holds else (0, (1.5, 0.8)))  # fmt: skip
            ax.plot([row.estimate], [-place], "o" if row.holds else "X", color=colour, ms=6 if row.holds else 9)
        first = result.iloc[0]
        ax.axvline(first["true"], color=INK, lw=1.6)
        ax.set(xlim=(-100, 100), ylim=(-len(result) + 0.2, 1.9), xlabel="NPS points")
        ax.annotate(f"all customers: {number(first['true'])}", (first["true"], 1.6), (6, 0), textcoords="offset points",
                    va="center", color=INK, fontsize=12)  # fmt: skip
        held = int(result["holds"].sum())
        subtitle = f"{len(result)} samples of {number(first['n'])} customers each; crosses miss the NPS of all"
        entitle(
            ax,
            f"{held} of {len(result)} intervals hold it",
            subtitle,
            [f"{held} hold it, {len(result) - held} miss it"],
        )
    return ax


def two_views(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Correlation (hollow) beside share of importance (filled) of each touchpoint, most correlated first."""
    with style():
        ax = axes(ax, 0.52 * len(table) + 1.6)
        for place, (name, row) in enumerate(table.iterrows()):
            ax.plot([row["correlation"], row["share"]], [-place] * 2, color=PALE, lw=2)
            ax.plot([row["correlation"]], [-place], "o", color=OTHER, ms=10, markerfacecolor="white", markeredgewidth=2)
            ax.plot([row["share"]], [-place], "o", color=SERVICE, ms=10)
            words = f"{number(row['correlation'], 'correlation')} and {percent(row['share'])}"
            for x, text, side in ((0, capital(plain_name(name)), "left"), (1, words, "right")):
                ax.annotate(text, (x, -place), (0, 8), xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                            ha=side, fontsize=12, weight="bold" if side == "left" else "normal")  # fmt: skip
        ax.set(xlim=(0, 0.9), ylim=(-len(table) + 0.6, 0.75))
        told = [
            f"{plain_name(name)} {row['correlation']:.2f} and {percent(row['share'])}" for name, row in table.iterrows()
        ]
        entitle(ax, "Alone, and together", "Hollow: correlation with the score; filled: share of importance", told)
    return ax
