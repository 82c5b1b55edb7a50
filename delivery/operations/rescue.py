"""What dead processes left behind: reserved messages go back to the queue, those in the middle become unknown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.events import NewEvent, Origin, record_events
from delivery.processes import is_dead


@dataclass(frozen=True, slots=True)
class Rescued:
    """How many messages went back to the queue, and of how many nobody knows whether they left."""

    given_back: int = 0
    unknown: int = 0


def rescue(*, tenant_id: int, now: dt.datetime) -> Rescued:
    """Settle the rows of the tenant's dead processes. Unknown ones are shown and never sent again by themselves."""
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT reserved_by FROM delivery_message WHERE tenant_id = %s AND reserved_by IS NOT NULL",
            [tenant_id],
        )
        dead = [number for (number,) in cursor.fetchall() if is_dead(cursor, number)]
        if not dead:
            return Rescued()
        cursor.execute(
            "UPDATE delivery_message SET reserved_by = NULL"
            " WHERE tenant_id = %s AND reserved_by = ANY(%s::bigint[]) AND status <> 'sending' RETURNING status",
            [tenant_id, dead],
        )
        given_back = sum(status == "queued" for (status,) in cursor.fetchall())
        cursor.execute(
            "UPDATE delivery_message SET reserved_by = NULL, status = 'unknown', reason = 'process_died',"
            " handed_at = coalesce(handed_at, %s)"
            " WHERE tenant_id = %s AND reserved_by = ANY(%s::bigint[]) AND status = 'sending'"
            " RETURNING id, contact_id, flow_id, step_id, participant_id, is_test",
            [now, tenant_id, dead],
        )
        unknown = cursor.fetchall()
        record_events(
            [_event(row, now) for row in unknown if row[1] is not None and not row[5]], cursor=cursor
        )
    return Rescued(given_back, len(unknown))


def _event(row: tuple[Any, ...], now: dt.datetime) -> NewEvent:
    message_id, contact_id, flow_id, step_id, participant_id, _ = row
    return NewEvent(
        kind="message.unknown",
        contact_id=contact_id,
        at=now,
        origin=Origin.SYSTEM,
        flow_id=flow_id,
        step_id=step_id,
        participant_id=participant_id,
        message_id=message_id,
    )
