"""Spark against DuckDB: the same frames, estimates, limits and refusals, from the same Parquet files.

The authority is the DuckDB engine, which the other tests hold to their own. With few customers each is a bucket of
its own on both engines, so limits agree as closely as estimates; with many the buckets differ, and limits by as much
as resampling does. The session's clock is not UTC.
"""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib import engine, schema
from cxlib.errors import CxError
from cxlib.study import ROOT
from tests import frames
from tests.spark_cases import CASES, looked_at

pytestmark = pytest.mark.xdist_group("spark")  # one process, and so one session, for all of them
FOLDED = "attrition_prediction"
STAMPS = ["2025-03-30 00:30", "2025-03-30 01:30", "2025-10-26 00:30", "2025-10-26 01:30", "2025-11-02 05:30",
          "2025-11-02 06:30", "2026-01-01 00:00:00.75", None]  # fmt: skip


@pytest.fixture(scope="module")
def tables(spark, tmp_path_factory):
    """Engine -> the tables of a simulated company, read from the same files."""
    folder = tmp_path_factory.mktemp("company")
    for name, seen in cx.load(cx.simulate(customers=1200, seed=3)[0]).present.items():
        seen.frame.to_native().write_parquet(str(folder / f"{name}.parquet"))
    on_spark = {name: spark.read.parquet(str(folder / f"{name}.parquet")).persist() for name in schema.TABLES}
    return {"duckdb": cx.load(folder), "spark": cx.load(on_spark)}


@pytest.fixture(scope="module")
def looks(spark, tables, tmp_path_factory):
    """Engine -> what the cases are asked of."""
    path = str(tmp_path_factory.mktemp("labels") / "themes.parquet")
    cx.simulated_themes(tables["duckdb"].surveys, tables["duckdb"].touchpoints).to_parquet(path)
    labelled = {"duckdb": duckdb.read_parquet(path), "spark": spark.read.parquet(path)}
    as_files = tmp_path_factory.mktemp("frames")

    def kept(seen):
        """A frame of Spark's from a file: with its joins behind it, each step of a query is planned with them."""
        if not engine.on_spark(seen.frame):
            return seen
        path = str(as_files / f"{len(list(as_files.iterdir()))}.parquet")
        seen.frame.to_native().write.parquet(path)
        return engine.View(nw.from_native(spark.read.parquet(path)), seen.at, seen.kind)

    return {name: looked_at(one, labelled[name], kept) for name, one in tables.items()}


def on_both(spark, frame, folder):
    """The same rows as a view on each engine."""
    path = str(folder / "frame.parquet")
    frame.to_parquet(path, index=False)
    return engine.view(duckdb.read_parquet(path)), engine.view(spark.read.parquet(path))


def assert_same(found, expected, within=1e-9):
    """The same rows, those of a view in any order; numbers within `within`, and so much of themselves."""
    if isinstance(found, engine.View):
        order = [name for name in expected.at if expected.kind[name] != engine.OTHER]
        assert (dict(found.kind), list(found.at)) == (dict(expected.kind), list(expected.at))
        found, expected = (one.to_pandas().sort_values(order, ignore_index=True) for one in (found, expected))
    if not isinstance(expected, pd.DataFrame):
        assert found == expected
        return
    assert list(found) == list(expected)
    assert len(found) == len(expected) > 0
    for name in expected:
        a, b = found[name], expected[name]
        assert a.isna().tolist() == b.isna().tolist(), name
        if pd.api.types.is_float_dtype(b):
            np.testing.assert_allclose(a.to_numpy(float), b.to_numpy(float), rtol=within, atol=within, err_msg=name)
        else:
            assert a.dropna().tolist() == b.dropna().tolist(), name


def refused(call):
    """What a call is refused for."""
    with pytest.raises(CxError) as caught:
        call()
    return caught.value.faults


def test_the_two_questions_have_the_same_answers(tables):
    """Tables to landmark frame, attributable fractions, NPS and the importance of drivers, limits included."""
    answered = {}
    for name, one in tables.items():
        frame, said = cx.landmark(one, "latest", 180, 90), cx.answers(one)
        if name == "spark":
            frame.frame.to_native().persist(), said.frame.to_native().persist()
        causes = {"service": {"service_band": {"failed": "good"}}, "price": {"price_band": {"raised": "same"}}}
        fit = cx.fit_attrition(frame, causes=causes, adjust=["fault_band"], customer="customer_id", replicates=100)
        drivers = {"drivers": ["contact_support", "price"], "customer": "customer_id", "missing": "not_met"}
        answered[name] = (frame, cx.attributable_fractions(fit), cx.nps(said, by="segment"),
                          cx.relative_importance(said, "recommend", **drivers, replicates=50))  # fmt: skip
    for found, expected in zip(answered["spark"], answered["duckdb"], strict=True):
        assert_same(found, expected)


def test_limits_from_hashed_buckets_differ_by_no_more_than_resampling_does(spark, tmp_path):
    """21,000 customers of the toy are drawn in a thousand buckets, by each engine's own hash."""
    made = [
        cx.attributable_fractions(
            cx.fit_attrition(seen, causes=frames.TOY_CAUSES, customer="customer_id", replicates=1000)
        )
        for seen in on_both(spark, frames.toy(21), tmp_path)
    ]
    duck, sparks = made
    np.testing.assert_allclose(sparks["estimate"], duck["estimate"], rtol=0, atol=1e-9)
    drawn = duck["std_error"] > 0
    assert drawn.sum() > 4
    for limit in ("lower", "upper"):
        apart = (sparks[limit] - duck[limit])[drawn] / duck.loc[drawn, "std_error"]
        assert 0 < apart.abs().max() < 0.4, limit  # of two 2.5 % quantiles of 1,000 draws: .08 each, and of the buckets
    assert (sparks["std_error"] / duck["std_error"])[drawn].between(0.85, 1.15).all()


def test_stamps_are_those_of_utc_whatever_the_clock_of_the_session(spark, tmp_path):
    """Stamps with a zone and without, in hours that clocks skip and repeat in Berlin and in New York."""
    naive = pd.to_datetime(pd.Series(STAMPS), format="ISO8601")
    ids = [str(i) for i in range(len(naive))]
    frame = pd.DataFrame({"id": ids, "naive": naive, "zoned": naive.dt.tz_localize("UTC")})
    duck, sparks = on_both(spark, frame, tmp_path)
    assert_same(sparks, duck)
    assert sparks.to_pandas()["zoned"].dropna().tolist() == naive.dropna().tolist()
    for every in ("day", "week", "month", "quarter"):
        for zone in ("UTC", "Europe/Berlin"):
            assert_same(*(cx.period(seen, "zoned", every, zone) for seen in (sparks, duck)))
    for when in (datetime(2025, 10, 26, 1, 0), date(2026, 1, 1)):
        told = [engine.collect(seen.frame.filter(seen["naive"] < engine.instant(when)).select(nw.len().alias("n")))
                for seen in (sparks, duck)]  # fmt: skip
        assert told[0]["n"][0] == told[1]["n"][0] == (naive < pd.Timestamp(when)).sum()


def test_time_between_stamps(spark, tmp_path):
    later = pd.to_datetime(pd.Series(STAMPS), format="ISO8601")
    frame = pd.DataFrame({"a": later, "b": later[::-1].to_numpy()})
    spans = []
    for seen in on_both(spark, frame, tmp_path):
        between = {"minutes": engine.minutes_between, "days": engine.days_between, "whole": engine.whole_days}
        lazy = seen.frame.select(seen["a"].alias("at"), *(f(seen["a"], seen["b"]).alias(n) for n, f in between.items()))
        spans.append(engine.collect(lazy, ["at"]))
    assert_same(spans[1], spans[0])
    second = frame.apply(lambda column: column.dt.floor("s"))
    exact = ((second["a"] - second["b"]) / timedelta(minutes=1))[frame["a"].argsort()]
    np.testing.assert_allclose(spans[0]["minutes"], exact, rtol=1e-12)


def test_a_column_without_a_type_is_empty_text(spark):
    seen = engine.view(spark.sql("SELECT 'a' AS id, NULL AS end_date"))
    assert seen.kind == {"id": "factor", "end_date": "factor"}
    assert seen.to_pandas()["end_date"].isna().tolist() == [True]


def test_what_only_the_engines_can_say(spark, tmp_path):
    """Last values, lines of texts, hashes and buckets."""
    frame = pd.DataFrame({"who": list("aabbc"), "x": [1.0, 2, None, 4, 5], "at": [2, 1, 9, 3, 1]})
    frame["text"] = ["one\ntwo", "", "three", None, "a\n\nb"]
    frame["mark"] = ["1\n2", "", "3", None, "4\n5\n6"]
    found = []
    for seen in on_both(spark, frame, tmp_path):
        last = engine.last_by(seen.frame.select(who="c0", x="c1", at="c2"), "who", {"last": ("x", "at")})
        lines = engine.by_line(seen.frame.select(who="c0", text="c3", mark="c4"), ["text", "mark"])
        once = engine.collect(engine.hashed(seen.frame, "c0").unique())
        bucket = engine.collect(engine.bucketed(seen, "who", 500))["bucket"]
        found.append((engine.collect(last, ["who"]), engine.collect(lines, ["who", "mark"])))
        assert len(once) == 3 and bucket.between(0, 499).all() and bucket.nunique() == 3
    for sparks, duck in zip(found[1], found[0], strict=True):
        assert_same(sparks, duck)
    assert found[1][0]["last"].fillna(-1).tolist() == [1, -1, 5]


def test_faults_are_told_in_the_same_words(spark, tmp_path):
    frame = pd.DataFrame({"customer_id": ["1", "1", None], "left": [1, 0, 3], "band": ["good", "failed", None]})
    faults = []
    for seen in on_both(spark, frame, tmp_path):
        ask = {"causes": {"service": {"band": {"failed": "good"}}}, "customer": "customer_id"}
        faults.append([refused(lambda seen=seen: cx.fit_attrition(seen, **ask)),  # noqa: B023
                       refused(lambda seen=seen: cx.nps(seen, "left", by="bnd")),
                       refused(lambda seen=seen: cx.fit_attrition(seen, "left", ask["causes"]))])  # noqa: B023  # fmt: skip
    assert faults[1] == faults[0]


def test_what_does_not_go_is_refused_in_one_line(spark, tmp_path):
    people = pd.DataFrame({"customer_id": ["1"], "signup_date": ["31.01.2025"], "end_date": [None]}, dtype=object)
    _, sparks = on_both(spark, people.astype("string"), tmp_path)
    duck = people.assign(signup_date="2025-01-31")
    assert refused(lambda: cx.load({"customers": sparks})) == (
        "customers: column 'signup_date' must be a day in every row, 1 value is not, such as '31.01.2025'; convert it "
        "in Spark",
    )
    tickets = pd.DataFrame({"ticket_id": ["1"], "opened_at": [pd.Timestamp("2025-01-31")], "customer_id": ["1"]})
    assert refused(lambda: cx.load({"customers": duck, "tickets": spark.createDataFrame(tickets.astype(object))})) == (
        "all tables must be on one engine, not customers on DuckDB, tickets on Spark; load them all from files or all "
        "from Spark",
    )
    broken = engine.view(spark.sql("SELECT CAST('x' || id AS INT) AS number FROM range(3)"))
    (fault,) = refused(lambda: broken.to_pandas())
    assert fault.startswith("Spark could not run a query: ") and fault.endswith("; the rest is in its log")
    assert "\n" not in fault and "CAST_INVALID_INPUT" in fault


@pytest.mark.long
def test_the_example_of_the_page_runs(spark, tables, tmp_path):
    """SCALE.md, as it stands, and a study whose tables are on Spark."""
    for name, seen in tables["duckdb"].present.items():
        seen.frame.to_native().write_parquet(str(tmp_path / f"{name}.parquet"))
    shown = re.search(r"```python\n(.*?)```", (ROOT / "SCALE.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    known = {"spark": spark, "folder": str(tmp_path)}
    exec(shown, known)
    fit = cx.fit_attrition(cx.landmark(tables["duckdb"], "latest", 180, 90), causes=known["causes"],
                           adjust=["tenure_band", "fault_band"], customer="customer_id")  # fmt: skip
    assert_same(known["shares"], cx.attributable_fractions(fit))
    study = replace(cx.read_study("example"), tables=known["tables"])
    assert engine.on_spark(cx.study_frame(study).frame)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(set(CASES) - {FOLDED}))
def test_a_statistic_is_the_same_on_spark(name, looks):
    assert_same(*(CASES[name](looks[engine]) for engine in ("spark", "duckdb")))


@pytest.mark.long
def test_a_score_judged_on_folds_differs_by_no_more_than_the_folds_do(looks):
    """The folds are made by the engine's hash of the customer: other folds, the same verdict within its interval."""
    sparks, duck = (CASES[FOLDED](looks[engine]) for engine in ("spark", "duckdb"))
    assert sparks[["term", "n"]].to_numpy().tolist() == duck[["term", "n"]].to_numpy().tolist()
    assert ((sparks["estimate"] - duck["estimate"]).abs() < (duck["upper"] - duck["lower"]) / 2).all()
