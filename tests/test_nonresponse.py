"""Funnel and tipping points: by hand, and by writing the silent's scores in and computing the NPS again."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from cxlib.errors import CxError
from cxlib.nonresponse import survey_funnel, tipping_points
from cxlib.promoters import nps
from cxlib.waves import compare_nps

DAY = pd.Timestamp("2026-03-01")


def invited(answers, sent=10, region="n"):
    """Invitations of which the first ones were answered with these scores (nan = answered without a score)."""
    gaps = sent - len(answers)
    return pd.DataFrame({
        "sent_at": DAY, "answered_at": [DAY + pd.Timedelta(hours=5)] * len(answers) + [pd.NaT] * gaps,
        "recommend": [*answers, *[np.nan] * gaps], "region": region,
    })  # fmt: skip


def test_the_funnel_by_hand():
    data = pd.concat([invited([9, 8, np.nan, 3]), invited([10], sent=4, region="s")])
    found = survey_funnel(data, by="region").set_index(["region", "measure"])
    north = found.loc["n"]
    assert north["estimate"].to_dict() == pytest.approx(
        {"sent": 10, "answered": 4, "usable": 3, "response_rate": 0.4, "usable_rate": 0.3}
    )
    assert found.loc[("s", "response_rate"), ["estimate", "n"]].tolist() == [0.25, 4]
    limits = proportion_confint(4, 10, method="wilson")
    assert north.loc["response_rate", ["lower", "upper"]].tolist() == pytest.approx(limits)
    assert survey_funnel(data).set_index("measure").loc["sent", "estimate"] == 14


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"answered_at": DAY - pd.Timedelta(days=1)},
         "surveys: 'answered_at' must not lie before 'sent_at', in 10 rows it does; correct them or leave them out"),
        ({"recommend": 9},
         "surveys: a score needs an answer, but 8 rows have 'recommend' and no 'answered_at'; correct them or leave "
         "them out"),
        ({"sent_at": "1 March"},
         "column 'sent_at' must hold stamps, it holds texts, such as '1 March'; read it with pandas.to_datetime, or "
         "load the file with cx.load or a study"),
    ],
)  # fmt: skip
def test_a_funnel_that_runs_backwards_is_refused(columns, fault):
    with pytest.raises(CxError) as refused:
        survey_funnel(invited([9, 8]).assign(**columns))
    assert list(refused.value.faults) == [fault]


def two_groups(a, silent_a, b, silent_b):
    rows = [("a", x) for x in [*a, *[np.nan] * silent_a]] + [("b", x) for x in [*b, *[np.nan] * silent_b]]
    return pd.DataFrame(rows, columns=["group", "recommend"])


A, B = [10] * 60 + [8] * 30 + [3] * 10, [10] * 40 + [8] * 40 + [3] * 20  # NPS 50 and 20


def test_the_tipping_point_makes_the_groups_equal():
    """By writing it in: the 100 silent of a scored 60 points lower (NPS -10), and the two NPS of all asked are 20."""
    found = tipping_points(two_groups(A, 100, B, 50), "group").set_index("measure")
    assert found.loc["one_sided", "estimate"] == pytest.approx(60)
    silent = [10] * 30 + [8] * 30 + [3] * 40
    whole = pd.concat([two_groups(A, 0, [], 0), two_groups(silent, 0, [], 0)])
    assert nps(whole)["estimate"].iloc[0] == pytest.approx(20)


def test_alike_needs_a_difference_of_response_rates():
    """(s - t) / (q - r): a 50 % and b 2/3 answered, so 30 / (1/6) = 180 points, more than scores can differ."""
    found = tipping_points(two_groups(A, 100, B, 50), "group").set_index("measure")
    assert np.isnan(found.loc["alike", "estimate"])
    assert found.loc["alike", "note"] == "no scores of the silent can overturn it in this way"
    near = tipping_points(two_groups(A, 900, B, 25), "group").set_index("measure")  # 10 % and 80 %
    assert near.loc["alike", "estimate"] == pytest.approx(30 / 0.7)
    other = tipping_points(two_groups(A, 25, B, 900), "group").set_index("measure")
    assert other.loc["alike", "estimate"] == pytest.approx(-30 / 0.7)  # the silent would have to score higher


def test_bounds_are_those_of_the_worst_and_best_scores():
    """By writing them in: the silent of a all 0 and of b all 10, and the reverse."""
    found = tipping_points(two_groups(A, 100, B, 50), "group").set_index("measure")
    for name, (x, y) in {"lowest": (0, 10), "highest": (10, 0)}.items():
        a, b = nps(two_groups(A + [x] * 100, 0, B + [y] * 50, 0), by="group")["estimate"]
        assert found.loc[name, "estimate"] == pytest.approx(a - b)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_difference_is_that_of_two_waves(level):
    data = two_groups(A, 100, B, 50)
    found = tipping_points(data, "group", level=level).set_index("measure").loc["difference"]
    parts = [data[data["group"] == name] for name in "ba"]
    expected = compare_nps(*parts, level=level).set_index("measure").loc["change"]
    numbers = ["estimate", "std_error", "lower", "upper", "n"]
    assert found[numbers].tolist() == pytest.approx(expected[numbers].tolist())


def test_the_higher_group_comes_first_and_all_pairs_are_told():
    data = pd.concat([two_groups(B, 5, A, 5), pd.DataFrame({"group": "c", "recommend": [3.0, np.nan]})])
    found = tipping_points(data, "group")
    assert found["term"].unique().tolist() == ["b - a", "a - c", "b - c"]
    assert (found.query("measure == 'difference'")["estimate"] >= 0).all()


def test_a_group_in_which_nobody_answered_is_too_few():
    found = tipping_points(two_groups(A, 0, [], 9), "group")
    assert found[["measure", "note"]].to_numpy().tolist() == [["difference", "too few"]]


def test_everybody_answered_so_nobody_can_overturn():
    found = tipping_points(two_groups(A, 0, B, 0), "group").set_index("measure")
    assert found.loc[["one_sided", "alike"], "estimate"].isna().all()
    assert found.loc["lowest", "estimate"] == found.loc["highest", "estimate"] == pytest.approx(30)


def test_one_group_has_nothing_to_compare():
    with pytest.raises(CxError, match="by must name one column of 2 to 12 groups, 'group' has 1"):
        tipping_points(two_groups(A, 0, [], 0), "group")
