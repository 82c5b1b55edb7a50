"""Sender domains, the frequency cap and blocked addresses in a real browser: both themes, a phone's width, by label."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from crm.models import Contact
from delivery.models import BlockedAddress, ChannelHold, Message, SenderDomain, SendingRules
from tests.delivery.conftest import NOW, House
from tests.delivery.conftest import house as house
from tests.fixtures.dns import NameServer
from tests.fixtures.people import Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = ({"width": 1440, "height": 900}, {"width": 390, "height": 844})


def look(page: Page, name: str) -> None:
    """Judge the page at both widths; keep pictures where PICTURES names a folder."""
    for size in SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, f"{name} is too wide"
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)
    page.set_viewport_size(SIZES[0])  # type: ignore[arg-type]
    assert accessibility_faults(page) == []


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_the_pages_of_delivery_are_used_by_their_labels(
    page: Page, live_server: Any, alice: Person, house: House, name_server: NameServer,
    sign_in: Callable[[Person], None], theme: Callable[[str], None], chosen: str,
) -> None:  # fmt: skip
    sign_in(alice)
    theme(chosen)
    page.goto(live_server.url + alice.url("settings/connectors/domains/"))
    page.get_by_label("Domain").fill("acme.test")
    page.get_by_role("button", name="Add domain").click()
    expect(page.get_by_text("Not checked yet")).to_be_visible()
    with tenant_scope(alice.tenant.pk):
        row = SenderDomain.objects.get()
    name_server.records.update(
        {"acme.test": ["v=spf1 mx ~all"], f"{row.selector}._domainkey.acme.test": [f"p={row.public_key}"]}
    )
    page.get_by_role("button", name="Check acme.test").click()
    expect(page.get_by_text("There is no DMARC record.")).to_be_visible()
    look(page, f"domains-{chosen}")

    page.goto(live_server.url + alice.url("settings/connectors/sending/"))
    page.get_by_label("At most in 24 hours").fill("2")
    page.get_by_label("Skip the message and go on").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Frequency cap saved.")).to_be_visible()
    page.get_by_label("Emails a minute at most").fill("120")
    page.get_by_role("button", name="Save pace").click()
    expect(page.get_by_text("Pace saved.")).to_be_visible()
    expect(page.get_by_label("Emails a minute at most")).to_have_value("120")
    look(page, f"cap-{chosen}")
    with tenant_scope(alice.tenant.pk):
        assert SendingRules.objects.get().when_full == "skip"

    ada = house.contact("Ada", email="ada.lovelace@post.test", last_name="Lovelace")
    with tenant_scope(alice.tenant.pk):
        for address, reason in (
            ("ada.lovelace@post.test", "hard_bounce"),
            ("full@post.test", "repeated_bounces"),
        ):
            BlockedAddress.objects.create(
                address_norm=address, reason=reason, detail="550 5.1.1 No such user", at=NOW
            )
    page.goto(live_server.url + alice.url("content/blocked-addresses/"))
    look(page, f"blocked-{chosen}")
    page.get_by_role("button", name="Former employee").click()
    page.get_by_role("button", name="Set as former employee").click()
    expect(page.get_by_text("no flow writes to them any more")).to_be_visible()
    with tenant_scope(alice.tenant.pk):
        assert Contact.objects.get(pk=ada.pk).former_employee


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_what_did_not_go_is_tried_again_and_what_nobody_knows_of_is_decided_about(
    page: Page, live_server: Any, alice: Person, house: House, sign_in: Callable[[Person], None],
    theme: Callable[[str], None], chosen: str,
) -> None:  # fmt: skip
    sign_in(alice)
    theme(chosen)
    page.goto(live_server.url + alice.url("content/blocked-addresses/"))
    ben = house.contact("Ben")
    [message_id] = house.queue(ben)
    with tenant_scope(alice.tenant.pk):
        Message.objects.update(status="failed", reason="refused", error="554 5.7.1 Your server is listed")
    house.queue(house.contact("Cleo"))
    with tenant_scope(alice.tenant.pk):
        ChannelHold.objects.create(
            channel="email", cause="unreachable", said="TimeoutError: timed out", since=NOW, retry_at=NOW
        )
    page.get_by_role("link", name="Undelivered messages").click()
    expect(page.get_by_text("1 message waits: The mail server cannot be reached.")).to_be_visible()
    look(page, f"undelivered-{chosen}")
    page.get_by_role("button", name="Try again to ben@post.test").click()
    expect(page.get_by_text("1 message queued again.")).to_be_visible()
    assert house.message(message_id).status == "queued"
    with tenant_scope(alice.tenant.pk):
        Message.objects.update(status="unknown", reason="process_died", handed_at=NOW)
    page.get_by_role("link", name="Unknown", exact=True).click()
    expect(page.get_by_text("It was being handed over when the process died")).to_have_count(2)
    look(page, f"unknown-{chosen}")
    page.get_by_role("button", name="Send again to ben@post.test").click()
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()
    expect(page.get_by_text("1 message queued again.")).to_be_visible()
    page.get_by_role("button", name="Count all as sent").click()
    page.get_by_role("dialog").get_by_role("button", name="Count all as sent").click()
    expect(page.get_by_text("1 message counted as sent.")).to_be_visible()
    expect(page.get_by_text("Nothing is unknown")).to_be_visible()
    assert house.message(message_id).status == "queued"
