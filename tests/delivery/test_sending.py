"""Messages go out once, to whom they may, as they are now."""

from __future__ import annotations

import datetime as dt

import pytest

from core.text import norm_email
from crm.models import Company, Consent, Contact, Event, Selection, SelectionMember, SubscriptionOptOut
from delivery.models import BlockedAddress, Message, Stream
from delivery.operations.streams import close_stream, hold_stream, open_stream
from tests.delivery.conftest import NOW, House
from tests.support.smtp import Mailbox

HOUR = dt.timedelta(hours=1)


def events(house: House) -> list[str]:
    with house.scope():
        return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_a_message_arrives_with_the_contacts_own_values(house: House, mailbox: Mailbox) -> None:
    with house.scope():
        company = Company.objects.create(
            name="Mill & Co", name_norm="mill & co", created_at=NOW, updated_at=NOW
        )
    ada = house.contact("Ada <b>", last_name="Lovelace", company=company, email="ada@post.test")
    [message_id] = house.queue(ada)

    sent = house.send()

    assert sent.handed == 1
    [mail] = mailbox.received
    assert mail.sender == "hello@acme.test"
    assert mail.recipients == ["ada@post.test"]
    message = mail.message
    assert message["Subject"] == "News for Ada <b>"
    assert message["From"] == "Acme <hello@acme.test>"
    assert message["To"] == '"Ada <b> Lovelace" <ada@post.test>'
    row = house.message(message_id)
    assert message["Message-ID"] == f"<{row.uuid}@acme.test>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/m/u/")
    text, html = (part.get_content() for part in message.iter_parts())
    assert "Hello Ada <b> of Mill & Co" in text
    assert "Hello Ada &lt;b&gt; of Mill &amp; Co" in html
    assert "https://example.com" not in html
    assert "/m/c/" in html
    assert "/m/o/" in html
    assert (row.status, row.reserved_by, row.handed_at, row.attempts) == ("sent", None, NOW, 1)
    assert events(house) == ["message.sent"]


def test_a_second_turn_finds_nothing_to_send(house: House, mailbox: Mailbox) -> None:
    house.queue(house.contact())
    house.send()
    assert house.send().handed == 0
    assert len(mailbox.received) == 1


def test_a_missing_value_is_empty_and_never_an_error(house: House, mailbox: Mailbox) -> None:
    house.queue(house.contact("", email="nobody@post.test"))
    house.send()
    message = mailbox.received[0].message
    assert message["Subject"] == "News for"
    assert message["To"] == "nobody@post.test"
    text = next(message.iter_parts()).get_content()
    assert "Hello there of your company" in text


@pytest.mark.parametrize("name", ["Zoë 🚀 Ünal", "محمد عبد الله", "山田 太郎", 'O"Neil, \\Jr.', "A" * 100])
def test_names_of_every_script_survive_the_mail(house: House, mailbox: Mailbox, name: str) -> None:
    house.queue(house.contact(name, email="x@post.test"))
    house.send()
    message = mailbox.received[0].message
    assert message["Subject"] == f"News for {name}"
    assert message["To"].addresses[0].display_name == name
    assert f"Hello {name} of" in next(message.iter_parts()).get_content()
    assert max(len(line) for line in mailbox.received[0].raw.split(b"\r\n")) <= 998


def test_no_value_can_add_a_header(house: House, mailbox: Mailbox) -> None:
    evil = "Eve\r\nBcc: everyone@post.test\r\n\r\nHello"
    house.queue(house.contact(evil, email="eve@post.test"))
    house.send()
    [mail] = mailbox.received
    assert mail.recipients == ["eve@post.test"]
    assert mail.message["Bcc"] is None
    assert mail.message["Subject"] == "News for Eve Bcc: everyone@post.test Hello"


@pytest.mark.parametrize(
    "address", ["a@b.test\r\nRCPT TO:<x@y.test>", "two@at@post.test", "no-at", "<a@b.test>", "a b@post.test"]
)
def test_an_address_that_is_none_fails_and_nothing_is_sent(
    house: House, mailbox: Mailbox, address: str
) -> None:
    [message_id] = house.queue(house.contact(email=address))
    house.send()
    assert mailbox.received == []
    assert (house.message(message_id).status, house.message(message_id).reason) == ("failed", "bad_address")


def test_an_international_domain_is_written_in_ascii(house: House, mailbox: Mailbox) -> None:
    house.queue(house.contact(email="jørgen@blåbær.test"), house.contact(email="anna@blåbær.test"))
    house.send()
    assert mailbox.received[0].recipients == ["jørgen@xn--blbr-roah.test"]
    assert mailbox.received[1].recipients == ["anna@xn--blbr-roah.test"]


# --- the last look ------------------------------------------------------------------------------------------------


def stop(house: House, message_id: int, mailbox: Mailbox) -> tuple[str, str]:
    house.send()
    assert mailbox.received == []
    row = house.message(message_id)
    assert row.reserved_by is None
    return row.status, row.reason


def test_who_unsubscribes_between_queue_and_send_gets_nothing(house: House, mailbox: Mailbox) -> None:
    ada = house.contact()
    [message_id] = house.queue(ada)
    with house.scope():
        SubscriptionOptOut.objects.create(contact=ada, type=house.news, at=NOW)
    assert stop(house, message_id, mailbox) == ("blocked", "unsubscribed")
    assert events(house) == ["message.blocked"]


def test_an_opt_out_of_another_type_stops_nothing(house: House, mailbox: Mailbox) -> None:
    ada = house.contact()
    house.queue(ada)
    with house.scope():
        from crm.models import SubscriptionType

        SubscriptionOptOut.objects.create(
            contact=ada, type=SubscriptionType.objects.create(name="Fairs"), at=NOW
        )
    assert house.send().handed == 1


def test_withdrawn_consent_stops_a_queued_message(house: House, mailbox: Mailbox) -> None:
    ada = house.contact()
    [message_id] = house.queue(ada)
    with house.scope():
        Consent.objects.filter(contact=ada).update(given=False)
    assert stop(house, message_id, mailbox) == ("blocked", "no_consent")


def test_consent_was_never_given(house: House, mailbox: Mailbox) -> None:
    [message_id] = house.queue(house.contact(consent=None))
    assert stop(house, message_id, mailbox) == ("blocked", "no_consent")


def test_override_lifts_consent_and_subscription(house: House, mailbox: Mailbox) -> None:
    ada = house.contact(consent=False)
    house.queue(ada)
    with house.scope():
        SubscriptionOptOut.objects.create(contact=ada, type=house.news, at=NOW)
        Stream.objects.filter(pk=house.stream.pk).update(override_consent=True)
    assert house.send().handed == 1


def test_override_does_not_lift_a_blocked_address(house: House, mailbox: Mailbox) -> None:
    [message_id] = house.queue(house.contact(email="Ada@Post.test"))
    with house.scope():
        Stream.objects.filter(pk=house.stream.pk).update(override_consent=True)
        BlockedAddress.objects.create(address_norm=norm_email("ada@post.test"), reason="by_user", at=NOW)
    assert stop(house, message_id, mailbox) == ("blocked", "address_blocked")


def test_a_tenant_may_switch_consent_off(house: House, mailbox: Mailbox) -> None:
    house.queue(house.contact(consent=None))
    house.tenant.consent_required = False
    house.tenant.save()
    assert house.send().handed == 1


def test_a_withdrawn_consent_counts_also_where_none_is_asked_for_until_a_flow_overrides_it(
    house: House, mailbox: Mailbox
) -> None:
    ada, bea = house.contact(consent=False), house.contact("Bea", consent=False)
    [message_id] = house.queue(ada)
    house.tenant.consent_required = False
    house.tenant.save()
    assert stop(house, message_id, mailbox) == ("blocked", "no_consent")
    house.queue(bea)
    with house.scope():
        Stream.objects.filter(pk=house.stream.pk).update(override_consent=True)
    assert house.send().handed == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"former_employee": True}, "former_employee"),
        ({"first_name": "", "email": "", "email_norm": "", "deleted_at": NOW}, "contact_deleted"),
        ({"email": "", "email_norm": ""}, "no_email"),
    ],
)
def test_a_contact_who_left_gets_nothing(
    house: House, mailbox: Mailbox, change: dict[str, object], reason: str
) -> None:
    ada = house.contact()
    [message_id] = house.queue(ada)
    with house.scope():
        Contact.objects.filter(pk=ada.pk).update(**change)
    assert stop(house, message_id, mailbox) == ("blocked", reason)


def test_who_is_on_the_exclusion_list_now_gets_nothing(house: House, mailbox: Mailbox) -> None:
    ada = house.contact()
    [message_id] = house.queue(ada)
    with house.scope():
        selection = Selection.objects.create(name="Competitors", created_at=NOW)
        SelectionMember.objects.create(selection=selection, contact=ada, added_at=NOW)
        Stream.objects.filter(pk=house.stream.pk).update(exclusions=[selection.pk])
    assert stop(house, message_id, mailbox) == ("blocked", "excluded")


def test_a_corrected_address_is_used_at_once(house: House, mailbox: Mailbox) -> None:
    ada = house.contact(email="old@post.test")
    [message_id] = house.queue(ada)
    with house.scope():
        Contact.objects.filter(pk=ada.pk).update(email="new@post.test", email_norm="new@post.test")
    house.send()
    assert mailbox.received[0].recipients == ["new@post.test"]
    assert house.message(message_id).to_address == "new@post.test"


# --- streams and time ---------------------------------------------------------------------------------------------


def test_a_held_stream_keeps_its_messages_queued(house: House, mailbox: Mailbox) -> None:
    [message_id] = house.queue(house.contact())
    with house.scope():
        hold_stream(stream_id=house.stream.pk)
    house.send()
    assert house.message(message_id).status == "queued"
    with house.scope():
        open_stream(stream_id=house.stream.pk)
    assert house.send().handed == 1


def test_a_closed_stream_cancels_its_messages_also_after_it_opens_again(
    house: House, mailbox: Mailbox
) -> None:
    [swept] = house.queue(house.contact("Ada"))
    with house.scope():
        close_stream(stream_id=house.stream.pk)
    house.send()
    assert (house.message(swept).status, house.message(swept).reason) == ("cancelled", "flow_ended")

    [late] = house.queue(house.contact("Bea"))
    with house.scope():
        open_stream(stream_id=house.stream.pk)
        close_stream(stream_id=house.stream.pk)
        open_stream(stream_id=house.stream.pk)
    house.send()
    assert (house.message(late).status, house.message(late).reason) == ("cancelled", "flow_ended")
    assert mailbox.received == []


def test_a_message_waits_for_the_timeframe(house: House, mailbox: Mailbox) -> None:
    # 12:00 UTC on a Monday is 13:00 in Oslo.
    frame = {"weekdays": [0], "start": "14:00:00", "to": "15:00:00", "workdays_only": True}
    with house.scope():
        Stream.objects.filter(pk=house.stream.pk).update(timeframe=frame, timezone="Europe/Oslo")
    [message_id] = house.queue(house.contact())
    house.send()
    row = house.message(message_id)
    assert (row.status, row.send_at, row.reserved_by) == ("queued", NOW + HOUR, None)
    house.send(now=NOW + HOUR - dt.timedelta(seconds=1))
    assert mailbox.received == []
    assert house.send(now=NOW + HOUR).handed == 1


def test_a_queued_message_takes_the_newest_content(house: House, mailbox: Mailbox) -> None:
    from content.operations.emails import Draft, save_email
    from tests.delivery.conftest import MJML

    [message_id] = house.queue(house.contact())
    with house.scope():
        draft = Draft(name="Welcome", subject="Newer", mjml=MJML)
        saved = save_email(email_id=house.email.pk, draft=draft, revision=1, actor=None, now=NOW)
    house.send()
    assert mailbox.received[0].message["Subject"] == "Newer"
    assert house.message(message_id).content_version_id == saved.email.current_id


def test_two_tenants_do_not_see_each_others_messages(house: House, globex: object, mailbox: Mailbox) -> None:
    from accounts.models import Tenant

    assert isinstance(globex, Tenant)
    other = House(globex)
    house.queue(house.contact("Ada"))
    other.queue(other.contact("Gus"))
    house.send()
    assert [mail.recipients for mail in mailbox.received] == [["ada@post.test"]]
    assert Message.objects is not None
    other.send()
    assert mailbox.received[1].sender == "hello@globex.test"


@pytest.mark.parametrize("source", ["fixed", "our_contact", "service_contact"])
def test_replies_go_to_the_fallback_by_name_where_the_contact_has_nobody(
    house: House, mailbox: Mailbox, source: str
) -> None:
    sender = {
        "sender": {"source": "fixed", "name": "Mill", "email": "mill@acme.test"},
        "reply_to": {"source": source, "name": "The desk, Åse", "email": "desk@acme.test"},
    }
    with house.scope():
        Stream.objects.filter(pk=house.stream.pk).update(sender=sender)
    house.queue(house.contact())
    house.send()
    [address] = mailbox.received[0].message["Reply-To"].addresses
    assert (address.display_name, address.addr_spec) == ("The desk, Åse", "desk@acme.test")
