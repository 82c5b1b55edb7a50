"""Messages that were given up, to try again once what was wrong has been mended; and those of which nobody knows
whether they arrived, for people to decide about: nothing of that happens by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import write_audit
from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact
from delivery.models import Message
from delivery.operations.tracking import email_of_version

# Given up for good or after many tries. What may have arrived (unknown) is never sent again.
GIVEN_UP = (Message.Status.FAILED, Message.Status.SOFT_BOUNCED)
UNKNOWN = (Message.Status.UNKNOWN,)
# How many one press takes up again.
MOST = 5_000
_AGAIN = """
WITH chosen AS MATERIALIZED (
    SELECT enrolled_on, id FROM delivery_message
    WHERE tenant_id = %(tenant)s AND status = ANY(%(statuses)s::text[]) AND NOT is_test AND to_address <> ''
      AND withdrawn = ''
      AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
    ORDER BY id DESC LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED)
UPDATE delivery_message m SET status = 'queued', reason = '', error = '', attempts = 0, send_at = %(now)s
FROM chosen WHERE m.tenant_id = %(tenant)s AND m.enrolled_on = chosen.enrolled_on AND m.id = chosen.id
"""
_ARRIVED = """
WITH chosen AS MATERIALIZED (
    SELECT enrolled_on, id FROM delivery_message
    WHERE tenant_id = %(tenant)s AND status = 'unknown' AND NOT is_test AND to_address <> ''
      AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
    ORDER BY id DESC LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED)
UPDATE delivery_message m SET reason = '', error = '', status = CASE WHEN m.first_clicked_at IS NOT NULL THEN 'clicked'
    WHEN m.first_opened_at IS NOT NULL THEN 'opened' ELSE 'sent' END
FROM chosen WHERE m.tenant_id = %(tenant)s AND m.enrolled_on = chosen.enrolled_on AND m.id = chosen.id
RETURNING m.id, m.contact_id, m.flow_id, m.step_id, m.participant_id, m.content_version_id, m.channel
"""


def undelivered() -> QuerySet[Message]:
    """Return the messages that can be tried again. Neither what may have arrived (unknown) is among them, nor what was
    withdrawn: its participant has left the flow or reached its goal, or its step is gone."""
    return Message.objects.filter(status__in=GIVEN_UP, is_test=False, withdrawn="").exclude(to_address="")


def unconfirmed() -> QuerySet[Message]:
    """Return the messages that were handed over, or nearly, and of which nothing was heard since."""
    return Message.objects.filter(status__in=UNKNOWN, is_test=False).exclude(to_address="")


def try_again(*, ids: Sequence[int] | None, actor: User, now: dt.datetime) -> int:
    """Queue the given messages that were given up again (None: all, the newest MOST); return how many.

    Consent, blocks, the flow's state and everything else is checked again when they go. Twice at once queues once; who
    leaves the flow at the same moment gets nothing, whichever of the two comes first.
    """
    return _queue_again(GIVEN_UP, ids=ids, action="messages.tried_again", actor=actor, now=now)


def send_unconfirmed_again(*, ids: Sequence[int], actor: User, now: dt.datetime) -> int:
    """Queue the given unknown messages again, because somebody decided so: who has got one already gets it twice.

    Everything is checked again as in `try_again`; return how many.
    """
    return _queue_again(UNKNOWN, ids=ids, action="messages.sent_again", actor=actor, now=now)


@transaction.atomic
def count_as_sent(*, ids: Sequence[int] | None, actor: User, now: dt.datetime) -> int:
    """Take the given unknown messages (None: all, the newest MOST) for sent; return how many.

    For flows and criteria they were got from now on. What becomes known of them later still counts.
    """
    with raw_cursor() as cursor:
        cursor.execute(_ARRIVED, {"tenant": require_tenant_id(), "ids": _listed(ids), "most": MOST})
        rows = cursor.fetchall()
        companies = dict(
            Contact.objects.filter(pk__in={row[1] for row in rows if row[1]}, deleted_at=None).values_list(
                "pk", "company_id"
            )
        )
        emails = {version: email_of_version(version) for version in {row[5] for row in rows}}
        record_events(
            [_sent(row, companies, emails, now) for row in rows if row[1] in companies], cursor=cursor
        )
    _note("messages.counted_as_sent", len(rows), actor)
    return len(rows)


def _sent(
    row: tuple[Any, ...],
    companies: Mapping[int, int | None],
    emails: Mapping[int, int | None],
    now: dt.datetime,
) -> NewEvent:
    message_id, contact_id, flow_id, step_id, participant_id, version_id, channel = row
    is_email = channel == Message.Channel.EMAIL
    return NewEvent(
        kind="message.sent",
        contact_id=contact_id,
        company_id=companies[contact_id],
        at=now,
        origin=Origin.USER,
        object_id=emails[version_id] if is_email else None,
        data={} if is_email else {"channel": channel},
        flow_id=flow_id,
        step_id=step_id,
        participant_id=participant_id,
        message_id=message_id,
    )


@transaction.atomic
def _queue_again(
    statuses: Sequence[str], *, ids: Sequence[int] | None, action: str, actor: User, now: dt.datetime
) -> int:
    chosen = {
        "tenant": require_tenant_id(), "statuses": [str(one) for one in statuses], "ids": _listed(ids), "most": MOST,
        "now": now,
    }  # fmt: skip
    with raw_cursor() as cursor:
        cursor.execute(_AGAIN, chosen)
        number = cursor.rowcount
    _note(action, number, actor)
    return number


def _listed(ids: Sequence[int] | None) -> list[int] | None:
    return None if ids is None else list(ids)


def _note(action: str, number: int, actor: User) -> None:
    if number:
        write_audit(
            actor=actor, action=action, object_kind="messages", object_id=0,
            object_name=f"{number} message{'' if number == 1 else 's'}", payload={"number": number},
        )  # fmt: skip
