"""Notifications: mark as read."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from crm.models import Notification


@transaction.atomic
def mark_read(*, user: User, now: dt.datetime, notification_id: int | None = None) -> int:
    """Mark one of a user's notifications, or all that are unread, as read; return how many were unread."""
    unread = Notification.objects.filter(user_id=user.pk, read_at=None)
    if notification_id is not None:
        unread = unread.filter(pk=notification_id)
    return unread.update(read_at=now)
