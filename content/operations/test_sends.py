"""Test sends: the same way out as every message, marked, and counted nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid5

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from content.models import Email, EmailVersion, SmsVersion
from content.operations.texts import text_version
from content.rendering import LANGUAGE
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.models import Message
from delivery.operations.streams import stream_for_tests
from delivery.queue import NewMessage, queue_messages


class NothingToSend(Exception):
    """The email has no version that could be sent."""


@transaction.atomic
def send_test(
    *,
    email_id: int,
    addresses: Sequence[str],
    contact_id: int | None,
    actor: User,
    now: dt.datetime,
    language: str = "",
) -> list[int]:
    """Queue the saved version for each address, filled with one contact's values; return the message ids.

    `language` chooses a variant; without one the contact's language does, as for every message.

    The caller wakes delivery after the commit. Raises NothingToSend.
    """
    email = Email.objects.get(pk=email_id, deleted_at=None)
    if email.current_id is None:
        raise NothingToSend("Save the email without problems first: the saved version is what is sent.")
    rows = [
        NewMessage(
            enrolled_on=now.date(), content_version_id=email.current_id, to_address=address, contact_id=contact_id,
            is_test=True, values={LANGUAGE: language} if language else {},
        )
        for address in addresses
    ]  # fmt: skip
    stream = stream_for_tests()
    with raw_cursor() as cursor:
        ids = queue_messages(cursor, tenant_id=require_tenant_id(), stream_id=stream.pk, rows=rows, now=now)
    write_audit(
        actor=actor, action="email.tested", object_kind="email", object_id=email.pk, object_name=email.name,
        payload={"addresses": list(addresses)},
    )  # fmt: skip
    return ids


@transaction.atomic
def send_text_test(
    *,
    step_id: UUID,
    step_name: str,
    source: str,
    variants: Mapping[str, str],
    sender: str,
    numbers: Sequence[str],
    contact_id: int | None,
    actor: User,
    now: dt.datetime,
) -> list[int]:
    """Queue the text of an SMS step, as it stands in the panel, for each number (E.164); return the message ids.

    The text must have no problems. Its version belongs to the tests of the step: the step's own newest text, which
    goes to those who are queued already, stays what was saved. The caller wakes delivery after the commit.
    """
    tenant_id = require_tenant_id()
    stream = stream_for_tests()
    own = {"sender": sender} if sender else {}
    with raw_cursor() as cursor:
        version = text_version(
            cursor, tenant_id=tenant_id, step_id=_tests_of(step_id), source=source, now=now, variants=variants
        )
        rows = [
            NewMessage(
                enrolled_on=now.date(), content_version_id=version, to_address=number, channel="sms",
                contact_id=contact_id, is_test=True, values=own,
            )
            for number in numbers
        ]  # fmt: skip
        ids = queue_messages(cursor, tenant_id=tenant_id, stream_id=stream.pk, rows=rows, now=now)
    write_audit(
        actor=actor, action="sms.tested", object_kind="step", object_id=str(step_id), object_name=step_name,
        payload={"numbers": list(numbers)},
    )  # fmt: skip
    return ids


def _tests_of(step_id: UUID) -> UUID:
    """Return the id that stands for a step's tests among the versions of texts."""
    return uuid5(step_id, "tests")


class SentTests(list[Message]):
    """Test messages, newest first."""

    @property
    def are_under_way(self) -> bool:
        """Whether one of them, not only the newest, may still change."""
        return any(one.status in {Message.Status.QUEUED, Message.Status.SENDING} for one in self)


def recent_text_tests(step_id: UUID, *, limit: int = 5) -> SentTests:
    """Return the newest test messages of an SMS step."""
    versions = SmsVersion.objects.filter(step_id=_tests_of(step_id)).values("pk")
    found = Message.objects.filter(is_test=True, channel=Message.Channel.SMS, content_version_id__in=versions)
    return SentTests(found.order_by("-id")[:limit])


def recent_tests(email_id: int, *, limit: int = 5) -> SentTests:
    """Return the newest test messages of an email."""
    versions = EmailVersion.objects.filter(email_id=email_id).values("pk")
    found = Message.objects.filter(
        is_test=True, channel=Message.Channel.EMAIL, content_version_id__in=versions
    )
    return SentTests(found.order_by("-id")[:limit])
