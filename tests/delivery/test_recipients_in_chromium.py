"""Who got a mail chooses what comes, leaves, comes back and reads the mail, in a real browser and signed in nowhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Tenant
from core import clock
from crm.models import Consent, SubscriptionOptOut, SubscriptionType
from delivery.rendering import MessageLinks, message_links
from delivery.tokens import MessageRef
from tests.content.test_forms_in_chromium import look
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + dt.timedelta(minutes=5)
TODAY = NOW.date()


@pytest.fixture
def house(alice: Person, live_server: Any, settings: Any) -> House:
    """Acme, whose clock says what the tests pass elsewhere."""
    settings.PUBLIC_URL = live_server.url
    Tenant.objects.filter(pk=alice.tenant.pk).update(
        is_trial=True, clock_offset=LATER - clock.now(), postal_address="Mill Lane 1\nGoteborg"
    )
    return House(alice.tenant)


def got(house: House, *, issued: dt.date = TODAY, **contact: Any) -> MessageLinks:
    """Send a mail and return its links, those to the preferences as if made on that day."""
    [message_id] = house.queue(house.contact("Ada", email="ada@post.test", **contact))
    house.send()
    return message_links(MessageRef(house.tenant.pk, TODAY, message_id), issued)


def state(house: House) -> tuple[list[str], bool]:
    """Return the types that were left, and whether marketing is allowed at all."""
    with house.scope():
        left = SubscriptionOptOut.objects.order_by("type__name").values_list("type__name", flat=True)
        return list(left), Consent.objects.get().given


def test_a_reader_chooses_leaves_and_comes_back(page: Page, house: House, mailbox: Mailbox) -> None:
    with house.scope():
        SubscriptionType.objects.exclude(pk=house.news.pk).delete()
        SubscriptionType.objects.create(name="Fairs", description="Where you can meet us, twice a year.")
    page.goto(got(house).preferences)
    expect(page.get_by_text("ad•••@post.test")).to_be_visible()
    expect(page.get_by_label("Mill news")).to_be_checked()
    look(page, "preferences")
    page.get_by_label("Fairs").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Your choice is saved.")
    assert state(house) == (["Fairs"], True)
    page.reload()
    expect(page.get_by_label("Fairs")).not_to_be_checked()
    expect(page.get_by_label("Mill news")).to_be_checked()
    page.get_by_role("button", name="Stop all marketing email").click()
    expect(page.get_by_role("button", name="Get email again")).to_be_visible()
    assert state(house) == (["Fairs"], False)
    look(page, "preferences-left")
    page.get_by_role("button", name="Get email again").click()
    expect(page.get_by_label("Mill news")).to_be_checked()
    assert state(house)[1] is True


def test_looking_at_the_unsubscribe_page_changes_nothing_and_one_press_leaves(
    page: Page, house: House, mailbox: Mailbox
) -> None:
    links = got(house)
    page.goto(links.unsubscribe)
    expect(page.get_by_role("button", name="Stop “Mill news”")).to_be_visible()
    look(page, "unsubscribe")
    assert state(house) == ([], True)
    page.get_by_role("button", name="Stop “Mill news”").click()
    expect(page.get_by_role("status")).to_contain_text("will not send you “Mill news” any more")
    look(page, "unsubscribed")
    assert state(house) == (["Mill news"], True)
    page.get_by_role("link", name="Change your preferences").click()
    expect(page.get_by_label("Mill news")).not_to_be_checked()


def test_a_link_to_the_preferences_that_is_too_old_says_what_still_works(
    page: Page, house: House, mailbox: Mailbox
) -> None:
    page.goto(got(house, issued=TODAY - dt.timedelta(days=22)).preferences)
    expect(page.get_by_role("heading", name="This link is too old")).to_be_visible()
    expect(page.get_by_text("works for three weeks")).to_be_visible()
    expect(page.get_by_text("The unsubscribe link of every email keeps working.")).to_be_visible()
    look(page, "preferences-expired")
    assert state(house) == ([], True)


def test_a_mail_is_read_in_the_browser_as_it_was_sent(page: Page, house: House, mailbox: Mailbox) -> None:
    page.goto(got(house).view)
    expect(page.get_by_text("Hello Ada")).to_be_visible()


def test_preferences_from_right_to_left(page: Page, house: House, mailbox: Mailbox) -> None:
    page.goto(got(house, language="ar").preferences)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    look(page, "preferences-rtl")
    page.get_by_role("button", name="إيقاف جميع الرسائل التسويقية").click()
    expect(page.get_by_role("button", name="إيقاف جميع الرسائل التسويقية")).to_have_count(0)
    assert state(house)[1] is False
