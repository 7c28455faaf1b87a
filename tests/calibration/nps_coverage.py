"""Exact coverage of the NPS intervals, and exact type-I errors of wave comparisons, by enumeration.

Made with ``python -m tests.calibration.nps_coverage > tests/calibration/nps_coverage.csv``: every possible outcome of
n answers is weighted with its trinomial probability, so nothing is simulated and the figures have no noise.
"""

from math import lgamma

import numpy as np

from cxlib import intervals

# Detractors, passives, promoters in percent: ten mixes that surveys show.
MIXES = [
    (30, 30, 40), (20, 30, 50), (10, 25, 65), (15, 35, 50), (40, 30, 30),
    (25, 45, 30), (35, 25, 40), (45, 30, 25), (12, 38, 50), (50, 25, 25),
]  # fmt: skip
SIZES = (5, 10, 30, 100)
METHODS = ("wald", "adjusted_wald", "tango")


def outcomes(n):
    """All (detractors, passives, promoters) of n answers, and the logarithm of their number of orders."""
    counts = np.array([(d, n - d - p, p) for d in range(n + 1) for p in range(n + 1 - d)])
    factorial = np.array([lgamma(k + 1) for k in range(n + 1)])
    return counts, factorial[n] - factorial[counts].sum(axis=1)


def probabilities(n, mix):
    """Every outcome of n answers from a mix in percent, and its probability."""
    counts, orders = outcomes(n)
    return counts, np.exp(orders + counts @ np.log(np.array(mix) / 100))


def coverage(n, method, level=0.95):
    """Mean and minimum over the mixes of the probability that the interval holds the true NPS."""
    counts, _ = outcomes(n)
    low, high = getattr(intervals, method)(*counts.T, level=level)
    held = []
    for mix in MIXES:
        truth = (mix[2] - mix[0]) / 100
        inside = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
        held.append(float(probabilities(n, mix)[1] @ inside))
    return float(np.mean(held)), min(held), held


def main():
    print("n,interval,mean,minimum," + ",".join("_".join(map(str, mix)) for mix in MIXES))
    for n in SIZES:
        for method in METHODS:
            mean, least, held = coverage(n, method)
            print(f"{n},{method}," + ",".join(f"{value:.7f}" for value in (mean, least, *held)))


if __name__ == "__main__":
    main()
