"""What would overturn an attrition answer: AIPW by hand and from statsmodels, E-values, leaks, signs, interactions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.treatment as treatment
from statsmodels.discrete.discrete_model import Probit
from statsmodels.regression.linear_model import OLS
from statsmodels.treatment.treatment_effects import TreatmentEffect

from cxlib.attrition import fit_attrition
from cxlib.checks import augmented_mean, e_values, interaction_check, robustness
from cxlib.errors import CxError
from cxlib.fractions import attributable_fractions
from tests.frames import CAUSES, TOY_CAUSES, customers, toy

ADJUST = ["segment", "abroad", "faults", "tenure"]


def chosen(result, measure):
    return result[result["measure"] == measure].set_index("term")["estimate"]


@pytest.mark.parametrize(
    ("ratio", "lower", "upper", "expected"),
    [(10.73, 8.02, 14.36, (20.94777, 15.52336)), (3.9, 1.8, 8.7, (7.263, 3.0)),
     (1 / 3.9, 1 / 8.7, 1 / 1.8, (7.263, 3.0)), (1.2, 0.9, 1.6, (1.2 + np.sqrt(0.24), 1.0))],
)  # fmt: skip
def test_e_values(ratio, lower, upper, expected):
    # Authority: VanderWeele & Ding 2017, and the values of the R package EValue that methods quotes.
    assert e_values(ratio, lower, upper) == pytest.approx(expected, abs=5e-4 if expected[1] == 3.0 else 5e-6)


def test_the_toy_is_saturated_so_both_models_say_the_same():
    fit = fit_attrition(toy(), causes=TOY_CAUSES, replicates=50)
    result = robustness(fit)
    alone = attributable_fractions(fit)
    fractions = alone[alone["measure"] == "fraction"].set_index("term")["estimate"]
    for cause in TOY_CAUSES:
        assert chosen(result, "doubly_robust_fraction")[cause] == pytest.approx(fractions[cause], abs=1e-10)
    # By hand: (30 + 40) leavers with a failed contact, against 200 x .05 + 100 x .10 without the failure.
    assert chosen(result, "risk_ratio")["service"] == pytest.approx(70 / 20, abs=1e-10)
    assert chosen(result, "smallest_cell").to_dict() == {"service": 100, "price": 100}
    assert chosen(result, "events_per_parameter")["model"] == pytest.approx(115 / 3)
    assert "alarm" not in set(result["measure"])


def by_hand(data, cause):
    """The row formula with a logit for the outcome in the arm and one for being in it, from statsmodels."""
    column, mapping = next(iter(CAUSES[cause].items()))
    failed = data[column].isin(list(mapping))
    compared = failed | data[column].isin(list(mapping.values()))
    part, arm = data[compared], ~failed[compared]
    other = "price" if cause == "service" else "service"
    dummies = pd.get_dummies(part[[*ADJUST, other]], columns=["segment", other], drop_first=True)
    z = sm.add_constant(dummies.astype(float))
    y = part["left"].astype(float)
    outcome = sm.GLM(y[arm], z[arm], sm.families.Binomial()).fit(tol=1e-12).predict(z)
    propensity = sm.GLM(arm.astype(float), z, sm.families.Binomial()).fit(tol=1e-12).predict(z)
    total = (outcome + np.where(arm, (y - outcome) / propensity, 0.0)).sum() + data.loc[~compared, "left"].sum()
    return 1 - total / data["left"].sum()


@pytest.mark.parametrize("cause", list(CAUSES))
def test_doubly_robust_fractions_equal_the_row_formula(cause):
    # Customers whose contact was neither failed nor good keep their outcome: failed is set against good.
    data = customers(3000, seed=4)
    fit = fit_attrition(data, causes=CAUSES, adjust=ADJUST, customer="customer_id", replicates=0)
    assert chosen(robustness(fit), "doubly_robust_fraction")[cause] == pytest.approx(by_hand(data, cause), abs=1e-8)


@pytest.mark.parametrize("treated", [0, 1])
def test_the_augmented_mean_equals_statsmodels_with_linear_arms(treated):
    # Authority: TreatmentEffect.aipw on statsmodels' own test data, which it holds to Stata.
    data = pd.read_csv(Path(treatment.__file__).parent / "tests" / "results" / "cataneo2.csv")
    probit = Probit.from_formula("mbsmoke_ ~ mmarried_ + mage + mage2 + fbaby_ + medu", data).fit(disp=False)
    model = OLS.from_formula("bweight ~ prenatal1_ + mmarried_ + mage + fbaby_", data)
    arm = (data["mbsmoke_"] == treated).to_numpy()
    linear = OLS(model.endog[arm], model.exog[arm]).fit().predict(model.exog)
    chance = np.asarray(probit.predict() if treated else 1 - probit.predict())
    ours = augmented_mean(np.ones((1, len(data))), data[["bweight"]].to_numpy(float).T, arm, linear[None], chance[None])
    _, *means = TreatmentEffect(model, np.asarray(data["mbsmoke_"]), results_select=probit).aipw(return_results=False)
    assert ours[0] == pytest.approx(means[treated], rel=1e-9)


def test_a_column_that_tells_the_outcome_is_called_a_leak():
    data = customers(2000, seed=1)
    flipped = np.random.default_rng(0).random(len(data)) < 0.02
    data["complained"] = np.where(data["left"] ^ flipped, "yes", "no")
    fit = fit_attrition(data, causes=CAUSES, adjust=["segment", "complained"], replicates=20)
    alarms = robustness(fit).query("measure == 'alarm'").set_index("term")
    assert "complained" in alarms.index
    assert "alone tells" in alarms.loc["complained", "note"]
    assert "segment" not in alarms.index


def test_a_sign_against_the_declared_direction_is_an_alarm():
    data = customers(3000, seed=2)
    turned = {"service": {"service": {"good": "failed"}}, "price": CAUSES["price"]}
    alarms = robustness(fit_attrition(data, causes=turned, adjust=ADJUST, replicates=100)).query("measure == 'alarm'")
    assert alarms.loc[alarms["term"] == "service", "note"].str.contains("opposite").any()
    assert not alarms.loc[alarms["term"] == "price", "note"].str.contains("opposite").any()


@pytest.mark.real_data("bank_churn_records.csv")
def test_complaints_of_the_bank_are_a_leak(real_data):
    # Authority: PROVENANCE says that Complain and Exited agree in 9,986 of 10,000 rows.
    data = pd.read_csv(real_data / "bank_churn_records.csv")
    data = data.assign(active=data["Is_Active_Member"].map({0: "no", 1: "yes"}), complain=data["Complain"].map(str))
    causes = {"inactive": {"active": {"no": "yes"}}}
    fit = fit_attrition(data, "Exited", causes, ["complain", "Geography"], replicates=0)
    alarms = robustness(fit).query("measure == 'alarm'").set_index("term")
    assert alarms.loc["complain", "estimate"] > 0.95


@pytest.mark.real_data("ecommerce_churn.csv")
def test_dissatisfaction_in_the_shop_has_the_opposite_sign(real_data):
    # Authority: PROVENANCE says that churn rises with SatisfactionScore there.
    data = pd.read_csv(real_data / "ecommerce_churn.csv")
    data["happy"] = np.where(data["SatisfactionScore"] <= 2, "low", "high")
    fit = fit_attrition(data, "Churn", {"dissatisfaction": {"happy": {"low": "high"}}}, ["Gender"], replicates=100)
    alarms = robustness(fit).query("measure == 'alarm'").set_index("term")
    assert "opposite" in alarms.loc["dissatisfaction", "note"]


@pytest.mark.real_data("telco_v11_status.csv", "telco_v11_services.csv")
def test_the_satisfaction_score_of_telco_is_refused_by_name(real_data):
    # Authority: the score separates churn perfectly (telco_satisfaction_by_churn.csv).
    files = [pd.read_csv(real_data / f"telco_v11_{part}.csv", keep_default_na=False) for part in ("services", "status")]
    data = files[0].merge(files[1], on="Customer ID")
    with pytest.raises(CxError, match=r"'Satisfaction Score'.*decides the outcome"):
        fit_attrition(data, "Churn Value", {"service": {"Premium Tech Support": {"No": "Yes"}}}, ["Satisfaction Score"])


def test_the_check_of_interactions_says_where_the_choice_matters():
    # Identity: the rows of the fitted model's own choice repeat it. Failures that act only together need their product.
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"a": rng.choice(["yes", "no"], 6000), "b": rng.choice(["yes", "no"], 6000)})
    data["left"] = rng.random(6000) < np.where((data["a"] == "yes") & (data["b"] == "yes"), 0.5, 0.05)
    fit = fit_attrition(data, causes={"a": {"a": {"yes": "no"}}, "b": {"b": {"yes": "no"}}}, replicates=100)
    result = interaction_check(fit)
    own = attributable_fractions(fit).query("measure == 'average_fraction'")["estimate"].to_numpy()
    words = list(dict.fromkeys(result["interactions"]))
    assert len(words) == 3
    assert np.allclose(result[result["interactions"] == words[1]]["estimate"], own)
    assert (result[result["interactions"] == words[0]]["note"] == "the choice of interactions matters").all()
    assert (result[result["interactions"] == words[1]]["note"] == "").all()
