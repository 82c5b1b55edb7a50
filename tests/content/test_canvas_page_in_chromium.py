"""The canvas as a page: our chrome around it, its pictures, its merge tags, and what goes through it unharmed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from content.blocks.kinds import BLOCKS
from content.blocks.presets import SECTIONS
from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from core.tenancy import tenant_scope
from tests.content.test_canvas import plain
from tests.content.test_in_chromium import enter
from tests.fixtures.browser import PageFaults
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
OWN = """
    {% if contact.country == "NO" and 3 < 4 %}
    <mj-section background-color="{{ brand.tint }}" padding="12px 0"><mj-column>
      <mj-text font-size="13px" padding-top="10px"><p>Hei {{ contact.first_name|default("you") }}, {% if company.name %}of {{ company.name }}{% else %}there{% endif %}: {% for one in contact.interests %}{{ one }}{{ ", " if not loop.last }}{% endfor %}.</p></mj-text>
      <mj-button href="https://example.com/?c={{ contact.email|urlencode }}" font-size="13px" align="center">For {{ contact.first_name }} &amp; co</mj-button>
      {% if contact.country %}
      <mj-image src="https://example.com/none.png" alt="{{ contact.first_name|default(&quot;x&quot;) }}" align="center" />
      {% endif %}
      <mj-table><tr><td>{{ contact.name }}</td><td>1 &lt; 2</td></tr></mj-table>
      <mj-text><div style="color:red">own {{ contact.last_name }}</div></mj-text>
    </mj-column></mj-section>
    {% endif %}
    {% for one in contact.interests %}
    <mj-section><mj-column><mj-text><p>{{ one }} · naïve 😀 שלום</p></mj-text></mj-column></mj-section>
    {% endfor %}
"""  # noqa: E501


def everything() -> str:
    """Return an email with each kind of block, each section of the menu, conditions and loops."""
    blocks = "".join(kind.new for kind in BLOCKS if kind.new)
    sections = "".join(one.mjml for one in SECTIONS)
    whole = f"<mj-section><mj-column>{blocks}</mj-column></mj-section>"
    return plain(
        f'<mjml><mj-body background-color="{{{{ brand.background }}}}">{sections}{whole}{OWN}</mj-body></mjml>'
    ).replace('href="https://"', 'href="https://acme.test/"')


def written(wendy: Person, mjml: str) -> Email:
    with tenant_scope(wendy.tenant.pk):
        made = create_email(name="Everything", actor=wendy.user, now=LAST_MONDAY)
        saved = save_email(
            email_id=made.pk,
            draft=Draft("Everything", "Hi", mjml),
            revision=0,
            actor=wendy.user,
            now=LAST_MONDAY,
        )
        assert saved.problems == ()
        return Email.objects.select_related("current").get(pk=made.pk)


def source_of(wendy: Person, email: Email) -> str:
    with tenant_scope(wendy.tenant.pk):
        return Email.objects.get(pk=email.pk).mjml


def opened(page: Page, live_server: Any, wendy: Person, email: Email) -> FrameLocator:
    enter(page, live_server, wendy)
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/canvas/"))
    page.wait_for_selector("mjml-canvas[data-ready]", timeout=60_000)
    return page.frame_locator(".gjs-frame")


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), caret="initial")


def save(page: Page, version: int) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"Saved as version {version}.")).to_be_visible(timeout=60_000)


def test_every_kind_of_block_goes_through_both_editors_unharmed(
    page: Page, page_faults: PageFaults, live_server: Any, wendy: Person, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    page.route("https://example.com/**", lambda route: route.abort())
    page_faults.expected.append("https://example.com/none.png")
    source = everything()
    email = written(wendy, source)
    inside = opened(page, live_server, wendy, email)
    shot(page, "canvas-everything")
    expect(inside.locator("[data-merge]").first).to_be_visible()
    # The blocks that the canvas cannot write are seen as they are sent.
    expect(inside.get_by_text("Unsubscribe").first).to_be_visible()
    save(page, 2)
    assert plain(source_of(wendy, email)) == source
    # And back: the block editor opens one of them and gives the rest back as it was.
    page.locator("[data-block] .block-name").first.click()
    save(page, 3)
    assert plain(source_of(wendy, email)) == source


def test_words_are_written_around_merge_tags_and_never_into_them(
    page: Page, live_server: Any, wendy: Person
) -> None:
    words = '<p>Dear {{ contact.first_name|default("you") }}, welcome.</p>'
    email = written(
        wendy,
        f"<mjml><mj-body><mj-section><mj-column><mj-text>{words}</mj-text></mj-column></mj-section></mj-body></mjml>",
    )
    inside = opened(page, live_server, wendy, email)
    token = inside.locator("[data-merge]")
    expect(token).to_have_text("First name")
    inside.get_by_text("welcome").dblclick()
    expect(inside.locator("[contenteditable=true]")).to_have_count(1)
    # From the end of the line to the left: over the comma, then over the tag as one piece, and on.
    page.keyboard.press("End")
    for _ in range(len(", welcome.") + 1):
        page.keyboard.press("ArrowLeft")
    page.keyboard.type("my ")
    page.keyboard.press("End")
    page.keyboard.type(" From ")
    page.get_by_text("Merge tag", exact=True).click()
    expect(page.locator(".tag-menu-body")).to_be_visible()
    menu = page.locator(".tag-menu-body").bounding_box()
    assert menu is not None
    assert menu["width"] == 560
    shot(page, "canvas-menu")
    page.locator("[data-tag-menu]").get_by_role("button", name="First name").nth(1).click()
    expect(token).to_have_count(2)
    page.keyboard.type("!")
    shot(page, "canvas-tokens")
    save(page, 2)
    # In front of a token a browser writes a space that does not break.
    after = source_of(wendy, email).replace("\xa0", " ")
    assert (
        'Dear my {{ contact.first_name|default("you") }}, welcome. From {{ our_contact.first_name }}!'
        in after
    )
    # One key takes a tag away as a whole.
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/canvas/"))
    page.wait_for_selector("mjml-canvas[data-ready]", timeout=60_000)
    inside.get_by_text("welcome").dblclick()
    expect(inside.locator("[contenteditable=true]")).to_have_count(1)
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(token).to_have_count(1)
    save(page, 3)
    assert re.search(r"welcome\. From\s*</p>", source_of(wendy, email))


def test_social_networks_and_footer_are_put_in_as_the_block_editor_has_them(
    page: Page, live_server: Any, wendy: Person, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    email = written(
        wendy,
        "<mjml><mj-body><mj-section><mj-column><mj-text><p>Words</p></mj-text></mj-column></mj-section></mj-body></mjml>",
    )
    inside = opened(page, live_server, wendy, email)
    for name in ("Social networks", "Address and unsubscribe", "Image"):
        inside.get_by_text("Words").click()
        page.locator(".gjs-block", has_text=re.compile(rf"^\s*{name}\s*$")).last.click()
    expect(inside.get_by_text("Unsubscribe")).to_be_visible()
    shot(page, "canvas-footer")
    save(page, 2)
    after = source_of(wendy, email)
    for kind in ("social", "footer", "image"):
        assert BLOCKS[kind].new in after
    for words in ("Social networks", "Address and unsubscribe", "Image"):
        expect(page.locator("[data-block] .block-name strong", has_text=words)).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_our_chrome_around_the_canvas_is_accessible_and_misses_no_icon(
    page: Page, live_server: Any, wendy: Person, theme: str
) -> None:
    email = written(wendy, everything().replace("https://example.com/none.png", ""))
    enter(page, live_server, wendy)
    page.emulate_media(reduced_motion="reduce")
    opened(page, live_server, wendy, email)
    page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
    assert accessibility_faults(page) == []
    shot(page, f"canvas-chrome-{theme}")
    missing = page.evaluate(
        """async () => {
          const sprite = await (await fetch(document.querySelector("mjml-canvas").dataset.icons)).text();
          return [...document.querySelectorAll("use")].map(one => one.getAttribute("href").split("#")[1])
            .filter(name => !sprite.includes(`id="${name}"`));
        }"""
    )
    assert missing == []
    blank = page.locator(".gjs-pn-btn, .gjs-block").evaluate_all(
        "all => all.filter(one => !one.querySelector('svg') && !one.textContent.trim()).map(one => one.outerHTML)"
    )
    assert blank == []


def test_a_narrow_screen_is_led_to_the_blocks(page: Page, live_server: Any, wendy: Person) -> None:
    email = written(wendy, everything().replace("https://example.com/none.png", ""))
    enter(page, live_server, wendy)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/canvas/"))
    expect(page.get_by_text("too narrow to drag blocks")).to_be_visible()
    expect(page.locator(".mjml-canvas")).to_be_hidden()
    shot(page, "canvas-390")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("main").get_by_role("link", name="Write with blocks").click()
    expect(page.locator("block-editor")).to_be_visible()
