"""Attrition by four definitions: a base worked by hand, the landmark frame, day-by-day brute force, statsmodels."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

import cxlib as cx
from cxlib.churn import attrition_rate
from cxlib.errors import CxError

OPENS = pd.Timestamp("2026-01-01")


def day(n):
    return OPENS + pd.Timedelta(days=n)


# Signup and end in days from the opening of a window of 10 days, and kind. Two come during it.
BASE = [
    (-100, None, None), (-50, 4, "voluntary"), (-50, 10, "involuntary"), (-5, 0, "voluntary"), (-5, 11, "voluntary"),
    (2, None, None), (5, 8, "voluntary"), (12, None, None),
]  # fmt: skip


def people(rows=BASE):
    frame = pd.DataFrame(rows, columns=["start", "end", "end_kind"])
    stamps = {
        "signup_date": [day(n) for n in frame["start"]],
        "end_date": [day(n) if n == n else pd.NaT for n in frame["end"]],
    }
    return frame.assign(**stamps, customer_id=[str(i) for i in range(len(frame))])


def random_base(seed=0, n=600):
    rng = np.random.default_rng(seed)
    start = rng.integers(-300, 120, n)
    end = pd.Series(start + rng.integers(1, 400, n), dtype=float).where(rng.random(n) < 0.8)
    kind = pd.Series(rng.choice(["voluntary", "involuntary"], n, p=[0.8, 0.2])).where(end.notna())
    rows = zip(start, end, kind, strict=True)
    return people(list(rows)).assign(region=rng.choice(["n", "s"], n))


def row(found, term, measure):
    return found.set_index(["term", "measure"]).loc[(term, measure)]


def test_by_hand():
    """There at the start: 4 (who ended on day 0 had gone). Customer-days: 10+4+10+10+8+3 = 45."""
    found = attrition_rate(people(), as_of="2026-01-01", horizon_days=10)
    expected = {
        ("all", "cohort"): 2 / 4, ("all", "period"): 3 / 4.5, ("all", "hazard"): 3 / 1.5,
        # At risk: 5 on day 4 (one newcomer), 5 on day 8 (both), 4 on day 10.
        ("all", "kaplan_meier"): 1 - 4 / 5 * 4 / 5 * 3 / 4,
        ("voluntary", "cohort"): 1 / 4, ("voluntary", "period"): 2 / 4.5, ("voluntary", "hazard"): 2 / 1.5,
        ("voluntary", "cumulative_incidence"): 1 / 5 + 4 / 5 * 1 / 5,
        ("involuntary", "cohort"): 1 / 4, ("involuntary", "period"): 1 / 4.5, ("involuntary", "hazard"): 1 / 1.5,
        ("involuntary", "cumulative_incidence"): 16 / 25 / 4,
    }  # fmt: skip
    assert found.set_index(["term", "measure"])["estimate"].to_dict() == pytest.approx(expected)
    assert row(found, "all", "hazard")["unit"] == "losses per customer in 30 days"


@pytest.mark.parametrize("by", [None, "region"])
def test_cohorts_are_those_of_the_landmark_frame(by):
    base = random_base().drop(columns=["start", "end"])
    frame = cx.landmark(cx.load({"customers": base}), "2026-01-01", 30, 90).to_pandas()
    found = attrition_rate(cx.load({"customers": base}), by, "2026-01-01", 90)
    for value, rows in frame.groupby(by) if by else [(None, frame)]:
        own = found[found[by] == value] if by else found
        for term, flag in (("voluntary", "left"), ("involuntary", "involuntary")):
            cohort = row(own, term, "cohort")
            assert (cohort["estimate"], cohort["n"]) == (pytest.approx(rows[flag].mean()), len(rows))
            limits = proportion_confint(rows[flag].sum(), len(rows), method="wilson")
            assert [cohort["lower"], cohort["upper"]] == pytest.approx(limits)


def test_rates_over_days_counted_one_by_one():
    base, found = random_base(), attrition_rate(random_base(), None, "2026-01-01", 90)
    days, lost = 0, 0
    for t in range(1, 91):
        there = (base["start"] < t) & ~(base["end"] < t)
        days += there.sum()
        lost += (there & (base["end"] == t)).sum()
    assert row(found, "all", "period")["estimate"] == pytest.approx(lost / (days / 90))
    hazard = row(found, "all", "hazard")
    assert hazard["estimate"] == pytest.approx(lost / (days / 30))
    assert [hazard["lower"], hazard["upper"]] == pytest.approx(confint_poisson(lost, days / 30, method="exact-c"))
    assert hazard["n"] == lost


def test_kaplan_meier_is_that_of_statsmodels_on_rows():
    base, found = random_base(), attrition_rate(random_base(), None, "2026-01-01", 90)
    inside = base[(base["start"] < 90) & ~(base["end"] <= 0)]
    time, entry = inside["end"].fillna(999).clip(upper=90), inside["start"].clip(lower=0)
    curve = SurvfuncRight(time, (inside["end"] <= 90).astype(int), entry=entry)
    lost = row(found, "all", "kaplan_meier")
    assert [lost["estimate"], lost["std_error"]] == pytest.approx([1 - curve.surv_prob[-1], curve.surv_prob_se[-1]])
    assert lost["n"] == len(inside)


def test_incidences_of_a_closed_base_are_those_of_statsmodels():
    base = random_base().query("start < 0")
    inside = base[~(base["end"] <= 0)]
    found = attrition_rate(base, as_of="2026-01-01", horizon_days=90)
    gone = inside["end"] <= 90
    status = np.where(gone, inside["end_kind"].map({"voluntary": 1, "involuntary": 2}), 0).astype(int)
    expected = CumIncidenceRight(inside["end"].fillna(999).clip(upper=90).to_numpy(), status)
    for k, term in enumerate(("voluntary", "involuntary")):
        incidence = row(found, term, "cumulative_incidence")
        assert [incidence["estimate"], incidence["std_error"]] == pytest.approx(
            [expected.cinc[k][-1], expected.cinc_se[k][-1]]
        )
        # Nobody enters late and nobody is censored before the horizon: all definitions of a share agree.
        assert incidence["estimate"] == pytest.approx(row(found, term, "cohort")["estimate"])


def test_the_ways_of_leaving_add_up():
    found = attrition_rate(random_base(), "region", "2026-01-01", 90)
    for _, own in found.groupby("region"):
        for measure, whole in (("cohort", "cohort"), ("hazard", "hazard"), ("cumulative_incidence", "kaplan_meier")):
            parts = sum(row(own, term, measure)["estimate"] for term in ("voluntary", "involuntary"))
            assert parts == pytest.approx(row(own, "all", whole)["estimate"])


def test_definitions_differ_where_the_base_grows():
    """Known truth: a constant hazard of .01 a day for newcomers and none for others; the cohort cannot see it."""
    rng = np.random.default_rng(1)
    old = [(-400, None, None)] * 500
    start = rng.integers(0, 90, 2000)
    new = [(s, s + np.ceil(rng.exponential(100)), "voluntary") for s in start]
    found = attrition_rate(people(old + new), as_of="2026-01-01", horizon_days=90)
    assert row(found, "all", "cohort")["estimate"] == 0
    assert row(found, "all", "cohort")["upper"] > 0
    assert row(found, "all", "hazard")["estimate"] > 0.1


def test_latest_is_the_last_day_minus_the_horizon():
    base = people()
    found, asked = attrition_rate(base, horizon_days=10), attrition_rate(base, as_of="2026-01-03", horizon_days=10)
    assert found.equals(asked)


@pytest.mark.parametrize(
    ("frame", "options", "fault"),
    [
        (people([(5, 3, "voluntary"), (-9, None, None)]), {"as_of": "2025-12-25", "horizon_days": 5},
         "customers: end_date must not lie before signup_date, but for 1 customers it does; correct them or leave them "
         "out"),
        (people(), {"as_of": "2026-01-09", "horizon_days": 10},
         "as_of + horizon must not lie beyond the last day of the data, 2026-01-13; 2026-01-09 + 10 days does; choose "
         "as_of up to 2026-01-03"),
        (people(), {"horizon_days": 1.5}, "horizon_days must be a whole number of days from 1 to 3650, not '1.5'"),
        (people(), {"as_of": "2020-01-01", "horizon_days": 9},
         "customers: somebody must be there in the 9 days from 2020-01-01; nobody is"),
        (people().assign(end_date="soon"), {},
         "column 'end_date' must hold stamps, it holds texts, such as 'soon'; read it with pandas.to_datetime, or load "
         "the file with cx.load or a study"),
        (people().drop(columns="end_date"), {},
         "customers: no column 'end_date'; did you mean 'signup_date'? There are: 'start', 'end', 'end_kind', "
         "'signup_date', 'customer_id'"),
    ],
)  # fmt: skip
def test_wrong_bases_are_refused(frame, options, fault):
    with pytest.raises(CxError) as refused:
        attrition_rate(frame, **options)
    assert list(refused.value.faults) == [fault]


@pytest.mark.parametrize("by", [None, "region"])
def test_a_flag_without_dates_gives_the_share_and_nothing_else(by):
    """Authority: pandas, and the cohort share of the same customers with dates."""
    frame = pd.DataFrame({"left": [True, False, False, False] * 10, "region": ["n", "s"] * 20})
    found = attrition_rate(frame, by, outcome="left")
    assert set(found["measure"]) == {"cohort"}
    expected = frame.groupby("region")["left"].mean().tolist() if by else [0.25]
    assert found["estimate"].tolist() == expected
    assert (found["lower"] <= found["estimate"]).all()
    with pytest.raises(CxError, match="must be true/false or 0/1"):
        attrition_rate(frame.assign(left="yes"), outcome="left")
