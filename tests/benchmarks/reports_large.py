"""Notebooks 01, 02 and 03 on ten million customers, one worker, DuckDB held to 1 GB; beside a bare scan and pandas.

The target: under four minutes on two cores and under 2.5 GB for all processes together, and no more than ten times the
seconds of a million customers. Nine months of simulated events are the fewest that a landmark of 180 + 90 days needs:
118,000,000 rows. CX_BENCH_MONTHS=24 makes 198,000,000 of them. The pandas way computes only what the three answers
rest on (score and times, landmark and logit, drivers) of as many customers as it survives within the same 2.5 GB.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.measured import ROOT, keep, measure

CUSTOMERS = int(os.environ.get("CX_BENCH_CUSTOMERS", 10_000_000))
MONTHS = int(os.environ.get("CX_BENCH_MONTHS", 9))
FEWER = 10  # times fewer customers, for the growth
MEMORY = "1GB"
MOST_MB = 2_500
NOTEBOOKS = ("01-scorecard", "02-attrition-service-vs-price", "03-experience-and-nps")
FOLDER = Path(tempfile.gettempdir()) / f"cxlib_bench_reports_{CUSTOMERS}_{MONTHS}"
SHARES = (0.05, 0.1, 0.2, 0.4, 1.0)  # of the customers, for pandas


def tables_of_fewer() -> dict:
    return _simulated(CUSTOMERS // FEWER)


def tables() -> dict:
    """The company, written in bounded memory."""
    return _simulated(CUSTOMERS)


def _simulated(customers: int) -> dict:
    import pyarrow.parquet as pq

    folder = FOLDER / str(customers)
    words = ["simulate", "--customers", customers, "--months", MONTHS, "--out", folder]
    start = time.perf_counter()
    most = _call(words) if not (folder / "truth.json").is_file() else 0.0
    seconds = time.perf_counter() - start
    example = (ROOT / "data" / "studies" / "example.toml").read_text()
    (folder / "study.toml").write_text(example.replace('"../example"', '"."'))
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in folder.glob("*.parquet"))
    return {"customers": customers, "rows": rows, "simulating_seconds": seconds, "simulating_mb": most}


def reports_of_fewer() -> dict:
    return _rendered(CUSTOMERS // FEWER)


def reports() -> dict:
    """The three pages."""
    return _rendered(CUSTOMERS)


def _rendered(customers: int) -> dict:
    folder = FOLDER / str(customers)
    notebooks = [ROOT / "notebooks" / f"{name}.ipynb" for name in NOTEBOOKS]
    words = [
        "report",
        *notebooks,
        "-p",
        f"study={folder / 'study.toml'}",
        "--workers",
        1,
        "--out",
        folder / "out",
    ]
    start = time.perf_counter()
    most = _call(words, CX_MEMORY=MEMORY)
    return {"seconds": time.perf_counter() - start, "megabytes": most, "load_before": os.getloadavg()[0]}


def scan() -> dict:
    """Every column of every table read once, by DuckDB within the same limit."""
    import duckdb

    duckdb.execute(f"SET memory_limit = '{MEMORY}'; SET enable_progress_bar = false")
    start = time.perf_counter()
    for path in (FOLDER / str(CUSTOMERS)).glob("*.parquet"):
        duckdb.sql(f"SELECT max(COLUMNS(*)) FROM '{path}'").fetchall()
    return {"seconds": time.perf_counter() - start}


def pandas() -> dict:
    """The plain way, of more and more customers until it dies of memory."""
    survived: dict = {"customers": 0, "seconds": 0.0}
    for share in SHARES:
        customers, start = int(share * CUSTOMERS), time.perf_counter()
        done = subprocess.run([sys.executable, __file__, "plainly", str(customers)], capture_output=True, cwd=ROOT)
        if done.returncode:
            survived |= {"died_at": customers, "of": done.stderr.decode().splitlines()[-1][:80]}
            break
        survived = {"customers": customers, "seconds": time.perf_counter() - start}
    return survived


def plainly(customers: int) -> None:
    """Score, times, landmark, logit and drivers as most would write them."""
    import pandas as pd
    import statsmodels.formula.api as smf

    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MB << 20, MOST_MB << 20))
    below = [("customer_id", "<=", f"C{customers:08d}")]

    def read(name: str, columns: list[str], filters: list) -> pd.DataFrame:
        return pd.read_parquet(FOLDER / str(CUSTOMERS) / f"{name}.parquet", columns=columns, filters=filters)

    people = read("customers", ["customer_id", "segment", "plan", "signup_date", "end_date", "end_kind"], below)
    tickets = read("tickets", ["customer_id", "opened_at", "resolved_at", "escalated", "reopened", "csat"], below)
    prices = read("prices", ["customer_id", "valid_from", "monthly_price", "market_price"], below).sort_values(
        "valid_from"
    )
    events = read("interactions", ["customer_id", "at", "touchpoint"], [*below, ("touchpoint", "==", "product_fault")])
    surveys = read("surveys", ["survey_id", "customer_id", "answered_at", "recommend", "weight"], below).dropna()
    ratings = read("ratings", ["survey_id", "touchpoint", "rating"], [("survey_id", "<=", surveys["survey_id"].max())])

    surveys["recommend"].pipe(lambda score: (score >= 9).mean() - (score <= 6).mean())
    hours = (tickets["resolved_at"] - tickets["opened_at"]).dt.total_seconds() / 3600
    hours.quantile([0.5, 0.9])

    day = tickets["opened_at"].max().normalize() - pd.Timedelta(days=90)
    first, last = day - pd.Timedelta(days=180), day + pd.Timedelta(days=90)
    signed, ended = pd.to_datetime(people["signup_date"]), pd.to_datetime(people["end_date"])
    people["left"] = ((ended <= last) & (people["end_kind"] == "voluntary")).astype(int)
    people = people[(signed < day) & ~(ended <= day)].set_index("customer_id")
    recent = tickets[(tickets["opened_at"] >= first) & (tickets["opened_at"] < day)]
    slow = (recent["resolved_at"] - recent["opened_at"]) > pd.Timedelta(hours=72)
    failed = recent["escalated"] | recent["reopened"] | slow | (recent["csat"] <= 2) | recent["resolved_at"].isna()
    worst = failed.groupby(recent["customer_id"]).max()
    people["service"] = worst.reindex(people.index).map({True: "failed", False: "good"}).fillna("none")
    now = prices[prices["valid_from"] < day].groupby("customer_id")["monthly_price"].agg(["first", "last"])
    change = (now["last"] / now["first"] - 1).reindex(people.index).fillna(0)
    people["price"] = pd.cut(change, [-9, 0, 0.1, 99], labels=["same", "raised", "raised a lot"])
    recent = events[(events["at"] >= first) & (events["at"] < day)]
    people["faults"] = recent.groupby("customer_id").size().reindex(people.index).fillna(0).clip(upper=2)
    smf.logit("left ~ C(service) + C(price) + C(faults) + C(segment) + C(plan)", people).fit(disp=0)

    wide = ratings.pivot_table(index="survey_id", columns="touchpoint", values="rating", aggfunc="max", observed=True)
    answers = surveys.set_index("survey_id").join(wide)
    for name in wide.columns:
        answers[f"{name}_met"] = answers[name].notna().astype(int)
        answers[name] = answers[name].fillna(answers[name].mean())
    terms = " + ".join(f"{name} + {name}_met" for name in wide.columns)
    smf.wls(f"recommend ~ {terms}", answers, weights=answers["weight"]).fit()


def _call(words: list, **environment: str) -> float:
    """Run the kit; the most megabytes that all its processes held together, memory they share counted once."""
    command = [sys.executable, "-m", "cxlib", *map(str, words)]
    most, done = [0.0], threading.Event()
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL,
                               start_new_session=True)  # fmt: skip

    def watch() -> None:
        while not done.wait(2):
            most[0] = max(most[0], sum(_held_by(pid) for pid in _session(process.pid)))

    watching = threading.Thread(target=watch)
    watching.start()
    code = process.wait()
    done.set()
    watching.join()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return most[0]


def _session(leader: int) -> list[int]:
    """The process and those it started, however deep."""
    found, open_ = [], [leader]
    while open_:
        pid = open_.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                open_ += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def _held_by(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["plainly"]:
        plainly(int(sys.argv[2]))
        sys.exit()
    steps = (tables_of_fewer, tables, reports_of_fewer, reports, scan, pandas)
    measured = measure(__file__, {step.__name__: step for step in steps})
    many, few, plain = measured["reports"], measured["reports_of_fewer"], measured["pandas"]
    ratios = {
        "seconds of three reports": many["seconds"],
        "megabytes of all processes together": many["megabytes"],
        "times the seconds of a tenth of the customers": many["seconds"] / few["seconds"],
        "times a bare scan of all tables": many["seconds"] / measured["scan"]["seconds"],
        "rows": measured["tables"]["rows"],
        "megabytes of simulating": measured["tables"]["simulating_mb"],
        "customers that the pandas way survives": plain["customers"],
        "its seconds for each million of them": plain["seconds"] / max(plain["customers"], 1) * 1e6,
        "seconds of the reports for each million": many["seconds"] / CUSTOMERS * 1e6,
    }  # fmt: skip
    shutil.rmtree(FOLDER)
    keep("reports_large", measured, ratios, f"{MONTHS} months; load_before is that of the machine, other work included")
