"""What others do in the middle of a batch, forced with real connections: either they wait for the batch, or the next
guard of the same batch sees what they did. Each rule is stated by its test's name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from accounts.models import Tenant, User
from core.tenancy import tenant_scope
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, Event, SelectionMember, SubscriptionOptOut
from crm.operations.erase import erase_contact
from flows.document import FlowDocument, StepNode, Trigger
from flows.models import Flow
from flows.operations.lifecycle import pause
from flows.operations.save import save_draft
from flows.steps.base import Cohort, Outcomes, StepContext
from flows.steps.table import STEP_KINDS
from participants.engine.batch import run_batch
from participants.intake import take_events
from participants.models import Participant, Suggestion
from participants.operations.lifecycle import end_flow
from tests.participants.conftest import World, send, update, wait
from tests.participants.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    """A tenant in a database where commits are real."""
    return Tenant.objects.create(slug="acme", name="Acme")


class Middle:
    """A batch that stops in its first update step until told to go on."""

    def __init__(self) -> None:
        self.reached, self.released = threading.Event(), threading.Event()

    def __call__(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        if not self.reached.is_set():
            self.reached.set()
            assert self.released.wait(10)
        return self.real(STEP_KINDS["update_contact"], cohort, ctx)

    real: Callable[..., Outcomes]


@contextmanager
def in_the_middle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Middle]:
    """Stop the first update step that runs."""
    middle = Middle()
    kind = type(STEP_KINDS["update_contact"])
    middle.real = kind.run
    with monkeypatch.context() as patched:
        patched.setattr(kind, "run", middle)
        yield middle


def arranged(tenant: Tenant, *steps: StepNode, **more: Any) -> tuple[World, Flow, Contact]:
    """Return a world with Anna before the first step of a flow that updates first."""
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        anna = world.contact("Anna")
        first = update("contact.job_title", "set", "x", title="First")
        flow = world.flow(first, *steps, **more)
        world.suggest(flow, anna)
        return world, flow, anna


def batch(world: World, flow: Flow) -> int:
    return run_batch(tenant_id=world.tenant.pk, flow_id=flow.pk, now=world.now, limit=10).claimed


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, world: World, flow: Flow, act: Callable[[], Any], *, waits: bool
) -> None:
    """Do something while a batch of the flow is in its first step; `waits` says whether it has to wait for the end."""
    done = threading.Event()
    with in_the_middle(monkeypatch) as middle:

        def acting() -> None:
            assert middle.reached.wait(10)
            with tenant_scope(world.tenant.pk):
                act()
            done.set()

        def watching() -> None:
            assert middle.reached.wait(10)
            if waits:
                # A lock that is waited for shows in the server: no sleeping and hoping.
                _until(lambda: done.is_set() or _somebody_waits())
                assert not done.is_set(), "it went through while the batch was running"
            else:
                assert done.wait(10), "it waited for the batch"
            middle.released.set()

        assert at_once(lambda: batch(world, flow), acting, watching)[0] == 1


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        row = cursor.fetchone()
    return bool(row and row[0])


def test_an_end_waits_for_the_batch_and_cancels_where_it_left_off(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, flow, anna = arranged(tenant, wait(1))

    meanwhile(
        monkeypatch,
        world,
        flow,
        lambda: end_flow(flow_id=flow.pk, actor=world.user, now=world.now),
        waits=True,
    )

    with tenant_scope(tenant.pk):
        person = world.one(flow, anna)
        assert (person.status, world.path(person)) == (
            "cancelled",
            [("First", "went_on", ""), ("Wait", "left", "cancelled")],
        )


def test_an_edit_between_claim_and_run_waits_and_the_way_on_is_the_new_one(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, flow, anna = arranged(tenant, wait(1))
    with tenant_scope(tenant.pk):
        pause_first = Flow.objects.get(pk=flow.pk)
        document = FlowDocument.model_validate(pause_first.revisions.get(number=1).document)
        changed = document.model_copy(
            update={"steps": (*document.steps, update("contact.language", "set", "nb"))}
        )

    def edit() -> None:
        pause(flow_id=flow.pk, actor=world.user, now=world.now)
        Flow.objects.filter(pk=flow.pk).update(draft=changed.model_dump(mode="json"), draft_version=5)
        save_draft(flow_id=flow.pk, base_version=5, actor=world.user, now=world.now)
        Flow.objects.filter(pk=flow.pk).update(status="running")

    meanwhile(monkeypatch, world, flow, edit, waits=True)

    with tenant_scope(tenant.pk):
        assert world.path(world.one(flow, anna)) == [("First", "went_on", ""), ("Wait", "", "")]
        world.advance(flow, days=1)
        assert world.path(world.one(flow, anna))[-1] == ("Update", "went_on", "")


def test_who_is_excluded_in_the_middle_of_a_batch_does_not_make_the_next_step(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, flow, anna = arranged(tenant, update("contact.language", "set", "nb", title="Second"))
    with tenant_scope(tenant.pk):
        number = world.selection("Rivals").pk
        document = FlowDocument.model_validate(flow.revisions.get(number=1).document)
        settings = document.settings.model_copy(update={"exclusions": (number,)})
        world.save(flow, document.model_copy(update={"settings": settings}))

    meanwhile(
        monkeypatch,
        world,
        flow,
        lambda: SelectionMember.objects.create(selection_id=number, contact=anna, added_at=world.now),
        waits=False,
    )

    with tenant_scope(tenant.pk):
        person = world.one(flow, anna)
        assert (person.drop_reason, person.drop_values) == (
            "excluded",
            {"selection": number, "at": world.now.isoformat(timespec="minutes")},
        )
        assert world.path(person) == [("First", "went_on", ""), ("Second", "left", "excluded")]
        assert Contact.objects.get(pk=anna.pk).language == ""


def test_who_unsubscribes_in_the_middle_of_a_batch_gets_no_mail(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, flow, anna = arranged(tenant)
    with tenant_scope(tenant.pk):
        document = FlowDocument.model_validate(flow.revisions.get(number=1).document)
        world.save(flow, document.model_copy(update={"steps": (*document.steps, send(world.email()))}))

    meanwhile(
        monkeypatch,
        world,
        flow,
        lambda: SubscriptionOptOut.objects.create(contact=anna, type=world.news, at=world.now),
        waits=False,
    )

    with tenant_scope(tenant.pk):
        assert world.one(flow, anna).drop_reason == "unsubscribed"
        assert world.messages() == []


def test_an_erasure_waits_for_the_batch_and_then_ends_and_cancels(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, flow, anna = arranged(tenant, wait(1))
    with tenant_scope(tenant.pk):
        document = FlowDocument.model_validate(flow.revisions.get(number=1).document)
        first, pause_ = document.steps
        world.save(flow, document.model_copy(update={"steps": (first, send(world.email()), pause_)}))

    meanwhile(
        monkeypatch,
        world,
        flow,
        lambda: erase_contact(contact_id=anna.pk, actor=world.user, now=world.now),
        waits=True,
    )

    with tenant_scope(tenant.pk):
        person = world.one(flow, anna)
        assert (person.status, person.drop_reason) == ("dropped", "contact_deleted")
        assert [status for _, status in world.messages()] == ["cancelled"]
        assert Contact.objects.get(pk=anna.pk).email == ""


def test_two_events_of_one_contact_at_the_same_instant_enrol_once(tenant: Tenant) -> None:
    with tenant_scope(tenant.pk):
        world = World(tenant, User.objects.create_user(email="bob@acme.test"))
        flow = world.flow(wait(1), triggers=(Trigger(kind="contact_created"),))
        anna = world.contact("Anna")

    def tell_and_take() -> int:
        with tenant_scope(tenant.pk):
            record_events([NewEvent("contact.created", anna.pk, world.now, Origin.API)])
        taken = 0
        for _ in range(20):
            taken += take_events(tenant_id=tenant.pk, now=world.now).taken
        return taken

    at_once(tell_and_take, tell_and_take)
    take_events(tenant_id=tenant.pk, now=world.now)

    with tenant_scope(tenant.pk):
        assert Event.objects.filter(kind="contact.created").count() == 2
        assert Participant.objects.filter(flow_id=flow.pk).count() == 1
        verdicts = sorted(Suggestion.objects.filter(flow_id=flow.pk).values_list("verdict", flat=True))
        assert verdicts == ["active", "enrolled"]
