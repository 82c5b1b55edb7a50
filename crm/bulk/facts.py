"""What bulk creators share: which contacts are there, with which company, whether a project is; a title, an event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from crm.events import NewEvent, Origin

TITLE = 200


def companies_of(
    cursor: psycopg.Cursor[Any], tenant_id: int, contact_ids: Sequence[int]
) -> dict[int, int | None]:
    """Return the company of each contact; erased and unknown contacts are not in it."""
    if not contact_ids:
        return {}
    cursor.execute(
        "SELECT id, company_id FROM crm_contact "
        "WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[]) AND deleted_at IS NULL",
        [tenant_id, list(contact_ids)],
    )
    return dict(cursor.fetchall())


def check_projects(
    cursor: psycopg.Cursor[Any], tenant_id: int, ids: Iterable[int | None], refusal: type[ValueError]
) -> None:
    """Raise the refusal where a project does not exist: its key is checked at commit only, which is too late."""
    wanted = {project_id for project_id in ids if project_id is not None}
    if not wanted:
        return
    cursor.execute(
        "SELECT count(*) FROM crm_project WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[])",
        [tenant_id, sorted(wanted)],
    )
    if (cursor.fetchone() or [0])[0] != len(wanted):
        raise refusal("The project does not exist any more.")


def one_line(text: str, longest: int) -> str:
    """Return text for a title: single blanks, no control characters, cut to its length."""
    clean = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    return " ".join(clean.split())[:longest]


def desk_event(
    kind: str,
    what: str,
    object_id: int,
    values: Mapping[str, Any],
    data: Mapping[str, Any],
    *,
    now: dt.datetime,
    origin: Origin,
    flow_id: int | None,
    actor_id: int | None,
    more: Mapping[str, Any] | None,
) -> NewEvent:
    """Return an event of a sale or request (`what`); `values` are its columns, `data` what of it is told."""
    return NewEvent(
        kind,
        values["contact_id"],
        now,
        origin,
        company_id=values["company_id"],
        object_id=object_id,
        data={what: data, **(more or {})},
        actor_id=actor_id,
        flow_id=flow_id,
        participant_id=values.get("participant_id"),
    )
