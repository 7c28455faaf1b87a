"""Result tables as figures: estimates with their intervals, labelled directly, legible at phone width.

Every function takes a result table and returns the Axes; given None, because the study does not feed the statistic,
it returns None. Service is blue, all else grey, a published figure a dashed red line; colour never tells alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from .forest import INK, OTHER, PALE, PUBLISHED, SERVICE, Line, Row, alt, axes, entitle, forest_plot, style
from .schema import LEVELS
from .wording import capital, groups_of, listed, number, percent, plain_name, visible

__all__ = [
    "alt", "attributable_fractions", "distribution", "naive_and_adjusted", "nps", "outweighs", "relative_importance",
    "role_interval", "show", "style",
]  # fmt: skip

# Of the two estimates side by side: title, unit, the naive one, the adjusted one.
CONTRASTS = {
    "fraction": (
        "Attrition: what adjusting changes",
        "Share of departures",
        "nothing adjusted for",
        "adjusted for the confounders",
    ),
    "importance": ("One at a time, and together", "R² of the score", "taken alone", "beside the others"),
}


def show(ax: Axes | None) -> None:
    """Display the figure once, with its text alternative, and close it; nothing for None."""
    from IPython.display import display

    if ax is not None:
        told = " ".join(filter(None, map(alt, ax.figure.axes)))
        display(ax.figure, metadata={"image/png": {"alt": told}})
        plt.close(ax.figure)  # type: ignore[arg-type]


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
    return forest_plot(ax, rows, "Attrition associated with each cause", "Share of departures", _published(claim))


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
    return forest_plot(ax, rows, title, unit, _published(claim))


@_plot
def role_interval(result: pd.DataFrame, *, claim: Any = None, ax: Axes | None = None) -> Axes:
    """Bounds on the share of departures in which each cause plays a role; each bound with its own interval."""
    rows = []
    for term in result["term"].unique():
        rows += [Row("at least", one, _colour(term), heading=term) for one in _rows(result, term, "lower_bound")]
        rows += [Row("at most", one, _colour(term), filled=False) for one in _rows(result, term, "upper_bound")]
    return forest_plot(ax, rows, "Departures a cause plays a role in", "Share of departures", _published(claim))


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
    return forest_plot(ax, rows, f"{capital(a)} or {b}: which weighs more?", "Share of departures", _published(claim))


@_plot
def relative_importance(result: pd.DataFrame, *, members: bool = False, ax: Axes | None = None) -> Axes:
    """What each group of drivers, or with `members` each driver, adds to explaining the score; hollow = maybe noise."""
    shares = result[result["measure"].eq("share")]
    inside = shares["term"].str.contains("/", regex=False)
    grouped = shares["term"].where(~inside, shares["term"].str.split("/").str[0])
    alone = ~inside & ~grouped.isin(grouped[inside])
    shares = shares[inside | alone if members else ~inside].sort_values("estimate", ascending=False, kind="stable")
    rows = [
        Row(*_member(one.term), one, _colour(one.term.split("/")[0]) if not one.note else PALE, filled=not one.note)
        for one in shares.itertuples(index=False)
    ]
    what = "driver" if members else "group"
    return forest_plot(ax, rows, f"What goes with the score, by {what}", "Share of what is explained")


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
    title = f"NPS by {listed([plain_name(key) for key in keys])}" if keys else "NPS"
    lines = [] if overall is None else overall.itertuples(index=False)
    lines = [Line(one.estimate, f"everyone {number(one.estimate)}", OTHER) for one in lines]
    return forest_plot(ax, rows, title, "NPS points", lines)


def distribution(counts: pd.Series | None, *, scale: Sequence[int] = (0, 10), ax: Axes | None = None) -> Axes | None:
    """Share of answers at each point of the scale, with the three classes of the NPS named; `counts` by score."""
    if counts is None:
        return None
    points = range(scale[0], scale[1] + 1)
    shares = (counts / counts.sum()).reindex(points, fill_value=0.0)
    ends = {"detractors": (points[0], points[-1] - 4, OTHER), "passives": (points[-1] - 3, points[-1] - 2, PALE),
            "promoters": (points[-1] - 1, points[-1], SERVICE)}  # fmt: skip
    with style():
        ax = axes(ax, 3.4)
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
            ax.annotate(f"{name}\n{percent(share)}", ((left + right) / 2, 1.18 * top), (0, 5), fontsize=11.5,
                        textcoords="offset points", ha="center", va="bottom", linespacing=1.25)  # fmt: skip
            told.append(f"{name} {percent(share)}")
        for x, share in enumerate(shares):
            ax.annotate(
                percent(share), (x, share), (0, 2), textcoords="offset points", ha="center", fontsize=10.5, color=OTHER
            )
        ax.set(ylim=(0, 1.45 * top), xlabel="How likely to recommend, points", ylabel="")
        ax.grid(visible=False)
        entitle(ax, "How customers answered", "Share of answers at each point", told)
    return ax


def _rows(result: pd.DataFrame, term: str, measure: str) -> list[Any]:
    return list(result[result["term"].eq(term) & result["measure"].eq(measure)].itertuples(index=False))


def _member(term: str) -> tuple[str]:
    group, _, driver = term.partition("/")
    return (f"{driver} ({group})" if driver else group,)


def _colour(term: str) -> str:
    return SERVICE if term == "service" else OTHER


def _published(claim: Any) -> list[Line]:
    """The line of a published figure; none without a claim."""
    if claim is None:
        return []
    words = f"published, for {claim['about']}: {number(float(claim['value']), claim['unit'])}"
    return [Line(float(claim["value"]), words, PUBLISHED, (0, (5, 3)))]
