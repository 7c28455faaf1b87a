"""Widgets over plain functions: sliders that redraw a figure, and a board on which scenes are sorted.

A figure and its sentence are ordinary outputs that a slider replaces, so that a page rendered without a kernel still
shows them at the defaults; in place of the widget it then shows what stood there.
"""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
from IPython.display import DisplayHandle, display
from matplotlib.axes import Axes

from .errors import CxError, refuse, unknown
from .forest import alt
from .lessons import scenes
from .scene_checks import ASPECTS, BEYOND
from .wording import Sentence, capital

LABELS = {
    "faults": "Product faults per 100 customers and quarter",
    "failing": "Of 100 contacts about a fault, fail",
    "harm": "A failed contact multiplies the odds of leaving by",
    "raises": "Of 100 yearly price reviews, raise the price",
    "calling": "Of 100 customers with a fault, contact support",
    "size": "Customers in each sample",
    "draw": "Another draw",
    "halo": "Halo: one mood in all ratings",
}
STEPS = {"harm": 0.1, "halo": 0.05, "size": 10}
WIDE = {"description_width": "27em"}
TEXT, TRACK = widgets.Layout(width="46em"), widgets.Layout(width="62em")


def live(draw: Callable[..., tuple[Axes, Sentence]], /, **ranges: tuple[float, float]) -> None:
    """Show what a function draws at its defaults, and sliders that draw it anew.

    Parameters
    ----------
    draw : plain function with defaults; returns Axes and a Sentence
    **ranges : argument -> (least, most)
    """
    defaults = {name: p.default for name, p in inspect.signature(draw).parameters.items() if name in ranges}
    sliders = {name: _slider(name, defaults[name], *ends) for name, ends in ranges.items()}
    told = "; ".join(f"{LABELS.get(name, name)}: {value}" for name, value in defaults.items())
    _with_fallback(
        widgets.VBox(list(sliders.values())), f"<p>Sliders, here at their defaults. {html.escape(told)}.</p>"
    )
    figure, words = DisplayHandle(), DisplayHandle()
    for handle in (figure, words):
        handle.display(Sentence())

    def redraw(change: object = None) -> None:
        try:
            ax, said = draw(**{name: slider.value for name, slider in sliders.items()})
        except CxError as error:
            words.update(Sentence(f"This world cannot be drawn: {error.brief}."))
            return
        figure.update(ax.figure, metadata={"image/png": {"alt": alt(ax)}})
        words.update(said)
        plt.close(ax.figure)  # type: ignore[arg-type]

    for slider in sliders.values():
        slider.observe(redraw, "value")
    redraw()


def _slider(name: str, value: float, low: float, high: float) -> Any:
    kind = widgets.FloatSlider if isinstance(value, float) else widgets.IntSlider
    step = {"step": STEPS[name]} if name in STEPS else {}
    # Drawn when let go: a figure takes longer than a hand.
    return kind(value, min=low, max=high, description=LABELS.get(name, capital(name)), continuous_update=False,
                style=WIDE, layout=TRACK, **step)  # fmt: skip


def sort_scenes(aspect: str = "scope") -> dict[int, str]:
    """Show the scenes of an aspect with a choice each; returns what is chosen, by number, and keeps it up to date.

    Parameters
    ----------
    aspect : "scope", "stage", "department" or "initiative"
    """
    refuse([] if aspect in ASPECTS else [unknown("aspect", aspect, ASPECTS)])
    _, first, last, choices = ASPECTS[aspect]
    shown = scenes(first, last)["scene"].to_dict()
    chosen = dict.fromkeys(shown, "?")
    rows = [_scene(number, text, choices, chosen) for number, text in shown.items()]
    listed = "".join(f"<li value='{number}'>{html.escape(text)} <em>?</em></li>" for number, text in shown.items())
    _with_fallback(widgets.VBox(rows), f"<ol>{listed}</ol><p>To choose from: {html.escape(', '.join(choices))}.</p>")
    return chosen


def _scene(number: int, text: str, choices: Sequence[str], chosen: dict[int, str]) -> Any:
    """One scene with its choices."""
    said = widgets.HTML(
        f"<div style='line-height:1.4;font-size:1.1em'><b>{number}</b> {html.escape(text)}</div>", layout=TEXT
    )
    names = [(capital("beyond service" if choice == BEYOND else choice), choice) for choice in choices]
    pick = widgets.ToggleButtons(options=[("?", "?"), *names], value="?", style={"button_width": "auto"})
    pick.add_class(f"cx-scene-{number}")
    pick.observe(lambda change: chosen.update({number: change["new"]}), "value")
    return widgets.VBox([said, pick], layout=widgets.Layout(margin="0 0 0.7em 0"))


def _with_fallback(box: Any, page: str) -> None:
    """Display a widget, with what a page without widgets shows in its place."""
    bundle: Mapping[str, Any] = box._repr_mimebundle_()
    display({**bundle, "text/html": page, "text/plain": "(widgets)"}, raw=True)
