"""Panels of the steps that give work to colleagues, in a real browser: filled in, accessible, kept in the draft."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from flows.document import StepNode
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import step
from tests.flows.drawing import apply, sign_in
from tests.flows.test_designer_in_chromium import give
from tests.flows.test_triggers_in_chromium import draft, look
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def open_step(page: Page, flow: Flow, person: Person, live_server: Any, node: StepNode) -> None:
    """Give the flow one step and open its panel."""
    give(flow, person, draft(flow, person).model_copy(update={"steps": (node,)}))
    sign_in(page, person, live_server)
    page.goto(live_server.url + person.url(f"flows/{flow.pk}/edit/?part=step:{node.id}"))
    page.wait_for_selector(".flow-panel form")


def kept(flow: Flow, person: Person) -> dict[str, Any]:
    """Return the settings of the only step in the draft."""
    return draft(flow, person).steps[0].settings


def test_a_meeting_for_one_user_is_filled_in(
    page: Page, live_server: Any, alice: Person, rory: Person, flow: Flow, world: World
) -> None:
    open_step(page, flow, alice, live_server, step("create_follow_up", "Meet"))
    panel = page.locator("#flow-panel")
    expect(panel.get_by_label("Minutes")).to_be_hidden()
    expect(panel.get_by_label("User", exact=False).first).to_be_hidden()
    panel.get_by_label("Meeting", exact=True).check()
    panel.get_by_label("Title of the follow-up").fill("Demo")
    panel.get_by_label("Later").check()
    panel.get_by_label("After").fill("2")
    panel.get_by_label("Minutes").fill("45")
    panel.locator("[name=who]").select_option("named")
    panel.locator("[name=user]").select_option(label="Rory Silva")
    look(page, "create-follow-up")
    apply(page)
    assert accessibility_faults(page) == []
    found = kept(flow, alice)
    assert (found["what"], found["subject"], found["amount"], found["unit"]) == (
        "meeting",
        "Demo",
        2,
        "workdays",
    )
    assert (found["minutes"], found["who"], found["user"]) == (45, "named", rory.user.pk)
    expect(page.locator("flow-canvas")).to_contain_text("for Rory Silva")


def test_users_are_chosen_to_hand_contacts_to(
    page: Page, live_server: Any, alice: Person, rory: Person, flow: Flow, world: World
) -> None:
    open_step(page, flow, alice, live_server, step("distribute_to_owner", "Hand out"))
    panel = page.locator("#flow-panel")
    panel.get_by_label("Rory Silva").check()
    panel.get_by_label("Sales").check()
    look(page, "distribute-to-owner")
    apply(page)
    assert accessibility_faults(page) == []
    with tenant_scope(alice.tenant.pk):
        group = rory.member.group_id
    assert (kept(flow, alice)["users"], kept(flow, alice)["groups"]) == ([rory.user.pk], [group])


def test_a_mail_to_a_colleague_is_written_with_merge_tags(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_step(page, flow, alice, live_server, step("notify_by_email", "Tell"))
    panel = page.locator("#flow-panel")
    panel.get_by_label("These addresses").check()
    panel.get_by_label("Addresses", exact=False).last.fill("boss@acme.test")
    panel.get_by_label("Subject").fill("Lead")
    panel.locator("[name=text]").fill("Call ")
    panel.get_by_text("Merge tags").click()
    panel.get_by_role("button", name="Full name").first.click()
    look(page, "notify-by-email")
    apply(page)
    assert accessibility_faults(page) == []
    found = kept(flow, alice)
    assert (found["addresses"], found["text"]) == (["boss@acme.test"], "Call {{ contact.name }}")
