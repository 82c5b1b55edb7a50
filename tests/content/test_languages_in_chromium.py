"""A writer puts an email into German by visible labels only; axe, CSP, themes and widths."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from content.models import EmailVariant
from content.operations.emails import Draft, create_email, save_email
from content.operations.locks import lock_emails
from content.starters import STARTERS
from core.tenancy import tenant_scope
from tests.content.test_in_chromium import enter
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_writer_adds_a_language_and_translates_side_by_side(
    page: Page, live_server: Any, wendy: Person
) -> None:
    starter = STARTERS["welcome"]
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="Welcome", actor=wendy.user, now=LAST_MONDAY)
        draft = Draft("Welcome", "Good to have you here", starter.mjml)
        save_email(email_id=email.pk, draft=draft, revision=0, actor=wendy.user, now=LAST_MONDAY)
    enter(page, live_server, wendy)
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/"))
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("link", name="Languages").click()
    expect(page.get_by_text("There is one language so far.")).to_be_visible()
    page.get_by_label("The email itself is in").select_option("English")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_role("button", name="Add language").click()
    page.get_by_label("Language", exact=True).select_option("German")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("German begins as a copy.")).to_be_visible()

    expect(page.get_by_label("Subject, English")).to_have_value("Good to have you here")
    page.get_by_label("Subject, German").fill("Schön, dass Sie da sind")
    heading = page.get_by_label(re.compile("Heading, German")).first
    heading.fill("Willkommen")
    words = page.get_by_role("textbox", name="Text, German", exact=True).first
    words.press("Control+a")
    words.press_sequentially("Guten Tag, wir freuen uns.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: German.")).to_be_visible()
    mail = page.frame_locator('iframe[title="The saved email: German"]')
    expect(mail.get_by_role("heading", name="Willkommen")).to_be_visible()
    expect(mail.get_by_text("Guten Tag, wir freuen uns.")).to_be_visible()
    with tenant_scope(wendy.tenant.pk):
        variant = EmailVariant.objects.select_related("current").get()
    assert variant.current.subject == "Schön, dass Sie da sind"

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 1000})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert accessibility_faults(page) == []
            if folder := os.environ.get("SHOTS"):
                page.screenshot(path=str(Path(folder) / f"languages-{width}-{scheme}.png"), full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.get_by_role("button", name="More for German").click()
    page.get_by_role("link", name="Open in the editor").click()
    expect(page.get_by_label("Subject")).to_have_value("Schön, dass Sie da sind")
    expect(page.get_by_role("link", name="German")).to_have_attribute("aria-current", "page")
    expect(page.frame_locator(".mail-frame").get_by_role("heading", name="Willkommen")).to_be_visible()
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=str(Path(folder) / "language-editor.png"))


def test_the_languages_of_a_locked_email_are_read_and_not_written(
    page: Page, live_server: Any, wendy: Person
) -> None:
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="Welcome", actor=wendy.user, now=LAST_MONDAY)
        draft = Draft("Welcome", "Good to have you here", STARTERS["welcome"].mjml)
        save_email(email_id=email.pk, draft=draft, revision=0, actor=wendy.user, now=LAST_MONDAY)
        lock_emails(email_ids=[email.pk], flow_id=7, flow_name="Autumn", url="/x")
    enter(page, live_server, wendy)
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/languages/"))
    expect(page.get_by_text("This email is locked in every language")).to_be_visible()
    words = page.locator(".rich-box")
    expect(words.first).to_have_attribute("contenteditable", "false")
    expect(words.first).to_have_attribute("aria-readonly", "true")
    expect(page.get_by_role("toolbar", name="Format")).to_have_count(0)
    expect(page.get_by_label("The email itself is in")).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    assert accessibility_faults(page) == []
