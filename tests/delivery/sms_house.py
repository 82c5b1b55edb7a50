"""A tenant with an SMS account, and short verbs for its SMS."""

from __future__ import annotations

import itertools
from uuid import uuid4

import pytest

from content.operations.texts import text_version
from core.db.cursors import raw_cursor
from crm.bulk import Change
from crm.models import Consent, Contact, Event
from crm.operations.contacts import create_contact
from delivery.operations.connectors import connect_sms
from delivery.queue import NewMessage, queue_messages
from delivery.sms import reply_address
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID, TOKEN, post_signed
from trial.sms_sink import sign

STEP = uuid4()
_participants = itertools.count(500_000)


@pytest.fixture(autouse=True)
def connected(house: House, alice: Person) -> None:
    with house.scope():
        connect_sms(
            account_sid=SID, auth_token=TOKEN, senders=["+4759440000", "Acme"], actor=alice.user, now=NOW
        )


def someone(house: House, mobile: str = "+4791234567", *, consent: bool = True, name: str = "Ada") -> Contact:
    """Make a contact with a number, found by it."""
    changes = [Change("contact.first_name", "set", (name,)), Change("contact.mobile", "set", (mobile,))]
    with house.scope():
        contact = create_contact(changes=changes, company_name="", now=NOW, actor_id=None)
        Consent.objects.create(contact=contact, purpose=house.purpose, given=consent, at=NOW)
    return contact


def queue(
    house: House,
    *contacts: Contact,
    text: str = "Hello {{ contact.first_name }}",
    variants: dict[str, str] | None = None,
    **fields: object,
) -> list[int]:
    """Queue one SMS each."""
    with house.scope(), raw_cursor() as cursor:
        version = text_version(
            cursor, tenant_id=house.tenant.pk, step_id=STEP, source=text, variants=variants, now=NOW
        )
        rows = [
            NewMessage(
                enrolled_on=NOW.date(), content_version_id=version, to_address=contact.mobile, contact_id=contact.pk,
                channel="sms", participant_id=next(_participants), visit_number=1, flow_id=7,
                **fields,  # type: ignore[arg-type]
            )
            for contact in contacts
        ]  # fmt: skip
        return queue_messages(
            cursor, tenant_id=house.tenant.pk, stream_id=house.stream.pk, rows=rows, now=NOW
        )


def state(house: House, message_id: int) -> tuple[str, str]:
    row = house.message(message_id)
    assert row.reserved_by is None
    return row.status, row.reason


def events(house: House) -> list[str]:
    with house.scope():
        found = Event.objects.filter(kind__regex="^(message|sms)").order_by("id")
        return list(found.values_list("kind", flat=True))


def reply(house: House, number: str, text: str, **more: str) -> int:
    address = reply_address(house.tenant.pk)
    fields = {"AccountSid": SID, "From": number, "To": "+4759440000", "Body": text, **more}
    return post_signed(address, fields, sign(TOKEN, address, fields))
