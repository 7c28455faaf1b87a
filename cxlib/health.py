"""Whether the data can carry the conclusions: what is repeated, missing, misused, or knows the outcome already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.special import entr

from . import engine, scores
from .data import Tables, validate
from .errors import CxError, shortened
from .held import held
from .schema import results
from .study import Study, study_answers, study_frame

LEAK = 0.5  # share of the outcome's entropy that one column tells: no honest cause comes near it
MOST_VALUES = 10_000  # distinct values of a column that is looked at
BANDS = 20
OTHER_ENDS = ("involuntary",)  # rule the outcome out, and so tell it
MANY = 100  # tickets, of which one should be open
ALIKE = 5  # ratings from which an answer with all of them alike is told
FINDING = ["part", "table", "rule", "rows", "failing", "share", "examples", "verdict"]
OK, FAILS, LOOK = "ok", "fails", "look"


def data_health(study: Study) -> pd.DataFrame:
    """All checks of a study's data, one row each.

    Parameters
    ----------
    study : from `read_study`

    Returns
    -------
    DataFrame: part (contract, repeats, scale, leak), table, rule, rows (looked at), failing, share (of rows), examples
    (never an id or a free text), verdict: "ok", "fails" (a rule of the contract is broken) or "look" (may be right).

    Notes
    -----
    A study of tables is held against the contract (`validate`); a frame must not repeat rows. What a study lacks for
    each notebook: `describe_study`.

    >>> import cxlib as cx
    >>> sorted(set(data_health(cx.read_study("example"))["verdict"]))
    ['ok']
    """
    rows = list(_of_tables(study.tables) if study.tables is not None else _of_frame(study))
    rows += [*_scores(study), *_leaks(study)]
    frame = pd.DataFrame(rows, columns=FINDING)
    return frame.astype({"rows": np.int64, "failing": np.int64, "share": float})


def duplicates(data: Any) -> pd.DataFrame:
    """Rows that repeat another one in every column.

    Parameters
    ----------
    data : any frame

    Returns
    -------
    Result columns, term and measure "duplicates": estimate and n are rows; the first of each kind is not counted.

    >>> duplicates(pd.DataFrame({"a": [1, 1, 2], "b": ["x", "x", None]}))["estimate"].tolist()
    [1.0]
    """
    n, repeated = _repeats(engine.view(data))
    row = {"term": "duplicates", "measure": "duplicates", "estimate": repeated, "n": n, "unit": "rows"}
    told = f"{repeated:,} of {n:,} rows repeat another one; leave them out, unless two customers can be alike"
    return results([{**row, "method": "alike in every column", "note": told if repeated else ""}])


def leaks(data: Any, outcome: str, leave_out: Sequence[str] = ()) -> pd.DataFrame:
    """How much each column tells about the outcome: one that almost decides it was made from it.

    Parameters
    ----------
    data : frame with one row per customer
    outcome : column of two values, such as whether the customer left
    leave_out : columns not looked at, such as an end of the other kind, which rules this one out

    Returns
    -------
    Result columns, one row a column: term = the column, measure "entropy_told" (share of the outcome's entropy, 0 to
    1), n = rows with both, note where it is half or more. Columns of more than 10,000 values, and texts
    with a value for every ten rows or fewer (ids), are left out.

    Notes
    -----
    Numbers of more than 20 values are cut into 20 bands of equal size.

    >>> rows = pd.DataFrame({"left": [0, 0, 1, 1] * 9, "complained": [0, 0, 1, 1] * 9, "age": [1, 2, 1, 2] * 9})
    >>> leaks(rows, "left").set_index("term")["estimate"].round(2).to_dict()
    {'complained': 1.0, 'age': 0.0}
    """
    given = engine.view(data)
    engine.require(given, [outcome])
    seen, rows = held(lambda: given, engine.rows(given)), []
    for name in (
        name
        for name in seen.at
        if name not in (outcome, *leave_out) and seen.kind[name] in (engine.FACTOR, engine.NUMBER)
    ):
        known = seen.frame.filter(~seen[name].is_null(), ~seen[outcome].is_null())
        size = engine.collect(known.select(seen[name].n_unique().alias("k"), nw.len().alias("n")))
        # A factor with a value for every few rows tells the outcome by being a name.
        if size["k"][0] > (MOST_VALUES if seen.kind[name] == engine.NUMBER else min(MOST_VALUES, size["n"][0] / 10)):
            continue
        keys = known.select(seen[name].alias("x"), seen[outcome].alias("y"))
        counts = engine.collect(keys.group_by("x", "y").agg(nw.len().alias("n")), ["x", "y"])
        if counts["y"].nunique() > 2:
            raise CxError(
                f"outcome '{shortened(outcome)}' must have two values, it has {counts['y'].nunique()} or more"
            )
        told = _told(counts, seen.kind[name] == engine.NUMBER)
        note = "almost decides the outcome: was it known before?" if told >= LEAK else ""
        rows.append({"term": name, "measure": "entropy_told", "estimate": told, "n": counts["n"].sum(), "unit": "share",
                     "method": "share of the outcome's entropy", "note": note})  # fmt: skip
    return results(rows)


def _of_tables(tables: Tables) -> Iterator[tuple[Any, ...]]:
    found = validate(tables)
    for table, rule, _, rows, failing, share, examples in found.itertuples(index=False):
        yield "contract", table, rule, rows, failing, share, examples, FAILS if failing else OK
    if tables.ratings is not None:
        yield _alike(tables.ratings)
    if tables.tickets is not None and "resolved_at" in tables.tickets.at:
        yield _none_open(tables.tickets)
    stray = tables.strays(tables.last_day) if tables.last_days else ""
    n = sum(engine.rows(tables.present[name]) for name in tables.last_days)
    text = "no handful of rows is dated long after all others"
    yield "dates", "all", text, n, int(bool(stray)), 0.0, stray, LOOK if stray else OK


def _of_frame(study: Study) -> Iterator[tuple[Any, ...]]:
    assert study.frame is not None
    n, repeated = _repeats(study.frame)
    text = "no row repeats another in every column"
    yield "repeats", "frame", text, n, repeated, repeated / max(n, 1), "", FAILS if repeated else OK


def _leaks(study: Study) -> Iterator[tuple[Any, ...]]:
    part = study.attrition
    if part is None:
        return
    found = leaks(study_frame(study), part.outcome, OTHER_ENDS)
    for term, told, n in found[["term", "estimate", "n"]].itertuples(index=False):
        if told >= LEAK:
            yield (
                "leak",
                "frame",
                f"{shortened(term)} does not decide the outcome",
                n,
                n,
                1.0,
                f"tells {told:.0%}",
                LOOK,
            )


def _scores(study: Study) -> Iterator[tuple[Any, ...]]:
    """A score that was given on another scale than the study says, or a satisfaction that runs the other way round."""
    part, tables = study.experience, study.tables
    if part is None or (tables is not None and tables.surveys is None):
        return
    seen = tables.surveys if tables is not None and tables.surveys is not None else study_answers(study)
    name, (first, last) = part.score, part.scale
    counts = scores.counted(seen, name, [], {})
    told = scores.score_faults(counts, seen, name, first, last)
    n, where = int(counts.loc[counts["score"].notna(), "rows"].sum()), "surveys" if tables is not None else "frame"
    text = f"{shortened(name)} is on the scale {first} to {last}"
    yield "scale", where, text, n, n if told else 0, float(bool(told)), "", LOOK if told else OK
    other = part.satisfaction or "satisfaction"
    if other in seen.at and seen.kind[other] == engine.NUMBER:
        both = seen.frame.filter(~seen[name].is_null(), ~seen[other].is_null())
        x, y = (seen[column].cast(nw.Float64) for column in (name, other))
        sums = {"x": x.mean(), "y": y.mean(), "xy": (x * y).mean(), "n": nw.len()}
        row = engine.collect(both.select(*(e.alias(key) for key, e in sums.items()))).iloc[0]
        n, against = int(row["n"]), bool(row["n"] and row["xy"] < row["x"] * row["y"])
        text = f"{shortened(other)} rises with {shortened(name)}"
        yield "scale", where, text, n, n * against, float(against), "", LOOK if against else OK


def _none_open(tickets: engine.View) -> tuple[Any, ...]:
    """Tickets that enter the data once they are closed make the last months look faster than they were."""
    row = engine.collect(tickets.frame.select(nw.len().alias("n"), nw.col("resolved_at").count().alias("closed")))
    n, closed = int(row["n"][0]), int(row["closed"][0])
    none = n >= MANY and closed == n
    return "dates", "tickets", "some tickets are still open", n, n * none, float(none), "", LOOK if none else OK


def _alike(ratings: engine.View) -> tuple[Any, ...]:
    """Answers that rate five touchpoints or more all alike: a scale clicked through."""
    rating = nw.col("rating").cast(nw.Float64)
    each = ratings.frame.select("survey_id", rating.alias("r")).group_by("survey_id").agg(
        nw.len().alias("n"), nw.col("r").min().alias("low"), nw.col("r").max().alias("high"))  # fmt: skip
    flat = nw.when(nw.col("low") == nw.col("high")).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    row = engine.collect(each.filter(nw.col("n") >= ALIKE).select(flat.sum().alias("flat"), nw.len().alias("n")))
    n, count = int(row["n"][0]), int(np.nan_to_num(float(row["flat"][0] or 0)))
    share = count / max(n, 1)
    # Some are honest: one in ten is what gives pause.
    verdict = LOOK if share > 0.1 else OK
    return (
        "scale",
        "ratings",
        f"{ALIKE} ratings or more are not all alike (one in ten may be)",
        n,
        count,
        share,
        "",
        verdict,
    )


def _repeats(seen: engine.View) -> tuple[int, int]:
    keys = list(seen.at.values())
    each = seen.frame.group_by(*keys).agg(nw.len().alias("times"))
    row = engine.collect(each.select(nw.col("times").sum().cast(nw.Float64).alias("n"), nw.len().alias("of")))
    n = int(np.nan_to_num(float(row["n"][0] or 0)))
    return n, n - int(row["of"][0])


def _told(counts: pd.DataFrame, number: bool) -> float:
    """Share of the outcome's entropy that a column tells."""
    sizes = counts.groupby("x", observed=True)["n"].sum()
    if number and len(sizes) > BANDS:
        middle = (sizes.cumsum() - sizes / 2) / sizes.sum()
        counts = counts.assign(x=counts["x"].map(np.floor(middle * BANDS)))
    table = counts.pivot_table(index="x", columns="y", values="n", aggfunc="sum", fill_value=0, observed=True)
    n = table.to_numpy(float)
    if n.size == 0 or n.shape[1] < 2:
        return 0.0
    whole = entr(n.sum(axis=0) / n.sum()).sum()
    rest = (entr(n / n.sum(axis=1, keepdims=True)).sum(axis=1) * n.sum(axis=1)).sum() / n.sum()
    return float(1 - rest / whole)
