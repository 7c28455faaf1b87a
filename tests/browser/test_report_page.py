"""A rendered report as a reader's browser shows it, at the widths of a desk, a tablet and a phone."""

from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

import cxlib
from cxlib.report import Options, plan_jobs, run_reports
from tests import small_notebooks as small
from tests import ten_figures

WIDTHS = {"desk": 1280, "tablet": 768, "phone": 375}
FILTER = (Path(cxlib.__file__).parent / "template" / "runs.js").read_text(encoding="utf-8").strip()
LOUD = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    paths = small.write(folder, good=small.good(), hostile=small.hostile())
    ten = small.write(folder, ten=ten_figures.notebook())
    jobs = plan_jobs(map(Path, paths), {"only_value": LOUD}) + plan_jobs(map(Path, ten), {})
    finished = run_reports(jobs, folder / "out", Options(code=True))
    assert finished.counts["ok"] == 3
    return finished


@pytest.fixture(scope="module", params=WIDTHS, ids=list(WIDTHS))
def width(request):
    return WIDTHS[request.param]


@pytest.fixture(scope="module")
def opened(browser, run, width):
    """Pages of this width by name, with every address they asked for and every word on their console."""
    addresses, words = [], []

    def opening(path):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("request", lambda request: addresses.append(request.url))
        page.on("console", lambda message: words.append(message.text))
        page.goto(Path(path).as_uri())
        return page

    pages = {name: opening(next((run.folder / name).glob("*/report.html"))) for name in ("good", "hostile", "ten")}
    pages["index"] = opening(run.folder.parents[1] / "index.html")
    yield pages, addresses, words
    for page in pages.values():
        page.close()


@pytest.fixture(params=["good", "hostile", "ten", "index"])
def page(request, opened):
    return opened[0][request.param]


@pytest.fixture
def report(opened):
    return opened[0]["good"]


def test_nothing_is_asked_of_any_host(opened):
    _, addresses, _ = opened
    assert {address.partition(":")[0] for address in addresses} <= {"file", "data"}
    assert len([address for address in addresses if address.startswith("file:")]) == 4


def test_the_browser_has_nothing_to_complain_about(opened):
    assert opened[2] == []


def test_nothing_from_the_data_has_run(page):
    assert page.title() != "owned"
    assert page.evaluate("document.querySelectorAll('iframe, [onerror]').length") == 0
    # Reports hold no script; the list of runs holds the kit's own filter and nothing else.
    own = [FILTER] if page.url.endswith("index.html") else []
    assert [text.strip() for text in page.evaluate("[...document.scripts].map(script => script.text)")] == own


def test_the_page_never_scrolls_sideways(page, width):
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = "e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, pre, .skip')"
    assert page.evaluate(f"[...document.querySelectorAll('body *')].filter({beyond}).map(e => e.outerHTML)") == []


def test_wide_tables_scroll_in_a_box_that_the_keyboard_reaches(report):
    box = report.locator(".scroll").last
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    box.focus()
    for _ in range(20):  # scrolling is smooth, so it takes a moment
        report.keyboard.press("ArrowRight")
        report.wait_for_timeout(50)
    assert box.evaluate("e => e.scrollLeft") > 0


def test_axe_finds_nothing(page):
    """The authority is axe-core, the checker that browsers' own accessibility audits run; folded parts unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    found = Axe().run(page).response["violations"]
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = false)")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_ten_figures_fit_in_400_kilobytes_each_with_its_own_words(run, opened):
    assert next((run.folder / "ten").glob("*/report.html")).stat().st_size < 400_000
    images = opened[0]["ten"].evaluate("[...document.images].map(e => [e.naturalWidth > 0, e.alt])")
    assert [drawn for drawn, _ in images] == [True] * 10
    assert len({alt for _, alt in images}) == 10
    assert all(". " in alt and "no description" not in alt for _, alt in images)


def test_headings_are_in_order(page):
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_figures_are_drawn_and_described_in_their_own_words(report):
    images = report.evaluate("[...document.images].map(e => [e.naturalWidth > 0, e.alt])")
    assert images == [[True, "Bars: price 0.31, service 0.24"]]


def test_a_figure_fits_the_column_and_keeps_its_shape(report):
    sizes = "(e => [e.width, e.height, e.naturalWidth, e.naturalHeight, e.closest('main').clientWidth])"
    width, height, natural_width, natural_height, column = report.evaluate(f"{sizes}(document.images[0])")
    assert width <= column
    assert width / height == pytest.approx(natural_width / natural_height, rel=0.02)


def test_the_answer_is_read_without_scrolling(report):
    place = report.locator(".sentence").bounding_box()
    assert place["y"] + place["height"] < 800


def test_every_entry_of_the_contents_leads_to_its_section(report):
    for link in report.locator("nav a").all():
        target = report.locator(link.get_attribute("href"))
        assert target.inner_text() == link.inner_text()


def test_parameters_and_code_are_folded_until_asked_for(report):
    for name in ("parameters", "code"):
        fold = report.locator(f"details.{name}").first
        inside = fold.locator("table, pre").first
        assert not inside.is_visible()
        fold.locator("summary").click()
        assert inside.is_visible()
        fold.locator("summary").click()


def test_text_is_dark_on_light_and_large_enough(report):
    # WCAG 2.1, 1.4.3: contrast of at least 4.5 to 1 for text of this size; relative luminance as defined there.
    faint = report.evaluate(
        """() => {
        const channels = c => c.match(/[\\d.]+/g).map(Number);
        const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        const ground = e => { for (; e; e = e.parentElement) {
            const c = channels(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
            return [255, 255, 255]; };
        const found = [];
        for (const e of document.querySelectorAll('body *')) {
            if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
            const style = getComputedStyle(e), a = light(channels(style.color)), b = light(ground(e));
            const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (contrast < 4.5 || a > b || parseFloat(style.fontSize) < 12)
                found.push([e.className || e.tagName, contrast, style.fontSize]);
        }
        return found; }"""
    )
    assert faint == []
