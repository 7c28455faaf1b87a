"""Files and their text: CSV, workbook or Parquet as a lazy frame, and text read as numbers, days and stamps.

DuckDB scans the files out of core. CSV columns enter as text, so that no sniffing turns "007" into 7 or "None" into
nothing; what a column is meant to hold is known later, from the table contract or the study.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw

from . import csvfile, engine, held, queries, spark, workbook
from .csvfile import PLAIN, Form
from .errors import CxError, listed, nearest, shortened
from .paths import beside, is_file, is_folder

IN_MEMORY = 64 << 20  # bytes of a CSV file up to which it is held in memory
STAMP = "TIMESTAMP"  # how DuckDB calls a stamp without a zone
KINDS = (".parquet", *csvfile.ENDINGS, *workbook.ENDINGS)
_FORMAT = re.compile(r"[%A-Za-z0-9 ./:,_+-]{2,40}")
# A comma or a point that groups thousands must do so everywhere; "1.5" under a decimal comma is a fault, not 15.
_GROUPED = r"^\s*[+-]?\d{1,3}(\.\d{3})+(,\d*)?\s*$"
# "1,234" could be either; with a point behind it, or twice, the comma can only group.
_POINTED = r"^\s*[+-]?\d{1,3}((,\d{3})+\.\d*|(,\d{3}){2,})\s*$"
CLOCK = r"^\s*\d+:\d\d(:\d\d)?\s*$"
OFFSET = r"\d\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"


@dataclass(frozen=True)
class Source:
    """A frame as it came: its columns, how its texts are to be read, and which stamps had a zone of their own."""

    view: engine.View
    form: Form = PLAIN
    zoned: frozenset[str] = frozenset()
    path: Path | None = None


def read_file(path: Path, form: Form = PLAIN) -> Source:
    """A CSV file or sheet (all columns as text, empty = missing) or Parquet file (own types) as a lazy frame."""
    if not is_file(path):
        raise CxError(not_there(path))
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            queries.watch(path, held.literal(path))
            relation = duckdb.read_parquet(held.literal(path))
            types = zip(relation.columns, relation.types, strict=True)
            zoned = frozenset(name for name, kind in types if str(kind) == "TIMESTAMP WITH TIME ZONE")
            return Source(_without(engine.view(relation, path.name), form.missing), form, zoned, path)
        if ending in workbook.ENDINGS:
            with workbook.as_csv(path, form) as text:
                return Source(_csv(text, replace(form, delimiter=",", encoding="utf-8"), path.name), form, path=path)
        if ending in csvfile.ENDINGS:
            return Source(_csv(path, form, path.name), form, path=path)
    except (duckdb.Error, OSError) as error:
        raise CxError(csvfile.told(path.name, error)) from None
    except RuntimeError:  # DuckDB cannot hand over a name that is no text
        raise CxError(f"{path.name}: the file is damaged, a name of a column is no text; copy it again") from None
    raise CxError(f"{path.name}: a file must end in {listed(KINDS, 9)}; export it as one of these")


def read_on_spark(place: Path | str, form: Form = PLAIN) -> Source:
    """A Parquet file or folder, or a table of Spark's catalog, as a lazy frame of Spark's."""
    path = place if isinstance(place, Path) else None
    if path and not is_file(path) and not is_folder(path):
        raise CxError(not_there(path))
    native, zoned = spark.read(place)
    return Source(_without(engine.view(native, path.name if path else str(place)), form.missing), form, zoned, path)


def sql_of(lazy: nw.LazyFrame[Any]) -> Any:
    """The module that spells, for the engine of a frame, how texts are read and stamps moved: this one, or `spark`."""
    return spark if engine.on_spark(lazy) else sys.modules[__name__]


def skipped(lazy: nw.LazyFrame[Any], name: str, text: bool, form: Form, zone: str) -> str:
    """SQL that tells whether a local stamp lies in an hour that clocks skip: the way to UTC and back moves it."""
    sql = sql_of(lazy)
    stamp = sql.reading(name, "timestamp", form) if text else f"CAST({name} AS {sql.STAMP})"
    moved = f"{sql.in_zone(sql.in_utc(stamp, zone), zone)} <> {stamp}"
    return f"NOT {sql.matches(name, sql.OFFSET)} AND {moved}" if text else moved


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
        offset = f"regexp_matches({name}, '{OFFSET}')"
        zoned = f"timezone('UTC', TRY_CAST({name} AS TIMESTAMPTZ))"
        return f"CASE WHEN {offset} THEN {zoned} WHEN isfinite({parsed}) THEN {in_utc(parsed, zone)} END"
    return name


def in_utc(stamp: str, zone: str) -> str:
    """SQL that takes a naive local stamp to naive UTC; a stamp in the hour that clocks repeat takes the later one."""
    return stamp if zone == "UTC" else f"timezone('UTC', timezone('{zone}', {stamp}))"


def in_zone(stamp: str, zone: str) -> str:
    """SQL that takes a naive stamp of UTC to the clocks of a zone."""
    return stamp if zone == "UTC" else f"timezone('{zone}', timezone('UTC', {stamp}))"


def after(stamp: str, seconds: str) -> str:
    """SQL for the stamp so many seconds later."""
    return f"{stamp} + to_microseconds(CAST(ROUND(1e6 * ({seconds})) AS BIGINT))"


def clock(name: str) -> str:
    """SQL for the seconds of a duration written hours:minutes:seconds, which `CLOCK` matches."""
    return f"epoch(TRY_CAST({name} AS INTERVAL))"


def matches(name: str, pattern: str) -> str:
    """SQL for whether a text holds a pattern of ours, which has no quote."""
    return f"regexp_matches({name}, '{pattern}')"


def grouped(lazy: nw.LazyFrame[Any], columns: Sequence[str], by: str) -> nw.LazyFrame[Any]:
    """Aggregates (SQL of ours, each with its name) of a frame for each value of one of its columns."""
    return nw.from_native(lazy.to_native().aggregate(", ".join(columns), by))


def first_of(value: str, stamp: str) -> str:
    """SQL aggregate: the value of the first row by a stamp that has one."""
    return f"arg_min({value}, {stamp})"


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
    parts = {"n": "COUNT(*)"}
    for i, (name, sql) in enumerate(parsed.items()):
        lost = f"{seen.at[name]} IS NOT NULL AND ({sql}) IS NULL"
        parts |= {
            f"n{i}": f"COUNT(CASE WHEN {lost} THEN 1 END)",
            f"v{i}": f"MIN(CASE WHEN {lost} THEN {seen.at[name]} END)",
        }
    row = engine.collect(engine.computed(seen.frame, parts)).iloc[0]
    counts = ((name, int(row[f"n{i}"]), row[f"v{i}"]) for i, name in enumerate(parsed))
    return {name: (count, str(value)) for name, count, value in counts if count}


def calendar_faults(seen: engine.View, columns: Mapping[str, str]) -> list[str]:
    """Columns of days and stamps (ours -> what they are called) with one that an engine can count and no calendar has.

    Of files that tell the ends of their columns this reads no rows.
    """
    days = [name for name in columns if seen.kind[name] == engine.STAMP]
    ends = [(name, end) for name in days for end in (seen[name].min(), seen[name].max())]
    told = (end.cast(nw.Date).cast(nw.String).alias(str(i)) for i, (_, end) in enumerate(ends))
    found = engine.collect(seen.frame.select(*told)).iloc[0] if days else []
    return [
        f"column '{shortened(columns[name])}' must hold days of the years {date.min.year} to {date.max.year}, one is "
        f"'{day}'; correct it, or leave the cell empty"
        for (name, _), day in zip(ends, found, strict=True)
        if isinstance(day, str) and not iso_day(day)
    ]


def _number(name: str, decimal: str) -> str:
    grouped = f"contains({name}, ',') AND regexp_matches({name}, '{_POINTED}')"  # the first is quick, and mostly false
    plain = f"TRY_CAST(CASE WHEN {grouped} THEN replace({name}, ',', '') ELSE {name} END AS DOUBLE)"
    if decimal == ",":
        grouped = f"regexp_matches({name}, '{_GROUPED}')"
        bare = f"CASE WHEN {grouped} THEN replace({name}, '.', '') WHEN NOT contains({name}, '.') THEN {name} END"
        plain = f"TRY_CAST(replace({bare}, ',', '.') AS DOUBLE)"
    return f"CASE WHEN isfinite({plain}) THEN {plain} END"


def _csv(path: Path, form: Form, name: str) -> engine.View:
    """Read once, as text, into memory or (large files) Parquet in a scratch folder: parsing CSV is what costs."""
    delimiter = form.delimiter or csvfile.ENDINGS.get(path.suffix.lower(), ",")
    with csvfile.as_utf8(path, form, name) as text:
        try:
            relation = duckdb.read_csv(
                held.literal(text.path),
                columns={f"c{i}": "VARCHAR" for i in range(len(text.names))},
                auto_detect=False,
                header=text.header,
                sep=delimiter,
                quotechar='"',
                escapechar='"',
            )
            seen = _without(engine.view(relation, name), form.missing)
            seen = engine.view(held.stored(seen.frame.to_native(), _copy(path.stat().st_size)), name)
        except duckdb.Error as error:
            if csvfile.is_ragged(error):  # DuckDB tells the row, which is not the line where texts hold line ends
                csvfile.refuse_ragged(text, delimiter, name, known=True)
            raise CxError(csvfile.told(name, error, text.before)) from None
        csvfile.refuse_ragged(text, delimiter, name)
    kinds = dict.fromkeys(text.names, engine.FACTOR)
    return engine.View(seen.frame, dict(zip(text.names, seen.at.values(), strict=True)), kinds)


def _without(seen: engine.View, missing: Collection[str]) -> engine.View:
    """The words a file writes for nothing, made nothing; in columns of numbers or days, their values."""
    types = seen.frame.collect_schema()
    emptied = []
    for name, dtype in types.items() if missing else ():
        value = nw.col(name).cast(nw.Date) if dtype == nw.Datetime else nw.col(name)
        if words := _of_kind(missing, dtype):
            emptied.append(nw.when(~value.is_in(words)).then(nw.col(name)).alias(name))
    return engine.View(seen.frame.with_columns(*emptied), seen.at, seen.kind) if emptied else seen


def _of_kind(words: Iterable[str], dtype: Any) -> list[Any]:
    """Those of the words that a column of this type can hold, as its values."""
    if dtype in (nw.Date, nw.Datetime):
        return [day for word in words if (day := iso_day(word))]
    return list(words) if dtype == nw.String else numbers_of(words) if dtype.is_numeric() else []


def iso_day(text: str) -> date | None:
    """The day a text names as ISO 8601 does, if the calendar has it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def numbers_of(words: Iterable[object]) -> list[float]:
    """Those of the words that are numbers."""
    found = []
    for word in words:
        with suppress(TypeError, ValueError):
            found.append(float(word))  # type: ignore[arg-type]
    return found


def kept(seen: engine.View, paths: Iterable[Path]) -> engine.View:
    """A view whose work is done once, if its files are small or texts, or on Spark; every query would repeat it."""
    if engine.on_spark(seen.frame):
        return held.held(lambda: seen, 0)
    paths = list(paths)
    size = sum(path.stat().st_size for path in paths)
    if size > IN_MEMORY and all(path.suffix.lower() == ".parquet" for path in paths):
        return seen
    lazy = engine.view(held.stored(seen.frame.to_native(), _copy(size))).frame
    names = dict(zip(seen.frame.collect_schema().names(), lazy.collect_schema().names(), strict=True))
    return engine.View(lazy, {name: names[at] for name, at in seen.at.items()}, seen.kind)


def _copy(size: int) -> Path | None:
    """Where the rows of a file of so many bytes go; None is memory."""
    return None if size <= IN_MEMORY else held.own()


def not_there(path: Path) -> str:
    """The line for a file that is not there, with the nearest name beside it."""
    there, name = beside(path), shortened(path.name)
    if path.name in there:
        return (
            f"no file '{name}' in '{path.parent}': it is a folder, a device, or a link that leads nowhere; name a file"
        )
    if not there:
        return f"no file '{name}': the folder '{shortened(path.parent)}' is not there or is empty"
    close = nearest(path.name, there)
    hint = f"; did you mean '{close}'?" if close else f"; there are: {listed(there, 8)}"
    return f"no file '{name}' in '{path.parent}'{hint}"
