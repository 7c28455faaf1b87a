"""The page of an executed notebook, by its elements: order, escaping, figures, tables."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from great_tables import GT
from nbformat.v4 import new_markdown_cell, new_output
from PIL import Image

from cxlib.page import clean, render_page, small_png, title_of
from tests import small_notebooks as small

FILLER = "No description has been provided for this image"


def executed(*outputs, markdown=()):
    """A notebook with the given texts, then one cell that showed the given outputs."""
    cell = small.code("1")
    cell.outputs = list(outputs)
    return small.notebook(*map(new_markdown_cell, markdown), cell)


def shown(data, **metadata):
    return new_output("display_data", data=data, metadata=metadata)


def page_of(notebook, **given):
    return BeautifulSoup(render_page(notebook, "nps", **given), "html.parser")


def table_of(frame):
    html = frame._repr_html_() if isinstance(frame, pd.DataFrame) else frame.as_raw_html()
    return page_of(executed(shown({"text/html": html}))).main.select_one(".scroll table")


def png(pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def curve():
    """A figure of 900 × 450 pixels at 150 dpi, anti-aliased, with many greys and one hue."""
    across = np.linspace(0, 6, 900)
    height = 225 + 150 * np.sin(across)
    distance = np.abs(np.arange(450)[:, None] - height)
    ink = np.clip(3 - distance, 0, 1)[..., None]
    pixels = (255 - ink * (255 - np.array([10, 90, 131]))).astype("uint8")
    return png(pixels, dpi=(150, 150))


def test_question_then_answer_then_parameters_then_sections():
    rows = [{"name": "seed", "value": 1, "default": 0, "help": "of the resampling", "changed": True}]
    page = page_of(executed(markdown=["## First", "## Second"]), sentence="It is 12.", parameters=rows)
    order = [element.get_text(" ", strip=True) for element in page.select("h1, .sentence, .parameters summary, h2")]
    assert order == ["What is our NPS?", "It is 12.", "Parameters seed = 1", "First", "Second", "The answer"]
    assert page.title.string == "What is our NPS?"
    assert page.html["lang"] == "en"
    assert len(page.select("h1")) == 1


def test_every_parameter_is_listed_and_changed_ones_are_marked_in_words_too():
    rows = [
        {"name": "seed", "value": 0, "default": 0, "help": "of the resampling", "changed": False},
        {"name": "only_value", "value": "North", "default": "", "help": "the group", "changed": True},
    ]
    table = page_of(executed(), parameters=rows).select_one(".parameters table")
    cells = [[cell.get_text(" ", strip=True) for cell in row(["th", "td"])] for row in table.tbody("tr")]
    assert cells == [["seed", "0", "0", "of the resampling"], ["only_value changed", "North", "(empty)", "the group"]]
    assert [row.get("class") for row in table.tbody("tr")] == [None, ["changed"]]


def test_no_parameters_no_sentence_no_empty_boxes():
    page = page_of(executed())
    assert page.select(".parameters, .answer") == []


def test_contents_link_every_section_and_fall_away_where_there_is_one():
    page = page_of(executed(markdown=["## Who & *what*", "### Detail", "## Then"]))
    links = {link["href"]: link.get_text() for link in page.select("nav a")}
    assert list(links.values()) == ["Who & what", "Then", "The answer"]
    assert all(page.find(id=href.removeprefix("#")).get_text(" ", strip=True) for href in links)
    assert page_of(executed()).select("nav") == []


def test_headings_skip_no_level_and_leave_level_one_to_the_title():
    page = page_of(executed(markdown=["#### Deep", "# Loud", "## Two", "##### Five"]))
    assert [(h.name, h.get_text()) for h in page.main(re.compile("h[1-6]"))] == [
        ("h2", "Deep"), ("h2", "Loud"), ("h2", "Two"), ("h3", "Five"), ("h2", "The answer"),
    ]  # fmt: skip


def test_a_figure_has_its_own_description_and_caption(curve):
    figure = shown(
        {"image/png": curve, "text/plain": "<Figure>"}, **{"image/png": {"alt": 'A "curve"', "caption": "It < bends"}}
    )
    element = page_of(executed(figure)).figure
    assert element.img["alt"] == 'A "curve"'
    assert element.figcaption.string == "It < bends"
    assert (element.img["width"], element.img["height"]) == ("576", "288")  # 6 by 3 inches at 96 to the inch


def test_a_figure_without_description_says_so_and_where_it_stands(curve):
    page = page_of(executed(shown({"image/png": curve}), markdown=["## The curve"]))
    assert page.img["alt"] == "Figure 1, in the section The curve; it has no description"
    assert FILLER not in str(page)


def test_an_svg_enters_as_an_image_whose_scripts_do_not_run():
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    page = page_of(executed(shown({"image/svg+xml": svg}, **{"image/svg+xml": {"alt": "Bars"}})))
    assert page.img["src"].startswith("data:image/svg+xml;base64,")
    assert page.img["alt"] == "Bars"
    assert page.select("svg, script") == []


def test_a_figure_shrinks_without_visible_change_and_keeps_its_size(curve):
    small_one = small_png(curve)
    with (
        Image.open(io.BytesIO(base64.b64decode(small_one))) as after,
        Image.open(io.BytesIO(base64.b64decode(curve))) as before,
    ):
        assert after.mode == "P"
        assert after.size == before.size
        assert after.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        difference = np.abs(np.asarray(after.convert("RGB"), int) - np.asarray(before.convert("RGB"), int))
    assert difference.max() <= 12
    assert len(small_one) < 0.6 * len(curve)


def test_a_figure_of_many_hues_stays_as_it_was():
    hues = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype="uint8")
    assert small_png(png(hues)) == png(hues)


def test_code_is_hidden_unless_asked_for_and_never_the_parameters_cell():
    assert page_of(executed()).select(".code") == []
    folded = [element.get_text() for element in page_of(executed(), code=True).select("details.code pre")]
    assert folded == ["1", small.ANSWER]


def test_pandas_table_has_no_empty_header_and_scoped_cells():
    frame = pd.DataFrame({"people": [1234, 22], "note": ["", "too few"]}, index=pd.Index(["N", "W"], name="region"))
    table = table_of(frame)
    heads = table.thead(["th", "td"])
    assert [(cell.name, cell.get_text(), cell["scope"]) for cell in heads] == [
        ("th", "region", "col"), ("th", "people", "col"), ("th", "note", "col"),
    ]  # fmt: skip
    assert [cell["scope"] for cell in table.tbody("th")] == ["row", "row"]
    assert "border" not in table.attrs


def test_an_unnamed_index_leaves_a_corner_that_is_no_header():
    corner = table_of(pd.DataFrame({"a": [1]})).thead.find(["th", "td"])
    assert (corner.name, corner.get_text()) == ("td", "")


def test_two_levels_of_columns_keep_both_header_rows():
    frame = pd.DataFrame([[1, 2, 3]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y"), ("b", "x")]))
    table = table_of(frame)
    assert len(table.thead("tr")) == 2
    assert [(th.get_text(), th["scope"]) for th in table.thead.tr("th")] == [("a", "colgroup"), ("b", "col")]


@pytest.mark.parametrize(
    ("values", "right"),
    [
        ([1, 2], True),
        ([-1.5, float("nan")], True),
        (["12.3 %", "–"], True),
        (["0.20 to 0.28", "-0.1 to 0.2"], True),
        (["29% (21% to 37%)", "–"], True),
        (["1.5e-07", "2"], True),
        (["to", "12"], False),
        (["[0.20, 0.28]", "[1, 2]"], True),
        (["+3.1 points", "−2 points"], True),
        (["1,234", "< 10"], True),
        (["2026-03-31", "2026-04-01"], False),
        (["North", "12"], False),
        (["", ""], False),
        (["3 customers left in the North", "4"], False),
    ],
)
def test_numbers_stand_right_and_words_left(values, right):
    table = table_of(pd.DataFrame({"x": values}))
    cells = [table.thead("th")[-1], *(row("td")[-1] for row in table.tbody("tr"))]
    assert {"num" in cell.get("class", []) for cell in cells} == {right}


def test_a_great_table_keeps_title_and_note_and_drops_its_own_style():
    given = (
        GT(pd.DataFrame({"cause": ["service"], "share": [0.24]}))
        .tab_header("Causes", "of attrition")
        .tab_source_note("From R.")
    )
    page = page_of(executed(shown({"text/html": given.as_raw_html()})))
    table = page.main.select_one(".scroll table")
    assert table.caption.strong.string == "Causes"
    assert table.caption.get_text(" ", strip=True) == "Causes of attrition"
    assert table.tfoot.get_text(strip=True) == "From R."
    assert len(page("style")) == 1
    assert not table.has_attr("style")


def test_tables_scroll_in_named_boxes_of_their_own():
    wide = pd.DataFrame(np.zeros((2, 30)))
    page = page_of(
        executed(
            shown({"text/html": wide._repr_html_()}), shown({"text/html": wide._repr_html_()}), markdown=["## Wide"]
        )
    )
    boxes = page.main.select("div.scroll")
    assert [box["aria-label"] for box in boxes] == ["Table 1: Wide", "Table 2: Wide"]
    assert {(box["role"], box["tabindex"]) for box in boxes} == {("region", "0")}


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<ScRiPt src=http://example.org/x.js></sCrIpT>",
        "<img src=x onerror=alert(1)>",
        "<img src='http://example.org/x.png'>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' data:text/html,<script>alert(1)</script>'>x</a>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<style>@import url(http://example.org/x.css)</style>",
        "<p style='background:url(http://example.org/x.png)'>x</p>",
        "<link rel=stylesheet href=http://example.org/x.css>",
        "<meta http-equiv=refresh content='0;url=http://example.org'>",
        "<form action=http://example.org><button>x</button></form>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<base href=http://example.org>",
        "<div id=content>x</div>",
    ],
)
def test_html_from_a_cell_cannot_run_load_or_imitate(html):
    cleaned = BeautifulSoup(clean(html), "html.parser")
    for element in cleaned.find_all(True):
        assert element.name in {"a", "p", "div"}
        assert set(element.attrs) <= {"title"}


def test_text_of_data_is_escaped_wherever_it_enters():
    evil = "<img src=x onerror=alert(1)> & \x00\x1b[0m"
    rows = [{"name": evil, "value": evil, "default": evil, "help": evil, "changed": True}]
    outputs = [
        new_output("stream", name="stdout", text=evil),
        shown({"text/plain": evil}),
        shown({"text/markdown": evil}),
    ]
    notebook = executed(*outputs, markdown=[f"## {evil}"])
    html = render_page(notebook, evil, parameters=rows, sentence=evil, facts=[(evil, evil)])
    assert BeautifulSoup(html, "html.parser").select("[onerror], script, img[src=x]") == []
    assert "\x00" not in html
    assert "\x1b" not in html


def test_warnings_and_widgets_do_not_reach_the_page():
    warned = new_output("stream", name="stderr", text="FutureWarning: soon")
    widget = shown(
        {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "application/javascript": "alert(1)"}
    )
    with pytest.warns(UserWarning, match="not able to be represented"):  # a run writes this to its log
        page = page_of(executed(warned, widget))
    assert "FutureWarning" not in str(page)
    assert page("script") == []


def test_the_page_is_whole_and_asks_nothing_of_any_host(curve):
    html = render_page(
        executed(shown({"image/png": curve}), markdown=["Inline $x^2$ and [a link](http://example.org)."]), "nps"
    )
    page = BeautifulSoup(html, "html.parser")
    assert page.select("script, link, iframe, base, object, [srcset]") == []
    assert all(image["src"].startswith("data:image/") for image in page("img"))
    assert not re.search(r"url\(|@import", page.style.string)
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")


def test_the_same_notebook_gives_the_same_page(curve):
    pages = {render_page(executed(shown({"image/png": curve})), "nps") for _ in range(2)}
    assert len(pages) == 1


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("# How *much*?\n\nText", "How much?"),
        ("Text\n\n# After `text` #", "After text"),
        ("## Only a section", ""),
        ("", ""),
    ],
)
def test_the_title_is_the_first_heading_as_plain_text(source, title):
    assert title_of(small.notebook(title=source)) == title


def test_a_section_whose_code_showed_nothing_is_left_out_with_its_prose():
    """Such a section needs what the study does not feed; prose alone, an unrun cell or any output keeps a section."""
    silent, again, beside, loud = (small.code("None") for _ in range(4))
    for cell in (silent, again, beside, loud):
        cell.execution_count = 1
    loud.outputs = [shown({"text/plain": "12"})]
    cells = [new_markdown_cell("## Silent\n\nIts prose."), silent, new_markdown_cell("### Beneath it"), again]
    cells += [new_markdown_cell("## Unrun"), small.code("None"), new_markdown_cell("## Loud"), beside, loud]
    page = page_of(small.notebook(*cells, new_markdown_cell("## Words")))
    assert [heading.get_text() for heading in page.main(["h2", "h3"])] == ["Unrun", "Loud", "Words", "The answer"]


def test_all_tables_share_the_page_s_one_style_and_bring_no_marks_made_by_chance():
    frame = pd.DataFrame({"region": ["N", "S"], "nps": [12.5, 9.1]})
    html = "".join(GT(frame).tab_header(title).as_raw_html() for title in ("First", "Second"))
    pages = {render_page(executed(shown({"text/html": html})), "nps") for _ in range(2)}
    page = BeautifulSoup(pages.pop(), "html.parser")
    assert pages == set()
    assert len(page("style")) == 1
    assert page.main.select("[style], table[id], div[id]") == []


def test_printed_text_that_scrolls_is_reached_by_the_keyboard():
    page = page_of(executed(new_output("stream", name="stdout", text="x" * 500)))
    assert page.select_one("pre.printed")["tabindex"] == "0"
