"""`bench growth`: what a step costs with few, many and very many participants in the flow; it should be the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from trial.bench.engine import STEPS, walk

SIZES = (10_000, 100_000, 1_000_000)
log = structlog.get_logger(__name__)


def growth(*, sizes: Sequence[int] = SIZES, workers: int) -> dict[str, Any]:
    """Return the cost of a step at each size, in microseconds, and the dearest divided by the cheapest.

    Each size has a tenant and workers of its own. Raises WrongResult where an end state is not exact.
    """
    costs: dict[str, float] = {}
    peak = 0
    for participants in sizes:
        seconds, peak_kib = walk(participants=participants, workers=workers)
        costs[str(participants)] = round(seconds * 1e6 / (participants * STEPS), 2)
        peak = max(peak, peak_kib)
        # The largest takes long: what was found until then is not lost with it.
        log.info("size_done", participants=participants, microseconds_per_step=costs[str(participants)])
    return {
        "workers": workers,
        "sizes": list(sizes),
        "microseconds_per_step": costs,
        "cost_ratio": round(max(costs.values()) / min(costs.values()), 3),
        "peak_rss_mib": round(peak / 1024),
    }
