"""Raking: post-stratification by hand, the loop as Deming and Stephan write it, Kish, and margins that cannot be."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from cxlib import raking
from cxlib.errors import CxError
from cxlib.promoters import design_effect, nps
from cxlib.weighting import rake

MARGINS = {"region": {"n": 0.5, "s": 0.3, "w": 0.2}, "age": {"young": 0.6, "old": 0.4}}


def answers(seed=0, rows=500):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"region": rng.choice(["n", "s", "w"], rows, p=[0.2, 0.3, 0.5])})
    data["age"] = np.where(rng.random(rows) < 0.3 + 0.3 * (data["region"] == "w"), "young", "old")
    data["recommend"] = np.clip(rng.normal(8 - 2 * (data["region"] == "w"), 2).round(), 0, 10)
    return data.assign(w=rng.uniform(0.5, 2, rows))


def weights(raked):
    return raked.frame.to_pandas("weight")["weight"].to_numpy()


def report(raked, measure):
    return raked.report.set_index("measure").loc[measure, "estimate"]


@pytest.mark.parametrize("start", [None, "w"])
def test_margins_are_met(start):
    data = answers()
    w = weights(rake(data, MARGINS, weights=start))
    for column, shares in MARGINS.items():
        found = pd.Series(w).groupby(data[column]).sum() / w.sum()
        assert found.to_dict() == pytest.approx(shares, abs=1e-9)
    assert w.mean() == pytest.approx(1)


@pytest.mark.parametrize("start", [None, "w"])
def test_the_loop_over_rows_gives_the_same(start):
    """Brute force: Deming and Stephan's loop on every row instead of on cells."""
    data = answers()
    w = data[start].to_numpy() if start else np.ones(len(data))
    for _ in range(300):
        for column, shares in MARGINS.items():
            own = pd.Series(w).groupby(data[column]).transform("sum").to_numpy()
            w = w * data[column].map(shares).to_numpy() * w.sum() / own
    assert weights(rake(data, MARGINS, weights=start)) == pytest.approx(w / w.mean())


def test_one_margin_is_post_stratification():
    """By hand: share in the population over share among the answers."""
    data = answers()
    raked = rake(data, {"region": MARGINS["region"]})
    expected = data["region"].map(MARGINS["region"]) / data["region"].map(data["region"].value_counts(normalize=True))
    assert weights(raked) == pytest.approx(expected.to_numpy())
    assert report(raked, "rounds") <= 2


def test_what_the_weights_cost_is_kishs():
    raked = rake(answers(), MARGINS)
    w = weights(raked)
    assert report(raked, "effective_n") == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert [report(raked, f"{size}_weight") for size in ("largest", "smallest")] == pytest.approx([w.max(), w.min()])
    kish = design_effect(raked.frame, "weight").set_index("measure")["estimate"]
    assert kish["effective_n"] == pytest.approx(report(raked, "effective_n"))
    assert kish["design_effect"] == pytest.approx(report(raked, "design_effect"))


def test_the_nps_of_the_population_is_found_again():
    """Known truth: answers thinned by region alone; raked to the regions, the NPS is that of all within 3 errors."""
    rng = np.random.default_rng(5)
    everyone = answers(1, 40_000)
    silent = rng.random(len(everyone)) < everyone["region"].map({"n": 0.9, "s": 0.5, "w": 0.1})
    known = {"region": everyone["region"].value_counts().to_dict()}
    frame, _ = rake(everyone[~silent], known)
    truth, plain, raked = (
        nps(*x)["estimate"].iloc[0] for x in ((everyone,), (everyone[~silent],), (frame, "recommend"))
    )
    weighted = nps(frame, weights="weight").iloc[0]
    assert abs(plain - truth) > 10
    assert raked == plain
    assert weighted["estimate"] == pytest.approx(truth, abs=3 * weighted["std_error"])


def test_a_limit_on_weights_is_kept_and_what_it_costs_is_told():
    free, tight = rake(answers(), MARGINS), rake(answers(), MARGINS, most=2)
    assert weights(free).max() > 2.2
    assert weights(tight).max() == pytest.approx(2, abs=1e-6)
    assert weights(tight).mean() == pytest.approx(1)
    assert report(tight, "effective_n") > report(free, "effective_n")
    assert report(tight, "largest_gap") > 1e-6
    assert tight.report.set_index("measure").loc["largest_gap", "note"] == (
        "the limit on weights keeps a margin from being met"
    )


def test_a_limit_above_all_weights_changes_nothing():
    assert weights(rake(answers(), MARGINS, most=50)) == pytest.approx(weights(rake(answers(), MARGINS)))


def test_numbers_of_people_do_for_shares_and_numbers_for_categories():
    data = answers().assign(age=lambda d: d["age"].map({"young": 1, "old": 2}))
    people = {"region": {"n": 5000, "s": 3000, "w": 2000}, "age": {1: 6000, 2: 4000}}
    assert weights(rake(data, people)) == pytest.approx(weights(rake(answers(), MARGINS)))


def test_the_frame_stays_where_it_is():
    relation = duckdb.from_arrow(rake(answers(), MARGINS).frame.frame.to_native().to_arrow_table())
    raked = rake(relation, {"c0": MARGINS["region"]}, name="again")
    assert isinstance(raked.frame.frame.to_native(), duckdb.DuckDBPyRelation)


@pytest.mark.parametrize(
    ("data", "margins", "options", "faults"),
    [
        (answers(), {"region": {"n": 0.4, "s": 0.3, "w": 0.2, "x": 0.1}}, {},
         ["margin 'region': nobody belongs to 'x'; join it with another category; there are 'n', 's', 'w'"]),
        (answers(), {"region": {"n": 0.5, "s": 0.5}}, {},
         ["margin 'region': no share is given for 'w'; add it, for every answer needs one"]),
        (answers().assign(age=None), {"age": {"old": 1.0}}, {},
         ["margin 'age': every answer must have a category, 500 have none; recode or leave them out",
          "margin 'age': nobody belongs to 'old'; join it with another category; there are "]),
        (answers(), {"region": {"n": 0.5, "s": 0.3, "w": 0.1}}, {},
         ["margin 'region': shares must add up to 1, these add up to 0.9"]),
        (answers(), {"region": {"n": 50, "s": 30, "w": 20}, "age": {"young": 60, "old": 50}}, {},
         ["margins in numbers of people must add up to the same, not '100', '110'"]),
        (answers(), {"region": {"n": 0.8, "s": 0.2, "w": 0}}, {},
         ["margin 'region': shares must be above 0 and finite, not those of 'w'; leave out its answers"]),
        (answers(), {}, {"most": 1},
         ["margins must name at least one column and its shares",
          "most must be a multiple of the mean weight above 1, such as 5, not '1'"]),
        (answers(), MARGINS, {"name": "recommend"},
         ["name 'recommend' must be new, the frame has such a column; give name another"]),
        (answers(), {"regoin": {}}, {},
         ["margins: no column 'regoin'; did you mean 'region'? There are: 'region', 'age', 'recommend', 'w'"]),
        (answers().assign(w=0), MARGINS, {"weights": "w"},
         ["frame: there must be at least one answer with a weight above 0; there is none"]),
    ],
)  # fmt: skip
def test_margins_that_cannot_be_are_refused(data, margins, options, faults):
    with pytest.raises(CxError) as refused:
        rake(data, margins, **options)
    assert [fault.strip() for fault in refused.value.faults] == [fault.strip() for fault in faults]


def test_margins_that_contradict_each_other_do_not_converge():
    """All of n are young here, so n cannot be half of all while the young are a tenth."""
    data = pd.DataFrame({"region": list("nnss"), "age": ["young", "young", "old", "old"]})
    told = r"^margins must be possible together; after 1,000 rounds one is still .* off; drop a margin or join small "
    with pytest.raises(CxError, match=told + "categories$"):
        rake(data, {"region": {"n": 0.5, "s": 0.5}, "age": {"young": 0.1, "old": 0.9}})


def test_capped_factors_keep_their_mean():
    base = np.array([1.0, 2, 3, 4])
    factor, _, gap = raking.fitted_weights(base, [np.arange(4)], [np.array([0.7, 0.1, 0.1, 0.1])], 50, most=1.5)
    assert factor.max() == pytest.approx(1.5)
    assert np.average(factor, weights=base) == pytest.approx(1)
    assert gap > 0.1
