"""The live numbers of the canvas in a real browser: reasons open, numbers lead to people, hiding is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.people import Person
from tests.flows.drawing import sign_in
from tests.participants.pages import add_people, make_stage
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def test_numbers_are_hidden_and_shown_and_lead_to_the_people(
    page: Page, live_server: Any, bob: Person
) -> None:
    stage = make_stage(bob)
    add_people(stage)
    sign_in(page, bob, live_server)
    page.goto(live_server.url + stage.url("canvas/"))
    welcome = page.locator(f'[data-step="{stage.welcome.id}"]')
    expect(welcome.locator(".flow-card__numbers")).to_contain_text("3 went on · 1 left")
    toggle = page.get_by_role("button", name="Numbers", exact=True)
    toggle.click()
    expect(welcome.locator(".flow-card__numbers")).to_be_hidden()
    page.reload()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.click()
    welcome.get_by_text("1 left").click()
    assert accessibility_faults(page) == []
    welcome.get_by_role("link", name="No consent: 1").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("nour@post.test")
    page.get_by_role("link", name="Take this filter away").click()
    assert "visited" not in page.url
    page.goto(live_server.url + stage.url("canvas/"))
    page.locator("#card-finish").get_by_role("link", name="1 completed").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(live_server.url + stage.url("canvas/"))
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_label("Words to find").fill("2 days")
    expect(page.locator("#step-found")).to_contain_text("1 found")
    assert accessibility_faults(page) == []
    page.locator("#step-found").get_by_role("button", name="Wait 2 days").click()
    expect(page.locator("#panel h2")).to_have_text("Wait 2 days")
    page.get_by_role("link", name="50% took Chefs: 1").click()
    expect(page.locator("tbody tr")).to_contain_text("anna@post.test")
