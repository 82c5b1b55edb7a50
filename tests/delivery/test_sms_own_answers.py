"""Who answers STOP, START and HELP: Twilio, unless its tenant says that Millrace does; never both, never for ever."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from django.test import Client

from accounts.models import AuditEntry
from delivery.models import SmsConnector, SmsOptOut
from delivery.operations.connectors import ConnectorRefused, NoAccount, set_sms_answers
from delivery.sms import reply_address
from tests.delivery.conftest import House
from tests.delivery.sms_house import connected as connected
from tests.delivery.sms_house import someone
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID, TOKEN, Twilio
from trial.sms_box import SmsBox
from trial.sms_sink import SmsServer, sign

OURS = {
    "stop": "Acme: gone <b>&",
    "start": "Acme: back 🎉",
    "help": "Acme: call +47 22 33 44 55, or reply STOP",
}
NUMBER = "+4791234567"


@pytest.fixture
def ours(house: House, alice: Person) -> None:
    with house.scope():
        set_sms_answers(answers=OURS, actor=alice.user)


def answered(house: House, text: str, *, number: str = NUMBER, **more: str) -> list[str]:
    """What Twilio is told to send for a reply."""
    address = reply_address(house.tenant.pk)
    fields = {"AccountSid": SID, "From": number, "To": "+4759440000", "Body": text, **more}
    told = Client(enforce_csrf_checks=True).post(
        "/" + address.split("/", 3)[3], fields, headers={"X-Twilio-Signature": sign(TOKEN, address, fields)}
    )
    assert (told.status_code, told["Content-Type"]) == (200, "text/xml")
    root = ElementTree.fromstring(told.content)  # noqa: S314 - our own
    assert root.tag == "Response"
    return [found.text or "" for found in root]


@pytest.mark.parametrize("text", ["STOP", "START", "HELP", "INFO", "Hello"])
def test_twilio_answers_unless_its_tenant_says_otherwise(house: House, text: str) -> None:
    assert answered(house, text) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", "stop"), ("opt out", "stop"), ("Start", "start"), ("unstop!", "start"), ("help", "help"),
        (" Info. ", "help"),
    ],
)  # fmt: skip
def test_millrace_answers_each_word_where_twilio_does_not(
    house: House, ours: None, text: str, word: str
) -> None:
    assert answered(house, text) == [OURS[word]]


def test_help_changes_nothing_and_is_answered_after_a_stop_too(house: House, ours: None) -> None:
    answered(house, "HELP")
    with house.scope():
        assert not SmsOptOut.objects.exists()
    answered(house, "STOP")
    assert answered(house, "HELP") == [OURS["help"]]
    with house.scope():
        assert SmsOptOut.objects.get().number == NUMBER


@pytest.mark.parametrize("text", ["Can you help me?", "", "🆘", "HELP " * 60])
def test_what_only_holds_the_word_is_not_answered(house: House, ours: None, text: str) -> None:
    assert answered(house, text) == []


@pytest.mark.parametrize("kind", ["STOP", "START", "HELP"])
def test_where_twilios_advanced_opt_out_answered_already_nobody_answers_twice(
    house: House, ours: None, kind: str
) -> None:
    assert answered(house, kind, OptOutType=kind) == []
    assert answered(house, "hjelp", OptOutType=kind) == []


def test_two_machines_do_not_talk_to_each_other_for_ever(house: House, ours: None) -> None:
    assert [len(answered(house, "HELP")) for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]
    assert len(answered(house, "HELP", number="+4791234568")) == 1
    # What it means counts all the same.
    assert answered(house, "STOP") == []
    with house.scope():
        assert SmsOptOut.objects.get().number == NUMBER


def test_the_texts_are_set_on_the_page_and_forgotten_with_twilio(house: House, alice: Person) -> None:
    client, url = alice.client(), alice.url("settings/connectors/sms/")
    page = client.get(url).content.decode()
    assert "Acme: reply STOP to get no more messages." in page
    given = {"part": "answers", "who": "millrace", **OURS}
    for name in OURS:
        refused = client.post(url, {**given, name: "  "})
        assert refused.status_code == 422
        assert refused.context["answers_form"].errors.keys() == {name}
    assert client.post(url, {**given, "help": "x" * 321}).status_code == 422
    assert client.post(url, {**given, "who": "nobody"}).status_code == 422
    assert client.post(url, given).status_code == 302
    # A second press changes nothing.
    assert client.post(url, given).status_code == 302
    assert answered(house, "HELP") == [OURS["help"]]
    with house.scope():
        assert AuditEntry.objects.filter(action="sms_connector.answers").count() == 1
    assert client.post(url, {**given, "who": "twilio"}).status_code == 302
    assert answered(house, "HELP") == []
    with house.scope():
        assert SmsConnector.objects.get().answers == {}


def test_half_of_the_answers_and_none_without_an_account_are_refused(house: House, alice: Person) -> None:
    with house.scope():
        with pytest.raises(ConnectorRefused):
            set_sms_answers(answers={"help": "Help"}, actor=alice.user)
        SmsConnector.objects.all().delete()
        with pytest.raises(NoAccount):
            set_sms_answers(answers=OURS, actor=alice.user)
    answer = alice.client().post(
        alice.url("settings/connectors/sms/"), {"part": "answers", "who": "millrace", **OURS}
    )
    assert answer.status_code == 200
    with house.scope():
        assert not SmsConnector.objects.exists()


def test_only_who_manages_connectors_sets_them(
    house: House, alice: Person, wendy: Person, charlie: Person
) -> None:
    given = {"part": "answers", "who": "millrace", **OURS}
    for person in (wendy, charlie):
        assert person.client().post(alice.url("settings/connectors/sms/"), given).status_code in {403, 404}
    assert answered(house, "HELP") == []


def test_in_a_trial_the_answer_stands_beside_what_was_sent(house: House, twilio: Twilio) -> None:
    someone(house)
    box = SmsBox(twilio.box.folder)
    kept = box.add(account=SID, sender="+4759440000", to=NUMBER, text="Offer", callback="")
    box.set_token(SID, TOKEN)
    server = SmsServer(box, post=lambda *_: "<Response><Message>Acme: call us &amp; ask</Message></Response>")
    assert server.reply(kept.id, "HELP", "http://mill.test/m/r/x")
    assert [(one.to, one.text, one.status) for one in box.all()] == [
        (NUMBER, "Acme: call us & ask", "delivered"), (NUMBER, "Offer", "queued"),
    ]  # fmt: skip
    server.post = lambda *_: "not markup"
    assert server.reply(kept.id, "HELP", "http://mill.test/m/r/x")
    assert len(box.all()) == 2
    server.server_close()
