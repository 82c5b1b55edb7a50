"""Messages whose participant left: not sent, not put off, not tried again, whatever they were doing at that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from delivery.channels.base import Envelope, HandOver, Outcome
from delivery.models import Message
from delivery.operations.undelivered import try_again, undelivered
from delivery.queue import cancel_messages
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
WHO = 880_001


def leaves(house: House, participant: int = WHO) -> int:
    """Let the participant leave its flow."""
    with house.scope(), raw_cursor() as cursor:
        return cancel_messages(
            cursor, tenant_id=house.tenant.pk, participants=[(NOW.date(), participant)], reason="dropped"
        )


class LeavesMeanwhile:
    """A channel whose recipient leaves the flow while the mail is on its way."""

    def __init__(self, house: House, result: HandOver) -> None:
        self.house, self.result, self.handed = house, result, 0

    def hand_over(self, envelope: Envelope) -> HandOver:
        self.handed += 1
        assert leaves(self.house) == 1
        return self.result

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        (HandOver(Outcome.DEFERRED, "451 later"), "cancelled", "dropped"),
        (HandOver(Outcome.DOWN, "gone"), "cancelled", "dropped"),
        (HandOver(Outcome.SENT, "250 ok"), "sent", ""),
        (HandOver(Outcome.UNKNOWN, "cut"), "unknown", "not_confirmed"),
        (HandOver(Outcome.FAILED, "554 no"), "failed", "refused"),
    ],
)
def test_who_leaves_while_the_mail_is_on_its_way_gets_it_only_if_it_was_taken(
    house: House, said: HandOver, status: str, reason: str
) -> None:
    [message_id] = house.queue(house.contact(), participant_id=WHO)
    channel = LeavesMeanwhile(house, said)
    house.send(channel=channel)
    row = house.message(message_id)
    assert (row.status, row.reason, row.withdrawn, row.reserved_by) == (status, reason, "dropped", None)
    later = NOW.replace(year=2027)
    house.send(now=later, channel=channel)
    assert channel.handed == 1


def test_what_was_given_up_is_not_tried_again_for_who_left_since(
    house: House, mailbox: Mailbox, alice: Person
) -> None:
    gone, stays = house.queue(house.contact("Gone"), participant_id=WHO) + house.queue(house.contact("Stays"))
    mailbox.answers["DATA"] = lambda to: "554 5.7.1 Your server is listed"
    house.send()
    mailbox.answers.clear()
    assert leaves(house) == 1
    assert (house.message(gone).status, house.message(gone).withdrawn) == ("failed", "dropped")
    with house.scope():
        assert [row.pk for row in undelivered()] == [stays]
        assert try_again(ids=[gone], actor=alice.user, now=NOW) == 0
        assert try_again(ids=None, actor=alice.user, now=NOW) == 1
    page = alice.client().get(alice.url("content/blocked-addresses/undelivered/")).content.decode()
    assert "gone@post.test" not in page
    house.send()
    assert [mail.recipients for mail in mailbox.received] == [["stays@post.test"]]


def in_thread(house: House, work: Callable[[], Any]) -> threading.Thread:
    """Do it on a connection of its own, inside the tenant's scope."""

    def run() -> None:
        try:
            with tenant_scope(house.tenant.pk):
                work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_leaving_and_trying_again_at_once_never_sends(house: House, alice: Person) -> None:
    first, second = house.queue(house.contact("Ada"), participant_id=WHO) + house.queue(
        house.contact("Bea"), participant_id=WHO + 1
    )
    with house.scope():
        Message.objects.update(status="failed")
    # Pressed first, the leaving waits for it and takes it back.
    with house.scope(), transaction.atomic():
        assert try_again(ids=[first], actor=alice.user, now=NOW) == 1
        thread = in_thread(house, lambda: leaves_here(house, WHO))
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(10)
    assert (house.message(first).status, house.message(first).reason) == ("cancelled", "dropped")
    # Leaves first: the press passes it by.
    with house.scope(), transaction.atomic():
        assert leaves_here(house, WHO + 1) == 1
        done: list[int] = []
        thread = in_thread(house, lambda: done.append(try_again(ids=[second], actor=alice.user, now=NOW)))
        thread.join(10)
        assert done == [0]
    assert house.message(second).status == "failed"


def leaves_here(house: House, participant: int) -> int:
    """Let the participant leave in the open transaction."""
    with raw_cursor() as cursor:
        return cancel_messages(
            cursor, tenant_id=house.tenant.pk, participants=[(NOW.date(), participant)], reason="dropped"
        )
