"""What reports are made from, looked at before any runs: the study, the rows asked of it, the levels of a column."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import narwhals as nw

from . import engine, fingerprint
from .errors import CxError, refuse, unknown
from .personal import group_faults
from .study import Study, read_study, study_answers, study_frame

MOST_LEVELS = 1000
LOOKS: dict[str, Callable[..., engine.View]] = {"study_frame": study_frame, "study_answers": study_answers}


class Studies:
    """Each study of a run, read and summed once: three hundred reports may share one."""

    def __init__(self) -> None:
        self.read = cache(read_study)
        self.sums = cache(lambda name: _sums(self.read(name)))
        self.levels = cache(self._levels)
        self.faults = cache(self._faults)

    def fingerprints(self, values: Mapping[str, object]) -> dict[str, str | None]:
        """SHA-256 of the study file and of its data; without a study, of the files that parameters name."""
        if name := str(values.get("study", "")):
            return self.sums(name)
        return {"study": None, "data": fingerprint.of_named(values.values())}

    def _levels(self, study: str, as_of: str, column: str, looks: tuple[str, ...]) -> tuple[str, ...]:
        """The values of a column in the rows that a notebook looks at, as text, in order."""
        found: set[Any] = set()
        faults: list[str] = []
        read = self.read(study)
        refuse(fault.replace("only_column", "by", 1) for fault in group_faults(read.private, column))
        for look in looks:
            try:
                seen = LOOKS[look](read, as_of)
                engine.require(seen, [column], "by")
                found |= set(_distinct(seen, column))
            except CxError as error:
                faults += error.faults
        refuse(faults if not found else [])
        if len(found) > MOST_LEVELS:
            raise CxError(f"by: column '{column}' must have at most {MOST_LEVELS:,} levels; it has more")
        return tuple(_text(value) for value in sorted(found, key=lambda value: (isinstance(value, str), value)))

    def _faults(self, study: str, as_of: str, column: str, value: str, looks: tuple[str, ...]) -> tuple[str, ...]:
        """What is wrong with the rows asked for; customers and answers differ in columns, one that fits is enough."""
        told = [_told(LOOKS[look], self.read(study), as_of, column, value) for look in looks]
        return told[0] if all(told) else ()


def looks_of(source: str) -> tuple[str, ...]:
    """The rows that a notebook's code looks at, customers or answers; both where it names neither."""
    return tuple(name for name in LOOKS if name in source) or tuple(LOOKS)


def _sums(study: Study) -> dict[str, str | None]:
    sums: dict[str, str | None] = {
        "study": fingerprint.of_file(study.files[0]),
        "data": fingerprint.of_data(study.files[1:]),
    }
    # Nothing tells when a table of a catalog changes: what was made of it is never taken over from an earlier run.
    return sums | ({"data": fingerprint.of_values([sums["data"], uuid.uuid4().hex])} if study.catalog else {})


def _distinct(seen: engine.View, column: str) -> list[Any]:
    if seen.kind[column] not in (engine.FACTOR, engine.NUMBER):
        raise CxError(f"by: column '{column}' must hold groups, it holds {seen.kind[column]}s; name a column of levels")
    name = seen.at[column]
    distinct = engine.distinct(seen.frame.select(nw.col(name)).filter(~nw.col(name).is_null())).head(MOST_LEVELS + 1)
    values = engine.collect(distinct)[name].tolist()
    if not values:
        raise CxError(unknown("level", column, [], "by"))
    return values


def _text(value: Any) -> str:
    """A level as people write it: CSV numbers are all read as floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _told(look: Callable, *arguments: object) -> tuple[str, ...]:
    try:
        look(*arguments)
    except CxError as error:
        return error.faults
    return ()
