"""Finding a step, zooming, panning and printing in a real browser."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from flows.document import Branch, FlowDocument
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import job, split, step
from tests.flows.drawing import answered, open_designer, sign_in
from tests.flows.test_designer_in_chromium import give
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def long(world: World) -> FlowDocument:
    """Return a long flow, with an email deep in a split near its end."""
    letter = step("send_email", "Letter", email=world.welcome.pk)
    fork = split(Branch(name="Chefs", criteria=job("chef"), steps=(letter,)), title="Fork")
    waits = tuple(step(title=f"Wait {number}", amount=2, unit="days") for number in range(20))
    return FlowDocument(settings=world.settings(), steps=(*waits, fork))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_step_is_found_by_what_it_uses_and_shown_where_it_was_folded_away(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World, theme: str
) -> None:
    give(flow, alice, long(world))
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    open_designer(page, alice, live_server, flow)
    page.locator("flow-canvas").focus()
    with answered(page, "**/edit/panel/**"):
        page.keyboard.press("/")
    # Without words: the outline, branches among the steps.
    expect(page.locator(".flow-found li")).to_have_count(24)
    expect(page.locator("#flow-find")).to_be_focused()
    with answered(page, "**/edit/panel/**"):
        page.keyboard.type("welcome EMAIL")
    expect(page.locator(".flow-found li")).to_have_count(1)
    expect(page.locator(".flow-found")).to_contain_text("Letter")
    expect(page.locator("#flow-find")).to_be_focused()
    with answered(page, "**/edit/fold/"):
        page.locator(".flow-fold").click()
    expect(page.locator(".flow-found li")).to_have_count(1)
    page.locator("flow-canvas").evaluate("e => { e.scrollTop = 0 }")
    page.locator(".flow-found button").click()
    expect(page.locator("#flow-panel h2")).to_have_text("Letter")
    expect(page.locator("[data-title=Letter].is-selected")).to_be_in_viewport(ratio=1)
    with answered(page, "**/edit/panel/**"):
        page.get_by_role("button", name="Find a step").click()
    with answered(page, "**/edit/panel/**"):
        page.keyboard.type("nothing like it")
    expect(page.locator("#flow-found")).to_contain_text("Nothing in this flow is called that or uses it.")
    assert accessibility_faults(page) == []


def test_the_canvas_zooms_by_keys_and_moves_with_space_and_the_middle_button(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, long(world))
    open_designer(page, alice, live_server, flow)
    canvas, level = page.locator("flow-canvas"), page.locator("[data-zoom-level]")
    canvas.focus()
    for key, shown in (("0", "100%"), ("+", "120%"), ("-", "100%"), ("-", "83%"), ("1", "100%")):
        page.keyboard.press(key)
        expect(level).to_have_text(shown)
    top = "e => Math.round(e.scrollTop)"
    box = page.locator("[data-title='Wait 2']").bounding_box()
    assert box
    buttons: tuple[Literal["left", "middle"], ...] = ("left", "middle")
    for button in buttons:
        before = canvas.evaluate(top)
        if button == "left":
            page.keyboard.down(" ")
        page.mouse.move(box["x"] + 90, box["y"] + 20)
        page.mouse.down(button=button)
        page.mouse.move(box["x"] + 90, box["y"] - 80, steps=5)
        page.mouse.up(button=button)
        page.keyboard.up(" ")
        assert canvas.evaluate(top) == before + 100
    # Neither opened or moved the step below the pointer.
    expect(page.locator("#flow-panel h2")).to_have_text("Add a step")


def test_two_fingers_zoom_the_canvas(
    browser: Browser, page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, long(world))
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    phone = context.new_page()
    sign_in(phone, alice, live_server)
    phone.goto(live_server.url + alice.url(f"flows/{flow.pk}/edit/"))
    phone.wait_for_selector("flow-canvas[data-ready]")
    phone.evaluate("document.querySelector('[data-zoom=reset]').click()")
    session = context.new_cdp_session(phone)
    for kind, apart in (("touchStart", 50), ("touchMove", 50), ("touchMove", 75), ("touchEnd", 0)):
        points = [{"x": 200 - apart, "y": 400}, {"x": 200 + apart, "y": 400}] if apart else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(phone.locator("[data-zoom-level]")).to_have_text("150%")
    context.close()


def test_on_paper_the_flow_is_as_wide_as_the_page(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    inner = split(*(Branch(name=f"B{n}", steps=(step(title=f"In {n}"),)) for n in range(5)), title="Wide")
    talk = "A name that is far too long for the one line that a card has on the screen"
    give(
        flow,
        alice,
        FlowDocument(settings=world.settings(), steps=(inner, step(title="Last"), step(title=talk))),
    )
    open_designer(page, alice, live_server, flow)
    cut = "e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1"
    words = page.locator(f"[data-title='{talk}'] b").first
    assert words.evaluate(cut)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    width = page.locator(".flow-canvas__tree").evaluate("e => e.getBoundingClientRect().width")
    assert 690 <= width <= 710
    for hidden in (".flow-panel", ".flow-zoom", ".flow-slot__button", ".flow-actions"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator("[data-title=Last]")).to_be_visible()
    # Where a plus is on the screen the line goes on: at the end of a branch, after a split, between two steps.
    for slot in page.locator(".flow-slot").all():
        for edge in ("top", "bottom"):
            read = "(e, edge) => getComputedStyle(e, '::before')[edge]"
            assert slot.evaluate(read, edge) == "-1px", slot.get_attribute("id")
    # The name of a branch keeps its distance to the right.
    label = page.get_by_role("button", name="Everyone else").locator("xpath=..")
    room = "e => e.getBoundingClientRect().right - e.firstElementChild.getBoundingClientRect().right"
    assert label.evaluate(room) > 3
    # Words that the screen cuts off stand there in full, and are cut again afterwards.
    assert not words.evaluate(cut)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert words.evaluate(cut)
