"""What only participants can say about the installation's health."""

from __future__ import annotations

import datetime as dt

from core.db.cursors import raw_cursor


def oldest_due_seconds(now: dt.datetime) -> int | None:
    """Return for how long the oldest due participant of any running flow has waited, or None when nobody is due."""
    with raw_cursor() as cursor:
        row = cursor.execute("SELECT participants_oldest_due(%s)", [now]).fetchone()
    return row[0] if row else None
