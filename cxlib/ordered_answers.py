"""Whether a driver analysis stands when the score is taken as ordered classes instead of as a number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from . import ordinal
from .design import estimable
from .engine import NUMBER, View, collect, view
from .errors import refuse, unknown
from .players import Checked, checked, driver_terms, sampled
from .schema import results
from .scores import classes as nps_classes
from .scores import counted, ends, score_faults

NPS_CLASSES = ("detractor", "passive", "promoter")
MOST_ANSWERS = 100_000  # of the model of ordered answers
SPLITS = ("nps", "points")


def ordinal_check(
    data: Any,
    score: str,
    drivers: Sequence[str],
    customer: str | None = None,
    missing: str | None = None,
    split: str = "nps",
    scale: tuple[int, int] = (0, 10),
    level: float = 0.95,
) -> pd.DataFrame:
    """Whether the drivers act alike where the score is taken as ordered classes instead of as a number.

    Parameters
    ----------
    score : answers on `scale`; rows without one are left out
    drivers, missing : as in `relative_importance`
    customer : by whose hash a sample is taken of more than 100,000 answers
    split : "nps" (detractor, passive, promoter) or "points" (every point that occurs)

    Returns
    -------
    DataFrame in the result shape: for every column of a driver coefficient (log odds ratio of a higher answer, per
    point); for "nps" also, by driver, proportional_odds (p value that its effect is the same on promoters as on
    detractors; the note says where that is refuted, the false discovery rate held); ("a | b", "threshold"); ("model",
    ...) log_likelihood, mcfadden (McFadden's R²).

    Notes
    -----
    Proportional-odds logit, unweighted (McCullagh 1980); the test frees one driver at a time (likelihood ratio). On all
    points some classes are so rare that freed thresholds cross: no test there. Checked against R (MASS polr, ordinal
    clm and nominal_test) and statsmodels OrderedModel.

    Examples
    --------
    >>> data = pd.DataFrame({"recommend": [10, 9, 8, 6, 3, 7, 9, 5] * 5, "staff": [5, 3, 4, 3, 2, 5, 4, 4] * 5})
    >>> table = ordinal_check(data, "recommend", ["staff"])
    >>> table.loc[table["measure"] == "coefficient", "estimate"].round(2).tolist()
    [0.97]
    """
    seen, (first, last) = view(data), ends(scale)
    refuse([unknown("split", split, SPLITS)] if split not in SPLITS else [])
    given = checked(seen, score, drivers, None, None, customer, missing)
    refuse(score_faults(counted(seen, score, [], {}), seen, score, first, last))
    names, places, x, answer = _rows_of(seen, score, given, customer)
    told = nps_classes(answer, last) if split == "nps" else answer
    found, codes = np.unique(told, return_inverse=True)
    refuse([f"score '{score}' must fall into two classes or more, not one; all {len(x):,} answers are alike"]
           if len(found) < 2 else [])  # fmt: skip
    fit = ordinal.proportional_odds(x, codes)
    labels = [NPS_CLASSES[int(c) + 1] if split == "nps" else f"{c:g}" for c in found]
    rows = [*_effects(fit, names, [f"{a} | {b}" for a, b in itertools.pairwise(labels)], level)]
    if split == "nps" and len(found) == 3:
        rows += _proportional(x, codes, fit, dict(zip(given.drivers, places, strict=True)), 1 - level)
    rows.append(
        {"term": "model", "measure": "log_likelihood", "estimate": fit.log_likelihood, "unit": "log likelihood"}
    )
    rows.append({"term": "model", "measure": "mcfadden", "estimate": 1 - fit.log_likelihood / fit.null, "unit": "R²"})
    sample = f", a sample of {len(x):,} of {given.rows:,} answers" if len(x) < given.rows else ""
    return results({"n": len(x), "level": level, "method": f"proportional-odds logit{sample}", **row} for row in rows)


def _rows_of(
    seen: View, score: str, given: Checked, customer: str | None
) -> tuple[list[str], list[list[int]], np.ndarray, pd.Series]:
    """Names of the drivers' columns (each once), those of each driver, the columns, and the answers."""
    terms, places = driver_terms(seen, given)
    columns = [e.cast(nw.Float64).alias(f"x{i}") for i, e in enumerate(terms.values())]
    lazy = sampled(seen, given, customer, MOST_ANSWERS)
    table = collect(lazy.select(seen[score].cast(nw.Float64).alias("y"), *columns))
    x = table.drop(columns="y").to_numpy(float, copy=True)
    # Ratings without gaps as they are, so that thresholds compare with other software.
    for driver, place in zip(given.drivers, places, strict=True):
        if seen.kind[driver] == NUMBER and not given.has_gaps(driver):
            x[:, place[0]] += given.facts.at[driver, "mean"]
    kept = estimable(np.column_stack([np.ones(len(x)), x]), np.ones(len(x)))[1:]
    at = np.cumsum(kept) - 1
    own = [[int(at[c]) for c in place if kept[c]] for place in places]
    refuse(f"driver '{driver}' must vary, and not only with the drivers before it; leave it out"
           for driver, left in zip(given.drivers, own, strict=True) if not left)  # fmt: skip
    return [name for name, keep in zip(terms, kept, strict=True) if keep], own, x[:, kept], table["y"]


def _effects(
    fit: ordinal.OrdinalFit, names: Sequence[str], cuts: Sequence[str], level: float
) -> Iterator[dict[str, Any]]:
    z = stats.norm.ppf((1 + level) / 2)
    kinds = ["coefficient"] * len(names) + ["threshold"] * len(cuts)
    values = np.concatenate([fit.beta, fit.thresholds])
    for term, kind, value, error in zip([*names, *cuts], kinds, values, fit.std_error, strict=True):
        yield {"term": term, "measure": kind, "estimate": value, "std_error": error, "lower": value - z * error,
               "upper": value + z * error, "unit": "log odds"}  # fmt: skip


def _proportional(
    x: np.ndarray, codes: np.ndarray, fit: ordinal.OrdinalFit, drivers: Mapping[str, list[int]], rate: float
) -> list[dict[str, Any]]:
    drivers = {driver: own for driver, own in drivers.items() if own}
    gains = [2 * (ordinal.freed(x, codes, fit, own) - fit.log_likelihood) for own in drivers.values()]
    p = [float(stats.chi2.sf(gain, len(own))) for gain, own in zip(gains, drivers.values(), strict=True)]
    refuted = multipletests(p, rate, method="fdr_bh")[0]
    rows: list[dict[str, Any]] = []
    for driver, gain, value, out in zip(drivers, gains, p, refuted, strict=True):
        note = "acts differently on promoters and on detractors" if out else ""
        rows.append({"term": driver, "measure": "likelihood_ratio", "estimate": gain, "unit": "chi-squared"})
        rows.append(
            {"term": driver, "measure": "proportional_odds", "estimate": value, "unit": "p value", "note": note}
        )
    return rows
