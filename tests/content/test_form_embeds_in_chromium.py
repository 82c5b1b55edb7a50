"""A form on another site, in a real browser: a second server plays that site, with a strict policy of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from content.forms.document import FormStyle
from content.models import Form
from tests.content.forms import Booth
from tests.content.test_forms_in_chromium import enter, look
from tests.fixtures.browser import PageFaults
from tests.fixtures.people import Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
Site = Callable[[str], str]


class _Handler(BaseHTTPRequestHandler):
    """Answers every address with the same page, under a policy that allows Millrace's scripts and frames alone."""

    def __init__(self, *args: Any, pages: dict[str, str], ours: str, **kwargs: Any) -> None:
        self.pages, self.ours = pages, ours
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        body = self.pages.get("page", "").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        policy = f"default-src 'none'; script-src {self.ours}; frame-src {self.ours}; img-src data:"
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site(live_server: Any, page_faults: PageFaults) -> Iterator[Site]:
    """Another origin: site(snippet) puts it on a page there and returns the page's address."""
    pages: dict[str, str] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, pages=pages, ours=live_server.url))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page_faults.expected.append(f"request to another host: http://127.0.0.1:{server.server_port}/")

    def show(snippet: str) -> str:
        pages["page"] = (
            '<!doctype html><html lang="en"><head><link rel="icon" href="data:,"><title>Mill shop</title></head>'
            f"<body><main><h1>Mill shop</h1>{snippet}<p>Footer</p></main></body></html>"
        )
        return f"http://127.0.0.1:{server.server_port}/"

    yield show
    server.shutdown()
    server.server_close()


def snippet(live_server: Any, booth: Booth, form: Form, show: str, more: str = "") -> str:
    return (
        f'<script async src="{live_server.url}{booth.path(form)}embed.js" data-show="{show}"{more}></script>'
    )


def watch(page: Page) -> list[str]:
    """Collect what the page complains of."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    return found


def test_a_visitor_of_another_site_sends_the_form_inline_by_popup_and_by_side_tab(
    page: Page, live_server: Any, alice: Person, site: Site, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    booth = Booth(alice.tenant)
    style = FormStyle(look="own", accent="#8a1c1c", background="#fdf6ee", surface="#ffffff", radius=12)
    form = booth.form(heading="Ask the miller", style=style)
    said = watch(page)
    page.set_viewport_size({"width": 1100, "height": 900})
    shots = os.environ.get("SHOTS")

    page.goto(site(snippet(live_server, booth, form, "inline", ' data-label="Ask us"')))
    frame = page.frame_locator('iframe[title="Ask us"]')
    expect(frame.get_by_role("heading", name="Ask the miller")).to_be_visible()
    expect(page.locator("iframe")).not_to_have_css("height", "420px")
    button = frame.get_by_role("button", name="Send")
    expect(button).to_have_css("background-color", "rgb(138, 28, 28)")
    expect(frame.locator('[name="proof"]')).not_to_have_value("", timeout=30_000)
    frame.get_by_label("Email address").fill("inline@post.test")
    page.wait_for_timeout(2_100)
    if shots:
        page.screenshot(path=str(Path(shots) / "embed-inline.png"))
    button.click()
    expect(frame.get_by_role("heading", name="Thank you")).to_be_visible()

    page.goto(site(snippet(live_server, booth, form, "popup", ' data-after="0" data-label="Ask us"')))
    dialog = page.get_by_role("dialog", name="Ask us")
    expect(dialog).to_be_visible()
    if shots:
        page.screenshot(path=str(Path(shots) / "embed-popup.png"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="Mill shop")).to_be_visible()
    page.wait_for_timeout(800)
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.goto(site(snippet(live_server, booth, form, "tab", ' data-label="Ask us" data-colour="#8a1c1c"')))
    tab = page.get_by_role("button", name="Ask us")
    expect(tab).to_be_visible()
    tab.press("Enter")
    frame = page.frame_locator("dialog iframe")
    frame.get_by_label("Email address").fill("tab@post.test")
    page.wait_for_timeout(2_100)
    if shots:
        page.screenshot(path=str(Path(shots) / "embed-tab.png"))
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("heading", name="Thank you")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    assert said == []
    assert [one.email_norm for one in booth.submissions()] == ["inline@post.test", "tab@post.test"]


def test_a_closed_form_shows_no_tab_and_a_redirect_takes_the_site_along(
    page: Page, live_server: Any, alice: Person, site: Site, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    booth = Booth(alice.tenant)
    form = booth.form(redirect_url=f"{live_server.url}/health/live")
    page.goto(site(snippet(live_server, booth, form, "inline", ' data-label="Ask us"')))
    frame = page.frame_locator("iframe")
    frame.get_by_label("Email address").fill("ada@post.test")
    page.wait_for_timeout(2_100)
    frame.get_by_role("button", name="Send").click()
    page.wait_for_url(f"{live_server.url}/health/live")
    with booth.scope():
        Form.objects.update(is_open=False)
    page.goto(site(snippet(live_server, booth, form, "tab", ' data-label="Ask us"')))
    expect(page.get_by_role("heading", name="Mill shop")).to_be_visible()
    page.wait_for_timeout(1_000)
    expect(page.get_by_role("button", name="Ask us")).to_have_count(0)


def test_a_writer_chooses_a_look_and_how_to_publish(
    page: Page, live_server: Any, alice: Person, settings: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    booth = Booth(alice.tenant)
    form = booth.form(heading="Ask the miller")
    enter(page, live_server, alice)
    page.goto(live_server.url + alice.url(f"content/forms/{form.pk}/"))
    tabs = page.get_by_label("Form", exact=True)
    tabs.get_by_role("link", name="Style").click()
    page.get_by_label("Colours of its own").check()
    page.get_by_label("Accent").fill("#8a1c1c")
    page.get_by_role("button", name="Save style").click()
    expect(page.get_by_text("Style saved.")).to_be_visible()
    sample = page.frame_locator('iframe[title="The form\'s page"]')
    expect(sample.get_by_role("button", name="Send")).to_have_css("background-color", "rgb(138, 28, 28)")
    look(page, "form-style")
    tabs.get_by_role("link", name="Publish").click()
    expect(page.get_by_role("heading", name="Side tab")).to_be_visible()
    look(page, "form-publish")
    tabs.get_by_role("link", name="Preview").click()
    expect(page.frame_locator(".form-frame").get_by_role("heading", name="Ask the miller")).to_be_visible()
    look(page, "form-preview")
    assert accessibility_faults(page) == []
