"""Sentences, word for word, from handmade results. Authority: the sentence a careful analyst would write by hand."""

import pytest

from cxlib import text, wording
from cxlib.errors import CxError
from cxlib.schema import results
from tests import shown
from tests.shown import row

WHO = "customers at risk on 2026-04-01, followed for 90 days"


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


def test_attributable_fractions_tell_interval_n_period_and_assumption():
    told = text.attributable_fractions(shown.fractions(), WHO)
    assert told == (
        "Of all attrition, 28% (95% interval 19% to 36%) is associated with service, 17% (−3% to 23%) is "
        "associated with "
        "price (which cannot be told from none) and 45% (36% to 54%) with either, if the confounders named "
        "are all there "
        "are; n = 2,772 customers at risk on 2026-04-01, followed for 90 days."
    )


def test_three_causes_are_any_of_them_and_one_cause_stands_alone():
    three = results(
        [row(c, "average_fraction", 0.2, 0.1, 0.3) for c in "abc"] + [row("joint", "fraction", 0.5, 0.4, 0.6)]
    )
    assert "and 50% (40% to 60%) with any of them," in text.attributable_fractions(three)
    one = results([row("a", "average_fraction", 0.2, 0.1, 0.3), row("joint", "fraction", 0.2, 0.1, 0.3)])
    assert text.attributable_fractions(one).startswith(
        "Of all attrition, 20% (95% interval 10% to 30%) is associated with a, if"
    )


def test_the_measure_told_can_be_chosen():
    assert "29% (95% interval 20% to 37%) is associated with service" in text.attributable_fractions(
        shown.fractions(), measure="fraction"
    )


def test_naive_and_adjusted_tell_the_direction_of_the_difference():
    both = text.beside(naive=shown.naive(), adjusted=shown.fractions())
    assert text.naive_and_adjusted(both) == (
        "Service goes with 41% (95% interval 34% to 48%) before adjusting and with 29% (20% to 37%) after "
        "it, 12 percentage "
        "points less; price goes with 20% (12% to 26%) before adjusting and with 18% (−2% to 24%) after it, "
        "2 percentage "
        "points less."
    )


def test_importance_taken_alone_is_told_in_r_squared():
    alone = results([row("service", "importance", 0.31, 0.27, 0.35, unit="R²", n=812)])
    told = text.naive_and_adjusted(text.beside(naive=alone, adjusted=shown.importance()), measure="importance")
    assert told == (
        "Service goes with R² 0.31 (95% interval 0.27 to 0.35) taken alone and with 0.13 (0.08 to 0.18) "
        "beside the others, "
        "0.18 less."
    )


def test_equal_estimates_are_called_the_same():
    same = results([row("service", "fraction", 0.289, 0.2, 0.4)])
    assert text.naive_and_adjusted(text.beside(naive=same, adjusted=shown.fractions())).endswith("after it, the same.")


def test_bounds_are_told_as_bounds():
    assert text.role_interval(shown.role()) == (
        "Of all departures, service plays a role in at least 29% (95% interval 20% to 37%) and at most 47% "
        "(41% to 54%); "
        "price plays a role in at least 18% (10% to 24%) and at most 38% (31% to 43%). Where between its "
        "bounds a share "
        "lies, no data can tell."
    )


def test_outweighs_names_all_three_denominators():
    assert text.outweighs(shown.weighing()) == (
        "Among departures after a failure of either, price outweighs service in 31% (95% interval 24% to "
        "43%) and service "
        "outweighs price in 69% (57% to 76%); price outweighs service in 21% (14% to 33%) of all departures "
        "and in 10% (3% "
        "to 22%) of those after both."
    )


def test_outweighs_without_anyone_who_had_both_or_either():
    nobody = shown.weighing(both=float("nan"))
    assert text.outweighs(nobody).endswith("of all departures.")
    nobody.loc[nobody["measure"] == "of_any", ["estimate", "lower", "upper"]] = float("nan")
    assert (
        text.outweighs(nobody)
        == "Too few left after a failure of price or service to say which of the two outweighs the other."
    )


@pytest.mark.parametrize("weighing", [None, False])
def test_the_attrition_answer_is_one_sentence_with_and_without_both_causes(weighing):
    alone = text.attrition_answer(shown.fractions(), weighing, WHO)
    whole = text.attrition_answer(shown.fractions(), shown.weighing(), WHO)
    end = f", if the confounders named are all there are; n = 2,772 {WHO}."
    assert alone.endswith(f"45% (36% to 54%) with either{end}")
    assert whole.endswith(
        f"with either, and price outweighs service in 31% (24% to 43%) of the departures after a failure of either{end}"
    )
    assert alone.count(". ") == whole.count(". ") == 0


def test_nps_of_all():
    assert text.nps(shown.nps(), "answers given in May") == (
        "NPS is 25 points (95% interval 23 to 27); n = 5,425 answers given in May."
    )


def test_nps_by_group_tells_the_ends_and_whether_their_intervals_overlap():
    told = text.nps(shown.nps({"small_business": 40, "consumer": 50}))
    assert told == (
        "NPS runs from 0 (95% interval −4 to 4) in small business to 10 (6 to 14) in consumer; the intervals "
        "of these two do "
        "not overlap."
    )
    near = shown.nps({"a": 40, "b": 50}).assign(lower=-20.0)
    assert text.nps(near).endswith("the intervals of these two overlap.")


def test_small_groups_are_counted_and_not_told():
    told = text.nps(shown.nps({"tiny": 4, "few": 9, "b": 50, "c": 60}))
    assert "tiny" not in told
    assert "few" not in told
    assert told.endswith(" Not shown, because too small: 2.")
    assert text.nps(shown.nps({"tiny": 4, "few": 9, "b": 50})) == (
        "Fewer than two groups are large enough to be compared. Not shown, because too small: 2."
    )
    wording.hide_below(6000)
    assert text.nps(shown.nps()) == "Not shown: too few, as fewer than 6,000 stand behind each figure."


def test_relative_importance_tells_service_first_then_the_largest():
    assert text.relative_importance(shown.importance(), "answers given in May") == (
        "Of the variation in the score that the drivers account for (R² 0.50, 0.46 to 0.55), 26% (95% "
        "interval 23% to 29%) "
        "goes with service, 50% (47% to 53%) goes with product and 24% (21% to 27%) goes with price; n = 812 "
        "answers given "
        "in May."
    )


def test_more_than_four_drivers_are_summed_up():
    shares = [row(name, "share", 0.1 * i, 0, 1) for i, name in enumerate("abcdef")]
    many = results([*shares, row("model", "r_squared", 0.5, 0.4, 0.6, unit="R²")])
    assert "goes with c and the rest with 2 more;" in text.relative_importance(many)


def test_the_experience_answer_is_one_sentence_with_the_score():
    told = text.experience_answer(shown.importance(), shown.nps(), "answers given in May")
    assert told.endswith(
        "24% (21% to 27%) goes with price; NPS is 25 points (95% interval 23 to 27); n = 812 answers given in May."
    )
    assert told.count(". ") == 0


CLAIM = {"claim": "service is a quarter", "source": "Press", "value": 0.25, "unit": "share"}


@pytest.mark.parametrize(
    ("value", "place"), [(0.19, "below"), (0.193, "inside"), (0.25, "inside"), (0.358, "inside"), (0.36, "above")]
)
def test_a_published_figure_is_placed_beside_the_interval(value, place):
    told = text.claim(CLAIM | {"value": value}, shown.fractions(), ("service", "average_fraction"))
    assert told == (
        f'Published: "service is a quarter" (Press). {wording.percent(value)} lies {place} the 95% interval '
        f"of the estimate, "
        "19% to 36%."
    )


@pytest.mark.parametrize(("value", "place"), [(0.19, "below"), (0.25, "inside"), (0.53, "inside"), (0.55, "above")])
def test_a_published_figure_is_placed_beside_two_bounds(value, place):
    at = ("service", "lower_bound"), ("service", "upper_bound")
    assert text.claim(CLAIM | {"value": value}, shown.role(), *at).endswith(
        f"lies {place} the range of the two bounds with their 95% intervals, 20% to 54%."
    )


def test_a_published_figure_about_a_cause_the_study_does_not_name():
    told = text.claim(CLAIM, shown.role(), ("waiting", "lower_bound"), ("waiting", "upper_bound"))
    assert told.endswith("It cannot be compared: this study gives no interval for waiting.")


def test_the_published_claims_have_every_column_and_an_untestable_case():
    claims = text.claims()
    assert list(claims.columns) == [
        "label", "claim", "about", "value", "relation", "unit", "population", "n", "part_of", "year", "source", "test",
        "untestable",
    ]  # fmt: skip
    assert claims.loc[["service_role", "price_outweighs"], "value"].tolist() == [0.25, 0.3]
    assert (claims[["claim", "source", "test", "untestable"]] != "").all(axis=None)


def test_a_verdict_is_told_with_its_estimate_or_its_reason():
    claims, at = text.claims(), ("service", "average_fraction")
    tested = text.verdict(claims.loc["service_role"], shown.fractions(), at)
    quoted = '"service plays a role in about one quarter of customer attrition" (Gartner, cited by Capterra).'
    assert tested.startswith(f"Published of customers who left, not described further: {quoted} ")
    row = text.pick(shown.fractions(), *at)
    assert tested.endswith(f"onsistent: the estimate here is {text.estimate(row)}.")
    none = text.verdict(claims.loc["unhappy_tell"], None)
    assert none.endswith("It cannot be tested with these data, because no column says who told others about their "
                         "experience.")  # fmt: skip
    few = shown.fractions().assign(n=3)
    assert text.verdict(claims.loc["service_role"], few, at).endswith(
        "because this study gives no interval for service."
    )


def test_alarms_are_told_or_their_absence():
    calm = results([row("service", "e_value", 4.5, unit="risk ratio")])
    assert text.alarms(calm) == "None of the checks raises an alarm."
    loud = results([row("a", "alarm", 0.9, note="'a' alone tells 90%"), row("b", "alarm", 0.1, note="few")])
    assert text.alarms(loud) == "Alarm: 'a' alone tells 90%. Few."
    assert text.alarms(loud)._repr_html_().count("<li>") == 2


def test_an_alarm_is_told_with_the_answer_and_its_absence_is_not():
    calm, loud = (results([row("service", measure, 4.5, note="few")]) for measure in ("e_value", "alarm"))
    whole = text.attrition_answer(shown.fractions(), shown.weighing(), WHO)
    assert text.attrition_answer(shown.fractions(), shown.weighing(), WHO, calm) == whole
    warned = text.attrition_answer(shown.fractions(), shown.weighing(), WHO, loud)
    assert warned == whole.removesuffix(".") + "; read it with care, for the checks raise an alarm."


def test_a_missing_estimate_is_named():
    with pytest.raises(CxError, match=r"no estimate 'servce\.fraction'; did you mean 'service\.fraction'"):
        text.pick(shown.fractions(), "servce", "fraction")


@pytest.mark.parametrize(
    "sentence",
    [text.attributable_fractions, text.naive_and_adjusted, text.role_interval, text.outweighs, text.nps, text.alarms,
     text.relative_importance, text.attrition_answer],
)  # fmt: skip
def test_what_a_study_does_not_feed_gives_no_sentence(sentence):
    assert sentence(None) is None
    assert text.experience_answer(None, None) is None
    assert text.claim(CLAIM, None, ("service", "fraction")) is None
