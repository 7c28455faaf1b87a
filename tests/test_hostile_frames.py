"""Frames that no program should have written, into the functions that take frames: a number that is right, or a line."""
# ruff: noqa: E501  (a fault is one line, however long)

import math
import random
from dataclasses import replace
from functools import cached_property

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib import schema
from tests.hostile import as_it_should_be, cells, columns, frames, tried
from tests.spark_cases import ADJUST, CASES, CAUSES

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


SOUND = {"customer_id": "id", "service": "few", "price": "few", "tenure": "float", "left": "flag", "w": "score"}


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


PEOPLE = {"customer_id": "id", "region": "few", "signup_date": "stamp", "end_date": "stamp", "end_kind": "few"}
TICKETS = {"ticket_id": "id", "customer_id": "id", "channel": "few", "opened_at": "stamp", "first_response_at": "stamp",
           "resolved_at": "stamp", "csat": "score", "escalated": "flag", "contacts": "score"}  # fmt: skip
SURVEYS = {"survey_id": "id", "customer_id": "id", "sent_at": "stamp", "answered_at": "stamp", "recommend": "score",
           "satisfaction": "score", "effort": "score", "comment": "text"}  # fmt: skip
KINDS = {"customers": PEOPLE, "tickets": TICKETS, "surveys": SURVEYS}
DAYS = {"signup_date": ["2024-01-01", "2024-06-01"], "end_date": [None, None, "2025-05-01"], "end_kind": [None, None, "voluntary"],
        "sent_at": ["2025-01-01", "2025-03-01"], "answered_at": ["2025-01-02", "2025-03-03"], "opened_at": ["2025-02-01"],
        "first_response_at": ["2025-02-02", None], "resolved_at": ["2025-02-03", None], "recommend": [9, 10, 3], "satisfaction": [1, 5],
        "effort": [7, 2], "csat": [1, 5], "contacts": [1, 2]}  # fmt: skip


def company(rows=12):
    """Tables as they should be."""
    found = {}
    for table, kinds in KINDS.items():
        columns = {name: as_it_should_be(kind, rows, random.Random(1)) if name not in DAYS else
                   pd.Series([DAYS[name][i % len(DAYS[name])] for i in range(rows)]) for name, kind in kinds.items()}  # fmt: skip
        found[table] = pd.DataFrame(columns)
    return found


@st.composite
def companies(draw):
    """Tables as they should be, but for one, or for one or two columns of one."""
    tables = company()
    name = draw(st.sampled_from(sorted(KINDS)))
    if draw(st.integers(0, 3)) == 0:
        return {**tables, name: draw(frames(KINDS[name]))}
    for column in draw(st.lists(st.sampled_from(sorted(KINDS[name])), min_size=1, max_size=2)):
        tables[name][column] = draw(columns(len(tables[name]), KINDS[name][column] if draw(st.booleans()) else None))
    return tables


@patient
@given(companies(), st.sampled_from(["customers", "customers", "customers", "customer", "x", ""]))
def test_load(tables, name):
    tables = {name if table == "customers" else table: frame for table, frame in tables.items()}
    found = tried(cx.load, tables)
    if found is not None:  # no row is lost or made
        counts = {table: len(seen.to_pandas()) for table, seen in found.present.items()}
        assert counts == {table: len(frame) for table, frame in tables.items()}


@patient
@given(companies(),
       st.sampled_from(["latest", "2025-01-01", "2025-03-01", "0001-01-01", "9999-12-31", "", None, 3]) | st.dates() | cells,
       st.sampled_from([30, 1, 90, 36_500, 10**9, 0, -1, 1.5, "x", True]))  # fmt: skip
def test_landmark(tables, as_of, horizon):
    found = tried(cx.load, tables)
    seen = tried(cx.landmark, found, as_of, 30, horizon) if found is not None else None
    if seen is not None:
        frame = seen.to_pandas()
        assert len(frame) <= len(tables["customers"])
        assert not (frame["left"] & frame.get("involuntary", pd.Series(False, index=frame.index))).any()


DESK = [cx.first_response_time, cx.resolution_time, cx.first_contact_resolution, cx.escalation_rate, cx.ticket_volume]


@patient
@given(frames(TICKETS), st.sampled_from(DESK), st.sampled_from([None, None, "channel", "csat", "x"]),
       st.sampled_from([{}, {}, {"backwards": "exclude"}, {"as_of": "2025-03-01"}, {"as_of": "never"}, {"weights": "contacts"}]))  # fmt: skip
def test_service_desk(tickets, measure, by, options):
    known = measure.__code__.co_varnames
    found = tried(measure, tickets, by=by, **{name: value for name, value in options.items() if name in known})
    if found is not None:  # shares are shares, no time runs backwards
        estimates = found[found["unit"].isin(["share", "hours"])]["estimate"].dropna()
        assert (estimates >= 0).all() and (found[found["unit"] == "share"]["estimate"].dropna() <= 1).all()


@patient
@given(frames({"satisfaction": "score", "effort": "score", "csat": "score", "group": "few", "w": "score"}),
       st.sampled_from(["csat", "ces"]), st.sampled_from([None, None, "group", "w"]), st.sampled_from([None, None, "w"]))  # fmt: skip
def test_satisfaction(frame, measure, by, weights):
    found = tried(getattr(cx, measure), frame, by=by, weights=weights)
    if found is not None and measure == "csat":
        shares = found[found["unit"] == "share"]["estimate"].dropna()
        assert shares.between(0, 1).all()


@patient
@given(frames({"comment": "text", "theme": "text", "group": "few", "w": "score"}), st.sampled_from([None, None, "group", "w"]),
       st.sampled_from([None, None, "w"]))  # fmt: skip
def test_comments(frame, by, weights):
    found = tried(cx.comment_themes, frame, by=by, weights=weights)
    if found is not None:
        assert found[found["measure"] == "share"]["estimate"].dropna().between(0, 1).all()
    shown = tried(cx.comment_examples, frame, True)
    assert shown is None or not shown.astype(str).map(
        lambda text: "@" in text and "[" not in text and "." in text.split("@")[1]
    ).any(axis=None)


RARE = {"score": [0, 10, 9, 7, 5], "a": [1.0, 2, 3, 4, 5], "b": [5.0, 4, 2, 3, 1], "c": ["x", "y"], "left": [False, True],
        "w": [1.0, 0.5, 2.0, 0.0, 1e-8, 1e8], "cluster": ["0", "1", "2"], "days": [1.0, 5.0, 30.0, 400.0]}  # fmt: skip
RATED, FEW = ["a", "b"], {"missing": "not_met", "replicates": 20}
ON_FEW = {
    "importance": lambda f: cx.relative_importance(f, "score", [*RATED, "c"], groups={"g": ["a", "c"]}, differences=True, **FEW),
    "johnson": lambda f: cx.relative_importance(f, "score", [*RATED, "c"], method="johnson", **FEW),
    "promoters": lambda f: cx.relative_importance(f, "score", [*RATED, "c"], scale="promoter", **FEW),
    "halo": lambda f: cx.halo(f, RATED, replicates=20),
    "operational": lambda f: cx.operational_measures(f, ["a"], ["b", "score"], replicates=20),
    "importance_performance": lambda f: cx.importance_performance(f, "score", RATED, **FEW),
    "penalty_reward": lambda f: cx.penalty_reward(f, "score", RATED, 2, 4, **FEW),
    "nps_what_if": lambda f: cx.nps_what_if(f, "score", RATED, {"a": 1}, **FEW),
    "not_met": lambda f: cx.not_met_comparison(f, "score", RATED, replicates=20),
    "service_gap": lambda f: cx.service_gap(f, "score", ["a"], ["b"]),
    "ordinal_check": lambda f: cx.ordinal_check(f, "score", RATED, missing="not_met"),
    "collinearity": lambda f: cx.collinearity(f, "score", RATED, missing="not_met"),
    "overlap": lambda f: cx.satisfaction_overlap(f, "score", "a"),
    "nps": lambda f: cx.nps(f, "score", by="c", cluster="cluster", weights="w"),
    "same_people": lambda f: cx.compare_nps(f, f.assign(score=f["score"].to_numpy()[::-1]), "score", customer="id"),
    "waves": lambda f: cx.compare_nps(f, f.assign(score=f["score"].to_numpy()[::-1]), "score", cluster="cluster"),
    "differences": lambda f: cx.nps_differences(f, "c", "score"),
    "mediation": lambda f: cx.mediation(f.assign(nps_class=f["score"].ge(9).map({True: "promoter", False: "other"})),
                                        {"c": {"x": "y"}}, replicates=20),
    "prediction": lambda f: cx.attrition_prediction(f.assign(recommend=f["score"], satisfaction=f["a"])),
    "log_rank": lambda f: cx.log_rank(f, time="days", event="left", by="c"),
    "kaplan_meier": lambda f: cx.kaplan_meier(f, time="days", event="left", by="c"),
    "cox": lambda f: cx.cox(f, time="days", event="left", terms=["c", "a"]),
}  # fmt: skip


def rare_values(seed):
    """A function, and few rows of which most are alike: a resample may lack a value, or hold nothing else."""
    chance = random.Random(seed)  # hypothesis would draw some of the functions again and again
    rows = chance.randint(8, 30)

    def column(values):
        found = (
            [chance.choice(values)] * rows if chance.random() < 0.7 else [chance.choice(values) for _ in range(rows)]
        )
        for _ in range(chance.randint(1, 3)):
            found[chance.randrange(rows)] = chance.choice(values)
        return found

    frame = pd.DataFrame({name: column(values) for name, values in RARE.items()})
    for name in ("score", *RATED):
        if chance.random() < 0.2:
            frame[name] = frame[name].mask([chance.random() < 0.3 for _ in range(rows)])
    return chance.choice(sorted(ON_FEW)), frame.assign(id=[str(i) for i in range(rows)])


@patient
@given(st.integers(0, 2**40).map(rare_values))
def test_few_rows_and_rare_values(asked):
    name, frame = asked
    found = tried(ON_FEW[name], frame)
    if found is not None and "lower" in found:
        ends = found[["lower", "upper"]].dropna()
        assert (ends["lower"] <= ends["upper"] + 1e-9).all()


class Asked:
    """What the cases are asked of, each made when a case asks for it: `spark_cases.looked_at` makes all of it."""

    def __init__(self, tables):
        self.tables = tables

    frame = cached_property(lambda self: cx.landmark(self.tables, "latest", 180, 90))
    answers = cached_property(lambda self: cx.answers(self.tables))
    earlier = cached_property(lambda self: cx.answers(self.tables, "2026-01-01", 180))
    followed = cached_property(lambda self: cx.follow_landmark(self.tables, "latest", 180, 90))
    linked = cached_property(lambda self: cx.follow_answers(self.tables))
    paths = cached_property(lambda self: cx.answer_landmark(self.tables, "latest", 180, 90))
    newcomers = cached_property(lambda self: cx.newcomers(self.tables))
    study = cached_property(lambda self: replace(cx.read_study("example"), tables=self.tables))
    themes = cached_property(lambda self: cx.simulated_themes(self.tables.surveys, self.tables.touchpoints))
    fit = cached_property(lambda self: cx.fit_attrition(self.frame, causes=CAUSES, adjust=["tenure_band"],
                                                        customer="customer_id", replicates=2))  # fmt: skip

    @cached_property
    def monthly(self):
        held = cx.stack_landmarks(self.tables, "latest", 2, 90, exposures="held")
        return cx.fit_attrition(held, causes=CAUSES, adjust=[*ADJUST[:1], "window"], customer="customer_id",
                                period="window", replicates=2)  # fmt: skip


@pytest.fixture(scope="module")
def simulated():
    """The tables of a few simulated customers, as frames."""
    return cx.simulate(customers=150, seed=1)[0]


@patient
@given(data=st.data(), name=st.sampled_from(sorted(CASES)))
def test_every_function_that_takes_data(simulated, data, name):
    """One column of one table hostile, then each public function that takes data: a result, or lines."""
    table = data.draw(st.sampled_from([*schema.TABLES, *["customers", "tickets", "surveys"] * 2]))
    column = data.draw(st.sampled_from(sorted(simulated[table])))
    spoilt = simulated[table].assign(**{column: data.draw(columns(len(simulated[table])))})
    tables = tried(cx.load, {**simulated, table: spoilt})
    if tables is not None:
        tried(CASES[name], Asked(tables))
