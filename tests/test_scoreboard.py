"""The scorecard's two tables and its sentence. Authority: handmade results, and the table of what belongs to which."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib import scoreboard, text, wording
from cxlib.schema import results
from cxlib.scope import Scope
from cxlib.study import read_study
from tests.shown import row


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


NPS = results([row("nps", "nps", 25, 20, 31, unit="points", n=700)])
SOLVED = results([
    row("resolution_time", "median", 14, 13, 15, unit="hours", n=900, method="Kaplan-Meier; opened_at to resolved_at"),
    row("resolution_time", "within_target", 0.86, 0.84, 0.88, n=900, method="Kaplan-Meier; within 72 hours, x"),
    row("resolution_time", "still_open", 0.06, 0.04, 0.07, n=900),
    row("resolution_time", "excluded", 3, n=900, unit="tickets"),
])  # fmt: skip
REPLIED = results([row("first_response_time", "median", 0.2, 0.15, 0.25, unit="hours", n=900)])


def cells(table):
    return table._tbl_data.replace("\N{NO-BREAK SPACE}", " ", regex=True).to_numpy().tolist()


def test_experience_and_service_are_parted_as_the_kit_teaches():
    sides = {words: title for title, words, _ in scoreboard.BELONGS.values()}
    experience = {words.split(",")[0] for words, title in sides.items() if title == scoreboard.EXPERIENCE}
    assert experience == {"NPS", "CSAT", "CES", "Attrition rate"}
    terms = {term for (term, _), (title, *_) in scoreboard.BELONGS.items() if title == scoreboard.SERVICE}
    assert terms == {
        "first_response_time", "resolution_time", "first_contact_resolution", "escalation_rate", "ticket_volume",
    }  # fmt: skip


def test_two_tables_hold_the_measures_in_their_order_with_units_and_targets():
    left, right = text.scorecard(SOLVED, None, REPLIED, NPS)
    assert cells(left) == [["NPS, points", "25 (20 to 31)", "700"]]
    assert [row[:2] for row in cells(right)] == [
        ["First response, half within, minutes", "12 (9 to 15)"],
        ["Resolution, half within, hours", "14 (13 to 15)"],
        ["Resolved within 72 hours", "86% (84% to 88%)"],
        ["Still open", "6% (4% to 7%)"],
    ]
    page = text.scorecard(SOLVED, NPS)._repr_html_()
    assert page.count("<table") == 2
    assert '<div class="pair"' in page


def test_a_study_that_feeds_one_side_has_one_table_and_none_has_none():
    assert cells(text.scorecard(NPS, None))[0][0] == "NPS, points"
    assert text.scorecard(None, None) is None
    assert text.definitions(None) is None


def test_small_groups_have_no_numbers():
    assert cells(text.scorecard(NPS.assign(n=9)))[0] == ["NPS, points", "too few", "–"]


def test_each_measure_says_how_it_was_computed():
    told = dict(cells(text.definitions(NPS, SOLVED)))
    assert told["Resolution, half within, hours"].endswith("Kaplan-Meier; opened at to resolved at")
    assert told["NPS, points"] == "promoters less detractors, per hundred answers; by hand"


def test_groups_stand_in_rows_and_small_ones_are_hidden():
    rows = [{"segment": name, **row("nps", "nps", x, x - 9, x + 9, unit="points", n=n)}
            for name, x, n in (("large", 10, 90), ("middle", 30, 40), ("small", 50, 5))]  # fmt: skip
    table = text.by_group(results(rows, ["segment"]), None)
    # The next smallest goes with the small one.
    assert cells(table) == [["large", "10 (1 to 19)"], ["middle", "too few"], ["small", "too few"]]
    assert text.by_group(None) is None


def test_the_answer_is_one_sentence_with_interval_n_and_period():
    scope = cx.study_scope(read_study("example"))
    lost = results([row("all", "cohort", 0.1, 0.09, 0.11, n=2747)])
    assert text.scorecard_answer(scope, NPS, None, lost, SOLVED) == (
        "NPS is 25 (95% interval 20 to 31) points, 10% (9% to 11%) of the customers left within 90 days, half of the "
        "tickets are resolved within 14 (13 to 15) hours and 6% (4% to 7%) of them are still open; n = 700 answers, "
        "n = 2,747 customers and n = 900 tickets from 2026-04-02 to 2026-06-30."
    )
    assert text.scorecard_answer(scope, NPS.assign(n=9)) is None
    assert text.scorecard_answer(scope, None) is None


def test_a_study_without_dates_names_no_period():
    assert text.scorecard_answer(Scope(), NPS) == "NPS is 25 (95% interval 20 to 31) points; n = 700 answers."


def test_what_a_study_lacks_is_named_once():
    assert text.lacking(Scope()) == (
        "Not in this study, and left out below: NPS, CSAT and CES (no scores), attrition (no customers with their "
        "ends) and the service measures (no tickets)."
    )
    study = read_study("example")
    assert text.lacking(cx.study_scope(study)) is None
    assert text.about_scope(study, cx.study_scope(study, "2026-03-01", 30)) == (
        "Study: Bundled example, simulated. This period: the 30 days from 2026-01-30 to 2026-02-28; what came from "
        "2026-03-01 on counts as not known."
    )


def test_rows_are_counted_in_the_data_and_in_the_period():
    scope = cx.study_scope(read_study("example"), days=30)
    told = {name: counts for name, *counts in cells(text.rows_in_scope(scope))}
    tickets = scope.tables.tickets.to_pandas("opened_at")["opened_at"]
    assert told["tickets"] == [f"{len(tickets):,}", f"{(tickets >= pd.Timestamp(scope.first)).sum():,}"]
    assert list(told) == ["answers", "invitations", "tickets", "customers"]
    assert text.rows_in_scope(Scope()) is None
