"""When a flow's clock has struck: whom its triggers suggest, and what of the flow depends on today. By jobs of slices,
so that a selection of a million holds nobody up."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Final

import psycopg

from core.db.cursors import raw_cursor
from core.jobs import Slice, start_job
from core.models import Job
from core.tenancy import require_tenant_id, tenant_scope
from crm.criteria.sql import FROM, compile_criteria
from flows.clock import CATCH_UP, daily_between, strikes_between
from flows.document import FlowDocument, Trigger
from flows.models import Flow
from flows.operations import clock, lifecycle
from flows.triggers.clocked import Audience, ClockedTrigger
from flows.triggers.table import TRIGGER_KINDS
from participants import control
from participants.engine.route import route_of
from participants.intake.waking import hear_criteria
from participants.models import Participant
from participants.operations.enrol import Source, suggest
from participants.operations.marking import mark_state

SLICE: Final = 5_000
JUDGED: Final = 10_000


def strike(*, tenant_id: int, flow_id: int, now: dt.datetime) -> bool:
    """Start the jobs of everything that has struck since it was last looked at; say whether there was anything.

    One transaction with the flow's row locked, so a moment strikes once; somebody else at it means nothing to do.
    """
    with tenant_scope(tenant_id):
        on = Flow.objects.exclude(status=Flow.Status.NOT_RUNNING).filter(pk=flow_id, clock_at__lte=now)
        flow = on.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
        if flow is None or flow.clock_since is None:
            return False
        document = route_of(flow_id=flow.pk, revision=flow.revision).document
        since = max(flow.clock_since, now - CATCH_UP)
        for trigger, at in strikes_between(document, after=since, until=now):
            arguments = {"flow": flow.pk, "trigger": str(trigger.id), "at": at.isoformat()}
            start_job(kind=STRIKE_TRIGGER.name, now=now, arguments=arguments, title=flow.name)
        if flow.judges_daily and daily_between(document, after=since, until=now):
            start_job(kind=JUDGE_DAILY.name, now=now, arguments={"flow": flow.pk}, title=flow.name)
        lifecycle.begin(flow, now=now)
        clock.struck(flow, document, now=now)
        flow.save(update_fields=clock.FIELDS)
        return True


class StrikeTrigger:
    """The job: suggests the audience of a strike, in the order of the contacts' ids, each for that day once."""

    name = "strike_trigger"

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Suggest the next contacts; nobody where the trigger or the flow is gone."""
        after, done = int(job.cursor.get("after", 0)), job.done
        found = _struck(job, now=now)
        ids = _next(found, after=after, now=now) if found is not None else []
        if found is not None and ids:
            done += _suggest(found, ids, now=now)
        finished = len(ids) < SLICE
        return Slice({"after": ids[-1] if ids else after}, done, done, finished)


class Struck:
    """A strike of one trigger of a flow that is on."""

    def __init__(self, flow: Flow, document: FlowDocument, trigger: Trigger, audience: Audience) -> None:
        self.flow, self.document, self.trigger, self.audience = flow, document, trigger, audience


def _struck(job: Job, *, now: dt.datetime) -> Struck | None:
    flow = Flow.objects.exclude(status=Flow.Status.NOT_RUNNING).filter(pk=job.arguments["flow"]).first()
    if flow is None:
        return None
    document = route_of(flow_id=flow.pk, revision=flow.revision).document
    wanted = uuid.UUID(job.arguments["trigger"])
    trigger = next((one for one in document.triggers if one.id == wanted), None)
    kind = TRIGGER_KINDS[trigger.kind] if trigger else None
    if trigger is None or not isinstance(kind, ClockedTrigger):
        return None
    at = dt.datetime.fromisoformat(job.arguments["at"])
    audience = kind.audience(trigger, at, now=now, zone=document.settings.zone)
    return Struck(flow, document, trigger, audience) if audience is not None else None


def _next(struck: Struck, *, after: int, now: dt.datetime) -> list[int]:
    where, params = f"({struck.audience.where})", list(struck.audience.params)
    criteria = struck.trigger.criteria
    if criteria is not None and not criteria.is_empty:
        compiled = compile_criteria(criteria, now=now, zone=struck.document.settings.zone)
        where, params = f"{where} AND ({compiled.sql})", [*params, *compiled.params]
    sql: Any = (
        f"SELECT c.id FROM {FROM} WHERE c.tenant_id = %s AND c.id > %s AND c.deleted_at IS NULL AND {where} "
        f"ORDER BY c.id LIMIT {SLICE}"
    )
    with raw_cursor() as cursor:
        cursor.execute(sql, [require_tenant_id(), after, *params])
        return [row[0] for row in cursor]


_ONCE = """
INSERT INTO participants_clockfire (tenant_id, flow_id, trigger_id, contact_id, day)
SELECT %s, %s, %s::uuid, id, %s FROM unnest(%s::bigint[]) AS v(id)
ON CONFLICT DO NOTHING RETURNING contact_id
"""


def _suggest(struck: Struck, ids: list[int], *, now: dt.datetime) -> int:
    with raw_cursor() as cursor:
        key = [require_tenant_id(), struck.flow.pk, struck.trigger.id, struck.audience.day, ids]
        cursor.execute(_ONCE, key)
        first_time = [row[0] for row in cursor]
    data = dict.fromkeys(first_time, struck.audience.data)
    found = suggest(
        flow_id=struck.flow.pk, contact_ids=first_time, source=Source("trigger"), now=now, event_data=data
    )
    return found.enrolled


class JudgeDaily:
    """The job: success and waits whose criteria depend on today, judged for everyone active."""

    name = "judge_daily"

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Judge the next participants."""
        after = int(job.cursor.get("after", 0))
        flow = Flow.objects.exclude(status=Flow.Status.NOT_RUNNING).filter(pk=job.arguments["flow"]).first()
        people = list(_active(flow.pk, after)) if flow is not None else []
        if flow is not None and people:
            contacts = [contact_id for _, contact_id in people]
            document = route_of(flow_id=flow.pk, revision=flow.revision).document
            with raw_cursor() as cursor:
                _lock(cursor, contacts)
                mark_state(cursor, flow=flow, document=document, contact_ids=contacts, now=now)
                hear_criteria(cursor, flow_id=flow.pk, contact_ids=contacts, now=now)
        if flow is not None and len(people) < JUDGED:
            with raw_cursor() as cursor:
                document = route_of(flow_id=flow.pk, revision=flow.revision).document
                control.judge_all(cursor, flow_id=flow.pk, document=document, now=now)
        done = job.done + len(people)
        cursor_at = {"after": people[-1][0] if people else after}
        return Slice(cursor_at, done, done, finished=len(people) < JUDGED)


def _active(flow_id: int, after: int) -> list[tuple[int, int]]:
    active = Participant.objects.filter(flow_id=flow_id, status=Participant.Status.ACTIVE, pk__gt=after)
    return list(active.order_by("pk").values_list("pk", "contact_id")[:JUDGED])


def _lock(cursor: psycopg.Cursor[Any], contact_ids: list[int]) -> None:
    cursor.execute(
        "SELECT 1 FROM crm_contact WHERE tenant_id = %s AND id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        [require_tenant_id(), contact_ids],
    )


STRIKE_TRIGGER: Final = StrikeTrigger()
JUDGE_DAILY: Final = JudgeDaily()
