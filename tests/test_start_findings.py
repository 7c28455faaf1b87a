"""The first page in words. Authority: handmade results, and what the studies hold."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib import text, wording
from cxlib.sampling import EVERYONE, repeated_samples
from cxlib.schema import results
from cxlib.start_findings import REST, SERVICE
from tests.shown import row


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


def extent(n=4000):
    return results([
        row(SERVICE, "share", 0.25, 0.24, 0.26, n=30_000), row(SERVICE, "reach", 0.7, 0.68, 0.72, n=n),
        row(SERVICE, "proactive", 0.06, 0.05, 0.07, n=9000), row(REST, "proactive", 0.7, 0.69, 0.71, n=21_000),
    ])  # fmt: skip


def left(n=4000):
    return results(
        [row("desk", "reach_without", 0.3, 0.28, 0.32, n=n), row("pages", "reach_without", 0.6, 0.58, 0.62, n=n)]
    )


def places(departments=("a", "b", "b")):
    return pd.DataFrame({"touchpoint": ["shop", "desk", "pages"], "stage": ["buy", "support", "support"],
                         "department": departments, "is_service": [False, True, True]})  # fmt: skip


def cells(table):
    return table._tbl_data.set_index(table._tbl_data.columns[0])


def nps(value=23.0, n=900):
    return results([row("nps", "nps", value, value - 3, value + 3, n=n, unit="points")])


def test_the_distinction_has_the_figures_of_the_study():
    told = cells(text.distinction(extent(), places(), nps(), None))
    assert list(told.index) == ["scope", "focus", "nature", "impact", "responsibility", "measures", "goal"]
    assert told.loc["scope"].tolist() == ["3 touchpoints in 2 stages", "2 touchpoints in 1 stage"]
    assert told.loc["nature", "the experience"].endswith("the company starts 70% of all other interactions")
    assert told.loc["nature", "service, a part of it"].endswith("the company starts 6% of these interactions")
    assert told.loc["impact"].tolist() == [
        "everybody: 4,000 customers here", "those who met it: 70% (95% interval 68% to 72%) of them",
    ]  # fmt: skip
    assert told.loc["responsibility"].tolist() == ["2 departments: a and b", "1 department: b"]
    assert told.loc["measures", "the experience"].startswith("NPS (23 points here)")
    assert told.loc["measures", "service, a part of it"].startswith("CSAT, ")


@pytest.mark.parametrize("given", [(None, None, None, None), (extent(3), None, nps(n=3), None)])
def test_without_figures_the_distinction_is_told_in_words(given):
    told = cells(text.distinction(*given))
    assert told.loc["impact"].tolist() == ["everybody, those who never ask too", "those who ask"]
    assert told.loc["scope", "service, a part of it"] == "those at which customers seek or get help"
    assert "here" not in " ".join(told.loc["measures"])


def test_many_departments_are_named_in_part():
    many = pd.DataFrame(
        {"touchpoint": list("abcdef"), "stage": None, "department": list("uvwxyz"), "is_service": False}
    )
    told = cells(text.distinction(None, many, None, None))
    assert told.loc["responsibility"].tolist() == ["6 departments: u, v, w and others", "nobody"]


def test_how_much_is_service_in_a_sentence():
    assert text.service_extent(extent(), places()) == (
        "Service is 2 of 3 touchpoints and 25% (95% interval 24% to 26%) of the 30,000 interactions; it was met by 70% "
        "(68% to 72%) of the 4,000 customers. How much a part weighs is another question than how large it is."
    )
    assert text.service_extent(None, places()).startswith("Service is 2 of 3 touchpoints. How much")
    assert "customers" not in text.service_extent(extent(n=5), places())
    assert text.service_extent(extent(), None) is None


def test_what_counts_as_service_is_a_choice():
    assert text.without_touchpoint(left()).endswith(
        "would have been met by 30% (95% interval 28% to 32%) without desk and 60% (58% to 62%) without pages."
    )
    assert text.without_touchpoint(left(n=5)).startswith("Not shown: too few")
    assert text.without_touchpoint(None) is None


@pytest.mark.parametrize(("samples", "seed"), [(100, 0), (40, 2)])
def test_intervals_that_hold_are_counted(samples, seed):
    drawn = repeated_samples(samples=samples, seed=seed)
    held = drawn["note"].eq("holds it").sum()
    told = text.repeated_samples(drawn, "all of us")
    assert f"of 100 answers drawn from all of us, whose NPS is 30 points. Of {samples} intervals {held} hold" in told
    assert f"and {samples - held} miss" in told and "in the long run 95% hold it" in told
    assert drawn.loc[drawn["sample"] == EVERYONE, "estimate"].item() == pytest.approx(30)


def test_each_notebook_is_listed_with_what_the_study_feeds(tmp_path):
    example = cx.read_study("example")
    told = cells(text.notebooks(example))
    assert "00-start-here" not in told.index
    assert {"01-scorecard", "02-attrition-service-vs-price", "03-experience-and-nps", "06-data-health"} <= set(
        told.index
    )
    assert told.loc["01-scorecard", "question"].endswith("?")
    pd.DataFrame({"x": [1, 2]}).to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "rows.toml").write_text('[frame]\nfile = "rows.csv"\n')
    poor = cells(text.notebooks(cx.read_study(tmp_path / "rows.toml")))
    assert poor.loc["02-attrition-service-vs-price", "runs here"] == "no"
    assert told.loc["03-experience-and-nps", "runs here"] == "yes"


def test_the_answer_and_what_is_missing(tmp_path):
    example = cx.read_study("example")
    parts = cx.describe_study(example)
    there = parts["feeds"].eq("yes")
    assert there.all() == (text.missing_parts(example) is None)
    said = text.start_answer(example, extent(), places())
    assert said.startswith("Service is 2 of 3 touchpoints of this study, met by 70% (95% interval 68% to 72%) of its")
    assert said.endswith("; n = 4,000 customers.")
    (tmp_path / "rows.csv").write_text("x\n1\n")
    (tmp_path / "rows.toml").write_text('[frame]\nfile = "rows.csv"\n')
    poor = cx.read_study(tmp_path / "rows.toml")
    assert text.fed(poor) == f"This study feeds 0 of {len(parts)} parts of the notebooks."
    assert len(cells(text.missing_parts(poor))) == len(parts)
    assert text.start_answer(poor, None, None).startswith("This study names no touchpoints, so what is service")
    assert text.start_answer(poor, None, places()).startswith("Service is 2 of 3 touchpoints of this study, and the")
