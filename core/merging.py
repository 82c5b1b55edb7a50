"""What hangs on a contact, and how it moves when two contacts are merged: one table, filled by the rooms.

Each room declares every column of its tables that names a contact; a test fails on one that nobody declared. core knows
no room: settings.MERGING names their tables. Knows nothing of fields and rights: crm.operations.merge does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from django.utils.module_loading import import_string

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contacts of which one stays: `gone` moves into `kept`. Addresses (normalised) and mobiles (E.164) of both, as
    they were before."""

    tenant_id: int
    kept: int
    gone: int
    now: dt.datetime
    addresses: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """Return what a room's SQL may use."""
        return {
            "tenant": self.tenant_id,
            "kept": self.kept,
            "gone": self.gone,
            "now": self.now,
            "addresses": list(self.addresses),
            "mobiles": list(self.mobiles),
        }


@dataclass(frozen=True, slots=True)
class Move:
    """A table whose rows belong to a contact by `column`.

    `once_by` are the columns that with the contact are unique: of rows that both have, the kept contact's stays. With
    `drop` the rows of the one that goes are not moved: their values were chosen already. `label` (one, many) says on
    the page what moves; without one it is not worth a line.
    """

    table: str
    column: str = "contact_id"
    once_by: tuple[str, ...] = ()
    drop: bool = False
    label: tuple[str, str] | None = None

    def statements(self) -> list[str]:
        """Return the SQL that moves the rows."""
        mine = f'tenant_id = %(tenant)s::bigint AND "{self.column}" = %(gone)s::bigint'
        if self.drop:
            return [f'DELETE FROM "{self.table}" WHERE {mine}']
        sql = [f'UPDATE "{self.table}" SET "{self.column}" = %(kept)s::bigint WHERE {mine}']
        if self.once_by:
            same = " AND ".join(f't."{name}" = k."{name}"' for name in self.once_by)
            sql.insert(
                0,
                f'DELETE FROM "{self.table}" t USING "{self.table}" k WHERE t.tenant_id = %(tenant)s::bigint '
                f'AND t."{self.column}" = %(gone)s::bigint AND k.tenant_id = t.tenant_id '
                f'AND k."{self.column}" = %(kept)s::bigint AND {same}',
            )
        return sql


@dataclass(frozen=True, slots=True)
class Room:
    """What one app moves.

    `before` takes locks that must come before the contacts' own; `first` settles what cannot simply move (two
    participations in one flow), `last` what depends on the kept contact's new values; `losses` says in sentences what
    will not survive, for the page that asks.
    """

    moves: tuple[Move, ...]
    before: Callable[[Cursor, int], None] | None = None
    first: Callable[[Cursor, Pair], None] | None = None
    last: Callable[[Cursor, Pair], None] | None = None
    losses: Callable[[Cursor, Pair], Sequence[str]] | None = None


@cache
def rooms() -> tuple[Room, ...]:
    """Return every room's table, uppermost first."""
    return tuple(import_string(path) for path in settings.MERGING)


def prepare(cursor: Cursor, tenant_id: int) -> None:
    """Take what must be held before the contacts are locked."""
    for room in rooms():
        if room.before is not None:
            room.before(cursor, tenant_id)


def move(cursor: Cursor, pair: Pair) -> None:
    """Move everything from the one contact to the other; the caller has locked both."""
    for room in rooms():
        if room.first is not None:
            room.first(cursor, pair)
    parameters = pair.parameters()
    for room in rooms():
        for one in room.moves:
            for sql in one.statements():
                cursor.execute(sql, parameters)


def finish(cursor: Cursor, pair: Pair) -> None:
    """Let every room do what depends on the kept contact's values, which are written now."""
    for room in rooms():
        if room.last is not None:
            room.last(cursor, pair)


def counts(cursor: Cursor, pair: Pair) -> Mapping[str, int]:
    """Return how many rows of each kind would move, by label: one statement."""
    labelled = [one for room in rooms() for one in room.moves if one.label]
    sql = " UNION ALL ".join(
        f'SELECT {number}, count(*) FROM "{one.table}" '
        f'WHERE tenant_id = %(tenant)s::bigint AND "{one.column}" = %(gone)s::bigint'
        for number, one in enumerate(labelled)
    )
    cursor.execute(sql, pair.parameters())
    found: dict[str, int] = {}
    for number, amount in sorted(cursor.fetchall()):
        one, many = labelled[number].label or ("", "")
        if amount:
            found[one if amount == 1 else many] = amount
    return found


def losses(cursor: Cursor, pair: Pair) -> list[str]:
    """Return what will not survive, in sentences."""
    return [line for room in rooms() if room.losses is not None for line in room.losses(cursor, pair)]


_JOB_OF_ONE = """
UPDATE core_job SET arguments = jsonb_set(arguments, '{contact}', to_jsonb(%(kept)s::bigint))
WHERE tenant_id = %(tenant)s::bigint AND status IN ('waiting', 'running')
  AND arguments -> 'contact' = to_jsonb(%(gone)s::bigint)
"""
_JOB_OF_MANY = """
UPDATE core_job SET arguments = jsonb_set(arguments, '{contacts}', (
    SELECT jsonb_agg(DISTINCT CASE WHEN one = to_jsonb(%(gone)s::bigint) THEN to_jsonb(%(kept)s::bigint) ELSE one END)
    FROM jsonb_array_elements(arguments -> 'contacts') one))
WHERE tenant_id = %(tenant)s::bigint AND status IN ('waiting', 'running')
  AND jsonb_typeof(arguments -> 'contacts') = 'array' AND arguments -> 'contacts' @> to_jsonb(%(gone)s::bigint)
"""


def _jobs(cursor: Cursor, pair: Pair) -> None:
    """Jobs that have still to do something with the contact do it with the other."""
    cursor.execute(_JOB_OF_ONE, pair.parameters())
    cursor.execute(_JOB_OF_MANY, pair.parameters())


MERGING = Room((), first=_jobs)
