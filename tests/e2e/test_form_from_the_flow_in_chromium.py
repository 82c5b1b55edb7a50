"""A marketer makes, tries, opens and judges a form from the flow's page, by visible labels only.

The steps are those of docs/user-guide/form-from-a-flow.md, in their order.
"""

from __future__ import annotations

import subprocess

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.from_the_flow import Desk, mail_to
from tests.e2e.from_the_flow import desk as desk
from tests.flows.conftest import flow as flow
from tests.flows.conftest import world as world
from trial.mailbox import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_form_is_made_opened_and_judged_from_the_flow(
    desk: Desk, browser: Browser, smtp_sink: Mailbox, worker: subprocess.Popen[bytes]
) -> None:
    desk.open_flow()
    builder = make_it(desk)
    build_it(desk, builder)
    address = open_it(desk, builder)
    start_it(desk)
    fill_it_in(browser, address)
    assert "Hello Ada" in mail_to(smtp_sink, "ada@post.test", "Welcome").text
    judge_it(desk)


def make_it(desk: Desk) -> Page:
    """Let the form bring people into the flow: make it beside the trigger; its builder opens in a tab of its own."""
    page = desk.page
    desk.edit()
    page.get_by_role("button", name="Added by hand").click()
    page.get_by_text("Add trigger", exact=True).click()
    page.get_by_label("Find a trigger to add").fill("Form submitted")
    page.get_by_label("Find a trigger to add").press("Enter")
    desk.button("New form").click()
    dialog = page.get_by_role("dialog", name="New form")
    dialog.get_by_label("Name").fill("Spring fair")
    dialog.get_by_role("button", name="Make it and choose it").click()
    expect(dialog).to_be_hidden()
    desk.apply()
    desk.shot("form-from-a-flow-trigger")
    with page.expect_popup() as opened:
        desk.link("Open “Spring fair”").click()
    builder = opened.value
    expect(builder.get_by_role("heading", name="Spring fair", level=1)).to_be_visible()
    return builder


def build_it(desk: Desk, builder: Page) -> None:
    """Add a question and a consent."""
    panel = builder.get_by_role("complementary", name="Settings")
    builder.get_by_role("button", name="Drop-down").click()
    panel.get_by_label("Label").fill("Which day?")
    panel.get_by_label("Choices").fill("Monday\nTuesday")
    panel.get_by_role("button", name="Save field").click()
    expect(panel.get_by_role("heading", name="Which day?")).to_be_visible()
    panel.get_by_role("link", name="Close the settings").click()
    builder.get_by_role("button", name="Consent").click()
    panel.get_by_label("Label").fill("Write to me")
    panel.get_by_label("Consent to").select_option(label="E-marketing")
    panel.get_by_role("button", name="Save field").click()
    expect(panel.get_by_role("heading", name="Write to me")).to_be_visible()
    desk.shot_of(builder, "form-from-a-flow-build")


def open_it(desk: Desk, builder: Page) -> str:
    """Look at it, open it, take its address."""
    tabs = builder.get_by_role("navigation", name="Form")
    tabs.get_by_role("link", name="Preview").click()
    shown = builder.frame_locator("iframe[title='The form as people see it']")
    expect(shown.get_by_label("Which day?")).to_be_visible()
    builder.get_by_role("button", name="Open form").click()
    expect(builder.get_by_text("Open", exact=True)).to_be_visible()
    tabs.get_by_role("link", name="Publish").click()
    link = builder.get_by_role("region", name="Link")
    desk.shot_of(builder, "form-from-a-flow-publish")
    address = link.get_by_role("code").inner_text().strip()
    builder.close()
    return address


def start_it(desk: Desk) -> None:
    """Answer whoever comes with an email, and start."""
    page = desk.page
    desk.add_step("Add a step at the start of the flow", "Send email", "Thank you")
    page.get_by_role("combobox", name="Email", exact=True).select_option("Welcome")
    desk.apply()
    desk.start()


def fill_it_in(browser: Browser, address: str) -> None:
    """One visitor sends the form, another begins and leaves it."""
    for name in ("ada", ""):
        visitor = browser.new_context(user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
        page = visitor.new_page()
        page.goto(address)
        page.get_by_label("First name").fill("Ada")
        with page.expect_response("**/progress/"):
            page.get_by_label("Which day?").select_option("Monday")
        if name:
            page.get_by_label("Email address").fill(f"{name}@post.test")
            page.get_by_label("Write to me").check()
            # Nobody writes a form in two seconds; the page asks whoever does to press once more.
            page.wait_for_timeout(2_100)
            page.get_by_role("button", name="Send").click()
            expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        visitor.close()


def judge_it(desk: Desk) -> None:
    """See in the flow that somebody came by it, then how the form does, and read the answers."""
    page = desk.page
    desk.open_flow()
    desk.tab("Participants")
    expect(page.get_by_role("link", name="ada@post.test")).to_be_visible()
    desk.tab("Content")
    row = page.get_by_role("table", name="Forms that Autumn welcome uses").get_by_role(
        "row", name="Spring fair"
    )
    expect(row.get_by_text("Open", exact=True)).to_be_visible()
    row.get_by_role("link", name="1 answers of Spring fair: its statistics").click()
    table = page.get_by_role("region", name="Where it stood, as a table")
    cells = table.get_by_role("row", name="Its own page").get_by_role("cell")
    # Site, views, began, sent, conversion.
    for number, words in enumerate(["–", "2", "2", "1", "50.0 %"]):
        expect(cells.nth(number)).to_have_text(words)
    fields = page.get_by_role("region", name="At which field they stopped")
    expect(fields.get_by_role("row", name="Which day?")).to_contain_text("100 %")
    desk.shot("form-from-a-flow-judge")
    cells.nth(3).get_by_role("link", name="1").click()
    expect(page.get_by_role("heading", name="Form submissions")).to_be_visible()
    page.get_by_role("link", name="ada@post.test").click()
    expect(page.get_by_text("Monday")).to_be_visible()
