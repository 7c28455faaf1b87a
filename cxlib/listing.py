"""The list of runs, index.html: opens from a file:// address, newest run first, each report with its answer."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

TEMPLATES = Path(__file__).parent / "template"


def write_index(out: Path) -> None:
    """Write `out`/index.html from the run.json of every run in `out`/runs, replacing it at once."""
    records = sorted((out / "runs").glob("[0-9]*/run.json"), reverse=True)
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in records]
    page = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template("runs.html.j2")
    part = out / ".index.html.part"
    part.write_text(page.render(runs=runs), encoding="utf-8")
    part.replace(out / "index.html")
