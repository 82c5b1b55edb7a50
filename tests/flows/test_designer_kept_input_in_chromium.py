"""What was typed in the designer's panel and not applied is kept: while folding, removing, taking lines out, saving."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from crm.criteria.schema import Criteria, Group, Line
from flows.document import Branch, FlowDocument, Trigger
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import job, split, step
from tests.flows.drawing import answered, open_designer, open_part
from tests.flows.test_designer_in_chromium import give, titles
from tests.flows.test_triggers_in_chromium import draft

pytestmark = pytest.mark.django_db(transaction=True)


def drawn(world: World) -> FlowDocument:
    """Return One, Two, Fork (Chefs: Inner; Bakers), Three."""
    chefs = Branch(name="Chefs", criteria=job("chef"), steps=(step(title="Inner"),))
    fork = split(chefs, Branch(name="Bakers", criteria=job("baker")), title="Fork")
    return FlowDocument(
        settings=world.settings(), steps=(step(title="One"), step(title="Two"), fork, step(title="Three"))
    )


def card(page: Page, title: str) -> Any:
    """Return a step's card."""
    return page.locator(f"#flow-root [data-title='{title}']")


def open_step(page: Page, title: str) -> None:
    """Open a step's panel."""
    with answered(page, "**/edit/panel/**"):
        card(page, title).locator("[data-open]:not([data-talk])").click()


def remove(page: Page) -> None:
    """Say yes to removing and wait for the last answer."""
    with answered(page, "**/edit/op/"):
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()


def key_on(page: Page, title: str, key: str) -> None:
    """Press a key on a step's card."""
    card(page, title).locator("[data-open]:not([data-talk])").focus()
    page.keyboard.press(key)


@pytest.fixture(autouse=True)
def tall(page: Page) -> None:
    """Let the whole flow be in sight."""
    page.set_viewport_size({"width": 1440, "height": 1400})


def test_folding_leaves_what_was_typed_in_the_panel(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, drawn(world))
    open_designer(page, alice, live_server, flow)
    open_step(page, "One")
    page.locator("[name=title]").fill("First")
    # Not even valid: folding has nothing to do with it.
    page.locator("[name=amount]").fill("99999999")
    with answered(page, "**/edit/fold/"):
        key_on(page, "Fork", "f")
    expect(card(page, "Inner")).to_have_count(0)
    expect(page.locator("[name=title]")).to_have_value("First")
    expect(page.locator("[name=amount]")).to_have_value("99999999")
    with answered(page, "**/edit/fold/"):
        key_on(page, "Fork", "f")
    expect(card(page, "Inner")).to_be_visible()
    page.locator("[name=amount]").fill("3")
    with answered(page, "**/edit/panel/**"):
        card(page, "Two").locator("[data-open]:not([data-talk])").click()
    first = draft(flow, alice).steps[0]
    assert (first.title, first.settings["amount"]) == ("First", 3)


def test_removing_something_else_applies_the_panel_first(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, drawn(world))
    open_designer(page, alice, live_server, flow)
    open_step(page, "One")
    page.locator("[name=title]").fill("First")
    key_on(page, "Two", "Delete")
    remove(page)
    assert titles(flow, alice) == ["First", "Fork", "Inner", "Three"]
    open_step(page, "First")
    page.locator("[name=title]").fill("Start")
    page.locator(".flow-branch[data-name='Bakers'] .flow-branch__label").click(button="right")
    page.get_by_role("menuitem", name="Remove").click()
    remove(page)
    assert titles(flow, alice) == ["Start", "Fork", "Inner", "Three"]
    assert [branch.name for branch in draft(flow, alice).steps[1].branches] == ["Chefs", "Everyone else"]
    open_step(page, "Start")
    page.locator("[name=title]").fill("Begin")
    for title in ("Fork", "Three"):
        key_on(page, title, "s")
    page.locator("[data-bar=remove]").click()
    remove(page)
    assert titles(flow, alice) == ["Begin"]


def test_what_is_wrong_in_the_panel_holds_back_other_removals_but_not_its_own(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, drawn(world))
    open_designer(page, alice, live_server, flow)
    open_step(page, "Inner")
    page.locator("[name=amount]").fill("99999999")
    key_on(page, "One", "Delete")
    with answered(page, "**/edit/apply/"):
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#id_amount_error")).to_contain_text("less than or equal to 10000")
    assert titles(flow, alice) == ["One", "Two", "Fork", "Inner", "Three"]
    # The split takes the open step with it.
    key_on(page, "Fork", "Delete")
    remove(page)
    assert titles(flow, alice) == ["One", "Two", "Three"]


def test_a_line_taken_out_is_a_change_that_saving_keeps(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    lines = [{"field": f"contact.{name}", "action": "set", "values": ["x"]} for name in ("job_title", "city")]
    change = step("update_contact", "Change", lines=lines)
    trigger = Trigger(
        kind="contact_updated",
        settings={"fields": [{"field": "contact.job_title"}, {"field": "contact.city"}]},
    )
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(change,), triggers=(trigger,)))
    open_designer(page, alice, live_server, flow)
    open_step(page, "Change")
    with answered(page, "**/edit/apply/"):
        page.get_by_role("button", name="Remove change 2").click()
    expect(page.locator(".flow-panel__hint")).to_have_text("Not applied yet")
    with answered(page, "**/edit/save/"):
        page.get_by_role("button", name="Save", exact=True).click()
    kept = draft(flow, alice).steps[0].settings["lines"]
    assert [line["field"] for line in kept] == ["contact.job_title"]
    open_part(page, "Contact updated")
    with answered(page, "**/edit/panel/**"):
        page.locator(f"#flow-panel [data-open='trigger:{trigger.id}']").click()
    with answered(page, "**/edit/apply/"):
        page.get_by_role("button", name="Remove field 1").click()
    open_step(page, "Change")
    (left,) = draft(flow, alice).triggers
    assert [line["field"] for line in left.settings["fields"]] == ["contact.city"]


def test_the_last_criterion_taken_out_is_a_change(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    line = Line(field="contact.job_title", operator="contains", values=("chef",))
    fork = split(Branch(name="Chefs", criteria=Criteria(groups=(Group(lines=(line,)),))), title="Fork")
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(step(title="One"), fork)))
    open_designer(page, alice, live_server, flow)
    with answered(page, "**/edit/panel/**"):
        page.locator(".flow-branch[data-name='Chefs'] [data-open]:not([data-talk])").first.click()
    with answered(page, "**/contacts/criteria/"):
        page.locator("#flow-panel").get_by_role("button", name="Remove this line").click()
    expect(page.locator(".flow-panel__hint")).to_have_text("Not applied yet")
    open_step(page, "One")
    left = draft(flow, alice).steps[1].branches[0].criteria
    assert left is None or left.is_empty


def test_control_s_in_a_field_applies_and_saves_and_control_z_stays_the_fields(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, drawn(world))
    open_designer(page, alice, live_server, flow)
    open_step(page, "One")
    page.locator("[name=title]").fill("First")
    with answered(page, "**/edit/save/"):
        page.locator("[name=title]").press("Control+s")
    expect(page.locator("#flow-saved")).to_contain_text("Saved as revision")
    assert titles(flow, alice) == ["First", "Two", "Fork", "Inner", "Three"]
    # Saved as it is, the button rests; what is typed then is saved all the same.
    page.locator("[name=title]").fill("")
    page.locator("[name=title]").press_sequentially("Start")
    page.locator("[name=title]").press("Control+z")
    expect(page.locator("[name=title]")).not_to_have_value("Start")
    assert titles(flow, alice) == ["First", "Two", "Fork", "Inner", "Three"]
    page.locator("[name=title]").fill("Begin")
    with answered(page, "**/edit/save/"):
        page.locator("[name=title]").press("Control+s")
    expect(page.locator("#flow-saved")).to_contain_text("Saved as revision")
    assert titles(flow, alice) == ["Begin", "Two", "Fork", "Inner", "Three"]
