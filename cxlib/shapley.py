"""Shapley and Owen values of a set function given on all subsets of the players, as arrays.

A set function is an array whose last axis has 2**k entries; entry m is the value of the players whose bit is
set in m. Leading axes (replicates) are carried along.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import factorial

import numpy as np


def players(values: np.ndarray) -> int:
    """Number of players of a set function."""
    return int(values.shape[-1]).bit_length() - 1


def contributions(values: np.ndarray, player: int) -> tuple[np.ndarray, np.ndarray]:
    """What the player adds to every set without it, shape (..., 2**(k-1)), and the sizes of those sets."""
    masks = np.arange(values.shape[-1])
    without = masks[masks >> player & 1 == 0]
    return values[..., without | 1 << player] - values[..., without], np.bitwise_count(without)


def shapley_values(values: np.ndarray) -> np.ndarray:
    """Average contribution of each player over all orders, shape (..., k) (Shapley 1953)."""
    return values @ _shapley_matrix(players(values))


def owen_values(values: np.ndarray, groups: Sequence[Sequence[int]]) -> np.ndarray:
    """Owen values: groups enter as wholes, members within their group; shape (..., k) (Owen 1977).

    The members' values add up to the Shapley value of their group.
    """
    out = np.empty((*values.shape[:-1], players(values)))
    unions = [sum(1 << j for j in group) for group in groups]
    for g, group in enumerate(groups):
        others = unions[:g] + unions[g + 1 :]
        for j in group:
            mates = [1 << m for m in group if m != j]
            base = np.add.outer(_subset_sums(others), _subset_sums(mates)).ravel()
            weights = np.multiply.outer(newcomer_weights(len(others)), newcomer_weights(len(mates))).ravel()
            out[..., j] = (values[..., base | 1 << j] - values[..., base]) @ weights
    return out


def group_values(values: np.ndarray, groups: Sequence[Sequence[int]]) -> np.ndarray:
    """The set function of the groups as players, shape (..., 2**number of groups)."""
    return values[..., _subset_sums([sum(1 << j for j in group) for group in groups])]


def newcomer_weights(k: int) -> np.ndarray:
    """Share of the orders in which one more player comes right after each set of k players, shape (2**k,)."""
    return _weights(k + 1)[np.bitwise_count(np.arange(1 << k))]


@cache
def _shapley_matrix(k: int) -> np.ndarray:
    """What the value of every set counts for every player: one product is far quicker than k differences."""
    sizes, weights = np.bitwise_count(np.arange(1 << k)).astype(int), np.append(_weights(k), 0.0)
    inside = np.arange(1 << k)[:, None] >> np.arange(k) & 1 == 1
    return np.where(inside, weights[sizes - 1][:, None], -weights[sizes][:, None])


def _weights(k: int) -> np.ndarray:
    """Share of the orders in which a player comes right after a given set, by the size of the set."""
    return np.array([factorial(s) * factorial(k - s - 1) / factorial(k) for s in range(k)])


def _subset_sums(masks: Sequence[int]) -> np.ndarray:
    """The union of every subset of disjoint bit masks, in the order of the subset's own bits."""
    sums = np.zeros(1, dtype=np.int64)
    for mask in masks:
        sums = np.concatenate([sums, sums + mask])
    return sums
