"""A study file read into its grammar, its faults told in the words of the file: key path, nearest valid key, remedy."""

from __future__ import annotations

import codecs
import re
import tomllib
import zoneinfo
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from . import files, schema
from .bands import band_faults
from .errors import CxError, one_line, shortened, unknown
from .paths import is_file
from .snapshots import is_database
from .study_file import (
    ENGINES,
    SPARK,
    ExperiencePart,
    FilePart,
    Part,
    PricesPart,
    StudyFile,
    TablePart,
    key_path,
)  # fmt: skip

ADDRESS, _SCHEME, _SECRET = re.compile(r"://|@|="), re.compile("://"), re.compile("://|passw", re.IGNORECASE)
_SPELLINGS = {"delimiter", "decimal", "encoding", "date_format", "header_rows", "skip_rows", "footer_rows"}
_NO_DATABASE = (
    '{}.database: is read by DuckDB; with engine = "spark" name a table of the catalog: table = "schema.name"'
)
_NO_ADDRESS = 'must not be an address; make a table of it in Spark\'s catalog and name that: table = "schema.name"'
LARGEST = 1_000_000  # bytes of a study file; one written by a person is far smaller


def parse(path: Path) -> StudyFile:
    """Read a study file's words; all faults that need no data are told at once."""
    name = path.name
    try:
        if path.exists() and not is_file(path):
            raise CxError(f"{name}: a study must be a file, it is a folder or a device; name the file")
        if path.stat().st_size > LARGEST:
            raise CxError(f"{name}: a study file must be under {LARGEST:,} bytes; data belong in files of their own")
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except CxError:
        raise
    except UnicodeDecodeError as error:
        told = f"{name}: a study file must be UTF-8, it is not at byte {error.start}; save it as UTF-8"
        raise CxError(told) from None
    except ValueError as error:  # a number of thousands of digits is no TOMLDecodeError
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
    given = "an address" if _SECRET.search(one_line(error["input"])) else given
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
            model = part_in(model.model_fields[key].annotation)
    return list(model.model_fields)


def part_in(annotation: Any) -> Any:
    """The part of a study that a key of this annotation holds; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    inner = [part_in(one) for one in getattr(annotation, "__args__", ())]
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
    if study.engine not in ENGINES:
        faults.append(unknown("engine", study.engine, ENGINES, "engine"))
    database, on_spark = getattr(study.tables, "database", ""), study.engine == SPARK
    if on_spark and database:
        faults.append(_NO_DATABASE.format("tables"))
    elif ADDRESS.search(database):
        faults += _place_faults("tables", FilePart(database=database), "")
    for where, part in file_parts(study):
        faults += _spark_faults(where, part) if on_spark else _file_faults(where, part, database)
        faults += _table_faults(where, part) if isinstance(part, TablePart) else []
    for name, column in study.columns.items():
        if column.bands:
            faults += band_faults(key_path("columns", name, "bands"), column.bands.edges, column.bands.labels)
    return faults + (_experience_faults(study.experience) if study.experience else [])


def file_parts(study: StudyFile) -> list[tuple[str, FilePart]]:
    """Where a study says that rows are: the key, and what it holds."""
    parts = [(f"tables.{name}", getattr(study.tables, name, None)) for name in schema.TABLES]
    if study.frame:
        parts += [("frame", study.frame)]
        parts += [(key_path("frame", "joins", i), join) for i, join in enumerate(study.frame.joins)]
    return [(where, part) for where, part in parts if part is not None]


def _file_faults(where: str, part: FilePart, database: str) -> list[str]:
    faults = _place_faults(where, part, database)
    try:
        codecs.lookup(part.encoding)
    except (LookupError, ValueError):
        faults.append(unknown("encoding", part.encoding, ("utf-8", "utf-16", "cp1252", "latin-1"), f"{where}.encoding"))
    if part.delimiter and part.delimiter == part.decimal:
        faults.append(f"{where}: delimiter and decimal must differ, both are '{part.delimiter}'")
    return faults + files.format_faults(part.date_format, f"{where}.date_format")


def _spark_faults(where: str, part: FilePart) -> list[str]:
    """Spark reads Parquet and the tables of its catalog: what says how a text is spelled has no meaning there."""
    faults = [f'{where}.{key}: belongs to files of text; with engine = "spark" leave it out, Parquet has types'
              for key in part.model_fields_set & _SPELLINGS]  # fmt: skip
    faults += [f"{where}.{key} {_NO_ADDRESS}" for key in ("file", "table") if _SCHEME.search(getattr(part, key))]
    if part.database:
        return [*faults, _NO_DATABASE.format(where)]
    if bool(part.file) == bool(part.table):
        faults.append(f'{where}: with engine = "spark" must have file or table, {"not both" if part.file else "one"}; '
                      f'a file is Parquet, a table is one of the catalog, "schema.name"')  # fmt: skip
    if getattr(part, "invoices", None):
        faults.append(f'{where}.invoices: are read by DuckDB; with engine = "spark" make a table of prices of them')
    return faults


def _place_faults(where: str, part: FilePart, database: str) -> list[str]:
    """A file or a database, never an address: a study is passed on, and an address may hold a password."""
    faults = [
        f"{where}.{key} must be {what}; an address does not belong in a study: put it into an environment variable, "
        f"or a file of its own, and name that in database"
        for key, what in (("file", "a file"), ("database", "the name of a variable or a file"))
        if (ADDRESS if key == "database" else _SCHEME).search(getattr(part, key))
    ]
    if part.file and part.database:
        faults.append(f"{where}: must have file or database, not both; leave one out")
    if not (part.file or part.database or database):
        faults.append(f"{where}.file must be given; add it")
    there = part.database or (part.file if is_database(part.file) else "")
    if there and not part.table and not isinstance(part, TablePart):
        faults.append(f"{where}.table must be given with a database; add the name of the table")
    return faults


def _table_faults(where: str, part: TablePart) -> list[str]:
    faults = []
    for ours, one in part.columns.items():
        at = f"{where}.{key_path('columns', ours)}"
        if one.column is not None and one.first_of:
            faults.append(f"{at}: must have column or first_of, not both; leave one out")
        if one.above is not None and one.after is not None:
            faults.append(f"{at}: must have above or after, not both; leave one out")
    if isinstance(part, PricesPart) and part.invoices and part.columns:
        faults.append(f"{where}: must have columns or invoices, not both; invoices name the columns that are used")
    return faults


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
