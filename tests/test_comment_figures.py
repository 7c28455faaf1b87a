"""The figures of comments by their artists: order, colour, what is hollow, the published line, what is left out."""

import matplotlib.pyplot as plt
import pytest

from cxlib import plots, text
from cxlib.schema import results
from tests.test_quoted import heard, row


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def dots(ax):
    """Value, colour and whether filled, from top to bottom."""
    points = [line for line in ax.lines if line.get_marker() == "o"]
    return [(line.get_xdata()[0], line.get_color(), line.get_markerfacecolor() != "white") for line in points]


def test_themes_come_by_frequency_service_blue_and_no_theme_hollow_below():
    ax = plots.comment_themes(heard(), claim=text.claims().loc["reviews_dwell_on_service"])
    assert dots(ax) == [
        (0.52, plots.SERVICE, True), (0.2, plots.OTHER, True), (0.1, plots.OTHER, True), (0.05, plots.OTHER, True),
        (0.04, plots.OTHER, True), (0.3, plots.PALE, False),
    ]  # fmt: skip
    assert [line.get_xdata()[0] for line in ax.lines if line.get_color() == plots.PUBLISHED] == [0.5]
    assert plots.alt(ax).startswith("What comments talk about. Share of comments, 95% intervals, n\N{NO-BREAK SPACE}=")
    assert "service 52% (95% interval 49% to 55%)" in plots.alt(ax).replace("Service", "service")


def test_at_most_eight_themes_are_shown():
    many = results([row(f"theme {i}", "share", 0.05 * (i + 1), 100) for i in range(12)])
    assert [round(value, 2) for value, _, _ in dots(plots.comment_themes(many))] == [
        0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25,
    ]  # fmt: skip


def test_tones_run_from_the_worst_and_small_themes_are_left_out():
    found = results([
        row("all comments", "net", 12, 300, 5, "points"), row("price", "net", -30, 80, 9, "points"),
        row("service", "net", 25, 120, 8, "points"), row("app", "net", -90, 4, 9, "points"),
    ])  # fmt: skip
    ax = plots.comment_tones(found)
    assert [(value, colour) for value, colour, _ in dots(ax)] == [
        (-30, plots.OTHER), (25, plots.SERVICE), (12, plots.INK)
    ]  # fmt: skip
    assert "app" not in plots.alt(ax).casefold().split()


@pytest.mark.parametrize("figure", [plots.comment_themes, plots.comment_tones])
def test_without_comments_there_is_no_figure(figure):
    assert figure(None) is None
