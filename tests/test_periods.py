"""Periods of a local clock: pandas' own periods and zones, and what is refused."""

import duckdb
import pandas as pd
import polars as pl
import pytest

from cxlib.errors import CxError
from cxlib.periods import instant, period

STAMPS = pd.to_datetime([
    "2026-01-01 00:00", "2026-03-29 00:59", "2026-03-29 01:00", "2026-03-31 22:30", "2026-10-25 00:30",
    "2026-12-31 23:30", "2024-12-30 12:00", "2026-07-05 22:00", None,
])  # fmt: skip
FREQUENCY = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q"}


@pytest.mark.parametrize("every", FREQUENCY)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "turn", [lambda d: d, pl.from_pandas, lambda d: duckdb.from_arrow(pl.from_pandas(d).to_arrow())]
)
def test_periods_are_those_of_pandas_on_the_local_clock(every, zone, turn):
    found = period(turn(pd.DataFrame({"at": STAMPS})), "at", every, zone).to_pandas("period")["period"]
    local = STAMPS.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    expected = local.to_period(FREQUENCY[every]).start_time.strftime("%Y-%m-%d")
    assert found.iloc[:-1].tolist() == expected.tolist()[:-1]
    assert pd.isna(found.iloc[-1])


def test_days_have_no_clock():
    days = pd.DataFrame({"at": pd.Series(pd.to_datetime(["2026-01-01"]).date)})
    assert period(days, "at", timezone="America/New_York").to_pandas("period")["period"].tolist() == ["2026-01-01"]


def test_a_column_of_that_name_is_replaced():
    data = pd.DataFrame({"at": STAMPS[:1], "period": "x"})
    assert period(data, "at").to_pandas("period")["period"].tolist() == ["2026-01-01"]


@pytest.mark.parametrize(
    ("options", "faults"),
    [
        ({"column": "opened"}, ["frame: no column 'opened'; There are: 'at', 'n'"]),
        ({"column": "n", "every": "moth", "timezone": "Europe/Berln"},
         ["column 'n' must hold stamps, it holds numbers, such as '1'; read it with pandas.to_datetime, or load the "
          "file with cx.load or a study",
          "no period 'moth'; did you mean 'month'? There are: 'day', 'week', 'month', 'quarter'",
          "timezone must be a name such as 'Europe/Berlin', not 'Europe/Berln'; did you mean 'Europe/Berlin'?"]),
        ({"column": "at", "timezone": "UTC'); DROP TABLE x; --"},
         ["timezone must be a name such as 'Europe/Berlin', not 'UTC'); DROP TABLE x; --'"]),
    ],
)  # fmt: skip
def test_what_is_no_period_is_refused(options, faults):
    with pytest.raises(CxError) as refused:
        period(pd.DataFrame({"at": STAMPS[:1], "n": 1}), **options)
    assert list(refused.value.faults) == faults


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-03-01", "2026-03-01 00:00"), ("2026-03-01T12:30", "2026-03-01 12:30"),
        ("2026-03-01T12:30+02:00", "2026-03-01 10:30"), (pd.Timestamp("2026-03-01", tz="UTC"), "2026-03-01 00:00"),
        (pd.Timestamp("2026-03-01").date(), "2026-03-01 00:00"), ("", None), (None, None),
    ],
)  # fmt: skip
def test_instants(given, expected):
    assert instant(given, "as_of") == (pd.Timestamp(expected) if expected else None)
