"""Collinearity, halo and measures from operation: statsmodels, numpy on complete rows, pandas, known truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

from cxlib.driver_checks import collinearity, halo, operational_measures
from cxlib.errors import CxError
from tests.frames import estimates
from tests.test_experience import RATINGS, gapped
from tests.test_importance import answers


def test_inflation_equals_statsmodels():
    data = answers()
    result = collinearity(data, "recommend", RATINGS)
    x = sm.add_constant(data[RATINGS]).to_numpy(float)
    assert estimates(result, "variance_inflation").tolist() == pytest.approx(
        [variance_inflation_factor(x, j) for j in (1, 2, 3)]
    )


def test_weighted_inflation_is_that_of_a_weighted_regression():
    """Authority: 1 / (1 - R²) of statsmodels WLS of each rating on the others."""
    data = answers()
    result = estimates(collinearity(data, "recommend", RATINGS, weights="w"), "variance_inflation")
    fit = sm.WLS(data["a"], sm.add_constant(data[["b", "c"]]), weights=data["w"]).fit()
    assert result["a"] == pytest.approx(1 / (1 - fit.rsquared))


def test_a_factor_has_the_generalised_factor():
    """Authority: Fox & Monette's ratio of determinants of correlations, to the power 1 / df, by numpy."""
    data = answers()
    data["channel"] = np.where(data["a"] > 4, "web", data["channel"])
    result = estimates(collinearity(data, "recommend", ["a", "channel"]), "variance_inflation")
    dummies = pd.get_dummies(data["channel"]).iloc[:, 1:].astype(float)
    r = np.corrcoef(np.column_stack([data["a"], dummies]).T)
    assert result["channel"] == pytest.approx((np.linalg.det(r[1:, 1:]) / np.linalg.det(r)) ** 0.5)
    assert result["a"] == pytest.approx(np.linalg.det(r[1:, 1:]) / np.linalg.det(r))


def test_near_copies_are_told_and_touchpoints_met_together_are_not():
    data = gapped()
    data["near"] = data["c"] + np.random.default_rng(0).normal(0, 0.3, len(data))
    data["with_a"] = data["b"].fillna(3.0).where(data["a"].notna())
    result = collinearity(data, "recommend", ["a", "with_a", "c", "near"], missing="not_met").set_index("term")
    assert result.loc[["c", "near"], "note"].tolist() == ["hard to tell from the other drivers"] * 2
    assert result.loc[["a", "with_a"], "note"].tolist() == [""] * 2
    assert (result.loc[["a", "with_a"], "estimate"] < 2).all()


@pytest.mark.parametrize("weights", [None, "w"])
def test_halo_is_the_first_eigenvalue_of_the_correlations(weights):
    """Authority: numpy's eigenvalues of numpy's weighted correlations of complete ratings."""
    data = answers()
    result = halo(data, RATINGS, weights=weights, replicates=2)
    c = np.cov(data[RATINGS].T, aweights=data[weights] if weights else None)
    r = c / np.sqrt(np.outer(np.diag(c), np.diag(c)))
    assert estimates(result, "first_component")["ratings"] == pytest.approx(np.linalg.eigvalsh(r)[-1] / 3)
    assert estimates(result, "mean_correlation")["ratings"] == pytest.approx(r[np.triu_indices(3, 1)].mean())
    assert result["note"].iloc[0] == "33% if the ratings were unrelated"


def test_halo_with_touchpoints_not_met_uses_each_pair_that_was():
    """Authority: pandas' pairwise correlations; a pair that nobody met counts with the mean of the others."""
    data = gapped()
    data["d"] = data["c"].where(data["a"].isna())
    ratings = ["a", "b", "c", "d"]
    r = data[ratings].corr().to_numpy()
    assert np.isnan(r[0, 3])
    mean = np.nanmean(r[np.triu_indices(4, 1)])
    first = np.linalg.eigvalsh(np.where(np.isnan(r), mean, r))[-1] / 4
    result = halo(data, ratings, replicates=2)
    assert estimates(result, "first_component")["ratings"] == pytest.approx(first)
    assert estimates(result, "mean_correlation")["ratings"] == pytest.approx(mean)


def test_resamples_in_which_nobody_met_two_touchpoints_say_nothing_of_the_halo():
    """Known truth: of two ratings whose correlation is known, it is 1 or -1, as few rows of two values give it."""
    frame = pd.DataFrame({"a": [0, *[5] * 11], "b": [3, 4, 5] * 4})
    limits = halo(frame, ["a", "b"], replicates=200).set_index("measure")
    assert limits.loc["first_component", ["lower", "upper"]].between(0.5, 1).all()
    assert limits.loc["mean_correlation", "estimate"] == pytest.approx(frame.corr().iloc[0, 1])
    assert limits.loc["mean_correlation", "lower"] > 0


def test_halo_of_unrelated_and_of_one_mood():
    """Known truth: unrelated ratings share 1 / k; with one factor of correlation r it is (1 + (k - 1) r) / k."""
    rng, k, r = np.random.default_rng(0), 6, 0.5
    noise, mood = rng.standard_normal((4000, k)), rng.standard_normal((4000, 1))
    frames = [pd.DataFrame(x, columns=[f"x{i}" for i in range(k)])
              for x in (noise, np.sqrt(r) * mood + np.sqrt(1 - r) * noise)]  # fmt: skip
    alone, shared = (halo(frame, list(frame), replicates=200).iloc[0] for frame in frames)
    assert alone["estimate"] == pytest.approx(1 / k, abs=0.02)
    assert shared["lower"] < (1 + (k - 1) * r) / k < shared["upper"]


@pytest.mark.parametrize("weights", [None, "w"])
def test_measures_and_ratings_correlate_over_rows_that_have_both(weights):
    """Authority: numpy's weighted correlation over the rows with both, yes/no as 0/1."""
    data = gapped()
    data["failed"] = data["b"].fillna(3.0) < 3
    data["hours"] = (10 - data["recommend"]).where(data.index % 3 > 0)
    result = operational_measures(data, ["failed", "hours"], ["a", "recommend"], weights=weights, replicates=20)
    assert list(result.columns[:2]) == ["operational", "term"]
    for row in result.itertuples():
        both = data[[row.operational, row.term]].notna().all(axis=1)
        c = np.cov(data.loc[both, [row.operational, row.term]].astype(float).T,
                   aweights=data.loc[both, weights] if weights else None)  # fmt: skip
        assert row.estimate == pytest.approx(c[0, 1] / np.sqrt(c[0, 0] * c[1, 1]))
        assert row.n == both.sum() and row.lower <= row.estimate + 1e-12 and row.estimate <= row.upper + 1e-12
    exact = result[(result["operational"] == "hours") & (result["term"] == "recommend")].iloc[0]
    assert exact["estimate"] == pytest.approx(-1.0)


def test_intervals_cover_the_correlation_of_a_known_law():
    """Known truth: bivariate normal with correlation .4; of 60 intervals at least 52 hold it (chance below: 1.5 %)."""
    held = 0
    for seed in range(60):
        z = np.random.default_rng(seed).standard_normal((300, 2))
        data = pd.DataFrame({"x": z[:, 0], "y": 0.4 * z[:, 0] + np.sqrt(1 - 0.16) * z[:, 1]})
        row = operational_measures(data, ["x"], ["y"], replicates=200).iloc[0]
        held += row["lower"] <= 0.4 <= row["upper"]
    assert held >= 52


@pytest.mark.parametrize(("function", "named", "options", "line"), [
    (halo, (["a"],), {}, "at least 2 ratings must be named, not 1"),
    (halo, (["a", "channel"],), {}, "rating 'channel' must be a number or yes/no, not text or yes/no"),
    (halo, (["apart", "other"],), {},
     "at least two ratings must vary together over the same rows, none do; name touchpoints that the same people have "
     "met"),
    (halo, (["a", "bb"],), {}, "frame: no column 'bb'; did you mean 'b'? There are: "),
    (halo, (["a", "b"],), {"weights": "v"}, "weights 'v' must be given in every row, but 3 are empty"),
    (halo, (["a", "still"],), {},
     "rating 'still' must vary over finite numbers, but has one value in all rows; leave "),
    (halo, (["a", "nothing"],), {},
     "rating 'nothing' must vary over finite numbers, but has no value; leave it out or "),
    (halo, (["a", "endless"],), {},
     "rating 'endless' must vary over finite numbers, but has infinite values; leave it out or recode it"),
    (operational_measures, (["channel"], ["a"]), {}, "column 'channel' must be a number or yes/no, not text or yes/no"),
    (collinearity, ("recommend", ["a", "still"]), {},
     "'still' must vary, but has one value in all 300 rows; leave it out"),
])  # fmt: skip
def test_wrong_data_get_one_clear_line(function, named, options, line):
    data = answers(300).assign(still=1.0, nothing=np.nan)
    data["endless"] = data["b"].replace(5, np.inf)
    data["apart"], data["other"] = data["b"].where(data.index < 150), data["b"].where(data.index >= 150)
    with pytest.raises(CxError) as raised:
        function(data.assign(v=data["w"].where(data.index > 2)), *named, **options)
    assert str(raised.value).startswith(line) and "\n" not in str(raised.value)
