"""Names the task that made a worker's process grow: the peak of a process does not say what it was busy with.

Linux counts the peak in KiB, macOS in bytes.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

import structlog
from celery.signals import task_postrun, task_prerun

log = structlog.get_logger(__name__)
# A task that raises its process's peak by so much is told of.
MUCH_MIB = 64
_UNIT = 1024 if sys.platform != "darwin" else 1024 * 1024
_before: list[float] = []


def peak_mib() -> float:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT


@task_prerun.connect
def note(**_: Any) -> None:
    """Remember the peak before a task."""
    _before[:] = [peak_mib()]


@task_postrun.connect
def tell(sender: Any = None, args: Any = (), **_: Any) -> None:
    """Say which task raised it, and with which numbers."""
    peak = peak_mib()
    if _before and peak - _before[0] >= MUCH_MIB:
        log.warning(
            "task_took_memory",
            task=getattr(sender, "name", ""),
            arguments=list(args or ()),
            peak_mib=round(peak),
            before_mib=round(_before[0]),
        )
