"""JupyterLab in a browser: every notebook opens and runs from its first cell to its last, as a learner would run it."""

import shutil
from pathlib import Path

import pytest

from tests.labs import DONE, OUTPUTS, PATIENCE, READY, end_kernels, lab_on

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
# Each takes a browser, a kernel and its imports: one speaks for the lab in `make test`, all are for `make test-long`.
MARKED = [pytest.param(name, marks=[pytest.mark.long] if place else []) for place, name in enumerate(NOTEBOOKS)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server on copies of the notebooks; its address."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with lab_on(folder / "notebooks", folder) as address:
        yield address


@pytest.mark.parametrize("name", MARKED)
def test_a_notebook_opens_and_runs_all_its_cells(browser, lab, name):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    try:
        # A workspace of its own: the default one brings back the notebook opened last, in front of this one.
        page.goto(f"{lab}/lab/workspaces/{name}/tree/{name}.ipynb?token=t&reset")
        page.wait_for_function(READY, arg=f"{name}.ipynb", timeout=PATIENCE * 1000)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(DONE, timeout=PATIENCE * 1000, polling=500)
        outputs = [output for cell in page.evaluate(OUTPUTS) for output in cell]
        drawn = page.evaluate(
            "[...document.querySelectorAll('.jp-OutputArea-output img')].map(e => e.naturalWidth > 0)"
        )
    finally:
        page.close()
        end_kernels(lab)
    assert [said for kind, said, _, _ in outputs if kind == "error"] == []
    assert [kinds for _, _, kinds, _ in outputs if "application/vnd.cxlib.answer+json" in kinds]
    figures = [alt for _, _, kinds, alt in outputs if "image/png" in kinds]
    assert len(drawn) >= len(figures) and all(drawn) and all(figures)
