"""Branches, folding and notes in a real browser: by mouse and by keys, in both themes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from flows.document import Branch, FlowDocument
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import split, step
from tests.flows.drawing import answered, apply, drag, look, open_designer
from tests.flows.test_designer_dragging_in_chromium import tree
from tests.flows.test_designer_in_chromium import give, titles
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def nested(world: World) -> FlowDocument:
    """Return Outer (Chefs: Wait, Inner (Deep: Letter); Nordics), Last."""
    inner = split(Branch(name="Deep", steps=(step("send_email", "Letter"),)), title="Inner")
    outer = split(
        Branch(name="Chefs", steps=(step(title="Wait"), inner)), Branch(name="Nordics"), title="Outer"
    )
    return FlowDocument(settings=world.settings(), steps=(outer, step(title="Last")))


def test_splits_and_branches_fold_and_a_problem_unfolds_what_hides_it(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, nested(world))
    page.set_viewport_size({"width": 1440, "height": 1000})
    open_designer(page, alice, live_server, flow)
    with answered(page, "**/edit/fold/"):
        page.get_by_role("button", name="Fold the branches of Inner").click()
    expect(page.locator("[data-title=Letter]")).to_have_count(0)
    folded = page.get_by_role("button", name="1 step inside")
    expect(folded).to_be_focused()
    page.get_by_role("button", name="Actions for branch Chefs").click()
    with answered(page, "**/edit/fold/"):
        page.get_by_role("menuitem", name="Fold").click()
    expect(page.get_by_role("button", name="3 steps inside · 3 to fix")).to_be_visible()
    assert accessibility_faults(page) == []
    # What is folded still counts: removing the split names everything that is lost.
    page.get_by_role("button", name="Actions for Outer").click()
    page.get_by_role("menuitem", name="Remove").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its 3 branches go with it, and the 3 steps in them.")
    expect(page.get_by_role("dialog")).to_contain_text("Keep the 3 steps of “Chefs” in line")
    page.get_by_role("button", name="Keep it").click()
    page.reload()
    page.wait_for_selector("flow-canvas[data-ready]")
    expect(page.locator("[data-title=Letter]")).to_have_count(0)
    page.get_by_role("button", name="to fix", exact=False).first.click()
    with answered(page, "**/edit/panel/**"):
        page.locator(".flow-problems button", has_text="Letter").first.click()
    expect(page.locator("#flow-panel h2")).to_have_text("Letter")
    expect(page.locator("[data-title=Letter].is-selected")).to_be_visible()


def test_branches_move_by_keys_and_into_another_split_by_dragging(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, nested(world))
    page.set_viewport_size({"width": 1440, "height": 1200})
    open_designer(page, alice, live_server, flow)
    page.locator("[data-name=Nordics] > .flow-branch__label [data-open]:not([data-talk])").focus()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Alt+ArrowLeft")
    assert list(tree(flow, alice)[0][1]) == ["Nordics", "Chefs", "Everyone else"]
    expect(
        page.locator("[data-name=Nordics] > .flow-branch__label [data-open]:not([data-talk])")
    ).to_be_focused()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("d")
    with answered(page, "**/edit/op/"):
        drag(
            page,
            page.locator("[data-name='Nordics (copy)'] > .flow-branch__label"),
            page.locator("[data-name=Deep] > .flow-branch__label"),
            x=0.9,
        )
    outer = tree(flow, alice)[0][1]
    assert list(outer) == ["Nordics", "Chefs", "Everyone else"]
    assert list(outer["Chefs"][1][1]) == ["Deep", "Nordics (copy)", "Everyone else"]
    page.locator("[data-name='Nordics (copy)'] > .flow-branch__label [data-open]:not([data-talk])").focus()
    page.keyboard.press("Delete")
    with answered(page, "**/edit/op/"):
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    assert list(tree(flow, alice)[0][1]["Chefs"][1][1]) == ["Deep", "Everyone else"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_note_is_written_moved_and_removed(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World, theme: str
) -> None:
    give(flow, alice, nested(world))
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    page.set_viewport_size({"width": 1440, "height": 1100})
    open_designer(page, alice, live_server, flow)
    page.locator("[data-title=Last] [data-open]:not([data-talk])").focus()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("n")
    page.get_by_label("Note", exact=True).fill("Sales calls first.\nAsk Kim before the price changes 👋")
    page.get_by_label("Pink").check()
    apply(page)
    note = page.locator(".flow-note--pink")
    expect(note).to_contain_text("Ask Kim before")
    assert page.locator("#flow-root [style], #flow-panel [style]").count() == 0
    with answered(page, "**/edit/op/"):
        drag(page, note, page.locator("[data-title=Outer]"))
    expect(
        page.locator(".flow-step", has=page.locator("> [data-title=Outer]")).locator("> .flow-notes")
    ).to_be_visible()
    page.get_by_role("button", name="More for this flow").click()
    with answered(page, "**/edit/op/"):
        page.locator("[data-flow-action=add-note]").click()
    expect(page.locator(".flow-note")).to_have_count(2)
    note.focus()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Delete")
    expect(page.locator(".flow-note")).to_have_count(1)
    assert titles(flow, alice) == ["Outer", "Wait", "Inner", "Letter", "Last"]
    # Last: axe leaves empty style attributes behind, which htmx would copy.
    assert accessibility_faults(page) == []


def test_a_branch_goes_into_another_split_by_keys_and_finger(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, nested(world))
    page.set_viewport_size({"width": 1440, "height": 1000})
    open_designer(page, alice, live_server, flow)
    page.get_by_role("button", name="Actions for branch Everyone else").first.click()
    expect(page.get_by_role("menuitem", name="Move to another split…")).to_be_disabled()
    page.keyboard.press("Escape")
    # Inner lies in Chefs, so Chefs has nowhere to go.
    page.get_by_role("button", name="Actions for branch Chefs").click()
    expect(page.get_by_role("menuitem", name="Move to another split…")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Actions for branch Nordics").focus()
    page.keyboard.press("Enter")
    move = page.get_by_role("menuitem", name="Move to another split…")
    for _ in range(12):
        if move.evaluate("item => item === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Move branch “Nordics” to another split")
    expect(dialog.get_by_role("radio", name="Inner")).to_be_checked()
    assert accessibility_faults(page) == []
    look(page, "transfer")
    dialog.get_by_role("radio", name="Inner").focus()
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Actions for branch Nordics")).to_be_visible()
    inner = {"Deep": ["Letter"], "Nordics": [], "Everyone else": []}
    assert tree(flow, alice) == [
        ("Outer", {"Chefs": ["Wait", ("Inner", inner)], "Everyone else": []}),
        "Last",
    ]
    # The other dialogs have their own words again.
    page.get_by_role("button", name="Actions for branch Nordics").click()
    page.get_by_role("menuitem", name="Remove").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Remove")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()


def test_what_is_wrong_with_the_settings_stands_where_the_flow_begins(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, FlowDocument(steps=(step("send_email", "Letter", email=world.welcome.pk),)))
    open_designer(page, alice, live_server, flow)
    expect(page.locator("#card-start .flow-card__problem").first).to_contain_text("Settings: ")
    assert accessibility_faults(page) == []
    look(page, "settings-problems")
