"""The whole flow as a file: a drawing and a picture on light paper, whatever the theme; the page stays as it was."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from flows.document import Branch, ExitSettings, FlowDocument, Note
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import job, split, step
from tests.flows.drawing import look, open_designer
from tests.flows.test_designer_in_chromium import give
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
SVG = "{http://www.w3.org/2000/svg}"
LONG = "A title that is much longer than a card is wide, <b>& so on</b>"


def document(world: World) -> FlowDocument:
    fork = split(
        Branch(name="Chefs", criteria=job("chef"), steps=(step("send_email", LONG),)),
        otherwise=Branch(name="Everyone else", exit=ExitSettings()),
        title="Fork 🎉",
    )
    note = Note(step=fork.id, text="Ask legal first")
    wait = step(title="Wait", amount=2, unit="days")
    return FlowDocument(settings=world.settings(), steps=(wait, fork), notes=(note,))


def taken(page: Page, item: str) -> tuple[str, bytes]:
    """Return the file that a line of the menu gives, and what it is called."""
    page.get_by_role("button", name="Take the flow along").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=item).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_a_drawing_holds_the_whole_flow_in_words_and_lines_and_the_page_stays_as_it_was(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, document(world))
    open_designer(page, alice, live_server, flow)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    page.get_by_role("button", name="Zoom out").click()
    expect(page.locator("[data-zoom-level]")).to_have_text("83%")
    name, file = taken(page, "Drawing (SVG)")
    assert name == "Autumn welcome.svg"
    svg = ElementTree.fromstring(file)  # noqa: S314 (our own page made it)
    words = " ".join("".join(text.itertext()) for text in svg.iter(f"{SVG}text"))
    shown = (
        "Added by hand",
        "Wait",
        "For 2 days",
        "Fork 🎉",
        "Chefs",
        "Exit flow",
        "Finish",
        "Ask legal first",
        "Day 2",
    )
    assert [one for one in shown if one not in words] == []
    assert LONG in words, "nothing is cut off"
    assert len(list(svg.iter(f"{SVG}g"))) >= 8, "the icons of the cards"
    assert {one.tag for one in svg.iter()} == {f"{SVG}{tag}" for tag in ("svg", "rect", "path", "text", "g")}
    paper = next(svg.iter(f"{SVG}rect"))
    assert paper.get("fill") == "#ffffff"
    inside = [float(one.get("x", 0)) for one in svg.iter(f"{SVG}text")]
    assert min(inside) > 0
    assert max(inside) < float(svg.get("width", 0))
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert page.locator("flow-canvas.is-drawn").count() == 0
    expect(page.locator("[data-zoom-level]")).to_have_text("83%")


def test_a_picture_is_sharp_light_and_as_large_as_the_flow(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World
) -> None:
    give(flow, alice, document(world))
    open_designer(page, alice, live_server, flow)
    page.get_by_role("button", name="Take the flow along").click()
    expect(page.get_by_role("button", name="Picture (PNG)")).to_be_visible()
    look(page, "picture-menu")
    assert accessibility_faults(page) == []
    page.keyboard.press("Escape")
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    name, file = taken(page, "Picture (PNG)")
    assert name == "Autumn welcome.png"
    picture = Image.open(io.BytesIO(file)).convert("RGB")
    width, height = picture.size
    assert width > 1000
    assert height > 1000
    assert picture.getpixel((2, 2)) == (255, 255, 255)
    colours = picture.getcolors(maxcolors=10_000_000) or []
    assert max(colours)[1] == (255, 255, 255)
    assert len(colours) > 100, "words and icons are in it"
