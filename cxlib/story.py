"""The causal story behind simulated data: named effect sizes, the true risk of leaving, and the truth it implies."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import expit

from . import schema
from .errors import nearest, refuse, shortened, unknown

LOOKBACK_DAYS, HORIZON_DAYS, SLOW_HOURS = 180, 90, 72
SEGMENTS = ("consumer", "small business", "enterprise")
PLANS = ("basic", "standard", "premium")
REGIONS = ("North", "South", "East", "West")

# Axes of every table of risks or counts below, in this order.
AXES: dict[str, tuple[str, ...]] = {
    "service_band": schema.SERVICE_LEVELS,
    "price_band": schema.PRICE_LEVELS,
    "gap_band": schema.GAP_LEVELS,
    "fault_band": schema.FAULT_LEVELS,
    "tenure_band": schema.TENURE_LEVELS,
    "segment": SEGMENTS,
    "plan": PLANS,
}
SHAPE = tuple(len(levels) for levels in AXES.values())

REASONS: dict[str, tuple[str, ...]] = {
    "service": ("Poor support", "Attitude of support staff", "Problem never solved"),
    "price": ("Price too high", "Price increase"),
    "product": ("Product faults", "Missing features"),
    "competitor": ("Competitor offer", "Competitor had a better product"),
    "personal": ("No longer needed", "Moved", "Do not know"),
}
INVOLUNTARY_REASONS = ("Payment failure", "Moved", "Deceased")


def _share(default: float) -> float:
    return field(default=default, metadata={"range": (0.0, 1.0)})


def _positive(default: float) -> float:
    return field(default=default, metadata={"range": (0.0, 20.0)})


@dataclass(frozen=True)
class Story:
    """Effect sizes of the simulated service. Risks are on the log-odds scale, rates per customer and 90 days.

    The voluntary risk of the next 90 days is the logit of `base_risk` plus one effect for each band; the first
    level of every band and *no* support contact are the zero.
    """

    # the risk of leaving (log odds)
    base_risk: float = -3.35
    service_good: float = 0.05
    service_failed: float = 1.35
    price_raised: float = 0.70
    price_raised_a_lot: float = 0.95
    service_by_price: float = 0.0  # added where a contact failed and the price was raised
    gap_above: float = 0.25
    gap_far_above: float = 0.60
    fault_one: float = 0.90
    fault_several: float = 2.90
    tenure_6_to_12: float = -0.15
    tenure_1_to_2: float = -0.35
    tenure_over_2: float = -0.60
    segment_small_business: float = -0.15
    segment_enterprise: float = -0.45
    plan_standard: float = -0.10
    plan_premium: float = 0.15
    involuntary: float = _share(0.008)  # risk per 90 days: payment failure, moved, deceased
    reason_noise: float = _share(0.35)  # leavers whose stated reason has nothing to do with the cause

    # who there is, and what happens to them
    established: float = _share(0.45)  # customers who signed up before the period
    fault_rate: float = _positive(0.30)
    fault_spread: float = _positive(1.60)  # variance of the customers' own proneness to faults (mean 1)
    fault_new_customers: float = _positive(1.4)  # times the rate, for those who signed up within the period
    contact_rate: float = _positive(0.20)  # support contacts for reasons of the customer's own
    contact_after_fault: float = _share(0.70)
    contact_after_raise: float = _share(0.15)
    failure_base: float = -2.40  # log odds that a contact fails
    failure_after_fault: float = 2.60
    failure_enterprise: float = -0.50
    failure_premium: float = -0.40
    failure_region: float = 0.15  # added in the South, subtracted in the West
    raise_small: float = _share(0.38)  # of yearly price reviews
    raise_large: float = _share(0.22)
    raise_consumer: float = _positive(1.2)  # times the chance of a raise, consumers on the basic plan
    visit_rate: float = _positive(0.40)  # logged visits to website, app, help pages and bills

    # surveys: answers come from ratings of touchpoints met, a halo, and noise
    survey_interval: float = field(default=182.0, metadata={"range": (30.0, 3650.0)})  # days
    answer_base: float = 0.35  # log odds of an answer
    answer_experience: float = 0.45  # per standard deviation of the experience
    answer_enterprise: float = -0.50
    comment_share: float = _share(0.33)  # of answers
    halo_rating: float = _positive(0.45)  # points of every rating per standard deviation of the halo
    halo_recommend: float = _positive(0.35)
    rating_noise: float = _positive(0.80)
    drop_fault: float = 0.65  # points off the product's rating, per fault up to two
    drop_failed: float = 1.70  # points off the rating of support after a failed contact
    drop_raise: float = 0.80  # points off the rating of the price after a raise, twice after a large one
    recommend_base: float = 8.50  # score with every rating at 4 and no support met
    recommend_noise: float = _positive(1.20)
    met_support: float = -0.20  # having needed support at all
    effect_website: float = 0.20  # points of the score per point of rating, where met
    effect_purchase: float = 0.20
    effect_delivery: float = 0.15
    effect_onboarding: float = 0.25
    effect_product: float = 0.75
    effect_app: float = 0.20
    effect_billing: float = 0.15
    effect_price: float = 0.40
    effect_help_pages: float = 0.20
    effect_contact_support: float = 0.80
    effect_technician: float = 0.30
    effect_renewal: float = 0.20

    # what contacts and answers lead to
    switch_drop: float = _share(0.90)  # chance that each point of csat above 3 goes when an issue changes channel
    told_promoter: float = _share(0.82)  # told others, of each class
    told_passive: float = _share(0.48)
    told_detractor: float = _share(0.86)
    referred: float = _share(0.24)  # of newcomers
    referral_passive: float = _share(0.25)  # pull of a passive's word, a promoter's being 1
    referral_detractor: float = _share(0.02)
    follow_up_base: float = -0.90  # log odds that a detractor is called back
    follow_up_score: float = 1.00  # added for scores of 5 and 6
    follow_up_satisfaction: float = 1.40  # a point above 3: the milder ones are the more pleasant to call
    follow_up_days: float = field(default=4.0, metadata={"range": (0.0, 365.0)})  # mean, until the call


RATING_CENTRE = 4.0  # effects on the score act on rating - 4


def make_story(overrides: Mapping[str, float]) -> Story:
    """A story with some effect sizes replaced; unknown names and impossible values are refused, all at once."""
    known = {f.name: f for f in fields(Story)}
    faults = []
    for name, value in overrides.items():
        if name not in known:
            # Eighty names would hide the one that is meant.
            close = nearest(name, known)
            faults.append(unknown("effect", name, [close] if close else known, "simulate"))
            continue
        low, high = known[name].metadata.get("range", (-20.0, 20.0))
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not (number and low <= value <= high):
            faults.append(f"simulate: {name} must be a number from {low:g} to {high:g}, not {shortened(value)!r}; "
                          f"its default is {known[name].default:g}")  # fmt: skip
    refuse(faults)
    return Story(**overrides)


def coefficients(story: Story) -> dict[str, dict[str, float]]:
    """Log-odds effect of every level of every band, in the order of AXES."""
    s = story
    effects = (
        (0.0, s.service_good, s.service_failed),
        (0.0, s.price_raised, s.price_raised_a_lot),
        (0.0, s.gap_above, s.gap_far_above),
        (0.0, s.fault_one, s.fault_several),
        (0.0, s.tenure_6_to_12, s.tenure_1_to_2, s.tenure_over_2),
        (0.0, s.segment_small_business, s.segment_enterprise),
        (0.0, s.plan_standard, s.plan_premium),
    )
    return {name: dict(zip(AXES[name], values, strict=True)) for name, values in zip(AXES, effects, strict=True)}


def risk_table(story: Story) -> np.ndarray:
    """The true 90-day risk of leaving voluntarily, for every combination of bands (shape SHAPE)."""
    logit = np.full(SHAPE, story.base_risk)
    for axis, effects in enumerate(coefficients(story).values()):
        logit += np.reshape(list(effects.values()), [-1 if i == axis else 1 for i in range(len(SHAPE))])
    logit[2, 1:] += story.service_by_price
    return expit(logit)


@dataclass(frozen=True)
class Truth:
    """What is true of the simulated customers at risk at `as_of`, computed from their risks and not estimated.

    Causes: service sets a failed contact to a good one (not to no contact), price sets a raise to the same price and
    leaves the gap to the market as it is. Shares of risk are weighted by true risk, as methods of attribution are.
    `naive_service_fraction` = 1 - risk of those without a failed contact / overall risk, nothing adjusted for.
    """

    as_of: str
    last_day: str
    lookback_days: int
    horizon_days: int
    slow_hours: int
    customers: int
    at_risk: int
    expected_attrition: float
    realised_attrition: float
    fraction: dict[str, float]  # service, price, joint
    average_fraction: dict[str, float]
    last: dict[str, float]
    lowest_order: dict[str, float]
    highest_order: dict[str, float]
    lower_bound: dict[str, float]
    upper_bound: dict[str, float]
    outweighs: dict[str, dict[str, float]]  # of_all, of_any, of_both -> term -> share
    naive_service_fraction: float
    intercept: float
    service_by_price: float
    coefficients: dict[str, dict[str, float]]
    story: dict[str, float]
    journey: dict[str, dict[str, float]] = field(default_factory=dict)  # of `cxlib.aftermath.true_journey`


def true_answers(
    story: Story, customers: int, at_risk: np.ndarray, left: np.ndarray, as_of: date, last_day: date,
    journey: dict[str, dict[str, float]] | None = None,
) -> Truth:  # fmt: skip
    """The truth from counts of customers at risk and leavers by combination of bands (shape SHAPE each)."""
    risk = risk_table(story)
    weight = at_risk * risk
    total, n = weight.sum(), int(at_risk.sum())
    if n == 0:
        refuse([f"simulate: nobody is at risk at {as_of} among {customers} customers; ask for more customers"])
    no_service, no_price, neither = risk[[0, 1, 1]], risk[:, [0, 0, 0]], risk[[0, 1, 1]][:, [0, 0, 0]]
    first = {"service": risk - no_service, "price": risk - no_price}
    last = {"service": no_price - neither, "price": no_service - neither}
    phi = {cause: (first[cause] + last[cause]) / 2 for cause in first}

    def share(gain: np.ndarray) -> float:
        return float((at_risk * gain).sum() / total)

    alone = {cause: share(first[cause]) for cause in first}
    after = {cause: share(last[cause]) for cause in first}
    failed, raised = _exposed()
    return Truth(
        as_of=str(as_of),
        last_day=str(last_day),
        lookback_days=LOOKBACK_DAYS,
        horizon_days=HORIZON_DAYS,
        slow_hours=SLOW_HOURS,
        customers=customers,
        at_risk=n,
        expected_attrition=float(total / n),
        realised_attrition=float(left.sum() / n),
        fraction=alone | {"joint": share(risk - neither)},
        average_fraction={cause: share(phi[cause]) for cause in phi},
        last=after,
        lowest_order={cause: min(alone[cause], after[cause]) for cause in alone},
        highest_order={cause: max(alone[cause], after[cause]) for cause in alone},
        lower_bound={cause: max(0.0, alone[cause]) for cause in alone},
        upper_bound={"service": float(weight[failed].sum() / total), "price": float(weight[raised].sum() / total)},
        outweighs=_four_ways(weight, phi["price"], phi["service"], failed, raised),
        naive_service_fraction=float(1 - _mean(risk, at_risk * ~failed) / _mean(risk, at_risk)),
        intercept=story.base_risk,
        service_by_price=story.service_by_price,
        coefficients=coefficients(story),
        story=asdict(story),
        journey=journey or {},
    )


def _exposed() -> tuple[np.ndarray, np.ndarray]:
    index = np.indices(SHAPE)
    return index[0] == 2, index[1] > 0


def _mean(values: np.ndarray, counts: np.ndarray) -> float:
    return float((values * counts).sum() / counts.sum()) if counts.any() else math.nan


def _four_ways(
    weight: np.ndarray, price: np.ndarray, service: np.ndarray, failed: np.ndarray, raised: np.ndarray
) -> dict[str, dict[str, float]]:
    """Shares of risk by which cause contributes more, among all, those with any, and those with both exposures."""
    # A cause that protects contributes nothing: it must not let the other one "outweigh" it.
    difference = np.maximum(price, 0) - np.maximum(service, 0)
    any_cause = failed | raised
    terms = {
        "price > service": any_cause & (difference > 1e-9),
        "service > price": any_cause & (difference < -1e-9),
        "tie": any_cause & (abs(difference) <= 1e-9),
        "neither": ~any_cause,
    }
    among = {"of_all": np.ones(SHAPE, bool), "of_any": any_cause, "of_both": failed & raised}
    return {
        measure: {term: _mean(chosen.astype(float), weight * group) for term, chosen in terms.items()}
        for measure, group in among.items()
    }


def write_truth(truth: Truth, file: str | Path) -> None:
    """Write the truth as JSON; a number that does not exist (nobody had both exposures) becomes null."""

    def clean(value: object) -> object:
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        return None if isinstance(value, float) and not math.isfinite(value) else value

    Path(file).write_text(json.dumps(clean(asdict(truth)), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_truth(file: str | Path) -> Truth:
    """Read what `write_truth` wrote."""

    def restore(value: object) -> object:
        if isinstance(value, dict):
            return {key: restore(item) for key, item in value.items()}
        return math.nan if value is None else value

    return Truth(**restore(json.loads(Path(file).read_text(encoding="utf-8"))))  # type: ignore[arg-type]
