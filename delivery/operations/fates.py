"""What becomes known of an email after it was handed over: delivered, came back, marked as spam.

Told by bounce mails and providers alike. Each may come twice, late, or in the wrong order; a later fact never becomes
an earlier one, and nothing is ever sent again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from core.text import norm_email
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact
from crm.operations.consent import record_consent
from delivery.models import BlockedAddress, Message
from delivery.queries import came_back_again
from delivery.returned import Said
from delivery.tokens import MessageRef

Status, Reason = Message.Status, BlockedAddress.Reason
_OUT = frozenset({Status.SENDING, Status.SENT, Status.UNKNOWN})
# From which states each fact still moves a message on.
_MOVES: Mapping[Said, tuple[str, frozenset[str]]] = {
    Said.DELIVERED: (Status.DELIVERED, _OUT),
    Said.SOFT: (Status.SOFT_BOUNCED, _OUT | {Status.DELIVERED}),
    # Also after an open: scanners open what nobody gets.
    Said.HARD: (Status.BOUNCED, _OUT | {Status.DELIVERED, Status.OPENED, Status.SOFT_BOUNCED}),
    Said.COMPLAINT: (Status.COMPLAINED, _OUT | {Status.DELIVERED, Status.OPENED, Status.CLICKED}),
}


@transaction.atomic
def note_fate(*, ref: MessageRef, said: Said, words: str, now: dt.datetime) -> bool:
    """Write down what became of an email; say whether that changed anything. Inside its tenant's scope.

    A hard bounce, or five in a row, blocks the address; a complaint takes consent away and blocks it. Tests and
    erased people: the message's own state alone.
    """
    if said is Said.NOTHING:
        return False
    found = Message.objects.select_for_update(no_key=True)
    message = found.filter(
        enrolled_on=ref.enrolled_on, pk=ref.message_id, channel=Message.Channel.EMAIL
    ).first()
    status, moves = _MOVES[said]
    if message is None or message.status not in moves:
        return False
    erased = not message.to_address
    message.status, message.error = status, "" if erased or said is Said.DELIVERED else words[:500]
    message.reason = "" if said in {Said.DELIVERED, Said.COMPLAINT} else "came_back"
    rows = Message.objects.filter(enrolled_on=message.enrolled_on, pk=message.pk)
    rows.update(status=message.status, reason=message.reason, error=message.error)
    if not erased and not message.is_test:
        _follow(message, said, now)
    return True


def _follow(message: Message, said: Said, now: dt.datetime) -> None:
    """Tell the contact's timeline, block the address, take consent away."""
    contact = Contact.objects.filter(pk=message.contact_id or 0, deleted_at=None).only("company_id").first()
    if contact is not None:
        record_events([_event(message, contact, f"message.{message.status}", now)])
    reason = _blocks(message, said)
    if reason:
        _, made = BlockedAddress.objects.get_or_create(
            address_norm=norm_email(message.to_address),
            defaults={"reason": reason, "detail": message.error, "at": now, "message_id": message.pk},
        )
        if made and contact is not None:
            record_events([_event(message, contact, "address.blocked", now, reason=reason)])
    if said is Said.COMPLAINT and contact is not None:
        record_consent(
            contact_id=contact.pk, given=False, at=now, source="Marked as spam", origin=Origin.SYSTEM
        )


def _blocks(message: Message, said: Said) -> str:
    """Return the reason to block the address for, or nothing."""
    if said is Said.HARD:
        return Reason.HARD_BOUNCE
    if said is Said.COMPLAINT:
        return Reason.COMPLAINT
    if said is Said.SOFT and came_back_again(contact_id=message.contact_id, address=message.to_address):
        return Reason.REPEATED_BOUNCES
    return ""


def _event(message: Message, contact: Contact, kind: str, now: dt.datetime, *, reason: str = "") -> NewEvent:
    data = {"reason": reason or message.reason, "error": message.error[:200]}
    return NewEvent(
        kind=kind,
        contact_id=contact.pk,
        company_id=contact.company_id,
        at=now,
        origin=Origin.FLOW if message.flow_id else Origin.SYSTEM,
        data={key: value for key, value in data.items() if value},
        flow_id=message.flow_id,
        step_id=message.step_id,
        participant_id=message.participant_id,
        message_id=message.pk,
    )
