"""The edge: any frame comes in with the same values, names cannot do harm, missing is spelled one way."""

from decimal import Decimal

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxlib import engine, files
from cxlib.errors import CxError

FRAME = pd.DataFrame({
    "customer_id": ["007", "8", None],
    "region": ["north", None, "south"],
    "abroad": [True, False, None],
    "faults": [1, 2, 3],
    "price": [1.5, np.nan, 3.0],
    "at": pd.to_datetime(["2024-01-01 12:00", None, "2024-07-01 00:30"]),
})  # fmt: skip
KINDS = {
    "customer_id": "factor",
    "region": "factor",
    "abroad": "factor",
    "faults": "number",
    "price": "number",
    "at": "stamp",
}


def forms(frame, folder):
    """The same frame in every form that is taken in."""
    arrow = pa.Table.from_pandas(frame)
    frame.to_parquet(folder / "frame.parquet")
    return {
        "pandas": frame,
        "polars": pl.from_arrow(arrow),
        "polars lazy": pl.from_arrow(arrow).lazy(),
        "arrow": arrow,
        "duckdb": duckdb.from_arrow(arrow),
        "parquet": duckdb.read_parquet(str(folder / "frame.parquet")),
        "narwhals": nw.from_native(frame),
        "narwhals lazy": nw.from_native(duckdb.from_arrow(arrow)),
        "view": engine.view(frame),
    }


FORMS = ["pandas", "polars", "polars lazy", "arrow", "duckdb", "parquet", "narwhals", "narwhals lazy", "view"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_values_and_kinds(form, tmp_path):
    seen = engine.view(forms(FRAME, tmp_path)[form])
    assert dict(seen.kind) == KINDS
    assert list(seen.at) == list(FRAME)
    back = seen.to_pandas()
    assert back["customer_id"].tolist()[:2] == ["007", "8"]
    assert back.isna().to_numpy().tolist() == FRAME.isna().to_numpy().tolist()
    assert back["price"].dropna().tolist() == [1.5, 3.0]
    assert back["at"].dropna().tolist() == FRAME["at"].dropna().tolist()
    assert engine.rows(seen) == 3


NASTY = [
    "a.b",
    'quo"te',
    "it's",
    "<b>bold</b>",
    "a; DROP TABLE x; --",
    "Größe 💥",
    " ",
    "select",
    "A",
    "a",
    "c1",
    "c0",
]


@pytest.mark.parametrize("form", ["pandas", "polars", "arrow"])
def test_names_may_be_anything(form, tmp_path):
    frame = pd.DataFrame([range(len(NASTY))], columns=NASTY)
    seen = engine.view(forms(frame, tmp_path)[form])
    assert seen.to_pandas().iloc[0].to_dict() == dict(zip(NASTY, range(len(NASTY)), strict=True))
    assert engine.collect(seen.frame.group_by(seen.at['quo"te']).agg(seen["a.b"].sum().alias("s")))["s"].tolist() == [0]


def test_a_table_of_the_user_called_source_is_not_mistaken_for_the_frame():
    duckdb.sql("CREATE OR REPLACE TABLE source AS SELECT 1 AS only")
    try:
        assert engine.view(duckdb.sql("SELECT 5 AS x, 6 AS y")).to_pandas().to_numpy().tolist() == [[5, 6]]
        assert engine.view(duckdb.table("source")).to_pandas()["only"].tolist() == [1]
        before = duckdb.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall()
        engine.view(FRAME)
        assert duckdb.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == before
    finally:
        duckdb.sql("DROP TABLE source")


def test_taking_a_relation_in_runs_no_query():
    error = "CAST(error('it ran') AS INTEGER)"
    seen = engine.view(duckdb.sql(f"SELECT range AS id, CASE WHEN range < 3 THEN {error} END AS x FROM range(5)"))
    assert seen.kind["x"] == "number"
    with pytest.raises(duckdb.Error, match="it ran"):
        seen.to_pandas("x")


@pytest.mark.parametrize(
    ("column", "kind", "values"),
    [
        (pd.Categorical(["b", "a", None]), "factor", ["b", "a", None]),
        (pd.Categorical([10, 2, None]), "factor", ["10", "2", None]),
        (pd.cut(np.array([0.5, 1.5, np.nan]), [0, 1, 2]), "factor", ["(0, 1]", "(1, 2]", None]),
        (pd.array([1, 2, None], dtype="Int64"), "number", [1, 2, None]),
        (pd.array([True, False, None], dtype="boolean"), "factor", [True, False, None]),
        (pd.array(["x", "y", None], dtype="string"), "factor", ["x", "y", None]),
        ([Decimal("1.5"), Decimal("2"), None], "number", [1.5, 2.0, None]),
        (np.array([1, 2, np.nan], dtype="float16"), "number", [1, 2, None]),
        ([np.inf, 0.0, np.nan], "number", [np.inf, 0.0, None]),
        ([None, None, None], "factor", [None, None, None]),
        ([pd.NaT, pd.NaT, pd.NaT], "stamp", [None, None, None]),
        ([[1], [2], None], "other", [[1], [2], None]),
    ],
)
def test_kinds_of_pandas_columns(column, kind, values):
    seen = engine.view(pd.DataFrame({"x": column}))
    assert seen.kind["x"] == kind
    back = seen.to_pandas()["x"].tolist()
    given = [None if (isinstance(v, float) and np.isnan(v)) or v is None or v is pd.NaT else v for v in back]
    assert [list(v) if isinstance(v, np.ndarray) else v for v in given] == values


def test_sums_of_integers_are_plain_numbers():
    seen = engine.view(duckdb.sql("SELECT sum(range) AS whole, sum(range::DECIMAL(9, 2)) AS broken FROM range(5)"))
    assert seen.to_pandas().dtypes.tolist() == [np.float64, np.float64]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("form", ["pandas", "polars", "arrow", "parquet"])
def test_stamps_with_a_zone_become_naive_utc(zone, form, tmp_path):
    local = pd.Series(pd.to_datetime(["2024-01-01 12:00", "2024-07-01 12:00"])).dt.tz_localize(zone)
    seen = engine.view(forms(pd.DataFrame({"at": local, "x": [1, 2]}), tmp_path)[form])
    assert seen.to_pandas()["at"].tolist() == local.dt.tz_convert("UTC").dt.tz_localize(None).tolist()


def test_the_zone_of_the_session_does_not_matter():
    local = pd.Series(pd.to_datetime(["2024-07-01 12:00"])).dt.tz_localize("Europe/Berlin")
    zone = duckdb.sql("SELECT current_setting('TimeZone')").fetchall()[0][0]
    try:
        duckdb.sql("SET TimeZone = 'America/New_York'")
        assert engine.view(pd.DataFrame({"at": local})).to_pandas()["at"].tolist() == [pd.Timestamp("2024-07-01 10:00")]
    finally:
        duckdb.sql(f"SET TimeZone = '{zone}'")


def test_long_queries_draw_no_bar_into_a_page():
    engine.view(FRAME)
    assert duckdb.sql("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]


def test_time_between_stamps():
    at = pd.to_datetime(["2024-02-28 12:00", "2024-03-01 00:00"])
    seen = engine.view(pd.DataFrame({"a": [at[0], None], "b": [at[1], at[1]]}))
    lazy = seen.frame.select(
        minutes=engine.minutes_between(seen["b"], seen["a"]), days=engine.days_between(seen["b"], seen["a"])
    )
    assert engine.collect(lazy)["minutes"].tolist()[0] == 36 * 60
    assert engine.collect(lazy)["days"].tolist()[0] == 1.5
    assert engine.collect(lazy).isna().iloc[1].all()


@pytest.mark.parametrize("buckets", [None, 7])
def test_a_customer_is_always_in_the_same_bucket_and_the_nameless_in_none(buckets):
    ids = ["a", "b", None, "a", "c"] * 40
    seen = engine.view(pd.DataFrame({"id": ids}))
    table = engine.collect(engine.bucketed(seen, "id", buckets))
    assert table.loc[table["c0"].isna(), "bucket"].isna().all()
    assert (table.dropna().groupby("c0")["bucket"].nunique() == 1).all()
    assert table["bucket"].nunique() == 3 if buckets is None else table["bucket"].dropna().between(0, 6).all()


def test_without_a_customer_every_row_is_its_own_and_buckets_are_about_equal():
    seen = engine.view(pd.DataFrame({"x": range(10_000)}))
    assert engine.collect(engine.bucketed(seen, None, None))["bucket"].nunique() == 10_000
    sizes = engine.collect(engine.bucketed(seen, None, 10))["bucket"].value_counts()
    assert sizes.between(880, 1120).all()  # 1,000 each, four standard deviations


def test_a_hash_has_no_order():
    # Row numbers modulo the buckets would make systematic samples of customers listed by sign-up.
    seen = engine.view(pd.DataFrame({"id": [f"C{i:05d}" for i in range(10_000)]}))
    bucket = engine.collect(engine.bucketed(seen, "id", 100))["bucket"].to_numpy(float)
    assert abs(np.corrcoef(bucket, np.arange(10_000))[0, 1]) < 0.05
    assert np.mean(np.diff(bucket) == 1) < 0.03


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (pd.DataFrame(), "frame must have columns and rows, but has neither; check what was read or filtered"),
        (pl.DataFrame(), "frame must have columns and rows, but has neither; check what was read or filtered"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "frame: two columns are named 'a'; give each its own name"),
        ({"a": [1]}, "frame must be a pandas, Polars, Arrow, DuckDB or Spark frame, not dict: {'a': [1]}; "
                     "read it first, for one with cx.load"),
        (None, "frame must be a pandas, Polars, Arrow, DuckDB or Spark frame, not NoneType: None; "
               "read it first, for one with cx.load"),
    ],
)  # fmt: skip
def test_what_is_no_frame_is_refused(frame, line):
    with pytest.raises(CxError) as caught:
        engine.view(frame)
    assert caught.value.faults == (line,)


def test_every_column_of_mixed_values_is_named_at_once():
    with pytest.raises(CxError) as caught:
        engine.view(pd.DataFrame({"a": [1, "x"], "b": [2, 3], "c": ["y", 1.5]}), "surveys")
    assert [fault.split("(")[0] for fault in caught.value.faults] == [
        f"surveys: column '{name}' must hold one kind of value, not a mixture " for name in "ac"
    ]


def test_missing_columns_are_named_at_once():
    with pytest.raises(CxError) as caught:
        engine.require(engine.view(FRAME), ["regon", "price", "zz"], "customers")
    assert len(caught.value.faults) == 2
    assert "did you mean 'region'?" in caught.value.faults[0]


@pytest.mark.parametrize("values", [[[9], [10]], [{"a": 1}, {"a": 2}]])
def test_a_column_of_lists_is_refused_where_one_value_is_needed(values):
    seen = engine.view(pd.DataFrame({"score": values, "n": [1, 2]}))
    assert len(seen.to_pandas("score")) == 2
    engine.require(seen, ["n"])
    with pytest.raises(CxError) as caught:
        engine.require(seen, ["score"])
    line = "frame: 'score' must hold texts, numbers or days, not lists; turn it into text"
    assert caught.value.faults == (line,)


def test_categories_that_read_alike_are_not_merged():
    column = pd.Series([0, "0", 0], dtype=pd.CategoricalDtype([0, "0"]))
    with pytest.raises(CxError, match=r"column 'a' has two categories that read '0', such as a number and its text"):
        engine.view(pd.DataFrame({"a": column}))


@pytest.mark.parametrize("form", ["arrow", "polars", "pandas", "parquet", "duckdb"])
def test_a_column_without_a_type_is_empty_text(form, tmp_path):
    """An export in which nobody has left yet: it knows no type for the day they left."""
    arrow = pa.table({"id": ["a", "b"], "end_date": pa.nulls(2)})
    pq.write_table(arrow, tmp_path / "frame.parquet")
    relation = duckdb.read_parquet(str(tmp_path / "frame.parquet"))
    given = {"arrow": arrow, "polars": pl.from_arrow(arrow), "pandas": arrow.to_pandas(), "duckdb": relation}
    seen = files.read_file(tmp_path / "frame.parquet").view if form == "parquet" else engine.view(given[form])
    assert seen.kind == {"id": "factor", "end_date": "factor"}
    assert seen.frame.collect_schema()[seen.at["end_date"]] == nw.String
    assert seen.to_pandas()["end_date"].isna().tolist() == [True, True]
