"""Threads that share a turn: each message goes once, whoever sends it, and a server that is gone stops all of them."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connections
from pytest_django import Settings

from config.embedded.process import free_port
from crm.models import Event
from delivery import hands
from delivery.channels.base import Envelope, HandOver
from delivery.channels.smtp import SmtpChannel
from delivery.models import Message
from delivery.operations.turn import process_channel
from tests.delivery.conftest import House
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 130


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    """Close what the other thread keeps open between turns."""
    yield

    def close() -> None:
        connections.close_all()
        process_channel().close()

    hands._pool(os.getpid()).submit(close).result()


@pytest.fixture
def senders(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the mails that each thread handed over."""
    counted: Counter[str] = Counter()
    really = SmtpChannel.hand_over

    def hand_over(self: SmtpChannel, envelope: Envelope) -> HandOver:
        counted[threading.current_thread().name] += 1
        return really(self, envelope)

    monkeypatch.setattr(SmtpChannel, "hand_over", hand_over)
    return counted


def test_two_threads_share_a_turn_and_each_message_goes_once(
    house: House, mailbox: Mailbox, senders: Counter[str]
) -> None:
    ids = house.queue(*(house.contact(f"Ada{n}") for n in range(MANY)))
    sent = house.send(threads=2)
    assert (sent.handed, sent.more) == (MANY, True)
    assert sorted(senders.values()) == [65, 65]
    assert Counter(mail.recipients[0] for mail in mailbox.received) == {
        f"ada{n}@post.test": 1 for n in range(MANY)
    }
    with house.scope():
        rows = Message.objects.filter(pk__in=ids)
        assert set(rows.values_list("status", "reserved_by", "attempts")) == {("sent", None, 1)}
        assert Event.objects.filter(kind="message.sent").count() == MANY


def test_few_messages_are_sent_by_one(house: House, mailbox: Mailbox, senders: Counter[str]) -> None:
    house.queue(*(house.contact(f"Ada{n}") for n in range(20)))
    assert house.send(threads=4).handed == 20
    assert list(senders.values()) == [20]


def test_a_server_that_is_gone_stops_all_threads_and_uses_up_no_tries(
    house: House, mailbox: Mailbox, senders: Counter[str], settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    ids = house.queue(*(house.contact(f"Ada{n}") for n in range(MANY)))
    sent = house.send(threads=2)
    assert (sent.handed, sent.more) == (0, False)
    assert max(senders.values()) == 1
    with house.scope():
        rows = Message.objects.filter(pk__in=ids)
        found = set(rows.values_list("status", "reason", "reserved_by", "attempts"))
        assert found == {("queued", "channel_down", None, 0)}


def test_the_error_of_one_thread_is_raised_when_all_are_done() -> None:
    done: list[int] = []

    def work(part: int) -> None:
        if part == 1:
            raise RuntimeError("one of them")
        done.append(part)

    with pytest.raises(RuntimeError, match="one of them"):
        hands.side_by_side(work, [0, 1, 2])
    assert sorted(done) == [0, 2]


def test_shares_are_equal_and_few_stay_together() -> None:
    assert [len(part) for part in hands.shares(range(130), 2)] == [65, 65]
    assert [len(part) for part in hands.shares(range(99), 4)] == [99]
    assert [len(part) for part in hands.shares(range(401), 2)] == [201, 200]
    assert hands.shares([], 2) == []
