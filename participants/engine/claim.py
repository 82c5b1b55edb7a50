"""Takes the due participants of one flow, with their contacts: the contact is the mutex.

A contact is in one batch at a time and nothing waits (SKIP LOCKED), so batches cannot deadlock each other. A crash
rolls back and they are due again; there are no leases to rescue. Cost: one index range of `participant_due`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from participants.engine.moving import Moving

_COLUMNS = """
SELECT p.id, p.enrolled_on, p.contact_id, c.company_id, p.enrolled_at, p.visit_number, p.step_since,
       p.event_data, p.attempts, p.step_id, p.waiting, p.success_at, p.last_message_id, p.visit_revision,
       p.waits_until, p.heard_at, p.listening
FROM participants_participant p
JOIN {contact}
WHERE p.tenant_id = %(tenant)s AND p.flow_id = %(flow)s AND p.status = 'active'
"""
# The contact comes by a look-up of its own key, which OFFSET 0 keeps from becoming a join: in a flow that the
# statistics do not know yet the planner expects one participant, and would go through all contacts for each.
_BY_KEY = """LATERAL (
    SELECT id, company_id FROM crm_contact WHERE id = p.contact_id AND tenant_id = p.tenant_id OFFSET 0
) c ON TRUE"""
# Here the locks come after the sort, in the order of the contacts.
_JOINED = "crm_contact c ON c.tenant_id = p.tenant_id AND c.id = p.contact_id"
_CLAIM = f"""{_COLUMNS.format(contact=_BY_KEY)} AND p.due_at <= %(now)s
ORDER BY p.due_at, p.id
LIMIT %(limit)s
FOR NO KEY UPDATE OF p, c SKIP LOCKED
"""
_THESE = f"""{_COLUMNS.format(contact=_JOINED)} AND p.id = ANY(%(ids)s::bigint[])
ORDER BY c.id, p.id
FOR NO KEY UPDATE OF p, c
"""


def claim(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, flow_id: int, now: dt.datetime, limit: int
) -> list[Moving]:
    """Return up to limit due participants, locked until the transaction ends."""
    cursor.execute(_CLAIM, {"tenant": tenant_id, "flow": flow_id, "now": now, "limit": limit})
    return _moving(cursor)


def claim_these(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, flow_id: int, participant_ids: Sequence[int]
) -> list[Moving]:
    """Return these participants where they are active, due or not; waits for who holds their contacts."""
    cursor.execute(_THESE, {"tenant": tenant_id, "flow": flow_id, "ids": list(participant_ids)})
    return _moving(cursor)


def _moving(cursor: psycopg.Cursor[Any]) -> list[Moving]:
    return [
        Moving(
            id=row[0],
            enrolled_on=row[1],
            contact_id=row[2],
            company_id=row[3],
            enrolled_at=row[4],
            visit_number=row[5],
            came_at=row[6],
            event_data=row[7],
            attempts=row[8],
            step_id=row[9],
            waiting=row[10],
            success_at=row[11],
            last_message_id=row[12],
            visit_revision=row[13],
            waits_until=row[14],
            heard_at=row[15],
            listening=row[16],
        )
        for row in cursor
    ]
