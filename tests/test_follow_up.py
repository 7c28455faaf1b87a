"""Customers of a study after the landmark. Authority: the frame of the study, whose customers they must be."""

import pytest

import cxlib as cx
from cxlib.engine import collect, rows
from cxlib.study import ROOT

ONE = ("", "segment", "enterprise")


@pytest.fixture(scope="module")
def example():
    return cx.read_study("example")


@pytest.mark.parametrize("which", [(), ONE], ids=["all", "one segment"])
def test_all_are_about_the_customers_of_the_frame(example, which):
    frame = cx.study_frame(example, *which).to_pandas().set_index("customer_id").sort_index()
    followed = cx.study_followed(example, *which).to_pandas().set_index("customer_id").sort_index()
    assert (followed["left"] == frame["left"]).all()
    months = cx.study_by_month(example, *which).to_pandas()
    assert set(months["customer_id"]) == set(frame.index)
    assert sorted(months["month"].unique()) == [1, 2, 3]
    assert months["left"].sum() == frame["left"].sum()
    stated = cx.study_reasons(example, *which)[0].to_pandas().set_index("customer_id").sort_index()
    said = collect(example.tables.customers.frame.select("customer_id", "stated_reason"))
    truth = said.set_index("customer_id")["stated_reason"].loc[frame.index]
    assert (stated["stated_reason"].fillna("") == truth.fillna("")).all()


def test_rules_keep_the_reasons_stated_in_the_group(example):
    view, rules = cx.study_reasons(example, *ONE)
    there = set(view.to_pandas().query("left")["stated_reason"].dropna())
    assert all(set(part) <= there for rule in rules.values() for part in rule.values())
    assert list(rules) == ["strict", "middle", "broad"]
    assert rows(view) == rows(cx.study_frame(example, *ONE))


def test_a_frame_without_dates_or_reasons_has_none(tmp_path):
    (tmp_path / "rows.csv").write_text("gone,wait\nyes,long\nno,short\n")
    (tmp_path / "one.toml").write_text('title = "One frame"\n[frame]\nfile = "rows.csv"\n')
    study = cx.read_study(tmp_path / "one.toml")
    assert cx.study_followed(study) is None
    assert cx.study_by_month(study) is None
    assert cx.study_reasons(study) == (None, None)


def test_a_horizon_of_one_month_has_no_months(tmp_path):
    text = (ROOT / "data" / "studies" / "example.toml").read_text().replace("horizon_days = 90", "horizon_days = 45")
    (tmp_path / "short.toml").write_text(text.replace('"../example"', f'"{(ROOT / "data" / "example").as_posix()}"'))
    assert cx.study_by_month(cx.read_study(tmp_path / "short.toml")) is None
