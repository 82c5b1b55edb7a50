"""Blocks and sections are dragged to their place with the mouse; Undo takes it back; the source is what was moved."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from content.models import Email
from content.operations.emails import create_email
from core.tenancy import tenant_scope
from tests.content.test_in_chromium import enter
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
SOURCE = """<mjml><mj-body>
<mj-section><mj-column><mj-text>One</mj-text><mj-text>Two</mj-text><mj-text>Three</mj-text></mj-column></mj-section>
<mj-section>
<mj-column><mj-button href="https://a.test/">Left</mj-button></mj-column>
<mj-column></mj-column>
</mj-section>
</mj-body></mjml>"""


class Blocks:
    """The list of blocks, and a hand that drags."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.names = page.locator(".block-name")

    def name(self, words: str) -> Locator:
        """The head of a block."""
        return self.page.get_by_role("button", name=words, exact=True)

    def drag(self, what: Locator, onto: Locator, *, y: float = 0.5, drop: bool = True) -> None:
        """Press, move in steps as a hand does, let go. `y` is the share of the target's height."""
        what.scroll_into_view_if_needed()
        start = what.bounding_box()
        assert start is not None
        x, top = start["x"] + 20, start["y"] + start["height"] / 2
        self.page.mouse.move(x, top)
        self.page.mouse.down()
        self.page.mouse.move(x + 6, top + 6, steps=4)
        expect(self.page.locator("block-editor.is-dragging")).to_be_visible()
        onto.scroll_into_view_if_needed()
        end = onto.bounding_box()
        assert end is not None
        self.page.mouse.move(end["x"] + 40, end["y"] + end["height"] * y, steps=12)
        self.page.mouse.move(end["x"] + 42, end["y"] + end["height"] * y, steps=3)
        expect(self.page.locator(".is-before, .is-after, .is-into")).to_have_count(1)
        if drop:
            self.page.mouse.up()

    def order(self, *words: str) -> None:
        """See the blocks in this order."""
        expect(self.names).to_have_text([*words])


@pytest.fixture
def blocks(page: Page, live_server: Any, wendy: Person) -> Blocks:
    """An email of two sections in the block editor."""
    enter(page, live_server, wendy)
    page.set_viewport_size({"width": 1440, "height": 1000})
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="Offer", subject="Hi", mjml=SOURCE, actor=wendy.user, now=LAST_MONDAY)
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/"))
    found = Blocks(page)
    found.order("Section", "Text One", "Text Two", "Text Three", "Section 2 columns", "Button Left")
    return found


def test_blocks_are_dragged_within_a_column_and_to_another_and_undo_takes_it_back(
    blocks: Blocks, wendy: Person
) -> None:
    page = blocks.page
    blocks.drag(blocks.name("Text Three"), blocks.name("Text One"), y=0.2)
    blocks.order("Section", "Text Three", "Text One", "Text Two", "Section 2 columns", "Button Left")
    expect(blocks.name("Text Three")).to_be_focused()
    expect(blocks.name("Text Three")).to_have_attribute("aria-expanded", "false")
    # Downwards, behind the last one.
    blocks.drag(blocks.name("Text Three"), blocks.name("Text Two"), y=0.8)
    blocks.order("Section", "Text One", "Text Two", "Text Three", "Section 2 columns", "Button Left")
    # Into the empty column of the second section.
    blocks.drag(blocks.name("Text Two"), page.get_by_text("Column 2"))
    blocks.order("Section", "Text One", "Text Three", "Section 2 columns", "Button Left", "Text Two")
    page.get_by_role("button", name="Undo").click()
    blocks.order("Section", "Text One", "Text Two", "Text Three", "Section 2 columns", "Button Left")
    page.get_by_role("button", name="Redo").click()
    blocks.order("Section", "Text One", "Text Three", "Section 2 columns", "Button Left", "Text Two")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    with tenant_scope(wendy.tenant.pk):
        source = Email.objects.get().mjml
    assert [source.index(words) for words in ("One", "Three", "Left", "Two")] == sorted(
        source.index(words) for words in ("One", "Three", "Left", "Two")
    )
    assert accessibility_faults(page) == []


def test_a_section_goes_with_all_its_blocks_and_escape_puts_it_back(blocks: Blocks) -> None:
    page = blocks.page
    sections = page.locator(".block-section")
    blocks.drag(blocks.names.nth(4), blocks.name("Text One"), y=0.2, drop=False)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".is-dragging")).to_have_count(0)
    blocks.order("Section", "Text One", "Text Two", "Text Three", "Section 2 columns", "Button Left")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    blocks.drag(sections.nth(1).locator(".block-name").first, blocks.name("Text One"), y=0.2)
    blocks.order("Section 2 columns", "Button Left", "Section", "Text One", "Text Two", "Text Three")
    # By keys as well.
    blocks.name("Text One").press("Alt+ArrowUp")
    blocks.order("Section 2 columns", "Button Left", "Text One", "Section", "Text Two", "Text Three")
