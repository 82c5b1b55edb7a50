"""Why a contact does not match: the first line that failed, and the value it saw. One query for all contacts.

SQL judges each line once; the groups are put together here, as they are in SQL, because no line is ever NULL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.criteria.among import these
from crm.criteria.describe import describe_all
from crm.criteria.fields import fields_by_key
from crm.criteria.memberships import Clock
from crm.criteria.schema import Criteria, Line
from crm.criteria.seen import seen_sql
from crm.criteria.sql import compile_part, lines_of

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """The line that failed, in words, with what the contact had there ("" for empty).

    A line of nested groups has `within`, the nested groups in words: none of their groups held, and the line is of
    the one that came closest.
    """

    rule: str
    field: str
    seen: str
    group: int
    within: str = ""

    def as_values(self) -> dict[str, Any]:
        """Return it as JSON for a kept verdict."""
        found: dict[str, Any] = {
            "rule": self.rule,
            "field": self.field,
            "seen": self.seen,
            "group": self.group,
        }
        return {**found, "within": self.within} if self.within else found


def first_failure(
    criteria: Criteria,
    *,
    contact_ids: Sequence[int],
    now: dt.datetime,
    zone: ZoneInfo,
    cursor: psycopg.Cursor[Any] | None = None,
) -> dict[int, Failure]:
    """Return, for each contact that does not match, the first failing line of the group that came closest.

    Closest is the group with the most lines held; of equals the first; so on within nested groups. Costs as one
    compile plus one scan of the given contacts. Contacts that match, and contacts that do not exist, are left out.
    """
    lines = list(lines_of(criteria))
    if not lines or not contact_ids:
        return {}
    if cursor is None:
        with raw_cursor() as own:
            rows = _judge(own, lines, contact_ids, Clock(now, zone))
    else:
        rows = _judge(cursor, lines, contact_ids, Clock(now, zone))
    tree, _ = _tree(criteria, 0)
    found = {}
    # Many contacts hold and fail the same lines: each such pattern is read once.
    misses: dict[tuple[bool, ...], _Miss | None] = {}
    for contact_id, *cells in rows:
        held = tuple(cells[0::2])
        if held not in misses:
            misses[held] = None if _holds(tree, held) else _closest(tree, held)
        if (miss := misses[held]) is not None:
            found[contact_id] = (miss, cells[miss.line * 2 + 1] or "")
    return _in_words(lines, found)


# --- the tree over the numbers of its lines -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Node:
    """Criteria whose lines are numbers in the order of lines_of."""

    criteria: Criteria
    groups: tuple[tuple[int | _Node, ...], ...]


@dataclass(frozen=True, slots=True)
class _Miss:
    """The number of a line that failed, its group at the outside, and the nested criteria that it is of."""

    line: int
    group: int
    within: Criteria | None


def _tree(criteria: Criteria, first: int) -> tuple[_Node, int]:
    groups = []
    for group in criteria.groups:
        parts: list[int | _Node] = []
        for part in group.lines:
            if isinstance(part, Line):
                parts.append(first)
                first += 1
            else:
                inner, first = _tree(part, first)
                parts.append(inner)
        if parts:
            groups.append(tuple(parts))
    return _Node(criteria, tuple(groups)), first


def _holds(node: int | _Node, held: Sequence[bool]) -> bool:
    if isinstance(node, int):
        return held[node]
    return not node.groups or any(all(_holds(part, held) for part in group) for group in node.groups)


def _closest(tree: _Node, held: Sequence[bool]) -> _Miss:
    """Return the miss of criteria that do not hold."""
    node, group, within = tree, -1, None
    while True:
        index = max(
            range(len(node.groups)), key=lambda i: (sum(_holds(part, held) for part in node.groups[i]), -i)
        )
        group = index if group < 0 else group
        part = next(part for part in node.groups[index] if not _holds(part, held))
        if isinstance(part, int):
            return _Miss(part, group, within)
        node = part
        within = within or part.criteria


def _in_words(lines: Sequence[Line], found: Mapping[int, tuple[_Miss, str]]) -> dict[int, Failure]:
    """Say it; each rule is put into words once, and each answer made once, however many contacts it concerns."""
    wanted: dict[Line | Criteria, str] = {}
    for miss in {id(miss): miss for miss, _ in found.values()}.values():
        wanted[lines[miss.line]] = ""
        if miss.within is not None:
            wanted[miss.within] = ""
    words = dict(zip(wanted, describe_all(list(wanted)), strict=True))
    made: dict[tuple[int, str], Failure] = {}
    answers: dict[int, Failure] = {}
    for contact_id, (miss, seen) in found.items():
        key = id(miss), seen
        if key not in made:
            made[key] = Failure(
                words[lines[miss.line]],
                lines[miss.line].field,
                seen,
                miss.group,
                words[miss.within] if miss.within is not None else "",
            )
        answers[contact_id] = made[key]
    return answers


# --- asking -----------------------------------------------------------------------------------------------------------


def _judge(
    cursor: psycopg.Cursor[Any], lines: Sequence[Line], contact_ids: Sequence[int], clock: Clock
) -> Iterator[tuple[Any, ...]]:
    fields = fields_by_key(line.field for line in lines)
    columns, params = [], []
    for line in lines:
        compiled = compile_part(line, fields, clock)
        seen, seen_params = seen_sql(fields[line.field], line, clock)
        columns += [compiled.sql, f"left(({seen})::text, 200)"]
        params += [*compiled.params, *seen_params]
    asked = ", ".join(columns)
    cursor.execute(
        f"SELECT c.id, {asked} FROM {these(asked)}", [*params, list(contact_ids), require_tenant_id()]
    )
    return iter(cursor.fetchall())
