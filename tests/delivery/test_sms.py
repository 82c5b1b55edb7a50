"""SMS go out once, to whom they may, and what Twilio tells about them counts only with its signature."""

from __future__ import annotations

import datetime as dt
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from content.operations.texts import text_version
from content.sms import expected_length
from core.db.cursors import raw_cursor
from core.signing import BadToken
from crm.models import Consent, Contact, SubscriptionOptOut
from delivery.models import Message, SmsOptOut, Stream
from delivery.operations.streams import stream_for_notes
from delivery.queue import NewMessage, queue_messages
from delivery.short_tokens import make_short_token, read_short
from delivery.tokens import MessageRef, Purpose, make_message_token, read_message_token
from tests.delivery.conftest import NOW, House
from tests.delivery.sms_house import STEP, events, queue, reply, someone, state
from tests.delivery.sms_house import connected as connected
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID, Twilio
from tests.support.smtp import Mailbox

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
    assert said["+4791234561"].endswith("1")
    assert said["+4791234562"].startswith("Hallo Ada http")
    assert said["+4791234562"].endswith("2")
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
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/[0-9A-Za-z]{13,19}1\.", word)
    # Not longer than it was counted while it was written.
    assert len(sms.text) <= expected_length("See https://example.com/shop.").characters
    answer = get("/" + word.rstrip(".").split("/", 3)[3])
    assert (answer.status_code, answer["Location"]) == (302, "https://example.com/shop?who=Ada")
    assert house.message(message_id).status == "clicked"


def test_links_of_sms_that_went_out_before_still_lead_on(house: House, twilio: Twilio) -> None:
    [message_id] = queue(house, someone(house), text="See https://example.com/shop")
    house.send()
    ref = MessageRef(house.tenant.pk, NOW.date(), message_id)
    answer = get(f"/m/c/{make_message_token(Purpose.CLICK, ref)}/1")
    assert (answer.status_code, answer["Location"]) == (302, "https://example.com/shop")
    assert house.message(message_id).status == "clicked"


def test_every_link_of_an_sms_has_its_number_however_many_there_are(house: House, twilio: Twilio) -> None:
    queue(house, someone(house), text=" ".join(f"https://example.com/{number}" for number in range(1, 13)))
    house.send()
    paths = ["/" + word.split("/", 3)[3] for word in twilio.sent[0].text.split()]
    assert [get(path)["Location"] for path in paths] == [f"https://example.com/{n}" for n in range(1, 13)]
    assert get(paths[0][:-1] + "13").status_code == 404


def test_unsubscribing_from_an_sms_is_short_and_asks_before_it_acts(house: House, twilio: Twilio) -> None:
    ada = someone(house)
    queue(house, ada, text="Leave: {{ links.unsubscribe }}")
    house.send()
    path = "/" + twilio.sent[0].text.split("/", 3)[3]
    assert re.fullmatch(r"/[0-9A-Za-z]{13,19}0", path)
    page = get(path, follow=True)
    assert page.status_code == 200
    with house.scope():
        assert not SubscriptionOptOut.objects.exists()
    assert Client().post(page.redirect_chain[-1][0]).status_code == 200
    with house.scope():
        assert SubscriptionOptOut.objects.get().contact_id == ada.pk


def test_a_short_link_that_was_changed_or_guessed_leads_nowhere(house: House, twilio: Twilio) -> None:
    [message_id] = queue(house, someone(house), text="See https://example.com/shop")
    house.send()
    token = twilio.sent[0].text.rsplit("/", 1)[1][:-1]
    last = "B" if token[-1] == "A" else "A"
    for wrong in (
        f"{token[:-1]}{last}1", f"{token}2", f"{token}999", f"{token}01", f"{token}x", f"0{token}1", token[1:] + "1",
        token.swapcase() + "1", "A" * 14, "z" * 40, "1" * 20, "0" * 20,
    ):  # fmt: skip
        assert get(f"/{wrong}").status_code == 404, wrong
    assert Client().post(f"/{token}1").status_code == 405
    assert house.message(message_id).status == "sent"


@pytest.mark.parametrize(
    ("tenant", "number", "length"),
    [(1, 1, 13), (1, 2**28 - 1, 17), (127, 2**21, 18), (128, 2**28 - 1, 19), (9, 2**40, 20)],
)
def test_a_short_token_is_as_long_as_it_says_and_names_its_message(
    tenant: int, number: int, length: int
) -> None:
    ref = MessageRef(tenant, NOW.date(), number)
    token = make_short_token(ref)
    assert len(token) == length
    assert token.isalnum()
    for link in (0, 1, 9, 10, 999):
        assert read_short(f"{token}{link}") == (ref, link)
    with pytest.raises(BadToken):
        read_message_token(Purpose.CLICK, token)
    for wrong in ("", "1", token, f"{token}1000", f"{token}٣"):
        with pytest.raises(BadToken):
            read_short(wrong)


def get(path: str, *, follow: bool = False) -> Any:
    """Open an address on a telephone."""
    return Client(headers={"User-Agent": "Mozilla/5.0 (iPhone)"}).get(path, follow=follow)


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
