"""The attrition model: causes and confounders, fitted on cell counts and on resampled customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from . import design, logistic
from .cells import Cells, count_cells
from .engine import require, view
from .errors import CxError, listed, refuse, unknown
from .fitted import AttritionFit, replicate_counts, total

INTERACTIONS = {
    None: "main effects",
    "causes": "main effects and cause-by-cause terms",
    "all": "main effects, cause-by-cause and cause-by-confounder terms",
}
FEWEST = 10  # leavers, and stayers, without which no fraction is shown


def fit_attrition(
    data: Any,
    outcome: str = "left",
    causes: design.Causes | None = None,
    adjust: Sequence[str] = (),
    customer: str | None = None,
    weights: str | None = None,
    interactions: str | None = "causes",
    replicates: int = 400,
    seed: int = 0,
) -> AttritionFit:
    """Fit attrition on causes and confounders, on the data and on resampled customers.

    Parameters
    ----------
    data : frame with one row per customer at risk (pandas, Polars, Arrow, DuckDB, Spark or `cx.landmark`)
    outcome : true/false or 0/1 column, whether the customer left within the horizon
    causes : cause -> column -> {level: the level it would be set to}; the columns are factors
    adjust : confounders; text and yes/no as factors, numbers as numbers
    customer : the unit of resampling, one row each (default: the row)
    weights : column of weights, 0 or more
    interactions : "causes" (default, cause by cause), "all" (also cause by confounder) or None
    replicates : resampled refits behind every interval
    seed : of the resampling

    Returns
    -------
    AttritionFit, for `attributable_fractions`, `role_interval`, `outweighs`, `what_if` and `robustness`.

    Raises
    ------
    CxError, naming every fault: missing columns, empty values, an outcome or a cause with one level, a level
    that does not occur, fewer than ten leavers or stayers, a column that decides the outcome (separation).

    Notes
    -----
    Binomial logit on cell counts, equal to the fit on rows. Checked against statsmodels' GLM on the rows.

    Examples
    --------
    >>> toy = pd.DataFrame({"service": ["ok", "failed"] * 40, "left": [0, 1, 0, 0] * 20})
    >>> fit_attrition(toy, causes={"service": {"service": {"failed": "ok"}}}, replicates=0).n  # doctest: +SKIP
    80
    """
    seen, causes, adjust = view(data), dict(causes or {}), tuple(dict.fromkeys(adjust))
    _check_arguments(seen.at, causes, adjust, outcome, interactions)
    columns = [*adjust, *dict.fromkeys(column for mapping in causes.values() for column in mapping)]
    require(seen, [*columns, outcome, *filter(None, (customer, weights))])
    cells = count_cells(seen, columns, outcome, customer=customer, weights=weights)
    _check_levels(cells, causes, outcome)
    terms = _terms(cells.levels, columns, causes, adjust, interactions)
    fitted = _fit_point(cells, causes, adjust, outcome, terms, seed)
    method = f"logit, {INTERACTIONS[interactions]}; resampled by {'customer' if customer else 'row'}, {replicates} times"
    fitted = replace(fitted, method=method + (", weighted" if weights else ""))
    return replace(fitted, replicates=_refit(fitted, replicates))


def _terms(levels, columns, causes, adjust, interactions):  # type: ignore[no-untyped-def]
    terms = design.main_effects(levels, columns, design.references(causes))
    if interactions:
        terms += design.cause_terms(causes)
    return terms + (design.confounder_terms(levels, causes, adjust) if interactions == "all" else [])


def _fit_point(cells, causes, adjust, outcome, terms, seed):  # type: ignore[no-untyped-def]
    """Fit on the data, leaving out the interactions that the data cannot carry and refusing such main effects."""
    n, events = total(cells)
    possible = design.estimable(design.matrix(cells.levels, terms), n[0])
    refuse(f"{design.spelled(term)} is determined by the columns before it; leave one of them out"
           for term, ok in zip(terms, possible, strict=True) if not ok and len(term) < 2)  # fmt: skip
    dropped = [term for term, ok in zip(terms, possible, strict=True) if not ok]
    while True:
        kept = [term for term in terms if term not in dropped]
        x = design.matrix(cells.levels, kept)
        beta = logistic.fit(x, n, events)[0]
        gone = [term for term, off in zip(kept, design.separated(x, beta), strict=True) if off]
        products = [term for term in gone if len(term) > 1]
        if not gone:
            break
        if not products:
            raise CxError(*(_separation(term, cells, n[0], events[0], outcome) for term in gone))
        dropped += products
    sets = [[c for j, c in enumerate(causes) if m >> j & 1] for m in range(1 << len(causes))]
    designs = np.stack([design.matrix(design.removed(cells.levels, causes, names), kept) for names in sets])
    told = tuple(design.spelled(term) for term in dropped)
    return AttritionFit(causes, adjust, outcome, cells, tuple(kept), designs, beta, np.empty((0, len(kept))), seed,
                        "", told)  # fmt: skip


def _refit(fit: AttritionFit, replicates: int) -> np.ndarray:
    counts = replicate_counts(fit.cells, replicates, fit.seed)
    drawn = [logistic.fit(fit.designs[0], n, events, start=fit.beta) for n, events in counts]
    return np.concatenate([np.empty((0, len(fit.beta))), *drawn])


def _separation(term, cells, n, events, outcome):  # type: ignore[no-untyped-def]
    inside = design.matrix(cells.levels, [term])[:, 0] != 0
    share = events[inside].sum() / max(n[inside].sum(), 1e-300)
    return (f"{design.spelled(term)} decides the outcome '{outcome}' ({share:.1%} of its {cells.rows[inside].sum():,} "
            "customers): no finite effect exists; merge the level with another, or leave the column out if it was "
            "recorded after the outcome")  # fmt: skip


def _check_arguments(at, causes, adjust, outcome, interactions):  # type: ignore[no-untyped-def]
    faults = [] if causes else ["causes must name at least one cause: {cause: {column: {level: reference}}}"]
    if interactions not in INTERACTIONS:
        faults.append(unknown("choice of interactions", interactions, [i for i in INTERACTIONS if i]))
    for cause, columns in causes.items():
        if not isinstance(columns, Mapping) or not all(isinstance(m, Mapping) and m for m in columns.values()):
            faults.append(f"cause '{cause}' must be {{column: {{level: reference}}}}, not {columns!r}")
            continue
        faults += [unknown("column", c, at, f"cause '{cause}'") for c in columns if c not in at]
        faults += [f"column '{c}' is both a cause and a confounder; name it once" for c in columns if c in adjust]
    used = [column for columns in causes.values() if isinstance(columns, Mapping) for column in columns]
    faults += [f"column '{c}' belongs to two causes; name it once" for c in {c for c in used if used.count(c) > 1}]
    faults += [unknown("column", c, at, "adjust") for c in adjust if c not in at]
    faults += [unknown("column", outcome, at, "outcome")] if outcome not in at else []
    faults += [f"'{outcome}' is the outcome; it cannot also explain it"] if outcome in [*used, *adjust] else []
    refuse(faults)


def _check_levels(cells: Cells, causes: design.Causes, outcome: str) -> None:
    faults, (n, events) = [], total(cells)
    for cause, columns in causes.items():
        for column, mapping in columns.items():
            found = list(cells.levels[column].unique())
            where = f"cause '{cause}', column '{column}'"
            faults += [unknown("level", v, found, where) for v in {*mapping, *mapping.values()} if v not in found]
            faults += [f"{where} must have two levels or more, not only {listed(found)}"] if len(found) < 2 else []
    left, stayed = float(events.sum()), float((n - events).sum())
    if not cells.weighted and min(left, stayed) < FEWEST:
        faults.append(f"outcome '{outcome}' must have at least {FEWEST} leavers and {FEWEST} stayers, "
                      f"not {left:.0f} and {stayed:.0f}; widen the period or the filter")  # fmt: skip
    refuse(faults)
