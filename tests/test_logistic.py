"""The batched logit against statsmodels, one fit at a time, and against what cannot be fitted."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from cxlib import logistic


def cells(count=40, parameters=5, replicates=8, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(count), rng.normal(size=(count, parameters - 1)) * scale])
    n = rng.integers(20, 60, (replicates, count)).astype(float)
    risk = logistic.expit(design @ np.r_[-0.3, rng.normal(size=parameters - 1) / (2 * scale)])
    return design, n, rng.binomial(n.astype(int), risk).astype(float)


def by_statsmodels(design, n, events):
    model = sm.GLM(np.column_stack([events, n - events]), design, family=sm.families.Binomial())
    return model.fit(tol=1e-14, tol_criterion="params", maxiter=200)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e5])
def test_every_replicate_equals_a_fit_of_its_own(scale):
    design, n, events = cells(scale=scale)
    expected = np.array([by_statsmodels(design, *counts).params for counts in zip(n, events, strict=True)])
    np.testing.assert_allclose(logistic.fit(design, n, events), expected, rtol=1e-8)
    np.testing.assert_allclose(logistic.fit(design, n, events, start=expected[0]), expected, rtol=1e-8)


def test_likelihood_and_standard_errors_equal_statsmodels():
    design, n, events = cells(replicates=1)
    fitted = by_statsmodels(design, n[0], events[0])
    beta = logistic.fit(design, n, events)
    null = logistic.log_likelihood(design[:, :1], n, events, logistic.fit(design[:, :1], n, events))
    gain = logistic.log_likelihood(design, n, events, beta) - null
    assert 2 * gain[0] == pytest.approx(fitted.null_deviance - fitted.deviance, rel=1e-9)
    np.testing.assert_allclose(logistic.standard_errors(design, n[0], beta[0]), fitted.bse, rtol=1e-8)
    np.testing.assert_allclose(
        np.linalg.inv(logistic.information(design, n[0], beta[0])), fitted.cov_params(), rtol=1e-8
    )


def test_weights_may_be_fractions_and_cells_empty():
    design, n, events = cells(replicates=1)
    keep = np.arange(len(design)) > 5
    partly = logistic.fit(design, n * keep * 0.37, events * keep * 0.37)
    np.testing.assert_allclose(partly, logistic.fit(design[keep], n[:, keep], events[:, keep]), atol=1e-9)


def test_risks_are_right_where_the_likelihood_has_no_maximum():
    # The second level never has the outcome: its risk goes to 0, the first level keeps its share.
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    beta = logistic.fit(design, np.array([[100.0, 50.0]]), np.array([[30.0, 0.0]]))
    assert logistic.expit(beta @ design.T)[0] == pytest.approx([0.3, 0.0], abs=1e-12)
    assert logistic.standard_errors(design, np.array([100.0, 50.0]), beta[0])[1] > 1e3


def test_a_level_that_a_replicate_did_not_draw_keeps_its_coefficient():
    design = np.column_stack([np.ones(3), np.eye(3)[:, 1:]])
    beta = logistic.fit(
        design, np.array([[50.0, 40.0, 0.0]]), np.array([[10.0, 20.0, 0.0]]), start=np.array([0.0, 0.5, 0.7])
    )
    assert beta[0] == pytest.approx([np.log(10 / 40), np.log(1.0) - np.log(10 / 40), 0.7])


@pytest.mark.parametrize("start", [-9.0, 6.0, 12.0])
def test_a_start_far_away_is_no_harm(start):
    # There Newton's full step overshoots by hundreds of logits; the likelihood along it says so.
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    n, events = np.array([[100.0, 50.0]]), np.array([[30.0, 20.0]])
    beta = logistic.fit(design, n, events, start=np.array([start, 0.0]))
    assert logistic.expit(beta @ design.T)[0] == pytest.approx([0.3, 0.4], abs=1e-12)


def test_one_customer_far_out_does_not_stop_the_fit():
    rng = np.random.default_rng(1)
    x = np.r_[5000.0, rng.normal(size=600)]
    y = np.r_[1.0, rng.random(600) < logistic.expit(x[1:] - 1)]
    design = np.column_stack([np.ones(601), x])
    beta = logistic.fit(design, np.ones((1, 601)), y[None])[0]
    gradient = (y - logistic.expit(design @ beta)) @ design
    assert beta[1] == pytest.approx(1, abs=0.3)
    assert np.abs(gradient) == pytest.approx([0, 0], abs=1e-8)


@given(st.integers(0, 100_000))
def test_the_score_is_zero_at_the_estimate(seed):
    rng = np.random.default_rng(seed)
    count, parameters = int(rng.integers(4, 20)), int(rng.integers(1, 4))
    design = np.column_stack([np.ones(count), rng.integers(-3, 4, (count, parameters - 1))])
    n = rng.integers(1, 30, (2, count)).astype(float)
    # Half an event more than none and less than all: a finite maximum exists.
    events = np.clip(rng.binomial(n.astype(int), rng.random()), 0.5, n - 0.5)
    beta = logistic.fit(design, n, events)
    score = (events - n * logistic.expit(beta @ design.T)) @ design
    assert np.abs(score).max() < 1e-6


def test_probabilities_do_not_overflow():
    assert logistic.expit(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
