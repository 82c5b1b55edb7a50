"""Several steps at once in a real browser: by clicks, keys, a frame and taps; moved, cut, pasted into another flow."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core.tenancy import tenant_scope
from flows.document import Branch, FlowDocument
from flows.models import Flow
from flows.operations.create import create_flow
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import split, step
from tests.flows.drawing import answered, drag, open_designer, sign_in
from tests.flows.test_designer_in_chromium import give, titles
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
BAR = ".flow-bar [data-chosen-count]"


def four(world: World) -> FlowDocument:
    """Return One, Two, Fork (Chefs: Inner), Three."""
    fork = split(Branch(name="Chefs", steps=(step(title="Inner"),)), title="Fork")
    return FlowDocument(
        settings=world.settings(), steps=(step(title="One"), step(title="Two"), fork, step(title="Three"))
    )


def card(page: Page, title: str) -> Any:
    """Return a step's card."""
    return page.locator(f"#flow-root [data-title='{title}']")


def test_steps_are_selected_by_clicks_and_moved_together(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, four(world))
    page.set_viewport_size({"width": 1440, "height": 1400})
    open_designer(page, alice, live_server, flow)
    card(page, "One").click(modifiers=["Control"])
    card(page, "Three").click(modifiers=["Control"])
    expect(page.locator(BAR)).to_have_text("2 steps selected")
    assert accessibility_faults(page) == []
    page.locator("[data-bar=duplicate]").click()
    expect(page.locator("#flow-live")).to_have_text("2 steps duplicated.")
    assert titles(flow, alice) == ["One", "Two", "Fork", "Inner", "Three", "One", "Three"]
    # The copies are what is selected now, and dragging one takes both.
    expect(page.locator(".is-chosen")).to_have_count(2)
    with answered(page, "**/edit/op/"):
        drag(
            page,
            page.locator(".is-chosen").first,
            page.get_by_role("button", name="Add a step at the start of the flow"),
        )
    assert titles(flow, alice) == ["One", "Three", "One", "Two", "Fork", "Inner", "Three"]
    page.keyboard.press("Control+z")
    expect(page.locator("#flow-live")).to_have_text("Undone.")
    page.keyboard.press("Escape")
    expect(page.locator(".flow-bar")).to_be_hidden()
    # From the one chosen last to the one clicked with shift; a split stands for what is in it.
    card(page, "Two").click(modifiers=["Control"])
    page.locator("#flow-root [data-title=Three]").first.click(modifiers=["Shift"])
    card(page, "Inner").click(modifiers=["Control"])
    expect(page.locator(BAR)).to_have_text("4 steps selected")
    page.locator("[data-bar=remove]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Remove 3 steps?")
    expect(dialog).to_contain_text("The 1 step in their branches go with them. “Two”, “Fork”, “Three”.")
    with answered(page, "**/edit/op/"):
        dialog.get_by_role("button", name="Remove").click()
    assert titles(flow, alice) == ["One", "One", "Three"]


def test_a_frame_selects_what_it_touches(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, four(world))
    open_designer(page, alice, live_server, flow)
    one, two = card(page, "One").bounding_box(), card(page, "Two").bounding_box()
    assert one
    assert two
    page.keyboard.down("Shift")
    page.mouse.move(one["x"] - 40, one["y"] - 4)
    page.mouse.down()
    page.mouse.move(two["x"] + 40, two["y"] + 10, steps=6)
    expect(page.locator(".flow-frame")).to_be_visible()
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator(BAR)).to_have_text("2 steps selected")
    expect(page.locator(".flow-frame")).to_have_count(0)


def test_with_keys_steps_are_cut_here_and_pasted_into_another_flow(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, four(world))
    with tenant_scope(alice.tenant.pk):
        other = create_flow(
            name="Other", owner=alice.user, now=NOW, document=FlowDocument(settings=world.settings())
        )
    open_designer(page, alice, live_server, flow)
    keys = page.keyboard
    card(page, "One").locator("[data-open]:not([data-talk])").focus()
    keys.press("s")
    for _ in range(2):
        keys.press("ArrowDown")
    keys.press("s")
    expect(page.locator("#flow-live")).to_have_text("Two selected. 2 steps selected")
    with answered(page, "**/edit/op/"):
        keys.press("Control+x")
    assert titles(flow, alice) == ["Fork", "Inner", "Three"]
    page.goto(live_server.url + alice.url(f"flows/{other.pk}/edit/"))
    page.wait_for_selector("flow-canvas[data-ready]")
    page.get_by_role("button", name="Add a step at the start of the flow").focus()
    with answered(page, "**/edit/op/"):
        keys.press("Control+v")
    assert titles(other, alice) == ["One", "Two"]
    with answered(page, "**/edit/op/"):
        keys.press("Control+v")
    assert titles(other, alice) == ["One", "One", "Two", "Two"]
    page.locator("flow-canvas").focus()
    keys.press("Control+a")
    expect(page.locator(BAR)).to_have_text("4 steps selected")


def test_with_a_finger_steps_are_selected_and_moved(
    browser: Browser, page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, four(world))
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    phone = context.new_page()
    sign_in(phone, alice, live_server)
    phone.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/"))
    phone.wait_for_selector("flow-canvas[data-ready]")
    phone.get_by_role("button", name="Select several").tap()
    card(phone, "One").tap()
    card(phone, "Two").tap()
    expect(phone.locator(BAR)).to_have_text("2 steps selected")
    assert accessibility_faults(phone) == []
    phone.locator("[data-bar=move]").tap()
    with answered(phone, "**/edit/op/"):
        phone.get_by_role("button", name="Add a step at the start of branch Chefs").tap()
    assert titles(flow, alice) == ["Fork", "One", "Two", "Inner", "Three"]
    context.close()


def test_what_was_copied_is_offered_in_a_window_that_was_open_before(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, four(world))
    with tenant_scope(alice.tenant.pk):
        other = create_flow(name="Other", owner=alice.user, now=NOW)
    open_designer(page, alice, live_server, flow)
    window = page.context.new_page()
    open_designer(window, alice, live_server, other)
    plus = window.get_by_role("button", name="Add a step at the start of the flow")
    paste = window.locator("#slot-menu [data-act=paste]")
    plus.click()
    expect(paste).to_be_disabled()
    window.keyboard.press("Escape")
    for keys, title, words in (("Control+c", "One", "“One”"), ("Control+x", "Two", "“Two”")):
        card(page, title).locator("[data-open]").first.focus()
        with answered(page, "**/edit/op/"):
            page.keyboard.press(keys)
        window.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as on coming to the front
        expect(window.locator("#flow-data")).to_have_attribute("data-clipboard", words)
    plus.click()
    expect(paste).to_contain_text("Paste “Two”")
    with answered(window, "**/edit/op/"):
        paste.click()
    expect(card(window, "Two")).to_be_visible()
