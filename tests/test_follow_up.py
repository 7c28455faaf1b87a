"""Customers of a study after the landmark. Authority: the frame of the study, whose customers they must be."""

import pandas as pd
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


@pytest.mark.parametrize("which", [(), ONE], ids=["all", "one segment"])
def test_what_customers_said_last_stands_beside_what_happened(example, which):
    """Authority: pandas on the tables; the score is that of the landmark frame."""
    frame = cx.study_frame(example, *which).to_pandas().set_index("customer_id").sort_index()
    said = cx.study_scores(example, *which).to_pandas().set_index("customer_id").sort_index()
    assert (said.index == frame.index).all() and said.index.is_unique
    same = [name for name in frame.columns if name != "nps_class"]
    pd.testing.assert_frame_equal(said[same], frame[same], check_dtype=False)
    day, before = pd.Timestamp("2026-04-01"), pd.Timedelta(days=180)
    answers = cx.study_answers(example).to_pandas()
    answers = answers[answers["answered_at"].between(day - before, day, inclusive="left")]
    last = answers.sort_values(["answered_at", "survey_id"]).groupby("customer_id").tail(1).set_index("customer_id")
    for name in ("satisfaction", "effort", "contact_support", "price"):
        expected = last[name].reindex(said.index)
        assert (said[name].isna() == expected.isna()).all()
        assert (said[name].dropna() == expected.dropna()).all()


def test_scores_of_a_frame_are_the_frame_and_need_both_parts(tmp_path):
    rows = pd.DataFrame({"gone": ["yes", "no"] * 20, "wait": ["long", "short"] * 20, "recommend": range(1, 41)})
    rows.assign(recommend=rows["recommend"] % 11).to_csv(tmp_path / "rows.csv", index=False)
    attrition = '[attrition]\noutcome = "gone"\nleft_value = "yes"\n[attrition.causes.wait.wait]\nlong = "short"\n'
    for name, parts in (("both", attrition + '[experience]\ndrivers = ["wait"]\n'), ("one", attrition)):
        (tmp_path / f"{name}.toml").write_text('[frame]\nfile = "rows.csv"\n' + parts)
    assert len(cx.study_scores(cx.read_study(tmp_path / "both.toml")).to_pandas()) == 40
    assert cx.study_scores(cx.read_study(tmp_path / "one.toml")) is None


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
