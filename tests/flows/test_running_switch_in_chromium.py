"""The Running switch in the header of the designer and of View flow: starts, pauses, resumes; asks where it must."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from flows.document import FlowDocument
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import step
from tests.flows.drawing import answered, look, open_designer
from tests.flows.test_designer_in_chromium import give
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = step(title="Wait", mode="span", amount=2, unit="days")


def test_the_switch_starts_and_pauses_by_a_key_and_keeps_the_focus(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(WAIT,)))
    open_designer(page, alice, live_server, flow)
    switch = page.get_by_role("switch", name="Running")
    expect(switch).not_to_be_checked()
    expect(switch).to_have_attribute("title", "Start flow")
    look(page, "switch-designer-off")
    switch.focus()
    with answered(page, "**/edit/start/"):
        page.keyboard.press("Space")
    expect(switch).to_be_checked()
    expect(switch).to_be_focused()
    expect(page.locator("#flow-state")).to_have_text("Running")
    expect(page.locator("#flow-panel")).to_contain_text("Switch Running off to pause and change it.")
    expect(page.get_by_role("button", name="Actions for Wait")).to_have_count(0)
    look(page, "switch-designer-on")
    with answered(page, "**/edit/pause/"):
        page.keyboard.press("Enter")
    expect(switch).not_to_be_checked()
    expect(switch).to_have_attribute("title", "Resume flow")
    expect(page.locator("#flow-state")).to_have_text("Paused")
    expect(page.get_by_role("button", name="Actions for Wait")).to_be_visible()
    assert accessibility_faults(page) == []


def test_a_flow_with_something_to_fix_stays_off_and_says_what(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(step("send_email", "Hello"),)))
    open_designer(page, alice, live_server, flow)
    switch = page.get_by_role("switch", name="Running")
    with answered(page, "**/edit/start/"):
        switch.click()
    expect(page.locator(".flow-problems")).to_contain_text("Choose an email")
    expect(switch).not_to_be_checked()
    expect(page.locator("#flow-state")).to_have_text("Draft")


def test_view_flow_has_the_same_switch_and_asks_where_the_draft_is_not_what_runs(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(WAIT,)))
    open_designer(page, alice, live_server, flow)
    with answered(page, "**/edit/start/"):
        page.get_by_role("switch", name="Running").click()
    page.get_by_role("link", name="View", exact=True).click()
    switch = page.get_by_role("switch", name="Running")
    expect(switch).to_be_checked()
    look(page, "switch-view-on")
    switch.click()
    expect(page.locator(".page-title")).to_contain_text("Paused")
    expect(switch).not_to_be_checked()
    look(page, "switch-view-paused")
    assert accessibility_faults(page) == []
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(WAIT, step("split", "Fork"))))
    switch.click()
    expect(page.get_by_role("heading", name="Resume Autumn welcome as last saved?")).to_be_visible()
    page.get_by_role("button", name="Resume revision 1").click()
    expect(page.get_by_role("switch", name="Running")).to_be_checked()
    expect(page.locator(".page-title")).to_contain_text("Running")
