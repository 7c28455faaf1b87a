"""A JupyterLab server for browser tests, what to wait for in its pages, and its kernels ended."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
QUIET = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": (
        '{"checkForUpdates": false, "fetchNews": "false"}'
    ),
    # Otherwise cells out of sight are not in the page.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none"}',
}
PATIENCE = 240  # seconds for one notebook on a machine that does much else


@contextmanager
def lab_on(notebooks, folder):
    """A JupyterLab server on a folder of notebooks, its own files in another; its address."""
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
    command += [f"--ServerApp.root_dir={notebooks}", "--IdentityProvider.token=t", "--allow-root"]
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


def end_kernels(lab):
    """A kernel left behind holds half a gigabyte; the next notebook starts its own."""
    with urllib.request.urlopen(f"{lab}/api/kernels?token=t", timeout=30) as found:
        kernels = json.load(found)
    for kernel in kernels:
        asked = urllib.request.Request(f"{lab}/api/kernels/{kernel['id']}?token=t", method="DELETE")
        urllib.request.urlopen(asked, timeout=30).close()
