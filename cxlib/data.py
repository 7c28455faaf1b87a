"""The seven tables: loaded from a folder or from frames, checked against `schema.TABLES`, and their data contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from . import engine, files, queries, schema
from .errors import CxError, LostData, nearest, refuse, unknown
from .rules import Rule, rules
from .typed import typed

# Days that are often entered ahead (a notice period, an announced price) do not show how far the data reach.
SEEN = {
    "customers": ("signup_date",),
    "surveys": ("sent_at", "answered_at"),
    "tickets": ("opened_at", "first_response_at", "resolved_at"),
    "interactions": ("at",),
}
AHEAD = {"customers": ("end_date",), "prices": ("valid_from",)}
YEARS = (1800, 2999)  # of days that can be meant; windows of at most a century around them stay on the calendar
STRAYS, FAR = 0.005, 31  # share of rows, days after all other tables: dates in the future, not the end of the data


@dataclass(frozen=True)
class Tables:
    """The tables that are there, each a lazy frame with the columns of `schema.TABLES` that are there.

    `last_day` is the last day the data cover: the latest signup, survey, answer, ticket stamp or interaction. Ends
    and prices, which are often entered ahead, count only where there is no table of events.
    """

    customers: engine.View | None = None
    prices: engine.View | None = None
    surveys: engine.View | None = None
    ratings: engine.View | None = None
    tickets: engine.View | None = None
    interactions: engine.View | None = None
    touchpoints: engine.View | None = None
    files: tuple[Path, ...] = ()

    @property
    def present(self) -> dict[str, engine.View]:
        """The tables that are there, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self) if field.name in schema.TABLES}
        return {name: seen for name, seen in found.items() if seen is not None}

    def need(self, name: str, what: str = "this needs it") -> engine.View:
        """A table, or the fault that names it where it is not there."""
        seen = self.present.get(name)
        if seen is None:
            raise CxError(f"no table '{name}': {what}; add it to the study")
        return seen

    @cached_property
    def last_days(self) -> dict[str, date]:
        """The last day of each table that is dated (one query a table, then remembered)."""
        events = any(name in SEEN for name in self.present if name != "customers")
        columns = {name: (*SEEN.get(name, ()), *(() if events else AHEAD.get(name, ()))) for name in self.present}
        latest = {name: _latest(seen, columns[name]) for name, seen in self.present.items()}
        return {name: day for name, day in latest.items() if day is not None}

    @property
    def last_day(self) -> date:
        """The last day the data cover."""
        if not self.last_days:
            raise CxError("the tables must hold at least one dated row, they hold none; check the files")
        last = max(self.last_days.values())
        if not is_plausible(last):
            table = next(name for name, day in self.last_days.items() if day == last)
            raise CxError(f"table '{table}': the last day must lie in the years {YEARS[0]} to {YEARS[1]}, it is "
                          f"{last}; correct the years, or name what stands for no day in missing")  # fmt: skip
        return last

    def strays(self, day: date) -> str:
        """ "" if the data reach `day`; if only a handful of rows of one table do, long after all others: which."""
        *others, (name, last) = sorted(self.last_days.items(), key=lambda item: item[1])
        if not others or day <= others[-1][1] or last - others[-1][1] <= timedelta(days=FAR):
            return ""
        seen, before = self.present[name], others[-1][1]
        dated = [column for column in (*SEEN.get(name, ()), *AHEAD.get(name, ())) if column in seen.at]
        after = nw.any_horizontal(*(nw.col(column).cast(nw.Date) > before for column in dated), ignore_nulls=True)
        count = int(engine.collect(seen.frame.filter(after).select(nw.len().alias("n")))["n"][0])
        many = count > STRAYS * engine.rows(seen)
        return "" if many else f"{count:,} rows of '{name}' are dated up to {last}, all else up to {before}"


def load(source: str | Path | Mapping[str, Any]) -> Tables:
    """Load the tables, lazily: from a folder of files, or from frames.

    Parameters
    ----------
    source : folder with one Parquet or CSV file a table (customers.parquet, tickets.csv, …), or a mapping of table
        names to pandas, Polars, Arrow, DuckDB or Spark frames. Customers, or tickets alone, are required; columns are
        those of `schema.codebook()`, others are left out.

    Returns
    -------
    Tables, one lazy frame for each table that is there. Ids are text ("007" stays), days are days, stamps naive UTC.

    Raises
    ------
    CxError
        All faults at once: unknown table, missing column, a column of the wrong kind, a text that cannot be read as
        the number, day or stamp it should be.

    Notes
    -----
    A folder may hold other files. A CSV file is comma-separated UTF-8 with ISO days; for any other spelling or other
    column names write a study file. Stamps without a zone are taken as UTC.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"customer_id": ["007"], "signup_date": ["2025-01-31"], "end_date": [None]})
    >>> load({"customers": people}).last_day
    datetime.date(2025, 1, 31)
    """
    if isinstance(source, Mapping):
        refuse(unknown("table", name, schema.TABLES, "load") for name in source if name not in schema.TABLES)
        sources = {name: files.Source(engine.view(frame, name)) for name, frame in source.items()}
    else:
        sources = {name: files.read_file(path) for name, path in find_tables(Path(source)).items()}
    return tables_from(sources)


def find_tables(folder: Path) -> dict[str, Path]:
    """The file of each table in a folder; a file whose name is nearly that of a missing table is a fault."""
    if not folder.is_dir():
        there = sorted(entry.name for entry in folder.parent.iterdir()) if folder.parent.is_dir() else []
        raise CxError(unknown("folder", folder.name, there, f"load '{folder.parent}'"))
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".parquet", ".csv", ".tsv") and not path.name.startswith("."):
            found.setdefault(path.stem.lower(), []).append(path)
    faults = [
        f"{folder.name}: table '{name}' must be in one file, there are {' and '.join(path.name for path in paths)}"
        for name, paths in found.items()
        if name in schema.TABLES and len(paths) > 1
    ]
    absent = [name for name in schema.TABLES if name not in found]
    for stem in set(found) - set(schema.TABLES):
        if meant := nearest(stem, [name for name in absent if _alike(stem, name)]):
            faults.append(f"{folder.name}: no table is named '{stem}'; did you mean '{meant}'? Rename the file")
    refuse(faults)
    return {name: paths[0] for name, paths in found.items() if name in schema.TABLES}


def tables_from(
    sources: Mapping[str, files.Source],
    columns: Mapping[str, Mapping[str, str]] | None = None,
    zone: str = "UTC",
) -> Tables:
    """Tables from sources: pick and rename columns (ours -> theirs), read each as its kind, tell all faults at once."""
    columns, faults, views = columns or {}, [], {}
    if not {"customers", "tickets"} & set(sources):
        faults.append("no table 'customers': the one table that must be there, one row per customer; add it")
    # Tickets can be timed and counted without knowing whose they are.
    spared = () if "customers" in sources else ("customer_id",)
    for name, source in sources.items():
        try:
            views[name] = typed(name, source, columns.get(name, {}), zone, spared)
        except CxError as error:
            faults += error.faults
    refuse(faults)
    engine.same_engine(views)
    return Tables(**views, files=tuple(source.path for source in sources.values() if source.path))


def is_plausible(day: date) -> bool:
    """Whether a day is in a year that can be meant."""
    return YEARS[0] <= day.year <= YEARS[1]


def _alike(stem: str, name: str) -> bool:
    return stem.rstrip("s") == name.rstrip("s") or len(set(stem) ^ set(name)) <= 2


def _latest(seen: engine.View, columns: tuple[str, ...]) -> date | None:
    there = [name for name in columns if name in seen.at]
    if not there:
        return None
    # The highest is looked up where a file's statistics tell it, and made a day only then.
    row = engine.collect(seen.frame.select(nw.col(name).max().cast(nw.Date).alias(name) for name in there))
    days = [day for day in row.iloc[0] if day is not None and day == day]
    return max((day.date() if hasattr(day, "date") else day for day in days), default=None)


def validate(tables: Tables) -> pd.DataFrame:
    """Hold the tables against the data contract.

    Parameters
    ----------
    tables : from `load`

    Returns
    -------
    DataFrame, one row per rule: table, rule, column, rows (checked), failing (rows), share (of rows), examples (up to
    three failing values; never an id or a free text).

    Notes
    -----
    Rules: keys are unique, required columns are filled, numbers lie in their range and are whole where they should be,
    categories are among the declared ones, keys of other tables exist, stamps do not run backwards, an end has a kind.

    Examples
    --------
    >>> people = {"customer_id": ["1", "1"], "signup_date": [date(2025, 1, 31)] * 2, "end_date": [None, None]}
    >>> validate(load({"customers": pd.DataFrame(people)})).query("failing > 0")[["rule", "failing"]].values.tolist()
    [['customer_id is unique', 2]]
    """
    found = [finding for name in tables.present for finding in _findings(tables, name)]
    return pd.DataFrame(found, columns=["table", "rule", "column", "rows", "failing", "share", "examples"])


def interrogated(tables: Tables, table: str, wanted: Sequence[Rule], extracts: bool = False) -> Any:
    """The pointblank validation of one table, for its counts, its examples or its HTML report."""
    import pointblank as pb  # slow to import, and only the contract needs it

    native = tables.present[table].frame.to_native()
    checks = pb.Validate(native, tbl_name=table)
    for rule in wanted:
        checks = rule.step(checks)
    with queries.asked(native):
        return checks.interrogate(collect_extracts=extracts, get_first_n=3 if extracts else None)


def _findings(tables: Tables, table: str) -> list[tuple]:
    kinds = {column.name: column.kind for column in schema.TABLES[table]}
    wanted, found = rules(tables.present, table), []
    for rule, info in zip(wanted, interrogated(tables, table, wanted).validation_info, strict=True):
        n, failing = info.n or 0, _failing(table, rule, info)
        shown = failing and kinds[rule.column] not in ("id", "text")
        # Collecting extracts costs as much as counting: only the rules that fail pay for it.
        examples = _examples(interrogated(tables, table, [rule], extracts=True), rule.column) if shown else ""
        found.append((table, rule.text, rule.column, n, failing, failing / max(n, 1), examples))
    return found


def _failing(table: str, rule: Rule, info: Any) -> int:
    """Rows that fail a rule; pointblank counts nothing in a table without rows, and keeps to itself what went wrong."""
    if info.n_failed is None and info.n:
        raise LostData(f"{table}: the rule '{rule.text}' could not be checked; see that the file is whole")
    return info.n_failed or 0


def _examples(checks: Any, column: str) -> str:
    values = nw.from_native(checks.get_data_extracts(1, frame=True), eager_only=True)[column].to_list()
    return ", ".join(dict.fromkeys("empty" if value is None else files.spelled(value) for value in values))
