"""Simulated customers of a subscription service as seven tables, with the truth about why they leave."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from . import population as pop
from . import schema
from .errors import refuse, shortened
from .population import Array, Period, Rng
from .respondents import JOURNEY, PLACES, RATED, Answers, answers, events_of, sentences
from .story import HORIZON_DAYS, PLANS, REGIONS, SEGMENTS, SHAPE, Story, Truth, make_story, true_answers, write_truth

LAST_DAY = date(2026, 6, 30)
CHUNK = 50_000  # customers drawn from one seed; memory grows with it, values depend on it


def simulate(customers: int = 5000, months: int = 24, seed: int = 0, **story: float) -> tuple[dict, Truth]:
    """Simulate the seven tables of a subscription service whose reasons for attrition are known.

    Parameters
    ----------
    customers : int
        Customers ever seen, 1 or more; about two thirds are still at risk at the landmark.
    months : int
        Length of the period that ends on 2026-06-30, 9 to 120.
    seed : int
        0 or more; same seed, same values.
    **story : float
        Effect sizes of `cxlib.story.Story` to replace, such as ``service_failed=0``.

    Returns
    -------
    tables : dict of DataFrame
        The tables of `schema.TABLES`, stamps as naive UTC.
    truth : Truth
        True fractions, bounds and shares at the landmark "latest", from counterfactual risks.

    Raises
    ------
    CxError
        Unknown effect (the nearest is named), value outside its range.

    Notes
    -----
    Product faults drive both support contacts and attrition, so the unadjusted share of service is far too high
    (`truth.naive_service_fraction`); adjusted for fault, gap and tenure bands, segment and plan, the risk is exactly
    logistic. Effects on recommendation scores act on ratings of the touchpoints met.

    Examples
    --------
    >>> tables, truth = simulate(customers=1000, seed=1)
    >>> sorted(tables)
    ['customers', 'interactions', 'prices', 'ratings', 'surveys', 'tickets', 'touchpoints']
    """
    chunks, counts = [], np.zeros((2, *SHAPE), np.int64)
    plot, period = _checked(customers, months, seed, story)
    for tables, cells in _chunks(customers, period, seed, plot):
        chunks.append(tables)
        counts += cells
    whole = {name: pa.concat_tables([_plain(chunk[name]) for chunk in chunks]).to_pandas() for name in chunks[0]}
    whole["touchpoints"] = _touchpoints().to_pandas()
    return {name: whole[name] for name in schema.TABLES}, _truth(plot, period, customers, counts)


def write_simulation(
    folder: str | Path, customers: int = 5000, months: int = 24, seed: int = 0, **story: float
) -> Truth:
    """Write the tables of `simulate` to `folder` as Parquet, with codebook.csv and truth.json, in bounded memory.

    Parameters as for `simulate`. Chunks of customers are written one after the other, and the files appear under their
    names only when all are complete; files of the same names are replaced. Returns the truth.
    """
    plot, period = _checked(customers, months, seed, story)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: folder / f".{name}.parquet.part" for name in schema.TABLES}
    writers: dict[str, pq.ParquetWriter] = {}
    counts = np.zeros((2, *SHAPE), np.int64)
    try:
        for tables, cells in _chunks(customers, period, seed, plot):
            counts += cells
            for name, table in tables.items():
                if name not in writers:
                    writers[name] = _writer(parts[name], table.schema)
                writers[name].write_table(table)
        pq.write_table(_touchpoints(), parts["touchpoints"], compression="zstd")
        truth = _truth(plot, period, customers, counts)
    except BaseException:
        _discard(writers, parts)
        raise
    for writer in writers.values():
        writer.close()
    for name, part in parts.items():
        os.replace(part, folder / f"{name}.parquet")
    schema.codebook().to_csv(folder / "codebook.csv", index=False, lineterminator="\n")
    write_truth(truth, folder / "truth.json")
    return truth


def _writer(file: Path, columns: pa.Schema) -> pq.ParquetWriter:
    # Without the Arrow schema texts are read back as texts, not as codes.
    return pq.ParquetWriter(file, columns, compression="zstd", store_schema=False)


def _discard(writers: dict[str, pq.ParquetWriter], parts: dict[str, Path]) -> None:
    for writer in writers.values():
        writer.close()
    for part in parts.values():
        part.unlink(missing_ok=True)


def _checked(customers: int, months: int, seed: int, story: dict[str, float]) -> tuple[Story, Period]:
    limits = {"customers": (customers, 1, 1_000_000_000), "months": (months, 9, 120), "seed": (seed, 0, 2**63 - 1)}
    refuse(
        f"simulate: {name} must be a whole number from {low} to {high}, not {shortened(value)!r}"
        for name, (value, low, high) in limits.items()
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high
    )
    after = LAST_DAY + timedelta(days=1)
    past = after.year * 12 + after.month - 1 - months
    first = date(past // 12, past % 12 + 1, 1)
    days = (after - first).days
    return make_story(story), Period(first, days, days - 1 - HORIZON_DAYS)


def _truth(story: Story, period: Period, customers: int, counts: Array) -> Truth:
    as_of = period.first + timedelta(days=period.landmark)
    return true_answers(story, int(customers), counts[0], counts[1], as_of, LAST_DAY)


def _chunks(customers: int, period: Period, seed: int, story: Story) -> Iterator[tuple[dict, Array]]:
    starts = range(0, customers, CHUNK)
    for start, child in zip(starts, np.random.SeedSequence(seed).spawn(len(starts)), strict=True):
        rng = np.random.Generator(np.random.SFC64(child))
        yield _chunk(rng, start, min(CHUNK, customers - start), period, story)


def _chunk(rng: Rng, start: int, n: int, period: Period, story: Story) -> tuple[dict, Array]:
    lives = pop.lives_of(rng, n, period, story, start == 0)
    people, _, prices, tickets = lives
    ends = pop.ends_of(rng, lives, period, story)
    stop = np.minimum(ends.day, period.days) * pop.DAY
    replies = answers(rng, lives, stop, story)
    events = events_of(rng, lives, stop, story)
    ids = _ids("C", start, n, 2)
    tables = {
        "customers": _customers(ids, people, ends, period),
        "prices": _prices(ids, prices, ends, period),
        "tickets": _tickets(ids, start, tickets, stop, period),
        "interactions": _interactions(ids, start, events, period),
    }
    return tables | _surveys(ids, start, replies, period), np.stack([ends.at_risk, ends.left])


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


def _plain(table: pa.Table) -> pa.Table:
    """The table with codes replaced by their texts."""
    plain = [pa.string() if pa.types.is_dictionary(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, plain, strict=True))))


def _stamps(period: Period, seconds: Array) -> pa.Array:
    """Stamps from seconds since the first day; NEVER and beyond is missing."""
    first = int(np.datetime64(period.first, "s").astype(np.int64))
    return pa.array((seconds + first) * 1_000_000, mask=seconds >= pop.NEVER).cast(pa.timestamp("us"))


def _scores(values: Array) -> pa.Array:
    return pa.array(values, mask=values == 0)


def _customers(ids: pa.Array, people: pop.People, ends: pop.Ends, period: Period) -> pa.Table:
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


def _tickets(ids: pa.Array, start: int, tickets: pop.Tickets, stop: Array, period: Period) -> pa.Table:
    kept = np.nonzero((tickets.opened >= 0) & (tickets.opened < stop[tickets.who]))[0]
    t = pop.Tickets(*(values[kept] for values in tickets))
    # The extract ends with the period: what would have come later is not known yet.
    response, resolved = (np.where(at < period.days * pop.DAY, at, pop.NEVER) for at in (t.response, t.resolved))
    return pa.table(
        {
            "ticket_id": _row_ids("T", start, len(kept)),
            "customer_id": _texts(ids, t.who),
            "channel": _texts(pop.CHANNELS, t.channel),
            "topic": _texts(pop.TOPICS, t.topic),
            "opened_at": _stamps(period, t.opened),
            "first_response_at": _stamps(period, response),
            "resolved_at": _stamps(period, resolved),
            "reopened": t.reopened,
            "escalated": t.escalated,
            "contacts": t.contacts,
            "csat": _scores(t.csat * (resolved < pop.NEVER)),
        }
    )


def _surveys(ids: pa.Array, start: int, replies: Answers, period: Period) -> dict[str, pa.Table]:
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


def _touchpoints() -> pa.Table:
    names = [column.name for column in schema.TABLES["touchpoints"]]
    return pa.table({name: [row[i] for row in JOURNEY] for i, name in enumerate(names)})
