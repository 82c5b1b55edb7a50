"""What a script may read of contacts: plain values, many contacts at once, at most five queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from content.values import values_of
from crm.models import CustomField


def script_values(contact_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return {contact id: {"contact", "company", "our_contact", "service_contact"}} with every custom field.

    Missing fields are None, so that a script may ask for each; days are ISO texts.
    """
    fields = list(CustomField.objects.values_list("on", "key"))
    paths = ["contact.interests", *(f"{on}.{key.replace('-', '_')}" for on, key in fields)]
    empty: dict[str, dict[str, Any]] = {"contact": {}, "company": {}}
    for on, key in fields:
        empty[on][key.replace("-", "_")] = None
    found = values_of(contact_ids, paths=paths)
    return {contact_id: _whole(values, empty) for contact_id, values in found.items()}


def _whole(values: Mapping[str, Any], empty: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = plain(dict(values))
    for on, keys in empty.items():
        own = whole.setdefault(on, {})
        own["custom"] = {**keys, **own.get("custom", {})}
    whole["contact"].setdefault("interests", [])
    return whole


def plain(value: Any) -> Any:
    """Return a value as JSON and Starlark know it."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
