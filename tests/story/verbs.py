"""The tenant of the story with its clock, and the verbs that it is told with."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Tenant
from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.models import Contact, ListItem, Selection, SubscriptionType
from crm.operations.consent import record_consent
from delivery.operations.sending import send_batch
from flows.document import (
    Branch,
    ExitSettings,
    FlowDocument,
    FlowSettings,
    MessageSettings,
    Sender,
    StepNode,
    SuccessCriterion,
    Trigger,
)
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.drafts import apply, draft_of
from flows.operations.lifecycle import NotReady, save_and_start
from participants.engine.batch import run_batch
from participants.intake import take_events
from participants.models import Participant, Visit
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

START = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
CSV = Path(__file__).parent.parent / "data" / "contacts.csv"
WELCOME = """<mjml><mj-head><mj-style inline="inline">.big { color: #0a5e49; }</mj-style></mj-head><mj-body>
<mj-section><mj-column><mj-text css-class="big">Hei {{ contact.first_name|default("du") }} — ты, 你好, 🙂</mj-text>
<mj-button href="https://acme.test/offer">See it</mj-button></mj-column></mj-section></mj-body></mjml>"""


class Story:
    """The tenant with its clock, and the verbs of the story."""

    def __init__(self, tenant: Tenant, bob: Person, wendy: Person) -> None:
        self.tenant, self.bob, self.wendy, self.now = tenant, bob, wendy, START

    def scope(self) -> Any:
        """Open the tenant's scope."""
        return tenant_scope(self.tenant.pk)

    def category(self, name: str) -> int:
        """Return a category's id."""
        return ListItem.objects.get(list="category", name=name).pk

    def write(self, name: str, mjml: str = WELCOME) -> Email:
        """Wendy writes an email."""
        email = create_email(name=name, actor=self.wendy.user, now=self.now)
        draft = Draft(name=name, subject=f"{name}, {{{{ contact.first_name }}}}", mjml=mjml)
        saved = save_email(email_id=email.pk, draft=draft, revision=0, actor=self.wendy.user, now=self.now)
        assert saved.is_saved, saved.problems
        return saved.email

    def turn(self, flow: Flow) -> None:
        """Let the workers do everything that is due: events, batches, mail."""
        for _ in range(20):
            taken = take_events(tenant_id=self.tenant.pk, now=self.now).taken
            moved = run_batch(tenant_id=self.tenant.pk, flow_id=flow.pk, now=self.now, limit=500).claimed
            sent = send_batch(tenant_id=self.tenant.pk, now=self.now)
            if not (taken or moved or sent.more or sent.handed):
                return

    def pass_days(self, days: float) -> None:
        """Let time go by."""
        self.now += dt.timedelta(days=days)

    def one(self, flow: Flow, contact: Contact) -> Participant:
        """Return the newest participant of a contact."""
        return Participant.objects.filter(flow_id=flow.pk, contact_id=contact.pk).latest("id")

    def path(self, participant: Participant) -> list[tuple[str, str]]:
        """Return how each visit ended, with the step's title."""
        titles = {node.id: node.title for node in self.document(participant.flow_id).walk()}
        visits = Visit.objects.filter(participant_id=participant.pk).order_by("number")
        return [(titles[v.step_id], f"{v.ended}:{v.how}" if v.how else v.ended) for v in visits]

    def document(self, flow_id: int) -> FlowDocument:
        """Return the flow's draft."""
        return draft_of(Flow.objects.get(pk=flow_id))


def line(field: str, operator: str, *values: Any) -> Criteria:
    """Return criteria of one line."""
    return Criteria(groups=(Group(lines=(Line(field=field, operator=operator, values=values),)),))


def drawn(story: Story, *, move_to_finish: bool) -> FlowDocument:
    """Return the flow of the story."""
    hot, never, left_over = (
        Selection.objects.get_or_create(name=name, defaults={"created_at": story.now})[0].pk
        for name in ("Hot", "Never", "Left over")
    )
    split = StepNode(
        kind="split",
        title="Who is it?",
        branches=(
            Branch(name="Engineers", criteria=line("contact.job_title", "contains", "engineer")),
            Branch(name="Nordic", criteria=line("contact.country", "one_of", "NO", "SE", "DK")),
            Branch(exit=ExitSettings(selection=left_over)),
        ),
    )
    change = {"field": "contact.job_title", "action": "append", "values": [" (contacted)"]}
    messages = MessageSettings(
        subscription_type=SubscriptionType.objects.get(name="Newsletter").pk,
        sender=Sender(name="Acme", email="hello@acme.test"),
    )
    return FlowDocument(
        settings=FlowSettings(
            timezone="Europe/Oslo", exclusions=(never,), move_to_finish=move_to_finish, messages=messages
        ),
        triggers=(
            Trigger(kind="contact_created"),
            Trigger(kind="added_to_selection", settings={"selection": hot}),
        ),
        filter=line("contact.category", "one_of", story.category("Prospect")),
        success=(
            SuccessCriterion(
                kind="criteria", criteria=line("contact.category", "one_of", story.category("Customer"))
            ),
        ),
        steps=(
            StepNode(kind="send_email", title="Welcome", settings={"email": story.write("Welcome").pk}),
            StepNode(kind="wait_for_time", title="Two days", settings={"amount": 2, "unit": "days"}),
            split,
            StepNode(kind="update_contact", title="Note it", settings={"lines": [change]}),
            StepNode(kind="send_email", title="Offer", settings={"email": story.write("Offer").pk}),
        ),
    )


@pytest.fixture
def story(acme: Tenant, bob: Person, wendy: Person, mailbox: Mailbox) -> Story:
    """Acme with its people and a real SMTP server."""
    return Story(acme, bob, wendy)


def person(story: Story, name: str, **fields: Any) -> Contact:
    """Make a consenting contact without a company."""
    email = f"{name.lower()}@post.test"
    values = {"category_id": story.category("Prospect"), "country": "DE", **fields}
    contact = Contact.objects.create(
        first_name=name, name_norm=name.lower(), email=email, email_norm=email, origin="user",
        created_at=story.now, updated_at=story.now, **values,
    )  # fmt: skip
    record_consent(contact_id=contact.pk, given=True, legal_basis="Consent", source="Test", at=story.now)
    return contact


def start(story: Story, *, move_to_finish: bool = False) -> Flow:
    """Draw the flow, be refused while it is unfinished, then start it."""
    flow = create_flow(name="Autumn welcome", owner=story.bob.user, now=story.now, timezone="Europe/Oslo")
    empty = StepNode(kind="send_email", title="Welcome")
    flow = apply(
        flow_id=flow.pk, base_version=flow.draft_version, change=lambda d: d.model_copy(update={"steps": (empty,)}),
        label="begin", actor=story.bob.user, now=story.now,
    )  # fmt: skip
    with pytest.raises(NotReady) as refused:
        save_and_start(flow_id=flow.pk, base_version=flow.draft_version, actor=story.bob.user, now=story.now)
    assert "Choose an email" in str([problem.message for problem in refused.value.problems])
    assert Flow.objects.get(pk=flow.pk).status == "not_running"
    document = drawn(story, move_to_finish=move_to_finish)
    flow = apply(
        flow_id=flow.pk, base_version=flow.draft_version, change=lambda _: document, label="draw",
        actor=story.bob.user, now=story.now,
    )  # fmt: skip
    return save_and_start(
        flow_id=flow.pk, base_version=flow.draft_version, actor=story.bob.user, now=story.now
    )


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Return the text and the HTML of a mail."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()
