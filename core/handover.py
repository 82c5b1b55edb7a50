"""What is in somebody's name, and how it goes to who takes over when they leave: one table, filled by the rooms.

core knows no room: settings.HANDOVER names their tables. Everything moves set-based, in the transaction that ends the
membership; what may be very many (contacts) is left to a job that a room starts then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from django.utils.module_loading import import_string

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True, slots=True)
class Handover:
    """From whom to whom (ids of users), who ended the membership, and when."""

    tenant_id: int
    gone: int
    successor: int
    actor: int
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Owned:
    """A table whose rows are in a user's name by `column`, and of those which (`where`, constant SQL).

    `label` (one, many) says on the page what moves; `later` leaves the rows to the room's job.
    """

    table: str
    column: str
    label: tuple[str, str]
    where: str = "true"
    later: bool = False

    def of(self, user: str) -> str:
        """Return the SQL condition for what is in the name of this parameter's user."""
        return f'tenant_id = %(tenant)s::bigint AND "{self.column}" = %({user})s::bigint AND {self.where}'


@dataclass(frozen=True, slots=True)
class Room:
    """What one app hands over. `first` takes locks before anything moves, `last` starts what goes on later."""

    owned: tuple[Owned, ...]
    first: Callable[[Cursor, Handover], None] | None = None
    last: Callable[[Handover], None] | None = None


@cache
def rooms() -> tuple[Room, ...]:
    """Return every room's table, uppermost first."""
    return tuple(import_string(path) for path in settings.HANDOVER)


def in_the_name_of(cursor: Cursor, *, tenant_id: int, user_id: int) -> list[tuple[int, str]]:
    """Return (how many, what) of everything that is in a user's name, in the order of the tables: one statement."""
    every = [one for room in rooms() for one in room.owned]
    sql = " UNION ALL ".join(
        f'SELECT {number}, count(*) FROM "{one.table}" WHERE {one.of("user")}'
        for number, one in enumerate(every)
    )
    cursor.execute(sql, {"tenant": tenant_id, "user": user_id})
    found = sorted((number, amount) for number, amount in cursor.fetchall() if amount)
    return [(amount, every[number].label[amount != 1]) for number, amount in found]


def hand_over(cursor: Cursor, handover: Handover) -> None:
    """Put everything into the successor's name: one statement a table."""
    every = rooms()
    for room in every:
        if room.first is not None:
            room.first(cursor, handover)
    names = {"tenant": handover.tenant_id, "gone": handover.gone, "successor": handover.successor}
    for one in (one for room in every for one in room.owned if not one.later):
        cursor.execute(
            f'UPDATE "{one.table}" SET "{one.column}" = %(successor)s::bigint WHERE {one.of("gone")}', names
        )
    for room in every:
        if room.last is not None:
            room.last(handover)
