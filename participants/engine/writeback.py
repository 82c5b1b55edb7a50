"""Writes the participants of a batch back in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from participants.engine.moving import Moving
from participants.engine.records import as_json

_UPDATE = """
UPDATE participants_participant AS p
SET status = v.status, step_id = v.step_id, step_since = v.step_since, waiting = v.waiting, due_at = v.due_at,
    waits_until = v.waits_until, visit_number = v.visit_number, attempts = v.attempts, held_reason = v.held_reason,
    success_at = v.success_at, ended_at = v.ended_at, drop_reason = v.drop_reason,
    drop_values = v.drop_values::jsonb, last_message_id = v.last_message_id
FROM unnest(%s::bigint[], %s::text[], %s::uuid[], %s::timestamptz[], %s::bool[], %s::timestamptz[], %s::timestamptz[],
            %s::int[], %s::smallint[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[],
            %s::bigint[])
     AS v(id, status, step_id, step_since, waiting, due_at, waits_until, visit_number, attempts, held_reason,
          success_at, ended_at, drop_reason, drop_values, last_message_id)
WHERE p.tenant_id = %s AND p.id = v.id
"""


def write_participants(cursor: psycopg.Cursor[Any], movers: Sequence[Moving], *, tenant_id: int) -> None:
    """Update every participant of the batch; one statement."""
    columns: list[list[Any]] = [
        [m.id for m in movers],
        [m.status for m in movers],
        [m.step_id for m in movers],
        [m.came_at for m in movers],
        [m.waiting for m in movers],
        [m.due_at for m in movers],
        [m.waits_until for m in movers],
        [m.visit_number for m in movers],
        [m.attempts for m in movers],
        [m.held_reason[:300] for m in movers],
        [m.success_at for m in movers],
        [m.ended_at for m in movers],
        [m.drop_reason for m in movers],
        [as_json(m.drop_values) for m in movers],
        [m.last_message_id for m in movers],
    ]
    cursor.execute(_UPDATE, [*columns, tenant_id])
