"""No total gives a hidden group away: attackers who know every total and every number that is shown."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from cxlib import wording
from cxlib.schema import TOO_FEW, results
from cxlib.withheld import hidden_groups

LEAST = 10


def totals(groups):
    """Every total of a table of two groups or more: by each choice of keys, none included."""
    keys = list(groups)
    for count in range(len(keys)):
        for kept in combinations(keys, count):
            places = groups.groupby(list(kept), dropna=False).ngroup() if kept else pd.Series(0, groups.index)
            for place in places.unique():
                of = np.flatnonzero(places == place)
                if len(of) > 1:
                    yield of


def equations(groups, hidden):
    """What a reader knows of the hidden groups: a row for each total that holds any, a column for each of them."""
    unknown = np.flatnonzero(hidden)
    return [[Fraction(int(group in of)) for group in unknown] for of in totals(groups) if np.isin(of, unknown).any()]


def derived(rows, count):
    """The unknowns that follow, by Gauss-Jordan elimination in fractions: alone in a row, with nothing free."""
    rows, pivots = [row[:] for row in rows], []
    for column in range(count):
        at = next((i for i in range(len(pivots), len(rows)) if rows[i][column]), None)
        if at is None:
            continue
        top = len(pivots)
        rows[top], rows[at] = rows[at], rows[top]
        rows[top] = [value / rows[top][column] for value in rows[top]]
        for i, row in enumerate(rows):
            if i != top and row[column]:
                rows[i] = [a - row[column] * b for a, b in zip(row, rows[top], strict=True)]
        pivots.append(column)
    return [column for i, column in enumerate(pivots) if sum(map(bool, rows[i])) == 1]


def tables(shape, seed, small):
    """Groups told by as many keys as the shape has sides, a share of them small, some of nobody."""
    rng = np.random.default_rng(seed)
    groups = pd.DataFrame(list(product(*(range(side) for side in shape))), columns=[f"k{i}" for i in range(len(shape))])
    sizes = np.where(
        rng.random(len(groups)) < small, rng.integers(0, LEAST, len(groups)), rng.integers(LEAST, 90, len(groups))
    )
    return groups, pd.Series(sizes)


CASES = [(shape, seed, small) for shape in [(2,), (5,), (12,), (3, 3), (4, 6), (2, 12), (3, 3, 2)]
         for small in (0.1, 0.4) for seed in range(12)]  # fmt: skip


@pytest.mark.parametrize("shape", sorted({case[0] for case in CASES}))
def test_nothing_hidden_follows_from_all_totals(shape):
    """Linear algebra: a number follows if and only if its unit vector lies in the row space of the equations."""
    some = 0
    for _, seed, small in (case for case in CASES if case[0] == shape):
        groups, sizes = tables(shape, seed, small)
        hidden = hidden_groups(groups, sizes, LEAST)
        few = (sizes > 0) & (sizes < LEAST)
        assert not (few & ~hidden).any()  # whoever is too few is hidden
        assert not (hidden & (sizes == 0)).any()
        known = equations(groups, hidden)
        assert derived(known, hidden.sum()) == [] or hidden.sum() == (sizes > 0).sum(), (shape, seed)
        some += hidden.any()
    assert some > 6


@pytest.mark.parametrize("shape", sorted({case[0] for case in CASES}))
def test_the_hidden_groups_of_a_total_are_two_and_as_many_people_as_may_be_shown(shape):
    for _, seed, small in (case for case in CASES if case[0] == shape):
        groups, sizes = tables(shape, seed, small)
        hidden = hidden_groups(groups, sizes, LEAST)
        for of in totals(groups):
            inside, shown = of[hidden[of]], of[~hidden[of] & (sizes.to_numpy()[of] > 0)]
            if len(inside) and len(shown):
                assert len(inside) > 1 and sizes.to_numpy()[inside].sum() >= LEAST


def test_the_attacker_finds_what_hiding_small_groups_alone_would_give_away():
    """The test can fail: without the others hidden, most tables give a small group away."""
    given = 0
    for shape, seed, small in CASES:
        groups, sizes = tables(shape, seed, small)
        few = ((sizes > 0) & (sizes < LEAST)).to_numpy()
        given += bool(derived(equations(groups, few), few.sum()))
    assert given > len(CASES) / 2


@pytest.mark.parametrize(
    "sizes", [[9, 9, 40, 50], [1, 9, 40, 50], [1] * 10 + [30, 40], [2, 8, 40, 300], [4, 90, 40, 800]]
)
def test_bounds_leave_more_than_one_number_possible(sizes):
    """Linear programs: the smallest and the largest that each hidden group can be, of one person or more."""
    groups, sizes = pd.DataFrame({"region": range(len(sizes))}), pd.Series(sizes)
    hidden = hidden_groups(groups, sizes, LEAST)
    count, total = int(hidden.sum()), float(sizes[hidden].sum())
    for i in range(count):
        ends = [linprog(sign * np.eye(count)[i], A_eq=np.ones((1, count)), b_eq=[total], bounds=(1, None)).fun * sign
                for sign in (1, -1)]  # fmt: skip
        assert ends[1] - ends[0] >= 1


def test_a_class_that_is_too_small_on_every_day_is_not_the_only_one_hidden():
    """Three classes at three times: the small one could be had at each time from the total less the others."""
    sizes = {"promoter": 900, "passive": 700, "detractor": 6, "no answer": 2000}
    rows = [{"nps_class": name, "days": day, "term": "all", "measure": "retention", "estimate": 0.5, "n": n}
            for day in (90, 180, 365) for name, n in sizes.items()]  # fmt: skip
    shown = wording.visible(results(rows, by=["nps_class", "days"]))
    assert set(shown.loc[shown["note"] == TOO_FEW, "nps_class"]) == {"detractor", "passive"}
    assert shown["n"].isna().sum() == 6


def test_each_measure_is_a_table_of_its_own():
    """Half of the groups rated nothing, one was rated by a few: the mean of all would give theirs away."""
    rows = [{"region": name, "term": "all", "measure": measure, "estimate": 3.0, "n": n}
            for name, both in {"N": (400, 300), "E": (300, 4), "S": (200, 150)}.items()
            for measure, n in zip(("share", "rating"), both, strict=True)]  # fmt: skip
    shown = wording.visible(results(rows, by=["region"])).set_index(["measure", "region"])["n"]
    assert shown["share"].tolist() == [400, 300, 200]
    assert shown["rating"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize(("unit", "hidden"), [("rows", True), ("customers", True), ("share", False), ("points", False)])
def test_a_count_of_a_few_is_hidden_however_many_it_is_of(unit, hidden):
    row = {"term": "duplicates", "measure": "duplicates", "estimate": 3.0, "n": 5000, "unit": unit}
    assert wording.visible(results([row]))["estimate"].isna().tolist() == [hidden]
    several = wording.visible(results([row | {"estimate": 0.0}, row | {"estimate": 10.0}]))
    assert several["estimate"].tolist() == [0, 10]
