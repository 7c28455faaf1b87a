"""What simulated customers meet along the journey, and what they answer when asked about it."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from .population import BURN_IN, CHANNELS, DAY, HOUR, Array, Lives, People, Rng, happen, pick, price_at
from .story import LOOKBACK_DAYS, RATING_CENTRE, Story

# touchpoint, stage, department, is_service, mean rating (0 = never rated), share who met it by habit (0 = by event)
JOURNEY = (
    ("website", "discover", "marketing", False, 3.9, 0.45),
    ("purchase", "buy", "sales", False, 4.1, 0.0),
    ("delivery", "buy", "logistics", False, 4.0, 0.0),
    ("onboarding", "use", "customer success", False, 3.9, 0.0),
    ("product", "use", "product", False, 4.2, 0.97),
    ("app", "use", "product", False, 3.8, 0.60),
    ("billing", "use", "finance", False, 4.1, 0.85),
    ("price", "renew", "pricing", False, 3.5, 0.95),
    ("help_pages", "support", "customer service", True, 3.6, 0.20),
    ("contact_support", "support", "customer service", True, 4.2, 0.0),
    ("technician", "support", "field service", True, 4.1, 0.0),
    ("renewal", "renew", "sales", False, 3.6, 0.0),
    ("product_fault", "use", "engineering", False, 0.0, 0.0),
    ("price_notice", "renew", "pricing", False, 0.0, 0.0),
    ("follow_up", "support", "customer service", True, 0.0, 0.0),
)
RATED = tuple(row[0] for row in JOURNEY if row[4])
PLACES = tuple(row[0] for row in JOURNEY)

MEAN, HABIT = np.array([row[4:] for row in JOURNEY if row[4]]).T
PRODUCT, PRICE, SUPPORT, TECHNICIAN, RENEWAL = map(
    RATED.index, ("product", "price", "contact_support", "technician", "renewal")
)
REGION_MOOD = np.array([0.10, 0.0, -0.15, 0.05])  # points of the score


class Answers(NamedTuple):
    """All invitations, then the answers among them (`row` = place of the answer's invitation)."""

    who: Array
    sent: Array
    weight: Array
    row: Array
    answered: Array
    recommend: Array
    satisfaction: Array  # 0 = item left out
    effort: Array  # 0 = item left out
    met: Array  # answers by RATED
    ratings: Array
    remarks: Array  # answers by opening, first, second sentence, closing: index into sentences(), -1 = none


class Past(NamedTuple):
    """What each invited customer went through in the 180 days before."""

    faults: Array  # at most 2
    contacts: Array
    failed: Array
    visits: Array
    raised: Array  # 0, 1, 2 = a lot
    reviewed: Array
    new: Array


def answers(rng: Rng, lives: Lives, stop: Array, story: Story) -> Answers:
    """Half-yearly invitations until `stop` (seconds), and what those who answer say."""
    people = lives.people
    who, sent = _invitations(rng, people, stop, story)
    past = _past(who, sent, lives)
    # Half of the halo is the person, half the day.
    halo = np.sqrt(0.5) * (rng.standard_normal(len(people.plan))[who] + rng.standard_normal(len(who)))
    mood = halo - 0.4 * past.faults - 0.8 * past.failed - 0.35 * past.raised
    enterprise = people.segment[who] == 2
    willing = rng.random(len(who)) < expit(
        story.answer_base + story.answer_experience * mood + story.answer_enterprise * enterprise
    )
    when = sent + (rng.exponential(1.5, len(who)) * DAY).astype(np.int64)
    row = np.nonzero(willing & (when < stop[who]))[0]
    past, halo = Past(*(values[row] for values in past)), halo[row]
    met = _met(rng, past)
    ratings = _ratings(rng, past, halo, story)
    score = _score(met, ratings, past, story) + story.halo_recommend * halo + REGION_MOOD[people.region[who[row]]]
    noise = rng.standard_normal((3, len(row)))
    off = score - story.recommend_base
    left_out = rng.random((2, len(row))) < [[0.03], [0.06]]
    recommend = _on_scale(score + story.recommend_noise * noise[0], 0, 10)
    return Answers(
        who, sent, _weights(rng, enterprise, story), row, when[row], recommend,
        _on_scale(4 + 0.4 * off + 0.6 * noise[1], 1, 5) * ~left_out[0],
        _on_scale(5.3 + 0.5 * off - 0.8 * past.failed + noise[2], 1, 7) * ~left_out[1],
        met, ratings, _remarks(rng, met, ratings, recommend, story),
    )  # fmt: skip


def _invitations(rng: Rng, people: People, stop: Array, story: Story) -> tuple[Array, Array]:
    start, most = np.maximum(people.signup, 0), int(stop.max() // DAY / story.survey_interval) + 1
    day = start[:, None] + story.survey_interval * (rng.random((len(start), 1)) + np.arange(most))
    who, turn = np.nonzero(np.floor(day) * DAY + 0.5 * DAY < stop[:, None])
    return who, np.floor(day[who, turn]).astype(np.int64) * DAY + rng.integers(6 * 3600, 12 * 3600, len(who))


def _past(who: Array, at: Array, lives: Lives) -> Past:
    people, faults, prices, tickets = lives

    def recent(event_who: Array, event_at: Array) -> Array:
        # Customer and time in one sorted number: two binary searches count the events of the lookback.
        events = np.sort((event_who << 32) + event_at + BURN_IN * DAY)
        key = (who << 32) + at + BURN_IN * DAY
        return np.searchsorted(events, key) - np.searchsorted(events, key - LOOKBACK_DAYS * DAY)

    day = at // DAY
    changed = np.nonzero(prices.changed[:, 1:])
    changed_at = prices.day[:, 1:][changed] * DAY
    change = price_at(prices, who, day)[2]
    failed = tickets.failed
    return Past(
        np.minimum(recent(*faults), 2),
        recent(tickets.who, tickets.opened),
        np.minimum(recent(tickets.who[failed], tickets.opened[failed]), 1),
        recent(tickets.who[tickets.visit], tickets.opened[tickets.visit]),
        np.searchsorted([0.0, 0.10], change),
        recent(changed[0], changed_at) > 0,
        people.signup[who] >= day - LOOKBACK_DAYS,
    )


def _met(rng: Rng, past: Past) -> Array:
    met = rng.random((len(past.new), len(RATED))) < HABIT
    for name in ("purchase", "delivery", "onboarding"):
        met[:, RATED.index(name)] = past.new
    met[:, SUPPORT], met[:, TECHNICIAN], met[:, RENEWAL] = past.contacts > 0, past.visits > 0, past.reviewed
    return met


def _ratings(rng: Rng, past: Past, halo: Array, story: Story) -> Array:
    """Ratings 1 to 5 of every touchpoint, met or not: its mean, what happened, the halo, and noise."""
    latent = MEAN + story.rating_noise * rng.standard_normal((len(halo), len(RATED)))
    latent += story.halo_rating * halo[:, None]
    latent[:, PRODUCT] -= story.drop_fault * past.faults
    latent[:, SUPPORT] -= story.drop_failed * past.failed
    latent[:, TECHNICIAN] -= 0.5 * story.drop_failed * past.failed
    latent[:, PRICE] -= story.drop_raise * past.raised
    latent[:, RENEWAL] -= story.drop_raise * past.raised
    return _on_scale(latent, 1, 5)


def _score(met: Array, ratings: Array, past: Past, story: Story) -> Array:
    """The score before halo and noise, in points: linear in the ratings of touchpoints met."""
    effects = np.array([getattr(story, f"effect_{name}") for name in RATED])
    return story.recommend_base + (met * (ratings - RATING_CENTRE)) @ effects + story.met_support * (past.contacts > 0)


def _on_scale(values: Array, low: int, high: int) -> Array:
    return np.clip(np.rint(values), low, high).astype(np.int64)


def _weights(rng: Rng, enterprise: Array, story: Story) -> Array:
    """What a survey firm would supply: inverse response by segment, a little ragged, mean about 1."""
    likely = expit(story.answer_base + story.answer_enterprise * enterprise)
    usual = 0.88 / expit(story.answer_base) + 0.12 / expit(story.answer_base + story.answer_enterprise)
    return np.round(rng.uniform(0.85, 1.15, len(likely)) / likely / usual, 3)


@cache
def sentences() -> tuple[tuple[str, str, str], ...]:
    """Theme, tone and text of every sentence a comment may hold; openings and closings first."""
    with (Path(__file__).parent / "sentences.csv").open(encoding="utf-8", newline="") as file:
        return tuple((row["theme"], row["tone"], row["sentence"]) for row in csv.DictReader(file))


@cache
def _bank() -> tuple[Array, Array]:
    """Places of the sentences by theme (as RATED), tone (negative, positive) and variant; of the closings by tone."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, (theme, tone, _) in enumerate(sentences()):
        places.setdefault((theme, tone), []).append(place)
    tones = ("negative", "positive")
    bank = np.array([[places[theme, tone] for tone in tones] for theme in RATED])
    return bank, np.array([places["closing", tone] for tone in tones])


def _remarks(rng: Rng, met: Array, ratings: Array, recommend: Array, story: Story) -> Array:
    """Sentences of each comment: critics write about their worst touchpoint, the content about their best."""
    n = len(recommend)
    writes = np.nonzero((rng.random(n) < story.comment_share) & met.any(axis=1))[0]
    bank, closings = _bank()
    openings = np.array([place for place, row in enumerate(sentences()) if row[0] == "opening"])
    pleased = np.where(recommend[writes] >= 8, 1, -1)[:, None]
    felt = pleased * (ratings[writes] - MEAN) + 0.7 * rng.standard_normal((len(writes), len(RATED)))
    # Support is what people write about when they have met it, more than its part in the score would have it.
    felt[:, SUPPORT] += 0.5
    felt[~met[writes]] = -np.inf
    best_two = np.argsort(-felt, axis=1)[:, :2]
    variant = (rng.random((len(writes), 2)) * bank.shape[2]).astype(np.int64)
    rows = np.arange(len(writes))[:, None]
    tone = (ratings[writes][rows, best_two] >= 4).astype(np.int64)
    said = bank[best_two, tone, variant]
    draw = rng.random((len(writes), 3))
    said[(draw[:, 0] > 0.35) | (felt[rows[:, 0], best_two[:, 1]] == -np.inf), 1] = -1
    remarks = np.full((n, 4), -1)
    remarks[writes, 1:3] = said
    remarks[writes, 0] = np.where(draw[:, 1] < 0.4, openings[(draw[:, 1] * 10).astype(int) % len(openings)], -1)
    closing = closings[tone[:, 0], (draw[:, 2] * 10).astype(int) % closings.shape[1]]
    remarks[writes, 3] = np.where(draw[:, 2] < 0.3, closing, -1)
    return remarks


def events_of(rng: Rng, lives: Lives, stop: Array, story: Story) -> tuple[Array, ...]:
    """Customer, time, touchpoint, channel, and whether the company began it, for every interaction until `stop`."""
    people, faults, prices, tickets = lives
    visits = happen(rng, np.full(len(stop), story.visit_rate), np.maximum(people.signup, 0) * DAY, int(stop.max()))
    kind = pick(rng, len(visits[0]), [0.35, 0.40, 0.15, 0.10])
    new = np.nonzero(people.signup >= 0)[0]
    joined = people.signup[new] * DAY + rng.integers(8 * HOUR, 20 * HOUR, len(new))
    told, turn = np.nonzero(prices.changed[:, 1:])
    raised = prices.day[:, 1:][told, turn] * DAY
    sold_in = _codes(CHANNELS, "web", "store", "phone")[pick(rng, len(new), [0.60, 0.25, 0.15])]
    sources = (
        (*visits, _codes(PLACES, "website", "app", "help_pages", "billing")[kind],
         _codes(CHANNELS, "web", "app", "web", "e-mail")[kind], kind == 3),
        (*faults, "product_fault", "app", True),
        (tickets.who, tickets.opened, "contact_support", tickets.channel, False),
        (tickets.who[tickets.visit], tickets.opened[tickets.visit] + 2 * DAY, "technician", "on site", True),
        (new, joined, "purchase", sold_in, False),
        (new, joined + 3 * DAY, "delivery", "on site", True),
        (new, joined + 5 * DAY, "onboarding", "e-mail", True),
        (told, raised - 14 * DAY, "price_notice", "e-mail", True),
        (told, raised, "renewal", "e-mail", True),
    )  # fmt: skip
    columns = zip(*(filled(*source) for source in sources), strict=True)
    who, at, place, channel, by_company = (np.concatenate(column) for column in columns)
    kept = np.nonzero((at >= np.maximum(people.signup[who], 0) * DAY) & (at < stop[who]))[0]
    kept = kept[np.argsort((who[kept] << 32) + at[kept])]
    return who[kept], at[kept], place[kept], channel[kept], by_company[kept]


def _codes(levels: tuple[str, ...], *names: str) -> Array:
    return np.array([levels.index(name) for name in names])


def filled(who: Array, at: Array, place: object, channel: object, by_company: object) -> tuple[Array, ...]:
    """A source of interactions with one value for all rows spread over them."""
    place = PLACES.index(place) if isinstance(place, str) else place
    channel = CHANNELS.index(channel) if isinstance(channel, str) else channel
    return who, at, *(np.broadcast_to(np.asarray(v, np.int64), who.shape) for v in (place, channel, by_company))
