"""Follow-ups about a contact: how many, done or not, and when the last one was. "Which" are their types."""

from __future__ import annotations

from typing import Literal

from crm.criteria.field import FOLLOW_UPS, Field, FieldType, Rows

_FOLLOW_UP = "FROM crm_followup f WHERE f.tenant_id = c.tenant_id AND f.contact_id = c.id"
# A change may be one of the type, so it counts for every field.
_MADE = frozenset({"follow_up.created", "follow_up.updated", "follow_up.deleted"})
_ENDED = _MADE | {"follow_up.completed", "follow_up.reopened"}


def _of_follow_ups(
    key: str, label: str, make: Literal["count", "max"], *, status: str = "", at: str = "f.created_at"
) -> Field:
    # Statuses are this module's own words, never a user's.
    narrowed = f" AND f.status = '{status}'" if status else ""
    last = make == "max"
    rows = Rows(
        f"{_FOLLOW_UP}{narrowed}", make, which="f.type_id", at="" if last else at, value=at if last else ""
    )
    types: dict[str, FieldType] = {"count": "count", "max": "date"}
    return Field(
        key,
        label,
        FOLLOW_UPS,
        types[make],
        "rows",
        "",
        choices="follow_up_type",
        rows=rows,
        kinds=_ENDED if status else _MADE,
    )


FOLLOW_UP_FIELDS: tuple[Field, ...] = (
    _of_follow_ups("follow_up.made", "Follow-ups", "count"),
    _of_follow_ups("follow_up.open", "Open follow-ups", "count", status="open"),
    _of_follow_ups("follow_up.done", "Completed follow-ups", "count", status="done", at="f.done_at"),
    _of_follow_ups("follow_up.last", "Last follow-up made", "max"),
    _of_follow_ups("follow_up.last_done", "Last follow-up completed", "max", status="done", at="f.done_at"),
)
