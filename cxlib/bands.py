"""Bands: factors made of numbers, by the user's edges or by those of the landmark frame in `schema`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw

from . import engine, schema
from .errors import CxError, refuse, shortened


def band(
    frame: Any, column: str, edges: Sequence[float], labels: Sequence[str], name: str | None = None
) -> engine.View:
    """Make a factor of a number: low <= edge < high.

    Parameters
    ----------
    frame : any frame, or a view from `landmark`
    column : a numeric column
    edges : upper ends of all bands but the last, rising; a value on an edge belongs to the lower band
    labels : one more than edges, from low to high
    name : of the new column; None replaces the number

    Returns
    -------
    A lazy view of the frame with the factor. Missing stays missing.

    Raises
    ------
    CxError
        Unknown column, a column that is not a number, edges that do not rise, a wrong count of labels.

    Examples
    --------
    >>> import pandas as pd
    >>> band(pd.DataFrame({"fee": [10, 89.4, 90]}), "fee", [89.4], ["low", "high"]).to_pandas()["fee"].tolist()
    ['low', 'low', 'high']
    """
    seen = engine.view(frame)
    engine.require(seen, [column])
    name = column if name is None else name
    refuse(band_faults(f"band '{shortened(column)}'", edges, labels))
    if seen.kind[column] != engine.NUMBER:
        raise CxError(
            f"band '{shortened(column)}': the column must be a number, it is a {seen.kind[column]}; recode it"
        )
    at = seen.at.get(name, f"c{len(seen.at)}")
    lazy = seen.frame.with_columns(cut(seen[column], edges, labels).alias(at))
    return engine.View(lazy, {**seen.at, name: at}, {**seen.kind, name: engine.FACTOR})


def band_faults(where: str, edges: Sequence[float], labels: Sequence[str]) -> list[str]:
    """What is wrong with edges and labels."""
    faults = []
    if list(edges) != sorted(set(edges)) or not all(-1e300 < edge < 1e300 for edge in edges) or not edges:
        faults.append(f"{where}: edges must be one or more rising numbers, not {shortened(list(edges))}")
    if len(labels) != len(edges) + 1 or len(set(labels)) != len(labels):
        wanted = f"{len(edges) + 1} different texts, one more than edges"
        faults.append(f"{where}: labels must be {wanted}, not {shortened(list(labels))}")
    return faults


def cut(number: nw.Expr, edges: Sequence[float], labels: Sequence[str]) -> nw.Expr:
    """The label of each number; null stays null."""
    banded: nw.Expr = nw.when(number > edges[-1]).then(nw.lit(labels[-1]))
    for edge, label in zip(reversed(edges), reversed(labels[:-1]), strict=True):
        banded = nw.when(number <= edge).then(nw.lit(label)).otherwise(banded)
    return banded


def with_bands(lazy: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The landmark frame with counts filled, shares computed and bands cut, as far as it has the columns."""
    there = set(lazy.collect_schema().names())
    counts = [name for name in ("service_contacts", "service_failed", "fault_count") if name in there]
    lazy = lazy.with_columns(nw.col(name).fill_null(0).cast(nw.Int64).alias(name) for name in counts)
    if "price" in there:
        lazy = lazy.with_columns((nw.col("price") / nw.col("earlier") - 1).alias("price_change"))
    if "market" in there:
        lazy = lazy.with_columns((nw.col("price") / nw.col("market") - 1).alias("market_gap"))
    there = set(lazy.collect_schema().names())
    return lazy.with_columns(expr.alias(name) for name, needs, expr in landmark_bands() if needs in there)


def landmark_bands() -> Iterator[tuple[str, str, nw.Expr]]:
    """Each band of the landmark frame: its name, the column it needs, and how it is made."""
    none, good, failed = (nw.lit(level) for level in schema.SERVICE_LEVELS)
    worst = nw.when(nw.col("service_failed") > 0).then(failed).otherwise(good)
    service = nw.when(nw.col("service_contacts") == 0).then(none).otherwise(worst)
    yield "tenure_band", "tenure_days", cut(nw.col("tenure_days"), schema.TENURE_EDGES, schema.TENURE_LEVELS)
    yield "service_band", "service_contacts", service
    # 11 / 10 - 1 is 0.10000000000000009 in binary: without rounding a rise of exactly 10 % would be "a lot".
    yield "price_band", "price_change", cut(nw.col("price_change").round(9), schema.PRICE_EDGES, schema.PRICE_LEVELS)
    yield "gap_band", "market_gap", cut(nw.col("market_gap").round(9), schema.GAP_EDGES, schema.GAP_LEVELS)
    yield "fault_band", "fault_count", cut(nw.col("fault_count"), schema.FAULT_EDGES, schema.FAULT_LEVELS)
    yield "nps_class", "recommend", nps_class(nw.col("recommend"))


def nps_class(score: nw.Expr, last: int = 10) -> nw.Expr:
    """Promoter, passive or detractor by a score on a scale that ends at `last`; "no answer" where there is none."""
    promoter, passive, detractor, silent = (nw.lit(level) for level in schema.NPS_LEVELS)
    low = nw.when(score >= last - 3).then(passive).otherwise(detractor)
    scored = nw.when(score >= last - 1).then(promoter).otherwise(low)
    return nw.when(score.is_null()).then(silent).otherwise(scored)
