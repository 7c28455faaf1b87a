"""Response and resolution times: by hand, statsmodels on rows, a simulated desk of known truth, and bad stamps."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

import cxlib as cx
from cxlib import desk
from cxlib.errors import CxError
from cxlib.schema import RESULT_COLUMNS

DAY = pd.Timestamp("2026-03-02")
NUMBERS = ["estimate", "std_error", "lower", "upper", "n"]
THERE = "'opened_at', 'resolved_at', 'ticket_id', 'customer_id'"
REFUSED = 'correct the stamps, or leave these tickets out with backwards="exclude"'


def tickets(hours, opened=DAY, column="resolved_at"):
    """Tickets opened at one instant; no hours = still open."""
    frame = pd.DataFrame({"opened_at": opened, column: opened + pd.to_timedelta(hours, "h")})
    return frame.assign(ticket_id=range(len(frame)), customer_id="1")


def simulated(seed, rows=3000, days=60, mean=400.0):
    """A desk whose hours to resolution are exponential, seen until the last day: the median is mean * ln 2."""
    rng = np.random.default_rng(seed)
    opened = DAY + pd.to_timedelta((rng.random(rows) * days * 86_400).round(), "s")
    done = opened + pd.to_timedelta((rng.exponential(mean, rows) * 3600).round(), "s")
    stop = DAY + pd.Timedelta(days=days)
    frame = pd.DataFrame({"opened_at": opened, "resolved_at": done.where(done < stop)})
    return frame.assign(customer_id=rng.integers(0, 900, rows), team=rng.choice(["a", "b"], rows))


def one(found, measure):
    return found.set_index("measure").loc[measure]


def test_by_hand_with_an_open_ticket():
    """Hours 1, 3+, 6, 8 where + is open: S = 3/4 from 1, 3/8 from 6, 0 from 8; fewer than half are left from 6 on."""
    frame = tickets([1.0, np.nan, 6.0, 8.0])
    frame.loc[1, "opened_at"] = DAY + pd.Timedelta(hours=5)
    found = desk.resolution_time(frame, target=6)
    assert tuple(found.columns) == RESULT_COLUMNS
    assert found["measure"].tolist() == ["median", "percentile_90", "within_target", "still_open"]
    assert found["estimate"].tolist() == pytest.approx([6, 8, 5 / 8, 1 / 4])
    assert found["unit"].tolist() == ["hours", "hours", "share", "share"]
    assert set(found["term"]) == {"resolution_time"}
    assert set(found["n"]) == {4}
    assert "opened_at to resolved_at, censored at 2026-03-02 08:00" in found["method"][0]


@pytest.mark.parametrize("by", [None, "team", ["team"]])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_counts_give_what_statsmodels_gives_for_rows(by, level):
    frame = simulated(1)
    stop = frame[["opened_at", "resolved_at"]].max().max()
    found = desk.resolution_time(frame, by=by, level=level, target=300)
    for team, rows in frame.groupby("team") if by else [(None, frame)]:
        hours = (rows["resolved_at"].fillna(stop) - rows["opened_at"]).dt.total_seconds() / 3600
        curve = SurvfuncRight(hours, rows["resolved_at"].notna().astype(int))
        own = found[found["team"] == team] if by else found
        for measure, share in (("median", 0.5), ("percentile_90", 0.9)):
            row, limits = one(own, measure), curve.quantile_ci(share, alpha=1 - level)
            assert [row["estimate"], row["lower"], row["upper"]] == pytest.approx([curve.quantile(share), *limits])
        place = np.searchsorted(curve.surv_times, 300, side="right") - 1
        row = one(own, "within_target")
        assert row["estimate"] == pytest.approx(1 - curve.surv_prob[place])
        assert row["std_error"] == pytest.approx(curve.surv_prob_se[place])
        assert one(own, "still_open")["estimate"] == pytest.approx(rows["resolved_at"].isna().mean())


def test_averages_of_closed_tickets_are_biased_and_the_censored_median_is_not():
    """Known truth, 40 simulated desks: the median is 400 ln 2 hours; closed tickets alone say a fifth less or lower."""
    truth, censored, closed, covered = 400 * np.log(2), [], [], 0
    for seed in range(40):
        frame = simulated(seed)
        row = one(desk.resolution_time(frame), "median")
        censored.append(row["estimate"])
        covered += row["lower"] <= truth <= row["upper"]
        closed.append((frame["resolved_at"] - frame["opened_at"]).dt.total_seconds().median() / 3600)
    assert np.mean(censored) == pytest.approx(truth, rel=0.01)
    assert np.mean(closed) < 0.8 * truth
    assert max(closed) < truth
    assert covered >= 35  # of 40; below .1 % by chance at 95 %


def test_recent_weeks_look_faster_only_where_open_tickets_are_forgotten():
    """Known truth: all weeks are alike, yet the closed tickets of the last two say half the median of the first."""
    weeks = cx.period(simulated(3, rows=20_000), "opened_at", "week", name="week")
    found = desk.resolution_time(weeks, by="week").query("measure == 'median'").set_index("week")
    rows = weeks.to_pandas()
    hours = (rows["resolved_at"] - rows["opened_at"]).dt.total_seconds() / 3600
    closed = hours.groupby(rows["week"]).median()
    assert closed.iloc[-2] < 0.5 * closed.iloc[0]
    known = found[found["estimate"].notna()]
    assert len(known) >= 5
    assert ((known["lower"] < 400 * np.log(2)) & (400 * np.log(2) < known["upper"])).mean() >= 0.8
    assert found["note"].iloc[-1] == "not reached within the data"


def test_a_day_of_extract_forgets_what_came_after_it():
    """Identity: as_of gives what the frame would have held on that day."""
    frame, day = simulated(2), DAY + pd.Timedelta(days=30)
    past = frame[frame["opened_at"] < day].assign(resolved_at=lambda d: d["resolved_at"].where(d["resolved_at"] < day))
    anchor = pd.DataFrame({"opened_at": [day], "resolved_at": [day + pd.Timedelta(0)], "customer_id": 0, "team": "a"})
    found = desk.resolution_time(frame, as_of="2026-04-01", by="team")
    expected = desk.resolution_time(pd.concat([past, anchor]), by="team", as_of=day.to_pydatetime())
    assert found[NUMBERS].equals(expected[NUMBERS])
    assert one(desk.resolution_time(frame, as_of="2026-04-01"), "still_open")["estimate"] == pytest.approx(
        past["resolved_at"].isna().mean()
    )


def test_first_responses():
    frame = tickets([0.5, 1.5, np.nan], column="first_response_at")
    found = desk.first_response_time(frame, target=1)
    assert found["measure"].tolist() == ["median", "percentile_90", "within_target", "unanswered"]
    assert found["estimate"].tolist()[2:] == pytest.approx([1 / 3, 1 / 3])
    assert one(found, "within_target")["method"].startswith("Kaplan-Meier, Wilson")


def test_weights_that_are_whole_numbers_repeat_tickets():
    """Identity: a ticket of weight 3 is three tickets, as far as the estimates go."""
    frame = simulated(4, rows=300).assign(w=lambda d: d.index % 3)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    found, expected = (desk.resolution_time(*x, target=200) for x in ((frame, None), (repeated,)))
    weighted = desk.resolution_time(frame, weights="w", target=200)
    assert weighted["estimate"].tolist() == pytest.approx(expected["estimate"].tolist())
    assert weighted["estimate"].tolist() != pytest.approx(found["estimate"].tolist())
    assert (weighted["n"] == 300).all()
    assert (weighted["lower"] < weighted["estimate"]).all()


def test_customers_columns_group_tickets_of_tables():
    people = pd.DataFrame(
        {"customer_id": ["1", "2"], "signup_date": "2025-01-01", "end_date": None, "region": ["n", "s"]}
    )
    frame = tickets([2.0, 4.0, 9.0]).assign(customer_id=["1", "1", "2"], first_response_at=None)
    frame["ticket_id"] = frame["ticket_id"].astype(str)
    found = desk.resolution_time(cx.load({"customers": people, "tickets": frame}), by="region")
    assert found.query("measure == 'median'").set_index("region")["estimate"].to_dict() == {"n": 4, "s": 9}


def test_beyond_a_hundred_thousand_tickets_days_are_counted_in_minutes(monkeypatch):
    """Grid against rows: the same up to a day, at most a minute higher beyond, and the method says so."""
    frame = simulated(6)
    exact = desk.resolution_time(frame, target=20)
    monkeypatch.setattr(desk, "EXACT", 100)
    coarse = desk.resolution_time(frame, target=20)
    late = coarse["estimate"] - exact["estimate"]
    assert (late[:2] >= 0).all() and (late[:2] <= 1 / 60 + 1e-9).all()
    assert late[2:].tolist() == pytest.approx([0, 0])
    assert "beyond a day to the minute" in coarse["method"][0]


@pytest.mark.parametrize("engine", ["arrow", "polars", "duckdb"])
def test_every_kind_of_frame_gives_the_same(engine):
    import duckdb
    import polars as pl

    frame = simulated(5, rows=200)
    turned = pl.from_pandas(frame)
    given = {"arrow": turned.to_arrow, "polars": lambda: turned, "duckdb": lambda: duckdb.from_arrow(turned.to_arrow())}
    found = desk.resolution_time(given[engine](), by="team", target=100)
    assert found[NUMBERS].equals(desk.resolution_time(frame, by="team", target=100)[NUMBERS])


def test_stamps_with_zones_meet_as_instants():
    """10:00 in Berlin in summer is 08:00 UTC, whatever the other column's zone is."""
    frame = pd.DataFrame({
        "opened_at": pd.to_datetime(["2026-07-01 10:00"]).tz_localize("Europe/Berlin"),
        "resolved_at": pd.to_datetime(["2026-07-01 09:00"]).tz_localize("UTC"),
    })  # fmt: skip
    assert one(desk.resolution_time(frame), "median")["estimate"] == 1


def bad(**columns):
    return tickets([1.0, 2.0, 3.0]).assign(**columns)


@pytest.mark.parametrize(
    ("frame", "options", "faults"),
    [
        (tickets([1.0, -2.0, np.nan]), {},
         [f"tickets: 'resolved_at' must not lie before 'opened_at', but in 1 of 2 tickets that have both it does; "
          f"{REFUSED}"]),
        (bad(first_response_at=DAY + pd.Timedelta(hours=2.5)), {},
         ["tickets: 'resolved_at' must not lie before 'opened_at' or 'first_response_at', but in 2 of 3 tickets that "
          f"have both it does; {REFUSED}"]),
        (bad(opened_at=[DAY, None, None]), {},
         [f"tickets: 'opened_at' must be known for every ticket, but 2 of 3 have none; {REFUSED}"]),
        (bad(resolved_at="yesterday"), {},
         ["column 'resolved_at' must hold stamps, it holds texts, such as 'yesterday'; read it with "
          "pandas.to_datetime, or load the file with cx.load or a study"]),
        (bad(), {"by": "tema", "opened": "opend_at"},
         [f"tickets: no column 'opend_at'; did you mean 'opened_at'? There are: {THERE}",
          f"tickets: no column 'tema'; There are: {THERE}"]),
        (bad(), {"target": 0, "backwards": "drop"},
         ["no backwards 'drop'; There are: 'refuse', 'exclude'", "target must be hours above 0, not '0'"]),
        (bad(), {"level": 95}, ["level must lie between 0 and 1, such as 0.95, not 95"]),
        (bad(), {"as_of": "someday"}, ["as_of must be a day or stamp such as 2026-03-31, not 'someday'"]),
        (bad(w=[1, -1, 1]), {"weights": "w"}, ["weights 'w' must be finite and 0 or more; the lowest is -1"]),
        (bad(w=[1, None, 1]), {"weights": "w"},
         ["weights 'w' must be known in every row; it is empty in 1; fill it in"]),
        (bad(), {"weights": "v"},
         [f"weights: no column 'v'; There are: {THERE}"]),
        (bad().iloc[:0], {}, ["tickets: there must be at least one with a stamp; all are empty"]),
        (bad(), {"as_of": "2020-01-01"},
         ["there must be at least one row; none is left; check the filter, as_of and the joins"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_counted_and_refused(frame, options, faults):
    with pytest.raises(CxError) as refused:
        desk.resolution_time(frame, **options)
    assert list(refused.value.faults) == faults


def test_stamps_that_run_backwards_are_left_out_only_when_asked_and_visibly():
    frame = pd.concat([tickets([1.0, 3.0, -2.0]), tickets([5.0]).assign(opened_at=pd.NaT)])
    found = desk.resolution_time(frame, backwards="exclude")
    assert one(found, "median")[["estimate", "n"]].tolist() == [3, 2]
    assert one(found, "excluded")[["estimate", "n", "unit"]].tolist() == [2, 4, "tickets"]
    assert set(found["note"]) == {"2 of 4 tickets left out: stamps missing or running backwards"}


def test_tables_without_tickets_say_so():
    people = pd.DataFrame({"customer_id": ["1"], "signup_date": ["2025-01-01"], "end_date": [None]})
    with pytest.raises(CxError, match="no table 'tickets': the service measures need it; add it to the study"):
        desk.resolution_time(cx.load({"customers": people}))


@pytest.mark.real_data("kaggle_support_tickets.csv")
def test_kaggle_tickets_resolved_before_their_first_response_are_not_averaged(real_data, reference):
    """R: 2,808 closed tickets, of which 1,292 resolved before their first response; the plain mean is .94 hours."""
    stamps = ["First Response Time", "Time to Resolution"]
    frame = pd.read_csv(real_data / "kaggle_support_tickets.csv", parse_dates=stamps)
    expected = pd.read_csv(reference / "kaggle_tickets_quality.csv").iloc[0]
    options = {"opened": stamps[0], "resolved": stamps[1]}
    with pytest.raises(CxError) as refused:
        desk.resolution_time(frame, **options)
    told = f"in {expected['negative']:,.0f} of {expected['both']:,.0f} tickets that have both it does"
    assert told in str(refused.value)
    found = desk.resolution_time(frame, backwards="exclude", **options)
    assert one(found, "excluded")[["estimate", "n"]].tolist() == [expected["negative"], expected["rows"]]
    closed = cx.csat(frame, score="Customer Satisfaction Rating")
    assert closed.query("measure == 'mean'")["estimate"].iloc[0] == pytest.approx(expected["csat_mean"])


@pytest.mark.real_data("helpdesk_events.csv")
def test_helpdesk_cases_against_r(real_data, reference):
    """R's quantiles lie between two cases, Kaplan-Meier's are cases: the two differ by less than the gap there."""
    events = pd.read_csv(real_data / "helpdesk_events.csv", parse_dates=["CompleteTimestamp"])
    expected = pd.read_csv(reference / "helpdesk_events_metrics.csv").set_index("metric")["value"]
    cases = events.groupby("CaseID")["CompleteTimestamp"].agg(opened_at="min", resolved_at="max")
    assert (len(events), len(cases)) == (expected["events"], expected["cases"])
    found, hours = (
        desk.resolution_time(cases),
        np.sort((cases["resolved_at"] - cases["opened_at"]).dt.total_seconds() / 3600),
    )
    assert hours.mean() == pytest.approx(expected["dur_mean_h"])
    for measure, share, name in (("median", 0.5, "dur_p50_h"), ("percentile_90", 0.9, "dur_p90_h")):
        k = (len(hours) - 1) * share
        low, high = hours[int(np.floor(k))], hours[int(np.floor(k)) + 1]
        assert low <= expected[name] <= high
        assert low - 1e-9 <= one(found, measure)["estimate"] <= high + 1e-9
    assert one(found, "still_open")["estimate"] == 0


@pytest.mark.real_data("pwc_call_center.csv")
def test_call_centre_speed_against_r(real_data, reference):
    """The speed of answer as a response time: R's 68 and 114 seconds, .443 within 60 of those answered."""
    frame = pd.read_csv(real_data / "pwc_call_center.csv")
    expected = pd.read_csv(reference / "pwc_metrics.csv").set_index("metric")["value"]
    opened = pd.to_datetime(frame["Date"] + " " + frame["Time"])
    speed = frame["Speed of answer in seconds"]
    calls = pd.DataFrame({"opened_at": opened, "first_response_at": opened + pd.to_timedelta(speed, "s")})
    found = desk.first_response_time(calls[speed.notna()], target=1 / 60)
    assert one(found, "median")["estimate"] * 3600 == pytest.approx(expected["speed_p50"])
    assert one(found, "percentile_90")["estimate"] * 3600 == pytest.approx(expected["speed_p90"])
    assert one(found, "within_target")["estimate"] == pytest.approx(expected["answered_within_60s"])
    assert len(calls[speed.notna()]) == expected["answered"]
    # A call that nobody took has no answer: R's share of abandoned calls.
    every = one(desk.first_response_time(calls), "unanswered")
    assert (every["estimate"], every["n"]) == (pytest.approx(expected["abandon_rate"]), expected["calls"])


def test_a_target_is_met_missed_or_not_known_yet():
    """By hand, target 48 hours, seen on 10 January: a young ticket is not known, though it may be resolved already."""
    opened = pd.to_datetime(["2026-01-01"] * 4 + ["2026-01-09"] * 2 + [None])
    ended = pd.to_datetime(
        ["2026-01-03", "2026-01-03 00:01", None, "2025-12-31", "2026-01-09 12:00", None, None], format="mixed"
    )
    frame = pd.DataFrame({"opened_at": opened, "resolved_at": ended})
    found = desk.met_target(frame, 48, as_of="2026-01-10").to_pandas("met_target")["met_target"]
    assert found.fillna(-1).tolist()[:5] == [1, 0, 0, -1, -1]
    assert (found.fillna(-1).tolist()[5:]) == [-1, -1]
    with pytest.raises(CxError, match="hours must be a number above 0, not '0'"):
        desk.met_target(frame, 0)


def test_targets_met_are_the_share_within_the_target_where_no_ticket_is_young():
    """Kaplan-Meier without censoring before the target is the plain share."""
    rng = np.random.default_rng(3)
    opened = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 1000, 400), "h")
    frame = pd.DataFrame({"opened_at": opened, "resolved_at": opened + pd.to_timedelta(rng.exponential(40, 400), "h")})
    met = desk.met_target(frame, 24, as_of="2027-01-01").to_pandas("met_target")["met_target"]
    within = one(desk.resolution_time(frame, target=24, as_of="2027-01-01"), "within_target")["estimate"]
    assert met.mean() == pytest.approx(within)
