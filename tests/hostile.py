"""Hostile input in every shape: texts, cells, files, studies, plans and frames, for hypothesis to put together."""
# ruff: noqa: E501  (a fault is one line, however long)

import string
from datetime import date, datetime

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from cxlib.errors import CxError

# What has broken other people's readers: markup, formulas, look-alikes, marks that turn the reading direction, words
# that mean nothing to one program and something to the next, numbers past every type, days that never were.
NASTY = [
    "", " ", "\t", "NA", "None", "null", "NaN", "nan", "inf", "-inf", "1e999", "-0", "007", "0x1F", "1_000", "１２", "½",
    "9" * 40, "1e308", "1,5", "1.000,5", "true", "TRUE", "yes", "=1+1", "@SUM(1)", "+49 30 901820", "-", "--",
    "<script>alert(1)</script>", "{{ 7*7 }}", "${x}", "$x^{", "%s%n", "'; DROP TABLE x; --", '"', '""', "'", "\\", "a\\nb",
    "two\nlines", "cr\rlf\r\n", "\x00", "\x07", "\ufeff", "\u202egnp.exe", "\u200b", "\u2028", "pаypal", "ﬃ", "İ", "ß",
    "👩‍👩‍👧", "e\u0301", "\ud7ff", "../../etc/passwd", "C:\\con", "a.b", "a*b", "[1]", "0000-00-00", "2025-02-30",
    "9999-12-31", "10000-01-01", "2262-04-12", "1677-09-20", "2025-01-01T25:00:00", "2025-03-30 02:30:00",
    "2025-01-01 00:00:00+99:00", "infinity", "epoch", "x" * 5000,
]  # fmt: skip
cells = st.sampled_from(NASTY) | st.text(max_size=12) | st.integers(-(10**30), 10**30).map(str) | st.floats().map(str)
numbers = (
    st.integers(-2, 12).map(str) | st.sampled_from(["1e3", "-1", "0.5", "NaN", "inf", "9" * 30, "", "ten"]) | cells
)
days = st.dates(date(1600, 1, 1), date(9999, 12, 31)).map(str) | st.sampled_from(
    ["2025-01-01", "2025-06-30", "", "2999-01-01"]
)
names = st.sampled_from(NASTY) | st.text(string.ascii_letters + " _.\"'<>&é;", min_size=1, max_size=8)


def quoted(value):
    """A cell as CSV writes it."""
    return '"' + value.replace('"', '""') + '"' if any(sign in value for sign in '",\r\n') or value == "" else value


@st.composite
def tables(draw, columns, low=0, high=6):
    """Text of a CSV file with some of the columns, sound or hostile cells, and now and then a torn row."""
    there = (
        draw(st.lists(st.sampled_from(sorted(columns)), unique=True, min_size=1)) if draw(st.booleans()) else columns
    )
    rows = [[draw(st.sampled_from(columns[name]) | cells) if draw(st.integers(0, 9)) == 0 else
             draw(st.sampled_from(columns[name])) for name in there] for _ in range(draw(st.integers(low, high)))]  # fmt: skip
    lines = [",".join(map(quoted, row)) for row in [list(there), *rows]]
    if draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(0, len(lines) - 1))
        lines[at] = draw(
            st.sampled_from([lines[at] + ",", lines[at] + '"', lines[at][:-1], "", "\x00", '"' + lines[at]])
        )
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n", "\r"]))
    return end.join(lines) + draw(st.sampled_from(["", end]))


encodings = st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "cp1252", "utf-16", "utf-32", "latin-1", "cp037"])


@st.composite
def files(draw, columns, **sizes):
    """Bytes of such a file in some encoding, cut short now and then."""
    content = draw(tables(columns, **sizes)).encode(draw(encodings), errors="replace")
    return content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 9)) == 0 else content


# Values of frames, by column: each list is one kind, and kinds are mixed now and then.
KINDS = {
    "float": st.floats() | st.integers(-(2**60), 2**60).map(float),
    "score": st.integers(0, 10) | st.none(),
    "int": st.integers(-(2**63), 2**63 - 1),
    "huge": st.integers(-(10**40), 10**40),
    "text": st.sampled_from(NASTY) | st.text(max_size=5),
    "few": st.sampled_from(["a", "b"]),
    "flag": st.booleans() | st.none(),
    "stamp": st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)) | st.none(),
    "one": st.just("x"),
    "odd": st.sampled_from(
        [[1], {"a": 1}, (1, 2), {1}, b"\xff", 1 + 2j, pd.NaT, pd.Timedelta(1), object, date(1, 1, 1)]
    ),
}


@st.composite
def columns(draw, rows, kind=None):
    """A column of some kind, now and then with a value of another, as some kind of series."""
    kind = kind or draw(st.sampled_from(sorted(KINDS)))
    pool = draw(st.lists(KINDS[kind], min_size=1, max_size=7))  # drawing every cell would take hypothesis too long
    values = [pool[i % len(pool)] for i in range(rows)]
    if kind == "text" and draw(st.booleans()):
        values = [f"{i}{value}" for i, value in enumerate(values)]
    if rows and draw(st.integers(0, 7)) == 0:
        values[draw(st.integers(0, rows - 1))] = draw(draw(st.sampled_from(sorted(KINDS.items())))[1])
    column = pd.Series(values, dtype=object)
    how = draw(st.sampled_from(["object", "inferred", "category", "string"]))
    try:
        return {"object": column.copy, "inferred": column.infer_objects, "category": lambda: column.astype("category"),
                "string": lambda: column.astype("string")}[how]()  # fmt: skip
    except (TypeError, ValueError, OverflowError):
        return column


@st.composite
def frames(draw, sound):
    """A frame that would do (`sound`, name -> kind) with some columns of another kind, gone, doubled or renamed."""
    rows = draw(st.sampled_from([0, 1, 3, 12, 60]))
    parts = [
        (name, draw(columns(rows, kind if draw(st.integers(0, 4)) else None)))
        for name, kind in sound.items()
        if draw(st.integers(0, 19))
    ]
    if draw(st.integers(0, 9)) == 0:
        parts.append((draw(names | st.sampled_from(sorted(sound))), draw(columns(rows))))
    frame = pd.concat([column.reset_index(drop=True) for _, column in parts], axis=1) if parts else pd.DataFrame()
    frame.columns = [name for name, _ in parts]
    return frame.set_axis(np.zeros(len(frame), int)) if draw(st.integers(0, 9)) == 0 else frame


def sound_lines(faults):
    """Whether faults are as they should be: at least one, each on one line of bounded length, with no class's name."""
    return bool(faults) and all(
        fault.strip() and len(fault.splitlines()) == 1 and len(fault) < 3000 and "Error:" not in fault
        for fault in faults
    )


def tried(function, *args, **kwargs):
    """What a function gives, or None after faults that are told as they should be."""
    try:
        return function(*args, **kwargs)
    except CxError as error:
        faults = error.faults
    assert sound_lines(faults), faults
    return None
