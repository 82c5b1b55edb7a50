"""A tenant with a stream, an email and people to write to."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest

from accounts.models import Tenant
from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from core.text import norm, norm_email
from crm.models import Consent, ConsentPurpose, Contact, SubscriptionType
from delivery.models import Message, Stream
from delivery.operations.sending import Sent, send_batch
from delivery.operations.streams import make_stream
from delivery.queue import NewMessage, queue_messages

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
MJML = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ contact.first_name|default("there") }} of {{ company.name|default("your company") }}</mj-text>
<mj-button href="https://example.com/offer?who={{ contact.email }}">See the offer</mj-button>
</mj-column></mj-section></mj-body></mjml>"""


# Participants of all tenants are numbered by one sequence.
_participants = itertools.count(1)


class House:
    """Short verbs for arranging one tenant. Each opens the tenant's scope for itself, as production does."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.now = tenant, NOW
        with self.scope():
            self.purpose, _ = ConsentPurpose.objects.get_or_create(
                key="e-marketing", defaults={"name": "E-marketing"}
            )
            self.news = SubscriptionType.objects.create(name="Mill news")
            self.stream = make_stream(name="Autumn", state=Stream.State.OPEN)
            Stream.objects.filter(pk=self.stream.pk).update(subscription_type=self.news)
        self.email = self.write()

    def scope(self) -> Any:
        """Open the tenant's scope."""
        return tenant_scope(self.tenant.pk)

    def write(
        self, *, mjml: str = MJML, subject: str = "News for {{ contact.first_name }}", **more: Any
    ) -> Email:
        """Make an email that can be sent."""
        with self.scope():
            email = create_email(name="Welcome", actor=None, now=self.now)
            draft = Draft(name="Welcome", subject=subject, mjml=mjml, **more)
            saved = save_email(email_id=email.pk, draft=draft, revision=0, actor=None, now=self.now)
        assert saved.is_saved, [str(problem) for problem in saved.problems]
        return saved.email

    def contact(self, first: str = "Ada", *, consent: bool | None = True, **fields: Any) -> Contact:
        """Make a contact, with consent unless told otherwise."""
        address = fields.pop("email", f"{norm(first).replace(' ', '')}@post.test")
        with self.scope():
            contact = Contact.objects.create(
                first_name=first, name_norm=norm(first), email=address, email_norm=norm_email(address), origin="user",
                created_at=self.now, updated_at=self.now, **fields,
            )  # fmt: skip
            if consent is not None:
                Consent.objects.create(contact=contact, purpose=self.purpose, given=consent, at=self.now)
        return contact

    def queue(self, *contacts: Contact, email: Email | None = None, **fields: Any) -> list[int]:
        """Queue one message each."""
        version = (email or self.email).current_id
        assert version is not None
        rows = []
        for contact in contacts:
            row = {"participant_id": next(_participants), "visit_number": 1, "flow_id": 7, **fields}
            rows.append(NewMessage(enrolled_on=self.now.date(), content_version_id=version,
                                   to_address=contact.email, contact_id=contact.pk, **row))  # fmt: skip
        with self.scope(), raw_cursor() as cursor:
            return queue_messages(
                cursor, tenant_id=self.tenant.pk, stream_id=self.stream.pk, rows=rows, now=self.now
            )

    def send(self, **more: Any) -> Sent:
        """Send one batch."""
        return send_batch(tenant_id=self.tenant.pk, now=more.pop("now", self.now), **more)

    def message(self, message_id: int) -> Message:
        """Return a message as it is now."""
        with self.scope():
            return Message.objects.get(pk=message_id)


@pytest.fixture
def house(acme: Tenant) -> House:
    """Acme's house."""
    return House(acme)
