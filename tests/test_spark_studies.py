"""Studies read by Spark: the same tables and frames as DuckDB makes of the same words and files, faults in one line.

The authority is DuckDB's reading, which the tests of studies hold to its own; for clocks also the time zone database.
"""
# ruff: noqa: E501  (a fault is one line, however long)

import shutil
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxlib import engine, files, fingerprint
from cxlib import spark as sparks
from cxlib.csvfile import PLAIN
from cxlib.errors import CxError
from cxlib.sources import Studies
from cxlib.study import read_study
from tests.test_spark import assert_same
from tests.test_table_study import COLUMNS

pytestmark = pytest.mark.xdist_group("spark")
TABLES = (
    """timezone = "Europe/Berlin"
[landmark]
lookback_days = 30
horizon_days = 30
[tables.customers]
file = "people.parquet"
missing = ["-"]
columns = {customer_id = "Nr", signup_date = "Seit", end_date = "Bis"}
[tables.tickets]
file = "tickets.parquet"
"""
    + COLUMNS
    + """[tables.surveys]
file = "said.parquet"
columns = {recommend = "NPS"}
[tables.ratings]
file = "said.parquet"
touchpoints = {Q1 = "website", Q2 = "contact_support"}
"""
)
FRAME = """[frame]
file = "people.parquet"
customer = "Nr"
joins = [{file = "gone.parquet", on = "Nr"}]
keep = {Region = ["Nord", "Süd"]}
[columns.Fee]
name = "price_band"
bands = {edges = [89.4], labels = ["low", "high"]}
[columns.Help]
recode = {Ja = "Yes", Nein = "No"}
[columns.Score]
missing = ["weiß nicht"]
[columns.both]
first_of = ["A", "B"]
[attrition]
outcome = "Gone"
left_value = "Yes"
causes = {service = {Help = {Yes = "No"}}}
adjust = ["price_band"]
[experience]
score = "Score"
drivers = ["Staff"]
missing = "drop"
"""
# Numbers, days and stamps as nobody should write them; what one engine reads, the other must read alike or not at all.
TEXTS = [
    "12", " 12 ", "+5", "-0.5", ".5", "1.", "1e3", "1e400", "-1e400", "1d", "2f", "0x10", "NaN", "Infinity", "1_000", "1,234", "1,234,567", "1,234.5",
    "1.234,5", "١٢", "", " ", "--1", "1 2", "true", "TRUE", " true ", "t", "yes", "N", "on", "2", "007", "2025-01-31", "2025-1-3", "2025", "2025-01", "2025-02-30",
    "2025-01-31 10:00", "2025-01-31T10:00:01.1234567", "2025-01-31 25:00", "2025-01-31T10:00:00Z", "2025-01-31T10:00:00+02:00", "2025-01-31 10:00:00-05:30",
    "31.01.2025", "now", "epoch", "infinity", "1:30", "36:30:15", "1:75", " 1:05 ", None,
]  # fmt: skip
KINDS = {"number": "DOUBLE", "flag": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP"}
QUICK = ("Europe/Berlin", "Australia/Lord_Howe")
ZONES = ("America/New_York", "Asia/Kolkata", "Africa/Casablanca", "Europe/Dublin", "UTC")


def write(folder, study, engine_name, **changes):
    """A study file for an engine."""
    for old, new in changes.items():
        assert old in study, old
        study = study.replace(old, new)
    path = folder / f"{engine_name}.toml"
    path.write_text(f'engine = "{engine_name}"\n{study}', encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Parquet as a company has it: names of its own, texts where a table would have numbers, stamps of local clocks."""
    place = tmp_path_factory.mktemp("export")
    ids = [f"{i:03}" for i in range(60)]
    cycled = lambda *values: [values[i % len(values)] for i in range(60)]  # noqa: E731
    pd.DataFrame({
        "Nr": ids, "Seit": pd.to_datetime("2023-01-01") + pd.to_timedelta(range(60), "D"),
        "Bis": cycled("2025-09-10", "-", None, "2025-09-20"), "region": cycled("Nord", "Süd", "West"), "Region": cycled("Nord", "Süd", "West"),
        "Fee": cycled("10", "89.4", "90.5", "1,234,567"), "Help": cycled("Ja", "Nein"), "Staff": cycled(1.0, 3.0, 5.0, None, 2.0),
        "Score": cycled("0", "7", "10", "weiß nicht", "9"), "A": cycled("x", None), "B": cycled("y", "z", None), "007": cycled("007", "1"),
    }).drop(columns="region").to_parquet(place / "people.parquet", index=False)  # fmt: skip
    gone = pd.DataFrame({"Nr": ids, "Gone": cycled("Yes", "No", "No"), "Fee": cycled("0")})
    gone.to_parquet(place / "gone.parquet", index=False)
    # The second stamp is of the hour that clocks in Berlin repeat, the third in winter, and one is empty.
    local = pd.to_datetime(
        ["2025-07-01 12:00", "2025-10-26 02:30", "2025-01-01 00:00:00.75", None] * 15, format="ISO8601"
    )
    pd.DataFrame({
        "Nr": range(60), "Kunde": ids, "Auf": local, "Dauer": cycled("1.5", "36:30:15", None, "5"), "Erste": cycled(90, 0, 7.5),
        "Note": cycled("sehr gut", "schlecht", "weiß nicht"), "Stufe A": cycled("Ja", None), "Stufe B": cycled(None, "Nein", "Ja"),
        "Wieder": cycled("0", "2"), "Art": cycled(*["echt"] * 9, "Test"),
    }).to_parquet(place / "tickets.parquet", index=False)  # fmt: skip
    zoned = pd.to_datetime(pd.Series(cycled("2025-08-01 12:00", "2025-08-26 22:30"))).dt.tz_localize("UTC")
    pd.DataFrame({"survey_id": ids, "customer_id": ids, "sent_at": zoned, "answered_at": zoned + timedelta(hours=3), "NPS": cycled(0, 7, 10),
                  "Q1": cycled(1, None, 5), "Q2": cycled(None, 2)}).to_parquet(place / "said.parquet", index=False)  # fmt: skip
    return place


def refused(call):
    """What a call is refused for."""
    with pytest.raises(CxError) as caught:
        call()
    return list(caught.value.faults)


def test_tables_are_made_by_the_same_words(spark, folder):
    """Renamed, kept, recoded, compared, added, melted, in the clocks of the study; a folder as Spark writes one."""
    for name in ("people", "tickets"):
        spark.read.parquet(str(folder / f"{name}.parquet")).repartition(3).write.mode("overwrite").parquet(
            str(folder / f"{name}s.parquet")
        )
    spark.read.parquet(str(folder / "said.parquet")).createOrReplaceTempView("said")
    duck = read_study(write(folder, TABLES, "duckdb"))
    words = (
        TABLES.replace("people.", "peoples.")
        .replace("tickets.parquet", "ticketss.parquet")
        .replace('file = "said.parquet"', 'table = "said"')
    )
    found = read_study(write(folder, words, "spark"))
    assert list(found.tables.present) == list(duck.tables.present) == ["customers", "surveys", "ratings", "tickets"]
    for name, seen in found.tables.present.items():
        assert engine.on_spark(seen.frame)
        assert_same(seen, duck.tables.present[name])
    opened = found.tables.tickets.to_pandas("opened_at")["opened_at"].dropna().unique()
    assert {str(stamp)[:19] for stamp in opened} == {
        "2025-07-01 10:00:00",
        "2025-10-26 01:30:00",
        "2024-12-31 23:00:00",
    }
    assert found.catalog == ("said", "said") and duck.catalog == ()


@pytest.mark.long
def test_a_frame_is_made_by_the_same_words(spark, folder):
    duck, found = (read_study(write(folder, FRAME, name)) for name in ("duckdb", "spark"))
    assert engine.on_spark(found.frame.frame) and found.frame.kind["007"] == engine.FACTOR
    assert_same(found.frame, duck.frame)


def test_a_log_of_events_is_summed_up_alike(spark, folder):
    log = pd.DataFrame({"case": ["a", "a", "b", "b", "b"], "at": pd.to_datetime(["2025-03-01 10:00", "2025-03-02 00:00", "2025-03-05 00:00", "2025-03-04 00:00", None]),
                        "channel": [None, "phone", "email", "chat", "web"]})  # fmt: skip
    log.to_parquet(folder / "log.parquet", index=False)
    study = (
        '[tables.tickets]\nfile = "log.parquet"\nevents = {case = "case", at = "at"}\ncolumns = {channel = "channel"}\n'
    )
    duck, found = (read_study(write(folder, study, name)).tables.tickets for name in ("duckdb", "spark"))
    assert_same(found, duck)
    assert found.to_pandas().set_index("ticket_id")["channel"].to_dict() == {"a": "phone", "b": "chat"}


def test_texts_are_read_as_duckdb_reads_them_or_not_at_all(spark, tmp_path):
    path = str(tmp_path / "texts.parquet")
    pd.DataFrame({"n": range(len(TEXTS)), "t": pd.Series(TEXTS, dtype=object)}).to_parquet(path, index=False)
    duck, found = engine.view(duckdb.read_parquet(path)), engine.view(spark.read.parquet(path))
    read = {}
    for seen in (duck, found):
        sql = files.sql_of(seen.frame)
        columns = {f"k{i}": sql.reading("c1", kind, PLAIN, "Europe/Berlin") for i, kind in enumerate(KINDS)}
        columns["k4"] = f"CASE WHEN {sql.matches('c1', sql.CLOCK)} THEN {sql.clock('c1')} END"
        read[sql] = engine.collect(engine.computed(seen.frame, {"n": "c0", **columns}), ["n"])
    ours, theirs = read[sparks], read[files]
    for column in ours:
        there = ours[column].notna()
        assert (there <= theirs[column].notna()).all(), column  # nothing is read that DuckDB does not read
        assert ours.loc[there, column].tolist() == theirs.loc[there, column].tolist(), column
    only = {name: [TEXTS[i] for i in theirs.index[theirs[name].notna() & ours[name].isna()]] for name in ours}
    stamped = [text for text in TEXTS if text and text.startswith("2025-01-31") and text[-1] in "Z0" and len(text) > 19]
    unread = {
        "n": [],
        "k0": ["1_000"],
        "k1": [],
        "k2": ["2025-1-3", *stamped, "epoch"],
        "k3": ["2025-1-3", "epoch"],
        "k4": [],
    }
    assert only == unread


@pytest.mark.parametrize("zone", [*QUICK, *(pytest.param(zone, marks=pytest.mark.long) for zone in ZONES)])
def test_local_clocks_become_utc_as_the_time_zone_database_says(spark, zone):
    """Every ten minutes of the days on which clocks change; of the two readings of a repeated stamp the later."""
    here = ZoneInfo(zone)
    days = [
        "2025-03-09",
        "2025-03-30",
        "2025-04-06",
        "2025-10-05",
        "2025-10-26",
        "2025-11-02",
        "2025-03-02",
        "2025-02-23",
    ]
    stamps = [datetime.fromisoformat(day) + timedelta(minutes=10 * i) for day in days for i in range(144)]
    lazy = engine.view(
        spark.createDataFrame([(i, stamp.isoformat(sep=" ")) for i, stamp in enumerate(stamps)], "i int, t string")
    ).frame
    sql = {
        "i": "c0",
        "utc": sparks.reading("c1", "timestamp", PLAIN, zone),
        "odd": files.skipped(lazy, "c1", True, PLAIN, zone),
    }
    found = engine.collect(engine.computed(lazy, sql), ["i"])
    later = [stamp.replace(tzinfo=here, fold=1).astimezone(UTC) for stamp in stamps]
    lost = [
        instant.astimezone(here).replace(tzinfo=None) != stamp for instant, stamp in zip(later, stamps, strict=True)
    ]
    if zone == "UTC":
        assert not found["odd"].any()
    else:
        assert found["odd"].tolist() == lost
    kept = [not one for one in lost]
    assert found["utc"][kept].dt.to_pydatetime().tolist() == [
        one.replace(tzinfo=None) for one, there in zip(later, kept, strict=True) if there
    ]


CUSTOMERS = '[tables.customers]\nfile = "people.parquet"\n'


@pytest.mark.parametrize(
    ("study", "fault"),
    [
        ('engine = "sprak"\n' + CUSTOMERS, "engine: no engine 'sprak'; did you mean 'spark'? There are: 'duckdb', 'spark'"),
        (f'engine = "spark"\n{CUSTOMERS}delimiter = ";"\n', 'tables.customers.delimiter: belongs to files of text; with engine = "spark" leave it out, Parquet has types'),
        ('engine = "spark"\n[tables]\ndatabase = "CRM"\n', 'tables.database: is read by DuckDB; with engine = "spark" name a table of the catalog: table = "schema.name"'),
        ('engine = "spark"\n[tables.customers]\ndatabase = "CRM"\n', 'tables.customers.database: is read by DuckDB; with engine = "spark" name a table of the catalog: table = "schema.name"'),
        ('engine = "spark"\n[tables.customers]\nfile = "s3a://bucket/people.parquet"\n', "tables.customers.file must not be an address; make a table of it in Spark's catalog and name that: table = \"schema.name\""),
        ('engine = "spark"\n[tables.customers]\ntable = "parquet.`s3a://key:word@bucket/x`"\n', "tables.customers.table must not be an address; make a table of it in Spark's catalog and name that: table = \"schema.name\""),
        (f'engine = "spark"\n{CUSTOMERS}table = "crm.people"\n', 'tables.customers: with engine = "spark" must have file or table, not both; a file is Parquet, a table is one of the catalog, "schema.name"'),
        ('engine = "spark"\n[tables.customers]\nkeep = {a = [1]}\n', 'tables.customers: with engine = "spark" must have file or table, one; a file is Parquet, a table is one of the catalog, "schema.name"'),
        ('engine = "spark"\n[tables.prices]\nfile = "p.parquet"\ninvoices = {customer = "a", starts = "b", amount = "c"}\n', 'tables.prices.invoices: are read by DuckDB; with engine = "spark" make a table of prices of them'),
    ],
)  # fmt: skip
def test_words_that_spark_cannot_follow_are_refused(tmp_path, study, fault):
    (tmp_path / "s.toml").write_text(study, encoding="utf-8")
    assert refused(lambda: read_study(tmp_path / "s.toml")) == [f"s.toml: {fault}"]


def test_what_is_not_parquet_or_not_there_is_refused(spark, folder):
    (folder / "people.csv").write_text("customer_id,signup_date,end_date\n1,2025-01-31,\n")
    told = 'with engine = "spark" a file must be Parquet (or a folder that Spark wrote as such); save it as Parquet, or name a table of the catalog: table = "schema.name"'
    for given, fault in (
        ('file = "people.csv"', f"people.csv: {told}"),
        ('table = "crm.poeple"', "crm.poeple: Spark cannot read it ([TABLE_OR_VIEW_NOT_FOUND]"),
        ('file = "poeple.parquet"', f"no file 'poeple.parquet' in '{folder}'; did you mean 'people.parquet'?"),
    ):
        (line,) = refused(lambda given=given: read_study(write(folder, f"[tables.customers]\n{given}\n", "spark")))
        assert line.startswith(f"spark.toml: tables.customers: {fault}") and "\n" not in line
    (folder / "odd.parquet").write_bytes(b"no parquet")
    (line,) = refused(lambda: read_study(write(folder, '[tables.customers]\nfile = "odd.parquet"\n', "spark")))
    assert line.startswith("spark.toml: tables.customers: odd.parquet: Spark cannot read it (") and "\n" not in line


def test_texts_that_cannot_be_read_are_told_as_duckdb_tells_them(spark, folder):
    words = CUSTOMERS + 'columns = {customer_id = "Nr", signup_date = "Seit", end_date = "Bis"}\n'
    lines = [refused(lambda name=name: read_study(write(folder, words, name))) for name in ("duckdb", "spark")]
    told = [[line.partition(": ")[2].rpartition(";")[0] for line in each] for each in lines]  # the remedies differ
    assert told[1] == told[0]
    assert "column 'Bis' must be a day in every row, 15 values are not, such as '-'" in lines[1][0]


def test_days_that_no_calendar_has_are_told_as_duckdb_tells_them(spark, folder):
    days = pa.array([2_932_897, 20_000], pa.date32())
    table = {"customer_id": ["1", "2"], "signup_date": days, "end_date": pa.array([20_100, None], pa.date32())}
    pq.write_table(pa.table(table), folder / "far.parquet")
    words = '[tables.customers]\nfile = "far.parquet"\n'
    lines = [refused(lambda name=name: read_study(write(folder, words, name))) for name in ("duckdb", "spark")]
    told = "must hold days of the years 1 to 9999, one is '{}10000-01-01'; correct it, or leave the cell empty"
    for (line,), sign in zip(lines, ("", "+"), strict=True):
        assert line.endswith(told.format(sign))


def test_days_that_stand_for_nothing_go_on_both_engines(spark, folder):
    day = pd.to_datetime(["2025-01-31", "2025-02-01"]).astype("datetime64[us]")
    never = pd.Series([pd.Timestamp("2026-01-01"), pd.Timestamp("9999-12-31")]).astype("datetime64[us]")
    frame = pd.DataFrame({"customer_id": ["1", "2"], "signup_date": day.date, "end_date": never.dt.date})
    frame.to_parquet(folder / "never.parquet", index=False)
    words = '[tables.customers]\nfile = "never.parquet"\nmissing = ["9999-12-31"]\n'
    duck, found = (read_study(write(folder, words, name)).tables.customers for name in ("duckdb", "spark"))
    assert_same(found, duck)
    assert duck.to_pandas()["end_date"].isna().tolist() == [False, True]


def test_what_spark_needs_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(sparks.importlib.util, "find_spec", lambda name: None)
    assert refused(sparks.session) == [
        'engine = "spark" needs pyspark, which is not installed; add it: pip install "cxlib[spark]"'
    ]
    monkeypatch.undo()
    pytest.importorskip("pyspark")
    from pyspark.sql import SparkSession

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    for name, value in {"JAVA_HOME": "", "PATH": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    assert refused(sparks.session) == [
        'engine = "spark" needs Java 17 or newer, which this machine lacks; install it, or name a Spark Connect server in the environment variable SPARK_REMOTE'
    ]


def test_a_session_that_does_not_start_is_told(monkeypatch):
    pytest.importorskip("pyspark")
    from pyspark.sql import SparkSession

    def fails(builder):
        raise RuntimeError("Java gateway process exited before sending its port number")

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setenv("SPARK_REMOTE", "sc://nowhere")
    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", fails)
    assert refused(sparks.session) == [
        'engine = "spark" needs a session, and none could be started (Java gateway process exited before sending its port number); see Spark\'s log'
    ]


@pytest.mark.long
def test_a_folder_is_known_by_its_files_and_a_catalog_never(spark, folder, tmp_path):
    """An unchanged report is skipped: of a table of the catalog nothing says that it is unchanged."""
    part = tmp_path / "x.parquet"
    part.mkdir()
    shutil.copy(folder / "people.parquet", part / "part-0.parquet")
    first = fingerprint.of_data([part])
    assert fingerprint.of_data([part]) == first
    shutil.copy(folder / "gone.parquet", part / "part-1.parquet")
    assert fingerprint.of_data([part]) != first
    spark.read.parquet(str(folder / "said.parquet")).createOrReplaceTempView("said")
    path = write(folder, TABLES.replace('file = "said.parquet"', 'table = "said"'), "spark")
    once, again = (Studies().fingerprints({"study": str(path)}) for _ in range(2))
    assert once["study"] == again["study"] and once["data"] != again["data"]
