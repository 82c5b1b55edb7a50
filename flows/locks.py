"""The gate of a flow: batches pass it shared, whoever changes the flow's status or definition holds it alone.

An advisory lock, because a row lock starves here: sharers overtake the waiting writer. Transaction-level, so a crash
or a commit opens it again. Knows nothing of what is done behind the gate.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

# The upper bits say whose lock it is; other rooms' advisory locks must choose another class.
_CLASS: Final = 0x464C << 48


class Cursor(Protocol):
    """A psycopg or Django cursor."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...

    def fetchone(self) -> Any: ...


def _key(flow_id: int) -> int:
    return _CLASS | flow_id


def flow_gate_shared(cursor: Cursor, flow_id: int) -> bool:
    """Try to pass the gate with one batch; False means that somebody is changing the flow: leave it alone."""
    cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s::bigint)", [_key(flow_id)])
    return bool(cursor.fetchone()[0])


def flow_gate_exclusive(cursor: Cursor, flow_id: int) -> None:
    """Wait for the batches in flight, then hold the gate until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [_key(flow_id)])
