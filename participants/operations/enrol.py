"""Suggestions are judged and enrolled here, whatever road they came by: set-based, each once, with the verdict kept.

The rules are judging's. Contacts are locked first (the contact is the mutex), so two events for one contact at the
same instant never enrol twice. Then one statement judges, keeps the verdicts and enrols; nothing of a contact travels
through Python but what failed the filter, whose first failing line is put into words.
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
from flows.document import FlowDocument
from flows.models import Flow
from participants import control
from participants.engine.records import as_json, count_of_flow
from participants.engine.route import route_of
from participants.operations.judging import Judging, Verdict, explain, judging
from participants.operations.judging import Source as Source
from participants.operations.leaving import move_out
from participants.operations.marking import mark_state
from participants.success import state_criteria


@dataclass(slots=True)
class SuggestResult:
    """How many suggestions got which verdict."""

    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def enrolled(self) -> int:
        """Those who are in now."""
        return self.verdicts[Verdict.ENROLLED]


_LOCK = """
SELECT count(*) FROM (
    SELECT 1 FROM crm_contact
    WHERE tenant_id = %s AND id = ANY(%s::bigint[]) AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
) locked
"""

# Those who failed the filter are kept by the next statement, which knows why. What is enrolled together is written by
# contact: in one order, whatever the plan.
_ENROL = """
WITH judged AS MATERIALIZED ({judged}), kept AS (
    INSERT INTO participants_suggestion (tenant_id, flow_id, contact_id, verdict, "values", source, source_id,
                                         actor_id, at)
    SELECT %(tenant)s, %(flow)s, contact_id, verdict, seen, %(source)s, %(source_id)s::bigint, %(actor)s::bigint,
           %(now)s
    FROM judged WHERE verdict <> 'filter'
    ORDER BY contact_id
    RETURNING id, contact_id, verdict
){held}, born AS (
    INSERT INTO participants_participant (tenant_id, flow_id, contact_id, enrolled_on, enrolled_at, source,
        suggestion_id, event_data, status, step_since, waiting, due_at, visit_number, attempts, held_reason,
        drop_reason)
    SELECT %(tenant)s, %(flow)s, passed.contact_id, %(today)s, %(now)s, %(source)s, passed.id, passed.data::jsonb,
           'active', %(now)s, FALSE, %(now)s, 0, 0, '', ''
    FROM {passed} passed
    ORDER BY passed.contact_id
    RETURNING id, contact_id
), told AS (
    INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data, flow_id,
                           participant_id)
    SELECT %(tenant)s, %(today)s, %(now)s, 'flow.enrolled', contact_id, 'flow', %(flow)s, '', '{{}}'::jsonb,
           %(flow)s, id
    FROM born
)
SELECT verdict, count(*), array_agg(contact_id ORDER BY contact_id) FILTER (WHERE verdict = ANY(%(wanted)s::text[]))
FROM judged GROUP BY verdict
"""
# Who is held out is watched from now on (participants.control).
_HELD = """, held AS (
    INSERT INTO participants_heldout (tenant_id, flow_id, contact_id, held_at)
    SELECT %(tenant)s, %(flow)s, contact_id, %(now)s FROM kept WHERE verdict = 'control'
    ON CONFLICT DO NOTHING
)"""
_PASSED = "(SELECT contact_id, id, NULL::text AS data FROM kept WHERE verdict = 'enrolled')"
# What triggered comes along by a GROUP BY, as in judging: a join would be planned for the one row that `kept` seems.
_PASSED_WITH_DATA = """(
    SELECT contact_id, max(id) AS id, min(data COLLATE "C") AS data
    FROM (
        SELECT contact_id, id, NULL::text AS data FROM kept WHERE verdict = 'enrolled'
        UNION ALL
        SELECT came.contact_id, NULL, came.data
        FROM unnest(%(data_ids)s::bigint[], %(data)s::text[]) AS came(contact_id, data)
    ) both_sides
    GROUP BY contact_id HAVING count(id) > 0
)"""
_KEEP_FAILED = """
INSERT INTO participants_suggestion (tenant_id, flow_id, contact_id, verdict, "values", source, source_id, actor_id, at)
SELECT %(tenant)s, %(flow)s, failed.contact_id, 'filter', answer.seen, %(source)s, %(source_id)s::bigint,
       %(actor)s::bigint, %(now)s
FROM unnest(%(contacts)s::bigint[], %(which)s::int[]) AS failed(contact_id, number)
LEFT JOIN (
    SELECT number, seen::jsonb AS seen FROM unnest(%(answers)s::text[]) WITH ORDINALITY AS a(seen, number) OFFSET 0
) answer USING (number)
"""


def suggest(
    *,
    flow_id: int,
    contact_ids: Sequence[int],
    source: Source,
    now: dt.datetime,
    event_data: Mapping[int, Mapping[str, Any]] | None = None,
    closed: Mapping[str, str] | None = None,
) -> SuggestResult:
    """Judge and enrol contacts of the open tenant scope; keep every verdict. Set-based: five statements at most.

    `event_data` is what triggered, by contact id; it stays with the participant. `closed` says why enrolment was closed
    at the moment that counts, though it is open now. Contacts that do not exist, are
    erased or of another tenant are left out. Cost grows with the contacts given, not with the flow or the tenant.
    """
    flow = Flow.objects.filter(pk=flow_id, deleted_at=None).first()
    result = SuggestResult()
    if flow is None or not flow.revision or not contact_ids:
        return result
    document = route_of(flow_id=flow.pk, revision=flow.revision).document
    removes = document.settings.remove_from_flows
    with raw_cursor() as cursor:
        ids = list(set(contact_ids))
        cursor.execute(_LOCK, [require_tenant_id(), ids])
        named = _enrol(
            cursor, judging(flow=flow, document=document, source=source, now=now, closed=closed), flow, document,
            ids, source=source, now=now, event_data=event_data or {}, result=result,
        )  # fmt: skip
        if result.enrolled:
            count_of_flow(cursor, flow_id=flow.pk, measure="enrolled", amount=result.enrolled, now=now)
            # A state counts as soon as it holds, also while nobody moves: before the start, or in a pause.
            mark_state(
                cursor, flow=flow, document=document, contact_ids=named.get(Verdict.ENROLLED, []), now=now
            )
        held = named.get(Verdict.CONTROL, [])
        control.mark_state(cursor, flow_id=flow.pk, document=document, contact_ids=held, now=now)
        if result.enrolled and removes:
            move_out(
                cursor,
                tenant_id=require_tenant_id(),
                flow_ids=removes,
                contact_ids=named[Verdict.ENROLLED],
                to_flow=flow.pk,
                now=now,
            )
    return result


def _enrol(
    cursor: psycopg.Cursor[Any],
    made: Judging,
    flow: Flow,
    document: FlowDocument,
    ids: Sequence[int],
    *,
    source: Source,
    now: dt.datetime,
    event_data: Mapping[int, Mapping[str, Any]],
    result: SuggestResult,
) -> dict[str, list[int]]:
    """Judge locked contacts, keep the verdicts, enrol; count into the result. Return who was enrolled where that is
    asked for, by contact id."""
    named_too = document.settings.remove_from_flows or state_criteria(document)
    wanted = [Verdict.FILTER, *([Verdict.ENROLLED, Verdict.CONTROL] if named_too else [])]
    told = {
        "tenant": require_tenant_id(),
        "flow": flow.pk,
        "source": source.kind,
        "source_id": source.id,
        "actor": source.actor_id,
        "now": now,
    }
    cursor.execute(
        _ENROL.format(
            judged=made.sql,
            held=_HELD if document.settings.control_share else "",
            passed=_PASSED_WITH_DATA if event_data else _PASSED,
        ),
        {
            **made.params,
            **told,
            "contacts": ids,
            "wanted": wanted,
            "today": now.date(),
            "data_ids": list(event_data),
            "data": [as_json(data) for data in event_data.values()],
        },
    )
    named: dict[str, list[int]] = {}
    for verdict, number, contacts in cursor.fetchall():
        result.verdicts[verdict] += number
        named[verdict] = contacts or []
    failed = named.get(Verdict.FILTER, [])
    if failed:
        _keep_failed(cursor, failed, explain(cursor, document=document, contact_ids=failed, now=now), told)
    return named


def _keep_failed(
    cursor: psycopg.Cursor[Any],
    contact_ids: Sequence[int],
    why: Mapping[int, Mapping[str, Any]],
    told: Mapping[str, Any],
) -> None:
    """Keep the verdict of those who failed the filter; an answer that many share travels once."""
    numbers: dict[int, int] = {}
    answers: list[str | None] = []
    for values in why.values():
        if id(values) not in numbers:
            answers.append(as_json(values))
            numbers[id(values)] = len(answers)
    which = [numbers[id(why[one])] if one in why else None for one in contact_ids]
    cursor.execute(_KEEP_FAILED, {**told, "contacts": contact_ids, "which": which, "answers": answers})
