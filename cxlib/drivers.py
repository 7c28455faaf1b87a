"""What moves the score: relative importance of drivers, alone or in groups, from cross-products alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import shapley
from .cells import Moments, cross_products
from .engine import FACTOR, NUMBER, View, collect, require, view
from .errors import CxError, listed, refuse, unknown
from .resample import multiplicities, over_chunks, percentile_interval
from .schema import ordered, results

METHODS = {"lmg": "LMG (Shapley value of R²)", "johnson": "Johnson relative weights"}
MISSING = (None, "drop", "not_met")
MOST_PLAYERS = 15
FLAT = 1e-10  # share of a column's variance below which it is determined by the others


@dataclass(frozen=True)
class Players:
    """Who shares the importance: drivers as players, their columns in the moments, and the groups they form."""

    drivers: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]  # of each driver, positions in the moments
    groups: tuple[tuple[str, tuple[int, ...]], ...]  # name -> positions in `drivers`


def relative_importance(
    data: Any,
    outcome: str = "recommend",
    drivers: Sequence[str] = (),
    groups: Mapping[str, Sequence[str]] | None = None,
    method: str = "lmg",
    weights: str | None = None,
    customer: str | None = None,
    scale: str = "score",
    missing: str | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """How much of the variation of a score each driver accounts for, averaged over all orders of the drivers.

    Parameters
    ----------
    data : frame with one row per answer
    outcome : number column; rows without it are left out
    drivers : number columns (ratings) or factors (yes/no, text), up to 15 players
    groups : name -> drivers that enter as one player; drivers in no group stay alone
    method : "lmg" (default) or "johnson" (to compare with other vendors' reports; criticised by Thomas et al. 2014)
    weights, customer : survey weight; unit of resampling (default: the row)
    missing : "drop" leaves out rows with a gap in any driver; "not_met" keeps them, with "met" and the rating
        within met as one player; None (default) refuses gaps

    Returns
    -------
    DataFrame in the result shape: for every term the measures importance (unit "R²"), share (of R²) and rank
    (1 = largest); members of a group as "group/driver", Owen values, ranked within their group; last the row
    ("model", "r_squared").

    Raises
    ------
    CxError naming missing columns, gaps, drivers without variation or determined by the others.

    Notes
    -----
    Intervals: percentiles over resampled customers. Every LMG share is above 0 even for a driver that does
    nothing. Checked against R (swiss, attitude, mtcars, SFO 2017, mobi) and brute force over all orders.

    Source
    ------
    Lindeman, Merenda & Gold 1980; Johnson 2000; Owen 1977.
    """
    seen, drivers = view(data), tuple(drivers)
    _check_arguments(seen, outcome, drivers, groups, method, scale, missing)
    moments, players = _moments(seen, outcome, drivers, groups, weights, customer, missing)
    share_out = _lmg if method == "lmg" else _johnson
    point = share_out(_covariance(moments.products.sum(axis=0)[None]), players)
    flat = moments.products.reshape(len(moments.products), -1)
    width = max(flat.shape[1], 2 ** len(players.columns))
    drawn = over_chunks(
        multiplicities(len(flat), replicates, seed, width),
        lambda times: share_out(_covariance((times @ flat).reshape(-1, *moments.products.shape[1:])), players),
    )
    told = f"{METHODS[method]}{', weighted' if weights else ''}; resampled by {'customer' if customer else 'row'}, " \
           f"{replicates} times"  # fmt: skip
    return _rows(players, point, drawn, moments.rows, level, told)


def all_r_squared(covariance: np.ndarray, columns: Sequence[Sequence[int]]) -> np.ndarray:
    """R² of every set of players, shape (replicates, 2**players).

    `covariance` is (replicates, m, m) with the outcome last. Every set is reached by sweeping one player out of
    the residual covariance of a smaller set, so that all of them cost little more than the largest.
    """
    order = [c for player in columns for c in player] + [covariance.shape[-1] - 1]
    start = np.ascontiguousarray(np.moveaxis(covariance[:, order][:, :, order], 0, -1))
    sizes = [len(player) for player in columns]
    variances = np.einsum("iib->ib", start)
    floors = FLAT * variances
    out = np.empty((1 << len(sizes), start.shape[-1]))

    def visit(residual: np.ndarray, floor: np.ndarray, player: int, mask: int) -> None:
        if player == len(sizes):
            out[mask] = 1.0 - residual[-1, -1] / variances[-1]
            return
        width = sizes[player]
        visit(residual[width:, width:], floor[width:], player + 1, mask)
        for _ in range(width):
            residual, floor = _sweep(residual, floor[0]), floor[1:]
        visit(residual, floor, player + 1, mask | 1 << player)

    visit(start, floors, 0, 0)
    return out.T


def _sweep(residual: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Residual covariance after the first column; a column that has nothing left (a copy) takes nothing out."""
    pivot = residual[0, 0]
    inverse = np.where(pivot > floor, 1.0 / np.where(pivot > floor, pivot, 1.0), 0.0)
    first = residual[0, 1:]
    return residual[1:, 1:] - first[:, None] * (first * inverse)[None]


def _lmg(covariance: np.ndarray, players: Players) -> np.ndarray:
    """Importance of every group, of every driver within its group, and R²: (replicates, groups + drivers + 1)."""
    values = all_r_squared(covariance, players.columns)
    groups = [members for _, members in players.groups]
    parts = shapley.shapley_values(shapley.group_values(values, groups)), shapley.owen_values(values, groups)
    return np.column_stack([*parts, values[:, -1]])


def _johnson(covariance: np.ndarray, players: Players) -> np.ndarray:
    """Relative weights of columns, added up over drivers and groups; same shape as `_lmg`."""
    spread = np.sqrt(np.einsum("bii->bi", covariance))
    r = covariance / np.maximum(spread[:, :, None] * spread[:, None, :], 1e-300)
    eigenvalues, vectors = np.linalg.eigh(r[:, :-1, :-1])
    roots = np.einsum("bik,bk,bjk->bij", vectors, np.sqrt(np.maximum(eigenvalues, 1e-12)), vectors)
    beta = np.linalg.solve(roots, r[:, :-1, -1:])[..., 0]
    columns = np.einsum("bij,bj->bi", roots**2, beta**2)
    drivers = np.stack([columns[:, list(c)].sum(axis=1) for c in players.columns], axis=1)
    groups = np.stack([drivers[:, list(members)].sum(axis=1) for _, members in players.groups], axis=1)
    return np.column_stack([groups, drivers, drivers.sum(axis=1)])


def _covariance(products: np.ndarray) -> np.ndarray:
    """Weighted covariance from sums of products whose first column is the constant."""
    total = products[:, :1, :1]
    mean = products[:, :1, 1:] / total
    return products[:, 1:, 1:] / total - np.swapaxes(mean, 1, 2) * mean


def _moments(seen, outcome, drivers, groups, weights, customer, missing):  # type: ignore[no-untyped-def]
    _check_gaps(seen, drivers, weights, missing)
    terms, columns = {}, []
    for driver in drivers:
        own = _driver_terms(seen, driver, missing == "not_met")
        columns.append(tuple(range(len(terms), len(terms) + len(own))))
        terms |= own
    keep = ~seen[outcome].is_null()
    for driver in drivers if missing == "drop" else ():
        keep = keep & ~seen[driver].is_null()
    moments = cross_products(seen, terms | {f"{outcome} (outcome)": seen[outcome]}, customer, weights, keep)
    players = Players(tuple(drivers), tuple(columns), _grouped(drivers, groups))
    _check_variation(moments, players, outcome)
    return moments, players


def _driver_terms(seen: View, driver: str, not_met: bool) -> dict[str, nw.Expr]:
    """The columns of a driver: the number, or indicators of its levels; with gaps also whether it was met."""
    x = seen[driver]
    gaps = not_met and bool(collect(seen.frame.select(x.is_null().cast(nw.Int64).sum().alias("k")))["k"][0])
    met = {f"{driver} met": ~x.is_null()} if gaps else {}
    if seen.kind[driver] == NUMBER:
        return met | {driver: x.cast(nw.Float64).fill_null(0.0)}
    levels = collect(seen.frame.select(x.alias("x")).filter(~nw.col("x").is_null()).unique())["x"]
    return met | {f"{driver} = {v}": (x == v).fill_null(False) for v in ordered(driver, levels)[1:]}


def _grouped(drivers: Sequence[str], groups: Mapping[str, Sequence[str]] | None):  # type: ignore[no-untyped-def]
    named = [(name, tuple(drivers.index(m) for m in members)) for name, members in (groups or {}).items()]
    taken = {j for _, members in named for j in members}
    return tuple(named + [(d, (j,)) for j, d in enumerate(drivers) if j not in taken])


def _rows(players, point, drawn, n, level, method):  # type: ignore[no-untyped-def]
    groups = len(players.groups)
    blocks = [(slice(0, groups), [name for name, _ in players.groups])]
    for name, members in players.groups:
        if len(members) > 1 or name != players.drivers[members[0]]:  # a group may bear the name of its first member
            inside = [groups + j for j in members]
            blocks.append((inside, [f"{name}/{players.drivers[j]}" for j in members]))
    rows = []
    for where, terms in blocks:
        for measure, unit, change in (("importance", "R²", _plain), ("share", "share", _share), ("rank", "rank", _rank)):
            estimates, replicates = change(point, where)[0], change(drawn, where)
            spread, lower, upper = percentile_interval(replicates, level)
            rows += [(t, measure, unit, *x) for t, *x in zip(terms, estimates, spread, lower, upper, strict=True)]
    spread, lower, upper = percentile_interval(drawn[:, -1:], level)
    rows.append(("model", "r_squared", "R²", point[0, -1], spread[0], lower[0], upper[0]))
    names = ("term", "measure", "unit", "estimate", "std_error", "lower", "upper")
    return results(dict(zip(names, row, strict=True), level=level, n=n, method=method) for row in rows)


def _plain(values, where):  # type: ignore[no-untyped-def]
    return values[:, where]


def _share(values, where):  # type: ignore[no-untyped-def]
    # A replicate in which nothing explains anything has no shares; it must not divide by zero.
    total = values[:, -1:]
    return values[:, where] / np.where(total > FLAT, total, np.nan)


def _rank(values, where):  # type: ignore[no-untyped-def]
    return 1.0 + (values[:, where][:, None, :] > values[:, where][:, :, None]).sum(axis=2)


def _check_arguments(seen, outcome, drivers, groups, method, scale, missing):  # type: ignore[no-untyped-def]
    faults = [unknown("column", name, seen.at) for name in (outcome, *drivers) if name not in seen.at]
    faults += [unknown("method", method, METHODS)] if method not in METHODS else []
    faults += [unknown("choice of missing", missing, MISSING[1:])] if missing not in MISSING else []
    faults += [f"driver '{d}' is named twice" for d in dict.fromkeys(drivers) if drivers.count(d) > 1]
    faults += [] if drivers else ["drivers must name at least one column"]
    faults += [f"'{outcome}' is the outcome; it cannot also explain it"] if outcome in drivers else []
    members = [m for group in (groups or {}).values() for m in group]
    faults += [unknown("driver", m, drivers, "groups") for m in members if m not in drivers]
    faults += [f"driver '{m}' belongs to two groups" for m in dict.fromkeys(members) if members.count(m) > 1]
    if len(drivers) > MOST_PLAYERS:
        faults.append(f"at most {MOST_PLAYERS} drivers can be shared out exactly, not {len(drivers)}; put those that "
                      "belong together into one average, or choose among them")  # fmt: skip
    known = [n for n in (outcome,) if n in seen.at]
    faults += [f"outcome '{n}' must be a number, not {seen.kind[n]}" for n in known if seen.kind[n] != NUMBER]
    odd = [d for d in drivers if d in seen.at and seen.kind[d] not in (NUMBER, FACTOR)]
    refuse(faults + [f"driver '{d}' must be a number, text or yes/no, not {seen.kind[d]}" for d in odd])


def _check_gaps(seen: View, drivers: Sequence[str], weights: str | None, missing: str | None) -> None:
    require(seen, [weights] if weights else [])
    names = [*drivers, *([weights] if weights else [])]
    sums = [seen[name].is_null().cast(nw.Int64).sum().alias(seen.at[name]) for name in names]
    empty = collect(seen.frame.select(*sums)).iloc[0]
    gaps = [d for d in drivers if empty[seen.at[d]]]
    faults = []
    if missing is None and gaps:
        told = ", ".join(f"'{d}' ({empty[seen.at[d]]:,})" for d in gaps)
        faults.append(f"drivers must have a value in every row, but some are empty: {told}; say missing='not_met' to "
                      "keep those rows (the touchpoint was not met) or missing='drop' to leave them out")  # fmt: skip
    if weights and empty[seen.at[weights]]:
        faults.append(f"weights '{weights}' must be given in every row, but {empty[seen.at[weights]]:,} are empty")
    refuse(faults)


def _check_variation(moments: Moments, players: Players, outcome: str) -> None:
    if moments.rows < len(moments.names) + 1:
        raise CxError(f"{moments.rows} rows with an outcome and all drivers are too few for {len(moments.names)} "
                      "terms; use fewer drivers or missing='not_met'")  # fmt: skip
    c = _covariance(moments.products.sum(axis=0)[None])[0]
    size = np.abs(moments.products.sum(axis=0)[0, 1:] / moments.products[:, 0, 0].sum()) + 1.0
    still = np.diag(c) <= FLAT * size**2
    names = [*players.drivers, outcome]
    where = [*players.columns, (len(c) - 1,)]
    refuse(f"'{name}' must vary, but has one value in all {moments.rows:,} rows; leave it out"
           for name, own in zip(names, where, strict=True) if all(still[list(own)]))  # fmt: skip
    copies, residual = [], c[..., None]
    for driver, own in zip(players.drivers, players.columns, strict=True):
        left = []
        for j in own:
            left.append(residual[0, 0, 0] / max(c[j, j], 1e-300))
            residual = _sweep(residual, np.array([FLAT * c[j, j]]))
        # Touchpoints met together have the same "met"; only a driver that adds nothing at all is a copy.
        copies += [driver] if max(left) < 1e-8 else []
    refuse([f"driver {listed(copies)} is determined by the drivers before it (a copy, or a sum of them); leave it out"]
           if copies else [])  # fmt: skip
