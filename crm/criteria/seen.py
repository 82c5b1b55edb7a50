"""What a person reads in the fields that criteria ask about, as SQL: for *why not*, and for what a split saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from crm.criteria.field import Field
from crm.criteria.fields import fields_by_key
from crm.criteria.memberships import Clock
from crm.criteria.schema import Criteria, Line
from crm.criteria.sql import lines_of, with_rows

# A long text is kept as its beginning.
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Looked:
    """The values that some criteria look at: a column of SQL each, and by which key each is kept."""

    keys: Sequence[str]
    columns: Sequence[str]
    params: Sequence[Any]


def line_key(line: Line) -> str:
    """Return under which key the value of a line is kept: lines that look at the same share one."""
    if not (line.which or line.days is not None or line.when or line.currency):
        return line.field
    which = ",".join(str(one) for one in line.which)
    key = f"{line.field}|{which}|{'' if line.days is None else line.days}"
    more = [line.when, *(str(one) for one in line.when_values), line.currency]
    return f"{key}|{'|'.join(more)}" if any(more) else key


def looked_at(criteria: Iterable[Criteria], *, now: dt.datetime, zone: ZoneInfo) -> Looked:
    """Return the values that these criteria look at, each once, over the aliases of crm.criteria.sql.FROM."""
    clock = Clock(now, zone)
    lines = {line_key(line): line for one in criteria for line in lines_of(one)}
    fields = fields_by_key(line.field for line in lines.values())
    columns: list[str] = []
    params: list[Any] = []
    lines = {key: line for key, line in lines.items() if line.field in fields}
    for line in lines.values():
        sql, more = seen_sql(fields[line.field], line, clock)
        columns.append(f"left(({sql})::text, {LONGEST})")
        params += more
    return Looked(list(lines), columns, params)


def seen_sql(field: Field, line: Line, clock: Clock) -> tuple[str, list[Any]]:
    """Return SQL for what a person reads where a line looks."""
    return _seen(_made(field, line, clock), clock)


def _made(field: Field, line: Line, clock: Clock) -> Field:
    return field if field.rows is None else with_rows(field, line, clock)


_NAME_OF = {
    "user": (
        "SELECT coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.email) "
        "FROM accounts_user u WHERE u.id"
    ),
    "selection": "SELECT n.name FROM crm_selection n WHERE n.tenant_id = c.tenant_id AND n.id",
    "project": "SELECT n.name FROM crm_project n WHERE n.tenant_id = c.tenant_id AND n.id",
}
_ITEM = "SELECT n.name FROM crm_listitem n WHERE n.tenant_id = c.tenant_id AND n.id"


def _seen(field: Field, clock: Clock) -> tuple[str, list[Any]]:
    """Return SQL for what a person reads in the field."""
    if field.shape == "moment":
        text = f"to_char({field.sql} AT TIME ZONE %s::text, 'YYYY-MM-DD HH24:MI')"
        return text, [*field.params, clock.zone.key]
    names = _NAME_OF.get(field.choices, _ITEM)
    if field.is_multiple:
        inner = f"SELECT string_agg(({names} = {field.member}), ', ' ORDER BY m.id) {field.sql}"
        return inner, [*field.params]
    if field.shape == "ref":
        return f"{names} = ({field.sql})", [*field.params]
    if field.rows is not None and field.rows.make == "count":
        return field.sql, [*field.params]
    if field.shape == "bool":
        return f"CASE WHEN {field.sql} THEN 'yes' ELSE 'no' END", [*field.params]
    shown = {"contact.email": "c.email", "company.name": "co.name"}.get(field.key)
    if shown is None and field.custom_id is not None and field.type == "text":
        shown = field.sql.replace("v.value_norm", "v.value_text")
    return shown or field.sql, [*field.params]
