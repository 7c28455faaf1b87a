"""The workshop in JupyterLab, as a learner meets it: a folder copied elsewhere, a slider moved, an answer typed."""

import os
import re
import stat
from contextlib import contextmanager

import pytest

from cxlib.learner_copies import handout, write_workshop
from tests.labs import DONE, PATIENCE, READY, end_kernels, lab_on

WAIT = PATIENCE * 1000
SHOTS = os.environ.get("CX_SHOTS")  # a folder for pictures to look at
NAMES = ("1-what-is-service-what-is-experience", "2-measure-it", "3-why-do-customers-leave", "4-what-moves-nps")
# Image, text alternative and words of one cell's output.
SHOWN = """id => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cell = panel.content.widgets.find(cell => cell.model.id === id);
    const outputs = cell.model.sharedModel.outputs, images = outputs.filter(o => o.data?.["image/png"]);
    return {errors: outputs.filter(o => o.output_type === "error").map(o => o.evalue),
        alt: images.map(o => (o.metadata["image/png"] || {}).alt || "").join(" "),
        image: images.map(o => o.data["image/png"]).join("").length,
        words: outputs.map(o => [o.data?.["text/markdown"] || ""].flat().join("")).join(" "),
        page: cell.node.innerText};
}"""
# Put a text into a cell and run it, and the check that follows.
TYPE = """async ([id, source, check]) => {
    const panel = window.jupyterapp.shell.currentWidget;
    for (const [at, text] of [[id, source], [check, null]]) {
        panel.content.activeCellIndex = panel.content.widgets.findIndex(cell => cell.model.id === at);
        if (text !== null) panel.content.activeCell.model.sharedModel.setSource(text);
        await window.jupyterapp.commands.execute("notebook:run-cell");
    }
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server on the learners' folder: an awkward path, data that may not be written."""
    folder = tmp_path_factory.mktemp("lab")
    learners = folder / "Übung für Anfänger"
    write_workshop(learners)
    for file in (learners / "data").iterdir():
        file.chmod(stat.S_IRUSR)
    with lab_on(learners, folder) as address:
        yield address


@contextmanager
def opened(browser, lab, name):
    """A learner notebook, every cell of which has been run."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    try:
        page.goto(f"{lab}/lab/workspaces/{name}/tree/{name}.ipynb?token=t&reset")
        page.wait_for_function(READY, arg=f"{name}.ipynb", timeout=WAIT)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(DONE, timeout=WAIT, polling=500)
        yield page
    finally:
        page.close()
        end_kernels(lab)


def shot(page, name):
    """A picture of the whole notebook, where a folder for pictures is named."""
    if SHOTS:
        page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
        high = page.evaluate("document.querySelector('.jp-WindowedPanel-inner').scrollHeight")
        page.set_viewport_size({"width": 1280, "height": int(high) + 200})
        page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        page.wait_for_timeout(1500)
        page.screenshot(path=f"{SHOTS}/{name}.png")


def move(page, label, presses):
    """Move a slider by its keys, as a hand without a mouse would."""
    handle = page.locator(".widget-slider", has_text=label).locator(".noUi-handle").first
    handle.scroll_into_view_if_needed()
    handle.focus()
    for _ in range(presses):
        page.keyboard.press("ArrowRight")


def test_a_slider_moves_figure_and_sentence_and_a_check_turns_green(browser, lab):
    with opened(browser, lab, NAMES[2]) as page:
        before = page.evaluate(SHOWN, "world-shown")
        assert before["errors"] == [] and "of the customers leave" in before["words"] and before["image"] > 10_000
        move(page, "Product faults", 3)
        changed = "([id, old]) => (" + SHOWN + ")(id).words !== old && (" + SHOWN + ")(id).alt !== ''"
        page.wait_for_function(changed, arg=["world-shown", before["words"]], timeout=WAIT)
        page.wait_for_function("([id, old]) => (" + SHOWN + ")(id).alt !== old", arg=["world-shown", before["alt"]])
        after = page.evaluate(SHOWN, "world-shown")
        assert after["image"] != before["image"]
        assert "Not yet" in page.evaluate(SHOWN, "naive-check")["page"]
        page.evaluate(TYPE, ["naive-exercise", "my_naive = 0.423", "naive-check"])
        green = page.locator(".cx-check", has_text="Right").first
        green.wait_for(timeout=WAIT)
        assert green.evaluate("e => getComputedStyle(e).borderLeftColor") == "rgb(0, 102, 79)"
        shot(page, NAMES[2])


@pytest.mark.long
@pytest.mark.parametrize("name", [NAMES[0], NAMES[1], NAMES[3]])
def test_a_learner_notebook_runs_in_the_lab(browser, lab, name):
    with opened(browser, lab, name) as page:
        errors = page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(cell => cell.model.type === "code").flatMap(cell => cell.model.sharedModel.outputs)
            .filter(output => output.output_type === "error").map(output => output.evalue)""")
        assert errors == []
        assert page.locator(".cx-check", has_text="Not yet").count() >= 5
        if name == NAMES[0]:
            page.locator(".cx-scene-3 button", has_text="Service").first.click()
            page.evaluate(TYPE, ["vote-mine", "cx.workshop.vote(my_scope)", "scope-check"])
            page.wait_for_function("id => (" + SHOWN + ")(id).page.includes('??S?????????')", arg="vote-mine")
            assert "Still to be sorted: 1, 2, 4" in page.evaluate(SHOWN, "scope-check")["page"]
        shot(page, name)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_handout_prints_on_one_page(browser, tmp_path, paper):
    (tmp_path / "handout.html").write_text(handout(), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "handout.html").as_uri())
    printed = page.pdf(format=paper)
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
