"""Proportional-odds logit, and what freeing one driver from proportional odds gains (arrays in, numbers out).

statsmodels' OrderedModel gives the same numbers to five digits, but takes its gradient by differences, a hundred times
slower, and has no model in which one driver is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .errors import CxError
from .logistic import expit

MOST_STEPS = 60
PERFECT = -1e-6  # log-likelihood above which every answer is foretold


@dataclass(frozen=True)
class OrdinalFit:
    """P(answer <= class j) = expit(threshold j - x beta); the errors are of beta, then of the thresholds."""

    beta: np.ndarray
    thresholds: np.ndarray
    std_error: np.ndarray
    log_likelihood: float
    null: float  # log-likelihood without drivers


def proportional_odds(x: np.ndarray, classes: np.ndarray) -> OrdinalFit:
    """Maximum likelihood; `classes` are 0, 1, ... without a gap, x (rows, columns) has no constant and varies."""
    cuts, (mean, spread) = int(classes.max()), _origin(x)
    z = (x - mean) / spread
    params, value, information = _newton(_start(z, classes), *_designs(z, classes, ()))
    if value > PERFECT:
        raise _no_best_fit()
    # Back from standardised columns: thresholds move with the means, effects with the spreads.
    back = np.diag(np.concatenate([np.ones(cuts), 1 / spread]))
    back[:cuts, cuts:] = -mean / spread
    params, errors = back @ params, np.sqrt(np.diag(back @ _solved(information, back.T)))
    shares = np.bincount(classes) / len(classes)
    null = len(classes) * float((shares * np.log(shares)).sum())
    return OrdinalFit(-params[cuts:], params[:cuts], np.concatenate([errors[cuts:], errors[:cuts]]), value, null)


def freed(x: np.ndarray, classes: np.ndarray, fit: OrdinalFit, columns: Sequence[int]) -> float:
    """Log-likelihood where the effects of some columns may differ from threshold to threshold."""
    mean, spread = _origin(x)
    more = len(columns) * (len(fit.thresholds) - 1)
    start = np.concatenate([fit.thresholds - mean @ fit.beta, -fit.beta * spread, np.zeros(more)])
    return _newton(start, *_designs((x - mean) / spread, classes, columns))[1]


def _origin(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and spreads, so that Newton's method does not depend on the columns' units."""
    return x.mean(axis=0), x.std(axis=0)


def _start(x: np.ndarray, classes: np.ndarray) -> np.ndarray:
    below = np.cumsum(np.bincount(classes))[:-1] / len(classes)
    return np.concatenate([np.log(below / (1 - below)), np.zeros(x.shape[1])])


def _designs(
    x: np.ndarray, classes: np.ndarray, free: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Design of the threshold above each answer and of the one below it, and whether there is one."""
    cuts = int(classes.max())
    both = []
    for cut in (classes, classes - 1):
        at = (cut[:, None] == np.arange(cuts)).astype(float)
        apart = [at[:, 1:] * x[:, [c]] for c in free]
        both.append(np.column_stack([at, x, *apart]))
    return both[0], both[1], classes < cuts, classes > 0


def _newton(
    params: np.ndarray, above: np.ndarray, below: np.ndarray, has_above: np.ndarray, has_below: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray]:
    """Estimate, log-likelihood and information; steps are halved until they gain."""

    def chances(params: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        up = np.where(has_above, expit(above @ params), 1.0)
        down = np.where(has_below, expit(below @ params), 0.0)
        return up, down, up - down

    def value(params: np.ndarray) -> float:
        chance = chances(params)[2]
        return float(np.log(chance).sum()) if chance.min() > 0 else -np.inf

    now = value(params)
    for _ in range(MOST_STEPS):
        up, down, chance = chances(params)
        slopes = [p * (1 - p) / chance for p in (up, down)]
        gradient = above * slopes[0][:, None] - below * slopes[1][:, None]
        bends = [slope * (1 - 2 * p) for slope, p in zip(slopes, (up, down), strict=True)]
        information = (
            gradient.T @ gradient - above.T @ (above * bends[0][:, None]) + below.T @ (below * bends[1][:, None])
        )
        step = _solved(information, gradient.sum(axis=0))
        gain = float(gradient.sum(axis=0) @ step)
        while (ahead := value(params + step)) < now and gain > 1e-9:
            step, gain = step / 2, gain / 2
        if gain <= 1e-9:
            break
        params, now = params + step, ahead
    return params, now, information


def _solved(information: np.ndarray, right: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(information, right)
    except np.linalg.LinAlgError:
        raise _no_best_fit() from None


def _no_best_fit() -> CxError:
    return CxError("the ordinal model must have a best fit, it has none: the drivers tell answers apart without a "
                   "fault; leave a driver out, or wait for more answers")  # fmt: skip
