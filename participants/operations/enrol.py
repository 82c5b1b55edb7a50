"""Suggestions are judged and enrolled here, whatever road they came by: set-based, each once, with the verdict kept.

The order of the rules (docs/state-machines.md): enrolment open, filter, exclusion list, active already, once only,
held out as control group, loop. Contacts are locked first (the contact is the mutex), so two events for one
contact at the same instant never enrol twice.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg

from core.db.cursors import raw_cursor
from core.db.given import Given
from core.tenancy import require_tenant_id
from crm.criteria.explain import first_failure
from crm.criteria.schema import Criteria
from crm.criteria.sql import FROM, CompiledCriteria, compile_criteria
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

# The first rule that fails, in the order of the rules; only the rules that the flow has are asked.
_SEE = """
SELECT c.id, CASE WHEN NOT %(opened)s THEN 'not_open' WHEN NOT ({rule}) THEN 'filter' {whens} ELSE 'enrolled' END,
       {seen}
FROM {source} {joins}
WHERE c.tenant_id = %(tenant)s AND c.id = ANY(%(contacts)s::bigint[])
ORDER BY c.id
"""
_EXCLUSIONS = """
LEFT JOIN (
    SELECT m.contact_id, min(m.selection_id) AS selection_id FROM crm_selectionmember m
    WHERE m.tenant_id = %(tenant)s AND m.selection_id = ANY(%(exclusions)s::bigint[])
      AND m.contact_id = ANY(%(contacts)s::bigint[])
    GROUP BY m.contact_id
) x ON x.contact_id = c.id
"""
_ACTIVE = """
LEFT JOIN participants_participant active ON active.tenant_id = c.tenant_id AND active.flow_id = %(flow)s
     AND active.contact_id = c.id AND active.status = 'active'
"""
_EARLIER = """
LEFT JOIN (
    SELECT p.contact_id, max(p.id) AS newest,
           count(*) FILTER (WHERE p.source = ANY(%(flow_sources)s::text[]) AND p.enrolled_at > %(since)s) AS by_flows
    FROM participants_participant p
    WHERE p.tenant_id = %(tenant)s AND p.flow_id = %(flow)s AND p.contact_id = ANY(%(contacts)s::bigint[])
    GROUP BY p.contact_id
) earlier ON earlier.contact_id = c.id
"""
_SHARE = "('x' || substr(md5(%(flow)s::text || ':' || c.id::text), 1, 8))::bit(32)::bigint %% 100"


_KEEP = """
WITH kept AS (
    INSERT INTO participants_suggestion (tenant_id, flow_id, contact_id, verdict, "values", source, source_id,
                                         actor_id, at)
    SELECT %(tenant)s, %(flow)s, {columns}, %(source)s, %(source_id)s::bigint, %(actor)s::bigint, %(now)s
    FROM {rows}
    RETURNING id, contact_id, verdict
), born AS (
    INSERT INTO participants_participant (tenant_id, flow_id, contact_id, enrolled_on, enrolled_at, source,
        suggestion_id, event_data, status, step_since, waiting, due_at, visit_number, attempts, held_reason,
        drop_reason)
    SELECT %(tenant)s, %(flow)s, kept.contact_id, %(today)s, %(now)s, %(source)s, kept.id, {data},
           'active', %(now)s, FALSE, %(now)s, 0, 0, '', ''
    FROM kept {came}
    WHERE kept.verdict = 'enrolled'
    RETURNING id, contact_id
)
INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data, flow_id,
                       participant_id)
SELECT %(tenant)s, %(today)s, %(now)s, 'flow.enrolled', contact_id, 'flow', %(flow)s, '', '{{}}'::jsonb, %(flow)s, id
FROM born
"""
_CAME = (
    "LEFT JOIN unnest(%(data_ids)s::bigint[], %(data)s::text[]) AS came(contact_id, data) USING (contact_id)"
)


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
    rows = _see(cursor, flow=flow, document=document, contact_ids=contact_ids, source=source, now=now)
    failing = [row[0] for row in rows if row[1] == Verdict.FILTER] if document.filter else []
    why: dict[int, Mapping[str, Any]] = {}
    if failing and document.filter:
        zone = document.settings.zone
        found = first_failure(document.filter, contact_ids=failing, now=now, zone=zone, cursor=cursor)
        # Few different answers for many contacts: each is made, and later written as JSON, once.
        told = {failure: failure.as_values() for failure in set(found.values())}
        why = {contact_id: told[failure] for contact_id, failure in found.items()}
    said: dict[tuple[str, int | None], Mapping[str, Any] | None] = {}

    def values_of(contact_id: int, verdict: str, seen: int | None) -> Mapping[str, Any] | None:
        if verdict == Verdict.FILTER:
            return why.get(contact_id)
        key = (verdict, seen)
        if key not in said:
            said[key] = _values(verdict, seen, flow=flow, document=document)
        return said[key]

    return [(row[0], row[1], None if row[1] == "enrolled" else values_of(*row)) for row in rows]


def _see(
    cursor: psycopg.Cursor[Any],
    *,
    flow: Flow,
    document: FlowDocument,
    contact_ids: Sequence[int],
    source: Source,
    now: dt.datetime,
) -> list[tuple[int, str, int | None]]:
    """Return each contact with its verdict and the number that a rule saw (a selection, a participant, entries)."""
    settings = document.settings
    rule, params = _named(compile_criteria(document.filter or Criteria(), now=now, zone=settings.zone))
    rules, joins = _rules(settings, by_flow=source.kind in FLOW_SOURCES)
    seen = "".join(f" WHEN {fails} THEN {value}" for fails, _, value in rules if value)
    cursor.execute(
        _SEE.format(
            rule=rule,
            source=FROM,
            joins=joins,
            whens=" ".join(f"WHEN {fails} THEN '{verdict}'" for fails, verdict, _ in rules),
            seen=f"CASE{seen} END" if seen else "NULL",
        ),
        {
            **params,
            "opened": is_open(flow, now=now),
            "flow": flow.pk,
            "tenant": require_tenant_id(),
            "contacts": list(contact_ids),
            "exclusions": list(settings.exclusions),
            "flow_sources": list(FLOW_SOURCES),
            "since": now - LOOP_WINDOW,
            "share": settings.control_share,
            "entries": LOOP_ENTRIES,
        },
    )
    return cursor.fetchall()


def _named(rule: CompiledCriteria) -> tuple[str, dict[str, Any]]:
    """Return the filter's SQL with its parameters by name, to stand among others."""
    number = count()

    def name(found: re.Match[str]) -> str:
        return found[0] if found[0] == "%%" else f"%(rule_{next(number)})s"

    return re.sub("%%|%s", name, rule.sql), {f"rule_{i}": value for i, value in enumerate(rule.params)}


def _rules(settings: FlowSettings, *, by_flow: bool) -> tuple[list[tuple[str, Verdict, str]], str]:
    """Return the rules after the filter as (SQL that is true where it fails, verdict, SQL of what it saw)."""
    rules = []
    joins = _ACTIVE
    if settings.exclusions:
        joins += _EXCLUSIONS
        rules.append(("x.selection_id IS NOT NULL", Verdict.EXCLUDED, "x.selection_id"))
    rules.append(("active.id IS NOT NULL", Verdict.ACTIVE, "active.id"))
    if settings.once_only or by_flow:
        joins += _EARLIER
    if settings.once_only:
        rules.append(("earlier.newest IS NOT NULL", Verdict.ONCE, "earlier.newest"))
    if settings.control_share:
        rules.append((f"{_SHARE} < %(share)s", Verdict.CONTROL, ""))
    if by_flow:
        rules.append(("earlier.by_flows >= %(entries)s", Verdict.LOOP, "earlier.by_flows"))
    return rules, joins


def _values(
    verdict: str, seen: int | None, *, flow: Flow, document: FlowDocument
) -> Mapping[str, Any] | None:
    """Return the values that a rule saw, in the words that the pages read."""
    known: dict[str, Mapping[str, Any]] = {
        Verdict.NOT_OPEN: {"status": flow.status},
        Verdict.EXCLUDED: {"selection": seen},
        Verdict.ACTIVE: {"participant": seen},
        Verdict.ONCE: {"participant": seen},
        Verdict.CONTROL: {"share": document.settings.control_share},
        Verdict.LOOP: {"entries": seen},
    }
    return known.get(verdict)


def _keep(
    cursor: psycopg.Cursor[Any],
    *,
    flow: Flow,
    judged: Sequence[Judged],
    source: Source,
    now: dt.datetime,
    event_data: Mapping[int, Mapping[str, Any]],
) -> None:
    if not judged:
        return
    texts: dict[int, str | None] = {}
    for _, _, seen in judged:
        if id(seen) not in texts:
            texts[id(seen)] = as_json(seen)
    rows = Given(
        {"contact_id": ("bigint", [contact_id for contact_id, _, _ in judged])},
        {
            "verdict": ("text", [verdict for _, verdict, _ in judged]),
            "seen": ("jsonb", [texts[id(seen)] for _, _, seen in judged]),
        },
    )
    cursor.execute(
        _KEEP.format(
            columns=rows.list("contact_id", "verdict", "seen"),
            rows=rows.source,
            data="came.data::jsonb" if event_data else "NULL::jsonb",
            came=_CAME if event_data else "",
        ),
        {
            **rows.parameters,
            "tenant": require_tenant_id(),
            "flow": flow.pk,
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
