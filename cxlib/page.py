"""An executed notebook as one self-contained HTML page: question, answer, sections. It asks nothing of any host."""

from __future__ import annotations

import base64
import functools
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import bleach
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from PIL import Image
from traitlets.config import Config

from .pictures import small_png
from .questions import title_of
from .tidy import tidy

HERE = Path(__file__).parent
SHOWN = ["image/svg+xml", "image/png", "image/jpeg", "text/html", "text/markdown", "text/plain"]
TAGS = frozenset(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6"
    " hr i img kbd li mark ol p pre s small span strong sub summary sup table tbody td tfoot th thead tr u ul".split()
)
ATTRIBUTES = {"class", "colspan", "rowspan", "scope", "lang", "start", "alt", "width", "height", "title"}
# Their content is code or foreign markup, not text: bleach would keep it as words on the page.
DROPPED = "script style template iframe object embed svg math noscript form button head".split()
EMBEDDED = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def render_page(
    notebook: NotebookNode,
    name: str,
    parameters: Sequence[Mapping[str, object]] = (),
    sentence: str = "",
    facts: Sequence[tuple[str, str]] = (),
    code: bool = False,
) -> str:
    """HTML of an executed notebook.

    Parameters
    ----------
    notebook : executed notebook; figures carry `alt` and `caption` in their output metadata (`image/png`).
    name : the notebook's stem, shown above the title with the fact called Made.
    parameters : one mapping a parameter with name, value, default, help and changed.
    sentence : the answer, shown under the title.
    facts : (name, value) pairs for the foot of the page.
    code : include the code, folded.

    Returns
    -------
    One HTML document: style and figures inside, no script, a content policy that forbids both scripts and requests.

    Notes
    -----
    HTML and Markdown of cells and outputs are sanitised, since a cell may print what it found in the data.
    """
    eyebrow = " · ".join(filter(None, [name, dict(facts).get("Made")]))
    page: dict[str, object] = {
        "title": title_of(notebook) or name,
        "eyebrow": eyebrow,
        "sentence": sentence,
        "facts": facts,
    }
    page["parameters"] = [{key: shown(value) for key, value in row.items()} for row in parameters]
    html, _ = _exporter(code).from_notebook_node(_without_silent_sections(notebook), resources={"page": page})
    return tidy(CONTROL.sub("\N{REPLACEMENT CHARACTER}", html))


def _without_silent_sections(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the sections whose code showed nothing: the study does not feed them, and has said so."""
    sections: list[list[NotebookNode]] = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            sections.append([])
        sections[-1].append(cell)
    told = [section for section in sections if not _silent([cell for cell in section if cell.cell_type == "code"])]
    return NotebookNode(notebook | {"cells": [cell for section in told for cell in section]})


def _silent(cells: Sequence[NotebookNode]) -> bool:
    return bool(cells) and all(cell.execution_count and not cell.outputs for cell in cells)


def shown(value: object) -> object:
    """A parameter's value as a reader sees it: an empty text or list is said in words."""
    if isinstance(value, bool):
        return value
    return "(empty)" if value in ("", []) else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def clean(html: str) -> str:
    """HTML from a cell without anything that could run, load or imitate the page."""
    soup = BeautifulSoup(html, "html.parser")
    for element in soup(DROPPED) + [image for image in soup("img") if not EMBEDDED.match(image.get("src", ""))]:
        element.decompose()
    return bleach.clean(
        str(soup), tags=TAGS, attributes=_allowed, protocols={"http", "https", "mailto", "data"}, strip=True
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "src":
        return tag == "img" and EMBEDDED.match(value) is not None
    if name == "href":
        return tag == "a" and not value.strip().lower().startswith("data:")
    return name in ATTRIBUTES


def png_size(source: str) -> str:
    """Width and height attributes in CSS pixels (96 to the inch), so that a 150 dpi figure keeps its size in inches."""
    with Image.open(io.BytesIO(base64.b64decode(source))) as image:
        scale = 96 / (image.info.get("dpi") or (96, 96))[0]
        width, height = (round(side * scale) for side in image.size)
    return f' width="{width}" height="{height}"'


def _alt_text(output: NotebookNode, mime: str) -> str:
    """What a figure shows, in words; `tidy` names the section where a figure has none."""
    metadata = output.get("metadata", {})
    return metadata.get(mime, {}).get("alt") or metadata.get("alt") or ""


@functools.cache
def _exporter(code: bool) -> HTMLExporter:
    """One for all pages of this process: reading the template takes as long as filling it."""
    config = Config({"NbConvertBase": {"display_data_priority": SHOWN}})
    exporter = HTMLExporter(
        config=config,
        template_name="template",
        extra_template_basedirs=[str(HERE)],
        exclude_input=not code,
        exclude_anchor_links=True,
    )
    for name, function in {"clean": clean, "small_png": small_png, "png_size": png_size, "alt_text": _alt_text}.items():
        exporter.register_filter(name, function)
    return exporter
