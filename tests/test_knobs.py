"""The world with knobs: the truth is the simulator's, the adjusted share holds it where the naive one misses it."""

import numpy as np
import pytest

import cxlib as cx
from cxlib.knobs import LIMITS, fitted, turned, world
from cxlib.story import Story


def shares(result):
    return result[result["measure"] == "fraction"].set_index(["model", "term"])["estimate"]


def row(result, model, term="service"):
    found = result[(result["model"] == model) & (result["term"] == term) & (result["measure"] == "fraction")]
    return next(found.itertuples())


def test_customers_and_truth_are_those_of_the_simulator():
    """Authority: `simulate` itself, the same seed of the same generator counted in a landmark of its tables."""
    at_risk, left, truth = world(Story(), 4000, 3)
    assert at_risk.sum() == truth.at_risk and left.sum() / at_risk.sum() == pytest.approx(truth.realised_attrition)
    _, own = cx.simulate(customers=60_000, seed=11)
    _, _, large = world(Story(), 60_000, 11)
    assert large.fraction["service"] == pytest.approx(own.fraction["service"], abs=0.012)
    assert large.naive_service_fraction == pytest.approx(own.naive_service_fraction, abs=0.02)


def test_the_fit_is_that_of_the_kit_on_rows():
    """Authority: `fit_attrition` on one row per customer."""
    at_risk, left, _ = world(Story(), 3000, 1)
    fit = fitted(at_risk, left)
    rows = fit.cells.levels.loc[np.repeat(np.arange(len(fit.cells.rows)), fit.cells.rows)].reset_index(drop=True)
    gone = fit.cells.events.toarray()[0].astype(int)
    rows["left"] = np.concatenate([np.arange(n) < k for n, k in zip(fit.cells.rows, gone, strict=True)])
    own = cx.fit_attrition(rows, "left", fit.causes, fit.adjust, interactions=None, replicates=0)
    assert fit.coefficients.to_dict() == pytest.approx(own.coefficients.to_dict(), abs=1e-8)


def test_the_defaults_are_the_story():
    """Authority: the defaults of the simulator; rounded knobs draw other customers, so within .012."""
    truth = shares(turned(customers=50_000, seed=2))["true", "service"]
    assert truth == pytest.approx(world(Story(), 50_000, 2)[2].fraction["service"], abs=0.012)


@pytest.mark.parametrize("seed", range(3))
def test_without_harm_the_truth_is_nought_and_only_the_naive_share_is_not(seed):
    """Known truth: a failed contact that multiplies the odds by 1 does nothing."""
    found = turned(harm=1, seed=seed)
    naive, adjusted = row(found, "naive"), row(found, "adjusted")
    assert row(found, "true").estimate == pytest.approx(0, abs=1e-12)
    assert naive.lower > 0.15
    assert adjusted.lower <= 0 <= adjusted.upper


def test_without_faults_there_is_nothing_to_adjust_for():
    """Known truth: the confounder is gone, so both shares agree."""
    found = shares(turned(faults=0, seed=1))
    assert found["naive", "service"] == pytest.approx(found["adjusted", "service"], abs=0.02)
    assert found["adjusted", "service"] == pytest.approx(found["true", "service"], abs=0.05)


@pytest.mark.parametrize(("knob", "low", "high"), [("faults", 5, 60), ("calling", 10, 100), ("failing", 10, 90)])
def test_turning_a_knob_up_drives_the_naive_share_up(knob, low, high):
    least, most = (shares(turned(**{knob: value})) for value in (low, high))
    assert most["naive", "service"] > least["naive", "service"] + 0.1
    off = [world_["naive", "service"] - world_["true", "service"] for world_ in (least, most)]
    assert off[1] > off[0]


def test_the_adjusted_share_holds_the_truth_as_often_as_it_says():
    """Of 20 seeds at the defaults, 95 % intervals: at most 3 misses; the naive one holds it in at most 3."""
    held = {"naive": 0, "adjusted": 0}
    for seed in range(20):
        found = turned(seed=seed, customers=5000)
        true = row(found, "true").estimate
        for model in held:
            told = row(found, model)
            held[model] += told.lower <= true <= told.upper
    assert held["adjusted"] >= 17
    assert held["naive"] <= 3


@pytest.mark.parametrize("ends", [dict.fromkeys(LIMITS, 0) | {"harm": 1}, LIMITS])
def test_every_knob_at_its_end_is_a_world(ends):
    found = turned(**ends)
    assert 0 <= row(found, "true").estimate < 0.6
    ax, said = cx.workshop.world(**ends)
    assert said.startswith("In this world")
    ax.figure.clear()


@pytest.mark.parametrize(
    ("knobs", "fault"),
    [
        ({"faults": 61}, "faults must be a number from 0 to 60, not 61"),
        ({"harm": 0.5}, "harm must be a number from 1 to 8, not 0.5"),
        ({"raises": "many"}, "raises must be a number from 0 to 90, not 'many'"),
        ({"calling": True}, "calling must be a number from 0 to 100, not True"),
    ],
)
def test_a_knob_beyond_its_end_is_refused(knobs, fault):
    with pytest.raises(cx.CxError, match=fault):
        turned(**knobs)


def test_the_same_seed_is_the_same_world():
    assert turned(seed=4).equals(turned(seed=4))
