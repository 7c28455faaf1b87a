"""Iterative proportional fitting on cell counts: weights whose margins are those of the population."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .intervals import Array

CLOSE = 1e-10  # largest difference of a margin's share at which it counts as met


def fitted_weights(
    base: Array, codes: Sequence[np.ndarray], targets: Sequence[Array], rounds: int, most: float | None = None
) -> tuple[Array, int, float]:
    """A weight for each cell, so that every margin has its target share.

    Parameters
    ----------
    base : sum of the starting weights of each cell, above 0
    codes : for each margin, the category of each cell
    targets : for each margin, the share of each category, above 0
    rounds : most passes over all margins
    most : largest weight, as a multiple of the mean weight (base weights times factor); None = no limit

    Returns
    -------
    Factor of each cell (mean factor 1 over the base), passes taken, largest difference from a target share.

    Notes
    -----
    With a limit, cells above it are held there and the others are fitted on; the margins may then not be met.

    Source: Deming & Stephan (1940).
    """
    factor, gap = np.ones(len(base)), np.inf
    for done in range(1, rounds + 1):
        for code, target in zip(codes, targets, strict=True):
            shares = np.bincount(code, weights=base * factor, minlength=len(target))
            factor *= (target * shares.sum() / shares)[code]
        factor *= base.sum() / (base * factor).sum()
        if most is not None:
            factor = _capped(base, factor, most)
        gap = largest_gap(base * factor, codes, targets)
        if gap < CLOSE:
            return factor, done, gap
    return factor, rounds, gap


def largest_gap(weight: Array, codes: Sequence[np.ndarray], targets: Sequence[Array]) -> float:
    """Largest difference between the share of a category and its target."""
    shares = (
        np.bincount(c, weights=weight, minlength=len(t)) / weight.sum() for c, t in zip(codes, targets, strict=True)
    )
    return max(float(np.abs(share - target).max()) for share, target in zip(shares, targets, strict=True))


def _capped(base: Array, factor: Array, most: float) -> Array:
    """Factors at most `most`, the rest raised so that their mean over the base stays 1."""
    for _ in range(100):
        high = factor >= most
        if not (factor > most * (1 + 1e-12)).any() or high.all():
            return factor
        factor = np.where(high, most, factor)
        rest = (base * factor)[~high].sum()
        if rest > 0:
            factor[~high] *= (base.sum() - (base * factor)[high].sum()) / rest
    return factor
