"""SQLite and DuckDB files as sources: what was written in is what a study reads, in types that Parquet keeps."""
# ruff: noqa: E501  (a fault is one line, however long)

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pyarrow.parquet as pq
import pytest

from cxlib import databases, paths, snapshots
from cxlib.errors import CxError
from cxlib.study import read_study

ODD = "\x01é 😀 \u202e'quoted\" line\nend"


@pytest.fixture(autouse=True)
def own_snapshots(tmp_path, monkeypatch):
    """Snapshots of a test are its own."""
    (tmp_path / "snapshots").mkdir()
    monkeypatch.setenv(paths.SHARED, str(tmp_path / "snapshots"))


def sqlite(path, *statements, rows=()):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
        for table, values in rows:
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})", values)
    connection.close()
    return path


def duck(path, *statements):
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def copied(path, table, **wanted):
    (copy,) = snapshots.snapshot([snapshots.Wanted(path, table, **wanted)])
    return {field.name: str(field.type) for field in pq.read_schema(copy)}, pq.read_table(copy).to_pylist()


def test_sqlite_keeps_types_and_gaps_and_a_text_among_numbers(tmp_path):
    columns = "(whole integer, part real, mixed integer, flag boolean, day date, words text, none text, blob blob)"
    rows = [(2**63 - 1, 0.5, 1, 1, "2025-02-28", ODD, None, b"x"), (-1, 2, "n/a", 0, None, "", None, None), (None,) * 8]
    path = sqlite(tmp_path / "a.sqlite", f"CREATE TABLE t {columns}", rows=[("t", rows)])
    kinds, read = copied(path, "t")
    assert kinds == {"whole": "int64", "part": "double", "mixed": "string", "flag": "bool", "day": "string",
                     "words": "string", "none": "string"}  # fmt: skip
    assert [list(row.values()) for row in read] == [
        [2**63 - 1, 0.5, "1", True, "2025-02-28", ODD, None],
        [-1, 2.0, "n/a", False, None, "", None],
        [None] * 7,
    ]


def test_sqlite_is_read_in_batches_whose_types_are_those_of_the_whole(tmp_path, monkeypatch):
    """A text after the first batch is where a driver that looks at first rows alone breaks off."""
    monkeypatch.setattr(databases, "BATCH", 10)
    path = sqlite(tmp_path / "a.db", "CREATE TABLE t (n integer)", rows=[("t", [(i,) for i in range(25)] + [("x",)])])
    kinds, read = copied(path, "t")
    assert kinds == {"n": "string"} and [row["n"] for row in read] == [*map(str, range(25)), "x"]


def test_duckdb_keeps_types_time_zones_and_gaps(tmp_path):
    path = duck(
        tmp_path / "a.duckdb",
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE TABLE t (a DECIMAL(12, 2), b HUGEINT, c TIMESTAMPTZ, d TIMESTAMP, e DATE, f BOOLEAN, g VARCHAR, h BIGINT, i UUID, j mood, k TIMESTAMP_S, l INTEGER[])",
        "INSERT INTO t VALUES (1234567890.12, 170141183460469231731687303715884105727, '2025-03-30 03:30:00+02', '2025-03-30 02:30', 'infinity', true, 'é 😀', -9223372036854775808, '00000000-0000-0000-0000-000000000007', 'bad', '2025-01-01 00:00:01', [1])",
        "INSERT INTO t (a) VALUES (NULL)",
    )
    kinds, (full, empty) = copied(path, "t")
    assert kinds == {
        "a": "decimal128(12, 2)", "b": "string", "c": "timestamp[us, tz=UTC]", "d": "timestamp[us]", "e": "date32[day]",
        "f": "bool", "g": "string", "h": "int64", "i": "string", "j": "string", "k": "timestamp[us]",
    }  # fmt: skip
    assert full == {
        "a": Decimal("1234567890.12"), "b": "170141183460469231731687303715884105727",
        "c": datetime(2025, 3, 30, 1, 30, tzinfo=UTC), "d": datetime(2025, 3, 30, 2, 30), "e": None, "f": True,
        "g": "é 😀", "h": -(2**63), "i": "00000000-0000-0000-0000-000000000007", "j": "bad", "k": datetime(2025, 1, 1, 0, 0, 1),
    }  # fmt: skip
    assert set(empty.values()) == {None}


PEOPLE = "CREATE TABLE people (no {number}, start {day}, ende {day}, tags VARCHAR)"
STUDY = """
timezone = "Europe/Berlin"
[tables.customers]
file = "{file}"
table = "people"
date_format = "%d.%m.%Y"
missing = ["never"]
columns = {{customer_id = "no", signup_date = "start", end_date = "ende"}}
"""


@pytest.mark.parametrize("file", ["crm.sqlite", "crm.db", "crm.duckdb"])
def test_a_study_reads_a_table_of_a_file(tmp_path, file):
    """Texts of a database are read as texts of a file are: by the date format and the words for nothing."""
    values = [("007", "28.02.2025", "never"), ("008", "2025-03-01", "01.04.2025")]
    statements = [PEOPLE.format(number="VARCHAR", day="VARCHAR"),
                  *(f"INSERT INTO people VALUES ('{a}', '{b}', '{c}', 'x')" for a, b, c in values)]  # fmt: skip
    (duck if file.endswith("duckdb") else sqlite)(tmp_path / file, *statements)
    (tmp_path / "acme.toml").write_text(STUDY.format(file=file))
    study = read_study(tmp_path / "acme.toml")
    people = study.tables.customers.to_pandas()
    assert people["customer_id"].tolist() == ["007", "008"]
    assert people["signup_date"].astype(str).tolist() == ["2025-02-28", "2025-03-01"]
    assert people["end_date"].notna().tolist() == [False, True]
    assert [path.name for path in study.files] == ["acme.toml", "people.parquet"]


def test_a_changed_file_is_read_anew(tmp_path):
    path = sqlite(tmp_path / "a.sqlite", "CREATE TABLE t (n integer)", rows=[("t", [(1,)])])
    assert copied(path, "t")[1] == [{"n": 1}]
    sqlite(path, "INSERT INTO t VALUES (2)")
    assert copied(path, "t")[1] == [{"n": 1}, {"n": 2}]


def test_the_file_itself_is_never_written_to(tmp_path):
    for path in (
        sqlite(tmp_path / "a.sqlite", "CREATE TABLE t (n integer)"),
        duck(tmp_path / "a.duckdb", "CREATE TABLE t (n integer)"),
    ):
        before = path.read_bytes()
        copied(path, "t")
        assert path.read_bytes() == before and {one.name for one in tmp_path.iterdir()} <= {
            "a.sqlite",
            "a.duckdb",
            "snapshots",
        }


def test_a_view_of_a_duckdb_file_reads_nothing_outside_it(tmp_path):
    """A file that someone sends must not read the machine it is opened on."""
    (tmp_path / "secret.csv").write_text("a\n1\n")
    path = duck(
        tmp_path / "a.duckdb",
        f"CREATE VIEW spy AS SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        "CREATE VIEW own AS SELECT 1 AS n",
    )
    assert copied(path, "own")[1] == [{"n": 1}]
    with pytest.raises(CxError, match=r"a.duckdb: not a DuckDB file that can be read \(.*Cannot access file"):
        copied(path, "spy")


def test_a_table_without_rows_has_its_columns(tmp_path):
    kinds, read = copied(sqlite(tmp_path / "a.sqlite", "CREATE TABLE t (n integer, w text)"), "t")
    assert list(kinds) == ["n", "w"] and read == []


def faults(function, *arguments):
    with pytest.raises(CxError) as error:
        function(*arguments)
    return list(error.value.faults)


@pytest.mark.parametrize(
    ("file", "changes", "fault"),
    [
        ("crm.sqlite", ('"people"', '"poeple"'), "tables: crm.sqlite: no table 'poeple'; did you mean 'people'? There are: 'people'"),
        ("crm.duckdb", ('"people"', '"poeple"'), "tables: crm.duckdb: no table 'poeple'; did you mean 'people'? There are: 'people'"),
        ("crm.sqlite", ('"crm.sqlite"', '"crn.sqlite"'), "tables: no file 'crn.sqlite' in '{folder}'; did you mean 'crm.sqlite'?"),
        ("crm.sqlite", ('"start"', '"strat"'), "tables: customers (people.parquet): no column 'strat'; There are: 'no', 'ende'"),
        ("crm.sqlite", ('table = "people"', 'database = "X"'), "tables.customers: must have file or database, not both; leave one out"),
    ],
)  # fmt: skip
def test_faults_of_a_study(tmp_path, file, changes, fault):
    (duck if file.endswith("duckdb") else sqlite)(tmp_path / file, PEOPLE.format(number="VARCHAR", day="VARCHAR"))
    (tmp_path / "acme.toml").write_text(STUDY.format(file=file).replace(*changes))
    assert faults(read_study, tmp_path / "acme.toml") == [f"acme.toml: {fault.replace('{folder}', str(tmp_path))}"]


def test_a_frame_needs_the_name_of_the_table(tmp_path):
    (tmp_path / "acme.toml").write_text('[frame]\nfile = "crm.sqlite"\n')
    assert faults(read_study, tmp_path / "acme.toml") == [
        "acme.toml: frame.table must be given with a database; add the name of the table"
    ]


def test_files_that_are_no_databases(tmp_path):
    for name in ("a.sqlite", "a.duckdb"):
        (tmp_path / name).write_bytes(b"not a database, but long enough to have a header of its own" * 100)
        (fault,) = faults(copied, tmp_path / name, "t")
        assert fault.startswith(f"{name}: not a {'SQLite' if 'sqlite' in name else 'DuckDB'} file that can be read (")


def test_a_disk_too_full_for_a_copy_is_told(tmp_path, monkeypatch):
    def full(*given, **named):
        raise OSError(28, "No space left on device")

    path = sqlite(tmp_path / "a.sqlite", "CREATE TABLE t (n integer)", "INSERT INTO t VALUES (1)")
    monkeypatch.setattr(snapshots.pq, "ParquetWriter", full)
    told = "a.sqlite: table 't' cannot be copied ([Errno 28] No space left on device)"
    assert faults(copied, path, "t") == [f"{told}; free some space, or see that the table can be read whole"]


def test_a_text_that_is_no_utf8_is_told(tmp_path):
    path = sqlite(tmp_path / "a.sqlite", "CREATE TABLE t (w text)", "INSERT INTO t VALUES (CAST(x'ff' AS TEXT))")
    (fault,) = faults(copied, path, "t")
    assert fault.startswith("a.sqlite: not a SQLite file that can be read (Could not decode to UTF-8")


def test_a_duckdb_file_that_another_program_writes_is_told(tmp_path):
    import subprocess
    import sys

    path = duck(tmp_path / "a.duckdb", "CREATE TABLE t (n integer)")
    script = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    writer = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert writer.stdout.readline() == b"open\n"
        assert faults(copied, path, "t") == [
            "a.duckdb: not a DuckDB file that can be read (another program has it open for writing)"
        ]
    finally:
        writer.communicate(b"\n")


def test_a_table_without_a_wanted_column_is_told(tmp_path):
    path = sqlite(tmp_path / "a.sqlite", "CREATE TABLE t (n integer, b blob)", "INSERT INTO t VALUES (1, x'00')")
    assert faults(lambda: copied(path, "t", columns=frozenset("x"))) == [
        "a.sqlite: table 't' has no column that is wanted; it has: 'n', 'b'"
    ]
    assert faults(lambda: copied(path, "t", named=frozenset("b"))) == [
        "a.sqlite: table 't': column 'b' is blob, of which no single value can be made; name another, or make one of it in a view"
    ]
