"""Files of every format, damaged or not, and folders of them, through the readers and `cx study --guess`, and `cx simulate`."""
# ruff: noqa: E501  (a fault is one line, however long)

import itertools
import random
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxlib import __main__ as command
from cxlib import schema
from cxlib.data import load
from cxlib.study import read_study
from tests.hostile import cells, names, tables, told, tried

patient = settings(suppress_health_check=list(HealthCheck))
# Reading a file is one way in: `make test` deals its examples out to the five formats, the long run gives each its own.
EXAMPLES = settings.default.max_examples
dealt = settings(patient, max_examples=EXAMPLES if EXAMPLES > 1000 else EXAMPLES // 5)
COUNT = itertools.count()

PEOPLE = {"customer_id": ["1", "2", "3", "4"], "region": ["North", "South"], "signup_date": ["2024-01-01", "2024-06-01"],
          "end_date": ["", "2025-05-01"], "end_kind": ["", "voluntary"]}  # fmt: skip
TICKETS = {"ticket_id": [str(i) for i in range(9)], "customer_id": ["1", "2"], "opened_at": ["2025-01-01 10:00:00"],
           "resolved_at": ["", "2025-01-02 10:00:00"], "csat": ["1", "5", ""]}  # fmt: skip
ANSWERS = {"Response ID": [str(i) for i in range(9)], "Recorded Date": ["2025-01-01 10:00:00", "2025-03-01 08:30:00"],
           "How likely are you to recommend us?": ["0", "7", "10"], "Comment": ["so slow", "", "fine"], "Account": ["1", "2"]}  # fmt: skip


def to_csv(path, frame):
    frame.to_csv(path, index=False)


def to_xlsx(path, frame):
    book = openpyxl.Workbook()
    for row in [list(frame), *frame.to_numpy().tolist()]:
        try:
            book.active.append([None if cell == "" else cell for cell in row])
        except (ValueError, openpyxl.utils.exceptions.IllegalCharacterError):
            book.active.append(["?"])
    book.save(path)


def to_parquet(path, frame):
    frame.to_parquet(path)


def to_sqlite(path, frame):
    with closing(sqlite3.connect(path)) as connection:
        frame.to_sql("rows", connection, index=False)


def to_duckdb(path, frame):
    with closing(duckdb.connect(str(path))) as connection:
        connection.register("given", pa.Table.from_pandas(frame, preserve_index=False))
        connection.execute("CREATE TABLE rows AS SELECT * FROM given")


WRITERS = {"csv": to_csv, "xlsx": to_xlsx, "parquet": to_parquet, "sqlite": to_sqlite, "duckdb": to_duckdb}


@st.composite
def frames_of_text(draw, kinds):
    """A frame whose cells are texts or, where all of a column are, numbers; a few of them hostile, and a name at times."""
    chance, rows = random.Random(draw(st.integers(0, 99))), draw(st.sampled_from([6, 3, 1, 0]))
    frame = pd.DataFrame(
        {name: [chance.choice(values) for _ in range(rows)] for name, values in kinds.items()}, dtype=object
    )
    for at, place, cell in draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), cells), max_size=3)):
        if rows:
            frame.iat[at % rows, place % len(kinds)] = cell
    for name in draw(st.lists(st.sampled_from(sorted(kinds)), max_size=2)):
        numbers = pd.to_numeric(frame[name], errors="coerce")
        frame[name] = numbers if draw(st.booleans()) else numbers.fillna(0).clip(-(2**62), 2**62).astype("int64")
    return (
        frame.rename(columns={draw(st.sampled_from(sorted(kinds))): draw(names)})
        if draw(st.integers(0, 9)) == 0
        else frame
    )


@st.composite
def damage(draw):
    """What happens to the bytes of a file: mostly nothing."""
    kind, at = draw(st.sampled_from(["whole"] * 5 + ["cut", "flipped", "other"])), draw(st.floats(0, 1))
    other = draw(st.binary(max_size=40)) if kind == "other" else b"\xff" * 8

    def spoil(path: Path) -> None:
        content = path.read_bytes()
        place = int(at * len(content))
        spoilt = {
            "whole": content,
            "cut": content[:place],
            "flipped": content[:place] + other + content[place + 8 :],
            "other": other,
        }
        path.write_bytes(spoilt[kind])

    spoil.__name__ = kind
    return spoil


def written(path, kind, frame, spoil):
    """A file of a kind; what the writers themselves refuse is no file that anybody has."""
    try:
        WRITERS[kind](path, frame)
    except (ValueError, TypeError, OverflowError, UnicodeError, sqlite3.Error, duckdb.Error, pa.ArrowException):
        return False
    spoil(path)
    return True


@pytest.fixture
def folder(tmp_path):
    """A new folder for every example: engines remember files by name."""

    def new():
        for old in tmp_path.iterdir():
            shutil.rmtree(old)
        place = tmp_path / str(next(COUNT))
        place.mkdir()
        return place

    return new


formats = pytest.mark.parametrize("kind", sorted(WRITERS))


@formats
@dealt
@given(frame=frames_of_text(PEOPLE), spoil=damage())
def test_a_table_of_every_format(folder, kind, frame, spoil):
    place = folder()
    if not written(place / f"customers.{kind}", kind, frame, spoil):
        return
    where = f'file = "customers.{kind}"' + ('\ntable = "rows"' if kind in ("sqlite", "duckdb") else "")
    (place / "own.toml").write_text(f"[tables.customers]\n{where}\n")
    study = tried(read_study, place / "own.toml")
    if study is not None and spoil.__name__ == "whole":  # no row is lost or made
        assert len(study.tables.customers.to_pandas()) == len(frame)


@patient
@given(
    kind=st.sampled_from(["csv", "parquet"]),
    frame=frames_of_text(PEOPLE),
    spoil=damage(),
    name=st.sampled_from([*schema.TABLES, "x"]),
)
def test_a_folder_of_tables(folder, kind, frame, spoil, name):
    place = folder()
    if written(place / f"{name}.{kind}", kind, frame, spoil):
        tried(load, place)


@patient
@given(st.lists(st.tuples(st.sampled_from(sorted(WRITERS)), st.sampled_from([PEOPLE, TICKETS, ANSWERS]).flatmap(frames_of_text), damage()),
                min_size=1, max_size=2), tables(ANSWERS), names)  # fmt: skip
def test_guess_at_a_folder(folder, capsys, parts, text, name):
    place = folder()
    for number, (kind, frame, spoil) in enumerate(parts):
        written(place / f"{number}.{kind}", kind, frame, spoil)
    if len(parts) == 1:
        with suppress(OSError, ValueError):  # no name of a file
            (place / f"{name.replace('/', '_')[:80]}.csv").write_text(text, encoding="utf-8", errors="replace")
    code = told(capsys, command.main, "study", "--guess", place, warns=True)
    if code == 0:  # what it says can be read can be read
        assert told(capsys, command.main, "study", place / "study.toml") == 0


words = st.sampled_from(["1", "3", "12", "9", "24", "0", "-1", "1e3", "", "8", "121", "9" * 40, "x", "１２", "1_0"])


@patient
@given(
    st.dictionaries(
        st.sampled_from(["--customers", "--months", "--seed", "--out", "--story"]),
        words | cells.filter(lambda c: not c.strip().isdigit()),
        max_size=3,
    )
)
def test_simulate(folder, capsys, options):
    place = folder()
    options = {"--customers": "5", "--months": "9"} | options
    out = options.pop("--out", "new")
    inside = out.replace("/", "_").replace("..", "_")[:300]
    given = [word for pair in options.items() for word in pair]
    code = told(capsys, command.main, "simulate", "--out", f"{place}/{inside}", *given)
    assert code == 2 or (place / inside / "customers.parquet").is_file()
