"""What is left on disk after all that goes wrong: kills, stops, full and read-only disks, two runs, odd clocks."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cxlib import folders, held, paths
from cxlib.errors import CxError
from cxlib.report import Options, plan_jobs, run_reports
from cxlib.study import read_study, study_frame
from tests import small_notebooks as small

ROOT = Path(__file__).parents[1]
PLAIN = Options(warm=False)


def slow(seconds):
    cells = [
        small.code("from pathlib import Path\nimport os\nPath(os.environ['CX_TEST_FLAG']).write_text(str(os.getpid()))")
    ] * (seconds > 0)
    return small.notebook(*cells, small.code(f"import time\ntime.sleep({seconds})"))


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def runs(out):
    return sorted(path.name for path in (out / "runs").iterdir())


def command(folder, *more):
    return [sys.executable, "-m", "cxlib", "report", "quick.ipynb", "slow.ipynb", "--out", "out", *more]


def start(folder, *more):
    """A run of a quick and a slow notebook in a process of its own; returns it and the kernel of the slow one."""
    small.write(folder, quick=small.plain(), slow=slow(300))
    flag = folder / "kernel.pid"
    runner = subprocess.Popen(
        command(folder, *more), cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT), "CX_TEST_FLAG": str(flag)},
    )  # fmt: skip
    wait_for(lambda: flag.exists() and flag.read_text(), 120)
    return runner, int(flag.read_text())


def wait_for(happened, seconds):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def lives(pid):
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def left_running(folder):
    """Processes that the run in this folder started, however far down; kernels and workers know each other by this."""
    told = f"CX_TEST_FLAG={folder / 'kernel.pid'}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if lives(path.name) and told in (path / "environ").read_bytes().split(b"\0"):
                found.append((path / "cmdline").read_text().replace("\0", " "))
    return found


def take_up(folder):
    """The same command again, the slow notebook being quick by now."""
    small.write(folder, slow=slow(0))
    return run_reports(plan_jobs([folder / "quick.ipynb", folder / "slow.ipynb"], {}), folder / "out", PLAIN)


@pytest.mark.parametrize("more", [pytest.param(("--no-warm",), marks=pytest.mark.long), ()], ids=["ordinary", "warm"])
def test_a_run_killed_outright_leaves_no_half_run_and_is_taken_up_by_the_next(tmp_path, more):
    runner, kernel = start(tmp_path, *more)
    runner.kill()
    runner.communicate()
    wait_for(lambda: not lives(kernel) and not left_running(tmp_path), 15)
    (partial,) = runs(tmp_path / "out")
    assert re.fullmatch(r"\.\d{8}T\d{6}Z-[0-9a-f]{8}\.partial", partial)
    (done,) = (tmp_path / "out" / "runs" / partial).glob("quick/*/manifest.json")
    before = read(done)
    assert not (tmp_path / "out" / "index.html").exists()

    run = take_up(tmp_path)
    assert runs(tmp_path / "out") == [run.folder.name]
    assert run.counts == {"ok": 2, "skipped": 0, "failed": 0, "timeout": 0}
    assert read(next(run.folder.glob("quick/*/manifest.json"))) == before


STOPS = [
    (signal.SIGTERM, ()),
    pytest.param(signal.SIGTERM, ("--no-warm",), marks=pytest.mark.long),
    (signal.SIGINT, ("--no-warm",)),
    pytest.param(signal.SIGHUP, (), marks=pytest.mark.long),
]


@pytest.mark.parametrize(("number", "more"), STOPS)
def test_a_stop_ends_every_process_keeps_what_is_done_and_says_so(tmp_path, number, more):
    runner, kernel = start(tmp_path, *more)
    assert left_running(tmp_path)
    runner.send_signal(number)
    out, err = runner.communicate(timeout=60)
    assert not lives(kernel)
    assert left_running(tmp_path) == []
    assert (runner.returncode, out) == (128 + number, "")
    assert err == "cx: stopped; 1 report is done, which the next run takes up\n"
    (partial,) = runs(tmp_path / "out")
    assert partial.endswith(".partial")
    assert [path.parts[-3] for path in (tmp_path / "out" / "runs" / partial).glob("*/*/manifest.json")] == ["quick"]


def test_two_runs_at_once_the_second_is_refused_and_touches_nothing(tmp_path):
    small.write(tmp_path, nps=small.plain())
    jobs = plan_jobs([tmp_path / "nps.ipynb"], {})
    with folders.locked(tmp_path / "out"):
        before = set(tmp_path.rglob("*"))
        told = rf"^'.*out' is being written by process {os.getpid()}; wait for it, or name another folder: --out$"
        with pytest.raises(CxError, match=told):
            run_reports(jobs, tmp_path / "out", PLAIN)
        assert set(tmp_path.rglob("*")) == before
    with folders.locked(tmp_path / "out"):
        pass


def test_a_dead_kernel_is_told_and_tried_again_and_a_fault_of_the_notebook_is_not(tmp_path):
    count = "from pathlib import Path\ntries = Path(only_value)\ntries.write_text(tries.read_text() + 'x')\n"
    once = count + "import os, signal\nif len(tries.read_text()) < 2:\n    os.kill(os.getpid(), signal.SIGKILL)"
    small.write(tmp_path, once=small.notebook(small.code(once)), raising=small.notebook(small.code(count + "1 / 0")))
    jobs = []
    for name in ("once", "raising"):
        (tmp_path / name).write_text("")
        jobs += plan_jobs([tmp_path / f"{name}.ipynb"], {"only_value": str(tmp_path / name)})
    run = run_reports(jobs, tmp_path / "out", Options(warm=False, retries=2))
    assert [manifest["status"] for manifest in run.manifests] == ["ok", "failed"]
    assert [(tmp_path / name).read_text() for name in ("once", "raising")] == ["xx", "x"]
    assert [path.name for path in (run.folder / "once").iterdir()] == [jobs[0].slug]


def test_a_kernel_that_is_killed_fails_its_report_alone_and_leaves_its_notebook(tmp_path):
    kill = "print('before')\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    paths = small.write(tmp_path, killed=small.notebook(small.code(kill)), nps=small.plain())
    run = run_reports(plan_jobs(map(Path, paths), {}), tmp_path / "out", PLAIN)
    assert [manifest["status"] for manifest in run.manifests] == ["failed", "ok"]
    folder = run.folder / "killed" / "default.failed"
    assert sorted(path.name for path in folder.iterdir()) == ["log.txt", "manifest.json", "notebook.ipynb"]
    assert "DeadKernelError" in read(folder / "manifest.json")["exception"]
    assert "papermill-error-cell" in (folder / "notebook.ipynb").read_text()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 700 kB, or none where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount the small disk that this test fills")
    yield folder
    subprocess.run(["mount", "-o", "remount,rw", folder], check=False)
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_costs_the_reports_that_do_not_fit_and_the_run_is_still_recorded(tmp_path, small_disk):
    large = small.notebook(small.code("print('x' * 900_000)"))
    paths = small.write(tmp_path, first=small.plain(), large=large, last=small.plain())
    run = run_reports(plan_jobs(map(Path, paths), {}), small_disk / "out", PLAIN)
    assert [manifest["status"] for manifest in run.manifests] == ["ok", "failed", "ok"]
    assert run.exit_code == 1
    failed = run.folder / "large" / "default.failed"
    assert read(failed / "manifest.json")["exception"] == "OSError: No space left on device"
    assert not (failed / "report.html").exists()
    assert read(run.folder / "run.json")["counts"] == run.counts
    assert (run.folder / "last" / "default" / "report.html").is_file()


def test_a_disk_too_small_for_what_does_not_fit_in_memory_is_one_line(small_disk, monkeypatch):
    monkeypatch.setenv(paths.SHARED, str(small_disk))
    monkeypatch.setattr(held, "FEW_ROWS", 0)
    (small_disk / "filled").write_bytes(bytes(696 << 10))
    with pytest.raises(CxError, match=r"^the disk is full where DuckDB keeps what does not fit in memory; free some "):
        study_frame(read_study("example"))
    assert {path.suffix for path in small_disk.iterdir()} <= {"", ".json"}


def test_a_read_only_folder_is_refused_in_one_line_and_stays_as_it_was(tmp_path, small_disk):
    small.write(tmp_path, nps=small.plain())
    jobs = plan_jobs([tmp_path / "nps.ipynb"], {})
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(CxError, match=r"^reports cannot be written to '.*': Read-only file system$"):
        run_reports(jobs, small_disk / "out", PLAIN)
    assert list(small_disk.iterdir()) == []


def test_unchanged_reports_are_taken_over_and_changed_data_are_rendered_anew(tmp_path):
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (path,) = small.write(tmp_path, nps=small.plain())

    def again(**options):
        jobs = plan_jobs([Path(path)], {"only_value": str(tmp_path / "rows.csv")})
        return run_reports(jobs, tmp_path / "out", Options(warm=False, **options))

    first, second = again(), again()
    assert [run.counts["ok"] for run in (first, second)] == [1, 0]
    assert second.counts["skipped"] == 1 and second.exit_code == 0
    pages = [next(run.folder.glob("nps/*/report.html")) for run in (first, second)]
    assert pages[0].read_bytes() == pages[1].read_bytes()
    manifests = [read(page.with_name("manifest.json")) for page in pages]
    assert manifests[1] == manifests[0] | {"status": "skipped"}
    assert "unchanged" in (tmp_path / "out" / "index.html").read_text()

    assert again(force=True).counts["ok"] == 1
    pages[0].unlink()
    (tmp_path / "rows.csv").write_text("a\n2\n")
    third = again()
    assert third.counts["ok"] == 1
    assert again(code=True).counts["ok"] == 1
    next(third.folder.glob("nps/*/report.html")).write_text("torn")
    assert again(keep=2).counts["ok"] == 1
    assert len(folders.finished(tmp_path / "out")) == 2


def test_a_clock_set_back_changes_no_order_and_makes_no_time_negative(tmp_path):
    (path,) = small.write(tmp_path, nps=small.plain())
    (tmp_path / "out" / "runs" / "20990101T000000Z-00000000").mkdir(parents=True)
    run = run_reports(plan_jobs([Path(path)], {}), tmp_path / "out", Options(warm=False, keep=1))
    assert run.folder.name.startswith("20990101T000001Z-")
    assert runs(tmp_path / "out") == [run.folder.name]
    (manifest,) = run.manifests
    assert manifest["started_at"] <= manifest["finished_at"] < "2099"
