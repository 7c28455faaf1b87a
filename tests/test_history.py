"""The tables of a study up to a day: nothing that came later is known."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib.engine import rows
from cxlib.errors import CxError
from cxlib.history import first_day, study_history


@pytest.fixture(scope="module")
def example():
    return cx.read_study("example")


def test_without_a_day_it_is_the_study_s_own_tables(example):
    assert study_history(example) is example.tables


def test_what_came_later_is_not_known(example):
    """Authority: filters by pandas."""
    day = pd.Timestamp("2025-10-01")
    past = study_history(example, "2025-10-01")
    for name, stamp in (("interactions", "at"), ("tickets", "opened_at"), ("surveys", "answered_at")):
        whole, kept = (getattr(tables, name).to_pandas() for tables in (example.tables, past))
        assert len(kept) == (whole[stamp] < day).sum()
    tickets = past.tickets.to_pandas()
    assert tickets.resolved_at.max() < day
    own = example.tables.tickets.to_pandas().query("opened_at < @day")
    assert tickets.resolved_at.isna().sum() == (own.resolved_at.isna() | (own.resolved_at >= day)).sum()
    people = past.customers.to_pandas()
    assert (pd.to_datetime(people.signup_date) < day).all()
    assert pd.to_datetime(people.end_date).max() < day
    assert past.last_day == pd.Timestamp("2025-09-30").date()
    assert past.touchpoints is example.tables.touchpoints


def test_one_group_alone(example):
    north = study_history(example, only_column="region", only_value="North")
    whole = example.tables.customers.to_pandas()
    assert rows(north.customers) == (whole.region == "North").sum()
    mine = set(whole.customer_id[whole.region == "North"])
    assert set(north.interactions.to_pandas("customer_id").customer_id) <= mine


def test_a_frame_has_no_history(tmp_path):
    (tmp_path / "rows.csv").write_text("stars,review\n5,good food\n")
    (tmp_path / "one.toml").write_text('[frame]\nfile = "rows.csv"\n')
    assert study_history(cx.read_study(tmp_path / "one.toml")) is None


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2027-01-01", "as_of must not lie beyond the day after the last of the data, 2026-06-30, not 2027-01-01"),
        ("yesterday", "as_of must be an ISO day"),
    ],
)
def test_a_day_outside_the_data_is_refused(example, day, words):
    with pytest.raises(CxError) as caught:
        study_history(example, day)
    assert words in str(caught.value)


def test_the_first_day_is_that_of_the_first_event(example):
    tickets, events = (example.tables.tickets.to_pandas(), example.tables.interactions.to_pandas())
    assert first_day(example.tables) == min(tickets.opened_at.min(), events["at"].min()).date()


def test_without_any_event_there_is_no_first_day():
    tables = cx.simulate(customers=50, seed=1)[0]
    none = {name: tables[name].head(0) for name in ("interactions", "tickets")}
    told = "^interactions and tickets: at least one row must have a stamp, there is none; check the files$"
    with pytest.raises(CxError, match=told):
        cx.preventable_contacts(cx.load(none | {"customers": tables["customers"]}))
