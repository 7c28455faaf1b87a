"""Who shares the importance: drivers, alone or in groups, and their cross-products or cells with the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from .cells import EVERY_CUSTOMER, LARGEST, Cells, count_cells
from .engine import FACTOR, NUMBER, View, bucketed, collect, distinct
from .errors import refuse
from .moments import Moments, cross_products
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
    met: tuple[int, ...] = ()  # rows with a value of each driver
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

    def met(self, driver: str) -> int:
        """Rows with a value of the driver."""
        return self.rows - int(self.facts.at[driver, "empty"])

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
    *,
    units: bool = True,
) -> tuple[Moments, Players]:
    """Cross-products of the drivers' columns and, last, the outcome, by unit of resampling; who owns which column.

    Rows without an outcome are left out. Numbers are taken from their mean, so that large ones keep their digits.
    """
    given = checked(seen, outcome, drivers, groups, weights, customer, missing)
    terms, columns = driver_terms(seen, given)
    named = terms | {f"{outcome} (outcome)": seen[outcome].cast(nw.Float64) - given.facts.at[outcome, "mean"]}
    means = tuple(given.facts.loc[[*given.drivers, outcome], "mean"])
    met = tuple(given.met(driver) for driver in given.drivers)
    players = Players(given.drivers, columns, given.groups, means[:-1], met, given.effective)
    moments = cross_products(seen, named, customer, weights, given.keep, units=units)
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
    terms, places = driver_terms(seen, given)
    columns = {"row": nw.col("bucket"), "y": seen[outcome].cast(nw.Float64) >= promoters_from}
    columns |= {"w": seen[weights].cast(nw.Float64)} if weights else {}
    columns |= {f"x{i}": term.cast(nw.Float64) for i, term in enumerate(terms.values())}
    kinds = dict.fromkeys(columns, NUMBER)
    if customer:
        columns["customer"], kinds["customer"] = seen[customer].cast(nw.String), FACTOR
    numbered = bucketed(View(sampled(seen, given, customer, EVERY_CUSTOMER), seen.at, seen.kind), None, None)
    plain = View(numbered.select(e.alias(name) for name, e in columns.items()), {c: c for c in columns}, kinds)
    units: dict[str, Any] = {"customer": "customer", "period": "row"} if customer else {}
    cells = count_cells(plain, [f"x{i}" for i in range(len(terms))], "y", weights="w" if weights else None, **units)
    means = tuple(given.facts.loc[list(given.drivers), "mean"])
    effective = given.effective * min(1.0, cells.rows.sum() / given.rows)
    met = tuple(given.met(driver) for driver in given.drivers)
    players, x = Players(given.drivers, places, given.groups, means, met, effective), cells.levels.to_numpy(float)
    told = f"{outcome} >= {promoters_from:g}"
    check_variation(_cell_moments(cells, x), given.drivers, places, (*means, 0.0), told)
    return cells, x, players, given.rows


def driver_terms(seen: View, given: Checked) -> tuple[dict[str, nw.Expr], tuple[tuple[int, ...], ...]]:
    """The columns of all drivers, by name, and which belong to each.

    A number enters from its mean, a factor as indicators of its levels; with gaps also whether the driver was met.
    """
    terms: dict[str, nw.Expr] = {}
    places = []
    for driver in given.drivers:
        first, x = len(terms), seen[driver]
        if given.has_gaps(driver):
            terms[f"{driver} met"] = ~x.is_null()
        if seen.kind[driver] == NUMBER:
            terms[driver] = (x.cast(nw.Float64) - given.facts.at[driver, "mean"]).fill_null(0.0)
        else:
            levels = ordered(driver, _levels(seen, driver, given.keep))
            terms |= {f"{driver} = {level}": (x == level).fill_null(False) for level in levels[1:]}
        places.append(tuple(range(first, len(terms))))
    return terms, tuple(places)


def sampled(seen: View, given: Checked, customer: str | None, most: int) -> nw.LazyFrame[Any]:
    """The rows kept, or of more than `most` a sample by a hash of the customer (or of the row's place)."""
    if given.rows <= most:
        return seen.frame.filter(given.keep)
    # Less than all that would fit, for a hash hits a share only nearly, the less so where customers answer often.
    share = int((1 - 8 / most**0.5) * most / given.rows * _FINE)
    return bucketed(seen, customer, _FINE).filter(given.keep & (nw.col("bucket") < share)).drop("bucket")


def _levels(seen: View, driver: str, keep: nw.Expr) -> list[Any]:
    x = seen[driver]
    levels = list(collect(distinct(seen.frame.filter(keep & ~x.is_null()).select(x.alias("x"))))["x"])
    check_levels(driver, levels)
    return levels


def _cell_moments(cells: Cells, x: np.ndarray) -> Moments:
    n, events = (part.sum(axis=0) for part in (cells.n, cells.events))
    a = np.column_stack([np.ones(len(x)), x, np.divide(events, n, out=np.zeros(len(n)), where=n > 0)])
    products = (a * n[:, None]).T @ a
    products[-1, -1] = events.sum()
    return Moments(("constant", *map(str, range(a.shape[1] - 1))), products[None], int(cells.rows.sum()))


def _players(drivers: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    named = [(name, tuple(drivers.index(m) for m in members)) for name, members in groups.items()]
    taken = {j for _, members in named for j in members}
    return tuple(named + [(d, (j,)) for j, d in enumerate(drivers) if j not in taken])


def _facts(
    seen: View, keep: nw.Expr, columns: Sequence[str], weights: str | None, customer: str | None
) -> pd.DataFrame:
    """Of every column (and "weights", "customer") over the rows kept: empty and endless values, mean; "rows" of all."""
    asked = {("rows", "empty"): nw.len().cast(nw.Float64)}
    types = seen.frame.collect_schema()
    for name in columns:
        asked[name, "empty"] = seen[name].is_null().cast(nw.Float64).sum()
        if seen.kind[name] == NUMBER:
            x = seen[name].cast(nw.Float64)
            asked |= {(name, "mean"): x.mean(), (name, "most"): x.max()}
            if not types[seen.at[name]].is_integer():  # whole numbers have no infinity
                asked[name, "endless"] = (x.abs() > LARGEST).cast(nw.Float64).sum()
    if weights:
        w = seen[weights].cast(nw.Float64)
        asked |= {("weights", "empty"): w.is_null().cast(nw.Float64).sum(), ("weights", "mean"): w.mean(),
                  ("weights", "square"): (w * w).mean(),
                  ("weights", "endless"): (~w.is_between(0, LARGEST)).cast(nw.Float64).sum()}  # fmt: skip
    if customer:
        asked["customer", "empty"] = seen[customer].is_null().cast(nw.Float64).sum()
    lazy = seen.frame.filter(keep).select(e.alias(f"a{i}") for i, e in enumerate(asked.values()))
    values = collect(lazy).iloc[0].fillna(0.0).to_numpy(float)
    facts = pd.Series(values, index=pd.MultiIndex.from_tuples(asked)).unstack(fill_value=0.0)
    return facts.reindex(columns=["empty", "endless", "mean", "most", "square"], fill_value=0.0)
