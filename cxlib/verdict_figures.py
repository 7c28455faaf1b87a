"""Published figures and a study's own, side by side."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from .forest import OTHER, PUBLISHED, SERVICE, Row, forest_plot, style
from .verdicts import judged, own_rows, published_row, published_words, verdict_of
from .wording import percent

ABOUT_SERVICE = ("service", "contact", "experience")  # what a claim is about, where it is about service


def verdicts(held: pd.DataFrame | None, claims: pd.DataFrame, *, ax: Axes | None = None) -> Axes | None:
    """Each published figure that a study can test, with its margin, above the study's own with its interval.

    `held` is from `text.held_against`. Published figures without an n are dots without a line; of two bounds the lower
    is filled and the upper hollow.
    """
    names = [] if held is None else judged(held)
    if held is None or not names:
        return None
    rows = []
    for name in names:
        said = published_row(held, name)
        words = published_words(held, claims, name) + ", no n given" * bool(pd.isna(said.lower))
        heading = f"{claims.loc[name, 'label']}: {verdict_of(held, name)}"
        rows.append(Row("published", said, PUBLISHED, heading=heading, words=words))
        own = own_rows(held, name)
        colour = SERVICE if claims.loc[name, "about"] in ABOUT_SERVICE else OTHER
        named = ["here"] if len(own) == 1 else ["here, at least", "here, at most"]
        rows += [Row(words, row, colour, filled=not i) for i, (words, row) in enumerate(zip(named, own, strict=True))]
    level = percent(own_rows(held, names[0])[0].level)
    with style():
        return forest_plot(ax, rows, "Published, and here", f"Shares, {level} intervals")


def margins(held: pd.DataFrame | None, claims: pd.DataFrame, *, ax: Axes | None = None) -> Axes | None:
    """The margin that the published n allows, for the published shares that give one; the largest first."""
    if held is None:
        return None
    shares = claims[claims["unit"].eq("share") & claims["n"].notna()].sort_values("value", ascending=False)
    rows = [Row(str(claims.loc[name, "label"]), published_row(held, str(name)), PUBLISHED) for name in shares.index]
    with style():
        return forest_plot(ax, rows, "How sure the published shares are", "Share of respondents") if rows else None
