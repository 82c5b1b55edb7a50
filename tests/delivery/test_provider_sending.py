"""A tenant's own email provider: connecting it, what goes by it, what waits for it, and who may."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from core.secrets import seal
from crm.models import Event
from delivery.models import BlockedAddress, ChannelHold, EmailConnector, Message
from delivery.operations.email_connector import connect_provider
from delivery.waiting import waiting_messages
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.support.email_providers import KEY, EmailProviders
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)
SPEED = {"connections": "3", "most_a_second": "50"}


@pytest.fixture
def postmark(house: House, alice: Person, providers: EmailProviders) -> EmailProviders:
    """Acme sends by Postmark."""
    connect(house, alice)
    return providers


def connect(house: House, alice: Person, provider: str = "postmark", **given: str) -> None:
    with house.scope():
        connect_provider(
            provider=provider, given=given or {"server_token": KEY}, actor=alice.user, now=house.now
        )


def test_a_message_goes_by_the_provider_and_keeps_its_id(
    house: House, postmark: EmailProviders, mailbox: Mailbox
) -> None:
    [message_id] = house.queue(house.contact("Ada"))
    assert house.send().handed == 1
    assert mailbox.received == []
    [taken] = postmark.mails
    row = house.message(message_id)
    assert (row.status, row.provider_id, row.attempts) == ("sent", "id-1", 1)
    assert taken.headers["Message-ID"] == f"<{row.uuid}@acme.test>"
    assert taken.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Hello Ada of your company" in taken.text
    assert "/m/o/" in taken.html
    assert len(taken.metadata["millrace"]) < 60


def test_each_recipient_has_a_fate_of_their_own(house: House, postmark: EmailProviders) -> None:
    bad, hung, slow, good = (
        house.contact(name, email=f"{name}@post.test") for name in ("bad", "hung", "slow", "good")
    )
    postmark.hang.add("hung@post.test")
    postmark.answers["slow@post.test"] = (500, {"Message": "Oops"}, {})
    ids = house.queue(bad, hung, slow, good)
    house.send()
    assert [house.message(one).status for one in ids] == ["bounced", "unknown", "unknown", "sent"]
    with house.scope():
        assert list(BlockedAddress.objects.values_list("address_norm", "reason")) == [
            ("bad@post.test", "hard_bounce")
        ]
        assert sorted(Event.objects.values_list("kind", flat=True)) == [
            "address.blocked", "message.bounced", "message.sent", "message.unknown", "message.unknown",
        ]  # fmt: skip
    # What may have been taken never goes again.
    for minute in (1, 60, 60 * 24):
        house.send(now=NOW + minute * MINUTE)
    assert sorted(taken.to for taken in postmark.mails) == ["good@post.test", "hung@post.test"]


def test_too_many_requests_hold_the_channel_for_as_long_as_it_asks(
    house: House, postmark: EmailProviders
) -> None:
    with house.scope():
        EmailConnector.objects.update(connections=1)
    ids = house.queue(*(house.contact(f"Ada{n}") for n in range(3)))
    postmark.answers["ada0@post.test"] = (429, {"Message": "Slow down"}, {"Retry-After": "600"})
    house.send()
    assert postmark.asked == 1
    with house.scope():
        hold = ChannelHold.objects.get()
        assert (hold.channel, hold.cause, hold.retry_at) == ("email", "busy", NOW + 10 * MINUTE)
        [waiting] = waiting_messages(now=NOW)
    assert waiting.words == "Postmark takes nothing at the moment"
    postmark.answers.clear()
    house.send(now=NOW + 9 * MINUTE)
    assert postmark.asked == 1
    for minute in (10, 11, 12):
        house.send(now=NOW + minute * MINUTE)
    assert {house.message(one).status for one in ids} == {"sent"}
    assert {house.message(one).attempts for one in ids} == {1}
    with house.scope():
        assert not ChannelHold.objects.exists()


def test_a_refused_key_waits_until_the_right_one_is_given(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    connect(house, alice, "brevo", api_key="wrong")
    [message_id] = house.queue(house.contact("Ada"))
    house.send()
    row = house.message(message_id)
    assert (row.status, row.reason, row.attempts) == ("queued", "channel_down", 0)
    page = alice.client().get(alice.url("content/blocked-addresses/undelivered/")).content.decode()
    assert "Brevo refuses the account or its key" in page
    assert "/settings/connectors/email/" in page
    connect(house, alice, "brevo", api_key=KEY)
    house.send()
    assert house.message(message_id).status == "sent"


def test_secrets_that_cannot_be_read_send_nothing_by_another_way(
    house: House, postmark: EmailProviders, mailbox: Mailbox
) -> None:
    with house.scope():
        EmailConnector.objects.update(secrets=seal("{}", purpose="another"))
    [message_id] = house.queue(house.contact("Ada"))
    house.send()
    assert (house.message(message_id).reason, mailbox.received, postmark.asked) == ("channel_down", [], 0)
    with house.scope():
        assert ChannelHold.objects.get().cause == "no_account"


def test_another_tenant_goes_its_own_way(
    house: House, postmark: EmailProviders, mailbox: Mailbox, globex: Tenant
) -> None:
    other = House(globex)
    other.queue(other.contact("Bea"))
    other.send()
    assert (len(mailbox.received), postmark.asked) == (1, 0)


# --- the pages ----------------------------------------------------------------------------------------------------


def test_the_pages_connect_keep_change_and_disconnect(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    client, home = alice.client(), alice.url("settings/connectors/email/")
    assert "This installation’s mail server" in client.get(home).content.decode()
    assert client.post(f"{home}mailgun/", {"api_key": "", "region": "eu", **SPEED}).status_code == 422
    given = {"api_key": KEY, "sender_domain": "mg.acme.test", "region": "eu", **SPEED}
    assert client.post(f"{home}mailgun/", given).status_code == 302
    with house.scope():
        row = EmailConnector.objects.get()
    assert row.options == {"sender_domain": "mg.acme.test", "region": "eu"}
    assert (row.connections, row.most_a_second) == (3, 50)
    assert KEY not in row.secrets
    page = client.get(f"{home}mailgun/").content.decode()
    assert 'value="mg.acme.test"' in page
    assert KEY not in page + client.get(home).content.decode()
    # An empty key keeps the one that is there, for the same provider alone.
    assert client.post(f"{home}mailgun/", {"api_key": "", "region": "us", **SPEED}).status_code == 302
    client.post(alice.url("settings/connectors/email-test/"), {"to": "ada@post.test"})
    assert [taken.path for taken in providers.mails] == ["/v3/acme.test/messages"]
    assert "takes its place" in client.get(f"{home}brevo/").content.decode()
    assert client.post(f"{home}brevo/", {"api_key": "", **SPEED}).status_code == 422
    client.post(alice.url("settings/connectors/email-disconnect/"))
    with house.scope():
        assert not EmailConnector.objects.exists()
        entries = AuditEntry.objects.filter(object_kind="email_connector").order_by("pk")
        assert [entry.action.partition(".")[2] for entry in entries] == [
            "connected",
            "changed",
            "disconnected",
        ]
        assert KEY not in str(list(entries.values()))


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("ada@post.test", "Postmark took the mail to ada@post.test"),
        ("bad@post.test", "Postmark refuses the recipient’s address"),
        ("hung@post.test", "Postmark did not say whether it took the mail"),
        ("busy@post.test", "Postmark takes nothing at the moment"),
        ("no address", "not an email address"),
    ],
)
def test_a_test_mail_says_what_came_of_it(
    house: House, alice: Person, postmark: EmailProviders, to: str, told: str
) -> None:
    postmark.hang.add("hung@post.test")
    postmark.answers["busy@post.test"] = (429, {"Message": "<script>"}, {})
    page = alice.client().post(alice.url("settings/connectors/email-test/"), {"to": to}, follow=True)
    shown = page.content.decode()
    assert told in shown
    assert ("<script>" in shown, "&lt;script&gt;" in shown) == (False, to == "busy@post.test")
    # A sentence; what the provider answered is folded away, in words and without its JSON.
    folded = re.findall(r"<summary>What was answered</summary><bdi>(.*?)</bdi>", shown)
    wanted = {
        "bad@post.test": [r"422 Invalid &#x27;To&#x27; address: &#x27;bad@post.test&#x27;."],
        "busy@post.test": ["429 &lt;script&gt;"],
    }
    if to != "hung@post.test":
        assert folded == wanted.get(to, [])
    with house.scope():
        assert not Message.objects.exists()


def test_who_may_not_finds_no_page_and_changes_nothing(
    house: House, postmark: EmailProviders, bob: Person, charlie: Person
) -> None:
    for person in (bob, charlie):
        client, base = person.client(), f"/t/{house.tenant.slug}/settings/connectors/"
        assert client.get(f"{base}email/").status_code == 404
        assert client.post(f"{base}email/brevo/", {"api_key": KEY}).status_code == 404
        assert client.post(f"{base}email-disconnect/").status_code == 404
        assert client.post(f"{base}email-test/", {"to": "ada@post.test"}).status_code == 404
    with house.scope():
        assert EmailConnector.objects.get().provider == "postmark"
    assert postmark.asked == 0


def test_a_trial_connects_nobody(house: House, alice: Person, settings: Settings) -> None:
    settings.TRIAL = True
    client, home = alice.client(), alice.url("settings/connectors/email/")
    page = client.get(home).content.decode()
    assert "This is a trial" in page
    assert "Connect Brevo" not in page
    assert client.post(f"{home}brevo/", {"api_key": KEY}).status_code == 404


def test_the_page_of_sender_domains_says_who_signs(
    house: House, alice: Person, postmark: EmailProviders, settings: Settings
) -> None:
    settings.SPF_MECHANISM = "include:spf.mill.test"
    client, url = alice.client(), alice.url("settings/connectors/domains/")
    client.post(url, {"domain": "acme.test"})
    page = client.get(url).content.decode()
    assert "Postmark sends your mails and signs them" in page
    assert "include:spf.mill.test" not in page
