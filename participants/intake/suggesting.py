"""Suggests for a flow whom the events of a slice bring: by its triggers, and sent on by other flows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from crm.criteria.among import those_who
from crm.criteria.sql import compile_criteria
from flows.document import FlowDocument, Trigger
from flows.models import Flow
from participants.engine.ending import ONWARD
from participants.intake.matching import Match, Taken
from participants.operations.enrol import Source, suggest


def suggest_all(cursor: psycopg.Cursor[Any], match: Match, *, now: dt.datetime) -> int:
    """Suggest everyone; return how many were enrolled."""
    enrolled = 0
    for trigger, events in match.by_trigger:
        for wave in _waves(_passing(cursor, trigger, match.document, events, now)):
            by_flows = [event for event in wave if event.flow_id is not None]
            by_others = [event for event in wave if event.flow_id is None]
            enrolled += _suggest(match.flow, by_others, kind="trigger", now=now)
            enrolled += _suggest(match.flow, by_flows, kind="flow_event", now=now)
    _refuse_too_early(match, now=now)
    return enrolled + _take_onward(match, now=now)


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
    sql: Any = those_who(compiled.sql)
    contacts = list({event.contact_id for event in events})
    cursor.execute(sql, [contacts, require_tenant_id(), *compiled.params])
    passing = {row[0] for row in cursor}
    return [event for event in events if event.contact_id in passing]


def _suggest(flow: Flow, events: Sequence[Taken], *, kind: str, now: dt.datetime) -> int:
    if not events:
        return 0
    # The event's own id stays with the participant: what enrolled a contact is never a success or ends a wait.
    data = {
        e.contact_id: {"kind": e.kind, "origin": e.origin, "at": e.at, "event_id": e.id, **e.data}
        for e in events
    }
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


def _refuse_too_early(match: Match, *, now: dt.datetime) -> None:
    """Keep the refusal of those who were sent here before the flow was started, and are taken after it."""
    started = match.flow.started_at
    if not match.too_early or started is None:
        return
    local = started.astimezone(match.document.settings.zone).isoformat(timespec="minutes")
    closed = {"status": str(Flow.Status.NOT_RUNNING), "started": local}
    by_flow: dict[int | None, list[int]] = defaultdict(list)
    for event in match.too_early:
        by_flow[event.flow_id].append(event.contact_id)
    for sender, ids in by_flow.items():
        source = Source("onward", id=sender)
        suggest(flow_id=match.flow.pk, contact_ids=ids, source=source, now=now, closed=closed)


def refuse_onward(events: Sequence[Taken], *, now: dt.datetime) -> None:
    """Suggest those who are sent on to a flow that is not running as well: the refusal is kept, with why."""
    sent: dict[tuple[int, int | None], list[int]] = defaultdict(list)
    for event in events:
        if event.kind == ONWARD and event.object_id is not None:
            sent[event.object_id, event.flow_id].append(event.contact_id)
    off = Flow.objects.filter(pk__in={target for target, _ in sent}, status=Flow.Status.NOT_RUNNING)
    closed = set(off.values_list("pk", flat=True)) if sent else set()
    for (target, sender), contacts in sent.items():
        if target in closed:
            suggest(flow_id=target, contact_ids=contacts, source=Source("onward", id=sender), now=now)
