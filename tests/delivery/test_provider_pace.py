"""How fast a tenant's mails go by its provider: so many at the same time, so many a second over all workers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Tenant
from delivery import email_account
from delivery.models import EmailConnector, Message, Pace
from delivery.operations.email_connector import connect_provider
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.support.email_providers import KEY, EmailProviders

pytestmark = pytest.mark.django_db(transaction=True)


def connect(house: House, person: Person, key: str = KEY, **speed: Any) -> None:
    with house.scope():
        connect_provider(
            provider="postmark", given={"server_token": key}, actor=person.user, now=NOW, **speed
        )


def states(house: House) -> Counter[str]:
    with house.scope():
        return Counter(Message.objects.values_list("status", flat=True))


@pytest.mark.parametrize("connections", [1, 4])
def test_as_many_go_at_the_same_time_as_there_are_connections(
    house: House, alice: Person, providers: EmailProviders, connections: int
) -> None:
    connect(house, alice, connections=connections)
    house.queue(*(house.contact(f"Ada{n}") for n in range(8)))
    # Nobody is answered before so many are asked: fewer at a time would never end.
    together = threading.Barrier(connections)
    providers.slow = lambda: together.wait(60)
    house.send()
    assert providers.most_at_once == connections
    assert states(house) == {"sent": 8}
    assert {mail.to for mail in providers.mails} == {f"ada{n}@post.test" for n in range(8)}
    with house.scope():
        told = dict(Message.objects.values_list("to_address", "provider_id"))
    # Each keeps its own id, whoever was answered first.
    assert told == {mail.to: f"id-{n}" for n, mail in enumerate(providers.mails, start=1)}


def test_each_recipient_keeps_a_fate_of_their_own_side_by_side(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    connect(house, alice, connections=5)
    providers.hang.add("hung@post.test")
    people = [house.contact(name, email=f"{name}@post.test") for name in ("bad", "hung", "ada", "bea", "cid")]
    ids = house.queue(*people)
    house.send()
    assert [house.message(one).status for one in ids] == ["bounced", "unknown", "sent", "sent", "sent"]


def test_a_refused_account_is_not_asked_for_the_rest(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    connect(house, alice, key="wrong", connections=2)
    house.queue(*(house.contact(f"Ada{n}") for n in range(20)))
    house.send()
    assert providers.asked <= 2
    with house.scope():
        assert set(Message.objects.values_list("status", "attempts", "reason")) == {
            ("queued", 0, "channel_down")
        }


class FakeTime:
    """A clock that only sleeping moves; begins at the real second, because Redis keeps what was counted before."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_no_more_go_in_a_second_over_all_workers(
    house: House, alice: Person, providers: EmailProviders, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(house, alice, connections=1, most_a_second=3)
    house.queue(*(house.contact(f"Ada{n}") for n in range(10)))
    clock, asked = FakeTime(), Counter[int]()
    monkeypatch.setattr(email_account, "time", clock)
    providers.slow = lambda: asked.update([int(clock.now)])
    # Two turns, as two workers make them, count in one second.
    house.send(limit=2)
    house.send(limit=8)
    assert list(asked.values()) == [3, 3, 3, 1]
    assert clock.slept == [1.0] * 3
    assert states(house) == {"sent": 10}


def test_it_holds_beside_the_tenants_own_pace_and_no_other_tenant(
    house: House, alice: Person, charlie: Person, globex: Tenant, providers: EmailProviders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = House(globex)
    connect(house, alice, connections=1, most_a_second=2)
    connect(other, charlie, connections=1)
    with house.scope():
        Pace.objects.create(channel="email", most_a_minute=3)
    clock = FakeTime()
    monkeypatch.setattr(email_account, "time", clock)
    house.queue(*(house.contact(f"Ada{n}") for n in range(5)))
    other.queue(*(other.contact(f"Bea{n}") for n in range(5)))
    house.send()
    assert clock.slept == [1.0]
    other.send()
    assert clock.slept == [1.0]
    assert (states(house), states(other)) == ({"sent": 3, "queued": 2}, {"sent": 5})


def test_the_page_takes_what_can_be_kept(house: House, alice: Person, providers: EmailProviders) -> None:
    client, url = alice.client(), alice.url("settings/connectors/email/postmark/")
    for bad in ({"connections": "0"}, {"connections": "11"}, {"connections": ""}, {"most_a_second": "0"}):
        given = {"server_token": KEY, "connections": "2", "most_a_second": "", **bad}
        assert client.post(url, given).status_code == 422
    assert (
        client.post(url, {"server_token": KEY, "connections": "2", "most_a_second": "14"}).status_code == 302
    )
    page = client.get(url).content.decode()
    assert 'value="14"' in page
    with house.scope():
        for impossible in ({"connections": 0}, {"connections": 11}, {"most_a_second": 0}):
            with pytest.raises(IntegrityError), transaction.atomic():
                EmailConnector.objects.update(**impossible)
