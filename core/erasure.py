"""Where personal values lie, and how they go when a person is erased: one table, filled by the rooms.

Each room declares every text and JSON column of its tables, as personal (and how it is blanked) or as never personal;
a test fails on a column that nobody declared. core knows no room: settings.ERASURE names their tables. The rows of
hot tables stay, so that sums still add up; only the values go.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.utils.module_loading import import_string

# What a column becomes.
EMPTY, NOTHING, NO_DATA, NO_LIST = "''", "NULL", "'{}'::jsonb", "'[]'::jsonb"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to erase, and by what they are named in places that know no contact."""

    tenant_id: int
    contact_id: int
    now: dt.datetime
    first_name: str = ""
    last_name: str = ""
    addresses: tuple[str, ...] = ()  # normalised
    phones: tuple[str, ...] = ()  # E.164

    def parameters(self) -> dict[str, Any]:
        """Return what a place's condition may use (docs/how-to/erase-a-person.md says what each is)."""
        told = [*self.addresses, *self.phones]
        told += [quote(text, safe="") for text in told]
        names = [name for name in (self.first_name, self.last_name) if name]
        return {
            "tenant": self.tenant_id,
            "contact": self.contact_id,
            "now": self.now,
            "addresses": list(self.addresses),
            "phones": list(self.phones),
            "mentions": [f"%{_unlike(text)}%" for text in dict.fromkeys(told) if len(text) > 5],
            # Only both names together tell a person from others.
            "names": names if len(names) == 2 else [],
            "name": " ".join(names) if len(names) == 2 else "",
        }


def _unlike(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


@dataclass(frozen=True, slots=True)
class Place:
    """A table with text or JSON: which columns are `personal` (column → what it becomes) and which are `kept`.

    `where` finds the person's rows (alias t; see Person.parameters). With `delete` those rows go altogether.
    """

    table: str
    kept: tuple[str, ...] = ()
    personal: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    delete: bool = False

    def sql(self) -> str:
        """Return the statement that erases, or nothing where nothing is personal."""
        if not self.where:
            return ""
        rows = f'"{self.table}" t'
        found = f"WHERE t.tenant_id = %(tenant)s::bigint AND ({self.where})"
        if self.delete:
            return f"DELETE FROM {rows} {found}"
        sets = ", ".join(f'"{column}" = {value}' for column, value in self.personal.items())
        return f"UPDATE {rows} SET {sets} {found}"


@dataclass(frozen=True, slots=True)
class Room:
    """The places of one app, and what it does first (end a participation, cancel a message) with the rows locked."""

    places: tuple[Place, ...]
    first: Callable[[psycopg.Cursor[Any], Person], None] | None = None


@cache
def rooms() -> tuple[Room, ...]:
    """Return every room's table, uppermost first."""
    return tuple(import_string(path) for path in settings.ERASURE)


def erase(cursor: psycopg.Cursor[Any], person: Person) -> None:
    """Let every room end what it does with the person, then blank every place. The caller has locked the contact."""
    for room in rooms():
        if room.first is not None:
            room.first(cursor, person)
    parameters = person.parameters()
    for room in rooms():
        for place in room.places:
            if sql := place.sql():
                cursor.execute(sql, parameters)


ERASURE = Room(
    (
        Place(
            "core_job",
            ("kind", "title", "status", "cursor", "error"),
            # What a list was narrowed to when somebody began a job over it.
            {"arguments": "'{}'::jsonb", "result": "'{}'::jsonb"},
            "t.status IN ('done', 'failed', 'cancelled') "
            "AND (t.arguments::text ILIKE ANY(%(mentions)s::text[]) OR t.result::text ILIKE ANY(%(mentions)s::text[]))",
        ),
        # Where a lane begins and how many got which verdict.
        Place("core_joblane", ("cursor", "result")),
    )
)
