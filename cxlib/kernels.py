"""The kernel that runs a report: this very interpreter with this very package, started anew or forked warm."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from traitlets import Unicode, default

PACKAGE = Path(__file__).parents[1]
SERVER = Path(__file__).with_name("warm.py")
# With neither this package's folder nor the working directory among the places that the server imports from.
RUN = "import runpy, sys; del sys.path[0], sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
PYTHON = [sys.executable, "-Xfrozen_modules=off"]
LAUNCHER = [*PYTHON, "-m", "ipykernel_launcher"]
PROVISIONER = "cxlib-warm"
# The first request waits while the server imports; a machine under load takes its time.
PATIENCE = 60


def kernel_environment() -> dict[str, str]:
    """What a kernel's environment has beyond this process's."""
    threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")])),
        # A backend named in the user's shell, say Agg, would lose every figure without a word.
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        # As debugpy sets it when imported; a forked kernel has imported it before this environment is its own.
        "PYDEVD_USE_FRAME_EVAL": "NO",
        # Reports run side by side, so threads would only fight; and idle threads do not survive a fork.
        **{name: os.environ.get(name, "1") for name in threads},
        # Pictures and columns are blocks of megabytes; glibc would hand each back to the system and fetch it again.
        "MALLOC_MMAP_THRESHOLD_": str(64 * 2**20),
        "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20),
    }


class Prompt(AsyncKernelClient):
    """A client that is ready when the kernel is; the inherited one then waits for silence, a fifth of a second."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        end = time.monotonic() + (timeout or PATIENCE)
        while not await self._answers():
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")

    async def _answers(self) -> bool:
        """Whether the kernel replies, and what it publishes arrives here."""
        self.kernel_info()
        with suppress(Empty):
            reply = await self.shell_channel.get_msg(timeout=1)
            await self.iopub_channel.get_msg(timeout=0.2)
            self._handle_kernel_info_reply(reply)
            return True
        return False


class ThisPython(AsyncKernelManager):
    """A kernel manager that looks for no kernelspec: the one called python3 may belong to another environment."""

    server = ""  # address of a server of warm kernels; "" starts every kernel anew

    @property
    def kernel_spec(self) -> KernelSpec:
        warm = {"provisioner_name": PROVISIONER, "config": {"server": self.server}}
        return KernelSpec(
            argv=[*LAUNCHER, "-f", "{connection_file}"],
            env=kernel_environment(),
            display_name="Python (cx)",
            language="python",
            metadata={"supported_encryption": "curve"} | ({"kernel_provisioner": warm} if self.server else {}),
        )

    @default("client_factory")
    def _prompt(self) -> type[AsyncKernelClient]:
        return Prompt

    @default("transport_encryption")
    def _encrypted(self) -> str:
        # Another user of the machine could listen on the local port, and the kernel says so on every start.
        return "auto" if zmq.has("curve") else "disabled"


def manager(server: str = "") -> type[ThisPython]:
    """The class of kernel managers whose kernels are forked from the server at that address; "" starts them anew."""
    return type("ThisPython", (ThisPython,), {"server": server})


@contextmanager
def warm_server(wanted: bool = True) -> Iterator[str]:
    """A process with the heavy libraries imported, as long as the block runs; its address, "" where there is none.

    Parameters
    ----------
    wanted : start one at all.

    Notes
    -----
    The server ends with this process, however that ends, and every kernel with the server. Forking is safe on Linux
    only. The address is an abstract one: there is no file to protect or to clear away.
    """
    address = f"cx-{secrets.token_hex(16)}"
    try:
        server = _start(address) if wanted and sys.platform == "linux" else None
    except OSError:
        server = None
    try:
        yield address if server else ""
    finally:
        if server:
            _stop(server)


def _start(address: str) -> subprocess.Popen:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{address}")
        listener.listen()
        number = listener.fileno()
        return subprocess.Popen(
            [*PYTHON, "-c", RUN, str(SERVER), str(number)],
            stdin=subprocess.PIPE,
            pass_fds=[number],
            env=os.environ | kernel_environment(),
            start_new_session=True,  # Ctrl-C is the runner's to answer
        )


def _stop(server: subprocess.Popen) -> None:
    server.stdin.close()  # type: ignore[union-attr]
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


class Forked:
    """A kernel forked by the server, with what its provisioner uses of a `subprocess.Popen`.

    The connection lasts as long as the kernel is wanted: were it to end, the server would end the kernel.
    """

    stdin = stdout = stderr = None

    def __init__(self, server: str, **request: object) -> None:
        self.returncode: int | None = None
        self.connection = socket.socket(socket.AF_UNIX)
        try:
            self.connection.settimeout(PATIENCE)
            self.connection.connect(f"\0{server}")
            self.connection.sendall(json.dumps(request).encode() + b"\n")
            self.pid: int = json.loads(self._read())["pid"]
            self.connection.setblocking(False)
        except BaseException:
            self.connection.close()
            raise

    def _read(self) -> bytes:
        if not (told := self.connection.recv(100)):
            raise ConnectionError("the server of warm kernels has ended")
        return told

    def poll(self) -> int | None:
        if self.returncode is None:
            try:
                self.returncode = json.loads(self._read())["returncode"]
            except BlockingIOError:
                return None
            except OSError:
                self.returncode = -signal.SIGKILL  # kernels die with their server
            self.connection.close()
        return self.returncode

    def wait(self) -> int | None:
        self.connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class WarmProvisioner(LocalProvisioner):
    """Has kernels forked; where that fails, says so in the log and starts them as usual."""

    server = Unicode(config=True)
    process: Any = None  # a Popen or a Forked

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        cwd, env = kwargs.get("cwd") or os.getcwd(), kwargs.get("env") or dict(os.environ)
        try:
            self.process = Forked(self.server, arguments=cmd[len(LAUNCHER) :], cwd=str(cwd), env=env)
        except OSError as error:
            self.log.warning("No warm kernel, an ordinary one is started: %s", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = cwd
        return self.connection_info

    async def wait(self) -> int | None:
        # As inherited, but a tenth of a second is a long time where a report takes five.
        while self.process and self.process.poll() is None:
            await asyncio.sleep(0.005)
        return await super().wait()


# Registered here and not in the package's metadata, so that it works from a bare clone and JupyterLab never meets it.
KernelProvisionerFactory.provisioners[PROVISIONER] = EntryPoint(
    PROVISIONER, f"{__name__}:{WarmProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME
)
