"""The main job as people do it: in Chromium, with a real worker, a real SMTP server and the trial's own clock.

One test, because it is one story: invite, import, write, draw, start, add, read the mail, let two days go by, click
and leave, look as a rep, pause, edit, resume, end.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from accounts.models import Tenant
from config.embedded.process import wait_until
from core.tenancy import tenant_scope
from crm.models import Contact
from participants.models import Participant
from tests.fixtures.people import PASSWORD, Person
from tests.flows.drawing import add_criterion, add_part, add_step, apply, open_part
from trial.mailbox import Mail, Mailbox

pytestmark = pytest.mark.django_db(transaction=True)

CSV = Path(__file__).parent.parent / "data" / "contacts.csv"
PEOPLE = {"mona": "Flow administrator", "will": "Content writer", "rita": "Sales rep"}
# A recipient that the sample file holds once: a prospect with consent and a job as a designer.
RECIPIENT = "u00001.c@mail.test"
MJML = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ contact.first_name|default("there") }}</mj-text>
<mj-button href="https://acme.test/offer">See the offer</mj-button>
</mj-column></mj-section></mj-body></mjml>"""


class Stage:
    """Acme as its people see it: a page each, on one server, with one mailbox."""

    def __init__(self, tenant: Tenant, home: str, mailbox: Mailbox, page: Page) -> None:
        self.tenant, self.home, self.mailbox, self.page = tenant, home, mailbox, page

    def open(self, path: str) -> None:
        """Open a page of the tenant."""
        self.page.goto(f"{self.home}/t/{self.tenant.slug}/{path}")

    def sign_in(self, who: str) -> None:
        """Sign in by the form, as a new visitor."""
        self.page.context.clear_cookies()
        self.page.goto(f"{self.home}/accounts/login/")
        self.page.locator("[name=login]").fill(f"{who}@acme.test")
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**/t/{self.tenant.slug}/")

    def mails(self, to: str) -> list[Mail]:
        """Return the mails that an address got, oldest first."""
        found = [line for line in self.mailbox.summaries() if to in line.recipients]
        return [
            mail for line in sorted(found, key=lambda line: line.id) if (mail := self.mailbox.get(line.id))
        ]

    def wait_for_mail(self, to: str, *, number: int = 1) -> Mail:
        """Wait until an address got so many mails; return the newest."""
        assert wait_until(lambda: len(self.mails(to)) >= number, seconds=90), (
            f"no mail number {number} to {to}"
        )
        return self.mails(to)[-1]

    def count(self, status: str) -> int:
        """Return how many participants have a status."""
        with tenant_scope(self.tenant.pk):
            return Participant.objects.filter(status=status).count()

    def one(self) -> Participant:
        """Return the recipient's participation."""
        with tenant_scope(self.tenant.pk):
            contact = Contact.objects.get(email_norm=RECIPIENT)
            return Participant.objects.filter(contact_id=contact.pk).latest("id")


@pytest.fixture
def stage(
    acme: Tenant,
    alice: Person,
    page: Page,
    live_server: Any,
    smtp_sink: Mailbox,
    worker: object,
    settings: Settings,
) -> Stage:
    """A trial tenant with its administrator; everybody else comes by invitation."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.PUBLIC_URL = live_server.url
    # Where the worker looks: uploads go from one process to the other.
    settings.MEDIA_ROOT = settings.HOME / "media"
    Tenant.objects.filter(pk=acme.pk).update(is_trial=True)
    return Stage(acme, live_server.url, smtp_sink, page)


def invite_everyone(stage: Stage, browser: Browser) -> None:
    """Alice invites three people; each follows the link in the mail and joins."""
    stage.sign_in("alice")
    for name, role in PEOPLE.items():
        stage.open("settings/users/invite/")
        stage.page.locator("[name=email]").fill(f"{name}@acme.test")
        stage.page.locator("[name=role]").select_option(label=role)
        stage.page.get_by_role("button", name="Send invitation").click()
        mail = stage.wait_for_mail(f"{name}@acme.test")
        link = re.search(r"https?://\S+/invitation/\S+", mail.text)
        assert link is not None
        newcomer = browser.new_page()
        newcomer.goto(link.group())
        newcomer.locator("[name=first_name]").fill(name.title())
        newcomer.locator("[name=last_name]").fill("Berg")
        newcomer.locator("[name=password]").fill(PASSWORD)
        newcomer.get_by_role("button", name="Join").click()
        newcomer.wait_for_url(f"**/t/{stage.tenant.slug}/")
        newcomer.close()


def import_contacts(stage: Stage) -> None:
    """Mona imports the sample file into a selection."""
    page = stage.page
    stage.open("selections/")
    page.get_by_role("button", name="New selection").first.click()
    page.get_by_role("dialog").locator("[name=name]").fill("From the fair")
    page.get_by_role("button", name="Make selection").click()
    expect(page.get_by_role("heading", name="From the fair")).to_be_visible()
    stage.open("imports/")
    page.locator("[name=file]").set_input_files(CSV)
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_label("E-mail goes into")).to_have_value("contact.email")
    with page.expect_response("**/mapping/"):
        page.locator("[name=selection]").select_option(label="From the fair")
    with page.expect_response("**/mapping/"):
        page.locator("[name=source]").fill("Trade fair")
        page.locator("[name=source]").blur()
    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_text("9,882")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("43").first).to_be_visible()


def write_emails(stage: Stage) -> None:
    """Will writes two emails, looks at one as a contact and sends himself a test."""
    page = stage.page
    for name in ("Welcome", "Offer"):
        stage.open("content/new/")
        page.locator("[name=name]").fill(name)
        page.get_by_role("button", name="Create email").click()
        page.locator("[name=subject]").fill(name + ", {{ contact.first_name }}")
        page.get_by_text("Source", exact=True).click()
        page.locator("[name=mjml]").fill(MJML)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved as version 1")).to_be_visible()
    expect(page.locator("#preview iframe")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    page.locator("#test-send [name=addresses]").fill("will@acme.test")
    page.get_by_role("button", name="Send", exact=True).click()
    assert stage.wait_for_mail("will@acme.test", number=2).summary.subject.startswith("[Test] Offer")


def draw_the_flow(stage: Stage) -> str:
    """Mona draws the flow, is told what is missing, mends it and starts; returns the flow's address."""
    page = stage.page
    stage.open("flows/new/")
    page.locator("[name=name]").fill("Autumn welcome")
    page.get_by_role("button", name="Create flow").click()
    page.wait_for_selector("flow-canvas[data-ready]")
    open_part(page, "Added by hand")
    add_part(page, "trigger", "Contact created")
    open_part(page, "Trigger")
    open_part(page, "Only if everyone may enter")
    add_criterion(page, "Category", "is one of", choices=("Prospect",))
    apply(page)
    add_step(page, "Add a step at the start of the flow", "Send email")
    page.locator("[name=title]").fill("Say hello")
    apply(page)
    page.get_by_role("switch", name="Running").click()
    expect(page.locator(".flow-problems")).to_contain_text("Choose an email")
    expect(page.locator("#flow-state")).to_have_text("Draft")
    mend_and_finish(stage)
    page.get_by_role("switch", name="Running").click()
    expect(page.locator("#flow-state")).to_have_text("Running")
    return page.url.split("/edit/")[0] + "/"


def mend_and_finish(stage: Stage) -> None:
    """Choose the email, add the wait, the split, the update, the offer and the success criterion."""
    page = stage.page
    page.keyboard.press("Escape")
    open_part(page, "Say hello")
    page.locator("[name=email]").select_option(label="Welcome")
    apply(page)
    page.get_by_role("button", name="Settings").click()
    open_part(page, "Messages")
    page.locator("[name=subscription_type]").select_option(label="Newsletter")
    apply(page)
    add_step(page, "Add a step after Say hello", "Wait for time")
    page.locator("[name=title]").fill("Two days")
    page.locator("[name=amount]").fill("2")
    apply(page)
    add_step(page, "Add a step after Two days", "Split")
    page.locator("[name=title]").fill("Who is it?")
    apply(page)
    open_part(page, "Branch 1")
    page.locator("[name=name]").fill("Designers")
    add_criterion(page, "Job title", "contains", text="designer")
    apply(page)
    open_part(page, "Everyone else")
    page.get_by_label("Exit flow").check()
    apply(page)
    add_step(page, "Add a step at the start of branch Designers", "Update contact")
    with page.expect_response("**/edit/apply/"):
        page.get_by_label("Field", exact=True).select_option(label="Job title")
    page.get_by_label("Value").fill("Designer (contacted)")
    apply(page)
    add_step(page, "Add a step after Who is it?", "Send email")
    page.locator("[name=title]").fill("Make the offer")
    page.locator("[name=email]").select_option(label="Offer")
    apply(page)
    open_part(page, "Finish")
    add_part(page, "success criterion", "Contact changed")
    add_criterion(page, "Category", "is one of", choices=("Customer",))
    apply(page)


def add_the_selection(stage: Stage) -> None:
    """Mona adds everyone of the selection and sees how many were enrolled and why the others were not."""
    page = stage.page
    stage.open("selections/")
    page.get_by_role("link", name="From the fair").first.click()
    page.get_by_role("link", name="Add to flow").click()
    page.get_by_label("Autumn welcome").check()
    page.get_by_role("button", name="Add to flow").click()
    expect(page.get_by_text("Does not pass the filter")).to_be_visible(timeout=120_000)


def read_and_click(stage: Stage) -> None:
    """The recipient reads the mail, and some hours later opens and clicks."""
    mail = stage.wait_for_mail(RECIPIENT)
    assert mail.summary.subject == "Welcome, Shirley"
    assert "Hello Shirley" in mail.text
    assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    pass_time(stage, "+1 hour")
    paths = re.findall(r"https?://[^/\"]+(/m/[a-z]/[^\"?& ]+)", mail.html)
    client = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    clicked = next(path for path in paths if path.startswith("/m/c/"))
    # While a worker holds the message the page asks to come again in some seconds.
    answers = [client.get(clicked)]
    while answers[-1].status_code == 503 and len(answers) < 20:
        time.sleep(int(answers[-1]["Retry-After"]))
        answers.append(client.get(clicked))
    assert answers[-1]["Location"].startswith("https://acme.test/offer")
    assert client.get(next(path for path in paths if path.startswith("/m/o/"))).status_code == 200


def leave(stage: Stage) -> None:
    """The recipient leaves with one click in the mail program."""
    address = stage.mails(RECIPIENT)[0].header("List-Unsubscribe")
    path = re.search(r"/m/u/[^>]+", address)
    assert path is not None
    assert Client().post(path.group(), {"List-Unsubscribe": "One-Click"}).status_code == 200


def pass_time(stage: Stage, label: str) -> None:
    """Press the trial's clock."""
    with stage.page.expect_navigation():
        stage.page.get_by_role("button", name=label).click()


def look_as_a_rep(stage: Stage) -> None:
    """Rita sees what her contact got and did, and nothing of the flow itself."""
    with tenant_scope(stage.tenant.pk):
        contact = Contact.objects.get(email_norm=RECIPIENT)
    stage.sign_in("rita")
    stage.open(f"contacts/{contact.pk}/flows/")
    expect(stage.page.get_by_role("heading", name="Autumn welcome")).to_be_visible()
    expect(stage.page.get_by_text("Unsubscribed").first).to_be_visible()
    answer = stage.page.context.request.get(f"{stage.home}/t/{stage.tenant.slug}/flows/")
    assert answer.status == 404


def test_the_main_job_in_a_browser(stage: Stage, browser: Browser) -> None:
    invite_everyone(stage, browser)
    stage.sign_in("mona")
    import_contacts(stage)
    stage.sign_in("will")
    write_emails(stage)
    stage.sign_in("mona")
    flow = draw_the_flow(stage)
    add_the_selection(stage)
    read_and_click(stage)
    leave(stage)
    stage.page.goto(flow)
    pass_time(stage, "+2 days")
    assert wait_until(lambda: stage.one().status == "dropped", seconds=60)
    assert stage.one().drop_reason == "unsubscribed"
    assert len(stage.mails(RECIPIENT)) == 1
    stage.page.get_by_role("link", name="Participants").click()
    expect(stage.page.locator("td", has_text="No consent").first).to_be_visible()
    look_as_a_rep(stage)
    stage.sign_in("mona")
    stage.page.goto(flow)
    switch, title = stage.page.get_by_role("switch", name="Running"), stage.page.locator(".page-title")
    switch.click()
    expect(switch).not_to_be_checked()
    expect(title).to_contain_text("Paused")
    switch.click()
    expect(switch).to_be_checked()
    expect(title).to_contain_text("Running")
    stage.page.get_by_role("button", name="More for Autumn welcome").click()
    stage.page.get_by_role("link", name="End", exact=True).click()
    stage.page.get_by_role("dialog").get_by_role("button", name="End flow").click()
    expect(stage.page.get_by_text("Ended").first).to_be_visible(timeout=60_000)
    assert stage.count("active") == 0
    assert stage.count("dropped") > 1000
