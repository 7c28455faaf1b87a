"""The kernel that runs a report: this very interpreter with this very package, whatever kernels are installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

PACKAGE = Path(__file__).parents[1]


class ThisPython(AsyncKernelManager):
    """A kernel manager that looks for no kernelspec: the one called python3 may belong to another environment."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            env={
                "PYTHONPATH": os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")])),
                # A backend named in the user's shell, say Agg, would lose every figure without a word.
                "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            },
            display_name="Python (cx)",
            language="python",
            metadata={"supported_encryption": "curve"},
        )

    @default("transport_encryption")
    def _encrypted(self) -> str:
        # Another user of the machine could listen on the local port, and the kernel says so on every start.
        return "auto" if zmq.has("curve") else "disabled"
