"""The closed loop: beside a loop over answers, statsmodels' curve, and follow-ups known to change nothing."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

import cxlib as cx
from cxlib.errors import CxError
from cxlib.recovery import _answers, _within

DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def tables():
    return cx.simulate(customers=3000, seed=9)[0]


def bad_answers(tables):
    """Each detractor's answer in turn: days until the follow-up, the next answer and the end, and the next score."""
    end = pd.Timestamp(cx.load(tables).last_day) + DAY
    people = tables["customers"].set_index("customer_id")
    calls = tables["interactions"].query("touchpoint == 'follow_up'").groupby("customer_id")["at"].apply(list)
    rows = []
    given = tables["surveys"].dropna(subset=["answered_at", "recommend"]).sort_values(["answered_at", "survey_id"])
    for who, own in given.groupby("customer_id"):
        answers = list(own.itertuples())
        for i, one in enumerate(answers):
            if one.recommend > 6:
                continue
            following = answers[i + 1] if i + 1 < len(answers) else None
            gone = people.end_date[who]
            until = min(
                [end] + ([gone + DAY] if pd.notna(gone) else []) + ([following.answered_at] if following else [])
            )
            mine = [at for at in calls.get(who, []) if one.answered_at <= at <= until]
            rows.append({
                "who": who, "score": one.recommend, "felt": one.satisfaction, "until": (until - one.answered_at) / DAY,
                "called": (min(mine) - one.answered_at) / DAY if mine else np.inf,
                "next": (following.answered_at - one.answered_at) / DAY if following else np.inf,
                "back": float(following.recommend > 6) if following else np.nan,
            })  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def in_turn(tables):
    return bad_answers(tables)


@pytest.mark.parametrize("target", [3, 7, 30])
def test_the_loop_is_that_of_each_answer_in_turn(tables, in_turn, target):
    rows = in_turn
    found = cx.closed_loop(cx.load(tables), target, replicates=0).set_index("measure")
    later = rows[(rows.next > target) & np.isfinite(rows.next)]
    soon = later.called <= target
    assert found.loc["share", "estimate"] == pytest.approx(later.back.mean())
    assert found.loc["followed", "estimate"] == pytest.approx(later.back[soon].mean())
    assert found.loc["not_followed", "estimate"] == pytest.approx(later.back[~soon].mean())
    assert found.loc["naive", "estimate"] == pytest.approx(later.back[soon].mean() - later.back[~soon].mean())
    cells = later.assign(soon=soon, felt=later.felt.fillna(0)).groupby(["score", "felt", "soon"]).back
    means, sizes = cells.mean().unstack().dropna(), cells.size().unstack()[True]
    weight = sizes.reindex(means.index)
    assert found.loc["adjusted", "estimate"] == pytest.approx(
        ((means[True] - means[False]) * weight).sum() / weight.sum()
    )
    assert found.loc["answered_again", "estimate"] == pytest.approx(np.isfinite(rows.next).mean())
    assert found.loc["within_target", "n"] == len(rows)


def test_followed_up_in_time_is_kaplan_meier_s():
    """Authority: statsmodels on the rows in hours, at each target; and the truth of the simulation."""
    tables, truth = cx.simulate(customers=6000, seed=10)
    rows = bad_answers(tables)
    called = np.isfinite(rows.called)
    time = np.ceil(24 * rows.called.where(called, rows.until).round(9))
    curve = SurvfuncRight(time, called.astype(int))
    for target in (1, 7, 20):
        place = np.searchsorted(curve.surv_times, 24 * target, side="right") - 1
        row = cx.closed_loop(cx.load(tables), target, replicates=0).iloc[0]
        assert row["estimate"] == pytest.approx(1 - curve.surv_prob[place])
        assert row["std_error"] == pytest.approx(curve.surv_prob_se[place])
    row = cx.closed_loop(cx.load(tables), 7, replicates=0).iloc[0]
    assert row["lower"] < truth.journey["follow_up"]["within_7_days"] < row["upper"]


def test_a_follow_up_that_changes_nothing_is_not_credited_with_whom_it_chose():
    """Known truth: no effect. Those called are the milder ones, so the plain difference lies above the one alike."""
    apart, alike = [], []
    for seed in range(6):
        tables = cx.simulate(customers=10_000, seed=seed, follow_up_satisfaction=3.0)[0]
        found = cx.closed_loop(cx.load(tables), replicates=150, seed=seed).set_index("measure")
        apart.append(found.loc["naive", "estimate"] - found.loc["adjusted", "estimate"])
        alike.append(found.loc["adjusted", "lower"] < 0 < found.loc["adjusted", "upper"])
    assert np.mean(apart) > 2 * np.std(apart, ddof=1) / np.sqrt(6)
    assert sum(alike) >= 5


def test_an_answer_too_young_to_tell_is_no_failure():
    """By hand: three answers, one called on the second day, one never in thirty days, one given yesterday."""
    day = pd.Timestamp("2026-01-01")
    people = pd.DataFrame({"customer_id": list("abc"), "signup_date": [day] * 3, "end_date": [pd.NaT] * 3})
    surveys = pd.DataFrame(
        {
            "survey_id": list("123"),
            "customer_id": list("abc"),
            "recommend": [3, 4, 5],
            "answered_at": [day, day, day + 29 * DAY],
        }
    ).assign(sent_at=lambda t: t.answered_at)
    events = pd.DataFrame(
        {"interaction_id": ["1"], "customer_id": ["a"], "touchpoint": ["follow_up"], "at": [day + 2 * DAY]}
    )
    data = cx.load({"customers": people, "surveys": surveys, "interactions": events})
    row = _within(_answers(data, "follow_up", [])[0], 7, 0.95)
    assert row["estimate"] == pytest.approx(1 / 2)  # on the second day two are still looked at, and one is called
    assert row["n"] == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"touchpoint": "folow_up"}, "no touchpoint 'folow_up'; did you mean 'follow_up'"),
        ({"target_days": -1}, "target_days must be days above 0, at most 365, not '-1'"),
        ({"alike": ["segmnt"]}, "surveys and customers: no column 'segmnt'; did you mean 'segment'"),
        ({"target_days": 0.01}, "at least 5 rows must be exposed and 5 not"),
    ],
)
def test_bad_options_are_refused(tables, options, words):
    with pytest.raises(CxError) as caught:
        cx.closed_loop(cx.load(tables), **options)
    assert words in str(caught.value)


def test_columns_of_customers_can_be_held_alike(tables):
    found = cx.closed_loop(cx.load(tables), alike=["recommend", "segment"], replicates=0).set_index("measure")
    assert found.loc["adjusted", "method"].startswith("same recommend and segment")


def test_without_a_bad_answer_there_is_no_loop_to_close(tables):
    happy = tables | {"surveys": tables["surveys"].assign(recommend=9)}
    with pytest.raises(CxError, match=r"^surveys: at least one answer must be below 7, none is; take a longer period$"):
        cx.closed_loop(cx.load(happy))


def test_without_follow_ups_it_says_so(tables):
    none = tables | {"interactions": tables["interactions"].query("touchpoint != 'follow_up'")}
    with pytest.raises(CxError, match="no touchpoint 'follow_up'"):
        cx.closed_loop(cx.load(none))
