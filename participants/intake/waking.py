"""Wakes who waits for an event: found by an index over those who listen, never by going through all who wait.

What counts is what the step listened to when they arrived. Whether a wait ends is the step kind's to decide; criteria
are judged here, at the event, because later the answer may be another one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from crm.criteria.among import those_who
from crm.criteria.change import judged_after
from crm.criteria.schema import Criteria
from crm.criteria.sql import compile_criteria
from flows.document import StepNode
from flows.steps.table import STEP_KINDS
from participants.engine.route import Route, route_of
from participants.intake.matching import Taken

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True, slots=True)
class Listening:
    """A participant in a wait that an event may end."""

    id: int
    flow_id: int
    contact_id: int
    step_id: uuid.UUID
    revision: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Participants in the same wait with the same settings."""

    flow_id: int
    route: Route
    node: StepNode
    participants: Sequence[Listening]

    @property
    def criteria(self) -> Criteria | None:
        """Criteria whose coming true ends the wait."""
        return STEP_KINDS[self.node.kind].waits_for(self.node)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of events that matter here."""
        kinds = frozenset(rule.kind for rule in STEP_KINDS[self.node.kind].listens_to(self.node))
        return kinds if self.criteria is None else kinds | judged_after(self.criteria)


_SOMEBODY = "SELECT 1 FROM participants_participant WHERE tenant_id = %s AND listening LIMIT 1"
_LISTENING = """
SELECT id, flow_id, contact_id, step_id, visit_revision FROM participants_participant
WHERE tenant_id = %s AND listening AND contact_id = ANY(%s::bigint[])
"""


def waits_of(cursor: Cursor, contact_ids: Collection[int]) -> list[Wait]:
    """Return the waits in which these contacts listen. One look-up where nobody of the tenant does."""
    cursor.execute(_SOMEBODY, [require_tenant_id()])
    if cursor.fetchone() is None:
        return []
    cursor.execute(_LISTENING, [require_tenant_id(), sorted(contact_ids)])
    groups: dict[tuple[int, int, uuid.UUID], list[Listening]] = defaultdict(list)
    for row in cursor.fetchall():
        one = Listening(*row)
        groups[one.flow_id, one.revision, one.step_id].append(one)
    found = []
    for (flow_id, revision, step_id), participants in sorted(groups.items(), key=lambda group: group[0][:2]):
        route = route_of(flow_id=flow_id, revision=revision)
        if step_id in route.nodes:
            found.append(Wait(flow_id, route, route.nodes[step_id], participants))
    return found


def wake(cursor: Cursor, wait: Wait, events: Sequence[Taken], *, now: dt.datetime) -> int:
    """Make due whom one of the events concerns; return how many."""
    rules = STEP_KINDS[wait.node.kind].listens_to(wait.node)
    acted = {event.contact_id for event in events for rule in rules if event.passes(rule)}
    heard = _came_true(cursor, wait, events, now=now)
    return _hurry(
        cursor,
        wait,
        [one for one in wait.participants if one.contact_id in acted or one.contact_id in heard],
        heard,
        now,
    )


def hear_criteria(cursor: Cursor, *, flow_id: int, contact_ids: Sequence[int], now: dt.datetime) -> int:
    """Judge the criteria of the waits of a flow for these contacts now, without an event: a day has passed."""
    hurried = 0
    for wait in waits_of(cursor, contact_ids):
        if wait.flow_id == flow_id and wait.criteria is not None:
            mine = [one.contact_id for one in wait.participants]
            heard = dict.fromkeys(matching(cursor, wait, mine, now=now), now)
            chosen = [one for one in wait.participants if one.contact_id in heard]
            hurried += _hurry(cursor, wait, chosen, heard, now)
    return hurried


def _hurry(
    cursor: Cursor,
    wait: Wait,
    chosen: Sequence[Listening],
    heard: Mapping[int, dt.datetime],
    now: dt.datetime,
) -> int:
    if not chosen:
        return 0
    cursor.execute(
        """
        UPDATE participants_participant p
        SET due_at = least(coalesce(p.due_at, %s), %s), heard_at = coalesce(p.heard_at, v.heard_at)
        FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(id, heard_at)
        WHERE p.tenant_id = %s AND p.id = v.id AND p.listening AND p.step_id = %s
        """,
        [
            now,
            now,
            [one.id for one in chosen],
            [heard.get(one.contact_id) for one in chosen],
            require_tenant_id(),
            wait.node.id,
        ],
    )
    return cursor.rowcount


def _came_true(
    cursor: Cursor, wait: Wait, events: Sequence[Taken], *, now: dt.datetime
) -> dict[int, dt.datetime]:
    """Return when the criteria of the wait came true, by contact: at the last of the events that may have done it."""
    if wait.criteria is None:
        return {}
    kinds = judged_after(wait.criteria)
    changed: dict[int, dt.datetime] = {}
    for event in events:
        if event.kind in kinds:
            changed[event.contact_id] = max(event.at, changed.get(event.contact_id, event.at))
    mine = [one.contact_id for one in wait.participants if one.contact_id in changed]
    return {contact: changed[contact] for contact in matching(cursor, wait, mine, now=now)}


def matching(cursor: Cursor, wait: Wait, contact_ids: Sequence[int], *, now: dt.datetime) -> list[int]:
    """Return the contacts for whom the criteria of the wait hold now; one statement."""
    if wait.criteria is None or not contact_ids:
        return []
    compiled = compile_criteria(wait.criteria, now=now, zone=wait.route.document.settings.zone)
    sql: Any = those_who(compiled.sql)
    cursor.execute(sql, [list(contact_ids), require_tenant_id(), *compiled.params])
    return [row[0] for row in cursor]
