"""Which groups of a table are hidden with those that are too small, so that no total gives any of them away."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd


def hidden_groups(groups: pd.DataFrame, sizes: pd.Series, least: int) -> np.ndarray:
    """Whether each group is hidden.

    Parameters
    ----------
    groups : a row for each group, a column for each key it is told by
    sizes : people in each, in the same order; of nobody nothing is given away
    least : people of the smallest group that is shown

    Returns
    -------
    Array of bool. Hidden are the groups that are too small, and with them the next smallest until, of every total that
    the table could have beside it (of all, along each key, along several), the hidden ones are two or more and `least`
    people or more, not all of them single, and none follows from all these totals together.

    Notes
    -----
    A hidden number follows from totals if its unit vector lies in the row space of their equations, which is where its
    leverage is 1. Checked: against attackers that reckon in fractions and by linear programs.

    Source: Cox (1980), Suppression methodology and statistical disclosure control, JASA 75.

    >>> hidden_groups(pd.DataFrame({"region": list("NESW")}), pd.Series([4, 90, 40, 800]), 10).tolist()
    [True, False, True, False]
    """
    n = sizes.to_numpy(float)
    hidden = (n > 0) & (n < least)
    if not hidden.any():
        return hidden
    families = _totals(groups)
    lines, before = np.hstack(families), -1
    while hidden.sum() != before:
        before = hidden.sum()
        for family in families:
            _complete(family, n, hidden, least)
        if hidden.sum() == before:
            wanting = _derivable(lines, hidden) @ lines
            _hide_next(np.asarray(lines[:, wanting].any(axis=1))[:, None], n, hidden)
    return hidden


def _totals(groups: pd.DataFrame) -> list[np.ndarray]:
    """Which groups each total is of (groups x totals), for each choice of keys to sum over; the finest first."""
    families = []
    for count in range(groups.shape[1] - 1, -1, -1):
        for keys in combinations(groups.columns, count):
            places = groups.groupby(list(keys), dropna=False, observed=True).ngroup() if keys else groups.index * 0
            lines: np.ndarray = np.equal.outer(np.asarray(places), np.unique(places))
            # The total of a single group is that group, and hidden with it.
            families.append(lines[:, lines.sum(axis=0) > 1])
    return families


def _complete(lines: np.ndarray, n: np.ndarray, hidden: np.ndarray, least: int) -> None:
    """Hide the next smallest of each total until its hidden groups do not give themselves away."""
    while True:
        count, people = hidden @ lines.astype(int), (n * hidden) @ lines
        short = (count > 0) & ((count == 1) | (people < least) | (people <= count))
        if not _hide_next(lines[:, short], n, hidden):
            return


def _hide_next(lines: np.ndarray, n: np.ndarray, hidden: np.ndarray) -> bool:
    """Hide the smallest group still shown of each total; whether there was one."""
    left = np.where(lines & ((n > 0) & ~hidden)[:, None], n[:, None], np.inf)
    smallest = left.argmin(axis=0)[np.isfinite(left).any(axis=0)] if len(left) else []
    hidden[smallest] = True
    return len(smallest) > 0


def _derivable(lines: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Whether each group is hidden and follows from the totals all the same."""
    known = lines[hidden].astype(float)
    leverage = ((known @ np.linalg.pinv(known.T @ known, hermitian=True)) * known).sum(axis=1)
    out = np.zeros(len(hidden), bool)
    out[hidden] = leverage > 1 - 1e-9
    return out
