"""What tells who somebody is, found by name and by value; what only looks like it; and what a study then refuses."""
# ruff: noqa: E501  (a fault is one line, however long)

import pandas as pd
import pytest

from cxlib import engine, personal
from cxlib.errors import CxError
from cxlib.jobs import plan_jobs
from cxlib.parameters import find_notebooks
from cxlib.promoters import nps
from cxlib.scope import study_of_group, study_scope
from cxlib.study import read_study, study_answers, study_frame
from cxlib.wording import visible
from tests.hostile import NASTY

NAMES = ("Name", "name", "Customer Name", "customer_name", "CustomerName", "First name", "lastName", "Vorname", "Prénom", "SURNAME",
         "agent name", "author")  # fmt: skip
PLACES = ("Address", "street", "Street address", "Postal Address", "Adresse", "Straße")
BIRTHS = ("date of birth", "DateOfBirth", "birth_date", "DOB", "Geburtsdatum")
PLAIN = ("Plan name", "product_name", "touchpoint", "region", "Phone Service", "names of plans", "renamed", "E-mail contact",
         "IP rating", "address changed", "Delivery", "birth rate", "", "???")  # fmt: skip


@pytest.mark.parametrize(
    ("header", "kind"),
    [(name, "names") for name in NAMES]
    + [(name, "addresses") for name in PLACES]
    + [(name, "days of birth") for name in BIRTHS]
    + [(name, "") for name in PLAIN],
)
def test_headers(header, kind):
    assert personal.header_kind(header) == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("jo@example.org", "e-mail addresses"),
        ("Jo Smith <JO@EXAMPLE.ORG>", "e-mail addresses"),
        ("jo (at) example (dot) org", "e-mail addresses"),
        ("j\u200bo＠example.org", "e-mail addresses"),
        ("4111 1111 1111 1111", "card numbers"),
        ("4111-1111-1111-1111", "card numbers"),
        ("DE89 3704 0044 0532 0130 00", "account numbers"),
        ("+49 30 901820", personal.PHONES),
        ("020 7946 0018", personal.PHONES),
        ("(0)30/901820", personal.PHONES),
        ("tel. 0049-30-901820", personal.PHONES),
        ("call me on +44 20 7946 0018", personal.PHONES),
        ("192.168.0.17", "network addresses"),
    ],
)
def test_values_that_tell_somebody(value, kind):
    assert personal.value_kind(value) == kind


@pytest.mark.parametrize(
    "value",
    ["North", "", "2026-03-31", "31.03.2026", "2026-03-31 10:00:00", "3/31/2026", "10,000,000", "1234567", "5 to 10", "e-mail",
     "[e-mail]", "4111 1111 1111 1112"[:9], "Price too high", "007", "v1.2.3", "under 6 months", "N/A", "@ home", "50 %"],
)  # fmt: skip
def test_values_that_tell_nobody(value):
    assert personal.value_kind(value) == ""


@pytest.mark.parametrize("value", NASTY)
def test_any_value_is_looked_at_without_harm(value):
    assert isinstance(personal.value_kind(value), str) and isinstance(personal.header_kind(value), str)


STUDY = """
[frame]
file = "rows.csv"
customer = "id"
[attrition]
outcome = "left"
causes = {{service = {{support = {{bad = "good"}}}}}}
adjust = ["{adjust}"]
[privacy]
allow = {allow}
"""


@pytest.fixture
def study(tmp_path):
    rows = pd.DataFrame({
        "id": [f"C{i}" for i in range(200)], "left": [int(i % 4 == 0) for i in range(200)],
        "support": ["bad", "good"] * 100, "region": ["North", "South"] * 100,
        "Agent": ["Support desk"] * 198 + ["jo@example.org"] * 2, "Customer name": ["Ann", "Bob"] * 100,
        "desk": ["+49 30 901820", "+49 30 901821"] * 100,
    })  # fmt: skip

    def write(adjust="region", allow="[]"):
        rows.to_csv(tmp_path / "rows.csv", index=False)
        (tmp_path / "own.toml").write_text(STUDY.format(adjust=adjust, allow=allow))
        return tmp_path / "own.toml"

    return write


def faults(function, *args, **kwargs):
    with pytest.raises(CxError) as caught:
        function(*args, **kwargs)
    return list(caught.value.faults)


def shows(name, kind):
    return (
        f"own.toml: column '{name}' must not tell who somebody is, it looks as if it held {kind}, and pages would show them; "
        f'recode or leave it out, or, if nobody is told by it, allow it: [privacy] allow = ["{name}"]'
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("Agent", "e-mail addresses"), ("Customer name", "names"), ("desk", personal.PHONES)]
)
def test_a_column_that_pages_show_is_refused_unless_allowed(study, name, kind):
    assert faults(read_study, study(name)) == [shows(name, kind)]
    allowed = read_study(study(name, f'["{name}"]'))
    assert name not in allowed.private
    assert "North" not in allowed.frame.to_pandas(name)[name].tolist()


def test_one_value_of_many_is_enough():
    frame = pd.DataFrame({"a": [f"level {i}" for i in range(5000)] + ["jo@example.org"], "b": "x"})
    assert personal.personal(engine.view(frame), {"a": "a", "b": "b"}) == {"a": "e-mail addresses"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"level {i}" for i in range(60)] + ["jo@example.org"], "e-mail addresses"),  # in the rows that are searched
        ([f"level {i}" for i in range(200)] + ["jo@example.org"], ""),  # beyond them: no page groups by 200 of 200
        (
            [f"level {i % 9}" for i in range(200)] + ["jo@example.org"],
            "e-mail addresses",
        ),  # few values: all are looked at
        ([f"{i} (at) example (dot) org" for i in range(200)], "e-mail addresses"),
        ([f"level {i}" for i in range(200)], ""),
    ],
)
def test_of_too_many_values_for_groups_the_first_rows_are_searched(values, kind, monkeypatch):
    """So that ten million distinct texts are read in 120 MB."""
    monkeypatch.setattr(personal, "MANY", 40)
    monkeypatch.setattr(personal, "ROWS", 100)
    found = personal.personal(engine.view(pd.DataFrame({"a": values})), {"a": "a"})
    assert found == ({"a": kind} if kind else {})


def test_columns_that_are_not_named_are_hashed_and_compare_as_before(study):
    read = read_study(study())
    assert read.private == {"id": "ids", "Agent": "e-mail addresses", "Customer name": "names", "desk": personal.PHONES}
    seen = read.frame.to_pandas()
    told = " ".join(seen[["Agent", "Customer name", "desk"]].astype(str).to_numpy().ravel())
    assert not any(word in told for word in ("@", "Ann", "Bob", "+49", "desk"))
    assert [seen[name].nunique() for name in ("Agent", "Customer name", "desk")] == [2, 2, 2]
    assert seen["region"].tolist() == ["North", "South"] * 100  # what tells nobody stays


ASKED = "'Customer name' cannot tell groups: it looks as if it held names; choose another column, or allow it in the study: "


def test_no_group_is_told_by_a_column_that_names_people(study):
    path = study()
    read = read_study(path)
    for function in (study_frame, study_answers):
        assert faults(function, read, only_column="Customer name", only_value="Ann") == [
            f"only_column: {ASKED}[privacy] allow"
        ]
    assert faults(study_of_group, read, "Agent", "x")[0].startswith("only_column: 'Agent' cannot tell groups: it looks")
    assert faults(study_scope, read, only_column="id", only_value="C1") == [
        "only_column: 'id' cannot tell groups: it holds ids, and a page must not name anybody; choose a column of groups"
    ]
    given = {"study": str(path), "only_column": "Customer name", "only_value": "Ann"}
    assert ASKED in faults(plan_jobs, find_notebooks(["02"]), given)[0]


def test_what_is_allowed_must_be_there(study):
    assert faults(read_study, study(allow='["Agnt"]')) == [
        "own.toml: privacy.allow: no column 'Agnt'; did you mean 'Agent'? There are: 'id', 'left', 'support', 'region', "
        "'Agent', 'Customer name', 'desk'"
    ]


def people(**columns):
    plain = {"customer_id": [str(i) for i in range(60)], "signup_date": "2024-01-01", "end_date": ""}
    return pd.DataFrame(plain | columns)


@pytest.mark.parametrize(
    ("columns", "study", "told"),
    [
        ({"region": "jo@example.org"}, "", "customers: column 'region' must not tell who somebody is, it looks as if it held e-mail"),
        ({"Name": "Jo"}, '[tables.customers.columns]\nsegment = "Name"\n',
         "customers: column 'segment' must not tell who somebody is, it looks as if it held names"),
    ],
)  # fmt: skip
def test_columns_of_tables(tmp_path, columns, study, told):
    people(**columns).to_csv(tmp_path / "customers.csv", index=False)
    (tmp_path / "own.toml").write_text(f'[tables.customers]\nfile = "customers.csv"\n{study}')
    (line,) = [fault for fault in faults(read_study, tmp_path / "own.toml") if "landmark" not in fault]
    assert line.startswith(f"own.toml: {told}")


def test_ids_and_comments_of_tables_tell_no_group():
    read = read_study("example")
    assert {"customer_id", "survey_id", "comment", "referred_by"} <= set(read.private)
    assert not {"region", "segment", "plan", "stated_reason", "channel"} & set(read.private)
    told = faults(study_frame, read, only_column="customer_id", only_value="C1")
    assert told[0].startswith(
        "only_column: 'customer_id' cannot tell groups: it holds ids, and a page must not name anybody"
    )


def test_a_table_does_not_name_single_people():
    frame = pd.DataFrame({"recommend": [9, 3, 7] * 20, "who": [f"person {i}" for i in range(60)]})
    assert faults(visible, nps(frame, by="who")) == [
        "groups by who: most must be of several people, 60 of 60 are of one, so that their names tell who it is; choose a "
        "column of groups"
    ]
    assert len(visible(nps(frame[:20], by="who"))) == 20
