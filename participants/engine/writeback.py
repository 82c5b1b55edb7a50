"""Writes the participants of a batch back in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from core.db.given import Given
from participants.engine.moving import Moving
from participants.engine.records import as_json

# Every column that a batch may change, with its type; most of them are the same for a whole batch.
_COLUMNS = {
    "status": "text", "step_id": "uuid", "waiting": "bool", "due_at": "timestamptz", "waits_until": "timestamptz",
    "visit_number": "int", "attempts": "smallint", "success_at": "timestamptz", "ended_at": "timestamptz",
    "drop_reason": "text", "last_message_id": "bigint", "visit_revision": "int", "listening": "bool",
    "heard_at": "timestamptz",
}  # fmt: skip


def write_participants(cursor: psycopg.Cursor[Any], movers: Sequence[Moving], *, tenant_id: int) -> None:
    """Update every participant of the batch; one statement."""
    more: dict[str, tuple[str, Any]] = {
        name: (cast, [getattr(m, name) for m in movers]) for name, cast in _COLUMNS.items()
    }
    more["step_since"] = ("timestamptz", [m.came_at for m in movers])
    more["held_reason"] = ("text", [m.held_reason[:300] for m in movers])
    more["drop_values"] = ("jsonb", [as_json(m.drop_values) for m in movers])
    rows = Given({"id": ("bigint", [m.id for m in movers])}, more)
    sets = ", ".join(f"{name} = {rows[name]}" for name in more)
    cursor.execute(
        f"UPDATE participants_participant AS p SET {sets} FROM {rows.source} "
        "WHERE p.tenant_id = %(tenant)s AND p.id = v.id",
        {**rows.parameters, "tenant": tenant_id},
    )
