"""How every table of a report is laid out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pandas as pd
from great_tables import GT

from .wording import number, people, smallest_group


def laid_out(shown: pd.DataFrame, title: str, note: str = "") -> GT:
    """A table of texts in the kit's layout: the first column and columns of words left, the others right."""
    numbers = [
        name for name in shown.columns[1:] if shown[name].astype(str).str.match(r"^([−–\d]|too few|under |$)").all()
    ]
    words = [name for name in shown.columns if name not in numbers]
    out = GT(shown.astype(str).reset_index(drop=True)).tab_header(title)
    out = out.cols_align("right", numbers).cols_align("left", words)
    return out.tab_source_note(note) if note else out


def steps_told(steps: Iterable[tuple[str, int, str]]) -> pd.DataFrame:
    """Steps (what, rows kept, why not the others) as a table that tells of no few people.

    A step that leaves out fewer than a group that may be shown goes with the one before it: the numbers before and
    after would give those few away. Of a few that are kept, neither they nor those left out are counted.
    """
    least, held = smallest_group(), list[tuple[str, int, str]]()
    for what, count, why in steps:
        if held and 0 < held[-1][1] - count < least:
            before = held.pop()[2]
            why = "; ".join(filter(None, (before, f"fewer than {number(least)} of them: {why}")))
        held.append((what, count, why))
    counts = [count for _, count, _ in held]
    small = [0 < count < least for count in counts]
    return pd.DataFrame({
        "rows": [what for what, _, _ in held],
        "kept": [people(count) for count in counts],
        "left out": ["", *("" if few else number(a - b)
                           for (a, b), few in zip(itertools.pairwise(counts), small[1:], strict=True))],
        "because": [why for _, _, why in held],
    })  # fmt: skip


def told_apart(whole: int, kept: int) -> tuple[str, str]:
    """Rows in the data and those that count; of the two that differ by a few people only the second is told."""
    few = 0 < whole - kept < smallest_group()
    return ("–" if few else people(whole), people(kept))
