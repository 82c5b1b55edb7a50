"""Raw psycopg cursors with server-side binding, for set-based SQL with large array parameters.

Django's own cursor writes parameters into the text of the statement; arrays of thousands of ids then cost more to
parse than to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from psycopg.rows import namedtuple_row, tuple_row
from psycopg.types.json import JsonbLoader

from core.db.arrays import ArrayDumper

Row = Any


@contextmanager
def raw_cursor(*, using: str = "default", named: bool = False) -> Iterator[psycopg.Cursor[Row]]:
    """Yield a server-side binding cursor on Django's connection, inside its transaction."""
    wrapper = connections[using]
    wrapper.ensure_connection()
    with wrapper.wrap_database_errors:
        cursor = psycopg.Cursor(wrapper.connection, row_factory=namedtuple_row if named else tuple_row)
        # Django switches this off on its connections: its JSONField reads the text itself.
        cursor.adapters.register_loader("jsonb", JsonbLoader)
        cursor.adapters.register_dumper(list, ArrayDumper)
        try:
            yield cursor
        finally:
            cursor.close()


@contextmanager
def one_trip(*, using: str = "default") -> Iterator[None]:
    """Send the statements inside to the server together and wait once, at the end of the block: fetch after it.

    The first error is raised at the end. A tenant's scope that begins with them is opened around, by
    `tenant_scope(first=…)`.
    """
    wrapper = connections[using]
    wrapper.ensure_connection()
    with wrapper.wrap_database_errors, wrapper.connection.pipeline():
        yield


def commit_without_waiting() -> None:
    """Let the open transaction's commit not wait for the disk: for work that is done again if it is lost.

    A server that dies may lose the newest commits, in their order: a slice is lost with its cursor and with whatever
    was built upon it. Never for work that somebody outside was told of.
    """
    with raw_cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
