"""A study file read into its grammar, its faults told in the words of the file: key path, nearest valid key, remedy."""

from __future__ import annotations

import codecs
import tomllib
import zoneinfo
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from . import files, schema
from .bands import band_faults
from .errors import CxError, shortened, unknown
from .study_file import ExperiencePart, FilePart, Part, StudyFile, key_path

LARGEST = 1_000_000  # bytes of a study file; one written by a person is far smaller


def parse(path: Path) -> StudyFile:
    """Read a study file's words; all faults that need no data are told at once."""
    name = path.name
    try:
        if path.stat().st_size > LARGEST:
            raise CxError(f"{name}: a study file must be under {LARGEST:,} bytes; data belong in files of their own")
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        told = f"{name}: a study file must be UTF-8, it is not at byte {error.start}; save it as UTF-8"
        raise CxError(told) from None
    except tomllib.TOMLDecodeError as error:
        raise CxError(f"{name}: not valid TOML: {shortened(error)}") from None
    except OSError as error:
        raise CxError(f"{name}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise CxError(f"{name}: not valid TOML: nested too deeply") from None
    try:
        study = StudyFile.model_validate(raw)
    except ValidationError as error:
        raise CxError(*(_told(name, one) for one in error.errors(include_url=False))) from None
    faults = [f"{name}: {fault}" for fault in _senseless(study)]
    if faults:
        raise CxError(*faults)
    return study


_MUST = dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a table") | {
    "string_type": "a text", "int_type": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "bool_type": "true or false", "list_type": "a list",
}  # fmt: skip


def _told(name: str, error: Any) -> str:
    keys, kind, given = error["loc"], error["type"], shortened(error["input"])
    if kind == "extra_forbidden":
        where = f"{name}: {key_path(*keys[:-1])}" if keys[:-1] else name
        return unknown("key", keys[-1], _keys_at(keys[:-1]), where)
    where = f"{name}: {key_path(*keys)}"
    if kind == "missing":
        return f"{where} must be given; add it"
    if kind in _MUST:
        return f"{where} must be {_MUST[kind]}, not '{given}'"
    if kind == "literal_error":
        return f"{where} must be {error['ctx']['expected']}, not '{given}'"
    return f"{where}: {error['msg'].removeprefix('Value error, ').removeprefix('Input ')}, not '{given}'"


def _keys_at(keys: tuple[Any, ...]) -> list[str]:
    """The keys that a place in the file may have, found by walking the model along the path."""
    model: Any = StudyFile
    for key in keys:
        if isinstance(key, str) and key in getattr(model, "model_fields", {}):
            model = _part_in(model.model_fields[key].annotation)
    return list(model.model_fields)


def _part_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    inner = [_part_in(one) for one in getattr(annotation, "__args__", ())]
    return next((one for one in inner if one is not None), None)


def _senseless(study: StudyFile) -> list[str]:
    """Faults that single keys cannot show."""
    faults = []
    if (study.tables is None) == (study.frame is None):
        faults.append("a study must have either [tables] or [frame]; write one of them")
    if study.frame is not None and study.landmark is not None:
        faults.append("landmark: belongs to [tables]; a [frame] has its outcome already")
    if study.tables is not None and study.columns:
        faults.append('columns: belongs to [frame]; in [tables] give each file its columns = {ours = "theirs"}')
    if study.timezone not in zoneinfo.available_timezones():
        faults.append(unknown("time zone", study.timezone, sorted(zoneinfo.available_timezones()), "timezone"))
    for where, part in _file_parts(study):
        faults += _file_faults(where, part)
    for name, column in study.columns.items():
        if column.bands:
            faults += band_faults(key_path("columns", name, "bands"), column.bands.edges, column.bands.labels)
    return faults + (_experience_faults(study.experience) if study.experience else [])


def _file_parts(study: StudyFile) -> list[tuple[str, FilePart]]:
    parts = [(f"tables.{name}", getattr(study.tables, name, None)) for name in schema.TABLES]
    if study.frame:
        parts += [("frame", study.frame)]
        parts += [(key_path("frame", "joins", i), join) for i, join in enumerate(study.frame.joins)]
    return [(where, part) for where, part in parts if part is not None]


def _file_faults(where: str, part: FilePart) -> list[str]:
    faults = []
    try:
        codecs.lookup(part.encoding)
    except (LookupError, ValueError):
        faults.append(unknown("encoding", part.encoding, ("utf-8", "utf-16", "cp1252", "latin-1"), f"{where}.encoding"))
    if part.delimiter and part.delimiter == part.decimal:
        faults.append(f"{where}: delimiter and decimal must differ, both are '{part.delimiter}'")
    return faults + files.format_faults(part.date_format, f"{where}.date_format")


def _experience_faults(part: ExperiencePart) -> list[str]:
    faults = []
    if part.scale[1] - part.scale[0] not in (9, 10):
        faults.append(f"experience.scale must have 10 or 11 points, such as [0, 10], not {part.scale}")
    if part.low_high and part.low_high[0] >= part.low_high[1]:
        faults.append(f"experience.low_high must be the highest low rating, then the lowest high, not {part.low_high}")
    grouped = [name for members in part.groups.values() for name in members]
    for group, members in part.groups.items():
        where = key_path("experience", "groups", group)
        faults += [unknown("driver", name, part.drivers, where) for name in members if name not in part.drivers]
        faults += [f"{where} must name at least one driver"] * (not members)
    for name in sorted({name for name in grouped if grouped.count(name) > 1}):
        faults.append(f"experience.groups: driver '{shortened(name)}' must be in one group, it is in several")
    for name in sorted({name for name in part.drivers if part.drivers.count(name) > 1}):
        faults.append(f"experience.drivers: '{shortened(name)}' must be named once")
    return faults
