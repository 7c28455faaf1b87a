"""Channels: how customers and company meet, and what changing the channel within one issue goes with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from . import engine
from .data import Tables
from .errors import CxError, refuse, shortened, unknown
from .intervals import quantile
from .ratios import unit_shares
from .resample import described
from .schema import SPOKEN, results
from .standardised import compared, strata

SERVICE, REST = "service", "rest"
BADLY = "went_badly"  # made here: the ticket before on the issue was escalated, reopened, slow or still open
SLOW_HOURS = 72.0
MEASURES = ("mean_switched", "mean_stayed", "naive", "adjusted")
Row = dict[str, Any]


def channel_shares(data: Tables, level: float = 0.95) -> pd.DataFrame:
    """Share of interactions by channel, of service and of the rest.

    Parameters
    ----------
    data : Tables with interactions that have a channel; without touchpoints all of them count as "rest"
    level : confidence, between 0 and 1

    Returns
    -------
    Column channel, then the result columns; term "service" or "rest", measure share (of the interactions of that kind,
    n); channels that only the other kind has are left out. No channel is "(none)".

    Raises
    ------
    CxError : a missing table or column.

    Notes
    -----
    The customer is the unit of sampling; see `interaction_scope`.

    >>> import cxlib as cx
    >>> tables, _ = cx.simulate(customers=300, seed=1)
    >>> found = cx.channel_shares(cx.load(tables))
    >>> found.groupby("term")["estimate"].sum().round(9).tolist()
    [1.0, 1.0]
    """
    quantile(level)
    seen = data.need("interactions", "channels are written there")
    refuse(unknown("column", name, seen.at, "interactions") for name in ["channel"] if name not in seen.at)
    lazy = seen.frame.select("customer_id", "touchpoint", nw.col("channel").cast(nw.String))
    if data.touchpoints is None:
        lazy = lazy.with_columns(nw.lit(REST).alias("term"))
    else:
        term = nw.when(nw.col("is_service")).then(nw.lit(SERVICE)).otherwise(nw.lit(REST)).alias("term")
        lazy = lazy.join(data.touchpoints.frame.select("touchpoint", term), on="touchpoint", how="inner")
    found = unit_shares(lazy, "customer_id", ["channel"], level, ["term"])
    found["channel"] = found["channel"].replace("", "(none)")
    found = found.sort_values(["term", "estimate"], ascending=[False, False], kind="stable", ignore_index=True)
    return results(found.assign(measure="share").to_dict("records"), ["channel"])


def channel_switches(
    data: Tables,
    alike: Sequence[str] | None = None,
    issue: str = "issue_id",
    outcome: str = "csat",
    level: float = 0.95,
    replicates: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """How many issues take several tickets and change channel, and how much lower such tickets are rated.

    Parameters
    ----------
    data : Tables with tickets that have an issue, a channel and an outcome
    alike : columns of the tickets that are held alike; "went_badly" is whether the ticket before on the issue was
        escalated, reopened, slower than 72 hours or open when this one came. None = topic and went_badly, as far as
        the tickets tell them
    issue : column that tickets about one issue share
    outcome : column of numbers
    level, replicates, seed : of the intervals

    Returns
    -------
    Result columns. term "issues": several (share of issues with more than one ticket) and switched (share of later
    tickets of an issue that came by another channel than the one before). term "switch", of rated later tickets, in
    points: mean_switched, mean_stayed, naive (their difference) and adjusted (the difference among tickets alike,
    weighted by those that switched); matched (share of the switched for which there are others alike).

    Raises
    ------
    CxError : a missing table or column; fewer than five rated tickets that switched, or that stayed.

    Notes
    -----
    An issue that goes badly makes customers try another channel and is rated low on any, so the plain difference
    takes too much for the switch. Percentile intervals, resampling customers. Checked against a loop over tickets,
    and against simulated tickets whose rating is known with and without the switch.

    Source: Robins (1986), standardisation; Efron (1979).

    >>> import cxlib as cx
    >>> tables, _ = cx.simulate(customers=3000, seed=1)
    >>> found = cx.channel_switches(cx.load(tables), replicates=0).set_index("measure")["estimate"]
    >>> bool(found["naive"] < found["adjusted"] < 0)
    True
    """
    quantile(level)
    seen = data.need("tickets", "switches of channel are seen there")
    given = [name for name in alike or () if name != BADLY]
    needs = ["customer_id", issue, "channel", outcome, *given]
    refuse(unknown("column", name, seen.at, "tickets") for name in needs if name not in seen.at)
    badly = went_badly(seen)
    chosen = [name for name in ("topic", BADLY) if name in seen.at or (name == BADLY and badly is not None)]
    chosen = list(alike) if alike is not None else chosen
    if BADLY in chosen and badly is None:
        raise CxError(f"tickets: '{BADLY}' needs escalated, reopened or resolved_at; leave it out of alike")
    later = _later(seen, issue, outcome, badly)
    switched = unit_shares(later, "customer_id", ["switched"], level)
    rows = [{"term": "issues", "measure": "several", **_several(seen, issue, level)}]
    rows += [{"term": "issues", "measure": "switched", **row}
             for row in switched[switched["switched"] == "1"].drop(columns="switched").to_dict("records")]  # fmt: skip
    rated = later.filter(~nw.col("outcome").is_null())
    names = [*chosen, "switched", "outcome", "customer_id"]
    view = engine.View(rated, {name: name for name in names}, dict.fromkeys(names, engine.FACTOR))
    found = strata(view, chosen, "switched", "outcome", "customer_id")
    told = f"same {' and '.join(SPOKEN.get(name, name) for name in chosen)}" if chosen else "nothing held alike"
    method = described(None, "customer_id", replicates).lstrip(", ;")
    for row in compared(found, "switch", MEASURES, "points", level, replicates, seed):
        rows.append({**row, "method": f"{told}; {method}" if row["measure"] == "adjusted" else f"plain; {method}"})
    rows.append({"term": "switch", "measure": "matched", "estimate": found.matched, "unit": "share",
                 "n": found.rows[..., 1].sum(), "method": told})  # fmt: skip
    return results(rows)


def went_badly(seen: engine.View) -> nw.Expr | None:
    """1 where a ticket was escalated, reopened or slow, else 0; None where no column tells."""
    signs = [seen[name] for name in ("escalated", "reopened") if name in seen.at]
    flags = [sign.cast(nw.Float64) > 0 for sign in signs]
    if "resolved_at" in seen.at:
        flags.append(engine.minutes_between(seen["resolved_at"], seen["opened_at"]) > 60 * SLOW_HOURS)
        flags.append(seen["resolved_at"].is_null())
    if not flags:
        return None
    return nw.when(nw.any_horizontal(*flags, ignore_nulls=True)).then(nw.lit(1)).otherwise(nw.lit(0))


def _later(seen: engine.View, issue: str, outcome: str, badly: nw.Expr | None) -> nw.LazyFrame[Any]:
    """Tickets after the first of their issue, with whether the channel changed and how the one before went."""
    order = ["opened_at", "ticket_id"] if "ticket_id" in seen.at else ["opened_at"]
    lazy = seen.frame.filter(~nw.col(issue).is_null()).with_columns(
        nw.col("channel").cast(nw.String).fill_null("").alias("by"),
        (badly if badly is not None else nw.lit(0)).alias("bad"),
        nw.lit(1).alias("one"),
    )
    before = {"before": "by", BADLY: "bad", "again": "one"}
    lazy = lazy.with_columns(
        nw.col(column).shift(1).over(issue, order_by=order).alias(name) for name, column in before.items()
    )
    moved = nw.when(nw.col("by") != nw.col("before")).then(nw.lit(1)).otherwise(nw.lit(0))
    later = lazy.filter(~nw.col("again").is_null())
    return later.with_columns(moved.alias("switched"), nw.col(outcome).alias("outcome"))


def _several(seen: engine.View, issue: str, level: float) -> Row:
    """Share of issues with more than one ticket; an issue belongs to one customer."""
    who = nw.col("customer_id").max()
    each = seen.frame.filter(~nw.col(issue).is_null()).group_by(issue).agg(who, nw.len().alias("tickets"))
    many = nw.when(nw.col("tickets") > 1).then(nw.lit("yes")).otherwise(nw.lit("no")).alias("many")
    found = unit_shares(each.with_columns(many), "customer_id", ["many"], level)
    if found.empty:
        raise CxError(f"tickets: '{shortened(issue)}' must name at least one issue; it is empty throughout")
    yes = found[found["many"] == "yes"].drop(columns="many").to_dict("records")
    return yes[0] if yes else {"estimate": 0.0, "n": found["n"].max(), "unit": "share", "method": "count"}
