"""Change of an NPS between two waves of a survey, split into mix and rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import changes, engine, intervals, scores
from .errors import CxError, refuse, unknown
from .schema import results

POINTS = 100.0
NO_SPREAD = 1e-9
WAVES = ("before", "after")


def compare_nps(
    before: Any,
    after: Any,
    score: str = "recommend",
    customer: str | None = None,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    cluster: str | None = None,
    scale: tuple[int, int] = (0, 10),
) -> pd.DataFrame:
    """Change of the NPS from one wave to the next, after minus before, in points.

    Parameters
    ----------
    before, after : frames, one row per answer
    score, level, scale : as in `nps`
    customer : column that tells who answered; two answers of one customer, one a wave, are paired
    by : column or columns of the segments by which to split the change into mix and rate
    cluster : column of the sampled clusters, numbered alike in both waves; in place of customer

    Returns
    -------
    Result columns, one row a measure, in points: before, after, change and with `by` mix (shares of segments moved)
    and rate (their NPS moved); mix + rate = change. n of a difference is that of the smaller wave.

    Raises
    ------
    CxError : a wave without answers, a customer with two answers in a wave, and the faults of `nps`.

    Notes
    -----
    Limits and std_error of differences are those of counts with .75, 1.5, .75 answers added to each wave: at n = 10
    against 100 the Wald and Welch tests err in 12 to 14 % where 5 % is meant. Pairing takes 2 n12 Cov(u1, u2)/(n1 n2)
    off the variance. Mix and rate by the delta method; a segment found in one wave only counts as mix.

    Source: Rocks (2016); Kitagawa (1955).

    >>> march, april = (pd.DataFrame({"recommend": x}) for x in ([9, 8, 3, 9], [10, 9, 9, 7, 2]))
    >>> compare_nps(march, april)["estimate"].round(6).tolist()
    [25.0, 40.0, 15.0]
    """
    groups, (first, last) = scores.grouping(by), scores.ends(scale)
    intervals.quantile(level)
    if customer and cluster:
        raise CxError("give customer or cluster, not both; clusters that hold the customers cover the pairing too")
    seen = {wave: engine.view(data, wave) for wave, data in zip(WAVES, (before, after), strict=True)}
    engine.same_engine(seen)
    wanted = [score, *groups, *(name for name in (customer, cluster) if name)]
    refuse(
        unknown("column", name, view.at, wave) for wave, view in seen.items() for name in wanted if name not in view.at
    )
    counts = {wave: scores.counted(view, score, groups, {"cluster": cluster}, wave) for wave, view in seen.items()}
    refuse(_faults(counts, seen, score, (first, last), customer, cluster))
    if customer:
        counts |= _joint(seen, score, groups, customer)
    cells = pd.concat(counts, names=["wave"]).reset_index("wave").reset_index(drop=True)
    segments = len(scores.levels(cells, groups))
    cells["class"] = scores.classes(cells["score"], last) + 1
    waves = [cells[cells["wave"] == wave] for wave in WAVES]
    if cluster:
        rows = _clustered(waves, segments, level)
    else:
        pairs = _pairs(cells) if customer else None
        rows = _persons([_table(wave, segments) for wave in waves], pairs, level)
    return results({"level": level, **row} for row in rows if groups or row["measure"] not in ("mix", "rate"))


def _faults(
    counts: Mapping[str, pd.DataFrame],
    seen: Mapping[str, engine.View],
    score: str,
    scale: tuple[int, int],
    customer: str | None,
    cluster: str | None,
) -> Iterable[str]:
    """What is wrong with the answers of each wave."""
    for wave, found in counts.items():
        faults = [*scores.score_faults(found, seen[wave], score, *scale)]
        faults += scores.design_faults(found, seen[wave], {"cluster": cluster})
        if found["score"].isna().all():
            faults.append(f"a change needs answers in both waves; column '{score}' holds none here")
        if customer:
            faults += _repeated(seen[wave], score, customer)
        yield from (f"{wave}: {fault}" for fault in faults)
    kinds = [seen[wave].kind[customer] for wave in WAVES] if customer else []
    if len(set(kinds)) > 1:
        yield f"customer '{customer}' must be of one kind in both waves, not {kinds[0]} before and {kinds[1]} after"


def _repeated(view: engine.View, score: str, customer: str) -> list[str]:
    known = view.frame.filter(~view[score].is_null(), ~view[customer].is_null())
    found = engine.collect(known.select(nw.len().alias("n"), view[customer].n_unique().alias("of")))
    n, of = (int(count) for count in found.fillna(0).iloc[0])  # of no row there is no number of customers
    told = f"each customer must answer once, but {of} values of '{customer}' gave {n} answers"
    return [f"{told}; keep one answer each, or give cluster='{customer}'"] if n > of else []


def _joint(
    seen: Mapping[str, engine.View], score: str, groups: Sequence[str], customer: str
) -> dict[str, pd.DataFrame]:
    """Customers with an answer in both waves, counted in one query: their cells before and, row by row, after."""
    sides = []
    for wave, view in seen.items():
        keys = {f"g{i}": view[name] for i, name in enumerate(groups)} | {"score": view[score].cast(nw.Float64)}
        keys = {f"{name}_{wave}": key for name, key in keys.items()} | {"customer": view[customer]}
        sides.append(view.frame.filter(~view[score].is_null()).select(*(key.alias(k) for k, key in keys.items())))
    joined = sides[0].join(sides[1], on="customer", how="inner")
    plain = [*(f"g{i}" for i in range(len(groups))), "score"]
    named = {wave: [f"{name}_{wave}" for name in plain] for wave in WAVES}
    found = engine.collect(joined.group_by(*named["before"], *named["after"]).agg(nw.len().alias("rows")))
    return {f"both {wave}": found[[*named[wave], "rows"]].set_axis([*plain, "rows"], axis=1) for wave in WAVES}


def _pairs(cells: pd.DataFrame) -> changes.Pairs:
    one, other = (cells[cells["wave"] == f"both {wave}"] for wave in WAVES)
    places = [(side["group"].to_numpy(), side["class"].to_numpy(int)) for side in (one, other)]
    return changes.Pairs(places[0], places[1], one["rows"].to_numpy(float))


def _table(wave: pd.DataFrame, segments: int) -> np.ndarray:
    """Answers by segment and class."""
    answered, table = wave[wave["class"].notna()], np.zeros((segments, 3))
    np.add.at(table, (answered["group"], answered["class"].astype(int)), answered["rows"])
    return table


def _persons(tables: Sequence[np.ndarray], pairs: changes.Pairs | None, level: float) -> list[dict[str, Any]]:
    """Samples of persons: Tango for each wave, adjusted counts for the differences."""
    rows = []
    for name, table in zip(WAVES, tables, strict=True):
        down, middle, up = table.sum(axis=0)
        n, s, variance = intervals.moments(down, middle, up)
        low, high = intervals.tango(down, middle, up, level)
        rows.append(_row(name, s, np.sqrt(variance / n), low, high, float(n), "Tango score"))
    method = "adjusted Wald" + (f", {pairs.customers.sum():.0f} customers paired" if pairs else "")
    smaller = min(table.sum() for table in tables)
    found = changes.differences(tables[0], tables[1], pairs, level)
    return rows + [_row(name, *numbers, smaller, method) for name, numbers in found.items()]


def _clustered(waves: Sequence[pd.DataFrame], segments: int, level: float) -> list[dict[str, Any]]:
    """Samples of clusters: linearised values are added up within clusters over both waves."""
    tables, rows = [_table(wave, segments) for wave in waves], []
    for name, wave, table in zip(WAVES, waves, tables, strict=True):
        _, s, _ = intervals.moments(*table.sum(axis=0))
        error = _cluster_error([wave], [table], [np.broadcast_to(changes.U - s, table.shape)])
        rows.append((name, s, error, table.sum(), 1.0))
    n = min(table.sum() for table in tables)
    for name, part in changes.split(*tables).items():
        rows.append((name, part.estimate, _cluster_error(waves, tables, [part.before, part.after]), n, 2.0))
    z = intervals.quantile(level)
    return [
        _row(name, s, e, max(s - z * e, -end), min(s + z * e, end), n, "linearised, clusters; Wald")
        for name, s, e, n, end in rows
    ]


def _cluster_error(
    waves: Sequence[pd.DataFrame], tables: Sequence[np.ndarray], influence: Sequence[np.ndarray]
) -> float:
    """Standard error from one sum a cluster; clusters without an answer count with 0."""
    values = []
    for wave, table, effect in zip(waves, tables, influence, strict=True):
        cell = effect[wave["group"], wave["class"].fillna(0).astype(int)]
        values.append(np.where(wave["class"].notna(), wave["rows"] * cell / table.sum(), 0.0))
    z = (
        pd.Series(np.concatenate(values))
        .groupby(pd.concat([w["cluster"] for w in waves]).to_numpy(), dropna=False)
        .sum()
    )
    return float(np.sqrt(intervals.stratum_variance(z.sum(), (z**2).sum(), len(z))))


def _row(measure: str, s: Any, error: Any, lower: Any, upper: Any, n: float, method: str) -> dict[str, Any]:
    """A row in points; limits without width are no limits."""
    row = {
        "term": "nps",
        "measure": measure,
        "estimate": POINTS * s,
        "n": n,
        "unit": "points",
        "method": method,
        "note": "",
    }
    if upper - lower < NO_SPREAD:
        return {**row, "note": "no spread: no interval"}
    return {**row, "std_error": POINTS * error, "lower": POINTS * lower, "upper": POINTS * upper}
