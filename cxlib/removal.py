"""What removing causes does to attrition: arrays in, numbers out.

Throughout, n and events are (replicates, cells), risks (replicates, sets of removed causes, cells).
"""

from __future__ import annotations

import numpy as np

from . import shapley

TIE = 1e-9  # risks closer than this are the same


def removal_values(n: np.ndarray, risks: np.ndarray) -> np.ndarray:
    """v(S) for every set of removed causes, (replicates, 2**causes), from n (replicates, cells) and the risks."""
    means = np.einsum("bc,bsc->bs", n, risks)
    return 1.0 - _ratio(means, means[:, :1])


def average_fractions(n: np.ndarray, risks: np.ndarray) -> np.ndarray:
    """Average fraction of each cause, (replicates, causes)."""
    return shapley.shapley_values(removal_values(n, risks))


def contributions_by_cell(risks: np.ndarray) -> np.ndarray:
    """Shapley contribution of each cause to the risk of each cell, (replicates, cells, causes)."""
    return shapley.shapley_values(np.moveaxis(risks[:, :1] - risks, 1, 2))


def fractions(n: np.ndarray, risks: np.ndarray) -> np.ndarray:
    """Of each cause: fraction, average, last, lowest and highest contribution; then the joint fraction."""
    v = removal_values(n, risks)
    average, columns = shapley.shapley_values(v), []
    for j in range(shapley.players(v)):
        added, _ = shapley.contributions(v, j)
        columns += [v[:, 1 << j], average[:, j], added[:, -1], added.min(axis=1), added.max(axis=1)]
    return np.column_stack([*columns, v[:, -1]])


def role_bounds(n: np.ndarray, events: np.ndarray, risks: np.ndarray, exposed: np.ndarray) -> np.ndarray:
    """Of each cause: the fraction, at least 0, and the share of leavers who had a failure (exposed: causes, cells)."""
    alone = removal_values(n, risks)[:, 1 << np.arange(len(exposed))]
    had = _ratio(events @ exposed.T, events.sum(axis=1, keepdims=True))
    return np.stack([np.maximum(alone, 0.0), had], axis=2).reshape(len(n), -1)


def unadjusted(n: np.ndarray, events: np.ndarray, exposed: np.ndarray) -> np.ndarray:
    """Of each cause, then of all: 1 - share leaving of those without a failure / share leaving of all."""
    without = ~np.vstack([exposed, exposed.any(axis=0)])
    overall = _ratio(events.sum(axis=1, keepdims=True), n.sum(axis=1, keepdims=True))
    return 1.0 - _ratio(_ratio(events @ without.T, n @ without.T), overall)


def split(n: np.ndarray, risks: np.ndarray, exposed: np.ndarray, pair: list[int]) -> np.ndarray:
    """Four-way split of the leavers, over all, any exposed and both exposed: (replicates, 12)."""
    return leavers_in(verdicts(risks, exposed, pair), n, risks, exposed[pair])


def verdicts(risks: np.ndarray, exposed: np.ndarray, pair: list[int]) -> np.ndarray:
    """Of each cell: the first cause weighs more, the second, they tie, neither is there; (replicates, 4, cells)."""
    first, second = np.moveaxis(np.maximum(contributions_by_cell(risks)[..., pair], 0.0), 2, 0)
    any_ = exposed[pair].any(axis=0)
    more, less = (first > second + TIE) & any_, (second > first + TIE) & any_
    return np.stack([more, less, any_ & ~more & ~less, np.broadcast_to(~any_, more.shape)], axis=1)


def leavers_in(parts: np.ndarray, n: np.ndarray, risks: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Share of the leavers in each of four parts of the cells, over all, any and both of `has`: (replicates, 12).

    `parts` is (replicates, 4, cells), or (4, cells) where they are the same in every replicate.
    """
    leavers = n * risks[:, 0]
    shares = [_ratio((parts @ (leavers * among)[..., None])[..., 0], (leavers * among).sum(axis=1, keepdims=True))
              for among in (np.ones(has.shape[1]), has.any(axis=0), has.all(axis=0))]  # fmt: skip
    return np.concatenate(shares, axis=1)


def removal_weights(shares: list[float]) -> np.ndarray:
    """Probability of every set of removed causes when each failure is removed with its cause's share."""
    weights = np.ones(1)
    for share in shares:
        weights = np.concatenate([weights * (1 - share), weights * share])
    return weights


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole; nan where a replicate drew nobody to divide by."""
    return part / np.where(whole > 0, whole, np.nan)
