"""Threads of one process that share a turn's work. Each has a database connection of its own, kept between turns.

Knows nothing of messages. A process that dies takes all its threads with it, so what one of them holds is as safe as
what the process holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import lru_cache
from typing import TypeVar

from django.db import close_old_connections

Item = TypeVar("Item")
Result = TypeVar("Result")
# Fewer than this are not worth waking a thread.
LEAST = 50


def shares(items: Sequence[Item], number: int) -> list[Sequence[Item]]:
    """Return the items cut into as many equal shares as there are threads; few stay together."""
    number = max(1, min(number, len(items) // LEAST))
    size = max(1, -(-len(items) // number))
    return [items[start : start + size] for start in range(0, len(items), size)]


def side_by_side(work: Callable[[Item], Result], parts: Sequence[Item]) -> list[Result]:
    """Do the work for each part, the first in this thread; return what each gave.

    Waits for all of them, and raises the first error only then.
    """
    others = [_pool(os.getpid()).submit(copy_context().run, _in_thread, work, part) for part in parts[1:]]
    try:
        first = work(parts[0])
    finally:
        wait(others)
    return [first, *(other.result() for other in others)]


def _in_thread(work: Callable[[Item], Result], part: Item) -> Result:
    # As Celery does before and after each task, for this thread's connection.
    close_old_connections()
    try:
        return work(part)
    finally:
        close_old_connections()


@lru_cache(maxsize=1)
def _pool(pid: int) -> ThreadPoolExecutor:
    """Return this process's threads; a forked child has none of its parent's."""
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="hand")
