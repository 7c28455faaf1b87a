"""What the data do not hold. Authority: counts by pandas and by hand."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError


@pytest.fixture(scope="module")
def tables():
    return cx.load("data/example")


def test_empty_cells_are_those_pandas_counts(tables):
    found = cx.missing_values(tables).set_index(["table", "term"])
    for name, seen in tables.present.items():
        frame = seen.to_pandas()
        for column, share in frame.isna().mean().items():
            row = found.loc[(name, column)]
            assert (row["estimate"], row["n"]) == (pytest.approx(share), len(frame))
            assert row["lower"] <= row["estimate"] + 1e-12 <= row["upper"] + 1e-9


def test_a_frame_is_a_table_of_its_own_name():
    found = cx.missing_values(pd.DataFrame({"a": [1.0, None, None, 4.0], "b": list("wxyz")}))
    assert found[["table", "term", "estimate", "n"]].to_numpy().tolist() == [
        ["frame", "a", 0.5, 4],
        ["frame", "b", 0, 4],
    ]


def test_months_without_rows_are_told_with_nought():
    """By hand: nothing was loaded in February, and interactions hold their stamp in `at`, a word of SQL."""
    people = {"customer_id": ["1"], "signup_date": ["2025-01-01"], "end_date": [None]}
    stamps = ["2026-01-05", "2026-01-31", "2026-03-01"]
    rows = {"interaction_id": list("abc"), "customer_id": "1", "at": pd.to_datetime(stamps), "touchpoint": "app"}
    found = cx.rows_by_period(cx.load({"customers": pd.DataFrame(people), "interactions": pd.DataFrame(rows)}))
    assert found[["period", "estimate", "note"]].to_numpy().tolist() == [
        ["2026-01-01", 2, ""], ["2026-02-01", 0, "no rows"], ["2026-03-01", 1, ""],
    ]  # fmt: skip


def test_rows_of_each_table_are_those_pandas_counts(tables):
    found = cx.rows_by_period(tables, "quarter")
    for name, stamp in (("surveys", "sent_at"), ("tickets", "opened_at"), ("interactions", "at")):
        counts = tables.present[name].to_pandas(stamp)[stamp].dt.to_period("Q").value_counts().sort_index()
        assert found.loc[found["table"] == name, "estimate"].tolist() == counts.tolist()


def test_an_unknown_period_is_refused(tables):
    with pytest.raises(CxError, match="no period 'moth'; did you mean 'month'\\?"):
        cx.rows_by_period(tables, "moth")


def test_of_a_frame_the_columns_a_study_names_count_and_its_drivers_are_its_touchpoints(tmp_path):
    """By hand: half of the answers have no rating of the room; the comment is nobody's driver."""
    pd.DataFrame({"recommend": [9, 3] * 20, "staff": 4, "room": [5, None] * 20, "comment": None}).to_csv(
        tmp_path / "r.csv", index=False
    )
    (tmp_path / "own.toml").write_text('[frame]\nfile = "r.csv"\n[experience]\ndrivers = ["staff", "room"]')
    study = cx.read_study(tmp_path / "own.toml")
    found = cx.missing_values(study).set_index("term")["estimate"]
    assert found.to_dict() == {"recommend": 0, "staff": 0, "room": 0.5}
    gaps = cx.touchpoint_gaps(study)
    assert gaps[["touchpoint", "estimate", "n"]].to_numpy().tolist() == [["room", 0.5, 40], ["staff", 0, 40]]
    assert set(gaps["measure"]) == {"not_rated"}


def test_a_study_of_tables_is_its_tables(tables):
    study = cx.read_study("example")
    pd.testing.assert_frame_equal(cx.missing_values(study), cx.missing_values(study.tables))
    pd.testing.assert_frame_equal(cx.touchpoint_gaps(study), cx.touchpoint_gaps(study.tables))


def test_a_frame_without_drivers_has_no_touchpoints(tmp_path):
    (tmp_path / "r.csv").write_text("recommend,staff\n9,4\n3,5\n")
    (tmp_path / "own.toml").write_text('[frame]\nfile = "r.csv"')
    told = r"^experience\.drivers must name the columns of ratings, it names none; add them$"
    with pytest.raises(CxError, match=told):
        cx.touchpoint_gaps(cx.read_study(tmp_path / "own.toml"))
