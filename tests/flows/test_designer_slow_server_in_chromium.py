"""A server that takes its time: what one does meanwhile waits, and one's own change is nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from core.tenancy import tenant_scope
from flows.document import FlowDocument
from flows.models import Flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import step
from tests.flows.drawing import answered, open_designer, open_part
from tests.flows.test_designer_in_chromium import give

pytestmark = pytest.mark.django_db(transaction=True)
WATCH = """() => {
  window.told = [];
  const boxes = () => [...document.querySelectorAll(".flow-behind, .flow-notice__box")];
  new MutationObserver(() => window.told.push(...boxes().map((one) => one.textContent))).observe(
    document.querySelector("flow-designer"), { childList: true, subtree: true },
  );
}"""


@pytest.fixture
def opened(page: Page, live_server: Any, alice: Person, flow: Flow, world: World) -> Flow:
    """The designer, a step's panel with another title typed."""
    give(flow, alice, FlowDocument(settings=world.settings(), steps=(step(title="Two days"),)))
    open_designer(page, alice, live_server, flow)
    open_part(page, "Two days")
    page.evaluate(WATCH)
    page.locator("[name=title]").fill("Three days")
    return flow


def drawn(flow: Flow) -> list[str]:
    with tenant_scope(flow.tenant_id or 0):
        flow.refresh_from_db()
        return [node.title for node in draft_of(flow).walk()]


def test_what_is_done_while_ones_apply_is_on_its_way_waits_for_it(page: Page, opened: Flow) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/edit/apply/", hold)
    page.locator("#panel-apply").click()
    page.wait_for_function("document.querySelector('flow-presence').going.size === 1")
    page.get_by_role("button", name="Add a step after Two days").click()
    page.get_by_role("menuitem", name="Wait for time").click()
    with answered(page, "**/edit/op/"):
        held[0].continue_()
    expect(page.locator("[data-title='Wait for time']")).to_be_visible()
    assert drawn(opened) == ["Three days", "Wait for time"]
    assert page.evaluate("window.told") == []


def test_a_look_round_that_crosses_ones_own_apply_is_no_news(page: Page, opened: Flow) -> None:
    answers: list[tuple[Route, Any]] = []

    def slow(route: Route) -> None:
        answers.append((route, route.fetch()))

    page.route("**/edit/apply/", slow)
    page.locator("#panel-apply").click()
    page.wait_for_function("document.querySelector('flow-presence').going.size === 1")
    while not answers:
        page.wait_for_timeout(50)
    assert drawn(opened) == ["Three days"]
    # The draft has moved on already; this page does not know yet.
    with page.expect_response("**/edit/here/") as looked:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert "flow-behind" in looked.value.text()
    route, answer = answers[0]
    with answered(page, "**/edit/here/"):
        route.fulfill(response=answer)
    expect(page.locator("[data-title='Three days']")).to_be_visible()
    assert page.evaluate("window.told") == []
