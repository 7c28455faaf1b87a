"""JupyterLab in a browser: every notebook opens and runs from its first cell to its last, as a learner would run it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
# Each takes a browser, a kernel and its imports: one speaks for the lab in `make test`, all are for `make test-long`.
MARKED = [pytest.param(name, marks=[pytest.mark.long] if place else []) for place, name in enumerate(NOTEBOOKS)]
QUIET = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": (
        '{"checkForUpdates": false, "fetchNews": "false"}'
    ),
    # Otherwise cells out of sight are not in the page.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none"}',
}
PATIENCE = 240  # seconds for one notebook on a machine that does much else


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server on copies of the notebooks; its address."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for name, text in QUIET.items():
        (folder / "settings" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "settings" / name).write_text(text)
    own = {
        "PYTHONPATH": str(ROOT),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "IPYTHONDIR": str(folder / "i"),
    }
    own |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | own
    log = folder / "log.txt"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", "--port=0"]
    command += [f"--ServerApp.root_dir={folder / 'notebooks'}", "--IdentityProvider.token=t", "--allow-root"]
    with (
        open(log, "w") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=environment, cwd=folder) as server,
    ):
        try:
            yield _address(server, log)
        finally:
            server.terminate()
            server.wait(30)


def _address(server, log):
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        if found := re.search(r"http://(?:127\.0\.0\.1|localhost):(\d+)/lab", log.read_text()):
            address = f"http://127.0.0.1:{found[1]}"
            with suppress(urllib.error.URLError), urllib.request.urlopen(f"{address}/api?token=t", timeout=5):
                return address
        time.sleep(0.2)
    raise AssertionError(log.read_text())


# The notebook asked for is in front, with all its cells: on a slow machine others may be there before it.
READY = """path => {
    const panel = window.jupyterapp?.shell?.currentWidget, cells = panel?.content?.widgets?.length;
    return panel?.context?.path === path && panel.context.isReady && cells > 0
        && cells === panel.content.model?.cells?.length && panel.sessionContext?.session?.kernel?.status === "idle";
}"""
# Every code cell that holds code has been run, and the kernel has nothing left to do.
DONE = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = panel.content.widgets.map(cell => cell.model).filter(model => model.type === "code");
    const left = cells.filter(model => model.sharedModel.getSource().trim() && !model.executionCount).length;
    const failed = cells.some(model => model.sharedModel.outputs.some(output => output.output_type === "error"));
    return failed || (left === 0 && panel.sessionContext.session.kernel.status === "idle");
}"""
OUTPUTS = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === "code")
    .map(cell => cell.model.sharedModel.outputs.map(output => [output.output_type, output.evalue || "",
        Object.keys(output.data || {}), (output.metadata?.["image/png"] || {}).alt || ""]))"""


def _end_kernels(lab):
    """A kernel left behind holds half a gigabyte; the next notebook starts its own."""
    with urllib.request.urlopen(f"{lab}/api/kernels?token=t", timeout=30) as found:
        kernels = json.load(found)
    for kernel in kernels:
        asked = urllib.request.Request(f"{lab}/api/kernels/{kernel['id']}?token=t", method="DELETE")
        urllib.request.urlopen(asked, timeout=30).close()


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
        _end_kernels(lab)
    assert [said for kind, said, _, _ in outputs if kind == "error"] == []
    assert [kinds for _, _, kinds, _ in outputs if "application/vnd.cxlib.answer+json" in kinds]
    figures = [alt for _, _, kinds, alt in outputs if "image/png" in kinds]
    assert len(drawn) >= len(figures) and all(drawn) and all(figures)
