"""The simulator: values by seed, the tables' contract, and a truth that brute force and a fitted model both find."""

import dataclasses
import itertools
import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm

import cxlib as cx
import cxlib.simulation
from cxlib import schema
from cxlib.errors import CxError
from cxlib.respondents import RATED
from cxlib.simulation import simulate, write_simulation
from cxlib.story import AXES, RATING_CENTRE, Story, coefficients, make_story, read_truth, risk_table, write_truth

EXAMPLE = Path(__file__).parents[1] / "data" / "example"
BANDS = list(AXES)
DAY = pd.Timedelta(days=1)


@cache
def simulated(customers=20_000, seed=1, **story):
    return simulate(customers=customers, seed=seed, **story)


def banded(tables, as_of):
    """The landmark frame by pandas, written from its definition and from nothing in the simulator."""
    as_of = pd.Timestamp(as_of)
    start = as_of - 180 * DAY
    frame = tables["customers"].set_index("customer_id")
    frame = frame[(frame.signup_date < as_of) & (frame.end_date.isna() | (frame.end_date > as_of))].copy()
    gone = frame.end_date <= as_of + 90 * DAY
    frame["left"] = (gone & (frame.end_kind == "voluntary")).astype(int)

    t = tables["tickets"]
    t = t[(t.opened_at >= start) & (t.opened_at < as_of)]
    bad = t.escalated | t.reopened | t.resolved_at.isna() | (t.resolved_at > as_of) | (t.csat <= 2)
    bad |= (t.resolved_at - t.opened_at) > pd.Timedelta(hours=72)
    worst = bad.groupby(t.customer_id).max().reindex(frame.index)
    frame["service_band"] = worst.map({True: "failed", False: "good"}).fillna("none")

    at = tables["interactions"]
    at = at[(at.touchpoint == "product_fault") & (at["at"] >= start) & (at["at"] < as_of)]
    count = at.groupby("customer_id").size().reindex(frame.index).fillna(0)
    frame["fault_band"] = count.clip(upper=2).map({0: "none", 1: "one", 2: "several"})

    p = tables["prices"].sort_values("valid_from")
    first = p.groupby("customer_id").first()
    now = p[p.valid_from < as_of].groupby("customer_id").last().reindex(frame.index)
    then = p[p.valid_from <= start].groupby("customer_id").last().monthly_price.reindex(frame.index)
    change = now.monthly_price / then.fillna(first.monthly_price) - 1
    gap = now.monthly_price / now.market_price - 1
    ends = [-np.inf, 0, 0.10, np.inf]
    frame["price_band"] = pd.cut(change.round(9), ends, labels=schema.PRICE_LEVELS)
    frame["gap_band"] = pd.cut(gap.round(9), ends, labels=schema.GAP_LEVELS)
    tenure = (as_of - frame.signup_date).dt.days
    frame["tenure_band"] = pd.cut(tenure, [-np.inf, 182, 365, 730, np.inf], labels=schema.TENURE_LEVELS)
    return frame[[*BANDS, "left"]].astype(dict.fromkeys(BANDS, str))


def risk_of(bands, story):
    """One customer's risk, level by level."""
    effects = coefficients(story)
    logit = story.base_risk + sum(effects[name][level] for name, level in bands.items())
    if bands["service_band"] == "failed" and bands["price_band"] != "same":
        logit += story.service_by_price
    return 1 / (1 + math.exp(-logit))


def removed(bands, causes):
    new = dict(bands)
    if "service" in causes and bands["service_band"] == "failed":
        new["service_band"] = "good"
    if "price" in causes:
        new["price_band"] = "same"
    return new


def leaves(tree, path=()):
    """Path -> value of everything in nested mappings."""
    found = {}
    for key, value in tree.items():
        found |= leaves(value, (*path, key)) if isinstance(value, dict) else {(*path, key): value}
    return found


# --- values by seed -----------------------------------------------------------------------------------------------


def test_same_seed_same_values_other_seed_other_values():
    (a, truth_a), (b, truth_b), (c, _) = simulate(500, seed=3), simulate(500, seed=3), simulate(500, seed=4)
    for name in a:
        pd.testing.assert_frame_equal(a[name], b[name])
    assert truth_a == truth_b
    assert not a["customers"].signup_date.equals(c["customers"].signup_date)


def test_writing_chunk_by_chunk_gives_what_simulate_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(cxlib.simulation, "CHUNK", 300)
    tables, truth = simulate(1000, seed=5)
    assert write_simulation(tmp_path, 1000, seed=5) == truth == read_truth(tmp_path / "truth.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*(f"{name}.parquet" for name in schema.TABLES), "codebook.csv", "truth.json"]
    )
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / f"{name}.parquet"))
        ids = [column.name for column in schema.TABLES[name] if column.kind == "id" and column.required]
        assert not table[ids[:1]].duplicated().any() or name in ("prices", "ratings")


def test_a_chunk_does_not_depend_on_how_many_follow(monkeypatch):
    monkeypatch.setattr(cxlib.simulation, "CHUNK", 300)
    few, many = simulate(300, seed=6)[0], simulate(900, seed=6)[0]
    for name in set(few) - {"touchpoints"}:
        pd.testing.assert_frame_equal(few[name], many[name].head(len(few[name])))


def test_nothing_is_written_when_a_run_breaks(tmp_path, monkeypatch):
    monkeypatch.setattr(cxlib.simulation, "CHUNK", 100)
    monkeypatch.setattr(cxlib.simulation, "_truth", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_simulation(tmp_path, 250)
    assert list(tmp_path.iterdir()) == []


# --- the tables' contract -----------------------------------------------------------------------------------------

IS_KIND = {
    "id": pd.api.types.is_string_dtype,
    "text": pd.api.types.is_string_dtype,
    "category": pd.api.types.is_string_dtype,
    "date": pd.api.types.is_datetime64_dtype,
    "timestamp": pd.api.types.is_datetime64_dtype,
    "number": pd.api.types.is_float_dtype,
    "integer": lambda values: pd.api.types.is_numeric_dtype(values) and (values.dropna() % 1 == 0).all(),
    "flag": pd.api.types.is_bool_dtype,
}


@pytest.mark.parametrize("name", schema.TABLES)
def test_columns_kinds_and_ranges_are_those_of_the_schema(name):
    table = simulated()[0][name]
    assert list(table.columns) == [column.name for column in schema.TABLES[name]]
    for column in schema.TABLES[name]:
        values = table[column.name]
        assert IS_KIND[column.kind](values), column
        assert values.notna().any()
        given = values.dropna()
        if column.kind == "date":
            assert (given == given.dt.normalize()).all()
        if column.kind in ("number", "integer") and column.values:
            low, high = column.values.split("-")
            assert given.min() >= float(low)
            assert given.max() <= float(high or np.inf)
        if column.kind == "category" and column.values:
            assert set(given) == set(column.values.split(", "))


def test_keys_point_to_rows_that_exist():
    tables = simulated()[0]
    for name in ("prices", "surveys", "tickets", "interactions"):
        assert set(tables[name].customer_id) <= set(tables["customers"].customer_id)
    answered = tables["surveys"].dropna(subset="answered_at").survey_id
    rated = set(tables["ratings"].survey_id)
    assert rated <= set(answered)
    assert len(rated) > 0.999 * len(answered)
    assert set(tables["interactions"].touchpoint) | set(tables["ratings"].touchpoint) <= set(
        tables["touchpoints"].touchpoint
    )
    for name, column in (("customers", "customer_id"), ("surveys", "survey_id"), ("tickets", "ticket_id")):
        assert tables[name][column].is_unique
    assert not tables["ratings"].duplicated(["survey_id", "touchpoint"]).any()
    assert not tables["prices"].duplicated(["customer_id", "valid_from"]).any()


@pytest.mark.parametrize(("months", "first"), [(9, "2025-10-01"), (24, "2024-07-01"), (40, "2023-03-01")])
def test_stamps_lie_in_the_period_and_in_the_customer_s_time(months, first):
    tables, truth = simulate(1500, months=months, seed=2)
    first, last = pd.Timestamp(first), pd.Timestamp("2026-06-30")
    stamps = {"surveys": ["sent_at", "answered_at"], "interactions": ["at"]}
    stamps |= {"tickets": ["opened_at", "first_response_at", "resolved_at"]}
    for name, columns in stamps.items():
        owner = tables[name].merge(tables["customers"], on="customer_id")
        begins = owner[columns[0]]
        assert ((begins >= owner.signup_date) & (owner.end_date.isna() | (begins < owner.end_date))).all()
        for column in columns:
            given = tables[name][column].dropna()
            assert given.min() >= first
            assert given.max() < last + DAY
    customers = tables["customers"]
    assert customers.signup_date.max() == last
    assert customers.end_date.max() <= last
    assert (customers.end_date.isna() | (customers.end_date > customers.signup_date)).all()
    assert truth.as_of == "2026-04-01"
    tickets = tables["tickets"].dropna(subset="resolved_at")
    assert (tickets.opened_at <= tickets.first_response_at).all()
    assert (tickets.first_response_at <= tickets.resolved_at).all()


def test_who_left_says_how_and_mostly_why():
    customers = simulated()[0]["customers"]
    left = customers.end_date.notna()
    assert (customers.end_kind.notna() == left).all()
    assert customers.loc[~left, "stated_reason"].isna().all()
    assert 0.85 < customers.loc[left, "stated_reason"].notna().mean() < 0.97
    assert {"Price too high", "Poor support", "Product faults", "Payment failure"} <= set(
        customers.stated_reason.dropna()
    )
    assert 0.03 < (customers.end_kind[left] == "involuntary").mean() < 0.20


# --- the truth ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service_by_price", [0.0, 0.7, -2.5])
def test_truth_equals_brute_force_over_customers_and_orders(service_by_price):
    """Authority: a loop over customers, causes removed in every order (methods: fractions and outweighs)."""
    tables, truth = simulate(1200, seed=8, service_by_price=service_by_price)
    story = make_story({"service_by_price": service_by_price})
    people = banded(tables, truth.as_of)[BANDS].to_dict("records")
    total = sum(risk_of(bands, story) for bands in people)
    orders = list(itertools.permutations(["service", "price"]))
    gained = {order: dict.fromkeys(order, 0.0) for order in orders}
    ways = dict.fromkeys(["price > service", "service > price", "tie", "neither"], 0.0)
    shares = {"of_all": dict(ways), "of_any": dict(ways), "of_both": dict(ways)}
    for bands in people:
        phi = {"service": 0.0, "price": 0.0}
        for order in orders:
            gone = set()
            for cause in order:
                before = risk_of(removed(bands, gone), story)
                gone.add(cause)
                gain = before - risk_of(removed(bands, gone), story)
                gained[order][cause] += gain / total
                phi[cause] += gain / len(orders)
        failed, raised = bands["service_band"] == "failed", bands["price_band"] != "same"
        more = max(phi["price"], 0) - max(phi["service"], 0)
        way = "tie" if abs(more) <= 1e-9 else "price > service" if more > 0 else "service > price"
        way = way if failed or raised else "neither"
        for measure, counted in {"of_all": True, "of_any": failed or raised, "of_both": failed and raised}.items():
            shares[measure][way] += counted * risk_of(bands, story)
    close = pytest.approx
    assert truth.at_risk == len(people)
    assert truth.expected_attrition == close(total / len(people))
    for cause, other in (("service", "price"), ("price", "service")):
        alone, after = gained[cause, other][cause], gained[other, cause][cause]
        assert truth.fraction[cause] == close(alone, abs=1e-12)
        assert truth.last[cause] == close(after, abs=1e-12)
        assert truth.average_fraction[cause] == close((alone + after) / 2, abs=1e-12)
        assert (truth.lowest_order[cause], truth.highest_order[cause]) == close(sorted([alone, after]), abs=1e-12)
        assert truth.lower_bound[cause] == close(max(0, alone), abs=1e-12)
    for measure, counts in shares.items():
        whole = sum(counts.values())
        assert truth.outweighs[measure] == close({way: value / whole for way, value in counts.items()}, abs=1e-12)
    exposed = {"service": ("service_band", {"failed"}), "price": ("price_band", {"raised", "raised a lot"})}
    for cause, (name, levels) in exposed.items():
        risk = sum(risk_of(bands, story) for bands in people if bands[name] in levels)
        assert truth.upper_bound[cause] == close(risk / total)
    spared = [risk_of(bands, story) for bands in people if bands["service_band"] != "failed"]
    assert truth.naive_service_fraction == close(1 - np.mean(spared) / (total / len(people)))


@pytest.mark.parametrize("story", [{}, {"service_by_price": 1.0}, {"service_failed": 0.05}, {"price_raised": -0.5}])
def test_identities_of_the_truth(story):
    truth = simulated(5000, 2, **story)[1]
    assert sum(truth.average_fraction.values()) == pytest.approx(truth.fraction["joint"])
    assert truth.fraction["service"] + truth.last["price"] == pytest.approx(truth.fraction["joint"])
    assert truth.fraction["price"] + truth.last["service"] == pytest.approx(truth.fraction["joint"])
    for shares in truth.outweighs.values():
        assert sum(shares.values()) == pytest.approx(1)
    assert truth.outweighs["of_any"]["neither"] == truth.outweighs["of_both"]["neither"] == 0
    if "service_failed" in story:  # then a failed contact is no worse than a good one
        assert truth.fraction["service"] == pytest.approx(0, abs=1e-12)
        assert truth.naive_service_fraction > 0.12


def test_nobody_with_both_exposures_is_not_a_number_and_survives_json(tmp_path):
    truth = simulated(3000, 2, raise_small=0.0, raise_large=0.0)[1]
    assert math.isnan(truth.outweighs["of_both"]["tie"])
    write_truth(truth, tmp_path / "truth.json")
    assert "NaN" not in (tmp_path / "truth.json").read_text()
    again = dataclasses.asdict(read_truth(tmp_path / "truth.json"))
    np.testing.assert_equal(again, dataclasses.asdict(truth))


def test_defaults_tell_the_story_they_promise():
    truth = simulated(200_000, 0)[1]
    assert truth.average_fraction["service"] == pytest.approx(0.25, abs=0.015)
    assert truth.outweighs["of_any"]["price > service"] == pytest.approx(0.30, abs=0.02)
    assert truth.naive_service_fraction - truth.fraction["service"] > 0.12
    assert truth.naive_service_fraction - truth.average_fraction["service"] > 0.12
    assert 0.08 < truth.expected_attrition < 0.12


@pytest.mark.parametrize("seed", range(4))
def test_realised_attrition_is_the_expected_one_but_for_chance(seed):
    """Authority: the variance of a sum of independent events, each with its own risk."""
    tables, truth = simulated(20_000, seed)
    frame = banded(tables, truth.as_of)
    risk = np.array([risk_of(bands, Story()) for bands in frame[BANDS].to_dict("records")])
    assert frame.left.mean() == pytest.approx(truth.realised_attrition)
    assert abs(frame.left.sum() - risk.sum()) < 4 * np.sqrt((risk * (1 - risk)).sum())


def test_a_logistic_model_with_the_right_bands_finds_the_effects_and_the_fractions():
    """Authority: statsmodels on the rows; effects within four standard errors, and jointly as by chance."""
    tables, truth = simulated(200_000, 0, service_by_price=0.0)
    frame = banded(tables, truth.as_of)
    design = pd.DataFrame({"const": 1.0}, index=frame.index)
    for name, levels in AXES.items():
        for level in levels[1:]:
            design[name, level] = (frame[name] == level).astype(float)
    fit = sm.Logit(frame.left, design).fit(disp=False)
    true = [truth.intercept, *(truth.coefficients[name][level] for name in BANDS for level in AXES[name][1:])]
    off = (fit.params - true).to_numpy()
    assert (abs(off) < 4 * fit.bse).all()
    assert off @ np.linalg.solve(fit.cov_params(), off) < 40  # chi square, 16 degrees of freedom: once in 1,300 draws
    spared, flat = design.copy(), design.copy()
    spared["service_band", "good"] += design["service_band", "failed"]
    spared["service_band", "failed"] = 0.0
    flat[[("price_band", level) for level in schema.PRICE_LEVELS[1:]]] = 0.0
    whole = fit.predict(design).sum()
    assert 1 - fit.predict(spared).sum() / whole == pytest.approx(truth.fraction["service"], abs=0.03)
    assert 1 - fit.predict(flat).sum() / whole == pytest.approx(truth.fraction["price"], abs=0.03)
    naive = 1 - frame.left[frame.service_band != "failed"].mean() / frame.left.mean()
    assert naive == pytest.approx(truth.naive_service_fraction, abs=0.02)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_landmark_frame_of_the_package_sees_the_same_bands(seed):
    """Authority: this file's own frame, by pandas; bands that differed would make the truth another question's."""
    tables, truth = simulated(20_000, seed)
    frame = cx.landmark(cx.load(tables), "latest", truth.lookback_days, truth.horizon_days, truth.slow_hours)
    frame = frame.to_pandas().set_index("customer_id").sort_index()
    ours = banded(tables, truth.as_of).sort_index()
    assert len(frame) == truth.at_risk
    for name in BANDS:
        assert (frame[name].astype(str) == ours[name]).all(), name
    assert (frame.left.astype(int) == ours.left).all()


def test_every_boundary_holds_the_true_risk_not_only_the_last():
    """Authority: as above, at the landmark 180 days earlier, whose leavers come from the loop's earlier pass."""
    tables, _ = simulated(20_000, 1)
    frame = banded(tables, pd.Timestamp("2026-04-01") - 180 * DAY)
    risk = np.array([risk_of(bands, Story()) for bands in frame[BANDS].to_dict("records")])
    assert abs(frame.left.sum() - risk.sum()) < 4 * np.sqrt((risk * (1 - risk)).sum())
    high = risk > np.median(risk)
    assert abs(frame.left[high].sum() - risk[high].sum()) < 4 * np.sqrt((risk * (1 - risk))[high].sum())


def test_risk_table_is_the_level_by_level_risk():
    story = make_story({"service_by_price": 0.4})
    table = risk_table(story)
    for place in np.random.default_rng(0).integers(0, table.shape, (50, table.ndim)):
        bands = {name: AXES[name][i] for name, i in zip(BANDS, place, strict=True)}
        assert table[tuple(place)] == pytest.approx(risk_of(bands, story))


# --- surveys ------------------------------------------------------------------------------------------------------


def test_the_unhappy_answer_less():
    tables = simulated()[0]
    surveys = tables["surveys"]
    failed = tables["tickets"].query("escalated or reopened or csat <= 2")
    after = surveys.merge(failed[["customer_id", "opened_at"]], on="customer_id")
    age = after.sent_at - after.opened_at
    recent = set(after.survey_id[(age > 0 * DAY) & (age < 180 * DAY)])
    hit = surveys.survey_id.isin(recent)
    assert surveys.answered_at[hit].notna().mean() < surveys.answered_at[~hit].notna().mean() - 0.05
    level, _ = simulate(20_000, seed=1, answer_experience=0.0)
    flat = level["surveys"].answered_at.notna()
    assert abs(flat[level["surveys"].survey_id.isin(recent)].mean() - flat.mean()) < 0.05


def test_answers_are_whole_or_absent_and_look_like_answers():
    surveys = simulated()[0]["surveys"]
    answered = surveys.answered_at.notna()
    assert (surveys.recommend.notna() == answered).all()
    assert surveys.loc[~answered, ["satisfaction", "effort", "comment"]].isna().all(axis=None)
    assert 0.4 < answered.mean() < 0.7
    assert (surveys.answered_at[answered] >= surveys.sent_at[answered]).all()
    nps = 100 * ((surveys.recommend >= 9).sum() - (surveys.recommend <= 6).sum()) / answered.sum()
    assert 10 < nps < 35
    assert surveys.weight.mean() == pytest.approx(1, abs=0.03)
    comments = surveys.comment[answered]
    assert comments.notna().mean() == pytest.approx(0.33, abs=0.03)
    assert comments.nunique() > 1000
    assert comments.dropna().str[0].str.isupper().all()


def test_a_whole_customer_s_two_years_hold_four_invitations():
    tables = simulated()[0]
    c = tables["customers"]
    stayed = c.customer_id[(c.signup_date < "2024-07-01") & c.end_date.isna()]
    per_customer = tables["surveys"].customer_id.value_counts().reindex(stayed)
    assert set(per_customer.unique()) <= {4, 5}  # 730 days hold four steps of 182 and two days more


def test_support_is_met_by_those_who_made_contact_and_by_few():
    tables, _ = simulated()
    ratings = tables["ratings"].merge(tables["surveys"], on="survey_id")
    ratings = ratings[ratings.sent_at >= "2025-01-01"]  # earlier contacts lie before the period and are not logged
    met = ratings[ratings.touchpoint == "contact_support"].merge(tables["tickets"], on="customer_id")
    age = met.sent_at - met.opened_at
    contacted = set(met.survey_id[(age > 0 * DAY) & (age <= 180 * DAY)])
    assert set(met.survey_id) == contacted
    assert 0.1 < len(contacted) / ratings.survey_id.nunique() < 0.4


def test_the_score_is_linear_in_the_ratings_of_touchpoints_met():
    """Authority: least squares without halo and nearly without noise gives the story's effects back."""
    quiet = {"halo_rating": 0.0, "halo_recommend": 0.0, "recommend_noise": 0.6, "recommend_base": 6.5}
    tables, _ = simulate(20_000, seed=3, **quiet)
    wide = tables["ratings"].pivot(index="survey_id", columns="touchpoint", values="rating")[list(RATED)]
    design = (wide - RATING_CENTRE).fillna(0).assign(met=wide.contact_support.notna().astype(float))
    score = tables["surveys"].set_index("survey_id").recommend.reindex(design.index)
    inside = score.between(1, 9)  # the ends of the scale bend the line
    fit = sm.OLS(score, sm.add_constant(design)).fit()
    assert inside.mean() > 0.97
    true = [*(getattr(Story(), f"effect_{name}") for name in RATED), Story().met_support]
    np.testing.assert_allclose(fit.params.drop("const"), true, atol=0.06)


def test_a_halo_joins_ratings_that_share_nothing_else():
    def correlation(**story):
        ratings = simulated(5000, 1, **story)[0]["ratings"]
        wide = ratings.pivot(index="survey_id", columns="touchpoint", values="rating")
        return wide["website"].corr(wide["billing"])

    assert correlation() > 0.15
    assert abs(correlation(halo_rating=0.0)) < 0.06


# --- bad input, and the bundled example -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"service_faild": 1.0}, ["no effect 'service_faild'", "did you mean 'service_failed'?"]),
        ({"contact_rate": -1}, ["contact_rate must be a number from 0 to 20, not '-1'"]),
        ({"involuntary": "a"}, ["involuntary must be a number from 0 to 1, not 'a'", "; its default is 0.008"]),
        ({"base_risk": math.nan}, ["base_risk must be a number from -20 to 20, not 'nan'"]),
        ({"established": True}, ["established must be a number"]),
        ({"gap_abov": 1, "fault_on": 2}, ["'gap_above'", "'fault_one'"]),
        ({"customers": 0}, ["customers must be a whole number from 1"]),
        (
            {"customers": 2.5, "months": 8},
            ["customers must be", "months must be a whole number from 9 to 120, not '8'"],
        ),
        ({"seed": -1}, ["seed must be a whole number from 0"]),
        ({"customers": 1}, ["simulate: nobody is at risk at 2026-04-01 among 1 customers; ask for more customers"]),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_name(given, words, tmp_path):
    for call in (simulate, lambda **given: write_simulation(tmp_path / "out", **given)):
        with pytest.raises(CxError) as caught:
            call(**given)
        assert all(word in str(caught.value) for word in words)
        assert all("\n" not in fault for fault in caught.value.faults)
    assert not list(tmp_path.glob("out/*"))


def test_the_bundled_example_is_what_the_command_makes(tmp_path):
    assert (
        "python -m cxlib simulate --customers 5000 --seed 0 --out data/example" in (EXAMPLE / "README.md").read_text()
    )
    truth = write_simulation(tmp_path, customers=5000, seed=0)
    names = [path.name for path in tmp_path.iterdir()]
    assert sorted([*names, "README.md"]) == sorted(path.name for path in EXAMPLE.iterdir())
    for name in names:
        if name.endswith(".parquet"):
            pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / name), pd.read_parquet(EXAMPLE / name))
    assert (tmp_path / "codebook.csv").read_text() == (EXAMPLE / "codebook.csv").read_text()
    bundled, made = (leaves(dataclasses.asdict(t)) for t in (read_truth(EXAMPLE / "truth.json"), truth))
    # Sums of risks may differ in the last digits from one processor to the next.
    assert made == pytest.approx(bundled)


def test_the_bundled_example_is_small_and_names_no_machine():
    files = list(EXAMPLE.iterdir())
    assert sum(path.stat().st_size for path in files) < 5e6
    assert pq.read_schema(EXAMPLE / "customers.parquet").metadata is None
