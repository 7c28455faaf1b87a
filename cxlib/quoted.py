"""What others have published, beside a study's own figures, and what customers say in their comments: as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .comments import NO_THEME, WHOLE
from .lexicon import TONES
from .published import UNTESTABLE, claim_verdict
from .wording import (
    Sentence,
    capital,
    digits,
    estimate,
    listed,
    number,
    percent,
    pick,
    plain_name,
    sentence,
    visible,
)


def claim(
    published: Mapping[str, Any] | pd.Series, result: pd.DataFrame | None, *at: tuple[str, str]
) -> Sentence | None:
    """Where a published figure lies beside the interval of one estimate, or outside the intervals of two bounds.

    Parameters
    ----------
    published : a row of `claims`
    result : result table
    *at : (term, measure) of the estimate, or of the lower and the upper bound
    """
    if not isinstance(result, pd.DataFrame):
        return None
    quoted = f'Published: "{published["claim"]}" ({published["source"]}).'
    rows, seen = [], visible(result)
    for term, measure in at:
        found = seen[(seen["term"] == term) & (seen["measure"] == measure)]
        if found.empty or found["lower"].isna().any():
            return Sentence(f"{quoted} It cannot be compared: this study gives no interval for {term}.")
        rows.append(pick(seen, term, measure))
    value, low, high = float(published["value"]), rows[0], rows[-1]
    place = "below" if value < low.lower else "above" if value > high.upper else "inside"
    sure = f"{percent(low.level)} interval"
    where = f"{sure} of the estimate" if len(at) == 1 else f"range of the two bounds with their {sure}s"
    ends = f"{number(low.lower, low.unit, digits(low))} to {number(high.upper, high.unit, digits(high))}"
    return Sentence(f"{quoted} {number(value, published['unit'])} lies {place} the {where}, {ends}.")


def verdict(
    published: Mapping[str, Any] | pd.Series, result: pd.DataFrame | None, *at: tuple[str, str], because: str = ""
) -> Sentence:
    """Whether a published figure holds here, with the estimate beside it; parameters as of `cx.claim_verdict`.

    Without a result it still speaks: that these data cannot test a claim is an answer.
    """
    seen = visible(result) if isinstance(result, pd.DataFrame) else None
    found = claim_verdict(published, seen, *at, because=because)
    quoted = f'Published of {published["population"]}: "{published["claim"]}" ({published["source"]}).'
    if found.verdict == UNTESTABLE:
        return Sentence(f"{quoted} It {UNTESTABLE}, because {found.because}.")
    assert seen is not None
    told = " and ".join(estimate(pick(seen, *one), not i) for i, one in enumerate(dict.fromkeys(at)))
    place = "the bounds here are" if len(set(at)) > 1 else "the estimate here is"
    return Sentence(f"{quoted} {capital(found.verdict)}: {place} {told}.")


def adds_up(result: pd.DataFrame | None, claims: pd.DataFrame) -> Sentence | None:
    """Whether the published parts add up; `result` is from `claim_consistency`, `claims` from `published_claims`.

    No people stand behind these figures, so none is hidden.
    """
    if not isinstance(result, pd.DataFrame):
        return None
    told = []
    for term in dict.fromkeys(result["term"]):
        parts, whole, rest = (pick(result, term, measure) for measure in ("parts", "whole", "unnamed"))
        quoted = claims.loc[term.partition(" (")[0], "claim"]
        note = f"leaves {number(rest.estimate, rest.unit)} unnamed" if rest.note.startswith("leaves") else rest.note
        sums = f"{number(parts.estimate, parts.unit)} of {number(whole.estimate, whole.unit)}"
        told.append(f'parts of "{quoted}": {sums}, {note}')
    return Sentence(capital("; ".join(told)) + ".") if told else None


@sentence
def comment_themes(result: pd.DataFrame, first: str = "service", most: int = 3) -> str:
    """What comments talk about: the theme `first`, then the most frequent others, and the tone of the first."""
    shares = result[result["measure"].eq("share") & ~result["term"].isin([first, NO_THEME, WHOLE])]
    shares = shares[shares["estimate"].notna()].sort_values("estimate", ascending=False, kind="stable")
    ours, tone = pick(result, first, "share"), pick(result, first, "negative")
    others = [f"{percent(row.estimate)} {plain_name(row.term)}" for row in shares.head(most).itertuples(index=False)]
    named = f"; the most frequent others are {listed(others)}" if others else ""
    negative = f" Of the comments on {plain_name(first)}, {estimate(tone, False)} are negative."
    return (
        f"{estimate(ours)} of the comments are about {plain_name(first)}{named}; n = {number(ours.n)} comments, "
        f"each of which may be about several.{negative if pd.notna(tone.estimate) else ''}"
    )


@sentence
def comment_agreement(result: pd.DataFrame) -> str:
    """How well the lexicon reads, beside the labels: kappa of each theme or tone, and the words for it."""
    told = [
        f"{plain_name(row.term)}{' tone' if row.term in TONES else ''} {estimate(row, not i)}"
        for i, row in enumerate(result[result["measure"] == "kappa"].itertuples(index=False))
    ]
    return f"agreement of the lexicon with the labels (kappa: 0 as by chance, 1 always): {'; '.join(told)}."
