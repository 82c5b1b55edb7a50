"""Members of selections and projects: who is really added or removed, with the events. Two statements a call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from crm.events import NewEvent, Origin, record_events


@dataclass(frozen=True, slots=True)
class _Club:
    table: str
    parent: str
    column: str
    added: str
    removed: str
    takes: str = ""


_SELECTION = _Club(
    "crm_selectionmember",
    "crm_selection",
    "selection_id",
    "selection.added",
    "selection.removed",
    # Who is in a dynamic or combined selection is judged, never written.
    " AND p.kind = 'static'",
)
_PROJECT = _Club("crm_projectmember", "crm_project", "project_id", "project.added", "project.removed")


def add_to_selection(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    selection_id: int | None,
    contact_ids: Sequence[int],
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None = None,
    flow_id: int | None = None,
) -> list[int]:
    """Add contacts to a selection and return the ids really added; members and erased contacts are left out.

    A selection that does not exist (any more) takes nobody. Writes a selection.added event for each.
    """
    return _add(cursor, _SELECTION, tenant_id, selection_id, contact_ids, now, origin, actor_id, flow_id)


def remove_from_selection(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    selection_id: int | None,
    contact_ids: Sequence[int],
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None = None,
    flow_id: int | None = None,
) -> list[int]:
    """Remove contacts from a selection and return the ids that were members."""
    return _remove(cursor, _SELECTION, tenant_id, selection_id, contact_ids, now, origin, actor_id, flow_id)


def add_to_project(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    project_id: int | None,
    contact_ids: Sequence[int],
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None = None,
    flow_id: int | None = None,
) -> list[int]:
    """Add contacts to a project and return the ids really added."""
    return _add(cursor, _PROJECT, tenant_id, project_id, contact_ids, now, origin, actor_id, flow_id)


def remove_from_project(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    project_id: int | None,
    contact_ids: Sequence[int],
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None = None,
    flow_id: int | None = None,
) -> list[int]:
    """Remove contacts from a project and return the ids that were members."""
    return _remove(cursor, _PROJECT, tenant_id, project_id, contact_ids, now, origin, actor_id, flow_id)


def _add(
    cursor: psycopg.Cursor[Any],
    club: _Club,
    tenant_id: int,
    parent_id: int | None,
    contact_ids: Sequence[int],
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None,
    flow_id: int | None,
) -> list[int]:
    if parent_id is None or not contact_ids:
        return []
    # Ordered by contact, so that two who add the same people wait for each other instead of deadlocking.
    cursor.execute(
        f"INSERT INTO {club.table} (tenant_id, {club.column}, contact_id, added_at) "
        f"SELECT p.tenant_id, p.id, c.id, %s::timestamptz FROM {club.parent} p "
        "JOIN crm_contact c ON c.tenant_id = p.tenant_id AND c.id = ANY(%s::bigint[]) AND c.deleted_at IS NULL "
        f"WHERE p.tenant_id = %s::bigint AND p.id = %s::bigint{club.takes} ORDER BY c.id "
        "ON CONFLICT DO NOTHING RETURNING contact_id",
        [now, list(contact_ids), tenant_id, parent_id],
    )
    added = [row[0] for row in cursor.fetchall()]
    _record(cursor, club.added, added, parent_id, now, origin, actor_id, flow_id)
    return added


def _remove(
    cursor: psycopg.Cursor[Any],
    club: _Club,
    tenant_id: int,
    parent_id: int | None,
    contact_ids: Sequence[int],
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None,
    flow_id: int | None,
) -> list[int]:
    if parent_id is None or not contact_ids:
        return []
    cursor.execute(
        f"DELETE FROM {club.table} m USING (SELECT id FROM {club.table} "
        f"WHERE tenant_id = %s::bigint AND {club.column} = %s::bigint AND contact_id = ANY(%s::bigint[]) "
        "ORDER BY contact_id FOR UPDATE) gone WHERE m.tenant_id = %s::bigint AND m.id = gone.id "
        "RETURNING m.contact_id",
        [tenant_id, parent_id, list(contact_ids), tenant_id],
    )
    removed = sorted(row[0] for row in cursor.fetchall())
    _record(cursor, club.removed, removed, parent_id, now, origin, actor_id, flow_id)
    return removed


def _record(
    cursor: psycopg.Cursor[Any],
    kind: str,
    contact_ids: Sequence[int],
    parent_id: int,
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None,
    flow_id: int | None,
) -> None:
    record_events(
        [
            NewEvent(kind, contact_id, now, origin, object_id=parent_id, actor_id=actor_id, flow_id=flow_id)
            for contact_id in contact_ids
        ],
        cursor=cursor,
    )
