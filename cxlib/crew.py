"""The processes that render: one report each at a time, ended when it takes too long, replaced when it is lost.

Processes, not threads: papermill changes its own working directory. Each is started anew, since a fork would copy
locks that other threads hold.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from .alerts import Alert
from .jobs import Job, Settings
from .manifest import lost, one_line

# What is left to do after a report's time is up: the kernel is ended, the notebook written.
GRACE = 20.0
# How a dead kernel, one that never came up, and a lost process are told.
DEAD = ("DeadKernelError", "Kernel died before", "Kernel didn't respond", "the process that rendered it ended")
PATIENCE = 5.0  # seconds for a worker to end its kernel


@dataclass
class Worker:
    """A process that renders, and the job it has in hand."""

    process: BaseProcess
    connection: Connection
    job: Job | None = None
    since: float = field(default=0.0)


def render_all(
    jobs: Sequence[Job],
    settings: Settings,
    workers: int = 1,
    retries: int = 0,
    done: Callable[[dict], None] = lambda manifest: None,
) -> list[dict]:
    """Manifests in the order of the jobs. Dead kernels, lost processes and time-outs are tried again, nothing else."""
    waiting, tries, found = deque(jobs), dict.fromkeys((job.place for job in jobs), 0), {}
    with _crew(settings) as crew:
        while waiting or any(worker.job for worker in crew):
            while waiting and (worker := _free(crew, settings, workers)):
                _hand(worker, waiting.popleft())
            for job, manifest in _ended(crew, settings):
                if _is_worth_another_try(manifest) and tries[job.place] < retries:
                    tries[job.place] += 1
                    waiting.append(job)
                else:
                    found[job.place] = manifest
                    done(manifest)
    return [found[job.place] for job in jobs]


@contextmanager
def _crew(settings: Settings) -> Iterator[list[Worker]]:
    crew: list[Worker] = []
    try:
        yield crew
    finally:
        for worker in crew:
            worker.process.terminate()
        for worker in crew:
            _end(worker)


def _free(crew: list[Worker], settings: Settings, most: int) -> Worker | None:
    idle = next((worker for worker in crew if worker.job is None), None)
    if idle or len(crew) >= most:
        return idle
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, settings), name="cx-worker")
    process.start()
    theirs.close()  # the worker's end is then the only one: its death ends the connection
    crew.append(Worker(process, ours))
    return crew[-1]


def _hand(worker: Worker, job: Job) -> None:
    worker.job, worker.since = job, time.monotonic()
    with suppress(OSError):  # a worker that is gone is met when it should answer
        worker.connection.send_bytes(json.dumps(asdict(job)).encode())


def _ended(crew: list[Worker], settings: Settings) -> list[tuple[Job, dict]]:
    """Wait for reports that are done, lost or overdue."""
    busy = {worker.connection: worker for worker in crew if worker.job}
    limit = settings.timeout + GRACE
    rest = min(worker.since + limit for worker in busy.values()) - time.monotonic()
    answered = wait(list(busy), timeout=max(0.0, rest))
    ended = [(worker, _answer(worker, settings)) for connection, worker in busy.items() if connection in answered]
    for worker in busy.values():
        if worker.connection not in answered and time.monotonic() - worker.since > limit:
            ended.append((worker, _stopped(worker, settings)))
    told = [(worker.job, manifest) for worker, manifest in ended if worker.job]
    for worker, _ in ended:
        worker.job = None
        if not worker.process.is_alive():
            crew.remove(worker)
            worker.connection.close()
    return told


def _answer(worker: Worker, settings: Settings) -> dict:
    assert worker.job
    try:
        return json.loads(worker.connection.recv_bytes())
    except (EOFError, OSError):
        worker.process.join(PATIENCE)
        code = worker.process.exitcode
        how = signal.Signals(-code).name if code and code < 0 else f"exit code {code}"
        seconds = time.monotonic() - worker.since
        return lost(worker.job, Path(settings.folder), "failed", f"the process that rendered it ended: {how}", seconds)


def _stopped(worker: Worker, settings: Settings) -> dict:
    assert worker.job
    worker.process.terminate()
    _end(worker)
    told = f"the report took longer than its {settings.timeout:g} seconds"
    return lost(worker.job, Path(settings.folder), "timeout", told, time.monotonic() - worker.since)


def _end(worker: Worker) -> None:
    worker.process.join(PATIENCE)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _is_worth_another_try(manifest: dict) -> bool:
    told = manifest["exception"] or ""
    return manifest["status"] == "timeout" or any(words in told for words in DEAD)


def _work(connection: Connection, settings: Settings) -> None:
    """What a worker does: render what it is handed until nothing comes any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to answer
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_follow_the_runner, daemon=True).start()
    from .rendering import render

    with suppress(EOFError, OSError):
        while True:
            told = json.loads(connection.recv_bytes())
            job = Job(**told | {"alerts": tuple(Alert(**alert) for alert in told["alerts"])})
            try:
                manifest = render(job, settings)
            except Exception as error:  # what a report does ends that report
                manifest = lost(job, Path(settings.folder), "failed", one_line(error))
            connection.send_bytes(json.dumps(manifest).encode())


def _leave(number: int, frame: object) -> None:
    """End the report in hand; on the way out its kernel is ended."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _follow_the_runner() -> None:
    """A runner that was killed leaves nobody to report to: stop at once, kernels follow their worker."""
    if runner := parent_process():
        wait([runner.sentinel])
        os._exit(1)
