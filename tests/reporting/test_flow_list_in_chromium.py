"""The flow list in a real browser: by keyboard, by right-click, at phone width; axe finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from flows.models import Flow
from flows.operations.folders import create_folder
from tests.fixtures.people import Person
from tests.flows.drawing import sign_in
from tests.participants.conftest import wait
from tests.participants.pages import add_people, make_stage
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def test_flows_are_grouped_compared_moved_and_kept_as_a_view(
    page: Page, live_server: Any, bob: Person
) -> None:
    stage = make_stage(bob)
    add_people(stage)
    with stage.scope() as world:
        folder = create_folder(name="Spring", parent_id=None)
        second = world.flow(wait(1), name="Second", status="paused")
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, bob, live_server)
    page.goto(live_server.url + bob.url("flows/?view=tiles"))
    assert accessibility_faults(page) == []
    page.get_by_role("link", name="List").click()
    columns = page.locator("summary", has_text="Columns")
    columns.focus()
    columns.press("Enter")
    page.get_by_label("Owner", exact=True).uncheck()
    page.get_by_label("Group by").select_option("status")
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Show").press("Enter")
    expect(page.locator(".group-row")).to_have_text(["Running", "Paused"])
    expect(page.get_by_role("columnheader", name="Owner")).to_have_count(0)
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name", exact=True).fill("By status")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("link", name="By status")).to_have_attribute("aria-current", "true")
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    for name in ("Autumn welcome", "Second"):
        page.get_by_label(f"Choose {name}").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("columnheader")).to_have_count(2)
    assert accessibility_faults(page) == []
    page.get_by_role("link", name="Take Second out of the comparison").click()
    expect(page.get_by_role("columnheader")).to_have_count(1)
    page.goto(live_server.url + bob.url("flows/?view=list"))
    page.get_by_label("Choose Second").check()
    page.locator("#bulk-folder").select_option(label="Spring")
    page.get_by_role("button", name="Move to folder").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with stage.scope():
        assert Flow.objects.get(pk=second.pk).folder_id == folder.pk
    page.wait_for_function("customElements.get('action-menu') && document.readyState === 'complete'")
    page.locator("tbody tr", has_text="Second").click(button="right", position={"x": 300, "y": 10})
    expect(page.get_by_role("link", name="Export to a file").locator("visible=true")).to_be_visible()
