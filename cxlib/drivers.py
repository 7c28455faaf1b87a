"""What moves the score: relative importance of drivers, alone or in groups, from cross-products alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import shapley
from .engine import view
from .errors import refuse, unknown
from .players import Players, player_moments
from .regression import FLAT, all_r_squared, covariance
from .resample import multiplicities, over_chunks, percentile_interval
from .schema import results

METHODS = {"lmg": "LMG (Shapley value of R²)", "johnson": "Johnson relative weights"}
SCALES = ("score",)


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
    faults = [unknown("method", method, METHODS)] if method not in METHODS else []
    refuse(faults + ([unknown("scale", scale, SCALES)] if scale not in SCALES else []))
    moments, players = player_moments(view(data), outcome, drivers, groups, weights, customer, missing)
    share_out = _lmg if method == "lmg" else _johnson
    point = share_out(covariance(moments.products.sum(axis=0)[None]), players)
    flat = moments.products.reshape(len(moments.products), -1)
    width = max(flat.shape[1], 2 ** len(players.columns))
    drawn = over_chunks(
        multiplicities(len(flat), replicates, seed, width),
        lambda times: share_out(covariance((times @ flat).reshape(-1, *moments.products.shape[1:])), players),
    )
    told = f"{METHODS[method]}{', weighted' if weights else ''}; resampled by {'customer' if customer else 'row'}, " \
           f"{replicates} times"  # fmt: skip
    return _rows(players, point, drawn, moments.rows, level, told)


def _lmg(covariances: np.ndarray, players: Players) -> np.ndarray:
    """Importance of every group, of every driver within its group, and R²: (replicates, groups + drivers + 1)."""
    values = all_r_squared(covariances, players.columns)
    groups = [members for _, members in players.groups]
    parts = shapley.shapley_values(shapley.group_values(values, groups)), shapley.owen_values(values, groups)
    return np.column_stack([*parts, values[:, -1]])


def _johnson(covariances: np.ndarray, players: Players) -> np.ndarray:
    """Relative weights of columns, added up over drivers and groups; same shape as `_lmg`."""
    spread = np.sqrt(np.einsum("bii->bi", covariances))
    r = covariances / np.maximum(spread[:, :, None] * spread[:, None, :], 1e-300)
    eigenvalues, vectors = np.linalg.eigh(r[:, :-1, :-1])
    roots = np.einsum("bik,bk,bjk->bij", vectors, np.sqrt(np.maximum(eigenvalues, 1e-12)), vectors)
    beta = np.linalg.solve(roots, r[:, :-1, -1:])[..., 0]
    columns = np.einsum("bij,bj->bi", roots**2, beta**2)
    drivers = np.stack([columns[:, list(c)].sum(axis=1) for c in players.columns], axis=1)
    groups = np.stack([drivers[:, list(members)].sum(axis=1) for _, members in players.groups], axis=1)
    return np.column_stack([groups, drivers, drivers.sum(axis=1)])


def _rows(players, point, drawn, n, level, method):  # type: ignore[no-untyped-def]
    groups = len(players.groups)
    blocks = [(slice(0, groups), [name for name, _ in players.groups])]
    for name, members in players.groups:
        if len(members) > 1 or name != players.drivers[members[0]]:  # a group may bear the name of its first member
            inside = [groups + j for j in members]
            blocks.append((inside, [f"{name}/{players.drivers[j]}" for j in members]))
    rows = []
    for where, terms in blocks:
        for measure, unit, change in (
            ("importance", "R²", _plain),
            ("share", "share", _share),
            ("rank", "rank", _rank),
        ):
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
