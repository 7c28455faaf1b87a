"""First studies of folders of unknown files: each of the exports is recognised, and its study reads without a fault."""
# ruff: noqa: E501  (a fault is one line, however long)

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

import cxlib as cx
from cxlib.__main__ import main
from cxlib.errors import CxError, ending
from cxlib.guessing import write_guess
from cxlib.study import ROOT, read_study, study_answers

EXPORTS = ROOT / "data" / "exports"
ZONE = "timezone: stamps without a zone are read as UTC; name the zone they are in"


@pytest.fixture
def folder(tmp_path):
    """A folder with some of the exports in it."""

    def put(*names: str, **files: str):
        for name in names:
            shutil.copy(EXPORTS / name, tmp_path)
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return tmp_path

    return put


def test_all_exports_together_make_the_study_that_a_person_wrote(folder):
    names = ("crm_accounts.csv", "invoices.csv", "zendesk_tickets.csv", "qualtrics_survey.csv", "touchpoints.csv")
    path, settle, faults = write_guess(folder(*names))
    assert (settle, faults) == ([], [])  # the zone is told by Qualtrics
    guessed, written = read_study(path), read_study("own_exports")
    assert guessed.timezone == written.timezone == "Europe/Berlin"
    for table, seen in written.tables.present.items():
        columns = [name for name in seen.at if name in guessed.tables.present[table].at]
        assert len(columns) == len(seen.at), table
        here, there = (
            one.to_pandas(*columns).sort_values(columns, ignore_index=True)
            for one in (guessed.tables.present[table], seen)
        )
        assert here.equals(there), table
    assert guessed.attrition.causes == written.attrition.causes
    assert set(written.experience.drivers) <= set(guessed.experience.drivers)


@pytest.mark.parametrize(("file", "settle"), [("crm_accounts.csv", []), ("zendesk_tickets.csv", [ZONE]),
                                              ("qualtrics_survey.csv", []), ("surveymonkey_survey.csv", [])])  # fmt: skip
def test_each_export_alone_reads_without_a_fault(folder, file, settle):
    path, told, faults = write_guess(folder(file))
    assert (told, faults) == (settle, [])
    study = read_study(path)
    if "survey" in file:
        written = read_study(file.removesuffix("_survey.csv"))
        assert cx.nps(study_answers(study))["estimate"][0] == cx.nps(study_answers(written))["estimate"][0]
        assert len(study.experience.drivers) == 12


def test_prices_alone_are_told_what_they_lack(folder):
    with pytest.raises(CxError) as error:
        write_guess(folder("invoices.csv"))
    assert error.value.faults == (
        f"--guess: '{folder()}' must hold a list of customers, tickets, or answers with a score; there is 'invoices.csv'; "
        "invoices.csv looks like invoices; add the list of customers they belong to",
    )
    assert sorted(path.name for path in folder().iterdir()) == ["invoices.csv"]


def test_a_workbook_and_a_parquet_file_are_looked_at_too(folder, tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (
        ["All accounts"],
        [],
        ["Account ID", "Region", "Subscription start", "Subscription end"],
        ["A1", "North", "2025-01-31", None],
        ["A2", "South", "2025-02-28", "2025-09-30"],
    ):
        book.active.append(row)
    book.save(tmp_path / "accounts.xlsx")
    read_study("example").tables.tickets.to_pandas().head(50).assign(customer_id="A1").to_parquet(
        tmp_path / "cases.parquet"
    )
    path, settle, faults = write_guess(tmp_path)
    assert (settle, faults) == ([ZONE, *settle[1:]], [])
    tables = read_study(path).tables
    assert tables.customers.to_pandas()["customer_id"].tolist() == ["A1", "A2"]
    assert len(tables.tickets.to_pandas()) == 50


def test_a_day_that_could_be_a_month_is_left_to_a_person(folder):
    rows = "customer id;sign up date;end date\n1;01/02/2025;\n2;03/04/2025;05/06/2025\n"
    path, settle, faults = write_guess(folder(people=rows))
    assert settle == [
        "people.csv: column 'sign up date': is the day or the month first? %m/%d/%Y is a guess",
        "people.csv: column 'end date': is the day or the month first? %m/%d/%Y is a guess",
    ]
    assert faults == [] and 'delimiter = ";"' in path.read_text()


def test_what_is_like_nothing_known_is_named_and_left_out(folder):
    _, settle, faults = write_guess(folder("zendesk_tickets.csv", notes="a,b\n1,2\n", one="a\n1\n"))
    assert faults == [] and sorted(settle) == [
        "notes.csv: looks like no table of a study; it is not used",
        "one.csv: holds no table with two columns or more; leave it out",
        ZONE,
    ]


def test_a_question_the_data_do_not_answer_does_not_keep_the_rest_from_being_read(folder):
    people = "customer id,sign up date,end date\n" + "".join(f"{i},2025-01-{i:02},\n" for i in range(1, 29))
    tickets = "ticket id,customer id,created at,resolved at\n" + "".join(
        f"{i},{i},2025-12-{i:02} 10:00,2025-12-{i:02} 11:00\n" for i in range(1, 29)
    )
    path, settle, faults = write_guess(folder(people=people, tickets=tickets))
    assert settle == [
        ZONE,
        "[attrition] is left out: landmark: on 2025-09-29, nobody of 28 customers left within 90 days; choose another as_of or horizon_days",
    ]
    assert faults == [] and "# [attrition]" in path.read_text()


def test_names_are_written_so_that_toml_reads_them_back(folder):
    odd = 'it"s \\ a\ttab ]\u007f é 😀'
    path, _, faults = write_guess(
        folder(
            people='customer id,sign up date,end date,"region ' + odd.replace('"', '""') + '"\n1,2025-01-01,,North\n'
        )
    )
    assert faults == []
    assert read_study(path).tables.customers.to_pandas()["region"].tolist() == ["North"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--guess", "{folder}/nowhere"],
            "--guess: '{folder}/nowhere' must be a folder of exports; it is not there, or is a file",
        ),
        (
            ["--guess", "{folder}"],
            "--guess: '{folder}/study.toml' is there already and is not replaced; rename or remove it",
        ),
        (["zendesk", "--guess", "{folder}"], "study: a study file or --guess DIR must be given, and not both"),
        ([], "study: a study file or --guess DIR must be given, and not both"),
    ],
)
def test_what_is_refused(folder, capsys, monkeypatch, arguments, line):
    path = folder("zendesk_tickets.csv")
    monkeypatch.chdir(path.parent)  # of a long path only the end is told
    (path / "study.toml").write_text("mine")
    assert main(["study", *(one.replace("{folder}", path.name) for one in arguments)]) == 2
    assert capsys.readouterr().err.splitlines() == [f"cx: {line.replace('{folder}', path.name)}"]
    assert (path / "study.toml").read_text() == "mine"


def test_the_command_says_where_the_study_is_and_what_to_settle(folder, capsys):
    assert main(["study", "--guess", str(folder("zendesk_tickets.csv"))]) == 0
    out, err = capsys.readouterr()
    assert out == f"{folder()}/study.toml: can be read; 1 to settle\n" and err == f"cx: settle: {ZONE}\n"
    assert main(["study", str(folder() / "study.toml")]) == 0
    out = capsys.readouterr().out
    assert "tickets  first_response_at  First reply time in minutes" in out and "service measures" in out


def test_a_study_that_cannot_be_read_before_something_is_settled_is_exit_1(folder, capsys):
    rows = "customer id,sign up date,end date\n1,2025-01-01,\n2,2025-01-02,2025-05-01\n"
    tickets = "ticket id,customer id,created at,closed at\n" + "".join(
        f"{i},1,2025-03-30 02:30,2025-04-01 11:00\n" for i in range(3)
    )
    answers = 'Response ID,"Likely to recommend",submitted at,customer id\n{"ImportId":"a"},"{""ImportId"":""b"",""timeZone"":""Europe/Berlin""}",{"ImportId":"c"},{"ImportId":"d"}\n'
    assert (
        main(
            [
                "study",
                "--guess",
                str(folder(people=rows, tickets=tickets, answers=answers + "r1,9,2025-04-01 10:00,1\n")),
            ]
        )
        == 1
    )
    out, err = capsys.readouterr()
    assert out.endswith("study.toml: cannot be read yet; 1 to settle\n")
    assert err.startswith(
        "cx: settle: study.toml: tables: tickets (tickets.csv): column 'created at': 3 stamps lie in an hour that clocks in Europe/Berlin skip, such as '2025-03-30 02:30'; "
    )


def sqlite_of(path, **frames):
    with closing(sqlite3.connect(path)) as connection:
        for name, frame in frames.items():
            frame.to_sql(name, connection, index=False)


def duckdb_of(path, **frames):
    with closing(duckdb.connect(str(path))) as connection:
        for name, frame in frames.items():
            connection.register("given", pa.Table.from_pandas(frame))
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM given')


def rows(seen):
    frame = seen.to_pandas()
    return frame.sort_values(list(frame), ignore_index=True)[sorted(frame)]


@pytest.mark.parametrize(("ending", "write"), [("sqlite", sqlite_of), ("db", sqlite_of), ("duckdb", duckdb_of)])
def test_the_tables_of_a_database_are_guessed_as_files_are(tmp_path, ending, write):
    """The authority is the guess at the same tables in files."""
    example = {name: seen.to_pandas() for name, seen in read_study("example").tables.present.items()}
    wanted = {name: example[name].head(300) for name in ("customers", "tickets", "surveys")}
    wanted["customers"] = example["customers"]
    (tmp_path / "files").mkdir()
    for name, frame in wanted.items():
        frame.to_csv(tmp_path / "files" / f"{name}.csv", index=False)
    (tmp_path / "base").mkdir()
    write(tmp_path / "base" / f"own.{ending}", Notes=pd.DataFrame({"a": ["x"], "b": ["y"]}),
          **{f"All {name}": frame for name, frame in wanted.items()})  # fmt: skip
    path, settle, faults = write_guess(tmp_path / "base")
    assert faults == [] and f"own.{ending}, table 'Notes': looks like no table of a study; it is not used" in settle
    there, here = read_study(write_guess(tmp_path / "files")[0]).tables.present, read_study(path).tables.present
    assert set(here) == set(there) == set(wanted)
    for name, seen in here.items():
        pd.testing.assert_frame_equal(rows(seen), rows(there[name]), check_dtype=False)


def test_a_database_that_is_none_is_told_and_the_rest_is_guessed(folder):
    place = folder("crm_accounts.csv")
    for name in ("a.sqlite", "b.duckdb", "c.db"):
        (place / name).write_bytes(b"SQLite format 3\x00" + b"no database at all" * 60)
    sqlite_of(place / "empty.sqlite")
    _, settle, faults = write_guess(place)
    assert faults == [] and [line.split(":")[0] for line in settle] == ["a.sqlite", "b.duckdb", "c.db"]
    assert all("that can be read (" in line for line in settle)


def test_a_table_of_a_database_that_cannot_be_read_is_told(folder):
    place = folder("crm_accounts.csv")
    with closing(sqlite3.connect(place / "a.sqlite")) as connection:
        connection.execute("CREATE TABLE t (w text)")
        connection.execute("INSERT INTO t VALUES (CAST(x'ff' AS TEXT))")
        connection.commit()
    (line,) = (line for line in write_guess(place)[1] if line.startswith("a.sqlite"))
    assert line.startswith("a.sqlite, table 't': cannot be read (Could not decode to UTF-8")
    assert line.endswith("); it is not used")


def test_a_link_is_not_written_through_and_a_pipe_not_waited_for(folder, tmp_path_factory):
    place, other = folder("crm_accounts.csv"), tmp_path_factory.mktemp("other")
    (place / "study.toml").symlink_to(other / "study.toml")
    os.mkfifo(place / "waits.csv")
    with pytest.raises(CxError, match=r"study.toml' is there already and is not replaced; rename or remove it"):
        write_guess(place)
    (place / "study.toml").unlink()
    assert write_guess(place)[2] == [] and not list(other.iterdir())


def test_a_folder_that_cannot_be_written_to_is_told(folder, monkeypatch):
    place = folder("crm_accounts.csv")
    monkeypatch.setattr(Path, "write_text", refused)
    with pytest.raises(CxError, match=r"study.toml' cannot be written \(Permission denied\); copy the exports to a"):
        write_guess(place)
    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(CxError) as error:
        write_guess(place)
    assert error.value.faults == (f"--guess: '{ending(place)}' cannot be looked into (Permission denied)",)


def test_a_folder_of_nothing_that_can_be_read_is_told(tmp_path):
    told = "must hold a list of customers, tickets, or answers with a score; there is no file that can be read; add the list"
    with pytest.raises(CxError) as error:
        write_guess(tmp_path)
    assert error.value.faults == (f"--guess: '{ending(tmp_path)}' {told} of customers they belong to",)


def test_of_two_files_like_one_table_the_better_is_used(folder, tmp_path_factory):
    place = folder("crm_accounts.csv")
    rows = (place / "crm_accounts.csv").read_bytes()
    (place / "other_accounts.csv").write_bytes(rows)
    told = "other_accounts.csv: looks like customers, as crm_accounts.csv does; it is not used"
    assert told in write_guess(place)[1]


def refused(*given, **named):
    raise PermissionError(13, "Permission denied")
