"""Participants that leave by the hand of others: end of the flow, take out, moved to another flow. Set-based.

Closes the open visit, withdraws messages, appends counters and events, all in the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from delivery.queue import STILL_OPEN, withdrawn
from participants.engine.records import insert_deltas

_LEAVE = f"""
WITH gone AS (
    UPDATE participants_participant
    SET status = %(status)s, ended_at = %(now)s, due_at = NULL, waiting = FALSE, waits_until = NULL, held_reason = '',
        listening = FALSE, heard_at = NULL,
        drop_reason = %(reason)s, drop_values = %(values)s::jsonb
    WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[]) AND status = 'active'
    RETURNING id, flow_id, contact_id, enrolled_on, visit_number, step_id
), closed AS (
    UPDATE participants_visit v SET ended = 'left', how = %(how)s, went_at = %(now)s
    FROM gone g
    WHERE v.tenant_id = %(tenant)s AND v.enrolled_on = g.enrolled_on AND v.participant_id = g.id
      AND v.number = g.visit_number AND v.ended = ''
    RETURNING v.participant_id, v.step_id
), stopped AS (
    UPDATE delivery_message m SET {withdrawn("%(how)s")}
    FROM gone g
    WHERE m.tenant_id = %(tenant)s AND m.enrolled_on = g.enrolled_on AND m.participant_id = g.id
      AND {STILL_OPEN}
), told AS (
    INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data, flow_id,
                           participant_id)
    SELECT %(tenant)s, %(today)s, %(now)s, %(event)s, g.contact_id, 'flow', g.flow_id, %(reason)s, '{{}}'::jsonb,
           g.flow_id, g.id
    FROM gone g
)
SELECT g.flow_id, c.step_id, count(*) FROM gone g LEFT JOIN closed c ON c.participant_id = g.id GROUP BY 1, 2
"""


def leave(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    participant_ids: Sequence[int],
    now: dt.datetime,
    reason: str = "",
    values: Mapping[str, Any] | None = None,
) -> int:
    """Let active participants leave: dropped out with a reason, or cancelled where there is none. Returns how many.

    Their contacts should be locked by the caller (id order). Two statements, whatever their number.
    """
    status = "dropped" if reason else "cancelled"
    cursor.execute(
        _LEAVE,
        {
            "tenant": tenant_id,
            "ids": list(participant_ids),
            "now": now,
            "today": now.date(),
            "status": status,
            "reason": reason,
            "how": reason or status,
            "values": json.dumps(values, default=str) if values else None,
            "event": f"flow.{status}",
        },
    )
    return _count(cursor, tenant_id=tenant_id, reason=reason, now=now)


def _count(cursor: psycopg.Cursor[Any], *, tenant_id: int, reason: str, now: dt.datetime) -> int:
    by_flow: dict[int, Counter[tuple[uuid.UUID | None, str]]] = defaultdict(Counter)
    for flow_id, step_id, amount in cursor.fetchall():
        by_flow[flow_id][None, f"dropped:{reason}" if reason else "cancelled"] += amount
        if step_id is not None:
            by_flow[flow_id][step_id, f"left:{reason or 'cancelled'}"] += amount
    for flow_id, counts in by_flow.items():
        insert_deltas(cursor, tenant_id=tenant_id, flow_id=flow_id, counts=counts, now=now)
    return sum(amount for c in by_flow.values() for (step, _), amount in c.items() if step is None)


def move_out(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    flow_ids: Iterable[int],
    contact_ids: Sequence[int],
    to_flow: int,
    now: dt.datetime,
) -> int:
    """Let these contacts drop out of other flows, reason *moved to another flow*; their rows are locked already."""
    cursor.execute(
        """
        SELECT id FROM participants_participant
        WHERE tenant_id = %s AND flow_id = ANY(%s::bigint[]) AND flow_id <> %s AND contact_id = ANY(%s::bigint[])
          AND status = 'active'
        ORDER BY id FOR NO KEY UPDATE
        """,
        [tenant_id, list(flow_ids), to_flow, list(contact_ids)],
    )
    ids = [row[0] for row in cursor]
    return (
        leave(
            cursor,
            tenant_id=tenant_id,
            participant_ids=ids,
            now=now,
            reason="moved",
            values={"flow": to_flow},
        )
        if ids
        else 0
    )
