"""What an uploaded file is: its encoding and delimiter, or why it is no table of contacts. Reads, never writes.

Cost: one pass over the file at the speed of the disk; memory is one block.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

BLOCK = 1 << 20
SAMPLE = 64 * 1024
DELIMITERS = (",", ";", "\t", "|")
XLSX_MAX_BYTES = 10 << 20
XLSX_MAX_UNPACKED = 300 << 20
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0e-\x1f]")
_OTHER_KINDS = {
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file. Save it as XLSX or CSV",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\x1f\x8b": "a compressed file. Unpack it first",
    b"Rar!": "a compressed file. Unpack it first",
    b"7z\xbc\xaf": "a compressed file. Unpack it first",
    b"{\\rtf": "a Word document",
}


class NotATable(ValueError):
    """The file cannot be read as contacts; the message says what it is and what would help."""


@dataclass(frozen=True, slots=True)
class Found:
    """How to read the file."""

    format: str  # csv | xlsx
    encoding: str
    delimiter: str


def sniff(path: Path, *, name: str) -> Found:
    """Return how to read a file, or raise NotATable."""
    head = path.open("rb").read(SAMPLE)
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise NotATable("The file is empty.")
    if head.startswith(b"PK\x03\x04"):
        return _workbook(path, name)
    for start, kind in _OTHER_KINDS.items():
        if head.startswith(start):
            raise NotATable(f"This is {kind}, not a CSV file.")
    encoding = _encoding(path, head)
    sample = codecs.getincrementaldecoder(encoding)(errors="ignore").decode(head)
    _check_text(sample)
    return Found("csv", encoding, _delimiter(sample))


def _workbook(path: Path, name: str) -> Found:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            unpacked = sum(info.file_size for info in archive.infolist())
    except zipfile.BadZipFile:
        names, unpacked = set(), 0
    if "xl/workbook.xml" not in names:
        raise NotATable("This is a compressed file, not a CSV file. Unpack it first.")
    if not name.lower().endswith(".xlsx"):
        raise NotATable(
            "This is an Excel workbook that is named as a CSV file. Name it .xlsx, or save it as CSV."
        )
    if path.stat().st_size > XLSX_MAX_BYTES or unpacked > XLSX_MAX_UNPACKED:
        raise NotATable("This workbook is larger than 10 MB. Save it as CSV: that may be much larger.")
    return Found("xlsx", "utf-8", ",")


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise NotATable("The file is in UTF-32. Save it as UTF-8.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked(path, "utf-16")
    if b"\x00" in head:
        return _checked(path, _utf16_without_mark(head))
    if _decodes(path, "utf-8-sig"):
        return "utf-8-sig"
    # Western Windows text; the few bytes that it does not know make it Latin-1.
    return "cp1252" if _decodes(path, "cp1252") else "latin-1"


def _utf16_without_mark(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    raise NotATable("This is not a CSV file: it holds binary data.")


def _checked(path: Path, encoding: str) -> str:
    if not _decodes(path, encoding):
        raise NotATable("This is not a CSV file: its text is broken. Save it as CSV in UTF-8.")
    return encoding


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _check_text(sample: str) -> None:
    if len(_CONTROL.findall(sample)) > len(sample) / 200:
        raise NotATable("This is not a CSV file: it holds binary data.")
    start = sample.lstrip("\ufeff \t\r\n")[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise NotATable("This is a web page or XML, not a CSV file.")
    if start.startswith(("{", "[{")):
        raise NotATable("This is JSON, not a CSV file.")


def _delimiter(sample: str) -> str:
    scores = {delimiter: _score(sample, delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: scores[delimiter])


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    """How evenly the sample falls into columns, and into how many."""
    widths: list[int] = []
    try:
        for cells in csv.reader(io.StringIO(sample.lstrip("\ufeff"), newline=""), delimiter=delimiter):
            if cells:
                widths.append(len(cells))
            if len(widths) == 50:
                break
    except csv.Error:
        return 0.0, 0
    if len(widths) > 2:
        widths.pop()  # may be cut off by the end of the sample
    [(width, count)] = Counter(widths).most_common(1) or [(1, 0)]
    return (count / len(widths) if width > 1 else 0.0), width
