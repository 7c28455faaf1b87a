"""Sentences of what follows from an attrition answer: parts of the failures, segments, time, reasons, assumptions."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from great_tables import GT

from .errors import CxError, LostData
from .fitted import NO_MODEL, AttritionFit
from .schema import TOO_FEW, ordered
from .study_file import AttritionPart
from .tables import table
from .wording import (
    Sentence,
    capital,
    estimate,
    groups_of,
    listed,
    number,
    percent,
    pick,
    plain_name,
    sentence,
    visible,
)  # fmt: skip

APART = 0.01  # a pooled share so far outside the range of the groups' is no matter of rounding


class Alarm(Sentence):
    """A sentence that a page shows in a box of its own, a line for each thing found."""

    found: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        told = "".join(f"<li>{html.escape(capital(one))}</li>" for one in self.found)
        return f'<div class="alarm"><p class="label">Alarm</p><ul>{told}</ul></div>'


def where_possible(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What a function returns; where the data cannot carry it, say why, so that the report goes on without it.

    Parameters
    ----------
    function : a statistic, such as `cox`
    given, named : its arguments; with None as the first, which a study that lacks the part gives, nothing is called
    """
    from IPython.display import display

    if not given or given[0] is None or given[0] is False:
        return None
    try:
        return function(*given, **named)
    except LostData:
        raise
    except CxError as error:
        display(Sentence(f"Left out, because these data cannot carry it: {'; '.join(error.faults)}."))
        return None


def alarms(result: pd.DataFrame | None) -> Sentence | None:
    """What the checks found that speaks against the answer, in a box of its own."""
    if not isinstance(result, pd.DataFrame):
        return None
    notes = visible(result).loc[lambda rows: rows["measure"].eq("alarm") & rows["note"].ne(TOO_FEW), "note"]
    found = [f"{note.rstrip('.')}." for note in notes]
    if not found:
        return Sentence("None of the checks raises an alarm.")
    told = Alarm(f"Alarm: {' '.join(capital(one) for one in found)}")
    told.found = tuple(found)
    return told


def assumptions(attrition: AttritionPart | None) -> Sentence | None:
    """What must hold for the shares of attrition to be effects."""
    if attrition is None:
        return None
    alike = listed([plain_name(column) for column in attrition.adjust]) or "nothing"
    pairs = dict.fromkeys((c, r) for to in attrition.causes.values() for c, m in to.items() for r in m.values())
    reached = listed([f"{plain_name(column)} {level}" for column, level in pairs])
    first, *others = attrition.causes
    apart = f"; {first} does not itself change {listed(others)}" if others else ""
    return Sentence(
        f"This rests on assumptions that no data can prove: failures came before the decision to leave; those who had "
        f"one and those who had none, where {alike} are alike, differ in nothing else that matters; what failures are "
        f"set against is within reach ({reached}), and another reference would be another question{apart}."
    )


@sentence
def orders(result: pd.DataFrame) -> str:
    """How much the share of each cause depends on the order in which the causes are removed."""
    told: list[str] = []
    for term in [term for term in result["term"].unique() if term != "joint"]:
        low, high = (pick(result, term, end) for end in ("lowest_order", "highest_order"))
        told.append(f"between {estimate(low, not told)} and {estimate(high, False)} goes with {plain_name(term)}")
    return f"by the order in which causes are removed, {listed(told)}."


@sentence
def what_if(result: pd.DataFrame, reduction: float) -> str:
    """How much attrition would be avoided if a part of the failures were gone."""
    told: list[str] = []
    for i, one in enumerate(result.itertuples(index=False)):
        whole = "of both" if len(result) == 3 else "of all of them"
        those = whole if one.term == "joint" else f"of {plain_name(one.term)}"
        told.append(f"{estimate(one, not i)} without those {those}")
    gone = f"with {percent(reduction)} of the failures gone, this share of all attrition would be gone with them"
    return f"{gone}, if the shares are effects: {listed(told)}."


@sentence
def segments(result: pd.DataFrame, pooled: pd.DataFrame, measure: str = "average_fraction") -> str:
    """From where to where the shares of each cause run over the groups, and whether they disagree with all."""
    by = groups_of(result)[0]
    told: list[str] = []
    against: list[str] = []
    shown = result[result["measure"].eq(measure) & result["estimate"].notna()]
    if shown[by].nunique() < 2:
        return "fewer than two groups are large enough to be compared."
    for term in shown["term"].unique():
        whole, own = pick(pooled, term, measure), shown[shown["term"] == term]
        low, high = (own.loc[own["estimate"].agg(end)] for end in ("idxmin", "idxmax"))
        told.append(
            f"what goes with {plain_name(term)} runs from {estimate(low, not told)} in {low[by]} to "
            f"{estimate(high, False)} in {high[by]}, against {estimate(whole, False)} of all"
        )
        if not low["estimate"] - APART <= whole.estimate <= high["estimate"] + APART:
            against.append(f"the share of {plain_name(term)} over everyone lies outside the range of the groups'")
        against += [f"{plain_name(term)} in {row[by]} {row['note']}" for _, row in own.iterrows() if row["note"]]
    hidden = _not_shown(result[result["measure"] == measure], by)
    if against:
        end = f"The pooled answer and the groups disagree: {'; '.join(against)}; read the groups, not the pooled share."
    else:
        end = f"No group differs from all by more than chance (false discovery rate {percent(1 - whole.level)})."
    return f"{'; '.join(told)}. {end}{hidden}"


def _not_shown(result: pd.DataFrame, by: str) -> str:
    """Which groups have no estimate for some cause, and why: counted where too small, named where no model fits."""
    gaps = result[result["estimate"].isna()]
    unfit = gaps[gaps["note"].str.startswith(NO_MODEL)].drop_duplicates(by)
    few = gaps.loc[~gaps[by].isin(unfit[by]), by].nunique()
    told = f" Not shown, because too small: {few}." if few else ""
    why = [f"{row[by]} ({row['note'].removeprefix(f'{NO_MODEL}: ')})" for _, row in unfit.iterrows()]
    return told + (f" Not shown, because no model fits: {'; '.join(why)}." if why else "")


@sentence
def survival(result: pd.DataFrame) -> str:
    """How many of each level are still customers at the end."""
    by = next(name for name in groups_of(result) if name != "time")
    ends = result[result["time"].eq(result["time"].max()) & result["estimate"].notna()]
    if ends.empty:
        return "too few left for a curve."
    told = [f"{estimate(row, not i)} of those with {plain_name(by)} {getattr(row, by)}"
            for i, row in enumerate(ends.itertuples(index=False))]  # fmt: skip
    return f"after {number(ends['time'].iloc[0])} days {listed(told)} are still customers; nothing is adjusted for."


@sentence
def fraction_by_horizon(result: pd.DataFrame, measure: str = "average_fraction") -> str:
    """What goes with each cause within the shortest and within the longest horizon."""
    told: list[str] = []
    for term in result.loc[result["measure"] == measure, "term"].unique():
        own = result[result["term"].eq(term) & result["measure"].eq(measure)].sort_values("horizon_days")
        ends = [f"{estimate(row, not told and not i)} of the attrition within {number(row.horizon_days)} days"
                for i, row in enumerate((own.iloc[0], own.iloc[-1]))]  # fmt: skip
        told.append(f"failures of {plain_name(term)} before the first day go with {' and '.join(ends)}")
    return f"{'; '.join(told)}."


@sentence
def hazard_ratios(result: pd.DataFrame, fit: AttritionFit, columns: Sequence[str]) -> str:
    """How many times faster customers with each level of some columns leave, and whether that holds over time."""
    told: list[str] = []
    for row in result[result["measure"] == "hazard_ratio"].itertuples(index=False):
        column, _, level = row.term.partition(" = ")
        if column in columns and math.isfinite(row.estimate):
            first = ordered(column, fit.cells.levels[column].unique())[0]
            told.append(f"{plain_name(column)} {level} {estimate(row, not told)} times as fast as {first}")
    changing = [
        row.note
        for row in result.itertuples(index=False)
        if row.measure == "proportionality_p" and row.note not in ("", TOO_FEW)
    ]
    end = f"Caution: {'; '.join(changing)}." if changing else "No test finds that these ratios change with time."
    if not told:
        return "too few left for ratios of the causes."
    return f"at any moment, customers leave with {'; '.join(told)}, the confounders held alike. {end}"


@sentence
def reason_shares(result: pd.DataFrame, a: str = "price", b: str = "service") -> str:
    """How far the coding rule alone moves the two figures of the press."""
    told: list[str] = []
    for term, measure, what in (
        (b, "share", f"the share of stated reasons that name {b}"),
        (f"{a} / ({a} + {b})", "share_of_pair", f"the share of {a} among those that name {a} or {b}"),
    ):
        own = result[result["term"].eq(term) & result["measure"].eq(measure) & result["estimate"].notna()]
        if len(own):
            low, high = (own.loc[own["estimate"].agg(end)] for end in ("idxmin", "idxmax"))
            ends = f"{estimate(low, not told)} ({low['rule']}) to {estimate(high, False)} ({high['rule']})"
            told.append(f"{what} from {ends}")
    if not told:
        return "too few leavers state a reason."
    who = f"n = {number(result.loc[result['measure'] == 'share', 'n'].max())} leavers who state a reason"
    return f"the rule that codes the answers alone moves {' and '.join(told)}; {who}."


@sentence
def agreement(result: pd.DataFrame, rule: str) -> str:
    """Whether what leavers state agrees with the model; the rule is the one that coded the reasons."""
    share, kappa = (pick(result, "agreement", measure) for measure in ("share", "kappa"))
    if not (math.isfinite(share.estimate) and math.isfinite(kappa.estimate)):
        return "too few leavers state a reason to set it beside the model."
    return (
        f"for {estimate(share)} of {number(share.n)} leavers who state a reason, the cause stated (rule {rule}) is the "
        f"one to which the model gives most; kappa is {estimate(kappa, False)}, where zero is chance and one is always."
    )


@sentence
def robustness(result: pd.DataFrame) -> str:
    """Whether another model says the same, and how strong something not measured would have to be."""
    told: list[str] = []
    against: list[str] = []
    for term in result.loc[result["measure"] == "doubly_robust_fraction", "term"]:
        told.append(f"{estimate(pick(result, term, 'doubly_robust_fraction'), not told)} for {plain_name(term)}")
        strength, limit = (pick(result, term, measure) for measure in ("e_value", "e_value_limit"))
        if math.isfinite(limit.estimate):
            ends = f"{number(strength.estimate, strength.unit)} ({number(limit.estimate, limit.unit)} for its interval)"
            against.append(f"{ends} for {plain_name(term)}")
    model = f"doubly robust, the share of attrition that goes with each cause removed alone is {listed(told)}"
    return model + (f"; to explain it away, something not measured would have to go with both the failure and leaving "
                    f"by a risk ratio of at least {listed(against)}." if against else ".")  # fmt: skip


@sentence
def interactions(result: pd.DataFrame) -> str:
    """Whether the answer depends on which causes are let act together."""
    apart = [row for row in result.itertuples(index=False) if row.note and math.isfinite(row.estimate)]
    if not apart:
        return "the answer does not depend on the choice: every share lies inside the interval of the model above."
    told = [f"with {row.interactions}, {plain_name(row.term)} goes with {estimate(row, not i)}"
            for i, row in enumerate(apart)]  # fmt: skip
    return f"the answer depends on which causes are let act together: {'; '.join(told)}."


def cross_table(result: pd.DataFrame | None, rule: str) -> GT | None:
    """Stated cause by the model's largest cause, as shares of the leavers who state a reason."""
    if not isinstance(result, pd.DataFrame):
        return None
    pairs = result[result["term"] == "leavers"]
    told = pairs.assign(term="model: " + pairs["model"])
    return table(told, f"Stated cause (rule {rule}, down) beside the model's largest (across)", down="stated")
