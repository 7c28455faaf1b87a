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


LABELLED = """
title = "Reviews"
[frame]
file = "rows.csv"
[comments]
column = "review"
themes = "own.toml"
labels = {food = "on_food"}
"""


@pytest.fixture
def reviews(tmp_path):
    """A study of one frame that names its comments, a theme file of its own and one label."""
    (tmp_path / "rows.csv").write_text("review,on_food\ngood soup,1\nrude staff,0\nlovely soup and staff,1\n")
    (tmp_path / "own.toml").write_text('[themes]\nfood = ["soup"]\nservice = ["staff"]\n')
    (tmp_path / "reviews.toml").write_text(LABELLED)
    return tmp_path / "reviews.toml"


def test_a_study_may_name_its_comments_themes_and_labels(reviews):
    """By hand: two of three comments name the soup, two the staff, and the label agrees."""
    study = cx.read_study(reviews)
    said = study_comments(study)
    assert said.to_pandas("comment")["comment"].tolist() == said.to_pandas("review")["review"].tolist()
    themes = cx.comment_themes(said, lexicon=study.comments.themes)
    shares = themes[themes["measure"] == "share"].set_index("term")["estimate"]
    assert shares[["food", "service"]].tolist() == pytest.approx([2 / 3, 2 / 3])
    frame, labels = cx.comment_labels(study, said)
    assert labels == {"food": "on_food"}
    found = cx.comment_agreement(frame, labels, lexicon=study.comments.themes).set_index("measure")["estimate"]
    assert found["precision"] == found["recall"] == 1


def test_labels_of_simulated_comments_are_what_they_were_made_of(example):
    frame, labels = cx.comment_labels(example, study_comments(example))
    assert {"service", "price", "positive", "negative"} <= set(labels)
    assert "opening" not in labels
    assert labels.keys() == set(labels.values()) <= set(frame)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('column = "review"', 'column = "reviw"', "comments.column: no column 'reviw'; did you mean 'review'"),
        ('"on_food"', '"on_fod"', "comments.labels.food: no column 'on_fod'; did you mean 'on_food'"),
        ('themes = "own', 'themes = "owm', "comments.themes: no file 'owm.toml'; did you mean 'own.toml'"),
        ("labels =", "label =", "no key 'label'; did you mean 'labels'"),
    ],
)
def test_what_the_words_on_comments_get_wrong_is_named(reviews, old, new, fault):
    reviews.write_text(LABELLED.replace(old, new))
    with pytest.raises(cx.CxError) as caught:
        cx.read_study(reviews)
    assert any(fault in told for told in caught.value.faults), caught.value.faults


def test_without_labels_or_comments_there_is_nothing_to_compare(reviews, example):
    reviews.write_text(LABELLED.replace('labels = {food = "on_food"}', ""))
    study = cx.read_study(reviews)
    assert cx.comment_labels(study, study_comments(study)) is None
    assert cx.comment_labels(example, None) is None


@pytest.mark.real_data("skytrax_lounge.csv")
def test_reviews_of_lounges_feed_the_comments(real_data, monkeypatch):
    """Authority: the rows by pandas; that a word list and a recommendation agree above chance."""
    monkeypatch.setenv("CX_REAL_DATA", str(real_data))
    study = cx.read_study("skytrax_lounge")
    said = study_comments(study)
    raw = pd.read_csv(real_data / "skytrax_lounge.csv")
    assert rows(said) == len(raw)
    themes = cx.comment_themes(said)
    share = themes[(themes["term"] == "service") & (themes["measure"] == "share")].iloc[0]
    assert share["lower"] > 0.5  # of lounges, most reviews do speak of service
    kappa = cx.comment_agreement(*cx.comment_labels(study, said)).set_index("measure").loc["kappa"]
    assert kappa["lower"] > 0.3
    assert study.privacy.show_comments is False
