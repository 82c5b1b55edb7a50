"""What is due across all tenants: the one question that no scope can answer (participants_due_work in SQL)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from core.clock import now


class Cursor(Protocol):
    """A Django or psycopg cursor."""

    def execute(self, sql: Any, params: Any = None, /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


@dataclass(slots=True)
class DueWork:
    """Tenants with a full inbox, flows with due participants (tenant id, flow id), tenants with counter deltas."""

    inboxes: list[int] = field(default_factory=list)
    flows: list[tuple[int, int]] = field(default_factory=list)
    tails: list[int] = field(default_factory=list)


def due_work(cursor: Cursor) -> DueWork:
    """Return what is due now, flows by turn: who was served longest ago comes first.

    Cost: one index look-up per running flow and per tenant, however many participants are due.
    """
    cursor.execute("SELECT kind, tenant_id, flow_id FROM participants_due_work(%s)", [now()])
    work = DueWork()
    for kind, tenant_id, flow_id in cursor.fetchall():
        if kind == "inbox":
            work.inboxes.append(tenant_id)
        elif kind == "flow":
            work.flows.append((tenant_id, flow_id))
        else:
            work.tails.append(tenant_id)
    return work
