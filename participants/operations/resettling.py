"""What the save of an edit does to those inside: who stands on a removed step goes on, who waits at a re-timed one is
reckoned anew from arrival. One statement a step, whatever number stands there; the caller holds the flow's gate."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from participants.models import HeldStep
from participants.operations.judging_success import judge_success

# The engine finds them due and goes on with the step that follows the removed one.
_RELEASE = """
UPDATE participants_participant SET due_at = %(now)s, held_reason = ''
WHERE tenant_id = %(tenant)s AND flow_id = %(flow)s AND status = 'active' AND step_id = ANY(%(steps)s::uuid[])
"""
# Without an end of its own the wait is judged anew, from its arrival (step_since), by the newest settings. What was
# heard was heard for the old ones.
_RETIME = """
WITH anew AS (
    UPDATE participants_participant
    SET visit_revision = %(revision)s, waits_until = NULL, due_at = %(now)s, heard_at = NULL, held_reason = '',
        listening = %(listens)s
    WHERE tenant_id = %(tenant)s AND flow_id = %(flow)s AND status = 'active' AND step_id = %(step)s::uuid AND waiting
    RETURNING id, enrolled_on, visit_number
)
UPDATE participants_visit v SET revision = %(revision)s
FROM anew a
WHERE v.tenant_id = %(tenant)s AND v.enrolled_on = a.enrolled_on AND v.participant_id = a.id
  AND v.number = a.visit_number AND v.ended = ''
"""
# Their action is still to be done: the timeframe or the step that held them back is another one now.
_ANEW = """
UPDATE participants_participant SET due_at = %(now)s
WHERE tenant_id = %(tenant)s AND flow_id = %(flow)s AND status = 'active' AND NOT waiting AND due_at > %(now)s
  AND step_id = ANY(%(steps)s::uuid[])
"""
# A million waiting participants take longer than a page may otherwise.
_PATIENCE = "SET LOCAL statement_timeout = '120s'"


def resettle(
    *,
    flow_id: int,
    revision: int,
    removed: Sequence[uuid.UUID],
    retimed: Mapping[uuid.UUID, bool],
    anew: Sequence[uuid.UUID] = (),
    success: bool,
    now: dt.datetime,
) -> None:
    """Let those on removed steps go on at once, and reckon the waits at `retimed` anew by `revision`. With `success`
    everyone inside is judged by its success criteria (see judging_success). Who is held at `anew` is tried at once.

    Nobody moves here: they are due, and the engine moves them when the flow runs. See flows.occupancy.Resettle.
    """
    of_all: dict[str, Any] = {
        "tenant": require_tenant_id(),
        "flow": flow_id,
        "now": now,
        "revision": revision,
    }
    with raw_cursor() as cursor:
        if retimed or anew:
            cursor.execute(_PATIENCE)
        if removed:
            cursor.execute(_RELEASE, {**of_all, "steps": list(removed)})
            HeldStep.objects.filter(flow_id=flow_id, step_id__in=removed).delete()
        if anew:
            cursor.execute(_ANEW, {**of_all, "steps": list(anew)})
        for step_id, listens in retimed.items():
            cursor.execute(_RETIME, {**of_all, "step": step_id, "listens": listens})
    if success:
        judge_success(flow_id=flow_id, now=now)
