"""The grammar of a study file: its tables and keys. What is wrong with the words of one is told in `study_words`."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model

from . import files, schema
from .errors import shortened


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


DUCKDB, SPARK = ENGINES = ("duckdb", "spark")
Value = Annotated[Any, AfterValidator(_one_value)]
Days = Annotated[int, Field(ge=1, le=36_500)]


class Part(BaseModel):
    """A table of the study file: unknown keys are faults, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FilePart(Part):
    """Where rows are, and how they are spelled: a file, or a database that a variable or a connection file names."""

    file: str = ""
    database: str = ""
    table: str = ""  # of a database, or alone of Spark's catalog; the sheet of a workbook
    delimiter: Annotated[str, Field(max_length=1)] = ""
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    date_format: Annotated[list[str], BeforeValidator(_as_list)] = []
    header_rows: Annotated[int, Field(ge=1, le=10)] = 1
    skip_rows: Annotated[int, Field(ge=0, le=1000)] = 0  # lines before the header
    footer_rows: Annotated[int, Field(ge=0, le=1000)] = 0  # lines after the data
    missing: list[Value] = []  # what the file writes for nothing, whatever the column

    def form(self) -> files.Form:
        """The spelling as the reader takes it."""
        lines = (self.header_rows, self.skip_rows, self.footer_rows)
        words = tuple(files.spelled(value) for value in self.missing)
        return files.Form(
            self.delimiter, self.decimal, self.encoding, tuple(self.date_format), *lines, words, self.table
        )


class ValuesPart(Part):
    """What is done to values, in this order: the first filled of several columns, missing, recode, otherwise."""

    first_of: list[str] = []
    missing: list[Value] = []
    recode: dict[str, Value] = {}
    otherwise: Value | None = None  # for what recode does not name


class SourcePart(ValuesPart):
    """The source of one of our columns: theirs, made into what ours should be."""

    column: str | None = None  # the same name where it is not given
    above: float | None = None  # true above this number, false up to it
    after: str | None = None  # the stamp that the column counts from, in units
    unit: Literal["seconds", "minutes", "hours", "days"] = "minutes"

    @property
    def plain(self) -> bool:
        """Whether the column is taken as it is."""
        return not self.model_fields_set - {"column"}


class TablePart(FilePart):
    """A file of one of the seven tables; columns = {ours = "theirs"}; `keep` as in the frame."""

    columns: dict[str, Annotated[SourcePart, _under("column")]] = {}
    keep: dict[str, list[Value]] = {}


class EventsPart(Part):
    """How an event log is made into tickets: the columns of the case, and of the stamp of each event."""

    case: str
    at: str


class TicketsPart(TablePart):
    """The tickets; with `events` the file is a log, and a ticket lasts from its first event to its last."""

    events: EventsPart | None = None


class InvoicesPart(Part):
    """How invoices are made into prices: whose, from which day (to which), and how much."""

    customer: str
    starts: str
    ends: str | None = None
    amount: str


class PricesPart(TablePart):
    """The prices; with `invoices` the file has a row for each invoice, or for each line of one."""

    invoices: InvoicesPart | None = None


class RatingsPart(TablePart):
    """The ratings; with `touchpoints` = {theirs = "touchpoint"} the file has a column for each of them."""

    touchpoints: dict[str, str] = {}


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


class ColumnPart(ValuesPart):
    """What is done to a column, after its values: bands, name."""

    name: str | None = None
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


class CommentsPart(Part):
    """Where comments are, by which file their themes are read, and what people who read them say is in them."""

    column: str = "comment"
    themes: str | None = None  # a file as data/comment_themes.toml, the default
    labels: dict[str, str] = {}  # theme, or "positive" or "negative" -> column of true/false
    simulated: bool = False  # comments of `simulate`, of which is known what is in them


class PrivacyPart(Part):
    """What may be shown: the smallest group, comments, and columns that only look personal."""

    minimum_group: Annotated[int, Field(ge=1)] = 10
    show_comments: bool = False
    allow: list[str] = []


_PARTS = {"tickets": TicketsPart, "prices": PricesPart, "ratings": RatingsPart}
TablesPart: type[Part] = create_model(  # type: ignore[call-overload]
    "TablesPart",
    __base__=Part,
    folder=(str | None, None),
    database=(str, ""),
    **{name: (Annotated[_PARTS.get(name, TablePart) | None, _under("file")], None) for name in schema.TABLES},
)


class StudyFile(Part):
    """A whole study file."""

    title: str = ""
    engine: str = DUCKDB
    timezone: str = "UTC"
    tables: Annotated[TablesPart | None, _under("folder")] = None  # type: ignore[valid-type]
    landmark: LandmarkPart | None = None
    frame: FramePart | None = None
    columns: dict[str, ColumnPart] = {}
    attrition: AttritionPart | None = None
    experience: ExperiencePart | None = None
    reasons: ReasonsPart | None = None
    comments: CommentsPart | None = None
    privacy: PrivacyPart = PrivacyPart()


def key_path(*keys: object) -> str:
    """Keys as TOML writes them: columns."Monthly Charge".bands; items of a list by their number from 1."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key + 1}]"
        else:
            name = shortened(key)
            name = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
            text += f".{name}" if text else name
    return text
