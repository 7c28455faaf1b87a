"""The command `cx`, also `python -m cxlib`. A fault is one line on stderr; exit codes: 0 done, 1 failed, 2 refused."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from .errors import CxError, shortened

if TYPE_CHECKING:
    from .report import Run

app = typer.Typer(name="cx", help=__doc__.splitlines()[0], add_completion=False, pretty_exceptions_enable=False)
Notebook = Annotated[str, typer.Argument(help="Stem, unique beginning of it, or path.")]
Notebooks = Annotated[list[str] | None, typer.Argument(metavar="[NOTEBOOK]...", help="Stem, its beginning, or path.")]
Pairs = Annotated[
    list[str] | None, typer.Option("-p", metavar="NAME VALUE", help="A parameter; again for more; beats -f.")
]
Files = Annotated[list[Path] | None, typer.Option("-f", metavar="FILE.yml", help="Parameters from a file.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder of runs/, latest/ and index.html.")]
Workers = Annotated[int, typer.Option(min=1, metavar="N", help="Reports rendered at the same time.")]
Timeout = Annotated[float, typer.Option(min=1, metavar="S", help="Seconds for one whole report.")]


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; stands anywhere.")] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def report(
    notebooks: Notebooks = None,
    p: Pairs = None,
    f: Files = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE.yml", help="What to render, as a plan says.")] = None,
    out: Out = Path("reports/output"),
    workers: Workers = 1,
    timeout: Timeout = 600,
    retries: Annotated[int, typer.Option(min=0, metavar="N", help="For dead kernels and time-outs only.")] = 0,
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF beside each page.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Render what has not changed too.")] = False,
    keep: Annotated[int | None, typer.Option(min=1, metavar="N", help="Runs kept; beats the plan's.")] = None,
    no_warm: Annotated[bool, typer.Option("--no-warm", help="Start every kernel anew.")] = False,
    code: Annotated[bool, typer.Option("--code", help="Show the code, folded.")] = False,
    executed: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pages from notebooks run elsewhere: <notebook>/<slug>.ipynb.")
    ] = None,
) -> None:
    """Render notebooks to self-contained pages; without a name, all numbered ones or the plan's."""
    from .parameters import find_notebooks, read_parameter_file
    from .plan import read_plan
    from .report import Options, plan_jobs, plan_reports, run_reports

    given: dict[str, object] = {}
    for file in f or []:
        given |= read_parameter_file(file)
    given |= dict(pair.split("=", 1) for pair in p or [])
    read = read_plan(plan) if plan else None
    jobs = plan_reports(read, notebooks or [], given) if read else plan_jobs(find_notebooks(notebooks or []), given)
    words = read.words if read else None
    options = Options(
        workers, timeout, retries, code, pdf or bool(words and "pdf" in words.formats), force,
        keep or (words.keep if words else None), not no_warm, str(executed.absolute()) if executed else "",
    )  # fmt: skip
    with _stoppable(out), _progress() as progress:
        task = progress.add_task("reports", total=len(jobs))
        run = run_reports(jobs, out, options, read, lambda manifest: progress.advance(task))
    raise typer.Exit(_told(run))


@app.command("list")
def list_notebooks() -> None:
    """List the notebooks and the questions they ask."""
    from .page import title_of
    from .parameters import find_notebooks, read_notebook

    _table(["notebook", "question"], ([path.stem, title_of(read_notebook(path))] for path in find_notebooks([])))


@app.command()
def show(notebook: Notebook) -> None:
    """Show the parameters of a notebook: type, default, meaning."""
    from .page import title_of
    from .parameters import find_notebooks, read_notebook, read_parameters

    path = find_notebooks([notebook])[0]
    print(f"{path.stem}: {title_of(read_notebook(path))}")
    rows = ([row.name, row.declared, repr(row.default), row.help] for row in read_parameters(path))
    _table(["parameter", "type", "default", "meaning"], rows)


@app.command()
def simulate(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the tables; files of the same names are replaced.")
    ],
    customers: Annotated[int, typer.Option(min=1, metavar="N", help="Customers who ever signed up.")] = 5000,
    months: Annotated[int, typer.Option(min=1, metavar="M", help="Length of the history.")] = 24,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Same seed, same values.")] = 0,
) -> None:
    """Write simulated tables whose true effects are known (truth.json)."""
    from .simulation import write_simulation

    write_simulation(out, customers, months, seed)
    print(f"{customers} customers over {months} months, seed {seed}: {out}")


@app.command()
def study(
    name: Annotated[str, typer.Argument(metavar="[FILE.toml]", help="A study file, or a name in data/studies.")] = "",
    guess: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a first study of the files of a folder into it.")
    ] = None,
) -> None:
    """Show where a study's columns come from, what it feeds and what it lacks."""
    from .feeds import describe_study, mapping
    from .study import read_study

    if bool(name) == (guess is not None):
        raise CxError("study: a study file or --guess DIR must be given, and not both")
    if guess is not None:
        raise typer.Exit(_guessed(guess))
    read = read_study(name)
    for found in (mapping(read), describe_study(read)):
        _table(list(found.columns), found.astype(str).itertuples(index=False))
        print()


@app.command()
def check(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A study file, or a name in data/studies.")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write all checks to a page.")] = None,
) -> None:
    """Hold a study's data against the data contract; 0 clean, 1 a rule fails, 2 unreadable."""
    from .contract_page import finding_line, summary, write_contract_page
    from .health import data_health
    from .study import read_study

    found = read_study(name)
    checks = data_health(found)
    if html is not None:
        write_contract_page(found, checks, html)
    _complain(finding_line(row) for _, row in checks[checks["verdict"] != "ok"].iterrows())
    print(f"{found.title}: {summary(checks)}{f'; {html}' if html else ''}")
    raise typer.Exit(int((checks["verdict"] == "fails").any()))


@app.command()
def workshop(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the learners; work found there is kept.")],
    zip: Annotated[bool, typer.Option("--zip", help="Also DIR.zip, to hand out.")] = False,
) -> None:
    """Write the workshop's notebooks for learners, without the answers, with their data and a handout."""
    from .learner_copies import write_workshop

    print(write_workshop(out, zip))


@app.command()
def schedule(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan, as for `cx report --plan`.")],
    system: Annotated[
        Literal["cron", "systemd", "actions", "airflow"], typer.Option("--for", help="What is to start the runs.")
    ] = "cron",
    out: Out = Path("reports/output"),
    workers: Workers = 2,
    timeout: Timeout = 600,
    retries: Annotated[int, typer.Option(min=0, metavar="N", help="For dead kernels and time-outs only.")] = 1,
) -> None:
    """Print a snippet that runs a plan every week, with the exit codes handled."""
    from .plan import read_plan
    from .scheduling import snippet

    print(snippet(read_plan(plan), system, out, workers, timeout, retries), end="")


def _guessed(folder: Path) -> int:
    """Write a first study; one line for each thing to settle. 1 if the study cannot be read before that."""
    from .guessing import write_guess

    path, settle, faults = write_guess(folder)
    _complain(f"settle: {line}" for line in [*settle, *faults])
    print(f"{path}: {'cannot be read yet' if faults else 'can be read'}; {len(settle) + len(faults)} to settle")
    return int(bool(faults))


def _told(run: Run) -> int:
    """One line for each thing that went wrong, one for each alert, the summary; returns the exit code."""
    from .report import alert_line, fault_line

    _complain(fault_line(manifest) for manifest in run.manifests if manifest["status"] in ("failed", "timeout"))
    _complain([*run.faults, *map(alert_line, run.fired)])
    counts = [f"{number} {status}" for status, number in run.counts.items() if number]
    counts += [f"{len(run.fired)} alert{'s' * (len(run.fired) != 1)}"] if run.fired else []
    reports = f"{len(run.manifests)} report{'s' * (len(run.manifests) != 1)}"
    print(f"{reports}: {', '.join(counts)}; {run.seconds:.0f} s; {run.folder}")
    return run.exit_code


@contextmanager
def _stoppable(out: Path) -> Iterator[None]:
    """Ctrl-C, a service manager's stop and a closed terminal end a run in one way, and say what is left of it."""
    from .report import left_behind

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt(number)

    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ours = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, stop) for number in signals} if ours else {}
    try:
        yield
    except KeyboardInterrupt as stopped:
        number = stopped.args[0] if stopped.args else signal.SIGINT
        done = left_behind(out)
        kept = f"{done} report{'s are' if done > 1 else ' is'} done, which the next run takes up"
        _complain([f"stopped; {kept if done else 'nothing was written'}"])
        raise typer.Exit(128 + number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _progress() -> Progress:
    """On stderr, and only where someone watches: logs of unattended runs stay clean."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def _table(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> None:
    """Columns on stdout, folded to the width of the terminal."""
    # Where the output is piped, a row is a line.
    console = Console() if sys.stdout.isatty() else Console(width=10_000)
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def _complain(faults: Iterable[str]) -> None:
    for fault in faults:
        print(f"cx: {fault}", file=sys.stderr)


def _paired(given: Sequence[str]) -> list[str]:
    """The command line with --debug in front and `-p NAME VALUE` as `-p NAME=VALUE`, since typer takes no pairs."""
    words, kept, debug = iter(given), [], []
    for word in words:
        if word == "--debug":
            debug = [word]
        elif word != "-p":
            kept.append(word)
        elif (name := next(words, "")) and "=" in name:
            kept += [word, name]
        elif (value := next(words, None)) is not None:
            kept += [word, f"{name}={value}"]
        else:
            raise CxError(f"-p takes a NAME and a VALUE, not only '{name}'" if name else "-p takes a NAME and a VALUE")
    return debug + kept


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return app(_paired(given), prog_name="cx", standalone_mode=False) or 0
    except Exception as error:
        if "--debug" in given:
            raise
        _complain(_faults(error))
        return 2 if isinstance(error, CxError | typer.TyperException) else 1


def _faults(error: Exception) -> tuple[str, ...]:
    if isinstance(error, CxError):
        return error.faults
    if isinstance(error, typer.TyperException):
        return (f"{' '.join(error.format_message().split())} (`cx --help` lists commands and options)",)
    return (f"{type(error).__name__}: {shortened(error, 300)} (--debug shows where)",)


if __name__ == "__main__":
    sys.exit(main())
