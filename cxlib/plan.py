"""A plan: the YAML file that says which reports a run renders. A fault names the file, the line and the nearest key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from .alerts import Alert, parse_alert
from .errors import CxError, nearest, shortened, unknown
from .study_file import key_path
from .yamlfile import Lines, line_of, read_yaml

FORMATS = ("html", "pdf")


def _nothing(value: Any, empty: Any) -> Any:
    # `parameters:` with nothing behind it is an empty text in YAML.
    return empty if value == "" else value


class Part(BaseModel):
    """A mapping of the plan: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Entry(Part):
    """One item of `reports`: a notebook with its parameters, once or for each level of the column `by`."""

    notebook: Annotated[str, Field(min_length=1)]
    parameters: Annotated[dict[str, Any], BeforeValidator(lambda value: _nothing(value, {}))] = {}
    by: str = ""
    alerts: Annotated[
        list[Annotated[Alert, BeforeValidator(lambda text: parse_alert(str(text)))]],
        BeforeValidator(lambda value: _nothing(value, [])),
    ] = []


class Words(Part):
    """The whole file."""

    title: str = ""
    keep: Annotated[int | None, Field(ge=1, le=10_000)] = None
    formats: Annotated[list[Literal["html", "pdf"]], Field(min_length=1)] = ["html"]
    reports: Annotated[list[Entry], Field(min_length=1)]


@dataclass(frozen=True)
class Plan:
    """A plan as read: its words, and the lines they stand on."""

    path: Path
    words: Words
    lines: Lines
    content: dict  # as written, for the record of the run

    def at(self, *keys: str | int) -> str:
        """Where a key stands: "weekly.yml, line 7"."""
        return f"{self.path.name}, line {line_of(self.lines, keys)}"


def read_plan(path: str | Path) -> Plan:
    """Read a plan.

    Parameters
    ----------
    path : YAML file with `title`, `keep` (runs kept), `formats` (html, pdf) and `reports`, each with `notebook` (stem,
        unique beginning of it, or path), `parameters` (name: value), `by` (a column: one report for each of its levels
        in the data) and `alerts` ("service.average_fraction.lower > 0.3", "nps.change < 0").

    Returns
    -------
    Plan; nothing of it has been held against notebooks or data yet, see `plan_reports`.

    Raises
    ------
    CxError with one line a fault: file, line, key, what it must be, nearest valid key. Aliases and tags are refused.
    """
    content, lines = read_yaml(path, "plan")
    name = Path(path).name
    if not isinstance(content, dict):
        raise CxError(f"{name}: a plan must hold `title:`, `reports:` and so on, as in reports/plans/weekly.yml")
    try:
        return Plan(Path(path), Words.model_validate(content), lines, content)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise CxError(*(f"{name}, line {_line(lines, fault)}: {_told(fault)}" for fault in faults)) from None


def _line(lines: Lines, fault: Any) -> int:
    return line_of(lines, tuple(fault["loc"]))


def _told(fault: Any) -> str:
    keys, kind, given = fault["loc"], fault["type"], shortened(fault["input"])
    if kind == "extra_forbidden":
        return unknown("key", keys[-1], (Entry if "reports" in keys else Words).model_fields, key_path(*keys[:-1]))
    where = key_path(*keys)
    if kind == "missing":
        return f"{where} must be given; add it"
    if kind == "literal_error":
        close = nearest(given, FORMATS)
        return f"{where} must be 'html' or 'pdf', not '{given}'" + (f"; did you mean '{close}'?" if close else "")
    must = {
        "string_type": "a text",
        "int_parsing": "a whole number",
        "list_type": "a list, one `- ` a line",
        "dict_type": "a mapping of `name: value` lines",
        "model_type": "a mapping of `key: value` lines",
        "greater_than_equal": "at least 1",
        "less_than_equal": "at most 10,000",
        "too_short": "a list with at least one item",
        "string_too_short": "the stem or path of a notebook",
    }
    if kind in must:
        return f"{where} must be {must[kind]}, not '{given}'"
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}"
