"""Skip when nothing changed: on the shipped notebooks, and by each thing that a report is made from."""

import json
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from cxlib import fingerprint
from cxlib.__main__ import main
from cxlib.folders import records
from cxlib.listing import write_index
from cxlib.report import Options, plan_jobs, run_reports
from cxlib.reuse import answers_in, earlier_reports, take_over
from tests import small_notebooks as small

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EACH = [pytest.param(path, id=path.stem, marks=[pytest.mark.long] if n else []) for n, path in enumerate(NOTEBOOKS)]
STUDY = '[frame]\nfile = "rows.csv"\n[experience]\ndrivers = ["staff"]\nmissing = "drop"\n'
PARAMETERS = 'study: str = ""\nas_of: str = ""\nonly_column: str = ""\nonly_value: str = ""\nseed: int = 0'


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def latest(run):
    (folder,) = run.folder.glob("*/*/")
    return folder


@pytest.mark.parametrize("notebook", EACH)
def test_a_shipped_notebook_is_rendered_once_and_again_only_when_forced(notebook, tmp_path):
    jobs = plan_jobs([notebook], {})
    first, second, third = (run_reports(jobs, tmp_path / "out", Options(force=force)) for force in (False, False, True))
    assert [(run.counts["ok"], run.counts["skipped"]) for run in (first, second, third)] == [(1, 0), (0, 1), (1, 0)]
    assert second.seconds < first.seconds / 5
    pages = [latest(run) / "report.html" for run in (first, second, third)]
    assert pages[1].read_bytes() == pages[0].read_bytes()
    assert not pages[2].samefile(pages[0])
    answers = [read(page.with_name("answers.json")) for page in pages]
    assert answers[1] == answers[0]
    assert answers[2]["sentence"] == answers[0]["sentence"]
    numbers = [pd.DataFrame(answer["answers"]).drop(columns="by").convert_dtypes() for answer in answers]
    # To the last digits, in which DuckDB's sums over several threads may differ.
    pd.testing.assert_frame_equal(numbers[2], numbers[0], rtol=1e-9, atol=1e-12)


@pytest.fixture
def made(tmp_path):
    """A report on a small study; returns what plans it, as the job of the moment."""
    pd.DataFrame({"recommend": [9, 2, 7], "staff": [1, 2, 3]}).to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "own.toml").write_text(STUDY)
    notebook = small.plain()
    notebook.cells[1].source = PARAMETERS
    small.write(tmp_path, nps=notebook)

    def plan(**given):
        (job,) = plan_jobs([tmp_path / "nps.ipynb"], {"study": str(tmp_path / "own.toml")} | given)
        return job

    return plan


def other_notebook(folder, patch):
    path = folder / "nps.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].source += "\n\nOne more sentence."
    nbformat.write(notebook, path)


def other_study(folder, patch):
    (folder / "own.toml").write_text('title = "Other"\n' + STUDY)


def other_data(folder, patch):
    pd.DataFrame({"recommend": [9, 2, 8], "staff": [1, 2, 3]}).to_csv(folder / "rows.csv", index=False)


def other_code(folder, patch):
    patch.setattr(fingerprint, "of_code", lambda: "0" * 64)


@pytest.mark.parametrize(
    ("part", "change"),
    [("notebook", other_notebook), ("study", other_study), ("data", other_data), ("code", other_code)],
)
def test_a_change_shows_in_its_part_of_the_fingerprint_and_in_no_other(made, tmp_path, monkeypatch, part, change):
    before = made().fingerprint
    assert made().fingerprint == before
    change(tmp_path, monkeypatch)
    after = made().fingerprint
    assert {name for name in before if before[name] != after[name]} == {part}


def test_another_value_is_another_report(made):
    job, other = made(), made(seed="1")
    assert other.slug != job.slug
    assert {name for name in job.fingerprint if job.fingerprint[name] != other.fingerprint[name]} == {"parameters"}


def test_what_is_kept_must_be_whole_good_and_of_these_inputs_and_libraries(made, tmp_path, monkeypatch):
    out, job = tmp_path / "out", made()
    run = run_reports([job], out, Options(warm=False))

    def skipped(one=job):
        aside = tmp_path / f"aside-{len(list(tmp_path.iterdir()))}"
        return list(take_over([one], earlier_reports(out), aside, pdf=False)) == [one.place]

    assert skipped()
    for part in job.fingerprint:
        assert not skipped(replace(job, fingerprint=job.fingerprint | {part: "0" * 64})), part
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "versions", lambda: {"python": "0"})
        assert not skipped()
    place = run.folder / job.place
    for name in ("report.html", "answers.json", "notebook.ipynb"):
        whole = (place / name).read_bytes()
        (place / name).write_bytes(whole[:-1])
        assert not skipped(), name
        (place / name).write_bytes(whole)
    assert skipped()
    (place / "manifest.json").write_text(json.dumps(read(place / "manifest.json") | {"status": "failed"}))
    assert not skipped()


def test_the_command_skips_and_forces(tmp_path, capsys):
    (path,) = small.write(tmp_path, nps=small.plain())
    told = []
    for more in ([], [], ["--force"]):
        assert main(["report", path, "--no-warm", "--out", str(tmp_path / "out"), *more]) == 0
        told.append(capsys.readouterr().out.split(";")[0])
    assert told == ["1 report: 1 ok", "1 report: 1 skipped", "1 report: 1 ok"]


# What another version of the kit, a machine that lost power or a hand may leave in a run's record or answers.
ODD = {
    "no object": lambda record: [],
    "nothing": lambda record: {},
    "half": lambda record: json.dumps(record)[:-40],
    "no reports": lambda record: record | {"reports": None},
    "a report without a name": lambda record: record | {"reports": [{}]},
    "a report that is a word": lambda record: record | {"reports": ["nps"]},
    "an estimate that is a word": lambda record: altered(record, headline=headline(record) | {"lower": "9"}),
    "another kind of headline": lambda record: altered(record, headline={"nps": 3}),
    "a day that never was": lambda record: record | {"started_at": "2025-02-30T00:00:00"},
    "no seconds": lambda record: record | {"seconds": None},
    "counts of words": lambda record: record | {"counts": {"ok": "one"}},
    "alerts of another kind": lambda record: record | {"alerts": [{"report": "nps", "state": "fired"}]},
}


def headline(record):
    return record["reports"][0]["headline"]


def altered(record, **given):
    return record | {"reports": [record["reports"][0] | given]}


def test_records_that_cannot_be_read_are_passed_over(made, tmp_path):
    """Such a run counts as one that never was: the list of runs is written without it, its report is made again."""
    out = tmp_path / "out"
    run = run_reports([made()], out, Options(warm=False))
    path, index = run.folder / "run.json", out / "index.html"
    record = read(path)
    assert [one["run"] for one in records(out)] == [run.folder.name]
    found = {}
    for kind, spoil in ODD.items():
        content = spoil(record)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        write_index(out)
        found[kind] = records(out), run.folder.name in index.read_text()
    assert found == dict.fromkeys(ODD, ([], False))
    assert run_reports([made()], out, Options(warm=False)).counts["ok"] == 1


@pytest.mark.parametrize("answers", [None, 3, [3], [{}], [{"name": "nps"}], {"nps": 3}])
def test_answers_that_cannot_be_read_are_none(tmp_path, answers):
    (tmp_path / "answers.json").write_text(json.dumps({"answers": answers}))
    assert answers_in(tmp_path) == []
