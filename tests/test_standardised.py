"""Differences among rows alike: beside a loop over strata, regression with all products, and a known bias."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from cxlib import engine
from cxlib.errors import CxError
from cxlib.standardised import compared, differences, strata

MEASURES = ("exposed", "others", "naive", "adjusted")


def people(n=600, seed=0, effect=-0.5):
    """Exposure and outcome both hang on a stratum; the effect is the same everywhere."""
    rng = np.random.default_rng(seed)
    hard = rng.integers(0, 3, n)
    exposed = (rng.random(n) < 0.25 + 0.25 * hard).astype(int)
    y = 4 - hard + effect * exposed + rng.normal(size=n)
    return pd.DataFrame({"who": (np.arange(n) // 2).astype(str), "hard": hard.astype(str), "e": exposed, "y": y})


def results_of(frame, alike, replicates=0, seed=0):
    found = strata(engine.view(frame), alike, "e", "y", "who")
    rows = compared(found, "x", MEASURES, "points", 0.95, replicates, seed)
    return pd.DataFrame(rows).set_index("measure"), found


def test_the_difference_among_rows_alike_is_the_mean_over_the_exposed():
    """Authority: a loop over strata, weighted by their exposed rows; and regression with all products."""
    frame = people()
    found, _ = results_of(frame, ["hard"])
    means = frame.groupby(["hard", "e"])["y"].mean().unstack()
    weight = frame[frame["e"] == 1].groupby("hard").size()
    expected = ((means[1] - means[0]) * weight).sum() / weight.sum()
    assert found.loc["adjusted", "estimate"] == pytest.approx(expected)
    fit = smf.ols("y ~ e * C(hard)", frame).fit()
    exposed = frame[frame["e"] == 1]
    gain = fit.predict(exposed) - fit.predict(exposed.assign(e=0))
    assert found.loc["adjusted", "estimate"] == pytest.approx(gain.mean())
    plain = frame.groupby("e")["y"].mean()
    assert found.loc[["exposed", "others", "naive"], "estimate"].tolist() == pytest.approx(
        [plain[1], plain[0], plain[1] - plain[0]]
    )
    assert found["n"].tolist() == [exposed.shape[0], len(frame) - len(exposed), len(frame), len(frame)]


def test_a_stratum_without_others_is_left_out_and_counted():
    frame = pd.concat([people(200), pd.DataFrame({"who": "z", "hard": "9", "e": 1, "y": [99.0] * 10})])
    found, held = results_of(frame, ["hard"])
    without, whole = results_of(people(200), ["hard"])
    assert found.loc["adjusted", "estimate"] == pytest.approx(without.loc["adjusted", "estimate"])
    exposed = people(200)["e"].sum()
    assert held.matched == pytest.approx(exposed / (exposed + 10))
    assert whole.matched == 1


def test_intervals_hold_the_truth_that_the_plain_difference_misses():
    """Known truth: -0.5; the plain difference takes the stratum's part for the exposure's."""
    held = {"naive": 0, "adjusted": 0}
    for seed in range(40):
        found, _ = results_of(people(seed=seed), ["hard"], replicates=200, seed=seed)
        for name in held:
            held[name] += found.loc[name, "lower"] < -0.5 < found.loc[name, "upper"]
    assert held["adjusted"] >= 34
    assert held["naive"] <= 5


def test_the_standard_error_is_that_of_regression_by_customer():
    """Authority: cluster-robust regression with one stratum, within the noise of resampling."""
    frame = people(2000).assign(one="a")
    found, _ = results_of(frame, ["one"], replicates=1000)
    fit = smf.ols("y ~ e", frame).fit(cov_type="cluster", cov_kwds={"groups": pd.factorize(frame["who"])[0]})
    assert found.loc["adjusted", "std_error"] == pytest.approx(fit.bse["e"], rel=0.08)
    assert found.loc["adjusted", "estimate"] == pytest.approx(fit.params["e"])


def test_the_same_seed_gives_the_same_limits():
    one, two, other = (results_of(people(), ["hard"], 50, seed)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert one.loc["adjusted", "lower"] != other.loc["adjusted", "lower"]


def test_too_few_to_compare_are_refused_with_their_numbers():
    frame = people(20)
    frame["e"] = [1] * 4 + [0] * 16
    with pytest.raises(CxError, match="at least 5 rows must be exposed and 5 not, to compare them; there are 4 and 16"):
        strata(engine.view(frame), ["hard"], "e", "y", "who")


def test_an_array_of_replicates_gives_what_each_alone_gives():
    rng = np.random.default_rng(0)
    rows, sums = rng.integers(1, 9, (4, 3, 2)).astype(float), rng.normal(size=(4, 3, 2))
    whole = differences(rows, sums)
    for i in range(4):
        np.testing.assert_allclose(whole[i], differences(rows[i], sums[i]))
