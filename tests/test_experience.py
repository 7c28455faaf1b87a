"""Penalties and rewards, the importance-performance map and what-ifs: R, statsmodels on the rows, identities."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import cxlib as cx
from cxlib.errors import CxError
from cxlib.experience import QUADRANTS, importance_performance, lifted, nps_what_if, penalty_reward
from tests.frames import estimates
from tests.test_importance import answers

RATINGS = ["a", "b", "c"]
OPTIONS = [{}, {"weights": "w"}, {"customer": "customer"}, {"weights": "w", "customer": "customer"}]


def gapped(n=600, seed=0):
    data = answers(n, seed, gaps=0.4)
    return data.assign(b=data["b"].where(np.random.default_rng(seed + 9).random(n) > 0.2))


def by_rows(data, outcome, columns, weights):
    """Weighted least squares of statsmodels on the rows, the constant first."""
    x = np.column_stack([np.ones(len(data)), *columns]).astype(float)
    return sm.WLS(np.asarray(outcome), x, weights=data[weights] if weights else 1.0).fit().params


def dummies(data, conditions):
    """Met (where there are gaps) and one column for each condition, of every rating."""
    out = []
    for name in RATINGS:
        out += [data[name].notna()] if data[name].isna().any() else []
        out += [condition(data[name]).fillna(False) for condition in conditions]
    return out


@pytest.mark.real_data("mobi.csv")
def test_penalties_and_rewards_of_mobile_phones(real_data):
    """Authority: R, lm(CUSA1 ~ low and high dummies) (methods, section 4), to the four digits printed."""
    data = pd.read_csv(real_data / "mobi.csv")
    result = penalty_reward(data, "CUSA1", ["PERQ3", "CUSCO", "PERV2", "PERQ2"], 6, 9, replicates=2)
    printed = {"PERQ3": (-0.3731, 0.1647), "CUSCO": (0.0186, 0.3344), "PERV2": (-0.5721, 0.2750),
               "PERQ2": (-0.3460, 0.7636)}  # fmt: skip
    for name, (penalty, reward) in printed.items():
        assert round(estimates(result, "penalty")[name], 4) == penalty
        assert round(estimates(result, "reward")[name], 4) == reward
        assert estimates(result, "asymmetry")[name] == pytest.approx(-(penalty + reward), abs=1e-4)
    assert round(estimates(result, "intercept")["model"], 4) == 7.9843


@pytest.mark.parametrize("options", OPTIONS)
def test_penalties_and_rewards_equal_statsmodels_on_the_rows(options):
    data = gapped()
    result = penalty_reward(data, "recommend", RATINGS, 2, 5, missing="not_met", replicates=2, **options)
    beta = by_rows(data, data["recommend"], dummies(data, [lambda x: x <= 2, lambda x: x >= 5]), options.get("weights"))
    assert estimates(result, "penalty").to_numpy() == pytest.approx(beta[[2, 5, 7]], abs=1e-9)
    assert estimates(result, "reward").to_numpy() == pytest.approx(beta[[3, 6, 8]], abs=1e-9)
    assert estimates(result, "intercept")["model"] == pytest.approx(beta[0], abs=1e-9)


def test_asymmetry_says_which_end_counts_for_more():
    """Known truth: only low ratings of one driver matter, only high ratings of the other."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.integers(1, 6, (800, 2)), columns=["basic", "delight"])
    y = 7 - 2 * (data["basic"] <= 2) + 2 * (data["delight"] >= 5) + rng.standard_normal(800)
    result = penalty_reward(data.assign(y=y), "y", ["basic", "delight"], 2, 5, replicates=100)
    asymmetry = result[result["measure"] == "asymmetry"].set_index("term")
    assert asymmetry.loc["basic", "lower"] > 1.5 and asymmetry.loc["delight", "upper"] < -1.5
    assert asymmetry["note"].tolist() == ["low ratings cost more than high ones gain",
                                          "high ratings gain more than low ones cost"]  # fmt: skip


def test_a_dummy_that_never_holds_has_no_coefficient():
    data = answers(300)
    result = penalty_reward(data.assign(a=data["a"].clip(lower=3)), "recommend", RATINGS, 2, 5, replicates=5)
    penalty = result[result["measure"] == "penalty"].set_index("term")
    assert penalty.loc["a", ["estimate", "lower", "upper"]].isna().all()
    assert penalty.loc["b", ["estimate", "lower", "upper"]].notna().all()


@pytest.mark.parametrize("options", OPTIONS)
def test_performance_and_share_equal_the_means_and_the_relative_importance(options):
    """Identities: mean of those who met it (by pandas), LMG share by `relative_importance`, same draws, same limits."""
    data, shared = gapped(), {"missing": "not_met", "replicates": 20, **options}
    result = importance_performance(data, "recommend", RATINGS, **shared)
    other = cx.relative_importance(data, "recommend", RATINGS, **shared)
    w = data["w"] if "weights" in options else pd.Series(1.0, index=data.index)
    for name in RATINGS:
        there = data[name].notna()
        assert estimates(result, "performance")[name] == pytest.approx(np.average(data[name][there], weights=w[there]))
        assert estimates(result, "performance", "n")[name] == there.sum()
        for column in ("estimate", "lower", "upper", "std_error"):
            assert estimates(result, "share", column)[name] == pytest.approx(estimates(other, "share", column)[name])
    assert estimates(result, "performance")["model"] == pytest.approx(estimates(result, "performance")[RATINGS].mean())
    assert estimates(result, "share")["model"] == pytest.approx(1 / 3)


def test_quadrants_of_four_drivers_made_for_them():
    """Known truth: one driver in each quadrant, far from the lines; and one on a line, named half the time."""
    rng, n = np.random.default_rng(0), 2000
    up, down = rng.choice([4, 5], (n, 2)), rng.choice([2, 3], (n, 2))
    data = pd.DataFrame(np.column_stack([down, up]), columns=["focus", "ignore", "keep", "overkill"]).astype(float)
    data["score"] = (
        data["focus"] + data["keep"] + 0.1 * data[["ignore", "overkill"]].sum(axis=1) + rng.normal(0, 0.3, n)
    )
    result = importance_performance(data, "score", ["focus", "keep", "ignore", "overkill"], replicates=100)
    assert estimates(result, "quadrant", "note").tolist() == list(QUADRANTS.values())
    assert estimates(result, "quadrant").tolist() == [1.0] * 4
    # Two drivers alike but for chance: the line between them is their own mean, so that either is as often above it.
    even = pd.DataFrame(rng.integers(1, 6, (400, 2)), columns=["one", "two"]).astype(float)
    even = pd.concat([even, even.rename(columns={"one": "two", "two": "one"})], ignore_index=True)
    result = importance_performance(even.assign(y=even.sum(axis=1) + rng.normal(0, 1, 800)), "y", ["one", "two"],
                                    replicates=400)  # fmt: skip
    assert (estimates(result, "quadrant") < 0.5).all()


@pytest.mark.parametrize("options", OPTIONS)
def test_what_if_equals_predictions_of_statsmodels_with_the_ratings_lifted(options):
    """Brute force: fit on the rows, lift the ratings of those who met it, predict again; NPS points are 100 means."""
    data = gapped()
    result = nps_what_if(data, "recommend", RATINGS, {"a": 1, "b": 2}, replicates=2, **options)
    u = 100.0 * ((data["recommend"] >= 9).astype(int) - (data["recommend"] <= 6).astype(int))
    points = [lambda x, p=p: x == p for p in range(1, 5)]
    beta = by_rows(data, u, dummies(data, points), options.get("weights"))
    w = data["w"] if "weights" in options else np.ones(len(data))

    def nps(frame):
        columns = np.column_stack([np.ones(len(frame)), *dummies(frame, points)]).astype(float)
        return np.average(columns @ beta, weights=w)

    def lift(frame, name, step):
        return frame.assign(**{name: frame[name].where(~(frame[name] <= 2), (frame[name] + step).clip(upper=5))})

    change, both = estimates(result, "change"), lift(lift(data, "a", 1), "b", 2)
    assert change["a"] == pytest.approx(nps(lift(data, "a", 1)) - nps(data), abs=1e-8)
    assert change["b"] == pytest.approx(nps(lift(data, "b", 2)) - nps(data), abs=1e-8)
    assert change["joint"] == pytest.approx(nps(both) - nps(data), abs=1e-8)
    assert estimates(result, "lifted")["a"] == pytest.approx(np.average(data["a"] <= 2, weights=w))
    assert estimates(result, "nps")["model"] == pytest.approx(np.average(u, weights=w))


def test_a_lift_stops_at_the_top_and_needs_somebody_to_lift():
    """By hand: levels 1, 2, 4, 5; a step of 3 takes 1 to 4 and 2 to 5 (effect 0); with nobody below, no change."""
    points = np.array([1, 2, 4, 5])
    shares = np.array([[0.1, 0.2, 0.3], [0.0, 0.0, 0.3]])
    effects = np.array([[-50.0, -40.0, -10.0], [np.nan, np.nan, -10.0]])
    who, change = lifted(points, shares, effects, 2, 3)
    assert who.tolist() == pytest.approx([0.3, 0.0])
    assert change.tolist() == pytest.approx([0.1 * 40 + 0.2 * 40, 0.0])


def test_intervals_are_as_wide_as_refits_on_drawn_customers():
    """Brute force: 80 resamples of customers by hand against 400 of ours, standard errors within 25 %."""
    data = gapped(400)
    ours = nps_what_if(data, "recommend", RATINGS, {"a": 1}, customer="customer", replicates=400)
    rng, parts, drawn = np.random.default_rng(3), [part for _, part in data.groupby("customer")], []
    for _ in range(80):
        again = pd.concat([parts[i] for i in rng.integers(0, len(parts), len(parts))])
        drawn.append(estimates(nps_what_if(again, "recommend", RATINGS, {"a": 1}, replicates=1), "change")["a"])
    assert estimates(ours, "change", "std_error")["a"] == pytest.approx(np.std(drawn, ddof=1), rel=0.25)


SCALE_11 = (
    "score 'recommend' must hold whole points from 0 to 10; found 11 (112 times); declare the scale, scale=(1, 11), or "
    "leave empty what means no answer (in a study: missing = [11])"
)
FAULTS = [
    (penalty_reward, {"low": 4, "high": 4}, "low must lie below high, but low is 4 and high 4"),
    (penalty_reward, {"low": 2, "high": 4, "drivers": ["a", "channel"]},
     "driver 'channel' must be a rating in numbers, not text or yes/no; recode it"),
    (penalty_reward, {"low": 2, "high": 4, "drivers": ["a", "q"]}, "drivers: no column 'q'; There are: "),
    (penalty_reward, {"low": 2, "high": 4, "weights": "v"},
     "weights 'v' must be finite and 0 or more in every row, but 0 are not and 3 are empty"),
    (penalty_reward, {"low": 2, "high": 4, "drivers": ["a", "copy"]},
     "driver 'copy' is determined by the drivers before "),
    (penalty_reward, {"low": 2, "high": 4, "drivers": ["a", "endless"]},
     "column 'endless' must hold finite numbers, but "),
    (nps_what_if, {"lifts": {"a": 1}, "drivers": ["a", "copy"]},
     "driver 'copy' is determined by the drivers before it "),
    (nps_what_if, {"lifts": {"nothing": 1}, "drivers": ["nothing"]},
     "driver 'nothing' must have ratings, but nobody gave one; leave it out"),
    (penalty_reward, {"low": 2, "high": 4, "outcome": "nothing"}, "no row has a value of 'nothing'"),
    (importance_performance, {"drivers": ["a", "channel"]},
     "driver 'channel' must be a rating in numbers, not text or yes/no; recode it"),
    (importance_performance, {"drivers": ["a", "still"]},
     "'still' must vary, but has one value in all 300 rows; leave it out"),
    (nps_what_if, {"lifts": {}},
     "lifts must name at least one touchpoint and its step, such as {'contact_support': 1}"),
    (nps_what_if, {"lifts": {"e": 1}}, "lifts: no driver 'e'; There are: 'a', 'b'"),
    (nps_what_if, {"lifts": {"a": 0.5}}, "lifts: 'a' must go up by whole points, 1 or more, not 0.5"),
    (nps_what_if, {"lifts": {"a": 1}, "low": 0}, "lifts: 'a' must have ratings up to low=0 and above, but has 1 to 5; "
     "name another low"),
    (nps_what_if, {"lifts": {"half": 1}, "drivers": ["half"]},
     "driver 'half' must be rated in whole points, at most 20 different ones, but has '1.5', '2.5', '3.5', '4.5', "
     "'5.5'; round it or leave it out"),
    (nps_what_if, {"lifts": {"hole": 1}, "drivers": ["hole"]},
     "lifts: nobody rates 'hole' with 3, so that its effect is not known; choose another step"),
    (nps_what_if, {"lifts": {"a": 1}, "score": "eleven"}, SCALE_11.replace("recommend", "eleven")),
]  # fmt: skip


@pytest.mark.parametrize(("function", "change", "line"), FAULTS)
def test_wrong_data_get_one_clear_line(function, change, line):
    data = answers(300).assign(nothing=np.nan, still=2.0)
    data = data.assign(v=data["w"].where(data.index > 2), half=data["a"] + 0.5, hole=data["a"].replace(3, 4))
    data["eleven"], data["copy"], data["endless"] = data["recommend"] + 1, data["a"], data["b"].replace(5, np.inf)
    outcome = "score" if function is nps_what_if else "outcome"
    with pytest.raises(CxError) as raised:
        function(data, **{outcome: "recommend", "drivers": ["a", "b"], "replicates": 2} | change)
    told = str(raised.value)
    assert told.startswith(line.split("(112")[0]) and "\n" not in told


def test_resamples_of_nobody_who_met_a_touchpoint_are_left_out():
    """Identity: one customer met it, so that the mean of who met it is their rating, wherever there is one."""
    data = answers(60)
    data["b"] = data["b"].where(data.index == 7)
    table = importance_performance(data, "recommend", ["a", "b"], missing="not_met", replicates=100)
    rows = table[table["term"] == "b"].set_index("measure")
    assert rows.loc["performance", ["estimate", "lower", "upper"]].tolist() == [data.at[7, "b"]] * 3
    assert 0 <= rows.loc["quadrant", "estimate"] <= 1
