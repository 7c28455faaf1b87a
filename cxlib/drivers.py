"""What moves the score: relative importance of drivers, alone or in groups, on the score or on promoter status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from . import importance
from .engine import View, view
from .errors import refuse, unknown
from .fitted import resampled
from .player_checks import MOST_PLAYERS
from .players import Players, player_cells, player_moments
from .regression import all_r_squared, covariance
from .resample import described, estimates, replicated_products
from .schema import results

METHODS = {"lmg": "LMG (Shapley value of R²)", "johnson": "Johnson relative weights"}
SCALES = {"score": 1000, "promoter": 200}  # and the replicates drawn unless told otherwise
MOST_PROMOTER = 8  # players: 256 logits for each replicate
NOISE = "cannot be told from noise"
EQUAL = "no clear difference"


def relative_importance(
    data: Any,
    outcome: str = "recommend",
    drivers: Sequence[str] = (),
    groups: Mapping[str, Sequence[str]] | None = None,
    method: str = "lmg",
    weights: str | None = None,
    customer: str | None = None,
    scale: str = "score",
    missing: str | None = None,
    replicates: int | None = None,
    seed: int = 0,
    level: float = 0.95,
    promoters_from: float = 9,
    differences: bool = False,
) -> pd.DataFrame:
    """How much of the variation of a score each driver accounts for, averaged over all orders of the drivers.

    Parameters
    ----------
    data : frame with one row per answer; rows without an outcome are left out
    drivers : numbers (ratings) or factors; `groups` (name -> drivers) enter as one player. Up to 15 players, 8 on the
        promoter scale; members of groups are told apart where there are no more drivers than that
    method : "lmg" (default) or "johnson" (to compare with other vendors' reports; criticised by Thomas et al. 2014)
    weights, customer : survey weight; unit of resampling (default: the row)
    scale : "score" (R² of a linear model) or "promoter" (McFadden's R² of a logit of score >= promoters_from)
    missing : None (default) refuses gaps, "drop" leaves out rows with a gap in any driver, "not_met" keeps them, with
        "met" and the rating within met as one player
    replicates : default 1,000, on the promoter scale 200
    differences : add the differences between the shares of every two players

    Returns
    -------
    DataFrame in the result shape: for every term the measures importance ("R²"), share (of R²), random_share (mean and
    upper limit of what pure noise would get; not for Johnson) and rank (1 = largest); members as "group/driver", Owen
    values, ranked within their group; "a - b" with measure difference; last ("model", "r_squared").

    Raises
    ------
    CxError naming missing columns, gaps, drivers without variation or determined by the others.

    Notes
    -----
    Percentiles over resampled customers; the limits of R² allow for its optimism. No share is 0 even for a driver that
    does nothing: one that an independent random driver would reach by chance is noted. The promoter scale takes at most
    20,000 answers. Checked against R (swiss, attitude, mtcars, SFO 2017, mobi) and brute force. Lindeman, Merenda &
    Gold 1980; Johnson 2000; Owen 1977.

    Examples
    --------
    >>> answers = {"recommend": [9, 7, 3, 8, 6, 10], "staff": [5, 4, 2, 4, 3, 5], "price": [4, 2, 3, 3, 4, 3]}
    >>> table = relative_importance(pd.DataFrame(answers), drivers=["staff", "price"], replicates=50)
    >>> table[table["measure"] == "importance"].set_index("term")["estimate"].round(3).to_dict()
    {'staff': 0.95, 'price': 0.005}
    """
    faults = [unknown("method", method, METHODS)] if method not in METHODS else []
    faults += [unknown("scale", scale, SCALES)] if scale not in SCALES else []
    faults += ["Johnson's weights exist on the score only; use method='lmg' with scale='promoter'"] if (
        scale, method) == ("promoter", "johnson") else []  # fmt: skip
    refuse(faults)
    named = (outcome, drivers, groups, weights, customer, missing)
    replicates = SCALES[scale] if replicates is None else replicates
    if scale == "promoter":
        solved = _on_promoters(view(data), named, promoters_from, replicates, seed, level)
    else:
        solved = _on_score(view(data), named, method, replicates, seed, level)
    common = {"level": level, "n": solved.rows, "method": solved.method + described(weights, customer, replicates)}
    return results({**row, **common} for row in _rows(solved, level, differences))


@dataclass(frozen=True)
class _Solved:
    """What is shared out: on the data (the first replicate) and on every resample, beside what noise would get."""

    players: Players
    drawn: np.ndarray  # importance array
    noise: Sequence[np.ndarray]  # of a random group and a random driver, by number of columns: mean, upper limit
    optimism: float  # by how much as many columns of noise would raise R²
    rows: int
    method: str


def _on_score(seen: View, named: tuple[Any, ...], method: str, replicates: int, seed: int, level: float) -> _Solved:
    moments, players = player_moments(seen, *named, units=replicates > 0)
    every = covariance(replicated_products(moments, replicates, seed))
    if method == "johnson":
        drawn = importance.johnson(every, players)
        noise = [np.full((1 + max(map(len, of)), 2), np.nan) for of in (players.of_groups, players.columns)]
    else:
        drawn = importance.lmg(every, players, MOST_PLAYERS)
        noise = [
            _noise_on_score(every[:1], of, players.effective, level) for of in (players.of_groups, players.columns)
        ]
    optimism = (1 - drawn[0, -1]) * (every.shape[-1] - 1) / max(players.effective - 1, 1)
    return _Solved(players, drawn, noise, optimism, moments.rows, METHODS[method])


def _noise_on_score(point: np.ndarray, columns: Sequence[Sequence[int]], effective: float, level: float) -> np.ndarray:
    if len(columns) > MOST_PLAYERS:  # those are not shown
        return np.full((1 + max(map(len, columns)), 2), np.nan)
    values = all_r_squared(point, columns)[0]
    return importance.random_importance(values, [len(c) for c in columns], effective, level)


def _on_promoters(
    seen: View, named: tuple[Any, ...], promoters_from: float, replicates: int, seed: int, level: float
) -> _Solved:
    cells, x, players, answers = player_cells(seen, promoters_from, MOST_PROMOTER, *named)
    totals = cells.n.sum(axis=0)[None], cells.events.sum(axis=0)[None]
    n, events = (np.concatenate(parts) for parts in zip(totals, resampled(cells, replicates, seed), strict=True))
    drawn = importance.shared_out(
        lambda columns: importance.all_mcfadden(x, n, events, columns), players, MOST_PROMOTER
    )
    share, rows = events[0].sum() / n[0].sum(), int(cells.rows.sum())
    entropy = float(special.entr(share) + special.entr(1 - share))
    noise = [importance.random_mcfadden(entropy, [len(c) for c in columns], players.effective, level)
             for columns in (players.of_groups, players.columns)]  # fmt: skip
    sample = f", a sample of {rows:,} of {answers:,} answers" if rows < answers else ""
    told = f"Shapley value of McFadden's R², logit of {named[0]} >= {promoters_from:g}{sample}"
    optimism = x.shape[1] * importance.random_mcfadden(entropy, [1], players.effective, level)[1, 0]
    return _Solved(players, drawn, noise, optimism, rows, told)


def _rows(solved: _Solved, level: float, differences: bool) -> Iterator[dict[str, object]]:
    players, groups = solved.players, len(solved.players.groups)
    names = [name for name, _ in players.groups]
    widths = [len(c) for c in players.of_groups]
    yield from _block(solved, names, list(range(groups)), solved.noise[0][widths], level)
    for name, members in players.groups:
        where = [groups + j for j in members]
        own = len(members) > 1 or name != players.drivers[members[0]]  # a group may bear the name of its first member
        if own and not np.isnan(solved.drawn[0, where[0]]):
            terms = [f"{name}/{players.drivers[j]}" for j in members]
            noise = solved.noise[1][[len(players.columns[j]) for j in members]]
            yield from _block(solved, terms, where, noise, level)
    if differences:
        shares = importance.shares(solved.drawn)
        pairs = list(combinations(range(groups), 2))
        apart = np.stack([shares[:, a] - shares[:, b] for a, b in pairs], axis=1) if pairs else shares[:, :0]
        for row in estimates([f"{names[a]} - {names[b]}" for a, b in pairs], "difference", "share", apart, level):
            yield row | {"note": EQUAL if row["lower"] <= 0 <= row["upper"] else ""}
    # R² is too high by the optimism, and that of a resample once more; in shares it is above and below the line.
    last = np.concatenate([solved.drawn[:1, -1:], np.clip(solved.drawn[1:, -1:] - 2 * solved.optimism, 0.0, 1.0)])
    yield from estimates(["model"], "r_squared", "R²", last, level)


def _block(
    solved: _Solved, terms: Sequence[str], where: list[int], noise: np.ndarray, level: float
) -> Iterator[dict[str, object]]:
    """All measures of players that are ranked among each other."""
    own, shares = solved.drawn[:, where], importance.shares(solved.drawn)[:, where]
    noise = noise / max(solved.drawn[0, -1], 1e-300)
    yield from estimates(terms, "importance", "R²", own, level)
    for row, (_, upper) in zip(estimates(terms, "share", "share", shares, level), noise, strict=True):
        yield row | {"note": NOISE if row["estimate"] <= upper else ""}
    if not np.isnan(noise).any():
        for term, (mean, upper) in zip(terms, noise, strict=True):
            yield {"term": term, "measure": "random_share", "estimate": min(mean, 1.0), "lower": 0.0,
                   "upper": min(upper, 1.0), "unit": "share"}  # fmt: skip
    yield from estimates(terms, "rank", "rank", importance.ranks(own), level)
