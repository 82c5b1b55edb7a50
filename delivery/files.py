"""Files that go with mails: a mail carries a reference, never the bytes. Encoded once per thread and set of files.

A thread holds the encoding of one set at a time (25 MB become 34 MB of base64), whatever the number of mails that it
is about to send. Where the bytes come from is the renderer's affair: content lies above.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP

from dkim.canonicalization import Relaxed

CRLF = b"\r\n"
# Reads a file piece by piece; every piece but the last is whole lines of base64: a multiple of 57 bytes.
Reader = Callable[[int, int], Iterator[bytes]]


class FilesLost(Exception):
    """A file is not there as it was attached."""


@dataclass(frozen=True, slots=True)
class MailFile:
    """One file: its name for the recipient, its media type, its bytes' number with the renderer and how many."""

    name: str
    kind: str
    file_id: int
    size: int


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files of one version of an email, in their order."""

    tenant_id: int
    files: tuple[MailFile, ...]
    read: Reader = field(compare=False, repr=False)

    @property
    def boundary(self) -> str:
        """What stands between the parts of a mail: the same for all mails with these files, so that their encoding is
        the same to the byte. No line of base64 can look like it."""
        named = hashlib.sha256(repr((self.tenant_id, self.files)).encode())
        return f"=_files_{named.hexdigest()[:40]}"

    @property
    def size(self) -> int:
        """About how many bytes they are in a mail."""
        return sum(file.size * 78 // 57 + 400 for file in self.files)

    def bytes_of(self, file: MailFile) -> Iterator[bytes]:
        """Yield a file's own bytes. Raises FilesLost where there are fewer or more than were attached."""
        seen = 0
        for piece in self.read(self.tenant_id, file.file_id):
            seen += len(piece)
            yield piece
        if seen != file.size:
            raise FilesLost(f"The attachment “{file.name}” is gone.")


class _Held(threading.local):
    """What a thread holds: threads that share a turn may send different files."""

    files: FileSet | None = None
    pieces: tuple[bytes, ...] = ()


_held = _Held()


def encoded(files: FileSet) -> tuple[bytes, ...]:
    """Return the end of every mail with these files, ready for the wire: base64, CRLF, no line that begins with a dot.

    It is relaxed as DKIM takes it (RFC 6376, 3.4.4): hashing needs nothing but the bytes. Raises FilesLost.
    """
    if _held.files != files:
        let_go()  # first, so that two are never held
        _held.pieces = tuple(_encode(files))
        _held.files = files
    return _held.pieces


def let_go() -> None:
    """Forget the encoding that this thread holds."""
    _held.files, _held.pieces = None, ()


def decoded(files: FileSet) -> Iterator[tuple[MailFile, bytes]]:
    """Yield each file with its own bytes, for those who take no MIME. Raises FilesLost."""
    contents: list[list[bytes]] = []
    for piece in encoded(files):
        if piece.startswith(b"--"):
            contents.append([])
        else:
            contents[-1].append(binascii.a2b_base64(piece))
    for file, pieces in zip(files.files, contents, strict=False):
        yield file, b"".join(pieces)


def _encode(files: FileSet) -> Iterator[bytes]:
    boundary = files.boundary.encode()
    for file in files.files:
        yield b"--" + boundary + CRLF + bytes(Relaxed.canonicalize_body(_head(file))) + CRLF
        for piece in files.bytes_of(file):
            yield base64.encodebytes(piece).replace(b"\n", CRLF)
    yield b"--" + boundary + b"--" + CRLF


def _head(file: MailFile) -> bytes:
    """Return a part's headers; names that are not plain ASCII, or long, as RFC 2231 has it."""
    part = EmailMessage(policy=SMTP)
    part["Content-Type"] = file.kind
    part["Content-Transfer-Encoding"] = "base64"
    part.add_header("Content-Disposition", "attachment", filename=file.name)
    return bytes(part).replace(b"\r\n\r\n", CRLF)
