"""The comments of a study and their truth: against the tables read by hand, and the sentences looked for in pandas."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib.engine import collect, rows
from cxlib.respondents import sentences
from cxlib.spoken import simulated_themes, study_comments


@pytest.fixture(scope="module")
def example():
    return cx.read_study("example")


def test_every_comment_of_an_answer_comes_with_its_answer(example):
    found = study_comments(example).to_pandas("survey_id", "comment", "recommend").set_index("survey_id").sort_index()
    surveys = example.tables.surveys.to_pandas("survey_id", "comment", "recommend").dropna(subset="comment")
    expected = surveys.set_index("survey_id").sort_index()
    assert len(found) > 500 and found["comment"].equals(expected["comment"])
    assert found["recommend"].tolist() == expected["recommend"].tolist()


def test_the_group_and_the_day_are_those_asked_for(example):
    north = study_comments(example, only_column="region", only_value="North").to_pandas("region")
    assert set(north["region"]) == {"North"}
    early = study_comments(example, as_of="2025-06-01").to_pandas("answered_at")
    assert 0 < len(early) < rows(study_comments(example))
    assert early["answered_at"].max() < pd.Timestamp("2025-06-01")


def test_a_study_of_one_frame_names_its_column(tmp_path):
    (tmp_path / "rows.csv").write_text("stars,review\n5,good food\n1,rude staff\n")
    (tmp_path / "one.toml").write_text('title = "One frame"\n[frame]\nfile = "rows.csv"\n')
    study = cx.read_study(tmp_path / "one.toml")
    assert study_comments(study) is None
    assert study_comments(study, comment="review").to_pandas("review")["review"].tolist() == ["good food", "rude staff"]


def test_the_truth_is_in_the_sentences(example):
    """Authority: the sentences looked for one by one; service is what touchpoints.is_service says."""
    labels = simulated_themes(example.tables.surveys, example.tables.touchpoints)
    assert labels["comment"].is_unique
    places = collect(example.tables.touchpoints.frame.select("touchpoint", "is_service"))
    service = set(places.loc[places["is_service"].astype(bool), "touchpoint"])
    for row in labels.sample(100, random_state=0).to_dict("records"):
        held = [(theme, tone) for theme, tone, text in sentences() if text.lower() in row["comment"].lower()]
        themes = {"service" if theme in service else theme for theme, _ in held} - {"opening", "closing"}
        told = {name for name, value in row.items() if value is True}
        assert told == themes | {tone for _, tone in held if tone}


def test_agreement_on_the_example_is_what_a_reader_may_hope_for(example):
    """Known truth; an upper bound of what the lexicon does elsewhere, for the same hand wrote both."""
    labels = simulated_themes(example.tables.surveys, example.tables.touchpoints)
    found = cx.comment_agreement(labels, {name: name for name in ("service", "price", "delivery", "positive")})
    kappa = found[found["measure"] == "kappa"].set_index("term")["estimate"]
    assert kappa.drop("positive").gt(0.9).all() and kappa["positive"] > 0.6


def test_comments_of_others_hold_no_simulated_theme(example):
    labels = simulated_themes(pd.DataFrame({"comment": ["Very good soup", None]}), example.tables.touchpoints)
    assert len(labels) == 1 and not labels.drop(columns="comment").any(axis=None)
