"""The trial's mailbox: a folder of caught mails with an index, written by the sink and read by the mailbox pages.

One `.eml` a mail, and one JSON line a mail in `index.jsonl`. Must not know HTTP, SMTP or the database.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from pathlib import Path

KEPT = 20_000
_ID = re.compile(r"^[0-9]{20}-[0-9a-f]{6}$")


@dataclass(frozen=True)
class Summary:
    """A line of the mailbox."""

    id: str
    sender: str
    recipients: Sequence[str]
    subject: str
    received_at: dt.datetime
    size: int


@dataclass(frozen=True)
class Attachment:
    """A file that came with a mail."""

    number: int
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """One caught mail, taken apart."""

    summary: Summary
    headers: Sequence[tuple[str, str]]
    html: str
    text: str
    source: str
    attachments: Sequence[Attachment]

    def header(self, name: str) -> str:
        """Return the first header of that name, empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def header_from(self) -> str:
        """Return the sender as the mail names it."""
        return self.header("From")

    @property
    def header_reply_to(self) -> str:
        """Return where answers go, empty if to the sender."""
        return self.header("Reply-To")

    @property
    def header_date(self) -> str:
        """Return the date as the mail names it: a trial's clock may be ahead."""
        return self.header("Date")

    @property
    def one_click_url(self) -> str:
        """Return the https or http address of List-Unsubscribe if the mail offers one click (RFC 8058)."""
        if "one-click" not in self.header("List-Unsubscribe-Post").lower():
            return ""
        found = re.search(r"<(https?://[^>]+)>", self.header("List-Unsubscribe"))
        return found[1] if found else ""


class Mailbox:
    """The folder of caught mails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def _index(self) -> Path:
        return self.folder / "index.jsonl"

    def add(self, *, sender: str, recipients: Sequence[str], content: bytes) -> Summary:
        """Keep a mail; only the sink calls this, so the index has one writer."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        parsed = _parse(content)
        summary = Summary(
            id=f"{time.time_ns():020d}-{secrets.token_hex(3)}",
            sender=sender,
            recipients=tuple(recipients),
            subject=str(parsed.get("Subject", "")),
            received_at=dt.datetime.now(dt.UTC),
            size=len(content),
        )
        self._path(summary.id).write_bytes(content)
        line = json.dumps({**asdict(summary), "received_at": summary.received_at.isoformat()})
        with self._index.open("a") as handle:
            handle.write(line + "\n")
        return summary

    def summaries(self, search: str = "") -> list[Summary]:
        """Return the mails whose recipient, sender or subject holds the text, newest first."""
        wanted = search.casefold().strip()
        found = [summary for summary in self._lines() if wanted in _searchable(summary)]
        return found[::-1]

    def get(self, mail_id: str) -> Mail | None:
        """Return one mail; None if there is no such mail."""
        summary = next((one for one in self._lines() if one.id == mail_id), None)
        path = self._path(mail_id)
        if summary is None or not path.exists():
            return None
        return _take_apart(summary, path.read_bytes())

    def empty(self) -> None:
        """Throw all mails away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def prune(self) -> None:
        """Keep the newest mails only; called by the sink when it starts."""
        lines = list(self._lines())
        for old in lines[:-KEPT]:
            self._path(old.id).unlink(missing_ok=True)
        if len(lines) > KEPT:
            kept = self._index.read_text().splitlines()[-KEPT:]
            self._index.write_text("\n".join(kept) + "\n")

    def _path(self, mail_id: str) -> Path:
        return self.folder / (f"{mail_id}.eml" if _ID.match(mail_id) else "no-such-mail.eml")

    def _lines(self) -> Iterator[Summary]:
        try:
            lines = self._index.read_text().splitlines()
        except OSError:
            return
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the sink was killed in mid-line
            yield Summary(**{**entry, "received_at": dt.datetime.fromisoformat(entry["received_at"])})


def _searchable(summary: Summary) -> str:
    return " ".join([summary.subject, summary.sender, *summary.recipients]).casefold()


def _parse(content: bytes) -> EmailMessage:
    parsed = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(parsed, EmailMessage)  # noqa: S101  the default policy makes no other
    return parsed


def _take_apart(summary: Summary, content: bytes) -> Mail:
    parsed = _parse(content)
    files = [
        Attachment(
            number=number,
            name=part.get_filename() or f"attachment-{number}",
            content_type=part.get_content_type(),
            content=_raw(part),
        )
        for number, part in enumerate(parsed.iter_attachments(), start=1)
    ]
    return Mail(
        summary=summary,
        headers=[(name, str(value)) for name, value in parsed.items()],
        html=_body(parsed, "html"),
        text=_body(parsed, "plain"),
        source=content.decode("utf-8", errors="replace"),
        attachments=files,
    )


def _raw(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _body(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, KeyError):
        return "(this part says it is in a character set that does not exist)"
