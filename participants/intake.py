"""Intake: takes events from the inbox, set-based, and turns them into suggestions and success marks.

One intake per tenant at a time (advisory lock). In one transaction it deletes a slice of the inbox, locks the
contacts concerned (the contact is the mutex), matches the triggers of every running or paused flow, and marks
success. What it enrolled or hurried is due at once; the caller wakes those flows.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id, tenant_scope
from crm.criteria.sql import compile_criteria
from flows.document import FlowDocument, Trigger
from flows.models import Flow
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from participants.engine.ending import ONWARD
from participants.engine.records import count_of_flow
from participants.engine.route import route_of
from participants.operations.enrol import Source, suggest
from participants.success import success_sql

_INTAKE_LOCK = 0x494E << 48
SLICE = 10_000


@dataclass(frozen=True, slots=True)
class Taken:
    """An event as intake sees it."""

    id: int
    kind: str
    contact_id: int
    origin: str
    object_id: int | None
    flow_id: int | None
    at: dt.datetime
    data: dict[str, Any]


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
RETURNING event_id, day, kind
"""

_READ = """
SELECT e.id, e.kind, e.contact_id, e.origin, e.object_id, e.flow_id, e.at, e.data
FROM unnest(%(days)s::date[], %(ids)s::bigint[]) AS t(day, id)
JOIN crm_event e ON e.day = t.day AND e.id = t.id AND e.tenant_id = %(tenant)s
ORDER BY e.id
"""


def take_events(*, tenant_id: int, now: dt.datetime, rows: int = SLICE) -> IntakeResult:
    """Take one slice of the tenant's inbox. The same event never acts twice: its inbox row goes in this transaction.

    Cost: one statement for the slice, one for the events that some flow listens to, and a few for each such flow.
    """
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s::bigint)", [_INTAKE_LOCK | tenant_id])
        row = cursor.fetchone()
        if not row or not row[0]:
            return IntakeResult()
        cursor.execute(_TAKE, {"tenant": tenant_id, "rows": rows})
        taken = cursor.fetchall()
        result = IntakeResult(taken=len(taken), more=len(taken) >= rows)
        listeners = [Listener.of(flow) for flow in _flows_that_are_on()] if taken else []
        heard = {kind for listener in listeners for kind in listener.kinds}
        wanted = [(event_id, day) for event_id, day, kind in taken if kind in heard]
        if wanted:
            _act_on(cursor, tenant_id=tenant_id, wanted=wanted, listeners=listeners, now=now, result=result)
        return result


def _flows_that_are_on() -> Iterable[Flow]:
    return Flow.objects.exclude(status=Flow.Status.NOT_RUNNING).order_by("id")


@dataclass(frozen=True, slots=True)
class Listener:
    """A flow that is on, and the kinds of events that mean something to it."""

    flow: Flow
    document: FlowDocument
    success_kinds: frozenset[str]
    kinds: frozenset[str]

    @classmethod
    def of(cls, flow: Flow) -> Listener:
        """Read what the newest revision listens to. Every flow hears what other flows send on to it."""
        document = route_of(flow_id=flow.pk, revision=flow.revision).document
        success = {kind for item in document.success for kind in SUCCESS_KINDS[item.kind].wakes_on(item)}
        triggers = {kind for item in document.triggers for kind in TRIGGER_KINDS[item.kind].event_kinds}
        return cls(flow, document, frozenset(success), frozenset(success | triggers | {ONWARD}))


def _act_on(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    wanted: Sequence[tuple[int, dt.date]],
    listeners: Sequence[Listener],
    now: dt.datetime,
    result: IntakeResult,
) -> None:
    ids, days = [event_id for event_id, _ in wanted], [day for _, day in wanted]
    cursor.execute(_READ, {"tenant": tenant_id, "ids": ids, "days": days})
    events = [Taken(*record) for record in cursor]
    matches = [match for listener in listeners if (match := _match(listener, events)).contacts]
    if matches:
        _lock_contacts(cursor, tenant_id, {contact for match in matches for contact in match.contacts})
    for match in matches:
        if _act(cursor, match, now=now):
            result.flows.add(match.flow.pk)


@dataclass(slots=True)
class Match:
    """What of a slice concerns one flow: events by trigger, events that send contacts here, contacts whose success
    may have come."""

    flow: Flow
    document: FlowDocument
    by_trigger: list[tuple[Trigger, list[Taken]]]
    onward: list[Taken]
    changed: list[int]

    @property
    def contacts(self) -> set[int]:
        """Everyone concerned."""
        triggered = {event.contact_id for _, events in self.by_trigger for event in events}
        return triggered | {event.contact_id for event in self.onward} | set(self.changed)


def _match(listener: Listener, events: Sequence[Taken]) -> Match:
    """Sort out what concerns a flow. An event that a step of this flow caused never suggests for it."""
    flow, document = listener.flow, listener.document
    came = [event for event in events if flow.started_at and event.at >= flow.started_at]
    by_trigger = []
    for trigger in document.triggers:
        rule = TRIGGER_KINDS[trigger.kind].event_filter(trigger)
        taken = [e for e in came if e.flow_id != flow.pk and rule.takes(e.kind, e.object_id, e.origin)]
        by_trigger.append((trigger, taken))
    onward = [event for event in came if event.kind == ONWARD and event.object_id == flow.pk]
    changed = sorted({event.contact_id for event in came if event.kind in listener.success_kinds})
    return Match(flow, document, by_trigger, onward, changed)


def _lock_contacts(cursor: psycopg.Cursor[Any], tenant_id: int, contact_ids: Iterable[int]) -> None:
    cursor.execute(
        "SELECT 1 FROM crm_contact WHERE tenant_id = %s AND id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        [tenant_id, sorted(contact_ids)],
    )


def _act(cursor: psycopg.Cursor[Any], match: Match, *, now: dt.datetime) -> bool:
    """Suggest and mark; say whether the flow has something due now."""
    enrolled = 0
    for trigger, events in match.by_trigger:
        for wave in _waves(_passing(cursor, trigger, match.document, events, now)):
            by_flows = [event for event in wave if event.flow_id is not None]
            by_others = [event for event in wave if event.flow_id is None]
            enrolled += _suggest(match.flow, by_others, kind="trigger", now=now)
            enrolled += _suggest(match.flow, by_flows, kind="flow_event", now=now)
    enrolled += _take_onward(match, now=now)
    hurried = _mark_success(cursor, match, now=now)
    return bool(enrolled or hurried)


def _waves(events: Sequence[Taken]) -> Iterable[list[Taken]]:
    """Yield the events in waves, in which each contact comes once: every suggestion is judged on its own."""
    rest: Sequence[Taken] = events
    while rest:
        seen: set[int] = set()
        wave: list[Taken] = []
        later: list[Taken] = []
        for event in rest:
            (later if event.contact_id in seen else wave).append(event)
            seen.add(event.contact_id)
        yield wave
        rest = later


def _passing(
    cursor: psycopg.Cursor[Any],
    trigger: Trigger,
    document: FlowDocument,
    events: Sequence[Taken],
    now: dt.datetime,
) -> Sequence[Taken]:
    """Keep the events whose contact passes the trigger's own criteria; one statement."""
    if not events or trigger.criteria is None or trigger.criteria.is_empty:
        return events
    compiled = compile_criteria(trigger.criteria, now=now, zone=document.settings.zone)
    cursor.execute(
        f"""SELECT c.id FROM crm_contact c
            LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id
            WHERE c.tenant_id = %s AND c.id = ANY(%s::bigint[]) AND ({compiled.sql})""",
        [require_tenant_id(), [event.contact_id for event in events], *compiled.params],
    )
    passing = {row[0] for row in cursor}
    return [event for event in events if event.contact_id in passing]


def _suggest(flow: Flow, events: Sequence[Taken], *, kind: str, now: dt.datetime) -> int:
    if not events:
        return 0
    data = {e.contact_id: {"kind": e.kind, "origin": e.origin, "at": e.at, **e.data} for e in events}
    source = Source(kind, id=events[0].id if len(events) == 1 else None)
    return suggest(flow_id=flow.pk, contact_ids=list(data), source=source, now=now, event_data=data).enrolled


def _take_onward(match: Match, *, now: dt.datetime) -> int:
    """Suggest those whom another flow's exit or finish sends here."""
    by_flow: dict[int | None, list[int]] = defaultdict(list)
    for event in match.onward:
        by_flow[event.flow_id].append(event.contact_id)
    return sum(
        suggest(flow_id=match.flow.pk, contact_ids=ids, source=Source("onward", id=sender), now=now).enrolled
        for sender, ids in by_flow.items()
    )


def _mark_success(cursor: psycopg.Cursor[Any], match: Match, *, now: dt.datetime) -> int:
    """Mark success for active participants whose contact changed so that a state criterion holds; return how many
    the engine should take at once (*move to Finish when met*). While paused the mark is set, the move waits."""
    if not match.changed:
        return 0
    flow, document = match.flow, match.document
    expression, params = success_sql(document, now=now)
    move = document.settings.move_to_finish
    cursor.execute(
        f"""
        UPDATE participants_participant p
        SET success_at = %s, due_at = CASE WHEN %s THEN least(coalesce(p.due_at, %s), %s) ELSE p.due_at END
        FROM crm_contact c LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id
        WHERE p.tenant_id = %s AND p.flow_id = %s AND p.contact_id = ANY(%s::bigint[]) AND p.status = 'active'
          AND p.success_at IS NULL AND c.tenant_id = p.tenant_id AND c.id = p.contact_id AND ({expression})
        """,
        [now, move, now, now, require_tenant_id(), flow.pk, match.changed, *params],
    )
    marked = cursor.rowcount
    if marked:
        count_of_flow(cursor, flow_id=flow.pk, measure="success_met", amount=marked)
    return marked if move else 0
