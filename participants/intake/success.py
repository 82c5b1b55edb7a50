"""Marks success: a state that holds after a change, or an event that happened while the contact was in the flow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from crm.criteria.among import those_who
from flows.document import FlowDocument
from flows.models import Flow
from participants.engine.records import count_moments, count_of_flow
from participants.intake.matching import Match
from participants.success import NEVER, success_sql

Cursor = psycopg.Cursor[Any]


def mark_success(cursor: Cursor, match: Match, *, now: dt.datetime) -> int:
    """Mark whoever is active and met a criterion; return how many the engine should take at once (*move to Finish
    when met*). While paused the mark is set, the move waits. Counted once: a mark that is there stays."""
    marked = mark_state(cursor, flow=match.flow, document=match.document, contact_ids=match.changed, now=now)
    marked += _by_events(cursor, match, now=now)
    return marked if match.document.settings.move_to_finish else 0


def mark_state(
    cursor: Cursor, *, flow: Flow, document: FlowDocument, contact_ids: Sequence[int], now: dt.datetime
) -> int:
    """Mark those of these contacts for whom a state criterion holds now; count them; return how many."""
    expression, params = success_sql(document, now=now)
    if expression == NEVER or not contact_ids:
        return 0
    move = document.settings.move_to_finish
    cursor.execute(
        f"""
        UPDATE participants_participant p
        SET success_at = %s, due_at = CASE WHEN %s THEN least(coalesce(p.due_at, %s), %s) ELSE p.due_at END
        WHERE p.tenant_id = %s AND p.flow_id = %s AND p.status = 'active' AND p.success_at IS NULL
          AND p.contact_id = ANY(ARRAY({those_who(expression)}))
        """,
        [now, move, now, now, require_tenant_id(), flow.pk, list(contact_ids), require_tenant_id(), *params],
    )
    marked = cursor.rowcount
    if marked:
        count_of_flow(cursor, flow_id=flow.pk, measure="success_met", amount=marked, now=now)
    return marked


def _by_events(cursor: Cursor, match: Match, *, now: dt.datetime) -> int:
    """An event counts after enrolment only, and never the one that enrolled the contact."""
    happened = _whose(cursor, match)
    if not happened:
        return 0
    cursor.execute(
        "SELECT id, contact_id, enrolled_at, (event_data ->> 'event_id')::bigint FROM participants_participant "
        "WHERE tenant_id = %s AND flow_id = %s AND contact_id = ANY(%s::bigint[]) AND status = 'active' "
        "AND success_at IS NULL",
        [require_tenant_id(), match.flow.pk, list(happened)],
    )
    met: dict[int, dt.datetime] = {}
    for participant_id, contact_id, enrolled_at, brought_by in cursor:
        moments = [at for at, event in happened[contact_id] if at >= enrolled_at and event != brought_by]
        if moments:
            met[participant_id] = min(moments)
    if met:
        _mark(cursor, match, met, now=now)
        moments = list(met.values())
        count_moments(cursor, flow_id=match.flow.pk, measure="success_met", moments=moments)
    return len(met)


def _whose(cursor: Cursor, match: Match) -> dict[int, list[tuple[dt.datetime, int]]]:
    """Return when what happened, by contact; an event of a company is one of all its contacts."""
    happened: dict[int, list[tuple[dt.datetime, int]]] = {}
    of_company: dict[int, list[tuple[dt.datetime, int]]] = {}
    for rule, event in match.successes:
        happened.setdefault(event.contact_id, []).append((event.at, event.id))
        if rule.of_company and event.company_id is not None:
            of_company.setdefault(event.company_id, []).append((event.at, event.id))
    if of_company:
        cursor.execute(
            "SELECT id, company_id FROM crm_contact WHERE tenant_id = %s AND company_id = ANY(%s::bigint[])",
            [require_tenant_id(), list(of_company)],
        )
        for contact_id, company_id in cursor:
            happened.setdefault(contact_id, []).extend(of_company[company_id])
    return happened


def _mark(cursor: Cursor, match: Match, met: dict[int, dt.datetime], *, now: dt.datetime) -> None:
    move = match.document.settings.move_to_finish
    cursor.execute(
        """
        UPDATE participants_participant p
        SET success_at = v.at, due_at = CASE WHEN %s THEN least(coalesce(p.due_at, %s), %s) ELSE p.due_at END
        FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(id, at)
        WHERE p.tenant_id = %s AND p.id = v.id AND p.status = 'active'
        """,
        [move, now, now, list(met), list(met.values()), require_tenant_id()],
    )
