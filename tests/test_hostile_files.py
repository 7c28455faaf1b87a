"""Files that were damaged, swapped, linked or taken away: read as they are, or one line that says which and what to do."""
# ruff: noqa: E501  (a fault is one line, however long)

import os

import duckdb
import pandas as pd
import pytest

from cxlib import __main__ as command
from cxlib import csvfile, engine, files, held
from cxlib.data import load
from cxlib.errors import CxError
from cxlib.folders import locked
from cxlib.frame import landmark
from cxlib.parameters import read_parameter_file
from cxlib.plan import read_plan
from cxlib.simulation import write_simulation
from cxlib.study import read_study

HEAD = "customer_id,region,signup_date,end_date\n"
GOOD = HEAD + "1,North,2024-01-01,\n2,South,2024-02-01,2025-01-01\n"


def one(function, *args):
    with pytest.raises(CxError) as caught:
        function(*args)
    (fault,) = caught.value.faults
    return fault


def read(folder, content, name="customers.csv"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(folder).customers.to_pandas()


NOT_UTF8 = (
    'customers.csv, line {}: the text is not UTF-8; declare its encoding in the study, such as encoding = "cp1252"'
)
NO_DAY = "customers (customers.csv): column 'signup_date' must be a day in every row, 1 value is not, such as '{}'; declare how the file writes them"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (GOOD.encode("utf-16"), NOT_UTF8.format(1)),
        (GOOD.encode("utf-32"), NOT_UTF8.format(1)),
        (GOOD.replace("South", "Süd").encode("cp1252"), NOT_UTF8.format(3)),
        (GOOD.encode("cp037"), NOT_UTF8.format(1)),
        (GOOD + "3,East\n", "customers.csv, line 4: every row must have 4 columns, this one has 2; add the cells it lacks"),
        (GOOD + "3,a,b,2024-01-01,x\n", "customers.csv, line 4: every row must have 4 columns, this one has 5; quote the delimiters in texts"),
        (GOOD + '3,"East,2024-01-01,\n', 'customers.csv, line 4: a quote (") is opened and never closed; close or double it'),
        (GOOD + "3,East,yesterday,\n", NO_DAY.format("yesterday")),
        (GOOD + "3,East,2025-02-30,\n", NO_DAY.format("2025-02-30")),
        (GOOD + "3,East,infinity,\n", NO_DAY.format("infinity")),
        (GOOD + "3,East,45292,\n", NO_DAY.format("45292")),
        (GOOD + "3,East,\u202e2024-01-01,\n", NO_DAY.format(r"\u202e2024-01-01")),
        ("customer_id,region,region\n", "customers.csv: two columns are named 'region'; give each its own name"),
        ("\n\n" + GOOD, "customers.csv: the first line must name the columns, it is empty"),
    ],
)  # fmt: skip
def test_damaged_csv_files(tmp_path, content, told):
    assert one(read, tmp_path, content) == told


@pytest.mark.parametrize(
    "cell", ["x" * 1_000_000, "=1+1", "<b>", "pаypal", "\u202eNorth", "e\u0301", "é", "👩‍👩‍👧", "None", "a\x00b"]
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_cells_that_stay_what_they_are(tmp_path, cell, mark):
    """Look-alikes, marks and very long cells are neither changed nor merged."""
    seen = read(tmp_path, f"{mark}{GOOD}3,{cell},2024-01-01,\n")
    assert seen["region"].tolist() == ["North", "South", cell]
    assert seen["customer_id"].tolist() == ["1", "2", "3"]


def test_a_very_long_cell_where_a_number_must_be_is_told_in_one_short_line(tmp_path):
    told = one(read, tmp_path, f"{GOOD}3,East,{'9' * 1_000_000},\n")
    assert told.startswith("customers (customers.csv): column 'signup_date' must be a day in every row, 1 value is not")
    assert len(told) < 300


LINE = "line of a study"


def link(folder, name, target):
    (folder / name).symlink_to(target)


def test_links_are_followed_where_they_lead_to_a_file(tmp_path):
    """What a link leads to is read with the reader's own rights, and written about under the name of the link."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "people.csv").write_text(GOOD + "3,East\n")
    (tmp_path / "in").mkdir()
    link(tmp_path / "in", "customers.csv", tmp_path / "outside" / "people.csv")
    assert one(load, tmp_path / "in").startswith("customers.csv, line 4: every row must have 4 columns")
    (tmp_path / "outside" / "people.csv").write_text(GOOD)
    assert engine.rows(load(tmp_path / "in").customers) == 2


def loop(folder):
    link(folder, "customers.csv", folder / "customers.csv")


def dangling(folder):
    link(folder, "customers.csv", folder / "gone.csv")


def folder_of_that_name(folder):
    (folder / "customers.csv").mkdir()


def pipe(folder):
    os.mkfifo(folder / "customers.csv")


def device(folder):
    link(folder, "customers.csv", "/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
@pytest.mark.parametrize("made", [loop, dangling, folder_of_that_name, pipe, device])
def test_what_only_looks_like_a_file_is_not_read(tmp_path, made):
    """A pipe or a device would be waited for, or read, for ever."""
    made(tmp_path)
    (tmp_path / "own.toml").write_text('[tables.customers]\nfile = "customers.csv"\n')
    told = one(read_study, tmp_path / "own.toml")
    assert told.startswith("own.toml: tables.customers: no file 'customers.csv' in '"), told
    assert told.endswith("it is a folder, a device, or a link that leads nowhere; name a file")
    assert one(load, tmp_path).startswith(("no table 'customers'", "no file 'customers.csv' in '"))


@pytest.mark.parametrize("made", [loop, dangling, folder_of_that_name, pipe, device])
@pytest.mark.parametrize("read", [read_plan, read_parameter_file, read_study])
def test_what_only_looks_like_a_plan_or_a_study(tmp_path, made, read):
    made(tmp_path)
    path = tmp_path / "customers.csv"
    path.rename(tmp_path / "own.toml") if not path.is_symlink() else link(tmp_path, "own.toml", os.readlink(path))
    assert "own.toml" in one(read, tmp_path / "own.toml")


def vanish(monkeypatch, module, name, path):
    """Take the file away as soon as a function has been called."""
    whole = getattr(module, name)

    def told(*args, **kwargs):
        result = whole(*args, **kwargs)
        path.unlink(missing_ok=True)
        return result

    monkeypatch.setattr(module, name, told)


@pytest.mark.parametrize(("module", "name"), [(csvfile, "_header"), (held, "literal")])
def test_a_file_that_vanishes_while_it_is_read(tmp_path, monkeypatch, module, name):
    (tmp_path / "customers.csv").write_text(GOOD)
    vanish(monkeypatch, module, name, tmp_path / "customers.csv")
    told = one(load, tmp_path)
    assert told.startswith("customers.csv: ") and "is gone" in told, told


def test_a_study_that_vanishes_while_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "own.toml").write_text('tables = "."\n')
    from cxlib import study

    vanish(monkeypatch, study, "find_study", tmp_path / "own.toml")
    assert one(read_study, tmp_path / "own.toml") == "own.toml: cannot be read: No such file or directory"


def test_a_table_that_vanishes_after_it_was_looked_at(tmp_path):
    """Parquet is read when it is asked, again and again: what is gone by then is told by name."""
    folder = tmp_path / "data"
    folder.mkdir()
    read = pd.read_csv(__import__("io").StringIO(GOOD), dtype="str", parse_dates=["signup_date", "end_date"])
    read.to_parquet(folder / "customers.parquet")
    tables = load(folder)
    (folder / "customers.parquet").unlink()
    told = one(landmark, tables, "2024-06-01", 30, 30)
    assert "customers.parquet" in told and "gone" in told and "\n" not in told


def test_a_file_cut_short_is_told(tmp_path):
    pd.DataFrame(
        {"customer_id": ["1"] * 999, "signup_date": pd.Timestamp("2024-01-01"), "end_date": pd.NaT}
    ).to_parquet(tmp_path / "customers.parquet")
    whole = (tmp_path / "customers.parquet").read_bytes()
    (tmp_path / "customers.parquet").write_bytes(whole[: len(whole) // 2])
    assert one(load, tmp_path).startswith("customers.parquet: cannot be read (")


BOMBS = {
    "toml nested lists": "a = " + "[" * 100_000,
    "toml nested tables": "a = " + "{a=" * 20_000,
    "toml dotted keys": ".".join("a" * 20_000) + " = 1",
    "toml a long number": "a = " + "9" * 10_000,
    "toml many keys": "\n".join(f"a{i} = 1" for i in range(50_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_in_a_study(tmp_path, name):
    (tmp_path / "own.toml").write_text(BOMBS[name])
    with pytest.raises(CxError) as caught:
        read_study(tmp_path / "own.toml")
    *told, last = caught.value.faults
    assert all(fault.startswith("own.toml: ") and len(fault) < 500 for fault in told or [last])
    assert len(told) < 100 or last == "and 49,900 more faults, not shown"


@pytest.mark.parametrize(
    "name", ["x" * 300 + ".toml", "x" * 5000, "a/" * 3000 + "b.toml", "\x00.toml", "\ud800.toml", "/", "..", "~", ""]
)
@pytest.mark.parametrize(
    "words", [["study"], ["check"], ["report", "02", "-p", "study"], ["report", "-f"], ["report", "--plan"], ["report"]]
)
def test_names_no_file_can_have(capsys, words, name):
    if not name and "study" in words[1:]:
        return  # no study at all is no name of one
    assert command.main([*words, name]) == 2
    assert all(line.startswith("cx: ") and "--debug shows" not in line for line in capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    ("words", "name", "told"),
    [
        (
            ["simulate", "--customers", "20", "--months", "9", "--out"],
            "x" * 300,
            "File name too long; name another folder",
        ),
        (
            ["simulate", "--customers", "20", "--months", "9", "--out"],
            "file/in",
            "Not a directory; name another folder",
        ),
        (["workshop", "--out"], "x" * 300, "File name too long; name another folder"),
        (["check", "own.toml", "--html"], "x" * 300, "File name too long; name another file"),
    ],
)
def test_places_that_cannot_be_written_to(tmp_path, monkeypatch, capsys, words, name, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "customers.csv").write_text(GOOD)
    (tmp_path / "own.toml").write_text('tables = "."\n')
    assert command.main([*words, str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cx: '") and line.endswith(f"{name[-4:]}' cannot be written to: {told}"), line


@pytest.mark.parametrize("name", ["\x00", "\udc80\ud800"])
def test_places_that_cannot_have_their_name(tmp_path, name):
    told = one(write_simulation, tmp_path / name, 20, 9)
    assert told.startswith("'") and told.endswith("' cannot be the name of a folder; name another folder")
    with pytest.raises(CxError, match=r"^reports cannot be written to '.*': it cannot be the name of a folder$"):
        locked(tmp_path / name).__enter__()


@pytest.mark.parametrize(
    "name",
    ["x" * 300 + ".csv", "\x00.csv", "a\nb.csv", "..", ".", "/", "~/x.csv", "http.csv", "*.csv", "x.csv/../y.csv"],
)
def test_names_no_file_of_a_study_can_have(tmp_path, name):
    text = "".join(f"\\U{ord(sign):08x}" for sign in name)
    (tmp_path / "own.toml").write_text(f'[tables.customers]\nfile = "{text}"\n')
    assert one(read_study, tmp_path / "own.toml").startswith("own.toml: tables.customers: ")


def test_a_missing_file_does_not_break_duckdb():
    assert duckdb.sql("SELECT 1").fetchall() == [(1,)]


def test_a_parquet_file_with_any_byte_flipped_is_read_or_told(tmp_path):
    """Every fifth byte, one at a time: a name or a value that is no text, a footer that leads nowhere."""
    path = tmp_path / "0.parquet"
    pd.DataFrame({"ticket_id": list("660487"), "opened_at": ["2025-01-01 10:00:00"] * 6}).to_parquet(path)
    whole, told = path.read_bytes(), set()
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            engine.collect(files.read_file(path).view.frame)
        except CxError as error:
            told |= set(error.faults)
    assert "0.parquet: the file is damaged, a name of a column is no text; copy it again" in told
    assert any(line.startswith("a Parquet file of the data is damaged; export or copy it again (") for line in told)
    assert all(len(line) < 400 for line in told)
