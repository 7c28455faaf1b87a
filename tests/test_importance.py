"""Importance on the promoter scale, differences of shares, and what pure noise gets: brute force and known truth."""

from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from cxlib import importance, shapley
from cxlib.drivers import EQUAL, NOISE, relative_importance
from cxlib.errors import CxError
from cxlib.players import Players
from cxlib.regression import all_r_squared, coefficients, covariance, pairwise_correlations
from cxlib.resample import multiplicities
from tests.frames import estimates

PERQ = [f"PERQ{i}" for i in range(1, 8)]
MOBI = [*PERQ, "PERV1", "PERV2", "CUSCO"]
MOBI_GROUPS = {"service": ["PERQ3", "CUSCO"], "price": ["PERV1", "PERV2"], "product": [*PERQ[:2], *PERQ[3:]]}


def answers(n=600, seed=0, gaps=0.0):
    """Scores 0 to 10 with three ratings that share a mood, a channel, weights, and customers who answer twice."""
    rng = np.random.default_rng(seed)
    mood = rng.standard_normal(n)
    ratings = {name: np.clip(np.rint(3.6 + 0.5 * mood + 0.8 * rng.standard_normal(n)), 1, 5) for name in "abc"}
    channel = rng.choice(["phone", "web", "shop"], n)
    eta = 0.9 * ratings["a"] + 0.4 * ratings["b"] + 0.6 * (channel == "web")
    data = pd.DataFrame(ratings).assign(channel=channel, w=rng.uniform(0.4, 2.0, n).round(2))
    data["recommend"] = np.clip(np.rint(4 + eta + 1.2 * rng.standard_normal(n)), 0, 10)
    data["customer"] = [f"C{i // 2}" for i in range(n)]
    return data.assign(a=data["a"].where(rng.random(n) >= gaps))


def design(data, drivers, not_met=()):
    """Columns of the drivers by hand, a list of arrays each."""
    out = {}
    for d in drivers:
        x = data[d]
        if x.dtype == float:
            met = [x.notna().to_numpy(float)] if d in not_met else []
            out[d] = [*met, (x - x.mean()).fillna(0.0).to_numpy()]
        else:
            out[d] = [(x == level).to_numpy(float) for level in sorted(x.unique())[1:]]
    return out


def mcfadden(y, columns, weights):
    x = np.column_stack([np.ones(len(y)), *columns])
    fit = sm.GLM(y, x, family=sm.families.Binomial(), freq_weights=weights).fit(tol=1e-14)
    null = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), freq_weights=weights).fit(tol=1e-14)
    return 1 - fit.llf / null.llf


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("not_met", [False, True])
def test_promoter_importance_equals_statsmodels_over_all_orders(weights, not_met):
    data = answers(gaps=0.4 if not_met else 0.0)
    drivers = ["a", "b", "channel"]
    result = relative_importance(
        data, drivers=drivers, scale="promoter", weights=weights, replicates=2, missing="not_met" if not_met else None
    )
    own = design(data, drivers, ["a"] if not_met else [])
    y, w = (data["recommend"] >= 9).to_numpy(float), data[weights] if weights else np.ones(len(data))
    known, gained = {frozenset(): 0.0}, dict.fromkeys(drivers, 0.0)
    for order in permutations(drivers):
        for i, player in enumerate(order):
            before, after = frozenset(order[:i]), frozenset(order[: i + 1])
            if after not in known:
                known[after] = mcfadden(y, [c for d in after for c in own[d]], w)
            gained[player] += (known[after] - known[before]) / 6
    found = estimates(result, "importance")
    assert found[drivers].to_numpy() == pytest.approx([gained[d] for d in drivers], abs=1e-8)
    assert estimates(result, "r_squared")["model"] == pytest.approx(known[frozenset(drivers)], abs=1e-8)
    assert estimates(result, "share").sum() == pytest.approx(1.0)


@pytest.mark.real_data("mobi.csv")
def test_promoter_importance_of_mobile_phones(real_data):
    """Authority: R, glm and the Shapley value over all orders (methods, section 4)."""
    data = pd.read_csv(real_data / "mobi.csv")
    result = relative_importance(data, "CUSL3", MOBI, MOBI_GROUPS, scale="promoter", differences=True)
    found = estimates(result, "importance")
    assert found[list(MOBI_GROUPS)].tolist() == pytest.approx([0.0891126, 0.0734202, 0.1385326], abs=1e-6)
    # Ten drivers are more than the promoter scale tells apart.
    assert not result["term"].str.contains("/").any()


@pytest.mark.real_data("mobi.csv")
def test_the_two_scales_rank_mobile_phones_differently_but_neither_beyond_chance(real_data):
    """Authority: methods, section 4: the points flip, no interval of a difference of shares excludes 0."""
    data = pd.read_csv(real_data / "mobi.csv")
    both = [relative_importance(data, "CUSL3", MOBI, MOBI_GROUPS, scale=scale, differences=True)
            for scale in ("score", "promoter")]  # fmt: skip
    ranks = [estimates(result, "rank")[list(MOBI_GROUPS)] for result in both]
    assert (ranks[0]["service"], ranks[1]["service"]) == (1, 2)
    for result in both:
        apart = result[result["measure"] == "difference"]
        assert len(apart) == 3 and (apart["lower"] < 0).all() and (apart["upper"] > 0).all()
        assert set(apart["note"]) == {EQUAL}


@pytest.mark.parametrize("scale", ["score", "promoter"])
def test_members_add_up_to_their_group_on_both_scales(scale):
    """Identity: Owen values of the members sum to the Shapley value of the group, shares to 1."""
    result = relative_importance(answers(), drivers=["a", "b", "c", "channel"], groups={"g": ["b", "channel"]},
                                 scale=scale, replicates=5, weights="w", customer="customer")  # fmt: skip
    found = estimates(result, "importance")
    assert found["g/b"] + found["g/channel"] == pytest.approx(found["g"], abs=1e-12)
    assert found[["g", "a", "c"]].sum() == pytest.approx(estimates(result, "r_squared")["model"], abs=1e-12)


def test_resamples_of_one_outcome_are_left_out():
    """Identity: what resamples that lack the one deviating answer give is nan, the others give what they give alone."""
    y = np.array([0, *[67_301_619] * 10], float)
    x = np.column_stack(
        [np.ones(11), [0, 1, 1, 0, 2, 1, 0, 1, 2, 2, 1], [3, 1, 2, 3, 1, 2, 3, 1, 2, 1, 2], y - y.mean()]
    )
    drawn = next(multiplicities(len(y), 200, 0, len(y)))
    counts, alike = np.vstack([np.ones(len(y)), drawn]), np.array([False, *(drawn[:, 0] == 0)])
    assert 20 < alike.sum() < 120
    covariances = covariance(np.einsum("bn,ni,nj->bij", counts, x, x))
    players = Players(("a", "b"), ((0,), (1,)), (("a", (0,)), ("b", (1,))))
    for shared_out in (partial(importance.lmg, most=2), importance.johnson):
        found = shared_out(covariances, players=players)
        assert np.isnan(found).all(axis=1).tolist() == np.isnan(found).any(axis=1).tolist() == alike.tolist()
        np.testing.assert_allclose(found[~alike], shared_out(covariances[~alike], players=players), rtol=1e-12)
        ranks = importance.ranks(found[:, :2])
        assert np.isnan(ranks).all(axis=1).tolist() == alike.tolist()
        assert set(np.unique(ranks[~alike])) == {1.0, 2.0}


@pytest.mark.parametrize("scale", ["score", "promoter"])
def test_differences_are_those_of_the_shares(scale):
    """Identity: a - b is share of a less share of b; a clear one is not noted."""
    result = relative_importance(answers(), drivers=["a", "b", "c"], scale=scale, replicates=50, differences=True)
    share, apart = estimates(result, "share"), result[result["measure"] == "difference"].set_index("term")
    assert list(apart.index) == ["a - b", "a - c", "b - c"]
    assert apart.loc["a - c", "estimate"] == pytest.approx(share["a"] - share["c"])
    assert apart.loc["a - c", "lower"] > 0 and apart.loc["a - c", "note"] == ""


def test_promoter_intervals_come_from_refits_on_resampled_customers():
    """Brute force: standard error of 40 refits by hand on drawn customers, against 200 of ours, within 30 %."""
    data = answers(400)
    result = relative_importance(data, drivers=["a", "b"], scale="promoter", customer="customer", replicates=200)
    rng, drawn = np.random.default_rng(3), []
    parts = [part for _, part in data.groupby("customer")]
    for _ in range(40):
        again = pd.concat([parts[i] for i in rng.integers(0, len(parts), len(parts))])
        drawn.append(estimates(relative_importance(again, drivers=["a", "b"], scale="promoter", replicates=1), "share"))
    spread = pd.DataFrame(drawn)["a"].std()
    assert estimates(result, "share", "std_error")["a"] == pytest.approx(spread, rel=0.3)


def test_of_many_answers_a_sample_is_taken_and_named():
    data = answers(24_000)
    result = relative_importance(data, drivers=["a", "b"], scale="promoter", replicates=2, customer="customer")
    n = result["n"].iloc[0]
    assert 18_500 < n < 20_000
    assert f"a sample of {n:,} of 24,000 answers" in result["method"].iloc[0]
    whole = relative_importance(data.iloc[:19_000], drivers=["a", "b"], scale="promoter", replicates=2)
    assert estimates(result, "share")["a"] == pytest.approx(estimates(whole, "share")["a"], abs=0.02)


def test_noise_gets_what_random_columns_get():
    """Brute force: 400 random columns, each added to the data; mean within 12 %, upper limit held by 93-98 %."""
    data = answers(300)
    drivers = ["a", "b", "c"]
    result = relative_importance(data, drivers=drivers, replicates=1)
    mean, upper = (estimates(result, "random_share", column)["a"] for column in ("estimate", "upper"))
    rng, got = np.random.default_rng(1), []
    total = estimates(result, "r_squared")["model"]
    for _ in range(400):
        c = np.cov(data.assign(z=rng.standard_normal(300))[[*drivers, "z", "recommend"]].T)[None]
        got.append(shapley.shapley_values(all_r_squared(c, [(0,), (1,), (2,), (3,)]))[0, 3] / total)
    assert np.mean(got) == pytest.approx(mean, rel=0.12)
    assert 0.93 <= np.mean(np.array(got) <= upper) <= 0.98


def test_limits_of_r_squared_allow_for_its_optimism():
    """Known truth: R² .3 of ten drivers at n = 150; of 100 intervals at least 88 hold it."""
    held = 0
    for seed in range(100):
        x = np.random.default_rng(seed).standard_normal((150, 11))
        data = pd.DataFrame(x[:, :10], columns=list("abcdefghij"))
        data["y"] = np.sqrt(0.03) * x[:, :10].sum(axis=1) + np.sqrt(0.7) * x[:, 10]
        groups = {"one": list("abcde"), "two": list("fghij")}
        row = relative_importance(data, "y", list("abcdefghij"), groups, replicates=100, seed=seed).iloc[-1]
        held += row["lower"] <= 0.3 <= row["upper"]
    assert held >= 88


def test_mcfadden_noise_gets_what_random_columns_get():
    """Known law: twice the likelihood gained is chi-squared, here with two columns."""
    rows = importance.random_mcfadden(entropy=0.6, sizes=[1, 2], effective=500, level=0.95)
    assert rows[2].tolist() == pytest.approx([2 / (2 * 500 * 0.6), stats.chi2.ppf(0.95, 2) / (2 * 500 * 0.6)])


@pytest.mark.parametrize("scale", ["score", "promoter"])
def test_a_driver_that_does_nothing_is_called_noise_and_others_are_not(scale):
    """Known truth: 40 data sets; noise so called in 34 (chance below: .3 %) or more, the driver that matters never."""
    called = []
    for seed in range(40):
        data = answers(400, seed).assign(z=np.random.default_rng(1000 + seed).standard_normal(400))
        result = relative_importance(data, drivers=["a", "b", "z"], scale=scale, replicates=1)
        called.append(estimates(result, "share", "note") == NOISE)
    times = pd.DataFrame(called).sum()
    assert times["z"] >= 34 and times["a"] == 0


def test_weights_make_noise_count_for_more():
    """Kish: noise gets deff times as much where weights differ."""
    data = answers(500)
    plain = relative_importance(data.assign(w=1.0), drivers=["a", "b"], replicates=1, weights="w")
    uneven = relative_importance(data, drivers=["a", "b"], replicates=1, weights="w")
    deff = 500 * (data["w"] ** 2).sum() / data["w"].sum() ** 2
    rates = [estimates(result, "random_share")["a"] * estimates(result, "r_squared")["model"]
             for result in (uneven, plain)]  # fmt: skip
    assert rates[0] / rates[1] == pytest.approx(deff, rel=0.05)


def test_the_newcomer_is_the_last_player_of_the_larger_game():
    """Identity: weights of a newcomer to 4 players = Shapley value of the fifth, from its own contributions."""
    values = np.random.default_rng(0).normal(size=(1, 32))
    gained = values[0, 16:] - values[0, :16]
    assert gained @ shapley.newcomer_weights(4) == pytest.approx(shapley.shapley_values(values)[0, 4])


def test_coefficients_equal_statsmodels_and_leave_out_what_is_determined():
    """statsmodels OLS; a repeated column has none, and one that does not vary in a replicate has none there."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 3)), rng.standard_normal(50)
    x = np.column_stack([x, x[:, 1] - 2 * x[:, 0]])
    flat = x.copy()
    flat[:, 2] = 1.0
    c = np.stack([np.cov(np.column_stack([part, y]).T, ddof=0) for part in (x, flat)])
    found = coefficients(c)
    assert found[0, :3] == pytest.approx(sm.OLS(y, sm.add_constant(x[:, :3])).fit().params[1:], abs=1e-10)
    assert np.isnan(found[:, 3]).all() and np.isnan(found[1, 2])
    assert found[1, :2] == pytest.approx(sm.OLS(y, sm.add_constant(x[:, :2])).fit().params[1:], abs=1e-10)


def test_pairwise_correlations_equal_pandas():
    data = answers(200, gaps=0.5)[["a", "b", "c"]]
    columns = [np.ones(200)]
    for name in data:
        columns += [data[name].notna(), data[name].fillna(0.0), data[name].fillna(0.0) ** 2]
    x = np.column_stack(columns).astype(float)
    assert pairwise_correlations((x.T @ x)[None])[0] == pytest.approx(data.corr().to_numpy(), abs=1e-12)


P = {"scale": "promoter"}
MIXED = (
    "driver 'words' must hold numbers or words, but holds numbers and 'Blank'; make it numbers, empty where there is "
    "no rating (in a study: missing = [...])"
)
FAULTS = [
    ({"scale": "promotor"}, "no scale 'promotor'; did you mean 'promoter'? There are: 'score', 'promoter'"),
    (P | {"method": "johnson"},
     "Johnson's weights exist on the score only; use method='lmg' with scale='promoter'"),
    (P | {"promoters_from": 8},
     "outcome 'recommend' must end at 9, since promoters are the top two points of the scale, but its highest value "
     "is 10; name the lower of its top two points, such as promoters_from=9"),
    (P | {"drivers": list("abc") + [f"x{i}" for i in range(6)]},
     "at most 8 drivers can be shared out exactly, not 9; put those that belong together into groups={'name': "
     "[drivers]}, or choose among them"),
    (P | {"drivers": ["a", "b", "still"]}, "'still' must vary, but has one value in all 300 rows; leave it out"),
    (P | {"drivers": ["a", "b", "copy"]},
     "driver 'copy' is determined by the drivers before it (a copy, or a sum of them); leave it out"),
    ({"drivers": ["a", "words"]}, MIXED),
    (P | {"drivers": ["a", "words"]}, MIXED),
    (P | {"weights": "v"}, "weights 'v' must be finite and 0 or more in every row, but 0 are not and 3 are empty"),
    (P | {"outcome": "nothing"}, "no row has a value of 'nothing'"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "line"), FAULTS)
def test_wrong_data_get_one_clear_line(change, line):
    data = answers(300).assign(still=3.0, nothing=np.nan, **{f"x{i}": 1.0 for i in range(6)})
    data["copy"], data["v"] = 2 * data["a"], data["w"].where(data.index > 2)
    data["words"] = np.where(data.index % 7 == 0, "Blank", data["b"].astype(int).astype(str))
    with pytest.raises(CxError) as raised:
        relative_importance(data, **{"drivers": ["a", "b"], "replicates": 2} | change)
    assert str(raised.value) == line


def test_a_scale_from_1_to_11_is_not_taken_for_0_to_10():
    data = answers(300)
    with pytest.raises(CxError, match="its highest value is 11; name the lower of its top two points, such as "):
        relative_importance(data.assign(recommend=data["recommend"] + 1), drivers=["a"], scale="promoter")


def test_more_drivers_than_players_are_told_by_group():
    """Identity: the groups of seventeen drivers equal those computed with sums of the same columns left apart."""
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.standard_normal((300, 17)), columns=[f"x{i}" for i in range(17)])
    data = x.assign(recommend=x.sum(axis=1) + rng.standard_normal(300))
    groups = {"one": list(x)[:9], "two": list(x)[9:]}
    result = relative_importance(data, drivers=list(x), groups=groups, replicates=2)
    assert set(result["term"]) == {"one", "two", "model"}
    both = [sm.OLS(data["recommend"], sm.add_constant(x[g])).fit().rsquared for g in groups.values()]
    full = sm.OLS(data["recommend"], sm.add_constant(x)).fit().rsquared
    assert estimates(result, "importance")["one"] == pytest.approx((both[0] + full - both[1]) / 2, abs=1e-10)
