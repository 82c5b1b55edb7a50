"""The statistics of a form in a real browser: what its page tells, both themes, both widths, judged by axe."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.content.forms import Booth, field
from tests.content.test_forms_in_chromium import enter, look
from tests.fixtures.people import Person

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_page_tells_how_far_somebody_came_and_the_statistics_say_it(
    page: Page, live_server: Any, alice: Person
) -> None:
    booth = Booth(alice.tenant)
    email, name, *_ = booth.fields()
    form = booth.form(fields=(email, field("more", "page", label="About you"), name))
    enter(page, live_server, alice)
    page.goto(live_server.url + alice.url(f"content/forms/{form.pk}/statistics/"))
    expect(page.get_by_text("Nobody has looked yet")).to_be_visible()
    look(page, "form-statistics-empty")
    # A headless browser says that it is one, and would count as a machine.
    page.set_extra_http_headers({"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    page.goto(live_server.url + booth.path(form))
    page.get_by_label("Email address").fill("ada@post.test")
    with page.expect_response("**/progress/"):
        page.get_by_role("button", name="Next").click()
    with page.expect_response("**/progress/"):
        page.get_by_label("First_name").fill("Ada")
        page.get_by_label("First_name").blur()
    page.goto(live_server.url + alice.url(f"content/forms/{form.pk}/statistics/"))
    stopped = page.get_by_role("region", name="On which page they stopped")
    expect(stopped.get_by_role("row", name="Page 2: About you")).to_contain_text("100 %")
    fields = page.get_by_role("region", name="At which field they stopped")
    expect(fields.get_by_role("row", name="First_name")).to_contain_text("100 %")
    look(page, "form-statistics")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV: where it stood").click()
    assert download.value.suggested_filename == "sign-up-places.csv"
    page.get_by_role("button", name="Reset").click()
    dialog = page.get_by_role("dialog", name="Count from zero?")
    expect(dialog).to_contain_text("The answers themselves stay.")
    dialog.get_by_role("button", name="Reset").click()
    expect(page.get_by_text("Nobody has looked yet")).to_be_visible()
    expect(page.get_by_text("Counted since")).to_be_visible()
