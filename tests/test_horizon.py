"""Fractions by horizon: sums over rows with statsmodels, the landmark frame of each horizon, the simulated truth."""

from functools import cache
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.genmod.families import Binomial

from cxlib.attrition import fit_attrition
from cxlib.data import load
from cxlib.errors import CxError
from cxlib.fractions import attributable_fractions
from cxlib.frame import landmark
from cxlib.horizon import fraction_by_horizon
from cxlib.schema import RESULT_COLUMNS
from cxlib.simulation import simulate
from cxlib.windows import stack_landmarks

CAUSES = {"service": {"service": {"failed": "good"}}, "price": {"price": {"raised": "same", "raised a lot": "same"}}}
SHIPPED = {
    "service": {"service_band": {"failed": "good"}},
    "price": {"price_band": {"raised": "same", "raised a lot": "same"}},
}
KEYS = {"customer": "customer_id", "period": "window"}


def stack(customers=600, months=4, seed=0):
    """Customers month by month until they leave, with what is known of them on the first day."""
    rng = np.random.default_rng(seed)
    first = pd.DataFrame({
        "customer_id": [f"C{i}" for i in range(customers)],
        "service": rng.choice(["good", "failed"], customers, p=[0.7, 0.3]),
        "price": rng.choice(["same", "raised", "raised a lot"], customers, p=[0.6, 0.25, 0.15]),
        "segment": rng.choice(["a", "b"], customers),
    })  # fmt: skip
    logit = (
        -3 + 1.2 * (first["service"] == "failed") + 0.6 * (first["price"] != "same") + 0.4 * (first["segment"] == "b")
    )
    rows = []
    for month in range(1, months + 1):
        left = rng.random(len(first)) < 1 / (1 + np.exp(-logit))
        rows.append(first.assign(left=left, month=month, window=f"2026-{month:02d}-01"))
        first, logit = first[~left], logit[~left]
    return pd.concat(rows, ignore_index=True).assign(left=lambda d: d["left"].astype(int), n=1)


def by_rows(data, formula, period):
    """Mean share left by the end of each period, under every set of removed causes, customer by customer."""
    model = smf.glm(formula, data, family=Binomial(), freq_weights=data["n"].to_numpy()).fit(tol=1e-14)
    first, out = data[data["month"] == 1], {}
    for gone in [(), ("service",), ("price",), ("service", "price")]:
        there, means = np.ones(len(first)), []
        for value in sorted(data[period].unique()):
            then = first.assign(**{period: value})
            then = then.assign(**{c: then[c].replace(CAUSES[c][c]) for c in gone})
            there = there * (1 - model.predict(then).to_numpy())
            means.append(1 - np.average(there, weights=first["n"]))
        out[frozenset(gone)] = np.array(means)
    return out


def told(result, term, measure):
    return result[(result["term"] == term) & (result["measure"] == measure)].set_index("horizon_days")["estimate"]


CAUSE_TERMS = "C(service, Treatment('good')) * C(price, Treatment('same'))"
MAIN = "C(service, Treatment('good')) + C(price, Treatment('same'))"
EACH = f"({MAIN}) * (segment + C(window)) + {CAUSE_TERMS}"


@pytest.mark.parametrize(
    ("interactions", "period", "formula"),
    [(None, "window", f"left ~ {MAIN} + segment + C(window)"),
     ("causes", "window", f"left ~ {CAUSE_TERMS} + segment + C(window)"),
     ("causes", "month", f"left ~ {CAUSE_TERMS} + segment + month"),
     ("all", "window", f"left ~ {EACH}")],
)  # fmt: skip
def test_fractions_equal_sums_over_rows(interactions, period, formula):
    data = stack()
    fit = fit_attrition(
        data, causes=CAUSES, adjust=["segment", period], interactions=interactions, replicates=0, **KEYS
    )
    found, left = fraction_by_horizon(fit, period), by_rows(data, formula, period)
    assert not fit.dropped
    v = {gone: 1 - means / left[frozenset()] for gone, means in left.items()}
    np.testing.assert_allclose(told(found, "all", "attrition"), left[frozenset()], atol=1e-9)
    np.testing.assert_allclose(told(found, "joint", "fraction"), v[frozenset(CAUSES)], atol=1e-9)
    for cause in CAUSES:
        np.testing.assert_allclose(told(found, cause, "fraction"), v[frozenset({cause})], atol=1e-9)
        orders = [order[: order.index(cause)] for order in permutations(CAUSES)]
        average = np.mean([v[frozenset({*before, cause})] - v[frozenset(before)] for before in orders], axis=0)
        np.testing.assert_allclose(told(found, cause, "average_fraction"), average, atol=1e-9)
    assert (found["n"] == 600).all() and sorted(set(found["horizon_days"])) == [30, 60, 90, 120]


def test_averages_add_up_to_the_joint_fraction_at_every_horizon():
    fit = fit_attrition(stack(), causes=CAUSES, adjust=["window"], replicates=0, **KEYS)
    found = fraction_by_horizon(fit)
    added = found[found["measure"] == "average_fraction"].groupby("horizon_days")["estimate"].sum()
    np.testing.assert_allclose(added, told(found, "joint", "fraction"), atol=1e-12)


@cache
def example():
    tables, truth = simulate(customers=6000, months=12, seed=3)
    return load(tables), truth


def test_a_saturated_model_gives_the_landmark_frame_of_each_horizon():
    """Hazards cumulate to the share that left, and fractions to those of a landmark with that horizon: involuntary
    ends stay in as non-events in both, so this fails if they leave the months that follow."""
    tables, truth = example()
    held = stack_landmarks(tables, truth.as_of, 3, 180, exposures="held").to_pandas()
    held = held[held["service_band"] != "none"]  # two levels and the windows: every cell has a term of its own
    causes = {"service": SHIPPED["service"]}
    fit = fit_attrition(held, causes=causes, adjust=["window"], interactions="all", replicates=0, **KEYS)
    found = fraction_by_horizon(fit)
    for days in (30, 60, 90):
        frame = landmark(tables, truth.as_of, 180, days).to_pandas()
        frame = frame[frame["service_band"] != "none"]
        alone = attributable_fractions(fit_attrition(frame, causes=causes, replicates=0)).set_index("measure")
        assert told(found, "service", "fraction")[days] == pytest.approx(alone.loc["fraction", "estimate"], abs=1e-9)
        assert told(found, "all", "attrition")[days] == pytest.approx(frame["left"].mean(), abs=1e-12)


def test_the_truth_of_the_simulated_horizon_is_within_three_standard_errors():
    tables, truth = example()
    held = stack_landmarks(tables, truth.as_of, 3, 180, exposures="held").to_pandas()
    adjust = ["fault_band", "gap_band", "tenure_band", "segment", "plan", "window"]
    fit = fit_attrition(held, causes=SHIPPED, adjust=adjust, replicates=100, **KEYS)
    found = fraction_by_horizon(fit)
    for row in found[(found["horizon_days"] == 90) & (found["measure"] == "fraction")].to_dict("records"):
        assert abs(row["estimate"] - truth.fraction[row["term"]]) < 3 * row["std_error"]


def test_intervals_are_percentiles_over_whole_customers():
    """Against drawing customers with all their rows by hand and fitting again."""
    data, rng = stack(400, 3), np.random.default_rng(0)
    fit = fit_attrition(data, causes=CAUSES, adjust=["window"], interactions=None, replicates=300, **KEYS)
    found = fraction_by_horizon(fit)
    rows, drawn = list(data.groupby("customer_id").indices.values()), []
    for _ in range(60):
        again = data.iloc[np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])]
        again = again.groupby(["service", "price", "window", "month", "left"], as_index=False)["n"].sum()
        left = by_rows(again, f"left ~ {MAIN} + C(window)", "window")
        drawn.append(1 - left[frozenset({"service"})] / left[frozenset()])
    ours = found[(found["term"] == "service") & (found["measure"] == "fraction")]
    # 60 draws know their spread to a tenth: three such errors.
    np.testing.assert_allclose(ours["std_error"], np.std(drawn, axis=0, ddof=1), rtol=0.3)
    assert (ours["lower"] < ours["estimate"]).all() and (ours["estimate"] < ours["upper"]).all()


def test_the_result_has_the_one_shape_and_says_what_was_done():
    fit = fit_attrition(stack(), causes=CAUSES, adjust=["window"], replicates=20, **KEYS)
    found = fraction_by_horizon(fit, period_days=31)
    assert found.columns.tolist() == ["horizon_days", *RESULT_COLUMNS]
    assert set(found["horizon_days"]) == {31, 62, 93, 124}
    assert found["method"][0].startswith("31-day hazards cumulated, logit")
    assert found["method"][0].endswith("resampled by customer")


def test_at_least_two_periods_among_the_confounders_or_a_line():
    data = stack()
    fit = fit_attrition(data, causes=CAUSES, adjust=["window", "segment"], replicates=0, **KEYS)
    with pytest.raises(CxError, match=r"fit.adjust: no period 'windwo'; did you mean 'window'\?") as refused:
        fraction_by_horizon(fit, "windwo")
    assert str(refused.value).endswith("; fit on stack_landmarks with the period among adjust")
    one = fit_attrition(data[data["month"] == 1], causes=CAUSES, adjust=["month"], by=[], replicates=0)
    with pytest.raises(
        CxError, match=r"^period 'month' must have two levels or more, not only '1.*'; stack more months$"
    ):
        fraction_by_horizon(one, "month")
