"""NPS of a frame: R survey, brute force, identities, and every way to give it wrong data."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib import intervals
from cxlib.errors import CxError
from cxlib.promoters import design_effect, nps, nps_differences
from cxlib.schema import RESULT_COLUMNS, TOO_FEW
from cxlib.waves import compare_nps

NUMBERS = ["estimate", "std_error", "lower", "upper", "n"]
scores = st.lists(st.one_of(st.none(), st.integers(0, 10)), min_size=1, max_size=40)


def frame(detractors, passives, promoters):
    return pd.DataFrame({"recommend": [3] * detractors + [8] * passives + [10] * promoters})


def survey(rows=400, seed=1):
    """Answers with everything a design may have: weights, strata, clusters, groups, empty scores and empty groups."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 40, rows)
    score = np.clip(rng.normal(7.5 + np.sin(cluster), 2.2).round(), 0, 10)
    data = pd.DataFrame({"recommend": score, "w": rng.uniform(0.3, 3, rows), "cluster": cluster})
    data["strata"] = np.array(["north", "south", "west"])[cluster % 3]
    data["region"] = rng.choice(["a", "b", "c"], rows)
    data.loc[rng.random(rows) < 0.15, "recommend"] = np.nan
    data.loc[rng.random(rows) < 0.05, "region"] = None
    return data


def brute_force(data, weights=None, strata=None, cluster=None):
    """The linearised variance row by row, as its definition reads: z = 0 outside the domain, no aggregation."""
    u = np.where(data["recommend"] >= 9, 1.0, np.where(data["recommend"] >= 7, 0.0, -1.0))
    w = (data[weights] if weights else pd.Series(1.0, data.index)).where(
        data["recommend"].notna() & data["inside"], 0.0
    )
    s = (w * u).sum() / w.sum()
    z = w * (u - s) / w.sum()
    variance = 0.0
    for _, rows in data.groupby(strata) if strata else [(0, data)]:
        values = z[rows.index].groupby(rows[cluster]).sum() if cluster else z[rows.index]
        variance += len(values) / (len(values) - 1) * ((values - values.mean()) ** 2).sum()
    return 100 * s, 100 * np.sqrt(variance)


def schools(path):
    """The api schools as an NPS: promoter from 750, detractor up to 600 on api00."""
    data = pd.read_csv(path, index_col=0)
    data["recommend"] = np.where(data["api00"] >= 750, 10, np.where(data["api00"] <= 600, 0, 8))
    return data


def passengers(folder):
    """SFO passengers; 11 is a blank answer."""
    data = pd.read_csv(folder / "sfo_2017.csv", usecols=["NETPRO", "WEIGHT", "STRATA", "BAREA"])
    return data.assign(recommend=data["NETPRO"].where(data["NETPRO"] <= 10))


def test_one_row_in_the_result_shape():
    found = nps(frame(60, 95, 95), interval="adjusted_wald")
    assert tuple(found.columns) == RESULT_COLUMNS
    row = found.iloc[0]
    assert (row["term"], row["measure"], row["unit"], row["note"]) == ("nps", "nps", "points", "")
    assert (row["estimate"], row["n"], row["level"], row["method"]) == (14.0, 250, 0.95, "adjusted Wald")
    assert row["std_error"] == pytest.approx(100 * np.sqrt(0.6004 / 250))  # divisor n: variance .62 - .14²


@pytest.mark.parametrize("interval", ["tango", "adjusted_wald", "wald"])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_limits_are_those_of_the_counts_in_points(interval, level):
    low, high = getattr(intervals, interval)(2, 3, 5, level)
    found = nps(frame(2, 3, 5), interval=interval, level=level).iloc[0]
    assert (found["lower"], found["upper"]) == pytest.approx((100 * low, 100 * high))


@pytest.mark.parametrize(
    ("file", "design", "estimate", "error", "method"),
    [
        ("apistrat", {"strata": "stype", "weights": "pw"}, -6.37133, 6.00349, "linearised, weights + strata; Wald"),
        ("apistrat", {"weights": "pw"}, -6.37133, 6.01999, "linearised, weights; Wald"),
        ("apiclus1", {"cluster": "dnum"}, -20.21858, 14.61328, "linearised, clusters; Wald"),
        ("apiclus1", {"cluster": "dnum", "weights": "pw"}, -20.21858, 14.61328, "linearised, weights + clusters; Wald"),
    ],
)
def test_api_schools_agree_with_r_survey(reference, file, design, estimate, error, method):
    """R survey 4: svydesign without finite correction, svymean."""
    found = nps(schools(reference / f"{file}.csv"), **design).iloc[0]
    assert (found["estimate"], found["std_error"]) == pytest.approx((estimate, error), abs=6e-6)
    assert found["method"] == method
    half = 1.959963984540054 * found["std_error"]
    assert (found["lower"], found["upper"]) == pytest.approx((found["estimate"] - half, found["estimate"] + half))


@pytest.mark.real_data("sfo_2017.csv")
def test_passengers_agree_with_r(real_data, reference):
    data = passengers(real_data)
    stored = pd.read_csv(reference / "sfo2017_nps_unweighted.csv").iloc[0]
    found = nps(data, interval="wald").iloc[0]
    assert found[NUMBERS].tolist() == pytest.approx(stored[["nps", "se_n", "lo_n", "hi_n", "n"]].tolist(), rel=1e-12)
    stored = pd.read_csv(reference / "sfo2017_survey_weighted.csv").query("stat == 'NPS'").set_index("design")
    for design, strata in (("iid", None), ("strata", "STRATA")):
        found = nps(data, weights="WEIGHT", strata=strata).iloc[0]
        expected = stored.loc[design, ["est", "se", "lo", "hi"]].tolist()
        assert found[NUMBERS[:4]].tolist() == pytest.approx(expected, rel=1e-9)
    kish = pd.read_csv(reference / "sfo2017_kish.csv").iloc[0]
    found = design_effect(data, "WEIGHT")
    assert found["measure"].tolist() == ["design_effect", "effective_n"]
    assert found["estimate"].tolist() == pytest.approx([kish["kish_deff"], kish["kish_neff"]], rel=1e-9)


@pytest.mark.real_data("sfo_2017.csv")
def test_passengers_by_area_agree_with_r(real_data, reference):
    """Unweighted against plain R, weighted against svyby, whose standard errors are those of domain estimation."""
    data = passengers(real_data)
    plain, weighted = (
        pd.read_csv(reference / f"sfo2017_{name}.csv") for name in ("nps_by_area", "svyby_area_nps")
    )  # fmt: skip
    found = nps(data, by="BAREA", interval="wald")
    assert found["BAREA"].tolist() == plain["seg"].tolist()
    assert found[NUMBERS].to_numpy() == pytest.approx(plain[["nps", "se_n", "lo_n", "hi_n", "n"]].to_numpy(), rel=1e-12)
    found = nps(data, by="BAREA", weights="WEIGHT")
    assert found[NUMBERS[:2]].to_numpy() == pytest.approx(weighted[["nps", "se"]].to_numpy(), rel=1e-9)


@pytest.mark.real_data("mobi.csv")
def test_mobile_customers_agree_with_r_once_their_scale_is_declared(real_data, reference):
    data, stored = pd.read_csv(real_data / "mobi.csv"), pd.read_csv(reference / "mobi_nps.csv")
    for score, row in zip(("CUSL3", "CUSL1"), stored.itertuples(), strict=True):
        with pytest.raises(CxError, match=r"all points from 1 to 10 were found.* declare the scale, scale=\(1, 10\)"):
            nps(data, score)
        found = nps(data, score, scale=(1, 10), interval="wald").iloc[0]
        assert found[NUMBERS].tolist() == pytest.approx([row.nps, row.se_n, row.lo_n, row.hi_n, row.n], rel=1e-12)


DESIGNS = [
    {"weights": "w"}, {"strata": "strata"}, {"cluster": "cluster"}, {"weights": "w", "strata": "strata"},
    {"weights": "w", "cluster": "cluster"}, {"strata": "strata", "cluster": "cluster"},
    {"weights": "w", "strata": "strata", "cluster": "cluster"},
]  # fmt: skip


@pytest.mark.parametrize("design", DESIGNS, ids="+".join)
def test_every_design_equals_the_definition_row_by_row(design):
    """Groups included: rows of the other groups and rows without a score stay in the sample."""
    data = survey()
    for row in nps(data, by="region", **design).to_dict("records"):
        named = data["region"].isna() if row["region"] == "(empty)" else data["region"] == row["region"]
        expected = brute_force(data.assign(inside=named), **design)
        assert (row["estimate"], row["std_error"]) == pytest.approx(expected, rel=1e-10)
    expected = brute_force(data.assign(inside=True), **design)
    assert nps(data, **design)[NUMBERS[:2]].iloc[0].tolist() == pytest.approx(expected, rel=1e-10)


def test_filtering_first_is_another_standard_error():
    data = survey()
    grouped = nps(data, by="region", weights="w").set_index("region").loc["a"]
    alone = nps(data[data["region"] == "a"], weights="w").iloc[0]
    assert grouped["estimate"] == pytest.approx(alone["estimate"])
    assert grouped["std_error"] < alone["std_error"] * 0.999


def test_equal_weights_change_nothing_but_the_divisor():
    """Identity: with equal weights the linearised variance is that of a mean with divisor n - 1."""
    data = frame(5, 7, 9).assign(w=2.5)
    plain, weighted = nps(data).iloc[0], nps(data, weights="w").iloc[0]
    assert weighted["estimate"] == pytest.approx(plain["estimate"])
    assert weighted["std_error"] == pytest.approx(plain["std_error"] * np.sqrt(21 / 20))


def test_a_stratum_of_one_cluster_is_compared_with_the_overall_mean_and_told():
    """R survey, options(survey.lonely.psu = "adjust"): the single cluster adds its z², as z has mean 0."""
    data = pd.DataFrame({"recommend": [10, 3, 8, 10, 9], "stratum": ["a", "a", "a", "a", "b"]})
    found = nps(data, strata="stratum").iloc[0]
    z = (np.array([1, -1, 0, 1, 1]) - 0.4) / 5
    variance = 4 / 3 * ((z[:4] - z[:4].mean()) ** 2).sum() + z[4] ** 2
    assert found["std_error"] == pytest.approx(100 * np.sqrt(variance))
    assert found["note"] == "1 strata with a single cluster or row: compared with the overall mean"


@pytest.mark.parametrize("interval", ["tango", "adjusted_wald", "wald"])
@pytest.mark.parametrize("counts", [(0, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 10), (9, 0, 0), (0, 12, 0)])
@pytest.mark.parametrize("design", [{}, {"weights": "w"}, {"cluster": "c"}])
def test_no_interval_is_without_width(interval, counts, design):
    data = frame(*counts)
    data["w"], data["c"] = np.arange(1, len(data) + 1), np.arange(len(data)) // 2
    found = nps(data, interval=interval, **design).iloc[0]
    assert found["lower"] <= found["estimate"] <= found["upper"]
    assert found["upper"] - found["lower"] > 1
    assert ("no width" in found["method"]) == (interval == "wald" and not design)
    assert ("no spread" in found["method"]) == bool(design)


def test_answers_all_alike_under_weights_count_as_many_as_the_weights_are_worth():
    """Kish's effective number stands in for n in the closed form of ten promoters of ten."""
    data = frame(0, 0, 6).assign(w=[1, 1, 1, 2, 2, 3])
    worth = design_effect(data, "w").set_index("measure").loc["effective_n", "estimate"]
    assert worth == pytest.approx(10**2 / 20)
    z2 = 1.959963984540054**2
    assert nps(data, weights="w")["lower"].iloc[0] == pytest.approx(100 * (worth - z2) / (worth + z2))


@given(scores, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_rows_does_not_matter(values, random):
    shuffled = random.sample(values, len(values))
    first, second = (nps(pd.DataFrame({"recommend": pd.array(v, dtype="Int64")})) for v in (values, shuffled))
    pd.testing.assert_frame_equal(first, second)


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 10)), min_size=1, max_size=30))
@settings(max_examples=25)
def test_grouped_equals_filtered(pairs):
    data = pd.DataFrame(pairs, columns=["g", "recommend"])
    grouped = nps(data, by="g")
    for level, rows in data.groupby("g"):
        alone = nps(rows)[NUMBERS].iloc[0]
        assert grouped.set_index("g").loc[level, NUMBERS].tolist() == pytest.approx(alone.tolist())


@pytest.mark.parametrize("options", [{}, {"by": ["region", "strata"]}, {"by": "region", **DESIGNS[-1]}])
def test_every_kind_of_frame_gives_the_same(options):
    data = survey()
    relation = duckdb.from_arrow(pl.from_pandas(data).to_arrow())
    expected = nps(data, **options)
    for other in (pl.from_pandas(data), pl.from_pandas(data).lazy(), pl.from_pandas(data).to_arrow(), relation):
        pd.testing.assert_frame_equal(nps(other, **options), expected, check_dtype=False)


@pytest.mark.parametrize("name", ["a.b", 'say "hi"', "it's", "<b>", "x; DROP TABLE t", "n o", "ü", "score", "g0", "w"])
def test_any_column_name_will_do(name):
    data = survey(60).rename(columns={"recommend": name, "w": "weight"})
    data[f"{name}!"] = data["region"]
    found, expected = nps(data, name, by=f"{name}!", weights="weight"), nps(survey(60), by="region", weights="w")
    assert found.columns[0] == f"{name}!"
    assert found[NUMBERS].to_numpy() == pytest.approx(expected[NUMBERS].to_numpy())
    assert nps(data.rename(columns={f"{name}!": name + "?"}), name, by=name)["n"].sum() == data[name].notna().sum()


def test_groups_are_in_their_declared_order_and_the_nameless_last():
    data = pd.DataFrame({"service_band": ["failed", "none", None, "good", "none"], "recommend": [1, 9, 5, 10, 7]})
    assert nps(data, by="service_band")["service_band"].tolist() == ["none", "good", "failed", "(empty)"]
    whole = pd.DataFrame({"k": [2, None, 1], "recommend": [9, 9, 9]})
    assert nps(whole, by="k")["k"].tolist() == [1, 2, "(empty)"]


def test_a_group_without_an_answer_has_no_number():
    data = pd.DataFrame({"g": ["a", "a", "b", "b"], "recommend": [9, 5, None, None], "w": [1.0, 2, 3, 4]})
    for options in ({}, {"weights": "w"}, {"interval": "wald"}):
        found = nps(data, by="g", **options).set_index("g")
        assert found.loc["b", ["n", "note"]].tolist() == [0, TOO_FEW]
        assert found.loc["b", NUMBERS[:4]].isna().all()
        assert found.loc["a", "n"] == 2
    assert nps(data.query("g == 'b'"))["note"].tolist() == [TOO_FEW]
    assert nps(pd.DataFrame({"recommend": [None, None]}))["note"].tolist() == [TOO_FEW]


@pytest.mark.parametrize(
    ("scale", "values", "expected"),
    [
        ((0, 10), [10, 9, 8, 7, 6, 0], (2 - 2) / 6),
        ((1, 10), [10, 9, 8, 7, 6, 1], (2 - 2) / 6),
        ((1, 11), [11, 10, 9, 8, 7, 1], (2 - 2) / 6),
        ([0, 9], [9, 8, 7, 6, 6, 0], (2 - 1) / 6),
    ],
)
def test_the_top_two_points_promote_and_the_next_two_are_passive(scale, values, expected):
    assert nps(pd.DataFrame({"recommend": values}), scale=scale)["estimate"].iloc[0] == pytest.approx(100 * expected)


def told(data, *arguments, **options):
    with pytest.raises(CxError) as caught:
        nps(data, *arguments, **options)
    assert "\n" not in caught.value.faults[0]
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "scale", "message"),
    [
        ([11, 11, 0, 9], (0, 10), "score 'recommend' must hold whole points from 0 to 10; found 11 (2 times); "
                                  "leave empty what means no answer (in a study: missing = [11])"),
        ([11, 1, 9], (0, 10), "score 'recommend' must hold whole points from 0 to 10; found 11 (1 times); declare the "
                              "scale, scale=(1, 11), or leave empty what means no answer (in a study: missing = [11])"),
        ([0, 10], (1, 10), "score 'recommend' must hold whole points from 1 to 10; found 0 (1 times); declare the "
                           "scale, scale=(0, 10), or leave empty what means no answer (in a study: missing = [0])"),
        ([8.5, -1, np.inf], (0, 10), "score 'recommend' must hold whole points from 0 to 10; found -1 (1 times), "
                                     "8.5 (1 times), inf (1 times); leave empty what means no answer (in a study: "
                                     "missing = [-1])"),
        (["9", "Blank", None], (0, 10), "score 'recommend' must hold numbers from 0 to 10, not '9', 'Blank'; recode "
                                        "them, and leave empty what means no answer"),
        ([*range(1, 11)] * 7 + [1], (0, 10), "score 'recommend' must be on the scale 0 to 10; all points from 1 to 10 "
                                             "were found, 1 8 times, but 0 not once; declare the scale, scale=(1, 10)"),
    ],
)  # fmt: skip
def test_scores_off_the_scale_are_refused_with_what_was_found(values, scale, message):
    assert told(pd.DataFrame({"recommend": values}), scale=scale) == message


@pytest.mark.parametrize("values", [[*range(1, 11)] * 20, [1] * 50 + [9] * 50, [*range(1, 11)] * 5 + [1], [*range(11)]])
def test_a_missing_0_alone_is_not_refused(values):
    """Points may go unused by chance; only a heap on 1 with every point above it used gives the scale away."""
    assert nps(pd.DataFrame({"recommend": values}))["n"].iloc[0] == len(values)


@pytest.mark.parametrize("scale", [(0, 5), (10, 0), (0,), "0-10", None, (0.5, 10.5), (1, 7), (0, 100)])
def test_a_scale_has_10_or_11_points(scale):
    assert "scale must be the first and last of 10 or 11 points, such as (0, 10), not" in told(
        frame(1, 1, 1), scale=scale
    )


def test_other_faults_are_told_with_the_remedy():
    data = survey(50)
    assert told(data, interval="tengo") == (
        "no interval 'tengo'; did you mean 'tango'? There are: 'tango', 'adjusted_wald', 'wald'"
    )
    assert "no column 'recomend'; did you mean 'recommend'?" in told(data, "recomend")
    assert len(told(data, "recomend", by=["regin"], weights="ww").splitlines()) == 3
    assert told(data, level=95).startswith("level must lie between 0 and 1, such as 0.95, not 95")
    assert told(data.rename(columns={"w": "n"}), by="n") == "by: 'n' is also a column of the result; rename it"
    assert told(data, by=["w", "w"]) == "by: 'w' is given twice; name it once"
    assert told(data.iloc[:0]) == "frame: must have at least one row; it has none"
    assert "must be a pandas, Polars, Arrow, DuckDB or Spark frame" in told([1, 2, 3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": -1.0}, "weights 'w' must be 0 or more; found -1"),
        ({"w": np.inf}, "weights 'w' must be finite; found infinity"),
        ({"w": np.nan}, "weights 'w' must be known for every answer; it is empty for 1; fill it in"),
        ({"strata": None}, "strata 'strata' must be known for every answer; it is empty for 1; fill it in"),
        ({"cluster": np.nan}, "cluster 'cluster' must be known for every answer; it is empty for 1; fill it in"),
    ],
)
def test_a_design_must_be_known_for_every_answer_and_only_there(change, message):
    data = survey(50)
    data["cluster"] = data["cluster"].astype(float)
    first = data["recommend"].first_valid_index()
    data.loc[first, list(change)] = list(change.values())
    assert told(data, **DESIGNS[-1]) == message
    if data.loc[first, list(change)].isna().all():
        assert nps(data.assign(recommend=data["recommend"].drop(first)), **DESIGNS[-1])["n"].iloc[0] > 0


def test_text_weights_are_refused():
    assert "weights 'w' must hold numbers, 0 or more, not text" in told(frame(1, 1, 1).assign(w="1"), weights="w")


def test_weights_of_zero_leave_no_number():
    assert nps(frame(1, 1, 1).assign(w=0), weights="w")["note"].tolist() == [TOO_FEW]
    assert design_effect(frame(1, 1, 1).assign(w=0), "w")["note"].tolist() == [TOO_FEW, TOO_FEW]


def test_design_effect_by_group_of_explicit_weights():
    """Kish (1965): n Σw² / (Σw)² by hand; a row without a score is no answer."""
    data = pd.DataFrame({"g": list("aaabb"), "recommend": [9, 1, None, 5, 5], "w": [1, 3, 50, 2, 2]})
    found = design_effect(data, "w", by="g").set_index(["g", "measure"])["estimate"]
    assert found.tolist() == pytest.approx([2 * 10 / 16, 16 / 10, 1, 2])


# Groups against the others


def test_without_a_design_a_group_differs_as_two_waves_do():
    """Identity: compare_nps of the others and the group, as if they were two waves of different people."""
    data = survey().dropna(subset=["region", "recommend"])
    found = nps_differences(data, "region").set_index("region")
    for region in found.index:
        inside = data["region"] == region
        other = compare_nps(data[~inside], data[inside]).set_index("measure").loc["change"]
        expected = [*other[NUMBERS[:4]], inside.sum()]
        assert found.loc[region, NUMBERS].tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("design", DESIGNS, ids="+".join)
def test_with_a_design_a_difference_has_the_linearised_error_of_both_sides(design):
    """Authority: the definition row by row, one value of the difference for every row of the sample."""
    data = survey()
    known, w = data["recommend"].notna(), data["w"] if "weights" in design else pd.Series(1.0, data.index)
    u = pd.Series(np.where(data["recommend"] >= 9, 1.0, np.where(data["recommend"] >= 7, 0.0, -1.0)), data.index)
    for row in nps_differences(data, "region", **design).to_dict("records"):
        inside = data["region"].isna() if row["region"] == "(empty)" else data["region"] == row["region"]
        z, apart = pd.Series(0.0, data.index), 0.0
        for side, sign in ((inside & known, 1.0), (~inside & known, -1.0)):
            s = np.average(u[side], weights=w[side])
            apart += sign * s
            z[side] = sign * w[side] * (u[side] - s) / w[side].sum()
        variance = 0.0
        for _, rows in data.groupby("strata") if "strata" in design else [(0, data)]:
            values = z[rows.index].groupby(rows["cluster"]).sum() if "cluster" in design else z[rows.index]
            variance += len(values) / (len(values) - 1) * ((values - values.mean()) ** 2).sum()
        expected = [100 * apart, 100 * np.sqrt(variance)]
        assert [row["estimate"], row["std_error"]] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("design", [{}, {"weights": "w"}], ids=["counts", "weights"])
def test_of_many_equal_groups_hardly_any_is_said_to_differ(design):
    """Known truth: twenty groups drawn alike, sixty surveys; more than seven with a false one have a chance of 1 %."""
    told = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        data = pd.DataFrame({"recommend": rng.choice([3, 8, 10], 2000, p=[0.25, 0.35, 0.4])})
        data = data.assign(w=rng.uniform(1, 2, 2000), team=rng.integers(0, 20, 2000).astype(str))
        told += nps_differences(data, "team", **design)["note"].ne("").any()
    assert told <= 7
    data.loc[data["team"] == "3", "recommend"] = 3
    found = nps_differences(data, "team", **design).set_index("team")
    assert found.loc["3", "note"] == "differs from the others (false discovery rate 5%)"


def test_one_group_alone_and_an_empty_one_have_no_difference():
    data = pd.DataFrame({"recommend": [10, 9, 3, np.nan], "plan": ["a", "a", "a", "b"]})
    found = nps_differences(data, "plan").set_index("plan")
    assert found["estimate"].isna().all() and found["n"].to_dict() == {"a": 3, "b": 0}


def test_groups_that_are_lists_are_refused():
    frame = pd.DataFrame({"recommend": [9, 3], "who": [[1], [2]]})
    with pytest.raises(CxError, match=r"^frame: 'who' must hold texts, numbers or days, not lists; turn it into text$"):
        nps(frame, by="who")
