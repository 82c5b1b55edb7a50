"""The pages of registered links: made, changed, judged and deleted by whom may."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from content.models import Email, TrackedLink
from content.operations.emails import delete_email
from content.operations.links import reset_link
from content.queries_link import click_lines, clicks, clicks_of
from core.db.cursors import raw_cursor
from crm.models import (
    CustomField,
    Event,
    Usage,
)
from tests.content.test_tracked_links import Shop as Shop
from tests.content.test_tracked_links import monday as monday
from tests.content.test_tracked_links import shop as shop
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


def test_a_click_in_an_sms_says_that_it_was_one(wendy: Person, shop: Shop, mailbox: Mailbox) -> None:
    Client().get(shop.click_of(mailbox, shop.contact("Ada")), headers=PHONE)
    url = wendy.url(f"content/links/{shop.link.pk}/clicks/")
    assert "An SMS" not in wendy.client().get(url).content.decode()
    with shop.scope(), raw_cursor() as cursor:
        # What a click in an SMS leaves: no email.
        cursor.execute("UPDATE crm_event SET data = data - 'email' WHERE kind = 'link.clicked'")
        assert cursor.rowcount == 1
    assert "An SMS" in wendy.client().get(url).content.decode()


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
