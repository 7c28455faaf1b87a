"""Exports as five systems write them, of one invented company: the tables of a simulation in the spelling of each.

python data/exports/make.py [FOLDER]      (default: the folder of this script; the same files every time)

The quirks are those of the systems: titles and footers around a list, three rows of header, choices in columns of their
own, words for nothing, durations instead of stamps, lines and credit notes instead of prices. Nobody in them is real.
"""

from __future__ import annotations

import csv
import json
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

import cxlib as cx

CUSTOMERS, MONTHS, SEED = 400, 24, 12
HERE = ZoneInfo("Europe/Berlin")  # of the company's accounts
REGIONS = {"North": "Nord", "South": "Süd", "East": "Ost", "West": "West"}
SEGMENTS = {"consumer": "Privat", "small business": "Kleinbetrieb", "enterprise": "Großkunde"}
PLANS = {"basic": "Grundtarif", "standard": "Standard", "premium": "Premium (größer)"}
VIA = {
    "e-mail": "Mail",
    "phone": "Phone call (inbound)",
    "live chat": "Chat",
    "chatbot": "Chat",
    "social": "Twitter",
    "store": "Web form",
}
CONTENT = ("Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied")
AGREED = (
    *(
        "Strongly disagree|Disagree|Somewhat disagree|Neither agree nor disagree|Somewhat agree|Agree|Strongly agree"
    ).split("|"),
)
GOOD = ("Very poor", "Poor", "Fair", "Good", "Excellent")


def write(folder: Path) -> None:
    """All exports into a folder."""
    tables = cx.load(cx.simulate(customers=CUSTOMERS, months=MONTHS, seed=SEED)[0])
    seen = {name: view.to_pandas() for name, view in tables.present.items()}
    touchpoints = list(seen["ratings"]["touchpoint"].drop_duplicates().sort_values())
    last = tables.last_day
    with_rows = {
        "crm_accounts.csv": (accounts(seen["customers"]), {"delimiter": ";"}, "cp1252"),
        "invoices.csv": (invoices(seen["customers"], seen["prices"], last), {"delimiter": ";"}, "utf-8"),
        "zendesk_tickets.csv": (tickets(seen["tickets"]), {"quoting": csv.QUOTE_ALL}, "utf-8-sig"),
        "qualtrics_survey.csv": (qualtrics(seen["surveys"], seen["ratings"], touchpoints), {}, "utf-8-sig"),
        "surveymonkey_survey.csv": (surveymonkey(seen["surveys"], seen["ratings"], touchpoints), {}, "utf-8-sig"),
        "touchpoints.csv": (
            [list(seen["touchpoints"]), *seen["touchpoints"].astype(str).to_numpy().tolist()],
            {},
            "utf-8",
        ),
    }
    for name, (rows, spelling, encoding) in with_rows.items():
        with (folder / name).open("w", encoding=encoding, newline="") as file:
            csv.writer(file, lineterminator="\r\n", **spelling).writerows(rows)


def local(stamp: pd.Timestamp) -> datetime:
    """A stamp of the tables, naive UTC, as the company's clocks showed it."""
    return stamp.to_pydatetime().replace(tzinfo=ZoneInfo("UTC")).astimezone(HERE)


def number(customer_id: str) -> str:
    return customer_id.lstrip("C")


def there(value: object) -> bool:
    return not pd.isna(value)


def accounts(people: pd.DataFrame) -> list[list[str]]:
    """A list of a CRM: German, a title above, a footer below, the end of time for "still a customer"."""
    names = (
        "Kundennummer|Firma|E-Mail|Region|Segment|Tarif|Vertragsbeginn|Vertragsende|Beendet durch|Kündigungsgrund"
    ).split("|")
    rows = [["Bericht: Kunden und Verträge"], ["Stand: nach Abschluss des letzten Monats"], [], names]
    ended = {"voluntary": "Kunde", "involuntary": "Zahlungsverzug"}
    for i, one in enumerate(people.itertuples()):
        gone = there(one.end_date)
        rows.append(
            [
                number(one.customer_id),
                f"Muster {i + 1} GmbH",
                f"kunde{i + 1}@example.com",
                REGIONS[one.region],
                SEGMENTS[one.segment],
                PLANS[one.plan],
                f"{one.signup_date:%d.%m.%Y}",
                f"{one.end_date:%d.%m.%Y}" if gone else "31.12.9999",
                ended[one.end_kind] if gone else "-",
                one.stated_reason if there(one.stated_reason) else "-",
            ]
        )
    return [*rows, [], [f"Gesamt: {len(people)} Datensätze"], ["Vertraulich"]]


def invoices(people: pd.DataFrame, prices: pd.DataFrame, last: date) -> list[list[str]]:
    """Lines of invoices: months, quarters, years in advance, days at the end pro rata, some credited and made anew."""
    rows = [
        [
            *("Rechnung|Kundennummer|Rechnungsdatum|Leistung von|Leistung bis|Position|Netto|USt|Brutto").split("|"),
        ]
    ]
    ends = {one.customer_id: one.end_date if there(one.end_date) else last for one in people.itertuples()}
    held = prices.sort_values(["customer_id", "valid_from"]).groupby("customer_id")
    for i, (customer, own) in enumerate(held):
        days = [day_of(day) for day in own["valid_from"]]
        stops = [*days[1:], day_of(ends[customer]) + timedelta(1)]
        for start, stop, price in zip(days, stops, own["monthly_price"], strict=True):
            for first, after, amount in periods(start, stop, round(price, 2), (1, 3, 12)[i % 3]):
                again = 2 if (i + first.day + first.month) % 37 == 0 else 0
                for sign in (1, *(-1, 1)[:again]):
                    rows += lines(len(rows), number(customer), first, after, sign * amount, sign < 0, i % 4 == 0)
    return rows


def day_of(value: object) -> date:
    return pd.Timestamp(value).date()


def periods(start: date, stop: date, price: float, months: int) -> list[tuple[date, date, float]]:
    """What is charged from a day up to another: whole periods of so many months, then months, then days."""
    found, n = [], 0
    while True:
        first = later(start, n)
        step = months if later(start, n + months) <= stop else 1
        after = later(start, n + step)
        if first >= stop:
            return found
        if after > stop:
            share = (stop - first).days / (after - first).days
            return [*found, (first, stop, round(price * share, 2))]
        found.append((first, after, round(price * step, 2)))
        n += step


def later(day: date, months: int) -> date:
    return (pd.Timestamp(day) + pd.DateOffset(months=months)).date()


def lines(
    row: int, customer: str, first: date, after: date, amount: float, credit: bool, parted: bool
) -> list[list[str]]:
    parts = [("Grundpreis", round(0.8 * amount, 2)), ("Zusatzpaket", round(amount - round(0.8 * amount, 2), 2))]
    parts = parts if parted else [("Tarif", amount)]
    head = [
        f"{'GU' if credit else 'RE'}-{100000 + row}",
        customer,
        f"{first:%d.%m.%Y}",
        f"{first:%d.%m.%Y}",
        f"{after - timedelta(1):%d.%m.%Y}",
    ]
    return [[*head, name, *(comma(part * factor) for factor in (1, 0.19, 1.19))] for name, part in parts]


def comma(amount: float) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def tickets(made: pd.DataFrame) -> list[list[str]]:
    """Tickets as Zendesk exports a view: minutes from the opening, words for satisfaction, counts for flags."""
    rows = [
        [
            *(
                "Id|Requester|Requester id|Requester email|Assignee|Group|Subject|Tags|Status|Priority|Via|"
                "Ticket type|Created at|Solved at|Satisfaction Score|Group stations|Reopens|Replies|"
                "First reply time in minutes|Topic [list]"
            ).split("|"),
        ]
    ]
    for i, one in enumerate(made.itertuples()):
        answered, solved = there(one.first_response_at), there(one.resolved_at)
        opened = one.opened_at.floor("min")
        waited = round((one.first_response_at - one.opened_at).total_seconds() / 60) if answered else "-"
        rated = (
            {True: "Bad", False: "Good"}[one.csat <= 2] if there(one.csat) else ("Offered" if i % 3 else "Not Offered")
        )
        rows.append(
            [
                one.ticket_id.lstrip("T0"),
                f"Person {number(one.customer_id)}",
                number(one.customer_id),
                f"kunde{number(one.customer_id)}@example.com",
                f"Agent {i % 7 + 1}",
                ("First line", "Specialists")[one.escalated],
                f'Request, "{one.topic}"',
                one.topic.replace(" ", "_"),
                ("Open", "Solved")[solved],
                "-",
                VIA.get(one.channel, "API"),
                "Question",
                f"{local(opened):%Y-%m-%d %H:%M}",
                f"{local(one.resolved_at.ceil('min')):%Y-%m-%d %H:%M}" if solved else "",
                rated,
                1 + one.escalated,
                (1 + i % 2) * one.reopened,
                one.contacts if answered else 0,
                waited,
                one.topic,
            ]
        )
    test = [
        *(
            "99999001|Agent 1|1|agent1@example.com|Agent 1|First line|Test, please ignore|test|Deleted|-|"
            "Web form|Question|2025-01-01 09:00||Not Offered"
        ).split("|"),
        1,
        0,
        0,
        "-",
        "account",
    ]
    return [*rows, test]


def answered_by(surveys: pd.DataFrame, ratings: pd.DataFrame) -> list[tuple]:
    """The answered surveys, each with its ratings by touchpoint."""
    rated = {key: dict(zip(own["touchpoint"], own["rating"], strict=True)) for key, own in ratings.groupby("survey_id")}
    given = surveys[surveys["answered_at"].notna() & surveys["recommend"].notna()]
    return [(one, rated.get(one.survey_id, {})) for one in given.itertuples()]


def word(words: tuple[str, ...], point: object, nothing: str = "") -> str:
    return words[int(point) - 1] if there(point) else nothing


def qualtrics(surveys: pd.DataFrame, ratings: pd.DataFrame, touchpoints: list[str]) -> list[list[str]]:
    """Answers as Qualtrics exports them: codes, questions and import ids in three rows; -99 for no answer."""
    meta = (
        "StartDate|EndDate|Status|IPAddress|Progress|Duration (in seconds)|Finished|RecordedDate|ResponseId|"
        "ExternalReference|DistributionChannel|UserLanguage"
    ).split("|")
    said = (
        "Start Date|End Date|Response Type|IP Address|Progress|Duration (in seconds)|Finished|Recorded Date|"
        "Response ID|External Data Reference|Distribution Channel|User Language"
    ).split("|")
    asked = [
        "How likely are you to recommend us to a friend\nor colleague? - Group",
        "How likely are you to recommend us to a friend\nor colleague?",
        "Overall, how satisfied are you?",
        "The company made it easy for me.",
        *(f"How was our ... ? - {name}" for name in touchpoints),
        "What is the reason for your score?",
        "Weight",
    ]
    codes = [*meta, "Q1_NPS_GROUP", "Q1", "Q2", "Q3", *(f"Q4_{i + 1}" for i in range(len(touchpoints))), "Q5", "weight"]
    ids = [json.dumps({"ImportId": name} | ({"timeZone": HERE.key} if name.endswith("Date") else {})) for name in codes]
    rows = [codes, said + asked, ids]
    for i, (one, rated) in enumerate(answered_by(surveys, ratings)):
        end = local(one.answered_at)
        seconds = 60 + 7 * i % 240
        head = [
            f"{end - timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}",
            f"{end:%Y-%m-%d %H:%M:%S}",
            "IP Address",
            f"192.0.2.{i % 250}",
            100,
            seconds,
            "True",
            f"{end + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}",
            f"R_{one.survey_id[-9:]}",
            number(one.customer_id),
            "email",
            "EN",
        ]
        group = {9: "Promoter", 10: "Promoter", 7: "Passive", 8: "Passive"}.get(int(one.recommend), "Detractor")
        rows.append(
            [
                *head,
                group,
                int(one.recommend),
                word(CONTENT, one.satisfaction, "-99"),
                word(AGREED, one.effort, "-99"),
                *(word(GOOD, rated.get(name, np.nan)) for name in touchpoints),
                one.comment if there(one.comment) else "",
                one.weight,
            ]
        )
    width = len(touchpoints)
    preview = [
        "2025-01-02 10:00:00",
        "2025-01-02 10:01:00",
        "Survey Preview",
        "",
        100,
        60,
        *("True|2025-01-02 10:01:01|R_preview001||preview|EN|Promoter").split("|"),
        10,
        CONTENT[4],
        AGREED[6],
        *[GOOD[4]] * width,
        "Test",
        1,
    ]
    partial = [
        "2025-01-03 10:00:00",
        "2025-01-03 10:00:09",
        "IP Address",
        "192.0.2.251",
        10,
        9,
        *("False|2025-01-10 10:00:09|R_partial001||email|EN|||-99|-99").split("|"),
        *[""] * width,
        "",
        1,
    ]
    return [*rows, preview, partial]


def surveymonkey(surveys: pd.DataFrame, ratings: pd.DataFrame, touchpoints: list[str]) -> list[list[str]]:
    """The same answers as SurveyMonkey exports them: questions over several columns, named in a second row."""
    meta = (
        "Respondent ID|Collector ID|Start Date|End Date|IP Address|Email Address|First Name|Last Name|Customer number"
    ).split("|")
    first = [
        *meta,
        "How likely is it that you would recommend us to a friend or colleague?",
        "Overall, how satisfied are you with us?",
        *[""] * 4,
        "Please rate what you have met:",
        *[""] * (len(touchpoints) - 1),
        "What is the reason for your score?",
    ]
    second = [*[""] * len(meta), "", *reversed(CONTENT), *touchpoints, "Open-Ended Response"]
    rows = [first, second]
    for i, (one, rated) in enumerate(answered_by(surveys, ratings)):
        end = local(one.answered_at)
        recommend = {10: "10 - Extremely likely", 0: "0 - Not at all likely"}.get(
            int(one.recommend), int(one.recommend)
        )
        chosen = [
            name if there(one.satisfaction) and CONTENT[int(one.satisfaction) - 1] == name else ""
            for name in reversed(CONTENT)
        ]
        rows.append(
            [
                11800000000 + 13 * i,
                400123456,
                f"{end - timedelta(seconds=90):%m/%d/%Y %I:%M:%S %p}",
                f"{end:%m/%d/%Y %I:%M:%S %p}",
                f"192.0.2.{i % 250}",
                f"kunde{number(one.customer_id)}@example.com",
                "",
                "",
                number(one.customer_id),
                recommend,
                *chosen,
                *(int(rated[name]) if name in rated else "" for name in touchpoints),
                one.comment if there(one.comment) else "",
            ]
        )
    return rows


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
