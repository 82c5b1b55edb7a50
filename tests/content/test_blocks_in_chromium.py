"""A marketer makes an email of blocks, by visible labels only; axe, CSP and widths."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from content.models import Email, EmailVersion
from content.operations.emails import create_email
from core.tenancy import tenant_scope
from tests.content.test_images import drawn, keep
from tests.content.test_in_chromium import enter
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def shot(page: Page, name: str) -> None:
    """Keep a picture for the user guide where SHOTS names a folder."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_a_marketer_makes_previews_and_saves_an_email_of_blocks(
    page: Page, live_server: Any, wendy: Person, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    keep(wendy, drawn((600, 300)), "Mill wheel.png")
    enter(page, live_server, wendy)
    page.set_viewport_size({"width": 1440, "height": 1000})
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="Autumn offer", actor=wendy.user, now=LAST_MONDAY)
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/"))
    page.get_by_label("Subject").fill("An offer")
    expect(page.get_by_text("Nothing here yet. Add a section to begin.")).to_be_visible()

    page.get_by_role("button", name="Add section").click()
    page.get_by_role("button", name="Text", exact=True).click()
    mail = page.frame_locator(".mail-frame")
    expect(mail.get_by_role("heading", name="A heading")).to_be_visible()

    page.get_by_role("button", name="Heading A heading", exact=True).click()
    page.get_by_label("Heading", exact=True).fill("Our autumn offer")
    expect(mail.get_by_role("heading", name="Our autumn offer")).to_be_visible()

    page.get_by_role("button", name="Text Write here.", exact=True).click()
    words = page.get_by_role("textbox", name="Text", exact=True)
    words.press("Control+a")
    words.press_sequentially("Hello ")
    page.get_by_text("Merge tag").click()
    page.get_by_role("button", name="First name").first.click()
    words.press_sequentially(", look")
    expect(mail.get_by_text("Hello , look")).to_be_visible()
    shot(page, "write-an-email-blocks")

    page.get_by_role("button", name="Add block").click()
    page.get_by_role("button", name="Image", exact=True).click()
    page.get_by_role("button", name="Choose").click()
    page.get_by_role("button", name="Mill wheel").click()
    page.get_by_label("Text for those who do not see it").fill("A mill wheel in autumn")
    expect(mail.get_by_alt_text("A mill wheel in autumn")).to_be_visible()

    page.get_by_role("button", name=re.compile("More for Image")).click()
    page.get_by_role("button", name="Move up").first.click()
    order = page.locator("[data-block] .block-name strong")
    expect(order).to_have_text(["Section", "Heading", "Image", "Text"])
    page.get_by_role("button", name="Undo").click()
    expect(order).to_have_text(["Section", "Heading", "Text", "Image"])
    page.get_by_role("button", name="Redo").click()
    expect(order).to_have_text(["Section", "Heading", "Image", "Text"])

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved as version 1.")
    assert accessibility_faults(page) == []
    with tenant_scope(wendy.tenant.pk):
        version = EmailVersion.objects.get()
    assert "Our autumn offer" in version.html
    assert "{{ contact.first_name }}" in version.text
    assert "A mill wheel in autumn" in version.html


def test_a_problem_stands_at_its_block_and_the_source_is_the_same(
    page: Page, live_server: Any, wendy: Person
) -> None:
    source = (
        '<mjml><mj-body><mj-section><mj-column><mj-button href="https://a.test/">Go</mj-button>'
        "<mj-table><tr><td>1</td></tr></mj-table></mj-column></mj-section></mj-body></mjml>"
    )
    enter(page, live_server, wendy)
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="Offer", subject="Hi", mjml=source, actor=wendy.user, now=LAST_MONDAY)
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/"))
    page.get_by_role("button", name="Button Go", exact=True).click()
    page.get_by_label("Leads to").fill("javascript:alert(1)")
    problem = page.locator(".block-problem:not([hidden])")
    expect(problem).to_contain_text("A link cannot begin with “javascript:”")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved.")
    expect(page.get_by_label("Leads to")).to_have_value("javascript:alert(1)")
    page.get_by_label("Leads to").fill("https://b.test/")

    page.get_by_text("Source", exact=True).click()
    text = page.locator("#id_mjml")
    expect(text).to_be_visible()
    expect(text).to_have_value(re.compile(r'href="https://b\.test/"'))
    text.fill(text.input_value().replace("<td>1</td>", "<td>two</td>"))
    page.get_by_text("Blocks", exact=True).click()
    expect(page.get_by_role("button", name="MJML two", exact=True)).to_be_visible()

    page.get_by_role("button", name="MJML two", exact=True).click()
    page.get_by_label("MJML", exact=True).fill("<mj-table><tr></mj-table>")
    page.get_by_role("button", name="MJML two", exact=True).click()
    expect(page.locator(".block-form .field-error")).to_contain_text("“mj-table” is closed here")
    page.get_by_label("MJML", exact=True).fill("<mj-table><tr><td>three</td></tr></mj-table>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved as version 1.")
    with tenant_scope(wendy.tenant.pk):
        saved = Email.objects.get(pk=email.pk).mjml
    assert "three" in saved
    assert "https://b.test/" in saved


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_block_editor_is_accessible_in_both_themes_and_at_phone_width(
    page: Page, live_server: Any, wendy: Person, scheme: Any
) -> None:
    from content.starters import STARTERS

    enter(page, live_server, wendy)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    with tenant_scope(wendy.tenant.pk):
        email = create_email(
            name="Offer", subject="Hi", mjml=STARTERS["welcome"].mjml, actor=wendy.user, now=LAST_MONDAY
        )
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(live_server.url + wendy.url(f"content/{email.pk}/"), wait_until="networkidle")
        page.locator(".block-name").nth(4).click()
        expect(page.locator(".block-form")).to_be_visible()
        assert accessibility_faults(page) == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        shot(page, f"blocks-{scheme}-{width}")
