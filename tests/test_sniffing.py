"""What an unknown file looks like: each spelling is recognised, and by it the file is read as what was written."""

from datetime import datetime
from itertools import product

import pytest

from cxlib import files
from cxlib.errors import CxError
from cxlib.sniffing import date_formats, is_number, sniff

NOTHING = ("-", "n/a", "31.12.9999")
WHEN = [datetime(2025, 1, 31, 14, 5, 9), datetime(2025, 2, 1, 0, 0, 0), datetime(2024, 12, 24, 23, 59, 59)]
NAMES = ["Größe", "When", "Price", "Gap"]
PRICES = [1234.5, 0.25, -7.0]


def written(delimiter, decimal, day, clock, title, footer):
    """A table of names, stamps and prices in one spelling."""
    cell = [f"{price:,.2f}".translate(str.maketrans(",.", ".,") if decimal == "," else {}) for price in PRICES]
    cell = [f'"{one}"' if delimiter in one else one for one in cell]
    rows = [
        ["Größe", "When", "Price", "Gap"],
        *([f"n{i}", WHEN[i].strftime(day + clock), cell[i], "-"] for i in range(3)),
    ]
    lines = [*(["Report"] * title), *(delimiter.join(row) for row in rows), *(["Total"] * footer)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("delimiter", "decimal"), [(";", ","), (";", "."), (",", "."), ("\t", ","), ("|", ".")])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-8-sig"])
def test_a_file_is_seen_as_it_is_spelled_and_read_back(tmp_path, delimiter, decimal, encoding):
    spellings = product(("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"), ("", " %H:%M:%S", " %I:%M:%S %p"), (0, 2), (0, 1))
    for day, clock, title, footer in spellings:
        path = tmp_path / "a.csv"
        path.write_bytes(written(delimiter, decimal, day, clock, title, footer).encode(encoding))
        seen = sniff(path, NOTHING)
        pattern = () if day == "%Y-%m-%d" and "%p" not in clock else (day + clock,)
        assert (seen.form.delimiter, seen.form.decimal, seen.form.date_format) == (delimiter, decimal, pattern)
        assert seen.form.encoding == ("utf-8" if encoding == "utf-8-sig" else encoding)
        assert (seen.form.skip_rows, seen.form.header_rows, seen.form.footer_rows) == (title, 1, footer)
        assert seen.form.missing == ("-",) and [column.name for column in seen.columns] == [
            "Größe",
            "When",
            "Price",
            "Gap",
        ]
        assert seen.columns[3].values == ()
    source = files.read_file(path, seen.form)
    price = files.reading(source.view.at["Price"], "number", seen.form)
    assert [row[0] for row in source.view.frame.to_native().project(price).fetchall()] == PRICES


@pytest.mark.parametrize(
    ("values", "patterns"),
    [
        (["2025-01-31", "2025-01-31 04:05", "2025-01-31T04:05:06Z"], [""]),
        (["31.01.2025"], ["%d.%m.%Y"]),
        (["01/31/2025", "01/02/2025"], ["%m/%d/%Y"]),
        (["31/01/2025"], ["%d/%m/%Y"]),
        (["01/02/2025"], ["%m/%d/%Y", "%d/%m/%Y"]),
        (["31.01.2025", "soon"], []),
        (["12", "13"], []),
        ([], []),
    ],
)
def test_patterns_of_days(values, patterns):
    assert date_formats(values) == patterns


def test_numbers_by_their_decimal_sign():
    assert [is_number(text, ",") for text in ("1.010,5", "7", "x", "")] == [True, True, False, False]
    assert [is_number(text, ".") for text in ("1010.5", "1,010.5", "1,5", "1.2.3")] == [True, True, False, False]


@pytest.mark.parametrize("content", [b"", b"one column\n1\n", b"\n\n\n"])
def test_what_holds_no_table_is_one_line(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(CxError, match=r"^a.csv: holds no table with two columns or more; leave it out$"):
        sniff(tmp_path / "a.csv", NOTHING)


def test_a_cell_too_long_for_a_table_is_one_line(tmp_path):
    (tmp_path / "a.csv").write_text(f'a,b\n"{"x" * 200_000}",1\n')
    told = (
        r"^a.csv: cannot be read as a table \(field larger than field limit \(131072\)\); export it again, or leave it "
    )
    with pytest.raises(CxError, match=told + "out$"):
        sniff(tmp_path / "a.csv", NOTHING)


@pytest.mark.parametrize("second", ["", "x", "x,y,z,more,and more"])
def test_a_second_row_shorter_or_longer_than_the_first_is_no_header(tmp_path, second):
    """Found by hypothesis: the first row has an empty cell, the line after it ends before."""
    (tmp_path / "a.csv").write_text(f'"",When,Score\n{second}\n6,2025-03-01,9\n\n7,2025-03-02,10\n')
    seen = sniff(tmp_path / "a.csv", NOTHING)
    assert seen.form.header_rows == 1
    assert [column.name for column in seen.columns] == ["column 1", "When", "Score"]


@pytest.mark.parametrize("second", ["Q", "Q1,Q2,Q3,Q4"])
def test_rows_of_a_header_may_differ_in_width(tmp_path, second):
    ids = '"{""ImportId"": ""a""}","{""ImportId"": ""b""}"'
    (tmp_path / "a.csv").write_text(f"A,B\n{second}\n{ids}\n1,2\n3,4\n")
    seen = sniff(tmp_path / "a.csv", NOTHING)
    assert seen.form.header_rows == 3
    assert [column.values for column in seen.columns] == [("1", "3"), ("2", "4")]
