"""A participant's path in a real browser: chosen on the canvas, drawn, told at the side, on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.people import Person
from tests.flows.drawing import sign_in
from tests.participants.pages import add_people, make_stage
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
WALKED = "document.querySelector('flow-wires path.is-walked').getAttribute('d')"


def test_a_path_is_chosen_on_the_canvas_and_drawn(page: Page, live_server: Any, bob: Person) -> None:
    stage = make_stage(bob)
    add_people(stage)
    sign_in(page, bob, live_server)
    page.goto(live_server.url + stage.url("canvas/"))
    page.get_by_role("button", name="One participant’s path").click()
    expect(page.locator("#path-people li")).to_have_count(4)
    page.locator("#path-people").get_by_role("link", name="Anna Anna").click()
    page.wait_for_selector("flow-canvas[data-ready]")
    welcome = page.locator(f'[data-step="{stage.welcome.id}"]')
    expect(welcome.locator(".flow-mark")).to_contain_text("1. Went on ·")
    expect(page.locator(f'[data-step="{stage.split.id}"] .flow-mark')).to_contain_text("took “Chefs”")
    expect(page.locator("#card-finish .flow-mark")).to_contain_text("Finished ·")
    assert page.evaluate(WALKED).count("M") == 4  # fork and join, each a stem and a bend
    expect(page.locator(".flow-branch.is-walked")).to_have_count(1)
    welcome.get_by_role("button").click()
    expect(page.locator("#panel")).to_contain_text("What was checked")
    assert accessibility_faults(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Another").click()
    page.locator("#path-people").get_by_role("link", name="Late").click()
    expect(page.locator(f'[data-step="{stage.wait.id}"] .flow-mark')).to_contain_text("Here now")
    assert page.evaluate(WALKED) == ""
    page.get_by_role("link", name="Close path").click()
    page.get_by_role("button", name="Numbers", exact=True).wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_path_fits_a_phone(page: Page, live_server: Any, bob: Person, theme: Any) -> None:
    stage = make_stage(bob)
    add_people(stage)
    sign_in(page, bob, live_server)
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(live_server.url + stage.url(f"path/{stage.participant('Zoe').pk}/"))
    page.wait_for_selector("flow-canvas[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("flow-canvas").evaluate("canvas => canvas.clientHeight") > 250
    expect(page.locator(".flow-exit.is-walked")).to_contain_text("Left here")
    assert accessibility_faults(page) == []
