"""LMG of twelve drivers with a thousand replicates on ten million answers, beside a bare scan of the columns.

``make bench`` runs it; the targets are 12 scans plus 3 seconds, and 1 GB. Also fifteen drivers on ten thousand answers
(10 seconds), the promoter scale, and, where R is on the machine, the same enumeration of subsets in R. Not a test:
times depend on the machine.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.measured import keep, measure

ANSWERS, DRIVERS, REPLICATES = 10_000_000, 12, 1_000
FILE = Path(tempfile.gettempdir()) / f"cxlib-answers-{ANSWERS}.parquet"
R_REPLICATES = 2
# What relaimpo does inside: R² of every subset from the covariances, then the average over orders, for each resample.
R_CODE = """
d <- as.matrix(read.csv(commandArgs(TRUE)[1])); p <- ncol(d) - 1; n <- nrow(d)
subsets <- lapply(0:(2^p - 1), function(m) which(bitwAnd(m, 2^(0:(p - 1))) > 0))
r2 <- function(C, s) if (!length(s)) 0 else
  sum(C[s, p + 1] * solve(C[s, s, drop = FALSE], C[s, p + 1])) / C[p + 1, p + 1]
lmg <- function(C) { v <- sapply(subsets, function(s) r2(C, s)); k <- lengths(subsets)
  sapply(1:p, function(j) { o <- which(bitwAnd(0:(2^p - 1), 2^(j - 1)) == 0)
    sum((v[o + 2^(j - 1)] - v[o]) * factorial(k[o]) * factorial(p - k[o] - 1)) / factorial(p) }) }
B <- as.integer(commandArgs(TRUE)[2]); set.seed(1)
t <- proc.time()[["elapsed"]]; for (b in 1:B) x <- lmg(cov(d[sample(n, replace = TRUE), ]))
each <- (proc.time()[["elapsed"]] - t) / B
cat(each, sprintf("%.12f", lmg(cov(d))[1]))
"""


def write() -> dict:
    """Ten million answers that share a halo, written by DuckDB."""
    import duckdb

    if not FILE.exists():
        ratings = ", ".join(
            f"CAST(greatest(1, least(5, round(3.6 + 0.6 * halo + 1.6 * (random() + random() - 1)))) AS TINYINT) AS d{j}"
            for j in range(DRIVERS)
        )
        score = " + ".join(f"{0.1 + 0.05 * j} * d{j}" for j in range(DRIVERS))
        duckdb.sql(f"""
            SELECT setseed(0.5);
            COPY (SELECT *, CAST(greatest(0, least(10, round({score} - 9 + 4 * random()))) AS TINYINT) AS recommend
                  FROM (SELECT {ratings} FROM (SELECT 2 * random() - 1 AS halo FROM range({ANSWERS}))))
            TO '{FILE}'
        """)
    return {"megabytes": FILE.stat().st_size / 1e6}


def scan() -> dict:
    """Every column summed once, the best of three."""
    import duckdb

    sums = ", ".join(f"sum({name})" for name in (*(f"d{j}" for j in range(DRIVERS)), "recommend"))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        duckdb.sql(f"SELECT {sums} FROM '{FILE}'").fetchall()
        times.append(time.perf_counter() - start)
    return {"seconds": min(times)}


def cxlib() -> dict:
    """The public call on the Parquet file, out of core, the better of two."""
    import duckdb

    import cxlib as cx

    drivers, times = [f"d{j}" for j in range(DRIVERS)], []
    for _ in range(2):
        start = time.perf_counter()
        result = cx.relative_importance(duckdb.read_parquet(str(FILE)), drivers=drivers, replicates=REPLICATES)
        times.append(time.perf_counter() - start)
    return {"seconds": min(times), "n": int(result["n"][0]), "first": result["estimate"][0]}


def _small(drivers: int):
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    x = np.clip(np.rint(3.6 + 0.6 * rng.normal(size=(10_000, 1)) + 0.8 * rng.normal(size=(10_000, drivers))), 1, 5)
    score = np.clip(np.rint(2 + 5 * x @ rng.uniform(0, 1, drivers) / drivers / 2 + rng.normal(size=10_000)), 0, 10)
    return pd.DataFrame(x, columns=[f"d{j}" for j in range(drivers)]).assign(recommend=score)


def fifteen() -> dict:
    """Fifteen drivers with a thousand replicates."""
    import cxlib as cx

    data = _small(15)
    start = time.perf_counter()
    cx.relative_importance(data, drivers=list(data)[:-1], replicates=REPLICATES)
    return {"seconds": time.perf_counter() - start}


def twelve() -> dict:
    """Twelve drivers on ten thousand answers, as R gets them."""
    import cxlib as cx

    data = _small(DRIVERS)
    start = time.perf_counter()
    result = cx.relative_importance(data, drivers=list(data)[:-1], replicates=REPLICATES)
    return {"seconds": time.perf_counter() - start, "first": result["estimate"][0]}


def promoter() -> dict:
    """Four groups of twelve drivers on the promoter scale, 200 replicates."""
    import cxlib as cx

    data = _small(DRIVERS)
    names = list(data)[:-1]
    groups = {f"g{i}": names[3 * i : 3 * i + 3] for i in range(4)}
    start = time.perf_counter()
    cx.relative_importance(data.assign(recommend=data["recommend"] + (10 - data["recommend"].max())), drivers=names,
                           groups=groups, scale="promoter")  # fmt: skip
    return {"seconds": time.perf_counter() - start}


def in_r() -> dict:
    """The subsets enumerated in R, in a few resamples."""
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder) / "answers.csv", Path(folder) / "lmg.R"
        _small(DRIVERS).to_csv(data, index=False)
        script.write_text(R_CODE)
        done = subprocess.run(["Rscript", str(script), str(data), str(R_REPLICATES)], capture_output=True, text=True,
                              check=True)  # fmt: skip
    each, first = map(float, done.stdout.split())
    return {"seconds_extrapolated": each * REPLICATES, "first": first}


if __name__ == "__main__":
    parts = {"write": write, "scan": scan, "cxlib": cxlib, "fifteen": fifteen, "twelve": twelve, "promoter": promoter}
    has_r = bool(shutil.which("Rscript"))
    measured = measure(__file__, parts | ({"in_r": in_r} if has_r else {}))
    ours, bare = measured["cxlib"], measured["scan"]["seconds"]
    ratios = {
        "seconds for 1,000 replicates on ten million answers": ours["seconds"],
        "seconds allowed: 12 scans and 3": 12 * bare + 3,
        "scans that take as long": ours["seconds"] / bare,
        "peak memory, MB": ours["peak_mb"],
        "seconds for 15 drivers": measured["fifteen"]["seconds"],
        "peak memory for 15 drivers, MB": measured["fifteen"]["peak_mb"],
        "seconds for four groups on the promoter scale": measured["promoter"]["seconds"],
    }
    note = "R is not on this machine: its enumeration was left out"
    if has_r:
        note = f"R's {REPLICATES:,} replicates are extrapolated from {R_REPLICATES}"
        theirs, small = measured["in_r"], measured["twelve"]
        ratios["times faster than enumerating the subsets in R"] = theirs["seconds_extrapolated"] / small["seconds"]
        ratios["difference to R of the first driver's importance"] = abs(theirs["first"] - small["first"])
    print(note)
    keep("importance_large", measured, ratios, note)
    FILE.unlink()
