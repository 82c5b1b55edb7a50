"""New success criteria count for everyone inside from the save: they are judged by them here, set-based.

States as they hold now, events as they happened since the enrolment. The first few are judged with the save, the others
by a job. With *move to Finish when met* whoever has the mark is due: the engine finishes them, after a pause at resume.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from core.db.cursors import raw_cursor
from core.jobs import Slice, start_job
from core.models import Job
from core.tenancy import require_tenant_id
from flows.document import FlowDocument
from flows.models import Flow
from flows.queries import newest_document
from participants.control import held_out_contacts, judge_all
from participants.models import Participant
from participants.operations.marking import hurry_marked, mark_events, mark_state
from participants.success_events import Inside, event_rules, met_since

AT_ONCE: Final = 2_000
SLICE: Final = 5_000

# Their contacts are locked first, in id order, as everywhere: the contact is the mutex.
_PEOPLE = """
SELECT p.id, p.contact_id, c.company_id, p.enrolled_at, (p.event_data ->> 'event_id')::bigint
FROM unnest(%s::bigint[]) AS asked(id)
JOIN LATERAL (
    SELECT * FROM participants_participant WHERE id = asked.id AND tenant_id = %s OFFSET 0
) p ON TRUE
JOIN LATERAL (
    SELECT company_id FROM crm_contact WHERE id = p.contact_id AND tenant_id = p.tenant_id OFFSET 0
) c ON TRUE
WHERE p.status = 'active'
"""


def judge_success(*, flow_id: int, now: dt.datetime) -> None:
    """Judge everyone active by the flow's newest revision: up to AT_ONCE here, more by a job."""
    flow = Flow.objects.get(pk=flow_id)
    after, number = _judge(flow, after=0, limit=AT_ONCE, now=now)
    held_out = held_out_contacts(flow_id, success=False)
    if number == AT_ONCE or held_out[AT_ONCE:].exists():
        start_job(
            kind=JUDGE_SUCCESS.name, now=now, arguments={"flow": flow_id, "after": after}, title=flow.name
        )
    else:
        _judge_held_out(flow, now=now)


class JudgeSuccess:
    """The job: the others of a large flow, in the order of their ids."""

    name = "judge_success"

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Judge the next participants; nobody where the flow has ended."""
        after = int(job.cursor.get("after", job.arguments["after"]))
        flow = Flow.objects.exclude(status=Flow.Status.NOT_RUNNING).filter(pk=job.arguments["flow"]).first()
        last, number = _judge(flow, after=after, limit=SLICE, now=now) if flow is not None else (after, 0)
        if flow is not None and number < SLICE:
            _judge_held_out(flow, now=now)
        done = job.done + number
        return Slice({"after": last}, done, done, finished=number < SLICE)


def _judge(flow: Flow, *, after: int, limit: int, now: dt.datetime) -> tuple[int, int]:
    """Judge the next active participants; return the last one's id and how many they were."""
    active = Participant.objects.filter(flow_id=flow.pk, status=Participant.Status.ACTIVE, pk__gt=after)
    rows = list(active.order_by("pk").values_list("pk", "contact_id")[:limit])
    if not rows:
        return after, 0
    contacts = [contact_id for _, contact_id in rows]
    document = newest_document(flow.pk)
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM crm_contact WHERE tenant_id = %s AND id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
            [require_tenant_id(), contacts],
        )
        mark_state(cursor, flow=flow, document=document, contact_ids=contacts, now=now)
        _events(cursor, flow, document, [pk for pk, _ in rows], now=now)
        if document.settings.move_to_finish:
            hurry_marked(cursor, flow=flow, contact_ids=contacts, now=now)
    return rows[-1][0], len(rows)


def _judge_held_out(flow: Flow, *, now: dt.datetime) -> None:
    with raw_cursor() as cursor:
        judge_all(cursor, flow_id=flow.pk, document=newest_document(flow.pk), now=now)


def _events(
    cursor: psycopg.Cursor[Any],
    flow: Flow,
    document: FlowDocument,
    participant_ids: Sequence[int],
    *,
    now: dt.datetime,
) -> None:
    rules = event_rules(document)
    if not rules:
        return
    cursor.execute(_PEOPLE, [list(participant_ids), require_tenant_id()])
    met = met_since(cursor, rules, [Inside(*row) for row in cursor.fetchall()])
    mark_events(cursor, flow=flow, document=document, met=met, now=now)


JUDGE_SUCCESS: Final = JudgeSuccess()
