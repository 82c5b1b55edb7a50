"""Marks success: a state that holds after a change, or an event that happened while the contact was in the flow."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from participants import control
from participants.intake.matching import Match
from participants.operations.marking import mark_events, mark_state

Cursor = psycopg.Cursor[Any]


def mark_success(cursor: Cursor, match: Match, *, now: dt.datetime) -> int:
    """Mark whoever is active and met a criterion; return how many the engine should take at once (*move to Finish
    when met*). While paused the mark is set, the move waits. Counted once: a mark that is there stays."""
    marked = mark_state(cursor, flow=match.flow, document=match.document, contact_ids=match.changed, now=now)
    control.mark_state(
        cursor, flow_id=match.flow.pk, document=match.document, contact_ids=match.changed, now=now
    )
    marked += _by_events(cursor, match, now=now)
    return marked if match.document.settings.move_to_finish else 0


def _by_events(cursor: Cursor, match: Match, *, now: dt.datetime) -> int:
    """An event counts after enrolment only, and never the one that enrolled the contact."""
    happened = _whose(cursor, match)
    if not happened:
        return 0
    pairs = [(contact_id, at) for contact_id, moments in happened.items() for at, _ in moments]
    control.mark_events(
        cursor,
        flow_id=match.flow.pk,
        contact_ids=[contact_id for contact_id, _ in pairs],
        moments=[at for _, at in pairs],
    )
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
    return mark_events(cursor, flow=match.flow, document=match.document, met=met, now=now)


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
