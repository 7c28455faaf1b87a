"""Figures of what follows from an attrition answer, by their artists. Authority: the numbers of handmade results."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cxlib import plots, wording
from cxlib.schema import results
from tests import shown
from tests.shown import dots, row, words


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)
    plt.close("all")


@pytest.mark.parametrize("draw", [
    lambda: plots.what_if(None, reduction=0.5), lambda: plots.segments(None, pooled=None),
    lambda: plots.hazard_ratios(None, columns=[]), lambda: plots.reason_shares(None), lambda: plots.survival(None),
    lambda: plots.fraction_by_horizon(None),
])  # fmt: skip
def test_what_a_study_does_not_feed_gives_no_figure(draw):
    assert draw() is None


def test_fractions_show_the_range_over_orders_hollow():
    table = results([
        row("service", "average_fraction", 0.28, 0.2, 0.36), row("service", "lowest_order", 0.27, 0.19, 0.35),
        row("service", "highest_order", 0.29, 0.21, 0.37), row("joint", "fraction", 0.45, 0.36, 0.54),
    ])  # fmt: skip
    found = dots(plots.attributable_fractions(table, orders=True))
    assert [(x, filled) for x, _, filled in found] == [(0.28, True), (0.27, False), (0.29, False), (0.45, True)]


def test_what_if_names_the_reduction_and_puts_all_last():
    ax = plots.what_if(shown.avoided(), reduction=0.5)
    assert [x for x, *_ in dots(ax)] == [0.14, 0.09, 0.23]
    assert ax.get_title(loc="left") == "If 50% of the failures were gone"
    assert "All of them together" in words(ax)


def test_segments_stand_below_everyone_and_say_which_differ():
    ax = plots.segments(shown.by_segment(), pooled=shown.fractions())
    found = dots(ax)
    assert [x for x, *_ in found] == pytest.approx([0.277, 0.2, 0.5, 0.168, 0.16, 0.17])
    assert [filled for *_, filled in found] == [False, True, True] * 2
    assert "North (differs)" in words(ax)


def test_a_survival_curve_has_its_steps_its_number_at_risk_and_the_failure_in_blue():
    ax = plots.survival(shown.kept(), failures=["failed"])
    curves = {line.get_color(): line.get_ydata() for line in ax.lines if len(line.get_xdata()) == 4}
    np.testing.assert_allclose(curves[plots.SERVICE], [1, 0.9, 0.8, 0.6])
    assert {"200", "180", "160", "Failed", "Failed 60%", "Good 90%"} <= set(words(ax))
    assert "failed 60% (55% to 65%) after 90 days" in plots.alt(ax)


def test_a_small_number_at_risk_is_hidden():
    wording.hide_below(165)
    assert "160" not in words(plots.survival(shown.kept(), failures=["failed"]))


def test_names_at_the_ends_of_curves_do_not_touch():
    ax = plots.survival(shown.kept(good=0.61), failures=["failed"])
    ax.figure.canvas.draw()
    first, second = (t.get_window_extent() for t in ax.texts if t.get_text() in ("Failed 60%", "Good 61%"))
    assert not first.overlaps(second)


def test_fractions_by_horizon_go_from_the_shortest_to_the_longest():
    ax = plots.fraction_by_horizon(shown.by_horizon())
    lines = {line.get_color(): line for line in ax.lines if line.get_marker() == "o"}
    assert list(lines[plots.SERVICE].get_ydata()) == [0.34, 0.28]
    assert list(ax.get_xticks()) == [30, 60]
    assert {"Service 28%", "Price 17%"} <= set(words(ax))


def test_hazard_ratios_of_the_causes_alone_beside_no_difference():
    ax = plots.hazard_ratios(shown.ratios(), columns=["service_band"])
    assert [x for x, *_ in dots(ax)] == [3.8]
    assert "3.8 (2.6 to 5.6)" in words(ax)
    assert "no difference" in words(ax)


def test_both_press_figures_move_with_the_rule():
    ax = plots.reason_shares(shown.coded())
    assert [x for x, *_ in dots(ax)] == [0.13, 0.33, 0.46, 0.34]
    assert {"Reasons that name service", "Price, of reasons that name price or service"} <= set(words(ax))


def test_reasons_without_a_rule_are_shown_one_by_one():
    each = results([row("moved", "share", 0.4, 0.3, 0.5, rule="each reason")], by=["rule"])
    assert "Moved" in words(plots.reason_shares(each))
