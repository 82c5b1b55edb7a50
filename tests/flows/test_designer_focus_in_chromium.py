"""The keyboard goes on in the panel that an operation brought, not at the top of the page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import Tenant
from core.tenancy import tenant_scope
from flows.document import Branch, FlowDocument, Note
from flows.models import Flow
from flows.operations.create import create_flow
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import split, step
from tests.flows.drawing import answered, open_designer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("card", "what", "kind", "back"),
    [
        ("#card-start", "trigger", "Contact created", "Who enters"),
        ("#card-finish", "success criterion", "Sale sold", "Finish"),
    ],
)
def test_the_focus_goes_into_the_panel_of_what_was_added_and_back_as_it_is_removed(
    page: Page,
    live_server: Any,
    alice: Person,
    flow: Flow,
    world: World,
    card: str,
    what: str,
    kind: str,
    back: str,
) -> None:
    open_designer(page, alice, live_server, flow)
    page.locator(f"{card} [data-open]:not([data-talk])").focus()
    with answered(page, "**/edit/panel/**"):
        page.keyboard.press("Enter")
    heading = page.locator("#flow-panel h2")
    expect(heading).to_be_focused()
    page.keyboard.press("Tab")
    add = page.locator("#flow-panel .flow-add summary")
    add.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label(f"Find a {what} to add")).to_be_focused()
    page.keyboard.type(kind)
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Enter")
    expect(heading).to_contain_text(kind)
    expect(heading).to_be_focused()
    page.locator("#flow-panel [data-op^=remove_]").focus()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Enter")
    expect(heading).to_have_text(back)
    expect(heading).to_be_focused()


def test_a_new_note_is_written_at_once_and_applying_it_leaves_the_focus(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    page.locator("#card-start [data-open]:not([data-talk])").focus()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("n")
    expect(page.get_by_label("Note", exact=True)).to_be_focused()
    page.keyboard.type("Ask Rory first")
    page.locator("#panel-apply").focus()
    with answered(page, "**/edit/apply/"):
        page.keyboard.press("Enter")
    expect(page.locator(".flow-note")).to_contain_text("Ask Rory first")
    expect(page.locator("#panel-apply")).to_be_focused()


def test_the_focus_goes_from_undo_to_redo_and_back_where_one_is_spent(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    page.locator("#card-start [data-open]:not([data-talk])").focus()
    for notes in (1, 2):
        with answered(page, "**/edit/op/"):
            page.get_by_role("button", name="More for this flow").click()
            page.locator("[data-flow-action=add-note]").click()
        expect(page.locator(".flow-note")).to_have_count(notes)
    undo, redo = page.locator("#flow-undo"), page.locator("#flow-redo")
    undo.focus()
    for pressed, url, spent, beside in (
        (undo, "**/edit/undo/", False, redo),
        (undo, "**/edit/undo/", True, redo),
        (redo, "**/edit/redo/", False, undo),
        (redo, "**/edit/redo/", True, undo),
    ):
        expect(pressed).to_be_focused()
        with answered(page, url):
            page.keyboard.press("Enter")
        expect(beside if spent else pressed).to_be_focused()
        expect(pressed).to_be_enabled(enabled=not spent)


def test_the_keyboard_goes_on_right_before_what_was_removed_or_cut_and_pastes_it_there(
    page: Page, live_server: Any, alice: Person, acme: Tenant
) -> None:
    inside = Branch(name="Inside", steps=(step(title="First in"), step(title="Second in")))
    steps = (step(title="One"), step(title="Two"), split(inside, Branch(name="Beside"), title="Fork"))
    with tenant_scope(acme.pk):
        flow = create_flow(name="Long", owner=alice.user, now=NOW, document=FlowDocument(steps=steps))
    open_designer(page, alice, live_server, flow)

    def card(title: str) -> Locator:
        return page.locator(f"[data-title='{title}'] [data-open]:not([data-talk])").first

    def label(name: str) -> Locator:
        return page.get_by_role("button", name=name, exact=True)

    def remove(target: Locator) -> None:
        target.focus()
        page.keyboard.press("Delete")
        yes = page.locator("#flow-remove [value=remove]")
        expect(yes).to_be_visible()
        yes.focus()
        with answered(page, "**/edit/op/"):
            page.keyboard.press("Enter")

    def press(keys: str) -> None:
        with answered(page, "**/edit/op/"):
            page.keyboard.press(keys)

    remove(card("Two"))
    expect(card("One")).to_be_focused()
    remove(card("One"))
    start = page.locator("#card-start [data-open]:not([data-talk])")
    expect(start).to_be_focused()
    remove(label("Beside"))
    expect(label("Everyone else")).to_be_focused()
    card("Second in").focus()
    press("Control+x")
    expect(card("First in")).to_be_focused()
    card("First in").focus()
    press("Control+x")
    expect(label("Inside")).to_be_focused()
    press("Control+v")
    expect(page.locator("[data-name='Inside'] .flow-step")).to_have_count(1)
    expect(card("First in")).to_be_focused()
    start.focus()
    press("Control+v")
    expect(page.locator("flow-canvas [data-step][data-title]").first).to_have_attribute(
        "data-title", "First in"
    )


def test_a_step_that_is_moved_keeps_the_focus_also_under_a_note(
    page: Page, live_server: Any, alice: Person, acme: Tenant
) -> None:
    one, two = step(title="One"), step(title="Two")
    noted = FlowDocument(steps=(one, two), notes=(Note(step=two.id, text="Ask Kim"),))
    with tenant_scope(acme.pk):
        flow = create_flow(name="Noted", owner=alice.user, now=NOW, document=noted)
    open_designer(page, alice, live_server, flow)
    moved = page.locator("[data-title=Two] [data-open]:not([data-talk])")
    moved.focus()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("flow-canvas [data-step][data-title]").first).to_have_attribute("data-title", "Two")
    expect(moved).to_be_focused()


def test_the_focus_goes_to_the_canvas_once_there_is_nothing_left_to_save(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    save = page.locator("#flow-save")
    save.focus()
    with answered(page, "**/edit/save/"):
        page.keyboard.press("Enter")
    expect(page.locator("#flow-saved")).to_have_text("Saved as revision 1")
    expect(save).to_be_disabled()
    expect(page.locator("flow-canvas")).to_be_focused()
