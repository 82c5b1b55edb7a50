"""The last look before a message goes: everything that may have changed since it was queued, one query a batch.

Consent, subscription, former employee or erased, exclusion list, address and block (for an SMS: a mobile number and
no STOP), and the stream itself. The order is the guards' (docs/state-machines.md); what needs no check any more
(success, same address twice) is not checked. A withdrawn consent counts also where the tenant asks for none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import Tenant
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.models.consent import E_MARKETING
from delivery.models import Stream
from delivery.tokens import MessageRef


@dataclass(frozen=True, slots=True)
class Person:
    """A user as a sender."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reserved message with all that is needed to send it. `refusal` says why it must not go, or is empty."""

    id: int
    enrolled_on: dt.date
    channel: str
    uuid: UUID
    content_version_id: int
    contact_id: int | None
    company_id: int | None
    flow_id: int | None
    step_id: UUID | None
    participant_id: int | None
    values: dict[str, Any]
    attempts: int
    is_marketing: bool
    is_test: bool
    to_address: str
    to_name: str
    our_contact: Person | None
    service_contact: Person | None
    refusal: str

    def ref(self, tenant_id: int) -> MessageRef:
        """Return the name of this message for tokens."""
        return MessageRef(tenant_id, self.enrolled_on, self.id)


# Statuses by refusal: the flow's doing cancels, the recipient's blocks.
CANCELS = frozenset({"flow_ended"})
GIVES_BACK = "held"
# E.164, as contacts' numbers are kept; the guard before an SMS step asks the same.
MOBILE = r"^\+[1-9][0-9]{6,14}$"

_CHECK = """
SELECT m.id, m.enrolled_on, m.channel, m.uuid, m.content_version_id, m.contact_id, c.company_id, m.flow_id, m.step_id,
       m.participant_id, m."values", m.attempts, m.is_marketing, m.is_test,
       CASE WHEN m.is_test OR c.id IS NULL THEN m.to_address WHEN m.channel = 'sms' THEN c.mobile ELSE c.email END,
       CASE WHEN m.is_test OR c.id IS NULL THEN '' ELSE btrim(c.first_name || ' ' || c.last_name) END,
       ours.first_name, ours.last_name, ours.email, service.first_name, service.last_name, service.email,
       CASE
         WHEN s.state = 'closed' OR m.epoch <> s.epoch THEN 'flow_ended'
         WHEN s.state = 'held' THEN 'held'
         WHEN m.is_test OR m.contact_id IS NULL THEN ''
         WHEN c.id IS NULL OR c.deleted_at IS NOT NULL THEN 'contact_deleted'
         WHEN c.former_employee THEN 'former_employee'
         WHEN EXISTS (SELECT 1 FROM crm_selectionmember x WHERE x.tenant_id = m.tenant_id
                      AND x.contact_id = c.id AND x.selection_id = ANY(%(exclusions)s::bigint[])) THEN 'excluded'
         WHEN %(ask_consent)s AND m.is_marketing AND NOT EXISTS (
              SELECT 1 FROM crm_consent k JOIN crm_consentpurpose p ON p.tenant_id = k.tenant_id
                     AND p.id = k.purpose_id AND p.key = %(purpose)s
              WHERE k.tenant_id = m.tenant_id AND k.contact_id = c.id AND k.given) THEN 'no_consent'
         WHEN %(ask_withdrawal)s AND m.is_marketing AND EXISTS (
              SELECT 1 FROM crm_consent k JOIN crm_consentpurpose p ON p.tenant_id = k.tenant_id
                     AND p.id = k.purpose_id AND p.key = %(purpose)s
              WHERE k.tenant_id = m.tenant_id AND k.contact_id = c.id AND NOT k.given) THEN 'no_consent'
         WHEN %(ask_type)s AND m.is_marketing AND EXISTS (
              SELECT 1 FROM crm_subscriptionoptout o WHERE o.tenant_id = m.tenant_id AND o.contact_id = c.id
                     AND o.type_id = %(type)s) THEN 'unsubscribed'
         WHEN m.channel = 'sms' THEN CASE
              WHEN c.mobile !~ %(mobile)s THEN 'no_mobile'
              WHEN EXISTS (SELECT 1 FROM delivery_smsoptout x WHERE x.tenant_id = m.tenant_id
                           AND x.number = c.mobile) THEN 'sms_opt_out'
              ELSE '' END
         WHEN c.email_norm = '' THEN 'no_email'
         WHEN EXISTS (SELECT 1 FROM delivery_blockedaddress b WHERE b.tenant_id = m.tenant_id
                      AND b.address_norm = c.email_norm) THEN 'address_blocked'
         ELSE ''
       END
FROM unnest(%(days)s::date[], %(ids)s::bigint[]) AS t(enrolled_on, id)
JOIN delivery_message m ON m.tenant_id = %(tenant)s AND m.enrolled_on = t.enrolled_on AND m.id = t.id
JOIN delivery_stream s ON s.tenant_id = m.tenant_id AND s.id = m.stream_id
LEFT JOIN crm_contact c ON c.tenant_id = m.tenant_id AND c.id = m.contact_id
LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id
LEFT JOIN (accounts_user ours JOIN accounts_membership mine ON mine.tenant_id = %(tenant)s
           AND mine.user_id = ours.id AND mine.is_active)
     ON ours.is_active AND ours.id = CASE WHEN co.id IS NULL THEN c.our_contact_id ELSE co.our_contact_id END
LEFT JOIN (accounts_user service JOIN accounts_membership theirs ON theirs.tenant_id = %(tenant)s
           AND theirs.user_id = service.id AND theirs.is_active)
     ON service.is_active AND service.id = c.service_contact_id
WHERE m.reserved_by = %(me)s AND m.status = 'queued'
ORDER BY m.send_at, m.id
"""


def recheck(
    *, keys: Sequence[tuple[dt.date, int]], stream: Stream, tenant: Tenant, process: int
) -> list[Candidate]:
    """Return the batch's messages that are still ours, each with its refusal or none. Inside the tenant's scope."""
    with raw_cursor() as cursor:
        cursor.execute(
            _CHECK,
            {
                "tenant": require_tenant_id(),
                "days": [key[0] for key in keys],
                "ids": [key[1] for key in keys],
                "me": process,
                "exclusions": stream.exclusions,
                "purpose": E_MARKETING,
                "ask_consent": tenant.consent_required and not stream.override_consent,
                "ask_withdrawal": not tenant.consent_required and not stream.override_consent,
                "ask_type": stream.subscription_type_id is not None and not stream.override_consent,
                "type": stream.subscription_type_id,
                "mobile": MOBILE,
            },
        )
        return [_candidate(row) for row in cursor]


_PLAIN = (
    "id", "enrolled_on", "channel", "uuid", "content_version_id", "contact_id", "company_id", "flow_id", "step_id",
    "participant_id", "attempts", "is_marketing", "is_test", "to_address", "to_name",
)  # fmt: skip


def _candidate(row: Sequence[Any]) -> Candidate:
    ours, service = _person(*row[16:19]), _person(*row[19:22])
    named = dict(zip(_PLAIN, [*row[:10], *row[11:16]], strict=True))
    return Candidate(values=row[10], our_contact=ours, service_contact=service, refusal=row[22], **named)


def _person(first_name: str | None, last_name: str | None, email: str | None) -> Person | None:
    return Person(f"{first_name} {last_name}".strip(), email) if email else None
