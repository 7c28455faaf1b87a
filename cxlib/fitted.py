"""A fitted attrition model, and how any statistic of it is evaluated: on the data and on every replicate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, special

from . import design, logistic
from .cells import Cells
from .errors import CxError, refuse, unknown
from .resample import CHUNK_ELEMENTS, multiplicities, percentile_interval
from .schema import TOO_FEW, ordered, results

INTERACTIONS = {
    None: "main effects",
    "causes": "main effects and cause-by-cause terms",
    "all": "main effects, cause-by-cause and cause-by-confounder terms",
}
REFIT = 1e-10  # tolerance of the refits: far below what resampling can tell
FEWEST = 10  # leavers, and stayers, without which no fraction is shown
NO_MODEL = "no model"  # begins the note of a group that no finite model describes

Counts = tuple[np.ndarray, np.ndarray]  # trials and events of the cells, each (replicates, cells)

Replicates = tuple[np.ndarray, np.ndarray, np.ndarray]  # n, events and risks of some replicates

# (fit, n, events, risks) of a chunk of replicates -> (replicates, measures)
Statistic = Callable[["AttritionFit", np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class AttritionFit:
    """A fitted attrition model: the cells, the designs under every set of removed causes, the coefficients."""

    outcome: str
    causes: design.Causes
    adjust: tuple[str, ...]
    interactions: str | None
    cells: Cells
    terms: tuple[design.Term, ...]
    dropped: tuple[design.Term, ...]  # interactions that the data cannot carry
    designs: np.ndarray  # (2**causes, cells, terms); entry m has the causes with a bit in m removed
    beta: np.ndarray  # (terms,)
    drawn: Counts  # trials and events of the cells in every replicate
    replicates: np.ndarray  # (replicates, terms), refitted coefficients
    unit: str  # of resampling: "customer" or "row"

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

    @property
    def method(self) -> str:
        """What was done, for the result's column of that name."""
        weighted = ", weighted" if self.cells.weighted else ""
        left_out = f" ({len(self.dropped)} terms left out: too few customers or leavers)" if self.dropped else ""
        return (f"logit{weighted}, {INTERACTIONS[self.interactions]}{left_out}; percentiles of "
                f"{len(self.replicates)} refits, resampled by {self.unit}")  # fmt: skip


def fit_cells(
    cells: Cells,
    drawn: Counts,
    outcome: str,
    causes: design.Causes,
    adjust: Sequence[str],
    interactions: str | None,
    unit: str,
) -> AttritionFit:
    """Fit on the cells and on every replicate of them; refuse what no finite model describes."""
    _check_events(cells, outcome)
    terms = design.main_effects(cells.levels, [*adjust, *design.cause_columns(causes)], design.references(causes))
    terms += design.cause_terms(causes) if interactions else []
    terms += design.confounder_terms(cells.levels, causes, adjust) if interactions == "all" else []
    kept, beta = _estimable_fit(cells, terms, outcome)
    sets = [[c for j, c in enumerate(causes) if m >> j & 1] for m in range(1 << len(causes))]
    designs = np.stack([design.matrix(design.removed(cells.levels, causes, names), kept) for names in sets])
    dropped = tuple(term for term in terms if term not in kept)
    parts = [logistic.fit(designs[0], n, events, start=beta, tolerance=REFIT) for n, events in chunks(drawn)]
    refits = np.concatenate([np.empty((0, len(kept))), *parts])
    return AttritionFit(outcome, causes, tuple(adjust), interactions, cells, tuple(kept), dropped, designs, beta, drawn,
                        refits, unit)  # fmt: skip


def refit(fit: AttritionFit, **changes: object) -> AttritionFit:
    """The same model on other cells, or another model on the same cells, with the same resampled customers."""
    names = ("cells", "drawn", "outcome", "causes", "adjust", "interactions", "unit")
    return fit_cells(**({name: getattr(fit, name) for name in names} | changes))


def segments(fit: AttritionFit, by: str) -> dict[object, tuple[AttritionFit | None, int, str]]:
    """Every level of `by`: the model within it, its customers, and where there is no model, why in a few words."""
    if by not in fit.cells.levels:
        raise CxError(unknown("column", by, fit.cells.levels.columns, "by") + f"; name it in fit_attrition(by='{by}')")
    adjust, parts = tuple(c for c in fit.adjust if c != by), {}
    for value in ordered(by, fit.cells.levels[by].unique()):
        where = (fit.cells.levels[by] == value).to_numpy()
        cells, drawn = subset(fit.cells, where), (fit.drawn[0][:, where], fit.drawn[1][:, where])
        free = cells.rows.sum() - design.exposed(cells.levels, fit.causes) @ cells.rows
        part, note = None, "" if min(*_left_and_stayed(cells), *free) >= FEWEST else TOO_FEW
        try:
            part = None if note else refit(fit, cells=cells, drawn=drawn, adjust=_varying(cells, adjust))
        except CxError as error:
            note = f"{NO_MODEL}: {error.brief}"
        parts[value] = (part, int(cells.rows.sum()), note)
    return parts


def subset(cells: Cells, where: np.ndarray) -> Cells:
    """The cells for which `where` holds."""
    levels = cells.levels[where].reset_index(drop=True)
    return Cells(levels, cells.n[:, where], cells.events[:, where], cells.rows[where], cells.weighted)


def evaluate(fit: AttritionFit, statistic: Statistic) -> tuple[np.ndarray, np.ndarray]:
    """A statistic on the data and on every replicate, each with its own counts and coefficients."""
    point = statistic(fit, *estimated(fit))[0]
    return point, np.concatenate([np.empty((0, len(point))), *(statistic(fit, *part) for part in replicated(fit))])


def estimated(fit: AttritionFit) -> Replicates:
    """Counts and risks of the data themselves, as the only replicate."""
    return *total(fit.cells), risks(fit.designs, fit.beta[None])


def replicated(fit: AttritionFit) -> Iterator[Replicates]:
    """Counts and risks of the replicates, in chunks."""
    for n, events, beta in chunks((*fit.drawn, fit.replicates), fit.designs[..., 0].size):
        yield n, events, risks(fit.designs, beta)


def summarised(
    fit: AttritionFit,
    names: Sequence[tuple[str, str]],
    statistic: Statistic,
    level: float,
    by: str | None = None,
    unit: str = "share",
    limits: Callable[[AttritionFit, float], np.ndarray] | None = None,
) -> pd.DataFrame:
    """Result rows of a statistic whose measures are `names` (term, measure), over all or within levels of `by`.

    Limits are percentiles of the replicates, unless `limits` gives others, (2, measures). A level whose estimate
    differs from that of all customers by more than chance (Benjamini-Hochberg over the levels, at 1 - level) says so
    in its note; a level that no model describes has no estimate, nor has a cause of which too few there had a failure.
    """
    point, drawn = evaluate(fit, statistic)
    if by is None:
        return results(_rows(fit, names, point, drawn, level, unit, limits))
    rows, gaps = [], []
    for value, (part, n, note) in segments(fit, by).items():
        own, own_drawn = evaluate(part, statistic) if part else (np.full_like(point, np.nan), drawn[:0])
        spread = (own_drawn - drawn).std(axis=0, ddof=1) if part and len(drawn) > 1 else np.nan
        gap = (own - point) / np.where(spread > 0, spread, np.nan)
        told = _rows(part or fit, names, own, own_drawn, level, unit, limits)
        for i in range(len(names)) if not part else _of_few(part, names):
            told[i] |= dict.fromkeys(("estimate", "std_error", "lower", "upper"), np.nan) | {"note": note or TOO_FEW}
            gap[i] = np.nan
        rows += [{by: value, **row, "n": n} for row in told]
        gaps.append(gap)
    for row, differs in zip(rows, _beyond_chance(np.array(gaps), 1 - level).ravel(), strict=True):
        row["note"] = f"differs from all (false discovery rate {1 - level:.0%})" if differs else row["note"]
    return results(rows, by=[by])


def _rows(fit, names, point, drawn, level, unit, limits):
    spread, lower, upper = percentile_interval(drawn, level)
    if limits and len(drawn):
        lower, upper = limits(fit, level)
    return [
        {"term": term, "measure": measure, "estimate": point[i], "std_error": spread[i], "lower": lower[i],
         "upper": upper[i], "level": level, "n": fit.n, "unit": unit, "method": fit.method, "note": ""}
        for i, (term, measure) in enumerate(names)
    ]  # fmt: skip


def _of_few(fit: AttritionFit, names: Sequence[tuple[str, str]]) -> list[int]:
    """Which estimates rest on a cause of which fewer than ten customers had a failure."""
    enough = {cause for cause, had in zip(fit.causes, fit.exposed @ fit.cells.rows, strict=True) if had >= FEWEST}
    # "joint", and which of two causes outweighs the other, rest on all of them.
    return [i for i, (term, _) in enumerate(names) if term not in enough and len(enough) < len(fit.causes)]


def _beyond_chance(z: np.ndarray, rate: float) -> np.ndarray:
    """Which standardised gaps (levels, measures) are real, with the false discovery rate held for each measure."""
    # Here, because only answers by segment need it and it takes a second to load.
    from statsmodels.stats.multitest import multipletests

    p = 2 * special.ndtr(-np.abs(z))
    flags = np.zeros(p.shape, dtype=bool)
    for j in range(p.shape[1]):
        known = ~np.isnan(p[:, j])
        if known.any():
            flags[known, j] = multipletests(p[known, j], rate, method="fdr_bh")[0]
    return flags


def risks(designs: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Risk of every cell under every set of removed causes, (replicates, sets, cells)."""
    out = np.empty((len(beta), *designs.shape[:2]))
    for s, x in enumerate(designs):
        out[:, s] = logistic.expit(beta @ x.T)
    return out


def total(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Trials and events of every cell over all customers, each of shape (1, cells)."""
    return cells.n.sum(axis=0)[None], cells.events.sum(axis=0)[None]


def resampled(cells: Cells, replicates: int, seed: int) -> Counts:
    """Trials and events of every cell when customers are drawn with replacement, each (replicates, cells)."""
    buckets, width = cells.n.shape
    both = sparse.hstack([cells.n, cells.events]).T.tocsr()
    drawn = [(both @ times.T).T for times in multiplicities(buckets, replicates, seed, width)]
    counts = np.concatenate([np.empty((0, 2 * width)), *drawn])
    return counts[:, :width], counts[:, width:]


def chunks(arrays: tuple[np.ndarray, ...], width: int = 1) -> Iterator[tuple[np.ndarray, ...]]:
    """Arrays of replicates in pieces, so that what is computed of them, `width` elements each, stays small."""
    size = max(1, CHUNK_ELEMENTS // max(arrays[0].shape[1], width))
    for start in range(0, len(arrays[0]), size):
        yield tuple(array[start : start + size] for array in arrays)


def _estimable_fit(cells: Cells, terms: list[design.Term], outcome: str) -> tuple[list[design.Term], np.ndarray]:
    """Coefficients, without the interactions that the data cannot carry; such main effects are refused."""
    n, events = total(cells)
    possible = design.estimable(design.matrix(cells.levels, terms), n[0])
    refuse(f"{design.spelled(term)} is determined by the columns before it; leave one of them out"
           for term, ok in zip(terms, possible, strict=True) if not ok and len(term) < 2)  # fmt: skip
    kept = [term for term, ok in zip(terms, possible, strict=True) if ok]
    while True:
        x = design.matrix(cells.levels, kept)
        beta = logistic.fit(x, n, events)[0]
        runaway = design.separated(x, beta, logistic.standard_errors(x, n[0], beta))
        gone = [term for term, off in zip(kept, runaway, strict=True) if off]
        if not gone:
            return kept, beta
        if all(len(term) < 2 for term in gone):
            parts = {column: level is not None for term in gone for column, level in term}
            faults = [_separation(*part, cells, events[0] / n[0], outcome) for part in parts.items()]
            # Without counts: a note may stand beside groups too small to be shown.
            raise CxError(*faults, brief=f"'{next(iter(parts))}' decides who left, no finite effect exists")
        kept = [term for term in kept if term not in gone or len(term) < 2]


def _separation(column: str, factor: bool, cells: Cells, share: np.ndarray, outcome: str) -> str:
    """The fault of a column that decides the outcome, with the level that does if it is one level alone."""
    values, where = cells.levels[column], "for some customers"
    for level in values.unique() if factor else ():
        own = share[(values == level).to_numpy()]
        if own.min() == own.max() and own[0] in (0, 1):
            rows = cells.rows[(values == level).to_numpy()].sum()
            where = f"({'all' if own[0] else 'none'} of the {rows:,} customers with '{level}')"
    return (f"column '{column}' decides the outcome '{outcome}' {where}, so that no finite effect exists; merge its "
            "levels, or leave it out if it was recorded after the outcome")  # fmt: skip


def _check_events(cells: Cells, outcome: str) -> None:
    left, stayed = _left_and_stayed(cells)
    if min(left, stayed) < FEWEST:
        raise CxError(f"outcome '{outcome}' must have at least {FEWEST} leavers and {FEWEST} stayers, not {left} "
                      f"and {stayed}; widen the period or the filter")  # fmt: skip


def _left_and_stayed(cells: Cells) -> tuple[int, int]:
    """Leavers and stayers; with weights their number is not known, and of many the cells bound it from above."""
    if not cells.weighted:
        n, events = total(cells)
        return int(events.sum()), int((n - events).sum())
    # A sum of weights may be off by its last digits.
    found = cells.events > 0, cells.n - cells.events > 1e-9 * cells.n
    least = [int(weighing.sum()) for weighing in found]  # customers apart, whose weight is not 0
    most = [int(cells.rows[weighing.sum(axis=0) > 0].sum()) for weighing in found]
    left, stayed = (low if low < FEWEST else high for low, high in zip(least, most, strict=True))
    return left, stayed


def _varying(cells: Cells, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(column for column in columns if cells.levels[column].nunique() > 1)
