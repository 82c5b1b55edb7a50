"""The designer with 200 steps in a real browser: it opens, an operation keeps focus and scroll, and how long both take.

The times are not judged here, where other tests run beside it: MILLRACE_FIGURES names a file for them
(docs/performance.md says what they were).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from crm.criteria.schema import Criteria
from flows.document import Branch, FlowDocument, StepNode
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import job, split, step
from tests.flows.drawing import answered, open_designer
from tests.flows.test_designer_in_chromium import give

pytestmark = pytest.mark.django_db(transaction=True)

OPENED = """() => {
    const [page] = performance.getEntriesByType("navigation");
    const server = page.responseEnd - page.requestStart;
    return { server, loaded: page.domContentLoadedEventEnd, html: page.decodedBodySize };
}"""
ANSWERS = """() => performance.getEntriesByType("resource").filter((one) => one.name.endsWith("/edit/op/"))
    .map((one) => one.responseEnd - one.requestStart)"""
PLACE = "(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop])(document.querySelector('flow-canvas'))"


def large(world: World) -> FlowDocument:
    """Return 200 steps: 25 splits of two branches, six steps in each split, and a wait after each."""

    def part(number: int) -> tuple[StepNode, StepNode]:
        criteria: Criteria = job(f"job {number}")
        inner = [
            tuple(step(title=f"Wait {number}.{side}.{place}", amount=1, unit="days") for place in range(3))
            for side in range(2)
        ]
        fork = split(
            Branch(name="Those", criteria=criteria, steps=inner[0]),
            otherwise=Branch(name="Everyone else", steps=inner[1]),
            title=f"Split {number}",
        )
        return fork, step(title=f"After {number}", amount=2, unit="days")

    return FlowDocument(settings=world.settings(), steps=[one for n in range(25) for one in part(n)])


def test_two_hundred_steps_open_and_an_operation_keeps_focus_and_scroll(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    document = large(world)
    assert len(list(document.walk())) == 200
    give(flow, alice, document)
    open_designer(page, alice, live_server, flow)
    expect(page.locator(".flow-card[data-step]")).to_have_count(200)
    figures: dict[str, Any] = {"open": page.evaluate(OPENED)}
    # Far down and to the side, where a jump would be seen.
    card = page.locator(".flow-card[data-title='Wait 20.1.1'] [data-open]:not([data-talk])")
    card.scroll_into_view_if_needed()
    card.focus()
    before = page.evaluate(PLACE)
    assert before[1] > 1000
    with answered(page, "**/edit/op/"):
        page.keyboard.press("d")
    copies = page.locator(".flow-card[data-title='Wait 20.1.1'] [data-open]:not([data-talk])")
    expect(copies).to_have_count(2)
    expect(copies.nth(1)).to_be_focused()
    after = page.evaluate(PLACE)
    assert abs(after[1] - before[1]) < 300, "at most as far as the copy is below the edge"
    assert after[0] == before[0]
    # What lies above is changed: the place that one looks at stays where it is, and the panel's field keeps the focus.
    with answered(page, "**/edit/panel/**"):
        page.keyboard.press("Enter")
    title = page.locator("#flow-panel [name=title]")
    title.focus()
    place = page.evaluate(PLACE)
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Escape")
        page.locator(".flow-card[data-title='Wait 20.1.0'] [data-open]:not([data-talk])").focus()
        page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".flow-card[data-title='Wait 20.1.0'] [data-open]:not([data-talk])")).to_be_focused()
    assert abs(page.evaluate(PLACE)[1] - place[1]) < 300
    figures["operations"] = page.evaluate(ANSWERS)
    assert len(figures["operations"]) == 2
    if path := os.environ.get("MILLRACE_FIGURES"):
        Path(path).write_text(json.dumps(figures))
