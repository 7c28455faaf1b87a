"""Result tables as figures: estimates with their intervals, labelled directly, legible at phone width.

Every function takes a result table and returns the Axes; given None, because the study does not feed the statistic,
it returns None. Service is blue, all else grey, a published figure a dashed red line; colour never tells alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from .comment_figures import comment_themes, comment_tones
from .curves import fraction_by_horizon, hazard_ratios, reason_shares, segments, survival, what_if
from .experience_figures import (
    attrition_prediction,
    both_scales,
    not_met_comparison,
    nps_what_if,
    operational_measures,
    ordinal_check,
    penalty_reward,
    rated_low,
    satisfaction_overlap,
    service_gap,
)  # fmt: skip
from .forest import (
    INK,
    OTHER,
    PALE,
    PUBLISHED,
    SERVICE,
    Line,
    Row,
    alt,
    axes,
    colour_of,
    entitle,
    forest_plot,
    plot,
    published,
    rows_of,
    style,
)  # fmt: skip
from .journey_figures import (
    channel_shares,
    channel_switches,
    closed_loop,
    coming_back,
    interaction_scope,
    journey_map,
    preventable_contacts,
)  # fmt: skip
from .maps import importance_performance
from .monitor import (
    attrition_definitions,
    closed_and_all,
    control_chart,
    leaks,
    missing_ratings,
    missing_values,
    nps_change,
    raked,
    rows_by_period,
)  # fmt: skip
from .pictures import picture
from .schema import LEVELS
from .start_figures import experience_map, repeated_samples
from .value_figures import (
    mediation,
    referrals,
    retention_by_nps,
    return_on_investment,
    score_comparison,
    still_there,
    word_of_mouth,
)  # fmt: skip
from .verdict_figures import margins, verdicts
from .wording import capital, groups_of, listed, number, percent, plain_name, visible

__all__ = [
    "PUBLISHED", "alt", "attributable_fractions", "attrition_definitions", "attrition_prediction", "both_scales",
    "channel_shares", "channel_switches", "closed_and_all", "closed_loop", "coming_back", "comment_themes",
    "comment_tones", "control_chart", "distribution", "experience_map", "fraction_by_horizon", "hazard_ratios",
    "importance_performance", "interaction_scope", "journey_map", "leaks", "margins", "mediation", "missing_ratings",
    "missing_values", "naive_and_adjusted", "not_met_comparison", "nps", "nps_change", "nps_what_if",
    "operational_measures", "ordinal_check", "outweighs", "penalty_reward", "preventable_contacts", "raked",
    "rated_low", "reason_shares", "referrals", "relative_importance", "repeated_samples", "retention_by_nps",
    "return_on_investment", "role_interval", "rows_by_period", "satisfaction_overlap", "score_comparison", "segments",
    "service_gap", "show", "still_there", "style", "survival", "verdicts", "what_if", "word_of_mouth",
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


def show(ax: Axes | None, told: str = "") -> None:
    """Display a figure, drawn once, with its text alternative, and close it; nothing for None.

    Parameters
    ----------
    ax : axes of a figure of the kit, or of your own
    told : what a figure of your own shows, in words; the kit's tell themselves
    """
    from IPython.display import display

    if ax is None:
        return
    figure: Any = ax.figure
    ours = " ".join(filter(None, map(alt, figure.axes)))
    data = {"image/png": picture(figure, fits=bool(ours)), "text/plain": told or ours}
    display(data, metadata={"image/png": {"alt": told or ours}}, raw=True)
    plt.close(figure)


@plot
def attributable_fractions(
    result: pd.DataFrame,
    *,
    measure: str = "average_fraction",
    orders: bool = False,
    claim: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Share of attrition associated with each cause and with all of them; `claim` is a row of `text.claims`.

    With `orders` also the smallest and the largest share over all orders in which the causes are removed (hollow).
    """
    causes = result[result["measure"].eq(measure) & result["term"].ne("joint")]
    rows = []
    for one in causes.itertuples(index=False):
        ends = {"least, by order": "lowest_order", "most, by order": "highest_order"} if orders else {}
        found = [(name, row) for name, end in ends.items() for row in rows_of(result, one.term, end)]
        rows += [Row("average of all orders", one, colour_of(one.term), heading=one.term) if found else
                 Row(one.term, one, colour_of(one.term))]  # fmt: skip
        rows += [Row(name, row, colour_of(one.term), filled=False) for name, row in found]
    rows += [Row("all of them together", one, INK) for one in rows_of(result, "joint", "fraction")] * (len(rows) > 1)
    return forest_plot(ax, rows, "Attrition associated with each cause", "Share of departures", published(claim))


@plot
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
        rows += [Row(first, one, PALE, filled=False, heading=term) for one in rows_of(naive, term, measure)]
        rows += [Row(second, one, colour_of(term)) for one in rows_of(adjusted, term, measure)]
    return forest_plot(ax, rows, title, unit, published(claim))


@plot
def role_interval(result: pd.DataFrame, *, claim: Any = None, ax: Axes | None = None) -> Axes:
    """Bounds on the share of departures in which each cause plays a role; each bound with its own interval."""
    rows = []
    for term in result["term"].unique():
        rows += [Row("at least", one, colour_of(term), heading=term) for one in rows_of(result, term, "lower_bound")]
        rows += [Row("at most", one, colour_of(term), filled=False) for one in rows_of(result, term, "upper_bound")]
    return forest_plot(ax, rows, "Departures a cause plays a role in", "Share of departures", published(claim))


@plot
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
        found = rows_of(result, f"{a} > {b}", measure)
        rows += [Row(f"{a} outweighs {b}", one, colour_of(a), heading=among) for one in found]
        rows += [Row(f"{b} outweighs {a}", one, colour_of(b)) for one in rows_of(result, f"{b} > {a}", measure)]
        for term, name in (("tie", "both weigh the same"), ("neither", "no failure of either")):
            rows += [Row(name, one, INK) for one in rows_of(result, term, measure) if one.estimate > 0]
    return forest_plot(ax, rows, f"{capital(a)} or {b}: which weighs more?", "Share of departures", published(claim))


@plot
def relative_importance(result: pd.DataFrame, *, members: bool = False, ax: Axes | None = None) -> Axes:
    """What each group of drivers, or with `members` each driver, adds to explaining the score; hollow = maybe noise."""
    shares = result[result["measure"].eq("share")]
    inside = shares["term"].str.contains("/", regex=False)
    grouped = shares["term"].where(~inside, shares["term"].str.split("/").str[0])
    alone = ~inside & ~grouped.isin(grouped[inside])
    shares = shares[inside | alone if members else ~inside].sort_values("estimate", ascending=False, kind="stable")
    rows = [
        Row(*_member(one.term), one, colour_of(one.term.split("/")[0]) if not one.note else PALE, filled=not one.note)
        for one in shares.itertuples(index=False)
    ]
    what = "driver" if members else "group"
    return forest_plot(ax, rows, f"What goes with the score, by {what}", "Share of what is explained")


@plot
def nps(
    result: pd.DataFrame,
    *,
    overall: pd.DataFrame | None = None,
    differences: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """NPS of each group in points, in the order of its levels or by size; `overall` adds a line for everyone.

    With `differences`, from `nps_differences`, the groups that differ from the others by more than chance say so.
    """
    keys = groups_of(result)
    apart = set()
    if differences is not None:
        noted = differences[differences["note"].str.startswith("differs")]
        apart = set(noted[keys].itertuples(index=False, name=None))
    if not any(key in LEVELS for key in keys):
        result = result.sort_values("estimate", ascending=False, kind="stable")
    rows = [
        Row((", ".join(map(str, one[: len(keys)])) or "all") + " (differs)" * (one[: len(keys)] in apart), one, INK)
        for one in result.itertuples(index=False)
    ]
    title = f"NPS by {listed([plain_name(key) for key in keys])}" if keys else "NPS"
    lines = [] if overall is None else visible(overall).dropna(subset="estimate").itertuples(index=False)
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
        ax.bar(list(points), shares.to_numpy(), width=0.86, color=colours)
        top, told = shares.max(), []
        for name, (low, high, _) in ends.items():
            share = shares.loc[low:high].sum()
            left, right = low - 0.4, high + 0.4
            ax.plot([left, right], [1.18 * top] * 2, color=INK, lw=1)
            ax.annotate(f"{name}\n{percent(share)}", ((left + right) / 2, 1.18 * top), (0, 5), fontsize=11.5,
                        textcoords="offset points", ha="center", va="bottom", linespacing=1.25)  # fmt: skip
            told.append(f"{name} {percent(share)}")
        for x, share in shares.items():
            ax.annotate(
                percent(share), (x, share), (0, 2), textcoords="offset points", ha="center", fontsize=10.5, color=OTHER
            )
        ax.set(ylim=(0, 1.45 * top), xticks=list(points), xlabel="How likely to recommend, points", ylabel="")
        ax.grid(visible=False)
        entitle(ax, "How customers answered", "Share of answers at each point", told)
    return ax


def _member(term: str) -> tuple[str]:
    group, _, driver = term.partition("/")
    return (f"{driver} ({group})" if driver else group,)
