"""The scorecard in words: experience and service in two tables, what a study lacks of them, the answer sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd
from great_tables import GT

from . import engine
from .layout import laid_out, told_apart
from .schema import TOO_FEW
from .scope import Scope, active_customers
from .study import Study
from .wording import Sentence, estimate, groups_of, in_minutes, listed, number, percent, plain_name, visible

EXPERIENCE, SERVICE = "Experience: how customers feel", "Service: how the desk performs"
# The table of what belongs to which. (term, measure) -> column, words, what counts; {} = the target in the method.
BELONGS = {
    ("nps", "nps"): (EXPERIENCE, "NPS, points", "promoters less detractors, per hundred answers"),
    ("csat", "csat"): (EXPERIENCE, "CSAT, satisfied", "answers at the top of the scale"),
    ("ces", "mean"): (EXPERIENCE, "CES, mean of the points", "how easy it was"),
    ("ces", "share"): (EXPERIENCE, "CES, found it easy", "answers on the easy side"),
    ("ces", "net"): (EXPERIENCE, "CES, easy less hard, points", "easy less hard, per hundred answers"),
    ("all", "cohort"): (EXPERIENCE, "Attrition rate", "customers whose end came in the period"),
    ("first_response_time", "median"): (SERVICE, "First response, half within", "first answer by a person"),
    ("first_response_time", "within_target"): (SERVICE, "First response within {}", "the same, by the target"),
    ("first_response_time", "unanswered"): (SERVICE, "Not yet answered", "of all tickets opened"),
    ("resolution_time", "median"): (SERVICE, "Resolution, half within", "last resolution, reopened ones till the end"),
    ("resolution_time", "percentile_90"): (SERVICE, "Resolution, nine in ten within", "the same"),
    ("resolution_time", "within_target"): (SERVICE, "Resolved within {}", "the same, by the target"),
    ("resolution_time", "still_open"): (SERVICE, "Still open", "of all tickets opened"),
    ("first_contact_resolution", "rate"): (
        SERVICE,
        "Resolved at the first contact",
        "judged without asking the customer",
    ),
    ("escalation_rate", "escalation_rate"): (SERVICE, "Escalated", "handed to a higher level"),
    ("ticket_volume", "rate"): (
        SERVICE,
        "Tickets of 100 customers in 30 days",
        "tickets opened, by who could open one",
    ),
}


class Pair(NamedTuple):
    """Two tables side by side, one above the other where the page is narrow."""

    left: GT
    right: GT

    def _repr_html_(self) -> str:
        tables = (f'<div style="flex: 1 1 20rem">{table.as_raw_html()}</div>' for table in self)
        return f'<div class="pair" style="display: flex; flex-wrap: wrap; gap: 2rem">{"".join(tables)}</div>'


def scorecard(*results: pd.DataFrame | None) -> Pair | GT | None:
    """The measures in two tables, those of the experience and those of the service desk; small groups hidden."""
    rows = _rows(results)
    sides = [_side(rows, title) for title in (EXPERIENCE, SERVICE)]
    there = [side for side in sides if side is not None]
    return Pair(*there) if len(there) == 2 else there[0] if there else None


def definitions(*results: pd.DataFrame | None) -> GT | None:
    """How each measure of the scorecard is defined, so that two analysts get the same number."""
    rows = _rows(results)
    if rows.empty:
        return None
    told = (rows["what"] + "; " + rows["method"]).str.rstrip("; ")
    shown = pd.DataFrame({"measure": rows["words"], "as computed here": told})
    return laid_out(shown.drop_duplicates(), "How each measure is defined")


def by_group(*results: pd.DataFrame | None) -> GT | None:
    """The measures of the scorecard by group, a row a group; groups that are too small are left empty."""
    rows = _rows(results)
    if rows.empty:
        return None
    by = rows["by"].iloc[0]
    wide = rows.pivot(index="group", columns="words", values="told")
    wide = wide.reindex(index=rows["group"].unique(), columns=rows["words"].unique()).fillna("")
    levels = rows["level"].dropna().unique()
    wide = wide.reset_index().rename(columns={"group": plain_name(by)})
    note = f"In brackets: {percent(levels[0])} intervals. These overlap where groups cannot be told apart."
    return laid_out(wide, f"By {plain_name(by)}", note)


def _rows(results: tuple[pd.DataFrame | None, ...]) -> pd.DataFrame:
    """The measures that belong on the scorecard, in its order: column, words, told, n, method, level, group."""
    order = {key: i for i, key in enumerate(BELONGS)}
    found = []
    for result in (one for one in results if isinstance(one, pd.DataFrame)):
        by = (groups_of(result) or [""])[0]
        for row in in_minutes(visible(result)).itertuples(index=False):
            if (key := (row.term, row.measure)) in BELONGS:
                title, words, what = BELONGS[key]
                words += f", {row.unit}" * (row.unit in ("hours", "minutes"))
                found.append({
                    "order": order[key], "title": title, "words": words.format(_target(row.method)),
                    "told": estimate(row, first=False).replace(" ", "\N{NO-BREAK SPACE}"),
                    "n": number(row.n), "level": row.level, "what": what,
                    "method": "" if row.note == TOO_FEW else plain_name(row.method),
                    "by": by, "group": str(getattr(row, by)) if by else "",
                })  # fmt: skip
    names = ["order", "title", "words", "told", "n", "level", "what", "method", "by", "group"]
    return pd.DataFrame(found, columns=names).sort_values("order", kind="stable")


def _side(rows: pd.DataFrame, title: str) -> GT | None:
    own = rows[rows["title"] == title]
    if own.empty:
        return None
    levels = own["level"].dropna().unique()
    note = f"In brackets: {percent(levels[0])} intervals." if len(levels) == 1 else ""
    shown = own[["words", "told", "n"]].rename(columns={"words": "measure", "told": "estimate"})
    return laid_out(shown, title, note)


def _target(method: str) -> str:
    found = re.search(r"within ([\d.]+) hours", method)
    return f"{found[1]} hours" if found else "the target"


def about_scope(study: Study, scope: Scope) -> Sentence:
    """Which study a scorecard is about, and which days it counts."""
    if scope.first is None:
        return Sentence(f"Study: {study.title}. Its frame holds no dates: it is one period, and there is no trend.")
    known = "" if scope.as_of is None else f"; what came from {scope.end} on counts as not known"
    return Sentence(
        f"Study: {study.title}. This period: the {scope.days} days from {scope.first} to {scope.last}{known}."
    )


def rows_in_scope(scope: Scope) -> GT | None:
    """How many answers, invitations, tickets and customers there are, and how many of them count in this period."""
    if scope.tables is None:
        seen = [one for one in (scope.answers, scope.people) if one is not None][:1]
        rows = [("rows of the study's frame", "", number(engine.rows(one))) for one in seen]
    else:
        whole, rows = scope.tables.present, []
        parts = {"answers": (scope.history, scope.answers), "invitations": (whole.get("surveys"), scope.invited),
                 "tickets": (whole.get("tickets"), scope.desk and scope.desk.tickets)}  # fmt: skip
        for name, (every, kept) in parts.items():
            if every is not None:
                rows.append((name, *told_apart(engine.rows(every), engine.rows(kept) if kept else 0)))
        if scope.customers is not None:
            rows.append(("customers", *told_apart(engine.rows(whole["customers"]), active_customers(scope))))
    shown = pd.DataFrame(rows, columns=["", "in the data", "this period"])
    note = "Customers of this period: those there on its last day." if scope.customers else ""
    return laid_out(shown.loc[:, (shown != "").any()], "What is counted", note) if rows else None


def lacking(scope: Scope) -> Sentence | None:
    """What a study does not hold of the scorecard."""
    missing = list(_missing(scope))
    if not missing:
        return None
    return Sentence(f"Not in this study, and left out below: {listed(missing)}.")


def _missing(scope: Scope) -> Iterator[str]:
    if scope.answers is None:
        yield "NPS, CSAT and CES (no scores)"
    else:
        yield from ["CSAT (no satisfaction)"] * (scope.satisfaction is None)
        yield from ["CES (no effort)"] * (scope.effort is None)
    if scope.customers is None and scope.people is None:
        yield "attrition (no customers with their ends)"
    if scope.desk is None:
        yield "the service measures (no tickets)"
        return
    needs = {
        "first_response_at": "first response",
        "customer_id": "first contact resolution",
        "escalated": "escalations",
    }
    yield from (f"{words} (no {column})" for column, words in needs.items() if not scope.having(column))
    if scope.based is None:
        yield "ticket volume (no customers)"


def scorecard_answer(scope: Scope, *results: pd.DataFrame | None) -> Sentence | None:
    """The one sentence of the scorecard: NPS, satisfaction, attrition, resolution, first contact, as far as fed."""
    told: list[str] = []
    sizes: dict[str, float] = {}
    for result in (in_minutes(visible(one)) for one in results if isinstance(one, pd.DataFrame)):
        for row in result[result["estimate"].notna()].itertuples(index=False):
            if words := _clause(row, not told, scope.days):
                told.append(words)
                sizes.setdefault(_counted(row.term), row.n)
    if not told:
        return None
    when = f" from {scope.first} to {scope.last}" if scope.first else ""
    n = listed([f"n = {number(size)} {what}" for what, size in sizes.items()])
    first = told[0][:1].upper() + told[0][1:]
    return Sentence(f"{listed([first, *told[1:]])}; {n}{when}.")


def _clause(row: Any, first: bool, days: int) -> str:
    told, within = estimate(row, first), f" within {days} days" if days else ""
    return {
        ("nps", "nps"): f"NPS is {told} points",
        ("csat", "csat"): f"{told} of the answers are satisfied",
        ("all", "cohort"): f"{told} of the customers left{within}",
        ("resolution_time", "median"): f"half of the tickets are resolved within {told} {row.unit}",
        ("resolution_time", "still_open"): f"{told} of them are still open",
        ("first_contact_resolution", "rate"): f"{told} are resolved at the first contact",
    }.get((row.term, row.measure), "")


def _counted(term: str) -> str:
    return {"nps": "answers", "csat": "answers", "all": "customers"}.get(term, "tickets")
