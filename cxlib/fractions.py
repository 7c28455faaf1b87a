"""How much attrition each cause accounts for: alone, on average, at most, in part, and against another cause."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import shapley
from .fitted import AttritionFit, summarised


def attributable_fractions(fit: AttritionFit, level: float = 0.95) -> pd.DataFrame:
    """Share of attrition that would not have happened without each cause, alone, jointly and on average.

    Parameters
    ----------
    fit : AttritionFit
    level : confidence level, between 0 and 1

    Returns
    -------
    DataFrame in the result shape, unit "share": term = cause or "joint"; measures
    fraction (the cause alone removed), average_fraction (Shapley value over all orders of removal; adds up to
    the joint fraction), last (removed after all others), lowest_order and highest_order (smallest and largest
    contribution over the orders). The joint term has its fraction only.

    Notes
    -----
    v(S) = 1 - mean risk with the causes in S at their reference / mean risk. "Would not have happened" holds if
    the confounders are all adjusted for, failures precede the decision and the reference is within reach.

    Source
    ------
    Greenland & Drescher 1993; Eide & Gefeller 1995 (average); Sjolander & Vansteelandt 2011.
    """
    measures = ("fraction", "average_fraction", "last", "lowest_order", "highest_order")
    names = [(cause, measure) for cause in fit.causes for measure in measures] + [("joint", "fraction")]

    def statistic(n: np.ndarray, events: np.ndarray, risks: np.ndarray) -> np.ndarray:
        return _fractions(removal_values(n, risks))

    return summarised(fit, names, statistic, level)


def removal_values(n: np.ndarray, risks: np.ndarray) -> np.ndarray:
    """v(S) for every set of removed causes, (replicates, 2**causes), from n (replicates, cells) and the risks."""
    means = np.einsum("bc,bsc->bs", n, risks)
    return 1.0 - means / means[:, :1]


def _fractions(v: np.ndarray) -> np.ndarray:
    average, columns = shapley.shapley_values(v), []
    for j in range(shapley.players(v)):
        added, _ = shapley.contributions(v, j)
        columns += [v[:, 1 << j], average[:, j], added[:, -1], added.min(axis=1), added.max(axis=1)]
    return np.column_stack([*columns, v[:, -1]])
