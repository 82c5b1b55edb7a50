"""Filters of the CRM's settings pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from crm.models import CustomField

register = template.Library()


@register.filter
def of(found: Mapping[int, Any], key: int) -> Any:
    """Return what a mapping has for a key, or nothing: {{ uses|of:item.pk }}."""
    return found.get(key, ())


@register.filter
def list_name(field: CustomField) -> str:
    """Return the name under which a list field's values are edited."""
    return f"field-{field.pk}"
