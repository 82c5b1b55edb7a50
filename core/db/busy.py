"""Telling an error of waiting from every other: somebody else is at work on the same rows, so it can be done later."""

from __future__ import annotations

from django.db import OperationalError

# lock_not_available and deadlock_detected.
_STATES = frozenset({"55P03", "40P01"})


def is_busy(error: OperationalError) -> bool:
    """Say whether a statement gave up waiting for a lock."""
    return getattr(error.__cause__, "sqlstate", None) in _STATES
