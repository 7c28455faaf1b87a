"""Control charts: worked examples of the NIST handbook, run lengths of Champ and Woodall, rules by their words."""

import numpy as np
import pandas as pd
import pytest

from cxlib import charts
from cxlib.charts import control_chart, signals
from cxlib.errors import CxError
from cxlib.promoters import nps

# NIST/SEMATECH e-Handbook 6.3.2.2 (individuals) and 6.3.3.2 (fraction defective of 30 samples of 50).
BATCHES = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
WAFERS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]


def series(values):
    return pd.DataFrame({"period": [f"{i:03}" for i in range(len(values))], "x": values})


def wafers():
    return pd.DataFrame(
        [(f"{i:02}", k < bad) for i, bad in enumerate(WAFERS) for k in range(50)], columns=["period", "x"]
    )


def measures(found):
    return {measure: rows["estimate"].to_numpy() for measure, rows in found.groupby("measure")}


def test_individuals_of_the_handbook():
    """Centre 50.81, limits 45.8159 and 55.8041 with 1.128 for 2/sqrt(pi) = 1.12838: the last digits differ."""
    found = measures(control_chart(series(BATCHES), "x"))
    assert found["centre"] == pytest.approx(50.81)
    assert found["lower_limit"] == pytest.approx(45.8159, rel=5e-4 * 0.1)
    assert found["upper_limit"] == pytest.approx(55.8041, rel=5e-4 * 0.1)
    assert found["value"].tolist() == BATCHES
    assert found["change_limit"] == pytest.approx(3.267 * 1.8778, rel=1e-3)


def test_fractions_of_the_handbook():
    """Mean .2313 of samples of 50: limits p ± 3 sqrt(p (1 - p) / 50)."""
    found = measures(control_chart(wafers(), "x", measure="share"))
    assert found["centre"] == pytest.approx(0.2313, abs=5e-5)
    half = 3 * np.sqrt(found["centre"] * (1 - found["centre"]) / 50)
    assert found["upper_limit"] == pytest.approx(found["centre"] + half)
    assert found["lower_limit"] == pytest.approx(found["centre"] - half)
    beyond = control_chart(wafers(), "x", measure="share").query("measure == 'value' and note.str.contains('limits')")
    assert beyond["period"].tolist() == ["14", "22"]  # .44 and .48, the two the handbook's chart shows


@pytest.mark.parametrize(
    ("rules", "run"),
    [
        (["beyond limits"], 370.40),
        (["beyond limits", "two of three"], 225.44),
        (["beyond limits", "four of five"], 166.05),
        (["beyond limits", "run of eight"], 152.73),
        (charts.WESTERN_ELECTRIC, 91.75),
    ],
)
def test_false_signals_come_as_often_as_published(rules, run):
    """Champ & Woodall (1987), table 1: average run length in control; 4,000 runs have a standard error of 1.6 %."""
    rng = np.random.default_rng(7)
    hits = [np.any(list(signals(rng.normal(size=int(run * 14)), rules).values()), axis=0) for _ in range(4000)]
    lengths = [np.argmax(hit) + 1 if hit.any() else len(hit) for hit in hits]
    assert np.mean(lengths) == pytest.approx(run, rel=0.05)


@pytest.mark.parametrize(
    ("z", "rule", "places"),
    [
        ([0, 3.1, 0, -3.1, 3.0], "beyond limits", [1, 3]),
        ([2.1, 0, 2.1, 0, 0, 2.1, -2.1], "two of three", [2]),
        ([2.1, 2.1, 0, 0, 0], "two of three", [1]),
        ([1.1, 1.1, 1.1, 0, 1.1, 0], "four of five", [4]),
        ([1.1, 1.1, -1.1, 1.1, 1.1], "four of five", [4]),
        ([0.1] * 9, "run of eight", [7, 8]),
        ([0.1] * 7 + [-0.1] + [0.1] * 7, "run of eight", []),
        ([-0.1] * 8, "run of eight", [7]),
        ([0, 1, 2, 3, 4, 5, 4], "trend of six", [5]),
        ([5, 4, 3, 2, 1, 0, -1], "trend of six", [5, 6]),
        ([0, 1, 2, 2, 3, 4, 5], "trend of six", []),
    ],
)
def test_rules_by_their_words(z, rule, places):
    assert np.flatnonzero(signals(np.array(z, float), [rule])[rule]).tolist() == places


def test_signals_are_marked_in_words_at_the_value():
    found = control_chart(series([5.0, 5.2, 4.9, 5.1, 5, 5.1, 4.9, 5, 9]), "x", baseline=8)
    notes = found[found["measure"] == "value"]["note"].tolist()
    assert notes == [""] * 8 + ["beyond the limits"]
    changes = found[found["measure"] == "change"]["note"].tolist()
    assert changes == ["", *["no more than noise"] * 7, "more than noise"]
    assert found["method"].iloc[0] == "XmR, limits from 8 periods, provisional"


def answers(seed=0):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {"period": rng.choice([f"2026-{m:02}" for m in range(1, 7)], 900), "w": rng.uniform(0.5, 2, 900)}
    )
    rows["recommend"] = np.clip(rng.normal(8, 2, 900).round(), 0, 10)
    rows["team"], rows["ok"] = rng.choice(["a", "b"], 900), rng.random(900) < 0.3
    rows.loc[rng.random(900) < 0.1, ["recommend"]] = np.nan
    return rows


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("by", [None, "team"])
def test_values_are_the_measures_of_the_periods(weights, by):
    """Identity: each value is the NPS, the mean or the share of its period, weighted or not."""
    data, keys = answers(), [*([by] if by else []), "period"]
    found = control_chart(data, "recommend", by=by, measure="nps", weights=weights).query("measure == 'value'")
    expected = nps(data, by=keys, weights=weights)
    assert found["estimate"].tolist() == pytest.approx(expected["estimate"].tolist())
    assert found["n"].tolist() == expected["n"].tolist()
    w = data["w"] if weights else 1.0
    for value, measure in (("recommend", "mean"), ("ok", "share")):
        sums = data.assign(t=data[value].astype(float) * w, w=data[value].notna() * w).groupby(keys)[["t", "w"]].sum()
        chart = control_chart(data, value, by=by, measure=measure, weights=weights).query("measure == 'value'")
        assert chart["estimate"].tolist() == pytest.approx((sums["t"] / sums["w"]).tolist())


def test_laney_widens_by_the_moving_range_of_the_standard_scores():
    plain, wide = (measures(control_chart(wafers(), "x", measure="share", chart=c)) for c in ("p", "laney"))
    p = np.array(WAFERS) / 50
    sigma = np.sqrt(p.mean() * (1 - p.mean()) / 50)
    factor = np.abs(np.diff((p - p.mean()) / sigma)).mean() / (2 / np.sqrt(np.pi))
    upper = plain["upper_limit"] - plain["centre"]
    assert wide["upper_limit"] - wide["centre"] == pytest.approx(factor * upper)


def test_many_answers_make_a_p_chart_cry_wolf_and_laneys_not():
    """Known truth: shares that wander by a point from week to week, 20,000 answers each: no week is special."""
    rng = np.random.default_rng(3)
    shares = 0.3 + rng.normal(0, 0.01, 60)
    weeks = pd.DataFrame({"period": np.repeat([f"{i:02}" for i in range(60)], 2), "x": [1, 0] * 60})
    weeks["w"] = np.column_stack([shares, 1 - shares]).ravel()
    rows = weeks.loc[weeks.index.repeat((weeks["w"] * 20_000).round().astype(int))]
    found = {c: control_chart(rows, "x", measure="share", chart=c, rules=["beyond limits"]) for c in ("p", "laney")}
    told = {c: (chart["note"] == "beyond the limits").sum() for c, chart in found.items()}
    assert told["p"] >= 15
    assert told["laney"] <= 1


def test_a_period_without_answers_is_told_and_left_out_of_the_limits():
    data = pd.concat([series([5.0, 6, 5, 6]), pd.DataFrame({"period": ["0015"], "x": [np.nan]})])
    found = control_chart(data, "x")
    empty = found[found["period"] == "0015"]
    assert empty[["measure", "note", "n"]].to_numpy().tolist() == [["value", "too few", 0]]
    assert found.query("measure == 'centre'")["estimate"].iloc[0] == 5.5


def test_values_that_never_change_give_no_signal():
    found = control_chart(series([5.0] * 10), "x")
    assert (found.query("measure == 'value'")["note"] == "").all()


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"measure": "median"},
         "control_chart: no measure 'median'; did you mean 'mean'? There are: 'mean', 'nps', 'share'"),
        ({"chart": "p"}, 'chart="p" is for shares; take "xmr" for measure="mean"'),
        ({"chart": "c"}, "control_chart: no chart 'c'; There are: 'xmr', 'p', 'laney'"),
        ({"baseline": 1}, "baseline must be a number of periods from 2, not '1'"),
        ({"measure": "share"}, "column 'x' must be true/false or 0/1, but 10 rows hold something else"),
        ({"measure": "nps"},
         "score 'x' must hold whole points from 0 to 10; found 47.6 (1 times), 47.8 (1 times), 49.6 (1 times), 49.9 (1 "
         "times), 51.2 (1 times), 51.3 (1 times) and 4 other values; leave empty what means no answer (in a study: "
         "missing = [47.6])"),
        ({"period": "week"}, "frame: no column 'week'; There are: 'period', 'x'"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused(options, fault):
    with pytest.raises(CxError) as refused:
        control_chart(series(BATCHES), "x", **options)
    assert list(refused.value.faults) == [fault]


def test_words_are_no_values_of_a_chart():
    with pytest.raises(CxError) as refused:
        control_chart(series(["low", "high"]), "x")
    assert list(refused.value.faults) == ["column 'x' must hold numbers or true/false, it is factor; recode it"]
