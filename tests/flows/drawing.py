"""Driving the designer in Chromium: what a marketer does, as short verbs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from flows.models import Flow
from tests.fixtures.people import Person


@contextmanager
def answered(page: Page, url: str) -> Iterator[None]:
    """Wait for the answer to what is done inside, and until htmx has put it in its place. What is done inside may be a
    long way by Tab, which takes its time on a busy machine."""
    with page.expect_response(url, timeout=60_000):
        yield
    busy = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
    expect(page.locator(busy)).to_have_count(0)


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
    with answered(page, "**/edit/op/"):
        page.get_by_role("menuitem", name=kind).click()
    page.wait_for_selector(".flow-panel form [name=title]")


def drag(page: Page, source: Locator, target: Locator, *, x: float = 0.5, drop: bool = True) -> None:
    """Drag one thing over another with the mouse, as a hand does: in steps; `drop` lets go there. `x` is the share of
    the target's width, from its left edge, to go to."""
    source.scroll_into_view_if_needed()
    start = _middle(source)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 7, start[1] + 7, steps=3)
    target.scroll_into_view_if_needed()
    _follow(page, target, x)
    if drop:
        page.mouse.up()


def _follow(page: Page, target: Locator, x: float) -> None:
    """Go where the target is and stay over it: near its edges the canvas scrolls by itself, so the target moves on
    while the pointer is under way."""
    end, steps = _middle(target, x), 12
    for _ in range(60):
        page.mouse.move(*end, steps=steps)
        page.mouse.move(end[0] + 1, end[1], steps=2)
        page.wait_for_timeout(120)
        now = _middle(target, x)
        if abs(now[0] - end[0]) < 2 and abs(now[1] - end[1]) < 2:
            return
        end, steps = now, 2
    raise AssertionError("What to drop on does not come to rest.")


def _middle(locator: Locator, x: float = 0.5) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * x, box["y"] + box["height"] / 2


def drag_step(page: Page, label: str, kind: str) -> None:
    """Drag a kind from the palette to a plus."""
    close = page.locator("#flow-panel [data-close-panel]")
    if close.count():
        with answered(page, "**/edit/panel/**"):
            close.click()
    source = page.locator("#flow-panel [data-drag-kind]", has_text=kind).first
    with answered(page, "**/edit/op/"):
        drag(page, source, page.get_by_role("button", name=label, exact=True))
    page.wait_for_selector(".flow-panel form [name=title]")


def apply(page: Page) -> None:
    """Apply the panel's form and wait for the answer."""
    with answered(page, "**/edit/apply/"):
        page.locator("#panel-apply").click()


def add_criterion(
    page: Page, field: str, operator: str, *, text: str = "", choices: tuple[str, ...] = ()
) -> None:
    """Fill the first line of the criteria editor."""
    panel = page.locator("#flow-panel")
    with answered(page, "**/contacts/criteria/"):
        panel.get_by_role("button", name="Add criterion").click()
    with answered(page, "**/contacts/criteria/"):
        panel.get_by_label("Field", exact=True).last.select_option(label=field)
    with answered(page, "**/contacts/criteria/"):
        panel.get_by_label("Compare").last.select_option(label=operator)
    if text:
        panel.locator(".criteria input[type=text]").last.fill(text)
    if choices:
        panel.locator(".criteria summary").last.click()
        for choice in choices:
            panel.locator(".criteria").get_by_label(choice, exact=True).check()
        panel.locator(".criteria summary").last.click()


def open_part(page: Page, name: str) -> None:
    """Press a card, a branch or an entry of the panel."""
    with answered(page, "**/edit/panel/**"):
        page.get_by_role("button", name=name).first.click()


def add_part(page: Page, what: str, label: str) -> None:
    """Choose a trigger or a success criterion from the panel's menu, by its search and Enter."""
    page.locator(".flow-add summary", has_text=f"Add {what}").click()
    page.get_by_label(f"Find a {what} to add").fill(label)
    with answered(page, "**/edit/op/"):
        page.keyboard.press("Enter")


def draw_the_story(page: Page, add_step: Callable[[Page, str, str], None] = add_step) -> None:
    """Draw the flow of the first story, filling panels; `add_step` puts a kind at the plus of a label."""
    open_part(page, "Added by hand")
    add_part(page, "trigger", "Contact created")
    open_part(page, "Trigger")
    add_part(page, "trigger", "Added to selection")
    page.locator("#flow-panel [name=selection]").select_option(label="Autumn prospects")
    apply(page)
    open_part(page, "2 triggers")
    open_part(page, "Only if everyone may enter")
    add_criterion(page, "Category", "is one of", choices=("Prospects",))
    apply(page)
    page.get_by_role("button", name="Settings").click()
    open_part(page, "Enrolment")
    page.get_by_label("Competitors").check()
    apply(page)
    add_step(page, "Add a step at the start of the flow", "Send email")
    page.locator("[name=title]").fill("Welcome email")
    page.locator("[name=email]").select_option(label="Welcome")
    apply(page)
    add_step(page, "Add a step after Welcome email", "Wait for time")
    page.locator("[name=title]").fill("Wait 2 days")
    page.locator("[name=amount]").fill("2")
    apply(page)
    add_step(page, "Add a step after Wait 2 days", "Split")
    page.locator("[name=title]").fill("Who are they?")
    apply(page)
    with answered(page, "**/edit/op/"):
        page.get_by_role("button", name="Add branch").click()
    fill_branches(page)
    add_step(page, "Add a step at the start of branch Chefs", "Update contact")
    with answered(page, "**/edit/apply/"):
        page.get_by_label("Field", exact=True).select_option(label="Category")
    page.get_by_label("Value").select_option(label="Customers")
    apply(page)
    add_step(page, "Add a step after Who are they?", "Send email")
    page.locator("[name=title]").fill("Offer")
    page.locator("[name=email]").select_option(label="Welcome")
    apply(page)
    open_part(page, "Finish")
    add_part(page, "success criterion", "Contact changed")
    add_criterion(page, "Category", "is one of", choices=("Customers",))
    apply(page)


def fill_branches(page: Page) -> None:
    """Name the branches, give them criteria, and let everyone else exit."""
    open_part(page, "Branch 1")
    page.locator("[name=name]").fill("Chefs")
    add_criterion(page, "Job title", "contains", text="chef")
    apply(page)
    open_part(page, "Branch 2")
    page.locator("[name=name]").fill("Nordics")
    add_criterion(page, "Country", "is one of", choices=("Norway", "Sweden"))
    apply(page)
    open_part(page, "Everyone else")
    page.get_by_label("Exit flow").check()
    page.locator("[name=exit_selection]").select_option(label="Competitors")
    apply(page)


def look(page: Page, name: str) -> None:
    """Keep pictures of the page in both themes and at both widths where MILLRACE_PICTURES names a folder."""
    folder = os.environ.get("MILLRACE_PICTURES")
    if not folder:
        return
    size = page.viewport_size or {"width": 1440, "height": 900}
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
            page.wait_for_timeout(250)
            page.screenshot(path=str(Path(folder) / f"{name}-{width}-{theme}.png"), caret="initial")
    page.evaluate("document.documentElement.dataset.bsTheme = 'light'")
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
