"""Simulated customers of a subscription service as seven tables, with the truth about why they leave."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import aftermath, schema
from . import population as pop
from .csvfile import written
from .errors import refuse, shortened
from .paths import writing
from .population import Array, Period, Rng
from .respondents import answers, events_of, filled
from .simulated_tables import Lived, chunk_tables, plain, touchpoint_table
from .story import HORIZON_DAYS, SHAPE, Story, Truth, make_story, true_answers, write_truth

LAST_DAY = date(2026, 6, 30)
CHUNK = 50_000  # customers drawn from one seed; memory grows with it, values depend on it


class Counted(NamedTuple):
    """What the truth is made of: customers at risk and leavers by combination of bands, and sums by name."""

    cells: Array
    sums: Counter

    def add(self, other: Counted) -> None:
        self.cells.__iadd__(other.cells)
        self.sums.update(other.sums)


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
    chunks, counted = [], Counted(np.zeros((2, *SHAPE), np.int64), Counter())
    plot, period = _checked(customers, months, seed, story)
    for tables, counts in _chunks(customers, period, seed, plot):
        chunks.append(tables)
        counted.add(counts)
    whole = {name: pa.concat_tables([plain(chunk[name]) for chunk in chunks]).to_pandas() for name in chunks[0]}
    whole["touchpoints"] = touchpoint_table().to_pandas()
    return {name: whole[name] for name in schema.TABLES}, _truth(plot, period, customers, counted)


def write_simulation(
    folder: str | Path, customers: int = 5000, months: int = 24, seed: int = 0, **story: float
) -> Truth:
    """Write the tables of `simulate` to `folder` as Parquet, with codebook.csv and truth.json, in bounded memory.

    Parameters as for `simulate`. Chunks of customers are written one after the other, and the files appear under their
    names only when all are complete; files of the same names are replaced. Returns the truth. Raises CxError as
    `simulate` does, and where the folder cannot be written to.
    """
    plot, period = _checked(customers, months, seed, story)
    with writing(folder):
        return _write(Path(folder), customers, period, seed, plot)


def _write(folder: Path, customers: int, period: Period, seed: int, plot: Story) -> Truth:
    """The files of a simulation, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: folder / f".{name}.parquet.part" for name in schema.TABLES}
    writers: dict[str, pq.ParquetWriter] = {}
    counted = Counted(np.zeros((2, *SHAPE), np.int64), Counter())
    try:
        for tables, counts in _chunks(customers, period, seed, plot):
            counted.add(counts)
            for name, table in tables.items():
                if name not in writers:
                    writers[name] = _writer(parts[name], table.schema)
                writers[name].write_table(table)
        pq.write_table(touchpoint_table(), parts["touchpoints"], compression="zstd")
        truth = _truth(plot, period, customers, counted)
    except BaseException:
        _discard(writers, parts)
        raise
    for writer in writers.values():
        writer.close()
    for name, part in parts.items():
        os.replace(part, folder / f"{name}.parquet")
    (folder / "codebook.csv").write_bytes(written(schema.codebook()))
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


def _truth(story: Story, period: Period, customers: int, counted: Counted) -> Truth:
    as_of, journey = period.first + timedelta(days=period.landmark), aftermath.true_journey(counted.sums, story)
    at_risk, left = counted.cells
    return true_answers(story, int(customers), at_risk, left, as_of, LAST_DAY, journey)


def _chunks(customers: int, period: Period, seed: int, story: Story) -> Iterator[tuple[dict, Counted]]:
    starts = range(0, customers, CHUNK)
    for start, child in zip(starts, np.random.SeedSequence(seed).spawn(len(starts)), strict=True):
        rng = np.random.Generator(np.random.SFC64(child))
        # What was added later draws from generators of its own, so that it moves nothing that was there before.
        others = [np.random.Generator(np.random.SFC64(grandchild)) for grandchild in child.spawn(4)]
        yield _chunk(rng, others, start, min(CHUNK, customers - start), period, story)


def _chunk(rng: Rng, others: list[Rng], start: int, n: int, period: Period, story: Story) -> tuple[dict, Counted]:
    lives = pop.lives_of(rng, n, period, story, start == 0)
    lives = lives._replace(tickets=aftermath.newer_channels(others[0], lives.tickets))
    people, _, prices, tickets = lives
    ends = pop.ends_of(rng, lives, period, story)
    stop = np.minimum(ends.day, period.days) * pop.DAY
    replies = answers(rng, lives, stop, story)
    events = events_of(rng, lives, stop, story)
    seen = _extract(tickets, stop, period)
    issues, switches = aftermath.issues_of(others[1], seen, story)
    talk, word_of_mouth = aftermath.talk_of(others[2], people, replies, story)
    (whom, when), by, called = aftermath.call_backs(others[3], replies, stop, story)
    calls = filled(whom, when, schema.FOLLOW_UP, by, True)
    lived = Lived(people, ends, prices, seen, issues, events, calls, replies, talk)
    counted = Counted(np.stack([ends.at_risk, ends.left]), Counter(switches | word_of_mouth | called))
    return chunk_tables(start, lived, period), counted


def _extract(tickets: pop.Tickets, stop: Array, period: Period) -> pop.Tickets:
    """The tickets opened while somebody was a customer; what would have come after the period is not known yet."""
    kept = np.nonzero((tickets.opened >= 0) & (tickets.opened < stop[tickets.who]))[0]
    t = pop.Tickets(*(values[kept] for values in tickets))
    response, resolved = (np.where(at < period.days * pop.DAY, at, pop.NEVER) for at in (t.response, t.resolved))
    return t._replace(response=response, resolved=resolved, csat=t.csat * (resolved < pop.NEVER))
