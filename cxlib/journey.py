"""The journey: where interactions happen, how much of them is service, who starts them, and how each part is rated."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from . import engine
from .data import Tables
from .errors import CxError, refuse, unknown
from .intervals import quantile, wilson
from .ratios import unit_means, unit_shares
from .schema import ordered, results

SERVICE, REST, ALL = "service", "rest", "all"
STARTERS = ("customer", "company")
Row = dict[str, Any]


def interaction_scope(data: Tables, level: float = 0.95) -> pd.DataFrame:
    """How much of all interactions is service, how many customers ever meet it, and who starts either.

    Parameters
    ----------
    data : Tables with interactions and touchpoints
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns. term "service": share (of all interactions, n) and reach (share of the customers with any
    interaction, n, who had one). term "service", "rest" and "all": proactive (share started by the company; n =
    interactions of that kind), where `initiated_by` is known. term "all", measure "unplaced": interactions at
    touchpoints that the table of touchpoints does not hold, left out; only where there are any.

    Raises
    ------
    CxError : a missing table or column; no interaction at a known touchpoint.

    Notes
    -----
    Service is what `touchpoints.is_service` marks. Customers with many interactions count with all of them, so the
    customer is the unit of sampling. Checked against statsmodels' cluster-robust covariance.

    Source: Cochran (1977), section 6.3.

    >>> import cxlib as cx
    >>> tables, _ = cx.simulate(customers=300, seed=1)
    >>> cx.interaction_scope(cx.load(tables)).query("measure == 'share'")["term"].tolist()
    ['service']
    """
    quantile(level)
    placed, unplaced = _placed(data)
    found = unit_shares(placed, "customer_id", ["kind"], level)
    rows = [{"term": SERVICE, "measure": "share", **row} for row in _records(found, kind=SERVICE)]
    rows = rows or [{"term": SERVICE, "measure": "share", "estimate": 0.0, "n": found["n"].max(), "unit": "share"}]
    rows.append({"term": SERVICE, "measure": "reach", **_reach(placed, level)})
    if "initiated_by" in data.need("interactions").at:
        known = placed.filter(nw.col("starter").is_in(list(STARTERS)))
        every = unit_shares(known, "customer_id", ["starter"], level).assign(kind=ALL)
        apart = pd.concat([unit_shares(known, "customer_id", ["starter"], level, ["kind"]), every])
        for kind in (SERVICE, REST, ALL):
            rows += [{"term": kind, "measure": "proactive", **row}
                     for row in _records(apart, kind=kind, starter="company")]  # fmt: skip
    if unplaced:
        rows.append({"term": ALL, "measure": "unplaced", "estimate": unplaced, "n": unplaced, "unit": "interactions",
                     "method": "left out"})  # fmt: skip
    return results(rows)


def journey_map(data: Tables, level: float = 0.95) -> pd.DataFrame:
    """How many interactions each stage and department has, and how customers rate what they met there.

    Parameters
    ----------
    data : Tables with interactions and touchpoints; with surveys and ratings for the ratings
    level : confidence, between 0 and 1

    Returns
    -------
    Columns stage and department, then the result columns; term "service" or "rest"; measures interactions (share of
    all interactions, n) and rating (mean in points; n = ratings). A stage or department without a name is "(none)".

    Raises
    ------
    CxError : a missing table; no interaction at a known touchpoint.

    Notes
    -----
    Ratings are those of answered surveys. What is often met need not be what is rated badly, and the other way round:
    both stand beside each other. The customer is the unit of sampling in both.

    Source: Cochran (1977), section 6.3.

    >>> import cxlib as cx
    >>> tables, _ = cx.simulate(customers=300, seed=1)
    >>> found = cx.journey_map(cx.load(tables))
    >>> float(found.loc[found["measure"] == "interactions", "estimate"].sum().round(9))
    1.0
    """
    quantile(level)
    by = ["stage", "department"]
    placed, _ = _placed(data)
    parts = [unit_shares(placed, "customer_id", [*by, "kind"], level).assign(measure="interactions")]
    if (rated := _rated(data)) is not None:
        parts.append(unit_means(rated, "customer_id", [*by, "kind"], "rating", level).assign(measure="rating"))
    found = pd.concat(parts, ignore_index=True).rename(columns={"kind": "term"})
    found[by] = found[by].replace("", "(none)")
    place = {stage: i for i, stage in enumerate(ordered("stage", found["stage"].unique()))}
    found = found.assign(place=found["stage"].map(place)).sort_values(["measure", "place", "department"], kind="stable")
    return results(found.to_dict("records"), by)


def touchpoint_places(data: Tables) -> nw.LazyFrame[Any]:
    """The touchpoints with stage, department and kind ("service" or "rest")."""
    seen = data.need("touchpoints", "what is service is written there")
    refuse(unknown("column", name, seen.at, "touchpoints") for name in ["is_service"] if name not in seen.at)
    service = nw.when(nw.col("is_service")).then(nw.lit(SERVICE)).otherwise(nw.lit(REST)).alias("kind")
    named = [nw.col(name) if name in seen.at else nw.lit("").alias(name) for name in ("stage", "department")]
    return seen.frame.select("touchpoint", service, *named)


def _placed(data: Tables) -> tuple[nw.LazyFrame[Any], int]:
    """Interactions with the place of their touchpoint and who started them, and how many have no place."""
    seen = data.need("interactions", "the journey needs it")
    starter = nw.col("initiated_by") if "initiated_by" in seen.at else nw.lit("")
    lazy = seen.frame.select("customer_id", "touchpoint", starter.cast(nw.String).alias("starter"))
    placed = lazy.join(touchpoint_places(data), on="touchpoint", how="inner")
    counts = [int(engine.collect(one.select(nw.len().alias("n")))["n"][0]) for one in (lazy, placed)]
    if not counts[1]:
        raise CxError("interactions: at least one must be at a touchpoint of the table 'touchpoints'; none is; "
                      "write both alike")  # fmt: skip
    return placed, counts[0] - counts[1]


def _rated(data: Tables) -> nw.LazyFrame[Any] | None:
    """Ratings with their customer and place, or None without them."""
    if data.ratings is None or data.surveys is None:
        return None
    who = data.surveys.frame.filter(~nw.col("answered_at").is_null()).select("survey_id", "customer_id")
    return data.ratings.frame.join(who, on="survey_id", how="inner").join(
        touchpoint_places(data), on="touchpoint", how="inner"
    )


def _reach(placed: nw.LazyFrame[Any], level: float) -> Row:
    """Share of the customers with an interaction who had service; a customer is one row, so Wilson's limits hold."""
    served = nw.when(nw.col("kind") == SERVICE).then(nw.lit(1.0)).otherwise(nw.lit(0.0)).alias("served")
    each = placed.select("customer_id", served).group_by("customer_id").agg(nw.col("served").max())
    row = engine.collect(each.select(nw.len().alias("n"), nw.col("served").sum()))
    n, hits = float(row["n"][0]), float(row["served"][0])
    lower, upper = (float(limit) for limit in wilson(hits, n, level))
    share = hits / n
    return {"estimate": share, "std_error": (share * (1 - share) / n) ** 0.5, "lower": lower, "upper": upper,
            "level": level, "n": n, "unit": "share", "method": "Wilson"}  # fmt: skip


def _records(found: pd.DataFrame, **chosen: str) -> list[Row]:
    """The rows with these keys, without them."""
    for name, value in chosen.items():
        found = found[found[name] == value]
    return found.drop(columns=[name for name in ("kind", "starter") if name in found]).to_dict("records")
