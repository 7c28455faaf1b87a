"""A study: the one file an analyst writes, read into tables or a frame."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import data, engine, files, personal
from .errors import CxError, refuse, shortened, unknown
from .frame import COLUMNS, LATEST, answered, answered_before, described, landmark_day, only, parsed_day, rated
from .frame_study import frame_of, left_as_flag
from .held import held, identity, remembered
from .paths import beside, is_file, is_folder
from .study_checks import comment_faults, frame_faults, tables_faults
from .study_file import (
    DUCKDB,
    SPARK,
    AttritionPart,
    CommentsPart,
    ExperiencePart,
    LandmarkPart,
    PrivacyPart,
    ReasonsPart,
    StudyFile,
)  # fmt: skip
from .study_words import file_parts, parse
from .table_study import tables_of
from .windows import followed_from, unfollowed

ROOT = Path(__file__).resolve().parent.parent
STUDIES = ROOT / "data" / "studies"
REAL = ROOT / "data" / "real"


@dataclass(frozen=True, eq=False)  # told apart by identity: what is held of one is held for it alone
class Study:
    """A study as read: `tables` (seen by `study_frame` at the landmark) or `frame`, and what is asked of them."""

    title: str
    path: Path
    files: tuple[Path, ...]  # everything read, the study file first
    tables: data.Tables | None
    frame: engine.View | None
    landmark: LandmarkPart | None  # as_of, lookback_days, horizon_days, slow_hours
    attrition: AttritionPart | None  # outcome, causes, adjust, weights, customer
    experience: ExperiencePart | None  # score, scale, drivers, missing, groups, weights, strata, customer
    reasons: ReasonsPart | None  # column, rules
    privacy: PrivacyPart  # minimum_group, show_comments, allow
    timezone: str = "UTC"
    origins: tuple[tuple[str, str, str], ...] = ()  # table or "frame", our column, what it comes from
    comments: CommentsPart | None = None  # column, themes (path), labels, simulated
    private: Mapping[str, str] = field(default_factory=dict)  # columns that no group is told by: what they hold
    engine: str = DUCKDB
    catalog: tuple[str, ...] = ()  # tables of Spark's catalog, of which nothing says when they change


def read_study(name_or_path: str | Path) -> Study:
    """Read a study file and hold its words against its data.

    Parameters
    ----------
    name_or_path : name of a file in data/studies (without .toml), or a path

    Returns
    -------
    Study, with `tables` or `frame` (a lazy view in the study's own names) and the parts of the file.

    Raises
    ------
    CxError
        All faults at once, each with the file, the key and the nearest valid name: unknown key, missing file, column,
        level or value; a text where numbers must be; a score outside its scale; customers who occur twice; an outcome
        with one value; an empty frame.

    Notes
    -----
    Files are relative to the study file; those in data/real are looked for in the folder CX_REAL_DATA names, if it
    names one. CSV columns are texts; a column whose every value reads as a number is a number, unless it is an id, a
    cause or written like 007. The word "None" stays a word. The parts are applied in this order: joins (left; a column
    that is there already stays), keep, missing, recode, bands, name.

    Examples
    --------
    >>> import cxlib as cx
    >>> cx.read_study("example").attrition.outcome
    'left'
    """
    path = find_study(name_or_path)
    words = parse(path)
    if words.tables is not None:
        study, faults = _table_study(path, words)
    else:
        study, faults = _frame_study(path, words)
    if study is not None and study.comments is not None:
        faults += comment_faults(study.tables, study.frame, study.comments)
    refuse(f"{path.name}: {fault}" for fault in faults)
    assert study is not None
    return study


def find_study(name_or_path: str | Path) -> Path:
    """The file of a study: a name in data/studies, or a path from the working directory, else from the project."""
    text = str(name_or_path)
    if not text.endswith(".toml") and Path(text).name == text:
        named = STUDIES / f"{text}.toml"
        if is_file(named):
            return named
        raise CxError(unknown("study", text, sorted(path.stem for path in STUDIES.glob("*.toml")), "data/studies"))
    for path in (Path(text), ROOT / text):
        if os.path.exists(path):  # a folder or a device is told by who reads it, under the name it was given
            return path.resolve() if path.is_file() else path.absolute()
    raise CxError(unknown("study file", Path(text).name, beside(text, "*.toml"), shortened(Path(text).parent)))


def data_path(study: Path, file: str) -> Path:
    """Where a file named in a study is: beside it, or in CX_REAL_DATA if it belongs in data/real."""
    path = Path(os.path.normpath(study.parent / file))
    real = os.environ.get("CX_REAL_DATA")
    if real and path.is_relative_to(REAL):
        return Path(real).absolute() / path.relative_to(REAL)
    return path


def _there(study: Path, file: str) -> Path:
    path = data_path(study, file)
    if not is_file(path) and not is_folder(path) and Path(os.path.normpath(study.parent / file)).is_relative_to(REAL):
        raise CxError(
            f"no file '{path.name}' in '{path.parent}'; download it there, or name its folder in CX_REAL_DATA"
        )
    return path


def study_frame(study: Study, as_of: str | date = "", only_column: str = "", only_value: str = "") -> engine.View:
    """The rows of a study that its attrition part is about: the landmark frame of its tables, or its frame.

    Parameters
    ----------
    study : from `read_study`
    as_of : ISO day or "latest" instead of the study's own; "" = the study's. A [frame] has none
    only_column, only_value : keep the rows in which a column has this value; "" = all

    Returns
    -------
    A lazy view; see `landmark`.

    Raises
    ------
    CxError
        as_of for a study without dates; a column or value that does not occur.
    """
    if study.frame is not None:
        if as_of:
            raise CxError(f"{study.path.name}: as_of must be empty, a [frame] study has no dates; leave it out")
        return group_of(study, study.frame, only_column, only_value)
    return group_of(study, unfollowed(study_at_landmark(study, as_of), _stated(study)), only_column, only_value)


@lru_cache(maxsize=4)
def study_at_landmark(study: Study, as_of: str | date = "") -> engine.View:
    """The customers of a study's tables at its landmark, how long they were followed and what they stated: held."""
    when, tables = study.landmark or LandmarkPart(), study.tables
    assert tables is not None
    lengths = when.lookback_days, when.horizon_days, when.slow_hours
    day, stated = landmark_day(tables, as_of or when.as_of, *lengths), _stated(study)
    return held(lambda: followed_from(tables, day, *lengths, stated), engine.rows(tables.need("customers")),
                "customer_id", known_as(study, "landmark", str(day), *lengths, *stated))  # fmt: skip


def known_as(study: Study, *asked: object) -> str:
    """What is asked of a study, as the processes of a run tell it apart; "" on Spark, which holds it in the session."""
    return "" if study.engine == SPARK else identity(study.files, *asked)


def _stated(study: Study) -> list[str]:
    """The column of the customers in which a study finds what they stated, if it is none of the landmark's own."""
    named, people = study.reasons and study.reasons.column, study.tables and study.tables.customers
    return [named] if named and people and named in people.at and named not in COLUMNS else []


@lru_cache(maxsize=4)
def _all_answers(study: Study) -> engine.View:
    """The answers of a study's tables, with every rating: held."""
    assert study.tables is not None
    tables = study.tables
    given = answered(tables)
    most = engine.rows(tables.need("surveys"))

    def worked_out() -> engine.View:
        # In two steps: many customers and many ratings do not fit in memory together.
        return rated(tables, held(lambda: described(tables, given), most))

    return held(worked_out, most, "survey_id", known_as(study, "answers"))


def group_of(study: Study, seen: engine.View, only_column: str, only_value: str) -> engine.View:
    """The rows of one group of a study; see `only`. Columns that tell who somebody is are refused."""
    refuse(personal.group_faults(study.private, only_column))
    return only(seen, only_column, only_value)


def study_answers(study: Study, as_of: str | date = "", only_column: str = "", only_value: str = "") -> engine.View:
    """The rows of a study that its experience part is about: its answered surveys (before as_of), or its frame.

    Parameters, returns and faults as for `study_frame`; see `answers`. With as_of "" all answers count.
    """
    if study.tables is None:
        return study_frame(study, as_of, only_column, only_value)
    return group_of(study, study_answered(study, as_of), only_column, only_value)


def study_answered(study: Study, as_of: str | date = "", lookback_days: int | None = None) -> engine.View:
    """The answers of a study's tables before a day, as `answers` gives them."""
    seen = _all_answers(study)
    if as_of in ("", LATEST) and lookback_days is None:
        return seen
    assert study.tables is not None
    end = study.tables.last_day + timedelta(days=1) if as_of in ("", LATEST) else parsed_day(as_of, "answers: as_of")
    return answered_before(seen, end, lookback_days)


def _table_study(path: Path, words: StudyFile) -> tuple[Study | None, list[str]]:
    try:
        tables, origins = tables_of(words, lambda file: _there(path, file))
    except CxError as error:
        return None, list(error.faults)
    when = words.landmark or LandmarkPart()
    attrition, experience = _with_customer(words, "customer_id")

    def looked_into() -> dict[str, Any]:
        faults = tables_faults(tables, when, attrition, experience, words.reasons)
        private, more = personal.of_tables(tables, origins, words.privacy)
        return {"faults": faults + more, "private": private, "days": {n: str(d) for n, d in tables.last_days.items()}}

    read = (path, *tables.files)
    found = remembered("" if words.engine == SPARK else identity(read, "looked into"), looked_into)
    tables.__dict__["last_days"] = {name: date.fromisoformat(day) for name, day in found["days"].items()}
    study = _study(path, words, read, attrition, experience, origins, found["private"], tables=tables, landmark=when)
    return study, found["faults"]


def _frame_study(path: Path, words: StudyFile) -> tuple[Study | None, list[str]]:
    assert words.frame is not None
    try:
        draft = frame_of(words, lambda file: _there(path, file))
    except CxError as error:
        return None, list(error.faults)
    attrition, experience = _with_customer(words, words.frame.customer)
    faults = draft.faults + frame_faults(draft.view, draft.broken, attrition, experience, words.reasons)
    private, more = personal.of_frame(draft.view, words)
    if faults or more:
        return None, faults + more
    hidden = [name for name, kind in private.items() if kind not in (personal.IDS, personal.COMMENTS)]
    seen = personal.hashed(draft.view, hidden)
    seen = left_as_flag(seen, attrition.outcome, attrition.left_value) if attrition else seen
    theirs = {part.name: name for name, part in words.columns.items() if part.name}
    origins = [("frame", name, theirs.get(name, name)) for name in seen.at]
    return _study(path, words, (path, *draft.paths), attrition, experience, origins, private, frame=seen), []


def _with_customer(words: StudyFile, customer: str | None) -> tuple[AttritionPart | None, ExperiencePart | None]:
    attrition, experience = words.attrition, words.experience
    if attrition:
        causes = {
            cause: {name: {level: files.spelled(to) for level, to in pairs.items()} for name, pairs in columns.items()}
            for cause, columns in attrition.causes.items()
        }
        attrition = attrition.model_copy(update={"causes": causes, "customer": attrition.customer or customer})
    if experience and experience.customer is None:
        experience = experience.model_copy(update={"customer": customer})
    return attrition, experience


def _study(
    path: Path,
    words: StudyFile,
    read: tuple[Path, ...],
    attrition: AttritionPart | None,
    experience: ExperiencePart | None,
    origins: Iterable[tuple[str, str, str]],
    private: Mapping[str, str],
    tables: data.Tables | None = None,
    frame: engine.View | None = None,
    landmark: LandmarkPart | None = None,
) -> Study:
    comments = words.comments
    if comments and comments.themes:
        comments = comments.model_copy(update={"themes": str(_there(path, comments.themes))})
    return Study(
        title=words.title or path.stem,
        path=path,
        files=read,
        tables=tables,
        frame=frame,
        landmark=landmark,
        attrition=attrition,
        experience=experience,
        reasons=words.reasons,
        privacy=words.privacy,
        timezone=words.timezone,
        origins=tuple(origins),
        comments=comments,
        private=private,
        engine=words.engine,
        catalog=tuple(part.table for _, part in file_parts(words) if words.engine == SPARK and part.table),
    )
