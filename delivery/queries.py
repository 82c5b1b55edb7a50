"""Reads of delivery that other rooms need."""

from __future__ import annotations

import datetime as dt

from core.db.cursors import raw_cursor


def tenants_with_due_webhooks(now: dt.datetime) -> list[int]:
    """Return the tenants with webhooks to send, or that a dead process held. As `tenants_with_due_messages`."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT delivery_due_webhooks(%s)", [now])
        return [row[0] for row in cursor.fetchall()]


def tenants_with_due_messages(now: dt.datetime) -> list[int]:
    """Return the tenants with messages that may go, must be cancelled, or belong to a dead process.

    `now` is the real time; the database function adds each trial's own offset. Needs no tenant scope.
    """
    with raw_cursor() as cursor:
        cursor.execute("SELECT delivery_due_tenants(%s)", [now])
        return [row[0] for row in cursor.fetchall()]
