"""Regression from cross-products alone (arrays in, arrays out): covariances, and R² of every set of players."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FLAT = 1e-10  # share of a column's variance below which it is determined by the others


def covariance(products: np.ndarray) -> np.ndarray:
    """Weighted covariance (..., m - 1, m - 1) from sums of products (..., m, m) whose first column is the constant."""
    total = products[..., :1, :1]
    mean = products[..., :1, 1:] / total
    return products[..., 1:, 1:] / total - np.swapaxes(mean, -1, -2) * mean


def pairwise_correlations(products: np.ndarray) -> np.ndarray:
    """Correlations of k columns, each pair over the rows that have both, (replicates, k, k); nan where there are none.

    `products` is (replicates, 1 + 3k, 1 + 3k): the constant, then of every column whether it is there, its value (0
    where it is not) and its square.
    """
    there, value, square = (slice(first, None, 3) for first in (1, 2, 3))
    n = products[:, there, there]
    n = np.where(n > 0, n, np.nan)
    mean = products[:, value, there] / n  # of the row's column where the column's column is there too
    variance = products[:, square, there] / n - mean**2
    variance = np.where(variance > FLAT, variance, np.nan)
    shared = products[:, value, value] / n - mean * np.swapaxes(mean, 1, 2)
    return shared / np.sqrt(variance * np.swapaxes(variance, 1, 2))


def coefficients(covariances: np.ndarray) -> np.ndarray:
    """Least squares coefficients of the last column on the others, (replicates, m - 1).

    The first replicate is the data. A column that the columns before it determine there is left out everywhere (its
    coefficient is nan), and so, in a replicate, is one that does not vary there.
    """
    x = covariances[:, :-1, :-1]
    spread = np.sqrt(np.maximum(np.einsum("bii->bi", x), 0.0))  # rounding leaves less than nothing
    kept = spread[0] > 0
    residual = np.ascontiguousarray(x[0, ..., None])
    for j in range(x.shape[1]):
        kept[j] &= residual[0, 0, 0] > FLAT * x[0, j, j]
        residual = sweep(residual, np.array([FLAT * x[0, j, j]]))
    out = np.full(x.shape[:2], np.nan)
    varies = spread[:, kept] > 1e-9 * spread[0, kept]
    scale = np.where(varies, spread[:, kept], 1.0)
    r = x[:, kept][:, :, kept] / (scale[:, :, None] * scale[:, None, :])
    # One that does not vary must not make the others unsolvable; columns that only here coincide share the effect.
    r[:, np.arange(r.shape[1]), np.arange(r.shape[1])] += np.where(varies, 1e-12, 1.0)
    beta = np.linalg.solve(r, (covariances[:, :-1, -1][:, kept] / scale)[..., None])[..., 0] / scale
    out[:, kept] = np.where(varies, beta, np.nan)
    return out


def all_r_squared(covariances: np.ndarray, columns: Sequence[Sequence[int]]) -> np.ndarray:
    """R² of every set of players, shape (replicates, 2**players).

    `covariances` is (replicates, m, m) with the outcome last. Every set is reached by sweeping one player out of
    the residual covariance of a smaller set, so that all of them cost little more than the largest.
    """
    order = [c for player in columns for c in player] + [covariances.shape[-1] - 1]
    start = np.ascontiguousarray(np.moveaxis(covariances[:, order][:, :, order], 0, -1))
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
            residual, floor = sweep(residual, floor[0]), floor[1:]
        visit(residual, floor, player + 1, mask | 1 << player)

    visit(start, floors, 0, 0)
    return out.T


def sweep(residual: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Residual covariance after the first column; a column that has nothing left (a copy) takes nothing out."""
    pivot = residual[0, 0]
    inverse = np.where(pivot > floor, 1.0 / np.where(pivot > floor, pivot, 1.0), 0.0)
    first = residual[0, 1:]
    return residual[1:, 1:] - first[:, None] * (first * inverse)[None]
