"""Who a message is from and where replies go: one address, or the contact's own people with a fallback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.models import Tenant
from delivery.domains import SenderDomains
from delivery.models import Stream
from delivery.recheck import Candidate, Person


@dataclass(frozen=True, slots=True)
class Addresses:
    """From and reply-to of one message; no reply_to means the header is left out."""

    sender: Person
    reply_to: Person | None


def fallback_sender(stream: Stream, tenant: Tenant) -> Person:
    """Return the stream's own name and address, else the tenant's, else the installation's."""
    given = _part(stream, "sender")
    email = given.get("email") or tenant.from_email or settings.DEFAULT_FROM_EMAIL
    return Person(given.get("name") or tenant.from_name or tenant.name, email)


def addresses(candidate: Candidate, stream: Stream, tenant: Tenant, domains: SenderDomains) -> Addresses:
    """Return from and reply-to for one message.

    A colleague's address on a domain that is not verified is replaced by the fallback; replies still reach them.
    """
    people = {"our_contact": candidate.our_contact, "service_contact": candidate.service_contact}
    fallback = fallback_sender(stream, tenant)
    wanted = people.get(_part(stream, "sender").get("source", "fixed")) or fallback
    sender = wanted if domains.may_send(wanted.email) else fallback
    reply = _part(stream, "reply_to")
    source = reply.get("source", "same")
    if source in {"same", "none"}:
        return Addresses(sender, wanted if source == "same" and wanted is not sender else None)
    given = Person(reply.get("name") or "", reply["email"]) if reply.get("email") else None
    return Addresses(sender, people.get(source) or given)


def _part(stream: Stream, name: str) -> dict[str, Any]:
    part = stream.sender.get(name)
    return part if isinstance(part, dict) else {}
