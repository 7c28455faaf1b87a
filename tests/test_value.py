"""What an improvement is worth. Authorities: the annuity formula, a month-by-month ledger, the simulator's truth."""

import numpy as np
import pytest

import cxlib as cx
from cxlib.value import MONTH_DAYS, Terms, worth
from tests.frames import TOY_CAUSES, toy


@pytest.fixture(scope="module")
def fit():
    return cx.fit_attrition(toy(), causes=TOY_CAUSES, customer="customer_id", replicates=200)


def found(*args, **kwargs):
    return cx.return_on_investment(*args, **kwargs).set_index("measure")


def annuity(payment, ratio, months):
    """Present value of `payment` * ratio, * ratio², ... : the geometric sum in closed form."""
    return payment * ratio * (1 - ratio**months) / (1 - ratio)


@pytest.mark.parametrize("months", [1, 12, 36])
@pytest.mark.parametrize("discount", [0.03, 0.15])
@pytest.mark.parametrize("avoided", [0.0, 0.3, 1.0])
def test_the_gain_is_the_difference_of_two_annuities(months, discount, avoided):
    """Identity: customers who leave at a constant rate are a payment that shrinks at one; so are both worlds."""
    terms = Terms(1000, 12.0, months, 90, discount, 500.0, 30.0)
    rate, v = 0.11, (1 + discount) ** (-1 / 12)
    value = worth(np.array([rate]), np.array([avoided]), terms)
    month = MONTH_DAYS / 90
    now, then = ((1 - r) ** month * v for r in (rate, rate * (1 - avoided)))
    gain = annuity(12_000.0, then, months) - annuity(12_000.0, now, months)
    assert value["gain"][0] == pytest.approx(gain, rel=1e-10, abs=1e-9)
    cost = 500 + annuity(30.0, v, months)
    assert value["cost"][0] == pytest.approx(cost)
    assert value["net"][0] == pytest.approx(gain - cost)
    # Break-even by its meaning: with that one-off cost nothing is gained.
    even = Terms(1000, 12.0, months, 90, discount, float(value["break_even"][0]), 30.0)
    assert worth(np.array([rate]), np.array([avoided]), even)["net"][0] == pytest.approx(0, abs=1e-8)


def test_a_ledger_kept_by_hand_month_after_month(fit):
    """Brute force: the exact toy (attrition .115, service fraction .43478), half of the failures gone."""
    table = found(fit, {"service": 0.5}, margin=20, period_days=90, months=18, discount=0.1, cost_once=600,
                  cost_monthly=50)  # fmt: skip
    now = then = 1000.0
    gain = cost = 0.0
    cost, payback = 600.0, None
    for month in range(1, 19):
        now *= (1 - 0.115) ** (MONTH_DAYS / 90)
        then *= (1 - 0.115 * (1 - 0.5 * 0.43478260869)) ** (MONTH_DAYS / 90)
        gain += 20 * (then - now) / 1.1 ** (month / 12)
        cost += 50 / 1.1 ** (month / 12)
        payback = payback or (month if gain >= cost else None)
    assert table.loc["avoided", "estimate"] == pytest.approx(0.5 * 0.43478260869)
    assert table.loc["kept", "estimate"] == pytest.approx(then - now)
    assert table.loc["gain", "estimate"] == pytest.approx(gain)
    assert table.loc["cost", "estimate"] == pytest.approx(cost)
    assert table.loc["return", "estimate"] == pytest.approx((gain - cost) / cost)
    assert table.loc["payback", "estimate"] == payback
    inner = table.drop(index="cost")
    assert (inner["lower"] <= inner["estimate"]).all() and (inner["estimate"] <= inner["upper"]).all()


def test_the_share_avoided_is_that_of_the_what_if(fit):
    """Identity, limits included: the same resamples as `what_if`."""
    both = {"service": 0.5, "price": 0.25}
    joint = cx.what_if(fit, both).set_index("term").loc["joint"]
    own = found(fit, both, margin=1, period_days=90).loc["avoided"]
    assert tuple(own[["estimate", "lower", "upper"]]) == pytest.approx(tuple(joint[["estimate", "lower", "upper"]]))


def test_the_naive_credit_is_every_departure_after_a_failure(fit):
    """Exact toy: 70 of 115 leavers had a failed contact; not all of them would have stayed."""
    naive = found(fit, {"service": 1.0}, margin=10, period_days=90, credit="exposed")
    told = found(fit, {"service": 1.0}, margin=10, period_days=90)
    assert naive.loc["avoided", "estimate"] == pytest.approx(70 / 115)
    assert told.loc["avoided", "estimate"] == pytest.approx(50 / 115)
    assert naive.loc["gain", "estimate"] > 1.3 * told.loc["gain", "estimate"]


def test_what_never_pays_back_says_so(fit):
    table = found(fit, {"service": 0.1}, margin=1, period_days=90, cost_once=1e9)
    row = table.loc["payback"]
    assert np.isnan(row["estimate"]) and row["note"] == "not paid back within the horizon"
    assert table.loc["net", "upper"] < 0
    free = found(fit, {"service": 0.1}, margin=1, period_days=90)
    assert np.isnan(free.loc["return", "estimate"])


def test_twice_the_customers_or_margin_is_twice_the_gain(fit):
    one, two, three = (
        found(fit, {"service": 0.5}, margin=m, customers=n, period_days=90, currency="EUR")
        for m, n in ((10, 1000), (20, 1000), (10, 2000))
    )
    for other in (two, three):
        for end in ("estimate", "lower", "upper"):
            assert other.loc["gain", end] == pytest.approx(2 * one.loc["gain", end])
    assert set(one["unit"]) == {"share", "customers", "EUR", "months"}


def test_the_interval_holds_the_truth_of_the_simulator_where_the_naive_one_does_not():
    """Authority: the simulator's counterfactual risks; removing a share s of one cause avoids s of its fraction."""
    tables, truth = cx.simulate(customers=6000, months=18, seed=21)
    frame = cx.landmark(cx.load(tables), "latest", 180, 90)
    service = {"service": {"service_band": {"failed": "good"}}}
    price = {"price": {"price_band": {"raised": "same", "raised a lot": "same"}}}
    fit = cx.fit_attrition(frame, causes=service | price, customer="customer_id",
                           adjust=["fault_band", "gap_band", "tenure_band", "segment", "plan"])  # fmt: skip
    asked = {"margin": 10.0, "period_days": 90, "months": 24, "discount": 0.08}
    true = worth(np.array([truth.expected_attrition]), np.array([0.5 * truth.fraction["service"]]),
                 Terms(truth.at_risk, 10.0, 24, 90, 0.08, 0.0, 0.0))["gain"][0]  # fmt: skip
    own = found(fit, {"service": 0.5}, **asked).loc["gain"]
    naive = found(fit, {"service": 0.5}, **asked, credit="exposed").loc["gain"]
    assert own["lower"] < true < own["upper"]
    assert naive["lower"] > true


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"reductions": {"servise": 0.5}}, "no cause 'servise'; did you mean 'service'?"),
        ({"reductions": {"service": 50}}, "reduction of 'service' must be a share from 0 to 1, not 50"),
        ({"reductions": {}}, "reductions must name at least one cause"),
        ({"months": 0}, "months must be a whole number from 1 to 600, not 0"),
        ({"months": 2.5}, "months must be a whole number from 1 to 600, not 2.5"),
        ({"discount": -0.1}, "discount must be a number from 0 to 10, not -0.1"),
        ({"margin": "ten"}, "margin must be a number from 0 to 1e+12, not ten"),
        ({"period_days": 0}, "period_days must be a number from 1 to 36500, not 0"),
        ({"credit": "all"}, "no credit 'all';"),
    ],
)
def test_what_is_no_amount_is_refused_by_name(fit, change, line):
    with pytest.raises(cx.CxError) as error:
        cx.return_on_investment(fit, **{"reductions": {"service": 0.5}, "margin": 1, "period_days": 90} | change)
    assert error.value.faults[0].startswith(line)


def test_nothing_removed_gains_nothing(fit):
    table = found(fit, {"price": 0.0}, margin=5, period_days=90)
    assert table.loc[["avoided", "kept", "gain"], ["estimate", "lower", "upper"]].to_numpy() == pytest.approx(0)


def test_all_faults_are_told_at_once(fit):
    with pytest.raises(cx.CxError) as error:
        cx.return_on_investment(fit, {"x": 2}, margin=-1, period_days=90, months=0)
    assert len(error.value.faults) == 4
