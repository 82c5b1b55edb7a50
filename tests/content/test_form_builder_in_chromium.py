"""A writer builds a form by dragging, by keys and by taps; a visitor goes through its pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from content.models import Form
from content.operations.forms import document_of
from tests.content.forms import Booth, field
from tests.content.test_forms_in_chromium import enter, look
from tests.fixtures.people import Person
from tests.flows.drawing import answered

pytestmark = pytest.mark.django_db(transaction=True)


def drag(page: Page, what: Locator, onto: Locator) -> None:
    """Drag as a person does: press, begin, move in steps, wait, let go; and see what the server made of it."""
    onto.scroll_into_view_if_needed()
    start, end = what.bounding_box(), onto.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + start["width"] / 2 + 6, start["y"] + start["height"] / 2 + 6)
    page.mouse.move(end["x"] + end["width"] / 3, end["y"] + end["height"] / 4, steps=15)
    page.wait_for_timeout(150)
    with answered(page, "**/content/forms/**"):
        page.mouse.up()


def close_settings(page: Page) -> None:
    """Close them, and wait until the list is drawn anew: what is dragged before that is gone in the middle."""
    page.get_by_role("link", name="Close the settings").click()
    expect(page.get_by_role("link", name="Close the settings")).to_have_count(0)


def test_a_form_is_built_by_dragging_by_keys_and_by_taps(page: Page, live_server: Any, alice: Person) -> None:
    booth = Booth(alice.tenant)
    form = booth.form(fields=booth.fields()[:3], name="Fair")
    enter(page, live_server, alice)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(live_server.url + alice.url(f"content/forms/{form.pk}/"))
    cards = page.locator(".builder-card")

    def order(*names: str) -> None:
        expect(cards).to_have_count(len(names))
        assert [one.get_attribute("data-key") for one in cards.all()] == list(names)

    drag(page, page.get_by_role("button", name="Rating (1 to 5)"), page.locator('[data-key="first_name"]'))
    expect(page.get_by_role("complementary", name="Settings")).to_be_visible()
    order("email", "rating", "first_name", "company")
    close_settings(page)
    page.locator('[data-key="company"]').hover()
    drag(page, page.locator('[data-key="company"] [data-handle]'), page.locator('[data-key="email"]'))
    order("company", "email", "rating", "first_name")
    page.get_by_role("link", name="Settings of Company").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(cards.first).to_have_attribute("data-key", "email")
    close_settings(page)
    page.get_by_placeholder("Search fields").fill("mobile")
    expect(page.get_by_role("button", name="Job title")).to_be_hidden()
    page.get_by_role("button", name="Mobile").click()
    expect(page.get_by_role("link", name="Settings of Mobile")).to_have_attribute("aria-current", "true")
    close_settings(page)
    page.get_by_role("button", name="New page").click()
    page.get_by_label("Title of the page").fill("One thing more")
    page.get_by_role("button", name="Save field").click()
    page.get_by_role("button", name="Move One thing more up").click()
    expect(cards.nth(4)).to_have_attribute("data-key", "page")
    look(page, "form-builder-page")
    with booth.scope():
        built = [one.key for one in document_of(Form.objects.get()).fields]
    assert built == ["email", "company", "rating", "first_name", "page", "mobile"]


def test_a_visitor_goes_through_the_pages(page: Page, live_server: Any, alice: Person) -> None:
    booth = Booth(alice.tenant)
    email, name, *_ = booth.fields()
    form = booth.form(fields=(email, field("more", "page", label="About you"), name))
    page.goto(live_server.url + booth.path(form))
    expect(page.get_by_label("Email address")).to_be_visible()
    expect(page.get_by_label("First_name")).to_be_hidden()
    expect(page.get_by_role("button", name="Send")).to_be_hidden()
    page.get_by_role("button", name="Next").click()
    # The first page is not right yet.
    expect(page.get_by_label("First_name")).to_be_hidden()
    page.get_by_label("Email address").fill("ada@post.test")
    page.get_by_label("Email address").press("Enter")
    expect(page.get_by_label("First_name")).to_be_focused()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Email address")).to_have_value("ada@post.test")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("First_name").fill("Ada")
    look(page, "form-pages")
    page.wait_for_timeout(2_100)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    [sent] = booth.submissions()
    assert sent.answers == {"email": "ada@post.test", "first_name": "Ada"}


def test_a_visitor_sends_a_file_and_its_group_downloads_it(
    page: Page, live_server: Any, alice: Person, tmp_path: Path
) -> None:
    booth = Booth(alice.tenant)
    form = booth.form(field("cv", "file", label="Your CV"), processing="manual")
    path = tmp_path / "My cv.pdf"
    path.write_bytes(b"%PDF-1.7 hello")
    page.goto(live_server.url + booth.path(form))
    look(page, "form-file")
    page.get_by_label("Email address").fill("ada@post.test")
    page.get_by_label("Your CV").set_input_files(path)
    page.wait_for_timeout(2_100)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    [one] = booth.submissions()
    enter(page, live_server, alice)
    page.goto(live_server.url + alice.url(f"content/submissions/{one.pk}/"))
    look(page, "submission-file")
    with page.expect_download() as download:
        page.get_by_role("link", name="My cv.pdf").click()
    assert download.value.suggested_filename == "My cv.pdf"
    assert Path(download.value.path()).read_bytes() == b"%PDF-1.7 hello"
