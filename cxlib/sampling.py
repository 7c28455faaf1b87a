"""What an interval means, shown by drawing the same sample again and again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .errors import CxError, refuse, shortened
from .intervals import quantile, tango
from .schema import results
from .scores import classes

MADE_UP = (0.2, 0.3, 0.5)  # detractors, passives, promoters, where a study has no scores of its own
HOLDS, MISSES, EVERYONE = "holds it", "misses it", "everyone"


def repeated_samples(
    counts: pd.Series | None = None,
    top: int = 10,
    samples: int = 100,
    size: int = 100,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """The NPS of many samples drawn from the same customers, and which of their intervals hold that of all of them.

    Parameters
    ----------
    counts : answers (or their weights) by score; None = a made-up company with 20 % detractors and 50 % promoters
    top : highest score of the scale, which has 10 or 11 points
    samples : how many samples to draw, 1 to 10,000
    size : answers in each sample, 1 or more
    level : confidence of the intervals, between 0 and 1
    seed : of the drawing

    Returns
    -------
    Result columns, first the column sample (text); term and measure "nps", unit points: a row a sample, note "holds
    it" or "misses it"; last the row of "everyone", without an interval.

    Raises
    ------
    CxError : no answers, or counts that are none; samples, size, top or seed outside their range.

    Notes
    -----
    Drawn with replacement, so that a sample of any size is one of a large company alike in its answers. Tango's
    intervals. Checked: the share that holds is the level, for several mixes.

    Source: Neyman (1937); Tango (1998).

    >>> drawn = repeated_samples(samples=20)
    >>> drawn["note"].value_counts().to_dict()
    {'holds it': 19, 'misses it': 1, '': 1}
    """
    quantile(level)
    whole = (("samples", samples, 1, 10_000), ("size", size, 1, 10**6), ("top", top, 4, 1000), ("seed", seed, 0, 2**63))
    refuse(
        f"{name} must be a whole number from {least} to {most:,}, not {shortened(value)}"
        for name, value, least, most in whole
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most
    )
    mix = np.array(MADE_UP) if counts is None else _mix(counts, top)
    drawn = np.random.default_rng(seed).multinomial(size, mix, samples)
    lower, upper = tango(drawn[:, 0], drawn[:, 1], drawn[:, 2], level)
    truth, found = float(mix[2] - mix[0]), (drawn[:, 2] - drawn[:, 0]) / size
    common = {"term": "nps", "measure": "nps", "unit": "points", "level": level, "method": "Tango score"}
    rows = [{**common, "sample": str(i + 1), "estimate": 100 * found[i], "lower": 100 * lower[i],
             "upper": 100 * upper[i], "n": size, "note": HOLDS if lower[i] <= truth <= upper[i] else MISSES}
            for i in range(samples)]  # fmt: skip
    everyone = {**common, "sample": EVERYONE, "estimate": 100 * truth, "method": "drawn from", "n": samples * size}
    return results([*rows, everyone], ["sample"])


def _mix(counts: pd.Series, top: int) -> np.ndarray:
    """Shares of detractors, passives and promoters."""
    try:
        weight, score = (pd.Series(values).astype(float) for values in (counts.to_numpy(), counts.index.to_numpy()))
    except (AttributeError, TypeError, ValueError):
        raise CxError(
            f"counts must be numbers by score, such as pd.Series({{9: 30, 3: 10}}), not {shortened(counts)}"
        ) from None
    if not (np.isfinite(weight) & weight.ge(0) & score.notna()).all():
        raise CxError(f"counts must be numbers of answers, none below 0, by score, not {shortened(counts.to_dict())}")
    if not 0 < weight.sum() < np.inf:
        raise CxError("counts must hold at least one answer, by score; they hold none")
    kind = classes(score, top).to_numpy()
    return np.array([weight[kind == one].sum() for one in (-1, 0, 1)]) / weight.sum()
