"""The panels in a real browser: problems that lead to their field, menus of what can be added, at both widths."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Licence
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.models import ListItem, SaleStage, Selection
from flows.document import Branch, FlowDocument
from flows.models import Flow
from flows.operations.folding import keep_folded
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import split, step
from tests.flows.drawing import answered, open_designer
from tests.flows.test_designer_in_chromium import give
from tests.flows.test_triggers_in_chromium import draft, look
from tests.support.axe import accessibility_faults

OPEN = "part => document.querySelector('flow-designer').open(part, { focus: false })"
pytestmark = pytest.mark.django_db(transaction=True)


def both(page: Page, name: str) -> None:
    """Look at a state at both widths and in both themes; axe finds nothing."""
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.bsTheme = '{theme}'")
        page.wait_for_timeout(400)
        assert accessibility_faults(page) == [], theme
        for width, height in ((1440, 900), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(150)
            look(page, f"{name}-{width}-{theme}")
        page.set_viewport_size({"width": 1440, "height": 900})
    page.evaluate("document.documentElement.dataset.bsTheme = 'light'")


def title(text: str) -> Line:
    return Line(field="contact.job_title", operator="is", values=(text,))


def test_each_problem_leads_to_the_field_at_fault(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    never = Criteria(groups=(Group(lines=(title("chef"), title("cook"))),))
    document = FlowDocument(
        settings=world.settings(),
        filter=never,
        steps=(
            step("wait_for_time", "Wait"),
            step("update_contact", "Change"),
            step("wait_for_action", "Ever", limited=False),
            split(Branch(name="Cooks", criteria=never)),
        ),
    )
    give(flow, alice, document)
    open_designer(page, alice, live_server, flow)
    panel = page.locator("#flow-panel")
    page.locator("[data-flow-action='open-problems']").click()
    expect(panel.locator(".flow-problems li")).to_have_count(6)
    both(page, "problems")

    def go(text: str) -> None:
        page.locator("[data-flow-action='open-problems']").click()
        with answered(page, "**/edit/panel/**"):
            panel.get_by_role("button", name=re.compile(text)).click()

    go("Say how long to wait")
    expect(panel.locator("[name=amount]")).to_be_focused()
    expect(panel.locator(".field.is-fault")).to_contain_text("How many")
    both(page, "problem-field")
    go("Without a maximum")
    expect(panel.locator("[name=limited]")).to_be_focused()
    go("Choose what to wait for")
    go("Say what to change")
    expect(panel.locator("[name=line-0-field]")).to_be_focused()
    go("Filter.*[Nn]obody can match")
    expect(panel.locator(".criteria select").first).to_be_focused()
    go("Cooks.*nobody can match")
    expect(panel.locator("[data-part^='branch:']")).to_be_visible()
    expect(panel.locator("flow-faults")).to_contain_text("nobody can match")


def test_a_problem_of_view_flow_leads_to_the_field_or_branch_at_fault(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    never = Criteria(groups=(Group(lines=(title("chef"), title("cook"))),))
    waits = tuple(step("wait_for_time", f"Wait {n}", amount=1) for n in range(12))
    document = FlowDocument(
        settings=world.settings(),
        steps=(*waits, step("wait_for_time", "Last"), split(Branch(name="Cooks", criteria=never))),
    )
    give(flow, alice, document)
    with tenant_scope(alice.tenant.pk):
        keep_folded(
            flow_id=flow.pk, user=alice.user, folded=[document.steps[-1].id], document=document, now=NOW
        )
    open_designer(page, alice, live_server, flow)
    summary = live_server.url + alice.url(f"flows/{flow.pk}/")
    page.goto(summary)
    page.locator("#problems").get_by_role("link", name="Last").click()
    expect(page.locator("#flow-panel [name=amount]")).to_be_focused()
    expect(page.locator("[data-title='Last']")).to_be_in_viewport()
    page.goto(summary)
    page.locator("#problems li", has_text="Cooks").get_by_role("link").click()
    expect(page.locator("#flow-panel [data-part^='branch:'] flow-faults")).to_contain_text("nobody can match")
    expect(page.locator("[data-name=Cooks]")).to_be_in_viewport()


def test_a_long_list_is_searched_and_what_it_lacks_is_made_beside_it(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    sale = step("create_sale", "Sale", currency="EUR")
    with tenant_scope(alice.tenant.pk):
        Licence.objects.get_or_create(code=Licence.Code.SALES)
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(sale,)))
    open_designer(page, alice, live_server, flow)
    panel = page.locator("#flow-panel")
    page.evaluate(OPEN, "settings")
    zone = panel.get_by_role("combobox", name="Timezone")
    expect(zone).to_have_value("Europe/Oslo")
    zone.fill("new york")
    expect(panel.get_by_role("option")).to_have_text(["America/New York"])
    both(page, "timezone-search")
    zone.press("Enter")
    expect(zone).to_have_value("America/New York")
    zone.fill("nowhere at all")
    expect(panel.get_by_text("Nothing is called that.")).to_be_visible()
    zone.press("Escape")
    expect(zone).to_have_value("America/New York")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    assert draft(flow, alice).settings.timezone == "America/New_York"

    page.evaluate(OPEN, f"step:{sale.id}")
    money = panel.get_by_role("combobox", name="Currency")
    expect(money).to_have_value("EUR Euro")
    both(page, "create-sale")
    money.fill("krone")
    panel.get_by_role("option", name="NOK Norwegian krone").click()
    panel.get_by_role("button", name="New stage").click()
    dialog = page.locator("#flow-make")
    dialog.get_by_label("Sale type").select_option(label="New business")
    dialog.get_by_label("Name").fill("Handshake")
    dialog.get_by_label("Probability (%)").fill("80")
    both(page, "new-stage")
    dialog.get_by_role("button", name="Make").click()
    expect(dialog).to_be_hidden()
    expect(panel.get_by_role("combobox", name="Type and stage")).to_have_value(
        "New business: Handshake (80 %)"
    )

    panel.get_by_label("Title of the sale").fill("Renewal")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    [kept] = draft(flow, alice).steps
    with tenant_scope(alice.tenant.pk):
        stage = SaleStage.objects.get(name="Handshake")
    assert kept.settings["currency"] == "NOK"
    assert (kept.settings["sale_type"], kept.settings["stage"]) == (stage.type_id, stage.pk)
    assert kept.settings["sale_title"] == "Renewal"


def test_a_value_of_a_list_is_made_beside_the_line_that_wants_it(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    lines = [{"field": "contact.interests", "action": "add", "values": []}]
    change = step("update_contact", "Change", lines=lines)
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(change,)))
    open_designer(page, alice, live_server, flow)
    panel, dialog = page.locator("#flow-panel"), page.locator("#flow-make")
    page.evaluate(OPEN, f"step:{change.id}")
    panel.get_by_role("button", name="New interest").click()
    dialog.get_by_label("Name").fill("Curling")
    dialog.get_by_role("button", name="Make").click()
    expect(panel.locator("choice-list summary")).to_contain_text("Curling")
    both(page, "new-interest")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    [kept] = draft(flow, alice).steps
    with tenant_scope(alice.tenant.pk):
        item = ListItem.objects.get(name="Curling")
    assert kept.settings["lines"][0]["values"] == [str(item.pk)]


def test_a_trigger_is_found_and_added_with_the_keyboard(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    page.get_by_role("button", name="Added by hand").click()
    menu = page.locator(".flow-add")
    expect(menu.get_by_role("button", name="Contact created")).to_be_hidden()
    menu.locator("summary").press("Enter")
    find = page.get_by_label("Find a trigger to add")
    expect(find).to_be_focused()
    both(page, "add-trigger")
    find.fill("zebra")
    expect(menu.get_by_text("Nothing is called that")).to_be_visible()
    page.keyboard.press("Enter")
    find.fill("sale")
    expect(menu.locator("[data-op]:visible b")).to_have_text(
        ["Sale created", "Sale sold", "Sale lost", "Request created"]
    )
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Enter")
    assert [trigger.kind for trigger in draft(flow, alice).triggers] == ["sale_sold"]
    page.get_by_role("button", name="Trigger", exact=False).first.click()
    menu.locator("summary").click()
    page.keyboard.press("Escape")
    expect(menu.locator("summary")).to_be_focused()
    expect(page.locator("#flow-panel [data-part='start']")).to_be_visible()


def test_a_long_list_is_searched_with_the_keyboard_and_keeps_the_chosen_name(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    with tenant_scope(alice.tenant.pk):
        Selection.objects.bulk_create(
            Selection(name=f"List {n:03}", created_at=NOW, tenant_id=alice.tenant.pk) for n in range(60)
        )
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(step("add_to_selection", "Add"),)))
    open_designer(page, alice, live_server, flow)
    with answered(page, "**/edit/panel/**"):
        page.locator("[data-title='Add'] [data-open]:not([data-talk])").click()
    panel = page.locator("#flow-panel")
    box = panel.get_by_role("combobox", name="Selection")
    expect(box).to_have_value("None")
    panel.locator("[name=note]").fill("Typed before")
    box.click()
    expect(panel.locator("search-select [role=option]")).to_have_count(27)
    both(page, "search-open")
    box.click()
    box.fill("list 05")
    expect(panel.locator("search-select [role=option]")).to_have_count(10)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(panel.locator(".is-marked")).to_have_text("List 052")
    page.keyboard.press("Enter")
    expect(box).to_have_value("List 052")
    expect(panel.get_by_role("listbox")).to_be_hidden()
    box.fill("zzz")
    expect(panel.get_by_text("No selection is called that.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_have_value("List 052")
    expect(panel.locator("[name=note]")).to_have_value("Typed before")
    with answered(page, "**/edit/apply/"):
        panel.get_by_role("button", name="Apply").click()
    expect(box).to_have_value("List 052")
    (node,) = draft(flow, alice).walk()
    with tenant_scope(alice.tenant.pk):
        assert node.settings["selection"] == Selection.objects.get(name="List 052").pk
    assert node.note == "Typed before"


def test_long_lists_of_boxes_are_searched_with_the_keyboard_and_keep_what_is_ticked(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    with tenant_scope(alice.tenant.pk):
        made = Selection.objects.bulk_create(
            Selection(name=f"List {n:03}", created_at=NOW, tenant_id=alice.tenant.pk) for n in range(60)
        )
    settings = world.settings().model_copy(update={"exclusions": (made[59].pk,)})
    give(flow, alice, FlowDocument(settings=settings))
    open_designer(page, alice, live_server, flow)
    page.locator("[data-flow-action='open-settings']").click()
    with answered(page, "**/edit/panel/**"):
        page.get_by_role("button", name="Enrolment").click()
    panel = page.locator("#flow-panel")
    expect(panel.get_by_role("button", name="Enrolment")).to_have_attribute("aria-current", "page")
    group = panel.get_by_role("group", name="Exclusion list")
    assert group.get_by_role("checkbox").count() == 26
    expect(group.get_by_role("checkbox").first).to_have_accessible_name("List 059")
    expect(group.get_by_role("checkbox").first).to_be_checked()
    find = group.get_by_role("searchbox", name="Find in: Exclusion list")
    find.fill("list 04")
    expect(group.get_by_role("checkbox")).to_have_count(11)
    expect(group.get_by_role("status")).to_have_text("10 found.")
    expect(panel.locator(".flow-panel__hint")).to_be_empty()
    both(page, "boxes-found")
    find.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    find.focus()
    find.fill("list 00")
    expect(group.get_by_role("checkbox")).to_have_count(12)
    page.keyboard.press("Enter")
    find.fill("nothing at all")
    expect(group.get_by_role("status")).to_have_text("No selection is called that.")
    assert [one.evaluate("b => b.labels[0].textContent.trim()") for one in group.get_by_role("checkbox").all()] == [
        "List 059", "List 041", "List 000"
    ]  # fmt: skip
    with answered(page, "**/edit/apply/"):
        panel.get_by_role("button", name="Apply").click()
    assert set(draft(flow, alice).settings.exclusions) == {made[0].pk, made[41].pk, made[59].pk}
    expect(group.get_by_role("checkbox", checked=True)).to_have_count(3)
    expect(find).to_be_visible()


def test_what_is_missing_is_made_beside_its_choice_and_nothing_typed_is_lost(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    steps = (step("add_to_selection", "Add"), step("wait_for_action", "Wait"))
    give(flow, alice, FlowDocument(settings=world.settings(), steps=steps))
    open_designer(page, alice, live_server, flow)
    panel, dialog = page.locator("#flow-panel"), page.locator("#flow-make")
    with answered(page, "**/edit/panel/**"):
        page.locator("[data-title='Add'] [data-open]:not([data-talk])").click()
    panel.get_by_label("Internal note").fill("Typed before")
    panel.get_by_role("button", name="New selection").press("Enter")
    expect(dialog.get_by_label("Name")).to_be_focused()
    both(page, "make-selection")
    page.keyboard.type("Competitors")
    page.keyboard.press("Enter")
    expect(dialog.locator(".has-error")).to_contain_text("already")
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_label("Name").fill("Fans 💚")
    dialog.get_by_role("button", name="Make it and choose it").click()
    expect(dialog).to_be_hidden()
    expect(panel.locator("[name=selection] option:checked")).to_have_text("Fans 💚")
    expect(panel.get_by_role("button", name="New selection")).to_be_focused()
    expect(panel.get_by_role("link", name="Open “Fans 💚”")).to_be_visible()
    expect(panel.get_by_label("Internal note")).to_have_value("Typed before")
    both(page, "made-selection")
    with answered(page, "**/edit/panel/**"):
        page.locator("[data-title='Wait'] [data-open]:not([data-talk])").click()
    expect(panel.get_by_role("group", name="Until the contact does any of these")).to_be_visible()
    assert draft(flow, alice).steps[0].note == "Typed before"
    panel.get_by_role("button", name="New form").click()
    dialog.get_by_label("Name").fill("Sign-up")
    page.keyboard.press("Enter")
    expect(panel.get_by_label("Submits “Sign-up”")).to_be_checked()
    panel.get_by_role("button", name="New tracked link").click()
    expect(dialog.get_by_label("Address")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    both(page, "made-form")
    with answered(page, "**/edit/apply/"):
        panel.get_by_role("button", name="Apply").click()
    expect(panel.get_by_label("Submits “Sign-up”")).to_be_checked()
    with tenant_scope(alice.tenant.pk):
        kept = [node.settings for node in draft(flow, alice).steps]
        assert kept[0]["selection"] == Selection.objects.get(name="Fans 💚").pk
        assert [action["kind"] for action in kept[1]["actions"]] == ["form"]


def test_what_happens_when_the_time_of_a_wait_is_up_is_asked_only_where_it_counts(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    steps = (step("wait_for_action", "Wait"),)
    give(flow, alice, FlowDocument(settings=world.settings(), steps=steps))
    open_designer(page, alice, live_server, flow)
    page.evaluate(OPEN, f"step:{steps[0].id}")
    panel = page.locator("#flow-panel")
    limited, exits = panel.get_by_label("Wait at most"), panel.get_by_label("Exit flow when the time is up")
    selection, amount = panel.get_by_label("Then add to selection"), panel.get_by_label("How many")
    expect(exits).to_be_visible()
    expect(selection).to_be_hidden()
    exits.check()
    expect(selection).to_be_visible()
    limited.uncheck()
    expect(amount).to_be_hidden()
    expect(selection).to_be_hidden()
    limited.check()
    amount.fill("99999999")
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()
    expect(panel.locator(".field-error").first).to_be_visible()
    limited.uncheck()
    expect(panel.locator(".field-error").first).to_be_visible()
