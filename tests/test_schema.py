"""Names: the tables, the bands and the one result shape."""

import numpy as np
import pandas as pd
import pytest

from cxlib import schema

KINDS = {"id", "text", "category", "date", "timestamp", "number", "integer", "flag"}


def test_the_seven_tables_of_the_contract():
    assert list(schema.TABLES) == [
        "customers", "prices", "surveys", "ratings", "tickets", "interactions", "touchpoints",
    ]  # fmt: skip
    assert {c.name for c in schema.TABLES["customers"]} == {
        "customer_id", "region", "segment", "plan", "signup_date", "end_date", "end_kind", "stated_reason",
        "referred_by",
    }  # fmt: skip


@pytest.mark.parametrize("table", schema.TABLES)
def test_every_column_is_described_and_every_table_has_a_key(table):
    columns = schema.TABLES[table]
    assert {c.kind for c in columns} <= KINDS
    assert all(c.meaning for c in columns)
    assert len({c.name for c in columns}) == len(columns)
    assert columns[0].required
    assert not any(c.name.endswith("*") for c in columns)


def test_service_is_told_from_experience_in_one_column_only():
    flags = [(table, c.name) for table, columns in schema.TABLES.items() for c in columns if "service" in c.name]
    assert flags == [("touchpoints", "is_service")]


def test_the_codebook_lists_every_column_once():
    book = schema.codebook()
    assert list(book.columns) == ["table", "column", "kind", "unit", "values", "required", "meaning"]
    assert len(book) == sum(map(len, schema.TABLES.values()))
    assert not book.duplicated(["table", "column"]).any()


def test_bands_have_one_level_more_than_edges():
    for name in ("PRICE", "GAP", "FAULT", "TENURE"):
        assert len(getattr(schema, f"{name}_LEVELS")) == len(getattr(schema, f"{name}_EDGES")) + 1


@pytest.mark.parametrize("rows", [[], [{"term": "nps", "measure": "nps", "estimate": 40}]])
def test_results_have_one_shape_and_fixed_types(rows):
    frame = schema.results(({"region": "north", **row} for row in rows), by=["region"])
    assert list(frame.columns) == ["region", *schema.RESULT_COLUMNS]
    numbers = ["estimate", "std_error", "lower", "upper", "level"]
    assert (frame[numbers].dtypes == np.float64).all()
    assert frame["n"].dtype == np.int64
    texts = frame[["term", "measure", "unit", "method", "note"]]
    assert all(pd.api.types.is_string_dtype(texts[name]) for name in texts)
    if rows:
        assert frame.loc[0, "note"] == ""
        assert np.isnan(frame.loc[0, "lower"])
        assert frame.loc[0, "n"] == 0


def test_results_are_not_rounded():
    assert schema.results([{"term": "a", "measure": "b", "estimate": 1 / 3}])["estimate"][0] == 1 / 3


def test_levels_are_shown_as_declared_and_strangers_last():
    assert schema.ordered("service_band", ["failed", "good", "odd", "none"]) == ["none", "good", "failed", "odd"]
    assert schema.ordered("city", ["b", "a"]) == ["a", "b"]
    assert schema.ordered("flag", [True, False]) == [False, True]
