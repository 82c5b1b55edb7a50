"""Guard 8: contacts that share an address get one mail of a step between them, whatever the order of work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Tenant, User
from core.tenancy import tenant_scope
from crm.models import Contact
from delivery.models import Message
from flows.document import SuccessCriterion
from flows.models import Flow
from participants.engine.batch import run_batch
from participants.engine.guards_address import ADDRESS_IN_USE
from participants.models import Participant
from tests.participants.conftest import World, send, update, wait, when

SAME = "same@post.test"


def got(world: World) -> list[int]:
    """Return the contacts that mails go to."""
    ids = Message.objects.exclude(status="cancelled").order_by("id").values_list("contact_id", flat=True)
    return [number for number in ids if number is not None]


def test_who_enters_after_the_first_has_got_it_and_finished_is_a_duplicate(world: World) -> None:
    first, second = world.contact("First", email=SAME), world.contact("Second", email="SAME@post.test")
    flow = world.flow(send(world.email()))
    world.suggest(flow, first)
    world.advance(flow)
    world.suggest(flow, second)
    world.advance(flow, days=3)
    one = world.one(flow, second)
    assert (one.drop_reason, one.drop_values) == (
        "duplicate_address",
        {"participant": world.one(flow, first).pk, "email": "same@post.test", "got": True},
    )
    assert got(world) == [first.pk]


@pytest.mark.parametrize(
    ("status", "withdrawn", "sent"),
    [
        ("cancelled", "", True), ("blocked", "", True), ("bounced", "", True), ("failed", "dropped", True),
        ("failed", "", False), ("soft_bounced", "", False), ("unknown", "", False), ("opened", "", False),
        ("sent", "dropped", False),
    ],
)  # fmt: skip
def test_a_mail_that_never_went_holds_no_address(
    world: World, status: str, withdrawn: str, sent: bool
) -> None:
    first, second = world.contact("First", email=SAME), world.contact("Second", email=SAME)
    flow = world.flow(send(world.email()))
    world.suggest(flow, first)
    world.advance(flow)
    Message.objects.update(status=status, withdrawn=withdrawn)
    world.suggest(flow, second)
    world.advance(flow)
    assert Message.objects.filter(contact_id=second.pk).exists() is sent


def test_another_step_another_flow_and_another_address_are_no_matter(world: World) -> None:
    first, second = world.contact("First", email=SAME), world.contact("Second", email=SAME)
    other = world.contact("Other", email="other@post.test")
    flow, another = world.flow(send(world.email())), world.flow(send(world.email()), name="Another")
    world.suggest(flow, first)
    world.advance(flow)
    world.suggest(another, second)
    world.advance(another)
    world.suggest(flow, other)
    world.advance(flow)
    assert got(world) == [first.pk, second.pk, other.pk]


def test_the_one_who_got_it_before_gets_it_again_and_the_address_stays_theirs(world: World) -> None:
    """A yearly flow whose step skips: both enter again, in the other order, and one mail goes out each year."""
    first, second = world.contact("First", email=SAME), world.contact("Second", email=SAME)
    flow = world.flow(send(world.email(), if_cannot="skip"))
    world.suggest(flow, first)
    world.advance(flow)
    world.suggest(flow, second)
    world.suggest(flow, first)
    world.advance(flow, days=365)
    assert got(world) == [first.pk, first.pk]
    assert world.path(world.one(flow, second)) == [("Send", "went_on", "skipped")]


def test_who_reached_the_goal_in_the_same_batch_without_the_mail_does_not_hold_it(world: World) -> None:
    won = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    first = world.contact("First", email=SAME)
    second = world.contact("Second", email=SAME)
    flow = world.flow(wait(1), send(world.email()), success=(won,), settings={"move_to_finish": True})
    world.suggest(flow, first, second)
    world.advance(flow)
    Contact.objects.filter(pk=first.pk).update(category=world.customer)
    world.advance(flow, days=1)
    assert world.one(flow, first).status == "success"
    assert got(world) == [second.pk]


def test_it_costs_the_same_whatever_the_number(world: World, django_assert_max_num_queries: Any) -> None:
    flow = world.flow(send(world.email()))
    world.suggest(
        flow, *[world.contact(f"P{number}", email=f"box{number // 10}@post.test") for number in range(200)]
    )
    with django_assert_max_num_queries(40):
        world.advance(flow)
    assert len(got(world)) == 20
    assert Participant.objects.filter(drop_reason="duplicate_address").count() == 180


# Side by side, with real connections.


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    """A tenant in a database where commits are real."""
    return Tenant.objects.create(slug="acme", name="Acme")


class Shared:
    """A flow with two contacts of one address; the first was enrolled earlier."""

    def __init__(self, tenant: Tenant, **first: Any) -> None:
        self.tenant = tenant
        with tenant_scope(tenant.pk):
            self.world = world = World(tenant, User.objects.create_user(email=f"bob@{tenant.slug}.test"))
            self.first = world.contact("First", email=SAME, **first)
            self.second = world.contact("Second", email=SAME)
            self.flow: Flow = world.flow(update("contact.job_title", "set", "x"), send(world.email()))
            world.suggest(self.flow, self.first)
            world.suggest(self.flow, self.second)

    def run(self, *, limit: int = 100) -> int:
        """Run one batch; return how many it claimed."""
        done = run_batch(tenant_id=self.tenant.pk, flow_id=self.flow.pk, now=self.world.now, limit=limit)
        return done.claimed

    def beside(self, work: Callable[[], Any]) -> None:
        """Do something on another connection and wait for its end."""

        def on_its_own() -> None:
            try:
                work()
            finally:
                connection.close()

        thread = threading.Thread(target=on_its_own)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()

    def all_due(self) -> None:
        """Let whoever is active be due."""
        with tenant_scope(self.tenant.pk):
            Participant.objects.filter(status="active").update(due_at=self.world.now)


@pytest.mark.parametrize("leaves", [False, True], ids=["the first gets it", "the first drops out"])
def test_while_another_batch_has_the_first_the_second_is_put_off(tenant: Tenant, leaves: bool) -> None:
    shared = Shared(tenant, consent=None if leaves else True)
    with tenant_scope(tenant.pk), transaction.atomic():
        # What a batch does that has claimed the first and not judged it yet.
        list(Participant.objects.filter(contact_id=shared.first.pk).select_for_update(no_key=True))
        shared.beside(shared.run)
    with tenant_scope(tenant.pk):
        second = shared.world.one(shared.flow, shared.second)
        assert (second.status, second.drop_reason, second.held_reason) == ("active", "", ADDRESS_IN_USE)
        assert second.due_at is not None
        assert 1 <= (second.due_at - shared.world.now).total_seconds() <= 4
        assert got(shared.world) == []
    shared.all_due()
    shared.run()
    with tenant_scope(tenant.pk):
        assert got(shared.world) == [shared.second.pk if leaves else shared.first.pk]
        second = shared.world.one(shared.flow, shared.second)
        assert (second.status, second.drop_reason) == (
            ("finished", "") if leaves else ("dropped", "duplicate_address")
        )


def test_while_the_first_gets_the_mail_no_other_batch_takes_the_second(tenant: Tenant) -> None:
    shared = Shared(tenant)
    claimed: list[int] = []
    with tenant_scope(tenant.pk), transaction.atomic():
        assert shared.run(limit=1) == 1
        shared.beside(lambda: claimed.append(shared.run()))
    assert claimed == [0]
    assert shared.run() == 1
    with tenant_scope(tenant.pk):
        assert got(shared.world) == [shared.first.pk]
        assert shared.world.one(shared.flow, shared.second).drop_reason == "duplicate_address"


def test_an_earlier_one_that_was_written_late_does_not_get_a_second_mail(tenant: Tenant) -> None:
    """The first's enrolment commits while the second's batch, which cannot see it, is handing out the mail."""
    shared = Shared(tenant)
    with tenant_scope(tenant.pk):
        entered = Participant.objects.get(contact_id=shared.first.pk).enrolled_at
        Participant.objects.filter(contact_id=shared.first.pk).delete()
    with tenant_scope(tenant.pk), transaction.atomic():
        shared.run()
        assert got(shared.world) == [shared.second.pk]
        shared.beside(lambda: _enter_and_run(shared, entered))
    with tenant_scope(tenant.pk):
        first = shared.world.one(shared.flow, shared.first)
        assert first.status == "active"
    shared.all_due()
    shared.run()
    with tenant_scope(tenant.pk):
        assert got(shared.world) == [shared.second.pk]
        first = shared.world.one(shared.flow, shared.first)
        assert first.drop_reason == "duplicate_address"


def _enter_and_run(shared: Shared, entered: Any) -> None:
    with tenant_scope(shared.tenant.pk):
        shared.world.suggest(shared.flow, shared.first)
        Participant.objects.filter(contact_id=shared.first.pk).update(enrolled_at=entered)
    shared.run()


def test_another_tenants_contact_with_the_address_is_no_matter(tenant: Tenant) -> None:
    theirs = Shared(tenant)
    theirs.run()
    ours = Shared(Tenant.objects.create(slug="other", name="Other"))
    ours.run()
    with tenant_scope(ours.tenant.pk):
        assert got(ours.world) == [ours.first.pk]
