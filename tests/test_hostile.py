"""Names from the data that mean harm, through the shipped notebooks: all are rendered as text, or refused by name."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from cxlib.errors import CxError
from cxlib.jobs import plan_reports
from cxlib.plan import read_plan
from cxlib.report import Options, run_reports

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
# The last is empty; one would be a faulty formula in a figure, one a template, one a path.
LEVELS = ["../../x", "<script>document.title='owned'</script>", "<img src=x onerror=alert(1)>" + "a" * 300,
          "\N{GRINNING FACE} $x^{", "two\nlines \"quoted\" 'twice' {{ 7 * 7 }}", ""]  # fmt: skip
GROUP = "<img src=x onerror=alert(2)>.region"
DRIVERS = ["<b onclick=alert(3)>staff</b>", "price $y_{ %s", 'quote " name; DROP TABLE x', "a.b"]


def study_of(folder):
    """Six hundred answers: hostile columns, hostile groups."""
    chance = np.random.default_rng(1)
    ratings = chance.integers(1, 6, (600, len(DRIVERS)))
    rows = pd.DataFrame(ratings, columns=DRIVERS)
    rows["recommend"] = (ratings @ [0.9, 0.5, 0.3, 0.1] + chance.normal(1, 1, 600)).round().clip(0, 10)
    rows[GROUP] = np.repeat(LEVELS, 100)
    rows.to_parquet(folder / "rows.parquet")
    lines = ["[frame]", 'file = "rows.parquet"', "[experience]", 'score = "recommend"', "scale = [0, 10]"]
    lines += [f"drivers = {json.dumps(DRIVERS)}", 'missing = "drop"', "[experience.groups]"]
    lines += [f"service = {json.dumps(DRIVERS[:1])}", f"rest = {json.dumps(DRIVERS[1:])}"]
    (folder / "own.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder / "own.toml"


def plan_of(folder, *notebooks):
    study = study_of(folder)
    entry = "- notebook: {}\n  by: {}\n  parameters: {{study: {}}}\n"
    text = "reports:\n" + "".join(entry.format(name, json.dumps(GROUP), study) for name in notebooks)
    (folder / "plan.yml").write_text(text, encoding="utf-8")
    return read_plan(folder / "plan.yml")


def harmless(page):
    """What in a page could run or load; nothing, where all is well."""
    soup = BeautifulSoup(page, "html.parser")
    found = soup(["script", "iframe", "object", "embed", "svg", "form", "base", "link"])
    found += [tag for tag in soup.find_all(True) if any(name.startswith("on") for name in tag.attrs)]
    found += [image for image in soup("img") if not image["src"].startswith("data:image/")]
    return found + [link for link in soup("a", href=True) if not link["href"].startswith(("#", "http", "mailto:"))]


def held(folder, run, jobs):
    assert {path.name for path in folder.iterdir()} == {"own.toml", "plan.yml", "rows.parquet", "out"}
    assert run.counts["ok"] == len(jobs), [manifest["exception"] for manifest in run.manifests]
    for job in jobs:
        place = run.folder / job.place
        assert place.is_dir() and place.parent.parent == run.folder
        assert harmless((place / "report.html").read_text(encoding="utf-8")) == []
        parameters = json.loads((place / "answers.json").read_text(encoding="utf-8"))["parameters"]
        assert (parameters["only_column"], parameters["only_value"]) == (GROUP, job.values["only_value"])


def test_hostile_columns_and_groups_are_shown_as_text(tmp_path):
    plan = plan_of(tmp_path, "03-experience-and-nps")
    jobs = plan_reports(plan)
    assert sorted(job.values["only_value"] for job in jobs) == sorted(LEVELS)
    jobs = [job for job in jobs if job.values["only_value"].startswith(("<script", "\N{GRINNING FACE}"))]
    run = run_reports(jobs, tmp_path / "out", Options(workers=2), plan)
    held(tmp_path, run, jobs)
    for job in jobs:  # both groups and every driver are there to be read
        text = BeautifulSoup((run.folder / job.place / "report.html").read_text(encoding="utf-8"), "html.parser")
        told = text.get_text(" ") + " ".join(image["alt"] for image in text("img"))
        assert job.values["only_value"] in told
        assert "DROP TABLE" in told


@pytest.mark.long
def test_every_hostile_group_is_rendered_by_the_notebook_on_experience(tmp_path):
    plan = plan_of(tmp_path, "03-experience-and-nps")
    jobs = plan_reports(plan)
    held(tmp_path, run_reports(jobs, tmp_path / "out", Options(workers=2), plan), jobs)
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<script>document" not in index and "<img" not in index


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_column_that_is_not_there_is_refused_by_name_however_it_is_written(name, tmp_path):
    plan = plan_of(tmp_path, name)
    (tmp_path / "plan.yml").write_text(plan.path.read_text().replace("alert(2)", "alert(4)"), encoding="utf-8")
    with pytest.raises(CxError, match=r"plan\.yml, line 3: "):
        plan_reports(read_plan(tmp_path / "plan.yml"))
    assert not (tmp_path / "out").exists()
