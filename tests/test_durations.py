"""Durations: one table from every kind of frame, equal to counting rows, and every fault at once."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cxlib.durations import asked_times, at_risk, durations, in_groups, written_out
from cxlib.errors import CxError
from tests.followed import followed

FRAMES = {"pandas": lambda d: d, "polars": pl.from_pandas, "arrow": pa.Table.from_pandas, "duckdb": duckdb.from_df}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize(("by", "entry"), [(None, None), ("region", "seen_from")])
def test_every_kind_of_frame_gives_the_counts_of_its_rows(kind, by, entry):
    data = followed()
    table = durations(FRAMES[kind](data), "months", "left", by, entry)
    keys = ["months", "left", *filter(None, [by, entry])]
    counts = data.groupby(keys).size()
    ours = table.rename(columns={"time": "months", "event": "left", "group": by, "entry": entry}).astype({"left": bool})
    assert ours.set_index(keys)["n"].sort_index().tolist() == counts.sort_index().tolist()
    assert table["n"].sum() == len(written_out(table)) == 300
    assert entry or np.isneginf(table["entry"]).all()


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_end_is_none(blank):
    data = followed().assign(how=lambda d: d["how"].where(d["how"].notna(), blank))
    table = durations(data, "months", "how", words=True)
    assert set(table["event"].dropna()) == {"price", "service", "moved"}
    assert table.loc[table["event"].isna(), "n"].sum() == (~followed()["left"]).sum()


def test_groups_come_in_the_order_in_which_they_are_shown():
    data = followed().assign(service_band=np.resize(["good", "failed", "none"], 300))
    groups = in_groups(durations(data, "months", "left", by="service_band"), "service_band")
    assert [name for name, _ in groups] == ["none", "good", "failed"]
    assert [rows["n"].sum() for _, rows in groups] == [100, 100, 100]


@pytest.mark.parametrize("entry", [None, "seen_from"])
def test_customers_at_risk_equal_counting_them(entry):
    data, times = followed(), np.array([0.0, 1, 2, 2.5, 10, 99])
    counted = [((data["months"] >= t) & ((data[entry] < t) if entry else True)).sum() for t in times]
    assert at_risk(durations(data, "months", "left", entry=entry), times).tolist() == counted


def test_times_are_those_asked_for_sorted_or_those_at_which_somebody_left():
    data = followed()
    table = durations(data, "months", "left")
    assert asked_times([3, 1, 3], table, table["event"] == 1).tolist() == [1, 3]
    assert asked_times(None, table, table["event"] == 1).tolist() == sorted(set(data.loc[data["left"], "months"]))


def test_all_faults_are_told_at_once():
    data = followed().assign(left=2, region=None)
    data.loc[:4, "months"] = -1
    data.loc[5, "months"] = None
    with pytest.raises(CxError) as error:
        durations(data, "months", "left", by="region")
    assert [fault.split(" must ")[0] for fault in error.value.faults] == [
        "time 'months'", "time 'months'", "event 'left'", "column 'region'",
    ]  # fmt: skip
    with pytest.raises(CxError) as error:
        durations(data, "month", "lift", by="regoin")
    assert len(error.value.faults) == 3


def test_no_rows_are_refused():
    with pytest.raises(CxError, match="the frame must have rows, not 0"):
        durations(followed().head(0), "months", "left")


def test_a_stamp_is_no_duration():
    with pytest.raises(
        CxError, match="column 'months' must be a number of days or months, it is stamp; count it from the first day"
    ):
        durations(followed().assign(months=pd.Timestamp("2026-01-01")), "months", "left")
