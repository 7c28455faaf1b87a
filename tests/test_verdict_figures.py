"""Published figures beside a study's own, by the artists. Authority: handmade results."""

import matplotlib.pyplot as plt
import pytest

from cxlib import plots, text
from cxlib.forest import OTHER, PUBLISHED, SERVICE
from cxlib.published import claim_margins, published_claims
from tests.shown import dots, words
from tests.test_verdicts import held, one


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_published_stands_above_here_and_bounds_are_filled_and_hollow():
    claims = published_claims()
    ax = plots.verdicts(held(claims), claims)
    assert dots(ax) == [
        (0.25, PUBLISHED, True), (pytest.approx(0.29), SERVICE, True), (pytest.approx(0.47), SERVICE, False),
        (0.3, PUBLISHED, True), (dots(ax)[4][0], OTHER, True), (0.87, PUBLISHED, True), (0.6, OTHER, True),
    ]  # fmt: skip
    told = words(ax)
    assert "Service plays a role: consistent" in told
    assert "The happy tell others: not consistent" in told
    assert "25%, no n given" in told
    assert ax.get_xlabel() == ""
    assert "95% intervals" in plots.alt(ax)
    assert "the happy tell others: not consistent: published 87%, no n given" in plots.alt(ax)


def test_a_margin_is_drawn_where_the_source_gives_an_n():
    """Authority: Wilson limits of `claim_margins`."""
    claims = published_claims()
    shares = text.held_against(claims, {"cx_marketing": (one(0.55, 0.5, 0.6), ("told", "share"))})
    ax = plots.verdicts(shares, claims)
    limits = claim_margins(claims).set_index("term").loc["cx_marketing", ["lower", "upper"]].tolist()
    drawn = [
        list(line.get_xdata()) for line in ax.lines if line.get_color() == PUBLISHED and len(line.get_xdata()) == 2
    ]
    assert limits in drawn
    assert "58% (53% to 63%)" in words(ax)


def test_margins_are_drawn_from_the_largest_down():
    claims = published_claims()
    ax = plots.margins(text.held_against(claims, {}), claims)
    assert [value for value, _, _ in dots(ax)] == [0.79, 0.58, 0.42, 0.13, 0.06, 0.04]
    assert "Sit in marketing" in words(ax)
    assert "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}401" in plots.alt(ax)


def test_without_a_claim_that_can_be_tested_there_is_no_figure():
    claims = published_claims()
    assert plots.verdicts(text.held_against(claims, {}), claims) is None
    assert plots.verdicts(None, claims) is None
    assert plots.margins(None, claims) is None
    few = text.held_against(claims, {"happy_tell": (one(0.6, 0.5, 0.7, n=3), ("told", "share"))})
    assert plots.verdicts(few, claims) is None
