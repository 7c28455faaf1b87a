"""Sentences of what follows from an attrition answer, from handmade results. Authority: written by hand."""

import types

import pandas as pd
import pytest

from cxlib import text, wording
from cxlib.errors import CxError
from cxlib.schema import results
from cxlib.study_file import AttritionPart
from tests import shown
from tests.shown import row


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


@pytest.mark.parametrize("tell", [
    lambda: text.what_if(None, 0.5), lambda: text.orders(None), lambda: text.segments(None, None),
    lambda: text.survival(None), lambda: text.fraction_by_horizon(None), lambda: text.hazard_ratios(None, None, []),
    lambda: text.reason_shares(None), lambda: text.agreement(None, ""), lambda: text.cross_table(None, ""),
    lambda: text.assumptions(None), lambda: text.alarms(None),
])  # fmt: skip
def test_what_a_study_does_not_feed_gives_no_sentence(tell):
    assert tell() is None


def test_what_if():
    assert text.what_if(shown.avoided(), 0.5) == (
        "With 50% of the failures gone, this share of all attrition would be gone with them, if the shares are "
        "effects: 14% (95% interval 10% to 18%) without those of service, 9% (5% to 12%) without those of price and "
        "23% (18% to 28%) without those of both."
    )


def test_segments_that_differ_are_told():
    told = text.segments(shown.by_segment(), shown.fractions())
    assert "runs from 20% (95% interval 10% to 30%) in south to 50% (40% to 60%) in north, against 28%" in told
    assert "The pooled answer and the groups disagree: service in north differs from all" in told


def test_a_pooled_share_outside_the_groups_is_told_as_a_disagreement():
    """Authority: Simpson's paradox, made by hand: 28% of all, 10% and 12% in the groups."""
    told = text.segments(shown.by_segment(service=(0.10, 0.12), note=""), shown.fractions())
    assert "disagree: the share of service over everyone lies outside the range of the groups'; read" in told


def test_segments_that_agree_and_one_alone():
    agree = shown.by_segment(service=(0.2, 0.3), note="")
    assert "No group differs from all by more than chance (false discovery rate 5%)." in text.segments(
        agree, shown.fractions()
    )
    one = agree[agree["segment"] == "north"]
    assert text.segments(one, shown.fractions()) == "Fewer than two groups are large enough to be compared."


def test_survival_and_horizon():
    assert text.survival(shown.kept()) == (
        "After 90 days 90% (95% interval 88% to 92%) of those with band good and 60% (55% to 65%) of those with band "
        "failed are still customers; nothing is adjusted for."
    )
    assert text.fraction_by_horizon(shown.by_horizon()).startswith(
        "Failures of service before the first day go with 34% (95% interval 25% to 43%) of the attrition within 30 "
        "days and 28% (21% to 36%) of the attrition within 60 days; failures of price"
    )


def test_hazard_ratios_name_their_reference_and_warn_where_they_change():
    levels = pd.DataFrame({"service_band": ["failed", "none"], "plan": ["a", "b"]})
    fit = types.SimpleNamespace(cells=types.SimpleNamespace(levels=levels))
    told = text.hazard_ratios(shown.ratios(), fit, ["service_band"])
    assert told == (
        "At any moment, customers leave with service contact failed 3.8 (95% interval 2.6 to 5.6) times as fast as "
        "none, the confounders held alike. No test finds that these ratios change with time."
    )
    warned = text.hazard_ratios(
        shown.ratios(note="the hazard ratio of 'band' changes with time"), fit, ["service_band"]
    )
    assert warned.endswith("Caution: the hazard ratio of 'band' changes with time.")


def test_reasons_and_their_agreement():
    assert text.reason_shares(shown.coded()) == (
        "The rule that codes the answers alone moves the share of stated reasons that name service from 13% (95% "
        "interval 9% to 18%) (strict) to 33% (28% to 38%) (broad) and the share of price among those that name price "
        "or service from 34% (26% to 42%) (broad) to 46% (34% to 58%) (strict); n = 253 leavers who state a reason."
    )
    both = results([
        row("agreement", "share", 0.47, 0.41, 0.53, n=253, stated="all", model="all"),
        row("agreement", "kappa", 0.207, 0.135, 0.28, n=253, unit="kappa", stated="all", model="all"),
    ], by=["stated", "model"])  # fmt: skip
    assert text.agreement(both, "middle") == (
        "For 47% (95% interval 41% to 53%) of 253 leavers who state a reason, the cause stated (rule middle) is the "
        "one to which the model gives most; kappa is 0.21 (0.14 to 0.28), where zero is chance and one is always."
    )


def test_assumptions_name_confounders_references_and_what_causes_do_not_change():
    part = AttritionPart(adjust=["tenure_band"], causes={"service": {"contact": {"failed": "good"}},
                                                         "price": {"rise": {"high": "none"}}})  # fmt: skip
    told = text.assumptions(part)
    for said in ("before the decision", "where tenure are alike", "contact good and rise none",
                 "service does not itself change price"):  # fmt: skip
        assert said in told


def test_an_alarm_is_a_box_and_what_it_quotes_from_the_data_stays_text():
    loud = results([row("a", "alarm", 0.9, note="'<script>' tells 90%")])
    box = text.alarms(loud)._repr_html_()
    assert box.count('class="alarm"') == box.count("<li>") == 1
    assert "<script>" not in box
    assert not hasattr(text.alarms(results([row("a", "e_value", 2.0)])), "_repr_html_")


def test_what_the_data_cannot_carry_is_said_and_the_report_goes_on(capsys):
    def refusing(data):
        raise CxError("too few leavers")

    assert text.where_possible(refusing, 1) is None
    assert "Left out, because these data cannot carry it: too few leavers." in capsys.readouterr().out
    assert text.where_possible(refusing, None) is None
    assert text.where_possible(lambda data, by: (data, by), 1, by=2) == (1, 2)


def test_checks_are_told_with_their_interval_and_the_strength_that_would_explain_it_away():
    checks = results([
        row("service", "doubly_robust_fraction", 0.24, 0.13, 0.33),
        row("service", "e_value", 3.2, unit="risk ratio"), row("service", "e_value_limit", 2.3, unit="risk ratio"),
    ])  # fmt: skip
    assert text.robustness(checks) == (
        "Doubly robust, the share of attrition that goes with each cause removed alone is 24% (95% interval 13% to "
        "33%) for service; to explain it away, something not measured would have to go with both the failure and "
        "leaving by a risk ratio of at least 3.2 (2.3 for its interval) for service."
    )


def test_where_the_choice_of_interactions_matters_it_is_said():
    calm = [row("service", "average_fraction", 0.2, 0.1, 0.3) | {"interactions": "main effects", "note": ""}]
    loud = [calm[0] | {"note": "the choice of interactions matters"}]
    assert text.interactions(results(calm, by=["interactions"])).startswith("The answer does not depend on the choice")
    assert text.interactions(results(loud, by=["interactions"])) == (
        "The answer depends on which causes are let act together: with main effects, service goes with 20% (95% "
        "interval 10% to 30%)."
    )
