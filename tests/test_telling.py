"""Word of mouth. Authorities: statsmodels (Wilson, cluster-robust errors), bounds by hand, the simulator's truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_confint

import cxlib as cx


@pytest.fixture(scope="module")
def asked():
    rng = np.random.default_rng(3)
    score = rng.integers(0, 11, 900).astype(float)
    told = rng.poisson(np.where(score >= 9, 2.0, 0.7)).astype(float)
    told[rng.random(900) < 0.2] = np.nan
    score[rng.random(900) < 0.1] = np.nan
    return pd.DataFrame({"recommend": score, "told_others": told, "who": rng.integers(0, 300, 900).astype(str)})


def found(table, name, measure):
    [row] = table[table["nps_class"].eq(name) & table["measure"].eq(measure)].itertuples()
    return row


OF_CLASS = {"promoter": (9, 10), "passive": (7, 8), "detractor": (0, 6)}


@pytest.mark.parametrize("name", OF_CLASS)
def test_shares_are_of_those_who_say_with_wilson_limits(asked, name):
    """Authority: statsmodels' Wilson limits, and counts by hand."""
    table = cx.word_of_mouth(asked)
    own = asked[asked["recommend"].between(*OF_CLASS[name])]
    says = own["told_others"].dropna()
    row = found(table, name, "share")
    assert (row.estimate, row.n) == (pytest.approx((says > 0).mean()), len(says))
    assert (row.lower, row.upper) == pytest.approx(proportion_confint((says > 0).sum(), len(says), method="wilson"),
                                                   rel=0.01)  # fmt: skip
    assert found(table, name, "people").estimate == pytest.approx(says.mean())
    none, all_ = (own["told_others"].fillna(value).gt(0).mean() for value in (0, 1))
    assert found(table, name, "blank_is_nobody").estimate == pytest.approx(none)
    assert found(table, name, "at_most").estimate == pytest.approx(all_)


def test_answers_of_one_customer_go_together(asked):
    """Authority: statsmodels' cluster-robust error of a mean."""
    row = found(cx.word_of_mouth(asked, customer="who"), "everyone", "share")
    says = asked.dropna(subset="told_others")
    y = (says["told_others"] > 0).astype(float)
    model = sm.OLS(y, np.ones(len(y))).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(says["who"])[0], "use_correction": False}
    )
    units = says["who"].nunique()
    assert row.std_error == pytest.approx(model.bse.iloc[0] * np.sqrt(units / (units - 1)), rel=1e-6)


def test_where_nobody_told_the_share_is_none():
    row = found(cx.word_of_mouth(pd.DataFrame({"recommend": [9.0] * 20, "told_others": [0] * 20})), "promoter", "share")
    assert row.estimate == 0 and row.lower == 0 and 0.1 < row.upper < 0.2


@pytest.fixture(scope="module")
def simulated():
    tables, truth = cx.simulate(customers=6000, months=24, seed=8)
    return cx.load(tables), truth.journey


@pytest.mark.parametrize("name", OF_CLASS)
def test_the_truth_is_found_where_a_blank_as_nobody_misses_it(simulated, name):
    """Authority: the simulator's share of each class that tells others; one answer in twenty leaves the item out."""
    tables, truth = simulated
    view = cx.follow_answers(tables, which="each")
    table = cx.word_of_mouth(view, customer="customer_id")
    row, naive = (found(table, name, measure) for measure in ("share", "blank_is_nobody"))
    assert row.lower < truth["told_others"][name] < row.upper
    assert naive.estimate < row.estimate - 0.015


def test_referrals_find_the_share_of_newcomers_referred(simulated):
    """Authority: the simulator, whose newcomers all count; those before the first answer had nobody to hear of."""
    tables, truth = simulated
    table = cx.referrals(cx.newcomers(tables))
    row = found(table, "everyone", "share")
    assert row.lower < truth["referrals"]["newcomers_referred"] < row.upper
    shares = table[table["measure"] == "of_referred"]
    assert shares["estimate"].sum() == pytest.approx(1)
    assert found(table, "promoter", "of_referred").estimate > 0.75


def test_referrers_are_those_of_pandas(simulated):
    """Brute force: the last answer before the sign-up, by pandas."""
    tables, _ = simulated
    people, said = tables.customers.to_pandas(), tables.surveys.to_pandas()
    said = said[said["answered_at"].notna() & said["recommend"].notna()]
    came = people[people["referred_by"].notna()][["customer_id", "referred_by", "signup_date"]]
    pairs = came.merge(said[["customer_id", "answered_at", "recommend"]], left_on="referred_by",
                       right_on="customer_id", suffixes=("", "_of"))  # fmt: skip
    pairs = pairs[pairs["answered_at"] < pd.to_datetime(pairs["signup_date"])]
    last = pairs.sort_values("answered_at").drop_duplicates("customer_id", keep="last").set_index("customer_id")
    own = cx.newcomers(tables).to_pandas().set_index("customer_id")
    own = own[own["referred"]]
    assert (own.loc[last.index, "nps_class"].eq("promoter") == last["recommend"].ge(9)).all()
    assert len(own) == len(last)


def test_newcomers_whom_nobody_sent():
    new = pd.DataFrame({"referred": [False] * 30, "referred_by": [None] * 30, "nps_class": ["no answer"] * 30})
    table = cx.referrals(new)
    assert len(table) == 1 and table["estimate"][0] == 0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"told_others": -1.0},
            "column 'told_others' must hold whole numbers of people, 0 or more, but 900 do not; "
            "recode what stands for no answer as empty",
        ),
        ({"told_others": 0.5}, "column 'told_others' must hold whole numbers of people"),
        ({"told_others": np.nan}, "column 'told_others' must be known for somebody, but nobody says"),
        ({"told_others": "yes"}, "column 'told_others' must hold numbers, it is factor; recode it"),
    ],
)
def test_what_is_no_number_of_people_is_refused(asked, change, line):
    with pytest.raises(cx.CxError) as error:
        cx.word_of_mouth(asked.assign(**change))
    assert error.value.faults[0].startswith(line)
