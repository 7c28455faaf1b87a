"""Data health: real files with known defects, defects written into the example, and the command with its exit codes."""

import re

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib import health, missing
from cxlib.__main__ import main
from cxlib.errors import CxError

CUSTOMERS = "customer_id,signup_date,end_date,end_kind\n1,2025-01-01,,\n2,2025-01-01,2026-02-01,voluntary\n"
TICKETS = "ticket_id,customer_id,opened_at,first_response_at,resolved_at,csat\n"
GOOD = "7,1,2026-02-01 10:00,2026-02-01 11:00,2026-02-02 10:00,4\n"


def study(folder, tickets=GOOD, words=""):
    (folder / "customers.csv").write_text(CUSTOMERS)
    (folder / "tickets.csv").write_text(TICKETS + tickets)
    path = folder / "own.toml"
    path.write_text(words + 'title = "Own"\ntables = "."\n[landmark]\nhorizon_days = 10\nlookback_days = 10\n')
    return path


@pytest.mark.real_data("iranian_churn.csv")
def test_iranian_duplicates(real_data):
    """300 exact duplicates of 3,150 rows, as its provenance and R say."""
    row = health.duplicates(pd.read_csv(real_data / "iranian_churn.csv")).iloc[0]
    assert (row["estimate"], row["n"]) == (300, 3150)
    assert row["note"].startswith("300 of 3,150 rows repeat another one")


def test_gaps_are_alike_when_rows_repeat():
    data = pd.DataFrame({"a": [1, 1, None, None, 2], "b": ["x", "x", None, None, "x"]})
    assert health.duplicates(data)["estimate"].iloc[0] == data.duplicated().sum() == 2


@pytest.mark.real_data("bank_churn_records.csv", "telco_v11_status.csv")
def test_columns_made_from_the_outcome_are_met_by_a_warning(real_data):
    """Complain equals Exited in 9,986 of 10,000 rows; the satisfaction score separates churn: both must be named."""
    bank = health.leaks(pd.read_csv(real_data / "bank_churn_records.csv"), "Exited")
    assert bank.loc[bank["note"] != "", "term"].tolist() == ["Complain"]
    telco = health.leaks(pd.read_csv(real_data / "telco_v11_status.csv"), "Churn Value")
    named = telco.loc[telco["note"] != "", "term"].tolist()
    assert named == ["Satisfaction Score", "Customer Status", "Churn Label", "Churn Score"]


def test_entropy_told_by_definition():
    """1 - H(y|x)/H(y) from the table of counts."""
    data = pd.DataFrame({"x": ["a"] * 10 + ["b"] * 10, "y": [1] * 8 + [0] * 2 + [1] * 3 + [0] * 7})

    def entropy(p):
        return -p * np.log(p) - (1 - p) * np.log(1 - p)

    expected = 1 - (entropy(0.8) + entropy(0.3)) / 2 / entropy(11 / 20)
    assert health.leaks(data, "y")["estimate"].iloc[0] == pytest.approx(expected)


def test_numbers_are_banded_and_ids_left_out():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"id": [f"C{i}" for i in range(2000)], "fee": rng.normal(size=2000)})
    found = health.leaks(data.assign(left=data["fee"] > 0.3), "left").set_index("term")
    assert list(found.index) == ["fee"]
    assert found.loc["fee", "estimate"] > 0.9
    assert health.leaks(data.assign(left=rng.random(2000) < 0.3), "left")["estimate"].iloc[0] < 0.03


def test_an_outcome_of_three_values_is_refused():
    with pytest.raises(CxError, match="outcome 'y' must have two values"):
        health.leaks(pd.DataFrame({"y": [0, 1, 2] * 9, "x": [1, 2, 3] * 9}), "y")


def test_gaps_by_touchpoint_as_counted_by_pandas():
    tables = cx.load("data/example")
    surveys, ratings = tables.surveys.to_pandas(), tables.ratings.to_pandas()
    n = surveys["answered_at"].notna().sum()
    found = missing.touchpoint_gaps(tables).set_index("touchpoint")["estimate"]
    assert found.to_dict() == pytest.approx((1 - ratings.groupby("touchpoint")["survey_id"].nunique() / n).to_dict())
    assert found.is_monotonic_decreasing


def test_ratings_clicked_through_are_seen():
    rows = [(str(s), t, 3 if s < 5 else 1 + (s + t) % 5) for s in range(20) for t in range(6)]
    ratings = pd.DataFrame(rows, columns=["survey_id", "touchpoint", "rating"]).assign(
        touchpoint=lambda d: d["touchpoint"].map(str)
    )
    people = pd.DataFrame({"customer_id": ["1"], "signup_date": ["2025-01-01"], "end_date": [None]})
    part, table, _, n, flat, share, _, verdict = health._alike(
        cx.load({"customers": people, "ratings": ratings}).ratings
    )
    assert (part, table, n, flat, share, verdict) == ("scale", "ratings", 20, 5, 0.25, "look")


def test_the_example_is_clean(capsys):
    assert main(["check", "example"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"Bundled example, simulated: (\d+) checks: \1 ok, 0 to look at, 0 fail\n", out)
    assert err == ""


@pytest.mark.parametrize(
    ("tickets", "fault"),
    [
        (
            "7,1,2026-02-03 10:00,,2026-02-02 10:00,4\n",
            "tickets: resolved_at is not before opened_at: 1 of 2 rows are not so",
        ),
        ("7,1,2026-02-01 10:00,,,6\n", "tickets: csat is 1 to 5: 1 of 2 rows are not so, such as 6"),
        (
            "8,1,2026-02-01 10:00,,,4\n8,1,2026-02-01 10:00,,,4\n",
            "tickets: ticket_id is unique: 2 of 3 rows are not so",
        ),
        ("8,9,2026-02-01 10:00,,,4\n", "tickets: customer_id is in customers: 1 of 2 rows are not so"),
    ],
)
def test_a_broken_rule_is_one_line_and_exit_1(tmp_path, capsys, tickets, fault):
    assert main(["check", str(study(tmp_path, GOOD.replace("7,1", "5,1") + tickets))]) == 1
    out, err = capsys.readouterr()
    assert any(line.startswith(f"cx: fails: {fault}") for line in err.splitlines())
    assert out.startswith("Own: ") and len(out.splitlines()) == 1


@pytest.mark.parametrize(
    ("tickets", "words", "fault"),
    [
        ("7,1,yesterday,,,4\n", "",
         "tickets (tickets.csv): column 'opened_at' must be a stamp in every row, 1 value is not, such as 'yesterday'"),
        ("7,1,2026-03-29 02:30,,,4\n", 'timezone = "Europe/Berlin"\n',
         "tickets (tickets.csv): column 'opened_at': 1 stamp lies in an hour that clocks in Europe/Berlin skip, such "
         "as '2026-03-29 02:30'"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_exit_2(tmp_path, capsys, tickets, words, fault):
    assert main(["check", str(study(tmp_path, tickets, words))]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert fault in err


def test_stamps_with_and_without_an_offset_meet_by_rule(tmp_path):
    """An offset of its own counts; without one a stamp is local: 11:30 in Berlin is 10:30 UTC."""
    mixed = "7,1,2026-02-01 11:30,2026-02-01T11:00:00Z,2026-02-01T13:00:00+01:00,4\n"
    found = cx.read_study(study(tmp_path, mixed, 'timezone = "Europe/Berlin"\n')).tables.tickets.to_pandas()
    stamps = found.loc[0, ["opened_at", "first_response_at", "resolved_at"]]
    assert [str(stamp)[11:16] for stamp in stamps] == ["10:30", "11:00", "12:00"]


def test_stamps_just_beside_the_gap_and_in_the_repeated_hour_are_taken(tmp_path):
    rows = "7,1,2026-03-29 01:59,2026-03-29 03:00,,\n8,1,2026-10-25 02:30,,,\n"
    found = cx.read_study(study(tmp_path, rows, 'timezone = "Europe/Berlin"\n')).tables.tickets.to_pandas()
    assert str(found["first_response_at"][0] - found["opened_at"][0]) == "0 days 00:01:00"
    assert str(found["opened_at"][1]) == "2026-10-25 01:30:00"  # the later of the two, as declared


def test_the_page_needs_no_host_and_escapes_what_the_data_say(tmp_path, capsys):
    page = tmp_path / "deep" / "page.html"
    path = study(tmp_path, GOOD + "<b>9</b>,1,2026-02-03 10:00,,2026-02-02 10:00,9\n")
    path.write_text(path.read_text().replace('"Own"', '"<script>own</script>"'))
    assert main(["check", str(path), "--html", str(page)]) == 1
    text = page.read_text()
    assert "<script>own" not in text and "&lt;script&gt;own" in text
    hosts = set(re.findall(r"https?://([^/\"')\s]+)", text)) - {"www.w3.org"}  # names of drawings, not addresses
    assert hosts == set()
    assert "@import" not in text
    assert "resolved_at is not before opened_at" in text
    assert "<b>9</b>" not in text


@pytest.mark.real_data("telco_v11_services.csv", "telco_v11_status.csv", "telco_v11_demographics.csv")
def test_telco_leaks_are_looked_at_but_break_no_rule(real_data, capsys):
    assert main(["check", "ibm_telco"]) == 0
    err = capsys.readouterr().err
    assert "cx: look: frame: Satisfaction Score does not decide the outcome: it tells 71% of it" in err


def asked(tmp_path, surveys, words=""):
    (tmp_path / "customers.csv").write_text("customer_id,signup_date,end_date\n1,2025-01-01,\n")
    (tmp_path / "surveys.csv").write_text(
        "survey_id,customer_id,sent_at,answered_at,recommend,satisfaction\n" + surveys
    )
    (tmp_path / "own.toml").write_text(f'tables = "."\n{words}[experience]\n')
    found = cx.data_health(cx.read_study(tmp_path / "own.toml"))
    return found[found["part"].isin(["scale", "dates"])].set_index("rule")["verdict"].to_dict()


def test_a_scale_that_begins_at_one_and_a_satisfaction_the_wrong_way_round_are_looked_at(tmp_path):
    """A scale from 0 to 10 on which nobody chose 0 and half chose 1 is one from 1; satisfaction falls."""
    rows = [f"{i},1,2026-01-02,2026-01-03,{p},{s}\n" for i, (p, s) in enumerate(
        [*[(1, 5)] * 10, *((p, 3) for p in range(2, 10)), *[(10, 1)] * 4])]  # fmt: skip
    assert asked(tmp_path, "".join(rows)) == {
        "recommend is on the scale 0 to 10": "look", "satisfaction rises with recommend": "look",
        "no handful of rows is dated long after all others": "ok",
    }  # fmt: skip


def test_a_handful_of_dates_in_the_future_is_looked_at(tmp_path):
    """Where a study looks at an earlier day: at the last one, it is refused as it is read."""
    rows = "".join(f"{i},1,2025-01-01,2025-01-01,{i % 11},{1 + i % 5}\n" for i in range(2000))
    late = "late,1,2025-01-01,2035-01-03,9,5\n"
    words = '[landmark]\nas_of = "2024-12-01"\nhorizon_days = 1\n'
    assert asked(tmp_path, rows + late, words)["no handful of rows is dated long after all others"] == "look"


@pytest.mark.real_data("helpdesk_events.csv")
def test_a_log_of_closed_tickets_alone_is_looked_at(real_data, monkeypatch):
    monkeypatch.setenv("CX_REAL_DATA", str(real_data))
    found = cx.data_health(cx.read_study("help_desk")).set_index("rule")["verdict"]
    assert found["some tickets are still open"] == "look"
