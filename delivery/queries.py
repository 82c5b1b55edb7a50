"""Reads of delivery that other rooms need."""

from __future__ import annotations

import datetime as dt

from core.db.cursors import raw_cursor
from delivery.models import Message

Status = Message.Status
# How many in a row must come back before an address is blocked.
IN_A_ROW = 5


def tenants_with_due_webhooks(now: dt.datetime) -> list[int]:
    """Return the tenants with webhooks to send, or that a dead process held. As `tenants_with_due_messages`."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT delivery_due_webhooks(%s)", [now])
        return [row[0] for row in cursor.fetchall()]


def tenants_with_domains_to_check(now: dt.datetime) -> list[int]:
    """Return the tenants with sender domains to look at again. `now` is the real time; needs no tenant scope."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT delivery_domains_to_check(%s)", [now])
        return [row[0] for row in cursor.fetchall()]


def tenants_with_due_messages(now: dt.datetime) -> list[int]:
    """Return the tenants with messages that may go, must be cancelled, or belong to a dead process.

    `now` is the real time; the database function adds each trial's own offset. Needs no tenant scope.
    """
    with raw_cursor() as cursor:
        cursor.execute("SELECT delivery_due_tenants(%s)", [now])
        return [row[0] for row in cursor.fetchall()]


def came_back_again(*, contact_id: int | None, address: str) -> bool:
    """Say whether the last IN_A_ROW messages that went to this address all came back."""
    over = Message.objects.filter(contact_id=contact_id, to_address=address, is_test=False)
    over = over.exclude(status__in=[Status.QUEUED, Status.SENDING, Status.CANCELLED, Status.BLOCKED])
    statuses = list(over.order_by("-id").values_list("status", flat=True)[:IN_A_ROW])
    return len(statuses) == IN_A_ROW and set(statuses) <= {Status.SOFT_BOUNCED, Status.BOUNCED}
