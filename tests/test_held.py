"""What is held is what the query gives, in memory or in a file; and the limits that DuckDB is given."""

import ast
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import cxlib as cx
from cxlib import engine, follow_up, frame, held, paths, study


@pytest.fixture(scope="module")
def example():
    return cx.read_study("example")


@pytest.mark.parametrize("most", [10**9, 1], ids=["memory", "file"])
def test_what_is_held_is_what_the_query_gives(most, example):
    seen = cx.landmark(example.tables, "latest", 180, 90)
    kept = held.held(lambda: seen, held.FEW_ROWS + 1 if most == 1 else 1)
    assert (kept.at, kept.kind) == (seen.at, seen.kind)
    assert ("read_parquet" in (sql := kept.frame.to_native().sql_query()) or "parquet_scan" in sql) == (most == 1)
    expected, found = (view.to_pandas().sort_values("customer_id", ignore_index=True) for view in (seen, kept))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_a_study_works_out_its_landmark_and_its_answers_once(example, monkeypatch):
    asked = []
    for module, name in ((study, "followed_from"), (study, "rated")):
        plain = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, plain=plain, name=name: asked.append(name) or plain(*a))
    anew = replace(example)
    for get in (cx.study_frame, cx.study_followed, cx.study_by_month, cx.study_scores, cx.study_answers):
        for group in ((), ("", "region", "North")):
            get(anew, *group).to_pandas()
    cx.study_reasons(anew)
    assert sorted(asked) == ["followed_from", "rated"]
    cx.study_frame(replace(anew))  # another study, even with the same tables
    assert len(asked) == 3


def test_held_frames_of_a_study_equal_those_of_its_tables(example):
    when, tables = example.landmark, example.tables
    lengths = when.lookback_days, when.horizon_days, when.slow_hours
    pairs = [
        (cx.study_frame(example), frame.landmark(tables, "latest", *lengths)),
        (cx.study_followed(example), cx.follow_landmark(tables, "latest", *lengths)),
        (cx.study_by_month(example), cx.stack_landmarks(tables, "latest", 3, when.lookback_days, exposures="held")),
        (cx.study_answers(example), cx.answers(tables)),
        (cx.study_answers(example, "2026-01-01"), cx.answers(tables, "2026-01-01")),
    ]
    for ours, theirs in pairs:
        names = list(theirs.at)
        left, right = (view.to_pandas(*names).sort_values(names, ignore_index=True) for view in (ours, theirs))
        pd.testing.assert_frame_equal(left, right, check_dtype=False)
    assert follow_up.study_scores(example).at.keys() >= {"left", "recommend", "contact_support"}


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """The folder of a run of its own; every frame is one of many rows."""
    monkeypatch.setenv(paths.SHARED, str(tmp_path))
    monkeypatch.setattr(held, "FEW_ROWS", 0)
    return tmp_path


ELSEWHERE = """
import sys
import cxlib as cx
from cxlib import held, study

held.FEW_ROWS = 0
asked = []
for module, name in ((study, "followed_from"), (study, "rated"), (study, "tables_faults")):
    plain = getattr(module, name)
    setattr(module, name, lambda *a, plain=plain, name=name: asked.append(name) or plain(*a))
read = cx.read_study(sys.argv[1])
seen, said, known = cx.study_frame(read), cx.study_answers(read), cx.study_scores(read)
print(asked, seen.to_pandas()["left"].sum(), said.to_pandas("recommend")["recommend"].sum(), read.private)
"""


def elsewhere(path):
    """What another process of the run works out, and what it finds."""
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, str(path)], capture_output=True, text=True, check=True)
    asked, _, found = done.stdout.partition("]")
    return ast.literal_eval(asked + "]"), found


def test_processes_of_a_run_work_out_a_study_once(run_folder, example):
    asked, found = elsewhere("example")
    assert sorted(asked) == ["followed_from", "rated", "tables_faults"]
    assert elsewhere("example") == ([], found)
    assert not list(run_folder.glob("*.part"))


def test_what_broke_off_is_worked_out_again(run_folder):
    _, found = elsewhere("example")
    for one in run_folder.glob("*.json"):  # written last: without it nothing counts
        one.rename(one.with_suffix(".123.part"))
    asked, again = elsewhere("example")
    assert (len(asked), again) == (3, found)


def test_a_study_that_changed_is_looked_into_again(run_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    people = cx.study.ROOT / "data" / "example" / "customers.parquet"
    (folder / "one.toml").write_text('[tables]\ncustomers = {file = "customers.parquet"}\n')
    shutil.copy(people, folder)
    for _ in range(2):
        assert cx.read_study(folder / "one.toml").tables.last_day
    twice = pd.read_parquet(people)
    pd.concat([twice, twice.head(3)]).to_parquet(folder / "customers.parquet")
    with pytest.raises(cx.CxError, match=r"'customer_id' must be unique, 3 of [\d,]+ rows repeat one"):
        cx.read_study(folder / "one.toml")
    assert len(list(run_folder.glob("*.json"))) == 2


def test_nothing_is_remembered_of_what_has_no_name():
    found = []
    for _ in range(2):
        held.remembered("", lambda: found.append(1) or {})
    assert len(found) == 2


def test_distinct_rows_are_those_of_pandas():
    data = pd.DataFrame({"a": ["x", "y", None, "x", None], "b": [1, 2, 3, 1, 3]})
    found = engine.collect(engine.distinct(engine.view(data).frame), ["c1"])
    assert found["c1"].tolist() == [1, 2, 3]
    assert found["c0"].fillna("").tolist() == ["x", "y", ""]


@pytest.mark.parametrize(
    ("given", "told"),
    [("512MB", "488.2 MiB"), ("much", "CX_MEMORY must be an amount of memory such as 1GB, not 'much'")],
)
def test_the_memory_of_duckdb_is_an_environment_variable(given, told, monkeypatch):
    code = (
        "import duckdb, pandas, cxlib as cx, cxlib.engine as engine\n"
        "try:\n"
        "    engine.view(pandas.DataFrame({'a': [1]}))\n"
        "    print(duckdb.sql(\"SELECT current_setting('memory_limit')\").fetchall()[0][0])\n"
        "except cx.CxError as error:\n"
        "    print(error)\n"
    )
    monkeypatch.setenv("CX_MEMORY", given)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told


def test_duckdb_spills_into_the_scratch_folder():
    engine.view(pd.DataFrame({"a": [1]}))
    [(where,)] = duckdb.sql("SELECT current_setting('temp_directory')").fetchall()
    assert where == str(engine.scratch())


def test_a_killed_process_leaves_its_scratch_folder_until_the_next_sweep_and_a_live_one_keeps_its_own(tmp_path):
    code = "import sys; from cxlib import paths; print(paths.scratch(), flush=True); sys.stdin.read()"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path.cwd())}

    def started():
        process = subprocess.Popen([sys.executable, "-c", code], env=environment, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        return process, Path(process.stdout.readline().strip())

    (killed, lost), (ended, gone), (alive, kept) = started(), started(), started()
    assert len({lost, gone, kept}) == 3
    killed.kill(), killed.communicate(), ended.communicate()
    assert lost.is_dir()
    assert not gone.exists()
    other, _ = started()  # which sweeps first
    assert not lost.exists()
    assert kept.is_dir()
    alive.communicate(), other.communicate()
    assert list(tmp_path.glob("cxlib-*")) == []
