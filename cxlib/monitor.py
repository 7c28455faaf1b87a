"""Figures of the scorecard: measures over time with the limits of their noise, definitions side by side, changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .forest import INK, OTHER, PALE, PUBLISHED, SERVICE, Line, Row, axes, entitle, forest_plot, plot, rows_of, style
from .wording import capital, column_name, number, people, periods, smallest_group

DEFINITIONS = {
    "cohort": "of those there at the start",
    "period": "of the mean daily customers",
    "kaplan_meier": "Kaplan-Meier, newcomers too",
}
LABELS = 4  # periods named on the axis


@plot
def control_chart(result: pd.DataFrame, *, name: str, service: bool = False, ax: Axes | None = None) -> Axes:
    """A measure period by period within the limits of its own noise; signals are diamonds, and named.

    Parameters
    ----------
    result : from `control_chart`, without groups
    name : what is measured, for the title
    service : draw in the colour of service
    """
    wide = _by_period(result)
    names, digits = periods(list(wide.index)), _decimals(wide)
    ax, colour, unit = axes(ax, 4.1), SERVICE if service else OTHER, _unit(result)
    x, told = np.arange(len(wide)), []
    ax.fill_between(x, wide["lower_limit"], wide["upper_limit"], step="mid", color=PALE, alpha=0.22, lw=0)
    ax.step(x, wide["centre"], where="mid", color=PALE, lw=1.4)
    ax.plot(x, wide["value"], "o-", color=colour, lw=1.6, ms=5)
    for i in np.flatnonzero(wide["note"].ne("") & wide["value"].notna()):
        ax.plot(x[i], wide["value"].iloc[i], "D", color=PUBLISHED, ms=10, zorder=3)
        told.append(f"signal in {names[wide.index[i]]}: {number(wide['value'].iloc[i], unit, digits)}, "
                    f"{wide['note'].iloc[i]}")  # fmt: skip
    _frame_periods(ax, wide, list(names.values()), unit, digits)
    ends = {when: [number(row[part], unit, digits) for part in ("value", "centre", "lower_limit", "upper_limit")]
            for when, row in wide[wide["value"].notna()].iterrows()}  # fmt: skip
    if ends:
        (first, start), (last, end) = (list(ends.items())[place] for place in (0, -1))
        told.insert(0, f"from {start[0]} in {names[first]} to {end[0]} in {names[last]}, centre {end[1]}, "
                       f"limits then {end[2]} to {end[3]}")  # fmt: skip
    signals = int((wide["note"].ne("") & wide["value"].notna()).sum())
    marks = f"{number(signals)} signal{'s' * (signals != 1)} marked" if signals else "no signal"
    few = "; limits provisional" if result["method"].str.contains("provisional").any() else ""
    entitle(ax, f"{capital(name)}, {_every(wide.index)}", f"Shaded: what is no more than noise; {marks}{few}",
            told or ["nothing is large enough to be shown"])  # fmt: skip
    return ax


@plot
def closed_and_all(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Hours to resolution of closed tickets alone beside those of all; `result` is from `text.beside`."""
    rows = []
    for measure, heading in (("median", "half of the tickets within"), ("percentile_90", "nine in ten within")):
        for model, name, colour in (("naive", "closed tickets alone", PALE), ("adjusted", "open ones too", SERVICE)):
            found = rows_of(result[result["model"] == model], "resolution_time", measure)
            rows += [Row(name, one, colour, filled=model != "naive", heading="" if model != "naive" else heading)
                     for one in found]  # fmt: skip
    return forest_plot(ax, rows, "Hours to resolution", "Hours from the opening")


@plot
def attrition_definitions(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The share of customers lost by each of its definitions, all kinds of ends together."""
    rows = [Row(words, one, INK if measure == "cohort" else OTHER)
            for measure, words in DEFINITIONS.items() for one in rows_of(result, "all", measure)]  # fmt: skip
    return forest_plot(ax, rows, "Attrition by its definitions", "Share of customers lost in the period")


@plot
def nps_change(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """NPS before and after, and the change between them, with its mix and rate parts where they were asked for."""
    names = {"before": "period before", "after": "this period", "change": "change",
             "mix": "of it, who answers (mix)", "rate": "of it, how they score (rate)"}  # fmt: skip
    rows = [Row(words, one, INK if measure == "change" else OTHER, filled=measure not in ("mix", "rate"))
            for measure, words in names.items() for one in rows_of(result, "nps", measure)]  # fmt: skip
    return forest_plot(ax, rows, "NPS, this period and the one before", "NPS points")


@plot
def raked(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """NPS as answered, and with weights that give the answers the margins of the customers; from `text.beside`."""
    names = {"naive": "as answered", "adjusted": "weighted to the customers"}
    rows = []
    for model, words in names.items():
        colour = PALE if model == "naive" else INK
        rows += [Row(words, one, colour, filled=model != "naive")
                 for one in rows_of(result[result["model"] == model], "nps", "nps")]  # fmt: skip
    return forest_plot(ax, rows, "NPS, who answered and who is a customer", "NPS points")


@plot
def missing_ratings(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of answers without a rating, by touchpoint; from `touchpoint_gaps`."""
    rows = [Row(one.touchpoint, one, OTHER) for one in result.itertuples(index=False)]
    return forest_plot(ax, rows, "Touchpoints not rated", "Share of answers")


def missing_values(result: pd.DataFrame | None, *, most: int = 12, ax: Axes | None = None) -> Axes | None:
    """Share of rows without a value, by column, the emptiest first; no figure where no cell is empty."""
    gaps = isinstance(result, pd.DataFrame) and result["estimate"].gt(0).any()
    return _emptiest(result, most, ax) if gaps else None


@plot
def _emptiest(result: pd.DataFrame, most: int, ax: Axes | None) -> Axes:
    shown = result[result["estimate"].gt(0)].sort_values("estimate", ascending=False, kind="stable").head(most)
    rows = [Row(column_name(one), one, OTHER) for one in shown.itertuples(index=False)]
    return forest_plot(ax, rows, "Columns with empty cells", "Share of rows without a value")


def rows_by_period(result: pd.DataFrame | None, *, ax: Axes | None = None) -> Axes | None:
    """Rows of each table by period, one strip a table, each from none to its own most: a hole was never loaded.

    Hardly any rows are drawn as none. Months are no groups of people: no second one is hidden with them.
    """
    if not isinstance(result, pd.DataFrame):
        return None
    with style():
        return _strips(result.assign(estimate=result["estimate"].where(result["n"] >= smallest_group(), 0.0)), ax)


def _strips(result: pd.DataFrame, ax: Axes | None) -> Axes:
    tables, told = list(result["table"].unique()), []
    ax, names = axes(ax, 1.6 + 1.1 * len(tables)), periods(sorted(result["period"].unique()))
    places = {when: i for i, when in enumerate(names)}
    for i, table in enumerate(tables):
        own = result[result["table"] == table]
        most, ground = float(own["estimate"].max()), -1.4 * i
        up_to = f"up to {number(most)}" if most else people(1)
        ax.axhline(ground, color=PALE, lw=0.8)
        ax.plot([places[when] for when in own["period"]], own["estimate"] / max(most, 1.0) + ground, "o-",
                color=SERVICE if table == "tickets" else OTHER, ms=4, lw=1.4)  # fmt: skip
        ax.annotate(f"{capital(table)}, {up_to}", (0, ground + 1.02), (0, 2), fontsize=12,
                    textcoords="offset points", va="bottom", weight="bold")  # fmt: skip
        holes = [names[when] for when in own.loc[~own["estimate"].gt(0), "period"]]
        told.append(f"{table} {up_to} rows, {'hole in ' + ', '.join(holes) if holes else 'no hole'}")
    marks = np.unique(np.round(np.linspace(0, max(len(names) - 1, 0), LABELS)).astype(int))[: len(names)]
    ax.set_xticks(marks, [list(names.values())[mark] for mark in marks])
    ax.set(yticks=[])
    ax.grid(visible=False)
    entitle(ax, "Rows by month", "Each table from none up to its own fullest month", told)
    return ax


@plot
def leaks(result: pd.DataFrame, *, least: float = 0.5, most: int = 10, ax: Axes | None = None) -> Axes:
    """How much each column tells of who left, the most telling first; a line marks where suspicion begins."""
    shown = result.sort_values("estimate", ascending=False, kind="stable").head(most)
    rows = [Row(one.term, one, PUBLISHED if one.note else OTHER) for one in shown.itertuples(index=False)]
    lines = [Line(least, "suspect from here on", PUBLISHED, (0, (5, 3)))]
    ax = forest_plot(ax, rows, "How much columns tell of who left", "Share of the outcome's entropy", lines)
    ax.set_xlim(-0.01, 1.04)
    return ax


def _by_period(result: pd.DataFrame) -> pd.DataFrame:
    """Numbers by period, a column a measure, and the note of the value."""
    numbers = result.pivot(index="period", columns="measure", values="estimate")
    numbers = numbers.reindex(columns=["value", "centre", "lower_limit", "upper_limit", "change", "change_limit"])
    notes = result[result["measure"] == "value"].set_index("period")["note"]
    return numbers.assign(note=notes.where(numbers["value"].notna(), "").fillna(""))


def _unit(result: pd.DataFrame) -> str:
    return str(result["unit"].iloc[0]) if len(result) else ""


def _every(periods: pd.Index) -> str:
    """How often: month by month, say, from the distance of the periods."""
    starts = pd.to_datetime(pd.Series(periods))
    gap = float(starts.diff().dt.days.median()) if len(starts) > 1 else 30.0
    names: Mapping[str, float] = {"day by day": 1, "week by week": 7, "month by month": 30, "quarter by quarter": 91}
    return min(names, key=lambda name: abs(names[name] - gap))


def _frame_periods(ax: Axes, wide: pd.DataFrame, names: Sequence[str], unit: str, digits: int) -> None:
    """Axes of a chart by period: a few periods named, the measure's own unit, the last value written out."""
    places = np.unique(np.round(np.linspace(0, max(len(wide) - 1, 0), LABELS)).astype(int))[: len(wide)]
    ax.set_xticks(places, [names[place] for place in places])
    ax.set_xlim(-0.6, 1.16 * max(len(wide) - 1, 1))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, unit, digits)))
    ax.tick_params(axis="y", labelleft=True, labelcolor=OTHER, labelsize=12, length=0)
    ax.grid(visible=False, axis="x")
    ax.grid(visible=True, axis="y")
    known = np.flatnonzero(wide["value"].notna())
    if len(known):
        value = wide["value"].iloc[known[-1]]
        ax.annotate(number(value, unit, digits), (known[-1], value), (9, 0), textcoords="offset points", va="center",
                    weight="bold", fontsize=12)  # fmt: skip


def _decimals(wide: pd.DataFrame) -> int:
    """Decimals that tell neighbouring ticks apart: of five, where values and limits span less than five units or so."""
    numbers = wide[["value", "lower_limit", "upper_limit"]].to_numpy(float)
    if not np.isfinite(numbers).any():
        return 0
    span = float(np.nanmax(numbers) - np.nanmin(numbers)) * (100 if np.nanmax(np.abs(numbers)) <= 1 else 1)
    return sum(span < least for least in (5, 0.5, 0.05)) if span > 0 else 0
