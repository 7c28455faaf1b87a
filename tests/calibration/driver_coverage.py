"""How often the intervals of the experience answer hold the truth, on answers drawn from a known law.

Made with ``python -m tests.calibration.driver_coverage``, which writes tests/calibration/driver_coverage.csv. Finished
blocks of simulations stay in reports/output/calibration, so that a run that was stopped goes on where it was; every
simulation has a seed of its own. Shares and labels are judged on every simulation, the rest on every tenth.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

import cxlib as cx
from cxlib.drivers import NOISE

ROOT = Path(__file__).parents[2]
BLOCKS = ROOT / "reports/output/calibration"
TABLE = Path(__file__).with_name("driver_coverage.csv")

SIMULATIONS, BLOCK, EVERY = 2_000, 25, 10
SIZES = {"6 drivers": (300, 1_000, 5_000), "12 drivers": (300, 5_000)}
REPLICATES = 400  # percentiles at (R + 1) p keep the nominal level whatever R
POPULATION = 4_000_000
# Points of the score per point of rating. The driver before the last does nothing but go with the others (the halo);
# the last does nothing at all and goes with nothing: the share that pure noise gets.
LAWS = {
    "6 drivers": (0.8, 0.5, 0.3, 0.15, 0.0, 0.0),
    "12 drivers": (0.6, 0.5, 0.4, 0.3, 0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.0, 0.0),
}
HALO = 0.4  # correlation of what the ratings are cut from
SMALL = 0.05  # shares below are compared with noise, not covered


def draw(law, n, seed):
    """n answers: ratings 1 to 5 that share a halo, and a score 0 to 10."""
    rng, effects = np.random.default_rng(seed), np.array(LAWS[law])
    latent = np.sqrt(1 - HALO) * rng.standard_normal((n, len(effects)))
    latent[:, :-1] += np.sqrt(HALO) * rng.standard_normal((n, 1))
    latent[:, -1] /= np.sqrt(1 - HALO)
    ratings = np.clip(np.rint(3.9 + latent), 1, 5)
    score = np.clip(np.rint(7.6 + 0.9 * (ratings - 4) @ effects + 1.7 * rng.standard_normal(n)), 0, 10)
    return pd.DataFrame(ratings, columns=drivers(law)).assign(recommend=score)


def drivers(law):
    return [f"d{j}" for j in range(len(LAWS[law]))]


def answers(law, data, replicates, seed, every=True):
    """What notebook 03 prints of one set of answers: term, measure, estimate, lower, upper, note."""
    named, options = ("recommend", drivers(law)), {"replicates": replicates, "seed": seed}
    parts = [cx.relative_importance(data, *named, differences=True, **options)]
    if every:
        parts.append(cx.importance_performance(data, *named, **options).query("measure == 'performance'"))
        parts.append(cx.penalty_reward(data, *named, low=2, high=5, **options))
        parts.append(cx.nps_what_if(data, *named, lifts={"d0": 1, "d1": 2}, **options))
    table = pd.concat(parts)[["term", "measure", "estimate", "lower", "upper", "note"]]
    return table[~table["measure"].isin(["rank", "random_share", "quadrant"])]


@cache
def truth(law):
    """The estimands of the law itself, from four million answers: (term, measure) -> value."""
    path = BLOCKS / f"drivers-truth-{law.replace(' ', '-')}.parquet"
    if not path.exists():
        known = answers(law, draw(law, POPULATION, [99, len(LAWS[law])]), 2, 0)
        known.to_parquet(path)
    known = pd.read_parquet(path).set_index(["term", "measure"])["estimate"].to_dict()
    return known | {(drivers(law)[-1], measure): 0.0 for measure in ("share", "importance")}


def block(law, n, start, stop):
    """A block of simulations, kept on disk; one that fails counts as a failure."""
    path = BLOCKS / f"drivers-{law.replace(' ', '-')}-{n}-{start}-{stop}.parquet"
    if path.exists():
        return pd.read_parquet(path)
    tables = []
    for i in range(start, stop):
        try:
            data = draw(law, n, [len(LAWS[law]), n, i])
            tables.append(answers(law, data, REPLICATES, i, every=i % EVERY == 0).assign(simulation=i))
        except cx.CxError as error:
            tables.append(pd.DataFrame({"term": [str(error)[:60]], "measure": ["failure"], "simulation": [i]}))
    done = pd.concat(tables, ignore_index=True)
    partial = path.with_suffix(".partial")
    done.to_parquet(partial)
    partial.rename(path)
    return done


def summary(done, law, n):
    """Coverage, bias and width of every measure, and how often a share was told from noise or was not."""
    known, rows = truth(law), []
    failures = int((done["measure"] == "failure").sum())
    for (term, measure), own in done[done["measure"] != "failure"].groupby(["term", "measure"], sort=False):
        true, valid = known[term, measure], own.dropna(subset=["lower", "upper"])
        held = ((valid["lower"] <= true) & (true <= valid["upper"])).mean()
        rows.append({
            "law": law, "answers": n, "term": term, "measure": measure, "truth": true, "coverage": held,
            "monte_carlo_error": np.sqrt(held * (1 - held) / len(valid)), "bias": own["estimate"].mean() - true,
            "width": (valid["upper"] - valid["lower"]).mean(), "lowest": valid["lower"].min(),
            "called_noise": (own["note"] == NOISE).mean() if measure == "share" else np.nan,
            "simulations": len(own), "without_interval": len(own) - len(valid), "failures": failures,
        })  # fmt: skip
    return pd.DataFrame(rows)


def judged(table):
    """The rows that the bound of coverage applies to: shares from 5 %, and everything that is not a share of R²."""
    of_shares = table["measure"].isin(["share", "importance"])
    large = table["truth"].where(table["measure"] == "share").groupby(
        [table["law"], table["answers"], table["term"]]).transform("max") >= SMALL  # fmt: skip
    return table[~of_shares | (large & (table["measure"] == "share"))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="one law")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the simulations to run")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--table", type=Path, default=TABLE)
    options = parser.parse_args()
    BLOCKS.mkdir(parents=True, exist_ok=True)
    laws = [options.only] if options.only else list(LAWS)
    for law in laws:
        truth(law)
    total = max(BLOCK, int(SIMULATIONS * options.scale))
    plan = [(law, n, start, min(start + BLOCK, total))
            for law in laws for n in SIZES[law] for start in range(0, total, BLOCK)]  # fmt: skip
    done = {}
    with ProcessPoolExecutor(options.workers) as pool:
        waiting = {pool.submit(block, *part): part for part in plan}
        for future in track(as_completed(waiting), total=len(plan), description="calibrating"):
            done.setdefault(waiting[future][:2], []).append(future.result())
    table = pd.concat([summary(pd.concat(done[key]), *key) for key in sorted(done)], ignore_index=True)
    table.to_csv(options.table, index=False, float_format="%.5f")
    print(judged(table).groupby(["law", "answers", "measure"])["coverage"].describe()[["count", "min", "mean", "max"]])
    print(table.loc[table["measure"] == "share", ["law", "answers", "term", "truth", "coverage", "called_noise"]])


if __name__ == "__main__":
    main()
