"""Files that are lost, cut, damaged or replaced once they are read: every use of them says so in one line."""

import ast
import os
import shutil
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib import engine, files, queries
from cxlib.errors import CxError, LostData
from cxlib.findings import where_possible
from tests.spark_cases import CASES, looked_at

GONE = "{}: the file is gone, it was there before; put it back and run again"
CHANGED = "{}: the file was changed after it was first read; read the study anew"
DAMAGED = "{}: the file is damaged, it cannot be read to its end; export or copy it again"
# These are computed from a fit, which holds its counts: the rows are not asked again.
HELD = {"fit_attrition", "attributable_fractions", "unadjusted_fractions", "role_interval", "outweighs", "robustness",
        "what_if", "interaction_check", "return_on_investment", "fraction_by_horizon", "describe_study",
        "comment_agreement"}  # fmt: skip


def gone(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def of_other_columns(path):
    pd.DataFrame({"other": [1.5]}).to_parquet(path)


def of_other_types(path):
    frame = pd.read_parquet(path)
    pd.DataFrame({name: [[1]] for name in frame}).to_parquet(path)


def of_other_rows(path):
    pd.read_parquet(path).head(1).to_parquet(path)


def damaged(path):
    """The data overwritten, the footer as it was, and nothing to be seen from outside."""
    content, about = bytearray(path.read_bytes()), path.stat()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    content[4:footer] = bytes(255 - byte for byte in content[4:footer])
    path.write_bytes(content)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def faults(function, *args):
    with pytest.raises(CxError) as caught:
        function(*args)
    return caught.value.faults


def rows_of(found):
    return found.to_pandas() if hasattr(found, "to_pandas") else found


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    for name, seen in cx.load(cx.simulate(customers=1200, seed=3)[0]).present.items():
        seen.frame.to_native().write_parquet(str(folder / f"{name}.parquet"))
    return folder


@pytest.fixture(scope="module")
def lost(sound, tmp_path_factory):
    """What the cases are asked of, read from files that are no longer there."""
    folder = tmp_path_factory.mktemp("lost")
    shutil.copytree(sound, folder, dirs_exist_ok=True)
    tables = cx.load(folder)
    themes = cx.simulated_themes(tables.surveys, tables.touchpoints)
    on = looked_at(tables, themes)
    for path in folder.iterdir():
        path.unlink()
    return on


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_public_function_tells_of_a_file_that_is_gone(lost, name):
    if name in HELD:
        assert rows_of(CASES[name](lost)) is not None
        return
    (told, *more) = faults(lambda: rows_of(CASES[name](lost)))
    assert more == [GONE.format(fault.split(":")[0]) for fault in more]
    assert told == GONE.format(told.split(":")[0]) and told.split(".parquet:")[0] in lost.tables.present


@pytest.mark.parametrize(
    ("damage", "line"),
    [(gone, GONE), (cut, CHANGED), (emptied, CHANGED), (of_other_columns, CHANGED), (of_other_types, CHANGED),
     (of_other_rows, CHANGED), (damaged, DAMAGED)],
)  # fmt: skip
@pytest.mark.parametrize("use", ["nps", "csat", "landmark", "validate", "data_health", "answers", "attrition_rate"])
def test_every_damage_is_told_by_the_name_of_the_file(sound, tmp_path, damage, line, use):
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    tables = cx.load(tmp_path)
    asked = {
        "nps": lambda: cx.nps(tables.surveys),
        "csat": lambda: cx.csat(tables.tickets),
        "landmark": lambda: cx.landmark(tables, "2025-12-31", 180, 90),
        "validate": lambda: cx.validate(tables),
        "data_health": lambda: cx.missing_values(tables),
        "answers": lambda: cx.answers(tables),
        "attrition_rate": lambda: cx.attrition_rate(tables),
    }[use]
    asked()
    table = {"nps": "surveys", "answers": "surveys", "csat": "tickets"}.get(use, "customers")
    damage(tmp_path / f"{table}.parquet")
    assert faults(lambda: rows_of(asked())) == (line.format(f"{table}.parquet"),)


def test_a_report_does_not_go_on_without_the_parts_whose_file_is_gone(lost):
    """What data cannot carry is left out of a page with a sentence; what is lost must not be."""
    with pytest.raises(LostData):
        where_possible(cx.kaplan_meier, lost.followed, "days_followed", "left")
    with pytest.raises(LostData):
        cx.not_met_comparison(lost.answers, "recommend", ["website"], customer="customer_id")


def test_what_changes_while_a_query_runs_is_told(tmp_path, monkeypatch):
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    seen = files.read_file(tmp_path / "a.parquet").view
    whole = nw.LazyFrame.collect

    def slow(lazy, *args):
        found = whole(lazy, *args)
        of_other_rows(tmp_path / "a.parquet")
        return found

    monkeypatch.setattr(nw.LazyFrame, "collect", slow)
    assert faults(engine.collect, seen.frame) == (CHANGED.format("a.parquet"),)


def test_a_file_read_anew_is_taken_as_it_is_and_others_do_not_matter(tmp_path):
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"a": [5]}).to_parquet(tmp_path / "it's [b]*.parquet")
    files.read_file(tmp_path / "a.parquet")
    other = files.read_file(tmp_path / "it's [b]*.parquet").view
    pd.DataFrame({"a": [3, 4, 5]}).to_parquet(tmp_path / "a.parquet")
    assert engine.rows(other) == 1
    assert engine.rows(files.read_file(tmp_path / "a.parquet").view) == 3
    (tmp_path / "it's [b]*.parquet").unlink()
    assert faults(engine.rows, other) == (GONE.format("it's [b]*.parquet"),)


def test_a_lazy_frame_of_polars_whose_file_is_gone_is_told(tmp_path):
    polars = pytest.importorskip("polars")
    pd.DataFrame({"recommend": [9, 10]}).to_parquet(tmp_path / "a.parquet")
    lazy = polars.scan_parquet(tmp_path / "a.parquet")
    assert cx.nps(lazy)["estimate"].tolist() == [100]
    (tmp_path / "a.parquet").unlink()
    (told,) = faults(cx.nps, lazy)
    assert told.startswith("the data cannot be read any more (") and told.endswith("; see that their file is whole")


def test_a_csv_file_is_read_once_and_may_go(sound, tmp_path):
    for path in sound.iterdir():
        pd.read_parquet(path).to_csv(tmp_path / f"{path.stem}.csv", index=False)
    tables = cx.load(tmp_path)
    before = cx.nps(tables.surveys)
    for path in tmp_path.iterdir():
        path.unlink()
    pd.testing.assert_frame_equal(cx.nps(tables.surveys), before)


def test_a_limit_of_memory_is_told(tmp_path):
    pd.DataFrame({"a": np.arange(3_000_000)}).to_parquet(tmp_path / "a.parquet")
    limit, scratch = duckdb.sql("SELECT current_setting('memory_limit'), current_setting('temp_directory')").fetchall()[
        0
    ]
    seen = files.read_file(tmp_path / "a.parquet").view
    try:
        duckdb.execute("SET memory_limit = '2MB'; SET temp_directory = ''")
        (told,) = faults(lambda: engine.collect(seen.frame.group_by("c0").agg(nw.len().alias("n"))))
    finally:
        duckdb.execute(f"SET memory_limit = '{limit}'; SET temp_directory = '{scratch}'")
    assert told == ("DuckDB needs more memory than its limit for a query; raise the limit (CX_MEMORY), "
                    "or leave out columns and rows that are not asked about")  # fmt: skip


def test_a_query_that_loses_its_file_without_a_trace_is_told():
    """An error of input or output of DuckDB's that no file of ours explains, such as a disk taken away."""
    with pytest.raises(LostData) as error, queries.asked(None):
        raise duckdb.IOException("IO Error: Could not read from file: Input/output error")
    assert error.value.faults == (
        "a file of the data is gone or was changed while it was read; run again (Could not read from file: "
        "Input/output error)",
    )


RUNS = {"fetchall", "fetchone", "fetchmany", "fetchnumpy", "df", "arrow", "pl", "to_arrow_table", "to_arrow_reader",
        "write_parquet", "write_csv", "interrogate", "to_df"}  # fmt: skip


def test_no_query_runs_elsewhere():
    """By the source: what makes DuckDB run is called within `with queries.asked(...)`, or on a database of its own."""
    found = []
    for path in sorted(Path(queries.__file__).parent.glob("*.py")):
        if path.stem in ("queries", "databases", "postgres", "warm"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        within = [node for node in ast.walk(tree) if isinstance(node, ast.With)
                  and any("queries.asked(" in ast.unparse(item) for item in node.items)]  # fmt: skip
        safe = {id(call) for node in within for call in ast.walk(node)}
        found += [
            f"{path.name}:{node.lineno} {node.func.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and id(node) not in safe
            and (node.func.attr in RUNS or (node.func.attr == "collect" and ast.unparse(node.func.value) != "engine"))
        ]  # fmt: skip
    assert found == []
