"""Exact type-I errors of tests of a change between two waves of different people, by enumeration.

Made with ``python -m tests.calibration.wave_errors > tests/calibration/wave_errors.csv``: every pair of outcomes of the
two waves is weighted with its probability under one and the same mix.
"""

from functools import cache

import numpy as np
from scipy.stats import norm, t

from cxlib import changes, intervals
from tests.calibration.nps_coverage import probabilities

CASES = [((10, 100), (5, 15, 80)), ((10, 100), (20, 30, 50)), ((30, 30), (5, 15, 80))]


def rejections(before, after):
    """Where each test, nominally of 5 %, rejects; the kit's own by whether its interval leaves out 0."""
    n1, s1, v1 = intervals.moments(*before.T)
    n2, s2, v2 = intervals.moments(*after.T)
    n1, s1, v1 = (x[:, None] for x in (n1, s1, v1))
    with np.errstate(invalid="ignore", divide="ignore"):
        wald = np.abs(s2 - s1) > norm.ppf(0.975) * np.sqrt(v1 / n1 + v2 / n2)
        e1, e2 = v1 / (n1 - 1), v2 / (n2 - 1)
        freedom = (e1 + e2) ** 2 / (e1**2 / (n1 - 1) + e2**2 / (n2 - 1))
        welch = np.abs(s2 - s1) > t.ppf(0.975, freedom) * np.sqrt(e1 + e2)
    _, _, low, high = changes.differences(before[:, None, None, :], after[None, :, None, :])["change"]
    return {"wald": wald, "welch": welch & ~np.isnan(freedom), "adjusted": (low > 0) | (high < 0)}


@cache
def error_rates(sizes, mix):
    """Probability that each test rejects although both waves have the same mix."""
    (before, p), (after, q) = (probabilities(n, mix) for n in sizes)
    return {name: float(p @ rejected @ q) for name, rejected in rejections(before, after).items()}


def main():
    print("n_before,n_after,mix,wald,welch,adjusted")
    for sizes, mix in CASES:
        rates = error_rates(sizes, mix)
        told = ",".join(f"{rates[name]:.7f}" for name in ("wald", "welch", "adjusted"))
        print(f"{sizes[0]},{sizes[1]},{'_'.join(map(str, mix))},{told}")


if __name__ == "__main__":
    main()
