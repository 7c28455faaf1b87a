"""Differences of waves against exact enumeration, finite differences, simulation with known truth, and identities."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cxlib import changes, intervals
from tests.calibration.wave_errors import CASES, error_rates

cell = st.integers(0, 60)
tables = st.lists(st.tuples(cell, cell, cell), min_size=2, max_size=4).map(lambda t: np.array(t, dtype=float))
U = np.array([-1.0, 0.0, 1.0])


def alike(before, after):
    """Tables of the same number of segments, each wave with answers."""
    k = min(len(before), len(after))
    before, after = before[:k], after[:k]
    assume(before.sum() and after.sum())
    return before, after


def nps_of(table):
    return float((table @ U).sum() / table.sum())


def mix_and_rate(before, after):
    """The two sums as they are written, segment by segment."""
    mix = rate = 0.0
    for one, other in zip(before, after, strict=True):
        p1, p2 = one.sum() / before.sum(), other.sum() / after.sum()
        s1 = one @ U / one.sum() if one.sum() else other @ U / max(other.sum(), 1)
        s2 = other @ U / other.sum() if other.sum() else s1
        mix, rate = mix + (p2 - p1) * (s1 + s2) / 2, rate + (p1 + p2) / 2 * (s2 - s1)
    return mix, rate


@given(tables, tables)
def test_mix_and_rate_add_up_to_the_change_exactly(before, after):
    before, after = alike(before, after)
    found = changes.split(before, after)
    assert found["change"].estimate == pytest.approx(nps_of(after) - nps_of(before), abs=1e-12)
    assert found["mix"].estimate + found["rate"].estimate == pytest.approx(found["change"].estimate, abs=1e-15)
    assert (found["mix"].estimate, found["rate"].estimate) == pytest.approx(mix_and_rate(before, after), abs=1e-12)


@given(tables, tables)
def test_influence_is_the_derivative(before, after):
    """Brute force: put a little more weight on one cell and see what the part does; segments of one wave included."""
    before, after = alike(before, after)
    plain, step = changes.split(before, after), 1e-7
    for name, part in plain.items():
        for wave, table, effect in ((0, before, part.before), (1, after, part.after)):
            k, c = np.argwhere(table > 0)[0]
            more = table / table.sum() * (1 - step)
            more[k, c] += step
            moved = changes.split(*((more, after) if wave == 0 else (before, more)))[name].estimate
            assert effect[k, c] == pytest.approx((moved - part.estimate) / step, rel=1e-3, abs=1e-3)


def test_simpson_both_segments_rise_and_the_whole_falls():
    """By hand: s is .8 and 0, then .9 and .1; the better segment shrinks from 80 to 20 % of the answers."""
    before, after = np.array([[8.0, 0, 72], [5, 10, 5]]), np.array([[1.0, 0, 19], [20, 32, 28]])
    found = changes.split(before, after)
    assert found["mix"].estimate == pytest.approx(-0.6 * 0.85 + 0.6 * 0.05)
    assert found["rate"].estimate == pytest.approx(0.1)
    assert found["change"].estimate == pytest.approx((0.2 * 0.9 + 0.8 * 0.1) - (0.8 * 0.8))


def test_one_segment_is_the_formula_of_adjusted_counts():
    """(s2 - s1) ± z sqrt(v1/n1 + v2/n2) on counts with .75, 1.5, .75 added to each wave."""
    before, after = np.array([[3.0, 2, 5]]), np.array([[10.0, 40, 50]])
    fuller = [intervals.moments(*(t[0] + np.array([0.75, 1.5, 0.75]))) for t in (before, after)]
    (n1, s1, v1), (n2, s2, v2) = fuller
    estimate, error, low, high = changes.differences(before, after)["change"]
    assert estimate == pytest.approx(0.4 - 0.2)
    assert error == pytest.approx(np.sqrt(v1 / n1 + v2 / n2))
    assert (low, high) == pytest.approx((s2 - s1 - 1.959963984540054 * error, s2 - s1 + 1.959963984540054 * error))


@given(tables, tables)
def test_the_split_of_segments_leaves_the_change_and_its_limits(before, after):
    before, after = alike(before, after)
    whole = changes.differences(before.sum(axis=0, keepdims=True), after.sum(axis=0, keepdims=True))["change"]
    found = changes.differences(before, after)
    assert found["change"] == pytest.approx(whole, abs=1e-9)
    for estimate, error, low, high in found.values():
        assert -2 <= low <= estimate <= high <= 2
        assert error >= 0


def test_a_segment_without_answers_changes_nothing():
    before, after = np.array([[3.0, 2, 5], [4, 4, 9]]), np.array([[10.0, 40, 50], [1, 2, 0]])
    more = [np.vstack([table, np.zeros(3)]) for table in (before, after)]
    expected = changes.differences(before, after)
    for name, found in changes.differences(*more).items():
        assert found == pytest.approx(expected[name])


def test_swapping_the_waves_mirrors_everything():
    before, after = np.array([[3.0, 2, 5], [4, 4, 9]]), np.array([[10.0, 40, 50], [1, 2, 0]])
    there, back = changes.differences(before, after), changes.differences(after, before)
    for name, (estimate, error, low, high) in there.items():
        assert back[name] == pytest.approx((-estimate, error, -high, -low))


def paired(rng, n, both):
    """n answers a wave, the first `both` of them by the same persons, who change their mind a little."""
    latent = rng.normal(0.4, 1, (2, n))
    latent[1, :both] = latent[0, :both] + rng.normal(0, 0.4, both) + 0.1
    return np.digitize(latent, (-0.3, 0.5)).astype(int)


def as_table(classes):
    return np.bincount(classes, minlength=3).astype(float)[None, :]


def as_pairs(one, other):
    return changes.Pairs((0 * one, one), (0 * other, other), np.ones(len(one)))


def test_pairing_everyone_is_the_variance_of_their_differences():
    """Identity: with the same persons in both waves, Var = var(u2 - u1)/n."""
    one, other = paired(np.random.default_rng(3), 80, 80)
    before, after = as_table(one), as_table(other)
    part = changes.split(before, after)["change"]
    found = changes.variance(part, before, after, as_pairs(one, other))
    assert found == pytest.approx(np.var(U[other] - U[one]) / 80)


def test_pairing_some_takes_off_twice_their_covariance():
    """2 n12 Cov(u1, u2) / (n1 n2), the covariance taken over those in both waves."""
    one, other = paired(np.random.default_rng(4), 90, 50)
    before, after = as_table(one), as_table(other[:70])
    part, pairs = changes.split(before, after)["change"], as_pairs(one[:50], other[:50])
    apart, together = (changes.variance(part, before, after, p) for p in (None, pairs))
    covariance = np.mean(U[one[:50]] * U[other[:50]]) - U[one[:50]].mean() * U[other[:50]].mean()
    assert apart - together == pytest.approx(2 * 50 * covariance / (90 * 70))
    assert apart == pytest.approx(np.var(U[one]) / 90 + np.var(U[other[:70]]) / 70)


def test_intervals_of_paired_changes_cover_and_ignoring_the_pairs_covers_too_much():
    """Known truth by simulation: 95 % within three simulation errors."""
    rng, runs = np.random.default_rng(5), 1500
    big = paired(rng, 2_000_000, 2_000_000)
    latent_before, latent_after = U[big[0]].mean(), U[big[1]].mean()
    held = np.zeros(2)
    for _ in range(runs):
        one, other = paired(rng, 150, 150)
        for i, pairs in enumerate((as_pairs(one, other), None)):
            _, _, low, high = changes.differences(as_table(one), as_table(other), pairs)["change"]
            held[i] += low <= latent_after - latent_before <= high
    assert held[0] / runs == pytest.approx(0.95, abs=0.02)
    assert held[1] / runs > 0.985


def test_intervals_of_mix_and_rate_cover_the_truth():
    """Known truth by simulation: cell probabilities of three segments in two waves of 120 and 250 answers."""
    rng, runs = np.random.default_rng(6), 2000
    before = np.array([[0.05, 0.10, 0.35], [0.10, 0.10, 0.10], [0.10, 0.05, 0.05]])
    after = np.array([[0.02, 0.10, 0.18], [0.10, 0.15, 0.20], [0.15, 0.05, 0.05]])
    truth = {name: part.estimate for name, part in changes.split(before, after).items()}
    one = rng.multinomial(120, before.ravel(), runs).reshape(runs, 3, 3).astype(float)
    other = rng.multinomial(250, after.ravel(), runs).reshape(runs, 3, 3).astype(float)
    for name, (estimate, error, low, high) in changes.differences(one, other).items():
        assert np.mean((low <= truth[name]) & (truth[name] <= high)) == pytest.approx(0.95, abs=0.015)
        assert estimate.mean() == pytest.approx(truth[name], abs=0.006)
        assert error.mean() == pytest.approx(estimate.std(), rel=0.06)


# Printed in the specification of the kit's methods for n = (10, 100) and a 5/15/80 mix, by simulation within .005.
PRINTED = {"wald": 0.137, "welch": 0.119, "adjusted": 0.044}


def test_exact_type_1_errors():
    assert error_rates((10, 100), (5, 15, 80)) == pytest.approx(PRINTED, abs=0.005)


def test_the_enumeration_agrees_with_simulation():
    """Drawn and computed here with no code of the kit."""
    rng, runs = np.random.default_rng(7), 400_000
    one, other = (rng.multinomial(n, [0.05, 0.15, 0.80], runs) for n in (10, 100))
    rejected = {}
    for name, extra in (("wald", 0), ("adjusted", np.array([0.75, 1.5, 0.75]))):
        s, error = [], 0.0
        for wave in (one + extra, other + extra):
            n = wave.sum(axis=1)
            s.append((wave[:, 2] - wave[:, 0]) / n)
            error = error + ((wave[:, 2] + wave[:, 0]) / n - s[-1] ** 2) / n
        with np.errstate(divide="ignore", invalid="ignore"):
            rejected[name] = np.mean(np.abs(s[0] - s[1]) > 1.959963984540054 * np.sqrt(error))
    exact = error_rates((10, 100), (5, 15, 80))
    assert rejected == pytest.approx({name: exact[name] for name in rejected}, abs=0.002)


def test_the_stored_type_1_errors_are_those_the_script_makes():
    table = (Path(__file__).parent / "calibration" / "wave_errors.csv").read_text().splitlines()
    rows = list(csv.DictReader(table))
    assert [(int(r["n_before"]), int(r["n_after"])) for r in rows] == [sizes for sizes, _ in CASES]
    for row, (sizes, mix) in zip(rows, CASES, strict=True):
        expected = error_rates(sizes, mix)
        assert {name: float(row[name]) for name in expected} == pytest.approx(expected, abs=1e-6)
        assert float(row["adjusted"]) < 0.05
