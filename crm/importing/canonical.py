"""Every upload becomes one UTF-8 CSV with "\\n" between lines, and is read from any byte of a record's beginning.

Cost: one pass; memory is one block, or one row of a workbook.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl

from crm.importing.sniff import BLOCK, Found, NotATable

LONGEST_LINE = 1 << 20
MOST_COLUMNS = 300


class BrokenRow(ValueError):
    """A row that cannot be told from the next: most often a quote that is never closed."""


def make_canonical(source: Path, target: Path, found: Found) -> None:
    """Write the file anew as UTF-8 CSV."""
    if found.format == "xlsx":
        _from_workbook(source, target)
        return
    decoder = codecs.getincrementaldecoder(found.encoding)(errors="replace")
    # Handles \r\n that falls apart between two blocks, and the lone \r of old files.
    newlines = io.IncrementalNewlineDecoder(decoder, translate=True)
    with source.open("rb") as old, target.open("w", encoding="utf-8", newline="") as new:
        first = True
        while block := old.read(BLOCK):
            text = str(newlines.decode(block)).replace("\x00", "")
            new.write(text.removeprefix("\ufeff") if first else text)
            first = False
        new.write(str(newlines.decode(b"", final=True)))


def _from_workbook(source: Path, target: Path) -> None:
    try:
        with source.open("rb") as old, target.open("w", encoding="utf-8", newline="") as new:
            book = openpyxl.load_workbook(old, read_only=True, data_only=True)
            sheet = book.worksheets[0]
            writer = csv.writer(new, lineterminator="\n")
            for row in sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True):
                cells = [_cell(value) for value in row]
                while cells and not cells[-1]:
                    cells.pop()
                writer.writerow(cells)
            book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError) as error:
        raise NotATable("The workbook cannot be read. Save it again as XLSX, or as CSV.") from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return re.sub(r"\r\n?", "\n", str(value)).replace("\x00", "")


def records(path: Path, *, delimiter: str, offset: int = 0) -> Iterator[tuple[list[str], int]]:
    """Yield each record's cells and the byte at which the next record begins; blank lines are passed over.

    Raises BrokenRow where a record has no end.
    """
    with path.open("rb") as file:
        file.seek(offset)
        place = offset

        def lines() -> Iterator[str]:
            nonlocal place
            while line := file.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise BrokenRow("A line is longer than a million characters.")
                place += len(line)
                yield line.decode("utf-8")

        reader = csv.reader(lines(), delimiter=delimiter)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise BrokenRow("A cell is too long: is there a quote that is never closed?") from error
            if cells is None:
                return
            if cells:
                yield cells, place
