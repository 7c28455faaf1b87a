"""Warm kernels: what they compute is what plain papermill computes, and nothing of them is left behind."""

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd
import papermill
import pytest
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_notebook

from cxlib import kernels, warm
from cxlib.answercell import MIME, read_answer
from cxlib.kernels import Forked, manager, warm_server
from cxlib.page import clean, small_png
from tests.small_notebooks import code

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")


@pytest.fixture(scope="module")
def server():
    with warm_server() as address:
        yield address


def run(path, **options):
    """The notebook as papermill executed it; without a `server` by the installed kernel, started as papermill does."""
    if "server" in options:
        options |= {"kernel_manager_class": manager(options.pop("server")), "shutdown_kernel": "immediate"}
    options |= {"kernel_name": "python3", "language": "python", "progress_bar": False}
    return papermill.execute_notebook(str(path), None, **options)


def printed(tmp_path, *sources, **options):
    """What the cells of a notebook print."""
    path = tmp_path / "cells.ipynb"
    nbformat.write(new_notebook(cells=[code(source) for source in sources]), path)
    cells = run(path, **options).cells
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]


def shown(notebook):
    """Everything the cells showed, as the page shows it; without the marks that a table is given by chance."""
    told = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = dict(output.get("data", {}))
            if "text/html" in data:
                data = {"text/html": clean(data["text/html"])}
            data.pop(MIME, None)
            if "image/png" in data:
                data["image/png"] = small_png(data["image/png"])
            told.append((output.output_type, output.get("name"), output.get("text"), data, output.get("metadata")))
    return told


def gone(pid, seconds=10.0):
    """Whether a process ends in that time; a zombie has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_shows_what_plain_papermill_shows(path, server, monkeypatch):
    """The authority is papermill with the kernel that Jupyter installed, sharing neither manager nor process.

    Text, tables and pictures are the same to the byte; unrounded numbers to the last digits, in which two runs of plain
    papermill differ as well: DuckDB adds up in several threads, in any order.
    """
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("MPLBACKEND")
    plain, forked = run(path), run(path, server=server)
    assert shown(forked) == shown(plain)
    told, expected = (read_answer(notebook, path.stem, {}) for notebook in (forked, plain))
    assert told["sentence"] == expected["sentence"]
    numbers, like = (pd.DataFrame(answer["answers"]).convert_dtypes() for answer in (told, expected))
    pd.testing.assert_frame_equal(numbers, like, rtol=1e-9, atol=1e-12)


def test_a_figure_is_drawn_and_one_that_is_closed_is_not_drawn_twice(tmp_path, server):
    path = tmp_path / "figure.ipynb"
    nbformat.write(new_notebook(cells=[code("import seaborn as sns\nsns.lineplot(x=[1, 2], y=[1, 2]);")]), path)
    kinds = [kind for output in run(path, server=server).cells[0].outputs for kind in output.get("data", {})]
    assert sorted(kinds) == ["image/png", "text/plain"]


WORLD = """
import json, os, signal, sys, threading
names = {name: value for name, value in os.environ.items() if not name.startswith(("JPY_", "JUPYTER"))}
print(json.dumps({
    "path": sys.path, "argv": sys.argv[:2], "flags": list(sys.flags), "prefix": sys.prefix, "cwd": os.getcwd(),
    "environment": names, "module": __name__, "leads its group": os.getpgid(0) == os.getpid() == os.getsid(0),
    "interrupt": str(signal.getsignal(signal.SIGINT)), "terminate": str(signal.getsignal(signal.SIGTERM)),
    "threads": sorted(type(thread).__name__ for thread in threading.enumerate()), "input": os.read(0, 1).decode(),
    "cxlib": "cxlib" in sys.modules,
}))
"""


def test_a_forked_kernel_finds_the_world_as_a_new_one_does(tmp_path, server):
    new, forked = (json.loads(printed(tmp_path, WORLD, server=address)[0]) for address in ("", server))
    assert forked == new
    assert forked["leads its group"]
    assert not forked["cxlib"]


def test_kernels_draw_their_own_random_numbers(tmp_path, server):
    draw = "import random, numpy\nprint(random.random(), numpy.random.random(), numpy.random.default_rng().random())"
    draws = [printed(tmp_path, draw, server=server)[0].split() for _ in range(2)]
    assert all(a != b for a, b in zip(*draws, strict=True))


def test_what_one_kernel_does_to_a_library_the_next_does_not_see(tmp_path, server):
    spoil = "import numpy, pandas\nnumpy.pi = 3\npandas.options.display.max_rows = 1\nprint(numpy.pi)"
    assert printed(tmp_path, spoil, server=server) == ["3\n"]
    look = "import numpy, pandas\nprint(numpy.pi > 3, pandas.options.display.max_rows > 1)"
    assert printed(tmp_path, look, server=server) == ["True True\n"]


def test_libraries_are_there_before_the_first_cell(tmp_path, server):
    look = "import sys\nprint(*[name in sys.modules for name in ('pandas', 'seaborn', 'statsmodels.api')])"
    assert printed(tmp_path, look, server=server) == ["True True True\n"]
    assert printed(tmp_path, look, server="") == ["False False False\n"]


@pytest.fixture
def process(tmp_path, server):
    """A kernel's process without anyone who talks to it."""
    forked = Forked(server, arguments=["-f", str(tmp_path / "kernel.json")], cwd=str(tmp_path), env=dict(os.environ))
    yield forked
    forked.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_how_a_kernel_ended_is_known(process, number):
    assert process.poll() is None
    process.send_signal(number)
    assert gone(process.pid)
    assert process.poll() == process.poll() == -number


def test_a_kernel_that_dies_is_reported_as_dead(tmp_path, server):
    with pytest.raises(DeadKernelError):
        printed(tmp_path, "import os\nos._exit(7)", server=server)
    assert printed(tmp_path, "print('the next one runs')", server=server) == ["the next one runs\n"]


def test_a_kernel_ends_with_all_it_started_when_its_runner_lets_go(tmp_path, server):
    path = tmp_path / "pid"
    start = f"import subprocess\nopen({str(path)!r}, 'w').write(str(subprocess.Popen(['sleep', '600']).pid))"
    printed(tmp_path, start, server=server)
    assert gone(int(path.read_text()))


def test_the_server_keeps_nothing_of_kernels_that_ended(tmp_path, server):
    # Its number is the parent of any kernel's; a kernel can count what its parent has open.
    count = "import os\nprint(os.getppid(), len(os.listdir(f'/proc/{os.getppid()}/fd')))"
    counts = {printed(tmp_path, count, server=server)[0] for _ in range(3)}
    assert len(counts) == 1


RUNNER = """
import os, sys, time
from cxlib.kernels import Forked, warm_server

with warm_server() as server:
    ask = {"arguments": ["-f", sys.argv[1]], "cwd": os.getcwd(), "env": dict(os.environ)}
    kernel = Forked(server, **ask)
    server_pid = open(f"/proc/{kernel.pid}/stat").read().rpartition(")")[2].split()[1]
    print(kernel.pid, server_pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def family(tmp_path):
    """A runner in a process of its own, and the numbers of its kernel and its server."""
    command = [sys.executable, "-c", RUNNER, str(tmp_path / "kernel.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as runner:
        kernel, server = map(int, runner.stdout.readline().split())
        yield runner, kernel, server
        runner.kill()


def test_a_runner_that_is_killed_leaves_no_process(family):
    runner, kernel, server = family
    os.kill(runner.pid, signal.SIGKILL)
    assert gone(kernel)
    assert gone(server)


def test_kernels_die_with_their_server(family):
    _, kernel, server = family
    os.kill(server, signal.SIGKILL)
    assert gone(kernel)


def test_a_server_ends_with_its_block(tmp_path):
    with warm_server() as address:
        parent = int(printed(tmp_path, "import os\nprint(os.getppid())", server=address)[0])
    assert not Path(f"/proc/{parent}").exists()


def refused(tmp_path, caplog, address):
    """What an ordinary kernel prints where a warm one is not to be had, and the lines in the log."""
    with caplog.at_level(logging.WARNING, "traitlets"):
        told = printed(tmp_path, "import sys\nprint('pandas' in sys.modules)", server=address)
    return told, [record.getMessage() for record in caplog.records if record.name == "traitlets"]


def test_without_a_server_an_ordinary_kernel_runs_and_one_line_says_so(tmp_path, caplog):
    told, log = refused(tmp_path, caplog, "cx-nobody-listens")
    assert told == ["False\n"]
    assert log == ["No warm kernel, an ordinary one is started: [Errno 111] Connection refused"]


def test_a_server_that_cannot_start_costs_no_report(tmp_path, caplog, monkeypatch):
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit")
    monkeypatch.setattr(kernels, "SERVER", broken)
    with warm_server() as address:
        told, log = refused(tmp_path, caplog, address)
    assert told == ["False\n"]
    assert len(log) == 1


def test_no_server_where_none_is_wanted_or_fork_is_unsafe(monkeypatch):
    with warm_server(False) as address:
        assert address == ""
    monkeypatch.setattr(sys, "platform", "darwin")
    with warm_server() as address:
        assert address == ""


def test_another_user_is_not_served(monkeypatch):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(f"\0cx-test-{os.getpid()}")
        listener.listen()
        client.connect(listener.getsockname())
        client.sendall(b'{"env": {}}\n')
        with monkeypatch.context() as patch:
            patch.setattr(os, "getuid", lambda: os.geteuid() + 1)
            assert warm._receive(listener) is None
        with pytest.raises(ConnectionError):
            client.recv(1)


@pytest.mark.parametrize("told", [b"", b"no JSON\n", b"[1]\n"], ids=["nothing", "no JSON", "a list"])
def test_a_broken_request_stops_nothing(tmp_path, server, told):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"\0{server}")
        client.sendall(told)
        with contextlib.suppress(ConnectionError):
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
    assert printed(tmp_path, "print(1)", server=server) == ["1\n"]


def test_a_library_that_started_threads_is_named(monkeypatch):
    monkeypatch.setattr(warm, "threads", lambda: {"jemalloc_bg_thd", "pool"})
    monkeypatch.setattr(warm, "preload", lambda: None)
    monkeypatch.setattr(sys, "argv", ["warm.py", str(socket.socket(socket.AF_UNIX).detach())])
    with pytest.raises(SystemExit, match="would lose these threads of a library: pool"):
        warm.main()
