"""The criteria editor in a real browser: a period is chosen, its fields appear, and what was chosen is kept."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from content.forms.document import FormDocument, FormField
from content.operations.forms import create_form
from core.tenancy import tenant_scope
from crm.criteria.schema import Line
from flows.document import Branch, FlowDocument, StepNode
from flows.models import Flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.conftest import NOW
from tests.flows.drawing import answered, open_designer
from tests.flows.test_designer_in_chromium import give
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
    # "This" asks for no number, "last" does.
    number = second.get_by_label("Got an email: when: how many")
    expect(number).to_have_count(0)
    second.get_by_label("Got an email: when: this, next or last").select_option("last")
    expect(number).to_have_value("1")
    second.get_by_label("Got an email: when: this, next or last").select_option("this")
    expect(number).to_have_count(0)
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


def test_a_line_that_has_just_appeared_answers_at_once(
    page: Page, live_server: Any, alice: Person, flow: Flow
) -> None:
    """Whoever is quicker than the eye (a script, a key held down) finds no control without its handlers."""
    open_designer(page, alice, live_server, flow)
    panel = page.locator("#flow-panel")
    page.goto(f"{page.url.split('?')[0]}?part=filter")
    choose = """() => document.addEventListener("htmx:afterSwap", () => setTimeout(() => {
      const field = document.querySelector(".criteria-line [name$='.field']");
      field.value = "sale.amount_sold";
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }), { once: true })"""
    expect(panel.locator(".criteria-count")).not_to_be_empty()
    page.evaluate(choose)
    panel.get_by_role("button", name="Add criterion").click()
    expect(panel.get_by_label("Amount of sales won: currency")).to_have_value("NOK")


def test_a_branch_asks_for_two_answers_of_a_form(
    page: Page, live_server: Any, alice: Person, flow: Flow
) -> None:
    with tenant_scope(alice.tenant.pk):
        topic = FormField(key="topic", kind="dropdown", label="Topic", options=("Mills", "Races"))
        fields = (FormField(key="size", kind="number", label="Company size"), topic)
        form = create_form(name="Sign-up", actor=alice.user, now=NOW, document=FormDocument(fields=fields))
    branch = Branch(name="Large mills")
    node = StepNode(
        kind="split",
        title="Answers",
        settings={"based_on": "form_data", "form": form.pk},
        branches=(branch, Branch(name="Everyone else")),
    )
    give(flow, alice, FlowDocument(steps=(node,)))
    open_designer(page, alice, live_server, flow)
    page.goto(f"{page.url.split('?')[0]}?part=branch:{branch.id}")
    panel = page.locator("#flow-panel")
    with answered(page, "**/edit/apply/**"):
        panel.get_by_label("Question").select_option("size")
    with answered(page, "**/edit/apply/**"):
        panel.get_by_label("Answer", exact=True).select_option("greater")
    panel.get_by_label("Value").fill("50")
    with answered(page, "**/edit/apply/**"):
        panel.get_by_role("button", name="Ask for one more answer").click()
    panel.get_by_label("How answer 2 follows").select_option("or")
    with answered(page, "**/edit/apply/**"):
        panel.get_by_label("Question").nth(1).select_option("topic")
    panel.get_by_label("Value").nth(1).fill("Mills")
    both(page, "split-answers")
    with answered(page, "**/edit/apply/**"):
        panel.get_by_role("button", name="Apply").click()

    words = "“Company size” is more than “50”, or “Topic” is “Mills”"
    expect(page.locator("flow-canvas")).to_contain_text(words)
