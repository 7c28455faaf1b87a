"""How many answers an NPS needs, and which change given answers can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from . import intervals
from .errors import refuse, shortened
from .schema import results

POINTS = 100.0


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
    up), detectable_change (points).

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
    limited = {
        "margin": (margin, 0, POINTS), "change": (change and abs(change), 0, 2 * POINTS),
        "answers": (answers, 1, np.inf), "power": (power, 0, 1), "ratio": (ratio, 0, np.inf),
        "design_effect": (design_effect, 0, np.inf),
    }  # fmt: skip
    refuse(_faults(limited, mix, (margin, change, answers) != (None, None, None)))
    spread = np.sqrt(intervals.moments(*mix)[2] * design_effect)
    z = intervals.quantile(level)
    from statsmodels.stats.power import NormalIndPower  # here, for it takes longer than all else together

    solve = NormalIndPower().solve_power
    test = {"alpha": 1 - level, "power": power, "ratio": ratio}
    found: list[tuple[str, float, str]] = []
    if margin:
        found.append(("answers_for_margin", float(np.ceil((z * POINTS * spread / margin) ** 2)), "answers"))
    if change:
        needed = solve(effect_size=abs(change) / POINTS / spread, **test)
        found.append(("answers_for_change", float(np.ceil(needed)), "answers"))
    if answers:
        found.append(("detectable_change", float(POINTS * spread * solve(nobs1=answers, **test)), "points"))
    shares = "/".join(f"{100 * share:.0f}" for share in mix)
    method = f"normal approximation, power {power:g}, mix {shares}"
    shared = {"term": "nps", "level": level, "n": answers or 0, "method": method, "note": ""}
    return results({**shared, "measure": measure, "estimate": value, "unit": unit} for measure, value, unit in found)


def _faults(
    limited: Mapping[str, tuple[float | None, float, float]], mix: Sequence[float], asked: bool
) -> Iterable[str]:
    """Values outside their ranges, shares that are none, and nothing asked for."""
    if not asked:
        yield "give at least one of margin (points), change (points) and answers"
    for name, (value, low, high) in limited.items():
        if value is not None and not low < value < high:
            yield f"{name} must lie between {low:g} and {high:g}, not {shortened(value)}"
    if len(mix) != 3 or min(mix) < 0 or abs(sum(mix) - 1) > 1e-6:
        yield f"mix must be three shares that add to 1, detractors, passives, promoters, not {shortened(mix)}"
