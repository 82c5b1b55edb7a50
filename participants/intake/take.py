"""One slice of a tenant's inbox: taken, read, matched with every flow that is on, and acted on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import structlog
from pydantic import ValidationError

from core.db.cursors import raw_cursor
from core.kinds import UnknownKind
from core.tenancy import require_tenant_id, tenant_scope
from flows.models import Flow
from participants.engine.ending import ONWARD
from participants.intake.matching import Listener, Match, Taken, match_events
from participants.intake.success import mark_success
from participants.intake.suggesting import refuse_onward, suggest_all
from participants.intake.waking import Wait, waits_of, wake

log = structlog.get_logger(__name__)

# Whoever holds this, with the tenant's id, keeps intake away: merging contacts does.
INTAKE_LOCK = 0x494E << 48
SLICE = 10_000


@dataclass(slots=True)
class IntakeResult:
    """How many events were taken, whether more may wait, and which flows have something due now."""

    taken: int = 0
    more: bool = False
    flows: set[int] = field(default_factory=set)


# An array and not a join: before the table has statistics a join is planned as a loop within a loop.
_TAKE = """
DELETE FROM crm_eventinbox
WHERE tenant_id = %(tenant)s
  AND id = ANY(ARRAY(SELECT id FROM crm_eventinbox WHERE tenant_id = %(tenant)s ORDER BY id LIMIT %(rows)s))
RETURNING event_id, day, kind, contact_id
"""

_READ = """
SELECT e.id, e.kind, e.contact_id, e.company_id, e.origin, e.object_id, e.object_key, e.flow_id, e.at, e.data
FROM crm_event e
WHERE e.tenant_id = %(tenant)s AND e.day = ANY(%(days)s::date[]) AND e.id = ANY(%(ids)s::bigint[])
ORDER BY e.id
"""


def take_events(*, tenant_id: int, now: dt.datetime, rows: int = SLICE) -> IntakeResult:
    """Take one slice of the tenant's inbox. The same event never acts twice: its inbox row goes in this transaction.

    Cost: one statement for the slice, one for the events that some flow listens to, and a few for each such flow.
    """
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s::bigint)", [INTAKE_LOCK | tenant_id])
        row = cursor.fetchone()
        if not row or not row[0]:
            return IntakeResult()
        cursor.execute(_TAKE, {"tenant": tenant_id, "rows": rows})
        taken = cursor.fetchall()
        result = IntakeResult(taken=len(taken), more=len(taken) >= rows)
        if taken:
            _hear(cursor, taken, now=now, result=result)
        return result


def _hear(
    cursor: psycopg.Cursor[Any],
    taken: Sequence[tuple[int, dt.date, str, int]],
    *,
    now: dt.datetime,
    result: IntakeResult,
) -> None:
    """Read the events that a flow or somebody who waits listens to, and act on them."""
    listeners = [found for flow in _flows_that_are_on() if (found := _listener(flow)) is not None]
    waits = waits_of(cursor, {contact_id for _, _, _, contact_id in taken})
    # Who is sent on is heard by everybody's flow: also one that is not running keeps that it refused.
    heard = {ONWARD, *(kind for listener in listeners for kind in listener.kinds)}
    waited = {kind for wait in waits for kind in wait.kinds}
    waiting = {one.contact_id for wait in waits for one in wait.participants}
    wanted = [
        (event_id, day)
        for event_id, day, kind, contact_id in taken
        if kind in heard or (kind in waited and contact_id in waiting)
    ]
    if wanted:
        _act_on(cursor, wanted=wanted, listeners=listeners, waits=waits, now=now, result=result)


def _listener(flow: Flow) -> Listener | None:
    """Read what a flow listens to; one that cannot be read must not keep the others from hearing."""
    try:
        return Listener.of(flow)
    except (ValidationError, UnknownKind):
        log.exception("flow_cannot_be_read", flow=flow.pk, revision=flow.revision)
        return None


def _flows_that_are_on() -> Iterable[Flow]:
    return Flow.objects.exclude(status=Flow.Status.NOT_RUNNING).order_by("id")


def _act_on(
    cursor: psycopg.Cursor[Any],
    *,
    wanted: Sequence[tuple[int, dt.date]],
    listeners: Sequence[Listener],
    waits: Sequence[Wait],
    now: dt.datetime,
    result: IntakeResult,
) -> None:
    ids, days = [event_id for event_id, _ in wanted], sorted({day for _, day in wanted})
    cursor.execute(_READ, {"tenant": require_tenant_id(), "ids": ids, "days": days})
    events = [Taken(*record) for record in cursor]
    matches = [match for listener in listeners if (match := match_events(listener, events)).contacts]
    concerned = {contact for match in matches for contact in match.contacts}
    concerned |= {one.contact_id for wait in waits for one in wait.participants}
    if concerned:
        _lock_contacts(cursor, concerned)
    for wait in waits:
        if wake(cursor, wait, events, now=now):
            result.flows.add(wait.flow_id)
    for match in matches:
        if _act(cursor, match, now=now):
            result.flows.add(match.flow.pk)
    refuse_onward(events, now=now)


def _lock_contacts(cursor: psycopg.Cursor[Any], contact_ids: Iterable[int]) -> None:
    cursor.execute(
        "SELECT 1 FROM crm_contact WHERE tenant_id = %s AND id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        [require_tenant_id(), sorted(contact_ids)],
    )


def _act(cursor: psycopg.Cursor[Any], match: Match, *, now: dt.datetime) -> bool:
    """Suggest and mark; say whether the flow has something due now."""
    enrolled = suggest_all(cursor, match, now=now)
    hurried = mark_success(cursor, match, now=now)
    return bool(enrolled or hurried)
