"""Terms, design matrices and what data can carry, against patsy and against matrix algebra."""

import numpy as np
import pandas as pd
import patsy
import pytest

from cxlib import design
from tests.frames import CAUSES, customers

LEVELS = customers(400)[["service", "price", "segment", "abroad", "faults"]].drop_duplicates().reset_index(drop=True)


def test_main_effects_equal_patsy():
    columns = ["segment", "abroad", "faults", "service", "price"]
    terms = design.main_effects(LEVELS, columns, design.references(CAUSES))
    formula = "segment + abroad + faults + C(service, Treatment('good')) + C(price, Treatment('same'))"
    expected = patsy.dmatrix(formula, LEVELS)
    ours = design.matrix(LEVELS, terms)
    assert ours.shape == expected.shape
    assert {tuple(c) for c in ours.T} == {tuple(c) for c in np.asarray(expected).T}


def test_interactions_are_products_of_failures():
    terms = design.cause_terms(CAUSES)
    assert [design.spelled(term) for term in terms] == [
        "service = failed × price = raised", "service = failed × price = raised a lot",
    ]  # fmt: skip
    x = design.matrix(LEVELS, terms)
    assert (x[:, 0] == ((LEVELS["service"] == "failed") & (LEVELS["price"] == "raised"))).all()
    confounded = design.confounder_terms(LEVELS, CAUSES, ["abroad", "faults"])
    assert len(confounded) == 3 * 2
    assert (
        design.matrix(LEVELS, confounded)[:, 1].tolist()
        == (LEVELS["faults"] * (LEVELS["service"] == "failed")).tolist()
    )


def test_the_number_of_a_cause_is_a_factor_and_a_column_with_one_value_no_term():
    levels = pd.DataFrame({"k": [0, 1, 2, 2], "one": [5.0] * 4, "text": ["x"] * 4, "number": [1.5, 2.5, 1.5, 0.5]})
    terms = design.main_effects(levels, ["k", "one", "text", "number"], {"k": 0})
    assert [design.spelled(term) for term in terms] == ["constant", "k = 1", "k = 2", "number"]


@pytest.mark.parametrize("names", [[], ["service"], ["price"], ["service", "price"]])
def test_removed_causes_are_at_their_reference_and_nothing_else_changes(names):
    after = design.removed(LEVELS, CAUSES, names)
    for column, failures in {"service": ["failed"], "price": ["raised", "raised a lot"]}.items():
        expected = LEVELS[column].replace(dict.fromkeys(failures, CAUSES[column][column][failures[0]]))
        assert after[column].tolist() == (expected if column in names else LEVELS[column]).tolist()
    assert after.drop(columns=["service", "price"]).equals(LEVELS.drop(columns=["service", "price"]))


@pytest.mark.parametrize("dtype", ["category", "string", "str", "object"])
def test_removal_keeps_the_kind_of_column(dtype):
    levels = LEVELS.astype({"service": dtype})
    after = design.removed(levels, CAUSES, ["service"])["service"]
    assert after.dtype == levels["service"].dtype
    assert "failed" not in set(after)
    assert after.notna().all()


def test_exposure_is_any_column_of_the_cause():
    causes = {"service": {"service": {"failed": "good"}, "abroad": {True: False}}, "price": CAUSES["price"]}
    exposed = design.exposed(LEVELS, causes)
    assert (exposed[0] == ((LEVELS["service"] == "failed") | LEVELS["abroad"])).all()
    assert (exposed[1] == (LEVELS["price"] != "same")).all()


def test_columns_that_earlier_columns_determine_are_found():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(50), rng.normal(size=(50, 3)) * [1, 1e6, 1e-6]])
    x = np.column_stack([x, x[:, 1] + x[:, 2], x[:, 3] * 2, rng.normal(size=50)])
    assert design.estimable(x, np.ones(50)).tolist() == [True, True, True, True, False, False, True]
    # Rank, as numpy's singular values see it, says the same.
    assert np.linalg.matrix_rank(x / np.linalg.norm(x, axis=0)) == 5


def test_columns_that_are_only_close_are_kept():
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(50), rng.normal(size=50)])
    for gap, kept in ((1e-4, True), (1e-6, True), (1e-12, False)):
        close = x[:, 1] + gap * rng.normal(size=50)
        assert design.estimable(np.column_stack([x, close]), np.ones(50)).tolist() == [True, True, kept]


def test_cells_without_customers_carry_nothing():
    x = np.column_stack([np.ones(4), [0, 0, 0, 1], [0, 1, 0, 1]])
    assert design.estimable(x, np.array([5, 5, 5, 0])).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("beta", "std_error", "off"), [(40.0, 1e6, True), (40.0, 0.1, False), (2.0, 1e6, False), (-40.0, 1e6, True)]
)
def test_only_a_large_effect_without_a_size_is_separation(beta, std_error, off):
    x = np.array([[0.0], [1.0]])
    assert design.separated(x, np.array([beta]), np.array([std_error])).tolist() == [off]


def test_terms_are_spelled_for_people():
    assert design.spelled(()) == "constant"
    assert design.spelled((("tenure", None),)) == "tenure"
    assert design.spelled((("a", "x"), ("b", None))) == "a = x × b"
