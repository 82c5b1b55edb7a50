"""The commonest update of all: columns of the contact itself set to values that do not depend on what was there.

Nobody's values come to Python unless they differ, so a step over thousands costs two statements and the events.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from crm.bulk.changes import ReadyChange
from crm.bulk.state import NAMED
from crm.events import NewEvent, record_alike

_CASTS = {"date": "date", "bool": "boolean", "item": "bigint", "user": "bigint"}
_SETTING = {"set", "clear", "yes", "no", "today"}


def is_plain(changes: Sequence[ReadyChange]) -> bool:
    """Say whether the changes need no old value, no company and no search words."""
    return all(
        change.action in _SETTING and change.target.place == "contact" and change.target.column not in NAMED
        for change in changes
    )


def set_plainly(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    contact_ids: Sequence[int],
    changes: Sequence[ReadyChange],
    today: dt.date,
    event: NewEvent,
) -> list[int]:
    """Make plain changes and return the ids of those who really changed; `event` is told of each, with its changes.

    Locks those contacts in the order of their ids. A field changed twice gets its last value.
    """
    new = {change.target: change.apply(None, today) for change in changes}
    columns = [target.column for target in new]
    wanted = [f"%s::{_CASTS.get(target.type, 'text')}" for target in new]
    differs = " OR ".join(
        f"{column} IS DISTINCT FROM {value}" for column, value in zip(columns, wanted, strict=True)
    )
    cursor.execute(
        f"SELECT id, company_id, {', '.join(columns)} FROM crm_contact "
        f"WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[]) AND deleted_at IS NULL AND ({differs}) "
        "ORDER BY id FOR NO KEY UPDATE",
        [tenant_id, list(contact_ids), *new.values()],
    )
    found = cursor.fetchall()
    if not found:
        return []
    ids = [row[0] for row in found]
    sets = ", ".join(f"{column} = {value}" for column, value in zip(columns, wanted, strict=True))
    cursor.execute(
        f"UPDATE crm_contact SET {sets}, updated_at = %s::timestamptz "
        "WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[])",
        [*new.values(), event.at, tenant_id, ids],
    )
    keys = [target.key for target in new]
    # Who had the same before changed alike: one object, written as JSON once.
    alike = {old: _data(keys, old, list(new.values())) for old in {row[2:] for row in found}}
    record_alike(
        event,
        cursor=cursor,
        contact_ids=ids,
        company_ids=[row[1] for row in found],
        data=[alike[row[2:]] for row in found],
    )
    return ids


def _data(keys: Sequence[str], old: Sequence[Any], new: Sequence[Any]) -> dict[str, Any]:
    pairs = zip(keys, map(plain_value, old), map(plain_value, new), strict=True)
    return {"changes": [{"field": key, "old": a, "new": b} for key, a, b in pairs if a != b]}


def plain_value(value: Any) -> Any:
    """Return a value as the data of an event has it."""
    if isinstance(value, frozenset):
        return sorted(value)
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
