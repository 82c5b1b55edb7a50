"""The audit log may name a contact or an address; its chain still verifies once that is blanked.

Members' and invited people's own names and addresses are accounts, not contacts: they end with the membership.
"""

from __future__ import annotations

from core.erasure import EMPTY, Place, Room

ERASURE = Room(
    (
        Place(
            "accounts_auditentry",
            ("action", "object_kind", "object_id", "payload_digest", "ip", "hash"),
            # accounts.audit.first_break knows this payload.
            {"payload": """'{"erased": true}'::jsonb""", "object_name": EMPTY},
            "(t.object_kind = 'contact' AND t.object_id = %(contact)s::bigint::text) "
            "OR t.payload::text ILIKE ANY(%(mentions)s::text[]) OR t.object_name ILIKE ANY(%(mentions)s::text[])",
        ),
        Place("accounts_apikey", ("name", "prefix", "scopes")),
        Place("accounts_holiday", ("name",)),
        Place("accounts_licence", ("code",)),
        Place("accounts_group", ("name",)),
        Place("accounts_role", ("name", "description")),
        Place("accounts_roleright", ("right",)),
        Place("accounts_roledataright", ("object", "read", "create", "update", "remove")),
        Place("accounts_membership", ("mobile",)),
        Place("accounts_invitation", ("email",)),
    )
)
