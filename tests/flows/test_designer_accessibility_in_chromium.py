"""Every state of the designer, light and dark, judged by axe; the `page` fails on a violation of the content security
policy anywhere on the way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from flows.document import Branch, FlowDocument, Note
from flows.models import Flow
from flows.operations.save import save_draft
from flows.panels.table import PANELS
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import job, split, step
from tests.flows.drawing import answered, look, open_designer, open_part
from tests.flows.test_designer_in_chromium import give
from tests.flows.test_every_panel_in_chromium import OPEN, document_of_all, settle
from tests.flows.test_every_panel_in_chromium import things as things  # a fixture
from tests.participants.pages import add_people, make_stage
from tests.support.axe import Walk

pytestmark = pytest.mark.django_db(transaction=True)
STEPPED = ("step", "branch", "note", "trigger", "success")


def show(page: Page, part: str) -> None:
    """Open a part's panel, as its card would."""
    page.evaluate(OPEN, part)
    settle(page)


def drawn(world: World) -> FlowDocument:
    """Return a flow with a fork, notes at a step and at the start, and a step that lacks its email."""
    chefs = Branch(
        name="Chefs", criteria=job("chef"), steps=(step(title="Inner"), step("send_email", "Offer"))
    )
    fork, other = (
        split(chefs, title="Fork"),
        split(Branch(name="Fans", criteria=job("fan")), title="Second fork"),
    )
    first = step("send_email", "Welcome")
    notes = (
        Note(text="Ask <b>Rory</b> first 💚", step=first.id),
        Note(text="Mind", step=None, colour="pink"),
    )
    return FlowDocument(
        settings=world.settings(), steps=(first, step(title="Wait"), fork, other), notes=notes
    )


def test_every_state_of_the_canvas(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    walk = Walk(page, look)
    open_designer(page, alice, live_server, flow)
    walk.state("empty designer")
    page.get_by_role("button", name="Add a step at the start of the flow").click()
    walk.state("menu of a plus")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More for", exact=False).first.click()
    walk.state("menu of the flow")
    page.keyboard.press("Escape")
    document = drawn(world)
    give(flow, alice, document)
    page.reload()
    page.wait_for_selector("flow-canvas[data-ready]")
    walk.state("drawn with problems")
    page.get_by_role("button", name="Actions for Wait").click()
    walk.state("menu of a step")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("branch Chefs")).first.click()
    walk.state("menu of a branch")
    page.keyboard.press("Escape")
    page.locator("[data-title='Wait'] [data-open]:not([data-talk])").focus()
    page.keyboard.press("x")
    expect(page.locator(".flow-placing")).to_contain_text("choose a place")
    walk.state("a step picked up by key")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    page.locator("[data-title='Fork'] > [data-open]:not([data-talk])").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog")).to_contain_text("Remove “Fork”?")
    walk.state("asked before a split is removed")
    page.keyboard.press("Escape")
    page.locator("[data-select-mode]").click()
    for title in ("Wait", "Inner"):
        page.locator(f"[data-title='{title}'] > [data-open]:not([data-talk])").click()
    expect(page.locator("[data-chosen-count]")).to_have_text("2 steps selected")
    walk.state("several selected")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    walk.state("keyboard shortcuts")
    page.keyboard.press("Escape")
    page.locator("[data-title='Fork'] > [data-open]:not([data-talk])").focus()
    with answered(page, "**/edit/fold/"):
        page.keyboard.press("f")
    walk.state("a split folded")
    walk.end()


def test_every_panel_of_the_flow_itself(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    document = drawn(world)
    give(flow, alice, document)
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=alice.user, now=NOW)
        flow.refresh_from_db()
    less = document.model_copy(update={"steps": document.steps[:3]})
    give(flow, alice, less)
    walk = Walk(page, look)
    open_designer(page, alice, live_server, flow)
    parts = [name for name in PANELS if name and name not in STEPPED]
    parts += [f"note:{note.id}" for note in document.notes]
    for part in parts:
        show(page, part)
        walk.state(f"panel {part.split(':')[0]}")
    show(page, "find")
    with answered(page, "**/edit/panel/**"):
        page.locator("#flow-find").fill("wait")
    walk.state("found by words", within="#flow-panel")
    open_part(page, "Finish")
    page.locator(".flow-add summary").first.click()
    walk.state("a success criterion is chosen", within="#flow-panel")
    show(page, f"step:{document.steps[1].id}")
    page.locator("[name=amount]").fill("99999999")
    page.locator("#panel-apply").click()
    expect(page.locator("#id_amount_error")).to_be_visible()
    walk.state("an error at its field")
    page.locator("[data-discard]").click()
    settle(page)
    page.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/revisions/compare/"))
    expect(page.get_by_role("heading", name=re.compile("difference"))).to_be_visible()
    walk.state("compared with the draft")
    page.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/revisions/1/"))
    page.wait_for_selector("flow-canvas[data-ready]")
    walk.state("a revision")
    page.get_by_role("button", name="Bring back revision 1").click()
    expect(page.locator("#confirm")).to_be_visible()
    walk.state("asked before a revision comes back")
    walk.end()


def test_every_kind_of_part_as_it_begins(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World, things: None
) -> None:
    with tenant_scope(alice.tenant.pk):
        document, entries = document_of_all(world)
    give(flow, alice, document)
    walk = Walk(page, look)
    open_designer(page, alice, live_server, flow)
    # The canvas has walks of its own: unseen, forty cards cost axe nothing.
    page.evaluate("document.querySelector('.flow-stage').hidden = true")
    for entry in entries:
        show(page, entry.part)
        walk.state(entry.what, within="#flow-panel", in_turn=True)
    show(page, "problems")
    walk.state("all problems")
    walk.end()


def test_an_edit_with_people_inside(page: Page, live_server: Any, bob: Person) -> None:
    stage = make_stage(bob)
    add_people(stage)
    walk = Walk(page, look)
    open_designer(page, bob, live_server, stage.flow)
    walk.state("running and not to be edited")
    show(page, f"step:{stage.wait.id}")
    walk.state("a panel while the flow runs")
    page.keyboard.press("Escape")
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(status="paused")
    page.reload()
    page.wait_for_selector("flow-canvas[data-ready]")
    page.get_by_role("button", name="Actions for Wait 2 days").click()
    expect(page.get_by_role("menuitem", name="Remove")).to_be_disabled()
    walk.state("menu of a step that stays where it is")
    page.keyboard.press("Escape")
    show(page, f"step:{stage.wait.id}")
    page.locator("[name=amount]").fill("9")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    page.locator("#flow-save").click()
    expect(page.get_by_role("dialog", name="What this edit does to those inside")).to_be_visible()
    walk.state("what an edit does to those inside")
    walk.end()
