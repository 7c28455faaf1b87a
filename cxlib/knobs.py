"""The simulated service under a few knobs that anyone can turn: naive, adjusted and true share of service, at once."""

from __future__ import annotations

import math
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import logit

from . import population as pop
from .cells import Cells
from .errors import CxError, LostData, refuse, shortened
from .fitted import AttritionFit, fit_cells
from .fractions import attributable_fractions, unadjusted_fractions
from .schema import TOO_FEW, results
from .simulation import LAST_DAY
from .story import AXES, HORIZON_DAYS, SHAPE, Story, Truth, make_story, true_answers

CAUSES: dict[str, dict[str, dict[object, object]]] = {
    "service": {"service_band": {"failed": "good"}},
    "price": {"price_band": {"raised": "same", "raised a lot": "same"}},
}
FIRST_DAY = date(2024, 7, 1)
# Knob -> the most it can be turned to; the least is 0, and 1 for what a failure does.
LIMITS = {"faults": 60.0, "failing": 95.0, "harm": 8.0, "raises": 90.0, "calling": 100.0}
REPLICATES = 200


def turned(
    faults: float = 30,
    failing: float = 55,
    harm: float = 3.7,
    raises: float = 60,
    calling: float = 70,
    customers: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """What a report would say about service and price, beside the truth, in a world turned by knobs.

    Parameters
    ----------
    faults : product faults per 100 customers and quarter, 0 to 60
    failing : of 100 contacts about a fault, how many fail, 0 to 95; contacts about other things fail less, in step
    harm : times by which a failed contact multiplies the odds of leaving, against a good one; 1 to 8
    raises : of 100 yearly price reviews, how many end in a raise, 0 to 90
    calling : of 100 customers with a fault, how many contact support, 0 to 100
    customers : who ever signed up; about half are at risk at the landmark
    seed : of the customers and of the resampling

    Returns
    -------
    DataFrame in the result shape, first the column model, measure fraction: "naive" (nothing adjusted for), "adjusted"
    (for faults, market price, tenure, segment and plan) and "true" (of these very customers, from their risks); terms
    service, price and joint; then ("true", "leaving"), the share of customers expected to leave. What no customers
    were left to tell is "too few".

    Raises
    ------
    CxError : a knob beyond its end.

    Notes
    -----
    The story of `cx.simulate` with main effects only. Customers are drawn anew, by the same seed, at every turn.

    >>> found = turned(customers=2000, harm=1)
    >>> float(found.set_index(["model", "term", "measure"])["estimate"]["true", "service", "fraction"])
    0.0
    """
    story = _story(faults=faults, failing=failing, harm=harm, raises=raises, calling=calling)
    at_risk, left, truth = world(story, customers, seed)
    rows = [
        {"model": "true", "term": term, "measure": "fraction", "estimate": share, "n": truth.at_risk, "unit": "share",
         "method": "from the risks of these customers"}
        for term, share in truth.fraction.items()
    ]  # fmt: skip
    rows.append(rows[0] | {"term": "leaving", "measure": "share", "estimate": truth.expected_attrition})
    return results([*_estimates(at_risk, left, seed), *rows], by=["model"])


def _estimates(at_risk: np.ndarray, left: np.ndarray, seed: int) -> list[dict]:
    """Naive and adjusted fractions; "too few" where these customers cannot carry a model."""
    told = []
    try:
        fit = fitted(at_risk, left, seed)
        for model, estimates in (("naive", unadjusted_fractions), ("adjusted", attributable_fractions)):
            found = estimates(fit)
            told += found[found["measure"] == "fraction"].assign(model=model).to_dict("records")
    except LostData:
        raise
    except CxError:
        told = []
    there = {(row["model"], row["term"]) for row in told}
    none = {"measure": "fraction", "n": int(at_risk.sum()), "unit": "share", "level": 0.95, "note": TOO_FEW}
    return told + [
        none | {"model": model, "term": term}
        for model in ("naive", "adjusted") for term in (*CAUSES, "joint") if (model, term) not in there
    ]  # fmt: skip


def world(story: Story, customers: int, seed: int) -> tuple[np.ndarray, np.ndarray, Truth]:
    """Customers at risk and leavers by combination of bands (shape SHAPE each), and the truth about them."""
    days = (LAST_DAY + timedelta(days=1) - FIRST_DAY).days
    period = pop.Period(FIRST_DAY, days, days - 1 - HORIZON_DAYS)
    rng = np.random.Generator(np.random.SFC64(seed))
    ends = pop.ends_of(rng, pop.lives_of(rng, customers, period, story), period, story)
    as_of = FIRST_DAY + timedelta(days=period.landmark)
    return ends.at_risk, ends.left, true_answers(story, customers, ends.at_risk, ends.left, as_of, LAST_DAY)


def fitted(at_risk: np.ndarray, left: np.ndarray, seed: int = 0) -> AttritionFit:
    """The kit's own model on these counts, main effects only, with refits on resampled customers."""
    there = np.flatnonzero(at_risk.ravel() > 0)
    n, events = at_risk.ravel()[there], left.ravel()[there]
    codes = np.unravel_index(there, SHAPE)
    levels = pd.DataFrame({name: np.array(AXES[name])[code] for name, code in zip(AXES, codes, strict=True)})
    causes = {
        cause: columns for cause, columns in CAUSES.items()
        if any(levels[name].isin(list(to)).any() for name, to in columns.items())
    }  # fmt: skip
    cells = Cells(
        levels, sparse.csr_array(n[None].astype(float)), sparse.csr_array(events[None].astype(float)), n, False
    )
    # Customers of a cell are alike: drawing them anew is drawing how many of each cell left and stayed.
    drawn = np.random.default_rng(seed).multinomial(
        n.sum(), np.concatenate([events, n - events]) / n.sum(), size=REPLICATES
    ).astype(float)  # fmt: skip
    gone, stayed = np.split(drawn, 2, axis=1)
    adjust = [name for name in AXES if levels[name].nunique() > 1 and name not in ("service_band", "price_band")]
    return fit_cells(cells, (gone + stayed, gone), "left", causes, adjust, None, "customer")


@lru_cache(maxsize=64)
def _story(**knobs: float) -> Story:
    """The story that the knobs tell."""
    refuse(
        f"{name} must be a number from {int(name == 'harm')} to {LIMITS[name]:g}, not {shortened(repr(value))}"
        for name, value in knobs.items()
        if not isinstance(value, (int, float)) or isinstance(value, bool)
        or not int(name == "harm") <= value <= LIMITS[name]
    )  # fmt: skip
    usual = Story()
    failing = min(max(knobs["failing"] / 100, 1e-6), 1 - 1e-6)
    often = knobs["raises"] / 100 / (usual.raise_small + usual.raise_large)
    return make_story({
        "fault_rate": knobs["faults"] / 100,
        "failure_base": float(logit(failing)) - usual.failure_after_fault,
        "service_failed": usual.service_good + math.log(knobs["harm"]),
        "raise_small": usual.raise_small * often,
        "raise_large": usual.raise_large * often,
        "contact_after_fault": knobs["calling"] / 100,
    })  # fmt: skip
