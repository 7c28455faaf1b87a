"""Proportional odds and their test: R (polr, clm, nominal_test), statsmodels' OrderedModel, known truth."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from cxlib import ordered_answers, ordinal
from cxlib.errors import CxError
from cxlib.ordered_answers import ordinal_check
from tests.frames import TOUCHPOINTS, estimates, passengers
from tests.test_experience import gapped
from tests.test_importance import answers


@pytest.mark.real_data("sfo_2017.csv")
@pytest.mark.parametrize(("split", "name"), [("nps", "y3"), ("points", "y")])
def test_airport_passengers(split, name, real_data, reference):
    """Authority: R, MASS polr and ordinal clm (sfo2017_ordlogit_*.csv): coefficients, errors, likelihoods, McFadden."""
    result = ordinal_check(passengers(real_data), "ltr", TOUCHPOINTS, split=split)
    printed = pd.read_csv(reference / f"sfo2017_ordlogit_{name}.csv", index_col=0)
    fit = pd.read_csv(reference / f"sfo2017_ordlogit_{name}_fit.csv").iloc[0]
    cuts = estimates(result, "threshold")
    ours = np.r_[estimates(result, "coefficient")[TOUCHPOINTS], cuts]
    assert ours == pytest.approx(printed["clm"].to_numpy(), abs=1e-5)
    errors = np.r_[
        estimates(result, "coefficient", "std_error")[TOUCHPOINTS], estimates(result, "threshold", "std_error")
    ]
    assert errors == pytest.approx(printed["clm_se"].to_numpy(), abs=1e-5)
    assert [label.replace(" ", "").lower() for label in cuts.index] == [t.lower() for t in printed.index[12:]]
    assert estimates(result, "log_likelihood")["model"] == pytest.approx(fit["loglik"], abs=1e-6)
    assert estimates(result, "mcfadden")["model"] == pytest.approx(fit["mcfadden"], abs=1e-8)
    assert (result["n"] == fit["n"]).all()


@pytest.mark.real_data("sfo_2017.csv")
def test_proportional_odds_of_airport_passengers(real_data, reference):
    """Authority: R, ordinal nominal_test (likelihood ratio of freeing one driver)."""
    result = ordinal_check(passengers(real_data), "ltr", TOUCHPOINTS)
    printed = pd.read_csv(reference / "sfo2017_ordlogit_y3_nominal_test.csv", index_col=0).loc[TOUCHPOINTS]
    assert estimates(result, "likelihood_ratio")[TOUCHPOINTS].to_numpy() == pytest.approx(printed["LRT"], abs=1e-5)
    assert estimates(result, "proportional_odds")[TOUCHPOINTS].to_numpy() == pytest.approx(
        printed["Pr(>Chi)"], abs=1e-5
    )
    assert set(estimates(result, "proportional_odds", "note")) == {""}


@pytest.mark.real_data("mobi.csv")
def test_mobile_phones_on_a_scale_from_1(real_data, reference):
    """Authority: R, ordinal clm on composites (mobi_ordlogit_cusl3.csv)."""
    data = pd.read_csv(real_data / "mobi.csv")
    for name, stem in (("QUAL", "PERQ"), ("IMG", "IMAG")):
        data[name] = data[[c for c in data if c.startswith(stem) and c[len(stem) :].isdigit()]].mean(axis=1)
    drivers = ["QUAL", "PERV1", "CUSCO", "IMG"]
    result = ordinal_check(data, "CUSL3", drivers, split="points", scale=(1, 10))
    printed = pd.read_csv(reference / "mobi_ordlogit_cusl3.csv", index_col=0)
    found = np.r_[estimates(result, "threshold"), estimates(result, "coefficient")[drivers]]
    assert found == pytest.approx(printed["clm"].to_numpy(), abs=1e-5)
    assert estimates(result, "coefficient", "std_error")["IMG"] == pytest.approx(printed.loc["IMG", "se"], abs=1e-5)
    assert estimates(result, "log_likelihood")["model"] == pytest.approx(printed["loglik"].iloc[0], abs=1e-6)


def test_factors_of_housing(reference):
    """Authority: R, polr(Sat ~ Infl + Type + Cont, weights = Freq) (methods, section 4); ours starts from High."""
    data = pd.read_csv(reference / "housing.csv", index_col=0)
    data = data.loc[data.index.repeat(data["Freq"])].replace({"Sat": {"Low": 0, "Medium": 7, "High": 10}})
    data = data.astype({"Sat": float}).replace(
        {"Type": {"Tower": "A tower"}, "Infl": {"Low": "A low"}, "Cont": {"Low": "A"}}
    )
    result = ordinal_check(data, "Sat", ["Infl", "Type", "Cont"])
    found = estimates(result, "coefficient")
    printed = {"Infl = Medium": 0.5663937, "Infl = High": 1.2888191, "Type = Apartment": -0.5723501,
               "Type = Atrium": -0.3661866, "Type = Terrace": -1.0910149, "Cont = High": 0.3602841}  # fmt: skip
    assert found[list(printed)].tolist() == pytest.approx(list(printed.values()), abs=2e-6)
    assert estimates(result, "log_likelihood")["model"] == pytest.approx(-1739.5746, abs=5e-5)


@pytest.mark.parametrize("split", ["nps", "points"])
def test_gaps_equal_ordered_model_with_met_and_rating(split):
    """Authority: statsmodels OrderedModel on the same columns, to the four digits its optimiser gives."""
    data = gapped(900)
    result = ordinal_check(data, "recommend", ["a", "b"], missing="not_met", split=split)
    names = ["a met", "a", "b met", "b"]
    x = np.column_stack([data["a"].notna(), (data["a"] - data["a"].mean()).fillna(0.0), data["b"].notna(),
                         (data["b"] - data["b"].mean()).fillna(0.0)]).astype(float)  # fmt: skip
    y = np.digitize(data["recommend"], [7, 9]) if split == "nps" else data["recommend"].rank(method="dense").astype(int)
    fit = OrderedModel(np.asarray(y), x, distr="logit").fit(method="bfgs", disp=False, maxiter=1000, gtol=1e-7)
    assert estimates(result, "coefficient")[names].to_numpy() == pytest.approx(fit.params[:4], abs=2e-4)
    assert estimates(result, "coefficient", "std_error")[names].to_numpy() == pytest.approx(fit.bse[:4], rel=1e-3)
    assert estimates(result, "log_likelihood")["model"] == pytest.approx(fit.llf, abs=1e-4)


def test_a_driver_that_only_keeps_detractors_away_is_told():
    """Known truth: one driver moves answers over the lower threshold only, the other over both."""
    rng, n = np.random.default_rng(0), 4000
    data = pd.DataFrame(rng.integers(1, 6, (n, 2)), columns=["keeps", "both"]).astype(float)
    lower = rng.random(n) < 1 / (1 + np.exp(-0.5 + 1.0 * (data["keeps"] - 3) + 0.6 * (data["both"] - 3)))
    upper = rng.random(n) < 1 / (1 + np.exp(-0.5 + 0.6 * (data["both"] - 3)))
    data["score"] = np.where(lower, 3, np.where(upper, 8, 10))
    p = ordinal_check(data, "score", ["keeps", "both"])
    p = p[p["measure"] == "proportional_odds"].set_index("term")
    assert p.loc["keeps", "estimate"] < 1e-6
    assert p.loc["keeps", "note"] == "acts differently on promoters and on detractors"
    assert p.loc["both", "estimate"] > p.loc["keeps", "estimate"]


def test_the_test_holds_its_level():
    """Known truth: proportional odds hold; of 200 tests 10 are expected below .05, at most 18 are wanted."""
    below = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x = rng.integers(1, 6, (500, 2)).astype(float)
        latent = 0.5 * x.sum(axis=1) + rng.logistic(size=500)
        data = pd.DataFrame(x, columns=["a", "b"]).assign(s=np.select([latent < 2.2, latent < 3.8], [2, 7], 10))
        below += (estimates(ordinal_check(data, "s", ["a", "b"]), "proportional_odds") < 0.05).sum()
    assert 3 <= below <= 18


def test_of_many_answers_a_sample_is_taken_and_named(monkeypatch):
    monkeypatch.setattr(ordered_answers, "MOST_ANSWERS", 2000)
    data = answers(6000)
    result = ordinal_check(data, "recommend", ["a", "b"], customer="customer")
    n = result["n"].iloc[0]
    assert 1500 < n <= 2000 and f"a sample of {n:,} of 6,000 answers" in result["method"].iloc[0]
    whole = ordinal_check(answers(1500), "recommend", ["a", "b"])
    assert estimates(result, "coefficient")["a"] == pytest.approx(estimates(whole, "coefficient")["a"], abs=0.25)


NO_FIT = (
    "the ordinal model must have a best fit, it has none: the drivers tell answers apart without a fault; leave a "
    "driver out, or wait for more answers"
)


def test_drivers_that_foretell_every_answer_have_no_best_fit():
    """Known truth: the likelihood of separated answers grows without end (Albert & Anderson 1984)."""
    data = pd.DataFrame({"a": np.repeat([1.0, 3.0, 5.0], 4), "b": [1.0, 2.0, 3.0] * 4, "s": np.repeat([2, 7, 10], 4)})
    with pytest.raises(CxError, match=f"^{NO_FIT}$"):
        ordinal_check(data, "s", ["a", "b"])
    with pytest.raises(CxError, match=f"^{NO_FIT}$"):  # an information that says nothing of the second column
        ordinal.proportional_odds(np.array([[0.0, 1], [0, 1], [1, 2], [1, 2]]), np.array([0, 1, 0, 1]))
    data.loc[[0, 11], "s"] = [10, 2]
    assert ordinal_check(data, "s", ["a", "b"])["std_error"].max() < 5


@pytest.mark.parametrize(("change", "line"), [
    ({"split": "three"}, "no split 'three'; There are: 'nps', 'points'"),
    ({"score": "still"}, "score 'still' must fall into two classes or more, not one; all 300 answers are alike"),
    ({"drivers": ["a", "copy"]}, "driver 'copy' must vary, and not only with the drivers before it; leave it out"),
    ({"score": "eleven"}, "score 'eleven' must hold whole points from 0 to 10; found 11 ("),
    ({"drivers": ["a", "gaps"]}, "drivers must have a value in every row, but some are empty: 'gaps' ("),
])  # fmt: skip
def test_wrong_data_get_one_clear_line(change, line):
    data = answers(300).assign(still=8)
    data = data.assign(copy=data["a"], eleven=data["recommend"] + 1, gaps=data["b"].where(data["b"] > 2))
    with pytest.raises(CxError) as raised:
        ordinal_check(data, **{"score": "recommend", "drivers": ["a", "b"]} | change)
    assert str(raised.value).startswith(line) and "\n" not in str(raised.value)
