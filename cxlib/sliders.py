"""What-if sliders where somebody is there to move them; everywhere else the table they would begin with."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from IPython.display import display

# Set by the server of JupyterLab for the kernels of its notebooks, and by nothing that renders a report.
LIVE = "JPY_SESSION_NAME"


def live() -> bool:
    """Whether somebody has this notebook open in JupyterLab."""
    return bool(os.environ.get(LIVE))


def explore(shown: Callable[..., Any], **ends: tuple[float, float, float]) -> None:
    """Display what a function gives at its defaults; in JupyterLab with a slider for each of the arguments named.

    Parameters
    ----------
    shown : function whose arguments all have defaults, such as one that returns a table; None shows nothing
    ends : argument -> (lowest, highest, step); the slider begins at the default, which widens the ends if need be

    Notes
    -----
    A report has nobody to move a slider, and one without its front end would leave an empty line: there the result at
    the defaults is all that is displayed.
    """
    if not live():
        found = shown()
        if found is not None:
            display(found)
        return
    from ipywidgets import interact

    interact(shown, **{name: _slider(shown, name, *range_) for name, range_ in ends.items()})


def _slider(shown: Callable[..., Any], name: str, low: float, high: float, step: float) -> Any:
    from inspect import signature

    from ipywidgets import FloatSlider, IntSlider

    value = signature(shown).parameters[name].default
    whole = all(isinstance(number, int) for number in (value, low, high, step))
    kind = IntSlider if whole else FloatSlider
    return kind(value=value, min=min(low, value), max=max(high, value), step=step, continuous_update=False,
                description=name.replace("_", " "), style={"description_width": "initial"})  # fmt: skip
