"""Suggestions are judged and enrolled here, whatever road they came by: set-based, each once, with the verdict kept.

The order of the rules (docs/state-machines.md): enrolment open, filter, exclusion list, active already, once only,
held out as control group, loop. Contacts are locked first (the contact is the mutex), so two events for one
contact at the same instant never enrol twice.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from crm.criteria.sql import compile_criteria

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from flows.document import FlowDocument
from flows.models import Flow
from participants.engine.records import count_of_flow
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

_JUDGE = """
WITH judged AS MATERIALIZED (
    SELECT c.id AS contact_id, CASE
        WHEN NOT %(open)s THEN 'not_open'
        WHEN NOT ({filter}) THEN 'filter'
        WHEN EXISTS (SELECT 1 FROM crm_selectionmember m WHERE m.tenant_id = c.tenant_id AND m.contact_id = c.id
                     AND m.selection_id = ANY(%(exclusions)s::bigint[])) THEN 'excluded'
        WHEN EXISTS (SELECT 1 FROM participants_participant p WHERE p.tenant_id = c.tenant_id
                     AND p.flow_id = %(flow)s AND p.contact_id = c.id AND p.status = 'active') THEN 'active'
        WHEN %(once)s AND EXISTS (SELECT 1 FROM participants_participant p WHERE p.tenant_id = c.tenant_id
                     AND p.contact_id = c.id AND p.flow_id = %(flow)s) THEN 'once'
        WHEN %(control)s > 0 AND ('x' || substr(md5(%(flow)s::text || ':' || c.id::text), 1, 8))::bit(32)::bigint
                     %% 100 < %(control)s THEN 'control'
        WHEN %(by_flow)s AND (SELECT count(*) FROM participants_participant p WHERE p.tenant_id = c.tenant_id
                     AND p.contact_id = c.id AND p.flow_id = %(flow)s AND p.source = ANY(%(flow_sources)s::text[])
                     AND p.enrolled_at > %(loop_since)s) >= %(loop_entries)s THEN 'loop'
        ELSE 'enrolled' END AS verdict
    FROM crm_contact c
    LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id
    WHERE c.tenant_id = %(tenant)s AND c.id = ANY(%(contacts)s::bigint[])
), kept AS (
    INSERT INTO participants_suggestion (tenant_id, flow_id, contact_id, source, source_id, actor_id, verdict,
                                         "values", at)
    SELECT %(tenant)s, %(flow)s, contact_id, %(source)s, %(source_id)s, %(actor)s, verdict, NULL, %(now)s
    FROM judged ORDER BY contact_id
    RETURNING id, contact_id, verdict
), born AS (
    INSERT INTO participants_participant (tenant_id, flow_id, contact_id, enrolled_on, enrolled_at, source,
        suggestion_id, event_data, status, step_since, waiting, due_at, visit_number, attempts, held_reason,
        drop_reason)
    SELECT %(tenant)s, %(flow)s, contact_id, %(today)s, %(now)s, %(source)s, id,
           came.data::jsonb, 'active', %(now)s, FALSE, %(now)s, 0, 0, '', ''
    FROM kept
    LEFT JOIN unnest(%(data_ids)s::bigint[], %(data)s::text[]) AS came(contact_id, data) USING (contact_id)
    WHERE verdict = 'enrolled'
    RETURNING id, contact_id
), told AS (
    INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data, flow_id,
                           participant_id)
    SELECT %(tenant)s, %(today)s, %(now)s, 'flow.enrolled', contact_id, 'flow', %(flow)s, '', '{{}}'::jsonb,
           %(flow)s, id
    FROM born
)
SELECT verdict, count(*), array_agg(contact_id) FILTER (WHERE verdict = 'enrolled') FROM judged GROUP BY verdict
"""


def suggest(
    *,
    flow_id: int,
    contact_ids: Sequence[int],
    source: Source,
    now: dt.datetime,
    event_data: Mapping[int, Mapping[str, Any]] | None = None,
) -> SuggestResult:
    """Judge and enrol contacts of the open tenant scope; keep every verdict. Set-based: four statements.

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
        enrolled = _judge(cursor, flow, document, locked, source, now, event_data, result)
        if enrolled:
            count_of_flow(cursor, flow_id=flow.pk, measure="enrolled", amount=len(enrolled))
            if document.settings.remove_from_flows:
                move_out(
                    cursor,
                    tenant_id=require_tenant_id(),
                    flow_ids=document.settings.remove_from_flows,
                    contact_ids=enrolled,
                    to_flow=flow.pk,
                    now=now,
                )
    return result


def _judge(
    cursor: psycopg.Cursor[Any],
    flow: Flow,
    document: FlowDocument,
    contact_ids: list[int],
    source: Source,
    now: dt.datetime,
    event_data: Mapping[int, Mapping[str, Any]] | None,
    result: SuggestResult,
) -> list[int]:
    settings = document.settings
    rule = "TRUE"
    rule_params: dict[str, Any] = {}
    if document.filter is not None and not document.filter.is_empty:
        compiled = compile_criteria(document.filter, now=now, zone=settings.zone)
        rule, rule_params = _named(compiled.sql, compiled.params)
    cursor.execute(
        _JUDGE.format(filter=rule),
        {
            **rule_params,
            "tenant": require_tenant_id(),
            "flow": flow.pk,
            "contacts": contact_ids,
            "open": is_open(flow, now=now),
            "exclusions": list(settings.exclusions),
            "once": settings.once_only,
            "control": settings.control_share,
            "by_flow": source.kind in FLOW_SOURCES,
            "flow_sources": list(FLOW_SOURCES),
            "loop_since": now - LOOP_WINDOW,
            "loop_entries": LOOP_ENTRIES,
            "source": source.kind,
            "source_id": source.id,
            "actor": source.actor_id,
            "now": now,
            "today": now.date(),
            "data_ids": list(event_data or ()),
            "data": [json.dumps(data, default=str) for data in (event_data or {}).values()],
        },
    )
    enrolled: list[int] = []
    for verdict, count, ids in cursor:
        result.verdicts[verdict] += count
        enrolled = ids or enrolled
    return enrolled


def _named(sql: str, params: list[Any]) -> tuple[str, dict[str, Any]]:
    """Turn positional placeholders into named ones, for a statement that uses names."""
    parts = sql.split("%s")
    names = [f"rule_{index}" for index in range(len(params))]
    text = parts[0] + "".join(f"%({name})s{part}" for name, part in zip(names, parts[1:], strict=True))
    return text.replace("{", "{{").replace("}", "}}"), dict(zip(names, params, strict=True))


def is_open(flow: Flow, *, now: dt.datetime) -> bool:
    """Say whether enrolment is open: running or paused, and its end not passed."""
    return flow.status != Flow.Status.NOT_RUNNING and not (
        flow.enrolment_ends_at and now >= flow.enrolment_ends_at
    )
