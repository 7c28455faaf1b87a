"""Result tables as figures: estimates with their intervals, labelled directly, legible at phone width.

Every function takes a result table and returns the Axes; given None, because the study does not feed the statistic,
it returns None. Service is blue, all else grey, a published figure a dashed red line; colour never tells alone.
"""

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
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .schema import LEVELS
from .wording import capital, estimate, groups_of, listed, number, percent, plain_name, visible

__all__ = [
    "alt", "attributable_fractions", "distribution", "naive_and_adjusted", "nps", "outweighs", "relative_importance",
    "role_interval", "show", "style",
]  # fmt: skip

# Okabe and Ito's blue and vermilion stay apart for every kind of colour blindness, and differ in lightness.
SERVICE, PUBLISHED, INK, OTHER, PALE, RULE = "#0072B2", "#D55E00", "#1b2430", "#4d5763", "#86909b", "#e3e7eb"
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
# Of the two estimates side by side: title, unit, the naive one, the adjusted one.
CONTRASTS = {
    "fraction": (
        "What adjusting changes",
        "Share of departures",
        "nothing adjusted for",
        "adjusted for the confounders",
    ),
    "importance": ("One at a time, and together", "R² of the score", "taken alone", "beside the others"),
}
_alternatives: WeakKeyDictionary[Axes, str] = WeakKeyDictionary()


class Row(NamedTuple):
    """One line of a forest plot."""

    name: str
    told: Any  # result row
    colour: str = OTHER
    filled: bool = True
    heading: str = ""  # of the block that begins here


def style() -> Any:
    """The kit's look as a context, for figures of your own: `with cx.plots.style(): ...`."""
    return plt.rc_context(STYLE)


def alt(ax: Axes) -> str:
    """What a figure of this module shows, in words."""
    return _alternatives.get(ax, "")


def show(ax: Axes | None) -> None:
    """Display the figure once, with its text alternative, and close it; nothing for None."""
    from IPython.display import display

    if ax is not None:
        told = " ".join(filter(None, map(alt, ax.figure.axes)))
        display(ax.figure, metadata={"image/png": {"alt": told}})
        plt.close(ax.figure)


def _plot(draw: Callable[..., Axes]) -> Callable[..., Axes | None]:
    """Make a drawing function a plot: the style on, small groups hidden, None in and None out."""

    @functools.wraps(draw)
    def drawn(result: pd.DataFrame | None, *args: Any, **kwargs: Any) -> Axes | None:
        if not isinstance(result, pd.DataFrame):
            return None
        with style():
            return draw(visible(result), *args, **kwargs)

    return drawn


@_plot
def attributable_fractions(
    result: pd.DataFrame, *, measure: str = "average_fraction", claim: Any = None, ax: Axes | None = None
) -> Axes:
    """Share of attrition associated with each cause and with all of them; `claim` is a row of `text.claims`."""
    causes = result[result["measure"].eq(measure) & result["term"].ne("joint")]
    rows = [Row(one.term, one, _colour(one.term)) for one in causes.itertuples(index=False)]
    rows += [Row("all of them together", one, INK) for one in _rows(result, "joint", "fraction")] * (len(rows) > 1)
    return _forest(ax, rows, "Attrition associated with each cause", "Share of departures", claim)


@_plot
def naive_and_adjusted(
    result: pd.DataFrame, *, measure: str = "fraction", claim: Any = None, ax: Axes | None = None
) -> Axes:
    """Unadjusted beside adjusted estimates; `result` is from `text.beside`, with a first column "model"."""
    naive, adjusted = (
        result[result["model"].eq(model) & result["measure"].eq(measure)] for model in ("naive", "adjusted")
    )
    title, unit, first, second = CONTRASTS.get(measure, CONTRASTS["fraction"])
    rows = []
    for term in [term for term in naive["term"].unique() if term != "joint"]:
        rows += [Row(first, one, PALE, filled=False, heading=term) for one in _rows(naive, term, measure)]
        rows += [Row(second, one, _colour(term)) for one in _rows(adjusted, term, measure)]
    return _forest(ax, rows, title, unit, claim)


@_plot
def role_interval(result: pd.DataFrame, *, claim: Any = None, ax: Axes | None = None) -> Axes:
    """Bounds on the share of departures in which each cause plays a role; each bound with its own interval."""
    rows = []
    for term in result["term"].unique():
        rows += [Row("at least", one, _colour(term), heading=term) for one in _rows(result, term, "lower_bound")]
        rows += [Row("at most", one, _colour(term), filled=False) for one in _rows(result, term, "upper_bound")]
    return _forest(ax, rows, "Departures a cause plays a role in", "Share of departures", claim)


@_plot
def outweighs(
    result: pd.DataFrame, *, a: str = "price", b: str = "service", claim: Any = None, ax: Axes | None = None
) -> Axes:
    """Share of departures in which one cause outweighs the other, for each of the three denominators."""
    rows = []
    for measure, among in (
        ("of_any", "after a failure of either"),
        ("of_both", "after failures of both"),
        ("of_all", "all departures"),
    ):
        found = _rows(result, f"{a} > {b}", measure)
        rows += [Row(f"{a} outweighs {b}", one, _colour(a), heading=among) for one in found]
        rows += [Row(f"{b} outweighs {a}", one, _colour(b)) for one in _rows(result, f"{b} > {a}", measure)]
    return _forest(ax, rows, f"{capital(a)} or {b}: which weighs more?", "Share of departures", claim)


@_plot
def relative_importance(result: pd.DataFrame, *, members: bool = False, ax: Axes | None = None) -> Axes:
    """What each group of drivers, or with `members` each driver, adds to explaining the score."""
    shares = result[result["measure"].eq("share")]
    inside = shares["term"].str.contains("/", regex=False)
    grouped = shares["term"].where(~inside, shares["term"].str.split("/").str[0])
    alone = ~inside & ~grouped.isin(grouped[inside])
    shares = shares[inside | alone if members else ~inside].sort_values("estimate", ascending=False, kind="stable")
    rows = [Row(*_member(one.term), one, _colour(one.term.split("/")[0])) for one in shares.itertuples(index=False)]
    what = "driver" if members else "group"
    return _forest(ax, rows, f"What goes with the score, by {what}", "Share of what is explained")


@_plot
def nps(result: pd.DataFrame, *, overall: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """NPS of each group in points, in the order of its levels or by size; `overall` adds a line for everyone."""
    keys = groups_of(result)
    if not any(key in LEVELS for key in keys):
        result = result.sort_values("estimate", ascending=False, kind="stable")
    rows = [
        Row(", ".join(str(getattr(one, key)) for key in keys) or "all", one, INK)
        for one in result.itertuples(index=False)
    ]
    title = f"NPS by {listed(keys)}" if keys else "NPS"
    ax = _forest(ax, rows, title, "NPS points")
    for one in (overall if overall is not None else result.iloc[:0]).itertuples(index=False):
        _reference(ax, one.estimate, f"everyone {number(one.estimate)}", OTHER)
    return ax


def distribution(counts: pd.Series | None, *, scale: Sequence[int] = (0, 10), ax: Axes | None = None) -> Axes | None:
    """Share of answers at each point of the scale, with the three classes of the NPS named; `counts` by score."""
    if counts is None:
        return None
    points = range(scale[0], scale[1] + 1)
    shares = (counts / counts.sum()).reindex(points, fill_value=0.0)
    ends = {"detractors": (points[0], points[-1] - 4, OTHER), "passives": (points[-1] - 3, points[-1] - 2, PALE),
            "promoters": (points[-1] - 1, points[-1], SERVICE)}  # fmt: skip
    with style():
        ax = _axes(ax, 3.4)
        colours = [next(c for low, high, c in ends.values() if low <= point <= high) for point in points]
        sns.barplot(
            x=list(points),
            y=shares.to_numpy(),
            hue=list(points),
            palette=colours,
            saturation=1,
            legend=False,
            width=0.86,
            ax=ax,
        )
        top, told = shares.max(), []
        for name, (low, high, _) in ends.items():
            share = shares.loc[low:high].sum()
            left, right = low - points[0] - 0.4, high - points[0] + 0.4
            ax.plot([left, right], [1.18 * top] * 2, color=INK, lw=1)
            ax.annotate(f"{name}\n{percent(share)}", ((left + right) / 2, 1.18 * top), (0, 5),
                        textcoords="offset points", ha="center", va="bottom", linespacing=1.25)  # fmt: skip
            told.append(f"{name} {percent(share)}")
        for x, share in enumerate(shares):
            ax.annotate(
                percent(share), (x, share), (0, 2), textcoords="offset points", ha="center", fontsize=10, color=OTHER
            )
        ax.set(ylim=(0, 1.45 * top), xlabel="How likely to recommend, points", ylabel="")
        ax.grid(visible=False)
        _name(ax, "How customers answered", "Share of answers at each point", told)
    return ax


# One way to draw estimates with intervals ----------------------------------------------------------------------------


def _forest(ax: Axes | None, rows: Sequence[Row], title: str, subtitle: str, claim: Any = None) -> Axes:
    """Estimates as dots on their intervals, each under its own name and number; no legend, no labels to look up."""
    steps = [1 + HEADING * bool(row.heading) for row in rows] or [1]
    heights = -np.cumsum(steps) + 0.12
    top = 0.05 + 0.42 * (claim is not None)
    ax = _axes(ax, ROW * (sum(steps) + top + 0.3) + 1.15)
    for row, y in zip(rows, heights, strict=False):
        _draw_row(ax, row, y)
    ax.set_ylim(heights[-1] - 0.42, top)
    _limits(ax, rows, claim)
    unit = rows[0].told.unit if rows else ""
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, unit)))
    told = [
        f"{row.heading}{': ' * bool(row.heading)}{row.name} {estimate(row.told, not i)}" for i, row in enumerate(rows)
    ]
    if claim is not None:
        words = f"published, for {claim['about']}: {number(float(claim['value']), claim['unit'])}"
        _reference(ax, float(claim["value"]), words, PUBLISHED, (0, (5, 3)))
        told.append(f"dashed line, {words}")
    sizes = {row.told.n for row in rows if np.isfinite(row.told.n)}
    under = [subtitle, *(f"{percent(row.told.level)} intervals" for row in rows[:1])]
    under += [f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{number(n)}" for n in sizes if len(sizes) == 1]
    _name(ax, title, ", ".join(under), told or ["nothing is large enough to be shown"])
    return ax


def _draw_row(ax: Axes, row: Row, y: float) -> None:
    hollow = {} if row.filled else {"markerfacecolor": "white", "markeredgewidth": 2}
    ax.plot([row.told.lower, row.told.upper], [y, y], color=row.colour, lw=3.5, alpha=0.55, solid_capstyle="butt")
    ax.plot([row.told.estimate], [y], "o", color=row.colour, ms=9, clip_on=False, **hollow)
    texts = [
        (0, 8, capital(_short(row.name)), "left", INK, "bold"),
        (1, 8, estimate(row.told, False), "right", INK, "normal"),
    ]
    texts += [(0, 28, capital(_short(row.heading)), "left", OTHER, "normal")] * bool(row.heading)
    for x, up, text, side, colour, weight in texts:
        # The white ground keeps grid and reference lines out of the letters.
        ax.annotate(text, (x, y), (0, up), xycoords=ax.get_yaxis_transform(), textcoords="offset points", ha=side,
                    va="bottom", weight=weight, fontsize=12, color=colour,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip


def _axes(ax: Axes | None, height: float) -> Axes:
    return plt.subplots(figsize=(WIDTH, height))[1] if ax is None else ax


def _limits(ax: Axes, rows: Iterable[Row], claim: Any) -> None:
    """From 0 or the lowest limit to the highest, with room; a line marks 0 where intervals reach below it."""
    ends = [end for row in rows for end in (row.told.lower, row.told.upper, row.told.estimate) if np.isfinite(end)]
    ends += [0.0] + ([float(claim["value"])] if claim is not None else [])
    low, high = min(ends), max([*ends, 1e-9])
    ax.set_xlim(low - (0.04 * (high - low) if low < 0 else 0.01 * high), high + 0.04 * (high - low))
    if low < 0:
        ax.axvline(0, color=INK, lw=1, zorder=0.5)


def _reference(ax: Axes, x: float, words: str, colour: str, dashes: Any = "solid") -> None:
    """A vertical line with its name at the upper end, on the side where there is room."""
    low, high = ax.get_xlim()
    right = (x - low) < 0.6 * (high - low)
    ax.axvline(x, color=colour, lw=1.8, ls=dashes, zorder=0.8)
    ax.annotate(words, (x, 1), (6 if right else -6, -3), xycoords=ax.get_xaxis_transform(), textcoords="offset points",
                ha="left" if right else "right", va="top", color=colour, fontsize=12)  # fmt: skip


def _name(ax: Axes, title: str, subtitle: str, told: Sequence[str]) -> None:
    """Title, subtitle with the unit, and the text alternative."""
    under = "\n".join(textwrap.wrap(subtitle, 52, break_on_hyphens=False))
    ax.set_title("\n".join(textwrap.wrap(title, 36)), pad=14 + 16 * (1 + under.count("\n")))
    ax.annotate(under, (0, 1), (0, 10), xycoords="axes fraction", textcoords="offset points", va="bottom", color=OTHER,
                fontsize=12, linespacing=1.3)  # fmt: skip
    _alternatives[ax] = f"{title}. {subtitle}: {'; '.join(told)}."


def _rows(result: pd.DataFrame, term: str, measure: str) -> list[Any]:
    return list(result[result["term"].eq(term) & result["measure"].eq(measure)].itertuples(index=False))


def _member(term: str) -> tuple[str]:
    group, _, driver = term.partition("/")
    return (f"{driver} ({group})" if driver else group,)


def _short(name: str) -> str:
    """A name on one line that leaves room for its numbers."""
    name = plain_name(name)
    return name if len(name) <= 30 else name[:29] + "…"


def _colour(term: str) -> str:
    return SERVICE if term == "service" else OTHER
