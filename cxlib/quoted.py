"""Published figures beside a study's own: where they lie, and whether they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .published import UNTESTABLE, claim_verdict
from .wording import Sentence, capital, digits, estimate, number, percent, pick, visible


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
    quoted = f'Published: "{published["claim"]}" ({published["source"]}).'
    if found.verdict == UNTESTABLE:
        return Sentence(f"{quoted} It {UNTESTABLE}, because {found.because}.")
    assert seen is not None
    told = " and ".join(estimate(pick(seen, *one), not i) for i, one in enumerate(dict.fromkeys(at)))
    place = "the bounds here are" if len(set(at)) > 1 else "the estimate here is"
    return Sentence(f"{quoted} {capital(found.verdict)}: {place} {told}.")
