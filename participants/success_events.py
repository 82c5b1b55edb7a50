"""Success that is an event: asked of the events themselves, set-based, for people who are in a flow.

Intake marks it as it takes an event. What intake has not taken yet, and what a step of the batch itself did, the engine
sees here before each action; and what happened before the criterion was saved is found here too. An event counts from
enrolment on, and never the one that enrolled the contact. Must not write.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from flows.document import FlowDocument
from flows.event_filter import EventFilter
from flows.success.table import SUCCESS_KINDS

Cursor = psycopg.Cursor[Any]
Rules = Sequence[EventFilter]


@dataclass(frozen=True, slots=True)
class Inside:
    """Somebody in a flow; `brought_by` is the event that enrolled them, if one did."""

    id: int
    contact_id: int
    company_id: int | None
    enrolled_at: dt.datetime
    brought_by: int | None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event; `id` is None where a step of the open batch caused it and it is not written yet."""

    id: int | None
    kind: str
    contact_id: int
    company_id: int | None
    origin: str
    object_id: int | None
    object_key: str
    at: dt.datetime
    data: Mapping[str, Any]

    def passes(self, rule: EventFilter) -> bool:
        """Say whether the rule takes this event."""
        return rule.takes(self.kind, self.object_id, self.object_key, self.origin, self.data)


_COLUMNS = "e.id, e.kind, e.contact_id, e.company_id, e.origin, e.object_id, e.object_key, e.at, e.data"
_WAITING = """
SELECT event_id, day FROM crm_eventinbox
WHERE tenant_id = %s AND kind = ANY(%s::text[]) AND (%s OR contact_id = ANY(%s::bigint[]))
"""
_READ = f"""
SELECT {_COLUMNS} FROM crm_event e
WHERE e.tenant_id = %s AND e.day = ANY(%s::date[]) AND e.id = ANY(%s::bigint[])
"""
# OFFSET 0 keeps it a look-up of each contact's own events (crm.criteria.among says why).
_SINCE = f"""
SELECT {_COLUMNS} FROM unnest(%s::bigint[]) AS asked(contact_id)
JOIN LATERAL (
    SELECT * FROM crm_event WHERE tenant_id = %s AND contact_id = asked.contact_id AND day >= %s AND at >= %s
      AND kind = ANY(%s::text[])
    OFFSET 0
) e ON TRUE
"""


def event_rules(document: FlowDocument) -> list[EventFilter]:
    """Return the events of which any one means success."""
    kinds = ((SUCCESS_KINDS[item.kind], item) for item in document.success)
    return [kind.event_filter(item) for kind, item in kinds if not kind.is_state]


def met_already(
    cursor: Cursor, rules: Rules, people: Sequence[Inside], own: Iterable[Happened]
) -> dict[int, dt.datetime]:
    """Return who met a criterion, and when, by events that intake has not taken yet or that are the batch's `own`.

    One statement, and one more where something of these kinds waits in the inbox.
    """
    cursor.execute(
        _WAITING,
        [
            require_tenant_id(),
            _kinds(rules),
            any(rule.of_company for rule in rules),
            [one.contact_id for one in people],
        ],
    )
    rows = cursor.fetchall()
    events = list(own)
    if rows:
        days = sorted({day for _, day in rows})
        cursor.execute(_READ, [require_tenant_id(), days, [event_id for event_id, _ in rows]])
        events += [Happened(*row) for row in cursor]
    return _met(rules, people, events)


def met_since(cursor: Cursor, rules: Rules, people: Sequence[Inside]) -> dict[int, dt.datetime]:
    """Return who met a criterion since they were enrolled, and when; two statements at most."""
    contacts = {one.contact_id for one in people}
    companies = {one.company_id for one in people if one.company_id is not None}
    if companies and any(rule.of_company for rule in rules):
        cursor.execute(
            "SELECT id FROM crm_contact WHERE tenant_id = %s AND company_id = ANY(%s::bigint[])",
            [require_tenant_id(), sorted(companies)],
        )
        contacts |= {row[0] for row in cursor}
    since = min((one.enrolled_at for one in people), default=None)
    if since is None:
        return {}
    day = since.astimezone(dt.UTC).date()
    cursor.execute(_SINCE, [sorted(contacts), require_tenant_id(), day, since, _kinds(rules)])
    return _met(rules, people, [Happened(*row) for row in cursor])


def _kinds(rules: Rules) -> list[str]:
    return sorted({kind for rule in rules for kind in (rule.kind, *rule.also)})


def _met(rules: Rules, people: Sequence[Inside], events: Sequence[Happened]) -> dict[int, dt.datetime]:
    own: dict[int, list[Happened]] = defaultdict(list)
    of_company: dict[int, list[Happened]] = defaultdict(list)
    for event in events:
        passed = [rule for rule in rules if event.passes(rule)]
        if passed:
            own[event.contact_id].append(event)
        if event.company_id is not None and any(rule.of_company for rule in passed):
            of_company[event.company_id].append(event)
    met: dict[int, dt.datetime] = {}
    for one in people if own else ():
        mine = [*own.get(one.contact_id, ()), *of_company.get(one.company_id or 0, ())]
        moments = [
            event.at
            for event in mine
            if event.at >= one.enrolled_at and (event.id is None or event.id != one.brought_by)
        ]
        if moments:
            met[one.id] = min(moments)
    return met
