"""How answers of a workshop are judged: kind, specific, never raising, and never with the answer in the open."""

from __future__ import annotations

import functools
import hashlib
import html
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .study import ROOT

SEALS = ROOT / "data" / "workshop_choices.toml"
SALT = "cx workshop"  # against a glance at the file, not against an attack
NOTHING = "Nothing here yet: choose above, or put your answer in place of the dots; run that cell, then this."
GREEN, AMBER = "#00664f", "#8a5a00"  # read on white and told apart without colour by their words

Judge = Callable[[Any], str]  # answer -> what to say about it; "" where it is right
Mistakes = Callable[[], Mapping[str, float]]  # what to say -> the number that somebody gets who makes this mistake


@dataclass(frozen=True)
class Exercise:
    """One question of a workshop: how an answer is judged, and what is said of a right one."""

    key: str
    title: str
    judge: Judge
    praise: str


@dataclass(frozen=True)
class Verdict:
    """What a check says; a notebook shows it green or amber."""

    key: str
    right: bool
    message: str

    def __str__(self) -> str:
        return f"{'✔ Right' if self.right else '○ Not yet'} ({self.key}). {self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colour, head = (GREEN, "✔ Right") if self.right else (AMBER, "○ Not yet")
        return (
            f'<div class="cx-check" style="border-left:8px solid {colour};padding:.5em 1em;font-size:1.15em;'
            f'line-height:1.45;max-width:46em"><strong style="color:{colour}">{head}</strong> '
            f"({html.escape(self.key)}). {html.escape(self.message)}</div>"
        )


def judged(exercise: Exercise, answer: object) -> Verdict:
    """The verdict on an answer, whatever it is: a learner's slip must not end in a traceback."""
    try:
        said = NOTHING if is_blank(answer) else exercise.judge(answer)
    except Exception as error:
        said = f"This answer cannot be read ({type(error).__name__}). Look again at the form that is asked for."
    return Verdict(exercise.key, not said, said or exercise.praise)


def is_blank(answer: object) -> bool:
    """Whether nothing has been answered yet: dots, nothing, or only question marks."""
    if isinstance(answer, Mapping):
        return all(is_blank(value) for value in answer.values())
    if isinstance(answer, (list, tuple, set)):
        return all(is_blank(value) for value in answer)
    if isinstance(answer, pd.DataFrame):
        return answer.empty
    return answer is None or answer is ... or (isinstance(answer, str) and not answer.strip(" ?.\n"))


def number_judge(
    right: Callable[[], float], mistakes: Mistakes, share: bool = False, tolerance: float = 0.51, nudge: str = ""
) -> Judge:
    """Judge a number that can be computed from the data.

    Parameters
    ----------
    right, mistakes : computed when asked, so that a group's own data have their own answer
    share : a share, taken as .42 and as 42 alike; the tolerance is then in percentage points
    tolerance : how far off a rounded answer may be
    nudge : what to say about any other number
    """

    def judge(answer: object) -> str:
        given = number_in(answer)
        if given is None:
            return f"One number is asked for, not {_kind(answer)}."
        scale = 100 if share else 1
        points = given * (100 if share and abs(given) <= 1 else 1)
        if abs(points - scale * right()) <= tolerance:
            return ""
        near = {said: abs(points - scale * wrong) for said, wrong in mistakes().items()}
        said = min(near, key=near.__getitem__, default="")
        return said if said and near[said] <= tolerance else nudge or "Not this number yet. Try the first hint."

    return judge


def choice_judge(exercise: str, options: Sequence[str], what: str = "one of the letters") -> Judge:
    """Judge a choice; which one is right, and what the others overlook, lies sealed in data/workshop_choices.toml."""

    def judge(answer: object) -> str:
        given = str(answer).strip(" .()'\"").casefold()
        if given not in options:
            return f"Give {what}: {', '.join(options)}."
        return seals()[exercise].get(seal(exercise, given), "Not this one. Try the first hint.")

    return judge


def seal(exercise: str, answer: object) -> str:
    """What stands for an answer in a file that anyone may open."""
    return hashlib.sha256(f"{SALT}|{exercise}|{answer}".encode()).hexdigest()[:16]


@functools.cache
def seals() -> dict[str, dict[str, str]]:
    """Exercise -> seal of an answer -> what to say about it, "" for the right one."""
    return tomllib.loads(SEALS.read_text(encoding="utf-8"))


def number_in(answer: object) -> float | None:
    """The one number in an answer, written as people write it: 20, "20 %", "0,2", a cell of a table."""
    if isinstance(answer, bool | np.bool_):
        return None
    if hasattr(answer, "to_numpy") or isinstance(answer, np.ndarray | list | tuple):
        values = np.asarray(answer, dtype=object).ravel()
        return number_in(values[0]) if len(values) == 1 else None
    text = str(answer).strip().replace("\N{MINUS SIGN}", "-") if isinstance(answer, str) else answer
    try:
        if isinstance(text, str):
            percent = text.endswith("%")
            value = float(text.rstrip("% ").replace(",", "."))
            # "0.4 %" would otherwise be read as 40 %.
            return value if not percent or abs(value) > 1 else None
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _kind(answer: object) -> str:
    words = {str: "text", dict: "a dictionary", list: "a list", tuple: "a list", bool: "yes or no"}
    return words.get(type(answer), "a table" if hasattr(answer, "columns") else "this")
