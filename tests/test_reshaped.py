"""Exports of another shape: invoices as prices, answers with a column for each touchpoint as ratings.

The authority for prices is a brute force that adds up, for every day, what the periods that cover it charge a month.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cxlib import engine, files
from cxlib.errors import CxError
from cxlib.reshaped import charged, melted
from cxlib.study_file import InvoicesPart

NAMES = {"customer": "Who", "starts": "From", "amount": "Net"}


def prices(rows, ends=True):
    """Prices that `charged` makes of invoices (customer, first day, last day, amount)."""
    frame = pd.DataFrame(rows, columns=["Who", "From", "To", "Net"]).astype({"Net": float})
    part = InvoicesPart(**NAMES, ends="To" if ends else None)
    source = charged("prices", files.Source(engine.view(frame)), part)
    made = source.view.to_pandas("customer_id", "valid_from", "monthly_price")
    return [tuple(row) for row in made.sort_values(["customer_id", "valid_from"]).itertuples(index=False)]


def months_later(day: date, months: int) -> date:
    return (pd.Timestamp(day) + pd.DateOffset(months=months)).date()


def by_brute_force(rows):
    """What each customer pays a month on each day, and the days on which that changes to something above 0."""
    found = []
    for who in sorted({row[0] for row in rows}):
        totals: dict[date, float] = {}
        for customer, first, last, amount in rows:
            months = next((m for m in range(1, 40) if months_later(first, m) == last + timedelta(1)), 0)
            if customer == who and months:
                for day in pd.date_range(first, last).date:
                    totals[day] = totals.get(day, 0) + amount / months
        before = None
        for day in sorted(totals):
            price = round(totals[day], 4)
            if price > 0 and price != before:
                found.append((who, day, price))
                before = price
    return found


@pytest.mark.parametrize("seed", range(12))
def test_prices_are_what_every_day_is_charged(seed):
    generator = np.random.default_rng(seed)
    rows = []
    for who in ("a", "b", "c"):
        for _ in range(generator.integers(1, 9)):
            first = date(2024, 1, 1) + timedelta(int(generator.integers(0, 25)) * 15)
            first = first.replace(day=min(first.day, 28))
            months = int(generator.choice([1, 1, 3, 12]))
            last = months_later(first, months) - timedelta(1) - timedelta(int(generator.random() < 0.2) * 5)
            amount = float(generator.choice([10, 12, 30, -10]))
            rows.append((who, first, last, amount))
    made = [(who, day.date() if hasattr(day, "date") else day, price) for who, day, price in prices(rows)]
    assert made == by_brute_force(rows)


JANUARY, MARCH = date(2025, 1, 1), date(2025, 3, 1)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("a", JANUARY, date(2025, 1, 31), 8), ("a", JANUARY, date(2025, 1, 31), 2)], [(JANUARY, 10)]),  # two lines
        ([("a", JANUARY, date(2025, 12, 31), 120)], [(JANUARY, 10)]),  # a year in advance
        ([("a", JANUARY, date(2025, 2, 1), 10)], [(JANUARY, 10)]),  # the first day after it instead of the last in it
        ([("a", JANUARY, date(2025, 1, 14), 4.5)], []),  # days pro rata are no price
        ([("a", JANUARY, date(2025, 1, 31), 10), ("a", JANUARY, date(2025, 1, 31), -10)], []),  # credited
        ([("a", date(2025, 1, 31), date(2025, 2, 27), 10), ("a", date(2025, 2, 28), date(2025, 3, 30), 10)],
         [(date(2025, 1, 31), 10)]),  # months that begin on the last day
        ([("a", JANUARY, date(2025, 1, 31), 10), ("a", MARCH, date(2025, 3, 31), 10)], [(JANUARY, 10)]),  # a month off
        ([("a", None, date(2025, 1, 31), 10), ("a", JANUARY, None, 10), ("a", JANUARY, date(2025, 1, 31), None)], []),
    ],
)  # fmt: skip
def test_kinds_of_invoices(rows, expected):
    assert [(pd.Timestamp(day).date(), price) for _, day, price in prices(rows)] == expected


def test_without_ends_an_invoice_is_for_a_month():
    rows = [("a", JANUARY, None, 8), ("a", JANUARY, None, 2), ("a", date(2025, 2, 1), None, 10), ("a", MARCH, None, 12)]
    assert [(pd.Timestamp(day).date(), price) for _, day, price in prices(rows, ends=False)] == [
        (JANUARY, 10),
        (MARCH, 12),
    ]


def test_a_column_that_is_not_there_or_holds_no_amounts():
    frame = pd.DataFrame({"Who": ["a"], "From": ["2025-01-01"], "Net": ["ten"]})
    with pytest.raises(CxError, match=r"^p: no column 'To'; There are: 'Who', 'From', 'Net'$"):
        charged("p", files.Source(engine.view(frame)), InvoicesPart(**NAMES, ends="To"))
    with pytest.raises(
        CxError, match=r"^p: column 'Net' must be a number in every row, 1 value is not, such as 'ten'; "
    ):
        charged("p", files.Source(engine.view(frame)), InvoicesPart(**NAMES))


def test_a_column_for_each_touchpoint_becomes_a_row_for_each_rating():
    frame = pd.DataFrame({"id": ["r1", "r2"], "Q1": [5.0, None], "Q2": [None, 3.0], "Q3": [None, None]})
    source = melted("ratings", files.Source(engine.view(frame)), {"Q1": "app", "Q2": "shop'; --", "Q3": "none"})
    rows = source.view.to_pandas().sort_values("id")
    assert rows.to_numpy().tolist() == [["r1", "app", "5.0"], ["r2", "shop'; --", "3.0"]]
    with pytest.raises(CxError, match=r"^r.touchpoints: no column 'Q4'; There are: 'id', 'Q1', 'Q2', 'Q3'$"):
        melted("r", files.Source(engine.view(frame)), {"Q4": "app"})
