"""The last pass over a page: heading order, contents list, and tables that read well at any width and to any reader."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

# A number, a share, an interval, or one with the other; a date starts with four digits and a dash and stays text.
NUMBER = re.compile(r"(?!\d{4}-\d\d)(?=.*\d)(?:[\d\s.,%+−–\-()\[\]<>≤≥~]|\bto\b|e[-+]?(?=\d))+(?:[a-zA-Z]{1,6})?")
BLANK = {"", "–", "—", "-", "nan", "NaN", "None", "<NA>", "NaT"}


def tidy(html: str) -> str:
    """The page with headings in order and listed, described figures, and tables wrapped, scoped and aligned."""
    soup = BeautifulSoup(html, "html.parser")
    main = soup.find("main")
    _drop_title(main)
    _order_headings(main)
    _fill_contents(soup, main)
    for number, image in enumerate(main.find_all("img"), 1):
        if not image.get("alt"):
            image["alt"] = f"Figure {number}, in the section {_section_of(image) or 'above'}; it has no description"
    for number, table in enumerate(main.find_all("table"), 1):
        _clean_table(table)
        _wrap(soup, table, number)
    for printed in main.find_all("pre"):
        printed["tabindex"] = "0"  # long lines scroll, for the keyboard too
    for empty in main.select("section.text, div.output"):
        if not empty.get_text(strip=True) and not empty.find(["img", "table"]):
            empty.decompose()
    return str(soup)


def _drop_title(main: Tag) -> None:
    """The notebook's own title stands in the masthead already."""
    if title := main.find("h1"):
        title.decompose()


def _order_headings(main: Tag) -> None:
    """No level is skipped and none competes with the title: checkers and screen readers walk the levels."""
    above = 1
    for heading in main.find_all(re.compile("^h[1-6]$")):
        level = max(2, min(int(heading.name[1]), above + 1))
        heading.name = f"h{level}"
        above = level


def _fill_contents(soup: BeautifulSoup, main: Tag) -> None:
    nav, sections = soup.find("nav", class_="contents"), main.find_all("h2")
    if len(sections) < 2:
        nav.decompose()
        return
    for number, heading in enumerate(sections, 1):
        heading["id"] = f"section-{number}"
        link = soup.new_tag("a", href=f"#section-{number}")
        link.string = heading.get_text(" ", strip=True)
        item = soup.new_tag("li")
        item.append(link)
        nav.ol.append(item)


def _section_of(element: Tag) -> str:
    heading = element.find_previous(["h2", "h3"])
    return heading.get_text(" ", strip=True) if heading else ""


def _clean_table(table: Tag) -> None:
    for attribute in ("border", "width", "height"):
        table.attrs.pop(attribute, None)
    _title_to_caption(table)
    _merge_index_names(table)
    for cell in table.select("thead th, thead td"):
        # A header cell without text is announced as a header of nothing.
        cell.name = "th" if cell.get_text(strip=True) else "td"
        if cell.name == "th":
            cell["scope"] = "colgroup" if int(cell.get("colspan", 1)) > 1 else "col"
    for cell in table.select("tbody th"):
        cell["scope"] = "rowgroup" if int(cell.get("rowspan", 1)) > 1 else "row"
    _align(table)


def _title_to_caption(table: Tag) -> None:
    """great_tables puts title and subtitle into header rows; a caption is what they are."""
    rows = [row for row in table.select("thead tr") if "gt_heading" in row.get("class", [])]
    texts = [row.get_text(" ", strip=True) for row in rows]
    for row in rows:
        row.decompose()
    if any(texts) and not table.caption:
        caption = BeautifulSoup("<caption><strong></strong></caption>", "html.parser").caption
        caption.strong.string, rest = texts[0], " ".join(texts[1:])
        if rest:
            caption.append(rest)
        table.insert(0, caption)


def _merge_index_names(table: Tag) -> None:
    """pandas names the index in a header row of its own; with one level of columns both rows are one."""
    rows = table.select("thead tr")
    if "dataframe" not in table.get("class", []) or len(rows) != 2:
        return
    first, second = (row.find_all(["th", "td"], recursive=False) for row in rows)
    if len(first) != len(second) or any(cell.get("colspan") for cell in first):
        return
    if all(not a.get_text(strip=True) or not b.get_text(strip=True) for a, b in zip(first, second, strict=True)):
        for above, below in zip(first, second, strict=True):
            above.string = above.get_text(strip=True) or below.get_text(strip=True)
        rows[1].decompose()


def _align(table: Tag) -> None:
    """Numbers right, text left, headings with their column; counted from the right, since spans stand on the left."""
    rows = [row.find_all(["th", "td"], recursive=False) for row in table.select("tbody tr")]
    heads = [row.find_all(["th", "td"], recursive=False) for row in table.select("thead tr")]
    width = max((len(row) for row in rows), default=0)
    for place in range(1, width + 1):
        column = [row[-place] for row in rows if len(row) >= place and not row[-place].get("colspan")]
        texts = [cell.get_text(" ", strip=True) for cell in column]
        filled = [text for text in texts if text not in BLANK]
        if filled and all(NUMBER.fullmatch(text) for text in filled):
            for cell in column + [row[-place] for row in heads[-1:] if len(row) >= place]:
                cell["class"] = [*cell.get("class", []), "num"]


def _wrap(soup: BeautifulSoup, table: Tag, number: int) -> None:
    """A wide table scrolls inside its own box, which the keyboard can reach."""
    label = table.caption.get_text(" ", strip=True) if table.caption else _section_of(table)
    box = soup.new_tag("div", attrs={"class": "scroll", "role": "region", "tabindex": "0"})
    box["aria-label"] = f"Table {number}: {label}" if label else f"Table {number}"
    table.wrap(box)
