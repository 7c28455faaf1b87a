"""Binomial logit on cells: many replicates at once, from the estimate on the full data (arrays in, arrays out).

The likelihood depends on the data only through the cells' counts, so the fit equals the fit on the rows.
"""

from __future__ import annotations

import numpy as np
from scipy import special

MOST_STEPS = 100


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
    last, slope = np.zeros_like(beta), np.zeros(len(n))
    total, open_ = np.maximum(n.sum(axis=1), 1e-300), np.arange(len(n))
    for _ in range(MOST_STEPS):
        p = expit(beta[open_] @ x.T)
        gradient = (events[open_] - n[open_] * p) @ x
        # Along the last step the likelihood rose at `slope`; where it now falls as fast, the step went too far.
        far = np.einsum("bi,bi->b", gradient, last[open_]) < -0.9 * slope[open_]
        too_far, fine = open_[far], open_[~far]
        beta[too_far] -= last[too_far] / 2
        last[too_far] /= 2
        slope[too_far] /= 2
        last[fine] = _newton_step(outer, n[fine], p[~far], gradient[~far])
        slope[fine] = np.einsum("bi,bi->b", last[fine], gradient[~far])
        beta[fine] += last[fine]
        # The slope is twice the likelihood still to be gained: at 1e-20 of the total, beta is exact.
        open_ = open_[far | (slope[open_] > 1e-20 * total[open_])]
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


def _newton_step(outer: np.ndarray, n: np.ndarray, p: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    replicates, k = gradient.shape
    hessian = ((n * p * (1 - p)) @ outer).reshape(replicates, k, k)
    # A level that a replicate did not draw has no information; the ridge leaves its coefficient where it was.
    ridge = 1e-11 * np.maximum(np.einsum("bii->b", hessian), 1e-300) / k
    hessian[:, np.arange(k), np.arange(k)] += ridge[:, None]
    return np.linalg.solve(hessian, gradient[..., None])[..., 0]
