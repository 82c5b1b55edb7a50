"""A marketer makes, tries, sends and judges an email from the flow's page, by visible labels only.

The steps are those of docs/user-guide/email-from-a-flow.md, in their order.
"""

from __future__ import annotations

import re
import subprocess

import pytest
from django.test import Client
from playwright.sync_api import expect

from tests.e2e.from_the_flow import BROWSER, Desk, mail_to, paths_in
from tests.e2e.from_the_flow import desk as desk
from tests.flows.conftest import flow as flow
from tests.flows.conftest import world as world
from trial.mailbox import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_email_is_made_sent_and_judged_from_the_flow(
    desk: Desk, smtp_sink: Mailbox, worker: subprocess.Popen[bytes]
) -> None:
    desk.contact("Ada", last_name="Lovelace")
    desk.open_flow()
    make_it(desk)
    write_it(desk)
    try_it(desk, smtp_sink)
    start_it(desk)
    read_it(desk, smtp_sink)
    judge_it(desk)


def make_it(desk: Desk) -> None:
    """Draw the step and make its email there."""
    desk.edit()
    desk.add_step("Add a step at the start of the flow", "Send email", "Spring offer")
    desk.apply()
    desk.button("New email").click()
    expect(desk.page.get_by_text("A draft of the email “Spring offer” was made").first).to_be_visible()
    expect(desk.link("Open the email")).to_be_visible()
    desk.shot("email-from-a-flow-step")
    desk.link("Open the email").click()


def write_it(desk: Desk) -> None:
    """Write subject and text, add a button, see it as a contact, save."""
    page = desk.page
    mail = page.frame_locator("iframe[title='The email as Ada Lovelace would get it']")
    expect(mail.get_by_text("Hello Ada")).to_be_visible()
    page.get_by_label("Subject").fill("Spring offer for {{ contact.first_name }}")
    page.get_by_label("Preheader").fill("Until the end of May")
    section = page.get_by_role("region", name="Section 2")
    section.get_by_role("button", name=re.compile("^Text Hello")).click()
    words = section.get_by_role("textbox", name="Text", exact=True)
    words.press("Control+a")
    words.press_sequentially("Our mill turns again.")
    expect(mail.get_by_text("Our mill turns again.")).to_be_visible()
    section.get_by_role("button", name="Add block").click()
    desk.button("Button").click()
    page.get_by_label("Words").fill("See the offer")
    page.get_by_label("Leads to").fill("https://acme.test/offer")
    expect(mail.get_by_role("link", name="See the offer")).to_be_visible()
    expect(page.get_by_text("Spring offer for Ada")).to_be_visible()
    ways = page.get_by_role("radiogroup", name="Show as")
    ways.get_by_text("Phone").click()
    desk.shot("email-from-a-flow-write")
    ways.get_by_text("Desktop").click()
    desk.button("Save").click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()


def try_it(desk: Desk, smtp_sink: Mailbox) -> None:
    """Send a test to oneself, then go back to the step."""
    desk.button("Send a test").click()
    dialog = desk.page.get_by_role("dialog", name="Send a test")
    expect(dialog.get_by_label("Send to")).to_have_value("alice@acme.test")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(desk.page.get_by_text("The test is on its way.")).to_be_visible()
    test = mail_to(smtp_sink, "alice@acme.test", "[Test] Spring offer for Ada")
    assert "Our mill turns again." in test.text
    expect(dialog.get_by_text("Sent", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    desk.link("Back to the step").click()
    expect(desk.page.get_by_role("heading", name="Spring offer", level=2)).to_be_visible()


def start_it(desk: Desk) -> None:
    """Start the flow and add the people of a selection."""
    desk.start()
    desk.add_everybody()
    expect(desk.page.get_by_text("Passed every rule and entered the flow.")).to_be_visible()


def read_it(desk: Desk, smtp_sink: Mailbox) -> None:
    """Ada gets it, and an hour later opens it and clicks the button."""
    mail = mail_to(smtp_sink, "ada@post.test", "Spring offer for Ada")
    assert "See the offer" in mail.html
    desk.open_flow()
    desk.an_hour_goes_by()
    outside = Client(headers=BROWSER)
    click = next(path for path in paths_in(mail.html) if path.startswith("/m/c/"))
    opening = next(path for path in paths_in(mail.html) if path.startswith("/m/o/"))
    assert outside.get(opening).status_code == 200
    assert outside.get(click)["Location"].startswith("https://acme.test/offer")


def judge_it(desk: Desk) -> None:
    """Read who got, opened and clicked it, and open the people behind a number."""
    page = desk.page
    desk.tab("Content")
    row = page.get_by_role("table", name="Emails of Autumn welcome").get_by_role("row", name="Spring offer")
    expect(row.get_by_text("Ready")).to_be_visible()
    desk.tab("Reports")
    table = page.get_by_role("region", name="Messages as a table")
    cells = table.get_by_role("row", name="Spring offer").get_by_role("cell")
    # Recipients, sent, delivered, opened, clicked, clicked of opened, came back, unsubscribed, not sent.
    figures = ["1", "1", "1", "1 100.0 %", "1 100.0 %", "100.0 %", "0", "0", "0"]
    for number, words in enumerate(figures):
        expect(cells.nth(number)).to_have_text(words)
    table.scroll_into_view_if_needed()
    desk.shot("email-from-a-flow-judge")
    table.get_by_role("link", name="Links of Spring offer").click()
    expect(page.get_by_role("heading", name="Links in Spring offer")).to_be_visible()
    expect(page.get_by_role("row", name="acme.test/offer").get_by_role("link", name="1")).to_be_visible()
    desk.button("Close").click()
    cells.nth(4).get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_role("link", name="ada@post.test")).to_be_visible()
