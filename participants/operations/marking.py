"""The mark of success on people in a flow: set once, with its moment, and counted. Set-based.

With *move to Finish when met* whoever gets the mark is due at once; while the flow is paused the move waits. What means
success is the caller's to find, but for states, which are judged here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from crm.criteria.among import those_who
from flows.document import FlowDocument
from flows.models import Flow
from participants.engine.records import count_moments, count_of_flow
from participants.success import NEVER, success_sql
from participants.success_seen import keep_seen

Cursor = psycopg.Cursor[Any]


def mark_state(
    cursor: Cursor, *, flow: Flow, document: FlowDocument, contact_ids: Sequence[int], now: dt.datetime
) -> int:
    """Mark those of these contacts for whom a state criterion holds now; count them; return how many."""
    expression, params = success_sql(document, now=now)
    if expression == NEVER or not contact_ids:
        return 0
    move = document.settings.move_to_finish
    cursor.execute(
        f"""
        UPDATE participants_participant p
        SET success_at = %s, due_at = CASE WHEN %s THEN least(coalesce(p.due_at, %s), %s) ELSE p.due_at END
        WHERE p.tenant_id = %s AND p.flow_id = %s AND p.status = 'active' AND p.success_at IS NULL
          AND p.contact_id = ANY(ARRAY({those_who(expression)}))
        RETURNING p.id, p.contact_id
        """,
        [now, move, now, now, require_tenant_id(), flow.pk, list(contact_ids), require_tenant_id(), *params],
    )
    marked = cursor.fetchall()
    if marked:
        count_of_flow(cursor, flow_id=flow.pk, measure="success_met", amount=len(marked), now=now)
        keep_seen(cursor, document=document, revision=flow.revision, participants=marked, now=now)
    return len(marked)


def mark_events(
    cursor: Cursor, *, flow: Flow, document: FlowDocument, met: Mapping[int, dt.datetime], now: dt.datetime
) -> int:
    """Mark these participants, each with its moment, where there is no mark yet; count them; return how many."""
    if not met:
        return 0
    move = document.settings.move_to_finish
    cursor.execute(
        """
        UPDATE participants_participant p
        SET success_at = v.at, due_at = CASE WHEN %s THEN least(coalesce(p.due_at, %s), %s) ELSE p.due_at END
        FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(id, at)
        WHERE p.tenant_id = %s AND p.id = v.id AND p.status = 'active' AND p.success_at IS NULL
        RETURNING p.id, p.contact_id, p.success_at
        """,
        [move, now, now, list(met), list(met.values()), require_tenant_id()],
    )
    marked = cursor.fetchall()
    if marked:
        moments = [at for _, _, at in marked]
        count_moments(cursor, flow_id=flow.pk, measure="success_met", moments=moments)
        people = [(participant_id, contact_id) for participant_id, contact_id, _ in marked]
        keep_seen(cursor, document=document, revision=flow.revision, participants=people, now=now)
    return len(marked)


def hurry_marked(cursor: Cursor, *, flow: Flow, contact_ids: Sequence[int], now: dt.datetime) -> None:
    """Make due who has the mark already: *move to Finish when met* is new."""
    cursor.execute(
        """
        UPDATE participants_participant SET due_at = least(coalesce(due_at, %s), %s)
        WHERE tenant_id = %s AND flow_id = %s AND contact_id = ANY(%s::bigint[]) AND status = 'active'
          AND success_at IS NOT NULL
        """,
        [now, now, require_tenant_id(), flow.pk, list(contact_ids)],
    )
