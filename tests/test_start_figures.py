"""Figures of the first page, by their artists. Authority: handmade touchpoints and samples."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from cxlib import plots
from cxlib.forest import PUBLISHED, SERVICE
from cxlib.sampling import EVERYONE, MISSES, repeated_samples


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def places(**changes):
    rows = {"touchpoint": ["site", "call_desk", "bill", "renewal"], "stage": ["discover", "support", "use", "renew"],
            "department": ["a", "b", "c", "d"], "is_service": [False, True, False, False]}  # fmt: skip
    return pd.DataFrame(rows | changes)


def chips(ax):
    """(words, filled with the colour of service) of every chip, from top to bottom and left to right."""
    found = [text for text in ax.texts if text.get_bbox_patch() is not None]
    found.sort(key=lambda text: (-text.get_position()[1], text.get_position()[0]))
    return [(text.get_text(), to_hex(text.get_bbox_patch().get_facecolor()) == SERVICE.lower()) for text in found]


def test_touchpoints_stand_in_the_order_of_the_journey_and_service_is_filled():
    ax = plots.experience_map(places())
    assert chips(ax) == [("site", False), ("bill", False), ("call desk", True), ("renewal", False)]
    lanes = [text.get_text() for text in ax.texts if text.get_bbox_patch() is None]
    assert lanes[:4] == ["Discover", "Use", "Support", "Renew"]
    told = plots.alt(ax)
    assert told.startswith("Where service lies. Touchpoints by stage of the journey; filled: service: discover: site; ")
    assert "support: call desk (service)" in told


def test_no_chip_runs_over_another_or_out_of_the_figure():
    names = [f"a touchpoint of some length {i}" for i in range(7)] + ["x", "y", "z"]
    many = pd.DataFrame({"touchpoint": names, "stage": "use", "department": "all", "is_service": True})
    ax = plots.experience_map(many)
    ax.figure.draw_without_rendering()
    boxes = [text.get_bbox_patch().get_window_extent() for text in ax.texts if text.get_bbox_patch() is not None]
    assert len(boxes) == 10
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[i + 1 :])
        assert one.x1 <= ax.figure.bbox.x1
        assert one.y0 >= 0


def test_groups_of_a_frame_stand_in_place_of_stages_and_what_has_none_comes_last():
    ax = plots.experience_map(places(stage=["service", "rooms", None, "rooms"], department=None))
    assert "Touchpoints by group" in plots.alt(ax)
    lanes = [text.get_text() for text in ax.texts if text.get_bbox_patch() is None]
    assert lanes[:3] == ["Service", "Rooms", "Other"]


def test_a_study_without_touchpoints_gives_no_figure():
    assert plots.experience_map(None) is None
    assert plots.repeated_samples(None) is None


@pytest.mark.parametrize("seed", [0, 4])
def test_every_sample_is_a_line_and_those_that_miss_stand_out(seed):
    drawn = repeated_samples(samples=50, size=40, seed=seed, level=0.9)
    rows = drawn[drawn["sample"] != EVERYONE]
    ax = plots.repeated_samples(drawn)
    lines = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] <= 0]
    lines = [line for line in lines if line.get_ydata()[0] == line.get_ydata()[1]]
    assert [tuple(line.get_xdata()) for line in lines] == list(zip(rows["lower"], rows["upper"], strict=True))
    bold = [line.get_color() == PUBLISHED for line in lines]
    assert bold == rows["note"].eq(MISSES).tolist()
    diamonds = sum(line.get_marker() == "D" for line in ax.lines)
    assert diamonds == sum(bold) > 0  # told by shape and width as well as by colour
    whole = drawn.loc[drawn["sample"] == EVERYONE, "estimate"].item()
    assert any(list(line.get_xdata()) == [whole, whole] for line in ax.lines)
    assert f"{50 - sum(bold)} intervals hold it, {sum(bold)} miss it" in plots.alt(ax)
    assert "of 40 answers each, 90% intervals" in plots.alt(ax)
