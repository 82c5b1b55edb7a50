"""`bench intake`: a burst of events, of which most trigger a flow, some end waits and some are successes.

The flows are paused, so that the engine's work is not measured with it: enrolment, waking and marking happen all the
same. The floor makes the same rows by hand from as many events of another tenant, verdicts known beforehand.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import Tenant, User
from core.clock import now
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.events import NewEvent, Origin, record_alike
from crm.models import Contact, EventInbox
from flows.document import FlowDocument, StepNode, SuccessCriterion, Trigger
from flows.models import Flow
from participants.engine.batch import run_batch
from participants.intake import SLICE
from participants.models import Participant, Suggestion
from participants.operations.enrol import Source, suggest
from participants.wake import wake_intake
from trial.bench.by_hand import run_by_hand
from trial.bench.engine import WrongResult
from trial.bench.flow import make_flow, save_document
from trial.bench.workers import celery_workers
from trial.bench.world import analyze, make_contacts, make_tenant

COUNTRIES = ("NO", "SE", "DE")
PARTS = 10
"""Of so many contacts one does what is waited for, one what is a success, and the others are registered."""


@dataclass(frozen=True, slots=True)
class World:
    """A tenant with both flows, the contacts, and how many are to come of their events."""

    tenant: Tenant
    triggered: Flow
    waits: Flow
    contact_ids: list[int]
    wanted: dict[str, int]


def intake(*, events: int) -> dict[str, Any]:
    """Return the figures of one run; raises WrongResult where the end state is not exact."""
    world, floor = _world(events), _world(events)
    analyze()
    log = Path(settings.HOME) / "logs" / "bench-worker.log"
    with celery_workers(1, log=log) as crew:
        _record(world)
        start = time.perf_counter()
        wake_intake(tenant_id=world.tenant.pk)
        while _left(world):
            if crew.process.poll() is not None:
                raise WrongResult(f"The worker died: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        crew.measure()
    _check(world)
    _record(floor)
    floor_seconds = _floor(floor)
    _check(floor)
    return {
        "events": events,
        "enrolled": world.wanted["enrolled"],
        "woken": world.wanted["woken"],
        "successes": world.wanted["successes"],
        "seconds": round(seconds, 3),
        "events_per_second": round(events / seconds),
        "floor_events_per_second": round(events / floor_seconds),
        "ratio": round(floor_seconds / seconds, 3),
        "peak_rss_mib": round(crew.peak_kib / 1024),
    }


# --- the world ------------------------------------------------------------------------------------------------------


def _world(events: int) -> World:
    tenant, user = make_tenant()
    with tenant_scope(tenant.pk):
        make_contacts(events, name="Everyone")
        people = Contact.objects.order_by("id")
        ids = list(people.values_list("id", flat=True))
        registered = people.annotate(part=F("id") % PARTS).filter(part__gt=1)
        enrolled = registered.filter(country__in=COUNTRIES).count()
        wanted = {
            "enrolled": enrolled,
            "filter": registered.count() - enrolled,
            "woken": sum(one % PARTS == 0 for one in ids),
            "successes": sum(one % PARTS == 1 for one in ids),
        }
        triggered = _flow(user, "Triggered", _triggered())
        waits = _flow(user, "Waits", _waiting())
        standing = [one for one in ids if one % PARTS < 2]
        for begin in range(0, len(standing), SLICE):
            part = standing[begin : begin + SLICE]
            suggest(flow_id=waits.pk, contact_ids=part, source=Source("api"), now=now())
        Flow.objects.filter(pk=waits.pk).update(status=Flow.Status.RUNNING)
    while run_batch(tenant_id=tenant.pk, flow_id=waits.pk, now=now(), limit=settings.ENGINE_BATCH).claimed:
        pass
    with tenant_scope(tenant.pk):
        Flow.objects.filter(pk=waits.pk).update(status=Flow.Status.PAUSED)
    return World(tenant, triggered, waits, ids, wanted)


def _flow(user: User, name: str, document: FlowDocument) -> Flow:
    flow = make_flow(user, name=name)
    save_document(flow, document, user, status=Flow.Status.PAUSED)
    return flow


def _triggered() -> FlowDocument:
    line = Line(field="contact.country", operator="one_of", values=COUNTRIES)
    return FlowDocument(
        triggers=(Trigger(kind="contact_created"),),
        filter=Criteria(groups=(Group(lines=(line,)),)),
        steps=(StepNode(kind="wait_for_time", title="Wait", settings={"amount": 1, "unit": "days"}),),
    )


def _waiting() -> FlowDocument:
    return FlowDocument(
        success=(SuccessCriterion(kind="outside_event", settings={"name": "won"}),),
        steps=(
            StepNode(
                kind="wait_for_action",
                title="Until they buy",
                settings={"actions": [{"kind": "outside", "name": "bought"}]},
            ),
        ),
    )


def _record(world: World) -> None:
    """Write all events in one transaction: nobody sees one before all are there."""
    created, bought, won = (
        [one for one in world.contact_ids if one % PARTS > 1],
        [one for one in world.contact_ids if one % PARTS == 0],
        [one for one in world.contact_ids if one % PARTS == 1],
    )
    with tenant_scope(world.tenant.pk), transaction.atomic(), raw_cursor() as cursor:
        for kind, key, ids in (
            ("contact.created", "", created),
            ("outside", "bought", bought),
            ("outside", "won", won),
        ):
            event = NewEvent(
                kind=kind,
                contact_id=0,
                at=now(),
                origin=Origin.API,
                object_key=key,
                data={"name": key, "data": {}},
            )
            record_alike(event, cursor=cursor, contact_ids=ids)


# --- the end --------------------------------------------------------------------------------------------------------


def _left(world: World) -> bool:
    with tenant_scope(world.tenant.pk):
        return EventInbox.objects.exists()


def _check(world: World) -> None:
    """Everyone was judged once, everyone who waited for it is due, every success is marked."""
    with tenant_scope(world.tenant.pk):
        standing = Participant.objects.filter(flow_id=world.waits.pk, status="active")
        suggested = Suggestion.objects.filter(flow_id=world.triggered.pk)
        found = {
            "enrolled": Participant.objects.filter(flow_id=world.triggered.pk).count(),
            "filter": suggested.filter(verdict="filter", values__isnull=False).count(),
            "woken": standing.filter(due_at__lte=now()).count(),
            "successes": standing.filter(success_at__isnull=False).count(),
        }
        if found != world.wanted or suggested.count() != found["enrolled"] + found["filter"]:
            raise WrongResult(f"found {found}, wanted {world.wanted}")


# --- the floor ------------------------------------------------------------------------------------------------------

_TAKE = "DELETE FROM crm_eventinbox WHERE tenant_id = %(tenant)s AND id = ANY(%(inbox)s::bigint[])"
_READ = """
SELECT e.id, e.kind, e.contact_id, e.origin, e.at, e.data FROM crm_event e
WHERE e.tenant_id = %(tenant)s AND e.day = ANY(%(days)s::date[]) AND e.id = ANY(%(events)s::bigint[])
"""
_LOCK = """
SELECT c.id FROM crm_contact c WHERE c.tenant_id = %(tenant)s AND c.id = ANY(%(contacts)s::bigint[])
ORDER BY c.id FOR NO KEY UPDATE
"""
_ENROL = """
WITH kept AS (
    INSERT INTO participants_suggestion (tenant_id, flow_id, contact_id, verdict, "values", source, source_id, actor_id,
                                         at)
    SELECT %(tenant)s, %(triggered)s, c.id, CASE WHEN c.country = 'GB' THEN 'filter' ELSE 'enrolled' END,
           CASE WHEN c.country = 'GB' THEN %(why)s::jsonb END, 'trigger', NULL, NULL, %(now)s
    FROM crm_contact c WHERE c.tenant_id = %(tenant)s AND c.id = ANY(%(created)s::bigint[])
    RETURNING id, contact_id, verdict
), born AS (
    INSERT INTO participants_participant (tenant_id, flow_id, contact_id, enrolled_on, enrolled_at, source,
        suggestion_id, event_data, status, step_since, waiting, due_at, visit_number, attempts, held_reason,
        drop_reason)
    SELECT %(tenant)s, %(triggered)s, k.contact_id, %(today)s, %(now)s, 'trigger', k.id,
           jsonb_build_object('kind', 'contact.created', 'origin', 'api', 'at', %(now)s::text, 'event_id', k.id),
           'active', %(now)s, FALSE, %(now)s, 0, 0, '', ''
    FROM kept k WHERE k.verdict = 'enrolled'
    RETURNING id, contact_id
)
INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data, flow_id,
                       participant_id)
SELECT %(tenant)s, %(today)s, %(now)s, 'flow.enrolled', contact_id, 'flow', %(triggered)s, '', '{}'::jsonb,
       %(triggered)s, id
FROM born
"""
_ACT = """
UPDATE participants_participant p
SET due_at = CASE WHEN p.contact_id %% %(parts)s = 0 THEN %(now)s ELSE p.due_at END,
    success_at = CASE WHEN p.contact_id %% %(parts)s = 1 THEN %(now)s::timestamptz END
WHERE p.tenant_id = %(tenant)s AND p.flow_id = %(waits)s AND p.contact_id = ANY(%(acted)s::bigint[])
  AND p.status = 'active'
"""
_WHY = {
    "rule": "Country is one of Norway, Sweden, Germany",
    "field": "contact.country",
    "seen": "GB",
    "group": 0,
}


def _floor(world: World) -> float:
    with tenant_scope(world.tenant.pk):
        columns = ("id", "event_id", "day", "contact_id")
        inbox = list(EventInbox.objects.order_by("id").values_list(*columns))
    moment = now()
    values = {
        "triggered": world.triggered.pk,
        "waits": world.waits.pk,
        "why": json.dumps(_WHY),
        "parts": PARTS,
        "now": moment,
        "today": moment.date(),
    }
    slices = [_slice(inbox[begin : begin + SLICE]) for begin in range(0, len(inbox), SLICE)]
    statements = [_TAKE, _READ, _LOCK, _ENROL, _ACT]
    return run_by_hand(statements, values, tenant_id=world.tenant.pk, slices=slices, workers=1)


def _slice(rows: Sequence[tuple[int, int, dt.date, int]]) -> dict[str, Any]:
    contacts = [contact_id for _, _, _, contact_id in rows]
    return {
        "inbox": [inbox_id for inbox_id, _, _, _ in rows],
        "events": [event_id for _, event_id, _, _ in rows],
        "days": sorted({day for _, _, day, _ in rows}),
        "contacts": contacts,
        "created": [one for one in contacts if one % PARTS > 1],
        "acted": [one for one in contacts if one % PARTS <= 1],
    }
