"""What recipients decide for themselves, with the token of a message: leave a type, leave all, choose, come back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from crm.events import Origin
from crm.models import Consent, Contact, SubscriptionOptOut, SubscriptionType
from crm.models.consent import E_MARKETING
from crm.operations.consent import opt_in, opt_out, record_consent
from delivery.models import Message, Stream
from delivery.tokens import MessageRef

LINK, PAGE = "Unsubscribe link", "Preference page"


class NoSuchMessage(LookupError):
    """The token names a message that is not there."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who got a message, of which type, and what they have decided so far. No contact: erased, or a test."""

    message_id: int
    sent_on: dt.date
    contact: Contact | None
    type: SubscriptionType | None
    is_test: bool
    left_type: bool
    left_all: bool


def recipient_of(ref: MessageRef) -> Recipient:
    """Return who got a message. Inside the tenant's scope; raises NoSuchMessage."""
    message = Message.objects.filter(enrolled_on=ref.enrolled_on, pk=ref.message_id).first()
    if message is None:
        raise NoSuchMessage("There is no such message.")
    stream = Stream.objects.select_related("subscription_type").filter(pk=message.stream_id).first()
    kind = stream.subscription_type if stream else None
    contact = None
    if not message.is_test and message.contact_id:
        contact = Contact.objects.filter(pk=message.contact_id, deleted_at=None).first()
    return Recipient(
        message_id=message.pk,
        sent_on=(message.handed_at or message.queued_at).date(),
        contact=contact,
        type=kind,
        is_test=message.is_test,
        left_type=bool(
            contact and kind and SubscriptionOptOut.objects.filter(contact=contact, type=kind).exists()
        ),
        left_all=contact is not None and _left_all(contact),
    )


def _left_all(contact: Contact) -> bool:
    """Say whether consent was withdrawn; never having given any is not the same."""
    return Consent.objects.filter(contact=contact, purpose__key=E_MARKETING, given=False).exists()


@transaction.atomic
def unsubscribe(*, ref: MessageRef, everything: bool, now: dt.datetime) -> Recipient:
    """Opt out of the message's type; of everything where that is asked for or the message has no type.

    A second time changes nothing. For a test message or an erased person nothing is written. Raises NoSuchMessage.
    """
    who = recipient_of(ref)
    if who.contact is None:
        return who
    if everything or who.type is None:
        _withdraw(who.contact, now, LINK)
    else:
        opt_out(
            contact_id=who.contact.pk, type_id=who.type.pk, at=now, source=LINK, origin=Origin.LINK,
            message_id=who.message_id,
        )  # fmt: skip
    return recipient_of(ref)


def _withdraw(contact: Contact, now: dt.datetime, source: str) -> None:
    if not _left_all(contact):
        record_consent(contact_id=contact.pk, given=False, at=now, source=source, origin=Origin.LINK)


@transaction.atomic
def choose(*, ref: MessageRef, wanted: Collection[int], now: dt.datetime) -> Recipient:
    """Accept exactly the types in `wanted` (ids) among those that can be chosen. Raises NoSuchMessage."""
    who = recipient_of(ref)
    if who.contact is not None:
        for kind in SubscriptionType.objects.filter(retired=False):
            change: dict[str, Any] = {
                "contact_id": who.contact.pk,
                "type_id": kind.pk,
                "at": now,
                "source": PAGE,
                "origin": Origin.LINK,
            }
            if kind.pk in wanted:
                opt_in(**change)
            else:
                opt_out(**change, message_id=who.message_id)
    return recipient_of(ref)


@transaction.atomic
def leave_all(*, ref: MessageRef, now: dt.datetime) -> Recipient:
    """Withdraw consent to e-marketing from the preference page. Raises NoSuchMessage."""
    who = recipient_of(ref)
    if who.contact is not None:
        _withdraw(who.contact, now, PAGE)
    return recipient_of(ref)


@transaction.atomic
def come_back(*, ref: MessageRef, now: dt.datetime) -> Recipient:
    """Give consent again after it was withdrawn. Raises NoSuchMessage."""
    who = recipient_of(ref)
    if who.contact is not None and who.left_all:
        record_consent(
            contact_id=who.contact.pk,
            given=True,
            at=now,
            legal_basis="Consent",
            source=PAGE,
            origin=Origin.LINK,
        )
    return recipient_of(ref)


def language_of_recipient(ref: MessageRef) -> str:
    """Return the language of the contact who got a message; "" where there is none, or it is not known."""
    message = Message.objects.filter(enrolled_on=ref.enrolled_on, pk=ref.message_id, is_test=False)
    contacts = Contact.objects.filter(pk__in=message.values("contact_id"), deleted_at=None)
    return contacts.values_list("language", flat=True).first() or ""
