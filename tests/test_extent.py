"""Which touchpoints there are and how much hangs on each. Authority: pandas on the example, and counts by hand."""

import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import cxlib as cx
from cxlib.errors import CxError


@pytest.fixture(scope="module")
def example():
    return cx.read_study("example")


@pytest.mark.parametrize("as_of", ["", "2026-01-01"])
@pytest.mark.parametrize("segment", ["", "enterprise"])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_reach_without_each_touchpoint_is_that_of_the_rows(example, as_of, segment, level):
    """Authority: pandas, and Wilson of statsmodels; all of them together are `interaction_scope`'s."""
    data = cx.study_history(example, as_of, "segment" * bool(segment), segment)
    rows = data.interactions.to_pandas().merge(data.touchpoints.to_pandas(), on="touchpoint")
    found, n = cx.reach_without(data, level).set_index("term"), rows["customer_id"].nunique()
    own = list(data.touchpoints.to_pandas().query("is_service")["touchpoint"])
    assert list(found.index) == own
    for place in own:
        hits = rows[rows["is_service"] & rows["touchpoint"].ne(place)]["customer_id"].nunique()
        limits = proportion_confint(hits, n, alpha=1 - level, method="wilson")
        assert found.loc[place, ["estimate", "n"]].tolist() == pytest.approx([hits / n, n])
        assert found.loc[place, ["lower", "upper"]].tolist() == pytest.approx(limits)
    reach = cx.interaction_scope(data).query("measure == 'reach'")["estimate"].item()
    assert found["estimate"].max() <= reach


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


PLACES = {"touchpoint": ["shop", "desk", "pages"], "is_service": [False, True, True]}
EVENTS = {"interaction_id": range(6), "customer_id": list("aabbcc"), "at": "2026-01-02 10:00:00",
          "touchpoint": ["shop", "desk", "pages", "desk", "shop", "nowhere"]}  # fmt: skip


def test_reach_by_hand(tmp_path):
    """Authority: a met the desk, b both, c neither: without the desk one of three is left, without the pages two."""
    found = cx.reach_without(study(tmp_path, EVENTS, PLACES).tables).set_index("term")
    assert found["estimate"].to_dict() == pytest.approx({"desk": 1 / 3, "pages": 2 / 3})
    assert found["n"].tolist() == [3, 3]


@pytest.mark.parametrize(
    ("interactions", "touchpoints", "fault"),
    [
        (EVENTS, None, "no table 'touchpoints': what is service is written there"),
        (None, PLACES, "no table 'interactions'"),
        (EVENTS, {**PLACES, "is_service": False}, "at least one must be service; none is"),
        ({**EVENTS, "touchpoint": "nowhere"}, PLACES, "at least one must be at a touchpoint of the table"),
    ],
)
def test_what_cannot_be_told_is_refused(tmp_path, interactions, touchpoints, fault):
    with pytest.raises(CxError, match=fault):
        cx.reach_without(study(tmp_path, interactions, touchpoints).tables)


def test_the_map_is_the_table_or_the_drivers_in_their_groups(tmp_path, example):
    assert cx.experience_map(study(tmp_path)) is None
    assert cx.experience_map(study(tmp_path, None, PLACES))["is_service"].tolist() == [False, True, True]
    there = example.tables.touchpoints.to_pandas()
    assert cx.experience_map(example)["touchpoint"].tolist() == there["touchpoint"].tolist()
    pd.DataFrame({"staff": [5, 3], "desk": [4, 3], "room": [4, 4], "sky": 1, "recommend": [9, 8]}).to_csv(
        tmp_path / "rows.csv", index=False
    )
    words = '[frame]\nfile = "rows.csv"\n'
    drivers = '[experience]\ndrivers = ["staff", "desk", "room", "sky"]\n[experience.groups]\nservice = ["staff", "desk"]\nrooms = ["room"]\n'  # noqa: E501
    (tmp_path / "rows.toml").write_text(words + drivers)
    places = cx.experience_map(cx.read_study(tmp_path / "rows.toml"))
    assert places["stage"].fillna("").tolist() == ["service", "service", "rooms", ""]
    assert places["is_service"].tolist() == [True, True, False, False]
    (tmp_path / "rows.toml").write_text(words)
    assert cx.experience_map(cx.read_study(tmp_path / "rows.toml")) is None
