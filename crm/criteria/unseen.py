"""What criteria name that whoever made them may not see: refused when chosen, kept where somebody else chose it."""

from __future__ import annotations

from crm.criteria.fields import fields_by_key
from crm.criteria.operators import read_id
from crm.criteria.schema import Criteria
from crm.criteria.sources import has_source, source_named
from crm.criteria.sql import lines_of


def newly_unseen(criteria: Criteria | None, kept: Criteria | None = None) -> list[str]:
    """Return the labels of fields whose lines name something out of sight that `kept` did not name."""
    named, before = _named(criteria), _named(kept)
    found: list[str] = []
    for (source, label), ids in named.items():
        old = {pk for (other, _), known in before.items() if other == source for pk in known}
        if source_named(source).unseen(ids - old):
            found.append(label)
    return found


def _named(criteria: Criteria | None) -> dict[tuple[str, str], set[int]]:
    lines = list(lines_of(criteria)) if criteria else []
    fields = fields_by_key(line.field for line in lines)
    found: dict[tuple[str, str], set[int]] = {}
    for line in lines:
        field = fields.get(line.field)
        if field and has_source(field.choices):
            values = line.which if field.rows else line.values
            ids = {number for value in values if (number := read_id(value))}
            found.setdefault((field.choices, field.label), set()).update(ids)
    return found


def unseen_problem(criteria: Criteria | None, kept: Criteria | None = None) -> str | None:
    """Return why criteria are refused, in words for who made them, or None."""
    labels = newly_unseen(criteria, kept)
    return f"{labels[0]}: choose something that you may see." if labels else None
