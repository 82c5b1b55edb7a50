"""Why a contact does not match: the first line that failed, and the value it saw. One query for all contacts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.criteria.describe import describe_all
from crm.criteria.fields import Field, fields_by_key
from crm.criteria.schema import Criteria, Line
from crm.criteria.sql import FROM, Clock, compile_part, lines_of


@dataclass(frozen=True, slots=True)
class Failure:
    """The line that failed, in words, with what the contact had there ("" for empty or for nested groups)."""

    rule: str
    field: str
    seen: str
    group: int

    def as_values(self) -> dict[str, Any]:
        """Return it as JSON for a kept verdict."""
        return {"rule": self.rule, "field": self.field, "seen": self.seen, "group": self.group}


def first_failure(
    criteria: Criteria,
    *,
    contact_ids: Sequence[int],
    now: dt.datetime,
    zone: ZoneInfo,
    cursor: psycopg.Cursor[Any] | None = None,
) -> dict[int, Failure]:
    """Return, for each contact that does not match, the first failing line of the group that came closest.

    Closest is the group with the most lines held; of equals the first. Costs as one compile plus one scan of the
    given contacts. Contacts that match, and contacts that do not exist, are left out.
    """
    parts = [(g, part) for g, group in enumerate(criteria.groups) for part in group.lines]
    if not parts or not contact_ids:
        return {}
    if cursor is None:
        with raw_cursor() as own:
            rows = _judge(own, criteria, parts, contact_ids, Clock(now, zone))
    else:
        rows = _judge(cursor, criteria, parts, contact_ids, Clock(now, zone))
    rules = describe_all([part for _, part in parts])
    failures = {}
    for contact_id, *cells in rows:
        held, seen = cells[0::2], cells[1::2]
        found = _closest(parts, held)
        if found is not None:
            group, part = parts[found]
            key = part.field if isinstance(part, Line) else ""
            failures[contact_id] = Failure(rules[found], key, seen[found] or "", group)
    return failures


def _judge(
    cursor: psycopg.Cursor[Any],
    criteria: Criteria,
    parts: Sequence[tuple[int, Line | Criteria]],
    contact_ids: Sequence[int],
    clock: Clock,
) -> list[tuple[Any, ...]]:
    fields = fields_by_key(line.field for line in lines_of(criteria))
    columns, params = [], []
    for _, part in parts:
        compiled = compile_part(part, fields, clock)
        seen, seen_params = _seen(fields[part.field]) if isinstance(part, Line) else ("NULL", [])
        columns += [compiled.sql, f"left(({seen})::text, 200)"]
        params += [*compiled.params, *seen_params]
    cursor.execute(
        f"SELECT c.id, {', '.join(columns)} FROM {FROM} "
        "WHERE c.tenant_id = %s::bigint AND c.id = ANY(%s::bigint[])",
        [*params, require_tenant_id(), list(contact_ids)],
    )
    return cursor.fetchall()


_NAME_OF = {
    "user": (
        "SELECT coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.email) "
        "FROM accounts_user u WHERE u.id"
    ),
    "selection": "SELECT n.name FROM crm_selection n WHERE n.tenant_id = c.tenant_id AND n.id",
    "project": "SELECT n.name FROM crm_project n WHERE n.tenant_id = c.tenant_id AND n.id",
}
_ITEM = "SELECT n.name FROM crm_listitem n WHERE n.tenant_id = c.tenant_id AND n.id"


def _seen(field: Field) -> tuple[str, list[Any]]:
    """Return SQL for what a person reads in the field."""
    names = _NAME_OF.get(field.choices, _ITEM)
    if field.is_multiple:
        inner = f"SELECT string_agg(({names} = {field.member}), ', ' ORDER BY m.id) {field.sql}"
        return inner, [*field.params]
    if field.shape == "ref":
        return f"{names} = ({field.sql})", [*field.params]
    if field.shape == "bool":
        return f"CASE WHEN {field.sql} THEN 'yes' ELSE 'no' END", [*field.params]
    shown = {"contact.email": "c.email", "company.name": "co.name"}.get(field.key)
    if shown is None and field.custom_id is not None and field.type == "text":
        shown = field.sql.replace("v.value_norm", "v.value_text")
    return shown or field.sql, [*field.params]


def _closest(parts: Sequence[tuple[int, Line | Criteria]], held: Sequence[bool]) -> int | None:
    groups: dict[int, list[int]] = {}
    for index, (group, _) in enumerate(parts):
        groups.setdefault(group, []).append(index)
    if any(all(held[index] for index in indexes) for indexes in groups.values()):
        return None
    best = max(groups.values(), key=lambda indexes: sum(held[index] for index in indexes))
    return next(index for index in best if not held[index])
