"""What a marketer does to single participants: take out, remove."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from accounts.audit import write_audit
from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.queue import cancel_messages
from flows.queries import newest_document
from participants.counters_days import take_back
from participants.models import Participant
from participants.operations.leaving import leave


class NotActive(ValueError):
    """The participant has left the flow already."""


# As if never in: the verdict that let them in goes too (*why not* would still say "enrolled"), and what the clock has
# suggested them for, or a date in their field would not bring them again. Refused suggestions were no participation.
_FORGET = """
WITH gone AS (
    DELETE FROM participants_participant WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[])
    RETURNING contact_id, suggestion_id
), unsaid AS (
    DELETE FROM participants_suggestion
    WHERE tenant_id = %(tenant)s AND id = ANY(ARRAY(SELECT suggestion_id FROM gone WHERE suggestion_id IS NOT NULL))
)
DELETE FROM participants_clockfire
WHERE tenant_id = %(tenant)s AND trigger_id = ANY(%(triggers)s::uuid[])
  AND contact_id = ANY(ARRAY(SELECT contact_id FROM gone))
"""


def locked(cursor: psycopg.Cursor[Any], *, flow_id: int, participant_ids: Sequence[int]) -> list[int]:
    """Lock the contacts first (the contact is the mutex), then return the participants of this flow that exist."""
    cursor.execute(
        """
        SELECT p.id FROM participants_participant p
        JOIN crm_contact c ON c.tenant_id = p.tenant_id AND c.id = p.contact_id
        WHERE p.tenant_id = %s AND p.flow_id = %s AND p.id = ANY(%s::bigint[])
        ORDER BY c.id, p.id FOR NO KEY UPDATE OF c, p
        """,
        [require_tenant_id(), flow_id, list(participant_ids)],
    )
    return [row[0] for row in cursor]


def take_out(*, flow_id: int, participant_ids: Sequence[int], actor: User, now: dt.datetime) -> int:
    """Let active participants drop out, reason *removed by a user*; the record is kept. Returns how many."""
    with raw_cursor() as cursor:
        ids = locked(cursor, flow_id=flow_id, participant_ids=participant_ids)
        taken = leave(
            cursor,
            tenant_id=require_tenant_id(),
            participant_ids=ids,
            now=now,
            reason=Participant.DropReason.REMOVED_BY_USER,
            values={"user": actor.pk},
        )
    if taken:
        audit(actor, "participant.taken_out", flow_id, ids)
    return taken


def remove_from_flow(*, flow_id: int, participant_ids: Sequence[int], actor: User, now: dt.datetime) -> int:
    """Erase participations as if they had never been, for the past too; the audit log keeps that it was done.

    What was sent stays on the contact's timeline; queued messages are cancelled. Returns how many were erased.
    """
    tenant_id = require_tenant_id()
    with raw_cursor() as cursor:
        ids = locked(cursor, flow_id=flow_id, participant_ids=participant_ids)
        if not ids:
            return 0
        leave(cursor, tenant_id=tenant_id, participant_ids=ids, now=now, reason="removed_by_user")
        # Also what is still open of those who had finished.
        people = list(Participant.objects.filter(pk__in=ids).values_list("enrolled_on", "pk"))
        cancel_messages(cursor, tenant_id=tenant_id, participants=people, reason="removed_by_user")
        take_back(cursor, tenant_id=tenant_id, participant_ids=ids)
        cursor.execute(
            """
            DELETE FROM participants_visit v USING participants_participant p
            WHERE p.tenant_id = %(tenant)s AND p.id = ANY(%(ids)s::bigint[]) AND v.tenant_id = p.tenant_id
              AND v.enrolled_on = p.enrolled_on AND v.participant_id = p.id
            """,
            {"tenant": tenant_id, "ids": ids},
        )
        cursor.execute(
            # By the timelines of their contacts: nothing finds events by participant.
            """
            DELETE FROM crm_event WHERE tenant_id = %(tenant)s AND participant_id = ANY(%(ids)s::bigint[])
              AND kind LIKE 'flow.%%' AND contact_id = ANY(array(
                  SELECT p.contact_id FROM participants_participant p
                  WHERE p.tenant_id = %(tenant)s AND p.id = ANY(%(ids)s::bigint[])))
            """,
            {"tenant": tenant_id, "ids": ids},
        )
        triggers = [trigger.id for trigger in newest_document(flow_id).triggers]
        cursor.execute(_FORGET, {"tenant": tenant_id, "triggers": triggers, "ids": ids})
    audit(actor, "participant.removed", flow_id, ids)
    return len(ids)


def audit(actor: User, action: str, flow_id: int, ids: Sequence[int]) -> None:
    """Write what was done to whom; of a large number the first thousand."""
    write_audit(
        actor=actor,
        action=action,
        object_kind="flow",
        object_id=str(flow_id),
        payload={"participants": list(ids)[:1000], "number": len(ids)},
    )
