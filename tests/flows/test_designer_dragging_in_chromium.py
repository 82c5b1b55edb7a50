"""Dragging in a real browser: kinds, steps and branches go where they are dropped, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from flows.document import Branch, FlowDocument, StepNode
from flows.models import Flow
from flows.operations.drafts import draft_of
from flows.queries import newest_document
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import split, step
from tests.flows.drawing import answered, drag, drag_step, draw_the_story, open_designer
from tests.flows.test_designer_in_chromium import give, titles

pytestmark = pytest.mark.django_db(transaction=True)


def tree(flow: Flow, person: Person) -> list[Any]:
    """Return the draft as titles: a split is a pair of its title and the branches by name."""

    def drawn(node: StepNode) -> Any:
        if not node.branches:
            return node.title
        return node.title, {branch.name: [drawn(inner) for inner in branch.steps] for branch in node.branches}

    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
        return [drawn(node) for node in draft_of(flow).steps]


def forked(world: World) -> FlowDocument:
    """Return First, Fork (Chefs: Inner; Nordics), Last."""
    fork = split(Branch(name="Chefs", steps=(step(title="Inner"),)), Branch(name="Nordics"), title="Fork")
    return FlowDocument(settings=world.settings(), steps=(step(title="First"), fork, step(title="Last")))


def test_the_storys_flow_is_drawn_by_dragging_and_started(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    open_designer(page, alice, live_server, flow)
    draw_the_story(page, drag_step)
    page.get_by_role("switch", name="Running").click()
    expect(page.locator("#flow-state")).to_have_text("Running")
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        document = newest_document(flow.pk)
    kinds = [node.kind for node in document.walk()]
    assert kinds == ["send_email", "wait_for_time", "split", "update_contact", "send_email"]
    assert [branch.name for branch in document.steps[2].branches] == ["Chefs", "Nordics", "Everyone else"]
    assert [node.kind for node in document.steps[2].branches[0].steps] == ["update_contact"]


def test_steps_and_branches_go_where_they_are_dropped(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, forked(world))
    open_designer(page, alice, live_server, flow)
    for _ in range(3):
        page.locator("[data-zoom=out]").click()
    last = page.locator("#flow-root [data-title=Last]")
    with answered(page, "**/edit/op/"):
        drag(
            page,
            last,
            page.get_by_role("button", name="Add a step at the start of branch Nordics"),
        )
    others = ("Fork", {"Chefs": ["Inner"], "Nordics": ["Last"], "Everyone else": []})
    assert tree(flow, alice) == ["First", others]
    expect(page.locator("[data-title='Last'] [data-open]:not([data-talk])")).to_be_focused()
    expect(page.locator("#flow-live")).to_have_text("Last moved.")
    # A card stands for the plus that is nearer: the upper half of the first step is the start of the flow.
    with answered(page, "**/edit/op/"):
        drag(page, last, page.locator("#card-start"))
    assert tree(flow, alice)[:2] == ["Last", "First"]
    with answered(page, "**/edit/op/"):
        drag(
            page,
            page.locator("[data-name=Nordics] > .flow-branch__label"),
            page.locator("[data-name=Chefs]"),
            x=0.2,
        )
    assert list(tree(flow, alice)[2][1]) == ["Nordics", "Chefs", "Everyone else"]


def test_a_split_stays_out_of_itself_and_escape_puts_back(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, forked(world))
    open_designer(page, alice, live_server, flow)
    before = tree(flow, alice)
    fork = page.locator("#flow-root [data-title=Fork]")
    drag(page, fork, page.get_by_role("button", name="Add a step at the start of branch Chefs"), drop=False)
    expect(page.locator(".flow-slot__button:disabled")).to_have_count(6)
    assert page.locator(".is-over").count() == 0
    page.mouse.up()
    expect(page.locator("#flow-live")).to_have_text("Put back: nothing was moved.")
    first = page.locator("#flow-root [data-title=First]")
    drag(page, first, page.get_by_role("button", name="Add a step after Last"), drop=False)
    expect(page.locator(".is-over .flow-slot__here")).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.up()
    page.wait_for_timeout(200)
    expect(page.locator("flow-designer")).not_to_have_class("is-dragging")
    assert tree(flow, alice) == before
    assert titles(flow, alice) == ["First", "Fork", "Inner", "Last"]


def test_the_sheet_scrolls_while_something_is_held_at_its_edge(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    steps = tuple(step(title=f"Wait {number}") for number in range(30))
    give(flow, alice, FlowDocument(settings=world.settings(), steps=steps))
    open_designer(page, alice, live_server, flow)
    canvas = page.locator("flow-canvas")
    drag(page, page.locator("#flow-root [data-title='Wait 1']"), page.locator("[data-zoom=fit]"), drop=False)
    box = canvas.bounding_box()
    assert box is not None
    before = canvas.evaluate("e => e.scrollTop")
    for step_ in range(15):
        page.mouse.move(box["x"] + box["width"] / 2 + step_ % 2, box["y"] + box["height"] - 12)
        page.wait_for_timeout(60)
    assert canvas.evaluate("e => e.scrollTop") > before + 80
    page.keyboard.press("Escape")
    page.mouse.up()
