"""Sentences of what moves a score: rankings on both scales, penalties, the map, and checks of the driver model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from .experience import QUADRANTS
from .wording import capital, estimate, listed, member_name, number, percent, pick, plain_name, sentence, visible

SURE = 0.95  # of the resamples in one quadrant, from which on a driver is said to lie there


@sentence
def rankings(result: pd.DataFrame, promoter: pd.DataFrame | None = None) -> str:
    """The order of the groups on each scale, which neighbours noise could swap, and where the scales disagree."""
    told = [_ranking(result, "on the score")]
    if isinstance(promoter, pd.DataFrame):
        other = visible(promoter)
        told += [_ranking(other, "on being a promoter"), _disagreement(result, other)]
    return " ".join(capital(part) for part in told)


@sentence
def noise(result: pd.DataFrame) -> str:
    """Which drivers cannot be told from an added random one."""
    shares = result[result["measure"] == "share"]
    inside = shares["term"].str.contains("/", regex=False)
    grouped = shares["term"].where(~inside, shares["term"].str.split("/").str[0])
    shares = shares[inside | ~grouped.isin(grouped[inside])]
    lost = [member_name(term) for term in shares.loc[shares["note"].ne("") & shares["estimate"].notna(), "term"]]
    if not lost:
        return "every driver accounts for more than an added driver of random numbers would."
    return f"what cannot be told from an added driver of random numbers: {listed(lost)}."


@sentence
def penalty_reward(result: pd.DataFrame) -> str:
    """Where low ratings cost more than high ones gain, and the reverse."""
    rows = result[result["measure"].eq("asymmetry") & result["estimate"].notna()]
    told, first = [], True
    for own, words in (
        (rows[rows["lower"] > 0].sort_values("estimate", ascending=False), "low ratings cost more than high ones gain"),
        (rows[rows["upper"] < 0].sort_values("estimate"), "high ratings gain more than low ones cost"),
    ):
        each = [f"{plain_name(row.term)} by {_size(row, first and not i)}" for i, row in enumerate(own.itertuples())]
        told += [f"{words}: {listed(each)}"] * bool(each)
        first &= not each
    if not told:
        return "no driver costs more by low ratings than it gains by high ones, or less, beyond noise."
    rest = len(rows) - (rows["lower"].gt(0) | rows["upper"].lt(0)).sum()
    end = f" For the other {rest} the interval of the difference holds zero." if rest else ""
    return f"in points of the score, {'; '.join(told)}.{end}"


@sentence
def importance_performance(result: pd.DataFrame) -> str:
    """What is important and not rated well, how sure that place is, and what is important and rated well."""
    rows = result[result["measure"] == "quadrant"]
    told = []
    for name in list(QUADRANTS.values())[:2]:
        own = [plain_name(row.term) + ("" if row.estimate >= SURE else f" (in {percent(row.estimate)} of resamples)")
               for row in rows[rows["note"] == name].itertuples()]  # fmt: skip
        told.append(f"{name}: {listed(own) or 'nothing'}")
    return f"{'; '.join(told)}. The map orders attention; it does not say what an improvement would bring."


@sentence
def ordinal_check(result: pd.DataFrame) -> str:
    """Which driver moves the ordered classes most, and which acts differently on promoters and on detractors."""
    rows = result[result["measure"].eq("coefficient") & ~_whether_met(result)]
    top, fit = rows.loc[(rows["estimate"] / rows["std_error"]).abs().idxmax()], pick(result, "model", "mcfadden")
    odds = f"{number(math.exp(top['estimate']), '', 1)} ({' to '.join(_odds(top))})"
    told = (
        f"taken as detractor, passive and promoter instead of a number, the score goes with {plain_name(top['term'])} "
        f"most surely: one point more multiplies the odds of a better class by {odds}; McFadden's R² is "
        f"{number(fit.estimate, 'R²')}."
    )
    tested = result[result["measure"] == "proportional_odds"]
    odd = [plain_name(term) for term in tested.loc[tested["note"] != "", "term"]]
    if tested.empty:
        return f"{told} The test of proportional odds needs all three classes."
    if odd:
        return (
            f"{told} {capital(listed(odd))} {'acts' if len(odd) == 1 else 'act'} differently on promoters and on "
            f"detractors, so that one number for both is too simple."
        )
    return f"{told} No test finds that a driver acts differently on promoters and on detractors."


@sentence
def collinearity(result: pd.DataFrame) -> str:
    """Whether some driver is hard to tell from the others."""
    hard, most = result[result["note"] != ""], result.loc[result["estimate"].idxmax()]
    if hard.empty:
        return (
            f"no driver is hard to tell from the others: the variance of its effect is inflated at most "
            f"{number(most['estimate'], '', 1)} times ({plain_name(most['term'])})."
        )
    each = [f"{plain_name(row.term)} ({number(row.estimate, '', 1)} times)" for row in hard.itertuples()]
    return f"hard to tell from the other drivers, by how much the variance of the effect is inflated: {listed(each)}."


@sentence
def halo(result: pd.DataFrame) -> str:
    """How much of the ratings one common impression tells, and what that means."""
    first = pick(result, "ratings", "first_component")
    return (
        f"one common impression tells {estimate(first)} of what the ratings vary ({first.note}). So far as people "
        f"answer from one mood, a driver takes credit for others, and all effects are too large to be read as causes."
    )


@sentence
def operational_measures(result: pd.DataFrame) -> str:
    """Which ratings go with what was measured in operation."""
    shown = result[result["estimate"].notna()]
    sure = shown[(shown["lower"] > 0) | (shown["upper"] < 0)].sort_values("estimate", key=abs, ascending=False)
    each = [f"{plain_name(row.operational)} with {plain_name(row.term)}, {estimate(row, not i)}"
            for i, row in enumerate(sure.itertuples(index=False))]  # fmt: skip
    if not each:
        return "nothing that was measured in operation goes with a rating by more than noise."
    return f"what was measured in operation goes with what people say (correlations beyond noise): {'; '.join(each)}."


def _ranking(result: pd.DataFrame, where: str) -> str:
    """Groups in order of their shares, and the neighbours that noise could swap."""
    order, apart = _order(result), _differences(result)
    swap = []
    for a, b in itertools.pairwise(order):
        low, high = apart.get((a, b), (math.nan,) * 3)[1:]
        swap += [f"{plain_name(a)} and {plain_name(b)}"] if low <= 0 <= high else []
    told = f"{where} the order is {', '.join(map(plain_name, order))}"
    if not apart:
        return f"{told}."
    return f"{told}; " + (f"noise alone could swap {listed(swap)}." if swap else "noise alone swaps no neighbours.")


def _disagreement(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """Pairs whose order the two scales turn round, and whether that is more than noise."""
    told, score, promoter = [], _differences(one), _differences(other)
    for (a, b), (lead, low, high) in score.items():
        behind, least, most = promoter.get((a, b), (math.nan,) * 3)
        if lead > 0 > behind:
            sure = low > 0 and most < 0
            told.append(
                f"{plain_name(a)} leads {plain_name(b)} by {_span(lead, low, high)} on the score and {plain_name(b)} "
                f"leads by {_span(-behind, -most, -least)} on being a promoter, which is "
                f"{'more' if sure else 'no more'} than noise"
            )
    return f"{'; '.join(told)}." if told else "both scales put them in the same order."


def _differences(result: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Differences of shares with their limits, in both directions."""
    out = {}
    for row in result[result["measure"].eq("difference") & result["estimate"].notna()].itertuples(index=False):
        a, _, b = row.term.partition(" - ")
        out[a, b], out[b, a] = (row.estimate, row.lower, row.upper), (-row.estimate, -row.upper, -row.lower)
    return out


def _order(result: pd.DataFrame) -> list[str]:
    shares = result[result["measure"].eq("share") & ~result["term"].str.contains("/", regex=False)]
    return list(shares.sort_values("estimate", ascending=False, kind="stable")["term"])


def _span(value: float, low: float, high: float) -> str:
    told = [number(100 * part, "", int(abs(high - low) < 0.02)) for part in (value, low, high)]
    return f"{told[0]} percentage points ({told[1]} to {told[2]})"


def _size(row: Any, first: bool) -> str:
    """An effect whatever its sign, with its interval, so exactly that a limit near zero does not read as it."""
    ends = sorted((abs(row.lower), abs(row.upper)))
    told = [number(value, "", 2) for value in (abs(row.estimate), *ends)]
    return f"{told[0]} ({f'{percent(row.level)} interval ' if first else ''}{told[1]} to {told[2]})"


def _odds(row: Mapping[str, Any] | pd.Series) -> tuple[str, str]:
    return number(math.exp(row["lower"]), "", 1), number(math.exp(row["upper"]), "", 1)


def _whether_met(result: pd.DataFrame) -> pd.Series:
    """Rows about having met a touchpoint at all, beside those about its rating."""
    names = set(result["term"])
    return result["term"].map(lambda term: term.endswith(" met") and term.removesuffix(" met") in names)
