"""Text files as exports write them: headers of several rows, lines around the table, words for nothing, encodings."""
# ruff: noqa: E501  (a fault is one line, however long)

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from cxlib import csvfile, files
from cxlib.csvfile import Form, column_names, told
from cxlib.errors import CxError


@pytest.fixture
def read(tmp_path):
    """Columns and rows of a text as a form reads it; a missing cell is None."""

    def rows(text: str | bytes, form: Form = Form(), name: str = "a.csv"):  # noqa: B008
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        frame = files.read_file(tmp_path / name, form).view.to_pandas()
        return list(frame), frame.astype(object).where(frame.notna(), None).to_numpy().tolist()

    return rows


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([["a", " b ", ""]], ["a", "b", "column 3"]),
        ([["Q1", "Q2"], ["How likely?", "Why?"], ['{"ImportId":"1"}', '{"ImportId":"2"}']], ["Q1", "Q2"]),
        (
            [["Id", "Rate us:", "", "Why?"], ["", "App", "Shop", "Open-Ended Response"]],
            ["Id", "Rate us: App", "Rate us: Shop", "Why?"],
        ),
        (
            [["Id", "Rate", "", ""], ["", "App", "", "Shop"], ["", "", "x", ""]],
            ["Id", "Rate: App", "Rate", "Rate: Shop"],
        ),
        ([["a", "a", "a"], ["x", "y", "x"], ["1", "1", "2"]], ["a: x: 1", "a: y", "a: x: 2"]),
        ([["How\nlikely ", "", "b"], ["A", "B"]], ["How likely: A", "How likely: B", "b"]),
        ([["", "b"], ["x", ""]], ["column 1", "b"]),
    ],
)
def test_the_first_row_names_columns_and_the_rows_below_tell_them_apart(rows, names):
    assert column_names(rows) == names


DATA = "id,text\n1,a\n2,b\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "after", "form"),
    [
        ("", "", {}),
        ("Report ä\n\n", "", {"skip_rows": 2}),
        ("", "\nTotal: 2\n\nConfidential\n\n", {"footer_rows": 2}),
        ('"A title, of\ntwo lines"\n', "Total\n", {"skip_rows": 2, "footer_rows": 1}),
        ("", "2 rows of data", {"footer_rows": 1}),  # no line end after it
    ],
)
def test_lines_around_the_table_are_left_out(read, encoding, end, before, after, form):
    text = (before + DATA + after).replace("\n", end).encode(encoding)
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    assert read(text, Form(encoding=declared, **form)) == (["id", "text"], [["1", "a"], ["2", "b"]])


def test_a_header_of_several_rows_may_hold_lines_and_delimiters(read):
    text = 'a,b\n"How likely\nare you, really?","Why, ""please""?"\n"{""ImportId"":1}",x\n1,"two\nlines"\n'
    assert read(text, Form(header_rows=3)) == (["a", "b"], [["1", "two\nlines"]])


def test_words_for_nothing_are_nothing_in_every_column_and_no_part_of_a_word_is(read):
    form = Form(missing=("-", "-99", "n/a"))
    assert read("a,b\n-,-99\nn/a,-990\n-x,N/A\n", form)[1] == [[None, None], [None, "-990"], ["-x", "N/A"]]


def test_words_for_nothing_that_are_numbers_go_from_columns_of_numbers_too(tmp_path):
    import pandas as pd

    pd.DataFrame({"a": [1, -99], "b": [0.5, -99.0], "c": ["-99", "x"]}).to_parquet(tmp_path / "a.parquet")
    frame = files.read_file(tmp_path / "a.parquet", Form(missing=("-99", "x"))).view.to_pandas()
    assert frame.isna().to_numpy().tolist() == [[False, False, True], [True, True, True]]


def test_words_for_nothing_that_are_days_go_from_columns_of_days_and_stamps_too(tmp_path):
    import pandas as pd

    days = pd.to_datetime(["2025-01-31", "9999-12-31", "1900-01-01"]).astype("datetime64[us]")
    pd.DataFrame({"day": days.date, "at": days + pd.Timedelta("5h")}).to_parquet(tmp_path / "a.parquet")
    frame = files.read_file(tmp_path / "a.parquet", Form(missing=("9999-12-31", "1900-01-01", "-"))).view.to_pandas()
    assert frame.isna().to_numpy().tolist() == [[False, False], [True, True], [True, True]]


@pytest.mark.parametrize(
    ("text", "form", "fault"),
    [
        ("a\n", {"header_rows": 2}, "a.csv: the file must have 2 rows of header, it has 1"),
        ("x\n\na,b\n", {"skip_rows": 1}, "a.csv: line 2 must name the columns, it is empty"),
        ("", {"skip_rows": 5}, "a.csv: line 6 must name the columns, it is empty"),
        ("a,\nx,x\n1,2\n", {"header_rows": 2}, "a.csv: two columns are named 'a: x'; give each its own name"),
        ("title\na;b\n1;2\n", {"skip_rows": 1}, 'a.csv: the columns seem to be parted by ";"; declare delimiter = ";"'),
        ("title\na,b\n1,2\n1,2,3\n", {"skip_rows": 1}, "a.csv, line 4: every row must have 2 columns, this one has 3; quote the delimiters in texts"),
        ("a,b\n1,2\nTotal\n", {}, "a.csv, line 3: every row must have 2 columns, this one has 1; add the cells it lacks"),
        (b"t\na,b\n1,2\n1,\xff\n", {"skip_rows": 1}, 'a.csv, line 4: the text is not UTF-8; declare its encoding in the study, such as encoding = "cp1252"'),
        ("a" * 200_000 + ",b\n1,2\n", {}, "a.csv: the row of names cannot be read (field larger than field limit (131072)); name the rows before it in skip_rows"),
        ("a,b\n1,2\n".encode("utf-16") + b"x", {"encoding": "utf-16"}, 'a.csv: the text is not utf-16, as declared; declare the encoding it has, such as "utf-8"'),
        (b"t\n\xff,b\n1,2\n", {"skip_rows": 1}, 'a.csv, line 2: the text is not UTF-8; declare its encoding in the study, such as encoding = "cp1252"'),
    ],
)  # fmt: skip
def test_a_fault_names_the_line_of_the_file(read, text, form, fault):
    with pytest.raises(CxError) as error:
        read(text, Form(**form))
    assert error.value.faults == (fault,)


WIDE = "a.csv, line {}: every row must have 3 columns, this one has {}; quote the delimiters in texts"
BLANK = WIDE + ", or remove those at the end of the row"
FEW = "a.csv, line {}: every row must have {} columns, this one has {}; add the cells it lacks"
ENDS = "a.csv, line {}: the lines before end otherwise; save the file with one kind of line end, and quote texts that hold one"


@pytest.mark.parametrize("size", [0, 1 << 30])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a,b,c\n1,2,3\n4,5,6,\n7,8,9\n", BLANK.format(3, 4)),
        ("a,b,c\n1,Smith, John,\n4,5,6\n", BLANK.format(2, 4)),  # read without a word, John would be in c
        ("a,b,c\n1,2,3\n4,5,6,", BLANK.format(3, 4)),
        ("a,b,c\n1,2,3,,\n4,5,6\n", BLANK.format(2, 5)),
        ('a,b,c\n1,2,3,""\n4,5,6\n', BLANK.format(2, 4)),
        ("a,b,c\n1,2,3, \n4,5,6\n", WIDE.format(2, 4)),
        ("a,b,c\n1,2,3,4\n4,5,6\n", WIDE.format(2, 4)),
        ("a,b,c\n1,2,3,\n4,5,6,\n", BLANK.format(2, 4)),  # every row, but not the header
        ('a,b,c\n1,"x, y,",3\n4,5,6,\n', BLANK.format(3, 4)),
        ('a,b,c\n1,"x\ny,",3\n4,5,6,\n', BLANK.format(4, 4)),  # the line of the file, not the row
        ('a,b,c\n1,"x\ny,",3\n4,5,6,7\n', WIDE.format(4, 4)),
        ('a,b,c\n1,5" pipe,3\n4,5" pipe,6,\n', BLANK.format(3, 4)),
        (f"a,b,c\n1,{'x' * 1_500_000},3\n4,5,6,\n", BLANK.format(3, 4)),
        ("a,b,c,\n1,2,3,\n4,5,6\n", FEW.format(3, 4, 3) + ", or end the header without a delimiter"),
        ("a,b,c\n1,2,3\n\n4,5\n", FEW.format(4, 3, 2)),
        ("a,b,c\n1,2,3\n4,5,6\r\n7,8,9\n", ENDS.format(3)),
        ("a,b,c\r\n1,2,3\r\n4,5,6\n", ENDS.format(3)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_of_another_length_is_refused_whatever_its_last_cell_holds(read, monkeypatch, size, text, fault, end):
    """DuckDB drops empty cells beyond the last column without a word."""
    monkeypatch.setattr(files, "IN_MEMORY", size)
    with pytest.raises(CxError) as error:
        read(text if "\r" in text else text.replace("\n", end))
    assert error.value.faults == (fault,)


@pytest.mark.parametrize("form", [{"encoding": "cp1252"}, {"skip_rows": 1}, {"header_rows": 2}, {"delimiter": "§"}])
def test_a_row_too_wide_is_refused_however_the_file_is_spelled(read, form):
    part = form.get("delimiter", ",")
    lines = ["title"] * ("skip_rows" in form) + ["a,b,c"] + [",,x"] * ("header_rows" in form) + ["1,2,3", "4,5,6,"]
    with pytest.raises(CxError) as error:
        read("\n".join(lines).replace(",", part).encode(form.get("encoding", "utf-8")), Form(**form))
    assert error.value.faults == (BLANK.format(len(lines), 4),)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_a_delimiter_at_the_end_of_every_line_and_of_the_header_is_an_empty_column(read, end, last):
    text = f'a,b,c,\n1,"x, ""y"",",3,\n4,,,{last}'.replace("\n", end)
    assert read(text) == (["a", "b", "c", "column 4"], [["1", 'x, "y",', "3", None], ["4", None, None, None]])


def test_a_message_of_the_engine_is_moved_to_the_line_of_the_file():
    error = ValueError("CSV Error on Line: 7\nExpected Number of Columns: 2 Found: 1")
    assert told("a.csv", error, before=3).startswith("a.csv, line 10: every row must have 2 columns")


@pytest.mark.parametrize("size", [0, 1 << 30])
def test_a_large_file_reads_the_same(read, size, monkeypatch):
    monkeypatch.setattr(files, "IN_MEMORY", size)
    text = "Report\n" + "id,text\n" + "".join(f"{i},x\n" for i in range(5000)) + "Total\n"
    names, rows = read(text, Form(skip_rows=1, footer_rows=1))
    assert names == ["id", "text"] and len(rows) == 5000


def test_what_is_written_holds_nothing_that_a_spreadsheet_would_run():
    risky = ["=1+1", "+49", "-2+3", "@SUM(1)", "\t=1", " =1", "＝1", "\n=1"]
    table = pd.DataFrame({"=cmd": [*risky, "plain", "a=b", ""], "n": range(-5, 6)})
    back = pd.read_csv(io.BytesIO(csvfile.written(table)), keep_default_na=False)
    assert back["'=cmd"].tolist() == [*(f"'{text}" for text in risky), "plain", "a=b", ""]
    assert back["n"].tolist() == list(range(-5, 6))


@pytest.mark.parametrize("text", ["\r=1", "a\r=1", "a\r\n=1", 'a",=1', "a,=1"])
def test_no_text_that_is_written_begins_another_row_or_cell(text):
    """Read as Python's own csv module reads it, which splits rows at every line end outside quotes."""
    [_, row] = csv.reader(io.StringIO(csvfile.written(pd.DataFrame({"a": [text]})).decode(), newline=""))
    assert len(row) == 1 and "\r" not in row[0]


def test_tables_are_written_as_csv_in_one_place():
    """A sheet of a workbook is copied for DuckDB to read, into a folder that goes when it is read."""
    writers = {path.name for path in Path(csvfile.__file__).parent.glob("*.py")
               for sign in ("to_csv", "csv.writer", "write_csv", "to_excel", "to_clipboard")
               if sign in path.read_text(encoding="utf-8")}  # fmt: skip
    assert writers == {"csvfile.py", "workbook.py"}
