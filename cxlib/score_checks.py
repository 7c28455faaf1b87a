"""Checks of the fourth workshop notebook: correlation and importance, halo, the unmet, penalties, what pays, a memo."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from . import lessons
from .errors import nearest, shortened
from .marking import Exercise, choice_judge, number_judge
from .wording import Sentence, listed, number, percent, plain_name

MOST_BUDGET = 1000  # thousands
SURE, UNSURE = "sure", "unsure"


def name_judge(
    right: Callable[[], str], mistakes: Callable[[], Iterable[tuple[str, str]]], options: Callable[[], Iterable[str]]
) -> Callable[[object], str]:
    """Judge the name of a touchpoint that can be found in the data; mistakes are pairs of a name and what to say."""

    def judge(answer: object) -> str:
        if not isinstance(answer, str):
            return "The name of one touchpoint is asked for, in quotes."
        names = list(options())
        given = answer.strip().replace(" ", "_").casefold()
        if given not in names:
            return f"No touchpoint is called '{shortened(answer)}'; did you mean '{nearest(given, names) or names[0]}'?"
        if given == right():
            return ""
        return next(
            (said for name, said in mistakes() if name == given), "Not this one. Compare the columns row by row."
        )

    return judge


def _top(column: pd.Series, largest: bool = True) -> str:
    return str(column.idxmax() if largest else column.idxmin())


def _ranks() -> pd.DataFrame:
    return lessons.importance()


def _overrated() -> str:
    """The touchpoint that falls most places from its correlation to its share."""
    ranks = _ranks().rank(ascending=False)
    return _top(ranks["share"] - ranks["correlation"])


def _overrated_mistakes() -> Iterable[tuple[str, str]]:
    table = _ranks()
    ranks = table.rank(ascending=False)
    yield _top(table["share"]), "That one is high in both columns: a good place to work, but no surprise."
    yield (
        _top(table["correlation"]),
        "The highest correlation, and a large share as well. Look for high here, low there.",
    )
    yield _top(table["correlation"], False), "Low in both columns. Look for one that is high here and low there."
    yield (
        _top(ranks["correlation"] - ranks["share"]),
        "The other way round: its share ranks higher than its correlation.",
    )
    for name in table.index[(ranks["share"] - ranks["correlation"]) >= 0]:
        yield str(name), "It falls a little. Another falls further: compare the two rankings row by row."


def _complete() -> float:
    """Answers in which every touchpoint was rated."""
    rows = lessons.rated()
    return float(rows.drop(columns="recommend").notna().all(axis=1).sum())


def _complete_mistakes() -> dict[str, float]:
    rows = lessons.rated()
    gaps = rows.drop(columns="recommend").isna().sum()
    return {
        "That is all answers. Nobody in it has met everything.": float(len(rows)),
        "That is how many rated support. The rows have to be complete in every touchpoint.":
            float(rows["contact_support"].notna().sum()),
        "That is how many rated the rarest touchpoint. Have they met all the others too?":
            float(rows.notna().sum().min()),
        "That is how many cells are empty, not how many rows are full.": float(gaps.sum()),
    }  # fmt: skip


def _penalties() -> pd.DataFrame:
    found = lessons.penalties()
    return found[found["term"] != "model"].pivot(index="term", columns="measure", values="estimate")


def _hygiene() -> str:
    return _top(_penalties()["asymmetry"])


def _hygiene_mistakes() -> Iterable[tuple[str, str]]:
    table = _penalties()
    yield (
        _top(table["penalty"], False),
        "A low rating costs most there; a high one gains nearly as much. Look at the difference.",
    )
    yield _top(table["reward"]), "High ratings gain most there. Look for where they gain little and low ones cost much."
    yield (
        _top(table["asymmetry"], False),
        "There high ratings gain as much as low ones cost, or more. Look for the contrary.",
    )
    for name in table.index[table["asymmetry"] > 0]:
        yield str(name), "Low ratings cost more there too, by a smaller margin. Another one is further apart."


def _pays() -> str:
    """Most points for the money, among offers whose interval lies above none."""
    table = lessons.offers()
    sure = table[table["lower"] > 0]
    return _top(sure["gain"] / sure["cost"])


def _pays_mistakes() -> Iterable[tuple[str, str]]:
    table, shares = lessons.offers(), lessons.importance()["share"].reindex(lessons.offers().index)
    yield _top(table["gain"]), "The most points, and the most expensive. How many points does a thousand buy?"
    yield _top(table["cost"], False), "The cheapest, but its interval holds 0: perhaps nothing comes of it."
    yield _top(shares), "The largest share of the score, but there is little left to lift: few rate it low."
    for name in table.index[table["lower"] <= 0]:
        yield str(name), "Its interval holds 0: perhaps nothing comes of it."
    for name in table.index:
        yield str(name), "It may be worth it, but another buys more points for the same money: gain / cost."


def memo(touchpoint: object = ..., budget: object = ..., evidence: object = ...) -> Sentence:
    """A decision in three sentences, computed from the learner's own choices; it says which of them are missing.

    Parameters
    ----------
    touchpoint : name of an offer
    budget : thousands a year
    evidence : "sure" or "unsure", whether the interval of the gain lies above 0
    """
    faults = memo_faults((touchpoint, budget, evidence))
    if faults:
        return Sentence(f"The memo is not complete yet. {faults}")
    table = lessons.offers()
    row: Any = table.loc[str(touchpoint)]
    spent = float(budget)  # type: ignore[arg-type]
    word = plain_name(touchpoint)
    rest = spent - row["cost"]
    share = lessons.importance()["share"][str(touchpoint)]
    sure = "does not hold 0, so we act" if evidence == SURE else "holds 0, so we try it in one region first and measure"
    gain, low, high = (number(row[name], digits=1) for name in ("gain", "lower", "upper"))
    return Sentence(
        f"We spend {number(row['cost'])} of {number(spent)} thousand a year on {word}, so that its lowest ratings "
        f"rise by a point{f', and keep {number(rest)} in hand' if rest else ''}. "
        f"With that go {gain} NPS points more (95% interval {low} to {high}), "
        f"{number(1000 * row['gain'] / row['cost'])} for each million; {word} accounts for {percent(share)} of what "
        f"the ratings explain of the score. "
        f"The interval {sure}; these ratings come from one survey and share its mood, so we read the gain as the most "
        f"there is, and look again after two quarters."
    )


def memo_faults(choices: tuple[object, object, object]) -> str:
    """What is missing in the choices of a memo, or does not fit the data."""
    touchpoint, budget, evidence = choices
    table = lessons.offers()
    missing = [name for name, value in zip(("touchpoint", "budget", "evidence"), choices, strict=True)
               if value is ... or value is None or (isinstance(value, str) and not value)]  # fmt: skip
    if missing:
        return f"Still to be chosen: {listed(missing)}."
    if not isinstance(touchpoint, str) or touchpoint not in table.index:
        close = nearest(str(touchpoint), table.index) or table.index[0]
        return f"'{shortened(touchpoint)}' is not on offer; did you mean '{close}'?"
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget <= MOST_BUDGET:
        return f"The budget is a number of thousands, up to {MOST_BUDGET}."
    row = table.loc[touchpoint]
    if budget < row["cost"]:
        return f"{plain_name(touchpoint)} costs {number(row['cost'])} thousand: more than the budget."
    if not isinstance(evidence, str) or evidence not in (SURE, UNSURE):
        return f"The evidence is '{SURE}' or '{UNSURE}'."
    if (evidence == SURE) != (row["lower"] > 0):
        return ("You call it sure, but its interval holds 0." if evidence == SURE else
                "You call it unsure, but its interval lies above 0.")  # fmt: skip
    return ""


def _memo_judge(answer: object) -> str:
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return "Check the three choices together: (touchpoint, budget, evidence)."
    return memo_faults(tuple(answer))


EXERCISES = (
    Exercise("4.1", "High correlation, small share",
             name_judge(_overrated, _overrated_mistakes, lambda: _ranks().index),
             "It matters much to the few who meet it, and over all customers hardly at all: both are true."),
    Exercise("4.2", "What halo does", choice_judge("4.2", "abcd"),
             "One mood colours all ratings of an answer: a correlation alone is no reason to spend money."),
    Exercise("4.3", "Rows without a gap", number_judge(_complete, _complete_mistakes, tolerance=0.4, nudge=
        "Not this number. rated.dropna() keeps the rows without a gap."),
        "Who drops every answer with a gap has nobody left: a touchpoint not met is an answer of its own."),
    Exercise("4.4", "Where low costs more than high gains",
             name_judge(_hygiene, _hygiene_mistakes, lambda: _penalties().index),
             "Nobody praises it when it works. It has to work."),
    Exercise("4.5", "A what-if that pays", name_judge(_pays, _pays_mistakes, lambda: lessons.offers().index),
             "Points for the money, and an interval above 0: not the biggest effect, but the best buy."),
    Exercise("4.6", "A decision in three sentences", _memo_judge,
             "What we do, what goes with it and how sure that is, and what would change our mind."),
)  # fmt: skip
