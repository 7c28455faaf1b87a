"""What a workshop works on: scenes, twenty answers, twelve reasons, and what the example says about both questions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .attrition import fit_attrition
from .drivers import relative_importance
from .errors import CxError, beginning, refuse, unknown
from .experience import nps_what_if, penalty_reward
from .fitted import AttritionFit
from .schema import ordered
from .study import ROOT, Study, read_study, study_answers, study_frame

DATA = ROOT / "data"
FILES = ("workshop_scenes.csv", "workshop_twenty.csv", "workshop_reasons.csv")
SECRET = {  # columns that learners are to find out
    "workshop_scenes.csv": ["scope", "stage", "department", "initiative", "disputed", "why"],
    "workshop_twenty.csv": [],
    "workshop_reasons.csv": ["strict", "wide"],
}
EXTRACT = 80.0  # hours after which the twenty customers' tickets were looked at
# What one point better low ratings would cost in a year, in thousands: invented, and the same for everyone.
COSTS = {"website": 25, "help_pages": 10, "product": 90, "app": 40, "price": 300, "contact_support": 60, "renewal": 50}
LOW, HIGH = 2, 5  # ratings up to and from which one speaks of low and high


def full(name: str) -> pd.DataFrame:
    """A file of the workshop with all its columns, answers too: for checks and facilitators."""
    return pd.read_csv(DATA / name, dtype={"number": "int64"})


def given(name: str) -> pd.DataFrame:
    """A file of the workshop as learners have it: from the folder `data` beside the notebook, else the kit's own."""
    beside, whole = Path("data") / name, full(name)
    try:
        found = pd.read_csv(beside) if beside.is_file() else whole
    except (OSError, ValueError) as error:  # pandas tells of bytes and lines that are none as values
        raise CxError(f"{beside}: cannot be read as CSV: {beginning(error)}; take it away, or copy it anew") from None
    wanted = [column for column in whole.columns if column not in SECRET[name]]
    refuse(unknown("column", column, found.columns, str(beside)) for column in wanted if column not in found.columns)
    return found[wanted]


def scenes(first: int = 1, last: int = 48) -> pd.DataFrame:
    """Short scenes of customers and companies, from number `first` to `last`."""
    shown = given("workshop_scenes.csv").set_index("number")
    return shown.loc[first:last]


def twenty() -> pd.DataFrame:
    """Twenty customers: three questions each, and for those who contacted support its rating and two durations.

    Columns: recommend 0-10, satisfaction 1-5, effort 1-7 (7 = it was easy), support 1-5 (empty = no contact),
    response_hours and resolution_hours (empty = not yet, 80 hours after the contact). Empty = no answer.
    """
    return given("workshop_twenty.csv").set_index("customer")


def tickets(answers: pd.DataFrame) -> pd.DataFrame:
    """The contacts among the twenty as tickets with stamps, for the kit's measures of time."""
    asked = answers[answers["support"].notna() | answers["response_hours"].notna()]
    opened = pd.Timestamp("2026-03-02 08:00")
    hours = pd.to_timedelta(asked["response_hours"], "h"), pd.to_timedelta(asked["resolution_hours"], "h")
    return pd.DataFrame(
        {"ticket_id": asked.index.astype(str), "opened_at": opened, "first_response_at": opened + hours[0],
         "resolved_at": opened + hours[1]}
    )  # fmt: skip


def as_of() -> pd.Timestamp:
    """When the tickets of the twenty were looked at."""
    return pd.Timestamp("2026-03-02 08:00") + pd.Timedelta(EXTRACT, "h")


def reasons() -> pd.DataFrame:
    """Twelve reasons that people gave for leaving, in their own words."""
    return given("workshop_reasons.csv").set_index("number")


@functools.cache
def example() -> Study:
    """The bundled study."""
    return read_study("example")


@functools.cache
def leavers() -> pd.DataFrame:
    """Customers at risk in the example, and how many of them left, by product faults and by service contact."""
    keys = ["fault_band", "service_band"]
    rows = study_frame(example()).to_pandas()
    grouped = rows.astype({"left": int}).groupby(keys)["left"].agg(customers="size", left="sum").reset_index()
    places = {key: {level: i for i, level in enumerate(ordered(key, grouped[key].unique()))} for key in keys}
    grouped = grouped.sort_values(keys, key=lambda column: column.map(places[str(column.name)]))
    return grouped.rename(columns={"fault_band": "faults", "service_band": "contact"}).reset_index(drop=True)


@functools.cache
def attrition() -> AttritionFit:
    """The kit's model of the example, with the study's causes and confounders."""
    part: Any = example().attrition
    return fit_attrition(
        study_frame(example()), part.outcome, part.causes, part.adjust, customer=part.customer, replicates=200
    )


def _experience() -> tuple[Any, str, list[str]]:
    part = example().experience
    assert part is not None
    return study_answers(example()), part.score, part.drivers


@functools.cache
def rated() -> pd.DataFrame:
    """Answers of the example: the score and the ratings of the touchpoints met (empty = not met)."""
    frame, score, drivers = _experience()
    return frame.to_pandas()[[score, *drivers]].astype(float)


@functools.cache
def importance() -> pd.DataFrame:
    """Correlation of each touchpoint with the score among those who rated it, its share of R² over everyone, and n."""
    frame, score, drivers = _experience()
    found = relative_importance(frame, score, drivers, missing="not_met", replicates=0)
    shares = found[found["measure"] == "share"].set_index("term")["estimate"]
    rows = rated()
    return pd.DataFrame(
        {"correlation": rows[drivers].corrwith(rows[score]), "share": shares.reindex(drivers),
         "answers": rows[drivers].notna().sum()}
    ).sort_values("correlation", ascending=False)  # fmt: skip


@functools.cache
def penalties() -> pd.DataFrame:
    """What low ratings cost and high ratings gain, by touchpoint."""
    frame, score, drivers = _experience()
    return penalty_reward(frame, score, drivers, LOW, HIGH, missing="not_met", replicates=100)


@functools.cache
def gains() -> pd.DataFrame:
    """NPS points that would go with one point better low ratings of each touchpoint on offer."""
    frame, score, drivers = _experience()
    return nps_what_if(frame, score, drivers, dict.fromkeys(COSTS, 1), LOW, missing="not_met", replicates=100)


def offers() -> pd.DataFrame:
    """The same as a price list: gain in NPS points, its interval, and the cost (thousands a year; invented)."""
    found = gains()
    change = found[(found["measure"] == "change") & (found["term"] != "joint")].set_index("term")
    priced = pd.DataFrame({"gain": change["estimate"], "lower": change["lower"], "upper": change["upper"]})
    return priced.assign(cost=pd.Series(COSTS)).sort_values("gain", ascending=False)


def tolerant(compute: Callable[[], float]) -> Callable[[], float]:
    """The same number, nan where the data at hand cannot give it."""

    def number() -> float:
        try:
            return float(compute())
        except (CxError, ZeroDivisionError, KeyError):
            return np.nan

    return number
