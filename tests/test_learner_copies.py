"""Learner copies: nothing but answers and the facilitator's cells is gone; they run anywhere, and every check waits."""

import functools
import re
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from cxlib import learner_copies
from cxlib.__main__ import main
from cxlib.errors import CxError, one_line
from cxlib.kernels import ThisPython
from cxlib.learner_copies import REMOVED, SOURCE, TAGS, contents, handout, learner_copy, write_workshop
from cxlib.lessons import FILES, SECRET, full
from cxlib.page import render_page
from cxlib.workshop import EXERCISES

SOURCES = sorted(SOURCE.glob("*.ipynb"))
NAMES = [path.name for path in SOURCES]
MOST_LINES = 8  # of a cell that learners see


def read(name):
    return nbformat.read(SOURCE / name, 4)


def tags(cell):
    return cell.metadata.get("tags", [])


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in tags(cell)]


def run(notebook, folder):
    NotebookClient(
        notebook, timeout=300, kernel_manager_class=ThisPython, resources={"metadata": {"path": folder}}
    ).execute()
    return notebook


def told(cell):
    """What a cell that has been run shows, as text."""
    return "\n".join(output.data.get("text/plain", "") for output in cell.outputs if "data" in output)


@functools.cache
def solved(name):
    with tempfile.TemporaryDirectory() as folder:
        return run(read(name), folder)


@functools.cache
def learned(name):
    """The learner's notebook, run where it was copied to: a path with a space and an accent, data not to be written."""
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there) / "Übung für Anfänger"
        made = Path(there) / "made"
        write_workshop(made)
        shutil.copytree(made, folder)
        shutil.rmtree(made)
        for file in (folder / "data").iterdir():
            file.chmod(stat.S_IRUSR)
        (folder / "data").chmod(stat.S_IRUSR | stat.S_IXUSR)
        notebook = run(nbformat.read(folder / name, 4), folder)
        (folder / "data").chmod(stat.S_IRWXU)
        return notebook


# How they are built


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_clean_and_asks_in_one_order(name):
    """Exercise, hints, solution, check; each check one of the exercises, in their order; outputs none."""
    notebook = read(name)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# ") and notebook.cells[0].source.split("\n")[0].endswith("?")
    assert all(re.fullmatch(r"[a-z][a-z-]+", cell.id) for cell in notebook.cells)
    assert [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []
    order = [tag for cell in notebook.cells for tag in tags(cell) if tag != "facilitator"]
    asked = [re.search(r'check\("(.*?)"', cell.source)[1] for cell in tagged(notebook, "check")]
    assert order == ["exercise", "hint", "solution", "check"] * len(asked)
    assert asked == [key for key in EXERCISES if key.startswith(name[0])]
    assert {tag for cell in notebook.cells for tag in tags(cell)} == set(TAGS)
    assert f"progress({name[0]})" in notebook.cells[-1].source


@pytest.mark.parametrize("name", NAMES)
def test_hints_come_in_two_steps(name):
    for cell in tagged(read(name), "hint"):
        assert cell.source.count("<details>") == cell.source.count("</details>") == 2
        assert cell.source.index("First hint") < cell.source.index("Second hint")


@pytest.mark.parametrize("name", NAMES)
def test_only_answers_and_facilitators_cells_are_gone(name):
    source = read(name)
    copy = learner_copy(source)
    gone = [cell.id for cell in source.cells if set(REMOVED) & set(tags(cell))]
    assert gone and all("solution" in id_ or "note" in id_ for id_ in gone)
    kept = [cell for cell in source.cells if cell.id not in gone]
    assert copy.cells == kept
    assert copy.metadata == source.metadata


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_that_learners_see_is_long(name):
    assert [cell.id for cell in learner_copy(read(name)).cells
            if cell.cell_type == "code" and len(cell.source.split("\n")) > MOST_LINES] == []  # fmt: skip


def test_a_tag_that_means_nothing_is_refused():
    notebook = read(NAMES[0])
    notebook.cells[3].metadata["tags"] = ["solutoin"]
    with pytest.raises(CxError, match="cells have tags that mean nothing here: 'solutoin'; there are: 'solution'"):
        learner_copy(notebook)


# What they do


@pytest.mark.parametrize("name", NAMES)
def test_solutions_pass_every_check(name):
    notebook = solved(name)
    assert [told(cell)[:80] for cell in tagged(notebook, "check") if not told(cell).startswith("✔ Right")] == []
    assert re.match(r"(\d+) of \1 exercises done. Well done.", told(notebook.cells[-1]))


@pytest.mark.parametrize("name", NAMES)
def test_learner_copies_run_anywhere_and_every_check_waits(name):
    notebook = learned(name)
    checks = tagged(notebook, "check")
    assert len(checks) >= 5
    assert [told(cell)[:80] for cell in checks if not told(cell).startswith("○ Not yet")] == []
    assert told(notebook.cells[-1]).startswith(f"0 of {len(checks)} exercises done. Not yet: ")
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"] == []
    assert [output.evalue for output in outputs if output.output_type == "error"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_static_page_shows_the_default_state(name):
    """Without a kernel: figures and sentences at the defaults, boards and sliders told in words."""
    notebook = learned(name)
    page = render_page(notebook, "workshop")
    figures = re.findall(r"<img[^>]*alt=\"([^\"]*)\"", page)
    assert figures and all(len(alt) > 60 for alt in figures)
    assert "Exercise" in page and "Not yet" in page
    if name.startswith("1"):
        assert "A shoe shop sends Mira a coupon" in page and "To choose from: service, experience beyond" in page
    else:
        assert ("Sliders, here at their defaults" in page) and ("(widgets)" not in page)
    assert "VBox(" not in page


@pytest.mark.parametrize("name", NAMES)
def test_figures_can_be_read_from_the_last_row(name):
    """At 150 dots to the inch a figure is 780 pixels wide in JupyterLab: letters of 12 points are 25 pixels high."""
    import base64
    import io

    from PIL import Image

    for cell in (cell for cell in learned(name).cells if cell.cell_type == "code"):
        for output in (o for o in cell.outputs if "image/png" in o.get("data", {})):
            size = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).size
            assert 700 <= size[0] <= 900 and size[1] <= 1500, (cell.id, size)


# The folder


def test_the_folder_holds_no_answer(tmp_path):
    write_workshop(tmp_path / "out")
    for name in FILES:
        there = pd.read_csv(tmp_path / "out" / "data" / name)
        assert set(there.columns) == set(full(name).columns) - set(SECRET[name])
        assert len(there) == len(full(name))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*NAMES, "data", "handout.html"]
    for path in (tmp_path / "out").glob("*.ipynb"):
        assert set(REMOVED).isdisjoint(tag for cell in nbformat.read(path, 4).cells for tag in tags(cell))


def test_work_found_in_the_folder_is_kept(tmp_path):
    write_workshop(tmp_path)
    mine = nbformat.read(tmp_path / NAMES[1], 4)
    mine.cells[1].source = "my_work = 1"
    nbformat.write(mine, tmp_path / NAMES[1])
    copies = write_workshop(tmp_path)
    assert copies.kept == (NAMES[1],)
    assert nbformat.read(tmp_path / NAMES[1], 4).cells[1].source == "my_work = 1"
    assert "kept, for they have been worked in: 2-measure-it.ipynb" in str(copies)


def test_a_notebook_that_was_only_run_is_written_anew(tmp_path):
    write_workshop(tmp_path)
    run_before = nbformat.read(tmp_path / NAMES[0], 4)
    run_before.cells[-1].execution_count = 7
    nbformat.write(run_before, tmp_path / NAMES[0])
    assert write_workshop(tmp_path).kept == ()
    assert nbformat.read(tmp_path / NAMES[0], 4).cells[-1].execution_count is None


def test_the_command_writes_folder_and_zip(tmp_path, capsys):
    assert main(["workshop", "--out", str(tmp_path / "Übung 1"), "--zip"]) == 0
    assert capsys.readouterr().out.startswith("8 files for learners; ")
    with zipfile.ZipFile(tmp_path / "Übung 1.zip") as archive:
        assert sorted(archive.namelist()) == sorted(f"Übung 1/{name}" for name, _ in contents())
        archive.extractall(tmp_path / "again")
    for name, content in contents():
        assert (tmp_path / "again" / "Übung 1" / name).read_bytes() == content or name == "handout.html"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["workshop", "--out", str(tmp_path / "file")]) == 2
    assert re.match(r"cx: '.*file' cannot be written to: .*; name another folder\n$", capsys.readouterr().err)


def test_the_handout_is_one_page_with_the_figure_in_words():
    page = handout()
    assert page.count("<h1") == 1
    alt = re.search(r"<img[^>]*alt=\"([^\"]*)\"", page)[1]
    assert "Naive" in alt or "naive" in alt
    assert 'src="http' not in page and "<script" not in page
    for word in ("Experience", "Service", "NPS", "CSAT", "CES", "naive share", "adjusted share"):
        assert word in page


def test_without_the_sources_of_the_workshop_it_says_where_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(learner_copies, "SOURCE", tmp_path)
    assert main(["workshop", "--out", str(tmp_path / "out")]) == 2
    told = f"cx: no workshop notebook in '{one_line(tmp_path)}'; run cx from a clone of the kit\n"
    assert capsys.readouterr().err == told
