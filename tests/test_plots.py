"""Figures by their artists: where each dot and line lies, what each label says, that no label covers another."""

import base64

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from cxlib import plots, text, wording
from cxlib.promoters import nps
from cxlib.schema import results
from tests import shown
from tests.shown import dots, row, words


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)
    plt.close("all")


def intervals(ax):
    """Both ends of every interval, from top to bottom."""
    found = [line for line in ax.lines if line.get_marker() in ("None", "") and len(set(line.get_ydata())) == 1]
    found.sort(key=lambda line: -line.get_ydata()[0])
    return [tuple(line.get_xdata()) for line in found]


def references(ax):
    return [
        line.get_xdata()[0] for line in ax.lines if list(line.get_ydata()) == [0, 1] and line.get_linestyle() != "-"
    ]


def boxes(ax):
    """Extents of every text of a drawn figure."""
    ax.figure.canvas.draw()
    drawn = [label for label in [ax.title, ax._left_title, *ax.texts] if label.get_text()]
    return {label.get_text(): label.get_window_extent() for label in drawn}


def test_fractions_are_dots_on_their_intervals_service_in_its_colour():
    ax = plots.attributable_fractions(shown.fractions(), measure="fraction")
    assert [dot[0] for dot in dots(ax)] == [0.287, 0.178, 0.45]
    assert intervals(ax)[:3] == [(0.203, 0.368), (-0.02, 0.243), (0.36, 0.54)]
    assert [dot[1] for dot in dots(ax)] == [plots.SERVICE, plots.OTHER, plots.INK]
    assert words(ax)[:6] == [
        "Service",
        "29% (20% to 37%)",
        "Price",
        "18% (−2% to 24%)",
        "All of them together",
        "45% (36% to 54%)",
    ]


def test_the_title_says_what_and_the_subtitle_the_unit_the_level_and_n():
    ax = plots.attributable_fractions(shown.fractions())
    assert ax.get_title(loc="left") == "Attrition associated with each cause"
    assert words(ax)[-1] == "Share of departures, 95% intervals, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}2,772"
    assert [label.get_text()[-1] for label in ax.get_xticklabels()] == ["%"] * len(ax.get_xticks())


def test_a_published_figure_is_a_dashed_line_with_its_name():
    claim = text.claims().loc["service_role"]
    ax = plots.role_interval(shown.role(), claim=claim)
    assert references(ax) == [0.25]
    assert "published, for service: 25%" in words(ax)
    assert references(plots.role_interval(shown.role())) == []


def test_a_line_marks_zero_where_an_interval_reaches_below():
    ax = plots.attributable_fractions(shown.fractions())
    assert ax.get_xlim()[0] < -0.03
    assert [line.get_xdata()[0] for line in ax.lines if list(line.get_ydata()) == [0, 1]] == [0]


def test_naive_is_hollow_and_above_adjusted():
    ax = plots.naive_and_adjusted(text.beside(naive=shown.naive(), adjusted=shown.fractions()))
    assert dots(ax) == [
        (0.407, plots.PALE, False), (0.287, plots.SERVICE, True),
        (0.197, plots.PALE, False), (0.178, plots.OTHER, True),
    ]  # fmt: skip
    assert {"Service", "Price", "Nothing adjusted for", "Adjusted for the confounders"} <= set(words(ax))


def test_importance_alone_and_together_is_told_in_r_squared():
    alone = results([row("service", "importance", 0.31, 0.27, 0.35, unit="R²", n=812)])
    ax = plots.naive_and_adjusted(text.beside(naive=alone, adjusted=shown.importance()), measure="importance")
    assert [dot[0] for dot in dots(ax)] == [0.31, 0.13]
    assert ax.get_title(loc="left") == "One at a time, and together"


def test_outweighs_shows_three_denominators_with_price_first():
    ax = plots.outweighs(shown.weighing())
    assert [dot[0] for dot in dots(ax)] == pytest.approx([0.31, 0.69, 0.1, 0.9, 0.21, 0.79])
    headings = [word for word in words(ax) if word.startswith(("After", "All dep"))]
    assert headings == ["After a failure of either", "After failures of both", "All departures"]


def test_importance_by_group_and_by_driver_in_order_of_size():
    groups = plots.relative_importance(shown.importance())
    assert [dot[0] for dot in dots(groups)] == [0.5, 0.26, 0.24]
    drivers = plots.relative_importance(shown.importance(), members=True)
    assert words(drivers)[0:8:2] == ["Product", "Price", "Staff (service)", "Wait (service)"]
    assert [dot[1] for dot in dots(drivers)] == [plots.OTHER, plots.OTHER, plots.SERVICE, plots.SERVICE]


def test_nps_by_group_in_order_of_size_with_a_line_for_everyone():
    ax = plots.nps(shown.nps({"a": 40, "b": 50, "c": 60}), overall=shown.nps())
    assert words(ax)[0:6:2] == ["C", "B", "A"]
    assert [line.get_xdata()[0] for line in ax.lines if list(line.get_ydata()) == [0, 1]][-1] == 25.03
    assert "everyone 25" in words(ax)


def test_bands_keep_their_own_order():
    rows = [row("nps", "nps", value, value - 1, value + 1, unit="points", tenure_band=band)
            for band, value in (("under 6 months", 1.0), ("over 2 years", 9.0))]  # fmt: skip
    assert words(plots.nps(results(rows, by=["tenure_band"])))[0:4:2] == ["Under 6 months", "Over 2 years"]


def test_small_groups_have_a_name_and_no_number():
    ax = plots.nps(shown.nps({"tiny": 4, "few": 9, "b": 50}))
    assert words(ax)[0:6] == ["B", "20 (16 to 24)", "Tiny", "too few", "Few", "too few"]
    assert [dot[0] for dot in dots(ax) if np.isfinite(dot[0])] == [20]


def test_a_figure_with_nothing_to_show_says_so():
    wording.hide_below(9000)
    assert plots.attributable_fractions(shown.fractions()) is None  # the sentence beside it says why
    empty = plots.attributable_fractions(results([]))
    assert "nothing is large enough to be shown" in plots.alt(empty)


def test_distribution_draws_every_point_and_names_the_classes():
    counts = pd.Series({0: 5, 6: 15, 7: 20, 8: 10, 9: 20, 10: 30})
    ax = plots.distribution(counts)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0.05, 0, 0, 0, 0, 0, 0.15, 0.2, 0.1, 0.2, 0.3])
    assert words(ax)[:3] == ["detractors\n20%", "passives\n30%", "promoters\n50%"]
    assert [to_hex(bar.get_facecolor()) for bar in ax.patches[6:10:2]] == [plots.OTHER, plots.PALE]


@pytest.mark.parametrize(("scale", "promoters"), [((0, 10), "50%"), ((1, 10), "50%"), ((1, 11), "30%")])
def test_distribution_follows_the_scale(scale, promoters):
    counts = pd.Series({1: 5, 6: 15, 7: 20, 8: 10, 9: 20, 10: 30})
    ax = plots.distribution(counts, scale=scale)
    assert f"promoters\n{promoters}" in words(ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(i) for i in range(scale[0], scale[1] + 1)]


FIGURES = {
    "attributable_fractions": lambda **k: plots.attributable_fractions(shown.fractions(), **k),
    "naive_and_adjusted": lambda **k: plots.naive_and_adjusted(text.beside(shown.naive(), shown.fractions()), **k),
    "role_interval": lambda **k: plots.role_interval(shown.role(), claim=text.claims().iloc[0], **k),
    "outweighs": lambda **k: plots.outweighs(shown.weighing(), claim=text.claims().iloc[1], **k),
    "relative_importance": lambda **k: plots.relative_importance(shown.importance(), members=True, **k),
    "nps": lambda **k: plots.nps(
        shown.nps({"a": 40, "a group with a very long name, truly": 50}), overall=shown.nps(), **k
    ),
    "distribution": lambda **k: plots.distribution(pd.Series({3: 5, 8: 10, 10: 20}), **k),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_covers_another_or_leaves_the_figure(name):
    ax = FIGURES[name]()
    found = list(boxes(ax).items())
    frame = ax.figure.bbox
    for i, (label, box) in enumerate(found):
        assert box.x1 <= frame.x1 + 1, f"'{label}' leaves the figure"
        for other, second in found[i + 1 :]:
            overlap = min(box.x1, second.x1) - max(box.x0, second.x0), min(box.y1, second.y1) - max(box.y0, second.y0)
            assert min(overlap) < 2, f"'{label}' covers '{other}'"


MORE = {
    "survival": lambda: plots.survival(shown.kept()),
    "fraction_by_horizon": lambda: plots.fraction_by_horizon(shown.by_horizon()),
    "hazard_ratios": lambda: plots.hazard_ratios(shown.ratios(), columns=["plan", "service_band"]),
    "importance_performance": lambda: plots.importance_performance(shown.quadrants()),
    "penalty_reward": lambda: plots.penalty_reward(shown.penalties()),
    "segments": lambda: plots.segments(shown.by_segment(), pooled=shown.fractions()),
}


@pytest.mark.parametrize("name", [*FIGURES, *MORE])
def test_nothing_lies_outside_the_frame_that_is_shown(name):
    """`show` displays the frame of a figure of the kit as it is."""
    figure = (FIGURES | MORE)[name]().figure
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) > -0.02, box


@pytest.mark.parametrize("name", FIGURES)
def test_texts_stay_legible_at_phone_width(name):
    """On a phone of 375 pixels a figure is 335 pixels wide; the smallest text must keep 9 of them."""
    ax = FIGURES[name]()
    width = ax.figure.get_figwidth() * 96
    shrunk = min(1.0, 335 / width)
    sizes = {label.get_text(): label.get_fontsize() * 96 / 72 * shrunk for label in ax.texts if label.get_text()}
    assert {label: size for label, size in sizes.items() if size < 9} == {}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_takes_the_axes_it_is_given_and_leaves_the_look_of_others_alone(name):
    before = dict(plt.rcParams)
    _, ax = plt.subplots()
    assert FIGURES[name](ax=ax) is ax
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_text_alternative_with_its_numbers(name):
    ax = FIGURES[name]()
    told = plots.alt(ax)
    assert told.startswith(ax.get_title(loc="left").replace("\n", " "))
    numbers = [word for word in words(ax) if word.endswith(")") and " to " in word]
    assert all(word.split(" (")[0] in told for word in numbers)
    assert "\n" not in told


def test_markup_in_names_is_shown_as_it_is():
    ax = plots.nps(
        results([row("nps", "nps", 1.0, 0, 2, unit="points", g=name) for name in ("$x_1$", "<b>&")], by=["g"])
    )
    ax.figure.canvas.draw()
    assert words(ax)[0:4:2] == ["$x 1$", "<b>&"]


@pytest.fixture
def displayed(monkeypatch):
    seen = []
    monkeypatch.setattr("IPython.display.display", lambda data, metadata, raw: seen.append((data, metadata)))
    return seen


def test_show_displays_once_with_the_text_alternative_and_closes(displayed):
    ax = plots.attributable_fractions(shown.fractions())
    plots.show(ax)
    [(data, metadata)] = displayed
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == plots.alt(ax)
    assert metadata == {"image/png": {"alt": plots.alt(ax)}}
    assert plt.get_fignums() == []
    plots.show(None)
    assert len(displayed) == 1


def test_a_figure_of_ones_own_is_shown_with_ones_own_words(displayed):
    plots.show(plt.subplots()[1], "Nothing yet.")
    assert [metadata for _, metadata in displayed] == [{"image/png": {"alt": "Nothing yet."}}]
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", list(FIGURES))
def test_what_a_study_does_not_feed_gives_no_figure(name):
    assert getattr(plots, name)(None) is None


def luminance(colour):
    """Relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize(
    ("colour", "least"),
    [(plots.INK, 4.5), (plots.OTHER, 4.5), (plots.SERVICE, 4.5), (plots.PUBLISHED, 4.5), (plots.PALE, 3.0)],
)
def test_colours_stand_out_from_white(colour, least):
    """WCAG 2.1: 4.5 to 1 for text, 3 to 1 for graphics and large text."""
    assert 1.05 / (luminance(colour) + 0.05) >= least


def test_the_line_of_everyone_is_hidden_where_everyone_is_too_few():
    groups = nps(pd.DataFrame({"recommend": [9, 3] * 30, "region": ["a", "b"] * 30}), by="region")
    few = nps(pd.DataFrame({"recommend": [9, 3, 3]}))
    assert "everyone" not in " ".join(words(plots.nps(groups, overall=few)))
