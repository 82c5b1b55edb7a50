"""What Twilio answers to an SMS, and what its callbacks tell later: each counts once, and only if it is theirs."""

from __future__ import annotations

import datetime as dt
import socket
from typing import Any

import pytest

from accounts.models import Tenant
from core.secrets import seal
from delivery.channels import sms as channel
from delivery.models import SmsConnector, SmsOptOut
from delivery.operations import sending
from delivery.operations.rescue import rescue
from delivery.operations.streams import close_stream
from tests.delivery.conftest import NOW, House
from tests.delivery.sms_house import connected as connected
from tests.delivery.sms_house import events, queue, someone, state
from tests.fixtures.twilio import TOKEN, Twilio, post_signed
from trial.sms_sink import sign

# --- what Twilio answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("001", ("bounced", "refused")),
        ("002", ("blocked", "sms_opt_out")),
        ("004", ("queued", "channel_down")),
        ("005", ("queued", "channel_down")),
    ],
)
def test_each_refusal_means_what_twilio_says_it_means(
    house: House, twilio: Twilio, ending: str, expected: tuple[str, str]
) -> None:
    [message_id] = queue(house, someone(house, f"+4791234{ending}"))
    house.send()
    assert state(house, message_id) == expected
    with house.scope():
        stopped = list(SmsOptOut.objects.values_list("number", "source"))
    assert stopped == ([(f"+4791234{ending}", "provider")] if ending == "002" else [])


@pytest.mark.parametrize("ending", ["004", "005"])
def test_when_twilio_takes_nothing_no_try_is_used_up_and_the_others_are_not_held_up(
    house: House, twilio: Twilio, ending: str
) -> None:
    [message_id] = queue(house, someone(house, f"+4791234{ending}"))
    now = NOW
    for _ in range(20):
        house.send(now=now)
        now += dt.timedelta(minutes=6)
    row = house.message(message_id)
    assert (row.status, row.reason, row.attempts) == ("queued", "channel_down", 0)
    queue(house, someone(house, "+4791234999", name="Bea"))
    now += dt.timedelta(minutes=6)
    for _ in range(4):
        house.send(now=now)
        now += dt.timedelta(minutes=6)
    assert [sms.to for sms in twilio.sent] == ["+4791234999"]


def test_a_wrong_token_holds_everything_and_fails_nobody(house: House, twilio: Twilio) -> None:
    with house.scope():
        SmsConnector.objects.update(auth_token=seal("", purpose="sms-connector"))
    [message_id] = queue(house, someone(house))
    house.send()
    assert state(house, message_id) == ("queued", "channel_down")
    assert "20003" in house.message(message_id).error


def test_without_an_account_sms_wait_for_one(house: House, twilio: Twilio) -> None:
    with house.scope():
        SmsConnector.objects.all().delete()
    [message_id] = queue(house, someone(house))
    house.send()
    assert state(house, message_id) == ("queued", "channel_down")
    assert house.message(message_id).attempts == 0


def test_an_answer_that_never_comes_leaves_the_sms_unknown_and_it_is_never_sent_again(
    house: House, twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    [message_id] = queue(house, someone(house))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(channel, "TIMEOUT", 0.2)
        monkeypatch.setattr("django.conf.settings.SMS_API_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        house.send()
    assert state(house, message_id) == ("unknown", "not_confirmed")
    assert house.send(now=NOW + dt.timedelta(days=3)).handed == 0
    assert events(house) == ["message.unknown"]


def test_a_process_that_dies_in_mid_hand_over_leaves_it_unknown_until_twilio_tells(
    house: House, twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    [message_id] = queue(house, someone(house))

    class Killed(BaseException):
        pass

    marks = sending._settle

    def die(turn: Any, settlements: Any, *rest: Any) -> Any:
        if settlements:
            raise Killed
        return marks(turn, settlements, *rest)

    monkeypatch.setattr(sending, "_settle", die)
    with pytest.raises(Killed):
        house.send()
    monkeypatch.undo()
    assert len(twilio.sent) == 1
    assert rescue(tenant_id=house.tenant.pk, now=NOW).unknown == 1
    assert state(house, message_id) == ("unknown", "process_died")
    assert house.send(now=NOW + dt.timedelta(days=2)).handed == 0
    assert len(twilio.sent) == 1

    assert twilio.call_back(2) == [204, 204]
    assert house.message(message_id).status == "delivered"


def test_a_closed_flow_cancels_its_sms(house: House, twilio: Twilio) -> None:
    [message_id] = queue(house, someone(house))
    with house.scope():
        close_stream(stream_id=house.stream.pk)
    house.send()
    assert (twilio.sent, state(house, message_id)) == ([], ("cancelled", "flow_ended"))


# --- callbacks ----------------------------------------------------------------------------------------------------


def test_callbacks_tell_that_it_arrived(house: House, twilio: Twilio) -> None:
    [message_id] = queue(house, someone(house))
    house.send()
    assert twilio.call_back(2) == [204, 204]
    assert state(house, message_id) == ("delivered", "")
    assert events(house) == ["message.sent", "message.delivered"]


@pytest.mark.parametrize(
    ("ending", "expected"), [("003", ("soft_bounced", "unreachable")), ("006", ("bounced", "not_a_mobile"))]
)
def test_callbacks_tell_why_it_did_not_arrive(
    house: House, twilio: Twilio, ending: str, expected: tuple[str, str]
) -> None:
    [message_id] = queue(house, someone(house, f"+4791234{ending}"))
    house.send()
    twilio.call_back(2)
    assert state(house, message_id) == expected
    assert house.send(now=NOW + dt.timedelta(days=2)).handed == 0
    assert events(house) == ["message.sent", f"message.{expected[0]}"]


def test_callbacks_twice_and_in_the_wrong_order_change_nothing_more(house: House, twilio: Twilio) -> None:
    [message_id] = queue(house, someone(house))
    house.send()
    with twilio.told:
        twilio.told.wait_for(lambda: len(twilio.callbacks) == 2, timeout=10)
    sent, delivered = twilio.callbacks
    for call in (delivered, delivered, sent):
        assert post_signed(*call) == 204
    assert state(house, message_id) == ("delivered", "")
    assert events(house) == ["message.sent", "message.delivered"]


def test_a_forged_callback_is_refused_and_nothing_happens(
    house: House, twilio: Twilio, globex: Tenant
) -> None:
    [message_id] = queue(house, someone(house))
    house.send()
    with twilio.told:
        twilio.told.wait_for(lambda: len(twilio.callbacks) == 2, timeout=10)
    address, fields, signature = twilio.callbacks[1]
    evil = {**fields, "MessageStatus": "failed", "ErrorCode": "21610"}
    other = {**fields, "AccountSid": "AC" + "1" * 32}
    forged = [
        (address, evil, signature),
        (address, evil, sign("another token", address, evil)),
        (address, fields, ""),
        (address[:-3] + "AAA", fields, sign(TOKEN, address[:-3] + "AAA", fields)),
        (address.replace("/m/s/", "/m/s/x"), fields, signature),
        (address, other, sign(TOKEN, address, other)),
        (f"{address}?a=b", fields, signature),
    ]
    assert [post_signed(*call) for call in forged] == [403] * len(forged)
    assert state(house, message_id) == ("sent", "")
    assert events(house) == ["message.sent"]
    with house.scope():
        assert not SmsOptOut.objects.exists()


def test_a_callback_about_another_sms_of_the_account_is_not_believed(house: House, twilio: Twilio) -> None:
    [message_id] = queue(house, someone(house))
    house.send()
    with twilio.told:
        twilio.told.wait_for(lambda: len(twilio.callbacks) == 2, timeout=10)
    address, fields, _ = twilio.callbacks[1]
    other = {**fields, "MessageSid": "SM" + "f" * 32, "MessageStatus": "failed", "ErrorCode": "x" * 50}
    assert post_signed(address, other, sign(TOKEN, address, other)) == 204
    assert state(house, message_id) == ("sent", "")
