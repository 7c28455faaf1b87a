"""Every page at minimums that hide much of it, or all: it is made, says so, and shows nothing of too few.

Each notebook is run cell by cell without a kernel; figures are read by their text alternatives and their artists.
"""

import ast
import json
import re

import IPython.display
import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pytest
from great_tables import GT
from matplotlib.text import Text

from cxlib import plots, wording
from cxlib.answercell import MIME
from cxlib.study import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
EVERYONE = 100_000  # more than the example has of anything
# Columns of tables that count people or what they did.
COUNTED = {"left out", "in the data", "this period", "counted here", "not so", *"n rows kept answers customers".split()}
QUOTED = "What was published"  # the table of what others have counted
SIZES = re.compile(r"\bn = ([\d,]+)|([\d,]+) at risk")
# What is left of a number that was hidden in the middle of a sentence.
HOLES = re.compile(r"\bnan\b|n = –|\(– to –\)|– percentage|\bof – |For – |– (?:of|points|customers|answers|tickets)")
OF_NOBODY = {  # touchpoints, a made-up company, which months were loaded, what others have published
    "Where service lies", "One sample, one interval", "Rows by month", "How sure the published shares are",
}  # fmt: skip
HEAVY = ("01", "02", "03")  # seconds each; the others are tried by `make test` too
ALL = [pytest.param(path, marks=[pytest.mark.long] * path.stem.startswith(HEAVY)) for path in NOTEBOOKS]


class Page:
    """What a notebook would show, in order: texts, tables, figures, the answer."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.tables: list[GT] = []
        self.figures: list[tuple[str, list[str]]] = []
        self.answer: dict = {}

    def add(self, given, **_):
        if isinstance(given, dict):
            self.answer = given.get(MIME, self.answer)
        elif isinstance(given, GT):
            self.tables.append(given)
        elif isinstance(given, tuple):
            for one in given:
                self.add(one)
        elif given is not None and given is not False:
            self.texts.append(str(given))

    def draw(self, ax, told=""):
        if ax is not None:
            seen = [text.get_text() for text in ax.figure.findobj(Text)]
            self.figures.append((plots.alt(ax), [text for text in seen if text]))
            plt.close(ax.figure)


def page(path, monkeypatch, **parameters):
    shown, there = Page(), {"__name__": "page"}
    monkeypatch.setattr(IPython.display, "display", lambda *given, **_: [shown.add(one) for one in given])
    monkeypatch.setattr(plots, "show", shown.draw)
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell.id, "exec"), there)
        if "parameters" in cell.metadata.get("tags", []):
            there.update(parameters)
        if last is not None:
            shown.add(eval(compile(ast.Expression(last.value), cell.id, "eval"), there))
    return shown


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)
    plt.close("all")


def counts(table):
    """The counts of people in a table: its title, the column and the number."""
    if (table._heading.title or "").startswith(QUOTED):
        return
    data = pd.DataFrame(table._tbl_data)
    data = data[~data.iloc[:, 0].astype(str).str.contains("touchpoint")]
    for name in COUNTED & set(data):
        for cell in data[name].astype(str).str.replace(",", ""):
            if cell.isdigit():
                yield table._heading.title, name, int(cell)


def sizes(text):
    return [int(next(filter(None, found)).replace(",", "")) for found in SIZES.findall(text)]


def check(shown, least):
    """What holds of any page at any minimum."""
    assert shown.answer["sentence"].endswith(".")
    assert [one for one in shown.answer["answers"] if one["n"] < least] == []
    assert [one for table in shown.tables for one in counts(table) if 0 < one[2] < least] == []
    told = [*shown.texts, *(part for alt, artists in shown.figures for part in (alt, *artists))]
    told = [text for text in told if "respondents" not in text and "samples of" not in text and "Published" not in text]
    assert [text for text in told if HOLES.search(text)] == []
    assert [text for text in told if any(0 < n < least for n in sizes(text))] == []


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem[:2])
def test_a_page_of_which_all_is_hidden_says_so_and_shows_nothing(path, monkeypatch):
    shown = page(path, monkeypatch, minimum_group=EVERYONE)
    check(shown, EVERYONE)
    assert shown.answer["answers"] == []
    assert any(text.startswith("Not shown: too few, as fewer than 100,000") for text in shown.texts)
    drawn = {alt.split(".")[0] for alt, _ in shown.figures}
    assert drawn <= OF_NOBODY
    json.dumps(shown.answer)


@pytest.mark.long
@pytest.mark.parametrize("least", [60, 500, 1500, 3000])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:2])
def test_a_page_of_which_some_is_hidden_shows_nothing_of_too_few(path, least, monkeypatch):
    check(page(path, monkeypatch, minimum_group=least), least)
