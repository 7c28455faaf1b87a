"""Numbers of answers against closed forms, Tango widths and simulated waves."""

import numpy as np
import pytest
from scipy.stats import norm

from cxlib import changes, intervals
from cxlib.errors import CxError
from cxlib.planning import nps_sample_size
from cxlib.schema import RESULT_COLUMNS

MIX = (0.2, 0.3, 0.5)


def size(**options):
    return nps_sample_size(**options).set_index("measure")["estimate"]


def test_result_shape_and_measures():
    found = nps_sample_size(margin=5, change=10, answers=400)
    assert tuple(found.columns) == RESULT_COLUMNS
    assert found["measure"].tolist() == ["answers_for_margin", "answers_for_change", "detectable_change"]
    assert found["unit"].tolist() == ["answers", "answers", "points"]
    assert set(found["method"]) == {"normal approximation, power 0.8, mix 20/30/50"}


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("margin", [3, 8])
@pytest.mark.parametrize("mix", [MIX, (0.4, 0.2, 0.4)])
def test_the_margin_is_that_of_the_interval_in_use(margin, level, mix):
    """Tango's interval of exactly these shares is as wide as asked, within 2 %."""
    n = size(margin=margin, level=level, mix=mix)["answers_for_margin"]
    low, high = intervals.tango(*(n * np.array(mix)), level=level)
    assert 100 * (high - low) / 2 == pytest.approx(margin, rel=0.02)


@pytest.mark.parametrize(("ratio", "level", "power"), [(1, 0.95, 0.8), (1, 0.9, 0.9), (0.5, 0.95, 0.8), (3, 0.99, 0.6)])
def test_the_change_follows_the_closed_form(ratio, level, power):
    """n = v (1 + 1/ratio) (z_level + z_power)² / change², the other tail being negligible."""
    z = norm.ppf((1 + level) / 2) + norm.ppf(power)
    expected = 0.61 * (1 + 1 / ratio) * (z / 0.08) ** 2
    found = size(change=8, ratio=ratio, level=level, power=power)["answers_for_change"]
    assert found == pytest.approx(expected, abs=1.01)
    assert size(change=-8, ratio=ratio, level=level, power=power)["answers_for_change"] == found


@pytest.mark.parametrize("design_effect", [1.0, 1.7])
def test_the_detectable_change_undoes_the_number_of_answers(design_effect):
    for change in (4, 10, 25):
        n = size(change=change, design_effect=design_effect)["answers_for_change"]
        back = size(answers=n, design_effect=design_effect)["detectable_change"]
        assert back == pytest.approx(change, rel=0.01)
        assert back <= change


@pytest.mark.parametrize("power", [0.051, 0.8, 0.999_999])
@pytest.mark.parametrize(("answers", "ratio"), [(40, 1), (10**11, 2e-6), (10**6, 5e5)])
def test_the_power_of_the_detectable_change_is_the_power_asked_for(answers, ratio, power):
    """By the definition of power, both tails counted: at sizes where searching for the change would not end."""
    change = size(answers=answers, ratio=ratio, power=power)["detectable_change"]
    shift = change / 100 / np.sqrt(0.61 * (1 + 1 / ratio) / answers)
    z = norm.ppf(0.975)
    assert norm.sf(z - shift) + norm.cdf(-z - shift) == pytest.approx(power, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"answers": 2, "design_effect": 50}, "too few"),  # no score can change by more than 200 points
        ({"answers": 50, "mix": (0, 0, 1)}, "all answers alike"),
        ({"answers": 50, "level": 0.1}, "power not above 1 - level"),  # a test at 90 % rejects so often by itself
        ({"change": 5, "power": 0.04}, "power not above 1 - level"),
    ],
)
def test_changes_that_cannot_be_seen_say_so(options, note):
    (row,) = nps_sample_size(**options).to_dict("records")
    assert np.isnan(row["estimate"]) and row["note"] == note


def test_simulated_waves_show_the_change_as_often_as_promised():
    """Known truth: the comparison that the kit makes rejects at the stated power, within three simulation errors."""
    rng, runs = np.random.default_rng(8), 4000
    n = int(size(change=10, power=0.8)["answers_for_change"])
    before = rng.multinomial(n, MIX, runs)[:, None, :].astype(float)
    after = rng.multinomial(n, (0.15, 0.3, 0.55), runs)[:, None, :].astype(float)
    _, _, low, _ = changes.differences(before, after)["change"]
    # The mix that has changed by 10 points has a smaller variance (.54 for .61), so a little more power is right.
    z = norm.ppf(0.975)
    expected = norm.cdf((0.1 - z * np.sqrt((0.61 + 0.54) / n)) / np.sqrt((0.61 + 0.54) / n))
    assert np.mean(low > 0) == pytest.approx(expected, abs=0.02)
    assert np.mean(low > 0) > 0.79


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give at least one of margin (points), change (points) and answers"),
        ({"margin": 0}, "margin must lie between 0.001 and 100, not 0"),
        ({"change": 300}, "change must lie between 0.001 and 200, not 300"),
        ({"answers": 1}, "answers must lie between 1 and 1e+12, not 1"),
        ({"margin": 5, "power": 80}, "power must lie between 0 and 1, not 80"),
        ({"margin": 5, "mix": (20, 30, 50)}, "mix must be three shares that add to 1, detractors, passives, promoters, "
                                             "not (20, 30, 50)"),
        ({"margin": 5, "power": None}, "power must lie between 0 and 1, not None"),
        ({"margin": 5, "ratio": None}, "ratio must lie between 1e-06 and 1e+06, not None"),
        ({"margin": 5, "ratio": 0}, "ratio must lie between 1e-06 and 1e+06, not 0"),
        ({"margin": "five"}, "margin must lie between 0.001 and 100, not five"),
        ({"change": [5]}, "change must lie between 0.001 and 200, not [5]"),
        ({"margin": 5, "mix": "x"}, "mix must be three shares that add to 1, detractors, passives, promoters, not x"),
        ({"change": 5, "mix": (0, 1, 0)}, "mix must hold more than one kind of answer, not (0, 1, 0): no number of "
                                          "answers follows from it"),
        ({"margin": 5, "level": 95}, "level must lie between 0 and 1, such as 0.95, not 95"),
    ],
)  # fmt: skip
def test_faults(options, message):
    with pytest.raises(CxError) as caught:
        nps_sample_size(**options)
    assert str(caught.value) == message
