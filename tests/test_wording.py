"""How numbers are written, and that small groups stay hidden. Authority: the rules stated here, by hand."""

import numpy as np
import pandas as pd
import pytest

from cxlib import text, wording
from cxlib.errors import CxError
from cxlib.schema import TOO_FEW, results
from tests import shown
from tests.shown import nps, row


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


def told(**given):
    return next(results([row("a", "b", **given)]).itertuples(index=False))


@pytest.mark.parametrize(
    ("value", "unit", "digits", "words"),
    [
        (0.243, "share", 0, "24%"),
        (0.2436, "share", 1, "24.4%"),
        (-0.02, "share", 0, "−2%"),
        (-0.0001, "share", 0, "0%"),
        (2772, "", 0, "2,772"),
        (-12345.6, "points", 1, "−12,345.6"),
        (0.5, "R²", 0, "0.50"),
        (2.5319, "risk ratio", 0, "2.5"),
        (float("nan"), "share", 0, "–"),
        (float("inf"), "risk ratio", 0, "–"),
    ],
)
def test_numbers_are_written_in_their_unit(value, unit, digits, words):
    assert wording.number(value, unit, digits) == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"estimate": 0.28, "lower": 0.206, "upper": 0.361}, "28% (95% interval 21% to 36%)"),
        ({"estimate": 0.2855, "lower": 0.281, "upper": 0.29}, "28.5% (95% interval 28.1% to 29.0%)"),
        ({"estimate": 12.3, "lower": 9.1, "upper": 15.5, "unit": "points"}, "12 (95% interval 9 to 16)"),
        (
            {"estimate": 0.56, "lower": 0.54, "upper": 0.58, "unit": "R²", "level": 0.9},
            "0.56 (90% interval 0.54 to 0.58)",
        ),
        ({"estimate": 4.5, "unit": "risk ratio"}, "4.5"),
        ({"estimate": float("nan")}, TOO_FEW),
    ],
)
def test_an_estimate_carries_its_interval_in_the_decimals_it_supports(given, words):
    assert wording.estimate(told(**given)) == words
    assert wording.estimate(told(**given), first=False) == words.replace("95% interval ", "").replace(
        "90% interval ", ""
    )


@pytest.mark.parametrize(
    ("unit", "lower", "upper", "words"),
    [
        ("share", 0.11, 0.14, "11% to 14%"),
        ("share", 0.111, 0.113, "11.1% to 11.3%"),
        ("share", 0.1112, 0.1118, "11.12% to 11.18%"),
        ("hours", 13.98, 14.02, "13.98 to 14.02"),
        ("hours", 13.998, 14.002, "13.998 to 14.002"),
        ("points", 24.0, 24.0, "24.0 to 24.0"),
        ("R²", 0.12, 0.16, "0.12 to 0.16"),
        ("R²", 0.1221, 0.1229, "0.122 to 0.123"),
        ("hazard ratio", 1.21, 1.28, "1.21 to 1.28"),
    ],
)
def test_the_ends_of_a_narrow_interval_do_not_read_alike(unit, lower, upper, words):
    assert wording.interval(told(estimate=lower, lower=lower, upper=upper, unit=unit)) == words


@pytest.mark.parametrize(
    ("ticks", "unit", "digits"),
    [
        ([0, 0.25, 0.5], "points", 2),
        ([0, 0.2, 0.4], "points", 1),
        ([0, 5, 10], "points", 0),
        ([0, 0.05, 0.1], "share", 0),
        ([0, 0.005, 0.01], "share", 1),
        ([0.1, 0.125], "R²", 1),
        ([0, 0.30000000000000004], "points", 1),
    ],
)
def test_ticks_read_as_what_they_are(ticks, unit, digits):
    assert wording.tick_digits(ticks, unit) == digits
    assert [float(wording.number(t, unit, digits).rstrip("%")) for t in ticks] == pytest.approx(
        [100 * t if unit == "share" else t for t in ticks]
    )


def test_lists_read_as_sentences():
    assert [wording.listed(list("abc")[:k]) for k in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_names_from_the_data_stay_text():
    nasty = "<b>x</b> *y* [z](http://a) `c` $d$ #e\n- f"
    shown = wording.Sentence(nasty)._repr_markdown_()
    assert "\n" not in shown
    for sign in "<>*[]`$#":
        assert shown.count(sign) == shown.count("\\" + sign) > 0


def hidden(sizes):
    shown = wording.visible(nps(sizes))
    return [name for name, gone in zip(shown["segment"], shown["estimate"].isna(), strict=True) if gone]


def test_small_groups_are_hidden_and_say_so():
    shown = wording.visible(nps({"a": 9, "b": 8, "c": 10}))
    assert shown.loc[:1, ["estimate", "std_error", "lower", "upper", "n"]].isna().all(axis=None)
    assert list(shown["note"]) == [TOO_FEW, TOO_FEW, ""]
    assert shown["n"][2] == 10


def test_a_single_small_group_takes_the_next_smallest_with_it():
    """Otherwise the total less the groups shown gives it away."""
    assert hidden({"a": 40, "b": 9, "c": 30, "d": 50}) == ["b", "c"]
    assert hidden({"a": 40, "b": 9, "c": 8}) == ["b", "c"]
    assert hidden({"a": 40, "b": 9}) == ["a", "b"]
    assert hidden({"a": 40, "b": 10}) == []


def test_the_hidden_groups_together_are_no_small_group_either():
    """The total less the groups shown would give them away as one."""
    assert hidden({"a": 40, "b": 2, "c": 3, "d": 50}) == ["a", "b", "c"]
    assert hidden({"a": 40, "b": 5, "c": 5, "d": 50}) == ["b", "c"]
    assert hidden({"a": 2, "b": 3}) == ["a", "b"]


def test_groups_are_counted_once_however_many_rows_they_have():
    rows = [row("nps", m, 0.1, n=n, segment=s) for s, n in {"a": 9, "b": 30, "c": 40}.items() for m in ("x", "y")]
    shown = wording.visible(results(rows, by=["segment"]))
    assert list(shown["estimate"].isna()) == [True] * 4 + [False] * 2


def test_groups_by_two_columns_and_empty_names_are_groups():
    rows = [row("nps", "nps", 1.0, n=n, segment=s, region=r) for s, r, n in
            [("a", "x", 5), ("a", None, 20), ("b", "x", 30), ("b", None, 40)]]  # fmt: skip
    shown = wording.visible(results(rows, by=["segment", "region"]))
    assert list(shown["estimate"].isna()) == [True] * 4  # the totals by segment and by region would give any one away


def test_a_group_of_nobody_takes_no_other_with_it():
    """Of nobody the total gives nothing away."""
    assert shown_sizes({"a": 0, "b": 900, "c": 800}) == [None, 900, 800]
    assert shown_sizes({"a": 0, "b": 9, "c": 800, "d": 900}) == [None, None, None, 900]
    assert shown_sizes({"a": 0, "b": 9}) == [None, None]


def shown_sizes(sizes):
    seen = wording.visible(shown.nps(sizes))["n"]
    return [None if n != n else int(n) for n in seen]


def test_the_session_sets_how_small_is_too_small():
    wording.hide_below(41)
    assert hidden({"a": 40, "b": 41, "c": 60}) == ["a", "b"]
    wording.hide_below(1)
    assert hidden({"a": 1, "b": 41}) == []


@pytest.mark.parametrize("given", [0, -3, 2.5, "10", True, None])
def test_a_senseless_minimum_is_refused(given):
    with pytest.raises(CxError, match="hide_below takes a whole number of people, 1 or more, not"):
        text.hide_below(given)


def test_nothing_of_the_given_result_is_changed():
    given = nps({"a": 5, "b": 50})
    before = given.copy()
    wording.visible(given)
    pd.testing.assert_frame_equal(given, before)
    assert given["n"].dtype == np.int64
