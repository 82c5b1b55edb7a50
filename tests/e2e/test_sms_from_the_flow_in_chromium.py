"""A marketer makes, tries, sends and judges an SMS from the flow's page, by visible labels only.

The steps are those of docs/user-guide/sms-from-a-flow.md, in their order.
"""

from __future__ import annotations

import re
import subprocess

import pytest
from django.test import Client
from playwright.sync_api import expect

from config.embedded.process import wait_until
from core.tenancy import tenant_scope
from delivery.operations.connectors import connect_sms
from tests.e2e.from_the_flow import BROWSER, Desk
from tests.e2e.from_the_flow import desk as desk
from tests.fixtures.people import LAST_MONDAY
from tests.fixtures.twilio import SID, TOKEN, Twilio
from tests.flows.conftest import flow as flow
from tests.flows.conftest import world as world

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "Hi {{ contact.first_name }}, the offer ends tonight: https://acme.test/offer"
ADA, ALICE = "+4791234567", "+4790000115"


def test_an_sms_is_made_sent_and_judged_from_the_flow(
    desk: Desk, twilio: Twilio, worker: subprocess.Popen[bytes]
) -> None:
    desk.contact("Ada", last_name="Lovelace", mobile=ADA)
    with tenant_scope(desk.person.tenant.pk):
        connect_sms(
            account_sid=SID, auth_token=TOKEN, senders=["Acme"], actor=desk.person.user, now=LAST_MONDAY
        )
    desk.open_flow()
    write_it(desk)
    try_it(desk, twilio)
    desk.start()
    desk.add_everybody()
    expect(desk.page.get_by_text("Passed every rule and entered the flow.")).to_be_visible()
    read_it(desk, twilio)
    judge_it(desk)


def write_it(desk: Desk) -> None:
    """Draw the step and write its text there; its length is counted while one writes."""
    page = desk.page
    desk.edit()
    desk.add_step("Add a step at the start of the flow", "Send SMS", "Last call")
    page.get_by_label("Text", exact=True).fill(TEXT)
    expect(page.get_by_text("1 segment (GSM-7)")).to_be_visible()
    desk.shot("sms-from-a-flow-write")
    desk.apply()


def try_it(desk: Desk, twilio: Twilio) -> None:
    """See it as Ada would get it, and send a test to oneself."""
    page = desk.page
    desk.button("Preview and test").click()
    dialog = page.get_by_role("dialog", name="Preview and test")
    expect(dialog.get_by_text("From Acme, to Ada Lovelace")).to_be_visible()
    expect(dialog.get_by_text("Hi Ada, the offer ends tonight: http")).to_be_visible()
    dialog.get_by_role("combobox", name="Contact").select_option("Nobody in particular")
    expect(dialog.get_by_text("Hi , the offer ends tonight: http")).to_be_visible()
    dialog.get_by_role("combobox", name="Contact").select_option("Ada Lovelace")
    expect(dialog.get_by_text("Hi Ada, the offer ends tonight: http")).to_be_visible()
    dialog.get_by_label("Send to").fill("12")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog.get_by_text("“12” is no phone number (with its country code).")).to_be_visible()
    dialog.get_by_label("Send to").fill("90 00 01 15")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("The test is on its way.")).to_be_visible()
    assert wait_until(lambda: bool(twilio.sent), seconds=90), "no test came"
    expect(dialog.get_by_text("Sent", exact=True)).to_be_visible()
    assert [(sms.to, sms.sender) for sms in twilio.sent] == [(ALICE, "Acme")]
    assert twilio.sent[0].text.startswith("Hi Ada, the offer ends tonight: http")
    desk.shot("sms-from-a-flow-try")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def read_it(desk: Desk, twilio: Twilio) -> None:
    """Ada gets it, Twilio says that it was delivered, and an hour later she follows its link."""
    assert wait_until(lambda: ADA in [sms.to for sms in twilio.sent], seconds=90)
    sms = next(sms for sms in twilio.sent if sms.to == ADA)
    statuses = twilio.call_back(len(twilio.callbacks))
    assert set(statuses) <= {200, 204}
    desk.open_flow()
    desk.an_hour_goes_by()
    [click] = re.findall(r"https?://[^/ ]+(/[0-9A-Za-z]+)", sms.text)
    assert Client(headers=BROWSER).get(click)["Location"].startswith("https://acme.test/offer")


def judge_it(desk: Desk) -> None:
    """Read what became of it in the reports, and at the step on the canvas."""
    page = desk.page
    desk.tab("Content")
    row = page.get_by_role("table", name="SMS of Autumn welcome").get_by_role("row", name="Last call")
    expect(row.get_by_text("1 segment (GSM-7)")).to_be_visible()
    desk.tab("Reports")
    table = page.get_by_role("region", name="Messages as a table")
    cells = table.get_by_role("row", name="Last call").get_by_role("cell")
    # Recipients, sent, delivered; an SMS tells nobody that it was opened; clicked, came back.
    for number, words in enumerate(["1", "1", "1", "–", "1 100.0 %", "–", "0"]):
        expect(cells.nth(number)).to_have_text(words)
    table.scroll_into_view_if_needed()
    desk.shot("sms-from-a-flow-judge")
    desk.tab("Flow")
    desk.page.get_by_role("button", name="Last call").first.click()
    expect(page.get_by_role("heading", name="Last call", level=2)).to_be_visible()
    facts = page.get_by_role("complementary")
    expect(facts.get_by_text("Clicked")).to_be_visible()
    facts.get_by_role("definition").filter(has_text="1").get_by_role("link").first.click()
    expect(page.get_by_role("link", name="ada@post.test")).to_be_visible()
