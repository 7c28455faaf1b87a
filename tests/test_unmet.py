"""Touchpoints not met: known truth of simulated customers, and what dropping their rows says instead."""

import itertools
from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError
from cxlib.unmet import not_met_comparison
from tests.test_experience import RATINGS, by_rows, gapped

DRIVERS = ["product", "app", "billing", "price", "contact_support"]
GROUPS = {"service": ["contact_support"]}
SEEDS = 20


@cache
def survey(customers, seed):
    """Answers of simulated customers, most of whom never met service."""
    tables, _ = cx.simulate(customers=customers, months=24, seed=seed)
    return cx.answers(cx.load(tables)).to_pandas()[["customer_id", "recommend", *DRIVERS]]


def importance(data, **options):
    result = cx.relative_importance(data, drivers=DRIVERS, groups=GROUPS, **options)
    return result.set_index(["term", "measure"]).loc[("service", "share")]


@cache
def answers_of_twenty_surveys():
    """The true share, from 150,000 customers of another seed, and both answers of each small survey."""
    true = importance(survey(150_000, 999), missing="not_met", replicates=2)["estimate"]
    rows = [(importance(data, missing="not_met", customer="customer_id", replicates=300),
             importance(data, missing="drop", customer="customer_id", replicates=300))
            for data in (survey(3_000, seed) for seed in range(SEEDS))]  # fmt: skip
    return true, pd.DataFrame([row for row, _ in rows]), pd.DataFrame([row for _, row in rows])


def test_the_true_service_share_is_inside_the_interval_at_the_nominal_rate():
    """Known truth: of twenty 95 % intervals, four misses have a chance of 1.6 %; three or fewer are wanted."""
    true, everyone, _ = answers_of_twenty_surveys()
    missed = (everyone["lower"] > true) | (everyone["upper"] < true)
    assert missed.sum() <= 3
    assert abs(everyone["estimate"].mean() - true) < 0.02


def test_dropping_those_who_did_not_meet_service_is_visibly_biased():
    """Known truth: the same customers without the incomplete rows; the truth is outside most of the intervals."""
    true, everyone, dropped = answers_of_twenty_surveys()
    assert ((dropped["lower"] > true) | (dropped["upper"] < true)).sum() >= 15
    assert dropped["estimate"].mean() - true > 0.1
    assert (dropped["n"] < everyone["n"] / 5).all()


def test_the_three_answers_stand_side_by_side():
    """Identities: `everyone` and `dropped` are relative_importance with not_met and drop, by the same draws."""
    data = survey(1_500, 0)
    options = {"customer": "customer_id", "replicates": 50}
    result = not_met_comparison(data, "recommend", DRIVERS, GROUPS, ["service", "contact_support"], **options)
    assert list(result["rows"].unique()) == ["everyone", "met it", "dropped"]
    shares = result[result["measure"] == "share"].set_index(["rows", "term"])
    columns = ["estimate", "lower", "upper", "n"]
    for rows, missing in (("everyone", "not_met"), ("dropped", "drop")):
        other = importance(data, missing=missing, **options)
        assert shares.loc[(rows, "service"), columns].tolist() == pytest.approx(other[columns].tolist())
    assert shares.loc[("met it", "service"), "n"] == data["contact_support"].notna().sum()
    assert shares.loc[("met it", "service/contact_support"), "n"] == data["contact_support"].notna().sum()
    assert shares.loc[("met it", "service"), "estimate"] > shares.loc[("everyone", "service"), "estimate"]


@pytest.mark.parametrize("weights", [None, "w"])
def test_coefficients_equal_statsmodels_on_the_same_rows(weights):
    """Authority: WLS on everyone (met and the rating within met), on those who met it, on complete rows."""
    data = gapped()
    result = not_met_comparison(data, "recommend", RATINGS, weights=weights, replicates=2)
    found = result[result["measure"] == "coefficient"].set_index(["rows", "term"])["estimate"]

    def coefficient(rows, gaps):
        columns = [rows["a"].fillna(0), rows["b"].fillna(0), rows["c"], *(rows[name].notna() for name in gaps)]
        return by_rows(rows, rows["recommend"], columns, weights)[1]

    assert found["everyone", "a"] == pytest.approx(coefficient(data, ["a", "b"]))
    assert found["met it", "a"] == pytest.approx(coefficient(data.dropna(subset="a"), ["b"]))
    assert found["dropped", "a"] == pytest.approx(coefficient(data.dropna(), []))
    # A rating without gaps is not asked about unless it is named.
    assert set(result["term"]) == {"a", "b"}


def test_where_nobody_met_everything_the_reason_stands_in_place_of_the_number():
    data = gapped()
    data["b"] = data["b"].where(data["a"].isna())
    result = not_met_comparison(data, "recommend", RATINGS, replicates=2)
    dropped = result[result["rows"] == "dropped"]
    assert dropped["estimate"].isna().all() and (dropped["n"] == 0).all()
    assert set(dropped["note"]) == {"no row has a value of 'recommend' and of every driver"}


def test_a_group_is_met_by_those_who_met_any_of_it():
    data = gapped()
    result = not_met_comparison(data, "recommend", RATINGS, {"g": ["a", "b"]}, ["g"], replicates=2)
    met = result[result["rows"] == "met it"].iloc[0]
    assert met["n"] == data[["a", "b"]].notna().any(axis=1).sum()


def test_of_groups_alone_the_members_have_coefficients():
    """Identities: the shares and coefficients are those told where every driver is named."""
    data, groups = gapped(), {"g": ["a", "b"]}
    options = {"customer": None, "replicates": 20}
    whole = not_met_comparison(data, "recommend", RATINGS, groups, ["g"], **options)
    every = not_met_comparison(data, "recommend", RATINGS, groups, ["g", "a", "b"], **options)
    for result, rows in itertools.product((whole, every), ("everyone", "dropped")):
        assert set(result.loc[result["rows"].eq(rows) & result["measure"].eq("coefficient"), "term"]) == {"g/a", "g/b"}
    keys = ["rows", "term", "measure"]
    both = whole.merge(every, on=keys, suffixes=("", " again")).query("rows != 'met it'")
    assert len(both) == 6
    for column in ("estimate", "lower", "upper"):
        np.testing.assert_allclose(both[column], both[f"{column} again"], rtol=1e-9)


def test_members_bear_the_names_of_relative_importance():
    """A group named like a driver is not mixed up with it."""
    data = gapped()
    result = not_met_comparison(data, "recommend", RATINGS, {"b": ["a", "b"]}, replicates=2)
    assert list(result.loc[result["rows"] == "everyone", "term"].unique()) == ["b", "b/a", "b/b"]
    asked = not_met_comparison(data, "recommend", RATINGS, {"b": ["a", "b"]}, ["b", "a"], replicates=2)
    assert list(asked.loc[asked["rows"] == "everyone", "term"].unique()) == ["b", "b/a"]


@pytest.mark.parametrize(("change", "line"), [
    ({"touchpoints": ["d"]}, "touchpoints: no driver or group 'd'; There are: "),
    ({"drivers": ["c"]}, "some driver must have gaps (a touchpoint not met), but all have a value in every row"),
    ({"weights": "v"}, "weights 'v' must be finite and 0 or more in every row, but 0 are not and 600 are empty"),
])  # fmt: skip
def test_wrong_data_get_one_clear_line(change, line):
    with pytest.raises(CxError) as raised:
        not_met_comparison(gapped().assign(v=np.nan), **{"outcome": "recommend", "drivers": RATINGS} | change)
    assert str(raised.value).startswith(line) and "\n" not in str(raised.value)
