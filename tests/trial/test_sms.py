"""The trial's SMS: kept, shown, and answered as their recipient would."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client as TwilioClient

from delivery.channels.base import Outcome, TextEnvelope
from delivery.channels.sms import Account, HttpAt, SmsChannel
from delivery.tokens import FIRST_DAY, MessageRef, Purpose, make_message_token
from tests.fixtures.twilio import SID, TOKEN, Twilio
from trial.sms_box import SmsBox


def send(to: str = "+4791234567", text: str = "Hei <b>Åse</b> 🎉") -> Outcome:
    token = make_message_token(Purpose.SMS_STATUS, MessageRef(7, FIRST_DAY, 1))
    channel = SmsChannel(Account(SID, TOKEN))
    return channel.hand_over(
        TextEnvelope("Northwind", to, text, f"http://127.0.0.1:8000/m/s/{token}")
    ).outcome


@pytest.fixture
def trial(settings: Settings, twilio: Twilio) -> Twilio:
    """The SMS of an installation that is a trial."""
    settings.TRIAL = True
    settings.HOME = twilio.box.folder.parent
    return twilio


def test_an_sms_stands_in_the_list_and_is_found(trial: Twilio, client: Client) -> None:
    assert send() is Outcome.SENT
    page = client.get("/mailbox/sms/").content.decode()
    assert "Hei &lt;b&gt;Åse&lt;/b&gt; 🎉" in page
    assert "+4791234567" in client.get("/mailbox/sms/", {"q": "åse"}).content.decode()
    assert all(f'value="{word}"' in page for word in ("STOP", "START", "HELP"))
    assert "No SMS holds" in client.get("/mailbox/sms/", {"q": "offer"}).content.decode()
    client.post("/mailbox/sms/empty")
    assert "No SMS yet" in client.get("/mailbox/sms/").content.decode()


def test_the_numbers_that_are_there_to_be_refused_are_refused(trial: Twilio) -> None:
    assert [send(f"+479000{ending}") for ending in ("001", "002", "004")] == [
        Outcome.REFUSED,
        Outcome.OPTED_OUT,
        Outcome.DOWN,
    ]
    assert trial.sent == []


def test_an_answer_is_signed_with_the_accounts_token_also_after_a_restart(
    trial: Twilio, client: Client
) -> None:
    send()
    trial.call_back(2)
    trial.server.box = SmsBox(trial.box.folder)
    answer = client.post(f"/mailbox/sms/{trial.sent[0].id}/reply", {"text": "STOP"})
    assert answer.status_code == 302
    [(address, fields, signature)] = trial.callbacks
    assert address.startswith("http://127.0.0.1:8000/m/r/")
    assert (fields["From"], fields["Body"], fields["AccountSid"]) == ("+4791234567", "STOP", SID)
    assert signature


def test_sms_are_no_page_of_an_installation_that_is_no_trial(
    trial: Twilio, settings: Settings, client: Client
) -> None:
    settings.TRIAL = False
    assert client.get("/mailbox/sms/").status_code == 404
    assert client.post("/mailbox/sms/empty").status_code == 404


def test_who_signs_in_for_another_account_sends_nothing(trial: Twilio) -> None:
    with pytest.raises(TwilioRestException, match="Authenticate"):
        TwilioClient("AC1", "x", account_sid="AC2", http_client=HttpAt(trial.server.address)).messages.create(
            to="+4791234567", from_="A", body="x"
        )
