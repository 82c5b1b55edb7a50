"""SMS go out once, to whom they may, and what Twilio tells about them counts only with its signature."""

from __future__ import annotations

import datetime as dt
import itertools
import socket
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from content.operations.texts import text_version
from core.db.cursors import raw_cursor
from core.secrets import SecretLost, seal, unseal
from core.tenancy import tenant_scope
from crm.bulk import Change
from crm.models import Consent, Contact, Event, SubscriptionOptOut
from crm.operations.contacts import create_contact
from delivery.channels import sms as channel
from delivery.models import Message, SmsConnector, SmsOptOut, Stream
from delivery.operations import sending
from delivery.operations.connectors import BadSenders, TokenMissing, connect_sms
from delivery.operations.rescue import rescue
from delivery.operations.streams import close_stream, stream_for_notes
from delivery.queue import NewMessage, queue_messages
from delivery.sms import reply_address
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID, TOKEN, Twilio, post_signed
from tests.support.smtp import Mailbox
from trial.sms_sink import sign

STEP = uuid4()
_participants = itertools.count(500_000)


@pytest.fixture(autouse=True)
def connected(house: House, alice: Person) -> None:
    with house.scope():
        connect_sms(
            account_sid=SID, auth_token=TOKEN, senders=["+4759440000", "Acme"], actor=alice.user, now=NOW
        )


def someone(house: House, mobile: str = "+4791234567", *, consent: bool = True, name: str = "Ada") -> Contact:
    """Make a contact with a number, found by it."""
    changes = [Change("contact.first_name", "set", (name,)), Change("contact.mobile", "set", (mobile,))]
    with house.scope():
        contact = create_contact(changes=changes, company_name="", now=NOW, actor_id=None)
        Consent.objects.create(contact=contact, purpose=house.purpose, given=consent, at=NOW)
    return contact


def queue(
    house: House,
    *contacts: Contact,
    text: str = "Hello {{ contact.first_name }}",
    variants: dict[str, str] | None = None,
    **fields: object,
) -> list[int]:
    """Queue one SMS each."""
    with house.scope(), raw_cursor() as cursor:
        version = text_version(
            cursor, tenant_id=house.tenant.pk, step_id=STEP, source=text, variants=variants, now=NOW
        )
        rows = [
            NewMessage(
                enrolled_on=NOW.date(), content_version_id=version, to_address=contact.mobile, contact_id=contact.pk,
                channel="sms", participant_id=next(_participants), visit_number=1, flow_id=7,
                **fields,  # type: ignore[arg-type]
            )
            for contact in contacts
        ]  # fmt: skip
        return queue_messages(
            cursor, tenant_id=house.tenant.pk, stream_id=house.stream.pk, rows=rows, now=NOW
        )


def state(house: House, message_id: int) -> tuple[str, str]:
    row = house.message(message_id)
    assert row.reserved_by is None
    return row.status, row.reason


def events(house: House) -> list[str]:
    with house.scope():
        found = Event.objects.filter(kind__regex="^(message|sms)").order_by("id")
        return list(found.values_list("kind", flat=True))


# --- sending ------------------------------------------------------------------------------------------------------


def test_an_sms_arrives_with_the_contacts_values_and_keeps_the_providers_id(
    house: House, twilio: Twilio
) -> None:
    [message_id] = queue(house, someone(house, name="Zoë 🚀"))

    assert house.send().handed == 1

    [sms] = twilio.sent
    assert (sms.to, sms.sender, sms.text, sms.account) == ("+4791234567", "+4759440000", "Hello Zoë 🚀", SID)
    row = house.message(message_id)
    assert (row.status, row.provider_id, row.to_address, row.attempts) == ("sent", sms.id, "+4791234567", 1)
    assert events(house) == ["message.sent"]


def test_everybody_gets_the_text_in_their_language_and_its_own_links(house: House, twilio: Twilio) -> None:
    people = {"+4791234561": "", "+4791234562": "de", "+4791234563": "pt-br", "+4791234564": "fr"}
    contacts = [someone(house, mobile) for mobile in people]
    with house.scope():
        for contact, language in zip(contacts, people.values(), strict=True):
            Contact.objects.filter(pk=contact.pk).update(language=language)
    variants = {"de": "Hallo {{ contact.first_name }} https://example.com/de", "pt": "Olá 🎉"}
    ids = queue(house, *contacts, text="Hello https://example.com/", variants=variants)
    assert len(set(ids)) == 4
    assert house.send().handed == 4
    said = {sms.to: sms.text for sms in twilio.sent}
    assert said["+4791234561"].startswith("Hello http")
    assert said["+4791234561"].endswith("/1")
    assert said["+4791234562"].startswith("Hallo Ada http")
    assert said["+4791234562"].endswith("/2")
    assert said["+4791234563"] == "Olá 🎉"
    assert said["+4791234564"].startswith("Hello http")
    client = Client(headers={"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Safari"})
    for number, leads in (("+4791234561", "https://example.com/"), ("+4791234562", "https://example.com/de")):
        link = said[number].split()[-1]
        assert client.get(urlsplit(link).path)["Location"] == leads
    # A changed language is a new version; an unchanged text is not.
    with house.scope(), raw_cursor() as cursor:
        common: dict[str, Any] = {
            "tenant_id": house.tenant.pk,
            "step_id": STEP,
            "source": "Hello https://example.com/",
            "now": NOW,
        }
        again = text_version(cursor, variants=dict(variants), **common)
        assert {house.message(pk).content_version_id for pk in ids} == {again}
        assert text_version(cursor, variants={**variants, "de": "Moin"}, **common) != again


def test_email_and_sms_of_one_stream_both_go_in_one_turn(
    house: House, mailbox: Mailbox, twilio: Twilio
) -> None:
    queue(house, someone(house))
    house.queue(house.contact("Ben"))
    assert house.send().handed == 2
    assert len(mailbox.received) == len(twilio.sent) == 1


def test_sms_that_cannot_go_do_not_hold_up_the_mails_of_the_same_stream(
    house: House, mailbox: Mailbox, settings: Settings
) -> None:
    settings.SMS_API_URL = f"http://127.0.0.1:{_closed_port()}"
    [message_id] = queue(house, someone(house))
    house.queue(house.contact("Ben"))
    sent = house.send()
    assert (sent.handed, len(mailbox.received)) == (1, 1)
    row = house.message(message_id)
    assert (row.status, row.reason, row.attempts) == ("queued", "channel_down", 0)
    assert row.send_at == NOW + dt.timedelta(seconds=30)


def _closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_the_steps_sender_comes_before_the_flows_and_one_that_was_taken_away_counts_not(
    house: House, twilio: Twilio, alice: Person
) -> None:
    with house.scope():
        Stream.objects.filter(pk=house.stream.pk).update(sender={"sms": "Acme"})
    queue(house, someone(house))
    queue(house, someone(house, "+4791234568"), values={"sender": "+4759440000"})
    queue(house, someone(house, "+4791234569"), values={"sender": "Gone"})
    house.send()
    assert [sms.sender for sms in twilio.sent] == ["Acme", "+4759440000", "Acme"]


def test_the_newest_text_of_the_step_is_sent(house: House, twilio: Twilio) -> None:
    [first] = queue(house, someone(house), text="Old")
    queue(house, someone(house, "+4791234568"), text="New")
    house.send()
    assert [sms.text for sms in twilio.sent] == ["New", "New"]
    with house.scope():
        assert len(set(Message.objects.values_list("content_version_id", flat=True))) == 1
    assert house.message(first).status == "sent"


def test_a_link_in_an_sms_is_short_tracked_and_leads_on(house: House, twilio: Twilio) -> None:
    [message_id] = queue(
        house, someone(house), text="See https://example.com/shop?who={{ contact.first_name }}."
    )
    house.send()
    [sms] = twilio.sent
    word = sms.text.split()[1]
    assert word.startswith("http://127.0.0.1:8000/m/c/")
    assert word.endswith("/1.")
    from django.test import Client

    answer = Client(headers={"User-Agent": "Mozilla/5.0 (iPhone)"}).get(
        "/" + word.rstrip(".").split("/", 3)[3]
    )
    assert (answer.status_code, answer["Location"]) == (302, "https://example.com/shop?who=Ada")
    assert house.message(message_id).status == "clicked"


@pytest.mark.parametrize("text", ["{{ contact.job_title }}", "x" * 1601])
def test_a_text_that_is_empty_or_too_long_for_a_contact_fails_alone(
    house: House, twilio: Twilio, text: str
) -> None:
    [message_id] = queue(house, someone(house), text=text)
    house.send()
    assert (twilio.sent, state(house, message_id)) == ([], ("failed", "not_rendered"))


# --- the last look ------------------------------------------------------------------------------------------------


def test_stop_between_queue_and_hand_over_holds_the_sms_back(house: House, twilio: Twilio) -> None:
    ada = someone(house)
    [message_id] = queue(house, ada)
    reply(house, ada.mobile, "Stop")
    house.send()
    assert (twilio.sent, state(house, message_id)) == ([], ("blocked", "sms_opt_out"))
    assert events(house) == ["sms.opted_out", "message.blocked"]


def test_override_of_consent_never_lifts_stop(house: House, twilio: Twilio) -> None:
    with house.scope():
        Stream.objects.filter(pk=house.stream.pk).update(override_consent=True)
    ada = someone(house, consent=False)
    [message_id] = queue(house, ada)
    reply(house, ada.mobile, "STOP")
    house.send()
    assert state(house, message_id) == ("blocked", "sms_opt_out")


@pytest.mark.parametrize(
    "mobile", ["", "91234567", "+0123456789", "+47 912 34 567", "+4791234567\n+4790000000"]
)
def test_what_is_no_mobile_number_any_more_gets_nothing(house: House, twilio: Twilio, mobile: str) -> None:
    ada = someone(house)
    [message_id] = queue(house, ada)
    with house.scope():
        Contact.objects.filter(pk=ada.pk).update(mobile=mobile[:20])
    house.send()
    assert (twilio.sent, state(house, message_id)) == ([], ("blocked", "no_mobile"))


def test_consent_then_subscription_then_number_then_stop_are_asked_in_this_order(house: House) -> None:
    ada = someone(house)
    with house.scope():
        SmsOptOut.objects.create(number=ada.mobile, source="reply", at=NOW)
    seen = []
    with house.scope():
        Contact.objects.filter(pk=ada.pk).update(mobile="")
        SubscriptionOptOut.objects.create(contact=ada, type=house.news, at=NOW)
        Consent.objects.filter(contact=ada).update(given=False)
    for repair in (
        lambda: Consent.objects.filter(contact=ada).update(given=True),
        lambda: SubscriptionOptOut.objects.all().delete(),
        lambda: Contact.objects.filter(pk=ada.pk).update(mobile="+4791234567"),
        lambda: None,
    ):
        [message_id] = queue(house, ada)
        house.send()
        seen.append(house.message(message_id).reason)
        with house.scope():
            repair()
    assert seen == ["no_consent", "unsubscribed", "no_mobile", "sms_opt_out"]


def test_an_sms_to_a_colleague_asks_nobody_for_consent(house: House, twilio: Twilio) -> None:
    with house.scope(), raw_cursor() as cursor:
        version = text_version(cursor, tenant_id=house.tenant.pk, step_id=STEP, source="Call Ada", now=NOW)
        row = NewMessage(
            enrolled_on=NOW.date(), content_version_id=version, to_address="+4790000000", channel="sms",
            is_marketing=False,
        )  # fmt: skip
        queue_messages(cursor, tenant_id=house.tenant.pk, stream_id=house.stream.pk, rows=[row], now=NOW)
    house.send()
    assert [(sms.to, sms.text) for sms in twilio.sent] == [("+4790000000", "Call Ada")]


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


# --- replies ------------------------------------------------------------------------------------------------------


def reply(house: House, number: str, text: str, **more: str) -> int:
    address = reply_address(house.tenant.pk)
    fields = {"AccountSid": SID, "From": number, "To": "+4759440000", "Body": text, **more}
    return post_signed(address, fields, sign(TOKEN, address, fields))


@pytest.mark.parametrize(
    "text", ["STOP", " stop ", "Stop.", "Unsubscribe", "quit!", "END", "Opt out", "stopall"]
)
def test_stop_and_its_synonyms_opt_the_number_out_once(house: House, text: str) -> None:
    ada, twin = someone(house), someone(house, name="Twin")
    someone(house, "+4791234568", name="Other")
    assert [reply(house, ada.mobile, text) for _ in range(2)] == [200, 200]
    with house.scope():
        [row] = SmsOptOut.objects.all()
        told = Event.objects.filter(kind="sms.opted_out").values_list("contact_id", flat=True)
        assert sorted(told) == sorted([ada.pk, twin.pk])
    assert (row.number, row.source, row.at.date()) == (ada.mobile, "reply", row.at.date())


@pytest.mark.parametrize("text", ["", "Please stop by tomorrow", "Don't stop", "🛑", "STOP " * 60])
def test_a_reply_that_only_holds_the_word_is_no_stop(house: House, text: str) -> None:
    reply(house, "+4791234567", text)
    with house.scope():
        assert not SmsOptOut.objects.exists()


def test_start_lets_sms_go_again(house: House, twilio: Twilio) -> None:
    ada = someone(house)
    reply(house, ada.mobile, "STOP")
    reply(house, ada.mobile, "start")
    queue(house, ada)
    house.send()
    assert len(twilio.sent) == 1
    assert events(house)[:2] == ["sms.opted_out", "sms.opted_in"]


def test_what_twilios_own_opt_out_management_understood_counts_in_every_language(house: House) -> None:
    reply(house, "+4791234567", "Stopp bitte", OptOutType="STOP")
    with house.scope():
        assert SmsOptOut.objects.get().number == "+4791234567"


def test_a_forged_reply_is_refused_and_nothing_happens(house: House, globex: Tenant) -> None:
    address = reply_address(house.tenant.pk)
    fields = {"AccountSid": SID, "From": "+4791234567", "Body": "STOP"}
    elsewhere = reply_address(globex.pk)
    assert post_signed(address, fields, sign("guess", address, fields)) == 403
    assert post_signed(elsewhere, fields, sign(TOKEN, elsewhere, fields)) == 403, "no account there"
    assert post_signed(f"{address}x", fields, sign(TOKEN, f"{address}x", fields)) == 403
    with house.scope():
        assert not SmsOptOut.objects.exists()


def test_stop_at_one_tenant_is_no_stop_at_another(house: House, globex: Tenant) -> None:
    reply(house, "+4791234567", "STOP")
    with tenant_scope(globex.pk):
        assert not SmsOptOut.objects.exists()


# --- the account --------------------------------------------------------------------------------------------------


def test_the_token_is_sealed_in_the_database_and_shown_on_no_page(house: House, alice: Person) -> None:
    with house.scope():
        [row] = SmsConnector.objects.values()
    assert TOKEN not in str(row)
    assert unseal(row["auth_token"], purpose="sms-connector") == TOKEN
    with pytest.raises(SecretLost):
        unseal(row["auth_token"], purpose="webhook")
    page = alice.client().get(alice.url("settings/connectors/sms/"))
    assert TOKEN not in page.content.decode()
    assert row["auth_token"] not in page.content.decode()
    with house.scope():
        assert not AuditEntry.objects.filter(payload__icontains=TOKEN).exists()


def test_an_empty_token_keeps_the_old_one_but_not_for_another_account(house: House, alice: Person) -> None:
    client, url = alice.client(), alice.url("settings/connectors/sms/")
    answer = client.post(url, {"account_sid": SID, "auth_token": "", "senders": "Acme\nAcme\n\n+4759440000"})
    assert answer.status_code == 302
    with house.scope():
        connector = SmsConnector.objects.get()
    assert (connector.senders, unseal(connector.auth_token, purpose="sms-connector")) == (
        ["Acme", "+4759440000"],
        TOKEN,
    )
    other = client.post(url, {"account_sid": "AC" + "1" * 32, "auth_token": "", "senders": "Acme"})
    assert (other.status_code, "Give the account" in other.content.decode()) == (422, True)


@pytest.mark.parametrize("senders", [[], [" "], ["Acme", "a name too long"], ["12"], ["+0123"], ["Evil\nX"]])
def test_a_sender_that_twilio_would_not_take_is_refused(
    house: House, alice: Person, senders: list[str]
) -> None:
    with house.scope(), pytest.raises(BadSenders):
        connect_sms(account_sid=SID, auth_token="", senders=senders, actor=alice.user, now=NOW)


def test_a_first_account_needs_its_token(house: House, alice: Person) -> None:
    with house.scope():
        SmsConnector.objects.all().delete()
        with pytest.raises(TokenMissing):
            connect_sms(account_sid=SID, auth_token="", senders=["Acme"], actor=alice.user, now=NOW)


def test_disconnecting_forgets_the_token(house: House, alice: Person) -> None:
    alice.client().post(alice.url("settings/connectors/sms/disconnect/"))
    with house.scope():
        assert not SmsConnector.objects.exists()


def test_numbers_that_replied_stop_are_listed_and_searched(house: House, alice: Person) -> None:
    for number in ("+4791234567", "+4477123456"):
        reply(house, number, "STOP")
    client, url = alice.client(), alice.url("settings/connectors/sms/opt-outs/")
    assert all(n in client.get(url).content.decode() for n in ("+4791234567", "+4477123456"))
    found = client.get(url, {"q": "47912"}).content.decode()
    assert ("+4791234567" in found, "+4477123456" in found) == (True, False)


def test_a_note_to_a_colleague_speaks_of_its_contact(house: House, twilio: Twilio) -> None:
    ada = someone(house)
    with house.scope(), raw_cursor() as cursor:
        text = "{{ contact.first_name }} ({{ contact.mobile }}) wants a call"
        version = text_version(cursor, tenant_id=house.tenant.pk, step_id=STEP, source=text, now=NOW)
        row = NewMessage(
            enrolled_on=NOW.date(), content_version_id=version, to_address="+4790000000", channel="sms",
            is_marketing=False, values={"about": ada.pk, "sender": "Acme"},
        )  # fmt: skip
        stream = stream_for_notes(of=house.stream.pk)
        queue_messages(cursor, tenant_id=house.tenant.pk, stream_id=stream.pk, rows=[row], now=NOW)
    house.send()
    [sms] = twilio.sent
    assert (sms.to, sms.sender, sms.text) == ("+4790000000", "Acme", "Ada (+4791234567) wants a call")
    assert events(house) == []
