"""Ticket volume: customer-days counted day by day, exact Poisson limits from the chi-squared identity."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import cxlib as cx
from cxlib.errors import CxError

START = pd.Timestamp("2026-01-01")


def base(seed=0, customers=80, tickets=400):
    rng = np.random.default_rng(seed)
    came, stayed = rng.integers(-60, 80, customers), rng.integers(0, 120, customers)
    end = pd.Series(START + pd.to_timedelta(came + stayed, "D")).where(rng.random(customers) < 0.6)
    people = pd.DataFrame({
        "customer_id": [str(i) for i in range(customers)], "signup_date": START + pd.to_timedelta(came, "D"),
        "end_date": end, "region": rng.choice(["n", "s", "w"], customers),
    })  # fmt: skip
    asked = pd.DataFrame({
        "ticket_id": [str(i) for i in range(tickets)],
        "customer_id": [str(i) for i in rng.integers(0, customers, tickets)],
        "opened_at": START + pd.to_timedelta(rng.integers(0, 90 * 86_400, tickets), "s"),
        "first_response_at": pd.NaT, "resolved_at": pd.NaT, "channel": rng.choice(["phone", "web"], tickets),
    })  # fmt: skip
    return people, asked


def customer_days(people, days):
    """Day by day: there from the first to the last day, both included."""
    last = people["end_date"].fillna(pd.Timestamp("2100-01-01"))
    return sum(((people["signup_date"] <= day) & (day <= last)).sum() for day in days)


@pytest.mark.parametrize("by", [None, "region", "channel", ["channel", "region"]])
@pytest.mark.parametrize("every", [None, "month"])
def test_rates_over_customer_days_counted_one_by_one(by, every):
    people, asked = base()
    found = cx.ticket_volume(cx.load({"customers": people, "tickets": asked}), by, "2026-01-05", "2026-03-20", every)
    days = pd.date_range("2026-01-05", "2026-03-19")
    joined = asked.merge(people[["customer_id", "region"]])
    groups = [by] if isinstance(by, str) else by or []
    rates = found[found["measure"] == "rate"]
    assert len(rates) == np.prod([{"region": 3, "channel": 2}[name] for name in groups]) * (3 if every else 1)
    for row in rates.to_dict("records"):
        span = days[days.strftime("%Y-%m") == row["period"][:7]] if every else days
        rows = joined[(joined["opened_at"] >= span[0]) & (joined["opened_at"] < span[-1] + pd.Timedelta(days=1))]
        own = people[people["region"] == row["region"]] if "region" in groups else people
        for name in groups:
            rows = rows[rows[name] == row[name]]
        exposure = customer_days(own, span) / 3000
        assert row["estimate"] == pytest.approx(len(rows) / exposure)
        limits = chi2.ppf([0.025, 0.975], [2 * len(rows), 2 * len(rows) + 2]) / 2 / exposure
        assert [row["lower"], row["upper"]] == pytest.approx(limits)
        assert row["n"] == len(rows)


def test_a_group_without_tickets_has_a_rate_of_none():
    people, asked = base()
    quiet = asked[~asked["customer_id"].isin(people.loc[people["region"] == "w", "customer_id"])]
    found = cx.ticket_volume(cx.load({"customers": people, "tickets": quiet}), "region").set_index(
        ["region", "measure"]
    )
    row = found.loc[("w", "rate")]
    assert (row["estimate"], row["lower"], row["n"]) == (0, 0, 0)
    assert row["upper"] > 0


def test_counts_and_customers_are_told_beside_the_rate():
    people, asked = base()
    found = cx.ticket_volume(cx.load({"customers": people, "tickets": asked})).set_index("measure")
    assert found.loc["tickets", "estimate"] == 400
    assert found.loc["rate", "unit"] == "tickets per 100 customers in 30 days"
    first = asked["opened_at"].min().normalize()
    days = pd.date_range(first, asked["opened_at"].max().normalize())
    assert found.loc["active_customers", "estimate"] == pytest.approx(customer_days(people, days) / len(days))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"by": "regin"}, "tickets and customers: no column 'regin'; did you mean 'region'"),
        ({"every": "year"}, "no every 'year'; There are: 'week', 'month', 'quarter'"),
        ({"since": "2026-02-01", "as_of": "2026-01-01"}, "since must lie before as_of"),
        ({"as_of": "2027-01-01"}, "not beyond the last day of the data, 2026-03-31"),
    ],
)
def test_wrong_options_are_refused(options, fault):
    people, asked = base()
    asked.loc[0, "opened_at"] = pd.Timestamp("2026-03-31 12:00")
    with pytest.raises(CxError, match=fault):
        cx.ticket_volume(cx.load({"customers": people.assign(signup_date=START), "tickets": asked}), **options)


def test_a_frame_of_tickets_alone_has_no_customers_to_count():
    with pytest.raises(CxError) as refused:
        cx.ticket_volume(base()[1])
    told = "data must be Tables, from cx.load or a study, not DataFrame: a volume needs the customers as well as the"
    assert str(refused.value) == f"{told} tickets"


def test_a_period_in_which_nobody_is_there_is_refused():
    people, asked = base()
    told = "customers: somebody must be active between 2026-01-01 and 2026-03-01; check signup_date and the period"
    with pytest.raises(CxError, match=f"^{told}$"):
        cx.ticket_volume(cx.load({"customers": people.assign(signup_date=pd.Timestamp("2027-01-01"), end_date=pd.NaT),
                                  "tickets": asked}), "region", since="2026-01-01", as_of="2026-03-01")  # fmt: skip
