"""Sheets of a workbook read as a CSV file of the same cells would be."""

import builtins
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest

from cxlib import files, workbook
from cxlib.csvfile import Form
from cxlib.errors import CxError
from cxlib.study import read_study


@pytest.fixture
def write(tmp_path):
    """A workbook with the given rows on each sheet; returns its path."""

    def path(name="a.xlsx", **sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / name)
        return tmp_path / name

    return path


def rows_of(path, form=Form()):  # noqa: B008
    frame = files.read_file(path, form).view.to_pandas()
    return list(frame), frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


def test_cells_are_read_as_their_text(write):
    cells = [
        1001,
        1.5,
        -2.0,
        1e20,
        True,
        date(2025, 1, 31),
        datetime(2025, 1, 31, 4, 5, 6),
        time(4, 5),
        timedelta(hours=30, minutes=1),
        "007",
        "  x",
        None,
    ]
    path = write(Data=[[f"c{i}" for i in range(len(cells))], cells])
    assert rows_of(path)[1] == [
        [
            "1001",
            "1.5",
            "-2",
            "1e+20",
            "true",
            "2025-01-31",
            "2025-01-31 04:05:06",
            "04:05:00",
            "30:01:00",
            "007",
            "  x",
            None,
        ]
    ]


def test_numbers_take_the_decimal_sign_of_the_study(write):
    path = write(Data=[["a", "b"], [1.5, "2,5"]])
    assert rows_of(path, Form(decimal=","))[1] == [["1,5", "2,5"]]


def test_lines_around_the_table_gaps_and_headers_of_two_rows(write):
    path = write(
        Data=[["Report"], [], ["id", "Rate us", None], [None, "App", "Shop"], [1, 5, 4], [], [2, None, 3], ["Total", 5]]
    )
    assert rows_of(path, Form(skip_rows=2, header_rows=2, footer_rows=1)) == (
        ["id", "Rate us: App", "Rate us: Shop"], [["1", "5", "4"], ["2", None, "3"]],
    )  # fmt: skip


def test_the_one_sheet_with_data_is_taken_or_the_one_that_is_named(write):
    path = write(Empty=[], Data=[["a", "b"], [1, 2]])
    assert rows_of(path) == (["a", "b"], [["1", "2"]])
    path = write(Notes=[["x", "y"], [0, 0]], Data=[["a", "b"], [1, 2]])
    assert rows_of(path, Form(table="Data")) == (["a", "b"], [["1", "2"]])
    assert workbook.sheets(path) == ["Notes", "Data"]


def test_a_study_of_a_workbook(write, tmp_path):
    people = [["Account", "Since", "Until"], ["A1", date(2025, 1, 31), None], ["A2", "28.02.2025", date(2025, 9, 30)]]
    write("crm.xlsx", Notes=[["x"]], Accounts=people)
    (tmp_path / "acme.toml").write_text(
        '[tables.customers]\nfile = "crm.xlsx"\ntable = "Accounts"\ndate_format = "%d.%m.%Y"\n'
        'columns = {customer_id = "Account", signup_date = "Since", end_date = "Until"}\n'
    )
    people = read_study(tmp_path / "acme.toml").tables.customers.to_pandas()
    assert people["signup_date"].astype(str).tolist() == ["2025-01-31", "2025-02-28"]


@pytest.mark.parametrize(
    ("sheets", "form", "fault"),
    [
        (
            {"Notes": [["x"]], "Data": [["a", "b"]]},
            {},
            "a.xlsx: a workbook must have one sheet with data, it has 'Notes', 'Data'; name one with table",
        ),
        ({"Empty": []}, {}, "a.xlsx: a workbook must have one sheet with data, all are empty"),
        (
            {"Accounts": [["a", "b"]]},
            {"table": "Acounts"},
            "a.xlsx: no sheet 'Acounts'; did you mean 'Accounts'? There are: 'Accounts'",
        ),
        ({"Data": [["a", "a"], [1, 2]]}, {}, "a.xlsx: two columns are named 'a'; give each its own name"),
        (
            {"Data": [["a", "b"], [1, 2, 3]]},
            {},
            "a.xlsx, line 2: every row must have 2 columns, this one has 3; quote the delimiters in texts",
        ),
    ],
)
def test_faults_of_a_sheet(write, sheets, form, fault):
    with pytest.raises(CxError) as error:
        rows_of(write(**sheets), Form(**form))
    assert error.value.faults == (fault,)


def test_what_is_no_workbook_is_one_line(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0 an old or encrypted one")
    with pytest.raises(CxError) as error:
        files.read_file(tmp_path / "a.xlsx")
    assert error.value.faults == (
        "a.xlsx: not a workbook that can be read (File is not a zip file); save it as .xlsx without a password",
    )


def test_a_workbook_that_unpacks_to_more_than_a_sheet_can_hold_is_refused(write, monkeypatch):
    monkeypatch.setattr(workbook, "LARGEST", 100)
    with pytest.raises(CxError, match="the workbook holds more than 0 GB; export the sheet as CSV"):
        files.read_file(write(Data=[["a", "b"], [1, 2]]))


def test_without_openpyxl_the_line_says_what_to_install(write, monkeypatch):
    path, real = write(Data=[["a", "b"], [1, 2]]), builtins.__import__

    def absent(name, *rest, **more):
        if name == "openpyxl":
            raise ImportError
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(CxError) as error:
        files.read_file(path)
    assert error.value.faults == ("a.xlsx: workbooks need openpyxl; install it (pip install openpyxl)",)
