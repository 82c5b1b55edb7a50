"""Registered tracked links: where they lead, what a click does, who may see it, and what nobody can make of them."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
import time_machine
from django.db import OperationalError, connection, connections
from django.test import Client

from accounts.models import Tenant
from content.actions import ChangeLine
from content.jobs import LINK_ACTIONS
from content.link_actions import LinkActions
from content.operations.clicks import follow_link
from content.operations.links import LinkDraft, change_link, create_link
from core.models import Job
from core.tenancy import tenant_scope
from crm.models import (
    Contact,
    Event,
    EventInbox,
    ListItem,
    Project,
    ProjectMember,
    Selection,
    SelectionMember,
)
from delivery.operations.tracking import message_seen
from delivery.tokens import Purpose, read_message_token
from tests.delivery.conftest import NOW, House
from tests.support.smtp import Mailbox

PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"}
LATER = NOW + dt.timedelta(minutes=5)
MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ contact.first_name }}, "
    '<a href="https://example.com/plain">plain</a></mj-text>'
    '<mj-button href="{{ links.offer }}">Offer</mj-button></mj-column></mj-section></mj-body></mjml>'
)


@pytest.fixture(autouse=True)
def monday() -> Iterator[None]:
    """Let the real clock say what the tests pass elsewhere."""
    with time_machine.travel(LATER, tick=False):
        yield


class Shop(House):
    """Acme with one registered link, an email that names it, and things that a click may do."""

    def __init__(self, tenant: Tenant) -> None:
        super().__init__(tenant)
        with self.scope():
            self.fans = Selection.objects.create(name="Fans", created_at=NOW)
            self.cold = Selection.objects.create(name="Cold", created_at=NOW)
            self.fair = Project.objects.create(name="Fair", created_at=NOW)
            self.interest = ListItem.objects.filter(list="interest").earliest("pk")
            actions = LinkActions(
                add_to_selections=(self.fans.pk,),
                remove_from_selections=(self.cold.pk,),
                add_to_projects=(self.fair.pk,),
                add_interests=(self.interest.pk,),
                changes=(ChangeLine(field="contact.job_title", values=("Clicker",)),),
            )
            self.draft = LinkDraft(
                name="Offer", folder="Spring", url="https://example.com/offer", actions=actions
            )
            self.link = create_link(draft=self.draft, actor=None, now=NOW)
        self.mail = self.write(mjml=MJML)

    def click_of(self, mailbox: Mailbox, contact: Contact) -> str:
        """Send the email to a contact and return the path of its registered link."""
        self.queue(contact, email=self.mail)
        self.send()
        html = mailbox.received[-1].message.get_body(("html",)).get_content()  # type: ignore[union-attr]
        found = re.findall(r"http://127.0.0.1:8000(/m/c/[^\"]+/2)\"", html)
        assert len(found) == 1, html
        return str(found[0])

    def kinds(self) -> list[str]:
        """Events in their order, without what sending wrote."""
        with self.scope():
            rows = Event.objects.exclude(kind="message.sent").order_by("id")
            return list(rows.values_list("kind", flat=True))


@pytest.fixture
def shop(acme: Tenant) -> Shop:
    return Shop(acme)


# --- clicking -----------------------------------------------------------------------------------------------------


def test_a_persons_click_is_told_and_does_the_links_actions_once(shop: Shop, mailbox: Mailbox) -> None:
    ada = shop.contact("Ada")
    with shop.scope():
        SelectionMember.objects.create(selection=shop.cold, contact=ada, added_at=NOW)
    path = shop.click_of(mailbox, ada)
    for _ in range(2):
        response = Client().get(path, headers=PHONE)
        assert (response.status_code, response["Location"]) == (302, "https://example.com/offer")
    assert shop.kinds() == [
        "message.opened", "message.clicked", "link.clicked", "contact.updated", "contact.updated", "selection.added",
        "selection.removed", "project.added", "message.clicked", "link.clicked",
    ]  # fmt: skip
    with shop.scope():
        event = Event.objects.filter(kind="link.clicked").earliest("id")
        assert event.data == {
            "link": {"id": shop.link.pk, "name": "Offer", "url": "https://example.com/offer"},
            "email": shop.mail.pk,
        }
        assert (event.object_id, event.origin, event.contact_id) == (shop.link.pk, "link", ada.pk)
        assert (event.flow_id, event.message_id is not None, event.at) == (None, True, LATER)
        assert EventInbox.objects.filter(kind="link.clicked").count() == 2
        added = Event.objects.get(kind="selection.added")
        assert (added.origin, added.object_id, added.flow_id) == ("link", shop.fans.pk, None)
        ada.refresh_from_db()
        assert ada.job_title == "Clicker"
        assert list(SelectionMember.objects.values_list("selection_id", "contact_id")) == [
            (shop.fans.pk, ada.pk)
        ]
        assert ProjectMember.objects.get().contact_id == ada.pk
        assert ada.interests.get().item_id == shop.interest.pk


def test_a_machine_is_led_on_and_nothing_happens(shop: Shop, mailbox: Mailbox) -> None:
    path = shop.click_of(mailbox, shop.contact("Ada"))
    assert Client().get(path, headers={"user-agent": "Barracuda bot"}).status_code == 302
    assert Client().head(path, headers=PHONE).status_code == 302
    assert shop.kinds() == ["message.machine_clicked", "message.machine_clicked"]
    with shop.scope():
        assert not SelectionMember.objects.exists()


def test_an_erased_person_is_led_on_and_nothing_happens(shop: Shop, mailbox: Mailbox) -> None:
    ada = shop.contact("Ada")
    path = shop.click_of(mailbox, ada)
    with shop.scope():
        Contact.objects.filter(pk=ada.pk).update(first_name="", email="", email_norm="", deleted_at=NOW)
    assert Client().get(path, headers=PHONE)["Location"] == "https://example.com/offer"
    assert shop.kinds() == []


def test_a_mail_that_went_out_leads_to_the_links_address_of_today(shop: Shop, mailbox: Mailbox) -> None:
    path = shop.click_of(mailbox, shop.contact("Ada"))
    draft = LinkDraft(name="Autumn offer", url="https://example.com/autumn?c={{ contact.first_name }}")
    with shop.scope():
        changed = change_link(link_id=shop.link.pk, draft=draft, actor=None, now=LATER)
    assert changed.key == "offer"
    assert Client().get(path, headers=PHONE)["Location"] == "https://example.com/autumn?c=Ada"


def test_a_link_may_show_a_text_instead_which_is_only_text(shop: Shop, mailbox: Mailbox) -> None:
    path = shop.click_of(mailbox, shop.contact("Ada"))
    text = "Thanks!\n<script>alert(1)</script> see https://example.com/"
    with shop.scope():
        draft = LinkDraft(name="Offer", shows="text", heading="Thank you", text=text)
        change_link(link_id=shop.link.pk, draft=draft, actor=None, now=LATER)
    response = Client().get(path, headers=PHONE)
    page = response.content.decode()
    assert response.status_code == 200
    assert "<h1>Thank you</h1>" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert 'href="https://example.com/"' in page


def test_a_flood_of_clicks_leads_on_and_does_nothing_more(
    shop: Shop, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.operations.tracking.MOST_AN_HOUR", 1)
    path = shop.click_of(mailbox, shop.contact("Ada"))
    for _ in range(3):
        assert Client().get(path, headers=PHONE).status_code == 302
    assert shop.kinds().count("link.clicked") == 1


def test_an_action_whose_value_is_gone_does_not_break_the_click(shop: Shop, mailbox: Mailbox) -> None:
    path = shop.click_of(mailbox, shop.contact("Ada"))
    with shop.scope():
        lines = (
            ChangeLine(field="contact.custom.gone", values=("x",)),
            ChangeLine(field="contact.job_title", values=("Still set",)),
        )
        actions = LinkActions(add_to_selections=(999_999,), add_interests=(999_999,), changes=lines)
        draft = LinkDraft(name="Offer", url="https://example.com/", actions=actions)
        change_link(link_id=shop.link.pk, draft=draft, actor=None, now=LATER)
    assert Client().get(path, headers=PHONE).status_code == 302
    with shop.scope():
        assert Contact.objects.get().job_title == "Still set"


def test_a_test_mail_leads_on_and_counts_nowhere(shop: Shop, mailbox: Mailbox) -> None:
    shop.queue(shop.contact("Ada"), email=shop.mail, is_test=True)
    shop.send()
    html = mailbox.received[-1].message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    [path] = re.findall(r"http://127.0.0.1:8000(/m/c/[^\"]+/2)\"", html)
    assert Client().get(path, headers=PHONE).status_code == 302
    assert shop.kinds() == []


def _held(shop: Shop, contact: Contact, meanwhile: Callable[[], None]) -> None:
    """Do something while another connection holds a contact."""
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tenant_scope(shop.tenant.pk):
            Contact.objects.select_for_update(of=("self",)).get(pk=contact.pk)
            begun.set()
            done.wait(20)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(10)
    try:
        meanwhile()
    finally:
        done.set()
        holder.join(20)


@pytest.mark.django_db(transaction=True)
def test_whoever_clicks_is_led_on_while_others_hold_the_contact_and_the_actions_come_later(
    acme: Tenant, mailbox: Mailbox
) -> None:
    shop = Shop(acme)
    ada = shop.contact("Ada", job_title="")
    path = shop.click_of(mailbox, ada)
    ref = read_message_token(Purpose.CLICK, path.split("/")[3])

    def click() -> None:
        with message_seen(ref) as message:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
            followed = follow_link(message=message, number=2, now=LATER, machine=False)
        assert followed is not None
        assert followed.address == "https://example.com/offer"

    _held(shop, ada, click)
    assert shop.kinds() == ["message.opened", "message.clicked", "link.clicked"]
    with shop.scope():
        job = Job.objects.get(kind="link_actions")
        assert LINK_ACTIONS.slice(job, now=LATER).finished
        ada.refresh_from_db()
        assert ada.job_title == "Clicker"
        assert SelectionMember.objects.get().contact_id == ada.pk


def test_a_page_that_waited_too_long_says_to_try_again(
    shop: Shop, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_: object) -> None:
        error = OperationalError("canceling statement due to lock timeout")
        raise error from psycopg.errors.LockNotAvailable()

    path = shop.click_of(mailbox, shop.contact("Ada"))
    monkeypatch.setattr("content.operations.clicks.follow_link", busy)
    response = Client().get(path, headers=PHONE)
    assert (response.status_code, response["Retry-After"]) == (503, "5")


# --- in emails ----------------------------------------------------------------------------------------------------


# --- pages --------------------------------------------------------------------------------------------------------
