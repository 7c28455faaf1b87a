"""Files and their text: CSV or Parquet as a lazy frame, and text read as numbers, days and stamps.

DuckDB scans the files out of core. CSV columns enter as text, so that no sniffing turns "007" into 7 or "None" into
nothing; what a column is meant to hold is known later, from the table contract or the study.
"""

from __future__ import annotations

import atexit
import codecs
import csv
import functools
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from . import engine
from .errors import CxError, listed, nearest, refuse, shortened

IN_MEMORY = 64 << 20  # bytes of a CSV file up to which it is held in memory
ENDINGS = {".csv": ",", ".txt": ",", ".tsv": "\t"}
_ROW = re.compile(r"Line: (\d+)")
_FORMAT = re.compile(r"[%A-Za-z0-9 ./:,_+-]{2,40}")
# A comma or a point that groups thousands must do so everywhere; "1.5" under a decimal comma is a fault, not 15.
_GROUPED = r"^\s*[+-]?\d{1,3}(\.\d{3})+(,\d*)?\s*$"
_OFFSET = r"\d\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"


@dataclass(frozen=True)
class Form:
    """How a file spells its values."""

    delimiter: str = ""  # "" = by the file's ending
    decimal: str = "."
    encoding: str = "utf-8"
    date_format: tuple[str, ...] = ()


PLAIN = Form()


@dataclass(frozen=True)
class Source:
    """A frame as it came: its columns, how its texts are to be read, and which stamps had a zone of their own."""

    view: engine.View
    form: Form = PLAIN
    zoned: frozenset[str] = frozenset()
    path: Path | None = None


def read_file(path: Path, form: Form = PLAIN) -> Source:
    """A CSV (all columns as text, empty = missing) or Parquet file (own types) as a lazy frame."""
    if not path.is_file():
        raise CxError(_not_there(path))
    try:
        if path.suffix.lower() == ".parquet":
            relation = duckdb.read_parquet(_literal(path))
            types = zip(relation.columns, relation.types, strict=True)
            zoned = frozenset(name for name, kind in types if str(kind) == "TIMESTAMP WITH TIME ZONE")
            return Source(engine.view(relation, path.name), form, zoned, path)
        if path.suffix.lower() not in ENDINGS:
            raise CxError(f"{path.name}: a file must end in .parquet, .csv, .tsv or .txt; export it as one of these")
        return Source(_csv(path, form), form, path=path)
    except (duckdb.Error, OSError) as error:
        raise CxError(told(path.name, error)) from None


def told(name: str, error: Exception) -> str:
    """One line for what DuckDB says about a file: the row, and what to do."""
    text = str(error)
    row = _ROW.search(text)
    at = f"{name}, line {row[1]}" if row else name
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if counts:
        return f"{at}: every row must have {counts[1]} columns, this one has {counts[2]}; quote the delimiters in texts"
    if "not utf-8" in text:
        return f'{at}: the text is not UTF-8; declare its encoding in the study, such as encoding = "cp1252"'
    if "unterminated quote" in text:
        return f'{at}: a quote (") is opened and never closed; close or double it'
    return f"{at}: cannot be read ({shortened(text.splitlines()[0] if text else type(error).__name__)})"


def reading(name: str, kind: str, form: Form, zone: str = "UTC") -> str:
    """SQL that reads the text of column `name` (a c-name or a table column of ours) as a kind; null if it cannot."""
    if kind in ("number", "integer"):
        return _number(name, form.decimal)
    if kind == "flag":
        return f"TRY_CAST({name} AS BOOLEAN)"
    if kind in ("date", "timestamp"):
        given = [f"try_strptime({name}, '{pattern}')" for pattern in form.date_format]
        parsed = f"COALESCE({', '.join([*given, f'TRY_CAST({name} AS TIMESTAMP)'])})"
        if kind == "date":
            return f"CASE WHEN isfinite({parsed}) THEN CAST({parsed} AS DATE) END"
        offset = f"regexp_matches({name}, '{_OFFSET}')"
        zoned = f"timezone('UTC', TRY_CAST({name} AS TIMESTAMPTZ))"
        return f"CASE WHEN {offset} THEN {zoned} WHEN isfinite({parsed}) THEN {in_utc(parsed, zone)} END"
    return name


def in_utc(stamp: str, zone: str) -> str:
    """SQL that takes a naive local stamp to naive UTC; a stamp in the hour that clocks repeat takes the later one."""
    return stamp if zone == "UTC" else f"timezone('UTC', timezone('{zone}', {stamp}))"


def skipped(name: str, text: bool, form: Form, zone: str) -> str:
    """SQL that tells whether a local stamp lies in an hour that clocks skip: the way to UTC and back moves it."""
    stamp = reading(name, "timestamp", form) if text else f"CAST({name} AS TIMESTAMP)"
    moved = f"timezone('{zone}', timezone('UTC', {in_utc(stamp, zone)})) <> {stamp}"
    return f"NOT regexp_matches({name}, '{_OFFSET}') AND {moved}" if text else moved


def format_faults(patterns: Iterable[str], where: str) -> list[str]:
    """Date formats that are not one: anything but letters, signs and % has no business there."""
    return [
        f"{where} must be written like %d.%m.%Y, not '{shortened(pattern)}'"
        for pattern in patterns
        if not _FORMAT.fullmatch(pattern)
    ]


def spelled(value: object) -> str:
    """A value as a file writes it: 11 for 11.0, true for True."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def unreadable(seen: engine.View, parsed: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """Of the columns (user's name -> SQL that reads it), those with texts it cannot read: how many, and one of them."""
    parts = ["COUNT(*) AS rows"]
    for i, (name, sql) in enumerate(parsed.items()):
        lost = f"{seen.at[name]} IS NOT NULL AND ({sql}) IS NULL"
        parts += [f"COUNT_IF({lost}) AS n{i}", f"MIN(CASE WHEN {lost} THEN {seen.at[name]} END) AS v{i}"]
    row = seen.frame.to_native().aggregate(", ".join(parts)).fetchall()[0]
    counts = zip(parsed, row[1::2], row[2::2], strict=True)
    return {name: (int(count), str(value)) for name, count, value in counts if count}


def _number(name: str, decimal: str) -> str:
    plain = f"TRY_CAST({name} AS DOUBLE)"
    if decimal == ",":
        grouped = f"regexp_matches({name}, '{_GROUPED}')"
        bare = f"CASE WHEN {grouped} THEN replace({name}, '.', '') WHEN NOT contains({name}, '.') THEN {name} END"
        plain = f"TRY_CAST(replace({bare}, ',', '.') AS DOUBLE)"
    return f"CASE WHEN isfinite({plain}) THEN {plain} END"


def _csv(path: Path, form: Form) -> engine.View:
    """Read once, as text, into memory or (large files) Parquet in a scratch folder: parsing CSV is what costs."""
    delimiter = form.delimiter or ENDINGS[path.suffix.lower()]
    names = _header(path, delimiter, form.encoding)
    repeated = sorted({name for name in names if names.count(name) > 1})
    refuse(f"{path.name}: two columns are named '{shortened(name)}'; give each its own name" for name in repeated)
    with _as_utf8(path, form.encoding) as readable:
        relation = duckdb.read_csv(
            _literal(readable),
            columns={f"c{i}": "VARCHAR" for i in range(len(names))},
            auto_detect=False,
            header=True,
            sep=delimiter,
            quotechar='"',
            escapechar='"',
        )
        seen = engine.view(_stored(relation, path.stat().st_size), path.name)
    return engine.View(seen.frame, dict(zip(names, seen.at.values(), strict=True)), dict.fromkeys(names, engine.FACTOR))


def kept(seen: engine.View, paths: Iterable[Path]) -> engine.View:
    """A view whose work is done once, if its files are small or texts; every query would repeat it."""
    paths = list(paths)
    size = sum(path.stat().st_size for path in paths)
    if size > IN_MEMORY and all(path.suffix.lower() == ".parquet" for path in paths):
        return seen
    lazy = engine.view(_stored(seen.frame.to_native(), size)).frame
    names = dict(zip(seen.frame.collect_schema().names(), lazy.collect_schema().names(), strict=True))
    return engine.View(lazy, {name: names[at] for name, at in seen.at.items()}, seen.kind)


def _stored(relation: duckdb.DuckDBPyRelation, size: int) -> Any:
    if size <= IN_MEMORY:
        return relation.to_arrow_table()
    copy = _scratch() / f"{uuid.uuid4().hex}.parquet"
    relation.write_parquet(str(copy))
    return duckdb.read_parquet(_literal(copy))


def _header(path: Path, delimiter: str, encoding: str) -> list[str]:
    # Bytes that are no UTF-8 pass here when they are further down: DuckDB tells their line.
    wanted, lenient = ("utf-8-sig", "surrogateescape") if _is_utf8(encoding) else (encoding, "strict")
    try:
        with path.open(newline="", encoding=wanted, errors=lenient) as lines:
            names = [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]
    except (UnicodeError, csv.Error) as error:
        raise CxError(f"{path.name}: the text is not {encoding} ({error}); declare its encoding") from None
    if any(0xDC80 <= ord(letter) <= 0xDCFF for name in names for letter in name):
        raise CxError(told(path.name, ValueError("CSV Error on Line: 1: not utf-8")))
    if not any(names):
        raise CxError(f"{path.name}: the first line must name the columns, it is empty")
    likely = [mark for mark in (";", "\t", "|", ",") if len(names) == 1 and mark != delimiter and mark in names[0]]
    if likely:
        shown = likely[0].replace("\t", "\\t")
        raise CxError(f'{path.name}: the columns seem to be parted by "{shown}"; declare delimiter = "{shown}"')
    return [name or f"column {i + 1}" for i, name in enumerate(names)]


def _not_there(path: Path) -> str:
    there = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    if not there:
        return f"no file '{path.name}': the folder '{path.parent}' is not there or is empty"
    close = nearest(path.name, there)
    hint = f"; did you mean '{close}'?" if close else f"; there are: {listed(there, 8)}"
    return f"no file '{path.name}' in '{path.parent}'{hint}"


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def _literal(path: Path) -> str:
    """DuckDB reads * ? [ in a path as patterns; a file's own such letters must not be."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


@functools.cache
def _scratch() -> Path:
    """A folder for this process; those that killed processes left behind go after a day."""
    for old in Path(tempfile.gettempdir()).glob("cxlib-*"):
        if time.time() - old.stat().st_mtime > 86_400:
            shutil.rmtree(old, ignore_errors=True)
    folder, owner = Path(tempfile.mkdtemp(prefix="cxlib-")), os.getpid()
    # A forked child runs the same handler and must leave its parent's folder alone.
    atexit.register(_leave, folder, owner)
    return folder


def _leave(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _as_utf8(path: Path, encoding: str) -> Iterator[Path]:
    """The file, or a passing UTF-8 copy of it: DuckDB reads other encodings only with a download."""
    if _is_utf8(encoding):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="cxlib-") as folder:
        copy = Path(folder) / path.name
        try:
            with copy.open("w", encoding="utf-8", newline="") as target:
                target.writelines(_decoded(path, encoding))
        except UnicodeError as error:
            raise CxError(f"{path.name}: the text is not {encoding} ({error}); declare its encoding") from None
        yield copy


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding, newline="") as source:
        while chunk := source.read(1 << 20):
            yield chunk
