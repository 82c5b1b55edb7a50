"""What criteria use, as references of the flow."""

from __future__ import annotations

from collections.abc import Iterator

from crm.criteria.references import references
from crm.criteria.schema import Criteria
from flows.steps.base import Reference


def criteria_uses(criteria: Criteria) -> Iterator[Reference]:
    """Yield every custom field, subscription type, list value, selection, project and user that the lines name."""
    return (Reference(kind, object_id) for kind, object_id in references(criteria))
