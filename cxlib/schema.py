"""The one place for names: the seven tables, the bands of the landmark frame, the columns of a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, kind, unit, allowed values ("low-high" or a list) and meaning."""

    name: str
    kind: str  # id | text | category | date | timestamp | number | integer | flag
    unit: str = ""
    values: str = ""
    meaning: str = ""
    required: bool = False


def _columns(*rows: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(
        Column(name.rstrip("*"), kind, unit, values, meaning, name.endswith("*"))
        for name, kind, unit, values, meaning in rows
    )


# A star marks the columns without which the table cannot be used.
TABLES: dict[str, tuple[Column, ...]] = {
    "customers": _columns(
        ("customer_id*", "id", "", "", "one row per customer"),
        ("region", "category", "", "", "sales region"),
        ("segment", "category", "", "", "customer segment"),
        ("plan", "category", "", "", "plan the customer subscribes to"),
        ("signup_date*", "date", "day", "", "first day as a customer"),
        ("end_date*", "date", "day", "", "last day as a customer; empty = still active"),
        ("end_kind", "category", "", "voluntary, involuntary", "who ended it; empty = still active"),
        ("stated_reason", "category", "", "", "the reason the customer gave for leaving"),
        ("referred_by", "id", "", "", "the customer who recommended us; empty = nobody"),
    ),
    "prices": _columns(
        ("customer_id*", "id", "", "", "the customer who pays the price"),
        ("valid_from*", "date", "day", "", "first day of the price"),
        ("monthly_price*", "number", "currency a month", "0-", "price the customer pays"),
        ("market_price", "number", "currency a month", "0-", "price of a comparable offer on the market"),
    ),
    "surveys": _columns(
        ("survey_id*", "id", "", "", "one row per invitation"),
        ("customer_id*", "id", "", "", "the customer who was asked"),
        ("sent_at*", "timestamp", "UTC", "", "when the invitation was sent"),
        ("answered_at*", "timestamp", "UTC", "", "when the answer came; empty = no answer"),
        ("recommend", "integer", "points", "0-10", "how likely to recommend (NPS question)"),
        ("satisfaction", "integer", "points", "1-5", "overall satisfaction (CSAT question)"),
        ("effort", "integer", "points", "1-7", "the company made it easy (CES 2.0 question)"),
        ("weight", "number", "", "0-", "survey weight, mean about 1"),
        ("comment", "text", "", "", "free text"),
        ("told_others", "integer", "people", "0-", "how many people were told about us; empty = no answer"),
    ),
    "ratings": _columns(
        ("survey_id*", "id", "", "", "the answered survey"),
        ("touchpoint*", "category", "", "", "a touchpoint the customer has met"),
        ("rating*", "integer", "points", "1-5", "rating of that touchpoint"),
    ),
    "tickets": _columns(
        ("ticket_id*", "id", "", "", "one row per service request"),
        ("customer_id*", "id", "", "", "the customer who asked for service"),
        ("channel", "category", "", "", "channel of the first contact"),
        ("topic", "category", "", "", "what the request was about"),
        ("opened_at*", "timestamp", "UTC", "", "when the ticket was opened"),
        ("first_response_at", "timestamp", "UTC", "", "first answer by a person; empty = none yet"),
        ("resolved_at", "timestamp", "UTC", "", "last resolution; empty = still open"),
        ("reopened", "flag", "", "", "opened again after a resolution"),
        ("escalated", "flag", "", "", "handed to a higher level"),
        ("contacts", "integer", "contacts", "1-", "contacts the ticket took"),
        ("csat", "integer", "points", "1-5", "satisfaction with this ticket; empty = not given"),
        ("issue_id", "id", "", "", "tickets about one issue of one customer share it"),
    ),
    "interactions": _columns(
        ("interaction_id*", "id", "", "", "one row per interaction of any kind"),
        ("customer_id*", "id", "", "", "the customer"),
        ("at*", "timestamp", "UTC", "", "when it happened"),
        ("touchpoint*", "category", "", "", "where in the journey it happened"),
        ("channel", "category", "", "", "channel"),
        ("initiated_by", "category", "", "customer, company", "who started it"),
    ),
    "touchpoints": _columns(
        ("touchpoint*", "category", "", "", "one row per touchpoint"),
        ("stage", "category", "", "discover, buy, use, support, renew", "stage of the journey"),
        ("department", "category", "", "", "department responsible"),
        # The distinction the kit teaches lives in this column and nowhere else.
        ("is_service*", "flag", "", "", "whether the touchpoint is service: the customer seeks or gets support"),
    ),
}

PRODUCT_FAULT = "product_fault"
FOLLOW_UP = "follow_up"  # the company calls back after a bad answer

SERVICE_LEVELS = ("none", "good", "failed")
PRICE_LEVELS, PRICE_EDGES = ("same", "raised", "raised a lot"), (0.0, 0.10)
GAP_LEVELS, GAP_EDGES = ("at or below market", "above market", "far above market"), (0.0, 0.10)
FAULT_LEVELS, FAULT_EDGES = ("none", "one", "several"), (0, 1)
TENURE_LEVELS = ("under 6 months", "6 to 12 months", "1 to 2 years", "over 2 years")
TENURE_EDGES = (182, 365, 730)  # days; a value on an edge belongs to the lower band
STAGES = ("discover", "buy", "use", "support", "renew")
NPS_LEVELS = ("promoter", "passive", "detractor", "no answer")

# Orders in which bands are shown and coded; other factors are in order of spelling.
LEVELS: dict[str, tuple[str, ...]] = {
    "service_band": SERVICE_LEVELS,
    "price_band": PRICE_LEVELS,
    "gap_band": GAP_LEVELS,
    "fault_band": FAULT_LEVELS,
    "tenure_band": TENURE_LEVELS,
    "nps_class": NPS_LEVELS,
    "stage": STAGES,
}

# What the kit's own bands are called in sentences and figures.
SPOKEN = {
    "service_band": "service contact",
    "price_band": "price",
    "gap_band": "price against the market",
    "fault_band": "product faults",
    "tenure_band": "tenure",
    "nps_class": "NPS class",
    "went_badly": "how the ticket before went",
}

RESULT_COLUMNS = (
    "term", "measure", "estimate", "std_error", "lower", "upper", "level", "n", "unit", "method", "note",
)  # fmt: skip
TOO_FEW = "too few"


def results(rows: Iterable[Mapping[str, object]], by: Iterable[str] = ()) -> pd.DataFrame:
    """The one result shape: `by` columns, then RESULT_COLUMNS, one row per estimate, unrounded.

    Parameters
    ----------
    rows : mappings with "term", "measure", "estimate" and any of the other columns
    by : names of the grouping columns

    Returns
    -------
    DataFrame with numbers as float64 (nan where there is none), n as int64, texts as text.
    """
    by = list(by)
    frame = pd.DataFrame([dict(row) for row in rows], columns=[*by, *RESULT_COLUMNS])
    numbers = ["estimate", "std_error", "lower", "upper", "level"]
    frame[numbers] = frame[numbers].astype(np.float64)
    frame["n"] = frame["n"].fillna(0).round().astype(np.int64)
    for name in ("term", "measure", "unit", "method", "note"):
        frame[name] = frame[name].astype(object).fillna("").astype(str)
    return frame


def ordered(name: str, levels: Iterable[object]) -> list[object]:
    """Levels in the order they are shown: bands as declared, the rest by spelling, unknown ones last."""
    known: dict[object, int] = {level: i for i, level in enumerate(LEVELS.get(name, ()))}
    return sorted(levels, key=lambda level: (known.get(level, len(known)), *_by_size_then_spelling(level)))


def _by_size_then_spelling(level: object) -> tuple[float, str]:
    """Numbers by size, before words by spelling: 2 comes before 10."""
    return (float(level) if isinstance(level, Real) else np.inf, str(level))


def codebook() -> pd.DataFrame:
    """Every column of the seven tables: table, column, kind, unit, values, required, meaning."""
    return pd.DataFrame(
        [
            (table, c.name, c.kind, c.unit, c.values, c.required, c.meaning)
            for table, columns in TABLES.items()
            for c in columns
        ],
        columns=["table", "column", "kind", "unit", "values", "required", "meaning"],
    )
