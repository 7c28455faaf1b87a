"""The landmark frame, the answers and the bands, against a brute-force reading in plain Python and against edges."""

import math
from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib import engine, schema
from cxlib.bands import band
from cxlib.data import load
from cxlib.errors import CxError
from cxlib.frame import COLUMNS, answers, landmark, only
from cxlib.simulation import simulate

AS_OF = date(2026, 3, 31)
START = AS_OF - timedelta(days=180)  # 2025-10-02
END = AS_OF + timedelta(days=90)  # 2026-06-29
LONG_AGO = date(2024, 1, 1)


def customers(*ids, **columns):
    """Active customers who signed up long ago."""
    base = {"customer_id": list(ids), "signup_date": [LONG_AGO] * len(ids), "end_date": [None] * len(ids)}
    return pd.DataFrame({**base, "end_kind": [None] * len(ids), **columns})


def at(stamps, **columns):
    """Interactions of customer "1" at the given instants."""
    rows = {"interaction_id": [f"i{i}" for i in range(len(stamps))], "customer_id": "1", "at": pd.to_datetime(stamps)}
    return pd.DataFrame({**rows, "touchpoint": schema.PRODUCT_FAULT, **columns})


def seen(**tables):
    """The landmark frame at AS_OF, with a last event on the last day of the horizon."""
    tables.setdefault("interactions", at([datetime.combine(END, datetime.min.time())]))
    return (
        landmark(load(tables), AS_OF.isoformat(), lookback_days=180, horizon_days=90)
        .to_pandas()
        .set_index("customer_id")
    )


@pytest.mark.parametrize(
    ("signup", "end", "kind", "expected"),
    [
        (AS_OF, None, None, None),  # signs up on the day: not yet at risk
        (AS_OF - timedelta(days=1), None, None, (False, False)),
        (LONG_AGO, AS_OF, "voluntary", None),  # gone already
        (LONG_AGO, AS_OF + timedelta(days=1), "voluntary", (True, False)),
        (LONG_AGO, END, "voluntary", (True, False)),
        (LONG_AGO, END + timedelta(days=1), "voluntary", (False, False)),
        (LONG_AGO, END, "involuntary", (False, True)),
    ],
)
def test_who_is_at_risk_and_who_left(signup, end, kind, expected):
    others = customers("0", "1", signup_date=[LONG_AGO, signup], end_date=[None, end], end_kind=[None, kind])
    frame = seen(customers=others)
    if expected is None:
        assert list(frame.index) == ["0"]
    else:
        assert (frame.loc["1", "left"], frame.loc["1", "involuntary"]) == expected


@pytest.mark.parametrize(
    ("stamp", "counts"),
    [("2025-10-01 23:59:59", 0), ("2025-10-02 00:00", 1), ("2026-03-30 23:59:59", 1), ("2026-03-31 00:00", 0)],
)
@pytest.mark.parametrize("table", ["interactions", "tickets", "surveys"])
def test_exposures_count_from_the_first_instant_of_the_lookback_to_before_the_day(table, stamp, counts):
    reach = at(["2026-06-29"], touchpoint="website")
    tables = {
        "interactions": {"interactions": pd.concat([reach, at([stamp]).assign(interaction_id="x")])},
        "tickets": {"tickets": tickets([stamp]), "interactions": reach},
        "surveys": {"surveys": surveys([stamp]), "interactions": reach},
    }[table]
    frame = seen(customers=customers("1"), **tables)
    found = {"interactions": "fault_count", "tickets": "service_contacts", "surveys": "recommend"}[table]
    assert frame.fillna({"recommend": 0}).loc["1", found] == counts


def tickets(opened, **columns):
    """Tickets of customer "1", each resolved after an hour."""
    opened = pd.to_datetime(opened)
    rows = {"ticket_id": [f"t{i}" for i in range(len(opened))], "customer_id": "1", "opened_at": opened}
    resolved = opened + timedelta(hours=1)
    return pd.DataFrame({**rows, "resolved_at": resolved, "escalated": False, "reopened": False, "csat": 3, **columns})


def surveys(answered, **columns):
    """Answers of customer "1" with the score 1."""
    answered = pd.to_datetime(answered)
    rows = {"survey_id": [f"s{i}" for i in range(len(answered))], "customer_id": "1", "sent_at": answered}
    return pd.DataFrame({**rows, "answered_at": answered, "recommend": 1, **columns})


@pytest.mark.parametrize(
    ("ticket", "failed"),
    [
        ({}, 0),
        ({"escalated": True}, 1),
        ({"reopened": True}, 1),
        ({"csat": 2}, 1),
        ({"csat": None}, 0),
        ({"resolved_at": pd.NaT}, 1),
        ({"resolved_at": pd.Timestamp("2026-01-04")}, 0),  # 72 hours exactly
        ({"resolved_at": pd.Timestamp("2026-01-04 00:00:01")}, 1),
        ({"opened_at": pd.Timestamp("2026-03-30"), "resolved_at": pd.Timestamp("2026-03-30 23:59:59")}, 0),
        ({"opened_at": pd.Timestamp("2026-03-30"), "resolved_at": pd.Timestamp("2026-03-31")}, 1),  # not at as_of yet
        ({"escalated": None, "reopened": None}, 0),
    ],
)
def test_what_makes_a_contact_a_failed_one(ticket, failed):
    both = pd.concat([tickets(["2026-01-01"], **ticket), tickets(["2026-02-01"]).assign(ticket_id="t9")])
    frame = seen(customers=customers("1", "2"), tickets=both)
    assert frame.loc["1", ["service_contacts", "service_failed"]].tolist() == [2, failed]
    assert frame["service_band"].tolist() == ["failed" if failed else "good", "none"]


@pytest.mark.parametrize(
    ("history", "change", "level"),
    [
        ({LONG_AGO: 10}, 0, "same"),
        ({LONG_AGO: 10, date(2026, 1, 1): 11}, 0.1, "raised"),  # 11 / 10 - 1 is above .1 in binary
        ({LONG_AGO: 29.9, date(2026, 1, 1): 32.89}, 0.1, "raised"),
        ({LONG_AGO: 10, date(2026, 1, 1): 11.01}, 0.101, "raised a lot"),
        ({LONG_AGO: 10, date(2026, 1, 1): 9}, -0.1, "same"),
        ({LONG_AGO: 10, date(2025, 11, 1): 20, date(2026, 1, 1): 12}, 0.2, "raised a lot"),  # last against first
        ({LONG_AGO: 10, AS_OF: 12}, 0, "same"),  # comes on the day: not an exposure
        ({LONG_AGO: 10, AS_OF - timedelta(days=1): 12}, 0.2, "raised a lot"),
        ({LONG_AGO: 8, START: 10, date(2026, 1, 1): 12}, 0.2, "raised a lot"),  # in force on the first day
        ({LONG_AGO: 8, START - timedelta(days=1): 10}, 0, "same"),
        (
            {date(2025, 12, 1): 10, date(2026, 1, 1): 12, date(2026, 2, 1): 15},
            0.5,
            "raised a lot",
        ),  # the first stands in
    ],
)
def test_price_change_compares_the_day_with_the_start_of_the_lookback(history, change, level):
    prices = pd.DataFrame({"customer_id": "1", "valid_from": list(history), "monthly_price": list(history.values())})
    frame = seen(customers=customers("1"), prices=prices.sample(frac=1, random_state=0))
    assert frame.loc["1", "price_change"] == pytest.approx(change, abs=1e-12)
    assert frame.loc["1", "price_band"] == level
    assert "market_gap" not in frame


@pytest.mark.parametrize(
    ("market", "level"), [(10, "far above market"), (11, "above market"), (12.1, "at or below market")]
)
def test_market_gap_is_that_of_the_price_in_force(market, level):
    rows = {"valid_from": [LONG_AGO, AS_OF], "monthly_price": [12.1, 99], "market_price": [market, 1]}
    frame = seen(customers=customers("1", "2"), prices=pd.DataFrame({"customer_id": "1", **rows}))
    assert frame.loc["1", "market_gap"] == pytest.approx(12.1 / market - 1)
    assert frame.loc["1", "gap_band"] == level
    assert frame.loc["2", ["price_change", "price_band", "market_gap", "gap_band"]].isna().all()


def test_prices_of_one_day_give_the_same_frame_every_time():
    days = [LONG_AGO] * 200 + [date(2026, 1, 1)] * 200
    prices = pd.DataFrame({"customer_id": "1", "valid_from": days, "monthly_price": [*range(1, 201), *range(1, 201)]})
    for seed in range(5):
        frame = seen(customers=customers("1"), prices=prices.sample(frac=1, random_state=seed))
        assert frame.loc["1", "price_change"] == 0  # 200 against 200: the highest of each day


@pytest.mark.parametrize(
    ("answered", "scores", "recommend", "group"),
    [
        (["2026-01-01", "2026-02-01"], [3, 9], 9, "promoter"),
        (["2026-02-01", "2026-01-01"], [8, 9], 8, "passive"),
        (["2026-01-01", "2026-02-01"], [6, None], 6, "detractor"),  # an answer without a score is none
        (["2026-01-01", "2026-04-01"], [7, 0], 7, "passive"),  # after the day
        (["2025-01-01", None], [10, 10], None, "no answer"),  # before the lookback; never answered
    ],
)
def test_recommend_is_the_last_score_of_the_lookback(answered, scores, recommend, group):
    frame = seen(
        customers=customers("1"), surveys=surveys(answered, recommend=scores, sent_at=pd.Timestamp("2025-01-01"))
    )
    assert frame.loc["1", "nps_class"] == group
    assert frame.loc["1", "recommend"] == recommend or recommend is None


@pytest.mark.parametrize(
    ("days", "level"),
    [(1, 0), (182, 0), (183, 1), (365, 1), (366, 2), (730, 2), (731, 3)],
)
def test_tenure_is_in_days_and_an_edge_belongs_to_the_lower_band(days, level):
    frame = seen(customers=customers("1", signup_date=[AS_OF - timedelta(days=days)]))
    assert frame.loc["1", "tenure_days"] == days
    assert frame.loc["1", "tenure_band"] == schema.TENURE_LEVELS[level]


@pytest.mark.parametrize(("count", "level"), [(0, "none"), (1, "one"), (2, "several"), (5, "several")])
def test_faults_are_counted_and_other_interactions_are_not(count, level):
    stamps = [*["2026-01-01"] * count, "2026-01-02", "2026-06-29"]
    touchpoints = [*[schema.PRODUCT_FAULT] * count, "website", "website"]
    frame = seen(customers=customers("1"), interactions=at(stamps, touchpoint=touchpoints))
    assert frame.loc["1", ["fault_count", "fault_band"]].tolist() == [count, level]


def test_what_no_table_feeds_is_left_out_and_the_rest_is_in_the_declared_order():
    tables, _ = simulate(customers=200, seed=3)
    assert list(landmark(load(tables), "latest", 180, 90).at) == list(COLUMNS)
    few = landmark(load({"customers": tables["customers"], "tickets": tables["tickets"]}), "2026-03-01", 180, 30)
    gone = {
        "price_change",
        "price_band",
        "market_gap",
        "gap_band",
        "fault_count",
        "fault_band",
        "recommend",
        "nps_class",
    }
    assert list(few.at) == [name for name in COLUMNS if name not in gone]


def test_the_frame_equals_a_reading_by_hand():
    """Authority: the definitions, customer by customer, in plain Python."""
    tables, truth = simulate(customers=150, seed=5)
    view = landmark(load(tables), truth.as_of, truth.lookback_days, truth.horizon_days, truth.slow_hours)
    found = view.to_pandas().set_index("customer_id").sort_index()
    expected = (
        pd.DataFrame(by_hand(tables, date.fromisoformat(truth.as_of), 180, 90, 72))
        .set_index("customer_id")
        .sort_index()
    )
    assert len(found) == truth.at_risk
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False, rtol=1e-12)


def by_hand(tables, day, lookback_days, horizon_days, slow_hours):
    """One customer after the other."""
    as_of, start = pd.Timestamp(day), pd.Timestamp(day) - timedelta(days=lookback_days)
    end = as_of + timedelta(days=horizon_days)
    for person in tables["customers"].itertuples():
        ended = pd.Timestamp(person.end_date) if pd.notna(person.end_date) else pd.NaT
        if pd.Timestamp(person.signup_date) >= as_of or ended <= as_of:
            continue
        own = {
            name: table[table["customer_id"] == person.customer_id]
            for name, table in tables.items()
            if "customer_id" in table
        }
        contacts = own["tickets"][(own["tickets"].opened_at >= start) & (own["tickets"].opened_at < as_of)]
        failed = sum(
            t.escalated or t.reopened or not t.resolved_at < as_of or t.csat <= 2
            or t.resolved_at - t.opened_at > timedelta(hours=slow_hours)
            for t in contacts.itertuples()
        )  # fmt: skip
        history = own["prices"].assign(valid_from=pd.to_datetime(own["prices"].valid_from)).sort_values("valid_from")
        now = history[history.valid_from < as_of].iloc[-1]
        earlier = history[history.valid_from <= start]
        before = (earlier.iloc[-1] if len(earlier) else history.iloc[0]).monthly_price
        faults = own["interactions"][own["interactions"].touchpoint == schema.PRODUCT_FAULT]
        answered = own["surveys"].dropna(subset=["answered_at", "recommend"]).sort_values("answered_at")
        answered = answered[(answered.answered_at >= start) & (answered.answered_at < as_of)]
        yield {
            "customer_id": person.customer_id,
            "tenure_days": (as_of - pd.Timestamp(person.signup_date)).days,
            "service_contacts": len(contacts),
            "service_failed": failed,
            "service_band": "failed" if failed else "good" if len(contacts) else "none",
            "price_change": now.monthly_price / before - 1,
            "market_gap": now.monthly_price / now.market_price - 1,
            "fault_count": int(((faults["at"] >= start) & (faults["at"] < as_of)).sum()),
            "recommend": float(answered.recommend.iloc[-1]) if len(answered) else None,
            "left": bool(ended <= end and person.end_kind == "voluntary"),
            "involuntary": bool(ended <= end and person.end_kind == "involuntary"),
        }


def test_latest_is_the_last_day_of_the_data_minus_the_horizon():
    tables = load({"customers": customers("1"), "interactions": at(["2026-06-29 13:00"])})
    assert landmark(tables, "latest", 180, 90).to_pandas("tenure_days").iloc[0, 0] == (AS_OF - LONG_AGO).days


def test_beyond_the_last_day_of_the_data_is_refused_with_both_dates():
    tables = load({"customers": customers("1"), "interactions": at(["2026-06-29 13:00"])})
    with pytest.raises(CxError) as error:
        landmark(tables, "2026-04-01", 180, 90)
    assert error.value.faults == (
        "landmark: as_of + horizon must not lie beyond the last day of the data; 2026-04-01 + 90 days is 2026-06-30, "
        "the data end on 2026-06-29; choose as_of up to 2026-03-31",
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"as_of": "31.3.2026"}, "landmark: as_of must be an ISO day such as 2026-03-31 or 'latest', not '31.3.2026'"),
        ({"as_of": None}, "landmark: as_of must be an ISO day such as 2026-03-31 or 'latest', not 'None'"),
        ({"as_of": "2020-01-01"}, "landmark: nobody is at risk on 2020-01-01; choose an as_of after the first signups"),
        ({"as_of": "0203-01-01"}, "landmark: as_of must lie in the years 1800 to 2999, not on 0203-01-01; "
         "correct the year"),
        ({"lookback_days": 0}, "landmark: lookback_days must be a whole number of days from 1 to 36500, not '0'"),
        ({"horizon_days": True}, "landmark: horizon_days must be a whole number of days from 1 to 36500, not 'True'"),
        ({"slow_hours": -1}, "landmark: slow_hours must be hours above 0, not '-1'"),
    ],
)  # fmt: skip
def test_bad_lengths_and_days_are_refused(change, text):
    tables = load({"customers": customers("1"), "interactions": at(["2026-06-29"])})
    with pytest.raises(CxError) as error:
        landmark(tables, **{"as_of": "latest", "lookback_days": 180, "horizon_days": 90, **change})
    assert str(error.value) == text


@pytest.mark.parametrize("day", ["2026-03-31", AS_OF, datetime(2026, 3, 31), pd.Timestamp("2026-03-31")])
def test_a_day_may_be_text_or_a_date(day):
    tables = load({"customers": customers("1"), "interactions": at(["2026-06-29"])})
    assert engine.rows(landmark(tables, day, 180, 90)) == 1


@pytest.mark.parametrize(
    ("edges", "labels", "value", "expected"),
    [
        ([89.4], ["low", "high"], 89.4, "low"),
        ([89.4], ["low", "high"], 89.4000001, "high"),
        ([89.4], ["low", "high"], -1e9, "low"),
        ([89.4], ["low", "high"], None, None),
        ([0, 1], ["none", "one", "several"], 0, "none"),
        ([0, 1], ["none", "one", "several"], 1, "one"),
        ([0, 1], ["none", "one", "several"], 1.5, "several"),
    ],
)
def test_a_band_holds_its_upper_edge(edges, labels, value, expected):
    banded = band(pd.DataFrame({"a.b": [value, 5.0]}), "a.b", edges, labels, name="new").to_pandas()
    assert list(banded) == ["a.b", "new"]
    assert banded["new"].iloc[0] == expected or (expected is None and pd.isna(banded["new"].iloc[0]))


@given(
    values=st.lists(st.floats(-10, 10) | st.integers(-3, 3), min_size=1, max_size=20),
    edges=st.lists(st.integers(-3, 3), min_size=1, max_size=4, unique=True).map(sorted),
)
@settings(max_examples=25)
def test_bands_are_those_of_pandas_cut(values, edges):
    labels = [f"band {i}" for i in range(len(edges) + 1)]
    expected = pd.cut(pd.Series(values, dtype=float), [-math.inf, *edges, math.inf], labels=labels, right=True)
    frame = pd.DataFrame({"x": pd.Series(values, dtype=float)})
    assert band(frame, "x", edges, labels).to_pandas()["x"].tolist() == expected.tolist()


def test_a_band_replaces_the_number_unless_it_is_named_and_enters_statistics_as_a_factor():
    view = cx.band(pd.DataFrame({"x": [1, 2]}), "x", [1], ["a", "b"])
    assert view.to_pandas()["x"].tolist() == ["a", "b"]
    assert view.kind == {"x": engine.FACTOR}


@pytest.mark.parametrize(
    ("column", "edges", "labels", "text"),
    [
        ("y", [1], ["a", "b"], "frame: no column 'y'; There are: 'x', 'word'"),
        ("word", [1], ["a", "b"], "band 'word': the column must be a number, it is a factor; recode it"),
        ("x", [2, 1], ["a", "b", "c"], "band 'x': edges must be one or more rising numbers, not [2, 1]"),
        ("x", [], ["a"], "band 'x': edges must be one or more rising numbers, not []"),
        ("x", [float("nan")], ["a", "b"], "band 'x': edges must be one or more rising numbers, not [nan]"),
        ("x", [1, 2], ["a", "b"], "band 'x': labels must be 3 different texts, one more than edges, not ['a', 'b']"),
        ("x", [1], ["a", "a"], "band 'x': labels must be 2 different texts, one more than edges, not ['a', 'a']"),
    ],
)
def test_a_senseless_band_is_refused(column, edges, labels, text):
    with pytest.raises(CxError) as error:
        band(pd.DataFrame({"x": [1, 2], "word": ["a", "b"]}), column, edges, labels)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("column", "value", "rows"),
    [("", "", 3), ("region", "North", 2), ("n", "1", 1), ("n", "2.0", 2), ("flag", "true", 2), ("a.b", "'; DROP", 1)],
)
def test_only_keeps_the_rows_of_one_group(column, value, rows):
    frame = {
        "region": ["North", "North", "South"],
        "n": [1, 2, 2],
        "flag": [True, True, False],
        "a.b": ["'; DROP", "x", "y"],
    }
    assert engine.rows(only(pd.DataFrame(frame), column, value)) == rows


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("rgion", "North", "only_column: no column 'rgion'; did you mean 'region'? There are: 'region', 'n'"),
        (
            "region",
            "Nort",
            "only_value, column 'region': no value 'Nort'; did you mean 'North'? There are: 'North', 'South'",
        ),
        ("n", "many", "only_value, column 'n': no value 'many'; There are: '1', '2'"),
    ],
)
def test_a_group_that_does_not_occur_is_refused(column, value, text):
    with pytest.raises(CxError) as error:
        only(pd.DataFrame({"region": ["North", "South"], "n": [1, 2]}), column, value)
    assert str(error.value) == text


def answer_tables():
    ratings = {
        "survey_id": ["s0", "s0", "s1", "s2"],
        "touchpoint": ["price", "call.centre", "price", "price"],
        "rating": [1, 5, 3, 2],
    }
    return {
        "customers": customers("1", "2", region=["North", "South"]),
        "surveys": surveys(
            ["2026-01-01", "2026-02-01", None], recommend=[9, 3, None], sent_at=pd.Timestamp("2026-01-01")
        ),
        "ratings": pd.DataFrame(ratings),
    }


def test_answers_spread_the_ratings_over_one_column_a_touchpoint():
    view = answers(load(answer_tables()))
    frame = view.to_pandas().set_index("survey_id").sort_index()
    assert list(frame) == ["customer_id", "answered_at", "recommend", "call.centre", "price", "region"]
    assert frame["price"].tolist() == [1, 3]  # s2 was never answered
    assert frame["call.centre"].fillna(-1).tolist() == [5, -1]
    assert frame["region"].tolist() == ["North", "North"]
    assert view.kind["price"] == engine.NUMBER


@pytest.mark.parametrize(
    ("as_of", "lookback", "rows"), [(None, None, 2), ("latest", None, 2), ("2026-02-01", None, 1), ("2026-02-02", 1, 1)]
)
def test_answers_before_a_day(as_of, lookback, rows):
    assert engine.rows(answers(load(answer_tables()), as_of, lookback)) == rows


def test_answers_are_refused_where_there_are_none():
    tables = answer_tables()
    with pytest.raises(CxError, match="answers: nobody answered a survey before 2026-01-01; choose another"):
        answers(load(tables), "2026-01-01")
    with pytest.raises(CxError, match="answers: the tables hold no surveys; add the table 'surveys'"):
        answers(load({"customers": tables["customers"]}))
    tables["ratings"]["touchpoint"] = "recommend"
    with pytest.raises(CxError, match="a touchpoint must not be named like a column, 'recommend'; rename it"):
        answers(load(tables))
