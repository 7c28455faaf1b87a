"""Forty ten-figure reports: this kit's run beside the papermill and nbconvert commands; memory over three hundred.

The target: at least four times faster with as many workers, under 1.2 s a report with two workers on two cores, and a
runner that does not grow. The commands are measured on a few reports and extrapolated: each report costs the same.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests import ten_figures
from tests.measured import ROOT, keep, measure

WORKERS = 2
REPORTS = 40
COMMANDS = 6  # reports rendered by the plain commands
LOOPS = 8  # reports' worth of figures drawn in each process
LONG = 300
LOOKS = (50, 150, 300)
EXPERIENCE = ROOT / "notebooks" / "03-experience-and-nps.ipynb"


def commands(folder: Path) -> dict:
    """papermill, then nbconvert, once for each report, two reports at a time."""
    notebook = _ten(folder)

    def one(number: int) -> None:
        given = ten_figures.parameter_sets()[number]
        output = folder / f"{number}.ipynb"
        words = [word for name, value in given.items() for word in ("-p", name, value)]
        _call("papermill", notebook, output, "--log-level", "ERROR", "--no-progress-bar", *words)
        _call("nbconvert", "--to", "html", "--no-input", "--log-level", "ERROR", output)

    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, range(COMMANDS)))
    return {"reports": COMMANDS, "seconds": time.perf_counter() - start}


def warm(folder: Path) -> dict:
    return _run(folder, _ten_jobs(folder, REPORTS))


def ordinary(folder: Path) -> dict:
    """The kit's run with kernels started anew."""
    return _run(folder, _ten_jobs(folder, COMMANDS), warm=False)


def experience(folder: Path) -> dict:
    """The notebook on experience and NPS, for each region."""
    return _run(folder, _jobs([EXPERIENCE], [{"only_column": "region", "only_value": r} for r in ten_figures.REGIONS]))


def memory(folder: Path) -> dict:
    """Three hundred reports: megabytes of the runner, of the server of kernels and of the workers, looked at thrice."""
    seen, done = {}, count(1)

    def look(manifest: dict) -> None:
        if (number := next(done)) in LOOKS:
            seen[number] = _megabytes()

    return _run(folder, _ten_jobs(folder, LONG), done=look) | {"megabytes": seen}


def figures(folder: Path) -> dict:
    """The ten figures alone, made and drawn once in plain loops: no notebook, no page. Nothing can be faster."""
    with get_context("spawn").Pool(WORKERS) as pool:
        seconds = max(pool.map(_draw, [LOOPS] * WORKERS))
    return {"reports": LOOPS * WORKERS, "seconds": seconds}


def _draw(loops: int) -> float:
    from matplotlib import pyplot as plt
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def show(axes, *words: str) -> None:
        FigureCanvasAgg(axes.figure).draw()
        plt.close(axes.figure)

    world = {"region": "North", "until": "2026-06-28", "seed": 0}
    exec(ten_figures.SETUP, world)
    world["show"] = show
    start = 0.0
    for number in range(loops + 1):  # the first time is the libraries'
        for source in ten_figures.FIGURES.values():
            exec(source, world)
        start = start if number else time.perf_counter()
    return time.perf_counter() - start


def _ten(folder: Path) -> Path:
    path = folder / "ten-figures.ipynb"
    nbformat.write(ten_figures.notebook(), path)
    return path


def _ten_jobs(folder: Path, number: int) -> list:
    """So many different reports: another seed once all regions and days have had their turn."""
    sets = (given | {"seed": seed} for seed in count() for given in ten_figures.parameter_sets())
    return _jobs([_ten(folder)], islice(sets, number))


def _jobs(notebooks: list, sets) -> list:
    from cxlib.report import plan_jobs

    return [job for given in sets for job in plan_jobs(notebooks, given)]


def _run(folder: Path, jobs: list, done=lambda manifest: None, warm: bool = True) -> dict:
    from cxlib.report import Options, run_reports

    start = time.perf_counter()
    run = run_reports(jobs, folder / "out", Options(workers=WORKERS, warm=warm), done=done)
    assert run.counts["ok"] == len(jobs), run.counts
    pages = [path.stat().st_size for path in run.folder.glob("*/*/report.html")]
    return {"reports": len(jobs), "seconds": time.perf_counter() - start, "largest_page_kb": max(pages) / 1000}


def _megabytes() -> dict:
    """Resident memory of this process and of its children, by what they are."""
    found = {"runner": _resident(os.getpid()), "server": 0.0, "workers": 0.0}
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        words = Path(f"/proc/{pid}/cmdline").read_text()
        name = "server" if "warm.py" in words else "workers" if "spawn_main" in words else None
        if name:
            found[name] += _resident(int(pid))
    return {name: round(value, 1) for name, value in found.items()}


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _call(module: str, *words: object) -> None:
    subprocess.run([sys.executable, "-m", module, *map(str, words)], check=True, capture_output=True, cwd=ROOT)


def _in_a_folder(measurement):
    def measured() -> dict:
        with tempfile.TemporaryDirectory() as folder:
            return measurement(Path(folder)) | {"load_before": os.getloadavg()[0]}

    return measured


if __name__ == "__main__":
    every = {
        function.__name__: _in_a_folder(function)
        for function in (commands, warm, figures, ordinary, experience, memory)
    }
    measured = measure(__file__, every)
    each = {name: numbers["seconds"] / numbers["reports"] for name, numbers in measured.items()}
    looks = measured["memory"]["megabytes"]
    ratios = {
        "times faster than the commands (extrapolated from few)": each["commands"] / each["warm"],
        "times faster with warm kernels than with ordinary ones": each["ordinary"] / each["warm"],
        "seconds a report, two workers": each["warm"],
        "seconds a report of which making and drawing ten figures takes": each["figures"],
        "seconds a report of 03-experience-and-nps": each["experience"],
        "largest page, kB": measured["warm"]["largest_page_kb"],
        "MB the runner grew from report 50 to 300": looks["300"]["runner"] - looks["50"]["runner"],
        "MB the server grew from report 50 to 300": looks["300"]["server"] - looks["50"]["server"],
        "MB the workers grew from report 50 to 300": looks["300"]["workers"] - looks["50"]["workers"],
    }
    keep("report_runs", measured, ratios, f"{WORKERS} workers; load_before is that of the machine, other work included")
