"""A fitted attrition model, and how any statistic of it is evaluated: on the data and on every replicate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import design, logistic
from .cells import Cells
from .resample import multiplicities, percentile_interval
from .schema import results

# (n, events, risks) of a chunk of replicates -> (replicates, measures)
Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class AttritionFit:
    """A fitted attrition model: the cells, the designs under every set of removed causes, the coefficients."""

    causes: design.Causes
    adjust: tuple[str, ...]
    outcome: str
    cells: Cells
    terms: tuple[design.Term, ...]
    designs: np.ndarray  # (2**causes, cells, terms); entry m has the causes with a bit in m removed
    beta: np.ndarray  # (terms,)
    replicates: np.ndarray  # (replicates, terms), refitted coefficients
    seed: int
    method: str
    dropped: tuple[str, ...]  # interaction terms that the data cannot carry

    @property
    def coefficients(self) -> pd.Series:
        """Log odds ratios by term."""
        return pd.Series(self.beta, index=[design.spelled(term) for term in self.terms], name="log odds ratio")

    @property
    def exposed(self) -> np.ndarray:
        """Whether each cause has a failure in each cell, (causes, cells)."""
        return design.exposed(self.cells.levels, self.causes)

    @property
    def n(self) -> int:
        """Customers in the model (rows, unweighted)."""
        return int(self.cells.rows.sum())


def evaluate(fit: AttritionFit, statistic: Statistic) -> tuple[np.ndarray, np.ndarray]:
    """A statistic on the data and on every replicate, each with its own counts and coefficients."""
    n, events = total(fit.cells)
    point = statistic(n, events, risks(fit.designs, fit.beta[None]))[0]
    drawn, start = [np.empty((0, len(point)))], 0
    for n, events in replicate_counts(fit.cells, len(fit.replicates), fit.seed):
        beta = fit.replicates[start : start + len(n)]
        drawn.append(statistic(n, events, risks(fit.designs, beta)))
        start += len(n)
    return point, np.concatenate(drawn)


def summarised(
    fit: AttritionFit, names: Sequence[tuple[str, str]], statistic: Statistic, level: float, unit: str = "share"
) -> pd.DataFrame:
    """Result rows of a statistic whose measures are `names` (term, measure), with percentile intervals."""
    point, drawn = evaluate(fit, statistic)
    blank = np.full(len(point), np.nan)
    spread, lower, upper = percentile_interval(drawn, level) if len(drawn) else (blank, blank, blank)
    return results(
        {"term": term, "measure": measure, "estimate": point[i], "std_error": spread[i], "lower": lower[i],
         "upper": upper[i], "level": level, "n": fit.n, "unit": unit, "method": fit.method, "note": ""}
        for i, (term, measure) in enumerate(names)
    )  # fmt: skip


def risks(designs: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Risk of every cell under every set of removed causes, (replicates, sets, cells)."""
    return np.stack([logistic.expit(beta @ x.T) for x in designs], axis=1)


def total(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Trials and events of every cell over all customers, each of shape (1, cells)."""
    return cells.n.sum(axis=0)[None], cells.events.sum(axis=0)[None]


def replicate_counts(cells: Cells, replicates: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Trials and events of every cell in chunks of resampled customers, each (replicates, cells)."""
    buckets, width = cells.n.shape
    n, events = cells.n.T.tocsr(), cells.events.T.tocsr()
    for drawn in multiplicities(buckets, replicates, seed, width):
        yield (n @ drawn.T).T, (events @ drawn.T).T
