"""Sentences of an experience, from handmade results. Authority: written by hand."""

import pandas as pd
import pytest

from cxlib import text, wording
from cxlib.schema import results
from tests import shown
from tests.shown import row


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


@pytest.mark.parametrize("tell", [
    lambda: text.design_effect(None), lambda: text.nps_differences(None), lambda: text.not_met_comparison(None),
    lambda: text.service_gap(False), lambda: text.satisfaction_overlap(None), lambda: text.attrition_prediction(None),
    lambda: text.nps_what_if(None, 1, None),
])  # fmt: skip
def test_what_a_study_does_not_feed_gives_no_sentence(tell):
    assert tell() is None


def test_what_weights_are_worth():
    worth = results([
        row("nps", "design_effect", 1.2112, unit="ratio", n=2746),
        row("nps", "effective_n", 2267.2, unit="answers", n=2746),
    ])  # fmt: skip
    assert text.design_effect(worth) == (
        "With these weights 2,746 answers tell as much as 2,267 of equal weight would (design effect 1.21)."
    )


def test_groups_that_differ_from_the_others():
    assert text.nps_differences(shown.apart()) == (
        "What differs from all others together by more than chance: north by −8 (95% interval −14 to −2) points (the "
        "share of false ones among such findings held down to 5%)."
    )
    assert text.nps_differences(shown.apart(note="")).startswith(
        "No group differs from all others together by more than chance"
    )


def test_a_small_group_is_not_named_among_those_that_differ():
    wording.hide_below(600)
    assert "north" not in text.nps_differences(shown.apart())


def test_not_met_tells_everyone_those_who_met_it_and_dropping():
    assert text.not_met_comparison(shown.unmet()) == (
        "Service accounts for 26% (95% interval 24% to 29%) of what is explained over everyone, and for 39% (35% to "
        "42%) of it among the 1,200 answers of those who met it, which is what a report that leaves the others out "
        "would say; dropping every answer with a gap leaves 90, and 50% (40% to 60%). One point of rating goes with so "
        "many points of the score, among those who met it: 0.81 (0.70 to 0.92) for staff."
    )


def test_where_nobody_met_everything_and_where_few_met_it():
    told = text.not_met_comparison(shown.unmet(dropped=None))
    assert "39% (35% to 42%)" in told
    assert "dropping every answer with a gap leaves too few for any figure." in told
    wording.hide_below(2000)
    assert "those who met it" not in text.not_met_comparison(shown.unmet())


def test_the_gap_names_what_was_rated_low_beyond_noise():
    assert text.service_gap(shown.gap()) == (
        "Of those with excellent service, 5% (95% interval 3% to 6%) had a poor experience all the same, and of those "
        "with poor service 8% (6% to 11%) are promoters. What the former rated low more often than others with "
        "excellent service: price (52% against 15%)."
    )
    assert text.service_gap(shown.gap(n=9)).endswith("excellent service: nothing that is more than noise.")
    wording.hide_below(1000)
    assert text.service_gap(shown.gap()).startswith("Too few had excellent or poor service")


def test_overlap_tells_both_directions():
    assert text.satisfaction_overlap(shown.overlap()) == (
        "Of the satisfied 55% (95% interval 53% to 57%) are promoters, and of the promoters 85% (83% to 87%) are "
        "satisfied; 30% (28% to 32%) of all are satisfied without being promoters, and 7% (5% to 9%) promoters without "
        "being satisfied; n = 2,772 answers to both questions."
    )


def test_prediction_claims_nothing_within_noise():
    assert text.attrition_prediction(shown.prediction()) == (
        "On customers the model has not seen, the scores together tell more about who leaves than the overall rate "
        "does; recommend adds to the others and satisfaction adds nothing sure; n = 2,772 customers."
    )
    within = text.attrition_prediction(shown.prediction(lower=-0.5))
    assert (
        "tell no more about who leaves than the overall rate does, beyond noise, though recommend alone does" in within
    )


def test_what_if_says_when_it_cannot_be_told_from_none():
    told = text.nps_what_if(shown.lifted(), 1, 2)
    assert told.startswith("If ratings of 2 or less were one point better")
    assert (
        "it would change by 1.4 (95% interval 1.0 to 1.9) points: staff 1.3 (1.0 to 1.7); help 0.1 (−0.2 to 0.3)."
        in told
    )
    assert "cannot be told from none" not in told
    within = text.nps_what_if(shown.lifted(lower=-0.1), 2, 6)
    assert "were 2 points better" in within and "points, which cannot be told from none:" in within


def test_the_answer_holds_the_what_if_where_there_is_one():
    plain = text.experience_answer(shown.importance(), shown.nps())
    lifted = text.experience_answer(shown.importance(), shown.nps(), "answers", shown.lifted())
    step = ", and a step up from the low ratings of help and staff goes with 1.4 (1.0 to 1.9) points more"
    assert lifted == plain.replace("27);", f"27){step};")
    assert step in lifted


def test_nothing_is_rounded_into_a_claim():
    """A limit just above zero stays above zero in figures of a size."""
    low = shown.penalties().assign(lower=lambda d: d["lower"].where(d["measure"] != "asymmetry", 0.02))
    assert "(95% interval 0.02 to" in text.penalty_reward(pd.DataFrame(low))
