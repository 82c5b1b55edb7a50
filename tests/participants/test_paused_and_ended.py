"""While a flow is paused nothing new goes out of it, not to colleagues nor other systems either; its end cancels it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Tenant, User
from core.tenancy import tenant_scope
from delivery.models import Message, OutgoingWebhook, Stream
from delivery.operations.sending import send_batch
from delivery.operations.streams import close_stream, hold_stream, open_stream, stream_for_notes
from delivery.operations.webhooks import send_webhooks, try_failed_again
from flows.document import StepNode
from flows.models import Flow
from tests.fixtures.receiver import Receiver
from tests.participants.conftest import World, wait
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)


class House:
    """A running flow that notes colleagues and calls another system."""

    def __init__(self, url: str) -> None:
        self.tenant = Tenant.objects.create(slug="acme", name="Acme", from_email="hello@acme.test")
        with self.scope():
            user = User.objects.create_user(email="bob@acme.test")
            self.world = world = World(self.tenant, user)
            note = StepNode(
                kind="notify_by_email",
                title="Note",
                settings={
                    "to": "addresses",
                    "addresses": ("rep@acme.test",),
                    "subject": "Hi",
                    "text": "Look",
                },
            )
            call = StepNode(
                kind="webhook", title="Call", settings={"url": url, "method": "POST", "body": "{}"}
            )
            self.flow: Flow = world.flow(note, call, wait(5))

    def scope(self) -> Any:
        return tenant_scope(self.tenant.pk)

    def walk(self, name: str) -> None:
        """Let somebody enter and take both steps."""
        with self.scope():
            self.world.suggest(self.flow, self.world.contact(name))
            self.world.advance(self.flow)

    def turn(self, work: Any) -> None:
        """Turn the flow's stream, as pause, resume and end do."""
        with self.scope():
            work(stream_id=self.flow.stream_id)

    def go_out(self, after: dt.timedelta = dt.timedelta()) -> None:
        """Send everything that is due."""
        now = self.world.now + after
        for _ in range(4):
            send_batch(tenant_id=self.tenant.pk, now=now)
            send_webhooks(tenant_id=self.tenant.pk, now=now)

    def states(self) -> tuple[list[str], list[str]]:
        with self.scope():
            mails = Message.objects.order_by("id").values_list("status", flat=True)
            hooks = OutgoingWebhook.objects.order_by("id").values_list("status", flat=True)
            return list(mails), list(hooks)


@pytest.fixture
def house(transactional_db: None, receiver: Receiver) -> House:
    """A flow that calls the receiver."""
    return House(receiver.url())


def test_a_pause_holds_notes_and_calls_and_resuming_lets_them_go(
    house: House, mailbox: Mailbox, receiver: Receiver
) -> None:
    house.walk("Anna")
    house.turn(hold_stream)
    house.go_out()
    house.go_out(MINUTE)
    assert house.states() == (["queued"], ["queued"])
    assert (mailbox.received, receiver.got) == ([], [])
    house.turn(open_stream)
    house.go_out(2 * MINUTE)
    assert house.states() == (["sent"], ["delivered"])
    assert (len(mailbox.received), len(receiver.got)) == (1, 1)


def test_the_end_cancels_them_for_good_also_when_the_flow_runs_again(
    house: House, mailbox: Mailbox, receiver: Receiver
) -> None:
    house.walk("Anna")
    house.turn(close_stream)
    assert house.states()[1] == ["cancelled"]
    house.turn(open_stream)
    house.go_out(MINUTE)
    assert house.states() == (["cancelled"], ["cancelled"])
    house.walk("Bea")
    house.go_out(2 * MINUTE)
    assert house.states() == (["cancelled", "sent"], ["cancelled", "delivered"])
    assert (len(mailbox.received), len(receiver.got)) == (1, 1)


def test_a_call_that_failed_is_not_made_again_after_the_end(house: House, receiver: Receiver) -> None:
    house.walk("Anna")
    with house.scope():
        OutgoingWebhook.objects.update(status="failed")
    house.turn(close_stream)
    with house.scope():
        step = OutgoingWebhook.objects.get().step_id
        try_failed_again(flow_id=house.flow.pk, step_id=step, now=house.world.now)
    house.go_out(MINUTE)
    assert house.states()[1] == ["cancelled"]
    assert receiver.got == []


def test_a_call_that_is_being_made_when_the_flow_ends_stays_cancelled(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from delivery.operations import webhooks

    house.walk("Anna")
    real = webhooks._made

    def made(request: Any) -> Any:
        return real(request)

    def prepare(*args: Any) -> Any:
        found = real_prepare(*args)
        house.turn(close_stream)
        return found

    real_prepare = webhooks._prepare
    monkeypatch.setattr(webhooks, "_prepare", prepare)
    monkeypatch.setattr(webhooks, "_made", made)
    house.go_out()
    with house.scope():
        row = OutgoingWebhook.objects.get()
    assert (row.status, row.reserved_by) == ("cancelled", None)


def test_a_paused_flow_holds_up_no_other_flows_calls(house: House, receiver: Receiver) -> None:
    house.walk("Anna")
    house.turn(hold_stream)
    with house.scope():
        first = OutgoingWebhook.objects.get()
        OutgoingWebhook.objects.bulk_create(
            OutgoingWebhook(
                status="queued", stream_id=first.stream_id, flow_id=first.flow_id, step_id=first.step_id,
                contact_id=first.contact_id, participant_id=10_000 + number, visit_number=1,
                content_version_id=first.content_version_id, queued_at=first.queued_at, due_at=first.due_at,
            )
            for number in range(450)
        )  # fmt: skip
        other = house.world.flow(
            StepNode(
                kind="webhook",
                title="Other",
                settings={"url": receiver.url(), "method": "POST", "body": "{}"},
            ),
            name="Other",
        )
        house.world.suggest(other, house.world.contact("Bea"))
        house.world.advance(other)
    house.go_out(dt.timedelta(seconds=1))
    assert len(receiver.got) == 1


def test_notes_have_one_stream_a_flow_that_keeps_no_timeframe(house: House) -> None:
    with house.scope():
        Stream.objects.filter(pk=house.flow.stream_id).update(timeframe={"weekdays": []})
        first = stream_for_notes(of=house.flow.stream_id)
        assert stream_for_notes(of=house.flow.stream_id).pk == first.pk
        assert (first.timeframe, first.subscription_type_id, first.state) == (None, None, "open")
        assert Stream.objects.filter(notes_of=house.flow.stream_id).count() == 1
