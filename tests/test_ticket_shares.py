"""First contact resolution and escalation: counts by hand, brute force over all pairs of tickets, R on real calls."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from cxlib import ticket_shares as ts
from cxlib.errors import CxError

# customer, topic, day opened, day resolved; the extract is day 30
TICKETS = [
    ("1", "bill", 1, 2), ("1", "bill", 6, 7), ("1", "fault", 7, 8),  # the second is a repeat of the first
    ("2", "bill", 1, None),  # never resolved
    ("3", "bill", 10, 11), ("3", "bill", 18, 19),  # eight days apart: not a repeat within seven
    (None, "bill", 2, 3),  # of nobody known
    ("4", "bill", 25, 26), ("5", "bill", 23, 30),  # younger than the window; just old enough
]  # fmt: skip


def frame(**columns):
    data = pd.DataFrame(TICKETS, columns=["customer_id", "topic", "opened", "resolved"])
    start = pd.Timestamp("2026-01-01")
    stamps = {f"{name}_at": start + pd.to_timedelta(data.pop(name), "D") for name in ("opened", "resolved")}
    return data.assign(**stamps, **columns)


def row(found, measure="rate"):
    return found.set_index("measure").loc[measure]


@pytest.mark.parametrize(
    ("options", "hits", "of"),
    [
        ({}, 5, 7),  # of 1a 1b 1c 2 3a 3b 5: not 1a (repeated), not 2 (open)
        ({"denominator": "resolved"}, 5, 6),
        ({"same_issue": None}, 4, 7),  # 1b is followed by 1c, of another topic
        ({"window_days": 8}, 3, 6),  # nor 3a, for eight days are within eight; 5 is too young
        ({"window_days": 4}, 7, 8),  # 1a is not repeated; 4 counts
        ({"as_of": "2026-01-15"}, 2, 4),  # 1a 1b 1c 2 are old enough: 1b and 1c
    ],
)
def test_by_hand(options, hits, of):
    found = row(ts.first_contact_resolution(frame(), **options))
    assert (found["estimate"], found["n"]) == (pytest.approx(hits / of), of)


def test_what_was_left_out_is_told():
    found = ts.first_contact_resolution(frame())
    assert found["measure"].tolist() == ["rate", "too_young", "without_customer"]
    assert found["estimate"].tolist()[1:] == [1, 1]
    assert row(found)["method"] == (
        "no repeat contact (no ticket of the same topic within 7 days, resolved), of all tickets at least that old; "
        "Wilson"
    )


def test_reopenings_and_second_contacts_are_repeats():
    flags = np.zeros(9, bool)
    flags[2] = True
    found = row(ts.first_contact_resolution(frame(reopened=flags, contacts=[1, 3] + [1] * 7)))
    assert found["estimate"] == pytest.approx(3 / 7)
    assert "not reopened, one contact, resolved" in found["method"]


@pytest.mark.parametrize("by", [None, "channel"])
def test_brute_force_over_all_pairs(by):
    rng = np.random.default_rng(0)
    n = 600
    data = pd.DataFrame({
        "customer_id": rng.integers(0, 120, n), "topic": rng.choice(["a", "b", "c"], n),
        "channel": rng.choice(["phone", "web"], n),
        "opened_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 60 * 86_400, n), "s"),
    })  # fmt: skip
    found, stop = ts.first_contact_resolution(data, by=by), data["opened_at"].max()
    pairs = data.reset_index().merge(data.reset_index(), on=["customer_id", "topic"])
    gap = pairs["opened_at_y"] - pairs["opened_at_x"]
    again = pairs.loc[(gap > pd.Timedelta(0)) & (gap <= pd.Timedelta(days=7)), "index_x"].unique()
    old = data[data["opened_at"] <= stop - pd.Timedelta(days=7)]
    for value, rows in old.groupby("channel") if by else [(None, old)]:
        own = row(found[found["channel"] == value] if by else found)
        assert own["estimate"] == pytest.approx(1 - rows.index.isin(again).mean())
        limits = proportion_confint((~rows.index.isin(again)).sum(), len(rows), method="wilson")
        assert [own["lower"], own["upper"]] == pytest.approx(limits)


@pytest.mark.real_data("pwc_call_center.csv")
@pytest.mark.parametrize(("denominator", "name"), [("all", "resolved_of_all"), ("judged", "resolved_of_answered")])
def test_the_denominator_moves_the_figure_by_seventeen_points(real_data, reference, denominator, name):
    """R on the same calls: .7292 of all, .8994 of those answered."""
    calls = pd.read_csv(real_data / "pwc_call_center.csv")
    opened = pd.to_datetime(calls["Date"] + " " + calls["Time"])
    verdict = (calls["Resolved"] == "Y").astype("boolean").where(calls["Answered (Y/N)"] == "Y")
    data = pd.DataFrame({"opened_at": opened, "ok": verdict})
    found = row(ts.first_contact_resolution(data, judge="customer", verdict="ok", denominator=denominator))
    expected = pd.read_csv(reference / "pwc_metrics.csv").set_index("metric")["value"]
    assert found["estimate"] == pytest.approx(expected[name])
    assert found["n"] == expected["calls" if denominator == "all" else "answered"]
    assert found["method"].startswith("judged by the customer (ok), of ")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"judge": "agent"}, "no judge 'agent'; There are: 'no_repeat', 'customer'"),
        ({"judge": "customer"},
         'judge="customer" needs verdict, the column of what customers say; or take judge="no_repeat"'),
        ({"window_days": 0}, "window_days must be days above 0, such as 7, not '0'"),
        ({"denominator": "judged"}, 'denominator="judged" belongs to judge="customer"; take "all" or "resolved"'),
        ({"same_issue": "topics"},
         "tickets: no column 'topics'; did you mean 'topic'? There are: 'customer_id', 'topic', 'opened_at', "
         "'resolved_at'"),
        ({"judge": "customer", "verdict": "topic"},
         "column 'topic' must be true/false or 0/1, it is factor; recode it"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused(options, fault):
    with pytest.raises(CxError) as refused:
        ts.first_contact_resolution(frame(), **options)
    assert list(refused.value.faults) == [fault]


def test_escalations_by_group_and_weight():
    data = pd.DataFrame({
        "opened_at": pd.Timestamp("2026-01-01"), "escalated": [1, 0, 0, 1, 0, 0], "team": list("aaabbb"),
        "w": [1, 1, 2, 1, 1, 0],
    })  # fmt: skip
    plain = ts.escalation_rate(data, by="team")
    assert plain["estimate"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert plain.loc[0, ["lower", "upper"]].tolist() == pytest.approx(proportion_confint(1, 3, method="wilson"))
    weighted = ts.escalation_rate(data, weights="w")
    assert weighted["estimate"].iloc[0] == pytest.approx(2 / 6)
    # By definition: sum of (w (y - p))² / (sum w)² n / (n - 1)
    away = data["w"] * (data["escalated"] - 1 / 3)
    assert weighted["std_error"].iloc[0] == pytest.approx(np.sqrt((away**2).sum() / 36 * 6 / 5))


@pytest.mark.parametrize("flags", [[1, 2, 0], [True, None, False]])
def test_an_escalation_that_is_not_known_is_refused(flags):
    data = pd.DataFrame({"opened_at": pd.Timestamp("2026-01-01"), "escalated": flags})
    with pytest.raises(
        CxError, match="'escalated' must be true/false or 0/1 in every row, but 1 rows hold something else"
    ):
        ts.escalation_rate(data)
