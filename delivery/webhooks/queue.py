"""Queueing webhooks set-based, inside the engine's transaction. Nothing here wakes or sends."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from crm.events import as_json

_INSERT = """
INSERT INTO delivery_outgoingwebhook (tenant_id, stream_id, epoch, uuid, status, flow_id, step_id, contact_id,
    participant_id, visit_number, content_version_id, "values", queued_at, due_at, attempts, error)
SELECT s.tenant_id, s.id, s.epoch, g.uuid, 'queued', %s, %s, g.contact_id, g.participant_id, g.visit_number, %s,
    g.given::jsonb, %s, %s, 0, ''
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::int[], %s::text[])
     AS g(uuid, contact_id, participant_id, visit_number, given), delivery_stream s
WHERE s.tenant_id = %s AND s.id = %s
"""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A request to make for one visit. `event` is what the trigger's event carried."""

    contact_id: int
    participant_id: int
    visit_number: int
    event: Mapping[str, Any] = field(default_factory=dict)


def queue_webhooks(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    stream_id: int,
    flow_id: int,
    step_id: uuid.UUID,
    content_version_id: int,
    rows: Sequence[NewWebhook],
    now: dt.datetime,
) -> None:
    """Insert the requests in one statement; the flow's stream holds them, or lets them go.

    Raises psycopg.errors.UniqueViolation for a second one of a visit.
    """
    cursor.execute(
        _INSERT,
        [
            flow_id,
            step_id,
            content_version_id,
            now,
            now,
            [uuid.uuid4() for _ in rows],
            [row.contact_id for row in rows],
            [row.participant_id for row in rows],
            [row.visit_number for row in rows],
            [as_json({"event": row.event}) for row in rows],
            tenant_id,
            stream_id,
        ],
    )


def cancel_webhooks_of_steps(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, flow_id: int, step_ids: Sequence[uuid.UUID]
) -> int:
    """Cancel what is queued at steps that were removed from a flow; return how many."""
    cursor.execute(
        """
        UPDATE delivery_outgoingwebhook SET status = 'cancelled', error = 'The step was removed.'
        WHERE tenant_id = %s AND flow_id = %s AND step_id = ANY(%s::uuid[]) AND status = 'queued'
        """,
        [tenant_id, flow_id, list(step_ids)],
    )
    return cursor.rowcount
