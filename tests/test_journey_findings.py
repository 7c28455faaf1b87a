"""Sentences of the journey: the estimate with its interval and n, honest about none and too few."""

import pytest

import cxlib as cx
from cxlib import text
from cxlib.schema import results
from tests.shown import row


def preventable(cause="product_fault", n=8180):
    per = {"unit": "tickets per 100 customers in 30 days", "n": n}
    return results([
        row(cause, "preventable", 0.46, 0.43, 0.49, n=n), row(cause, "naive", 0.6, 0.58, 0.62, n=n),
        row("contacts", "rate", 13.3, 12.9, 13.7, **per), row("contacts", "rate_otherwise", 7.1, 6.9, 7.3, **per),
    ])  # fmt: skip


def switches(lower=-1.4, upper=-0.2, held="same topic and how the ticket before went"):
    points = {"unit": "points", "n": 185}
    return results([
        row("issues", "several", 0.05, 0.04, 0.06, n=7700), row("issues", "switched", 0.7, 0.65, 0.74, n=425),
        row("switch", "naive", -1.4, -1.8, -1.0, **points),
        row("switch", "adjusted", -0.8, lower, upper, method=f"{held}; resampled", **points),
        row("switch", "matched", 0.99, n=125),
    ])  # fmt: skip


def loop(lower=-0.07, upper=0.15):
    back = [("share", 0.7), ("followed", 0.76), ("not_followed", 0.65), ("naive", 0.1), ("answered_again", 0.32)]
    rows = [row("coming_back", name, value, value - 0.05, value + 0.05, n=343) for name, value in back]
    within = row("follow_up", "within_target", 0.42, 0.39, 0.45, n=1061)
    return results([within, *rows, row("coming_back", "adjusted", 0.03, lower, upper, n=343)])


def scope():
    return results([
        row("service", "share", 0.28, 0.26, 0.3, n=37871), row("service", "reach", 0.77, 0.75, 0.79, n=4840),
        row("service", "proactive", 0.11, 0.09, 0.13, n=10504), row("rest", "proactive", 0.67, 0.65, 0.69, n=27367),
        row("all", "unplaced", 12, n=12, unit="interactions"),
    ])  # fmt: skip


def test_scope_tells_service_reach_who_started_and_what_is_left_out():
    assert text.interaction_scope(scope()) == (
        "Of 37,871 interactions, 28% (95% interval 26% to 30%) are service; 77% (75% to 79%) of the customers with any "
        "interaction had one of service. The company started 11% (9% to 13%) of the service (proactive; the rest is "
        "reactive: customers had to ask), and 67% (65% to 69%) of all else. Left out: 12 interactions at unknown "
        "touchpoints."
    )


def test_the_map_names_the_busiest_and_the_worst_place():
    rows = []
    for stage, department, share, rating in (("use", "product", 0.6, 4.2), ("renew", "sales", 0.4, 2.7)):
        own = {"stage": stage, "department": department}
        rows += [own | row("rest", "interactions", share, share - 0.02, share + 0.02),
                 own | row("rest", "rating", rating, rating - 0.1, rating + 0.1, unit="points")]  # fmt: skip
    told = text.journey_map(results(rows, by=["stage", "department"]))
    assert "Most interactions are in product at stage use with 60% (95% interval 58% to 62%)" in told
    assert "rated lowest is sales at stage renew at 2.7" in told


def test_preventable_contacts_name_the_assumption_and_the_naive_figure():
    told = text.preventable_contacts(preventable(), 7)
    assert told.startswith(
        "46% (95% interval 43% to 49%) of the contacts would not have come without product faults, if"
    )
    assert "Comparing customers who had one with those who had none would say 60% (58% to 62%)" in told
    assert "more than 7 days ago; n = 8,180 tickets." in told


@pytest.mark.parametrize(("upper", "unclear"), [(-0.2, False), (0.3, True)])
def test_a_switch_that_cannot_be_told_from_none_is_called_so(upper, unclear):
    told = text.channel_switches(switches(upper=upper))
    assert "among tickets alike in topic and how the ticket before went it is −0.8" in told
    assert ("cannot be told from none" in told) is unclear
    assert "For 99% of the switched there are others alike; n = 185 rated tickets." in told


@pytest.mark.parametrize(("lower", "words"), [(-0.07, "cannot be told from none"), (0.01, "is more than noise")])
def test_the_loop_sets_the_plain_difference_beside_the_one_alike(lower, words):
    told = text.closed_loop(loop(lower), 7)
    assert "are followed up within 7 days; n = 1,061 answers" in told
    assert "10 percentage points (5 to 15) apart" in told
    assert words in told
    assert text.closed_loop(loop(), 1).count("within 1 day;") == 1


def test_checks_say_whether_the_answer_stands():
    same = text.window_check(preventable(), preventable(), 7, 14)
    assert "within 14 days and not 7 days of product faults" in same
    assert same.endswith("the same within noise.")
    told = text.switch_check(switches(), switches(held="same topic"))
    assert told.startswith("Held alike in topic alone, switched tickets are rated −0.8")
    topics = results([row("product fault", "share", 0.2, 0.18, 0.22), row("billing", "share", 0.8, 0.78, 0.82)])
    assert "its 20% on product fault lies apart from what the timing says, 46%" in text.contact_topics(
        topics, preventable()
    )


def test_the_answer_takes_what_there_is():
    comments = results([row("service", "share", 0.23, 0.21, 0.25, n=1778)])
    whole = text.journey_answer(scope(), preventable(), loop(), comments, " from 2024-07-01 to 2026-06-30")
    assert whole == (
        "28% (95% interval 26% to 30%) of the interactions are service, 46% (43% to 49%) of the service contacts would "
        "not have come without product faults, each customer compared with themselves, 42% (39% to 45%) of the "
        "detractors are followed up in time and 23% (21% to 25%) of the comments are about service; n = 37,871 "
        "interactions, 8,180 tickets, 1,061 detractors and 1,778 comments from 2024-07-01 to 2026-06-30."
    )
    assert text.journey_answer(None, None, None, comments) == (
        "23% (95% interval 21% to 25%) of the comments are about service; n = 1,778 comments."
    )
    assert text.journey_answer(None, None, None, None) is None


def test_too_few_are_not_told():
    few = results([row("service", "share", 0.5, 0.1, 0.9, n=4)])
    assert text.journey_answer(None, None, None, few) is None


def test_another_cause_is_named_in_the_plural():
    assert "without outages" in text.preventable_contacts(preventable("outages"), 7)
    assert "without late invoices" in text.preventable_contacts(preventable("late_invoice"), 7)


def test_comments_are_shown_only_where_the_study_allows_it():
    study = cx.read_study("example")
    said = cx.study_comments(study)
    shown = text.comments_shown(cx.comment_examples(said, True), True)
    assert "Comments by theme" in shown.as_raw_html()
    refused = text.comments_shown(cx.comment_examples(said, False), False)
    assert refused == "No comment is shown: the study does not say show_comments = true in its [privacy]."


def test_the_table_of_the_map_has_a_row_a_place():
    found = cx.journey_map(cx.study_history(cx.read_study("example")))
    html = text.journey_table(found).as_raw_html()
    assert html.count("<tr>") >= 11
    assert "mean rating" in html
    assert text.journey_table(None) is None


def test_rows_are_counted_before_and_after_a_day():
    study = cx.read_study("example")
    past = cx.study_history(study, "2025-07-01")
    html = text.rows_in_journey(study, past, cx.study_comments(study, "2025-07-01")).as_raw_html()
    whole, kept = (len(tables.interactions.to_pandas("at")) for tables in (study.tables, past))
    assert f"{whole:,}" in html
    assert f"{kept:,}" in html
    assert text.journey_period(past) == " from 2024-07-01 to 2025-06-30"
