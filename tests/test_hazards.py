"""Hazard ratios: R's coxph and cox.zph on IBM Telco, known truths, the hash sample, and bad input."""

import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from cxlib import hazards
from cxlib.errors import CxError
from cxlib.hazards import cox
from cxlib.schema import RESULT_COLUMNS
from tests.followed import TELCO, TERMS, followed, telco

T = {"time": "months", "event": "left"}
TENURE = {"time": "tenure", "event": "churn", "terms": TERMS}


def in_r_order(found, measure, values):
    """A measure by R's names of the terms, which paste the column and the level."""
    rows = found[found["measure"] == measure]
    return rows.assign(term=rows["term"].str.replace(" = ", "")).set_index("term").loc[values["term"]]


@pytest.mark.real_data(*TELCO)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_coefficients_and_errors_equal_coxph(real_data, reference, ties):
    values = pd.read_csv(reference / f"telco_cox_{ties}.csv")
    found = cox(telco(real_data), **TENURE, ties=ties)
    ours = in_r_order(found, "log_hazard_ratio", values)
    np.testing.assert_allclose(ours["estimate"], values["beta"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours["std_error"], values["se"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(in_r_order(found, "hazard_ratio", values)["estimate"], values["hr"], rtol=1e-7)
    assert found["method"][0] == f"Cox, {ties.capitalize()} ties, 1,869 leavers"


@pytest.mark.real_data(*TELCO)
@pytest.mark.parametrize("customer", [None, "customer"])
def test_robust_errors_equal_coxph(real_data, reference, customer):
    values = pd.read_csv(reference / "telco_cox_breslow.csv")
    found = cox(telco(real_data), **TENURE, ties="breslow", robust=True, customer=customer)
    ours = in_r_order(found, "log_hazard_ratio", values)
    np.testing.assert_allclose(ours["std_error"], values["se_robust"], rtol=1e-7)


@pytest.mark.real_data(*TELCO)
def test_proportionality_fails_where_it_fails_in_r(real_data, reference):
    """R 3.x's cox.zph takes the information at each event, this test its mean: the same terms, within 15 %."""
    values = pd.read_csv(reference / "telco_cox_zph.csv").set_index("term").rename({"GLOBAL": "model"})
    found = cox(telco(real_data), **TENURE)
    ours = found[found["measure"] == "proportionality_chi_square"].set_index("term")["estimate"].loc[values.index]
    told = found[found["measure"] == "proportionality_p"].set_index("term").loc[values.index]
    np.testing.assert_allclose(ours, values["chisq"], rtol=0.15)
    assert ((told["estimate"] < 0.05) == (values["p"] < 0.05)).all()
    assert told["note"].str.contains("with time").equals(values["p"] < 0.05)
    assert told.loc["contract", "note"].startswith("the hazard ratio of 'contract' changes with time (p < 0.0001)")
    # In order too, but for neighbours that R has within a tenth of each other.
    assert (ours.rank() - values["chisq"].rank()).abs().max() <= 1


def drawn(rows, effect, seed=0, scale=10.0, until=3):
    """Customers whose hazard is that of the others times exp of the effect, the first half of the scale and after.

    They are followed for `until` scales: up to 3, about one in forty stays.
    """
    rng = np.random.default_rng(seed)
    failed = rng.random(rows) < 0.5
    base, late = effect
    time = rng.exponential(scale / np.exp(base * failed))
    after = time > scale / 2
    time = np.where(after, scale / 2 + rng.exponential(scale / np.exp(late * failed)), time)
    service = np.where(failed, "failed", "good")
    seen = np.minimum(time, until * scale)
    seen = np.ceil(100 * seen / scale)  # in steps: every moment at which somebody leaves costs time
    return pd.DataFrame({"service": service, "months": seen, "left": time <= until * scale})


def test_a_known_ratio_is_covered_and_holds_over_time():
    found = cox(drawn(4000, (0.7, 0.7)), **T, terms=["service"]).set_index("measure")
    assert found.loc["log_hazard_ratio", "term"] == "service = good"
    assert found.loc["log_hazard_ratio", "lower"] < -0.7 < found.loc["log_hazard_ratio", "upper"]
    assert (found["note"] == "").all()


def test_a_ratio_that_fades_is_told():
    found = cox(drawn(4000, (0.9, 0.0)), **T, terms=["service"])
    notes = found.loc[found["measure"] == "proportionality_p", ["term", "note"]].set_index("term")["note"]
    assert notes["service"].endswith("read it as an average over the follow-up")
    assert notes["model"].startswith("hazard ratios change with time (p ")


@pytest.mark.long
def test_the_proportionality_test_keeps_its_level():
    """400 samples in which the ratio holds: 5 % warned of, within three Monte Carlo errors.

    Followed for two scales: of samples followed for three, one in a hundred holds nobody who stayed and is refused.
    """
    samples = (drawn(200, (0.7, 0.7), seed, until=2) for seed in range(400))
    warned = [(cox(sample, **T, terms=["service"])["note"] != "").any() for sample in samples]
    assert np.mean(warned) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 400))


@pytest.mark.parametrize("entry", [None, "seen_from"])
@pytest.mark.parametrize("ties", hazards.TIES)
def test_fit_equals_statsmodels_on_the_users_columns(entry, ties):
    data = followed()
    x = np.column_stack([data["region"] == "south", data["age"]]).astype(float)
    late = data[entry].to_numpy() if entry else None
    theirs = PHReg(data["months"], x, data["left"].astype(float), entry=late, ties=ties).fit()
    found = cox(data, **T, terms=["region", "age"], ties=ties, entry=entry)
    ours = found[found["measure"] == "log_hazard_ratio"]
    assert ours["term"].tolist() == ["region = south", "age"]
    np.testing.assert_allclose(ours["estimate"], theirs.params, rtol=1e-6)
    np.testing.assert_allclose(ours["std_error"], theirs.bse, rtol=1e-6)
    np.testing.assert_allclose(ours["upper"] - ours["estimate"], 1.959964 * theirs.bse, rtol=1e-5)


@pytest.mark.parametrize("seed", [10, 16, 51])
def test_a_group_that_nearly_all_left_is_fitted(seed):
    """Authority: the score equation, and likelihoods beside. From the log odds, PHReg's own steps run away."""
    data = drawn(200, (0.7, 0.7), seed, until=2)
    good = (data["service"] == "good").to_numpy(float)[:, None]
    ratio = cox(data, **T, terms=["service"], ties="breslow").iloc[0]["estimate"]
    model = PHReg(data["months"], good, data["left"], ties="breslow")
    np.testing.assert_allclose(model.score(np.array([ratio])), 0, atol=1e-6)
    assert model.loglike(np.array([ratio])) > max(model.loglike(np.array([ratio + step])) for step in (-0.1, 0.1))


def test_a_strong_effect_of_a_few_is_found():
    """Authority: the score equation of the partial likelihood, which Newton's steps from 0 overshoot here."""
    x = np.repeat([0, 1], [2000, 60])
    left = np.r_[np.arange(2000) < 40, np.arange(60) < 50]
    months = np.where(left, np.arange(2060) % 12 + 1, 12)
    frame = pd.DataFrame({"months": months, "left": left, "failed": np.where(x == 1, "yes", "no")})
    ratio = cox(frame, **T, terms=["failed"], ties="breslow").iloc[0]["estimate"]
    model = PHReg(months, x[:, None], left, ties="breslow")
    assert ratio > 3
    np.testing.assert_allclose(model.score(np.array([ratio])), 0, atol=1e-8)


def test_the_result_has_the_one_shape():
    assert cox(followed(), **T, terms=["region"]).columns.tolist() == [*RESULT_COLUMNS]


@pytest.mark.parametrize("customer", [None, "customer"])
def test_many_customers_are_sampled_by_hash_and_it_is_said(monkeypatch, customer):
    monkeypatch.setattr(hazards, "MOST_CUSTOMERS", 1000)
    data = followed(4000)
    first, again = (cox(data, **T, terms=["region"], customer=customer) for _ in range(2))
    assert 900 < first["n"][0] <= 1000
    assert first["method"][0].endswith(f"hash sample of {first['n'][0]:,} of 4,000 customers")
    assert first.equals(again)
    whole = cox(data.head(1000), **T, terms=["region"])
    assert "sample" not in whole["method"][0]


def test_a_sample_holds_all_rows_of_a_customer(monkeypatch):
    monkeypatch.setattr(hazards, "MOST_CUSTOMERS", 1000)
    twice = pd.concat([followed(2000), followed(2000).assign(months=lambda d: d["months"] + 1)])
    frame, everybody = hazards._rows(twice, "months", "left", ["region"], None, "customer")
    assert everybody == 4000 and (frame.groupby("who").size() == 2).all()


BAD = [
    ({"left": False}, {}, "there must be at least 10 leavers, not 0"),
    ({"region": "north"}, {}, "column 'region' must have two levels or more, not only 'north'; leave it out"),
    ({}, {"terms": []}, "terms must name at least one column"),
    ({}, {"terms": ["regoin"]}, "terms: no column 'regoin'; did you mean 'region'?"),
    ({}, {"terms": ["left"]}, "'left' is the event; it cannot also be a term"),
    ({}, {"ties": "efrron"}, "no ties 'efrron'; did you mean 'efron'?"),
    ({}, {"robust": True}, "robust standard errors must go with ties='breslow', not 'efron'"),
    ({"age": 7}, {"terms": ["age"]}, "column 'age' must have two levels or more, not only '7'; leave it out"),
    ({"age": None}, {"terms": ["age"]}, "column 'age' must have a value in every row, but 300 are empty"),
    ({"months": -1}, {}, "time 'months' must be 0 or more and finite"),
    ({}, {"level": 1}, "level must lie between 0 and 1"),
    ({}, {"entry": "months"}, "entry 'months' must lie before time 'months' in every row"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "arguments", "told"), BAD)
def test_faults_are_told_in_a_line(spoil, arguments, told):
    with pytest.raises(CxError) as error:
        cox(followed().assign(**spoil), **(T | {"terms": ["region"]} | arguments))
    assert told in str(error.value)


def test_a_level_nobody_left_in_has_no_ratio():
    data = followed()
    data.loc[data["region"] == "north", "left"] = False
    with pytest.raises(CxError, match="region = north has no finite hazard ratio, for nobody in it left"):
        cox(data, **T, terms=["region"])


@pytest.mark.parametrize("told", [lambda d: d["left"] * 1.0, lambda d: d["months"].where(d["left"], 99.0)])
def test_a_number_that_decides_who_leaves_is_refused(told):
    with pytest.raises(CxError, match="satisfaction decides who leaves first, so that no finite hazard ratio exists"):
        cox(followed().assign(satisfaction=told), **T, terms=["satisfaction"])


def test_a_column_that_others_determine_is_refused():
    data = followed().assign(twice=lambda d: 2 * d["age"])
    with pytest.raises(CxError, match="twice is determined by the columns before it"):
        cox(data, **T, terms=["age", "twice"])


ENDLESS = "Maximum Likelihood optimization failed to converge"


def test_a_fit_that_comes_to_no_end_is_told(monkeypatch):
    def endless(*given, **named):
        warnings.warn(ENDLESS, stacklevel=1)
        return fit(*given, **named)

    fit = PHReg.fit
    monkeypatch.setattr(PHReg, "fit", endless)
    with pytest.raises(CxError) as error:
        cox(followed(), **T, terms=["region"])
    assert error.value.faults == (f"the fit has come to no end ({ENDLESS}); leave out terms or merge levels",)
