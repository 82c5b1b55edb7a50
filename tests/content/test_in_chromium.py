"""The email editor and the recipients' pages in a real browser, watched for violations and checked with axe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from accounts.models import Tenant
from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from content.starters import STARTERS
from core.tenancy import tenant_scope
from core.text import norm
from crm.models import Contact, SearchWord
from delivery.operations.sending import send_batch
from tests.delivery.conftest import House
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.axe import accessibility_faults
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
AXE = Path(settings.BASE_DIR) / "node_modules" / "axe-core" / "axe.min.js"


def enter(page: Page, live_server: Any, person: Person) -> None:
    """Bring the person's session along."""
    cookie = person.client().cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])


@pytest.fixture
def email(wendy: Person) -> Email:
    """A newsletter that can be sent."""
    starter = STARTERS["news"]
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="Newsletter", actor=wendy.user, now=LAST_MONDAY)
        draft = Draft("Newsletter", starter.subject, starter.mjml, "A look ahead")
        contact = Contact.objects.create(
            first_name="Åse", last_name="🚀 محمد", name_norm=norm("Åse"), email="aase@post.test",
            email_norm="aase@post.test", origin="user", created_at=LAST_MONDAY, updated_at=LAST_MONDAY,
        )  # fmt: skip
        SearchWord.objects.create(word=norm("Åse"), kind="contact", object_id=contact.pk)
        return save_email(email_id=email.pk, draft=draft, revision=0, actor=wendy.user, now=LAST_MONDAY).email


def test_a_writer_sees_what_recipients_will_see_and_is_led_to_each_problem(
    page: Page, live_server: Any, wendy: Person, email: Email
) -> None:
    enter(page, live_server, wendy)
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/"))
    mail = page.frame_locator(".mail-frame")
    expect(mail.get_by_text("For Åse 🚀 محمد")).to_be_visible()
    expect(page.locator(".envelope")).to_contain_text("Acme news")

    page.locator("#id_subject").press("End")
    page.get_by_text("Merge tag").click()
    page.get_by_role("button", name="First name").first.click()
    expect(page.locator("#id_subject")).to_have_value("{{ tenant.name }} news{{ contact.first_name }}")
    expect(page.locator(".envelope")).to_contain_text("Acme newsÅse")

    page.get_by_text("Source", exact=True).click()
    source = page.locator("#id_mjml")
    expect(source).to_be_visible()
    source.fill(source.input_value().replace("contact.name", "contact.nmae"))
    problem = page.locator("#preview [data-goto]")
    expect(problem).to_have_text(re.compile(r"Content, line \d+, column \d+"))
    problem.click()
    offset = page.evaluate("document.querySelector('#id_mjml').selectionStart")
    assert source.input_value()[offset:].startswith("contact.nmae")

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved.")
    assert "contact.nmae" in source.input_value()
    source.fill(source.input_value().replace("contact.nmae", "contact.name"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved as version 2.")
    assert accessibility_faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_content_are_accessible_in_both_themes_and_at_phone_width(
    page: Page, live_server: Any, bob: Person, email: Email, scheme: Any
) -> None:
    enter(page, live_server, bob)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for path in ("content/", "content/new/", f"content/{email.pk}/", "content/blocked-addresses/"):
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(live_server.url + bob.url(path), wait_until="networkidle")
            assert accessibility_faults(page) == [], (path, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)


def test_the_mail_itself_fits_a_phone_and_a_desktop(
    browser: Browser, live_server: Any, wendy: Person, email: Email, settings: Any, mailbox: Mailbox
) -> None:
    from content.operations.test_sends import send_test

    settings.PUBLIC_URL = live_server.url
    with tenant_scope(wendy.tenant.pk):
        contact = Contact.objects.get()
        send_test(
            email_id=email.pk,
            addresses=["w@post.test"],
            contact_id=contact.pk,
            actor=wendy.user,
            now=LAST_MONDAY,
        )
    assert send_batch(tenant_id=wendy.tenant.pk).handed == 1
    body = mailbox.received[0].message.get_body(("html",))
    assert body is not None
    for width in (375, 700):
        page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=False)
        page.set_content(body.get_content())
        expect(page.get_by_text("For Åse 🚀 محمد")).to_be_visible()
        first, second = page.get_by_text("A second story"), page.get_by_text("A third story")
        above, beside = first.bounding_box(), second.bounding_box()
        assert above is not None
        assert beside is not None
        assert (beside["y"] > above["y"] + 20) is (width == 375)
        page.close()


def test_a_recipient_unsubscribes_and_chooses_without_signing_in(
    page: Page, live_server: Any, acme: Tenant, mailbox: Mailbox, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    house = House(acme)
    house.queue(house.contact("Ada"))
    assert house.send().handed == 1
    link = mailbox.received[0].message["List-Unsubscribe"].strip("<>")
    page.goto(link)
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Stop “Mill news”").click()
    expect(page.get_by_role("status")).to_contain_text("will not send you “Mill news” any more")
    assert accessibility_faults(page) == []
    assert page.context.cookies() == []
