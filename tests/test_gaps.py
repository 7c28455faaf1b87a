"""Service gaps, CSAT against NPS, what scores tell about leaving: statsmodels, brute force by pandas, known truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from cxlib.errors import CxError
from cxlib.gaps import GAP, REVERSE, attrition_prediction, held_out, satisfaction_overlap, service_gap
from tests.frames import estimates

SERVICE, OTHERS = ["phone", "chat"], ["price", "product"]


def answers(n=3000, seed=0):
    """Two service touchpoints that few met, two others, scores, weights, customers who answer three times."""
    rng = np.random.default_rng(seed)
    ratings = pd.DataFrame(rng.integers(1, 6, (n, 4)), columns=[*SERVICE, *OTHERS]).astype(float)
    data = ratings.where(rng.random((n, 4)) > [0.5, 0.6, 0.1, 0.0])
    score = np.clip(data.sum(axis=1) / 2 + rng.integers(0, 4, n), 0, 10).round()
    data["score"] = score.where(rng.random(n) > 0.05)
    data["csat"] = np.clip((score / 2 + rng.normal(0, 0.6, n)).round(), 1, 5)
    return data.assign(w=rng.uniform(0.3, 3, n).round(2), customer=[f"C{i // 3}" for i in range(n)])


def groups(data):
    """The groups of a frame by hand: met, excellent, poor, gap, rest, reverse."""
    rated = data[SERVICE].notna()
    met = rated.any(axis=1) & data["score"].notna()
    great = met & (data[SERVICE].ge(5) | ~rated).all(axis=1)
    bad = met & data[SERVICE].le(2).any(axis=1)
    return {"met": met, "excellent": great, "poor": bad, GAP: great & data["score"].le(6),
            "rest": great & data["score"].gt(6), REVERSE: bad & data["score"].ge(9)}  # fmt: skip


def test_gap_and_reverse_are_wilson_intervals_of_counts():
    """Authority: statsmodels' Wilson interval of counts by pandas."""
    data = answers()
    own, result = groups(data), service_gap(data, "score", SERVICE, OTHERS).set_index(["term", "measure"])
    for term, of in ((GAP, "met"), (GAP, "excellent"), (REVERSE, "met"), (REVERSE, "poor")):
        row, count, n = result.loc[(term, f"of_{of}")], own[term].sum(), own[of].sum()
        assert count > 5 and row["n"] == n
        limits = proportion_confint(count, n, method="wilson")
        assert row[["estimate", "lower", "upper"]].tolist() == pytest.approx([count / n, *limits], abs=1e-12)


def test_what_the_gap_rated_low_beside_the_rest():
    """Authority: statsmodels' Newcombe interval of the difference, Wilson of the shares, among those who rated it."""
    data = answers()
    own, result = groups(data), service_gap(data, "score", SERVICE, OTHERS).set_index(["term", "measure"])
    for other in OTHERS:
        counts = []
        for name, group in (("gap", GAP), ("rest", "rest")):
            there = own[group] & data[other].notna()
            counts += [(own[group] & data[other].le(2)).sum(), there.sum()]
            row = result.loc[(other, f"low_in_{name}")]
            assert row["n"] == there.sum()
            assert row["lower"] == pytest.approx(proportion_confint(*counts[-2:], method="wilson")[0], abs=1e-12)
        apart = result.loc[(other, "difference")]
        limits = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
        assert apart[["lower", "upper"]].tolist() == pytest.approx(limits, abs=1e-9)
        assert apart["estimate"] == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])


@pytest.mark.parametrize("units", ["row", "customer"])
def test_weighted_shares_have_the_linearised_error(units):
    """Authority: survey linearisation by hand (ratio of totals, units with replacement), and Wilson on n effective."""
    data = answers()
    options = {"weights": "w"} | ({"customer": "customer"} if units == "customer" else {})
    result = service_gap(data, "score", SERVICE, OTHERS, **options).set_index(["term", "measure"])
    own, w = groups(data), data["w"]
    row = result.loc[(GAP, "of_excellent")]
    hits, total = w * own[GAP], w * own["excellent"]
    share = hits.sum() / total.sum()
    keys = data["customer"] if units == "customer" else data.index
    z = (hits - share * total).groupby(keys).sum()[total.groupby(keys).sum() > 0]
    error = np.sqrt((z**2).sum() * len(z) / (len(z) - 1)) / total.sum()
    assert row[["estimate", "std_error"]].tolist() == pytest.approx([share, error], abs=1e-12)
    worth = share * (1 - share) / error**2
    assert row["lower"] == pytest.approx(proportion_confint(share * worth, worth, method="wilson")[0])
    assert row["n"] == own["excellent"].sum()


def test_customers_who_answer_alike_widen_the_interval():
    """Identity: every answer three times, by customer, has the error of the answers once."""
    once = answers(600)
    thrice = once.loc[once.index.repeat(3)].assign(customer=np.repeat(once.index, 3).astype(str))
    rows = [service_gap(data, "score", SERVICE, weights="w", customer=unit).iloc[1]
            for data, unit in ((once, None), (thrice, "customer"))]  # fmt: skip
    assert rows[0]["std_error"] == pytest.approx(rows[1]["std_error"])
    assert rows[1]["n"] == 3 * rows[0]["n"]


def test_a_share_of_nothing_has_no_estimate_and_none_lacks_width():
    data = answers(200).assign(price=np.nan, product=5.0)
    result = service_gap(data, "score", SERVICE, OTHERS, weights="w").set_index(["term", "measure"])
    assert np.isnan(result.loc[("price", "low_in_gap"), "estimate"])
    sure = result.loc[("product", "low_in_rest")]
    assert sure["estimate"] == 0 and sure["lower"] == 0 and sure["upper"] > 0


@pytest.mark.parametrize("weights", [None, "w"])
def test_satisfied_and_promoters_overlap_as_counted(weights):
    """Authority: pandas' crosstab with weights; the four parts sum to 1."""
    data = answers()
    result = satisfaction_overlap(data, "score", "csat", weights=weights).set_index(["term", "measure"])["estimate"]
    both = data.dropna(subset=["score", "csat"])
    w = both[weights] if weights else pd.Series(1.0, index=both.index)
    table = pd.crosstab(both["csat"] >= 4, both["score"] >= 9, values=w, aggfunc="sum")
    assert result.xs("overlap", level=1).sum() == pytest.approx(1.0)
    assert result["satisfied, promoter", "overlap"] == pytest.approx(table.loc[True, True] / w.sum())
    assert result["not satisfied, promoter", "overlap"] == pytest.approx(table.loc[False, True] / w.sum())
    assert result["promoters", "satisfied"] == pytest.approx(table.loc[True, True] / table[True].sum())
    assert result["satisfied", "promoters"] == pytest.approx(table.loc[True, True] / table.loc[True].sum())


def customers(n, seed=0):
    """Customers of whom those with a low CSAT leave; the other score is a noisy copy of it, half did not answer."""
    rng = np.random.default_rng(seed)
    csat = rng.integers(1, 6, n)
    left = rng.random(n) < 1 / (1 + np.exp(0.5 + 0.8 * (csat - 3)))
    data = pd.DataFrame({"id": np.arange(n).astype(str), "left": left, "csat": csat.astype(float)})
    data["nps"] = np.clip(2 * csat + rng.integers(-3, 4, n), 0, 10).astype(float)
    return data.where(pd.DataFrame({"id": True, "left": True, "csat": rng.random(n) > 0.5, "nps": rng.random(n) > 0.2}))


def test_held_out_likelihood_equals_statsmodels_fitted_without_the_fold():
    """Authority: statsmodels GLM on the other folds and, spread over all cells, three customers at their rate."""
    data = customers(900).astype({"left": float})
    x = np.column_stack([np.ones(900), data["csat"].notna(), data["csat"].fillna(0.0)]).astype(float)
    fold = np.arange(900) % 3
    y = data["left"].to_numpy()
    ours = held_out(x, np.ones(900), y, fold)
    for k in range(3):
        there, more = (fold != k).astype(float), 3 / 900
        left = there * y + more * y[fold != k].mean()
        fit = sm.GLM(np.column_stack([left, there + more - left]), x, family=sm.families.Binomial()).fit(tol=1e-14)
        p = fit.predict(x[fold == k])
        assert ours[1, fold == k] == pytest.approx(np.log(p), abs=1e-8)
        assert ours[0, fold == k] == pytest.approx(np.log(1 - p), abs=1e-8)


def test_the_score_behind_leaving_adds_and_its_noisy_copy_does_not():
    """Known truth: CSAT decides; the copy predicts alone, but adds nothing to CSAT where both are known."""
    data = customers(6000)
    result = attrition_prediction(data.dropna(), "left", ["nps", "csat"], "id").set_index(["term", "measure"])
    assert result.loc[("csat", "added"), "lower"] > 0 and result.loc[("nps", "alone"), "lower"] > 0
    assert abs(result.loc[("nps", "added"), "estimate"]) < 2
    whole, parts = result.loc[("all", "alone"), "estimate"], result["estimate"]
    assert whole == pytest.approx(parts["csat", "alone"] + parts["nps", "added"])
    assert set(result["unit"]) == {"log likelihood per 1,000 customers"}


def test_noise_does_not_predict_and_silence_may():
    """Known truth: a random score is not better than the rate; those who leave and so do not answer are."""
    rng, data = np.random.default_rng(5), customers(4000)
    data = data.assign(noise=rng.integers(0, 11, 4000).astype(float))
    silent = pd.Series(rng.integers(0, 11, 4000).astype(float)).where(
        ~data["left"].astype(bool) | (rng.random(4000) < 0.3)
    )
    result = attrition_prediction(data.assign(silent=silent), "left", ["noise", "silent"], "id")
    alone = result[result["measure"] == "alone"].set_index("term")
    assert alone.loc["noise", "lower"] < 0 < alone.loc["silent", "lower"]


def test_a_handful_who_all_stayed_is_not_called_certain_to_stay():
    """Known truth: nine answered one question only, none of whom left elsewhere; the one leaver among them is rare."""
    data = customers(2000).assign(other=lambda d: d["csat"])
    data.loc[data.index[:9], "other"] = [np.nan, 3.0, np.nan, 3.0, np.nan, 3.0, np.nan, 3.0, np.nan]
    data.loc[data.index[:9], ["csat", "left"]] = [3.0, False]
    data.loc[data.index[0], "left"] = True
    result = attrition_prediction(data, "left", ["csat", "other"], "id").set_index(["term", "measure"])
    assert abs(result.loc[("other", "added"), "estimate"]) < 5


def test_the_order_of_rows_does_not_matter_where_customers_have_names():
    data = customers(1000)
    one, two = (attrition_prediction(frame, "left", ["nps"], "id") for frame in (data, data.iloc[::-1]))
    assert estimates(one, "alone").tolist() == pytest.approx(estimates(two, "alone").tolist(), abs=1e-9)


FAULTS = [
    (service_gap, ("score", []), {}, "service must name at least one rating"),
    (service_gap, ("score", ["fone"]), {}, "frame: no column 'fone'; did you mean 'phone'? There are: "),
    (service_gap, ("score", ["words"]), {}, "column 'words' must hold numbers, not text or yes/no; recode it"),
    (service_gap, ("nothing", SERVICE), {}, "somebody must have rated phone or chat and given a score, but nobody has"),
    (service_gap, ("score", SERVICE), {"weights": "v"},
     "weights 'v' must be finite and 0 or more in every row, but 3 are not or are empty"),
    (service_gap, ("eleven", SERVICE), {},
     "outcome 'eleven' must end at 10, since promoters are the top two points of "),
    (satisfaction_overlap, ("eleven", "csat"), {}, "outcome 'eleven' must end at 10, since promoters are the top two "),
    (service_gap, ("score", ["endless"]), {}, "column 'endless' must hold finite numbers, but "),
    (satisfaction_overlap, ("score", "nothing"), {},
     "somebody must have answered both 'score' and 'nothing', but nobody has"),
    (attrition_prediction, ("never", ["score"]), {}, "outcome 'never' must have customers who left and customers who "),
]  # fmt: skip


@pytest.mark.parametrize(("function", "named", "options", "line"), FAULTS)
def test_wrong_data_get_one_clear_line(function, named, options, line):
    data = answers(300).assign(words="good", nothing=np.nan, never=False)
    data = data.assign(eleven=data["score"] + 1, endless=data["phone"].replace(5, np.inf))
    with pytest.raises(CxError) as raised:
        function(data.assign(v=data["w"].where(data.index > 2)), *named, **options)
    assert str(raised.value).startswith(line) and "\n" not in str(raised.value)


def test_a_factor_predicts_as_its_indicators_do():
    """Identity: a factor of two levels is the number 0 or 1 of one of them."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"promoter": rng.integers(0, 2, 900).astype(float)})
    frame["left"] = rng.random(900) < 0.3 - 0.2 * frame["promoter"]
    frame["kind"] = np.where(frame["promoter"] == 1, "promoter", "other")
    found = attrition_prediction(frame, scores=["kind", "promoter"], against="kind")
    rows = found.set_index(["term", "measure"])
    for column in ("estimate", "lower", "upper"):
        assert rows.loc[("kind", "alone"), column] == pytest.approx(rows.loc[("promoter", "alone"), column], abs=1e-6)
    assert rows.loc[("promoter", "against"), "estimate"] == pytest.approx(0, abs=1e-6)
    assert len(found) == 6


def test_against_what_is_no_score_is_refused():
    frame = pd.DataFrame({"left": [True, False] * 20, "satisfaction": [1, 5] * 20})
    with pytest.raises(CxError, match=r"^against: no score 'csat'"):
        attrition_prediction(frame, scores=["satisfaction"], against="csat")
