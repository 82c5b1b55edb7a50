"""Registered tracked links: where they lead, what a click does, who may see it, and what nobody can make of them."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import time_machine
from django.db import OperationalError, connection, connections
from django.test import Client

from accounts.models import Tenant
from content.actions import ChangeLine, ContactActions
from content.jobs import LINK_ACTIONS
from content.models import Email, MessageLink, TrackedLink
from content.operations.clicks import follow_link
from content.operations.emails import delete_email
from content.operations.links import LinkDraft, change_link, create_link, delete_link, reset_link
from content.queries_link import click_lines, clicks, clicks_of, link_choices
from core.models import Job
from core.tenancy import tenant_scope
from crm.models import (
    Contact,
    CustomField,
    Event,
    EventInbox,
    ListItem,
    Project,
    ProjectMember,
    Selection,
    SelectionMember,
    Usage,
)
from crm.operations.clubs import delete_club
from crm.operations.usage import InUse
from delivery.operations.tracking import message_seen
from delivery.tokens import Purpose, read_message_token
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
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
            actions = ContactActions(
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
        actions = ContactActions(add_to_selections=(999_999,), add_interests=(999_999,), changes=lines)
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
    monkeypatch.setattr("content.views.recipients.follow_link", busy)
    response = Client().get(path, headers=PHONE)
    assert (response.status_code, response["Retry-After"]) == (503, "5")


# --- in emails ----------------------------------------------------------------------------------------------------


def test_one_number_stands_for_the_link_however_often_an_email_names_it(shop: Shop, mailbox: Mailbox) -> None:
    again = MJML.replace("plain</a>", 'plain</a> <a href="{{ links.offer }}">again</a> or {{ links.offer }}')
    email = shop.write(mjml=again, own_text="Go to {{ links.offer }}.")
    with shop.scope():
        rows = MessageLink.objects.filter(version=email.current_id).order_by("number")
        assert [(row.number, row.url, row.registered_id) for row in rows] == [
            (1, "https://example.com/plain", None),
            (2, "", shop.link.pk),
        ]
    shop.queue(shop.contact("Ada"), email=email)
    shop.send()
    message = mailbox.received[-1].message
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert len(re.findall(r"/m/c/[\w-]+/2", html)) == 3
    assert re.search(r"Go to http://127.0.0.1:8000/m/c/[\w-]+/2\.", text)


def test_a_tag_of_a_link_that_does_not_exist_is_a_problem_at_save(shop: Shop) -> None:
    with pytest.raises(
        AssertionError, match=r"There is no merge tag “links\.ofer”\. Did you mean “links\.offer”"
    ):
        shop.write(mjml=MJML.replace("links.offer", "links.ofer"))


def test_what_an_email_names_is_not_deleted_until_the_email_is(shop: Shop, alice: Person) -> None:
    with shop.scope():
        use = Usage.objects.get(used_kind="link", used_id=shop.link.pk)
        assert (use.user_kind, use.user_id, use.url) == (
            "email",
            shop.mail.pk,
            f"/t/acme/content/{shop.mail.pk}/",
        )
        with pytest.raises(InUse):
            delete_link(link_id=shop.link.pk, actor=alice.user, now=NOW)
        delete_email(email_id=shop.mail.pk, actor=alice.user, now=NOW)
        delete_link(link_id=shop.link.pk, actor=alice.user, now=NOW)
        assert link_choices() == []
        again = create_link(draft=LinkDraft(name="Offer", url="https://a.test/"), actor=None, now=NOW)
        assert again.key == "offer_2"


def test_a_deleted_link_still_leads_on_and_does_nothing(shop: Shop, mailbox: Mailbox) -> None:
    path = shop.click_of(mailbox, shop.contact("Ada"))
    with shop.scope():
        TrackedLink.objects.update(deleted_at=NOW)
    assert Client().get(path, headers=PHONE)["Location"] == "https://example.com/offer"
    assert shop.kinds() == ["message.opened", "message.clicked"]


def test_what_a_link_does_cannot_be_deleted_under_it(shop: Shop, alice: Person) -> None:
    with shop.scope(), pytest.raises(InUse) as refused:
        delete_club(model=Selection, club_id=shop.fans.pk, actor=alice.user)
    assert [(use.user_kind, use.user_name) for use in refused.value.uses] == [("link", "Offer")]


@pytest.mark.parametrize(
    ("name", "key"),
    [("Spring: 20 % off!", "spring_20_off"), ("2026 fair", "link_2026_fair"), ("Unsubscribe", "unsubscribe_2"),
     ("عرض الربيع", "link"), ("🎉", "link"), ("__class__", "class")],
)  # fmt: skip
def test_a_key_is_a_word_that_a_merge_tag_can_name(shop: Shop, name: str, key: str) -> None:
    with shop.scope():
        link = create_link(draft=LinkDraft(name=name, url="https://example.com/"), actor=None, now=NOW)
    assert link.key == key
    assert shop.write(mjml=MJML.replace("links.offer", f"links.{key}")).current_id


# --- pages --------------------------------------------------------------------------------------------------------


def fields(**changes: Any) -> dict[str, Any]:
    return {"name": "Offer", "folder": "", "shows": "address", "url": "https://example.com/", **changes}


def test_a_writer_makes_a_link_with_all_its_actions(wendy: Person, shop: Shop) -> None:
    with shop.scope():
        size = CustomField.objects.create(on="contact", key="size", name="Size", type="number")
    data = fields(
        name="Fair", folder=" Autumn  fair ", add_to_selections=[shop.fans.pk], remove_interests=[shop.interest.pk],
        **{"line-0-field": f"contact.custom.{size.key}", "line-0-action": "add", "line-0-value-0": "1"},
    )  # fmt: skip
    response = wendy.client().post(wendy.url("content/links/new/"), data)
    with shop.scope():
        link = TrackedLink.objects.get(name="Fair")
        assert response["Location"] == wendy.url(f"content/links/{link.pk}/")
        assert (link.key, link.folder, link.updated_by_id) == ("fair", "Autumn fair", wendy.user.pk)
        assert link.actions == {
            "add_to_selections": [shop.fans.pk],
            "remove_interests": [shop.interest.pk],
            "changes": [{"field": "contact.custom.size", "action": "add", "values": ["1"]}],
        }
        used = Usage.objects.filter(user_kind="link", user_id=link.pk).values_list("used_kind", "used_id")
        assert set(used) == {
            ("selection", shop.fans.pk), ("list_item", shop.interest.pk), ("custom_field", size.pk),
        }  # fmt: skip
    page = wendy.client().get(response["Location"]).content.decode()
    assert "{{ links.fair }}" in page
    assert 'value="1"' in page
    page = wendy.client().get(wendy.url("content/links/?folder=Autumn+fair")).content.decode()
    assert "Fair" in page
    assert "Offer" not in page


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"url": "javascript:alert(1)"}, "cannot begin with “javascript:”"),
        ({"url": " java\tscript:alert(1)"}, "cannot begin with"),
        ({"url": "https://{{ company.name }}/"}, "Write the site"),
        ({"url": "https://ex.test/{{ contact.frist_name }}"}, "There is no merge tag"),
        ({"url": "//evil.test/"}, "begins with https://"),
        ({"url": "mailto:a@b.test"}, "A tracked link begins with https://"),
        ({"url": ""}, "Write the address"),
        ({"shows": "text", "url": ""}, "Write the text"),
        ({"name": "  "}, "required"),
        ({"name": "Offer"}, "There is a link “Offer” already"),
        ({"add_to_selections": ["999999"]}, "not one of the available choices"),
        (
            {"line-0-field": "contact.date_of_birth", "line-0-action": "set", "line-0-value-0": "x"},
            "is not a date",
        ),
        (
            {"line-0-field": "contact.job_title", "line-0-action": "set", "line-0-value-0": ""},
            "Give each field a value",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    wendy: Person, shop: Shop, change: dict[str, Any], problem: str
) -> None:
    data = fields(name="Other") | change
    response = wendy.client().post(wendy.url("content/links/new/"), data)
    assert response.status_code == 422
    assert problem in response.content.decode()
    with shop.scope():
        assert TrackedLink.objects.count() == 1


def test_asking_for_another_line_saves_nothing(wendy: Person, shop: Shop) -> None:
    url = wendy.url(f"content/links/{shop.link.pk}/")
    response = wendy.client().post(url, fields(name="Renamed", more="1"))
    assert response.status_code == 200
    assert 'name="line-0-field"' in response.content.decode()
    assert 'value="Renamed"' in response.content.decode()
    with shop.scope():
        assert TrackedLink.objects.get().name == "Offer"


def test_who_clicked_is_shown_to_whom_may_see_them_and_reset_counts_anew(
    wendy: Person, shop: Shop, mailbox: Mailbox
) -> None:
    ada = shop.contact("Ada")
    path = shop.click_of(mailbox, ada)
    Client().get(path, headers=PHONE)
    url = wendy.url(f"content/links/{shop.link.pk}/clicks/")
    page = wendy.client().get(url).content.decode()
    assert "1 click by 1" in page
    assert "Welcome" in page
    with shop.scope():
        found = click_lines(list(clicks(shop.link)), member=wendy.member)
        assert [(line.at, line.email_id, line.sent_at) for line in found] == [(LATER, shop.mail.pk, NOW)]
        assert clicks_of([shop.link])[shop.link.pk].people == 1
        reset_link(link_id=shop.link.pk, actor=wendy.user, now=LATER + dt.timedelta(seconds=1))
        link = TrackedLink.objects.get(pk=shop.link.pk)
        assert clicks_of([link]) == {}
        assert not clicks(link).exists()
        assert Event.objects.filter(kind="link.clicked").exists()
    assert "Nobody has clicked yet" in wendy.client().get(url).content.decode()


def test_only_a_flow_administrator_deletes_a_link(wendy: Person, bob: Person, shop: Shop) -> None:
    with shop.scope():
        delete_email(email_id=shop.mail.pk, actor=bob.user, now=NOW)
    url = f"content/links/{shop.link.pk}/delete/"
    assert wendy.client().post(wendy.url(url)).status_code == 404
    assert bob.client().post(bob.url(url)).status_code == 302
    with shop.scope():
        assert TrackedLink.objects.get().deleted_at is not None


def test_another_tenants_link_does_not_exist(charlie: Person, shop: Shop) -> None:
    client = charlie.client()
    for path in (f"{shop.link.pk}/", f"{shop.link.pk}/clicks/"):
        assert client.get(charlie.url(f"content/links/{path}")).status_code == 404
    data = fields(add_to_selections=[shop.fans.pk])
    assert client.post(charlie.url("content/links/new/"), data).status_code == 422
    assert "Offer" not in client.get(charlie.url("content/links/")).content.decode()


def test_emails_of_another_tenant_cannot_name_the_link(shop: Shop, globex: Tenant) -> None:
    other = House(globex)
    with pytest.raises(AssertionError, match="There is no merge tag"):
        other.write(mjml=MJML)
    with other.scope():
        assert Email.objects.count() == 2
