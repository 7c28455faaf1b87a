"""Text files as exports write them: encodings, lines before and after the table, headers of several rows."""

from __future__ import annotations

import codecs
import csv
import re
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from .errors import CxError, beginning, refuse, shortened

ENDINGS = {".csv": ",", ".txt": ",", ".tsv": "\t"}
FORMULA = tuple("=+-@＝＋－＠")  # with which a spreadsheet lets a formula begin
_ROW = re.compile(r"Line: (\d+)")
_COUNTS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


@dataclass(frozen=True)
class Form:
    """How a file spells its values, and where in it they are."""

    delimiter: str = ""  # "" = by the file's ending
    decimal: str = "."
    encoding: str = "utf-8"
    date_format: tuple[str, ...] = ()
    header_rows: int = 1
    skip_rows: int = 0  # lines before the header
    footer_rows: int = 0  # lines after the data
    missing: tuple[str, ...] = ()  # what the file writes for nothing
    table: str = ""  # of a database; the sheet of a workbook

    @property
    def bare(self) -> bool:
        """Whether the file is nothing but one row of names and the data."""
        return (self.header_rows, self.skip_rows, self.footer_rows) == (1, 0, 0)


PLAIN = Form()


@dataclass(frozen=True)
class Text:
    """A file of UTF-8 text to read: with its header if `header`, else data alone, `before` lines into the original."""

    path: Path
    names: list[str]
    header: bool
    before: int


@contextmanager
def as_utf8(path: Path, form: Form, name: str) -> Iterator[Text]:
    """The file, or a passing UTF-8 copy of its data alone: DuckDB reads other encodings only with a download."""
    names, before = _header(path, form, name)
    if is_utf8(form.encoding) and form.bare:
        yield Text(path, names, True, 0)
        return
    with tempfile.TemporaryDirectory(prefix="cxlib-") as folder:
        copy = Path(folder) / "data.csv"
        try:
            # As bytes that are no UTF-8 came in, so they go out: DuckDB tells their line.
            with _opened(path, form) as lines, copy.open("w", encoding="utf-8", errors=_errors(form), newline="") as to:
                to.writelines(_without_footer(islice(lines, before, None), form.footer_rows))
        except UnicodeError:
            raise CxError(_not_in(name, form.encoding)) from None
        yield Text(copy, names, False, before)


def written(table: pd.DataFrame) -> bytes:
    """A table as CSV that a spreadsheet may open: texts that it would run as a formula stand behind an apostrophe.

    Every file of CSV that the kit hands out is written here. Numbers are numbers, also below zero.
    """
    safe = table.rename(columns=_no_formula).apply(lambda column: column.map(_no_formula))
    return safe.to_csv(index=False, lineterminator="\n").encode()


def _no_formula(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")  # a bare \r is not quoted, and would begin another row
    return f"'{text}" if text.lstrip()[:1] in FORMULA or text[:1] in ("\t", "\n") else text


def told(name: str, error: Exception, before: int = 0) -> str:
    """One line for what DuckDB says about a file: the row, and what to do."""
    text = str(error)
    row = _ROW.search(text)
    at = f"{name}, line {int(row[1]) + before}" if row else name
    if counts := _COUNTS.search(text):
        return _ragged(at, int(counts[1]), int(counts[2]))
    if isinstance(error, FileNotFoundError) or "No files found" in text:
        return f"{at}: the file is gone, it was there before; put it back and run again"
    if "not utf-8" in text:
        return f'{at}: the text is not UTF-8; declare its encoding in the study, such as encoding = "cp1252"'
    if "unterminated quote" in text:
        return f'{at}: a quote (") is opened and never closed; close or double it'
    return f"{at}: cannot be read ({beginning(error, 120)}); export or copy it again"


def is_ragged(error: Exception) -> bool:
    """Whether DuckDB met a row of another length, or lines that end in different ways."""
    return bool(_COUNTS.search(str(error))) or "reached an invalid state" in str(error)


def refuse_ragged(text: Text, delimiter: str, name: str, known: bool = False) -> None:
    """Refuse the first row that has not as many cells as there are names, or does not end as the first line does.

    DuckDB drops cells beyond the last name where they are empty. Such a row may hold an unquoted delimiter further
    left, and what follows it would stand one column too far right. `known`: something is wrong, only not where.
    """
    if not known and _fits(text.path, len(text.names), delimiter):
        return
    width, line, usual = len(text.names), text.before + 1, None
    for row, end, lines in _records(text.path, delimiter):
        at, line = f"{name}, line {line}", line + lines
        usual = usual or end
        if row and len(row) != width:
            remedy = ", or remove those at the end of the row" if len(row) > width and not row[-1] else ""
            if len(row) < width and text.names[-1] == f"column {width}":
                remedy = ", or end the header without a delimiter"
            raise CxError(_ragged(at, width, len(row), remedy))
        if end and end != usual:
            raise CxError(f"{at}: the lines before end otherwise; save the file with one kind of line end, "
                          "and quote texts that hold one")  # fmt: skip


def _records(path: Path, delimiter: str) -> Iterator[tuple[list[str], str, int]]:
    """The cells of each record, how its last line ends, and how many lines it has."""
    limit, before, last = csv.field_size_limit(1 << 30), 0, [""]

    def noted(lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            last[0] = line
            yield line

    try:
        with _opened(path, PLAIN) as lines:
            reader = csv.reader(noted(lines), delimiter=delimiter)
            for row in reader:
                yield row, last[0][len(last[0].rstrip("\r\n")) :], reader.line_num - before
                before = reader.line_num
    finally:
        csv.field_size_limit(limit)


def _fits(path: Path, width: int, delimiter: str) -> bool:
    """Whether all rows have `width` cells, by Arrow, which splits a row in a quarter of the time DuckDB reads it in."""
    if not delimiter.isascii():  # to Arrow a delimiter is one byte
        return False
    try:
        with pyarrow.csv.open_csv(
            path,
            pyarrow.csv.ReadOptions(block_size=4 << 20, column_names=[f"c{i}" for i in range(width)]),
            pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(include_columns=["none"], include_missing_columns=True),  # values cost most
        ) as batches:
            return all(True for _ in batches)
    except pa.ArrowInvalid:
        return False


def _ragged(at: str, width: int, found: int, remedy: str = "") -> str:
    plain = "quote the delimiters in texts" if found > width else "add the cells it lacks"
    has = f"{at}: every row must have {width} column{'s' * (width != 1)}, this one has {found}"
    return f"{has}; {plain}{remedy}"


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8 or a part of it."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def column_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of columns from the rows of a header.

    The first row names them. Where there are more rows, an empty cell takes the name to its left, as a merged cell
    would, and columns that then share a name are told apart by the rows below: "Please rate: Website".
    """
    width = max(map(len, rows))
    first, *below = [[*(" ".join(cell.split()) for cell in row), *[""] * (width - len(row))] for row in rows]
    if not below:
        return [cell.strip() or f"column {i + 1}" for i, cell in enumerate(rows[0])]
    names: list[str] = []
    for cell in first:
        names.append(cell or (names[-1] if names else ""))
    for row in below:
        shared = {name for name in names if names.count(name) > 1}
        names = [
            f"{name.rstrip(' :')}: {cell}" if name in shared and cell else name
            for name, cell in zip(names, row, strict=True)
        ]
    return [name or f"column {i + 1}" for i, name in enumerate(names)]


def _header(path: Path, form: Form, name: str) -> tuple[list[str], int]:
    """The names of the columns, and how many lines come before the first row of data."""
    delimiter = form.delimiter or ENDINGS.get(path.suffix.lower(), ",")
    try:
        with _opened(path, form) as lines:
            skipped = len(list(islice(lines, form.skip_rows)))
            reader = csv.reader(lines, delimiter=delimiter)
            rows = list(islice(reader, form.header_rows))
            before = skipped + reader.line_num
    except UnicodeError:
        raise CxError(_not_in(name, form.encoding)) from None
    except csv.Error as error:
        raise CxError(
            f"{name}: the row of names cannot be read ({error}); name the rows before it in skip_rows"
        ) from None
    if any(0xDC80 <= ord(letter) <= 0xDCFF for row in rows for cell in row for letter in cell):
        raise CxError(told(name, ValueError(f"CSV Error on Line: {form.skip_rows + 1}: not utf-8")))
    first = rows[0] if rows else []
    if not any(cell.strip() for cell in first):
        line = "the first line" if not form.skip_rows else f"line {form.skip_rows + 1}"
        raise CxError(f"{name}: {line} must name the columns, it is empty")
    if len(rows) < form.header_rows:
        raise CxError(f"{name}: the file must have {form.header_rows} rows of header, it has {len(rows)}")
    likely = [mark for mark in (";", "\t", "|", ",") if len(first) == 1 and mark != delimiter and mark in first[0]]
    if likely:
        shown = likely[0].replace("\t", "\\t")
        raise CxError(f'{name}: the columns seem to be parted by "{shown}"; declare delimiter = "{shown}"')
    names = column_names(rows)
    repeated = sorted({one for one in names if names.count(one) > 1})
    refuse(f"{name}: two columns are named '{shortened(one)}'; give each its own name" for one in repeated)
    return names, before


def _errors(form: Form) -> str:
    return "surrogateescape" if is_utf8(form.encoding) else "strict"


@contextmanager
def _opened(path: Path, form: Form) -> Iterator[Iterator[str]]:
    """The lines of a file as text. Bytes that are no UTF-8 pass here when they are further down."""
    wanted = "utf-8-sig" if is_utf8(form.encoding) else form.encoding
    with path.open(newline="", encoding=wanted, errors=_errors(form)) as lines:
        yield lines


def _without_footer(lines: Iterator[str], footer_rows: int) -> Iterator[str]:
    """The lines but the last `footer_rows` that are not blank, and the blank ones among and after them."""
    held: deque[str] = deque()
    filled = 0
    for line in lines:
        held.append(line)
        filled += bool(line.strip())
        while filled > footer_rows:
            first = held.popleft()
            filled -= bool(first.strip())
            yield first


def _not_in(name: str, encoding: str) -> str:
    other = "utf-8" if encoding.lower().startswith("utf-16") else "utf-16"
    return f'{name}: the text is not {encoding}, as declared; declare the encoding it has, such as "{other}"'
