"""Every SQL statement of a block, Django's and those of raw cursors: for "constant, however many rows"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import psycopg


@contextmanager
def statements() -> Iterator[list[str]]:
    """Yield a list that fills with the statements executed inside the block."""
    seen: list[str] = []
    execute = psycopg.Cursor.execute

    def watched(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        seen.append(str(query))
        return execute(self, query, *args, **more)

    with mock.patch.object(psycopg.Cursor, "execute", watched):
        yield seen
