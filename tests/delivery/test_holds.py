"""A channel or a sender that does not work uses up no message's tries: they wait, and it is said why and what to do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Licence
from delivery.channels.base import Envelope, HandOver, Outcome
from delivery.models import ChannelHold, Message, SmsConnector, Stream
from delivery.operations.connectors import connect_sms
from delivery.operations.streams import make_stream
from delivery.waiting import Waiting, waiting_messages
from tests.delivery.conftest import NOW, House
from tests.delivery.sms_house import queue as queue_sms
from tests.delivery.sms_house import someone
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID, TOKEN, Twilio
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)


def hold(house: House) -> tuple[str, str, int] | None:
    """Return channel, cause and tries of the only hold."""
    with house.scope():
        found = list(ChannelHold.objects.values_list("channel", "cause", "tries"))
    assert len(found) <= 1
    return found[0] if found else None


def waiting(house: House, now: dt.datetime = NOW) -> list[Waiting]:
    with house.scope():
        return waiting_messages(now=now, stream_id=house.stream.pk)


def for_days(house: House, days: int) -> dt.datetime:
    """Send every ten minutes; return when it ends."""
    now = NOW
    while now < NOW + dt.timedelta(days=days):
        house.send(now=now)
        now += 10 * MINUTE
    return now


def test_a_mail_server_that_is_away_for_three_days_loses_nothing(
    house: House, mailbox: Mailbox, settings: Any
) -> None:
    ids = house.queue(*(house.contact(f"Ada{n}") for n in range(12)))
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    now = for_days(house, 3)
    assert {(house.message(pk).status, house.message(pk).attempts) for pk in ids} == {("queued", 0)}
    channel, cause, tries = hold(house) or ("", "", 0)
    assert (channel, cause, tries > 100) == ("email", "unreachable", True)
    [told] = waiting(house, now)
    assert (told.number, told.words) == (12, "The mail server cannot be reached")
    assert (told.since, "ConnectionRefusedError" in told.said) == (NOW, True)
    settings.EMAIL_PORT = port
    assert house.send(now=now).handed == 12
    assert hold(house) is None
    assert waiting(house, now) == []


def test_it_is_tried_again_after_half_a_minute_then_rarer_and_every_five_minutes_at_last(
    house: House, settings: Any
) -> None:
    house.queue(house.contact())
    settings.EMAIL_PORT = 1
    now, waits = NOW, []
    for _ in range(6):
        house.send(now=now)
        with house.scope():
            again = ChannelHold.objects.get().retry_at
        waits.append((again - now).total_seconds())
        house.send(now=again - dt.timedelta(seconds=1))
        now = again
    assert waits == [30, 60, 120, 240, 300, 300]


def test_a_hundred_wait_without_being_touched_one_by_one(
    house: House, mailbox: Mailbox, settings: Any
) -> None:
    house.queue(*(house.contact(f"Ada{n}") for n in range(100)))
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    house.send(limit=10)
    # The others are put off in one statement, without a try.
    sent = house.send(now=NOW + dt.timedelta(seconds=10), limit=10)
    assert sent.handed == 0
    with house.scope():
        assert set(Message.objects.values_list("status", "reason", "attempts")) == {
            ("queued", "channel_down", 0)
        }
    settings.EMAIL_PORT = port
    assert house.send(now=NOW + MINUTE, limit=200).handed == 100


@pytest.mark.parametrize("answer", ["550 5.7.1 Not you", "451 4.7.0 Not you now"])
def test_a_refused_sender_holds_its_own_stream_alone(house: House, mailbox: Mailbox, answer: str) -> None:
    with house.scope():
        other = make_stream(name="Other", state=Stream.State.OPEN)
        mine = {"sender": {"source": "fixed", "name": "Bad", "email": "bad@acme.test"}}
        Stream.objects.filter(pk=house.stream.pk).update(sender=mine)
    [bad] = house.queue(house.contact("Ada"))
    mailbox.answers["MAIL"] = lambda sender: answer if sender.startswith("bad@") else ""
    now = for_days(house, 3)
    row = house.message(bad)
    assert (row.status, row.reason, row.attempts, row.error) == ("queued", "sender_refused", 0, answer)
    assert hold(house) == ("email", "sender", hold(house)[2])  # type: ignore[index]
    [told] = waiting(house, now)
    assert (told.number, told.words, told.page) == (
        1,
        "The mail server refuses the sender’s address",
        "connectors:domains",
    )
    with house.scope():
        assert waiting_messages(now=now, stream_id=other.pk) == []
    house_stream, house.stream = house.stream, other
    house.queue(house.contact("Bea"))
    house.stream = house_stream
    assert house.send(now=now).handed == 1
    mailbox.answers.clear()
    assert house.send(now=now + 10 * MINUTE).handed == 1
    assert hold(house) is None


class HangsUp:
    """A server that hangs up under the mails of some."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def hand_over(self, envelope: Envelope) -> HandOver:
        if not self.names or envelope.recipient.partition("@")[0] in self.names:
            return HandOver(Outcome.LOST, "SMTPServerDisconnected")
        return HandOver(Outcome.SENT)

    def close(self) -> None: ...


def test_a_server_that_hangs_up_on_everybody_is_down_and_one_mail_it_hangs_up_on_is_to_blame_itself(
    house: House,
) -> None:
    ada, bea, cid = house.queue(house.contact("Ada"), house.contact("Bea"), house.contact("Cid"))
    house.send(channel=HangsUp())
    assert [house.message(pk).attempts for pk in (ada, bea, cid)] == [0, 0, 0]
    assert hold(house) == ("email", "unreachable", 1)
    house.send(channel=HangsUp("ada"), now=NOW + MINUTE)
    rows = [house.message(pk) for pk in (ada, bea, cid)]
    assert [(row.status, row.attempts) for row in rows] == [("queued", 1), ("sent", 1), ("sent", 1)]
    assert hold(house) is None


def test_without_an_account_sms_wait_for_days_and_go_when_one_is_connected(
    house: House, twilio: Twilio, mailbox: Mailbox, alice: Person
) -> None:
    [text] = queue_sms(house, someone(house))
    [mail] = house.queue(house.contact("Bea"))
    now = for_days(house, 3)
    assert house.message(mail).status == "sent"
    row = house.message(text)
    assert (row.status, row.reason, row.attempts) == ("queued", "channel_down", 0)
    [told] = waiting(house, now)
    assert (told.channel, told.words, told.advice) == (
        "sms",
        "No SMS account is connected",
        "Connect one.",
    )
    with house.scope():
        connect_sms(account_sid=SID, auth_token=TOKEN, senders=["Acme"], actor=alice.user, now=now)
    assert house.send(now=now).handed == 1
    assert [sms.to for sms in twilio.sent] == ["+4791234567"]
    assert hold(house) is None


def test_without_the_licence_what_is_queued_waits_until_it_is_back(
    house: House, twilio: Twilio, alice: Person
) -> None:
    with house.scope():
        connect_sms(account_sid=SID, auth_token=TOKEN, senders=["Acme"], actor=alice.user, now=NOW)
        Licence.objects.filter(code="sms").update(expires_on=NOW.date() - dt.timedelta(days=1))
    [text] = queue_sms(house, someone(house))
    now = for_days(house, 2)
    assert twilio.sent == []
    assert (house.message(text).status, house.message(text).attempts) == ("queued", 0)
    assert hold(house) == ("sms", "no_licence", hold(house)[2])  # type: ignore[index]
    with house.scope():
        Licence.objects.filter(code="sms").update(expires_on=None)
    assert house.send(now=now + 10 * MINUTE).handed == 1
    assert hold(house) is None


def test_one_cause_after_another_begins_anew(house: House, twilio: Twilio, alice: Person) -> None:
    queue_sms(house, someone(house))
    house.send()
    house.send(now=NOW + MINUTE)
    assert hold(house) == ("sms", "no_account", 2)
    with house.scope():
        Licence.objects.filter(code="sms").delete()
    house.send(now=NOW + 5 * MINUTE)
    assert hold(house) == ("sms", "no_licence", 1)


def test_it_is_said_on_the_undelivered_page_to_the_tenant_alone(
    house: House, alice: Person, wendy: Person, charlie: Person
) -> None:
    queue_sms(house, someone(house))
    house.send()
    path = "content/blocked-addresses/undelivered/"
    page = alice.client().get(alice.url(path)).content.decode()
    assert "1 message waits:" in " ".join(page.split())
    assert "No SMS account is connected" in page
    assert "/settings/connectors/sms/" in page.split("Messages that wait")[1].split("</section>")[0]
    # A writer sees why, and no link to what they may not open.
    hers = wendy.client().get(wendy.url(path)).content.decode().split("Messages that wait")[1]
    assert "/settings/connectors/sms/" not in hers.split("</section>")[0]
    assert "Messages that wait" not in charlie.client().get(charlie.url(path)).content.decode()
    with house.scope():
        SmsConnector.objects.all().delete()
        ChannelHold.objects.all().delete()
    assert "Messages that wait" not in alice.client().get(alice.url(path)).content.decode()


def test_where_everything_works_it_costs_one_query(house: House, django_assert_num_queries: Any) -> None:
    house.queue(house.contact())
    with house.scope(), django_assert_num_queries(1):
        assert waiting_messages(now=NOW, stream_id=house.stream.pk) == []
