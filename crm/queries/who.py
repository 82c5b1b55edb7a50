"""From what a program says of people (an id, an address) to the contacts that they are."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from core.db.cursors import Row
from core.tenancy import require_tenant_id
from core.text import norm_email

# An address is found without case; of several contacts that have it, the oldest, as imports do.
_BY_ADDRESS = """
SELECT DISTINCT ON (email_norm) email_norm, id, company_id FROM crm_contact
WHERE tenant_id = %s::bigint AND email_norm = ANY(%s::text[]) AND email_norm <> '' AND deleted_at IS NULL
ORDER BY email_norm, id
"""
_BY_ID = """
SELECT id, company_id FROM crm_contact
WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[]) AND deleted_at IS NULL
"""

Found = tuple[int, int | None]


def find_contacts(cursor: psycopg.Cursor[Row], wanted: Sequence[int | str]) -> list[Found | None]:
    """Return contact and company id of each, an id or an email address; None where there is no such contact.

    Two statements, whatever their number. Erased contacts and those of other tenants are not found.
    """
    ids = [one for one in wanted if isinstance(one, int)]
    addresses = [norm_email(one) for one in wanted if isinstance(one, str)]
    by_id: dict[int, Found] = {}
    by_address: dict[str, Found] = {}
    if ids:
        cursor.execute(_BY_ID, [require_tenant_id(), sorted(set(ids))])
        by_id = {row[0]: (row[0], row[1]) for row in cursor}
    if addresses:
        cursor.execute(_BY_ADDRESS, [require_tenant_id(), sorted(set(addresses))])
        by_address = {row[0]: (row[1], row[2]) for row in cursor}
    return [by_id.get(one) if isinstance(one, int) else by_address.get(norm_email(one)) for one in wanted]
