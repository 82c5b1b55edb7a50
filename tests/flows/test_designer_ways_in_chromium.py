"""The welcome flow without a mouse: by keys alone, and by taps on a phone; undone and done again, ten times each."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.tenancy import tenant_scope
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.drawing import answered, open_designer, sign_in
from tests.flows.test_designer_dragging_in_chromium import tree

pytestmark = pytest.mark.django_db(transaction=True)
DRAWN = [
    "Welcome email",
    "Wait 2 days",
    ("Who are they?", {"Chefs": ["Update contact"], "Branch 2": [], "Everyone else": []}),
    "Offer",
]


def draft(flow: Flow, person: Person) -> Any:
    """Return the stored draft."""
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
        return flow.draft


def walk_to(page: Page, target: Locator, key: str) -> None:
    """Press a key until the target has focus."""
    for _ in range(80):
        if target.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {target}")


def plus(page: Page, label: str) -> Locator:
    """Return the plus with this label."""
    return page.get_by_role("button", name=label, exact=True)


def test_the_welcome_flow_is_drawn_with_keys_alone_and_undone_and_done_again(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    keys = page.keyboard

    def add(label: str, kind: str, title: str) -> None:
        walk_to(page, page.locator("flow-canvas"), "Shift+Tab")
        walk_to(page, plus(page, label), "ArrowDown")
        keys.press("Enter")
        walk_to(page, page.get_by_role("menuitem", name=kind), "ArrowDown")
        with answered(page, "**/edit/op/"):
            keys.press("Enter")
        rename(title)

    def rename(title: str) -> None:
        walk_to(page, page.locator("#flow-panel :is([name=title], [name=name])"), "Tab")
        keys.press("Control+a")
        keys.type(title)
        with answered(page, "**/edit/apply/"):
            keys.press("Enter")

    add("Add a step at the start of the flow", "Send email", "Welcome email")
    walk_to(page, page.locator("#flow-panel [name=email]"), "Tab")
    keys.type("Welcome")
    walk_to(page, page.locator("#panel-apply"), "Tab")
    with answered(page, "**/edit/apply/"):
        keys.press("Enter")
    add("Add a step after Welcome email", "Wait for time", "Wait 2 days")
    add("Add a step after Wait 2 days", "Split", "Who are they?")
    walk_to(page, page.locator("#flow-panel [data-op=add_branch]"), "Tab")
    with answered(page, "**/edit/op/"):
        keys.press("Enter")
    walk_to(page, page.locator("flow-canvas"), "Shift+Tab")
    walk_to(
        page,
        page.locator("[data-name='Branch 1'] > .flow-branch__label [data-open]:not([data-talk])"),
        "ArrowDown",
    )
    with answered(page, "**/edit/panel/**"):
        keys.press("Enter")
    rename("Chefs")
    add("Add a step at the start of branch Chefs", "Update contact", "Update contact")
    add("Add a step after Who are they?", "Send email", "Offer")
    assert tree(flow, alice) == DRAWN
    done = draft(flow, alice)
    walk_to(page, page.locator("flow-canvas"), "Shift+Tab")
    for _ in range(10):
        with answered(page, "**/edit/undo/"):
            keys.press("Control+z")
    assert draft(flow, alice) != done
    for _ in range(10):
        with answered(page, "**/edit/redo/"):
            keys.press("Control+Shift+z")
    assert draft(flow, alice) == done


def test_the_welcome_flow_is_drawn_with_a_finger_on_a_phone(
    browser: Browser, page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    phone = context.new_page()
    sign_in(phone, alice, live_server)
    phone.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/"))
    phone.wait_for_selector("flow-canvas[data-ready]")

    def add(label: str, kind: str, title: str) -> None:
        plus(phone, label).tap()
        with answered(phone, "**/edit/op/"):
            phone.get_by_role("menuitem", name=kind).tap()
        rename(title)

    def rename(title: str) -> None:
        phone.locator("#flow-panel :is([name=title], [name=name])").fill(title)
        with answered(phone, "**/edit/apply/"):
            phone.locator("#panel-apply").tap()
        with answered(phone, "**/edit/panel/**"):
            phone.locator("#flow-panel [data-close-panel]").tap()

    add("Add a step at the start of the flow", "Send email", "Welcome email")
    add("Add a step after Welcome email", "Split", "Who are they?")
    phone.get_by_role("button", name="Actions for Who are they?").tap()
    with answered(phone, "**/edit/op/"):
        phone.get_by_role("menuitem", name="Add branch").tap()
    with answered(phone, "**/edit/panel/**"):
        phone.locator("[data-name='Branch 1'] > .flow-branch__label [data-open]:not([data-talk])").tap()
    rename("Chefs")
    add("Add a step after Who are they?", "Update contact", "Update contact")
    add("Add a step after Update contact", "Send email", "Offer")
    add("Add a step after Welcome email", "Wait for time", "Wait 2 days")
    phone.get_by_role("button", name="Actions for Update contact").tap()
    phone.get_by_role("menuitem", name="Move to…").tap()
    with answered(phone, "**/edit/op/"):
        plus(phone, "Add a step at the start of branch Chefs: put it here").tap()
    assert tree(flow, alice) == DRAWN
    overflow = phone.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    expect(phone.locator("#flow-live")).to_have_text("Update contact moved.")
    context.close()
