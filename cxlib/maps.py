"""The importance-performance map: numbered dots on crosses of intervals, four named quadrants, and a key below."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .experience import QUADRANTS
from .forest import INK, OTHER, SERVICE, axes, entitle, plot
from .wording import capital, estimate, number, percent, plain_name

SURE = 0.95  # of the resamples in its quadrant, from which on a dot is filled
CORNERS = dict(zip(QUADRANTS.values(), ((0, 1), (1, 1), (0, 0), (1, 0)), strict=True))
RINGS, SPOKES = (18.0, 27.0, 36.0, 46.0, 58.0), 16  # points around a dot where its number may stand
APART = np.array([19.0, 14.0])  # points across and down that a number needs for itself
LINE, WRAP = 17, 54  # of the key: points a line, letters


class Dot(NamedTuple):
    """A driver on the map."""

    name: str
    performance: Any
    share: Any
    quadrant: Any
    colour: str


@plot
def importance_performance(result: pd.DataFrame, *, service: Collection[str] = (), ax: Axes | None = None) -> Axes:
    """How good each touchpoint is for those who met it, and how much of the score goes with it.

    Parameters
    ----------
    result : from `importance_performance`
    service : drivers that are service, in blue
    """
    dots, ours = _dots(result, service), ax is None
    key = list(_key(dots))
    ax = axes(ax, 5.6 + LINE / 72 * len(key))
    _quadrants(ax, result, dots)
    for dot in dots:
        _cross(ax, dot)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, "share") if value >= 0 else ""))
    ax.tick_params(axis="y", labelleft=True, labelcolor=OTHER, labelsize=12, length=0)
    ax.set_xlabel("Mean rating of those who met it")
    for i, (words, look) in enumerate(key):
        ax.annotate(words, (0, 0), (-28, -50 - LINE * i), xycoords="axes fraction", textcoords="offset points",
                    va="top", fontsize=12, **look)  # fmt: skip
    shared = [f"{percent(level)} intervals" for level in result["level"].dropna().unique()]
    told = [f"{capital(plain_name(dot.name))} {dot.quadrant.note}: share {estimate(dot.share, not i)}, rating "
            f"{estimate(dot.performance, False)}" for i, dot in enumerate(dots)]  # fmt: skip
    entitle(ax, "What to work on first", ", ".join(["Share of what is explained", *shared]), told)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    _number(ax, dots)
    if ours:
        ax.figure.set_layout_engine("none")  # type: ignore[union-attr]
    return ax


def _dots(result: pd.DataFrame, service: Collection[str]) -> list[Dot]:
    """The drivers large enough to be shown, by quadrant and within it by share."""
    wide = {measure: {one.term: one for one in result[result["measure"] == measure].itertuples(index=False)}
            for measure in ("performance", "share", "quadrant")}  # fmt: skip
    dots = [Dot(name, one, wide["share"][name], wide["quadrant"][name], SERVICE if name in service else OTHER)
            for name, one in wide["performance"].items() if name != "model" and np.isfinite(one.estimate)]  # fmt: skip
    order = list(QUADRANTS.values())
    return sorted(dots, key=lambda dot: (order.index(dot.quadrant.note), -dot.share.estimate))


def _key(dots: Sequence[Dot]) -> list[tuple[str, dict[str, Any]]]:
    """Lines of the key: each quadrant by name, and below it its drivers by their numbers."""
    lines: list[tuple[str, dict[str, Any]]] = []
    numbered = enumerate(dots, 1)
    for name, members in itertools.groupby(numbered, key=lambda pair: pair[1].quadrant.note):
        told = []
        for i, dot in members:
            unsure = "" if dot.quadrant.estimate >= SURE else f" ({percent(dot.quadrant.estimate)})"
            told.append(f"{i}\N{NO-BREAK SPACE}" + plain_name(dot.name).replace(" ", "\N{NO-BREAK SPACE}") + unsure)
        lines.append((capital(name), {"weight": "bold"}))
        lines += [(line, {}) for line in textwrap.wrap(", ".join(told), WRAP, break_on_hyphens=False)]
    if any(dot.quadrant.estimate < SURE for dot in dots):
        lines.append(("Hollow: not sure; in brackets the resamples that agree.", {"color": OTHER}))
    return lines


def _quadrants(ax: Axes, result: pd.DataFrame, dots: Sequence[Dot]) -> None:
    """Limits with room for the names, the lines between the quadrants, and their names in the corners."""
    ends = [(end.lower, end.upper) for dot in dots for end in (dot.performance,)] or [(0.0, 1.0)]
    left, right = min(low for low, _ in ends), max(high for _, high in ends)
    top = max([dot.share.upper for dot in dots] or [1.0])
    ax.set(xlim=(left - 0.06 * (right - left), right + 0.06 * (right - left)), ylim=(-0.12 * top, 1.14 * top))
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    lines = result[result["term"] == "model"].set_index("measure")["estimate"]
    ax.axvline(lines["performance"], color=INK, lw=1, ls=(0, (4, 3)), zorder=0.7)
    ax.axhline(lines["share"], color=INK, lw=1, ls=(0, (4, 3)), zorder=0.7)
    for name, (x, y) in CORNERS.items():
        ax.annotate(capital(name), (x, y), (-4 if x else 4, -4 if y else 4), xycoords="axes fraction", fontsize=12,
                    textcoords="offset points", ha="right" if x else "left", va="top" if y else "bottom",
                    color=OTHER, style="italic", bbox=ground)  # fmt: skip


def _cross(ax: Axes, dot: Dot) -> None:
    """A dot with its intervals on both axes; hollow where its quadrant is not sure."""
    x, y = dot.performance, dot.share
    look: dict[str, Any] = {"color": dot.colour, "lw": 2, "alpha": 0.5, "solid_capstyle": "butt"}
    ax.plot([x.lower, x.upper], [y.estimate] * 2, **look)
    ax.plot([x.estimate] * 2, [y.lower, y.upper], **look)
    hollow: dict[str, Any] = {} if dot.quadrant.estimate >= SURE else {"markerfacecolor": "white", "markeredgewidth": 2}
    ax.plot([x.estimate], [y.estimate], "o", color=dot.colour, ms=9, **hollow)


def _number(ax: Axes, dots: Sequence[Dot]) -> None:
    """Each dot's number beside it, clear of the other dots and numbers, tied to it where it stands far off."""
    scale = 72 / ax.figure.dpi
    at = [ax.transData.transform((dot.performance.estimate, dot.share.estimate)) * scale for dot in dots]
    turns = 2 * np.pi * np.arange(SPOKES) / SPOKES + np.pi / 4
    places = [ring * np.array([np.cos(turn), np.sin(turn)]) for ring in RINGS for turn in turns]
    taken = list(at)
    for i, (dot, centre) in enumerate(zip(dots, at, strict=True), 1):
        room = [min(np.max(np.abs(centre + place - other) / APART) for other in taken) for place in places]
        free = [place for place, far in zip(places, room, strict=True) if far >= 1]
        place = free[0] if free else places[int(np.argmax(room))]
        taken.append(centre + place)
        tie = {"arrowstyle": "-", "color": INK, "lw": 1, "shrinkA": 5, "shrinkB": 4}
        ax.annotate(str(i), (dot.performance.estimate, dot.share.estimate), tuple(place), textcoords="offset points",
                    ha="center", va="center", weight="bold", fontsize=12, color=dot.colour,
                    path_effects=[withStroke(linewidth=2.5, foreground="white")],
                    arrowprops=tie if np.hypot(*place) > RINGS[0] + 1 else None)  # fmt: skip
