"""Who shares the importance: drivers, alone or in groups, and their cross-products or cells with the score."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from .cells import EVERY_CUSTOMER, LARGEST, Cells, Moments, count_cells, cross_products, is_number
from .engine import FACTOR, NUMBER, View, bucketed, collect
from .errors import refuse
from .player_checks import MOST_PLAYERS, check_levels, check_names, check_values, check_variation, promoter_faults
from .schema import ordered

_FINE = 1_000_000  # parts of the answers that a sample may be made of


@dataclass(frozen=True)
class Players:
    """Who shares the importance: drivers as players, their columns in the moments, and the groups they form."""

    drivers: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]  # of each driver, positions in the moments
    groups: tuple[tuple[str, tuple[int, ...]], ...]  # name -> positions in `drivers`
    means: tuple[float, ...] = ()  # of each driver, from which its numbers are taken; 0 for factors
    effective: float = 0.0  # rows of equal weight that tell as much (Kish)

    @property
    def of_groups(self) -> tuple[tuple[int, ...], ...]:
        """The columns of each group."""
        return tuple(sum((self.columns[j] for j in members), ()) for _, members in self.groups)


@dataclass(frozen=True)
class Checked:
    """Arguments that have passed: what is asked for, the rows kept, and facts about each column over them."""

    drivers: tuple[str, ...]
    groups: tuple[tuple[str, tuple[int, ...]], ...]
    keep: nw.Expr
    facts: pd.DataFrame

    @property
    def rows(self) -> int:
        """Number of rows kept."""
        return int(self.facts.at["rows", "empty"])

    @property
    def effective(self) -> float:
        """Rows of equal weight that tell as much about a mean as these (Kish 1965)."""
        if "weights" not in self.facts.index:
            return float(self.rows)
        return self.rows * self.facts.at["weights", "mean"] ** 2 / self.facts.at["weights", "square"]

    def has_gaps(self, driver: str) -> bool:
        """Whether some rows have no value of the driver."""
        return bool(self.facts.at[driver, "empty"])


def player_moments(
    seen: View,
    outcome: str,
    drivers: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    weights: str | None = None,
    customer: str | None = None,
    missing: str | None = None,
) -> tuple[Moments, Players]:
    """Cross-products of the drivers' columns and, last, the outcome, by unit of resampling; who owns which column.

    Rows without an outcome are left out. Numbers are taken from their mean, so that large ones keep their digits.
    """
    given = checked(seen, outcome, drivers, groups, weights, customer, missing)
    terms: list[nw.Expr] = []
    columns, facts = [], given.facts
    for driver in given.drivers:
        own = _columns(seen, driver, given.keep, given.has_gaps(driver), facts.at[driver, "mean"])
        columns.append(tuple(range(len(terms), len(terms) + len(own))))
        terms += own
    terms.append(seen[outcome].cast(nw.Float64) - facts.at[outcome, "mean"])
    named = {f"column {i}": term for i, term in enumerate(terms)}
    means = tuple(facts.loc[[*given.drivers, outcome], "mean"])
    players = Players(given.drivers, tuple(columns), given.groups, means[:-1], given.effective)
    moments = cross_products(seen, named, customer, weights, given.keep)
    check_variation(moments, players.drivers, players.columns, means, outcome)
    return moments, players


def checked(
    seen: View,
    outcome: str,
    drivers: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    weights: str | None = None,
    customer: str | None = None,
    missing: str | None = None,
    most: int = MOST_PLAYERS,
) -> Checked:
    """Refuse, by name and all at once, what cannot be shared out; tell what the rows with an outcome hold."""
    drivers = tuple([drivers] if isinstance(drivers, str) else drivers)
    groups = {name: tuple([m] if isinstance(m, str) else m) for name, m in (groups or {}).items()}
    check_names(seen, outcome, drivers, groups, weights, customer, missing, most)
    keep = ~seen[outcome].is_null()
    for driver in drivers if missing == "drop" else ():
        keep = keep & ~seen[driver].is_null()
    facts = _facts(seen, keep, [*drivers, outcome], weights, customer)
    check_values(facts, drivers, outcome, weights, customer, missing)
    return Checked(drivers, _players(drivers, groups), keep, facts)


def player_cells(
    seen: View,
    promoters_from: float,
    most: int,
    outcome: str,
    drivers: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    weights: str | None = None,
    customer: str | None = None,
    missing: str | None = None,
) -> tuple[Cells, np.ndarray, Players, int]:
    """Cells of the drivers with the promoters as events, their columns (cells, columns), who owns which; all answers.

    Of more answers than `cells.EVERY_CUSTOMER` a sample is taken by a hash of the customer (or of the row's place).
    """
    given = checked(seen, outcome, drivers, groups, weights, customer, missing, most)
    refuse(promoter_faults(outcome, given.facts.at[outcome, "most"], promoters_from))
    lazy = bucketed(View(_sampled(seen, given, customer), seen.at, seen.kind), None, None)
    columns = {"row": nw.col("bucket"), "y": seen[outcome].cast(nw.Float64) >= promoters_from}
    columns |= {"w": seen[weights].cast(nw.Float64)} if weights else {}
    columns |= {"customer": seen[customer].cast(nw.String)} if customer else {}
    factors: dict[str, str] = {}
    for j, driver in enumerate(given.drivers):
        x, number = seen[driver], seen.kind[driver] == NUMBER
        if not number:
            _levels(seen, driver, given.keep)
        if given.has_gaps(driver):
            columns[f"met{j}"], factors[f"met{j}"] = ~x.is_null(), FACTOR
        there = (x.cast(nw.Float64) - given.facts.at[driver, "mean"]).fill_null(0.0) if number else x.cast(nw.String)
        columns[f"x{j}"], factors[f"x{j}"] = there if number else there.fill_null(""), NUMBER if number else FACTOR
    lazy = lazy.select(e.alias(name) for name, e in columns.items())
    plain = View(lazy, {c: c for c in columns}, dict.fromkeys(columns, NUMBER) | {"customer": FACTOR} | factors)
    units = {"customer": "customer", "period": "row"} if customer else {}
    cells = count_cells(plain, list(factors), "y", weights="w" if weights else None, **units)
    owned = [_owned(cells.levels, j) for j in range(len(given.drivers))]
    ends = np.cumsum([0, *(part.shape[1] for part in owned)])
    places = tuple(tuple(range(a, b)) for a, b in itertools.pairwise(ends))
    means = tuple(given.facts.loc[list(given.drivers), "mean"])
    effective = given.effective * min(1.0, cells.rows.sum() / given.rows)
    players, own = Players(given.drivers, places, given.groups, means, effective), np.column_stack(owned)
    told = f"{outcome} >= {promoters_from:g}"
    check_variation(_cell_moments(cells, own), given.drivers, places, (*means, 0.0), told)
    return cells, own, players, given.rows


def _levels(seen: View, driver: str, keep: nw.Expr) -> list[Any]:
    x = seen[driver]
    levels = list(collect(seen.frame.filter(keep & ~x.is_null()).select(x.alias("x")).unique())["x"])
    check_levels(driver, levels)
    return levels


def _sampled(seen: View, given: Checked, customer: str | None) -> nw.LazyFrame[Any]:
    if given.rows <= EVERY_CUSTOMER:
        return seen.frame.filter(given.keep)
    # A little less than all that would fit, for the hash does not hit a share exactly.
    share = int(0.97 * EVERY_CUSTOMER / given.rows * _FINE)
    return bucketed(seen, customer, _FINE).filter(given.keep & (nw.col("bucket") < share)).drop("bucket")


def _owned(levels: pd.DataFrame, j: int) -> np.ndarray:
    """The columns of driver j on the cells: whether it was met, where some did not, and its number or levels."""
    met = [levels[f"met{j}"].to_numpy(float)] if f"met{j}" in levels else []
    x = levels[f"x{j}"]
    if is_number(x):
        return np.column_stack([*met, x.to_numpy(float)])
    found = [level for level in ordered(f"x{j}", x.unique()) if level != "" or not met]
    return np.column_stack([*met, *((x == level).to_numpy(float) for level in found[1:])])


def _cell_moments(cells: Cells, x: np.ndarray) -> Moments:
    n, events = (part.sum(axis=0) for part in (cells.n, cells.events))
    a = np.column_stack([np.ones(len(x)), x, np.divide(events, n, out=np.zeros(len(n)), where=n > 0)])
    products = (a * n[:, None]).T @ a
    products[-1, -1] = events.sum()
    return Moments(("constant", *map(str, range(a.shape[1] - 1))), products[None], int(cells.rows.sum()))


def _columns(seen: View, driver: str, keep: nw.Expr, gaps: bool, mean: float) -> list[nw.Expr]:
    """The columns of a driver: the number, or indicators of its levels; with gaps also whether it was met."""
    x = seen[driver]
    met = [~x.is_null()] if gaps else []
    if seen.kind[driver] == NUMBER:
        return [*met, (x.cast(nw.Float64) - mean).fill_null(0.0)]
    levels = _levels(seen, driver, keep)
    return met + [(x == level).fill_null(False) for level in ordered(driver, levels)[1:]]


def _players(drivers: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    named = [(name, tuple(drivers.index(m) for m in members)) for name, members in groups.items()]
    taken = {j for _, members in named for j in members}
    return tuple(named + [(d, (j,)) for j, d in enumerate(drivers) if j not in taken])


def _facts(
    seen: View, keep: nw.Expr, columns: Sequence[str], weights: str | None, customer: str | None
) -> pd.DataFrame:
    """Of every column (and "weights", "customer") over the rows kept: empty and endless values, mean; "rows" of all."""
    asked = {("rows", "empty"): nw.len().cast(nw.Float64)}
    for name in columns:
        asked[name, "empty"] = seen[name].is_null().cast(nw.Float64).sum()
        if seen.kind[name] == NUMBER:
            x = seen[name].cast(nw.Float64)
            asked |= {
                (name, "endless"): (x.abs() > LARGEST).cast(nw.Float64).sum(),
                (name, "mean"): x.mean(),
                (name, "most"): x.max(),
            }
    if weights:
        w = seen[weights].cast(nw.Float64)
        asked |= {("weights", "empty"): w.is_null().cast(nw.Float64).sum(), ("weights", "mean"): w.mean(),
                  ("weights", "square"): (w * w).mean(),
                  ("weights", "endless"): (~w.is_between(0, LARGEST)).cast(nw.Float64).sum()}  # fmt: skip
    if customer:
        asked["customer", "empty"] = seen[customer].is_null().cast(nw.Float64).sum()
    lazy = seen.frame.filter(keep).select(e.alias(f"a{i}") for i, e in enumerate(asked.values()))
    values = collect(lazy).iloc[0].fillna(0.0).to_numpy(float)
    return pd.Series(values, index=pd.MultiIndex.from_tuples(asked)).unstack(fill_value=0.0)
