"""The frame of a study: files joined, rows kept, and columns made of texts: missing, recoded, banded, renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw

from . import csvfile, engine, files
from .bands import cut
from .errors import CxError, listed, shortened, unknown
from .recoded import as_text, cleaned, first_filled, levels, matches, rows_with, value_faults, word_faults
from .snapshots import Wanted, is_database, snapshot
from .study_file import SPARK, ColumnPart, FilePart, StudyFile, key_path

NUMBER, TEXT, ANY = "number", "text", "any"


@dataclass
class Draft:
    """A frame under construction, in the names of its files, with the faults met so far."""

    view: engine.View
    forms: dict[str, files.Form]
    paths: list[Path]
    faults: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)  # columns with a fault: whatever else they show follows from it


def frame_of(study: StudyFile, path_of: Callable[[str], Path]) -> Draft:
    """The frame of a frame study in the analyst's names, with what is wrong with its columns."""
    try:
        draft = _joined(study, path_of)
        _keep(draft, study)
        if not engine.rows(draft.view):
            raise CxError("frame: must hold at least one row, it is empty; check the file and [frame.keep]")
        _missing_and_recode(draft, study.columns)
        _numbers(draft, study, _uses(study))
        draft.view = files.kept(_named(draft, study), draft.paths)
        return draft
    except duckdb.Error as error:
        raise CxError(csvfile.told(study.frame.file if study.frame else "frame", error)) from None


def _joined(study: StudyFile, path_of: Callable[[str], Path]) -> Draft:
    part = study.frame
    assert part is not None
    sources: list[files.Source] = []
    faults: list[str] = []
    for one in (part, *part.joins):
        try:
            read: Any = files.read_on_spark if study.engine == SPARK else files.read_file
            sources.append(read(_place(one, study, path_of), one.form()))
        except CxError as error:
            faults += error.faults
    if faults:
        raise CxError(*faults)
    main = sources[0]
    draft = Draft(main.view, dict.fromkeys(main.view.at, main.form), [s.path for s in sources if s.path])
    for i, (join, source) in enumerate(zip(part.joins, sources[1:], strict=True)):
        _join(draft, source, join.on, i)
    return draft


def _place(part: FilePart, study: StudyFile, path_of: Callable[[str], Path]) -> Path | str:
    """The file of a frame or of what is joined to it; a table of a database as a copy, of Spark's catalog by name."""
    if part.file and not is_database(part.file):
        return path_of(part.file)
    if study.engine == SPARK:
        return part.table
    words = frozenset(_texts(study.model_dump(exclude={"title"})))
    place: Path | str = path_of(part.file) if part.file else part.database
    (path,) = snapshot([Wanted(place, part.table, None, words, path_of("."))])
    assert path is not None
    return path


def _texts(value: Any) -> Iterator[str]:
    """All texts in a study: those that are names of columns are wanted."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        yield from (text for one in value.values() for text in _texts(one))
    elif isinstance(value, list):
        yield from (text for one in value for text in _texts(one))


def _join(draft: Draft, source: files.Source, on: str, i: int) -> None:
    """Left join; a column that is there already stays as it is, and each row must find at most one partner."""
    name = source.path.name if source.path else "the joined file"
    here, there = draft.view, source.view
    faults = [unknown("column", on, seen.at, f"frame.joins[{i + 1}].on, {which}")
              for seen, which in ((here, "the frame"), (there, name)) if on not in seen.at]  # fmt: skip
    if faults:
        raise CxError(*faults)
    keys = engine.collect(there.frame.select(n=nw.len(), u=nw.col(there.at[on]).n_unique()))
    if keys["n"][0] != keys["u"][0]:
        raise CxError(
            f"frame.joins[{i + 1}]: '{shortened(on)}' must be unique in {name}, {keys['n'][0] - keys['u'][0]:,} of its "
            f"{keys['n'][0]:,} rows repeat one; join a file with one row each"
        )
    new = {column: f"j{i}{at}" for column, at in there.at.items() if column not in here.at}
    key = nw.col(there.at[on]).cast(nw.String).alias("joined_on")
    right = there.frame.select(key, *(nw.col(there.at[column]).alias(at) for column, at in new.items()))
    left = here.frame.with_columns(nw.col(here.at[on]).cast(nw.String).alias("joined_on"))
    lazy = left.join(right.with_columns(partner=nw.lit(1)), on="joined_on", how="left")
    if not engine.collect(lazy.select(nw.col("partner").count().alias("n")))["n"][0]:
        raise CxError(f"frame.joins[{i + 1}]: no row of the frame finds a partner in {name} by '{shortened(on)}'")
    kinds = {column: there.kind[column] for column in new}
    draft.view = engine.View(lazy.drop("joined_on", "partner"), {**here.at, **new}, {**here.kind, **kinds})
    draft.forms |= dict.fromkeys(new, source.form)


def _uses(study: StudyFile) -> dict[str, str]:
    """What each column (in the analyst's names) must hold for what the study does with it."""
    uses: dict[str, str] = {}
    if study.frame and study.frame.customer:
        uses[study.frame.customer] = TEXT
    if study.attrition:
        uses |= {name: TEXT for columns in study.attrition.causes.values() for name in columns}
        if study.attrition.left_value is not None:
            uses[study.attrition.outcome] = TEXT
    if study.experience:
        uses |= dict.fromkeys((study.experience.score, *study.experience.drivers), NUMBER)
    parts = [part for part in (study.attrition, study.experience) if part]
    return uses | {part.weights: NUMBER for part in parts if part.weights}


def _keep(draft: Draft, study: StudyFile) -> None:
    keep = study.frame.keep if study.frame else {}
    where = key_path("frame", "keep")
    draft.faults += value_faults(
        draft.view, [(name, values, where, key_path("frame", "keep", name)) for name, values in keep.items()]
    )
    if not draft.faults:
        draft.view = rows_with(draft.view, keep)


def _joined_columns(draft: Draft, columns: Mapping[str, ColumnPart]) -> None:
    """Columns of their own for questions whose choices have a column each."""
    added, at = [], dict(draft.view.at)
    for i, (name, part) in enumerate((name, part) for name, part in columns.items() if part.first_of):
        where = key_path("columns", name, "first_of")
        faults = [unknown("column", one, draft.view.at, where) for one in part.first_of if one not in draft.view.at]
        if name in draft.view.at:
            faults.append(f"{where}: the column must be new, the frame has a column '{shortened(name)}'")
        draft.faults += faults
        if faults:
            draft.broken.add(name)
            continue
        added.append(first_filled(draft.view, part.first_of).alias(f"f{i}"))
        at[name], draft.forms[name] = f"f{i}", draft.forms[part.first_of[0]]
    if added:
        kinds = {**draft.view.kind, **{name: engine.FACTOR for name in at if name not in draft.view.kind}}
        draft.view = engine.View(draft.view.frame.with_columns(*added), at, kinds)


def _missing_and_recode(draft: Draft, columns: Mapping[str, ColumnPart]) -> None:
    _joined_columns(draft, columns)
    asked = {name: (part, key_path("columns", name)) for name, part in columns.items() if name not in draft.broken}
    draft.faults += word_faults(draft.view, asked, "columns")
    types, changed = draft.view.frame.collect_schema(), []
    for name, part in columns.items():
        if name in draft.view.at and (part.missing or part.recode or part.otherwise is not None):
            at = draft.view.at[name]
            changed.append(cleaned(nw.col(at), types[at], part).alias(at))
    lazy = draft.view.frame.with_columns(*changed) if changed else draft.view.frame
    draft.view = engine.View(lazy, draft.view.at, draft.view.kind)


def _numbers(draft: Draft, study: StudyFile, uses: Mapping[str, str]) -> None:
    """Texts become numbers where every value of a column reads as one (and none as a code like "007")."""
    types = draft.view.frame.collect_schema()
    new = {name: part.name for name, part in study.columns.items() if part.name and not part.bands}
    wanted = {name: uses.get(new.get(name, name), ANY) for name in draft.view.at}
    wanted |= {name: NUMBER for name, part in study.columns.items() if part.bands}
    texts = [
        name
        for name, at in draft.view.at.items()
        if types[at] == nw.String and wanted[name] != TEXT and (not name.endswith("_id") or wanted[name] == NUMBER)
    ]
    counts = _readable(draft, texts)
    spell = {at: at for at in draft.view.at.values()}
    for name in texts:
        filled, numeric, coded, example = counts[name]
        if wanted[name] == NUMBER and 0 < numeric < filled:
            draft.faults.append(_mixed(name, filled - numeric, example))
            draft.broken |= {name, new.get(name, name)}
        if filled == numeric and filled and (not coded or wanted[name] == NUMBER):
            read = files.sql_of(draft.view.frame).reading
            spell[draft.view.at[name]] = read(draft.view.at[name], "number", draft.forms[name])
    numeric_now = {name for name in texts if spell[draft.view.at[name]] != draft.view.at[name]}
    kinds = {name: engine.NUMBER if name in numeric_now else kind for name, kind in draft.view.kind.items()}
    draft.view = engine.View(engine.computed(draft.view.frame, spell), draft.view.at, kinds)
    _to_factors(
        draft, [name for name in draft.view.at if wanted[name] == TEXT and types[draft.view.at[name]] != nw.String]
    )


def _to_factors(draft: Draft, names: list[str]) -> None:
    types = draft.view.frame.collect_schema()
    texts = [as_text(draft.view[name], types[draft.view.at[name]]).alias(draft.view.at[name]) for name in names]
    lazy = draft.view.frame.with_columns(*texts) if texts else draft.view.frame
    draft.view = engine.View(lazy, draft.view.at, {**draft.view.kind, **dict.fromkeys(names, engine.FACTOR)})


def _readable(draft: Draft, names: list[str]) -> dict[str, tuple[int, int, int, str]]:
    """For each text column: values, how many read as numbers, how many are written like 007, one that is no number."""
    parts, sql = {"n": "COUNT(*)"}, files.sql_of(draft.view.frame)
    for i, name in enumerate(names):
        at = draft.view.at[name]
        number = sql.reading(at, "number", draft.forms[name])
        parts |= {
            f"f{i}": f"COUNT({at})",
            f"n{i}": f"COUNT({number})",
            f"z{i}": f"COUNT(CASE WHEN {sql.matches(at, '^0[0-9]')} THEN 1 END)",
            f"v{i}": f"MIN(CASE WHEN ({number}) IS NULL THEN {at} END)",
        }
    row = engine.collect(engine.computed(draft.view.frame, parts)).iloc[0]
    return {name: tuple(row[f"{key}{i}"] for key in "fnzv") for i, name in enumerate(names)}


def _mixed(name: str, count: int, example: str) -> str:
    return (
        f"{key_path('columns', name)}: the column must hold numbers, {count:,} value{'s are' if count > 1 else ' is'} "
        f"none, such as '{shortened(example)}'; name it in missing or recode it"
    )


def _named(draft: Draft, study: StudyFile) -> engine.View:
    """Bands cut, columns under the analyst's names; a banded number stays as it is if the band has its own name."""
    at, kinds, added = dict(draft.view.at), dict(draft.view.kind), []
    for i, (name, part) in enumerate(study.columns.items()):
        new = part.name or name
        if name not in at or (not part.name and not part.bands):
            continue
        if new != name and new in at:
            draft.faults.append(
                f"{key_path('columns', name)}.name must be new, the frame has a column '{shortened(new)}'"
            )
            continue
        if part.bands:
            if kinds[name] != engine.NUMBER:
                draft.faults += [] if name in draft.broken else [_not_numbers(draft, name)]
                draft.broken.add(new)
                continue
            added.append(cut(nw.col(at[name]), part.bands.edges, part.bands.labels).alias(f"b{i}"))
            at[new], kinds[new] = f"b{i}", engine.FACTOR
        else:
            at[new], kinds[new] = at.pop(name), kinds.pop(name)
    lazy = draft.view.frame.with_columns(*added) if added else draft.view.frame
    return engine.View(lazy, at, kinds)


def _not_numbers(draft: Draft, name: str) -> str:
    found = listed(levels(draft.view, name), 3)
    return f"{key_path('columns', name)}.bands: the column must hold numbers, it holds {found or 'nothing'}"


def left_as_flag(seen: engine.View, outcome: str, value: Any) -> engine.View:
    """The outcome as true (left) or false; without a value it is 0 and 1, or true and false already."""
    dtype = seen.frame.collect_schema()[seen.at[outcome]]
    if dtype == nw.Boolean and value is None:
        return seen
    value = value if value is not None else "true" if dtype == nw.String else 1
    lazy = seen.frame.with_columns(matches(seen[outcome], dtype, value).alias(seen.at[outcome]))
    return engine.View(lazy, seen.at, {**seen.kind, outcome: engine.FACTOR})
