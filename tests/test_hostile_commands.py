"""Notebooks, plans and folders that nobody made with cx, through `cx show`, `list`, `schedule` and `workshop`."""
# ruff: noqa: E501  (a fault is one line, however long)

import itertools
import json

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib import __main__ as command
from cxlib import learner_copies
from tests.hostile import NASTY, cells, told
from tests.test_hostile_parameters import TYPED, plans

patient = settings(suppress_health_check=list(HealthCheck))
COUNT = itertools.count()
odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | cells
    | st.lists(cells, max_size=2)
    | st.dictionaries(cells, cells, max_size=2)
)
lines = st.lists(
    st.sampled_from(TYPED.splitlines()) | st.sampled_from(["n: int = 1", "a: int = []", "x = y", "from os import *", "a: b: c"])
    | st.tuples(st.sampled_from(["n", "lambda", "x y", "é"]), cells, cells).map(lambda part: "{}: {} = {}".format(*part)) | cells,
    max_size=5,
).map("\n".join) | st.sampled_from(["n: int = " + "(" * 3000, "n: int = " + "-" * 3000 + "1", "n: int = " + "9" * 5000, "#" * 5000])  # fmt: skip


@st.composite
def notebooks(draw):
    """Bytes of a notebook: its parameters odd, a part of its JSON changed, or cut short."""
    cell = nbformat.v4.new_code_cell(draw(lines), metadata={"tags": ["parameters"]})
    title = nbformat.v4.new_markdown_cell(draw(st.sampled_from(["# A question?", *NASTY])))
    book = json.loads(nbformat.writes(nbformat.v4.new_notebook(cells=[title, cell])))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.sampled_from([book, book["metadata"], *(part for part in book["cells"] if isinstance(part, dict))]
                                     if isinstance(book.get("cells"), list) and isinstance(book.get("metadata"), dict) else [book]))  # fmt: skip
        key = draw(st.sampled_from(sorted(place)) if place else st.just("x"))
        place[key] = draw(odd)
    content = json.dumps(book).encode("utf-8", "replace")
    return content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 9)) == 0 else content


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A folder of notebooks, which `cx` stands beside."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    return tmp_path / "notebooks"


@patient
@given(notebooks() | st.binary(max_size=60))
def test_show_and_list_a_notebook(beside, capsys, content):
    (beside / "1-own.ipynb").write_bytes(content)
    shown = told(capsys, command.main, "show", "1-own", codes=(0, 2))
    listed = told(capsys, command.main, "list", codes=(0, 2))
    assert listed == 0 or shown == 2  # what can be shown can be listed


@patient
@given(plans(), st.sampled_from(["cron", "systemd", "actions", "airflow"]) | cells,
       st.dictionaries(st.sampled_from(["--out", "--workers", "--timeout", "--retries"]), cells | st.sampled_from(["1", "2.5"]), max_size=2))  # fmt: skip
def test_schedule(beside, capsys, plan, system, options):
    book = nbformat.v4.new_code_cell(TYPED, metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[book]), beside / "typed.ipynb")
    (beside / "plan.yml").write_bytes(plan.encode("utf-8", "replace"))
    words = [word for pair in options.items() for word in pair]
    told(capsys, command.main, "schedule", beside / "plan.yml", f"--for={system}", *words, codes=(0, 2))


@pytest.fixture(scope="module")
def made_once():
    """The learners' files, which do not depend on where they go."""
    files = tuple(learner_copies.contents())
    return lambda: files


@patient
@given(
    st.lists(cells, min_size=1, max_size=2).map("/".join),
    st.sampled_from([None, None, "a file", "a notebook", "a folder"]),
)
def test_workshop_folders(tmp_path, monkeypatch, made_once, capsys, name, there):
    monkeypatch.setattr(learner_copies, "contents", made_once)
    inside = name.replace("..", "_").lstrip("/")
    place = tmp_path / str(next(COUNT))
    place.mkdir()
    first = made_once()[0][0]
    if there and not inside.strip("/"):
        {"a file": lambda: (place / "data").touch(), "a folder": lambda: (place / first).mkdir(),
         "a notebook": lambda: (place / first).write_bytes(b"{")}[there]()  # fmt: skip
    code = told(capsys, command.main, "workshop", f"--out={place}/{inside}", codes=(0, 2))
    assert code == 2 or (place / inside / first).exists()
