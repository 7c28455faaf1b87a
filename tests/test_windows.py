"""Customers followed after a landmark: the landmark frames of every window, and days counted by hand."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from cxlib.data import load
from cxlib.errors import CxError
from cxlib.frame import landmark
from cxlib.simulation import simulate
from cxlib.windows import follow_landmark, stack_landmarks

DAY = "2026-01-01"


@cache
def example():
    tables, _ = simulate(customers=600, months=12, seed=5)
    return tables, load(tables)


def test_everybody_is_followed_to_the_end_or_to_the_horizon():
    raw, tables = example()
    found = follow_landmark(tables, DAY, 180, 120).to_pandas().set_index("customer_id")
    frame = landmark(tables, DAY, 180, 120).to_pandas().set_index("customer_id")
    pd.testing.assert_frame_equal(found[frame.columns].sort_index(), frame.sort_index())
    people = raw["customers"].set_index("customer_id").loc[found.index]
    after = (pd.to_datetime(people["end_date"]) - pd.Timestamp(DAY)).dt.days
    ended = after <= 120
    assert found["days_followed"].equals(
        after.where(ended, 120).astype(found["days_followed"].dtype).rename("days_followed")
    )
    assert found["ended"].fillna("").equals(people["end_kind"].where(ended).fillna("").rename("ended"))
    since = (pd.Timestamp(DAY) - pd.to_datetime(people["signup_date"])).dt.days
    assert (found["tenure_at_end"] == since + found["days_followed"]).all()
    assert ended.sum() > 20 and set(found["ended"].dropna()) == {"voluntary", "involuntary"}


def test_updated_windows_are_the_landmark_frames_of_their_days():
    _, tables = example()
    found = stack_landmarks(tables, DAY, 3, 180).to_pandas()
    for month, day in enumerate(("2026-01-01", "2026-01-31", "2026-03-02"), start=1):
        part = found[found["window"] == day]
        assert (part["month"] == month).all()
        frame = landmark(tables, day, 180, 30).to_pandas().sort_values("customer_id", ignore_index=True)
        part = part[frame.columns].sort_values("customer_id", ignore_index=True)
        pd.testing.assert_frame_equal(part, frame, check_dtype=False)
    assert found["window"].nunique() == 3


def test_held_windows_keep_the_first_day_and_lose_only_who_left():
    _, tables = example()
    found = stack_landmarks(tables, DAY, 4, 180, exposures="held").to_pandas()
    first = landmark(tables, DAY, 180, 30).to_pandas().set_index("customer_id")
    about = [name for name in first if name not in ("left", "involuntary")]
    later = found.set_index("customer_id")
    pd.testing.assert_frame_equal(later[about], first.loc[later.index, about], check_dtype=False)
    whole = landmark(tables, DAY, 180, 120).to_pandas().set_index("customer_id")
    months = found.groupby("customer_id").agg(
        rows=("month", "size"), left=("left", "sum"), other=("involuntary", "sum")
    )
    assert months["left"].equals(whole.loc[months.index, "left"].astype(months["left"].dtype))
    assert months["other"].equals(whole.loc[months.index, "involuntary"].astype(months["other"].dtype).rename("other"))
    # Whoever did not leave of their own will has all four rows, an involuntary end included.
    assert (months.loc[months["left"] == 0, "rows"] == 4).all() and months["other"].sum() > 0
    last = found.sort_values("month").groupby("customer_id").tail(1).set_index("customer_id")
    assert last.loc[months.index[months["left"] == 1], "left"].all()


@pytest.mark.parametrize("exposures", ["updated", "held"])
def test_a_window_begins_where_the_last_one_ends(exposures):
    """Ends on the 30th day belong to the first window, on the 31st to the second."""
    people = pd.DataFrame({"customer_id": list("abcd"), "signup_date": pd.Timestamp("2025-01-01"),
                           "end_date": pd.to_datetime(["2026-01-31", "2026-02-01", None, "2026-01-31"]),
                           "end_kind": ["voluntary", "voluntary", None, "involuntary"]})  # fmt: skip
    late = pd.DataFrame({"ticket_id": ["t"], "customer_id": ["c"], "opened_at": [pd.Timestamp("2026-06-01")]})
    tables = load({"customers": people, "tickets": late})
    found = stack_landmarks(tables, DAY, 2, 180, exposures=exposures).to_pandas()
    rows = {(who, month): left for who, month, left in found[["customer_id", "month", "left"]].itertuples(index=False)}
    wanted = {("a", 1): True, ("b", 1): False, ("b", 2): True, ("c", 1): False, ("c", 2): False, ("d", 1): False}
    assert rows == wanted | ({("d", 2): False} if exposures == "held" else {})


def test_windows_enter_a_model_as_factors_and_months_as_numbers():
    _, tables = example()
    seen = stack_landmarks(tables, DAY, 2, 180)
    assert (seen.kind["window"], seen.kind["month"]) == ("factor", "number")
    assert np.issubdtype(seen.to_pandas("month")["month"].dtype, np.integer)


def test_latest_ends_with_the_data():
    _, tables = example()
    found = stack_landmarks(tables, "latest", 3, 180, exposures="held").to_pandas("window")["window"]
    assert found.min() == (tables.last_day - pd.Timedelta(days=90)).isoformat()[:10]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [({"months": 0}, "months must be a whole number from 1 to 120, not 0"),
     ({"months": 2.5}, "months must be a whole number from 1 to 120, not 2.5"),
     ({"months": 12}, "as_of + horizon must not lie beyond the last day of the data; 2026-01-01 + 360 days"),
     ({"as_of": "2031-01-01"}, "must not lie beyond the last day of the data"),
     ({"exposures": "hold"}, "no exposures 'hold'; did you mean 'held'?"),
     ({"as_of": "soon"}, "must be an ISO day")],
)  # fmt: skip
def test_faults_are_told_in_a_line(arguments, told):
    with pytest.raises(CxError) as error:
        stack_landmarks(**({"tables": example()[1], "as_of": DAY, "months": 3, "lookback_days": 180} | arguments))
    assert told in str(error.value) and "\n" not in str(error.value)
