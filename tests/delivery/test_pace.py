"""The pace: so many messages of a channel a minute, over all workers, and nothing is left out."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection

from accounts.models import AuditEntry, Tenant
from delivery.channels.smtp import SmtpChannel, SmtpSettings
from delivery.models import Message, Pace
from delivery.operations.sending_rules import paces, set_paces
from tests.delivery.conftest import NOW, House
from tests.delivery.sms_house import connected as connected
from tests.delivery.sms_house import queue as queue_sms
from tests.delivery.sms_house import someone
from tests.fixtures.people import Person
from tests.fixtures.twilio import Twilio
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
SECOND, MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)


def pace(house: House, **most: int) -> None:
    with house.scope():
        for channel, number in most.items():
            Pace.objects.update_or_create(channel=channel, defaults={"most_a_minute": number})


def test_no_more_go_in_a_minute_and_all_go_in_the_end(house: House, mailbox: Mailbox) -> None:
    pace(house, email=3)
    house.queue(*(house.contact(f"Ada{n}") for n in range(8)))
    gone = []
    for minute in range(3):
        for second in (0, 20, 59):
            house.send(now=NOW + minute * MINUTE + second * SECOND)
        gone.append(len(mailbox.received))
    assert gone == [3, 6, 8]
    with house.scope():
        assert set(Message.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_a_channel_that_has_used_its_minute_does_not_hold_the_other_one(
    house: House, mailbox: Mailbox, twilio: Twilio
) -> None:
    pace(house, email=1)
    house.queue(house.contact("Ada"), house.contact("Bea"))
    queue_sms(house, someone(house), someone(house, "+4791234568", name="Cid"))
    house.send()
    house.send(now=NOW + SECOND)
    assert (len(mailbox.received), len(twilio.sent)) == (1, 2)
    pace(house, sms=1, email=9)
    queue_sms(house, someone(house, "+4791234569", name="Dag"), someone(house, "+4791234570", name="Eli"))
    house.send(now=NOW + MINUTE)
    house.send(now=NOW + MINUTE + SECOND)
    assert (len(mailbox.received), len(twilio.sent)) == (2, 3)


def test_two_workers_share_one_pace(house: House, mailbox: Mailbox) -> None:
    pace(house, email=5)
    house.queue(*(house.contact(f"Ada{n}") for n in range(20)))

    def work() -> None:
        # A connection of its own, as each worker process has one.
        channel = SmtpChannel(SmtpSettings.of_installation())
        try:
            house.send(limit=4, channel=channel)
            house.send(limit=4, channel=channel)
        finally:
            channel.close()
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with house.scope():
        assert Message.objects.filter(status="sent").count() == 5
        assert Pace.objects.get().used == 5


def test_another_tenants_pace_is_no_matter(house: House, mailbox: Mailbox, globex: Tenant) -> None:
    pace(house, email=1)
    other = House(globex)
    other.queue(*(other.contact(f"Bea{n}") for n in range(3)))
    assert other.send().handed == 3


def test_the_page_sets_takes_away_and_refuses(
    house: House, alice: Person, bob: Person, charlie: Person
) -> None:
    url = alice.url("settings/connectors/sending/")
    client = alice.client()
    assert client.post(url, {"part": "pace", "email": "120", "sms": ""}).status_code == 302
    with house.scope():
        assert paces() == {"email": 120}
        assert AuditEntry.objects.filter(action="pace.changed").count() == 1
    assert 'value="120"' in client.get(url).content.decode()
    for bad in ("0", "-1", "x", "99999999999"):
        page = client.post(url, {"part": "pace", "email": bad})
        assert page.status_code == 422
    for person in (bob, charlie):
        assert person.client().post(url, {"part": "pace", "email": "1"}).status_code == 404
    with house.scope():
        assert paces() == {"email": 120}
    client.post(url, {"part": "pace", "email": "", "sms": ""})
    with house.scope():
        assert paces() == {}
        with pytest.raises(IntegrityError):
            set_paces(most={"email": 0}, actor=alice.user)
