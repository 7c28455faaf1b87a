"""Alerts: thresholds, changes beyond chance, and no more false alarms than promised over a run."""

import math

import numpy as np
import pytest
from scipy import stats

from cxlib.alerts import Told, find_alerts, parse_alert
from cxlib.errors import CxError


def answer(estimate, std_error=1.0, name="nps", by=None, **more):
    about = {"term": name, "measure": name, "lower": None, "upper": None, "level": 0.95, "n": 100, "note": ""}
    return about | {"name": name, "by": by or {}, "estimate": estimate, "std_error": std_error} | more


def judged(alert, now, before=(), fresh=True):
    """State and value of one alert on one report."""
    (found,) = find_alerts([Told("nps/default", [parse_alert(alert)], now, before, fresh)])
    return found["state"], found["value"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nps.change < 0", ("nps", "change", "<", 0.0)),
        ("service.average_fraction.lower > 0.3", ("service.average_fraction", "lower", ">", 0.3)),
        ("price > service.of_any.estimate>=5e-1", ("price > service.of_any", "estimate", ">=", 0.5)),
        (" nps.n<=-.5 ", ("nps", "n", "<=", -0.5)),
    ],
)
def test_an_alert_is_name_field_sign_and_limit(text, parts):
    alert = parse_alert(text)
    assert (alert.name, alert.field, alert.sign, alert.limit) == parts


@pytest.mark.parametrize("text", ["nps < 0", "nps.lower = 0", "nps.lower < x", "nps.lower < 1.2.3", "", "nps.lower <"])
def test_what_is_no_alert_is_refused_with_an_example(text):
    with pytest.raises(CxError, match=r"must read `name.field < number` .* like 'nps.change < 0', not"):
        parse_alert(text)


@pytest.mark.parametrize(
    ("alert", "state", "value"),
    [
        ("nps.estimate < 12", "fired", 10.0),
        ("nps.estimate < 10", "quiet", 10.0),
        ("nps.estimate <= 10", "fired", 10.0),
        ("nps.lower > 7", "fired", 8.0),
        ("nps.upper < 12", "quiet", 12.0),
        ("nps.n < 150", "fired", 100),
    ],
)
def test_a_threshold_fires_on_its_field(alert, state, value):
    assert judged(alert, [answer(10.0, lower=8.0, upper=12.0)]) == (state, value)


@pytest.mark.parametrize(
    ("change", "sign", "state"),
    [(-3.0, "<", "fired"), (-2.7, "<", "quiet"), (-3.0, ">", "quiet"), (3.0, ">", "fired"), (0.0, "<", "quiet")],
)
def test_a_change_fires_beyond_1_96_joint_standard_errors_only(change, sign, state):
    # Two errors of 1 make one of sqrt(2): the limit is 2.77.
    assert judged(f"nps.change {sign} 0", [answer(10 + change)], [answer(10.0)]) == (state, change)


def test_a_change_must_pass_its_own_limit_too():
    assert judged("nps.change < -5", [answer(6.0)], [answer(10.0)])[0] == "quiet"
    assert judged("nps.change < -3.5", [answer(6.0)], [answer(10.0)])[0] == "fired"


@pytest.mark.parametrize(
    ("now", "before", "state"),
    [
        ([answer(10.0)], [], "first"),
        ([answer(10.0)], [answer(1.0, name="csat")], "first"),
        ([answer(10.0)], [answer(None, None)], "first"),
        ([answer(10.0, None)], [answer(20.0)], "first"),
        ([answer(None, None)], [answer(20.0)], "hidden"),
        ([answer(10.0, 0.0)], [answer(20.0, 0.0)], "quiet"),
    ],
)
def test_what_cannot_be_compared_does_not_fire(now, before, state):
    assert judged("nps.change < 0", now, before)[0] == state


def test_a_report_taken_over_unchanged_brings_no_change():
    assert judged("nps.change < 0", [answer(0.0)], [answer(10.0)], fresh=False)[0] == "quiet"
    assert judged("nps.estimate < 5", [answer(0.0)], [answer(10.0)], fresh=False)[0] == "fired"


def test_a_name_that_no_answer_has_is_told_with_the_nearest():
    (found,) = find_alerts([Told("nps/default", [parse_alert("nsp.change < 0")], [answer(1.0)], [])])
    assert found["state"] == "unknown"
    assert found["note"] == "nps/default: no answer 'nsp'; did you mean 'nps'? There are: 'nps'"


def test_the_whole_is_watched_where_groups_are_told_too():
    rows = [answer(10.0), answer(-9.0, by={"segment": "small"})]
    assert judged("nps.estimate < 0", rows) == ("quiet", 10.0)
    found = find_alerts([Told("nps/default", [parse_alert("nps.estimate < 0")], rows[1:], [])])
    assert [(one["by"], one["state"]) for one in found] == [({"segment": "small"}, "fired")]


def test_over_a_run_the_changes_fire_that_benjamini_and_hochberg_let_stand():
    # By hand: sort the p-values, find the largest k with p(k) <= 0.05 k / m, reject the first k.
    changes = np.array([-9.0, -5.0, -4.0, -3.2, -3.0, -2.9, *np.linspace(-2.5, 0.5, 34)])
    told = [
        Told(f"nps/{i}", [parse_alert("nps.change < 0")], [answer(10 + change)], [answer(10.0)])
        for i, change in enumerate(changes)
    ]
    p = 2 * stats.norm.sf(np.abs(changes) / math.sqrt(2))
    ranked = np.sort(p)
    standing = ranked <= 0.05 * np.arange(1, len(p) + 1) / len(p)
    cut = ranked[np.flatnonzero(standing).max()]
    assert [one["state"] == "fired" for one in find_alerts(told)] == list(p <= cut)
    # Alone, four more would have fired.
    assert (np.abs(changes) > 1.96 * math.sqrt(2)).sum() == 6
    assert (p <= cut).sum() == 2


def test_two_alerts_on_one_answer_are_one_look():
    twice = [parse_alert("nps.change < 0"), parse_alert("nps.change > 0")]
    quiet = [Told(f"nps/{i}", twice, [answer(10.0 + 0.1 * i)], [answer(10.0)]) for i in range(1, 5)]
    # With five looks the smallest p may be 0.01, with ten 0.005; a change of 3.75 has 0.008.
    told = [Told("nps/0", twice, [answer(6.25)], [answer(10.0)]), *quiet]
    assert [one["state"] for one in find_alerts(told)][:2] == ["fired", "quiet"]


@pytest.mark.parametrize("reports", [1, 40])
def test_where_nothing_changed_a_run_raises_an_alarm_in_at_most_five_of_a_hundred(reports):
    # Known truth: every change is chance, so a run with any alarm is a false one; 2,000 runs, binomial error 0.005.
    rng = np.random.default_rng(7)
    draws = rng.normal(0, 1, (2000 // (1 if reports == 1 else 4), 2, reports))
    alarms = 0
    for now, before in draws:
        told = [
            Told(f"nps/{i}", [parse_alert("nps.change < 0"), parse_alert("nps.change > 0")], [answer(a)], [answer(b)])
            for i, (a, b) in enumerate(zip(now, before, strict=True))
        ]
        alarms += any(one["state"] == "fired" for one in find_alerts(told))
    assert alarms / len(draws) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(draws))
