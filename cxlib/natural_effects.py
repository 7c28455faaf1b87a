"""The g-formula for a path through what customers say: models of a mediator and an outcome, and means over both worlds.

Arrays in, numbers out. Throughout, n is (replicates, cells): a fit on cells equals the fit on rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from . import logistic

Array = np.ndarray
MOST_STEPS = 50
NODES = 41  # of the quadrature over a number mediator: exact to 1e-10 for the curves of logit and probit


def fit_link(x: Array, n: Array, events: Array, link: str) -> Array:
    """Maximum likelihood coefficients of every replicate, (replicates, parameters), by logit or probit."""
    if link == "logit":
        point = logistic.fit(x, n[:1], events[:1])
        return np.vstack([point, logistic.fit(x, n[1:], events[1:], start=point[0], tolerance=1e-10)])
    return _probit(x, n, events)


def inverse(link: str) -> Callable[[Array], Array]:
    """The probability of a linear predictor."""
    return special.expit if link == "logit" else special.ndtr


def fit_steps(x: Array, n: Array, level: Array, levels: int) -> list[Array]:
    """Coefficients of a mediator with `levels` levels: the chance of each one among it and all later ones.

    Logits of their own for every step say as much as a multinomial logit does, and take nothing but binomial fits.
    """
    steps = []
    for k in range(levels - 1):
        rest = level >= k
        steps.append(fit_link(x[rest], n[:, rest], n[:, rest] * (level[rest] == k), "logit"))
    return steps


def level_shares(x: Array, steps: Sequence[Array]) -> Array:
    """Probability of every level, (replicates, rows of x, levels)."""
    left, shares = 1.0, []
    for beta in steps:
        here = special.expit(beta @ x.T)
        shares.append(left * here)
        left = left * (1 - here)
    return np.stack([*shares, np.broadcast_to(left, shares[0].shape)], axis=-1)


def fit_line(x: Array, n: Array, y: Array) -> tuple[Array, Array]:
    """Least squares coefficients of a number mediator and the deviation of its residuals, by replicate."""
    gram = np.einsum("bc,ci,cj->bij", n, x, x, optimize=True)
    beta = np.linalg.solve(gram + 1e-12 * np.eye(x.shape[1]), ((n * y) @ x)[..., None])[..., 0]
    squares = (n * (y - beta @ x.T) ** 2).sum(axis=1)
    return beta, np.sqrt(squares / np.maximum(n.sum(axis=1) - x.shape[1], 1))


def nodes() -> tuple[Array, Array]:
    """Standard normal values and their weights."""
    values, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return values, weights / weights.sum()


def chained(risk: Array, shares: Sequence[Array]) -> Array:
    """Mean risk over mediators one after the other: risk and the last share have an axis for each level of each."""
    for share in reversed(shares):
        risk = (share * risk).sum(axis=-1)
    return risk


def _probit(x: Array, n: Array, events: Array) -> Array:
    """Fisher scoring for every replicate; the log-likelihood is concave, so it comes to its one maximum."""
    beta = np.zeros((len(n), x.shape[1]))
    beta[:, 0] = special.ndtri(np.clip(events.sum(axis=1) / n.sum(axis=1), 1e-6, 1 - 1e-6))
    for _ in range(MOST_STEPS):
        eta = np.clip(beta @ x.T, -8, 8)
        p, density = special.ndtr(eta), np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
        weight = density / (p * (1 - p))
        gradient = ((events - n * p) * weight) @ x
        hessian = np.einsum("bc,ci,cj->bij", n * density * weight, x, x, optimize=True)
        step = np.linalg.solve(hessian + 1e-12 * np.eye(x.shape[1]), gradient[..., None])[..., 0]
        beta += step
        if np.abs(step).max() < 1e-10:
            break
    return beta
