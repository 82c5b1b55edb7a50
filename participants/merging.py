"""Participations move with their contact. Of two active ones in one flow the first enrolled stays, the other drops out
(*contact merged*)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from core.merging import Move, Pair, Room
from flows.models import Flow
from participants.intake.take import INTAKE_LOCK
from participants.models import Participant
from participants.operations.leaving import leave

# Every active pair in one flow: the later one (of one moment, the one written later) and when the first one entered.
_DOUBLES = """
SELECT CASE WHEN (k.enrolled_at, k.id) < (g.enrolled_at, g.id) THEN g.id ELSE k.id END, k.flow_id,
       least(k.enrolled_at, g.enrolled_at), greatest(k.enrolled_at, g.enrolled_at)
FROM participants_participant k
JOIN participants_participant g ON g.tenant_id = k.tenant_id AND g.flow_id = k.flow_id AND g.status = 'active'
     AND g.contact_id = %(gone)s::bigint
WHERE k.tenant_id = %(tenant)s::bigint AND k.contact_id = %(kept)s::bigint AND k.status = 'active'
ORDER BY 1
"""
_LOCKED = """
SELECT id FROM participants_participant
WHERE tenant_id = %(tenant)s::bigint AND contact_id IN (%(kept)s::bigint, %(gone)s::bigint) AND status = 'active'
ORDER BY id FOR NO KEY UPDATE
"""


def _wait_for_intake(cursor: psycopg.Cursor[Any], tenant_id: int) -> None:
    """Intake deletes inbox rows and then locks contacts; merging goes the other way. One of them at a time."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [INTAKE_LOCK | tenant_id])


def _end_doubles(cursor: psycopg.Cursor[Any], pair: Pair) -> None:
    cursor.execute(_LOCKED, pair.parameters())
    cursor.execute(_DOUBLES, pair.parameters())
    for participant_id, _, first, _ in cursor.fetchall():
        leave(
            cursor,
            tenant_id=pair.tenant_id,
            participant_ids=[participant_id],
            now=pair.now,
            reason=Participant.DropReason.MERGED.value,
            values={"first_enrolled_at": first.isoformat()},
        )


def _losses(cursor: psycopg.Cursor[Any], pair: Pair) -> Sequence[str]:
    cursor.execute(_DOUBLES, pair.parameters())
    flow_ids = [row[1] for row in cursor.fetchall()]
    names = Flow.objects.in_bulk(flow_ids)
    return [
        f"Both are in the flow “{names[flow_id].name}”: the first enrolled stays, the other drops out."
        for flow_id in flow_ids
        if flow_id in names
    ]


MERGING = Room(
    (
        Move("participants_suggestion"),
        Move("participants_participant", label=("participation in a flow", "participations in flows")),
        Move("participants_clockfire", once_by=("trigger_id", "day")),
        Move("participants_heldout", once_by=("flow_id",)),
    ),
    before=_wait_for_intake,
    first=_end_doubles,
    losses=_losses,
)
