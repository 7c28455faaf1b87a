"""One report: the notebook run by papermill, its answer taken out, its page written, its manifest signed off."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import raise_for_execution_errors

from . import fingerprint
from .answercell import read_answer
from .errors import CxError, shortened
from .jobs import Job, Settings
from .kernels import manager
from .manifest import fresh_place, one_line, sign_off, told, write_json
from .page import render_page, title_of
from .parameters import read_notebook, read_parameters
from .paths import swept

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def render(job: Job, settings: Settings) -> dict:
    """Render one report into <folder>/<notebook>/<slug>, or keep what there is in <slug>.failed; returns its manifest.

    Slug, title, sentence and first answer are returned with it. Nothing a notebook does is raised: it is in the
    manifest. A full disk costs this report, not the run.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    place = fresh_place(Path(settings.folder), job)
    kept: list[nbformat.NotebookNode] = []
    status, exception, answer = "ok", None, {}
    with _logged(place / "log.txt") as log:
        try:
            _execute(job, settings, kept)
            answer = read_answer(kept[0], job.name, job.values)
            write_json(place / "answers.json", answer)
            (place / "report.html").write_text(_page(job, kept[0], answer, settings, started), encoding="utf-8")
            if settings.pdf:
                _write_pdf(place, log)
            _write_notebook(kept[0], job, place / "notebook.ipynb")
        except Exception as error:  # whatever a notebook does, the next report is still to be rendered
            late = isinstance(error, CellTimeoutError) or time.monotonic() - clock > settings.timeout
            status = "timeout" if late else "failed"
            exception = f"the report took longer than its {settings.timeout:g} seconds" if late else _told(error)
            log.error(COLOUR.sub("", str(error)) if isinstance(error, PapermillExecutionError) else exception)
            _keep_notebook(kept, job, place / "notebook.ipynb")
    swept()
    manifest = _signed(job, place, status, exception, started, time.monotonic() - clock)
    return manifest | told(job, title_of(kept[0]) if kept else "", answer if manifest["status"] == "ok" else None)


def _signed(job: Job, place: Path, status: str, exception: str | None, started: datetime, seconds: float) -> dict:
    try:
        return sign_off(job, place, status, exception, started, seconds)
    except OSError as error:  # the disk filled up with the last file
        return sign_off(job, place, "failed", one_line(error), started, seconds)


def _keep_notebook(kept: list, job: Job, path: Path) -> None:
    """The notebook up to the fault, as far as the disk takes it."""
    try:
        _write_notebook(kept[0] if kept else read_notebook(job.notebook), job, path)
    except (OSError, CxError):
        path.unlink(missing_ok=True)


def _execute(job: Job, settings: Settings, kept: list) -> None:
    """Run the notebook; `kept` receives it as soon as its kernel is up, so that a failure leaves its outputs."""
    if settings.executed:
        kept.append(read_notebook(Path(settings.executed, job.name, f"{job.slug}.ipynb")))
        raise_for_execution_errors(kept[0], None)
        return
    deadline = time.monotonic() + settings.timeout
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
            start_timeout=max(1, min(60, settings.timeout)),
            # Each cell gets what is left of the whole report's time.
            timeout_func=lambda cell: max(0.05, deadline - time.monotonic()),
            kernel_manager_class=manager(settings.server),
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
    return one_line(error)


def _write_pdf(place: Path, log: logging.Logger) -> None:
    """The page as PDF; where that fails, the page is there all the same."""
    from .pdf import write_pdf

    try:
        write_pdf(place / "report.html", place / "report.pdf")
    except Exception as error:
        (place / "report.pdf").unlink(missing_ok=True)
        log.error("no PDF: %s", one_line(error))


def _page(job: Job, notebook: nbformat.NotebookNode, answer: Mapping, settings: Settings, started: datetime) -> str:
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
        ("Run", settings.run),
        ("Code", (fingerprint.git_commit() or fingerprint.of_code())[:12]),
        ("Versions", ", ".join(f"{name} {number}" for name, number in fingerprint.versions().items())),
    ]
    return render_page(notebook, job.name, rows, answer.get("sentence") or "", facts, settings.code)


def _write_notebook(notebook: nbformat.NotebookNode, job: Job, path: Path) -> None:
    """The executed notebook, without the paths of the machine it ran on."""
    if "papermill" in notebook.metadata:
        notebook.metadata.papermill.update(input_path=Path(job.notebook).name, output_path=path.name)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")


class _Log(logging.FileHandler):
    """A log that a full disk does not make noisy: the words are lost, the report goes on."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


@contextmanager
def _logged(path: Path) -> Iterator[logging.Logger]:
    """papermill's and nbconvert's words into the report's own log, none of them on the terminal."""
    handler = _Log(path, encoding="utf-8", delay=True)
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
        with suppress(OSError):
            handler.close()
        if not path.exists():  # every report has one, be it empty
            with suppress(OSError):
                path.touch()
