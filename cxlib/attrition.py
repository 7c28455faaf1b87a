"""The attrition model: causes and confounders, fitted on cell counts and on resampled customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from . import design
from .cells import MOST_LEVELS, Cells, count_cells
from .engine import view
from .errors import listed, refuse, shortened, unknown
from .fitted import INTERACTIONS, AttritionFit, fit_cells, resampled

MOST_CAUSES = 8  # every set of them is a counterfactual


def fit_attrition(
    data: Any,
    outcome: str = "left",
    causes: design.Causes | None = None,
    adjust: Sequence[str] = (),
    customer: str | None = None,
    period: str | None = None,
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
    causes : cause -> column -> {level: the level it would be set to}; the columns are factors, numbers too
    adjust : confounders; text and yes/no as factors, numbers as numbers
    customer : the unit of resampling, one row each (default: the row)
    period : column of the window, where a customer has one row in each of several windows
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
    CxError, naming every fault: missing columns, empty values, customers that occur twice, an outcome or a cause
    with one level, a level that does not occur, fewer than ten leavers or stayers, a column that decides the
    outcome (separation).

    Notes
    -----
    Binomial logit on cell counts, equal to the fit on rows. Checked against statsmodels' GLM on the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> toy = pd.DataFrame({"contact": ["good", "failed"] * 40, "left": [0, 1, 0, 0, 1, 0, 0, 1] * 10})
    >>> fit = fit_attrition(toy, causes={"service": {"contact": {"failed": "good"}}}, replicates=0)
    >>> fit.coefficients.round(3).to_dict()
    {'constant': -1.099, 'contact = failed': 1.099}
    """
    seen, causes = view(data), causes or {}
    adjust, by = (tuple(dict.fromkeys([n] if isinstance(n, str) else n)) for n in (adjust, by))
    others = {"outcome": outcome, "customer": customer, "period": period, "weights": weights}
    _check_arguments(seen.at, causes, adjust, by, others, interactions)
    columns = [*adjust, *design.cause_columns(causes), *by]
    cells = count_cells(seen, columns, outcome, customer, weights, period)
    causes = _as_spelled(causes, cells.levels)
    _check_levels(cells, causes)
    drawn = resampled(cells, replicates, seed)
    return fit_cells(cells, drawn, outcome, causes, adjust, interactions, "customer" if customer else "row")


def _check_arguments(at, causes, adjust, by, others, interactions):
    faults, shape = [], "{cause: {column: {level: reference}}}"
    if not isinstance(causes, Mapping) or not causes:
        faults, causes = [f"causes must name at least one cause: {shape}, not {shortened(causes)}"], {}
    for cause, columns in causes.items():
        faults += _cause_faults(at, cause, columns)
    if len(causes) > MOST_CAUSES:
        faults.append(f"at most {MOST_CAUSES} causes can be told apart, not {len(causes)}; make one of several")
    used = [column for columns in causes.values() if isinstance(columns, Mapping) for column in columns]
    faults += [f"column '{c}' is both a cause and a confounder; name it once" for c in used if c in adjust]
    faults += [f"column '{c}' belongs to two causes; name it once" for c in dict.fromkeys(used) if used.count(c) > 1]
    faults += [unknown("column", c, at, "adjust") for c in adjust if c not in at]
    faults += [unknown("column", c, at, "by") for c in by if c not in at]
    faults += [unknown("column", name, at, what) for what, name in others.items() if name and name not in at]
    outcome = others["outcome"]
    faults += [f"'{outcome}' is the outcome; it cannot also explain it"] if outcome in [*used, *adjust, *by] else []
    faults += ["period must come with customer"] if others["period"] and not others["customer"] else []
    if interactions not in INTERACTIONS:
        faults.append(unknown("choice of interactions", interactions, [i for i in INTERACTIONS if i]))
    refuse(faults)


def _cause_faults(at, cause, columns):
    mappings = list(columns.values()) if isinstance(columns, Mapping) else []
    if not mappings or not all(isinstance(m, Mapping) and m for m in mappings):
        return [f"cause '{cause}' must be {{column: {{level: reference}}}}, not {shortened(columns)}"]
    faults = ["no cause may be called 'joint', the name of all of them together"] if cause == "joint" else []
    faults += [unknown("column", c, at, f"cause '{cause}'") for c in columns if c not in at]
    return faults + [
        f"cause '{cause}', column '{c}': level '{level}' must be set to another level, not to itself"
        for c, mapping in columns.items()
        for level, reference in mapping.items()
        if level == reference
    ]


def _as_spelled(causes: design.Causes, levels: pd.DataFrame) -> dict[str, dict[str, dict[object, object]]]:
    """Causes with the levels as the data have them: a study file can write the level 1 or true only as text."""
    found = {c: list(levels[c].unique()) for c in design.cause_columns(causes)}
    texts = {c: {_text(v): v for v in values if not isinstance(v, str)} for c, values in found.items()}

    def level(column: str, given: object) -> object:
        return given if given in found[column] else texts[column].get(_text(given), given)

    return {cause: {c: {level(c, v): level(c, r) for v, r in mapping.items()} for c, mapping in columns.items()}
            for cause, columns in causes.items()}  # fmt: skip


def _text(level: object) -> str:
    whole = isinstance(level, float) and level.is_integer()
    return str(int(level) if whole else level).lower()  # type: ignore[call-overload]


def _check_levels(cells: Cells, causes: design.Causes) -> None:
    faults = []
    for cause, columns in causes.items():
        for column, mapping in columns.items():
            found = list(cells.levels[column].unique())
            where = f"cause '{cause}', column '{column}'"
            if len(found) < 2:
                faults.append(f"{where} must have two levels or more, not only {listed(found)}")
                continue
            if len(found) > MOST_LEVELS:
                faults.append(f"{where} has {len(found):,} numbers, more than {MOST_LEVELS} levels; make bands of it")
            given = dict.fromkeys([*mapping, *mapping.values()])
            faults += [unknown("level", v, found, where) for v in given if v not in found]
    refuse(faults)
