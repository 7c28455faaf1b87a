"""The attrition model and its fractions: exact values, R, statsmodels on the rows, brute force over orders."""

from itertools import combinations, permutations

import duckdb
import numpy as np
import pandas as pd
import patsy
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.api as sm
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from cxlib import cells, resample
from cxlib.attrition import fit_attrition
from cxlib.errors import CxError
from cxlib.fractions import attributable_fractions, outweighs, role_interval, what_if
from cxlib.resample import multiplicities
from cxlib.schema import RESULT_COLUMNS
from tests.frames import CAUSES, POOR, TOY_CAUSES, births, customers, estimates, passengers, telco, toy

ADJUST = ["segment", "abroad", "faults", "tenure"]
MEASURES = ("fraction", "average_fraction", "last", "lowest_order", "highest_order")


def exact_toy(columns=("term", "measure")):
    """methods.md, section 3: from the risks of the four cells, by hand."""
    service, price, joint = 0.05 / 0.115, 0.035 / 0.115, 0.065 / 0.115
    last = {"service": joint - price, "price": joint - service}
    alone = {"service": service, "price": price}
    table = {("joint", "fraction"): joint}
    for cause in ("service", "price"):
        table |= {
            (cause, "fraction"): alone[cause],
            (cause, "last"): last[cause],
            (cause, "average_fraction"): (alone[cause] + last[cause]) / 2,
            (cause, "lowest_order"): last[cause],
            (cause, "highest_order"): alone[cause],
        }
    return pd.Series(table)


def test_the_toy_is_exact():
    # Authority: the printed digits of methods, and the same by hand to the last digit.
    fit = fit_attrition(toy(), causes=TOY_CAUSES, replicates=0)
    result = attributable_fractions(fit).set_index(["term", "measure"])["estimate"]
    expected = exact_toy().reindex(result.index)
    assert np.abs(result - expected).max() < 1e-12
    printed = {("service", "fraction"): 0.43478, ("price", "fraction"): 0.30435, ("joint", "fraction"): 0.56522,
               ("service", "last"): 0.26087, ("price", "last"): 0.13043, ("service", "average_fraction"): 0.34783,
               ("price", "average_fraction"): 0.21739}  # fmt: skip
    for key, value in printed.items():
        assert result[key] == pytest.approx(value, abs=5e-6)


def test_the_toy_without_interactions():
    # Authority: methods, printed digits; statsmodels on the rows to 1e-10.
    fit = fit_attrition(toy(), causes=TOY_CAUSES, interactions=None, replicates=0)
    result = estimates(attributable_fractions(fit), "fraction")
    assert result["service"] == pytest.approx(0.4319, abs=5e-5)
    assert result["price"] == pytest.approx(0.3015, abs=5e-5)
    by_rows = fraction_on_rows(toy(), "left", "service + price", {"service": "good"})
    assert result["service"] == pytest.approx(by_rows, abs=1e-10)


def test_the_role_interval_of_the_toy():
    fit = fit_attrition(toy(), causes=TOY_CAUSES, replicates=0)
    result = role_interval(fit)
    lower, upper = estimates(result, "lower_bound"), estimates(result, "upper_bound")
    assert lower.to_dict() == pytest.approx({"service": 0.05 / 0.115, "price": 0.035 / 0.115}, abs=1e-12)
    assert upper.to_dict() == pytest.approx({"service": 70 / 115, "price": 60 / 115}, abs=1e-12)


def test_which_cause_outweighs_in_the_toy():
    # Authority: methods; of 115 leavers 70 service > price, 20 price > service, 25 neither.
    result = outweighs(fit_attrition(toy(), causes=TOY_CAUSES, replicates=0), "price", "service")
    table = result.pivot(index="term", columns="measure", values="estimate")
    assert table.loc["service > price", "of_all"] == pytest.approx(70 / 115, abs=1e-12)
    assert table.loc["price > service", "of_all"] == pytest.approx(20 / 115, abs=1e-12)
    assert table.loc["neither", "of_all"] == pytest.approx(25 / 115, abs=1e-12)
    assert table.loc["price > service", "of_any"] == pytest.approx(2 / 9, abs=1e-12)
    assert table.loc["price > service", "of_both"] == pytest.approx(0, abs=1e-12)
    assert table.sum().to_list() == pytest.approx([1, 1, 1])


def test_removing_a_part_of_the_failures():
    # Authority: linear in a single cause; at 1 the attributable fraction, at 0 nothing.
    fit = fit_attrition(toy(), causes=TOY_CAUSES, replicates=0)
    for share in (0.0, 0.25, 1.0):
        result = what_if(fit, {"service": share})
        assert result["estimate"].tolist() == pytest.approx([share * 0.05 / 0.115], abs=1e-12)
    both = estimates(what_if(fit, {"service": 1, "price": 1}), "impact_fraction")
    assert both["joint"] == pytest.approx(0.065 / 0.115, abs=1e-12)


def test_smoking_and_low_birth_weight(reference):
    # Authority: birthwt of MASS in R, fraction and sandwich standard error as AF::AFglm gives them.
    fit = fit_attrition(births(reference), outcome="low", adjust=["race", "age"], replicates=2000,
                        causes={"smoking": {"smoke": {1: 0}}})  # fmt: skip
    row = attributable_fractions(fit).iloc[0]
    assert row["estimate"] == pytest.approx(0.2651475, abs=5e-8)
    assert row["std_error"] == pytest.approx(0.0844638, rel=0.10)


TELCO_ADJUST = ["internet", "contract", "tenure", "referrals", "senior", "dependents"]
TELCO_FILES = [f"telco_v11_{part}.csv" for part in ("services", "status", "demographics")]
BOTH = {"service": {"notech": {1: 0}, "nosec": {1: 0}}, "price": {"hiprice": {1: 0}, "extra_data": {1: 0}}}
EACH = {name: {name: {1: 0}} for name in ("notech", "nosec", "hiprice", "extra_data")}


def fit_telco(folder, causes, replicates):
    return fit_attrition(telco(folder), outcome="churn", causes=causes, adjust=TELCO_ADJUST, customer="customer",
                         interactions=None, replicates=replicates)  # fmt: skip


@pytest.mark.real_data(*TELCO_FILES)
def test_telco_coefficients_equal_r(real_data, reference):
    # Authority: R glm, telco_paf_model_coef.csv.
    theirs = pd.read_csv(reference / "telco_paf_model_coef.csv").set_index("term")["beta"]
    ours = fit_telco(real_data, BOTH, 0).coefficients
    names = ours.index.str.removesuffix(" = 1").str.replace(" = ", "").str.replace("constant", "(Intercept)")
    ours.index = names
    np.testing.assert_allclose(ours.reindex(theirs.index), theirs, atol=1e-6)


@pytest.mark.real_data(*TELCO_FILES)
@pytest.mark.parametrize(
    ("causes", "exposures"),
    [(BOTH, {"service": "service_both", "price": "price_both", "joint": "service_and_price"}),
     (EACH, {"notech": "notech", "nosec": "nosec", "hiprice": "hiprice"})],
    ids=["both", "each"],
)  # fmt: skip
def test_telco_fractions_equal_r(real_data, reference, causes, exposures):
    # Authority: telco_paf.csv, R glm and 1,000 bootstrap refits on the rows.
    theirs = pd.read_csv(reference / "telco_paf.csv").set_index("exposure")
    result = attributable_fractions(fit_telco(real_data, causes, 2000))
    ours = result[result["measure"] == "fraction"].set_index("term").loc[list(exposures)]
    theirs = theirs.loc[list(exposures.values())].set_index(ours.index)
    np.testing.assert_allclose(ours["estimate"], theirs["paf"], atol=1e-6)
    np.testing.assert_allclose(ours["std_error"], theirs["boot_se"], rtol=0.10)
    np.testing.assert_allclose(ours["lower"], theirs["boot_lo"], atol=0.02)
    np.testing.assert_allclose(ours["upper"], theirs["boot_hi"], atol=0.02)
    assert (ours["n"] == 5517).all()
    if causes is BOTH:
        average = estimates(result, "average_fraction")
        assert average["service"] == pytest.approx(0.259342, abs=5e-7)
        assert average["price"] == pytest.approx(0.080641, abs=5e-7)
        assert ours.loc["joint", "estimate"] == pytest.approx(0.339983, abs=5e-7)


@pytest.mark.real_data("sfo_2017.csv")
def test_airport_fractions_equal_r(real_data, reference):
    # Authority: sfo2017_paf_detractor.csv, R glm and 1,000 bootstrap refits: detractors behind a poor rating.
    theirs = pd.read_csv(reference / "sfo2017_paf_detractor.csv").set_index("exposure")
    causes = {f"p_{name}": {f"p_{name}": {1: 0}} for name in POOR}
    fit = fit_attrition(passengers(real_data), outcome="detractor", causes=causes, interactions=None, replicates=2000)
    result = attributable_fractions(fit)
    ours = result[result["measure"] == "fraction"].set_index("term").rename(index={"joint": "all"}).loc[theirs.index]
    np.testing.assert_allclose(ours["estimate"], theirs["paf"], atol=1e-6)
    np.testing.assert_allclose(ours["std_error"], theirs["boot_se"], rtol=0.10)
    np.testing.assert_allclose(ours["lower"], theirs["boot_lo"], atol=0.02)
    np.testing.assert_allclose(ours["upper"], theirs["boot_hi"], atol=0.02)


FORMULAS = {
    None: "",
    "causes": " + failed:raised + failed:a_lot",
    "all": " + failed:raised + failed:a_lot + (failed + raised + a_lot):(consumer + other + abroad1 + faults + tenure)",
}


def dummies(data):
    flags = {"failed": data["service"] == "failed", "raised": data["price"] == "raised", "abroad1": data["abroad"],
             "a_lot": data["price"] == "raised a lot", "consumer": data["segment"] == "consumer",
             "other": data["segment"] == "öffentlich"}  # fmt: skip
    return data.assign(**{name: flag * 1.0 for name, flag in flags.items()})


def on_rows(data, interactions, weights=None):
    """statsmodels on the rows: its fit, and the risk of every row with some causes at their reference."""
    base = "C(service, Treatment('good')) + C(price, Treatment('same')) + segment + abroad + faults + tenure"
    design = patsy.dmatrix(base + FORMULAS[interactions], dummies(data))
    w = data[weights] if weights else None
    # statsmodels takes weights as freq_weights: the likelihood, and so the estimate, is the same.
    model = sm.GLM(data["left"] * 1.0, np.asarray(design), family=sm.families.Binomial(), freq_weights=w)
    fitted = model.fit(tol=1e-13, tol_criterion="params", maxiter=100)

    def risk(removed):
        changed = data.assign(**{c: data[c].replace(CAUSES[c][c]) for c in removed})
        return fitted.predict(np.asarray(patsy.build_design_matrices([design.design_info], dummies(changed))[0]))

    return fitted, risk


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("interactions", list(FORMULAS))
def test_the_fit_on_cells_equals_statsmodels_on_rows(interactions, weights):
    data = customers(1500)
    fit = fit_attrition(data, causes=CAUSES, adjust=ADJUST, weights=weights, interactions=interactions, replicates=0)
    fitted, risk = on_rows(data, interactions, weights)
    assert fit.dropped == ()
    np.testing.assert_allclose(np.sort(fit.beta), np.sort(fitted.params), atol=1e-8)
    w = data[weights] if weights else np.ones(len(data))
    expected = {cause: 1 - (w * risk([cause])).sum() / (w * data["left"]).sum() for cause in CAUSES}
    expected["joint"] = 1 - (w * risk(list(CAUSES))).sum() / (w * data["left"]).sum()
    ours = estimates(attributable_fractions(fit), "fraction")
    assert ours.to_dict() == pytest.approx(expected, abs=1e-8)
    assert fit.n == len(data)


@pytest.mark.parametrize("adjust", [[], ["segment"], ["tenure"], ["abroad", "faults"]])
def test_any_confounders_equal_statsmodels(adjust):
    data = customers(1200, seed=3)
    fit = fit_attrition(data, causes={"service": CAUSES["service"]}, adjust=adjust, replicates=0)
    formula = " + ".join(["C(service, Treatment('good'))", *adjust])
    expected = fraction_on_rows(data, "left", formula, {"service": lambda s: s.replace("failed", "good")})
    assert estimates(attributable_fractions(fit), "fraction")["service"] == pytest.approx(expected, abs=1e-10)


def fraction_on_rows(data, outcome, formula, changes):
    design = patsy.dmatrix(formula, data)
    y = data[outcome] * 1.0
    fitted = sm.GLM(y, np.asarray(design), family=sm.families.Binomial()).fit(tol=1e-13, tol_criterion="params")
    changed = data.assign(**{c: to(data[c]) if callable(to) else to for c, to in changes.items()})
    return (
        1 - fitted.predict(np.asarray(patsy.build_design_matrices([design.design_info], changed)[0])).mean() / y.mean()
    )


THREE = CAUSES | {"faults": {"faulty": {"several": "none", "one": "none"}}}


def with_faults(data):
    band = np.select([data["faults"] == 0, data["faults"] == 1], ["none", "one"], "several")
    return data.assign(faulty=band)


def test_average_last_lowest_and_highest_equal_all_orders_one_by_one():
    # Authority: brute force, removing causes one after the other in each of the six orders, on statsmodels' risks.
    data = with_faults(customers(2000, seed=5))
    fit = fit_attrition(data, causes=THREE, adjust=["segment"], interactions=None, replicates=0)
    formula = "C(service, Treatment('good')) + C(price, Treatment('same')) + C(faulty, Treatment('none')) + segment"
    columns = {"service": "service", "price": "price", "faults": "faulty"}
    value = {
        frozenset(s): fraction_on_rows(data, "left", formula, {
            columns[c]: lambda x, m=THREE[c][columns[c]]: x.replace(m) for c in s
        })
        for size in range(4) for s in combinations(THREE, size)
    }  # fmt: skip
    gains = {cause: [] for cause in THREE}
    for order in permutations(THREE):
        for i, cause in enumerate(order):
            gains[cause].append(value[frozenset(order[: i + 1])] - value[frozenset(order[:i])])
    everyone = frozenset(THREE)
    table = attributable_fractions(fit).set_index(["term", "measure"])["estimate"]
    for cause, own in gains.items():
        assert table[cause, "average_fraction"] == pytest.approx(np.mean(own), abs=1e-9)
        assert table[cause, "lowest_order"] == pytest.approx(min(own), abs=1e-9)
        assert table[cause, "highest_order"] == pytest.approx(max(own), abs=1e-9)
        assert table[cause, "last"] == pytest.approx(value[everyone] - value[everyone - {cause}], abs=1e-9)
    assert table["joint", "fraction"] == pytest.approx(value[everyone], abs=1e-9)


@pytest.mark.parametrize("weights", [None, "w"])
def test_replicates_equal_statsmodels_on_resampled_rows(weights):
    data = customers(600, seed=2)
    fit = fit_attrition(data, causes=CAUSES, adjust=["segment", "tenure"], customer="customer_id", weights=weights,
                        interactions=None, replicates=5, seed=8)  # fmt: skip
    # Units are customers in the order of their names.
    rows = data.sort_values("customer_id", ignore_index=True)
    design = np.asarray(
        patsy.dmatrix("segment + tenure + C(service, Treatment('good')) + C(price, Treatment('same'))", rows)
    )
    for times, ours in zip(next(iter(multiplicities(600, 5, 8, 1))), fit.replicates, strict=True):
        w = times * (rows[weights] if weights else 1.0)
        drawn = w > 0
        model = sm.GLM(rows["left"][drawn] * 1.0, design[drawn], family=sm.families.Binomial(), freq_weights=w[drawn])
        theirs = model.fit(tol=1e-13, tol_criterion="params").params
        np.testing.assert_allclose(np.sort(ours), np.sort(theirs), atol=1e-7)


def test_windows_of_one_customer_are_drawn_together():
    # Authority: every row twice as two windows of one customer is the same sample of customers.
    data = customers(800)
    windows = pd.concat([data.assign(window=w) for w in (1, 2)])
    once = fit_attrition(data, causes=CAUSES, customer="customer_id", replicates=50)
    twice = fit_attrition(windows, causes=CAUSES, customer="customer_id", period="window", replicates=50)
    a, b = attributable_fractions(once), attributable_fractions(twice)
    pd.testing.assert_frame_equal(a.drop(columns="n"), b.drop(columns="n"), rtol=1e-8)


def test_replicates_do_not_depend_on_the_size_of_chunks(monkeypatch):
    data = customers(500)
    whole = attributable_fractions(fit_attrition(data, causes=CAUSES, adjust=["segment"], replicates=40))
    monkeypatch.setattr(resample, "CHUNK_ELEMENTS", 1500)
    parts = attributable_fractions(fit_attrition(data, causes=CAUSES, adjust=["segment"], replicates=40))
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-9)


@pytest.mark.parametrize("form", ["polars", "arrow", "duckdb", "parquet", "categorical"])
def test_every_form_of_the_frame_gives_the_same_result(form, tmp_path):
    data = customers(500)
    arrow = pa.Table.from_pandas(data)
    data.to_parquet(tmp_path / "f.parquet")
    forms = {
        "polars": lambda: pl.from_arrow(arrow),
        "arrow": lambda: arrow,
        "duckdb": lambda: duckdb.from_arrow(arrow),
        "parquet": lambda: duckdb.read_parquet(str(tmp_path / "f.parquet")),
        "categorical": lambda: data.astype(dict.fromkeys(["service", "price", "segment"], "category")),
    }
    other = forms[form]()
    settings = {"causes": CAUSES, "adjust": ADJUST, "customer": "customer_id", "weights": "w", "replicates": 30}
    expected = attributable_fractions(fit_attrition(data, **settings))
    pd.testing.assert_frame_equal(attributable_fractions(fit_attrition(other, **settings)), expected, rtol=1e-8)


def test_names_may_hold_dots_quotes_and_markup():
    data = customers(500)
    names = {
        "service": 'ser"vice.band',
        "price": "<b>price</b>; --",
        "segment": "it's",
        "left": "left?",
        "customer_id": "id.",
    }
    odd = {cause: {names[c]: m for c, m in columns.items()} for cause, columns in CAUSES.items()}
    plain = fit_attrition(data, causes=CAUSES, adjust=["segment"], customer="customer_id", replicates=20)
    renamed = fit_attrition(
        data.rename(columns=names), outcome="left?", causes=odd, adjust=["it's"], customer="id.", replicates=20
    )
    pd.testing.assert_frame_equal(attributable_fractions(plain), attributable_fractions(renamed))


@pytest.mark.parametrize("as_written", [{True: False}, {"true": "false"}, {"True": "False"}])
def test_levels_of_a_yes_no_cause_may_be_written_as_text(as_written):
    fit = fit_attrition(customers(400), causes={"abroad": {"abroad": as_written}}, replicates=0)
    expected = fit_attrition(customers(400), causes={"abroad": {"abroad": {True: False}}}, replicates=0)
    assert fit.beta.tolist() == expected.beta.tolist()


def test_levels_of_a_number_cause_are_factors_and_may_be_written_as_text():
    data = customers(800).assign(faults=lambda d: d["faults"].clip(upper=3))
    fit = fit_attrition(data, causes={"faults": {"faults": {"1": "0", "2": "0"}}}, replicates=0)
    spelled = fit_attrition(data.assign(faults=data["faults"].map("f{}".format)), replicates=0,
                            causes={"faults": {"faults": {"f1": "f0", "f2": "f0"}}})  # fmt: skip
    assert estimates(attributable_fractions(fit), "fraction")["faults"] == pytest.approx(
        estimates(attributable_fractions(spelled), "fraction")["faults"], abs=1e-12
    )


def test_buckets_of_a_large_frame_give_the_same_estimates_and_similar_errors(monkeypatch):
    # Authority: the same frame with every customer a bucket. 1,000 buckets know a spread to about 1/sqrt(2000).
    data = customers(6000, seed=9)
    settings = {"causes": CAUSES, "adjust": ["segment", "abroad"], "customer": "customer_id", "replicates": 2000}
    exact = attributable_fractions(fit_attrition(data, **settings))
    monkeypatch.setattr(cells, "EVERY_CUSTOMER", 1000)
    hashed = fit_attrition(data, **settings)
    assert 950 < hashed.cells.n.shape[0] <= cells.BUCKETS == 1000
    result = attributable_fractions(hashed)
    np.testing.assert_allclose(result["estimate"], exact["estimate"], atol=1e-12)
    np.testing.assert_allclose(result["std_error"], exact["std_error"], rtol=0.15)
    np.testing.assert_allclose(result["lower"], exact["lower"], atol=0.02)
    np.testing.assert_allclose(result["upper"], exact["upper"], atol=0.02)


def test_interactions_that_the_data_cannot_carry_are_left_out_and_told():
    data = toy()
    data = data[~((data["service"] == "failed") & (data["price"] == "raised"))]
    fit = fit_attrition(data, causes=TOY_CAUSES, replicates=10)
    assert [len(term) for term in fit.dropped] == [2]
    result = attributable_fractions(fit)
    assert result["method"].str.contains("left out").all()
    main = attributable_fractions(fit_attrition(data, causes=TOY_CAUSES, interactions=None, replicates=10))
    np.testing.assert_allclose(result["estimate"], main["estimate"], atol=1e-12)


def test_the_result_has_the_one_shape():
    fit = fit_attrition(
        customers(600), causes=CAUSES, adjust=["segment"], customer="customer_id", weights="w", replicates=30
    )
    result = attributable_fractions(fit, level=0.9)
    assert list(result.columns) == list(RESULT_COLUMNS)
    assert result["measure"].tolist() == [*MEASURES, *MEASURES, "fraction"]
    assert set(result["unit"]) == {"share"}
    assert set(result["level"]) == {0.9}
    assert (result["lower"] <= result["upper"]).all()
    assert result["method"].str.contains("weighted").all()
    assert result["method"].str.contains("30").all()
    assert result["method"].str.contains("customer").all()


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others():
    run = {
        seed: attributable_fractions(fit_attrition(toy(), causes=TOY_CAUSES, replicates=50, seed=seed))
        for seed in (1, 2)
    }
    again = attributable_fractions(fit_attrition(toy(), causes=TOY_CAUSES, replicates=50, seed=1))
    pd.testing.assert_frame_equal(run[1], again)
    assert (run[1]["estimate"] == run[2]["estimate"]).all()
    assert (run[1]["lower"] != run[2]["lower"]).any()


@st.composite
def small_frames(draw):
    """Random frames of a few dozen to a few hundred customers, some with rare levels and strong effects."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(60, 300))
    data = pd.DataFrame({
        "service": rng.choice(["good", "failed"], rows, p=[0.7, 0.3]),
        "price": rng.choice(["same", "raised", "raised a lot"], rows),
        "segment": rng.choice(list("abc"), rows),
        "x": rng.normal(size=rows).round(1),
    })  # fmt: skip
    effect = draw(st.floats(-2, 2))
    logit = -0.7 + effect * (data["service"] == "failed") - effect * (data["price"] == "raised") + 0.5 * data["x"]
    return data.assign(left=rng.random(rows) < 1 / (1 + np.exp(-logit)))


@settings(max_examples=25)
@given(small_frames(), st.sampled_from([None, "causes", "all"]), st.randoms(use_true_random=False))
def test_identities_of_fractions(data, interactions, random):
    def run(frame, causes):
        fit = fit_attrition(frame, causes=causes, adjust=["segment", "x"], interactions=interactions, replicates=0)
        return attributable_fractions(fit).set_index(["term", "measure"])["estimate"]

    try:
        table = run(data, CAUSES)
    except CxError as refusal:  # fewer than ten leavers, or a level without any: told, not computed
        told = str(refusal)
    else:
        told = ""
    event(told[:40] or "computed")
    assume(not told.startswith("outcome 'left' must have") and "decides the outcome" not in told)
    assert told == ""
    assert table.max() <= 1 + 1e-12
    average = [table[cause, "average_fraction"] for cause in CAUSES]
    assert sum(average) == pytest.approx(table["joint", "fraction"], abs=1e-9)
    for cause, value in zip(CAUSES, average, strict=True):
        low, high = table[cause, "lowest_order"], table[cause, "highest_order"]
        assert low - 1e-12 <= value <= high + 1e-12
        assert low - 1e-12 <= min(table[cause, "fraction"], table[cause, "last"])
    order = list(range(len(data)))
    random.shuffle(order)
    shuffled = run(data.iloc[order], dict(reversed(CAUSES.items())))
    np.testing.assert_allclose(shuffled.reindex(table.index), table, atol=1e-8)
