"""Figures of the journey: by their artists, never by an image file."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import cxlib as cx
from cxlib.forest import OTHER, PALE, SERVICE
from cxlib.schema import results
from tests.shown import dots, row, words


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def places(few=False):
    """Three places, one of them service and largest, one never rated."""
    rows = []
    for stage, department, term, share, rating in (
        ("discover", "marketing", "rest", 0.2, 4.1),
        ("use", "engineering", "rest", 0.3, None),
        ("support", "customer service", "service", 0.5, 3.6),
    ):
        own = {"stage": stage, "department": department}
        rows.append(own | row(term, "interactions", share, share - 0.01, share + 0.01, n=4 if few else 900))
        if rating:
            rows.append(
                own | row(term, "rating", rating, rating - 0.1, rating + 0.1, unit="points", n=4 if few else 80)
            )
    return results(rows, by=["stage", "department"])


def scope():
    return results([
        row("service", "share", 0.28, 0.27, 0.29, n=900), row("service", "reach", 0.77, 0.75, 0.79, n=300),
        row("service", "proactive", 0.11, 0.10, 0.12, n=250), row("rest", "proactive", 0.67, 0.66, 0.68, n=650),
    ])  # fmt: skip


def contrast(term, unit="points", scale=1.0):
    return results([
        row(term, "naive", 1.4 * scale, 1.0 * scale, 1.8 * scale, unit=unit, n=185),
        row(term, "adjusted", -0.8 * scale, -1.4 * scale, 0.2 * scale, unit=unit, n=185),
    ])  # fmt: skip


def test_circles_are_as_large_as_their_shares_and_service_is_blue():
    ax = cx.plots.journey_map(places())
    sizes = [circle.get_sizes()[0] for circle in ax.collections]
    np.testing.assert_allclose(np.array(sizes) / max(sizes), [0.4, 0.6, 1.0])
    at = [tuple(circle.get_offsets()[0]) for circle in ax.collections]
    assert at == [(0, 0), (1, -1), (2, -2)]
    blue = [np.allclose(c.get_facecolor()[0][:3], plt.matplotlib.colors.to_rgb(SERVICE)) for c in ax.collections]
    assert blue == [False, False, True]
    told = words(ax)
    assert "20%\n4.1" in told
    assert "30%" in told  # never rated
    assert {"Marketing", "Engineering", "Customer service", "Discover", "Support"} <= set(told)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["Discover", "Use", "Support"]
    assert "Customer service, support: 50% of the interactions, rated 3.6" in cx.plots.alt(ax)


def test_names_and_figures_of_the_map_do_not_overlap():
    ax = cx.plots.journey_map(cx.journey_map(cx.study_history(cx.read_study("example"))))
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    subtitle, *rest = sorted(boxes, key=lambda box: -box.y1)
    assert all(box.y1 <= subtitle.y0 for box in rest)
    assert [(a, b) for i, a in enumerate(rest) for b in rest[i + 1 :] if a.overlaps(b)] == []
    width = ax.figure.bbox.width
    assert all(box.x0 >= 0 and box.x1 <= width for box in boxes)


def test_places_too_small_are_not_drawn():
    assert cx.plots.journey_map(places(few=True)) is None


def test_scope_shows_service_in_blue_and_the_rest_in_grey():
    ax = cx.plots.interaction_scope(scope())
    assert dots(ax) == [(0.28, SERVICE, True), (0.77, SERVICE, False), (0.11, SERVICE, True), (0.67, OTHER, True)]
    assert {"Service", "Started by the company", "Of all else"} <= set(words(ax))


def test_preventable_contacts_set_the_naive_figure_hollow_below():
    result = results([
        row("product_fault", "preventable", 0.46, 0.45, 0.47), row("product_fault", "naive", 0.6, 0.58, 0.62),
        row("product_fault", "after_cause", 0.48, 0.47, 0.49), row("contacts", "rate", 13, 12, 14, unit="tickets"),
    ])  # fmt: skip
    ax = cx.plots.preventable_contacts(result)
    assert dots(ax) == [(0.46, SERVICE, True), (0.6, PALE, False)]


def test_channels_show_both_kinds_on_one_line():
    rows = [{"channel": name} | row(term, "share", share, share - 0.01, share + 0.01, n=n)
            for name, term, share, n in (("phone", "service", 0.6, 500), ("chat", "service", 0.4, 500),
                                         ("phone", "rest", 0.1, 700), ("app", "rest", 0.9, 700))]  # fmt: skip
    ax = cx.plots.channel_shares(results(rows, by=["channel"]))
    assert dots(ax) == [(0.6, SERVICE, True), (0.1, SERVICE, False), (0.4, SERVICE, True)]
    assert "60% (59% to 61%), else 10%" in words(ax)
    assert "App" not in words(ax)


@pytest.mark.parametrize(
    ("figure", "term", "unit", "scale", "told"),
    [
        (cx.plots.channel_switches, "switch", "points", 1.0, "−0.8 (−1.4 to 0.2)"),
        (cx.plots.coming_back, "coming_back", "share", 0.1, "−8 (−14 to 2)"),
    ],
)
def test_a_difference_is_drawn_alike_first_and_plainly_below(figure, term, unit, scale, told):
    ax = figure(contrast(term, unit, scale))
    points = 100 * scale if unit == "share" else scale
    assert [value for value, *_ in dots(ax)] == pytest.approx([-0.8 * points, 1.4 * points])
    assert [look for _, *look in dots(ax)] == [[SERVICE, True], [PALE, False]]
    assert told in words(ax)
    assert any(line.get_xdata()[0] == line.get_xdata()[1] == 0 for line in ax.lines if len(line.get_xdata()) == 2)


def test_the_loop_shows_who_is_followed_up_and_who_comes_back():
    result = results([
        row("follow_up", "within_target", 0.42, 0.39, 0.45), row("coming_back", "followed", 0.76, 0.7, 0.82, n=147),
        row("coming_back", "not_followed", 0.65, 0.59, 0.72, n=196),
    ])  # fmt: skip
    ax = cx.plots.closed_loop(result)
    assert dots(ax) == [(0.42, SERVICE, True), (0.76, OTHER, True), (0.65, OTHER, False)]


@pytest.mark.parametrize(
    "figure",
    [
        cx.plots.journey_map, cx.plots.interaction_scope, cx.plots.preventable_contacts, cx.plots.channel_shares,
        cx.plots.channel_switches, cx.plots.closed_loop, cx.plots.coming_back,
    ],
)  # fmt: skip
def test_nothing_gives_nothing(figure):
    assert figure(None) is None
