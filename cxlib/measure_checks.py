"""Checks of the second workshop notebook: five measures from twenty rows, an interval, and great service in vain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .lessons import tolerant, twenty
from .marking import Exercise, choice_judge, number_in, number_judge, seal, seals

MEASURES = ("NPS", "CSAT", "CES", "response", "resolution")
TARGET = 24.0  # hours promised


def _scores() -> pd.Series:
    return twenty()["recommend"].dropna()


def _parts(promoters_from: int = 9, passives_from: int = 7) -> tuple[int, int, int]:
    """Promoters, passives and detractors, by the definition or another."""
    score = _scores()
    top, low = int((score >= promoters_from).sum()), int((score < passives_from).sum())
    return top, len(score) - top - low, low


def _nps(promoters_from: int = 9, passives_from: int = 7, extra: float = 0) -> float:
    """The NPS in points; `extra` counts the passives once more (1) or not at all (-1) in the denominator."""
    top, middle, low = _parts(promoters_from, passives_from)
    return 100 * (top - low) / (top + middle + low + extra * middle)


def _nps_mistakes() -> Mapping[str, float]:
    top, _, low = _parts()
    return {
        "Your denominator counts passives twice: it is everyone who answered, once.": _nps(extra=1),
        "Your denominator leaves the passives out. They answered too, so they belong in it.": _nps(extra=-1),
        "That is a share; NPS is told in points: times 100.": _nps() / 100,
        "That is a number of people: divide by how many answered, then times 100.": top - low,
        "That is the share of promoters alone. Somebody has to be taken off.": 100 * top / len(_scores()),
        "The two are swapped: promoters less detractors, not the other way round.": -_nps(),
        "An 8 is not yet a promoter: passives are 7 and 8.": _nps(promoters_from=8),
        "A 6 is a detractor still: passives are 7 and 8.": _nps(passives_from=6),
        "That is the mean of the scores. NPS counts people in three groups.": float(_scores().mean()),
        "That is the mean of the scores, times ten. NPS counts people in three groups.": 10 * float(_scores().mean()),
    }


def _csat(top: int = 4, of: float | None = None) -> float:
    given = twenty()["satisfaction"].dropna()
    return float((given >= top).sum() / (of or len(given)))


def _csat_mistakes() -> Mapping[str, float]:
    given = twenty()["satisfaction"]
    return {
        "Two customers left this question out: only those who answered belong below the line.": _csat(of=len(given)),
        "That counts the fives only; CSAT takes the top two boxes, 4 and 5.": _csat(top=5),
        "A 3 is the middle, not satisfied: CSAT takes 4 and 5.": _csat(top=3),
        "That is the mean. It is a fair summary, but CSAT is the share of the top two boxes.": float(given.mean())
        / 100,
        "That is how many are satisfied: of how many who answered?": float((given >= 4).sum()) / 100,
    }


def _effort() -> pd.Series:
    return twenty()["effort"].dropna()


def _ces_mistakes() -> Mapping[str, float]:
    given = _effort()
    easy, hard = float((given >= 6).mean()), float((given <= 3).mean())
    return {
        "Empty is not zero: leave out who did not answer.": float(twenty()["effort"].fillna(0).mean()),
        "The scale runs the other way here: 7 is easy.": 8 - float(given.mean()),
        "That is the share of 5 to 7, another convention of the same score. Here the mean is asked for.":
            float((given >= 5).mean()),
        "That is the share of 5 to 7 in per cent, another convention. Here the mean is asked for.":
            100 * float((given >= 5).mean()),
        "That is the net share, another convention of the same score. Here the mean is asked for.": 100 * (easy - hard),
    }  # fmt: skip


def _contacts() -> pd.DataFrame:
    found = twenty()
    return found[found["support"].notna()]


def _response(empty: float = np.inf) -> float:
    return float(np.median(_contacts()["response_hours"].fillna(empty)))


def _response_mistakes() -> Mapping[str, float]:
    hours = _contacts()["response_hours"]
    return {
        "That leaves out who is still waiting. They have waited longest: put them at the end of the line.":
            float(hours.median()),
        "That is the mean of those answered: one long wait pulls it up, and who still waits is not in it.":
            float(hours.mean()),
        "No answer yet is not an answer at once: put them at the end of the line, not at its beginning.":
            _response(0.0),
        "That is the longest wait of those answered. The median is the one in the middle.": float(hours.max()),
    }  # fmt: skip


def _kept(of: float | None = None, strictly: bool = False) -> float:
    hours = _contacts()["resolution_hours"]
    return float((hours < TARGET if strictly else hours <= TARGET).sum() / (of or len(hours)))


def _resolution_mistakes() -> Mapping[str, float]:
    hours, everyone = _contacts()["resolution_hours"], len(twenty())
    return {
        "That leaves out the tickets still open. They have broken the promise already.": _kept(of=hours.count()),
        "Not everyone contacted support: only those who did can have been kept waiting.": _kept(of=everyone),
        "24 hours sharp is within 24 hours.": _kept(strictly=True),
        "24 hours sharp is within 24 hours; and the open tickets count too.": _kept(hours.count(), True),
        "That is the share resolved at all, however late.": float(hours.notna().mean()),
    }


def _measures_judge(answer: object) -> str:
    """Judge five measures named for five questions, in order."""
    words = answer.replace(",", " ").split() if isinstance(answer, str) else list(answer)  # type: ignore[call-overload]
    if len(words) != len(MEASURES):
        return f"Five questions, five measures: {', '.join(MEASURES)}. There are {len(words)} in your list."
    known = {name.casefold(): name for name in MEASURES}
    said = [known.get(str(word).strip().casefold(), "") for word in words]
    if "" in said:
        return f"'{words[said.index('')]}' is not among them: {', '.join(MEASURES)}."
    told = [seals()["2.7"].get(seal("2.7", f"{place}:{name}"), "") for place, name in enumerate(said, start=1)]
    wrong = [message for message in told if message != "right"]
    if not wrong:
        return ""
    if len(set(said)) < len(MEASURES):
        twice = next(name for name in said if said.count(name) > 1)
        return f"{twice} stands there {said.count(twice)} times; each of the five is used once."
    return f"{next(filter(None, wrong), 'Ask of each: who is asked, about what?')} ({len(told) - len(wrong)} of 5 fit.)"


def _lacking(lowest: float = 5, highest: float = 6) -> set[int]:
    found = twenty()
    return set(found.index[(found["support"] >= lowest) & (found["recommend"] <= highest)])


def _gap_judge(answer: Any) -> str:
    """Judge the customers with excellent service and a poor experience."""
    one = number_in(answer)
    numbers = {one} if one is not None else {float(value) for value in answer}
    found, right = twenty(), _lacking()
    if numbers == right:
        return ""
    if numbers - set(found.index):
        return "Give the numbers of customers, from the first column."
    said: Any = found.loc[[int(number) for number in sorted(numbers)]]
    if said["support"].isna().any():
        return "Someone in your list never contacted support, so there was no service to be excellent."
    if ((said["recommend"] >= 9) & (said["support"] <= 2)).any():
        return "That is the reverse: poor service, and a promoter all the same. Also worth a thought, but not asked."
    if (said["recommend"] >= 7).any():
        return "Someone in your list is a passive: not a poor experience yet. Take detractors."
    if (said["support"] < 5).any():
        return "Someone in your list rated support below 5: take excellent service only."
    return f"True, and not all: there {'is one' if len(right - numbers) == 1 else 'are'} more."


EXERCISES = (
    Exercise("2.1", "NPS by hand", number_judge(tolerant(_nps), _nps_mistakes, nudge=
        "Not this number yet. Count three groups, subtract two of them, divide by everyone who answered."),
        "Promoters less detractors, over everyone who answered, in points."),
    Exercise("2.2", "CSAT by hand", number_judge(tolerant(_csat), _csat_mistakes, share=True, nudge=
        "Not this share yet. How many 4s and 5s, of how many who answered?"),
        "The top two boxes, of those who answered this question."),
    Exercise("2.3", "CES by hand", number_judge(lambda: float(_effort().mean()), _ces_mistakes, tolerance=0.06, nudge=
        "Not this mean yet. Add up what was answered, and divide by how many answered."),
        "The mean of those who answered. Always say which convention: three are in use."),
    Exercise("2.4", "Time to the first answer", number_judge(_response, _response_mistakes, tolerance=0.06, nudge=
        "Not this one yet. Line all contacts up by their wait and take the one in the middle."),
        "Half of those who asked had an answer by then, and who still waits is counted."),
    Exercise("2.5", "The promise of 24 hours", number_judge(_kept, _resolution_mistakes, share=True, nudge=
        "Not this share yet. Of all contacts, how many were resolved after 24 hours at most?"),
        "Open tickets older than the promise have broken it: they are in the denominator."),
    Exercise("2.6", "What an interval says", choice_judge("2.6", "abcd"),
             "It says how far the twenty may be off, if they are a fair sample; nothing about single customers."),
    Exercise("2.7", "Which measure answers which question", _measures_judge,
             "One question, one measure: no score answers all five."),
    Exercise("2.8", "Great service, poor experience", _gap_judge,
             "Service did all it could. What made these customers detractors lies elsewhere in the experience."),
)  # fmt: skip
