"""The designer in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from flows.models import Flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page: Page, person: Person, live_server: Any) -> None:
    """Give the browser a session of the person's."""
    cookie = person.client().cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])


def open_designer(page: Page, person: Person, live_server: Any, flow: Flow) -> None:
    """Open the designer and wait until it is ready."""
    sign_in(page, person, live_server)
    page.goto(live_server.url + person.url(f"flows/{flow.pk}/edit/"))
    page.wait_for_selector("flow-canvas[data-ready]")


def add_step(page: Page, label: str, kind: str) -> None:
    """Press a plus and choose a kind."""
    page.get_by_role("button", name=label, exact=True).click()
    with page.expect_response("**/edit/op/"):
        page.get_by_role("menuitem", name=kind).click()
    page.wait_for_selector(".flow-panel form [name=title]")


def apply(page: Page) -> None:
    """Apply the panel's form and wait for the answer."""
    with page.expect_response("**/edit/apply/"):
        page.locator("#panel-apply").click()
    page.wait_for_timeout(50)


def test_the_storys_steps_are_drawn_by_clicking(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    add_step(page, "Add a step at the start of the flow", "Send email")
    page.locator("[name=title]").fill("Welcome email")
    page.locator("[name=email]").select_option(label="Welcome")
    apply(page)
    add_step(page, "Add a step after Welcome email", "Wait for time")
    page.locator("[name=amount]").fill("2")
    apply(page)
    add_step(page, "Add a step after Wait for time", "Split")
    apply(page)
    page.get_by_role("button", name="Actions for branch Everyone else").click()
    page.get_by_role("menuitem", name="End in exit flow").click()
    expect(page.locator(".flow-exit")).to_be_visible()
    add_step(page, "Add a step at the start of branch Branch 1", "Update contact")
    page.get_by_label("Field", exact=True).select_option(label="Job title")
    page.get_by_label("Value").fill("Chef")
    apply(page)
    add_step(page, "Add a step after Split", "Send email")
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        kinds = [node.kind for node in draft_of(flow).walk()]
    assert kinds == ["send_email", "wait_for_time", "split", "update_contact", "send_email"]
