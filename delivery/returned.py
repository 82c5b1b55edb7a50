"""Reads mails that come back: delivery reports (RFC 3464) and complaints (RFC 5965, ARF). Knows no rows.

Anything else (out of office, a challenge, spam to the bounce address) says nothing. What is read is bounded: a report
stands in the first parts, the mail that came back may be of any size.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as Mail
from enum import StrEnum

# Reports stand before the original mail; whoever sends more headers than this sends no report.
MOST_BYTES = 256 * 1024
_CODE = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"\b([45])\d\d\b")
# Details of permanent failures that say nothing about the address: full mailbox, system, routing, protocol, policy.
# (RFC 3463: X.2.2 full; X.3 system, X.4 network, X.5 protocol, X.6 content, X.7 policy.)
_SOFT_SUBJECTS = frozenset({"3", "4", "5", "6", "7"})
_UNSUBSCRIBE = re.compile(r"/m/u/([A-Za-z0-9_-]{10,80})")


class Said(StrEnum):
    """What a mail that came back says."""

    DELIVERED = "delivered"
    HARD = "hard"  # the address is no good
    SOFT = "soft"  # this one did not arrive
    COMPLAINT = "complaint"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Returned:
    """What it says, in the other side's words, and the unsubscribe token of the original mail if it is in there."""

    said: Said
    words: str = ""
    unsubscribe_token: str = ""


def read_returned(content: bytes) -> Returned:
    """Return what a mail to the bounce address says. Never raises for what is in it."""
    mail = email.message_from_bytes(content[:MOST_BYTES])
    token = _token(content)
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return _complaint(part, token)
        if kind == "message/delivery-status":
            return _report(part, token)
    return Returned(Said.NOTHING)


def _complaint(part: Mail, token: str) -> Returned:
    fields = next(_blocks(part), {})
    kind = fields.get("feedback-type", "").lower()
    if kind in {"abuse", "fraud", "virus", "opt-out", "opt-out-list"}:
        return Returned(Said.COMPLAINT, f"{kind} {fields.get('user-agent', '')}".strip()[:200], token)
    return Returned(Said.NOTHING)


def _report(part: Mail, token: str) -> Returned:
    """Return the worst of what is said about recipients: each of our mails has one."""
    found = [_verdict(fields) for fields in _blocks(part) if "action" in fields]
    for said in (Said.HARD, Said.SOFT, Said.DELIVERED):
        for verdict, words in found:
            if verdict is said:
                return Returned(verdict, words, token)
    return Returned(Said.NOTHING)


def _verdict(fields: dict[str, str]) -> tuple[Said, str]:
    action = fields["action"].split()[0].lower() if fields["action"].split() else ""
    status = fields.get("status", "")
    diagnostic = fields.get("diagnostic-code", "").partition(";")[2].strip()
    words = " ".join((diagnostic or status).split())[:400]
    if action == "delivered":
        return Said.DELIVERED, words
    if action != "failed":
        # Delayed: they go on trying. Relayed and expanded: it left their sight.
        return Said.NOTHING, words
    return (Said.HARD if is_hard(status, diagnostic) else Said.SOFT), words


def is_hard(status: str, diagnostic: str) -> bool:
    """Say whether a failure means that the address itself is no good (RFC 3463 codes, else the SMTP reply)."""
    code = _CODE.search(status)
    if code is None or code.groups() == ("5", "0", "0"):
        # 5.0.0 says nothing: the server's own words may.
        code = _CODE.search(diagnostic) or code
    if code is not None:
        kind, subject, detail = code.groups()
        if kind != "5":
            return False
        return subject not in _SOFT_SUBJECTS and (subject, detail) not in {("2", "2"), ("2", "3")}
    reply = _REPLY.search(diagnostic)
    return reply is not None and reply[1] == "5"


def _blocks(part: Mail) -> Iterator[dict[str, str]]:
    """Yield the groups of fields of a machine's report, names in small letters."""
    payload = part.get_payload()
    blocks = payload if isinstance(payload, list) else [email.message_from_string(str(payload))]
    for block in blocks[:50]:
        if isinstance(block, Mail):
            yield {name.lower(): str(value) for name, value in block.items()}
            inner = block.get_payload()
            # Some put the second group into the body of the first.
            if isinstance(inner, str) and ":" in inner:
                yield {name.lower(): str(value) for name, value in email.message_from_string(inner).items()}


def _token(content: bytes) -> str:
    """Return the unsubscribe token of our own mail, as its List-Unsubscribe header has it."""
    # Unfolded: the header's line is long.
    text = re.sub(r"=\r?\n|\r?\n[ \t]+", "", content[:MOST_BYTES].decode("ascii", "replace"))
    place = re.search(r"(?im)^list-unsubscribe:.*$", text)
    found = _UNSUBSCRIBE.search(place[0]) if place else None
    return found[1] if found else ""
