"""Date fields that a wait may look at, and reading one of them for a whole cohort.

Keys are those of criteria (crm.criteria.fields), so that a field has one name everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from crm.models import CustomField
from flows.steps.base import Reference

_OWN = {"contact.date_of_birth": "Date of birth", "contact.created_at": "Registered"}
_CUSTOM = "contact.custom."


def date_field_choices() -> list[tuple[str, str]]:
    """Return every date field of a contact, with its label."""
    custom = CustomField.objects.filter(on=CustomField.On.CONTACT, type=CustomField.Type.DATE)
    return [*_OWN.items(), *((f"{_CUSTOM}{field.pk}", field.name) for field in custom)]


def date_field_label(key: str) -> str | None:
    """Return the field's label, or None where there is no such date field."""
    return dict(date_field_choices()).get(key)


def date_field_reference(key: str) -> Reference | None:
    """Return the custom field that a key names."""
    number = key.removeprefix(_CUSTOM)
    return Reference("custom_field", int(number)) if number != key and number.isdigit() else None


def read_dates(
    cursor: psycopg.Cursor[Any], tenant_id: int, key: str, contact_ids: Sequence[int], zone: ZoneInfo
) -> dict[int, dt.date]:
    """Return the date of each contact that has one."""
    reference = date_field_reference(key)
    if reference is not None:
        cursor.execute(
            "SELECT contact_id, value_date FROM crm_contactfieldvalue "
            "WHERE tenant_id = %s AND field_id = %s AND contact_id = ANY(%s::bigint[]) AND value_date IS NOT NULL",
            [tenant_id, reference.id, list(contact_ids)],
        )
    elif key == "contact.created_at":
        cursor.execute(
            "SELECT id, (created_at AT TIME ZONE %s)::date FROM crm_contact "
            "WHERE tenant_id = %s AND id = ANY(%s::bigint[])",
            [zone.key, tenant_id, list(contact_ids)],
        )
    else:
        cursor.execute(
            "SELECT id, date_of_birth FROM crm_contact "
            "WHERE tenant_id = %s AND id = ANY(%s::bigint[]) AND date_of_birth IS NOT NULL",
            [tenant_id, list(contact_ids)],
        )
    return dict(cursor.fetchall())
