"""Runs: what is on disk afterwards, whatever the notebooks do. One run serves many tests, since kernels are slow."""

import hashlib
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest

import cxlib
from cxlib import report
from cxlib.__main__ import main
from cxlib.errors import CxError
from cxlib.paths import SHARED, scratch
from cxlib.report import Options, plan_jobs, run_reports, slug_of
from tests import small_notebooks as small

HOSTILE = ["../../x", "<script>alert(1)</script>", "a" * 300, "two\nlines \"quoted\" 'twice'", "\N{GRINNING FACE}", ""]
MANIFEST = {
    "schema", "status", "notebook", "parameters", "fingerprint", "git_commit", "versions", "seed", "started_at",
    "finished_at", "seconds", "exception", "files",
}  # fmt: skip


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """One run, started elsewhere, of a good notebook, one that raises and one without an answer output."""
    folder = tmp_path_factory.mktemp("mixed")
    nps = small.plain()
    nps.cells.insert(
        2, small.code("import os, sys, cxlib\nprint(sys.executable, cxlib.__file__, os.environ['MPLBACKEND'])")
    )
    nps.cells.insert(3, small.code("from cxlib.paths import shared\nprint(shared())"))
    silent = small.plain()
    silent.cells[-1].source = "print('no answer')"
    paths = small.write(folder, nps=nps, raising=small.raising(), silent=silent)
    seen = []
    jobs = plan_jobs(map(Path, paths), {"minimum_group": "25"})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("PYTHONPATH", raising=False)
        patch.setenv("MPLBACKEND", "Agg")
        patch.delenv(SHARED, raising=False)
        return run_reports(jobs, folder / "out", done=lambda manifest: seen.append(manifest["notebook"])), seen


@pytest.fixture(scope="module")
def good(mixed):
    return next((mixed[0].folder / "nps").iterdir())


def test_a_run_is_one_folder_named_by_time_with_nothing_left_beside_it(mixed):
    run = mixed[0]
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", run.folder.name)
    assert names(run.folder.parent) == [run.folder.name]
    assert names(run.folder) == ["nps", "raising", "run.json", "silent"]


def test_a_failing_report_stops_no_other(mixed):
    run, seen = mixed
    assert run.counts == {"ok": 1, "skipped": 0, "failed": 2, "timeout": 0}
    assert run.exit_code == 1
    assert seen == ["nps", "raising", "silent"]


def test_a_good_report_is_five_files(good):
    assert names(good) == ["answers.json", "log.txt", "manifest.json", "notebook.ipynb", "report.html"]
    assert re.fullmatch(r"minimum_group-25-[0-9a-f]{8}", good.name)


def test_the_manifest_says_what_was_made_from_what(good):
    manifest = read(good / "manifest.json")
    assert set(manifest) == MANIFEST
    assert (manifest["schema"], manifest["status"], manifest["exception"], manifest["seed"]) == (1, "ok", None, 0)
    assert manifest["parameters"]["minimum_group"] == 25
    assert set(manifest["parameters"]) == {
        "only_value", "minimum_group", "share", "method", "as_of", "drivers", "cap", "seed",
    }  # fmt: skip
    assert set(manifest["fingerprint"]) == {"notebook", "parameters", "study", "data", "code"}
    assert manifest["started_at"] <= manifest["finished_at"]
    assert manifest["started_at"].endswith("+00:00")


def test_the_manifest_sums_every_other_file(good):
    files = read(good / "manifest.json")["files"]
    sums = {
        name: hashlib.sha256((good / name).read_bytes()).hexdigest() for name in names(good) if name != "manifest.json"
    }
    assert files == sums


def test_the_answer_stands_beside_the_page_with_all_parameters(good):
    answer = read(good / "answers.json")
    assert answer["sentence"] == "NPS is 12.5 points (95 % interval 9.5 to 15.5, n = 400)."
    assert (answer["schema"], answer["notebook"]) == (1, "nps")
    assert answer["parameters"] == read(good / "manifest.json")["parameters"]
    assert list(answer["answers"][0]) == [
        "name", "by", "term", "measure", "estimate", "std_error", "lower", "upper", "level", "n", "unit", "method",
        "note",
    ]  # fmt: skip
    assert answer["answers"][0]["n"] == 400
    assert answer["sentence"] in (good / "report.html").read_text(encoding="utf-8")


def test_given_values_reach_the_notebook_and_no_path_of_the_machine_stays_in_it(good):
    notebook = nbformat.read(good / "notebook.ipynb", as_version=4)
    injected = [cell.source for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert injected == ["# Parameters\nminimum_group = 25\n"]
    assert str(good.parents[4]) not in (good / "notebook.ipynb").read_text(encoding="utf-8")


def test_the_kernel_is_this_interpreter_with_this_package_and_figures_inline(good):
    # The notebook names a kernelspec that is not installed, and the shell a backend that shows nothing.
    cells = nbformat.read(good / "notebook.ipynb", as_version=4).cells
    printed = [output.text for cell in cells for output in cell.get("outputs", []) if output.get("name") == "stdout"]
    assert printed[0].split() == [sys.executable, cxlib.__file__, "module://matplotlib_inline.backend_inline"]
    # What one report works out, the next finds.
    assert printed[1].strip() == str(scratch())


def test_a_failed_report_keeps_its_notebook_up_to_the_fault_and_links_it(mixed):
    (folder,) = (mixed[0].folder / "raising").iterdir()
    assert folder.name.endswith(".failed")
    assert names(folder) == ["log.txt", "manifest.json", "notebook.ipynb"]
    cells = nbformat.read(folder / "notebook.ipynb", as_version=4).cells
    assert any("before the fault" in str(cell.get("outputs")) for cell in cells)
    assert 'href="#papermill-error-cell"' in cells[0].source
    manifest = read(folder / "manifest.json")
    assert manifest["status"] == "failed"
    assert manifest["exception"] == "ValueError: service_band holds; no good contact (cell 4)"
    log = (folder / "log.txt").read_text(encoding="utf-8")
    assert "raise ValueError" in log
    assert "\x1b" not in log
    assert "Passed unknown parameter" not in log


def test_a_report_whose_answer_cell_shows_no_answer_has_failed(mixed):
    (folder,) = (mixed[0].folder / "silent").iterdir()
    assert names(folder) == ["log.txt", "manifest.json", "notebook.ipynb"]
    assert read(folder / "manifest.json")["exception"] == (
        "the answer cell must display one output of type application/vnd.cxlib.answer+json, not 0; use cx.text.answer"
    )


def test_the_run_records_itself(mixed):
    record = read(mixed[0].folder / "run.json")
    assert (record["schema"], record["plan"], record["exit_code"]) == (1, None, 1)
    assert record["counts"] == mixed[0].counts
    assert [report["status"] for report in record["reports"]] == ["ok", "failed", "failed"]
    assert record["reports"][0]["title"] == "What is our NPS?"


def test_latest_holds_copies_of_good_pages_only(mixed, good):
    latest = mixed[0].folder.parents[1] / "latest"
    assert names(latest) == ["nps"]
    assert names(latest / "nps") == [f"{good.name}.html"]
    copy = latest / "nps" / f"{good.name}.html"
    assert copy.read_bytes() == (good / "report.html").read_bytes()
    assert not copy.is_symlink()


def test_the_index_lists_every_report_with_its_answer_or_its_fault(mixed, good):
    out = mixed[0].folder.parents[1]
    page = (out / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"#]+)"', page)
    assert len(links) == len(set(links)) + 1 == 6  # the good page stands in the list of runs too
    assert all((out / link).is_file() for link in links)
    assert "NPS is 12.5 points" in page
    assert "ValueError: service_band holds" in page


def test_a_report_that_never_ends_is_stopped_and_its_notebook_kept(tmp_path):
    jobs = plan_jobs(map(Path, small.write(tmp_path, endless=small.endless())), {})
    run = run_reports(jobs, tmp_path / "out", Options(timeout=8))
    assert run.counts["timeout"] == 1
    assert run.exit_code == 1
    assert run.seconds < 30
    folder = run.folder / "endless" / "default.failed"
    assert read(folder / "manifest.json")["exception"] == "the report took longer than its 8 seconds"
    cells = nbformat.read(folder / "notebook.ipynb", as_version=4).cells
    assert any("before the wait" in str(cell.get("outputs")) for cell in cells)
    assert "papermill-error-cell" in cells[0].source


def test_hostile_values_stay_in_their_folder_and_are_shown_as_text(tmp_path):
    path = small.write(tmp_path, hostile=small.hostile())[0]
    jobs = [plan_jobs([Path(path)], {"only_value": value})[0] for value in HOSTILE]
    assert len({job.slug for job in jobs}) == len(HOSTILE)
    before = set(tmp_path.rglob("*"))
    run = run_reports(jobs, tmp_path / "out", Options(workers=2))
    assert run.counts["ok"] == len(HOSTILE)
    assert {entry.relative_to(tmp_path).parts[0] for entry in set(tmp_path.rglob("*")) - before} == {"out"}
    for job, value in zip(jobs, HOSTILE, strict=True):
        folder = run.folder / "hostile" / job.slug
        answer = read(folder / "answers.json")
        assert answer["parameters"]["only_value"] == value
        page = (folder / "report.html").read_text(encoding="utf-8")
        assert "<script" not in page
        assert "<iframe" not in page
        assert "onerror" not in page
        assert "javascript:" not in page
        assert "http://example.org/x.png" not in page
        assert not re.search(r"<svg", page)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_slug_is_ascii_short_and_its_own_folder(value):
    slug = slug_of({"only_value": value, "seed": 0}, {"only_value": value})
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,80}-[0-9a-f]{8}", slug)
    assert ".." not in slug
    assert Path(slug).name == slug


def test_slugs_tell_values_apart_that_look_alike():
    slugs = [slug_of({"a": value}, {"a": value}) for value in ("a b", "a-b", "a/b", "A b", 0.5, -0.5, "0.5", [1], None)]
    assert len(set(slugs)) == len(slugs)
    assert slug_of({"a": 1, "b": 2}, {}) == "default"
    assert slug_of({"a": 1, "b": 0.5}, {"a": 1, "b": 0.5}).startswith("a-1_b-0.5-")
    assert slug_of({"a": 1, "b": 2}, {"a": 1}) == slug_of({"b": 2, "a": 1}, {"a": 1})


def test_faults_of_all_notebooks_are_told_before_any_runs(tmp_path):
    other = small.plain()
    other.cells[1].source = "seed: int = 0"
    paths = small.write(tmp_path, nps=small.plain(), other=other)
    with pytest.raises(CxError) as caught:
        plan_jobs(map(Path, paths), {"seed": "x", "share": "2"})
    assert caught.value.faults == (
        "nps: 'seed' must be a whole number, not 'x'",
        "nps: 'share' must be a number > 0 and <= 1, not '2'",
        "other: 'seed' must be a whole number, not 'x'",
        "other: no parameter 'share'; There are: 'seed'",
    )


def test_a_study_and_the_rows_asked_of_it_are_checked_before_anything_runs(tmp_path):
    notebook = small.plain()
    notebook.cells[1].source = 'study: str = "example"\nas_of: str = ""\nonly_column: str = ""\nonly_value: str = ""'
    path = Path(small.write(tmp_path, nps=notebook)[0])
    for given, line in [
        ({"study": "exmple"}, "no study 'exmple'; did you mean 'example'?"),
        ({"only_column": "rgion", "only_value": "North"}, "no column 'rgion'; did you mean 'region'?"),
        ({"only_column": "region", "only_value": "Nroth"}, "no value 'Nroth'; did you mean 'North'?"),
        ({"as_of": "31.03.2026"}, "as_of must be an ISO day such as 2026-03-31"),
    ]:
        with pytest.raises(CxError, match=re.escape(line)):
            plan_jobs([path], given)
    (job,) = plan_jobs([path], {"only_column": "region", "only_value": "North"})
    assert job.fingerprint["study"] and job.fingerprint["data"]


def test_two_notebooks_of_one_name_are_refused_and_one_named_twice_runs_once(tmp_path):
    (tmp_path / "a").mkdir()
    first, second = small.write(tmp_path, nps=small.plain())[0], small.write(tmp_path / "a", nps=small.plain())[0]
    with pytest.raises(CxError, match="two reports would both be 'nps/default'; rename a notebook"):
        plan_jobs([Path(first), Path(second)], {})
    assert len(plan_jobs([Path(first), Path(first)], {})) == 1


def test_an_output_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    jobs = plan_jobs(map(Path, small.write(tmp_path, nps=small.plain())), {})
    with pytest.raises(CxError, match=r"^reports cannot be written to .*: Not a directory$"):
        run_reports(jobs, tmp_path / "file" / "out")


def test_a_list_of_runs_that_cannot_be_written_is_told_and_the_run_is_there(tmp_path, monkeypatch, capsys):
    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "write_index", full)
    (path,) = small.write(tmp_path, nps=small.plain())
    assert main(["report", path, "--out", str(tmp_path / "out")]) != 0
    told = "the run is there, but latest/ or index.html could not be written: No space left on device"
    assert told in capsys.readouterr().err.splitlines()[0]
    assert list((tmp_path / "out" / "runs").glob("*/nps/default/report.html"))
