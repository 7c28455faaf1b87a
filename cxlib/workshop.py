"""The workshop's public face, as `cx.workshop`: checks of answers, progress, scenes and small data, widgets."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from . import leaving_checks, measure_checks, scene_checks, score_checks
from .boards import live, sort_scenes
from .classroom import disputed, halo_world, headline, samples, save, vote, votes, world
from .errors import nearest, shortened
from .lessons import (
    as_of,
    attrition,
    gains,
    importance,
    leavers,
    offers,
    penalties,
    rated,
    reasons,
    scenes,
    tickets,
    twenty,
)
from .marking import AMBER, GREEN, Verdict, judged
from .preflight import preflight
from .scene_checks import touchpoints
from .score_checks import memo
from .workshop_figures import journey_figure, two_views, votes_figure
from .workshop_findings import two_views as told

__all__ = [
    "Verdict", "as_of", "attrition", "check", "disputed", "gains", "halo_world", "headline", "importance",
    "journey_figure", "leavers", "live", "memo", "offers", "penalties", "preflight", "progress", "rated", "reasons",
    "samples", "save", "scenes", "sort_scenes", "tickets", "told", "touchpoints", "twenty", "two_views", "vote",
    "votes", "votes_figure", "world",
]  # fmt: skip

EXERCISES = {
    exercise.key: exercise
    for module in (scene_checks, measure_checks, leaving_checks, score_checks)
    for exercise in module.EXERCISES
}
_verdicts: dict[str, Verdict] = {}  # the last one of each exercise, in this kernel


def check(exercise: str, answer: object = ...) -> Verdict:
    """Judge an answer: right, or what it overlooks. It never raises and never gives the answer away.

    Parameters
    ----------
    exercise : its number, such as "2.1"
    answer : whatever the learner has; dots or nothing is "not yet"

    Examples
    --------
    >>> check("2.1", ...)
    ○ Not yet (2.1). Nothing here yet: choose above, or put your answer in place of the dots; run that cell, then this.
    >>> check("2.1", "20 %").right, check("2.1", 4).message
    (True, 'That is a number of people: divide by how many answered, then times 100.')
    """
    key = str(exercise).strip()
    if key not in EXERCISES:
        close = nearest(key, EXERCISES) or next(iter(EXERCISES))
        return Verdict(shortened(key), False, f"No exercise is called '{shortened(key)}'; did you mean '{close}'?")
    _verdicts[key] = judged(EXERCISES[key], answer)
    return _verdicts[key]


@dataclass(frozen=True)
class Progress:
    """What is done and what is not yet, of one notebook."""

    done: tuple[str, ...]
    open: tuple[str, ...]

    def __str__(self) -> str:
        count = f"{len(self.done)} of {len(self.done) + len(self.open)} exercises done."
        titles = "; ".join(f"{key} {EXERCISES[key].title}" for key in self.open)
        return f"{count} Not yet: {titles}." if self.open else f"{count} Well done."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = sorted([*((key, "✔", GREEN) for key in self.done), *((key, "○", AMBER) for key in self.open)])
        listed = "".join(
            f'<li style="color:{colour}">{sign} {key} {escape(EXERCISES[key].title)}</li>' for key, sign, colour in rows
        )
        head = str(self).partition(" Not yet")[0]
        return f'<div style="font-size:1.1em"><strong>{head}</strong><ul style="list-style:none">{listed}</ul></div>'


def progress(notebook: int) -> Progress:
    """How far one is in a notebook, 1 to 4; what has not been checked since the kernel started is not yet."""
    own = [key for key in EXERCISES if key.startswith(f"{notebook}.")]
    right = {key for key in own if key in _verdicts and _verdicts[key].right}
    return Progress(tuple(key for key in own if key in right), tuple(key for key in own if key not in right))
