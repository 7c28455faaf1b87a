"""Figures of the scorecard and of data health, by their artists. Authority: the numbers of handmade results."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib import forest, plots, wording
from cxlib.schema import results
from tests.shown import row, words


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)
    plt.close("all")


def dots(ax):
    found = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1]
    found.sort(key=lambda line: -line.get_ydata()[0])
    return [(line.get_xdata()[0], line.get_markerfacecolor() != "white") for line in found]


def chart(values, n=40, **options):
    """A control chart of the means of months of `n` answers each."""
    months = [f"2025-{i + 1:02}-01" for i in range(len(values))]
    sizes = [n] * len(values) if isinstance(n, int) else n
    rows = [(month, value) for month, value, size in zip(months, values, sizes, strict=True) for _ in range(size)]
    return cx.control_chart(pd.DataFrame(rows, columns=["period", "x"]), "x", **options)


@pytest.mark.parametrize("draw", [
    lambda: plots.control_chart(None, name="NPS"), lambda: plots.closed_and_all(None), lambda: plots.nps_change(None),
    lambda: plots.attrition_definitions(None), lambda: plots.raked(None), lambda: plots.missing_ratings(None),
    lambda: plots.missing_values(None), lambda: plots.rows_by_period(None), lambda: plots.leaks(None),
])  # fmt: skip
def test_what_a_study_does_not_feed_gives_no_figure(draw):
    assert draw() is None


VALUES = [4.0, 4.1, 3.9, 4.0, 4.1, 3.9, 4.0, 4.9]


def test_a_chart_draws_the_values_within_their_limits_and_marks_the_signal():
    result = chart(VALUES)
    ax = plots.control_chart(result, name="mean satisfaction")
    line = next(line for line in ax.lines if line.get_marker() == "o")
    assert line.get_ydata() == pytest.approx(VALUES)
    marks = [line for line in ax.lines if line.get_marker() == "D"]
    assert [(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in marks] == [(7, pytest.approx(4.9))]
    limits = result.set_index("measure")["estimate"]
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((limits["lower_limit"].min(), limits["upper_limit"].max()))
    assert ax.get_title(loc="left") == "Mean satisfaction, month by month"
    assert "4.9" in words(ax)
    alt = forest.alt(ax)
    assert "1 signal marked; limits provisional" in alt
    assert "from 4.0 in 2025-01 to 4.9 in 2025-08" in alt
    assert "signal in 2025-08: 4.9, beyond the limits" in alt


def test_a_chart_without_signal_says_so_and_draws_no_mark():
    ax = plots.control_chart(chart([4, 5, 4, 5, 4, 5]), name="NPS")
    assert [line for line in ax.lines if line.get_marker() == "D"] == []
    assert "no signal" in forest.alt(ax)


def test_a_period_of_few_is_not_drawn():
    ax = plots.control_chart(chart([4, 5, 4, 5, 9], n=[40, 40, 40, 40, 3]), name="NPS")
    line = next(line for line in ax.lines if line.get_marker() == "o")
    # The next smallest goes with it, for the whole would give the single one away.
    assert np.isnan(line.get_ydata()).sum() == 2
    assert "9" not in forest.alt(ax).replace("95", "")


def test_shares_are_told_in_per_cent_and_service_is_blue():
    rows = [(f"2025-{i + 1:02}-01", j < 20 + i % 2) for i in range(6) for j in range(40)]
    found = cx.control_chart(pd.DataFrame(rows, columns=["period", "x"]), "x", measure="share")
    ax = plots.control_chart(found, name="escalated", service=True)
    assert next(line for line in ax.lines if line.get_marker() == "o").get_color() == forest.SERVICE
    assert ax.yaxis.get_major_formatter()(0.5, 0).startswith("50")
    assert words(ax)[-1] == "52%" or "52%" in words(ax)


def test_no_period_is_large_enough():
    assert plots.control_chart(chart([4, 5], n=3), name="NPS") is None  # its sentence says so


def test_closed_tickets_are_hollow_beside_all():
    both = cx.text.beside(
        naive=results([row("resolution_time", "median", 10, 9, 11, unit="hours"),
                       row("resolution_time", "percentile_90", 40, 30, 50, unit="hours")]),
        adjusted=results([row("resolution_time", "median", 14, 13, 15, unit="hours"),
                          row("resolution_time", "percentile_90", 90, 70, 99, unit="hours")]),
    )  # fmt: skip
    ax = plots.closed_and_all(both)
    assert dots(ax) == [(10, False), (14, True), (40, False), (90, True)]
    assert "nine in ten within: closed tickets alone" in forest.alt(ax)


def test_definitions_stand_below_each_other_and_the_rate_by_time_is_left_out():
    table = results([row("all", name, value, value - 0.01, value + 0.01) for name, value in
                     {"cohort": 0.102, "period": 0.1, "hazard": 0.03, "kaplan_meier": 0.095}.items()])  # fmt: skip
    assert [x for x, _ in dots(plots.attrition_definitions(table))] == [0.102, 0.1, 0.095]


def test_a_change_shows_its_parts_hollow_and_a_line_at_nought():
    table = results([row("nps", name, x, x - 5, x + 5, unit="points") for name, x in
                     {"before": 20, "after": 25, "change": 5, "mix": -1, "rate": 6}.items()])  # fmt: skip
    ax = plots.nps_change(table)
    assert dots(ax) == [(20, True), (25, True), (5, True), (-1, False), (6, False)]
    assert any(list(line.get_xdata()) == [0, 0] for line in ax.lines)


def test_weighted_answers_stand_below_those_as_given():
    both = cx.text.beside(naive=results([row("nps", "nps", 20, 15, 25, unit="points")]),
                          adjusted=results([row("nps", "nps", 17, 11, 23, unit="points")]))  # fmt: skip
    assert dots(plots.raked(both)) == [(20, False), (17, True)]


def test_the_emptiest_columns_come_first_and_full_ones_are_left_out():
    table = cx.missing_values(pd.DataFrame({"a": [1.0, None] * 20, "b": 1, "c": [None, None, None, 4.0] * 10}))
    ax = plots.missing_values(table)
    assert [x for x, _ in dots(ax)] == [0.75, 0.5]
    assert "C" in words(ax)


def test_holes_are_told_and_each_table_has_a_strip_of_its_own():
    counts = {"tickets": [30, 0, 40], "surveys": [20, 20, 10]}
    months = ["2026-01-01", "2026-02-01", "2026-03-01"]
    told = [(name, month, n) for name, rows in counts.items() for month, n in zip(months, rows, strict=True)]
    rows = [{"table": name, "period": month, **row("rows", "rows", n, n=n, unit="rows")} for name, month, n in told]
    table = results(rows, ["table", "period"])
    ax = plots.rows_by_period(table)
    lines = [line.get_ydata() for line in ax.lines if line.get_marker() == "o"]
    assert lines[0] == pytest.approx([0.75, 0, 1])
    assert lines[1] == pytest.approx([-0.4, -0.4, -0.9])
    assert "tickets up to 40 rows, hole in 2026-02; surveys up to 20 rows, no hole" in forest.alt(ax)


def test_suspects_are_told_by_a_line_and_a_colour():
    table = results([row("complained", "entropy_told", 0.9, level=float("nan"),
                         note="almost decides the outcome: was it known before?"),
                     row("age", "entropy_told", 0.1, level=float("nan"))])  # fmt: skip
    ax = plots.leaks(table)
    found = [(line.get_xdata()[0], line.get_color()) for line in ax.lines if line.get_marker() == "o"]
    assert found == [(0.9, forest.PUBLISHED), (0.1, forest.OTHER)]
    assert any(list(line.get_xdata()) == [0.5, 0.5] for line in ax.lines)
    assert "almost decides the outcome" in forest.alt(ax)
    assert "intervals" not in forest.alt(ax)


def test_touchpoints_are_told_with_their_intervals():
    shares = {"technician": (0.97, 0.96, 0.98), "app": (0.4, 0.39, 0.41)}
    rows = [{"touchpoint": name, **row("ratings", "not_rated", *share)} for name, share in shares.items()]
    table = results(rows, ["touchpoint"])
    ax = plots.missing_ratings(table)
    assert [x for x, _ in dots(ax)] == [0.97, 0.4]
    assert "technician 97% (95% interval 96% to 98%)" in forest.alt(ax)
