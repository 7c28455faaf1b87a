"""Binomial logit on cells: many replicates at once, from the estimate on the full data (arrays in, arrays out).

The likelihood depends on the data only through the cells' counts, so the fit equals the fit on the rows.
"""

from __future__ import annotations

import numpy as np
from scipy import special

MOST_STEPS = 60
LARGEST_STEP = 4.0  # in logits, so that a first Newton step cannot overshoot


def expit(eta: np.ndarray) -> np.ndarray:
    """Probability of a logit, without overflow."""
    return special.expit(eta)


def fit(design: np.ndarray, n: np.ndarray, events: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Maximum likelihood coefficients of every replicate by Newton's method.

    Parameters
    ----------
    design : (cells, parameters)
    n, events : (replicates, cells), trials and successes of each cell
    start : (parameters,), by default the logit of the overall share with no effects

    Returns
    -------
    (replicates, parameters). Where the likelihood has no maximum (separation) the coefficients stop where the
    fitted probabilities no longer change: the risks are then right, the coefficients are only large.
    """
    scale = np.maximum(np.abs(design).max(axis=0), 1e-300)
    x = design / scale
    outer = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    beta = _start(x, n, events) if start is None else np.tile(start * scale, (len(n), 1))
    total = np.maximum(n.sum(axis=1), 1e-300)
    open_ = np.arange(len(n))
    for _ in range(MOST_STEPS):
        step, decrement = _newton_step(x, outer, n[open_], events[open_], beta[open_])
        reach = np.abs(step @ x.T).max(axis=1, keepdims=True)
        beta[open_] += step * np.minimum(1.0, LARGEST_STEP / np.maximum(reach, 1e-300))
        # The decrement is twice the likelihood still to be gained: at 1e-20 of the total, beta is exact.
        open_ = open_[decrement > 1e-20 * total[open_]]
        if not len(open_):
            break
    return beta / scale


def log_likelihood(design: np.ndarray, n: np.ndarray, events: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Log-likelihood of every replicate, without the constant of the counts; shape (replicates,)."""
    eta = beta @ design.T
    return (events * eta - n * np.logaddexp(0.0, eta)).sum(axis=1)


def information(design: np.ndarray, n: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Fisher information at one coefficient vector; n (cells,), beta (parameters,)."""
    p = expit(design @ beta)
    return (design * (n * p * (1 - p))[:, None]).T @ design


def standard_errors(design: np.ndarray, n: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Standard errors (parameters,); huge, not infinite, where the likelihood has no maximum."""
    # Against the most information the same cells could hold, so that a column's unit does not matter.
    most = np.maximum(np.sqrt((n[:, None] * design**2).sum(axis=0) / 4), 1e-300)
    scaled = information(design, n, beta) / np.outer(most, most)
    inverse = np.linalg.inv(scaled + 1e-13 * np.eye(len(beta)))
    return np.sqrt(np.abs(np.diag(inverse))) / most


def _start(x: np.ndarray, n: np.ndarray, events: np.ndarray) -> np.ndarray:
    share = np.clip(events.sum(axis=1) / np.maximum(n.sum(axis=1), 1e-300), 1e-6, 1 - 1e-6)
    beta = np.zeros((len(n), x.shape[1]))
    # The first column is the constant.
    beta[:, 0] = np.log(share / (1 - share))
    return beta


def _newton_step(x, outer, n, events, beta):  # type: ignore[no-untyped-def]
    p = expit(beta @ x.T)
    gradient = (events - n * p) @ x
    hessian = ((n * p * (1 - p)) @ outer).reshape(len(n), x.shape[1], x.shape[1])
    # A level that a replicate did not draw has no information; the ridge leaves its coefficient where it was.
    ridge = 1e-11 * np.maximum(np.einsum("bii->b", hessian), 1e-300) / x.shape[1]
    hessian[:, np.arange(x.shape[1]), np.arange(x.shape[1])] += ridge[:, None]
    step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
    return step, np.einsum("bi,bi->b", step, gradient)
