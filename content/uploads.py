"""Files that people outside send with a form: what they are is told from their bytes, never from their name. Pure.

Nothing here is opened, drawn or run. Whoever reads a file later gets it as a download (content.views.submissions).
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext, gettext_noop

LARGEST_MB = 10
MOST_FILES = 5
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "pdf", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF87a", "gif", "image/gif"),
    (b"GIF89a", "gif", "image/gif"),
)
# What a zip holds that is a document, and what that is called.
_OFFICE = (
    ("word/document.xml", "docx"), ("xl/workbook.xml", "xlsx"), ("ppt/presentation.xml", "pptx"),
)  # fmt: skip
_OPEN_DOCUMENT = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}
WORDS = gettext_noop("PDF, JPEG, PNG, GIF, WebP, Word, Excel, PowerPoint, OpenDocument and plain text")


class UploadRefused(ValueError):
    """The file is not taken; the message is for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to keep. `kind` is its media type; the name ends as its kind does."""

    name: str
    kind: str
    data: bytes


def read_upload(file: IO[bytes], *, name: str, size: int, most_mb: int = LARGEST_MB) -> Upload:
    """Return the file, or raise UploadRefused."""
    if size > most_mb * 1024 * 1024:
        raise UploadRefused(gettext("The file is larger than %(most)s MB.") % {"most": most_mb})
    file.seek(0)
    data = file.read()
    if not data:
        raise UploadRefused(gettext("The file is empty."))
    ending, kind = _told(data)
    return Upload(_named(name, ending), kind, data)


def _told(data: bytes) -> tuple[str, str]:
    for start, ending, kind in _STARTS:
        if data.startswith(start):
            return ending, kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp", "image/webp"
    if data.startswith(b"PK\x03\x04"):
        return _document(data)
    if _is_text(data):
        return "txt", "text/plain"
    raise _not_taken()


def _not_taken() -> UploadRefused:
    words = gettext("This kind of file is not taken. Send one of these: %(kinds)s.") % {
        "kinds": gettext(WORDS)
    }
    return UploadRefused(words)


def _document(data: bytes) -> tuple[str, str]:
    """Return what an archive is, if it is a document without macros; nothing is unpacked but the name of its kind."""
    refused = _not_taken()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                ending = _OPEN_DOCUMENT.get(archive.read("mimetype").strip())
                if ending:
                    return ending, "application/vnd.oasis.opendocument"
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise refused from error
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        raise refused
    for part, ending in _OFFICE:
        if part in names:
            return ending, "application/vnd.openxmlformats-officedocument"
    raise refused


def _is_text(data: bytes) -> bool:
    """Say whether it is plain text; what a browser would take for a page or a drawing is none."""
    if b"\0" in data:
        return False
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not re.match(r"\s*(?:<[!?a-z]|#!)", text.removeprefix("\ufeff"), re.IGNORECASE)


def _named(name: str, ending: str) -> str:
    """Return a plain name without folders, control characters and tricks of direction, with its true ending."""
    last = re.split(r"[/\\]", name)[-1]
    clean = re.sub(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\"<>|:*?]", "", last).strip(" .")
    stem, dot, given = clean.rpartition(".")
    stem = stem if dot else clean
    if ending == "txt" and given.lower() in {"csv", "md", "log"}:
        ending = given.lower()
    return f"{(stem or 'file')[:100]}.{ending}"
