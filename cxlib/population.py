"""What happens to simulated customers: faults, prices, support, leaving, and what they answer when asked.

Times are whole seconds, contract dates whole days, both since the first day of the period. Everything that could
happen to a customer is drawn first; at boundaries 90 days apart, the last of them being the default landmark, the
bands of the preceding 180 days decide the risk of leaving; what would have come after the end is then dropped.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.special import expit

from . import schema
from .story import (
    AXES,
    HORIZON_DAYS,
    INVOLUNTARY_REASONS,
    LOOKBACK_DAYS,
    REASONS,
    SHAPE,
    SLOW_HOURS,
    Story,
    coefficients,
    risk_table,
)  # fmt: skip

Array: TypeAlias = np.ndarray
Rng: TypeAlias = np.random.Generator
Events: TypeAlias = tuple[Array, Array]  # customer and second of each event
DAY, HOUR = 86_400, 3_600
BURN_IN = LOOKBACK_DAYS  # history drawn before the period so that its first boundaries have a full lookback
NEVER = 2**40

CHANNELS = (
    "phone", "e-mail", "live chat", "chatbot", "social", "store", "web", "app", "on site",
    "SMS", "shared screen", "video",
)  # fmt: skip
TOPICS = ("product fault", "price", "billing", "usage question", "account", "delivery")
LIST_PRICE = np.array([15.0, 30.0, 60.0])  # by plan
PRICE_OF_SEGMENT = np.array([1.0, 1.2, 2.0])
PLAN_SHARES = np.array([[0.50, 0.35, 0.15], [0.35, 0.40, 0.25], [0.15, 0.40, 0.45]])  # by segment
REASON_STARTS = np.cumsum([0, *(len(group) for group in REASONS.values())])
ALL_REASONS = tuple(reason for group in REASONS.values() for reason in group) + INVOLUNTARY_REASONS


class Period(NamedTuple):
    first: date
    days: int
    landmark: int


class People(NamedTuple):
    """Codes into SEGMENTS, PLANS, REGIONS; day of sign-up."""

    segment: Array
    plan: Array
    region: Array
    signup: Array
    proneness: Array  # to faults, mean about 1


class Prices(NamedTuple):
    """One column for the first price and one for each yearly review, reviews without a change included."""

    day: Array
    paid: Array
    market: Array
    changed: Array


class Tickets(NamedTuple):
    who: Array
    opened: Array
    topic: Array
    channel: Array
    response: Array
    resolved: Array  # NEVER = not resolved
    reopened: Array
    escalated: Array
    contacts: Array
    csat: Array  # 0 = not given
    visit: Array  # a technician came
    failed: Array  # by the rule of the landmark frame, whatever the landmark


class Lives(NamedTuple):
    """All that could happen to the customers, were they to stay."""

    people: People
    faults: Events
    prices: Prices
    tickets: Tickets


class Ends(NamedTuple):
    day: Array  # NEVER = active
    kind: Array  # 0 active, 1 voluntary, 2 involuntary
    reason: Array  # index into ALL_REASONS, -1 = none
    at_risk: Array  # customers by combination of bands, at the landmark
    left: Array


def pick(rng: Rng, n: int, shares: Array | list[float]) -> Array:
    """Indices drawn with the given shares; with a table of shares, one row for each draw."""
    edges = np.cumsum(shares, axis=-1)[..., :-1]
    return (rng.random(n)[:, None] >= edges).sum(axis=1)


def happen(rng: Rng, rate: Array, start: Array, stop: int) -> Events:
    """Customers and times of a Poisson process, `rate` per 90 days."""
    span = np.maximum(stop - start, 0)
    who = np.repeat(np.arange(len(span)), rng.poisson(rate * span / (HORIZON_DAYS * DAY)))
    return who, start[who] + (rng.random(len(who)) * span[who]).astype(np.int64)


def lives_of(rng: Rng, n: int, period: Period, story: Story, to_the_end: bool = False) -> Lives:
    """Draw n customers and all that could happen to them; `to_the_end`: the first one signs up on the last day."""
    people = people_of(rng, n, period, story)
    if to_the_end:
        people.signup[0] = period.days - 1  # so that the data reach the last day, whatever their size
    begin = np.maximum(people.signup, -BURN_IN) * DAY
    faults = happen(rng, story.fault_rate * people.proneness, begin, period.days * DAY)
    prices = prices_of(rng, people, period, story)
    return Lives(people, faults, prices, tickets_of(rng, people, faults, prices, begin, period, story))


def people_of(rng: Rng, n: int, period: Period, story: Story) -> People:
    segment = pick(rng, n, [0.60, 0.28, 0.12])
    before = -1 - np.minimum(rng.exponential(500, n), 3650)
    signup = np.where(rng.random(n) < story.established, before, rng.random(n) * period.days)
    proneness = rng.standard_gamma(1 / story.fault_spread, n) * story.fault_spread
    return People(
        segment,
        pick(rng, n, PLAN_SHARES[segment]),
        pick(rng, n, [0.32, 0.28, 0.22, 0.18]),
        np.floor(signup).astype(np.int64),
        proneness * np.where(signup < 0, 1, story.fault_new_customers),
    )


def prices_of(rng: Rng, people: People, period: Period, story: Story) -> Prices:
    n, reviews = len(people.plan), -(-(period.days + BURN_IN) // 365)
    wait = np.where(people.signup > -BURN_IN, people.signup + 45 + 320 * rng.random(n), 365 * rng.random(n) - BURN_IN)
    day = np.floor(wait)[:, None].astype(np.int64) + 365 * np.arange(reviews)
    # A price that starts on a boundary would leave open on which side of it the raise falls.
    day += (day - period.landmark) % HORIZON_DAYS == 0
    keen = np.where((people.segment == 0) & (people.plan == 0), story.raise_consumer, 1)[:, None]
    draw, size = rng.random((2, n, reviews))
    small, large = story.raise_small * keen, (story.raise_small + story.raise_large) * keen
    factor = np.where(draw < small, 1.03 + 0.05 * size, np.where(draw < large, 1.12 + 0.10 * size, 1))
    factor = np.where(draw > 0.95, 0.90 + 0.07 * size, factor)
    changed = (factor != 1) & (day < period.days)
    usual = LIST_PRICE[people.plan] * PRICE_OF_SEGMENT[people.segment]
    paid = usual * (0.88 + 0.20 * rng.random(n))
    drift = np.where(changed, 1.02 + 0.02 * rng.random((n, reviews)), 1)
    market = usual * (0.96 + 0.10 * rng.random(n))
    first = np.ones((n, 1))
    return Prices(
        np.column_stack([people.signup, day]),
        np.round(paid[:, None] * np.hstack([first, np.cumprod(factor, axis=1)]), 2),
        np.round(market[:, None] * np.hstack([first, np.cumprod(drift, axis=1)]), 2),
        np.hstack([first > 0, changed]),
    )


def tickets_of(
    rng: Rng, people: People, faults: Events, prices: Prices, begin: Array, period: Period, story: Story
) -> Tickets:
    reported = rng.random(len(faults[0])) < story.contact_after_fault
    own = happen(rng, story.contact_rate * (0.5 + 0.5 * people.proneness), begin, period.days * DAY)
    raised = np.nonzero(prices.changed[:, 1:] & (rng.random(prices.changed[:, 1:].shape) < story.contact_after_raise))
    who = np.concatenate([faults[0][reported], own[0], raised[0]])
    opened = np.concatenate([faults[1][reported], own[1], (prices.day[:, 1:][raised] + 1) * DAY])
    topic = np.repeat([0, 2, 1], [reported.sum(), len(own[0]), len(raised[0])])
    topic += np.where(topic == 2, pick(rng, len(topic), [0.30, 0.40, 0.20, 0.10]), 0)
    opened = opened + (rng.exponential(DAY, len(who)) * (topic < 2)).astype(np.int64)
    kept = np.nonzero(opened < period.days * DAY)[0]
    kept = kept[np.argsort((who[kept] << 32) + opened[kept] + BURN_IN * DAY)]
    who, opened, topic = who[kept], opened[kept], topic[kept]
    bad = rng.random(len(who)) < expit(
        story.failure_base
        + story.failure_after_fault * (topic == 0)
        + story.failure_enterprise * (people.segment[who] == 2)
        + story.failure_premium * (people.plan[who] == 2)
        + story.failure_region * np.array([0, 1, 0, -1])[people.region[who]]
    )
    return _handled(rng, who, opened, topic, bad)


def _handled(rng: Rng, who: Array, opened: Array, topic: Array, bad: Array) -> Tickets:
    """What became of each ticket: a bad one fails in one or two of five ways."""
    n = len(who)
    slow, open_, escalated, reopened, rude = (
        bad & ((mode == way) | (rng.random(n) < 0.06))
        for mode in [pick(rng, n, [0.36, 0.12, 0.20, 0.14, 0.18])]
        for way in range(5)
    )
    channel = pick(rng, n, [0.34, 0.26, 0.18, 0.12, 0.06, 0.04])
    typical = np.array([0.1, 5.0, 0.2, 0.05, 4.0, 0.1])[channel]
    response = np.minimum(typical * rng.lognormal(0, 0.8, n), 30)
    work = np.where(slow, 73 + rng.exponential(60, n), np.minimum(rng.lognormal(2.2, 0.9, n) * (1 + bad), 41))
    resolved = np.where(open_, NEVER, opened + ((response + work) * HOUR).astype(np.int64))
    good_scores = pick(rng, n, [0.004, 0.012, 0.124, 0.37, 0.49])
    bad_scores = pick(rng, n, [0.25, 0.27, 0.26, 0.15, 0.07])
    csat = 1 + np.where(rude, bad_scores // 3, np.where(bad, bad_scores, good_scores))
    csat *= (rude | (rng.random(n) < 0.35)) & ~open_
    late = resolved - opened > SLOW_HOURS * HOUR
    return Tickets(
        who, opened, topic, channel, opened + (response * HOUR).astype(np.int64), resolved, reopened, escalated,
        1 + rng.poisson(0.25 + 0.9 * bad) + reopened, csat, (topic == 0) & (rng.random(n) < 0.15),
        escalated | reopened | late | ((csat > 0) & (csat <= 2)),
    )  # fmt: skip


def _bands(boundary: int, lives: Lives) -> Array:
    """The combination of bands of every customer at a boundary, as `landmark` forms them, as one flat index."""
    people, faults, prices, tickets = lives
    n, at, start = len(people.plan), boundary * DAY, (boundary - LOOKBACK_DAYS) * DAY
    recent = (tickets.opened >= start) & (tickets.opened < at)
    failed = recent & (tickets.failed | (tickets.resolved > at))
    contacts, failures = (np.bincount(tickets.who[rows], minlength=n) for rows in (recent, failed))
    count = np.bincount(faults[0][(faults[1] >= start) & (faults[1] < at)], minlength=n)
    paid, market, change = price_at(prices, np.arange(n), np.full(n, boundary))
    codes = (
        np.where(failures > 0, 2, np.minimum(contacts, 1)),
        np.searchsorted(schema.PRICE_EDGES, np.round(change, 9)),
        np.searchsorted(schema.GAP_EDGES, np.round(paid / market - 1, 9)),
        np.searchsorted(schema.FAULT_EDGES, count),
        np.searchsorted(schema.TENURE_EDGES, boundary - people.signup),
        people.segment,
        people.plan,
    )
    return np.ravel_multi_index(codes, SHAPE)


def price_at(prices: Prices, who: Array, day: Array) -> tuple[Array, Array, Array]:
    """Price, market price and change over the lookback (share), just before each day."""
    paid, starts = prices.paid[who], prices.day[who]
    now = sum((start < day).astype(np.int64) for start in starts.T) - 1
    # A customer whose first price is later than the start of the lookback is compared with that first price.
    before = sum((start <= day - LOOKBACK_DAYS).astype(np.int64) for start in starts.T[1:])
    rows = np.arange(len(who))
    return paid[rows, now], prices.market[who, now], paid[rows, now] / paid[rows, before] - 1


def ends_of(rng: Rng, lives: Lives, period: Period, story: Story) -> Ends:
    """Who leaves when, from the true risks at each boundary; involuntary ends fall on those who would have stayed."""
    people = lives.people
    n, risk = len(people.plan), risk_table(story).ravel()
    day, kind, cell_at_end = np.full(n, NEVER), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for boundary in range(period.landmark % HORIZON_DAYS, period.landmark + 1, HORIZON_DAYS):
        at_risk = (people.signup < boundary) & (day > boundary)
        cell = _bands(boundary, lives)
        left = at_risk & (rng.random(n) < risk[cell])
        lost = at_risk & ~left & (rng.random(n) < story.involuntary)
        kind[left], kind[lost] = 1, 2
        gone = left | lost
        cell_at_end[gone] = cell[gone]
        day[gone] = boundary + 1 + (rng.random(gone.sum()) * HORIZON_DAYS).astype(np.int64)
    counts = [np.bincount(cell[rows], minlength=risk.size).reshape(SHAPE) for rows in (at_risk, left)]
    reason = np.full(n, -1)
    reason[kind == 1] = _stated(rng, cell_at_end[kind == 1], story)
    reason[kind == 2] = REASON_STARTS[-1] + pick(rng, int((kind == 2).sum()), [0.70, 0.22, 0.08])
    return Ends(day, kind, reason, *counts)


def _stated(rng: Rng, cell: Array, story: Story) -> Array:
    """Stated reasons: drawn by the size of the effects that applied, or by chance; some say nothing."""
    bands = dict(zip(AXES, np.unravel_index(cell, SHAPE), strict=True))
    effects = {name: np.maximum(list(levels.values()), 0) for name, levels in coefficients(story).items()}
    applied = [effects[name][bands[name]] for name in ("service_band", "price_band", "fault_band", "gap_band")]
    pull = np.column_stack([*applied, np.full(len(cell), 0.6)])
    pull[rng.random(len(cell)) < story.reason_noise] = 1
    group = pick(rng, len(cell), pull / pull.sum(axis=1, keepdims=True))
    size = np.diff(REASON_STARTS)[group]
    reason = REASON_STARTS[group] + (rng.random(len(cell)) * size).astype(np.int64)
    return np.where(rng.random(len(cell)) < 0.08, -1, reason)
