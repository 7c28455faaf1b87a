"""How often the intervals of notebook 05 hold the truth: paths through a score, word of mouth, return on investment.

Made with ``python -m tests.calibration.value_coverage``, which writes tests/calibration/value_coverage.csv. Finished
blocks stay in reports/output/calibration, so that a run that was stopped goes on where it was.

In the simulator of the kit nobody leaves because of a score: its truth about a path is that there is none. The paths
here come from a small law of their own in which there is one, whose counterfactual worlds are summed exactly. A knob in
the simulator would have to draw the answers before the ends and so move every value on record.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import sys
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

import cxlib as cx
from cxlib.story import Story
from cxlib.value import Terms, worth

# The same law as the calibration beside this one, whether this is run as a script or as a module.
sys.path.append(str(Path(__file__).parent))
import attrition_coverage as attrition

ROOT = Path(__file__).parents[2]
BLOCKS = ROOT / "reports/output/calibration"
TABLE = Path(__file__).with_name("value_coverage.csv")
BLOCK = 25

FAULTS, SERVICE = ("none", "one", "several"), ("good", "failed")
EXPERIENCE, CLASSES = ("not satisfied", "satisfied"), ("promoter", "passive", "detractor")
FAILURE = {"service": {"failed": "good"}}


def expit(x):
    return 1 / (1 + np.exp(-x))


# A path: faults bring failed contacts, bad scores and departures; a failure spoils the experience, and that the score.


@cache
def path_law():
    """Every kind of customer: columns, the chance of each step, and the risk of leaving."""
    kinds = pd.DataFrame(list(product(range(3), range(2), range(2), range(3))),
                         columns=["f", "a", "m", "k"])  # fmt: skip
    f, a, m, k = (kinds[name].to_numpy() for name in "famk")
    kinds["p_fault"] = np.array([0.55, 0.30, 0.15])[f]
    failed = expit(-1.1 + 0.9 * f)
    kinds["p_service"] = np.where(a == 1, failed, 1 - failed)
    kinds["p_experience"] = said(f, a, m)
    kinds["p_class"] = classed(f, a, m, k)
    kinds["risk"] = leaves(f, a, m, k)
    return kinds


def said(f, a, m):
    low = expit(-1.2 + 0.6 * f + 1.3 * a)
    return np.where(m == 0, low, 1 - low)


def classed(f, a, m, k):
    """Promoter first, then passive among the others: the steps that the kit's models take."""
    up = expit(-0.6 - 0.3 * f - 0.4 * a + 1.4 * m)
    mid = expit(-0.3 - 0.2 * f - 0.3 * a + 0.8 * m)
    return np.choose(k, [up, (1 - up) * mid, (1 - up) * (1 - mid)])


def leaves(f, a, m, k):
    return expit(-2.6 + 0.6 * f + 0.6 * a - 0.5 * m + np.array([0.0, 0.5, 1.1])[k])


@cache
def path_truth():
    """Natural effects from the law itself, (term, measure) -> value."""
    f = np.arange(3)

    def q(a, b, c):
        share = np.array([0.55, 0.30, 0.15])
        return sum(share @ (leaves(f, a, m, k) * said(f, b, m) * classed(f, c, m, k))
                   for m in range(2) for k in range(3))  # fmt: skip

    total, control, treated = q(1, 1, 1) - q(0, 0, 0), q(0, 1, 1) - q(0, 0, 0), q(1, 1, 1) - q(1, 0, 0)
    indirect = (control + treated) / 2
    return {
        ("total", "effect"): total, ("indirect", "effect"): indirect, ("direct", "effect"): total - indirect,
        ("indirect", "control"): control, ("indirect", "treated"): treated,
        ("indirect", "proportion"): indirect / total,
        ("through experience", "effect"): q(0, 1, 1) - q(0, 0, 1),
        ("through nps_class", "effect"): q(0, 0, 1) - q(0, 0, 0),
    }  # fmt: skip


def draw_path(n, seed):
    """A frame of n customers."""
    law, rng = path_law(), np.random.default_rng(seed)
    p = (law["p_fault"] * law["p_service"] * law["p_experience"] * law["p_class"]).to_numpy()
    kind = law.iloc[rng.choice(len(law), size=n, p=p / p.sum())].reset_index(drop=True)
    columns = {"fault": (FAULTS, "f"), "service": (SERVICE, "a"), "experience": (EXPERIENCE, "m"),
               "nps_class": (CLASSES, "k")}  # fmt: skip
    frame = pd.DataFrame({name: np.array(levels)[kind[code]] for name, (levels, code) in columns.items()})
    return frame.assign(left=rng.random(n) < kind["risk"], customer_id=np.arange(n).astype(str))


def path_answers(i):
    """What a report would say of 3,000 customers; what is naive beside what is not."""
    found = cx.mediation(draw_path(3000, [1, i]), FAILURE, ["experience", "nps_class"], adjust=["fault"],
                         customer="customer_id", replicates=200, seed=i)  # fmt: skip
    names = [*zip(found["term"], found["measure"], strict=True)]
    true = path_truth() | {("crude", "effect"): path_truth()["total", "effect"],
                           ("coefficients", "proportion"): path_truth()["indirect", "proportion"]}  # fmt: skip
    told = found.assign(truth=[true.get(name, np.nan) for name in names])
    return told.assign(naive=told["term"].isin(["crude", "coefficients"]))


# Return on investment: the law of the attrition calibration, whose fractions are known; half of the failures gone.

MONEY = {"margin": 20.0, "period_days": 90, "months": 24, "discount": 0.08, "cost_once": 3000.0, "cost_monthly": 100.0}


@cache
def money_truth(n):
    table, known = attrition.law("default"), attrition.truth("default")
    rate = np.array([table["share"] @ table["risk"] / table["share"].sum()])
    terms = Terms(n, 20.0, 24, 90, 0.08, 3000.0, 100.0)
    values = worth(rate, np.array([known["service", "impact_fraction"]]), terms)
    return {name: float(value[0]) for name, value in values.items()}


def money_answers(i, n=3000):
    frame = attrition.draw("default", n, [2, i])
    fit = cx.fit_attrition(frame, causes=attrition.CAUSES, adjust=attrition.ADJUST, customer="customer_id",
                           replicates=200, seed=i)  # fmt: skip
    parts = [cx.return_on_investment(fit, {"service": 0.5}, **MONEY, credit=credit).assign(naive=credit == "exposed")
             for credit in ("associated", "exposed")]  # fmt: skip
    found = pd.concat(parts, ignore_index=True)
    found = found[found["measure"].isin(["avoided", "kept", "gain", "net", "break_even", "return"])]
    return found.assign(truth=found["measure"].map(money_truth(n)))


# Word of mouth: the kit's own simulator, whose shares are knobs.


def mouth_answers(i):
    tables, truth = cx.simulate(customers=1000, months=18, seed=1000 + i)
    held = cx.load(tables)
    found = cx.word_of_mouth(cx.follow_answers(held, which="each"), customer="customer_id")
    found = found[found["measure"].isin(["share", "blank_is_nobody"])
                  & found["nps_class"].isin(list(CLASSES))]  # fmt: skip
    told = found.assign(truth=found["nps_class"].map(truth.journey["told_others"]), term="told " + found["nps_class"])
    new = cx.referrals(cx.newcomers(held))
    new = new[new["measure"] == "share"].assign(truth=Story().referred)
    both = pd.concat([told, new], ignore_index=True)
    return both.assign(naive=both["measure"] == "blank_is_nobody")


PARTS = {"path": (path_answers, 300), "money": (money_answers, 200), "word of mouth": (mouth_answers, 100)}
KEPT = ["term", "measure", "naive", "truth", "estimate", "lower", "upper"]


def block(part, start, stop):
    """A block of simulations, kept on disk."""
    path = BLOCKS / f"value-{part.replace(' ', '-')}-{start}-{stop}.parquet"
    if path.exists():
        return pd.read_parquet(path)
    answers = PARTS[part][0]
    done = pd.concat([answers(i)[KEPT].assign(simulation=i) for i in range(start, stop)], ignore_index=True)
    partial = path.with_suffix(".partial")
    done.to_parquet(partial)
    partial.rename(path)
    return done


def summary(part, done):
    """Coverage with its Monte Carlo error, bias and width of every measure that has a truth."""
    rows = []
    for (term, measure, naive), own in done[done["truth"].notna()].groupby(["term", "measure", "naive"], sort=False):
        valid = own.dropna(subset=["estimate", "lower", "upper"])
        held = valid["truth"].between(valid["lower"], valid["upper"]).mean()
        rows.append({
            "part": part, "term": term, "measure": measure, "naive": "naive" if naive else "",
            "truth": own["truth"].mean(), "coverage": held,
            "monte_carlo_error": np.sqrt(held * (1 - held) / len(valid)),
            "bias": (valid["estimate"] - valid["truth"]).mean(), "width": (valid["upper"] - valid["lower"]).mean(),
            "told": len(valid), "simulations": own["simulation"].nunique(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the simulations to run")
    options = parser.parse_args()
    BLOCKS.mkdir(parents=True, exist_ok=True)
    tables = []
    for part in [options.only] if options.only else PARTS:
        total = max(BLOCK, int(PARTS[part][1] * options.scale))
        starts = track(range(0, total, BLOCK), description=part)
        tables.append(summary(part, pd.concat([block(part, i, min(i + BLOCK, total)) for i in starts])))
    pd.concat(tables, ignore_index=True).to_csv(TABLE, index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
