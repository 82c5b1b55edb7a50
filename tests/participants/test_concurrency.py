"""What happens at once: two batches of one flow, two suggestions of one contact, a pause in the middle of a batch."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import Tenant, User
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.bulk import NewSale
from crm.models import Request, SaleType
from crm.operations.sales import create_sale
from flows.locks import flow_gate_exclusive
from flows.models import Flow
from flows.steps.base import Cohort, Outcomes, StepContext
from flows.steps.table import STEP_KINDS
from participants.engine.batch import run_batch
from participants.models import Participant, Suggestion, Visit
from participants.operations.enrol import Source, suggest
from tests.participants.conftest import World, send, update, wait
from tests.participants.test_desk import desk_of, request_step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    """A tenant in a database where commits are real."""
    return Tenant.objects.create(slug="acme", name="Acme")


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls at the same moment on connections of their own; return their results."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_two_workers_on_one_flow_move_everyone_exactly_once(tenant: Tenant) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        flow = world.flow(update("contact.job_title", "set", "x"), send(world.email()), wait(1))
        world.suggest(flow, *[world.contact(f"P{number}") for number in range(60)])

    def work() -> int:
        moved = 0
        while True:
            result = run_batch(tenant_id=tenant.pk, flow_id=flow.pk, now=world.now, limit=7)
            moved += result.claimed
            if not result.claimed:
                return moved

    moved = at_once(work, work)

    assert sum(moved) == 60
    with tenant_scope(tenant.pk):
        assert Visit.objects.count() == 180
        assert len(world.messages()) == len(set(world.messages())) == 60
        assert Participant.objects.filter(waiting=True).count() == 60


def test_two_suggestions_of_one_contact_at_the_same_instant_enrol_once(tenant: Tenant) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        flow, anna = world.flow(wait(1)), world.contact("Anna")

    def enter() -> int:
        with tenant_scope(tenant.pk):
            return suggest(
                flow_id=flow.pk, contact_ids=[anna.pk], source=Source("manual"), now=world.now
            ).enrolled

    assert sorted(at_once(enter, enter, enter)) == [0, 0, 1]
    with tenant_scope(tenant.pk):
        verdicts = Suggestion.objects.values_list("verdict", flat=True)
        assert sorted(verdicts) == ["active", "active", "enrolled"]


def test_a_pause_waits_for_the_batch_in_flight_and_then_nobody_moves(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        flow = world.flow(update("contact.job_title", "set", "x"), wait(1))
        world.suggest(flow, world.contact("Anna"))
    running, paused = threading.Event(), threading.Event()
    kind = STEP_KINDS["update_contact"]
    real = type(kind).run

    def slow(self: object, cohort: Cohort, ctx: StepContext) -> Outcomes:
        running.set()
        assert not paused.wait(0.5), "the pause went through while a batch was running"
        return real(kind, cohort, ctx)

    monkeypatch.setattr(type(kind), "run", slow)

    def pause() -> None:
        running.wait(10)
        with tenant_scope(tenant.pk), raw_cursor() as cursor:
            flow_gate_exclusive(cursor, flow.pk)
            Flow.objects.filter(pk=flow.pk).update(status="paused")
        paused.set()

    def batch() -> int:
        return run_batch(tenant_id=tenant.pk, flow_id=flow.pk, now=world.now, limit=10).claimed

    assert at_once(batch, pause)[0] == 1
    with tenant_scope(tenant.pk):
        world.suggest(flow, world.contact("Ben"))
    assert batch() == 0


def test_a_batch_leaves_a_flow_alone_whose_gate_is_held(tenant: Tenant) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        flow = world.flow(wait(1))
        world.suggest(flow, world.contact("Anna"))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tenant_scope(tenant.pk), raw_cursor() as cursor:
            flow_gate_exclusive(cursor, flow.pk)
            held.set()
            done.wait(10)

    def batch() -> bool:
        held.wait(10)
        result = run_batch(tenant_id=tenant.pk, flow_id=flow.pk, now=world.now, limit=10)
        done.set()
        return result.busy

    assert at_once(hold, batch)[1] is True


def test_a_crash_in_the_middle_leaves_everyone_due_and_nothing_written(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        flow = world.flow(send(world.email()), update("contact.job_title", "set", "x"))
        world.suggest(flow, *[world.contact(f"P{number}") for number in range(5)])
    kind = STEP_KINDS["update_contact"]

    def die(self: object, cohort: Cohort, ctx: StepContext) -> Outcomes:
        ctx.cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise AssertionError("the connection is gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(kind), "run", die)
        with pytest.raises(OperationalError):
            run_batch(tenant_id=tenant.pk, flow_id=flow.pk, now=world.now, limit=10)
    connection.close()

    with tenant_scope(tenant.pk):
        assert world.messages() == []
        assert not Visit.objects.exists()
    assert run_batch(tenant_id=tenant.pk, flow_id=flow.pk, now=world.now, limit=10).claimed == 5
    with tenant_scope(tenant.pk):
        assert len(world.messages()) == 5


def test_the_database_itself_refuses_a_second_active_participant(tenant: Tenant) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        flow, anna = world.flow(wait(1)), world.contact("Anna")
        world.suggest(flow, anna)
        copy = Participant.objects.get()
        copy.pk = None
        with pytest.raises(Exception, match="active_once_in_a_flow"), transaction.atomic():
            copy.save()


def test_two_batches_with_the_same_categories_in_opposite_order_share_the_turn_out_evenly(
    tenant: Tenant,
) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        people = desk_of(world)
        flows = []
        for number, order in enumerate((("Invoice", "Delivery"), ("Delivery", "Invoice"))):
            flow = world.flow(*[request_step(name) for name in order], name=f"Flow {number}")
            world.suggest(flow, *[world.contact(f"P{number}-{n}", consent=None) for n in range(60)])
            flows.append(flow)

    def work(flow: Flow) -> int:
        moved = 0
        while result := run_batch(tenant_id=tenant.pk, flow_id=flow.pk, now=world.now, limit=10).claimed:
            moved += result
        return moved

    assert at_once(lambda: work(flows[0]), lambda: work(flows[1])) == [60, 60]
    with tenant_scope(tenant.pk):
        shares = {user: Request.objects.filter(owner=user).count() for user in people}
        assert shares == dict.fromkeys(people, 80)


def test_a_form_sent_twice_at_once_makes_one_sale(tenant: Tenant) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        desk_of(world)
        kind, contact = SaleType.objects.earliest("rank"), world.contact("Ann")
        row = NewSale(contact.pk, "Sale", kind.pk, world.user.pk, "NOK", form_key=uuid.uuid4())

    def make() -> int:
        with tenant_scope(tenant.pk):
            return create_sale(sale=row, now=world.now, today=world.now.date(), actor_id=None).pk

    first, second = at_once(make, make)
    assert first == second
