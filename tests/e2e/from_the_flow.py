"""What the three tests "from the flow's page" share: a trial tenant with real parts, and a marketer who sees labels.

Nothing here presses anything by an id, a class or a name: what has no label, a marketer cannot find.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from accounts.models import Tenant
from config.embedded.process import wait_until
from core.tenancy import tenant_scope
from core.text import norm, norm_email
from crm.models import Consent, ConsentPurpose, Contact, SelectionMember
from flows.models import Flow
from tests.fixtures.people import LAST_MONDAY, Person
from tests.flows.conftest import World
from trial.mailbox import Mail, Mailbox

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


class Desk:
    """A marketer's desk: the page, the flow that it stands on, and what people outside got."""

    def __init__(self, page: Page, home: str, person: Person, flow: Flow, world: World) -> None:
        self.page, self.home, self.person, self.flow, self.world = page, home, person, flow, world

    # --- doing ----------------------------------------------------------------------------------------------------

    def open_flow(self) -> None:
        """Open the flow's page, where every story begins."""
        self.page.goto(self.home + self.person.url(f"flows/{self.flow.pk}/"))
        expect(self.page.get_by_role("heading", name=self.flow.name, level=1)).to_be_visible()

    def edit(self) -> None:
        """From the flow's page into the designer."""
        self.page.get_by_role("link", name="Edit", exact=True).click()
        expect(self.running).to_be_visible()
        self.page.wait_for_selector("flow-canvas[data-ready]")

    @property
    def running(self) -> Locator:
        """The switch that starts and pauses."""
        return self.page.get_by_role("switch", name="Running")

    def button(self, name: str) -> Locator:
        """A button by its whole name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        """A link by its whole name."""
        return self.page.get_by_role("link", name=name, exact=True)

    def tab(self, name: str) -> None:
        """Go to a tab of the flow's page."""
        self.page.get_by_role("navigation", name="Flow").get_by_role("link", name=name, exact=True).click()
        expect(
            self.page.get_by_role("navigation", name="Flow").get_by_role("link", name=name, exact=True)
        ).to_have_attribute("aria-current", "page")

    def add_step(self, plus: str, kind: str, title: str) -> None:
        """Press a plus, choose a kind, name the step."""
        self.button(plus).click()
        self.page.get_by_role("menuitem", name=kind).click()
        name = self.page.get_by_role("textbox", name="Title", exact=True)
        expect(name).to_have_value(kind)
        name.fill(title)

    def apply(self) -> None:
        """Apply the panel, and see that it was."""
        self.button("Apply").click()
        expect(self.page.get_by_text("Applied.").first).to_be_visible()

    def start(self) -> None:
        """Start the flow, and see that it runs."""
        self.running.click()
        expect(self.running).to_be_checked()

    def add_everybody(self) -> None:
        """Add the people of the selection to the running flow, from the menu at the left."""
        self.link("Selections").click()
        self.link(self.world.selection.name).click()
        self.link("Add to flow").click()
        self.page.get_by_label(self.flow.name).check()
        self.button("Add to flow").click()

    def an_hour_goes_by(self) -> None:
        """Move the trial's clock: what is opened in the seconds after it came was opened by a machine."""
        self.button("+1 hour").click()
        expect(self.page.get_by_text("The clock is 1 hour ahead now.")).to_be_visible()

    def shot(self, name: str) -> None:
        """Keep a picture for the user guide where SHOTS names a folder."""
        self.shot_of(self.page, name)

    @staticmethod
    def shot_of(page: Page, name: str) -> None:
        """Keep a picture of another tab."""
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=str(Path(folder) / f"{name}.png"), caret="initial")

    # --- people outside -------------------------------------------------------------------------------------------

    def contact(self, first: str, **fields: Any) -> Contact:
        """Make a contact of the selection, with consent."""
        address = f"{norm(first)}@post.test"
        with tenant_scope(self.person.tenant.pk):
            contact = Contact.objects.create(
                first_name=first, name_norm=norm(first), email=address, email_norm=norm_email(address),
                origin="user", created_at=LAST_MONDAY, updated_at=LAST_MONDAY, **fields,
            )  # fmt: skip
            purpose = ConsentPurpose.objects.get(key="e-marketing")
            Consent.objects.create(contact=contact, purpose=purpose, given=True, at=LAST_MONDAY)
            SelectionMember.objects.create(
                selection=self.world.selection, contact=contact, added_at=LAST_MONDAY
            )
        return contact


def mail_to(mailbox: Mailbox, address: str, subject: str) -> Mail:
    """Wait for a mail to an address whose subject begins so."""

    def found() -> list[Mail]:
        lines = [line for line in mailbox.summaries() if address in line.recipients]
        return [mail for line in lines if line.subject.startswith(subject) and (mail := mailbox.get(line.id))]

    assert wait_until(lambda: bool(found()), seconds=90), f"no mail “{subject}” to {address}"
    return found()[0]


def paths_in(html: str) -> list[str]:
    """Return the paths of a mail's own addresses: opening, clicks, leaving."""
    return re.findall(r"https?://[^/\"]+(/m/[a-z]/[^\"?& ]+)", html)


@pytest.fixture
def desk(
    page: Page,
    live_server: Any,
    alice: Person,
    flow: Flow,
    world: World,
    smtp_sink: Mailbox,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    """Alice at her desk, with an empty flow of a trial tenant; workers that start later send to the sink."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.PUBLIC_URL = live_server.url
    # Callbacks are signed for the address that the worker wrote.
    monkeypatch.setenv("MILLRACE_PUBLIC_URL", live_server.url)
    Tenant.objects.filter(pk=alice.tenant.pk).update(is_trial=True)
    cookie = alice.client().cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])
    page.set_viewport_size({"width": 1440, "height": 900})
    page.set_default_timeout(30_000)
    expect.set_options(timeout=20_000)
    return Desk(page, live_server.url, alice, flow, world)
