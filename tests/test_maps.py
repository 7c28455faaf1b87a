"""The importance-performance map by its artists. Authority: the numbers of a handmade result."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from cxlib import plots, wording
from cxlib.schema import results
from tests import shown
from tests.shown import row, words


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)
    plt.close("all")


def test_nothing_is_drawn_for_a_study_that_does_not_feed_it():
    assert plots.importance_performance(None) is None


def test_dots_lie_at_rating_and_share_hollow_where_the_quadrant_is_not_sure():
    ax = plots.importance_performance(shown.quadrants(), service=["staff"])
    found = [(line.get_xdata()[0], line.get_ydata()[0], line.get_color(), line.get_markerfacecolor() == "white")
             for line in ax.lines if line.get_marker() == "o"]  # fmt: skip
    assert found == [(3.2, 0.4, plots.OTHER, False), (3.9, 0.3, plots.SERVICE, True), (3.3, 0.2, plots.OTHER, False),
                     (4.2, 0.1, plots.OTHER, False)]  # fmt: skip


def test_each_dot_has_its_interval_on_both_axes():
    ax = plots.importance_performance(shown.quadrants())
    crosses = {(tuple(np.round(line.get_xdata(), 2)), tuple(np.round(line.get_ydata(), 2)))
               for line in ax.lines if line.get_marker() == "None" and line.get_linestyle() == "-"}  # fmt: skip
    assert {((3.1, 3.3), (0.4, 0.4)), ((3.2, 3.2), (0.35, 0.45))} <= crosses
    assert len(crosses) == 8


def test_the_means_divide_four_named_quadrants():
    ax = plots.importance_performance(shown.quadrants())
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed if list(line.get_ydata()) == [0, 1]] == [3.65]
    assert [line.get_ydata()[0] for line in dashed if list(line.get_xdata()) == [0, 1]] == [0.25]
    corners = {text.get_text(): text.xy for text in ax.texts if text.get_style() == "italic"}
    assert corners == {"Concentrate here": (0, 1), "Keep up the good work": (1, 1), "Low priority": (0, 0),
                       "Possible overkill": (1, 0)}  # fmt: skip


def test_the_key_tells_the_numbers_and_how_sure_a_place_is():
    told = [word.replace("\N{NO-BREAK SPACE}", " ") for word in words(plots.importance_performance(shown.quadrants()))]
    assert {"1 price", "2 staff (60%)", "3 app", "4 delivery", "1", "2", "3", "4"} <= set(told)
    assert any(word.startswith("Hollow") for word in told)


def test_a_touchpoint_that_few_met_is_not_on_the_map():
    ax = plots.importance_performance(shown.quadrants(staff=9))
    assert len([line for line in ax.lines if line.get_marker() == "o"]) == 3
    assert "staff" not in plots.alt(ax)


def test_the_alternative_tells_quadrant_share_and_rating():
    told = plots.alt(plots.importance_performance(shown.quadrants()))
    assert "Price concentrate here: share 40% (95% interval 35% to 45%), rating 3.2 (3.1 to 3.3)" in told


def crowd() -> pd.DataFrame:
    """Twelve drivers, nine of them close together."""
    rng = np.random.default_rng(3)
    rows = []
    for i in range(12):
        share, rating = (
            (0.02 + 0.01 * rng.random(), 4 + 0.1 * rng.random()) if i < 9 else (0.1 * i - 0.75, 3.0 + i / 20)
        )
        rows += [row(f"d{i}", "performance", rating, rating - 0.02, rating + 0.02, unit="points"),
                 row(f"d{i}", "share", share, share - 0.01, share + 0.01),
                 row(f"d{i}", "quadrant", 1.0, note="possible overkill")]  # fmt: skip
    return results([*rows, row("model", "performance", 3.8, unit="points"), row("model", "share", 1 / 12)])


def test_numbers_in_a_crowd_do_not_cover_each_other():
    ax = plots.importance_performance(crowd())
    ax.figure.canvas.draw()
    numbers = [Text.get_window_extent(text) for text in ax.texts if text.get_text().isdigit()]  # without its tie
    assert len(numbers) == 12
    assert not any(one.overlaps(other) for one, other in itertools.combinations(numbers, 2))
