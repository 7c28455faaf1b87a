"""Which touchpoints the experience is made of, which of them are service, and how much hangs on each of these."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine
from .data import Tables
from .errors import CxError
from .intervals import quantile, wilson
from .schema import results
from .study import Study

SERVICE = "service"  # the group of drivers that is service, where there are no touchpoints
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


def reach_without(data: Tables, level: float = 0.95) -> pd.DataFrame:
    """Share of customers who would have met service, if one touchpoint that is service did not count as it.

    Parameters
    ----------
    data : Tables with interactions and touchpoints
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns, a row for each touchpoint that is service; measure "reach_without" (share of the customers with any
    interaction, n). Where hardly less is left than `interaction_scope` gives, little hangs on that touchpoint.

    Raises
    ------
    CxError : a missing table; no touchpoint that is service; no interaction at a known touchpoint.

    Notes
    -----
    A customer is one row, so Wilson's limits hold. Interactions at touchpoints that are not in the table are left out.
    Checked against pandas.

    >>> import cxlib as cx
    >>> reach_without(cx.read_study("example").tables)["term"].tolist()
    ['help_pages', 'contact_support', 'technician', 'follow_up']
    """
    quantile(level)
    events, table = data.need("interactions"), data.need("touchpoints", "what is service is written there")
    places = table.to_pandas("touchpoint", "is_service")
    own = list(places.loc[places["is_service"].astype(bool), "touchpoint"])
    if not own:
        raise CxError("touchpoints: at least one must be service; none is; set is_service where customers seek help")
    known = events.frame.filter(nw.col("touchpoint").is_in(list(places["touchpoint"])))
    marks = {f"t{i}": (nw.col("touchpoint") == name).cast(nw.Float64) for i, name in enumerate(own)}
    each = known.select("customer_id", *(mark.alias(name) for name, mark in marks.items()))
    each = each.group_by("customer_id").agg(*(nw.col(name).max() for name in marks))
    every = nw.sum_horizontal(*(nw.col(name) for name in marks))
    others = ((every - nw.col(name) > 0).cast(nw.Float64).sum().alias(name) for name in marks)
    found = engine.collect(each.select(nw.len().alias("n"), *others)).iloc[0].fillna(0.0)
    if not (n := float(found["n"])):
        raise CxError("interactions: at least one must be at a touchpoint of the table 'touchpoints'; none is; "
                      "write both alike")  # fmt: skip
    hits = found[list(marks)].to_numpy(float)
    lower, upper = wilson(hits, np.full(len(hits), n), level)
    return results({"term": name, "measure": "reach_without", "estimate": hits[i] / n, "lower": lower[i],
                    "std_error": np.sqrt(hits[i] * (n - hits[i]) / n**3), "upper": upper[i], "level": level, "n": n,
                    "unit": "share", "method": "Wilson"} for i, name in enumerate(own))  # fmt: skip


def _drivers(study: Study) -> pd.DataFrame | None:
    part = study.experience
    if part is None or not part.drivers:
        return None
    group = {driver: name for name, members in (part.groups or {}).items() for driver in members}
    stages = [group.get(driver) for driver in part.drivers]
    return pd.DataFrame({"touchpoint": part.drivers, "stage": stages, "department": None,
                         "is_service": [stage == SERVICE for stage in stages]})  # fmt: skip
