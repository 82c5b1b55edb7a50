"""Connecting an email provider and trying it, in a real browser: both themes, a phone's width, by label."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.delivery.conftest import House
from tests.delivery.conftest import house as house
from tests.e2e.test_delivery_pages_in_chromium import look
from tests.fixtures.people import Person
from tests.support.email_providers import KEY, EmailProviders
from tests.support.provider_events import SIGNING_KEY

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_a_provider_is_connected_tried_and_disconnected_by_label(
    page: Page, live_server: Any, alice: Person, house: House, providers: EmailProviders,
    sign_in: Callable[[Person], None], theme: Callable[[str], None], chosen: str,
) -> None:  # fmt: skip
    sign_in(alice)
    theme(chosen)
    page.goto(live_server.url + alice.url("settings/connectors/email/"))
    expect(page.get_by_text("This installation’s mail server", exact=True)).to_be_visible()
    look(page, f"email-none-{chosen}")
    page.get_by_role("link", name="Connect Mailgun").click()
    page.get_by_label("API key").fill(KEY)
    page.get_by_label("Sending domain").fill("mg.acme.test")
    page.get_by_label("Region").select_option("Europe")
    look(page, f"email-mailgun-{chosen}")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("Emails go by Mailgun from now on.")).to_be_visible()
    expect(page.get_by_text("is refused as long as “HTTP webhook signing key” is missing")).to_be_visible()
    page.get_by_role("link", name="give it").click()
    page.get_by_label("HTTP webhook signing key").fill(SIGNING_KEY)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Address for Mailgun’s webhook")).to_have_value(re.compile(r"/m/e/"))
    expect(page.get_by_text("is refused as long as “HTTP webhook signing key” is missing")).to_have_count(0)
    page.get_by_label("Send a test mail to").fill("ada@post.test")
    page.get_by_role("button", name="Send test mail").click()
    expect(page.get_by_text("Mailgun took the mail to ada@post.test.")).to_be_visible()
    assert [mail.to for mail in providers.mails] == ["ada@post.test"]
    page.get_by_label("Send a test mail to").fill("bad@post.test")
    page.get_by_role("button", name="Send test mail").click()
    expect(page.get_by_text("Mailgun refuses the recipient’s address.")).to_be_visible()
    expect(page.get_by_text("400 to parameter is not a valid address")).to_be_hidden()
    page.get_by_text("What was answered").click()
    expect(page.get_by_text("400 to parameter is not a valid address")).to_be_visible()
    look(page, f"email-connected-{chosen}")
    page.get_by_role("link", name="Connect Postmark").click()
    expect(page.get_by_text("Emails go by Mailgun now.")).to_be_visible()
    look(page, f"email-postmark-{chosen}")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Disconnect").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("This installation’s mail server", exact=True)).to_be_visible()
