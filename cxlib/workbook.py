"""Sheets of a workbook as CSV text, so that they are read like any other export."""

from __future__ import annotations

import csv
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from .csvfile import Form
from .errors import CxError, listed, shortened, unknown

ENDINGS = (".xlsx", ".xlsm")
LARGEST = 4 << 30  # bytes of a workbook unpacked; a full sheet of a million rows has about one


@contextmanager
def as_csv(path: Path, form: Form) -> Iterator[Path]:
    """A sheet as a passing CSV file, its cells as the form spells them: days and stamps ISO, numbers with its comma."""
    with tempfile.TemporaryDirectory(prefix="cxlib-") as folder, closing(_opened(path)) as book:
        copy = Path(folder) / "sheet.csv"
        with copy.open("w", encoding="utf-8", newline="") as target:
            csv.writer(target).writerows(_rows(_sheet(book, path, form.table), form.decimal))
        yield copy


def sheets(path: Path) -> list[str]:
    """The names of the sheets that hold anything."""
    with closing(_opened(path)) as book:
        return _filled(book)


def _opened(path: Path) -> Any:
    try:
        import openpyxl
    except ImportError:
        raise CxError(f"{path.name}: workbooks need openpyxl; install it (pip install openpyxl)") from None
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(part.file_size for part in packed.infolist()) > LARGEST:
                raise CxError(f"{path.name}: the workbook holds more than {LARGEST >> 30} GB; export the sheet as CSV")
        return openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except CxError:
        raise
    except Exception as error:  # whatever a damaged or locked workbook makes of the parser
        raise CxError(
            f"{path.name}: not a workbook that can be read ({shortened(error)}); save it as .xlsx without a password"
        ) from None


def _filled(book: Any) -> list[str]:
    there = [sheet for sheet in book.worksheets if any(any(_filled_cells(row)) for row in _head(sheet))]
    return [sheet.title for sheet in there]


def _head(sheet: Any) -> Iterable[tuple]:
    return sheet.iter_rows(max_row=20, values_only=True)


def _filled_cells(row: tuple) -> Iterator[bool]:
    return (cell is not None for cell in row)


def _sheet(book: Any, path: Path, name: str) -> Any:
    there = _filled(book)
    if name:
        if name not in there:
            raise CxError(unknown("sheet", name, there, path.name))
        return book[name]
    if len(there) != 1:
        told = f"it has {listed(there)}; name one with table" if there else "all are empty"
        raise CxError(f"{path.name}: a workbook must have one sheet with data, {told}")
    return book[there[0]]


def _rows(sheet: Any, decimal: str) -> Iterator[list[str]]:
    """The rows as text, up to the last that holds anything, each as wide as the widest cell that is filled."""
    sheet.reset_dimensions()  # what a workbook says of its own size is often wrong
    blank, width = 0, 0
    for row in sheet.iter_rows(values_only=True):
        cells = [_text(cell, decimal) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            blank += 1
            continue
        width = max(width, len(cells))
        yield from ([] for _ in range(blank))
        blank = 0
        yield cells + [""] * (width - len(cells))


def _text(cell: Any, decimal: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        return text.replace(".", decimal)
    if isinstance(cell, datetime):
        midnight = cell.time() == time()
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(cell)
