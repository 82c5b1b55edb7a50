"""The designer in a real browser: drawn by clicking, by keys alone, by two people at once, at every width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria
from crm.criteria.sql import lines_of
from flows.document import Branch, ExitSettings, FlowDocument
from flows.models import Flow
from flows.operations import drafts
from flows.operations.drafts import draft_of
from flows.queries import newest_document
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import job, split, step
from tests.flows.drawing import draw_the_story, open_designer, sign_in
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
AXE = Path(settings.BASE_DIR) / "node_modules" / "axe-core" / "axe.min.js"


def titles(flow: Flow, person: Person) -> list[str]:
    """Return the titles of the draft's steps."""
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
        return [node.title for node in draft_of(flow).walk()]


def give(flow: Flow, person: Person, document: FlowDocument) -> None:
    """Make a document the flow's draft."""
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
        drafts.apply(
            flow_id=flow.pk,
            base_version=flow.draft_version,
            change=lambda _: document,
            label="given",
            actor=person.user,
            now=NOW,
        )


def test_the_storys_flow_is_drawn_by_clicking_and_started(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    draw_the_story(page)
    page.get_by_role("switch", name="Running").click()
    expect(page.locator("#flow-state")).to_have_text("Running")
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        document = newest_document(flow.pk)
    assert [node.kind for node in document.walk()] == [
        "send_email",
        "wait_for_time",
        "split",
        "update_contact",
        "send_email",
    ]
    chefs, nordics, others = document.steps[2].branches
    assert chefs.criteria == job("chef")
    (line,) = lines_of(nordics.criteria or Criteria())
    assert (line.field, line.values) == ("contact.country", ("NO", "SE"))
    assert others.exit == ExitSettings(selection=world.excluded.pk)
    assert document.settings.exclusions == (world.excluded.pk,)
    assert [trigger.kind for trigger in document.triggers] == ["contact_created", "added_to_selection"]
    assert flow.status == "running"


def test_a_flow_is_drawn_moved_and_undone_with_the_keyboard_alone(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    keys = page.keyboard

    def press(*names: str) -> None:
        for name in names:
            keys.press(name)

    def answered(*names: str) -> None:
        # Not the word that this window is still open, which goes out by itself.
        with page.expect_response(lambda answer: "/edit/" in answer.url and "/here/" not in answer.url):
            press(*names)
        page.wait_for_timeout(150)

    page.locator("flow-canvas").focus()
    press("ArrowDown", "ArrowDown", "Enter")
    expect(page.get_by_role("menuitem", name="Send email")).to_be_focused()
    press("ArrowDown", "ArrowDown")
    expect(page.get_by_role("menuitem", name="Wait for time")).to_be_focused()
    answered("Enter")
    expect(page.get_by_role("button", name="Wait for time No time set")).to_be_focused()
    answered("d")
    assert titles(flow, alice) == ["Wait for time", "Wait for time"]
    answered("Enter")
    page.locator("[name=title]").focus()
    press("Control+a")
    keys.type("Second wait")
    answered("Enter")
    assert titles(flow, alice) == ["Wait for time", "Second wait"]
    answered("Escape")
    press("x")
    expect(page.locator(".flow-placing")).to_contain_text("Move “Second wait”: choose a place")
    answered("Enter")
    assert titles(flow, alice) == ["Second wait", "Wait for time"]
    expect(page.locator("#flow-live")).to_have_text("Second wait moved.")
    expect(page.locator("[data-title='Second wait'] [data-open]:not([data-talk])")).to_be_focused()
    answered("Control+z")
    assert titles(flow, alice) == ["Wait for time", "Second wait"]
    page.locator("[data-title='Second wait'] [data-open]:not([data-talk])").focus()
    press("Delete")
    expect(page.get_by_role("dialog")).to_contain_text("Remove “Second wait”?")
    press("Tab")
    answered("Enter")
    assert titles(flow, alice) == ["Wait for time"]


def test_the_second_of_two_browsers_is_told_and_nothing_is_overwritten(
    page: Page, browser: Browser, live_server: Any, alice: Person, bob: Person, flow: Flow, world: World
) -> None:
    other = browser.new_page()
    open_designer(page, alice, live_server, flow)
    open_designer(other, bob, live_server, flow)
    for who, label in ((other, "Wait for time"), (page, "Send email")):
        who.get_by_role("button", name="Add a step at the start of the flow").click()
        with who.expect_response("**/edit/op/") as answer:
            who.get_by_role("menuitem", name=label).click()
        assert answer.value.status == (200 if who is other else 409)
    expect(page.locator("#flow-notice")).to_contain_text(
        "Bob Larsen changed this flow while you were editing"
    )
    expect(page.locator("#flow-notice")).to_contain_text("added “Wait for time”")
    assert titles(flow, alice) == ["Wait for time"]
    page.locator("#flow-notice").get_by_role("button", name="Show the newest").click()
    expect(page.get_by_role("button", name="Wait for time No time set")).to_be_visible()
    other.close()


def test_two_at_one_step_see_each_other_and_what_was_typed_is_kept_and_applied_onto_the_newest(
    page: Page, browser: Browser, live_server: Any, alice: Person, bob: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(step(title="Wait"),)))
    other = browser.new_page()
    for who, person in ((page, alice), (other, bob)):
        open_designer(who, person, live_server, flow)
        who.get_by_role("button", name="Wait No time set").click()
        who.locator("[name=title]").wait_for()
    expect(page.locator("flow-presence")).to_contain_text("Bob Larsen at “Wait”", timeout=15_000)
    expect(page.locator(".flow-card__other")).to_have_text("Bob Larsen is here")
    assert accessibility_faults(page) == []
    page.locator("[name=title]").fill("Hers")
    other.locator("[name=title]").fill("His")
    with other.expect_response("**/edit/apply/"):
        other.locator("#panel-apply").click()
    expect(page.locator(".flow-behind")).to_contain_text("Bob Larsen changed this flow", timeout=15_000)
    page.locator(".flow-behind").get_by_role("button", name="Show the newest").click()
    expect(page.locator("[data-title='His']")).to_be_visible()
    expect(page.locator("[name=title]")).to_have_value("Hers")
    with page.expect_response("**/edit/apply/") as answer:
        page.locator("#panel-apply").click()
    assert answer.value.status == 409
    expect(page.locator("#panel-conflict")).to_contain_text("What is open here was changed too")
    expect(page.locator("[name=title]")).to_have_value("Hers")
    assert titles(flow, alice) == ["His"]
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Keep what I typed").click()
    expect(page.locator("#panel-conflict")).to_be_hidden()
    with page.expect_response("**/edit/apply/") as answer:
        page.locator("#panel-apply").click()
    assert answer.value.status == 200
    assert titles(flow, alice) == ["Hers"]
    other.close()
    expect(page.locator("flow-presence")).not_to_contain_text("Bob Larsen at", timeout=15_000)


def test_what_was_typed_stays_with_the_error_at_its_field(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(step(title="Wait"),)))
    open_designer(page, alice, live_server, flow)
    page.get_by_role("button", name="Wait No time set").click()
    page.locator("[name=title]").fill("Long wait")
    page.locator("[name=amount]").fill("99999999")
    with page.expect_response("**/edit/apply/") as answer:
        page.locator("#panel-apply").click()
    assert answer.value.status == 422
    expect(page.locator("#id_amount_error")).to_contain_text("less than or equal to 10000")
    assert page.locator("[name=title]").input_value() == "Long wait"
    assert page.locator("[name=amount]").input_value() == "99999999"
    assert titles(flow, alice) == ["Wait"]


def test_a_problem_leads_to_its_step_and_a_step_moves_by_tapping(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    document = FlowDocument(
        settings=world.settings(), steps=(step(title="First"), split(Branch(name="Chefs"), title="Fork"))
    )
    give(flow, alice, document.model_copy(update={"steps": (*document.steps, step("send_email", "Last"))}))
    page.set_viewport_size({"width": 390, "height": 844})
    open_designer(page, alice, live_server, flow)
    page.get_by_role("button", name="to fix").click()
    page.locator(".flow-problems button", has_text="Last").click()
    expect(page.locator("#flow-panel h2")).to_have_text("Last")
    page.locator("#flow-panel [data-close-panel]").click()
    page.get_by_role("button", name="Actions for First").click()
    page.get_by_role("menuitem", name="Move to…").click()
    with page.expect_response("**/edit/op/") as answer:
        page.get_by_role("button", name="Add a step after Last").click()
    assert answer.value.status == 200, answer.value.text()
    assert titles(flow, alice) == ["Fork", "Last", "First"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_designer(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World, theme: str
) -> None:
    inner = (step("send_email", "Welcome"), step(title="Wait"))
    fork = split(Branch(name="Chefs", criteria=job("chef"), steps=inner), title="Fork")
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(step("send_email", "First"), fork)))
    sign_in(page, alice, live_server)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    for part in [
        "",
        "start",
        "finish",
        "messages",
        "details",
        "problems",
        f"step:{inner[0].id}",
        f"branch:{fork.branches[0].id}",
    ]:
        page.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/?part={part}"))
        page.evaluate("t => { document.documentElement.dataset.bsTheme = t }", theme)
        page.wait_for_selector("flow-canvas[data-ready]")
        page.wait_for_timeout(300)
        assert accessibility_faults(page) == [], part
