"""Who shares the importance: drivers, alone or in groups, and their cross-products with the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from .cells import LARGEST, MOST_LEVELS, Moments, cross_products
from .engine import FACTOR, NUMBER, OTHER, STAMP, View, collect
from .errors import CxError, listed, refuse, unknown
from .regression import FLAT, covariance, sweep
from .schema import ordered

MISSING = (None, "drop", "not_met")
MOST_PLAYERS = 15
WORDS = {FACTOR: "text or yes/no", NUMBER: "a number", STAMP: "a stamp", OTHER: "a list or a duration"}


@dataclass(frozen=True)
class Players:
    """Who shares the importance: drivers as players, their columns in the moments, and the groups they form."""

    drivers: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]  # of each driver, positions in the moments
    groups: tuple[tuple[str, tuple[int, ...]], ...]  # name -> positions in `drivers`


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
    drivers = tuple([drivers] if isinstance(drivers, str) else drivers)
    groups = {name: tuple([m] if isinstance(m, str) else m) for name, m in (groups or {}).items()}
    _check_names(seen, outcome, drivers, groups, weights, customer, missing)
    keep = ~seen[outcome].is_null()
    for driver in drivers if missing == "drop" else ():
        keep = keep & ~seen[driver].is_null()
    facts = _facts(seen, keep, [*drivers, outcome], weights, customer)
    _check_values(facts, drivers, outcome, weights, customer, missing)
    terms, columns = [], []
    for driver in drivers:
        own = _columns(seen, driver, keep, bool(facts.at[driver, "empty"]), facts.at[driver, "mean"])
        columns.append(tuple(range(len(terms), len(terms) + len(own))))
        terms += own
    terms.append(seen[outcome].cast(nw.Float64) - facts.at[outcome, "mean"])
    named = {f"column {i}": term for i, term in enumerate(terms)}
    players = Players(drivers, tuple(columns), _players(drivers, groups))
    moments = cross_products(seen, named, customer, weights, keep)
    _check_variation(moments, players, [facts.at[name, "mean"] for name in (*drivers, outcome)], outcome)
    return moments, players


def _columns(seen: View, driver: str, keep: nw.Expr, gaps: bool, mean: float) -> list[nw.Expr]:
    """The columns of a driver: the number, or indicators of its levels; with gaps also whether it was met."""
    x = seen[driver]
    met = [~x.is_null()] if gaps else []
    if seen.kind[driver] == NUMBER:
        return [*met, (x.cast(nw.Float64) - mean).fill_null(0.0)]
    levels = collect(seen.frame.filter(keep & ~x.is_null()).select(x.alias("x")).unique())["x"]
    if len(levels) > MOST_LEVELS:
        raise CxError(f"driver '{driver}' has {len(levels):,} levels, more than {MOST_LEVELS}: merge some")
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
            asked |= {(name, "endless"): (x.abs() > LARGEST).cast(nw.Float64).sum(), (name, "mean"): x.mean()}
    if weights:
        w = seen[weights].cast(nw.Float64)
        asked |= {("weights", "empty"): w.is_null().cast(nw.Float64).sum(), ("weights", "mean"): w.mean(),
                  ("weights", "endless"): (~w.is_between(0, LARGEST)).cast(nw.Float64).sum()}  # fmt: skip
    if customer:
        asked["customer", "empty"] = seen[customer].is_null().cast(nw.Float64).sum()
    lazy = seen.frame.filter(keep).select(e.alias(f"a{i}") for i, e in enumerate(asked.values()))
    values = collect(lazy).iloc[0].fillna(0.0).to_numpy(float)
    return pd.Series(values, index=pd.MultiIndex.from_tuples(asked)).unstack(fill_value=0.0)


def _check_names(seen, outcome, drivers, groups, weights, customer, missing):  # type: ignore[no-untyped-def]
    faults = [unknown("column", d, seen.at, "drivers") for d in drivers if d not in seen.at]
    others = {"outcome": outcome, "weights": weights, "customer": customer}
    faults += [unknown("column", name, seen.at, what) for what, name in others.items() if name and name not in seen.at]
    faults += [unknown("choice of missing", missing, MISSING[1:])] if missing not in MISSING else []
    faults += [] if drivers else ["drivers must name at least one column"]
    faults += [f"driver '{d}' is named twice" for d in dict.fromkeys(drivers) if drivers.count(d) > 1]
    faults += [f"'{outcome}' is the outcome; it cannot also explain it"] if outcome in drivers else []
    if len(drivers) > MOST_PLAYERS:
        faults.append(f"at most {MOST_PLAYERS} drivers can be shared out exactly, not {len(drivers)}; put those that "
                      "belong together into one average, or choose among them")  # fmt: skip
    for what in ("outcome", "weights"):
        if others[what] in seen.at and seen.kind[others[what]] != NUMBER:
            faults.append(f"{what} '{others[what]}' must be a number, not {WORDS[seen.kind[others[what]]]}")
    odd = [d for d in drivers if d in seen.at and seen.kind[d] not in (NUMBER, FACTOR)]
    faults += [f"driver '{d}' must be a number, text or yes/no, not {WORDS[seen.kind[d]]}" for d in odd]
    refuse(faults + _group_faults(drivers, groups))


def _group_faults(drivers: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    members = [m for group in groups.values() for m in group]
    faults = [unknown("driver", m, drivers, "groups") for m in members if m not in drivers]
    faults += [f"driver '{m}' belongs to two groups" for m in dict.fromkeys(members) if members.count(m) > 1]
    faults += [f"group '{name}' must name at least one driver" for name, group in groups.items() if not group]
    faults += [f"group '{name}' must not bear the name of a driver outside it; call it something else"
               for name, group in groups.items() if name in drivers and name not in group]  # fmt: skip
    return faults


def _check_values(facts, drivers, outcome, weights, customer, missing):  # type: ignore[no-untyped-def]
    empty, endless = facts["empty"].astype(int), facts["endless"].astype(int)
    if not empty["rows"]:
        raise CxError(f"no row has a value of '{outcome}'" + (" and of every driver" if missing == "drop" else ""))
    faults, gaps = [], [d for d in drivers if empty[d]]
    if missing is None and gaps:
        told = ", ".join(f"'{d}' ({empty[d]:,})" for d in gaps)
        faults.append(f"drivers must have a value in every row, but some are empty: {told}; say missing='not_met' to "
                      "keep those rows (the touchpoint was not met) or missing='drop' to leave them out")  # fmt: skip
    faults += [f"column '{name}' must hold finite numbers, but {endless[name]:,} are infinite; recode them or leave "
               "those rows out" for name in (*drivers, outcome) if endless[name]]  # fmt: skip
    if weights and empty["weights"] + endless["weights"]:
        faults.append(f"weights '{weights}' must be finite and 0 or more in every row, but {endless['weights']:,} are "
                      f"not and {empty['weights']:,} are empty")  # fmt: skip
    elif weights and not facts.at["weights", "mean"] > 0:
        faults.append(f"weights '{weights}' must not all be 0")
    if customer and empty["customer"]:
        faults.append(f"column '{customer}' must name the customer in every row, but {empty['customer']:,} are empty")
    refuse(faults)


def _check_variation(moments: Moments, players: Players, means: Sequence[float], outcome: str) -> None:
    if moments.rows < len(moments.names) + 1:
        raise CxError(f"{moments.rows} rows with an outcome and all drivers are too few for {len(moments.names)} "
                      "terms; use fewer drivers or missing='not_met'")  # fmt: skip
    c = covariance(moments.products.sum(axis=0))
    where = [*players.columns, (len(c) - 1,)]
    # What the mean's rounding leaves of a column with one value is no variation.
    still = [all(c[j, j] <= 1e-20 * mean**2 for j in own) for own, mean in zip(where, means, strict=True)]
    refuse(f"'{name}' must vary, but has one value in all {moments.rows:,} rows; leave it out"
           for name, flat in zip([*players.drivers, outcome], still, strict=True) if flat)  # fmt: skip
    copies, residual = [], c[..., None]
    for driver, own in zip(players.drivers, players.columns, strict=True):
        left = []
        for j in own:
            left.append(residual[0, 0, 0] / max(c[j, j], 1e-300))
            residual = sweep(residual, np.array([FLAT * c[j, j]]))
        # Touchpoints met together have the same "met"; only a driver that adds nothing at all is a copy.
        copies += [driver] if max(left) < 1e-8 else []
    refuse([f"driver {listed(copies)} is determined by the drivers before it (a copy, or a sum of them); leave it out"]
           if copies else [])  # fmt: skip
