"""A million comments read theme by theme, with their tones, beside the plain pandas way, which knows no tones.

``make bench`` runs it; the target is less than 60 seconds and 1,500 MB for the process and all it starts. No two
comments are alike. Imports are not counted. Not a test: times depend on the machine.
"""

import os
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.measured import keep, measure

COMMENTS = 1_000_000
FILE = Path(tempfile.gettempdir()) / f"cxlib_bench_comments_{COMMENTS}.parquet"
MOST_SECONDS, MOST_MB = 60, 1_500


def write() -> dict:
    """One to three sentences of the simulator and a number, drawn in DuckDB."""
    import duckdb

    from cxlib.respondents import sentences

    bank = [text for _, _, text in sentences()]
    drawn = [f"bank[1 + CAST(floor(random() * {len(bank)}) AS INTEGER)]" for _ in range(3)]
    duckdb.sql("SELECT setseed(0.42)")
    duckdb.execute(
        f"""COPY (SELECT concat_ws(' ', {drawn[0]}, CASE WHEN random() < 0.7 THEN {drawn[1]} END,
        CASE WHEN random() < 0.4 THEN {drawn[2]} END, CAST(i AS VARCHAR)) AS comment
        FROM range({COMMENTS}) t(i), (SELECT CAST($1 AS VARCHAR[]) AS bank)) TO '{FILE}'""",
        [bank],
    )
    return {"comments": COMMENTS, "file_mb": FILE.stat().st_size / 2**20}


def cxlib() -> dict:
    """Themes and tones, from the file to shares with intervals."""
    import duckdb
    import pandas as pd
    import statsmodels.stats.proportion  # noqa: F401

    import cxlib as cx

    cx.comment_themes(pd.DataFrame({"comment": ["warm"]}))
    with timed() as numbers:
        cx.comment_themes(duckdb.read_parquet(str(FILE)))
    return numbers


def pandas_themes() -> dict:
    """Themes alone: `str.contains`, one theme after the other."""
    import warnings

    import pandas as pd

    from cxlib.lexicon import read_lexicon

    warnings.simplefilter("ignore")  # pandas warns of groups in patterns
    words = [pattern.replace("  ", " ") for pattern in read_lexicon().themes.values()]
    with timed() as numbers:
        said = pd.read_parquet(FILE)["comment"].str.lower()
        for pattern in words:
            said.str.contains(pattern).mean()
    return numbers


@contextmanager
def timed():
    """Seconds, processor seconds, and the largest resident memory of this process and those it started."""
    numbers: dict[str, float] = {"tree_mb": 0.0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            numbers["tree_mb"] = max(numbers["tree_mb"], tree_mb(os.getpid()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    start, spent = time.perf_counter(), time.process_time()
    yield numbers
    numbers |= {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - spent}
    done.set()
    watcher.join()


def tree_mb(process: int) -> float:
    """Resident memory of a process and its descendants, as Linux tells it."""
    page, parents, sizes = os.sysconf("SC_PAGE_SIZE"), {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(folder.name)], sizes[int(folder.name)] = int(fields[1]), int(fields[21]) * page
    wanted = {process}
    while more := {child for child, parent in parents.items() if parent in wanted} - wanted:
        wanted |= more
    return sum(sizes.get(one, 0) for one in wanted) / 2**20


if __name__ == "__main__":
    measured = measure(__file__, {"write": write, "cxlib": cxlib, "pandas_themes": pandas_themes})
    FILE.unlink()
    ours, plain = measured["cxlib"], measured["pandas_themes"]
    met = ours["seconds"] < MOST_SECONDS and ours["tree_mb"] < MOST_MB
    keep("comments", measured, {
        "seconds, themes and tones": ours["seconds"], "MB, process and all it starts": ours["tree_mb"],
        "seconds of pandas, themes alone": plain["seconds"], "MB of pandas": plain["tree_mb"],
    }, f"the target is less than {MOST_SECONDS} s and {MOST_MB} MB: {'met' if met else 'missed'}")  # fmt: skip
