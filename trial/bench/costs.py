"""What a benchmark cost: CPU of its processes and of PostgreSQL, and bytes of the write-ahead log.

On a machine that others use as well the clock says little; these say the same there. CPU is read from /proc (Linux
alone, elsewhere 0), and PostgreSQL's only where it runs on this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connections


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds of processes and of PostgreSQL, and bytes of the write-ahead log."""

    python: float
    postgres: float
    wal: int

    def since(self, earlier: Costs) -> Costs:
        """Return what was added since then."""
        return Costs(self.python - earlier.python, self.postgres - earlier.postgres, self.wal - earlier.wal)

    def each(self, number: int) -> dict[str, float]:
        """Return milliseconds of CPU and bytes for each of so many."""
        return {
            "python_ms_each": round(self.python * 1000 / number, 3),
            "postgres_ms_each": round(self.postgres * 1000 / number, 3),
            "wal_bytes_each": round(self.wal / number),
        }


def costs_of(pids: Sequence[int]) -> Callable[[], Costs]:
    """Return a function that says what these processes, their children and PostgreSQL have cost so far."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = _parent(cursor.fetchone()[0])

    def now() -> Costs:
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
            wal = int(cursor.fetchone()[0])
        return Costs(sum(map(_seconds, pids)), _seconds(server) if server else 0.0, wal)

    return now


def _fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on: a name may hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    """Return the server process of a backend, or 0 where it is not on this machine."""
    fields = _fields(pid)
    parent = int(fields[1]) if fields else 0
    return parent if _children(parent) else 0


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def _seconds(pid: int) -> float:
    """Return CPU seconds of a process, its children and those that have ended."""
    fields = _fields(pid)
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") if fields else 0.0
    return own + sum(map(_seconds, _children(pid)))
