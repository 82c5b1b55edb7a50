"""Triggers and criteria in a real browser: fields watched, events from outside, engagement counted, keys made."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from crm.criteria.schema import Line
from crm.criteria.sql import lines_of
from flows.document import FlowDocument, Trigger
from flows.models import Flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.drawing import answered, apply, sign_in
from tests.flows.test_designer_in_chromium import give
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def look(page: Page, name: str) -> None:
    """Keep a picture where MILLRACE_PICTURES names a folder."""
    if folder := os.environ.get("MILLRACE_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), caret="initial")


def draft(flow: Flow, person: Person) -> FlowDocument:
    """Return the draft as it stands."""
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
        return draft_of(flow)


def open_trigger(page: Page, flow: Flow, person: Person, live_server: Any, kind: str) -> None:
    """Give the flow one trigger and open its panel."""
    trigger = Trigger(kind=kind)
    give(flow, person, draft(flow, person).model_copy(update={"triggers": (trigger,)}))
    sign_in(page, person, live_server)
    page.goto(live_server.url + person.url(f"flows/{flow.pk}/edit/?part=trigger:{trigger.id}"))
    page.wait_for_selector(".flow-panel form")


def test_a_field_is_watched_and_engagement_is_asked_for(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_trigger(page, flow, alice, live_server, "contact_updated")
    panel = page.locator("#flow-panel")
    with answered(page, "**/edit/apply/"):
        panel.get_by_role("button", name="Name a field").click()
    with answered(page, "**/edit/apply/"):
        panel.locator("[name=line-0-field]").select_option(label="Country")
    to = panel.get_by_role("group", name=re.compile("^To"))
    to.locator("summary").press("Enter")
    to.get_by_label("Find in: To").fill("orw")
    expect(to.get_by_label("Sweden")).to_be_hidden()
    to.get_by_label("Norway").check()
    to.get_by_label("Find in: To").fill("")
    to.get_by_label("Sweden").check()
    look(page, "country-choices")
    page.keyboard.press("Escape")
    expect(to.locator("summary")).to_have_text("To: Norway, Sweden")
    with answered(page, "**/contacts/criteria/"):
        panel.get_by_role("button", name="Add criterion").click()
    with answered(page, "**/contacts/criteria/"):
        panel.get_by_label("Field", exact=True).last.select_option(label="Opened an email")
    panel.get_by_label("Opened an email at least").fill("2")
    with answered(page, "**/contacts/criteria/"):
        panel.get_by_label("Opened an email: when").select_option("last")
    panel.get_by_label("Opened an email: when, days").fill("30")
    page.locator(".criteria").scroll_into_view_if_needed()
    look(page, "contact-updated")
    apply(page)
    assert accessibility_faults(page) == []
    [trigger] = draft(flow, alice).triggers
    assert trigger.settings == {"fields": [{"field": "contact.country", "was": [], "becomes": ["NO", "SE"]}]}
    assert trigger.criteria is not None
    [line] = lines_of(trigger.criteria)
    assert line == Line(field="event.opened", operator="at_least", values=("2",), days=30)
    expect(page.locator("flow-canvas")).to_contain_text("Country to Norway or Sweden")


def test_an_event_from_outside_with_a_condition(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_trigger(page, flow, alice, live_server, "outside_event")
    panel = page.locator("#flow-panel")
    panel.get_by_label("Event").first.fill("order.placed")
    with answered(page, "**/edit/apply/"):
        panel.get_by_role("button", name="Add a condition").click()
    panel.locator("[name=condition-0-path]").fill("order.total")
    with answered(page, "**/edit/apply/"):
        panel.locator("[name=condition-0-operator]").select_option("ge")
    panel.locator("[name=condition-0-value]").fill("100")
    look(page, "outside-event")
    apply(page)
    assert accessibility_faults(page) == []
    [trigger] = draft(flow, alice).triggers
    condition = {"path": "order.total", "operator": "ge", "value": "100"}
    assert trigger.settings == {"name": "order.placed", "conditions": [condition]}
    page.set_viewport_size({"width": 390, "height": 800})
    look(page, "outside-event-phone")


def test_a_key_is_made_copied_and_revoked(page: Page, live_server: Any, alice: Person) -> None:
    sign_in(page, alice, live_server)
    page.goto(live_server.url + alice.url("settings/api-keys/"))
    expect(page.get_by_text("No keys yet")).to_be_visible()
    page.get_by_label("Name").fill("Web shop")
    page.get_by_label("Post events").check()
    page.get_by_role("button", name="Make key").click()
    expect(page.locator("code.api-key")).to_contain_text("mr_")
    look(page, "api-keys")
    assert accessibility_faults(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    look(page, "api-keys-phone")
    page.get_by_role("button", name="Actions for Web shop").click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("The key Web shop no longer works.")).to_be_visible()
