"""Sentences from NPS to staying: who is still there, which score tells, by what path, who tells others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from great_tables import GT

from .engine import View, rows
from .layout import laid_out, steps_told
from .linkage import APART
from .mediated import NO_PROPORTION
from .study import Study, study_frame
from .telling import EVERYONE
from .wording import (
    CLASSES,
    Sentence,
    estimate,
    listed,
    member_name,
    number,
    percent,
    pick,
    plain_name,
    sentence,
    visible,
)


@sentence
def retention_by_nps(result: pd.DataFrame) -> str:
    """Who is still a customer at the longest time that is told, by class, and promoters less detractors."""
    last, shown = longest(result)
    own = shown[shown["measure"].eq("retention") & shown["estimate"].notna()]
    if own.empty:
        return "too few answered to say who stays."
    told = [f"{estimate(row, not i)} of {CLASSES[row.nps_class]}" for i, row in enumerate(own.itertuples(index=False))]
    after = f"{number(last)} days after the answer" if last else "of those who were asked"
    apart = shown[shown["nps_class"].eq(APART) & shown["estimate"].notna()]
    gap = "".join(f"; promoters less detractors {points(row)}{unclear(row)}" for row in apart.itertuples(index=False))
    return f"{after} {listed(told)} are still customers{gap}; n = {number(own['n'].sum())}. Nothing is adjusted for."


@sentence
def ways_of_leaving(result: pd.DataFrame) -> str:
    """How many of each class were lost in another way than by leaving, which retention leaves out of account."""
    _, shown = longest(result)
    lost = shown[shown["measure"].eq("lost") & shown["estimate"].notna()]
    told = [f"{estimate(row, not i)} of {CLASSES[row.nps_class]}" for i, row in enumerate(lost.itertuples(index=False))]
    if not told:
        return "too few were lost in other ways to say so by class."
    return (
        f"lost in another way, such as by not paying: {listed(told)}. Who was lost counts in the curves as followed "
        f"until then; the shares that left, in a world where others are lost too, are a little lower and stand below."
    )


@sentence
def first_or_each(result: pd.DataFrame, first: pd.DataFrame) -> str:
    """Whether counting every answer instead of the first tells another difference of promoters and detractors."""
    (last, each), (_, once) = longest(result), longest(visible(first))
    pairs = [one[one["nps_class"].eq(APART) & one["estimate"].notna()] for one in (once, each)]
    if pairs[0].empty or pairs[1].empty:
        return "too few promoters or detractors to compare the first answer with every answer."
    one, other = (next(pair.itertuples(index=False)) for pair in pairs)
    inside = one.lower <= other.estimate <= one.upper
    verdict = "inside the interval of the first: the rule does not decide" if inside else "outside it: the rule decides"
    return (
        f"after {number(last)} days promoters less detractors are {points(one)} by the first invitation of each "
        f"customer and {points(other, False)} by every one, with customers as the unit of resampling, {verdict}."
    )


@sentence
def score_comparison(result: pd.DataFrame, against: str = "nps_class") -> str:
    """Which score tells alone who leaves, and which better than the class that the NPS is made of."""
    alone = result[result["measure"].eq("alone") & result["term"].ne("all")]
    some = [_score(row.term) for row in alone.itertuples() if row.lower > 0]
    first = f"{listed(some)} alone {'tell' if len(some) > 1 else 'tells'}" if some else "no score alone tells"
    n = pick(result, "all", "alone").n
    apart = result[result["measure"] == "against"]
    better = [f"{_score(row.term)} by {estimate(row, not i)}" for i, row in
              enumerate(apart[apart["lower"] > 0].itertuples(index=False))]  # fmt: skip
    worse = [_score(row.term) for row in apart.itertuples() if row.upper < 0]
    told = [f"better than the {_score(against)}: {listed(better)}"] * bool(better)
    told += [f"worse: {listed(worse)}"] * bool(worse)
    verdict = "; ".join(told) or f"none differs from the {_score(against)} by more than noise"
    return (
        f"on customers the model has not seen, {first} more about who leaves than the overall rate does, beyond noise; "
        f"{verdict} (log likelihood per {number(1000)} customers); n = {number(n)} customers."
    )


@sentence
def mediation(result: pd.DataFrame, failure: str = "a failed contact") -> str:
    """How much more customers leave after a failure, and how much of that runs through what they said then."""
    total, indirect, share = (pick(result, term, measure) for term, measure in
                              (("total", "effect"), ("indirect", "effect"), ("indirect", "proportion")))  # fmt: skip
    if not math.isfinite(total.estimate):
        return "too few had the failure to follow it through what customers say."
    through = [f"{points(row, False)} by {_score(row.term.removeprefix('through '))} first"
               for row in result[result["term"].str.startswith("through ")].itertuples(index=False)]  # fmt: skip
    parts = f": {listed(through)}" if through else ""
    proportion = f", {estimate(share, False)} of it," if math.isfinite(share.estimate) and share.lower > 0 else ""
    return (
        f"where the confounders are alike, {failure} goes with {points(total)} more customers leaving; "
        f"{points(indirect, False)} of that{proportion} run through what they said when asked"
        f"{unclear(indirect)}{parts}; n = {number(total.n)} customers with such a contact, good or failed."
    )


@sentence
def mediation_naive(result: pd.DataFrame) -> str:
    """What a plain comparison and a comparison of logit coefficients would have said."""
    total, crude, naive, own = (pick(result, term, measure) for term, measure in
                                (("total", "effect"), ("crude", "effect"), ("coefficients", "proportion"),
                                 ("indirect", "proportion")))  # fmt: skip
    told = f"without a model the failure would go with {points(crude)} more leaving, against {points(total, False)}"
    if not math.isfinite(naive.estimate):
        return f"{told}; what share is mediated cannot be told, {NO_PROPORTION.partition(': ')[2]}."
    return (
        f"{told}; the drop of the logit coefficient, as it is often reported, would call {estimate(naive, False)} "
        f"mediated, the g-formula {estimate(own, False)}."
    )


def path_assumptions(adjust: Sequence[str], dated: bool) -> Sentence:
    """What must hold for a path to be one: assumptions that no data can prove."""
    alike = listed([plain_name(column) for column in adjust]) or "nothing"
    order = (
        "tickets came before the invitation, and leaving after the answer, because the tables are dated"
        if dated
        else "the failure came before the answer and the answer before leaving, which a frame without dates cannot show"
    )
    return Sentence(
        f"This rests on assumptions that no data can prove: {order}; given {alike}, nothing unmeasured drives both the "
        f"failure and the answer, both the failure and leaving, or both the answer and leaving; no common cause of "
        f"answer and leaving is itself a result of the failure (cross-world independence); and service is measured in "
        f"operation, not rated in the same survey, whose mood would colour both."
    )


@sentence
def word_of_mouth(result: pd.DataFrame) -> str:
    """The share of each class that told others, and how many they told."""
    told: list[str] = []
    for name in [name for name in CLASSES if name in set(result["nps_class"])]:
        own = result[result["nps_class"] == name].set_index("measure")
        if "share" in own.index and math.isfinite(own.loc["share", "estimate"]):
            share, people = (next(own.loc[[measure]].itertuples(index=False)) for measure in ("share", "people"))
            told.append(
                f"{estimate(share, not told)} of {CLASSES[name]} ({number(people.estimate, '', 1)} people each)"
            )
    if not told:
        return "too few say whom they told."
    whole = pick(result[result["nps_class"] == EVERYONE], "told", "share")
    return f"told others about us: {listed(told)}; n = {number(whole.n)} answers to this question."


@sentence
def blanks(result: pd.DataFrame) -> str:
    """What counting a blank as nobody would say, and between which bounds the share of all asked lies."""
    own = result[result["nps_class"] == EVERYONE]
    said, naive, most = (pick(own, "told", measure) for measure in ("share", "blank_is_nobody", "at_most"))
    return (
        f"of those who say, {estimate(said)} told others; counting every blank, of the {number(naive.n)} invitations "
        f"too, as nobody told would make it {estimate(naive, False)}, which is the least that it can be of all asked; "
        f"the most is {estimate(most, False)}."
    )


@sentence
def referrals(result: pd.DataFrame) -> str:
    """How many newcomers came by a recommendation, and by whose."""
    whole = pick(result, "newcomers", "share")
    own = result[result["measure"].eq("of_referred") & result["estimate"].notna()]
    by = [f"{estimate(row, False)} by {CLASSES[row.nps_class]}" for row in own.itertuples(index=False)]
    rest = f"; of these, {listed(by)}, as they last answered before" if by else ""
    return f"{estimate(whole)} of newcomers came by a recommendation{rest}; n = {number(whole.n)} newcomers."


def invitations_kept(
    study: Study, linked: View | None, as_of: str = "", only_column: str = "", only_value: str = ""
) -> GT | None:
    """How many invitations there are, and how many customers or answers are followed; None without any."""
    if linked is None:
        return None
    whole, kept = rows(study.tables.need("surveys") if study.tables else study_frame(study)), rows(linked)
    steps = [("invitations in the data" if study.tables else "rows of the study's frame", whole, "")]
    why = "a later invitation of the same customer, one of the last two weeks, or another group"
    steps += [("followed from the answer or the invitation", kept, why)] if study.tables or only_column else []
    return laid_out(steps_told(steps), "From the invitations to the customers followed")


def retention_table(result: pd.DataFrame | None) -> GT | None:
    """Retention of every class at every time, with the shares that left and were lost; None without a result."""
    if not isinstance(result, pd.DataFrame):
        return None
    shown = visible(result[result["nps_class"].isin(list(CLASSES))])
    rows = []
    for (name, *_), own in shown.groupby([column for column in ("nps_class", "time") if column in shown], sort=False):
        cells = {"class": name, **({"days": number(own["time"].iloc[0])} if "time" in own else {})}
        cells |= {"customers": number(own["n"].iloc[0])}
        for row in own.itertuples(index=False):
            heading = {"retention": "still there", "left": "left", "lost": "lost otherwise"}[row.measure]
            cells[heading] = estimate(row, False).replace(" ", "\N{NO-BREAK SPACE}")
        rows.append(cells)
    brackets = f"In brackets: {percent(result['level'].max())} intervals."
    return laid_out(pd.DataFrame(rows).fillna(""), "Still customers, by NPS class and days since the answer", brackets)


def longest(result: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    """The longest time that has an estimate, and its rows; 0 and all rows where there are no times."""
    if "time" not in result:
        return 0.0, result
    known = result.loc[result["estimate"].notna(), "time"]
    last = float(known.max() if len(known) else result["time"].max())
    return last, result[result["time"] == last]


def points(row: Any, first: bool = True) -> str:
    """A difference of shares in percentage points: "12.4 points (95% interval 7.2 to 18.6)"."""
    if not math.isfinite(row.estimate):
        return "too few"
    ends = [100 * value for value in (row.estimate, row.lower, row.upper)]
    told = [number(value, "", 1) for value in ends]
    level = f"{percent(row.level)} interval " if first else ""
    return f"{told[0]} percentage points ({level}{told[1]} to {told[2]})"


def unclear(row: Any) -> str:
    return ", which cannot be told from none" if row.lower <= 0 <= row.upper else ""


def _score(term: str) -> str:
    names = {"nps_class": "NPS class", "recommend": "score of the recommendation question", "effort": "CES question",
             "satisfaction": "CSAT question"}  # fmt: skip
    return names.get(term, member_name(term))
