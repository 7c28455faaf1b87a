"""How much of what a failure does to leaving runs through what customers then say: natural effects by the g-formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from . import design, natural_effects
from .cells import Cells, count_cells, is_number
from .engine import view
from .errors import refuse, shortened, unknown
from .fitted import FEWEST, resampled, subset, total
from .intervals import quantile
from .resample import percentile_interval
from .schema import ordered, results

LINKS = ("logit", "probit")
AT_ONCE = 50  # replicates whose predictions are held together
NO_PROPORTION = "no proportion: the total effect cannot be told from none"
Array = np.ndarray
Terms = list[design.Term]
Path = tuple[bool, tuple[bool, ...]]  # whether leaving, and each mediator in its order, see the failure


@dataclass(frozen=True)
class Chain:
    """The columns of a path in their order of time, and the two levels that are set against each other."""

    column: str
    bad: object
    good: object
    mediators: tuple[str, ...]
    adjust: tuple[str, ...]
    link: str
    interaction: bool


def mediation(
    data: Any,
    cause: Mapping[str, Mapping[object, object]],
    mediators: str | Sequence[str] = "nps_class",
    outcome: str = "left",
    adjust: Sequence[str] = (),
    customer: str | None = None,
    weights: str | None = None,
    interaction: bool = False,
    link: str = "logit",
    replicates: int = 400,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Split the effect of a failure on leaving into what runs through a score and what does not, on the risk scale.

    Parameters
    ----------
    data : frame with a row per customer, the failure before the score and the score before leaving (`study_paths`)
    cause : {column: {level: the level it is set against}}, such as {"service_band": {"failed": "good"}}
    mediators : factors in their order of time, such as ["experience", "nps_class"]; or one number
    outcome : true/false or 0/1 column
    adjust : confounders of failure, score and leaving
    customer, weights : the unit of resampling, one row each (default: the row); weights, 0 or more
    interaction : whether the score may act otherwise after a failure
    link : of leaving, "logit" or "probit"
    replicates, seed : of the resampling of the whole computation

    Returns
    -------
    DataFrame in the result shape, unit "share" (differences of the share who leave), n = customers at either level.
    Terms total, direct and indirect, measure effect; direct and indirect also control (with the other part as without
    the failure), treated (as with it); indirect: proportion of the total, where that can be told from none. "through x"
    of each of several mediators: what passes by x first. Naive: crude effect; coefficients, proportion.

    Raises
    ------
    CxError: columns or levels that are missing, gaps, too few customers or leavers at either level.

    Notes
    -----
    Q = mean over customers at either level of the sum of P(left | failure, score) P(score | failure'), from models of
    these customers alone; no products of coefficients. A number has a normal linear model. Checked against R's
    mediation (`framing`) and known truth.

    Source: Robins & Greenland 1992; Pearl 2001; Imai, Keele & Tingley 2010; VanderWeele et al. 2014.
    """
    seen, named = view(data), (mediators,) if isinstance(mediators, str) else tuple(mediators)
    quantile(level)
    chain = _chain(cause, named, tuple(dict.fromkeys(adjust)), link, interaction)
    refuse(unknown("column", name, seen.at, "mediation") for name in _columns(chain) if name not in seen.at)
    cells = count_cells(seen, _columns(chain), outcome, customer, weights)
    cells = subset(cells, _contrasted(cells, chain))
    _check(cells, chain, outcome)
    drawn = resampled(cells, replicates, seed)
    n, events = (np.vstack([whole, own]) for whole, own in zip(total(cells), drawn, strict=True))
    more = ", with interaction" * interaction + ", weighted" * bool(weights)
    unit = "customer" if customer else "row"
    method = f"g-formula, {link}{more}; percentiles of {replicates} refits, resampled by {unit}"
    fixed = {"unit": "share", "level": level, "n": int(cells.rows.sum()), "method": method}
    values = _split(_worlds(cells, n, events, chain), chain) | _naive(cells, n, events, chain)
    rows = [fixed | {"term": term, "measure": measure} | _limits(found, level)
            for (term, measure), found in values.items()]  # fmt: skip
    whole: dict[str, Any] = rows[0]
    for row in rows:
        if row["measure"] == "proportion" and not (whole["lower"] > 0 or whole["upper"] < 0):
            row |= dict.fromkeys(("estimate", "std_error", "lower", "upper"), np.nan) | {"note": NO_PROPORTION}
    return results(rows)


def _limits(values: Array, level: float) -> dict[str, float]:
    spread, lower, upper = (float(x) for x in percentile_interval(values[1:], level))
    return {"estimate": float(values[0]), "std_error": spread, "lower": lower, "upper": upper}


def _split(q: Mapping[Path, Array], chain: Chain) -> dict[tuple[str, str], Array]:
    """Natural effects from the mean risks of every world."""
    k = len(chain.mediators)
    on, off = (True,) * k, (False,) * k
    indirect = {"control": q[False, on] - q[False, off], "treated": q[True, on] - q[True, off]}
    direct = {"control": q[True, off] - q[False, off], "treated": q[True, on] - q[False, on]}
    found = {("total", "effect"): q[True, on] - q[False, off]}
    for term, parts in (("direct", direct), ("indirect", indirect)):
        found[term, "effect"] = (parts["control"] + parts["treated"]) / 2
        found |= {(term, measure): values for measure, values in parts.items()}
    found["indirect", "proportion"] = _share(found["indirect", "effect"], found["total", "effect"])
    if k > 1:
        for i, name in enumerate(chain.mediators):
            # From the first on: what the failure does to this one, those before it as without the failure.
            later, from_here = (False,) * (i + 1) + (True,) * (k - i - 1), (False,) * i + (True,) * (k - i)
            found[f"through {name}", "effect"] = q[False, from_here] - q[False, later]
    return found


def _worlds(cells: Cells, n: Array, events: Array, chain: Chain) -> dict[Path, Array]:
    """Mean risk of leaving of every replicate in each world that the effects compare."""
    grid, place = _settings(cells, chain)
    weight = n @ np.eye(len(grid))[place]
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    leaving = _leaving(cells, chain)
    beta = natural_effects.fit_link(design.matrix(cells.levels, leaving), n, events, chain.link)
    k = len(chain.mediators)
    ends = [tuple(j >= i for j in range(k)) for i in range(k + 1)]
    wanted = [(False, end) for end in ends] + [(True, end) for end in (ends[0], ends[-1])]
    if is_number(cells.levels[chain.mediators[0]]):
        risks = _by_number(cells, n, chain, grid, leaving, beta)
    else:
        risks = _by_levels(cells, n, chain, grid, leaving, beta)
    parts = [{path: (weight[rows] * risks(path, rows)).sum(axis=1) for path in wanted}
             for rows in (slice(i, i + AT_ONCE) for i in range(0, len(n), AT_ONCE))]  # fmt: skip
    return {path: np.concatenate([part[path] for part in parts]) for path in wanted}


def _by_levels(
    cells: Cells, n: Array, chain: Chain, grid: pd.DataFrame, leaving: list[design.Term], beta: Array
) -> Any:
    """Risk of every setting of the confounders, for mediators that are factors."""
    levels = [ordered(name, cells.levels[name].unique()) for name in chain.mediators]
    steps, designs = [], []
    for k, name in enumerate(chain.mediators):
        terms = _terms(cells, chain, chain.mediators[:k])
        place = cells.levels[name].map({value: i for i, value in enumerate(levels[k])}).to_numpy(int)
        steps.append(natural_effects.fit_steps(design.matrix(cells.levels, terms), n, place, len(levels[k])))
        designs.append({a: design.matrix(_set(grid, chain, a, levels[:k]), terms) for a in (False, True)})
    outcome = {a: design.matrix(_set(grid, chain, a, levels), leaving) for a in (False, True)}
    sizes = [len(own) for own in levels]

    def risks(path: Path, rows: slice) -> Array:
        a, along = path
        risk = natural_effects.inverse(chain.link)(beta[rows] @ outcome[a].T)
        shares = [natural_effects.level_shares(designs[k][seen], [step[rows] for step in steps[k]])
                  for k, seen in enumerate(along)]  # fmt: skip
        shares = [share.reshape(len(risk), len(grid), *sizes[: k + 1]) for k, share in enumerate(shares)]
        return natural_effects.chained(risk.reshape(len(risk), len(grid), *sizes), shares)

    return risks


def _by_number(
    cells: Cells, n: Array, chain: Chain, grid: pd.DataFrame, leaving: list[design.Term], beta: Array
) -> Any:
    """Risk of every setting of the confounders, for one mediator that is a number, by quadrature."""
    [name], terms = chain.mediators, _terms(cells, chain, ())
    line, deviation = natural_effects.fit_line(
        design.matrix(cells.levels, terms), n, cells.levels[name].to_numpy(float)
    )
    values, weights = natural_effects.nodes()

    def risks(path: Path, rows: slice) -> Array:
        a, (seen,) = path
        mean = line[rows] @ design.matrix(_set(grid, chain, seen, []), terms).T
        at = [design.matrix(_set(grid, chain, a, []).assign(**{name: value}), leaving) for value in (0.0, 1.0)]
        low, slope = beta[rows] @ at[0].T, beta[rows] @ (at[1] - at[0]).T
        said = mean[..., None] + deviation[rows, None, None] * values
        return natural_effects.inverse(chain.link)(low[..., None] + slope[..., None] * said) @ weights

    return risks


def _settings(cells: Cells, chain: Chain) -> tuple[pd.DataFrame, Array]:
    """Every setting of the confounders that occurs, and the setting of each cell."""
    if not chain.adjust:
        return pd.DataFrame(index=[0]), np.zeros(len(cells.levels), int)
    groups = cells.levels.groupby(list(chain.adjust), sort=False, observed=True)
    return cells.levels[list(chain.adjust)].drop_duplicates(ignore_index=True), groups.ngroup().to_numpy()


def _set(grid: pd.DataFrame, chain: Chain, failed: bool, levels: Sequence[Sequence[object]]) -> pd.DataFrame:
    """Every setting with the failure or without, and with each combination of levels of the first mediators."""
    combinations = pd.DataFrame(list(product(*levels)), columns=list(chain.mediators[: len(levels)]))
    crossed = grid.merge(combinations, how="cross") if len(levels) else grid
    return crossed.assign(**{chain.column: chain.bad if failed else chain.good})


def _terms(cells: Cells, chain: Chain, before: Sequence[str]) -> Terms:
    """Main effects that the data can carry; one that others determine says nothing more and is left out."""
    columns = [chain.column, *chain.adjust, *before]
    terms = design.main_effects(cells.levels, columns, {chain.column: chain.good})
    possible = design.estimable(design.matrix(cells.levels, terms), total(cells)[0][0])
    return [term for term, ok in zip(terms, possible, strict=True) if ok]


def _leaving(cells: Cells, chain: Chain) -> Terms:
    """Terms of leaving: main effects and, with interaction, the failure by what was said."""
    terms = _terms(cells, chain, chain.mediators)
    if not chain.interaction:
        return terms
    said = [term for term in terms if term and term[0][0] in chain.mediators]
    both = terms + [((chain.column, chain.bad), *term) for term in said]
    possible = design.estimable(design.matrix(cells.levels, both), total(cells)[0][0])
    return [term for term, ok in zip(both, possible, strict=True) if ok]


def _naive(cells: Cells, n: Array, events: Array, chain: Chain) -> dict[tuple[str, str], Array]:
    """What is often shown: the difference of shares, nothing adjusted for, and the drop of the logit coefficient."""
    share = [(events[:, at].sum(axis=1) / np.maximum(n[:, at].sum(axis=1), 1e-300))
             for at in ((cells.levels[chain.column] == end).to_numpy() for end in (chain.bad, chain.good))]  # fmt: skip
    effect = []
    for terms in (_terms(cells, chain, ()), _leaving(cells, replace(chain, interaction=False))):
        beta = natural_effects.fit_link(design.matrix(cells.levels, terms), n, events, chain.link)
        effect.append(beta[:, terms.index(((chain.column, chain.bad),))])
    return {("crude", "effect"): share[0] - share[1], ("coefficients", "proportion"): 1 - _share(effect[1], effect[0])}


def _share(part: Array, whole: Array) -> Array:
    """nan where there is nothing to have a share of."""
    return part / np.where(whole == 0, np.nan, whole)


def _columns(chain: Chain) -> list[str]:
    return [chain.column, *chain.mediators, *chain.adjust]


def _chain(cause: Any, mediators: tuple[str, ...], adjust: tuple[str, ...], link: str, interaction: bool) -> Chain:
    one = isinstance(cause, Mapping) and len(cause) == 1 and all(isinstance(m, Mapping) for m in cause.values())
    pairs = [(c, bad, good) for c, to in cause.items() for bad, good in to.items()] if one else []
    shape = "{column: {level: the level it is set against}}"
    faults = [] if len(pairs) == 1 else [f"cause must name one column and one level: {shape}, not {shortened(cause)}"]
    faults += [] if mediators else ["mediators must name at least one column, such as 'nps_class'"]
    faults += [] if link in LINKS else [unknown("link", link, LINKS)]
    used = [*(column for column, _, _ in pairs), *mediators, *adjust]
    faults += [
        f"column '{c}' has two places in the path; name it once" for c in dict.fromkeys(used) if used.count(c) > 1
    ]
    refuse(faults)
    return Chain(*pairs[0], mediators, adjust, link, interaction)


def _contrasted(cells: Cells, chain: Chain) -> Array:
    """The cells of customers at either level, both of which must occur."""
    own = cells.levels[chain.column]
    where = f"cause, column '{chain.column}'"
    refuse(
        unknown("level", value, own.unique(), where) for value in (chain.bad, chain.good) if not (own == value).any()
    )
    return own.isin([chain.bad, chain.good]).to_numpy()


def _check(cells: Cells, chain: Chain, outcome: str) -> None:
    """Refuse what does not vary, and too few to tell."""
    own, (n, events) = cells.levels[chain.column], (counts[0] for counts in total(cells))
    people = {value: int(cells.rows[(own == value).to_numpy()].sum()) for value in (chain.bad, chain.good)}
    faults = [f"at least {FEWEST} customers must have '{value}', not {found}; widen the period"
              for value, found in people.items() if found < FEWEST]  # fmt: skip
    faults += [f"mediator '{m}' must have two levels or more" for m in chain.mediators if cells.levels[m].nunique() < 2]
    numbers = [m for m in chain.mediators if is_number(cells.levels[m])]
    faults += [
        f"mediator '{m}' is a number beside others; make bands of it" for m in numbers if len(chain.mediators) > 1
    ]
    least = min(events.sum(), (n - events).sum())
    if least < FEWEST:
        faults.append(f"outcome '{outcome}' must have at least {FEWEST} leavers and stayers, not {least:g}")
    terms = design.main_effects(cells.levels, [*chain.adjust, chain.column], {chain.column: chain.good})
    if not faults and not design.estimable(design.matrix(cells.levels, terms), n)[-1]:
        faults = [f"column '{chain.column}' is determined by the confounders; leave out the one that tells it"]
    refuse(faults)
