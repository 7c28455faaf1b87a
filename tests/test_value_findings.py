"""What an improvement is worth in words, from handmade results. Authority: written by hand."""

import numpy as np
import pytest

from cxlib import text, wording
from cxlib.schema import results
from tests.shown import row
from tests.test_staying_findings import path, stays


@pytest.fixture(autouse=True)
def restored():
    yield
    wording.hide_below(10)


def worth(net=1000.0, low=200.0, gain=5000.0, payback=14.0, n=2000, note=""):
    """Money as `return_on_investment` returns it."""
    money, ends = {"unit": "EUR", "n": n}, {"unit": "months", "n": n}
    return results([
        row("improvement", "avoided", 0.12, 0.08, 0.16, n=n),
        row("improvement", "kept", 126, 80, 170, unit="customers", n=n),
        row("improvement", "gain", gain, gain - 2000, gain + 2000, **money),
        row("improvement", "cost", 4000.0, **money),
        row("improvement", "net", net, low, 1800.0, **money),
        row("improvement", "break_even", 4500.0, 3500.0, 5500.0, **money),
        row("improvement", "return", 0.25, 0.05, 0.45, n=n),
        row("improvement", "payback", payback, note=note, **ends),
    ])  # fmt: skip


ASKED = {"reductions": {"service": 0.5}, "months": 24, "period_days": 90}


def test_gain_cost_and_what_is_left():
    assert text.return_on_investment(worth(), **ASKED, discount=0.05, margin=20) == (
        "Without 50% of the failures of service, 12% (95% interval 8% to 16%) of departures would be avoided if the "
        "shares are effects: 126 customers more after 24 months, and a gain of 5,000 EUR (95% interval 3,000 to 7,000) "
        "in money of today (5% a year; departures are counted in 90 days); less the cost of 4,000 EUR, 1,000 EUR (95% "
        "interval 200 to 1,800) are left, paid back after 14 months. A one-off cost up to 4,500 EUR (95% interval "
        "3,500 to 5,500) would pay; n = 2,000 customers."
    )


def test_what_may_be_a_loss_or_never_pays_says_so():
    assert "are left, which cannot be told from none" in text.return_on_investment(worth(low=-50), **ASKED)
    never = worth(payback=np.nan, note="not paid back within the horizon")
    assert "not paid back within the horizon." in text.return_on_investment(never, **ASKED)


def test_the_naive_promise_stands_beside():
    both = text.beside(naive=worth(gain=15000.0), adjusted=worth())
    told = text.investment_naive(both)
    assert "would promise 15,000 EUR (95% interval 13,000 to 17,000), 3.0 times as much, against 5,000 EUR" in told


def test_a_row_for_each_share_of_the_failures():
    never = worth(payback=np.nan, note="not paid back within the horizon")
    page = text.investment_table({0.25: never, 1.0: worth()}, "Choices").as_raw_html()
    for words in ("25%", "100%", "never", "14", "1,000\N{NO-BREAK SPACE}(200\N{NO-BREAK SPACE}to", "net in EUR"):
        assert words in page


def test_the_answer_tells_what_there_is():
    whole = text.linkage_answer(stays(), worth(), path(), {"service": 0.5}, 24)
    assert whole == (
        "365 days after an answer 70% (95% interval 66% to 74%) of promoters and 55% (50% to 60%) of detractors are "
        "still customers; of the 14.0 percentage points (10.0 to 19.0) by which more leave after a failure, 3.0 "
        "percentage points (−2.0 to 5.0) run through what customers said, which cannot be told from none; with 50% of "
        "the failures of service gone, 1,000 EUR (200 to 1,800) would be left over 24 months after the cost, if the "
        "shares are effects; n = 1,200 customers."
    )
    money = text.linkage_answer(None, worth(), None, {"service": 0.5}, 24)
    assert money.startswith("With 50% of the failures of service gone, 1,000 EUR (95% interval 200 to 1,800)")
    assert money.endswith("n = 2,000 customers.")
    assert text.linkage_answer(stays(n=5), None) is None


def test_nothing_is_told_of_a_group_too_small():
    told = text.linkage_answer(None, worth(n=5), None, {"service": 0.5}, 24)
    assert told is None
