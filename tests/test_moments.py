"""Sums of products equal numpy's, by unit; and what was summed of a frame is not summed again."""

import numpy as np
import pandas as pd
import pytest

from cxlib import cells, engine, files, moments
from cxlib.errors import CxError
from cxlib.moments import cross_products
from tests.test_cells import customers

TERMS = {"a": "faults", "b": "tenure", "c": "abroad"}


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("every", [True, False], ids=["every customer", "buckets"])
@pytest.mark.parametrize("some", [False, True], ids=["all rows", "some rows"])
def test_cross_products_equal_numpy(weights, every, some, monkeypatch):
    if not every:
        monkeypatch.setattr(cells, "EVERY_CUSTOMER", 10)
        monkeypatch.setattr(cells, "BUCKETS", 30)
    data = customers(400)
    seen = engine.view(data)
    keep = seen["segment"] != "business" if some else None
    moments = cross_products(seen, {k: seen[v] for k, v in TERMS.items()}, "customer_id", weights, keep)
    rows = data[data["segment"] != "business"] if some else data
    x = np.column_stack([np.ones(len(rows)), rows[list(TERMS.values())].to_numpy(float)])
    w = rows[weights].to_numpy() if weights else np.ones(len(rows))
    np.testing.assert_allclose(moments.products.sum(axis=0), (x * w[:, None]).T @ x, rtol=1e-10)
    assert moments.names == ("constant", *TERMS)
    assert moments.rows == len(rows)
    assert len(moments.products) == (len(rows) if every else 30)


def test_cross_products_of_many_batches_equal_numpy_by_bucket(monkeypatch):
    monkeypatch.setattr(cells, "EVERY_CUSTOMER", 10)
    monkeypatch.setattr(cells, "BUCKETS", 7)
    monkeypatch.setattr(engine, "BATCH", 2048)
    data = customers(9_000).assign(x=lambda d: d["tenure"].where(d["tenure"] > 100), who=lambda d: d["customer_id"])
    data.loc[::50, ["who", "w"]] = None  # in a bucket of their own, and worth nothing
    seen = engine.view(data)
    moments = cross_products(seen, {"x": seen["x"], "faults": seen["faults"]}, "who", "w")
    hashed = engine.collect(engine.bucketed(seen, "who", 7).select("bucket", seen["customer_id"].alias("id")))
    bucket = hashed.set_index("id")["bucket"].reindex(data["customer_id"]).fillna(7).to_numpy(int)
    x = data.assign(one=1.0)[["one", "x", "faults"]].fillna(0).to_numpy(float)
    w = data["w"].fillna(0).to_numpy(float)
    expected = [(x[bucket == b] * w[bucket == b, None]).T @ x[bucket == b] for b in range(8)]
    np.testing.assert_allclose(moments.products, expected, rtol=1e-10, atol=1e-9)
    assert moments.rows == 9_000
    whole = cross_products(seen, {"x": seen["x"], "faults": seen["faults"]}, weights="w", units=False)
    np.testing.assert_allclose(whole.products, [np.sum(expected, axis=0)], rtol=1e-10)


def test_cross_products_keep_customers_together():
    data = pd.DataFrame({"id": ["a", "b", "a", "c", "b", "a"], "x": [1.0, 2, 3, 4, 5, 6]})
    seen = engine.view(data)
    moments = cross_products(seen, {"x": seen["x"]}, "id")
    assert sorted(moments.products[:, 0, 1]) == [4, 7, 10]


@pytest.fixture
def passes(monkeypatch):
    """The terms of each pass over the rows."""
    made, plain = [], moments._streamed
    monkeypatch.setattr(cells, "EVERY_CUSTOMER", 10)
    monkeypatch.setattr(
        moments, "_streamed", lambda lazy, columns: made.append(len(columns) - 1) or plain(lazy, columns)
    )
    return made


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({}, False),
        ({"terms": ["c", "a"]}, False),
        ({"terms": []}, False),
        ({"terms": ["a", "d"]}, True),
        ({"weights": None}, True),
        ({"customer": None}, True),
        ({"units": False}, True),
        ({"keep": True}, True),
        ({"anew": True}, True),
    ],
    ids=str,
)
def test_sums_that_were_made_of_a_frame_are_taken_from_it(changed, again, passes):
    data = customers(3_000)
    seen = engine.view(data)
    expressions = {name: seen[column] for name, column in TERMS.items()} | {"d": seen["faults"] * 2}

    def asked(view, terms=("a", "b", "c"), weights="w", customer="customer_id", units=True, keep=False, anew=False):
        kept = view["segment"] != "business" if keep else None
        return cross_products(view, {t: expressions[t] for t in terms}, customer, weights, kept, units=units)

    asked(seen)
    assert passes == [3]
    found = asked(engine.view(data) if changed.get("anew") else seen, **changed)
    assert len(passes) == 1 + again
    expected = asked(engine.view(data), **changed)
    assert (found.names, found.rows) == (expected.names, expected.rows)
    np.testing.assert_allclose(found.products.sum(axis=0), expected.products.sum(axis=0), rtol=1e-12)
    if changed.get("customer", "customer_id"):  # rows that name nobody go into buckets by their place
        np.testing.assert_allclose(found.products, expected.products, rtol=1e-12)


def test_only_the_last_sums_of_a_frame_are_kept(passes):
    seen = engine.view(customers(3_000))
    for times in range(1, 3 + moments.MOST_KEPT):
        cross_products(seen, {"x": seen["faults"] * times}, "customer_id")
    assert len(passes) == 2 + moments.MOST_KEPT
    cross_products(seen, {"x": seen["faults"] * times}, "customer_id")
    assert len(passes) == 2 + moments.MOST_KEPT
    cross_products(seen, {"x": seen["faults"]}, "customer_id")
    assert len(passes) == 3 + moments.MOST_KEPT
    assert len(moments._MADE[seen]) == moments.MOST_KEPT


def test_sums_of_a_file_that_is_gone_are_not_told(passes, tmp_path):
    customers(3_000).to_parquet(tmp_path / "customers.parquet")
    seen = files.read_file(tmp_path / "customers.parquet").view
    cross_products(seen, {"x": seen["faults"]}, "customer_id")
    (tmp_path / "customers.parquet").unlink()
    with pytest.raises(CxError, match=r"customers\.parquet: the file is gone"):
        cross_products(seen, {"x": seen["faults"]}, "customer_id")
