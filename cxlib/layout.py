"""How every table of a report is laid out."""

from __future__ import annotations

import pandas as pd
from great_tables import GT


def laid_out(shown: pd.DataFrame, title: str, note: str = "") -> GT:
    """A table of texts in the kit's layout: the first column and columns of words left, the others right."""
    numbers = [
        name for name in shown.columns[1:] if shown[name].astype(str).str.match(r"^([−–\d]|too few|under |$)").all()
    ]
    words = [name for name in shown.columns if name not in numbers]
    out = GT(shown.astype(str).reset_index(drop=True)).tab_header(title)
    out = out.cols_align("right", numbers).cols_align("left", words)
    return out.tab_source_note(note) if note else out
