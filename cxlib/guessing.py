"""A first study for a folder of unknown files: what they look like, in a file that a person then corrects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import csvfile, workbook
from .errors import CxError, ending, listed, one_line
from .paths import is_file, is_folder
from .recognising import NEEDED, Match, fits, kept_values, matches, points, rated, vocabulary
from .snapshots import is_database
from .sniffing import Looked, Sniffed, sniff, sniff_database
from .study import read_study

NAME = "study.toml"
_ORDER = ("customers", "invoices", "prices", "tickets", "surveys", "ratings", "interactions", "touchpoints")
_DEFAULTS = csvfile.PLAIN


@dataclass
class Guess:
    """A study in the making: which file is which table, what a person has to settle."""

    folder: Path
    files: list[Sniffed]
    tables: dict[str, tuple[Sniffed, dict[str, Match]]] = field(default_factory=dict)
    settle: list[str] = field(default_factory=list)


def write_guess(folder: Path) -> tuple[Path, list[str], list[str]]:
    """Write a first study of the files of a folder into it; returns its path, what to settle, and what stops a reader.

    Nothing is replaced. A folder in which no list of customers, no tickets and no answers are found is refused.
    """
    path = folder / NAME
    if not is_folder(folder):
        raise CxError(f"--guess: '{ending(folder)}' must be a folder of exports; it is not there, or is a file")
    if path.exists() or path.is_symlink():  # a link would have the study written elsewhere
        raise CxError(f"--guess: '{ending(path)}' is there already and is not replaced; rename or remove it")
    guess = _looked(folder)
    _write(path, _text(guess, True))
    faults = _faults(path)
    if any(fault.startswith((f"{NAME}: landmark", f"{NAME}: attrition")) for fault in faults):
        # A question that these data do not answer must not keep the rest from being read.
        _write(path, _text(guess, False))
        guess.settle.append(f"[attrition] is left out: {faults[0].removeprefix(f'{NAME}: ')}")
        faults = _faults(path)
    return path, list(map(one_line, guess.settle)), faults


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="replace")  # names of files may be no text at all
    except OSError as error:
        raise CxError(f"--guess: '{ending(path)}' cannot be written ({error.strerror}); copy the exports to a folder "
                      "of your own") from None  # fmt: skip


def _faults(path: Path) -> list[str]:
    try:
        read_study(path)
    except CxError as error:
        return list(error.faults)
    return []


def _looked(folder: Path) -> Guess:
    """The files of a folder, each taken for the table it fits best."""
    guess, nothing = Guess(folder, []), vocabulary()["nothing"]
    for path in _exports(folder):
        try:
            if is_database(path.name):
                inside, faults = sniff_database(path, nothing)
                guess.files += inside
                guess.settle += faults
            else:
                guess.files.append(sniff(path, nothing))
        except (CxError, OSError) as error:
            guess.settle += error.faults if isinstance(error, CxError) else [f"{path.name}: {error.strerror}"]
    taken: dict[str, tuple[float, Sniffed, dict[str, Match]]] = {}
    for seen in guess.files:
        for score, table, found in sorted(_candidates(seen), key=lambda item: -item[0])[:1]:
            if table in taken and taken[table][0] >= score:
                guess.settle.append(f"{seen.name}: looks like {table}, as {taken[table][1].name} does; it is not used")
                continue
            taken[table] = (score, seen, found)
    guess.tables = {table: taken[table][1:] for table in (*_ORDER, "answers") if table in taken}
    _refuse(guess)
    used = [seen for seen, _ in guess.tables.values()]
    guess.settle += [line for seen in used for line in seen.settle]
    told = "looks like no table of a study; it is not used"
    known = " ".join(guess.settle)
    unused = [one.name for one in guess.files if one not in used]
    guess.settle += [f"{name}: {told}" for name in unused if name not in known]
    return guess


def _exports(folder: Path) -> list[Path]:
    """The files that may be exports; what a pipe or a device would give is not waited for."""
    endings = (".parquet", *csvfile.ENDINGS, *workbook.ENDINGS)
    try:
        there = [path for path in sorted(folder.iterdir()) if path.name[0] not in ".~" and is_file(path)]
    except OSError as error:
        raise CxError(f"--guess: '{ending(folder)}' cannot be looked into ({error.strerror})") from None
    return [path for path in there if path.suffix.lower() in endings or is_database(path.name)]


def _candidates(seen: Sniffed) -> Iterator[tuple[float, str, dict[str, Match]]]:
    """Tables that a file could be, by how much of each it has; answers without dates or customers are a frame."""
    for table in (*_ORDER, "answers"):
        found = matches(seen, table)
        if fits(found, table):
            known = vocabulary()["surveys" if table == "answers" else table]
            sure = sum(found[name].score for name in NEEDED[table]) / len(NEEDED[table])
            scored = {"surveys": 1.0, "answers": 0.5}.get(table, 0.0)  # only answers have a score
            yield len(found) / len(known) + sure + scored, table, found


def _refuse(guess: Guess) -> None:
    if {"customers", "tickets", "surveys", "answers"} & set(guess.tables):
        return
    names = listed((seen.name for seen in guess.files), 8) or "no file that can be read"
    alike = "".join(f"; {seen.name} looks like {table}" for table, (seen, _) in guess.tables.items())
    raise CxError(
        f"--guess: '{ending(guess.folder)}' must hold a list of customers, tickets, or answers with a score; there is "
        f"{names}{alike}; add the list of customers they belong to",
        *guess.settle,
    )


def _text(guess: Guess, attrition: bool) -> str:
    """The study file; without a list of customers and without tickets, answers are a frame."""
    framed = not {"customers", "tickets"} & set(guess.tables)
    zone = next((seen.zone for seen in guess.files if seen.zone), "")
    open_zone = not zone and not framed and bool({"tickets", "surveys", "interactions"} & set(guess.tables))
    lines = [
        f"# A first guess at the files of this folder, by `cx study --guess`: correct it, then see `cx study {NAME}`.",
        f"title = {_toml(guess.folder.resolve().name)}",
        f"timezone = {_toml(zone or 'UTC')}{'    # settle: what the clocks of these systems showed' * open_zone}",
    ]
    if open_zone and attrition:
        guess.settle.append("timezone: stamps without a zone are read as UTC; name the zone they are in")
    if framed:
        lines += _frame(*next(guess.tables[name] for name in ("surveys", "answers") if name in guess.tables))
        return "\n".join(lines) + "\n"
    for table, (seen, found) in guess.tables.items():
        lines += _table(table, seen, found) if table != "answers" else []
    if "surveys" in guess.tables and "ratings" not in guess.tables:
        lines += _ratings(*guess.tables["surveys"])
    return "\n".join([*lines, *_questions(guess, attrition)]) + "\n"


def _table(table: str, seen: Sniffed, found: Mapping[str, Match]) -> list[str]:
    name = "prices" if table == "invoices" else table
    lines = ["", f"[tables.{name}]", *_place(seen)]
    if table == "invoices":
        pairs = ", ".join(f"{key} = {_toml(match.column.name)}" for key, match in found.items())
        return [*lines, f"invoices = {{{pairs}}}", *_rest(seen, found)]
    found = {"sent_at": found["answered_at"], **found} if table == "surveys" and "sent_at" not in found else found
    lines += ["", f"[tables.{name}.columns]", *(f"{ours} = {_source(match, found)}" for ours, match in found.items())]
    return [*lines, *_rest(seen, found)]


def _source(match: Match, found: Mapping[str, Match]) -> str:
    if not match.made and not match.column.members:
        return _toml(match.column.name)
    made = dict(match.made)
    if "after" in made:
        made["after"] = found[made["after"]].column.name
    return _toml((_from(match.column)) | made)


def _from(column: Looked) -> dict[str, Any]:
    return {"first_of": list(column.members)} if column.members else {"column": column.name}


def _ratings(seen: Sniffed, found: Mapping[str, Match]) -> list[str]:
    """The columns of an answer that rate something, as ratings."""
    members = [member for group in rated(seen).values() for member in group]
    if not members:
        return []
    scale = points([value for _, column in members for value in column.values])
    recode = f", rating = {_toml({'recode': scale})}" if scale else ""
    lines = [
        "",
        "[tables.ratings]",
        *_place(seen),
        f"columns = {{survey_id = {_toml(found['survey_id'].column.name)}{recode}}}",
    ]
    return [
        *lines,
        "",
        "[tables.ratings.touchpoints]",
        *(f"{_toml(column.name)} = {_toml(name)}" for name, column in members),
    ]


def _frame(seen: Sniffed, found: Mapping[str, Match]) -> list[str]:
    """One row for each answer."""
    lines = ["", "[frame]", *_place(seen), *_rest(seen, found), ""]
    drivers = [(name, column) for group in rated(seen).values() for name, column in group]
    scored = {ours: match for ours, match in found.items() if ours in ("recommend", "satisfaction", "effort")}
    for ours, match in scored.items():
        lines += _framed(match.column, ours, match.made.get("recode", {}))
    taken = {match.column.name for match in scored.values()}
    drivers = [(name, column) for name, column in drivers if column.name not in taken and name not in scored]
    for name, column in drivers:
        lines += _framed(column, name, points(column.values))
    lines += ["", "[experience]", 'score = "recommend"', f"drivers = {_toml([name for name, _ in drivers])}"]
    lines += (
        ['missing = "not_met"             # most people have not met everything: that is an answer too']
        if drivers
        else []
    )
    lines += ['satisfaction = "satisfaction"'] if "satisfaction" in scored else []
    lines += [f"weights = {_toml(found['weight'].column.name)}"] if "weight" in found else []
    return [*lines, *_groups([name for name, _ in drivers])]


def _framed(column: Looked, name: str, recode: Mapping[str, int]) -> list[str]:
    """A column of the frame under our name, if there is anything to say about it."""
    own = {"first_of": list(column.members)} if column.members else {"name": name} if name != column.name else {}
    made = own | ({"recode": dict(recode)} if recode else {})
    head = f"[columns.{_key(name if column.members else column.name)}]"
    return [head, *(f"{key} = {_toml(value)}" for key, value in made.items())] if made else []


def _questions(guess: Guess, attrition: bool) -> list[str]:
    """What is asked of the tables: the landmark, the causes they can show, the drivers."""
    there, lines = set(guess.tables), []
    causes = ['service = {service_band = {failed = "good"}}'] if "tickets" in there else []
    if {"prices", "invoices"} & there:
        causes.append('price = {price_band = {raised = "same", "raised a lot" = "same"}}')
    if "customers" in there and causes:
        known = [
            "tenure_band",
            *(name for name in ("region", "segment", "plan") if name in guess.tables["customers"][1]),
        ]
        asked = ["[landmark]", 'as_of = "latest"', "lookback_days = 180", "horizon_days = 90", "", "[attrition]"]
        asked += [f"adjust = {_toml(known)}    # what else goes with leaving", "", "[attrition.causes]", *causes]
        lines += ["", *(asked if attrition else [f"# {line}".rstrip() for line in asked])]
    if "customers" in there and "surveys" in there:
        seen, found = guess.tables["surveys"]
        drivers = [name for group in rated(seen).values() for name, _ in group]
        lines += ["", "[experience]", f"drivers = {_toml(drivers)}", *(['missing = "not_met"'] if drivers else [])]
        lines += ['satisfaction = "satisfaction"'] if "satisfaction" in found else []
        lines += _groups(drivers)
    return lines


def _groups(drivers: Sequence[str]) -> list[str]:
    if not drivers:
        return []
    return ["", "# [experience.groups]            # settle: which of the drivers are service",
            "# service = []", f"# product = {_toml(list(drivers))}"]  # fmt: skip


def _place(seen: Sniffed) -> list[str]:
    """The file and how it is spelled, where that is not the default."""
    form = seen.form
    usual = replace(_DEFAULTS, delimiter=csvfile.ENDINGS.get(seen.path.suffix.lower(), ""))
    lines = [f"file = {_toml(seen.path.name)}", *([f"table = {_toml(form.table)}"] if form.table else [])]
    for key in (
        "delimiter",
        "decimal",
        "encoding",
        "date_format",
        "skip_rows",
        "header_rows",
        "footer_rows",
        "missing",
    ):
        value = getattr(form, key)
        if value and value != getattr(usual, key):
            lines.append(f"{key} = {_toml(list(value) if isinstance(value, tuple) else value)}")
    keep = kept_values(seen)
    return [*lines, f"keep = {_toml(keep)}"] if keep else lines


def _rest(seen: Sniffed, found: Mapping[str, Match]) -> list[str]:
    used = {name for match in found.values() for name in (match.column.name, *match.column.members)}
    left = [column.name for column in seen.columns if column.name not in used]
    return [f"# other columns: {', '.join(_toml(name) for name in left[:30])}{' …' * (len(left) > 30)}"] if left else []


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _toml(name)


def _toml(value: Any) -> str:
    """A value as TOML writes it; its texts are JSON's, but for one letter."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(key))} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
