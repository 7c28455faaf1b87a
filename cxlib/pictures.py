"""Figures as pictures of few colours: drawn once, a third of the bytes, nothing cut off."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image, ImageChops

if TYPE_CHECKING:  # the processes that write pages shrink pictures too, and have no use for matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

MANY = 20_000  # colours: a photograph, not a figure
PAD, MARGIN = 0.1, 1.0  # inches: left around what is drawn; looked at beyond the figure's frame


def picture(figure: Figure, fits: bool = False) -> str:
    """A figure as PNG in base64, at its own resolution.

    Parameters
    ----------
    figure : drawn once, unless it reaches more than an inch beyond its frame. Notebooks draw everything twice.
    fits : nothing lies outside the figure's frame, and the whole frame is wanted; else it is cut to what is drawn.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    if fits or figure.get_layout_engine():
        canvas.draw()
        image = _image(canvas.get_width_height(), canvas.buffer_rgba())
    else:
        image = _with_margin(figure, canvas)
    if not fits:
        pad = round(PAD * figure.dpi)
        image = _cut(image, pad) or _tight(figure, canvas)
    return _encoded(few_colours(image) or image, (figure.dpi, figure.dpi))


def small_png(source: str) -> str:
    """A PNG in 64 colours, both in base64; as it was where that would show or help nothing."""
    with Image.open(io.BytesIO(base64.b64decode(source))) as image:
        dpi = image.info.get("dpi")
        small = None if image.mode == "P" else few_colours(on_white(image))
    packed = _encoded(small, dpi) if small else source
    return packed if len(packed) < len(source) else "".join(source.split())


def few_colours(full: Image.Image, colours: int = 64, tolerance: float = 1.5) -> Image.Image | None:
    """The picture in so many colours, or None where that would show: a mean error above `tolerance` of 255."""
    # A figure has some hundred colours on half a million pixels, so it is they that are looked at, one by one.
    pixels = np.asarray(full.convert("RGBA"))
    which, seen = pd.factorize(pixels.view("uint32").ravel())
    if len(seen) > MANY:
        return None
    every = Image.fromarray(seen.view("uint8").reshape(1, -1, 4)).convert("RGB")
    chosen = every.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    errors = np.abs(np.asarray(every, int)[0] - np.asarray(chosen.convert("RGB"), int)[0])
    if (np.bincount(which) @ errors / which.size).max() > tolerance:
        return None
    small = Image.fromarray(np.asarray(chosen)[0][which].reshape(pixels.shape[:2]), "P")
    small.putpalette(chosen.getpalette())  # type: ignore[arg-type]
    return small


def on_white(image: Image.Image) -> Image.Image:
    """The picture without transparency."""
    if "A" not in image.getbands() or image.getchannel("A").getextrema()[0] == 255:
        return image.convert("RGB")
    full = Image.new("RGB", image.size, "white")
    full.paste(image, mask=image.getchannel("A"))
    return full


def _image(size: tuple[int, int], pixels: Any) -> Image.Image:
    return on_white(Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1))


def _with_margin(figure: Figure, canvas: FigureCanvasAgg) -> Image.Image:
    """The figure with what lies beyond its frame."""
    from matplotlib.transforms import Bbox

    dpi, edge = figure.dpi, round(MARGIN * figure.dpi)
    width, height = (round(side * dpi) + 2 * edge for side in figure.get_size_inches())
    # The half pixel is for the backend, which rounds down.
    box = Bbox.from_bounds(-edge / dpi, -edge / dpi, (width + 0.5) / dpi, (height + 0.5) / dpi)
    buffer = io.BytesIO()
    canvas.print_figure(buffer, format="rgba", dpi=dpi, bbox_inches=box)
    return _image((width, height), buffer.getvalue())


def _tight(figure: Figure, canvas: FigureCanvasAgg) -> Image.Image:
    """The figure as far as anything is drawn, drawn twice to find out how far."""
    buffer = io.BytesIO()
    canvas.print_figure(buffer, format="png", dpi=figure.dpi, bbox_inches="tight", pad_inches=PAD)
    with Image.open(buffer) as image:
        return on_white(image)


def _cut(image: Image.Image, pad: int) -> Image.Image | None:
    """What is drawn, and `pad` pixels of ground around it; None where it reaches the edge, and perhaps beyond."""
    ground = image.getpixel((0, 0))
    left, upper, right, lower = ImageChops.difference(image, Image.new("RGB", image.size, ground)).getbbox() or (
        1, 1, image.width - 1, image.height - 1,
    )  # fmt: skip
    if left == 0 or upper == 0 or right == image.width or lower == image.height:
        return None
    part = Image.new("RGB", (right - left + 2 * pad, lower - upper + 2 * pad), ground)
    part.paste(image.crop((left, upper, right, lower)), (pad, pad))
    return part


def _encoded(image: Image.Image, dpi: tuple[float, float] | None) -> str:
    buffer = io.BytesIO()
    # The hardest compression saves a tenth of the bytes and takes four times as long.
    image.save(buffer, "PNG", compress_level=6, **({"dpi": dpi} if dpi else {}))
    return base64.b64encode(buffer.getvalue()).decode()
