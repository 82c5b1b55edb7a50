"""What the benches of mail share: a tenant with contacts, one email, and messages of it to them."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Tenant
from content.models import Email
from core.clock import now
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.models import Contact
from delivery.models import Stream
from delivery.operations.streams import hold_stream, make_stream
from delivery.queue import NewMessage, queue_messages
from trial.bench.world import analyze, make_contacts, make_tenant
from trial.seed.emails import seed_email

SLICE = 5_000
MOST_CONTACTS = 10_000


@dataclass(frozen=True, slots=True)
class Mails:
    """An email of a tenant with contacts, and the stream that its messages wait in."""

    tenant: Tenant
    stream: Stream
    email: Email

    def queue(self, number: int, *, held: bool = True) -> None:
        """Queue messages to the contacts in turn; behind a held stream nobody begins early."""
        assert self.email.current_id is not None  # noqa: S101 - it was saved
        moment = now()
        with tenant_scope(self.tenant.pk):
            if held:
                hold_stream(stream_id=self.stream.pk)
            people = list(Contact.objects.order_by("pk").values_list("pk", "email"))
        for begin in range(0, number, SLICE):
            chosen = [people[place % len(people)] for place in range(begin, min(begin + SLICE, number))]
            rows = [
                NewMessage(
                    enrolled_on=moment.date(),
                    content_version_id=self.email.current_id,
                    to_address=address,
                    contact_id=contact_id,
                    flow_id=1,
                )
                for contact_id, address in chosen
            ]
            with tenant_scope(self.tenant.pk), raw_cursor() as cursor:
                queue_messages(
                    cursor, tenant_id=self.tenant.pk, stream_id=self.stream.pk, rows=rows, now=moment
                )


def make_mails(messages: int) -> Mails:
    """Return a new tenant's email, with contacts for this many messages or MOST_CONTACTS."""
    tenant, user = make_tenant()
    with tenant_scope(tenant.pk):
        make_contacts(min(messages, MOST_CONTACTS), name="Readers")
        stream = make_stream(name="Bench", state=Stream.State.OPEN)
        email = seed_email(
            name="Bench", subject="News for {{ contact.first_name }}", preheader="What is new", source="welcome.mjml",
            writer=user, now=now(),
        )  # fmt: skip
    analyze()
    return Mails(tenant, stream, email)
