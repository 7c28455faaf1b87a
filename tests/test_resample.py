"""Resampling: the draws are those of numpy's generator, the intervals those of order statistics."""

import numpy as np
import pandas as pd
import pytest

from cxlib import resample
from cxlib.drivers import relative_importance
from cxlib.errors import CxError
from cxlib.resample import multiplicities, over_chunks, percentile_interval


def draws(units=30, replicates=50, seed=3, width=1):
    return np.concatenate(list(multiplicities(units, replicates, seed, width)))


def test_every_replicate_draws_as_many_units_as_there_are():
    times = draws()
    assert times.shape == (50, 30)
    assert (times.sum(axis=1) == 30).all()


def test_the_draws_do_not_depend_on_the_size_of_the_chunks(monkeypatch):
    whole = draws()
    for elements in (1, 100, 700):
        monkeypatch.setattr(resample, "CHUNK_ELEMENTS", elements)
        assert (draws() == whole).all()
        assert (draws(width=400) == whole).all()


def test_the_draws_depend_on_the_seed_alone():
    assert (draws() == draws()).all()
    assert (draws() != draws(seed=4)).any()


def test_chunks_stay_small(monkeypatch):
    monkeypatch.setattr(resample, "CHUNK_ELEMENTS", 300)
    assert {len(chunk) for chunk in multiplicities(30, 25, 0, 1)} == {10, 5}
    assert {len(chunk) for chunk in multiplicities(30, 25, 0, 100)} == {3, 1}


def test_the_counts_follow_the_binomial_law():
    # Authority: a unit is drawn Binomial(n, 1/n) times; 600,000 counts have a variance of 29/30 within 1 %.
    times = draws(replicates=20_000)
    assert times.var() == pytest.approx(29 / 30, rel=0.01)
    assert np.corrcoef(times[:, 0], times[:, 1])[0, 1] == pytest.approx(-1 / 29, abs=0.03)


def test_no_replicates_give_nothing():
    assert list(multiplicities(5, 0, 0, 1)) == []


def test_limits_are_order_statistics():
    # Authority: of 399 replicates in order, the 10th and the 390th bound 95 % (Davison & Hinkley 1997, 5.3.1).
    values = np.random.default_rng(0).permutation(399).astype(float)[:, None]
    spread, lower, upper = percentile_interval(values, 0.95)
    assert (lower[0], upper[0]) == pytest.approx((9.0, 389.0))
    assert spread[0] == pytest.approx(values.std(ddof=1))


def test_undefined_replicates_are_left_out_and_undefined_measures_stay_undefined():
    values = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    spread, lower, upper = percentile_interval(values, 0.9)
    assert spread[0] == pytest.approx(1.0)
    assert 1 <= lower[0] < upper[0] <= 3
    assert np.isnan([spread[1], lower[1], upper[1]]).all()


def test_a_measure_that_one_replicate_has_has_no_spread():
    """Authority: the standard deviation of one number, which is none."""
    spread, lower, upper = percentile_interval(np.array([[1.0, np.nan], [np.nan, np.nan], [np.nan, 3.0]]), 0.95)
    assert np.isnan(spread).all()
    assert lower.tolist() == upper.tolist() == [1.0, 3.0]


@pytest.mark.parametrize(("level", "hint"), [(95, "did you mean 0.95"), (0, ""), (1.0, ""), (-2, "")])
def test_a_level_must_be_a_share(level, hint):
    with pytest.raises(CxError, match=f"level must be between 0 and 1, not {level}") as caught:
        percentile_interval(np.zeros((4, 1)), level)
    assert hint in str(caught.value)


def test_no_replicates_no_interval():
    assert all(np.isnan(part).all() and part.shape == (3,) for part in percentile_interval(np.empty((0, 3)), 0.95))


def test_chunks_are_put_together_in_order():
    result = over_chunks(iter([np.ones((2, 3)), np.zeros((1, 3))]), lambda chunk: chunk.sum(axis=1))
    assert result.tolist() == [3.0, 3.0, 0.0]


def test_without_replicates_there_are_the_data_alone():
    data = pd.DataFrame({"recommend": [9, 7, 3, 8, 6, 10], "staff": [5, 4, 2, 4, 3, 5], "price": [4, 2, 3, 3, 4, 3]})
    point, drawn = (
        relative_importance(data, drivers=["staff", "price"], method="johnson", replicates=k) for k in (0, 5)
    )
    np.testing.assert_allclose(point["estimate"], drawn["estimate"], rtol=1e-13)  # summed in another order
    assert point[["std_error", "lower", "upper"]].isna().all(axis=None)
