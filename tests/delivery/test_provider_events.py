"""What email providers tell: believed where it is theirs, acted on once, whatever the order, and never for another."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from accounts.models import Tenant
from crm.models import Consent, Event, SubscriptionOptOut
from delivery.email_account import events_address
from delivery.models import BlockedAddress, EmailConnector
from delivery.operations.email_connector import connect_provider
from delivery.operations.tracking import message_seen, record_click
from delivery.tokens import Purpose, make_message_token, read_message_token
from tests.delivery.conftest import House
from tests.delivery.test_provider_channel import GIVEN, NAMES
from tests.fixtures.people import Person
from tests.support.email_providers import EmailProviders
from tests.support.provider_events import MACHINE, PUBLIC_KEY, SIGNING_KEY, URL, event_body, sent_by
from tests.support.sns import TOPIC

pytestmark = pytest.mark.django_db(transaction=True)
SIGNED = {
    "amazon_ses": {"topic_arn": TOPIC},
    "mailgun": {"webhook_signing_key": SIGNING_KEY},
    "sendgrid": {"tracking_webhook_verification_key": PUBLIC_KEY},
}


class Wire:
    """A message of Acme's that went by a provider, and the provider's side of the line."""

    def __init__(self, house: House, alice: Person, providers: EmailProviders, name: str) -> None:
        self.house, self.name = house, name
        with house.scope():
            connect_provider(
                provider=name, given={**GIVEN[name], **SIGNED.get(name, {})}, actor=alice.user, now=house.now
            )
            self.address = events_address(EmailConnector.objects.get())
        self.ada = house.contact("Ada")
        [self.id] = house.queue(self.ada)
        house.send()
        self.token = providers.mails[-1].metadata["millrace"]
        assert self.state == "sent"

    @property
    def state(self) -> str:
        """The message's status."""
        return self.house.message(self.id).status

    @property
    def events(self) -> list[str]:
        """The kinds of the events after the hand-over."""
        with self.house.scope():
            return list(Event.objects.order_by("id").values_list("kind", flat=True))[1:]

    def tell(self, kind: str, *, token: str = "", **more: str) -> int:
        """Post as the provider does; return the answer's status."""
        body = event_body(self.name, kind, token or self.token, **more)
        return self.post(body, sent_by(self.name, self.address, body))

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """Post to the tenant's address."""
        path = "/" + self.address.split("/", 3)[3]
        answer = Client(enforce_csrf_checks=True).post(
            path, body, content_type="application/json", headers=headers
        )
        return answer.status_code


@pytest.fixture(params=NAMES)
def wire(request: pytest.FixtureRequest, house: House, alice: Person, providers: EmailProviders) -> Wire:
    return Wire(house, alice, providers, request.param)


@pytest.fixture
def brevo(house: House, alice: Person, providers: EmailProviders) -> Wire:
    return Wire(house, alice, providers, "brevo")


def test_its_whole_life_is_told_once_however_often_it_is_said(wire: Wire) -> None:
    for _ in range(2):
        assert [wire.tell(kind) for kind in ("deferred", "delivered", "opened", "clicked")] == [200] * 4
    assert wire.state == "clicked"
    assert wire.events == ["message.delivered", "message.opened", "message.clicked"]
    with wire.house.scope():
        clicked = Event.objects.get(kind="message.clicked")
        opened = Event.objects.get(kind="message.opened")
        assert not BlockedAddress.objects.exists()
    assert (clicked.data["url"], clicked.contact_id) == (URL, wire.ada.pk)
    assert opened.object_id == clicked.object_id == wire.house.email.pk
    # Late and in the wrong order: a later fact never becomes an earlier one.
    wire.tell("delivered")
    wire.tell("soft")
    assert wire.state == "clicked"


@pytest.mark.parametrize(
    ("kind", "state", "blocked"),
    [
        ("hard", "bounced", "hard_bounce"),
        ("soft", "soft_bounced", ""),
        ("complained", "complained", "complaint"),
    ],
)
def test_what_comes_back_blocks_as_bounce_mails_do(wire: Wire, kind: str, state: str, blocked: str) -> None:
    assert [wire.tell(kind), wire.tell(kind), wire.tell("delivered")] == [200] * 3
    assert wire.state == state
    with wire.house.scope():
        assert list(BlockedAddress.objects.values_list("reason", flat=True)) == ([blocked] if blocked else [])
        withdrawn = Consent.objects.filter(contact=wire.ada, given=False).exists()
    assert withdrawn is (kind == "complained")
    assert wire.events.count(f"message.{state}") == 1


def test_a_provider_that_did_not_try_says_why(wire: Wire) -> None:
    assert wire.tell("rejected") == 200 if wire.name != "mailgun" else wire.tell("soft") == 200
    assert wire.state == "soft_bounced"


def test_unsubscribing_there_opts_out_of_the_type_here(wire: Wire) -> None:
    if wire.name == "amazon_ses":
        pytest.skip("It has no unsubscribing of its own.")
    assert [wire.tell("unsubscribed"), wire.tell("unsubscribed")] == [200, 200]
    with wire.house.scope():
        assert list(SubscriptionOptOut.objects.values_list("contact_id", "type_id")) == [
            (wire.ada.pk, wire.house.news.pk)
        ]
        assert not Consent.objects.filter(given=False).exists()


def test_a_machines_open_is_kept_and_counts_for_nothing(wire: Wire) -> None:
    wire.tell("delivered")
    assert wire.tell("opened", agent=MACHINE) == 200
    assert wire.state == "delivered"
    assert wire.events == ["message.delivered", "message.machine_opened"]


def test_a_burst_that_our_links_told_is_no_persons_click_by_the_providers_word(brevo: Wire) -> None:
    """Brevo counts clicks of its own whatever it is told, and tells them after our redirects have seen them."""
    brevo.tell("delivered")
    ref = read_message_token(Purpose.PROVIDER, brevo.token)
    for number in range(3):
        with message_seen(ref) as message:
            record_click(message=message, link=f"{URL}{number}", label="", now=brevo.house.now, machine=False)
    assert brevo.state == "delivered"
    assert [brevo.tell("clicked"), brevo.tell("opened")] == [200, 200]
    assert brevo.state == "delivered"
    assert not {"message.clicked", "message.opened"} & set(brevo.events)


def test_nobody_else_is_believed(wire: Wire) -> None:
    body = event_body(wire.name, "hard", wire.token)
    if wire.name == "mailgun":
        told = json.loads(body)
        told["signature"]["signature"] = "0" * 64
        body, wrong = json.dumps(told).encode(), [dict[str, str]()]
    elif wire.name == "sendgrid":
        wrong = [sent_by("sendgrid", wire.address, body + b" "), {}]
    else:
        wrong = [sent_by("brevo", "http://millrace:guess@x", body), {}, {"Authorization": "Basic %%%"}]
    assert {wire.post(body, headers) for headers in wrong} == {403}
    assert (wire.state, wire.events) == ("sent", [])


def test_another_tenants_provider_moves_nothing_here(
    wire: Wire, globex: Tenant, charlie: Person, providers: EmailProviders
) -> None:
    other = Wire(House(globex), charlie, providers, wire.name)
    # Charlie's own account tells of Acme's message, and of one that is nobody's.
    assert other.tell("hard", token=wire.token) == 200
    assert other.tell("hard", token="A" * 40) == 200
    assert (wire.state, other.state) == ("sent", "sent")
    # Acme's events at the other's address are forged there, where each signs in with a password of its own.
    body = event_body(wire.name, "hard", other.token)
    if "@" in wire.address:
        assert other.post(body, sent_by(wire.name, wire.address, body)) == 403
    assert other.state == "sent"


def test_what_is_not_the_providers_is_no_event(wire: Wire) -> None:
    for body in (b"", b"{}", b"[1]", b"null", b"\xff", b'{"event": 1}', b"[[]]"):
        assert wire.post(body, sent_by(wire.name, wire.address, body)) in {200, 400, 403}
    assert (wire.state, wire.events) == ("sent", [])


def test_an_unknown_hand_over_is_put_right(house: House, alice: Person, providers: EmailProviders) -> None:
    wire = Wire(house, alice, providers, "postmark")
    providers.hang.add("bea@post.test")
    [message_id] = house.queue(house.contact("Bea"))
    house.send()
    assert house.message(message_id).status == "unknown"
    wire.tell("delivered", token=providers.mails[-1].metadata["millrace"])
    assert house.message(message_id).status == "delivered"


def test_many_events_in_one_request_are_all_taken(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    wire = Wire(house, alice, providers, "sendgrid")
    ids = house.queue(*(house.contact(f"Bea{n}") for n in range(9)))
    house.send()
    told = [
        json.loads(event_body("sendgrid", "delivered", m.metadata["millrace"]))[0] for m in providers.mails
    ]
    body = json.dumps([*told, *told]).encode()
    assert wire.post(body, sent_by("sendgrid", wire.address, body)) == 200
    assert {house.message(one).status for one in ids} == {"delivered"}


def test_the_door_itself_answers_only_to_its_own_tokens(brevo: Wire) -> None:
    token = brevo.address.rsplit("/", 1)[1]
    ref = read_message_token(Purpose.PROVIDER_EVENTS, token)
    client = Client(enforce_csrf_checks=True)
    assert client.head(f"/m/e/{token}").status_code == 200
    assert client.get(f"/m/e/{token}").status_code == 405
    for wrong in ("x", token[:-1] + "A", make_message_token(Purpose.SMS_REPLY, ref), "ä" * 30):
        assert client.post(f"/m/e/{wrong}", b"{}", content_type="application/json").status_code == 403
    with brevo.house.scope():
        EmailConnector.objects.all().delete()
    assert brevo.tell("hard") == 403
    assert brevo.state == "sent"


def test_without_its_key_nothing_is_believed_and_the_page_says_so(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    client, home = alice.client(), alice.url("settings/connectors/email/")
    wire = Wire(house, alice, providers, "sendgrid")
    bad = {**GIVEN["sendgrid"], "connections": "4", "tracking_webhook_verification_key": "no key"}
    page = client.post(f"{home}sendgrid/", bad)
    assert (page.status_code, "this is not a key" in page.content.decode()) == (422, True)
    client.post(
        f"{home}sendgrid/", {**GIVEN["sendgrid"], "connections": "4", "tracking_webhook_verification_key": ""}
    )
    assert wire.tell("hard") == 403
    shown = client.get(home).content.decode()
    assert "is refused as long as “Verification key of the event webhook” is missing" in shown
    assert wire.address in shown
