"""Hostile input in every shape: texts, cells, files, studies, plans and frames, for hypothesis to put together."""
# ruff: noqa: E501  (a fault is one line, however long)

import random
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


def quoted(value, delimiter=","):
    """A cell as CSV writes it."""
    odd = any(sign in value for sign in f'"{delimiter}\r\n')
    return '"' + value.replace('"', '""') + '"' if odd or value == "" else value


@st.composite
def tables(draw, columns, low=0, high=6, delimiter=",", before=(), below=(), after=()):
    """Text of a CSV file with some of the columns, a few cells hostile, and now and then a torn row.

    Sound cells come from one seed: drawing each of them would take hypothesis longer than reading the file. Lines may
    stand before the header, below it and after the data.
    """
    gone = draw(st.lists(st.sampled_from(sorted(columns)), max_size=2)) if draw(st.integers(0, 3)) == 0 else []
    there = [name for name in columns if name not in gone] or list(columns)
    chance = random.Random(draw(st.integers(0, 99)))
    rows = [[chance.choice(columns[name]) for name in there] for _ in range(draw(st.integers(low, high)))]
    for at, place, cell in draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), cells), max_size=4)):
        if rows:
            rows[at % len(rows)][place % len(there)] = cell
    head = [draw(names), *there[1:]] if draw(st.integers(0, 19)) == 0 else there
    lines = [delimiter.join(quoted(cell, delimiter) for cell in row) for row in [head, *rows]]
    lines = [*before, lines[0], *below, *lines[1:], *after]
    if draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(0, len(lines) - 1))
        torn = [
            lines[at] + delimiter,
            lines[at] + f'{delimiter}""',
            lines[at] + '"',
            lines[at][:-1],
            "",
            "\x00",
            '"' + lines[at],
        ]
        lines[at] = draw(st.sampled_from(torn))
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n", "\r"]))
    return end.join(lines) + draw(st.sampled_from(["", end]))


encodings = st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "cp1252", "utf-16", "utf-32", "latin-1", "cp037"])


@st.composite
def files(draw, columns, encoding=None, **how):
    """Bytes of such a file, mostly in UTF-8 or as given, cut short now and then."""
    content = draw(tables(columns, **how))
    mostly = st.sampled_from([encoding] * 6) | encodings if encoding else encodings
    content = content.encode(draw(mostly), errors="replace")
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


# Stamps as numpy holds them, beyond all calendars too.
FAR = ["20000-01-01", "-0044-03-15", "290000-01-01", "NaT", "9999-12-31T23:59:59", "0001-01-01", "2025-01-05"]

# The same kinds as they should be; ids are told apart.
SOUND = {
    "float": [0.5, 1.0, 7.25, 30.0], "score": [0, 5, 7, 9, 10, None], "few": ["a", "b", "b"], "flag": [True, False],
    "stamp": [datetime(2024, 11, 3, 1), datetime(2025, 1, 1), datetime(2025, 6, 30, 12, 30, 5), None],
    "text": ["so slow", "very kind, thank you", "", "too expensive"],
}  # fmt: skip


@st.composite
def columns(draw, rows, kind=None):
    """A column of some kind, now and then with a value of another, as some kind of series."""
    kind = kind if kind in KINDS else draw(st.sampled_from(sorted(KINDS)))
    pool = draw(st.lists(KINDS[kind], min_size=1, max_size=4))  # drawing every cell would take hypothesis too long
    if kind == "stamp" and draw(st.integers(0, 5)) == 0:
        far = draw(st.lists(st.sampled_from(FAR), min_size=1, max_size=4))
        return pd.Series(np.resize(np.array(far, "datetime64[s]"), rows))
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
    except (TypeError, ValueError, OverflowError, DeprecationWarning):  # pandas warns of cells that are lists
        return column


def as_it_should_be(kind, rows, chance):
    """A sound column."""
    if kind == "id":
        return pd.Series([f"{i:03}" for i in range(rows)], dtype=object)
    return pd.Series([chance.choice(SOUND[kind]) for _ in range(rows)], dtype=object).infer_objects()


@st.composite
def frames(draw, sound):
    """A frame that would do (`sound`, name -> kind) with up to three columns hostile, gone, doubled or renamed."""
    rows = draw(st.sampled_from([12, 60, 3, 1, 0]))
    chance = random.Random(draw(st.integers(0, 99)))
    parts = {name: as_it_should_be(kind, rows, chance) for name, kind in sound.items()}
    for name in draw(st.lists(st.sampled_from(sorted(sound)), max_size=3)):
        if draw(st.integers(0, 5)):
            parts[name] = draw(columns(rows, sound[name] if draw(st.booleans()) else None))
        else:
            parts.pop(name, None)
    named = list(parts.items())
    if draw(st.integers(0, 9)) == 0:
        named.append((draw(names | st.sampled_from(sorted(sound))), draw(columns(rows))))
    frame = pd.concat([column.reset_index(drop=True) for _, column in named], axis=1) if named else pd.DataFrame()
    frame.columns = [name for name, _ in named]
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


def told(capsys, main, *arguments, codes=(0, 1, 2), warns=False):
    """Exit code of a command whose faults are one line each; `warns`: lines may come with success too."""
    code = main([str(argument) for argument in arguments])
    lines = capsys.readouterr().err.splitlines()
    assert code in codes, (code, lines)
    assert not [line for line in lines if "--debug shows where" in line or not line.startswith("cx: ")], lines
    assert bool(lines) or code == 0
    assert warns or code or not lines
    return code
