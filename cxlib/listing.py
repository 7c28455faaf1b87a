"""The list of runs, index.html: alerts on top, then the newest state of each report; opens from a file:// address."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader

from .alerts import change_since, is_clear
from .errors import shortened
from .folders import records
from .manifest import GOOD
from .wording import digits, estimate, number, plain_name

TEMPLATES = Path(__file__).parent / "template"
EVERYONE = "Everyone"
MOST_LINKS = 3000  # to pages of earlier runs; older ones are in their run.json
WIDTH, HEIGHT = 120, 28  # of a sparkline
SHOWN_RUNS = 26  # in a sparkline


def write_index(out: Path) -> None:
    """Write `out`/index.html from the run.json of every run in `out`/runs, replacing it at once."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    style, script = (environment.loader.get_source(environment, name)[0] for name in ("runs.css", "runs.js"))  # type: ignore[union-attr]
    runs = records(out)
    reports = [_row(place, seen) for place, seen in _seen(runs).items()]
    page = environment.get_template("runs.html.j2").render(
        title=next((run["plan"]["title"] for run in runs[:1] if (run.get("plan") or {}).get("title")), "Reports"),
        newest=_run(runs[0], True) if runs else None,
        alerts=[report | {"alert": alert} for report in reports for alert in report["alerts"]],
        failed=[report for report in reports if not report["good"]],
        notebooks=_by_notebook(reports),
        groups=sorted({report["group"] for report in reports}, key=lambda group: (group != EVERYONE, group)),
        reports=len(reports),
        runs=_runs(runs),
        style=style,
        script=script,
        style_sum=_sum(style),
        script_sum=_sum(script),
    )
    part = out / ".index.html.part"
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(out / "index.html")
    finally:
        part.unlink(missing_ok=True)


def _sum(text: str) -> str:
    """What a content policy calls a text by, so that this script and no other runs."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _seen(runs: Sequence[Mapping]) -> dict[str, list[tuple[Mapping, Mapping]]]:
    """Every report with the runs it was in, newest first; reports in the order of the newest run."""
    seen: dict[str, list[tuple[Mapping, Mapping]]] = {}
    for run in runs:
        for report in run["reports"]:
            seen.setdefault(f"{report['notebook']}/{report['slug']}", []).append((run, report))
    return seen


def _row(place: str, seen: Sequence[tuple[Mapping, Mapping]]) -> dict[str, Any]:
    run, report = seen[0]
    group, label = _labels(report)
    good = report["status"] in GOOD
    line = [row for row in (_headline(older) for _, older in seen if older["status"] in GOOD) if row]
    fired = [alert for alert in run["alerts"] if alert["report"] == place and alert["state"] == "fired"]
    return {
        "notebook": report["notebook"],
        "title": report["title"],
        "group": group,
        "label": label,
        "good": good,
        "status": report["status"],
        "href": _href(run, report),
        "told": report["sentence"] if good else shortened(report["exception"], 300),
        "figure": _figure(line[0]) if good and line else "",
        "change": _change(report, line) if good else None,
        "trend": _trend(line[:SHOWN_RUNS][::-1]) if len(line) > 1 else None,
        "day": _day(run),
        "alerts": [_alert(alert, line) for alert in fired],
    }


def _headline(report: Mapping) -> Any:
    """The first answer of a report; None where it has none or may not show it."""
    first = report.get("headline")
    if not first or first["estimate"] is None:
        return None
    keys = ("estimate", "std_error", "lower", "upper", "level", "n")
    return SimpleNamespace(**first | {key: math.nan if first[key] is None else first[key] for key in keys})


def _labels(report: Mapping) -> tuple[str, str]:
    """Whom a report is about, and with which other values."""
    changed = dict(report.get("changed") or {})
    column, value = changed.pop("only_column", ""), changed.pop("only_value", "")
    group = f"{plain_name(column)}: {shortened(value) or '(empty)'}" if column else EVERYONE
    return group, ", ".join([group, *(f"{plain_name(name)} {shortened(value)}" for name, value in changed.items())])


def _figure(row: Any) -> str:
    return f"{plain_name(row.name.replace('.', ' '))} {estimate(row)}"


def _change(report: Mapping, line: Sequence[Any]) -> dict[str, Any] | None:
    """The change of the first answer since the run before, and whether it is more than chance."""
    if len(line) < 2 or line[0].name != line[1].name:
        return None
    moved = change_since(vars(line[0]), vars(line[1]))
    if report["status"] == "skipped" or (moved and not moved[0]):
        return {"text": "unchanged", "beyond": False}
    if moved is None:
        return None
    told = number(abs(moved[0]), line[0].unit, digits(line[0]))
    told = f"{told[:-1]} percentage points" if told.endswith("%") else f"{told} {line[0].unit}"
    clear = is_clear(*moved)
    return {"text": f"{'up' if moved[0] > 0 else 'down'} {told}{'' if clear else ', within chance'}", "beyond": clear}


def _trend(line: Sequence[Any]) -> dict[str, str]:
    """A line through the estimates in a band of their intervals, oldest first, and both in words."""
    ends = [value for row in line for value in (row.estimate, row.lower, row.upper) if math.isfinite(value)]
    low, high = min(ends), max(ends)
    step, scale = (WIDTH - 8) / (len(line) - 1), (HEIGHT - 6) / ((high - low) or 1)

    def point(place: int, value: float) -> str:
        return f"{4 + place * step:.1f},{HEIGHT - 3 - (value - low) * scale:.1f}"

    upper = [point(i, row.upper) for i, row in enumerate(line) if math.isfinite(row.upper)]
    lower = [point(i, row.lower) for i, row in enumerate(line) if math.isfinite(row.lower)]
    points = [point(i, row.estimate) for i, row in enumerate(line)]
    told = ", ".join(number(row.estimate, row.unit, digits(row)) for row in line)
    return {
        "band": " ".join(upper + lower[::-1]),
        "line": " ".join(points),
        "x": points[-1].split(",")[0],
        "y": points[-1].split(",")[1],
        "words": f"Last {len(line)} runs: {told}",
    }


def _alert(alert: Mapping, line: Sequence[Any]) -> str:
    of = ", ".join(f"{plain_name(name)} {shortened(value)}" for name, value in alert["by"].items())
    now = f"{alert['value']:.4g}"
    return f"{alert['alert']}{f' ({of})' if of else ''}: it is {now}"


def _href(run: Mapping, report: Mapping) -> str:
    place = quote(f"runs/{run['run']}/{report['notebook']}/{report['slug']}")
    return f"{place}/report.html" if report["status"] in GOOD else f"{place}.failed"


def _day(run: Mapping) -> str:
    started = datetime.fromisoformat(run["started_at"])
    return f"{started.day} {started:%B %Y, %H:%M} UTC"


def _by_notebook(reports: Sequence[dict]) -> list[dict[str, Any]]:
    found: dict[str, list[dict]] = {}
    for report in reports:
        found.setdefault(report["notebook"], []).append(report)
    return [{"name": name, "title": rows[0]["title"], "reports": rows} for name, rows in found.items()]


def _run(run: Mapping, linked: bool) -> dict[str, Any]:
    counts = {status: count for status, count in run["counts"].items() if count}
    links = [(f"{report['notebook']}, {_labels(report)[1]}", _href(run, report), report) for report in run["reports"]]
    return {
        "name": run["run"],
        "day": _day(run),
        "told": ", ".join(f"{count} {status}" for status, count in counts.items()) + f", {run['seconds']:.0f} s",
        "links": [(label, href) for label, href, report in links if report["status"] in GOOD] if linked else [],
        "record": quote(f"runs/{run['run']}/run.json"),
    }


def _runs(runs: Sequence[Mapping]) -> list[dict[str, Any]]:
    """All runs, with links to their pages as long as there are not too many."""
    left, found = MOST_LINKS, []
    for run in runs:
        left -= len(run["reports"])
        found.append(_run(run, left >= 0))
    return found
