"""A new brand in a real browser: chosen, and the emails come into it by themselves; layouts show it on a phone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from content.models import Email
from content.operations.locks import lock_emails
from content.operations.rebranding import JOB
from core.jobs import run_slice
from core.models import Job
from core.tenancy import tenant_scope
from tests.content.test_in_chromium import enter
from tests.content.test_rebranding import again, write
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.fixture
def worker(bob: Person) -> Iterator[threading.Event]:
    """A worker that does the jobs once it is told to begin."""
    begin, end = threading.Event(), threading.Event()

    def work() -> None:
        begin.wait(120)
        while not end.wait(0.1):
            with tenant_scope(bob.tenant.pk):
                job = Job.objects.filter(kind=JOB, status__in=["waiting", "running"]).first()
            if job is not None:
                run_slice(tenant_id=bob.tenant.pk, job_id=job.pk, now=LAST_MONDAY)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield begin
    begin.set()
    end.set()
    thread.join(60)


def test_a_new_brand_comes_into_the_emails_by_itself(
    page: Page, live_server: Any, bob: Person, worker: threading.Event
) -> None:
    emails = [write(bob, f"Email {number}") for number in range(3)]
    with tenant_scope(bob.tenant.pk):
        lock_emails(email_ids=[emails[2].pk], flow_id=7, flow_name="Autumn", url="/x")
    enter(page, live_server, bob)
    page.goto(live_server.url + bob.url("content/brand/"))
    page.get_by_label("Accent").fill("#8a1538")
    page.get_by_role("button", name="Save").click()
    told = page.get_by_role("region", name="Emails in the brand")
    expect(told).to_contain_text("Emails are being brought into the brand")
    expect(told).to_contain_text("0 of 3")
    assert accessibility_faults(page) == []
    worker.set()
    expect(told).to_contain_text("2 emails took the brand over.", timeout=60_000)
    expect(told.get_by_role("link", name="Email 2")).to_be_visible()
    assert accessibility_faults(page) == []
    shot(page, "brand-job")
    versions = [again(bob, email).revision for email in emails]
    assert versions == [2, 2, 1]
    page.goto(live_server.url + bob.url(f"content/{emails[0].pk}/"))
    heading = page.frame_locator(".mail-frame").get_by_text("Hello").first
    expect(heading).to_be_visible(timeout=20_000)
    with tenant_scope(bob.tenant.pk):
        current = Email.objects.select_related("current").get(pk=emails[0].pk).current
        assert current is not None
        assert "#8a1538" in current.html


def test_layouts_fill_a_phones_width(page: Page, live_server: Any, wendy: Person) -> None:
    enter(page, live_server, wendy)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live_server.url + wendy.url("content/new/"))
    tile = page.locator("label.starter").first
    expect(tile).to_be_visible()
    form = page.locator(".starters").bounding_box()
    box, picture = tile.bounding_box(), tile.locator("iframe").bounding_box()
    assert form is not None
    assert box is not None
    assert picture is not None
    assert abs(box["width"] - form["width"]) < 1
    assert abs(picture["width"] - (box["width"] - 2 * (picture["x"] - box["x"]))) < 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, "new-email-390")
