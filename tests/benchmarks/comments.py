"""A million comments read theme by theme, beside the plain pandas way: seconds and memory of each.

Run with ``python -m tests.benchmarks.comments [ROWS]``. No two comments are alike. Each way runs in a process of its
own, imports not counted; the pandas way finds the themes with `str.contains` and knows no tones. No timed test.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 1_000_000
WAYS = {
    "cxlib, themes and tones": "cx.comment_themes(duckdb.read_parquet(path))",
    "pandas, themes alone": "[said.str.lower().str.contains(words[name]).mean() for said in "
    "[pd.read_parquet(path)['comment']] for name in words]",
}


def write_comments(path, rows):
    """One to three sentences of the simulator and a number, drawn in DuckDB."""
    import duckdb

    from cxlib.respondents import sentences

    bank = [text for _, _, text in sentences()]
    drawn = [f"bank[1 + CAST(floor(random() * {len(bank)}) AS INTEGER)]" for _ in range(3)]
    duckdb.sql("SELECT setseed(0.42)")
    duckdb.execute(
        f"""COPY (SELECT concat_ws(' ', {drawn[0]}, CASE WHEN random() < 0.7 THEN {drawn[1]} END,
        CASE WHEN random() < 0.4 THEN {drawn[2]} END, CAST(i AS VARCHAR)) AS comment
        FROM range({int(rows)}) t(i), (SELECT CAST($1 AS VARCHAR[]) AS bank)) TO '{path}'""",
        [bank],
    )


def measured(way, path):
    """Seconds and megabytes of one way, in this process."""
    import warnings

    import duckdb
    import pandas as pd
    import statsmodels.stats.proportion  # noqa: F401

    import cxlib as cx
    from cxlib.lexicon import read_lexicon

    warnings.simplefilter("ignore")  # pandas warns of groups in patterns
    words = {name: pattern.replace("  ", " ") for name, pattern in read_lexicon().themes.items()}
    cx.comment_themes(pd.DataFrame({"comment": ["warm"]}))
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    eval(WAYS[way], {"cx": cx, "pd": pd, "duckdb": duckdb, "path": path, "words": words})
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "peak_mb": after.ru_maxrss // 1024}


def main(rows=ROWS):
    """Print each way with its ratio to the plain one."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "comments.parquet")
        write_comments(path, rows)
        print(f"{rows:,} comments, {Path(path).stat().st_size / 2**20:.0f} MB of Parquet")
        for way in WAYS:
            command = [sys.executable, __file__, "--measure", way, path]
            print(f"{way}: {subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measured(*sys.argv[2:4])))
    else:
        main(*(int(rows) for rows in sys.argv[1:2]))
