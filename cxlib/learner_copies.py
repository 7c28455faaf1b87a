"""Learner copies of the workshop: notebooks without answers, small data files, a handout; as a folder or a zip."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from . import csvfile, workshop_figures
from .errors import CxError, listed, refuse
from .forest import alt
from .knobs import turned
from .lessons import FILES, given
from .page import render_page
from .parameters import nbformat, read_notebook
from .paths import writing
from .study import ROOT

SOURCE = ROOT / "notebooks" / "workshop"
REMOVED = ("solution", "facilitator")  # tags of cells that learners do not get
TAGS = (*REMOVED, "exercise", "hint", "check")
HANDOUT = "handout.html"
STAMP = (2026, 1, 1, 0, 0, 0)  # of every file in a zip, so that equal folders make equal zips


@dataclass(frozen=True)
class Copies:
    """What was written, and what was left because someone has worked in it."""

    folder: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    zip: Path | None

    def __str__(self) -> str:
        count = f"{len(self.written)} files for learners"
        kept = f"; kept, for they have been worked in: {', '.join(self.kept)}" if self.kept else ""
        return f"{count}{kept}; {self.folder}{f'; {self.zip}' if self.zip else ''}"


def write_workshop(out: str | Path, zipped: bool = False) -> Copies:
    """Write the learners' folder: four notebooks without answers, their data, a handout to print.

    Parameters
    ----------
    out : folder; made where it does not exist
    zipped : also write <out>.zip with the folder in it

    Returns
    -------
    Copies. A notebook that is already there and differs in its cells is kept: it is somebody's work.

    Raises
    ------
    CxError : the place cannot be written to, or a notebook of the workshop has cells with unknown tags.
    """
    folder = Path(out)
    files = dict(contents())
    with writing(folder):
        (folder / "data").mkdir(parents=True, exist_ok=True)
        kept = tuple(name for name in files if name.endswith(".ipynb") and _worked_in(folder / name, files[name]))
        for name in files:
            if name not in kept:
                (folder / name).write_bytes(files[name])
        packed = _zipped(folder, files) if zipped else None
    return Copies(folder, tuple(name for name in files if name not in kept), kept, packed)


def contents() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file of the learners' folder."""
    sources = sorted(SOURCE.glob("[1-9]-*.ipynb"))
    refuse([] if sources else [f"no workshop notebook in '{SOURCE}'; run cx from a clone of the kit"])
    for source in sources:
        yield source.name, nbformat.writes(learner_copy(read_notebook(source))).encode()
    for name in FILES:
        yield f"data/{name}", csvfile.written(given(name))
    yield HANDOUT, handout().encode()


def learner_copy(notebook: Any) -> Any:
    """The notebook without answers and facilitator's cells, and without outputs; nothing else is changed."""
    unknown = {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])} - set(TAGS)
    refuse(
        [f"cells have tags that mean nothing here: {listed(sorted(unknown))}; there are: {listed(TAGS)}"]
        * bool(unknown)
    )
    copy = nbformat.from_dict(notebook)
    copy.cells = [cell for cell in copy.cells if not set(REMOVED) & set(cell.metadata.get("tags", []))]
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copy


def handout() -> str:
    """One page to print: the words and measures of the workshop, and the figure that it turns on."""
    text = (SOURCE / "handout.md").read_text(encoding="utf-8")
    before, _, after = text.partition("<!-- figure -->\n")
    ax = workshop_figures.knobs(turned(), terms=("service",))
    assert ax is not None
    cells = [nbformat.v4.new_markdown_cell(before), _shown(ax), nbformat.v4.new_markdown_cell(after)]
    return render_page(nbformat.v4.new_notebook(cells=cells), "To print, one page")


def _shown(ax: Axes) -> Any:
    """A cell that has displayed a figure."""
    buffer = io.BytesIO()
    ax.figure.savefig(buffer, format="png", dpi=150)  # type: ignore[union-attr]
    plt.close(ax.figure)  # type: ignore[arg-type]
    image = base64.b64encode(buffer.getvalue()).decode()
    picture = nbformat.v4.new_output("display_data", {"image/png": image}, metadata={"image/png": {"alt": alt(ax)}})
    return nbformat.v4.new_code_cell("", execution_count=1, outputs=[picture])


def _worked_in(path: Path, fresh: bytes) -> bool:
    """Whether a notebook is there whose cells are not those it would be written with."""
    if not path.is_file():
        return False
    try:
        there = [cell.source for cell in read_notebook(path).cells]
    except CxError:
        return True
    return there != [cell.source for cell in nbformat.reads(fresh.decode(), as_version=4).cells]


def _zipped(folder: Path, files: dict[str, bytes]) -> Path:
    """<folder>.zip with fresh copies, whatever has been worked in."""
    path = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"{folder.resolve().name}/{name}", STAMP), content)
    return path
