"""The criteria editor in a real browser: a period is chosen, its fields appear, and what was chosen is kept."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from crm.criteria.schema import Line
from flows.models import Flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.drawing import answered, open_designer
from tests.flows.test_panels_in_chromium import both

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_period_and_a_currency_are_chosen_and_kept(
    page: Page, live_server: Any, alice: Person, flow: Flow
) -> None:
    open_designer(page, alice, live_server, flow)
    panel = page.locator("#flow-panel")
    page.goto(f"{page.url.split('?')[0]}?part=filter")
    panel.get_by_role("button", name="Add criterion").click()
    panel.get_by_label("Field").select_option("sale.amount_sold")
    expect(panel.get_by_label("Amount of sales won: currency")).to_have_value("NOK")
    panel.get_by_label("Amount of sales won =").fill("1000")
    panel.get_by_label("Amount of sales won: when").select_option("last")
    days = panel.get_by_label("Amount of sales won: when, days")
    expect(days).to_have_value("30")
    days.fill("90")
    panel.get_by_role("button", name="And", exact=True).click()
    second = panel.locator(".criteria-line").nth(1)
    second.get_by_label("Field").select_option("event.got")
    second.get_by_label("Got an email: when").select_option("in_period")
    second.locator("[name$='.w2']").select_option("quarter")
    panel.get_by_role("button", name="And", exact=True).click()
    third = panel.locator(".criteria-line").nth(2)
    third.get_by_label("Field").select_option("contact.created_at")
    third.get_by_label("Compare").select_option("days_ago")
    third.get_by_label("Created is more than").fill("365")
    both(page, "criteria-periods")
    with answered(page, "**/edit/apply/**"):
        panel.get_by_role("button", name="Apply").click()

    with tenant_scope(alice.tenant.pk):
        kept = draft_of(Flow.objects.get(pk=flow.pk)).filter
    assert kept is not None
    assert kept.groups[0].lines == (
        Line(field="sale.amount_sold", operator="eq", values=("1000",), days=90, currency="NOK"),
        Line(
            field="event.got",
            operator="at_least",
            values=("1",),
            when="in_period",
            when_values=("this", "1", "quarter"),
        ),
        Line(field="contact.created_at", operator="days_ago", values=("365",)),
    )
