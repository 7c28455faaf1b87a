"""Relative importance: R's values, brute force over orders with an OLS per subset, identities."""

from itertools import permutations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib import resample, shapley
from cxlib.drivers import relative_importance
from cxlib.regression import all_r_squared
from cxlib.schema import RESULT_COLUMNS
from tests.frames import TOUCHPOINTS, customers, estimates, passengers

SWISS = ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]


def table(reference, name):
    return pd.read_csv(reference / f"{name}.csv", index_col=0)


def importance(data, outcome, drivers, **settings):
    """Importance by driver, without intervals."""
    return estimates(relative_importance(data, outcome, drivers, replicates=2, **settings), "importance")


def ols_r_squared(data, outcome, columns, weights=None):
    y = data[outcome].to_numpy(float)
    x = np.column_stack([np.ones(len(data)), *(data[c].to_numpy(float) for c in columns)])
    return sm.WLS(y, x, weights=1.0 if weights is None else data[weights]).fit().rsquared if columns else 0.0


def over_orders(value, players, orders):
    """Average gain of each player over orders, each set valued by `value` once."""
    known, out = {}, dict.fromkeys(players, 0.0)
    for order in orders:
        for i, player in enumerate(order):
            sets = frozenset(order[:i]), frozenset(order[: i + 1])
            for s in sets:
                known.setdefault(s, value(s))
            out[player] += (known[sets[1]] - known[sets[0]]) / len(orders)
    return out


# Authority: relaimpo (R), as printed in methods.md; swiss also by brute force in R (verify_swiss_lmg.csv).
PRINTED = [
    ("swiss", "Fertility", dict(zip(SWISS, [0.0570912, 0.1711730, 0.2601347, 0.1055702, 0.1127659], strict=True))),
    ("attitude", "rating", {"complaints": 0.3708162, "privileges": 0.0509038, "learning": 0.1557660,
                            "raises": 0.1203451, "critical": 0.0065887, "advance": 0.0281822}),
    ("mtcars", "mpg", {"am": 0.1774892, "vs": 0.2027032, "cyl": 0.3817849}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "outcome", "values"), PRINTED)
def test_lmg_equals_relaimpo(name, outcome, values, reference):
    ours = importance(table(reference, name), outcome, list(values))
    for driver, value in values.items():
        assert ours[driver] == pytest.approx(value, abs=5.01e-8)


@pytest.mark.parametrize(
    ("case", "name", "settings"),
    [
        ("swiss lmg", "swiss", {}),
        ("swiss lmg weights=1+(row%%3)", "swiss", {"weights": "w"}),
        ("mtcars mpg~cyl+disp+hp+gear lmg", "mtcars", {}),
        ("swiss Johnson rw", "swiss", {"method": "johnson"}),
        ("mtcars Johnson rw", "mtcars", {"method": "johnson"}),
    ],
)
def test_every_value_that_relaimpo_and_rwa_print(case, name, settings, reference):
    # Authority: verify_lmg_quoted_relaimpo.csv, column quoted.
    quoted = pd.read_csv(reference / "verify_lmg_quoted_relaimpo.csv")
    theirs = quoted[quoted["case"] == case].set_index("var")["quoted"]
    data = table(reference, name)
    data["w"] = 1 + np.arange(1, len(data) + 1) % 3
    ours = importance(data, {"mtcars": "mpg", "swiss": "Fertility"}[name], list(theirs.index), **settings)
    np.testing.assert_allclose(ours.loc[theirs.index], theirs, atol=1e-10)


def test_r_squared_of_swiss(reference):
    result = relative_importance(table(reference, "swiss"), "Fertility", SWISS, replicates=2)
    last = result.iloc[-1]
    assert (last["term"], last["measure"]) == ("model", "r_squared")
    assert last["estimate"] == pytest.approx(0.7067350, abs=5e-8)
    assert last["n"] == 47


def test_lmg_of_a_correlation_matrix():
    # Authority: Azen & Budescu (2003), dominance analysis of four predictors.
    r = np.eye(5)
    pairs = {(0, 1): 0.8, (0, 2): 0.1, (0, 3): 0.3, (1, 2): 0.1, (1, 3): 0.1, (2, 3): 0.5,
             (0, 4): 0.6, (1, 4): 0.3, (2, 4): 0.4, (3, 4): 0.5}  # fmt: skip
    for (i, j), value in pairs.items():
        r[i, j] = r[j, i] = value
    values = all_r_squared(r[None], [(0,), (1,), (2,), (3,)])
    assert shapley.shapley_values(values)[0] == pytest.approx([0.292176, 0.075861, 0.094911, 0.121404], abs=5e-7)
    assert values[0, -1] == pytest.approx(0.584353, abs=5e-7)


def test_a_group_is_not_the_sum_of_its_members_alone(reference):
    # Authority: methods.md for the group; brute force for all players and, by Owen's orders, for the members.
    data, groups = table(reference, "swiss"), {"school": ["Examination", "Education"]}
    ours = importance(data, "Fertility", SWISS, groups=groups)
    assert ours["school"] == pytest.approx(0.3981790, abs=5e-8)
    alone = ["Agriculture", "Catholic", "Infant.Mortality"]
    members = {"school": groups["school"]} | {name: [name] for name in alone}

    def value(players):
        return ols_r_squared(data, "Fertility", [c for p in players for c in members.get(p, [p])])

    expected = over_orders(value, list(members), list(permutations(members)))
    assert {name: ours[name] for name in members} == pytest.approx(expected, abs=1e-10)
    kept = [o for o in permutations(SWISS) if abs(o.index("Examination") - o.index("Education")) == 1]
    owen = over_orders(value, SWISS, kept)
    assert ours["school/Examination"] == pytest.approx(owen["Examination"], abs=1e-10)
    assert ours["school/Education"] == pytest.approx(owen["Education"], abs=1e-10)


@pytest.mark.parametrize("weights", [None, "w"])
def test_lmg_equals_brute_force_over_all_orders(weights):
    data = customers(400).assign(score=lambda d: d["tenure"] + d["faults"] * d["abroad"] + d["left"])
    drivers = ["tenure", "faults", "abroad", "left"]
    orders = list(permutations(drivers))
    expected = over_orders(lambda s: ols_r_squared(data, "score", sorted(s), weights), drivers, orders)
    assert importance(data, "score", drivers, weights=weights).to_dict() == pytest.approx(expected, abs=1e-10)


def test_a_factor_is_one_player():
    # Authority: brute force with its indicators entering together.
    data = customers(500).assign(
        score=lambda d: d["tenure"] + (d["segment"] == "business") - (d["service"] == "failed")
    )
    flags = pd.get_dummies(data[["segment", "service"]], drop_first=True)
    data = data.join(flags)
    columns = {"tenure": ["tenure"], "segment": [c for c in flags if c.startswith("segment")],
               "service": [c for c in flags if c.startswith("service")]}  # fmt: skip
    expected = over_orders(lambda s: ols_r_squared(data, "score", [c for p in sorted(s) for c in columns[p]]),
                           list(columns), list(permutations(columns)))  # fmt: skip
    assert importance(data, "score", list(columns)).to_dict() == pytest.approx(expected, abs=1e-10)


MOBI = [f"PERQ{i}" for i in range(1, 8)] + ["PERV1", "PERV2", "CUSCO"]
MOBI_GROUPS = {
    "service": ["PERQ3", "CUSCO"],
    "price": ["PERV1", "PERV2"],
    "product": [f"PERQ{i}" for i in (1, 2, 4, 5, 6, 7)],
}


@pytest.mark.real_data("mobi.csv")
def test_mobile_phones_with_groups(real_data):
    # Authority: R, as printed in methods.md.
    data = pd.read_csv(real_data / "mobi.csv")
    plain = importance(data, "CUSL3", MOBI)
    printed = [0.054768, 0.032155, 0.056715, 0.023037, 0.017670, 0.016280, 0.030867, 0.029844, 0.085996, 0.064714]
    np.testing.assert_allclose(plain.loc[MOBI], printed, atol=5.01e-7)
    assert plain.sum() == pytest.approx(0.4120461, abs=5e-8)
    grouped = importance(data, "CUSL3", MOBI, groups=MOBI_GROUPS)
    assert grouped["service"] == pytest.approx(0.1463602, abs=5e-8)
    assert grouped["price"] == pytest.approx(0.1331005, abs=5e-8)
    assert grouped["product"] == pytest.approx(0.1325854, abs=5e-8)
    for group, members in MOBI_GROUPS.items():
        assert sum(grouped[f"{group}/{m}"] for m in members) == pytest.approx(grouped[group], abs=1e-12)


@pytest.mark.real_data("mobi.csv")
@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_mobile_phones_with_nine_drivers(real_data, reference, method):
    # Authority: mobi_lmg_cusl3.csv (R).
    theirs = pd.read_csv(reference / "mobi_lmg_cusl3.csv").set_index("var")
    ours = importance(pd.read_csv(real_data / "mobi.csv"), "CUSL3", list(theirs.index), method=method)
    np.testing.assert_allclose(ours.loc[theirs.index], theirs[method], atol=1e-9)


@pytest.mark.real_data("plspm_satisfaction.csv")
@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_bank_customers(real_data, reference, method):
    # Authority: bank_lmg_loy3.csv (R).
    theirs = pd.read_csv(reference / "bank_lmg_loy3.csv").set_index("var")
    ours = importance(pd.read_csv(real_data / "plspm_satisfaction.csv"), "loy3", list(theirs.index), method=method)
    np.testing.assert_allclose(ours.loc[theirs.index], theirs[method], atol=1e-9)


@pytest.mark.real_data("sfo_2017.csv")
@pytest.mark.parametrize(("column", "settings"), [
    ("lmg", {}), ("lmg_weighted", {"weights": "w"}), ("johnson", {"method": "johnson"}),
])  # fmt: skip
def test_airport_touchpoints(real_data, reference, column, settings):
    # Authority: sfo2017_lmg_ltr.csv (R).
    theirs = pd.read_csv(reference / "sfo2017_lmg_ltr.csv").set_index("var")
    result = relative_importance(passengers(real_data), "ltr", TOUCHPOINTS, replicates=2, **settings)
    np.testing.assert_allclose(estimates(result, "importance").loc[theirs.index], theirs[column], atol=1e-6)
    r_squared = theirs["r2_weighted" if "weights" in settings else "r2"].iloc[0]
    assert result.iloc[-1]["estimate"] == pytest.approx(r_squared, abs=1e-9)
    assert result.iloc[-1]["n"] == 1389


@pytest.mark.real_data("sfo_2017.csv")
def test_airport_gaps_are_dropped_as_in_r(real_data, reference):
    theirs = pd.read_csv(reference / "sfo2017_lmg_ltr.csv").set_index("var")
    raw = pd.read_csv(real_data / "sfo_2017.csv", low_memory=False).rename(columns=lambda name: name.strip().upper())
    raw = raw.rename(columns={"Q7WALKWAY": "Q7WALKWAYS"})
    raw["ltr"] = raw["NETPRO"].where(raw["NETPRO"] <= 10)
    raw[TOUCHPOINTS] = raw[TOUCHPOINTS].apply(pd.to_numeric, errors="coerce")
    raw[TOUCHPOINTS] = raw[TOUCHPOINTS].where(raw[TOUCHPOINTS].isin(range(1, 6)))
    ours = importance(raw, "ltr", TOUCHPOINTS, missing="drop")
    np.testing.assert_allclose(ours.loc[theirs.index], theirs["lmg"], atol=1e-9)


@pytest.mark.real_data("sfo_2017.csv")
def test_airport_intervals(real_data, reference):
    # Authority: sfo2017_lmg_ltr_7_boot.csv, percentiles of 1,000 resamples of the rows in R.
    theirs = pd.read_csv(reference / "sfo2017_lmg_ltr_7_boot.csv").set_index("var")
    result = relative_importance(passengers(real_data), "ltr", list(theirs.index), replicates=2000)
    ours = result[result["measure"] == "share"].set_index("term").loc[theirs.index]
    np.testing.assert_allclose(ours["estimate"], theirs["share"], atol=1e-9)
    np.testing.assert_allclose(ours["lower"], theirs["lo"], atol=0.02)
    np.testing.assert_allclose(ours["upper"], theirs["hi"], atol=0.02)


@pytest.mark.parametrize("method", ["lmg", "johnson"])
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("groups", [None, {"g": ["tenure", "faults"]}])
def test_identities(method, weights, groups):
    data = customers(400).assign(score=lambda d: d["tenure"] + d["faults"] + 2 * d["left"])
    drivers = ["tenure", "faults", "abroad", "segment"]
    result = relative_importance(data, "score", drivers, groups=groups, method=method, weights=weights, replicates=50)
    players = ["g", "abroad", "segment"] if groups else drivers
    value, share, rank = (estimates(result, m).loc[players] for m in ("importance", "share", "rank"))
    r_squared = estimates(result, "r_squared")["model"]
    assert value.sum() == pytest.approx(r_squared, abs=1e-12)
    assert share.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(value / r_squared, share, atol=1e-12)
    assert sorted(rank) == list(range(1, len(players) + 1))
    assert (value[rank.idxmin()] >= value).all()
    if groups:
        inside = estimates(result, "importance")[["g/tenure", "g/faults"]]
        assert inside.sum() == pytest.approx(value["g"], abs=1e-12)
        assert sorted(estimates(result, "rank")[["g/tenure", "g/faults"]]) == [1, 2]
    intervals = result[result["measure"].isin(["importance", "share", "rank", "r_squared"])]
    assert (intervals["lower"] <= intervals["upper"]).all()
    assert list(result.columns) == list(RESULT_COLUMNS)
    assert ("weighted" in result["method"].iloc[0]) == (weights is not None)


def test_replicates_equal_ols_on_resampled_rows():
    # Authority: numpy's least squares on the rows drawn, subset by subset.
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"]).assign(
        score=lambda d: d["a"] + rng.normal(size=80)
    )
    data["id"] = [f"C{i:02d}" for i in range(80)]
    result = relative_importance(data, "score", ["a", "b"], customer="id", replicates=300, seed=6)
    shares = []
    for times in np.concatenate(list(resample.multiplicities(80, 300, 6, 1))):
        drawn = data.loc[np.repeat(np.arange(80), times.astype(int))]
        full, a, b = (ols_r_squared(drawn, "score", c) for c in (["a", "b"], ["a"], ["b"]))
        shares.append(((a + full - b) / 2) / full)
    row = result[(result["term"] == "a") & (result["measure"] == "share")].iloc[0]
    assert row["std_error"] == pytest.approx(np.std(shares, ddof=1), abs=1e-9)
    assert [row["lower"], row["upper"]] == pytest.approx(
        np.quantile(shares, [0.025, 0.975], method="weibull").tolist(), abs=1e-9
    )


def test_intervals_do_not_depend_on_the_size_of_chunks(monkeypatch):
    data = customers(300).assign(score=lambda d: d["tenure"] + d["faults"])
    whole = relative_importance(data, "score", ["tenure", "faults", "abroad"], replicates=60)
    monkeypatch.setattr(resample, "CHUNK_ELEMENTS", 2000)
    pd.testing.assert_frame_equal(
        whole, relative_importance(data, "score", ["tenure", "faults", "abroad"], replicates=60)
    )


@pytest.mark.parametrize("form", ["polars", "arrow", "duckdb", "parquet"])
def test_every_form_of_the_frame_gives_the_same_result(form, tmp_path):
    data = customers(300).assign(score=lambda d: d["tenure"] + d["faults"])
    arrow = pa.Table.from_pandas(data)
    data.to_parquet(tmp_path / "f.parquet")
    forms = {"polars": lambda: pl.from_arrow(arrow), "arrow": lambda: arrow, "duckdb": lambda: duckdb.from_arrow(arrow),
             "parquet": lambda: duckdb.read_parquet(str(tmp_path / "f.parquet"))}  # fmt: skip
    settings = {"outcome": "score", "drivers": ["tenure", "segment", "abroad"], "customer": "customer_id",
                "weights": "w", "replicates": 40}  # fmt: skip
    expected = relative_importance(data, **settings)
    pd.testing.assert_frame_equal(relative_importance(forms[form](), **settings), expected, rtol=1e-8)


def with_gaps(seed=0, together=False):
    data = customers(600, seed).assign(score=lambda d: 5 + d["tenure"] + d["faults"])
    rng = np.random.default_rng(seed)
    unmet = rng.random(600) < 0.5
    data.loc[unmet, "score"] -= 2
    for i, name in enumerate(["support", "technician"]):
        rating = rng.integers(1, 6, 600) + 0.0
        data["score"] += np.where(unmet, 0, rating * (1 + i))
        data[name] = np.where(unmet if together or i == 0 else rng.random(600) < 0.3, np.nan, rating)
    return data


# Where both are met together, "met" is the same column twice: that is the case under test.
@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
@pytest.mark.parametrize("together", [False, True], ids=["apart", "met together"])
def test_not_met_is_a_level_of_its_own(together):
    # Authority: brute force with, for each driver, "met" and the rating within met as one player.
    data = with_gaps(together=together)
    drivers = ["support", "technician", "tenure"]
    columns = {"tenure": ["tenure"]}
    for name in ("support", "technician"):
        data[f"{name} there"], data[f"{name} rating"] = data[name].notna() * 1.0, data[name].fillna(0)
        columns[name] = [f"{name} there", f"{name} rating"]
    expected = over_orders(lambda s: ols_r_squared(data, "score", [c for p in sorted(s) for c in columns[p]]),
                           drivers, list(permutations(drivers)))  # fmt: skip
    result = relative_importance(data, "score", drivers, missing="not_met", replicates=10)
    assert estimates(result, "importance").to_dict() == pytest.approx(expected, abs=1e-9)
    assert (result["n"] == 600).all()


def test_dropping_gaps_equals_leaving_the_rows_out():
    data, drivers = with_gaps(), ["support", "technician", "tenure"]
    dropped = relative_importance(data, "score", drivers, missing="drop", replicates=2)
    whole = data.dropna(subset=drivers)
    assert (dropped["n"] == len(whole)).all()
    expected = importance(whole, "score", drivers)
    assert estimates(dropped, "importance").to_dict() == pytest.approx(expected.to_dict(), abs=1e-12)


def test_rows_without_an_outcome_do_not_count():
    data = with_gaps()
    silent = data.assign(score=np.nan, support=np.nan)
    both = pd.concat([data.dropna(subset=["support"]), silent])
    result = relative_importance(both, "score", ["support", "tenure"], replicates=2)
    expected = importance(data.dropna(subset=["support"]), "score", ["support", "tenure"])
    assert estimates(result, "importance").to_dict() == pytest.approx(expected.to_dict(), abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 1e6, 1e12])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_units_and_origins_do_not_matter(shift, scale):
    data = customers(300).assign(score=lambda d: d["tenure"] + d["faults"])
    data["tenure"] = data["tenure"].round(0)
    moved = data.assign(tenure=data["tenure"] * max(scale, shift / 1e6) + shift, score=data["score"] * scale)
    expected = importance(data, "score", ["tenure", "faults"])
    assert importance(moved, "score", ["tenure", "faults"]).to_dict() == pytest.approx(expected.to_dict(), abs=1e-6)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([None, "w"]), st.randoms(use_true_random=False))
def test_parts_sum_to_r_squared_and_order_does_not_matter(seed, count, weights, random):
    rng = np.random.default_rng(seed)
    rows, drivers = int(rng.integers(count + 5, 60)), list("abcde"[:count])
    data = pd.DataFrame(rng.normal(size=(rows, count)) @ rng.normal(size=(count, count)), columns=drivers)
    data = data.assign(score=data @ rng.normal(size=count) + rng.normal(size=rows), w=rng.uniform(0.1, 2, rows))
    value = importance(data, "score", drivers, weights=weights)
    assert value.sum() == pytest.approx(ols_r_squared(data, "score", drivers, weights), abs=1e-8)
    assert (value >= -1e-12).all()
    order, names = list(range(rows)), drivers.copy()
    random.shuffle(order)
    random.shuffle(names)
    again = importance(data.iloc[order], "score", names, weights=weights)
    assert again.to_dict() == pytest.approx(value.to_dict(), abs=1e-9)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("noise", [0.01, 100.0], ids=["all explained", "nothing explained"])
@pytest.mark.parametrize("n", [30, 400])
def test_no_interval_goes_below_0_or_above_1(weights, noise, n):
    """Shares and R² of every experience statistic, where the estimate is next to an end of its range."""
    rng = np.random.default_rng(n)
    data = pd.DataFrame(rng.integers(1, 6, (n, 3)), columns=["a", "b", "c"]).assign(w=rng.uniform(0.2, 3, n))
    score = data["a"] * 2 + noise * rng.normal(size=n)
    data["recommend"] = np.clip(score.rank() / n * 10, 0, 10).round() if noise > 1 else np.clip(score, 0, 10).round()
    data["left"], named = rng.random(n) < 0.3, ("recommend", ["a", "b", "c"])
    options = {"weights": weights, "replicates": 60}
    parts = [
        cx.relative_importance(data, *named, scale=scale, groups=groups, **options)
        for scale in ("score", "promoter") for groups in (None, {"g": ["a", "b"]})
    ]  # fmt: skip
    parts += [cx.importance_performance(data, *named, **options), cx.nps_what_if(data, *named, {"a": 1}, **options),
              cx.service_gap(data, "recommend", ["a"], ["b", "c"], weights=weights),
              cx.satisfaction_overlap(data, "recommend", "a", weights=weights),
              cx.halo(data, ["a", "b", "c"], **options)]  # fmt: skip
    table = pd.concat(parts)
    table = table[table["unit"].isin(["share", "R²"]) & table["measure"].ne("difference")]
    assert len(table) > 60
    for column in ("estimate", "lower", "upper"):
        assert table[column].dropna().between(0, 1).all(), column
    assert (table["lower"].dropna() <= table["upper"].dropna()).all()
