"""What criteria use, so that it is not deleted under them: the kinds of crm.Usage with their ids."""

from __future__ import annotations

from collections.abc import Iterator

from crm.criteria.field import Choices, Field
from crm.criteria.fields import fields_by_key
from crm.criteria.operators import read_id
from crm.criteria.schema import Criteria, Line
from crm.criteria.sql import lines_of

_KIND: dict[Choices, str] = {
    "category": "list_item",
    "business": "list_item",
    "interest": "list_item",
    "custom": "list_item",
    "user": "user",
    "selection": "selection",
    "project": "project",
    "email": "email",
    "form": "form",
    "link": "link",
    "flow": "flow",
    "sale_type": "sale_type",
    "request_type": "request_type",
    "request_category": "request_category",
    "follow_up_type": "list_item",
}


def references(criteria: Criteria) -> Iterator[tuple[str, int]]:
    """Yield (kind, id) for everything that the lines name. Queries only for the tenant's own fields."""
    lines = list(lines_of(criteria))
    fields = fields_by_key(line.field for line in lines)
    for line in lines:
        field = fields.get(line.field)
        if field is not None:
            yield from _of_line(line, field)


def _of_line(line: Line, field: Field) -> Iterator[tuple[str, int]]:
    if field.custom_id is not None:
        yield "custom_field", field.custom_id
    if field.key.startswith("subscription."):
        yield "subscription_type", int(field.key.removeprefix("subscription."))
    kind = named_kind(field)
    if kind:
        named = line.which if field.rows else line.values
        yield from ((kind, found) for value in named if (found := read_id(value)))


def named_kind(field: Field) -> str:
    """Return the kind of crm.Usage that a field's values (`which` of counted rows) name by id; "" where none."""
    return _KIND.get(field.choices, "")
