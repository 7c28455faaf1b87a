"""The exports of data/exports: written anew they are the same, and their studies read them back as what they were.

The authority is the simulation that the exports were written from: what a study reads back must be what was simulated.
"""

import importlib.util
from datetime import timedelta

import pandas as pd
import pytest

import cxlib as cx
from cxlib.feeds import describe_study
from cxlib.study import ROOT, read_study, study_answers

EXPORTS = ROOT / "data" / "exports"
NAMES = {"Nord": "North", "Süd": "South", "Ost": "East", "West": "West"}


@pytest.fixture(scope="module")
def make():
    """The script that writes the exports."""
    spec = importlib.util.spec_from_file_location("make", EXPORTS / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def simulated(make):
    """The tables that the exports were written from."""
    return cx.load(cx.simulate(customers=make.CUSTOMERS, months=make.MONTHS, seed=make.SEED)[0])


@pytest.fixture(scope="module")
def study():
    return read_study("own_exports")


def frames(tables, name, key, *columns):
    """A table of simulated or exported tables, in the order of its key; ids without their letters."""
    frame = tables.present[name].to_pandas()
    for column in [column for column in frame if column.endswith("_id")]:
        frame[column] = frame[column].str.replace(r"^[A-Z]_?0*", "", regex=True).str.lstrip("0")
    return frame.sort_values(list(key), ignore_index=True)[[*key, *columns]]


def test_the_committed_exports_are_what_the_script_writes(make, tmp_path):
    make.write(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(written) == {path.name for path in EXPORTS.glob("*.csv")}
    for name, content in written.items():
        same = content == (EXPORTS / name).read_bytes()
        assert same, f"{name}: the simulation has changed; run python data/exports/make.py"


def test_the_list_of_customers_is_read_back(study, simulated):
    columns = ("region", "signup_date", "end_date", "end_kind", "stated_reason")
    read, made = (frames(tables, "customers", ["customer_id"], *columns) for tables in (study.tables, simulated))
    read["region"] = read["region"].map(NAMES)
    pd.testing.assert_frame_equal(read, made, check_dtype=False)
    ids = study.tables.customers.to_pandas("customer_id")["customer_id"]
    assert ids.str.fullmatch(r"0000\d{4}").all()  # "00000007" stays


def test_invoices_are_read_back_as_the_prices_they_charge(study, simulated, make):
    """Months, quarters, years, lines, credit notes: each price that held a whole month comes back on its day."""
    read, made = (frames(tables, "prices", ["customer_id", "valid_from"], "monthly_price")
                  for tables in (study.tables, simulated))  # fmt: skip
    ends = frames(simulated, "customers", ["customer_id"], "end_date").set_index("customer_id")["end_date"]
    last = ends.fillna(simulated.last_day) if ends.notna().any() else ends
    stop = made.groupby("customer_id")["valid_from"].shift(-1)
    stop = stop.fillna(made["customer_id"].map(last) + timedelta(1)).map(make.day_of)
    whole = [make.later(make.day_of(start), 1) <= end for start, end in zip(made["valid_from"], stop, strict=True)]
    wanted = made[whole].reset_index(drop=True)
    assert len(read) == len(wanted) > 500 > len(made) - len(wanted) > 10
    pd.testing.assert_frame_equal(read.assign(monthly_price=0), wanted.assign(monthly_price=0), check_dtype=False)
    assert (read["monthly_price"] - wanted["monthly_price"]).abs().max() < 0.0051  # an invoice has cents


def test_tickets_are_read_back_to_the_minute(study, simulated):
    columns = ("opened_at", "first_response_at", "resolved_at", "reopened", "escalated", "contacts", "csat", "topic")
    read, made = (frames(tables, "tickets", ["ticket_id"], *columns) for tables in (study.tables, simulated))
    assert len(read) == len(made) and (read["ticket_id"] == made["ticket_id"]).all()  # the deleted test is gone
    for stamp in ("opened_at", "first_response_at", "resolved_at"):
        assert (read[stamp].isna() == made[stamp].isna()).all()
        assert (read[stamp] - made[stamp]).dropna().abs().max() <= timedelta(minutes=1.5)
    for column in ("reopened", "escalated", "contacts", "topic"):
        assert (read[column] == made[column]).all(), column
    assert read["csat"].isna().equals(made["csat"].isna())
    assert ((read["csat"] == 1) == (made["csat"] <= 2)).all()


def test_answers_are_read_back_from_words(study, simulated):
    columns = ("answered_at", "recommend", "satisfaction", "effort", "comment")
    read, made = (frames(tables, "surveys", ["survey_id"], *columns) for tables in (study.tables, simulated))
    made = made[made["recommend"].notna() & made["answered_at"].notna()].reset_index(drop=True)
    pd.testing.assert_frame_equal(read, made, check_dtype=False)
    rated, given = (frames(tables, "ratings", ["survey_id", "touchpoint"], "rating")
                    for tables in (study.tables, simulated))  # fmt: skip
    given = given[given["survey_id"].isin(made["survey_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(rated, given, check_dtype=False)


@pytest.mark.parametrize("name", ["qualtrics", "surveymonkey"])
def test_a_survey_alone_gives_the_same_nps_and_the_same_answers(name, study):
    """Two systems wrote the same answers: their studies must hold the same columns."""
    alone, together = study_answers(read_study(name)), study_answers(study)
    for column in ("recommend", "satisfaction", *study.experience.drivers):
        there, here = (sorted(view.to_pandas(column)[column].dropna()) for view in (alone, together))
        assert there == here, column
    estimates = [cx.nps(view)["estimate"][0] for view in (alone, together)]
    assert estimates[0] == estimates[1]


def test_what_the_studies_feed():
    feeds = {name: describe_study(read_study(name)).query("feeds == 'yes'")["part"].tolist()
             for name in ("own_exports", "zendesk", "qualtrics", "surveymonkey")}  # fmt: skip
    assert {"fractions of attrition", "NPS and what moves it", "service measures"} <= set(feeds["own_exports"])
    assert "service measures" in feeds["zendesk"]
    assert "NPS and what moves it" in feeds["qualtrics"] and feeds["qualtrics"] == feeds["surveymonkey"]


def test_the_contract_holds_but_for_what_the_exports_do_not_say(study):
    findings = cx.validate(study.tables).query("failing > 0")
    assert findings[["table", "rule"]].to_numpy().tolist() == []
