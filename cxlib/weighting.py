"""Weights that give the answers the known margins of the population, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine, raking
from .errors import CxError, listed, refuse, shortened, unknown
from .schema import results
from .shares import group_keys, weight_sums, weighted

ROUNDS = 1_000


class Raked(NamedTuple):
    """A frame with a column of raked weights, and what the weights cost."""

    frame: engine.View
    report: pd.DataFrame


def rake(
    data: Any,
    margins: Mapping[str, Mapping[Any, float]],
    weights: str | None = None,
    most: float | None = None,
    name: str = "weight",
) -> Raked:
    """Weights under which the answers have the known margins of the population.

    Parameters
    ----------
    data : frame with one row per answer
    margins : column -> category -> share or number of people in the population
    weights : column of starting weights, 0 or more
    most : largest weight as a multiple of the mean weight, above 1; margins are then met as far as that allows
    name : of the new column; weights have mean 1

    Returns
    -------
    `frame`, a lazy view with the weights, and `report` in the result columns, term "rake": measures effective_n
    (answers that the weights are worth), design_effect, largest_weight, smallest_weight, largest_gap (share by which a
    margin is missed) and rounds. `frame, report = rake(...)` takes them apart.

    Raises
    ------
    CxError : all faults at once: a category of the margins nobody belongs to, one of the data without a margin, empty
        values, margins that contradict each other or do not add up, no convergence.

    Notes
    -----
    Iterative proportional fitting on the cells: one grouped query, however many the answers. Weights repair only
    differences between the categories; within them those silent may still differ: see `tipping_points`.

    Source: Deming & Stephan (1940); Kish (1965).

    >>> answers = pd.DataFrame({"region": ["n", "n", "n", "s"]})
    >>> frame, report = rake(answers, {"region": {"n": 0.5, "s": 0.5}})
    >>> frame.to_pandas("weight")["weight"].round(3).tolist(), report["estimate"].round(2).tolist()[0]
    ([0.667, 0.667, 0.667, 2.0], 3.0)
    """
    seen = engine.view(data)
    refuse(unknown("column", column, seen.at, "margins") for column in margins if column not in seen.at)
    cells = _cells(seen, list(margins), weights) if margins else pd.DataFrame()
    targets = {column: _shares(shares) for column, shares in margins.items()}
    refuse([*_margin_faults(cells, margins), *_option_faults(margins, most, name, seen, weights)])
    used = cells[cells["weight"] > 0].reset_index(drop=True)
    codes = [_text(used[f"g{i}"]).map({c: k for k, c in enumerate(targets[column])}).to_numpy(int)
             for i, column in enumerate(margins)]  # fmt: skip
    shares = [np.array(list(target.values())) for target in targets.values()]
    base = used["weight"].to_numpy(float)
    factor, rounds, gap = raking.fitted_weights(base, codes, shares, ROUNDS, most)
    if gap > 1e-6 and most is None:
        raise CxError(f"margins must be possible together; after {rounds:,} rounds one is still {gap:.3g} off; drop a "
                      "margin or join small categories")  # fmt: skip
    scale = used["rows"].sum() / base.sum()
    return Raked(_with_weights(seen, list(margins), used, factor * scale, weights, name),
                 _report(used, factor * scale, gap, rounds, most))  # fmt: skip


def _cells(seen: engine.View, columns: Sequence[str], weights: str | None) -> pd.DataFrame:
    """Answers and weights by the categories of all margins, in one grouped query."""
    values, sums = weight_sums(seen, weights)
    keys = group_keys(seen, columns)
    lazy = seen.frame.select(*(e.alias(name) for name, e in (keys | values).items()))
    counts = weighted(engine.collect(lazy.group_by(*keys).agg(*sums), list(keys)), weights)
    if counts.empty or not counts["weight"].sum() > 0:
        raise CxError("frame: there must be at least one answer with a weight above 0; there is none")
    return counts


def _text(column: pd.Series) -> pd.Series:
    """Categories as text; whole numbers without a point."""
    return column.convert_dtypes().astype(str)


def _shares(given: Mapping[Any, float]) -> dict[str, float]:
    """Shares or numbers of people as shares, by category as text."""
    total = float(sum(given.values())) or 1.0
    return {str(category): amount / total for category, amount in given.items()}


def _margin_faults(cells: pd.DataFrame, margins: Mapping[str, Mapping[Any, float]]) -> list[str]:
    faults = []
    for i, (column, given) in enumerate(margins.items()):
        where, found = f"margin '{shortened(column)}'", cells.loc[cells["weight"] > 0, f"g{i}"]
        if gaps := int(cells.loc[cells[f"g{i}"].isna(), "rows"].sum()):
            faults.append(f"{where}: every answer must have a category, {gaps:,} have none; recode or leave them out")
        there, wanted = set(_text(found.dropna())), {str(c): amount for c, amount in given.items()}
        nobody = [c for c in wanted if c not in there]
        if nobody:
            faults.append(f"{where}: nobody belongs to {listed(nobody)}; join it with another category; there are "
                          f"{listed(sorted(there))}")  # fmt: skip
        if extra := sorted(there - set(wanted)):
            faults.append(f"{where}: no share is given for {listed(extra)}; add it, for every answer needs one")
        odd = [c for c, amount in wanted.items() if not 0 < amount < np.inf]
        if odd:
            faults.append(
                f"{where}: shares must be above 0 and finite, not those of {listed(odd)}; leave out its answers"
            )
    return faults


def _option_faults(
    margins: Mapping[str, Mapping[Any, float]], most: Any, name: str, seen: engine.View, weights: str | None
) -> list[str]:
    faults = [] if margins else ["margins must name at least one column and its shares"]
    totals = [float(sum(given.values())) for given in margins.values()]
    shares = [0 < total <= 1 + 1e-6 for total in totals]
    for column, total, share in zip(margins, totals, shares, strict=True):
        if share and abs(total - 1) > 1e-6:
            faults.append(f"margin '{shortened(column)}': shares must add up to 1, these add up to {total:g}")
    counts = [total for total, share in zip(totals, shares, strict=True) if not share]
    if counts and max(counts) > min(counts) * (1 + 1e-6):
        faults.append(f"margins in numbers of people must add up to the same, not {listed(f'{c:g}' for c in counts)}")
    number = isinstance(most, (int, float)) and not isinstance(most, bool)
    if most is not None and not (number and most > 1):
        faults.append(f"most must be a multiple of the mean weight above 1, such as 5, not {shortened(most)!r}")
    if name in seen.at and name != weights:
        faults.append(f"name '{shortened(name)}' must be new, the frame has such a column; give name another")
    return faults


def _with_weights(
    seen: engine.View, columns: Sequence[str], cells: pd.DataFrame, factor: np.ndarray, weights: str | None, name: str
) -> engine.View:
    """The frame with each answer's weight: its starting weight times the factor of its cell."""
    start = seen[weights].cast(nw.Float64) if weights else nw.lit(1.0)
    at = seen.at.get(name, f"c{len(seen.at)}")
    lazy = seen.frame.with_columns((_by_cell(seen, columns, cells.assign(factor=factor), 0) * start).alias(at))
    return engine.View(lazy, {**seen.at, name: at}, {**seen.kind, name: engine.NUMBER})


def _by_cell(seen: engine.View, columns: Sequence[str], cells: pd.DataFrame, i: int) -> nw.Expr:
    """The factor of a row's cell, column by column: a row is compared with categories, not with every cell."""
    if i == len(columns):
        return nw.lit(float(cells["factor"].iloc[0]))
    expression: nw.Expr = nw.lit(0.0)
    for category, part in cells.groupby(f"g{i}", observed=True, sort=False):
        plain = category.item() if isinstance(category, np.generic) else category
        found = _by_cell(seen, columns, part, i + 1)
        expression = nw.when(seen[columns[i]] == plain).then(found).otherwise(expression)
    return expression


def _report(cells: pd.DataFrame, factor: np.ndarray, gap: float, rounds: int, most: float | None) -> pd.DataFrame:
    weight, square = cells["weight"] * factor, cells["square"] * factor**2
    n = cells["rows"].sum()
    worth = weight.sum() ** 2 / square.sum()
    mean = cells["weight"] * factor / cells["rows"]  # of a cell
    found = {"effective_n": (worth, "answers"), "design_effect": (n / worth, "ratio"),
             "largest_weight": (mean.max(), "mean weight"), "smallest_weight": (mean.min(), "mean weight"),
             "largest_gap": (gap, "share"), "rounds": (rounds, "rounds")}  # fmt: skip
    method = "raking" + (f", weights at most {most:g} times their mean" if most else "")
    note = "the limit on weights keeps a margin from being met" if gap > 1e-6 else ""
    return results(
        {"term": "rake", "measure": name, "estimate": value, "n": n, "unit": unit, "method": method,
         "note": note if name == "largest_gap" else ""}
        for name, (value, unit) in found.items()
    )  # fmt: skip
