"""The data contract as one HTML page: every check in a table, then pointblank's report of each table."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd

from .data import interrogated
from .paths import writing
from .rules import rules
from .study import Study

_FONTS = re.compile(r"@import url\([^)]*\);?")  # pointblank's own would be fetched from a host
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}div{overflow-x:auto}th,td{padding:.25rem .75rem;text-align:left;"
    "border-bottom:1px solid #ddd}td.number{text-align:right}"
    "tr.fails td{background:#fde8e4}tr.look td{background:#fff4d6}"
)


def write_contract_page(study: Study, found: pd.DataFrame, path: Path) -> None:
    """Write the page of a study's findings (see `data_health`); it needs no other file and no host."""
    title = html.escape(f"Data health: {study.title}")
    parts = [f"<h1>{title}</h1>", f"<p>{html.escape(summary(found))}</p>", f"<div>{_findings(found)}</div>"]
    for name in study.tables.present if study.tables is not None else ():
        assert study.tables is not None
        report = interrogated(study.tables, name, rules(study.tables.present, name)).get_tabular_report()
        parts.append(f"<h2>{html.escape(name)}</h2><div>{_FONTS.sub('', report.as_raw_html())}</div>")
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title>"
    head = f"<!doctype html><html lang='en'><head>{head}<style>{_STYLE}</style></head>"
    page = "\n".join([head, "<body><main>", *parts, "</main></body></html>"])
    with writing(path, "file"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")


def summary(found: pd.DataFrame) -> str:
    """One line: how many checks there were and how they went."""
    counts = found["verdict"].value_counts()
    told = ", ".join(f"{counts.get(verdict, 0)} {words}" for verdict, words in
                     (("ok", "ok"), ("look", "to look at"), ("fails", "fail")))  # fmt: skip
    return f"{len(found)} checks: {told}"


def finding_line(row: pd.Series) -> str:
    """One line for a check that is not ok."""
    examples = f", such as {row['examples']}" if row["examples"] else ""
    counts = f"{row['failing']:,} of {row['rows']:,} rows are not so{examples}"
    if row["part"] == "leak":
        counts = f"it {row['examples']} of it, was it known before?"
    return f"{row['verdict']}: {row['table']}: {row['rule']}: {counts}"


def _findings(found: pd.DataFrame) -> str:
    shown = found.sort_values("verdict", key=lambda v: v.map({"fails": 0, "look": 1, "ok": 2}), kind="stable")
    names = ["table", "what must hold", "rows", "not so", "share", "examples", "verdict"]
    lines = ["<table><thead><tr>", *(f"<th scope='col'>{name}</th>" for name in names), "</tr></thead><tbody>"]
    for row in shown.to_dict("records"):
        numbers = f"{row['rows']:,}", f"{row['failing']:,}", f"{row['share']:.1%}"
        cells = [f"<td>{html.escape(str(row[name]))}</td>" for name in ("table", "rule")]
        cells += [f"<td class='number'>{number}</td>" for number in numbers]
        cells += [f"<td>{html.escape(str(row[name]))}</td>" for name in ("examples", "verdict")]
        lines.append(f"<tr class='{row['verdict']}'>{''.join(cells)}</tr>")
    return "".join([*lines, "</tbody></table>"])
