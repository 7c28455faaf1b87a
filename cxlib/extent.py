"""How far service reaches within the whole experience: touchpoints, departments, interactions, customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine
from .frame import parsed_day
from .intervals import quantile, wilson
from .schema import results
from .scope import study_of_group
from .study import Study, study_answers

SERVICE, REST = "service", "the rest"
ABOUT = ("touchpoint", "stage", "department")


def experience_map(study: Study) -> pd.DataFrame | None:
    """The touchpoints a study knows: touchpoint, stage, department, is_service; None where it knows none.

    Of a study of one frame these are the drivers, in their groups (in place of stages); the group "service" is service.

    >>> from cxlib.study import read_study
    >>> experience_map(read_study("example")).query("is_service")["department"].unique().tolist()
    ['customer service', 'field service']
    """
    if study.tables is None:
        return _drivers(study)
    places = study.tables.touchpoints
    if places is None:
        return None
    found = places.to_pandas(*(name for name in (*ABOUT, "is_service") if name in places.at))
    return found.reindex(columns=[*ABOUT, "is_service"]).astype({"is_service": bool})


def service_extent(
    study: Study, as_of: str = "", only_column: str = "", only_value: str = "", level: float = 0.95
) -> pd.DataFrame | None:
    """How much of what happens to customers is service; None where nothing says who met what.

    Parameters
    ----------
    study : from `read_study`
    as_of : only what happened before this day; "" = all
    only_column, only_value : customers (or rows of a frame) of one group; "" = all
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns. term "service": interactions (share of all of them, n) and customers (share who met service at all,
    of those n who met anything). term "service" and "the rest": started_by_customer (share of their interactions, n).
    term = a service touchpoint: customers_without (share of the customers who would have met service if this touchpoint
    did not count as it). Rows for which the study holds nothing are not there.

    Raises
    ------
    CxError : a column or value that does not occur; a day that is none.

    Notes
    -----
    Wilson intervals; customers are the units, so shares of interactions have the linearised error of a ratio. In a
    frame with missing = "not_met" an answer is a customer, and who rated a touchpoint met it. Checked against brute
    force.

    >>> from cxlib.study import read_study
    >>> found = service_extent(read_study("example"))
    >>> found.loc[found["measure"] == "customers", ["n", "method"]].to_numpy().tolist()
    [[4836, 'Wilson']]
    """
    quantile(level)
    places = experience_map(study)
    sums = None if places is None else _met(study, places, as_of, only_column, only_value)
    if places is None or sums is None:
        return None
    own = list(places.loc[places["is_service"], "touchpoint"])
    return results(_shares(sums, own if len(own) > 1 else [], level))


def _drivers(study: Study) -> pd.DataFrame | None:
    part = study.experience
    if part is None or not part.drivers:
        return None
    group = {driver: name for name, members in (part.groups or {}).items() for driver in members}
    stages = [group.get(driver) for driver in part.drivers]
    return pd.DataFrame({"touchpoint": part.drivers, "stage": stages, "department": None,
                         "is_service": [stage == SERVICE for stage in stages]})  # fmt: skip


def _met(study: Study, places: pd.DataFrame, as_of: str, column: str, value: str) -> pd.Series | None:
    """Sums over customers, see `_summed`; None where nothing says who met what, as where everybody rated everything."""
    own = list(places.loc[places["is_service"], "touchpoint"])
    if not own:
        return None
    if study.tables is None:
        if study.experience is None or study.experience.missing != "not_met":
            return None
        seen = study_answers(study, as_of, column, value)
        met = {name: (~seen[name].is_null()).cast(nw.Float64) for name in places["touchpoint"]}
        each = [
            nw.sum_horizontal(*met.values()).alias("all"),
            *(met[name].alias(f"t{i}") for i, name in enumerate(own)),
        ]
        return _summed(_with_service(seen.frame.select(each), len(own)), len(own))
    tables = study_of_group(study, column, value).tables
    assert tables is not None
    if tables.interactions is None:
        return None
    return _of_interactions(tables.interactions, own, as_of)


def _of_interactions(seen: engine.View, own: Sequence[str], as_of: str) -> pd.Series:
    lazy = seen.frame if not as_of else seen.frame.filter(nw.col("at").cast(nw.Date) < parsed_day(as_of))
    marks = {f"t{i}": nw.col("touchpoint") == name for i, name in enumerate(own)}
    known = "initiated_by" in seen.at
    if known:
        began = nw.col("initiated_by") == "customer"
        marks |= {"began": began, "both": began & nw.col("touchpoint").is_in(list(own))}
    each = lazy.select("customer_id", *(e.fill_null(False).cast(nw.Float64).alias(m) for m, e in marks.items()))
    sums = (nw.len().cast(nw.Float64).alias("all"), *(nw.col(mark).sum() for mark in marks))
    return _summed(_with_service(each.group_by("customer_id").agg(*sums), len(own)), len(own), known, interactions=True)


def _with_service(each: nw.LazyFrame[Any], services: int) -> nw.LazyFrame[Any]:
    return each.with_columns(nw.sum_horizontal(*(nw.col(f"t{i}") for i in range(services))).alias("service"))


def _summed(each: nw.LazyFrame[Any], services: int, began: bool = False, interactions: bool = False) -> pd.Series:
    """Customers who met anything, service, and service without each touchpoint; sums and products for the ratios."""
    each = each.filter(nw.col("all") > 0)
    total, service = nw.col("all"), nw.col("service")
    asked = {"customers": total.count(), "met": (service > 0).cast(nw.Float64).sum()}
    asked |= {f"without{i}": (service > nw.col(f"t{i}")).cast(nw.Float64).sum() for i in range(services)}
    pairs = {"interactions": (service, total)} if interactions else {}
    if began:
        pairs |= {SERVICE: (nw.col("both"), service), REST: (nw.col("began") - nw.col("both"), total - service)}
    for name, (hits, of) in pairs.items():
        asked |= {f"{name} h": hits.sum(), f"{name} n": of.sum(), f"{name} hh": (hits * hits).sum(),
                  f"{name} hn": (hits * of).sum(), f"{name} nn": (of * of).sum()}  # fmt: skip
    found = engine.collect(each.select(e.alias(f"s{i}") for i, e in enumerate(asked.values()))).iloc[0]
    return pd.Series(found.fillna(0.0).to_numpy(float), index=list(asked))


def _shares(sums: pd.Series, own: Sequence[str], level: float) -> Iterator[dict[str, Any]]:
    if "interactions n" in sums:
        yield {"term": SERVICE, "measure": "interactions", **_ratio(sums, "interactions", level)}
    yield {"term": SERVICE, "measure": "customers", **_share(sums["met"], sums["customers"], level)}
    for term in (SERVICE, REST):
        if f"{term} n" in sums:
            yield {"term": term, "measure": "started_by_customer", **_ratio(sums, term, level)}
    for i, name in enumerate(own):
        yield {"term": name, "measure": "customers_without", **_share(sums[f"without{i}"], sums["customers"], level)}


def _share(hits: float, n: float, level: float) -> dict[str, Any]:
    if not n > 0:
        return {"unit": "share", "level": level, "n": 0}
    lower, upper = wilson(hits, n, level)
    return {"estimate": hits / n, "std_error": np.sqrt(hits * (n - hits) / n**3), "lower": float(lower),
            "upper": float(upper), "level": level, "n": n, "unit": "share", "method": "Wilson"}  # fmt: skip


def _ratio(sums: pd.Series, name: str, level: float) -> dict[str, Any]:
    """A share of interactions, customers being the units: Wilson on as many as would have the linearised error."""
    h, n, hh, hn, nn = (sums[f"{name} {part}"] for part in ("h", "n", "hh", "hn", "nn"))
    units = sums["customers"]
    if not n > 0:
        return {"unit": "share", "level": level, "n": 0}
    share = h / n
    away = hh - 2 * share * hn + share**2 * nn
    # Where every customer has the same share the difference is 0 but for rounding.
    error = np.sqrt(away * units / max(units - 1, 1)) / n if away > 1e-9 * nn else 0.0
    worth = share * (1 - share) / error**2 if error > 0 else n**2 / nn
    lower, upper = wilson(share * worth, worth, level)
    return {"estimate": share, "std_error": error, "lower": float(lower), "upper": float(upper), "level": level, "n": n,
            "unit": "share", "method": "linearised by customer; Wilson on effective interactions"}  # fmt: skip
