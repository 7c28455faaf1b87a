"""Samples drawn again and again. Authority: the coverage that the level promises, and exact shares."""

import re

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from cxlib.errors import CxError
from cxlib.intervals import tango
from cxlib.sampling import EVERYONE, HOLDS, MADE_UP, MISSES, repeated_samples

COUNTS = pd.Series({0: 20.0, 6: 10.0, 7: 25.0, 9: 30.0, 10: 15.0})


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("size", [30, 100])
@pytest.mark.parametrize("counts", [None, COUNTS])
def test_as_many_intervals_hold_the_truth_as_the_level_says(level, size, counts):
    """Known truth: the mix drawn from. Counts are whole, so Tango's limits hold it a little more or less often."""
    drawn = repeated_samples(counts, samples=4000, size=size, level=level, seed=1)
    held = drawn["note"].eq(HOLDS).sum()
    lower, upper = proportion_confint(held, 4000, alpha=1e-4, method="wilson")
    assert lower - 0.015 < level < upper + 0.015
    assert set(drawn["note"]) == {HOLDS, MISSES, ""}


def test_what_everyone_says_is_the_value_of_the_answers():
    """Authority: 30 of 100 detractors (0 to 6), 45 promoters (9 and 10): 15 points; of the made-up company 30."""
    whole = repeated_samples(COUNTS, samples=3).set_index("sample").loc[EVERYONE]
    assert whole["estimate"] == pytest.approx(15)
    assert np.isnan(whole["lower"])
    made_up = repeated_samples(samples=3).set_index("sample").loc[EVERYONE]
    assert made_up["estimate"] == pytest.approx(100 * (MADE_UP[2] - MADE_UP[0]))
    # On a scale up to 9 the score of 7 and 6 is passive: 45 promoters less 20 detractors.
    lower_top = repeated_samples(COUNTS, top=9, samples=1).set_index("sample")
    assert lower_top.loc[EVERYONE, "estimate"] == pytest.approx(25)


def test_each_sample_has_its_own_limits_and_says_whether_they_hold():
    """Authority: Tango's limits of the counts that give the estimate, and the truth between them or not."""
    drawn = repeated_samples(COUNTS, samples=200, size=40, seed=3)
    truth = drawn.loc[drawn["sample"] == EVERYONE, "estimate"].item()
    rows = drawn[drawn["sample"] != EVERYONE]
    assert rows["sample"].tolist() == [str(i) for i in range(1, 201)]
    inside = rows["lower"].le(truth) & rows["upper"].ge(truth)
    assert rows["note"].eq(HOLDS).tolist() == inside.tolist()
    mixes = np.random.default_rng(3).multinomial(40, [0.3, 0.25, 0.45], 200)
    lower, upper = tango(*mixes.T)
    assert rows["lower"].to_numpy() == pytest.approx(100 * lower)
    assert rows["upper"].to_numpy() == pytest.approx(100 * upper)


def test_the_same_seed_draws_the_same():
    assert repeated_samples(seed=5).equals(repeated_samples(seed=5))
    assert not repeated_samples(seed=5).equals(repeated_samples(seed=6))


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"samples": 0}, "samples must be a whole number from 1 to 10,000, not 0"),
        ({"size": 2.5}, "size must be a whole number from 1 to 1,000,000, not 2.5"),
        ({"samples": True}, "samples must be a whole number"),
        ({"level": 1.5}, "level must lie between 0 and 1, such as 0.95, not 1.5"),
        ({"seed": -1}, "seed must be a whole number from 0 to 9,223,372,036,854,775,808, not -1"),
        ({"top": "ten"}, "top must be a whole number from 4 to 1,000, not ten"),
        ({"counts": "many"}, "counts must be numbers by score, such as pd.Series({9: 30, 3: 10}), not many"),
        ({"counts": pd.Series({"high": 3})}, "counts must be numbers by score, such as"),
        ({"counts": COUNTS - 20}, "counts must be numbers of answers, none below 0, by score, not {0: 0.0, 6: -10.0"),
        ({"counts": COUNTS * 0}, "counts must hold at least one answer, by score; they hold none"),
    ],
)
def test_what_cannot_be_drawn_is_refused(given, fault):
    with pytest.raises(CxError, match=re.escape(fault)):
        repeated_samples(**given)
