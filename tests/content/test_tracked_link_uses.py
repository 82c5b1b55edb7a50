"""Registered links as emails name them: numbers, keys, and what keeps them from being deleted."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client

from content.models import MessageLink, TrackedLink
from content.operations.emails import delete_email
from content.operations.links import LinkDraft, create_link, delete_link
from content.queries_link import link_choices
from crm.models import (
    Selection,
    Usage,
)
from crm.operations.clubs import delete_club
from crm.operations.usage import InUse
from tests.content.test_tracked_links import Shop as Shop
from tests.content.test_tracked_links import monday as monday
from tests.content.test_tracked_links import shop as shop
from tests.delivery.conftest import NOW
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"}
LATER = NOW + dt.timedelta(minutes=5)
MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ contact.first_name }}, "
    '<a href="https://example.com/plain">plain</a></mj-text>'
    '<mj-button href="{{ links.offer }}">Offer</mj-button></mj-column></mj-section></mj-body></mjml>'
)


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
