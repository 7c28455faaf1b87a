"""Scope and map of the journey: beside counts by pandas, and the fates of what has no place."""

import duckdb
import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError


@pytest.fixture(scope="module")
def tables():
    return cx.simulate(customers=800, seed=4)[0]


@pytest.fixture(scope="module")
def joined(tables):
    return tables["interactions"].merge(tables["touchpoints"], on="touchpoint")


def estimates(result, *keys):
    return result.set_index([*keys, "term", "measure"])["estimate"]


def test_the_share_of_service_and_who_starts_it_are_counts(tables, joined):
    """Authority: means by pandas."""
    found = estimates(cx.interaction_scope(cx.load(tables)))
    assert found["service", "share"] == pytest.approx(joined.is_service.mean())
    served = joined.groupby("customer_id").is_service.any()
    assert found["service", "reach"] == pytest.approx(served.mean())
    for term, own in (("service", joined[joined.is_service]), ("rest", joined[~joined.is_service]), ("all", joined)):
        assert found[term, "proactive"] == pytest.approx((own.initiated_by == "company").mean())


def test_numbers_of_each_row_are_those_it_counts(tables, joined):
    found = cx.interaction_scope(cx.load(tables)).set_index(["term", "measure"])["n"]
    assert found["service", "share"] == found["all", "proactive"] == len(joined)
    assert found["service", "proactive"] == joined.is_service.sum()
    assert found["service", "reach"] == joined.customer_id.nunique()


def test_the_map_holds_every_interaction_and_rating_once(tables, joined):
    """Authority: pivots by pandas."""
    found = estimates(cx.journey_map(cx.load(tables)), "stage", "department")
    shares = joined.groupby(["stage", "department"]).size() / len(joined)
    rated = tables["ratings"].merge(tables["touchpoints"], on="touchpoint")
    means = rated.groupby(["stage", "department"]).rating.mean()
    for place, share in shares.items():
        term = "service" if place[0] == "support" else "rest"
        assert found[(*place, term, "interactions")] == pytest.approx(share)
    for place, mean in means.items():
        term = "service" if place[0] == "support" else "rest"
        assert found[(*place, term, "rating")] == pytest.approx(mean)
    assert len(found) == len(shares) + len(means)


def test_stages_come_in_the_order_of_the_journey(tables):
    stages = cx.journey_map(cx.load(tables))["stage"]
    assert list(stages.unique()) == ["discover", "buy", "use", "support", "renew"]


def test_the_map_goes_on_without_ratings_stages_or_departments(tables):
    bare = {name: tables[name] for name in ("customers", "interactions")}
    bare["touchpoints"] = tables["touchpoints"][["touchpoint", "is_service"]]
    found = cx.journey_map(cx.load(bare))
    assert set(found["measure"]) == {"interactions"}
    assert set(found["stage"]) == set(found["department"]) == {"(none)"}
    assert found["estimate"].sum() == pytest.approx(1)


def test_interactions_without_a_place_are_left_out_and_counted(tables, joined):
    few = tables | {"touchpoints": tables["touchpoints"].query("touchpoint != 'website'")}
    found = cx.interaction_scope(cx.load(few)).set_index(["term", "measure"])
    website = (joined.touchpoint == "website").sum()
    assert found.loc[("all", "unplaced"), "estimate"] == website
    assert found.loc[("service", "share"), "n"] == len(joined) - website


def test_who_started_it_may_be_unknown(tables):
    found = cx.interaction_scope(
        cx.load(tables | {"interactions": tables["interactions"].drop(columns="initiated_by")})
    )
    assert set(found["measure"]) == {"share", "reach"}


def test_no_service_at_all_is_a_share_of_none(tables):
    none = tables | {"touchpoints": tables["touchpoints"].assign(is_service=False)}
    found = estimates(cx.interaction_scope(cx.load(none)))
    assert found["service", "share"] == found["service", "reach"] == 0


def test_the_interval_is_that_of_customers_drawn_anew(tables):
    """Authority: a bootstrap of customers by pandas, within its noise."""
    row = cx.interaction_scope(cx.load(tables)).iloc[0]
    each = tables["interactions"].merge(tables["touchpoints"], on="touchpoint").groupby("customer_id").is_service
    counts = pd.DataFrame({"y": each.sum(), "n": each.size()}).to_numpy(float)
    rng = np.random.default_rng(0)
    drawn = [counts[rng.integers(0, len(counts), len(counts))].sum(axis=0) for _ in range(1000)]
    shares = np.array([y / n for y, n in drawn])
    assert row["std_error"] == pytest.approx(shares.std(), rel=0.08)
    np.testing.assert_allclose([row["lower"], row["upper"]], np.quantile(shares, [0.025, 0.975]), atol=0.0015)


@pytest.mark.parametrize("function", [cx.interaction_scope, cx.journey_map])
def test_what_is_missing_is_named(tables, function):
    without = {name: tables[name] for name in ("customers", "interactions")}
    with pytest.raises(CxError, match="no table 'touchpoints'"):
        function(cx.load(without))
    elsewhere = tables["touchpoints"].assign(touchpoint=tables["touchpoints"].touchpoint + "!")
    with pytest.raises(CxError, match="at least one must be at a touchpoint of the table 'touchpoints'; none is"):
        function(cx.load(tables | {"touchpoints": elsewhere}))
    with pytest.raises(CxError, match="level must lie between 0 and 1"):
        function(cx.load(tables), level=95)


def test_duckdb_gives_what_pandas_gives(tables):
    lazy = {name: duckdb.from_df(frame) for name, frame in tables.items()}
    for function in (cx.interaction_scope, cx.journey_map, cx.channel_shares):
        pd.testing.assert_frame_equal(function(cx.load(lazy)), function(cx.load(tables)))
