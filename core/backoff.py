"""When to try again: exponential with full jitter, kept in rows, never in the broker."""

from __future__ import annotations

import datetime as dt
import random


def next_try(
    *, attempt: int, now: dt.datetime, base_seconds: float = 5.0, cap_seconds: float = 3600.0
) -> dt.datetime:
    """Return the moment of try number attempt + 1: between half and all of base * 2^attempt, capped."""
    ceiling = min(cap_seconds, base_seconds * 2.0 ** min(attempt, 30))
    return now + dt.timedelta(seconds=random.uniform(ceiling / 2, ceiling))
