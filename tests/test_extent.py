"""How far service reaches. Authority: pandas on the example's tables, and counts by hand."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import cxlib as cx
from cxlib.extent import REST, SERVICE


@pytest.fixture(scope="module")
def example():
    return cx.read_study("example")


def met(study, as_of="", segment=""):
    """Each interaction of the example with whether it was service."""
    tables = {name: seen.to_pandas() for name, seen in study.tables.present.items()}
    rows = tables["interactions"].merge(tables["touchpoints"], on="touchpoint")
    rows = rows[rows["at"] < as_of] if as_of else rows
    people = tables["customers"]
    return rows[rows["customer_id"].isin(people.loc[people["segment"] == segment, "customer_id"])] if segment else rows


@pytest.mark.parametrize("as_of", ["", "2026-01-01"])
@pytest.mark.parametrize("segment", ["", "enterprise"])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_shares_are_those_of_the_rows(example, as_of, segment, level):
    """Authority: pandas; Wilson of statsmodels; the linearised error of a ratio over customers, written out."""
    rows = met(example, as_of, segment)
    found = cx.service_extent(example, as_of, "segment" * bool(segment), segment, level)
    found = found.set_index(["term", "measure"])
    each = rows.groupby("customer_id")["is_service"].agg(["sum", "size"])
    share = rows["is_service"].mean()
    row = found.loc[(SERVICE, "interactions")]
    assert (row["estimate"], row["n"]) == (pytest.approx(share), len(rows))
    away, k = each["sum"] - share * each["size"], len(each)
    error = np.sqrt((away**2).sum() * k / (k - 1)) / len(rows)
    assert row["std_error"] == pytest.approx(error)
    worth = share * (1 - share) / error**2
    assert [row["lower"], row["upper"]] == pytest.approx(
        proportion_confint(share * worth, worth, alpha=1 - level, method="wilson")
    )
    reached, row = (each["sum"] > 0).sum(), found.loc[(SERVICE, "customers")]
    assert (row["estimate"], row["n"]) == (pytest.approx(reached / k), k)
    assert [row["lower"], row["upper"]] == pytest.approx(
        proportion_confint(reached, k, alpha=1 - level, method="wilson")
    )
    for term, own in ((SERVICE, rows[rows["is_service"]]), (REST, rows[~rows["is_service"]])):
        row = found.loc[(term, "started_by_customer")]
        assert (row["estimate"], row["n"]) == (pytest.approx(own["initiated_by"].eq("customer").mean()), len(own))
        assert row["lower"] < row["estimate"] < row["upper"]
    for place in example.tables.touchpoints.to_pandas().query("is_service")["touchpoint"]:
        others = rows[rows["is_service"] & rows["touchpoint"].ne(place)]["customer_id"].nunique()
        assert found.loc[(place, "customers_without"), "estimate"] == pytest.approx(others / k)


def study(folder, interactions=None, touchpoints=None):
    """A study of handmade tables."""
    pd.DataFrame({"customer_id": ["a", "b", "c"], "signup_date": "2025-01-01", "end_date": None}).to_csv(
        folder / "customers.csv", index=False
    )
    for name, table in (("interactions", interactions), ("touchpoints", touchpoints)):
        if table is not None:
            pd.DataFrame(table).to_csv(folder / f"{name}.csv", index=False)
    (folder / "study.toml").write_text('tables = "."\n')
    return cx.read_study(folder / "study.toml")


PLACES = {"touchpoint": ["shop", "desk"], "is_service": [False, True]}
EVENTS = {"interaction_id": [1, 2, 3, 4], "customer_id": ["a", "a", "b", "b"], "at": "2026-01-02 10:00:00",
          "touchpoint": ["shop", "desk", "shop", "shop"]}  # fmt: skip


def test_a_log_without_who_began_by_hand(tmp_path):
    """Authority: one of four interactions and one of two customers; nobody knows who began them."""
    found = cx.service_extent(study(tmp_path, EVENTS, PLACES)).set_index("measure")
    assert found["estimate"].to_dict() == {"interactions": 0.25, "customers": 0.5}
    assert found["n"].to_dict() == {"interactions": 4, "customers": 2}
    # Ratio 1/4; residuals 1 - 2/4 and 0 - 2/4: error sqrt(2 * .25 * 2 / 1) / 4.
    assert found.loc["interactions", "std_error"] == pytest.approx(0.25)


def test_what_a_study_does_not_hold_is_not_there(tmp_path):
    bare = study(tmp_path)
    assert cx.experience_map(bare) is None
    assert cx.service_extent(bare) is None
    without_log = study(tmp_path, None, PLACES)
    assert cx.experience_map(without_log)["is_service"].tolist() == [False, True]
    assert cx.service_extent(without_log) is None
    nothing = study(tmp_path, EVENTS, {**PLACES, "is_service": False})
    assert cx.service_extent(nothing) is None


def survey(folder, missing):
    rows = pd.DataFrame({"staff": [5, None, 3, None, 1] * 4, "desk": [None, None, 4, None, 2] * 4,
                         "room": [4, 4, 2, None, 5] * 4, "recommend": [9, 8, 3, 2, 6] * 4})  # fmt: skip
    rows.to_csv(folder / "rows.csv", index=False)
    (folder / "rows.toml").write_text(
        f'[frame]\nfile = "rows.csv"\n[experience]\ndrivers = ["staff", "desk", "room"]\nmissing = "{missing}"\n'
        '[experience.groups]\nservice = ["staff", "desk"]\nrooms = ["room"]\n'
    )
    return cx.read_study(folder / "rows.toml")


def test_in_a_frame_drivers_are_touchpoints_and_who_rated_one_met_it(tmp_path):
    """Authority: of five answers one rates nothing; three of the other four rate service, two of them the desk."""
    frame = survey(tmp_path, "not_met")
    places = cx.experience_map(frame)
    assert places["stage"].tolist() == ["service", "service", "rooms"]
    assert places["is_service"].tolist() == [True, True, False]
    found = cx.service_extent(frame).set_index(["term", "measure"])
    assert found["estimate"].to_dict() == {
        (SERVICE, "customers"): 0.75, ("staff", "customers_without"): 0.5, ("desk", "customers_without"): 0.75,
    }  # fmt: skip
    assert found["n"].unique().tolist() == [16]


def test_where_gaps_are_no_answers_nobody_knows_who_met_what(tmp_path):
    assert cx.service_extent(survey(tmp_path, "drop")) is None
