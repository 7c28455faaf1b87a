"""What a scorecard counts. Authority: pandas on the example's tables, and days by hand."""

from datetime import date, timedelta

import pandas as pd
import pytest

import cxlib as cx
from cxlib import engine
from cxlib.errors import CxError
from cxlib.study import read_study

LAST = date(2026, 6, 30)


@pytest.fixture(scope="module")
def example():
    return read_study("example")


@pytest.fixture(scope="module")
def tables(example):
    return {name: seen.to_pandas() for name, seen in example.tables.present.items()}


@pytest.mark.parametrize(("as_of", "end"), [("", LAST + timedelta(days=1)), ("2026-03-01", date(2026, 3, 1))])
@pytest.mark.parametrize("days", [30, 90])
@pytest.mark.parametrize("group", [("", ""), ("segment", "enterprise")])
def test_answers_tickets_and_customers_of_the_period_and_the_group(example, tables, as_of, end, days, group):
    scope = cx.study_scope(example, as_of, days, *group)
    assert (scope.first, scope.end, scope.last) == (end - timedelta(days=days), end, end - timedelta(days=1))
    assert scope.opens == scope.first - timedelta(days=1)
    assert scope.as_of == (end if as_of else None)
    people = tables["customers"]
    people = people[people["segment"] == group[1]] if group[0] else people
    start, stop = pd.Timestamp(scope.first), pd.Timestamp(end)
    surveys = tables["surveys"][tables["surveys"]["customer_id"].isin(people["customer_id"])]
    for seen, low, high in ((scope.answers, start, stop), (scope.before, start - (stop - start), start)):
        assert engine.rows(seen) == surveys["answered_at"].between(low, high, inclusive="left").sum()
    tickets = tables["tickets"][tables["tickets"]["customer_id"].isin(people["customer_id"])]
    opened = tickets[tickets["opened_at"].between(start, stop, inclusive="left")]
    assert engine.rows(scope.desk.tickets) == len(opened)
    assert engine.rows(scope.closed.tickets) == (opened["resolved_at"] < stop).sum()
    begun, ended = (pd.to_datetime(people[name]) for name in ("signup_date", "end_date"))
    there = people[(begun < stop) & ~(ended < stop - pd.Timedelta(days=1))]  # an end is the last day there
    margins = cx.population_shares(scope)
    assert margins["plan"] == there["plan"].value_counts().sort_index().astype(float).to_dict()
    assert {sum(shares.values()) for shares in margins.values()} == {float(len(there))}


def test_a_group_is_followed_as_far_as_the_whole(example):
    scope = cx.study_scope(example, only_column="segment", only_value="enterprise")
    assert scope.tables.last_day == scope.desk.last_day == scope.closed.last_day == LAST
    ratings = scope.tables.ratings.to_pandas("survey_id")["survey_id"]
    assert set(ratings) <= set(scope.tables.surveys.to_pandas("survey_id")["survey_id"])


def test_invitations_end_early_enough_to_be_answered_and_hide_what_came_later(example, tables):
    scope = cx.study_scope(example, "2026-03-01", 30)
    invited = scope.invited.to_pandas()
    sent = tables["surveys"]["sent_at"].between("2026-01-16", pd.Timestamp("2026-02-15") - pd.Timedelta(1, "us"))
    assert len(invited) == sent.sum()
    assert invited["answered_at"].max() < pd.Timestamp("2026-03-01")
    assert (invited["recommend"].notna() <= invited["answered_at"].notna()).all()


def test_the_waves_are_those_that_are_compared(example):
    scope = cx.study_scope(example)
    waves, change = scope.waves(), cx.compare_nps(scope.before, scope.answers).set_index("measure")
    assert waves["answers"] == change.loc["before", "n"]
    assert waves["answers"] * waves["ratio"] == pytest.approx(change.loc["after", "n"])
    assert sum(waves["mix"]) == pytest.approx(1)


def write(folder, study, **files):
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "own.toml").write_text(study)
    return read_study(folder / "own.toml")


def test_tickets_alone_can_be_told_by_a_column_of_theirs(tmp_path):
    rows = "ticket_id,channel,opened_at,resolved_at\n1,mail,2026-01-01,2026-01-02\n2,phone,2026-01-05,\n"
    study = write(tmp_path, '[tables]\ntickets = "tickets.csv"', tickets=rows)
    scope = cx.study_scope(study, days=10, only_column="channel", only_value="mail")
    assert engine.rows(scope.desk.tickets) == 1
    assert scope.tables.last_day == date(2026, 1, 5)
    assert scope.customers is scope.based is scope.answers is cx.population_shares(scope) is None
    assert scope.having("resolved_at") is scope.desk
    assert scope.having("resolved_at", "escalated") is None


def test_a_frame_is_one_period(tmp_path):
    study = write(
        tmp_path,
        '[frame]\nfile="r.csv"\n[experience]\nsatisfaction="overall"\n[attrition]\noutcome="gone"\nleft_value="y"',
        r="recommend,overall,gone\n9,5,y\n3,2,n\n",
    )
    scope = cx.study_scope(study)
    assert (scope.first, scope.before, scope.tables, scope.history) == (None, None, None, None)
    assert (scope.satisfaction, scope.effort, scope.outcome) == ("overall", None, "gone")
    assert engine.rows(scope.answers) == engine.rows(scope.people) == 2


def test_a_wave_with_no_answers_is_none_and_not_a_number(tmp_path):
    study = write(
        tmp_path,
        'tables = "."',
        customers="customer_id,signup_date,end_date\n1,2025-01-01,\n",
        surveys="survey_id,customer_id,sent_at,answered_at,recommend\n1,1,2026-01-02,2026-01-03,9\n2,1,2026-05-01,,\n",
    )
    scope = cx.study_scope(study, days=30)
    assert scope.answers is scope.before is None
    assert engine.rows(scope.history) == 1


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"days": 0}, "days must be a whole number from 1 to 36500, not 0"),
        ({"as_of": "2026-07-02"}, "as_of must not lie beyond the day after the last of the data, 2026-06-30, not "),
        ({"as_of": "soon"}, "as_of must be an ISO day such as 2026-03-31 or 'latest', not 'soon'"),
        ({"only_column": "segmnt", "only_value": "x"}, "only_column: no column 'segmnt'; did you mean 'segment'?"),
        ({"only_column": "segment", "only_value": "consumr"}, "no value 'consumr'; did you mean 'consumer'?"),
    ],
)  # fmt: skip
def test_what_is_no_scope_is_refused(example, options, fault):
    with pytest.raises(CxError) as refused:
        cx.study_scope(example, **options)
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("every", "first", "end", "kept"),
    [
        ("month", "2026-01-01", "2026-03-11", ["2026-01-01", "2026-02-01"]),
        ("month", "2026-01-03", "2026-03-01", ["2026-01-01", "2026-02-01"]),  # within the first tenth
        ("month", "2026-01-05", "2026-03-01", ["2026-02-01"]),
        ("week", "2026-01-05", "2026-01-21", ["2026-01-05", "2026-01-12"]),
        ("quarter", "2026-01-01", "2026-06-30", ["2026-01-01"]),
    ],
)
def test_periods_the_data_hold_in_part_are_left_out(every, first, end, kept):
    """Days by hand: a period counts if its last day is in the data, and the first tenth of its first one."""
    days = pd.DataFrame({"at": pd.date_range(first, pd.Timestamp(end) - pd.Timedelta(days=1))})
    found = cx.whole_periods(days, "at", every, date.fromisoformat(end)).to_pandas("period")["period"]
    assert sorted(found.unique()) == kept


def test_periods_begin_by_the_clock_of_the_study():
    """Half past eleven at night in London's winter is the next day, and month, in Berlin."""
    stamps = pd.DataFrame({"at": pd.to_datetime(["2026-01-31 23:30", "2026-02-15 12:00", "2026-03-01 00:00"])})
    found = cx.whole_periods(stamps, "at", "month", date(2026, 3, 1), "Europe/Berlin").to_pandas()
    assert found["period"].tolist() == ["2026-02-01", "2026-02-01"]


def test_the_study_of_a_group_holds_that_group_alone(example):
    north = cx.study_of_group(example, "region", "North")
    assert set(north.tables.customers.to_pandas("region")["region"]) == {"North"}
    assert cx.study_of_group(example) is example
