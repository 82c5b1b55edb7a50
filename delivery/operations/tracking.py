"""What recipients do with a message: opens and clicks. Machines' are kept under kinds of their own and do not count.

Whoever holds a mail can ask for its links without end, so only so many opens and clicks of one message are recorded
in an hour; beyond that it leads on as ever and leaves nothing behind.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from core.db.cursors import raw_cursor
from core.limits import within_limit
from crm.events import NewEvent, Origin, record_events
from delivery.tokens import MessageRef

# Of each: opens, clicks, and both by machines.
MOST_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that a recipient's request names, as far as tracking needs it."""

    ref: MessageRef
    contact_id: int | None
    company_id: int | None
    is_erased: bool
    is_test: bool
    email_id: int | None
    flow_id: int | None
    step_id: UUID | None
    participant_id: int | None
    was_opened: bool

    @property
    def counts(self) -> bool:
        """Whether anything may be recorded: not for tests, not for an erased person."""
        return not self.is_test and not self.is_erased and self.contact_id is not None


SEEN_COLUMNS = """
    m.contact_id, c.company_id, c.deleted_at IS NOT NULL OR c.id IS NULL, m.is_test, m.flow_id, m.step_id,
    m.participant_id, m.first_opened_at IS NOT NULL
"""
_FIND = f"""
SELECT m.content_version_id, {SEEN_COLUMNS} FROM delivery_message m
LEFT JOIN crm_contact c ON c.tenant_id = m.tenant_id AND c.id = m.contact_id
WHERE m.tenant_id = %s AND m.enrolled_on = %s AND m.id = %s
"""
_OPENED = """
UPDATE delivery_message SET first_opened_at = coalesce(first_opened_at, %s),
    status = CASE WHEN status IN ('sent', 'delivered', 'unknown') THEN 'opened' ELSE status END
WHERE tenant_id = %s AND enrolled_on = %s AND id = %s
"""
_CLICKED = """
UPDATE delivery_message SET first_opened_at = coalesce(first_opened_at, %s),
    first_clicked_at = coalesce(first_clicked_at, %s),
    status = CASE WHEN status IN ('sent', 'delivered', 'opened', 'unknown') THEN 'clicked' ELSE status END
WHERE tenant_id = %s AND enrolled_on = %s AND id = %s
"""


def seen(ref: MessageRef, row: tuple[Any, ...], *, email_id: int | None = None) -> Seen:
    """Return what a row of SEEN_COLUMNS says."""
    contact_id, company_id, is_erased, is_test, flow_id, step_id, participant_id, was_opened = row
    return Seen(
        ref=ref, contact_id=contact_id, company_id=company_id, is_erased=is_erased, is_test=is_test,
        email_id=email_id, flow_id=flow_id, step_id=step_id, participant_id=participant_id, was_opened=was_opened,
    )  # fmt: skip


def record_open(*, ref: MessageRef, now: dt.datetime, machine: bool) -> bool:
    """Record that the message's pixel was fetched; say whether there is such a message. Inside its tenant's scope."""
    with raw_cursor() as cursor:
        cursor.execute(_FIND, [ref.tenant_id, ref.enrolled_on, ref.message_id])
        row = cursor.fetchone()
        if row is None:
            return False
        message = seen(ref, row[1:], email_id=email_of_version(row[0]))
        kind = "message.machine_opened" if machine else "message.opened"
        if not message.counts or not is_recorded(message, kind):
            return True
        if not machine:
            cursor.execute(_OPENED, [now, ref.tenant_id, ref.enrolled_on, ref.message_id])
        record_events([_event(message, kind, now, {})], cursor=cursor)
    return True


def email_of_version(version_id: int) -> int | None:
    """Return the email that a version belongs to; content lies above, so settings name who knows."""
    found: int | None = import_string(settings.DELIVERY_EMAIL_OF)(version_id)
    return found


def is_recorded(message: Seen, kind: str) -> bool:
    """Say whether one more event of this kind is recorded for the message: at most MOST_AN_HOUR of each."""
    ref = message.ref
    key = f"{kind}:{ref.tenant_id}:{ref.message_id}"
    return within_limit(key, most=MOST_AN_HOUR, seconds=3600)


def record_click(*, message: Seen, link: str, label: str, now: dt.datetime, machine: bool) -> bool:
    """Record that a link was followed; say whether it was: a person clicked, and not too often.

    A click means that an email was opened, also where images are off. An SMS is never *opened*.
    """
    kind = "message.machine_clicked" if machine else "message.clicked"
    if not message.counts or not is_recorded(message, kind):
        return False
    data = {"url": link, "label": label}
    with raw_cursor() as cursor:
        if machine:
            record_events([_event(message, kind, now, data)], cursor=cursor)
            return False
        ref = message.ref
        cursor.execute(_CLICKED, [now, now, ref.tenant_id, ref.enrolled_on, ref.message_id])
        is_known = message.was_opened or message.email_id is None
        events = [] if is_known else [_event(message, "message.opened", now, {})]
        record_events([*events, _event(message, kind, now, data)], cursor=cursor)
    return True


def _event(message: Seen, kind: str, now: dt.datetime, data: dict[str, Any]) -> NewEvent:
    return NewEvent(
        kind=kind,
        contact_id=message.contact_id or 0,
        company_id=message.company_id,
        at=now,
        origin=Origin.LINK,
        object_id=message.email_id,
        object_key=str(data.get("url", ""))[:80],
        data=data,
        flow_id=message.flow_id,
        step_id=message.step_id,
        participant_id=message.participant_id,
        message_id=message.ref.message_id,
    )
