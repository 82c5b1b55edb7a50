"""Queueing messages set-based, inside the transaction of whoever decides that they go (the engine, a test send).

Nothing here wakes or sends: see delivery.tasks. Table names are unqualified, so that a rehearsal may shadow them.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to queue. `values` is what only this message knows ({"event": …}); contact and company are read
    when it is sent. `enrolled_on` is the participant's, or the day the message is made."""

    enrolled_on: dt.date
    content_version_id: int
    to_address: str
    contact_id: int | None = None
    flow_id: int | None = None
    step_id: uuid.UUID | None = None
    participant_id: int | None = None
    visit_number: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    is_marketing: bool = True
    is_test: bool = False
    send_at: dt.datetime | None = None


_INSERT = """
INSERT INTO delivery_message (
    tenant_id, stream_id, epoch, uuid, channel, status, reason, error, queued_at, attempts,
    enrolled_on, content_version_id, to_address, contact_id, flow_id, step_id, participant_id, visit_number,
    "values", is_marketing, is_test, send_at)
SELECT %s::bigint, %s::bigint, (SELECT epoch FROM delivery_stream WHERE tenant_id = %s AND id = %s),
    gen_random_uuid(), 'email', 'queued', '', '', %s::timestamptz, 0,
    g.enrolled_on, g.version, g.address, g.contact_id, g.flow_id, g.step_id, g.participant_id, g.visit_number,
    g.given::jsonb, g.is_marketing, g.is_test, coalesce(g.send_at, %s::timestamptz)
FROM unnest(%s::date[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::uuid[], %s::bigint[], %s::int[],
            %s::text[], %s::bool[], %s::bool[], %s::timestamptz[]) WITH ORDINALITY
    AS g(enrolled_on, version, address, contact_id, flow_id, step_id, participant_id, visit_number,
         given, is_marketing, is_test, send_at, position)
ORDER BY g.position
RETURNING id
"""


def queue_messages(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, stream_id: int, rows: Sequence[NewMessage], now: dt.datetime
) -> list[int]:
    """Insert the messages in one statement and return their ids in the order of `rows`.

    The Message-ID (uuid) is fixed here; content and address are looked at again when the message is sent.
    Raises django.db.IntegrityError / psycopg.errors.UniqueViolation for a second message of one visit.
    """
    if not rows:
        return []
    columns: list[list[Any]] = [
        [row.enrolled_on for row in rows],
        [row.content_version_id for row in rows],
        [row.to_address for row in rows],
        [row.contact_id for row in rows],
        [row.flow_id for row in rows],
        [row.step_id for row in rows],
        [row.participant_id for row in rows],
        [row.visit_number for row in rows],
        _as_json(rows),
        [row.is_marketing for row in rows],
        [row.is_test for row in rows],
        [row.send_at for row in rows],
    ]
    cursor.execute(_INSERT, [tenant_id, stream_id, tenant_id, stream_id, now, now, *columns])
    return sorted(row[0] for row in cursor.fetchall())


def _as_json(rows: Sequence[NewMessage]) -> list[str]:
    """Return the values as JSON texts; most rows of a batch share an equal, small mapping."""
    return [json.dumps(row.values, default=str).replace("\\u0000", "") if row.values else "{}" for row in rows]


def cancel_messages(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    participants: Sequence[tuple[dt.date, int]],
    reason: str,
) -> int:
    """Cancel what is queued for participants, given as (enrolled_on, id); return how many messages.

    A message that is being handed over already goes out; one that is only reserved does not.
    """
    cursor.execute(
        """
        UPDATE delivery_message m SET status = 'cancelled', reason = %s, reserved_by = NULL
        FROM unnest(%s::date[], %s::bigint[]) AS p(enrolled_on, id)
        WHERE m.tenant_id = %s AND m.enrolled_on = p.enrolled_on AND m.participant_id = p.id AND m.status = 'queued'
        """,
        [reason, [p[0] for p in participants], [p[1] for p in participants], tenant_id],
    )
    return cursor.rowcount


def cancel_messages_of_steps(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, flow_id: int, step_ids: Sequence[uuid.UUID]
) -> int:
    """Cancel what is queued at steps that were removed from a flow; return how many messages."""
    cursor.execute(
        """
        UPDATE delivery_message SET status = 'cancelled', reason = 'step_removed', reserved_by = NULL
        WHERE tenant_id = %s AND flow_id = %s AND step_id = ANY(%s::uuid[]) AND status = 'queued'
        """,
        [tenant_id, flow_id, list(step_ids)],
    )
    return cursor.rowcount
