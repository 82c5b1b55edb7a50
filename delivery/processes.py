"""Who is alive: whoever reserves messages holds a session advisory lock as long as it lives. No guessing by time-out.

When a process dies PostgreSQL lets go of its lock, and whoever finds rows under a number whose lock is free knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from django.db import Error

from core.db.cursors import raw_cursor

# The first half of the two-part lock keys; delivery_due_tenants (migration 0003) names it too.
LOCK_CLASS = 19782


def is_dead(cursor: psycopg.Cursor[Any], number: int) -> bool:
    """Take the process's lock until the transaction ends: who can, knows that nobody holds it."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s::int, %s::int)", [LOCK_CLASS, number])
    row = cursor.fetchone()
    return bool(row and row[0])


@contextmanager
def living_process() -> Iterator[int]:
    """Yield a number to reserve under, alive until the block ends or the process dies. Not inside a transaction."""
    number = secrets.randbits(31)
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s::int, %s::int)", [LOCK_CLASS, number])
    try:
        yield number
    finally:
        # A lost connection has let go already.
        with suppress(Error), raw_cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", [LOCK_CLASS, number])
