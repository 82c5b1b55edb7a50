"""What recipients can do with the links of a mail, and what nobody can do with a forged one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from crm.models import Consent, Contact, Event, SubscriptionOptOut, SubscriptionType
from delivery.models import Message, Stream
from delivery.rendering import message_links
from delivery.tokens import MessageRef, Purpose, make_message_token
from tests.delivery.conftest import NOW, House
from tests.support.smtp import Mailbox

PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"}


@pytest.fixture(autouse=True)
def monday() -> Iterator[None]:
    """Let the real clock say what the tests pass elsewhere."""
    with time_machine.travel(NOW + dt.timedelta(minutes=5), tick=False):
        yield


class Mail:
    """A mail that arrived, and what its reader can reach."""

    def __init__(self, house: House, mailbox: Mailbox, contact: Contact) -> None:
        self.house, self.contact = house, contact
        [self.id] = house.queue(contact)
        house.send()
        received = mailbox.received[-1].message
        self.html = received.get_body(("html",)).get_content()  # type: ignore[union-attr]
        self.click = re.findall(r"http://127.0.0.1:8000(/m/c/[^\"]+)", self.html)[0]
        self.open = re.findall(r"http://127.0.0.1:8000(/m/o/[^\"]+)", self.html)[0]
        self.one_click = received["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")
        self.preferences = re.findall(r"http://127.0.0.1:8000(/m/p/[^\"]+)", self.html)[0]
        ref = MessageRef(house.tenant.pk, NOW.date(), self.id)
        self.view = message_links(ref, NOW.date()).view.removeprefix("http://127.0.0.1:8000")

    @property
    def row(self) -> Message:
        return self.house.message(self.id)

    def events(self) -> list[str]:
        with self.house.scope():
            kinds = Event.objects.exclude(kind="message.sent").order_by("id").values_list("kind", flat=True)
            return list(kinds)


@pytest.fixture
def mail(house: House, mailbox: Mailbox) -> Mail:
    """A mail to Ada."""
    return Mail(house, mailbox, house.contact("Ada", email="ada&co@post.test"))


def test_an_open_is_noted_once_on_the_message(mail: Mail) -> None:
    first = Client().get(mail.open, headers=PHONE)
    Client().get(mail.open, headers=PHONE)
    assert (first.status_code, first["Content-Type"], len(first.content)) == (200, "image/gif", 42)
    assert "no-store" in first["Cache-Control"]
    assert not first.cookies
    assert (mail.row.status, mail.row.first_opened_at) == ("opened", NOW + dt.timedelta(minutes=5))
    assert mail.events() == ["message.opened", "message.opened"]


def test_an_open_is_an_open_of_its_email(mail: Mail) -> None:
    Client().get(mail.open, headers=PHONE)
    Client().get(mail.open, headers={"user-agent": "curl/8.1"})
    with mail.house.scope():
        opens = Event.objects.filter(kind__in=["message.opened", "message.machine_opened"])
        assert {event.object_id for event in opens} == {mail.house.email.pk}


def test_a_flood_of_clicks_and_opens_leads_on_but_is_not_recorded(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.operations.tracking.MOST_AN_HOUR", 2)
    for _ in range(4):
        assert Client().get(mail.click, headers=PHONE).status_code == 302
        assert Client().get(mail.open, headers=PHONE).status_code == 200
    # The open that the first click tells of is one of the two.
    assert mail.events() == ["message.opened", "message.clicked", "message.opened", "message.clicked"]


def test_a_click_leads_to_the_writers_address_with_the_contacts_values(mail: Mail) -> None:
    response = Client().get(mail.click, headers=PHONE)
    assert response.status_code == 302
    assert response["Location"] == "https://example.com/offer?who=ada%26co%40post.test"
    assert mail.row.status == "clicked"
    assert mail.row.first_opened_at == mail.row.first_clicked_at == NOW + dt.timedelta(minutes=5)
    assert mail.events() == ["message.opened", "message.clicked"]
    with mail.house.scope():
        event = Event.objects.get(kind="message.clicked")
        assert (event.contact_id, event.message_id, event.flow_id) == (mail.contact.pk, mail.id, 7)
        assert event.object_id == mail.house.email.pk
        assert event.data["label"] == "See the offer"


def test_a_click_carries_the_flows_campaign(mail: Mail) -> None:
    with mail.house.scope():
        Stream.objects.filter(pk=mail.house.stream.pk).update(
            utm={"source": "millrace", "campaign": "autumn mail"}
        )
    location = Client().get(mail.click, headers=PHONE)["Location"]
    assert location == (
        "https://example.com/offer?who=ada%26co%40post.test"
        "&utm_source=millrace&utm_medium=email&utm_campaign=autumn+mail"
    )


@pytest.mark.parametrize(
    "agent", ["", "Mozilla/5.0", "curl/8.1", "BarracudaCentral-bot/1.0", "Slackbot-LinkExpanding"]
)
def test_a_machine_is_led_on_and_counts_for_nothing(mail: Mail, agent: str) -> None:
    assert Client().get(mail.click, headers={"user-agent": agent}).status_code == 302
    Client().get(mail.open, headers={"user-agent": agent})
    assert (mail.row.status, mail.row.first_opened_at, mail.row.first_clicked_at) == ("sent", None, None)
    assert mail.events() == ["message.machine_clicked", "message.machine_opened"]


def test_head_is_a_machine(mail: Mail) -> None:
    assert Client().head(mail.click, headers=PHONE).status_code == 302
    assert mail.row.status == "sent"


def test_posting_to_a_click_is_refused(mail: Mail) -> None:
    assert Client().post(mail.click).status_code == 405


def test_an_erased_person_is_led_on_and_leaves_no_trace(mail: Mail) -> None:
    with mail.house.scope():
        Contact.objects.filter(pk=mail.contact.pk).update(
            first_name="", email="", email_norm="", deleted_at=NOW
        )
    assert Client().get(mail.click, headers=PHONE)["Location"] == "https://example.com/offer?who="
    Client().get(mail.open, headers=PHONE)
    assert Client().get(mail.view).status_code == 404
    assert (mail.row.status, mail.events()) == ("sent", [])


def test_a_link_number_that_is_not_in_the_mail_is_not_found(mail: Mail) -> None:
    assert Client().get(f"{mail.click.rpartition('/')[0]}/99", headers=PHONE).status_code == 404
    assert mail.events() == []


# --- unsubscribing ------------------------------------------------------------------------------------------------


def test_one_click_needs_no_cookie_and_twice_is_once(mail: Mail) -> None:
    browser = Client(enforce_csrf_checks=True)
    for _ in range(2):
        response = browser.post(
            mail.one_click, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert response.status_code == 200
        assert not response.cookies
    with mail.house.scope():
        out = SubscriptionOptOut.objects.get()
        assert (out.contact_id, out.type_id, out.source) == (
            mail.contact.pk,
            mail.house.news.pk,
            "Unsubscribe link",
        )
    assert mail.events() == ["unsubscribed"]


def test_looking_at_the_unsubscribe_page_changes_nothing(mail: Mail) -> None:
    response = Client().get(mail.one_click)
    page = response.content.decode()
    assert "Acme" in page
    assert "Mill news" in page
    assert "ad•••@post.test" in page
    assert "ada&" not in page
    with mail.house.scope():
        assert not SubscriptionOptOut.objects.exists()


def test_leaving_everything_withdraws_consent(mail: Mail) -> None:
    page = Client().post(mail.one_click, {"what": "all"}).content.decode()
    assert "no more marketing email" in page
    with mail.house.scope():
        assert Consent.objects.get(contact=mail.contact).given is False
    Client().post(mail.one_click, {"what": "all"})
    assert mail.events() == ["consent.withdrawn"]


def test_a_message_without_a_type_unsubscribes_from_everything(mail: Mail) -> None:
    with mail.house.scope():
        Stream.objects.filter(pk=mail.house.stream.pk).update(subscription_type=None)
    Client().post(mail.one_click, {"List-Unsubscribe": "One-Click"})
    with mail.house.scope():
        assert Consent.objects.get(contact=mail.contact).given is False


def test_who_unsubscribed_gets_no_further_mail(mail: Mail, mailbox: Mailbox) -> None:
    [later] = mail.house.queue(mail.contact)
    Client().post(mail.one_click, {"List-Unsubscribe": "One-Click"})
    mail.house.send()
    assert len(mailbox.received) == 1
    assert mail.house.message(later).reason == "unsubscribed"


def test_preferences_are_chosen_per_type_and_taken_back(mail: Mail) -> None:
    with mail.house.scope():
        SubscriptionType.objects.exclude(pk=mail.house.news.pk).delete()
        events = SubscriptionType.objects.create(name="Fairs")
    page = Client().get(mail.preferences).content.decode()
    assert page.count("checked") == 2
    Client().post(mail.preferences, {"action": "choose", "type": [events.pk]})
    with mail.house.scope():
        assert list(SubscriptionOptOut.objects.values_list("type_id", flat=True)) == [mail.house.news.pk]
    Client().post(mail.preferences, {"action": "choose", "type": [events.pk, mail.house.news.pk, 999_999]})
    with mail.house.scope():
        assert not SubscriptionOptOut.objects.exists()
    assert mail.events() == ["unsubscribed", "subscribed"]


def test_preferences_leave_all_and_come_back(mail: Mail) -> None:
    assert "Get email again" in Client().post(mail.preferences, {"action": "leave"}).content.decode()
    with mail.house.scope():
        assert Consent.objects.get().given is False
    Client().post(mail.preferences, {"action": "return"})
    with mail.house.scope():
        consent = Consent.objects.get()
        assert (consent.given, consent.source) == (True, "Preference page")


def test_a_link_to_preferences_ends_after_three_weeks_the_unsubscribe_link_never(mail: Mail) -> None:
    with time_machine.travel(NOW + dt.timedelta(days=21), tick=False):
        assert Client().get(mail.preferences).status_code == 200
    with time_machine.travel(NOW + dt.timedelta(days=22), tick=False):
        assert Client().get(mail.preferences).status_code == 410
        assert Client().post(mail.preferences, {"action": "leave"}).status_code == 410
        page = Client().get(mail.one_click)
        assert page.status_code == 200
        assert "/m/p/" not in page.content.decode()
        Client().post(mail.one_click, {"List-Unsubscribe": "One-Click"})
    with mail.house.scope():
        assert SubscriptionOptOut.objects.count() == 1
        assert Consent.objects.get().given is True


def test_the_mail_in_the_browser_runs_nothing(mail: Mail) -> None:
    response = Client().get(mail.view)
    assert response.status_code == 200
    assert "Hello Ada" in response.content.decode()
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "sandbox allow-popups" in policy
    assert "frame-ancestors 'none'" in policy


# --- forgery ------------------------------------------------------------------------------------------------------

PATHS = ["/m/c/{}/1", "/m/o/{}", "/m/u/{}", "/m/p/{}", "/m/v/{}"]


def forgeries(house: House, message_id: int) -> Iterator[str]:
    good = make_message_token(Purpose.BOUNCE, MessageRef(house.tenant.pk, NOW.date(), message_id))
    yield good  # of another purpose
    yield good[:-2] + ("AA" if good[-2:] != "AA" else "BB")
    yield from ("x", "A" * 24, "%00", "é", good * 9, good + "!", "=" * 8)


def test_a_forged_token_is_not_found_and_changes_nothing(mail: Mail) -> None:
    for token in forgeries(mail.house, mail.id):
        for path in PATHS:
            for method in ("get", "post"):
                response = getattr(Client(enforce_csrf_checks=True), method)(
                    path.format(token), headers=PHONE
                )
                assert response.status_code in {404, 405}, (method, path, token)
    assert (mail.row.status, mail.events()) == ("sent", [])
    with mail.house.scope():
        assert Consent.objects.get().given is True
        assert not SubscriptionOptOut.objects.exists()


def test_a_token_of_one_purpose_is_no_good_for_another(mail: Mail) -> None:
    token = mail.open.rpartition("/")[2]
    for path in PATHS:
        expected = 200 if path == "/m/o/{}" else 404
        assert Client().get(path.format(token), headers=PHONE).status_code == expected


def test_a_token_of_a_message_that_is_gone_is_not_found(mail: Mail) -> None:
    for purpose, path in zip(
        [Purpose.CLICK, Purpose.OPEN, Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.VIEW],
        PATHS,
        strict=True,
    ):
        token = make_message_token(purpose, MessageRef(mail.house.tenant.pk, NOW.date(), 999_999, NOW.date()))
        assert Client().get(path.format(token), headers=PHONE).status_code == 404


def test_one_tenants_message_number_opens_nothing_of_another(mail: Mail, charlie: object) -> None:
    other = charlie.tenant.pk  # type: ignore[attr-defined]
    token = make_message_token(Purpose.CLICK, MessageRef(other, NOW.date(), mail.id))
    assert Client().get(f"/m/c/{token}/1", headers=PHONE).status_code == 404
    assert mail.row.status == "sent"


def test_any_other_address_below_m_is_not_found() -> None:
    assert Client().get("/m/nothing/here").status_code == 404
