"""The list of runs at three hundred reports and a dozen runs, as a reader's browser shows it at three widths."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

from cxlib.listing import write_index

WIDTHS = {"desk": 1280, "tablet": 768, "phone": 375}
NOTEBOOKS = {"01-nps": "What is our NPS?", "02-attrition": "What drives customers away?", "03-desk": "How is the desk?"}
REGIONS = ["<script>document.title='owned'</script>", 'Süd & "Ost" ' + "x" * 300, *(f"Region {i}" for i in range(98))]
RUNS = 12
FIRED = {"01-nps/r-7", "03-desk/r-99"}
FAILED = "02-attrition/r-5"


def headline(value):
    about = {"name": "nps", "by": {}, "term": "nps", "measure": "nps", "unit": "points", "method": "", "note": ""}
    return about | {
        "estimate": value,
        "std_error": 1.0,
        "lower": value - 2,
        "upper": value + 2,
        "level": 0.95,
        "n": 400,
    }


def report(notebook, place, run):
    """What run.json says of one report; region 3 rises from run to run, region 5 of one notebook fails in the last."""
    region, value = REGIONS[place], 10.0 + place / 10 + run * (3.0 if place == 3 else 0.1)
    failed = f"{notebook}/r-{place}" == FAILED and run == RUNS - 1
    return {
        "notebook": notebook, "slug": f"r-{place}", "status": "failed" if failed else "ok",
        "title": NOTEBOOKS[notebook], "parameters": {"only_column": "region", "only_value": region},
        "changed": {"only_column": "region", "only_value": region}, "seconds": 1.0,
        "sentence": None if failed else f"In {region}, NPS is {value:.1f} points.",
        "exception": "ValueError: no rows (cell 4)" if failed else None,
        "headline": None if failed else headline(value),
    }  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    out = tmp_path_factory.mktemp("list")
    for run in range(RUNS):
        folder = out / "runs" / f"202601{run + 1:02d}T060000Z-0000000{run:x}"
        folder.mkdir(parents=True)
        reports = [report(notebook, place, run) for notebook in NOTEBOOKS for place in range(len(REGIONS))]
        fired = [
            {"report": place, "alert": "nps.estimate < 0", "by": {}, "value": -1.5, "state": "fired"} for place in FIRED
        ]
        record = {
            "schema": 1, "plan": {"title": "Weekly"}, "exit_code": 1, "seconds": 300.0, "reports": reports,
            "counts": {"ok": 299, "skipped": 0, "failed": 1, "timeout": 0}, "alerts": fired,
            "started_at": f"2026-01-{run + 1:02d}T06:00:00+00:00",
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(record))
    write_index(out)
    return out / "index.html"


@pytest.fixture(scope="module", params=WIDTHS, ids=list(WIDTHS))
def width(request):
    return WIDTHS[request.param]


@pytest.fixture(scope="module")
def opened(browser, index, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    words, asked = [], []
    page.on("console", lambda message: words.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(index.as_uri())
    yield page
    assert (words, len(asked)) == ([], 1)
    page.close()


@pytest.fixture
def page(opened):
    opened.select_option("#notebook", "")
    opened.select_option("#group", "")
    return opened


def shown(page):
    visible = "[...document.querySelectorAll('#reports li')].filter(e => e.offsetParent).map(e => e.innerText)"
    return page.evaluate(visible)


def test_all_reports_are_there_each_with_a_line_of_its_runs(page):
    assert page.locator("#reports li").count() == 300
    lines = page.locator("#reports svg[role=img]")
    assert lines.count() == 299  # the one that failed last shows its fault instead
    words = lines.first.get_attribute("aria-label")
    assert words.startswith(f"Last {RUNS} runs: ")
    assert words.removeprefix("Last 12 runs: ").split(", ") == ["10"] * 6 + ["11"] * 6


def test_a_rise_beyond_chance_is_marked_and_one_within_it_is_not(page):
    rising = page.locator("#reports li[data-group='region: Region 1']").first
    assert "up 3.0 points" in rising.inner_text().replace("3 points", "3.0 points")
    assert rising.locator(".mark").count() == 1
    still = page.locator("#reports li[data-group='region: Region 9']").first
    assert "within chance" in still.inner_text()
    assert still.locator(".mark").count() == 0


def test_alerts_and_faults_stand_on_top_of_everything(page):
    order = [page.locator(place).bounding_box()["y"] for place in ("h1", "#alerts-title", "#failed-title", "#filter")]
    assert order == sorted(order)
    assert page.locator("#alerts-title").inner_text() == "2 alerts"
    assert order[1] < 800  # seen without scrolling
    assert page.locator("section.attention").first.locator("li").count() == 2
    assert "no rows (cell 4)" in page.locator("section.attention").nth(1).inner_text()


@pytest.mark.parametrize(
    ("notebook", "group", "number"),
    [("", "region: Region 9", 3), ("02-attrition", "", 100), ("03-desk", "region: Region 9", 1)],
)
def test_the_filter_shows_what_is_asked_for(page, notebook, group, number):
    page.select_option("#notebook", notebook)
    page.select_option("#group", group)
    rows = shown(page)
    assert len(rows) == number
    assert page.locator("#count").inner_text() == f"{number} of 300 reports"
    if group:
        assert all("Region 9" in row for row in rows)
    headings = [heading.inner_text() for heading in page.locator("#reports h2").all() if heading.is_visible()]
    assert headings == [title for name, title in NOTEBOOKS.items() if notebook in ("", name)]


def test_the_filter_is_reached_by_the_keyboard(page):
    page.locator("#notebook").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("region: Region 42")
    page.keyboard.press("Enter")
    assert len(shown(page)) == 3


def test_it_never_scrolls_sideways(page, width):
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = false)")


def test_names_from_the_data_are_text(page):
    assert page.title() == "Weekly"
    assert page.evaluate("document.scripts.length") == 1
    assert page.locator("#reports li").nth(0).get_attribute("data-group") == f"region: {REGIONS[0]}"


def test_axe_finds_nothing(browser, index):
    """The authority is axe-core. The list of a smaller run is held to it at every width, which takes less long."""
    page = browser.new_page(viewport={"width": WIDTHS["desk"], "height": 800})
    page.goto(index.as_uri())
    found = Axe().run(page).response["violations"]
    page.close()
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []


def test_it_stays_light(index):
    """Under a megabyte and a half with the lines of a dozen runs and the links of ten."""
    assert index.stat().st_size < 1_500_000
