"""What simulated contacts and answers lead to: nothing else moves, and each truth is found again in the tables."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.aftermath import ISSUE_DAYS, NEWER
from cxlib.population import CHANNELS, TOPICS

DAY = pd.Timedelta(days=1)
NEW = {"customers": ["referred_by"], "surveys": ["told_others"], "tickets": ["issue_id", "csat"]}


@cache
def simulated(customers=20_000, seed=1, **story):
    return cx.simulate(customers=customers, seed=seed, **story)


def later(tickets):
    """Later tickets of an issue, by pandas: the channel before, whether it changed, how the one before went."""
    rows = tickets.sort_values(["opened_at", "ticket_id"])
    before = rows.groupby("issue_id")[["channel", "escalated", "reopened", "opened_at", "resolved_at"]].shift()
    rows = rows.assign(before=before.channel, gap=rows.opened_at - before.opened_at)
    return rows[rows.before.notna()].assign(switched=lambda t: t.channel != t.before)


@pytest.mark.parametrize(
    "story",
    [
        {"switch_drop": 0.0},
        {"told_promoter": 0.1, "told_detractor": 0.2, "told_passive": 0.3},
        {"referred": 0.9, "referral_detractor": 1.0},
        {"follow_up_base": 3.0, "follow_up_days": 1.0},
    ],
)
def test_what_follows_moves_nothing_that_came_before(story):
    (one, truth), (two, other) = simulated(5000, 3), simulated(5000, 3, **story)
    for name, table in one.items():
        old = [column for column in table if column not in NEW.get(name, ())]
        rows = [t[t.touchpoint != "follow_up"] if name == "interactions" else t for t in (table, two[name])]
        pd.testing.assert_frame_equal(*(t[old].reset_index(drop=True) for t in rows))
    frames = [cx.landmark(cx.load(tables), truth.as_of, 180, 90).to_pandas() for tables in (one, two)]
    pd.testing.assert_frame_equal(*(f.sort_values("customer_id").reset_index(drop=True) for f in frames))
    assert truth.fraction == other.fraction


def test_issues_are_one_customer_one_topic_and_close_in_time():
    tickets = simulated()[0]["tickets"]
    assert (tickets.groupby("issue_id")[["customer_id", "topic"]].nunique() == 1).all(axis=None)
    assert later(tickets).gap.max() <= ISSUE_DAYS * DAY
    assert 0.03 < len(later(tickets)) / len(tickets) < 0.15
    assert 0.5 < later(tickets).switched.mean() < 0.9


def test_the_effect_of_a_switch_is_the_difference_to_a_world_without_it():
    """Authority: the same seed with `switch_drop=0`, in which a switch does nothing: each ticket's other outcome."""
    (with_drop, truth), (without, _) = simulated(), simulated(switch_drop=0.0)
    rows = later(with_drop["tickets"])
    rows = rows.assign(unmoved=without["tickets"].csat[rows.index]).dropna(subset="csat")
    assert (rows.csat[~rows.switched] == rows.unmoved[~rows.switched]).all()
    moved = rows[rows.switched]
    assert (moved.csat - moved.unmoved).mean() == pytest.approx(truth.journey["switch"]["effect_on_switched"])
    assert ((moved.unmoved < 3) == (moved.csat < 3)).all()  # what counts as failed stays
    naive = moved.csat.mean() - rows.csat[~rows.switched].mean()
    assert naive == pytest.approx(truth.journey["switch"]["naive"])
    assert naive < truth.journey["switch"]["effect_on_switched"] - 0.3


def test_a_switch_says_nothing_more_about_a_ticket_once_topic_and_history_are_known():
    """Authority: without an effect, switched and stayed differ only by chance within topic and history."""
    rows = later(simulated(60_000, 2, switch_drop=0.0)[0]["tickets"])
    before = rows.index  # the ticket before, by pandas again
    assert len(before) == rows.ticket_id.nunique()
    tickets = simulated(60_000, 2, switch_drop=0.0)[0]["tickets"].sort_values(["opened_at", "ticket_id"])
    slow = (tickets.resolved_at - tickets.opened_at > 3 * DAY) | tickets.resolved_at.isna()
    badly = (tickets.escalated | tickets.reopened | slow).astype(float)
    rows = rows.assign(badly=badly.groupby(tickets.issue_id).shift()[rows.index]).dropna(subset="csat")
    scores = []
    for _, stratum in rows.groupby(["topic", "badly"]):
        moved, stayed = stratum.csat[stratum.switched], stratum.csat[~stratum.switched]
        if min(len(moved), len(stayed)) >= 20:
            scores.append((moved.mean() - stayed.mean()) / np.hypot(moved.sem(), stayed.sem()))
    assert len(scores) >= 4
    assert np.abs(scores).max() < 3.5


def test_what_is_preventable_is_what_faults_brought():
    """Authority: each such ticket follows a fault of its customer; a world without faults has none of them."""
    tables, truth = simulated()
    tickets = tables["tickets"]
    assert (tickets.topic == TOPICS[0]).mean() == pytest.approx(truth.journey["contacts"]["preventable"])
    none, without = simulated(5000, 1, fault_rate=0.0)
    assert without.journey["contacts"]["preventable"] == 0
    assert TOPICS[0] not in set(none["tickets"].topic)


@pytest.mark.parametrize(("name", "low", "high"), [("detractor", 0, 6), ("passive", 7, 8), ("promoter", 9, 10)])
def test_who_tells_others_and_how_many(name, low, high):
    """Authority: the story's own probability, within four standard errors."""
    tables, truth = simulated()
    told = tables["surveys"][tables["surveys"].recommend.between(low, high)].told_others
    likely = truth.journey["told_others"][name]
    given = told.dropna()
    assert 0.03 < told.isna().mean() < 0.07
    assert abs((given > 0).mean() - likely) < 4 * np.sqrt(likely * (1 - likely) / len(given))


def test_newcomers_were_sent_by_earlier_respondents_who_told_others():
    tables, truth = simulated()
    people, surveys = tables["customers"], tables["surveys"]
    sent = people.dropna(subset="referred_by")
    new = people.signup_date >= "2024-07-01"
    assert len(sent) / new.sum() == pytest.approx(truth.journey["referrals"]["newcomers_referred"])
    spoke = surveys[surveys.told_others > 0].merge(sent, left_on="customer_id", right_on="referred_by")
    in_time = spoke[spoke.answered_at <= spoke.signup_date]
    assert set(in_time.customer_id_y) == set(sent.customer_id)
    assert sum(truth.journey["referrals"][kind] for kind in ("promoter", "passive", "detractor")) == pytest.approx(1)
    assert truth.journey["referrals"]["promoter"] > 0.8


def test_call_backs_follow_a_detractor_s_answer():
    tables, truth = simulated()
    calls = tables["interactions"].query("touchpoint == 'follow_up'")
    bad = tables["surveys"].query("recommend <= 6")
    assert set(calls.initiated_by) == {"company"}
    joined = calls.merge(bad, on="customer_id")
    joined = (
        joined[joined["at"] > joined.answered_at]
        .sort_values("answered_at")
        .drop_duplicates("interaction_id", keep="last")
    )
    assert len(joined) == len(calls)
    old = bad[bad.answered_at < "2026-06-01"]
    waited = calls.merge(old, on="customer_id").assign(days=lambda t: (t["at"] - t.answered_at) / DAY)
    soon = waited[(waited.days > 0) & (waited.days <= 7)].survey_id.nunique() / len(old)
    # Those who left within the week were not called: a little below the truth.
    assert soon == pytest.approx(truth.journey["follow_up"]["within_7_days"], abs=0.03)


@pytest.mark.parametrize(("old", "new", "share"), NEWER)
def test_newer_channels_take_their_share(old, new, share):
    channel = simulated()[0]["tickets"].channel
    assert {old, new} <= set(CHANNELS)
    taken = (channel == new).sum() / channel.isin([old, new]).sum()
    assert taken == pytest.approx(share, abs=0.025)


def test_a_contact_is_logged_with_its_ticket_s_channel():
    tables = simulated()[0]
    logged = tables["interactions"].query("touchpoint == 'contact_support'")
    pairs = [
        t.value_counts() for t in (logged[["customer_id", "channel"]], tables["tickets"][["customer_id", "channel"]])
    ]
    pd.testing.assert_series_equal(*(p.sort_index() for p in pairs), check_names=False)
