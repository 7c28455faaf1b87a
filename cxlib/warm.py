"""The process that the kernels of a run are forked from: it has imported the heavy libraries once. Linux only.

It runs as a script, not as a part of the package: every kernel imports cxlib itself, as it stands on disk by then.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import io
import json
import os
import random
import selectors
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

# What notebooks and cxlib import, and the kernel itself. No matplotlib_inline: its hooks belong to a kernel's shell,
# and imported before there is one it loses every figure without a word. DuckDB is imported and never opened: it starts
# threads with its first query, and those would not survive.
LIBRARIES = """
    ipykernel.kernelapp ipykernel.ipkernel ipykernel.inprocess ipykernel.debugger ipywidgets tornado.platform.asyncio
    IPython.core.completer IPython.core.completerlib IPython.core.debugger IPython.core.oinspect
    IPython.core.pylabtools IPython.extensions.storemagic IPython.utils.wildcard psutil sqlite3 tomllib zoneinfo
    numpy pandas pandas.plotting pandas.io.formats.string pyarrow pyarrow.parquet pyarrow.dataset
    scipy.stats scipy.optimize statsmodels.api statsmodels.formula.api statsmodels.miscmodels.ordinal_model
    statsmodels.stats.multitest matplotlib.pyplot matplotlib.patheffects matplotlib.backends.backend_agg seaborn
    great_tables duckdb pydantic.main pydantic.types pydantic.functional_validators PIL.PngImagePlugin PIL.ImageChops
    narwhals narwhals.group_by narwhals._arrow.dataframe narwhals._duckdb.dataframe narwhals._duckdb.expr
    narwhals._duckdb.group_by narwhals._duckdb.namespace narwhals._interchange.dataframe
""".split()
# Threads that a fork may lose: jemalloc (in pyarrow) starts its own again, and Polars, which statsmodels imports where
# it is installed, wants this one only for data larger than memory.
SPARED = {"jemalloc_bg_thd", "polars-ooc-clea"}
RUNNER = 0  # standard input: a pipe that the runner never writes to, and that ends when the runner does
PR_SET_PDEATHSIG = 1


def main() -> None:
    server = os.getpid()
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        preload()
        if lost := threads() - SPARED:
            sys.exit(f"cx: kernels are not kept warm: a fork would lose these threads of a library: {', '.join(lost)}")
        request = serve(listener)
    if request is None:
        os._exit(0)  # nothing to tidy up: what is left are the libraries
    run_kernel(request, server)


def preload() -> None:
    for name in LIBRARIES:
        # What is missing here is missed by the notebook that needs it, and by no other.
        with suppress(ImportError):
            importlib.import_module(name)
    with suppress(ImportError):
        rehearse()
    gc.collect()
    gc.freeze()  # a collection in a kernel would otherwise touch, and so copy, every page shared with this process


def rehearse() -> None:
    """Draw what figures are made of, so that no kernel looks for fonts or builds the grammar of formulas again.

    Past pyplot, which would choose a backend here for all of them.
    """
    figure = importlib.import_module("matplotlib.figure").Figure()
    canvas = importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    line, bars = figure.subplots(2)
    line.plot([1, 10], [1, 2], marker="o", label="line")
    line.set(title="Title", xlabel="label", xscale="log")  # powers of ten are formulas
    line.legend()
    importlib.import_module("seaborn").barplot(x=["a", "b"], y=[1, 2], ax=bars)
    canvas.print_figure(io.BytesIO(), format="png", bbox_inches="tight")


def threads() -> set[str]:
    """Names of the threads beside the main one."""
    others = (task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid()))
    return {(task / "comm").read_text().strip() for task in others}


def serve(listener: socket.socket) -> dict | None:
    """Fork a kernel for every request; returns None once the runner is gone, and in each forked child its request."""
    selector = selectors.DefaultSelector()
    selector.register(RUNNER, selectors.EVENT_READ)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj == RUNNER:
                return None  # kernels die with this process
            if key.fileobj is not listener:
                _end(selector, *key.data) if isinstance(key.fileobj, socket.socket) else _tell(selector, *key.data)
            elif request := _receive(listener):
                connection = request.pop("connection")
                if (pid := os.fork()) == 0:
                    _let_go(selector)
                    connection.close()
                    return request
                _watch(selector, pid, connection)


def _receive(listener: socket.socket) -> dict | None:
    """What a runner of the same user asks for."""
    connection, _ = listener.accept()
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    connection.settimeout(10)
    with suppress(OSError, ValueError), connection.makefile("rb") as lines:
        if user == os.getuid():
            return json.loads(lines.readline()) | {"connection": connection}
    connection.close()
    return None


def _watch(selector: selectors.BaseSelector, pid: int, connection: socket.socket) -> None:
    connection.sendall(b'{"pid": %d}\n' % pid)
    ended = os.pidfd_open(pid)
    selector.register(ended, selectors.EVENT_READ, (pid, connection, ended))
    selector.register(connection, selectors.EVENT_READ, (pid, connection))


def _tell(selector: selectors.BaseSelector, pid: int, connection: socket.socket, ended: int) -> None:
    """A kernel has ended: say how. Its number stays taken until the runner has let go of it."""
    status = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert status  # it waited
    code = status.si_status if status.si_code == os.CLD_EXITED else -status.si_status
    selector.unregister(ended)
    os.close(ended)
    with suppress(OSError):
        connection.sendall(b'{"returncode": %d}\n' % code)


def _end(selector: selectors.BaseSelector, pid: int, connection: socket.socket) -> None:
    """The runner has let go of a kernel, or has died: end it with all it started."""
    selector.unregister(connection)
    connection.close()
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)
    for key in list(selector.get_map().values()):
        if key.data and key.data[0] == pid:
            selector.unregister(key.fileobj)
            os.close(key.fd)
    os.waitpid(pid, 0)


def _let_go(selector: selectors.BaseSelector) -> None:
    """Close what belongs to the server and to the other kernels."""
    for key in list(selector.get_map().values()):
        if isinstance(key.fileobj, socket.socket):
            key.fileobj.close()
        elif key.fd != RUNNER:
            os.close(key.fd)
    selector.close()


def run_kernel(request: dict, server: int) -> None:
    """Make this process what a newly started kernel is, and be that kernel."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), RUNNER)
    os.environ.clear()
    os.environ.update(request["env"])
    gc.set_threshold(20_000, 20, 20)  # a report makes many objects that stay, so looking for refuse rarely pays
    os.chdir(request["cwd"])
    random.seed()
    sys.modules["numpy"].random.seed()
    sys.argv = [str(importlib.import_module("ipykernel_launcher").__file__), *request["arguments"]]
    app = importlib.import_module("ipykernel.kernelapp")
    # The default is the parent of the server; ipykernel then prints how to connect to it.
    app.launch_new_instance([*request["arguments"], f"--IPKernelApp.parent_handle={server}"])


if __name__ == "__main__":
    main()
