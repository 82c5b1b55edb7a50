"""Erasing a person (GDPR article 17), and knowing an erased address again without keeping it.

Knows no room above: core.erasure asks each of them, by the table in the settings.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from collections.abc import Iterable
from typing import Any

import psycopg
from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.db.cursors import raw_cursor
from core.erasure import Person, erase
from core.tenancy import require_tenant_id
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, ErasedAddress, ErasureKey, MergedContact

# Places without an index for it (rejected rows, the audit log) are searched through.
_SECONDS = 60


@transaction.atomic
def erase_contact(*, contact_id: int, actor: User, now: dt.datetime) -> bool:
    """Erase a person: an empty tombstone stays, participations end, queued messages are cancelled. No way back.

    Returns False where there is no such contact or it is erased already. Waits for batches that hold the contact.
    """
    tenant_id = require_tenant_id()
    contact = Contact.objects.select_for_update(of=("self",)).filter(pk=contact_id, deleted_at=None).first()
    if contact is None:
        return False
    with raw_cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{_SECONDS}s'")
        former = set(MergedContact.objects.filter(contact=contact).values_list("email_norm", flat=True))
        erase(cursor, _person(contact, now))
        for address in sorted({contact.email_norm, *former} - {""}):
            _remember(cursor, tenant_id, address, now)
        event = NewEvent("contact.deleted", contact_id, now, Origin.USER, actor_id=actor.pk)
        record_events([event], cursor=cursor)
    write_audit(actor=actor, action="contact.erased", object_kind="contact", object_id=contact_id)
    return True


def _person(contact: Contact, now: dt.datetime) -> Person:
    # The address as it was written may differ from its normal form; whoever was merged into the contact is this person.
    known: list[Contact | MergedContact] = [contact, *MergedContact.objects.filter(contact=contact)]
    addresses = {address for one in known for address in (one.email_norm, one.email.lower())} - {""}
    return Person(
        tenant_id=require_tenant_id(),
        contact_id=contact.pk,
        now=now,
        first_name=contact.first_name,
        last_name=contact.last_name,
        addresses=tuple(sorted(addresses)),
        phones=tuple(sorted({number for one in known for number in (one.mobile, one.phone)} - {""})),
    )


def _remember(cursor: psycopg.Cursor[Any], tenant_id: int, email_norm: str, now: dt.datetime) -> None:
    key, _ = ErasureKey.objects.get_or_create(defaults={"key": secrets.token_bytes(32)})
    cursor.execute(
        "INSERT INTO crm_erasedaddress (tenant_id, digest, erased_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [tenant_id, _digest(bytes(key.key), email_norm), now],
    )


def erased_among(emails: Iterable[str]) -> set[str]:
    """Return which of these normalised addresses belonged to somebody who was erased. Two queries at most."""
    key = ErasureKey.objects.first()
    if key is None:
        return set()
    by_digest = {_digest(bytes(key.key), email): email for email in emails if email}
    found = ErasedAddress.objects.filter(digest__in=list(by_digest)).values_list("digest", flat=True)
    return {by_digest[bytes(digest)] for digest in found}


def _digest(key: bytes, email_norm: str) -> bytes:
    return hmac.digest(key, email_norm.encode(), "sha256")
