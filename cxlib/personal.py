"""Columns that tell who somebody is, found by their names and their values before a page can show them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

import narwhals as nw

from . import engine, masking, schema
from .data import Tables
from .errors import shortened, unknown
from .study_file import PrivacyPart, StudyFile

IDS, COMMENTS = "ids", "comments"
PHONES = "phone numbers or numbers like them"  # an account or an order may be written like a phone number
MOST = 2_000  # distinct values looked at, those first that have an @ or many digits
MANY = 20_000  # distinct values beyond which no column tells groups
ROWS = 1_000_000  # first rows that are searched of such a column
# An @, seven digits with little between them, or the head of an account number: what the closer look could be about.
LIKELY = r"[@＠]|([0-9][^0-9A-Za-z]{0,3}){7}|^[A-Za-z]{2}[0-9]{2}"
_LABELS = {masking.ADDRESS: "e-mail addresses", masking.CARD: "card numbers", masking.ACCOUNT: "account numbers"}
_PHONE = re.compile(r"(?:tel|phone|fax)?\W*(?:\+|00|\(0|0)\d[\d\s().\-/]*", re.IGNORECASE)
_NETWORK = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_DAY = re.compile(r"\d{4}\D\d\d?\D\d\d?\b.*|\d\d?\D\d\d?\D\d{4}\b.*")
_WORDS = re.compile(r"[^\W\d_]+")
_WHOSE = (
    "first last middle full family given maiden sur fore nick user customer client contact person agent employee staff"
)
_NAMES = frozenset(
    "author surname firstname lastname fullname forename username nickname vorname nachname kundenname nom prénom "
    "prenom apellido apellidos cognome achternaam voornaam".split()
)
_PLACES = frozenset("address street straße strasse anschrift adresse dirección indirizzo adres postaladdress".split())
_BIRTHS = (
    "birthday",
    "birthdate",
    "date of birth",
    "birth date",
    "dob",
    "geburtsdatum",
    "geburtstag",
    "date de naissance",
)


def header_kind(name: str) -> str:
    """What a column holds by its name alone: "names", "addresses", "days of birth", or "".

    >>> header_kind("Customer_Name"), header_kind("Plan name"), header_kind("dateOfBirth")
    ('names', '', 'days of birth')
    """
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    words = [word.lower() for word in _WORDS.findall(plain.replace("_", " "))]
    if " ".join(words) in _BIRTHS or "".join(words) in _BIRTHS:
        return "days of birth"
    if words and words[-1] in _PLACES and set(words[:-1]) <= set("home street postal mailing billing delivery".split()):
        return "addresses"
    of_somebody = words[-1:] == ["name"] and set(words[:-1]) <= set(_WHOSE.split())
    return "names" if of_somebody or (len(words) == 1 and words[0] in _NAMES) else ""


def value_kind(text: str) -> str:
    """What a single value looks like: "e-mail addresses", "card numbers", "account numbers", …, or "".

    >>> value_kind("jo@example.org"), value_kind("4111 1111 1111 1111"), value_kind("+44 20 7946 0018")
    ('e-mail addresses', 'card numbers', 'phone numbers or numbers like them')
    >>> value_kind("2026-03-31"), value_kind("North"), value_kind("10,000,000")
    ('', '', '')
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if _NETWORK.fullmatch(plain):
        return "network addresses"
    if _DAY.fullmatch(plain):
        return ""
    seen = masking.masked(text)
    found = next((kind for label, kind in _LABELS.items() if label in seen and label not in plain), "")
    return found or (PHONES if masking.NUMBER in seen and _PHONE.search(plain) else "")


def personal(seen: engine.View, headers: Mapping[str, str]) -> dict[str, str]:
    """Of the columns (ours -> the name in its file), those that look personal, and what they seem to hold."""
    found = {}
    for name, header in headers.items():
        values = _values(seen, name) if seen.kind[name] == engine.FACTOR else []
        kinds = (value_kind(value) for value in values)
        if kind := next(filter(None, kinds), "") or (values and (header_kind(header) or header_kind(name))) or "":
            found[name] = kind
    return found


def _values(seen: engine.View, name: str) -> list[str]:
    """Distinct texts of a column, those first that deserve a closer look.

    Of a column with too many values for groups the first rows stand for all: no page shows such a column, and millions
    of distinct texts would not fit in memory.
    """
    at = seen.at[name]
    if seen.frame.collect_schema()[at] != nw.String:
        return []
    told = engine.collect(engine.computed(seen.frame, {"n": f"approx_count_distinct({at})"}))
    texts = seen.frame.select(nw.col(at).alias("v")).filter(~nw.col("v").is_null())
    parts = [texts]
    if int(told["n"].iloc[0]) > MANY:
        parts = [texts.head(ROWS).filter(nw.col("v").str.contains(LIKELY)).head(MANY), texts.head(MANY)]
    found = {value for part in parts for value in engine.collect(part.group_by("v").agg(n=nw.len()))["v"]}
    return sorted(found, key=lambda value: (not re.search(LIKELY, value), value))[:MOST]


def hashed(seen: engine.View, names: Collection[str]) -> engine.View:
    """The view with hashes for the values of some columns: they can be compared and counted, and tell nobody."""
    if not names:
        return seen
    hidden = {seen.at[name] for name in names}
    lazy, names = seen.frame, seen.frame.collect_schema().names()
    columns = {at: f"CAST({engine.hash_of(lazy, at)} AS STRING)" if at in hidden else at for at in names}
    # The hash of nothing is a number.
    columns = {at: f"CASE WHEN {at} IS NOT NULL THEN {sql} END" if sql != at else at for at, sql in columns.items()}
    return engine.View(engine.computed(seen.frame, columns), seen.at, seen.kind)


def of_frame(seen: engine.View, words: StudyFile) -> tuple[dict[str, str], list[str]]:
    """The columns of a frame that no page may tell groups by (and what they hold), and the faults of those it shows."""
    theirs = {part.name: name for name, part in words.columns.items() if part.name}
    parts = (words.frame, words.attrition, words.experience)
    private = {part.customer: IDS for part in parts if part and part.customer}
    private |= {words.comments.column: COMMENTS} if words.comments else {}
    looked_at = {name: theirs.get(name, name) for name in seen.at if name not in private}
    found = _unless_allowed(personal(seen, looked_at), words.privacy)
    shown = set(_shown(words))
    faults = [_fault(name, kind) for name, kind in found.items() if name in shown]
    return private | found, faults + _allow_faults(words.privacy, seen.at)


def of_tables(
    tables: Tables, origins: Iterable[tuple[str, str, str]], privacy: PrivacyPart
) -> tuple[dict[str, str], list[str]]:
    """The columns of tables that no page may tell groups by (and what they hold), and the faults of those it shows."""
    theirs = {(table, ours): name for table, ours, name in origins}
    private: dict[str, str] = {}
    faults: list[str] = []
    for table, seen in tables.present.items():
        private |= {one.name: IDS if one.kind == "id" else COMMENTS for one in schema.TABLES[table]
                    if one.name in seen.at and one.kind in ("id", "text")}  # fmt: skip
        shown = [one.name for one in schema.TABLES[table] if one.kind == "category" and not one.values]
        headers = {name: theirs.get((table, name), name) for name in shown if name in seen.at}
        faults += [f"{table}: {_fault(name, kind)}" for name, kind in
                   _unless_allowed(personal(seen, headers), privacy).items()]  # fmt: skip
    there = [name for seen in tables.present.values() for name in seen.at]
    return private, faults + _allow_faults(privacy, dict.fromkeys(there))


def group_faults(private: Mapping[str, str], column: str) -> list[str]:
    """The fault of a column that groups may not be told by."""
    if column not in private:
        return []
    kind = private[column]
    single = f"it holds {kind}, and a page must not name anybody; choose a column of groups"
    looks = f"it looks as if it held {kind}; choose another column, or allow it in the study: [privacy] allow"
    return [f"only_column: '{shortened(column)}' cannot tell groups: {single if kind in (IDS, COMMENTS) else looks}"]


def _shown(words: StudyFile) -> list[str]:
    """The columns of a frame whose values a page shows without being asked."""
    names = [words.reasons.column] if words.reasons else []
    if part := words.attrition:
        names += [part.outcome, *part.adjust, *(name for columns in part.causes.values() for name in columns)]
    if asked := words.experience:
        names += [*asked.drivers, *([asked.strata] if asked.strata else [])]
    return names


def _unless_allowed(found: dict[str, str], privacy: PrivacyPart) -> dict[str, str]:
    return {name: kind for name, kind in found.items() if name not in privacy.allow}


def _fault(name: str, kind: str) -> str:
    told = shortened(name)
    return (
        f"column '{told}' must not tell who somebody is, it looks as if it held {kind}, and pages would show them; "
        f'recode or leave it out, or, if nobody is told by it, allow it: [privacy] allow = ["{told}"]'
    )


def _allow_faults(privacy: PrivacyPart, there: Mapping[str, object]) -> list[str]:
    return [unknown("column", name, there, "privacy.allow") for name in privacy.allow if name not in there]
