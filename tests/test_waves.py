"""Changes between frames: against the definition row by row, and every way to give wrong waves."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from cxlib import changes
from cxlib.errors import CxError
from cxlib.promoters import nps
from cxlib.schema import RESULT_COLUMNS
from cxlib.waves import compare_nps

NUMBERS = ["estimate", "std_error", "lower", "upper", "n"]
Z = 1.959963984540054


def wave(seed, rows=120, shift=0.0, first=0):
    """Answers with customers (some anonymous), segments, clusters and empty scores."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"customer": [f"{k:03}" for k in range(first, first + rows)]})
    data["cluster"] = np.arange(first, first + rows) // 7
    data["segment"] = rng.choice(["a", "b", "c"], rows)
    data["recommend"] = np.clip((rng.normal(7.4 + shift, 2.3, rows) + np.sin(data["cluster"])).round(), 0, 10)
    data.loc[rng.random(rows) < 0.15, "recommend"] = np.nan
    data.loc[rng.random(rows) < 0.05, ["customer", "segment"]] = None
    return data


def u(data):
    return np.where(data["recommend"] >= 9, 1.0, np.where(data["recommend"] >= 7, 0.0, -1.0))


def table(data):
    data = data[data["recommend"].notna()]
    segments = ["a", "b", "c", None]
    code = data["segment"].map({s: i for i, s in enumerate(segments)}).fillna(3).astype(int)
    counts = np.zeros((4, 3))
    np.add.at(counts, (code, u(data).astype(int) + 1), 1)
    return counts


def change(found):
    return found.set_index("measure").loc["change"]


@pytest.mark.parametrize("by", [None, "segment", ["segment"]])
def test_measures_in_the_result_shape(by):
    before, after = wave(1), wave(2, rows=90, shift=0.5)
    found = compare_nps(before, after, by=by)
    assert tuple(found.columns) == RESULT_COLUMNS
    assert found["measure"].tolist() == ["before", "after", "change", "mix", "rate"][: 5 if by else 3]
    assert set(found["term"]) == {"nps"}
    assert set(found["unit"]) == {"points"}
    assert found["method"].tolist()[:3] == ["Tango score", "Tango score", "adjusted Wald"]
    assert change(found)["n"] == min(before["recommend"].count(), after["recommend"].count())
    expected = changes.differences(table(before), table(after))
    for row in found.iloc[2:].to_dict("records"):
        assert [row[k] for k in NUMBERS[:4]] == pytest.approx([100 * x for x in expected[row["measure"]]])


@pytest.mark.parametrize("design", [{}, {"cluster": "cluster"}])
def test_each_wave_is_its_own_nps(design):
    waves = wave(1), wave(2, rows=90)
    found = compare_nps(*waves, **design)
    for i, data in enumerate(waves):
        assert found[NUMBERS].iloc[i].tolist() == pytest.approx(nps(data, **design)[NUMBERS].iloc[0].tolist())


def test_customers_of_both_waves_are_paired_by_who_they_are():
    """2 n12 Cov(u1, u2) / (n1 n2) off the variance of adjusted counts, from the merged rows; anonymous ones apart."""
    before, after = wave(1), wave(2, rows=100, first=40)
    found, apart = compare_nps(before, after, customer="customer"), compare_nps(before, after)
    answered = [d[d["recommend"].notna()].assign(u=lambda d: u(d)) for d in (before, after)]
    merged = answered[0].dropna(subset="customer").merge(answered[1].dropna(subset="customer"), on="customer")
    assert change(found)["method"] == f"adjusted Wald, {len(merged)} customers paired"
    covariance = (merged["u_x"] * merged["u_y"]).mean() - merged["u_x"].mean() * merged["u_y"].mean()
    taken = 2 * len(merged) * covariance / ((len(answered[0]) + 3) * (len(answered[1]) + 3))
    expected = np.sqrt((change(apart)["std_error"] / 100) ** 2 - taken)
    assert change(found)["std_error"] == pytest.approx(100 * expected)
    assert change(found)["estimate"] == change(apart)["estimate"]


def test_pairs_of_segments_reach_mix_and_rate():
    """Identity: the variances of mix and rate and twice their covariance make that of the change; pairs included."""
    before, after = wave(1), wave(2, rows=100, first=40)
    found = compare_nps(before, after, by="segment", customer="customer").set_index("measure")
    apart = compare_nps(before, after, by="segment").set_index("measure")
    assert found.loc["change", "std_error"] == pytest.approx(
        compare_nps(before, after, customer="customer").set_index("measure").loc["change", "std_error"]
    )
    assert found.loc["rate", "std_error"] != pytest.approx(apart.loc["rate", "std_error"], rel=1e-6)
    assert found.loc["mix", "estimate"] + found.loc["rate", "estimate"] == pytest.approx(
        found.loc["change", "estimate"]
    )


def test_whole_number_customers_with_gaps_still_pair():
    """An empty id turns a pandas column of whole numbers into 1.0, 2.0: they must still meet 1, 2."""
    before = pd.DataFrame({"customer": [1, 2, 3, 4], "recommend": [9, 9, 3, 8]})
    after = pd.DataFrame({"customer": [1, 2, None, 4], "recommend": [10, 8, 3, 9]})
    assert "3 customers paired" in change(compare_nps(before, after, customer="customer"))["method"]


def test_clusters_by_the_definition():
    """Var = C/(C-1) Σ (z_c - mean z)² with z_c the sum over both waves of ±(u - s)/n; clusters of either wave count."""
    before, after = wave(1), wave(2, rows=100, first=40)
    z = []
    for sign, data in ((-1, before), (1, after)):
        answered = data["recommend"].notna()
        away = u(data) - u(data)[answered].mean()
        z.append(pd.Series(np.where(answered, sign * away / answered.sum(), 0.0)).groupby(data["cluster"]).sum())
    z = z[0].add(z[1], fill_value=0.0)
    expected = np.sqrt(len(z) / (len(z) - 1) * ((z - z.mean()) ** 2).sum())
    row = change(compare_nps(before, after, cluster="cluster"))
    assert row["std_error"] == pytest.approx(100 * expected)
    assert row["upper"] - row["lower"] == pytest.approx(2 * Z * 100 * expected)
    assert row["method"] == "linearised, clusters; Wald"


def test_clusters_of_customers_equal_pairing_but_for_the_divisor():
    """Identity: the same 60 customers in both waves, so Var = var(u2 - u1)/n, here with divisor n - 1."""
    before = wave(1, rows=60).assign(customer=range(60)).fillna({"recommend": 8})
    after = wave(9, rows=60).assign(customer=range(60)).fillna({"recommend": 8})
    row = change(compare_nps(before, after, cluster="customer"))
    assert row["std_error"] == pytest.approx(100 * np.std(u(after) - u(before), ddof=1) / np.sqrt(60))


def test_the_split_with_clusters_has_intervals_too():
    found = compare_nps(wave(1), wave(2, shift=1), by="segment", cluster="cluster").set_index("measure")
    assert found[NUMBERS].notna().all(axis=None)
    assert found.loc["mix", "estimate"] + found.loc["rate", "estimate"] == pytest.approx(
        found.loc["change", "estimate"]
    )


def test_a_segment_that_no_longer_answers_is_mix():
    """By hand: s goes from (.5)(1) + (.5)(0) to 0 as the promoting half falls silent, its NPS unknown from then on."""
    before = pd.DataFrame({"segment": list("aabb"), "recommend": [9, 10, 7, 8]})
    after = pd.DataFrame({"segment": list("aabb"), "recommend": [None, None, 7, 8]})
    found = compare_nps(before, after, by="segment").set_index("measure")
    assert found.loc[["mix", "rate", "change"], "estimate"].tolist() == pytest.approx([-50, 0, -50])
    silent = pd.DataFrame({"segment": ["c"], "recommend": [None]})
    with_silent = compare_nps(*(pd.concat([w, silent]) for w in (before, after)), by="segment").set_index("measure")
    assert with_silent[NUMBERS].to_numpy() == pytest.approx(found[NUMBERS].to_numpy())


def test_a_wave_compared_with_itself_has_not_changed():
    data = wave(1).drop(columns="customer").assign(customer=range(120))
    row = change(compare_nps(data, data, customer="customer"))
    assert row["estimate"] == 0
    assert row["lower"] < 0 < row["upper"]


@pytest.mark.parametrize(
    "options", [{"customer": "customer"}, {"by": "segment", "customer": "customer"}, {"cluster": "cluster"}]
)
def test_every_kind_of_frame_gives_the_same(options):
    waves = wave(1), wave(2, rows=100, first=40)
    expected = compare_nps(*waves, **options)
    for turn in (pl.from_pandas, lambda d: duckdb.from_arrow(pl.from_pandas(d).to_arrow())):
        found = compare_nps(*(turn(data) for data in waves), **options)
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("suffix", [".x", "'", '"', "<b>", "; --"])
def test_any_column_name_will_do(suffix):
    waves = wave(1), wave(2, rows=100, first=40)
    odd = [data.rename(columns=lambda name: name + suffix) for data in waves]
    names = {"by": "segment", "customer": "customer"}
    found = compare_nps(*odd, "recommend" + suffix, **{k: v + suffix for k, v in names.items()})
    pd.testing.assert_frame_equal(found, compare_nps(*waves, **names))


def told(*waves, **options):
    with pytest.raises(CxError) as caught:
        compare_nps(*waves, **options)
    return str(caught.value)


def test_faults_name_the_wave_and_the_remedy():
    good = wave(1)
    assert told(good.drop(columns="segment"), good.drop(columns="recommend"), by="segment").splitlines() == [
        "before: no column 'segment'; There are: 'customer', 'cluster', 'recommend'",
        "after: no column 'recommend'; There are: 'customer', 'cluster', 'segment'",
    ]
    none = good.assign(recommend=np.nan)
    assert told(good, none) == "after: a change needs answers in both waves; column 'recommend' holds none here"
    assert told(good.assign(recommend=11), good).startswith(
        "before: score 'recommend' must hold whole points from 0 to 10"
    )
    assert told(good, good.iloc[:0]) == "after: must have at least one row; it has none"
    assert "give customer or cluster, not both" in told(good, good, customer="customer", cluster="cluster")
    lost = good.assign(cluster=np.nan, recommend=9)
    assert told(good, lost, cluster="cluster") == (
        "after: cluster 'cluster' must be known for every answer; it is empty for 120; fill it in"
    )


def test_customers_who_answer_twice_or_are_of_two_kinds_are_refused():
    good = wave(1)
    twice = pd.concat([good, good.head(10)])
    n, of = twice.dropna(subset=["customer", "recommend"])["customer"].agg(["count", "nunique"])
    assert told(twice, good, customer="customer") == (
        f"before: each customer must answer once, but {of} values of 'customer' gave {n} answers; "
        "keep one answer each, or give cluster='customer'"
    )
    assert told(good, good.assign(customer=range(len(good))), customer="customer") == (
        "customer 'customer' must be of one kind in both waves, not factor before and number after"
    )


def test_a_wave_without_answers_is_refused_also_where_customers_are_named():
    empty = pd.DataFrame({"id": ["1", "2"], "recommend": [None, None]}).astype({"recommend": float})
    with pytest.raises(CxError, match=r"^after: a change needs answers in both waves; column 'recommend' holds none"):
        compare_nps(empty.assign(recommend=[9.0, 3.0]), empty, customer="id")
