"""How often the intervals of notebook 05 hold the truth: paths through a score, word of mouth, return on investment.

Made with ``python -m tests.calibration.value_coverage``, which writes tests/calibration/value_coverage.csv. Finished
blocks stay in reports/output/calibration, so that a run that was stopped goes on where it was.

In the simulator of the kit nobody leaves because of a score: its truth about a path is that there is none. The paths
here come from a small law of their own in which there is one, whose counterfactual worlds are summed exactly. A knob in
the simulator would have to draw the answers before the ends and so move every value on record.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

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
