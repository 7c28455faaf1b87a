"""What the notebooks ask. Authority: handmade notebooks, and the shelf itself."""

import json

import pytest

from cxlib.parameters import find_notebooks
from cxlib.questions import SHELF, decision_of, questions, title_of


def notebook(*texts):
    return {"cells": [{"cell_type": "code", "source": "# no title"},
                      *({"cell_type": "markdown", "source": text} for text in texts)]}  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "title", "decision"),
    [
        (
            ["# Why *so*?\n\n**The decision.** What to do next. **Unit of analysis:** one."],
            "Why so?",
            "What to do next",
        ),
        (["words", "## Not this", "# Is `it`? #"], "Is it?", ""),
        ([["# Two\n", "**The decision.** To go on."]], "Two", "To go on"),
        (["nothing"], "", ""),
    ],
)
def test_the_first_title_and_the_decision_are_read(texts, title, decision):
    assert (title_of(notebook(*texts)), decision_of(notebook(*texts))) == (title, decision)


def test_every_numbered_notebook_of_the_shelf_asks_and_serves_a_decision():
    found = questions()
    assert found["notebook"].tolist() == [path.stem for path in find_notebooks([])]
    assert found["question"].str.endswith("?").all()
    assert found["decision"].str.len().gt(20).all()


def test_other_folders_are_read_and_their_loose_notebooks_left_out(tmp_path):
    for name in ("05-five", "01-one", "loose"):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook(f"# {name}?")))
    assert questions(tmp_path)["question"].tolist() == ["01-one?", "05-five?"]
    assert questions(tmp_path / "gone").empty
    assert SHELF.is_dir()
