"""What is due across all tenants: the question that no scope can answer (SQL functions of migration 0003)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.db.cursors import raw_cursor
from core.jobs import STALLED_AFTER


@dataclass(frozen=True, slots=True)
class DueWork:
    """Tenants with events to take, flows with due participants and jobs that stand still (tenant id, id), tenants with
    counter deltas."""

    inboxes: list[int]
    flows: list[tuple[int, int]]
    tails: list[int]
    jobs: list[tuple[int, int]]


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
    return DueWork(inboxes, flows, tails, jobs)
