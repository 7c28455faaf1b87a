"""Frames that no program should have written, into the functions that take frames: a number that is right, or a line."""
# ruff: noqa: E501  (a fault is one line, however long)

import math

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cxlib as cx
from tests.hostile import cells, frames, tried

patient = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
)


def whole(value):
    """The number a value stands for, None where it is none."""
    if value is None or value is pd.NA or value is pd.NaT or isinstance(value, (str, bytes, bool)):
        return None
    return None if math.isnan(value) else float(value)


@patient
@given(frames({"recommend": "score", "group": "few", "w": "score"}), st.sampled_from([None, "group", "w"]),
       st.sampled_from([None, None, "w"]))  # fmt: skip
def test_nps(frame, by, weights):
    found = tried(cx.nps, frame, by=by, weights=weights)
    if found is None or by or weights:
        return
    # By definition: promoters less detractors over answers, counted in Python.
    scores = [score for score in map(whole, frame["recommend"]) if score is not None]
    expected = 100 * (sum(s >= 9 for s in scores) - sum(s <= 6 for s in scores)) / len(scores) if scores else math.nan
    assert found["estimate"].tolist() == pytest.approx([expected], nan_ok=True)
    assert found["n"].tolist() == [len(scores)]


SOUND = {"customer_id": "text", "service": "few", "price": "few", "tenure": "float", "left": "flag", "w": "score"}


@patient
@given(frames(SOUND), st.sampled_from([None, "customer_id"]), st.sampled_from([None, None, "w"]),
       st.sampled_from([[], ["tenure"], ["service"]]))  # fmt: skip
def test_fit_attrition(frame, customer, weights, adjust):
    causes = {"service": {"service": {"a": "b"}}, "price": {"price": {"a": "b"}}}
    fit = tried(cx.fit_attrition, frame, causes=causes, adjust=adjust, customer=customer, weights=weights, replicates=2)
    if fit is not None:
        shares = cx.attributable_fractions(fit)
        told = shares["estimate"].isna() | shares["estimate"].le(1 + 1e-9)
        assert told.all(), shares
        assert (shares["n"] == len(frame)).all()


@patient
@given(frames({"score": "score", "a": "float", "b": "score", "c": "few", "w": "score"}), st.sampled_from([None, None, "w"]),
       st.sampled_from([None, "drop", "not_met"]))  # fmt: skip
def test_relative_importance(frame, weights, missing):
    found = tried(cx.relative_importance, frame, outcome="score", drivers=["a", "b", "c"], weights=weights, missing=missing,
                  replicates=2)  # fmt: skip
    if found is not None:  # an identity: the parts sum to R², which lies from 0 to 1
        parts = found[found["measure"] == "importance"]["estimate"].sum()
        whole = found[found["measure"] == "r_squared"]["estimate"].iloc[0]
        assert (math.isnan(parts) and math.isnan(whole)) or parts == pytest.approx(whole, abs=1e-6)


PEOPLE = {"customer_id": "text", "region": "text", "signup_date": "stamp", "end_date": "stamp", "end_kind": "few"}
TICKETS = {"ticket_id": "text", "customer_id": "text", "opened_at": "stamp", "resolved_at": "stamp", "csat": "score",
           "escalated": "flag"}  # fmt: skip
SURVEYS = {"survey_id": "text", "customer_id": "text", "sent_at": "stamp", "answered_at": "stamp", "recommend": "score"}


@patient
@given(frames(PEOPLE), frames(TICKETS), frames(SURVEYS), st.sampled_from(["customers", "customer", "x", ""]))
def test_load(people, tickets, surveys, name):
    found = tried(cx.load, {name: people, "tickets": tickets, "surveys": surveys})
    if found is not None:  # no row is lost or made
        counts = {table: len(seen.to_pandas()) for table, seen in found.present.items()}
        assert counts == {table: len(frame) for table, frame in
                          (("customers", people), ("surveys", surveys), ("tickets", tickets)) if table in counts}  # fmt: skip
        tried(cx.validate, found)


@patient
@given(frames(PEOPLE), frames(TICKETS), frames(SURVEYS),
       st.sampled_from(["latest", "2025-01-01", "0001-01-01", "9999-12-31", "", None, 3]) | st.dates() | cells,
       st.sampled_from([1, 90, 36_500, 10**9, 0, -1, 1.5, "x", True]))  # fmt: skip
def test_landmark(people, tickets, surveys, as_of, horizon):
    found = tried(cx.load, {"customers": people, "tickets": tickets, "surveys": surveys})
    seen = tried(cx.landmark, found, as_of, 30, horizon) if found is not None else None
    if seen is not None:
        frame = seen.to_pandas()
        assert len(frame) <= len(people)
        assert not (frame["left"] & frame.get("involuntary", pd.Series(False, index=frame.index))).any()
