"""PDFs: what is in them, as poppler's tools read them, and the one line where none can be made."""

import importlib
import json
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from cxlib import pdf, report
from cxlib.__main__ import main
from cxlib.report import Options, plan_jobs, run_reports
from tests import small_notebooks as small

PANGO = "no PDF: WeasyPrint finds no Pango on this machine; on Debian: apt-get install libpangoft2-1.0-0"
SENTENCE = "NPS is 12.5 points (95 % interval 9.5 to 15.5, n = 400)."
needs_pango = pytest.mark.skipif(bool(pdf.pdf_fault()), reason=pdf.pdf_fault() or "PDFs can be made here")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pdf")
    paths = small.write(folder, good=small.good(), hostile=small.hostile())
    options = Options(pdf=True)
    return run_reports(plan_jobs(map(Path, paths), {"only_value": "<b>S\u00fcd</b>"}), folder / "out", options)


def pdf_of(run, name="good"):
    return next((run.folder / name).glob("*/report.pdf"))


def objects(path):
    """The file with its compressed streams unpacked."""
    raw = path.read_bytes()
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", raw, re.DOTALL)
    found = [raw]
    for stream in packed:
        try:
            found.append(zlib.decompressobj().decompress(stream))
        except zlib.error:  # a picture in another packing
            continue
    return b"\n".join(found)


def words(path):
    """The text as poppler's pdftotext reads it."""
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext on this machine: apt-get install poppler-utils")
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True)
    return done.stdout


@needs_pango
def test_each_page_has_its_pdf_which_the_manifest_sums(run):
    assert (run.counts["ok"], run.faults, run.exit_code) == (2, (), 0)
    for name in ("good", "hostile"):
        files = json.loads(pdf_of(run, name).with_name("manifest.json").read_text())["files"]
        assert "report.pdf" in files and "report.html" in files
        assert pdf_of(run, name).read_bytes().startswith(b"%PDF-")


@needs_pango
def test_a_pdf_is_tagged_titled_and_describes_its_figures(run):
    """The authority is ISO 32000: a structure tree, a language, a title, /Alt on figures."""
    found = objects(pdf_of(run))
    for mark in (b"/StructTreeRoot", b"/Marked true", b"/Lang", b"/Title"):
        assert mark in found
    described = re.findall(rb"/Alt\s*(\(.*?\)|<.*?>)", found)
    assert any(b"Bars: price 0.31, service 0.24" in alt for alt in described)


@needs_pango
def test_a_pdf_holds_the_answer_every_column_and_the_number_of_each_page(run):
    told = words(pdf_of(run))
    assert SENTENCE.removesuffix(".") in " ".join(told.split())
    pages = told.rstrip("\f").split("\f")
    last_lines = [page.rstrip().rpartition("\n")[2].replace(" ", "") for page in pages]
    assert last_lines == [f"{number}/{len(pages)}" for number in range(1, len(pages) + 1)]


@needs_pango
def test_a_wide_table_stays_on_the_paper_and_figures_share_a_page_with_words(run):
    command = ["pdftotext", "-bbox", pdf_of(run), "-"]
    words(pdf_of(run))  # skips where poppler is missing
    boxes = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    width = float(re.search(r'<page width="([\d.]+)"', boxes)[1])
    placed = re.findall(r'xMin="([-\d.]+)"[^>]*xMax="([\d.]+)"[^>]*>([^<]*)<', boxes)
    assert all(0 <= float(left) < float(right) <= width for left, right, _ in placed)
    assert [word for _, _, word in placed].count("-4.567") == 15
    assert len(words(pdf_of(run)).rstrip("\f").split("\f")) <= 2


@needs_pango
def test_nothing_of_the_data_runs_or_links_out_of_a_pdf(run):
    found = objects(pdf_of(run, "hostile"))
    for action in (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"example.org", b"javascript:"):
        assert action not in found
    assert "<b>S\u00fcd</b>" in words(pdf_of(run, "hostile"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("cannot load library 'libpango-1.0-0'"), PANGO),
        (ImportError("weasyprint"), "no PDF: the package WeasyPrint is missing; pip install 'cxlib[pdf]'"),
    ],
    ids=["Pango", "WeasyPrint"],
)
def test_what_is_missing_is_named_with_its_remedy(monkeypatch, error, told):
    def missing(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", missing)
    assert pdf.pdf_fault() == told


def test_without_pango_the_page_is_made_one_line_says_so_and_nothing_failed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "pdf_fault", lambda: PANGO)
    (path,) = small.write(tmp_path, nps=small.plain())
    assert main(["report", path, "--pdf", "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert err == f"cx: {PANGO}\n"
    assert out.startswith("1 report: 1 ok; ")
    (folder,) = (tmp_path / "out" / "runs").glob("*/nps/default")
    assert sorted(file.name for file in folder.iterdir()) == [
        "answers.json", "log.txt", "manifest.json", "notebook.ipynb", "report.html",
    ]  # fmt: skip


def test_a_page_of_which_no_pdf_could_be_made_is_told_with_the_log(tmp_path, monkeypatch, capsys):
    said = iter([PANGO, ""])  # none is made, and then nothing is missing: as where the process that makes it breaks
    monkeypatch.setattr(report, "pdf_fault", lambda: next(said))
    (path,) = small.write(tmp_path, nps=small.plain())
    assert main(["report", path, "--pdf", "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == "cx: no PDF of 1 report; see log.txt\n"


@needs_pango
def test_a_pdf_asked_for_later_is_made_though_nothing_changed(tmp_path):
    (path,) = small.write(tmp_path, nps=small.plain())
    jobs = plan_jobs([Path(path)], {})
    statuses = [run_reports(jobs, tmp_path / "out", Options(pdf=wanted)).counts for wanted in (False, True, True)]
    assert [(counts["ok"], counts["skipped"]) for counts in statuses] == [(1, 0), (1, 0), (0, 1)]
