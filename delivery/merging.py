"""Messages move with their contact; what is still queued goes to the kept contact's address at its hand-over.

A bounced address stays blocked under its own name. What the person said (a complaint, a STOP), or a user about them,
holds for the address and the number that are kept, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from core.merging import Move, Pair, Room

_BLOCKED = """
INSERT INTO delivery_blockedaddress (tenant_id, address_norm, reason, detail, at, message_id)
SELECT b.tenant_id, c.email_norm, b.reason, b.detail, b.at, b.message_id
FROM crm_contact c
JOIN delivery_blockedaddress b ON b.tenant_id = c.tenant_id AND b.address_norm = ANY(%(addresses)s::text[])
     AND b.reason IN ('complaint', 'by_user')
WHERE c.tenant_id = %(tenant)s::bigint AND c.id = %(kept)s::bigint AND c.email_norm <> ''
ORDER BY b.at LIMIT 1
ON CONFLICT DO NOTHING
"""
_STOPPED = """
INSERT INTO delivery_smsoptout (tenant_id, number, source, word, at)
SELECT o.tenant_id, c.mobile, o.source, o.word, o.at
FROM crm_contact c
JOIN delivery_smsoptout o ON o.tenant_id = c.tenant_id AND o.number = ANY(%(mobiles)s::text[])
WHERE c.tenant_id = %(tenant)s::bigint AND c.id = %(kept)s::bigint AND c.mobile <> ''
ORDER BY o.at LIMIT 1
ON CONFLICT DO NOTHING
"""
# Notes to colleagues speak of a contact: erasing must find them.
_NOTES = """
UPDATE delivery_message SET "values" = jsonb_set("values", '{about}', to_jsonb(%(kept)s::bigint))
WHERE tenant_id = %(tenant)s::bigint AND contact_id IS NULL AND "values" ->> 'about' = (%(gone)s::bigint)::text
"""
_WHAT_STAYS = """
SELECT 'block', address_norm FROM delivery_blockedaddress
WHERE tenant_id = %(tenant)s::bigint AND address_norm = ANY(%(addresses)s::text[])
  AND reason IN ('complaint', 'by_user')
UNION ALL
SELECT 'stop', number FROM delivery_smsoptout
WHERE tenant_id = %(tenant)s::bigint AND number = ANY(%(mobiles)s::text[])
ORDER BY 1, 2
"""
_SAYS = {
    "block": "{} is blocked, by a complaint or by a user: whichever address is kept is blocked then.",
    "stop": "{} replied STOP: whichever mobile is kept gets no SMS then.",
}


def _carry_over(cursor: psycopg.Cursor[Any], pair: Pair) -> None:
    cursor.execute(_BLOCKED, pair.parameters())
    cursor.execute(_STOPPED, pair.parameters())


def _notes(cursor: psycopg.Cursor[Any], pair: Pair) -> None:
    cursor.execute(_NOTES, pair.parameters())


def _losses(cursor: psycopg.Cursor[Any], pair: Pair) -> Sequence[str]:
    cursor.execute(_WHAT_STAYS, pair.parameters())
    return [_SAYS[kind].format(what) for kind, what in cursor.fetchall()]


MERGING = Room(
    (
        Move("delivery_message", label=("message", "messages")),
        Move("delivery_outgoingwebhook"),
    ),
    first=_notes,
    last=_carry_over,
    losses=_losses,
)
