"""Is this laptop ready for the workshop? A few lines on Windows, macOS and Linux alike, and nothing is raised."""

from __future__ import annotations

import html
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .marking import AMBER, GREEN

NEEDED = (3, 11)
PACKAGES = ("numpy", "pandas", "matplotlib", "duckdb", "statsmodels", "jupyterlab", "ipywidgets", "jupyterlab_widgets")
SYSTEMS = {"Windows": "Windows", "Darwin": "macOS", "Linux": "Linux"}
SLOW = 5.0  # seconds that no cell should take


@dataclass(frozen=True)
class Check:
    """One thing a laptop needs; `remedy` says what to do where it is not there, "" where it is."""

    name: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Readiness:
    """All checks of a laptop; a notebook shows them as a table."""

    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool:
        return not any(check.remedy for check in self.checks)

    def __str__(self) -> str:
        head = "✔ This laptop is ready." if self.ready else "○ This laptop is not ready yet."
        lines = [
            f"{'○' if c.remedy else '✔'} {c.name}: {c.found}{f'. {c.remedy}' if c.remedy else ''}" for c in self.checks
        ]
        return "\n".join([head, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *lines = str(self).split("\n")
        colour = GREEN if self.ready else AMBER
        rows = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        return (
            f'<div class="cx-check" style="border-left:8px solid {colour};padding:.5em 1em;font-size:1.1em">'
            f'<strong style="color:{colour}">{head}</strong><ul style="list-style:none;padding-left:0">'
            f"{rows}</ul></div>"
        )


def preflight() -> Readiness:
    """Whether this laptop can run the workshop: Python, packages, data, a figure, speed, and a folder to write to.

    Works without a network and raises nothing; `print` it in a terminal.
    """
    looks: dict[str, Callable[[], Check]] = {
        "System": _system, "Python": _python, "Packages": _packages, "Data": _data, "Figures and speed": _speed,
        "Folder": _folder,
    }  # fmt: skip
    return Readiness(tuple(_safely(name, look) for name, look in looks.items()))


def _safely(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Exception as error:
        return Check(name, f"{type(error).__name__}: {error}", "Show this line to the facilitator")


def _system() -> Check:
    name = platform.system()
    known = SYSTEMS.get(name)
    remedy = "" if known else "Windows, macOS or Linux is expected; go on, and tell the facilitator"
    return Check("System", f"{known or name or 'unknown'} {platform.release()}", remedy)


def _python() -> Check:
    wanted = ".".join(map(str, NEEDED))
    remedy = "" if sys.version_info >= NEEDED else f"Install Python {wanted} or newer, then the kit anew"
    return Check("Python", platform.python_version(), remedy)


def _packages() -> Check:
    missing = []
    for name in PACKAGES:
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(name)
    remedy = f"Install them: {Path(sys.executable).name} -m pip install {' '.join(missing)}" if missing else ""
    return Check("Packages", f"{', '.join(missing)} missing" if missing else f"all {len(PACKAGES)} there", remedy)


def _data() -> Check:
    from .lessons import full, leavers

    count = int(leavers()["customers"].sum())
    return Check("Data", f"{count:,} customers at risk, {len(full('workshop_scenes.csv'))} scenes")


def _speed() -> Check:
    import matplotlib.pyplot as plt

    from .classroom import world

    for faults in (30, 31):  # the first one loads what the others share
        start = time.perf_counter()
        ax, _ = world(faults=faults)
        ax.figure.canvas.draw()
        seconds = time.perf_counter() - start
        plt.close(ax.figure)  # type: ignore[arg-type]
    slow = "Close other programs and put the laptop on mains power" if seconds > SLOW else ""
    told = f"{seconds:.1f} s" if slow else f"less than {SLOW:g} s"
    return Check("Figures and speed", f"one turn of a slider takes {told}", slow)


def _folder() -> Check:
    from tempfile import TemporaryFile

    try:
        with TemporaryFile(dir=Path.cwd()):
            return Check("Folder", f"{Path.cwd().name} may be written")
    except OSError:
        return Check("Folder", f"{Path.cwd().name} is read-only: your own files go to {Path.home()}")
