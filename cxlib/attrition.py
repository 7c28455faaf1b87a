"""The attrition model: causes and confounders, fitted on cell counts and on resampled customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import design
from .cells import Cells, count_cells
from .engine import require, view
from .errors import listed, refuse, unknown
from .fitted import INTERACTIONS, AttritionFit, fit_cells


def fit_attrition(
    data: Any,
    outcome: str = "left",
    causes: design.Causes | None = None,
    adjust: Sequence[str] = (),
    customer: str | None = None,
    weights: str | None = None,
    interactions: str | None = "causes",
    by: str | Sequence[str] = (),
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
    by : columns whose levels may later be looked at one by one, as in `attributable_fractions(fit, by=...)`
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
    by = [by] if isinstance(by, str) else list(by)
    columns = [*adjust, *design.cause_columns(causes), *by]
    require(seen, [*columns, outcome, *filter(None, (customer, weights))])
    cells = count_cells(seen, columns, outcome, customer=customer, weights=weights)
    _check_levels(cells, causes)
    return fit_cells(cells, outcome, causes, adjust, interactions, replicates, seed, "customer" if customer else "row")


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


def _check_levels(cells: Cells, causes: design.Causes) -> None:
    faults = []
    for cause, columns in causes.items():
        for column, mapping in columns.items():
            found = list(cells.levels[column].unique())
            where = f"cause '{cause}', column '{column}'"
            faults += [unknown("level", v, found, where) for v in {*mapping, *mapping.values()} if v not in found]
            faults += [f"{where} must have two levels or more, not only {listed(found)}"] if len(found) < 2 else []
    refuse(faults)
