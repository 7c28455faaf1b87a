"""The seven tables of a study, each from the place, under the names and in the shape its entry says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw

from . import csvfile, data, engine, files, schema
from .errors import CxError, refuse, shortened, unknown
from .recoded import cleaned, first_filled, rows_with, value_faults, word_faults
from .reshaped import cases, charged, melted
from .snapshots import Wanted, is_database, snapshot
from .study_file import SPARK, SourcePart, StudyFile, TablePart, key_path
from .typed import read_as

SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}


Reader = Callable[[Any, files.Form], files.Source]


@dataclass(frozen=True)
class Made:
    """A table on its way: its source, and which of its columns are ours (ours -> the source's name)."""

    source: files.Source
    columns: dict[str, str]


def tables_of(study: StudyFile, path_of: Callable[[str], Path]) -> tuple[data.Tables, list[tuple[str, str, str]]]:
    """The tables of a study with [tables], and where their columns are from (table, ours, theirs)."""
    part: Any = study.tables
    made: dict[str, Made] = {}
    faults: list[str] = []
    try:
        found = data.find_tables(path_of(part.folder)) if part.folder is not None else {}
    except CxError as error:
        raise CxError(*(f"tables: {fault}" for fault in error.faults)) from None
    read: Reader = files.read_on_spark if study.engine == SPARK else files.read_file
    found |= _copied(part, path_of) if study.engine != SPARK else {}
    for name in schema.TABLES:
        one = getattr(part, name)
        if one is None and name not in found:
            continue
        try:
            if one is None:
                made[name] = Made(read(found[name], files.PLAIN), {})
            else:
                made[name] = _made(name, one, read(_place(one, found.get(name), path_of), one.form()), study.timezone)
        except CxError as error:
            faults += [f"{key_path('tables', name)}: {fault}" for fault in error.faults]
        except duckdb.Error as error:
            faults.append(f"{key_path('tables', name)}: {csvfile.told(one.file or name, error)}")
    refuse(faults)
    sources = {name: one.source for name, one in made.items()}
    columns = {name: one.columns for name, one in made.items()}
    try:
        tables = data.tables_from(sources, columns, study.timezone)
    except CxError as error:
        raise CxError(*(f"tables: {fault}" for fault in error.faults)) from None
    told = {name: columns[name] | _sums(getattr(part, name)) for name in made}
    return tables, [
        (name, ours, told[name].get(ours, ours)) for name, seen in tables.present.items() for ours in seen.at
    ]


def _place(part: TablePart, copied: Path | None, path_of: Callable[[str], Path]) -> Path | str:
    """Where a table is: its file, the copy of a table of a database, or the name of one in Spark's catalog."""
    if copied is not None and not _is_plain(part):
        return copied
    return path_of(part.file) if part.file else part.table


def _sums(part: Any) -> dict[str, str]:
    """Where the columns come from that sum up a whole file."""
    if events := getattr(part, "events", None):
        return {"opened_at": f"first {events.at}", "resolved_at": f"last {events.at}"}
    if invoices := getattr(part, "invoices", None):
        summed = f"{invoices.amount}, a month"
        return {"customer_id": invoices.customer, "valid_from": invoices.starts, "monthly_price": summed}
    if touchpoints := getattr(part, "touchpoints", None):
        return {"touchpoint": f"names of {len(touchpoints)} columns", "rating": "their values"}
    return {}


def _is_plain(part: TablePart) -> bool:
    """Whether the table is in a file that is no database."""
    return bool(part.file) and not is_database(part.file)


def _copied(tables: Any, path_of: Callable[[str], Path]) -> dict[str, Path]:
    """The tables that are in databases, as files."""
    wanted: dict[str, Wanted] = {}
    home = path_of(".")
    for name in schema.TABLES:
        one = getattr(tables, name)
        own = [column.name for column in schema.TABLES[name]]
        if one is None and tables.database:
            wanted[name] = Wanted(tables.database, name, frozenset(own), frozenset(own), home, optional=True)
        elif one is not None and not _is_plain(one):
            named = frozenset(_named(one))
            theirs = named | {column for column in own if column not in one.columns}
            place = path_of(one.file) if one.file else one.database or tables.database
            wanted[name] = Wanted(place, one.table or name, theirs, named, home)
    try:
        paths = snapshot(list(wanted.values()))
    except CxError as error:
        raise CxError(*(f"tables: {fault}" for fault in error.faults)) from None
    return {name: path for name, path in zip(wanted, paths, strict=True) if path}


def _named(part: TablePart) -> Iterator[str]:
    """The columns of a file that its entry names."""
    yield from part.keep
    for ours, one in part.columns.items():
        yield from one.first_of or [one.column or ours]
        yield from [one.after] if one.after else []
    for more in (getattr(part, "events", None), getattr(part, "invoices", None)):
        yield from (value for value in (more.model_dump().values() if more else ()) if value)
    yield from getattr(part, "touchpoints", {})


def _made(table: str, part: TablePart, source: files.Source, zone: str) -> Made:
    """A table's rows kept, ratings melted, columns made, then logs and invoices summed up; in this order."""
    where = f"{table} ({source.path.name})" if source.path else table
    asked = [(name, values, f"{where}: keep", f"{where}: {key_path('keep', name)}")
             for name, values in part.keep.items()]  # fmt: skip
    refuse(value_faults(source.view, asked))
    source = replace(source, view=rows_with(source.view, part.keep))
    if touchpoints := getattr(part, "touchpoints", None):
        source = _done_once(melted(where, source, touchpoints))
    if invoices := getattr(part, "invoices", None):
        return Made(_done_once(charged(where, source, invoices)), {})
    made = _with_columns(where, source, part.columns, zone)
    if events := getattr(part, "events", None):
        logged = cases(where, made.source, events, made.columns.values(), zone)
        return Made(_done_once(logged), {"ticket_id": events.case, **made.columns})
    return made


def _done_once(source: files.Source) -> files.Source:
    """Sums over a whole file are not for every query to repeat."""
    return replace(source, view=files.kept(source.view, [source.path] if source.path else []))


def _with_columns(where: str, source: files.Source, columns: dict[str, SourcePart], zone: str) -> Made:
    """The columns that are more than a name, made beside those that are there."""
    names: dict[str, str] = {}
    faults: list[str] = []
    own = list(source.view.at)
    for ours, part in columns.items():
        names[ours] = part.column or ours
        if part.plain:
            continue
        at = f"{where}: {key_path('columns', ours)}"
        needed = [*(part.first_of or [names[ours]]), *([part.after] if part.after else [])]
        if absent := [unknown("column", one, own, at) for one in needed if one not in own]:
            faults += absent
            continue
        try:
            names[ours] = f"{(part.first_of or [names[ours]])[0]} as {ours}"
            source = _column(where, source, ours, names[ours], part, zone)
        except CxError as error:
            faults += error.faults
    refuse(faults)
    return Made(source, names)


def _column(where: str, source: files.Source, ours: str, name: str, part: SourcePart, zone: str) -> files.Source:
    """A source with the column `name` more: the first filled of several, recoded, compared or added to a stamp."""
    at = f"{where}: {key_path('columns', ours)}"
    theirs = part.first_of or [part.column or ours]
    values = first_filled(source.view, theirs) if part.first_of else source.view[theirs[0]]
    source = _added(source, name, values)
    refuse(word_faults(source.view, {name: (part, at)}, at))
    dtype = source.view.frame.collect_schema()[source.view.at[name]]
    source = _added(source, name, cleaned(source.view[name], dtype, part))
    if part.above is not None:
        return _computed(source, name, f"({read_as(where, source, name, 'number')}) > {part.above!r}")
    if part.after is not None:
        stamp, apart = read_as(where, source, part.after, "timestamp", zone), _seconds(where, source, name, part.unit)
        source = _computed(source, name, files.sql_of(source.view.frame).after(stamp, apart))
        return replace(source, zoned=source.zoned | {name})  # in UTC already
    return source


def _seconds(where: str, source: files.Source, name: str, unit: str) -> str:
    """SQL for a duration in seconds: a number of units, or hours:minutes:seconds."""
    at, number, sql_of = source.view.at[name], f"{{}} * {SECONDS[unit]}", files.sql_of(source.view.frame)
    if source.view.frame.collect_schema()[at] != nw.String:
        return number.format(f"({read_as(where, source, name, 'number')})")
    clock = f"WHEN {sql_of.matches(at, sql_of.CLOCK)} THEN {sql_of.clock(at)}"
    sql = f"CASE {clock} ELSE {number.format('(' + sql_of.reading(at, 'number', source.form) + ')')} END"
    refuse(
        f"{where}: column '{shortened(name)}' must be a number of {unit} or hours:minutes:seconds in every row, "
        f"{count:,} value{'s are' if count > 1 else ' is'} not, such as '{shortened(value)}'; name it in missing"
        for count, value in files.unreadable(source.view, {name: sql}).values()
    )
    return sql


def _added(source: files.Source, name: str, values: nw.Expr) -> files.Source:
    """A source with a column more, or with one column replaced."""
    at = source.view.at.get(name, f"m{len(source.view.at)}")
    lazy = source.view.frame.with_columns(values.alias(at))
    dtype = lazy.collect_schema()[at]
    kind = engine.NUMBER if dtype.is_numeric() else engine.FACTOR
    return replace(source, view=engine.View(lazy, {**source.view.at, name: at}, {**source.view.kind, name: kind}))


def _computed(source: files.Source, name: str, sql: str) -> files.Source:
    """A source with one of its columns computed anew, by SQL of ours."""
    at = source.view.at[name]
    columns = {one: one for one in source.view.frame.collect_schema().names()} | {at: sql}
    return replace(
        source, view=engine.View(engine.computed(source.view.frame, columns), source.view.at, source.view.kind)
    )
