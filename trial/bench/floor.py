"""The floor: the same row changes as the six-step flow, written by hand as SQL, without guards, documents or Python.

Same tables, same indexes, same row-level security, same batches. What the engine is compared with.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class FloorWork:
    """What one floor worker needs: whose flow, its steps in order, and where messages and branches point."""

    tenant_id: int
    flow_id: int
    stream_id: int
    version_id: int
    steps: tuple[uuid.UUID, ...]
    branch: uuid.UUID
    limit: int
    now: dt.datetime


_CLAIM = """
SELECT p.id, p.enrolled_on, p.contact_id FROM participants_participant p
JOIN crm_contact c ON c.tenant_id = p.tenant_id AND c.id = p.contact_id
WHERE p.tenant_id = %(tenant)s AND p.flow_id = %(flow)s AND p.status = 'active' AND p.due_at <= %(now)s
ORDER BY p.due_at, p.id LIMIT %(limit)s FOR NO KEY UPDATE OF p, c SKIP LOCKED
"""
_UPDATE_CONTACTS = """
UPDATE crm_contact SET {column} = %(value)s, updated_at = %(now)s
WHERE tenant_id = %(tenant)s AND id = ANY(%(contacts)s)
"""
_EVENTS = """
WITH written AS (
    INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data, flow_id)
    SELECT %(tenant)s, %(today)s, %(now)s, %(kind)s, id, 'flow', %(flow)s, '', %(data)s::jsonb, %(flow)s
    FROM unnest(%(contacts)s::bigint[]) id
    RETURNING id, day, contact_id, kind
)
INSERT INTO crm_eventinbox (tenant_id, event_id, day, contact_id, kind)
SELECT %(tenant)s, id, day, contact_id, kind FROM written WHERE %(inbox)s
"""
_MESSAGES = """
INSERT INTO delivery_message (tenant_id, enrolled_on, uuid, channel, status, reason, error, stream_id, contact_id,
    flow_id, step_id, participant_id, visit_number, content_version_id, to_address, "values", is_marketing, is_test,
    queued_at, send_at, attempts, epoch)
SELECT %(tenant)s, v.enrolled_on, gen_random_uuid(), 'email', 'queued', '', '', %(stream)s, c.id, %(flow)s, %(step)s,
       v.id, 5, %(version)s, c.email, '{"event": {}}'::jsonb, TRUE, FALSE, %(now)s, %(now)s, 0, 0
FROM unnest(%(ids)s::bigint[], %(days)s::date[], %(contacts)s::bigint[]) v(id, enrolled_on, contact_id)
JOIN crm_contact c ON c.tenant_id = %(tenant)s AND c.id = v.contact_id
"""
_VISITS = """
INSERT INTO participants_visit (tenant_id, flow_id, revision, enrolled_on, participant_id, number, step_id, came_at,
    went_at, ended, how, branch_id, "values")
SELECT %(tenant)s, %(flow)s, 1, v.enrolled_on, v.id, s.number, s.step_id, %(now)s, %(now)s, 'went_on', '',
       CASE WHEN s.number = 3 THEN %(branch)s::uuid END,
       CASE WHEN s.number = 3 THEN '{"branch": "Engineers"}'::jsonb END
FROM unnest(%(ids)s::bigint[], %(days)s::date[]) v(id, enrolled_on)
CROSS JOIN unnest(%(steps)s::uuid[]) WITH ORDINALITY s(step_id, number)
"""
_PARTICIPANTS = """
UPDATE participants_participant SET status = 'finished', step_id = NULL, ended_at = %(now)s, due_at = NULL,
    visit_number = 5 WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s)
"""
_DELTAS = """
INSERT INTO participants_counterdelta (tenant_id, flow_id, step_id, measure, amount)
SELECT %(tenant)s, %(flow)s, s, m, %(number)s FROM unnest(%(steps)s::uuid[]) s, unnest(ARRAY['entered','went_on']) m
"""


def run_floor(work: FloorWork, *, workers: int) -> None:
    """Move everyone with `workers` processes; returns when nobody is due."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_worker, [work] * workers))


def _worker(work: FloorWork) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        while _batch(connection, work):
            pass


def _batch(connection: psycopg.Connection[Any], work: FloorWork) -> int:
    values: dict[str, Any] = {
        "tenant": work.tenant_id,
        "flow": work.flow_id,
        "now": work.now,
        "today": work.now.date(),
        "limit": work.limit,
        "stream": work.stream_id,
        "version": work.version_id,
        "steps": list(work.steps),
        "step": work.steps[4],
        "branch": work.branch,
    }
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(work.tenant_id)])
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
        if rows:
            values |= {
                "ids": [r[0] for r in rows],
                "days": [r[1] for r in rows],
                "contacts": [r[2] for r in rows],
            }
            _change(cursor, values)
    return len(rows)


def _change(cursor: psycopg.Cursor[Any], values: dict[str, Any]) -> None:
    data = json.dumps(
        {"changes": [{"field": "contact.job_title", "old": "Engineer", "new": "Lead engineer"}]}
    )
    for column, value in (("job_title", "Lead engineer"), ("language", "nb")):
        cursor.execute(_UPDATE_CONTACTS.format(column=column), {**values, "value": value})
        cursor.execute(_EVENTS, {**values, "kind": "contact.updated", "data": data, "inbox": True})
    cursor.execute(_MESSAGES, values)
    cursor.execute(_VISITS, values)
    cursor.execute(_PARTICIPANTS, values)
    cursor.execute(_EVENTS, {**values, "kind": "flow.finished", "data": "{}", "inbox": False})
    cursor.execute(_DELTAS, {**values, "number": len(values["ids"])})
