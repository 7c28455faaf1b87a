"""Studies and their files as nobody should have written them, through `read_study`, `cx study` and `cx check`."""
# ruff: noqa: E501  (a fault is one line, however long)

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib import __main__ as command
from cxlib.study import read_study
from tests.hostile import NASTY, files, names, tried

patient = settings(suppress_health_check=list(HealthCheck))

FRAME = {
    "id": [f"{i:03}" for i in range(30)], "Support": ["Yes", "No"], "Fee": ["10", "89.4", "90"], "Score": ["0", "7", "10"],
    "Staff": ["1", "3", "5", ""], "Gone": ["Yes", "No"], "w": ["1", "2"], "Why": ["Price", "Staff", ""],
}  # fmt: skip
TABLES = {
    "customers": {"customer_id": ["1", "2", "3"], "region": ["North", "South"], "signup_date": ["2024-01-01", "2024-06-01"],
                  "end_date": ["", "2025-05-01"], "end_kind": ["", "voluntary"]},
    "tickets": {"ticket_id": [str(i) for i in range(9)], "customer_id": ["1", "2"], "opened_at": ["2025-01-01 10:00:00"],
                "resolved_at": ["", "2025-01-02 10:00:00"], "csat": ["1", "5", ""], "escalated": ["true", "false"]},
}  # fmt: skip


def toml(value):
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        signs = (sign if sign.isprintable() and sign not in '"\\' else f"\\U{ord(sign):08x}" for sign in value)
        return '"' + "".join(signs) + '"'
    return str(value)


SOUND = {
    "title": "x",
    "frame": {"file": "rows.csv", "customer": "id"},
    "columns": {"Fee": {"name": "fee_band", "bands": {"edges": [89.4], "labels": ["low", "high"]}}, "Score": {"name": "recommend"}},
    "attrition": {"outcome": "Gone", "left_value": "Yes", "causes": {"service": {"Support": {"No": "Yes"}}}, "adjust": ["fee_band"]},
    "experience": {"drivers": ["Staff"], "missing": "not_met", "weights": "w"},
    "reasons": {"column": "Why", "rules": {"strict": {"price": ["Price"]}}},
    "privacy": {"minimum_group": 10},
}  # fmt: skip
SOUND_TABLES = {
    "title": "x",
    "timezone": "Europe/Berlin",
    "tables": {"customers": {"file": "customers.csv"}, "tickets": {"file": "tickets.csv", "columns": {"csat": "csat"}}},
    "landmark": {"as_of": "latest", "lookback_days": 30, "horizon_days": 30},
    "attrition": {"causes": {"service": {"service_band": {"failed": "good"}}}, "adjust": ["region"]},
}  # fmt: skip
odd = st.recursive(
    st.sampled_from(NASTY) | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.booleans() | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def damaged(draw, study):
    """The study with one or two of its values or keys changed."""

    def copy(value):
        return {key: copy(one) for key, one in value.items()} if isinstance(value, dict) else value

    whole = copy(study)
    for _ in range(draw(st.integers(0, 2))):
        at = whole
        while True:
            key = draw(st.sampled_from(sorted(at)))
            if isinstance(at[key], dict) and at[key] and draw(st.integers(0, 3)):
                at = at[key]
                continue
            break
        match draw(st.integers(0, 3)):
            case 0:
                at[draw(names)] = draw(odd)
            case 1:
                at.pop(key)
            case _:
                at[key] = draw(odd)
        if not at and at is whole:
            break
    return whole


def written(folder, words, **contents):
    """The folder with the study and its files."""
    for name, content in contents.items():
        (folder / f"{name}.csv").write_bytes(content)
    text = "\n".join(f"{toml(key)} = {toml(value)}" for key, value in words.items())
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return folder / "own.toml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@patient
@given(words=damaged(SOUND), rows=files(FRAME, low=6, high=20))
def test_read_study_of_a_frame(folder, words, rows):
    tried(read_study, written(folder, words, rows=rows))


@patient
@given(words=damaged(SOUND_TABLES), customers=files(TABLES["customers"]), tickets=files(TABLES["tickets"]))
def test_read_study_of_tables(folder, words, customers, tickets):
    tried(read_study, written(folder, words, customers=customers, tickets=tickets))


def told(capsys, *arguments):
    """Exit code of a command whose faults are one line each."""
    code = command.main([str(argument) for argument in arguments])
    lines = capsys.readouterr().err.splitlines()
    assert code in (0, 1, 2), code
    assert not [line for line in lines if "--debug shows where" in line or not line.startswith("cx: ")], lines
    assert bool(lines) or code == 0
    return code


@patient
@given(words=damaged(SOUND) | damaged(SOUND_TABLES), rows=files(FRAME, low=6, high=20),
       customers=files(TABLES["customers"]), tickets=files(TABLES["tickets"]))  # fmt: skip
def test_cx_study(folder, capsys, words, rows, customers, tickets):
    told(capsys, "study", written(folder, words, rows=rows, customers=customers, tickets=tickets))


@patient
@given(words=damaged(SOUND) | damaged(SOUND_TABLES), rows=files(FRAME, low=6, high=20),
       customers=files(TABLES["customers"]), tickets=files(TABLES["tickets"]))  # fmt: skip
def test_cx_check(folder, capsys, words, rows, customers, tickets):
    told(capsys, "check", written(folder, words, rows=rows, customers=customers, tickets=tickets))


DAYS = ["01.01.2025", "15.03.2025", "30.06.2025", ""]
EXPORTS = {
    "accounts": {"Nummer": ["1", "2", "3"], "Region": ["Nord", "Süd"], "Beginn": ["01.01.2024", "31.12.2024"],
                 "Ende": ["31.12.9999", "01.06.2025", "-"], "Durch": ["", "Kunde", "Firma"]},
    "invoices": {"Nummer": ["1", "2"], "Von": DAYS, "Bis": DAYS, "Netto": ["10,50", "1.010,5", "-3,00", "0"]},
    "desk": {"Id": [str(i) for i in range(9)], "Requester id": ["1", "2"], "Status": ["Open", "Open", "Deleted"],
             "Created at": ["2025-01-01 10:00"], "Solved at": ["", "2025-01-02 10:00", "-"], "Reopens": ["0", "1"],
             "First reply": ["8", "1:30:00", ""], "Score": ["Good", "Bad", "Offered", ""]},
    "answers": {"Q0": [str(i) for i in range(9)], "Ref": ["1", "2"], "End": ["2025-03-01 08:30:00"], "Done": ["True", "True", "False"],
                "Q1": ["0", "7", "10", "-99"], "Q2_1": ["", "Good"], "Q2_2": ["", "Bad"], "Q4_1": ["Poor", "Fair", ""],
                "Q4_2": ["Fair", ""]},
    "log": {"Case": ["1", "2", "3"], "Stamp": ["2025-01-01 10:00:00", "2025-01-03 09:00:00", "2025-02-01"], "Who": ["1", "2"]},
}  # fmt: skip
HOW = {
    "accounts": {"delimiter": ";", "encoding": "cp1252", "before": ("Bericht", ""), "after": ("Summe;3",)},
    "invoices": {"delimiter": ";"},
    "answers": {"below": ("id,who,when,done,score,Good,Bad,app,billing",)},
}
SOUND_EXPORTS = {
    "timezone": "Europe/Berlin",
    "experience": {"drivers": ["app", "billing"], "missing": "not_met"},
    "tables": {
        "customers": {"file": "accounts.csv", "delimiter": ";", "encoding": "cp1252", "date_format": "%d.%m.%Y", "skip_rows": 2,
                      "footer_rows": 1, "missing": ["-", "31.12.9999"], "columns": {
                          "customer_id": "Nummer", "region": "Region", "signup_date": "Beginn", "end_date": "Ende",
                          "end_kind": {"column": "Durch", "recode": {"Kunde": "voluntary"}, "otherwise": "involuntary"}}},
        "prices": {"file": "invoices.csv", "delimiter": ";", "decimal": ",", "date_format": ["%d.%m.%Y"],
                   "invoices": {"customer": "Nummer", "starts": "Von", "ends": "Bis", "amount": "Netto"}},
        "tickets": {"file": "desk.csv", "keep": {"Status": ["Open"]}, "missing": ["-"], "columns": {
            "ticket_id": "Id", "customer_id": "Requester id", "opened_at": "Created at", "resolved_at": "Solved at",
            "first_response_at": {"column": "First reply", "after": "Created at", "unit": "minutes"},
            "reopened": {"column": "Reopens", "above": 0},
            "csat": {"column": "Score", "recode": {"Good": 5, "Bad": 1}, "missing": ["Offered"]}}},
        "surveys": {"file": "answers.csv", "header_rows": 2, "missing": [-99], "keep": {"Done": ["True"]}, "columns": {
            "survey_id": "Q0", "customer_id": "Ref", "sent_at": "End", "answered_at": "End", "recommend": "Q1",
            "satisfaction": {"first_of": ["Q2_1", "Q2_2"], "recode": {"Good": 5, "Bad": 1}}}},
        "ratings": {"file": "answers.csv", "header_rows": 2, "touchpoints": {"Q4_1": "app", "Q4_2": "billing"},
                    "columns": {"survey_id": "Q0", "rating": {"recode": {"Poor": 1, "Fair": 3}}}},
    },
}  # fmt: skip
SOUND_LOG = {
    "tables": {
        "tickets": {"file": "log.csv", "events": {"case": "Case", "at": "Stamp"}, "columns": {"customer_id": "Who"}}
    }
}
exports = st.fixed_dictionaries({name: files(columns, **HOW.get(name, {})) for name, columns in EXPORTS.items()})


@patient
@given(words=damaged(SOUND_EXPORTS) | damaged(SOUND_LOG), contents=exports, command=st.sampled_from(["study", "check"]))
def test_studies_of_exports(folder, capsys, words, contents, command):
    told(capsys, command, written(folder, words, **contents))


@patient
@given(
    st.binary(max_size=200)
    | st.text(st.characters(codec="utf-8"), max_size=80).map(str.encode)
    | st.sampled_from(["[" * 5000, "a." * 3000 + "b=1", "a={" * 2000, "x='''", "a=1\na=2", "\ufeff", "[[a]]\n[a]"]).map(
        str.encode
    )
)
def test_any_bytes_as_a_study(folder, content):
    (folder / "any.toml").write_bytes(content)
    assert tried(read_study, folder / "any.toml") is None
