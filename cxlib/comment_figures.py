"""What customers talk about in their comments and in which tone, as figures."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from .comments import NO_THEME, WHOLE
from .forest import INK, PALE, Row, colour_of, forest_plot, plot, published

MOST = 8  # themes of a figure


@plot
def comment_themes(result: pd.DataFrame, *, claim: Any = None, ax: Axes | None = None) -> Axes:
    """Share of comments by theme, the most frequent first; `claim` is a row of `published_claims`."""
    shares = result[result["measure"].eq("share") & result["estimate"].notna()]
    named = shares[shares["term"] != NO_THEME].sort_values("estimate", ascending=False, kind="stable")
    rows = [Row(one.term, one, colour_of(one.term)) for one in named.head(MOST).itertuples(index=False)]
    rows += [Row("none of the themes", one, PALE, filled=False)
             for one in shares[shares["term"] == NO_THEME].itertuples(index=False)]  # fmt: skip
    return forest_plot(ax, rows, "What comments talk about", "Share of comments", published(claim))


@plot
def comment_tones(result: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Positive less negative comments on each theme, in points, the worst first, and of all comments."""
    tones = result[result["measure"].eq("net") & result["estimate"].notna()]
    named = tones[tones["term"] != WHOLE].sort_values(["n", "term"], ascending=[False, True], kind="stable").head(MOST)
    named = named.sort_values("estimate", kind="stable")
    rows = [Row(one.term, one, colour_of(one.term)) for one in named.itertuples(index=False)]
    rows += [Row(WHOLE, one, INK) for one in tones[tones["term"] == WHOLE].itertuples(index=False)]
    return forest_plot(ax, rows, "In which tone", "Positive less negative comments, points")
