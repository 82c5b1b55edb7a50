"""Mails and form pages from right to left as a browser draws them: at 375 and 700 pixels, nothing cut off.

Keeps pictures where MILLRACE_PICTURES names a folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from content.compile import Source, compile_email
from content.operations.emails import Draft, compile_draft
from content.rendering import render_preview
from content.starters import STARTERS
from content.tree import tag_tree
from core import clock
from core.tenancy import tenant_scope
from delivery.rendering import Rendered, message_links
from delivery.tokens import MessageRef
from tests.content.forms import Booth, field
from tests.fixtures.people import Person
from tests.support.axe import accessibility_faults
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
WIDTHS = (375, 700)
MJML = """<mjml><mj-body><mj-section>
<mj-column><mj-text><p>أهلا وسهلا</p><ul><li>واحد</li></ul></mj-text></mj-column>
<mj-column><mj-text><p>العمود الثاني 2026</p></mj-text></mj-column>
</mj-section></mj-body></mjml>"""


def keep(page: Page, name: str) -> None:
    """Keep a picture."""
    if folder := os.environ.get("MILLRACE_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def box(page: Page, words: str) -> dict[str, float]:
    """Return where words stand, as their own line, not as the block around them."""
    found: dict[str, float] = page.get_by_text(words, exact=True).evaluate(
        "one => { const range = document.createRange(); range.selectNodeContents(one);"
        " const box = range.getBoundingClientRect(); return {left: box.left, right: box.right, top: box.top} }"
    )
    return found


def test_a_mail_from_right_to_left_begins_at_the_right_and_its_first_column_too(
    browser: Browser, wendy: Person
) -> None:
    with tenant_scope(wendy.tenant.pk):
        result = compile_email(Source("خبر", MJML, language="ar"), tree=tag_tree([]))
        assert result.compiled is not None
        mail = render_preview(result.compiled, contact_id=None)
    assert isinstance(mail, Rendered)
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": 700}, java_script_enabled=True)
        page.set_content(mail.html)
        first, second = box(page, "أهلا وسهلا"), box(page, "العمود الثاني 2026")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # The sheet is 600 pixels wide at most, in the middle; a text has 25 pixels beside it.
        edge = width - max(0, (width - 600) / 2) - 25
        assert abs(first["right"] - edge) < 1
        assert page.locator("li").evaluate("one => getComputedStyle(one).direction") == "rtl"
        if width == 375:
            assert abs(second["right"] - edge) < 1
            assert second["top"] > first["top"] + 20
        else:
            assert second["right"] < first["left"]
            assert abs(second["top"] - first["top"]) < 1
        keep(page, f"mail-ar-{width}")
        page.close()


@pytest.mark.parametrize("language", ["", "he"])
def test_every_layout_fits_both_widths(browser: Browser, wendy: Person, language: str) -> None:
    page = browser.new_page(java_script_enabled=True)
    with tenant_scope(wendy.tenant.pk):
        for starter in STARTERS:
            result = compile_draft(Draft("x", starter.subject, starter.mjml, language=language))
            assert result.compiled is not None, (starter.name, result.problems)
            mail = render_preview(result.compiled, contact_id=None)
            assert isinstance(mail, Rendered)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                page.set_content(mail.html)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (starter.name, width)
                keep(page, f"layout-{starter.name}-{language or 'en'}-{width}")
    page.close()


def test_a_form_in_arabic_is_read_from_the_right(page: Page, live_server: Any, alice: Person) -> None:
    booth = Booth(alice.tenant)
    form = booth.form(
        field("why", "textarea", label="لماذا؟"), field("where", "radio", label="أين؟", options=("هنا", "هناك")),
        language="ar", heading="سجل الآن", introduction="مرة في الشهر.", button="أرسل",
    )  # fmt: skip
    page.goto(live_server.url + booth.path(form))
    root = page.locator("html")
    expect(root).to_have_attribute("lang", "ar")
    expect(root).to_have_attribute("dir", "rtl")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        heading = page.get_by_role("heading", name="سجل الآن").bounding_box()
        label = page.get_by_text("لماذا؟").bounding_box()
        field_box = page.get_by_label("لماذا؟").bounding_box()
        assert heading is not None
        assert label is not None
        assert field_box is not None
        assert abs(label["x"] + label["width"] - field_box["x"] - field_box["width"]) < 3
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep(page, f"form-ar-{width}")
        assert accessibility_faults(page) == []


def test_a_recipient_who_reads_arabic_chooses_leaves_and_fills_in(
    page: Page, live_server: Any, alice: Person, mailbox: Mailbox
) -> None:
    booth = Booth(alice.tenant)
    [message_id] = booth.queue(booth.contact("محمد", email="m@post.test", language="ar"))
    booth.send()
    with booth.scope():
        day = booth.message(message_id).enrolled_on
        links = message_links(MessageRef(alice.tenant.pk, day, message_id), clock.now().date())
    form = booth.form(
        field("when", "date", label="متى؟"), field("next", "page", label="بعد ذلك"), field("cv", "file", label="ملف"),
        language="ar", heading="سجل الآن",
    )  # fmt: skip
    places = {
        "preferences": links.preferences, "unsubscribe": links.unsubscribe,
        "form": live_server.url + booth.path(form), "thanks": f"{live_server.url}{booth.path(form)}thanks/",
        "check": f"{live_server.url}{booth.path(form)}check/",
    }  # fmt: skip
    for name, place in places.items():
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(live_server.url + urlsplit(place).path)
            expect(page.locator("html")).to_have_attribute("dir", "rtl")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
            keep(page, f"{name}-ar-{width}")
            assert accessibility_faults(page) == [], (name, width)
    page.goto(live_server.url + urlsplit(links.unsubscribe).path)
    page.get_by_role("button", name="إيقاف جميع الرسائل التسويقية").click()
    expect(page.get_by_role("heading", name="تم إلغاء اشتراكك")).to_be_visible()
    page.goto(places["form"])
    page.get_by_label("Email address").fill("m@post")
    page.get_by_role("button", name="التالي").click()
    page.get_by_role("button", name="إرسال").click()
    expect(page.get_by_text("هذا ليس عنوان بريد إلكتروني.")).to_be_visible()
    keep(page, "form-errors-ar-390")
