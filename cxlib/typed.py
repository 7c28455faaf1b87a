"""Columns of a table as the contract wants them: renamed, of the right kind, with every fault told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import narwhals as nw

from . import engine, files, schema
from .errors import refuse, shortened, unknown

_KIND = dict.fromkeys(("id", "text", "category", "flag"), engine.FACTOR)
_KIND |= dict.fromkeys(("number", "integer"), engine.NUMBER) | dict.fromkeys(("date", "timestamp"), engine.STAMP)


def typed(
    table: str, source: files.Source, columns: Mapping[str, str], zone: str = "UTC", spared: Collection[str] = ()
) -> engine.View:
    """A source as one of the seven tables; required columns that are `spared` need not be there.

    `columns` maps our names to theirs. Texts are read as the number, day, stamp or flag they should be; stamps without
    a zone are local to `zone`; the view has the columns of `schema.TABLES` that are there, and no others.
    """
    where = f"{table} ({source.path.name})" if source.path else table
    known = {column.name: column for column in schema.TABLES[table]}
    faults = [unknown("column", name, known, f"{where}: columns") for name in columns if name not in known]
    theirs = {name: columns.get(name, name) for name in known}
    for name, column in known.items():
        if theirs[name] not in source.view.at and (name in columns or (column.required and name not in spared)):
            faults.append(unknown("column", theirs[name], source.view.at, where))
    refuse(faults)
    theirs = {name: given for name, given in theirs.items() if given in source.view.at}
    types, sql = source.view.frame.collect_schema(), files.sql_of(source.view.frame)
    spelled, parsed = {}, {}
    for name, given in theirs.items():
        dtype, kind = types[source.view.at[given]], known[name].kind
        text = dtype == nw.String and (kind == "flag" or _KIND[kind] != engine.FACTOR)
        if text:
            spelled[name] = sql.reading(source.view.at[given], kind, source.form, zone)
            parsed[given] = sql.reading(source.view.at[given], kind, source.form)
        elif _fits(dtype, kind):
            spelled[name] = _cast(source, given, kind, dtype, zone)
        else:
            faults.append(f"{where}: column '{shortened(given)}' must be {_wanted(kind)}, it is {dtype}; convert it")
    refuse(faults + _unread(where, source, parsed, {given: known[name].kind for name, given in theirs.items()}))
    stamps = [given for name, given in theirs.items() if known[name].kind == "timestamp" and given not in source.zoned]
    refuse(_skipped(where, source, stamps, types, zone) if zone != "UTC" else [])
    lazy = engine.computed(source.view.frame, spelled)
    seen = engine.View(lazy, {name: name for name in spelled}, {name: _KIND[known[name].kind] for name in spelled})
    refuse(f"{where}: {told}" for told in files.calendar_faults(seen, theirs))
    return seen


def read_as(where: str, source: files.Source, name: str, kind: str, zone: str = "UTC") -> str:
    """SQL that reads a column of a source as a kind; refuses a column that is not there or does not read as one."""
    refuse([unknown("column", name, source.view.at, where)] if name not in source.view.at else [])
    at, sql = source.view.at[name], files.sql_of(source.view.frame)
    dtype = source.view.frame.collect_schema()[at]
    if dtype == nw.String:
        refuse(_unread(where, source, {name: sql.reading(at, kind, source.form)}, {name: kind}))
        read = sql.reading(at, kind, source.form, zone)
    elif _fits(dtype, kind):
        read = _cast(source, name, kind, dtype, zone)
    else:
        refuse([f"{where}: column '{shortened(name)}' must be {_wanted(kind)}, it is {dtype}; convert it"])
    if kind == "timestamp" and zone != "UTC" and name not in source.zoned:
        refuse(_skipped(where, source, [name], source.view.frame.collect_schema(), zone))
    return read


def _unread(where: str, source: files.Source, parsed: Mapping[str, str], kinds: Mapping[str, str]) -> list[str]:
    lost = files.unreadable(source.view, parsed) if parsed else {}
    remedy = "convert it in Spark" if engine.on_spark(source.view.frame) else "declare how the file writes them"
    return [
        f"{where}: column '{shortened(name)}' must be {_wanted(kinds[name])} in every row, {count:,} "
        f"value{'s are' if count > 1 else ' is'} not, such as '{shortened(value)}'; {remedy}"
        for name, (count, value) in lost.items()
    ]


def _skipped(where: str, source: files.Source, stamps: list[str], types: Any, zone: str) -> list[str]:
    """Local stamps that never were: moved to the next hour in silence, they would make durations of nothing."""
    faults = []
    for name in stamps:
        at = source.view.at[name]
        odd = files.skipped(source.view.frame, at, types[at] == nw.String, source.form, zone)
        parts = {"n": f"COUNT(CASE WHEN {odd} THEN 1 END)", "v": f"CAST(MIN(CASE WHEN {odd} THEN {at} END) AS STRING)"}
        count, value = engine.collect(engine.computed(source.view.frame, parts)).iloc[0]
        if count:
            told = f"{count:,} stamp{'s lie' if count > 1 else ' lies'} in an hour that clocks in {zone} skip"
            remedy = 'correct them, or declare the timezone they are in (timezone = "UTC"?)'
            faults.append(f"{where}: column '{shortened(name)}': {told}, such as '{shortened(value)}'; {remedy}")
    return faults


def _fits(dtype: Any, kind: str) -> bool:
    if kind in ("date", "timestamp"):
        return dtype in (nw.Date, nw.Datetime)
    if kind in ("number", "integer"):
        return dtype.is_numeric()
    if kind == "flag":
        return dtype == nw.Boolean or dtype.is_numeric()
    # An id that is a float has lost its spelling already: 7.0 is not "007".
    return dtype in (nw.String, nw.Boolean, nw.Categorical, nw.Enum) or dtype.is_integer()


def _cast(source: files.Source, given: str, kind: str, dtype: Any, zone: str) -> str:
    name, zoned, sql = source.view.at[given], given in source.zoned, files.sql_of(source.view.frame)
    if kind == "date":
        return f"CAST({sql.in_zone(name, zone) if zoned else name} AS DATE)"
    if kind == "timestamp":
        held = f"CAST({name} AS {sql.STAMP})"
        return held if zoned else sql.in_utc(held, zone)
    if kind in ("number", "integer"):
        return f"CAST({name} AS DOUBLE)" if dtype.is_decimal() else name
    return f"CAST({name} AS {'BOOLEAN' if kind == 'flag' else 'STRING'})"


def _wanted(kind: str) -> str:
    told = {"date": "a day", "timestamp": "a stamp", "flag": "true or false", "id": "text or a whole number"}
    return told.get(kind, "a number" if _KIND[kind] == engine.NUMBER else "text")
