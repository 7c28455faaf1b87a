"""What an improvement is worth in words and tables, and the one sentence from NPS to retention and money."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from .layout import laid_out
from .schema import TOO_FEW
from .staying_findings import longest, points, unclear
from .wording import (
    CLASSES,
    Sentence,
    digits,
    estimate,
    interval,
    listed,
    number,
    percent,
    pick,
    plain_name,
    sentence,
    visible,
)

WORTH = {
    "avoided": "departures avoided", "kept": "customers more at the end", "gain": "gain", "cost": "cost", "net": "net",
    "break_even": "one-off cost that would just pay", "return": "return on the cost",
    "payback": "months until paid back",
}  # fmt: skip

NO_NUMBER = {"": "–", TOO_FEW: TOO_FEW}  # by the note; another one says that it is never paid back


@sentence
def return_on_investment(
    result: pd.DataFrame,
    reductions: Mapping[str, float],
    months: int,
    period_days: float,
    discount: float = 0.08,
    **money: Any,
) -> str:
    """What the improvement gains, costs and leaves over, and when it is paid back; arguments as those of `cx.`'s."""
    avoided, kept, gain, cost, net, even, paid = (
        pick(result, "improvement", name)
        for name in ("avoided", "kept", "gain", "cost", "net", "break_even", "payback")
    )
    gone = listed([f"{percent(share)} of the failures of {plain_name(cause)}" for cause, share in reductions.items()])
    back = f"paid back after {number(paid.estimate)} months" if math.isfinite(paid.estimate) else str(paid.note)
    return (
        f"without {gone}, {estimate(avoided)} of departures would be avoided if the shares are effects: "
        f"{number(kept.estimate)} customers more after {number(months)} months, and a gain of {_money(gain)} in money "
        f"of today ({percent(discount)} a year; departures are counted in {number(period_days)} days); less the cost "
        f"of {number(cost.estimate)} {cost.unit}, {_money(net)} are left{unclear(net)}, {back}. A one-off cost up to "
        f"{_money(even)} would pay; n = {number(net.n)} customers."
    )


@sentence
def investment_naive(result: pd.DataFrame) -> str:
    """What crediting the improvement with every departure after a failure would promise; `result` is from `beside`."""
    naive, own = (pick(result[result["model"] == model], "improvement", "gain") for model in ("naive", "adjusted"))
    times = naive.estimate / own.estimate if own.estimate > 0 else math.nan
    more = f", {number(times, '', 1)} times as much" if math.isfinite(times) else ""
    return (
        f"crediting the improvement with every departure after a failure would promise {_money(naive)}{more}, against "
        f"{_money(own, False)}: many who leave after a failure had other grounds too, and would have left all the same."
    )


def linkage_answer(
    retention: pd.DataFrame | None,
    worth: pd.DataFrame | None,
    path: pd.DataFrame | None = None,
    reductions: Mapping[str, float] | None = None,
    months: int = 0,
    who: str = "customers",
) -> Sentence | None:
    """The one sentence of the notebook, of what the study feeds: retention, path, worth; None where it feeds none."""
    told, n = [], 0.0
    if isinstance(retention, pd.DataFrame):
        last, shown = longest(visible(retention))
        own = shown[shown["measure"].eq("retention")].set_index("nps_class", drop=False)
        rows = [
            next(own.loc[[name]].itertuples(index=False)) for name in ("promoter", "detractor") if name in own.index
        ]
        rows = [row for row in rows if math.isfinite(row.estimate)]
        if rows:
            after = f"{number(last)} days after an answer " if last else ""
            shares = [f"{estimate(row, not i)} of {CLASSES[row.nps_class]}" for i, row in enumerate(rows)]
            told.append(f"{after}{listed(shares)} are still customers")
            n = float(own["n"].sum())
    if told and isinstance(path, pd.DataFrame):
        total, indirect = (pick(visible(path), term, "effect") for term in ("total", "indirect"))
        if math.isfinite(total.estimate):
            told.append(
                f"of the {points(total, False)} by which more leave after a failure, {points(indirect, False)} run "
                f"through what customers said{unclear(indirect)}"
            )
    if isinstance(worth, pd.DataFrame):
        net = pick(visible(worth), "improvement", "net")
        if math.isfinite(net.estimate):
            gone = listed([f"{percent(share)} of the failures of {plain_name(cause)}"
                           for cause, share in (reductions or {}).items()])  # fmt: skip
            told.append(
                f"with {gone or 'fewer failures'} gone, {_money(net, not told)} would be left over {number(months)} "
                f"months after the cost, if the shares are effects{unclear(net)}"
            )
            n = n or float(net.n)
    if not told:
        return None
    words = "; ".join(told)
    return Sentence(f"{words[:1].upper()}{words[1:]}; n = {number(n)} {who}.")


def investment_table(results: Mapping[float, pd.DataFrame] | None, title: str) -> GT | None:
    """What different shares of the failures gone would be worth, a row for each share; None for nothing."""
    if not results:
        return None
    rows = []
    for share, result in results.items():
        own = visible(result)
        told = {"failures gone": percent(share)}
        for name in ("avoided", "kept", "net", "payback"):
            row = pick(own, "improvement", name)
            plain = number(row.estimate) if math.isfinite(row.estimate) else NO_NUMBER.get(row.note, "never")
            # Intervals of all four would not fit the width of a page.
            limits = name in ("avoided", "net") and math.isfinite(row.lower) and math.isfinite(row.upper)
            words = f"{number(row.estimate, row.unit, digits(row))} ({interval(row)})" if limits else plain
            told[WORTH[name]] = words.replace(" ", "\N{NO-BREAK SPACE}")
        rows.append(told)
    unit = result.loc[result["measure"] == "net", "unit"].iloc[0]
    return laid_out(pd.DataFrame(rows), title, f"In brackets: {percent(row.level)} intervals; net in {unit}.")


def _money(row: Any, first: bool = True) -> str:
    """An amount with its unit: "12,300 EUR (95% interval 1,200 to 25,000)"."""
    level = f"{percent(row.level)} interval " if first else ""
    limits = f" ({level}{interval(row)})" if math.isfinite(row.lower) and math.isfinite(row.upper) else ""
    return f"{number(row.estimate)} {row.unit}{limits}"
