"""Shapley and Owen values against brute force over all orders, and the axioms that define them."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib import shapley


def game(players, seed=0, replicates=3):
    values = np.random.default_rng(seed).normal(size=(replicates, 1 << players))
    values[:, 0] = 0.0
    return values


def over_orders(values, orders):
    """Average contribution of each player over the given orders, one order at a time."""
    out = np.zeros((len(values), shapley.players(values)))
    for order in orders:
        mask = 0
        for player in order:
            out[:, player] += values[:, mask | 1 << player] - values[:, mask]
            mask |= 1 << player
    return out / len(orders)


def grouped_orders(groups):
    """Orders in which the members of a group come one right after the other."""
    for order in permutations(groups):
        orders = [()]
        for group in order:
            orders = [(*head, *tail) for head in orders for tail in permutations(group)]
        yield from orders


@pytest.mark.parametrize("players", [1, 2, 3, 4, 5, 6])
def test_shapley_values_are_averages_over_all_orders(players):
    values = game(players, seed=players)
    expected = over_orders(values, list(permutations(range(players))))
    np.testing.assert_allclose(shapley.shapley_values(values), expected, atol=1e-12)


@pytest.mark.parametrize(
    "groups", [[(0,), (1,), (2,)], [(0, 1), (2,)], [(2, 0), (1, 3)], [(0, 1, 2, 3)], [(3, 1), (0,), (2, 4)]]
)
def test_owen_values_are_averages_over_the_orders_that_keep_groups_together(groups):
    players = sum(map(len, groups))
    values = game(players, seed=players)
    owen = shapley.owen_values(values, groups)
    np.testing.assert_allclose(owen, over_orders(values, list(grouped_orders(groups))), atol=1e-12)
    whole = shapley.shapley_values(shapley.group_values(values, groups))
    np.testing.assert_allclose(np.stack([owen[:, list(g)].sum(axis=1) for g in groups], axis=1), whole, atol=1e-12)


def test_groups_of_one_leave_the_shapley_value():
    values = game(4)
    np.testing.assert_allclose(shapley.owen_values(values, [(2,), (0,), (3,), (1,)]), shapley.shapley_values(values))


@given(st.integers(1, 7), st.integers(0, 10_000))
def test_the_values_add_up_to_that_of_all_players(players, seed):
    values = game(players, seed)
    np.testing.assert_allclose(shapley.shapley_values(values).sum(axis=1), values[:, -1], atol=1e-10)


def test_a_player_who_adds_nothing_gets_nothing():
    values = np.repeat(game(3), 2, axis=1)  # the first bit changes nothing
    assert shapley.shapley_values(values)[:, 0] == pytest.approx(np.zeros(3))


def test_the_gloves_game():
    # Authority: one left glove, two right ones, a pair is worth 1: 2/3, 1/6, 1/6 (Shapley 1953).
    worth = [0.0] * 8
    for mask in range(8):
        worth[mask] = float(bool(mask & 1) and bool(mask & 6))
    assert shapley.shapley_values(np.array(worth)) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_contributions_come_with_the_size_of_the_set_joined():
    added, sizes = shapley.contributions(np.array([0.0, 1.0, 2.0, 7.0]), 1)
    assert added.tolist() == [2.0, 6.0]
    assert sizes.tolist() == [0, 1]
