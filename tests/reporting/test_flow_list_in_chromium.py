"""The flow list in a real browser: by keyboard, by right-click, at phone width, with few rights; axe finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from flows.models import Flow, FlowFolder
from flows.operations.folders import create_folder
from tests.fixtures.people import Person
from tests.flows.drawing import sign_in
from tests.participants.conftest import wait
from tests.participants.pages import add_people, make_stage
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def choose(page: Page, name: str, words: str) -> None:
    """Open the menu of something by keyboard, and choose an entry."""
    page.wait_for_function("customElements.get('action-menu') && document.readyState === 'complete'")
    page.get_by_role("button", name=f"More for {name}", exact=True).press("Enter")
    menu = page.locator("[popover]:popover-open")
    expect(menu.locator("a[href], button:not(:disabled)").first).to_be_focused()
    menu.get_by_text(words, exact=True).press("Enter")


def menu_of(page: Page, name: str) -> list[str]:
    """What the menu of a flow offers."""
    page.wait_for_function("customElements.get('action-menu') && document.readyState === 'complete'")
    page.get_by_role("button", name=f"More for {name}", exact=True).press("Enter")
    menu = page.locator("[popover]:popover-open")
    expect(menu).to_be_visible()
    words = menu.locator(".menu-item").all_inner_texts()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    return words


def named(page: Page, name: str) -> Locator:
    """The dialog with this name."""
    return page.get_by_role("dialog", name=name)


def answer(dialog: Locator, value: str) -> None:
    """Fill in a dialog's name and send it by Enter."""
    dialog.get_by_label("Name", exact=True).fill(value)
    dialog.get_by_label("Name", exact=True).press("Enter")


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


def test_folders_are_made_nested_renamed_moved_and_deleted_by_keyboard(
    page: Page, live_server: Any, bob: Person
) -> None:
    stage = make_stage(bob)
    sign_in(page, bob, live_server)
    page.goto(live_server.url + bob.url("flows/?view=list"))
    heading = page.get_by_role("heading", level=1)
    page.get_by_role("link", name="New folder", exact=True).press("Enter")
    answer(named(page, "New folder"), "Campaigns 🎉")
    expect(heading).to_have_text("Campaigns 🎉")
    expect(page.get_by_text("This folder is empty")).to_be_visible()
    choose(page, "folder Campaigns 🎉", "New folder inside")
    answer(named(page, "New folder in Campaigns 🎉"), "Autumn")
    expect(heading).to_have_text("Autumn")
    choose(page, "folder Autumn", "Rename")
    answer(named(page, "Rename Autumn"), "خريف")
    expect(page.get_by_role("button", name="More for folder خريف")).to_be_visible()
    page.goto(live_server.url + bob.url("flows/?view=list"))
    choose(page, "Autumn welcome", "Move to folder")
    dialog = named(page, "Move Autumn welcome")
    dialog.get_by_role("combobox").select_option(label="خريف")
    dialog.get_by_role("button", name="Move").press("Enter")
    expect(page.get_by_text("Autumn welcome is now in خريف.")).to_be_visible()
    # What is not empty is not deleted: the menu says what to do first.
    assert "Delete (empty it first)" in menu_of(page, "folder خريف")
    choose(page, "folder خريف", "Move")
    dialog = named(page, "Move خريف")
    dialog.get_by_role("combobox").select_option(index=0)
    dialog.get_by_role("button", name="Move").press("Enter")
    expect(dialog).to_have_count(0)
    choose(page, "folder Campaigns 🎉", "Delete")
    question = page.locator("#confirm")
    expect(question).to_contain_text("Delete the folder Campaigns 🎉?")
    expect(question).to_contain_text("no flow is lost")
    question.get_by_role("button", name="Delete folder").press("Enter")
    expect(page.get_by_role("button", name="More for folder Campaigns 🎉")).to_have_count(0)
    with stage.scope():
        folder = FlowFolder.objects.get()
        assert (folder.name, folder.parent_id) == ("خريف", None)
        assert Flow.objects.get(pk=stage.flow.pk).folder_id == folder.pk


def test_a_flow_is_opened_copied_exported_ended_and_deleted(
    page: Page, live_server: Any, alice: Person, bob: Person
) -> None:
    stage = make_stage(bob)
    add_people(stage)
    sign_in(page, alice, live_server)
    flows = live_server.url + alice.url("flows/?view=list")
    page.goto(flows)
    row = page.get_by_role("link", name="Autumn welcome", exact=True)
    row.press("Enter")
    page.wait_for_url(f"**/flows/{stage.flow.pk}/")
    choose(page, "Autumn welcome", "Copy")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Autumn welcome (copy)")
    page.goto(flows)
    choose(page, "Autumn welcome", "Copy")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Autumn welcome (copy 2)")
    with page.expect_download() as download:
        choose(page, "Autumn welcome (copy 2)", "Export to a file")
    assert download.value.suggested_filename.endswith(".flow.json")
    # From the flow's own page, then from the list.
    choose(page, "Autumn welcome (copy 2)", "Delete")
    question = page.locator("#confirm")
    expect(question).to_contain_text("Delete Autumn welcome (copy 2)?")
    question.get_by_role("button", name="Delete flow").press("Enter")
    expect(page.get_by_text("Autumn welcome (copy 2) deleted.")).to_be_visible()
    page.goto(flows)
    assert "Delete (end the flow first)" in menu_of(page, "Autumn welcome")
    choose(page, "Autumn welcome", "End")
    dialog = named(page, "End Autumn welcome?")
    expect(dialog).to_contain_text("1 active participant becomes cancelled")
    dialog.get_by_role("button", name="End flow").press("Enter")
    expect(page.locator("tbody tr", has_text="Ended")).to_have_count(1)
    choose(page, "Autumn welcome", "Delete")
    expect(question).to_contain_text("what 4 participants did in it")
    question.get_by_role("button", name="Delete flow").press("Enter")
    expect(page.get_by_text("Autumn welcome deleted.")).to_be_visible()
    with stage.scope():
        assert [flow.name for flow in Flow.objects.filter(deleted_at=None)] == ["Autumn welcome (copy)"]


def test_the_list_sorts_by_its_heads_and_is_filtered(page: Page, live_server: Any, bob: Person) -> None:
    stage = make_stage(bob)
    with stage.scope() as world:
        world.flow(wait(1), name="Second", status="paused")
    sign_in(page, bob, live_server)
    page.goto(live_server.url + bob.url("flows/?view=list"))
    names = page.locator("tbody a[data-row-main]")
    for direction, first in (("ascending", "Autumn welcome"), ("descending", "Second")):
        page.get_by_role("columnheader", name="Name").get_by_role("link").press("Enter")
        expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", direction)
        expect(names.first).to_have_text(first)
    page.locator("summary", has_text="Filter").press("Enter")
    page.locator("select[name=status]").select_option(label="Paused")
    page.get_by_role("button", name="Show").locator("visible=true").press("Enter")
    expect(names).to_have_text(["Second"])
    expect(page.locator("summary", has_text="Filter")).to_contain_text("(on)")
    page.locator("summary", has_text="Filter").press("Enter")
    page.get_by_role("link", name="Clear filter").press("Enter")
    expect(names).to_have_count(2)


def test_who_may_only_write_content_is_offered_nothing_else(
    page: Page, live_server: Any, bob: Person, wendy: Person, rory: Person
) -> None:
    stage = make_stage(bob)
    add_people(stage)
    with stage.scope():
        create_folder(name="Spring", parent_id=None)
    sign_in(page, wendy, live_server)
    page.goto(live_server.url + wendy.url("flows/?view=list"))
    assert menu_of(page, "Autumn welcome") == ["Open", "Compare with …"]
    for name in ("New flow", "New folder", "Edit"):
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="More for folder Spring")).to_have_count(0)
    page.get_by_label("Choose Autumn welcome").check()
    bar = page.locator("[data-bulk-bar]")
    expect(bar.get_by_role("button", name="Compare")).to_be_visible()
    expect(bar.get_by_role("button", name="Move to folder")).to_have_count(0)
    page.goto(live_server.url + stage.url())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Autumn welcome")
    for name in ("More for Autumn welcome", "Running"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
        expect(page.get_by_role("switch", name=name)).to_have_count(0)
    page.goto(live_server.url + stage.url("participants/"))
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page.locator("tbody input, tbody action-menu, .bulk-bar")).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, rory, live_server)
    page.goto(live_server.url + rory.url(""))
    expect(page.get_by_role("link", name="Home")).to_be_visible()
    expect(page.get_by_role("link", name="Flows")).to_have_count(0)
