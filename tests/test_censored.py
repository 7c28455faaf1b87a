"""Kaplan-Meier from counts: statsmodels on rows, values worked by hand, and the definition row by row."""

import duckdb
import narwhals as nw
import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from cxlib import censored

# Hours of seven tickets; a plus marks those still open. By hand: S = 6/7, 6/7 * 4/5, 24/35 * 2/3 at 1, 3, 6 hours.
HOURS, DONE = np.array([1.0, 2, 3, 4, 6, 7, 9]), np.array([1.0, 0, 1, 0, 1, 0, 0])


def some_rows(seed=1, n=400, grid=1.0):
    rng = np.random.default_rng(seed)
    time = np.ceil(np.minimum(rng.exponential(20, n), rng.uniform(1, 60, n)) / grid) * grid
    return time, (rng.random(n) < 0.7).astype(float)


def grouped(time, ended, weight=None):
    keys, place = np.unique(np.column_stack([time, ended]), axis=0, return_inverse=True)
    w = np.ones(len(time)) if weight is None else weight
    sums = [np.bincount(place, weights=x) for x in (np.ones(len(time)), w, w**2)]
    return keys[:, 0], keys[:, 1], *sums


def test_by_hand():
    curve = censored.survival_curve(HOURS, DONE, np.ones(7))
    assert curve.surv_times.tolist() == [1, 3, 6]
    assert curve.surv_prob == pytest.approx([6 / 7, 24 / 35, 16 / 35])
    variance = [(6 / 7) ** 2 * (1 / 42), (24 / 35) ** 2 * (1 / 42 + 1 / 20), (16 / 35) ** 2 * (1 / 42 + 1 / 20 + 1 / 6)]
    assert curve.surv_prob_se == pytest.approx(np.sqrt(variance))
    assert censored.curve_quantile(curve, 0.5, 0.95)[0] == 6  # the first time with fewer than half left


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("grid", [1.0, 5.0])
def test_counts_give_statsmodels_rows(seed, grid):
    time, ended = some_rows(seed, grid=grid)
    time, ended = np.r_[time, 99.0], np.r_[ended, 0.0]  # the curve does not come to 0, where statsmodels divides by it
    rows, counts = SurvfuncRight(time, ended), censored.survival_curve(*grouped(time, ended)[:3])
    assert counts.surv_times.tolist() == rows.surv_times.tolist()
    assert counts.surv_prob == pytest.approx(rows.surv_prob, abs=1e-12)
    known = rows.surv_prob > 0
    assert counts.surv_prob_se[known] == pytest.approx(rows.surv_prob_se[known], abs=1e-12)
    for share in (0.1, 0.37, 0.9):
        expected = rows.quantile(share), *rows.quantile_ci(share)
        found = censored.curve_quantile(counts, share, 0.95)
        assert found == pytest.approx([x if np.isfinite(x) else np.nan for x in expected], nan_ok=True)


def test_equal_weights_are_no_weights():
    """Identity: weights of 2 leave the curve; at 4,000 rows the jackknife's errors are within 2 % of Greenwood's."""
    time, ended = some_rows(n=4000)
    plain = censored.survival_curve(*grouped(time, ended)[:3])
    weighted = censored.survival_curve(*grouped(time, ended, np.full(len(time), 2.0)))
    assert weighted.surv_prob == pytest.approx(plain.surv_prob)
    assert weighted.surv_prob_se[:-3] == pytest.approx(plain.surv_prob_se[:-3], rel=0.02)


def test_weighted_errors_are_the_jackknife_by_definition():
    """Brute force: how the weighted curve moves as each row's weight moves a little, squared and summed."""
    time, ended = some_rows(3, 60)
    weight = np.random.default_rng(0).uniform(0.5, 3, 60)
    time, ended = np.r_[time[1:], 99.0], np.r_[ended[1:], 0.0]
    curve = censored.survival_curve(*grouped(time, ended, weight))
    moved = []
    for i in range(60):
        more = weight.copy()
        more[i] *= 1 + 1e-6
        moved.append((SurvfuncRight(time, ended, freq_weights=more).surv_prob - curve.surv_prob) / 1e-6)
    expected = np.sqrt(60 / 59 * np.sum(np.square(moved), axis=0))
    assert curve.surv_prob_se == pytest.approx(expected, rel=1e-4)


def test_incidence_is_that_of_statsmodels():
    time, _ = some_rows(2)
    status = np.random.default_rng(5).choice([0, 1, 2], len(time), p=[0.3, 0.5, 0.2])
    status[time == time.max()] = 0  # where the curve comes to 0, statsmodels divides by it
    expected = CumIncidenceRight(time, status)
    curve = censored.survival_curve(*grouped(time, (status > 0).astype(float))[:3])
    for k in (1, 2):
        events = np.array([(status[time == t] == k).sum() for t in curve.surv_times])
        share, error = censored.incidence(curve, events)
        assert share == pytest.approx(expected.cinc[k - 1][-1])
        assert error == pytest.approx(expected.cinc_se[k - 1][-1])


def test_incidence_of_the_only_kind_is_what_kaplan_meier_leaves():
    """Identity, error included."""
    curve = censored.survival_curve(HOURS, DONE, np.ones(7))
    share, error = censored.incidence(curve, curve.n_events)
    assert (share, error) == pytest.approx((1 - curve.surv_prob[-1], curve.surv_prob_se[-1]))


def test_late_entries_are_not_at_risk_before_they_came():
    entry = np.array([0.0, 0, 2, 2, 0, 5, 5])
    curve = censored.survival_curve(HOURS, DONE, np.ones(7), entry=entry)
    assert curve.n_risk.tolist() == [3, 3, 3]
    rows = SurvfuncRight(HOURS, DONE, entry=entry)
    assert curve.surv_prob == pytest.approx(rows.surv_prob)
    assert curve.surv_prob_se == pytest.approx(rows.surv_prob_se)


@pytest.mark.parametrize("seed", range(10))
def test_a_coarse_grid_moves_the_curve_no_more_than_its_bound(seed):
    """Rows against the grid, at every step of the grid: never below, and above by no more than the bound says."""
    rng = np.random.default_rng(seed)
    time, ended = np.minimum(rng.exponential(30, 500), rng.uniform(0, 90, 500)), (rng.random(500) < 0.6).astype(float)
    coarse = 5 * np.ceil(time / 5)
    keys = grouped(coarse, ended)[:3]
    exact, curve = SurvfuncRight(time, ended), censored.survival_curve(*keys)
    steps = np.unique(coarse)
    at = [np.r_[1.0, c.surv_prob][np.searchsorted(c.surv_times, steps, side="right")] for c in (curve, exact)]
    gap, (places, bound) = at[0] - at[1], censored.grid_bound(*keys)
    assert places.tolist() == steps.tolist()
    assert (gap <= bound + 1e-12).all()
    assert (gap >= -1e-12).all()
    assert gap.max() > 0
    assert bound[steps <= 15].max() < 0.05  # it says something


def test_the_grid_is_seconds_up_to_a_day_and_minutes_beyond():
    lazy = nw.from_native(duckdb.sql("SELECT unnest([0.0, 59.5, 86400.0, 86401.0, 86520.0]) s"))
    found = lazy.select(censored.on_a_grid(nw.col("s")).alias("s")).collect("pandas")["s"].to_list()
    assert found == [0, 60, 86_400, 86_460, 86_520]


@pytest.mark.parametrize(
    ("by", "share", "told"),
    [
        (1.0, 1 / 7, "Wilson"),
        (5.0, 11 / 35, "log-log"),
        (0.5, 0.0, "Wilson"),
        (20.0, np.nan, "beyond what was observed"),
    ],
)
def test_share_within_a_target(by, share, told):
    curve = censored.survival_curve(HOURS, DONE, np.ones(7))
    found = censored.ended_by(curve, by, HOURS, DONE, np.ones(7), 0.95)
    assert found[0] == pytest.approx(share, nan_ok=True)
    assert found[4] == told
    if np.isfinite(share):
        assert found[2] <= share <= found[3] and found[2] < found[3]


def test_all_within_the_target_has_an_interval_too():
    """Wilson for 7 of 7: the lower limit is n / (n + z²)."""
    ended = np.ones(7)
    curve = censored.survival_curve(HOURS, ended, np.ones(7))
    share, _, lower, upper, _ = censored.ended_by(curve, 100.0, HOURS, ended, np.ones(7), 0.95)
    assert (share, upper) == (1, pytest.approx(1))
    assert lower == pytest.approx(7 / (7 + 1.959963984540054**2))
