"""From cells to design matrices: terms, causes set to their reference, and which terms the data can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from .cells import is_number
from .schema import ordered

# A term is the product of its parts: (column, level) is an indicator, (column, None) the number itself,
# and no part at all the constant.
Term = tuple[tuple[str, object], ...]
Causes = Mapping[str, Mapping[str, Mapping[object, object]]]  # cause -> column -> level -> the level it is set to

SEPARATED = 18.0  # logits over the range of a column: fitted risks of 1e-8, beyond any real effect


def main_effects(
    levels: pd.DataFrame, columns: Sequence[str], references: Mapping[str, object] | None = None
) -> list[Term]:
    """The constant, and for each column its indicators (all but the reference) or the number itself.

    A column with a reference is a factor even if its levels are numbers; a column with one value explains nothing.
    """
    terms: list[Term] = [()]
    for column in columns:
        if is_number(levels[column]) and column not in (references or {}):
            terms += [((column, None),)] if levels[column].nunique() > 1 else []
            continue
        found = ordered(column, levels[column].unique())
        reference = (references or {}).get(column, found[0])
        terms += [((column, level),) for level in found if level != reference]
    return terms


def cause_columns(causes: Causes) -> list[str]:
    """The columns of all causes, each once."""
    return list(dict.fromkeys(column for columns in causes.values() for column in columns))


def references(causes: Causes) -> dict[str, object]:
    """The level that a failure of each cause's column is set to: the baseline its effects are told against."""
    return {column: next(iter(mapping.values())) for columns in causes.values() for column, mapping in columns.items()}


def cause_terms(causes: Causes) -> list[Term]:
    """Products of the failures of every two causes: without them a strong interaction is missed."""
    failures = {cause: _failures(columns) for cause, columns in causes.items()}
    return [(one, two) for a, b in combinations(failures, 2) for one in failures[a] for two in failures[b]]


def confounder_terms(levels: pd.DataFrame, causes: Causes, adjust: Sequence[str]) -> list[Term]:
    """Products of the failures of each cause with every confounder."""
    failures = [failure for columns in causes.values() for failure in _failures(columns)]
    return [(failure, *effect) for failure in failures for effect in main_effects(levels, adjust)[1:]]


def matrix(levels: pd.DataFrame, terms: Sequence[Term]) -> np.ndarray:
    """Design matrix, shape (cells, terms)."""
    # Once as objects: comparing a column of texts anew for every level took longer than the fit.
    columns = {column: levels[column].to_numpy(object) for term in terms for column, _ in term}
    parts = {part: _values(columns[part[0]], part[1]) for term in terms for part in term}
    one = np.ones(len(levels))
    return np.column_stack([np.prod([one, *(parts[part] for part in term)], axis=0) for term in terms])


def removed(levels: pd.DataFrame, causes: Causes, names: Sequence[str]) -> pd.DataFrame:
    """The cells with the named causes set to their reference."""
    changes = {column: mapping for name in names for column, mapping in causes[name].items()}
    columns = {c: levels[c].map(lambda v, m=m: m.get(v, v)) for c, m in changes.items()}
    return levels.assign(**{c: v.astype(levels[c].dtype) for c, v in columns.items()})


def exposed(levels: pd.DataFrame, causes: Causes) -> np.ndarray:
    """Whether any column of each cause would be changed, shape (causes, cells)."""
    return np.array([
        np.any([levels[column].isin(list(mapping)) for column, mapping in columns.items()], axis=0)
        for columns in causes.values()
    ])  # fmt: skip


def estimable(design: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Which columns are not determined by the columns before them, over the cells that hold customers."""
    x = design[n > 0]
    x = x / np.maximum(np.linalg.norm(x, axis=0), 1e-300)
    kept: list[int] = []
    basis = np.empty((len(x), 0))
    for j in range(x.shape[1]):
        rest = x[:, j] - basis @ (basis.T @ x[:, j])
        rest -= basis @ (basis.T @ rest)  # twice is enough (Kahan): once loses digits where columns are close
        length = np.linalg.norm(rest)
        if length > 1e-8:
            kept.append(j)
            basis = np.column_stack([basis, rest / length])
    return np.isin(np.arange(x.shape[1]), kept)


def separated(design: np.ndarray, beta: np.ndarray, std_error: np.ndarray) -> np.ndarray:
    """Which coefficients have run off, because some combination of levels always or never has the outcome.

    A large effect over a long range (one customer with a thousand contacts) is not: its standard error is small.
    So far out that it cannot be computed, it is not.
    """
    return (np.abs(beta) * np.ptp(design, axis=0) > SEPARATED) & ~(std_error <= np.abs(beta))


def spelled(term: Term) -> str:
    """A term for people: "service_band = failed × price_band = raised"."""
    return " × ".join(column if level is None else f"{column} = {level}" for column, level in term) or "constant"


def _failures(columns: Mapping[str, Mapping[object, object]]) -> list[tuple[str, object]]:
    return [(column, level) for column, mapping in columns.items() for level in mapping]


def _values(column: np.ndarray, level: object) -> np.ndarray:
    return column.astype(float) if level is None else (column == level).astype(float)
