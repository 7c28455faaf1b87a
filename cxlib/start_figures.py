"""Figures of the first page: where service lies among the touchpoints, and what a hundred intervals hold."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .forest import INK, OTHER, PALE, PUBLISHED, SERVICE, WIDTH, Line, axes, entitle, style
from .sampling import EVERYONE, MISSES
from .schema import TABLES
from .wording import capital, listed, number, percent, plain_name

STAGES = next(column.values for column in TABLES["touchpoints"] if column.name == "stage").split(", ")
LANE = 0.5  # inches from one line of chips to the next
ABOVE = 0.8  # inches for title and subtitle
LEFT, GAP = 0.22, 0.05  # of the width: for the names of the lanes, between chips


def experience_map(places: pd.DataFrame | None, *, ax: Axes | None = None) -> Axes | None:
    """Every touchpoint in the stage of the journey it belongs to; those that are service are filled.

    `places` is from `cx.experience_map`.
    """
    if not isinstance(places, pd.DataFrame):
        return None
    lanes = _lanes(places)
    with style():
        ours = ax is None
        if ax is None:  # not laid out later: chips are placed by the width there is
            ax = plt.subplots(figsize=(WIDTH, 1), layout="none")[1]
            ax.figure.subplots_adjust(left=0.02, right=0.98)
        ax.set(xlim=(0, 1), xticks=[])
        ax.grid(visible=False)
        ax.spines["bottom"].set_visible(False)
        y = 0.0
        for name, own in lanes.items():
            ax.annotate(capital(plain_name(name)), (0, y), va="center", color=OTHER, fontsize=12)
            y = _chips(ax, own, y) - 1
        ax.set_ylim(y + 0.4, 0.6)
        if ours:
            height = ABOVE - LANE * (y - 0.2)
            ax.figure.set_figheight(height)  # type: ignore[union-attr]
            ax.figure.subplots_adjust(bottom=0, top=1 - ABOVE / height)
        told = [f"{plain_name(name)}: {listed([_told(*one) for one in own])}" for name, own in lanes.items()]
        by = "stage of the journey" if places["department"].notna().any() else "group"
        entitle(ax, "Where service lies", f"Touchpoints by {by}; filled: service", told)
    return ax


def _lanes(places: pd.DataFrame) -> dict[str, list[tuple[str, bool]]]:
    """Touchpoints with whether they are service, by stage; stages in the order of the journey, then as they come."""
    stage = places["stage"].fillna("other").astype(str)
    order = [name for name in STAGES if name in set(stage)]
    order += [name for name in dict.fromkeys(stage) if name not in STAGES]
    return {name: list(places.loc[stage == name, ["touchpoint", "is_service"]].itertuples(index=False, name=None))
            for name in order}  # fmt: skip


def _told(place: str, service: bool) -> str:
    return plain_name(place) + " (service)" * service


def _chips(ax: Axes, own: list[tuple[str, bool]], y: float) -> float:
    """Draw chips side by side, on as many lines as they need; returns the height of the last line."""
    x = LEFT
    for place, service in own:
        look = {"facecolor": SERVICE if service else "white", "edgecolor": SERVICE if service else PALE}
        chip = ax.text(x, y, plain_name(place), va="center", fontsize=12, color="white" if service else INK,
                       weight="bold" if service else "normal",
                       bbox={"boxstyle": "round,pad=0.35", "linewidth": 1.2, **look})  # fmt: skip
        width = chip.get_window_extent().width / ax.get_window_extent().width
        if x + width > 1 and x > LEFT:
            x, y = LEFT, y - 1
            chip.set_position((x, y))
        x += width + GAP
    return y


def repeated_samples(result: pd.DataFrame | None, *, ax: Axes | None = None) -> Axes | None:
    """The interval of every sample as a line, one below the other; those that miss the value of everyone stand out.

    `result` is from `cx.repeated_samples`. Its samples are drawn by lot, of any size, and no group of people: none is
    hidden.
    """
    if not isinstance(result, pd.DataFrame):
        return None
    with style():
        return _samples(result, ax)


def _samples(result: pd.DataFrame, ax: Axes | None) -> Axes:
    whole = result[result["sample"] == EVERYONE].iloc[0]
    drawn = result[result["sample"] != EVERYONE].reset_index(drop=True)
    missed = drawn[drawn["note"] == MISSES]
    ax = axes(ax, 4.6)
    for place, one in enumerate(drawn.itertuples(index=False)):
        misses = one.note == MISSES
        ax.plot([one.lower, one.upper], [-place, -place], color=PUBLISHED if misses else PALE, solid_capstyle="butt",
                lw=3 if misses else 1.6, zorder=3 if misses else 2)  # fmt: skip
        ax.plot([one.estimate], [-place], "D" if misses else "o", color=PUBLISHED if misses else INK,
                ms=6 if misses else 2.6, zorder=4)  # fmt: skip
    line = Line(whole["estimate"], f"of everyone: {number(whole['estimate'])}", SERVICE)
    ax.axvline(line.value, color=line.colour, lw=1.8, zorder=2.5)
    ax.annotate(line.words, (line.value, len(drawn) * 0.045), color=SERVICE, fontsize=12, ha="center", va="center",
                weight="bold", zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip
    ax.set(ylim=(-len(drawn), len(drawn) * 0.09))
    size, level = number(drawn["n"].iloc[0]), percent(drawn["level"].iloc[0])
    told = [f"{number(len(drawn) - len(missed))} intervals hold it, {number(len(missed))} miss it", line.words]
    entitle(ax, "One sample, one interval", f"NPS points of {number(len(drawn))} samples of {size} answers each, "
            f"{level} intervals; thick with a diamond: misses", told)  # fmt: skip
    return ax
