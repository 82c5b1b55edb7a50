"""Puts a mail together from its parts: multipart/alternative, UTF-8, base64 (Django's own takes ten times as long).
Around it multipart/mixed where files follow; those are put behind it on the way out (delivery.files).

No value can begin a header of its own: every text that goes into one passes `header_text`.
"""

from __future__ import annotations

import binascii
import datetime as dt
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache

CRLF = "\r\n"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
# Something@something, without what ends an address or a command.
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]+@[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]+")
_LINE = 76
_EOL = b"\r\n"
_AS_BASE64 = b"; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
MAX_HEADER, MAX_NAME = 1_000, 200
# 45 bytes become 60 characters: with =?utf-8?b?…?= within 75.
_WORD_BYTES = 45
# What an encoded word has around its letters: =?utf-8?b?…?=
_AROUND = 12


class BadAddress(ValueError):
    """Not an email address that can be written to."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What goes into one mail."""

    message_id: str
    date: dt.datetime
    sender_name: str
    sender: str
    to_name: str
    to: str
    subject: str
    text: str
    html: str
    reply_to_name: str = ""
    reply_to: str = ""
    unsubscribe_url: str = ""
    feedback_id: str = ""
    # Where files follow: what stands between them. Then the mail ends open, and whoever sends it adds them.
    files_boundary: str = ""


def header_text(value: str) -> str:
    """Return a value on one line, without control characters."""
    return _CONTROL.sub(" ", value).strip()


def checked_address(value: str) -> str:
    """Return an address fit for headers and commands, its domain in ASCII; raise BadAddress."""
    if not _ADDRESS.fullmatch(value) or len(value) > 320:
        raise BadAddress("This is not an email address.")
    local, _, domain = value.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadAddress("The address's domain cannot exist.") from error
    return f"{local}@{ascii_domain}"


def assemble(mail: Mail) -> bytes:
    """Return the mail as bytes for DATA, without dot-stuffing; raise BadAddress."""
    boundary = f"=_{mail.message_id.partition('@')[0].strip('<').replace('-', '')}"
    head = f"{CRLF.join(_headers(mail))}{CRLF}MIME-Version: 1.0{CRLF}"
    if mail.files_boundary:
        outer = mail.files_boundary
        head += f'Content-Type: multipart/mixed;{CRLF} boundary="{outer}"{CRLF}{CRLF}--{outer}{CRLF}'
    begins = (
        f'{head}Content-Type: multipart/alternative;{CRLF} boundary="{boundary}"{CRLF}{CRLF}--{boundary}{CRLF}'
    ).encode()
    between = f"--{boundary}".encode()
    return b"".join(
        (begins, *_part(b"plain", mail.text), between, _EOL, *_part(b"html", mail.html), between, b"--\r\n")
    )


def _headers(mail: Mail) -> Iterator[str]:
    yield f"Date: {_date(mail.date)}"
    yield f"From: {_sender(mail.sender_name, mail.sender)}"
    yield f"To: {mailbox(mail.to_name, mail.to)}"
    if mail.reply_to:
        yield f"Reply-To: {mailbox(mail.reply_to_name, mail.reply_to)}"
    yield f"Subject: {encoded(mail.subject, used=len('Subject: '))}"
    yield f"Message-ID: {mail.message_id}"
    if mail.unsubscribe_url:
        yield f"List-Unsubscribe: <{mail.unsubscribe_url}>"
        yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    if mail.feedback_id:
        yield f"Feedback-ID: {header_text(mail.feedback_id)}"


def mailbox(name: str, address: str) -> str:
    """Return `"Name" <address>` as a header has it."""
    address = checked_address(address)
    name = header_text(name)[:MAX_NAME]
    if not name:
        return address
    fold = f"{CRLF} " if len(name) + len(address) > _LINE - 12 else " "
    if not name.isascii() or "=?" in name:
        words = encoded(name, used=10)
        # A line with an encoded word holds 76 characters (RFC 2047, section 2).
        fold = f"{CRLF} " if len(words.rpartition(CRLF)[2]) + 10 + len(address) + 3 > _LINE else " "
        return f"{words}{fold}<{address}>"
    if _ATOMS.fullmatch(name):
        return f"{name}{fold}<{address}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"{fold}<{address}>'


# One turn's mails share their moment, and their senders are few.
_date = lru_cache(maxsize=64)(format_datetime)
_sender = lru_cache(maxsize=256)(mailbox)


def encoded(value: str, *, used: int) -> str:
    """Return a header's text: as it is where it is short ASCII, else as encoded words (RFC 2047), folded."""
    value = header_text(value)[:MAX_HEADER]
    if value.isascii() and len(value) + used <= _LINE and "=?" not in value:
        return value
    return f"{CRLF} ".join(_encoded_words(value, used))


def _encoded_words(value: str, used: int) -> Iterator[str]:
    """Yield encoded words of whole characters, the first one shorter by what stands before it on its line."""
    chunk, room = b"", min(_WORD_BYTES, (_LINE - used - _AROUND) // 4 * 3)
    for char in value:
        raw = char.encode("utf-8", "replace")
        if len(chunk) + len(raw) > room:
            yield _encoded_word(chunk)
            chunk, room = b"", _WORD_BYTES
        chunk += raw
    yield _encoded_word(chunk)


def _encoded_word(raw: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(raw, newline=False).decode()}?="


def _part(kind: bytes, text: str) -> tuple[bytes, ...]:
    plain = text.replace("\r\n", "\n") if "\r" in text else text
    coded = binascii.b2a_base64(plain.replace("\n", CRLF).encode("utf-8", "replace"), newline=False)
    return b"Content-Type: text/", kind, _AS_BASE64, _EOL.join(_lines(coded)), _EOL


def _lines(coded: bytes) -> list[bytes]:
    """Return the lines of a part; cutting them by `struct` takes a third of the time that slices take."""
    whole = len(coded) // _LINE
    lines = [*struct.unpack(f"{_LINE}s" * whole, coded[: whole * _LINE])]
    return [*lines, rest] if (rest := coded[whole * _LINE :]) else lines
