"""Importance shared out among players, on the data and on every replicate at once (arrays in, arrays out).

An importance array is (replicates, groups + drivers + 1): of every group, of every driver within its group (nan where
there are more drivers than can be told apart), and last what all of them explain together.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from scipy import sparse, stats

from . import design, logistic, shapley
from .fitted import REFIT
from .players import Players
from .regression import FLAT, all_r_squared

# Columns of players -> what every set of them explains, (replicates, 2**players).
SetFunction = Callable[[Sequence[Sequence[int]]], np.ndarray]

ELEMENTS = 1 << 24  # of the largest array of set values: 128 MB


def shared_out(values_of: SetFunction, players: Players, most: int) -> np.ndarray:
    """Shapley values of the groups and Owen values of their members, as an importance array."""
    groups = [members for _, members in players.groups]
    if len(players.drivers) > most:
        values = values_of(players.of_groups)
        unknown = np.full((len(values), len(players.drivers)), np.nan)
        return np.column_stack([shapley.shapley_values(values), unknown, values[:, -1]])
    values = values_of(players.columns)
    of_groups = shapley.shapley_values(shapley.group_values(values, groups))
    # Where every driver stands alone, both values are the same numbers.
    alone = len(groups) == len(players.drivers)
    of_drivers = of_groups[:, np.argsort([m for (m,) in groups])] if alone else shapley.owen_values(values, groups)
    return np.column_stack([of_groups, of_drivers, values[:, -1]])


def lmg(covariances: np.ndarray, players: Players, most: int) -> np.ndarray:
    """Importance array on the score: averages over orders of what a player adds to R²; the outcome comes last."""
    covariances = _of_outcomes_that_vary(covariances)
    size = max(1, ELEMENTS >> min(len(players.drivers), most))
    parts = [partial(all_r_squared, covariances[i : i + size]) for i in range(0, len(covariances), size)]
    return np.concatenate([shared_out(values_of, players, most) for values_of in parts])


def johnson(covariances: np.ndarray, players: Players) -> np.ndarray:
    """Importance array by relative weights of columns, added up over drivers and groups."""
    covariances = _of_outcomes_that_vary(covariances)
    variances = np.einsum("bii->bi", covariances)
    # A column that does not vary in a resample goes with nothing there.
    varies = variances[:, :-1] > FLAT * variances[:1, :-1]
    spread = np.sqrt(np.column_stack([np.where(varies, variances[:, :-1], np.inf), variances[:, -1]]))
    r = covariances / (spread[:, :, None] * spread[:, None, :])
    r[:, range(varies.shape[1]), range(varies.shape[1])] = 1.0
    eigenvalues, vectors = np.linalg.eigh(r[:, :-1, :-1])
    roots = np.einsum("bik,bk,bjk->bij", vectors, np.sqrt(np.maximum(eigenvalues, 1e-12)), vectors)
    beta = np.linalg.solve(roots, r[:, :-1, -1:])[..., 0]
    columns = np.einsum("bij,bj->bi", roots**2, beta**2)
    drivers = np.stack([columns[:, list(c)].sum(axis=1) for c in players.columns], axis=1)
    groups = np.stack([drivers[:, list(members)].sum(axis=1) for _, members in players.groups], axis=1)
    return np.column_stack([groups, drivers, drivers.sum(axis=1)])


def _of_outcomes_that_vary(covariances: np.ndarray) -> np.ndarray:
    """The same, but nan for the outcome's variance in a resample of one outcome: what is left there is rounding."""
    alike = covariances[:, -1, -1] <= FLAT * covariances[0, -1, -1]
    if not alike.any():
        return covariances
    own = covariances.copy()
    own[alike, -1, -1] = np.nan
    return own


def all_mcfadden(x: np.ndarray, n: np.ndarray, events: np.ndarray, columns: Sequence[Sequence[int]]) -> np.ndarray:
    """McFadden's R² of the logit on every set of players, (replicates, 2**players).

    Parameters
    ----------
    x : (cells, columns), without the constant
    n, events : (replicates, cells); the first replicate is the data, from whose coefficients the others start
    columns : of each player, positions in x
    """
    out = np.zeros((len(n), 1 << len(columns)))
    share = events.sum(axis=1) / n.sum(axis=1)
    # A replicate in which all are alike has nothing to explain, and its likelihood is the rounding's.
    varies = (share > 0) & (share < 1 - 1e-12)
    nothing = np.where(varies, -_log_likelihood(np.empty((len(x), 0)), n, events), np.nan)
    for mask, players in sorted(_sets(len(columns))):
        own = [c for j in players for c in columns[j]]
        out[:, mask] = 1.0 + _log_likelihood(x[:, own], n, events) / nothing
        # No set explains less than one within it, though a fit that separates may stop a little short.
        out[:, mask] = np.maximum(out[:, mask], out[:, [mask ^ 1 << j for j in players]].max(axis=1))
    return out


def random_importance(values: np.ndarray, sizes: Sequence[int], effective: float, level: float) -> np.ndarray:
    """Mean and upper quantile of the importance of one more player that is pure noise, by its number of columns.

    Parameters
    ----------
    values : (2**players,), R² of every set of the players that are there
    sizes : of each player, its number of columns
    effective : rows of equal weight
    level : of the quantile, between 0 and 1

    Returns
    -------
    (most columns + 1, 2); row c is a player of c columns.

    Notes
    -----
    Nothing is drawn: what c independent normal columns add to a set S with p columns explains (1 - R²(S)) c /
    (n - 1 - p) on average, and the sum over sets goes very nearly as chi-squared with c degrees of freedom, because
    the residuals to which it adds are much the same whatever S. Where they differ the quantile is a little too high.
    """
    masks = np.arange(len(values))
    used = sum((masks >> j & 1) * size for j, size in enumerate(sizes))
    added = (1.0 - values) / np.maximum(effective - 1.0 - used, 1.0)
    return _quantiles(float(added @ shapley.newcomer_weights(len(sizes))), max(sizes), level)


def random_mcfadden(entropy: float, sizes: Sequence[int], effective: float, level: float) -> np.ndarray:
    """The same on the promoter scale, where twice the likelihood gained by noise is chi-squared beside any set."""
    return _quantiles(0.5 / (effective * entropy), max(sizes), level)


def _quantiles(mean: float, most: int, level: float) -> np.ndarray:
    widths = np.arange(1, most + 1)
    return np.vstack([[0.0, 0.0], np.column_stack([mean * widths, mean * stats.chi2.ppf(level, widths)])])


def shares(importance: np.ndarray) -> np.ndarray:
    """Shares of what all players explain; nan in a replicate in which they explain nothing."""
    total = importance[:, -1:]
    return importance[:, :-1] / np.where(total > FLAT, total, np.nan)


def ranks(importance: np.ndarray) -> np.ndarray:
    """Ranks among the players given, 1 = largest; nan in a replicate that has nothing to explain."""
    larger = (importance[:, None, :] > importance[:, :, None]).sum(axis=2)
    return np.where(np.isnan(importance), np.nan, 1.0 + larger)


def _sets(players: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    every = (chosen for size in range(1, players + 1) for chosen in itertools.combinations(range(players), size))
    return ((sum(1 << j for j in chosen), chosen) for chosen in every)


def _log_likelihood(x: np.ndarray, n: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Of every replicate, on the cells that these columns can tell apart."""
    kinds, cell = np.unique(x, axis=0, return_inverse=True)
    merge = sparse.csr_array((np.ones(len(x)), (np.arange(len(x)), cell.ravel())), shape=(len(x), len(kinds)))
    n, events = n @ merge, events @ merge
    matrix = np.column_stack([np.ones(len(kinds)), kinds])
    matrix = matrix[:, design.estimable(matrix, n[0])]
    start = logistic.fit(matrix, n[:1], events[:1])[0]
    size = max(1, ELEMENTS // 8 // len(matrix))
    parts = [slice(i, i + size) for i in range(0, len(n), size)]
    beta = np.concatenate([logistic.fit(matrix, n[part], events[part], start=start, tolerance=REFIT) for part in parts])
    return logistic.log_likelihood(matrix, n, events, beta)
