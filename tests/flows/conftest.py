"""What flows' tests need: a tenant with an email that can be sent, a selection, a subscription type."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from accounts.models import Tenant
from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from core.tenancy import tenant_scope
from crm.models import ListItem, Selection, SubscriptionType
from flows.document import FlowDocument, FlowSettings, MessageSettings, Sender
from flows.models import Flow
from flows.operations.create import create_flow
from tests.fixtures.people import LAST_MONDAY, Person

MJML = (
    "<mjml><mj-body><mj-section><mj-column>"
    "<mj-text>Hello {{ contact.first_name }}</mj-text>"
    "</mj-column></mj-section></mj-body></mjml>"
)
NOW = dt.datetime(2026, 11, 18, 10, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class World:
    """Things of Acme that a flow may use."""

    welcome: Email
    unfinished: Email
    selection: Selection
    excluded: Selection
    newsletter: SubscriptionType
    prospect: ListItem
    customer: ListItem

    def settings(self) -> FlowSettings:
        """Settings with which emails can be sent."""
        messages = MessageSettings(
            subscription_type=self.newsletter.pk, sender=Sender(name="Acme", email="hello@acme.test")
        )
        return FlowSettings(timezone="Europe/Oslo", messages=messages)


@pytest.fixture
def world(acme: Tenant, alice: Person) -> World:
    """See World."""
    with tenant_scope(acme.pk):
        welcome = create_email(name="Welcome", actor=alice.user, now=LAST_MONDAY)
        draft = Draft(name="Welcome", subject="Welcome", mjml=MJML)
        save_email(
            email_id=welcome.pk, draft=draft, revision=welcome.revision, actor=alice.user, now=LAST_MONDAY
        )
        welcome.refresh_from_db()
        return World(
            welcome=welcome,
            unfinished=create_email(name="Unfinished", actor=alice.user, now=LAST_MONDAY),
            selection=Selection.objects.create(name="Autumn prospects", created_at=LAST_MONDAY),
            excluded=Selection.objects.create(name="Competitors", created_at=LAST_MONDAY),
            newsletter=SubscriptionType.objects.create(name="Product news"),
            prospect=_category("Prospects"),
            customer=_category("Customers"),
        )


def _category(name: str) -> ListItem:
    return ListItem.objects.create(list="category", name=name, name_norm=name.lower())


@pytest.fixture
def flow(acme: Tenant, alice: Person, world: World) -> Flow:
    """A new flow of Alice's."""
    with tenant_scope(acme.pk):
        return create_flow(
            name="Autumn welcome", owner=alice.user, now=NOW, document=FlowDocument(settings=world.settings())
        )
