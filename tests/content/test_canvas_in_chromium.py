"""The drag-and-drop editor in a real browser: opens, drags, edits, saves, and comes back in the block editor."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from content.starters import STARTERS
from core.tenancy import tenant_scope
from tests.content.test_in_chromium import enter
from tests.fixtures.people import LAST_MONDAY, Person

pytestmark = pytest.mark.django_db(transaction=True)


def begun(wendy: Person, starter: str) -> Email:
    with tenant_scope(wendy.tenant.pk):
        made = create_email(name="Offer", actor=wendy.user, now=LAST_MONDAY)
        draft = Draft("Offer", "Hi", STARTERS[starter].mjml)
        saved = save_email(email_id=made.pk, draft=draft, revision=0, actor=wendy.user, now=LAST_MONDAY)
        assert saved.is_saved
        return Email.objects.select_related("current").get(pk=made.pk)


def opened(page: Page, live_server: Any, wendy: Person, email: Email) -> None:
    enter(page, live_server, wendy)
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/"))
    page.get_by_role("link", name="Canvas").click()
    page.wait_for_selector("mjml-canvas[data-ready]", timeout=30_000)


def drag(page: Page, what: Locator, onto: Locator) -> None:
    """Drag as a person does; a busy machine may miss the first movements, so look whether it came and try again."""
    for _ in range(4):
        start, end = what.bounding_box(), onto.bounding_box()
        assert start is not None
        assert end is not None
        page.mouse.move(start["x"] + 30, start["y"] + 30)
        page.mouse.down()
        for step in range(1, 5):
            page.mouse.move(start["x"] + 30 - 4 * step, start["y"] + 30 + 2 * step)
            page.wait_for_timeout(60)
        page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] - 3, steps=20)
        page.wait_for_timeout(400)
        page.mouse.move(end["x"] + end["width"] / 2 + 2, end["y"] + end["height"] - 2, steps=3)
        page.wait_for_timeout(200)
        page.mouse.up()
        page.wait_for_timeout(500)
        if page.evaluate("document.querySelector('mjml-canvas').source().includes('mj-button')"):
            return


def test_an_email_that_nobody_changed_there_is_the_same_mail(
    page: Page, live_server: Any, wendy: Person
) -> None:
    email = begun(wendy, "news")
    opened(page, live_server, wendy, email)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible(timeout=20_000)
    with tenant_scope(wendy.tenant.pk):
        after = Email.objects.select_related("current").get(pk=email.pk)
        assert email.current is not None
        assert after.current is not None
        assert after.current.html == email.current.html


def test_a_block_is_dragged_in_changed_previewed_saved_and_found_by_the_block_editor(
    page: Page, live_server: Any, wendy: Person
) -> None:
    email = begun(wendy, "letter")
    opened(page, live_server, wendy, email)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=str(Path(folder) / f"canvas-editor-{scheme}.png"), caret="initial")
    inside = page.frame_locator(".gjs-frame")
    block = page.locator(".gjs-block", has_text=re.compile(r"^\s*Button\s*$")).last
    block.scroll_into_view_if_needed()
    drag(page, block, inside.get_by_text("Write to one person."))
    expect(inside.get_by_text("Read more", exact=True)).to_have_count(1)
    # A button leads nowhere yet: that is said before anything is saved.
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#canvas-preview")).to_contain_text("Write the address that this leads to")
    page.get_by_role("button", name="Close", exact=True).click()
    inside.get_by_text("Read more", exact=True).click()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("textbox", name="Leads to").or_(
        page.locator(".gjs-trt-trait input[type=text]")
    ).first.fill("https://acme.test/offer")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Blocks", exact=True).click()
    # And by a tap: behind what is chosen.
    page.locator(".gjs-block", has_text=re.compile(r"^\s*Line\s*$")).last.click()
    page.get_by_role("button", name="Preview").click()
    mail = page.frame_locator("#canvas-preview .mail-frame")
    expect(mail.get_by_text("Read more").first).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-block] .block-name strong", has_text="Button").first).to_be_visible()
    with tenant_scope(wendy.tenant.pk):
        after = Email.objects.get(pk=email.pk).mjml
    assert after.count("<mj-button") == 1
    assert 'href="https://acme.test/offer"' in after
    assert "<mj-divider" in after
    assert "{{ brand.surface }}" in after
    assert "{{ links.unsubscribe }}" in after
