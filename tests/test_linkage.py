"""Retention by NPS class. Authorities: statsmodels on the rows, Wilson and Newcombe, brute-force resampling."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

import cxlib as cx
from cxlib.censored import survival_curve
from cxlib.linkage import APART, _resampled

OF_CLASS = {"promoter": (9, 10), "passive": (7, 8), "detractor": (0, 6)}


@pytest.fixture(scope="module")
def followed():
    rng = np.random.default_rng(5)
    n = 1500
    score = rng.integers(0, 11, n).astype(float)
    score[rng.random(n) < 0.3] = np.nan
    own = rng.exponential(400 + 40 * np.nan_to_num(score, nan=3.0))
    way, end = rng.exponential(3000, n), rng.uniform(30, 700, n)
    first = np.ceil(np.minimum(np.minimum(own, way), end))
    return pd.DataFrame({
        "recommend": score, "days": first, "left": (own <= way) & (own <= end), "lost": (way < own) & (way <= end),
        "customer_id": [f"C{i}" for i in range(n)],
    })  # fmt: skip


def rows_of(frame, name):
    if name == "no answer":
        return frame[frame["recommend"].isna()]
    return frame[frame["recommend"].between(*OF_CLASS[name])]


def cell(table, name, time, measure):
    [row] = table[table["nps_class"].eq(name) & table["time"].eq(time) & table["measure"].eq(measure)].itertuples()
    return row


@pytest.mark.parametrize("name", [*OF_CLASS, "no answer"])
@pytest.mark.parametrize("time", [90, 180, 365])
def test_equals_statsmodels_on_the_rows(followed, name, time):
    found = cx.retention_by_nps(followed, time="days", lost="lost")
    own = rows_of(followed, name)
    curve = SurvfuncRight(own["days"], own["left"])
    at = np.searchsorted(curve.surv_times, time, side="right") - 1
    row = cell(found, name, time, "retention")
    assert row.estimate == pytest.approx(curve.surv_prob[at], abs=1e-12)
    assert row.std_error == pytest.approx(curve.surv_prob_se[at], abs=1e-12)
    assert row.lower < row.estimate < row.upper and row.n == len(own)
    status = np.where(own["left"], 1, np.where(own["lost"], 2, 0))
    ways = CumIncidenceRight(own["days"].to_numpy(), status)
    at = np.searchsorted(ways.times, time, side="right") - 1
    for measure, share, error in zip(("left", "lost"), ways.cinc, ways.cinc_se, strict=True):
        row = cell(found, name, time, measure)
        assert row.estimate == pytest.approx(share[at], abs=1e-12)
        assert row.std_error == pytest.approx(error[at], rel=1e-6)


def test_limits_are_those_of_kaplan_meier(followed):
    """Identity: the kit's own curve by class, which is checked against R."""
    found = cx.retention_by_nps(followed, time="days", times=(180,))
    classed = followed.assign(nps_class=np.where(followed["recommend"] >= 9, "promoter", "other"))
    curve = cx.kaplan_meier(classed, "days", "left", "nps_class", [180])
    row, [other] = cell(found, "promoter", 180, "retention"), curve[curve["nps_class"] == "promoter"].itertuples()
    assert (row.lower, row.upper) == pytest.approx((other.lower, other.upper), abs=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_resample_is_the_curve_of_the_customers_drawn(followed, seed):
    """Authority: statsmodels on the rows written out as often as they were drawn."""
    times = np.random.default_rng(seed).multinomial(len(followed), np.full(len(followed), 1 / len(followed)))
    time, left, lost = (followed[name].to_numpy(float) for name in ("days", "left", "lost"))
    stay, own, other = _resampled(times[None].astype(float), time, left, lost, 200)
    drawn = followed.loc[np.repeat(followed.index, times)]
    curve = SurvfuncRight(drawn["days"], drawn["left"])
    assert stay[0] == pytest.approx(curve.surv_prob[np.searchsorted(curve.surv_times, 200, side="right") - 1])
    ways = CumIncidenceRight(drawn["days"].to_numpy(), np.where(drawn["left"], 1, np.where(drawn["lost"], 2, 0)))
    at = np.searchsorted(ways.times, 200, side="right") - 1
    assert (own[0], other[0]) == pytest.approx((ways.cinc[0][at], ways.cinc[1][at]))


def test_several_answers_of_one_customer_are_no_more_customers(followed):
    """Identity: every row four times is no more information, and only resampling by customer knows it."""
    again = pd.concat([followed] * 4, ignore_index=True)
    once = cell(cx.retention_by_nps(followed, time="days"), "passive", 180, "retention")
    rows = cell(cx.retention_by_nps(again, time="days"), "passive", 180, "retention")
    people = cell(cx.retention_by_nps(again, time="days", customer="customer_id"), "passive", 180, "retention")
    assert rows.std_error == pytest.approx(once.std_error / 2, rel=0.01)
    assert people.std_error == pytest.approx(once.std_error, rel=0.1)
    assert people.estimate == pytest.approx(once.estimate)


def test_nothing_is_told_beyond_the_data(followed):
    row = cell(cx.retention_by_nps(followed, time="days", lost="lost", times=(2000,)), "promoter", 2000, "retention")
    assert np.isnan(row.estimate) and row.note == "beyond what was observed"


def test_a_frame_without_days_gets_plain_shares(followed):
    """Authority: statsmodels' Wilson and Newcombe limits."""
    found = cx.retention_by_nps(followed).set_index("nps_class")
    counts = {}
    for name in (*OF_CLASS, "no answer"):
        own = rows_of(followed, name)
        counts[name] = (len(own) - own["left"].sum(), len(own))
        assert found.loc[name, "estimate"] == pytest.approx(counts[name][0] / counts[name][1])
        limits = proportion_confint(*counts[name], method="wilson")
        assert tuple(found.loc[name, ["lower", "upper"]]) == pytest.approx(limits)
    low, high = confint_proportions_2indep(*counts["promoter"], *counts["detractor"], method="newcomb")
    assert tuple(found.loc[APART, ["lower", "upper"]]) == pytest.approx((low, high))


def test_a_class_nobody_is_in_is_not_told(followed):
    found = cx.retention_by_nps(followed[followed["recommend"] >= 9], time="days")
    assert set(found["nps_class"]) == {"promoter"}


@pytest.mark.parametrize(
    ("change", "options", "line"),
    [
        (
            {"recommend": 11.0},
            {},
            "score 'recommend' must lie from 0 to 10, but 1,500 do not; name its scale, or recode what stands for no "
            "answer",
        ),
        ({"days": -1.0}, {"time": "days"}, r"time 'days' must be 0 or more and finite, but 1,500 rows are not"),
        ({"left": "yes"}, {}, r"event 'left' must be true/false or 0/1, it is factor; recode it"),
        ({}, {"times": (0,), "time": "days"}, r"times must be days above 0, such as 90, not \(0,\)"),
        ({}, {"score": "recomend"}, r"frame: no column 'recomend'; did you mean 'recommend'\?"),
        ({}, {"scale": (0, 5)}, r"scale must be the first and last of 10 or 11 points"),
    ],
)
def test_bad_input_is_refused_by_name(followed, change, options, line):
    with pytest.raises(cx.CxError, match=f"^{line}"):
        cx.retention_by_nps(followed.assign(**change), **options)


def test_a_late_first_answer_rule_is_biased_and_this_one_is_not():
    """Known truth: leaving does not depend on the score. "Ever answered" makes responders look faithful all the same.

    The naive rule counts every customer from the first invitation and calls silent who never answers: those who stay
    are asked more often, so they answer some day.
    """
    tables, _ = cx.simulate(customers=3000, months=24, seed=11, answer_experience=0.0, service_failed=0.0,
                            service_good=0.0, fault_one=0.0, fault_several=0.0)  # fmt: skip
    seen = cx.follow_answers(cx.load(tables)).to_pandas()
    surveys = tables["surveys"]
    ever = set(surveys.loc[surveys["answered_at"].notna(), "customer_id"])
    naive = seen.assign(recommend=np.where(seen["customer_id"].isin(ever), 10.0, np.nan))

    def gap(frame):
        classed = frame.assign(recommend=np.where(frame["recommend"].notna(), 10.0, np.nan))
        found = cx.retention_by_nps(classed, time="days_followed", times=(365,)).set_index("nps_class")
        return found.loc["promoter", "estimate"] - found.loc["no answer", "estimate"]

    assert gap(naive) > 0.15
    assert abs(gap(seen)) < 0.04


def test_grouped_counts_are_the_curve_of_rows(followed):
    """Identity behind all of it: the curve of counts equals that of rows."""
    counts = followed.groupby(["days", "left"]).size().reset_index(name="n")
    curve = survival_curve(*(counts[name].to_numpy(float) for name in ("days", "left", "n")))
    assert curve.surv_prob == pytest.approx(SurvfuncRight(followed["days"], followed["left"]).surv_prob)
