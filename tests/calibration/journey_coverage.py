"""How often the intervals of the journey hold the truth of simulated customers, beside the naive versions.

Made with ``python -m tests.calibration.journey_coverage``, which writes tests/calibration/journey_coverage.csv. Each
simulation is a line of reports/output/calibration/journey_coverage.csv, so that a run that was stopped goes on where it
was. The truth is that of the simulated law, from 400,000 customers of one seed: contacts that faults brought, ratings
with and without the switch, call-backs that change no later answer.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

import cxlib as cx
from cxlib.errors import CxError

ROOT = Path(__file__).parents[2]
DRAWN = ROOT / "reports/output/calibration/journey_coverage.csv"
TABLE = Path(__file__).with_name("journey_coverage.csv")
CUSTOMERS, SIMULATIONS, REPLICATES = 4_000, 300, 200
LAW = {"customers": 400_000, "seed": 2_026}
FIRST_SEED = 10_000


@cache
def truths():
    """(term, measure) -> what is true; the naive versions are held against the same."""
    journey = cx.simulate(**LAW)[1].journey
    preventable, effect = journey["contacts"]["preventable"], journey["switch"]["effect_on_switched"]
    return {
        ("product_fault", "preventable"): preventable, ("product_fault", "naive"): preventable,
        ("switch", "adjusted"): effect, ("switch", "naive"): effect,
        ("follow_up", "within_target"): journey["follow_up"]["within_7_days"],
        ("coming_back", "adjusted"): 0.0, ("coming_back", "naive"): 0.0,
    }  # fmt: skip


def one(seed):
    """Estimates and limits of one simulation."""
    tables = cx.load(cx.simulate(customers=CUSTOMERS, seed=seed)[0])
    parts = []
    for function in (cx.preventable_contacts, cx.channel_switches, cx.closed_loop):
        try:
            parts.append(function(tables, replicates=REPLICATES, seed=seed))
        except CxError:
            continue  # too few to compare: no interval is printed then either
    found = pd.concat(parts)
    return found.loc[:, ["term", "measure", "estimate", "lower", "upper", "n"]].assign(seed=seed)


def summary(drawn):
    """Coverage with its own standard error, bias and width, by term and measure."""
    known = pd.DataFrame([(*key, value) for key, value in truths().items()], columns=["term", "measure", "truth"])
    rows = drawn.merge(known, on=["term", "measure"])
    rows["held"] = rows["lower"].le(rows["truth"]) & rows["upper"].ge(rows["truth"])
    groups = rows.groupby(["term", "measure"], sort=False)
    table = groups.agg(simulations=("seed", "nunique"), mean_n=("n", "mean"), truth=("truth", "first"),
                       mean_estimate=("estimate", "mean"), covered=("held", "mean"))  # fmt: skip
    table["covered_se"] = np.sqrt(table["covered"] * (1 - table["covered"]) / table["simulations"])
    table["mean_width"] = (rows["upper"] - rows["lower"]).groupby([rows["term"], rows["measure"]]).mean()
    return table.round(4).reset_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    DRAWN.parent.mkdir(parents=True, exist_ok=True)
    done = set(pd.read_csv(DRAWN)["seed"]) if DRAWN.exists() else set()
    seeds = [seed for seed in range(FIRST_SEED, FIRST_SEED + asked.simulations) if seed not in done]
    with ProcessPoolExecutor(asked.workers) as pool:
        for part in track(pool.map(one, seeds), "simulations", total=len(seeds)):
            part.to_csv(DRAWN, mode="a", header=not DRAWN.exists(), index=False)
    table = summary(pd.read_csv(DRAWN).query("seed < @FIRST_SEED + @asked.simulations"))
    table.to_csv(TABLE, index=False, lineterminator="\n")
    print(table.to_string())


if __name__ == "__main__":
    main()
