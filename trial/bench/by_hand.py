"""Hand-written SQL over slices of ids, several connections at once: what a benchmark's own way is compared with."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg


def run_by_hand(
    statements: Sequence[str],
    values: Mapping[str, Any],
    *,
    tenant_id: int,
    slices: Sequence[Mapping[str, Any]],
    workers: int,
) -> float:
    """Run the statements for every slice with its own values beside the common ones, each slice one transaction;
    return the seconds.

    Threads, not processes: the work is the server's, and one that waits for it lets the others run.
    """
    part = -(-len(slices) // workers)
    parts = [slices[begin : begin + part] for begin in range(0, len(slices), part)]

    def work(mine: Sequence[Mapping[str, Any]]) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
            for own in mine:
                with session.transaction(), session.cursor() as cursor:
                    cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant_id)])
                    for statement in statements:
                        cursor.execute(statement.encode(), {**values, **own, "tenant": tenant_id})

    start = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, parts))
    return time.perf_counter() - start
