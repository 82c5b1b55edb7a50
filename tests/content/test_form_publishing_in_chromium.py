"""Ways to publish a form that a language, a missing script or a file could break, in a real browser on another site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from content.models import Form, FormFile
from tests.content.forms import Booth, field
from tests.content.test_form_embeds_in_chromium import Site, snippet, watch
from tests.content.test_form_embeds_in_chromium import site as site
from tests.content.test_forms_in_chromium import look
from tests.fixtures.people import Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7 hello"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch, settings: Any, live_server: Any) -> None:
    """The time trap has tests of its own: here nobody is too fast, whatever the machine does."""
    monkeypatch.setattr("content.forms.page.LEAST_SECONDS", 0)
    settings.PUBLIC_URL = live_server.url


@pytest.mark.parametrize(
    ("language", "direction", "close", "send", "thanks"),
    [
        ("de", "ltr", "Schließen", "Senden", "Vielen Dank"),
        ("ar", "rtl", "إغلاق", "إرسال", "شكرًا لك"),
    ],
)
def test_a_popup_speaks_the_forms_language_down_to_the_button_that_closes_it(
    page: Page, live_server: Any, alice: Person, site: Site, language: str, direction: str, close: str, send: str,
    thanks: str,
) -> None:  # fmt: skip
    booth = Booth(alice.tenant)
    form = booth.form(language=language)
    said = watch(page)
    page.goto(site(snippet(live_server, booth, form, "popup", ' data-after="0" data-label="Ask us"')))
    dialog = page.get_by_role("dialog", name="Ask us")
    expect(dialog.get_by_role("button", name=close, exact=True)).to_be_visible()
    frame = page.frame_locator("dialog iframe")
    expect(frame.locator("html")).to_have_attribute("dir", direction)
    frame.locator('input[type="email"]').fill("ada@post.test")
    frame.get_by_role("button", name=send, exact=True).click()
    expect(frame.get_by_role("heading", name=thanks)).to_be_visible()
    dialog.get_by_role("button", name=close, exact=True).click()
    expect(dialog).to_be_hidden()
    assert said == []
    assert [one.status for one in booth.submissions()] == ["processed"]


def test_a_form_from_right_to_left_is_good_to_read_and_to_use(
    page: Page, live_server: Any, alice: Person
) -> None:
    booth = Booth(alice.tenant)
    form = booth.form(
        field("way", "radio", label="كيف وجدتنا؟", options=("صديق", "صدفة")),
        field("stars", "rating", label="هل أعجبك؟"),
        field("cv", "file", label="الملف"),
        language="ar", heading="اشترك", introduction="مرة في الشهر.",
    )  # fmt: skip
    page.goto(live_server.url + booth.path(form))
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    look(page, "form-rtl")
    page.get_by_role("button", name="إرسال").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "form-rtl-errors")


def test_without_scripts_a_form_keeps_what_was_written_and_takes_a_file(
    page: Page, browser: Browser, live_server: Any, alice: Person, tmp_path: Path
) -> None:
    booth = Booth(alice.tenant)
    pages = booth.fields()[0], field("more", "page", label="About you"), *booth.fields()[1:]
    form = booth.form(field("cv", "file", label="Your CV"), fields=pages)
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(live_server.url + booth.path(form))
    plain.get_by_label("Email address").fill("nobody")
    plain.get_by_label("First_name").fill("Ada 😀")
    plain.get_by_label("Topic").select_option("Mills")
    plain.get_by_label("Write to me").check()
    plain.get_by_label("Your CV").set_input_files(kept(tmp_path, "cv.pdf", PDF))
    plain.get_by_role("button", name="Send").click()
    expect(plain.get_by_text("is not an email address")).to_be_visible()
    # The one thing that no browser keeps.
    expect(plain.get_by_text("Please choose the file again.")).to_be_visible()
    expect(plain.get_by_label("First_name")).to_have_value("Ada 😀")
    expect(plain.get_by_label("Topic")).to_have_value("Mills")
    expect(plain.get_by_label("Write to me")).to_be_checked()
    plain.get_by_label("Email address").fill("ada@post.test")
    plain.get_by_label("Your CV").set_input_files(kept(tmp_path, "cv.pdf", PDF))
    plain.get_by_role("button", name="Send").click()
    expect(plain.get_by_role("heading", name="Thank you")).to_be_visible()
    [one] = booth.submissions()
    assert one.answers == {
        "email": "ada@post.test", "first_name": "Ada 😀", "topic": "Mills", "consent": True, "news": False,
        "cv": "cv.pdf",
    }  # fmt: skip
    assert files(booth) == [("cv.pdf", "application/pdf", PDF)]


def test_without_scripts_another_site_shows_the_form_in_a_plain_frame_and_a_link_instead_of_the_script(
    page: Page, browser: Browser, live_server: Any, alice: Person, site: Site
) -> None:
    booth = Booth(alice.tenant)
    form = booth.form(heading="Ask the miller", name="Ask us")
    copied = ways_of(live_server, alice, form)
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(site(copied["Frame"]))
    frame = plain.frame_locator('iframe[title="Ask us"]')
    frame.get_by_label("Email address").fill("frame@post.test")
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("heading", name="Thank you")).to_be_visible()
    for way in ("Inline", "Popup", "Side tab"):
        plain.goto(site(copied[way]))
        plain.get_by_role("link", name="Ask us").click()
        expect(plain.get_by_role("heading", name="Ask the miller")).to_be_visible()
    plain.get_by_label("Email address").fill("link@post.test")
    plain.get_by_role("button", name="Send").click()
    expect(plain.get_by_role("heading", name="Thank you")).to_be_visible()
    assert [one.email_norm for one in booth.submissions()] == ["frame@post.test", "link@post.test"]


@pytest.mark.parametrize("show", ["inline", "tab"])
def test_a_file_goes_through_a_form_on_another_site_and_is_what_its_bytes_say(
    page: Page, live_server: Any, alice: Person, site: Site, tmp_path: Path, show: str
) -> None:
    booth = Booth(alice.tenant)
    form = booth.form(field("cv", "file", label="Your CV", most_mb=1, required=True), processing="manual")
    said = watch(page)
    page.goto(site(snippet(live_server, booth, form, show, ' data-label="Ask us"')))
    if show == "tab":
        page.get_by_role("button", name="Ask us").click()
    frame = page.frame_locator("iframe")
    frame.get_by_label("Email address").fill("ada@post.test")
    refused = {
        "cv.pdf": (b"MZ\x90\x00 a program", "This kind of file is not taken."),
        "large.pdf": (PDF + b" " * 1024 * 1024, "larger than 1 MB"),
    }
    for name, (data, words) in refused.items():
        frame.get_by_label("Your CV").set_input_files(kept(tmp_path, name, data))
        frame.get_by_role("button", name="Send").click()
        expect(frame.get_by_text(words)).to_be_visible()
        expect(frame.get_by_label("Email address")).to_have_value("ada@post.test")
    assert accessibility_faults(page) == []
    frame.get_by_label("Your CV").set_input_files(kept(tmp_path, "My cv.exe", PDF))
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("heading", name="Thank you")).to_be_visible()
    assert files(booth) == [("My cv.pdf", "application/pdf", PDF)]
    # The browser says of itself that a page was answered with 422; nothing else is wrong.
    assert [one for one in said if "422" not in one] == []


def kept(folder: Path, name: str, data: bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(data)
    return path


def files(booth: Booth) -> list[tuple[str, str, bytes]]:
    """Return (name, kind, bytes) of what is kept."""
    with booth.scope():
        return [(one.name, one.kind, bytes(one.data)) for one in FormFile.objects.order_by("pk")]


def ways_of(live_server: Any, alice: Person, form: Form) -> dict[str, str]:
    """Return what Publish gives to copy, by the name of the way."""
    shown = alice.client().get(alice.url(f"content/forms/{form.pk}/publish/")).context["ways"]
    return {way.name: way.snippet for way in shown}
