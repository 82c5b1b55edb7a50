"""What delivery keeps of a person: the address and merge values of messages, and a blocked address."""

from __future__ import annotations

from typing import Any

import psycopg

from core.erasure import EMPTY, NO_DATA, Person, Place, Room
from delivery.queue import STILL_OPEN, withdrawn


def cancel_queued(cursor: psycopg.Cursor[Any], person: Person) -> None:
    """Withdraw what is still open to the person; what is being handed over right now goes if it is taken."""
    cursor.execute(
        f"""UPDATE delivery_message m SET {withdrawn("'contact_deleted'")}
        WHERE m.tenant_id = %s AND m.contact_id = %s AND {STILL_OPEN}""",
        [person.tenant_id, person.contact_id],
    )
    cursor.execute(
        "UPDATE delivery_outgoingwebhook SET status = 'cancelled', error = 'The person was erased.' "
        "WHERE tenant_id = %s AND contact_id = %s AND status = 'queued'",
        [person.tenant_id, person.contact_id],
    )


ERASURE = Room(
    (
        Place(
            "delivery_stream",
            ("name", "state", "timeframe", "timezone", "sender", "utm", "exclusions"),
        ),
        Place(
            "delivery_message",
            ("channel", "status", "reason", "withdrawn", "provider_id"),
            {"to_address": EMPTY, "values": NO_DATA, "error": EMPTY},
            # Tests, and mails that ask to confirm a form, went to the address without knowing a contact; notes to
            # colleagues speak of one.
            "t.contact_id = %(contact)s::bigint "
            "OR (t.contact_id IS NULL AND t.\"values\" ->> 'about' = (%(contact)s::bigint)::text) "
            "OR ((t.is_test OR t.contact_id IS NULL) "
            "AND lower(t.to_address) = ANY(%(addresses)s::text[] || %(phones)s::text[]))",
        ),
        Place("delivery_smsconnector", ("account_sid", "auth_token", "senders", "answers")),
        Place("delivery_emailconnector", ("provider", "options", "secrets", "confirmed_topic")),
        Place("delivery_sendingrules", ("when_full",)),
        Place("delivery_pace", ("channel",)),
        # What a server said may name whom the mail was for.
        Place(
            "delivery_channelhold",
            ("channel", "cause"),
            {"said": EMPTY},
            "EXISTS (SELECT 1 FROM unnest(%(addresses)s::text[] || %(phones)s::text[]) AS whose "
            "WHERE position(whose IN lower(t.said)) > 0)",
        ),
        Place(
            "delivery_senderdomain",
            (
                "domain",
                "selector",
                "private_key",
                "public_key",
                "spf_problem",
                "dkim_problem",
                "dmarc_problem",
            ),
        ),
        Place("delivery_webhooksecret", ("name", "value")),
        Place(
            "delivery_outgoingwebhook",
            ("status", "error"),
            {"values": NO_DATA},
            "t.contact_id = %(contact)s::bigint",
        ),
        # Twilio keeps a STOP itself.
        Place(
            "delivery_smsoptout",
            ("source",),
            {"number": EMPTY, "word": EMPTY},
            "t.number = ANY(%(phones)s::text[])",
            delete=True,
        ),
        Place(
            "delivery_blockedaddress",
            ("reason",),
            {"address_norm": EMPTY, "detail": EMPTY},
            "t.address_norm = ANY(%(addresses)s::text[])",
            delete=True,
        ),
    ),
    first=cancel_queued,
)
