"""Published claims held against a study, in tables and sentences. Authority: handmade results, the file of claims."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from cxlib import text, wording
from cxlib.published import CONSISTENT, NOT_CONSISTENT, UNTESTABLE, published_claims
from cxlib.schema import results
from cxlib.verdicts import judged, own_rows, published_row, published_words, verdict_of
from tests import shown

ROLE = ("service", "lower_bound"), ("service", "upper_bound")
PRICE = ("price > service", "of_any")


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


@pytest.fixture(scope="module")
def claims():
    return published_claims()


def one(estimate, lower, upper, n=900):
    return results([shown.row("told", "share", estimate, lower, upper, n=n)])


def held(claims, because=None, n=900, **more):
    """Role and price as in `shown`; the happy tell far less than published."""
    tests = {"service_role": (shown.role(), *ROLE), "price_outweighs": (shown.weighing(), PRICE),
             "happy_tell": (one(0.6, 0.57, 0.63, n), ("told", "share"))}  # fmt: skip
    return text.held_against(claims, tests | more, because)


def cells(table):
    return [list(row) for row in table._tbl_data.itertuples(index=False)]


def test_every_claim_is_there_with_its_margin_and_a_verdict(claims):
    """Authority: Wilson of statsmodels for 58 % of 401; the claims themselves for the reasons."""
    found = held(claims)
    assert list(dict.fromkeys(found["claim"])) == list(claims.index)
    row = published_row(found, "cx_marketing")
    limits = proportion_confint(0.58 * 401, 401, method="wilson")
    assert [row.estimate, row.lower, row.upper, row.n] == pytest.approx([0.58, *limits, 401])
    assert np.isnan(published_row(found, "unhappy_tell").lower)
    assert published_row(found, "cx_survey").unit == "respondents"
    assert judged(found) == ["service_role", "price_outweighs", "happy_tell"]
    for name in set(claims.index) - set(judged(found)):
        row = found[found["claim"].eq(name) & found["measure"].eq("difference")].iloc[0]
        assert (row["note"], row["method"]) == (UNTESTABLE, claims.loc[name, "untestable"])


def test_verdicts_are_those_of_claim_verdict(claims):
    """Authority: 25 % lies between bounds of 29 % and 47 % less their errors; 60 % is not 87 %."""
    found = held(claims)
    assert verdict_of(found, "service_role") == CONSISTENT
    assert verdict_of(found, "happy_tell") == NOT_CONSISTENT
    assert [row.measure for row in own_rows(found, "service_role")] == ["lower_bound", "upper_bound"]
    row = found[found["claim"].eq("happy_tell") & found["measure"].eq("difference")].iloc[0]
    assert [row["estimate"], row["lower"], row["upper"]] == pytest.approx([-0.27, -0.30, -0.24])


def test_a_reason_given_beats_an_estimate_which_is_told_all_the_same(claims):
    found = held(claims, {"happy_tell": "these are not customers"})
    assert "happy_tell" not in judged(found)
    rows = {row[0]: row[1:] for row in cells(text.untestable(found, claims))}
    assert rows["These are not customers"] == ["the happy tell others (here 60% (57% to 63%))", "1"]
    assert rows["It describes the survey's own sample: no data of one company could contradict it"][1] == "9"
    assert sum(int(row[-1]) for row in rows.values()) == len(claims) - 2


def test_small_groups_are_hidden_before_they_are_compared(claims):
    found = held(claims, n=7)
    assert verdict_of(found, "happy_tell") == UNTESTABLE
    assert own_rows(found, "happy_tell") == []
    assert "60%" not in text.untestable(found, claims).as_raw_html()


def test_the_table_of_verdicts_has_published_and_own_side_by_side(claims):
    some = one(0.05, 0.03, 0.07)
    table = cells(text.verdicts(held(claims, good_service_poor_experience=(some, ("told", "share"))), claims))
    rows = {row[0]: row[1:] for row in table}
    assert rows["The happy tell others"] == [NOT_CONSISTENT, "87%", "60% (57% to 63%)", "900"]
    assert rows["Service plays a role"][2] == "between 29% (20% to 37%) and 47% (41% to 54%)"
    assert rows["Great service, poor experience"][1] == "more than none"
    assert text.verdicts(text.held_against(claims, {}), claims) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [("cx_marketing", "58% (53% to 63%)"), ("service_role", "25%"), ("reviews_dwell_on_service", "more than 50%"),
     ("best_contact_is_none", "more than none"), ("cx_retail", "14% (11% to 18%)")],
)  # fmt: skip
def test_a_published_figure_in_words(claims, name, words):
    assert published_words(held(claims), claims, name) == words


def test_every_claim_is_cited_once_with_its_source_where_it_changes(claims):
    rows = cells(text.as_cited(held(claims), claims))
    assert [row[0] for row in rows] == claims["claim"].tolist()
    sources = [row[4] for row in rows]
    assert sources[2] == "Gartner 2019 Customer Experience Management Survey, May to June 2019"
    assert sources[3:17] == [""] * 14
    assert "Zendesk, 2013" in sources
    assert [row[2] for row in rows if row[2]] != []
    assert rows[3][1:3] == ["401", "58%\N{NO-BREAK SPACE}(53%\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}63%)"]


def test_the_same_claim_counted_in_other_ways(claims):
    ways = [("happy_tell", "as is", one(0.6, 0.57, 0.63), ("told", "share")),
            ("happy_tell", "nobody", None, ("a", "b")),
            ("happy_tell", "otherwise", one(0.86, 0.84, 0.88), ("told", "share")),
            ("unhappy_tell", "few", one(0.9, 0.8, 1, n=5), ("told", "share"))]  # fmt: skip
    assert cells(text.ways_to_count(claims, ways)) == [
        ["The happy tell others", "as is", NOT_CONSISTENT, "60% (57% to 63%)"],
        ["", "otherwise", CONSISTENT, "86% (84% to 88%)"], ["The unhappy tell others", "few", UNTESTABLE, "too few"],
    ]  # fmt: skip
    assert text.ways_to_count(claims, ways[1:2]) is None


def test_the_answer_names_what_is_contradicted_and_the_first_estimate(claims):
    said = text.claims_answer(held(claims), claims, {"service_role": "customers at risk"})
    assert said == (
        'Of 24 published claims these data can test 3, and contradict 1: "87% of happy customers tell others" (here '
        '60%); for "service plays a role in about one quarter of customer attrition" they give between 29% (95% '
        "interval 20% to 37%) and 47% (41% to 54%); n = 2,772 customers at risk."
    )
    only = text.held_against(claims, {"unhappy_tell": (one(0.88, 0.86, 0.9), ("told", "share"))})
    assert text.claims_answer(only, claims) == (
        'Of 24 published claims these data can test 1, and contradict none; for "89% of unhappy customers tell others" '
        "they give 88% (95% interval 86% to 90%); n = 900 rows."
    )
    none = text.held_against(claims, {})
    assert text.claims_answer(none, claims) == "None of 24 published claims can be tested with these data."


def test_other_levels_are_told_as_such(claims):
    rows = [shown.row("told", "share", 0.6, 0.58, 0.62, n=900, level=0.8)]
    found = text.held_against(claims, {"happy_tell": (results(rows), ("told", "share"))}, level=0.8)
    assert "In brackets: 80% intervals" in text.verdicts(found, claims).as_raw_html()
    limits = proportion_confint(0.58 * 401, 401, alpha=0.2, method="wilson")
    assert published_row(found, "cx_marketing").lower == pytest.approx(limits[0])
    assert isinstance(found, pd.DataFrame)
