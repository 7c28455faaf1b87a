"""Tables of a study: rows kept, columns made, each fault in one line with its table, file and key."""
# ruff: noqa: E501  (a fault is one line, however long)

import duckdb
import pytest

from cxlib import files
from cxlib.errors import CxError, shortened
from cxlib.feeds import mapping
from cxlib.study import read_study

TICKETS = """Nr;Kunde;Auf;Dauer;Erste;Note;Stufe A;Stufe B;Wieder;Art
1;007;30.03.2025 01:30;1,5;90;sehr gut;;Ja;0;echt
2;008;30.03.2025 01:30;36:30:15;;schlecht;Nein;;2;echt
3;009;01.07.2025 12:00;;0;weiß nicht;;;1;echt
4;010;01.07.2025 12:00;5;7;sehr gut;;;0;Test
"""
# What the desk's columns become; test_spark_studies asks the same of Spark.
COLUMNS = """keep = {Art = ["echt"]}
[tables.tickets.columns]
ticket_id = "Nr"
customer_id = "Kunde"
opened_at = "Auf"
first_response_at = {column = "Erste", after = "Auf"}
resolved_at = {column = "Dauer", after = "Auf", unit = "hours"}
reopened = {column = "Wieder", above = 0}
escalated = {first_of = ["Stufe A", "Stufe B"], recode = {Ja = true, Nein = false}}
csat = {column = "Note", recode = {"sehr gut" = 5, gut = 4, schlecht = 1}, missing = ["weiß nicht"]}
topic = {column = "Note", recode = {schlecht = "bad"}, otherwise = "other"}
"""
STUDY = (
    """timezone = "Europe/Berlin"
[tables.tickets]
file = "tickets.csv"
delimiter = ";"
decimal = ","
date_format = "%d.%m.%Y %H:%M"
"""
    + COLUMNS
)


@pytest.fixture
def desk(tmp_path):
    """A study of tickets, with replacements in it."""

    def write(*changes, rows=TICKETS, study=STUDY):
        for old, new in changes:
            assert old in study, old
            study = study.replace(old, new)
        (tmp_path / "tickets.csv").write_text(rows, encoding="utf-8")
        (tmp_path / "desk.toml").write_text(study, encoding="utf-8")
        return tmp_path / "desk.toml"

    return write


def faults(path):
    with pytest.raises(CxError) as error:
        read_study(path)
    return list(error.value.faults)


def test_columns_are_made_as_the_study_says(desk):
    study = read_study(desk())
    tickets = study.tables.tickets.to_pandas().set_index("ticket_id")
    assert list(tickets.index) == ["1", "2", "3"]  # the test is no ticket
    # 01:30 in Berlin is 00:30 UTC; an hour and a half later the clocks there show 04:00
    assert list(map(str, tickets["resolved_at"].astype(str))) == ["2025-03-30 02:00:00", "2025-03-31 13:00:15", "nan"]
    assert list(map(str, tickets["first_response_at"].astype(str))) == [
        "2025-03-30 02:00:00",
        "nan",
        "2025-07-01 10:00:00",
    ]
    assert tickets["reopened"].tolist() == [False, True, True]
    assert tickets["escalated"].isna().tolist() == [False, False, True]
    assert tickets["escalated"].tolist()[:2] == [True, False]
    assert tickets["csat"].fillna(0).tolist() == [5, 1, 0]  # nobody said "gut", which is no fault
    assert tickets["topic"].tolist() == ["other", "bad", "other"]


def test_where_columns_come_from_is_told(desk):
    rows = mapping(read_study(desk())).to_numpy().tolist()
    assert ["tickets", "opened_at", "Auf"] in rows and ["tickets", "reopened", "Wieder as reopened"] in rows
    shown = {tuple(row) for row in mapping(read_study("own_exports")).to_numpy().tolist()}
    assert {("prices", "valid_from", "Leistung von"), ("prices", "monthly_price", "Netto, a month"),
            ("ratings", "touchpoint", "names of 12 columns"), ("touchpoints", "is_service", "is_service")} <= shown  # fmt: skip
    frame = mapping(read_study("qualtrics")).to_numpy().tolist()
    assert ["frame", "recommend", "Q1"] in frame and ["frame", "weight", "weight"] in frame
    assert not [row for row in frame if row[1] == "IPAddress"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            [('Art = ["echt"]', 'Atr = ["echt"]')],
            "tables.tickets: tickets (tickets.csv): keep: no column 'Atr'; did you mean 'Art'? There are: 'Nr', 'Kunde', 'Auf', 'Dauer', 'Erste', 'Note', 'Stufe A', 'Stufe B', 'Wieder', 'Art'",
        ),
        (
            [('Art = ["echt"]', 'Art = ["ehct"]')],
            "tables.tickets: tickets (tickets.csv): keep.Art: no value 'ehct'; did you mean 'echt'? There are: 'Test', 'echt'",
        ),
        (
            [('column = "Erste"', 'column = "Ertse"')],
            "tables.tickets: tickets (tickets.csv): columns.first_response_at: no column 'Ertse'; did you mean 'Erste'? There are: 'Nr', 'Kunde', 'Auf', 'Dauer', 'Erste', 'Note', 'Stufe A', 'Stufe B', 'Wieder', 'Art'",
        ),
        (
            [('"Erste", after = "Auf"', '"Erste", after = "Ab"')],
            "tables.tickets: tickets (tickets.csv): columns.first_response_at: no column 'Ab'; There are: 'Nr', 'Kunde', 'Auf', 'Dauer', 'Erste', 'Note', 'Stufe A', 'Stufe B', 'Wieder', 'Art'",
        ),
        (
            [('"Stufe B"]', '"Stufe C"]')],
            "tables.tickets: tickets (tickets.csv): columns.escalated: no column 'Stufe C'; did you mean 'Stufe B'? There are: 'Nr', 'Kunde', 'Auf', 'Dauer', 'Erste', 'Note', 'Stufe A', 'Stufe B', 'Wieder', 'Art'",
        ),
        (
            [("schlecht = 1", "schlehct = 1")],
            "tables.tickets: tickets (tickets.csv): columns.csat.recode: no value 'gut'; There are: 'schlecht', 'sehr gut', 'weiß nicht'",
        ),
        (
            [('schlecht = "bad"', 'schlehct = "bad"')],
            "tables.tickets: tickets (tickets.csv): columns.topic.recode: no value 'schlehct'; did you mean 'schlecht'? There are: 'schlecht', 'sehr gut', 'weiß nicht'",
        ),
        (
            [('missing = ["weiß nicht"]', 'missing = ["weiss nicht"]')],
            "tables.tickets: tickets (tickets.csv): columns.csat.missing: no value 'weiss nicht'; did you mean 'weiß nicht'? There are: 'schlecht', 'sehr gut', 'weiß nicht'",
        ),
        (
            [('column = "Wieder", above = 0', 'column = "Note", above = 0')],
            "tables.tickets: tickets (tickets.csv): column 'Note as reopened' must be a number in every row, 3 values are not, such as 'schlecht'; declare how the file writes them",
        ),
        (
            [('column = "Dauer"', 'column = "Note"')],
            "tables.tickets: tickets (tickets.csv): column 'Note as resolved_at' must be a number of hours or hours:minutes:seconds in every row, 3 values are not, such as 'schlecht'; name it in missing",
        ),
        (
            [("above = 0", "abvoe = 0")],
            "tables.tickets.columns.reopened: no key 'abvoe'; did you mean 'above'? There are: 'first_of', 'missing', 'recode', 'otherwise', 'column', 'above', 'after', 'unit'",
        ),
        (
            [('unit = "hours"', 'unit = "weeks"')],
            "tables.tickets.columns.resolved_at.unit must be 'seconds', 'minutes', 'hours' or 'days', not 'weeks'",
        ),
        (
            [("first_of = [", 'column = "Note", first_of = [')],
            "tables.tickets.columns.escalated: must have column or first_of, not both; leave one out",
        ),
        (
            [("above = 0", 'above = 0, after = "Auf"')],
            "tables.tickets.columns.reopened: must have above or after, not both; leave one out",
        ),
        (
            [('delimiter = ";"', "header_rows = 0")],
            "tables.tickets.header_rows: should be greater than or equal to 1, not '0'",
        ),
        (
            [('delimiter = ";"', "skip_row = 1")],
            "tables.tickets: no key 'skip_row'; did you mean 'skip_rows'? There are: 'file', 'database', 'table', 'delimiter', 'decimal', 'encoding', 'date_format', 'header_rows', 'skip_rows', 'footer_rows', 'missing', 'columns' and 2 more",
        ),
        (
            [("columns]", 'columns]\nreopend = "Wieder"')],
            "tables: tickets (tickets.csv): columns: no column 'reopend'; did you mean 'reopened'? There are: 'ticket_id', 'customer_id', 'channel', 'topic', 'opened_at', 'first_response_at', 'resolved_at', 'reopened', 'escalated', 'contacts', 'csat', 'issue_id'",
        ),
    ],
)
def test_a_fault_names_the_table_the_file_and_the_key(desk, changes, fault):
    assert faults(desk(*changes))[0] == f"desk.toml: {fault}"


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ("", "tables: tickets (t.parquet): column 'opened_at' must be a stamp, it is Float64; convert it"),
        (
            'columns = {opened_at = {column = "flag", after = "flag"}}',
            "tables.tickets: tickets (t.parquet): column 'flag' must be a stamp, it is Boolean; convert it",
        ),
    ],
)
def test_a_typed_column_of_another_kind_is_told_with_its_type(tmp_path, columns, fault):
    rows = "'1' AS ticket_id, '1' AS customer_id, 1.5::DOUBLE AS opened_at, true AS flag"
    duckdb.sql(f"COPY (SELECT {rows}) TO '{tmp_path}/t.parquet'")
    (tmp_path / "own.toml").write_text(f'[tables.tickets]\nfile = "t.parquet"\n{columns}')
    assert faults(tmp_path / "own.toml") == [f"own.toml: {fault}"]


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (
            'file = "own.toml"',
            "own.toml: a file must end in '.parquet', '.csv', '.txt', '.tsv', '.xlsx', '.xlsm'; export it as one of these",
        ),
        ('file = "no/rows.csv"', "no file 'rows.csv': the folder '{folder}/no' is not there or is empty"),
        ('file = "rows.csv"\nmissing = [[1]]', "frame.missing[1]: must be a text, a number or true/false, not '[1]'"),
        (
            'database = "a://b"\ntable = "t"',
            "frame.database must be the name of a variable or a file; an address does not belong in a study: put it into an environment variable, or a file of its own, and name that in database",
        ),
    ],
)
def test_what_is_no_place_of_rows_is_refused(tmp_path, frame, fault):
    (tmp_path / "own.toml").write_text(f"[frame]\n{frame}")
    told = fault.replace("{folder}", shortened(tmp_path))
    assert faults(tmp_path / "own.toml") == [f"own.toml: {told}"]


def test_faults_of_several_columns_are_told_at_once(desk):
    told = faults(desk(('column = "Erste"', 'column = "Erst"'), ('"Stufe B"]', '"Stufe C"]')))
    assert [line.split(": ")[3] for line in told] == ["columns.first_response_at", "columns.escalated"]


OTHERS = """[tables.customers]
file = "customers.csv"
[tables.prices]
file = "tickets.csv"
columns = {customer_id = "Kunde"}
invoices = {customer = "Kunde", starts = "Auf", amount = "Dauer"}
[tables.surveys]
file = "https://user:secret@host/answers.csv"
[tables.ratings]
touchpoints = {Q1 = "app"}
[tables.interactions]
invoices = {customer = "Kunde", starts = "Auf", amount = "Dauer"}
file = "tickets.csv"
"""


def test_words_that_make_no_sense_are_told_at_once(desk):
    assert faults(desk(study=OTHERS)) == [
        "desk.toml: tables.interactions: no key 'invoices'; There are: 'file', 'database', 'table', 'delimiter', 'decimal', 'encoding', 'date_format', 'header_rows', 'skip_rows', 'footer_rows', 'missing', 'columns' and 1 more",
    ]
    told = faults(desk(study=OTHERS.partition("[tables.interactions]")[0]))
    assert told == [
        "desk.toml: tables.prices: must have columns or invoices, not both; invoices name the columns that are used",
        "desk.toml: tables.surveys.file must be a file; an address does not belong in a study: put it into an environment variable, or a file of its own, and name that in database",
        "desk.toml: tables.ratings.file must be given; add it",
    ]
    assert "secret" not in str(told)


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1,234.50", ".", 1234.5), ("-12,345,678", ".", -12345678), ("1234.5", ".", 1234.5), ("1,234", ".", None),
        ("1,23.5", ".", None), ("12,5", ".", None), ("1.234,50", ",", 1234.5), ("1.234", ",", 1234), ("1.23", ",", None),
    ],
)  # fmt: skip
def test_signs_that_group_thousands_are_read_where_they_can_mean_nothing_else(text, decimal, number):
    sql = files.reading("c", "number", files.Form(decimal=decimal))
    assert duckdb.sql(f"SELECT {sql} FROM (SELECT '{text}' AS c)").fetchall() == [(number,)]
