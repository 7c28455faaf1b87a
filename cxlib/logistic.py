"""Binomial logit on cells: many replicates at once, from the estimate on the full data (arrays in, arrays out).

The likelihood depends on the data only through the cells' counts, so the fit equals the fit on the rows.
"""

from __future__ import annotations

import numpy as np
from scipy import special

MOST_STEPS = 100
LONG_STEP = 4.0  # logits


def expit(eta: np.ndarray) -> np.ndarray:
    """Probability of a logit, without overflow."""
    return special.expit(eta)


def fit(
    design: np.ndarray, n: np.ndarray, events: np.ndarray, start: np.ndarray | None = None, tolerance: float = 1e-20
) -> np.ndarray:
    """Maximum likelihood coefficients of every replicate by Newton's method.

    Parameters
    ----------
    design : (cells, parameters)
    n, events : (replicates, cells), trials and successes of each cell
    start : (parameters,), by default the logit of the overall share with no effects
    tolerance : likelihood that the last step may still have gained, as a share of n; what is left is its square

    Returns
    -------
    (replicates, parameters). Where the likelihood has no maximum (separation) the coefficients stop where the
    fitted probabilities no longer change: the risks are then right, the coefficients are only large.
    """
    scale = np.maximum(np.abs(design).max(axis=0), 1e-300)
    x = design / scale
    rows, columns = np.triu_indices(x.shape[1])
    outer = x[:, rows] * x[:, columns]
    beta = _start(x, n, events) if start is None else np.tile(start * scale, (len(n), 1))
    out, open_ = beta.copy(), np.arange(len(n))
    last, slope, enough = np.zeros_like(beta), np.zeros(len(n)), tolerance * np.maximum(n.sum(axis=1), 1e-300)
    for _ in range(MOST_STEPS):
        p = expit(beta @ x.T)
        gradient = (events - n * p) @ x
        far = _too_far(x, n, events, beta, last, gradient, slope)
        step = _newton_step(outer, n, p, gradient)
        last = np.where(far[:, None], last / 2, step)
        slope = np.where(far, slope / 2, np.einsum("bi,bi->b", step, gradient))
        beta = beta + np.where(far[:, None], -last, last)
        done = ~far & (slope <= enough)
        if done.any():
            out[open_[done]] = beta[done]
            rest = (open_, n, events, beta, last, slope, enough)
            open_, n, events, beta, last, slope, enough = (array[~done] for array in rest)
            if not len(open_):
                break
    out[open_] = beta
    return out / scale


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


def _too_far(x, n, events, beta, last, gradient, slope):
    """Which last steps to take back by half: along them the likelihood rose at `slope` and now falls as fast."""
    far = np.einsum("bi,bi->b", gradient, last) < -0.9 * slope
    # Far out the likelihood is straight and its slope tells little: after a long step its height is compared too.
    long = np.flatnonzero(np.abs(last @ x.T).max(axis=1) > LONG_STEP)
    if len(long):
        now, before = (log_likelihood(x, n[long], events[long], b) for b in (beta[long], beta[long] - last[long]))
        far[long] |= now < before
    return far


def _newton_step(outer: np.ndarray, n: np.ndarray, p: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    replicates, k = gradient.shape
    rows, columns = np.triu_indices(k)
    hessian = np.empty((replicates, k, k))
    hessian[:, rows, columns] = hessian[:, columns, rows] = (n * p * (1 - p)) @ outer
    # A level that a replicate did not draw has no information; the ridge leaves its coefficient where it was.
    ridge = 1e-11 * np.maximum(np.einsum("bii->b", hessian), 1e-300) / k
    hessian[:, np.arange(k), np.arange(k)] += ridge[:, None]
    return np.linalg.solve(hessian, gradient[..., None])[..., 0]
