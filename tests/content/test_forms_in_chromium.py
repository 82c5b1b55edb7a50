"""Forms and registered links in a real browser: a visitor's page, the editor, the work list; judged by axe."""

from __future__ import annotations

import os
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Group
from content.forms.page import form_path
from content.models import Form, TrackedLink
from content.operations.links import LinkDraft, create_link
from core import clock
from tests.content.forms import Booth, field
from tests.content.test_form_processing import send
from tests.fixtures.people import Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def enter(page: Page, live_server: Any, person: Person) -> None:
    """Bring the person's session along."""
    cookie = person.client().cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])


def look(page: Page, name: str) -> None:
    """Judge the page at both widths; keep pictures where MILLRACE_PICTURES names a folder."""
    folder = os.environ.get("MILLRACE_PICTURES")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            assert accessibility_faults(page) == [], f"{name}, {theme}, {width}"
            if folder:
                page.screenshot(path=f"{folder}/{name}-{width}-{theme}.png", full_page=True, caret="initial")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_visitor_fills_in_a_form_with_and_without_scripts(
    page: Page, live_server: Any, alice: Person
) -> None:
    booth = Booth(alice.tenant)
    form = booth.form(
        field("head", "section", label="About you", help="What we send depends on it."),
        field("way", "radio", label="How did you find us?", options=("A friend", "By chance")),
        field("many", "checkboxes", label="Which mills?", options=("Wind", "Water")),
        field("stars", "rating", label="How do you like us?"),
        field("words", "paragraph", label="", help="More at https://example.com/"),
        field("story", "textarea", label="Anything else?"),
        heading="Join the mill", introduction="Once a month.",
    )  # fmt: skip
    with booth.scope():
        path = form_path(form)
    page.goto(live_server.url + path)
    look(page, "form-public")
    page.get_by_label("Email address").fill("nobody")
    page.get_by_label("A friend").check()
    # Nobody is so fast: the page asks once more, and keeps what was written.
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("A friend")).to_be_checked()
    page.wait_for_timeout(2_100)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("is not an email address")).to_be_visible()
    look(page, "form-errors")
    page.get_by_label("Email address").fill("ada@post.test")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    look(page, "form-thanks")
    [sent] = booth.submissions()
    assert (sent.status, sent.answers["way"]) == ("processed", "A friend")


def test_a_writer_builds_a_form_and_its_group_works_through_what_comes(
    page: Page, live_server: Any, alice: Person
) -> None:
    booth = Booth(alice.tenant)
    enter(page, live_server, alice)
    page.goto(live_server.url + alice.url("content/forms/"))
    look(page, "forms-empty")
    page.get_by_role("link", name="New form").first.click()
    page.get_by_label("Name").fill("Spring fair")
    page.get_by_role("button", name="Create form").click()
    look(page, "form-builder")
    page.get_by_role("button", name="Drop-down").click()
    panel = page.get_by_role("complementary", name="Settings")
    panel.get_by_label("Label").fill("Which day?")
    # The form follows while one types; nothing is saved yet.
    expect(page.locator("#card-dropdown")).to_contain_text("Which day?")
    panel.get_by_label("Choices").fill("Monday\nTuesday")
    panel.get_by_role("button", name="Save field").click()
    expect(panel.get_by_role("heading", name="Which day?")).to_be_visible()
    look(page, "form-field")
    panel.get_by_role("link", name="Close the settings").click()
    expect(page.get_by_role("heading", name="Add a field")).to_be_visible()
    page.get_by_label("Form", exact=True).get_by_role("link", name="Settings").click()
    look(page, "form-settings")
    page.get_by_label("Manual for all").check()
    page.get_by_role("button", name="Save settings").click()
    page.get_by_label("Form", exact=True).get_by_role("link", name="Actions").click()
    page.locator("summary", has_text="Add to selections").click()
    page.get_by_label("Fans").first.check()
    page.get_by_role("button", name="Set a field").click()
    page.get_by_label("Field", exact=True).select_option("contact.job_title")
    expect(page.get_by_label("Action", exact=True)).to_be_visible()
    page.get_by_label("Value").fill("Visitor")
    look(page, "form-actions")
    page.get_by_role("button", name="Save actions").click()
    expect(page.get_by_label("Value")).to_have_value("Visitor")
    page.get_by_label("Form", exact=True).get_by_role("link", name="Preview").click()
    look(page, "form-preview")
    page.get_by_role("button", name="Open form").click()
    expect(page.get_by_text("Open", exact=True)).to_be_visible()

    with booth.scope():
        form = Form.objects.get()
    one = send(booth, form, now=clock.now(), first_name="Ada", dropdown="Monday")
    page.goto(live_server.url + alice.url("content/submissions/"))
    look(page, "submissions")
    page.get_by_role("link", name="ada@post.test").click()
    look(page, "submission")
    page.get_by_role("button", name="Create contact and process").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    with booth.scope():
        one.refresh_from_db()
        assert one.contact is not None
        assert (one.status, one.contact.job_title) == ("processed", "Visitor")


def test_a_writer_makes_a_tracked_link(page: Page, live_server: Any, alice: Person) -> None:
    booth = Booth(alice.tenant)
    with booth.scope():
        create_link(draft=LinkDraft("Old", "Autumn", url="https://example.com/"), actor=None, now=clock.now())
        assert Group.objects.exists()
    enter(page, live_server, alice)
    page.goto(live_server.url + alice.url("content/links/"))
    look(page, "links")
    page.get_by_role("link", name="New link").click()
    page.get_by_label("Name").fill("Spring offer")
    page.get_by_role("textbox", name="Address").fill("https://example.com/spring")
    page.locator("summary", has_text="Add interests").click()
    page.get_by_label("Offers").first.check()
    look(page, "link-new")
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_text("{{ links.spring_offer }}").first).to_be_visible()
    look(page, "link")
    page.get_by_label("Link", exact=True).get_by_role("link", name="Clicks").click()
    look(page, "link-clicks")
    with booth.scope():
        assert TrackedLink.objects.get(key="spring_offer").actions.keys() == {"add_interests"}
