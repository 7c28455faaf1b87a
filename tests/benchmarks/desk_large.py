"""Service desk measures on ten million tickets, beside the plain pandas way: seconds, memory, and what differs.

Run with ``python -m tests.benchmarks.desk_large [ROWS]``. Each measure runs in a process of its own, so that its memory
is its own, imports not counted; the pandas way reads the same Parquet file and averages closed tickets, as is usual.
Ratios, no timed test.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 10_000_000
RESULTS = Path(__file__).with_name("results")
KIT = {
    "first_response_time": "cx.first_response_time(tickets, by='channel', target=4)",
    "resolution_time": "cx.resolution_time(tickets, by='channel', target=72)",
    "escalation_rate": "cx.escalation_rate(tickets, by='channel')",
    "first_contact_resolution": "cx.first_contact_resolution(tickets, by='channel')",
    "csat": "cx.csat(tickets, by='channel')",
    "control_chart": "cx.control_chart(cx.period(tickets, 'opened_at', 'week'), 'csat')",
}
HOURS = "(d['{0}'] - d['opened_at']).dt.total_seconds().div(3600).groupby(d['channel'], observed=True)"
PANDAS = {
    "first_response_time": HOURS.format("first_response_at") + ".quantile([.5, .9])",
    "resolution_time": HOURS.format("resolved_at") + ".quantile([.5, .9])",
    "escalation_rate": "d.groupby('channel', observed=True)['escalated'].mean()",
    "first_contact_resolution": "(~((d.sort_values('opened_at').groupby(['customer_id', 'topic'], observed=True)"
    "['opened_at'].shift(-1) - d['opened_at']) <= pd.Timedelta(days=7))).groupby(d['channel'], observed=True).mean()",
    "csat": "(d['csat'] >= 4)[d['csat'].notna()].groupby(d['channel'], observed=True).mean()",
    "control_chart": "d.groupby(d['opened_at'].dt.to_period('W'))['csat'].mean()",
}
COLUMNS = {
    "first_response_time": ["channel", "opened_at", "first_response_at"],
    "resolution_time": ["channel", "opened_at", "resolved_at"],
    "escalation_rate": ["channel", "escalated"],
    "first_contact_resolution": ["channel", "customer_id", "topic", "opened_at"],
    "csat": ["channel", "csat"],
    "control_chart": ["opened_at", "csat"],
}


def write_tickets(path, rows):
    """Tickets of two years, drawn in DuckDB: exponential times, those after the last day still open."""
    import duckdb

    duckdb.sql("SELECT setseed(0.42)")
    duckdb.sql(f"""COPY (
        SELECT CAST(i AS VARCHAR) ticket_id, CAST(CAST(random() * {rows} / 4 AS BIGINT) AS VARCHAR) customer_id,
        ['phone', 'e-mail', 'chat', 'web', 'store'][1 + i % 5] channel, ['bill', 'fault', 'order'][1 + i % 3] topic,
        opened_at, CASE WHEN first < stop THEN first END first_response_at,
        CASE WHEN done < stop THEN done END resolved_at,
        random() < 0.02 reopened, random() < 0.08 escalated, CAST(1 + 2 * random() AS INTEGER) contacts,
        CASE WHEN random() < 0.3 THEN CAST(1 + floor(5 * random()) AS INTEGER) END csat
        FROM (SELECT i, stop, opened_at, opened_at + to_seconds(CAST(-ln(random()) * 7200 AS BIGINT)) first,
            opened_at + to_seconds(CAST(172800 - ln(random()) * 600000 AS BIGINT)) done
            FROM (SELECT i, TIMESTAMP '2026-01-01' stop,
                TIMESTAMP '2024-01-02' + to_seconds(CAST(floor(random() * 730 * 86400) AS BIGINT)) opened_at
                FROM range({rows}) t(i)))
        ) TO '{path}' (FORMAT parquet)""")


def measure(kind, name, path):
    """Seconds and peak memory of one measure, printed for the parent process."""
    if kind == "kit":
        import duckdb
        import statsmodels.duration.survfunc
        import statsmodels.stats.proportion  # noqa: F401

        import cxlib as cx

        tickets = duckdb.read_parquet(path)
        start = time.perf_counter()
        found = eval(KIT[name], {"cx": cx, "tickets": tickets})  # our own words, from above
    else:
        import pandas as pd

        start = time.perf_counter()
        d = pd.read_parquet(path, columns=COLUMNS[name])
        found = eval(PANDAS[name], {"d": d, "pd": pd})
    seconds = time.perf_counter() - start
    print(f"{seconds:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} {len(found)}")


def child(kind, name, path):
    """One measure in a process of its own."""
    call = [sys.executable, "-m", "tests.benchmarks.desk_large", kind, name, str(path)]
    done = subprocess.run(call, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "2"})
    return [float(word) for word in done.stdout.split()]


def main(rows=ROWS):
    lines = [f"python -m tests.benchmarks.desk_large {rows}"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tickets.parquet"
        write_tickets(path, rows)
        lines.append(f"{rows:,} tickets, {path.stat().st_size / 2**20:,.0f} MB of Parquet, {os.cpu_count()} cores")
        lines.append(f"{'measure':<26}{'kit s':>8}{'MB':>8}{'pandas s':>10}{'MB':>8}{'ratio s':>9}{'ratio MB':>10}")
        for name in KIT:
            kit, plain = child("kit", name, path), child("pandas", name, path)
            ratios = plain[0] / kit[0], plain[1] / kit[1]
            lines.append(f"{name:<26}{kit[0]:>8.1f}{kit[1]:>8.0f}{plain[0]:>10.1f}{plain[1]:>8.0f}"
                         f"{ratios[0]:>9.1f}{ratios[1]:>10.1f}")  # fmt: skip
    print(*lines, sep="\n")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "desk_large.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measure(*sys.argv[1:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
