"""Stated reasons: R's shares on IBM Telco, the published counts of each coding rule, kappa by hand, and bad input."""

import numpy as np
import pandas as pd
import pytest

from cxlib.attrition import fit_attrition
from cxlib.data import load
from cxlib.errors import CxError
from cxlib.frame import landmark
from cxlib.reasons import reason_shares, reasons_against_model
from cxlib.schema import RESULT_COLUMNS, TOO_FEW
from cxlib.simulation import simulate
from cxlib.story import REASONS
from tests.followed import TELCO, telco

ATTITUDES = ["Attitude of support person", "Attitude of service provider", "Poor expertise of phone support",
             "Poor expertise of online support"]  # fmt: skip
PRICES = ["Price too high", "Extra data charges", "Long distance charges", "Lack of affordable download/upload speed"]
RULES = {
    "strict": {"service": ATTITUDES, "price": PRICES},
    "middle": {"service": [*ATTITUDES, "Service dissatisfaction"], "price": PRICES},
    "broad": {
        "service": [*ATTITUDES, "Service dissatisfaction", "Lack of self-service on Website"],
        "price": PRICES,
    },
}
OFFER = {name: rule | {"price": [*PRICES, "Competitor made better offer"]} for name, rule in RULES.items()}
TOLD = {"support": ["rude", "slow"], "cost": ["dear"]}


def leavers(reasons, stayers=20):
    """Leavers with a count of each reason (None = none stated), and stayers."""
    said = [reason for reason, count in reasons.items() for _ in range(count)]
    return pd.DataFrame({"said": said + [None] * stayers, "left": [True] * len(said) + [False] * stayers})


def estimates(result, measure, column="estimate"):
    return result[result["measure"] == measure].set_index(["rule", "term"])[column]


@pytest.mark.real_data(*TELCO)
def test_every_reason_has_the_share_and_interval_of_r(real_data, reference):
    values = pd.read_csv(reference / "telco_reason_shares.csv").set_index("reason")
    found = reason_shares(telco(real_data), "reason").set_index("term").loc[values.index]
    assert (found["n"] == 1869).all()
    np.testing.assert_allclose(found["estimate"] * 1869, values["n"], atol=1e-9)
    np.testing.assert_allclose(found[["estimate", "lower", "upper"]], values[["p", "lo", "hi"]], atol=1e-12)


@pytest.mark.real_data(*TELCO)
@pytest.mark.parametrize(
    ("rules", "service", "price", "pair"),
    [(RULES, [357, 420, 449], 211, [0.371, 0.334, 0.320]), (OFFER, [357, 420, 449], 522, [0.594, 0.554, 0.538])],
)
def test_coding_alone_moves_both_figures_of_the_press(real_data, rules, service, price, pair):
    """Counts of the reasons in each rule, added up by hand from R's counts of each reason."""
    found = reason_shares(telco(real_data), "reason", rules, left="churn")
    share = estimates(found, "share") * 1869
    for name, count, both in zip(rules, service, pair, strict=True):
        assert share[name, "service"] == pytest.approx(count) and share[name, "price"] == pytest.approx(price)
        assert share[name, "other"] == pytest.approx(1869 - count - price)
        assert estimates(found, "share_of_pair")[name, "price / (price + service)"] == pytest.approx(both, abs=5e-4)
    assert (estimates(found, "share_of_leavers") == 0).all()


@pytest.mark.parametrize("by", ["flag", "number", "date"])
def test_reasons_that_are_not_stated_are_counted_apart(by):
    data = leavers({"rude": 10, "slow": 20, "dear": 30, "moved": 40, None: 15, "  ": 10})
    data["left"] = {"flag": data["left"], "number": data["left"].astype(int),
                    "date": pd.Series(pd.Timestamp("2026-01-01"), data.index).where(data["left"])}[by]  # fmt: skip
    found = reason_shares(data, "said", {"one": TOLD}, left="left", pair=("cost", "support"))
    assert estimates(found, "share").to_dict() == {
        ("one", "support"): 0.3, ("one", "cost"): 0.3, ("one", "other"): 0.4
    }  # fmt: skip
    assert estimates(found, "share_of_pair")["one", "cost / (cost + support)"] == 0.5
    assert estimates(found, "share_of_pair", "n")["one", "cost / (cost + support)"] == 60
    assert estimates(found, "share_of_leavers")["one", "no reason"] == pytest.approx(25 / 125)
    assert estimates(found, "share_of_leavers", "n")["one", "no reason"] == 125


def test_a_stayers_reason_does_not_count():
    data = leavers({"rude": 30, "dear": 10})
    data.loc[len(data) - 5 :, "said"] = "dear"
    assert estimates(reason_shares(data, "said", left="left"), "share")["each reason", "dear"] == 0.25
    assert estimates(reason_shares(data, "said"), "share")["each reason", "dear"] == pytest.approx(15 / 45)


def test_the_result_has_the_one_shape_and_each_rule_adds_up_to_one():
    found = reason_shares(leavers({"rude": 10, "slow": 3, "dear": 30}), "said", {"a": TOLD, "b": {"cost": ["dear"]}})
    assert found.columns.tolist() == ["rule", *RESULT_COLUMNS]
    np.testing.assert_allclose(estimates(found, "share").groupby("rule").sum(), 1)
    assert not (found["measure"] == "share_of_leavers").any()


@pytest.mark.parametrize("count", [1, 9])
def test_few_leavers_have_no_share(count):
    found = reason_shares(leavers({"rude": count}), "said", left="left")
    assert (found["note"] == TOO_FEW).all() and found["estimate"].isna().all()


BAD_RULES = [
    ({"one": {"support": ["rud"]}}, "rule 'one', cause 'support': no reason 'rud'; did you mean 'rude'?"),
    ({"one": {"support": ["rude"], "cost": ["dear", "rude"]}},
     "rule 'one' must code each reason once, but codes 'rude' as support and cost; keep one"),
    ({"one": {"other": ["rude"]}}, "rule 'one': 'other' is what no cause names; give that cause another name"),
    ({"one": ["rude"]}, "rule 'one' must be {cause: [reasons]}, not ['rude']"),
    ({"one": {"support": "rude"}}, "rule 'one' must be {cause: [reasons]}"),
    (["rude"], "rules must be {rule: {cause: [reasons]}}, not ['rude']"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "told"), BAD_RULES)
def test_bad_rules_are_told_in_a_line(rules, told):
    with pytest.raises(CxError) as error:
        reason_shares(leavers({"rude": 20, "dear": 10}), "said", rules)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_all_faults_of_all_rules_are_told_at_once():
    rules = {"one": {"support": ["rud"]}, "two": {"cost": ["dea"]}}
    with pytest.raises(CxError) as error:
        reason_shares(leavers({"rude": 20, "dear": 10}), "said", rules)
    assert len(error.value.faults) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [({"column": "sad"}, "no column 'sad'; did you mean 'said'?"),
     ({"left": "leaft"}, "no column 'leaft'; did you mean 'left'?"),
     ({"left": "said"}, "left 'said' must be true/false, 0/1 or a date, it is factor; recode it"),
     ({"left": "days"}, "left 'days' must be true/false, 0/1 or a date, but 50 rows hold another value"),
     ({"column": "none"}, "column 'none' must state at least one leaver's reason, but states none"),
     ({"level": 2}, "level must lie between 0 and 1")],
)  # fmt: skip
def test_faults_are_told_in_a_line(arguments, told):
    data = leavers({"rude": 20, "dear": 10}).assign(days=7, none=None)
    with pytest.raises(CxError) as error:
        reason_shares(data, **({"column": "said"} | arguments))
    assert told in str(error.value)


CAUSES = {"service": {"service": {"failed": "good"}}, "price": {"price": {"raised": "same"}}}
RULE = {"service": ["rude"], "price": ["dear"]}


def customers():
    """Main effects with service above price, and what the leavers of each cell say: agreement known by hand."""
    cells = [("good", "same", 400, 20, 4, 4), ("failed", "same", 200, 60, 45, 5), ("good", "raised", 200, 30, 6, 18),
             ("failed", "raised", 100, 45, 30, 10)]  # fmt: skip
    parts = []
    for service, price, n, left, rude, dear in cells:
        said = ["rude"] * rude + ["dear"] * dear + ["moved"] * (left - rude - dear) + [None] * (n - left)
        parts.append(pd.DataFrame({"service": service, "price": price, "left": np.arange(n) < left, "said": said}))
    data = pd.concat(parts, ignore_index=True)
    return data.assign(customer_id=[f"C{i}" for i in range(len(data))])


def test_cross_table_and_kappa_by_hand():
    data = customers()
    fit = fit_attrition(data, causes=CAUSES, replicates=0)
    found = reasons_against_model(fit, data, "said", RULE)
    assert found.columns.tolist() == ["stated", "model", *RESULT_COLUMNS]
    assert (found["n"] == 155).all()
    counts = (found[found["term"] == "leavers"].set_index(["stated", "model"])["estimate"] * 155).round(9)
    # Model: other where nothing failed, service where it failed (more than price does), price where only that rose.
    wanted = np.array([[75, 6, 4], [15, 18, 4], [15, 6, 12]])
    classes = ["service", "price", "other"]
    for stated, row in zip(classes, wanted, strict=True):
        assert [counts[stated, model] for model in classes] == row.tolist()
    observed = np.trace(wanted) / 155
    chance = (wanted.sum(axis=0) * wanted.sum(axis=1)).sum() / 155**2
    overall = found[found["term"] == "agreement"].set_index("measure")
    assert overall.loc["share", "estimate"] == pytest.approx(observed)
    assert overall.loc["kappa", "estimate"] == pytest.approx((observed - chance) / (1 - chance))
    # Cohen's own large-sample error (1960) is close to that of Fleiss, Cohen and Everitt (1969).
    rough = np.sqrt(observed * (1 - observed) / 155) / (1 - chance)
    assert overall.loc["kappa", "std_error"] == pytest.approx(rough, rel=0.1)
    assert overall.loc["kappa", "lower"] < overall.loc["kappa", "estimate"] < overall.loc["kappa", "upper"]


def test_two_causes_that_add_the_same_are_a_tie_and_no_agreement():
    data = customers()
    mirrored = data.assign(
        service=data["price"].map({"same": "good", "raised": "failed"}),
        price=data["service"].map({"good": "same", "failed": "raised"}),
    )
    both = pd.concat([data, mirrored.assign(customer_id=lambda d: "m" + d["customer_id"])], ignore_index=True)
    found = reasons_against_model(fit_attrition(both, causes=CAUSES, replicates=0), both, "said", RULE)
    tied = found[found["model"] == "tie"].set_index("stated")["estimate"] * 310
    assert tied.to_dict() == pytest.approx({"service": 60, "price": 20, "other": 10})
    agreed = found[(found["term"] == "agreement") & (found["measure"] == "share")]["estimate"].iloc[0] * 310
    same = found[(found["stated"] == found["model"]) & (found["term"] == "leavers")]["estimate"].sum() * 310
    assert agreed == pytest.approx(same)


@pytest.mark.parametrize("stayers_too", [False, True])
def test_reasons_may_come_from_another_table(stayers_too):
    data = customers()
    fit = fit_attrition(data, causes=CAUSES, replicates=0)
    table = data[["customer_id", "said"]].sample(frac=1, random_state=0)
    table = table if stayers_too else table[table["said"].notna()]
    found = reasons_against_model(fit, data.drop(columns="said"), "said", RULE, reasons=table)
    pd.testing.assert_frame_equal(found, reasons_against_model(fit, data, "said", RULE))


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_reasons_that_have_nothing_to_do_with_the_cause_agree_as_by_chance(noise):
    """The simulator draws a share of the reasons at random: none, and kappa is well above 0; all, and it holds 0."""
    tables, truth = simulate(customers=6000, months=12, seed=2, reason_noise=noise)
    loaded = load(tables)
    frame = landmark(loaded, truth.as_of, 180, 90).to_pandas()
    causes = {"service": {"service_band": {"failed": "good"}},
              "price": {"price_band": {"raised": "same", "raised a lot": "same"}}}  # fmt: skip
    fit = fit_attrition(frame, causes=causes, adjust=["fault_band", "gap_band"], replicates=0)
    rule = {cause: list(REASONS[cause]) for cause in causes}
    found = reasons_against_model(fit, frame, "stated_reason", rule, reasons=loaded.customers)
    kappa = found[found["measure"] == "kappa"].iloc[0]
    assert kappa["lower"] < 0 < kappa["upper"] if noise else kappa["lower"] > 0.2


def test_another_frame_than_that_of_the_fit_is_refused():
    data = customers()
    fit = fit_attrition(data, causes=CAUSES, replicates=0)
    with pytest.raises(CxError, match="data must be the frame of the fit, but 75 leavers are in none of its cells"):
        reasons_against_model(fit, data.assign(price=data["price"].replace("raised", "up")), "said", RULE)
    with pytest.raises(CxError, match="no column 'said'"):
        reasons_against_model(fit, data.drop(columns="said"), "said", RULE)
    with pytest.raises(CxError, match="no reason 'ruude'; did you mean 'rude'"):
        reasons_against_model(fit, data, "said", {"service": ["ruude"]})


def test_a_customer_with_two_reasons_in_another_table_is_refused():
    data = customers()
    table = pd.concat([data[["customer_id", "said"]], data[["customer_id", "said"]].dropna().head(1)])
    fit = fit_attrition(data, causes=CAUSES, replicates=0)
    told = "reasons: 'customer_id' must name each customer once, but 1 state a reason more than once; keep one row each"
    with pytest.raises(CxError, match=f"^{told}$"):
        reasons_against_model(fit, data, "said", RULE, reasons=table)


def test_nobody_who_left_states_a_reason():
    data = customers()
    fit = fit_attrition(data, causes=CAUSES, replicates=0)
    few = data.assign(said=data["said"].where(data["said"].eq("rude") & (data.index % 100 == 0)))
    found = reasons_against_model(fit, few, "said", {"service": ["rude"]})
    assert (found["note"] == TOO_FEW).all() and found["estimate"].isna().all()
