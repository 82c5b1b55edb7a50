"""The designer asks before something is lost, lets go of what was typed, and takes an applied panel without a change
for none."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from flows.document import Branch, FlowDocument, SuccessCriterion, Trigger
from flows.models import Flow
from flows.operations.save import save_draft
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import job, split, step
from tests.flows.drawing import answered, look, open_designer
from tests.flows.test_designer_in_chromium import give
from tests.flows.test_designer_kept_input_in_chromium import card, open_step
from tests.flows.test_triggers_in_chromium import draft
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def fork() -> Any:
    """Return a split of chefs and bakers."""
    chefs = Branch(name="Chefs", criteria=job("chef"), steps=(step(title="Inner"),))
    return split(chefs, Branch(name="Bakers", criteria=job("baker")), title="Fork")


def test_another_basis_of_a_split_asks_and_names_what_the_branches_lose(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(fork(),)))
    open_designer(page, alice, live_server, flow)
    open_step(page, "Fork")
    page.locator("[name=based_on]").select_option("random")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    dialog = page.get_by_role("dialog", name="Empty 2 branches?")
    expect(dialog).to_contain_text("Chefs: Job title contains “chef”")
    expect(dialog).to_contain_text("Bakers: Job title contains “baker”")
    assert accessibility_faults(page) == []
    look(page, "lost")
    dialog.get_by_role("button", name="Go on editing").click()
    expect(page.locator("[name=based_on]")).to_have_value("random")
    assert [branch.criteria for branch in draft(flow, alice).steps[0].branches][:2] == [
        job("chef"),
        job("baker"),
    ]
    # Going elsewhere applies the panel, so it asks too.
    with answered(page, "**/edit/apply/"):
        card(page, "Inner").locator("[data-open]:not([data-talk])").click()
    with answered(page, "**/edit/apply/"):
        dialog.get_by_role("button", name="Change and empty them").click()
    branches = draft(flow, alice).steps[0].branches
    assert [(branch.name, branch.criteria, len(branch.steps)) for branch in branches] == [
        ("Chefs", None, 1),
        ("Bakers", None, 0),
        ("Everyone else", None, 0),
    ]
    # Nothing is asked for now: nothing to ask about.
    open_step(page, "Fork")
    page.locator("[name=based_on]").select_option("contact")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert draft(flow, alice).steps[0].settings["based_on"] == "contact"


def test_nobody_shuts_themselves_out_of_a_flow(
    page: Page, live_server: Any, alice: Person, bob: Person, flow: Flow
) -> None:
    open_designer(page, bob, live_server, flow)
    with answered(page, "**/edit/panel/**"):
        page.locator("#flow-settings").click()
    page.locator("[name=visibility][value=owner]").check()
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    expect(page.locator("#id_visibility_error")).to_have_text(
        "You would not see this flow any more. Include yourself too."
    )
    assert accessibility_faults(page) == []
    look(page, "shut-out")
    page.locator("[name=visibility][value=chosen]").check()
    page.get_by_label("Bob Larsen").check()
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        assert flow.visibility == "chosen"


def test_a_panel_that_cannot_be_applied_is_let_go_of(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    steps = (step(title="One"), step(title="Two"))
    give(flow, alice, FlowDocument(settings=world.settings(), steps=steps))
    open_designer(page, alice, live_server, flow)
    open_step(page, "One")
    expect(page.locator("[data-discard]")).to_be_hidden()
    page.locator("[name=amount]").fill("99999999")
    expect(page.locator("[data-discard]")).to_be_visible()
    with answered(page, "**/edit/apply/"):
        page.locator("[data-close-panel]").click()
    expect(page.locator("#id_amount_error")).to_be_visible()
    look(page, "discard")
    with answered(page, "**/edit/panel/**"):
        page.locator("[data-discard]").click()
    expect(page.locator(".flow-panel form")).to_have_count(0)
    # On the way to another step it goes on to that one.
    open_step(page, "One")
    page.locator("[name=amount]").fill("99999999")
    with answered(page, "**/edit/apply/"):
        card(page, "Two").locator("[data-open]:not([data-talk])").click()
    with answered(page, "**/edit/panel/**"):
        page.locator("[data-discard]").click()
    expect(page.locator("[name=title]")).to_have_value("Two")
    # Without a refusal the part is shown as it is.
    page.locator("[name=title]").fill("Other")
    with answered(page, "**/edit/panel/**"):
        page.locator("[data-discard]").click()
    expect(page.locator("[name=title]")).to_have_value("Two")
    assert [node.title for node in draft(flow, alice).steps] == ["One", "Two"]


def test_applying_a_panel_as_it_was_changes_nothing(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    with tenant_scope(alice.tenant.pk):
        document = FlowDocument(
            settings=world.settings(),
            triggers=tuple(Trigger(kind=kind.name) for kind in TRIGGER_KINDS),
            success=tuple(SuccessCriterion(kind=kind.name) for kind in SUCCESS_KINDS),
            steps=tuple(kind.new() for kind in STEP_KINDS),
        )
    give(flow, alice, document)
    with tenant_scope(alice.tenant.pk):
        save_draft(flow_id=flow.pk, base_version=flow.draft_version + 1, actor=alice.user, now=NOW)
        flow.refresh_from_db()
    open_designer(page, alice, live_server, flow)
    parts = [f"trigger:{one.id}" for one in document.triggers]
    parts += [f"success:{one.id}" for one in document.success]
    parts += [f"step:{one.id}" for one in document.walk()]
    parts += [f"branch:{branch.id}" for node in document.walk() for branch in node.branches]
    changed = []
    for part in [*parts, "filter", "finish", "settings", "messages"]:
        page.goto(f"{live_server.url}{alice.url(f'flows/{flow.pk}/edit/')}?part={part}")
        page.wait_for_selector("flow-canvas[data-ready]")
        with page.expect_response("**/edit/apply/") as answer:
            page.locator("#panel-apply").click()
        if answer.value.status == 200:
            expect(page.locator("#flow-data")).to_have_attribute("data-said", "Nothing was changed.")
        with tenant_scope(alice.tenant.pk):
            version = Flow.objects.values_list("draft_version", flat=True).get(pk=flow.pk)
        if version != flow.draft_version:
            changed.append(part)
            break
    assert changed == []
    expect(page.locator("#flow-saved")).to_have_text("Saved as revision 1")


def test_undo_takes_ones_own_change_from_under_anothers_or_says_what_stands_in_the_way(
    page: Page, live_server: Any, alice: Person, bob: Person, flow: Flow, world: World
) -> None:
    one, two, three = (step(title=title) for title in ("One", "Two", "Three"))
    his = one.model_copy(update={"title": "His"})
    for who, steps in ((alice, (one,)), (alice, (one, two)), (bob, (his, two, three))):
        give(flow, who, FlowDocument(settings=world.settings(), steps=steps))
    open_designer(page, alice, live_server, flow)
    with answered(page, "**/edit/undo/"):
        page.locator("#flow-undo").click()
    expect(page.locator("[data-title='Two']")).to_have_count(0)
    assert [node.title for node in draft(flow, alice).steps] == ["His", "Three"]
    expect(page.locator("#flow-redo")).to_be_enabled()
    with answered(page, "**/edit/undo/"):
        page.locator("#flow-undo").click()
    expect(page.locator("#flow-notice")).to_contain_text("Somebody changed the same since: “His”")
    assert [node.title for node in draft(flow, alice).steps] == ["His", "Three"]
    with answered(page, "**/edit/redo/"):
        page.locator("#flow-redo").click()
    expect(page.locator("[data-title='Two']")).to_have_count(1)
    assert [node.title for node in draft(flow, alice).steps] == ["His", "Two", "Three"]
    expect(page.locator("#flow-redo")).to_be_disabled()


def test_what_a_draft_uses_says_so_on_the_selections_page(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    keep = step("add_to_selection", "Keep", selection=world.selection.pk)
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(keep,)))
    open_designer(page, alice, live_server, flow)
    page.goto(live_server.url + alice.url(f"selections/{world.selection.pk}/"))
    link = page.get_by_role("link", name="Autumn welcome (in a draft) (Keep)")
    link.click()
    page.wait_for_selector("flow-canvas[data-ready]")
    expect(page.locator("[name=title]")).to_have_value("Keep")
