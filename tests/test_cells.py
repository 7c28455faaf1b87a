"""The two small tables: cell counts and cross-products against pandas on the rows, whatever holds the rows."""

import re

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib import cells, engine
from cxlib.cells import count_cells
from cxlib.errors import CxError
from tests.frames import customers

FACTORS = ["service", "segment", "abroad", "faults"]


def counted(frame, **settings):
    return count_cells(engine.view(frame), FACTORS, "left", **settings)


def by_pandas(frame, weights=None):
    w = frame[weights] if weights else pd.Series(1.0, frame.index)
    sums = frame.assign(n=w, events=w * frame["left"], rows=1).groupby(FACTORS)[["n", "events", "rows"]].sum()
    return sums.reset_index()


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("customer", [None, "customer_id"])
@pytest.mark.parametrize("every", [True, False], ids=["every customer", "buckets"])
def test_counts_equal_pandas(weights, customer, every, monkeypatch):
    if not every:
        monkeypatch.setattr(cells, "EVERY_CUSTOMER", 100)
        monkeypatch.setattr(cells, "BUCKETS", 50)
    data = customers(800)
    table, expected = counted(data, weights=weights, customer=customer), by_pandas(data, weights)
    merged = table.levels.assign(
        n=table.n.sum(axis=0), events=table.events.sum(axis=0), rows=table.rows
    ).merge(expected, on=FACTORS, suffixes=("", "_pandas"), validate="one_to_one")  # fmt: skip
    assert len(merged) == len(expected) == len(table.levels)
    for column in ("n", "events", "rows"):
        np.testing.assert_allclose(merged[column], merged[f"{column}_pandas"], atol=1e-9)
    assert table.n.shape[0] == (800 if every else 50)
    assert table.weighted == (weights is not None)


@pytest.mark.parametrize("form", ["polars", "arrow", "duckdb", "parquet"])
@pytest.mark.parametrize("customer", [None, "customer_id"])
def test_every_form_of_the_frame_gives_the_same_cells(form, customer, tmp_path):
    data = customers(500)
    arrow = pa.Table.from_pandas(data)
    data.to_parquet(tmp_path / "f.parquet")
    other = {"polars": lambda: pl.from_arrow(arrow), "arrow": lambda: arrow, "duckdb": lambda: duckdb.from_arrow(arrow),
             "parquet": lambda: duckdb.read_parquet(str(tmp_path / "f.parquet"))}[form]()  # fmt: skip
    one, two = counted(data, weights="w", customer=customer), counted(other, weights="w", customer=customer)
    assert one.levels.astype(str).equals(two.levels.astype(str))
    assert (one.n.toarray() == two.n.toarray()).all()
    assert (one.events.toarray() == two.events.toarray()).all()


def test_the_order_of_rows_does_not_matter_where_customers_are_named():
    data = customers(300)
    one, two = (
        counted(data, customer="customer_id"),
        counted(data.sample(frac=1, random_state=1), customer="customer_id"),
    )
    assert (one.n.toarray() == two.n.toarray()).all()
    assert one.levels.equals(two.levels)


def test_levels_come_in_the_order_they_are_shown():
    data = pd.DataFrame({"service_band": ["failed", "none", "good"] * 9, "x": [10, 9, 2] * 9, "left": [0, 1, 0] * 9})
    levels = count_cells(engine.view(data), ["service_band", "x"], "left").levels
    assert levels["service_band"].tolist() == ["none", "good", "failed"]
    assert count_cells(engine.view(data), ["x"], "left").levels["x"].tolist() == [2, 9, 10]


@pytest.mark.parametrize("kind", ["bool", "int64", "float64", "boolean", "Int8"])
def test_the_outcome_may_be_yes_no_or_a_number(kind):
    data = customers(200)
    table = counted(data.astype({"left": kind}))
    assert table.events.sum() == data["left"].sum()


def test_a_number_may_have_at_most_so_many_values_in_a_large_frame(monkeypatch):
    monkeypatch.setattr(cells, "EVERY_CUSTOMER", 100)
    monkeypatch.setattr(cells, "MOST_VALUES", 20)
    with pytest.raises(CxError) as caught:
        count_cells(engine.view(customers(500)), ["service", "tenure", "faults"], "left")
    assert len(caught.value.faults) == 1
    assert re.fullmatch(
        r"column 'tenure' has \d+ different numbers, more than 20: make bands of it with cx.band or \[columns\] bands",
        str(caught.value),
    )


@pytest.mark.parametrize(("name", "value"), [("MOST_NUMBERED", 1), ("MOST_TOGETHER", 3)])
def test_levels_that_cannot_be_told_in_numbers_give_the_same_cells(name, value, monkeypatch):
    monkeypatch.setattr(cells, "EVERY_CUSTOMER", 100)
    data = customers(800)
    quick = counted(data, customer="customer_id")
    monkeypatch.setattr(cells, name, value)
    slow = counted(data, customer="customer_id")
    pd.testing.assert_frame_equal(quick.levels, slow.levels)
    assert (quick.n != slow.n).nnz == (quick.events != slow.events).nnz == 0
    expected = by_pandas(data).sort_values(FACTORS, ignore_index=True)
    found = quick.levels.assign(n=quick.n.sum(axis=0)).sort_values(FACTORS, ignore_index=True)
    np.testing.assert_array_equal(found["n"], expected["n"])


def test_an_empty_level_is_refused_in_a_large_frame_too(monkeypatch):
    monkeypatch.setattr(cells, "EVERY_CUSTOMER", 100)
    data = customers(800)
    data.loc[:4, "service"] = None
    with pytest.raises(CxError, match="column 'service' must have a value in every row, but 5 are empty"):
        counted(data)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_no_row_is_lost(rows):
    data = pd.DataFrame(rows, columns=["x", "y", "left"])
    table = count_cells(engine.view(data), ["x", "y"], "left")
    assert table.rows.sum() == table.n.sum() == len(rows)
    assert table.events.sum() == data["left"].sum()
    assert not table.levels.duplicated().any()


@pytest.mark.parametrize("every", [True, False], ids=["every customer", "buckets"])
def test_a_customer_has_one_row_or_one_a_period(every, monkeypatch):
    if not every:
        monkeypatch.setattr(cells, "EVERY_CUSTOMER", 10)
        monkeypatch.setattr(cells, "BUCKETS", 5)
    data = customers(60)
    windows = pd.concat([data.assign(window=day) for day in pd.to_datetime(["2024-01-31", "2024-02-29"])])
    stacked = count_cells(engine.view(windows), FACTORS, "left", "customer_id", period="window")
    assert stacked.rows.sum() == 120
    assert stacked.n.shape[0] == (60 if every else 5)
    with pytest.raises(CxError, match=r"must name each customer once, but 60 have more rows: 'C0', 'C1', 'C10' and 57"):
        count_cells(engine.view(windows), FACTORS, "left", "customer_id")
    twice = pd.concat([windows, windows[:2]])
    with pytest.raises(CxError, match=r"once a period, but 2 have more rows: 'C\d+', 'C\d+'; keep one row each"):
        count_cells(engine.view(twice), FACTORS, "left", "customer_id", period="window")


@pytest.mark.parametrize("every", [True, False], ids=["every customer", "buckets"])
def test_a_customer_without_a_name_is_refused(every, monkeypatch):
    monkeypatch.setattr(cells, "EVERY_CUSTOMER", 10**9 if every else 10)
    data = customers(60)
    data.loc[[3, 4], "customer_id"] = None
    with pytest.raises(CxError) as caught:
        counted(data, customer="customer_id")
    assert caught.value.faults == ("column 'customer_id' must name the customer in every row, but 2 are empty",)


def test_what_comes_back_is_small():
    """A million rows never reach Python: only the grouped table does."""
    sql = 'SELECT range % 3 AS a, range % 5 AS b, range % 7 = 0 AS "left", range AS id FROM range(1000000)'
    table = count_cells(engine.view(duckdb.sql(sql)), ["a", "b"], "left", "id")
    assert table.n.shape == (cells.BUCKETS, 15)
    assert table.rows.sum() == 1_000_000
    assert table.n.nnz <= 15 * cells.BUCKETS
