"""Plans: read by their words, refused by file, line and nearest key, fanned out over the levels the data hold."""

import re
from pathlib import Path

import pandas as pd
import pytest

from cxlib import sources
from cxlib.errors import CxError, ending
from cxlib.jobs import plan_jobs, plan_reports
from cxlib.plan import read_plan
from tests import small_notebooks as small

WHOLE = """\
title: Weekly
keep: 4
formats: [html, pdf]
reports:
  - notebook: {notebook}
    parameters:
      minimum_group: 25
      drivers: [a, 007]
    alerts:
      - nps.change < 0
"""
STUDY = """\
[frame]
file = "rows.csv"
[experience]
drivers = ["staff"]
missing = "drop"
"""
GROUPED = 'study: str = "example"\nas_of: str = ""\nonly_column: str = ""\nonly_value: str = ""\nseed: int = 0'


def faults(call, *arguments):
    with pytest.raises(CxError) as caught:
        call(*arguments)
    return list(caught.value.faults)


@pytest.fixture
def plan(tmp_path):
    """A plan file with the given text, {notebook} being a small notebook beside it."""
    (notebook,) = small.write(tmp_path, nps=small.plain())

    def write(text):
        (tmp_path / "weekly.yml").write_text(text.replace("{notebook}", notebook), encoding="utf-8")
        return tmp_path / "weekly.yml"

    return write


@pytest.fixture
def grouped(tmp_path):
    """A plan that asks for one report a level of a column of a small study."""
    notebook = small.plain()
    notebook.cells[1].source = GROUPED
    small.write(tmp_path, nps=notebook)

    def write(rows, by="region", more=""):
        pd.DataFrame({"recommend": [9, 2, 7, 10], "staff": [1, 2, 3, 4], **rows}).to_csv(
            tmp_path / "rows.csv", index=False
        )
        (tmp_path / "own.toml").write_text(STUDY)
        text = f"reports:\n- notebook: nps.ipynb\n  by: {by}\n  parameters:\n    study: {tmp_path}/own.toml\n{more}"
        (tmp_path / "weekly.yml").write_text(text)
        return read_plan(tmp_path / "weekly.yml")

    return write


def test_a_plan_is_read_with_every_key(plan):
    read = read_plan(plan(WHOLE))
    assert (read.words.title, read.words.keep, read.words.formats) == ("Weekly", 4, ["html", "pdf"])
    (job,) = plan_reports(read)
    assert job.changed == {"minimum_group": 25, "drivers": ["a", "007"]}
    assert [(alert.name, alert.field, alert.sign, alert.limit) for alert in job.alerts] == [("nps", "change", "<", 0.0)]


def test_what_is_given_beats_the_plan(plan):
    (job,) = plan_reports(read_plan(plan(WHOLE)), given={"minimum_group": "30"})
    assert job.changed["minimum_group"] == 30


def test_only_the_notebooks_named_are_rendered_and_they_must_be_in_the_plan(plan, tmp_path):
    other = small.write(tmp_path, other=small.plain())[0]
    text = f"reports:\n- notebook: {{notebook}}\n- notebook: {other}\n"
    assert [job.name for job in plan_reports(read_plan(plan(text)), [other])] == ["other"]
    (missing,) = small.write(tmp_path, third=small.plain())
    told = "weekly.yml: no notebook 'third'; did you mean 'other'? There are: 'nps', 'other'"
    assert faults(plan_reports, read_plan(plan(text)), [missing]) == [told]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "titel: x\nreports:\n  - notebok: 02\n",
            [
                "weekly.yml, line 3: reports[1].notebook must be given; add it",
                "weekly.yml, line 3: reports[1]: no key 'notebok'; did you mean 'notebook'? There are: 'notebook', "
                "'parameters', 'by', 'alerts'",
                "weekly.yml, line 1: no key 'titel'; did you mean 'title'? There are: 'title', 'keep', 'formats', "
                "'reports'",
            ],
        ),
        ("reports:\n- notebook: a\nkeep: 0\n", ["weekly.yml, line 3: keep must be at least 1, not '0'"]),
        ("reports:\n- notebook: a\nkeep: 10001\n", ["weekly.yml, line 3: keep must be at most 10,000, not '10001'"]),
        ("reports: a\n", ["weekly.yml, line 1: reports must be a list, one `- ` a line, not 'a'"]),
        ("reports:\n- notebook: a\nkeep: some\n", ["weekly.yml, line 3: keep must be a whole number, not 'some'"]),
        (
            "formats:\n- html\n- pfd\nreports: [{notebook: a}]\n",
            ["weekly.yml, line 3: formats[2] must be 'html' or 'pdf', not 'pfd'; did you mean 'pdf'?"],
        ),
        (
            "reports:\n- notebook: ''\n",
            ["weekly.yml, line 2: reports[1].notebook must be the stem or path of a notebook, not ''"],
        ),
        ("reports: []\n", ["weekly.yml, line 1: reports must be a list with at least one item, not '[]'"]),
        (
            "reports:\n- 7\n",
            ["weekly.yml, line 2: reports[1] must be a mapping of `key: value` lines, not '7'"],
        ),
        (
            "reports:\n- notebook: a\n  parameters: 3\n",
            ["weekly.yml, line 3: reports[1].parameters must be a mapping of `name: value` lines, not '3'"],
        ),
        (
            "reports:\n- notebook: a\n  alerts:\n  - nps.chnge < 0\n",
            [
                "weekly.yml, line 4: reports[1].alerts[1]: alert 'nps.chnge < 0': no field 'chnge'; did you mean "
                "'change'? There are: 'estimate', 'lower', 'upper', 'n', 'change'"
            ],
        ),
        ("- a\n", ["weekly.yml: a plan must hold `title:`, `reports:` and so on, as in reports/plans/weekly.yml"]),
    ],
)
def test_a_fault_names_the_line_and_the_nearest_key(plan, text, lines):
    assert faults(read_plan, plan(text)) == lines


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "aliases are not allowed (line 2)"),
        ("reports:\n- notebook: a\n  notebook: b\n", "line 3: 'notebook' is there twice, first on line 2"),
        ("[" * 5000, "is not YAML: nested too deeply"),
        ("reports: [\n", "is not YAML: "),
        ("? [a]\n: b\n", "line 1: a key must be one word, not a list or a mapping"),
        ("x: " + "y" * 1_000_001, "must be under 1,000,000 bytes"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_in_one_line(plan, text, told):
    (found,) = faults(read_plan, plan(text))
    assert told in found
    assert found.startswith("plan '")


def test_a_folder_is_no_plan(tmp_path):
    told = f"plan '{ending(tmp_path)}' must be a file, it is a folder or a device; name the file"
    assert faults(read_plan, tmp_path) == [told]


def test_an_alias_bomb_is_refused_before_it_goes_off(plan):
    # Ten levels of ten aliases would be ten thousand million items.
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 11)]
    (found,) = faults(read_plan, plan("\n".join(lines)))
    assert "aliases are not allowed (line 2)" in found


def test_a_tag_builds_nothing(plan):
    (found,) = faults(read_plan, plan("title: !!python/object/apply:os.getcwd []\nreports: [{notebook: a}]\n"))
    assert found == "weekly.yml, line 1: title must be a text, not '[]'"


def test_parameters_are_held_against_the_notebook_with_their_line(plan):
    text = "reports:\n- notebook: {notebook}\n  parameters:\n    sed: 3\n    share: 2\n- notebook: nosuch\n"
    (found,) = faults(plan_reports, read_plan(plan(text)))
    assert found.startswith("weekly.yml, line 6: no notebook 'nosuch'; There are: ")
    found = faults(plan_reports, read_plan(plan(text.replace("- notebook: nosuch\n", ""))))
    assert found[0].startswith("weekly.yml, line 4: nps: no parameter 'sed'; did you mean 'seed'? There are: ")
    assert found[1:] == ["weekly.yml, line 5: nps: 'share' must be a number > 0 and <= 1, not '2'"]


def test_a_value_given_on_the_command_line_is_not_blamed_on_the_plan(plan):
    found = faults(plan_reports, read_plan(plan(WHOLE)), [], {"share": "2"})
    assert found == ["nps: 'share' must be a number > 0 and <= 1, not '2'"]


@pytest.mark.parametrize(
    ("rows", "levels"),
    [
        ({"region": ["N", "S", "N", None]}, ["N", "S"]),
        ({"region": [10, 9, 2, 2]}, ["2", "9", "10"]),
        ({"region": ["../../x", "<script>alert(1)</script>", "a" * 300, "\N{GRINNING FACE}"]}, None),
        ({"region": ['two\nlines "quoted"', "l'été", "{{ 7 * 7 }}", "$HOME"]}, None),
    ],
)
def test_by_makes_one_report_a_level_found_in_the_data(grouped, rows, levels):
    jobs = plan_reports(grouped(rows))
    assert [job.values["only_value"] for job in jobs] == (levels or sorted(rows["region"]))
    assert {job.values["only_column"] for job in jobs} == {"region"}
    assert len({job.slug for job in jobs}) == len(jobs)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", job.slug) and Path(job.slug).name == job.slug for job in jobs)


def test_a_column_may_have_markup_in_its_name(grouped):
    jobs = plan_reports(grouped({"<b>x</b>.y": ["N", "S", "N", "S"]}, by='"<b>x</b>.y"'))
    assert [job.values["only_value"] for job in jobs] == ["N", "S"]


def test_by_names_the_nearest_column_and_its_line(grouped):
    (found,) = faults(plan_reports, grouped({"region": list("NSNS")}, by="rgion"))
    assert found.startswith("weekly.yml, line 3: by: no column 'rgion'; did you mean 'region'? There are: ")


def test_by_refuses_a_column_of_stamps(grouped, tmp_path):
    plan = grouped({"region": list("NSNS")}, by="at")
    pd.DataFrame({"recommend": [9, 2], "staff": [1, 2], "at": pd.to_datetime(["2026-01-01", "2026-01-02"])}).to_parquet(
        tmp_path / "rows.parquet"
    )
    (tmp_path / "own.toml").write_text(STUDY.replace("rows.csv", "rows.parquet"))
    told = "weekly.yml, line 3: by: column 'at' must hold groups, it holds stamps; name a column of levels"
    assert faults(plan_reports, plan) == [told]


def test_by_sets_the_group_itself(grouped):
    found = faults(plan_reports, grouped({"region": list("NSNS")}, more="    only_value: N\n"))
    assert found == ["weekly.yml, line 3: nps: `by` sets only_column and only_value; leave 'only_value' out"]


def test_by_needs_a_notebook_that_takes_groups(plan):
    found = faults(plan_reports, read_plan(plan("reports:\n- notebook: {notebook}\n  by: region\n")))
    told = "`by` needs the parameters 'study', 'only_column', 'only_value'; it has no 'study', 'only_column'"
    assert found == [f"weekly.yml, line 3: nps: {told}"]


def test_by_refuses_a_column_that_names_everyone(grouped, monkeypatch):
    monkeypatch.setattr(sources, "MOST_LEVELS", 3)
    (found,) = faults(plan_reports, grouped({"region": list("ABCD")}))
    assert found == "weekly.yml, line 3: by: column 'region' must have at most 3 levels; it has more"


def test_a_study_is_read_once_however_many_reports_it_feeds(grouped, monkeypatch):
    read, real = [], sources.read_study
    monkeypatch.setattr(sources, "read_study", lambda name: read.append(name) or real(name))
    assert len(plan_reports(grouped({"region": list("ABCD")}))) == 4
    assert len(read) == 1


def test_the_same_report_twice_is_refused(plan):
    text = "reports:\n- notebook: {notebook}\n- notebook: {notebook}\n  parameters: {seed: 0}\n"
    told = "two reports would both be 'nps/default'; rename a notebook, or plan it once"
    assert faults(plan_reports, read_plan(plan(text))) == [told]


def test_a_value_of_no_column_is_refused(tmp_path):
    notebook = small.plain()
    notebook.cells[1].source = GROUPED
    (path,) = small.write(tmp_path, nps=notebook)
    told = "nps: only_value 'North' must come with only_column, the column it is a value of; add -p only_column NAME"
    assert faults(plan_jobs, [Path(path)], {"only_value": "North"}) == [told]


def test_the_shipped_plan_fits_the_shipped_notebooks_and_data():
    root = Path(__file__).parents[1]
    jobs = plan_reports(read_plan(root / "reports" / "plans" / "weekly.yml"))
    regions = set(pd.read_parquet(root / "data" / "example" / "customers.parquet")["region"])
    assert {job.name for job in jobs} == {path.stem for path in (root / "notebooks").glob("[0-9]*.ipynb")}
    assert jobs[0].name == "06-data-health"
    for name in {job.name for job in jobs}:
        groups = {job.values["only_value"] for job in jobs if job.name == name}
        by_region = name[:2] in ("01", "02", "03")
        assert groups == (regions | {""} if by_region else {""})
