"""`bench engine`: participants through six steps (update, wait 0, split, update, email queued, finish), guards on."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.models import Tenant, User
from content.models import Email, EmailVersion
from core.clock import now
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.models import SelectionMember, SubscriptionType
from delivery.models import Message
from flows.document import Branch, FlowDocument, FlowSettings, MessageSettings, StepNode
from flows.models import Flow
from participants.models import Participant, Visit
from participants.operations.enrol import Source, suggest
from participants.wake import wake_engine
from trial.bench.floor import FloorWork, run_floor
from trial.bench.flow import make_flow, save_document
from trial.bench.workers import celery_workers
from trial.bench.world import analyze, make_contacts, make_tenant

STEPS = 6
SUGGEST_ROWS = 20_000


class WrongResult(AssertionError):
    """The end state is not what the flow says: the figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class BenchFlow:
    """A flow of the benchmark with its participants due."""

    flow: Flow
    document: FlowDocument
    version_id: int


def engine(*, participants: int, workers: int) -> dict[str, Any]:
    """Return the figures of one run; raises WrongResult where the end state is not exact."""
    tenant, user = make_tenant()
    with tenant_scope(tenant.pk):
        moved = made_flow(user, participants, name="Engine")
        floor = made_flow(user, participants, name="Floor")
        # The floor's flow stays paused: the workers' tick would find its people due as well.
        Flow.objects.filter(pk=moved.flow.pk).update(status=Flow.Status.RUNNING)
    analyze()
    seconds, peak_kib = walk_flow(tenant, moved, workers=workers)
    with tenant_scope(tenant.pk):
        _check(moved, participants)
        _stop(moved.flow)
    floor_seconds = _floor(tenant.pk, floor, workers=workers)
    with tenant_scope(tenant.pk):
        _check(floor, participants)
    steps = participants * STEPS
    return {
        "participants": participants,
        "workers": workers,
        "steps": steps,
        "seconds": round(seconds, 3),
        "steps_per_second": round(steps / seconds),
        "floor_steps_per_second": round(steps / floor_seconds),
        "ratio": round(floor_seconds / seconds, 3),
        "peak_rss_mib": round(peak_kib / 1024),
    }


def walk(*, participants: int, workers: int) -> tuple[float, int]:
    """Take so many participants through the six steps; return the seconds and the workers' peak memory in KiB."""
    tenant, user = make_tenant()
    with tenant_scope(tenant.pk):
        moved = made_flow(user, participants, name="Engine")
        Flow.objects.filter(pk=moved.flow.pk).update(status=Flow.Status.RUNNING)
    analyze()
    seconds, peak_kib = walk_flow(tenant, moved, workers=workers)
    with tenant_scope(tenant.pk):
        _check(moved, participants)
        _stop(moved.flow)
    return seconds, peak_kib


def walk_flow(tenant: Tenant, moved: BenchFlow, *, workers: int) -> tuple[float, int]:
    """Let real workers move everyone of a running flow to its end; return the seconds and their peak memory in KiB."""
    log = Path(settings.HOME) / "logs" / "bench-worker.log"
    with celery_workers(workers, log=log) as crew:
        start = time.perf_counter()
        wake_engine(tenant.pk)
        while _active(tenant.pk, moved.flow.pk):
            if crew.process.poll() is not None:
                raise WrongResult(f"The workers died: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        crew.measure()
    return seconds, crew.peak_kib


def made_flow(user: User, participants: int, *, name: str) -> BenchFlow:
    """Return a paused flow of six steps with so many participants, members of a selection of its name."""
    flow = make_flow(user, name=name)
    version = _email(user, flow)
    document = _document(version.email_id)
    save_document(flow, document, user, status=Flow.Status.PAUSED)
    selection = make_contacts(participants, name=name)
    ids = list(SelectionMember.objects.filter(selection=selection).values_list("contact_id", flat=True))
    for begin in range(0, len(ids), SUGGEST_ROWS):
        part = ids[begin : begin + SUGGEST_ROWS]
        suggest(flow_id=flow.pk, contact_ids=part, source=Source("selection", id=selection.pk), now=now())
    return BenchFlow(flow, document, version.pk)


def _email(user: User, flow: Flow) -> EmailVersion:
    email = Email.objects.create(
        name="Hello", flow_id=flow.pk, created_at=now(), updated_at=now(), updated_by=user
    )
    version = EmailVersion.objects.create(
        email=email, number=1, subject="Hello", mjml="", html="<p>Hello</p>", text="Hello", created_at=now()
    )
    Email.objects.filter(pk=email.pk).update(current=version, revision=1)
    return version


def _document(email_id: int) -> FlowDocument:
    engineers = Criteria(
        groups=(Group(lines=(Line(field="contact.job_title", operator="contains", values=("Lead",)),)),)
    )
    split = StepNode(
        kind="split",
        title="Engineers?",
        branches=(
            Branch(id=uuid.uuid4(), name="Engineers", criteria=engineers),
            Branch(name="Everyone else"),
        ),
    )
    return FlowDocument(
        settings=FlowSettings(
            messages=MessageSettings(subscription_type=SubscriptionType.objects.order_by("pk")[0].pk)
        ),
        steps=(
            _update("job_title", "Lead engineer"),
            StepNode(kind="wait_for_time", title="Wait 0", settings={"amount": 0, "unit": "minutes"}),
            split,
            _update("language", "nb"),
            StepNode(kind="send_email", title="Send", settings={"email": email_id}),
        ),
    )


def _update(field: str, value: str) -> StepNode:
    line = {"field": f"contact.{field}", "action": "set", "values": [value]}
    return StepNode(kind="update_contact", title="Update", settings={"lines": [line]})


def _active(tenant_id: int, flow_id: int) -> bool:
    with tenant_scope(tenant_id):
        return Participant.objects.filter(flow_id=flow_id, status=Participant.Status.ACTIVE).exists()


def _stop(flow: Flow) -> None:
    Flow.objects.filter(pk=flow.pk).update(status=Flow.Status.NOT_RUNNING)


def _floor(tenant_id: int, floor: BenchFlow, *, workers: int) -> float:
    split = next(node for node in floor.document.steps if node.branches)
    work = FloorWork(
        tenant_id=tenant_id,
        flow_id=floor.flow.pk,
        stream_id=floor.flow.stream_id,
        version_id=floor.version_id,
        steps=tuple(node.id for node in floor.document.steps),
        branch=split.branches[0].id,
        limit=settings.ENGINE_BATCH,
        now=now(),
    )
    connection.close()
    start = time.perf_counter()
    run_floor(work, workers=workers)
    return time.perf_counter() - start


def _check(made: BenchFlow, participants: int) -> None:
    """Every participant exactly one path, counts add up, one message each."""
    mine = Participant.objects.filter(flow_id=made.flow.pk)
    found = {
        "finished": mine.filter(status=Participant.Status.FINISHED, visit_number=STEPS - 1).count(),
        "others": mine.exclude(status=Participant.Status.FINISHED).count(),
        "visits": Visit.objects.filter(flow_id=made.flow.pk, ended=Visit.Ended.WENT_ON).count(),
        "open": Visit.objects.filter(flow_id=made.flow.pk, ended=Visit.Ended.HERE).count(),
        "messages": Message.objects.filter(flow_id=made.flow.pk).count(),
        "addressees": Message.objects.filter(flow_id=made.flow.pk).values("contact_id").distinct().count(),
    }
    visits = participants * (STEPS - 1)
    wanted = {"finished": participants, "others": 0, "visits": visits, "open": 0}
    wanted |= {"messages": participants, "addressees": participants}
    if found != wanted:
        raise WrongResult(f"found {found}, wanted {wanted}")
