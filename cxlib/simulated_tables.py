"""Simulated customers as the seven tables: codes become texts, seconds become stamps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import population as pop
from . import schema
from .aftermath import Issues, Talk
from .population import Array, Period
from .respondents import JOURNEY, PLACES, RATED, Answers, sentences
from .story import PLANS, REGIONS, SEGMENTS


class Lived(NamedTuple):
    """All that a chunk of simulated customers went through, within the period and their time as customers."""

    people: pop.People
    ends: pop.Ends
    prices: pop.Prices
    tickets: pop.Tickets
    issues: Issues
    events: tuple[Array, ...]
    calls: tuple[Array, ...]  # as events; their rows come last, so that the ids of the events are as they were
    replies: Answers
    talk: Talk


def chunk_tables(start: int, lived: Lived, period: Period) -> dict[str, pa.Table]:
    """The six tables of a chunk of customers, the first of whom is the one after `start`."""
    ids = _ids("C", start, len(lived.people.plan), 2)
    events = tuple(map(np.concatenate, zip(lived.events, lived.calls, strict=True)))
    tables = {
        "customers": _customers(ids, lived.people, lived.ends, lived.talk.referred_by, period),
        "prices": _prices(ids, lived.prices, lived.ends, period),
        "tickets": _tickets(ids, start, lived.tickets, lived.issues, period),
        "interactions": _interactions(ids, start, events, period),
    }
    return tables | _surveys(ids, start, lived.replies, lived.talk.told, period)


FOUR_DIGITS = np.frombuffer("".join(f"{i:04d}" for i in range(10_000)).encode(), np.uint8).reshape(-1, 4)


def _ids(letter: str, start: int, n: int, fours: int) -> pa.Array:
    """Texts such as C00000001 for n rows after `start`, with `fours` times four digits."""
    number, width = np.arange(start + 1, start + n + 1), 1 + 4 * fours
    text = np.full((n, width), ord(letter), np.uint8)
    for i in range(fours):
        text[:, width - 4 * (i + 1) : width - 4 * i] = FOUR_DIGITS[number // 10_000**i % 10_000]
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(text))


def _row_ids(letter: str, start: int, n: int) -> pa.Array:
    # A chunk knows nothing of the others' sizes: room for a thousand rows a customer keeps their ids apart.
    return _ids(letter, start * 1000, n, 3)


def _texts(levels: tuple[str, ...] | pa.Array, codes: Array) -> pa.Array:
    """Texts as codes into their levels, which Parquet stores as they are; a code below 0 is missing."""
    levels = levels if isinstance(levels, pa.Array) else pa.array(levels, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=codes < 0), levels)


def plain(table: pa.Table) -> pa.Table:
    """The table with codes replaced by their texts."""
    plain = [pa.string() if pa.types.is_dictionary(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, plain, strict=True))))


def _stamps(period: Period, seconds: Array) -> pa.Array:
    """Stamps from seconds since the first day; NEVER and beyond is missing."""
    first = int(np.datetime64(period.first, "s").astype(np.int64))
    return pa.array((seconds + first) * 1_000_000, mask=seconds >= pop.NEVER).cast(pa.timestamp("us"))


def _scores(values: Array) -> pa.Array:
    return pa.array(values, mask=values == 0)


def _customers(ids: pa.Array, people: pop.People, ends: pop.Ends, referred_by: Array, period: Period) -> pa.Table:
    return pa.table(
        {
            "customer_id": ids,
            "region": _texts(REGIONS, people.region),
            "segment": _texts(SEGMENTS, people.segment),
            "plan": _texts(PLANS, people.plan),
            "signup_date": _stamps(period, people.signup * pop.DAY),
            "end_date": _stamps(period, ends.day * pop.DAY),
            "end_kind": _texts(("voluntary", "involuntary"), ends.kind - 1),
            "stated_reason": _texts(pop.ALL_REASONS, ends.reason),
            "referred_by": _texts(ids, referred_by),
        }
    )


def _prices(ids: pa.Array, prices: pop.Prices, ends: pop.Ends, period: Period) -> pa.Table:
    who, turn = np.nonzero(prices.changed & (prices.day < ends.day[:, None]))
    return pa.table(
        {
            "customer_id": _texts(ids, who),
            "valid_from": _stamps(period, prices.day[who, turn] * pop.DAY),
            "monthly_price": prices.paid[who, turn],
            "market_price": prices.market[who, turn],
        }
    )


def _tickets(ids: pa.Array, start: int, t: pop.Tickets, issues: Issues, period: Period) -> pa.Table:
    return pa.table(
        {
            "ticket_id": _row_ids("T", start, len(t.who)),
            "customer_id": _texts(ids, t.who),
            "channel": _texts(pop.CHANNELS, t.channel),
            "topic": _texts(pop.TOPICS, t.topic),
            "opened_at": _stamps(period, t.opened),
            "first_response_at": _stamps(period, t.response),
            "resolved_at": _stamps(period, t.resolved),
            "reopened": t.reopened,
            "escalated": t.escalated,
            "contacts": t.contacts,
            "csat": _scores(issues.csat),
            "issue_id": _texts(_row_ids("Q", start, len(t.who)), issues.first),
        }
    )


def _surveys(ids: pa.Array, start: int, replies: Answers, told: Array, period: Period) -> dict[str, pa.Table]:
    n = len(replies.who)
    survey, answer = _row_ids("S", start, n), np.full(n, -1)
    answer[replies.row] = np.arange(len(replies.row))
    # An invitation without an answer takes nothing: every answered column becomes missing there.
    place = pa.array(answer, mask=answer < 0)
    surveys = {
        "survey_id": survey,
        "customer_id": _texts(ids, replies.who),
        "sent_at": _stamps(period, replies.sent),
        "answered_at": _stamps(period, replies.answered).take(place),
        "recommend": pa.array(replies.recommend).take(place),
        "satisfaction": _scores(replies.satisfaction).take(place),
        "effort": _scores(replies.effort).take(place),
        "weight": replies.weight,
        "comment": _comments(replies.remarks).take(place),
        "told_others": pa.array(told, mask=told < 0).take(place),
    }
    row, touchpoint = np.nonzero(replies.met)
    ratings = {
        "survey_id": _texts(survey, replies.row[row]),
        "touchpoint": _texts(RATED, touchpoint),
        "rating": replies.ratings[row, touchpoint],
    }
    return {"surveys": pa.table(surveys), "ratings": pa.table(ratings)}


def _comments(remarks: Array) -> pa.Array:
    """Opening, sentences and closing as one text, with capitals where they belong; missing where nothing is said."""
    plain = tuple(text for _, _, text in sentences())
    capital = tuple(text[0].upper() + text[1:] for text in plain)
    said = remarks[:, 1] >= 0
    opening, first, second, closing = remarks[said].T
    first = first + len(plain) * (opening < 0)
    parts = _texts(plain, opening), _texts(plain + capital, first), _texts(capital, second), _texts(plain, closing)
    joined = pc.binary_join_element_wise(*(part.dictionary_decode() for part in parts), " ", null_handling="skip")
    return joined.take(pa.array(np.cumsum(said) - 1, mask=~said))


def _interactions(ids: pa.Array, start: int, events: tuple[Array, ...], period: Period) -> pa.Table:
    who, at, place, channel, by_company = events
    return pa.table(
        {
            "interaction_id": _row_ids("I", start, len(who)),
            "customer_id": _texts(ids, who),
            "at": _stamps(period, at),
            "touchpoint": _texts(PLACES, place),
            "channel": _texts(pop.CHANNELS, channel),
            "initiated_by": _texts(("customer", "company"), by_company),
        }
    )


def touchpoint_table() -> pa.Table:
    names = [column.name for column in schema.TABLES["touchpoints"]]
    return pa.table({name: [row[i] for row in JOURNEY] for i, name in enumerate(names)})
