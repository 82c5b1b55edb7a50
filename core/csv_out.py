"""CSV that is safe to open in a spreadsheet: no cell of ours is ever run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

# A leading character of these makes a spreadsheet compute the cell.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


# Some spreadsheets split cells at these too, whatever the file's own delimiter: what follows would be a cell.
_LATER_START = re.compile(r"([;\t\r\n|])(?=[=+@-])")


def safe_cell(value: object) -> str:
    """Return the cell's text; what a spreadsheet would run is led by an apostrophe. Numbers stay as they are."""
    text = "" if value is None else str(value)
    if isinstance(value, (int, float, Decimal)):
        return text
    text = _LATER_START.sub(r"\1'", text)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file with a byte-order mark first, a row at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
