"""What criteria use: the things that must not be deleted while a flow's criteria name them."""

from __future__ import annotations

from collections.abc import Iterator

from crm.criteria.choices import source_of
from crm.criteria.fields import fields_by_key
from crm.criteria.operators import read_id
from crm.criteria.schema import Criteria
from crm.criteria.sql import lines_of
from flows.steps.base import Reference

_KINDS = {"item": "list_item", "user": "user", "selection": "selection", "project": "project"}


def criteria_uses(criteria: Criteria) -> Iterator[Reference]:
    """Yield every custom field, subscription type, list value, selection, project and user that the lines name."""
    lines = list(lines_of(criteria))
    fields = fields_by_key(line.field for line in lines)
    for line in lines:
        field = fields.get(line.field)
        if field is None:
            continue
        if field.custom_id is not None:
            yield Reference("custom_field", field.custom_id)
        if line.field.startswith("subscription."):
            yield Reference("subscription_type", int(line.field.partition(".")[2]))
        source = source_of(field)
        if source:
            yield from (Reference(_KINDS[source], found) for v in line.values if (found := read_id(v)))
