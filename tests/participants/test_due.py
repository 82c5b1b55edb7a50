"""The tick finds what is due in every tenant, and nothing else."""

from __future__ import annotations

import datetime as dt

from accounts.models import Tenant, User
from config.embedded.process import wait_until
from core.clock import now as real_now
from core.models import Job
from core.tenancy import tenant_scope
from crm.models import EventInbox
from flows.models import Flow
from participants.due import due_work
from participants.models import Participant
from tests.participants.conftest import NOW, World, wait


def test_only_running_flows_with_someone_due_are_found(world: World) -> None:
    due, later, paused = (world.flow(wait(1), name=name) for name in ("Due", "Later", "Paused"))
    for flow in (due, later, paused):
        world.suggest(flow, world.contact(flow.name))
    world.advance(later)
    Flow.objects.filter(pk=paused.pk).update(status="paused")

    assert due_work(NOW).flows == [(world.tenant.pk, due.pk)]
    assert due_work(NOW + dt.timedelta(days=1)).flows == [
        (world.tenant.pk, due.pk),
        (world.tenant.pk, later.pk),
    ]


def test_a_trials_own_clock_counts_for_its_flows_only(world: World) -> None:
    Tenant.objects.filter(pk=world.tenant.pk).update(is_trial=True, clock_offset=dt.timedelta(days=2))
    flow = world.flow(wait(1))
    world.suggest(flow, world.contact("Anna"))
    world.advance(flow)

    assert due_work(NOW - dt.timedelta(days=1, minutes=1)).flows == []
    assert due_work(NOW - dt.timedelta(days=1)).flows == [(world.tenant.pk, flow.pk)]


def test_full_inboxes_counter_tails_and_jobs_that_stand_still_are_found(world: World) -> None:
    flow = world.flow(wait(1))
    world.suggest(flow, world.contact("Anna"))
    EventInbox.objects.create(event_id=1, day=NOW.date(), contact_id=1, kind="contact.created")
    job = Job.objects.create(kind="x", created_at=NOW, updated_at=NOW)

    work = due_work(NOW + dt.timedelta(hours=1))

    assert (work.inboxes, work.tails, work.jobs) == (
        [world.tenant.pk],
        [world.tenant.pk],
        [(world.tenant.pk, job.pk)],
    )
    assert due_work(NOW).jobs == []


def test_the_tick_moves_a_due_flow_through_a_real_worker(transactional_db: None, worker: object) -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        world.now = real_now()
        flow = world.flow(wait(3))
        world.suggest(flow, world.contact("Anna"))

    def waits() -> bool:
        with tenant_scope(tenant.pk):
            return Participant.objects.filter(flow_id=flow.pk, waiting=True).exists()

    assert wait_until(waits, seconds=30)
