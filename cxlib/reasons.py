"""What leavers say: shares of their stated reasons under each coding rule, and agreement with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine
from .errors import CxError, refuse, shortened, unknown
from .fitted import AttritionFit, risks
from .intervals import quantile, wilson
from .removal import TIE, contributions_by_cell
from .schema import TOO_FEW, results
from .shares import kappa_row

OTHER, SILENT, TIED = "other", "no reason", "tie"
FEWEST = 10  # leavers below whom no share is told
Rule = Mapping[str, Sequence[str]]  # cause -> reasons


def reason_shares(
    data: Any,
    column: str,
    rules: Mapping[str, Rule] | None = None,
    left: str | None = None,
    pair: tuple[str, str] = ("price", "service"),
    level: float = 0.95,
) -> pd.DataFrame:
    """Shares of the stated reasons for leaving, under each coding rule.

    Parameters
    ----------
    data : frame with one row per customer or per leaver
    column : the stated reason; empty = none stated
    rules : rule -> cause -> reasons, as [reasons.rules] of a study; without any, each reason is a cause of its own
    left : column that marks who left, true/false, 0/1 or a date (default: whoever states a reason)
    pair : two causes a, b for the figure of the press, a / (a + b)
    level : confidence level, between 0 and 1

    Returns
    -------
    DataFrame in the result shape, first the column rule, unit "share". term = cause, or "other" for reasons that the
    rule does not name: share, of the leavers who state a reason (n). term = "a / (a + b)": share_of_pair, where the
    rule has both. With `left` also term "no reason": share_of_leavers, of all who left. Fewer than ten: "too few".

    Raises
    ------
    CxError: a reason that does not occur (with the nearest), or that one rule codes twice; an unknown column.

    Notes
    -----
    The rule alone moves the figures: on the Telco data "service" is 19, 22 or 24 % of the same answers. What people
    say need not be why they left: set it beside the model (`reasons_against_model`). Wilson intervals.

    Source
    ------
    Wilson 1927, by statsmodels.
    """
    quantile(level)
    counts, silent = _counted(data, column, left)
    chosen = rules or {"each reason": {reason: [reason] for reason in counts.index}}
    refuse(rule_faults(chosen, counts.index))
    rows: list[dict[str, object]] = []
    for name, rule in chosen.items():
        coded = counts.groupby(_coding(rule, counts.index), sort=False).sum()
        by_cause = {cause: int(coded.get(cause, 0)) for cause in (*rule, *([OTHER] if rules else []))}
        told = [(cause, "share", count, int(counts.sum())) for cause, count in by_cause.items()]
        if set(pair) <= set(rule):
            a, b = pair
            told.append((f"{a} / ({a} + {b})", "share_of_pair", by_cause[a], by_cause[a] + by_cause[b]))
        if left:
            told.append((SILENT, "share_of_leavers", silent, silent + int(counts.sum())))
        rows += [{"rule": name, **_share(*line, level)} for line in told]
    return results(rows, by=["rule"])


def reasons_against_model(
    fit: AttritionFit,
    data: Any,
    column: str,
    rule: Rule,
    reasons: Any = None,
    customer: str = "customer_id",
    level: float = 0.95,
) -> pd.DataFrame:
    """Stated reasons beside the model's largest cause of each leaver: a check of the answer, never the estimate.

    Parameters
    ----------
    fit : AttritionFit
    data : the frame it was fitted on
    column : the stated reason, in `data` or in `reasons`
    rule : cause -> reasons, under the names of the fit's causes
    reasons : frame with `customer` and `column`, such as the table customers, where `data` has no reasons
    customer : column by which the two are joined
    level : confidence level, between 0 and 1

    Returns
    -------
    DataFrame in the result shape, first the columns stated and model, n = leavers who state a reason: a row per pair
    of causes, term "leavers", measure share (of n); then stated = model = "all", term "agreement": share and kappa.
    The model's cause is the one with the largest Shapley contribution to the customer's risk; "other" where no cause
    adds to it, "tie" where two add the same (never an agreement). A stated "other" agrees with "other".

    Notes
    -----
    Agreement is bounded by what the model can know: two customers alike in its columns may have left for different
    reasons. Kappa: 0 = as by chance, 1 = always. Its interval takes the model's causes as given.

    Source
    ------
    Cohen 1960; Fleiss, Cohen & Everitt 1969 (standard error), by statsmodels.
    """
    quantile(level)
    frame = _leavers(fit, data, column, reasons, customer)
    refuse(rule_faults({"rule": rule}, frame["reason"].dropna().unique()))
    frame = frame.dropna(subset="reason")
    stated, model = _coding(rule, frame["reason"]), _largest(fit)[frame["cell"].to_numpy()]
    classes = list(dict.fromkeys([*fit.causes, *rule, OTHER, *([TIED] if TIED in model else [])]))
    table = pd.crosstab(stated, model).reindex(index=classes, columns=classes, fill_value=0)
    n = int(table.to_numpy().sum())
    rows = [{"stated": said, "model": found, **_share("leavers", "share", int(table.loc[said, found]), n, level)}
            for said in classes if said != TIED for found in classes]  # fmt: skip
    agreed = _share("agreement", "share", int(np.trace(table.to_numpy())), n, level)
    kappa = {"term": "agreement", "measure": "kappa", **kappa_row(table.to_numpy(), level)}
    rows += [{"stated": "all", "model": "all", **row} for row in (agreed, kappa)]
    return results(rows, by=["stated", "model"])


def rule_faults(rules: Mapping[str, Rule], there: Sequence[str]) -> list[str]:
    """Rules that are none, reasons that do not occur, and reasons that one rule codes twice."""
    if not isinstance(rules, Mapping) or not rules:
        return [f"rules must be {{rule: {{cause: [reasons]}}}}, not {shortened(rules)}"]
    faults = []
    for name, rule in rules.items():
        if not isinstance(rule, Mapping) or any(isinstance(part, str) for part in rule.values()):
            faults.append(f"rule '{name}' must be {{cause: [reasons]}}, not {shortened(rule)}")
            continue
        faults += [f"rule '{name}': '{OTHER}' is what no cause names; give that cause another name"] * (OTHER in rule)
        faults += [unknown("reason", reason, there, f"rule '{name}', cause '{cause}'")
                   for cause, part in rule.items() for reason in part if reason not in set(there)]  # fmt: skip
        causes: dict[str, list[str]] = {}
        for cause, part in rule.items():
            for reason in dict.fromkeys(part):
                causes.setdefault(reason, []).append(cause)
        faults += [f"rule '{name}' must code each reason once, but codes '{reason}' as {' and '.join(twice)}; "
                   "keep one" for reason, twice in causes.items() if len(twice) > 1]  # fmt: skip
    return faults


def _counted(data: Any, column: str, left: str | None) -> tuple[pd.Series, int]:
    """Leavers by stated reason, and leavers who state none (0 where it is not known who left)."""
    seen = engine.view(data)
    engine.require(seen, [column, *([left] if left else [])])
    gone = _gone(seen, left) if left else nw.lit(1.0)
    lazy = seen.frame.select(_said(seen, column).alias("reason"), gone.alias("left"))
    table = engine.collect(lazy.group_by("reason", "left").agg(nw.len().alias("n")), order=["reason", "left"])
    odd = int(table.loc[~table["left"].isin([0.0, 1.0]), "n"].sum())
    refuse([f"left '{left}' must be true/false, 0/1 or a date, but {odd:,} rows hold another value"] if odd else [])
    table = table[table["left"] == 1]
    silent = int(table.loc[table["reason"].isna(), "n"].sum()) if left else 0
    counts = table.dropna(subset="reason").set_index("reason")["n"]
    refuse([] if len(counts) else [f"column '{column}' must state at least one leaver's reason, but states none"])
    return counts, silent


def _gone(seen: engine.View, left: str) -> nw.Expr:
    """1 for leavers, 0 for others; a date is that of the end."""
    kind = seen.kind[left]
    if kind == engine.STAMP:
        return (~seen[left].is_null()).cast(nw.Float64)
    if kind != engine.NUMBER and seen.frame.collect_schema()[seen.at[left]] != nw.Boolean:
        raise CxError(f"left '{left}' must be true/false, 0/1 or a date, it is {kind}; recode it")
    return seen[left].cast(nw.Float64)


def _said(seen: engine.View, column: str) -> nw.Expr:
    """The reason as text; a blank one is none."""
    text = seen[column].cast(nw.String).str.strip_chars()
    return nw.when(text != "").then(text)


def _coding(rule: Rule, reasons: Any) -> np.ndarray:
    """The cause of each reason."""
    cause_of = {reason: cause for cause, part in rule.items() for reason in part}
    return np.array([cause_of.get(reason, OTHER) for reason in reasons], dtype=object)


def _share(term: str, measure: str, count: int, n: int, level: float) -> dict[str, object]:
    row = {"term": term, "measure": measure, "level": level, "n": n, "unit": "share", "method": "Wilson interval"}
    if n < FEWEST:
        return row | {"note": TOO_FEW}
    lower, upper = wilson(count, n, level)
    error = np.sqrt(count / n * (1 - count / n) / n)
    return row | {"estimate": count / n, "std_error": error, "lower": float(lower), "upper": float(upper)}


def _leavers(fit: AttritionFit, data: Any, column: str, reasons: Any, customer: str) -> pd.DataFrame:
    """One row per leaver: the cell of the fit, and the stated reason (None where there is none)."""
    seen, columns = engine.view(data), list(fit.cells.levels)
    told = seen if reasons is None else engine.view(reasons, "reasons")
    engine.require(seen, [*columns, fit.outcome, *([] if reasons is None else [customer])])
    engine.require(told, [column, *([] if reasons is None else [customer])], "reasons")
    keys = {f"f{i}": seen[name] for i, name in enumerate(columns)}
    who = {"who": seen[customer].cast(nw.String)} if reasons is not None else {"reason": _said(seen, column)}
    left = seen.frame.filter(seen[fit.outcome].cast(nw.Float64) == 1)
    frame = engine.collect(left.select(e.alias(name) for name, e in (keys | who).items()))
    if reasons is not None:
        said = told.frame.select(told[customer].cast(nw.String).alias("who"), _said(told, column).alias("reason"))
        given = engine.collect(said.filter(~nw.col("reason").is_null()))
        twice = given.loc[given["who"].duplicated(), "who"].nunique()
        refuse([f"reasons: '{customer}' must name each customer once, but {twice:,} state a reason more than once; "
                "keep one row each"] if twice else [])  # fmt: skip
        frame = frame.merge(given, on="who", how="left")
    cells = fit.cells.levels.set_axis(list(keys), axis=1).assign(cell=np.arange(len(fit.cells.levels)))
    frame = frame.merge(cells, on=list(keys), how="left")
    strange = int(frame["cell"].isna().sum())
    refuse([f"data must be the frame of the fit, but {strange:,} leavers are in none of its cells"] if strange else [])
    return frame.assign(cell=frame["cell"].astype(int))


def _largest(fit: AttritionFit) -> np.ndarray:
    """The cause that adds most to the risk of each cell, by name."""
    added = np.maximum(contributions_by_cell(risks(fit.designs, fit.beta[None]))[0], 0.0)
    names, most = np.array(list(fit.causes), dtype=object), added.max(axis=1)
    tied = (added > most[:, None] - TIE).sum(axis=1) > 1
    return np.where(most <= TIE, OTHER, np.where(tied, TIED, names[added.argmax(axis=1)]))
