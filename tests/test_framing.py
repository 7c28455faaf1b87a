"""What a notebook says around its results, and the one output that carries its answer."""

import json

import pandas as pd
import pytest

import cxlib as cx
from cxlib import framing, text, wording
from cxlib.answercell import MIME, Answer
from cxlib.engine import view
from cxlib.schema import results
from tests import shown
from tests.shown import row

FRAME = """
title = "Twenty rows"
[frame]
file = "rows.csv"
[experience]
drivers = ["staff"]
"""


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


@pytest.fixture(scope="module")
def study():
    return cx.read_study("example")


@pytest.fixture
def frame_study(tmp_path):
    """A study of one frame, with a survey and without attrition."""
    rows = pd.DataFrame({"recommend": range(11), "staff": [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 5]})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "rows.toml").write_text(FRAME)
    return cx.read_study(tmp_path / "rows.toml")


@pytest.fixture
def displayed(monkeypatch):
    """Everything that is displayed."""
    seen = []
    monkeypatch.setattr("IPython.display.display", lambda thing, **options: seen.append((thing, options)))
    return seen


def test_a_part_the_study_has_is_handed_over_in_silence(study, displayed):
    assert framing.part(study, "attrition") is study.attrition
    assert displayed == []


def test_a_part_the_study_lacks_is_none_and_says_so(frame_study, displayed):
    assert framing.part(frame_study, "attrition") is None
    [(told, _)] = displayed
    assert told.startswith("This study has no [attrition]")
    assert told.endswith("What would need it is left out below.")
    assert "\\[attrition\\]" in told._repr_markdown_()


def test_the_period_is_told_from_the_landmark(study):
    assert framing.about(study) == (
        "Study: Bundled example, simulated. Customers are looked at on 2026-04-01: what happened to them in "
        "the 180 days "
        "before, and whether they left of their own accord in the 90 after."
    )
    assert framing.about(study, "2025-12-31").count("2025-12-31") == 1
    assert framing.at_risk(study) == "customers at risk on 2026-04-01, followed for 90 days"
    assert framing.at_risk(study, "", "sales_region", "North").startswith(
        "customers with sales region North at risk on"
    )


def test_a_frame_has_no_period_and_says_so(frame_study):
    assert framing.about(frame_study) == (
        "Study: Twenty rows. Each row of its frame counts once; the frame holds no dates."
    )
    assert framing.at_risk(frame_study) == "customers"
    assert framing.answered(cx.study_answers(frame_study)) == "answers"
    assert framing.about_answers(frame_study, "answers") == (
        "Study: Twenty rows. What counts: answers; the frame holds no dates."
    )


def test_answers_are_told_from_the_first_to_the_last(study):
    frame = cx.study_answers(study)
    days = frame.to_pandas()["answered_at"]
    assert framing.answered(frame, "plan", "basic") == (
        f"answers with plan basic given from {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"
    )


def test_failures_and_confounders_are_named(study):
    assert framing.model(study.attrition) == (
        "What counts as a failure of service: service contact failed, against good; of price: price raised or raised a "
        "lot, against same. Confounders that are held alike: product faults, price against the market, tenure, segment "
        "and plan."
    )
    assert framing.model(None) is None


def test_two_results_stand_beside_each_other():
    both = framing.beside(shown.naive(), shown.fractions())
    assert list(both.columns) == ["model", *shown.naive().columns]
    assert list(both["model"].unique()) == ["naive", "adjusted"]
    assert framing.beside(None, shown.fractions()) is None
    assert framing.beside(shown.naive(), False) is None


def test_the_answer_is_one_output_of_the_agreed_form(displayed):
    groups = shown.nps({"a": 50, "few": 4, "c": 40, "d": 9})
    framing.answer("03-x", {"study": "example", "seed": 0}, "NPS *is* 12.", shown.nps(), None, False, groups)
    [(data, options)] = displayed
    assert options == {"raw": True}
    assert data["text/markdown"] == r"**NPS \*is\* 12.**"
    content = json.loads(json.dumps(data[MIME], allow_nan=False))
    assert Answer.model_validate(content).sentence == "NPS *is* 12."
    assert content["schema"] == 1
    assert (content["notebook"], content["parameters"]) == ("03-x", {"study": "example", "seed": 0})
    assert [answer["by"] for answer in content["answers"]] == [{}, {"segment": "a"}, {"segment": "c"}]
    assert content["answers"][0] == {
        "name": "nps", "by": {}, "term": "nps", "measure": "nps", "estimate": 25.03, "std_error": None, "lower": 23.02,
        "upper": 27.05, "level": 0.95, "n": 5425, "unit": "points", "method": "by hand", "note": "",
    }  # fmt: skip


def test_names_in_the_answer_are_term_and_measure(displayed):
    framing.answer("02-x", {}, "So.", shown.fractions())
    names = [answer["name"] for answer in displayed[0][0][MIME]["answers"]]
    assert names[:2] == ["service.fraction", "service.average_fraction"]
    assert names[-1] == "joint.fraction"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_null(displayed, value):
    framing.answer("x", {}, "So.", results([row("a", "b", 0.5, lower=value, std_error=value)]))
    [answer] = displayed[0][0][MIME]["answers"]
    assert answer["lower"] is None
    assert answer["std_error"] is None


def test_provenance_names_study_files_parameters_and_methods(study):
    html = framing.provenance(study, {"study": "example", "as_of": ""}, shown.nps(), None, False).as_raw_html()
    for told in (
        "Bundled example, simulated",
        "example.toml",
        "customers.parquet",
        "study = example",
        "by hand",
        "duckdb",
    ):
        assert told in html
    assert "as_of" not in html
    assert str(study.path.parent) not in html


def test_the_notebooks_find_all_of_it_in_text():
    assert {"about", "answer", "answered", "at_risk", "beside", "model", "part", "provenance"} <= set(text.__all__)


def test_what_is_a_low_and_a_high_rating(frame_study, tmp_path, capsys):
    study = frame_study
    part, frame = study.experience, cx.study_answers(study)
    assert text.rating_ends(frame, part) == (2, 5)
    assert text.rating_ends(frame, part.model_copy(update={"low_high": [6, 9]})) == (6, 9)
    assert text.rating_ends(None, None) is None
    tens = pd.DataFrame({"recommend": range(11), "staff": range(11)})
    assert text.rating_ends(view(tens), part) is None
    assert (
        "Ratings go up to 10, so the study must say which are low and which are high: low_high"
        in capsys.readouterr().out
    )


def test_what_a_study_lacks_for_one_thing(study, frame_study):
    assert text.without(study, "attrition", "tickets", "satisfaction") is None
    assert text.without(frame_study, "experience", "satisfaction", "attrition") == (
        "Left out: this study names no satisfaction in [experience]: CSAT cannot be set beside NPS."
    )
