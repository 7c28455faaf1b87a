"""How many answers an NPS needs, and which change given answers can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from . import intervals
from .errors import refuse, shortened
from .schema import TOO_FEW, results

POINTS = 100.0
BY_CHANCE, ALIKE = "power not above 1 - level", "all answers alike"


def nps_sample_size(
    margin: float | None = None,
    change: float | None = None,
    answers: int | None = None,
    mix: tuple[float, float, float] = (0.2, 0.3, 0.5),
    level: float = 0.95,
    power: float = 0.8,
    ratio: float = 1.0,
    design_effect: float = 1.0,
) -> pd.DataFrame:
    """Answers needed for a margin or to detect a change between two waves, or the change that answers can detect.

    Parameters
    ----------
    margin : half width of the interval of one wave, in points
    change : true change to detect between two waves of different people, in points
    answers : answers of the first wave, for the smallest change they detect; give at least one of these three
    mix : expected shares of detractors, passives and promoters; they decide the variance
    level, power : confidence of the interval or test; chance to detect the change; both between 0 and 1
    ratio : answers of the second wave to one of the first
    design_effect : variance against a simple random sample, 1 or more (see `design_effect`)

    Returns
    -------
    Result columns, term "nps"; measures answers_for_margin and answers_for_change (answers of the first wave, rounded
    up), detectable_change (points). Not a number, and why in the note, where no change could be seen: it would have to
    be more than 200 points, all answers are alike, or the test has that power where nothing changes, 1 - level.

    Raises
    ------
    CxError : none of margin, change and answers; a value outside its range; shares that do not add to 1.

    Notes
    -----
    Normal approximation with the variance p + d - s² of the mix in both waves; power by statsmodels. Checked against
    simulated waves.

    Source: Cohen (1988).

    >>> nps_sample_size(margin=5, change=10)["estimate"].tolist()
    [938.0, 958.0]
    """
    z, level = intervals.quantile(level), float(level)
    limited = {
        "margin": (margin, 0.001, POINTS), "change": (_size(change), 0.001, 2 * POINTS),
        "answers": (answers, 1, 1e12), "power": (power, 0, 1), "ratio": (ratio, 1e-6, 1e6),
        "design_effect": (design_effect, 0.001, 1000),
    }  # fmt: skip
    refuse(_faults(limited, mix))
    spread = np.sqrt(_variance(mix) * design_effect)
    shift = _shift(level, power) * np.sqrt((1 + 1 / ratio) / 2)
    found: list[tuple[str, float, str, str]] = []
    if margin:
        found.append(("answers_for_margin", float(np.ceil((z * POINTS * spread / margin) ** 2)), "answers", ""))
    if change:
        needed = float(np.ceil((shift * POINTS * spread / change) ** 2))
        found.append(("answers_for_change", needed, "answers", "" if np.isfinite(needed) else BY_CHANCE))
    if answers:
        seen = float(shift * POINTS * spread / np.sqrt(answers))
        note = BY_CHANCE if np.isnan(seen) else ALIKE if not seen else "" if seen < 2 * POINTS else TOO_FEW
        found.append(("detectable_change", np.nan if note else seen, "points", note))
    shares = "/".join(f"{100 * share:.0f}" for share in mix)
    method = f"normal approximation, power {power:g}, mix {shares}"
    shared = {"term": "nps", "level": level, "n": answers or 0, "method": method}
    return results(
        {**shared, "measure": name, "estimate": value, "unit": unit, "note": note} for name, value, unit, note in found
    )


def _shift(level: float, power: float) -> float:
    """The shift, in errors of one answer, that one answer in each of two waves would show; all else only scales it."""
    if power <= 1 - level:
        return np.nan
    from statsmodels.stats.power import NormalIndPower  # here, for it takes longer than all else together

    return float(NormalIndPower().solve_power(nobs1=1, alpha=1 - level, power=power))


def _variance(mix: Sequence[float]) -> float:
    """Of one answer; rounding may leave less than nothing."""
    return max(float(intervals.moments(*np.asarray(mix, dtype=float))[2]), 0.0)


def _size(change: object) -> object:
    return abs(change) if isinstance(change, float | int | np.number) else change


def _faults(limited: Mapping[str, tuple[object, float, float]], mix: Sequence[float]) -> Iterable[str]:
    """Values outside their ranges, shares that are none, and nothing asked for."""
    margin, change, answers = (limited[name][0] for name in ("margin", "change", "answers"))
    if margin is None and change is None and answers is None:
        yield "give at least one of margin (points), change (points) and answers"
    for name, (value, low, high) in limited.items():
        left_out = value is None and name in ("margin", "change", "answers")
        if not left_out and not _between(value, low, high):
            yield f"{name} must lie between {low:g} and {high:g}, not {shortened(value)}"
    if not _adds_up(mix):
        yield f"mix must be three shares that add to 1, detractors, passives, promoters, not {shortened(mix)}"
    elif not _variance(mix) and not (margin is None and change is None):
        yield f"mix must hold more than one kind of answer, not {shortened(mix)}: no number of answers follows from it"


def _between(value: object, low: float, high: float) -> bool:
    return isinstance(value, float | int | np.number) and not isinstance(value, bool) and bool(low < value < high)


def _adds_up(mix: object) -> bool:
    """Whether these are three shares of a whole."""
    try:
        shares = np.asarray(mix, dtype=float)
    except (TypeError, ValueError):
        return False
    return shares.shape == (3,) and bool((shares >= 0).all()) and abs(shares.sum() - 1) <= 1e-6
