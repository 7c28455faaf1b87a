"""Differences between two waves of an NPS as pure array functions: tables of counts in, numbers out.

A wave is a table (..., segments, 3) of answers, classes in the order of the scale. An NPS is from -1 to 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import intervals

Array = NDArray[np.float64]
U = np.array([-1.0, 0.0, 1.0])
CELLS = (-2, -1)


class Part(NamedTuple):
    """A difference and its influence functions: what one more answer of a cell does to it, times the wave's answers."""

    estimate: Array
    before: Array
    after: Array


class Pairs(NamedTuple):
    """Customers who answered in both waves, counted by their cells: segment and class before and after."""

    before: tuple[Array, Array]
    after: tuple[Array, Array]
    customers: Array


def adjusted(wave: Array) -> Array:
    """Rocks' pseudo-answers added, spread over the segments as the answers are, so that their shares stay."""
    shares = wave.sum(axis=-1, keepdims=True) / wave.sum(axis=CELLS, keepdims=True)
    return wave + shares * np.array(intervals.ROCKS)


def split(before: Array, after: Array) -> dict[str, Part]:
    """The change after - before and its two parts: mix (shares of segments moved) and rate (their NPS moved).

    With segment shares p and NPS s, mix = sum of (p2 - p1)(s1 + s2)/2 and rate = sum of (p1 + p2)/2 (s2 - s1): no
    interaction is left over (Kitagawa 1955). A segment of one wave only has no NPS to move and counts as mix.
    """
    p1, s1, p2, s2 = (*_segments(before), *_segments(after))
    both = (p1 > 0) & (p2 > 0)
    s1, s2 = np.where(p1 > 0, s1, s2), np.where(p2 > 0, s2, s1)
    s1, s2 = np.where(p1 + p2 > 0, s1, 0.0), np.where(p1 + p2 > 0, s2, 0.0)
    middle, moved, share, rise = (s1 + s2) / 2, p2 - p1, (p1 + p2) / 2, s2 - s1
    mix_of_s = np.where(both, moved / 2, moved)
    rate_of_s = np.where(both, share, 0.0)
    mix = Part(
        np.sum(moved * middle, axis=-1), _influence(p1, s1, -middle, mix_of_s), _influence(p2, s2, middle, mix_of_s)
    )
    rate = Part(
        np.sum(share * rise, axis=-1), _influence(p1, s1, rise / 2, -rate_of_s), _influence(p2, s2, rise / 2, rate_of_s)
    )
    change = Part(*(one + other for one, other in zip(mix, rate, strict=True)))
    return {"change": change, "mix": mix, "rate": rate}


def variance(part: Part, before: Array, after: Array, pairs: Pairs | None = None) -> Array:
    """Variance of a difference: both waves' own, and twice the covariance of customers in both, signed by `part`."""
    n1, n2 = before.sum(axis=CELLS), after.sum(axis=CELLS)
    apart = np.sum(before * part.before**2, axis=CELLS) / n1**2 + np.sum(after * part.after**2, axis=CELLS) / n2**2
    if pairs is None or not pairs.customers.sum():
        return apart
    one, other = part.before[pairs.before], part.after[pairs.after]
    joint = np.average(one * other, weights=pairs.customers)
    joint -= np.average(one, weights=pairs.customers) * np.average(other, weights=pairs.customers)
    return np.maximum(apart + 2 * pairs.customers.sum() * joint / (n1 * n2), 0.0)


def differences(
    before: Array, after: Array, pairs: Pairs | None = None, level: float = 0.95
) -> dict[str, tuple[Array, Array, Array, Array]]:
    """Estimate, standard error and limits of change, mix and rate for samples of persons.

    The estimate is that of the counts, the rest that of the adjusted counts; limits are widened to hold the estimate.
    """
    z, found = intervals.quantile(level), {}
    plain, fuller = split(before, after), (adjusted(before), adjusted(after))
    for name, part in split(*fuller).items():
        error, estimate = np.sqrt(variance(part, *fuller, pairs)), plain[name].estimate
        low, high = part.estimate - z * error, part.estimate + z * error
        found[name] = estimate, error, np.minimum(low, estimate), np.maximum(high, estimate)
    return {
        name: (e, error, np.maximum(low, -2.0), np.minimum(high, 2.0)) for name, (e, error, low, high) in found.items()
    }


def _segments(wave: Array) -> tuple[Array, Array]:
    size = wave.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return size / size.sum(axis=-1, keepdims=True), wave @ U / size


def _influence(p: Array, s: Array, of_p: Array, of_s: Array) -> Array:
    """Chain rule: derivatives by the shares p and the NPS s of the segments, turned into one value a cell."""
    with np.errstate(invalid="ignore", divide="ignore"):
        within = (U - s[..., None]) * np.where(p > 0, of_s / p, 0.0)[..., None]
    return within + (of_p - np.sum(p * of_p, axis=-1, keepdims=True))[..., None]
