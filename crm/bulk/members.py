"""Members of selections and projects: who is really added or removed, with the events. Two statements a call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, Unpack

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


class _Given(TypedDict):
    """What every change of a membership is told."""

    tenant_id: int
    contact_ids: Sequence[int]
    now: dt.datetime
    origin: Origin
    actor_id: NotRequired[int | None]
    flow_id: NotRequired[int | None]


def add_to_selection(
    cursor: psycopg.Cursor[Any], *, selection_id: int | None, **given: Unpack[_Given]
) -> list[int]:
    """Add contacts to a selection and return the ids really added; members and erased contacts are left out.

    A selection that does not exist (any more) takes nobody. Writes a selection.added event for each.
    """
    return _add(cursor, _SELECTION, selection_id, given)


def remove_from_selection(
    cursor: psycopg.Cursor[Any], *, selection_id: int | None, **given: Unpack[_Given]
) -> list[int]:
    """Remove contacts from a selection and return the ids that were members."""
    return _remove(cursor, _SELECTION, selection_id, given)


def add_to_project(
    cursor: psycopg.Cursor[Any], *, project_id: int | None, **given: Unpack[_Given]
) -> list[int]:
    """Add contacts to a project and return the ids really added, as add_to_selection does."""
    return _add(cursor, _PROJECT, project_id, given)


def remove_from_project(
    cursor: psycopg.Cursor[Any], *, project_id: int | None, **given: Unpack[_Given]
) -> list[int]:
    """Remove contacts from a project and return the ids that were members."""
    return _remove(cursor, _PROJECT, project_id, given)


def _add(cursor: psycopg.Cursor[Any], club: _Club, parent_id: int | None, given: _Given) -> list[int]:
    if parent_id is None or not given["contact_ids"]:
        return []
    # Ordered by contact, so that two who add the same people wait for each other instead of deadlocking.
    cursor.execute(
        f"INSERT INTO {club.table} (tenant_id, {club.column}, contact_id, added_at) "
        f"SELECT p.tenant_id, p.id, c.id, %s::timestamptz FROM {club.parent} p "
        "JOIN crm_contact c ON c.tenant_id = p.tenant_id AND c.id = ANY(%s::bigint[]) AND c.deleted_at IS NULL "
        f"WHERE p.tenant_id = %s::bigint AND p.id = %s::bigint{club.takes} ORDER BY c.id "
        "ON CONFLICT DO NOTHING RETURNING contact_id",
        [given["now"], list(given["contact_ids"]), given["tenant_id"], parent_id],
    )
    added = [row[0] for row in cursor.fetchall()]
    _record(cursor, club.added, added, parent_id, given)
    return added


def _remove(cursor: psycopg.Cursor[Any], club: _Club, parent_id: int | None, given: _Given) -> list[int]:
    if parent_id is None or not given["contact_ids"]:
        return []
    tenant_id = given["tenant_id"]
    cursor.execute(
        f"DELETE FROM {club.table} m USING (SELECT id FROM {club.table} "
        f"WHERE tenant_id = %s::bigint AND {club.column} = %s::bigint AND contact_id = ANY(%s::bigint[]) "
        "ORDER BY contact_id FOR UPDATE) gone WHERE m.tenant_id = %s::bigint AND m.id = gone.id "
        "RETURNING m.contact_id",
        [tenant_id, parent_id, list(given["contact_ids"]), tenant_id],
    )
    removed = sorted(row[0] for row in cursor.fetchall())
    _record(cursor, club.removed, removed, parent_id, given)
    return removed


def _record(
    cursor: psycopg.Cursor[Any], kind: str, contact_ids: Sequence[int], parent_id: int, given: _Given
) -> None:
    record_events(
        [
            NewEvent(
                kind,
                contact_id,
                given["now"],
                given["origin"],
                object_id=parent_id,
                actor_id=given.get("actor_id"),
                flow_id=given.get("flow_id"),
            )
            for contact_id in contact_ids
        ],
        cursor=cursor,
    )
