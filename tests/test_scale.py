"""The page on running at any size under test: its numbers are the code's, its files exist, nothing large comes back.

Its Spark example is run in test_spark.
"""

import re

import narwhals as nw
import pytest

import cxlib as cx
from cxlib import cells, engine, hazards, ordered_answers
from cxlib.study import ROOT
from tests import frames
from tests.spark_cases import CASES

PAGE = (ROOT / "SCALE.md").read_text(encoding="utf-8")
# What takes no rows: files and figures of others, and what only reads, makes or shows results.
WITHOUT_ROWS = set(
    "claim_consistency claim_margins claim_verdict CxError load masked nps_sample_size plots published_claims "
    "read_study repeated_samples simulate text workshop".split()
)


def test_every_public_function_that_takes_rows_is_held_to_spark():
    """A new one gets a line in spark_cases.py; what Spark cannot do is refused in one line and named on the page."""
    assert set(CASES) | WITHOUT_ROWS == set(cx.__all__)
    assert not set(CASES) & WITHOUT_ROWS


def test_its_numbers_are_those_of_the_code():
    told = set(re.findall(r"\d+(?:,\d{3})+|\b500\b|\b100\b", PAGE))
    for number in (cells.EVERY_CUSTOMER, cells.BUCKETS, cells.MOST_VALUES, cells.MOST_LEVELS, hazards.MOST_CUSTOMERS,
                   ordered_answers.MOST_ANSWERS):  # fmt: skip
        assert f"{number:,}" in told
    assert 6 * 45 * cells.BUCKETS == 270_000


def test_names_targets_and_commands_are_there():
    for name in re.findall(r"`(?:cx\.)?([a-z]+_[a-z_]+)`", PAGE):
        assert name in cx.__all__ or name in ("to_date", "to_timestamp"), name
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)`", PAGE)) == {"bench", "test-long"} <= targets
    assert "(SCALE.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("count", [25_000, 50_000])
def test_what_comes_back_does_not_grow_with_the_customers(count, monkeypatch):
    """The page's own bounds, for twice the customers too: rows of everything that leaves the engine."""
    data, sizes = engine.view(frames.customers(count).assign(score=5.0)), []
    collected = nw.LazyFrame.collect

    def noted(lazy, *args, **kwargs):
        table = collected(lazy, *args, **kwargs)
        sizes.append(table.shape)
        return table

    monkeypatch.setattr(nw.LazyFrame, "collect", noted)
    cx.fit_attrition(data, causes=frames.CAUSES, adjust=["segment"], customer="customer_id", replicates=2)
    assert cells.BUCKETS < max(rows for rows, _ in sizes) <= 3 * 3 * 3 * cells.BUCKETS
    sizes.clear()
    asked = {"weights": "w", "customer": "customer_id", "replicates": 2}
    cx.relative_importance(data, "faults", ["tenure", "abroad"], scale="score", **asked)
    assert max(rows for rows, _ in sizes) <= cells.BUCKETS  # DuckDB's own rows pass by in batches
    sizes.clear()
    cx.csat(data, by=["service", "segment"], score="score")
    assert max(rows for rows, _ in sizes) == 3 * 3
