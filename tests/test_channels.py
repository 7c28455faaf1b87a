"""Channels and switches: beside a loop over tickets, and simulated ratings known with and without the switch."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError

SLOW = pd.Timedelta(hours=72)


@pytest.fixture(scope="module")
def tables():
    return cx.simulate(customers=4000, seed=8)[0]


def later(tickets):
    """Each ticket after the first of its issue, one issue after the other."""
    rows = []
    for _, issue in tickets.sort_values(["opened_at", "ticket_id"]).groupby("issue_id"):
        for before, now in zip(issue.iloc[:-1].itertuples(), issue.iloc[1:].itertuples(), strict=True):
            slow = pd.isna(before.resolved_at) or before.resolved_at - before.opened_at > SLOW
            badly = before.escalated or before.reopened or slow
            rows.append((now.customer_id, now.topic, badly, now.channel != before.channel, now.csat))
    return pd.DataFrame(rows, columns=["who", "topic", "badly", "moved", "csat"])


def test_switches_are_those_of_a_loop_over_tickets(tables):
    rows = later(tables["tickets"])
    found = cx.channel_switches(cx.load(tables), replicates=0).set_index(["term", "measure"])
    sizes = tables["tickets"].groupby("issue_id").size()
    assert found.loc[("issues", "several"), "estimate"] == pytest.approx((sizes > 1).mean())
    assert found.loc[("issues", "several"), "n"] == len(sizes)
    assert found.loc[("issues", "switched"), "estimate"] == pytest.approx(rows.moved.mean())
    rated = rows.dropna(subset="csat")
    means = rated.groupby("moved").csat.mean()
    assert found.loc[("switch", "naive"), "estimate"] == pytest.approx(means[True] - means[False])
    cells = rated.groupby(["topic", "badly", "moved"]).csat.mean().unstack().dropna()
    weight = rated[rated.moved].groupby(["topic", "badly"]).size().reindex(cells.index)
    adjusted = ((cells[True] - cells[False]) * weight).sum() / weight.sum()
    assert found.loc[("switch", "adjusted"), "estimate"] == pytest.approx(adjusted)
    assert found.loc[("switch", "matched"), "estimate"] == pytest.approx(weight.sum() / rated.moved.sum())
    assert found.loc[("switch", "adjusted"), "n"] == len(rated)


def test_the_truth_is_found_where_the_plain_difference_misses_it():
    """Known truth: ratings with and without the switch, six seeds; at length in tests/calibration."""
    held = {"adjusted": 0, "naive": 0}
    for seed in range(6):
        tables, truth = cx.simulate(customers=10_000, seed=100 + seed)
        found = cx.channel_switches(cx.load(tables), replicates=150, seed=seed).query("term == 'switch'")
        found = found.set_index("measure")
        for name in held:
            true = truth.journey["switch"]["effect_on_switched"]
            held[name] += found.loc[name, "lower"] < true < found.loc[name, "upper"]
    assert held["adjusted"] >= 5
    assert held["naive"] <= 2


def test_without_an_effect_the_adjusted_interval_holds_none():
    tables = cx.simulate(customers=20_000, seed=3, switch_drop=0.0)[0]
    found = cx.channel_switches(cx.load(tables), replicates=200).query("term == 'switch'").set_index("measure")
    assert found.loc["adjusted", "lower"] < 0 < found.loc["adjusted", "upper"]
    assert found.loc["naive", "upper"] < 0


def test_what_is_held_alike_is_asked_for_or_what_is_there(tables):
    data = cx.load(tables)
    methods = [
        cx.channel_switches(data, alike, replicates=0).query("measure == 'adjusted'")["method"].item()
        for alike in (None, ["topic"], [])
    ]
    assert [method.partition(";")[0] for method in methods] == [
        "same topic and how the ticket before went", "same topic", "nothing held alike",
    ]  # fmt: skip
    few = tables["tickets"].drop(columns=["escalated", "reopened", "resolved_at"])
    told = cx.channel_switches(cx.load(tables | {"tickets": few}), replicates=0)
    assert told["method"].str.startswith("same topic;").any()
    plain = cx.channel_switches(data, [], replicates=0).set_index("measure")["estimate"]
    assert plain["adjusted"] == pytest.approx(plain["naive"])


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"drop": ["issue_id"]}, {}, "no column 'issue_id'"),
        ({"drop": ["csat", "channel"]}, {}, "no column 'csat'"),
        ({}, {"alike": ["topik"]}, "no column 'topik'; did you mean 'topic'"),
        ({"drop": ["escalated", "reopened", "resolved_at"]}, {"alike": ["went_badly"]},
         "tickets: 'went_badly' needs escalated, reopened or resolved_at; leave it out of alike"),
        ({"rows": 60}, {}, "at least 5 rows must be exposed and 5 not"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(tables, change, options, words):
    tickets = tables["tickets"].drop(columns=change.get("drop", [])).head(change.get("rows", 10**6))
    with pytest.raises(CxError) as caught:
        cx.channel_switches(cx.load(tables | {"tickets": tickets}), **options)
    assert words in str(caught.value)


def test_channels_are_counts_of_service_and_of_the_rest(tables):
    """Authority: counts by pandas."""
    found = cx.channel_shares(cx.load(tables)).set_index(["term", "channel"])["estimate"]
    rows = tables["interactions"].merge(tables["touchpoints"], on="touchpoint")
    for term, own in (("service", rows[rows.is_service]), ("rest", rows[~rows.is_service])):
        shares = own.channel.value_counts(normalize=True)
        np.testing.assert_allclose(found[term].reindex(shares.index), shares)
    assert {"SMS", "shared screen", "video", "chatbot", "phone"} <= set(found["service"].index)


def test_without_touchpoints_all_is_the_rest_and_no_channel_is_named(tables):
    some = tables["interactions"].assign(channel=lambda t: t.channel.where(t.channel != "phone"))
    found = cx.channel_shares(cx.load({"customers": tables["customers"], "interactions": some}))
    assert set(found["term"]) == {"rest"}
    assert "(none)" in set(found["channel"])
