"""What an unknown file looks like: encoding, delimiter, lines around the table, decimals, days, words for nothing.

Files are looked at from their beginning; nothing here is sure, and a guess is written where a person reads it.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, zip_longest
from pathlib import Path

import pandas as pd
import pyarrow as pa

from . import csvfile, engine, files, workbook
from .csvfile import Form
from .databases import SQLITE, UNREADABLE, opened_duckdb, opened_sqlite
from .errors import CxError, beginning, shortened

LOOKED_AT = 20 << 20  # bytes of a file
ROWS = 50_000  # of a Parquet file or a database
_MARKS = (",", ";", "\t", "|")
_COMMA, _POINT = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+"), re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)\.\d+")
_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?")


@dataclass(frozen=True)
class Looked:
    """A column as it was seen: what the file calls it, what it asks, and the values that are filled."""

    name: str
    label: str
    values: tuple[str, ...]
    members: tuple[str, ...] = ()  # the columns of a question whose choices have a column each


@dataclass(frozen=True)
class Sniffed:
    """A file as it was seen; `settle` says what a person has to decide."""

    path: Path
    form: Form
    columns: tuple[Looked, ...]
    settle: tuple[str, ...] = ()
    zone: str = ""  # where the file itself tells it

    @property
    def name(self) -> str:
        """The file as a line names it, on one line, with the table where it is a database."""
        return shortened(self.path.name) + (f", table '{shortened(self.form.table)}'" if self.form.table else "")


def sniff(path: Path, nothing: Collection[str]) -> Sniffed:
    """How a file is spelled, and its columns; `nothing` are words that may stand for no value."""
    if path.suffix.lower() == ".parquet":
        return _typed(path, nothing)
    encoding = "utf-8" if path.suffix.lower() in workbook.ENDINGS else _encoding(path)
    form = Form(encoding=encoding)
    if path.suffix.lower() in workbook.ENDINGS:
        with workbook.as_csv(path, form) as text:
            records, lines = _records(text, encoding, ",")
    else:
        form = replace(form, delimiter=_delimiter(path, encoding))
        records, lines = _records(path, encoding, form.delimiter)
    return _table(path, form, records, lines, nothing)


def sniff_database(path: Path, nothing: Collection[str]) -> tuple[list[Sniffed], list[str]]:
    """The tables of a SQLite or DuckDB file by their first rows, and a line for each that cannot be looked at."""
    found, faults = [], []
    with opened_sqlite(path) if path.suffix.lower() in SQLITE else opened_duckdb(path) as source:
        for table in source.tables:
            form = Form(table=table)
            try:
                columns = [column for column in source.columns(table) if column.kind is not None]
                first = next(iter(source.batches(table, columns)), None) if columns else None
                frame = first.to_pandas() if first is not None else pd.DataFrame(columns=[c.name for c in columns])
            except (*UNREADABLE, pa.ArrowException, ValueError, OverflowError) as error:
                name = Sniffed(path, form, ()).name
                faults.append(f"{name}: cannot be read ({beginning(error, 120)}); it is not used")
                continue
            texts = (tuple(map(files.spelled, column.dropna())) for _, column in frame.items())
            looked = tuple(Looked(str(name), str(name), values) for name, values in zip(frame, texts, strict=True))
            found.append(_spelled(Sniffed(path, form, looked), nothing))
    return found, faults


def parses(value: str, pattern: str) -> bool:
    """Whether a text is a day or stamp of a pattern; "" = as ISO writes it."""
    if not pattern:
        return bool(_ISO.fullmatch(value))
    try:
        return bool(datetime.strptime(value, pattern))
    except ValueError:
        return False


def date_formats(values: Iterable[str]) -> list[str]:
    """The patterns that every value follows; [""] for ISO days and stamps; none for what is no date."""
    some = list(islice(dict.fromkeys(values), 2000))
    if not some or not all(any(letter.isdigit() for letter in value) for value in some[:5]):
        return []
    patterns = ["", *(day + time for day in _DAYS for time in _TIMES)]
    likely = [pattern for pattern in patterns if parses(some[0], pattern)]
    found = [pattern for pattern in likely if all(parses(value, pattern) for value in some)]
    return [""] if "" in found else found


def is_number(value: str, decimal: str) -> bool:
    """Whether a text is a number with this decimal sign."""
    plain = value.replace(".", "").replace(",", ".") if decimal == "," else value
    plain = value.replace(",", "") if _POINT.fullmatch(value) and decimal == "." else plain
    return bool(re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", plain))


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
        return "utf-8"
    except UnicodeDecodeError:
        return "cp1252"


def _delimiter(path: Path, encoding: str) -> str:
    """The mark by which most rows have equally many cells, and the more the better."""
    best, most = csvfile.ENDINGS.get(path.suffix.lower(), ","), 0.0
    for mark in _MARKS:
        widths = Counter(len(row) for row in _records(path, encoding, mark, 200)[0] if row)
        width, rows = max(widths.items(), key=lambda item: (item[0] > 1, item[1] * item[0]), default=(1, 0))
        score = (width > 1) * rows / max(sum(widths.values()), 1) * width**0.5
        best, most = (mark, score) if score > most else (best, most)
    return best


def _records(path: Path, encoding: str, mark: str, most: int | None = None) -> tuple[list[list[str]], list[int]]:
    """The records of a file's beginning, and the line on which each ends."""
    records, lines, size = [], [], 0
    try:
        with path.open(newline="", encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace") as text:
            reader = csv.reader(text, delimiter=mark)
            for row in islice(reader, most):
                records.append(row)
                lines.append(reader.line_num)
                size += sum(map(len, row))
                if size > LOOKED_AT:
                    break
    except csv.Error as error:
        raise CxError(f"{path.name}: cannot be read as a table ({error}); export it again, or leave it out") from None
    return records, lines


def _table(path: Path, form: Form, records: list[list[str]], lines: list[int], nothing: Collection[str]) -> Sniffed:
    """What the records say about the lines before, in and after the table."""
    widths = Counter(len(row) for row in records if len(row) > 1)
    if not widths:
        raise CxError(f"{path.name}: holds no table with two columns or more; leave it out")
    width = widths.most_common(1)[0][0]
    first = next(i for i, row in enumerate(records) if len(row) == width)
    footer = 0
    while records and len(records[-1]) != width:
        footer += any(cell.strip() for cell in records.pop())
    header = _header_rows(records[first:])
    form = replace(form, skip_rows=lines[first - 1] if first else 0, header_rows=header, footer_rows=footer)
    rows = [row for row in records[first + header :] if len(row) == width]
    head = [row[:width] for row in records[first : first + header]]
    names = csvfile.column_names(head)
    told = " ".join(records[first + header - 1])
    labels = (
        names
        if header < 3
        else [" ".join(cell.split()) or name for cell, name in zip_longest(head[1], names, fillvalue="")]
    )
    columns = [
        Looked(name, label, tuple(row[i].strip() for row in rows if row[i].strip()))
        for i, (name, label) in enumerate(zip(names, labels, strict=True))
    ]
    zone = re.search(r'"timeZone"\s*:\s*"([A-Za-z_/+-]+)"', told)
    return _spelled(Sniffed(path, form, tuple(columns), zone=zone[1] if zone else ""), nothing)


def _header_rows(rows: Sequence[Sequence[str]]) -> int:
    """Rows of header: up to one of import ids; two where the first leaves cells to the question on their left."""
    for i, row in enumerate(rows[:5]):
        if row and all(cell.lstrip().startswith('{"ImportId"') for cell in row):
            return i + 1
    if len(rows) < 3:
        return 1
    gaps = [i for i, cell in enumerate(rows[0]) if not cell.strip()]
    told = [i for i in gaps if "".join(rows[1][i : i + 1]).strip()]  # a line may end before
    return 2 if gaps and len(told) > len(gaps) / 2 and not rows[1][0].strip() else 1


def _spelled(seen: Sniffed, nothing: Collection[str]) -> Sniffed:
    """Words for nothing taken out of the columns, then the decimal sign and the patterns of days."""
    found = {word for column in seen.columns for word in nothing if word in column.values}
    columns = [replace(one, values=tuple(value for value in one.values if value not in found)) for one in seen.columns]
    values = [value for one in columns for value in islice(one.values, 500)]
    commas, points = (sum(bool(sign.fullmatch(value)) for value in values) for sign in (_COMMA, _POINT))
    formats: list[str] = []
    settle: list[str] = []
    for one in columns:
        likely = date_formats(one.values)
        if len({pattern[:2] for pattern in likely if "/" in pattern or "-" in pattern}) > 1:
            settle.append(
                f"{seen.name}: column '{shortened(one.name)}': is the day or the month first? {likely[0]} is a guess"
            )
        formats += [pattern for pattern in likely[:1] if pattern]
    form = replace(
        seen.form,
        decimal="," if commas > points and seen.form.delimiter != "," else ".",
        date_format=tuple(dict.fromkeys(formats)),
        missing=tuple(word for word in nothing if word in found),
    )
    return replace(seen, form=form, columns=tuple(columns), settle=tuple(settle))


def _typed(path: Path, nothing: Collection[str]) -> Sniffed:
    """A file that has types of its own: its columns as text."""
    source = files.read_file(path)
    some = engine.collect(source.view.frame.head(ROWS))
    columns = []
    for name, at in source.view.at.items():
        values = tuple(files.spelled(value) for value in some[at].dropna())
        columns.append(Looked(name, name, values))
    seen = _spelled(Sniffed(path, Form(), tuple(columns)), nothing)
    return replace(seen, form=replace(seen.form, decimal=".", date_format=()))
