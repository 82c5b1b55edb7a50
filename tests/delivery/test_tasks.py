"""The task does one bounded batch and asks for the next; waking twice queues once."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from pytest_django import Settings

from delivery import tasks
from delivery.operations import sending
from tests.delivery.conftest import House
from tests.support.smtp import Mailbox


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect what would go to the broker."""
    cache.clear()
    asked: list[int] = []
    monkeypatch.setattr(tasks.send_due, "delay", asked.append)
    return asked


def test_waking_twice_queues_one_task(house: House, queued: list[int]) -> None:
    tasks.wake_delivery(house.tenant.pk)
    tasks.wake_delivery(house.tenant.pk)
    assert queued == [house.tenant.pk]


def test_a_task_sends_a_batch_and_asks_for_the_next_until_nothing_is_left(
    house: House, mailbox: Mailbox, queued: list[int], settings: Settings
) -> None:
    # Other threads have connections of their own, which do not see this test's transaction.
    settings.SEND_THREADS = 1
    house.queue(*(house.contact(f"Ada{n}") for n in range(sending.BATCH + 5)))
    tasks.wake_delivery(house.tenant.pk)
    sent = []
    while queued:
        tasks.send_due(queued.pop())
        sent.append(len(mailbox.received))
    assert sent == [sending.BATCH, sending.BATCH + 5, sending.BATCH + 5]
    assert len({mail.recipients[0] for mail in mailbox.received}) == sending.BATCH + 5


def test_streams_take_turns(house: House, mailbox: Mailbox) -> None:
    from delivery.models import Stream
    from delivery.operations.streams import make_stream

    house.queue(*(house.contact(f"Big{n}") for n in range(6)))
    with house.scope():
        other = make_stream(name="Small", state=Stream.State.OPEN)
    big, house.stream = house.stream, other
    house.queue(house.contact("Small"))
    house.send(limit=3)
    house.send(limit=3)
    house.send(limit=3)
    names = [mail.recipients[0].partition("@")[0] for mail in mailbox.received]
    assert names == ["big0", "big1", "big2", "small", "big3", "big4", "big5"]
    assert big.pk != other.pk
