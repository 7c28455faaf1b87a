"""Repeat and preventable contacts: beside loops over customers, and simulated contacts whose cause is known."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError

DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def simulated():
    return cx.simulate(customers=1500, seed=6)


def by_hand(tables, window=7):
    """Every customer in turn: contacts and days inside and outside the windows after faults, and the excess."""
    events, tickets = tables["interactions"], tables["tickets"]
    start = min(events["at"].min(), tickets.opened_at.min()).normalize()
    end = max(table[column].max() for table, column in ((events, "at"), (tickets, "resolved_at"))).normalize() + DAY
    faults = {
        who: rows["at"].sort_values()
        for who, rows in events[events.touchpoint == "product_fault"].groupby("customer_id")
    }
    asked = {who: rows.opened_at for who, rows in tickets.groupby("customer_id")}
    rows = []
    for person in tables["customers"].itertuples():
        since = max(person.signup_date, start)
        until = end if pd.isna(person.end_date) else min(person.end_date + DAY, end)
        if until <= since:
            continue
        struck = list(faults.get(person.customer_id, []))
        spans = [(at, min(at + window * DAY, until)) for at in struck if since <= at < until]
        covered, last = 0.0, since
        for low, high in spans:
            low = max(low, last)
            covered += max((high - low) / DAY, 0)
            last = max(last, high)
        mine = [at for at in asked.get(person.customer_id, []) if since <= at < until]
        inside = sum(any(at <= one <= at + window * DAY for at in struck) for one in mine)
        out, days = len(mine) - inside, (until - since) / DAY
        excess = inside - out / (days - covered) * covered if spans else 0.0
        rows.append((inside, out, covered, days - covered, excess, len(spans)))
    return pd.DataFrame(rows, columns=["inside", "outside", "days_in", "days_out", "excess", "faults"])


@pytest.mark.parametrize("window", [2, 7, 30])
def test_preventable_contacts_are_those_of_a_loop_over_customers(simulated, window):
    tables, _ = simulated
    rows = by_hand(tables, window)
    found = cx.preventable_contacts(cx.load(tables), window_days=window, replicates=0).set_index("measure")["estimate"]
    every = rows.inside.sum() + rows.outside.sum()
    assert found["after_cause"] == pytest.approx(rows.inside.sum() / every)
    assert found["preventable"] == pytest.approx(rows.excess.sum() / every)
    days = rows.days_in.sum() + rows.days_out.sum()
    assert found["rate"] == pytest.approx(3000 * every / days)
    assert found["rate_otherwise"] == pytest.approx(3000 * rows.outside.sum() / rows.days_out.sum())
    spared = rows[rows.faults == 0]
    assert found["naive"] == pytest.approx(1 - (spared.outside.sum() / spared.days_out.sum()) / (every / days))


def test_the_truth_is_found_where_comparing_customers_misses_it():
    """Known truth: the share of contacts that faults brought, eight seeds; at length in tests/calibration."""
    held = {"preventable": 0, "naive": 0}
    for seed in range(8):
        tables, truth = cx.simulate(customers=2500, seed=seed)
        found = cx.preventable_contacts(cx.load(tables), replicates=150, seed=seed).set_index("measure")
        for name in held:
            held[name] += found.loc[name, "lower"] < truth.journey["contacts"]["preventable"] < found.loc[name, "upper"]
    assert held["preventable"] >= 6
    assert held["naive"] == 0


def test_standard_errors_are_those_of_the_linearised_ratio(simulated):
    """Authority: Cochran's variance of a ratio over customers."""
    tables, _ = simulated
    rows = by_hand(tables)
    row = cx.preventable_contacts(cx.load(tables), replicates=800).iloc[0]
    every = (rows.inside + rows.outside).to_numpy(float)
    away = rows.excess.to_numpy() - row["estimate"] * every
    error = np.sqrt((away**2).sum() * len(rows) / (len(rows) - 1)) / every.sum()
    assert row["std_error"] == pytest.approx(error, rel=0.1)


def test_the_data_s_own_end_and_a_customer_s_end_close_a_window():
    """By hand: one customer is there for ten days, a fault on the eighth, a contact that day and one on the second."""
    day = pd.Timestamp("2026-01-01")
    people = pd.DataFrame({"customer_id": ["a", "b"], "signup_date": [day, day], "end_date": [day + 9 * DAY, pd.NaT]})
    events = pd.DataFrame(
        {
            "interaction_id": ["1", "2"],
            "customer_id": ["a", "b"],
            "touchpoint": ["product_fault", "web"],
            "at": [day + 7 * DAY, day + 19.5 * DAY],
        }
    )
    tickets = pd.DataFrame(
        {"ticket_id": ["1", "2", "3"], "customer_id": ["a", "a", "b"], "opened_at": [day + DAY, day + 7.5 * DAY, day]}
    )
    data = cx.load({"customers": people, "interactions": events, "tickets": tickets})
    found = cx.preventable_contacts(data, replicates=0).set_index("measure")["estimate"]
    # Three days inside, seven outside with one contact: 1 - 3/7 in excess, of three contacts.
    assert found["preventable"] == pytest.approx((1 - 3 / 7) / 3)
    assert found["rate"] == pytest.approx(3 / 30 * 3000)
    assert found["naive"] == pytest.approx(1 - (1 / 20) / (3 / 30))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cause": "product_falt"}, "no touchpoint 'product_falt'; did you mean 'product_fault'"),
        ({"window_days": 0}, "window_days must be days above 0, at most 365, such as 7, not '0'"),
        ({"level": 2}, "level must lie between 0 and 1"),
    ],
)
def test_bad_options_are_refused(simulated, given, words):
    with pytest.raises(CxError) as caught:
        cx.preventable_contacts(cx.load(simulated[0]), **given)
    assert words in str(caught.value)


def test_a_missing_table_is_named(simulated):
    tables = {name: simulated[0][name] for name in ("customers", "tickets")}
    with pytest.raises(CxError, match="no table 'interactions'"):
        cx.preventable_contacts(cx.load(tables))


def test_contacts_of_nobody_are_refused(simulated):
    tables = simulated[0]
    told = "tickets: at least one must have been opened while its customer was one, none was; compare their customer_id"
    with pytest.raises(CxError, match=f"^{told} and opened_at with the customers'$"):
        cx.preventable_contacts(cx.load(tables | {"tickets": tables["tickets"].assign(customer_id="nobody")}))


@pytest.mark.parametrize("same", [None, "topic", "channel"])
@pytest.mark.parametrize("window", [7, 45])
def test_repeat_contact_is_a_count_by_hand(simulated, same, window):
    """Authority: each ticket in turn, by pandas."""
    tables = simulated[0]
    issue = same or "issue_id"
    tickets = tables["tickets"].sort_values("opened_at")
    following = tickets.groupby(["customer_id", issue]).opened_at.shift(-1)
    again = (following - tickets.opened_at) <= window * DAY
    data = cx.load(tables)
    end = pd.Timestamp(data.last_day) + DAY - window * DAY
    old = tickets.opened_at <= end
    found = cx.repeat_contact(data, window, same).set_index("measure")
    assert found.loc["rate", "estimate"] == pytest.approx(again[old].mean())
    assert found.loc["rate", "n"] == old.sum()
    assert found.loc["too_young", "estimate"] == (~old).sum()


def test_without_an_issue_the_topic_tells_and_without_that_the_customer(simulated):
    tickets = simulated[0]["tickets"]
    for columns, told in (([], "issue_id"), (["issue_id"], "topic"), (["issue_id", "topic"], "another ticket within")):
        method = cx.repeat_contact(cx.load({"tickets": tickets.drop(columns=columns)}))["method"][0]
        assert told in method


def test_tickets_all_too_young_are_too_few():
    tickets = pd.DataFrame({"ticket_id": ["1"], "customer_id": ["a"], "opened_at": [pd.Timestamp("2026-01-05")]})
    found = cx.repeat_contact(cx.load({"tickets": tickets})).set_index("measure")
    assert found.loc["rate", "note"] == "too few"
    assert found.loc["too_young", "estimate"] == 1


def test_topics_are_counts_the_most_frequent_first(simulated):
    tables = simulated[0]
    found = cx.contact_topics(cx.load(tables))
    counted = tables["tickets"].topic.value_counts(normalize=True)
    assert found["term"].tolist() == counted.index.tolist()
    assert found["estimate"].tolist() == pytest.approx(counted.tolist())
