"""LMG of twelve drivers with a thousand replicates on ten thousand answers, against OLS for every subset.

``make bench`` runs it; the target is under three seconds and a ratio of 50. Not a test: times depend on the machine.
"""

import itertools
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.measured import keep, measure

ANSWERS, DRIVERS, REPLICATES = 10_000, 12, 1_000
SUBSETS = 60  # fitted in each of a few replicates; the other subsets and replicates are extrapolated
LOOPS = 3


def answers():
    """Ratings with a common halo, and the score they lead to."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    halo = rng.normal(size=(ANSWERS, 1))
    ratings = np.clip((3.5 + 0.7 * halo + rng.normal(size=(ANSWERS, DRIVERS))).round(), 1, 5)
    score = ratings @ rng.uniform(0, 1, DRIVERS) + rng.normal(size=ANSWERS) * 2
    return pd.DataFrame(ratings, columns=[f"d{i}" for i in range(DRIVERS)]).assign(recommend=score)


def cxlib() -> dict:
    """The public call on a pandas frame."""
    import cxlib as cx

    data = answers()
    cx.relative_importance(data[:100], drivers=list(data)[:2], replicates=2)  # imports and DuckDB's start
    start, busy = time.perf_counter(), time.process_time()
    result = cx.relative_importance(data, drivers=list(data)[:-1], replicates=REPLICATES)
    busy = time.process_time() - busy
    return {"seconds": time.perf_counter() - start, "cpu_seconds": busy, "replicates": REPLICATES,
            "first": result["estimate"][0]}  # fmt: skip


def cxlib_cold() -> dict:
    """The same with imports."""
    data = answers()
    start = time.perf_counter()
    import cxlib as cx

    cx.relative_importance(data, drivers=list(data)[:-1], replicates=REPLICATES)
    return {"seconds": time.perf_counter() - start}


def loop() -> dict:
    """Least squares on the rows for subsets of the drivers, in resamples of the rows; the rest by proportion."""
    import numpy as np

    data = answers()
    x, y = np.column_stack([np.ones(ANSWERS), data.iloc[:, :-1]]), data["recommend"].to_numpy()
    rng = np.random.default_rng(0)
    every = [s for k in range(DRIVERS + 1) for s in itertools.combinations(range(1, DRIVERS + 1), k)]
    some = [every[i] for i in rng.choice(len(every), SUBSETS, replace=False)]

    def r_squared(x, y, subset):
        own = x[:, [0, *subset]]
        beta = np.linalg.lstsq(own, y, rcond=None)[0]
        return 1 - ((y - own @ beta) ** 2).sum() / ((y - y.mean()) ** 2).sum()

    start = time.perf_counter()
    for _ in range(LOOPS):
        drawn = rng.integers(0, ANSWERS, ANSWERS)
        own_x, own_y = x[drawn], y[drawn]
        for subset in some:
            r_squared(own_x, own_y, subset)
    each = (time.perf_counter() - start) / LOOPS / SUBSETS
    first = sum(
        (r_squared(x, y, (*s, 1)) - r_squared(x, y, s)) * math.factorial(len(s)) * math.factorial(DRIVERS - len(s) - 1)
        for s in every if 1 not in s
    ) / math.factorial(DRIVERS)  # fmt: skip
    return {"seconds_each": each, "seconds_extrapolated": each * len(every) * REPLICATES, "first": first}


if __name__ == "__main__":
    measured = measure(__file__, {"cxlib": cxlib, "cxlib_cold": cxlib_cold, "loop": loop})
    ours, theirs = measured["cxlib"], measured["loop"]
    ratios = {
        "times faster than least squares for every subset": theirs["seconds_extrapolated"] / ours["seconds"],
        "seconds for 1,000 replicates": ours["seconds"],
        "of which the processor was busy": ours["cpu_seconds"],
        "seconds with imports": measured["cxlib_cold"]["seconds"],
        "peak memory, MB": ours["peak_mb"],
        "difference of the first driver's importance": abs(ours["first"] - theirs["first"]),
    }
    note = f"{2**DRIVERS:,} subsets in {REPLICATES:,} replicates are extrapolated from {SUBSETS} subsets in {LOOPS}"
    keep("drivers", measured, ratios, note)
