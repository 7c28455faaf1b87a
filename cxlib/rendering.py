"""One report: the notebook run by papermill, its answer taken out, its page written, its manifest signed off."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import raise_for_execution_errors

from . import fingerprint
from .answercell import read_answer
from .errors import CxError, shortened
from .kernels import ThisPython
from .page import render_page, title_of
from .parameters import read_notebook, read_parameters

if TYPE_CHECKING:
    from .report import Job

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def render(job: Job, folder: Path, run: str, timeout: float, code: bool) -> dict:
    """Render one report into `folder`/<notebook>/<slug>, or keep what there is in <slug>.failed; returns its manifest.

    Slug, title and sentence are returned with it. Nothing a notebook does is raised: it is in the manifest.
    """
    place, started, clock = folder / job.name / job.slug, datetime.now(UTC), time.monotonic()
    place.mkdir(parents=True)
    kept: list[nbformat.NotebookNode] = []
    status, exception, answer = "ok", None, {}
    with _logged(place / "log.txt") as log:
        try:
            _execute(job, timeout, kept)
            answer = read_answer(kept[0], job.name, job.values)
            _write_json(place / "answers.json", answer)
            page = _page(job, kept[0], answer, run, started, code)
            (place / "report.html").write_text(page, encoding="utf-8")
        except Exception as error:  # whatever a notebook does, the next report is still to be rendered
            late = isinstance(error, CellTimeoutError) or time.monotonic() - clock > timeout
            status = "timeout" if late else "failed"
            exception = f"the report took longer than its {timeout:g} seconds" if late else _told(error)
            log.error(COLOUR.sub("", str(error)) if isinstance(error, PapermillExecutionError) else exception)
        notebook = kept[0] if kept else read_notebook(job.notebook)
        _write_notebook(notebook, job, place / "notebook.ipynb")
    manifest = _manifest(job, status, exception, started, time.monotonic() - clock)
    told = {"slug": job.slug, "title": title_of(notebook) or job.name, "sentence": answer.get("sentence")}
    return _sign_off(place, manifest) | told


def failed(job: Job, folder: Path, error: BaseException) -> dict:
    """The manifest of a report whose worker process was lost."""
    place = folder / job.name / job.slug
    place.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(job, "failed", f"{type(error).__name__}: {shortened(error)}", datetime.now(UTC), 0.0)
    return _sign_off(place, manifest) | {"slug": job.slug, "title": job.name, "sentence": None}


def _execute(job: Job, timeout: float, kept: list) -> None:
    """Run the notebook; `kept` receives it as soon as its kernel is up, so that a failure leaves its outputs."""
    deadline = time.monotonic() + timeout
    try:
        papermill.execute_notebook(
            job.notebook,
            None,
            parameters=job.changed,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            # papermill would write the notebook after every cell.
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            shutdown_kernel="immediate",
            start_timeout=max(1, min(60, timeout)),
            # Each cell gets what is left of the whole report's time.
            timeout_func=lambda cell: max(0.05, deadline - time.monotonic()),
            kernel_manager_class=ThisPython,
            on_notebook_start=lambda notebook: kept.append(notebook),
        )
    except (CellTimeoutError, DeadKernelError):
        _mark_last_cell(kept)
        raise


def _mark_last_cell(kept: list) -> None:
    """Link the cell that did not end, as papermill links one that raised."""
    running = [cell for notebook in kept for cell in notebook.cells if cell.metadata.papermill.get("start_time")]
    if running:
        running[-1].metadata.papermill["exception"] = True
        with suppress(PapermillExecutionError):
            raise_for_execution_errors(kept[0], None)


def _told(error: Exception) -> str:
    """An exception on one line: its class, its words, and the cell it came from."""
    if isinstance(error, PapermillExecutionError):
        words = "; ".join(COLOUR.sub("", error.evalue).splitlines())
        return f"{error.ename}: {shortened(words, 300)} (cell {error.exec_count})"
    if isinstance(error, CxError):
        return "; ".join(error.faults)
    return f"{type(error).__name__}: {shortened(error, 300)}"


def _page(job: Job, notebook: nbformat.NotebookNode, answer: Mapping, run: str, started: datetime, code: bool) -> str:
    rows = [
        {
            "name": parameter.name,
            "value": job.values[parameter.name],
            "default": parameter.default,
            "help": parameter.help,
            "changed": parameter.name in job.changed,
        }
        for parameter in read_parameters(job.notebook)
    ]
    facts = [
        ("Notebook", job.name),
        ("Made", f"{started.day} {started:%B %Y, %H:%M} UTC"),
        ("Run", run),
        ("Code", (fingerprint.git_commit() or fingerprint.of_code())[:12]),
        ("Versions", ", ".join(f"{name} {number}" for name, number in fingerprint.versions().items())),
    ]
    return render_page(notebook, job.name, rows, answer.get("sentence") or "", facts, code)


def _manifest(job: Job, status: str, exception: str | None, started: datetime, seconds: float) -> dict:
    return {
        "schema": 1,
        "status": status,
        "notebook": job.name,
        "parameters": job.values,
        "fingerprint": {
            "notebook": fingerprint.of_file(job.notebook),
            "parameters": fingerprint.of_values(job.values),
            "study": job.sources.get("study"),
            "data": job.sources.get("data"),
            "code": fingerprint.of_code(),
        },
        "git_commit": fingerprint.git_commit(),
        "versions": fingerprint.versions(),
        "seed": job.values.get("seed"),
        "started_at": started.isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "exception": exception,
    }


def _sign_off(place: Path, manifest: dict) -> dict:
    """Write the manifest last: a folder with one is complete. What failed moves to <slug>.failed, without a page."""
    if manifest["status"] != "ok":
        for name in ("report.html", "answers.json"):
            (place / name).unlink(missing_ok=True)
        place = place.rename(place.with_name(place.name + ".failed"))
    manifest["files"] = {path.name: fingerprint.of_file(path) for path in sorted(place.iterdir())}
    _write_json(place / "manifest.json", manifest)
    return manifest


def _write_notebook(notebook: nbformat.NotebookNode, job: Job, path: Path) -> None:
    """The executed notebook, without the paths of the machine it ran on."""
    if "papermill" in notebook.metadata:
        notebook.metadata.papermill.update(input_path=Path(job.notebook).name, output_path=path.name)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


@contextmanager
def _logged(path: Path) -> Iterator[logging.Logger]:
    """papermill's and nbconvert's words into the report's own log, none of them on the terminal."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    # papermill cannot read Literal and calls such parameters unknown; unknown ones were refused before.
    handler.addFilter(lambda record: not record.getMessage().startswith("Passed unknown parameter"))
    loggers = [logging.getLogger(name) for name in ("papermill", "traitlets", "py.warnings")]
    before = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
    logging.captureWarnings(True)
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    try:
        yield loggers[0]
    finally:
        logging.captureWarnings(False)
        for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
        handler.close()
