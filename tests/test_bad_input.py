"""Every way to give wrong data to the two models, and the exact line that comes back."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from cxlib import cells
from cxlib.attrition import fit_attrition
from cxlib.drivers import relative_importance
from cxlib.errors import CxError
from cxlib.fractions import attributable_fractions
from tests.frames import CAUSES, customers

DATA = customers(600).assign(score=lambda d: d["tenure"] + d["faults"])
THERE = "There are: 'customer_id', 'service', 'price', 'segment', 'abroad', 'faults', 'tenure', 'w', 'left', 'score'"
FIRST = DATA.index < 3


def faults_of(function, data, **settings):
    with pytest.raises(CxError) as caught:
        function(data, **settings)
    return list(caught.value.faults)


def attrition(data=DATA, **settings):
    return faults_of(fit_attrition, data, **({"causes": CAUSES, "replicates": 2} | settings))


def importance(data=DATA, **settings):
    return faults_of(
        relative_importance, data, **({"outcome": "score", "drivers": ["tenure", "faults"], "replicates": 2} | settings)
    )


def one_of_each(cause):
    return {cause: CAUSES["service"]}


ATTRITION = {
    "a missing column": (
        {"outcome": "lft"},
        [f"outcome: no column 'lft'; did you mean 'left'? {THERE}"],
    ),
    "several at once": (
        {"outcome": "lft", "adjust": ["segmnt"], "customer": "customerid", "weights": "zz", "by": "abrod",
         "causes": {"service": {"servce": {"failed": "good"}}}, "interactions": "causal"},
        [
            f"cause 'service': no column 'servce'; did you mean 'service'? {THERE}",
            f"adjust: no column 'segmnt'; did you mean 'segment'? {THERE}",
            f"by: no column 'abrod'; did you mean 'abroad'? {THERE}",
            f"outcome: no column 'lft'; did you mean 'left'? {THERE}",
            f"customer: no column 'customerid'; did you mean 'customer_id'? {THERE}",
            f"weights: no column 'zz'; {THERE}",
            "no choice of interactions 'causal'; did you mean 'causes'? There are: 'causes', 'all'",
        ],
    ),
    "no cause": (
        {"causes": None},
        ["causes must name at least one cause: {cause: {column: {level: reference}}}, not {}"],
    ),
    "a list of causes": (
        {"causes": ["service"]},
        ["causes must name at least one cause: {cause: {column: {level: reference}}}, not ['service']"],
    ),
    "a cause without levels": (
        {"causes": {"service": {"service": {}}, "price": "price", "faults": {}}},
        [
            "cause 'service' must be {column: {level: reference}}, not {'service': {}}",
            "cause 'price' must be {column: {level: reference}}, not price",
            "cause 'faults' must be {column: {level: reference}}, not {}",
        ],
    ),
    "a level that does not occur": (
        {"causes": {"service": {"service": {"faild": "good"}}, "price": {"price": {"raised": "lowered"}}}},
        [
            "cause 'service', column 'service': no level 'faild'; did you mean 'failed'? "
            "There are: 'failed', 'good', 'none'",
            "cause 'price', column 'price': no level 'lowered'; There are: 'raised', 'raised a lot', 'same'",
        ],
    ),
    "a level set to itself": (
        {"causes": {"service": {"service": {"failed": "failed"}}}},
        ["cause 'service', column 'service': level 'failed' must be set to another level, not to itself"],
    ),
    "a column twice": (
        {"causes": CAUSES | {"again": CAUSES["price"]}, "adjust": ["service", "left"]},
        [
            "column 'service' is both a cause and a confounder; name it once",
            "column 'price' belongs to two causes; name it once",
            "'left' is the outcome; it cannot also explain it",
        ],
    ),
    "more causes than can be told apart": (
        {"causes": {f"cause {i}": {name: CAUSES["service"]["service"]} for i, name in enumerate("abcdefghi")}},
        [f"cause 'cause {i}': no column '{name}'; {THERE}" for i, name in enumerate("abcdefghi")]
        + ["at most 8 causes can be told apart, not 9; make one of several"],
    ),
    "a cause of numbers": (
        {"causes": {"service": {"number": {1: 0}}}},
        ["cause 'service', column 'number' has 600 numbers, more than 100 levels; make bands of it"],
    ),
    "a cause called joint": (
        {"causes": one_of_each("joint")},
        ["no cause may be called 'joint', the name of all of them together"],
    ),
    "a period without customers": ({"period": "segment"}, ["period must come with customer"]),
    "a level for every customer": (
        {"adjust": ["customer_id"]},
        ["column 'customer_id' has 600 levels, more than 100: merge some, or leave it out"],
    ),
    "weights in words": ({"weights": "segment"}, ["weights 'segment' must be numbers, not text, yes/no or stamps"]),
}  # fmt: skip


@pytest.mark.parametrize("case", ATTRITION)
def test_wrong_settings_of_the_attrition_model(case):
    settings, lines = ATTRITION[case]
    data = DATA.assign(number=range(len(DATA))) if case == "a cause of numbers" else DATA
    assert attrition(data, **settings) == lines


DECIDES = "so that no finite effect exists; merge its levels, or leave it out if it was recorded after the outcome"
ODD_WEIGHTS = "weights 'w' must be finite and 0 or more in every row, but {} are not and {} are empty"
ATTRITION_DATA = {
    "no rows": (DATA[:0], {}, ["the frame must have rows, not 0; check the filter, the period and the joins"]),
    "no columns": (
        pd.DataFrame(), {}, ["frame must have columns and rows, but has neither; check what was read or filtered"],
    ),
    "nobody left": (
        DATA.assign(left=False), {},
        ["outcome 'left' must have at least 10 leavers and 10 stayers, not 0 and 600; widen the period or the filter"],
    ),
    "everybody left": (
        DATA.assign(left=1), {"weights": "w"},
        ["outcome 'left' must have at least 10 leavers and 10 stayers, not 600 and 0; widen the period or the filter"],
    ),
    "an outcome in words": (
        DATA.assign(left=DATA["left"].map({True: "Yes", False: "No"})), {},
        ["outcome 'left' must be true/false or 0/1, not the words 'No', 'Yes'; compare the column with the word for "
         "leaving, or name it as left_value"],
    ),
    "an outcome in stamps": (
        DATA.assign(left=pd.Timestamp("2024-01-01")), {},
        ["outcome 'left' must be true/false or 0/1, not a stamp or a list"],
    ),
    "an outcome of three values": (
        DATA.assign(left=np.where(FIRST, 2, DATA["left"])), {},
        ["outcome 'left' must be true/false or 0/1, but 3 rows hold another value and 0 none; name the value that "
         "counts as left_value"],
    ),
    "an outcome with gaps": (
        DATA.assign(left=DATA["left"].astype("boolean").mask(FIRST)), {},
        ["outcome 'left' must be true/false or 0/1, but 0 rows hold another value and 3 none; name the value that "
         "counts as left_value"],
    ),
    "a cause with one level": (
        DATA.assign(service="good"), {},
        ["cause 'service', column 'service' must have two levels or more, not only 'good'"],
    ),
    "gaps in a cause and a confounder": (
        DATA.assign(service=DATA["service"].mask(FIRST), tenure=DATA["tenure"].mask(DATA.index < 7)),
        {"adjust": ["tenure"]},
        ["column 'tenure' must have a value in every row, but 7 are empty; recode them as a level of their own or "
         "leave those rows out",
         "column 'service' must have a value in every row, but 3 are empty; recode them as a level of their own or "
         "leave those rows out"],
    ),
    "a stamp as a confounder": (
        DATA.assign(at=pd.Timestamp("2024-01-01")), {"adjust": ["at"]},
        ["column 'at' must be text, yes/no or a number, not a stamp or a list"],
    ),
    "infinities": (
        DATA.assign(tenure=np.where(FIRST, np.inf, DATA["tenure"])), {"adjust": ["tenure"]},
        ["column 'tenure' must hold finite numbers, but 3 are infinite; recode them or leave those rows out"],
    ),
    "customers twice": (
        pd.concat([DATA, DATA[DATA["customer_id"].isin(["C1", "C2"])]]), {"customer": "customer_id"},
        ["column 'customer_id' must name each customer once, but 2 have more rows: 'C1', 'C2'; keep one row each, or "
         "name the column of the window as period"],
    ),
    "customers without a name": (
        DATA.assign(customer_id=DATA["customer_id"].mask(FIRST)), {"customer": "customer_id"},
        ["column 'customer_id' must name the customer in every row, but 3 are empty"],
    ),
    "negative weights": (DATA.assign(w=np.where(FIRST, -1, 1)), {"weights": "w"}, [ODD_WEIGHTS.format(3, 0)]),
    "endless weights": (DATA.assign(w=np.where(FIRST, np.inf, 1)), {"weights": "w"}, [ODD_WEIGHTS.format(3, 0)]),
    "missing weights": (DATA.assign(w=DATA["w"].mask(FIRST)), {"weights": "w"}, [ODD_WEIGHTS.format(0, 3)]),
    "weights of nothing": (DATA.assign(w=0), {"weights": "w"}, ["weights 'w' must not all be 0"]),
    "a leak": (
        DATA.assign(reason=np.where(DATA["left"], "price", "")), {"adjust": ["reason"]},
        ["column 'reason' decides the outcome 'left' ({} of the {} customers with '{}'), " + DECIDES],
    ),
    "a level that never left": (
        DATA.assign(segment=np.where(DATA["left"] | (DATA.index % 3 > 0), "b", "a")), {"adjust": ["segment"]},
        ["column 'segment' decides the outcome 'left' (none of the {n} customers with 'a'), " + DECIDES],
    ),
    "a number that separates": (
        DATA.assign(tenure=DATA["left"] * 5.0 + DATA["tenure"] / 10), {"adjust": ["tenure"]},
        ["column 'tenure' decides the outcome 'left' for some customers, " + DECIDES],
    ),
    "collinear confounders": (
        DATA.assign(country=DATA["abroad"].map({True: "other", False: "home"}), twice=DATA["tenure"] * 2),
        {"adjust": ["abroad", "country", "tenure", "twice"]},
        ["country = other is determined by the columns before it; leave one of them out",
         "twice is determined by the columns before it; leave one of them out"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("large", [False, True], ids=["every customer", "buckets"])
@pytest.mark.parametrize("case", ATTRITION_DATA)
def test_wrong_data_of_the_attrition_model(case, large, monkeypatch):
    monkeypatch.setattr(cells, "EVERY_CUSTOMER", 100 if large else 10**9)
    data, settings, lines = ATTRITION_DATA[case]
    if case == "a leak":
        lines = [lines[0].format("all", f"{DATA['left'].sum():,}", "price")]
    if case == "a level that never left":
        lines = [lines[0].replace("{n}", f"{(data['segment'] == 'a').sum():,}")]
    assert attrition(data, **settings) == lines


def test_a_single_name_is_a_list_of_one():
    fit = fit_attrition(DATA, causes=CAUSES, adjust="segment", by="abroad", replicates=2)
    assert fit.adjust == ("segment",)
    assert relative_importance(DATA, "score", "tenure", replicates=2)["term"].tolist()[0] == "tenure"


def test_a_confounder_with_one_value_is_harmless():
    # A report filtered to one segment keeps the segment among its confounders.
    plain = fit_attrition(DATA, causes=CAUSES, replicates=2)
    more = fit_attrition(
        DATA.assign(segment="b", tenure=1.5), causes=CAUSES, adjust=["segment", "tenure"], replicates=2
    )
    assert more.beta.tolist() == plain.beta.tolist()


def test_one_customer_far_out_is_not_separation():
    data = DATA.assign(tenure=np.where(DATA.index == 0, 10_000.0, DATA["tenure"]))
    fit = fit_attrition(data, causes=CAUSES, adjust=["tenure"], replicates=2)
    assert np.isfinite(fit.replicates).all()


def test_a_confidence_level_in_percent():
    fit = fit_attrition(DATA, causes=CAUSES, replicates=5)
    expected = ["level must be between 0 and 1, not 95; did you mean 0.95?"]
    assert faults_of(attributable_fractions, fit, level=95) == expected
    assert importance(level=95) == expected


DRIVERS = {
    "a missing column": (
        {"outcome": "scor", "drivers": ["tenur", "faults"], "weights": "ww", "customer": "zz"},
        [
            f"drivers: no column 'tenur'; did you mean 'tenure'? {THERE}",
            f"outcome: no column 'scor'; did you mean 'score'? {THERE}",
            f"weights: no column 'ww'; did you mean 'w'? {THERE}",
            f"customer: no column 'zz'; {THERE}",
        ],
    ),
    "an unknown method": ({"method": "lgm"}, ["no method 'lgm'; did you mean 'lmg'? There are: 'lmg', 'johnson'"]),
    "an unknown treatment of gaps": (
        {"missing": "not met"},
        ["no choice of missing 'not met'; did you mean 'not_met'? There are: 'drop', 'not_met'"],
    ),
    "no drivers": ({"drivers": []}, ["drivers must name at least one column"]),
    "a driver twice": ({"drivers": ["tenure", "tenure"]}, ["driver 'tenure' is named twice"]),
    "the outcome as a driver": (
        {"drivers": ["tenure", "score"]}, ["'score' is the outcome; it cannot also explain it"],
    ),
    "an outcome in words": ({"outcome": "segment"}, ["outcome 'segment' must be a number, not text or yes/no"]),
    "weights in words": ({"weights": "segment"}, ["weights 'segment' must be a number, not text or yes/no"]),
    "wrong groups": (
        {"groups": {"a": ["tenure", "price"], "b": ["tenure"], "c": [], "faults": ["tenure"]}},
        [
            "groups: no driver 'price'; There are: 'tenure', 'faults'",
            "driver 'tenure' belongs to two groups",
            "group 'c' must name at least one driver",
            "group 'faults' must not bear the name of a driver outside it; call it something else",
        ],
    ),
    "a level for every customer": (
        {"drivers": ["tenure", "customer_id"]}, ["driver 'customer_id' has 600 levels, more than 100: merge some"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DRIVERS)
def test_wrong_settings_of_relative_importance(case):
    settings, lines = DRIVERS[case]
    assert importance(**settings) == lines


DRIVER_DATA = {
    "no rows": (DATA[:0], {}, ["no row has a value of 'score'"]),
    "no answers": (DATA.assign(score=np.nan), {}, ["no row has a value of 'score'"]),
    "no row without gaps": (
        DATA.assign(tenure=DATA["tenure"].mask(FIRST), faults=DATA["faults"].where(FIRST)), {"missing": "drop"},
        ["no row has a value of 'score' and of every driver"],
    ),
    "too few rows": (
        DATA[:3], {},
        ["3 rows with an outcome and all drivers are too few for 4 terms; use fewer drivers or missing='not_met'"],
    ),
    "gaps": (
        DATA.assign(tenure=DATA["tenure"].mask(FIRST), faults=DATA["faults"].mask(DATA.index < 5)), {},
        ["drivers must have a value in every row, but some are empty: 'tenure' (3), 'faults' (5); say "
         "missing='not_met' to keep those rows (the touchpoint was not met) or missing='drop' to leave them out"],
    ),
    "a driver without variation": (
        DATA.assign(tenure=1234567.1), {}, ["'tenure' must vary, but has one value in all 600 rows; leave it out"],
    ),
    "an outcome without variation": (
        DATA.assign(score=7), {}, ["'score' must vary, but has one value in all 600 rows; leave it out"],
    ),
    "a perfect copy": (
        DATA.assign(copy=DATA["tenure"] * 3 + 1), {"drivers": ["tenure", "faults", "copy"]},
        ["driver 'copy' is determined by the drivers before it (a copy, or a sum of them); leave it out"],
    ),
    "a sum of drivers": (
        DATA.assign(total=DATA["tenure"] + DATA["faults"]), {"drivers": ["tenure", "faults", "total"]},
        ["driver 'total' is determined by the drivers before it (a copy, or a sum of them); leave it out"],
    ),
    "infinities": (
        DATA.assign(tenure=np.where(FIRST, -np.inf, DATA["tenure"]), score=np.where(DATA.index < 2, np.inf, 1.0)), {},
        ["column 'tenure' must hold finite numbers, but 3 are infinite or beyond 1e+75; recode them or "
         "leave those rows out",
         "column 'score' must hold finite numbers, but 2 are infinite or beyond 1e+75; recode them or "
         "leave those rows out"],
    ),
    "numbers whose squares are none": (
        DATA.assign(tenure=np.where(FIRST, 1e154, DATA["tenure"])), {},
        ["column 'tenure' must hold finite numbers, but 3 are infinite or beyond 1e+75; recode them or "
         "leave those rows out"],
    ),
    "a stamp as a driver": (
        DATA.assign(at=pd.Timestamp("2024-01-01")), {"drivers": ["tenure", "at"]},
        ["driver 'at' must be a number, text or yes/no, not a stamp"],
    ),
    "customers without a name": (
        DATA.assign(customer_id=DATA["customer_id"].mask(FIRST)), {"customer": "customer_id"},
        ["column 'customer_id' must name the customer in every row, but 3 are empty"],
    ),
    "negative weights": (DATA.assign(w=np.where(FIRST, -1, 1)), {"weights": "w"}, [ODD_WEIGHTS.format(3, 0)]),
    "endless weights": (DATA.assign(w=np.where(FIRST, np.inf, 1)), {"weights": "w"}, [ODD_WEIGHTS.format(3, 0)]),
    "missing weights": (DATA.assign(w=DATA["w"].mask(FIRST)), {"weights": "w"}, [ODD_WEIGHTS.format(0, 3)]),
    "weights of nothing": (DATA.assign(w=0.0), {"weights": "w"}, ["weights 'w' must not all be 0"]),
}  # fmt: skip


@pytest.mark.parametrize("case", DRIVER_DATA)
def test_wrong_data_of_relative_importance(case):
    data, settings, lines = DRIVER_DATA[case]
    assert importance(data, **settings) == lines


def test_more_players_than_can_be_shared_out():
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(16)]
    data = pd.DataFrame(rng.normal(size=(100, 16)), columns=names).assign(score=rng.normal(size=100))
    lines = importance(data, drivers=names)
    assert len(lines) == 1
    assert lines[0].startswith("at most 15 ")
    assert "not 16" in lines[0]


NASTY = ["'; DROP TABLE x; --", "<script>alert(1)</script>", "a\nb", "x" * 5000, "💥"]


@pytest.mark.parametrize("name", NASTY)
def test_hostile_names_stay_on_one_bounded_line(name):
    lines = attrition(adjust=[name]) + importance(drivers=[name])
    assert all("\n" not in line and len(line) < 500 for line in lines)
    assert attrition(DATA.assign(service=name)) == [
        f"cause 'service', column 'service' must have two levels or more, not only '{shown(name)}'"
    ]


def shown(name):
    text = " ".join(name.split())
    return text if len(text) <= 80 else text[:79] + "…"


def test_an_error_of_the_engine_is_not_swallowed():
    relation = duckdb.sql("SELECT CAST(error('disk gone') AS BOOLEAN) AS \"left\", 'a' AS service FROM range(3)")
    with pytest.raises(duckdb.Error, match="disk gone"):
        fit_attrition(relation, causes={"service": {"service": {"a": "b"}}})
