"""Sentences of an experience: groups, touchpoints not met, service gaps, CSAT beside NPS, and what-ifs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from .gaps import GAP, REVERSE
from .unmet import DROPPED, EVERYONE, MET
from .wording import estimate, listed, member_name, number, percent, pick, plain_name, sentence


@sentence
def design_effect(result: pd.DataFrame) -> str:
    """How many answers of equal weight the weighted ones are worth."""
    effect, worth = (pick(result, "nps", measure) for measure in ("design_effect", "effective_n"))
    return (
        f"with these weights {number(effect.n)} answers tell as much as {number(worth.estimate)} of equal weight would "
        f"(design effect {number(effect.estimate, '', 2)})."
    )


@sentence
def nps_differences(result: pd.DataFrame) -> str:
    """Which groups differ from all others, the many looks allowed for."""
    by, rate = result.columns[0], percent(1 - result["level"].max())
    told = [
        f"{plain_name(row[by])} by {estimate(row, not i)} points"
        for i, (_, row) in enumerate(result[result["note"].str.startswith("differs")].iterrows())
    ]
    looks = f"the share of false ones among such findings held down to {rate}"
    if not told:
        return f"no group differs from all others together by more than chance ({looks})."
    return f"what differs from all others together by more than chance: {'; '.join(told)} ({looks})."


@sentence
def not_met_comparison(result: pd.DataFrame) -> str:
    """The share over everyone, the share and the effect where met, and what dropping incomplete answers would say."""
    shares = result[result["measure"] == "share"]
    term = next(iter(shares["term"]))
    every, met, dropped = (next(shares[shares["rows"].eq(rows) & shares["term"].eq(term)].itertuples(index=False))
                           for rows in (EVERYONE, MET, DROPPED))  # fmt: skip
    told = f"{member_name(term)} accounts for {estimate(every)} of what is explained over everyone"
    if math.isfinite(met.estimate):
        told += (
            f", and for {estimate(met, False)} of it among the {number(met.n)} answers of those who met it, which is "
            f"what a report that leaves the others out would say"
        )
    if math.isfinite(dropped.estimate):
        told += f"; dropping every answer with a gap leaves {number(dropped.n)}, and {estimate(dropped, False)}"
    else:
        told += "; dropping every answer with a gap leaves too few for any figure"
    effects = result[result["measure"].eq("coefficient") & result["rows"].eq(MET) & result["estimate"].notna()]
    each = [f"{estimate(row, False)} for {member_name(row.term)}" for row in effects.itertuples(index=False)]
    points = f" One point of rating goes with so many points of the score, among those who met it: {'; '.join(each)}."
    return f"{told}.{points if each else ''}"


@sentence
def service_gap(result: pd.DataFrame) -> str:
    """How often excellent service goes with a poor experience, what was rated low then, and the reverse case."""
    gap, reverse = pick(result, GAP, "of_excellent"), pick(result, REVERSE, "of_poor")
    if not (math.isfinite(gap.estimate) and math.isfinite(reverse.estimate)):
        return "too few had excellent or poor service to say how often the experience was another."
    apart = result[result["measure"].eq("difference") & result["lower"].gt(0)].sort_values("estimate", ascending=False)
    low = [
        f"{plain_name(term)} ({' against '.join(_percents(result, term, ('low_in_gap', 'low_in_rest')))})"
        for term in apart["term"]
    ]
    named = listed(low) if low else "nothing that is more than noise"
    return (
        f"of those with excellent service, {estimate(gap)} had a poor experience all the same, and of those with poor "
        f"service {estimate(reverse, False)} are promoters. What the former rated low more often than others with "
        f"excellent service: {named}."
    )


@sentence
def satisfaction_overlap(result: pd.DataFrame) -> str:
    """How far the satisfied and the promoters are the same people."""
    happy, loyal = pick(result, "satisfied", "promoters"), pick(result, "promoters", "satisfied")
    one, other = (pick(result, name, "overlap") for name in ("satisfied, not a promoter", "not satisfied, promoter"))
    return (
        f"of the satisfied {estimate(happy)} are promoters, and of the promoters {estimate(loyal, False)} are "
        f"satisfied; {estimate(one, False)} of all are satisfied without being promoters, and {estimate(other, False)} "
        f"promoters without being satisfied; n = {number(one.n)} answers to both questions."
    )


@sentence
def attrition_prediction(result: pd.DataFrame) -> str:
    """Whether the scores tell who leaves, and which adds something to the others."""
    whole, added = pick(result, "all", "alone"), result[result["measure"] == "added"]
    if not whole.lower > 0:
        alone = [plain_name(row.term) for row in result[result["measure"] == "alone"].itertuples() if row.lower > 0]
        but = f", though {listed(alone)} alone does" if alone else ""
        return (
            f"on customers the model has not seen, all scores together tell no more about who leaves than the overall "
            f"rate does, beyond noise{but}; n = {number(whole.n)} customers."
        )
    more = [plain_name(row.term) for row in added.itertuples() if row.lower > 0]
    less = [plain_name(row.term) for row in added.itertuples() if not row.lower > 0]
    told = [f"{listed(more)} adds to the others"] * bool(more) + [f"{listed(less)} adds nothing sure"] * bool(less)
    return (
        f"on customers the model has not seen, the scores together tell more about who leaves than the overall rate "
        f"does; {' and '.join(told)}; n = {number(whole.n)} customers."
    )


@sentence
def nps_what_if(result: pd.DataFrame, step: int, low: float) -> str:
    """How much higher the NPS would be with the low ratings lifted."""
    joint, changes = pick(result, "joint", "change"), result[result["measure"] == "change"]
    each = changes[changes["term"] != "joint"].sort_values("estimate", ascending=False)
    parts = [f"{plain_name(row.term)} {estimate(row, False)}" for row in each.itertuples(index=False)]
    unclear = ", which cannot be told from none" if joint.lower <= 0 <= joint.upper else ""
    better = "one point" if step == 1 else f"{number(step)} points"
    return (
        f"if ratings of {number(low)} or less were {better} better, and NPS went with them as it does from one "
        f"customer to the next, it would change by {estimate(joint)} points{unclear}: {'; '.join(parts)}. Ratings from "
        f"one survey share a mood, so read it as the most that an improvement may bring."
    )


def _percents(result: pd.DataFrame, term: str, measures: tuple[str, ...]) -> Iterator[str]:
    return (percent(pick(result, term, measure).estimate) for measure in measures)
