"""Sentences from NPS to staying, from handmade results. Authority: written by hand."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib import text, wording
from cxlib.linkage import APART
from cxlib.schema import results
from cxlib.telling import EVERYONE
from tests.shown import row


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


def stays(n=400, gap=0.15, low=0.10, time=365.0, **more):
    """Retention as `retention_by_nps` returns it."""
    shares = {"promoter": (0.70, 0.66, 0.74), "detractor": (0.55, 0.50, 0.60), "no answer": (0.60, 0.57, 0.63)}
    rows = [row("customers", "retention", *ends, nps_class=name, n=n, time=time) for name, ends in shares.items()]
    rows += [row("customers", "lost", 0.04, 0.02, 0.06, nps_class=name, n=n, time=time) for name in shares]
    rows.append(row("customers", "difference", gap, low, 0.20, nps_class=APART, n=n, time=time))
    return results(rows, by=["nps_class", "time"]).assign(**more)


def path(low=-0.02, total=0.10):
    """Effects as `mediation` returns them."""
    return results([
        row("total", "effect", 0.14, total, 0.19, n=1000), row("direct", "effect", 0.11, 0.07, 0.16, n=1000),
        row("indirect", "effect", 0.03, low, 0.05, n=1000), row("indirect", "proportion", 0.21, 0.1, 0.4, n=1000),
        row("through experience", "effect", 0.02, 0.01, 0.03, n=1000),
        row("through nps_class", "effect", 0.01, 0.0, 0.02, n=1000),
        row("crude", "effect", 0.28, 0.22, 0.34, n=1000), row("coefficients", "proportion", 0.35, 0.2, 0.5, n=1000),
    ])  # fmt: skip


def mouth():
    rows = [row("told", "share", 0.83, 0.80, 0.86, nps_class="promoter", n=500),
            row("told", "people", 2.46, 2.4, 2.5, nps_class="promoter", n=500, unit="people"),
            row("told", "share", 0.87, 0.83, 0.90, nps_class="detractor", n=300),
            row("told", "people", 4.33, 4.1, 4.5, nps_class="detractor", n=300, unit="people"),
            row("told", "share", 0.71, 0.68, 0.74, nps_class=EVERYONE, n=900),
            row("told", "blank_is_nobody", 0.35, 0.31, 0.39, nps_class=EVERYONE, n=2000),
            row("told", "at_most", 0.86, 0.83, 0.89, nps_class=EVERYONE, n=2000)]  # fmt: skip
    return results(rows, by=["nps_class"])


@pytest.mark.parametrize("tell", [
    text.retention_by_nps, text.ways_of_leaving, text.score_comparison, text.mediation, text.mediation_naive,
    text.word_of_mouth, text.blanks, text.referrals, text.retention_table, lambda _: text.first_or_each(None, None),
    lambda _: text.linkage_answer(None, None), lambda _: text.invitations_kept(None, None),
    lambda _: text.investment_table({}, ""), lambda _: text.return_on_investment(None, {}, 1, 1),
    text.investment_naive,
])  # fmt: skip
def test_what_a_study_does_not_feed_gives_nothing(tell):
    assert tell(None) is None


def test_who_is_still_there():
    assert text.retention_by_nps(stays()) == (
        "365 days after the answer 70% (95% interval 66% to 74%) of promoters, 55% (50% to 60%) of detractors and 60% "
        "(57% to 63%) of those who gave no answer are still customers; promoters less detractors 15.0 percentage "
        "points (95% interval 10.0 to 20.0); n = 1,200. Nothing is adjusted for."
    )
    assert "which cannot be told from none" in text.retention_by_nps(stays(low=-0.01))
    assert "of those who were asked 70%" in text.retention_by_nps(stays().drop(columns="time")).replace("Of", "of")


def test_small_classes_are_not_told():
    assert text.retention_by_nps(stays(n=9)).startswith("Not shown: too few")
    assert text.ways_of_leaving(stays(n=9)).startswith("Not shown: too few")


def test_the_rule_that_picks_answers_decides_or_does_not():
    told = text.first_or_each(stays(gap=0.14), stays())
    assert "15.0 percentage points (95% interval 10.0 to 20.0) by the first invitation" in told
    assert told.endswith("inside the interval of the first: the rule does not decide.")
    assert text.first_or_each(stays(gap=0.05, low=0.01), stays()).endswith("outside it: the rule decides.")


def test_which_score_tells():
    unit = {"unit": "log likelihood per 1,000 customers", "n": 900}
    table = results([
        row("nps_class", "alone", 2.0, 0.5, 3.5, **unit), row("recommend", "alone", 5.0, 3.0, 7.0, **unit),
        row("satisfaction", "alone", 0.0, -1.0, 1.0, **unit), row("all", "alone", 5.5, 3.0, 8.0, **unit),
        row("recommend", "against", 3.0, 1.0, 5.0, **unit), row("satisfaction", "against", -2.0, -3.0, -1.0, **unit),
    ])  # fmt: skip
    told = text.score_comparison(table)
    assert "NPS class and score of the recommendation question alone tell more about who leaves" in told
    assert "better than the NPS class: score of the recommendation question by 3 (95% interval 1 to 5)" in told
    assert "worse: CSAT question" in told
    none = table.assign(lower=-9.0, upper=9.0)
    assert "no score alone tells more" in text.score_comparison(none)
    assert "none differs from the NPS class by more than noise" in text.score_comparison(none)


def test_a_path_and_its_naive_figures():
    told = text.mediation(path(low=0.01))
    assert told.startswith("Where the confounders are alike, a failed contact goes with 14.0 percentage points (95% ")
    assert "3.0 percentage points (1.0 to 5.0) of that, 21% (10% to 40%) of it, run through what they said" in told
    assert "2.0 percentage points (1.0 to 3.0) by experience first" in told
    assert "1.0 percentage points (0.0 to 2.0) by NPS class first" in told
    assert "which cannot be told from none" in text.mediation(path())
    naive = text.mediation_naive(path())
    assert "28.0 percentage points (95% interval 22.0 to 34.0) more leaving, against 14.0 percentage points" in naive
    assert "would call 35% (20% to 50%) mediated, the g-formula 21% (10% to 40%)." in naive


def test_what_a_path_rests_on_is_said_and_named_after_the_columns():
    told = text.path_assumptions(["tenure_band", "plan"], dated=True)
    for words in ("tickets came before the invitation", "given tenure and plan", "cross-world independence",
                  "not rated in the same survey"):  # fmt: skip
        assert words in told
    assert "a frame without dates cannot show" in text.path_assumptions([], dated=False)


def test_who_tells_others_and_what_blanks_do():
    assert text.word_of_mouth(mouth()) == (
        "Told others about us: 83% (95% interval 80% to 86%) of promoters (2.5 people each) and 87% (83% to 90%) of "
        "detractors (4.3 people each); n = 900 answers to this question."
    )
    told = text.blanks(mouth())
    assert "of the 2,000 invitations too, as nobody told would make it 35% (31% to 39%)" in told
    assert told.endswith("the most is 86% (83% to 89%).")


def test_whose_word_brings_newcomers():
    rows = [row("newcomers", "share", 0.25, 0.22, 0.28, nps_class=EVERYONE, n=800),
            row("newcomers", "of_referred", 0.84, 0.80, 0.88, nps_class="promoter", n=200)]  # fmt: skip
    assert text.referrals(results(rows, by=["nps_class"])) == (
        "25% (95% interval 22% to 28%) of newcomers came by a recommendation; of these, 84% (80% to 88%) by promoters, "
        "as they last answered before; n = 800 newcomers."
    )


def test_the_table_has_a_row_for_each_class_and_time():
    shown = text.retention_table(pd.concat([stays(time=90.0), stays()])).as_raw_html()
    assert shown.count("detractor") == 2 and "lost otherwise" in shown and "promoter - detractor" not in shown


def test_the_rows_kept_are_those_followed():
    study = cx.read_study("example")
    linked = cx.study_linked(study)
    page = text.invitations_kept(study, linked).as_raw_html()
    assert f"{len(linked.to_pandas()):,}" in page
