"""The shipped studies: the bundled example, and public data where they are, against a pandas reading of our own."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib import engine
from cxlib.errors import CxError
from cxlib.feeds import describe_study, lacks
from cxlib.study import STUDIES, read_study, study_answers, study_frame

TELCO = ("telco_v11_services.csv", "telco_v11_status.csv", "telco_v11_demographics.csv")
ADJUST = ["Internet Type", "Contract", "Tenure in Months", "Number of Referrals", "Senior Citizen", "Dependents"]
TOUCHPOINTS = {
    "Q7ART": "artwork", "Q7FOOD": "restaurants", "Q7STORE": "shops", "Q7SIGN": "signs",
    "Q7WALKWAYS": "escalators and walkways", "Q7SCREENS": "screens", "Q9BOARDING": "clean boarding areas",
    "Q9RESTROOM": "clean restrooms", "Q10SAFE": "feeling safe", "Q13GETRATE": "getting there",
    "Q14FIND": "finding the way", "Q14PASSTHRU": "security screening",
}  # fmt: skip


def feeds(study) -> dict[str, str]:
    told = describe_study(study)
    return dict(zip(told["part"], told["feeds"], strict=True))


def test_the_example_feeds_everything_and_its_service_is_what_its_touchpoints_say():
    study = read_study("example")
    assert lacks(study, "attrition") == lacks(study, "experience") == lacks(study, "groups") == ""
    touchpoints = study.tables.touchpoints.to_pandas()
    rated = set(study.tables.ratings.to_pandas("touchpoint")["touchpoint"])
    service = set(touchpoints.loc[touchpoints["is_service"], "touchpoint"]) & rated
    assert set(study.experience.groups["service"]) == service
    assert set(study.experience.drivers) == rated
    assert rated <= set(study_answers(study).at)
    frame = study_frame(study)
    assert set(study.attrition.adjust) <= set(frame.at)
    assert 0.02 < frame.to_pandas("left")["left"].mean() < 0.2


@pytest.fixture
def telco(real_data, monkeypatch):
    monkeypatch.setenv("CX_REAL_DATA", str(real_data))
    parts = [pd.read_csv(real_data / name, keep_default_na=False, dtype={"Customer ID": str}) for name in TELCO]
    joined = parts[0].merge(parts[1].drop(columns=["Count", "Quarter"]), on="Customer ID", validate="1:1")
    joined = joined.merge(parts[2].drop(columns="Count"), on="Customer ID", validate="1:1")
    return joined[joined["Internet Service"] == "Yes"].sort_values("Customer ID", ignore_index=True)


@pytest.mark.real_data(*TELCO)
def test_telco_holds_the_internet_customers_of_the_reference(telco, reference):
    study = read_study("ibm_telco")
    frame = study_frame(study).to_pandas().sort_values("Customer ID", ignore_index=True)
    assert len(frame) == len(telco) == 5517
    # telco_paf.csv, column P: the share of churners in the frame that the R script fitted.
    assert frame["Churn Label"].mean() == pytest.approx(pd.read_csv(reference / "telco_paf.csv")["P"][0], abs=1e-12)
    assert frame["Churn Label"].tolist() == (telco["Churn Value"] == 1).tolist()
    assert (frame["price_band"] == "high").tolist() == (telco["Monthly Charge"] > 89.4).tolist()
    assert (frame["extra_data"] == "charged").tolist() == (telco["Total Extra Data Charges"] > 0).tolist()
    for name in ["Customer ID", "Premium Tech Support", "Online Security", *ADJUST]:
        assert frame[name].tolist() == telco[name].tolist()
    assert set(frame["Offer"]) == {"None", "Offer A", "Offer B", "Offer C", "Offer D", "Offer E"}  # "None" is an offer


@pytest.mark.real_data(*TELCO)
def test_telco_feeds_attrition_and_lacks_a_survey(telco):
    study = read_study("ibm_telco")
    assert feeds(study) == {
        "service beside the experience": "no",
        "NPS, CSAT and CES": "no",
        "attrition rate": "yes",
        "service measures": "no",
        "control charts and change": "no",
        "fractions of attrition": "yes",
        "stated reasons": "yes",
        "NPS and what moves it": "no",
        "service against the rest": "no",
        "stages, scope and who starts": "no",
        "contacts that could be prevented": "no",
        "switches of channel": "no",
        "the closed loop": "no",
        "what comments are about": "no",
        "retention by NPS class": "no",
        "from service through the score to leaving": "no",
        "word of mouth": "no",
        "referrals": "no",
        "return on an improvement": "yes",
        "the data contract": "no",
        "leaks": "yes",
        "missing ratings": "no",
        "service and price in attrition": "yes",
        "great service in a poor experience": "no",
        "who tells others": "no",
        "contacts that could be avoided": "no",
    }
    assert study.attrition.adjust == ADJUST
    numbers = [name for name in ADJUST if study.frame.kind[name] == engine.NUMBER]
    assert numbers == ["Tenure in Months", "Number of Referrals"]


@pytest.mark.real_data(*TELCO)
def test_telco_rules_code_as_many_reasons_as_the_methods_say(real_data, monkeypatch):
    """Authority: 357, 420 and 449 service and 211 price reasons among 1,869 (status table, all customers)."""
    monkeypatch.setenv("CX_REAL_DATA", str(real_data))
    rules = read_study("ibm_telco").reasons.rules
    reasons = pd.read_csv(real_data / "telco_v11_status.csv")["Churn Reason"].dropna()
    assert len(reasons) == 1869
    assert [reasons.isin(rule["service"]).sum() for rule in rules.values()] == [357, 420, 449]
    assert [reasons.isin(rule["price"]).sum() for rule in rules.values()] == [211, 211, 211]


@pytest.fixture
def sfo(real_data, monkeypatch):
    monkeypatch.setenv("CX_REAL_DATA", str(real_data))
    frame = pd.read_csv(real_data / "sfo_2017.csv", dtype=str, keep_default_na=False)
    ratings = frame[list(TOUCHPOINTS)].astype(float)
    numbers = ratings.where(ratings.isin([1, 2, 3, 4, 5])).rename(columns=TOUCHPOINTS)
    score = pd.to_numeric(frame["NETPRO"])
    return numbers.assign(recommend=score.where(score <= 10), weight=frame["WEIGHT"].astype(float))


@pytest.mark.real_data("sfo_2017.csv")
def test_sfo_gaps_are_gaps_and_ratings_are_numbers(sfo):
    study = read_study("sfo_survey")
    frame = study_frame(study).to_pandas()
    assert len(frame) == 2831
    pd.testing.assert_frame_equal(frame[sfo.columns], sfo, check_dtype=False)
    assert study.experience.drivers == list(TOUCHPOINTS.values())
    assert len(frame[["recommend", *study.experience.drivers]].dropna()) == 1389
    assert set(frame["departure"]) == {"morning", "midday", "evening"}


@pytest.mark.real_data("sfo_2017.csv")
def test_sfo_agrees_with_the_reference_on_who_answered(sfo, reference):
    frame = read_study("sfo_survey").frame.to_pandas()
    by_area = pd.read_csv(reference / "sfo2017_nps_by_area.csv").set_index("seg")["n"]
    assert frame.dropna(subset="recommend").groupby("boarding_area").size().to_dict() == by_area.to_dict()
    assert frame["recommend"].count() == pd.read_csv(reference / "sfo2017_kish.csv")["n"][0]


@pytest.mark.real_data("sfo_2017.csv")
def test_sfo_feeds_experience_and_lacks_attrition(sfo):
    study = read_study("sfo_survey")
    assert feeds(study)["fractions of attrition"] == "no"
    assert feeds(study)["NPS and what moves it"] == feeds(study)["service against the rest"] == "yes"
    assert lacks(study, "attrition") == "This study has no [attrition] with causes: it cannot say why customers left."
    grouped = [name for members in study.experience.groups.values() for name in members]
    assert sorted(grouped) == sorted(study.experience.drivers)


@pytest.mark.real_data("mobi.csv")
def test_mobi_declares_its_scale_and_its_groups(real_data, monkeypatch):
    monkeypatch.setenv("CX_REAL_DATA", str(real_data))
    study = read_study("ecsi_mobile")
    frame, own = study.frame.to_pandas(), pd.read_csv(real_data / "mobi.csv")
    assert len(frame) == 250
    pd.testing.assert_frame_equal(frame, own, check_dtype=False)
    assert study.experience.scale == [1, 10]
    assert study.experience.groups["service"] == ["PERQ3", "CUSCO"]
    assert study.experience.groups["price"] == ["PERV1", "PERV2"]


@pytest.mark.real_data("mobi.csv")
def test_mobi_without_its_scale_is_refused(real_data, tmp_path):
    text = (STUDIES / "ecsi_mobile.toml").read_text().replace("../real", real_data.as_posix())
    (tmp_path / "study.toml").write_text(text.replace("scale = [1, 10]", "scale = [0, 9]"))
    tens = (pd.read_csv(real_data / "mobi.csv")["CUSL3"] == 10).sum()
    with pytest.raises(CxError, match=f"'CUSL3' must lie on the scale 0 to 9, {tens} rows hold '10'; name values"):
        read_study(tmp_path / "study.toml")


@pytest.mark.real_data("helpdesk_events.csv")
def test_the_help_desk_is_its_log_grouped_by_pandas(real_data, reference, monkeypatch):
    """R's 3,804 cases, each from its first event to its last; a study of tickets alone feeds no other part."""
    monkeypatch.setenv("CX_REAL_DATA", str(real_data))
    study = read_study("help_desk")
    events = pd.read_csv(real_data / "helpdesk_events.csv", parse_dates=["CompleteTimestamp"], dtype={"CaseID": str})
    cases = events.groupby("CaseID")["CompleteTimestamp"].agg(["min", "max"])
    found = study.tables.tickets.to_pandas().set_index("ticket_id").sort_index()
    expected = pd.read_csv(reference / "helpdesk_events_metrics.csv").set_index("metric")["value"]
    assert len(found) == expected["cases"]
    assert found.index.tolist() == cases.index.tolist()
    assert found["opened_at"].tolist() == cases["min"].tolist()
    assert found["resolved_at"].tolist() == cases["max"].tolist()
    assert list(study.tables.present) == ["tickets"]
    assert study.attrition is None
    assert study.experience is None


@pytest.mark.real_data("helpdesk_events.csv")
@pytest.mark.parametrize("as_of", ["2011-07-01", "2011-10-01", "2012-01-01", "2012-04-01", "2012-07-01"])
def test_open_tickets_of_an_earlier_day_tell_what_the_log_showed_later(real_data, monkeypatch, as_of):
    """Known truth: the same cases to their end, in the whole log. Closed tickets alone look faster every time."""
    monkeypatch.setenv("CX_REAL_DATA", str(real_data))
    study = read_study("help_desk")
    scope = cx.study_scope(study, as_of, 90)
    every = study.tables.tickets.to_pandas()
    cases = every[every["opened_at"].between(str(scope.first), str(scope.end), inclusive="left")]
    hours = (cases["resolved_at"] - cases["opened_at"]).dt.total_seconds() / 3600
    truth = {"median": hours.quantile(0.5), "percentile_90": hours.quantile(0.9), "within_target": (hours <= 72).mean()}
    whole, alone = (cx.resolution_time(tickets, target=72, as_of=scope.as_of).set_index("measure")
                    for tickets in (scope.desk, scope.closed))  # fmt: skip
    assert whole.loc["still_open", "n"] == len(cases)
    for measure, true in truth.items():
        assert whole.loc[measure, "lower"] <= true <= whole.loc[measure, "upper"]
        slower = alone.loc[measure, "estimate"] < true
        assert slower if measure != "within_target" else not slower
