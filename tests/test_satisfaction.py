"""CSAT and CES: worked counts, R survey on airport passengers, brute force with weights, points off the scale."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from cxlib import intervals
from cxlib.errors import CxError
from cxlib.promoters import nps
from cxlib.satisfaction import ces, csat

COUNTS = [80, 210, 140, 110, 160, 180, 120]


def effort():
    return pd.DataFrame({"effort": np.repeat(range(1, 8), COUNTS)})


def survey(seed=0, rows=300):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"csat": rng.integers(1, 6, rows).astype(float), "w": rng.uniform(0.2, 3, rows)})
    data["team"], data["effort"] = rng.choice(["a", "b"], rows), rng.integers(1, 8, rows).astype(float)
    data.loc[rng.random(rows) < 0.2, ["csat", "effort"]] = np.nan
    return data


def linearised(data, y, w, inside):
    """The mean of a domain and its error as the definition reads, row by row; rows outside stay in with z = 0."""
    w = np.where(inside, w, 0.0)
    y = np.where(inside, y, 0.0)
    mean = (w * y).sum() / w.sum()
    z = w * (y - mean) / w.sum()
    return mean, np.sqrt(len(data) / (len(data) - 1) * (z**2).sum())


def test_the_three_conventions_of_the_worked_counts():
    """Worked by hand: 4.08, 46.0 % and -13.0."""
    found = ces(effort()).set_index("measure")
    assert found.index.tolist() == ["mean", "share", "net"]
    assert found["estimate"].tolist() == pytest.approx([4.08, 0.46, -13.0])
    assert found["unit"].tolist() == ["points", "share", "points"]
    assert found["method"].str.partition(";")[0].tolist() == [
        "CES 2.0, mean of 1-7", "CES 2.0, share of 5-7", "CES 2.0, share of 6-7 less share of 1-3",
    ]  # fmt: skip
    low, high = intervals.tango(430, 270, 300)
    assert found.loc["net", ["lower", "upper"]].tolist() == pytest.approx([100 * low, 100 * high])
    low, high = intervals.wilson(460, 1000)
    assert found.loc["share", ["lower", "upper"]].tolist() == pytest.approx([float(low), float(high)])


@pytest.mark.parametrize("convention", ["mean", "share", "net"])
def test_one_convention_is_one_row(convention):
    assert ces(effort(), convention=convention)["measure"].tolist() == [convention]


def test_means_have_students_limits():
    """By definition: mean ± t s / sqrt(n)."""
    values = [5, 4, 4, 2, 1, 3]
    row = csat(pd.DataFrame({"csat": values})).set_index("measure").loc["mean"]
    half = t.ppf(0.975, 5) * np.std(values, ddof=1) / np.sqrt(6)
    mean = np.mean(values)
    assert row[["estimate", "lower", "upper"]].tolist() == pytest.approx([mean, mean - half, mean + half])


@pytest.mark.parametrize("by", [None, "team"])
def test_weighted_as_the_definition_reads(by):
    data = survey()
    found, net = csat(data, by=by, weights="w"), ces(data, by=by, weights="w").query("measure == 'net'")
    for team in ("a", "b") if by else (None,):
        inside = data["csat"].notna() & ((data["team"] == team) if by else True)
        own = (found[found["team"] == team] if by else found).set_index("measure")
        for measure, y in (("csat", data["csat"] >= 4), ("mean", data["csat"])):
            expected = linearised(data, y.astype(float), data["w"], inside)
            assert own.loc[measure, ["estimate", "std_error"]].tolist() == pytest.approx(expected)
        u = np.where(data["effort"] >= 6, 1.0, np.where(data["effort"] <= 3, -1.0, 0.0))
        row = (net[net["team"] == team] if by else net).iloc[0]
        assert row[["estimate", "std_error"]].tolist() == pytest.approx(
            [100 * x for x in linearised(data, u, data["w"], inside)]
        )


def test_a_weighted_share_has_the_wilson_limits_of_its_effective_answers():
    """Identity: with p (1 - p) / se² answers the plain Wilson interval is the same."""
    row = csat(survey(), weights="w").iloc[0]
    n = row["estimate"] * (1 - row["estimate"]) / row["std_error"] ** 2
    assert row[["lower", "upper"]].tolist() == pytest.approx(
        [float(x) for x in intervals.wilson(row["estimate"] * n, n)]
    )


@pytest.mark.parametrize("weights", [None, "w"])
def test_answers_all_alike_have_an_interval_or_say_why_not(weights):
    found = csat(pd.DataFrame({"csat": [5, 5, 5], "w": [1, 2, 3]}), weights=weights).set_index("measure")
    assert found.loc["csat", "lower"] < found.loc["csat", "estimate"] == 1
    assert np.isnan(found.loc["mean", "lower"])
    assert found.loc["mean", "method"].endswith("(no spread)")


@pytest.mark.real_data("pwc_call_center.csv")
def test_call_centre_against_r(real_data, reference):
    found = csat(pd.read_csv(real_data / "pwc_call_center.csv"), score="Satisfaction rating").set_index("measure")
    expected = pd.read_csv(reference / "pwc_metrics.csv").set_index("metric")["value"]
    assert found.loc["csat", ["estimate", "n"]].tolist() == pytest.approx([expected["csat_top2"], expected["csat_n"]])
    assert found.loc["mean", "estimate"] == pytest.approx(expected["csat_mean"])


@pytest.mark.real_data("sfo_2017.csv")
@pytest.mark.parametrize("item", ["Q7ALL", "Q7SIGN", "Q9RESTROOM", "Q14PASSTHRU", "Q7LTPARKING"])
def test_passengers_against_r_survey(real_data, reference, item):
    """svymean of the top two boxes; R drops empty answers from n / (n - 1), here they stay in: 1e-3 at 834 answers."""
    data = pd.read_csv(real_data / "sfo_2017.csv", low_memory=False)
    rated = pd.to_numeric(data[item], errors="coerce")  # the word "Blank"
    data["rated"] = rated.where(rated.isin(range(1, 6)))
    expected = pd.read_csv(reference / "sfo2017_touchpoint_table.csv").set_index("item").loc[item]
    plain, weighted = csat(data, score="rated"), csat(data, score="rated", weights="WEIGHT")
    assert plain["estimate"].tolist() == pytest.approx([expected["t2b"], expected["mean"]])
    assert plain["n"].tolist() == [expected["n"]] * 2
    assert weighted.loc[0, "estimate"] == pytest.approx(expected["t2b_w"])
    assert weighted.loc[0, "std_error"] == pytest.approx(expected["t2b_w_se"], rel=1e-3)


@pytest.mark.real_data("sfo_2017.csv")
def test_the_weighted_nps_of_the_same_passengers(real_data, reference):
    """R survey: 40.3984, error 1.44572."""
    data = pd.read_csv(real_data / "sfo_2017.csv", usecols=["NETPRO", "WEIGHT"])
    found = nps(data.assign(recommend=data["NETPRO"].where(data["NETPRO"] <= 10)), weights="WEIGHT").iloc[0]
    assert found[["estimate", "std_error"]].tolist() == pytest.approx([40.3984, 1.44572], abs=5e-5)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda: csat(pd.DataFrame({"csat": [5, 6, 6, 4]})),
         "score 'csat' must hold whole points from 1 to 5; found 6 (2 times); correct them, leave empty what means no "
         "answer (in a study: missing = [6]), or declare the scale"),
        (lambda: csat(pd.DataFrame({"csat": [5, 4.5]})),
         "score 'csat' must hold whole points from 1 to 5; found 4.5 (1 times); correct them, leave empty what means "
         "no answer (in a study: missing = [4.5]), or declare the scale"),
        (lambda: csat(pd.DataFrame({"csat": ["good"]})),
         "score 'csat' must hold numbers from 1 to 5, not 'good'; recode them, and leave empty what means no answer"),
        (lambda: csat(pd.DataFrame({"csat": [5]}), boxes=5),
         "boxes must be a whole number from 1 to 4 on a scale 1-5, not 5"),
        (lambda: csat(pd.DataFrame({"csat": [5]}), scale=(5, 1)),
         "scale must be its first and last point, such as (1, 5), not (5, 1)"),
        (lambda: ces(effort(), convention="agree"),
         "ces: no convention 'agree'; did you mean 'share'? There are: 'mean', 'share', 'net'"),
        (lambda: ces(effort(), score="ease"), "frame: no column 'ease'; There are: 'effort'"),
    ],
)  # fmt: skip
def test_points_off_the_scale_and_wrong_options_are_refused(call, fault):
    with pytest.raises(CxError) as refused:
        call()
    assert list(refused.value.faults) == [fault]


def test_a_wave_without_answers_is_too_few_not_nought():
    data = pd.DataFrame({"wave": ["a", "a", "b"], "csat": [5, 3, None]})
    found = csat(data, by="wave").query("wave == 'b'")
    assert found["estimate"].isna().all()
    assert found["note"].tolist() == ["too few"] * 2
