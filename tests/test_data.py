"""Loading the seven tables, the last day they cover, files of all spellings, and the data contract."""
# ruff: noqa: E501  (a fault is one line, however long)

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cxlib as cx
from cxlib import data, engine, files, schema
from cxlib.data import load, validate
from cxlib.errors import CxError, LostData
from cxlib.simulation import simulate

CSV = "customer_id,signup_date,end_date,region\n007,2025-01-31,,North\n08,2025-02-01,2026-01-01,None\n"


def people(**columns):
    base = {"customer_id": ["007", "08"], "signup_date": [date(2025, 1, 31), date(2025, 2, 1)]}
    return pd.DataFrame({**base, "end_date": [None, date(2026, 1, 1)], **columns})


def faults(source) -> list[str]:
    with pytest.raises(CxError) as error:
        load(source)
    return list(error.value.faults)


@pytest.fixture(scope="module")
def simulated():
    return simulate(customers=120, seed=1)[0]


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars lazy", "arrow", "duckdb", "view", "csv", "parquet"])
def test_tables_load_from_frames_and_folders_alike(tmp_path, kind):
    frame = people(region=["North", "None"])
    if kind == "csv":
        (tmp_path / "customers.csv").write_text(CSV)
    if kind == "parquet":
        frame.to_parquet(tmp_path / "customers.parquet")
    makers = {
        "pandas": lambda: frame,
        "polars": lambda: pl.from_pandas(frame),
        "polars lazy": lambda: pl.from_pandas(frame).lazy(),
        "arrow": lambda: pa.Table.from_pandas(frame),
        "duckdb": lambda: duckdb.from_arrow(pa.Table.from_pandas(frame)),
        "view": lambda: engine.view(frame),
    }
    tables = load({"customers": makers[kind]()} if kind in makers else tmp_path)
    found = tables.customers.to_pandas().sort_values("customer_id", ignore_index=True)
    assert found["customer_id"].tolist() == ["007", "08"]
    assert found["region"].tolist() == ["North", "None"]
    assert pd.to_datetime(found["signup_date"]).dt.date.tolist() == [date(2025, 1, 31), date(2025, 2, 1)]
    assert found["end_date"].isna().tolist() == [True, False]
    assert tables.last_day == date(2026, 1, 1)
    assert [path.name for path in tables.files] == ([f"customers.{kind}"] if kind in ("csv", "parquet") else [])


def test_a_folder_and_a_mapping_of_all_tables_hold_the_same(tmp_path, simulated):
    for i, (name, frame) in enumerate(simulated.items()):
        write = frame.to_parquet if i % 2 else lambda path, frame=frame: frame.to_csv(path, index=False)
        write(tmp_path / f"{name}.{'parquet' if i % 2 else 'csv'}")
    (tmp_path / "codebook.csv").write_text("table,column\n")
    (tmp_path / "truth.json").write_text("{}")
    first, second = load(tmp_path), load(simulated)
    assert list(first.present) == list(second.present) == list(schema.TABLES)
    assert first.last_day == second.last_day
    for name in schema.TABLES:
        key = [column.name for column in schema.TABLES[name] if column.kind == "id"] or ["touchpoint"]
        left, right = (
            tables.present[name].to_pandas().sort_values(key, kind="stable", ignore_index=True)
            for tables in (first, second)
        )
        pd.testing.assert_frame_equal(left, right, check_dtype=False)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [(["007", "08"], ["007", "08"]), ([7, 8], ["7", "8"]), (pd.Categorical(["b", "a"]), ["b", "a"])],
)
def test_ids_are_texts(ids, expected):
    assert load({"customers": people(customer_id=ids)}).customers.to_pandas()["customer_id"].tolist() == expected


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (pd.Timestamp("2026-01-01 12:00"), "2026-01-01 12:00:00"),
        (pd.Timestamp("2026-01-01 12:00", tz="Europe/Berlin"), "2026-01-01 11:00:00"),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "2026-01-01 12:00:00"),
        (date(2026, 1, 1), "2026-01-01 00:00:00"),
        ("2026-01-01 12:00:00", "2026-01-01 12:00:00"),
        ("2026-01-01T12:00:00+02:00", "2026-01-01 10:00:00"),
    ],
)
def test_stamps_become_naive_utc(stamp, expected):
    rows = {"interaction_id": ["i"], "customer_id": ["007"], "at": [stamp], "touchpoint": ["app"]}
    tables = load({"customers": people(), "interactions": pd.DataFrame(rows)})
    assert str(tables.interactions.to_pandas()["at"][0]) == expected


def test_columns_of_no_use_are_left_out_and_the_rest_stays_lazy():
    tables = load({"customers": people(shoe_size=[41, 42])})
    assert list(tables.customers.at) == ["customer_id", "signup_date", "end_date"]
    assert isinstance(tables.customers.frame.to_native(), duckdb.DuckDBPyRelation)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"custmers": people()}, ["load: no table 'custmers'; did you mean 'customers'? There are: 'customers', 'prices', 'surveys', 'ratings', 'tickets', 'interactions', 'touchpoints'"]),
        ({}, ["no table 'customers': the one table that must be there, one row per customer; add it"]),
        ({"customers": people().rename(columns={"signup_date": "signup"})}, ["customers: no column 'signup_date'; did you mean 'signup'? There are: 'customer_id', 'signup', 'end_date'"]),
        ({"customers": people(customer_id=[7.0, 8.5])}, ["customers: column 'customer_id' must be text or a whole number, it is Float64; convert it"]),
        ({"customers": people(signup_date=[1, 2])}, ["customers: column 'signup_date' must be a day, it is Int64; convert it"]),
        ({"customers": people(signup_date=["31.1.2025", "2025-02-01"])}, ["customers: column 'signup_date' must be a day in every row, 1 value is not, such as '31.1.2025'; declare how the file writes them"]),
        ({"customers": people(region=[date(2025, 1, 1)] * 2)}, ["customers: column 'region' must be text, it is Date; convert it"]),
        ({"customers": people(), "prices": pd.DataFrame({"customer_id": ["1"], "valid_from": [date(2025, 1, 1)], "monthly_price": ["ten"]})},
         ["prices: column 'monthly_price' must be a number in every row, 1 value is not, such as 'ten'; declare how the file writes them"]),
        ({"customers": [1, 2]}, ["customers must be a pandas, Polars, Arrow, DuckDB or Spark frame, not list: [1, 2]; read it first, for one with cx.load"]),
        ({"customers": people().drop(columns=["signup_date", "end_date"]), "prices": people()}, [
            "customers: no column 'signup_date'; There are: 'customer_id'",
            "customers: no column 'end_date'; There are: 'customer_id'",
            "prices: no column 'valid_from'; There are: 'customer_id', 'signup_date', 'end_date'",
            "prices: no column 'monthly_price'; There are: 'customer_id', 'signup_date', 'end_date'",
        ]),
    ],
)  # fmt: skip
def test_faults_of_tables_are_told_at_once(source, expected):
    assert faults(source) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("customer.csv", "f: no table is named 'customer'; did you mean 'customers'? Rename the file"),
        ("Customers.CSV", None),
        ("customers.txt", "no table 'customers': the one table that must be there, one row per customer; add it"),
    ],
)
def test_files_of_a_folder_are_found_by_the_name_of_the_table(tmp_path, name, expected):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / name).write_text(CSV)
    if expected is None:
        assert engine.rows(load(folder).customers) == 2
    else:
        assert faults(folder) == [expected]


def test_a_table_in_two_files_and_a_folder_that_is_not_there_are_refused(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    people().to_parquet(folder / "customers.parquet")
    (folder / "customers.csv").write_text(CSV)
    assert faults(folder) == [
        "exports: table 'customers' must be in one file, there are customers.csv and customers.parquet"
    ]
    assert faults(tmp_path / "export") == [
        f"load '{tmp_path}': no folder 'export'; did you mean 'exports'? There are: 'exports'"
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "customers.csv: the first line must name the columns, it is empty"),
        (
            b"customer_id,signup_date,end_date\n1,2025-01-01\n",
            "customers.csv, line 2: every row must have 3 columns, this one has 2; add the cells it lacks",
        ),
        (
            b"customer_id,signup_date,end_date\n1,2025-01-01,,x\n",
            "customers.csv, line 2: every row must have 3 columns, this one has 4; quote the delimiters in texts",
        ),
        (
            b"customer_id;signup_date;end_date\n",
            'customers.csv: the columns seem to be parted by ";"; declare delimiter = ";"',
        ),
        (
            b"customer_id\tsignup_date\tend_date\n",
            'customers.csv: the columns seem to be parted by "\\t"; declare delimiter = "\\t"',
        ),
        (
            "kündigung,a\n".encode("cp1252"),
            'customers.csv, line 1: the text is not UTF-8; declare its encoding in the study, such as encoding = "cp1252"',
        ),
        (b"PAR1", "customers.parquet: cannot be read ("),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, content, expected):
    (tmp_path / expected.partition(":")[0].partition(",")[0]).write_bytes(content)
    (told,) = faults(tmp_path)
    assert told == expected or (expected.endswith("(") and told.startswith(expected))


@pytest.mark.parametrize(
    "text",
    ["plain", '"quoted, with ""marks"""', '"two\nlines"', "ünïcode", "'; DROP TABLE x --", "x" * 100_000, "None"],
)
def test_any_text_survives_a_csv_file(tmp_path, text):
    (tmp_path / "customers.csv").write_bytes(
        f"\ufeffcustomer_id,signup_date,end_date,region\r\n1,2025-01-01,,{text}\r\n".encode()
    )
    plain = text[1:-1].replace('""', '"') if text.startswith('"') else text
    assert load(tmp_path).customers.to_pandas()["region"].tolist() == [plain]


def test_a_file_name_is_no_pattern(tmp_path):
    folder = tmp_path / "a[1]*?"
    folder.mkdir()
    people().to_parquet(folder / "customers.parquet")
    assert engine.rows(load(folder).customers) == 2


def test_a_large_file_goes_through_a_scratch_folder_and_reads_the_same(tmp_path, monkeypatch):
    (tmp_path / "customers.csv").write_text(CSV)
    small = load(tmp_path).customers.to_pandas()
    monkeypatch.setattr(files, "IN_MEMORY", 1)
    large = load(tmp_path)
    (tmp_path / "customers.csv").unlink()  # gone while being used
    pd.testing.assert_frame_equal(large.customers.to_pandas(), small)


def interactions(stamp):
    return pd.DataFrame(
        {"interaction_id": ["1"], "customer_id": ["007"], "at": [pd.Timestamp(stamp)], "touchpoint": ["app"]}
    )


def prices(day):
    return pd.DataFrame({"customer_id": ["007"], "valid_from": [day], "monthly_price": [Decimal("1.5")]})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, date(2026, 1, 1)),  # nothing but ends show how far the data reach
        ({"prices": prices(date(2026, 3, 1))}, date(2026, 3, 1)),
        ({"interactions": interactions("2025-12-24 23:59")}, date(2025, 12, 24)),  # an end lies ahead
        ({"interactions": interactions("2025-12-24"), "prices": prices(date(2026, 3, 1))}, date(2025, 12, 24)),
        ({"interactions": interactions("2024-12-24")}, date(2025, 2, 1)),  # the last signup
    ],
)
def test_the_last_day_is_that_of_the_latest_thing_that_has_happened(more, expected):
    assert load({"customers": people(), **more}).last_day == expected


def test_tables_without_a_day_are_refused():
    empty = people().head(0).astype({"customer_id": str})
    with pytest.raises(CxError, match="the tables must hold at least one dated row, they hold none; check the files"):
        _ = load({"customers": empty}).last_day


def test_a_last_day_that_cannot_be_meant_is_refused_with_its_table():
    told = "table 'prices': the last day must lie in the years 1800 to 2999, it is 9999-12-31; correct the years, or name what stands for no day in missing"
    with pytest.raises(CxError, match=f"^{told}$"):
        _ = load({"customers": people(), "prices": prices(date(9999, 12, 31))}).last_day


# Days since 1970 that no calendar of the years 1 to 9999 has, and how DuckDB spells them.
OFF = {2_932_897: "10000-01-01", -719_163: "0001-12-31 (BC)", 2**31 - 1: "infinity"}


@pytest.mark.parametrize("column", ["signup_date", "end_date"])
@pytest.mark.parametrize("kind", ["Parquet", "Arrow"])
@pytest.mark.parametrize(("day", "spelled"), OFF.items())
def test_days_that_no_calendar_has_are_refused_by_name(tmp_path, column, kind, day, spelled):
    days = {"signup_date": [20_000, 20_001], "end_date": [None, 20_100]} | {column: [day, 20_000]}
    table = pa.table({"customer_id": ["1", "2"], **{name: pa.array(x, pa.date32()) for name, x in days.items()}})
    pq.write_table(table, tmp_path / "customers.parquet")
    told = f"column '{column}' must hold days of the years 1 to 9999, one is '{spelled}'; correct it, or leave the cell empty"
    with pytest.raises(CxError) as refused:
        load({"customers": table} if kind == "Arrow" else tmp_path)
    assert refused.value.faults == (f"customers{'' if kind == 'Arrow' else ' (customers.parquet)'}: {told}",)


STAMPED = {"opened_at": 0, "first_response_at": 1, "resolved_at": 5, "signup_date": 0, "end_date": 900}  # hours after
CALLS = {
    "opened_at": cx.escalation_rate, "first_response_at": cx.first_response_time, "resolved_at": cx.escalation_rate,
    "signup_date": cx.attrition_rate, "end_date": cx.attrition_rate,
}  # fmt: skip


@pytest.mark.parametrize("column", CALLS)
@pytest.mark.parametrize(("far", "spelled"), [("20000-01-01", "20000-01-01"), ("-0044-03-15", "0045-03-15 (BC)")])
def test_stamps_of_a_frame_that_no_calendar_has_are_refused(column, far, spelled):
    began = np.array(["2025-01-05"] * 9, "datetime64[s]")
    frame = pd.DataFrame({name: began + np.timedelta64(hours, "h") for name, hours in STAMPED.items()})
    frame = frame.assign(customer_id=[str(i) for i in range(9)], escalated=False)
    frame[column] = np.array([far, *frame[column].to_numpy()[1:]], "datetime64[s]")
    with pytest.raises(CxError) as refused:
        CALLS[column](frame)
    assert list(refused.value.faults) == [
        f"column '{column}' must hold days of the years 1 to 9999, one is '{spelled}'; correct it, or leave the cell empty"
    ]


def test_the_first_and_the_last_day_of_the_calendar_are_days(tmp_path):
    (tmp_path / "customers.csv").write_text(
        "customer_id,signup_date,end_date\n1,0001-01-01,9999-12-31\n2,10000-01-01,\n"
    )
    with pytest.raises(CxError, match=r"^customers \(customers.csv\): column 'signup_date' must hold .*'10000-01-01'"):
        load(tmp_path)
    (tmp_path / "customers.csv").write_text("customer_id,signup_date,end_date\n1,0001-01-01,9999-12-31\n")
    found = load(tmp_path).customers.to_pandas()
    assert [str(day)[:10] for day in found[["signup_date", "end_date"]].iloc[0]] == ["0001-01-01", "9999-12-31"]


WINDOW = {"lookback_days": 100, "horizon_days": 90}
# A function, the table that it is not given, and why it needs it.
LACKING = [
    (cx.attrition_rate, "customers", "an attrition rate needs it"),
    (cx.ticket_volume, "customers", "the ticket volume needs it"),
    (cx.ticket_volume, "tickets", "the ticket volume needs it"),
    (cx.resolution_time, "tickets", "the service measures need it"),
    (cx.repeat_contact, "tickets", "repeat contact needs it"),
    (cx.contact_topics, "tickets", "topics are written there"),
    (cx.preventable_contacts, "customers", "contact rates need it"),
    (cx.preventable_contacts, "interactions", "what brings contacts must be there, such as product_fault"),
    (cx.preventable_contacts, "tickets", "contacts are its rows"),
    (cx.channel_shares, "interactions", "channels are written there"),
    (cx.channel_switches, "tickets", "switches of channel are seen there"),
    (cx.closed_loop, "customers", "when somebody ceased to be a customer is there"),
    (cx.closed_loop, "surveys", "bad answers are there"),
    (cx.closed_loop, "interactions", "follow-ups are there"),
    (cx.journey_map, "interactions", "the journey needs it"),
    (cx.journey_map, "touchpoints", "what is service is written there"),
    (cx.reach_without, "touchpoints", "what is service is written there"),
    (cx.follow_answers, "surveys", "it says who was asked"),
    (cx.newcomers, "surveys", "it says what referrers answered"),
    (cx.answers, "customers", "answers need it"),
    (lambda tables: cx.landmark(tables, "2026-01-01", **WINDOW), "customers", "a landmark needs it"),
]


@pytest.mark.parametrize(("function", "table", "why"), LACKING)
def test_a_table_that_is_not_there_is_named_with_the_reason(simulated, function, table, why):
    tables = load({name: frame for name, frame in simulated.items() if name != table})
    with pytest.raises(CxError, match=f"^no table '{table}': {why}; add it to the study$"):
        function(tables)


def test_simulated_tables_fulfil_the_contract(simulated):
    found = validate(load(simulated))
    assert list(found) == ["table", "rule", "column", "rows", "failing", "share", "examples"]
    assert set(found["table"]) == set(schema.TABLES)
    assert found["failing"].sum() == 0
    assert (found["examples"] == "").all()


# table, column, value that breaks a rule, the rule, how the value is shown (an id never is)
DAMAGE = [
    ("surveys", "recommend", 11, "recommend is 0 to 10", "11"),
    ("surveys", "effort", 3.5, "effort is whole", "3.5"),
    ("surveys", "answered_at", pd.Timestamp("2001-01-01"), "answered_at is not before sent_at", "2001-01-01 00:00:00"),
    ("tickets", "csat", 0, "csat is 1 to 5", "0"),
    ("tickets", "customer_id", "nobody", "customer_id is in customers", ""),
    (
        "tickets",
        "resolved_at",
        pd.Timestamp("2001-01-01"),
        "resolved_at is not before opened_at",
        "2001-01-01 00:00:00",
    ),
    ("prices", "monthly_price", -1.0, "monthly_price is 0 or more", "-1"),
    ("customers", "end_kind", "moved", "end_kind is voluntary or involuntary", "moved"),
    ("customers", "end_date", pd.Timestamp("2001-01-01"), "end_date is not before signup_date", "2001-01-01"),
    ("interactions", "initiated_by", "bot", "initiated_by is customer or company", "bot"),
    ("ratings", "touchpoint", "nowhere", "touchpoint is in touchpoints", "nowhere"),
    ("ratings", "rating", None, "rating is filled", "empty"),
]


@pytest.fixture(scope="module")
def damaged(simulated):
    """What the contract says of tables with one damage in each of their first rows."""
    tables = {name: frame.copy() for name, frame in simulated.items()}
    for i, (table, column, value, *_) in enumerate(DAMAGE):
        tables[table][column] = tables[table][column].astype(object)
        tables[table].loc[tables[table].index[i], column] = value
    return validate(load(tables)).set_index(["table", "rule"])


@pytest.mark.parametrize(("table", "column", "value", "rule", "examples"), DAMAGE)
def test_each_damage_is_found_by_its_rule(damaged, table, column, value, rule, examples):
    found = damaged.loc[(table, rule)]
    assert (found["column"], found["failing"], found["examples"]) == (column, 1, examples)
    assert found["share"] == 1 / found["rows"]


def test_damage_is_found_by_no_other_rule_than_those_it_breaks(damaged):
    also = {
        ("customers", "end_kind is filled where end_date is"),
        ("tickets", "resolved_at is not before first_response_at"),
    }
    failing, broken = set(damaged.index[damaged["failing"] > 0]), {(table, rule) for table, _, _, rule, _ in DAMAGE}
    assert broken <= failing <= broken | also


def test_repeated_keys_are_counted_with_all_their_rows(simulated):
    twice = pd.concat([simulated["customers"], simulated["customers"].head(2)])
    found = validate(load({"customers": twice})).set_index("rule")
    assert found.loc["customer_id is unique", ["rows", "failing", "examples"]].tolist() == [122, 4, ""]


def test_validate_is_public():
    assert cx.load is load
    assert cx.validate is validate


def test_a_table_without_rows_breaks_no_rule():
    empty = {name: pd.Series([], dtype=object) for name in ("customer_id", "signup_date", "end_date", "end_kind")}
    tickets = {"ticket_id": ["1"], "customer_id": ["9"], "opened_at": pd.to_datetime(["2025-01-01"])}
    found = cx.validate(cx.load({"customers": pd.DataFrame(empty), "tickets": pd.DataFrame(tickets)}))
    assert found.loc[found["failing"] > 0, "rule"].tolist() == ["customer_id is in customers"]
    assert (found.loc[found["table"] == "customers", ["rows", "failing", "share"]] == 0).all(axis=None)


def test_a_rule_that_could_not_be_counted_is_told(monkeypatch):
    """pointblank tells of no failing rows, rather than of a fault, where a query of its own broke."""
    broken = SimpleNamespace(n=2, n_failed=None)
    monkeypatch.setattr(data, "interrogated", lambda *given: SimpleNamespace(validation_info=[broken] * len(given[2])))
    line = "customers: the rule 'customer_id is unique' could not be checked; see that the file is whole"
    with pytest.raises(LostData, match=f"^{line}$"):
        validate(load({"customers": people()}))


def test_a_day_that_nobody_has_yet_needs_no_type():
    people = pa.table({"customer_id": ["1"], "signup_date": [date(2025, 1, 31)], "end_date": pa.nulls(1)})
    loaded = load({"customers": people}).customers
    assert loaded.kind["end_date"] == "stamp"
    assert loaded.to_pandas()["end_date"].isna().all()
