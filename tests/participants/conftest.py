"""A small world: a tenant with consenting contacts, flows made from documents, and a clock that is passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from accounts.models import Licence, Tenant, User
from content.models import Email, EmailVersion
from core.tenancy import tenant_scope
from core.text import norm, norm_email
from crm.criteria.schema import Criteria, Group, Line
from crm.models import (
    Consent,
    ConsentPurpose,
    Contact,
    ListItem,
    Selection,
    SelectionMember,
    SubscriptionType,
)
from delivery.models import Message, Stream
from flows.document import FlowDocument, FlowSettings, MessageSettings, StepNode
from flows.models import Flow, FlowRevision, Step
from participants.engine.batch import BatchResult, run_batch
from participants.models import Participant, Visit
from participants.operations.enrol import Source, SuggestResult, suggest

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def when(field: str, operator: str, *values: Any) -> Criteria:
    """Return criteria of one line."""
    return Criteria(groups=(Group(lines=(Line(field=field, operator=operator, values=values),)),))


class World:
    """One tenant's scope with short verbs for arranging it."""

    def __init__(self, tenant: Tenant, user: User) -> None:
        self.tenant, self.user = tenant, user
        self.now = NOW
        Licence.objects.create(code=Licence.Code.MARKETING)
        Licence.objects.create(code=Licence.Code.SMS)
        self.purpose = ConsentPurpose.objects.create(key="e-marketing", name="E-marketing")
        self.news = SubscriptionType.objects.create(name="News")
        self.prospect = self.category("Prospect")
        self.customer = self.category("Customer")

    def category(self, name: str) -> ListItem:
        """Make a category."""
        return ListItem.objects.create(list="category", name=name, name_norm=norm(name))

    def contact(self, name: str, *, consent: bool | None = True, **fields: Any) -> Contact:
        """Make a contact, with consent unless told otherwise."""
        email = fields.pop("email", f"{name.lower()}@post.test")
        contact = Contact.objects.create(
            first_name=name,
            name_norm=norm(name),
            email=email,
            email_norm=norm_email(email),
            origin="user",
            created_at=self.now,
            updated_at=self.now,
            **{"category": self.prospect, **fields},
        )
        if consent is not None:
            Consent.objects.create(contact=contact, purpose=self.purpose, given=consent, at=self.now)
        return contact

    def selection(self, name: str, *contacts: Contact) -> Selection:
        """Make a selection with members."""
        selection = Selection.objects.create(name=name, created_at=self.now)
        SelectionMember.objects.bulk_create(
            SelectionMember(selection=selection, contact=contact, added_at=self.now) for contact in contacts
        )
        return selection

    def email(self, name: str = "Welcome") -> Email:
        """Make an email that can be sent."""
        email = Email.objects.create(
            name=name, created_at=self.now, updated_at=self.now, updated_by=self.user
        )
        version = EmailVersion.objects.create(
            email=email,
            number=1,
            subject=name,
            mjml="",
            html=f"<p>{name}</p>",
            text=name,
            created_at=self.now,
        )
        Email.objects.filter(pk=email.pk).update(current=version, revision=1)
        return Email.objects.get(pk=email.pk)

    def flow(self, *steps: StepNode, name: str = "Flow", status: str = "running", **parts: Any) -> Flow:
        """Make a flow of these steps; `settings` gives flow settings beside the subscription type."""
        messages = MessageSettings(subscription_type=self.news.pk)
        settings = FlowSettings(**{"messages": messages, **parts.pop("settings", {})})
        document = FlowDocument(settings=settings, steps=steps, **parts)
        flow = Flow.objects.create(
            name=name,
            owner=self.user,
            status=Flow.Status.NOT_RUNNING,
            status_since=self.now,
            draft=document.model_dump(mode="json"),
            stream=Stream.objects.create(name=name),
            created_at=self.now,
            updated_at=self.now,
        )
        self.save(flow, document)
        started = None if status == "not_running" else self.now - DAY
        Flow.objects.filter(pk=flow.pk).update(status=status, started_at=started)
        return Flow.objects.get(pk=flow.pk)

    def save(self, flow: Flow, document: FlowDocument) -> None:
        """Save a document as the flow's newest revision."""
        number = Flow.objects.values_list("revision", flat=True).get(pk=flow.pk) + 1
        FlowRevision.objects.create(
            flow=flow,
            number=number,
            document=document.model_dump(mode="json"),
            created_at=self.now,
            created_by=self.user,
        )
        for rank, node in enumerate(document.walk()):
            Step.objects.update_or_create(
                id=node.id, defaults={"flow": flow, "kind": node.kind, "title": node.title, "rank": rank}
            )
        Flow.objects.filter(pk=flow.pk).update(revision=number)

    def suggest(self, flow: Flow, *contacts: Contact, source: str = "manual") -> SuggestResult:
        """Suggest contacts now."""
        ids = [contact.pk for contact in contacts]
        return suggest(flow_id=flow.pk, contact_ids=ids, source=Source(source), now=self.now)

    def advance(self, flow: Flow, *, days: float = 0, limit: int = 1000) -> BatchResult:
        """Let time pass, then run one batch."""
        self.now += dt.timedelta(days=days)
        return run_batch(tenant_id=self.tenant.pk, flow_id=flow.pk, now=self.now, limit=limit)

    def one(self, flow: Flow, contact: Contact) -> Participant:
        """Return the newest participant of a contact."""
        found = Participant.objects.filter(flow_id=flow.pk, contact_id=contact.pk).order_by("-id").first()
        assert found is not None
        return found

    def path(self, participant: Participant) -> list[tuple[str, str, str]]:
        """Return the visits as (step title, ended, how)."""
        titles = dict(Step.objects.values_list("id", "title"))
        visits = Visit.objects.filter(participant_id=participant.pk).order_by("number")
        return [(titles[visit.step_id], visit.ended, visit.how) for visit in visits]

    def messages(self) -> list[tuple[str, str]]:
        """Return (address, status) of every message in order."""
        return list(Message.objects.order_by("id").values_list("to_address", "status"))


def wait(amount: int, unit: str = "days", title: str = "Wait") -> StepNode:
    """Return a wait for time."""
    return StepNode(kind="wait_for_time", title=title, settings={"amount": amount, "unit": unit})


def send(email: Email, title: str = "Send", **settings: Any) -> StepNode:
    """Return a send-email step."""
    return StepNode(kind="send_email", title=title, settings={"email": email.pk, **settings})


def update(field: str, action: str, value: Any, title: str = "Update") -> StepNode:
    """Return an update step of one line."""
    line = {"field": field, "action": action, "values": [value]}
    return StepNode(kind="update_contact", title=title, settings={"lines": [line]})


def ids(contacts: Sequence[Contact]) -> list[int]:
    """Return the contacts' ids."""
    return [contact.pk for contact in contacts]


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """A tenant whose scope is open."""
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    user = User.objects.create_user(email="bob@acme.test")
    with tenant_scope(tenant.pk):
        yield World(tenant, user)
