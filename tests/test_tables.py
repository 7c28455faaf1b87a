"""Report tables, read back from their HTML. Authority: pandas on the same rows, statsmodels' Wilson interval."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from statsmodels.stats.proportion import proportion_confint

import cxlib as cx
from cxlib import tables, wording
from cxlib.layout import steps_told, told_apart
from cxlib.schema import results
from cxlib.wording import people
from tests import shown
from tests.shown import row


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


@pytest.fixture(scope="module")
def study():
    return cx.read_study("example")


@pytest.fixture(scope="module")
def fit(study):
    part = study.attrition
    return cx.fit_attrition(cx.study_frame(study), part.outcome, part.causes, (), replicates=0)


def read(table):
    """Title, header, rows and note of a table."""
    soup = BeautifulSoup(table.as_raw_html(), "html.parser")
    text = lambda cell: cell.get_text(strip=True).replace("\N{NO-BREAK SPACE}", " ")  # noqa: E731
    rows = [[text(cell) for cell in line.find_all("td")] for line in soup.select("tbody tr")]
    note = soup.select_one("tfoot")
    title = soup.select_one(".gt_title").get_text(strip=True)
    return title, [text(cell) for cell in soup.select(".gt_col_heading")], rows, text(note) if note else ""


def test_a_result_has_a_row_for_each_measure_and_a_column_for_each_term():
    title, header, rows, note = read(tables.table(shown.fractions(), "Shares"))
    assert (title, header) == ("Shares", ["", "service", "price", "all of them"])
    assert rows == [
        ["removed alone", "29% (20% to 37%)", "18% (−2% to 24%)", "45% (36% to 54%)"],
        ["on average", "28% (19% to 36%)", "17% (−3% to 23%)", ""],
    ]
    assert note == "In brackets: 95% intervals."


def test_groups_go_down_with_their_sizes_and_small_ones_are_hidden():
    _, header, rows, _ = read(tables.table(shown.nps({"a_b": 50, "few": 4, "c": 40, "d": 9}), "NPS", down="segment"))
    assert header == ["segment", "n", "NPS"]
    assert rows == [
        ["a b", "50", "0 (−4 to 4)"],
        ["few", "–", "too few"],
        ["c", "40", "20 (16 to 24)"],
        ["d", "–", "too few"],
    ]


def test_alarms_are_no_estimates():
    both = results([row("service", "e_value", 4.5, unit="risk ratio"), row("x", "alarm", 0.9, note="look out")])
    assert read(tables.table(both, "Checks"))[2] == [["E-value", "4.5"]]


def test_markup_from_the_data_stays_text():
    nasty = results([row("nps", "nps", 1.0, 0, 2, unit="points", g="<script>x</script>")], by=["g"])
    assert "<script>" not in tables.table(nasty, "NPS", down="g").as_raw_html()


def test_base_rates_equal_pandas_and_wilson(study, fit):
    people = cx.study_frame(study).to_pandas()
    _, _, rows, _ = read(tables.base_rates(fit))
    assert len(rows) == 6
    for _, told, n, left, ends in rows:
        column, band = told.split(": ")
        own = people.loc[people[{"service contact": "service_band", "price": "price_band"}[column]] == band, "left"]
        low, high = proportion_confint(own.sum(), len(own), method="wilson")
        assert n == f"{len(own):,}"
        assert float(left[:-1]) == pytest.approx(100 * own.mean(), abs=0.51)
        assert [float(end[:-1]) for end in ends.split(" to ")] == pytest.approx([100 * low, 100 * high], abs=0.51)


def test_base_rates_of_small_levels_are_hidden_with_the_next_smallest(fit, study):
    wording.hide_below(300)
    rows = {line[1]: line[2:] for line in read(tables.base_rates(fit))[2]}
    assert rows["price: raised a lot"] == rows["price: raised"] == ["–", "–", "", "too few"]
    same = (cx.study_frame(study).to_pandas()["price_band"] == "same").sum()
    assert rows["price: same"][0] == f"{same:,}"


def test_rows_kept_start_from_all_customers_and_say_why(study):
    _, _, rows, _ = read(tables.rows_kept(study, "attrition", only_column="region", only_value="North"))
    people = cx.study_frame(study).to_pandas()
    counts = [5000, len(people), int((people["region"] == "North").sum())]
    assert [int(line[1].replace(",", "")) for line in rows] == counts
    assert [line[2] for line in rows] == ["", f"{counts[0] - counts[1]:,}", f"{counts[1] - counts[2]:,}"]
    assert all(line[3] for line in rows[1:])


def test_rows_kept_of_answers_start_from_the_surveys_sent(study):
    rows = read(tables.rows_kept(study, "experience"))[2]
    assert [line[0] for line in rows] == ["surveys sent", "answered", "with a score"]
    assert rows[1][1] == f"{len(cx.study_answers(study).to_pandas()):,}"


def test_drivers_alone_equal_numpys_weighted_correlation(study):
    frame, part = cx.study_answers(study), study.experience
    answers = frame.to_pandas()
    importance = results([row(f"g/{d}", "share", 0.1, 0.05, 0.15) for d in part.drivers])
    _, header, rows, _ = read(tables.driver_table(frame, part, importance))
    assert header == ["driver", "answers", "mean", "correlation", "share"]
    found = {line[0]: line[1:] for line in rows}
    for driver in part.drivers:
        own = answers.dropna(subset=[driver, part.score])
        x, y, w = (own[name].to_numpy(float) for name in (driver, part.score, part.weights))
        correlation = np.cov(x, y, aweights=w)[0, 1] / np.sqrt(np.cov(x, aweights=w) * np.cov(y, aweights=w))
        told = found[driver.replace("_", " ")]
        assert told[0] == f"{len(own):,}"
        assert float(told[1]) == pytest.approx(np.average(x, weights=w), abs=0.0051)
        assert float(told[2]) == pytest.approx(correlation, abs=0.0051)
        assert told[3] == "10% (5% to 15%)"
    johnson = results([row(f"g/{d}", "share", 0.24) for d in part.drivers])
    _, more, compared, _ = read(tables.driver_table(frame, part, importance, johnson))
    assert more == [*header, "Johnson"]
    assert {line[-1] for line in compared} == {"24%"}
    assert [float(line[3]) for line in rows] == sorted((float(line[3]) for line in rows), reverse=True)


def test_score_counts_are_weighted_sums_by_score(study):
    frame, part = cx.study_answers(study), study.experience
    answers = frame.to_pandas()
    pd.testing.assert_series_equal(
        tables.score_counts(frame, part),
        answers.groupby("recommend")["weight"].sum(),
        check_names=False,
        check_index_type=False,
    )
    wording.hide_below(len(answers) + 1)
    assert tables.score_counts(frame, part) is None


def test_what_a_study_does_not_feed_gives_no_table():
    assert tables.table(None, "x") is None
    assert tables.table(False, "x") is None
    assert tables.base_rates(None) is None
    assert tables.driver_table(None, None, None) is None
    assert tables.score_counts(None, None) is None


def rows_of(*steps):
    return steps_told(steps).to_numpy().tolist()


def test_steps_that_leave_out_a_few_are_told_with_the_one_before():
    """By subtraction 1,000 and 997 would be three people."""
    assert rows_of(("all", 1000, ""), ("known", 900, "a"), ("north", 400, "b")) == [
        ["all", "1,000", "", ""], ["known", "900", "100", "a"], ["north", "400", "500", "b"],
    ]  # fmt: skip
    assert rows_of(("all", 1000, ""), ("known", 900, "a"), ("north", 897, "b")) == [
        ["all", "1,000", "", ""], ["north", "897", "103", "a; fewer than 10 of them: b"],
    ]  # fmt: skip
    assert rows_of(("all", 1000, ""), ("north", 991, "b")) == [["north", "991", "", "fewer than 10 of them: b"]]
    assert rows_of(("all", 1000, ""), ("known", 1000, "a")) == [["all", "1,000", "", ""], ["known", "1,000", "0", "a"]]
    assert rows_of(("all", 1000, ""), ("north", 9, "b")) == [["all", "1,000", "", ""], ["north", "under 10", "", "b"]]


def test_of_two_numbers_a_few_apart_one_is_told():
    assert told_apart(1000, 991) == ("–", "991")
    assert told_apart(1000, 990) == ("1,000", "990")
    assert told_apart(1000, 1000) == ("1,000", "1,000")
    assert told_apart(1000, 3) == ("1,000", "under 10")
    assert [people(count) for count in (0, 1, 9, 10)] == ["0", "under 10", "under 10", "10"]
