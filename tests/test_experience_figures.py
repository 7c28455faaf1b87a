"""Figures of what moves a score, by their artists. Authority: the numbers of handmade results."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.layout_engine import ConstrainedLayoutEngine

from cxlib import plots, wording
from tests import shown
from tests.test_curves import dots, words


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)
    plt.close("all")


@pytest.mark.parametrize("draw", [
    lambda: plots.both_scales(None, promoter=None), lambda: plots.not_met_comparison(None),
    lambda: plots.service_gap(None), lambda: plots.rated_low(False), lambda: plots.satisfaction_overlap(None),
    lambda: plots.attrition_prediction(None), lambda: plots.nps_what_if(None, step=1),
    lambda: plots.ordinal_check(None), lambda: plots.operational_measures(None), lambda: plots.penalty_reward(None),
])  # fmt: skip
def test_what_a_study_does_not_feed_gives_no_figure(draw):
    assert draw() is None


def test_both_scales_stand_together_the_promoter_hollow():
    score, promoter = shown.both_scales()
    found = dots(plots.both_scales(score, promoter=promoter))
    assert [(x, filled) for x, _, filled in found] == [(0.52, True), (0.47, False), (0.48, True), (0.53, False)]
    assert [colour for _, colour, _ in found] == [plots.SERVICE, plots.SERVICE, plots.OTHER, plots.OTHER]
    assert [x for x, *_ in dots(plots.both_scales(score))] == [0.52, 0.48]


def test_touchpoints_not_met_naive_figures_hollow():
    ax = plots.not_met_comparison(shown.unmet())
    assert [(x, filled) for x, _, filled in dots(ax)] == [(0.26, True), (0.39, False), (0.5, False)]
    assert {"Service", "Everyone, n = 2,772", "Those who met it, n = 1,200", "No gaps at all, n = 90"} <= set(words(ax))
    assert [x for x, *_ in dots(plots.not_met_comparison(shown.unmet(dropped=None)))] == [0.26, 0.39]


def test_gap_and_reverse_are_shares_of_those_with_such_service():
    ax = plots.service_gap(shown.gap())
    assert [x for x, *_ in dots(ax)] == [0.05, 0.08]
    assert {"A poor experience, n = 622", "Promoters all the same, n = 381"} <= set(words(ax))
    assert "excellent service: a poor experience, n = 622 5% (95% interval 3% to 6%)" in plots.alt(ax)


def test_what_was_rated_low_largest_difference_first_and_small_groups_never():
    ax = plots.rated_low(shown.gap())
    assert [x for x, *_ in dots(ax)] == [0.52, 0.15, 0.12, 0.11]
    assert plots.rated_low(shown.gap(n=9)) is None


def test_overlap_is_filled_where_the_questions_agree():
    assert [(x, filled) for x, _, filled in dots(plots.satisfaction_overlap(shown.overlap()))] == [
        (0.37, True), (0.3, False), (0.07, False), (0.26, True),
    ]  # fmt: skip


def test_prediction_alone_and_beyond_the_others():
    ax = plots.attrition_prediction(shown.prediction())
    assert [(x, filled) for x, _, filled in dots(ax)] == [
        (4.0, True), (3.0, False), (1.0, True), (0.2, False), (4.2, True),
    ]  # fmt: skip
    assert {"Recommend", "Satisfaction", "All scores together"} <= set(words(ax))


def test_what_if_largest_first_and_all_last():
    ax = plots.nps_what_if(shown.lifted(), step=2, service=["staff"])
    assert [(x, colour) for x, colour, _ in dots(ax)] == [
        (1.3, plots.SERVICE), (0.1, plots.OTHER), (1.4, plots.INK),
    ]  # fmt: skip
    assert ax.get_title(loc="left") == "If low ratings were 2 points better"


def test_ticks_that_would_read_alike_have_a_decimal():
    ax = plots.nps_what_if(shown.lifted(), step=1)
    ax.figure.canvas.draw()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert len(set(labels)) == len(labels)


def test_odds_are_told_and_whether_met_is_left_out():
    ax = plots.ordinal_check(shown.ordered(note="acts differently"), service=["staff"])
    assert [(round(x, 2), colour) for x, colour, _ in dots(ax)] == [(2.0, plots.SERVICE), (1.0, plots.OTHER)]
    assert {"Staff (differs)", "2.0 (1.5 to 3.0)", "no effect"} <= set(words(ax))


def test_measures_from_operation_are_headings():
    ax = plots.operational_measures(shown.measured())
    assert [x for x, *_ in dots(ax)] == [-0.36, 0.07, -0.09]
    assert {"Service failed", "Fault count", "−0.36 (−0.46 to −0.24)"} <= set(words(ax))


def test_penalty_and_reward_share_a_line_and_the_figures_tell_the_asymmetry():
    ax = plots.penalty_reward(shown.penalties(), service=["staff"])
    lines = [line for line in ax.lines if line.get_marker() == "o"]
    by_y = {}
    for line in lines:
        by_y.setdefault(round(float(line.get_ydata()[0]), 6), []).append(line)
    ends = [sorted((one.get_xdata()[0], one.get_markerfacecolor() == "white") for one in own)
            for _, own in sorted(by_y.items(), reverse=True)]  # fmt: skip
    assert ends == [[(-1.5, True), (1.0, False)], [(-0.5, True), (0.5, False)]]
    assert {"Staff", "0.50 (0.20 to 0.80)"} <= set(words(ax))
    assert ax.get_xlim()[0] < -1.7
    assert "staff 0.50 (0.20 to 0.80)" in plots.alt(ax)


def test_groups_that_differ_are_marked_beside_their_nps():
    ax = plots.nps(shown.nps({"north": 571, "south": 3149, "east": 400}), differences=shown.apart())
    assert {"North (differs)", "South", "East"} <= set(words(ax))


def test_a_figure_made_here_is_laid_out_once_and_one_given_stays_as_it_is():
    engine = plots.satisfaction_overlap(shown.overlap()).figure.get_layout_engine()
    assert not isinstance(engine, ConstrainedLayoutEngine)
    with plots.style():
        figure, axes = plt.subplots(1, 2)
    before = figure.get_layout_engine()
    plots.satisfaction_overlap(shown.overlap(), ax=axes[0])
    assert isinstance(before, ConstrainedLayoutEngine) and figure.get_layout_engine() is before
    assert np.isfinite(axes[0].get_xlim()).all()
