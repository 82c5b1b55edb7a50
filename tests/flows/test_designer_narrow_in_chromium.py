"""The designer on a phone and with text twice as large: one row of actions, nothing covered, nothing cut."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from flows.document import FlowDocument, Note
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import step
from tests.flows.drawing import open_designer
from tests.flows.test_designer_in_chromium import give

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = """() => {
  const shown = [...document.querySelectorAll("#flow-actions > *")].filter((one) => one.checkVisibility());
  const boxes = shown.map((one) => one.getBoundingClientRect());
  const middle = (box) => (box.top + box.bottom) / 2;
  const rows = new Set(boxes.map((box) => Math.round(middle(box) / 8))).size;
  return { rows, right: Math.max(...boxes.map((box) => box.right)) };
}"""
LARGE = "size => { document.documentElement.style.fontSize = size }"


@pytest.fixture
def opened(page: Page, live_server: Any, alice: Person, flow: Flow, world: World) -> Page:
    nodes = [step(title=f"Wait {number}") for number in range(6)]
    notes = (Note(text="", step=nodes[0].id), Note(text="Ask Rory first, he knows them", step=nodes[0].id))
    give(flow, alice, FlowDocument(settings=world.settings(), steps=tuple(nodes), notes=notes))
    open_designer(page, alice, live_server, flow)
    return page


def test_on_a_phone_the_actions_are_one_row_and_the_menu_has_the_rest(opened: Page) -> None:
    opened.set_viewport_size({"width": 390, "height": 844})
    opened.wait_for_function(f"({ROWS})().rows === 1")
    assert opened.evaluate(ROWS)["right"] <= 390 - 8
    fix = opened.get_by_role("button", name="6 to fix")
    expect(fix).to_be_visible()
    expect(opened.get_by_role("switch", name="Running")).to_be_visible()
    opened.get_by_role("button", name="More for this flow").click()
    menu = opened.locator("#flow-more-menu")
    expect(menu.get_by_role("link", name="View", exact=True)).to_be_focused()
    opened.keyboard.press("ArrowDown")
    expect(menu.get_by_role("link", name="Rehearse")).to_be_focused()
    opened.keyboard.press("Escape")
    opened.set_viewport_size({"width": 1440, "height": 900})
    opened.get_by_role("button", name="More for this flow").click()
    expect(menu.get_by_role("button", name="Revisions")).to_be_focused()
    expect(menu.get_by_role("link", name="Rehearse")).to_be_hidden()


def test_on_a_laptop_the_actions_stay_beside_the_name(opened: Page) -> None:
    opened.set_viewport_size({"width": 1280, "height": 800})
    opened.wait_for_function(f"({ROWS})().rows === 1")
    below = "([name, acts]) => acts.getBoundingClientRect().top >= name.getBoundingClientRect().bottom"
    assert opened.locator("#flow-name, #flow-actions").evaluate_all(below) is False
    expect(opened.get_by_role("button", name="Settings", exact=True)).to_be_visible()


@pytest.mark.parametrize(("size", "zooms"), [("100%", 0), ("100%", 6), ("200%", 0), ("200%", 6)])
def test_the_zoom_bar_covers_no_card_and_no_note_is_cut(opened: Page, size: str, zooms: int) -> None:
    opened.evaluate(LARGE, size)
    for _ in range(zooms):
        opened.get_by_role("button", name="Zoom out").click()
    opened.wait_for_function(
        """() => {
          const canvas = document.querySelector("flow-canvas");
          canvas.scrollTop = canvas.scrollHeight;
          const bottom = document.getElementById("card-finish").getBoundingClientRect().bottom;
          return bottom <= document.querySelector(".flow-zoom").getBoundingClientRect().top;
        }"""
    )
    cut = "() => [...document.querySelectorAll('.flow-note')].some((one) => one.scrollHeight > one.clientHeight + 1)"
    assert opened.evaluate(cut) is False
    outside = "([bar]) => bar.scrollHeight > bar.clientHeight + 1"
    assert opened.locator(".flow-zoom").evaluate_all(outside) is False
