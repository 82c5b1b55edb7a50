"""What is due across all tenants: the question that no scope can answer (SQL functions of migration 0003)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.db.cursors import raw_cursor
from core.jobs import STALLED_AFTER
from core.tenancy import tenant_scope


@dataclass(frozen=True, slots=True)
class DueWork:
    """Tenants with events to take, flows with due participants, jobs that stand still and flows whose clock has struck
    (tenant id, id), tenants with counter deltas."""

    inboxes: list[int]
    flows: list[tuple[int, int]]
    tails: list[int]
    jobs: list[tuple[int, int]]
    clocks: list[tuple[int, int]]


def due_work(now: dt.datetime) -> DueWork:
    """Return what is due at the real time now (each trial's own offset is added in SQL), flows by turn.

    Cost: one index look-up per running flow and per tenant, however many participants are due.
    """
    with raw_cursor() as cursor:
        inboxes = [row[0] for row in cursor.execute("SELECT participants_full_inboxes(%s)", [now])]
        flows = list(cursor.execute("SELECT tenant_id, flow_id FROM participants_due_flows(%s)", [now]))
        tails = [row[0] for row in cursor.execute("SELECT participants_counter_tails(%s)", [now])]
        stalled = [now - STALLED_AFTER]
        jobs = list(cursor.execute("SELECT tenant_id, job_id FROM participants_stalled_jobs(%s)", stalled))
        clocks = list(cursor.execute("SELECT tenant_id, flow_id FROM participants_due_clocks(%s)", [now]))
    return DueWork(inboxes, flows, tails, jobs, clocks)


_NEXT = """
SELECT f.id FROM flows_flow f
WHERE f.tenant_id = %(tenant)s AND f.status = 'running' AND (f.starts_at IS NULL OR f.starts_at <= %(now)s)
  AND EXISTS (SELECT 1 FROM participants_participant p WHERE p.tenant_id = f.tenant_id AND p.flow_id = f.id
              AND p.status = 'active' AND p.due_at <= %(now)s)
ORDER BY f.served_at NULLS FIRST, f.id LIMIT 1
"""
# Whoever changes the flow just now holds its row: then the turn is not noted, and nobody waits.
_SERVED = """
UPDATE flows_flow SET served_at = %(now)s WHERE tenant_id = %(tenant)s AND id IN (
    SELECT id FROM flows_flow WHERE tenant_id = %(tenant)s AND id = %(flow)s FOR NO KEY UPDATE SKIP LOCKED)
"""


def next_turn(*, tenant_id: int, now: dt.datetime) -> int | None:
    """Return the tenant's flow with due participants that was served longest ago, and note that it is served now."""
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        cursor.execute(_NEXT, {"tenant": tenant_id, "now": now})
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(_SERVED, {"tenant": tenant_id, "now": now, "flow": row[0]})
        return int(row[0])
