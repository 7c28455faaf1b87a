"""The seven tables of a study, each from the place and under the names its entry says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import data, files, schema
from .errors import CxError
from .study_file import StudyFile, key_path
from .typed import cases


def tables_of(study: StudyFile, path_of: Callable[[str], Path]) -> data.Tables:
    """The tables of a study with [tables]; all faults at once, each after the key of its table."""
    part: Any = study.tables
    sources: dict[str, files.Source] = {}
    faults: list[str] = []
    columns = {name: one.columns for name in schema.TABLES if (one := getattr(part, name)) is not None}
    try:
        found = data.find_tables(path_of(part.folder)) if part.folder is not None else {}
    except CxError as error:
        raise CxError(*(f"tables: {fault}" for fault in error.faults)) from None
    for name in schema.TABLES:
        one = getattr(part, name)
        if one is None and name not in found:
            continue
        try:
            sources[name] = files.read_file(path_of(one.file), one.form()) if one else files.read_file(found[name])
            if events := getattr(one, "events", None):
                sources[name] = cases(name, sources[name], events.case, events.at, columns[name], study.timezone)
                columns[name] = {"ticket_id": events.case, **columns[name]}
        except CxError as error:
            faults += [f"{key_path('tables', name)}: {fault}" for fault in error.faults]
    if faults:
        raise CxError(*faults)
    try:
        return data.tables_from(sources, columns, study.timezone)
    except CxError as error:
        raise CxError(*(f"tables: {fault}" for fault in error.faults)) from None
