"""What the notebooks ask, read from the notebooks themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

SHELF = Path(__file__).parents[1] / "notebooks"
DECISION = re.compile(r"\*\*The decision\.\*\*\s*(.+?)\s*(?=\*\*|$)", re.MULTILINE)


def title_of(notebook: Mapping[str, Any]) -> str:
    """The question a notebook asks: its first level-one heading, as plain text."""
    found = next(_found(notebook, re.compile(r"^#\s+(.+?)\s*#*$", re.MULTILINE)), "")
    return re.sub(r"[*_`]", "", found)


def decision_of(notebook: Mapping[str, Any]) -> str:
    """The decision it serves, as its first page says."""
    return next(_found(notebook, DECISION), "").rstrip(".")


def questions(folder: Path = SHELF) -> pd.DataFrame:
    """The numbered notebooks of a folder: notebook, question, decision; none where there is no such folder."""
    read = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("[0-9]*.ipynb"))]
    rows = [(stem, title_of(notebook), decision_of(notebook)) for stem, notebook in read]
    return pd.DataFrame(rows, columns=["notebook", "question", "decision"])


def _found(notebook: Mapping[str, Any], pattern: re.Pattern[str]) -> Iterator[str]:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and (match := pattern.search("".join(cell["source"]))):
            yield match[1]
