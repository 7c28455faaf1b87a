"""Data health in words. Authority: findings and results made by hand."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib import health, text, wording
from cxlib.schema import results
from cxlib.study import read_study
from tests.shown import row

GOOD = ("contract", "tickets", "ticket_id is unique", 100, 0, 0.0, "", "ok")
BAD = ("contract", "tickets", "resolved_at is not before opened_at", 100, 3, 0.03, "2026-01-01", "fails")
ODD = ("scale", "surveys", "recommend is on the scale 0 to 10", 90, 90, 1.0, "", "look")


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


def found(*rows):
    return pd.DataFrame(rows, columns=health.FINDING)


def cells(table):
    return table._tbl_data.to_numpy().tolist()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((GOOD, GOOD), "2 rules were checked and all hold."),
        ((GOOD, BAD), "2 rules were checked, 1 holds and 1 fails."),
        ((GOOD, BAD, BAD, ODD), "4 rules were checked, 1 holds, 2 fail and 1 asks for a look."),
    ],
)
def test_rules_are_counted_by_how_they_went(rows, told):
    assert text.contract(found(*rows)) == told


def test_broken_rules_are_shown_with_their_rows_and_without_the_values():
    """Values are told by `cx check`, to whoever has the data; a page may be passed on."""
    assert cells(text.broken_rules(found(GOOD, BAD, ODD))) == [
        ["tickets", "resolved at is not before opened at", "100", "under 10", "fails"],
        ["surveys", "recommend is on the scale 0 to 10", "90", "90", "look at it"],
    ]
    assert text.broken_rules(found(GOOD)) is None
    assert cells(text.every_rule(found(GOOD))) == [["tickets", "ticket id is unique", "100", "0"]]


def test_rules_about_one_thing_are_told_whether_they_hold_or_not():
    assert len(cells(text.rules_about(found(GOOD, BAD), "unique", "Keys"))) == 1
    assert text.rules_about(found(GOOD), "is not before", "Stamps") is None


def test_stamps_that_run_backwards_are_counted():
    assert text.backwards(found(GOOD, BAD)) == (
        "Stamps run backwards in under 10 of 100 rows of tickets, resolved at is not before opened at. Durations of "
        "these rows are refused, never averaged."
    )
    assert text.backwards(found((*BAD[:4], 0, 0.0, "", "ok"))) == "No stamp runs backwards."
    assert text.backwards(found(GOOD)) is None


def test_empty_cells_are_told_from_the_emptiest():
    told = text.missing_values(cx.missing_values(pd.DataFrame({"a": [1.0, None] * 20, "b": 1, "c": "x"})))
    assert told == ("Empty most often: a in 50% (95% interval 35% to 65%) of the rows; 2 of 3 columns have no gap.")
    assert text.missing_values(cx.missing_values(pd.DataFrame({"b": [1] * 20}))) == "No column has an empty cell."


def test_empty_cells_of_tables_too_small_are_not_called_full():
    rows = [row("a", "missing", 0.0, n=n, table=table) for table, n in (("x", 500), ("y", 400), ("z", 4))]
    assert text.missing_values(results(rows, by=["table"])) == (
        "No column that is shown has an empty cell. Not shown, of tables too small: 2 columns."
    )


def gaps(n=500):
    return results([{"touchpoint": "app", **row("ratings", "not_rated", 0.9, 0.87, 0.93, n=n)},
                    {"touchpoint": "price", **row("ratings", "not_rated", 0.1, 0.07, 0.13, n=n)}],
                   ["touchpoint"])  # fmt: skip


def test_touchpoints_are_told_from_the_least_to_the_most_rated():
    told = text.missing_ratings(gaps())
    assert told.startswith(
        "App has no rating in 90% (95% interval 87% to 93%) of the answers, price in 10% (7% to 13%)"
    )
    assert text.missing_ratings(gaps(n=5)).startswith("Not shown: too few")


def test_leaks_are_named_and_so_is_their_absence():
    rows = pd.DataFrame({"left": [0, 0, 1, 1] * 9, "complained": [0, 0, 1, 1] * 9, "age": [1, 2, 1, 2] * 9})
    assert text.leaks(cx.leaks(rows, "left")) == (
        "These columns all but decide the outcome, and were perhaps made from it: complained (100%)."
    )
    assert text.leaks(cx.leaks(rows, "left", leave_out=["complained"])) == (
        "No column gives the outcome away: the most telling, age, tells 0% of it, n = 36."
    )


def test_months_without_rows_are_named():
    rows = [{"table": "tickets", "period": f"2026-0{i}-01", **row("rows", "rows", n, n=n, unit="rows")}
            for i, n in ((1, 30), (2, 0), (3, 40))]  # fmt: skip
    table = results(rows, ["table", "period"])
    assert text.rows_by_period(table) == "Hardly any rows, or none: tickets in 2026-02. Was everything loaded?"
    assert text.rows_by_period(table[table["n"] > 0]) == "No month between the first and the last is without rows."
    assert text.rows_by_period(None) is None


def test_repeated_rows_are_told():
    repeated = cx.duplicates(pd.DataFrame({"a": [1, 2] * 20}))
    assert (
        text.duplicates(repeated)
        == "38 of 40 rows repeat another one; leave them out, unless two customers can be alike."
    )
    few = cx.duplicates(pd.DataFrame({"a": [1, *range(40)]}))
    assert text.duplicates(few).startswith("Under 10 of 41 rows repeat another one; ")
    assert text.duplicates(cx.duplicates(pd.DataFrame({"a": range(20)}))) == "None of 20 rows repeats another one."
    assert text.duplicates(None) is None


def test_the_answer_tells_rules_notebooks_and_the_touchpoint_rated_least():
    study = read_study("example")
    parts = len(cx.describe_study(study))
    can = f"{parts} of {parts} parts of the notebooks can run"
    tail = "; the touchpoint rated least, app, has no rating in 90% (95% interval 87% to 93%) of n = 500 answers."
    assert text.health_answer(study, found(GOOD), gaps()) == f"All 1 rules hold and {can}{tail}"
    assert text.health_answer(study, found(GOOD, BAD, ODD)) == f"1 of 3 fail, 1 asks for a look and {can}."
    assert text.health_answer(study, found(GOOD, ODD)) == f"None of 2 rules fails, 1 asks for a look and {can}."


def test_what_can_run_is_told_for_every_notebook_there_is(tmp_path):
    table = cells(text.coverage(read_study("example")))
    assert {row[0] for row in table} >= {"01-scorecard", "06-data-health"}
    (tmp_path / "rows.csv").write_text("recommend\n9\n")
    (tmp_path / "own.toml").write_text('[frame]\nfile = "rows.csv"\n[experience]\n')
    lacking = {(row[0], row[1]): row[2:] for row in cells(text.coverage(read_study(tmp_path / "own.toml")))}
    assert lacking[("01-scorecard", "NPS, CSAT and CES")] == ["yes", ""]
    assert lacking[("01-scorecard", "service measures")] == ["no", "This study has no table 'tickets'."]


def test_the_tables_of_a_study_are_told_with_their_days():
    told = {name: rest for name, *rest in cells(text.tables_held(read_study("example")))}
    assert told["tickets"] == ["8,180", "12", "2024-07-01 to 2026-06-30"]
    assert told["prices"][-1] == ""
