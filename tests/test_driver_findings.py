"""Sentences of what moves a score, from handmade results. Authority: written by hand."""

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
    lambda: text.rankings(None, None), lambda: text.noise(None), lambda: text.penalty_reward(None),
    lambda: text.importance_performance(None), lambda: text.ordinal_check(None), lambda: text.collinearity(None),
    lambda: text.halo(None), lambda: text.operational_measures(False),
])  # fmt: skip
def test_what_a_study_does_not_feed_gives_no_sentence(tell):
    assert tell() is None


def test_a_ranking_that_turns_round_within_noise_is_said_to_be_noise():
    assert text.rankings(*shown.both_scales()) == (
        "On the score the order is service, price; noise alone swaps no neighbours. On being a promoter the order is "
        "price, service; noise alone could swap price and service. Service leads price by 4 percentage points (1 to 8) "
        "on the score and price leads by 3 percentage points (−1 to 9) on being a promoter, which is no more than "
        "noise."
    )


def test_one_beyond_noise_is_said_to_be_more():
    told = text.rankings(*shown.both_scales(behind=(-0.03, -0.05, -0.01)))
    assert told.endswith("on being a promoter, which is more than noise.")


def test_scales_that_agree_and_one_scale_alone():
    score, promoter = shown.both_scales(behind=(0.05, 0.01, 0.09))
    agree = promoter.assign(estimate=score["estimate"])
    assert text.rankings(score, agree).endswith("Both scales put them in the same order.")
    assert text.rankings(score) == "On the score the order is service, price; noise alone swaps no neighbours."


def test_noise_is_named_by_driver():
    few = shown.importance()
    assert text.noise(few) == "Every driver accounts for more than an added driver of random numbers would."
    few.loc[few["term"].eq("service/wait") & few["measure"].eq("share"), "note"] = "cannot be told from noise"
    assert text.noise(few) == "What cannot be told from an added driver of random numbers: wait."


def test_asymmetries_beyond_noise_alone_are_told():
    assert text.penalty_reward(shown.penalties()) == (
        "In points of the score, low ratings cost more than high ones gain: staff by 0.50 (95% interval 0.20 to 0.80). "
        "For the other 1 the interval of the difference holds zero."
    )
    assert text.penalty_reward(shown.penalties(sure=False)).startswith("No driver costs more by low ratings")


def test_the_map_says_how_sure_a_place_is():
    assert text.importance_performance(shown.quadrants()).startswith(
        "Concentrate here: price; keep up the good work: staff (in 60% of resamples)."
    )


def test_ordered_classes_tell_odds_and_what_acts_differently():
    told = text.ordinal_check(shown.ordered())
    assert (
        "goes with staff most surely: one point more multiplies the odds of a better class by 2.0 (1.5 to 3.0)" in told
    )
    assert told.endswith("No test finds that a driver acts differently on promoters and on detractors.")
    assert "Staff acts differently on promoters and on detractors" in text.ordinal_check(shown.ordered(note="acts"))
    untested = shown.ordered()
    assert text.ordinal_check(untested[untested["measure"] != "proportional_odds"]).endswith("needs all three classes.")


def test_collinearity_names_the_worst_or_all_above_the_bound():
    fine = [
        row("staff", "variance_inflation", 1.1, unit="times"),
        row("price", "variance_inflation", 1.3, unit="times"),
    ]
    assert "inflated at most 1.3 times (price)" in text.collinearity(results(fine))
    hard = row("app", "variance_inflation", 7.25, unit="times", note="hard to tell from the other drivers")
    told = text.collinearity(results([*fine, hard]))
    assert told.endswith("by how much the variance of the effect is inflated: app (7.2 times).")


def test_halo_has_its_plain_meaning():
    mood = results([row("ratings", "first_component", 0.26, 0.25, 0.29, note="8% if the ratings were unrelated")])
    assert text.halo(mood).startswith(
        "One common impression tells 26% (95% interval 25% to 29%) of what the ratings vary (8% if the ratings were"
    )


def test_operation_tells_only_what_is_beyond_noise():
    assert text.operational_measures(shown.measured()) == (
        "What was measured in operation goes with what people say (correlations beyond noise): service failed with "
        "staff, −0.36 (95% interval −0.46 to −0.24)."
    )
    nothing = shown.measured().assign(lower=-0.5, upper=0.5)
    assert text.operational_measures(nothing).startswith("Nothing that was measured in operation goes with a rating")
    wording.hide_below(1000)
    assert text.operational_measures(shown.measured()).startswith("Not shown: too few")
