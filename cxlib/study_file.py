"""The grammar of a study file, and its faults told in the words of the file: key path, nearest valid key, remedy."""

from __future__ import annotations

import codecs
import re
import tomllib
import zoneinfo
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from . import files, schema
from .bands import band_faults
from .errors import CxError, shortened, unknown

LARGEST = 1_000_000  # bytes of a study file; one written by a person is far smaller


def _one_value(value: Any) -> Any:
    if not isinstance(value, (str, int, float, bool)):
        raise ValueError("must be a text, a number or true/false")
    return value


def _day_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _under(key: str) -> BeforeValidator:
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


Value = Annotated[Any, AfterValidator(_one_value)]
Days = Annotated[int, Field(ge=1, le=36_500)]


class Part(BaseModel):
    """A table of the study file: unknown keys are faults, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FilePart(Part):
    """How a file is spelled."""

    file: str
    delimiter: Annotated[str, Field(max_length=1)] = ""
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    date_format: Annotated[list[str], BeforeValidator(_as_list)] = []

    def form(self) -> files.Form:
        """The spelling as the reader takes it."""
        return files.Form(self.delimiter, self.decimal, self.encoding, tuple(self.date_format))


class TablePart(FilePart):
    """A file of one of the seven tables; columns = {ours = "theirs"}."""

    columns: dict[str, str] = {}


class EventsPart(Part):
    """How an event log is made into tickets: the columns of the case, and of the stamp of each event."""

    case: str
    at: str


class TicketsPart(TablePart):
    """The tickets; with `events` the file is a log, and a ticket lasts from its first event to its last."""

    events: EventsPart | None = None


class JoinPart(FilePart):
    """A file joined to the frame by a column of the same name in both."""

    on: str


class LandmarkPart(Part):
    """When customers are seen; see `landmark`."""

    as_of: Annotated[str, BeforeValidator(_day_text)] = "latest"
    lookback_days: Days = 180
    horizon_days: Days = 90
    slow_hours: Annotated[float, Field(gt=0)] = 72  # beyond it a resolution is late
    response_hours: Annotated[float, Field(gt=0)] = 8  # and beyond this a first response


class FramePart(FilePart):
    """One row per customer or per answer; `keep` holds the values (as in the file) of the rows that are kept."""

    joins: list[JoinPart] = []
    customer: str | None = None
    keep: dict[str, list[Value]] = {}


class BandsPart(Part):
    """low <= edge < high."""

    edges: list[float]
    labels: list[str]


class ColumnPart(Part):
    """What is done to a column, in this order: missing, recode, bands, name."""

    name: str | None = None
    missing: list[Value] = []
    recode: dict[str, Value] = {}
    bands: BandsPart | None = None


class AttritionPart(Part):
    """Who left, and what may have caused it."""

    outcome: str = "left"
    left_value: Value | None = None
    adjust: list[str] = []
    causes: dict[str, dict[str, dict[str, Value]]] = {}
    weights: str | None = None
    customer: str | None = None


class ExperiencePart(Part):
    """The score, and what may drive it."""

    score: str = "recommend"
    scale: Annotated[list[int], Field(min_length=2, max_length=2)] = [0, 10]
    drivers: list[str] = []
    missing: Literal["not_met", "drop"] | None = None
    groups: dict[str, list[str]] = {}
    weights: str | None = None
    strata: str | None = None
    customer: str | None = None
    low_high: Annotated[list[float], Field(min_length=2, max_length=2)] = []  # up to the first low, from the last high
    satisfaction: str | None = None  # the CSAT question, to set beside the score
    satisfied_from: float = 4
    satisfaction_scale: Annotated[list[int], Field(min_length=2, max_length=2)] = [1, 5]
    effort: str = "effort"  # the CES question


class ReasonsPart(Part):
    """Stated reasons and the rules that code them: rule -> cause -> reasons; reasons not named are "other"."""

    column: str = "stated_reason"
    rules: dict[str, dict[str, list[str]]] = {}


class PrivacyPart(Part):
    """What may be shown: the smallest group, comments, and columns that only look personal."""

    minimum_group: Annotated[int, Field(ge=1)] = 10
    show_comments: bool = False
    allow: list[str] = []


_TABLE = Annotated[TablePart | None, _under("file")]
_TICKETS = Annotated[TicketsPart | None, _under("file")]
TablesPart: type[Part] = create_model(  # type: ignore[call-overload]
    "TablesPart",
    __base__=Part,
    folder=(str | None, None),
    **{name: (_TICKETS if name == "tickets" else _TABLE, None) for name in schema.TABLES},
)


class StudyFile(Part):
    """A whole study file."""

    title: str = ""
    timezone: str = "UTC"
    tables: Annotated[TablesPart | None, _under("folder")] = None  # type: ignore[valid-type]
    landmark: LandmarkPart | None = None
    frame: FramePart | None = None
    columns: dict[str, ColumnPart] = {}
    attrition: AttritionPart | None = None
    experience: ExperiencePart | None = None
    reasons: ReasonsPart | None = None
    privacy: PrivacyPart = PrivacyPart()


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


def key_path(*keys: object) -> str:
    """Keys as TOML writes them: columns."Monthly Charge".bands; items of a list by their number from 1."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key + 1}]"
        else:
            bare = str(key) if re.fullmatch(r"[A-Za-z0-9_-]+", str(key)) else f'"{shortened(key)}"'
            text += f".{bare}" if text else bare
    return text


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
