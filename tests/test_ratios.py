"""Shares and means by customer, beside statsmodels' cluster-robust covariance and sums by hand."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from cxlib import engine
from cxlib.ratios import unit_means, unit_shares


@pytest.fixture(scope="module")
def rows():
    """Customers with one to thirty rows each, alike within a customer."""
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(150), rng.integers(1, 30, 150))
    taste = rng.normal(size=150)[who]
    frame = pd.DataFrame({"who": who.astype(str), "side": np.where(who % 3, "left", "right")})
    frame["place"] = np.where(taste + rng.normal(size=len(who)) > 0.5, "here", "there")
    frame["score"] = np.where(
        rng.random(len(who)) < 0.9, np.clip(np.rint(3 + taste + rng.normal(size=len(who))), 1, 5), np.nan
    )
    return frame


def lazy_of(rows):
    seen = engine.view(rows)
    return seen.frame.select(*(seen[name].alias(name) for name in seen.at))


def clustered(y, who):
    """Authority: statsmodels' OLS on a constant with cluster-robust covariance (m/(m-1), one parameter)."""
    fit = sm.OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": pd.factorize(who)[0]})
    return fit.params.iloc[0], fit.bse.iloc[0]


def test_shares_and_errors_are_statsmodels(rows):
    found = unit_shares(lazy_of(rows), "who", ["place"], 0.95).set_index("place")
    for place in ("here", "there"):
        share, error = clustered((rows["place"] == place).astype(float), rows["who"])
        assert found.loc[place, "estimate"] == pytest.approx(share)
        assert found.loc[place, "std_error"] == pytest.approx(error)
        assert found.loc[place, "n"] == len(rows)
        assert found.loc[place, "lower"] < share < found.loc[place, "upper"]


def test_shares_within_a_whole_are_those_of_the_whole_alone(rows):
    """Identity: the rows of one side taken alone."""
    found = unit_shares(lazy_of(rows), "who", ["place"], 0.9, within=["side"])
    for side, own in rows.groupby("side"):
        alone = unit_shares(lazy_of(own), "who", ["place"], 0.9)
        both = found[found["side"] == side].drop(columns="side").reset_index(drop=True)
        pd.testing.assert_frame_equal(both, alone)
    assert found.groupby("side")["estimate"].sum().tolist() == pytest.approx([1, 1])


def test_means_and_errors_are_statsmodels_and_the_empty_stay_out(rows):
    found = unit_means(lazy_of(rows), "who", ["side"], "score", 0.95).set_index("side")
    for side, own in rows.dropna().groupby("side"):
        mean, error = clustered(own["score"], own["who"])
        assert found.loc[side, ["estimate", "std_error"]].tolist() == pytest.approx([mean, error])
        assert found.loc[side, "n"] == len(own)
        assert found.loc[side, "units"] == own["who"].nunique()


def test_rows_of_nobody_and_levels_without_a_name_count():
    frame = pd.DataFrame({"who": ["1", None, None, "2"], "place": ["a", "a", None, "b"]})
    found = unit_shares(lazy_of(frame), "who", ["place"], 0.95).set_index("place")["estimate"]
    assert found.to_dict() == {"": 0.25, "a": 0.5, "b": 0.25}


def test_a_share_on_which_all_customers_agree_has_an_interval_all_the_same():
    frame = pd.DataFrame({"who": list("aabbcc"), "place": "x"})
    row = unit_shares(lazy_of(frame), "who", ["place"], 0.95).iloc[0]
    assert row["estimate"] == row["upper"] == 1
    assert 0.3 < row["lower"] < 0.6  # Wilson's limit for three of three, one for each customer


def test_one_customer_alone_gives_no_error():
    frame = pd.DataFrame({"who": "a", "place": list("xxy"), "score": [1.0, 2.0, 3.0]})
    assert unit_shares(lazy_of(frame), "who", ["place"], 0.95)["std_error"].isna().all()
    assert unit_means(lazy_of(frame), "who", ["place"], "score", 0.95)["lower"].isna().all()


def test_many_rows_of_one_customer_widen_the_interval(rows):
    """Authority: rows taken for independent give a smaller error where customers are alike."""
    row = unit_shares(lazy_of(rows), "who", ["place"], 0.95).iloc[0]
    plain = np.sqrt(row["estimate"] * (1 - row["estimate"]) / len(rows))
    assert row["std_error"] > 1.3 * plain
