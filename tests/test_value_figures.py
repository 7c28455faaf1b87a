"""Figures from NPS to retention and money, by their artists. Authority: the numbers of handmade results."""

import matplotlib.pyplot as plt
import pytest

import cxlib as cx
from cxlib import plots, text, wording
from cxlib.schema import results
from cxlib.telling import EVERYONE
from tests.shown import dots, row, words
from tests.test_staying_findings import mouth, path, stays
from tests.test_value_findings import worth


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)
    plt.close("all")


@pytest.mark.parametrize("draw", [
    plots.retention_by_nps, plots.still_there, plots.score_comparison, plots.mediation, plots.word_of_mouth,
    plots.referrals, lambda _: plots.return_on_investment(None, months=1),
])  # fmt: skip
def test_what_a_study_does_not_feed_gives_no_figure(draw):
    assert draw(None) is None


def test_a_curve_for_each_class_told_apart_without_colour():
    """Authority: `kaplan_meier` on the example, whose last values the labels tell."""
    linked = cx.study_linked(cx.read_study("example"))
    curve = cx.kaplan_meier(linked, "days_followed", "left", "nps_class", [90, 180])
    ax = plots.retention_by_nps(curve)
    looks = {(line.get_color(), str(line.get_linestyle()), line._unscaled_dash_pattern) for line in ax.lines}
    assert len(looks) == 4
    end = curve[curve["time"] == 180].set_index("nps_class")["estimate"]
    for name in ("promoter", "passive", "detractor", "no answer"):
        assert f"{name.capitalize()} {end[name]:.0%}" in words(ax)
    assert ax.get_xlabel() == "Days since the answer, or the invitation"


def test_who_stays_without_days():
    assert [x for x, *_ in dots(plots.still_there(stays()))] == [0.70, 0.55, 0.60]


def test_scores_alone_and_less_the_class_hollow():
    unit = {"unit": "log likelihood per 1,000 customers"}
    table = results([
        row("nps_class", "alone", 0.26, -0.5, 1.0, **unit), row("recommend", "alone", 0.91, 0.1, 1.7, **unit),
        row("all", "alone", 1.0, 0.1, 2.0, **unit), row("recommend", "against", 0.65, 0.2, 1.1, **unit),
    ])  # fmt: skip
    ax = plots.score_comparison(table)
    assert [(x, filled) for x, _, filled in dots(ax)] == [(0.26, True), (0.91, True), (0.65, False)]
    assert {"NPS class", "Score, 0 to 10", "0.9 (0.1 to 1.7)"} <= set(words(ax))


def test_a_path_in_its_parts_the_crude_effect_hollow():
    ax = plots.mediation(path())
    assert [(x, filled) for x, _, filled in dots(ax)] == [
        (0.28, False), (0.14, True), (0.11, True), (0.03, True), (0.02, False), (0.01, False),
    ]  # fmt: skip
    assert "By NPS class first" in words(ax)


def test_word_of_mouth_with_blanks_as_nobody_hollow():
    ax = plots.word_of_mouth(mouth())
    assert [(x, filled) for x, _, filled in dots(ax)] == [(0.83, True), (0.87, True), (0.71, True), (0.35, False)]


def test_whose_word_brings_newcomers():
    rows = [row("newcomers", "of_referred", share, 0.0, 1.0, nps_class=name, n=200)
            for name, share in (("promoter", 0.84), ("detractor", 0.05))]  # fmt: skip
    rows.append(row("newcomers", "share", 0.25, 0.2, 0.3, nps_class=EVERYONE))
    assert [x for x, *_ in dots(plots.referrals(results(rows, by=["nps_class"])))] == [0.84, 0.05]


def test_gain_cost_and_net_beside_the_naive_gain():
    both = text.beside(naive=worth(gain=9000.0), adjusted=worth())
    ax = plots.return_on_investment(both, months=24)
    assert [(x, filled) for x, _, filled in dots(ax)] == [
        (9000.0, False), (5000.0, True), (4000.0, True), (1000.0, True),
    ]  # fmt: skip
    assert {"What it brings in 24 months", "4,000"} <= set(words(ax)) | {ax.get_title(loc="left")}
    assert "EUR, in money of today" in plots.alt(ax)
