"""Hundreds of reports in one run: none fails, nothing grows, the next run renders only what changed."""

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_markdown_cell

from cxlib.jobs import plan_reports
from cxlib.plan import read_plan
from cxlib.report import Options, run_reports
from tests import small_notebooks as small

STUDY = """\
[frame]
file = "rows.csv"
[experience]
drivers = ["staff"]
missing = "drop"
"""
PARAMETERS = 'study: str = ""\nas_of: str = ""\nonly_column: str = ""\nonly_value: str = ""\nseed: int = 0'
# Reads the data itself: what is tested here is the run, and importing the engines would take most of the time.
ANSWER = """\
from pathlib import Path
import pandas as pd

rows = pd.read_csv(Path(study).with_name("rows.csv"), dtype={"region": str})
scores = rows.loc[rows["region"] == only_value, "recommend"]
value, error = scores.mean() - 5, scores.std() / len(scores) ** 0.5
row = {"name": "nps", "by": {}, "term": "nps", "measure": "nps", "estimate": value, "std_error": error,
       "lower": value - 2 * error, "upper": value + 2 * error, "level": 0.95, "n": len(scores), "unit": "points",
       "method": "", "note": ""}
sentence = f"In {only_value}, the score is {value:.1f}."
payload = {"schema": 1, "sentence": sentence, "answers": [row]}
display({"text/markdown": sentence, "application/vnd.cxlib.answer+json": payload}, raw=True)
"""
GROWTH = 8.0  # megabytes that the manifests of 250 reports and the allocator's habits may take


def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def names(number):
    """So many regions: some that no folder, page or table would take as they are."""
    odd = ["../../x", "<script>alert(1)</script>", "a" * 300, "\N{GRINNING FACE}", "quote \" ' `", "Süd & Ost"]
    return (odd + [f"Region {i}" for i in range(number)])[:number]


def write_rows(folder, regions, shift=0.0):
    """Ten answers a region; the score of every tenth region is below its limit."""
    mean = np.where(np.arange(len(regions)) % 10 == 3, 2.0, 7.0) + shift
    recommend = np.repeat(mean, 10) + np.tile(np.linspace(-1, 1, 10), len(regions))
    pd.DataFrame({"recommend": recommend.round(3), "staff": 3, "region": np.repeat(regions, 10)}).to_csv(
        folder / "rows.csv", index=False
    )


@pytest.fixture(scope="module", params=[20, pytest.param(300, marks=pytest.mark.long)])
def twice(request, tmp_path_factory):
    """A plan of two notebooks for every region, run and run again with nothing changed; memory as reports end."""
    number, folder = request.param, tmp_path_factory.mktemp("many")
    regions = names(number // 2)
    write_rows(folder, regions)
    (folder / "own.toml").write_text(STUDY)
    notebook = small.notebook(new_markdown_cell("## Who answered"), small.code("print(only_value)"))
    notebook.cells[1].source, notebook.cells[-1].source = PARAMETERS, ANSWER
    small.write(folder, first=notebook, second=notebook)
    entry = "- notebook: {}.ipynb\n  by: region\n  parameters: {{study: {}/own.toml}}\n  alerts: [nps.estimate < 0]\n"
    text = "title: Many\nreports:\n" + "".join(entry.format(name, folder) for name in ("first", "second"))
    (folder / "plan.yml").write_text(text)
    plan, seen = read_plan(folder / "plan.yml"), []
    runs = [
        run_reports(
            plan_reports(plan), folder / "out", Options(workers=2), plan, lambda manifest: seen.append(megabytes())
        )
        for _ in range(2)
    ]
    return number, folder, runs, seen


def test_not_one_of_many_reports_fails(twice):
    number, _, (run, _), _ = twice
    assert run.counts == {"ok": number, "skipped": 0, "failed": 0, "timeout": 0}
    assert [manifest["exception"] for manifest in run.manifests] == [None] * number
    assert len({(manifest["notebook"], manifest["slug"]) for manifest in run.manifests}) == number


def test_every_report_is_its_own(twice):
    """No kernel answers for another: each sentence names the region that its parameters name."""
    number, _, (run, _), _ = twice
    told = [json.loads(path.read_text()) for path in run.folder.glob("*/*/answers.json")]
    assert len(told) == number
    assert all(one["sentence"].startswith(f"In {one['parameters']['only_value']}, the") for one in told)
    assert {one["parameters"]["only_value"] for one in told} == set(names(number // 2))


def test_the_next_run_takes_all_of_them_over(twice):
    number, _, (first, second), _ = twice
    assert second.counts["skipped"] == number
    assert second.seconds < first.seconds / 2
    pages = [sorted(run.folder.glob("*/*/report.html")) for run in (first, second)]
    assert len(pages[0]) == len(pages[1]) == number
    assert all(a.samefile(b) for a, b in zip(*pages, strict=True))  # a second name of the same file takes no room


def test_alerts_fire_where_they_should_and_decide_the_exit_code(twice):
    number, _, runs, _ = twice
    low = {name for place, name in enumerate(names(number // 2)) if place % 10 == 3}
    for run in runs:
        assert run.exit_code == 3
        fired = [alert["report"] for alert in run.fired]
        assert len(fired) == 2 * len(low)
    told = {manifest["parameters"]["only_value"] for manifest in runs[0].manifests
            if f"{manifest['notebook']}/{manifest['slug']}" in set(fired)}  # fmt: skip
    assert told == low


def test_the_list_of_runs_links_every_page_shows_alerts_first_and_each_line_of_runs(twice):
    number, folder, _, _ = twice
    page = (folder / "out" / "index.html").read_text(encoding="utf-8")
    links = {link for link in re.findall(r'href="([^"#]+)"', page) if link.endswith("report.html")}
    assert len(links) == 2 * number
    from urllib.parse import unquote

    assert all((folder / "out" / unquote(link)).is_file() for link in links)
    assert page.count('aria-label="Last 2 runs: ') == number
    assert page.index('id="alerts-title"') < page.index('id="reports"')
    assert "<script>alert" not in page


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_runner_does_not_grow_with_the_reports(twice):
    number, _, _, seen = twice
    assert len(seen) == 2 * number
    assert max(seen[number // 6 : number]) - seen[number // 6] < GROWTH
