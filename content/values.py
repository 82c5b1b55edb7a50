"""The values of merge tags for many contacts at once: at most four queries, however many messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from typing import Any

import psycopg

from accounts.models import Tenant
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id

Values = dict[str, Any]

_CONTACTS = """
SELECT c.id, c.first_name, c.last_name, c.email, c.job_title, c.phone, c.mobile, c.country, c.language,
       c.date_of_birth, category.name, business.name,
       co.id, co.name, co.phone, co.website, co.country,
       ours.first_name, ours.last_name, ours.email, service.first_name, service.last_name, service.email
FROM crm_contact c
LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id
LEFT JOIN crm_listitem category ON category.tenant_id = c.tenant_id
     AND category.id = CASE WHEN co.id IS NULL THEN c.category_id ELSE co.category_id END
LEFT JOIN crm_listitem business ON business.tenant_id = c.tenant_id
     AND business.id = CASE WHEN co.id IS NULL THEN c.business_id ELSE co.business_id END
LEFT JOIN accounts_user ours ON ours.id = CASE WHEN co.id IS NULL THEN c.our_contact_id ELSE co.our_contact_id END
LEFT JOIN accounts_user service ON service.id = c.service_contact_id
WHERE c.tenant_id = %s AND c.id = ANY(%s::bigint[])
"""
_INTERESTS = """
SELECT i.contact_id, item.name FROM crm_contactinterest i
JOIN crm_listitem item ON item.tenant_id = i.tenant_id AND item.id = i.item_id
WHERE i.tenant_id = %s AND i.contact_id = ANY(%s::bigint[]) ORDER BY i.contact_id, item.rank, item.name
"""
_CUSTOM = """
SELECT v.{owner}_id, replace(f.key, '-', '_'), coalesce(item.name, v.value_text), v.value_number, v.value_date,
       v.value_bool
FROM crm_{owner}fieldvalue v
JOIN crm_customfield f ON f.tenant_id = v.tenant_id AND f.id = v.field_id AND replace(f.key, '-', '_') = ANY(%s::text[])
LEFT JOIN crm_listitem item ON item.tenant_id = v.tenant_id AND item.id = v.value_item_id
WHERE v.tenant_id = %s AND v.{owner}_id = ANY(%s::bigint[])
"""


def values_of(
    contact_ids: Sequence[int], *, paths: Collection[str] = (), cursor: psycopg.Cursor[Any] | None = None
) -> dict[int, Values]:
    """Return {contact id: {contact, company, our_contact, service_contact}}.

    `paths` names what costs a query of its own: "contact.interests", "contact.<custom key>", "company.<custom key>".
    """
    tenant_id = require_tenant_id()
    found: dict[int, Values] = {}
    companies: dict[int, list[Values]] = defaultdict(list)
    with nullcontext(cursor) if cursor is not None else raw_cursor() as rows:
        rows.execute(_CONTACTS, [tenant_id, list(contact_ids)])
        for row in rows:
            values = _values(row)
            found[row[0]] = values
            if row[12] is not None:
                companies[row[12]].append(values["company"])
        if "contact.interests" in paths:
            rows.execute(_INTERESTS, [tenant_id, list(found)])
            for contact_id, name in rows:
                found[contact_id]["contact"].setdefault("interests", []).append(name)
        own = {contact_id: [values["contact"]] for contact_id, values in found.items()}
        for owner, targets in (("contact", own), ("company", companies)):
            keys = [path.partition(".")[2] for path in paths if path.startswith(f"{owner}.")]
            if keys and targets:
                rows.execute(_CUSTOM.format(owner=owner), [keys, tenant_id, list(targets)])
                _add_custom(rows, targets)
    return found


def tenant_values() -> Values:
    """Return what tags may say of ourselves; one query."""
    name, address = Tenant.objects.values_list("name", "postal_address").get(pk=require_tenant_id())
    return {"name": name, "postal_address": address}


def _add_custom(rows: Any, targets: dict[int, list[Values]]) -> None:
    for owner_id, key, *columns in rows:
        value = next((column for column in columns if column is not None), None)
        for values in targets[owner_id]:
            values.setdefault("custom", {})[key] = value


def _values(row: Sequence[Any]) -> Values:
    contact = dict(
        zip(
            ("first_name", "last_name", "email", "job_title", "phone", "mobile", "country", "language",
             "date_of_birth", "category", "business"),
            row[1:12],
            strict=True,
        )
    )  # fmt: skip
    contact["name"] = f"{row[1]} {row[2]}".strip()
    company: Values = {}
    if row[12] is not None:
        company = {"name": row[13], "phone": row[14], "website": row[15], "country": row[16]}
        company["category"], company["business"] = row[10], row[11]
    return {
        "contact": contact,
        "company": company,
        "our_contact": _person(*row[17:20]),
        "service_contact": _person(*row[20:23]),
    }


def _person(first_name: str | None, last_name: str | None, email: str | None) -> Values:
    name = f"{first_name or ''} {last_name or ''}".strip()
    return {"first_name": first_name, "last_name": last_name, "name": name, "email": email}
