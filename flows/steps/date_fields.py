"""Date fields that a wait may look at, and reading one of them for a whole cohort.

Keys and SQL are those of criteria (crm.criteria.fields), so that a field has one name everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from crm.criteria.among import these
from crm.criteria.fields import Field, date_fields, fields_by_key
from flows.steps.base import Reference


def date_field_choices() -> list[tuple[str, str]]:
    """Return every date field of contact and company, with its label."""
    return [(field.key, field.label) for field in date_fields()]


def date_field(key: str) -> Field | None:
    """Return the date field with this key, or None where there is none."""
    field = fields_by_key([key]).get(key)
    return field if field is not None and field.type == "date" else None


def date_field_label(key: str) -> str | None:
    """Return the field's label, or None where there is no such date field."""
    field = date_field(key)
    return field.label if field else None


def date_field_reference(key: str) -> Reference | None:
    """Return the custom field that a key names."""
    field = date_field(key)
    return Reference("custom_field", field.custom_id) if field and field.custom_id is not None else None


def read_dates(
    cursor: psycopg.Cursor[Any], tenant_id: int, key: str, contact_ids: Sequence[int], zone: ZoneInfo
) -> dict[int, dt.date]:
    """Return the date of each contact that has one; a moment counts as its day in the zone."""
    field = date_field(key)
    if field is None:
        return {}
    value, params = date_sql(field, zone)
    cursor.execute(
        f"SELECT c.id, {value} FROM {these(value)}",
        [*params, list(contact_ids), tenant_id],
    )
    return {contact: day for contact, day in cursor.fetchall() if day is not None}


def date_sql(field: Field, zone: ZoneInfo) -> tuple[Any, list[Any]]:
    """Return a date field's value over the aliases of criteria, and its parameters; a moment is its day in the zone."""
    if field.shape == "moment":
        return f"({field.sql} AT TIME ZONE %s)::date", [*field.params, zone.key]
    return field.sql, list(field.params)
