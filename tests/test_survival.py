"""Survival curves: R's survfit and survdiff on IBM Telco, sums by hand on random customers, and bad input."""

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import CxError
from cxlib.schema import RESULT_COLUMNS, TOO_FEW
from cxlib.survival import TRANSFORMS, cumulative_incidence, kaplan_meier, log_rank, survival_quantiles
from tests.followed import TELCO, followed, telco

T = {"time": "months", "event": "left"}
TENURE = {"time": "tenure", "event": "churn"}
CURVES = (kaplan_meier, survival_quantiles)


def of_strata(values, name, level):
    return values[values["strata"] == (f"{name}={level}" if name else "all")]


def limits_match(found, low, high):
    """R gives no interval where nobody has left either (log-log), or one without width (plain): none is told here."""
    flat = low.isna() | (low == high)
    assert found.loc[flat.to_numpy(), ["lower", "upper"]].isna().all(axis=None)
    for ours, theirs in ((found["lower"], low), (found["upper"], high)):
        np.testing.assert_allclose(ours[~flat.to_numpy()], theirs[~flat], rtol=0, atol=1e-12)


@pytest.mark.real_data(*TELCO)
@pytest.mark.parametrize(
    ("interval", "by"),
    [*((interval, None) for interval in TRANSFORMS), ("log-log", "contract"), ("log-log", "techsup")],
)
def test_curves_equal_survfit(real_data, reference, interval, by):
    values = pd.read_csv(reference / "telco_km.csv")
    values = values[(values["ci"] == interval) & values["strata"].str.startswith(by or "all")]
    data = telco(real_data)
    data = data[data["internet"] != "0 none"] if by == "techsup" else data
    data = data.assign(contract=data["contract"].replace("0 monthly", "Month-to-Month"))
    found = kaplan_meier(data, **TENURE, by=by, times=[1, 6, 12, 24, 36, 48, 60, 72], interval=interval)
    strata = f"{by}=" + found[by].astype(str) if by else pd.Series("all", index=found.index)
    both = found.assign(strata=strata).merge(values, on=["strata", "time"], suffixes=("", "_r"))
    assert len(both) == len(found) == len(values)
    np.testing.assert_allclose(both["estimate"], both["surv"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(both["std_error"], both["se"], rtol=0, atol=1e-12)
    assert both["n"].tolist() == both["n_risk"].tolist()
    limits_match(both, both["lo"], both["hi"])


@pytest.mark.real_data(*TELCO)
@pytest.mark.parametrize("by", [None, "contract"])
def test_quantiles_equal_survfit(real_data, reference, by):
    values = pd.read_csv(reference / "telco_km_quantiles.csv")
    found = survival_quantiles(telco(real_data), **TENURE, by=by)
    strata = (
        "contract=" + found[by].replace("0 monthly", "Month-to-Month") if by else pd.Series("all", index=found.index)
    )
    both = found.assign(strata=strata).merge(values, left_on=["strata", "share"], right_on=["strata", "p"])
    assert len(both) == len(found)
    np.testing.assert_array_equal(both[["estimate", "lower", "upper"]], both[["q", "lo", "hi"]])
    assert (both["note"] == "not reached within the data").equals(both["q"].isna())


@pytest.mark.real_data(*TELCO)
@pytest.mark.parametrize(
    ("test", "by", "rho", "name"),
    [("logrank contract", "contract", 0, "log-rank test on 2 degrees of freedom"),
     ("logrank techsup (internet only)", "techsup", 0, "log-rank test on 1 degrees of freedom"),
     ("Peto-Peto rho=1 contract", "contract", 1, "Fleming-Harrington test, rho 1, on 2 degrees of freedom")],
)  # fmt: skip
def test_group_tests_equal_survdiff(real_data, reference, test, by, rho, name):
    chisq = pd.read_csv(reference / "telco_logrank.csv").set_index("test").loc[test, "chisq"]
    data = telco(real_data)
    found = log_rank(data[data["internet"] != "0 none"] if by == "techsup" else data, **TENURE, by=by, rho=rho)
    assert found["measure"].tolist() == ["chi_square", "p_value"]
    assert found["estimate"][0] == pytest.approx(chisq, rel=1e-12)
    assert found["method"][0] == name


@pytest.mark.real_data(*TELCO)
def test_cumulative_incidence_equals_survfit(real_data, reference):
    values = pd.read_csv(reference / "telco_cif_aalen_johansen.csv").rename(columns={"state": "term"})
    found = cumulative_incidence(
        telco(real_data), "tenure", "category", times=[6, 12, 24, 36, 48, 60, 72], interval="log"
    )
    both = found.merge(values, on=["term", "time"])
    assert len(both) == len(found) == 35
    for ours, theirs in (("estimate", "pstate"), ("std_error", "se"), ("lower", "lo"), ("upper", "hi")):
        np.testing.assert_allclose(both[ours], both[theirs], rtol=0, atol=1e-12)


def product_limit(data, t, entry=None):
    """The definition, one time after the other."""
    share = 1.0
    for time in sorted(set(data["months"])):
        if time <= t:
            there = (data["months"] >= time) & ((data[entry] < time) if entry else True)
            share *= 1 - ((data["months"] == time) & data["left"]).sum() / there.sum()
    return share


@pytest.mark.parametrize("entry", [None, "seen_from"])
@pytest.mark.parametrize("by", [None, "region"])
def test_curves_equal_the_definition_with_ties_groups_and_late_entry(by, entry):
    data = followed()
    found = kaplan_meier(data, **T, by=by, entry=entry)
    for row in found.to_dict("records"):
        group = data[data["region"] == row["region"]] if by else data
        assert row["estimate"] == pytest.approx(product_limit(group, row["time"], entry), abs=1e-12)
        there = (group["months"] >= row["time"]) & (group[entry] < row["time"] if entry else True)
        assert row["n"] == there.sum()


@pytest.mark.parametrize("by", [None, "region"])
def test_incidences_and_survival_add_up_to_one(by):
    data, times = followed(), [1, 5, 10, 15]
    ways = cumulative_incidence(data, "months", "how", by=by, times=times)
    keys = [*([by] if by else []), "time"]
    there = kaplan_meier(data, **T, by=by, times=times).set_index(keys)["estimate"]
    np.testing.assert_allclose(ways.groupby(keys)["estimate"].sum() + there, 1, atol=1e-12)


def test_one_cause_is_one_minus_kaplan_meier_and_competition_makes_it_less():
    data = followed()
    alone = kaplan_meier(data.assign(left=data["how"] == "price"), **T, times=[15])["estimate"][0]
    ways = cumulative_incidence(data, "months", "how", times=[15]).set_index("term")["estimate"]
    assert ways["price"] < 1 - alone - 0.01
    one = cumulative_incidence(
        data.assign(how=data["how"].where(data["how"].isna(), "any")), "months", "how", times=[15]
    )
    assert one["estimate"][0] == pytest.approx(1 - kaplan_meier(data, **T, times=[15])["estimate"][0], abs=1e-12)


def test_a_cause_that_a_group_does_not_have_is_too_few_there():
    data = followed(600)
    data.loc[(data["region"] == "north") & (data["how"] == "service"), ["how", "left"]] = [None, False]
    found = cumulative_incidence(data, "months", "how", by="region", times=[10]).set_index(["region", "term"])
    assert found.loc[("north", "service"), "note"] == TOO_FEW and np.isnan(found.loc[("north", "service"), "estimate"])
    assert (found.drop(("north", "service"))["note"] == "").all()


def test_log_rank_equals_the_definition():
    """Observed minus expected events and the hypergeometric variance of two groups, time by time (Mantel 1966)."""
    data, gap, variance = followed(), 0.0, 0.0
    for time in sorted(set(data.loc[data["left"], "months"])):
        there, now = data[data["months"] >= time], data[data["left"] & (data["months"] == time)]
        n, d, share = len(there), len(now), (there["region"] == "south").mean()
        gap += (now["region"] == "south").sum() - d * share
        variance += d * share * (1 - share) * (n - d) / (n - 1) if n > 1 else 0
    assert log_rank(data, **T, by="region")["estimate"][0] == pytest.approx(gap**2 / variance, rel=1e-10)


def test_a_p_value_is_told_beyond_the_digits_of_one_minus():
    data = pd.concat([followed(4000, seed).assign(region=r, months=lambda d, k=k: np.ceil(d["months"] / k))
                      for seed, r, k in ((1, "north", 3), (2, "south", 1))])  # fmt: skip
    assert 0 < log_rank(data, **T, by="region")["estimate"][1] < 1e-100


def test_results_have_the_one_shape():
    data = followed()
    assert kaplan_meier(data, **T, by="region").columns.tolist() == ["region", "time", *RESULT_COLUMNS]
    assert survival_quantiles(data, **T).columns.tolist() == ["share", *RESULT_COLUMNS]
    assert log_rank(data, **T, by="region").columns.tolist() == [*RESULT_COLUMNS]
    assert cumulative_incidence(data, "months", "how").columns.tolist() == ["time", *RESULT_COLUMNS]


@pytest.mark.parametrize("level", [0.8, 0.99])
def test_a_higher_level_is_wider(level):
    wide, narrow = (kaplan_meier(followed(), **T, times=[10], level=at) for at in (max(level, 0.95), min(level, 0.95)))
    assert wide["lower"][0] < narrow["lower"][0] < narrow["upper"][0] < wide["upper"][0]


def test_beyond_the_data_nothing_is_told():
    found = kaplan_meier(followed(), **T, times=[0, 10, 500])
    assert found["estimate"][0] == 1 and np.isnan(found["lower"][0])
    assert np.isnan(found["estimate"][2]) and found["n"][2] == 0
    assert found["note"][2] == f"beyond the last time observed, {followed()['months'].max():g}"


def test_a_late_entry_that_empties_the_curve_is_told():
    """One early customer who leaves alone would make the curve 0 for everybody who enters later."""
    data = pd.concat([followed().assign(seen_from=2.0, months=lambda d: d["months"] + 2),
                      pd.DataFrame({"months": [1.0], "left": [True], "seen_from": [0.0]})])  # fmt: skip
    found = kaplan_meier(data, **T, entry="seen_from", times=[1, 10])
    assert found["note"].tolist() == ["all who were at risk at 1 left; begin the count later"] * 2
    assert found["estimate"].isna().all()


FEW = {
    "no events": lambda d: d.assign(left=False),
    "one event": lambda d: d.assign(left=d.index == 5),
    "all churned": lambda d: d.assign(left=True),
    "all churned at once": lambda d: d.assign(left=True, months=3),
    "one row": lambda d: d.head(1),
}


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("spoil", FEW.values(), ids=FEW)
def test_too_few_is_said_and_no_number_told(curve, spoil):
    found = curve(spoil(followed()), **T)
    assert len(found) and (found["note"] == TOO_FEW).all()
    assert found[["estimate", "lower", "upper"]].isna().all(axis=None)


@pytest.mark.parametrize("spoil", list(FEW.values())[:4], ids=list(FEW)[:4])
def test_too_few_for_a_test(spoil):
    found = log_rank(spoil(followed()), **T, by="region")
    assert (found["note"] == TOO_FEW).all() and found["estimate"].isna().all()


def test_a_small_segment_is_too_few_and_the_others_are_told():
    data = followed()
    small = data.assign(region=np.where(data.index < 8, "west", data["region"]))
    found = kaplan_meier(small, **T, by="region", times=[5]).set_index("region")
    assert found.loc["west", "note"] == TOO_FEW and (found.drop("west")["note"] == "").all()


BAD = [
    ({"months": -1}, {}, "time 'months' must be 0 or more and finite, but 1 rows are not; does an end lie before"),
    ({"months": np.inf}, {}, "time 'months' must be 0 or more and finite, but 1 rows are not"),
    ({"months": None}, {}, "time 'months' must be known for every row, but 1 are empty"),
    ({"seen_from": 99}, {"entry": "seen_from"}, "entry 'seen_from' must lie before time 'months' in every row, "
     "but in 1 it is empty or does not; leave out who was not followed at all"),
    ({"region": None}, {"by": "region"}, "column 'region' must have a value in every row, but 1 are empty"),
    ({}, {"time": "month"}, "no column 'month'; did you mean 'months'?"),
    ({}, {"event": "region"}, "event 'region' must be true/false or 0/1, it is factor"),
    ({}, {"event": "age"}, "event 'age' must be true/false or 0/1 in every row, but 300 rows hold another value"),
    ({}, {"time": "region"}, "column 'region' must be a number of days or months, it is factor"),
    ({}, {"interval": "loglog"}, "no interval 'loglog'; did you mean 'log-log'?"),
    ({}, {"level": 95}, "level must lie between 0 and 1"),
]  # fmt: skip


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(("spoil", "arguments", "told"), BAD)
def test_faults_are_told_in_a_line(curve, spoil, arguments, told):
    data = followed()
    for name, value in spoil.items():
        data[name] = data[name].astype(object if name == "region" else float)
        data.loc[3, name] = value
    with pytest.raises(CxError) as error:
        curve(data, **(T | arguments))
    assert told in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("times", [[], [-1], ["ten"], [np.nan], [True]])
def test_times_must_be_numbers(times):
    with pytest.raises(CxError, match="times must be numbers from 0"):
        kaplan_meier(followed(), **T, times=times)


@pytest.mark.parametrize("shares", [[], [0], [1.0], ["half"], [50]])
def test_shares_must_lie_between_0_and_1(shares):
    with pytest.raises(CxError, match="shares must lie between 0 and 1"):
        survival_quantiles(followed(), **T, shares=shares)


def test_two_groups_or_a_line():
    with pytest.raises(CxError, match="column 'region' must have two levels or more to compare, not only 'north'"):
        log_rank(followed().assign(region="north"), **T, by="region")
    told = r"^rho must be a number such as 0 \(log-rank\) or 1 \(Peto and Peto\), not 'high'$"
    with pytest.raises(CxError, match=told):
        log_rank(followed(), **T, by="region", rho="high")


def test_nobody_has_a_named_end():
    with pytest.raises(CxError, match="column 'how' must name how customers left, but names nobody's end"):
        cumulative_incidence(followed().assign(how=" "), "months", "how")
