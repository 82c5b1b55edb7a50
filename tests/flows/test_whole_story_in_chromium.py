"""The whole welcome flow of the main job, criteria and all, by keys alone and by a finger on a phone, and started."""

from __future__ import annotations

from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria
from crm.criteria.sql import lines_of
from flows.document import ExitSettings
from flows.models import Flow
from flows.queries import newest_document
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import job
from tests.flows.drawing import answered, open_designer, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
PANEL, CRITERIA, APPLY, OP = "**/edit/panel/**", "**/contacts/criteria/", "**/edit/apply/", "**/edit/op/"


class Hand(Protocol):
    """A way to work: presses, types, chooses; `card` presses something on the canvas."""

    page: Page

    def press(self, target: Locator) -> None: ...
    def card(self, target: Locator) -> None: ...
    def write(self, target: Locator, text: str) -> None: ...
    def choose(self, target: Locator, label: str) -> None: ...
    def menu(self, name: str) -> None: ...


class Keys:
    """Keys alone: Tab through the page, arrows on the canvas and in menus."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def _walk(self, target: Locator, key: str) -> None:
        for _ in range(200):
            if target.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{key} does not lead to {target}")

    def press(self, target: Locator) -> None:
        kind = target.evaluate("one => one.type")
        if kind == "radio":
            # Tab comes to the one that is chosen, arrows choose among its neighbours.
            self._walk(self.page.locator(f"[name={target.get_attribute('name')}]:checked"), "Tab")
            self._walk(target, "ArrowDown")
            return
        self._walk(target, "Tab")
        self.page.keyboard.press("Space" if kind == "checkbox" else "Enter")

    def card(self, target: Locator) -> None:
        self._walk(self.page.locator("flow-canvas"), "Shift+Tab")
        self._walk(target, "ArrowDown")
        self.page.keyboard.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        self._walk(target, "Tab")
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, target: Locator, label: str) -> None:
        self._walk(target, "Tab")
        self.page.keyboard.type(label)
        expect(target.locator("option:checked")).to_have_text(label)

    def menu(self, name: str) -> None:
        self._walk(self.page.get_by_role("menuitem", name=name), "ArrowDown")
        self.page.keyboard.press("Enter")


class Finger:
    """Taps; a phone's own keyboard and lists of choices fill fields."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, target: Locator) -> None:
        target.tap()

    def card(self, target: Locator) -> None:
        close = self.page.locator("#flow-panel [data-close-panel]")
        if close.count():
            with answered(self.page, PANEL):
                close.tap()
        target.tap()

    def write(self, target: Locator, text: str) -> None:
        target.tap()
        target.fill(text)

    def choose(self, target: Locator, label: str) -> None:
        target.tap()
        target.select_option(label=label)

    def menu(self, name: str) -> None:
        self.page.get_by_role("menuitem", name=name).tap()


class Story:
    """Draws the flow with one hand."""

    def __init__(self, hand: Hand) -> None:
        self.hand, self.page = hand, hand.page
        self.panel = hand.page.locator("#flow-panel")

    def apply(self) -> None:
        with answered(self.page, APPLY):
            self.hand.press(self.page.locator("#panel-apply"))

    def open(self, selector: str) -> None:
        with answered(self.page, PANEL):
            self.hand.card(self.page.locator(selector))

    def open_here(self, name: str) -> None:
        with answered(self.page, PANEL):
            self.hand.press(self.panel.get_by_role("button", name=name))

    def add(self, label: str, kind: str, title: str, *, email: str = "", amount: str = "") -> None:
        self.hand.card(self.page.get_by_role("button", name=label, exact=True))
        with answered(self.page, OP):
            self.hand.menu(kind)
        self.hand.write(self.panel.locator("[name=title]"), title)
        if email:
            self.hand.choose(self.panel.locator("[name=email]"), email)
        if amount:
            self.hand.write(self.panel.locator("[name=amount]"), amount)
        self.apply()

    def criterion(self, field: str, compare: str, *, text: str = "", boxes: tuple[str, ...] = ()) -> None:
        with answered(self.page, CRITERIA):
            self.hand.press(self.panel.get_by_role("button", name="Add criterion"))
        with answered(self.page, CRITERIA):
            self.hand.choose(self.panel.locator(".criteria").get_by_label("Field", exact=True), field)
        which = self.panel.get_by_label("Compare")
        if which.locator("option:checked").inner_text() != compare:
            with answered(self.page, CRITERIA):
                self.hand.choose(which, compare)
        if text:
            self.hand.write(self.panel.locator(".criteria input[type=text]"), text)
        if boxes:
            self.hand.press(self.panel.locator(".criteria summary"))
            for box in boxes:
                self.hand.press(self.panel.locator(".criteria").get_by_label(box, exact=True))

    def part(self, what: str, label: str) -> None:
        self.hand.press(self.panel.locator(".flow-add summary", has_text=f"Add {what}"))
        with answered(self.page, OP):
            self.hand.press(self.panel.locator(".flow-add").get_by_role("button", name=label).first)

    def draw(self) -> None:
        """Triggers, filter, exclusion list, steps, branches with criteria, success."""
        self.open("#card-start [data-open]:not([data-talk])")
        self.part("trigger", "Contact created")
        self.open("#card-start [data-open]:not([data-talk])")
        self.open_here("Only if everyone may enter")
        self.criterion("Category", "is one of", boxes=("Prospects",))
        self.apply()
        with answered(self.page, PANEL):
            self.hand.press(self.page.locator("[data-flow-action='open-settings']"))
        self.open_here("Enrolment")
        self.hand.press(self.panel.get_by_label("Competitors"))
        self.apply()
        self.add("Add a step at the start of the flow", "Send email", "Welcome email", email="Welcome")
        self.add("Add a step after Welcome email", "Wait for time", "Wait 2 days", amount="2")
        self.add("Add a step after Wait 2 days", "Split", "Who are they?")
        self.open("[data-name='Branch 1'] > .flow-branch__label [data-open]:not([data-talk])")
        self.hand.write(self.panel.locator("[name=name]"), "Chefs")
        self.criterion("Job title", "contains", text="chef")
        self.apply()
        self.open("[data-name='Everyone else'] > .flow-branch__label [data-open]:not([data-talk])")
        self.hand.press(self.panel.get_by_label("Exit flow"))
        self.hand.choose(self.panel.locator("[name=exit_selection]"), "Competitors")
        self.apply()
        self.add("Add a step at the start of branch Chefs", "Update contact", "They cook")
        with answered(self.page, APPLY):
            self.hand.choose(self.panel.locator("[name=line-0-field]"), "Category")
        self.hand.choose(self.panel.locator("[name=line-0-value-0]"), "Customers")
        self.apply()
        self.add("Add a step after Who are they?", "Send email", "Offer", email="Welcome")
        self.open("#card-finish [data-open]:not([data-talk])")
        self.part("success criterion", "Contact changed")
        self.criterion("Category", "is one of", boxes=("Customers",))
        self.apply()
        self.hand.press(self.page.get_by_role("switch", name="Running"))
        expect(self.page.locator("#flow-state")).to_have_text("Running")


def check(flow: Flow, person: Person, world: World) -> None:
    """The saved flow is the one of the main job, and it runs."""
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
        document = newest_document(flow.pk)
    assert flow.status == "running"
    assert [node.title for node in document.walk()] == [
        "Welcome email", "Wait 2 days", "Who are they?", "They cook", "Offer"
    ]  # fmt: skip
    assert [trigger.kind for trigger in document.triggers] == ["contact_created"]
    (line,) = lines_of(document.filter or Criteria())
    assert (line.field, line.values) == ("contact.category", (str(world.prospect.pk),))
    assert document.settings.exclusions == (world.excluded.pk,)
    chefs, others = document.steps[2].branches
    assert (chefs.name, chefs.criteria) == ("Chefs", job("chef"))
    assert others.exit == ExitSettings(selection=world.excluded.pk)
    changed = chefs.steps[0].settings["lines"][0]
    assert (changed["field"], list(map(str, changed["values"]))) == (
        "contact.category", [str(world.customer.pk)]
    )  # fmt: skip
    (success,) = document.success
    (line,) = lines_of(success.criteria or Criteria())
    assert (line.field, line.values) == ("contact.category", (str(world.customer.pk),))


def test_the_whole_welcome_flow_is_drawn_and_started_with_keys_alone(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    open_designer(page, alice, live_server, flow)
    Story(Keys(page)).draw()
    check(flow, alice, world)


def test_the_whole_welcome_flow_is_drawn_and_started_with_a_finger(
    browser: Browser, page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    phone = context.new_page()
    sign_in(phone, alice, live_server)
    phone.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/"))
    phone.wait_for_selector("flow-canvas[data-ready]")
    Story(Finger(phone)).draw()
    check(flow, alice, world)
    assert phone.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    context.close()
