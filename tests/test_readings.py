"""Sentences of the scorecard. Authority: the numbers of handmade results, and what their intervals allow one to say."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib import text, wording
from cxlib.schema import results
from tests.shown import row


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


def chart(values, n=40, measure="mean"):
    months = [f"2025-{i + 1:02}-01" for i in range(len(values))]
    rows = [(month, value) for month, value in zip(months, values, strict=True) for _ in range(n)]
    return cx.control_chart(pd.DataFrame(rows, columns=["period", "x"]), "x", measure=measure)


@pytest.mark.parametrize("tell", [
    lambda: text.control_chart(None, "NPS"), lambda: text.nps_change(None), lambda: text.closed_and_all(None),
    lambda: text.attrition_definitions(None), lambda: text.attrition_table(None), lambda: text.response(None),
    lambda: text.raked(None, None), lambda: text.tipping_points(None),
])  # fmt: skip
def test_what_a_study_does_not_feed_is_not_told(tell):
    assert tell() is None


def test_two_months_are_compared_by_the_noise_and_not_by_eye():
    """By hand: ranges of 1 and 1 (mean 1) let two neighbours differ by 3.27."""
    assert text.control_chart(chart([4.0, 5.0, 4.0]), "mean satisfaction") == (
        "Mean satisfaction: no signal in 3 periods; it moved from 2025-02 to 2025-03 by −1.0 points, which is no more "
        "than noise: two neighbours differ by up to 3.3 points by chance."
    )


def test_a_signal_is_told_with_its_rule_and_a_jump_as_more_than_noise():
    told = text.control_chart(chart([4.0, 4.1, 4.0, 4.1, 4.0, 4.1, 4.0, 4.9]), "NPS")
    assert told.startswith("NPS: 1 signal in 8 periods in 2025-08 (beyond the limits); it moved from 2025-07")
    assert "which is more than noise" in told


def test_small_moves_of_large_periods_have_the_decimals_they_need():
    told = text.control_chart(chart([3.80, 3.801, 3.803, 3.802, 3.804, 3.803]), "Mean satisfaction")
    assert "by −0.001 points, which is no more than noise: two neighbours differ by up to 0.005 points" in told


def test_of_many_signals_the_latest_are_named():
    told = text.control_chart(chart([1.0] * 9 + [9.0] * 9), "NPS")
    assert "signals in 18 periods, the latest in " in told
    assert told.count("(") == 3


def test_periods_of_few_are_not_compared():
    assert text.control_chart(chart([4, 5, 4], n=3), "NPS").startswith("Not shown: too few")


CHANGE = {"before": (20, 15, 25), "after": (25, 20, 30), "change": (5, -3, 13), "mix": (-1, -2, 0), "rate": (6, -2, 14)}


def change(**other):
    return results(row("nps", name, *limits, unit="points") for name, limits in {**CHANGE, **other}.items())


def test_a_change_whose_interval_holds_nought_is_none_that_can_be_told():
    size = cx.nps_sample_size(answers=700, mix=(0.2, 0.3, 0.5))
    assert text.nps_change(change(), size) == (
        "From one period to the next the NPS moved by 5 (95% interval −3 to 13) points, no change that can be told "
        "from none; of it −1 (−2 to 0) because other segments answer and 6 (−2 to 14) because segments score otherwise."
        " With so many answers a true change of 11.7 points is found 80% of the time; smaller ones pass unseen."
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"answers": 2, "design_effect": 50}, "otherwise. So few answers cannot tell any change from none."),
        ({"answers": 60, "level": 0.1}, "otherwise."),  # a test at 90 % finds something by chance more often than asked
        ({"answers": 60, "mix": (0, 0, 1)}, "otherwise."),
    ],
)
def test_a_change_that_no_answers_could_show_is_no_number(options, told):
    assert text.nps_change(change(), cx.nps_sample_size(**options)).endswith(told)


def test_a_change_beyond_its_interval_is_more_than_noise():
    assert "points, more than noise; of it" in text.nps_change(change(change=(9, 2, 16)))
    table = change().assign(n=9)
    assert text.nps_change(table).startswith("Not shown: too few")


def durations(still, closed=10.0, every=14.0, n=500, **other):
    rows = {}
    for name, x in (("naive", closed), ("adjusted", every)):
        rows[name] = results([
            row("resolution_time", "median", x, x - 1, x + 1, unit="hours", n=n),
            row("resolution_time", "percentile_90", 6 * x, 5 * x, 7 * x, unit="hours", n=n),
            row("resolution_time", "still_open", still if name == "adjusted" else 0, 0, 0.1, n=n),
        ])  # fmt: skip
    return text.beside(**rows)


def test_open_tickets_are_counted_as_open():
    assert text.closed_and_all(durations(0.05)) == (
        "Closed tickets alone would say that half are resolved within 10.0 hours (95% interval 9.0 to 11.0); with the "
        "5.0% still open counted as open it is 14.0 hours (13.0 to 15.0); for nine in ten 60.0 hours (50.0 to 70.0) "
        "against 84.0 hours (70.0 to 98.0)."
    )


def test_short_durations_are_told_in_minutes():
    assert "within 30.0 minutes (95% interval" in text.closed_and_all(durations(0.05, 0.5, 0.6))


def test_data_of_closed_tickets_alone_are_named_as_such():
    assert "if tickets enter these data only once they are closed" in text.closed_and_all(durations(0.0))
    assert text.closed_and_all(durations(0.05, n=5)).startswith("Not shown: too few")


LOST = {"cohort": 0.102, "period": 0.1, "hazard": 0.033, "kaplan_meier": 0.095}


def lost(n=2700):
    rows = [row("all", name, x, x - 0.01, x + 0.01, n=n) for name, x in LOST.items()]
    for kind, x in {"voluntary": 0.09, "involuntary": 0.012}.items():
        names = ("cohort", "period", "hazard", "cumulative_incidence")
        rows += [row(kind, name, x, x - 0.001, x + 0.001, n=n) for name in names]
    return results(rows)


def test_definitions_of_attrition_are_told_apart_to_a_tenth():
    assert text.attrition_definitions(lost()) == (
        "10.2% (95% interval 9.2% to 11.2%) of the 2,700 customers there at the start were lost; 10.0% (9.0% to 11.0%) "
        "of the mean daily customers; 9.5% (8.5% to 10.5%) by Kaplan-Meier with newcomers; of those at the start 9.0% "
        "(8.9% to 9.1%) voluntary and 1.2% (1.1% to 1.3%) involuntary."
    )
    assert text.attrition_definitions(lost(n=5)).startswith("Not shown: too few")


def test_the_table_of_definitions_has_a_row_each_and_a_column_for_each_kind_of_end():
    table = text.attrition_table(lost())._tbl_data
    assert list(table.columns) == ["definition", "all", "voluntary", "involuntary"]
    assert len(table) == 4
    assert table["all"].iloc[3] == table["all"].iloc[3].replace("nan", "")
    assert table["voluntary"].iloc[3] == "9.0% (8.9% to 9.1%)"


def test_a_share_without_dates_is_not_of_a_start():
    told = text.attrition_definitions(results([row("all", "cohort", 0.3, 0.29, 0.31, n=5000)]))
    assert told == "30.0% (95% interval 29.0% to 31.0%) of the 5,000 customers were lost."


def test_silence_is_told_with_what_it_could_do():
    asked = pd.DataFrame(
        {"group": ["a"] * 60 + ["b"] * 60, "recommend": [9.0] * 40 + [np.nan] * 20 + [9.0, 3.0] * 20 + [np.nan] * 20}
    )
    told = text.tipping_points(cx.tipping_points(asked, "group"))
    assert told.startswith("The largest difference is between a and b: 100 (95% interval")
    assert "no scores of the silent of a alone could undo it" in told
    even = asked.assign(recommend=[9.0, 3.0, np.nan] * 40)
    assert "which cannot be told from none" in text.tipping_points(cx.tipping_points(even, "group"))
    few = asked.groupby("group").head(5)
    assert text.tipping_points(cx.tipping_points(few, "group")).startswith("Not shown: too few")


def test_the_response_is_told_in_customers():
    day = pd.Timestamp("2026-01-01")
    asked = pd.DataFrame({"sent_at": [day] * 20, "answered_at": [day] * 10 + [pd.NaT] * 10,
                          "recommend": [9.0] * 8 + [np.nan] * 12})  # fmt: skip
    assert text.response(cx.survey_funnel(asked)) == (
        "Of 20 customers asked, 50% (95% interval 30% to 70%) answered, 8 of them with a score."
    )
    assert text.response(cx.survey_funnel(asked.head(5))).startswith("Not shown: too few")


def test_weights_are_told_with_what_they_cost():
    answers = pd.DataFrame({"region": ["n"] * 60 + ["s"] * 20, "recommend": [9.0] * 60 + [3.0] * 20})
    frame, report = cx.rake(answers, {"region": {"n": 0.5, "s": 0.5}}, name="w")
    both = text.beside(naive=cx.nps(answers), adjusted=cx.nps(frame, weights="w"))
    told = text.raked(both, report)
    assert told.startswith("As answered the NPS is 50 (95% interval")
    assert "it is 0 (" in told
    assert told.endswith("The weights make 80 answers worth 60.")
