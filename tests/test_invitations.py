"""Customers from the day they were asked. Authorities: pandas on the tables, and `landmark` itself, day by day."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

import cxlib as cx
from cxlib.invitations import answer_landmark, follow_answers, newcomers

LAST = datetime(2026, 6, 30)
ASKED = {
    # survey: customer, sent, answered, score
    "S1": ("A", "2026-01-01", None, None),  # first invitation unanswered: A counts as silent
    "S2": ("A", "2026-03-01", "2026-03-03", 9),
    "S3": ("B", "2026-01-10", "2026-01-12", 3),  # leaves on 2026-02-01
    "S4": ("C", "2026-01-10", "2026-01-20", 10),  # lost on 2026-03-01
    "S5": ("D", "2026-06-20", "2026-06-21", 10),  # asked in the last 14 days: others may still answer
    "S6": ("E", "2026-02-01", "2026-02-02", None),  # answered, but not this question
}
PEOPLE = {
    "A": ("2025-01-01", None, None, None), "B": ("2025-01-01", "2026-02-01", "voluntary", None),
    "C": ("2025-01-01", "2026-03-01", "involuntary", None), "D": ("2025-01-01", None, None, None),
    "E": ("2025-01-01", "2026-07-20", "voluntary", None),  # an end entered ahead is not one yet
    "F": ("2026-01-19", None, None, "C"), "G": ("2026-01-25", None, None, "C"), "H": ("2026-04-01", None, None, "C"),
}  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    surveys = pd.DataFrame([(key, *row) for key, row in ASKED.items()],
                           columns=["survey_id", "customer_id", "sent_at", "answered_at", "recommend"])  # fmt: skip
    people = pd.DataFrame([(key, *row) for key, row in PEOPLE.items()],
                          columns=["customer_id", "signup_date", "end_date", "end_kind", "referred_by"])  # fmt: skip
    for column in ("sent_at", "answered_at"):
        surveys[column] = pd.to_datetime(surveys[column])
    for column in ("signup_date", "end_date"):
        people[column] = pd.to_datetime(people[column])
    tickets = pd.DataFrame({"ticket_id": ["T"], "customer_id": ["A"], "opened_at": [LAST]})
    return cx.load({"customers": people, "surveys": surveys, "tickets": tickets})


def days(later, earlier):
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).days


def test_the_first_invitation_counts_and_not_the_first_answer(tables):
    found = follow_answers(tables).to_pandas().set_index("customer_id").sort_index()
    assert list(found.index) == ["A", "B", "C", "E"]
    assert found["nps_class"].to_dict() == {"A": "no answer", "B": "detractor", "C": "promoter", "E": "no answer"}
    assert found["days_followed"].to_dict() == {
        "A": days("2026-06-30", "2026-01-01"), "B": days("2026-02-01", "2026-01-12"),
        "C": days("2026-03-01", "2026-01-20"), "E": days("2026-06-30", "2026-02-01"),
    }  # fmt: skip
    assert found["left"].to_dict() == {"A": False, "B": True, "C": False, "E": False}
    assert found.loc["C", "ended"] == "involuntary" and found.loc["C", "involuntary"]


def test_each_invitation_is_a_row_where_each_is_asked_for(tables):
    found = follow_answers(tables, which="each").to_pandas().sort_values("survey_id")
    assert list(found["survey_id"]) == ["S1", "S2", "S3", "S4", "S6"]
    assert list(found.loc[found["customer_id"] == "A", "nps_class"]) == ["no answer", "promoter"]


def test_newcomers_and_the_class_of_who_brought_them(tables):
    """The first answer came on 2026-01-12: F, G and H signed up later, by C, who answered on 2026-01-20."""
    found = newcomers(tables).to_pandas().set_index("customer_id").sort_index()
    assert list(found.index) == ["F", "G", "H"]
    assert found["referred"].all()
    assert found["nps_class"].to_dict() == {"F": "no answer", "G": "promoter", "H": "promoter"}
    assert list(newcomers(tables, "2026-02-01").to_pandas()["customer_id"]) == ["F", "G"]


def test_only_invitations_before_a_day(tables):
    assert set(follow_answers(tables, "2026-01-10").to_pandas()["customer_id"]) == {"A"}


def test_an_unknown_choice_is_refused(tables):
    with pytest.raises(cx.CxError, match=r"^which: no choice of answers 'firts'; did you mean 'first'\?"):
        follow_answers(tables, which="firts")


@pytest.fixture(scope="module")
def simulated():
    return cx.load(cx.simulate(customers=1200, months=14, seed=3)[0])


def test_everyone_is_seen_as_on_a_landmark_of_their_own(simulated):
    """Authority: `landmark`, made anew for the day of every tenth invitation."""
    lookback, horizon = 120, 60
    day = simulated.last_day - timedelta(days=horizon)
    found = answer_landmark(simulated, day, lookback, horizon).to_pandas().set_index("customer_id")
    asked = simulated.surveys.to_pandas()
    first = asked[(asked["sent_at"] >= pd.Timestamp(day - timedelta(days=14 + lookback)))
                  & (asked["sent_at"] < pd.Timestamp(day - timedelta(days=14)))]  # fmt: skip
    first = first.sort_values(["sent_at", "survey_id"]).drop_duplicates("customer_id").set_index("customer_id")
    people = simulated.customers.to_pandas().set_index("customer_id").loc[first.index]
    on = first["sent_at"].dt.normalize()
    end, signup = (pd.to_datetime(people[name]) for name in ("end_date", "signup_date"))
    expected = first.index[(end.isna() | (end > on + pd.Timedelta(days=14))) & (signup < on)]
    assert set(found.index) == set(expected)
    same = ["tenure_days", "service_contacts", "service_failed", "service_band", "price_band", "gap_band",
            "fault_count", "left", "involuntary", "segment"]  # fmt: skip
    looked = 0
    for one in sorted(found.index)[::10]:
        truth = cx.landmark(simulated, on[one].date(), lookback, 14 + horizon).to_pandas().set_index("customer_id")
        assert found.loc[one, same].to_dict() == truth.loc[one, same].to_dict()
        looked += 1
    assert looked > 40
    assert (found["recommend"].fillna(-1) == first["recommend"].reindex(found.index).fillna(-1)).all()


def test_a_time_in_which_nobody_was_asked_is_refused(tables):
    with pytest.raises(cx.CxError, match=r"^surveys: nobody was asked in the 20 days before 2026-06-01"):
        answer_landmark(tables, "2026-06-01", 20, 20)


def test_a_time_in_which_nobody_came_is_refused(tables):
    told = "customers: nobody signed up between the first answer and 2026-01-13; choose another as_of"
    with pytest.raises(cx.CxError, match=f"^{told}$"):
        newcomers(tables, "2026-01-14")


def test_without_an_answer_newcomers_are_refused(tables):
    surveys = tables.surveys.to_pandas().assign(answered_at=pd.NaT)
    told = r"^surveys: at least one must be answered, none is; choose surveys with answers$"
    with pytest.raises(cx.CxError, match=told):
        newcomers(cx.load({"customers": tables.customers.to_pandas(), "surveys": surveys}))
