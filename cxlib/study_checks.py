"""What the data say about the words of a study: columns, levels, customers, scores. Every fault at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw

from . import engine, files, schema
from .data import Tables
from .errors import CxError, listed, shortened, unknown
from .frame import COLUMNS, NUMBERS, at_risk_and_left, landmark_day
from .recoded import counted, levels
from .study_file import AttritionPart, CommentsPart, ExperiencePart, LandmarkPart, ReasonsPart, key_path

LANDMARK_NEEDS = {
    "service_contacts": "tickets", "service_failed": "tickets", "service_band": "tickets", "price_change": "prices",
    "price_band": "prices", "market_gap": "prices", "gap_band": "prices", "fault_count": "interactions",
    "fault_band": "interactions", "recommend": "surveys", "nps_class": "surveys",
}  # fmt: skip
ANSWER_COLUMNS = (
    "survey_id",
    "customer_id",
    "recommend",
    "satisfaction",
    "effort",
    "weight",
    "region",
    "segment",
    "plan",
)


def columns_fault(where: str, names: dict[str, Any], options: list[str]) -> list[str]:
    """Faults for the columns (key -> name or names) that are not there."""
    faults = []
    for key, given in names.items():
        for name in [given] if isinstance(given, str) else given or []:
            if name not in options:
                faults.append(unknown("column", name, options, f"{where}.{key}"))
    return faults


def attrition_names(part: AttritionPart) -> dict[str, Any]:
    """The columns of [attrition] by key."""
    causes = {key_path("causes", cause): list(columns) for cause, columns in part.causes.items()}
    return {
        "outcome": part.outcome,
        "adjust": part.adjust,
        "weights": part.weights,
        "customer": part.customer,
        **causes,
    }


def experience_names(part: ExperiencePart) -> dict[str, Any]:
    """The columns of [experience] by key."""
    names = ["score", "drivers", "weights", "strata", "customer", "satisfaction"]
    # Effort is looked for under its usual name; only one that a study names must be there.
    names += sorted(part.model_fields_set & {"effort"})
    return {name: getattr(part, name) for name in names}


def frame_faults(
    seen: engine.View,
    broken: set[str],
    attrition: AttritionPart | None,
    experience: ExperiencePart | None,
    reasons: ReasonsPart | None,
) -> list[str]:
    """Faults of a frame study that only its data show; columns that are broken already are left alone."""
    names = [*seen.at, *(broken - set(seen.at))]
    faults = columns_fault("attrition", attrition_names(attrition), names) if attrition else []
    faults += columns_fault("experience", experience_names(experience), names) if experience else []
    sound = {name: at for name, at in seen.at.items() if name not in broken}
    seen = engine.View(seen.frame, sound, seen.kind)
    if attrition:
        known = _known(seen)
        faults += _outcome_faults(seen, attrition, known) + _cause_faults(seen, attrition, known)
        faults += customer_faults(seen, attrition.customer, "frame.customer")
        faults += _weight_faults(seen, attrition.weights, "attrition.weights")
    if experience:
        faults += score_faults(seen, experience.score, experience.scale)
        faults += _weight_faults(seen, experience.weights, "experience.weights")
    return faults + (reason_faults(seen, reasons) if reasons else [])


def _known(seen: engine.View) -> dict[str, int]:
    """How many rows have a value in each column, in one query; under "" how many rows there are."""
    short = {f"n{i}": name for i, name in enumerate(seen.at)}
    row = counted(seen, rows=nw.len(), **{n: seen[name].count() for n, name in short.items()})
    return {"": int(row["rows"])} | {name: int(row[n]) for n, name in short.items()}


def tables_faults(
    tables: Tables,
    when: LandmarkPart,
    attrition: AttritionPart | None,
    experience: ExperiencePart | None,
    reasons: ReasonsPart | None,
) -> list[str]:
    """Faults of a table study, found from single tables, without building the landmark frame."""
    if tables.customers is None:
        parts = {"attrition": attrition, "experience": experience, "reasons": reasons}
        return [f"{name}: the study has no table 'customers'; add it, or leave out [{name}]"
                for name, part in parts.items() if part]  # fmt: skip
    faults = customer_faults(tables.customers, "customer_id", "tables.customers")
    if attrition:
        there = landmark_columns(tables)
        faults += columns_fault("attrition", attrition_names(attrition), there)
        faults += _landmark_cause_faults(tables, attrition, there)
        if attrition.left_value is not None:
            faults.append("attrition.left_value: belongs to [frame]; the landmark frame's 'left' is true or false")
    if experience:
        faults += _answer_faults(tables, experience)
    if reasons:
        faults += reason_faults(tables.customers, reasons)
    try:
        day = landmark_day(tables, when.as_of, when.lookback_days, when.horizon_days, when.slow_hours)
        return faults + (_risk_faults(tables, day, when.horizon_days) if attrition else [])
    except CxError as error:
        return faults + list(error.faults)


def _risk_faults(tables: Tables, day: date, horizon_days: int) -> list[str]:
    known, left = at_risk_and_left(tables.need("customers"), day, horizon_days)
    if known and 0 < left < known:
        return []
    told = "nobody is at risk" if not known else f"nobody of {known:,} customers left" if not left else "everybody left"
    return [f"landmark: on {day}, {told} within {horizon_days} days; choose another as_of or horizon_days"]


def landmark_columns(tables: Tables) -> list[str]:
    """The columns the landmark frame of these tables will have."""
    there = set(tables.need("customers").at) | set(tables.present)
    needs = {name: (LANDMARK_NEEDS.get(name, name),) for name in COLUMNS} | {
        "tenure_days": (), "tenure_band": (), "left": (), "involuntary": ("end_kind",),
    }  # fmt: skip
    columns = [name for name in COLUMNS if there.issuperset(needs[name])]
    market = tables.prices is not None and "market_price" in tables.prices.at
    return [name for name in columns if market or name not in ("market_gap", "gap_band")]


def score_faults(seen: engine.View, score: str, scale: list[int]) -> list[str]:
    """A score must be a number on its declared scale."""
    if score not in seen.at:
        return []
    where = f"experience.score: '{shortened(score)}'"
    if seen.kind[score] != engine.NUMBER:
        found = listed(levels(seen, score), 5)
        return [f"{where} must hold numbers, it holds {found or 'nothing'}; name others in missing or recode them"]
    outside = engine.View(seen.frame.filter((seen[score] < scale[0]) | (seen[score] > scale[1])), seen.at, seen.kind)
    found = listed(levels(outside, score), 5)
    if not found:
        return []
    return [
        f"{where} must lie on the scale {scale[0]} to {scale[1]}, {engine.rows(outside):,} rows hold {found}; "
        f"name values that mean no answer in missing, or declare the scale"
    ]


def reason_faults(seen: engine.View, part: ReasonsPart) -> list[str]:
    """The column of reasons and every reason named in a rule must occur."""
    if part.column not in seen.at:
        return [unknown("column", part.column, seen.at, "reasons.column")]
    there = levels(seen, part.column)
    return [
        unknown("reason", reason, there, key_path("reasons", "rules", rule, cause))
        for rule, causes in part.rules.items()
        for cause, reasons in causes.items()
        for reason in reasons
        if reason not in there
    ]


def comment_faults(tables: Tables | None, frame: engine.View | None, part: CommentsPart) -> list[str]:
    """The column of comments and those of their labels must be there; a label says true or false."""
    seen = tables.surveys if tables is not None else frame
    if seen is None:
        return ["comments: the study has no table 'surveys'; add it, or leave out [comments]"]
    names = {"column": part.column, **{key_path("labels", theme): name for theme, name in part.labels.items()}}
    faults = columns_fault("comments", names, list(seen.at))
    if part.themes and not Path(part.themes).is_file():
        there = [path.name for path in Path(part.themes).parent.glob("*.toml")]
        faults.append(unknown("file", Path(part.themes).name, there, "comments.themes"))
    return faults


def level_faults(where: str, contrast: dict[str, Any], there: list[str]) -> list[str]:
    """Levels of a cause, and the levels they would be set to, must be among those there are."""
    faults = [] if contrast else [f'{where}: must name a level and what it would be set to, such as failed = "good"']
    for level, reference in contrast.items():
        faults += [unknown("level", name, there, where) for name in (level, reference) if str(name) not in there]
        if level == reference:
            faults.append(f"{where}: '{shortened(level)}' is set to itself; name another level")
    return faults


def _outcome_faults(seen: engine.View, part: AttritionPart, known: dict[str, int]) -> list[str]:
    if part.outcome not in seen.at:
        return []
    there, value = levels(seen, part.outcome), part.left_value
    name, rows = shortened(part.outcome), known[part.outcome]
    if value is None and set(there) - {"0", "1", "false", "true"}:
        return [f"attrition.outcome: '{name}' must be true or false, it holds {listed(there, 5)}; name left_value"]
    if value is not None and files.spelled(value) not in there:
        return [unknown("value", files.spelled(value), there, "attrition.left_value")]
    faults = []
    if len(there) == 1:
        told = "everybody left" if value is not None or there[0] in ("1", "true") else "nobody left"
        faults.append(f"attrition.outcome: '{name}' must have two values, {told} in all {rows:,} rows")
    if rows < known[""]:
        faults.append(f"attrition.outcome: {_rows(known[''] - rows)} no outcome; leave them out with [frame.keep]")
    return faults


def _cause_faults(seen: engine.View, part: AttritionPart, known: dict[str, int]) -> list[str]:
    faults = []
    for where, name, contrast in contrasts(part):
        if name not in seen.at:
            continue
        there = levels(seen, name)
        faults += level_faults(where, contrast, there)
        if len(there) == 1:
            faults.append(f"{where}: must have two levels or more, every row is '{shortened(there[0])}'")
        if known[name] < known[""]:
            faults.append(
                f"{where}: {_rows(known[''] - known[name])} no value; recode or leave them out with [frame.keep]"
            )
    return faults


def contrasts(part: AttritionPart) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The columns of all causes: key path, column, level -> reference."""
    for cause, columns in part.causes.items():
        for name, contrast in columns.items():
            yield key_path("attrition", "causes", cause, name), name, contrast


def customer_faults(seen: engine.View, customer: str | None, where: str) -> list[str]:
    """A customer must be known and have one row; which ones repeat is not told, ids are personal."""
    if not customer or customer not in seen.at:
        return []
    row = counted(seen, rows=nw.len(), there=seen[customer].count(), different=seen[customer].n_unique()).fillna(0)
    gaps = int(row["rows"] - row["there"])
    repeated = int(row["there"] - row["different"] + (gaps > 0))  # n_unique counts "no value" as a value
    faults = [f"{where}: {_rows(gaps)} no '{shortened(customer)}'; leave them out or add it"] if gaps else []
    if repeated:
        faults.append(
            f"{where}: '{shortened(customer)}' must be unique, {repeated:,} of {int(row['rows']):,} rows repeat one; "
            f"keep one row a customer"
        )
    return faults


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"


def _weight_faults(seen: engine.View, name: str | None, where: str) -> list[str]:
    if not name or name not in seen.at:
        return []
    if seen.kind[name] != engine.NUMBER:
        return [f"{where}: '{shortened(name)}' must hold numbers, it holds {listed(levels(seen, name), 3)}"]
    low = counted(seen, low=seen[name].min())["low"]
    return [f"{where}: '{shortened(name)}' must be 0 or more, its lowest is {low:g}"] if low < 0 else []


def _landmark_cause_faults(tables: Tables, part: AttritionPart, there: list[str]) -> list[str]:
    """Bands have the levels of `schema`; what customers are, the levels that occur."""
    faults, people = [], tables.need("customers")
    for where, name, contrast in contrasts(part):
        if name in NUMBERS:
            faults.append(f"{where}: a cause must be a factor, '{name}' is a number; take its band")
        elif name in schema.LEVELS and name in there:
            faults += level_faults(where, contrast, list(schema.LEVELS[name]))
        elif name in people.at and name in there:
            faults += level_faults(where, contrast, levels(people, name))
    return faults


def _answer_faults(tables: Tables, part: ExperiencePart) -> list[str]:
    if tables.surveys is None:
        return ["experience: the study has no table 'surveys'; add it, or leave out [experience]"]
    touchpoints = levels(tables.ratings, "touchpoint") if tables.ratings is not None else []
    there = [name for name in ANSWER_COLUMNS if name in tables.surveys.at or name in tables.need("customers").at]
    faults = columns_fault("experience", experience_names(part) | {"drivers": []}, there)
    options = [*touchpoints, *(name for name in ("satisfaction", "effort") if name in there)]
    faults += [unknown("driver", name, options, "experience.drivers") for name in part.drivers if name not in options]
    return faults + score_faults(tables.surveys, part.score, part.scale)
