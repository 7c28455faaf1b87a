"""PostgreSQL as a source, on a real server: values, types, time zones and gaps come through; an address never comes out.

The authority is the server: what was inserted, or what it says of itself as text, must be what the study reads.
"""
# ruff: noqa: E501  (a fault is one line, however long)

import os
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from cxlib import paths, postgres, snapshots
from cxlib.errors import CxError
from cxlib.fingerprint import of_data
from cxlib.study import ROOT, read_study
from tests import postgres_server

VARIABLE = "ACME_DATABASE"
ODD = "\x01\x7f é ß 😀 \u202eright to left\u202c \ufeff \\N tab\t line\nend 'quoted\" %s {0} NULL"
TYPES = """
CREATE TYPE plan AS ENUM ('basic', 'premium');
CREATE DOMAIN euro AS numeric(10, 2);
CREATE TABLE kinds (a numeric(12, 2), b numeric(8, 0), c numeric, d timestamptz, e timestamp, f date, g boolean, h text,
    i bigint, j uuid, k plan, l euro, m double precision, n smallint, o varchar(9), p char(5), q jsonb, r real);
INSERT INTO kinds VALUES
    (1234567890.12, 12345678, 123456789012345678901234567890.123456789, '2025-03-30 03:30+02', '2025-03-30 02:30', '2025-02-28',
     true, NULL, 9223372036854775807, '00000000-0000-0000-0000-000000000007', 'premium', 9.99, 1e-300, -32768, '007', 'ab', '{"a": 1}', 1.5),
    (-0.01, -1, 'NaN', '1999-12-31 23:59:59.999999-11', 'infinity', 'infinity',
     false, '', -9223372036854775808, NULL, 'basic', 'NaN', 'NaN', 0, '', '', '[]', NULL),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""
CRM = '''
CREATE SCHEMA crm;
CREATE TABLE crm.accounts (no numeric(10, 0), "Start Date" date, ended date, "Name; DROP TABLE" text, tags text[]);
INSERT INTO crm.accounts SELECT i, date '2024-01-01' + i, CASE WHEN i % 5 = 0 THEN date '2025-06-01' + i ELSE 'infinity' END,
    'Person ' || i, '{a,b}' FROM generate_series(1, 200) AS i;
CREATE TABLE tickets (ticket_id bigint, customer_id numeric(10, 0), opened_at timestamptz, resolved_at timestamp, escalated boolean);
INSERT INTO tickets SELECT i, i, timestamptz '2025-06-01 12:00+02' + i * interval '1 hour',
    timestamp '2025-06-02 12:00' + i * interval '1 hour', i % 3 = 0 FROM generate_series(1, 200) AS i;
CREATE VIEW "Odd ""name""" AS SELECT 1 AS customer_id, date '2025-01-01' AS signup_date, NULL::date AS end_date;
CREATE ROLE guest LOGIN PASSWORD 'guest';
GRANT USAGE ON SCHEMA crm TO guest'''
MANY = """CREATE TABLE many AS
    SELECT i AS id, md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text) AS words FROM generate_series(1, 1200000) AS i"""
STUDY = """
timezone = "Europe/Berlin"
[tables]
database = "ACME_DATABASE"
[tables.customers]
table = "crm.accounts"
columns = {customer_id = "no", signup_date = "Start Date", end_date = "ended"}
[tables.tickets]
"""


@pytest.fixture(scope="module")
def server():
    """A server with two tables; without PostgreSQL the tests are skipped, saying so, and with CI set they fail."""
    if not postgres_server.there():
        reason = "no PostgreSQL server on this machine: apt-get install postgresql"
        pytest.fail(reason, pytrace=False) if os.environ.get("CI") else pytest.skip(reason)
    with postgres_server.running() as running:
        execute(running, TYPES, CRM)
        execute(running, "UPDATE kinds SET h = $1 WHERE g", values=(ODD,))
        yield running


def execute(server, *scripts, values=None):
    """Run SQL on the server, statements ending in ";" at the end of a line."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(server.address, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in (one for script in scripts for one in script.split(";\n")):
            cursor.execute(statement, values)


@pytest.fixture
def acme(server, tmp_path, monkeypatch):
    """Writes a study of the server's tables; snapshots of a test are its own."""
    monkeypatch.setenv(VARIABLE, server.address)
    (tmp_path / "snapshots").mkdir()
    monkeypatch.setenv(paths.SHARED, str(tmp_path / "snapshots"))

    def write(text: str = STUDY, *changes: tuple[str, str]) -> Path:
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        (tmp_path / "acme.toml").write_text(text)
        return tmp_path / "acme.toml"

    return write


def faults(path):
    with pytest.raises(CxError) as error:
        read_study(path)
    return list(error.value.faults)


def test_types_time_zones_and_gaps_come_through(acme):
    (path,) = snapshots.snapshot([snapshots.Wanted(VARIABLE, "kinds")])
    rows = {row["g"]: row for row in pq.read_table(path).to_pylist()}
    full, other, empty = rows[True], rows[False], rows[None]
    schema = {field.name: str(field.type) for field in pq.read_schema(path)}
    assert schema == {
        "a": "decimal128(12, 2)", "b": "int64", "c": "string", "d": "timestamp[us, tz=UTC]", "e": "timestamp[us]",
        "f": "date32[day]", "g": "bool", "h": "string", "i": "int64", "j": "string", "k": "string",
        "l": "decimal128(10, 2)", "m": "double", "n": "int16", "o": "string", "p": "string", "q": "string", "r": "float",
    }  # fmt: skip
    assert full == {
        "a": Decimal("1234567890.12"), "b": 12345678, "c": "123456789012345678901234567890.123456789",
        "d": full["d"], "e": datetime(2025, 3, 30, 2, 30), "f": date(2025, 2, 28), "g": True, "h": ODD,
        "i": 2**63 - 1, "j": "00000000-0000-0000-0000-000000000007", "k": "premium", "l": Decimal("9.99"), "m": 1e-300,
        "n": -32768, "o": "007", "p": "ab", "q": '{"a": 1}', "r": 1.5,
    }  # fmt: skip
    assert full["d"].isoformat() == "2025-03-30T01:30:00+00:00"
    assert other["d"].isoformat() == "2000-01-01T10:59:59.999999+00:00"
    assert (other["a"], other["b"], other["i"], other["h"], other["g"]) == (Decimal("-0.01"), -1, -(2**63), "", False)
    # Not a number, and a day beyond all time: nothing. Of digits without limits the text is kept.
    assert (other["l"], other["e"], other["f"], other["c"]) == (None, None, None, "NaN")
    assert set(empty.values()) == {None}


def test_a_study_of_tables_reads_days_stamps_and_ids(acme):
    tables = read_study(acme()).tables
    people, tickets = tables.customers.to_pandas(), tables.tickets.to_pandas()
    assert set(people) == {"customer_id", "signup_date", "end_date"}
    assert people["customer_id"].iloc[:3].tolist() == ["1", "2", "3"]
    assert people["end_date"].notna().sum() == 40  # infinity is no end
    # 12:00+02 is 10:00 UTC; a stamp without a zone is Berlin's
    assert str(tickets["opened_at"][0]) == "2025-06-01 11:00:00"
    assert str(tickets["resolved_at"][0]) == "2025-06-02 11:00:00"
    assert tickets["escalated"].tolist() == [i % 3 == 0 for i in range(1, 201)]


def test_only_the_columns_a_study_uses_leave_the_server(acme):
    study = read_study(acme())
    names = {path.name: pq.read_schema(path).names for path in study.files[1:]}
    assert names == {"crm.accounts.parquet": ["no", "Start Date", "ended"],
                     "tickets.parquet": ["ticket_id", "customer_id", "opened_at", "resolved_at", "escalated"]}  # fmt: skip


def test_a_frame_is_a_table_too(acme):
    study = read_study(acme('[frame]\ndatabase = "ACME_DATABASE"\ntable = "crm.accounts"\ncustomer = "no"\n'))
    frame = study.frame.to_pandas()
    assert len(frame) == 200 and "tags" not in frame and frame["Name; DROP TABLE"][0] == "Person 1"
    joined = 'joins = [{database = "ACME_DATABASE", table = "tickets", on = "no"}]'
    assert faults(acme(f'[frame]\ndatabase = "ACME_DATABASE"\ntable = "crm.accounts"\n{joined}\n')) == [
        "acme.toml: frame.joins[1].on, tickets.parquet: no column 'no'; There are: 'ticket_id', 'customer_id', 'opened_at', 'resolved_at', 'escalated'"
    ]


def test_a_name_stays_a_name_whatever_it_holds(acme):
    name = "'Odd \"name\"'"
    text = f'[tables.customers]\ndatabase = "ACME_DATABASE"\ntable = {name}\n'
    assert read_study(acme(text)).tables.customers.to_pandas()["customer_id"].tolist() == ["1"]
    text = '[tables.customers]\ndatabase = "ACME_DATABASE"\ntable = "tickets; DROP TABLE tickets"\n'
    assert faults(acme(text))[0].startswith(
        "acme.toml: tables: ACME_DATABASE: no table 'tickets; DROP TABLE tickets'; There are: "
    )
    assert read_study(acme()).tables.tickets is not None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ([("crm.accounts", "crm.acounts")], "tables: ACME_DATABASE: no table 'crm.acounts'; did you mean 'crm.accounts'? There are: 'crm.accounts', 'Odd \"name\"', 'kinds', 'tickets', 'public.Odd \"name\"', 'public.kinds', 'public.tickets'"),
        ([("[tables.tickets]", '[tables.tickets]\ntable = "ticket"')], "tables: ACME_DATABASE: no table 'ticket'; did you mean 'tickets'? There are: 'Odd \"name\"', 'kinds', 'tickets'"),
        ([('"ended"', '"tags"')], "tables: ACME_DATABASE: table 'crm.accounts': column 'tags' is text[], of which no single value can be made; name another, or make one of it in a view"),
        ([('"ended"', '"endd"')], "tables: customers (crm.accounts.parquet): no column 'endd'; There are: 'no', 'Start Date'"),
        ([('database = "ACME_DATABASE"', 'database = "ACME_DATABSE"')], "tables: ACME_DATABSE: the environment variable is not set; set it to postgresql://user:password@host/database"),
        ([('database = "ACME_DATABASE"', 'database = "no.address"')], "tables: no.address: no connection file that can be read; write the address on its one line"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line(acme, changes, fault):
    assert faults(acme(STUDY, *changes)) == [f"acme.toml: {fault}"]


SECRET = postgres_server.PASSWORD


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ((SECRET, "wr0ng-" + SECRET), "the server refuses the user or the password; correct the address it holds"),
        (("analyst:", "analist:"), "the server refuses the user or the password; correct the address it holds"),
        ((":" + SECRET, ""), "the server wants a password; add it to the address, or to ~/.pgpass"),
        (("/postgres", "/postgers"), "the server has no such database; correct the address it holds"),
        (("127.0.0.1", "no-such-host.invalid"), "no server has that name; correct the address it holds"),
        (("127.0.0.1:", "127.0.0.1:1"), "it holds no address that can be read; write postgresql://user:password@host:5432/database"),
        (("postgresql://", ""), "it holds no address that can be read; write postgresql://user:password@host:5432/database"),
        (("/postgres", "/postgres?sslmode=require"), "the server and the address disagree about SSL; correct sslmode in the address"),
    ],
)  # fmt: skip
def test_who_is_refused_is_told_in_one_line_and_no_address_is(acme, server, monkeypatch, change, fault):
    assert change[0] in server.address.replace("postgresql://analyst", "postgresql://analyst")
    monkeypatch.setenv(VARIABLE, server.address.replace(*change))
    monkeypatch.setenv("PGPASSFILE", os.devnull)
    told = faults(acme())
    assert told == [f"acme.toml: tables: ACME_DATABASE: {fault}"]
    assert SECRET not in told[0] and "127.0.0.1" not in told[0] and str(server.port) not in told[0]


def test_a_server_that_is_away_is_told_in_one_line(acme, server, monkeypatch):
    monkeypatch.setenv(VARIABLE, server.address.replace(str(server.port), "1"))
    assert faults(acme()) == [
        "acme.toml: tables: ACME_DATABASE: no server answers there; is it running, and the port right?"
    ]


def test_a_table_that_may_not_be_read_is_told(acme, server, monkeypatch):
    monkeypatch.setenv(VARIABLE, server.address.replace(f"analyst:{SECRET}", "guest:guest"))
    assert faults(acme())[0] == (
        "acme.toml: tables: ACME_DATABASE: table 'crm.accounts' may not be read by this user; ask for the right to SELECT from it"
    )


@pytest.mark.parametrize("key", ["database", "file"])
def test_an_address_in_a_study_is_refused_and_not_repeated(acme, server, key):
    told = faults(acme(f'[frame]\n{key} = "{server.address}"\ntable = "kinds"\n'))
    assert SECRET not in str(told) and len(told) == 1
    assert told[0].startswith(f"acme.toml: frame.{key} must be ") and "an address does not belong in a study" in told[0]
    nested = faults(acme(f'[frame]\nfile = "a.csv"\ndatabase = {{address = "{server.address}"}}\n'))
    assert nested == ["acme.toml: frame.database must be a text, not 'an address'"]


def test_a_connection_file_holds_the_address_for_its_owner_alone(acme, server, tmp_path):
    file = tmp_path / "acme.address"
    file.write_text(server.address + "\n")
    file.chmod(0o644)
    path = acme(STUDY, ('database = "ACME_DATABASE"', 'database = "acme.address"'))
    assert faults(path) == [
        "acme.toml: tables: acme.address: others may read this connection file; take that right from them (chmod o= 'acme.address')"
    ]
    file.chmod(0o600)
    assert len(read_study(path).tables.customers.to_pandas()) == 200
    file.write_text(f"{server.address}\n{server.address}\n")
    assert faults(path) == [
        "acme.toml: tables: acme.address: a connection file must hold the address on one line, and nothing else"
    ]


def test_a_run_reads_once_and_equal_rows_have_equal_fingerprints(acme, server, tmp_path, monkeypatch):
    study = read_study(acme())
    first = of_data(study.files[1:])
    execute(server, "INSERT INTO tickets VALUES (999, 1, now(), now()::timestamp, true)")
    try:
        assert of_data(read_study(acme()).files[1:]) == first  # the same snapshot, whatever the server holds now
        (tmp_path / "later").mkdir()
        monkeypatch.setenv(paths.SHARED, str(tmp_path / "later"))
        assert of_data(read_study(acme()).files[1:]) != first
    finally:
        execute(server, "DELETE FROM tickets WHERE ticket_id = 999", "VACUUM FULL tickets")
    (tmp_path / "again").mkdir()
    monkeypatch.setenv(paths.SHARED, str(tmp_path / "again"))
    monkeypatch.setattr("cxlib.fingerprint.LARGE", 10)  # as a large file: by its size, date and footer
    again = of_data(read_study(acme()).files[1:])
    (tmp_path / "anew").mkdir()
    monkeypatch.setenv(paths.SHARED, str(tmp_path / "anew"))
    assert of_data(read_study(acme()).files[1:]) == again


MEMORY = """
import sys
sys.path.insert(0, {root!r})
import pyarrow.parquet as pq
from pathlib import Path
from cxlib import paths, snapshots

def peak():  # of this process alone: what resource tells begins with the peak of the one that started it
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024

snapshots.snapshot([snapshots.Wanted("ACME_DATABASE", "few")])
before = peak()
(path,) = snapshots.snapshot([snapshots.Wanted("ACME_DATABASE", "many")])
about = pq.ParquetFile(path).metadata
print(peak() - before, about.num_rows, about.num_row_groups)
"""


class Refused(Exception):
    sqlstate = None


def driver_of(monkeypatch, answer):
    """In place of the driver, one whose `connect` is the answer: for what a server at hand does not say."""
    monkeypatch.setattr(postgres, "_driver", lambda: SimpleNamespace(connect=answer, Error=Refused))
    monkeypatch.setenv(VARIABLE, "postgresql://h/d")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("FATAL: no pg_hba.conf entry for host", "the server lets nobody in from here as this user; ask who runs it"),
        ("timeout expired", "the server does not answer in time; is it running, and reachable from here?"),
        ("No route to host", "the server is not reachable from here; is the network up?"),
        ("FATAL: the database system is starting up", "the server is starting; try again in a moment"),
        ("FATAL: sorry, too many clients already", "the server takes no more connections; try again later"),
        ('FATAL: role "ann" does not exist', "the server knows no such user; correct the address it holds"),
    ],
)
def test_what_a_server_says_of_itself_is_told_without_its_address(monkeypatch, said, told):
    def connect(address):
        raise Refused(f'connection to server at "10.0.0.7", port 5432 failed: {said}')

    driver_of(monkeypatch, connect)
    with pytest.raises(CxError) as error:
        snapshots.snapshot([snapshots.Wanted(VARIABLE, "t")])
    assert error.value.faults == (f"{VARIABLE}: {told}",)


@pytest.mark.parametrize(("state", "told"), [("57P01", "SQLSTATE 57P01"), (None, "the connection broke")])
def test_a_server_that_goes_away_is_told(monkeypatch, state, told):
    class Cursor:
        def execute(self, sql):
            raise type("Stopped", (Refused,), {"sqlstate": state})("server closed the connection at 10.0.0.7")

        def close(self):
            pass

    driver_of(monkeypatch, lambda address: SimpleNamespace(cursor=Cursor, close=lambda: None))
    with pytest.raises(CxError) as error:
        snapshots.snapshot([snapshots.Wanted(VARIABLE, "t")])
    assert error.value.faults == (f"{VARIABLE}: the server stopped answering ({told}); try again",)


def test_without_the_driver_its_name_is_told(monkeypatch):
    monkeypatch.setenv(VARIABLE, "postgresql://h/d")
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(CxError) as error:
        snapshots.snapshot([snapshots.Wanted(VARIABLE, "t")])
    told = "PostgreSQL needs its driver; install it (pip install adbc-driver-manager adbc-driver-postgresql)"
    assert error.value.faults == (told,)


def test_rows_come_in_batches(acme, server, tmp_path):
    """A copy of 125 MB must not need more memory than one of a quarter of that, but for what the allocators keep."""
    execute(server, MANY, MANY.replace("many", "few").replace("1200000", "300000"))
    try:
        command = [sys.executable, "-c", MEMORY.format(root=str(ROOT))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    finally:
        execute(server, "DROP TABLE many", "DROP TABLE few")
    megabytes, rows, groups = map(int, done.stdout.split())
    assert rows == 1_200_000 and groups > 10 and megabytes < 45
