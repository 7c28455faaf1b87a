"""What simulated contacts and answers lead to: channels, issues and switches, call-backs, telling others, referrals.

All of it is drawn by generators of its own, after everything else: the values of the other columns, the bands of the
landmark frame and the risks of leaving are the same with and without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from .population import CHANNELS, DAY, HOUR, SLOW_HOURS, TOPICS, Array, Events, People, Rng, Tickets
from .respondents import Answers
from .story import Story

FAULT = TOPICS.index("product fault")
CLASSES = ("detractor", "passive", "promoter")
# Newer channels take a share of the contacts of the older ones that are answered about as fast.
NEWER = (("phone", "video", 0.05), ("live chat", "shared screen", 0.20), ("chatbot", "SMS", 0.20))
ISSUE_DAYS = 60  # tickets of one customer and topic closer than this may be one issue
# Chance that such a ticket belongs to the same issue: the product of the two, [went badly before, ...]. As a product
# it leaves the switch independent of how the ticket goes, given how the issue went before and its topic: these two
# are all that has to be adjusted for.
SAME_ISSUE_BY_SWITCH = np.array([[0.90, 0.30], [0.50, 1.00]])  # [.., channel stayed or switched]
SAME_ISSUE_BY_OUTCOME = np.array([[1.00, 0.40], [0.40, 1.00]])  # [.., this ticket goes well or fails]
SWITCH_OTHER_TOPICS = 0.60  # times the chance of a switch, where the topic is no product fault
CONFIRMED = 7  # days within which a call-back counts in the truth
TOLD_LEFT_OUT = 0.05

Sums = dict[str, float]


class Issues(NamedTuple):
    """Of each ticket in the extract: first ticket of its issue (a place), and csat after switches of channel."""

    first: Array
    csat: Array


class Talk(NamedTuple):
    """Of each answer, how many people were told (-1 = not said); of each customer, who referred them (-1 = nobody)."""

    told: Array
    referred_by: Array


def newer_channels(rng: Rng, tickets: Tickets) -> Tickets:
    """Tickets of which some came by a newer channel than they would have."""
    draw, channel = rng.random(len(tickets.who)), tickets.channel.copy()
    for old, new, share in NEWER:
        channel[(tickets.channel == CHANNELS.index(old)) & (draw < share)] = CHANNELS.index(new)
    return tickets._replace(channel=channel)


def issues_of(rng: Rng, tickets: Tickets, story: Story) -> tuple[Issues, Sums]:
    """Which tickets are one issue, what changing the channel within it did to csat, and the sums of its truth."""
    n = len(tickets.who)
    order = np.lexsort((tickets.opened, tickets.topic, tickets.who))
    t = Tickets(*(values[order] for values in tickets))
    near = np.zeros(n, bool)
    near[1:] = (t.who[1:] == t.who[:-1]) & (t.topic[1:] == t.topic[:-1])
    near[1:] &= t.opened[1:] - t.opened[:-1] <= ISSUE_DAYS * DAY
    switched = np.zeros(n, np.int64)
    switched[1:] = t.channel[1:] != t.channel[:-1]
    # What a desk's own records show of the ticket before; how its customer felt is in nobody's log.
    badly = np.zeros(n, np.int64)
    badly[1:] = (t.escalated | t.reopened | (t.resolved - t.opened > SLOW_HOURS * HOUR))[:-1]
    chance = SAME_ISSUE_BY_SWITCH[badly, switched] * SAME_ISSUE_BY_OUTCOME[badly, t.failed.astype(np.int64)]
    chance *= np.where((switched > 0) & (t.topic != FAULT), SWITCH_OTHER_TOPICS, 1)
    again = near & (rng.random(n) < chance)
    # A switch never takes an answer below 3: which contacts count as failed stays as it was.
    drop = rng.binomial(np.maximum(t.csat - 3, 0), story.switch_drop)
    told, moved = again & (t.csat > 0), again & (switched > 0)
    csat = t.csat - drop * moved
    first = np.maximum.accumulate(np.where(again, 0, np.arange(n)))
    sums: Sums = {
        "contacts": n, "after_fault": int((t.topic == FAULT).sum()),
        "again": int(told.sum()), "again_drop": int(drop[told].sum()),
        "moved": int((told & moved).sum()), "moved_drop": int(drop[told & moved].sum()),
        "moved_csat": int(csat[told & moved].sum()), "stayed_csat": int(csat[told & ~moved].sum()),
    }  # fmt: skip
    back = np.empty(n, np.int64)
    back[order] = np.arange(n)
    return Issues(order[first][back], csat[back]), sums


def talk_of(rng: Rng, people: People, replies: Answers, story: Story) -> tuple[Talk, Sums]:
    """How many others each respondent told, and which newcomers came on the word of an earlier customer."""
    score = np.asarray(replies.recommend)
    kind = np.searchsorted([7, 9], score, side="right")
    likely = np.array([story.told_detractor, story.told_passive, story.told_promoter])[kind]
    # Bad news travels further than good: the same share tells it, to more people.
    told = (rng.random(len(kind)) < likely) * (1 + rng.poisson(np.array([4.0, 1.0, 2.0])[kind]))
    told[rng.random(len(kind)) < TOLD_LEFT_OUT] = -1
    pull = np.array([story.referral_detractor, story.referral_passive, 1.0])[kind] * np.maximum(told, 0)
    early = np.argsort(replies.answered, kind="stable")
    heard = np.zeros((len(kind) + 1, 3))
    heard[1:][np.arange(len(kind)), kind[early]] = pull[early]
    heard = np.cumsum(heard, axis=0)  # by class, of all answers so far
    draw = rng.random((2, len(people.signup)))
    before = heard[np.searchsorted(replies.answered[early], people.signup * DAY)]
    new = (people.signup >= 0) & (draw[0] < story.referred) & (before.sum(axis=1) > 0)
    mark = draw[1][new] * before[new].sum(axis=1)
    source = early[np.searchsorted(heard.sum(axis=1)[1:], mark, side="right")]
    referred_by = np.full(len(people.signup), -1)
    referred_by[new] = replies.who[replies.row][source]
    shares = (before[new] / before[new].sum(axis=1, keepdims=True)).sum(axis=0)
    sums: Sums = {"newcomers": int((people.signup >= 0).sum()), "referred": int(new.sum())}
    sums |= {f"referred_by_{name}": float(share) for name, share in zip(CLASSES, shares, strict=True)}
    return Talk(told, referred_by), sums


def call_backs(rng: Rng, replies: Answers, stop: Array, story: Story) -> tuple[Events, Array, Sums]:
    """Customer and time of the company's call after a detractor's answer, its channel, and the sums of its truth.

    Who is called depends on score and satisfaction, which also tell who comes back on their own; the call itself
    changes no later answer, so its true effect is none and a plain comparison leans towards one.
    """
    who, score = replies.who[replies.row], np.asarray(replies.recommend)
    bad = np.nonzero(score <= 6)[0]
    felt = replies.satisfaction[bad]  # 0 = item left out
    likely = expit(
        story.follow_up_base
        + story.follow_up_score * (score[bad] >= 5)
        + story.follow_up_satisfaction * (np.where(felt > 0, felt, 3) - 3)
    )
    days = rng.exponential(story.follow_up_days, len(bad))
    channel = np.where(rng.random(len(bad)) < 0.75, CHANNELS.index("phone"), CHANNELS.index("e-mail"))
    called = rng.random(len(bad)) < likely
    at = replies.answered[bad] + HOUR + (days * DAY).astype(np.int64)
    kept = np.nonzero(called & (at < stop[who[bad]]))[0]
    soon = -math.expm1(-(CONFIRMED - 1 / 24) / max(story.follow_up_days, 1e-9))
    sums: Sums = {"detractors": len(bad), "called_soon": float(likely.sum() * soon)}
    return (who[bad][kept], at[kept]), channel[kept], sums


def true_journey(sums: Mapping[str, float], story: Story) -> dict[str, dict[str, float]]:
    """What is true of contacts, switches, word of mouth and call-backs, from the sums over all customers."""

    def ratio(part: str, whole: str) -> float:
        return float(sums[part] / sums[whole]) if sums.get(whole) else math.nan

    stayed = sums["again"] - sums["moved"]
    return {
        # Contacts that came within the extract and would not have come without product faults.
        "contacts": {"preventable": ratio("after_fault", "contacts")},
        # Points of csat of a rated later ticket of an issue: among those that switched, among all, and unadjusted.
        "switch": {
            "effect_on_switched": -ratio("moved_drop", "moved"),
            "effect_on_all": -ratio("again_drop", "again"),
            "naive": ratio("moved_csat", "moved") - (sums["stayed_csat"] / stayed if stayed else math.nan),
        },
        "told_others": {name: float(getattr(story, f"told_{name}")) for name in CLASSES},
        "referrals": {"newcomers_referred": ratio("referred", "newcomers")}
        | {name: ratio(f"referred_by_{name}", "referred") for name in CLASSES},
        "follow_up": {f"within_{CONFIRMED}_days": ratio("called_soon", "detractors"), "effect_on_coming_back": 0.0},
    }
