"""Intervals against printed values, brute force, identities and exact enumeration."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

from cxlib import intervals
from cxlib.errors import CxError
from tests.calibration.nps_coverage import coverage

METHODS = ["tango", "adjusted_wald", "wald"]
COUNTS = [(60, 95, 95), (2, 3, 5), (1, 2, 7), (25, 40, 35), (5, 0, 0), (0, 4, 0), (0, 0, 10), (1, 0, 0), (0, 9, 1)]
answers = st.tuples(*[st.integers(0, 400)] * 3).filter(any)

# Printed in the specification of the kit's methods; the formulas are those of Tango (1998) and Rocks (2016).
PRINTED = [
    ("wald", (60, 95, 95), (0.0439, 0.2361)),
    ("wald", (25, 40, 35), (-0.0505, 0.2505)),
    ("adjusted_wald", (60, 95, 95), (0.0429, 0.2337)),
    ("adjusted_wald", (2, 3, 5), (-0.1905, 0.6520)),
    ("adjusted_wald", (1, 2, 7), (0.0704, 0.8527)),
    ("adjusted_wald", (25, 40, 35), (-0.0510, 0.2451)),
    ("tango", (60, 95, 95), (0.0427, 0.2343)),
    ("tango", (2, 3, 5), (-0.2166, 0.6753)),
    ("tango", (1, 2, 7), (0.0489, 0.8589)),
    ("tango", (25, 40, 35), (-0.0521, 0.2471)),
]


def limits(method, counts, level=0.95):
    low, high = getattr(intervals, method)(*counts, level=level)
    return float(low), float(high)


def likelihood_score(counts, delta):
    """Tango's statistic with the constrained maximum found by minimising the trinomial likelihood, no closed form."""
    down, _, up = counts
    n = sum(counts)

    def surprise(q):
        cells = np.array([q, 1 - 2 * q - delta, q + delta])
        seen = np.array(counts) > 0
        return -np.sum(np.array(counts)[seen] * np.log(np.maximum(cells[seen], 1e-300)))

    bounds = (max(0.0, -delta), (1 - delta) / 2)
    inner = minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 1e-13}).x
    q = min((*bounds, inner), key=surprise)
    return (up - down - n * delta) / np.sqrt(n * (2 * q + delta * (1 - delta)))


@pytest.mark.parametrize(("method", "counts", "printed"), PRINTED)
def test_printed_limits(method, counts, printed):
    assert limits(method, counts) == pytest.approx(printed, abs=5e-5)


def test_ten_promoters_of_ten():
    """Closed form: with promoters only the equation is n(1 - delta)/(1 + delta) = z², printed as [.445, 1]."""
    z2 = norm.ppf(0.975) ** 2
    assert limits("tango", (0, 0, 10)) == pytest.approx(((10 - z2) / (10 + z2), 1.0), abs=1e-12)
    assert limits("tango", (0, 0, 10))[0] == pytest.approx(0.445, abs=5e-4)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("counts", COUNTS)
def test_tango_solves_its_equation_with_the_maximum_found_numerically(counts, level):
    """Brute force: root finding with the constrained maximum by scipy, which knows no closed form."""
    z, s = norm.ppf((1 + level) / 2), (counts[2] - counts[0]) / sum(counts)
    low, high = limits("tango", counts, level)
    tiny = 1e-9
    if s > -1:
        assert low == pytest.approx(brentq(lambda d: likelihood_score(counts, d) - z, -1 + tiny, s - tiny), abs=1e-6)
    if s < 1:
        assert high == pytest.approx(brentq(lambda d: likelihood_score(counts, d) + z, s + tiny, 1 - tiny), abs=1e-6)


@given(answers, st.floats(0.2, 0.999))
def test_the_score_at_the_limits_is_the_quantile(counts, level):
    s = (counts[2] - counts[0]) / sum(counts)
    low, high = limits("tango", counts, level)
    z = norm.ppf((1 + level) / 2)
    if s > -1:
        assert intervals.tango_score(*counts, low) == pytest.approx(z, rel=1e-6)
    if s < 1:
        assert intervals.tango_score(*counts, high) == pytest.approx(-z, rel=1e-6)


@given(answers)
def test_the_score_falls_as_the_hypothesis_rises(counts):
    """What makes the pair of limits an interval: the statistic is monotone on the whole scale."""
    values = intervals.tango_score(*counts, np.linspace(-0.999, 0.999, 401))
    assert (np.diff(values) < 1e-9).all()


@pytest.mark.parametrize("method", METHODS)
@given(counts=answers, level=st.floats(0.2, 0.999))
def test_limits_hold_the_estimate_and_stay_on_the_scale(method, counts, level):
    low, high, _ = (float(x) if i < 2 else x for i, x in enumerate(intervals.nps_limits(method, *counts, level)))
    assert -1 <= low <= (counts[2] - counts[0]) / sum(counts) <= high <= 1
    assert high - low > 1e-6


@pytest.mark.parametrize("method", METHODS)
@given(counts=answers)
def test_promoters_and_detractors_swapped_mirror_the_interval(method, counts):
    low, high = limits(method, counts)
    assert limits(method, counts[::-1]) == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
@given(counts=answers, up=st.integers(1, 20))
def test_more_confidence_is_wider_and_a_promoter_for_a_detractor_raises(method, counts, up):
    (low, high), (lower, higher) = limits(method, counts, 0.8), limits(method, counts, 0.99)
    assert lower <= low
    assert high <= higher
    if method == "tango":  # Wald limits are cut off at the scale's ends and shrink near them
        moved = limits(method, (counts[0], counts[1], counts[2] + up))
        before = limits(method, (counts[0] + up, counts[1], counts[2]))
        assert before[0] < moved[0] + 1e-12
        assert before[1] < moved[1] + 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_arrays_equal_one_at_a_time_and_no_answer_is_no_number(method):
    table = np.array([*COUNTS, (0, 0, 0)]).T
    low, high = getattr(intervals, method)(*table)
    assert np.isnan([low[-1], high[-1]]).all()
    for i, counts in enumerate(COUNTS):
        assert (low[i], high[i]) == pytest.approx(limits(method, counts), abs=1e-14)


def test_ten_million_answers_agree_with_wald():
    """Large samples: all three intervals are the same to the first order."""
    counts = (3_000_000, 3_500_000, 3_500_000)
    for method in METHODS:
        assert limits(method, counts) == pytest.approx(limits("wald", counts), abs=1e-7)


def test_wilson_is_the_closed_form():
    """Wilson (1927): (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)."""
    z, p, n = norm.ppf(0.95), 3 / 17, 17
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = intervals.wilson([3, 0], [17, 0], level=0.9)
    assert (low[0], high[0]) == pytest.approx(((middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)))
    assert np.isnan([low[1], high[1]]).all()


def test_stratum_variance_of_explicit_clusters():
    """Brute force: the sum over every cluster, clusters without an answer included as z = 0."""
    z = [np.array([0.1, -0.2, 0.05, 0.0]), np.array([0.3, -0.1, 0.0]), np.array([-0.15])]
    direct = [len(v) / (len(v) - 1) * np.sum((v - v.mean()) ** 2) for v in z[:2]] + [0.15**2]
    found = intervals.stratum_variance([v.sum() for v in z], [(v**2).sum() for v in z], [len(v) for v in z])
    assert found == pytest.approx(direct)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, "high", None, float("nan")])
def test_level_must_lie_between_0_and_1(level):
    with pytest.raises(CxError, match=r"level must lie between 0 and 1, such as 0.95, not"):
        intervals.quantile(level)


# Printed in the specification of the kit's methods: mean and minimum over ten mixes.
EXACT = {
    (5, "wald"): (0.835, 0.808), (5, "adjusted_wald"): (0.958, 0.942), (5, "tango"): (0.966, 0.951),
    (10, "wald"): (0.891, 0.826), (10, "adjusted_wald"): (0.950, 0.935), (10, "tango"): (0.957, 0.947),
}  # fmt: skip


@pytest.mark.parametrize(("n", "method"), list(EXACT))
def test_exact_coverage(n, method):
    assert coverage(n, method)[:2] == pytest.approx(EXACT[n, method], abs=5e-4)


def test_the_stored_calibration_is_the_one_the_script_makes():
    table = (Path(__file__).parent / "calibration" / "nps_coverage.csv").read_text().splitlines()
    rows = csv.DictReader(table)
    stored = {(int(row["n"]), row["interval"]): (float(row["mean"]), float(row["minimum"])) for row in rows}
    for key in EXACT:
        assert stored[key] == pytest.approx(coverage(*key)[:2], abs=1e-6)
    for n in (5, 10, 30, 100):  # the order of merit at small n, and that all meet at large n
        assert stored[n, "wald"][0] < stored[n, "adjusted_wald"][0] <= stored[n, "tango"][0] + 5e-4
        assert stored[n, "tango"][1] > 0.94
