"""Pictures of figures: drawn once, in few colours, with nothing cut off and no room wasted."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from cxlib.pictures import few_colours, picture

DPI = 150


@pytest.fixture
def figure():
    figure, ax = plt.subplots(dpi=DPI)
    ax.plot([1, 2], [1, 3], color="tab:blue")
    ax.set(title="Title", xlabel="label")
    yield figure
    plt.close(figure)


def opened(packed):
    with Image.open(io.BytesIO(base64.b64decode(packed))) as image:
        image.load()
        return image


def tight(figure):
    """The picture as matplotlib's own tight box has it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight")
    with Image.open(buffer) as image:
        return image.convert("RGB")


def ink(image):
    """Width and height of what is not ground."""
    dark = np.asarray(image.convert("L"), int) < 250
    return [np.ptp(np.flatnonzero(dark.any(axis=axis))) + 1 for axis in (0, 1)]


def beyond(figure):
    """Words to the left of the frame, as long tick labels stand there."""
    figure.axes[0].set_yticks([1, 3], ["a name too long for it", "b"])


def far_beyond(figure):
    figure.axes[0].set_yticks([1, 3], ["a name " + "much " * 9 + "too long for the room on the left", "b"])


@pytest.mark.parametrize("change", [lambda figure: None, beyond, far_beyond], ids=["inside", "beyond", "far beyond"])
def test_it_shows_what_matplotlibs_tight_box_shows(figure, change):
    change(figure)
    expected, image = tight(figure), opened(picture(figure))
    assert image.size == pytest.approx(expected.size, abs=4)
    assert ink(image) == pytest.approx(ink(expected), abs=2)
    assert image.info["dpi"] == pytest.approx((DPI, DPI), abs=0.1)


def test_a_figure_that_fits_keeps_its_whole_frame(figure):
    assert opened(picture(figure, fits=True)).size == (6.4 * DPI, 4.8 * DPI)


def test_a_layout_that_is_worked_out_while_drawing_is_worked_out(figure):
    beyond(figure)
    figure.set_layout_engine("constrained")
    assert ink(opened(picture(figure, fits=True))) == pytest.approx(ink(opened(picture(figure))), abs=1)


@pytest.mark.parametrize("change", [lambda figure: None, beyond], ids=["inside", "beyond the frame"])
def test_it_is_drawn_once(figure, change, monkeypatch):
    change(figure)
    drawn, draw = [], Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: (drawn.append(1), draw(self, renderer))[1])
    picture(figure)
    assert len(drawn) == 1


def test_an_empty_figure_is_a_picture_too():
    assert opened(picture(Figure(dpi=DPI))).size[0] > 0


def test_a_ground_of_another_colour_is_ground(figure):
    plain = opened(picture(figure))
    figure.set_facecolor("#eeeeff")
    tinted = opened(picture(figure)).convert("RGB")
    assert tinted.size == plain.size
    assert tinted.getpixel((0, 0)) == pytest.approx((0xEE, 0xEE, 0xFF), abs=2)  # one of 64 colours


def test_few_colours_are_those_of_the_picture():
    """The authority is the picture: 64 colours or fewer come back as they are."""
    colours = np.random.default_rng(0).integers(0, 256, (64, 3), dtype="uint8")
    full = Image.fromarray(colours[np.random.default_rng(1).integers(0, 64, (40, 50))])
    small = few_colours(full)
    assert small.mode == "P"
    assert (np.asarray(small.convert("RGB")) == np.asarray(full)).all()


def test_more_colours_move_a_little_and_a_photograph_not_at_all():
    across = np.linspace(0, 255, 300).astype("uint8")
    ramp = Image.fromarray(np.repeat(np.stack([across] * 3, axis=1)[None], 20, axis=0))
    moved = np.abs(np.asarray(few_colours(ramp).convert("RGB"), int) - np.asarray(ramp, int))
    assert 0 < moved.mean() <= 1.5
    assert few_colours(ramp, tolerance=0.1) is None
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype="uint8")
    assert few_colours(Image.fromarray(noise)) is None
