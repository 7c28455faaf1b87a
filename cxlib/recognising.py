"""Which of our tables a file looks like, and which of its columns are ours, by the words of data/column_names.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from . import schema
from .sniffing import Looked, Sniffed, date_formats, is_number

NAMES = Path(__file__).parent.parent / "data" / "column_names.toml"
INVOICES = {"customer": "id", "starts": "date", "ends": "date", "amount": "number"}
# Without these, a file is not that table; an answer must also have a score.
NEEDED = {
    **{table: [column.name for column in columns if column.required] for table, columns in schema.TABLES.items()},
    "tickets": ["ticket_id", "opened_at"],
    "invoices": ["customer", "starts", "amount"],
    "surveys": ["survey_id", "customer_id", "answered_at", "recommend"],
    "answers": ["recommend"],
}
KEYS = {"customers": "customer_id", "tickets": "ticket_id", "surveys": "survey_id"}
_POINT = re.compile(r"(\d+)\s*[-–:=]\s*\D.*")  # "10 - Extremely likely"
_SPLIT = re.compile(r"(.+?)\s*(?::| - | – )\s*([^:]+)")


@dataclass(frozen=True)
class Match:
    """A column of a file taken for one of ours, with what is to be made of it."""

    column: Looked
    score: float
    made: dict[str, Any] = field(default_factory=dict)


@cache
def vocabulary() -> dict[str, Any]:
    """What columns are known by."""
    return tomllib.loads(NAMES.read_text("utf-8"))


def matches(seen: Sniffed, table: str) -> dict[str, Match]:
    """Our columns of a table -> their best match in a file; a column of theirs is taken once, save for what is made."""
    known = vocabulary()["surveys" if table == "answers" else table]
    kinds = INVOICES if table == "invoices" else {column.name: column.kind for column in schema.TABLES.get(table, ())}
    columns = [*seen.columns, *split_questions(seen)]
    found = [
        (match.score - place_of_entry / 100, -order, -place, ours, match)
        for order, (ours, entries) in enumerate(known.items())
        for place, column in enumerate(columns)
        for place_of_entry, entry in enumerate(entries)
        if (match := _match(entry, column, kinds.get(ours, "text"), ours, seen)) is not None
    ]
    best: dict[str, Match] = {}
    taken: set[str] = set()
    for *_, ours, match in sorted(found, key=lambda item: item[:3], reverse=True):
        if ours not in best and match.column.name not in taken:
            best[ours] = match
            taken |= {match.column.name, *match.column.members}
    return {ours: best[ours] for ours in known if ours in best and best[ours].made.get("after", ours) in best}


def fits(found: Mapping[str, Match], table: str) -> bool:
    """Whether a file has what a table cannot do without, and a key that tells its rows apart."""
    key = found.get(KEYS.get(table, ""))
    repeated = key is not None and len(set(key.column.values)) < len(key.column.values)
    return all(name in found for name in NEEDED[table]) and not repeated


def rated(seen: Sniffed) -> dict[str, list[tuple[str, Looked]]]:
    """Questions with a column for each of several things rated: question -> what is rated, and its column."""
    groups: dict[str, list[tuple[str, Looked]]] = {}
    for column in seen.columns:
        parts = _SPLIT.fullmatch(column.label)
        if parts and is_rating(column.values) and set(column.values) != {parts[2].strip()}:
            groups.setdefault(parts[1], []).append((parts[2].strip(), column))
    return {question: members for question, members in groups.items() if len(members) > 1}


def is_rating(values: Sequence[str]) -> bool:
    """Whether values are points from 1 to 10 or words of a scale."""
    levels = set(values)
    if not levels or len(levels) > 10:
        return False
    return all(re.fullmatch(r"[1-9]|10", level) for level in levels) or bool(points(values))


def points(values: Sequence[str]) -> dict[str, int]:
    """Words of a scale, or points with words, and the number of each; {} for what is no scale."""
    levels = set(values)
    for scale in sorted(vocabulary()["scales"], key=len):
        if levels and levels <= set(scale):
            return {word: i for i, word in enumerate(scale, start=1)}
    worded = {level: int(point[1]) for level in levels if (point := _POINT.fullmatch(level))}
    plain = levels - set(worded)
    return dict(sorted(worded.items())) if worded and all(re.fullmatch(r"\d+", level) for level in plain) else {}


def split_questions(seen: Sniffed) -> Iterator[Looked]:
    """Questions whose choices have a column each, which holds the choice or nothing, as one column."""
    groups: dict[str, list[Looked]] = {}
    for column in seen.columns:
        parts = _SPLIT.fullmatch(column.name)
        if parts and set(column.values) <= {parts[2].strip()}:
            groups.setdefault(parts[1], []).append(column)
    for question, members in groups.items():
        values = tuple(value for member in members for value in member.values)
        if len(members) > 1 and values:
            yield Looked(question, question, values, tuple(member.name for member in members))


def kept_values(seen: Sniffed) -> dict[str, list[str]]:
    """Columns that mark rows as no data, and the values of the rows that are."""
    found = {}
    for column in seen.columns:
        out = vocabulary()["leave_out"].get(" ".join(words(column.name)), ())
        levels = sorted(set(column.values))
        if set(levels) & set(out) and set(levels) - set(out) and len(levels) < 20:
            found[column.name] = [level for level in levels if level not in out]
    return found


def words(text: str) -> list[str]:
    """The words of a name: "StartDate", "start_date" and "Start date" have the same."""
    parted = re.sub(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])", " ", text)
    return re.sub(r"[\W_]+", " ", parted).casefold().split()


def _match(entry: Any, column: Looked, kind: str, ours: str, seen: Sniffed) -> Match | None:
    made = {key: value for key, value in entry.items() if key != "words"} if isinstance(entry, dict) else {}
    text = entry["words"] if isinstance(entry, dict) else entry
    wanted = words(text)
    score = max(_score(wanted, words(name), text.startswith("=")) for name in (column.name, column.label))
    if not score:
        return None
    if made.get("recode"):
        levels = set(column.values) - set(made.get("missing", ())) - set(made["recode"])
        gone = [word for word in made.get("missing", ()) if word in column.values]
        made = {key: value for key, value in made.items() if key != "missing"} | ({"missing": gone} if gone else {})
        return Match(column, score, made) if not levels or "otherwise" in made else None
    suits = _suits(column.values, "number" if {"above", "after"} & set(made) else kind, ours, seen)
    if not suits and kind in ("integer", "number") and (scale := points(column.values)):
        made, suits = {"recode": scale}, True
    return Match(column, score, made) if suits else None


def _score(wanted: Sequence[str], there: Sequence[str], whole: bool) -> float:
    if wanted == there:
        return 2.0
    return 0.0 if whole or not set(wanted) <= set(there) else len(wanted) / len(there)


def _suits(values: Sequence[str], kind: str, ours: str, seen: Sniffed) -> bool:
    """Whether what a column holds can be what ours is; an empty one can be anything but a key."""
    some = values[:2000]
    if not some:
        return ours in ("end_date", "resolved_at", "comment")
    if kind in ("date", "timestamp"):
        return bool(date_formats(some))
    if kind in ("number", "integer"):
        good = all(is_number(value, seen.form.decimal) for value in some)
        return good and (ours != "recommend" or all(0 <= float(value) <= 10 for value in some))
    if kind == "flag":
        return {value.casefold() for value in some} <= {"true", "false", "yes", "no", "0", "1", "t", "f"}
    return not (kind == "category" and len(set(some)) > 200)
