"""A PostgreSQL server for tests: made in a temporary folder, by a user without rights where the tests run as root."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "s3cret-Pa55"


@dataclass(frozen=True)
class Server:
    """Where it listens, and how to stop and start it."""

    folder: Path
    port: int

    @property
    def address(self) -> str:
        return f"postgresql://analyst:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def control(self, *words: str) -> None:
        _as_nobody(_program("pg_ctl"), "-D", str(self.folder / "data"), "-w", *words)


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server with the superuser `analyst`, stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cx-postgres-"))
    try:
        folder.chmod(0o755)
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        words = "-U analyst -A scram-sha-256 -E UTF8 --locale=C.UTF-8 -N".split()
        _as_nobody(_program("initdb"), "-D", str(folder / "data"), f"--pwfile={folder / 'password'}", *words)
        server = Server(folder, _free_port())
        settings = f"-p {server.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        server.control("-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                server.control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def there() -> bool:
    """Whether this machine has PostgreSQL's programs."""
    return bool(_program("initdb"))


def _program(name: str) -> str:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return shutil.which(name) or (str(newest[-1]) if newest else "")


def _as_nobody(*command: str) -> None:
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    # The server outlives pg_ctl: a pipe to it would never end.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
