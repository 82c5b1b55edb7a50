"""Suggestions are judged and enrolled here, whatever road they came by: set-based, each once, with the verdict kept.

The order of the rules (docs/state-machines.md): enrolment open, filter, exclusion list, active already, once only,
held out as control group, loop. Contacts are locked first (the contact is the mutex), so two events for one
contact at the same instant never enrol twice.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.criteria.explain import first_failure
from crm.criteria.schema import Criteria
from crm.criteria.sql import FROM, compile_criteria
from flows.document import FlowDocument, FlowSettings
from flows.models import Flow
from participants.engine.records import as_json, count_of_flow
from participants.engine.route import route_of
from participants.models import Suggestion
from participants.operations.leaving import move_out

Verdict = Suggestion.Verdict

LOOP_ENTRIES = 3
LOOP_WINDOW = dt.timedelta(hours=24)
# Roads on which flows lead people themselves; only these can make a loop.
FLOW_SOURCES = ("onward", "flow_event")


@dataclass(frozen=True, slots=True)
class Source:
    """Where suggestions come from: `manual`, `selection`, `trigger`, `onward`, `flow_event`, `api`; with the id of
    the selection, event or flow, and the user who did it."""

    kind: str
    id: int | None = None
    actor_id: int | None = None


@dataclass(slots=True)
class SuggestResult:
    """How many suggestions got which verdict."""

    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def enrolled(self) -> int:
        """Those who are in now."""
        return self.verdicts[Verdict.ENROLLED]


_LOCK = """
SELECT id FROM crm_contact
WHERE tenant_id = %s AND id = ANY(%s::bigint[]) AND deleted_at IS NULL
ORDER BY id FOR NO KEY UPDATE
"""

_SEE = """
SELECT c.id, ({rule}), x.selection_id, mine.active, mine.newest, mine.by_flows,
       ('x' || substr(md5(%s::text || ':' || c.id::text), 1, 8))::bit(32)::bigint %% 100
FROM {source}
LEFT JOIN LATERAL (
    SELECT m.selection_id FROM crm_selectionmember m
    WHERE m.tenant_id = c.tenant_id AND m.contact_id = c.id AND m.selection_id = ANY(%s::bigint[])
    ORDER BY m.selection_id LIMIT 1
) x ON TRUE
LEFT JOIN LATERAL (
    SELECT max(p.id) FILTER (WHERE p.status = 'active') AS active, max(p.id) AS newest,
           count(*) FILTER (WHERE p.source = ANY(%s::text[]) AND p.enrolled_at > %s) AS by_flows
    FROM participants_participant p
    WHERE p.tenant_id = c.tenant_id AND p.contact_id = c.id AND p.flow_id = %s
) mine ON TRUE
WHERE c.tenant_id = %s AND c.id = ANY(%s::bigint[])
ORDER BY c.id
"""

_KEEP = """
WITH kept AS (
    INSERT INTO participants_suggestion (tenant_id, flow_id, contact_id, source, source_id, actor_id, verdict,
                                         "values", at)
    SELECT %(tenant)s, %(flow)s, j.contact_id, %(source)s, %(source_id)s, %(actor)s, j.verdict, j.seen::jsonb, %(now)s
    FROM unnest(%(contacts)s::bigint[], %(verdicts)s::text[], %(seen)s::text[]) AS j(contact_id, verdict, seen)
    RETURNING id, contact_id, verdict
), born AS (
    INSERT INTO participants_participant (tenant_id, flow_id, contact_id, enrolled_on, enrolled_at, source,
        suggestion_id, event_data, status, step_since, waiting, due_at, visit_number, attempts, held_reason,
        drop_reason)
    SELECT %(tenant)s, %(flow)s, kept.contact_id, %(today)s, %(now)s, %(source)s, kept.id, came.data::jsonb,
           'active', %(now)s, FALSE, %(now)s, 0, 0, '', ''
    FROM kept
    LEFT JOIN unnest(%(data_ids)s::bigint[], %(data)s::text[]) AS came(contact_id, data) USING (contact_id)
    WHERE kept.verdict = 'enrolled'
    RETURNING id, contact_id
)
INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data, flow_id,
                       participant_id)
SELECT %(tenant)s, %(today)s, %(now)s, 'flow.enrolled', contact_id, 'flow', %(flow)s, '', '{}'::jsonb, %(flow)s, id
FROM born
"""


def suggest(
    *,
    flow_id: int,
    contact_ids: Sequence[int],
    source: Source,
    now: dt.datetime,
    event_data: Mapping[int, Mapping[str, Any]] | None = None,
) -> SuggestResult:
    """Judge and enrol contacts of the open tenant scope; keep every verdict. Set-based: six statements at most.

    `event_data` is what triggered, by contact id; it stays with the participant. Contacts that do not exist, are
    erased or of another tenant are left out. Cost grows with the contacts given, not with the flow or the tenant.
    """
    flow = Flow.objects.filter(pk=flow_id, deleted_at=None).first()
    result = SuggestResult()
    if flow is None or not flow.revision or not contact_ids:
        return result
    document = route_of(flow_id=flow.pk, revision=flow.revision).document
    with raw_cursor() as cursor:
        cursor.execute(_LOCK, [require_tenant_id(), list(set(contact_ids))])
        locked = [row[0] for row in cursor]
        judged = judge(cursor, flow=flow, document=document, contact_ids=locked, source=source, now=now)
        _keep(cursor, flow=flow, judged=judged, source=source, now=now, event_data=event_data or {})
        result.verdicts.update(verdict for _, verdict, _ in judged)
        enrolled = [contact_id for contact_id, verdict, _ in judged if verdict == Verdict.ENROLLED]
        if enrolled:
            count_of_flow(cursor, flow_id=flow.pk, measure="enrolled", amount=len(enrolled))
        if enrolled and document.settings.remove_from_flows:
            move_out(
                cursor,
                tenant_id=require_tenant_id(),
                flow_ids=document.settings.remove_from_flows,
                contact_ids=enrolled,
                to_flow=flow.pk,
                now=now,
            )
    return result


Judged = tuple[int, str, Mapping[str, Any] | None]


def judge(
    cursor: psycopg.Cursor[Any],
    *,
    flow: Flow,
    document: FlowDocument,
    contact_ids: Sequence[int],
    source: Source,
    now: dt.datetime,
) -> list[Judged]:
    """Return (contact id, verdict, values seen) for each contact, without writing. Two statements at most."""
    settings = document.settings
    rule = compile_criteria(document.filter or Criteria(), now=now, zone=settings.zone)
    cursor.execute(
        _SEE.format(rule=rule.sql, source=FROM),
        [
            *rule.params,
            flow.pk,
            list(settings.exclusions),
            list(FLOW_SOURCES),
            now - LOOP_WINDOW,
            flow.pk,
            require_tenant_id(),
            list(contact_ids),
        ],
    )
    opened = is_open(flow, now=now)
    judged = [_verdict(row, flow=flow, opened=opened, settings=settings, source=source) for row in cursor]
    failing = [contact_id for contact_id, verdict, _ in judged if verdict == Verdict.FILTER]
    if not failing or document.filter is None:
        return judged
    why = first_failure(document.filter, contact_ids=failing, now=now, zone=settings.zone, cursor=cursor)
    return [
        (contact_id, verdict, why[contact_id].as_values() if contact_id in why else seen)
        for contact_id, verdict, seen in judged
    ]


def _verdict(row: Any, *, flow: Flow, opened: bool, settings: FlowSettings, source: Source) -> Judged:
    contact_id, passes, excluded_by, active, newest, by_flows, share = row
    by_flow = source.kind in FLOW_SOURCES
    rules: list[tuple[bool, str, Mapping[str, Any] | None]] = [
        (not opened, Verdict.NOT_OPEN, {"status": flow.status}),
        (not passes, Verdict.FILTER, None),
        (excluded_by is not None, Verdict.EXCLUDED, {"selection": excluded_by}),
        (active is not None, Verdict.ACTIVE, {"participant": active}),
        (settings.once_only and newest is not None, Verdict.ONCE, {"participant": newest}),
        (share < settings.control_share, Verdict.CONTROL, {"share": settings.control_share}),
        (by_flow and by_flows >= LOOP_ENTRIES, Verdict.LOOP, {"entries": by_flows}),
        (True, Verdict.ENROLLED, None),
    ]
    return next((contact_id, verdict, seen) for fails, verdict, seen in rules if fails)


def _keep(
    cursor: psycopg.Cursor[Any],
    *,
    flow: Flow,
    judged: Sequence[Judged],
    source: Source,
    now: dt.datetime,
    event_data: Mapping[int, Mapping[str, Any]],
) -> None:
    cursor.execute(
        _KEEP,
        {
            "tenant": require_tenant_id(),
            "flow": flow.pk,
            "contacts": [contact_id for contact_id, _, _ in judged],
            "verdicts": [str(verdict) for _, verdict, _ in judged],
            "seen": [as_json(seen) for _, _, seen in judged],
            "source": source.kind,
            "source_id": source.id,
            "actor": source.actor_id,
            "now": now,
            "today": now.date(),
            "data_ids": list(event_data),
            "data": [as_json(data) for data in event_data.values()],
        },
    )


def is_open(flow: Flow, *, now: dt.datetime) -> bool:
    """Say whether enrolment is open: running or paused, and its end not passed."""
    return flow.status != Flow.Status.NOT_RUNNING and not (
        flow.enrolment_ends_at and now >= flow.enrolment_ends_at
    )
