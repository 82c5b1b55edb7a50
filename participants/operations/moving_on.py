"""What a marketer does for participants that stand still: move them on, or try a step again that did not pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.tasks import wake_delivery
from flows.models import Flow
from participants.engine import forcing
from participants.engine.batch import BatchResult
from participants.engine.records import count_moments, insert_deltas
from participants.models import Participant
from participants.operations.members import audit, locked
from participants.wake import wake_engine, wake_intake


class NobodyMoves(Exception):
    """The flow is not running, or is being changed just now."""


@transaction.atomic
def move_on_now(*, flow_id: int, participant_ids: Sequence[int], actor: User, now: dt.datetime) -> int:
    """Move active participants on from where they stand, after the guards; returns how many moved or left.

    Raises NobodyMoves while the flow is paused, not yet started or being saved.
    """
    tenant_id = require_tenant_id()
    if not Flow.objects.filter(pk=flow_id, status=Flow.Status.RUNNING).exists():
        raise NobodyMoves("The flow is not running, so nobody moves. Resume it first.")
    result = forcing.move_on(tenant_id=tenant_id, flow_id=flow_id, participant_ids=participant_ids, now=now)
    if result.busy:
        raise NobodyMoves("The flow is being changed just now. Try again.")
    if result.claimed:
        audit(actor, "participant.moved_on", flow_id, participant_ids)
        transaction.on_commit(lambda: _wake(tenant_id, result))
    return result.claimed


def _wake(tenant_id: int, result: BatchResult) -> None:
    if result.messages:
        wake_delivery(tenant_id)
    if result.events:
        wake_intake(tenant_id=tenant_id)
    wake_engine(tenant_id)


@transaction.atomic
def retry(*, flow_id: int, participant_ids: Sequence[int], actor: User, now: dt.datetime) -> int:
    """Try the step again at once: for who is held on it, and for who dropped out because it failed.

    Who dropped out comes back to the same step as a new visit, unless the contact has entered the flow again or the
    flow has ended. Returns how many will be tried again.
    """
    with raw_cursor() as cursor:
        ids = locked(cursor, flow_id=flow_id, participant_ids=participant_ids)
        held = Participant.objects.filter(pk__in=ids, status=Participant.Status.ACTIVE).exclude(
            held_reason=""
        )
        tried = held.update(due_at=now, held_reason="")
        cursor.execute(_REVIVE, {"tenant": require_tenant_id(), "flow": flow_id, "ids": ids, "now": now})
        revived = cursor.fetchall()
        counts = {(step_id, "entered"): amount for step_id, amount, _ in revived}
        insert_deltas(cursor, tenant_id=require_tenant_id(), flow_id=flow_id, counts=counts, now=now)
        # They leave the day on which they had dropped out.
        dropped = [at for _, _, moments in revived for at in moments]
        count_moments(cursor, flow_id=flow_id, measure="dropped:step_failed", moments=dropped, each=-1)
    tried += len(dropped)
    if tried:
        audit(actor, "participant.retried", flow_id, ids)
        tenant_id = require_tenant_id()
        transaction.on_commit(lambda: wake_engine(tenant_id))
    return tried


_REVIVE = """
WITH back AS (
    UPDATE participants_participant p
    SET status = 'active', ended_at = NULL, drop_reason = '', drop_values = NULL, due_at = %(now)s, attempts = 0,
        step_since = %(now)s, visit_number = p.visit_number + 1
    FROM flows_flow f, participants_participant was
    WHERE was.tenant_id = p.tenant_id AND was.id = p.id
      AND p.tenant_id = %(tenant)s AND p.flow_id = %(flow)s AND p.id = ANY(%(ids)s::bigint[])
      AND p.status = 'dropped' AND p.drop_reason = 'step_failed' AND p.step_id IS NOT NULL
      AND f.tenant_id = p.tenant_id AND f.id = p.flow_id AND f.status <> 'not_running'
      AND p.enrolled_at >= f.started_at
      AND NOT EXISTS (SELECT 1 FROM participants_participant other
                      WHERE other.tenant_id = p.tenant_id AND other.flow_id = p.flow_id
                        AND other.contact_id = p.contact_id AND other.status = 'active')
    RETURNING p.id, p.enrolled_on, p.visit_number, p.step_id, f.revision, was.ended_at
), visited AS (
    INSERT INTO participants_visit (tenant_id, flow_id, revision, enrolled_on, participant_id, number, step_id, came_at,
                                    ended, how)
    SELECT %(tenant)s, %(flow)s, revision, enrolled_on, id, visit_number, step_id, %(now)s, '', '' FROM back
)
SELECT step_id, count(*), array_agg(ended_at) FROM back GROUP BY step_id
"""
