"""Intervals and variances as pure array functions: counts or sums in, numbers out.

Counts come in the order of the scale, (detractors, passives, promoters), may be fractional and broadcast.
An NPS here is the difference of two shares, from -1 to 1; the edge functions turn it into points.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from .errors import CxError, shortened, unknown

Array = NDArray[np.float64]
ROCKS = (0.75, 1.5, 0.75)  # pseudo-answers of the adjusted Wald interval (Rocks 2016)


def quantile(level: float) -> float:
    """The normal quantile of a two-sided confidence level strictly between 0 and 1."""
    try:
        inside = 0 < float(level) < 1
    except (TypeError, ValueError):
        inside = False
    if not inside:
        raise CxError(f"level must lie between 0 and 1, such as 0.95, not {shortened(level)}")
    return float(ndtri((1 + float(level)) / 2))


def moments(detractors: ArrayLike, passives: ArrayLike, promoters: ArrayLike) -> tuple[Array, Array, Array]:
    """Number of answers, NPS s = p - d and the variance of one answer, p + d - s² (not a number without answers)."""
    down, middle, up = (np.asarray(count, dtype=float) for count in (detractors, passives, promoters))
    n = down + middle + up
    with np.errstate(invalid="ignore", divide="ignore"):
        s = (up - down) / n
        return n, s, np.maximum((up + down) / n - s**2, 0.0)


def wald(detractors: ArrayLike, passives: ArrayLike, promoters: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Wald limits with divisor n; without width when all answers are of one class."""
    n, s, variance = moments(detractors, passives, promoters)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = quantile(level) * np.sqrt(variance / n)
    return np.maximum(s - half, -1.0), np.minimum(s + half, 1.0)


def adjusted_wald(
    detractors: ArrayLike, passives: ArrayLike, promoters: ArrayLike, level: float = 0.95
) -> tuple[Array, Array]:
    """Wald limits after adding .75, 1.5 and .75 answers (Rocks 2016), widened to the estimate where they miss it."""
    _, s, _ = moments(detractors, passives, promoters)
    low, high = wald(*adjusted(detractors, passives, promoters), level=level)
    # With one class only the shrunken centre can leave the observed value outside: 300 of 300 promoters, say.
    return np.minimum(low, s), np.maximum(high, s)


def adjusted(detractors: ArrayLike, passives: ArrayLike, promoters: ArrayLike) -> tuple[Array, Array, Array]:
    """The counts with Rocks' pseudo-answers added."""
    down, middle, up = (
        np.asarray(count, dtype=float) + extra
        for count, extra in zip((detractors, passives, promoters), ROCKS, strict=True)
    )
    return down, middle, up


def tango_score(detractors: ArrayLike, passives: ArrayLike, promoters: ArrayLike, delta: ArrayLike) -> Array:
    """Tango's score statistic of the hypothesis that the NPS is `delta`, in standard errors under that hypothesis."""
    down, middle, up = (np.asarray(count, dtype=float) for count in (detractors, passives, promoters))
    n = down + middle + up
    with np.errstate(invalid="ignore", divide="ignore"):
        return (up - down - n * delta) / np.sqrt(n * _null_variance(down, n, up, np.asarray(delta, dtype=float)))


def tango(detractors: ArrayLike, passives: ArrayLike, promoters: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Limits at which Tango's score statistic equals the normal quantile (Tango 1998); never without width.

    Parameters
    ----------
    detractors, passives, promoters : counts, 0 or more, may be fractional; arrays broadcast
    level : confidence, between 0 and 1

    Returns
    -------
    Lower and upper limit from -1 to 1; not a number where there is no answer.

    Notes
    -----
    An NPS is a difference of paired proportions, for which Tango made this interval. Checked against root finding
    with the constrained maximum found numerically, and against printed values.

    Source: Tango (1998), Statistics in Medicine 17, 891-908.

    >>> low, high = tango(0, 0, 10)
    >>> round(float(low), 3), float(high)
    (0.445, 1.0)
    """
    z = quantile(level)
    counts = (np.asarray(count, dtype=float) for count in (detractors, passives, promoters))
    down, middle, up = np.broadcast_arrays(*counts)
    n, s, _ = moments(down, middle, up)
    limits = (_bisect(down, n, up, s, np.full_like(s, end), z) for end in (-1.0, 1.0))
    lower, upper = (np.where(n > 0, limit, np.nan) for limit in limits)
    return lower, upper


def _bisect(down: Array, n: Array, up: Array, inside: Array, outside: Array, z: float) -> Array:
    """The limit between the estimate (`inside`) and an end of the scale (`outside`).

    Plain halving, because library root finders want a change of sign at the bracket's ends, and here the equation
    is 0 = 0 at the estimate when all answers are of one class.
    """
    for _ in range(60):
        middle = (inside + outside) / 2
        rejected = np.abs(up - down - n * middle) > z * np.sqrt(n * _null_variance(down, n, up, middle))
        inside, outside = np.where(rejected, inside, middle), np.where(rejected, middle, outside)
    return (inside + outside) / 2


def _null_variance(down: Array, n: Array, up: Array, delta: Array) -> Array:
    """Variance of one answer at the constrained maximum, where promoters - detractors = `delta`."""
    b = -(up + down) + (2 * n - up + down) * delta
    c = -down * delta * (1 - delta)
    with np.errstate(invalid="ignore", divide="ignore"):
        q = (np.sqrt(np.maximum(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    return np.maximum(2 * q + delta * (1 - delta), 0.0)


METHODS: dict[str, tuple[Callable[..., tuple[Array, Array]], str]] = {
    "tango": (tango, "Tango score"),
    "adjusted_wald": (adjusted_wald, "adjusted Wald"),
    "wald": (wald, "Wald"),
}


def unknown_method(interval: object) -> list[str]:
    """The fault of an interval option that does not exist, or nothing."""
    return [] if interval in tuple(METHODS) else [unknown("interval", interval, METHODS)]


def nps_limits(
    interval: str, detractors: ArrayLike, passives: ArrayLike, promoters: ArrayLike, level: float = 0.95
) -> tuple[Array, Array, NDArray[np.object_]]:
    """Limits by the named method and the method used: Tango's where the named one has no width (never shown)."""
    limits, name = METHODS[interval]
    lower, upper = limits(detractors, passives, promoters, level)
    low, high = tango(detractors, passives, promoters, level)
    flat = lower == upper
    used = np.where(flat, f"Tango score ({name} has no width here)", name).astype(object)
    return np.where(flat, low, lower), np.where(flat, high, upper), used


def wilson(count: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Wilson limits of a share, from statsmodels; not a number where n is 0."""
    from statsmodels.stats.proportion import proportion_confint  # here, for it takes longer than all else together

    alpha, answers = 1 - level, np.asarray(n, dtype=float)
    quantile(level)
    known = np.where(answers > 0, answers, np.nan)
    lower, upper = proportion_confint(np.asarray(count, dtype=float), known, alpha=alpha, method="wilson")
    return np.asarray(lower), np.asarray(upper)


def stratum_variance(total: ArrayLike, square: ArrayLike, clusters: ArrayLike) -> Array:
    """What each stratum adds to the design variance of a ratio by Taylor linearisation.

    Parameters
    ----------
    total, square : sum and sum of squares over the stratum's clusters of the linearised values z, which add up to
        0 over the sample; clusters without an answer count with z = 0
    clusters : sampled clusters of the stratum, with or without an answer

    Returns
    -------
    n/(n-1) times the sum of (z - mean z)². A stratum of a single cluster has no spread of its own and enters with
    its distance from the overall mean, which is 0 (R survey: `lonely.psu = "adjust"`).
    """
    total, square, n = (np.asarray(values, dtype=float) for values in (total, square, clusters))
    spread = np.maximum(square - total**2 / n, 0.0) * n / np.maximum(n - 1, 1)
    return np.where(n > 1, spread, square)


def poisson(count: ArrayLike, exposure: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Exact (Garwood 1936) limits of a Poisson rate, from statsmodels; not a number without exposure."""
    from statsmodels.stats.rates import confint_poisson  # here, for it takes longer than all else together

    quantile(level)
    counts, amount = np.asarray(count, dtype=float), np.asarray(exposure, dtype=float)
    known = np.where(amount > 0, amount, np.nan)
    lower, upper = confint_poisson(counts, known, method="exact-c", alpha=1 - level)
    # The gamma quantile behind the lower limit does not exist for a count of 0.
    return np.where((counts == 0) & (amount > 0), 0.0, lower), np.asarray(upper)
