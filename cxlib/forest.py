"""The kit's one look, and its one way to draw estimates: dots on intervals, each under its own name and number."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .schema import TOO_FEW
from .wording import all_hidden, capital, estimate, number, only_visible, percent, plain_name, tick_digits, visible

# Okabe and Ito's blue, and their vermilion darkened to be read as text: apart for every kind of colour blindness.
SERVICE, PUBLISHED, INK, OTHER, PALE, RULE = "#0072B2", "#B34700", "#1b2430", "#4d5763", "#86909b", "#e3e7eb"
WIDTH, ROW = 5.2, 0.6  # inches; 500 CSS pixels, so that 12 pt stay 10 pixels high on a phone
HEADING = 0.65  # rows taken by the heading of a block
STYLE = sns.axes_style("ticks") | {
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so figures are the same on every machine
    "font.size": 13,
    "axes.titlesize": 15,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 12,
    "axes.labelcolor": OTHER,
    "axes.edgecolor": PALE,
    "axes.linewidth": 0.8,
    **{f"axes.spines.{side}": False for side in ("left", "top", "right")},
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,  # a column named "$x$" is a name
    "xtick.color": PALE,
    "xtick.labelcolor": OTHER,
    "xtick.labelsize": 12,
    "ytick.left": False,
    "ytick.labelleft": False,
}
_alternatives: WeakKeyDictionary[Axes, str] = WeakKeyDictionary()


class Row(NamedTuple):
    """One line of a forest plot."""

    name: str
    told: Any  # result row
    colour: str = OTHER
    filled: bool = True
    heading: str = ""  # of the block that begins here
    beside: Any = None  # a second result row, drawn hollow on the same line
    words: str = ""  # in place of the estimate's own


class Line(NamedTuple):
    """A vertical line to compare with."""

    value: float
    words: str
    colour: str
    dashes: Any = "solid"


def style() -> Any:
    """The kit's look as a context, for figures of your own: `with cx.plots.style(): ...`."""
    return plt.rc_context(STYLE)


def alt(ax: Axes) -> str:
    """What a figure of the kit shows, in words."""
    return _alternatives.get(ax, "")


def plot(draw: Callable[..., Axes | None]) -> Callable[..., Axes | None]:
    """Make a drawing function a plot: the style on, small groups hidden in every result, None in and None out.

    Where all of the first result is hidden nothing is drawn: the sentence beside it says so.
    """

    @functools.wraps(draw)
    def drawn(result: pd.DataFrame | None, *args: Any, **kwargs: Any) -> Axes | None:
        if not isinstance(result, pd.DataFrame) or all_hidden(result):
            return None
        shown = [only_visible(one) for one in args]
        with style():
            return draw(visible(result), *shown, **{key: only_visible(one) for key, one in kwargs.items()})

    return drawn


def forest_plot(ax: Axes | None, rows: Sequence[Row], title: str, unit: str, lines: Sequence[Line] = ()) -> Axes:
    """Draw estimates with their intervals one below the other; no legend and no axis labels to look up.

    Parameters
    ----------
    ax : axes to draw on, or None for a new figure as high as the rows need
    rows : from top to bottom
    title, unit : what is shown, and of what; the level of the intervals and n are added where all rows share them
    lines : values to compare with
    """
    steps = [1 + HEADING * bool(row.heading) for row in rows] or [1]
    heights = -np.cumsum(steps) + 0.12
    top, ours = 0.05 + 0.42 * bool(lines), ax is None
    ax = axes(ax, ROW * (sum(steps) + top + 0.3) + 1.15)
    labels = [_draw_row(ax, row, y) for row, y in zip(rows, heights, strict=False)]
    ax.set_ylim(heights[-1] - 0.42, top)
    _limits(ax, rows, lines)
    for line in lines:
        _draw_line(ax, line)
    _ticks(ax, rows[0].told.unit if rows else "")
    entitle(ax, title, ", ".join([unit, *_shared(rows)]), _told(rows, lines))
    _shorten(ax, labels)
    if ours:  # laid out once; each further draw would do it again, for nothing
        ax.figure.set_layout_engine("none")  # type: ignore[union-attr]
    return ax


def axes(ax: Axes | None, height: float) -> Axes:
    """The axes given, or those of a new figure in the kit's width, `height` inches high."""
    return plt.subplots(figsize=(WIDTH, height))[1] if ax is None else ax


def entitle(ax: Axes, title: str, subtitle: str, told: Sequence[str]) -> None:
    """Title, subtitle with the unit, and the text alternative."""
    under = "\n".join(textwrap.wrap(subtitle, 52, break_on_hyphens=False))
    ax.set_title("\n".join(textwrap.wrap(title, 36)), pad=14 + 16 * (1 + under.count("\n")))
    ax.annotate(under, (0, 1), (0, 10), xycoords="axes fraction", textcoords="offset points", va="bottom", color=OTHER,
                fontsize=12, linespacing=1.3)  # fmt: skip
    _alternatives[ax] = f"{title}. {subtitle}: {'; '.join(told)}."


def _told(rows: Sequence[Row], lines: Sequence[Line]) -> list[str]:
    """Rows and lines in words."""
    named = [f"{row.heading}: {row.name}" if row.heading else row.name for row in rows]
    notes = [f" ({row.told.note})" if row.told.note not in ("", TOO_FEW) else "" for row in rows]
    each = [row.words or estimate(row.told, not i) for i, row in enumerate(rows)]
    told = [f"{name} {words}" for name, words in zip(named, each, strict=True)]
    told = [words + note for words, note in zip(told, notes, strict=True)]
    return [*told, *(f"line, {line.words}" for line in lines)] if told else ["nothing is large enough to be shown"]


def _shared(rows: Sequence[Row]) -> list[str]:
    """The level of the intervals, and n where it is the same for all."""
    sizes = {row.told.n for row in rows if np.isfinite(row.told.n)}
    level = [f"{percent(row.told.level)} intervals" for row in rows[:1] if np.isfinite(row.told.level)]
    return level + [f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{number(n)}" for n in sizes if len(sizes) == 1]


def _draw_row(ax: Axes, row: Row, y: float) -> tuple[Text, Text]:
    """A dot on its interval; returns the labels of its name and its number."""
    for told, filled in ((row.told, row.filled), (row.beside, False))[: 2 if row.beside is not None else 1]:
        hollow: dict[str, Any] = {} if filled else {"markerfacecolor": "white", "markeredgewidth": 2}
        ax.plot([told.lower, told.upper], [y, y], color=row.colour, lw=3.5, alpha=0.55, solid_capstyle="butt")
        ax.plot([told.estimate], [y], "o", color=row.colour, ms=9, clip_on=False, **hollow)
    if row.heading:
        _label(ax, 0, y, 28, capital(plain_name(row.heading)), color=OTHER)
    name = _label(ax, 0, y, 8, capital(plain_name(row.name)), weight="bold")
    return name, _label(ax, 1, y, 8, row.words or estimate(row.told, first=False), ha="right")


def _label(ax: Axes, x: float, y: float, up: float, words: str, **look: Any) -> Text:
    """Words above a row, on a white ground that keeps grid and reference lines out of the letters."""
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    return ax.annotate(words, (x, y), (0, up), xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                       va="bottom", fontsize=12, bbox=ground, **look)  # fmt: skip


def _shorten(ax: Axes, labels: Iterable[tuple[Text, Text]]) -> None:
    """Shorten names that would run into their numbers, once the layout has settled."""
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    for name, told in labels:
        while name.get_window_extent().x1 > told.get_window_extent().x0 - 8 and len(name.get_text()) > 2:
            name.set_text(name.get_text().rstrip("…")[:-1].rstrip() + "…")


def _limits(ax: Axes, rows: Iterable[Row], lines: Iterable[Line]) -> None:
    """From 0 or the lowest limit to the highest, with room; a line marks 0 where intervals reach below it."""
    drawn = [told for row in rows for told in (row.told, row.beside) if told is not None]
    ends = [end for told in drawn for end in (told.lower, told.upper, told.estimate) if np.isfinite(end)]
    ends += [0.0, *(line.value for line in lines if np.isfinite(line.value))]
    low, high = min(ends), max(ends) if max(ends) > min(ends) else min(ends) + 1
    ax.set_xlim(low - (0.04 * (high - low) if low < 0 else 0.01 * high), high + 0.04 * (high - low))
    if low < 0:
        ax.axvline(0, color=INK, lw=1, zorder=0.5)


def _ticks(ax: Axes, unit: str) -> None:
    """Few round ticks, with a decimal where two of them would read alike."""
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ticks = ax.get_xticks()
    digits = tick_digits(ticks, unit)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, unit, digits)))


def _draw_line(ax: Axes, line: Line) -> None:
    """A vertical line with its words at the upper end, on the side where there is room."""
    low, high = ax.get_xlim()
    right = (line.value - low) < 0.5 * (high - low)
    ax.axvline(line.value, color=line.colour, lw=1.8, ls=line.dashes, zorder=0.8)
    ax.annotate(line.words, (line.value, 1), (6 if right else -6, -3), xycoords=ax.get_xaxis_transform(),
                textcoords="offset points", ha="left" if right else "right", va="top",
                color=line.colour, fontsize=12)  # fmt: skip


def rows_of(result: pd.DataFrame, term: str, measure: str) -> list[Any]:
    """The rows of a term and a measure."""
    return list(result[result["term"].eq(term) & result["measure"].eq(measure)].itertuples(index=False))


def colour_of(term: str) -> str:
    """Service is blue, all else grey."""
    return SERVICE if term == "service" else OTHER


def published(claim: Any) -> list[Line]:
    """The line of a published figure; none without a claim."""
    if claim is None:
        return []
    words = f"published, for {claim['about']}: {number(float(claim['value']), claim['unit'])}"
    return [Line(float(claim["value"]), words, PUBLISHED, (0, (5, 3)))]
