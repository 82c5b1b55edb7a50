"""`bench enrol`: a selection's contacts are added to a flow by the real job, all rules judged, each verdict kept.

Of the contacts a quarter fails the filter, some are excluded, in the flow already, or held out. The floor writes the
same suggestions, participants and events by hand, verdicts known beforehand, into another flow.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count

from accounts.models import Membership, Role, Tenant, User
from accounts.queries import active_membership
from core.clock import now
from core.models import Job
from core.tenancy import require_tenant_id, tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.models import Selection, SelectionMember
from flows.document import FlowDocument, FlowSettings, StepNode
from flows.models import Flow
from participants.models import Participant, Suggestion
from participants.operations.adding import SLICE, Chosen, start_adding
from participants.operations.enrol import Source, suggest
from trial.bench.by_hand import run_by_hand
from trial.bench.engine import WrongResult
from trial.bench.flow import make_flow, save_document
from trial.bench.workers import Workers, celery_workers
from trial.bench.world import analyze, make_contacts, make_tenant

COUNTRIES = ("NO", "SE", "DE")
CONTROL_SHARE = 10
EXCLUDED_EVERY, ACTIVE_EVERY = 20, 50


@dataclass(frozen=True, slots=True)
class World:
    """The tenant with its flow, who asks, and the selection to be enrolled."""

    tenant: Tenant
    member: Membership
    flow: Flow
    selection: Selection


def enrol(*, contacts: int, workers: int) -> dict[str, Any]:
    """Return the figures of one run; raises WrongResult where a verdict is not the one by hand."""
    world = _world(contacts)
    analyze()
    log = Path(settings.HOME) / "logs" / "bench-worker.log"
    with celery_workers(workers, log=log) as crew:
        start = time.perf_counter()
        with tenant_scope(world.tenant.pk):
            job = start_adding(
                flow_id=world.flow.pk,
                chosen=Chosen(selection_id=world.selection.pk),
                token="bench",  # noqa: S106 (a form's token, no secret)
                member=world.member,
                now=now(),
            )
        _wait(world, job, crew)
        seconds = time.perf_counter() - start
        crew.measure()
    with tenant_scope(world.tenant.pk):
        verdicts = _check(world, job, contacts)
        floor = _floor_flow(world)
    floor_seconds = _floor(world, floor, workers=workers)
    with tenant_scope(world.tenant.pk):
        _check_floor(floor, verdicts)
    return {
        "contacts": contacts,
        "workers": workers,
        "enrolled": verdicts["enrolled"],
        "seconds": round(seconds, 3),
        "contacts_per_second": round(contacts / seconds),
        "floor_contacts_per_second": round(contacts / floor_seconds),
        "ratio": round(floor_seconds / seconds, 3),
        "peak_rss_mib": round(crew.peak_kib / 1024),
    }


# --- the world ------------------------------------------------------------------------------------------------------


def _world(contacts: int) -> World:
    tenant, user = make_tenant()
    with tenant_scope(tenant.pk):
        selection = make_contacts(contacts, name="Everyone")
        flow = make_flow(user, name="Enrol")
        excluded = _part_of(selection, every=EXCLUDED_EVERY, name="Excluded")
        save_document(flow, _document(excluded), user, status=Flow.Status.PAUSED)
        some = SelectionMember.objects.filter(selection=selection).order_by("contact_id")
        ids = [one for (one,) in some.values_list("contact_id") if one % ACTIVE_EVERY == 0]
        for begin in range(0, len(ids), SLICE):
            suggest(flow_id=flow.pk, contact_ids=ids[begin : begin + SLICE], source=Source("api"), now=now())
        return World(tenant, _member(user), flow, selection)


def _member(user: User) -> Membership:
    Membership.objects.create(user=user, role=Role.objects.get(name="Administrator"))
    member = active_membership(user)
    assert member is not None  # noqa: S101 (made the line above)
    return member


def _part_of(selection: Selection, *, every: int, name: str) -> Selection:
    part = Selection.objects.create(name=name, created_at=now())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_selectionmember (tenant_id, selection_id, contact_id, added_at) "
            "SELECT tenant_id, %s, contact_id, added_at FROM crm_selectionmember "
            "WHERE tenant_id = %s AND selection_id = %s AND contact_id %% %s = 0",
            [part.pk, require_tenant_id(), selection.pk, every],
        )
    return part


def _document(excluded: Selection) -> FlowDocument:
    lines = (
        Line(field="contact.country", operator="one_of", values=COUNTRIES),
        Line(field="contact.job_title", operator="contains", values=("Engineer",)),
    )
    return FlowDocument(
        settings=FlowSettings(exclusions=(excluded.pk,), once_only=True, control_share=CONTROL_SHARE),
        filter=Criteria(groups=(Group(lines=lines),)),
        steps=(StepNode(kind="wait_for_time", title="Wait a day", settings={"amount": 1, "unit": "days"}),),
    )


# --- the run --------------------------------------------------------------------------------------------------------


def _wait(world: World, job: Job, crew: Workers) -> None:
    while True:
        with tenant_scope(world.tenant.pk):
            job.refresh_from_db()
        if job.is_over:
            break
        if crew.process.poll() is not None:
            raise WrongResult(f"The workers died: {crew.log.read_text()[-2000:]}")
        time.sleep(0.05)
    if job.status != Job.Status.DONE:
        raise WrongResult(f"The job ended as {job.status}: {job.error}")


_BY_HAND = """
SELECT CASE WHEN c.country = 'GB' THEN 'filter'
            WHEN c.id %% %(excluded)s = 0 THEN 'excluded'
            WHEN p.id IS NOT NULL AND p.source = 'api' THEN 'active'
            WHEN ('x' || substr(md5(%(flow)s::text || ':' || c.id::text), 1, 8))::bit(32)::bigint %% 100 < %(share)s
            THEN 'control' ELSE 'enrolled' END AS verdict, count(*)
FROM crm_selectionmember m JOIN crm_contact c ON c.tenant_id = m.tenant_id AND c.id = m.contact_id
LEFT JOIN participants_participant p ON p.tenant_id = c.tenant_id AND p.contact_id = c.id AND p.flow_id = %(flow)s
WHERE m.tenant_id = %(tenant)s AND m.selection_id = %(selection)s
GROUP BY 1
"""


def _check(world: World, job: Job, contacts: int) -> dict[str, int]:
    """Each contact has the verdict that it has by hand, the job's sums say so, who is enrolled is a participant."""
    values = {"tenant": world.tenant.pk, "flow": world.flow.pk, "selection": world.selection.pk}
    with connection.cursor() as cursor:
        cursor.execute(_BY_HAND, {**values, "excluded": EXCLUDED_EVERY, "share": CONTROL_SHARE})
        wanted = dict(cursor.fetchall())
    kept = Suggestion.objects.filter(flow_id=world.flow.pk, source="selection")
    found = dict(kept.values_list("verdict").annotate(Count("id")).order_by())
    born = Participant.objects.filter(flow_id=world.flow.pk, source="selection").count()
    if not wanted == found == job.result["verdicts"] or born != wanted["enrolled"]:
        raise WrongResult(f"found {found}, {born} participants, the job {job.result}; wanted {wanted}")
    if job.done != contacts or kept.filter(verdict="filter", values=None).exists():
        raise WrongResult(f"{job.done} of {contacts} done, or a failed filter has no values")
    return wanted


# --- the floor ------------------------------------------------------------------------------------------------------


def _floor_flow(world: World) -> Flow:
    user = world.member.user
    flow = make_flow(user, name="Floor")
    save_document(flow, FlowDocument(), user, status=Flow.Status.PAUSED)
    return flow


_LOCK = """
SELECT id FROM crm_contact WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[]) ORDER BY id
FOR NO KEY UPDATE
"""
_WRITE = """
WITH kept AS (
    INSERT INTO participants_suggestion (tenant_id, flow_id, contact_id, source, source_id, actor_id, verdict,
                                         "values", at)
    SELECT tenant_id, %(flow)s, contact_id, source, source_id, actor_id, verdict, "values", %(now)s
    FROM participants_suggestion s
    WHERE tenant_id = %(tenant)s AND flow_id = %(like)s AND contact_id = ANY(%(ids)s::bigint[])
      AND source = 'selection'
    RETURNING id, contact_id, verdict
), born AS (
    INSERT INTO participants_participant (tenant_id, flow_id, contact_id, enrolled_on, enrolled_at, source,
        suggestion_id, event_data, status, step_since, waiting, due_at, visit_number, attempts, held_reason,
        drop_reason)
    SELECT %(tenant)s, %(flow)s, contact_id, %(today)s, %(now)s, 'selection', id, NULL, 'active', %(now)s, FALSE,
           %(now)s, 0, 0, '', ''
    FROM kept WHERE verdict = 'enrolled'
    RETURNING id, contact_id
)
INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, origin, object_id, object_key, data, flow_id,
                       participant_id)
SELECT %(tenant)s, %(today)s, %(now)s, 'flow.enrolled', contact_id, 'flow', %(flow)s, '', '{}'::jsonb, %(flow)s, id
FROM born
"""


def _floor(world: World, floor: Flow, *, workers: int) -> float:
    with tenant_scope(world.tenant.pk):
        members = SelectionMember.objects.filter(selection=world.selection).order_by("contact_id")
        ids = list(members.values_list("contact_id", flat=True))
    moment = now()
    values = {"flow": floor.pk, "like": world.flow.pk, "now": moment, "today": moment.date()}
    slices = [{"ids": ids[begin : begin + SLICE]} for begin in range(0, len(ids), SLICE)]
    return run_by_hand([_LOCK, _WRITE], values, tenant_id=world.tenant.pk, slices=slices, workers=workers)


def _check_floor(floor: Flow, wanted: dict[str, int]) -> None:
    verdicts = Suggestion.objects.filter(flow_id=floor.pk).values_list("verdict")
    found = Counter(dict(verdicts.annotate(Count("id")).order_by()))
    born = Participant.objects.filter(flow_id=floor.pk).count()
    if found != wanted or born != wanted["enrolled"]:
        raise WrongResult(f"the floor made {found} and {born} participants, wanted {wanted}")
