"""Attrition data that cannot be answered: a line or a row marked, never a crash and never a number."""

import warnings

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError
from cxlib.findings import hazard_ratios, segments
from cxlib.schema import TOO_FEW
from tests.frames import CAUSES, customers

DATA = customers(1500).assign(days=lambda d: np.ceil(20 * d["tenure"]).clip(1, 90))
BUSINESS = DATA["segment"] == "business"
FIRST = BUSINESS & (DATA.index == BUSINESS.idxmax())
OTHERS = ["consumer", "öffentlich"]
BY = {
    "fractions": lambda fit: cx.attributable_fractions(fit, by="segment"),
    "unadjusted": lambda fit: cx.unadjusted_fractions(fit, by="segment"),
    "role": lambda fit: cx.role_interval(fit, by="segment"),
    "outweighs": lambda fit: cx.outweighs(fit, "price", "service", by="segment"),
    "what_if": lambda fit: cx.what_if(fit, {"service": 0.5, "price": 0.5}, by="segment"),
}


@pytest.fixture(autouse=True)
def no_warning():
    """A division by zero in silence is a number nobody should read."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def fitted(data=DATA, **settings):
    return cx.fit_attrition(
        data, **{"causes": CAUSES, "adjust": ["abroad"], "by": "segment", "replicates": 30} | settings
    )


def line(function, *given, **named):
    with pytest.raises(CxError) as caught:
        function(*given, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def business(result):
    return result[result["segment"] == "business"]


def blank(rows):
    return rows[["estimate", "std_error", "lower", "upper"]].isna().all(axis=None)


EMPTY_SEGMENTS = {
    "no events": DATA.assign(left=DATA["left"] & ~BUSINESS),
    "one churner": DATA.assign(left=(DATA["left"] & ~BUSINESS) | FIRST),
    "nine churners": DATA.assign(left=(DATA["left"] & ~BUSINESS) | (BUSINESS & (BUSINESS.cumsum() < 10))),
    "all churned": DATA.assign(left=DATA["left"] | BUSINESS),
    "all but one churned": DATA.assign(left=(DATA["left"] | BUSINESS) & ~FIRST),
    "everybody had a failure": DATA.assign(service=DATA["service"].mask(BUSINESS, "failed")),
    "weights all zero": DATA.assign(w=DATA["w"].mask(BUSINESS, 0)),
    "weights all zero but one": DATA.assign(w=DATA["w"].mask(BUSINESS & ~FIRST, 0)),
}


@pytest.mark.parametrize("answer", BY)
@pytest.mark.parametrize("case", EMPTY_SEGMENTS)
def test_a_segment_that_cannot_be_answered_is_too_few_and_the_others_are_told(case, answer):
    data = EMPTY_SEGMENTS[case]
    result = BY[answer](fitted(data, weights="w" if "weights" in case else None))
    own = business(result)
    assert set(own["note"]) == {TOO_FEW}
    assert blank(own)
    assert set(own["n"]) == {BUSINESS.sum()}
    assert result.loc[result["segment"].isin(OTHERS), "estimate"].notna().all()


@pytest.mark.parametrize("had", [0, 9])
@pytest.mark.parametrize("answer", BY)
def test_a_cause_that_nobody_or_hardly_anybody_in_a_segment_has_gives_no_number_there(answer, had):
    failed = BUSINESS & (DATA["service"] == "failed")
    own = business(
        BY[answer](fitted(DATA.assign(service=DATA["service"].mask(failed & (failed.cumsum() > had), "good"))))
    )
    price = own["term"] == "price"
    assert blank(own[~price])
    assert set(own.loc[~price, "note"]) == {TOO_FEW}
    assert own.loc[price, "estimate"].notna().all()
    assert not own.loc[price, "note"].eq(TOO_FEW).any()


def test_ten_with_a_failure_are_enough():
    failed = BUSINESS & (DATA["service"] == "failed")
    data = DATA.assign(service=DATA["service"].mask(failed & (failed.cumsum() > 10), "good"))
    assert business(BY["fractions"](fitted(data)))["estimate"].notna().all()


UNFIT = {
    "a level that never left": (
        DATA.assign(abroad=DATA["abroad"].mask(BUSINESS & DATA["left"], False)),
        "no model: 'abroad' decides who left, no finite effect exists",
    ),
    "two columns that say the same": (
        DATA.assign(twice=np.where(BUSINESS, DATA["tenure"], DATA["faults"])),
        "no model: twice is determined by the columns before it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_a_segment_without_a_model_says_why_and_does_not_call_itself_small(case):
    data, note = UNFIT[case]
    adjust = ["abroad", "tenure", *(["twice"] if "twice" in data else [])]
    fit = fitted(data, adjust=adjust)
    own = business(BY["fractions"](fit))
    assert set(own["note"]) == {note}
    assert blank(own)
    told = segments(BY["fractions"](fit), cx.attributable_fractions(fit))
    assert told.endswith(f" Not shown, because no model fits: business ({note.removeprefix('no model: ')}).")
    assert "too small" not in told


WEIGHTS = {
    "negative": (-1.0, "weights 'w' must be finite and 0 or more in every row, but 1,500 are not and 0 are empty"),
    "all zero": (0.0, "weights 'w' must not all be 0"),
    "missing": (np.nan, "weights 'w' must be finite and 0 or more in every row, but 0 are not and 1,500 are empty"),
    "zero for all who left": (
        np.where(DATA["left"], 0, 1.0),
        "outcome 'left' must have at least 10 leavers and 10 stayers, not 0 and 1500; widen the period or the filter",
    ),
    "zero for all leavers but one": (
        np.where(DATA["left"] & (DATA.index != DATA["left"].idxmax()), 0, 1.0),
        "outcome 'left' must have at least 10 leavers and 10 stayers, not 1 and 1500; widen the period or the filter",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_that_cannot_weigh(case):
    weights, told = WEIGHTS[case]
    assert line(fitted, DATA.assign(w=weights), weights="w") == told


LEAVERS = {
    "nobody left": (0, "there must be at least 10 leavers, not 0; widen the period or the filter"),
    "one left": (1, "there must be at least 10 leavers, not 1; widen the period or the filter"),
    "everybody left": (1500, "there must be somebody who stayed, but everybody left; widen the period or the filter"),
}


@pytest.mark.parametrize("case", LEAVERS)
def test_followed_customers_of_whom_nobody_one_or_everybody_left(case):
    count, told = LEAVERS[case]
    data = DATA.assign(left=DATA.index < count, ended=np.where(DATA.index < count, "voluntary", None))
    assert line(cx.cox, data, "days", "left", ["service"]) == told
    results = [
        cx.kaplan_meier(data, "days", "left", "segment"), cx.survival_quantiles(data, "days", "left"),
        cx.log_rank(data, "days", "left", "segment"),
    ]  # fmt: skip
    results += [cx.cumulative_incidence(data, "days", "ended", "segment")] if count else []
    for result in results:
        assert set(result["note"]) == {TOO_FEW}
        assert blank(result)


def test_hazard_ratios_of_a_level_with_one_leaver_are_too_few():
    result = cx.cox(EMPTY_SEGMENTS["one churner"], "days", "left", ["segment", "service"])
    few = result["term"].str.startswith("segment = ")
    assert few.sum() == 4  # business comes first, so that both others are told against it
    assert set(result.loc[few, "note"]) == {TOO_FEW}
    assert blank(result[few])
    assert result.loc[result["term"].str.startswith("service = "), "estimate"].notna().all()
    told = hazard_ratios(result, fitted(), ["service"])
    assert "business" not in told
    assert hazard_ratios(result, fitted(), ["segment"]) == "Too few left for ratios of the causes."


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_everybody_leaves_at_the_same_moment(ties):
    # Known truth: with one time of leaving nothing can change with time, and the curve has one step, to the share left.
    data = DATA.assign(days=30)
    result = cx.cox(data, "days", "left", ["service"], ties=ties)
    ratios, tests = (result[result["term"].str.contains("=") == ratio] for ratio in (True, False))
    assert np.isfinite(ratios[["estimate", "lower", "upper"]]).all(axis=None)
    assert blank(tests)
    assert set(tests.loc[tests["measure"] == "proportionality_p", "note"]) == {TOO_FEW}
    curve = cx.kaplan_meier(data, "days", "left")
    assert curve["estimate"].tolist() == pytest.approx([1 - data["left"].mean()])


# Dates


def tables(**changes):
    rng, n = np.random.default_rng(5), 1200
    signup = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 731, n), "D")
    end = (signup + pd.to_timedelta(rng.integers(1, 1500, n), "D")).to_series(index=range(n))
    customer = [f"C{i}" for i in range(n)]
    people = pd.DataFrame({"customer_id": customer, "signup_date": signup, "end_date": end.where(end < "2026-01-01")})
    opened = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 731, n), "D")
    tickets = pd.DataFrame({"ticket_id": customer, "customer_id": customer, "opened_at": opened})
    return {name: changes.get(name, lambda t: t)(t) for name, t in {"customers": people, "tickets": tickets}.items()}


def later(column, rows=2):
    return lambda t: t.assign(**{column: t[column].mask(t.index < rows, pd.Timestamp("2099-01-01"))})


FUTURE = "landmark: dates must not lie in the future, but 2 rows of '{}' are dated up to 2099-01-01, all else up to "
MEND = "; mend them, or choose an earlier as_of"


@pytest.mark.parametrize("as_of", ["latest", "2025-12-01"])
@pytest.mark.parametrize(("table", "column"), [("tickets", "opened_at"), ("customers", "signup_date")])
def test_a_few_dates_in_the_future_do_not_move_the_end_of_the_data(table, column, as_of):
    read, before = cx.load(tables(**{table: later(column)})), cx.load(tables()).last_days
    told = FUTURE.format(table) + str(before["customers" if table == "tickets" else "tickets"]) + MEND
    assert line(cx.landmark, read, as_of, 180, 90) == told
    assert line(cx.stack_landmarks, read, as_of, 3, 180) == told
    # What lies wholly before them can be told.
    assert len(cx.landmark(read, "2025-06-01", 180, 90).to_pandas()) > 0


def test_a_table_that_goes_on_longer_than_the_others_is_no_stray():
    longer = tables(tickets=lambda t: t.assign(opened_at=t["opened_at"] + pd.Timedelta(days=120)))
    assert cx.load(longer).strays(cx.load(longer).last_day) == ""


def test_ends_entered_ahead_are_customers_still_there():
    ahead = cx.load(tables(customers=lambda t: t.assign(end_date=t["end_date"].fillna(pd.Timestamp("9999-12-31")))))
    plain = cx.load(tables())
    frames = [cx.landmark(t, "latest", 180, 90).to_pandas().sort_values("customer_id") for t in (ahead, plain)]
    assert frames[0]["left"].tolist() == frames[1]["left"].tolist()
    assert frames[0]["left"].any()


BEYOND = "landmark: as_of + horizon must not lie beyond the last day of the data; "


def test_a_horizon_beyond_the_data():
    read = cx.load(tables())
    last = read.last_day
    told = line(cx.landmark, read, "2025-12-01", 180, 90)
    assert told == f"{BEYOND}2025-12-01 + 90 days is 2026-03-01, the data end on {last}; choose as_of up to 2025-10-02"
    assert line(cx.follow_landmark, read, "2025-12-01", 180, 90) == told
    assert line(cx.stack_landmarks, read, "2025-12-01", 3, 180) == told


def test_everybody_ends_on_one_day():
    # Known truth: whoever is at risk before that day leaves within the horizon, and nobody does after it.
    tied = tables(customers=lambda t: t.assign(end_date=t["end_date"].where(t["end_date"].isna(), "2025-08-01")))
    seen = cx.follow_landmark(cx.load(tied), "2025-07-01", 180, 90).to_pandas()
    assert set(seen.loc[seen["left"], "days_followed"]) == {31}
    result = cx.kaplan_meier(seen, "days_followed", "left", times=[30, 31, 90])
    left = seen["left"].mean()
    assert result["estimate"].tolist() == pytest.approx([1, 1 - left, 1 - left])
