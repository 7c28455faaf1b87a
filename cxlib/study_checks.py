"""What the data say about the words of a study: columns, levels, customers, scores. Every fault at once."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from . import engine, schema
from .data import Tables
from .errors import listed, shortened, unknown
from .frame import COLUMNS, NUMBERS
from .frame_study import counted, levels, matches
from .study_file import AttritionPart, ExperiencePart, ReasonsPart, key_path

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
    names = ("score", "drivers", "weights", "strata", "customer")
    return {name: getattr(part, name) for name in names}


def frame_faults(seen: engine.View, attrition: AttritionPart | None, experience: ExperiencePart | None,
                 reasons: ReasonsPart | None) -> list[str]:  # fmt: skip
    """Faults of a frame study that only its data show."""
    if not engine.rows(seen):
        return ["frame: must hold at least one row, it is empty; check the file and [frame.keep]"]
    names = list(seen.at)
    faults = columns_fault("attrition", attrition_names(attrition), names) if attrition else []
    faults += columns_fault("experience", experience_names(experience), names) if experience else []
    if attrition:
        faults += _outcome_faults(seen, attrition) + _cause_faults(seen, attrition) + _customer_faults(seen, attrition)
    if experience and experience.score in seen.at:
        faults += score_faults(seen, experience.score, experience.scale)
    if experience:
        faults += _weight_faults(seen, experience.weights, "experience.weights")
    if reasons:
        faults += reason_faults(seen, reasons)
    return faults


def tables_faults(tables: Tables, attrition: AttritionPart | None, experience: ExperiencePart | None,
                  reasons: ReasonsPart | None) -> list[str]:  # fmt: skip
    """Faults of a table study, found without building the landmark frame."""
    faults: list[str] = []
    if attrition:
        there = landmark_columns(tables)
        faults += columns_fault("attrition", attrition_names(attrition), there)
        faults += _landmark_cause_faults(tables, attrition, there)
        if attrition.left_value is not None:
            faults.append("attrition.left_value: belongs to [frame]; the landmark frame's 'left' is true or false")
    if experience:
        faults += _answer_faults(tables, experience)
    return faults + (reason_faults(tables.customers, reasons) if reasons else [])


def landmark_columns(tables: Tables) -> list[str]:
    """The columns the landmark frame of these tables will have."""
    there = set(tables.customers.at) | set(tables.present)
    needs = {name: (LANDMARK_NEEDS.get(name, name),) for name in COLUMNS} | {
        "tenure_days": (), "tenure_band": (), "left": (), "involuntary": ("end_kind",),
    }  # fmt: skip
    columns = [name for name in COLUMNS if there.issuperset(needs[name])]
    market = tables.prices is not None and "market_price" in tables.prices.at
    return [name for name in columns if market or name not in ("market_gap", "gap_band")]


def score_faults(seen: engine.View, score: str, scale: list[int]) -> list[str]:
    """A score must be a number on its declared scale."""
    if seen.kind[score] != engine.NUMBER:
        return [f"experience.score: '{shortened(score)}' must be a number, it holds {listed(levels(seen, score), 5)}"]
    low, high = scale
    outside = (seen[score] < low) | (seen[score] > high)
    strange = engine.View(seen.frame.filter(outside), seen.at, seen.kind)
    found = levels(strange, score)
    if not found:
        return (
            []
            if counted(seen, n=seen[score].count())["n"]
            else [f"experience.score: '{shortened(score)}' has no value"]
        )
    return [
        f"experience.score: '{shortened(score)}' must lie on the scale {low}-{high}, {engine.rows(strange):,} rows hold "
        f"{listed(found, 5)}; name values that mean no answer in missing, or declare scale"
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


def level_faults(where: str, contrast: dict[str, Any], there: list[str]) -> list[str]:
    """Levels of a cause, and the levels they would be set to, must be among those there are."""
    faults = [] if contrast else [f'{where}: must name a level and what it would be set to, such as failed = "good"']
    for level, reference in contrast.items():
        faults += [unknown("level", name, there, where) for name in (level, reference) if str(name) not in there]
        if level == reference:
            faults.append(f"{where}: '{shortened(level)}' is set to itself; name another level")
    return faults


def _outcome_faults(seen: engine.View, part: AttritionPart) -> list[str]:
    if part.outcome not in seen.at:
        return []
    dtype = seen.frame.collect_schema()[seen.at[part.outcome]]
    where = "attrition.outcome" if part.left_value is None else "attrition.left_value"
    if part.left_value is None and dtype != nw.Boolean and set(levels(seen, part.outcome)) - {"0", "1"}:
        found = listed(levels(seen, part.outcome), 5)
        return [f"{where}: '{shortened(part.outcome)}' must be true or false, it holds {found}; name left_value"]
    left = matches(seen[part.outcome], dtype, True if part.left_value is None else part.left_value)
    if part.left_value is None and dtype != nw.Boolean:
        left = matches(seen[part.outcome], dtype, 1)
    row = counted(seen, left=nw.when(left).then(nw.lit(1)).sum(), known=seen[part.outcome].count(), rows=nw.len())
    events = 0 if row["left"] != row["left"] or row["left"] is None else int(row["left"])
    if part.left_value is not None and not events:
        return [unknown("value", part.left_value, levels(seen, part.outcome), where)]
    faults = []
    if events in (0, int(row["known"])):
        told = "nobody left" if not events else "everybody left"
        faults.append(
            f"{where}: '{shortened(part.outcome)}' must have two values, {told} in {int(row['known']):,} rows"
        )
    if row["known"] < row["rows"]:
        faults.append(
            f"{where}: {int(row['rows'] - row['known']):,} rows have no outcome; leave them out with [frame.keep]"
        )
    return faults


def _cause_faults(seen: engine.View, part: AttritionPart) -> list[str]:
    faults = []
    for cause, columns in part.causes.items():
        for name, contrast in columns.items():
            where = key_path("attrition", "causes", cause, name)
            if name not in seen.at:
                continue
            there = levels(seen, name)
            faults += level_faults(where, contrast, there)
            if len(there) == 1:
                faults.append(f"{where}: must have two levels or more, every row is '{shortened(there[0])}'")
            gaps = engine.rows(seen) - int(counted(seen, n=seen[name].count())["n"])
            if gaps:
                rows = "1 row has" if gaps == 1 else f"{gaps:,} rows have"
                faults.append(f"{where}: {rows} no value; recode or leave them out with [frame.keep]")
    return faults


def _customer_faults(seen: engine.View, part: AttritionPart) -> list[str]:
    if not part.customer or part.customer not in seen.at:
        return []
    id_ = seen[part.customer]
    row = counted(seen, rows=nw.len(), there=id_.count(), different=id_.n_unique())
    row["different"] -= row["there"] < row["rows"]  # n_unique counts "no value" as a value
    faults = []
    if row["there"] < row["rows"]:
        faults.append(
            f"frame.customer: {int(row['rows'] - row['there']):,} rows have no '{shortened(part.customer)}'; add it"
        )
    if row["different"] < row["there"]:
        faults.append(
            f"frame.customer: '{shortened(part.customer)}' must be unique, {int(row['there'] - row['different']):,} of "
            f"{int(row['rows']):,} rows repeat a customer; keep one row each"
        )
    return faults


def _weight_faults(seen: engine.View, name: str | None, where: str) -> list[str]:
    if not name or name not in seen.at:
        return []
    if seen.kind[name] != engine.NUMBER:
        return [f"{where}: '{shortened(name)}' must be a number, it holds {listed(levels(seen, name), 3)}"]
    low = counted(seen, low=seen[name].min())["low"]
    return (
        [f"{where}: '{shortened(name)}' must be 0 or more, its lowest is {low:g}"]
        if low is not None and low < 0
        else []
    )


def _landmark_cause_faults(tables: Tables, part: AttritionPart, there: list[str]) -> list[str]:
    """Bands have the levels of `schema`; what customers are, the levels that occur."""
    faults = []
    for cause, columns in part.causes.items():
        for name, contrast in columns.items():
            where = key_path("attrition", "causes", cause, name)
            if name in NUMBERS:
                faults.append(f"{where}: a cause must be a factor, '{name}' is a number; take its band")
            elif name in schema.LEVELS and name in there:
                faults += level_faults(where, contrast, list(schema.LEVELS[name]))
            elif name in tables.customers.at and name in there:
                faults += level_faults(where, contrast, levels(tables.customers, name))
    return faults


def _answer_faults(tables: Tables, part: ExperiencePart) -> list[str]:
    if tables.surveys is None:
        return ["experience: the study has no table 'surveys'; add it, or leave out [experience]"]
    touchpoints = levels(tables.ratings, "touchpoint") if tables.ratings is not None else []
    there = [name for name in ANSWER_COLUMNS if name in tables.surveys.at or name in tables.customers.at]
    faults = columns_fault("experience", experience_names(part) | {"drivers": []}, there)
    options = [*touchpoints, *(name for name in ("satisfaction", "effort") if name in there)]
    faults += [unknown("driver", name, options, "experience.drivers") for name in part.drivers if name not in options]
    return faults + (score_faults(tables.surveys, part.score, part.scale) if part.score in tables.surveys.at else [])
