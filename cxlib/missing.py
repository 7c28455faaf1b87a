"""What the data do not hold: empty cells, touchpoints nobody rated, months that were never loaded."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine
from .data import Tables
from .errors import refuse, unknown
from .intervals import quantile, wilson
from .periods import period
from .schema import results
from .study import Study
from .study_checks import attrition_names, experience_names

STAMPS = {"surveys": "sent_at", "tickets": "opened_at", "interactions": "at"}  # by which months of a table are told
FREQUENCY = {"month": "M", "quarter": "Q"}  # our periods, pandas' names of them


def missing_values(data: Any, level: float = 0.95) -> pd.DataFrame:
    """Share of rows without a value, by table and column.

    Parameters
    ----------
    data : Tables, any frame, or a study: of one that is a frame, the columns it names count
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns, first the column table ("frame" for a frame); term = the column, measure "missing" (share; Wilson),
    n = rows. Where empty has a meaning, as for the end of an active customer, it is counted too: the reader knows.

    >>> missing_values(pd.DataFrame({"a": [1, None], "b": [1, 2]}))[["term", "estimate"]].to_numpy().tolist()
    [['a', 0.5], ['b', 0.0]]
    """
    quantile(level)
    rows = []
    for table, seen in _views(data).items():
        short = {f"n{i}": name for i, name in enumerate(seen.at)}
        asked = [nw.len().alias("rows"), *(seen[name].count().alias(n) for n, name in short.items())]
        found = engine.collect(seen.frame.select(*asked)).iloc[0]
        n = float(found["rows"])
        for key, name in short.items():
            gaps = n - float(found[key])
            lower, upper = (float(x) for x in wilson(gaps, n, level)) if n else (np.nan, np.nan)
            rows.append({"table": table, "term": name, "measure": "missing", "estimate": gaps / n if n else np.nan,
                         "lower": lower, "upper": upper, "level": level, "n": n, "unit": "share",
                         "method": "Wilson"})  # fmt: skip
    return results(rows, ["table"])


def rows_by_period(tables: Tables, every: str = "month", timezone: str = "UTC") -> pd.DataFrame:
    """How many rows each table of events has in each period: a month that was never loaded shows as a hole.

    Parameters
    ----------
    tables : with surveys, tickets or interactions
    every : "month" or "quarter"
    timezone : the clock by which periods begin

    Returns
    -------
    Result columns, first the columns table and period; term and measure "rows", estimate and n are rows. Periods
    without rows between the first and the last are told with 0 and a note.

    >>> import cxlib as cx
    >>> rows_by_period(cx.load("data/example"))["table"].unique().tolist()
    ['surveys', 'tickets', 'interactions']
    """
    refuse([] if every in FREQUENCY else [unknown("period", every, FREQUENCY)])
    rows = []
    for table, stamp in STAMPS.items():
        if table not in tables.present or stamp not in tables.present[table].at:
            continue
        seen = period(tables.present[table], stamp, every, timezone)
        lazy = seen.frame.filter(~seen["period"].is_null()).select(seen["period"].alias("period"))
        counts = engine.collect(lazy.group_by("period").agg(nw.len().alias("n")), ["period"])
        known = counts.set_index("period")["n"].astype(float)
        if known.empty:
            continue
        whole = pd.period_range(known.index.min(), known.index.max(), freq=FREQUENCY[every])
        for when in whole.start_time.strftime("%Y-%m-%d"):
            n = float(known.get(when, 0.0))
            rows.append({"table": table, "period": when, "term": "rows", "measure": "rows", "estimate": n, "n": n,
                         "unit": "rows", "method": f"by {stamp}", "note": "" if n else "no rows"})  # fmt: skip
    return results(rows, ["table", "period"])


def _views(data: Any) -> dict[str, engine.View]:
    if isinstance(data, Study):
        if data.tables is None:
            assert data.frame is not None
            used = [name for name in named_columns(data) if name in data.frame.at]
            return {"frame": engine.View(data.frame.frame, {n: data.frame.at[n] for n in used}, data.frame.kind)}
        data = data.tables
    return data.present if isinstance(data, Tables) else {"frame": engine.view(data)}


def named_columns(study: Study) -> list[str]:
    """The columns that the parts of a study name, each once."""
    given = [*(attrition_names(study.attrition) if study.attrition else {}).values()]
    given += (experience_names(study.experience) if study.experience else {}).values()
    given += [study.reasons.column] if study.reasons else []
    flat = (one for names in given for one in ([names] if isinstance(names, str) else names or []))
    return list(dict.fromkeys(flat))


def touchpoint_gaps(data: Tables | Study, level: float = 0.95) -> pd.DataFrame:
    """Share of answers without a rating, by touchpoint: most customers never meet some of them.

    Parameters
    ----------
    data : tables with surveys and ratings; or a study, of which one that is a frame has its drivers for touchpoints
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns, first the column touchpoint; term "ratings", measure "not_rated" (share; Wilson), n = answers; most
    often missing first.
    """
    quantile(level)
    if isinstance(data, Study) and data.tables is None:
        return _driver_gaps(data, level)
    tables = data.tables if isinstance(data, Study) else data
    assert tables is not None
    for name in ("surveys", "ratings"):
        refuse([unknown("table", name, tables.present, "tables")] if name not in tables.present else [])
    surveys, ratings = tables.present["surveys"], tables.present["ratings"]
    n = engine.rows(engine.View(surveys.frame.filter(~nw.col("answered_at").is_null()), surveys.at, surveys.kind))
    known = engine.distinct(ratings.frame.filter(~nw.col("rating").is_null()).select("survey_id", "touchpoint"))
    counts = engine.collect(known.group_by("touchpoint").agg(nw.len().alias("n")), ["n", "touchpoint"])
    rows = []
    for touchpoint, rated in counts.itertuples(index=False):
        lower, upper = (float(x) for x in wilson(n - rated, n, level))
        numbers = {"estimate": 1 - rated / n, "lower": lower, "upper": upper, "level": level, "n": n}
        fixed = {"term": "ratings", "measure": "not_rated", "unit": "share", "method": "Wilson"}
        rows.append({"touchpoint": touchpoint, **fixed, **numbers})
    return results(rows, ["touchpoint"])


def _driver_gaps(study: Study, level: float) -> pd.DataFrame:
    drivers = study.experience.drivers if study.experience else []
    refuse(["experience.drivers must name the columns of ratings, it names none; add them"] * (not drivers))
    found = missing_values(study, level)
    kept = found[found["term"].isin(drivers)].sort_values("estimate", ascending=False, kind="stable")
    shown = kept.rename(columns={"table": "touchpoint"})
    return shown.assign(touchpoint=kept["term"], term="ratings", measure="not_rated").reset_index(drop=True)
